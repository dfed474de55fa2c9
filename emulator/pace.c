/* SPDX-License-Identifier: GPL-2.0-only */
#include "emulator/pace.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * A nap costs about as much as it lasts, so the short ones are for when an answer is near. Who naps
 * more often than in 25 us or so, wake-up included, is so much of a burden to its processor that
 * the kernel moves what else runs there to the other ones, and not back while each rest is short:
 * two virtual processors then take turns of milliseconds on one.
 */
#define NEAR_NS	     100000u
#define NAP_NS	     13000u
#define SPIN_NS	     2000000u
#define SOON_NS	     2000000u
#define SOON_REST_NS 30000u
#define SLOWER_NS    1000000000u
#define SLOW_NS	     50000u
/* An idle guest: each look costs some 10 us, more where others want the processor. */
#define IDLE_NS	       10000000000u
#define SLOWER_REST_NS 1000000u
/* A guest that sends one message after the other has the next one ready within a microsecond. */
#define STREAM_PART    8u
#define STREAM_MOST_NS 5000u

#define SLICE_NS 100000u
/* Busy threads beside the guest's processors: the engine, and QEMU's main loop. */
#define OTHER_THREADS 2u

/* struct sched_attr of sched_setattr(2), as far as its first version goes. */
struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

const char *const pace_names[] = { [PACE_NAP] = "nap", [PACE_SPIN] = "spin" };

enum pace pace_choose(unsigned int cpus, unsigned int guest_cpus)
{
	return guest_cpus && cpus >= OTHER_THREADS && cpus - OTHER_THREADS >= guest_cpus ? PACE_SPIN
											 : PACE_NAP;
}

unsigned int pace_cpus(void)
{
	cpu_set_t set;

	/* An error, too, for more processors than a set has room for: to nap is never wrong. */
	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	return (unsigned int)CPU_COUNT(&set);
}

/* How long to look again at once, after so much work without a rest. */
static uint64_t stream_ns(uint64_t worked_ns)
{
	return worked_ns / STREAM_PART < STREAM_MOST_NS ? worked_ns / STREAM_PART : STREAM_MOST_NS;
}

uint64_t pace_rest(enum pace pace, uint64_t idle_ns, uint64_t worked_ns)
{
	if (!idle_ns || idle_ns < stream_ns(worked_ns))
		return 0;
	if (pace == PACE_SPIN && idle_ns < SPIN_NS)
		return 0;
	if (idle_ns < NEAR_NS)
		return NAP_NS;
	if (idle_ns < SOON_NS)
		return SOON_REST_NS;
	if (idle_ns < SLOWER_NS)
		return SLOW_NS;
	return idle_ns < IDLE_NS ? SLOWER_REST_NS : PACE_REST_NS;
}

void pace_prepare(void)
{
	struct attributes attr = { .size = sizeof(attr) };

	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	/* As it is, nice value included, but for the slice. */
	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) || attr.policy != SCHED_OTHER)
		return;
	attr.runtime = SLICE_NS;
	syscall(SYS_sched_setattr, 0, &attr, 0);
}
