/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Datagrams that came to a function and wait for its own turn (ud_recv.c). The sender's turn, or
 * the subnet's, only puts them here: no function touches the objects of another.
 */
#ifndef HCA_INBOX_H
#define HCA_INBOX_H

#include "hca/model.h"

struct hca_datagram {
	struct hca_datagram *next;
	struct subnet_packet packet; /* its data is in here */
	uint32_t sender;	     /* own QP that multicast comes back from, 0: none */
	bool passed;		     /* counted and steered: it is for QPs now */
	uint8_t data[];
};

/*
 * hca_ud_queue() - a copy of @packet waits for a turn of @hca. Lost, and counted, when too many do
 * (see struct hca_inbox) or the function's memory is used up. @sender: own QP that sent it to a
 * group of this adapter, 0: it came by the link.
 */
void hca_ud_queue(struct hca *hca, const struct subnet_packet *packet, uint32_t sender);
/* The same, from the subnet, for @owner, an HCA. */
void hca_ud_deliver(void *owner, const struct subnet_packet *packet);
/* The subnet says what leaves by the port of @owner, an HCA. */
void hca_ud_leaves(void *owner, const struct subnet_packet *packet);
/* Forget the first one, which there is. */
void hca_ud_pop(struct hca *hca);
/* Forget all that wait. */
void hca_ud_drop(struct hca *hca);

#endif
