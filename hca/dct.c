/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Targets of dynamically connected transport: CREATE_DCT, DRAIN_DCT, DESTROY_DCT, QUERY_DCT. A DCT
 * is kept as a QP without queues of its own, ready to receive; any initiator that knows its access
 * key is connected while a message lasts. Layout: dctc of mlx5_ifc.h.
 */
#include "hca/budget.h"
#include "hca/opcodes.h"
#include "hca/data.h"
#include "hca/layout.h"
#include "hca/q_counter.h"

#define DCTC_SIZE 64u

#define RQ_TYPE_SRQ   1u
#define STATE_ACTIVE  0u
#define STATE_DRAINED 2u

static struct hca_qp *find(struct hca *hca, const struct hca_cmd *cmd)
{
	struct hca_qp *dct = hca_table_get(&hca->qps, hca_cmd_number(cmd));

	return dct && dct->type == HCA_QP_DCT && hca_cmd_owns(cmd, dct->uid) ? dct : NULL;
}

enum hca_cmd_status hca_cmd_create_dct(struct hca *hca, struct hca_cmd *cmd)
{
	const uint8_t *dctc = cmd->in + HCA_CMD_CONTEXT;
	uint32_t pd = field_get(dctc, DCTC_PD), cqn = field_get(dctc, DCTC_CQN);
	uint32_t srqn = field_get(dctc, DCTC_SRQN);
	const struct hca_srq *srq = hca_table_get(&hca->srqs, srqn);
	enum hca_cmd_status status;
	struct hca_qp *dct;

	if (!hca_plain_find(cmd, &hca->pds, pd) || !hca_cq_find(hca, cmd, cqn, false) || !srq ||
	    !hca_cmd_owns(cmd, srq->uid))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x110001);
	dct = hca_alloc(hca, sizeof(*dct));
	if (!dct)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x110002);
	dct->hca = hca;
	dct->uid = hca_cmd_uid(cmd);
	dct->type = HCA_QP_DCT;
	dct->state = HCA_QP_RTR;
	dct->pd = pd;
	dct->cqn_rcv = cqn;
	dct->user_index = field_get(dctc, DCTC_USER_INDEX);
	dct->rq_type = RQ_TYPE_SRQ;
	dct->srqn = srqn;
	dct->no_sq = true;
	dct->rre = field_get(dctc, DCTC_RRE);
	dct->rwe = field_get(dctc, DCTC_RWE);
	dct->rae = field_get(dctc, DCTC_RAE) && field_get(dctc, DCTC_ATOMIC_MODE);
	dct->min_rnr_nak = (uint8_t)field_get(dctc, DCTC_MIN_RNR_NAK);
	dct->dc_key = be64_at(dctc, DCTC_ACCESS_KEY);
	memcpy(dct->qpc, dctc, DCTC_SIZE);
	be32_put(dct->qpc, DCTC_ACCESS_KEY_VIOLATIONS, 0);
	status = hca_q_counter_bind(hca, cmd, dct, field_get(dctc, DCTC_COUNTER_SET_ID));
	if (!status)
		status = hca_cmd_add(hca, cmd, &hca->qps, HCA_QPN_FIRST, dct, &dct->number);
	if (status) {
		hca_qp_free(hca, dct);
		return status;
	}
	hca_qp_hold(dct, 1);
	field_put(cmd->out, CMD_NUMBER, dct->number);
	return HCA_CMD_OK;
}

/* Messages are whole within a turn of the engine, so there is nothing to wait for. */
enum hca_cmd_status hca_cmd_drain_dct(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_qp *dct = find(hca, cmd);

	if (!dct)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x110004);
	dct->state = HCA_QP_ERR;
	hca_event_number(hca, HCA_EVENT_DCT_DRAINED, dct->number);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_destroy_dct(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_qp *dct = find(hca, cmd);

	if (!dct)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x110005);
	if (dct->state != HCA_QP_ERR)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x110006);
	hca_table_remove(hca, &hca->qps, dct->number);
	hca_qp_hold(dct, -1);
	hca_qp_free(hca, dct);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_query_dct(struct hca *hca, struct hca_cmd *cmd)
{
	const struct hca_qp *dct = find(hca, cmd);

	if (!dct)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x110007);
	memcpy(cmd->out + HCA_CMD_CONTEXT, dct->qpc, DCTC_SIZE);
	field_put(cmd->out + HCA_CMD_CONTEXT, DCTC_STATE,
		  dct->state == HCA_QP_ERR ? STATE_DRAINED : STATE_ACTIVE);
	return HCA_CMD_OK;
}
