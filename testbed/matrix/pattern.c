// SPDX-License-Identifier: GPL-2.0-only
/* See pattern.h. */
#include "pattern.h"

/*
 * 2^64 divided by the golden ratio, odd: multiplication by it is one to one, and spreads bits
 * upwards; the shift brings them down again. Twice, so that every byte depends on every bit of the
 * place.
 */
#define SPREAD 0x9e3779b97f4a7c15ull

static uint64_t word(uint64_t seed, uint64_t place)
{
	uint64_t value = (seed + place) * SPREAD;

	value = (value ^ value >> 32) * SPREAD;
	return value ^ value >> 32;
}

uint64_t pattern_seed(uint64_t number)
{
	return word(word(0, number + 1), number);
}

void pattern_fill(volatile uint64_t *at, uint64_t seed, uint64_t first, size_t words)
{
	for (size_t i = 0; i < words; i++)
		at[i] = word(seed, first + i);
}

uint64_t pattern_differ(const volatile uint64_t *at, uint64_t seed, uint64_t first, size_t words)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < words; i++) {
		for (uint64_t wrong = at[i] ^ word(seed, first + i); wrong; wrong >>= 8)
			bytes += !!(wrong & 0xff);
	}
	return bytes;
}
