/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A link of the Ethernet switch that leads out of the emulator: a socket of datagrams, or a TAP
 * interface. A datagram is a frame, from the destination address on, without FCS. A thread reads
 * what comes and leaves it for a turn of the engine, which it wakes; frames leave in turns. Nobody
 * is waited for: what finds no room is lost, and counted, as on a wire.
 */
#ifndef EMULATOR_UPLINK_H
#define EMULATOR_UPLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "impairment/line.h"
#include "switch/bridge.h"

#define UPLINKS	     8u
#define UPLINK_NAME  24 /* bytes, with the end */
#define UPLINK_PLACE 256

/* Frames that wait, of each direction, and their bytes. */
#define UPLINK_FRAMES 1024u
#define UPLINK_BYTES  (8u << 20)
/* Of those that came, the most that one turn takes. */
#define UPLINK_TURN 256u

enum uplink_kind { UPLINK_UNIX, UPLINK_INET, UPLINK_TAP };

/* What --link says. */
struct uplink_options {
	char name[UPLINK_NAME];
	enum uplink_kind kind;
	/* Paths; or hosts, with their ports; of TAP @local is the interface. */
	char local[UPLINK_PLACE], peer[UPLINK_PLACE];
	uint16_t local_port, peer_port;
	bool impaired;
	struct impairment_spec impairment; /* of both directions */
};

/* A descriptor that reads and writes frames. */
struct uplink_end {
	int fd;
	struct sockaddr_storage to; /* where frames go */
	socklen_t to_len;	    /* 0: @fd knows */
	char path[UPLINK_PLACE];    /* to be removed at the end, "": none */
};

/* As of now. Octets are those of frames. */
struct uplink_counts {
	uint64_t in, in_octets;	  /* came, and went to the switch */
	uint64_t in_lost;	  /* came, and found no room */
	uint64_t in_bad;	  /* shorter or longer than a frame */
	uint64_t out, out_octets; /* left */
	uint64_t out_lost;	  /* the peer does not take them, or is not there */
};

/*
 * uplink_parse() - @text of --link, which is changed: NAME,dgram=unix:LOCAL:PEER,
 * NAME,dgram=inet:HOST:PORT:HOST:PORT (the own one first) or NAME,tap=INTERFACE, and ,impair=SPEC.
 * Returns 0, or -EINVAL and *@why is a word about the cause.
 */
int uplink_parse(char *text, struct uplink_options *options, const char **why);
/*
 * uplink_open() - the socket or interface of @options. An old socket at its path is removed.
 * Returns 0, and @end is the caller's, or -errno (EADDRINUSE, EPERM, EINVAL for a host that nobody
 * knows ...).
 */
int uplink_open(const struct uplink_options *options, struct uplink_end *end);

struct uplink;

/*
 * uplink_new() - the switch @bridge has a port more, behind which @end is, that is the uplink's
 * from now on, also on failure; it becomes non-blocking. @wake(@arg) is called by a thread of its
 * own when frames have come. NULL with errno (ENOMEM, ENOSPC, EAGAIN ...).
 */
struct uplink *uplink_new(const char *name, const struct uplink_end *end, struct bridge *bridge,
			  void (*wake)(void *arg), void *arg);
/*
 * uplink_impair() - the link is a bad one, in either direction: what it does to frames @spec says.
 * A mark of congestion is only counted. Before the first turn. Returns 0, -ENOMEM.
 */
int uplink_impair(struct uplink *uplink, const struct impairment_spec *spec);
/*
 * uplink_set_impairment() - the same from the next turn on, from any thread; its numbers begin
 * anew. NULL: it is a good link again, and what is late comes at once.
 */
void uplink_set_impairment(struct uplink *uplink, const struct impairment_spec *spec);
/*
 * uplink_impairment() - whether the link is a bad one, how, and what became of the frames since,
 * those that came and those that left. From any thread.
 */
bool uplink_impairment(struct uplink *uplink, struct impairment_spec *spec,
		       struct impairment_counts *in, struct impairment_counts *out);
/* One turn: frames that have come go to the switch, those that wait leave. Whether any did. */
bool uplink_poll(void *uplink);
/* Ends its thread: @wake is called no more. Turns may be under way. NULL is fine, here and below.
 */
void uplink_stop(struct uplink *uplink);
/* No turn is under way, and @bridge is still there. */
void uplink_free(struct uplink *uplink);

/* From any thread. */
const char *uplink_name(const struct uplink *uplink);
struct uplink_counts uplink_counts(struct uplink *uplink);

#endif
