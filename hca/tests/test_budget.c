/* SPDX-License-Identifier: GPL-2.0-only */
/* The function's memory: what is given, charged, given back, and refused one byte past the budget.
 */
#include "hca/budget.h"
#include "hca/tests/fixture.h"

#define BUDGET 100000u

static struct hca *hca;

static int setup(void **state)
{
	struct hca_params params[FIXTURE_HCAS];

	for (unsigned int i = 0; i < FIXTURE_HCAS; i++) {
		params[i] = fixture_params(i);
		params[i].memory = BUDGET;
	}
	*state = fixture_new_with(params, NULL);
	hca = ((struct fixture *)*state)->port[0].hca;
	return 0;
}

static void test_default(void **state)
{
	struct fixture *fixture = fixture_new();

	(void)state;
	assert_true(fixture->port[0].hca->params.memory == HCA_MEMORY_DEFAULT);
	fixture_free(fixture);
}

static void test_bound(void **state)
{
	uint64_t before = hca->memory_used;
	size_t room = BUDGET - before;
	uint8_t *all;

	(void)state;
	assert_null(hca_alloc(hca, room + 1));
	assert_null(hca_alloc(hca, SIZE_MAX));
	assert_true(hca->memory_used == before);
	all = hca_alloc(hca, room);
	assert_non_null(all);
	for (size_t i = 0; i < room; i++)
		assert_int_equal(all[i], 0);
	assert_null(hca_alloc(hca, 1));
	hca_release(hca, all);
	assert_true(hca->memory_used == before);
	hca_release(hca, NULL);
}

static void test_resize(void **state)
{
	uint64_t before = hca->memory_used;
	size_t room = BUDGET - before;
	uint8_t *mem = hca_resize(hca, NULL, 10);

	(void)state;
	assert_non_null(mem);
	memset(mem, 0x5a, 10);
	assert_null(hca_resize(hca, mem, room + 1));
	assert_true(hca->memory_used == before + 10);
	mem = hca_resize(hca, mem, room);
	assert_non_null(mem);
	assert_int_equal(mem[9], 0x5a);
	for (size_t i = 10; i < room; i++)
		assert_int_equal(mem[i], 0);
	mem = hca_resize(hca, mem, 5);
	assert_true(hca->memory_used == before + 5);
	hca_release(hca, mem);
	assert_true(hca->memory_used == before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_default, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_bound, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_resize, setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
