/* SPDX-License-Identifier: GPL-2.0-only */
/* Copies within the memory of a QP's own function (DMA by MMO): nothing is sent. */
#include "hca/budget.h"
#include "hca/data.h"

/* One segment of the WQE, as a list. */
static struct hca_sgl one(struct hca_qp *qp, unsigned int segment)
{
	struct hca_sgl sgl = hca_wqe_sgl(qp);

	sgl.seg += segment;
	sgl.segs = 1;
	return sgl;
}

/* *@len bytes from @done on, less when the turn ends. Fetching them may take half of it. */
static enum hca_step copy_some(struct hca_qp *qp, uint64_t done, uint64_t *len, uint8_t *syndrome)
{
	struct hca_sgl from = one(qp, HCA_COPY_FROM), to = one(qp, HCA_COPY_TO);
	uint8_t buf[HCA_CHUNK];
	struct hca_denied denied;
	enum hca_step step;

	from.who.work_kept = qp->hca->work_left / 2;
	step = hca_local_denial(qp, hca_sgl_gather(&from, done, buf, len, &denied), &denied, false,
				syndrome);
	if (step != HCA_STEP_MORE)
		return step;
	return hca_local_denial(qp, hca_sgl_scatter(&to, done, buf, len, &denied), &denied, true,
				syndrome);
}

enum hca_step hca_copy_step(struct hca_qp *qp, struct hca_send_turn *turn, uint8_t *syndrome)
{
	struct hca_progress *progress = hca_progress(qp);
	const struct hca_wqe *wqe = &progress->wqe;

	if (wqe->length > HCA_COPY_MAX) {
		*syndrome = HCA_SYND_LOCAL_LENGTH;
		return HCA_STEP_ERROR;
	}
	if (hca_fault_pending(progress, HCA_FAULT_REQUESTER))
		return HCA_STEP_WAIT;
	while (progress->done < wqe->length) {
		uint64_t len = wqe->length - progress->done;
		enum hca_step step;

		if (!turn->budget)
			return HCA_STEP_TURN;
		if (len > HCA_CHUNK)
			len = HCA_CHUNK;
		step = copy_some(qp, progress->done, &len, syndrome);
		if (step != HCA_STEP_MORE)
			return step;
		progress->done += len;
		turn->budget -= len < turn->budget ? len : turn->budget;
		if (progress->done < wqe->length && hca_turn_over(qp->hca))
			return HCA_STEP_TURN;
	}
	progress->fault[HCA_FAULT_REQUESTER] = HCA_FAULT_IDLE;
	return HCA_STEP_DONE;
}
