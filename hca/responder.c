/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Responder's side of connections: what a QP, or a DC target, checks and does for a request. It
 * knows of the requester what its packets say, but for the bytes, which it takes from where they
 * are.
 */
#include <errno.h>

#include "hca/connection.h"
#include "hca/layout.h"
#include "hca/q_counter.h"
#include "hca/qp.h"
#include "hca/refusal.h"
#include "hca/wire.h"

static struct hca_link *link_of(void *owner)
{
	const struct hca_connection *c = owner;

	return c->link;
}

static enum transport_answer answer(struct hca_link *l, enum hca_step step)
{
	if (step == HCA_STEP_MORE)
		return TRANSPORT_OK;
	if (step == HCA_STEP_ERROR)
		return TRANSPORT_REFUSED;
	l->step = step;
	return TRANSPORT_WAIT;
}

/* --- checks ------------------------------------------------------------------------------ */

/* Requests to an XRC target are for an SRQ of its domain; the side with the send queue takes none.
 */
static bool srq_is_valid(const struct hca_qp *qp, uint32_t srqn)
{
	const struct hca_srq *srq = hca_table_get(&qp->hca->srqs, srqn);

	return qp->type != HCA_QP_XRC ||
	       (qp->no_sq && srq && srq->xrcd == field_get(qp->qpc, QPC_XRCD));
}

static enum hca_step check_range(struct hca_link *l, const struct transport_range *range,
				 enum transport_refusal *why)
{
	uint8_t code = l->flight->packet.opcode & (uint8_t)~PACKET_CLASS_MASK;
	bool allowed = hca_is_atomic(range)		    ? l->peer->rae
		       : range->operation == TRANSPORT_READ ? l->peer->rre
							    : l->peer->rwe;

	if (!srq_is_valid(l->peer, range->srqn))
		return hca_refuse(why, TRANSPORT_REFUSE_XRC_SRQ);
	if (!allowed)
		return hca_refuse(why, TRANSPORT_REFUSE_RIGHTS);
	if (hca_is_atomic(range) && range->va % sizeof(uint64_t))
		return hca_refuse(why, TRANSPORT_REFUSE_MISALIGNED);
	if (!range->length)
		return HCA_STEP_MORE;
	/*
	 * A WRITE with immediate data takes a receive before it is moved; what comes by a bad cable
	 * is not moved as a whole.
	 */
	if (range->length > HCA_CHUNK || l->flight != &l->from->flight ||
	    (code != PACKET_WRITE_ONLY && code != PACKET_READ))
		return hca_range_check(l, range, why);
	l->flight->unchecked = l->from->unchecked = true;
	return HCA_STEP_MORE;
}

static enum transport_answer check(void *owner, const struct transport_range *range,
				   enum transport_refusal *why)
{
	struct hca_link *l = link_of(owner);

	return answer(l, check_range(l, range, why));
}

/* --- a remote range ---------------------------------------------------------------------- */

/*
 * The bytes that come were the requester's to give: when it cannot, its message fails, and on UC
 * too, where it was complete when it left.
 */
static enum transport_answer moved(struct hca_link *l, enum hca_moved how)
{
	switch (how) {
	case HCA_MOVED:
		return TRANSPORT_OK;
	case HCA_MOVE_REMOTE:
		return TRANSPORT_REFUSED;
	case HCA_MOVE_LOCAL:
		requester_fail(&l->from->requester, TRANSPORT_LOCAL_PROTECTION);
		l->from->status = TRANSPORT_LOCAL_PROTECTION;
		l->flight->busy = false;
		return TRANSPORT_WAIT;
	default:
		return TRANSPORT_WAIT;
	}
}

static enum transport_answer write_range(void *owner, const struct transport_range *range,
					 uint64_t offset, const uint8_t *data, size_t len,
					 enum transport_refusal *why)
{
	struct hca_link *l = link_of(owner);

	return moved(l, data ? hca_place(l, range, false, offset, data, len, why)
			     : hca_move(l, range, false, offset, len, why));
}

/* In one process who asked takes the bytes from where they are. */
static enum transport_answer read_range(void *owner, const struct transport_range *range,
					uint64_t offset, size_t len, uint8_t *buf,
					const uint8_t **at, enum transport_refusal *why)
{
	struct hca_connection *c = owner;

	(void)offset;
	*at = buf;
	if (!buf)
		return TRANSPORT_OK;
	return moved(c->link,
		     hca_fetch(c->link, range, range->va, len, c->leaving[HCA_ANSWERS], why));
}

/*
 * Atomic to other requests of the HCAs, not to the CPUs. Memory is in host order, the operands were
 * big-endian in the WQE; the result goes back in host order (atomic_req_8B_endianness_mode 1).
 */
static enum transport_answer atomic(void *owner, const struct transport_range *range,
				    uint64_t swap_add, uint64_t compare, uint64_t *original,
				    enum transport_refusal *why)
{
	struct hca_link *l = link_of(owner);
	struct hca_accessor who = hca_range_accessor(l, range);
	bool add = range->operation == TRANSPORT_FETCH_ADD;
	uint64_t new, len = sizeof(*original);
	enum hca_denial denial;

	*original = 0;
	denial = hca_mkey_read(l->peer->hca, &who, range->r_key, range->va, original, &len,
			       HCA_REMOTE_ATOMIC);
	if (denial == HCA_OK) {
		new = add ? *original + swap_add : swap_add;
		if (add || *original == compare)
			denial = hca_mkey_write(l->peer->hca, &who, range->r_key, range->va, &new,
						&len, HCA_REMOTE_ATOMIC);
	}
	return answer(l, hca_range_denial(l, range, denial, 0, why));
}

/* --- a receive --------------------------------------------------------------------------- */

static enum transport_answer take(void *owner, uint32_t srqn, uint64_t *length, bool *ready,
				  enum transport_refusal *why)
{
	struct hca_link *l = link_of(owner);

	if (!srq_is_valid(l->peer, srqn))
		return answer(l, hca_refuse(why, TRANSPORT_REFUSE_XRC_SRQ));
	switch (hca_recv_take(l->peer, l->recv_progress, srqn)) {
	case 0:
		*length = l->recv_progress->recv.length;
		*ready = true;
		return TRANSPORT_OK;
	case -EAGAIN:
		*ready = false;
		return TRANSPORT_OK;
	default:
		return answer(l, hca_refuse(why, TRANSPORT_REFUSE_RECV_QUEUE));
	}
}

static enum transport_answer place(void *owner, uint64_t offset, const uint8_t *data, size_t len,
				   enum transport_refusal *why)
{
	struct hca_link *l = link_of(owner);
	struct hca_sgl sgl = hca_receive_sgl(l);
	uint64_t *checked = &l->flight->checked;
	struct hca_denied denied;
	enum hca_step step;

	if (*checked < offset)
		*checked = offset;
	step = hca_receive_denial(
		l, hca_sgl_check(&sgl, offset + len, HCA_LOCAL_WRITE, checked, &denied), &denied,
		why);
	if (step != HCA_STEP_MORE)
		return answer(l, step);
	hca_range_passed(l);
	return moved(l, data ? hca_place(l, NULL, false, offset, data, len, why)
			     : hca_move(l, NULL, false, offset, len, why));
}

static enum transport_answer receipt(void *owner, const struct transport_receipt *receipt,
				     enum transport_refusal *why)
{
	static const uint8_t opcode[] = {
		[TRANSPORT_SEND] = HCA_CQE_RESP_SEND,
		[TRANSPORT_SEND_IMM] = HCA_CQE_RESP_SEND_IMM,
		[TRANSPORT_SEND_INV] = HCA_CQE_RESP_SEND_INV,
		[TRANSPORT_WRITE_IMM] = HCA_CQE_RESP_WRITE_IMM,
	};
	struct hca_link *l = link_of(owner);
	struct hca_cqe cqe = {
		.opcode = opcode[receipt->operation],
		.solicited = receipt->solicited,
		.byte_cnt = (uint32_t)receipt->length,
		.immediate = receipt->operation == TRANSPORT_SEND ? 0 : receipt->immediate,
		.slid = l->slid,
		.flags_rqpn = l->src_qpn,
	};
	/* As hca_range_accessor() has it. */
	uint32_t pd = l->peer->type == HCA_QP_XRC ? l->recv_progress->recv.pd : l->peer->pd;

	if (receipt->operation == TRANSPORT_SEND_INV &&
	    !hca_umr_invalidate(l->peer->hca, pd, receipt->immediate))
		return answer(l, hca_refuse(why, TRANSPORT_REFUSE_INVALIDATE));
	hca_recv_complete(l->peer, l->recv_progress, &cqe);
	return TRANSPORT_OK;
}

/* Whoever finds none is told to wait. */
static int64_t receives(void *owner)
{
	(void)owner;
	return -1;
}

/* --- the end ----------------------------------------------------------------------------- */

/* Somebody tried @dct with another access key: QUERY_DCT tells how often. */
static void note_violation(struct hca_qp *dct)
{
	uint32_t count = be32_at(dct->qpc, DCTC_ACCESS_KEY_VIOLATIONS);

	if (count < UINT32_MAX)
		be32_put(dct->qpc, DCTC_ACCESS_KEY_VIOLATIONS, count + 1);
}

/* A refused request: what that is to the QP, its receive, and its counters. */
static void failed(void *owner, enum transport_refusal why)
{
	const struct hca_refusal_row *row = hca_refusal(why);
	struct hca_link *l = link_of(owner);

	if (why == TRANSPORT_REFUSE_DC_KEY)
		note_violation(l->peer);
	if (row->receive)
		hca_recv_fail(l->peer, l->recv_progress, row->receive);
	/* A DCT is for other initiators as well: it lives on. */
	if (l->peer->type != HCA_QP_DCT)
		hca_qp_error(l->peer, row->event);
	if (!row->receive && !hca_is_unreliable(l->peer))
		hca_count_refusal(l->peer, hca_nak_syndrome(transport_nak(why)));
}

const struct responder_ops hca_responder_ops = {
	.check = check,
	.write = write_range,
	.read = read_range,
	.atomic = atomic,
	.take = take,
	.place = place,
	.receipt = receipt,
	.receives = receives,
	.failed = failed,
};
