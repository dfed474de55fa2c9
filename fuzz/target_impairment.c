/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a link does to its packets: specs as somebody writes them, and a line with packets, copies
 * that find no room, other specs. A spec that was taken is the same when it is printed and taken
 * again; no packet comes early, and none is lost but by what says so.
 */
#include <errno.h>
#include <stdlib.h>

#include "fuzz/cable.h"
#include "fuzz/target.h"
#include "impairment/line.h"

#define OPS 256u

/* By what twelve digits of a percent do not say. */
static bool is_near(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) <= IMPAIRMENT_ALL / 100000000000000 + 1;
}

static bool is_same(const struct impairment_spec *a, const struct impairment_spec *b)
{
	return is_near(a->loss, b->loss) && is_near(a->dup, b->dup) &&
	       is_near(a->reorder, b->reorder) && is_near(a->ecn, b->ecn) &&
	       is_near(a->biterror, b->biterror) && a->delay_ns == b->delay_ns &&
	       a->jitter_ns == b->jitter_ns && a->rate == b->rate && a->seed == b->seed;
}

static void text(struct input *in)
{
	char words[2 * IMPAIRMENT_TEXT], printed[IMPAIRMENT_TEXT];
	size_t len = (size_t)(in->end - in->at);
	char message[IMPAIRMENT_TEXT] = "";
	struct impairment_spec spec = { 0 }, again;

	len = len < sizeof(words) - 1 ? len : sizeof(words) - 1;
	input_bytes(in, words, len);
	words[len] = '\0';
	if (impairment_parse(words, &spec, message)) {
		if (!*message || spec.seed || spec.loss || spec.rate)
			finding("a spec was refused without a cause, or taken in part");
		return;
	}
	if (spec.loss > IMPAIRMENT_ALL || spec.biterror > IMPAIRMENT_ALL ||
	    spec.jitter_ns > spec.delay_ns || spec.delay_ns > IMPAIRMENT_DELAY_MAX)
		finding("a spec that cannot be was taken");
	impairment_print(&spec, printed);
	if (impairment_parse(printed, &again, message))
		finding("%s, which was printed, is not taken: %s", printed, message);
	if (!is_same(&spec, &again))
		finding("%s is printed as %s", words, printed);
}

/* --- a line ------------------------------------------------------------------------------ */

struct state {
	struct impairment *line;
	uint64_t now;
	unsigned int packets; /* that the line has */
	bool no_copies;
};

static void *copy(void *owner, void *packet)
{
	struct state *s = owner;
	uint32_t *twin = s->no_copies ? NULL : malloc(sizeof(*twin));

	if (twin) {
		*twin = *(uint32_t *)packet;
		s->packets++;
	}
	return twin;
}

static void drop(void *owner, void *packet)
{
	struct state *s = owner;

	free(packet);
	s->packets--;
}

static void put(struct state *s, struct input *in)
{
	uint8_t kind = input_u8(in);
	struct impairment_label label = { .kind = kind & 7, .sequence = s->packets };
	uint32_t *packet = malloc(sizeof(*packet));
	size_t length = input_u16(in);

	if (!packet)
		return;
	*packet = (uint32_t)length;
	s->packets++;
	impairment_put(s->line, s->now, packet, length, &label);
}

static void get(struct state *s)
{
	struct impairment_arrival arrival;
	uint64_t wakes;

	while (impairment_get(s->line, s->now, &arrival)) {
		if (arrival.length != *(uint32_t *)arrival.packet)
			finding("a packet of %u bytes has %zu", *(uint32_t *)arrival.packet,
				arrival.length);
		if (arrival.damaged && arrival.bit >= 8 * arrival.length)
			finding("bit %lu of %zu bytes is wrong", arrival.bit, arrival.length);
		drop(s, arrival.packet);
	}
	wakes = impairment_wakes(s->line);
	if (impairment_is_empty(s->line) ? wakes || s->packets : wakes <= s->now)
		finding("it wakes at %lu, now is %lu, and it has %u packets", wakes, s->now,
			s->packets);
}

static void report(struct state *s, struct input *in)
{
	static struct impairment_event event[IMPAIRMENT_LOG];
	struct impairment_counts counts[IMPAIRMENT_KINDS];
	unsigned int kept, size = input_u8(in) * 5u;
	struct impairment_spec spec;
	uint64_t all, packets = 0;

	size = size < IMPAIRMENT_LOG ? size : IMPAIRMENT_LOG;
	impairment_get_counts(s->line, counts);
	for (unsigned int i = 0; i < IMPAIRMENT_KINDS; i++)
		packets += counts[i].packets;
	kept = impairment_get_log(s->line, event, size, &all);
	if (kept > size || kept > all || all > packets)
		finding("%u events of %lu, of %lu packets", kept, all, packets);
	for (unsigned int i = 1; i < kept; i++)
		if (event[i].number <= event[i - 1].number || !event[i].what)
			finding("event %u is no event, or not in order", i);
	impairment_get_spec(s->line, &spec);
}

static void line(struct input *in)
{
	static const struct impairment_ops ops = { .copy = copy, .drop = drop };
	struct impairment_spec spec = input_spec(in);
	uint32_t limit = input_u8(in);
	struct state s = { .now = 1000 };

	s.line = impairment_new(&spec, limit, &ops, &s);
	if (!s.line) {
		if (limit || errno != EINVAL)
			finding("no line for %u packets", limit);
		return;
	}
	for (unsigned int op = 0; op < OPS && !input_done(in); op++) {
		uint8_t what = input_u8(in);

		if (what < 0xa0) {
			put(&s, in);
		} else if (what < 0xc0) {
			get(&s);
		} else if (what < 0xd8) {
			s.now += (uint64_t)input_u16(in) << (what & 15);
		} else if (what < 0xe0) {
			s.no_copies = what & 1;
		} else if (what < 0xf0) {
			report(&s, in);
		} else if (what < 0xf8) {
			spec = input_spec(in);
			impairment_set(s.line, &spec);
		} else {
			impairment_set(s.line, NULL);
		}
		if (impairment_is_full(s.line) != (s.packets >= limit) || s.packets > limit)
			finding("%u packets of %u", s.packets, limit);
	}
	get(&s);
	impairment_free(s.line);
	if (s.packets)
		finding("%u packets are left", s.packets);
}

void target_input(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);

	if (input_u8(&in) & 1)
		line(&in);
	else
		text(&in);
}
