/* SPDX-License-Identifier: GPL-2.0-only */
#include "transport/datagram.h"

#include <errno.h>

#define P_KEY_FULL 0x8000

int datagram_packet(const struct datagram *datagram, uint32_t mtu, uint32_t *psn,
		    struct packet *packet)
{
	if (datagram->length > mtu)
		return -EMSGSIZE;
	*packet = (struct packet){
		.opcode = PACKET_UD |
			  (datagram->has_immediate ? PACKET_SEND_ONLY_IMM : PACKET_SEND_ONLY),
		.solicited = datagram->solicited,
		.migrated = true,
		.p_key = datagram->p_key,
		.dest_qpn = datagram->dest_qpn,
		.psn = *psn & PACKET_24_BITS,
		.q_key = datagram->q_key,
		.src_qpn = datagram->src_qpn,
		.immediate = datagram->has_immediate ? datagram->immediate : 0,
		.payload = datagram->payload,
		.length = datagram->length,
	};
	*psn = (*psn + 1) & PACKET_24_BITS;
	return 0;
}

bool datagram_p_key_matches(uint16_t ours, uint16_t theirs)
{
	uint16_t partition = ours & (uint16_t)~P_KEY_FULL;

	return partition && partition == (theirs & (uint16_t)~P_KEY_FULL) &&
	       (ours | theirs) & P_KEY_FULL;
}

enum datagram_fault datagram_take(const struct datagram_receiver *receiver,
				  const struct packet *packet, struct datagram *datagram)
{
	bool multicast = packet->dest_qpn == DATAGRAM_QP_MULTICAST;
	bool managed = packet->dest_qpn == DATAGRAM_QP_SMI;

	if (packet->opcode != (PACKET_UD | PACKET_SEND_ONLY) &&
	    packet->opcode != (PACKET_UD | PACKET_SEND_ONLY_IMM))
		return DATAGRAM_OPCODE;
	if (!multicast && packet->dest_qpn != receiver->qpn)
		return DATAGRAM_QPN;
	if (!managed && !datagram_p_key_matches(receiver->p_key, packet->p_key))
		return DATAGRAM_P_KEY;
	if (!managed && packet->q_key != receiver->q_key)
		return DATAGRAM_Q_KEY;
	*datagram = (struct datagram){
		.dest_qpn = packet->dest_qpn,
		.src_qpn = packet->src_qpn,
		.q_key = packet->q_key,
		.p_key = packet->p_key,
		.solicited = packet->solicited,
		.has_immediate = packet->opcode == (PACKET_UD | PACKET_SEND_ONLY_IMM),
		.immediate = packet->immediate,
		.payload = packet->payload,
		.length = packet->length,
	};
	return DATAGRAM_OK;
}
