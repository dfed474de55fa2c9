/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Translation entries of a memory key, in octwords (16 bytes: two page addresses, or one entry of a
 * list). A table is kept in chunks, so that it takes what was loaded and not what its context says
 * it may grow to; what was never loaded reads as zero: "not present".
 */
#ifndef HCA_XLT_H
#define HCA_XLT_H

#include <stdbool.h>
#include <stdint.h>

struct hca;

/* The most octwords of a key: lists, by log_max_klm_list_size; page tables, by log_max_mrw_sz. */
#define HCA_XLT_LIST_MAX (1u << 20)
#define HCA_XLT_MTT_MAX	 (1u << 27)

struct hca_xlt {
	struct hca_xlt_chunk *chunk;
	uint32_t chunks;
	uint32_t octwords; /* highest octword loaded, + 1 */
	/* Of lists: bytes that octwords [0, i] cover together, known for i < indexed. */
	uint64_t *end;
	uint32_t indexed, end_room;
};

/* The 16 bytes of octword @index; zeros for one that was never loaded. */
const uint8_t *hca_xlt_octword(const struct hca_xlt *xlt, uint32_t index);
/*
 * hca_xlt_store() - @count octwords from @entries to octword @first on, which the caller has
 * checked against the key's limit. Memory is charged to @hca. Returns 0; -ENOMEM, and nothing is
 * stored.
 */
int hca_xlt_store(struct hca *hca, struct hca_xlt *xlt, uint32_t first, const uint8_t *entries,
		  uint32_t count);
/* Forgets all entries. */
void hca_xlt_drop(struct hca *hca, struct hca_xlt *xlt);

/*
 * hca_xlt_find() - the entry of a list that has byte @offset.
 * @count: octwords of the list. @strided: octword 0 is its head, sizes have 16 bits (at byte 2),
 * else 32 (at byte 0); the head of a list changes only by hca_xlt_store().
 * @turn: whose turn pays for what has to be looked at, see hca/budget.h; NULL: nobody's.
 * Returns 0, *@index and *@skip, bytes from the start of the entry; -ENOENT the list is shorter;
 * -EAGAIN the turn is over, call again in the next; -ENOMEM.
 */
int hca_xlt_find(struct hca *hca, struct hca_xlt *xlt, uint32_t count, bool strided,
		 uint64_t offset, struct hca *turn, uint32_t *index, uint64_t *skip);

#endif
