// SPDX-License-Identifier: GPL-2.0-only
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <cmocka.h>

#include "emulator/pace.h"

#define SECOND 1000000000ull

static void test_choose(void **state)
{
	static const struct {
		unsigned int cpus, guest_cpus;
		enum pace pace;
	} rows[] = {
		{ 1, 0, PACE_NAP },	     { 64, 0, PACE_NAP }, { 1, 1, PACE_NAP },
		{ 2, 1, PACE_NAP },	     { 3, 1, PACE_SPIN }, { 3, 2, PACE_NAP },
		{ 4, 2, PACE_SPIN },	     { 5, 4, PACE_NAP },  { 6, 4, PACE_SPIN },
		{ 2, UINT32_MAX, PACE_NAP },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(pace_choose(rows[i].cpus, rows[i].guest_cpus), rows[i].pace);
}

static void test_rest(void **state)
{
	static const struct {
		enum pace pace;
		uint64_t idle, worked, rest;
	} rows[] = {
		/* Who answers at once is seen soon, who takes longer costs fewer looks. */
		{ PACE_NAP, 1, 0, 13000 },
		{ PACE_NAP, 99999, 0, 13000 },
		{ PACE_NAP, 100000, 0, 30000 },
		{ PACE_NAP, 1999999, 0, 30000 },
		{ PACE_SPIN, 1, 0, 0 },
		{ PACE_SPIN, 1999999, 0, 0 },
		/* Behind work: an eighth of that, and 5 us at most; then as ever. */
		{ PACE_NAP, 249, 2000, 0 },
		{ PACE_NAP, 250, 2000, 13000 },
		{ PACE_NAP, 4999, 40000, 0 },
		{ PACE_NAP, 5000, 40000, 13000 },
		{ PACE_NAP, 4999, UINT64_MAX, 0 },
		{ PACE_NAP, 5000, UINT64_MAX, 13000 },
	};

	(void)state;
	for (int pace = PACE_NAP; pace <= PACE_SPIN; pace++) {
		uint64_t last = 0;

		/* Straight after work: at once. */
		assert_int_equal(pace_rest((enum pace)pace, 0, 0), 0);
		/* The longer without work the longer, and no longer than the bound. */
		for (uint64_t idle = 1; idle < 1ull << 40; idle *= 2) {
			uint64_t rest = pace_rest((enum pace)pace, idle, 0);

			assert_true(rest >= last);
			last = rest;
		}
		assert_int_equal(last, PACE_REST_NS);
		/* While somebody may still be at work: a thousand looks a second or more. */
		assert_in_range(pace_rest((enum pace)pace, 9 * SECOND, 0), 1, 1000000);
		/* An idle guest: no more than 250. */
		assert_true(pace_rest((enum pace)pace, 11 * SECOND, 0) >= 4000000);
		assert_int_equal(pace_rest((enum pace)pace, UINT64_MAX, 0), PACE_REST_NS);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(pace_rest(rows[i].pace, rows[i].idle, rows[i].worked),
				 rows[i].rest);
}

static void *read_slack(void *arg)
{
	*(int *)arg = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
	return NULL;
}

/* Threads have it from who starts them. */
static void test_prepare(void **state)
{
	pthread_t thread;
	int slack = 0;

	(void)state;
	pace_prepare();
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
	assert_int_equal(pthread_create(&thread, NULL, read_slack, &slack), 0);
	pthread_join(thread, NULL);
	assert_int_equal(slack, 1);
}

/* As many as the thread may use, not as many as there are. */
static void test_cpus(void **state)
{
	cpu_set_t all, one;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	assert_int_equal(pace_cpus(), CPU_COUNT(&all));
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&one); cpu++)
		if (CPU_ISSET(cpu, &all))
			CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(pace_cpus(), 1);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choose),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_prepare),
		cmocka_unit_test(test_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
