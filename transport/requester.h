/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The requester of a connected QP: messages in, packets out, and what comes back for them. On a
 * reliable connection what is not acknowledged is sent again from there on (go-back-N): after a
 * NAK for a sequence error, when an answer implies that one was lost, when the receiver was not
 * ready, and when the acknowledge timer expires.
 */
#ifndef TRANSPORT_REQUESTER_H
#define TRANSPORT_REQUESTER_H

#include "transport/transport.h"

/* Messages that are posted and not complete. */
#define REQUESTER_MESSAGES 64u
/*
 * A window for a link, as rxe has it, and the largest one: with it a message is one train, for ends
 * in one process. An acknowledgement is asked for at the end of each message, and once in a quarter
 * of the window.
 */
#define REQUESTER_WINDOW     128u
#define REQUESTER_WINDOW_MAX (PSN_HALF / 2)
/* A value of rnr_retry, and one of retry_count: without end. */
#define REQUESTER_RNR_FOREVER	7u
#define REQUESTER_RETRY_FOREVER 8u

/* How a message ended. */
enum transport_status {
	TRANSPORT_SUCCESS,
	TRANSPORT_LOCAL_PROTECTION, /* the owner's fetch or place was refused */
	TRANSPORT_REMOTE_INVALID,
	TRANSPORT_REMOTE_ACCESS,
	TRANSPORT_REMOTE_OPERATION,
	TRANSPORT_RETRY_EXCEEDED,
	TRANSPORT_RNR_EXCEEDED,
	TRANSPORT_BAD_RESPONSE,
	TRANSPORT_FLUSHED, /* one before it failed */
};

struct requester_message {
	enum transport_operation operation;
	uint64_t id;	 /* the owner's */
	uint64_t length; /* bytes; 8 for atomics */
	bool solicited;
	uint64_t va;
	uint32_t r_key;
	uint32_t immediate; /* or the key to invalidate */
	uint64_t swap_add, compare;
	uint32_t srqn; /* XRC */
};

/* What the owner does. @owner is its own, @id that of a message. */
struct requester_ops {
	/*
	 * The bytes [@offset, @offset + @len) of the message's payload: *@at becomes where they
	 * are, @buf (which has room for them) or a place of the owner's that stays as it is until
	 * the packet is gone. They may be asked for again until the message is complete.
	 */
	enum transport_answer (*fetch)(void *owner, uint64_t id, uint64_t offset, size_t len,
				       uint8_t *buf, const uint8_t **at);
	/* What a READ fetched, once for each byte and in order. */
	enum transport_answer (*place)(void *owner, uint64_t id, uint64_t offset,
				       const uint8_t *data, size_t len);
	/* What an atomic found: a number in the host's order. */
	enum transport_answer (*place_atomic)(void *owner, uint64_t id, uint64_t original);
	/* In the order in which messages were posted. After the first failure all others follow. */
	void (*complete)(void *owner, uint64_t id, enum transport_status status);
};

struct requester_attr {
	struct transport_path path;
	uint32_t psn;	 /* first one, 24 bits */
	uint32_t window; /* numbers under way, beyond those of a READ; 4..REQUESTER_WINDOW_MAX */
	uint8_t retry_count;   /* times that the same packet is sent again, 0..7, or for ever */
	uint8_t rnr_retry;     /* 0..7, REQUESTER_RNR_FOREVER */
	uint64_t timeout_ns;   /* 0: never */
	uint8_t max_rd_atomic; /* READs and atomics under way */
};

/* What happened, for the counters of the device. */
struct requester_counts {
	uint64_t packets, resent;
	/* Of these three: without the one that was once too often. */
	uint64_t timeouts;	/* local_ack_timeout_err */
	uint64_t sequence_naks; /* packet_seq_err */
	uint64_t rnr_naks;	/* rnr_nak_retry_err */
	uint64_t implied_naks;	/* implied_nak_seq_err */
	uint64_t ghosts;	/* responses to nothing that is under way */
};

/* A message under way. */
struct requester_entry {
	struct requester_message message;
	uint64_t psn;  /* of its first packet */
	uint64_t psns; /* numbers that it takes: packets, or those of its response */
	uint64_t got;  /* READ, atomic: response packets so far */
	bool fetch;    /* READ, atomic: data come back, an ACK is not enough */
};

struct requester {
	struct requester_attr attr;
	const struct requester_ops *ops;
	void *owner;
	struct requester_counts counts;
	bool failed;
	/* Messages count upwards; entry[(n - first) % REQUESTER_MESSAGES]. */
	uint64_t first;
	uint64_t oldest, next, posted; /* not complete; to send; to post */
	uint64_t at;		       /* packet of the message @next to send */
	uint64_t unacked;	       /* the oldest number that is not acknowledged */
	uint64_t sent;		       /* behind the highest number ever sent */
	uint64_t new_psn;	       /* of the message to post */
	uint64_t deadline;	       /* of the acknowledge timer, 0: it does not run */
	uint64_t rnr_until;	       /* the receiver is not ready before */
	uint8_t retries_left, rnr_left;
	uint64_t credits; /* messages that the receiver has room for, counted from the first; 0: not
			     known */
	bool went_back;	  /* because of an implied NAK, and there was no progress since */
	bool ask;	  /* the next packet asks for an acknowledgement */
	struct requester_entry entry[REQUESTER_MESSAGES];
};

/* @ops stays the caller's, and unchanged. */
void requester_init(struct requester *requester, const struct requester_attr *attr,
		    const struct requester_ops *ops, void *owner);
/*
 * requester_modify() - other attributes, between messages: all that were posted are complete. The
 * number of the next packet follows from those before, whatever @attr says.
 */
void requester_modify(struct requester *requester, const struct requester_attr *attr);
/*
 * requester_post() - a message to send. Returns 0; -EAGAIN when REQUESTER_MESSAGES are under way;
 * -EINVAL for a length above TRANSPORT_LENGTH_MAX, an atomic not of 8 bytes, or what an unreliable
 * connection does not have.
 */
int requester_post(struct requester *requester, const struct requester_message *message);
/*
 * Whether a call that has a time may leave it out, and say 0: no timer runs, and @response, NULL
 * for requester_poll(), starts none but that of acknowledgements. Who says 0 has to call
 * requester_start() when it has no answers to bring: that timer starts there.
 */
static inline bool requester_needs_time(const struct requester *requester,
					const struct packet *response)
{
	return requester->deadline || requester->rnr_until ||
	       (response && response->syndrome >> AETH_KIND_SHIFT == AETH_RNR);
}
void requester_start(struct requester *requester, uint64_t now);
/*
 * requester_poll() - the next packets to send, and timers. @room: bytes at @buf, one MTU or more;
 * @packet may point there. Returns how many packets @packet stands for, 0: there is none. They are
 * more than one only where @room is more than one MTU, see transport.h.
 */
uint32_t requester_poll(struct requester *requester, uint64_t now, struct packet *packet,
			uint8_t *buf, size_t room);
/*
 * @count responses arrived, see responder_poll(). Returns false when they have to come again, since
 * the owner said to wait.
 */
bool requester_receive(struct requester *requester, uint64_t now, const struct packet *packet,
		       uint32_t count);
/* When requester_poll() has something to do without a new event: 0 never, may be in the past. */
uint64_t requester_wakes(const struct requester *requester);
/*
 * requester_fail() - the oldest message ends with @status, which is not TRANSPORT_SUCCESS, what is
 * behind it is flushed, and nothing is sent any more: the owner found out later that it could not
 * give the bytes. Nothing happens after a failure before.
 */
void requester_fail(struct requester *requester, enum transport_status status);
/* The QP goes to error: what is under way is flushed, nothing is sent any more. */
void requester_flush(struct requester *requester);

#endif
