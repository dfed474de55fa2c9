/* SPDX-License-Identifier: GPL-2.0-only */
/* The payload of a send WQE, of any kind of message: where it is, and what if it is missing. */
#include "hca/budget.h"
#include "hca/data.h"

struct hca_sgl hca_wqe_sgl(struct hca_qp *qp)
{
	const struct hca_wqe *wqe = &hca_progress(qp)->wqe;

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
enum hca_step hca_local_denial(struct hca_qp *qp, enum hca_denial denial,
			       const struct hca_denied *denied, bool write, uint8_t *syndrome)
{
	if (denial == HCA_DENIED_PAGE)
		denial = hca_fault_raise(qp, HCA_FAULT_REQUESTER, denied, write);
	switch (denial) {
	case HCA_OK:
		return HCA_STEP_MORE;
	case HCA_DENIED_PAGE:
		return HCA_STEP_WAIT;
	case HCA_DENIED_TURN:
		return HCA_STEP_TURN;
	default:
		*syndrome = HCA_SYND_LOCAL_PROT;
		return HCA_STEP_ERROR;
	}
}

enum hca_step hca_stage(struct hca_qp *qp, size_t front, uint8_t *syndrome)
{
	struct hca_progress *progress = hca_progress(qp);
	const struct hca_wqe *wqe = &progress->wqe;
	struct hca_sgl sgl = hca_wqe_sgl(qp);

	if (hca_fault_pending(progress, HCA_FAULT_REQUESTER))
		return HCA_STEP_WAIT;
	if (!progress->staged)
		progress->staged = hca_alloc(qp->hca, front + wqe->length);
	if (!progress->staged) {
		*syndrome = HCA_SYND_LOCAL_QP_OP;
		return HCA_STEP_ERROR;
	}
	while (progress->done < wqe->length) {
		uint64_t len = wqe->length - progress->done;
		struct hca_denied denied;
		enum hca_step step;

		step = hca_local_denial(qp,
					hca_sgl_gather(&sgl, progress->done,
						       progress->staged + front + progress->done,
						       &len, &denied),
					&denied, false, syndrome);
		if (step != HCA_STEP_MORE)
			return step;
		progress->done += len;
		if (progress->done < wqe->length && hca_turn_over(qp->hca))
			return HCA_STEP_TURN;
	}
	progress->fault[HCA_FAULT_REQUESTER] = HCA_FAULT_IDLE;
	return HCA_STEP_DONE;
}
