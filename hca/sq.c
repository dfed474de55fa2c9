/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requester engine: finds posted WQEs by the doorbell record, runs them in order, completes them.
 * A doorbell may be one of another queue (uar.c), so the record is looked at first; what is fetched
 * because of it is fetched by TLPs.
 */
#include "hca/budget.h"
#include "hca/connection.h"
#include "hca/eth.h"
#include "hca/layout.h"
#include "hca/q_counter.h"
#include "hca/qp.h"
#include "hca/wire.h"

/* One turn of a QP. */
#define TURN_WQES  16u
#define TURN_BYTES (1u << 20)
#define TURN_FLUSH 64u

#define LOG_MSG_MAX_UNSET 30u

/* --- WQE fetch --------------------------------------------------------------------------- */

static bool has_sq(const struct hca_qp *qp)
{
	return !qp->no_sq && qp->sq_wqebbs;
}

static uint16_t posted(const struct hca_qp *qp)
{
	return (uint16_t)(qp->sq_pi - qp->sq_ci);
}

/*
 * Look for new WQEs: the send counter is the second word of the doorbell record. What cannot be
 * looked at is read when a doorbell was rung, and where that fails, looked at later.
 */
static void look_at_record(struct hca_qp *qp)
{
	bool kicked = qp->sq_kick;
	uint8_t raw[4];

	qp->sq_kick = false;
	if (pcie_peek(&qp->hca->fn, qp->dbr.addr + RECORD_SEND, raw, sizeof(raw))) {
		if (!kicked)
			return;
		hca_work(qp->hca, HCA_WORK_TRANSFER);
	} else if ((uint16_t)be32_at(raw, RECORD_COUNTER) == qp->sq_pi) {
		qp->out_of_reach = false;
		return;
	}
	qp->out_of_reach =
		pcie_read(&qp->hca->fn, qp->dbr.addr + RECORD_SEND, raw, sizeof(raw), NULL) != 0;
	if (!qp->out_of_reach)
		qp->sq_pi = (uint16_t)be32_at(raw, RECORD_COUNTER);
}

/* Blocks from sq_ci on into progress->raw, linear also where the ring wraps. */
static bool refill(struct hca_qp *qp, struct hca_progress *progress)
{
	uint32_t index = qp->sq_ci & (qp->sq_wqebbs - 1);
	uint32_t blocks = posted(qp), first;

	if (blocks > HCA_WQE_MAX / HCA_WQE_BB)
		blocks = HCA_WQE_MAX / HCA_WQE_BB;
	first = qp->sq_wqebbs - index < blocks ? qp->sq_wqebbs - index : blocks;
	progress->fetched_blocks = 0;
	if (hca_pages_read(qp->hca, &qp->pages, qp->sq_offset + (uint64_t)index * HCA_WQE_BB,
			   progress->raw, first * HCA_WQE_BB))
		return false;
	if (blocks > first &&
	    hca_pages_read(qp->hca, &qp->pages, qp->sq_offset, progress->raw + first * HCA_WQE_BB,
			   (blocks - first) * HCA_WQE_BB))
		return false;
	progress->fetched = qp->sq_ci;
	progress->fetched_blocks = (uint16_t)blocks;
	return true;
}

/* The WQE at sq_ci, whole if it is; *@len bytes are there. NULL when it cannot be read. */
static const uint8_t *fetch(struct hca_qp *qp, struct hca_progress *progress, size_t *len)
{
	unsigned int skip = (uint16_t)(qp->sq_ci - progress->fetched);

	if (skip >= progress->fetched_blocks ||
	    skip + hca_wqe_blocks(progress->raw + skip * HCA_WQE_BB) > progress->fetched_blocks) {
		if (!refill(qp, progress))
			return NULL;
		skip = 0;
	}
	*len = (progress->fetched_blocks - skip) * (size_t)HCA_WQE_BB;
	return progress->raw + skip * HCA_WQE_BB;
}

/* --- completion -------------------------------------------------------------------------- */

static void complete(struct hca_qp *qp, const struct hca_wqe *wqe, uint8_t opcode, uint8_t syndrome)
{
	struct hca_cqe cqe = {
		.opcode = opcode,
		.send_opcode = wqe->opcode,
		.srqn = hca_cqe_index(qp->hca, qp->user_index, 0),
		.qpn = qp->number,
		.wqe_counter = qp->sq_ci,
		.byte_cnt = opcode == HCA_CQE_REQ ? (uint32_t)wqe->length : 0,
		.syndrome = syndrome,
	};
	unsigned int blocks = ((unsigned int)wqe->ds * 16 + HCA_WQE_BB - 1) / HCA_WQE_BB;

	qp->sq_ci = (uint16_t)(qp->sq_ci + (blocks ? blocks : 1));
	if (opcode == HCA_CQE_REQ_ERR)
		hca_count_request_error(qp, syndrome);
	if (opcode == HCA_CQE_REQ_ERR || wqe->signalled)
		hca_cq_post(qp->hca, qp->cqn_snd, &cqe);
}

/* Nothing of a message is under way, or of the last one. */
static void reset_message(struct hca_qp *qp, struct hca_progress *progress)
{
	progress->active = false;
	progress->done = progress->checked_local = progress->sent = 0;
	hca_release(qp->hca, progress->staged);
	progress->staged = NULL;
	if (progress->connection)
		hca_connection_drop(progress->connection);
}

static void drop_message(struct hca_qp *qp, struct hca_progress *progress)
{
	reset_message(qp, progress);
	qp->retrying = false;
	/* A receive of a DCT that the message leaves behind is lost, as its sender never finishes.
	 */
	if (qp->type == HCA_QP_DCI)
		progress->recv.busy = false;
}

static bool is_unreliable(const struct hca_qp *qp)
{
	return qp->type == HCA_QP_UC || qp->type == HCA_QP_UD || qp->type == HCA_QP_GSI ||
	       qp->type == HCA_QP_SMI;
}

/* After a requester error nothing more is sent; an unreliable QP goes on receiving. */
static void stop_sending(struct hca_qp *qp)
{
	if (is_unreliable(qp)) {
		qp->state = HCA_QP_SQER;
		field_put(qp->qpc, QPC_STATE, HCA_QP_SQER);
	} else if (qp->state != HCA_QP_ERR) {
		hca_qp_error(qp, HCA_NO_EVENT);
	}
}

static void fail(struct hca_qp *qp, struct hca_progress *progress, uint8_t syndrome)
{
	bool stop = !hca_stream_fail(qp, progress->wqe.stream, syndrome);

	complete(qp, &progress->wqe, HCA_CQE_REQ_ERR, syndrome);
	drop_message(qp, progress);
	if (stop)
		stop_sending(qp);
}

/* The queue itself is unusable: there is no WQE that a CQE could name. */
static void catastrophic(struct hca_qp *qp)
{
	qp->sq_ci = qp->sq_pi;
	hca_qp_error(qp, HCA_EVENT_WQ_CATAS);
}

/* --- turns ------------------------------------------------------------------------------- */

static enum hca_wqe_kind wqe_kind(const struct hca_qp *qp)
{
	switch (qp->type) {
	case HCA_QP_UD:
	case HCA_QP_GSI:
	case HCA_QP_SMI:
		return HCA_WQE_DATAGRAM;
	case HCA_QP_DCI:
		return HCA_WQE_DC;
	case HCA_QP_XRC:
		return HCA_WQE_XRC;
	case HCA_QP_ETH_SQ:
		return HCA_WQE_FRAME;
	default:
		return HCA_WQE_CONNECTED;
	}
}

/* Make the WQE at sq_ci the active message. False when there is none, or the queue is broken. */
static bool load(struct hca_qp *qp, struct hca_progress *progress, uint8_t *syndrome)
{
	const uint8_t *raw;
	size_t len;

	*syndrome = HCA_SYND_NONE;
	if (!posted(qp))
		look_at_record(qp);
	if (!posted(qp))
		return false;
	raw = posted(qp) <= qp->sq_wqebbs ? fetch(qp, progress, &len) : NULL;
	if (!raw) {
		catastrophic(qp);
		return false;
	}
	if (hca_wqe_parse(raw, len, wqe_kind(qp), &progress->wqe)) {
		*syndrome = HCA_SYND_LOCAL_QP_OP;
		if (!hca_wqe_modelled(progress->wqe.opcode))
			hca_unmodelled(qp->hca, "send WQE opcode 0x%02x %s", progress->wqe.opcode,
				       hca_wqe_unmodelled_name(progress->wqe.opcode));
	}
	reset_message(qp, progress);
	progress->active = true;
	return true;
}

/* dma_mmo_sq */
static bool copies(const struct hca_qp *qp)
{
	return qp->type == HCA_QP_RC || qp->type == HCA_QP_DCI;
}

static enum hca_step step(struct hca_qp *qp, struct hca_send_turn *turn, uint8_t *syndrome)
{
	uint8_t opcode = hca_progress(qp)->wqe.opcode;

	*syndrome = HCA_SYND_LOCAL_QP_OP;
	if (opcode == HCA_OP_NOP)
		return HCA_STEP_DONE;
	if (hca_stream_failed(qp, hca_progress(qp)->wqe.stream)) {
		*syndrome = HCA_SYND_FLUSH;
		return HCA_STEP_ERROR;
	}
	switch (qp->type) {
	case HCA_QP_RC:
	case HCA_QP_UC:
	case HCA_QP_XRC:
	case HCA_QP_DCI:
		if (opcode == HCA_OP_MMO)
			return copies(qp) ? hca_copy_step(qp, turn, syndrome) : HCA_STEP_ERROR;
		return opcode == HCA_OP_UMR ? hca_umr_step(qp, syndrome)
					    : hca_rc_step(qp, turn, syndrome);
	case HCA_QP_UD:
	case HCA_QP_GSI:
	case HCA_QP_SMI:
		return opcode == HCA_OP_UMR || opcode == HCA_OP_MMO ? HCA_STEP_ERROR
								    : hca_ud_step(qp, syndrome);
	case HCA_QP_REG_UMR:
		return opcode == HCA_OP_UMR ? hca_umr_step(qp, syndrome) : HCA_STEP_ERROR;
	case HCA_QP_ETH_SQ:
		return opcode == HCA_OP_UMR ? HCA_STEP_ERROR : hca_eth_step(qp, syndrome);
	default:
		return HCA_STEP_ERROR;
	}
}

/* Up to TURN_WQES messages, as far as the turn goes. */
static bool send_some(struct hca_qp *qp, struct hca_progress *progress, struct hca_send_turn *turn)
{
	unsigned int wqes;

	for (wqes = 0; wqes < TURN_WQES && turn->budget && !(wqes && hca_turn_over(qp->hca));
	     wqes++) {
		uint8_t syndrome = HCA_SYND_NONE;
		enum hca_step what;

		if (!progress->active &&
		    (qp->state == HCA_QP_SQD || !load(qp, progress, &syndrome)))
			return wqes > 0 || turn->sent;
		hca_work(qp->hca, HCA_WORK_WQE);
		what = syndrome ? HCA_STEP_ERROR : step(qp, turn, &syndrome);
		switch (what) {
		case HCA_STEP_DONE:
			complete(qp, &progress->wqe, HCA_CQE_REQ, HCA_SYND_NONE);
			drop_message(qp, progress);
			break;
		case HCA_STEP_ERROR:
			fail(qp, progress, syndrome);
			return true;
		case HCA_STEP_MORE:
		case HCA_STEP_TURN:
			return true;
		case HCA_STEP_WAIT:
			return wqes > 0 || turn->sent;
		}
	}
	return true;
}

static bool send_turn(struct hca_qp *qp, struct hca_progress *progress)
{
	struct hca_pieces pieces; /* they are many, and are not cleared */
	struct hca_send_turn turn = { .budget = TURN_BYTES, .pieces = &pieces };
	bool did;

	/* For a message that is under way they come to it below. */
	if (qp->arrivals && !progress->connection->posted &&
	    hca_link_turn(qp, &turn) == HCA_STEP_TURN) {
		hca_link_end(&turn);
		return true;
	}
	if (qp->retrying) {
		if (clock_now_ns() < qp->retry_at_ns) {
			hca_link_end(&turn);
			return turn.sent;
		}
		qp->retrying = false;
	}
	did = send_some(qp, progress, &turn);
	hca_link_end(&turn);
	return did;
}

/* Flush CQEs for everything that is posted, also after the error. */
static bool flush_sends(struct hca_qp *qp, struct hca_progress *progress)
{
	unsigned int flushed;

	drop_message(qp, progress);
	for (flushed = 0; flushed < TURN_FLUSH; flushed++) {
		const uint8_t *raw;
		size_t len;

		if (!posted(qp))
			look_at_record(qp);
		if (!posted(qp))
			break;
		raw = posted(qp) <= qp->sq_wqebbs ? fetch(qp, progress, &len) : NULL;
		if (!raw) {
			qp->sq_ci = qp->sq_pi;
			break;
		}
		hca_work(qp->hca, HCA_WORK_WQE);
		hca_wqe_parse_ctrl(raw, &progress->wqe);
		complete(qp, &progress->wqe, HCA_CQE_REQ_ERR, HCA_SYND_FLUSH);
	}
	return flushed;
}

bool hca_qp_poll(struct hca_qp *qp)
{
	struct hca_progress *progress;
	bool busy = false;

	if (qp->frames)
		busy = hca_frames_answer(qp);
	if (qp->state < HCA_QP_RTS)
		return busy;
	progress = hca_progress(qp);
	if (!progress)
		return busy;
	if (qp->arrivals && qp->state != HCA_QP_RTS && qp->state != HCA_QP_SQD)
		hca_packets_drop(progress->connection);
	switch (qp->state) {
	case HCA_QP_RTS:
	case HCA_QP_SQD:
		return (has_sq(qp) && send_turn(qp, progress)) || busy;
	case HCA_QP_SQER:
		return (has_sq(qp) && flush_sends(qp, progress)) || busy;
	case HCA_QP_ERR:
		if (has_sq(qp))
			busy |= flush_sends(qp, progress);
		/* Sends first; what is left of them comes with the next turn. */
		if (!busy)
			busy = hca_recv_flush(qp, TURN_FLUSH);
		return busy;
	default:
		return busy;
	}
}

void hca_qp_finish(struct hca_qp *qp)
{
	while (qp->state == HCA_QP_RTS && !hca_turn_over(qp->hca) && hca_qp_poll(qp))
		;
}
