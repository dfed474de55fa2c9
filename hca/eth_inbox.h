/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames that came to a function and wait for its own turn (eth_receive.c). The sender's turn only
 * puts them here: no function touches the objects of another.
 */
#ifndef HCA_ETH_INBOX_H
#define HCA_ETH_INBOX_H

#include "hca/eth.h"
#include "hca/flow_table.h"

struct hca_eth_waiting {
	struct hca_eth_waiting *next;
	uint32_t td; /* whose own send queue it comes back from; 0: it came by the port */
	bool routed;
	/* The queues that have not had it, the last one first. */
	unsigned int queues;
	struct hca_eth_target {
		uint32_t rqn, hash;
		uint8_t hash_type;
	} queue[HCA_FLOW_TIRS];
	uint32_t tag;
	size_t len;
	struct hca_frame frame;
	uint8_t bytes[];
};

/* Forget the first one, which there is. */
void hca_eth_pop(struct hca *hca);

#endif
