/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What went where in a TLP trace, with which hint: counts per mark, so that one pass over the trace
 * serves any number of runs.
 */
#ifndef PCIE_FLOWS_H
#define PCIE_FLOWS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "pcie/reader.h"

/* TLPs that have all of these in common. */
struct tlp_flow {
	const char *source, *target; /* target NULL: no function */
	uint8_t route;		     /* enum pcie_route */
	uint8_t bar;		     /* target only */
	enum tlp_type type;
	struct tlp_hint hint;
	uint64_t tlps;
	uint64_t bytes; /* that were written or asked for; none for completions */
};

/* Those since a mark, in order of their first TLP. */
struct tlp_flows {
	char mark[TLP_TRACE_NAME]; /* "" before the first mark */
	struct tlp_flow *flow;
	unsigned int count;
};

/*
 * Takes in an entry. A mark prints what was before it (tlp_flows_print()) and begins anew.
 * @flows starts zeroed; tlp_flows_clear() frees what it holds. The entry's reader outlives it.
 * Returns 0 or -ENOMEM.
 */
int tlp_flows_add(struct tlp_flows *flows, const struct tlp_entry *entry, bool json, FILE *out);
/* A line of JSON, or lines for people; nothing when nothing was taken in. Returns 0 or -ENOMEM. */
int tlp_flows_print(const struct tlp_flows *flows, bool json, FILE *out);
void tlp_flows_clear(struct tlp_flows *flows);

#endif
