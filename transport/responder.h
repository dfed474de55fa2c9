/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The responder of a connected QP: requests in, answers out. Each packet is checked, then placed,
 * in order; what comes twice is not done twice. Answers are put together when they are asked for:
 * ACKs for what arrived meanwhile become one, and a READ is fetched packet by packet.
 */
#ifndef TRANSPORT_RESPONDER_H
#define TRANSPORT_RESPONDER_H

#include "transport/transport.h"

/* READs and atomics that are remembered: the most that max_dest_rd_atomic may be. */
#define RESPONDER_RESOURCES 16u
/* Answers that wait for responder_poll(). */
#define RESPONDER_ANSWERS (2 * RESPONDER_RESOURCES + 2)

/* A remote range, as a request names it. */
struct transport_range {
	enum transport_operation operation; /* TRANSPORT_WRITE, TRANSPORT_READ, or an atomic */
	uint32_t r_key;
	uint64_t va;
	uint64_t length;
	uint32_t srqn; /* XRC: whose domain; 0 else */
};

/* A message that took a receive and is there as a whole. */
struct transport_receipt {
	enum transport_operation operation;
	uint64_t length;
	uint32_t immediate; /* or the key to invalidate */
	bool solicited;
};

/*
 * What the owner does. Those that return enum transport_answer set *@why with TRANSPORT_REFUSED.
 * With TRANSPORT_WAIT nothing has changed, and the call comes again.
 */
struct responder_ops {
	/* Rights of the QP; but for a length of 0 key and range. Nothing is accessed. */
	enum transport_answer (*check)(void *owner, const struct transport_range *range,
				       enum transport_refusal *why);
	/* Bytes [@offset, @offset + @len) of a range that passed the check. */
	enum transport_answer (*write)(void *owner, const struct transport_range *range,
				       uint64_t offset, const uint8_t *data, size_t len,
				       enum transport_refusal *why);
	/* As requester_ops.fetch(). */
	enum transport_answer (*read)(void *owner, const struct transport_range *range,
				      uint64_t offset, size_t len, uint8_t *buf, const uint8_t **at,
				      enum transport_refusal *why);
	/* range->operation; *@original in the host's order. */
	enum transport_answer (*atomic)(void *owner, const struct transport_range *range,
					uint64_t swap_add, uint64_t compare, uint64_t *original,
					enum transport_refusal *why);
	/*
	 * The receive of the message that begins, or of a WRITE with immediate that ends. One that
	 * is taken already, and not done, is taken again. *@length: its bytes. *@ready: false when
	 * none is posted.
	 */
	enum transport_answer (*take)(void *owner, uint32_t srqn, uint64_t *length, bool *ready,
				      enum transport_refusal *why);
	/* Payload into the taken receive. */
	enum transport_answer (*place)(void *owner, uint64_t offset, const uint8_t *data,
				       size_t len, enum transport_refusal *why);
	/* The taken receive is done; before the ACK leaves. */
	enum transport_answer (*receipt)(void *owner, const struct transport_receipt *receipt,
					 enum transport_refusal *why);
	/*
	 * Receives that are posted, the taken one included, for the credits of ACKs; negative: they
	 * are not counted, as with an SRQ.
	 */
	int64_t (*receives)(void *owner);
	/*
	 * The responder failed: no further packet is taken. What it means for the taken receive and
	 * for the QP is the owner's.
	 */
	void (*failed)(void *owner, enum transport_refusal why);
};

struct responder_attr {
	struct transport_path path; /* the owner may change it between messages */
	uint32_t psn;		    /* first one, 24 bits */
	uint8_t max_dest_rd_atomic; /* 0..RESPONDER_RESOURCES */
	uint8_t min_rnr_timer;	    /* field of the RNR NAK, 0..31; the owner may change it */
};

struct responder_counts {
	uint64_t packets;
	uint64_t out_of_sequence, duplicates;
	uint64_t not_ready; /* out_of_buffer */
	uint64_t dropped;   /* of another service, or when there was no room for an answer */
};

/* A READ or atomic that may come again. */
struct responder_resource {
	bool used;
	uint64_t psn;
	uint64_t original; /* atomic */
	enum transport_operation operation;
};

struct responder_answer {
	enum packet_operation kind; /* ACK, READ_RESPONSE or ATOMIC_ACK */
	uint64_t psn;
	uint8_t syndrome; /* of an ACK */
	uint64_t original;
	struct transport_range range; /* READ: what is left to send */
	bool continued;		      /* READ: the first packet is gone */
	bool again;		      /* it answers a duplicate */
};

struct responder {
	struct responder_attr attr;
	const struct responder_ops *ops;
	void *owner;
	struct responder_counts counts;
	bool failed;
	uint64_t expected; /* number of the next request packet */
	uint32_t msn;
	bool silent; /* a NAK was sent for @expected: until it comes nothing is said */
	/* The message under way */
	bool in_message, skips; /* skips: UC, what is left of a broken one */
	enum packet_operation operation;
	struct transport_range range; /* WRITE */
	uint64_t done;		      /* bytes */
	uint64_t room;		      /* SEND: bytes of its receive */
	struct responder_resource resource[RESPONDER_RESOURCES];
	unsigned int next_resource;
	struct responder_answer answer[RESPONDER_ANSWERS];
	unsigned int first_answer, answers;
};

void responder_init(struct responder *responder, const struct responder_attr *attr,
		    const struct responder_ops *ops, void *owner);
/*
 * @count requests arrived, see requester_poll(). Returns false when they have to come again, since
 * the owner said to wait. Of a train that was taken in part the rest is asked for.
 */
bool responder_receive(struct responder *responder, const struct packet *packet, uint32_t count);
/*
 * responder_refuse() - what responder_poll() gave, from @psn on, could not be read after all: its
 * owner had said that it is at NULL, see transport.h. The answer is a NAK for @psn, and the
 * responder has failed, as with a refusal of its own.
 */
void responder_refuse(struct responder *responder, uint32_t psn, enum transport_refusal why);
/*
 * responder_poll() - the next answers. @room: bytes at @buf, one MTU or more; @packet may point
 * there. Returns how many packets @packet stands for, 0: there is none.
 */
uint32_t responder_poll(struct responder *responder, struct packet *packet, uint8_t *buf,
			size_t room);

#endif
