/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands of flow tables, as the driver writes them. */
#ifndef HCA_TESTS_FLOW_H
#define HCA_TESTS_FLOW_H

#include "hca/tests/fixture.h"

#define RDMA_RX 7u
#define RDMA_TX 8u

#define ALLOW	0x1u
#define DROP	0x2u
#define FORWARD 0x4u
#define COUNT	0x8u

#define MISS_FORWARD 1u

#define SET_ROOT	0x92f
#define CREATE_TABLE	0x930
#define DESTROY_TABLE	0x931
#define QUERY_TABLE	0x932
#define CREATE_GROUP	0x933
#define DESTROY_GROUP	0x934
#define QUERY_GROUP	0x935
#define SET_ENTRY	0x936
#define QUERY_ENTRY	0x937
#define DELETE_ENTRY	0x938
#define ALLOC_COUNTER	0x939
#define DEALLOC_COUNTER 0x93a
#define QUERY_COUNTER	0x93b
#define MODIFY_TABLE	0x93c

/* A command that names a table; the rest is the caller's. */
struct flow_cmd {
	uint8_t in[0x400];
};

static inline struct flow_cmd flow_cmd(uint16_t op, uint32_t uid, uint8_t type, uint32_t table)
{
	struct flow_cmd cmd = { { 0 } };

	be16_put(cmd.in, 0, op);
	be16_put(cmd.in, 2, (uint16_t)uid);
	cmd.in[0x10] = type;
	field_put(cmd.in, 5, 23, 0, table);
	return cmd;
}

/* @number may be NULL: the number that the answer names. */
static inline uint8_t flow_run(struct fixture_port *port, const struct flow_cmd *cmd, uint32_t ilen,
			       uint32_t *number)
{
	uint8_t out[16];
	uint8_t status = fixture_cmd(port, cmd->in, ilen, out, sizeof(out));

	if (number)
		*number = be32_at(out, 8) & 0xffffff;
	return status;
}

struct table_attr {
	uint32_t uid;
	uint8_t type, level, log_size, miss_action;
	uint32_t miss;
};

static inline struct flow_cmd table_cmd(const struct table_attr *attr)
{
	struct flow_cmd cmd = flow_cmd(CREATE_TABLE, attr->uid, attr->type, 0);

	field_put(cmd.in, 6, 27, 24, attr->miss_action);
	field_put(cmd.in, 6, 23, 16, attr->level);
	field_put(cmd.in, 6, 7, 0, attr->log_size);
	field_put(cmd.in, 7, 23, 0, attr->miss);
	return cmd;
}

static inline uint8_t table_create(struct fixture_port *port, const struct table_attr *attr,
				   uint32_t *number)
{
	struct flow_cmd cmd = table_cmd(attr);

	return flow_run(port, &cmd, 0x40, number);
}

static inline uint8_t table_destroy(struct fixture_port *port, uint32_t uid, uint8_t type,
				    uint32_t table)
{
	struct flow_cmd cmd = flow_cmd(DESTROY_TABLE, uid, type, table);

	return flow_run(port, &cmd, 0x40, NULL);
}

/* @table 0: back to none. */
static inline uint8_t root_set(struct fixture_port *port, uint8_t type, uint32_t table)
{
	struct flow_cmd cmd = flow_cmd(SET_ROOT, 0, type, table);

	be16_put(cmd.in, 6, !table);
	return flow_run(port, &cmd, 0x40, NULL);
}

static inline struct flow_cmd group_cmd(uint32_t uid, uint8_t type, uint32_t table, uint32_t start,
					uint32_t end)
{
	struct flow_cmd cmd = flow_cmd(CREATE_GROUP, uid, type, table);

	be32_put(cmd.in, 0x1c, start);
	be32_put(cmd.in, 0x24, end);
	return cmd;
}

static inline uint8_t group_create(struct fixture_port *port, uint32_t uid, uint8_t type,
				   uint32_t table, uint32_t start, uint32_t end, uint32_t *number)
{
	struct flow_cmd cmd = group_cmd(uid, type, table, start, end);

	return flow_run(port, &cmd, 0x400, number);
}

static inline uint8_t group_destroy(struct fixture_port *port, uint8_t type, uint32_t table,
				    uint32_t group)
{
	struct flow_cmd cmd = flow_cmd(DESTROY_GROUP, 0, type, table);

	be32_put(cmd.in, 0x18, group);
	return flow_run(port, &cmd, 0x40, NULL);
}

/* @to, @counter 0: none. */
struct entry_attr {
	uint32_t uid;
	uint8_t type;
	uint32_t table, group, index;
	uint16_t action;
	uint32_t to, counter;
};

static inline struct flow_cmd entry_cmd(const struct entry_attr *attr)
{
	struct flow_cmd cmd = flow_cmd(SET_ENTRY, attr->uid, attr->type, attr->table);
	uint8_t *item = cmd.in + 0x340;

	be32_put(cmd.in, 0x20, attr->index);
	be32_put(cmd.in, 0x44, attr->group);
	field_put(cmd.in, 16 + 3, 15, 0, attr->action);
	field_put(cmd.in, 16 + 4, 23, 0, !!attr->to);
	field_put(cmd.in, 16 + 5, 23, 0, !!attr->counter);
	if (attr->to) {
		field_put(item, 0, 31, 0, 1u << 24 | attr->to);
		item += 8;
	}
	if (attr->counter)
		be32_put(item, 0, attr->counter);
	return cmd;
}

static inline uint8_t entry_set(struct fixture_port *port, const struct entry_attr *attr)
{
	struct flow_cmd cmd = entry_cmd(attr);

	return flow_run(port, &cmd, 0x340 + 8 * (!!attr->to + !!attr->counter), NULL);
}

/* @mask: modify_enable_mask */
static inline uint8_t entry_modify(struct fixture_port *port, const struct entry_attr *attr,
				   uint8_t mask)
{
	struct flow_cmd cmd = entry_cmd(attr);

	be16_put(cmd.in, 6, 1);
	cmd.in[0x1b] = mask;
	return flow_run(port, &cmd, 0x350, NULL);
}

static inline uint8_t entry_delete(struct fixture_port *port, uint8_t type, uint32_t table,
				   uint32_t index)
{
	struct flow_cmd cmd = flow_cmd(DELETE_ENTRY, 0, type, table);

	be32_put(cmd.in, 0x20, index);
	return flow_run(port, &cmd, 0x40, NULL);
}

/* Fails unless entry @index is as @want says. */
static inline void entry_expect(struct fixture_port *port, const struct entry_attr *want)
{
	struct flow_cmd cmd = flow_cmd(QUERY_ENTRY, 0, want->type, want->table);
	uint8_t out[0x350];
	uint32_t at = 0x340;

	be32_put(cmd.in, 0x20, want->index);
	assert_int_equal(fixture_cmd(port, cmd.in, 0x40, out, sizeof(out)), 0);
	assert_int_equal(be32_at(out, 0x44), want->group);
	assert_int_equal(field_get(out, 16 + 3, 15, 0), want->action);
	assert_int_equal(field_get(out, 16 + 4, 23, 0), !!want->to);
	assert_int_equal(field_get(out, 16 + 5, 23, 0), !!want->counter);
	if (want->to) {
		assert_int_equal(be32_at(out, at), 1u << 24 | want->to);
		at += 8;
	}
	if (want->counter)
		assert_int_equal(be32_at(out, at), want->counter);
}

static inline uint8_t counter_query(struct fixture_port *port, uint32_t uid, uint32_t number,
				    bool clear, uint64_t *packets, uint64_t *octets)
{
	uint8_t in[0x20] = { 0 }, out[0x20];
	uint8_t status;

	be16_put(in, 0, QUERY_COUNTER);
	be16_put(in, 2, (uint16_t)uid);
	field_put(in, 6, 31, 31, clear);
	be32_put(in, 0x1c, number);
	status = fixture_cmd(port, in, sizeof(in), out, sizeof(out));
	*packets = be64_at(out, 0x10);
	*octets = be64_at(out, 0x18);
	return status;
}

#endif
