/* SPDX-License-Identifier: GPL-2.0-only */
#include "impairment/line.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_MAX (1u << 20)
#define NS	  1000000000ull
/* Those that are out of order at the same time; one more is not. */
#define HELD_MAX 16u

typedef unsigned __int128 wide;

struct waiting {
	uint64_t due, order; /* @order: of two that are due together */
	struct impairment_arrival arrival;
};

/* Out of order: it waits until others have gone by. */
struct held {
	uint32_t behind;
	struct waiting waiting; /* due: at the latest */
};

struct impairment {
	const struct impairment_ops *ops;
	void *owner;
	uint32_t limit;
	/* The caller's: a heap, the first one is due first. */
	struct waiting *heap;
	uint32_t count;
	struct held held[HELD_MAX];
	uint32_t held_count;
	uint64_t order;
	uint64_t free_at; /* the packets before have left by then */

	pthread_mutex_t lock; /* the rest */
	bool flush;	      /* what waits comes at once */
	bool active;
	struct impairment_spec spec;
	uint64_t number;
	struct impairment_counts counts[IMPAIRMENT_KINDS];
	struct impairment_event log[IMPAIRMENT_LOG];
	uint64_t logged;
};

struct impairment *impairment_new(const struct impairment_spec *spec, uint32_t limit,
				  const struct impairment_ops *ops, void *owner)
{
	struct impairment *line;

	if (!limit || limit > LIMIT_MAX) {
		errno = EINVAL;
		return NULL;
	}
	line = calloc(1, sizeof(*line));
	if (!line)
		return NULL;
	line->heap = calloc(limit, sizeof(*line->heap));
	if (!line->heap) {
		free(line);
		return NULL;
	}
	line->ops = ops;
	line->owner = owner;
	line->limit = limit;
	pthread_mutex_init(&line->lock, NULL);
	impairment_set(line, spec);
	return line;
}

void impairment_free(struct impairment *line)
{
	if (!line)
		return;
	for (uint32_t i = 0; i < line->count; i++)
		line->ops->drop(line->owner, line->heap[i].arrival.packet);
	for (uint32_t i = 0; i < line->held_count; i++)
		line->ops->drop(line->owner, line->held[i].waiting.arrival.packet);
	pthread_mutex_destroy(&line->lock);
	free(line->heap);
	free(line);
}

void impairment_set(struct impairment *line, const struct impairment_spec *spec)
{
	pthread_mutex_lock(&line->lock);
	line->active = spec;
	line->flush = !spec;
	line->spec = spec ? *spec : (struct impairment_spec){ 0 };
	line->number = 0;
	memset(line->counts, 0, sizeof(line->counts));
	line->logged = 0;
	pthread_mutex_unlock(&line->lock);
}

bool impairment_is_empty(const struct impairment *line)
{
	return !line->count && !line->held_count;
}

bool impairment_is_full(const struct impairment *line)
{
	return line->count + line->held_count >= line->limit;
}

/* --- the heap -------------------------------------------------------------------------------- */

static bool is_before(const struct waiting *a, const struct waiting *b)
{
	return a->due != b->due ? a->due < b->due : a->order < b->order;
}

/* It has room: impairment_is_full(). */
static void push(struct impairment *line, const struct waiting *waiting)
{
	uint32_t at = line->count++;

	for (; at && is_before(waiting, &line->heap[(at - 1) / 2]); at = (at - 1) / 2)
		line->heap[at] = line->heap[(at - 1) / 2];
	line->heap[at] = *waiting;
}

static struct waiting pop(struct impairment *line)
{
	struct waiting first = line->heap[0], last = line->heap[--line->count];
	uint32_t at = 0, child;

	for (; (child = 2 * at + 1) < line->count; at = child) {
		if (child + 1 < line->count &&
		    is_before(&line->heap[child + 1], &line->heap[child]))
			child++;
		if (!is_before(&line->heap[child], &last))
			break;
		line->heap[at] = line->heap[child];
	}
	line->heap[at] = last;
	return first;
}

/* --- out of order ---------------------------------------------------------------------------- */

static void release(struct impairment *line, uint32_t index, uint64_t due)
{
	struct waiting waiting = line->held[index].waiting;

	line->held[index] = line->held[--line->held_count];
	waiting.due = due;
	waiting.order = line->order++;
	push(line, &waiting);
}

/* A packet goes by those that are held, and is due at @due. */
static void let_pass(struct impairment *line, uint64_t due)
{
	for (uint32_t i = line->held_count; i--;)
		if (!--line->held[i].behind)
			release(line, i, due);
}

static void release_overdue(struct impairment *line, uint64_t now, bool all)
{
	for (uint32_t i = line->held_count; i--;)
		if (all || line->held[i].waiting.due <= now)
			release(line, i, all ? 0 : line->held[i].waiting.due);
}

/* --- in -------------------------------------------------------------------------------------- */

static void log_event(struct impairment *line, const struct impairment_event *event)
{
	if (event->what)
		line->log[line->logged++ % IMPAIRMENT_LOG] = *event;
}

static void count(struct impairment_counts *counts, unsigned int what)
{
	counts->lost += !!(what & IMPAIRMENT_LOST);
	counts->doubled += !!(what & IMPAIRMENT_DOUBLED);
	counts->reordered += !!(what & IMPAIRMENT_REORDERED);
	counts->damaged += !!(what & IMPAIRMENT_DAMAGED);
	counts->marked += !!(what & IMPAIRMENT_MARKED);
	counts->overflow += !!(what & IMPAIRMENT_OVERFLOW);
}

static unsigned int what_of(const struct impairment_fate *fate)
{
	return (fate->lost ? IMPAIRMENT_LOST : 0) | (fate->doubled ? IMPAIRMENT_DOUBLED : 0) |
	       (fate->behind ? IMPAIRMENT_REORDERED : 0) |
	       (fate->damaged ? IMPAIRMENT_DAMAGED : 0) | (fate->marked ? IMPAIRMENT_MARKED : 0);
}

/* When the last bit of @length bytes has left. */
static uint64_t leaves(struct impairment *line, uint64_t now, size_t length)
{
	if (line->free_at < now)
		line->free_at = now;
	if (line->spec.rate)
		line->free_at += (uint64_t)((wide)length * 8 * NS / line->spec.rate);
	return line->spec.rate ? line->free_at : now;
}

/* @packet, or a copy of it, gets on the line. */
static void send(struct impairment *line, uint64_t due, const struct impairment_fate *fate,
		 const struct impairment_event *event, void *packet)
{
	struct waiting waiting = { .due = due,
				   .order = line->order++,
				   .arrival = { .packet = packet,
						.length = event->length,
						.label = event->label,
						.damaged = fate->damaged,
						.marked = fate->marked,
						.bit = fate->bit } };

	if (fate->behind) {
		waiting.due += IMPAIRMENT_HOLD_NS;
		line->held[line->held_count++] = (struct held){ fate->behind, waiting };
		return;
	}
	push(line, &waiting);
	let_pass(line, due);
}

/* The copy is in order, also where the packet is not. False: there is no room. */
static bool send_copy(struct impairment *line, uint64_t due, struct impairment_fate fate,
		      const struct impairment_event *event, void *packet)
{
	void *copy = impairment_is_full(line) ? NULL : line->ops->copy(line->owner, packet);

	fate.behind = 0;
	if (copy)
		send(line, due, &fate, event, copy);
	return copy;
}

void impairment_put(struct impairment *line, uint64_t now, void *packet, size_t length,
		    const struct impairment_label *label)
{
	struct impairment_event event = { .now = now, .length = length, .label = *label };
	struct impairment_counts *counts = &line->counts[label->kind % IMPAIRMENT_KINDS];
	struct impairment_fate fate;
	uint64_t due;

	pthread_mutex_lock(&line->lock);
	event.number = line->number++;
	impairment_decide(&line->spec, event.number, length, &fate);
	if (line->held_count == HELD_MAX)
		fate.behind = 0;
	counts->packets++;
	counts->octets += length;
	due = leaves(line, now, length) + fate.delay_ns;
	event.what = what_of(&fate);
	if (!fate.lost && impairment_is_full(line)) {
		event.what = IMPAIRMENT_OVERFLOW;
		fate.lost = true;
	}
	if (fate.lost) {
		line->ops->drop(line->owner, packet);
	} else {
		send(line, due, &fate, &event, packet);
		if (fate.doubled && !send_copy(line, due, fate, &event, packet))
			event.what = (event.what & ~(unsigned int)IMPAIRMENT_DOUBLED) |
				     IMPAIRMENT_OVERFLOW;
	}
	count(counts, event.what);
	log_event(line, &event);
	pthread_mutex_unlock(&line->lock);
}

/* --- out ------------------------------------------------------------------------------------- */

bool impairment_get(struct impairment *line, uint64_t now, struct impairment_arrival *arrival)
{
	bool there;

	pthread_mutex_lock(&line->lock);
	if (line->held_count)
		release_overdue(line, now, line->flush);
	there = line->count && (line->flush || line->heap[0].due <= now);
	if (there) {
		*arrival = pop(line).arrival;
		line->counts[arrival->label.kind % IMPAIRMENT_KINDS].delivered++;
	}
	pthread_mutex_unlock(&line->lock);
	return there;
}

uint64_t impairment_wakes(const struct impairment *line)
{
	uint64_t wakes = line->count ? line->heap[0].due : UINT64_MAX;

	for (uint32_t i = 0; i < line->held_count; i++)
		if (line->held[i].waiting.due < wakes)
			wakes = line->held[i].waiting.due;
	return impairment_is_empty(line) ? 0 : wakes;
}

/* --- what happened --------------------------------------------------------------------------- */

bool impairment_get_spec(struct impairment *line, struct impairment_spec *spec)
{
	bool active;

	pthread_mutex_lock(&line->lock);
	active = line->active;
	*spec = line->spec;
	pthread_mutex_unlock(&line->lock);
	return active;
}

void impairment_get_counts(struct impairment *line,
			   struct impairment_counts counts[IMPAIRMENT_KINDS])
{
	pthread_mutex_lock(&line->lock);
	memcpy(counts, line->counts, sizeof(line->counts));
	pthread_mutex_unlock(&line->lock);
}

unsigned int impairment_get_log(struct impairment *line, struct impairment_event *event,
				unsigned int size, uint64_t *all)
{
	uint64_t from, kept;

	pthread_mutex_lock(&line->lock);
	*all = line->logged;
	kept = *all < IMPAIRMENT_LOG ? *all : IMPAIRMENT_LOG;
	if (kept > size)
		kept = size;
	from = *all - kept;
	for (uint64_t i = 0; i < kept; i++)
		event[i] = line->log[(from + i) % IMPAIRMENT_LOG];
	pthread_mutex_unlock(&line->lock);
	return (unsigned int)kept;
}
