/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * General objects. There is one kind: a range of queue pair numbers that the device gives to nobody
 * else, for programs that need numbers without queue pairs.
 */
#include "hca/general.h"

#include "hca/budget.h"
#include "hca/kinds.h"
#include "hca/layout.h"
#include "hca/opcodes.h"

const struct hca_kind hca_kind_reserved_qpn = {
	.limit = HCA_RESERVED_QPNS + 1,
	.free = hca_release,
};

static enum hca_cmd_status check_type(struct hca *hca, struct hca_cmd *cmd)
{
	uint16_t type = be16_at(cmd->in, CMD_OP_MOD);

	if (type == HCA_OBJECT_RESERVED_QPN)
		return HCA_CMD_OK;
	hca_unmodelled(hca, "general object type 0x%x", type);
	return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x120001);
}

enum hca_cmd_status hca_cmd_create_general(struct hca *hca, struct hca_cmd *cmd)
{
	enum hca_cmd_status status = check_type(hca, cmd);
	uint32_t number;

	if (status)
		return status;
	if (field_get(cmd->in, OBJ_LOG_RANGE) > HCA_RESERVED_QPN_LOG)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x120002);
	status = hca_plain_alloc(hca, cmd, &hca->reserved_qpns, 1, &number);
	if (status)
		return status;
	be32_put(cmd->out, OBJ_ID, HCA_QPN_LIMIT + ((number - 1) << HCA_RESERVED_QPN_LOG));
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_destroy_general(struct hca *hca, struct hca_cmd *cmd)
{
	enum hca_cmd_status status = check_type(hca, cmd);
	uint32_t qpn = be32_at(cmd->in, OBJ_ID);

	if (status)
		return status;
	if (qpn & ((1u << HCA_RESERVED_QPN_LOG) - 1))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x120004);
	return hca_plain_dealloc(hca, cmd, &hca->reserved_qpns,
				 ((qpn - HCA_QPN_LIMIT) >> HCA_RESERVED_QPN_LOG) + 1);
}
