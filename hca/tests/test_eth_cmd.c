/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands of an Ethernet port: its state, registers and counters, and objects and their bounds. */
#include <stdlib.h>
#include <string.h>

#include "hca/tests/ethernet.h"

static uint8_t run(struct fixture_port *port, const uint8_t *in, uint32_t ilen, uint8_t *out,
		   uint32_t olen)
{
	memset(out, 0, olen);
	return fixture_cmd(port, in, ilen, out, olen);
}

static uint8_t access_reg(struct fixture_port *port, bool read, uint16_t id, const uint8_t *data,
			  uint8_t *result)
{
	uint8_t in[0x110] = { 0x08, 0x05 }, out[0x110];
	uint8_t status;

	be16_put(in, 6, read);
	be16_put(in, 10, id);
	if (data)
		memcpy(in + 16, data, 16);
	status = run(port, in, sizeof(in), out, sizeof(out));
	if (result)
		memcpy(result, out + 16, 256);
	return status;
}

static uint8_t vport_state(struct fixture_port *port)
{
	uint8_t in[16] = { 0x07, 0x50 }, out[16];

	assert_int_equal(run(port, in, sizeof(in), out, sizeof(out)), 0);
	return out[15];
}

static void capabilities_are_of_ethernet(void **state)
{
	struct ethernet *e = *state;
	uint8_t in[16] = { 0x01, 0x00, 0, 0, 0, 0, 0, 1 };
	static uint8_t out[0x1010];
	uint8_t *cap = out + 16;

	assert_int_equal(run(e->side[0].port, in, sizeof(in), out, sizeof(out)), 0);
	assert_int_equal(field_get(cap, 13, 9, 8), 1);
	assert_int_equal(field_get(cap, 16, 3, 3), 1);
	assert_int_equal(field_get(cap, 13, 29, 29), 0);
	in[7] = 3;
	assert_int_equal(run(e->side[0].port, in, sizeof(in), out, sizeof(out)), 0);
	assert_int_equal(field_get(cap, 0, 20, 16), 16);
	in[7] = 15;
	assert_int_equal(run(e->side[0].port, in, sizeof(in), out, sizeof(out)), 0);
	assert_int_equal(field_get(cap, 16, 31, 31), 1);
	assert_true(field_get(cap, 17, 7, 0) >= 59);
}

/* Each port has its own commands, and the other's are unknown to it. */
static void infiniband_is_not_there(void **state)
{
	static const uint16_t ops[] = { 0x50d, 0x762, 0x763, 0x764 };
	struct ethernet *e = *state;

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		assert_int_equal(fixture_simple_status(e->side[0].port, ops[i], 0, 0, 0),
				 HCA_CMD_BAD_OP);
}

static void ethernet_is_not_on_infiniband(void **state)
{
	static const uint16_t ops[] = { 0x750, 0x754, 0x755, 0x816, 0x817, 0x900, 0x904,
					0x908, 0x90a, 0x912, 0x914, 0x916, 0x918 };
	struct fixture *f = *state;
	struct flow_cmd cmd = flow_cmd(CREATE_TABLE, 0, NIC_RX, 0);

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		assert_int_equal(fixture_simple_status(&f->port[0], ops[i], 0, 0, 0),
				 HCA_CMD_BAD_OP);
	assert_int_equal(flow_run(&f->port[0], &cmd, 0x40, NULL), HCA_CMD_BAD_PARAM);
}

/* The driver asks, takes the port up, and is told when that or the cable changes something. */
static void state_follows_driver_and_cable(void **state)
{
	struct ethernet *e = *state;
	struct fixture_port *port = e->side[0].port;
	uint8_t reg[256], paos[16] = { 0 };
	struct fixture_eq eq;
	const uint8_t *eqe;

	fixture_eq_create(port, 6, 1u << HCA_EVENT_PORT_CHANGE, 0, &eq);
	assert_int_equal(vport_state(port), 0x11);
	field_put(paos, 0, 11, 8, 2);
	assert_int_equal(access_reg(port, false, 0x5006, paos, NULL), 0);
	assert_int_equal(vport_state(port), 0x00);
	fixture_poll(e->f);
	eqe = fixture_eq_next(port, &eq);
	assert_non_null(eqe);
	assert_int_equal(eqe[3], 1);
	assert_int_equal(access_reg(port, true, 0x5006, NULL, reg), 0);
	assert_int_equal(field_get(reg, 0, 11, 8), 2);
	field_put(paos, 0, 11, 8, 1);
	assert_int_equal(access_reg(port, false, 0x5006, paos, NULL), 0);
	fixture_poll(e->f);
	eqe = fixture_eq_next(port, &eq);
	assert_non_null(eqe);
	assert_int_equal(eqe[3], 4);
	assert_int_equal(eqe[0x28] >> 4, 1);
	assert_int_equal(vport_state(port), 0x11);
	hca_set_link(port->hca, false);
	fixture_poll(e->f);
	assert_int_equal(fixture_eq_next(port, &eq)[3], 1);
	assert_int_equal(vport_state(port), 0x10);
	assert_int_equal(access_reg(port, true, 0x5004, NULL, reg), 0);
	assert_int_equal(be32_at(reg, 36), 0);
	hca_set_link(port->hca, true);
	fixture_poll(e->f);
	assert_int_equal(fixture_eq_next(port, &eq)[3], 4);
	assert_null(fixture_eq_next(port, &eq));
	field_put(paos, 0, 11, 8, 3);
	assert_int_equal(access_reg(port, false, 0x5006, paos, NULL), HCA_CMD_BAD_PARAM);
	assert_int_equal(vport_state(port), 0x11);
}

static void mtu_of_the_port_is_bounded(void **state)
{
	struct ethernet *e = *state;
	uint8_t reg[256], pmtu[16] = { 0 };

	field_put(pmtu, 2, 31, 16, 9022);
	assert_int_equal(access_reg(e->side[0].port, false, 0x5003, pmtu, NULL), 0);
	field_put(pmtu, 2, 31, 16, HCA_ETH_MTU_MAX + 1);
	assert_int_equal(access_reg(e->side[0].port, false, 0x5003, pmtu, NULL), HCA_CMD_BAD_PARAM);
	assert_int_equal(access_reg(e->side[0].port, true, 0x5003, NULL, reg), 0);
	assert_int_equal(be16_at(reg, 4), HCA_ETH_MTU_MAX);
	assert_int_equal(be16_at(reg, 8), 9022);
	assert_int_equal(be16_at(reg, 12), 9022);
}

/* What is not selected stays, whatever the context has there. */
static void vport_keeps_what_is_not_selected(void **state)
{
	struct ethernet *e = *state;
	struct fixture_port *port = e->side[0].port;
	uint8_t in[0x200] = { 0x07, 0x55 }, query[16] = { 0x07, 0x54 }, out[0x110];

	assert_int_equal(run(port, query, sizeof(query), out, sizeof(out)), 0);
	assert_int_equal(be16_at(out, 16 + 38), 1522);
	assert_memory_equal(out + 16 + 0xf6, ((uint8_t[]){ 2, 0, 0, 0, 0, 1 }), 6);
	memset(in + 0x100, 0xff, 0x100);
	be32_put(in, 0x0c, 1u << 10 | 1u << 11);
	assert_int_equal(run(port, in, sizeof(in), out, 16), 0);
	assert_int_equal(run(port, query, sizeof(query), out, sizeof(out)), 0);
	assert_int_equal(be32_at(out, 16), 6);
	assert_int_equal(be16_at(out, 16 + 38), 1522);
	assert_int_equal(be32_at(out, 16 + 240), 0);
	/* Another one's. */
	field_put(in, 2, 31, 31, 1);
	assert_int_equal(run(port, in, sizeof(in), out, 16), HCA_CMD_BAD_PARAM);
}

static void counters_count(void **state)
{
	struct ethernet *e = *state;
	uint8_t frame[200], reg[256], group[16] = { 0 };
	uint8_t in[0x20] = { 0x07, 0x70 }, out[0x210];

	ethernet_receive_all(e, 1, e->side[1].tir);
	ethernet_frame(frame, sizeof(frame), 2, 1);
	ethernet_post(e, 1, &e->side[1].rq, 256);
	ethernet_send(e, 0, frame, 60, 0, 0, 0);
	assert_non_null(ethernet_received(e, 1));
	frame[0] = 3;
	ethernet_send(e, 0, frame, 200, 0, 0, 0);
	memset(frame, 0xff, 6);
	ethernet_send(e, 0, frame, 124, 0, 0, 0);
	fixture_poll(e->f);
	group[3] = 0; /* 802.3 */
	assert_int_equal(access_reg(e->side[1].port, true, 0x5008, group, reg), 0);
	assert_int_equal(be64_at(reg, 8 + 0x08), 3);
	assert_int_equal(be64_at(reg, 8 + 0x28), 60 + 200 + 124 + 12);
	assert_int_equal(be64_at(reg, 8 + 0x40), 1);
	assert_int_equal(be64_at(reg, 8 + 0x48), 1);
	assert_int_equal(access_reg(e->side[0].port, true, 0x5008, group, reg), 0);
	assert_int_equal(be64_at(reg, 8 + 0x00), 3);
	assert_int_equal(be64_at(reg, 8 + 0x08), 0);
	group[3] = 2; /* RFC 2819: 64; to 255; to 255 */
	assert_int_equal(access_reg(e->side[1].port, true, 0x5008, group, reg), 0);
	assert_int_equal(be64_at(reg, 8 + 0x58), 1);
	assert_int_equal(be64_at(reg, 8 + 0x60), 0);
	assert_int_equal(be64_at(reg, 8 + 0x68), 2);
	group[3] = 0x10; /* of a priority */
	assert_int_equal(access_reg(e->side[1].port, true, 0x5008, group, reg), 0);
	assert_int_equal(be64_at(reg, 8), 0);
	assert_int_equal(run(e->side[1].port, in, sizeof(in), out, sizeof(out)), 0);
	assert_int_equal(be64_at(out, 0x70), 1);
	assert_int_equal(be64_at(out, 0x78), 124);
	assert_int_equal(be64_at(out, 0x90), 1);
	assert_int_equal(be64_at(out, 0xb0), 1);
	assert_int_equal(be64_at(out, 0xb8), 200);
}

/* --- objects ----------------------------------------------------------------------------- */

static uint64_t memory_used(const struct ethernet *e)
{
	return e->side[0].port->hca->memory_used;
}

static void bad_queues_are_refused(void **state)
{
	struct ethernet *e = *state;
	struct ethernet_side *s = &e->side[0];
	static const struct {
		bool sq;
		uint8_t at, hi, lo; /* dword of the context */
		uint32_t value;
		uint8_t status;
	} cases[] = {
		{ true, 12, 31, 28, 0, HCA_CMD_BAD_PARAM },  /* linked list */
		{ false, 12, 31, 28, 2, HCA_CMD_BAD_PARAM }, /* striding */
		{ true, 0, 17, 17, 1, HCA_CMD_BAD_PARAM },   /* hairpin */
		{ false, 0, 27, 24, 1, HCA_CMD_BAD_PARAM },  /* RMP */
		{ true, 0, 23, 20, 1, HCA_CMD_BAD_PARAM },   /* ready at once */
		{ true, 20, 19, 16, 5, HCA_CMD_BAD_PARAM },  /* stride */
		{ true, 20, 19, 16, 7, HCA_CMD_BAD_PARAM },
		{ false, 20, 19, 16, 3, HCA_CMD_BAD_PARAM },
		{ false, 20, 19, 16, 12, HCA_CMD_BAD_PARAM },
		{ true, 20, 4, 0, 16, HCA_CMD_BAD_PARAM }, /* size */
		{ false, 20, 4, 0, 31, HCA_CMD_BAD_PARAM },
		{ true, 20, 4, 0, 15, HCA_CMD_BAD_INPUT_LEN },	   /* more than the list has */
		{ true, 2, 23, 0, 0xffff, HCA_CMD_BAD_RESOURCE },  /* CQ */
		{ true, 11, 23, 0, 0xffff, HCA_CMD_BAD_RESOURCE }, /* TIS */
		{ true, 14, 23, 0, 0xffff, HCA_CMD_BAD_RESOURCE }, /* PD */
		{ true, 15, 23, 0, 0xffff, HCA_CMD_BAD_RESOURCE }, /* UAR */
		{ false, 3, 31, 24, 200, HCA_CMD_BAD_RESOURCE },   /* counters */
		{ false, 21, 30, 30, 1, HCA_CMD_BAD_PARAM },	/* umem without a record in one */
		{ false, 21, 31, 30, 3, HCA_CMD_BAD_RESOURCE }, /* no such umem */
	};
	uint64_t before = memory_used(e);
	uint8_t context[0xf0];
	struct fixture_qp qp;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ethernet_queue_context(e, 0, cases[i].sq, s->scq.number, &qp, context);
		field_put(context, cases[i].at, cases[i].hi, cases[i].lo, cases[i].value);
		assert_int_equal(ethernet_queue_create(s->port, cases[i].sq, context, &qp),
				 cases[i].status);
		assert_int_equal(memory_used(e), before);
	}
}

static void states_of_queues(void **state)
{
	struct ethernet *e = *state;
	struct ethernet_side *s = &e->side[0];
	uint8_t in[16] = { 0x09, 0x07 }, out[0x110];

	assert_int_equal(ethernet_queue_state(s->port, true, s->sq.number, 0, 1),
			 HCA_CMD_BAD_RES_STATE);
	assert_int_equal(ethernet_queue_state(s->port, true, s->sq.number, 1, 2),
			 HCA_CMD_BAD_PARAM);
	assert_int_equal(ethernet_queue_state(s->port, true, s->sq.number, 1, 3), 0);
	be32_put(in, 8, s->sq.number);
	assert_int_equal(run(s->port, in, sizeof(in), out, sizeof(out)), 0);
	assert_int_equal(field_get(out + 0x20, 0, 23, 20), 3);
	assert_int_equal(field_get(out + 0x20, 2, 23, 0), s->scq.number);
	assert_int_equal(ethernet_queue_state(s->port, true, s->sq.number, 3, 1),
			 HCA_CMD_BAD_PARAM);
	assert_int_equal(ethernet_queue_state(s->port, true, s->sq.number, 3, 0), 0);
	/* One is not the other, and neither is a QP. */
	assert_int_equal(ethernet_queue_state(s->port, false, s->sq.number, 0, 1),
			 HCA_CMD_BAD_RESOURCE);
	assert_int_equal(fixture_simple_status(s->port, 0x90a, 0, s->sq.number, 0),
			 HCA_CMD_BAD_RESOURCE);
	assert_int_equal(fixture_simple_status(s->port, 0x501, 0, s->sq.number, 0),
			 HCA_CMD_BAD_RESOURCE);
	assert_int_equal(fixture_simple_status(s->port, 0x507, 0, s->rq.number, 0),
			 HCA_CMD_BAD_RESOURCE);
	assert_int_equal(fixture_simple_status(s->port, 0x711, 0, s->rq.number, 0),
			 HCA_CMD_BAD_RESOURCE);
}

/* What is named by something else stays until that is gone; then all of it goes. */
static void objects_go_in_order(void **state)
{
	struct ethernet *e = *state;
	struct ethernet_side *s = &e->side[0];

	assert_int_equal(fixture_simple_status(s->port, 0x817, 0, s->td, 0), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(fixture_simple_status(s->port, 0x914, 0, s->tis, 0),
			 HCA_CMD_BAD_RES_STATE);
	assert_int_equal(fixture_simple_status(s->port, 0x90a, 0, s->rq.number, 0),
			 HCA_CMD_BAD_RES_STATE);
	assert_int_equal(fixture_simple_status(s->port, 0x401, 0, s->rcq.number, 0),
			 HCA_CMD_BAD_RES_STATE);
	assert_int_equal(fixture_simple_status(s->port, 0x902, 0, s->tir, 0), 0);
	assert_int_equal(fixture_simple_status(s->port, 0x902, 0, s->tir, 0), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(fixture_simple_status(s->port, 0x90a, 0, s->rq.number, 0), 0);
	assert_int_equal(fixture_simple_status(s->port, 0x906, 0, s->sq.number, 0), 0);
	assert_int_equal(fixture_simple_status(s->port, 0x914, 0, s->tis, 0), 0);
	assert_int_equal(fixture_simple_status(s->port, 0x817, 0, s->td, 0), 0);
	assert_int_equal(fixture_simple_status(s->port, 0x401, 0, s->rcq.number, 0), 0);
	assert_int_equal(fixture_simple_status(s->port, 0x401, 0, s->scq.number, 0), 0);
}

static void tables_of_queues_are_bounded(void **state)
{
	static uint8_t context[0xf0 + 4 * ((1u << HCA_RQT_LOG) + 1)];
	struct ethernet *e = *state;
	struct ethernet_side *s = &e->side[0];
	uint64_t before = memory_used(e);
	uint32_t max = 1u << HCA_RQT_LOG, rqt;

	for (uint32_t i = 0; i <= max; i++)
		be32_put(context, 0xf0 + 4 * i, s->rq.number);
	field_put(context, 5, 15, 0, max + 1);
	assert_int_equal(ethernet_command(s->port, 0x916, 0, 0, context, sizeof(context), NULL),
			 HCA_CMD_BAD_PARAM);
	field_put(context, 5, 15, 0, 0);
	assert_int_equal(ethernet_command(s->port, 0x916, 0, 0, context, sizeof(context), NULL),
			 HCA_CMD_BAD_PARAM);
	field_put(context, 5, 15, 0, max);
	field_put(context, 6, 15, 0, max + 1);
	assert_int_equal(ethernet_command(s->port, 0x916, 0, 0, context, sizeof(context), NULL),
			 HCA_CMD_BAD_PARAM);
	field_put(context, 6, 15, 0, max);
	assert_int_equal(ethernet_command(s->port, 0x916, 0, 0, context, 0xf0 + 4 * max - 4, NULL),
			 HCA_CMD_BAD_INPUT_LEN);
	be32_put(context, 0xf0 + 4 * max - 4, s->sq.number);
	assert_int_equal(ethernet_command(s->port, 0x916, 0, 0, context, sizeof(context), NULL),
			 HCA_CMD_BAD_RESOURCE);
	assert_int_equal(memory_used(e), before);
	be32_put(context, 0xf0 + 4 * max - 4, s->rq.number);
	assert_int_equal(ethernet_command(s->port, 0x916, 0, 0, context, sizeof(context), &rqt), 0);
	/* A change that cannot be made leaves it. */
	be32_put(context, 0xf0, 0);
	assert_int_equal(ethernet_command(s->port, 0x917, rqt, 1, context, sizeof(context), NULL),
			 HCA_CMD_BAD_RESOURCE);
	assert_int_equal(ethernet_command(s->port, 0x917, rqt, 2, context, sizeof(context), NULL),
			 HCA_CMD_BAD_PARAM);
	assert_int_equal(fixture_simple_status(s->port, 0x902, 0, s->tir, 0), 0);
	assert_int_equal(fixture_simple_status(s->port, 0x90a, 0, s->rq.number, 0),
			 HCA_CMD_BAD_RES_STATE);
	assert_int_equal(fixture_simple_status(s->port, 0x918, 0, rqt, 0), 0);
	assert_int_equal(fixture_simple_status(s->port, 0x90a, 0, s->rq.number, 0), 0);
}

static void bad_tirs_are_refused(void **state)
{
	struct ethernet *e = *state;
	struct ethernet_side *s = &e->side[0];
	static const struct {
		uint8_t at, hi, lo;
		uint32_t value;
		uint8_t status;
	} cases[] = {
		{ 1, 31, 28, 2, HCA_CMD_BAD_PARAM },	    /* neither direct nor indirect */
		{ 9, 31, 28, 3, HCA_CMD_BAD_PARAM },	    /* hash */
		{ 4, 11, 8, 1, HCA_CMD_BAD_PARAM },	    /* LRO */
		{ 1, 27, 27, 1, HCA_CMD_BAD_PARAM },	    /* TLS */
		{ 7, 23, 0, 0, HCA_CMD_BAD_RESOURCE },	    /* queue */
		{ 9, 23, 0, 0xffff, HCA_CMD_BAD_RESOURCE }, /* domain */
		{ 1, 31, 28, 1, HCA_CMD_BAD_RESOURCE },	    /* no table */
	};
	uint64_t before = memory_used(e);
	uint8_t context[0xf0];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(context, 0, sizeof(context));
		field_put(context, 7, 23, 0, s->rq.number);
		field_put(context, 9, 23, 0, s->td);
		field_put(context, cases[i].at, cases[i].hi, cases[i].lo, cases[i].value);
		assert_int_equal(
			ethernet_command(s->port, 0x900, 0, 0, context, sizeof(context), NULL),
			cases[i].status);
		assert_int_equal(memory_used(e), before);
	}
}

/* Whoever comes next finds none of it; frames that wait are gone, too. */
static void reset_takes_all(void **state)
{
	struct ethernet *e = *state;
	struct fixture_port *port = e->side[1].port;
	uint8_t frame[60];

	ethernet_receive_all(e, 1, e->side[1].tir);
	ethernet_frame(frame, sizeof(frame), 2, 1);
	hca_eth_deliver(port->hca, frame, sizeof(frame));
	pcie_function_reset(port->fn, PCIE_RESET_FLR);
	fixture_poll(e->f);
	assert_int_equal(port->hca->memory_used, 0);
	assert_int_equal(port->hca->eth->inbox.frames, 0);
	pcie_config_write(port->fn, 0x04, (const uint8_t[]){ 0x06, 0x00 }, 2);
	fixture_probe(port);
	assert_int_equal(fixture_simple_status(port, 0x902, 0, e->side[1].tir, 0),
			 HCA_CMD_BAD_RESOURCE);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, ethernet_setup, ethernet_teardown)
	const struct CMUnitTest tests[] = {
		TEST(capabilities_are_of_ethernet),
		TEST(infiniband_is_not_there),
		cmocka_unit_test_setup_teardown(ethernet_is_not_on_infiniband, fixture_setup,
						fixture_teardown),
		TEST(state_follows_driver_and_cable),
		TEST(mtu_of_the_port_is_bounded),
		TEST(vport_keeps_what_is_not_selected),
		TEST(counters_count),
		TEST(bad_queues_are_refused),
		TEST(states_of_queues),
		TEST(objects_go_in_order),
		TEST(tables_of_queues_are_bounded),
		TEST(bad_tirs_are_refused),
		TEST(reset_takes_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
