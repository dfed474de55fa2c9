/* SPDX-License-Identifier: GPL-2.0-only */
/* Flow tables of frames, TIRs and their tables of queues: which receive queue a frame comes to. */
#include <stdlib.h>
#include <string.h>

#include "hca/budget.h"
#include "hca/flow_table.h"
#include "hca/tests/ethernet.h"

static void on_receive(struct ethernet *e, const uint8_t *frame, size_t len, bool arrives,
		       uint32_t tag)
{
	const uint8_t *cqe;

	ethernet_post(e, 1, &e->side[1].rq, 2048);
	ethernet_send(e, 0, frame, len, 0, 0, 0);
	cqe = ethernet_received(e, 1);
	assert_int_equal(cqe != NULL, arrives);
	if (cqe)
		assert_int_equal(be32_at(cqe, 0x38) & 0xffffff, tag);
}

/* Addresses, a group of them, and what nobody else takes: the lowest index wins. */
static void lowest_index_that_matches_wins(void **state)
{
	struct ethernet *e = *state;
	struct fixture_port *port = e->side[1].port;
	uint8_t exact[HCA_FRAME_KEY] = { 0 }, group_bit[HCA_FRAME_KEY] = { 0 };
	uint8_t value[HCA_FRAME_KEY] = { 0 }, frame[60];
	uint32_t table = ethernet_table(port, NIC_RX, 5, 4), group[3];

	memset(exact + 8, 0xff, 6);
	group_bit[8] = 1;
	assert_int_equal(ethernet_group(port, NIC_RX, table, 0, 7, exact, &group[0]), 0);
	assert_int_equal(ethernet_group(port, NIC_RX, table, 8, 8, group_bit, &group[1]), 0);
	assert_int_equal(ethernet_group(port, NIC_RX, table, 9, 9, NULL, &group[2]), 0);
	ethernet_root(port, NIC_RX, table);
	memcpy(value + 8, (uint8_t[]){ 2, 0, 0, 0, 0, 2 }, 6);
	assert_int_equal(ethernet_entry(port, NIC_RX, table, group[0], 3, value, FORWARD, TO_TIR,
					e->side[1].tir, 0xabcdef),
			 0);
	ethernet_frame(frame, sizeof(frame), 2, 1);
	on_receive(e, frame, sizeof(frame), true, 0xabcdef);
	frame[5] = 9;
	on_receive(e, frame, sizeof(frame), false, 0);
	/* All groups. */
	value[8] = 0xff;
	assert_int_equal(ethernet_entry(port, NIC_RX, table, group[1], 8, value, FORWARD, TO_TIR,
					e->side[1].tir, 8),
			 0);
	frame[0] = 0x33;
	on_receive(e, frame, sizeof(frame), true, 8);
	frame[0] = 2;
	on_receive(e, frame, sizeof(frame), false, 0);
	/* Everything: what is more exact still comes first. */
	assert_int_equal(ethernet_entry(port, NIC_RX, table, group[2], 9, NULL, FORWARD, TO_TIR,
					e->side[1].tir, 9),
			 0);
	on_receive(e, frame, sizeof(frame), true, 9);
	frame[5] = 2;
	on_receive(e, frame, sizeof(frame), true, 0xabcdef);
	/* And one that drops, in front of it. */
	value[8] = 2;
	assert_int_equal(ethernet_entry(port, NIC_RX, table, group[0], 1, value, DROP, 0, 0, 0), 0);
	on_receive(e, frame, sizeof(frame), false, 0);
}

/* "No tag" is a mask over the bit and a value of zero, not no rule at all. */
static void untagged_is_a_value(void **state)
{
	struct ethernet *e = *state;
	struct fixture_port *port = e->side[1].port;
	uint8_t mask[HCA_FRAME_KEY] = { 0 }, frame[64];
	uint32_t vlan = ethernet_table(port, NIC_RX, 5, 4), l2 = ethernet_table(port, NIC_RX, 6, 4);
	uint32_t group;

	field_put(mask, 4, 15, 15, 1);
	assert_int_equal(ethernet_group(port, NIC_RX, vlan, 0, 1, mask, &group), 0);
	assert_int_equal(
		ethernet_entry(port, NIC_RX, vlan, group, 0, NULL, FORWARD, TO_TABLE, l2, 0), 0);
	assert_int_equal(ethernet_group(port, NIC_RX, l2, 0, 0, NULL, &group), 0);
	assert_int_equal(ethernet_entry(port, NIC_RX, l2, group, 0, NULL, FORWARD, TO_TIR,
					e->side[1].tir, 0),
			 0);
	ethernet_root(port, NIC_RX, vlan);
	ethernet_frame(frame, sizeof(frame), 2, 1);
	on_receive(e, frame, sizeof(frame), true, 0);
	memcpy(frame + 12, "\x81\x00\x00\x05", 4);
	on_receive(e, frame, sizeof(frame), false, 0);
}

/* By what a tunnel says of itself. */
static void tunnels_are_values(void **state)
{
	struct ethernet *e = *state;
	struct fixture_port *port = e->side[1].port;
	uint8_t mask[HCA_FRAME_KEY] = { 0 }, value[HCA_FRAME_KEY] = { 0 };
	uint8_t frame[60] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 46 };
	uint32_t table = ethernet_table(port, NIC_RX, 5, 4), group;

	frame[23] = HCA_ETH_UDP;
	be16_put(frame, 36, HCA_ETH_PORT_GENEVE);
	frame[48] = 7; /* VNI */
	field_put(mask + HCA_FRAME_MISC, 6, 31, 8, 0xffffff);
	field_put(value + HCA_FRAME_MISC, 6, 31, 8, 7);
	assert_int_equal(ethernet_group(port, NIC_RX, table, 0, 0, mask, &group), 0);
	assert_int_equal(ethernet_entry(port, NIC_RX, table, group, 0, value, FORWARD, TO_TIR,
					e->side[1].tir, 0),
			 0);
	ethernet_root(port, NIC_RX, table);
	on_receive(e, frame, sizeof(frame), true, 0);
	frame[48] = 8;
	on_receive(e, frame, sizeof(frame), false, 0);
	/* Fields that this model does not look at. */
	field_put(mask + HCA_FRAME_MISC, 0, 23, 0, 1);
	assert_int_equal(ethernet_group(port, NIC_RX, table, 1, 1, mask, &group),
			 HCA_CMD_BAD_PARAM);
}

static void sender_has_tables_too(void **state)
{
	struct ethernet *e = *state;
	struct fixture_port *port = e->side[0].port;
	uint8_t mask[HCA_FRAME_KEY] = { 0 }, value[HCA_FRAME_KEY] = { 0 }, frame[60];
	uint32_t table = ethernet_table(port, NIC_TX, 0, 0), group;

	ethernet_receive_all(e, 1, e->side[1].tir);
	ethernet_frame(frame, sizeof(frame), 2, 1);
	memset(mask + 6, 0xff, 2);
	be16_put(value, 6, 0x88b5);
	assert_int_equal(ethernet_group(port, NIC_TX, table, 0, 0, mask, &group), 0);
	ethernet_root(port, NIC_TX, table);
	on_receive(e, frame, sizeof(frame), true, 0);
	assert_int_equal(ethernet_entry(port, NIC_TX, table, group, 0, value, DROP, 0, 0, 0), 0);
	on_receive(e, frame, sizeof(frame), false, 0);
	assert_int_equal(port->hca->eth->tx_errors.packets, 1);
	frame[13] = 0xb6;
	on_receive(e, frame, sizeof(frame), true, 0);
	/* No TIR is at this side. */
	assert_int_equal(ethernet_entry(port, NIC_TX, ethernet_table(port, NIC_TX, 1, 0), 1, 0,
					NULL, FORWARD, TO_TIR, e->side[0].tir, 0),
			 HCA_CMD_BAD_RESOURCE);
}

/* As many masks as there may be, and no more. */
static void masks_are_bounded(void **state)
{
	struct ethernet *e = *state;
	struct fixture_port *port = e->side[1].port;
	uint32_t table = ethernet_table(port, NIC_RX, 5, 16), i;

	for (i = 0; i < HCA_FLOW_MASKS; i++)
		assert_int_equal(ethernet_group(port, NIC_RX, table, i, i, NULL, NULL), 0);
	assert_int_equal(ethernet_group(port, NIC_RX, table, i, i, NULL, NULL), HCA_CMD_LIMIT);
}

/* Values that fall into one list: a frame that is compared with too many is dropped. */
static void walk_is_bounded(void **state)
{
	struct ethernet *e = *state;
	struct fixture_port *port = e->side[1].port;
	struct hca *hca = port->hca;
	uint8_t mask[HCA_FRAME_KEY] = { 0 }, value[HCA_FRAME_KEY] = { 0 }, frame[60];
	uint32_t table = ethernet_table(port, NIC_RX, 5, 16), group, entries = 0;
	struct hca_flow_group *made;
	struct hca_flow_route route;
	struct hca_edit edit = { .bytes = frame, .len = sizeof(frame) };
	struct hca_flow_entry extra = { 0 };

	memset(mask + 8, 0xff, 6);
	assert_int_equal(ethernet_group(port, NIC_RX, table, 0, 65535, mask, &group), 0);
	ethernet_root(port, NIC_RX, table);
	memcpy(value + 8, (uint8_t[]){ 2, 0, 0, 0, 0, 2 }, 6);
	assert_int_equal(ethernet_entry(port, NIC_RX, table, group, 0, value, FORWARD, TO_TIR,
					e->side[1].tir, 0),
			 0);
	ethernet_frame(frame, sizeof(frame), 2, 1);
	hca_frame_parse(frame, sizeof(frame), &edit.frame);
	made = hca_table_get(
		&((struct hca_flow_table *)hca_table_get(&hca->flow_tables, table))->groups, group);
	/* One entry, as often as it may be looked at, and once more: a list that bites its tail. */
	for (unsigned int list = 0; list < HCA_FLOW_HASH; list++) {
		struct hca_flow_entry *entry = made->hash[list];

		if (!entry)
			continue;
		entries++;
		hca_flow_route(hca, HCA_NIC_RX, &edit, &route);
		assert_int_equal(route.tirs, 1);
		extra = *entry;
		extra.index = 1;
		extra.value[0] = 1;
		extra.next = &extra;
		entry->next = &extra;
		hca->work_left = HCA_TURN_WORK;
		hca_flow_route(hca, HCA_NIC_RX, &edit, &route);
		assert_int_equal(route.tirs, 0);
		assert_true(route.dropped);
		assert_int_equal(hca->work_left,
				 (int64_t)HCA_TURN_WORK - (int64_t)HCA_FLOW_WALK * HCA_WORK_STEP);
		entry->next = NULL;
	}
	assert_int_equal(entries, 1);
}

/* What an entry may not say changes nothing. */
static void refusals_of_entries(void **state)
{
	struct ethernet *e = *state;
	struct fixture_port *port = e->side[1].port;
	uint32_t table = ethernet_table(port, NIC_RX, 5, 4), group, tir = e->side[1].tir;
	uint8_t mask[HCA_FRAME_KEY + 1] = { 0 };
	struct flow_cmd cmd = flow_cmd(CREATE_GROUP, 0, NIC_RX, table);

	/* Headers that are not looked at. */
	cmd.in[0x3f] = 2;
	cmd.in[0x40 + HCA_FRAME_KEY] = 1;
	assert_int_equal(flow_run(port, &cmd, sizeof(cmd.in), NULL), HCA_CMD_BAD_PARAM);
	assert_int_equal(ethernet_group(port, NIC_RX, table, 0, 3, mask, &group), 0);
	assert_int_equal(
		ethernet_entry(port, NIC_RX, table, group, 0, NULL, FORWARD, TO_TIR, tir + 77, 0),
		HCA_CMD_BAD_RESOURCE);
	assert_int_equal(ethernet_entry(port, NIC_RX, table, group, 0, NULL, FORWARD, 0, 0, 0),
			 HCA_CMD_BAD_PARAM);
	assert_int_equal(
		ethernet_entry(port, NIC_RX, table, group, 0, NULL, FORWARD, TO_TABLE, table, 0),
		HCA_CMD_BAD_PARAM);
	assert_int_equal(
		ethernet_entry(port, NIC_RX, table, group, 0, NULL, FORWARD, TO_TIR, tir, 0), 0);
	/* What it names stays while it does. */
	assert_int_equal(fixture_simple_status(port, 0x902, 0, tir, 0), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(fixture_simple_status(port, 0x90a, 0, e->side[1].rq.number, 0),
			 HCA_CMD_BAD_RES_STATE);
	cmd = flow_cmd(DELETE_ENTRY, 0, NIC_RX, table);
	assert_int_equal(flow_run(port, &cmd, 0x40, NULL), 0);
	assert_int_equal(fixture_simple_status(port, 0x902, 0, tir, 0), 0);
	assert_int_equal(fixture_simple_status(port, 0x90a, 0, e->side[1].rq.number, 0), 0);
}

/* Entries of a frame's copies: each TIR has it. */
static void several_take_it(void **state)
{
	struct ethernet *e = *state;
	struct fixture_port *port = e->side[1].port;
	uint32_t table = ethernet_table(port, NIC_RX, 5, 0), group, i;
	struct flow_cmd cmd = flow_cmd(SET_ENTRY, 0, NIC_RX, table);
	uint8_t *context = cmd.in + 0x40, frame[60];

	assert_int_equal(ethernet_group(port, NIC_RX, table, 0, 0, NULL, &group), 0);
	ethernet_root(port, NIC_RX, table);
	be32_put(context, 4, group);
	field_put(context, 3, 15, 0, FORWARD);
	for (i = 0; i <= HCA_FLOW_TIRS; i++) {
		context[0x300 + 8 * i] = TO_TIR;
		field_put(context + 0x300 + 8 * i, 0, 23, 0, e->side[1].tir);
	}
	field_put(context, 4, 23, 0, HCA_FLOW_TIRS + 1);
	assert_int_equal(flow_run(port, &cmd, sizeof(cmd.in), NULL), HCA_CMD_BAD_PARAM);
	field_put(context, 4, 23, 0, HCA_FLOW_TIRS);
	assert_int_equal(flow_run(port, &cmd, sizeof(cmd.in), NULL), 0);
	ethernet_frame(frame, sizeof(frame), 2, 1);
	for (i = 0; i < HCA_FLOW_TIRS; i++)
		ethernet_post(e, 1, &e->side[1].rq, 64);
	ethernet_send(e, 0, frame, sizeof(frame), 0, 0, 0);
	for (i = 0; i < HCA_FLOW_TIRS; i++)
		assert_non_null(ethernet_received(e, 1));
	assert_null(ethernet_received(e, 1));
}

/* --- queues by hash ---------------------------------------------------------------------- */

#define QUEUES 4u

static void hash_chooses_the_queue(void **state)
{
	struct ethernet *e = *state;
	struct ethernet_side *s = &e->side[1];
	uint8_t context[0xf0 + 64] = { 0 }, frame[60], input[12];
	struct fixture_qp rq[QUEUES];
	uint32_t rqt, tir, used = 0;

	for (unsigned int i = 0; i < QUEUES; i++) {
		ethernet_queue_context(e, 1, false, s->rcq.number, &rq[i], context);
		assert_int_equal(ethernet_queue_create(s->port, false, context, &rq[i]), 0);
		assert_int_equal(ethernet_queue_state(s->port, false, rq[i].number, 0, 1), 0);
		for (unsigned int j = 0; j < 32; j++)
			ethernet_post(e, 1, &rq[i], 64);
	}
	memset(context, 0, sizeof(context));
	field_put(context, 5, 15, 0, 16);
	field_put(context, 6, 15, 0, 16);
	for (unsigned int i = 0; i < 16; i++)
		be32_put(context, 0xf0 + 4 * i, rq[i % QUEUES].number);
	assert_int_equal(ethernet_command(s->port, 0x916, 0, 0, context, sizeof(context), &rqt), 0);
	memset(context, 0, sizeof(context));
	field_put(context, 1, 31, 28, 1);
	field_put(context, 8, 23, 0, rqt);
	field_put(context, 9, 31, 28, 2);
	field_put(context, 9, 23, 0, s->td);
	for (unsigned int i = 0; i < 40; i++)
		context[0x28 + i] = (uint8_t)(37 * i + 11);
	be32_put(context, 80, 1u << 30 | 0xf); /* IPv4, UDP, all four */
	assert_int_equal(ethernet_command(s->port, 0x900, 0, 0, context, 0xf0, &tir), 0);
	ethernet_receive_all(e, 1, tir);
	ethernet_frame(frame, sizeof(frame), 2, 1);
	memcpy(frame + 12, (uint8_t[]){ 8,  0, 0x45, 0,	 0, 46, 0, 1,  0, 0, 64,
					17, 0, 0,    10, 0, 0,	1, 10, 0, 0, 2 },
	       22);
	be16_put(frame, 38, 26);
	for (uint16_t sport = 1; sport <= 32; sport++) {
		const uint8_t *cqe;
		uint32_t hash;

		be16_put(frame, 34, sport);
		be16_put(frame, 36, 4791);
		memcpy(input, frame + 26, 12);
		hash = hca_frame_toeplitz(context + 0x28, input, 12);
		ethernet_send(e, 0, frame, sizeof(frame), 0, 0, 0);
		cqe = ethernet_received(e, 1);
		assert_non_null(cqe);
		assert_int_equal(be32_at(cqe, 0x0c), hash);
		assert_int_equal(cqe[0x10], 1u << 2 | 2u << 6);
		used |= 1u << hash % QUEUES;
		assert_int_equal(((struct hca_qp *)hca_table_get(&s->port->hca->qps,
								 rq[hash % 16 % QUEUES].number))
						 ->rq_ci > 0,
				 true);
	}
	assert_true(used & (used - 1));
	/* Another table, as when the interface goes down: all to one. */
	memset(context, 0, sizeof(context));
	field_put(context, 6, 15, 0, 1);
	be32_put(context, 0xf0, s->rq.number);
	assert_int_equal(ethernet_command(s->port, 0x917, rqt, 1, context, 0xf4, NULL), 0);
	ethernet_post(e, 1, &s->rq, 64);
	ethernet_send(e, 0, frame, sizeof(frame), 0, 0, 0);
	assert_non_null(ethernet_received(e, 1));
	for (unsigned int i = 0; i < QUEUES; i++)
		assert_int_equal(fixture_simple_status(s->port, 0x90a, 0, rq[i].number, 0), 0);
	assert_int_equal(fixture_simple_status(s->port, 0x918, 0, rqt, 0), HCA_CMD_BAD_RES_STATE);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, ethernet_setup, ethernet_teardown)
	const struct CMUnitTest tests[] = {
		TEST(lowest_index_that_matches_wins),
		TEST(untagged_is_a_value),
		TEST(tunnels_are_values),
		TEST(sender_has_tables_too),
		TEST(masks_are_bounded),
		TEST(walk_is_bounded),
		TEST(refusals_of_entries),
		TEST(several_take_it),
		TEST(hash_chooses_the_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
