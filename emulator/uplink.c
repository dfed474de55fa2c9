// SPDX-License-Identifier: GPL-2.0-only
#include "emulator/uplink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "packet/mark.h"

/* Frames that are read before the thread looks whether it should end. */
#define READS 64u
/* After an error: whoever has one at each look is not looked at all the time. */
#define ERROR_MS 10
/* With a late frame so near the engine does not rest. */
#define NEAR_NS 200000u

/* As kinds of impairment_label, too. */
enum way { IN, OUT };

enum change { NONE, SET, OFF };

struct frame {
	struct frame *next;
	size_t len;
	uint8_t bytes[];
};

struct queue {
	struct frame *head, *tail; /* @tail is valid while there is a head */
	uint32_t frames;
	size_t bytes;
};

struct uplink {
	char name[UPLINK_NAME];
	struct uplink_end end;
	struct bridge_port *port;
	void (*wake)(void *arg);
	void *wake_arg;
	int stop; /* eventfd */
	bool stopped;
	pthread_t reader;
	pthread_mutex_t lock; /* the next four */
	struct uplink_counts counts;
	struct queue in;
	enum change change; /* that the next turn makes */
	struct impairment_spec spec;
	/* The engine's: */
	struct queue out;
	/* By enum way; NULL: a good one. Others look at them with the lock. */
	struct impairment *line[2];
};

/* --- queues -------------------------------------------------------------------------------- */

static struct frame *frame_new(const uint8_t *bytes, size_t len)
{
	struct frame *frame = malloc(sizeof(*frame) + len);

	if (!frame)
		return NULL;
	frame->next = NULL;
	frame->len = len;
	memcpy(frame->bytes, bytes, len);
	return frame;
}

/* False: there is no room. */
static bool append(struct queue *queue, const uint8_t *bytes, size_t len)
{
	struct frame *frame;

	if (queue->frames >= UPLINK_FRAMES || queue->bytes + len > UPLINK_BYTES)
		return false;
	frame = frame_new(bytes, len);
	if (!frame)
		return false;
	*(queue->head ? &queue->tail->next : &queue->head) = frame;
	queue->tail = frame;
	queue->frames++;
	queue->bytes += len;
	return true;
}

/* The first one, which is the caller's, or NULL. */
static struct frame *pop(struct queue *queue)
{
	struct frame *frame = queue->head;

	if (!frame)
		return NULL;
	queue->head = frame->next;
	queue->frames--;
	queue->bytes -= frame->len;
	return frame;
}

static void empty(struct queue *queue)
{
	struct frame *frame;

	while ((frame = pop(queue)))
		free(frame);
}

/* --- what comes: the thread ---------------------------------------------------------------- */

static void came(struct uplink *uplink, const uint8_t *bytes, size_t len)
{
	bool first = false;

	pthread_mutex_lock(&uplink->lock);
	if (len < BRIDGE_FRAME_MIN || len > BRIDGE_FRAME_MAX) {
		uplink->counts.in_bad++;
	} else if (append(&uplink->in, bytes, len)) {
		first = uplink->in.frames == 1;
		uplink->counts.in++;
		uplink->counts.in_octets += len;
	} else {
		uplink->counts.in_lost++;
	}
	pthread_mutex_unlock(&uplink->lock);
	if (first)
		uplink->wake(uplink->wake_arg);
}

/* Returns false after an error. */
static bool read_some(struct uplink *uplink, uint8_t *buffer)
{
	for (unsigned int i = 0; i < READS; i++) {
		/* One byte more than any frame has: what is longer is not taken for one. */
		ssize_t len = read(uplink->end.fd, buffer, BRIDGE_FRAME_MAX + 1);

		if (len < 0)
			return errno == EAGAIN || errno == EINTR;
		came(uplink, buffer, (size_t)len);
	}
	return true;
}

static void *read_frames(void *arg)
{
	struct uplink *uplink = arg;
	struct pollfd polled[] = { { .fd = uplink->stop, .events = POLLIN },
				   { .fd = uplink->end.fd, .events = POLLIN } };
	uint8_t *buffer = malloc(BRIDGE_FRAME_MAX + 1);
	bool well = true;

	while (buffer) {
		/* A peer that is gone is an error that is said once, or again and again. */
		if (poll(polled, well ? 2 : 1, well ? -1 : ERROR_MS) < 0 && errno != EINTR)
			break;
		if (polled[0].revents)
			break;
		well = read_some(uplink, buffer) && !(polled[1].revents & ~POLLIN);
	}
	free(buffer);
	return NULL;
}

/* --- what leaves --------------------------------------------------------------------------- */

enum sent { SENT, LATER, LOST };

static enum sent send_frame(const struct uplink *uplink, const uint8_t *bytes, size_t len)
{
	const struct uplink_end *end = &uplink->end;
	ssize_t ret = end->to_len ? sendto(end->fd, bytes, len, MSG_NOSIGNAL,
					   (const struct sockaddr *)&end->to, end->to_len)
				  : write(end->fd, bytes, len);

	if (ret >= 0)
		return SENT;
	return errno == EAGAIN || errno == ENOBUFS || errno == EINTR ? LATER : LOST;
}

static void left(struct uplink *uplink, enum sent sent, size_t len)
{
	pthread_mutex_lock(&uplink->lock);
	if (sent == SENT) {
		uplink->counts.out++;
		uplink->counts.out_octets += len;
	} else {
		uplink->counts.out_lost++;
	}
	pthread_mutex_unlock(&uplink->lock);
}

static void transmit(struct uplink *uplink, const uint8_t *bytes, size_t len)
{
	enum sent sent = uplink->out.head ? LATER : send_frame(uplink, bytes, len);

	if (sent == LATER && append(&uplink->out, bytes, len))
		return;
	left(uplink, sent, len);
}

/* --- a bad link ---------------------------------------------------------------------------- */

static void *copy_frame(void *owner, void *of)
{
	const struct frame *frame = of;

	(void)owner;
	return frame_new(frame->bytes, frame->len);
}

static void drop_frame(void *owner, void *frame)
{
	(void)owner;
	free(frame);
}

static const struct impairment_ops line_ops = { .copy = copy_frame, .drop = drop_frame };

static void pass(struct uplink *uplink, enum way way, const uint8_t *bytes, size_t len,
		 uint64_t now)
{
	if (way == IN)
		bridge_send(uplink->port, bytes, len, now);
	else
		transmit(uplink, bytes, len);
}

/* What is not late any more. */
static bool arrive(struct uplink *uplink, enum way way, uint64_t now)
{
	struct impairment_arrival arrival;
	bool any = false;

	while (uplink->line[way] && impairment_get(uplink->line[way], now, &arrival)) {
		struct frame *frame = arrival.packet;

		if (arrival.damaged && arrival.bit / 8 < frame->len)
			frame->bytes[arrival.bit / 8] ^= (uint8_t)(1u << arrival.bit % 8);
		if (arrival.marked)
			packet_mark(frame->bytes, frame->len);
		pass(uplink, way, frame->bytes, frame->len, now);
		free(frame);
		any = true;
	}
	return any;
}

/* No memory is left for it. */
static void lose(struct uplink *uplink, enum way way)
{
	pthread_mutex_lock(&uplink->lock);
	if (way == IN)
		uplink->counts.in_lost++;
	else
		uplink->counts.out_lost++;
	pthread_mutex_unlock(&uplink->lock);
}

static void carry(struct uplink *uplink, enum way way, const uint8_t *bytes, size_t len)
{
	const struct impairment_label label = { .kind = way };
	uint64_t now = clock_now_ns();
	struct frame *frame;

	if (!uplink->line[way]) {
		pass(uplink, way, bytes, len, now);
		return;
	}
	frame = frame_new(bytes, len);
	if (!frame) {
		lose(uplink, way);
		return;
	}
	impairment_put(uplink->line[way], now, frame, len, &label);
	arrive(uplink, way, now);
}

int uplink_impair(struct uplink *uplink, const struct impairment_spec *spec)
{
	for (enum way way = IN; way <= OUT; way++) {
		uplink->line[way] = impairment_new(spec, UPLINK_FRAMES, &line_ops, uplink);
		if (!uplink->line[way])
			return -errno;
	}
	return 0;
}

void uplink_set_impairment(struct uplink *uplink, const struct impairment_spec *spec)
{
	pthread_mutex_lock(&uplink->lock);
	uplink->change = spec ? SET : OFF;
	if (spec)
		uplink->spec = *spec;
	pthread_mutex_unlock(&uplink->lock);
	uplink->wake(uplink->wake_arg);
}

bool uplink_impairment(struct uplink *uplink, struct impairment_spec *spec,
		       struct impairment_counts *in, struct impairment_counts *out)
{
	struct impairment_counts counts[2][IMPAIRMENT_KINDS] = { 0 };
	bool bad;

	pthread_mutex_lock(&uplink->lock);
	/* Of what begins with the next turn there is nothing to say yet. */
	bad = uplink->change == SET;
	*spec = uplink->spec;
	if (uplink->change == NONE && uplink->line[IN] && uplink->line[OUT])
		bad = impairment_get_spec(uplink->line[IN], spec);
	if (uplink->change == NONE && bad) {
		impairment_get_counts(uplink->line[IN], counts[IN]);
		impairment_get_counts(uplink->line[OUT], counts[OUT]);
	}
	pthread_mutex_unlock(&uplink->lock);
	*in = counts[IN][IN];
	*out = counts[OUT][OUT];
	return bad;
}

/* With the lock. A line that is not to be had leaves that way a good one. */
static void change_line(struct uplink *uplink, enum way way, const struct impairment_spec *spec)
{
	if (uplink->line[way])
		impairment_set(uplink->line[way], spec);
	else if (spec)
		uplink->line[way] = impairment_new(spec, UPLINK_FRAMES, &line_ops, uplink);
}

/* What uplink_set_impairment() has left. */
static bool take_change(struct uplink *uplink)
{
	bool any;

	pthread_mutex_lock(&uplink->lock);
	any = uplink->change != NONE;
	for (enum way way = IN; any && way <= OUT; way++)
		change_line(uplink, way, uplink->change == SET ? &uplink->spec : NULL);
	uplink->change = NONE;
	pthread_mutex_unlock(&uplink->lock);
	return any;
}

static bool arrive_late(struct uplink *uplink)
{
	uint64_t now = clock_now_ns(), wakes;
	bool any = false;

	for (enum way way = IN; way <= OUT; way++) {
		if (!uplink->line[way])
			continue;
		any |= arrive(uplink, way, now);
		wakes = impairment_wakes(uplink->line[way]);
		any |= wakes && wakes < now + NEAR_NS;
	}
	return any;
}

/* --- turns --------------------------------------------------------------------------------- */

static void deliver(void *owner, const uint8_t *bytes, size_t len)
{
	carry(owner, OUT, bytes, len);
}

static bool flush(struct uplink *uplink)
{
	bool any = false;

	while (uplink->out.head) {
		struct frame *frame = uplink->out.head;
		enum sent sent = send_frame(uplink, frame->bytes, frame->len);

		if (sent == LATER)
			break;
		left(uplink, sent, frame->len);
		free(pop(&uplink->out));
		any = true;
	}
	return any;
}

bool uplink_poll(void *arg)
{
	struct uplink *uplink = arg;
	bool any = take_change(uplink);

	any |= flush(uplink);
	any |= arrive_late(uplink);
	for (unsigned int i = 0; i < UPLINK_TURN; i++) {
		struct frame *frame;

		pthread_mutex_lock(&uplink->lock);
		frame = pop(&uplink->in);
		pthread_mutex_unlock(&uplink->lock);
		if (!frame)
			break;
		carry(uplink, IN, frame->bytes, frame->len);
		free(frame);
		any = true;
	}
	return any;
}

/* --- its life ------------------------------------------------------------------------------ */

static void end_close(const struct uplink_end *end)
{
	close(end->fd);
	if (*end->path)
		unlink(end->path);
}

static int start(struct uplink *uplink, struct bridge *bridge)
{
	const struct bridge_port_attr attr = { .owner = uplink, .deliver = deliver };
	int flags = fcntl(uplink->end.fd, F_GETFL), ret;

	if (flags < 0 || fcntl(uplink->end.fd, F_SETFL, flags | O_NONBLOCK))
		return errno;
	uplink->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (uplink->stop < 0)
		return errno;
	uplink->port = bridge_add(bridge, &attr);
	ret = uplink->port ? pthread_create(&uplink->reader, NULL, read_frames, uplink) : errno;
	if (!ret)
		return 0;
	bridge_remove(uplink->port);
	close(uplink->stop);
	return ret;
}

struct uplink *uplink_new(const char *name, const struct uplink_end *end, struct bridge *bridge,
			  void (*wake)(void *arg), void *arg)
{
	struct uplink *uplink = calloc(1, sizeof(*uplink));
	int ret = ENOMEM;

	if (uplink) {
		strncpy(uplink->name, name, sizeof(uplink->name) - 1);
		uplink->end = *end;
		uplink->wake = wake;
		uplink->wake_arg = arg;
		pthread_mutex_init(&uplink->lock, NULL);
		ret = start(uplink, bridge);
	}
	if (!ret)
		return uplink;
	if (uplink)
		pthread_mutex_destroy(&uplink->lock);
	free(uplink);
	end_close(end);
	errno = ret;
	return NULL;
}

void uplink_stop(struct uplink *uplink)
{
	if (!uplink || uplink->stopped)
		return;
	eventfd_write(uplink->stop, 1);
	pthread_join(uplink->reader, NULL);
	uplink->stopped = true;
}

void uplink_free(struct uplink *uplink)
{
	if (!uplink)
		return;
	uplink_stop(uplink);
	bridge_remove(uplink->port);
	impairment_free(uplink->line[IN]);
	impairment_free(uplink->line[OUT]);
	empty(&uplink->in);
	empty(&uplink->out);
	close(uplink->stop);
	end_close(&uplink->end);
	pthread_mutex_destroy(&uplink->lock);
	free(uplink);
}

const char *uplink_name(const struct uplink *uplink)
{
	return uplink->name;
}

struct uplink_counts uplink_counts(struct uplink *uplink)
{
	struct uplink_counts counts;

	pthread_mutex_lock(&uplink->lock);
	counts = uplink->counts;
	pthread_mutex_unlock(&uplink->lock);
	return counts;
}
