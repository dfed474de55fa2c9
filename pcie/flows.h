/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What went where in a TLP trace, with which hint: counts per mark, so that one pass over the trace
 * serves any number of runs. A TLP costs one step in a hash table.
 */
#ifndef PCIE_FLOWS_H
#define PCIE_FLOWS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "pcie/reader.h"

/* Flows that are told apart after one mark: about 10 MB. The TLPs of others are one number. */
#define TLP_FLOWS 65536

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
	char mark[TLP_TEXT];	/* "" before the first mark */
	struct lh_table *table; /* of struct tlp_flow, NULL: empty */
	uint64_t others;	/* TLPs of flows that found no place */
	bool overflow;		/* there were others after this or an earlier mark */
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
