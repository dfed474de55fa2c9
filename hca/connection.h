/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two ends of transport/ that a connected QP has, and what is under way between them and those
 * of its peer. They are made of the QP's context when they are first needed: the numbers of the
 * first packets are those of INIT2RTR and RTR2RTS, the rest may change while the QP lives.
 */
#ifndef HCA_CONNECTION_H
#define HCA_CONNECTION_H

#include "hca/data.h"
#include "transport/requester.h"
#include "transport/responder.h"

/*
 * A train of packets between a requester of this process and its peer (link.c). Its payload is
 * nowhere but at its two ends, and is copied from one to the other when it arrives (move.c).
 */
struct hca_flight {
	bool busy;
	bool response;
	bool passed;	/* the responder's checks of the first byte, which are made once */
	bool unchecked; /* those of the remote range: they are made when its bytes are moved */
	bool steered;	/* it was let into the function that it comes to */
	uint32_t count;
	uint64_t checked; /* bytes of the remote range, or of the receive, that passed */
	uint64_t moved;	  /* bytes of the payload that arrived */
	struct packet packet;
};

/* What leaves by a bad cable, or in frames. */
enum hca_leaving { HCA_REQUESTS, HCA_ANSWERS };

struct hca_packet;

struct hca_connection {
	struct hca_qp *qp;
	uint64_t id; /* of this function, and of this life of the QP; of DC of a message */
	/* By a bad cable, see wire.h: what came, in order, and what is being fetched. */
	struct hca_packet *arrived, *last_arrived;
	struct hca_packet *leaving[2]; /* by enum hca_leaving */
	/* Requester: the message at sq_ci. */
	bool sends;	   /* @requester is made */
	unsigned int seen; /* qp->changes as it was then */
	bool posted, ended;
	bool unchecked; /* what is asked for, as hca_flight.unchecked: until the response */
	enum transport_status status;
	struct requester requester;
	struct hca_flight flight;
	struct hca_captured *captured; /* of the flight, or NULL: capture.c */
	/*
	 * Responder. That to a DC initiator is the initiator's own: a target is connected to as
	 * many as there are, to each while a message lasts.
	 */
	bool receives; /* @responder is made */
	struct responder responder;
	struct hca_link *link; /* that its packets come by, in this turn; NULL in between */
	uint64_t next_cnp_ns;  /* CLOCK_MONOTONIC: no mark is answered before, see congestion.h */
	/* What came in frames, in order, by enum hca_leaving of who sent it: see roce_inbox.c. */
	struct hca_frames {
		struct hca_packet *first, *last; /* @last is valid while there is a first */
	} frames[2];
};

/* The way from a requester to its peer and back, while a turn of the requester's QP lasts. */
struct hca_link {
	struct hca_qp *qp, *peer; /* peer: NULL when nobody listens */
	struct hca_progress *progress, *peer_progress;
	struct hca_progress *recv_progress; /* has the receive: the peer's; of DC the initiator's */
	struct hca_connection *from, *to;
	struct hca_flight *flight;  /* what arrives */
	struct hca_send_turn *turn; /* bytes that the turn may still move */
	enum hca_step step;	    /* why a packet has to come again */
	uint16_t slid;		    /* what its packets say of the sender */
	uint32_t src_qpn;
};

/* The QP's connection, made on first use; NULL on ENOMEM. The QP owns it. */
struct hca_connection *hca_connection(struct hca_qp *qp);
/*
 * @c's requester as its QP's context has it now, for the next message. @ops: what it does with
 * memory and queues; its owner is @c.
 */
void hca_connection_send(struct hca_connection *c, const struct requester_ops *ops);
/* The same of the responder at the end of @link, which a request comes to. */
void hca_connection_receive(const struct hca_link *link, const struct responder_ops *ops);
/* Nothing of a message is under way, or of the last one. */
void hca_connection_drop(struct hca_connection *c);
/* What both ends have counted goes to the counters of their QPs. */
void hca_connection_count(const struct hca_link *link);
/* Bytes of a full packet on @qp's path. */
uint32_t hca_path_mtu(const struct hca_qp *qp);

/* --- link.c ------------------------------------------------------------------------------ */

/*
 * hca_link_turn() - carry packets between @qp's requester and its peer, as far as the turn goes.
 * HCA_STEP_DONE: the message is complete, see status; HCA_STEP_WAIT, HCA_STEP_MORE or
 * HCA_STEP_TURN.
 */
enum hca_step hca_link_turn(struct hca_qp *qp, struct hca_send_turn *turn);
/* The turn is over: the peer's function may have one again. */
void hca_link_end(struct hca_send_turn *turn);

/* A request has come to the peer: its responder is made, and what it is for is counted. */
void hca_link_announce(const struct hca_link *link);
/* Nothing moves before a timer of @link's requester expires. Returns HCA_STEP_WAIT. */
enum hca_step hca_link_wait(const struct hca_link *link);
/* The time of the turn. */
uint64_t hca_link_now(const struct hca_link *link);

/* --- link_frames.c ------------------------------------------------------------------------ */

/*
 * hca_frames_turn() - as hca_link_turn(), to a peer that is reached by frames: see
 * hca_roce_is_outside().
 */
enum hca_step hca_frames_turn(struct hca_qp *qp, struct hca_send_turn *turn);
/*
 * hca_frames_answer() - requests that came in frames go to @qp's responder, and its answers leave,
 * as far as the turn goes. Returns whether anything was done.
 */
bool hca_frames_answer(struct hca_qp *qp);

/* --- roce_inbox.c ------------------------------------------------------------------------- */

/*
 * hca_frames_queue() - @packet, of a connected service, came by @route: a copy waits for a turn of
 * its QP. False, and it is lost: there is no such QP, it is another's peer, or there is no room.
 */
bool hca_frames_queue(struct hca *hca, const struct packet_route *route,
		      const struct packet *packet);
/* The first of @frames, of @c, is done with. */
void hca_frames_pop(struct hca_connection *c, enum hca_leaving which);
/* What waits for @c is lost. */
void hca_frames_drop(struct hca_connection *c);

/* --- move.c ------------------------------------------------------------------------------ */

enum hca_moved {
	HCA_MOVED,
	HCA_MOVE_LATER,	 /* link->step says why */
	HCA_MOVE_LOCAL,	 /* the requester's own memory is out of reach */
	HCA_MOVE_REMOTE, /* the responder refuses */
};

/*
 * hca_move() - bytes [@offset, @offset + @len) of the message, the payload of the train that
 * arrives. Between the requester's list and @range, NULL: the receive; @fetch: from there.
 */
enum hca_moved hca_move(struct hca_link *link, const struct transport_range *range, bool fetch,
			uint64_t offset, uint64_t len, enum transport_refusal *why);

/*
 * hca_place() - the same of a packet that has its bytes with it, at @data.
 */
enum hca_moved hca_place(struct hca_link *link, const struct transport_range *range, bool fetch,
			 uint64_t offset, const uint8_t *data, uint64_t len,
			 enum transport_refusal *why);
/*
 * hca_fetch() - @len bytes into @packet, which is about to leave: from @offset of the requester's
 * list, or from the beginning of @range at the responder.
 */
enum hca_moved hca_fetch(struct hca_link *link, const struct transport_range *range,
			 uint64_t offset, uint64_t len, struct hca_packet *packet,
			 enum transport_refusal *why);

/* --- target.c ---------------------------------------------------------------------------- */

static inline bool hca_is_atomic(const struct transport_range *range)
{
	return range->operation == TRANSPORT_COMPARE_SWAP ||
	       range->operation == TRANSPORT_FETCH_ADD;
}

/* Nobody answers a requester of @qp, or waits for one. */
static inline bool hca_is_unreliable(const struct hca_qp *qp)
{
	return qp->type == HCA_QP_UC;
}

static inline enum hca_step hca_refuse(enum transport_refusal *why, enum transport_refusal reason)
{
	*why = reason;
	return HCA_STEP_ERROR;
}

/*
 * hca_range_check() - all of @range may be accessed, as far as the turn goes. As
 * hca_range_denial(). Of what fits into one piece of the move it is made there, see
 * hca_flight.unchecked: nothing is moved of a range that does not pass.
 */
enum hca_step hca_range_check(struct hca_link *link, const struct transport_range *range,
			      enum transport_refusal *why);
/* Checks of the train's first byte are behind it. */
void hca_range_passed(struct hca_link *link);
/* What @denial of the byte at @offset of @range means: as hca_local_denial(); HCA_STEP_ERROR:
 * *@why.
 */
enum hca_step hca_range_denial(struct hca_link *link, const struct transport_range *range,
			       enum hca_denial denial, uint64_t offset,
			       enum transport_refusal *why);
/* The same of a buffer of the receive. */
enum hca_step hca_receive_denial(struct hca_link *link, enum hca_denial denial,
				 const struct hca_denied *denied, enum transport_refusal *why);
/* Whose keys @range is checked against; the buffers of the taken receive. */
struct hca_accessor hca_range_accessor(const struct hca_link *link,
				       const struct transport_range *range);
struct hca_sgl hca_receive_sgl(const struct hca_link *link);

/* --- responder.c ------------------------------------------------------------------------- */

/* What a responder does with memory and queues; its owner is the struct hca_connection. */
extern const struct responder_ops hca_responder_ops;

#endif
