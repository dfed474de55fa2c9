/* SPDX-License-Identifier: GPL-2.0-only */
/* Seeds are fixed, so each figure here is the same in each run; the bounds are for who changes one.
 */
#include "impairment/fate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PACKETS 200000u
#define LENGTH	1000u

struct tally {
	uint64_t lost, doubled, marked, reordered, damaged;
	uint64_t behind[IMPAIRMENT_BEHIND_MAX + 1];
	uint64_t least, most, sum; /* ns */
	uint64_t both;		   /* doubled and reordered */
};

static struct impairment_fate fate_of(const struct impairment_spec *spec, uint64_t number)
{
	struct impairment_fate fate;

	impairment_decide(spec, number, LENGTH, &fate);
	return fate;
}

static struct tally tally(const struct impairment_spec *spec)
{
	struct tally tally = { .least = UINT64_MAX };

	for (uint64_t i = 0; i < PACKETS; i++) {
		struct impairment_fate fate = fate_of(spec, i);

		tally.lost += fate.lost;
		tally.doubled += fate.doubled;
		tally.marked += fate.marked;
		tally.reordered += fate.behind > 0;
		tally.both += fate.doubled && fate.behind;
		tally.damaged += fate.damaged;
		assert_true(fate.behind <= IMPAIRMENT_BEHIND_MAX);
		tally.behind[fate.behind]++;
		if (tally.least > fate.delay_ns)
			tally.least = fate.delay_ns;
		if (tally.most < fate.delay_ns)
			tally.most = fate.delay_ns;
		tally.sum += fate.delay_ns;
		assert_true(fate.damaged ? fate.bit < 8 * LENGTH : !fate.bit);
	}
	return tally;
}

/* @count of PACKETS is @share, give or take a tenth of it. */
static void about(uint64_t count, double share)
{
	assert_true((double)count > share * PACKETS * 0.9);
	assert_true((double)count < share * PACKETS * 1.1);
}

static void test_nothing(void **state)
{
	struct impairment_spec spec = { .seed = 3 };
	struct tally all = tally(&spec);

	(void)state;
	assert_int_equal(all.lost + all.doubled + all.marked + all.reordered + all.damaged, 0);
	assert_int_equal(all.most, 0);
}

static void test_everything(void **state)
{
	struct impairment_spec spec = { .loss = IMPAIRMENT_ALL };

	(void)state;
	assert_int_equal(tally(&spec).lost, PACKETS);
	spec = (struct impairment_spec){ .dup = IMPAIRMENT_ALL,
					 .reorder = IMPAIRMENT_ALL,
					 .ecn = IMPAIRMENT_ALL,
					 .biterror = IMPAIRMENT_ALL };
	assert_int_equal(tally(&spec).doubled, PACKETS);
	assert_int_equal(tally(&spec).reordered, PACKETS);
	assert_int_equal(tally(&spec).marked, PACKETS);
	assert_int_equal(tally(&spec).damaged, PACKETS);
}

static void test_shares(void **state)
{
	char message[IMPAIRMENT_TEXT];
	struct impairment_spec spec;
	struct tally all;

	(void)state;
	impairment_parse("loss=5% dup=10% reorder=20% ecn=30% biterror=1e-5 seed=7", &spec,
			 message);
	all = tally(&spec);
	about(all.lost, 0.05);
	about(all.doubled, 0.95 * 0.1);
	about(all.reordered, 0.95 * 0.2);
	about(all.marked, 0.95 * 0.3);
	/* 1 - (1 - 1e-5)^8000 */
	about(all.damaged, 0.95 * 0.076884);
	/* One says nothing of another. */
	about(all.both, 0.95 * 0.1 * 0.2);
	for (unsigned int i = 1; i <= IMPAIRMENT_BEHIND_MAX; i++)
		about(all.behind[i], 0.95 * 0.2 / IMPAIRMENT_BEHIND_MAX);
}

static void test_a_small_share(void **state)
{
	char message[IMPAIRMENT_TEXT];
	struct impairment_spec spec;

	(void)state;
	impairment_parse("loss=0.1% seed=5", &spec, message);
	/* 200 are expected, and 14 are a standard deviation. */
	assert_in_range(tally(&spec).lost, 150, 250);
}

static void test_jitter(void **state)
{
	struct impairment_spec spec = { .delay_ns = 50000, .jitter_ns = 10000, .seed = 1 };
	struct tally all = tally(&spec);

	(void)state;
	assert_in_range(all.least, 40000, 40010);
	assert_in_range(all.most, 59990, 60000);
	assert_in_range(all.sum / PACKETS, 49900, 50100);
	spec.jitter_ns = 0;
	all = tally(&spec);
	assert_int_equal(all.least, 50000);
	assert_int_equal(all.most, 50000);
}

/* Losses come alone or together as chance has it: those behind a lost one are not special. */
static void test_losses_are_independent(void **state)
{
	struct impairment_spec spec = { .loss = IMPAIRMENT_ALL / 5, .seed = 11 };
	uint64_t pairs = 0;

	(void)state;
	for (uint64_t i = 0; i < PACKETS; i++)
		pairs += fate_of(&spec, i).lost && fate_of(&spec, i + 1).lost;
	about(pairs, 0.2 * 0.2);
}

static void test_replay(void **state)
{
	/* Written down: another machine, or another version, has to agree. */
	static const uint64_t lost[] = {
		26, 145, 257, 343, 385, 395, 424, 469, 516, 673, 812, 851
	};
	struct impairment_spec spec = { .loss = IMPAIRMENT_ALL / 100, .seed = 42 }, more;
	struct impairment_fate fate, again;
	unsigned int found = 0;

	(void)state;
	for (uint64_t i = 0; found < sizeof(lost) / sizeof(*lost); i++)
		if (fate_of(&spec, i).lost)
			assert_int_equal(i, lost[found++]);
	/* Backwards it is the same, and what else is asked for loses no other packet. */
	more = spec;
	more.dup = more.ecn = IMPAIRMENT_ALL / 2;
	more.delay_ns = more.jitter_ns = 1000;
	for (uint64_t i = 1000; i--;) {
		fate = fate_of(&more, i);
		again = fate_of(&more, i);
		assert_int_equal(fate.lost, again.lost);
		assert_int_equal(fate.doubled, again.doubled);
		assert_int_equal(fate.marked, again.marked);
		assert_int_equal(fate.delay_ns, again.delay_ns);
		assert_int_equal(fate.lost, fate_of(&spec, i).lost);
	}
}

static void test_seeds_differ(void **state)
{
	struct impairment_spec one = { .loss = IMPAIRMENT_ALL / 2, .seed = 1 },
			       two = { .loss = IMPAIRMENT_ALL / 2, .seed = 2 };
	uint64_t same = 0;

	(void)state;
	for (uint64_t i = 0; i < PACKETS; i++)
		same += fate_of(&one, i).lost == fate_of(&two, i).lost;
	about(same, 0.5);
}

/* Longer packets are damaged more often, empty ones never; each bit may be the first. */
static void test_bits(void **state)
{
	struct impairment_spec spec = { .biterror = IMPAIRMENT_ALL / 10000, .seed = 2 };
	uint64_t count[3] = { 0 }, halves[2] = { 0 };
	const size_t length[3] = { 0, 10, 4000 };

	(void)state;
	for (uint64_t i = 0; i < PACKETS; i++)
		for (unsigned int j = 0; j < 3; j++) {
			struct impairment_fate fate;

			impairment_decide(&spec, i, length[j], &fate);
			count[j] += fate.damaged;
			if (j == 2 && fate.damaged)
				halves[fate.bit >= 4 * length[j]]++;
		}
	assert_int_equal(count[0], 0);
	about(count[1], 0.0079683); /* 1 - (1 - 1e-4)^80 */
	about(count[2], 0.9592378);
	about(halves[0], 0.9592378 / 2);
	about(halves[1], 0.9592378 / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing), cmocka_unit_test(test_everything),
		cmocka_unit_test(test_shares),	cmocka_unit_test(test_a_small_share),
		cmocka_unit_test(test_jitter),	cmocka_unit_test(test_losses_are_independent),
		cmocka_unit_test(test_replay),	cmocka_unit_test(test_seeds_differ),
		cmocka_unit_test(test_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
