/* SPDX-License-Identifier: GPL-2.0-only */
#include "impairment/line.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT 64u

/* A packet is a number of the heap, so that a sanitizer sees what is leaked or used too late. */
struct world {
	struct impairment *line;
	unsigned int dropped, copied;
	bool no_copies;
};

static void *make(unsigned int number)
{
	unsigned int *packet = malloc(sizeof(*packet));

	*packet = number;
	return packet;
}

static void *copy(void *owner, void *packet)
{
	struct world *world = owner;

	if (world->no_copies)
		return NULL;
	world->copied++;
	return make(*(unsigned int *)packet);
}

static void drop(void *owner, void *packet)
{
	struct world *world = owner;

	world->dropped++;
	free(packet);
}

static const struct impairment_ops ops = { copy, drop };

static void begin(struct world *world, const char *text)
{
	char message[IMPAIRMENT_TEXT];
	struct impairment_spec spec;

	memset(world, 0, sizeof(*world));
	assert_int_equal(impairment_parse(text, &spec, message), 0);
	world->line = impairment_new(&spec, LIMIT, &ops, world);
	assert_non_null(world->line);
}

static void put(struct world *world, uint64_t now, unsigned int number, size_t length)
{
	struct impairment_label label = { .kind = number % 2, .flow = 5, .sequence = number };

	impairment_put(world->line, now, make(number), length, &label);
}

/* The number that arrives by @now, or -1. */
static int get(struct world *world, uint64_t now)
{
	struct impairment_arrival arrival;
	unsigned int number;

	if (!impairment_get(world->line, now, &arrival))
		return -1;
	number = *(unsigned int *)arrival.packet;
	assert_int_equal(arrival.label.sequence, number);
	assert_int_equal(arrival.label.flow, 5);
	free(arrival.packet);
	return (int)number;
}

static struct impairment_counts sum(struct world *world)
{
	struct impairment_counts counts[IMPAIRMENT_KINDS], all = { 0 };

	impairment_get_counts(world->line, counts);
	for (unsigned int i = 0; i < IMPAIRMENT_KINDS; i++) {
		all.packets += counts[i].packets;
		all.octets += counts[i].octets;
		all.lost += counts[i].lost;
		all.doubled += counts[i].doubled;
		all.reordered += counts[i].reordered;
		all.damaged += counts[i].damaged;
		all.marked += counts[i].marked;
		all.overflow += counts[i].overflow;
		all.delivered += counts[i].delivered;
	}
	return all;
}

static void test_in_order(void **state)
{
	struct world world;

	(void)state;
	begin(&world, "loss=0");
	assert_true(impairment_is_empty(world.line));
	assert_int_equal(impairment_wakes(world.line), 0);
	for (unsigned int i = 0; i < 10; i++)
		put(&world, 100, i, 64);
	assert_false(impairment_is_empty(world.line));
	assert_int_equal(impairment_wakes(world.line), 100);
	for (int i = 0; i < 10; i++)
		assert_int_equal(get(&world, 100), i);
	assert_int_equal(get(&world, UINT64_MAX), -1);
	assert_int_equal(sum(&world).packets, 10);
	assert_int_equal(sum(&world).octets, 640);
	assert_int_equal(sum(&world).delivered, 10);
	impairment_free(world.line);
	assert_int_equal(world.dropped, 0);
}

static void test_delay(void **state)
{
	struct world world;

	(void)state;
	begin(&world, "delay=50us");
	put(&world, 1000, 0, 64);
	put(&world, 2000, 1, 64);
	assert_int_equal(impairment_wakes(world.line), 51000);
	assert_int_equal(get(&world, 50999), -1);
	assert_int_equal(get(&world, 51000), 0);
	assert_int_equal(get(&world, 51000), -1);
	assert_int_equal(impairment_wakes(world.line), 52000);
	assert_int_equal(get(&world, 60000), 1);
	impairment_free(world.line);
}

/* Who is late by less overtakes, and nobody gets lost. */
static void test_jitter(void **state)
{
	uint64_t now = 0, overtaken = 0;
	unsigned char seen[LIMIT] = { 0 };
	struct world world;
	int last = -1, number;

	(void)state;
	begin(&world, "delay=50us jitter=50us seed=3");
	for (unsigned int i = 0; i < LIMIT; i++)
		put(&world, i * 1000, i, 64);
	while (!impairment_is_empty(world.line)) {
		assert_true(impairment_wakes(world.line) >= now);
		now = impairment_wakes(world.line);
		assert_int_equal(get(&world, now - 1), -1);
		number = get(&world, now);
		assert_in_range(number, 0, LIMIT - 1);
		assert_false(seen[number]++);
		overtaken += number < last;
		last = number;
	}
	for (unsigned int i = 0; i < LIMIT; i++)
		assert_int_equal(seen[i], 1);
	assert_true(overtaken > 5);
	impairment_free(world.line);
}

/* 1 Gbit: 1000 bytes take 8 us; a pause is not saved up. */
static void test_rate(void **state)
{
	struct world world;

	(void)state;
	begin(&world, "rate=1Gbit delay=1us");
	put(&world, 0, 0, 1000);
	put(&world, 0, 1, 1000);
	put(&world, 100000, 2, 1000);
	assert_int_equal(get(&world, 8999), -1);
	assert_int_equal(get(&world, 9000), 0);
	assert_int_equal(get(&world, 16999), -1);
	assert_int_equal(get(&world, 17000), 1);
	assert_int_equal(get(&world, 108999), -1);
	assert_int_equal(get(&world, 109000), 2);
	impairment_free(world.line);
}

static void test_loss(void **state)
{
	struct impairment_event event[4];
	struct world world;
	uint64_t all;

	(void)state;
	begin(&world, "loss=100% dup=100%");
	for (unsigned int i = 0; i < 6; i++)
		put(&world, 7, i, 10);
	assert_int_equal(world.dropped, 6);
	assert_int_equal(world.copied, 0);
	assert_int_equal(get(&world, UINT64_MAX), -1);
	assert_int_equal(sum(&world).lost, 6);
	assert_int_equal(sum(&world).doubled, 0);
	assert_int_equal(sum(&world).delivered, 0);
	/* The last four, the oldest of them first. */
	assert_int_equal(impairment_get_log(world.line, event, 4, &all), 4);
	assert_int_equal(all, 6);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(event[i].number, i + 2);
		assert_int_equal(event[i].label.sequence, i + 2);
		assert_int_equal(event[i].label.kind, i % 2);
		assert_int_equal(event[i].now, 7);
		assert_int_equal(event[i].length, 10);
		assert_int_equal(event[i].what, IMPAIRMENT_LOST);
	}
	impairment_free(world.line);
}

static void test_dup(void **state)
{
	struct world world;

	(void)state;
	begin(&world, "dup=100%");
	for (unsigned int i = 0; i < 3; i++)
		put(&world, 0, i, 10);
	for (int i = 0; i < 6; i++)
		assert_int_equal(get(&world, 0), i / 2);
	assert_int_equal(sum(&world).packets, 3);
	assert_int_equal(sum(&world).doubled, 3);
	assert_int_equal(sum(&world).delivered, 6);
	impairment_free(world.line);
}

/* The copy of one that is out of order is in order. */
static void test_dup_and_reorder(void **state)
{
	struct world world;

	(void)state;
	begin(&world, "dup=100% reorder=100%");
	put(&world, 0, 0, 10);
	assert_int_equal(get(&world, 0), 0);
	assert_int_equal(get(&world, IMPAIRMENT_HOLD_NS), 0);
	assert_int_equal(get(&world, UINT64_MAX), -1);
	impairment_free(world.line);
}

static void test_no_room_for_a_copy(void **state)
{
	struct impairment_event event[1];
	struct world world;
	uint64_t all;

	(void)state;
	begin(&world, "dup=100%");
	world.no_copies = true;
	put(&world, 0, 0, 10);
	assert_int_equal(get(&world, 0), 0);
	assert_int_equal(get(&world, 0), -1);
	assert_int_equal(sum(&world).doubled, 0);
	assert_int_equal(sum(&world).overflow, 1);
	assert_int_equal(impairment_get_log(world.line, event, 1, &all), 1);
	assert_int_equal(event[0].what, IMPAIRMENT_OVERFLOW);
	impairment_free(world.line);
}

/* Each lets one to three pass, which do not wait for it; the last one is alone, and waits. */
static void test_reorder(void **state)
{
	struct impairment_spec spec = { .reorder = IMPAIRMENT_ALL / 5, .seed = 6 };
	int place[40], arrived = 0, number;
	unsigned int reordered = 0;
	struct world world;

	(void)state;
	begin(&world, "reorder=20% seed=6");
	memset(place, -1, sizeof(place));
	for (unsigned int i = 0; i < 40; i++) {
		put(&world, 0, i, 10);
		while ((number = get(&world, 0)) >= 0)
			place[number] = arrived++;
	}
	while ((number = get(&world, IMPAIRMENT_HOLD_NS)) >= 0)
		place[number] = arrived++;
	assert_int_equal(arrived, 40);
	for (int i = 0; i < 40; i++) {
		struct impairment_fate fate;
		int passed = 0;

		impairment_decide(&spec, (uint64_t)i, 10, &fate);
		reordered += fate.behind > 0;
		for (int j = i + 1; j < 40; j++)
			passed += place[j] < place[i];
		if (!fate.behind)
			assert_int_equal(passed, 0);
		else if (i < 30)
			/* Others that are late may be among them. */
			assert_in_range(passed, 1, 2 * IMPAIRMENT_BEHIND_MAX);
	}
	assert_true(reordered > 3);
	assert_int_equal(sum(&world).reordered, reordered);
	impairment_free(world.line);
}

static void test_reorder_without_followers(void **state)
{
	struct world world;

	(void)state;
	begin(&world, "reorder=100% delay=10us");
	put(&world, 1000, 0, 10);
	assert_false(impairment_is_empty(world.line));
	assert_int_equal(impairment_wakes(world.line), 11000 + IMPAIRMENT_HOLD_NS);
	assert_int_equal(get(&world, 11000 + IMPAIRMENT_HOLD_NS - 1), -1);
	assert_int_equal(get(&world, 11000 + IMPAIRMENT_HOLD_NS), 0);
	impairment_free(world.line);
}

/* Not more than 16 wait for others to pass: the next one is in order. */
static void test_reorder_limit(void **state)
{
	struct world world;

	(void)state;
	begin(&world, "reorder=100%");
	for (unsigned int i = 0; i < 16; i++)
		put(&world, 0, i, 10);
	assert_int_equal(get(&world, 0), -1);
	put(&world, 0, 16, 10);
	assert_int_equal(get(&world, 0), 16);
	assert_int_equal(sum(&world).reordered, 16);
	impairment_free(world.line);
	assert_true(world.dropped <= 16);
}

/* All that are held and all that wait are within the limit; then packets and copies are dropped. */
static void test_limit(void **state)
{
	struct world world;

	(void)state;
	begin(&world, "delay=1s reorder=50% seed=4");
	for (unsigned int i = 0; i < LIMIT; i++) {
		assert_false(impairment_is_full(world.line));
		put(&world, 0, i, 10);
	}
	assert_true(impairment_is_full(world.line));
	assert_int_equal(sum(&world).overflow, 0);
	put(&world, 0, LIMIT, 10);
	assert_int_equal(sum(&world).overflow, 1);
	assert_int_equal(world.dropped, 1);
	assert_true(get(&world, 2000000000) >= 0);
	assert_false(impairment_is_full(world.line));
	impairment_free(world.line);
	/* With what waited at the end. */
	assert_int_equal(world.dropped, LIMIT);
}

static void test_copies_at_the_limit(void **state)
{
	struct world world;

	(void)state;
	begin(&world, "delay=1s dup=100%");
	for (unsigned int i = 0; i < LIMIT / 2; i++)
		put(&world, 0, i, 10);
	assert_true(impairment_is_full(world.line));
	assert_int_equal(get(&world, 1000000000), 0);
	put(&world, 0, 99, 10);
	assert_int_equal(sum(&world).doubled, LIMIT / 2);
	assert_int_equal(sum(&world).overflow, 1);
	impairment_free(world.line);
}

static void test_no_limit(void **state)
{
	struct impairment_spec spec = { 0 };

	(void)state;
	errno = 0;
	assert_null(impairment_new(&spec, 0, &ops, NULL));
	assert_int_equal(errno, EINVAL);
	errno = 0;
	assert_null(impairment_new(&spec, (1u << 20) + 1, &ops, NULL));
	assert_int_equal(errno, EINVAL);
}

static void test_marks_and_damage(void **state)
{
	struct impairment_arrival arrival;
	struct world world;

	(void)state;
	begin(&world, "ecn=100% biterror=1");
	put(&world, 0, 0, 10);
	assert_true(impairment_get(world.line, 0, &arrival));
	assert_true(arrival.marked);
	assert_true(arrival.damaged);
	assert_true(arrival.bit < 80);
	assert_int_equal(arrival.length, 10);
	assert_int_equal(sum(&world).marked, 1);
	assert_int_equal(sum(&world).damaged, 1);
	free(arrival.packet);
	impairment_free(world.line);
}

/* What waits keeps its time; numbers, counters and log begin anew. */
static void test_another_spec(void **state)
{
	struct impairment_spec spec = { .loss = IMPAIRMENT_ALL, .seed = 9 }, now;
	struct impairment_event event[2];
	struct world world;
	uint64_t all;

	(void)state;
	begin(&world, "delay=1us dup=100%");
	put(&world, 0, 0, 10);
	assert_true(impairment_get_spec(world.line, &now));
	assert_int_equal(now.dup, IMPAIRMENT_ALL);
	impairment_set(world.line, &spec);
	assert_true(impairment_get_spec(world.line, &now));
	assert_memory_equal(&now, &spec, sizeof(spec));
	put(&world, 0, 1, 10);
	assert_int_equal(impairment_get_log(world.line, event, 2, &all), 1);
	assert_int_equal(event[0].number, 0);
	assert_int_equal(event[0].what, IMPAIRMENT_LOST);
	assert_int_equal(sum(&world).packets, 1);
	assert_int_equal(get(&world, 999), -1);
	assert_int_equal(get(&world, 1000), 0);
	impairment_free(world.line);
}

static void test_off(void **state)
{
	struct impairment_spec spec;
	struct world world;
	bool seen[3] = { false };

	(void)state;
	begin(&world, "delay=1s reorder=50% seed=5");
	for (unsigned int i = 0; i < 3; i++)
		put(&world, 0, i, 10);
	assert_int_equal(get(&world, 0), -1);
	impairment_set(world.line, NULL);
	assert_false(impairment_get_spec(world.line, &spec));
	for (unsigned int i = 0; i < 3; i++) {
		int number = get(&world, 0);

		assert_in_range(number, 0, 2);
		assert_false(seen[number]);
		seen[number] = true;
	}
	assert_true(impairment_is_empty(world.line));
	put(&world, 0, 4, 10);
	assert_int_equal(get(&world, 0), 4);
	impairment_free(world.line);
}

/* The same packets at other times: the same log, but for the times. */
static void test_replay(void **state)
{
	struct impairment_event first[LIMIT], second[LIMIT];
	unsigned int events, again;
	struct world world;
	uint64_t all;

	(void)state;
	begin(&world, "loss=10% dup=10% reorder=10% ecn=10% seed=77");
	for (unsigned int i = 0; i < LIMIT / 2; i++)
		put(&world, 0, i, 100);
	events = impairment_get_log(world.line, first, LIMIT, &all);
	impairment_free(world.line);
	begin(&world, "loss=10% dup=10% reorder=10% ecn=10% seed=77");
	for (unsigned int i = 0; i < LIMIT / 2; i++) {
		put(&world, i * 1000000, i, 100);
		while (get(&world, i * 1000000) >= 0)
			;
	}
	again = impairment_get_log(world.line, second, LIMIT, &all);
	impairment_free(world.line);
	assert_true(events > 3);
	assert_int_equal(events, again);
	for (unsigned int i = 0; i < events; i++) {
		assert_int_equal(first[i].number, second[i].number);
		assert_int_equal(first[i].what, second[i].what);
	}
}

static void test_log_is_bounded(void **state)
{
	static struct impairment_event event[IMPAIRMENT_LOG + 1];
	struct world world;
	uint64_t all;

	(void)state;
	begin(&world, "loss=100%");
	for (unsigned int i = 0; i < IMPAIRMENT_LOG + 5; i++)
		put(&world, 0, i, 1);
	assert_int_equal(impairment_get_log(world.line, event, IMPAIRMENT_LOG + 1, &all),
			 IMPAIRMENT_LOG);
	assert_int_equal(all, IMPAIRMENT_LOG + 5);
	assert_int_equal(event[0].number, 5);
	assert_int_equal(event[IMPAIRMENT_LOG - 1].number, IMPAIRMENT_LOG + 4);
	impairment_free(world.line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_delay),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_dup),
		cmocka_unit_test(test_dup_and_reorder),
		cmocka_unit_test(test_no_room_for_a_copy),
		cmocka_unit_test(test_reorder),
		cmocka_unit_test(test_reorder_without_followers),
		cmocka_unit_test(test_reorder_limit),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_copies_at_the_limit),
		cmocka_unit_test(test_no_limit),
		cmocka_unit_test(test_marks_and_damage),
		cmocka_unit_test(test_another_spec),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_replay),
		cmocka_unit_test(test_log_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
