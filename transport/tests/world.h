/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two ends and a network between them, in a time of its own: what a requester sends travels as
 * packets (or as their bytes), which are lost, doubled, late, out of order or damaged, and comes to
 * a responder with memory, receives and a key. Everything follows from a seed.
 */
#ifndef TRANSPORT_TESTS_WORLD_H
#define TRANSPORT_TESTS_WORLD_H

#include "transport/requester.h"
#include "transport/responder.h"

#define WORLD_MEMORY   65536u
#define WORLD_MESSAGES 512u
#define WORLD_FLIGHTS  4096u
#define WORLD_CELLS    4u
#define WORLD_KEY      0x1234u
#define WORLD_SRQN     0x77u
/* Of the responder's memory: what is written, what is read, 64-bit cells. */
#define WORLD_WRITTEN 0x100000000u
#define WORLD_READ    0x200000000u
#define WORLD_ATOMIC  0x300000000u

/* Parts of a million. */
struct network {
	uint32_t loss, doubled, damaged;
	uint64_t delay_ns, jitter_ns;
	bool bytes;	/* packets are encoded and decoded */
	uint32_t train; /* that so many may go as one: 1, unless nothing but this end sees them */
};

struct flight {
	uint64_t at;
	bool response;
	struct packet packet;
	uint32_t count;	  /* of packets that it stands for */
	uint8_t *payload; /* of the heap, or NULL */
};

/* A message that was posted. */
struct job {
	struct requester_message message;
	enum transport_status status;
	bool complete;
	bool local_refusal; /* fetch or place is refused */
	uint64_t placed;    /* READ: bytes so far */
	uint64_t original;  /* atomic: what came */
	bool has_original;
};

struct world {
	uint64_t seed, random, now;
	struct network network;
	struct requester requester;
	struct responder responder;
	uint32_t waits; /* parts of a million: an owner's function says "later" */
	/* responder's side */
	uint8_t written[WORLD_MEMORY], read[WORLD_MEMORY];
	uint64_t cell[WORLD_CELLS];
	bool bus_error;		 /* of reads */
	bool no_rights;		 /* of the QP: it is looked at for requests without bytes */
	unsigned int receives;	 /* posted, not taken */
	uint32_t receive_after;	 /* parts of a million: one more is posted in a step */
	uint64_t receive_length; /* bytes of each */
	bool counted;		 /* ACKs say how many there are */
	bool taken;
	uint8_t received[WORLD_MEMORY]; /* the taken one */
	unsigned int receipts;		/* messages that took one so far */
	unsigned int last_receipt;	/* the job behind the last one */
	bool responder_failed;
	enum transport_refusal refusal;
	/* requester's side */
	struct job job[WORLD_MESSAGES];
	unsigned int jobs, completed;
	/* what the memory should be when all is done */
	uint8_t shadow[WORLD_MEMORY];
	uint64_t shadow_cell[WORLD_CELLS];
	/* network */
	struct flight flight[WORLD_FLIGHTS];
	unsigned int flights;
	uint64_t packets, lost;
	bool lossy_order; /* UC: receipts may be missing */
};

/* What the ends of a world do with its memory; the owner is the world. */
extern const struct requester_ops world_requester_ops;
extern const struct responder_ops world_responder_ops;

void world_init(struct world *world, uint64_t seed);
void world_free(struct world *world);
/* 0 .. @n - 1 */
uint64_t world_below(struct world *world, uint64_t n);
bool world_chance(struct world *world, uint32_t millionths);
/* Ends and a network of @service with attributes that the seed chooses. */
void world_connect(struct world *world, enum packet_class service);
/* Byte @offset of the payload of job @job. */
uint8_t world_byte(unsigned int job, uint64_t offset);
/* Post @message as the next job, and do to the shadow what it does. */
void world_post(struct world *world, const struct requester_message *message);
/* A step of time: deliver, poll, post receives. Returns false when nothing can happen any more. */
bool world_step(struct world *world);
/* Says what is wrong, with the seed, and aborts. */
__attribute__((noreturn, format(printf, 2, 3))) void world_wrong(const struct world *world,
								 const char *format, ...);

#endif
