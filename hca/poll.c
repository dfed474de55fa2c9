/* SPDX-License-Identifier: GPL-2.0-only */
/* One turn of the engine. */
#include "hca/budget.h"
#include "hca/cmd.h"

/* QPs that do work per call; the next call goes on behind them. */
#define BUSY_QPS 64u
/* CQs looked at per call; the next call goes on behind them. */
#define PEEKED_CQS 4096u

struct turn {
	bool reset, overflow, link, eqs;
	unsigned int tail, head;
};

/* Takes what the transport's thread left. Doorbells stay in the ring until they are looked at. */
static struct turn take(struct hca_mmio *mmio)
{
	struct turn turn;

	pthread_mutex_lock(&mmio->lock);
	turn = (struct turn){
		.reset = mmio->reset_pending,
		.link = mmio->link,
		.overflow = mmio->doorbell_overflow,
		.eqs = mmio->eq_rung,
		.tail = mmio->doorbell_tail,
		.head = mmio->doorbell_head,
	};
	/* What came after the reset stays until the objects are gone. */
	if (!turn.reset) {
		mmio->doorbell_overflow = false;
		mmio->eq_rung = false;
	}
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
	mmio->doorbell_tail = mmio->doorbell_head;
	mmio->doorbell_overflow = false;
	mmio->eq_rung = false;
	pthread_mutex_unlock(&mmio->lock);
}

static void ring_sq(struct hca *hca, uint64_t value)
{
	struct hca_qp *qp = hca_table_get(&hca->qps, (uint32_t)value >> 8);

	if (qp)
		qp->sq_kick = true;
}

static void ring_cq(struct hca *hca, uint64_t value)
{
	struct hca_cq *cq = hca_table_get(&hca->cqs, (uint32_t)value & 0xffffff);

	if (!cq)
		return;
	cq->armed_once = true;
	hca_cq_poll_arm(hca, cq);
}

static void kick_all(struct hca *hca)
{
	uint32_t i;

	hca->cq_lost = hca->cqs.size;
	for (i = 0; i < hca->qps.size; i++) {
		struct hca_qp *qp = hca->qps.slot[i];

		if (qp)
			qp->sq_kick = true;
	}
}

static void doorbells(struct hca *hca, const struct turn *turn)
{
	struct hca_mmio *mmio = &hca->mmio;
	unsigned int tail = turn->tail;

	/* Entries between tail and head are the engine's: the other thread only adds. */
	for (; tail != turn->head; tail = (tail + 1) % HCA_DOORBELLS) {
		uint32_t reg = mmio->doorbell[tail].offset % HCA_UAR_PAGE;

		if (reg == HCA_UAR_CQ_ARM)
			ring_cq(hca, mmio->doorbell[tail].value);
		else
			ring_sq(hca, mmio->doorbell[tail].value);
	}
	pthread_mutex_lock(&mmio->lock);
	mmio->doorbell_tail = tail;
	pthread_mutex_unlock(&mmio->lock);
	if (turn->overflow)
		kick_all(hca);
}

/*
 * Doorbells of the driver's own pages are trapped, so idle QPs there cost nothing. Behind a shared
 * page the send doorbell record has to be looked at.
 */
static bool qp_needs_turn(const struct hca_qp *qp)
{
	if (qp->state < HCA_QP_RTS)
		return false;
	return qp->uar >= HCA_UAR_FIRST_SHARED || qp->sq_kick || qp->sq_ci != qp->sq_pi ||
	       qp->state != HCA_QP_RTS;
}

/* Goes round all QPs, a part in each turn when there is much to do. */
static bool poll_qps(struct hca *hca)
{
	uint32_t size = hca->qps.size, first = hca->poll_next, i, busy = 0;

	for (i = 0; i < size && busy < BUSY_QPS; i++) {
		uint32_t number = (first + i) % size;
		struct hca_qp *qp = hca->qps.slot[number];

		if (!qp || !qp_needs_turn(qp))
			continue;
		if (hca_turn_over(hca)) {
			hca->poll_next = number;
			return true;
		}
		hca_work(hca, HCA_WORK_PEEK);
		if (!hca_qp_poll(qp))
			continue;
		/* There may be more: look again, also without a new doorbell. */
		qp->sq_kick = true;
		hca->poll_next = (number + 1) % size;
		busy++;
	}
	return busy;
}

/* Their share of a turn is their own, so that busy QPs do not keep events back. */
static bool poll_cqs(struct hca *hca)
{
	uint32_t size = hca->cqs.size, peeks = 0, i;
	bool busy = false;

	for (i = 0; i < size && peeks < PEEKED_CQS; i++) {
		uint32_t number = hca->cq_next < size ? hca->cq_next : 0;
		struct hca_cq *cq = hca->cqs.slot[number];
		bool lost = hca->cq_lost;

		hca->cq_next = number + 1;
		hca->cq_lost -= lost;
		/* The arm doorbell of the others is trapped, unless there was no room for it. */
		if (!cq || !cq->pi || (!lost && !cq->delayed && cq->uar < HCA_UAR_FIRST_SHARED))
			continue;
		if (lost)
			hca_cq_arm_lost(hca, cq);
		hca_work(hca, HCA_WORK_PEEK);
		peeks++;
		busy |= hca_cq_poll_arm(hca, cq);
	}
	return busy || hca->cq_lost;
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
	if (turn.link != subnet_plugged(hca->port))
		subnet_set_link(hca->port, turn.link);
	busy |= hca_port_poll(hca);
	busy |= hca_cmd_poll(hca);
	busy |= turn.tail != turn.head || turn.overflow;
	if (turn.tail != turn.head || turn.overflow)
		doorbells(hca, &turn);
	busy |= hca_eq_look(hca, turn.eqs);
	hca_eq_remind(hca);
	busy |= hca_ud_poll(hca);
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
