/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults of the HCA's own, armed by whoever tests the driver: what its firmware says of its health,
 * and commands that it does not answer, or late. Faults of its link: pcie/inject.h. All calls are
 * safe from any thread.
 */
#ifndef HCA_INJECT_H
#define HCA_INJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "pcie/inject.h"

struct hca;

/*
 * The health buffer says @syndrome, 0: all is well. @fatal: with the request that the driver reset
 * the function. A reset of any kind ends it, as firmware starts anew. The model has one fault of
 * its own to report this way: an EQ that overran.
 */
void hca_inject_health(struct hca *hca, uint8_t syndrome, bool fatal);
/* The health counter stands still, until it is released or a reset. */
void hca_inject_freeze(struct hca *hca, bool frozen);

struct hca_command_rule {
	uint16_t opcode;   /* 0: any */
	uint64_t after;	   /* how many that fit are answered first */
	uint64_t count;	   /* how many are spoilt; 0 ends the rule, and executes what it held up */
	uint64_t delay_ns; /* executed this much later, 0: when the rule ends */
};

void hca_inject_commands(struct hca *hca, const struct hca_command_rule *rule);
struct pcie_fault_count hca_inject_commands_count(struct hca *hca);

#endif
