/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Receive queues and shared receive queues. Posting a receive rings nothing: the doorbell record is
 * read when a message needs a buffer and none is known, and polled on QPs in error.
 */
#include <errno.h>

#include "hca/data.h"
#include "hca/layout.h"
#include "hca/q_counter.h"

#define SRQ_NEXT_LEN  16u /* next segment in front of an SRQ WQE's data segments */
#define FLUSH_POLL_NS 1000000u

/* Receive counter of a doorbell record: its low 16 bits. */
static int read_counter(struct hca *hca, uint64_t dbr_addr, uint16_t *counter)
{
	uint8_t raw[4];

	if (pcie_read(&hca->fn, dbr_addr, raw, sizeof(raw), NULL))
		return -EIO;
	*counter = (uint16_t)be32_at(raw, RECORD_COUNTER);
	return 0;
}

static int take_own(struct hca_qp *qp, struct hca_progress *progress)
{
	uint8_t raw[HCA_RECV_STRIDE];
	struct hca_recv *recv = &progress->recv;
	uint64_t at;

	if (!qp->rq_wqes || qp->rq_stride > sizeof(raw))
		return -EAGAIN;
	if (progress->rq_pi == qp->rq_ci && read_counter(qp->hca, qp->dbr.addr, &progress->rq_pi))
		return -EIO;
	if (progress->rq_pi == qp->rq_ci)
		return -EAGAIN;
	if ((uint16_t)(progress->rq_pi - qp->rq_ci) > qp->rq_wqes)
		return -EIO;
	at = (uint64_t)(qp->rq_ci & (qp->rq_wqes - 1)) * qp->rq_stride;
	if (hca_pages_read(qp->hca, &qp->pages, at, raw, qp->rq_stride))
		return -EIO;
	recv->counter = qp->rq_ci++;
	recv->srqn = 0;
	recv->user_index = qp->user_index;
	recv->cqn = qp->cqn_rcv;
	recv->pd = qp->pd;
	recv->segs =
		hca_wqe_parse_recv(raw, qp->rq_stride, recv->seg, HCA_RECV_SEGS, &recv->length);
	recv->busy = true;
	return 0;
}

static int srq_catastrophic(struct hca *hca, struct hca_srq *srq)
{
	srq->error = true;
	hca_event_number(hca, HCA_EVENT_SRQ_CATAS, srq->number);
	return -EIO;
}

static int take_shared(struct hca_qp *qp, struct hca_progress *progress, struct hca_srq *srq)
{
	uint8_t raw[HCA_RECV_STRIDE];
	struct hca_recv *recv = &progress->recv;
	uint16_t posted, left;

	if (!srq || srq->error || srq->stride > sizeof(raw) || srq->stride < SRQ_NEXT_LEN)
		return -EIO;
	if (read_counter(qp->hca, srq->dbr_addr, &posted))
		return srq_catastrophic(qp->hca, srq);
	left = (uint16_t)(posted - srq->consumed);
	if (!left)
		return -EAGAIN;
	if (left > srq->wqes || srq->head >= srq->wqes ||
	    hca_pages_read(qp->hca, &srq->pages, (uint64_t)srq->head * srq->stride, raw,
			   srq->stride))
		return srq_catastrophic(qp->hca, srq);
	recv->counter = srq->head;
	recv->srqn = srq->number;
	recv->user_index = qp->type == HCA_QP_XRC ? srq->user_index : qp->user_index;
	recv->cqn = qp->type == HCA_QP_XRC ? srq->cqn : qp->cqn_rcv;
	recv->pd = srq->pd;
	recv->segs = hca_wqe_parse_recv(raw + SRQ_NEXT_LEN, srq->stride - SRQ_NEXT_LEN, recv->seg,
					HCA_RECV_SEGS, &recv->length);
	recv->busy = true;
	srq->head = be16_at(raw, SRQ_NEXT_WQE_INDEX);
	srq->consumed++;
	if (srq->lwm && left - 1 < srq->lwm) {
		srq->lwm = 0;
		hca_event_number(qp->hca, HCA_EVENT_SRQ_LIMIT, srq->number);
	}
	return 0;
}

int hca_recv_take(struct hca_qp *qp, struct hca_progress *progress, uint32_t xrc_srqn)
{
	uint32_t srqn = qp->type == HCA_QP_XRC ? xrc_srqn : qp->srqn;

	if (progress->recv.busy)
		return 0;
	if (qp->rq_type != 1)
		return take_own(qp, progress);
	return take_shared(qp, progress, hca_table_get(&qp->hca->srqs, srqn));
}

struct hca_sgl hca_recv_sgl(struct hca_qp *qp, const struct hca_progress *progress)
{
	const struct hca_recv *recv = &progress->recv;

	return (struct hca_sgl){
		.hca = qp->hca,
		.who = { .pd = recv->pd, .qpn = qp->number, .turn = qp->hca },
		.seg = recv->seg,
		.segs = recv->segs,
	};
}

void hca_recv_complete(struct hca_qp *qp, struct hca_progress *progress, struct hca_cqe *cqe)
{
	struct hca_recv *recv = &progress->recv;

	cqe->qpn = qp->number;
	cqe->srqn = hca_cqe_index(qp->hca, recv->user_index, recv->srqn);
	cqe->wqe_counter = recv->counter;
	recv->busy = false;
	hca_cq_post(qp->hca, recv->cqn, cqe);
}

void hca_recv_fail(struct hca_qp *qp, struct hca_progress *progress, uint8_t syndrome)
{
	struct hca_cqe cqe = { .opcode = HCA_CQE_RESP_ERR, .syndrome = syndrome };

	hca_count_receive_error(qp, syndrome);
	hca_recv_complete(qp, progress, &cqe);
}

static bool flush_is_due(struct hca_qp *qp, struct hca_progress *progress)
{
	uint64_t now;
	uint8_t raw[4];

	if (progress->rq_pi != qp->rq_ci)
		return true;
	now = clock_now_ns();
	if (now - qp->last_flush_ns < FLUSH_POLL_NS)
		return false;
	qp->last_flush_ns = now;
	return pcie_peek(&qp->hca->fn, qp->dbr.addr, raw, sizeof(raw)) ||
	       (uint16_t)be32_at(raw, RECORD_COUNTER) != qp->rq_ci;
}

unsigned int hca_recv_flush(struct hca_qp *qp, unsigned int budget)
{
	struct hca_progress *progress = hca_progress(qp);
	unsigned int flushed = 0;

	if (!progress)
		return 0;
	if (progress->recv.busy) {
		hca_recv_fail(qp, progress, HCA_SYND_FLUSH);
		flushed++;
	}
	if (qp->rq_type == 1 || !qp->rq_wqes || !flush_is_due(qp, progress))
		return flushed;
	while (flushed < budget && !take_own(qp, progress)) {
		hca_recv_fail(qp, progress, HCA_SYND_FLUSH);
		flushed++;
	}
	return flushed;
}
