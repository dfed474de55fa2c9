/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a memory region is said to do and what it does: checks of the read-back and of what arrives
 * at the completer. They print diagnostics and fail the current KTAP case.
 */
#ifndef KERNEL_TESTS_EVIDENCE_H
#define KERNEL_TESTS_EVIDENCE_H

#include "control.h"
#include "ktap.h"
#include "mr.h"

/* Hint on TLPs; th false: none. */
struct wire_hint {
	bool th;
	uint8_t ph, width;
	uint16_t st;
};

/* What the read-back of an MR with this hint from its dma-buf has to be. */
struct ib_uverbs_mr_tph tph_applied(struct wire_hint hint, unsigned int policy);
/* Without a hint, and nobody wanted one. */
struct ib_uverbs_mr_tph tph_none(unsigned int policy);
/* Without the hint that there is; @reason: enum ib_uverbs_mr_tph_reason. */
struct ib_uverbs_mr_tph tph_fallback(unsigned int reason, unsigned int policy);
/* The hint that TLPs to an MR with this read-back have to have. */
struct wire_hint tph_wire(const struct ib_uverbs_mr_tph *tph);

/* QUERY_MR answers with @expected, and with the keys and the range of the registration. */
void check_tph(const struct mr_hca *hca, const struct mr *mr,
	       const struct ib_uverbs_mr_tph *expected);
/* All that arrived at the endpoint since its counters were reset are @bytes written with @hint. */
void check_arrived(const char *endpoint, struct wire_hint hint, uint64_t bytes);
/* Nothing arrived since then. */
void check_nothing_arrived(const char *endpoint);
/* An RDMA WRITE to @mr arrives with @hint, all of it, and nothing else does. */
void check_write(struct mr_link *link, const struct mr *mr, const char *endpoint,
		 struct wire_hint hint);

/*
 * The table of steering tags of an HCA, all but one place of which is in use: whoever loses a place
 * is noticed by table_check(). Where tags need no place all of this does nothing.
 */
struct table {
	const struct mr_hca *hca;
	struct mr_bar *bar;
	uint8_t width;
	uint32_t max_tags;
	struct mr *mr; /* of the tags from TABLE_FIRST_TAG on */
	unsigned int count;
};

/* Tags from here on are the table's; up to 64 of them, and one more for table_check(). */
#define TABLE_FIRST_TAG 100u

/* Ends the program when it cannot be done. @bar and @hca outlive the table. */
void table_open(struct table *table, const struct mr_hca *hca, struct mr_bar *bar);
void table_close(struct table *table);
/* One place is free, and no more. */
void table_check(struct table *table);
/* Takes the free place, and gives it back. Return 0 or -errno. */
int table_fill(struct table *table);
int table_unfill(struct table *table);

/* The hint with @tag in the namespace of @width. */
struct vfiobar_hint hint_of(unsigned int width, uint16_t tag, uint8_t ph);

#endif
