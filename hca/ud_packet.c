/* SPDX-License-Identifier: GPL-2.0-only */
/* A datagram's packet, and what the subnet carries of it: addresses, fields, GRH and payload. */
#include "hca/data.h"

struct subnet_packet hca_ud_carry(const struct packet_route *route, const struct packet *packet,
				  uint8_t *data)
{
	if (route->grh)
		packet_grh(route, packet, data);
	return (struct subnet_packet){
		.slid = route->slid,
		.dlid = route->dlid,
		.sl = route->sl,
		.grh = route->grh,
		.p_key = packet->p_key,
		.src_qpn = packet->src_qpn,
		.dest_qpn = packet->dest_qpn,
		.q_key = packet->q_key,
		.psn = packet->psn,
		.solicited = packet->solicited,
		.has_imm = packet->opcode == (PACKET_UD | PACKET_SEND_ONLY_IMM),
		.imm = packet->immediate,
		.data = data,
		.len = packet->length,
	};
}

struct packet hca_ud_packet(const struct subnet_packet *carried)
{
	return (struct packet){
		.opcode = PACKET_UD | (carried->has_imm ? PACKET_SEND_ONLY_IMM : PACKET_SEND_ONLY),
		.solicited = carried->solicited,
		.migrated = true,
		.p_key = carried->p_key,
		.dest_qpn = carried->dest_qpn,
		.psn = carried->psn,
		.q_key = carried->q_key,
		.src_qpn = carried->src_qpn,
		.immediate = carried->has_imm ? carried->imm : 0,
		.payload = carried->data + SUBNET_GRH_LEN,
		.length = carried->len,
	};
}
