/* SPDX-License-Identifier: GPL-2.0-only */
#include "hca/responder.h"

#include <errno.h>

#include "hca/q_counter.h"
#include "hca/qp.h"
#include "transport/transport.h"

static bool is_unreliable(const struct hca_responder *r)
{
	return r->qp->type == HCA_QP_UC;
}

static enum hca_step refused(struct hca_responder *r, enum transport_refusal why)
{
	r->why = why;
	return HCA_STEP_ERROR;
}

uint32_t hca_path_mtu(const struct hca_qp *qp)
{
	unsigned int log = field_get(qp->qpc, QPC_SIZES, 31, 29);

	return log ? 128u << log : HCA_MTU;
}

/* An XRC target has no protection domain: it is that of the SRQ which the request names. */
struct hca_accessor hca_responder_accessor(const struct hca_responder *r,
					   const struct hca_request *request)
{
	struct hca_accessor who = hca_qp_accessor(r->qp);

	who.turn = r->turn;
	if (r->qp->type == HCA_QP_XRC) {
		const struct hca_srq *srq = hca_table_get(&r->qp->hca->srqs, request->xrc_srqn);

		who.pd = srq ? srq->pd : 0;
	}
	return who;
}

/* In the sender's turn. */
struct hca_sgl hca_responder_sgl(const struct hca_responder *r)
{
	struct hca_sgl sgl = hca_recv_sgl(r->qp, r->recv_flow);

	sgl.who.turn = r->turn;
	return sgl;
}

/* --- refusals ---------------------------------------------------------------------------- */

/* Nobody answers on UC: what is wrong with a request that took no receive is not told at all. */
void hca_responder_refuse(const struct hca_responder *r, enum transport_refusal why)
{
	const struct hca_refusal_row *row = hca_refusal(why);
	uint8_t nak = transport_nak(why);

	if (row->receive)
		hca_recv_fail(r->qp, r->recv_flow, row->receive);
	else if (is_unreliable(r) && nak != NAK_OPERATION)
		return;
	/* A DCT is for other initiators as well: it lives on. */
	if (r->qp->type != HCA_QP_DCT)
		hca_qp_error(r->qp, row->event);
	if (!row->receive && !is_unreliable(r))
		hca_count_refusal(r->qp, hca_nak_syndrome(nak));
}

enum hca_step hca_responder_range_fault(struct hca_responder *r, const struct hca_request *request,
					enum hca_fault fault, uint64_t offset)
{
	struct hca_bad bad = { request->rkey, request->raddr + offset, request->length - offset };

	if (fault == HCA_FAULT_PAGE && is_unreliable(r))
		return HCA_STEP_DONE;
	if (fault == HCA_FAULT_PAGE)
		fault = hca_fault_raise(r->qp, HCA_FAULT_RESPONDER, &bad,
					request->opcode != HCA_OP_READ);
	switch (fault) {
	case HCA_OK:
		return HCA_STEP_MORE;
	case HCA_FAULT_PAGE:
		return HCA_STEP_WAIT;
	case HCA_FAULT_TURN:
		return HCA_STEP_TURN;
	case HCA_FAULT_BUS:
		return refused(r, TRANSPORT_REFUSE_BUS);
	default:
		return refused(r, TRANSPORT_REFUSE_KEY);
	}
}

enum hca_step hca_responder_receive_fault(struct hca_responder *r, enum hca_fault fault,
					  const struct hca_bad *bad)
{
	if (fault == HCA_FAULT_PAGE)
		fault = hca_fault_raise(r->qp, HCA_FAULT_RESPONDER, bad, true);
	switch (fault) {
	case HCA_OK:
		return HCA_STEP_MORE;
	case HCA_FAULT_PAGE:
		return HCA_STEP_WAIT;
	case HCA_FAULT_TURN:
		return HCA_STEP_TURN;
	default:
		return refused(r, TRANSPORT_REFUSE_RECV_LOCAL);
	}
}

/* --- checks before the first byte -------------------------------------------------------- */

/* The range under the remote key, and the QP's rights. */
static enum hca_step check_range(struct hca_responder *r, const struct hca_request *request)
{
	struct hca_accessor who = hca_responder_accessor(r, request);
	enum hca_access access;
	bool allowed;

	if (hca_op_is_atomic(request->opcode)) {
		access = HCA_REMOTE_ATOMIC;
		allowed = r->qp->rae;
	} else if (request->opcode == HCA_OP_READ) {
		access = HCA_REMOTE_READ;
		allowed = r->qp->rre;
	} else {
		access = HCA_REMOTE_WRITE;
		allowed = r->qp->rwe;
	}
	if (!allowed)
		return refused(r, TRANSPORT_REFUSE_RIGHTS);
	if (hca_op_is_atomic(request->opcode) && request->raddr % 8)
		return refused(r, TRANSPORT_REFUSE_MISALIGNED);
	return hca_responder_range_fault(r, request,
					 hca_mkey_check_on(r->qp->hca, &who, request->rkey,
							   request->raddr, request->length, access,
							   r->checked),
					 0);
}

static enum hca_step check_receive(struct hca_responder *r, const struct hca_request *request,
				   bool *ready)
{
	struct hca_sgl sgl;
	struct hca_bad bad;

	switch (hca_recv_take(r->qp, r->recv_flow, request->xrc_srqn)) {
	case 0:
		break;
	case -EAGAIN:
		*ready = false;
		return HCA_STEP_MORE;
	default:
		return refused(r, TRANSPORT_REFUSE_RECV_QUEUE);
	}
	if (!hca_op_is_send(request->opcode))
		return HCA_STEP_MORE;
	if (request->length > r->recv_flow->recv.length)
		return refused(r, TRANSPORT_REFUSE_RECV_LENGTH);
	sgl = hca_responder_sgl(r);
	return hca_responder_receive_fault(
		r, hca_sgl_check(&sgl, request->length, HCA_LOCAL_WRITE, r->checked, &bad), &bad);
}

/* Requests to an XRC target are for an SRQ of its domain; the side with the send queue takes none.
 */
static bool xrc_srq_valid(const struct hca_responder *r, const struct hca_request *request)
{
	const struct hca_srq *srq = hca_table_get(&r->qp->hca->srqs, request->xrc_srqn);

	return r->qp->no_sq && srq && srq->xrcd == field_get(r->qp->qpc, QPC_XRCD, 23, 0);
}

/*
 * All packets of a message but its last one are full (IBTA vol. 1, 9.7.4.1.6): what is more than
 * one packet to either side needs the same path MTU at both.
 */
static bool packets_full(const struct hca_responder *r, const struct hca_request *request)
{
	uint64_t theirs = request->mtu, ours = hca_path_mtu(r->qp);

	return hca_op_is_fetch(request->opcode) || r->qp->type == HCA_QP_DCT || ours == theirs ||
	       (request->length <= ours && request->length <= theirs);
}

enum hca_step hca_responder_start(struct hca_responder *r, const struct hca_request *request,
				  bool *ready)
{
	enum hca_step step = HCA_STEP_MORE;

	*ready = true;
	if (r->qp->type == HCA_QP_DCT && request->dc_key != r->qp->dc_key) {
		hca_dct_violation(r->qp);
		return refused(r, TRANSPORT_REFUSE_DC_KEY);
	}
	if (r->qp->type == HCA_QP_XRC && !xrc_srq_valid(r, request))
		return refused(r, TRANSPORT_REFUSE_XRC_SRQ);
	if (!packets_full(r, request))
		return refused(r, TRANSPORT_REFUSE_LENGTH);

	if (!hca_op_is_send(request->opcode))
		step = check_range(r, request);
	if (step == HCA_STEP_MORE && hca_op_takes_receive(request->opcode))
		step = check_receive(r, request, ready);
	return step;
}

/* --- execution --------------------------------------------------------------------------- */

/*
 * Atomic to other requests of the HCAs, not to the CPUs. Memory is in host order, the operands were
 * big-endian in the WQE; the result goes back in host order (atomic_req_8B_endianness_mode 1).
 */
enum hca_step hca_responder_atomic(struct hca_responder *r, const struct hca_request *request,
				   uint64_t *original)
{
	struct hca_accessor who = hca_responder_accessor(r, request);
	bool add = request->opcode == HCA_OP_ATOMIC_FA;
	uint64_t new, len = sizeof(*original);
	enum hca_fault fault;

	*original = 0;
	fault = hca_mkey_read(r->qp->hca, &who, request->rkey, request->raddr, original, &len,
			      HCA_REMOTE_ATOMIC);
	if (fault == HCA_OK) {
		new = add ? *original + request->swap_add : request->swap_add;
		if (add || *original == request->compare)
			fault = hca_mkey_write(r->qp->hca, &who, request->rkey, request->raddr,
					       &new, &len, HCA_REMOTE_ATOMIC);
	}
	return hca_responder_range_fault(r, request, fault, 0);
}

enum hca_step hca_responder_receipt(struct hca_responder *r, const struct hca_request *request)
{
	static const uint8_t opcode[] = {
		[HCA_OP_SEND] = HCA_CQE_RESP_SEND,
		[HCA_OP_SEND_IMM] = HCA_CQE_RESP_SEND_IMM,
		[HCA_OP_SEND_INV] = HCA_CQE_RESP_SEND_INV,
		[HCA_OP_WRITE_IMM] = HCA_CQE_RESP_WRITE_IMM,
	};
	struct hca_cqe cqe = {
		.solicited = request->solicited,
		.byte_cnt = (uint32_t)request->length,
		.immediate = request->opcode == HCA_OP_SEND ? 0 : request->imm,
		.slid = request->slid,
		.flags_rqpn = request->src_qpn,
	};

	if (!hca_op_takes_receive(request->opcode))
		return HCA_STEP_MORE;
	if (request->opcode == HCA_OP_SEND_INV &&
	    !hca_umr_invalidate(r->qp->hca, hca_responder_accessor(r, request).pd, request->imm))
		return refused(r, TRANSPORT_REFUSE_INVALIDATE);
	cqe.opcode = opcode[request->opcode];
	hca_recv_complete(r->qp, r->recv_flow, &cqe);
	return HCA_STEP_MORE;
}
