/* SPDX-License-Identifier: GPL-2.0-only */
/* One turn of the engine. */
#include "hca/budget.h"
#include "hca/cmd.h"
#include "hca/due.h"
#include "hca/eth.h"
#include "hca/wire.h"

/* QPs that do work per call; the next call goes on behind them. */
#define BUSY_QPS 64u
/* CQs looked at per call; the next call goes on behind them. */
#define PEEKED_CQS 4096u
/* Of the watched ones, looked at per call. */
#define WATCHED 16u

struct turn {
	bool reset, link, impair;
};

/* Takes what the transport's thread left. */
static struct turn take(struct hca_mmio *mmio)
{
	struct turn turn;

	pthread_mutex_lock(&mmio->lock);
	turn = (struct turn){
		.reset = mmio->reset_pending,
		.link = mmio->link,
		.impair = mmio->impair,
	};
	pthread_mutex_unlock(&mmio->lock);
	return turn;
}

/* Commands and requests of the next owner wait until all is gone, which may take some turns. */
static void finish_reset(struct hca *hca)
{
	struct hca_mmio *mmio = &hca->mmio;

	hca_cmd_abandon(hca);
	if (!hca_drop_objects(hca))
		return;
	pthread_mutex_lock(&mmio->lock);
	mmio->reset_pending = false;
	atomic_store(&hca->fn.silent, false);
	pthread_mutex_unlock(&mmio->lock);
}

static uint32_t at_most(uint32_t count, uint32_t limit)
{
	return count < limit ? count : limit;
}

/* Where @qp belongs after a turn that @did something or not. */
static void place_qp(struct hca_qp *qp, bool did)
{
	struct hca *hca = qp->hca;

	if (qp->state < HCA_QP_RTS) {
		if (qp->frames)
			hca_qp_due(qp);
		return;
	}
	/* There may be more: look again, also without a new doorbell. */
	if (did)
		hca_qp_ring(qp);
	else if (qp->sq_ci != qp->sq_pi || qp->arrivals || qp->frames)
		hca_qp_due(qp);
	else if (qp->out_of_reach || qp->sq_kick || (qp->state == HCA_QP_ERR && qp->rq_wqes))
		hca_list_add(&hca->watched_qps, &qp->due);
}

/* Each of those that are due now once, a part of them in each turn when there is much to do. */
static bool poll_qps(struct hca *hca)
{
	uint32_t busy = 0, i;

	for (i = at_most(hca->watched_qps.count, WATCHED); i; i--)
		hca_qp_due(hca_object(hca->watched_qps.first, struct hca_qp, due));
	for (i = hca->due_qps.count; i && busy < BUSY_QPS; i--) {
		struct hca_qp *qp = hca_object(hca->due_qps.first, struct hca_qp, due);
		bool did;

		if (hca_turn_over(hca))
			return true;
		hca_work(hca, HCA_WORK_PEEK);
		hca_list_remove(&qp->due);
		did = hca_qp_poll(qp);
		place_qp(qp, did);
		busy += did;
	}
	return busy;
}

/* CQs whose events an EQ may have held back, as cq_lost says. */
static bool poll_lost_cqs(struct hca *hca)
{
	uint32_t size = hca->cqs.size, peeks = 0, i;
	bool busy = false;

	if (!size)
		hca->cq_lost = 0;
	for (i = 0; i < size && hca->cq_lost && peeks < PEEKED_CQS; i++) {
		uint32_t number = hca->cq_next < size ? hca->cq_next : 0;
		struct hca_cq *cq = hca->cqs.slot[number];

		hca->cq_next = number + 1;
		hca->cq_lost--;
		if (!cq || !cq->pi)
			continue;
		hca_work(hca, HCA_WORK_PEEK);
		peeks++;
		busy |= hca_cq_poll_arm(hca, cq);
	}
	return busy || hca->cq_lost;
}

/* Their share of a turn is their own, so that busy QPs do not keep events back. */
static bool poll_cqs(struct hca *hca)
{
	bool busy = false;
	uint32_t i;

	for (i = at_most(hca->watched_cqs.count, WATCHED); i; i--)
		hca_cq_due(hca, hca_object(hca->watched_cqs.first, struct hca_cq, due));
	for (i = at_most(hca->due_cqs.count, PEEKED_CQS); i; i--) {
		struct hca_cq *cq = hca_object(hca->due_cqs.first, struct hca_cq, due);

		hca_list_remove(&cq->due);
		hca_work(hca, HCA_WORK_PEEK);
		busy |= hca_cq_poll_arm(hca, cq);
	}
	return poll_lost_cqs(hca) || busy;
}

static bool run_turn(struct hca *hca)
{
	struct turn turn = take(&hca->mmio);
	bool busy = false;

	hca->work_left = HCA_TURN_WORK;
	if (turn.reset) {
		finish_reset(hca);
		return true;
	}
	if (hca->eth) {
		busy |= hca_eth_link(hca, turn.link);
	} else {
		if (turn.link != subnet_plugged(hca->port))
			subnet_set_link(hca->port, turn.link);
		busy |= hca_port_poll(hca);
	}
	busy |= hca_cmd_poll(hca);
	busy |= hca_eq_look(hca);
	hca_eq_remind(hca);
	if (hca->wire || turn.impair)
		busy |= hca_wire_poll(hca);
	busy |= hca_ud_poll(hca);
	if (hca->eth)
		busy |= hca_eth_poll(hca);
	hca_uar_look(hca);
	busy |= poll_qps(hca);
	busy |= poll_cqs(hca);
	return busy;
}

bool hca_poll(struct hca *hca)
{
	bool busy;

	if (hca->held)
		return false;
	hca->held = true;
	busy = run_turn(hca);
	hca->held = false;
	return busy;
}
