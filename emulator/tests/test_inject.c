// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "emulator/inject.h"
#include "emulator/tests/controlled.h"
#include "hca/inject.h"

#define OK "{}\n"

static void test_rules(void **state)
{
	struct pcie_function *gpu = endpoint_function(devices[1].endpoint);
	struct pcie_function *hca = hca_function(devices[0].hca);

	(void)state;
	check("inject gpu0 into poisoned write from=0x100 to=0x200 after=1 count=2", OK);
	/* Outside, a read, the one that passes, two that do not, and the rule rests. */
	assert_int_equal(pcie_inject_request(gpu, PCIE_FAULT_INTO, true, 0x200, 4),
			 PCIE_FAULT_NONE);
	assert_int_equal(pcie_inject_request(gpu, PCIE_FAULT_INTO, false, 0x100, 4),
			 PCIE_FAULT_NONE);
	assert_int_equal(pcie_inject_request(gpu, PCIE_FAULT_INTO, true, 0x100, 4),
			 PCIE_FAULT_NONE);
	assert_int_equal(pcie_inject_request(gpu, PCIE_FAULT_INTO, true, 0x1ff, 4),
			 PCIE_FAULT_POISONED);
	assert_int_equal(pcie_inject_request(gpu, PCIE_FAULT_INTO, true, 0x1ff, 4),
			 PCIE_FAULT_POISONED);
	assert_int_equal(pcie_inject_request(gpu, PCIE_FAULT_INTO, true, 0x1ff, 4),
			 PCIE_FAULT_NONE);
	check("inject gpu0", "{\"requests\":{\"seen\":0,\"hit\":0},\"into\":{\"seen\":4,\"hit\":2},"
			     "\"interrupts\":{\"seen\":0,\"hit\":0},\"gone\":false}\n");
	check("inject hca0 requests lost", OK);
	assert_int_equal(pcie_inject_request(hca, PCIE_FAULT_REQUESTS, true, 0, 4),
			 PCIE_FAULT_NONE);
	assert_int_equal(pcie_inject_request(hca, PCIE_FAULT_REQUESTS, false, 0, 4),
			 PCIE_FAULT_LOST);
	check("inject hca0 interrupts lost from=1 to=2", OK);
	assert_true(pcie_inject_interrupt(hca, 0));
	assert_false(pcie_inject_interrupt(hca, 1));
	assert_true(pcie_inject_interrupt(hca, 1));
	check("inject hca0 requests ur", OK);
	check("inject hca0 off", OK);
	assert_int_equal(pcie_inject_request(hca, PCIE_FAULT_REQUESTS, false, 0, 4),
			 PCIE_FAULT_NONE);
}

static uint32_t word_at(uint64_t offset)
{
	struct pcie_function *hca = hca_function(devices[0].hca);

	return __builtin_bswap32((uint32_t)hca->ops->bar_read(hca, 0, offset, 4));
}

static void test_health(void **state)
{
	struct pcie_function *hca = hca_function(devices[0].hca);
	uint32_t counter;

	(void)state;
	assert_int_equal(word_at(0x23c), 0);
	check("inject hca0 health 0x10", OK);
	assert_int_equal(hca->ops->bar_read(hca, 0, 0x23d, 1), 0x10);
	assert_int_equal(hca->ops->bar_read(hca, 0, 0x238, 1), 0);
	check("inject hca0 health 1 fatal", OK);
	assert_int_equal(hca->ops->bar_read(hca, 0, 0x23d, 1), 1);
	assert_int_equal(hca->ops->bar_read(hca, 0, 0x238, 1) >> 7, 1);
	check("inject hca0 counter frozen", OK);
	counter = word_at(0x1010);
	assert_int_equal(counter, 1);
	/* The driver resets the firmware: by the interface state, 7. */
	hca->ops->bar_write(hca, 0, 0x14, 4, __builtin_bswap32(7u << 8));
	assert_int_equal(word_at(0x23c), 0);
	assert_int_equal(word_at(0x238), 0);
	assert_int_equal(word_at(0x14) >> 8 & 7, 1);
	assert_int_not_equal(word_at(0x1010), counter);
}

static void test_removal(void **state)
{
	struct pcie_function *hca = hca_function(devices[0].hca);

	(void)state;
	check("inject hca0 gone", OK);
	assert_false(pcie_inject_answers(hca));
	check("inject hca0",
	      "{\"requests\":{\"seen\":0,\"hit\":0},\"into\":{\"seen\":0,\"hit\":0},"
	      "\"interrupts\":{\"seen\":0,\"hit\":0},\"commands\":{\"seen\":0,\"hit\":0},"
	      "\"gone\":true}\n");
	check("inject hca0 back", OK);
	assert_true(pcie_inject_answers(hca));
}

static void test_refused(void **state)
{
	(void)state;
	check("inject", "{\"error\":\"no such function: inject\"}\n");
	check("inject gpu1 gone", "{\"error\":\"no such function: gpu1\"}\n");
	check("inject gpu0 health 1", "{\"error\":\"no such fault: health\"}\n");
	check("inject gpu0 commands lost", "{\"error\":\"no such fault: commands\"}\n");
	check("inject hca0 health 256", "{\"error\":\"a syndrome is one byte: 256\"}\n");
	check("inject hca0 health 1 maybe", "{\"error\":\"no such fault: health\"}\n");
	check("inject hca0 counter", "{\"error\":\"no such fault: counter\"}\n");
	check("inject hca0 requests", "{\"error\":\"what kind of fault: requests\"}\n");
	check("inject hca0 requests odd", "{\"error\":\"what kind of fault: odd\"}\n");
	check("inject hca0 requests late ms=1", "{\"error\":\"no such fault there: late\"}\n");
	check("inject hca0 requests lost write", "{\"error\":\"no such fault there: lost\"}\n");
	check("inject hca0 interrupts late", "{\"error\":\"no such fault there: late\"}\n");
	check("inject hca0 interrupts late ms=600001",
	      "{\"error\":\"no such property, or a bad value: ms=600001\"}\n");
	check("inject hca0 requests ur count=x",
	      "{\"error\":\"no such property, or a bad value: count=x\"}\n");
	check("inject hca0 requests ur permille=1001",
	      "{\"error\":\"no such property, or a bad value: permille=1001\"}\n");
	check("inject hca0 commands late",
	      "{\"error\":\"commands are lost, or late by ms=N: late\"}\n");
	check("inject hca0 commands lost ms=1",
	      "{\"error\":\"commands are lost, or late by ms=N: lost\"}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rules, controlled_setup, controlled_teardown),
		cmocka_unit_test_setup_teardown(test_health, controlled_setup, controlled_teardown),
		cmocka_unit_test_setup_teardown(test_removal, controlled_setup,
						controlled_teardown),
		cmocka_unit_test_setup_teardown(test_refused, controlled_setup,
						controlled_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
