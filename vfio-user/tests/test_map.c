/* SPDX-License-Identifier: GPL-2.0-only */
/* The tree against a plain table of what must be in it. */
#include "vfio-user/tests/client.h"

#include <stdlib.h>
#include <string.h>

#include "vfio-user/map.h"

#define PLACES 512

static struct vfio_user_map map[PLACES];
static bool in[PLACES];
static struct vfio_user_map *root;

/* Place i is 3 addresses long and has one free address behind it; the last ends with all addresses.
 */
static uint64_t first_of(int i)
{
	return UINT64_MAX - 4 * (uint64_t)(PLACES - i) + 2;
}

static void expect_tree(void)
{
	for (int i = 0, next; i < PLACES; i++) {
		for (next = i; next < PLACES && !in[next]; next++)
			;
		for (int at = -1; at < 3; at++)
			assert_ptr_equal(vfio_user_map_find(root, first_of(i) + at),
					 next < PLACES ? &map[next] : NULL);
	}
}

static int setup(void **state)
{
	(void)state;
	root = NULL;
	for (int i = 0; i < PLACES; i++) {
		map[i] = (struct vfio_user_map){ .first = first_of(i), .last = first_of(i) + 2 };
		in[i] = false;
	}
	assert_int_equal(map[PLACES - 1].last, UINT64_MAX);
	return 0;
}

static void put(int i, uint32_t priority)
{
	vfio_user_map_insert(&root, &map[i], priority);
	in[i] = true;
}

/* Cut @first to @last, inclusive: each map that comes out was to go, in order. */
static void cut(uint64_t first, uint64_t last)
{
	struct vfio_user_map *gone = vfio_user_map_cut(&root, first, last), *m;

	for (int i = 0; i < PLACES; i++) {
		if (!in[i] || map[i].first < first || map[i].last > last)
			continue;
		m = vfio_user_map_pop(&gone);
		assert_ptr_equal(m, &map[i]);
		in[i] = false;
	}
	assert_null(vfio_user_map_pop(&gone));
	expect_tree();
}

static void test_empty(void **state)
{
	(void)state;
	assert_null(vfio_user_map_find(root, 0));
	assert_null(vfio_user_map_cut(&root, 0, UINT64_MAX));
	assert_null(vfio_user_map_pop(&root));
}

static void test_orders(void **state)
{
	(void)state;
	for (int order = 0; order < 4; order++) {
		/* priorities all alike make a list of it; still right */
		for (int i = 0; i < PLACES; i++)
			put(order & 1 ? PLACES - 1 - i : i, order & 2 ? 7 : (uint32_t)rand());
		expect_tree();
		cut(0, UINT64_MAX);
		assert_null(root);
	}
}

static void test_edges_of_cuts(void **state)
{
	(void)state;
	srand(1);
	for (int from = -1; from <= 3; from++) {
		for (int to = -1; to <= 3; to++) {
			for (int i = 0; i < PLACES; i++) {
				if (!in[i])
					put(i, rand());
			}
			cut(first_of(100) + from, first_of(110) + to);
			cut(first_of(PLACES - 2) + from, UINT64_MAX);
			cut(0, first_of(1) + to);
		}
	}
}

static void test_random(void **state)
{
	(void)state;
	srand(2);
	for (int round = 0; round < 500; round++) {
		uint64_t first = first_of(0) + rand() % (4 * PLACES - 4);
		uint64_t last = first + rand() % 200;

		for (int i = 0; i < 20; i++) {
			int place = rand() % PLACES;

			if (!in[place])
				put(place, rand());
		}
		cut(first, last < first ? UINT64_MAX : last);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_empty, setup),
		cmocka_unit_test_setup(test_orders, setup),
		cmocka_unit_test_setup(test_edges_of_cuts, setup),
		cmocka_unit_test_setup(test_random, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
