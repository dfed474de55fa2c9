/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands of flow tables: what they make, what they refuse, and who may name what. */
#include <stdio.h>
#include <stdlib.h>

#include "hca/budget.h"
#include "hca/flow_table.h"
#include "hca/tests/flow.h"

static struct fixture_port *port;

static int setup(void **state)
{
	fixture_setup(state);
	port = &((struct fixture *)*state)->port[0];
	return 0;
}

static uint32_t make_table(uint32_t uid, uint8_t type, uint8_t level, uint8_t log_size)
{
	struct table_attr attr = { .uid = uid, .type = type, .level = level, .log_size = log_size };
	uint32_t number;

	assert_int_equal(table_create(port, &attr, &number), 0);
	return number;
}

/* @text: what the HCA lists as not modelled since it was made. */
static void expect_listed(const char *text)
{
	char *listed = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&listed, &len);

	assert_non_null(stream);
	hca_print_unmodelled(port->hca, stream);
	fclose(stream);
	assert_string_equal(listed, text);
	free(listed);
}

/* Level, size and miss table of @table. */
static void expect_table(uint8_t type, uint32_t table, uint32_t dw0, uint32_t miss)
{
	struct flow_cmd cmd = flow_cmd(QUERY_TABLE, 0, type, table);
	uint8_t out[0x40];

	assert_int_equal(fixture_cmd(port, cmd.in, 0x40, out, sizeof(out)), 0);
	assert_int_equal(be32_at(out, 0x18), dw0);
	assert_int_equal(be32_at(out, 0x1c), miss);
}

static uint8_t set_miss(uint32_t uid, uint32_t table, uint8_t action, uint32_t miss)
{
	struct table_attr attr = {
		.uid = uid, .type = RDMA_RX, .miss_action = action, .miss = miss
	};
	struct flow_cmd cmd = table_cmd(&attr);

	be16_put(cmd.in, 0, MODIFY_TABLE);
	be16_put(cmd.in, 0xe, 1);
	field_put(cmd.in, 5, 23, 0, table);
	return flow_run(port, &cmd, 0x40, NULL);
}

static void caps(void **state)
{
	const uint8_t *cap = port->hca->cap[7];

	(void)state;
	assert_true(field_get(port->hca->cap[0], 13, 25, 25));
	/* No tables for Ethernet, neither way. */
	assert_int_equal(field_get(cap, 16, 31, 31), 0);
	assert_int_equal(field_get(cap, 64, 31, 31), 0);
	assert_int_equal(field_get(cap, 32, 31, 31), 1);
	assert_int_equal(field_get(cap, 80, 31, 31), 1);
	/* Nor fields to match on. */
	for (unsigned int dw = 8; dw < 16; dw++)
		assert_int_equal(be32_at(cap, 4 * (32 + dw)) | be32_at(cap, 4 * (80 + dw)), 0);
}

static void tables(void **state)
{
	uint32_t first = make_table(0, RDMA_RX, 3, 4), second = make_table(0, RDMA_RX, 4, 0);
	uint32_t other = make_table(0, RDMA_TX, 9, 0), third;
	struct table_attr attr = { .type = RDMA_RX, .level = 2, .miss_action = MISS_FORWARD };

	(void)state;
	expect_table(RDMA_RX, first, 0x00030004, 0);
	assert_int_equal(set_miss(0, first, MISS_FORWARD, second), 0);
	expect_table(RDMA_RX, first, 0x01030004, second);
	/* Not there, of the other side, or of a level that is not higher. */
	assert_int_equal(set_miss(0, first, MISS_FORWARD, 99), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(set_miss(0, first, MISS_FORWARD, other), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(set_miss(0, first, MISS_FORWARD, first), HCA_CMD_BAD_PARAM);
	assert_int_equal(set_miss(0, second, MISS_FORWARD, first), HCA_CMD_BAD_PARAM);
	expect_table(RDMA_RX, first, 0x01030004, second);
	expect_table(RDMA_RX, second, 0x00040000, 0);
	attr.miss = 99;
	assert_int_equal(table_create(port, &attr, &third), HCA_CMD_BAD_RESOURCE);
	attr.miss = second;
	assert_int_equal(table_create(port, &attr, &third), 0);
	/* In use by two, then by one, then by none. */
	assert_int_equal(table_destroy(port, 0, RDMA_RX, second), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(table_destroy(port, 0, RDMA_RX, third), 0);
	assert_int_equal(table_destroy(port, 0, RDMA_RX, second), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(set_miss(0, first, 0, 0), 0);
	assert_int_equal(table_destroy(port, 0, RDMA_TX, second), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(table_destroy(port, 0, RDMA_RX, second), 0);
	assert_int_equal(table_destroy(port, 0, RDMA_RX, second), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(table_destroy(port, 0, RDMA_RX, first), 0);
	expect_table(RDMA_TX, other, 0x00090000, 0);
	expect_listed("");
}

static void table_refusals(void **state)
{
	struct table_attr attr = { .type = RDMA_RX, .log_size = 17 };
	struct flow_cmd cmd;
	uint32_t number;

	(void)state;
	assert_int_equal(table_create(port, &attr, &number), HCA_CMD_BAD_PARAM);
	attr.log_size = 16;
	attr.uid = 77;
	assert_int_equal(table_create(port, &attr, &number), HCA_CMD_BAD_RESOURCE);
	expect_listed("");
	attr.uid = 0;
	attr.type = 0;
	assert_int_equal(table_create(port, &attr, &number), HCA_CMD_BAD_PARAM);
	attr.type = RDMA_TX;
	attr.miss_action = 2;
	assert_int_equal(table_create(port, &attr, &number), HCA_CMD_BAD_PARAM);
	attr.miss_action = 0;
	cmd = table_cmd(&attr);
	be16_put(cmd.in, 6, 1);
	assert_int_equal(flow_run(port, &cmd, 0x40, NULL), HCA_CMD_BAD_PARAM);
	cmd = table_cmd(&attr);
	field_put(cmd.in, 6, 28, 28, 1);
	assert_int_equal(flow_run(port, &cmd, 0x40, NULL), HCA_CMD_BAD_PARAM);
	cmd = table_cmd(&attr);
	be16_put(cmd.in, 10, 1);
	assert_int_equal(flow_run(port, &cmd, 0x40, NULL), HCA_CMD_BAD_PARAM);
	cmd = flow_cmd(MODIFY_TABLE, 0, RDMA_TX, make_table(0, RDMA_TX, 0, 0));
	be16_put(cmd.in, 0xe, 0x8000);
	assert_int_equal(flow_run(port, &cmd, 0x40, NULL), HCA_CMD_BAD_PARAM);
	expect_listed("hca0: flow table type 0x0\n"
		      "hca0: flow table miss action 0x2\n"
		      "hca0: flow table op_mod 0x1\n"
		      "hca0: flow table context 0x10000010\n"
		      "hca0: flow table of vport 0x1\n"
		      "hca0: flow table field select 0x8000\n");
	assert_int_equal(port->hca->flow_tables.count, 1);
}

/* As many as the capabilities say. */
static void many_tables(void **state)
{
	struct table_attr attr = { .type = RDMA_RX };
	uint32_t number, i;

	(void)state;
	for (i = 0; table_create(port, &attr, &number) == 0; i++)
		;
	assert_int_equal(i, 1u << field_get(port->hca->cap[7], 32 + 3, 7, 0));
	assert_int_equal(table_create(port, &attr, &number), HCA_CMD_LIMIT);
}

static void roots(void **state)
{
	uint32_t rx = make_table(0, RDMA_RX, 0, 0), tx = make_table(0, RDMA_TX, 0, 0);
	struct flow_cmd cmd = flow_cmd(SET_ROOT, 0, RDMA_RX, rx);

	(void)state;
	assert_int_equal(root_set(port, RDMA_RX, tx), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(root_set(port, RDMA_RX, 99), HCA_CMD_BAD_RESOURCE);
	field_put(cmd.in, 6, 23, 0, 5);
	assert_int_equal(flow_run(port, &cmd, 0x40, NULL), HCA_CMD_BAD_PARAM);
	be16_put(cmd.in, 6, 2);
	assert_int_equal(flow_run(port, &cmd, 0x40, NULL), HCA_CMD_BAD_PARAM);
	expect_listed("hca0: flow table root of QP 0x5\nhca0: flow table root op_mod 0x2\n");
	assert_null(port->hca->flow_root[HCA_RX]);
	assert_int_equal(root_set(port, RDMA_RX, rx), 0);
	assert_int_equal(root_set(port, RDMA_TX, tx), 0);
	assert_ptr_equal(port->hca->flow_root[HCA_RX], hca_table_get(&port->hca->flow_tables, rx));
	assert_int_equal(root_set(port, RDMA_RX, 0), 0);
	assert_null(port->hca->flow_root[HCA_RX]);
	assert_ptr_equal(port->hca->flow_root[HCA_TX], hca_table_get(&port->hca->flow_tables, tx));
	/* A root that goes leaves none behind. */
	assert_int_equal(table_destroy(port, 0, RDMA_TX, tx), 0);
	assert_null(port->hca->flow_root[HCA_TX]);
}

static void groups(void **state)
{
	uint32_t table = make_table(0, RDMA_RX, 0, 4), first, second, number;
	struct entry_attr entry = { .type = RDMA_RX, .table = table, .index = 5, .action = DROP };
	struct flow_cmd cmd;
	uint8_t out[0x400];

	(void)state;
	assert_int_equal(group_create(port, 0, RDMA_RX, 99, 0, 0, &number), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(group_create(port, 0, RDMA_RX, table, 4, 7, &first), 0);
	assert_int_equal(group_create(port, 0, RDMA_RX, table, 8, 15, &second), 0);
	assert_int_equal(group_create(port, 0, RDMA_RX, table, 0, 4, &number), HCA_CMD_BAD_INDEX);
	assert_int_equal(group_create(port, 0, RDMA_RX, table, 7, 7, &number), HCA_CMD_BAD_INDEX);
	assert_int_equal(group_create(port, 0, RDMA_RX, table, 0, 15, &number), HCA_CMD_BAD_INDEX);
	assert_int_equal(group_create(port, 0, RDMA_RX, table, 3, 2, &number), HCA_CMD_BAD_INDEX);
	assert_int_equal(group_destroy(port, RDMA_RX, table, second), 0);
	assert_int_equal(group_destroy(port, RDMA_RX, table, second), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(group_create(port, 0, RDMA_RX, table, 8, 16, &number), HCA_CMD_BAD_INDEX);
	cmd = flow_cmd(QUERY_GROUP, 0, RDMA_RX, table);
	be32_put(cmd.in, 0x18, first);
	assert_int_equal(fixture_cmd(port, cmd.in, 0x40, out, sizeof(out)), 0);
	assert_int_equal(be32_at(out, 0x1c), 4);
	assert_int_equal(be32_at(out, 0x24), 7);
	be32_put(cmd.in, 0x18, second);
	assert_int_equal(fixture_cmd(port, cmd.in, 0x40, out, sizeof(out)), HCA_CMD_BAD_RESOURCE);

	entry.group = first;
	assert_int_equal(entry_set(port, &entry), 0);
	assert_int_equal(group_destroy(port, RDMA_RX, table, first), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(table_destroy(port, 0, RDMA_RX, table), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(entry_delete(port, RDMA_RX, table, 5), 0);
	assert_int_equal(table_destroy(port, 0, RDMA_RX, table), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(group_destroy(port, RDMA_RX, table, first), 0);
	assert_int_equal(table_destroy(port, 0, RDMA_RX, table), 0);
}

/* Criteria in the first and in the last byte, kinds of groups: refused by name. */
static void group_criteria(void **state)
{
	uint32_t table = make_table(0, RDMA_RX, 0, 4);
	struct flow_cmd cmd = group_cmd(0, RDMA_RX, table, 0, 3);

	(void)state;
	cmd.in[0x3f] = 1;
	cmd.in[0x40] = 1;
	assert_int_equal(flow_run(port, &cmd, 0x400, NULL), HCA_CMD_BAD_PARAM);
	cmd = group_cmd(0, RDMA_RX, table, 0, 3);
	cmd.in[0x3f] = 0x40;
	cmd.in[0x23f] = 1;
	assert_int_equal(flow_run(port, &cmd, 0x400, NULL), HCA_CMD_BAD_PARAM);
	cmd = group_cmd(0, RDMA_RX, table, 0, 3);
	field_put(cmd.in, 4, 19, 16, 1);
	assert_int_equal(flow_run(port, &cmd, 0x400, NULL), HCA_CMD_BAD_PARAM);
	cmd = group_cmd(0, RDMA_RX, table, 0, 3);
	be16_put(cmd.in, 0x2a, 9);
	assert_int_equal(flow_run(port, &cmd, 0x400, NULL), HCA_CMD_BAD_PARAM);
	expect_listed("hca0: flow table match criteria 0x1\n"
		      "hca0: flow table match criteria 0x40\n"
		      "hca0: flow table group type 0x1\n"
		      "hca0: flow table match definer 0x9\n");
	assert_int_equal(table_destroy(port, 0, RDMA_RX, table), 0);
}

struct place {
	struct entry_attr entry;
	uint32_t next;
};

/* A table of level 1 with a group of indices 2..5, and one of level 2. */
static struct place make_place(void)
{
	struct place p = { .entry = { .type = RDMA_RX, .index = 2, .action = ALLOW } };

	p.entry.table = make_table(0, RDMA_RX, 1, 3);
	p.next = make_table(0, RDMA_RX, 2, 0);
	assert_int_equal(group_create(port, 0, RDMA_RX, p.entry.table, 2, 5, &p.entry.group), 0);
	return p;
}

static void entries(void **state)
{
	struct place p = make_place();
	struct entry_attr e = p.entry;
	uint32_t counter = fixture_simple(port, ALLOC_COUNTER, 0, 0, 0);

	(void)state;
	assert_int_equal(entry_set(port, &e), 0);
	entry_expect(port, &e);
	/* New ones do not take the place of others. */
	e.action = DROP;
	assert_int_equal(entry_set(port, &e), HCA_CMD_BAD_RES_STATE);
	entry_expect(port, &p.entry);
	e.index = 1;
	assert_int_equal(entry_set(port, &e), HCA_CMD_BAD_INDEX);
	e.index = 6;
	assert_int_equal(entry_set(port, &e), HCA_CMD_BAD_INDEX);
	e.index = 5;
	e.group = 99;
	assert_int_equal(entry_set(port, &e), HCA_CMD_BAD_RESOURCE);
	e.group = p.entry.group;
	e.table = 99;
	assert_int_equal(entry_set(port, &e), HCA_CMD_BAD_RESOURCE);
	e.table = p.entry.table;
	e.action = FORWARD | COUNT;
	e.to = p.next;
	e.counter = counter;
	assert_int_equal(entry_set(port, &e), 0);
	entry_expect(port, &e);
	assert_int_equal(table_destroy(port, 0, RDMA_RX, p.next), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(fixture_simple_status(port, DEALLOC_COUNTER, 0, counter, 0),
			 HCA_CMD_BAD_RES_STATE);
	assert_int_equal(entry_delete(port, RDMA_RX, e.table, 4), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(entry_delete(port, RDMA_TX, e.table, 5), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(entry_delete(port, RDMA_RX, e.table, 5), 0);
	assert_int_equal(entry_delete(port, RDMA_RX, e.table, 5), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(table_destroy(port, 0, RDMA_RX, p.next), 0);
	assert_int_equal(fixture_simple_status(port, DEALLOC_COUNTER, 0, counter, 0), 0);
	entry_expect(port, &p.entry);
}

/* In whatever order they come. */
static void entry_order(void **state)
{
	static const uint32_t order[] = { 4, 2, 5, 3 };
	struct place p = make_place();
	struct hca_flow_table *table;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		p.entry.index = order[i];
		assert_int_equal(entry_set(port, &p.entry), 0);
	}
	table = hca_table_get(&port->hca->flow_tables, p.entry.table);
	assert_int_equal(table->entries.count, 4);
	/* The first one of the table takes the packets. */
	for (uint32_t index = 2; index < 6; index++) {
		assert_int_equal(table->first->index, index);
		assert_int_equal(entry_delete(port, RDMA_RX, p.entry.table, index), 0);
	}
	assert_null(table->first);
	assert_int_equal(group_destroy(port, RDMA_RX, p.entry.table, p.entry.group), 0);
}

static void entry_query_refusals(void **state)
{
	struct place p = make_place();
	struct flow_cmd cmd = flow_cmd(QUERY_ENTRY, 0, RDMA_RX, p.entry.table);
	uint8_t out[0x350];

	(void)state;
	p.entry.action = FORWARD;
	p.entry.to = p.next;
	assert_int_equal(entry_set(port, &p.entry), 0);
	be32_put(cmd.in, 0x20, 2);
	assert_int_equal(fixture_cmd(port, cmd.in, 0x40, out, 0x347), HCA_CMD_BAD_OUTPUT_LEN);
	assert_int_equal(fixture_cmd(port, cmd.in, 0x40, out, 0x348), 0);
	be32_put(cmd.in, 0x20, 3);
	assert_int_equal(fixture_cmd(port, cmd.in, 0x40, out, 0x348), HCA_CMD_BAD_RESOURCE);
}

/* Actions and what they need. */
static void entry_actions(void **state)
{
	static const uint16_t bad[] = {
		0, COUNT, ALLOW | DROP, ALLOW | FORWARD, DROP | FORWARD, FORWARD, ALLOW | COUNT
	};
	struct place p = make_place();
	struct entry_attr e = p.entry;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		e.action = bad[i];
		assert_int_equal(entry_set(port, &e), HCA_CMD_BAD_PARAM);
	}
	expect_listed("");
	e.action = FORWARD;
	e.to = e.table;
	assert_int_equal(entry_set(port, &e), HCA_CMD_BAD_PARAM);
	e.to = make_table(0, RDMA_TX, 9, 0);
	assert_int_equal(entry_set(port, &e), HCA_CMD_BAD_RESOURCE);
	e.to = 0;
	e.action = ALLOW | COUNT;
	e.counter = 5;
	assert_int_equal(entry_set(port, &e), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(entry_delete(port, RDMA_RX, e.table, 2), HCA_CMD_BAD_RESOURCE);
	/* A destination that the action does not need is not held. */
	e.action = DROP;
	e.counter = 0;
	e.to = p.next;
	assert_int_equal(entry_set(port, &e), 0);
	assert_int_equal(table_destroy(port, 0, RDMA_RX, p.next), 0);
}

/* A field at @dw[@hi:@lo] = @value makes a good entry one that is refused as @name. */
static void entry_unmodelled(void **state)
{
	static const struct {
		uint8_t dw, hi, lo;
		uint32_t value;
		const char *name;
	} cases[] = {
		{ 1, 15, 0, 2, "entry op_mod 0x2" },
		{ 6, 31, 31, 1, "ignore_flow_level 0x1" },
		{ 16 + 2, 23, 0, 7, "flow tag 0x7" },
		{ 16 + 3, 15, 0, FORWARD | 0x40, "action 0x44" },
		{ 16 + 4, 31, 31, 1, "extended destination 0x1" },
		{ 16 + 4, 23, 0, 2, "destinations 0x2" },
		{ 16 + 5, 23, 0, 2, "counters 0x2" },
		{ 32, 31, 0, 1, "match value 0x1" },
		{ 159, 7, 0, 1, "match value 0x1" },
		{ 208, 31, 24, 2, "destination type 0x2" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct flow_cmd cmd;
		struct place p;
		char text[80];

		fixture_teardown(state);
		setup(state);
		p = make_place();
		p.entry.action = FORWARD;
		p.entry.to = p.next;
		cmd = entry_cmd(&p.entry);
		assert_int_equal(flow_run(port, &cmd, 0x347, NULL), HCA_CMD_BAD_INPUT_LEN);
		field_put(cmd.in, cases[i].dw, cases[i].hi, cases[i].lo, cases[i].value);
		assert_int_equal(flow_run(port, &cmd, 0x350, NULL), HCA_CMD_BAD_PARAM);
		snprintf(text, sizeof(text), "hca0: flow table %s\n", cases[i].name);
		expect_listed(text);
		assert_int_equal(entry_delete(port, RDMA_RX, p.entry.table, 2),
				 HCA_CMD_BAD_RESOURCE);
		assert_int_equal(table_destroy(port, 0, RDMA_RX, p.next), 0);
	}
}

static void entry_modification(void **state)
{
	struct place p = make_place();
	struct entry_attr e = p.entry, want = p.entry;
	uint32_t counter = fixture_simple(port, ALLOC_COUNTER, 0, 0, 0);

	(void)state;
	assert_int_equal(entry_modify(port, &e, 1), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(entry_set(port, &e), 0);
	/* Only what the mask says: the counter, but not that it is used. */
	e.action = DROP | COUNT;
	e.counter = counter;
	assert_int_equal(entry_modify(port, &e, 1 << 3), 0);
	entry_expect(port, &want);
	assert_int_equal(entry_modify(port, &e, 1 | 1 << 3), 0);
	want = e;
	entry_expect(port, &want);
	/* Refused, and unchanged. */
	e.action = FORWARD;
	e.counter = 0;
	assert_int_equal(entry_modify(port, &e, 1), HCA_CMD_BAD_PARAM);
	assert_int_equal(entry_modify(port, &e, 0x10), HCA_CMD_BAD_PARAM);
	e.to = p.next;
	e.group++;
	assert_int_equal(entry_modify(port, &e, 0xf), HCA_CMD_BAD_PARAM);
	e.group--;
	entry_expect(port, &want);
	assert_int_equal(entry_modify(port, &e, 0xf), 0);
	entry_expect(port, &e);
	/* Held and let go. */
	assert_int_equal(fixture_simple_status(port, DEALLOC_COUNTER, 0, counter, 0), 0);
	assert_int_equal(table_destroy(port, 0, RDMA_RX, p.next), HCA_CMD_BAD_RES_STATE);
	e.action = ALLOW;
	e.to = 0;
	assert_int_equal(entry_modify(port, &e, 1), 0);
	assert_int_equal(table_destroy(port, 0, RDMA_RX, p.next), 0);
}

/* Lists that the mask leaves out stay, whatever the context has in their place. */
static void entry_masks(void **state)
{
	struct place p = make_place();
	struct entry_attr e = p.entry, want;
	uint32_t other = make_table(0, RDMA_RX, 3, 0);

	(void)state;
	e.action = FORWARD | COUNT;
	e.to = p.next;
	e.counter = fixture_simple(port, ALLOC_COUNTER, 0, 0, 0);
	assert_int_equal(entry_set(port, &e), 0);
	want = e;
	e.to = 0;
	e.counter = 0;
	assert_int_equal(entry_modify(port, &e, 1), 0);
	entry_expect(port, &want);
	e.to = other;
	assert_int_equal(entry_modify(port, &e, 1 << 2), 0);
	want.to = other;
	entry_expect(port, &want);
	e.action = FORWARD;
	e.to = 0;
	assert_int_equal(entry_modify(port, &e, 1), 0);
	want.action = FORWARD;
	want.counter = 0;
	entry_expect(port, &want);
}

static void counters(void **state)
{
	uint32_t uid = fixture_simple(port, 0xa04, 0, 0, 0), number;
	struct flow_cmd cmd = flow_cmd(ALLOC_COUNTER, uid, 0, 0);
	uint64_t packets, octets;
	uint8_t in[0x20] = { 0 };

	(void)state;
	assert_int_equal(flow_run(port, &cmd, 16, &number), 0);
	assert_int_equal(counter_query(port, uid, number, false, &packets, &octets), 0);
	assert_int_equal(packets | octets, 0);
	assert_int_equal(counter_query(port, uid + 1, number, false, &packets, &octets),
			 HCA_CMD_BAD_RESOURCE);
	be16_put(in, 0, QUERY_COUNTER);
	be16_put(in, 0x1a, 2);
	be32_put(in, 0x1c, number);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), NULL, 0x20), HCA_CMD_BAD_OUTPUT_LEN);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), NULL, 0x30), HCA_CMD_BAD_RESOURCE);
	cmd = flow_cmd(DEALLOC_COUNTER, uid + 1, 0, 0);
	be32_put(cmd.in, 8, number);
	assert_int_equal(flow_run(port, &cmd, 16, NULL), HCA_CMD_BAD_RESOURCE);
	be16_put(cmd.in, 2, (uint16_t)uid);
	assert_int_equal(flow_run(port, &cmd, 16, NULL), 0);
	assert_int_equal(flow_run(port, &cmd, 16, NULL), HCA_CMD_BAD_RESOURCE);
}

static uint8_t bulk(uint32_t asked, uint32_t *number)
{
	struct flow_cmd cmd = flow_cmd(ALLOC_COUNTER, 0, 0, 0);

	be32_put(cmd.in, 12, asked);
	return flow_run(port, &cmd, 16, number);
}

static uint8_t give_back(uint32_t number)
{
	struct flow_cmd cmd = flow_cmd(DEALLOC_COUNTER, 0, 0, 0);

	be32_put(cmd.in, 8, number);
	return flow_run(port, &cmd, 16, NULL);
}

/* Numbers that follow one another, and go together. */
static void bulks(void **state)
{
	struct place p = make_place();
	struct entry_attr e = p.entry;
	uint32_t one, four, one_more, many;
	uint8_t in[0x20] = { 0 }, out[0x10 + 4 * 16];

	(void)state;
	assert_int_equal(bulk(0, &one), 0);
	assert_int_equal(bulk(2 << 8, &four), 0);
	assert_int_equal(bulk(0, &one_more), 0);
	assert_int_equal(bulk(4, &many), 0);
	assert_int_equal(four, one + 1);
	assert_int_equal(one_more, one + 5);
	assert_int_equal(many, one + 6);
	assert_non_null(hca_table_get(&port->hca->flow_counters, many + 511));
	assert_null(hca_table_get(&port->hca->flow_counters, many + 512));
	for (uint32_t i = 0; i < 4; i++) {
		struct hca_flow_counter *counter =
			hca_table_get(&port->hca->flow_counters, four + i);

		counter->packets = 10 + i;
		counter->octets = 100 + i;
	}
	be16_put(in, 0, QUERY_COUNTER);
	in[0x18] = 0x80;
	be16_put(in, 0x1a, 4);
	be32_put(in, 0x1c, four);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(be64_at(out, 0x10 + 16 * i), 10 + i);
		assert_int_equal(be64_at(out, 0x18 + 16 * i), 100 + i);
	}
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	assert_int_equal(be64_at(out, 0x40), 0);
	/* An entry counts with any of them, and none goes before it. */
	e.action = FORWARD | COUNT;
	e.to = p.next;
	e.counter = four + 3;
	assert_int_equal(entry_set(port, &e), 0);
	assert_int_equal(give_back(four + 1), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(give_back(four), HCA_CMD_BAD_RES_STATE);
	assert_non_null(hca_table_get(&port->hca->flow_counters, four));
	e.action = FORWARD;
	e.counter = 0;
	assert_int_equal(entry_modify(port, &e, 1), 0);
	assert_int_equal(give_back(four), 0);
	assert_null(hca_table_get(&port->hca->flow_counters, four + 3));
	assert_non_null(hca_table_get(&port->hca->flow_counters, one_more));
	/* What goes into the gap, and what does not. */
	assert_int_equal(bulk(3 << 8, &many), 0);
	assert_int_equal(many, one + 6 + 512);
	assert_int_equal(bulk(1 << 8, &many), 0);
	assert_int_equal(many, four);
}

/* As many as there are numbers, and nothing of one that is too large. */
static void bulks_end(void **state)
{
	uint32_t number, count = port->hca->flow_counters.count;

	(void)state;
	assert_int_equal(bulk(15 << 8, &number), HCA_CMD_BAD_PARAM);
	assert_int_equal(bulk(2 << 8 | 1, &number), HCA_CMD_BAD_PARAM);
	assert_int_equal(bulk(3, &number), HCA_CMD_BAD_PARAM);
	expect_listed("hca0: flow table bulk of counters 0xf00\n"
		      "hca0: flow table bulk of counters 0x201\n"
		      "hca0: flow table bulk of counters 0x3\n");
	assert_int_equal(port->hca->flow_counters.count, count);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(bulk(14 << 8, &number), 0);
	assert_int_equal(bulk(14 << 8, &number), HCA_CMD_LIMIT);
	/* It looked at each that is taken. */
	assert_true(port->hca->work_left < HCA_TURN_WORK - 3 * (1 << 14) * (int64_t)HCA_WORK_STEP);
	assert_int_equal(port->hca->flow_counters.count, count + 3 * (1u << 14));
	port->hca->params.memory = port->hca->memory_used + 4000;
	assert_int_equal(bulk(12 << 8, &number), HCA_CMD_NO_RESOURCES);
	port->hca->params.memory = HCA_MEMORY_DEFAULT;
	assert_int_equal(port->hca->flow_counters.count, count + 3 * (1u << 14));
	assert_int_equal(bulk(12 << 8, &number), 0);
}

/* Contexts name what is theirs; the driver names everything. */
static void owners(void **state)
{
	uint32_t uid = fixture_simple(port, 0xa04, 0, 0, 0),
		 other = fixture_simple(port, 0xa04, 0, 0, 0);
	uint32_t mine = make_table(uid, RDMA_RX, 200, 0), his = make_table(other, RDMA_RX, 201, 0);
	uint32_t drivers = make_table(0, RDMA_RX, 1, 0);
	struct entry_attr e = { .uid = uid, .type = RDMA_RX, .table = mine, .action = FORWARD };
	uint32_t counter = fixture_simple(port, ALLOC_COUNTER, 0, 0, 0), group;

	(void)state;
	assert_int_equal(table_destroy(port, uid, RDMA_RX, his), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(table_destroy(port, uid, RDMA_RX, drivers), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(set_miss(uid, mine, MISS_FORWARD, his), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(group_create(port, other, RDMA_RX, mine, 0, 0, &group),
			 HCA_CMD_BAD_RESOURCE);
	assert_int_equal(group_create(port, uid, RDMA_RX, mine, 0, 0, &e.group), 0);
	e.to = his;
	assert_int_equal(entry_set(port, &e), HCA_CMD_BAD_RESOURCE);
	e.to = 0;
	e.action = DROP | COUNT;
	e.counter = counter;
	assert_int_equal(entry_set(port, &e), HCA_CMD_BAD_RESOURCE);
	e.action = DROP;
	e.counter = 0;
	assert_int_equal(entry_set(port, &e), 0);

	assert_int_equal(group_create(port, 0, RDMA_RX, drivers, 0, 0, &group), 0);
	e = (struct entry_attr){ .type = RDMA_RX,
				 .table = drivers,
				 .group = group,
				 .action = FORWARD | COUNT,
				 .to = mine,
				 .counter = counter };
	assert_int_equal(entry_set(port, &e), 0);
	assert_int_equal(table_destroy(port, uid, RDMA_RX, mine), HCA_CMD_BAD_RES_STATE);

	/* A context with tables stays. */
	assert_int_equal(fixture_simple_status(port, 0xa06, 0, other, 0), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(table_destroy(port, other, RDMA_RX, his), 0);
	assert_int_equal(fixture_simple_status(port, 0xa06, 0, other, 0), 0);
	/* What the driver leaves behind is gone when it comes again. */
	assert_int_equal(root_set(port, RDMA_RX, drivers), 0);
	fixture_simple(port, 0x104, 0, 0, 0);
	assert_null(port->hca->flow_root[HCA_RX]);
	assert_int_equal(port->hca->flow_tables.count, 0);
	assert_int_equal(port->hca->flow_counters.count, 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(caps),
		TEST(tables),
		TEST(table_refusals),
		TEST(many_tables),
		TEST(roots),
		TEST(groups),
		TEST(group_criteria),
		TEST(entries),
		TEST(entry_order),
		TEST(entry_query_refusals),
		TEST(entry_actions),
		TEST(entry_unmodelled),
		TEST(entry_modification),
		TEST(entry_masks),
		TEST(counters),
		TEST(bulks),
		TEST(bulks_end),
		TEST(owners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
