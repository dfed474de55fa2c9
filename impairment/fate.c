/* SPDX-License-Identifier: GPL-2.0-only */
#include "impairment/fate.h"

#define SHARE_BITS 53u
#define BITS	   8u /* of a byte */

typedef unsigned __int128 wide;

/* Each question has draws of its own: a spec that asks one more changes nothing for the others. */
enum question { LOSS, DUP, REORDER, ECN, BITERROR, JITTER, BEHIND, WHICH_BIT, QUESTIONS };

/* The finalizer of splitmix64: a function of 64 bits onto 64 bits, all of which matter. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static uint64_t draw(const struct impairment_spec *spec, uint64_t number, enum question question)
{
	return mix(mix(spec->seed) ^ mix(number * QUESTIONS + question));
}

static bool happens(const struct impairment_spec *spec, uint64_t number, enum question question,
		    uint64_t share)
{
	return share && draw(spec, number, question) >> (64 - SHARE_BITS) < share;
}

/* 0 .. @n - 1 */
static uint64_t below(const struct impairment_spec *spec, uint64_t number, enum question question,
		      uint64_t n)
{
	return (uint64_t)((wide)draw(spec, number, question) * n >> 64);
}

/* Of packets of @bits that have a wrong one: 1 - (1 - @share)^@bits, in whole numbers. */
static uint64_t damaged(uint64_t share, uint64_t bits)
{
	wide right = IMPAIRMENT_ALL - share, all = IMPAIRMENT_ALL;

	for (; bits; bits >>= 1) {
		if (bits & 1)
			all = all * right >> SHARE_BITS;
		right = right * right >> SHARE_BITS;
	}
	return IMPAIRMENT_ALL - (uint64_t)all;
}

void impairment_decide(const struct impairment_spec *spec, uint64_t number, size_t length,
		       struct impairment_fate *fate)
{
	uint64_t bits = (uint64_t)length * BITS;

	*fate = (struct impairment_fate){ .lost = happens(spec, number, LOSS, spec->loss) };
	if (fate->lost)
		return;
	fate->doubled = happens(spec, number, DUP, spec->dup);
	fate->marked = happens(spec, number, ECN, spec->ecn);
	if (happens(spec, number, REORDER, spec->reorder))
		fate->behind = 1 + (uint32_t)below(spec, number, BEHIND, IMPAIRMENT_BEHIND_MAX);
	fate->damaged = spec->biterror && bits &&
			happens(spec, number, BITERROR, damaged(spec->biterror, bits));
	if (fate->damaged)
		fate->bit = below(spec, number, WHICH_BIT, bits);
	fate->delay_ns = spec->delay_ns - spec->jitter_ns;
	if (spec->jitter_ns)
		fate->delay_ns += below(spec, number, JITTER, 2 * spec->jitter_ns + 1);
}
