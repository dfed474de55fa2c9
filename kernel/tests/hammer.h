/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads that run against each other for a time: each repeats its step until the time is over or a
 * check has failed.
 */
#ifndef KERNEL_TESTS_HAMMER_H
#define KERNEL_TESTS_HAMMER_H

#include <stdbool.h>
#include <stdint.h>

#include "ktap.h"

#define HAMMER_WORKERS 16u

struct hammer_worker {
	const char *name;
	/* One round. @seed is the worker's own, for hammer_random(). */
	void (*step)(void *arg, uint64_t *seed);
	void *arg;
	/* Has it seen what it is for? NULL: one round is enough. */
	bool (*enough)(void *arg);
};

/*
 * Runs all workers for @seconds, longer when one of them has not seen enough, on a slow kernel
 * above all, and prints how many rounds each did. Fails the running case when it still has not
 * after 40 times as long.
 */
void hammer(unsigned int seconds, const struct hammer_worker *worker, unsigned int count);
/* Ends the run early. */
void hammer_stop(void);
/* For a step that waits. */
bool hammer_stopped(void);
/* 0 <= result < @limit */
uint32_t hammer_random(uint64_t *seed, uint32_t limit);
/*
 * Seconds for a case: @quick, or with TPH_FULL=1 in the environment as many as TPH_SECONDS says (60
 * without).
 */
unsigned int hammer_seconds(unsigned int quick);
bool hammer_full(void);

/* As CHECK and CHECK_EQUAL in a step: one failure is enough, it ends the run. */
#define HAMMER_CHECK(condition)	    hammer_checked(CHECK(condition))
#define HAMMER_EQUAL(expected, got) hammer_checked(CHECK_EQUAL(expected, got))
bool hammer_checked(bool ok);

#endif
