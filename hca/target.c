/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory at a responder: in whose name a request gets at it, and what it means when it cannot.
 */
#include "hca/connection.h"

/* --- in whose name ----------------------------------------------------------------------- */

/* An XRC target has no protection domain: it is that of the SRQ which the request names. */
struct hca_accessor hca_range_accessor(const struct hca_link *l,
				       const struct transport_range *range)
{
	struct hca_accessor who = hca_qp_accessor(l->peer);

	/* In the sender's turn. */
	who.turn = l->qp->hca;
	if (l->peer->type == HCA_QP_XRC) {
		const struct hca_srq *srq = hca_table_get(&l->peer->hca->srqs, range->srqn);

		who.pd = srq ? srq->pd : 0;
	}
	return who;
}

struct hca_sgl hca_receive_sgl(const struct hca_link *l)
{
	struct hca_sgl sgl = hca_recv_sgl(l->peer, l->recv_progress);

	sgl.who.turn = l->qp->hca;
	return sgl;
}

/* --- faults ------------------------------------------------------------------------------ */

static enum hca_step step_of(enum hca_denial denial, enum transport_refusal *why,
			     enum transport_refusal key, enum transport_refusal bus)
{
	switch (denial) {
	case HCA_OK:
		return HCA_STEP_MORE;
	case HCA_DENIED_PAGE:
		return HCA_STEP_WAIT;
	case HCA_DENIED_TURN:
		return HCA_STEP_TURN;
	case HCA_DENIED_BUS:
		return hca_refuse(why, bus);
	default:
		return hca_refuse(why, key);
	}
}

/* On UC nobody waits: what is written to a page that is not there is dropped, as if by the key. */
enum hca_step hca_range_denial(struct hca_link *l, const struct transport_range *range,
			       enum hca_denial denial, uint64_t offset, enum transport_refusal *why)
{
	struct hca_denied denied = { range->r_key, range->va + offset, range->length - offset };

	if (denial == HCA_DENIED_PAGE && hca_is_unreliable(l->peer))
		denial = HCA_DENIED_KEY;
	if (denial == HCA_DENIED_PAGE)
		denial = hca_fault_raise(l->peer, HCA_FAULT_RESPONDER, &denied,
					 range->operation != TRANSPORT_READ);
	return step_of(denial, why, TRANSPORT_REFUSE_KEY, TRANSPORT_REFUSE_BUS);
}

enum hca_step hca_receive_denial(struct hca_link *l, enum hca_denial denial,
				 const struct hca_denied *denied, enum transport_refusal *why)
{
	if (denial == HCA_DENIED_PAGE)
		denial = hca_fault_raise(l->peer, HCA_FAULT_RESPONDER, denied, true);
	return step_of(denial, why, TRANSPORT_REFUSE_RECV_LOCAL, TRANSPORT_REFUSE_RECV_LOCAL);
}

/* --- checks ------------------------------------------------------------------------------ */

/* What a driver said of their faults is over. */
void hca_range_passed(struct hca_link *l)
{
	if (!l->flight->passed)
		l->peer_progress->fault[HCA_FAULT_RESPONDER] = HCA_FAULT_IDLE;
	l->flight->passed = true;
}

enum hca_step hca_range_check(struct hca_link *l, const struct transport_range *range,
			      enum transport_refusal *why)
{
	struct hca_accessor who = hca_range_accessor(l, range);
	enum hca_access access = hca_is_atomic(range)		      ? HCA_REMOTE_ATOMIC
				 : range->operation == TRANSPORT_READ ? HCA_REMOTE_READ
								      : HCA_REMOTE_WRITE;
	enum hca_step step;

	step = hca_range_denial(l, range,
				hca_mkey_check_on(l->peer->hca, &who, range->r_key, range->va,
						  range->length, access, &l->flight->checked),
				0, why);
	if (step == HCA_STEP_MORE) {
		l->flight->unchecked = false;
		hca_range_passed(l);
	}
	return step;
}
