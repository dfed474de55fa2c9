/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands in any order with any numbers, from a seed: the device answers each, and when all
 * objects are gone, or the function was reset, nothing of its memory is in use.
 */
#include <stdlib.h>
#include <string.h>

#include "hca/budget.h"
#include "hca/cmd.h"
#include "hca/general.h"
#include "hca/memic.h"
#include "hca/tests/fixture.h"

#define COMMANDS 8000u
#define UIDS	 4u

static struct fixture *fixture;
static struct fixture_port *port;
static struct hca *hca;
static uint64_t buf, brk, state64;

static uint32_t rnd(uint32_t below)
{
	state64 ^= state64 << 13;
	state64 ^= state64 >> 7;
	state64 ^= state64 << 17;
	return (uint32_t)(state64 >> 20) % below;
}

static uint8_t run(const uint8_t *in, uint32_t ilen)
{
	uint8_t out[0x410];

	fixture->brk = brk;
	return fixture_cmd(port, in, ilen, out, sizeof(out));
}

static uint8_t simple(uint16_t op, uint16_t uid, uint32_t dw2)
{
	uint8_t in[0x40] = { 0 };

	be16_put(in, 0, op);
	be16_put(in, 2, uid);
	be32_put(in, 8, dw2);
	return run(in, sizeof(in));
}

/* A number that is taken, most of the time. */
static uint32_t number_in(const struct hca_table *table)
{
	uint32_t number = hca_table_next(table, table->size ? rnd(table->size) : 0);

	if (!number)
		number = hca_table_next(table, 0);
	return number && rnd(8) ? number : rnd(0x200);
}

static const struct {
	uint16_t op;
	uint32_t ilen;
} ops[] = {
	{ 0x200, 0x150 }, { 0x201, 16 },    { 0x202, 16 },    { 0x204, 16 },	{ 0x205, 0x20 },
	{ 0x206, 0x20 },  { 0x301, 0x118 }, { 0x302, 16 },    { 0x303, 16 },	{ 0x400, 0x118 },
	{ 0x401, 16 },	  { 0x402, 16 },    { 0x403, 0x118 }, { 0x500, 0x118 }, { 0x501, 16 },
	{ 0x502, 0x118 }, { 0x503, 0x118 }, { 0x504, 0x118 }, { 0x507, 16 },	{ 0x50a, 16 },
	{ 0x50b, 16 },	  { 0x700, 0x118 }, { 0x701, 16 },    { 0x702, 16 },	{ 0x703, 16 },
	{ 0x710, 0x50 },  { 0x711, 16 },    { 0x712, 16 },    { 0x713, 16 },	{ 0x800, 16 },
	{ 0x801, 16 },	  { 0x802, 16 },    { 0x803, 16 },    { 0x806, 0x20 },	{ 0x807, 0x20 },
	{ 0x80e, 16 },	  { 0x80f, 16 },    { 0x92f, 0x40 },  { 0x930, 0x40 },	{ 0x931, 0x40 },
	{ 0x932, 0x40 },  { 0x933, 0x400 }, { 0x934, 0x40 },  { 0x936, 0x350 }, { 0x937, 0x40 },
	{ 0x938, 0x40 },  { 0x939, 16 },    { 0x93a, 16 },    { 0x93b, 0x20 },	{ 0x93c, 0x40 },
	{ 0xa00, 16 },	  { 0xa03, 16 },    { 0xa04, 16 },    { 0xa06, 16 },	{ 0xa08, 0x40 },
	{ 0xa0a, 16 },
};

#define OPS	     (sizeof(ops) / sizeof(ops[0]))
#define FLOW_OPS     37u /* 0x92f */
#define FLOW_OPS_END 50u

/* Contexts that could be, with numbers that are there; sizes small, so that they fit the list. */
static void fill(uint8_t *in, uint16_t op)
{
	const struct hca_qp *qp;

	switch (op) {
	case 0x200:
		be32_put(in, 0x10, rnd(2) << 30 | rnd(2) << 26 | rnd(4) << 8);
		be32_put(in, 0x1c, number_in(&hca->pds));
		be64_put(in, 0x20, HCA_MEMIC_OFFSET + 64 * rnd(64));
		be64_put(in, 0x28, rnd(256));
		be32_put(in, 0x10 + 14 * 4, rnd(64));
		be32_put(in, 0x60, rnd(6));
		break;
	case 0x205:
	case 0x206:
		be32_put(in, 12, rnd(8));
		be64_put(in, 0x10, HCA_MEMIC_OFFSET + 64 * rnd(64));
		be32_put(in, 0x18, 64 << rnd(3));
		be32_put(in, 0x1c, 64 << rnd(3));
		break;
	case 0x301:
		field_put(in + 0x10, 3, 23, 0, number_in(&hca->uars));
		be64_put(in, 0x58, rnd(2) << HCA_EVENT_SRQ_LIMIT);
		break;
	case 0x400:
	case 0x403:
		field_put(in + 0x10, 3, 23, 0, number_in(&hca->uars));
		field_put(in + 0x10, 5, 7, 0, number_in(&hca->eqs));
		field_put(in + 0x10, 3, 28, 24, rnd(7));
		be64_put(in + 0x10, 0x38, buf);
		be32_put(in, 0x0c, 7);
		be16_put(in, 6, op == 0x403);
		be64_put(in, 0x50, rnd(4096));
		be32_put(in, 0x58, number_in(&hca->umems));
		be32_put(in, 0x5c, rnd(2) << 31);
		break;
	case 0x500:
		field_put(in + 0x18, 0, 23, 16, rnd(2) ? HCA_QP_UD : rnd(13));
		field_put(in + 0x18, 1, 23, 0, number_in(&hca->pds));
		field_put(in + 0x18, 3, 23, 0, number_in(&hca->uars));
		field_put(in + 0x18, 31, 23, 0, number_in(&hca->cqs));
		field_put(in + 0x18, 39, 23, 0, number_in(&hca->cqs));
		field_put(in + 0x18, 43, 26, 24, rnd(2) ? 3 : rnd(4));
		field_put(in + 0x18, 43, 23, 0, number_in(&hca->srqs));
		be64_put(in + 0x18, 0xa0, buf);
		break;
	case 0x502:
	case 0x503:
	case 0x504:
		qp = hca_table_get(&hca->qps, be32_at(in, 8) & 0xffffff);
		field_put(in + 0x18, 0, 23, 16, qp && rnd(8) ? qp->type : rnd(13));
		field_put(in + 0x18, 1, 23, 0, rnd(2) ? number_in(&hca->pds) : 0);
		break;
	case 0x700:
		field_put(in + 0x10, 1, 23, 0, number_in(&hca->xrcds));
		field_put(in + 0x10, 2, 23, 0, rnd(2) ? number_in(&hca->cqs) : 0);
		field_put(in + 0x10, 6, 23, 0, number_in(&hca->pds));
		be64_put(in + 0x10, 0x28, buf);
		break;
	case 0x710:
		field_put(in + 0x10, 2, 23, 0, number_in(&hca->cqs));
		field_put(in + 0x10, 5, 23, 0, number_in(&hca->srqs));
		field_put(in + 0x10, 6, 23, 0, number_in(&hca->pds));
		break;
	case 0x806:
	case 0x807:
		in[0x10] = 0xff;
		in[0x1f] = (uint8_t)rnd(4);
		break;
	case 0x93b:
		be32_put(in, 0x1c, number_in(&hca->flow_counters));
		break;
	case 0xa00:
		be16_put(in, 6, HCA_OBJECT_RESERVED_QPN);
		break;
	case 0xa03:
		be16_put(in, 6, HCA_OBJECT_RESERVED_QPN);
		be32_put(in, 8, HCA_QPN_LIMIT + 64 * rnd(8));
		break;
	case 0xa08:
		be32_put(in, 0x20, rnd(40));
		be32_put(in, 0x24, rnd(2) ? rnd(4096) : 0);
		be64_put(in, 0x28, rnd(4));
		break;
	default:
		if (op >= 0x92f && op <= 0x93c && op != 0x939 && op != 0x93a) {
			be32_put(in, 8, 0);
			in[0x10] = (uint8_t)(7 + rnd(2));
			field_put(in, 5, 23, 0, number_in(&hca->flow_tables));
			be32_put(in, 0x18, op == 0x92f ? 0 : 1 + rnd(3));
			if (op == 0x930 || op == 0x93c)
				be32_put(in, 0x18, rnd(2) << 24 | rnd(4) << 16 | (2 + rnd(4)));
			be32_put(in, 0x1c, rnd(8));
			be32_put(in, 0x20, rnd(8));
			be32_put(in, 0x24, rnd(8));
			if (op == 0x933) {
				be32_put(in, 0x20, 0);
				if (rnd(2))
					be32_put(in, 0x1c, 0);
			}
			if (op == 0x93c)
				be32_put(in, 0x0c, 1);
			if (op == 0x936) {
				be32_put(in, 0x18, 0);
				be32_put(in, 0x44, 1 + rnd(2));
				field_put(in + 0x40, 3, 15, 0, rnd(2) ? 1 : rnd(16));
				field_put(in + 0x40, 4, 23, 0, rnd(2));
				field_put(in + 0x40, 5, 23, 0, rnd(2));
				field_put(in + 0x340, 0, 31, 24, 1);
				field_put(in + 0x340, 0, 23, 0, number_in(&hca->flow_tables));
				be32_put(in, 0x348, number_in(&hca->flow_counters));
			}
		}
		break;
	}
}

/* The table whose numbers are in dw2 of @op. */
static const struct hca_table *table_of(uint16_t op)
{
	switch (op >> 4) {
	case 0x20:
		return &hca->mkeys;
	case 0x30:
		return &hca->eqs;
	case 0x40:
		return &hca->cqs;
	case 0x50:
	case 0x71:
		return &hca->qps;
	case 0x70:
		return &hca->srqs;
	case 0x93:
		return &hca->flow_counters;
	case 0xa0:
		return op == 0xa0a ? &hca->umems : &hca->uctxs;
	default:
		return op == 0x801   ? &hca->pds
		       : op == 0x803 ? &hca->uars
		       : op == 0x80f ? &hca->xrcds
				     : &hca->qps;
	}
}

static bool is_destroy(uint16_t op)
{
	static const uint16_t list[] = { 0x202, 0x206, 0x302, 0x401, 0x501, 0x507, 0x50a,
					 0x701, 0x711, 0x712, 0x801, 0x803, 0x80f, 0x931,
					 0x934, 0x938, 0x93a, 0xa06, 0xa0a };
	size_t i;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		if (list[i] == op)
			return true;
	}
	return false;
}

/* Commands that succeeded, by their place in ops[]. */
static uint32_t succeeded[OPS];

static bool random_command(void)
{
	/* Flow tables need more luck. */
	uint32_t i = rnd(3) ? rnd(OPS) : FLOW_OPS + rnd(FLOW_OPS_END - FLOW_OPS), ilen, at;
	uint16_t op = ops[i].op;
	bool done;
	uint8_t in[0x800] = { 0 };

	ilen = ops[i].ilen;
	/* Objects live for a while. */
	if (is_destroy(op) && rnd(4))
		return false;
	for (at = 0x110; at < sizeof(in) && ilen == 0x118; at += 8)
		be64_put(in, at, buf + 4096 * rnd(4));
	for (at = 0x30; at < 0x40 && op == 0xa08; at += 8)
		be64_put(in, at, buf);
	be32_put(in, 8, number_in(table_of(op)));
	fill(in, op);
	be16_put(in, 0, op);
	be16_put(in, 2, rnd(3) ? 0 : (uint16_t)rnd(UIDS + 1));
	/* Anything at all, now and then; not where addresses are. */
	if (!rnd(16))
		in[2 + rnd(14)] = (uint8_t)rnd(256);
	if (!rnd(16))
		ilen = 16 + rnd(ilen);
	done = !run(in, ilen);
	succeeded[i] += done;
	return done;
}

/* Destroy what is in @table by @op: whatever of it goes. */
static void empty(const struct hca_table *table, uint16_t op)
{
	uint32_t number;
	uint16_t uid;

	for (number = hca_table_next(table, 0); number;
	     number = hca_table_next(table, number + 1)) {
		for (uid = 0; uid <= (table == &hca->umems ? UINT8_MAX : 0); uid++) {
			if (!simple(op, uid, number))
				break;
		}
	}
}

static void empty_flow_tables(void)
{
	uint32_t number, index;

	for (number = hca_table_next(&hca->flow_tables, 0); number;
	     number = hca_table_next(&hca->flow_tables, number + 1)) {
		uint8_t in[0x40] = { 0 };

		field_put(in, 5, 23, 0, number);
		for (in[0x10] = 7; in[0x10] <= 8; in[0x10]++) {
			be16_put(in, 0, 0x938);
			for (index = 0; index < 8; index++) {
				be32_put(in, 0x20, index);
				run(in, sizeof(in));
			}
			be16_put(in, 0, 0x934);
			for (index = 1; index < 20; index++) {
				be32_put(in, 0x18, index);
				run(in, sizeof(in));
			}
			be16_put(in, 0, 0x931);
			run(in, sizeof(in));
		}
	}
}

static void empty_memics(void)
{
	uint32_t unit, size;

	for (unit = 0; unit < 80; unit++) {
		for (size = 64; size <= 256; size *= 2) {
			uint8_t in[0x20] = { 0 };

			be16_put(in, 0, 0x206);
			be64_put(in, 0x10, HCA_MEMIC_OFFSET + 64 * unit);
			be32_put(in, 0x18, size);
			run(in, sizeof(in));
		}
	}
}

static void destroy_all(void)
{
	unsigned int round, i;

	for (round = 0; round < 8; round++) {
		empty(&hca->qps, 0x712);
		empty(&hca->qps, 0x711);
		empty(&hca->qps, 0x501);
		empty(&hca->srqs, 0x701);
		empty(&hca->cqs, 0x401);
		empty(&hca->eqs, 0x302);
		empty(&hca->mkeys, 0x202);
		empty(&hca->umems, 0xa0a);
		empty_flow_tables();
		empty(&hca->flow_counters, 0x93a);
		empty(&hca->pds, 0x801);
		empty(&hca->xrcds, 0x80f);
		empty(&hca->uars, 0x803);
	}
	empty_memics();
	for (i = hca_table_next(&hca->reserved_qpns, 0); i;
	     i = hca_table_next(&hca->reserved_qpns, i + 1)) {
		uint8_t in[16] = { 0 };

		be16_put(in, 0, 0xa03);
		be16_put(in, 6, HCA_OBJECT_RESERVED_QPN);
		be32_put(in, 8, HCA_QPN_LIMIT + 64 * (i - 1));
		assert_int_equal(run(in, sizeof(in)), 0);
	}
	empty(&hca->uctxs, 0xa06);
}

static void start(uint64_t seed)
{
	unsigned int i;

	state64 = seed * 0x9e3779b97f4a7c15u + 1;
	assert_int_equal(simple(0x104, 0, 0), 0);
	for (i = 0; i < UIDS; i++)
		assert_int_equal(simple(0xa04, 0, 0), 0);
}

static void test_seed(uint64_t seed)
{
	uint32_t i, done = 0;

	print_message("seed %lu\n", (unsigned long)seed);
	start(seed);
	for (i = 0; i < COMMANDS; i++)
		done += random_command();
	/* Enough of them did something. */
	assert_in_range(done, COMMANDS / 10, COMMANDS);
	destroy_all();
	assert_true(hca->memory_used == 0);
	start(seed + 1);
	for (i = 0; i < COMMANDS / 4; i++)
		random_command();
	assert_true(hca->memory_used > 0);
	pcie_function_reset(port->fn, PCIE_RESET_FLR);
	fixture_poll(fixture);
	assert_true(hca->memory_used == 0);
}

/* With little memory commands fail for the lack of it all the time. */
static void test_commands(void **state)
{
	static const uint8_t command[2] = { 0x06, 0x00 };
	static const uint64_t memory[] = { HCA_MEMORY_DEFAULT, 30000, 12000 };
	uint64_t seed;
	size_t i;

	fixture = fixture_new();
	*state = fixture;
	port = &fixture->port[0];
	hca = port->hca;
	buf = fixture_alloc(fixture, 1 << 20, 4096);
	brk = fixture->brk;
	for (seed = 1; seed <= 6; seed++) {
		pcie_config_write(port->fn, 4, command, sizeof(command));
		fixture_write32(port, 0x10, 0);
		fixture_write32(port, 0x14, (uint32_t)port->cmdq);
		hca->params.memory = memory[seed % 3];
		test_seed(seed);
	}
	/* A test of commands that are all refused would be none. */
	assert_int_equal(ops[FLOW_OPS].op, 0x92f);
	assert_int_equal(ops[FLOW_OPS_END - 1].op, 0x93c);
	for (i = 0; i < OPS; i++) {
		if (!succeeded[i])
			fail_msg("0x%x never succeeds", ops[i].op);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_commands, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
