/* SPDX-License-Identifier: GPL-2.0-only */
/* Field by field, since padding differs; for the unit tests and the fuzzer. */
#ifndef PACKET_TESTS_SAME_H
#define PACKET_TESTS_SAME_H

#include <string.h>

#include "packet/packet.h"

static inline bool same_route(const struct packet_route *a, const struct packet_route *b)
{
	return a->ethernet == b->ethernet && a->vl == b->vl && a->sl == b->sl &&
	       a->slid == b->slid && a->dlid == b->dlid && a->grh == b->grh &&
	       !memcmp(a->smac, b->smac, 6) && !memcmp(a->dmac, b->dmac, 6) &&
	       a->tagged == b->tagged && a->tci == b->tci && a->ipv4 == b->ipv4 &&
	       a->ident == b->ident && a->dont_fragment == b->dont_fragment &&
	       a->source_port == b->source_port && a->udp_checksum == b->udp_checksum &&
	       a->traffic_class == b->traffic_class && a->hop_limit == b->hop_limit &&
	       a->flow_label == b->flow_label && !memcmp(a->sgid, b->sgid, 16) &&
	       !memcmp(a->dgid, b->dgid, 16);
}

/* But for packet.reserved. */
static inline bool same_packet(const struct packet *a, const struct packet *b)
{
	return a->opcode == b->opcode && a->solicited == b->solicited &&
	       a->migrated == b->migrated && a->fecn == b->fecn && a->becn == b->becn &&
	       a->ack_req == b->ack_req && a->p_key == b->p_key && a->dest_qpn == b->dest_qpn &&
	       a->psn == b->psn && a->srqn == b->srqn && a->q_key == b->q_key &&
	       a->dc_key == b->dc_key && a->src_qpn == b->src_qpn && a->va == b->va &&
	       a->r_key == b->r_key && a->dma_length == b->dma_length &&
	       a->swap_add == b->swap_add && a->compare == b->compare &&
	       a->syndrome == b->syndrome && a->msn == b->msn && a->original == b->original &&
	       a->immediate == b->immediate && a->length == b->length &&
	       (!a->length || !memcmp(a->payload, b->payload, a->length));
}

#endif
