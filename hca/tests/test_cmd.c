/* SPDX-License-Identifier: GPL-2.0-only */
/* The command queue: mailboxes, delivery errors, status, events. */
#include "hca/cmd.h"
#include "hca/tests/fixture.h"

#include <stdlib.h>
#include <string.h>

#define SLOT 3

/* Delivery status of the command in slot SLOT, after it ran. */
static unsigned int deliver(struct fixture_port *port)
{
	const uint8_t *entry = fixture_at(port->fixture, fixture_cmd_entry(port, SLOT));

	fixture_write32(port, 0x18, 1u << SLOT);
	fixture_poll(port->fixture);
	assert_int_equal(entry[0x3f] & 1, 0);
	return entry[0x3f] >> 1;
}

static uint8_t *entry_of(struct fixture_port *port)
{
	return fixture_at(port->fixture, fixture_cmd_entry(port, SLOT));
}

/* A SET_HCA_CAP of type @type with a pattern: the longest input that drivers send. */
static void cap_input(uint8_t in[0x1010], unsigned int type)
{
	unsigned int i;

	memset(in, 0, 0x10);
	be16_put(in, 0, 0x109);
	be16_put(in, 6, (uint16_t)(type << 1));
	for (i = 0x10; i < 0x1010; i++)
		in[i] = (uint8_t)(i * 7 + (i >> 8));
}

static void long_chains(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint8_t in[0x1010], query[16] = { 0 }, out[0x1010];

	cap_input(in, 2);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, 16), 0);
	assert_memory_equal(port->hca->cap[2], in + 0x10, 4096);
	be16_put(query, 0, 0x100);
	be16_put(query, 6, 2 << 1 | 1);
	memset(out, 0xff, sizeof(out));
	assert_int_equal(fixture_cmd(port, query, 16, out, sizeof(out)), 0);
	assert_memory_equal(out + 0x10, in + 0x10, 4096);
	/* The maximum stays what the device has. */
	be16_put(query, 6, 2 << 1);
	assert_int_equal(fixture_cmd(port, query, 16, out, sizeof(out)), 0);
	assert_int_equal(out[0x10], 0);
}

/* Block @number of the chain at @pointer of the entry. */
static uint8_t *block_of(struct fixture_port *port, unsigned int pointer, unsigned int number)
{
	uint64_t addr = be64_at(entry_of(port), pointer);

	while (number--)
		addr = be64_at(fixture_at(port->fixture, addr), 0x230);
	return fixture_at(port->fixture, addr);
}

static void output_stays_inside(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint8_t in[16] = { 0 }, *block;
	unsigned int i;

	/* QUERY_ADAPTER: 0x110 bytes, 256 of them in the block. */
	be16_put(in, 0, 0x101);
	fixture_cmd_write(port, SLOT, in, sizeof(in), 0x110);
	assert_int_equal(deliver(port), 0);
	block = block_of(port, 0x30, 0);
	assert_memory_equal(block + 0xf0, "TPH0000000001", 13);
	for (i = 0x100; i < 512; i++)
		assert_int_equal(block[i], 0xa5);
	/* ALLOC_PD with 8 bytes of room: refused, and nothing behind the 8 is touched. */
	be16_put(in, 0, 0x800);
	fixture_cmd_write(port, SLOT, in, sizeof(in), 8);
	i = port->hca->pds.count;
	assert_int_equal(deliver(port), 0);
	assert_int_equal(entry_of(port)[0x20], HCA_CMD_BAD_OUTPUT_LEN);
	assert_int_equal(entry_of(port)[0x28], 0xa5);
	assert_int_equal(port->hca->pds.count, i);
}

enum break_kind {
	BREAK_TYPE,
	BREAK_IN_ALIGN,
	BREAK_IN_SHORT,
	BREAK_IN_TOKEN,
	BREAK_IN_NUMBER,
	BREAK_IN_HOLE,
	BREAK_OUT_ALIGN,
	BREAK_OUT_SHORT,
	BREAK_OUT_TOKEN,
	BREAK_OUT_NUMBER,
	BREAK_ILEN_0,
	BREAK_ILEN_HUGE,
	BREAK_OLEN_0,
	BREAK_OLEN_HUGE,
};

static const struct {
	enum break_kind kind;
	unsigned int delivery;
} broken[] = {
	{ BREAK_TYPE, 0x10 },	    { BREAK_IN_ALIGN, 0x05 },  { BREAK_IN_SHORT, 0x07 },
	{ BREAK_IN_TOKEN, 0x02 },   { BREAK_IN_NUMBER, 0x03 }, { BREAK_IN_HOLE, 0x06 },
	{ BREAK_OUT_ALIGN, 0x04 },  { BREAK_OUT_SHORT, 0x08 }, { BREAK_OUT_TOKEN, 0x02 },
	{ BREAK_OUT_NUMBER, 0x03 }, { BREAK_ILEN_0, 0x07 },    { BREAK_ILEN_HUGE, 0x07 },
	{ BREAK_OLEN_0, 0x08 },	    { BREAK_OLEN_HUGE, 0x08 },
};

static void break_it(struct fixture_port *port, enum break_kind kind)
{
	uint8_t *entry = entry_of(port);

	switch (kind) {
	case BREAK_TYPE:
		entry[0] = 6;
		break;
	case BREAK_IN_ALIGN:
		be64_put(block_of(port, 0x08, 1), 0x230,
			 be64_at(block_of(port, 0x08, 1), 0x230) + 8);
		break;
	case BREAK_IN_SHORT:
		be64_put(block_of(port, 0x08, 2), 0x230, 0);
		break;
	case BREAK_IN_TOKEN:
		block_of(port, 0x08, 7)[0x23d]++;
		break;
	case BREAK_IN_NUMBER:
		be32_put(block_of(port, 0x08, 3), 0x238, 4);
		break;
	case BREAK_IN_HOLE:
		be64_put(entry, 0x08, FIXTURE_MEMORY + 4096);
		break;
	case BREAK_OUT_ALIGN:
		be64_put(entry, 0x30, be64_at(entry, 0x30) | 4);
		break;
	case BREAK_OUT_SHORT:
		be64_put(entry, 0x30, 0);
		break;
	case BREAK_OUT_TOKEN:
		block_of(port, 0x30, 0)[0x23d]++;
		break;
	case BREAK_OUT_NUMBER:
		be32_put(block_of(port, 0x30, 0), 0x238, 9);
		break;
	case BREAK_ILEN_0:
		be32_put(entry, 4, 0);
		break;
	case BREAK_ILEN_HUGE:
		be32_put(entry, 4, 0xfffffff0);
		break;
	case BREAK_OLEN_0:
		be32_put(entry, 0x38, 0);
		break;
	case BREAK_OLEN_HUGE:
		be32_put(entry, 0x38, 0xfffffff0);
		break;
	}
}

static void delivery_errors(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint8_t in[0x1010], before[4096];
	unsigned int i;

	memcpy(before, port->hca->cap[2], sizeof(before));
	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		cap_input(in, 2);
		fixture_cmd_write(port, SLOT, in, sizeof(in), 32);
		break_it(port, broken[i].kind);
		assert_int_equal(deliver(port), broken[i].delivery);
		/* Nothing ran and nothing was answered. */
		assert_memory_equal(port->hca->cap[2], before, sizeof(before));
		assert_int_equal(entry_of(port)[0x20], 0xa5);
	}
	cap_input(in, 2);
	fixture_cmd_write(port, SLOT, in, sizeof(in), 32);
	assert_int_equal(deliver(port), 0);
	assert_memory_equal(port->hca->cap[2], in + 0x10, 4096);
}

static void truncated_input(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint8_t in[0x1010], out[32], before[4096];

	cap_input(in, 2);
	memcpy(before, port->hca->cap[2], sizeof(before));
	assert_int_equal(fixture_cmd(port, in, 0x100f, out, sizeof(out)), HCA_CMD_BAD_INPUT_LEN);
	assert_int_not_equal(be32_at(out, 4), 0);
	assert_int_equal(be32_at(out, 8), 0);
	assert_memory_equal(port->hca->cap[2], before, sizeof(before));
	assert_int_equal(fixture_cmd(port, in, 16, out, sizeof(out)), HCA_CMD_BAD_INPUT_LEN);
	assert_memory_equal(port->hca->cap[2], before, sizeof(before));
}

static void unknown_opcodes(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint8_t in[0x110] = { 0 }, out[0x110];
	char *text = NULL;
	size_t len = 0, i;
	FILE *stream;

	be16_put(in, 0, 0x705); /* CREATE_XRC_SRQ */
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), HCA_CMD_BAD_OP);
	assert_int_not_equal(be32_at(out, 4), 0);
	for (i = 8; i < sizeof(out); i++)
		assert_int_equal(out[i], 0);
	be16_put(in, 0, 0xeee);
	be16_put(in, 6, 7);
	assert_int_equal(fixture_cmd(port, in, 16, out, 16), HCA_CMD_BAD_OP);
	assert_int_equal(fixture_cmd(port, in, 16, out, 16), HCA_CMD_BAD_OP);
	stream = open_memstream(&text, &len);
	assert_non_null(stream);
	hca_print_unmodelled(port->hca, stream);
	fclose(stream);
	assert_string_equal(text, "hca0: command 0x705 CREATE_XRC_SRQ op_mod 0x0\n"
				  "hca0: command 0xeee ? op_mod 0x7\n");
	free(text);
}

/* Doorbells for slots that the device does not own are too many, not harmful. */
static void not_owned(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint8_t in[16] = { 0 };
	uint32_t pds = port->hca->pds.count;

	be16_put(in, 0, 0x800);
	fixture_cmd_write(port, SLOT, in, sizeof(in), 16);
	entry_of(port)[0x3f] = 0;
	fixture_write32(port, 0x18, 1u << SLOT);
	fixture_poll(port->fixture);
	assert_int_equal(port->hca->pds.count, pds);
	assert_int_equal(entry_of(port)[0x20], 0xa5);
}

static void several_slots(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint32_t pds = port->hca->pds.count;
	uint8_t in[16] = { 0 };
	unsigned int slot;

	be16_put(in, 0, 0x800);
	for (slot = 0; slot < 32; slot += 31) {
		fixture_cmd_write(port, slot, in, sizeof(in), 16);
		fixture_write32(port, 0x18, 1u << slot);
	}
	fixture_poll(port->fixture);
	assert_int_equal(port->hca->pds.count, pds + 2);
	for (slot = 0; slot < 32; slot += 31) {
		const uint8_t *entry = fixture_at(port->fixture, fixture_cmd_entry(port, slot));

		assert_int_equal(entry[0x3f], 0);
		assert_int_equal(entry[0x3c], 0x5a);
		assert_int_equal(entry[0x20], 0);
	}
}

/* An event for a command that was issued while the driver polled panics the guest. */
static void events_only_when_asked(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	struct fixture_eq eq;
	const uint8_t *eqe;
	uint8_t in[16] = { 0 };

	fixture_eq_create(port, 8, 1u << HCA_EVENT_CMD, 0, &eq);
	assert_int_equal(port->hca->cmd_eqn, eq.number);
	assert_null(fixture_eq_next(port, &eq));
	assert_int_equal(port->interrupts[0], 0);

	be16_put(in, 0, 0x800);
	fixture_cmd_write(port, SLOT, in, sizeof(in), 16);
	assert_int_equal(deliver(port), 0);
	eqe = fixture_eq_next(port, &eq);
	assert_non_null(eqe);
	assert_int_equal(eqe[1], HCA_EVENT_CMD);
	assert_int_equal(be32_at(eqe, 0x20), 1u << SLOT);
	assert_int_equal(port->interrupts[0], 1);

	/* A delivery error is reported by event too: somebody waits. */
	fixture_cmd_write(port, SLOT, in, sizeof(in), 16);
	entry_of(port)[0] = 0;
	assert_int_equal(deliver(port), 0x10);
	assert_non_null(fixture_eq_next(port, &eq));

	/* It was not armed again: written, and no interrupt before it is. */
	assert_int_equal(port->interrupts[0], 1);
	fixture_cmd_write(port, SLOT, in, sizeof(in), 16);
	assert_int_equal(deliver(port), 0);
	assert_int_equal(port->interrupts[0], 1);
	fixture_eq_ring(port, &eq, HCA_UAR_EQ_ARM);
	fixture_poll(*state);
	assert_int_equal(port->interrupts[0], 2);
	assert_non_null(fixture_eq_next(port, &eq));

	fixture_simple(port, 0x302, 0, eq.number, 0);
	assert_null(fixture_eq_next(port, &eq));
	assert_int_equal(port->interrupts[0], 2);
	assert_int_equal(port->hca->cmd_eqn, 0);
	fixture_simple(port, 0x800, 0, 0, 0);
	assert_null(fixture_eq_next(port, &eq));
}

/* One EQ destroyed and another created in its place, with the same number: still no event. */
static void event_queue_replaced(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	struct fixture_eq eq, again;

	fixture_eq_create(port, 8, 1u << HCA_EVENT_CMD, 0, &eq);
	fixture_simple(port, 0x302, 0, eq.number, 0);
	fixture_eq_create(port, 8, 1u << HCA_EVENT_CMD, 0, &again);
	assert_int_equal(again.number, eq.number);
	assert_null(fixture_eq_next(port, &again));
	assert_int_equal(port->interrupts[0], 0);
}

static void no_queue_no_commands(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint32_t pds = port->hca->pds.count;
	uint8_t in[16] = { 0 };

	/* The driver disables the interface: the old queue is not looked at any more. */
	be16_put(in, 0, 0x800);
	fixture_cmd_write(port, SLOT, in, sizeof(in), 16);
	fixture_write32(port, 0x14, (uint32_t)port->cmdq | 1u << 8);
	fixture_write32(port, 0x18, 1u << SLOT);
	fixture_poll(port->fixture);
	assert_int_equal(entry_of(port)[0x3f], 1);
	assert_true(pds > 0);
	assert_int_equal(port->hca->pds.count, 0);
}

/* Without bus mastering nothing is fetched, nothing is written, and nothing hangs. */
static void bus_mastering_off(void **state)
{
	static const uint8_t off[2] = { 0x02, 0x00 }, on[2] = { 0x06, 0x00 };
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint8_t in[16] = { 0 };

	be16_put(in, 0, 0x800);
	fixture_cmd_write(port, SLOT, in, sizeof(in), 16);
	pcie_config_write(port->fn, 4, off, sizeof(off));
	fixture_write32(port, 0x18, 1u << SLOT);
	fixture_poll(port->fixture);
	assert_int_equal(entry_of(port)[0x3f], 1);
	pcie_config_write(port->fn, 4, on, sizeof(on));
	assert_int_equal(deliver(port), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(long_chains),	    TEST(output_stays_inside),
		TEST(delivery_errors),	    TEST(truncated_input),
		TEST(unknown_opcodes),	    TEST(not_owned),
		TEST(several_slots),	    TEST(events_only_when_asked),
		TEST(event_queue_replaced), TEST(no_queue_no_commands),
		TEST(bus_mastering_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
