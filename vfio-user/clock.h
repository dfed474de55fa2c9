/* SPDX-License-Identifier: GPL-2.0-only */
/* The clock that all waits are measured by: CLOCK_MONOTONIC, in nanoseconds. */
#ifndef VFIO_USER_CLOCK_H
#define VFIO_USER_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "base/clock.h"

#define VFIO_USER_SECOND UINT64_C(1000000000)
#define VFIO_USER_MS	 UINT64_C(1000000)

static inline uint64_t vfio_user_now(void)
{
	return clock_now_ns();
}

static inline struct timespec vfio_user_timespec(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / VFIO_USER_SECOND),
				  .tv_nsec = (long)(ns % VFIO_USER_SECOND) };
}

#endif
