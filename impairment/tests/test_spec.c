/* SPDX-License-Identifier: GPL-2.0-only */
#include "impairment/spec.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PERCENT(x) ((uint64_t)((unsigned __int128)IMPAIRMENT_ALL * (x) / 100))

static struct impairment_spec parse(const char *text)
{
	char message[IMPAIRMENT_TEXT] = "";
	struct impairment_spec spec;

	assert_int_equal(impairment_parse(text, &spec, message), 0);
	assert_string_equal(message, "");
	return spec;
}

static void refuse(const char *text, const char *cause)
{
	struct impairment_spec spec, before;
	char message[IMPAIRMENT_TEXT];

	memset(&spec, 0x5a, sizeof(spec));
	before = spec;
	assert_int_equal(impairment_parse(text, &spec, message), -EINVAL);
	assert_string_equal(message, cause);
	assert_memory_equal(&spec, &before, sizeof(spec));
}

static void test_all_words(void **state)
{
	struct impairment_spec spec = parse("loss=0.1% dup=1% reorder=2% delay=50us jitter=10us "
					    "rate=1Gbit biterror=1e-6 ecn=100% seed=42");

	(void)state;
	assert_int_equal(spec.loss, IMPAIRMENT_ALL / 1000);
	assert_int_equal(spec.dup, PERCENT(1));
	assert_int_equal(spec.reorder, PERCENT(2));
	assert_int_equal(spec.ecn, IMPAIRMENT_ALL);
	assert_int_equal(spec.biterror, IMPAIRMENT_ALL / 1000000);
	assert_int_equal(spec.delay_ns, 50000);
	assert_int_equal(spec.jitter_ns, 10000);
	assert_int_equal(spec.rate, 1000000000);
	assert_int_equal(spec.seed, 42);
}

static void test_what_is_not_named(void **state)
{
	struct impairment_spec spec = parse("loss=0"), none = { .seed = 1 };

	(void)state;
	assert_memory_equal(&spec, &none, sizeof(spec));
}

static void test_ways_to_write(void **state)
{
	(void)state;
	assert_int_equal(parse("loss=0.5").loss, IMPAIRMENT_ALL / 2);
	assert_int_equal(parse("loss=.5").loss, IMPAIRMENT_ALL / 2);
	assert_int_equal(parse("loss=5e-1").loss, IMPAIRMENT_ALL / 2);
	assert_int_equal(parse("loss=50%").loss, IMPAIRMENT_ALL / 2);
	assert_int_equal(parse("loss=1").loss, IMPAIRMENT_ALL);
	assert_int_equal(parse("+loss=50%++dup=25% ").dup, IMPAIRMENT_ALL / 4);
	assert_int_equal(parse("loss=50%+dup=25%").loss, IMPAIRMENT_ALL / 2);
	assert_int_equal(parse("delay=1.5ms").delay_ns, 1500000);
	assert_int_equal(parse("delay=10s").delay_ns, IMPAIRMENT_DELAY_MAX);
	assert_int_equal(parse("delay=7ns").delay_ns, 7);
	assert_int_equal(parse("rate=2.5Gbit").rate, 2500000000u);
	assert_int_equal(parse("rate=100Mbit").rate, 100000000);
	assert_int_equal(parse("rate=1kbit").rate, IMPAIRMENT_RATE_MIN);
	assert_int_equal(parse("rate=1000Gbit").rate, IMPAIRMENT_RATE_MAX);
	assert_int_equal(parse("seed=18446744073709551615").seed, UINT64_MAX);
	/* The last one counts. */
	assert_int_equal(parse("seed=3 seed=4").seed, 4);
}

static void test_bad_words(void **state)
{
	static const char share[] = "a share is like 0.1%, 0.001 or 1e-3";
	static const char time[] = "a time is like 50us, with ns, us, ms or s, at most 10s";
	static const char rate[] =
		"a rate is like 1Gbit, with bit, kbit, Mbit or Gbit, 1kbit to 1000Gbit";
	static const char seed[] = "a seed is a whole number below 2^64";
	static const struct {
		const char *word, *cause;
	} bad[] = {
		{ "loss=", share },
		{ "loss=x", share },
		{ "loss=-1%", share },
		{ "loss=1.", share },
		{ "loss=.", share },
		{ "loss=1.2.3", share },
		{ "loss=1e3", share },
		{ "loss=1e-", share },
		{ "loss=1e-19", share },
		{ "loss=1%%", share },
		{ "loss=0.0000000000000001", share }, /* 17 digits */
		{ "loss=101%", "a share is at most 100%" },
		{ "loss=1.001", "a share is at most 100%" },
		{ "biterror=1e-17", "a share is 0, or not below 1.2e-16" },
		{ "delay=50", time },
		{ "delay=50u", time },
		{ "delay=10.1s", time },
		{ "delay=999999999999999s", time },
		{ "rate=1", rate },
		{ "rate=1gbit", rate },
		{ "rate=999bit", rate },
		{ "rate=1001Gbit", rate },
		{ "seed=", seed },
		{ "seed=-1", seed },
		{ "seed=0x10", seed },
		{ "seed=18446744073709551616", seed },
		{ "loss", "no value" },
		{ "los=1%",
		  "it is loss, dup, reorder, ecn, biterror, delay, jitter, rate or seed" },
		{ "=1", "it is loss, dup, reorder, ecn, biterror, delay, jitter, rate or seed" },
	};
	char text[IMPAIRMENT_TEXT], message[IMPAIRMENT_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(text, sizeof(text), "dup=1%% %s seed=2", bad[i].word);
		snprintf(message, sizeof(message), "%s: %s", bad[i].word, bad[i].cause);
		refuse(text, message);
	}
}

static void test_bad_wholes(void **state)
{
	char longest[IMPAIRMENT_TEXT + 1];

	(void)state;
	refuse("", ": it names nothing, as loss=1% would");
	refuse(" + ", " + : it names nothing, as loss=1% would");
	refuse("jitter=1us", "jitter: it is more than the delay");
	refuse("delay=1us jitter=2us", "jitter: it is more than the delay");
	/* What a terminal would obey is not said, and not more than a line. */
	refuse("lo\033s=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	       "lo?s=aaaaaaaaaaaaaaaaaaaaaaaaaaa...: "
	       "it is loss, dup, reorder, ecn, biterror, delay, jitter, rate or seed");
	memset(longest, '+', sizeof(longest));
	memcpy(longest, "seed=9", 6);
	longest[IMPAIRMENT_TEXT - 1] = '\0';
	assert_int_equal(parse(longest).seed, 9);
	longest[IMPAIRMENT_TEXT - 1] = '+';
	longest[IMPAIRMENT_TEXT] = '\0';
	refuse(longest, "seed=9++++++++++++++++++++++++++...: it has more than 255 bytes");
}

static void test_print(void **state)
{
	static const char *const texts[] = {
		"loss=0.1% dup=1% reorder=2% ecn=100% biterror=0.0001% delay=50us jitter=10us "
		"rate=1Gbit seed=42",
		"delay=1500us rate=2500Mbit seed=1",
		"biterror=0.000000000001% delay=3ns seed=18446744073709551615",
		"delay=10s seed=0",
	};
	char text[IMPAIRMENT_TEXT];
	struct impairment_spec spec;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		spec = parse(texts[i]);
		impairment_print(&spec, text);
		assert_string_equal(text, texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_words),     cmocka_unit_test(test_what_is_not_named),
		cmocka_unit_test(test_ways_to_write), cmocka_unit_test(test_bad_words),
		cmocka_unit_test(test_bad_wholes),    cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
