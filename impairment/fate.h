/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What becomes of a packet. It follows from the seed, the packet's number on its link, its length
 * and the spec, and from nothing else: not from a clock, not from the packets before. So who knows
 * a packet's number knows its fate, and a run is replayed by its seed.
 */
#ifndef IMPAIRMENT_FATE_H
#define IMPAIRMENT_FATE_H

#include <stdbool.h>

#include "impairment/spec.h"

/* A packet that is out of order lets so many pass, at most. */
#define IMPAIRMENT_BEHIND_MAX 3u

struct impairment_fate {
	bool lost;	 /* then the rest is 0 */
	bool doubled;	 /* it comes twice */
	bool marked;	 /* a switch on its way is congested */
	bool damaged;	 /* one bit or more is wrong */
	uint64_t bit;	 /* the first that is: byte bit / 8, value 1 << bit % 8 */
	uint32_t behind; /* it comes behind so many of those that follow it; 0: in order */
	uint64_t delay_ns;
};

/* @number: counts from 0. @length: bytes of the packet on its link. */
void impairment_decide(const struct impairment_spec *spec, uint64_t number, size_t length,
		       struct impairment_fate *fate);

#endif
