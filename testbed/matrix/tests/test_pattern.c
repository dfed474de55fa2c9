/* SPDX-License-Identifier: GPL-2.0-only */
/* What pattern_differ() has to notice. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "testbed/matrix/pattern.h"

#define WORDS 512u
#define BYTES (WORDS * PATTERN_WORD)

static uint64_t memory[WORDS];

static int setup(void **state)
{
	(void)state;
	pattern_fill(memory, pattern_seed(7), 100, WORDS);
	return 0;
}

static uint64_t differ(uint64_t number, uint64_t first)
{
	return pattern_differ(memory, pattern_seed(number), first, WORDS);
}

static void test_same(void **state)
{
	(void)state;
	assert_int_equal(differ(7, 100), 0);
	assert_int_equal(pattern_differ(memory + 5, pattern_seed(7), 105, WORDS - 5), 0);
	assert_int_equal(pattern_differ(memory, pattern_seed(8), 0, 0), 0);
}

static void test_each_byte(void **state)
{
	unsigned char *bytes = (unsigned char *)memory;

	(void)state;
	for (size_t i = 0; i < BYTES; i++) {
		bytes[i] ^= (unsigned char)(1u << i % 8);
		assert_int_equal(differ(7, 100), 1);
		bytes[i] ^= (unsigned char)(1u << i % 8);
	}
	memset(bytes + 3, ~bytes[3], 1);
	memset(bytes + BYTES - 1, ~bytes[BYTES - 1], 1);
	assert_int_equal(differ(7, 100), 2);
}

/* Nearly all bytes differ: one in 256 is the same by chance. */
static void test_other_place_or_seed(void **state)
{
	(void)state;
	assert_true(differ(7, 101) > BYTES * 9 / 10);
	assert_true(differ(7, 100 + 4096 / PATTERN_WORD) > BYTES * 9 / 10);
	for (uint64_t number = 0; number < 64; number++)
		assert_true(number == 7 || differ(number, 100) > BYTES * 9 / 10);
}

static void test_constant(void **state)
{
	(void)state;
	memset(memory, 0, BYTES);
	assert_true(differ(7, 100) > BYTES * 9 / 10);
	memset(memory, 0xff, BYTES);
	assert_true(differ(7, 100) > BYTES * 9 / 10);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_same),
		TEST(test_each_byte),
		TEST(test_other_place_or_seed),
		TEST(test_constant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
