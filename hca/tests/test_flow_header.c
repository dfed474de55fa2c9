/* SPDX-License-Identifier: GPL-2.0-only */
/* Entries of flow tables that put frames into tunnels, take them out, and change addresses. */
#include <string.h>

#include "hca/flow_table.h"
#include "hca/tests/ethernet.h"

#define ALLOC_REFORMAT	 0x93du
#define DEALLOC_REFORMAT 0x93eu
#define ALLOC_MODIFY	 0x940u
#define DEALLOC_MODIFY	 0x941u

#define REFORMAT 0x10u
#define DECAP	 0x20u
#define MODIFY	 0x40u

#define SET_SMAC_15_0 0x10020010u /* 16 bits */

static uint8_t frame[80];

static const uint8_t vxlan[50] = {
	4,    0, 0,    0,    0, 2,  4, 0, 0,  0,  0, 1, 0x08, 0x00, /* Ethernet */
	0x45, 0, 0,    36,   0, 0,  0, 0, 64, 17, 0, 0, 192,  0,    2, 1, 192, 0, 2, 2, /* IP */
	0x40, 0, 0x12, 0xb5, 0, 16, 0, 0, 8,  0,  0, 0, 0,    0,    7, 0,
};

static const uint8_t l2[14] = { 6, 0, 0, 0, 0, 2, 6, 0, 0, 0, 0, 1, 0x08, 0x00 };

static int setup(void **state)
{
	int ret = ethernet_setup(state);

	ethernet_frame(frame, sizeof(frame), 2, 1);
	return ret;
}

static uint8_t reformat(struct fixture_port *port, uint16_t uid, uint8_t type, const void *data,
			size_t len, size_t sent, uint32_t *number)
{
	uint8_t in[0x22 + 256] = { ALLOC_REFORMAT >> 8, ALLOC_REFORMAT & 0xff }, out[16], status;

	be16_put(in, 2, uid);
	in[0x1c] = type;
	be16_put(in, 0x1e, (uint16_t)len);
	if (data)
		memcpy(in + 0x22, data, sent);
	status = fixture_cmd(port, in, 0x22 + (uint32_t)(sent < 2 ? 2 : sent), out, sizeof(out));
	*number = be32_at(out, 8);
	return status;
}

static uint8_t modify(struct fixture_port *port, uint8_t type, uint8_t count, uint32_t action,
		      uint32_t data, uint32_t *number)
{
	uint8_t in[0x10 + 8 * 20] = { ALLOC_MODIFY >> 8, ALLOC_MODIFY & 0xff }, out[16], status;

	in[0x0c] = type;
	in[0x0f] = count;
	for (unsigned int i = 0; i < 20; i++) {
		be32_put(in, 0x10 + 8 * i, action);
		be32_put(in, 0x14 + 8 * i, data);
	}
	status = fixture_cmd(port, in, 0x10 + 8u * count, out, sizeof(out));
	*number = be32_at(out, 8);
	return status;
}

static uint8_t dealloc(struct fixture_port *port, uint16_t op, uint16_t uid, uint32_t number)
{
	uint8_t in[16] = { 0 }, out[16];

	be16_put(in, 0, op);
	be16_put(in, 2, uid);
	be32_put(in, 8, number);
	return fixture_cmd(port, in, sizeof(in), out, sizeof(out));
}

/* A table of @type, the root, with one entry that does @action to everything, then goes to @tir. */
static uint8_t entry_in(struct fixture_port *port, uint8_t type, uint32_t table, uint32_t action,
			uint32_t reformat_id, uint32_t modify_id, uint32_t tir)
{
	struct flow_cmd cmd = flow_cmd(SET_ENTRY, 0, type, table);
	uint8_t *context = cmd.in + 0x40;
	uint32_t group;

	assert_int_equal(ethernet_group(port, type, table, 0, 0, NULL, &group), 0);
	be32_put(context, 4, group);
	field_put(context, 3, 15, 0, action | (tir ? FORWARD : ALLOW));
	be32_put(context, 0x18, reformat_id);
	be32_put(context, 0x1c, modify_id);
	if (tir) {
		field_put(context, 4, 23, 0, 1);
		context[0x300] = TO_TIR;
		field_put(context + 0x300, 0, 23, 0, tir);
	}
	return flow_run(port, &cmd, sizeof(cmd.in), NULL);
}

static uint32_t all(struct fixture_port *port, uint8_t type, uint32_t action, uint32_t reformat_id,
		    uint32_t modify_id, uint32_t tir)
{
	uint32_t table = ethernet_table(port, type, 1, 0);

	assert_int_equal(entry_in(port, type, table, action, reformat_id, modify_id, tir), 0);
	ethernet_root(port, type, table);
	return table;
}

/* The first function sends the frame; what the second one gets. */
static const uint8_t *pass(struct ethernet *e, size_t *len)
{
	uint64_t buffer = ethernet_post(e, 1, &e->side[1].rq, 2048);
	const uint8_t *cqe;

	ethernet_send(e, 0, frame, sizeof(frame), 18, 0, 0);
	cqe = ethernet_received(e, 1);
	if (!cqe)
		return NULL;
	*len = be32_at(cqe, 0x2c);
	return fixture_at(e->f, buffer);
}

static void through_a_tunnel(void **state)
{
	struct ethernet *e = *state;
	struct fixture_port *tx = e->side[0].port, *rx = e->side[1].port;
	const uint8_t *got;
	uint32_t number;
	size_t len;

	assert_int_equal(reformat(tx, 0, 2, vxlan, sizeof(vxlan), sizeof(vxlan), &number), 0);
	all(tx, NIC_TX, REFORMAT, number, 0, 0);
	ethernet_receive_all(e, 1, e->side[1].tir);
	got = pass(e, &len);
	assert_non_null(got);
	assert_int_equal(len, sizeof(vxlan) + sizeof(frame));
	assert_memory_equal(got, vxlan, 14);
	assert_memory_equal(got + sizeof(vxlan), frame, sizeof(frame));
	all(rx, NIC_RX, DECAP, 0, 0, e->side[1].tir);
	got = pass(e, &len);
	assert_non_null(got);
	assert_int_equal(len, sizeof(frame));
	assert_memory_equal(got, frame, sizeof(frame));
	/* The frames that waited are all accounted for. */
	assert_int_equal(rx->hca->eth->inbox.bytes, 0);
	/* It is in use. */
	assert_int_equal(dealloc(tx, DEALLOC_REFORMAT, 0, number), HCA_CMD_BAD_RES_STATE);
}

/* Tables behind the one that changes a frame see the new one. */
static void later_tables_see_it(void **state)
{
	struct ethernet *e = *state;
	struct fixture_port *rx = e->side[1].port;
	uint32_t first = ethernet_table(rx, NIC_RX, 1, 0),
		 second = ethernet_table(rx, NIC_RX, 2, 0);
	uint8_t mask[HCA_FRAME_KEY] = { 0 }, value[HCA_FRAME_KEY] = { 0 };
	struct flow_cmd cmd = flow_cmd(SET_ENTRY, 0, NIC_RX, first);
	uint8_t *context = cmd.in + 0x40;
	uint32_t number, group;
	const uint8_t *got;
	size_t len;

	assert_int_equal(modify(rx, NIC_RX, 1, SET_SMAC_15_0, 0xbeef, &number), 0);
	assert_int_equal(ethernet_group(rx, NIC_RX, first, 0, 0, NULL, &group), 0);
	be32_put(context, 4, group);
	field_put(context, 3, 15, 0, MODIFY | FORWARD);
	be32_put(context, 0x1c, number);
	field_put(context, 4, 23, 0, 1);
	context[0x300] = TO_TABLE;
	field_put(context + 0x300, 0, 23, 0, second);
	assert_int_equal(flow_run(rx, &cmd, sizeof(cmd.in), NULL), 0);
	memset(mask, 0xff, 6);
	memcpy(value, (uint8_t[]){ 2, 0, 0, 0, 0xbe, 0xef }, 6);
	assert_int_equal(ethernet_group(rx, NIC_RX, second, 0, 0, mask, &group), 0);
	assert_int_equal(ethernet_entry(rx, NIC_RX, second, group, 0, value, FORWARD, TO_TIR,
					e->side[1].tir, 0),
			 0);
	ethernet_root(rx, NIC_RX, first);
	got = pass(e, &len);
	assert_non_null(got);
	assert_int_equal(len, sizeof(frame));
	assert_memory_equal(got + 6, value, 6);
	assert_memory_equal(got + 12, frame + 12, sizeof(frame) - 12);
	assert_int_equal(dealloc(rx, DEALLOC_MODIFY, 0, number), HCA_CMD_BAD_RES_STATE);
}

/* A frame is changed so often, and then lost. */
static void changes_are_bounded(void **state)
{
	struct ethernet *e = *state;
	struct fixture_port *tx = e->side[0].port;
	uint32_t number, tables[HCA_FLOW_CHANGES + 1];
	size_t len;

	ethernet_receive_all(e, 1, e->side[1].tir);
	assert_int_equal(modify(tx, NIC_TX, 1, SET_SMAC_15_0, 1, &number), 0);
	for (unsigned int i = 0; i <= HCA_FLOW_CHANGES; i++)
		tables[i] = ethernet_table(tx, NIC_TX, (uint8_t)(HCA_FLOW_CHANGES + 1 - i), 0);
	for (unsigned int i = 0; i <= HCA_FLOW_CHANGES; i++) {
		struct flow_cmd cmd = flow_cmd(SET_ENTRY, 0, NIC_TX, tables[i]);
		uint8_t *context = cmd.in + 0x40;
		uint32_t group;

		assert_int_equal(ethernet_group(tx, NIC_TX, tables[i], 0, 0, NULL, &group), 0);
		be32_put(context, 4, group);
		field_put(context, 3, 15, 0, MODIFY | (i ? FORWARD : ALLOW));
		be32_put(context, 0x1c, number);
		if (i) {
			field_put(context, 4, 23, 0, 1);
			context[0x300] = TO_TABLE;
			field_put(context + 0x300, 0, 23, 0, tables[i - 1]);
		}
		assert_int_equal(flow_run(tx, &cmd, sizeof(cmd.in), NULL), 0);
	}
	ethernet_root(tx, NIC_TX, tables[HCA_FLOW_CHANGES - 1]);
	assert_non_null(pass(e, &len));
	ethernet_root(tx, NIC_TX, tables[HCA_FLOW_CHANGES]);
	assert_null(pass(e, &len));
	assert_int_equal(tx->hca->eth->tx_errors.packets, 1);
}

/* A frame that cannot be put into a tunnel is lost. */
static void what_has_no_ip(void **state)
{
	struct ethernet *e = *state;
	uint32_t number;
	size_t len;

	ethernet_receive_all(e, 1, e->side[1].tir);
	assert_int_equal(reformat(e->side[0].port, 0, 4, vxlan, 38, 38, &number), 0);
	all(e->side[0].port, NIC_TX, REFORMAT, number, 0, 0);
	assert_null(pass(e, &len));
	assert_int_equal(e->side[0].port->hca->eth->tx_errors.packets, 1);
}

static void reformats_are_checked(void **state)
{
	struct fixture_port *port = ((struct ethernet *)*state)->side[0].port;
	uint16_t mine = (uint16_t)fixture_simple(port, 0xa04, 0, 0, 0);
	uint16_t other = (uint16_t)fixture_simple(port, 0xa04, 0, 0, 0);
	uint8_t data[256] = { 0 };
	uint32_t number;

	assert_int_equal(reformat(port, 0, 0, vxlan, 50, 50, &number), HCA_CMD_BAD_PARAM);
	assert_int_equal(reformat(port, 0, 15, vxlan, 50, 50, &number), HCA_CMD_BAD_PARAM);
	assert_int_equal(reformat(port, 0, 2, data, 0, 2, &number), HCA_CMD_BAD_PARAM);
	assert_int_equal(reformat(port, 0, 2, data, HCA_FLOW_HEADER_MAX + 1, 129, &number),
			 HCA_CMD_BAD_PARAM);
	assert_int_equal(reformat(port, 0, 3, data, 16, 16, &number), HCA_CMD_BAD_PARAM);
	assert_int_equal(reformat(port, 0, 2, data, 50, 49, &number), HCA_CMD_BAD_INPUT_LEN);
	assert_int_equal(hca_table_count(&port->hca->reformats), 0);
	assert_int_equal(reformat(port, 0, 2, data, HCA_FLOW_HEADER_MAX, 128, &number), 0);
	assert_int_equal(dealloc(port, DEALLOC_REFORMAT, 0, number), 0);
	assert_int_equal(dealloc(port, DEALLOC_REFORMAT, 0, number), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(reformat(port, mine, 3, l2, 14, 14, &number), 0);
	assert_int_equal(dealloc(port, DEALLOC_REFORMAT, other, number), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(dealloc(port, DEALLOC_MODIFY, mine, number), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(fixture_simple_status(port, 0xa06, 0, mine, 0), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(dealloc(port, DEALLOC_REFORMAT, mine, number), 0);
}

static void modify_headers_are_checked(void **state)
{
	struct fixture_port *port = ((struct ethernet *)*state)->side[0].port;
	uint32_t number;

	assert_int_equal(modify(port, 7, 1, SET_SMAC_15_0, 1, &number), HCA_CMD_BAD_PARAM);
	assert_int_equal(modify(port, NIC_TX, 0, SET_SMAC_15_0, 1, &number), HCA_CMD_BAD_PARAM);
	assert_int_equal(modify(port, NIC_TX, HCA_FLOW_ACTIONS + 1, SET_SMAC_15_0, 1, &number),
			 HCA_CMD_BAD_PARAM);
	/* An addition, and a register. */
	assert_int_equal(modify(port, NIC_TX, 1, 0x20020010, 1, &number), HCA_CMD_BAD_PARAM);
	assert_int_equal(modify(port, NIC_TX, 1, 0x10510010, 1, &number), HCA_CMD_BAD_PARAM);
	assert_int_equal(hca_table_count(&port->hca->modify_headers), 0);
	assert_int_equal(modify(port, NIC_TX, HCA_FLOW_ACTIONS, SET_SMAC_15_0, 1, &number), 0);
	assert_int_equal(dealloc(port, DEALLOC_MODIFY, 0, number), 0);
}

/* Each is for one side, and for no other kind of table. */
/* A field that is set costs as much as a look at the frame. */
static void each_change_is_charged(void **state)
{
	struct ethernet *f = *state;
	struct fixture_port *port = f->side[0].port;
	uint8_t room[HCA_EDIT_MAX];
	struct hca_edit edit = { .bytes = frame, .len = sizeof(frame), .room = room };
	struct hca_flow_entry entry = { 0 };
	uint32_t number;
	int64_t left;

	assert_int_equal(modify(port, NIC_TX, HCA_FLOW_ACTIONS, SET_SMAC_15_0, 1, &number), 0);
	entry.modify = hca_table_get(&port->hca->modify_headers, number);
	hca_frame_parse(edit.bytes, edit.len, &edit.frame);
	left = port->hca->work_left;
	assert_true(hca_flow_change(port->hca, &entry, &edit));
	assert_int_equal(left - port->hca->work_left, (HCA_FLOW_ACTIONS + 1) * sizeof(frame));
	assert_int_equal(dealloc(port, DEALLOC_MODIFY, 0, number), 0);
}

static void entries_are_checked(void **state)
{
	struct ethernet *e = *state;
	struct fixture_port *port = e->side[0].port;
	uint32_t encap, decap, change, tx = ethernet_table(port, NIC_TX, 1, 0),
				       rx = ethernet_table(port, NIC_RX, 1, 0);
	uint32_t tir = e->side[0].tir, rdma = ethernet_table(port, RDMA_RX, 1, 0);
	struct flow_cmd cmd = flow_cmd(SET_ENTRY, 0, NIC_RX, rx);

	assert_int_equal(reformat(port, 0, 2, vxlan, 50, 50, &encap), 0);
	assert_int_equal(reformat(port, 0, 3, l2, 14, 14, &decap), 0);
	assert_int_equal(modify(port, NIC_RX, 1, SET_SMAC_15_0, 1, &change), 0);
	assert_int_equal(entry_in(port, NIC_TX, tx, REFORMAT, decap, 0, 0), HCA_CMD_BAD_RESOURCE);
	tx = ethernet_table(port, NIC_TX, 1, 0);
	assert_int_equal(entry_in(port, NIC_TX, tx, DECAP, 0, 0, 0), HCA_CMD_BAD_PARAM);
	tx = ethernet_table(port, NIC_TX, 1, 0);
	assert_int_equal(entry_in(port, NIC_TX, tx, MODIFY, 0, change, 0), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(entry_in(port, NIC_RX, rx, REFORMAT, encap, 0, tir), HCA_CMD_BAD_RESOURCE);
	rx = ethernet_table(port, NIC_RX, 1, 0);
	assert_int_equal(entry_in(port, NIC_RX, rx, REFORMAT | DECAP, decap, 0, tir),
			 HCA_CMD_BAD_PARAM);
	assert_int_equal(entry_in(port, RDMA_RX, rdma, MODIFY, 0, change, 0), HCA_CMD_BAD_PARAM);
	rx = ethernet_table(port, NIC_RX, 1, 0);
	assert_int_equal(entry_in(port, NIC_RX, rx, REFORMAT | MODIFY, decap, change, tir), 0);
	assert_int_equal(dealloc(port, DEALLOC_REFORMAT, 0, decap), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(dealloc(port, DEALLOC_REFORMAT, 0, encap), 0);
	/* What the entry that goes has named may go, too. */
	cmd = flow_cmd(DELETE_ENTRY, 0, NIC_RX, rx);
	assert_int_equal(flow_run(port, &cmd, 0x40, NULL), 0);
	assert_int_equal(dealloc(port, DEALLOC_REFORMAT, 0, decap), 0);
	assert_int_equal(dealloc(port, DEALLOC_MODIFY, 0, change), 0);
}

/* reformat_en and decap_en are of tables for frames. */
static void tables_for_tunnels(void **state)
{
	struct fixture_port *port = ((struct ethernet *)*state)->side[0].port;
	struct flow_cmd cmd = flow_cmd(CREATE_TABLE, 0, NIC_RX, 0);

	be32_put(cmd.in, 0x18, 0xc0000000);
	assert_int_equal(flow_run(port, &cmd, 0x40, NULL), 0);
	cmd.in[0x10] = RDMA_RX;
	assert_int_equal(flow_run(port, &cmd, 0x40, NULL), HCA_CMD_BAD_PARAM);
	cmd.in[0x10] = NIC_RX;
	be32_put(cmd.in, 0x18, 0x20000000);
	assert_int_equal(flow_run(port, &cmd, 0x40, NULL), HCA_CMD_BAD_PARAM);
}

static void number_is_bounded(void **state)
{
	struct fixture_port *port = ((struct ethernet *)*state)->side[0].port;
	uint32_t number, made = 0;

	while (!reformat(port, 0, 3, l2, 14, 14, &number))
		made++;
	assert_int_equal(made, (1u << HCA_FLOW_HEADERS_LOG) - 1);
	assert_int_equal(reformat(port, 0, 3, l2, 14, 14, &number), HCA_CMD_LIMIT);
	for (made = 0; !modify(port, NIC_TX, 1, SET_SMAC_15_0, 1, &number);)
		made++;
	assert_int_equal(made, (1u << HCA_FLOW_HEADERS_LOG) - 1);
	assert_int_equal(modify(port, NIC_TX, 1, SET_SMAC_15_0, 1, &number), HCA_CMD_LIMIT);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, ethernet_teardown)
	const struct CMUnitTest tests[] = {
		TEST(through_a_tunnel),	      TEST(later_tables_see_it),
		TEST(changes_are_bounded),    TEST(what_has_no_ip),
		TEST(reformats_are_checked),  TEST(modify_headers_are_checked),
		TEST(each_change_is_charged), TEST(entries_are_checked),
		TEST(tables_for_tunnels),     TEST(number_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
