/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared receive queues: commands. Layout: srqc of mlx5_ifc.h. Consumption is in rq.c. */
#include "hca/budget.h"
#include "hca/kinds.h"
#include "hca/layout.h"
#include "hca/opcodes.h"

#define LOG_SRQ_MAX 15u /* log_max_srq_sz of caps.c */
#define STATE_ERROR 1u

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

static struct hca_srq *find(struct hca *hca, const struct hca_cmd *cmd)
{
	struct hca_srq *srq = hca_table_get(&hca->srqs, hca_cmd_number(cmd));

	return srq && hca_cmd_owns(cmd, srq->uid) ? srq : NULL;
}

enum hca_cmd_status hca_cmd_create_srq(struct hca *hca, struct hca_cmd *cmd)
{
	const uint8_t *srqc = cmd->in + HCA_CMD_CONTEXT;
	uint32_t log_size = field_get(srqc, SRQC_LOG_SRQ_SIZE), pd = field_get(srqc, SRQC_PD);
	uint32_t stride = 16u << field_get(srqc, SRQC_LOG_RQ_STRIDE),
		 cqn = field_get(srqc, SRQC_CQN);
	uint32_t xrcd = field_get(srqc, SRQC_XRCD);
	enum hca_cmd_status status;
	struct hca_srq *srq;

	if (log_size > LOG_SRQ_MAX)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x070001);
	/* The driver lends its CQ and its XRCD to SRQs that do without. */
	if (!hca_plain_find(cmd, &hca->pds, pd) || (cqn && !hca_cq_find(hca, cmd, cqn, true)) ||
	    (xrcd && !hca_table_get(&hca->xrcds, xrcd)))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x070002);
	srq = hca_alloc(hca, sizeof(*srq));
	if (!srq)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x070003);
	status = hca_cmd_pages(hca, cmd, (uint64_t)stride << log_size,
			       (uint8_t)(field_get(srqc, SRQC_LOG_PAGE_SIZE) + 12),
			       field_get(srqc, SRQC_PAGE_OFFSET), &srq->pages);
	if (!status)
		status = hca_cmd_add(hca, cmd, &hca->srqs, 1, srq, &srq->number);
	if (status) {
		free_srq(hca, srq);
		return status;
	}
	srq->uid = hca_cmd_uid(cmd);
	srq->wqes = 1u << log_size;
	srq->stride = stride;
	srq->pd = pd;
	srq->xrcd = xrcd;
	srq->cqn = cqn;
	srq->lwm = (uint16_t)field_get(srqc, SRQC_LWM);
	srq->dbr_addr = be64_at(srqc, SRQC_DBR_ADDR);
	memcpy(srq->context, srqc, sizeof(srq->context));
	hold(hca, srq, 1);
	field_put(cmd->out, CMD_NUMBER, srq->number);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_destroy_srq(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_srq *srq = find(hca, cmd);

	if (!srq)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x070005);
	if (srq->users)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x070006);
	hca_table_remove(hca, &hca->srqs, srq->number);
	hold(hca, srq, -1);
	free_srq(hca, srq);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_query_srq(struct hca *hca, struct hca_cmd *cmd)
{
	const struct hca_srq *srq = find(hca, cmd);
	uint8_t *srqc = cmd->out + HCA_CMD_CONTEXT;

	if (!srq)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x070007);
	memcpy(srqc, srq->context, sizeof(srq->context));
	field_put(srqc, SRQC_STATE, srq->error ? STATE_ERROR : 0);
	field_put(srqc, SRQC_LWM, srq->lwm);
	field_put(srqc, SRQC_WQE_CNT, srq->consumed);
	return HCA_CMD_OK;
}

/*
 * The limit event is due once fewer than lwm WQEs are left; when that is so already it comes at
 * once.
 */
enum hca_cmd_status hca_cmd_arm_srq(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_srq *srq = find(hca, cmd);
	uint16_t lwm = (uint16_t)field_get(cmd->in, ARM_RQ_LWM);
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
