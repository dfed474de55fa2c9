/* SPDX-License-Identifier: GPL-2.0-only */
/* The clock of all models: what they wait for, and when what they trace has happened. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC, in nanoseconds. A function, so that a fuzzer can put its own time there. */
uint64_t clock_now_ns(void);

#endif
