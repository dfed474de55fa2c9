/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared receive queues: commands. With ISSI 0 all have srqc; with ISSI 1 those of XRC have
 * xrc_srqc, and others are RMPs, with rmpc and its wq (mlx5_ifc.h). Consumption is in rq.c.
 */
#include "hca/budget.h"
#include "hca/eth_layout.h"
#include "hca/kinds.h"
#include "hca/opcodes.h"

#define LOG_SRQ_MAX 15u /* log_max_srq_sz of caps.c */
#define STATE_ERROR 1u

#define RMPC	       0x20u /* of create_rmp_in, modify_rmp_in, query_rmp_out */
#define RMP_WQ	       (RMPC + 0x30u)
#define RMP_CONTEXT    0xf0u /* bytes up to the page list */
#define RMP_RDY	       1u
#define RMP_ERR	       3u
#define RMP_LOG_MIN    4u /* of a stride: the next segment's 16 bytes */
#define RMP_LOG_MAX    11u
#define WQ_LINKED      0u
#define RMP_MODIFY_LWM (1u << 0)

static void free_srq(struct hca *hca, void *object)
{
	struct hca_srq *srq = object;

	hca_pages_free(hca, &srq->pages);
	hca_release(hca, srq);
}

const struct hca_kind hca_kind_srq = {
	.limit = 1u << 16,
	.free = free_srq,
};

static void hold(struct hca *hca, const struct hca_srq *srq, int change)
{
	hca_plain_hold(&hca->uctxs, srq->uid, change);
	hca_plain_hold(&hca->pds, srq->pd, change);
	hca_plain_hold(&hca->xrcds, srq->xrcd, change);
	hca_cq_hold(hca, srq->cqn, change);
}

static struct hca_srq *find(struct hca *hca, const struct hca_cmd *cmd, enum hca_srq_kind kind)
{
	struct hca_srq *srq = hca_table_get(&hca->srqs, hca_cmd_number(cmd));

	return srq && srq->kind == kind && hca_cmd_owns(cmd, srq->uid) ? srq : NULL;
}

/* --- creation ---------------------------------------------------------------------------- */

/* @made is what the context says; its buffer has pages of @log_page_size, and begins at @offset. */
static enum hca_cmd_status create(struct hca *hca, struct hca_cmd *cmd, const struct hca_srq *made,
				  uint8_t log_page_size, uint32_t offset)
{
	enum hca_cmd_status status;
	struct hca_srq *srq;

	/* The driver lends its CQ and its XRCD to SRQs that do without. */
	if (!hca_plain_find(cmd, &hca->pds, made->pd) ||
	    (made->cqn && !hca_cq_find(hca, cmd, made->cqn, true)) ||
	    (made->xrcd && !hca_table_get(&hca->xrcds, made->xrcd)))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x070002);
	srq = hca_alloc(hca, sizeof(*srq));
	if (!srq)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x070003);
	*srq = *made;
	srq->uid = hca_cmd_uid(cmd);
	status = hca_cmd_pages(hca, cmd, (uint64_t)srq->stride * srq->wqes, log_page_size, offset,
			       &srq->pages);
	if (!status)
		status = hca_cmd_add(hca, cmd, &hca->srqs, 1, srq, &srq->number);
	if (status) {
		free_srq(hca, srq);
		return status;
	}
	hold(hca, srq, 1);
	field_put(cmd->out, CMD_NUMBER, srq->number);
	return HCA_CMD_OK;
}

/* srqc, and xrc_srqc, which has the same fields, and an index. */
static enum hca_cmd_status create_srq(struct hca *hca, struct hca_cmd *cmd, enum hca_srq_kind kind)
{
	const uint8_t *srqc = cmd->in + HCA_CMD_CONTEXT;
	uint32_t log_size = field_get(srqc, SRQC_LOG_SRQ_SIZE);
	struct hca_srq made = {
		.kind = kind,
		.stride = 16u << field_get(srqc, SRQC_LOG_RQ_STRIDE),
		.pd = field_get(srqc, SRQC_PD),
		.xrcd = field_get(srqc, SRQC_XRCD),
		.cqn = field_get(srqc, SRQC_CQN),
		.lwm = (uint16_t)field_get(srqc, SRQC_LWM),
		.dbr_addr = be64_at(srqc, SRQC_DBR_ADDR),
	};

	if (log_size > LOG_SRQ_MAX)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x070001);
	made.wqes = 1u << log_size;
	if (kind == HCA_SRQ_XRC) {
		/* In a umem; or WQEs of another form; or the index is the queue's number. */
		if (field_get(cmd->in, XRC_SRQ_UMEM) || field_get(srqc, XRC_SRQC_DBR_UMEM) ||
		    field_get(srqc, XRC_SRQC_CYCLIC) || field_get(srqc, XRC_SRQC_INDEX_IS_NUMBER))
			return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x07000a);
		made.user_index = field_get(srqc, XRC_SRQC_USER_INDEX);
	}
	memcpy(made.context, srqc, SRQC_SIZE);
	return create(hca, cmd, &made, (uint8_t)(field_get(srqc, SRQC_LOG_PAGE_SIZE) + 12),
		      field_get(srqc, SRQC_PAGE_OFFSET));
}

enum hca_cmd_status hca_cmd_create_srq(struct hca *hca, struct hca_cmd *cmd)
{
	return create_srq(hca, cmd, HCA_SRQ_PLAIN);
}

enum hca_cmd_status hca_cmd_create_xrc_srq(struct hca *hca, struct hca_cmd *cmd)
{
	return create_srq(hca, cmd, HCA_SRQ_XRC);
}

enum hca_cmd_status hca_cmd_create_rmp(struct hca *hca, struct hca_cmd *cmd)
{
	const uint8_t *wq = cmd->in + RMP_WQ;
	uint32_t log_stride = field_get(wq, WQ_LOG_STRIDE), log_size = field_get(wq, WQ_LOG_SIZE);
	struct hca_srq made = {
		.kind = HCA_SRQ_RMP,
		.pd = field_get(wq, WQ_PD),
		.lwm = (uint16_t)field_get(wq, WQ_LWM),
		.dbr_addr = be64_at(wq, WQ_DBR_ADDR),
	};

	if (log_size > LOG_SRQ_MAX || log_stride < RMP_LOG_MIN || log_stride > RMP_LOG_MAX ||
	    field_get(wq, WQ_TYPE) != WQ_LINKED || field_get(cmd->in + RMPC, RMPC_CYCLIC) ||
	    field_get(wq, WQ_DBR_UMEM) || field_get(wq, WQ_UMEM) ||
	    field_get(cmd->in + RMPC, RMPC_STATE) != RMP_RDY)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x07000b);
	made.wqes = 1u << log_size;
	made.stride = 1u << log_stride;
	memcpy(made.context, cmd->in + RMPC, RMP_CONTEXT);
	return create(hca, cmd, &made, (uint8_t)(field_get(wq, WQ_LOG_PAGE) + 12),
		      field_get(wq, WQ_PAGE_OFFSET));
}

/* --- the rest ---------------------------------------------------------------------------- */

static enum hca_cmd_status destroy(struct hca *hca, struct hca_cmd *cmd, enum hca_srq_kind kind)
{
	struct hca_srq *srq = find(hca, cmd, kind);

	if (!srq)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x070005);
	if (srq->users)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x070006);
	hca_table_remove(hca, &hca->srqs, srq->number);
	hold(hca, srq, -1);
	free_srq(hca, srq);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_destroy_srq(struct hca *hca, struct hca_cmd *cmd)
{
	return destroy(hca, cmd, HCA_SRQ_PLAIN);
}

enum hca_cmd_status hca_cmd_destroy_xrc_srq(struct hca *hca, struct hca_cmd *cmd)
{
	return destroy(hca, cmd, HCA_SRQ_XRC);
}

enum hca_cmd_status hca_cmd_destroy_rmp(struct hca *hca, struct hca_cmd *cmd)
{
	return destroy(hca, cmd, HCA_SRQ_RMP);
}

static enum hca_cmd_status query(struct hca *hca, struct hca_cmd *cmd, enum hca_srq_kind kind)
{
	const struct hca_srq *srq = find(hca, cmd, kind);
	uint8_t *srqc = cmd->out + HCA_CMD_CONTEXT;

	if (!srq)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x070007);
	memcpy(srqc, srq->context, SRQC_SIZE);
	field_put(srqc, SRQC_STATE, srq->error ? STATE_ERROR : 0);
	field_put(srqc, SRQC_LWM, srq->lwm);
	field_put(srqc, SRQC_WQE_CNT, srq->consumed);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_query_srq(struct hca *hca, struct hca_cmd *cmd)
{
	return query(hca, cmd, HCA_SRQ_PLAIN);
}

enum hca_cmd_status hca_cmd_query_xrc_srq(struct hca *hca, struct hca_cmd *cmd)
{
	return query(hca, cmd, HCA_SRQ_XRC);
}

enum hca_cmd_status hca_cmd_query_rmp(struct hca *hca, struct hca_cmd *cmd)
{
	const struct hca_srq *srq = find(hca, cmd, HCA_SRQ_RMP);

	if (!srq)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x070007);
	memcpy(cmd->out + RMPC, srq->context, RMP_CONTEXT);
	field_put(cmd->out + RMPC, RMPC_STATE, srq->error ? RMP_ERR : RMP_RDY);
	field_put(cmd->out + RMP_WQ, WQ_LWM, srq->lwm);
	be32_put(cmd->out, RMP_WQ + WQ_HW_COUNTER, srq->consumed);
	return HCA_CMD_OK;
}

/*
 * The limit event is due once fewer than lwm WQEs are left; when that is so already it comes at
 * once.
 */
static enum hca_cmd_status arm(struct hca *hca, struct hca_cmd *cmd, enum hca_srq_kind kind,
			       uint16_t lwm)
{
	struct hca_srq *srq = find(hca, cmd, kind);
	uint8_t record[4];

	if (!srq)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x070008);
	if (srq->error)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x070009);
	srq->lwm = lwm;
	if (!lwm || pcie_read(&hca->fn, srq->dbr_addr, record, sizeof(record), NULL))
		return HCA_CMD_OK;
	if ((uint16_t)(be32_at(record, RECORD_RECEIVE) - srq->consumed) < lwm) {
		srq->lwm = 0;
		hca_event_number(hca, HCA_EVENT_SRQ_LIMIT, srq->number);
	}
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_arm_srq(struct hca *hca, struct hca_cmd *cmd)
{
	return arm(hca, cmd, HCA_SRQ_PLAIN, (uint16_t)field_get(cmd->in, ARM_RQ_LWM));
}

enum hca_cmd_status hca_cmd_arm_xrc_srq(struct hca *hca, struct hca_cmd *cmd)
{
	return arm(hca, cmd, HCA_SRQ_XRC, (uint16_t)field_get(cmd->in, ARM_RQ_LWM));
}

/* The limit is all that changes; an RMP in error stays so. */
enum hca_cmd_status hca_cmd_modify_rmp(struct hca *hca, struct hca_cmd *cmd)
{
	if (be32_at(cmd->in, MODIFY_BITMASK) != RMP_MODIFY_LWM ||
	    field_get(cmd->in, MODIFY_STATE) != RMP_RDY ||
	    field_get(cmd->in + RMPC, RMPC_STATE) != RMP_RDY)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x07000c);
	return arm(hca, cmd, HCA_SRQ_RMP, (uint16_t)field_get(cmd->in + RMP_WQ, WQ_LWM));
}
