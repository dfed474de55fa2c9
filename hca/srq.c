/* SPDX-License-Identifier: GPL-2.0 */
/* Shared receive queues: commands. Layout: srqc of mlx5_ifc.h. Consumption is in rq.c. */
#include "hca/cmd.h"

#include <stdlib.h>

#define LOG_SRQ_MAX 15u /* log_max_srq_sz of caps.c */
#define STATE_ERROR 1u

enum hca_cmd_status hca_cmd_create_srq(struct hca *hca, struct hca_cmd *cmd)
{
	const uint8_t *srqc = cmd->in + HCA_CMD_CONTEXT;
	uint32_t log_size = field_get(srqc, 0, 27, 24), pd = field_get(srqc, 6, 23, 0);
	uint32_t stride = 16u << field_get(srqc, 1, 26, 24);
	enum hca_cmd_status status;
	struct hca_srq *srq;

	if (log_size > LOG_SRQ_MAX)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x070001);
	if (!hca_table_get(&hca->pds, pd))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x070002);
	srq = calloc(1, sizeof(*srq));
	if (!srq)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x070003);
	status = hca_cmd_pages(cmd, HCA_CMD_PAGES, (uint64_t)stride << log_size,
			       (uint8_t)(field_get(srqc, 4, 29, 24) + 12),
			       field_get(srqc, 2, 31, 26), &srq->pages);
	if (status)
		goto free_srq;
	srq->wqes = 1u << log_size;
	srq->stride = stride;
	srq->pd = pd;
	srq->xrcd = field_get(srqc, 1, 23, 0);
	srq->cqn = field_get(srqc, 2, 23, 0);
	srq->lwm = (uint16_t)field_get(srqc, 7, 31, 16);
	srq->dbr_addr = be64_at(srqc, 0x28);
	memcpy(srq->context, srqc, sizeof(srq->context));
	srq->number = hca_table_add(&hca->srqs, 1, srq);
	if (!srq->number) {
		status = hca_cmd_fail(cmd, HCA_CMD_LIMIT, 0x070004);
		goto free_pages;
	}
	field_put(cmd->out, 2, 23, 0, srq->number);
	return HCA_CMD_OK;

free_pages:
	hca_pages_free(&srq->pages);
free_srq:
	free(srq);
	return status;
}

enum hca_cmd_status hca_cmd_destroy_srq(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t number = hca_cmd_number(cmd), i;
	struct hca_srq *srq = hca_table_get(&hca->srqs, number);

	if (!srq)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x070005);
	for (i = 0; i < hca->qps.size; i++) {
		const struct hca_qp *qp = hca->qps.slot[i];

		if (qp && qp->rq_type == 1 && qp->srqn == number)
			return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x070006);
	}
	hca_table_remove(&hca->srqs, number);
	hca_pages_free(&srq->pages);
	free(srq);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_query_srq(struct hca *hca, struct hca_cmd *cmd)
{
	const struct hca_srq *srq = hca_table_get(&hca->srqs, hca_cmd_number(cmd));
	uint8_t *srqc = cmd->out + HCA_CMD_CONTEXT;

	if (!srq)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x070007);
	memcpy(srqc, srq->context, sizeof(srq->context));
	field_put(srqc, 0, 31, 28, srq->error ? STATE_ERROR : 0);
	field_put(srqc, 7, 31, 16, srq->lwm);
	field_put(srqc, 7, 15, 0, srq->consumed);
	return HCA_CMD_OK;
}

/*
 * The limit event is due once fewer than lwm WQEs are left; when that is so already it comes at
 * once.
 */
enum hca_cmd_status hca_cmd_arm_srq(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_srq *srq = hca_table_get(&hca->srqs, hca_cmd_number(cmd));
	uint16_t lwm = (uint16_t)field_get(cmd->in, 3, 15, 0);
	uint8_t record[4];

	if (!srq)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x070008);
	if (srq->error)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x070009);
	srq->lwm = lwm;
	if (!lwm || pcie_read(&hca->fn, srq->dbr_addr, record, sizeof(record), NULL))
		return HCA_CMD_OK;
	if ((uint16_t)(be32_at(record, 0) - srq->consumed) < lwm) {
		srq->lwm = 0;
		hca_event_number(hca, HCA_EVENT_SRQ_LIMIT, srq->number);
	}
	return HCA_CMD_OK;
}
