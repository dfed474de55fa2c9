/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bits.h"

static void test_words(void **state)
{
	const uint8_t raw[] = { 0xff, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0 };
	uint8_t copy[sizeof(raw)] = { 0xff };

	(void)state;
	assert_int_equal(be16_at(raw, 1), 0x1234);
	assert_int_equal(be32_at(raw, 1), 0x12345678);
	assert_true(be64_at(raw, 1) == 0x123456789abcdef0);
	be64_put(copy, 1, 0x123456789abcdef0);
	assert_memory_equal(copy, raw, sizeof(raw));
	be32_put(copy, 2, 0xaabbccdd);
	be16_put(copy, 7, 0x0102);
	assert_true(be64_at(copy, 1) == 0x12aabbccddbc0102);
}

static void test_fields(void **state)
{
	uint8_t raw[12] = { [4] = 0x12, 0x34, 0x56, 0x78 };

	(void)state;
	assert_int_equal(field_get(raw, 1, 31, 0), 0x12345678);
	assert_int_equal(field_get(raw, 1, 31, 28), 1);
	assert_int_equal(field_get(raw, 1, 23, 8), 0x3456);
	assert_int_equal(field_get(raw, 1, 3, 3), 1);
	assert_int_equal(field_get(raw, 1, 0, 0), 0);
	field_put(raw, 1, 23, 8, 0xaabb);
	assert_int_equal(be32_at(raw, 4), 0x12aabb78);
	/* What does not fit changes nothing beside the field. */
	field_put(raw, 1, 11, 8, 0xfff0);
	assert_int_equal(be32_at(raw, 4), 0x12aab078);
	field_put(raw, 1, 31, 0, UINT32_MAX);
	assert_int_equal(be32_at(raw, 0), 0);
	assert_int_equal(be32_at(raw, 4), UINT32_MAX);
	assert_int_equal(be32_at(raw, 8), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
