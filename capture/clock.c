/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/clock.h"

#include <pthread.h>
#include <time.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint64_t offset;

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Of two readings of one clock, the middle is when the other one was read. */
static void take(void)
{
	uint64_t before = read_clock(CLOCK_MONOTONIC), day = read_clock(CLOCK_REALTIME);
	uint64_t after = read_clock(CLOCK_MONOTONIC);

	offset = day - (before + (after - before) / 2);
}

uint64_t capture_clock_offset(void)
{
	pthread_once(&once, take);
	return offset;
}
