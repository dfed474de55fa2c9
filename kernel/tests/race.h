/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the race programs: hints whose tag tells which PH belongs to it, so that the tag of one
 * call with the PH of another is seen, and registrations that are checked against them.
 */
#ifndef KERNEL_TESTS_RACE_H
#define KERNEL_TESTS_RACE_H

#include <stdatomic.h>

#include "hammer.h"
#include "mr.h"

#define RACE_BAR_LENGTH 0x100000u

/* Neighbours for each PH. 16 tags in all are fewer than a table has. */
#define RACE_NEIGHBOURS 4u

/* A random hint, both tags of which name its PH. */
struct vfiobar_hint race_pair(uint64_t *seed);
/* Is the tag one that race_pair() makes for this PH and width? */
bool race_pair_whole(const struct ib_uverbs_mr_tph *tph);

/* A dma-buf whose hint changes all the time, and the HCA that registers it. */
struct race_target {
	struct mr_hca *hca;
	struct mr_bar *bar;
	int fd;
	bool revoked;	/* something takes the BAR away at times: -ENODEV is fine */
	bool resetting; /* something resets the device: what SET says then is fine, too */
	atomic_ulong set, applied, none, refused;
};

/* Steps of hammer(), @arg is a struct race_target. */
void race_set_step(void *arg, uint64_t *seed);
/* Sets, and one time of four withdraws. */
void race_set_withdraw_step(void *arg, uint64_t *seed);
/* Registers with REQUIRE or AUTO, reads back, deregisters. */
void race_register_step(void *arg, uint64_t *seed);
/* hammer()'s enough for the three: there was something to see. */
bool race_target_enough(void *arg);
/* Prints the counts of @target. */
void race_target_done(const struct race_target *target);

#endif
