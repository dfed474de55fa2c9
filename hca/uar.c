/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Doorbells in UAR pages: memory that the guest writes, and where each turn looks.
 *
 * What libmlx5 (post_send_db(), mlx5_arm_cq()) and mlx5_ib do: the doorbell record first, a
 * barrier, then one store of 8 bytes to a register, which names the queue. There are registers for
 * send queues at each half of MLX5_BF (log_bf_reg_size of the capabilities) and one for CQs in each
 * page. Receive queues, SRQs and the consumer index of a CQ have records only: they are read when
 * somebody needs them.
 *
 * Queues share registers: all CQs of a context have one, and send queues have too few of them. A
 * later doorbell hides an earlier one that was not seen yet. So whichever is seen may stand for any
 * queue of its page: the named one is looked at now, the others one after the other in the next
 * turns. A record was written before its doorbell, the hidden doorbell before the seen one, and the
 * register is emptied before records are read: what is hidden is found. Queues without work cost
 * nothing while nobody rings.
 */
#include <stdatomic.h>

#include "hca/budget.h"
#include "hca/cmd.h"
#include "hca/due.h"

#define SQ_SPACING 0x100u
/* Queues of a page that are looked at in one turn because their doorbells may be hidden. */
#define SEARCHED 16u

static struct hca_uar_page *page_of(struct hca *hca, uint32_t uar)
{
	return uar >= HCA_UAR_FIRST && uar < hca->uars.limit ? &hca->uar_page[uar] : NULL;
}

static void keep_or_drop(struct hca *hca, struct hca_uar_page *page)
{
	if (page && (page->qps.count || page->cqs.count))
		hca_list_add(&hca->used_uars, &page->used);
	else if (page)
		hca_list_remove(&page->used);
}

void hca_uar_add_qp(struct hca_qp *qp)
{
	struct hca_uar_page *page = page_of(qp->hca, qp->uar);

	if (page)
		hca_list_add(&page->qps, &qp->in_page);
	keep_or_drop(qp->hca, page);
}

void hca_uar_forget_qp(struct hca_qp *qp)
{
	hca_list_remove(&qp->in_page);
	keep_or_drop(qp->hca, page_of(qp->hca, qp->uar));
}

void hca_uar_add_cq(struct hca *hca, struct hca_cq *cq)
{
	struct hca_uar_page *page = page_of(hca, cq->uar);

	if (page)
		hca_list_add(&page->cqs, &cq->in_page);
	keep_or_drop(hca, page);
}

void hca_uar_forget_cq(struct hca *hca, struct hca_cq *cq)
{
	hca_list_remove(&cq->in_page);
	keep_or_drop(hca, page_of(hca, cq->uar));
}

/* What is in the register at @reg of page @uar, taken out of it; 0: nothing. */
static uint64_t take(struct hca *hca, uint32_t uar, uint32_t reg)
{
	uint8_t *page = (uint8_t *)hca->uar_memory + (uint64_t)(uar - HCA_UAR_FIRST) * HCA_UAR_PAGE;
	_Atomic uint64_t *word = (_Atomic uint64_t *)(page + reg);

	if (!atomic_load_explicit(word, memory_order_relaxed))
		return 0;
	return be64toh(atomic_exchange(word, 0));
}

static void look_at_sqs(struct hca *hca, struct hca_uar_page *page, uint32_t uar)
{
	for (uint32_t reg = HCA_UAR_SQ; reg < HCA_UAR_PAGE; reg += SQ_SPACING) {
		uint64_t value = take(hca, uar, reg);
		struct hca_qp *qp;

		if (!value)
			continue;
		qp = hca_table_get(&hca->qps, (uint32_t)value >> 8);
		if (qp && qp->in_page.list == &page->qps)
			hca_qp_ring(qp);
		page->qps_left = page->qps.count;
	}
}

static void look_at_cqs(struct hca *hca, struct hca_uar_page *page, uint32_t uar)
{
	uint64_t value = take(hca, uar, HCA_UAR_CQ_ARM);
	struct hca_cq *cq;

	if (!value)
		return;
	cq = hca_table_get(&hca->cqs, (uint32_t)value & 0xffffff);
	if (cq && cq->in_page.list == &page->cqs)
		hca_cq_due(hca, cq);
	page->cqs_left = page->cqs.count;
}

static uint32_t share(uint32_t *left, uint32_t count)
{
	uint32_t part = *left < SEARCHED ? *left : SEARCHED;

	if (part > count)
		part = count;
	*left = part < SEARCHED ? 0 : *left - part;
	return part;
}

static void search(struct hca *hca, struct hca_uar_page *page)
{
	uint32_t i;

	for (i = share(&page->qps_left, page->qps.count); i; i--)
		hca_qp_ring(hca_object(hca_list_turn(&page->qps), struct hca_qp, in_page));
	for (i = share(&page->cqs_left, page->cqs.count); i; i--)
		hca_cq_due(hca, hca_object(hca_list_turn(&page->cqs), struct hca_cq, in_page));
}

void hca_uar_look(struct hca *hca)
{
	if (!hca->used_uars.count)
		return;
	pthread_mutex_lock(&hca->uar_lock);
	for (uint32_t i = hca->used_uars.count; i; i--) {
		struct hca_place *place = hca_list_turn(&hca->used_uars);
		struct hca_uar_page *page = hca_object(place, struct hca_uar_page, used);
		uint32_t uar = (uint32_t)(page - hca->uar_page);

		hca_work(hca, HCA_WORK_PEEK);
		look_at_sqs(hca, page, uar);
		look_at_cqs(hca, page, uar);
		search(hca, page);
	}
	pthread_mutex_unlock(&hca->uar_lock);
}
