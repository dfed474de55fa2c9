/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands that take several turns of the engine, and what the driver does meanwhile. */
#include "hca/budget.h"
#include "hca/cmd.h"
#include "hca/memic.h"
#include "hca/tests/fixture.h"

#define OCTWORDS  (1u << 18) /* 4 MiB of entries: more than the input of one turn */
#define LONG_ILEN (0x110 + 16 * OCTWORDS)
#define ILEN_MAX  ((128u << 20) + 0x110)
#define OLEN_MAX  (1u << 20)
/* The last piece of a turn may overdraw the commands' half of its work by this. */
#define OVERDRAFT 100000

static struct fixture_port *port;
static struct hca *hca;
static uint8_t input[LONG_ILEN];

static int setup(void **state)
{
	size_t i;

	fixture_setup(state);
	port = &((struct fixture *)*state)->port[0];
	hca = port->hca;
	memset(input, 0, 0x110);
	be16_put(input, 0, 0x200);
	be32_put(input, 0x10, 1u << 8);
	be32_put(input, 0x10 + 14 * 4, 12);
	be32_put(input, 0x60, OCTWORDS);
	for (i = 0x110; i < sizeof(input); i += 8)
		be64_put(input, i, i << 12);
	return 0;
}

static uint8_t *entry(unsigned int slot)
{
	return fixture_at(port->fixture, fixture_cmd_entry(port, slot));
}

static bool owned(unsigned int slot)
{
	return entry(slot)[0x3f] & 1;
}

static void ring(uint32_t slots)
{
	fixture_write32(port, 0x18, slots);
}

/* A turn in which commands and nothing else is done. */
static void turn(void)
{
	assert_true(hca_poll(hca));
	assert_true(hca->work_left > HCA_TURN_WORK / 2 - OVERDRAFT);
}

static void write_alloc_pd(unsigned int slot)
{
	uint8_t in[16] = { 0 };

	be16_put(in, 0, 0x800);
	fixture_cmd_write(port, slot, in, sizeof(in), 16);
}

static void expect_entries(const struct hca_mkey *mkey)
{
	uint32_t i;

	assert_int_equal(mkey->xlt.octwords, OCTWORDS);
	for (i = 0; i < OCTWORDS; i++)
		assert_memory_equal(hca_xlt_octword(&mkey->xlt, i), input + 0x110 + 16 * (size_t)i,
				    16);
}

/* The whole list arrives, and is loaded, over turns that end. */
static void long_input(void **state)
{
	const struct hca_mkey *mkey;
	unsigned int turns = 0;
	uint64_t used = hca->memory_used;
	uint8_t out[16];

	(void)state;
	fixture_cmd_write(port, 0, input, LONG_ILEN, 16);
	ring(1);
	for (; owned(0); turns++)
		turn();
	assert_true(turns > 2);
	assert_int_equal(entry(0)[0x3f], 0);
	fixture_cmd_output(port, 0, out, 16);
	assert_int_equal(out[0], 0);
	mkey = hca_table_get(&hca->mkeys, be32_at(out, 8));
	assert_non_null(mkey);
	expect_entries(mkey);
	/* Besides the entries there are what the table knows of its chunks. */
	assert_in_range(hca->memory_used, used + sizeof(*mkey) + 16 * OCTWORDS,
			used + sizeof(*mkey) + 16 * OCTWORDS + 8192);
	assert_false(hca->job.active);
}

/* Lengths, opcode and blocks are what they were when the device read them, once. */
static void changed_meanwhile(void **state)
{
	const struct hca_mkey *mkey;
	uint64_t block;
	uint8_t out[16];

	(void)state;
	fixture_cmd_write(port, 0, input, LONG_ILEN, 16);
	block = be64_at(entry(0), 8);
	ring(1);
	turn();
	assert_true(owned(0));
	memset(fixture_at(port->fixture, block), 0xff, 576);
	memset(entry(0), 0xff, 0x20);
	be32_put(entry(0), 0x38, UINT32_MAX);
	be64_put(entry(0), 0x30, 0xfff);
	while (owned(0))
		turn();
	assert_int_equal(entry(0)[0x3f], 0);
	memcpy(out, entry(0) + 0x20, 16);
	assert_int_equal(out[0], 0);
	mkey = hca_table_get(&hca->mkeys, be32_at(out, 8));
	assert_non_null(mkey);
	expect_entries(mkey);
}

/* Nothing of it is left, and nothing is answered. */
static void reset_in_between(void **state)
{
	(void)state;
	fixture_cmd_write(port, 0, input, LONG_ILEN, 16);
	ring(1);
	turn();
	assert_true(hca->job.active);
	write_alloc_pd(1);
	ring(2);
	pcie_function_reset(port->fn, PCIE_RESET_FLR);
	fixture_poll(port->fixture);
	assert_false(hca->job.active);
	assert_true(hca->memory_used == 0);
	assert_true(owned(0) && owned(1));
	assert_int_equal(entry(0)[0x20], 0xa5);
}

static void queue_in_between(void **state)
{
	uint32_t keys = hca->mkeys.count;

	(void)state;
	fixture_cmd_write(port, 0, input, LONG_ILEN, 16);
	ring(1);
	turn();
	port->cmdq = fixture_alloc(port->fixture, 4096, 4096);
	fixture_write32(port, 0x10, (uint32_t)(port->cmdq >> 32));
	fixture_write32(port, 0x14, (uint32_t)port->cmdq);
	/* The new queue works at once; the old one is not touched any more. */
	fixture_simple(port, 0x800, 0, 0, 0);
	assert_false(hca->job.active);
	assert_int_equal(hca->mkeys.count, keys);
}

/* TEARDOWN_HCA drops all objects, the command that does so is none. */
static void teardown_is_answered(void **state)
{
	(void)state;
	assert_int_equal(fixture_simple_status(port, 0x103, 0, 0, 0), 0);
	assert_true(hca->memory_used == 0);
}

/* One after the other, from where the last one was. */
static void slots_in_turn(void **state)
{
	static const unsigned int order[] = { 5, 7, 31, 2 };
	struct fixture_eq eq;
	unsigned int i;

	(void)state;
	fixture_eq_create(port, 8, 1u << HCA_EVENT_CMD, 0, &eq);
	/* Slot 4 is the last one before; while 5 is under way, the others are rung for. */
	write_alloc_pd(4);
	ring(1u << 4);
	while (owned(4))
		turn();
	assert_non_null(fixture_eq_next(port, &eq));
	fixture_cmd_write(port, 5, input, LONG_ILEN, 16);
	ring(1u << 5);
	turn();
	for (i = 1; i < 4; i++)
		write_alloc_pd(order[i]);
	ring(1u << 2 | 1u << 7 | 1u << 31);
	fixture_poll(port->fixture);
	for (i = 0; i < 4; i++) {
		const uint8_t *eqe = fixture_eq_next(port, &eq);

		assert_non_null(eqe);
		assert_int_equal(be32_at(eqe, 0x20), 1u << order[i]);
		assert_int_equal(entry(order[i])[0x3f], 0);
		assert_int_equal(entry(order[i])[0x20], 0);
	}
	assert_null(fixture_eq_next(port, &eq));
}

/* All 32 slots, again and again: no turn takes more than its share. */
static void many_commands(void **state)
{
	uint64_t brk = port->fixture->brk;
	unsigned int i, round;

	(void)state;
	for (round = 0; round < 20; round++) {
		port->fixture->brk = brk;
		for (i = 0; i < 32; i++)
			write_alloc_pd(i);
		ring(UINT32_MAX);
		turn();
	}
	fixture_poll(port->fixture);
	assert_int_equal(hca->pds.count, 1 + 20 * 32);
}

static unsigned int delivery(void)
{
	ring(1);
	fixture_poll(port->fixture);
	assert_false(owned(0));
	return entry(0)[0x3f] >> 1;
}

static void lengths(void **state)
{
	static uint8_t out[OLEN_MAX];
	uint8_t in[16] = { 0 };
	size_t i;

	(void)state;
	/* The chain of the longest input is followed, that of one byte more is not looked at. */
	fixture_cmd_write(port, 0, input, 16, 16);
	be32_put(entry(0), 4, ILEN_MAX);
	be64_put(entry(0), 8, 12345);
	assert_int_equal(delivery(), 0x05);
	entry(0)[0x3f] = 1;
	be32_put(entry(0), 4, ILEN_MAX + 1);
	assert_int_equal(delivery(), 0x07);
	be16_put(in, 0, 0x101);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, OLEN_MAX), 0);
	assert_memory_equal(out + 0x100, "TPH0000000001", 13);
	for (i = 0x110; i < OLEN_MAX; i++)
		assert_int_equal(out[i], 0);
	fixture_cmd_write(port, 0, in, sizeof(in), 16);
	be32_put(entry(0), 0x38, OLEN_MAX + 1);
	assert_int_equal(delivery(), 0x08);
}

/* The mailboxes count as well: a command that finds no memory fails, its delivery does not. */
static void without_memory(void **state)
{
	uint64_t used = hca->memory_used, memory = hca->params.memory;
	uint8_t out[16];

	(void)state;
	/* Room for the list, not for the key; then not even for the list. */
	hca->params.memory = used + 16 * OCTWORDS + sizeof(struct hca_mkey);
	assert_int_equal(fixture_cmd(port, input, LONG_ILEN, out, 16), HCA_CMD_NO_RESOURCES);
	assert_true(hca->memory_used == used);
	hca->params.memory = used + 16 * OCTWORDS - 1;
	assert_int_equal(fixture_cmd(port, input, LONG_ILEN, out, 16), HCA_CMD_NO_RESOURCES);
	assert_true(hca->memory_used == used);
	assert_false(hca->job.active);
	hca->params.memory = memory;
	assert_int_equal(fixture_cmd(port, input, LONG_ILEN, out, 16), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(long_input),	    TEST(changed_meanwhile), TEST(reset_in_between),
		TEST(queue_in_between),	    TEST(slots_in_turn),     TEST(many_commands),
		TEST(teardown_is_answered), TEST(lengths),	     TEST(without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
