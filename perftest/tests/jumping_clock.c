// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lets the first calls of gettimeofday(2), as many as the environment's JUMPS says, jump by up to
 * 20 milliseconds, so that no regression of the CPU's cycles over that time comes out. Preloaded to
 * a program of perftest.
 */
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	static long left = -1;
	struct timespec now;
	long usec;

	(void)tz;
	if (left < 0) {
		const char *jumps = getenv("JUMPS");

		left = jumps ? atol(jumps) : 0;
	}
	if (clock_gettime(CLOCK_REALTIME, &now))
		return -1;
	usec = now.tv_nsec / 1000;
	if (left) {
		left--;
		usec += random() % 20000;
	}
	tv->tv_sec = now.tv_sec + usec / 1000000;
	tv->tv_usec = usec % 1000000;
	return 0;
}
