/* SPDX-License-Identifier: GPL-2.0-only */
/* What a function's driver holds, as others are told: numbers by kind, and bytes. */
#include "hca/budget.h"
#include "hca/cmd.h"
#include "hca/tests/fixture.h"

#define OPS_ALLOC_PD	 0x800
#define OPS_DEALLOC_PD	 0x801
#define OPS_ALLOC_UAR	 0x802
#define OPS_ALLOC_XRCD	 0x80e
#define OPS_DEALLOC_XRCD 0x80f

static struct fixture_port *port;
static struct hca *hca;

static int setup(void **state)
{
	fixture_setup(state);
	port = &((struct fixture *)*state)->port[0];
	hca = port->hca;
	return 0;
}

static void end_by_flr(void)
{
	pcie_function_reset(port->fn, PCIE_RESET_FLR);
	fixture_poll(port->fixture);
}

static unsigned int kind_of(const char *name)
{
	for (unsigned int i = 0; i < HCA_OBJECT_KINDS; i++)
		if (!strcmp(hca_object_kind(i), name))
			return i;
	fail_msg("no kind %s", name);
	return 0;
}

/* Each kind has a name of its own, and there is none behind the last. */
static void test_names(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < HCA_OBJECT_KINDS; i++) {
		assert_non_null(hca_object_kind(i));
		assert_int_equal(kind_of(hca_object_kind(i)), i);
	}
	assert_null(hca_object_kind(HCA_OBJECT_KINDS));
	assert_null(hca_object_kind(UINT32_MAX));
}

/* One kind grows and shrinks, and no other. */
static void test_counts(void **state)
{
	const unsigned int pd = kind_of("pd"), xrcd = kind_of("xrcd");
	struct hca_objects before, after;
	uint32_t first, second, domain;

	(void)state;
	hca_objects(hca, &before);
	first = fixture_simple(port, OPS_ALLOC_PD, 0, 0, 0);
	second = fixture_simple(port, OPS_ALLOC_PD, 0, 0, 0);
	domain = fixture_simple(port, OPS_ALLOC_XRCD, 0, 0, 0);
	hca_objects(hca, &after);
	for (unsigned int i = 0; i < HCA_OBJECT_KINDS; i++)
		assert_int_equal(after.count[i], before.count[i] + (i == pd ? 2 : i == xrcd));
	assert_true(after.memory > before.memory);
	assert_true(after.memory == hca->memory_used);
	fixture_simple(port, OPS_DEALLOC_PD, 0, first, 0);
	fixture_simple(port, OPS_DEALLOC_PD, 0, second, 0);
	fixture_simple(port, OPS_DEALLOC_XRCD, 0, domain, 0);
	hca_objects(hca, &after);
	assert_memory_equal(&after.count, &before.count, sizeof(after.count));
	assert_true(after.memory == before.memory);
}

/* The next owner of a function that was reset finds nothing. */
static void test_reset(void **state)
{
	struct hca_objects objects;

	(void)state;
	fixture_simple(port, OPS_ALLOC_UAR, 0, 0, 0);
	hca_objects(hca, &objects);
	assert_int_not_equal(objects.count[kind_of("uar")], 0);
	end_by_flr();
	hca_objects(hca, &objects);
	for (unsigned int i = 0; i < HCA_OBJECT_KINDS; i++)
		assert_int_equal(objects.count[i], 0);
	assert_true(objects.memory == 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_names),
		TEST(test_counts),
		TEST(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
