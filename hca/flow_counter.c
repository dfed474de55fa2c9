/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters of flow tables, one by one or many with numbers that follow one another. Layouts:
 * alloc_flow_counter_in, query_flow_counter_in of mlx5_ifc.h.
 */
#include "hca/budget.h"
#include "hca/flow_table.h"
#include "hca/kinds.h"
#include "hca/layout.h"
#include "hca/opcodes.h"

#define LIMIT	 (1u << 16)
#define ITEM	 16u  /* traffic_counter */
#define BULK_OF	 128u /* what a bit of flow_counter_bulk stands for, and each further one twice */
#define BULK_LOG 14u  /* the largest */

const struct hca_kind hca_kind_flow_counter = {
	.limit = LIMIT,
	.free = hca_release,
};

static struct hca_flow_counter *find(struct hca *hca, const struct hca_cmd *cmd, uint32_t number)
{
	struct hca_flow_counter *counter = hca_table_get(&hca->flow_counters, number);

	return counter && hca_cmd_owns(cmd, counter->uid) ? counter : NULL;
}

/* How many counters the command asks for; 0: none that there can be. */
static uint32_t asked_for(const struct hca_cmd *cmd)
{
	uint32_t log = field_get(cmd->in, FLOW_COUNTER_BULK_LOG);
	uint32_t bulk = field_get(cmd->in, FLOW_COUNTER_BULK);

	if (log)
		return log > BULK_LOG || bulk ? 0 : 1u << log;
	if (bulk & (bulk - 1))
		return 0;
	return bulk ? bulk * BULK_OF : 1;
}

/* The first of @count numbers that are free; 0: there are none. */
static uint32_t find_room(struct hca *hca, uint32_t count)
{
	uint32_t first = 1, taken;

	while (count <= LIMIT - first) {
		/* Each number that is taken may have to be passed. */
		hca_work(hca, HCA_WORK_STEP);
		taken = hca_table_next(&hca->flow_counters, first);
		if (!taken || taken - first >= count)
			return first;
		first = taken + 1;
	}
	return 0;
}

static void remove_from(struct hca *hca, uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		hca_release(hca, hca_table_remove(hca, &hca->flow_counters, first + i));
}

static enum hca_cmd_status add(struct hca *hca, struct hca_cmd *cmd, uint32_t number, uint32_t bulk)
{
	struct hca_flow_counter *counter = hca_alloc(hca, sizeof(*counter));
	enum hca_cmd_status status;

	if (!counter)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x14000d);
	counter->uid = hca_cmd_uid(cmd);
	counter->bulk = bulk;
	status = hca_cmd_add(hca, cmd, &hca->flow_counters, number, counter, &number);
	if (status)
		hca_release(hca, counter);
	return status;
}

enum hca_cmd_status hca_cmd_alloc_flow_counter(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t count = asked_for(cmd), first = find_room(hca, count), made;
	enum hca_cmd_status status = HCA_CMD_OK;

	if (!count)
		return hca_flow_unmodelled(hca, cmd, "bulk of counters",
					   be32_at(cmd->in, FLOW_COUNTER_BULKS));
	if (!first)
		return hca_cmd_fail(cmd, HCA_CMD_LIMIT, 0x14000e);
	hca_work(hca, (uint64_t)count * HCA_WORK_DROP);
	for (made = 0; !status && made < count; made++)
		status = add(hca, cmd, first + made, made ? 0 : count);
	if (status) {
		remove_from(hca, first, made - 1);
		return status;
	}
	hca_plain_hold(&hca->uctxs, hca_cmd_uid(cmd), 1);
	be32_put(cmd->out, FLOW_COUNTER_ID, first);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_dealloc_flow_counter(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t first = be32_at(cmd->in, FLOW_COUNTER_ID);
	const struct hca_flow_counter *counter = find(hca, cmd, first);
	uint32_t count;
	uint16_t uid;

	/* As they were allocated. */
	if (!counter || !counter->bulk)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x14000f);
	count = counter->bulk;
	uid = counter->uid;
	for (uint32_t i = 0; i < count; i++) {
		counter = hca_table_get(&hca->flow_counters, first + i);
		if (counter->users)
			return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x140010);
	}
	hca_work(hca, (uint64_t)count * HCA_WORK_DROP);
	remove_from(hca, first, count);
	hca_plain_hold(&hca->uctxs, uid, -1);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_query_flow_counter(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t first = be32_at(cmd->in, FLOW_COUNTER_QUERIED_ID);
	uint32_t count = field_get(cmd->in, FLOW_COUNTER_COUNT);
	uint8_t *item = cmd->out + FLOW_COUNTER_FIRST;

	if (!count)
		count = 1;
	if (cmd->olen < FLOW_COUNTER_FIRST + ITEM * count)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_OUTPUT_LEN, 0x140014);
	for (uint32_t i = 0; i < count; i++) {
		if (!find(hca, cmd, first + i))
			return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x140011);
	}
	for (uint32_t i = 0; i < count; i++, item += ITEM) {
		struct hca_flow_counter *counter = find(hca, cmd, first + i);

		be64_put(item, FLOW_COUNTER_PACKETS, counter->packets);
		be64_put(item, FLOW_COUNTER_OCTETS, counter->octets);
		if (field_get(cmd->in, FLOW_COUNTER_CLEAR))
			counter->packets = counter->octets = 0;
	}
	return HCA_CMD_OK;
}
