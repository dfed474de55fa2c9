/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a link does to its packets, as a person writes it: words "KEY=VALUE", separated by spaces or
 * plus signs.
 *
 *     loss=P  dup=P  reorder=P  ecn=P     shares of the packets
 *     biterror=P                          of the bits
 *     delay=T  jitter=T                   each packet is late by T, give or take the jitter
 *     rate=R                              bits each second
 *     seed=N
 *
 * P: 0.1%, 0.001 or 1e-3. T: with ns, us, ms or s. R: with bit, kbit, Mbit or Gbit.
 */
#ifndef IMPAIRMENT_SPEC_H
#define IMPAIRMENT_SPEC_H

#include <stddef.h>
#include <stdint.h>

/* A share of all: they are whole numbers, so that a seed gives the same everywhere. */
#define IMPAIRMENT_ALL (1ull << 53)

#define IMPAIRMENT_DELAY_MAX 10000000000ull   /* ns: 10 s */
#define IMPAIRMENT_RATE_MIN  1000ull	      /* bits each second */
#define IMPAIRMENT_RATE_MAX  1000000000000ull /* 1000 Gbit */

/* Room for what impairment_print() writes, and for a message of impairment_parse(). */
#define IMPAIRMENT_TEXT 256

struct impairment_spec {
	uint64_t loss, dup, reorder, ecn; /* of the packets, in parts of IMPAIRMENT_ALL */
	uint64_t biterror;		  /* of the bits */
	uint64_t delay_ns, jitter_ns;	  /* jitter is not above delay */
	uint64_t rate;			  /* bits each second, 0: no bound */
	uint64_t seed;
};

/*
 * impairment_parse() - @text into *@spec; what it does not name is 0, the seed 1. Returns 0, or
 * -EINVAL: @message names the word and the cause, and *@spec is as it was.
 */
int impairment_parse(const char *text, struct impairment_spec *spec, char message[IMPAIRMENT_TEXT]);
/* @spec in the same language: parsed again it is the same, but for shares beyond 12 digits. */
void impairment_print(const struct impairment_spec *spec, char text[IMPAIRMENT_TEXT]);

#endif
