/* SPDX-License-Identifier: GPL-2.0-only */
/* The log of commands: what a line says, and when there is none. Times are left out. */
#include "hca/cmd.h"
#include "hca/tests/fixture.h"

#include <stdlib.h>
#include <string.h>

#define SLOT 3

static char *text;
static size_t size;
static FILE *out;

static int setup(void **state)
{
	out = open_memstream(&text, &size);
	return !out || fixture_setup(state);
}

static int teardown(void **state)
{
	int rc = fixture_teardown(state);

	fclose(out);
	free(text);
	return rc;
}

/* What was written since the last call, without the numbers in front of " us". */
static void expect(const char *lines)
{
	char *from, *to;

	fflush(out);
	text[size] = '\0';
	for (from = to = text; *from;) {
		size_t digits = strspn(from, "0123456789");

		if (digits && !strncmp(from + digits, " us\n", 4))
			from += digits + 1;
		else
			*to++ = *from++;
	}
	*to = '\0';
	assert_string_equal(text, lines);
	rewind(out);
}

static void lines(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint8_t in[0x20] = { 0 };
	char line[64];
	uint32_t pd;

	fixture_simple(port, 0x800, 0, 0, 0); /* ALLOC_PD: nobody has asked for a line */
	hca_log_commands(port->hca, out);
	expect("");
	pd = fixture_simple(port, 0x800, 0, 0, 0);
	snprintf(line, sizeof(line), "hca0: command 0x800 ALLOC_PD object 0x%x: OK us\n", pd);
	expect(line);
	fixture_simple(port, 0x801, 0, pd, 0);
	snprintf(line, sizeof(line), "hca0: command 0x801 DEALLOC_PD object 0x%x: OK us\n", pd);
	expect(line);
	/* QUERY_FLOW_COUNTER, which has the number further behind. */
	be16_put(in, 0, 0x93b);
	be32_put(in, 0x1c, 0xabc);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), NULL, 0x20), HCA_CMD_BAD_RESOURCE);
	expect("hca0: command 0x93b QUERY_FLOW_COUNTER object 0xabc: BAD_RESOURCE syndrome 0x140011"
	       " us\n");
	hca_log_commands(port->hca, NULL);
	fixture_simple(port, 0x800, 0, 0, 0);
	expect("");
}

static void failures(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint8_t in[0x110] = { 0 };
	uint64_t memory = port->hca->params.memory;

	hca_log_commands(port->hca, out);
	/* Which nobody knows, by a context that there is not. */
	be16_put(in, 0, 0xeee);
	be16_put(in, 2, 5);
	be16_put(in, 6, 7);
	assert_int_equal(fixture_cmd(port, in, 16, NULL, 16), HCA_CMD_BAD_OP);
	expect("hca0: command 0xeee ? op_mod 0x7 uid 0x5: BAD_OP syndrome 0x010eee us\n");
	be16_put(in, 0, 0x800);
	be16_put(in, 6, 0);
	assert_int_equal(fixture_cmd(port, in, 16, NULL, 16), HCA_CMD_BAD_RESOURCE);
	/* What was to be made is not. */
	expect("hca0: command 0x800 ALLOC_PD uid 0x5: BAD_RESOURCE syndrome 0x040800 us\n");
	/* Too short for what it is to name. */
	be16_put(in, 0, 0x93b);
	be16_put(in, 2, 0);
	assert_int_equal(fixture_cmd(port, in, 16, NULL, 0x20), HCA_CMD_BAD_INPUT_LEN);
	expect("hca0: command 0x93b QUERY_FLOW_COUNTER: BAD_INPUT_LEN syndrome 0x02093b us\n");
	/* Not delivered: nothing is known of what it names. */
	be16_put(in, 0, 0x801);
	fixture_cmd_write(port, SLOT, in, 16, 16);
	*(uint8_t *)fixture_at(port->fixture, fixture_cmd_entry(port, SLOT)) = 0;
	fixture_write32(port, 0x18, 1u << SLOT);
	fixture_poll(port->fixture);
	expect("hca0: command 0x801 DEALLOC_PD: delivery 0x10 us\n");
	/* No memory for its mailboxes. */
	be16_put(in, 0, 0x200);
	port->hca->params.memory = port->hca->memory_used;
	assert_int_equal(fixture_cmd(port, in, sizeof(in), NULL, 1u << 16), HCA_CMD_NO_RESOURCES);
	port->hca->params.memory = memory;
	expect("hca0: command 0x200 CREATE_MKEY: NO_RESOURCES syndrome 0x050000 us\n");
}

/* However long a driver goes on, the log ends; and begins anew when it is asked for. */
static void limit(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];

	hca_log_commands(port->hca, out);
	assert_int_equal(port->hca->cmd_log.left, HCA_LOG_COMMANDS);
	port->hca->cmd_log.left = 2;
	for (unsigned int i = 0; i < 4; i++)
		fixture_simple(port, 0x107, 0, 0, 0);
	expect("hca0: command 0x107 QUERY_PAGES: OK us\n"
	       "hca0: command 0x107 QUERY_PAGES: OK us\n"
	       "hca0: 100000 commands are logged: no more\n");
	fixture_simple(port, 0x107, 0, 0, 0);
	expect("");
	hca_log_commands(port->hca, out);
	assert_int_equal(port->hca->cmd_log.left, HCA_LOG_COMMANDS);
	fixture_simple(port, 0x107, 0, 0, 0);
	expect("hca0: command 0x107 QUERY_PAGES: OK us\n");
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(lines),
		TEST(failures),
		TEST(limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
