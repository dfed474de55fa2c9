/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts over a TLP trace that tell whether the writes of one function into one window carried the
 * hint they should, and nothing else carried any.
 */
#ifndef PCIE_SUMMARY_H
#define PCIE_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "pcie/reader.h"

struct tlp_window {
	uint64_t base, size; /* bytes; size >= 1 and base + size - 1 does not wrap */
};

struct tlp_summary_options {
	const char *source; /* function whose writes are bar writes */
	struct tlp_window window;
	bool expected; /* @expect is given */
	struct tlp_hint expect;
};

struct tlp_hint_count {
	struct tlp_hint hint;
	uint64_t count;
};

struct tlp_summary {
	uint64_t tlps;
	uint64_t bar_writes;		/* MWr of source that touch the window */
	uint64_t with_hint;		/* of these */
	uint64_t wrong_hint;		/* of these; 0 unless expected */
	uint64_t hint_elsewhere;	/* TLPs with TH that are no bar writes */
	struct tlp_hint_count *by_hint; /* bar writes with TH, in order of first arrival */
	unsigned int hints;		/* TLP_HINTS at most */
	uint32_t *place;		/* by tlp_hint_index(): in by_hint, from 1; 0: not there */
};

/* Whether two hints are the same on the wire: without TH the other fields say nothing. */
bool tlp_hint_equal(const struct tlp_hint *a, const struct tlp_hint *b);
/* Whether a request touches the window; one without bytes counts with its address. */
bool tlp_in_window(const struct tlp *tlp, const struct tlp_window *window);
/* Returns 0 or -ENOMEM. @summary starts zeroed; tlp_summary_clear() frees what it holds. */
int tlp_summary_add(struct tlp_summary *summary, const struct tlp_summary_options *options,
		    const struct tlp_entry *entry);
void tlp_summary_clear(struct tlp_summary *summary);
/* One JSON object and a newline, or lines for people. Returns 0 or -ENOMEM. */
int tlp_summary_print(const struct tlp_summary *summary, const struct tlp_summary_options *options,
		      bool json, FILE *out);

#endif
