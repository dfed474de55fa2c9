/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of the data path: what sq.c, rq.c, rc.c, ud.c, umr.c and fault.c share. */
#ifndef HCA_DATA_H
#define HCA_DATA_H

#include "hca/budget.h"
#include "hca/layout.h"
#include "hca/model.h"
#include "hca/wqe.h"
#include "packet/packet.h"

/* CQE opcodes. */
enum hca_cqe_opcode {
	HCA_CQE_REQ = 0x0,
	HCA_CQE_RESP_WRITE_IMM = 0x1,
	HCA_CQE_RESP_SEND = 0x2,
	HCA_CQE_RESP_SEND_IMM = 0x3,
	HCA_CQE_RESP_SEND_INV = 0x4,
	HCA_CQE_RESIZE = 0x5, /* the last one in this buffer */
	HCA_CQE_REQ_ERR = 0xd,
	HCA_CQE_RESP_ERR = 0xe,
};

/* CQE syndromes. */
enum hca_syndrome {
	HCA_SYND_NONE = 0x00,
	HCA_SYND_LOCAL_LENGTH = 0x01,
	HCA_SYND_LOCAL_QP_OP = 0x02,
	HCA_SYND_LOCAL_PROT = 0x04,
	HCA_SYND_FLUSH = 0x05,
	HCA_SYND_MW_BIND = 0x06,
	HCA_SYND_BAD_RESPONSE = 0x10,
	HCA_SYND_REMOTE_INVALID = 0x12,
	HCA_SYND_REMOTE_ACCESS = 0x13,
	HCA_SYND_REMOTE_OP = 0x14,
	HCA_SYND_RETRY = 0x15,
	HCA_SYND_RNR_RETRY = 0x16,
};

#define HCA_NO_EVENT 0xff /* for hca_qp_error() */

#define HCA_RECV_STRIDE 2048u /* longest receive WQE: 16 << 7 */
#define HCA_RECV_SEGS	(HCA_RECV_STRIDE / 16)
#define HCA_CHUNK	65536u /* bytes gathered before they are scattered */

#define HCA_NO_USER_INDEX 0xffffffu /* of the driver's own queues, and of CQEs of version 0 */

/*
 * What a CQE has in the place of the SRQ, 0 for none. In version 1 that is the number that a
 * program has given to the queue whose it is: of an XRC receive the SRQ, else the QP.
 */
static inline uint32_t hca_cqe_index(const struct hca *hca, uint32_t user_index, uint32_t srqn)
{
	bool version_1 = field_get(hca->cap[0], CAP_CQE_VERSION);

	return version_1 && user_index != HCA_NO_USER_INDEX ? user_index : srqn;
}

/* A receive WQE taken from its queue. */
struct hca_recv {
	bool busy; /* taken, no CQE yet */
	uint16_t counter;
	uint32_t srqn;	     /* 0: own receive queue */
	uint32_t user_index; /* see hca_cqe_index() */
	uint32_t cqn;	     /* where its CQE goes */
	uint32_t pd;	     /* what its lkeys are checked against */
	unsigned int segs;
	uint64_t length;
	struct hca_seg seg[HCA_RECV_SEGS];
};

enum hca_fault_side { HCA_FAULT_REQUESTER, HCA_FAULT_RESPONDER };

enum hca_fault_state {
	HCA_FAULT_IDLE,
	HCA_FAULT_PENDING, /* event sent, the driver has not answered */
	HCA_FAULT_FAILED,  /* answered with error */
};

struct hca_connection;

/* Data path state of a QP, at hca_qp.progress. */
struct hca_progress {
	/* requester: the message at sq_ci */
	bool active; /* wqe is parsed */
	uint64_t done;
	uint64_t checked_local; /* bytes of the payload that passed, see rc.c */
	uint8_t *staged;	/* see hca_stage() */
	uint64_t sent; /* payload of a long message that has left as frames, see eth_send.c */
	struct hca_wqe wqe;
	uint32_t datagrams; /* sent, for the numbers of their packets */
	/* WQEs fetched ahead, linear: blocks [fetched, fetched + fetched_blocks) of the SQ */
	uint16_t fetched, fetched_blocks;
	uint8_t raw[HCA_WQE_MAX];
	/* responder */
	bool comm_est;	/* event was sent */
	uint16_t rq_pi; /* last receive doorbell record */
	struct hca_recv recv;
	enum hca_fault_state fault[2]; /* by enum hca_fault_side */
	/* both, of connected QPs */
	struct hca_connection *connection; /* see connection.h */
};

/* What became of a message in one turn. */
enum hca_step {
	HCA_STEP_DONE,	/* complete it with success */
	HCA_STEP_ERROR, /* complete it with the syndrome */
	HCA_STEP_MORE,	/* the turn's share is used up */
	HCA_STEP_WAIT,	/* not before qp->retry_at_ns, or until a page fault is resolved */
	HCA_STEP_TURN,	/* the turn is over before all was looked at: go on in the next */
};

/* A turn of a QP's send queue. */
struct hca_send_turn {
	uint64_t budget; /* bytes of payload that it may still move */
	bool sent;	 /* a packet left by a bad cable */
	uint64_t now;	 /* CLOCK_MONOTONIC: one look is enough for a turn. 0: nobody has looked */
	struct hca_qp *peer; /* of the last message, and the function that is held for it: link.c */
	struct hca *held;
	/*
	 * Where the payload of the message that begins is on the bus, @collected bytes, all of it:
	 * 0 where that is not known. Its check has found it, and it is moved in this turn.
	 */
	struct hca_pieces *pieces;
	uint64_t collected;
};

/* The QP's state, made on first use; NULL on ENOMEM. The QP owns it. */
static inline struct hca_progress *hca_progress(struct hca_qp *qp)
{
	if (!qp->progress)
		qp->progress = hca_alloc(qp->hca, sizeof(struct hca_progress));
	return qp->progress;
}

/* --- payload.c --------------------------------------------------------------------------- */

/* A list of segments and in whose name they are accessed. */
struct hca_sgl {
	struct hca *hca;
	struct hca_accessor who;
	const struct hca_seg *seg;
	unsigned int segs;
};

/* The first segment that was refused, for the page fault event. */
struct hca_denied {
	uint32_t key;
	uint64_t va, len;
};

/*
 * All checks of the first @len bytes, as far as the turn goes: *@done were found right before, more
 * are now. Inline segments pass. HCA_DENIED_TURN when some are left; @denied is set when refused.
 */
enum hca_denial hca_sgl_check(const struct hca_sgl *sgl, uint64_t len, enum hca_access access,
			      uint64_t *done, struct hca_denied *denied);
/*
 * Bytes [@offset, @offset + *@len) of the list into @buf, as far as the turn goes: *@len becomes
 * the bytes moved. HCA_DENIED_TURN when these are none.
 */
enum hca_denial hca_sgl_gather(const struct hca_sgl *sgl, uint64_t offset, void *buf, uint64_t *len,
			       struct hca_denied *denied);
/* The other way; inline segments are refused. */
enum hca_denial hca_sgl_scatter(const struct hca_sgl *sgl, uint64_t offset, const void *buf,
				uint64_t *len, struct hca_denied *denied);

/*
 * The same without moving anything: what hca_mkey_collect() says of bytes [@offset, @offset +
 * *@len), as far as the turn and the room go. Inline segments are others.
 */
enum hca_denial hca_sgl_collect(const struct hca_sgl *sgl, uint64_t offset, uint64_t *len,
				enum hca_access access, struct hca_pieces *pieces,
				struct hca_denied *denied);

/* --- streams.c --------------------------------------------------------------------------- */

/* The WQE in @progress is of a stream that failed before: it is flushed, as in a QP in error. */
bool hca_stream_failed(const struct hca_qp *qp, uint16_t stream);
/*
 * hca_stream_fail() - a message of @stream ended with @syndrome.
 * Returns whether only the stream is in error and @qp goes on with the others: there are streams,
 * the error is the remote side's or that of the way to it, and not too many have failed.
 */
bool hca_stream_fail(struct hca_qp *qp, uint16_t stream, uint8_t syndrome);

/* --- message.c --------------------------------------------------------------------------- */

/* What the QP's own keys are checked against, in its own turn. */
static inline struct hca_accessor hca_qp_accessor(const struct hca_qp *qp)
{
	return (struct hca_accessor){ .pd = qp->pd, .qpn = qp->number, .turn = qp->hca };
}

/* Payload of the WQE in @qp's progress. */
struct hca_sgl hca_wqe_sgl(struct hca_qp *qp);
/*
 * What @denial of the WQE's own payload means for the message: HCA_STEP_MORE to go on,
 * HCA_STEP_WAIT for a page, HCA_STEP_TURN, HCA_STEP_ERROR.
 */
enum hca_step hca_local_denial(struct hca_qp *qp, enum hca_denial denial,
			       const struct hca_denied *denied, bool write, uint8_t *syndrome);
/*
 * hca_stage() - the payload of the WQE behind @front bytes of zeros at progress->staged, which goes
 * with the message: for what is used only as a whole. HCA_STEP_DONE, or as hca_local_denial().
 */
enum hca_step hca_stage(struct hca_qp *qp, size_t front, uint8_t *syndrome);
/* Responder side of @qp takes requests. */
static inline bool hca_qp_can_receive(const struct hca_qp *qp)
{
	return qp->state >= HCA_QP_RTR && qp->state <= HCA_QP_SQD;
}

/* --- rq.c -------------------------------------------------------------------------------- */

/*
 * Take the next receive WQE of @qp (own queue or SRQ) into @progress, unless one is taken already.
 * That is the progress of @qp, but for a DCT that of the initiator: several may send to one DCT at
 * a time.
 * @xrc_srqn: the SRQ that the request names, for XRC targets.
 * Returns 0, -EAGAIN when none is posted, -EIO when it cannot be read.
 */
int hca_recv_take(struct hca_qp *qp, struct hca_progress *progress, uint32_t xrc_srqn);
/* Buffers of the taken receive WQE. */
struct hca_sgl hca_recv_sgl(struct hca_qp *qp, const struct hca_progress *progress);
/* CQE of the taken receive WQE; @cqe has all but srqn, qpn and wqe_counter. It is given up. */
void hca_recv_complete(struct hca_qp *qp, struct hca_progress *progress, struct hca_cqe *cqe);
/* The same, responder error with @syndrome. */
void hca_recv_fail(struct hca_qp *qp, struct hca_progress *progress, uint8_t syndrome);
/* Flush up to @budget posted receives of an ERR QP. Returns how many. */
unsigned int hca_recv_flush(struct hca_qp *qp, unsigned int budget);

/* --- rc.c, link.c, ud.c, umr.c: one message ------------------------------------------------------
 */

/*
 * One turn of the message in @qp's progress. Payload moved is taken off @turn->budget.
 * HCA_STEP_ERROR sets *@syndrome.
 */
enum hca_step hca_rc_step(struct hca_qp *qp, struct hca_send_turn *turn, uint8_t *syndrome);
enum hca_step hca_ud_step(struct hca_qp *qp, uint8_t *syndrome);
/*
 * ud_packet.c: what the subnet carries of a datagram's @packet, which is UD and goes by @route.
 * @data: SUBNET_GRH_LEN bytes, which get the GRH where there is one, and the payload behind them.
 */
struct subnet_packet hca_ud_carry(const struct packet_route *route, const struct packet *packet,
				  uint8_t *data);
/* The packet again; its payload stays the subnet's. */
struct packet hca_ud_packet(const struct subnet_packet *carried);
/* pma.c: execute the Get or Set of performance management in @mad (SUBNET_MAD bytes), in place. */
void hca_pma_execute(struct hca *hca, uint8_t *mad);
/* @request came for QP1. Returns whether it was one for performance management: answered. */
bool hca_pma_receive(struct hca *hca, const struct subnet_packet *request);
enum hca_step hca_umr_step(struct hca_qp *qp, uint8_t *syndrome);
/*
 * copy.c: the bytes of a WQE's first segment to its second, with local rights of both keys. What is
 * copied before an error stays.
 */
enum hca_step hca_copy_step(struct hca_qp *qp, struct hca_send_turn *turn, uint8_t *syndrome);
/* The function and QP that @dlid (or @gid, when not NULL) and @qpn name, or NULL. */
struct hca_qp *hca_find_qp(struct hca *hca, uint16_t dlid, const uint8_t *gid, uint32_t qpn);
/* Invalidate @key for a SEND with invalidate: false when @pd may not. */
bool hca_umr_invalidate(struct hca *hca, uint32_t pd, uint32_t key);

/* --- fault.c ----------------------------------------------------------------------------- */

/*
 * hca_fault_raise() - @qp's access to @denied hit a missing page.
 * Returns HCA_DENIED_PAGE when the access waits for the driver, HCA_DENIED_KEY when nobody will
 * mend it: no page fault EQ, or the driver answered with an error.
 */
enum hca_denial hca_fault_raise(struct hca_qp *qp, enum hca_fault_side side,
				const struct hca_denied *denied, bool write);
static inline bool hca_fault_pending(const struct hca_progress *progress, enum hca_fault_side side)
{
	return progress->fault[side] == HCA_FAULT_PENDING;
}

#endif
