/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands of flow tables, of their groups and of the roots. Layouts: create_flow_table_in,
 * flow_table_context, create_flow_group_in, set_flow_table_root_in of mlx5_ifc.h.
 */
#include "hca/flow_table.h"

#include "hca/budget.h"
#include "hca/kinds.h"
#include "hca/layout.h"
#include "hca/opcodes.h"

#define IN_CONTEXT 0x18u
#define IN_MATCH   0x40u

#define TYPE_NIC_RX	  0u
#define TYPE_NIC_TX	  1u
#define TYPE_RDMA_RX	  7u
#define TYPE_RDMA_TX	  8u
#define TYPE_TRANSPORT_RX 0xdu
#define TYPE_TRANSPORT_TX 0xeu

#define MISS_DEFAULT 0u
#define MISS_FORWARD 1u

/* match_criteria_enable */
#define MATCH_OUTER 1u
#define MATCH_MISC  2u

#define SELECT_MISS_TABLE 1u

#define ROOT_SET   0u
#define ROOT_RESET 1u

#define MATCH_END 0x400u /* of create_flow_group_in */

/* Of flow_table_context: sw_owner, termination_table, rtc_valid; and reformat_en, decap_en. */
#define CONTEXT_UNMODELLED 0x30008000u
#define CONTEXT_OF_NIC	   0xc0000000u

enum hca_cmd_status hca_flow_unmodelled(struct hca *hca, struct hca_cmd *cmd, const char *what,
					uint32_t value)
{
	hca_unmodelled(hca, "flow table %s 0x%x", what, value);
	return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x130001);
}

bool hca_flow_zero(const struct hca_cmd *cmd, uint32_t from, uint32_t to)
{
	uint32_t i;

	for (i = from; i < to && i < cmd->ilen; i++) {
		if (cmd->in[i])
			return false;
	}
	return true;
}

/* --- which table ------------------------------------------------------------------------- */

/* The driver, and contexts that it has made for that. */
static bool is_privileged(struct hca *hca, const struct hca_cmd *cmd)
{
	const struct hca_plain *uctx = hca_table_get(&hca->uctxs, hca_cmd_uid(cmd));

	return !hca_cmd_uid(cmd) || (uctx && uctx->cap & HCA_UCTX_RDMA_CTRL);
}

static enum hca_cmd_status find_side(struct hca *hca, struct hca_cmd *cmd, enum hca_side *side)
{
	uint8_t type = cmd->in[FLOW_TABLE_TYPE];

	/* other_vport, other_eswitch, vport_number */
	if (be32_at(cmd->in, FLOW_VPORT))
		return hca_flow_unmodelled(hca, cmd, "of vport", be32_at(cmd->in, FLOW_VPORT));
	if (type == TYPE_RDMA_RX || type == TYPE_RDMA_TX)
		*side = type == TYPE_RDMA_RX ? HCA_RX : HCA_TX;
	else if (hca->eth && (type == TYPE_NIC_RX || type == TYPE_NIC_TX))
		*side = type == TYPE_NIC_RX ? HCA_NIC_RX : HCA_NIC_TX;
	else if (hca->eth && (type == TYPE_TRANSPORT_RX || type == TYPE_TRANSPORT_TX) &&
		 is_privileged(hca, cmd))
		*side = type == TYPE_TRANSPORT_RX ? HCA_TRANSPORT_RX : HCA_TRANSPORT_TX;
	else
		return hca_flow_unmodelled(hca, cmd, "type", type);
	return HCA_CMD_OK;
}

static enum hca_cmd_status find(struct hca *hca, struct hca_cmd *cmd, enum hca_side side,
				uint32_t number, struct hca_flow_table **table)
{
	struct hca_flow_table *found = hca_table_get(&hca->flow_tables, number);

	if (!found || found->side != side || !hca_cmd_owns(cmd, found->uid))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x130002);
	*table = found;
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_flow_find(struct hca *hca, struct hca_cmd *cmd,
				  struct hca_flow_table **table)
{
	enum hca_side side;
	enum hca_cmd_status status = find_side(hca, cmd, &side);

	return status ? status : find(hca, cmd, side, field_get(cmd->in, FLOW_TABLE_ID), table);
}

enum hca_cmd_status hca_flow_find_next(struct hca *hca, struct hca_cmd *cmd,
				       const struct hca_flow_table *from, uint32_t number,
				       struct hca_flow_table **table)
{
	struct hca_flow_table *next;
	enum hca_cmd_status status = find(hca, cmd, from->side, number, &next);

	if (status)
		return status;
	/* This is what keeps packets from going round in circles. */
	if (next->level <= from->level)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x130003);
	*table = next;
	return HCA_CMD_OK;
}

/* --- tables ------------------------------------------------------------------------------ */

/* The table that @context makes @table send to what no entry takes. */
static enum hca_cmd_status find_miss(struct hca *hca, struct hca_cmd *cmd,
				     const struct hca_flow_table *table,
				     struct hca_flow_table **miss)
{
	const uint8_t *context = cmd->in + IN_CONTEXT;
	uint32_t action = field_get(context, FT_MISS_ACTION);

	*miss = NULL;
	if (action == MISS_DEFAULT)
		return HCA_CMD_OK;
	if (action != MISS_FORWARD)
		return hca_flow_unmodelled(hca, cmd, "miss action", action);
	return hca_flow_find_next(hca, cmd, table, field_get(context, FT_MISS_ID), miss);
}

static void set_miss(struct hca_flow_table *table, struct hca_flow_table *miss)
{
	if (miss)
		miss->users++;
	if (table->miss)
		table->miss->users--;
	table->miss = miss;
}

enum hca_cmd_status hca_cmd_create_flow_table(struct hca *hca, struct hca_cmd *cmd)
{
	const uint8_t *context = cmd->in + IN_CONTEXT;
	struct hca_flow_table made = {
		.uid = be16_at(cmd->in, CMD_UID),
		.level = (uint8_t)field_get(context, FT_LEVEL),
		.log_size = (uint8_t)field_get(context, FT_LOG_SIZE),
		.groups.limit = HCA_FLOW_GROUPS + 1,
		.entries.limit = (1u << HCA_FLOW_LOG_SIZE) + 1,
	};
	struct hca_flow_table *table, *miss;
	enum hca_cmd_status status = find_side(hca, cmd, &made.side);

	if (status)
		return status;
	if (be16_at(cmd->in, CMD_OP_MOD))
		return hca_flow_unmodelled(hca, cmd, "op_mod", be16_at(cmd->in, CMD_OP_MOD));
	made.flags = be32_at(context, FT_FLAGS) & CONTEXT_OF_NIC;
	if (be32_at(context, FT_FLAGS) & CONTEXT_UNMODELLED ||
	    (made.flags && !hca_flow_is_nic(made.side)))
		return hca_flow_unmodelled(hca, cmd, "context", be32_at(context, FT_FLAGS));
	if (made.log_size > HCA_FLOW_LOG_SIZE)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x130004);
	if (hca_flow_is_nic(made.side))
		made.groups.limit = HCA_FLOW_MASKS + 1;
	status = find_miss(hca, cmd, &made, &miss);
	if (status)
		return status;
	table = hca_alloc(hca, sizeof(*table));
	if (!table)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x130006);
	*table = made;
	status = hca_cmd_add(hca, cmd, &hca->flow_tables, 1, table, &table->number);
	if (status) {
		hca_release(hca, table);
		return status;
	}
	hca_plain_hold(&hca->uctxs, table->uid, 1);
	set_miss(table, miss);
	field_put(cmd->out, CMD_NUMBER, table->number);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_modify_flow_table(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_flow_table *table, *miss;
	enum hca_cmd_status status = hca_flow_find(hca, cmd, &table);
	uint32_t select = be16_at(cmd->in, FLOW_FIELD_SELECT);

	if (status)
		return status;
	if (select != SELECT_MISS_TABLE)
		return hca_flow_unmodelled(hca, cmd, "field select", select);
	status = find_miss(hca, cmd, table, &miss);
	if (!status)
		set_miss(table, miss);
	return status;
}

/* A root may go: its side has none then. That is how the driver takes its last table down. */
enum hca_cmd_status hca_cmd_destroy_flow_table(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_flow_table *table;
	enum hca_cmd_status status = hca_flow_find(hca, cmd, &table);

	if (status)
		return status;
	if (table->users || table->groups.count)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x130008);
	if (hca->flow_root[table->side] == table)
		hca->flow_root[table->side] = NULL;
	set_miss(table, NULL);
	hca_table_remove(hca, &hca->flow_tables, table->number);
	hca_plain_hold(&hca->uctxs, table->uid, -1);
	hca_release(hca, table);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_query_flow_table(struct hca *hca, struct hca_cmd *cmd)
{
	uint8_t *context = cmd->out + IN_CONTEXT;
	struct hca_flow_table *table;
	enum hca_cmd_status status = hca_flow_find(hca, cmd, &table);

	if (status)
		return status;
	be32_put(context, FT_FLAGS, table->flags);
	field_put(context, FT_MISS_ACTION, table->miss ? MISS_FORWARD : MISS_DEFAULT);
	field_put(context, FT_LEVEL, table->level);
	field_put(context, FT_LOG_SIZE, table->log_size);
	field_put(context, FT_MISS_ID, table->miss ? table->miss->number : 0);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_set_flow_table_root(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t op_mod = be16_at(cmd->in, CMD_OP_MOD), qpn = field_get(cmd->in, FLOW_UNDERLAY_QPN);
	struct hca_flow_table *table = NULL;
	enum hca_cmd_status status;
	enum hca_side side;

	if (op_mod > ROOT_RESET)
		return hca_flow_unmodelled(hca, cmd, "root op_mod", op_mod);
	if (qpn)
		return hca_flow_unmodelled(hca, cmd, "root of QP", qpn);
	status = find_side(hca, cmd, &side);
	if (!status && op_mod == ROOT_SET)
		status = hca_flow_find(hca, cmd, &table);
	if (!status)
		hca->flow_root[side] = table;
	return status;
}

/* --- groups ------------------------------------------------------------------------------ */

static bool overlaps(const struct hca_flow_table *table, uint32_t start, uint32_t end)
{
	uint32_t i;

	for (i = 0; i < table->groups.size; i++) {
		const struct hca_flow_group *group = table->groups.slot[i];

		if (group && start <= group->end && group->start <= end)
			return true;
	}
	return false;
}

static void group_free(struct hca *hca, struct hca_flow_group *group)
{
	if (group)
		hca_release(hca, group->hash);
	hca_release(hca, group);
}

/* What the entries of the group have in common: nothing, or a mask over the headers that frames
 * have. */
static enum hca_cmd_status read_criteria(struct hca *hca, struct hca_cmd *cmd,
					 const struct hca_flow_table *table,
					 struct hca_flow_group *group)
{
	uint8_t enabled = cmd->in[GROUP_MATCH_ENABLE];
	uint32_t from = IN_MATCH;

	if (hca_flow_is_nic(table->side)) {
		const uint8_t *misc = cmd->in + IN_MATCH + HCA_FRAME_MISC;

		if (enabled & MATCH_OUTER)
			memcpy(group->mask, cmd->in + IN_MATCH, HCA_FRAME_MISC);
		if (enabled & MATCH_MISC && !hca_frame_has_misc(misc))
			return hca_flow_unmodelled(hca, cmd, "match criteria", enabled);
		if (enabled & MATCH_MISC)
			memcpy(group->mask + HCA_FRAME_MISC, misc, HCA_FRAME_KEY - HCA_FRAME_MISC);
		from += HCA_FRAME_KEY;
	}
	if (!hca_flow_zero(cmd, from, MATCH_END))
		return hca_flow_unmodelled(hca, cmd, "match criteria", enabled);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_create_flow_group(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_flow_group made = { 0 };
	uint32_t start = be32_at(cmd->in, GROUP_START_INDEX),
		 end = be32_at(cmd->in, GROUP_END_INDEX), number;
	struct hca_flow_table *table;
	struct hca_flow_group *group;
	enum hca_cmd_status status = hca_flow_find(hca, cmd, &table);

	if (status)
		return status;
	if (field_get(cmd->in, GROUP_TYPE))
		return hca_flow_unmodelled(hca, cmd, "group type", field_get(cmd->in, GROUP_TYPE));
	if (be16_at(cmd->in, GROUP_MATCH_DEFINER))
		return hca_flow_unmodelled(hca, cmd, "match definer",
					   be16_at(cmd->in, GROUP_MATCH_DEFINER));
	status = read_criteria(hca, cmd, table, &made);
	if (status)
		return status;
	if (start > end || end >> table->log_size || overlaps(table, start, end))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INDEX, 0x130009);
	group = hca_alloc(hca, sizeof(*group));
	if (!group)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x13000a);
	*group = made;
	group->start = start;
	group->end = end;
	if (hca_flow_is_nic(table->side)) {
		group->hash = hca_alloc(hca, HCA_FLOW_HASH * sizeof(struct hca_flow_entry *));
		if (!group->hash)
			status = hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x13000b);
	}
	if (!status)
		status = hca_cmd_add(hca, cmd, &table->groups, 1, group, &number);
	if (status) {
		group_free(hca, group);
		return status;
	}
	field_put(cmd->out, CMD_NUMBER, number);
	return HCA_CMD_OK;
}

static enum hca_cmd_status find_group(struct hca *hca, struct hca_cmd *cmd,
				      struct hca_flow_table **table, struct hca_flow_group **group)
{
	enum hca_cmd_status status = hca_flow_find(hca, cmd, table);

	if (status)
		return status;
	*group = hca_table_get(&(*table)->groups, be32_at(cmd->in, GROUP_ID));
	return *group ? HCA_CMD_OK : hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x13000c);
}

enum hca_cmd_status hca_cmd_destroy_flow_group(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_flow_table *table;
	struct hca_flow_group *group;
	enum hca_cmd_status status = find_group(hca, cmd, &table, &group);

	if (status)
		return status;
	if (group->entries)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x13000d);
	hca_table_remove(hca, &table->groups, be32_at(cmd->in, GROUP_ID));
	group_free(hca, group);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_query_flow_group(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_flow_table *table;
	struct hca_flow_group *group;
	enum hca_cmd_status status = find_group(hca, cmd, &table, &group);

	if (status)
		return status;
	be32_put(cmd->out, GROUP_START_INDEX, group->start);
	be32_put(cmd->out, GROUP_END_INDEX, group->end);
	memcpy(cmd->out + IN_MATCH, group->mask, HCA_FRAME_KEY);
	cmd->out[GROUP_MATCH_ENABLE] = hca_flow_is_nic(table->side) ? MATCH_OUTER | MATCH_MISC : 0;
	return HCA_CMD_OK;
}

/* --- all of them ------------------------------------------------------------------------- */

static void free_table(struct hca *hca, void *object)
{
	struct hca_flow_table *table = object;
	uint32_t i;

	for (i = 0; i < table->entries.size; i++)
		hca_release(hca, table->entries.slot[i]);
	hca_table_clear(hca, &table->entries);
	for (i = 0; i < table->groups.size; i++)
		group_free(hca, table->groups.slot[i]);
	hca_table_clear(hca, &table->groups);
	hca_release(hca, table);
}

static uint64_t drop_work(const void *object)
{
	const struct hca_flow_table *table = object;

	return HCA_WORK_DROP * ((uint64_t)table->groups.count + table->entries.count);
}

const struct hca_kind hca_kind_flow_table = {
	.limit = (1u << HCA_FLOW_LOG_TABLES) + 1,
	.free = free_table,
	.work = drop_work,
};
