/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * User contexts: a command of one may name what that context made, not what another or the driver
 * made. The driver may name everything.
 */
#include "hca/budget.h"
#include "hca/cmd.h"
#include "hca/general.h"
#include "hca/tests/traffic.h"

static struct fixture_port *port;
static struct hca *hca;
static uint32_t mine, other; /* contexts */
static struct {
	uint32_t eqn, pd, cqn, srqn, qpn, mkey, counter, table, uar, dctn;
} obj;
static uint64_t buf;

static uint8_t run(uint32_t uid, uint8_t *in, uint32_t ilen, uint32_t *number)
{
	uint8_t out[0x410];
	uint8_t status;

	be16_put(in, 2, (uint16_t)uid);
	status = fixture_cmd(port, in, ilen, out, sizeof(out));
	if (number)
		*number = be32_at(out, 8) & 0xffffff;
	return status;
}

static uint8_t simple(uint32_t uid, uint16_t op, uint32_t dw2, uint32_t *number)
{
	uint8_t in[0x40] = { 0 };

	be16_put(in, 0, op);
	be32_put(in, 8, dw2);
	return run(uid, in, sizeof(in), number);
}

static uint8_t create_cq(uint32_t uid, uint32_t *cqn)
{
	uint8_t in[0x118] = { 0 };

	be16_put(in, 0, 0x400);
	field_put(in + 0x10, 3, 23, 0, port->uar);
	field_put(in + 0x10, 5, 7, 0, obj.eqn);
	be64_put(in, 0x110, buf);
	return run(uid, in, sizeof(in), cqn);
}

static uint8_t create_srq(uint32_t uid, uint32_t pd, uint32_t cqn, uint32_t *srqn)
{
	uint8_t in[0x118] = { 0 };

	be16_put(in, 0, 0x700);
	field_put(in + 0x10, 2, 23, 0, cqn);
	field_put(in + 0x10, 6, 23, 0, pd);
	be64_put(in, 0x110, buf);
	return run(uid, in, sizeof(in), srqn);
}

static uint8_t create_qp(uint32_t uid, enum hca_qp_type type, uint32_t pd, uint32_t cqn,
			 uint32_t rcqn, uint32_t srqn, uint32_t *qpn)
{
	uint8_t in[0x118] = { 0 };

	be16_put(in, 0, 0x500);
	field_put(in + 0x18, 0, 23, 16, type);
	field_put(in + 0x18, 1, 23, 0, pd);
	field_put(in + 0x18, 3, 23, 0, port->uar);
	field_put(in + 0x18, 31, 23, 0, cqn);
	field_put(in + 0x18, 39, 23, 0, rcqn);
	field_put(in + 0x18, 43, 26, 24, srqn ? 1 : 0);
	field_put(in + 0x18, 43, 23, 0, srqn);
	be64_put(in, 0x110, buf);
	return run(uid, in, sizeof(in), qpn);
}

static uint8_t create_dct(uint32_t uid, uint32_t pd, uint32_t cqn, uint32_t srqn, uint32_t *dctn)
{
	uint8_t in[0x50] = { 0 };

	be16_put(in, 0, 0x710);
	field_put(in + 0x10, 2, 23, 0, cqn);
	field_put(in + 0x10, 5, 23, 0, srqn);
	field_put(in + 0x10, 6, 23, 0, pd);
	return run(uid, in, sizeof(in), dctn);
}

static uint8_t create_mkey(uint32_t uid, enum hca_mkc_mode mode, bool umem, uint32_t *mkey)
{
	uint8_t in[0x130] = { 0 };

	be16_put(in, 0, 0x200);
	field_put(in, 3, 30, 30, umem);
	be32_put(in, 0x10, (mode >> 2) << 26 | (mode & 3) << 8);
	be32_put(in, 0x10 + 14 * 4, 12);
	be32_put(in, 0x60, 2);
	return run(uid, in, sizeof(in), mkey);
}

static int setup(void **state)
{
	uint8_t in[0x40] = { 0 };

	fixture_setup(state);
	port = &((struct fixture *)*state)->port[0];
	hca = port->hca;
	buf = fixture_alloc(*state, 1 << 16, 4096);
	mine = fixture_simple(port, 0xa04, 0, 0, 0);
	other = fixture_simple(port, 0xa04, 0, 0, 0);
	{
		struct fixture_eq eq;

		fixture_eq_create(port, 6, 0, 1, &eq);
		obj.eqn = eq.number;
	}
	assert_int_equal(simple(mine, 0x800, 0, &obj.pd), 0);
	assert_int_equal(simple(mine, 0x802, 0, &obj.uar), 0);
	assert_int_equal(create_cq(mine, &obj.cqn), 0);
	assert_int_equal(create_srq(mine, obj.pd, obj.cqn, &obj.srqn), 0);
	assert_int_equal(create_qp(mine, HCA_QP_UD, obj.pd, obj.cqn, obj.cqn, 0, &obj.qpn), 0);
	assert_int_equal(create_dct(mine, obj.pd, obj.cqn, obj.srqn, &obj.dctn), 0);
	assert_int_equal(create_mkey(mine, HCA_MKC_KSM, false, &obj.mkey), 0);
	assert_int_equal(simple(mine, 0x939, 0, &obj.counter), 0);
	be16_put(in, 0, 0x930);
	in[0x10] = 7;
	assert_int_equal(run(mine, in, sizeof(in), &obj.table), 0);
	return 0;
}

/* Commands that name an object of a context, by number in dw2. */
static void test_named(void **state)
{
	static const struct {
		uint16_t op;
		uint32_t *number;
		uint8_t own; /* what the owner gets */
	} commands[] = {
		{ 0x801, &obj.pd, HCA_CMD_BAD_RES_STATE },
		{ 0x401, &obj.cqn, HCA_CMD_BAD_RES_STATE },
		{ 0x402, &obj.cqn, 0 },
		{ 0x701, &obj.srqn, HCA_CMD_BAD_RES_STATE },
		{ 0x702, &obj.srqn, 0 },
		{ 0x703, &obj.srqn, 0 },
		{ 0x50b, &obj.qpn, 0 },
		{ 0x507, &obj.qpn, 0 },
		{ 0x50a, &obj.qpn, 0 },
		{ 0x501, &obj.qpn, 0 },
		{ 0x713, &obj.dctn, 0 },
		{ 0x711, &obj.dctn, HCA_CMD_BAD_RES_STATE },
		{ 0x712, &obj.dctn, 0 },
		{ 0x711, &obj.dctn, 0 },
		{ 0x701, &obj.srqn, 0 },
		{ 0x401, &obj.cqn, 0 },
		{ 0x201, &obj.mkey, 0 },
		{ 0x202, &obj.mkey, 0 },
		{ 0x801, &obj.pd, 0 },
		{ 0x803, &obj.uar, 0 },
		{ 0x93a, &obj.counter, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		uint64_t used = hca->memory_used;

		print_message("0x%x\n", commands[i].op);
		assert_int_equal(simple(other, commands[i].op, *commands[i].number, NULL),
				 HCA_CMD_BAD_RESOURCE);
		assert_true(hca->memory_used == used);
		assert_int_equal(simple(mine, commands[i].op, *commands[i].number, NULL),
				 commands[i].own);
	}
}

static void test_driver_names_all(void **state)
{
	(void)state;
	assert_int_equal(simple(0, 0x501, obj.qpn, NULL), 0);
	assert_int_equal(simple(0, 0x202, obj.mkey, NULL), 0);
	/* The driver's own is not a context's. */
	assert_int_equal(simple(mine, 0x202, port->lkey >> 8, NULL), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(simple(mine, 0x801, port->pd, NULL), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(simple(mine, 0x803, port->uar, NULL), HCA_CMD_BAD_RESOURCE);
}

/* New objects name what their maker may name. The driver's PD has a key of all memory. */
static void test_naming(void **state)
{
	uint32_t pd, cqn, srqn, driver_cqn, driver_srqn, number;
	uint64_t used;

	(void)state;
	assert_int_equal(simple(other, 0x800, 0, &pd), 0);
	assert_int_equal(create_cq(other, &cqn), 0);
	assert_int_equal(create_srq(other, pd, cqn, &srqn), 0);
	assert_int_equal(create_cq(0, &driver_cqn), 0);
	assert_int_equal(create_srq(0, port->pd, driver_cqn, &driver_srqn), 0);
	used = hca->memory_used;
#define REFUSED(call) assert_int_equal(call, HCA_CMD_BAD_RESOURCE)
	REFUSED(create_qp(mine, HCA_QP_RC, port->pd, obj.cqn, obj.cqn, 0, &number));
	REFUSED(create_qp(mine, HCA_QP_RC, pd, obj.cqn, obj.cqn, 0, &number));
	REFUSED(create_qp(mine, HCA_QP_RC, obj.pd, cqn, obj.cqn, 0, &number));
	REFUSED(create_qp(mine, HCA_QP_RC, obj.pd, driver_cqn, obj.cqn, 0, &number));
	REFUSED(create_qp(mine, HCA_QP_RC, obj.pd, obj.cqn, cqn, 0, &number));
	REFUSED(create_qp(mine, HCA_QP_RC, obj.pd, obj.cqn, driver_cqn, 0, &number));
	REFUSED(create_qp(mine, HCA_QP_RC, obj.pd, obj.cqn, obj.cqn, srqn, &number));
	REFUSED(create_qp(mine, HCA_QP_RC, obj.pd, obj.cqn, obj.cqn, driver_srqn, &number));
	REFUSED(create_qp(mine, HCA_QP_XRC, obj.pd, obj.cqn, cqn, srqn, &number));
	REFUSED(create_srq(mine, port->pd, obj.cqn, &number));
	REFUSED(create_srq(mine, obj.pd, cqn, &number));
	REFUSED(create_srq(mine, obj.pd, 0x1234, &number));
	REFUSED(create_dct(mine, port->pd, obj.cqn, obj.srqn, &number));
	REFUSED(create_dct(mine, obj.pd, driver_cqn, obj.srqn, &number));
	REFUSED(create_dct(mine, obj.pd, obj.cqn, driver_srqn, &number));
	assert_true(hca->memory_used == used);
	/* The driver lends its own where nothing is received: mlx5_ib fills them in. */
	assert_int_equal(
		create_qp(mine, HCA_QP_XRC, obj.pd, obj.cqn, driver_cqn, driver_srqn, &number), 0);
	assert_int_equal(
		create_qp(mine, HCA_QP_DCI, obj.pd, obj.cqn, driver_cqn, driver_srqn, &number), 0);
	assert_int_equal(create_srq(mine, obj.pd, driver_cqn, &number), 0);
	/* Queue pairs of the driver's own kinds. */
	assert_int_equal(create_qp(mine, HCA_QP_GSI, obj.pd, obj.cqn, obj.cqn, 0, &number),
			 HCA_CMD_BAD_PARAM);
	assert_int_equal(create_qp(mine, HCA_QP_REG_UMR, obj.pd, obj.cqn, obj.cqn, 0, &number),
			 HCA_CMD_BAD_PARAM);
}

/* RST2INIT may give another PD: one that the context may name. */
static void test_transition(void **state)
{
	uint8_t in[0x110] = { 0 };

	(void)state;
	be16_put(in, 0, 0x502);
	be32_put(in, 8, obj.qpn);
	field_put(in + 0x18, 0, 23, 16, HCA_QP_UD);
	field_put(in + 0x18, 1, 23, 0, port->pd);
	assert_int_equal(run(mine, in, sizeof(in), NULL), HCA_CMD_BAD_RESOURCE);
	field_put(in + 0x18, 1, 23, 0, obj.pd);
	assert_int_equal(run(other, in, sizeof(in), NULL), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(run(mine, in, sizeof(in), NULL), 0);
}

/* A program's key must not name DMA addresses, whoever passes the command on. */
static void test_keys(void **state)
{
	static const enum hca_mkc_mode modes[] = { HCA_MKC_PA, HCA_MKC_MTT, HCA_MKC_MEMIC };
	uint64_t used = hca->memory_used;
	uint32_t number;
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		/* The pages of a umem are no key of the others, and here there is no umem. */
		uint8_t status = modes[i] == HCA_MKC_MTT ? HCA_CMD_BAD_RESOURCE : HCA_CMD_BAD_PARAM;

		assert_int_equal(create_mkey(mine, modes[i], false, &number), HCA_CMD_BAD_PARAM);
		assert_int_equal(create_mkey(mine, modes[i], true, &number), status);
		assert_int_equal(create_mkey(0, modes[i], true, &number), status);
	}
	assert_true(hca->memory_used == used);
	assert_int_equal(create_mkey(0, HCA_MKC_MTT, false, &number), 0);
	assert_int_equal(create_mkey(mine, HCA_MKC_KLM, true, &number), 0);
	assert_int_equal(create_mkey(mine, HCA_MKC_KSM, true, &number), 0);
}

static void test_privileged(void **state)
{
	static const uint16_t ops[] = { 0x102, 0x103, 0x104, 0x105, 0x109, 0x10b, 0x204, 0x205,
					0x206, 0x301, 0x302, 0x763, 0x805, 0xa04, 0xa06 };
	uint8_t in[0x1010] = { 0 };
	uint64_t used = hca->memory_used;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		be16_put(in, 0, ops[i]);
		assert_int_equal(run(mine, in, sizeof(in), NULL), HCA_CMD_BAD_RESOURCE);
	}
	assert_true(hca->memory_used == used);
	/* A context that there is none. */
	assert_int_equal(simple(mine + 100, 0x800, 0, NULL), HCA_CMD_BAD_RESOURCE);
}

/* It goes when it has nothing any more. */
/* The driver makes the EQs of completions as a resource that contexts share; none has that number.
 */
static void test_shared(void **state)
{
	uint8_t in[0x118] = { 0 };
	uint32_t eqn, cqn;

	(void)state;
	be16_put(in, 0, 0x301);
	field_put(in + 0x10, 3, 23, 0, port->kernel_uar);
	be64_put(in, 0x110, buf);
	assert_int_equal(run(mine, in, sizeof(in), &eqn), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(run(0xfffe, in, sizeof(in), &eqn), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(run(0xffff, in, sizeof(in), &eqn), 0);
	obj.eqn = eqn & 0xff;
	assert_int_equal(create_cq(mine, &cqn), 0);
	assert_int_equal(simple(mine, 0x401, cqn, NULL), 0);
	assert_int_equal(simple(0, 0x302, obj.eqn, NULL), 0);
	assert_int_equal(hca->uctxs.limit, 0xffff);
}

static void test_destroy(void **state)
{
	uint8_t in[0x40] = { 0 };

	(void)state;
	assert_int_equal(simple(0, 0xa06, other, NULL), 0);
	assert_int_equal(simple(0, 0xa06, mine, NULL), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(simple(mine, 0x712, obj.dctn, NULL), 0);
	assert_int_equal(simple(mine, 0x711, obj.dctn, NULL), 0);
	assert_int_equal(simple(mine, 0x501, obj.qpn, NULL), 0);
	assert_int_equal(simple(mine, 0x701, obj.srqn, NULL), 0);
	assert_int_equal(simple(mine, 0x401, obj.cqn, NULL), 0);
	assert_int_equal(simple(mine, 0x801, obj.pd, NULL), 0);
	assert_int_equal(simple(mine, 0x803, obj.uar, NULL), 0);
	assert_int_equal(simple(mine, 0x202, obj.mkey, NULL), 0);
	assert_int_equal(simple(mine, 0x93a, obj.counter, NULL), 0);
	assert_int_equal(simple(0, 0xa06, mine, NULL), HCA_CMD_BAD_RES_STATE);
	be16_put(in, 0, 0x931);
	in[0x10] = 7;
	field_put(in, 5, 23, 0, obj.table);
	assert_int_equal(run(other, in, sizeof(in), NULL), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(run(mine, in, sizeof(in), NULL), 0);
	assert_int_equal(simple(0, 0xa06, mine, NULL), 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_named),   TEST(test_driver_names_all),
		TEST(test_naming),  TEST(test_transition),
		TEST(test_keys),    TEST(test_privileged),
		TEST(test_destroy), TEST(test_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
