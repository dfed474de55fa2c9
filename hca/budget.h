/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest can take of this process: memory of a function, and work of one turn of the engine.
 * Both are counted where they are spent, so that the bounds hold whatever commands and WQEs say.
 * Engine thread only.
 */
#ifndef HCA_BUDGET_H
#define HCA_BUDGET_H

#include "hca/model.h"

/*
 * hca_alloc() - @size bytes, zeroed, charged to @hca until hca_release().
 * NULL when they would exceed the function's budget, or the machine has no more.
 */
void *hca_alloc(struct hca *hca, size_t size);
/*
 * hca_resize() - @mem of hca_alloc() (or NULL) with @size bytes; bytes that are new are zeroed.
 * NULL as above, and @mem is as it was.
 */
void *hca_resize(struct hca *hca, void *mem, size_t size);
/* Gives @mem back. NULL: nothing happens. */
void hca_release(struct hca *hca, void *mem);

/* Bytes that @hca has of all that. Safe from any thread. */
uint64_t hca_memory_used(const struct hca *hca);

/*
 * Work is counted in units of roughly a nanosecond of a slow machine, by what is done and not by a
 * clock: the same input takes the same turns everywhere. A turn ends when its share is spent; the
 * last piece of work may overdraw it by what that piece costs.
 */
#define HCA_TURN_WORK 5000000 /* one hca_poll() */

#define HCA_WORK_STEP	  50u	/* one entry of a translation looked at */
#define HCA_WORK_PEEK	  150u	/* a record looked at without a TLP */
#define HCA_WORK_TRANSFER 2000u /* a contiguous piece moved, besides its bytes: 1 each */
#define HCA_WORK_WQE	  3000u /* a WQE parsed and completed */
#define HCA_WORK_DROP	  150u	/* an object freed, at the end of what it was for */

static inline void hca_work(struct hca *hca, uint64_t units)
{
	hca->work_left -= (int64_t)units;
}

static inline bool hca_turn_over(const struct hca *hca)
{
	return hca->work_left <= 0;
}

#endif
