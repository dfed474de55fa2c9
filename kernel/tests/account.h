/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What must not pile up: descriptors, dma-bufs, memory regions, memory keys, entries of the ST
 * table, slab objects.
 */
#ifndef KERNEL_TESTS_ACCOUNT_H
#define KERNEL_TESTS_ACCOUNT_H

#include "mr.h"

struct account {
	int fds;      /* open descriptors of this process */
	int dmabufs;  /* in the whole machine */
	int attached; /* attachments to them */
	int mrs;      /* of the HCA function */
	int64_t keys; /* memory keys that are out of the HCA's pools, for an MR */
};

/* What there is now. A figure that cannot be read is a failed check. */
struct account account(const struct mr_hca *hca);
/* Checks that all figures are those of @before. */
bool account_same(const struct mr_hca *hca, const struct account *before);

/* Entries of the ST table of the HCA under test: 64, as those of most tests have. */
extern unsigned int account_entries;
/* Tags of dma-bufs that have room there: three quarters of the entries but the first. */
unsigned int account_table_tags(void);

/*
 * Registers one region after the other that must have a tag of its own, in as many contexts as it
 * takes until the ST table is full, and closes them. Returns how many the HCA could take, which is
 * account_table_tags() for an empty table, 256 at most; negative errno otherwise. Takes the first
 * 256 pages of @bar.
 */
int account_tags(const struct mr_hca *hca, struct mr_bar *bar);
/* Checks that no entry of the ST table is in use; with direct mode, that there is no limit. */
bool account_table_empty(const struct mr_hca *hca, struct mr_bar *bar);

#define ACCOUNT_CACHES 512

struct account_memory {
	unsigned int caches;
	struct {
		char name[48];
		int64_t objects; /* in use */
		int64_t size;	 /* bytes of each */
	} cache[ACCOUNT_CACHES];
	int64_t unreclaimable; /* SUnreclaim, bytes */
	int64_t available;     /* MemAvailable, bytes */
};

int account_memory(struct account_memory *memory);

/* From now on, what the kernel says is listened to. Returns a descriptor. */
int account_log_open(void);
/*
 * Lines since then that mean a bug of the kernel, but those with @explained (NULL: none); prints
 * them. Closes @log.
 */
int account_log_complaints(int log, const char *explained);

#endif
