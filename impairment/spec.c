/* SPDX-License-Identifier: GPL-2.0-only */
#include "impairment/spec.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DIGITS	    15u /* of a number, so that it can be multiplied */
#define EXPONENT    18u
#define SHOWN	    32 /* bytes of a word in a message */
#define PERCENT_LOG 2u
/* Of a percent: the smallest part that is shown. */
#define SHOWN_PARTS ((uint64_t)1000000000000)

typedef unsigned __int128 wide;

/* A decimal number: digits * 10^-scale. */
struct decimal {
	uint64_t digits;
	unsigned int scale;
};

static const struct unit {
	const char *name;
	uint64_t factor;
} times[] = { { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 }, { NULL, 0 } },
  rates[] = {
	  { "bit", 1 }, { "kbit", 1000 }, { "Mbit", 1000000 }, { "Gbit", 1000000000 }, { NULL, 0 }
  };

static wide power_of_ten(unsigned int exponent)
{
	wide power = 1;

	while (exponent--)
		power *= 10;
	return power;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits, a point among them, and an exponent that is not positive. NULL: it is none. */
static const char *take_decimal(const char *text, struct decimal *number)
{
	unsigned int digits = 0, exponent = 0;
	bool point = false;

	*number = (struct decimal){ 0 };
	for (; is_digit(*text) || (*text == '.' && !point); text++) {
		if (*text == '.') {
			point = true;
			continue;
		}
		if (++digits > DIGITS)
			return NULL;
		number->digits = number->digits * 10 + (uint64_t)(*text - '0');
		number->scale += point;
	}
	if (!digits || text[-1] == '.')
		return NULL;
	if (text[0] != 'e')
		return text;
	if (text[1] != '-' || !is_digit(text[2]))
		return NULL;
	for (text += 2; is_digit(*text); text++) {
		exponent = exponent * 10 + (unsigned int)(*text - '0');
		if (exponent > EXPONENT)
			return NULL;
	}
	number->scale += exponent;
	return text;
}

/* Why @text is no share, or NULL. */
static const char *parse_share(const char *text, uint64_t *share)
{
	struct decimal number;
	const char *end = take_decimal(text, &number);
	wide all;

	if (!end || (*end && strcmp(end, "%")))
		return "a share is like 0.1%, 0.001 or 1e-3";
	if (*end)
		number.scale += PERCENT_LOG;
	all = power_of_ten(number.scale);
	if (number.digits > all)
		return "a share is at most 100%";
	*share = (uint64_t)(number.digits * (wide)IMPAIRMENT_ALL / all);
	return number.digits && !*share ? "a share is 0, or not below 1.2e-16" : NULL;
}

static bool parse_with_unit(const char *text, const struct unit *unit, uint64_t max,
			    uint64_t *value)
{
	struct decimal number;
	const char *end = take_decimal(text, &number);
	wide result;

	if (!end)
		return false;
	for (; unit->name; unit++) {
		if (strcmp(end, unit->name))
			continue;
		result = (wide)number.digits * unit->factor / power_of_ten(number.scale);
		if (result > max)
			return false;
		*value = (uint64_t)result;
		return true;
	}
	return false;
}

static const char *parse_time(const char *text, uint64_t *ns)
{
	return parse_with_unit(text, times, IMPAIRMENT_DELAY_MAX, ns)
		       ? NULL
		       : "a time is like 50us, with ns, us, ms or s, at most 10s";
}

static const char *parse_rate(const char *text, uint64_t *rate)
{
	return parse_with_unit(text, rates, IMPAIRMENT_RATE_MAX, rate) &&
			       *rate >= IMPAIRMENT_RATE_MIN
		       ? NULL
		       : "a rate is like 1Gbit, with bit, kbit, Mbit or Gbit, 1kbit to 1000Gbit";
}

static const char *parse_seed(const char *text, uint64_t *seed)
{
	const char *cause = "a seed is a whole number below 2^64";
	uint64_t number = 0;

	if (!*text)
		return cause;
	for (; *text; text++) {
		uint64_t digit = (uint64_t)(*text - '0');

		if (!is_digit(*text) || number > (UINT64_MAX - digit) / 10)
			return cause;
		number = number * 10 + digit;
	}
	*seed = number;
	return NULL;
}

/* Why the word is wrong, or NULL. */
static const char *take_word(struct impairment_spec *spec, const char *key, size_t length,
			     const char *value)
{
	const struct {
		const char *key;
		const char *(*parse)(const char *text, uint64_t *value);
		uint64_t *value;
	} keys[] = {
		{ "loss", parse_share, &spec->loss },
		{ "dup", parse_share, &spec->dup },
		{ "reorder", parse_share, &spec->reorder },
		{ "ecn", parse_share, &spec->ecn },
		{ "biterror", parse_share, &spec->biterror },
		{ "delay", parse_time, &spec->delay_ns },
		{ "jitter", parse_time, &spec->jitter_ns },
		{ "rate", parse_rate, &spec->rate },
		{ "seed", parse_seed, &spec->seed },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strlen(keys[i].key) == length && !strncmp(keys[i].key, key, length))
			return keys[i].parse(value, keys[i].value);
	return "it is loss, dup, reorder, ecn, biterror, delay, jitter, rate or seed";
}

static int complain(char message[IMPAIRMENT_TEXT], const char *word, const char *cause)
{
	char shown[SHOWN + 4];
	size_t i;

	for (i = 0; word[i] && i < SHOWN; i++)
		shown[i] = word[i] < ' ' || word[i] > '~' ? '?' : word[i];
	strcpy(shown + i, word[i] ? "..." : "");
	snprintf(message, IMPAIRMENT_TEXT, "%s: %s", shown, cause);
	return -EINVAL;
}

int impairment_parse(const char *text, struct impairment_spec *spec, char message[IMPAIRMENT_TEXT])
{
	struct impairment_spec parsed = { .seed = 1 };
	char copy[IMPAIRMENT_TEXT], *save = NULL, *word;

	if (strlen(text) >= sizeof(copy))
		return complain(message, text, "it has more than 255 bytes");
	strcpy(copy, text);
	word = strtok_r(copy, " +", &save);
	if (!word)
		return complain(message, text, "it names nothing, as loss=1% would");
	for (; word; word = strtok_r(NULL, " +", &save)) {
		char *value = strchr(word, '=');
		const char *cause = "no value";

		if (value)
			cause = take_word(&parsed, word, (size_t)(value - word), value + 1);
		if (cause)
			return complain(message, word, cause);
	}
	if (parsed.jitter_ns > parsed.delay_ns)
		return complain(message, "jitter", "it is more than the delay");
	*spec = parsed;
	return 0;
}

/* --- back ------------------------------------------------------------------------------------ */

static void add(char text[IMPAIRMENT_TEXT], const char *key, const char *value)
{
	size_t used = strlen(text);

	snprintf(text + used, IMPAIRMENT_TEXT - used, "%s%s=%s", used ? " " : "", key, value);
}

/* Twelve digits behind the point say each share that can be told from its neighbours by hand. */
static void add_share(char text[IMPAIRMENT_TEXT], const char *key, uint64_t share)
{
	uint64_t digits =
		(uint64_t)(((wide)share * 100 * SHOWN_PARTS + IMPAIRMENT_ALL / 2) / IMPAIRMENT_ALL);
	char value[40];
	size_t end;

	if (!share)
		return;
	snprintf(value, sizeof(value), "%" PRIu64 ".%012" PRIu64, digits / SHOWN_PARTS,
		 digits % SHOWN_PARTS);
	for (end = strlen(value); value[end - 1] == '0'; end--)
		;
	if (value[end - 1] == '.')
		end--;
	strcpy(value + end, "%");
	add(text, key, value);
}

static void add_number(char text[IMPAIRMENT_TEXT], const char *key, uint64_t number,
		       const struct unit *unit)
{
	char value[40];

	while (unit[1].name && number && number % unit[1].factor == 0)
		unit++;
	snprintf(value, sizeof(value), "%" PRIu64 "%s", number / unit->factor, unit->name);
	if (number)
		add(text, key, value);
}

void impairment_print(const struct impairment_spec *spec, char text[IMPAIRMENT_TEXT])
{
	char seed[24];

	*text = '\0';
	add_share(text, "loss", spec->loss);
	add_share(text, "dup", spec->dup);
	add_share(text, "reorder", spec->reorder);
	add_share(text, "ecn", spec->ecn);
	add_share(text, "biterror", spec->biterror);
	add_number(text, "delay", spec->delay_ns, times);
	add_number(text, "jitter", spec->jitter_ns, times);
	add_number(text, "rate", spec->rate, rates);
	snprintf(seed, sizeof(seed), "%" PRIu64, spec->seed);
	add(text, "seed", seed);
}
