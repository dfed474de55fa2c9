/* SPDX-License-Identifier: GPL-2.0-only */
/* The payload of a send WQE, of any kind of message: where it is, and what if it is missing. */
#include "hca/budget.h"
#include "hca/data.h"

struct hca_sgl hca_wqe_sgl(struct hca_qp *qp)
{
	const struct hca_wqe *wqe = &hca_flow(qp)->wqe;

	return (struct hca_sgl){
		.hca = qp->hca,
		.who = hca_qp_accessor(qp),
		.seg = wqe->seg,
		.segs = wqe->segs,
	};
}

/*
 * A bus error on the requester's own buffer is reported like a key that does not cover it: for the
 * verbs user both mean that the local memory of this request could not be accessed.
 */
enum hca_step hca_local_fault(struct hca_qp *qp, enum hca_fault fault, const struct hca_bad *bad,
			      bool write, uint8_t *syndrome)
{
	if (fault == HCA_FAULT_PAGE)
		fault = hca_fault_raise(qp, HCA_FAULT_REQUESTER, bad, write);
	switch (fault) {
	case HCA_OK:
		return HCA_STEP_MORE;
	case HCA_FAULT_PAGE:
		return HCA_STEP_WAIT;
	case HCA_FAULT_TURN:
		return HCA_STEP_TURN;
	default:
		*syndrome = HCA_SYND_LOCAL_PROT;
		return HCA_STEP_ERROR;
	}
}

enum hca_step hca_stage(struct hca_qp *qp, size_t front, uint8_t *syndrome)
{
	struct hca_flow *flow = hca_flow(qp);
	const struct hca_wqe *wqe = &flow->wqe;
	struct hca_sgl sgl = hca_wqe_sgl(qp);

	if (hca_fault_pending(flow, HCA_FAULT_REQUESTER))
		return HCA_STEP_WAIT;
	if (!flow->staged)
		flow->staged = hca_alloc(qp->hca, front + wqe->length);
	if (!flow->staged) {
		*syndrome = HCA_SYND_LOCAL_QP_OP;
		return HCA_STEP_ERROR;
	}
	while (flow->done < wqe->length) {
		uint64_t len = wqe->length - flow->done;
		struct hca_bad bad;
		enum hca_step step;

		step = hca_local_fault(qp,
				       hca_sgl_gather(&sgl, flow->done,
						      flow->staged + front + flow->done, &len,
						      &bad),
				       &bad, false, syndrome);
		if (step != HCA_STEP_MORE)
			return step;
		flow->done += len;
		if (flow->done < wqe->length && hca_turn_over(qp->hca))
			return HCA_STEP_TURN;
	}
	flow->fault[HCA_FAULT_REQUESTER] = HCA_FAULT_IDLE;
	return HCA_STEP_DONE;
}
