/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory with contents that tell where they belong: every 8-byte word depends on a seed and on its
 * place, so that bytes of another cell, of another place or of none are noticed.
 */
#ifndef MATRIX_PATTERN_H
#define MATRIX_PATTERN_H

#include <stddef.h>
#include <stdint.h>

#define PATTERN_WORD sizeof(uint64_t)

/* Seeds of different numbers are far from each other. */
uint64_t pattern_seed(uint64_t number);
/* Fills @words words at @at with those of @seed from place @first on. @at may be a BAR. */
void pattern_fill(volatile uint64_t *at, uint64_t seed, uint64_t first, size_t words);
/* How many bytes there are other ones. */
uint64_t pattern_differ(const volatile uint64_t *at, uint64_t seed, uint64_t first, size_t words);

#endif
