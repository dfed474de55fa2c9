/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * General objects: ranges of queue pair numbers that the device gives to nobody else, for programs
 * that need numbers without queue pairs; scheduling elements (qos.c); mappings of addresses to
 * queue pairs, which are hints about the control of congestion, and have no effect here; control
 * of the RDMA transport of a function.
 */
#include "hca/general.h"

#include "hca/budget.h"
#include "hca/kinds.h"
#include "hca/layout.h"
#include "hca/opcodes.h"
#include "hca/qos.h"

const struct hca_kind hca_kind_reserved_qpn = {
	.limit = HCA_RESERVED_QPNS + 1,
	.free = hca_release,
};

const struct hca_kind hca_kind_av_mapping = {
	.limit = 1u << 16,
	.free = hca_release,
};

const struct hca_kind hca_kind_rdma_ctrl = {
	.limit = 1u << 12,
	.free = hca_release,
};

/* An object that is no more than a number of @table. */
static enum hca_cmd_status add(struct hca *hca, struct hca_cmd *cmd, struct hca_table *table)
{
	uint32_t number;
	enum hca_cmd_status status = hca_plain_alloc(hca, cmd, table, 1, &number);

	if (!status)
		be32_put(cmd->out, OBJ_ID, number);
	return status;
}

static enum hca_cmd_status create_reserved_qpn(struct hca *hca, struct hca_cmd *cmd)
{
	enum hca_cmd_status status;
	uint32_t number;

	if (field_get(cmd->in, OBJ_LOG_RANGE) > HCA_RESERVED_QPN_LOG)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x120002);
	status = hca_plain_alloc(hca, cmd, &hca->reserved_qpns, 1, &number);
	if (status)
		return status;
	be32_put(cmd->out, OBJ_ID, HCA_QPN_LIMIT + ((number - 1) << HCA_RESERVED_QPN_LOG));
	return HCA_CMD_OK;
}

static enum hca_cmd_status destroy_reserved_qpn(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t qpn = be32_at(cmd->in, OBJ_ID);

	if (qpn & ((1u << HCA_RESERVED_QPN_LOG) - 1))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x120004);
	return hca_plain_dealloc(hca, cmd, &hca->reserved_qpns,
				 ((qpn - HCA_QPN_LIMIT) >> HCA_RESERVED_QPN_LOG) + 1);
}

/* The QP may be that of another context, and may go before the mapping: it is a hint. */
static enum hca_cmd_status create_av_mapping(struct hca *hca, struct hca_cmd *cmd)
{
	if (cmd->ilen < AV_MAPPING_LEN)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INPUT_LEN, 0x120005);
	if (!hca_table_get(&hca->qps, be32_at(cmd->in, AV_MAPPING_QPN)))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x120006);
	return add(hca, cmd, &hca->av_mappings);
}

static enum hca_cmd_status destroy_av_mapping(struct hca *hca, struct hca_cmd *cmd)
{
	return hca_plain_dealloc(hca, cmd, &hca->av_mappings, be32_at(cmd->in, OBJ_ID));
}

/*
 * Functions have no VHCA number but 0, so a context can ask for control of its own function only,
 * whose tables of the RDMA transport it has without that, too.
 */
static enum hca_cmd_status create_rdma_ctrl(struct hca *hca, struct hca_cmd *cmd)
{
	const struct hca_plain *uctx = hca_table_get(&hca->uctxs, hca_cmd_uid(cmd));

	if (cmd->ilen < RDMA_CTRL_LEN)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INPUT_LEN, 0x120008);
	if (hca_cmd_uid(cmd) && !(uctx && uctx->cap & HCA_UCTX_RDMA_CTRL_OTHER))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x120009);
	if (field_get(cmd->in, RDMA_CTRL_VHCA))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x12000a);
	return add(hca, cmd, &hca->rdma_ctrls);
}

static enum hca_cmd_status destroy_rdma_ctrl(struct hca *hca, struct hca_cmd *cmd)
{
	return hca_plain_dealloc(hca, cmd, &hca->rdma_ctrls, be32_at(cmd->in, OBJ_ID));
}

/* What commands do with objects of a type; NULL: it is not for them. */
static const struct type {
	uint16_t type;
	hca_cmd_fn create, modify, destroy;
} types[] = {
	{ HCA_OBJECT_RESERVED_QPN, create_reserved_qpn, NULL, destroy_reserved_qpn },
	{ HCA_OBJECT_SCHEDULING_ELEMENT, hca_sched_create, hca_sched_modify, hca_sched_destroy },
	{ HCA_OBJECT_AV_QP_MAPPING, create_av_mapping, NULL, destroy_av_mapping },
	{ HCA_OBJECT_RDMA_CTRL, create_rdma_ctrl, NULL, destroy_rdma_ctrl },
};

static const struct type *type_of(struct hca *hca, const struct hca_cmd *cmd)
{
	uint16_t type = be16_at(cmd->in, CMD_OP_MOD);

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].type == type)
			return &types[i];
	}
	hca_unmodelled(hca, "general object type 0x%x", type);
	return NULL;
}

enum hca_cmd_status hca_cmd_create_general(struct hca *hca, struct hca_cmd *cmd)
{
	const struct type *type = type_of(hca, cmd);

	return type ? type->create(hca, cmd) : hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x120001);
}

enum hca_cmd_status hca_cmd_modify_general(struct hca *hca, struct hca_cmd *cmd)
{
	const struct type *type = type_of(hca, cmd);

	if (!type || !type->modify)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x120003);
	return type->modify(hca, cmd);
}

enum hca_cmd_status hca_cmd_destroy_general(struct hca *hca, struct hca_cmd *cmd)
{
	const struct type *type = type_of(hca, cmd);

	return type ? type->destroy(hca, cmd) : hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x120007);
}
