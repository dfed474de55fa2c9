/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames that come back to the port that sent them: those for groups and for itself, to receivers
 * of other transport domains, as raw packet QPs of two programs are.
 */
#include "hca/tests/ethernet.h"

#define ALLOC_TD	 0x816u
#define CREATE_TIR	 0x900u
#define MODIFY_TIR	 0x901u
#define BLOCK_UNICAST	 1u
#define BLOCK_MULTICAST	 2u
#define SELECT_MULTICAST (1u << 10)
#define SELECT_UNICAST	 (1u << 11)

static uint8_t frame[100];
static uint64_t buffer[16]; /* by the index of the receive */
static unsigned int posted;
static const uint8_t group[6] = { 0x01, 0x50, 0x56, 0x19, 0x20, 0xa7 };

/* A TIR of @td to the receive queue of the first function. */
static uint32_t make_tir(struct ethernet *e, uint32_t td)
{
	uint8_t context[0xf0] = { 0 };
	uint32_t tir = 0;
	uint8_t status;

	field_put(context, 7, 23, 0, e->side[0].rq.number);
	field_put(context, 9, 23, 0, td);
	status =
		ethernet_command(e->side[0].port, CREATE_TIR, 0, 0, context, sizeof(context), &tir);
	assert_int_equal(status, tir ? 0 : HCA_CMD_BAD_RESOURCE);
	return tir;
}

/* Receivers of another domain than the sender's. */
static uint32_t other_tir(struct ethernet *e)
{
	return make_tir(e, fixture_simple(e->side[0].port, ALLOC_TD, 0, 0, 0));
}

/* What the driver says of the TIR: which frames of its own domain it takes. */
static void allow(struct ethernet *e, uint32_t tir, uint32_t kinds)
{
	uint8_t context[0xf0] = { 0 };

	field_put(context, 9, 25, 24, kinds);
	assert_int_equal(ethernet_command(e->side[0].port, MODIFY_TIR, tir, 1u << 4, context,
					  sizeof(context), NULL),
			 0);
}

/* disable_mc_local_lb, disable_uc_local_lb of the vport. */
static void turn_off(struct ethernet *e, uint32_t select, uint8_t bits)
{
	uint8_t in[0x200] = { 0x07, 0x55 }, out[16];

	be32_put(in, 0x0c, select);
	in[0x103] = bits;
	assert_int_equal(fixture_cmd(e->side[0].port, in, sizeof(in), out, sizeof(out)), 0);
}

/* The first function sends the frame. Whether it gets it itself, as it was. */
static bool comes_back(struct ethernet *e)
{
	const uint8_t *cqe;

	buffer[posted++] = ethernet_post(e, 0, &e->side[0].rq, 2048);
	ethernet_send(e, 0, frame, sizeof(frame), 18, 0, 0);
	cqe = ethernet_received(e, 0);
	assert_non_null(fixture_cq_next(e->side[0].port, &e->side[0].scq));
	if (!cqe)
		return false;
	assert_int_equal(be32_at(cqe, 0x2c), sizeof(frame));
	assert_memory_equal(fixture_at(e->f, buffer[be16_at(cqe, 0x3c)]), frame, sizeof(frame));
	assert_null(ethernet_received(e, 0));
	return true;
}

static int setup(void **state)
{
	int ret = ethernet_setup(state);

	posted = 0;
	ethernet_frame(frame, sizeof(frame), 2, 1);
	memcpy(frame, group, 6);
	return ret;
}

static void groups_come_back_to_others(void **state)
{
	struct ethernet *e = *state;
	const struct hca_eth *eth = e->side[0].port->hca->eth;

	ethernet_receive_all(e, 0, other_tir(e));
	assert_true(comes_back(e));
	/* It went by the port once, and came by none. */
	assert_int_equal(eth->traffic[HCA_TX][HCA_ETH_MULTICAST].packets, 1);
	assert_int_equal(eth->traffic[HCA_RX][HCA_ETH_MULTICAST].packets, 0);
	assert_int_equal(e->side[1].port->hca->eth->traffic[HCA_RX][HCA_ETH_MULTICAST].packets, 1);
	memset(frame, 0xff, 6);
	assert_true(comes_back(e));
	turn_off(e, SELECT_MULTICAST, 4);
	assert_false(comes_back(e));
	turn_off(e, SELECT_MULTICAST, 0);
	turn_off(e, SELECT_UNICAST, 2);
	assert_true(comes_back(e));
}

/* The own domain gets nothing of it, unless its TIR says so. */
static void own_domain_has_to_ask(void **state)
{
	struct ethernet *e = *state;
	uint32_t tir = e->side[0].tir;

	ethernet_receive_all(e, 0, tir);
	assert_false(comes_back(e));
	allow(e, tir, BLOCK_UNICAST);
	assert_false(comes_back(e));
	allow(e, tir, BLOCK_MULTICAST);
	assert_true(comes_back(e));
	assert_int_equal(e->side[0].port->hca->eth->rx_stray, 0);
}

static void own_address_comes_back(void **state)
{
	struct ethernet *e = *state;
	uint32_t tir = e->side[0].tir;

	ethernet_receive_all(e, 0, other_tir(e));
	ethernet_frame(frame, sizeof(frame), 1, 1);
	assert_true(comes_back(e));
	ethernet_frame(frame, sizeof(frame), 2, 1);
	assert_false(comes_back(e));
	ethernet_frame(frame, sizeof(frame), 1, 1);
	turn_off(e, SELECT_UNICAST, 2);
	assert_false(comes_back(e));
	turn_off(e, SELECT_UNICAST, 0);
	assert_true(comes_back(e));
	ethernet_receive_all(e, 0, tir);
	assert_false(comes_back(e));
	allow(e, tir, BLOCK_UNICAST);
	assert_true(comes_back(e));
	allow(e, tir, BLOCK_MULTICAST);
	assert_false(comes_back(e));
}

/* Frames that do not leave do not come back either; what nobody takes is not counted as lost. */
static void what_does_not_leave(void **state)
{
	struct ethernet *e = *state;
	struct hca *hca = e->side[0].port->hca;
	uint32_t table, number;

	/* Without tables. */
	assert_false(comes_back(e));
	ethernet_root(e->side[0].port, NIC_RX, ethernet_table(e->side[0].port, NIC_RX, 1, 0));
	assert_false(comes_back(e));
	assert_int_equal(hca->eth->rx_stray, 0);
	ethernet_receive_all(e, 0, other_tir(e));
	assert_true(comes_back(e));
	table = ethernet_table(e->side[0].port, NIC_TX, 1, 0);
	assert_int_equal(ethernet_group(e->side[0].port, NIC_TX, table, 0, 0, NULL, &number), 0);
	assert_int_equal(
		ethernet_entry(e->side[0].port, NIC_TX, table, number, 0, NULL, DROP, 0, 0, 0), 0);
	ethernet_root(e->side[0].port, NIC_TX, table);
	assert_false(comes_back(e));
}

static void without_a_carrier(void **state)
{
	struct ethernet *e = *state;

	ethernet_receive_all(e, 0, other_tir(e));
	hca_set_link(e->side[0].port->hca, false);
	fixture_poll(e->f);
	assert_false(comes_back(e));
}

/* A queue that belongs to no domain. */
static void without_a_domain(void **state)
{
	struct ethernet *e = *state;
	struct ethernet_side *side = &e->side[0];
	struct fixture_qp sq;
	uint8_t context[0xf0];

	ethernet_receive_all(e, 0, other_tir(e));
	ethernet_queue_context(e, 0, true, side->scq.number, &sq, context);
	field_put(context, 8, 31, 16, 0);
	assert_int_equal(ethernet_queue_create(side->port, true, context, &sq), 0);
	assert_int_equal(ethernet_queue_state(side->port, true, sq.number, 0, 1), 0);
	side->sq = sq;
	assert_false(comes_back(e));
	assert_int_equal(side->port->hca->eth->traffic[HCA_TX][HCA_ETH_MULTICAST].packets, 1);
}

/* A receiver that belongs to none takes what others send, and what comes from outside. */
static void tir_without_a_domain(void **state)
{
	struct ethernet *e = *state;
	uint32_t tir = make_tir(e, 0);

	assert_true(tir);
	ethernet_receive_all(e, 0, tir);
	assert_true(comes_back(e));
	buffer[posted++] = ethernet_post(e, 0, &e->side[0].rq, 2048);
	ethernet_send(e, 1, frame, sizeof(frame), 18, 0, 0);
	assert_non_null(ethernet_received(e, 0));
	/* Another number is that of a domain, or of none that there is. */
	assert_false(make_tir(e, 0xffff));
}

/* Several receivers on one port, of which one has sent it. */
static void each_once(void **state)
{
	struct ethernet *e = *state;
	struct fixture_port *port = e->side[0].port;
	uint32_t table = ethernet_table(port, NIC_RX, 1, 0), number;
	struct flow_cmd cmd = flow_cmd(SET_ENTRY, 0, NIC_RX, table);
	uint8_t *context = cmd.in + 0x40;

	assert_int_equal(ethernet_group(port, NIC_RX, table, 0, 0, NULL, &number), 0);
	be32_put(context, 4, number);
	field_put(context, 3, 15, 0, FORWARD);
	field_put(context, 4, 23, 0, 3);
	for (unsigned int i = 0; i < 3; i++) {
		context[0x300 + 8 * i] = TO_TIR;
		field_put(context + 0x300 + 8 * i, 0, 23, 0,
			  i == 1 ? e->side[0].tir : other_tir(e));
	}
	assert_int_equal(flow_run(port, &cmd, sizeof(cmd.in), NULL), 0);
	ethernet_root(port, NIC_RX, table);
	for (unsigned int i = 0; i < 3; i++)
		ethernet_post(e, 0, &e->side[0].rq, 2048);
	ethernet_send(e, 0, frame, sizeof(frame), 18, 0, 0);
	assert_non_null(ethernet_received(e, 0));
	assert_non_null(ethernet_received(e, 0));
	assert_null(ethernet_received(e, 0));
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, ethernet_teardown)
	const struct CMUnitTest tests[] = {
		TEST(groups_come_back_to_others), TEST(own_domain_has_to_ask),
		TEST(own_address_comes_back),	  TEST(what_does_not_leave),
		TEST(without_a_carrier),	  TEST(without_a_domain),
		TEST(tir_without_a_domain),	  TEST(each_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
