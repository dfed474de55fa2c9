/* SPDX-License-Identifier: GPL-2.0-only */
/* Entries of flow tables. Layouts: set_fte_in, flow_context of mlx5_ifc.h. */
#include "hca/budget.h"
#include "hca/opcodes.h"
#include "hca/eth.h"
#include "hca/flow_table.h"
#include "hca/layout.h"

#define CONTEXT	     0x40u /* of set_fte_in and query_fte_out */
#define MATCH_VALUE  (CONTEXT + 0x40u)
#define MATCH_END    (CONTEXT + 0x240u)
#define DESTINATIONS (CONTEXT + 0x300u) /* then counters; 8 bytes each */
#define ITEM	     8u

#define ACTION_ALLOW	0x1u
#define ACTION_DROP	0x2u
#define ACTION_FORWARD	0x4u
#define ACTION_COUNT	0x8u
#define ACTION_REFORMAT 0x10u
#define ACTION_DECAP	0x20u
#define ACTION_MODIFY	0x40u
#define ACTIONS		0xfu
#define NIC_ACTIONS	(ACTIONS | ACTION_REFORMAT | ACTION_DECAP | ACTION_MODIFY)
#define VERDICTS	(ACTION_ALLOW | ACTION_DROP | ACTION_FORWARD)

#define TO_FLOW_TABLE 1u
#define TO_TIR	      2u

#define OP_NEW	  0u
#define OP_MODIFY 1u

/* modify_enable_mask */
#define MODIFY_ACTION	    (1u << 0)
#define MODIFY_TAG	    (1u << 1)
#define MODIFY_DESTINATIONS (1u << 2)
#define MODIFY_COUNTERS	    (1u << 3)
#define MODIFY_ALL	    0xfu

/* --- entries ----------------------------------------------------------------------------- */

static struct hca_flow_entry *find_entry(const struct hca_flow_table *table, uint32_t index)
{
	return index >> HCA_FLOW_LOG_SIZE ? NULL : hca_table_get(&table->entries, index + 1);
}

static void hold(const struct hca_flow_entry *entry, int change)
{
	if (entry->to)
		entry->to->users += (uint32_t)change;
	for (unsigned int i = 0; i < entry->tirs; i++)
		entry->tir[i]->users += (uint32_t)change;
	if (entry->counter)
		entry->counter->users += (uint32_t)change;
	if (entry->reformat)
		entry->reformat->users += (uint32_t)change;
	if (entry->modify)
		entry->modify->users += (uint32_t)change;
}

/* What the context has in fields that stand for more than this model does. */
static enum hca_cmd_status check_context(struct hca *hca, struct hca_cmd *cmd, bool nic)
{
	const uint8_t *context = cmd->in + CONTEXT;
	uint32_t action = field_get(context, FLOW_ACTION);

	if (field_get(cmd->in, FTE_IGNORE_FLOW_LEVEL))
		return hca_flow_unmodelled(hca, cmd, "ignore_flow_level", 1);
	if (!nic && field_get(context, FLOW_TAG))
		return hca_flow_unmodelled(hca, cmd, "flow tag", field_get(context, FLOW_TAG));
	if (action & ~(nic ? NIC_ACTIONS : ACTIONS))
		return hca_flow_unmodelled(hca, cmd, "action", action);
	if (field_get(context, FLOW_EXTENDED_DESTINATION))
		return hca_flow_unmodelled(hca, cmd, "extended destination", 1);
	if (field_get(context, FLOW_DESTINATIONS) > (nic ? 1 + HCA_FLOW_TIRS : 1))
		return hca_flow_unmodelled(hca, cmd, "destinations",
					   field_get(context, FLOW_DESTINATIONS));
	if (field_get(context, FLOW_COUNTERS) > 1)
		return hca_flow_unmodelled(hca, cmd, "counters", field_get(context, FLOW_COUNTERS));
	if (!hca_flow_zero(cmd, MATCH_VALUE + (nic ? HCA_FRAME_KEY : 0), MATCH_END))
		return hca_flow_unmodelled(hca, cmd, "match value", 1);
	return HCA_CMD_OK;
}

static enum hca_cmd_status read_destination(struct hca *hca, struct hca_cmd *cmd,
					    const struct hca_flow_table *table, const uint8_t *item,
					    struct hca_flow_entry *entry)
{
	uint32_t number = field_get(item, DEST_ID);

	if (item[DEST_TYPE] == TO_TIR && table->side == HCA_NIC_RX && entry->tirs < HCA_FLOW_TIRS) {
		entry->tir[entry->tirs] = hca_tir_find(hca, cmd, number);
		if (!entry->tir[entry->tirs])
			return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x140012);
		entry->tirs++;
		return HCA_CMD_OK;
	}
	if (item[DEST_TYPE] != TO_FLOW_TABLE || entry->to)
		return hca_flow_unmodelled(hca, cmd, "destination type", item[DEST_TYPE]);
	return hca_flow_find_next(hca, cmd, table, number, &entry->to);
}

static enum hca_cmd_status read_destinations(struct hca *hca, struct hca_cmd *cmd,
					     const struct hca_flow_table *table, uint32_t count,
					     struct hca_flow_entry *entry)
{
	enum hca_cmd_status status = HCA_CMD_OK;

	entry->to = NULL;
	entry->tirs = 0;
	for (uint32_t i = 0; !status && i < count; i++)
		status =
			read_destination(hca, cmd, table, cmd->in + DESTINATIONS + ITEM * i, entry);
	return status;
}

static enum hca_cmd_status read_counter(struct hca *hca, struct hca_cmd *cmd, uint32_t at,
					struct hca_flow_entry *entry)
{
	entry->counter_number = be32_at(cmd->in, at + COUNTER_ID);
	entry->counter = hca_table_get(&hca->flow_counters, entry->counter_number);
	if (!entry->counter || !hca_cmd_owns(cmd, entry->counter->uid))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x140001);
	return HCA_CMD_OK;
}

/* The actions, and the headers that they name. */
static enum hca_cmd_status read_actions(struct hca *hca, struct hca_cmd *cmd,
					const struct hca_flow_table *table,
					struct hca_flow_entry *entry)
{
	const uint8_t *context = cmd->in + CONTEXT;
	enum hca_cmd_status status = HCA_CMD_OK;

	entry->action = (uint16_t)field_get(context, FLOW_ACTION);
	entry->decap = entry->action & ACTION_DECAP;
	entry->reformat = entry->modify = NULL;
	/* Frames leave a tunnel where they come, and but once. */
	if (entry->decap && (table->side != HCA_NIC_RX || entry->action & ACTION_REFORMAT))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x140013);
	if (entry->action & ACTION_REFORMAT)
		status = hca_flow_header_find(cmd, &hca->reformats,
					      be32_at(context, FLOW_REFORMAT_ID), table->side,
					      &entry->reformat);
	if (!status && entry->action & ACTION_MODIFY)
		status = hca_flow_header_find(cmd, &hca->modify_headers,
					      be32_at(context, FLOW_MODIFY_HEADER_ID), table->side,
					      &entry->modify);
	return status;
}

/* Take over into @entry what @mask selects of the context. Nothing else changes. */
static enum hca_cmd_status read_context(struct hca *hca, struct hca_cmd *cmd,
					const struct hca_flow_table *table, uint32_t mask,
					struct hca_flow_entry *entry)
{
	const uint8_t *context = cmd->in + CONTEXT;
	uint32_t destinations = field_get(context, FLOW_DESTINATIONS);
	uint32_t counters = field_get(context, FLOW_COUNTERS);
	enum hca_cmd_status status = check_context(hca, cmd, hca_flow_is_nic(table->side));
	uint16_t verdict;

	if (status)
		return status;
	if (destinations + counters && cmd->ilen < DESTINATIONS + ITEM * (destinations + counters))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INPUT_LEN, 0x140002);
	if (mask & MODIFY_ACTION)
		status = read_actions(hca, cmd, table, entry);
	if (status)
		return status;
	if (mask & MODIFY_TAG)
		entry->tag = field_get(context, FLOW_TAG);
	if (mask & MODIFY_DESTINATIONS)
		status = read_destinations(hca, cmd, table, destinations, entry);
	if (!status && mask & MODIFY_COUNTERS) {
		entry->counter = NULL;
		status = counters
				 ? read_counter(hca, cmd, DESTINATIONS + ITEM * destinations, entry)
				 : HCA_CMD_OK;
	}
	if (status)
		return status;
	/* One verdict, and what the actions need; lists that they do not need are not kept. */
	verdict = entry->action & VERDICTS;
	if (!verdict || verdict & (verdict - 1) ||
	    (verdict == ACTION_FORWARD && !entry->to && !entry->tirs) ||
	    (entry->action & ACTION_COUNT && !entry->counter))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x140003);
	if (verdict != ACTION_FORWARD) {
		entry->to = NULL;
		entry->tirs = 0;
	}
	if (!(entry->action & ACTION_COUNT))
		entry->counter = NULL;
	return HCA_CMD_OK;
}

static enum hca_cmd_status modify_entry(struct hca *hca, struct hca_cmd *cmd,
					struct hca_flow_table *table, struct hca_flow_entry *entry)
{
	uint32_t mask = field_get(cmd->in, FTE_MODIFY_ENABLE_MASK);
	struct hca_flow_entry changed;
	enum hca_cmd_status status;

	if (!entry)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x140004);
	if (mask & ~MODIFY_ALL || be32_at(cmd->in, CONTEXT + FLOW_GROUP_ID) != entry->group)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x140005);
	changed = *entry;
	status = read_context(hca, cmd, table, mask, &changed);
	if (status)
		return status;
	hold(&changed, 1);
	hold(entry, -1);
	*entry = changed;
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_set_flow_entry(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t index = be32_at(cmd->in, FTE_FLOW_INDEX), op_mod = be16_at(cmd->in, CMD_OP_MOD);
	struct hca_flow_entry made = { .index = index };
	struct hca_flow_entry *entry;
	uint32_t number;
	struct hca_flow_table *table;
	struct hca_flow_group *group;
	enum hca_cmd_status status = hca_flow_find(hca, cmd, &table);

	if (status)
		return status;
	if (op_mod > OP_MODIFY)
		return hca_flow_unmodelled(hca, cmd, "entry op_mod", op_mod);
	entry = find_entry(table, index);
	if (op_mod == OP_MODIFY)
		return modify_entry(hca, cmd, table, entry);
	made.group = be32_at(cmd->in, CONTEXT + FLOW_GROUP_ID);
	memcpy(made.value, cmd->in + MATCH_VALUE, HCA_FRAME_KEY);
	group = hca_table_get(&table->groups, made.group);
	if (!group)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x140006);
	if (index < group->start || index > group->end)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INDEX, 0x140007);
	if (entry)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x140008);
	status = read_context(hca, cmd, table, MODIFY_ALL, &made);
	if (status)
		return status;
	entry = hca_alloc(hca, sizeof(*entry));
	if (!entry)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x140009);
	*entry = made;
	/* Nobody has this number: it is the one that is given. */
	status = hca_cmd_add(hca, cmd, &table->entries, index + 1, entry, &number);
	if (status) {
		hca_release(hca, entry);
		return status;
	}
	if (!table->first || index < table->first->index)
		table->first = entry;
	hold(entry, 1);
	if (group->hash)
		hca_flow_hash_add(group, entry);
	group->entries++;
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_delete_flow_entry(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_flow_group *group;
	struct hca_flow_table *table;
	struct hca_flow_entry *entry;
	enum hca_cmd_status status = hca_flow_find(hca, cmd, &table);

	if (status)
		return status;
	entry = find_entry(table, be32_at(cmd->in, FTE_FLOW_INDEX));
	if (!entry)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x14000a);
	hca_table_remove(hca, &table->entries, entry->index + 1);
	if (table->first == entry)
		table->first = hca_table_get(&table->entries,
					     hca_table_next(&table->entries, entry->index + 1));
	group = hca_table_get(&table->groups, entry->group);
	group->entries--;
	if (group->hash)
		hca_flow_hash_remove(group, entry);
	hold(entry, -1);
	hca_release(hca, entry);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_query_flow_entry(struct hca *hca, struct hca_cmd *cmd)
{
	uint8_t *context = cmd->out + CONTEXT, *item = cmd->out + DESTINATIONS;
	const struct hca_flow_entry *entry;
	struct hca_flow_table *table;
	enum hca_cmd_status status = hca_flow_find(hca, cmd, &table);

	if (status)
		return status;
	entry = find_entry(table, be32_at(cmd->in, FTE_FLOW_INDEX));
	if (!entry)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x14000b);
	if (cmd->olen <
	    DESTINATIONS + ITEM * ((uint32_t) !!entry->to + entry->tirs + !!entry->counter))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_OUTPUT_LEN, 0x14000c);
	be32_put(context, FLOW_GROUP_ID, entry->group);
	field_put(context, FLOW_ACTION, entry->action);
	field_put(context, FLOW_TAG, entry->tag);
	if (entry->reformat)
		be32_put(context, FLOW_REFORMAT_ID, entry->reformat->number);
	if (entry->modify)
		be32_put(context, FLOW_MODIFY_HEADER_ID, entry->modify->number);
	field_put(context, FLOW_DESTINATIONS, !!entry->to + entry->tirs);
	memcpy(cmd->out + MATCH_VALUE, entry->value, HCA_FRAME_KEY);
	field_put(context, FLOW_COUNTERS, !!entry->counter);
	if (entry->to) {
		item[DEST_TYPE] = TO_FLOW_TABLE;
		field_put(item, DEST_ID, entry->to->number);
		item += ITEM;
	}
	for (unsigned int i = 0; i < entry->tirs; i++, item += ITEM) {
		item[DEST_TYPE] = TO_TIR;
		field_put(item, DEST_ID, entry->tir[i]->number);
	}
	if (entry->counter)
		be32_put(item, COUNTER_ID, entry->counter_number);
	return HCA_CMD_OK;
}
