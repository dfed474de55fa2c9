/* SPDX-License-Identifier: GPL-2.0-only */
/* What one owner leaves, the next one does not see: of the function, of a page, of a number. */
#include "hca/budget.h"
#include "hca/cmd.h"
#include "hca/inbox.h"
#include "hca/memic.h"
#include "hca/tests/traffic.h"

static struct fixture_port *port;
static struct hca *hca;

static int setup(void **state)
{
	fixture_setup(state);
	port = &((struct fixture *)*state)->port[0];
	hca = port->hca;
	return 0;
}

/* A byte of BAR0 that CPUs map. */
static uint8_t *shared(uint64_t offset)
{
	return (uint8_t *)hca->uar_memory + (offset - HCA_SHARED_OFFSET);
}

static void end_by_flr(void)
{
	pcie_function_reset(port->fn, PCIE_RESET_FLR);
	fixture_poll(port->fixture);
}

static void end_by_conventional_reset(void)
{
	pcie_function_reset(port->fn, PCIE_RESET_CONVENTIONAL);
	fixture_poll(port->fixture);
}

static void end_by_disable(void)
{
	fixture_write32(port, 0x14, (uint32_t)port->cmdq | 1u << 8);
	fixture_poll(port->fixture);
}

static void end_by_teardown(void)
{
	assert_int_equal(fixture_simple_status(port, 0x103, 0, 0, 0), 0);
}

static void end_by_enable(void)
{
	assert_int_equal(fixture_simple_status(port, 0x104, 0, 0, 0), 0);
}

static void write_name(const char *name)
{
	uint8_t in[16 + 64] = { 0 }, out[16 + 64];

	be16_put(in, 0, 0x805);
	be32_put(in, 8, 0x6001);
	memcpy(in + 16, name, strlen(name));
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
}

static uint8_t query(uint16_t op, uint16_t op_mod, uint8_t *out, uint32_t olen)
{
	uint8_t in[16 + 64] = { 0 };

	be16_put(in, 0, op);
	be16_put(in, 6, op_mod);
	if (op == 0x805)
		be32_put(in, 8, 0x6001);
	return fixture_cmd(port, in, sizeof(in), out, olen);
}

/* All that a driver can ask of the function, as text to compare: caps, port, counters, name. */
struct face {
	uint8_t caps[4][0x1010], vport[0x210], counters[0x210], name[80];
};

static void look(struct face *face)
{
	static const uint16_t types[] = { 0, 2, 3, 15 };
	unsigned int i;

	memset(face, 0, sizeof(*face));
	for (i = 0; i < 4; i++)
		assert_int_equal(query(0x100, (uint16_t)(types[i] << 1 | 1), face->caps[i],
				       sizeof(face->caps[i])),
				 0);
	assert_int_equal(query(0x762, 0, face->vport, sizeof(face->vport)), 0);
	assert_int_equal(query(0x770, 0, face->counters, sizeof(face->counters)), 0);
	assert_int_equal(query(0x805, 1, face->name, sizeof(face->name)), 0);
}

static void test_function(void **state)
{
	static void (*const ends[])(void) = { end_by_flr, end_by_conventional_reset, end_by_disable,
					      end_by_teardown, end_by_enable };
	static const uint8_t command[2] = { 0x06, 0x00 };
	static struct face fresh, later;
	uint8_t in[0x1010] = { 0 }, out[16];
	unsigned int i;

	(void)state;
	look(&fresh);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		memset(shared(HCA_MEMIC_OFFSET + 4096), 'M', 4096);
		memset(shared(100 * HCA_UAR_PAGE), 'U', HCA_UAR_PAGE);
		write_name("a name of the last owner");
		be16_put(in, 0, 0x109);
		memset(in + 0x10, 0x5a, 4096);
		assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
		memset(in, 0, 0x210);
		be16_put(in, 0, 0x763);
		be32_put(in, 0x10 + 0x40, 0x10000);
		be32_put(in, 0x10 + 0x44, 0x10000);
		assert_int_equal(fixture_cmd(port, in, 0x210, out, sizeof(out)), 0);
		hca->traffic[HCA_TX][1].octets = 77;
		hca->inbox.lost.packets = 78;
		look(&later);
		assert_memory_not_equal(&fresh, &later, sizeof(fresh));
		ends[i]();
		assert_true(hca->memory_used == 0);
		/* The memory is what a client maps: seen before any command of the next owner. */
		assert_int_equal(*shared(HCA_MEMIC_OFFSET + 4096), 0);
		assert_int_equal(*shared(HCA_MEMIC_OFFSET + 8191), 0);
		assert_int_equal(*shared(100 * HCA_UAR_PAGE + 4095), 0);
		pcie_config_write(port->fn, 4, command, sizeof(command));
		fixture_probe(port);
		look(&later);
		assert_memory_equal(&fresh, &later, sizeof(fresh));
	}
}

static void test_uar(void **state)
{
	uint32_t first, second;

	(void)state;
	first = fixture_simple(port, 0x802, 0, 0, 0);
	second = fixture_simple(port, 0x802, 0, 0, 0);
	memset(shared(first * HCA_UAR_PAGE), 0x11, HCA_UAR_PAGE);
	memset(shared(second * HCA_UAR_PAGE), 0x22, HCA_UAR_PAGE);
	fixture_simple(port, 0x803, 0, first, 0);
	assert_int_equal(fixture_simple(port, 0x802, 0, 0, 0), first);
	assert_int_equal(*shared(first * HCA_UAR_PAGE), 0);
	assert_int_equal(*shared(first * HCA_UAR_PAGE + HCA_UAR_PAGE - 1), 0);
	/* The neighbours keep what they have. */
	assert_int_equal(*shared(second * HCA_UAR_PAGE), 0x22);
	assert_int_equal(*shared((first - 1) * HCA_UAR_PAGE + HCA_UAR_PAGE - 1), 0);
}

/* A failed command's answer is its status and nothing else, however long the buffer. */
static void test_failed_answer(void **state)
{
	uint8_t in[16] = { 0 }, out[0x410];
	size_t i, k;
	static const uint16_t ops[] = { 0x201, 0x303, 0x402, 0x50b, 0x702, 0x713, 0x93b };

	(void)state;
	for (k = 0; k < sizeof(ops) / sizeof(ops[0]); k++) {
		be16_put(in, 0, ops[k]);
		be32_put(in, 8, 0xfe);
		memset(out, 0xee, sizeof(out));
		assert_int_not_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
		for (i = 8; i < sizeof(out); i++)
			assert_int_equal(out[i], 0);
	}
}

/* Datagrams that wait when the function is reset are for its last owner. */
static void test_datagram(void **state)
{
	static const uint8_t data[SUBNET_GRH_LEN + 16];
	struct subnet_packet packet = {
		.slid = 2, .dlid = 1, .dest_qpn = 77, .data = data, .len = 16
	};

	(void)state;
	hca_ud_deliver(hca, &packet);
	assert_int_equal(hca->inbox.packets, 1);
	end_by_flr();
	assert_int_equal(hca->inbox.packets, 0);
	assert_true(hca->inbox.bytes == 0);
	assert_true(hca->memory_used == 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_function),
		TEST(test_uar),
		TEST(test_failed_answer),
		TEST(test_datagram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
