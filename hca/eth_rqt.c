/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables of receive queues (RQT), over which a TIR spreads frames. A queue in one cannot go. */
#include "hca/budget.h"
#include "hca/opcodes.h"
#include "hca/eth.h"
#include "hca/kinds.h"

#define CONTEXT	    0x20u
#define LIST	    (CONTEXT + 0xf0u)
#define MODIFY_LIST 1u /* in the second word of the bitmask at 0x10 */

struct hca_rqt *hca_rqt_find(struct hca *hca, const struct hca_cmd *cmd, uint32_t number)
{
	struct hca_rqt *rqt = hca_table_get(&hca->rqts, number);

	return rqt && hca_cmd_owns(cmd, rqt->uid) ? rqt : NULL;
}

static void free_rqt(struct hca *hca, void *object)
{
	struct hca_rqt *rqt = object;

	hca_release(hca, rqt->rqn);
	hca_release(hca, rqt);
}

const struct hca_kind hca_kind_rqt = {
	.limit = 1u << 16,
	.free = free_rqt,
};

static void hold(struct hca *hca, const struct hca_rqt *rqt, int change)
{
	for (uint32_t i = 0; i < rqt->actual; i++) {
		struct hca_qp *rq = hca_table_get(&hca->qps, rqt->rqn[i]);

		if (rq)
			rq->users += (uint32_t)change;
	}
}

/* The queues that the context lists into @rqn, which has room for @max: 0, or why not. */
static enum hca_cmd_status read_list(struct hca *hca, struct hca_cmd *cmd, uint32_t max,
				     uint32_t *rqn, uint32_t *actual)
{
	uint32_t count = field_get(cmd->in + CONTEXT, RQT_ACTUAL_SIZE);

	if (count > max)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x210001);
	if (cmd->ilen < LIST + 4 * count)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INPUT_LEN, 0x210002);
	for (uint32_t i = 0; i < count; i++) {
		rqn[i] = be32_at(cmd->in, LIST + 4 * i) & 0xffffff;
		if (!hca_eth_queue_find(hca, cmd, rqn[i], HCA_QP_ETH_RQ))
			return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x210003);
	}
	*actual = count;
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_create_rqt(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t max = field_get(cmd->in + CONTEXT, RQT_MAX_SIZE);
	enum hca_cmd_status status;
	struct hca_rqt *rqt;

	/* rq_vhca_id_format: queues of other functions. */
	if (!max || max > 1u << HCA_RQT_LOG || field_get(cmd->in + CONTEXT, RQT_VHCA_FORMAT))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x210004);
	rqt = hca_alloc(hca, sizeof(*rqt));
	if (!rqt)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x210005);
	rqt->uid = hca_cmd_uid(cmd);
	rqt->max = max;
	rqt->rqn = hca_alloc(hca, max * sizeof(*rqt->rqn));
	status = rqt->rqn ? read_list(hca, cmd, max, rqt->rqn, &rqt->actual)
			  : hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x210006);
	if (!status)
		status = hca_cmd_add(hca, cmd, &hca->rqts, 1, rqt, &rqt->number);
	if (status) {
		free_rqt(hca, rqt);
		return status;
	}
	hold(hca, rqt, 1);
	hca_plain_hold(&hca->uctxs, rqt->uid, 1);
	field_put(cmd->out, CMD_NUMBER, rqt->number);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_modify_rqt(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_rqt *rqt = hca_rqt_find(hca, cmd, hca_cmd_number(cmd));
	uint32_t rqn[1u << HCA_RQT_LOG], actual;
	enum hca_cmd_status status;

	if (!rqt)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x210007);
	if (be32_at(cmd->in, MODIFY_BITMASK) != MODIFY_LIST)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x210008);
	status = read_list(hca, cmd, rqt->max, rqn, &actual);
	if (status)
		return status;
	hold(hca, rqt, -1);
	memset(rqt->rqn, 0, rqt->max * sizeof(*rqt->rqn));
	memcpy(rqt->rqn, rqn, actual * sizeof(*rqn));
	rqt->actual = actual;
	hold(hca, rqt, 1);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_destroy_rqt(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_rqt *rqt = hca_rqt_find(hca, cmd, hca_cmd_number(cmd));

	if (!rqt)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x210009);
	if (rqt->users)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x21000a);
	hca_table_remove(hca, &hca->rqts, rqt->number);
	hold(hca, rqt, -1);
	hca_plain_hold(&hca->uctxs, rqt->uid, -1);
	free_rqt(hca, rqt);
	return HCA_CMD_OK;
}
