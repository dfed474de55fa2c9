/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the next turn looks at (poll.c). A queue for which nobody says that it is due has no turns:
 * whatever gives it something to do, but a doorbell, has to.
 */
#ifndef HCA_DUE_H
#define HCA_DUE_H

#include "hca/model.h"

/*
 * hca_qp_poll() is called in the next turn, and then in each while it does work or the send queue
 * has a WQE that is not completed.
 */
static inline void hca_qp_due(struct hca_qp *qp)
{
	hca_list_add(&qp->hca->due_qps, &qp->due);
}

/* The same, and the send doorbell record is read, by a TLP where it cannot be looked at. */
static inline void hca_qp_ring(struct hca_qp *qp)
{
	qp->sq_kick = true;
	hca_qp_due(qp);
}

/* The arm record of @cq is looked at in the next turn: it may have been written. */
static inline void hca_cq_due(struct hca *hca, struct hca_cq *cq)
{
	hca_list_add(&hca->due_cqs, &cq->due);
}

#endif
