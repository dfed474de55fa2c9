/* SPDX-License-Identifier: GPL-2.0-only */
/* MAD_IFC, QP0, and what another subnet manager's SMPs change of the port that the driver sees. */
#include "hca/tests/traffic.h"

#define GRH	   40
#define PORT_EVENT (1u << HCA_EVENT_PORT_CHANGE)
#define IS_SM	   (1u << 1)

static struct end a, b;

static int setup(void **state)
{
	struct fixture *f;

	fixture_setup(state);
	f = *state;
	end_create_rts(&a, &f->port[0], HCA_QP_SMI);
	end_create_rts(&b, &f->port[1], HCA_QP_SMI);
	return 0;
}

static void post(struct end *end, uint16_t dlid, uint32_t qpn, uint32_t len)
{
	uint8_t wqe[80] = { 0 };

	fixture_ctrl(wqe, HCA_OP_SEND, SIGNALLED, 0);
	be32_put(wqe, 24, qpn);
	be16_put(wqe, 30, dlid);
	fixture_data(wqe + 64, end->buf, end->lkey, len);
	fixture_post_send(end->port, &end->qp, wqe, sizeof(wqe));
}

static uint8_t *smp_at(struct end *end, uint8_t class, uint8_t method, uint16_t attribute)
{
	uint8_t *smp = at(end, 0);

	memset(smp, 0, 256);
	smp[0] = 1;
	smp[1] = class;
	smp[2] = 1;
	smp[3] = method;
	be16_put(smp, 16, attribute);
	return smp;
}

/* --- QP0 ------------------------------------------------------------------------------------- */

static void test_agent_answers(void **state)
{
	const uint8_t *cqe, *answer = at(&a, 4096 + GRH);
	uint8_t *smp = smp_at(&a, 0x81, 1, 0x11);

	/* The other adapter, two hops away, as the driver sends it. */
	smp[6] = 1;
	smp[7] = 2;
	be32_put(smp, 32, UINT32_MAX);
	smp[129] = 1;
	smp[130] = 2;
	post_recv(&a, a.buf + 4096, a.lkey, 300);
	post_recv(&b, b.buf + 4096, b.lkey, 300);
	post(&a, 0xffff, 0, 256);
	fixture_poll(*state);
	expect_done(&a, 0);
	cqe = expect_recv(&a, HCA_CQE_RESP_SEND, 0);
	assert_int_equal(be16_at(cqe, 0x16), 0xffff);
	assert_int_equal(be32_at(cqe, 0x28) & 0xffffff, 0); /* from QP0 */
	assert_int_equal(be32_at(cqe, 0x2c), 256 + GRH);
	assert_int_equal(answer[3], 0x81);
	assert_int_equal(be16_at(answer, 4), 0x8000);
	assert_int_equal(answer[6], 1);
	assert_int_equal(be64_at(answer, 64 + 20), 0x0200000000000002u);
	expect_idle(&b);
}

/* A bad cable has a good lane for management. */
static void test_bad_cable(void **state)
{
	struct impairment_spec spec = { .loss = IMPAIRMENT_ALL };

	hca_impair(a.port->hca, &spec);
	hca_impair(b.port->hca, &spec);
	fixture_poll(*state);
	test_agent_answers(state);
}

/* One manager asks the other: QP0 to QP0, also where a port is not active yet. */
static void test_to_host(void **state)
{
	const uint8_t *cqe;

	smp_at(&a, 1, 1, 0x20);
	post_recv(&b, b.buf + 4096, b.lkey, 300);
	post(&a, 2, 0, 256);
	fixture_poll(*state);
	expect_done(&a, 0);
	cqe = expect_recv(&b, HCA_CQE_RESP_SEND, 0);
	assert_int_equal(be16_at(cqe, 0x16), 1);
	assert_memory_equal(at(&b, 4096 + GRH), at(&a, 0), 256);
	/* Neither counted nor steered. */
	assert_int_equal(a.port->hca->traffic[HCA_TX][0].packets, 0);
	assert_int_equal(b.port->hca->traffic[HCA_RX][0].packets, 0);
}

/* QP0 to others, others to QP0, and what is no SMP: lost, while the sender's WQE succeeds. */
static void test_apart(void **state)
{
	struct fixture *f = *state;
	struct end ud;

	end_create_rts(&ud, &f->port[0], HCA_QP_UD);
	smp_at(&a, 1, 1, 0x20);
	memcpy(at(&ud, 0), at(&a, 0), 256);
	post_recv(&b, b.buf + 4096, b.lkey, 4096);
	post(&a, 2, 1, 256);
	post(&a, 2, b.qp.number, 256);
	post(&a, 2, 0, 255);
	post(&a, 2, 0, 257);
	post(&ud, 2, 0, 256);
	fixture_poll(f);
	expect_done(&a, 0);
	expect_done(&a, 2);
	expect_done(&a, 4);
	expect_done(&a, 6);
	expect_done(&ud, 0);
	expect_idle(&b);
	assert_int_equal(subnet_count(f->subnet, SUBNET_LENGTH), 2);
}

/* --- MAD_IFC --------------------------------------------------------------------------------- */

static uint8_t mad_ifc(struct fixture_port *port, uint8_t number, const uint8_t *mad,
		       uint8_t answer[256])
{
	uint8_t in[0x110] = { 0 }, out[0x110];
	uint8_t status;

	be16_put(in, 0, 0x50d);
	be16_put(in, 6, 3); /* no key is checked */
	in[11] = number;
	memcpy(in + 0x10, mad, 256);
	status = fixture_cmd(port, in, sizeof(in), out, sizeof(out));
	memcpy(answer, out + 0x10, 256);
	return status;
}

static void test_mad_ifc(void **state)
{
	static const struct {
		uint8_t class, method;
		uint16_t attribute, status;
		uint8_t answer; /* method */
	} cases[] = {
		{ 1, 1, 0x11, 0, 0x81 },
		{ 0x81, 1, 0x15, 0, 0x81 },
		{ 1, 2, 0x11, 0x0c, 0x81 },
		{ 1, 1, 0xff90, 0x0c, 0x81 },
		{ 1, 1, 0x20, 0x0c, 0x81 },
		{ 1, 1, 0x19, 0x0c, 0x81 },
		{ 1, 3, 0x11, 0x08, 0x81 },
		{ 4, 2, 0x99, 0x0c, 0x81 },
		{ 0x0a, 1, 0x17, 0, 0x81 },
		{ 0x0a, 2, 0x17, 0x08, 0x81 },
		{ 0x0a, 1, 0x50, 0x0c, 0x81 },
		{ 0x0a, 1, 0x01, 0, 0x81 },
		{ 9, 1, 0x17, 0x04, 0x81 },
		{ 0x21, 1, 0x11, 0x04, 0x81 },
		{ 0xff, 0xff, 0xffff, 0x04, 0x81 },
		{ 1, 7, 2, 0, 7 }, /* TrapRepress: nothing to say */
	};
	struct fixture *f = *state;
	uint8_t mad[256], answer[256];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(mad, 0, sizeof(mad));
		mad[0] = mad[2] = 1;
		mad[1] = cases[i].class;
		mad[3] = cases[i].method;
		be16_put(mad, 16, cases[i].attribute);
		assert_int_equal(mad_ifc(&f->port[1], 1, mad, answer), HCA_CMD_OK);
		assert_int_equal(be16_at(answer, 4), cases[i].status);
		assert_int_equal(answer[3], cases[i].answer);
	}
	/* There is one port. */
	assert_int_equal(mad_ifc(&f->port[1], 0, mad, answer), HCA_CMD_BAD_PARAM);
	assert_int_equal(mad_ifc(&f->port[1], 2, mad, answer), HCA_CMD_BAD_PARAM);
}

static void test_general_info(void **state)
{
	uint8_t mad[256] = { 1, 0x0a, 1, 1 }, answer[256];
	struct fixture *f = *state;

	be16_put(mad, 16, 0x17);
	memset(mad + 24, 0xee, sizeof(mad) - 24);
	assert_int_equal(mad_ifc(&f->port[0], 1, mad, answer), HCA_CMD_OK);
	assert_int_equal(be16_at(answer, 24 + 10), f->port[0].hca->params.device_id);
	assert_int_equal(answer[24 + 41], 28);
	assert_int_equal(answer[24 + 42], 1);
	assert_string_equal((const char *)answer + 24 + 56, "TPH0000000001");
	assert_int_equal(answer[255], 0);
}

/* --- another manager ------------------------------------------------------------------------- */

static uint32_t query(struct fixture_port *port, uint16_t op, uint32_t index, unsigned int dword)
{
	uint8_t in[16] = { 0 }, out[16 + 512];

	be16_put(in, 0, op);
	be32_put(in, 12, index);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), HCA_CMD_OK);
	return be32_at(out + 16, 4 * (size_t)dword);
}

static void claim(struct fixture_port *port, uint32_t mask, uint32_t value)
{
	uint8_t in[0x210] = { 0 }, out[16];

	be16_put(in, 0, 0x763);
	be32_put(in, 0x10 + 0x40, value);
	be32_put(in, 0x10 + 0x44, mask);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), HCA_CMD_OK);
}

static void expect_port_event(struct fixture_port *port, struct fixture_eq *eq, uint8_t subtype)
{
	const uint8_t *eqe = fixture_eq_next(port, eq);

	assert_non_null(eqe);
	assert_int_equal(eqe[1], HCA_EVENT_PORT_CHANGE);
	assert_int_equal(eqe[3], subtype);
	assert_int_equal(eqe[0x28], 0x10); /* port 1 */
}

static void set(struct fixture *f, uint16_t attribute, uint32_t modifier, const uint8_t *data)
{
	uint8_t mad[256] = { 1, 1, 1, 2 }, answer[256];

	be16_put(mad, 16, attribute);
	be32_put(mad, 20, modifier);
	memcpy(mad + 64, data, 64);
	assert_int_equal(mad_ifc(&f->port[1], 1, mad, answer), HCA_CMD_OK);
	assert_int_equal(be16_at(answer, 4), 0);
}

static void test_other_manager(void **state)
{
	struct fixture *f = *state;
	struct fixture_port *port = &f->port[1];
	uint8_t info[64] = { 0 };
	struct fixture_eq eq;

	fixture_eq_create(port, 6, PORT_EVENT, 0, &eq);
	claim(&f->port[0], IS_SM, IS_SM);
	assert_int_equal(query(&f->port[0], 0x762, 0, 16) & IS_SM, IS_SM);
	fixture_poll(f);
	assert_null(fixture_eq_next(port, &eq));
	/* The cable: it stays in INIT. */
	hca_set_link(port->hca, false);
	fixture_poll(f);
	expect_port_event(port, &eq, 1);
	hca_set_link(port->hca, true);
	fixture_poll(f);
	expect_port_event(port, &eq, 5);
	assert_int_equal(query(port, 0x762, 0, 8) & 0xffff, 0x5022);
	/* Addresses, tables. */
	be64_put(info, 8, 0xfec0000000000000u);
	be16_put(info, 16, 6);
	be16_put(info, 18, 1);
	info[34] = 1;	     /* LMC */
	info[36] = 3;	     /* SM's SL */
	info[51] = 0x80 | 9; /* reregister */
	set(f, 0x15, 1, info);
	memset(info, 0, sizeof(info));
	be16_put(info, 0, 0xffff);
	be16_put(info, 2, 0x8001);
	set(f, 0x16, 0, info);
	memset(info, 0, sizeof(info));
	be64_put(info, 8, 0x77);
	set(f, 0x14, 0, info);
	fixture_poll(f);
	expect_port_event(port, &eq, 6);
	expect_port_event(port, &eq, 8);
	expect_port_event(port, &eq, 9);
	expect_port_event(port, &eq, 7);
	expect_port_event(port, &eq, 8);
	assert_null(fixture_eq_next(port, &eq));
	assert_int_equal(query(port, 0x762, 0, 24), 6u << 16 | 1u << 5 | 9);
	assert_int_equal(query(port, 0x762, 0, 25), 1u << 16 | 3u << 12);
	assert_int_equal(query(port, 0x764, 1, 0), 0xfec00000);
	assert_int_equal(query(port, 0x764, 1, 3), 0x77);
	assert_int_equal(query(port, 0x765, 1, 0), 0x8001);
	assert_true(hca_has_lid(port->hca, 6));
	assert_true(hca_has_lid(port->hca, 7));
	assert_false(hca_has_lid(port->hca, 5));
	assert_false(hca_has_lid(port->hca, 8));
	/* It goes: all is as it was. */
	claim(&f->port[0], IS_SM, 0);
	fixture_poll(f);
	expect_port_event(port, &eq, 6);
	expect_port_event(port, &eq, 7);
	expect_port_event(port, &eq, 8);
	expect_port_event(port, &eq, 4);
	expect_port_event(port, &eq, 9);
	assert_null(fixture_eq_next(port, &eq));
	assert_int_equal(query(port, 0x762, 0, 8) & 0xffff, 0x5044);
	assert_int_equal(query(port, 0x762, 0, 24), 2u << 16 | 18);
	assert_int_equal(query(port, 0x765, 1, 0), 0);
}

/* A reset takes the claim back. */
static void test_reset(void **state)
{
	struct fixture *f = *state;

	claim(&f->port[0], IS_SM, IS_SM);
	hca_set_link(f->port[1].hca, false);
	fixture_poll(f);
	hca_set_link(f->port[1].hca, true);
	fixture_poll(f);
	assert_false(subnet_link(f->port[1].hca->port));
	pcie_function_reset(f->port[0].fn, PCIE_RESET_FLR);
	fixture_poll(f);
	assert_true(subnet_link(f->port[1].hca->port));
	/* Nor does it come back with something else. */
	assert_int_equal(f->port[0].hca->port_caps, 0);
}

/* The speed that was negotiated is what the register shows. */
static void test_speed(void **state)
{
	uint8_t in[16 + 64] = { 0 }, out[16 + 64], info[64] = { 0 };
	struct fixture *f = *state;

	be16_put(in, 0, 0x805);
	be16_put(in, 6, 1);
	be16_put(in, 10, 0x5004);
	assert_int_equal(fixture_cmd(&f->port[1], in, sizeof(in), out, sizeof(out)), HCA_CMD_OK);
	assert_int_equal(be32_at(out, 16 + 40), 0x40080);
	be16_put(info, 16, 2);
	be16_put(info, 18, SUBNET_SM_LID);
	be64_put(info, 8, SUBNET_GID_PREFIX);
	info[29] = 1; /* 1X */
	info[32] = 1; /* down */
	info[63] = 2; /* EDR */
	set(f, 0x15, 1u << 31 | 1, info);
	fixture_poll(f);
	assert_int_equal(fixture_cmd(&f->port[1], in, sizeof(in), out, sizeof(out)), HCA_CMD_OK);
	assert_int_equal(be32_at(out, 16 + 40), 0x10020);
	assert_true(subnet_link(f->port[1].hca->port));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_agent_answers, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_bad_cable, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_to_host, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_apart, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_mad_ifc, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_general_info, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_other_manager, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_reset, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_speed, setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
