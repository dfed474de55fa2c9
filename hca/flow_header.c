/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What entries of flow tables for frames do with headers. Layouts:
 * alloc_packet_reformat_context_in, alloc_modify_header_context_in of mlx5_ifc.h.
 */
#include "hca/budget.h"
#include "hca/eth_edit.h"
#include "hca/flow_table.h"
#include "hca/kinds.h"
#include "hca/layout.h"
#include "hca/opcodes.h"

#define ACTION_LEN 8u

/* table_type of modify headers */
#define TYPE_NIC_RX 0u
#define TYPE_NIC_TX 1u

/* What stands for the Ethernet header of what was in an L3 tunnel: without or with a tag. */
#define L2_LEN	      HCA_ETH_HEADER
#define L2_LEN_TAGGED (HCA_ETH_HEADER + HCA_ETH_TAG)

const struct hca_kind hca_kind_reformat = {
	.limit = 1u << HCA_FLOW_HEADERS_LOG,
	.free = hca_release,
};

const struct hca_kind hca_kind_modify_header = {
	.limit = 1u << HCA_FLOW_HEADERS_LOG,
	.free = hca_release,
};

static enum hca_cmd_status add(struct hca *hca, struct hca_cmd *cmd, struct hca_table *table,
			       enum hca_side side, uint8_t type, uint32_t at, uint32_t len)
{
	struct hca_flow_header *header = hca_alloc(hca, sizeof(*header) + len);
	enum hca_cmd_status status;

	if (!header)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x150001);
	header->uid = hca_cmd_uid(cmd);
	header->side = side;
	header->type = type;
	header->len = len;
	memcpy(header->data, cmd->in + at, len);
	status = hca_cmd_add(hca, cmd, table, 1, header, &header->number);
	if (status) {
		hca_release(hca, header);
		return status;
	}
	hca_plain_hold(&hca->uctxs, header->uid, 1);
	be32_put(cmd->out, FLOW_HEADER_ID, header->number);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_flow_header_find(struct hca_cmd *cmd, const struct hca_table *table,
					 uint32_t number, enum hca_side side,
					 struct hca_flow_header **header)
{
	*header = hca_table_get(table, number);
	if (!*header || !hca_cmd_owns(cmd, (*header)->uid) || (*header)->side != side)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x150002);
	return HCA_CMD_OK;
}

static enum hca_cmd_status dealloc(struct hca *hca, struct hca_cmd *cmd, struct hca_table *table)
{
	struct hca_flow_header *header = hca_table_get(table, be32_at(cmd->in, FLOW_HEADER_ID));

	if (!header || !hca_cmd_owns(cmd, header->uid))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x150003);
	if (header->users)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x150004);
	hca_table_remove(hca, table, header->number);
	hca_plain_hold(&hca->uctxs, header->uid, -1);
	hca_release(hca, header);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_alloc_packet_reformat(struct hca *hca, struct hca_cmd *cmd)
{
	uint8_t type = cmd->in[REFORMAT_TYPE];
	uint32_t len = field_get(cmd->in, REFORMAT_DATA_SIZE);
	bool encap = type == HCA_REFORMAT_L2_TO_L2_TUNNEL || type == HCA_REFORMAT_L2_TO_L3_TUNNEL;

	if (!encap && type != HCA_REFORMAT_L3_TUNNEL_TO_L2)
		return hca_flow_unmodelled(hca, cmd, "packet reformat", type);
	if (encap ? !len || len > HCA_FLOW_HEADER_MAX : len != L2_LEN && len != L2_LEN_TAGGED)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x150005);
	if (cmd->ilen < REFORMAT_DATA + len)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INPUT_LEN, 0x150006);
	return add(hca, cmd, &hca->reformats, encap ? HCA_NIC_TX : HCA_NIC_RX, type, REFORMAT_DATA,
		   len);
}

enum hca_cmd_status hca_cmd_dealloc_packet_reformat(struct hca *hca, struct hca_cmd *cmd)
{
	return dealloc(hca, cmd, &hca->reformats);
}

enum hca_cmd_status hca_cmd_alloc_modify_header(struct hca *hca, struct hca_cmd *cmd)
{
	uint8_t type = cmd->in[MODIFY_HEADER_TABLE_TYPE];
	uint32_t count = field_get(cmd->in, MODIFY_HEADER_COUNT);

	if (type != TYPE_NIC_RX && type != TYPE_NIC_TX)
		return hca_flow_unmodelled(hca, cmd, "modify header of type", type);
	if (!count || count > HCA_FLOW_ACTIONS)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x150007);
	if (cmd->ilen < MODIFY_HEADER_ACTIONS + ACTION_LEN * count)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INPUT_LEN, 0x150008);
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *action = cmd->in + MODIFY_HEADER_ACTIONS + ACTION_LEN * i;

		if (!hca_edit_can_set(action))
			return hca_flow_unmodelled(hca, cmd, "modify header action",
						   be32_at(action, SET_ACTION));
	}
	return add(hca, cmd, &hca->modify_headers, type == TYPE_NIC_RX ? HCA_NIC_RX : HCA_NIC_TX, 0,
		   MODIFY_HEADER_ACTIONS, ACTION_LEN * count);
}

enum hca_cmd_status hca_cmd_dealloc_modify_header(struct hca *hca, struct hca_cmd *cmd)
{
	return dealloc(hca, cmd, &hca->modify_headers);
}

/* --- what becomes of a frame --------------------------------------------------------------- */

bool hca_flow_change(struct hca *hca, const struct hca_flow_entry *entry, struct hca_edit *edit)
{
	const struct hca_flow_header *reformat = entry->reformat, *modify = entry->modify;

	hca_work(hca, edit->len);
	/* What is in no tunnel stays as it is. */
	if (entry->decap)
		hca_edit_decap(edit, NULL, 0);
	else if (reformat && reformat->type == HCA_REFORMAT_L3_TUNNEL_TO_L2)
		hca_edit_decap(edit, reformat->data, reformat->len);
	/* Each looks at all of the frame, for its checksums. */
	for (size_t at = 0; modify && at < modify->len; at += ACTION_LEN) {
		hca_work(hca, edit->len);
		hca_edit_set(edit, modify->data + at);
	}
	if (!reformat || reformat->type == HCA_REFORMAT_L3_TUNNEL_TO_L2)
		return true;
	return hca_edit_encap(edit, reformat->data, reformat->len,
			      reformat->type == HCA_REFORMAT_L2_TO_L3_TUNNEL);
}
