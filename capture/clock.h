/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One clock for all captures of a process. Models, and the trace of TLPs, count time by
 * CLOCK_MONOTONIC; a capture has the time of the day, CLOCK_REALTIME. The difference is taken once,
 * at the start, so that what is in two files of one process is in order by either clock, also when
 * somebody sets the time of the day meanwhile.
 */
#ifndef CAPTURE_CLOCK_H
#define CAPTURE_CLOCK_H

#include <stdint.h>

/*
 * What CLOCK_REALTIME was ahead of CLOCK_MONOTONIC when this was first called, in nanoseconds,
 * modulo 2^64. Safe from any thread.
 */
uint64_t capture_clock_offset(void);

#endif
