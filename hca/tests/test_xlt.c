/* SPDX-License-Identifier: GPL-2.0-only */
/* Translation entries: what is loaded, what is not, what it takes, and the search in lists. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hca/budget.h"
#include "hca/tests/fixture.h"

static struct hca *hca;
static struct hca_xlt xlt;

static int setup(void **state)
{
	fixture_setup(state);
	hca = ((struct fixture *)*state)->port[0].hca;
	xlt = (struct hca_xlt){ 0 };
	return 0;
}

static int teardown(void **state)
{
	uint64_t used;

	hca_xlt_drop(hca, &xlt);
	used = hca->memory_used;
	hca_xlt_drop(hca, &xlt);
	assert_true(hca->memory_used == used);
	return fixture_teardown(state);
}

static uint8_t mark(uint32_t index)
{
	return (uint8_t)(index * 37 + index / 251 + 1);
}

static int store(uint32_t first, uint32_t count)
{
	uint8_t *entries = calloc(count, 16);
	int err;

	assert_non_null(entries);
	for (uint32_t i = 0; i < count; i++)
		memset(entries + 16 * (size_t)i, mark(first + i), 16);
	err = hca_xlt_store(hca, &xlt, first, entries, count);
	free(entries);
	return err;
}

static void expect(uint32_t index, bool loaded)
{
	const uint8_t *entry = hca_xlt_octword(&xlt, index);

	for (unsigned int i = 0; i < 16; i++)
		assert_int_equal(entry[i], loaded ? mark(index) : 0);
}

/* Far apart, across chunks, and again: only what was stored takes memory. */
static void test_sparse(void **state)
{
	uint64_t before = hca->memory_used;

	(void)state;
	expect(0, false);
	assert_int_equal(store(0, 1), 0);
	assert_true(hca->memory_used - before < 256);
	assert_int_equal(store(1, 3), 0);
	assert_int_equal(store(4090, 20), 0);
	assert_int_equal(store(HCA_XLT_MTT_MAX - 4, 4), 0);
	assert_int_equal(xlt.octwords, HCA_XLT_MTT_MAX);
	for (uint32_t i = 0; i < 4; i++)
		expect(i, true);
	expect(4, false);
	expect(4089, false);
	for (uint32_t i = 4090; i < 4110; i++)
		expect(i, true);
	expect(4110, false);
	expect(100000, false);
	expect(HCA_XLT_MTT_MAX - 5, false);
	expect(HCA_XLT_MTT_MAX - 1, true);
	expect(HCA_XLT_MTT_MAX, false);
	expect(UINT32_MAX, false);
	/* A chunk's directory entry each, and three chunks at most. */
	assert_true(hca->memory_used - before < 16 * (HCA_XLT_MTT_MAX / 4096) + 3 * 65536);
	hca_xlt_drop(hca, &xlt);
	assert_true(hca->memory_used == before);
	expect(0, false);
}

/* What does not fit into the function's memory is not stored, not even in part. */
static void test_budget(void **state)
{
	uint64_t room;

	(void)state;
	assert_int_equal(store(0, 4), 0);
	room = hca->params.memory - hca->memory_used;
	hca->params.memory = hca->memory_used + 65536;
	assert_int_equal(store(0, 3 * 4096), -ENOMEM);
	for (uint32_t i = 0; i < 4; i++)
		expect(i, true);
	expect(4, false);
	assert_int_equal(xlt.octwords, 4);
	hca->params.memory = hca->memory_used + room;
	assert_int_equal(store(0, 3 * 4096), 0);
	expect(3 * 4096 - 1, true);
}

/* A list of @sizes (32 bits), or a strided one (a head, then 16 bits). */
static void store_list(const uint32_t *sizes, uint32_t count, bool strided)
{
	uint8_t *entries = calloc(count, 16);

	assert_non_null(entries);
	for (uint32_t i = 0; i < count; i++) {
		if (strided)
			be16_put(entries, 16 * (size_t)i + 2, (uint16_t)sizes[i]);
		else
			be32_put(entries, 16 * (size_t)i, sizes[i]);
	}
	assert_int_equal(hca_xlt_store(hca, &xlt, 0, entries, count), 0);
	free(entries);
}

static void found(uint32_t count, bool strided, uint64_t offset, uint32_t want, uint64_t want_skip)
{
	uint32_t index;
	uint64_t skip;

	assert_int_equal(hca_xlt_find(hca, &xlt, count, strided, offset, NULL, &index, &skip), 0);
	assert_int_equal(index, want);
	assert_int_equal(skip, want_skip);
}

static void missing(uint32_t count, bool strided, uint64_t offset)
{
	uint32_t index = 77;
	uint64_t skip = 78;

	assert_int_equal(hca_xlt_find(hca, &xlt, count, strided, offset, NULL, &index, &skip),
			 -ENOENT);
	assert_int_equal(index, 77);
	assert_int_equal(skip, 78);
}

static void test_find(void **state)
{
	static const uint32_t sizes[] = { 0, 3, 0, 0, 5, UINT32_MAX, UINT32_MAX, 0, 1, 0 };
	const uint64_t last = 8 + 2 * (uint64_t)UINT32_MAX;
	uint8_t entry[16] = { 0 };

	(void)state;
	missing(0, false, 0);
	store_list(sizes, 10, false);
	found(10, false, 0, 1, 0);
	found(10, false, 2, 1, 2);
	found(10, false, 3, 4, 0);
	found(10, false, 7, 4, 4);
	found(10, false, 8, 5, 0);
	found(10, false, last - 1, 6, UINT32_MAX - 1);
	found(10, false, last, 8, 0);
	missing(10, false, last + 1);
	missing(10, false, UINT64_MAX);
	/* A shorter look at the same list, after all of it is known. */
	missing(5, false, 8);
	found(5, false, 7, 4, 4);
	/* A change in the middle is seen at once. */
	be32_put(entry, 0, 10);
	assert_int_equal(hca_xlt_store(hca, &xlt, 2, entry, 1), 0);
	found(10, false, 3, 2, 0);
	found(10, false, 13, 4, 0);
	missing(10, false, last + 11);
}

static void test_find_strided(void **state)
{
	static const uint32_t sizes[] = { 9, 3, 0, UINT16_MAX };

	(void)state;
	store_list(sizes, 4, true);
	found(4, true, 0, 1, 0);
	found(4, true, 3, 3, 0);
	missing(4, true, 3 + UINT16_MAX);
	missing(1, true, 0);
}

/* The search of a long list goes on in the next turn, and ends. */
static void test_find_over_turns(void **state)
{
	uint32_t count = HCA_XLT_LIST_MAX, index, turns = 0;
	uint32_t *sizes = calloc(count, sizeof(*sizes));
	uint64_t skip;
	int err;

	(void)state;
	assert_non_null(sizes);
	for (uint32_t i = 0; i < count; i++)
		sizes[i] = 1;
	store_list(sizes, count, false);
	free(sizes);
	do {
		hca->work_left = HCA_TURN_WORK / 4;
		err = hca_xlt_find(hca, &xlt, count, false, count - 1, hca, &index, &skip);
		assert_true(hca->work_left > -2000);
		turns++;
	} while (err == -EAGAIN);
	assert_int_equal(err, 0);
	assert_int_equal(index, count - 1);
	assert_true(turns > 1);
	/* Once known, nothing has to be paid for. */
	hca->work_left = 0;
	assert_int_equal(hca_xlt_find(hca, &xlt, count, false, 12345, hca, &index, &skip), 0);
	assert_int_equal(index, 12345);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_sparse),	 TEST(test_budget),	     TEST(test_find),
		TEST(test_find_strided), TEST(test_find_over_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
