/* SPDX-License-Identifier: GPL-2.0-only */
/* Queue pairs: CREATE_QP, DESTROY_QP, QUERY_QP. Transitions are in qp_modify.c. */
#include "hca/budget.h"
#include "hca/general.h"
#include "hca/kinds.h"
#include "hca/layout.h"
#include "hca/opcodes.h"
#include "hca/q_counter.h"
#include "hca/qos.h"
#include "hca/qp.h"
#include "hca/umem.h"

#define RQ_TYPE_RQ   0u
#define RQ_TYPE_SRQ  1u
#define RQ_TYPE_NONE 3u

static bool type_is_modelled(uint32_t type)
{
	switch (type) {
	case HCA_QP_RC:
	case HCA_QP_UC:
	case HCA_QP_UD:
	case HCA_QP_XRC:
	case HCA_QP_DCI:
	case HCA_QP_SMI:
	case HCA_QP_GSI:
	case HCA_QP_REG_UMR:
		return true;
	default:
		return false;
	}
}

struct hca_qp *hca_qp_get(struct hca *hca, const struct hca_cmd *cmd)
{
	struct hca_qp *qp = hca_table_get(&hca->qps, hca_cmd_number(cmd));

	if (!qp || qp->type == HCA_QP_DCT || qp->type == HCA_QP_ETH_SQ || qp->type == HCA_QP_ETH_RQ)
		return NULL;
	return hca_cmd_owns(cmd, qp->uid) ? qp : NULL;
}

void hca_qp_free(struct hca *hca, struct hca_qp *qp)
{
	hca_qp_stop(qp);
	hca_list_remove(&qp->due);
	hca_uar_forget_qp(qp);
	hca_q_counter_unbind(qp);
	hca_record_free(&qp->dbr);
	hca_pages_free(hca, &qp->pages);
	hca_release(hca, qp);
}

static void free_qp(struct hca *hca, void *qp)
{
	hca_qp_free(hca, qp);
}

const struct hca_kind hca_kind_qp = {
	.limit = HCA_QPN_LIMIT,
	.base = HCA_QPN_FIRST,
	.free = free_qp,
};

void hca_qp_hold(const struct hca_qp *qp, int change)
{
	struct hca *hca = qp->hca;
	struct hca_srq *srq = hca_table_get(&hca->srqs, qp->srqn);

	hca_plain_hold(&hca->uctxs, qp->uid, change);
	hca_plain_hold(&hca->pds, qp->pd, change);
	if (qp->sq_wqebbs)
		hca_cq_hold(hca, qp->cqn_snd, change);
	if (qp->rq_type != RQ_TYPE_NONE)
		hca_cq_hold(hca, qp->cqn_rcv, change);
	if (qp->rq_type == RQ_TYPE_SRQ && srq)
		srq->users += (uint32_t)change;
	hca_sched_hold(hca, qp, change);
}

void hca_qp_decode(struct hca_qp *qp)
{
	const uint8_t *qpc = qp->qpc;

	qp->changes++;
	qp->pd = field_get(qpc, QPC_PD);
	qp->cqn_snd = field_get(qpc, QPC_CQN_SND);
	qp->cqn_rcv = field_get(qpc, QPC_CQN_RCV);
	qp->remote_qpn = field_get(qpc, QPC_REMOTE_QPN);
	qp->loopback = field_get(qpc, QPC_FL);
	/* RoCE always has one, and says so nowhere. */
	qp->grh = qp->hca->eth || field_get(qpc, QPC_GRH);
	qp->rlid = (uint16_t)field_get(qpc, QPC_RLID);
	qp->ack_timeout = (uint8_t)field_get(qpc, QPC_ACK_TIMEOUT);
	memcpy(qp->rgid, qpc + QPC_RGID, sizeof(qp->rgid));
	qp->retry_count = (uint8_t)field_get(qpc, QPC_RETRY_COUNT);
	qp->rnr_retry = (uint8_t)field_get(qpc, QPC_RNR_RETRY);
	qp->rre = field_get(qpc, QPC_RRE);
	qp->rwe = field_get(qpc, QPC_RWE);
	qp->rae = field_get(qpc, QPC_RAE) && field_get(qpc, QPC_ATOMIC_MODE);
	qp->min_rnr_nak = (uint8_t)field_get(qpc, QPC_MIN_RNR_NAK);
	qp->q_key = field_get(qpc, QPC_Q_KEY);
}

/* The queues' shape, fixed for the QP's life. */
static void decode_queues(struct hca_qp *qp)
{
	const uint8_t *qpc = qp->qpc;

	qp->type = (enum hca_qp_type)field_get(qpc, QPC_ST);
	qp->dbr.addr = be64_at(qpc, QPC_DBR_ADDR);
	qp->uar = field_get(qpc, QPC_UAR_PAGE);
	qp->user_index = field_get(qpc, QPC_USER_INDEX);
	qp->no_sq = field_get(qpc, QPC_NO_SQ);
	qp->rq_type = (uint8_t)field_get(qpc, QPC_RQ_TYPE);
	qp->srqn = field_get(qpc, QPC_SRQN);
	if (qp->rq_type == RQ_TYPE_RQ) {
		qp->rq_wqes = 1u << field_get(qpc, QPC_LOG_RQ_SIZE);
		qp->rq_stride = 16u << field_get(qpc, QPC_LOG_RQ_STRIDE);
	}
	if (!qp->no_sq)
		qp->sq_wqebbs = 1u << field_get(qpc, QPC_LOG_SQ_SIZE);
	qp->sq_offset = qp->rq_wqes * qp->rq_stride;
	if (qp->type == HCA_QP_DCI && field_get(qpc, QPC_LOG_NUM_DCI_STREAM_CHANNELS))
		qp->failed_streams_max = 1u << field_get(qpc, QPC_LOG_NUM_DCI_ERRORED_STREAMS);
}

/* What a QP is attached to. srqn and xrcd are always filled in: rq_type decides. */
static enum hca_cmd_status check_resources(struct hca *hca, const struct hca_qp *qp,
					   struct hca_cmd *cmd)
{
	const struct hca_srq *srq = hca_table_get(&hca->srqs, qp->srqn);
	/* The driver lends its own to QPs that receive for an SRQ of the request, or not at all. */
	bool shared = qp->type == HCA_QP_XRC || qp->type == HCA_QP_DCI;

	if (qp->uid &&
	    (qp->type == HCA_QP_SMI || qp->type == HCA_QP_GSI || qp->type == HCA_QP_REG_UMR))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x05000c);
	/* The PD of a REG_UMR QP comes with RST2INIT. */
	if (!hca_plain_find(cmd, &hca->pds, qp->pd) && !(qp->type == HCA_QP_REG_UMR && !qp->pd))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x050001);
	if (qp->sq_wqebbs &&
	    (!hca_cq_find(hca, cmd, qp->cqn_snd, false) || !hca_table_get(&hca->uars, qp->uar)))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x050002);
	if (qp->rq_type != RQ_TYPE_NONE && !hca_cq_find(hca, cmd, qp->cqn_rcv, shared))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x050003);
	if (qp->rq_type == RQ_TYPE_SRQ &&
	    (!srq || !(hca_cmd_owns(cmd, srq->uid) || (shared && !srq->uid))))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x050004);
	return HCA_CMD_OK;
}

/* The queues' memory and the doorbell record: by page list and address, or in umems. */
static enum hca_cmd_status find_buffers(struct hca *hca, struct hca_qp *qp, struct hca_cmd *cmd)
{
	uint64_t bytes = qp->sq_offset + 64 * (uint64_t)qp->sq_wqebbs;
	bool umem = field_get(cmd->in, QP_WQ_UMEM_VALID);
	bool record = field_get(qp->qpc, QPC_DBR_UMEM_VALID);
	enum hca_cmd_status status;

	/* Programs have QPs without queues, for the device's own use: they name no umem, either. */
	if (umem && !bytes) {
		qp->dbr.addr = 0;
		return HCA_CMD_OK;
	}
	/* Whose queues are in a umem is a program: it has no DMA address for the record. */
	if (umem && !record)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x05000d);
	if (umem)
		status = hca_umem_pages(hca, cmd, be32_at(cmd->in, QP_WQ_UMEM_ID),
					be64_at(cmd->in, QP_WQ_UMEM_OFFSET), bytes, &qp->pages);
	else
		status = hca_cmd_pages(hca, cmd, bytes,
				       (uint8_t)(field_get(qp->qpc, QPC_LOG_PAGE_SIZE) + 12),
				       field_get(qp->qpc, QPC_PAGE_OFFSET), &qp->pages);
	if (status || !record)
		return status;
	return hca_umem_record(hca, cmd, field_get(qp->qpc, QPC_DBR_UMEM_ID), &qp->dbr);
}

enum hca_cmd_status hca_cmd_create_qp(struct hca *hca, struct hca_cmd *cmd)
{
	const uint8_t *qpc = cmd->in + QP_QPC;
	uint32_t type = field_get(qpc, QPC_ST);
	uint32_t rq_type = field_get(qpc, QPC_RQ_TYPE);
	enum hca_cmd_status status;
	struct hca_qp *qp;

	if (!type_is_modelled(type)) {
		hca_unmodelled(hca, "CREATE_QP service type %u", type);
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x050005);
	}
	if (type == HCA_QP_DCI &&
	    1u << field_get(qpc, QPC_LOG_NUM_DCI_ERRORED_STREAMS) > HCA_FAILED_STREAMS)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x05000b);
	if (rq_type != RQ_TYPE_RQ && rq_type != RQ_TYPE_SRQ && rq_type != RQ_TYPE_NONE)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x050006);
	qp = hca_alloc(hca, sizeof(*qp));
	if (!qp)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x050007);
	qp->hca = hca;
	qp->uid = hca_cmd_uid(cmd);
	memcpy(qp->qpc, qpc, sizeof(qp->qpc));
	field_put(qp->qpc, QPC_STATE, HCA_QP_RST);
	decode_queues(qp);
	hca_qp_decode(qp);
	status = check_resources(hca, qp, cmd);
	if (!status)
		status = find_buffers(hca, qp, cmd);
	if (!status)
		status = hca_cmd_add(hca, cmd, &hca->qps, HCA_QPN_FIRST, qp, &qp->number);
	if (status) {
		hca_qp_free(hca, qp);
		return status;
	}
	hca_qp_hold(qp, 1);
	if (qp->sq_wqebbs)
		hca_uar_add_qp(qp);
	if (qp->type == HCA_QP_GSI)
		hca->gsi_qpn = qp->number;
	else if (qp->type == HCA_QP_SMI)
		hca->smi_qpn = qp->number;
	/* Not the creator's to set. */
	field_put(qp->qpc, QPC_REMOTE_QPN, 0);
	qp->remote_qpn = 0;
	field_put(cmd->out, CMD_NUMBER, qp->number);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_destroy_qp(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_qp *qp = hca_qp_get(hca, cmd);

	if (!qp)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x050009);
	hca_qp_finish(qp);
	hca_table_remove(hca, &hca->qps, qp->number);
	hca_mcg_forget(hca, qp->number);
	hca_qp_hold(qp, -1);
	hca_qp_free(hca, qp);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_query_qp(struct hca *hca, struct hca_cmd *cmd)
{
	const struct hca_qp *qp = hca_qp_get(hca, cmd);
	uint8_t *qpc = cmd->out + QP_QPC;

	if (!qp)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x05000a);
	memcpy(qpc, qp->qpc, sizeof(qp->qpc));
	field_put(qpc, QPC_STATE, qp->state);
	field_put(qpc, QPC_HW_SQ_WQEBB_COUNTER, qp->sq_ci);
	field_put(qpc, QPC_SW_SQ_WQEBB_COUNTER, qp->sq_pi);
	field_put(qpc, QPC_HW_RQ_COUNTER, qp->rq_ci);
	return HCA_CMD_OK;
}
