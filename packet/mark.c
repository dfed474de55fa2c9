/* SPDX-License-Identifier: GPL-2.0-only */
#include "packet/mark.h"

#include "base/bits.h"
#include "packet/layout.h"

#define TYPE_SERVICE_TAG 0x88a8u
#define ECN_CE		 3u /* of the TOS, or of the traffic class */
#define IHL		 0x0fu

static uint16_t sum(const uint8_t *words, size_t len)
{
	uint32_t total = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		total += be16_at(words, i);
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)total;
}

static void mark_ipv4(uint8_t *ip, size_t room)
{
	size_t header;

	if (room < IPV4_LEN || ip[0] >> 4 != 4)
		return;
	header = 4 * (size_t)(ip[0] & IHL);
	if (header < IPV4_LEN || header > room || be16_at(ip, IPV4_LENGTH) < header ||
	    be16_at(ip, IPV4_LENGTH) > room || sum(ip, header) != UINT16_MAX)
		return;
	ip[IPV4_TOS] |= ECN_CE;
	be16_put(ip, IPV4_CHECKSUM, 0);
	be16_put(ip, IPV4_CHECKSUM, (uint16_t)~sum(ip, header));
}

static void mark_ipv6(uint8_t *ip, size_t room)
{
	if (room < IPV6_LEN || ip[0] >> 4 != 6 || be16_at(ip, IPV6_LENGTH) > room - IPV6_LEN)
		return;
	/* The traffic class begins in byte 0. */
	ip[1] |= ECN_CE << 4;
}

void packet_mark(uint8_t *frame, size_t len)
{
	size_t at = ETHERTYPE;
	uint16_t type;

	if (len < ETHERNET_LEN)
		return;
	type = be16_at(frame, at);
	for (unsigned int i = 0;
	     i < PACKET_TAGS && (type == TYPE_VLAN || type == TYPE_SERVICE_TAG) &&
	     len - at >= VLAN_LEN + 2;
	     i++) {
		at += VLAN_LEN;
		type = be16_at(frame, at);
	}
	at += 2;
	if (type == TYPE_IPV4)
		mark_ipv4(frame + at, len - at);
	else if (type == TYPE_IPV6)
		mark_ipv6(frame + at, len - at);
}
