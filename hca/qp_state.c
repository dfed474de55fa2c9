/* SPDX-License-Identifier: GPL-2.0-only */
/* What a state of a queue pair means for what is under way. Commands and the data path set it. */
#include "hca/budget.h"
#include "hca/capture.h"
#include "hca/wire.h"
#include "hca/data.h"
#include "hca/due.h"
#include "hca/qp.h"

static void state_changed(struct hca_qp *qp, enum hca_qp_state old)
{
	switch (qp->state) {
	case HCA_QP_RST:
	case HCA_QP_INIT:
		if (qp->state == HCA_QP_INIT && old != HCA_QP_RST)
			break;
		hca_qp_stop(qp);
		qp->sq_ci = qp->sq_pi = qp->rq_ci = 0;
		qp->failed_streams = 0;
		break;
	case HCA_QP_ERR:
		qp->retrying = false;
		qp->last_flush_ns = 0;
		/* Receives of an XRC target belong to the SRQs that requests name: none is its
		 * last. */
		if (qp->rq_type == 1 && qp->type != HCA_QP_XRC && old != HCA_QP_ERR)
			hca_event_number(qp->hca, HCA_EVENT_SRQ_LAST_WQE, qp->number);
		break;
	default:
		break;
	}
}

void hca_qp_set_state(struct hca_qp *qp, enum hca_qp_state state)
{
	enum hca_qp_state old = qp->state;

	qp->state = state;
	field_put(qp->qpc, QPC_STATE, state);
	hca_qp_due(qp);
	state_changed(qp, old);
}

void hca_qp_error(struct hca_qp *qp, int event)
{
	if (qp->state == HCA_QP_ERR)
		return;
	hca_qp_set_state(qp, HCA_QP_ERR);
	if (event != HCA_NO_EVENT)
		hca_event_qp(qp, (enum hca_event)event);
}

void hca_qp_stop(struct hca_qp *qp)
{
	struct hca_progress *progress = qp->progress;

	if (progress) {
		hca_release(qp->hca, progress->staged);
		hca_capture_drop(progress->connection);
		if (progress->connection) {
			hca_packets_drop(progress->connection);
			hca_frames_drop(progress->connection);
		}
		hca_release(qp->hca, progress->connection);
	}
	hca_release(qp->hca, progress);
	qp->progress = NULL;
	qp->retrying = false;
	qp->sq_kick = false;
}
