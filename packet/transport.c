/* SPDX-License-Identifier: GPL-2.0-only */
/* What the transports at both ends have of a packet: from the BTH to the last pad byte. */
#include <string.h>

#include "packet/internal.h"
#include "packet/layout.h"
#include "base/bits.h"

#define FLAG_SE	   0x80
#define FLAG_M	   0x40
#define PAD_SHIFT  4
#define TVER	   0x0f
#define FLAG_FECN  0x80
#define FLAG_BECN  0x40
#define FLAG_ACK   0x80
#define CNP_ZEROES 16u

static size_t pad(const struct packet *packet)
{
	return -packet->length & 3;
}

size_t packet_transport_length(const struct packet *packet)
{
	struct packet_opcode info;

	if (!packet_opcode(packet->opcode, &info) || packet->dest_qpn > PACKET_24_BITS ||
	    packet->psn > PACKET_24_BITS || packet->srqn > PACKET_24_BITS ||
	    packet->src_qpn > PACKET_24_BITS || packet->msn > PACKET_24_BITS ||
	    packet->length > (info.payload ? PACKET_PAYLOAD_MAX : 0))
		return 0;
	return BTH_LEN + packet_headers_length(info.headers) + packet->length + pad(packet);
}

void packet_transport_encode(const struct packet *packet, uint8_t *p)
{
	struct packet_opcode info;
	uint8_t *h = p + BTH_LEN;

	packet_opcode(packet->opcode, &info);
	p[0] = packet->opcode;
	p[BTH_FLAGS] = (uint8_t)((packet->solicited ? FLAG_SE : 0) |
				 (packet->migrated ? FLAG_M : 0) | pad(packet) << PAD_SHIFT);
	be16_put(p, BTH_P_KEY, packet->p_key);
	be32_put(p, BTH_QPN, packet->dest_qpn);
	p[BTH_ECN] = (packet->fecn ? FLAG_FECN : 0) | (packet->becn ? FLAG_BECN : 0);
	be32_put(p, BTH_PSN, packet->psn);
	p[BTH_ACK] = packet->ack_req ? FLAG_ACK : 0;

	if (info.headers & PACKET_DCETH) {
		be64_put(h, 0, packet->dc_key);
		be32_put(h, 8, packet->src_qpn);
		h += 12;
	}
	if (info.headers & PACKET_XRCETH) {
		be32_put(h, 0, packet->srqn);
		h += 4;
	}
	if (info.headers & PACKET_DETH) {
		be32_put(h, 0, packet->q_key);
		be32_put(h, 4, packet->src_qpn);
		h += 8;
	}
	if (info.headers & (PACKET_RETH | PACKET_ATOMICETH)) {
		be64_put(h, 0, packet->va);
		be32_put(h, 8, packet->r_key);
		h += 12;
	}
	if (info.headers & PACKET_RETH) {
		be32_put(h, 0, packet->dma_length);
		h += 4;
	}
	if (info.headers & PACKET_ATOMICETH) {
		be64_put(h, 0, packet->swap_add);
		be64_put(h, 8, packet->compare);
		h += 16;
	}
	if (info.headers & PACKET_AETH) {
		be32_put(h, 0, packet->msn);
		h[0] = packet->syndrome;
		h += 4;
	}
	if (info.headers & PACKET_ATOMICACKETH) {
		be64_put(h, 0, packet->original);
		h += 8;
	}
	if (info.headers & (PACKET_IMMDT | PACKET_IETH)) {
		be32_put(h, 0, packet->immediate);
		h += 4;
	}
	if (info.headers & PACKET_CNP_RESERVED) {
		memset(h, 0, CNP_ZEROES);
		h += CNP_ZEROES;
	}
	if (packet->length)
		memcpy(h, packet->payload, packet->length);
	memset(h + packet->length, 0, pad(packet));
}

/* The low 24 bits; what is above them is reserved. */
static uint32_t low24(const uint8_t *p, struct packet *packet)
{
	packet->reserved |= p[0] != 0;
	return be32_at(p, 0) & PACKET_24_BITS;
}

static void decode_extended(const uint8_t *h, uint16_t headers, struct packet *packet)
{
	if (headers & PACKET_DCETH) {
		packet->dc_key = be64_at(h, 0);
		packet->src_qpn = low24(h + 8, packet);
		h += 12;
	}
	if (headers & PACKET_XRCETH) {
		packet->srqn = low24(h, packet);
		h += 4;
	}
	if (headers & PACKET_DETH) {
		packet->q_key = be32_at(h, 0);
		packet->src_qpn = low24(h + 4, packet);
		h += 8;
	}
	if (headers & (PACKET_RETH | PACKET_ATOMICETH)) {
		packet->va = be64_at(h, 0);
		packet->r_key = be32_at(h, 8);
		h += 12;
	}
	if (headers & PACKET_RETH) {
		packet->dma_length = be32_at(h, 0);
		h += 4;
	}
	if (headers & PACKET_ATOMICETH) {
		packet->swap_add = be64_at(h, 0);
		packet->compare = be64_at(h, 8);
		h += 16;
	}
	if (headers & PACKET_AETH) {
		packet->syndrome = h[0];
		packet->msn = be32_at(h, 0) & PACKET_24_BITS;
		h += 4;
	}
	if (headers & PACKET_ATOMICACKETH) {
		packet->original = be64_at(h, 0);
		h += 8;
	}
	if (headers & (PACKET_IMMDT | PACKET_IETH)) {
		packet->immediate = be32_at(h, 0);
		h += 4;
	}
	if (headers & PACKET_CNP_RESERVED)
		for (unsigned int i = 0; i < CNP_ZEROES; i++)
			packet->reserved |= h[i] != 0;
}

enum packet_fault packet_transport_decode(const uint8_t *p, size_t len, struct packet *packet)
{
	struct packet_opcode info;
	size_t front, padding;

	if (len < BTH_LEN)
		return PACKET_SHORT;
	if (p[BTH_FLAGS] & TVER)
		return PACKET_VERSION;
	if (!packet_opcode(p[0], &info))
		return PACKET_BAD_OPCODE;
	front = BTH_LEN + packet_headers_length(info.headers);
	if (len < front)
		return PACKET_SHORT;
	/* The link layer's lengths are in words. */
	if (len % 4)
		return PACKET_LENGTH;
	padding = p[BTH_FLAGS] >> PAD_SHIFT & 3;
	if (padding > len - front)
		return PACKET_PAD;
	if (len > front && !info.payload)
		return PACKET_NO_PAYLOAD;
	if (len - front > PACKET_PAYLOAD_MAX)
		return PACKET_LONG;
	*packet = (struct packet){
		.opcode = p[0],
		.solicited = p[BTH_FLAGS] & FLAG_SE,
		.migrated = p[BTH_FLAGS] & FLAG_M,
		.fecn = p[BTH_ECN] & FLAG_FECN,
		.becn = p[BTH_ECN] & FLAG_BECN,
		.ack_req = p[BTH_ACK] & FLAG_ACK,
		.p_key = be16_at(p, BTH_P_KEY),
		.dest_qpn = be32_at(p, BTH_QPN) & PACKET_24_BITS,
		.psn = be32_at(p, BTH_PSN) & PACKET_24_BITS,
		.payload = p + front,
		.length = len - front - padding,
		.reserved = p[BTH_ECN] & (uint8_t) ~(FLAG_FECN | FLAG_BECN) ||
			    p[BTH_ACK] & (uint8_t)~FLAG_ACK,
	};
	/* Nobody looks at pad bytes, but the ICRC does. */
	for (size_t i = 0; i < padding; i++)
		packet->reserved |= p[len - 1 - i] != 0;
	decode_extended(p + BTH_LEN, info.headers, packet);
	return PACKET_OK;
}
