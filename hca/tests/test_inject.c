/* SPDX-License-Identifier: GPL-2.0-only */
/* Faults of the HCA's own: commands that are lost or late, and the time-out that it names. */
#include "hca/tests/fixture.h"

#include <string.h>

#define SLOT	3
#define HOUR_NS 3600000000000ull

/* A QUERY_ISSI in slot SLOT is rung for; whether it is done after some turns. */
static bool answered(struct fixture_port *port, bool ring)
{
	const uint8_t *entry = fixture_at(port->fixture, fixture_cmd_entry(port, SLOT));
	uint8_t in[16] = { 0 };
	unsigned int i;

	if (ring) {
		be16_put(in, 0, 0x10a);
		fixture_cmd_write(port, SLOT, in, sizeof(in), 0x70);
		fixture_write32(port, 0x18, 1u << SLOT);
	}
	for (i = 0; i < 10; i++)
		hca_poll(port->hca);
	return !(entry[0x3f] & 1);
}

static void arm(struct fixture_port *port, uint16_t opcode, uint64_t after, uint64_t delay_ns)
{
	hca_inject_commands(port->hca, &(struct hca_command_rule){ .opcode = opcode,
								   .after = after,
								   .count = 1,
								   .delay_ns = delay_ns });
}

static void lost(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];

	arm(port, 0, 1, 0);
	assert_true(answered(port, true));
	assert_false(answered(port, true));
	/* A doorbell too many does not help, the end of the rule does. */
	assert_false(answered(port, true));
	assert_int_equal(hca_inject_commands_count(port->hca).seen, 2);
	assert_int_equal(hca_inject_commands_count(port->hca).hit, 1);
	hca_inject_commands(port->hca, &(struct hca_command_rule){ .count = 0 });
	assert_true(answered(port, false));
	assert_true(answered(port, true));
}

static void by_opcode(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];

	arm(port, 0x10b, 0, 0);
	assert_true(answered(port, true));
	assert_int_equal(hca_inject_commands_count(port->hca).seen, 0);
	arm(port, 0x10a, 0, 0);
	assert_false(answered(port, true));
}

static void late(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];

	arm(port, 0, 0, 1);
	assert_true(answered(port, true));
	assert_int_equal(hca_inject_commands_count(port->hca).hit, 1);
	arm(port, 0, 0, HOUR_NS);
	assert_false(answered(port, true));
	assert_false(answered(port, false));
	/* Another slot is not held up by it. */
	assert_int_equal(fixture_simple_status(port, 0x107, 1, 0, 0), 0);
}

/* A reset is the end of a command that is held: the slot's next owner gets no answer to it. */
static void late_and_reset(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];

	arm(port, 0, 0, HOUR_NS);
	assert_false(answered(port, true));
	pcie_function_reset(port->fn, PCIE_RESET_FLR);
	hca_poll(port->hca);
	assert_int_equal(port->hca->mmio.inject.held, 0);
	assert_int_equal(port->hca->mmio.cmd_pending, 0);
	assert_false(answered(port, false));
}

static void command_timeout(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];

	assert_int_equal(fixture_read32(port, 0xff8), 0);
	assert_int_equal(fixture_read32(port, 0xffc), 0);
	port->hca->params.command_timeout = 2500;
	assert_int_equal(fixture_read32(port, 0xff8), 2500);
	assert_int_equal(fixture_read32(port, 0xffc), 2000);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lost),	      TEST(by_opcode),	     TEST(late),
		TEST(late_and_reset), TEST(command_timeout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
