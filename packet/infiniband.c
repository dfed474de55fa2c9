/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets of an InfiniBand link: LRH, GRH, ICRC, VCRC. */
#include <string.h>

#include "packet/crc.h"
#include "packet/internal.h"
#include "packet/layout.h"
#include "base/bits.h"

#define FLOW_LABEL 0xfffffu
#define WORDS	   0x7ffu

void packet_ipv6_encode(const struct packet_route *route, uint8_t next, size_t length, uint8_t *p)
{
	be32_put(p, 0, 6u << 28 | (uint32_t)route->traffic_class << 20 | route->flow_label);
	be16_put(p, IPV6_LENGTH, (uint16_t)length);
	p[IPV6_NEXT] = next;
	p[IPV6_HOP_LIMIT] = route->hop_limit;
	memcpy(p + IPV6_SOURCE, route->sgid, 16);
	memcpy(p + IPV6_DEST, route->dgid, 16);
}

void packet_ipv6_decode(const uint8_t *p, struct packet_route *route)
{
	route->traffic_class = (uint8_t)(be32_at(p, 0) >> 20);
	route->flow_label = be32_at(p, 0) & FLOW_LABEL;
	route->hop_limit = p[IPV6_HOP_LIMIT];
	memcpy(route->sgid, p + IPV6_SOURCE, 16);
	memcpy(route->dgid, p + IPV6_DEST, 16);
}

size_t packet_infiniband_front(const struct packet_route *route)
{
	if (route->vl > 15 || route->sl > 15 || route->flow_label > FLOW_LABEL)
		return 0;
	return LRH_LEN + (route->grh ? GRH_LEN : 0);
}

static void put_icrc(uint8_t *p, uint32_t icrc)
{
	icrc = htole32(icrc);
	memcpy(p, &icrc, sizeof(icrc));
}

void packet_infiniband_wrap(const struct packet_route *route, uint8_t *buf, size_t len)
{
	size_t front = packet_infiniband_front(route), end = front + len;
	uint16_t vcrc;

	buf[LRH_VL] = (uint8_t)(route->vl << 4);
	buf[LRH_LNH] = (uint8_t)(route->sl << 4 | (route->grh ? LNH_GRH : LNH_BTH));
	be16_put(buf, LRH_DLID, route->dlid);
	be16_put(buf, LRH_LENGTH, (uint16_t)((end + ICRC_LEN) / 4));
	be16_put(buf, LRH_SLID, route->slid);
	if (route->grh)
		packet_ipv6_encode(route, GRH_NEXT_BTH, len + ICRC_LEN, buf + LRH_LEN);
	put_icrc(buf + end, packet_icrc_infiniband(buf, end));
	vcrc = htole16(packet_vcrc(buf, end + ICRC_LEN));
	memcpy(buf + end + ICRC_LEN, &vcrc, sizeof(vcrc));
}

enum packet_fault packet_infiniband_open(const uint8_t *buf, size_t size,
					 struct packet_route *route, size_t *front, size_t *len,
					 bool *reserved)
{
	const uint8_t *grh = buf + LRH_LEN;
	size_t words;

	if (size < LRH_LEN)
		return PACKET_SHORT;
	if (buf[LRH_VL] & 0x0f)
		return PACKET_VERSION;
	/* The others are raw: IPv6 or Ethernet. */
	if ((buf[LRH_LNH] & LRH_LNH_MASK) < LNH_BTH)
		return PACKET_OTHER;
	route->grh = (buf[LRH_LNH] & LRH_LNH_MASK) == LNH_GRH;
	*front = LRH_LEN + (route->grh ? GRH_LEN : 0);
	if (size < *front + BTH_LEN + ICRC_LEN + VCRC_LEN)
		return PACKET_SHORT;
	words = be16_at(buf, LRH_LENGTH) & WORDS;
	if (4 * words + VCRC_LEN != size)
		return PACKET_LENGTH;
	*len = size - *front - ICRC_LEN - VCRC_LEN;
	if (route->grh) {
		if (grh[0] >> 4 != 6)
			return PACKET_VERSION;
		if (grh[IPV6_NEXT] != GRH_NEXT_BTH)
			return PACKET_OTHER;
		if (be16_at(grh, IPV6_LENGTH) != *len + ICRC_LEN)
			return PACKET_LENGTH;
		packet_ipv6_decode(grh, route);
	}
	route->vl = buf[LRH_VL] >> 4;
	route->sl = buf[LRH_LNH] >> 4;
	route->dlid = be16_at(buf, LRH_DLID);
	route->slid = be16_at(buf, LRH_SLID);
	*reserved = buf[LRH_LNH] & 0x0c || be16_at(buf, LRH_LENGTH) & ~WORDS;
	return PACKET_OK;
}

enum packet_fault packet_infiniband_check(const uint8_t *buf, size_t front, size_t len)
{
	size_t end = front + len;
	uint32_t icrc;
	uint16_t vcrc;

	memcpy(&icrc, buf + end, sizeof(icrc));
	memcpy(&vcrc, buf + end + ICRC_LEN, sizeof(vcrc));
	/* The link's check comes first. */
	if (le16toh(vcrc) != packet_vcrc(buf, end + ICRC_LEN))
		return PACKET_VCRC;
	return le32toh(icrc) == packet_icrc_infiniband(buf, end) ? PACKET_OK : PACKET_ICRC;
}
