/* SPDX-License-Identifier: GPL-2.0-only */
/* Device memory: where it is, and what keys of it may name. */
#ifndef HCA_MEMIC_H
#define HCA_MEMIC_H

#include "hca/model.h"

#define HCA_MEMIC_MAX (256u << 10) /* bytes of one allocation */

/* The windows of operations, see HCA_MEMIC_OPS. */
#define HCA_MEMIC_OP_OFFSET (HCA_MEMIC_OFFSET + HCA_MEMIC_SIZE)

/* memic_operation_type */
#define HCA_MEMIC_INCREMENT    0u
#define HCA_MEMIC_TEST_AND_SET 1u

/* No unit of the window has an owner: after the objects have gone. */
void hca_memic_forget(struct hca *hca);
/*
 * hca_memic_hold() - @mkey was made or changed: the allocation that it names now is not given back
 * before it names another, is free, or is gone. Keys of other memory: nothing happens.
 */
void hca_memic_hold(struct hca *hca, struct hca_mkey *mkey);
void hca_memic_release(struct hca *hca, struct hca_mkey *mkey);

/* All of [@start, @start + @len), offsets in BAR0, is in one allocation. */
bool hca_memic_covers(struct hca *hca, uint64_t start, uint64_t len);
/*
 * An access of @size bytes at @offset of BAR0, from HCA_MEMIC_OP_OFFSET on: a write adds what it
 * writes to the byte, a read has the byte, which becomes 1. Operations are on single bytes, each
 * atomic; other accesses, and those where the driver has not made the operation, do nothing, and
 * read as zero. Any thread.
 */
uint8_t hca_memic_op_read(struct hca *hca, uint64_t offset, unsigned int size);
void hca_memic_op_write(struct hca *hca, uint64_t offset, unsigned int size, uint8_t value);
/* Memory of the byte at @addr, an offset in BAR0 within the window. Used with uar_lock held. */
uint8_t *hca_memic_at(struct hca *hca, uint64_t addr);

#endif
