/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the engine rests when there is no work.
 *
 * Doorbells are not trapped, so they are polled. On a machine with a processor for each busy thread
 * the engine spins for a while. On a smaller one a spinning engine and a guest's processor that
 * polls wait for each other's time slice, so there it naps, shortly, and keeps out of the way; only
 * behind a stretch of work it looks again for a small part of that first.
 */
#ifndef EMULATOR_PACE_H
#define EMULATOR_PACE_H

#include <stdint.h>

enum pace { PACE_NAP, PACE_SPIN };

/* "nap" and "spin" */
extern const char *const pace_names[];

/*
 * pace_choose() - what suits @cpus processors, on which @guest_cpus virtual ones run beside the
 * engine and the main loop of QEMU. Zero @guest_cpus: not known, which is PACE_NAP.
 */
enum pace pace_choose(unsigned int cpus, unsigned int guest_cpus);
/* Processors that the calling thread may use; 1 when that cannot be learned. */
unsigned int pace_cpus(void);
/*
 * Nanoseconds to sleep after @idle_ns without work, which came behind @worked_ns of work without a
 * rest; 0: look again at once. At most PACE_REST_NS.
 */
uint64_t pace_rest(enum pace pace, uint64_t idle_ns, uint64_t worked_ns);
/*
 * pace_prepare() - short naps of the calling thread, and of threads that it starts from now on, are
 * as short as asked for, and a processor comes to them soon: timers without slack
 * (prctl(2), PR_SET_TIMERSLACK) and short time slices (sched(7); Linux 6.12, ignored before).
 * Needs no privilege. What the system refuses is left as it is.
 */
void pace_prepare(void);

#define PACE_REST_NS 4000000u

#endif
