/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Send and receive queues of frames: commands. Both are QPs that have one queue: RST, RDY and ERR
 * of theirs are RST, RTS and ERR of a QP. Layouts: sqc, rqc, wq, modify_sq_in of mlx5_ifc.h.
 */
#include "hca/budget.h"
#include "hca/opcodes.h"
#include "hca/data.h"
#include "hca/due.h"
#include "hca/eth.h"
#include "hca/q_counter.h"
#include "hca/qos.h"
#include "hca/umem.h"

#define CONTEXT 0x20u
#define WQ	(CONTEXT + 0x30u) /* in both contexts */

#define STATE_RST 0u
#define STATE_RDY 1u
#define STATE_ERR 3u

#define TYPE_CYCLIC   1u
#define LOG_STRIDE_SQ 6u
#define LOG_STRIDE_RQ 11u /* the longest that is read: HCA_RECV_STRIDE */
#define LOG_SIZE_MAX  15u
#define RQ_TYPE_RQ    0u
#define RQ_TYPE_NONE  3u

/* modify_rq_in.modify_bitmask, its second word at 0x14 */
#define MODIFY_VSD     (1u << 1)
#define MODIFY_COUNTER (1u << 3)
/* modify_sq_in.modify_bitmask, the same */
#define MODIFY_RATE (1u << 0)

struct hca_qp *hca_eth_queue_find(struct hca *hca, const struct hca_cmd *cmd, uint32_t number,
				  enum hca_qp_type type)
{
	struct hca_qp *qp = hca_table_get(&hca->qps, number);

	return qp && qp->type == type && hca_cmd_owns(cmd, qp->uid) ? qp : NULL;
}

/* --- creation ---------------------------------------------------------------------------- */

/* The queue's shape, and what it is attached to. */
static enum hca_cmd_status decode(struct hca *hca, struct hca_cmd *cmd, struct hca_qp *qp)
{
	const uint8_t *context = cmd->in + CONTEXT, *wq = cmd->in + WQ;
	uint32_t log_stride = field_get(wq, WQ_LOG_STRIDE), log_size = field_get(wq, WQ_LOG_SIZE);
	uint32_t cqn = field_get(context, QUEUE_CQN);
	bool sq = qp->type == HCA_QP_ETH_SQ;

	if (field_get(wq, WQ_TYPE) != TYPE_CYCLIC) {
		hca_unmodelled(hca, "queue of frames of type %u", field_get(wq, WQ_TYPE));
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x230001);
	}
	/* hairpin; mem_rq_type: receives that several queues share. */
	if (field_get(context, QUEUE_HAIRPIN) || (!sq && field_get(context, RQ_MEM_TYPE))) {
		hca_unmodelled(hca, "hairpin or shared queue of frames");
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x230002);
	}
	if (log_size > LOG_SIZE_MAX || field_get(context, QUEUE_STATE) != STATE_RST ||
	    (sq ? log_stride != LOG_STRIDE_SQ : log_stride < 4 || log_stride > LOG_STRIDE_RQ))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x230003);
	qp->pd = field_get(wq, WQ_PD);
	qp->uar = field_get(wq, WQ_UAR);
	qp->dbr.addr = be64_at(wq, WQ_DBR_ADDR);
	qp->user_index = field_get(context, QUEUE_USER_INDEX);
	if (sq) {
		qp->rq_type = RQ_TYPE_NONE;
		qp->sq_wqebbs = 1u << log_size;
		qp->cqn_snd = cqn;
		qp->tisn = field_get(context, SQ_TIS_LIST_SIZE) ? field_get(context, SQ_TIS) : 0;
	} else {
		qp->no_sq = true;
		qp->rq_type = RQ_TYPE_RQ;
		qp->rq_wqes = 1u << log_size;
		qp->rq_stride = 1u << log_stride;
		qp->cqn_rcv = cqn;
		qp->strip_vlan = !field_get(context, RQ_VSD);
	}
	if (!hca_cq_find(hca, cmd, cqn, false) ||
	    (qp->pd && !hca_plain_find(cmd, &hca->pds, qp->pd)) ||
	    (sq && !hca_table_get(&hca->uars, qp->uar)) ||
	    (qp->tisn && !hca_tis_find(hca, cmd, qp->tisn)))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x230004);
	return HCA_CMD_OK;
}

/* Buffer and doorbell record: by page list and address, or in umems. */
static enum hca_cmd_status find_buffers(struct hca *hca, struct hca_cmd *cmd, struct hca_qp *qp)
{
	const uint8_t *wq = cmd->in + WQ;
	uint64_t bytes = (uint64_t)qp->rq_wqes * qp->rq_stride + 64 * (uint64_t)qp->sq_wqebbs;
	bool record = field_get(wq, WQ_DBR_UMEM), umem = field_get(wq, WQ_UMEM);
	enum hca_cmd_status status;

	/* Whose queues are in a umem is a program: it has no DMA address for the record. */
	if (umem && !record)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x230005);
	if (umem)
		status = hca_umem_pages(hca, cmd, be32_at(wq, WQ_UMEM_NUMBER),
					be64_at(wq, WQ_UMEM_BYTE), bytes, &qp->pages);
	else
		status = hca_cmd_pages(hca, cmd, bytes, (uint8_t)(field_get(wq, WQ_LOG_PAGE) + 12),
				       field_get(wq, WQ_PAGE_OFFSET), &qp->pages);
	if (status || !record)
		return status;
	return hca_umem_record(hca, cmd, be32_at(wq, WQ_DBR_UMEM_ID), &qp->dbr);
}

static void hold(struct hca *hca, const struct hca_qp *qp, int change)
{
	struct hca_tis *tis = hca_table_get(&hca->tises, qp->tisn);

	hca_qp_hold(qp, change);
	if (tis)
		tis->users += (uint32_t)change;
}

static enum hca_cmd_status create(struct hca *hca, struct hca_cmd *cmd, enum hca_qp_type type)
{
	struct hca_qp *qp = hca_alloc(hca, sizeof(*qp));
	enum hca_cmd_status status;

	if (!qp)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x230006);
	qp->hca = hca;
	qp->uid = hca_cmd_uid(cmd);
	qp->type = type;
	status = decode(hca, cmd, qp);
	if (!status)
		status = find_buffers(hca, cmd, qp);
	if (!status && type == HCA_QP_ETH_RQ)
		status = hca_q_counter_bind(hca, cmd, qp,
					    field_get(cmd->in + CONTEXT, RQ_COUNTER_SET));
	if (!status)
		status = hca_cmd_add(hca, cmd, &hca->qps, HCA_QPN_FIRST, qp, &qp->number);
	if (status) {
		hca_qp_free(hca, qp);
		return status;
	}
	/* The context as it came, for queries; a QP's has room for it. */
	memcpy(qp->qpc, cmd->in + CONTEXT, HCA_ETH_QUEUE_CONTEXT);
	hold(hca, qp, 1);
	if (type == HCA_QP_ETH_SQ)
		hca_uar_add_qp(qp);
	field_put(cmd->out, CMD_NUMBER, qp->number);
	return HCA_CMD_OK;
}

static enum hca_cmd_status destroy(struct hca *hca, struct hca_cmd *cmd, enum hca_qp_type type)
{
	struct hca_qp *qp = hca_eth_queue_find(hca, cmd, hca_cmd_number(cmd), type);

	if (!qp)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x230007);
	if (qp->users)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x230008);
	hca_qp_finish(qp);
	if (hca->eth->inbox.rqn == qp->number)
		hca->eth->inbox.rqn = 0;
	hca_table_remove(hca, &hca->qps, qp->number);
	hold(hca, qp, -1);
	hca_qp_free(hca, qp);
	return HCA_CMD_OK;
}

/* --- states ------------------------------------------------------------------------------ */

static uint32_t state_of(const struct hca_qp *qp)
{
	switch (qp->state) {
	case HCA_QP_RST:
		return STATE_RST;
	case HCA_QP_ERR:
		return STATE_ERR;
	default:
		return STATE_RDY;
	}
}

static void set_state(struct hca_qp *qp, uint32_t state)
{
	hca_qp_set_state(qp, state == STATE_RST	  ? HCA_QP_RST
			     : state == STATE_RDY ? HCA_QP_RTS
						  : HCA_QP_ERR);
	/* What was rung for before it was ready. */
	if (qp->state == HCA_QP_RTS)
		hca_qp_ring(qp);
}

/* From RST to RDY, from anywhere to RST and ERR; and from a state to itself, for the other fields.
 */
static bool may_go(uint32_t from, uint32_t to)
{
	return to == from || to == STATE_RST || to == STATE_ERR ||
	       (to == STATE_RDY && from == STATE_RST);
}

static enum hca_cmd_status modify(struct hca *hca, struct hca_cmd *cmd, enum hca_qp_type type)
{
	struct hca_qp *qp = hca_eth_queue_find(hca, cmd, hca_cmd_number(cmd), type);
	uint32_t from = field_get(cmd->in, MODIFY_STATE), select = be32_at(cmd->in, MODIFY_BITMASK);
	const uint8_t *context = cmd->in + CONTEXT;
	uint32_t to = field_get(context, QUEUE_STATE);
	enum hca_cmd_status status = HCA_CMD_OK;

	if (!qp)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x230009);
	if (from != state_of(qp))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x23000a);
	if (!may_go(from, to))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x23000b);
	if (type == HCA_QP_ETH_RQ && select & MODIFY_COUNTER)
		status = hca_q_counter_bind(hca, cmd, qp, field_get(context, RQ_COUNTER_SET));
	if (type == HCA_QP_ETH_SQ && select & MODIFY_RATE)
		status = hca_rate_bind(hca, cmd, qp, field_get(context, SQ_RATE));
	if (status)
		return status;
	if (type == HCA_QP_ETH_RQ && select & MODIFY_VSD)
		qp->strip_vlan = !field_get(context, RQ_VSD);
	if (to != from)
		set_state(qp, to);
	return HCA_CMD_OK;
}

static enum hca_cmd_status query(struct hca *hca, struct hca_cmd *cmd, enum hca_qp_type type)
{
	const struct hca_qp *qp = hca_eth_queue_find(hca, cmd, hca_cmd_number(cmd), type);
	uint8_t *context = cmd->out + CONTEXT;

	if (!qp)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x23000c);
	memcpy(context, qp->qpc, HCA_ETH_QUEUE_CONTEXT);
	field_put(context, QUEUE_STATE, state_of(qp));
	if (type == HCA_QP_ETH_RQ)
		field_put(context, RQ_VSD, !qp->strip_vlan);
	else
		field_put(context, SQ_RATE, qp->rate);
	/* hw_counter, sw_counter of wq */
	be32_put(cmd->out, WQ + WQ_HW_COUNTER, type == HCA_QP_ETH_SQ ? qp->sq_ci : qp->rq_ci);
	be32_put(cmd->out, WQ + WQ_SW_COUNTER, type == HCA_QP_ETH_SQ ? qp->sq_pi : qp->rq_ci);
	return HCA_CMD_OK;
}

/* --- commands ---------------------------------------------------------------------------- */

enum hca_cmd_status hca_cmd_create_sq(struct hca *hca, struct hca_cmd *cmd)
{
	return create(hca, cmd, HCA_QP_ETH_SQ);
}

enum hca_cmd_status hca_cmd_modify_sq(struct hca *hca, struct hca_cmd *cmd)
{
	return modify(hca, cmd, HCA_QP_ETH_SQ);
}

enum hca_cmd_status hca_cmd_destroy_sq(struct hca *hca, struct hca_cmd *cmd)
{
	return destroy(hca, cmd, HCA_QP_ETH_SQ);
}

enum hca_cmd_status hca_cmd_query_sq(struct hca *hca, struct hca_cmd *cmd)
{
	return query(hca, cmd, HCA_QP_ETH_SQ);
}

enum hca_cmd_status hca_cmd_create_rq(struct hca *hca, struct hca_cmd *cmd)
{
	return create(hca, cmd, HCA_QP_ETH_RQ);
}

enum hca_cmd_status hca_cmd_modify_rq(struct hca *hca, struct hca_cmd *cmd)
{
	return modify(hca, cmd, HCA_QP_ETH_RQ);
}

enum hca_cmd_status hca_cmd_destroy_rq(struct hca *hca, struct hca_cmd *cmd)
{
	return destroy(hca, cmd, HCA_QP_ETH_RQ);
}

enum hca_cmd_status hca_cmd_query_rq(struct hca *hca, struct hca_cmd *cmd)
{
	return query(hca, cmd, HCA_QP_ETH_RQ);
}
