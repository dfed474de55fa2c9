/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One direction of a link that does not carry its packets as they are: a sender puts them in, and
 * takes out, at its own times, what arrives. A packet is the caller's: a pointer and its length.
 * What happened is counted and logged, so that it can be compared with what both ends have seen.
 *
 * put, get and the like are one thread's at a time; what says so may be called from any.
 */
#ifndef IMPAIRMENT_LINE_H
#define IMPAIRMENT_LINE_H

#include "impairment/fate.h"

/* Kinds of packets, which the caller numbers: each is counted by itself. */
#define IMPAIRMENT_KINDS 8u
/* The last events, which are kept. */
#define IMPAIRMENT_LOG 1024u
/* A packet that is out of order waits no longer than this, if nothing follows it. */
#define IMPAIRMENT_HOLD_NS 1000000u

struct impairment;

/* What the caller does with packets. Both are called in the calls below, and call none of them. */
struct impairment_ops {
	/* Another one of the same bytes; NULL: there is no room. */
	void *(*copy)(void *owner, void *packet);
	/* It is lost, or there is no line any more. */
	void (*drop)(void *owner, void *packet);
};

/* What the log says of a packet: the caller's numbers. */
struct impairment_label {
	unsigned int kind; /* below IMPAIRMENT_KINDS */
	uint64_t flow;	   /* e.g. a queue pair */
	uint64_t sequence; /* e.g. a packet sequence number */
};

struct impairment_counts {
	uint64_t packets, octets; /* put in */
	/* What became of them. One that is lost is nothing else. */
	uint64_t lost, doubled, reordered, damaged, marked;
	uint64_t overflow;  /* the line was full, copies among them */
	uint64_t delivered; /* taken out, damaged ones and copies among them */
};

enum impairment_what {
	IMPAIRMENT_LOST = 1,
	IMPAIRMENT_DOUBLED = 2,
	IMPAIRMENT_REORDERED = 4,
	IMPAIRMENT_DAMAGED = 8,
	IMPAIRMENT_MARKED = 16,
	IMPAIRMENT_OVERFLOW = 32,
};

struct impairment_event {
	uint64_t number; /* of the packet, as impairment_decide() has it */
	uint64_t now;	 /* when it was put in */
	size_t length;
	struct impairment_label label;
	unsigned int what; /* bits of enum impairment_what */
};

/* A packet that comes out; it is the caller's again. */
struct impairment_arrival {
	void *packet;
	size_t length;
	struct impairment_label label;
	bool damaged, marked;
	uint64_t bit; /* see struct impairment_fate */
};

/*
 * impairment_new() - @limit: packets that may wait, 1..2^20. @ops and @owner stay the caller's.
 * NULL with errno: ENOMEM, EINVAL.
 */
struct impairment *impairment_new(const struct impairment_spec *spec, uint32_t limit,
				  const struct impairment_ops *ops, void *owner);
/* What waits is dropped. NULL is fine. */
void impairment_free(struct impairment *line);
/*
 * Another spec, from any thread: packets are numbered from 0 again, counts and log are empty. What
 * waits keeps its time. NULL: none, packets come out as they go in, and what waits comes at once.
 */
void impairment_set(struct impairment *line, const struct impairment_spec *spec);
/* No packet waits. */
bool impairment_is_empty(const struct impairment *line);
/* The next packet may overflow. */
bool impairment_is_full(const struct impairment *line);
/*
 * impairment_put() - @packet leaves at @now (nanoseconds of a clock that the caller has) with
 * @length bytes. It belongs to the line, which drops it when it is lost, or when the line is full:
 * who can wait asks impairment_is_full() before.
 */
void impairment_put(struct impairment *line, uint64_t now, void *packet, size_t length,
		    const struct impairment_label *label);
/* Whether a packet has come out by @now: the one that is due first is *@arrival. */
bool impairment_get(struct impairment *line, uint64_t now, struct impairment_arrival *arrival);
/* When impairment_get() has the next one; 0: nothing waits. */
uint64_t impairment_wakes(const struct impairment *line);

/* --- from any thread ------------------------------------------------------------------------- */

/* Whether there is a spec, and which. */
bool impairment_get_spec(struct impairment *line, struct impairment_spec *spec);
void impairment_get_counts(struct impairment *line,
			   struct impairment_counts counts[IMPAIRMENT_KINDS]);
/* The last events, the oldest of them first, up to @size. Returns how many. *@all: ever logged. */
unsigned int impairment_get_log(struct impairment *line, struct impairment_event *event,
				unsigned int size, uint64_t *all);

#endif
