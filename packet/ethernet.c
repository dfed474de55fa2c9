/* SPDX-License-Identifier: GPL-2.0-only */
/* RoCEv2: Ethernet, VLAN, IPv4 or IPv6, UDP, ICRC. */
#include <string.h>

#include "packet/crc.h"
#include "packet/internal.h"
#include "packet/layout.h"
#include "base/bits.h"

#define FLOW_LABEL 0xfffffu

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static size_t mac_length(const struct packet_route *route)
{
	return ETHERNET_LEN + (route->tagged ? VLAN_LEN : 0);
}

static size_t ip_length(const struct packet_route *route)
{
	return route->ipv4 ? IPV4_LEN : IPV6_LEN;
}

size_t packet_ethernet_front(const struct packet_route *route)
{
	if (route->ipv4 && (memcmp(route->sgid, mapped, sizeof(mapped)) ||
			    memcmp(route->dgid, mapped, sizeof(mapped)) || route->flow_label))
		return 0;
	if (route->flow_label > FLOW_LABEL)
		return 0;
	return mac_length(route) + ip_length(route) + UDP_LEN;
}

/* Ones' complement sum of 16-bit words, not folded; an odd byte is the high one of a word. */
static uint32_t sum(uint32_t start, const uint8_t *p, size_t len)
{
	for (; len >= 2; p += 2, len -= 2)
		start += be16_at(p, 0);
	return len ? start + (uint32_t)(p[0] << 8) : start;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Over the pseudo header, the UDP header and what is behind: 0xffff when its checksum is right. */
static uint16_t udp_sum(const struct packet_route *route, const uint8_t *ip, size_t udp_len)
{
	size_t addresses = route->ipv4 ? IPV4_SOURCE : IPV6_SOURCE;
	uint32_t total = sum(IP_UDP + (uint32_t)udp_len, ip + addresses,
			     ip_length(route) - addresses + udp_len);

	return fold(total);
}

static void put_ipv4(const struct packet_route *route, size_t length, uint8_t *p)
{
	p[0] = 4 << 4 | IPV4_LEN / 4;
	p[IPV4_TOS] = route->traffic_class;
	be16_put(p, IPV4_LENGTH, (uint16_t)length);
	be16_put(p, IPV4_IDENT, route->ident);
	be16_put(p, IPV4_FRAGMENT, route->dont_fragment ? IPV4_DF : 0);
	p[IPV4_TTL] = route->hop_limit;
	p[IPV4_PROTOCOL] = IP_UDP;
	be16_put(p, IPV4_CHECKSUM, 0);
	memcpy(p + IPV4_SOURCE, route->sgid + sizeof(mapped), 4);
	memcpy(p + IPV4_DEST, route->dgid + sizeof(mapped), 4);
	be16_put(p, IPV4_CHECKSUM, (uint16_t)~fold(sum(0, p, IPV4_LEN)));
}

void packet_ethernet_wrap(const struct packet_route *route, uint8_t *buf, size_t len)
{
	uint8_t *ip = buf + mac_length(route), *udp = ip + ip_length(route);
	size_t udp_len = UDP_LEN + len + ICRC_LEN;
	uint32_t icrc;
	uint16_t check;

	memcpy(buf, route->dmac, 6);
	memcpy(buf + 6, route->smac, 6);
	if (route->tagged) {
		be16_put(buf, ETHERTYPE, TYPE_VLAN);
		be16_put(buf, ETHERTYPE + 2, route->tci);
	}
	be16_put(buf, mac_length(route) - 2, route->ipv4 ? TYPE_IPV4 : TYPE_IPV6);
	if (route->ipv4)
		put_ipv4(route, IPV4_LEN + udp_len, ip);
	else
		packet_ipv6_encode(route, IP_UDP, udp_len, ip);
	be16_put(udp, UDP_SOURCE, route->source_port);
	be16_put(udp, UDP_DEST, PACKET_UDP_PORT);
	be16_put(udp, UDP_LENGTH, (uint16_t)udp_len);
	be16_put(udp, UDP_CHECKSUM, 0);
	icrc = htole32(packet_icrc_ip(ip, (size_t)(udp - ip) + UDP_LEN + len));
	memcpy(udp + UDP_LEN + len, &icrc, sizeof(icrc));
	if (!route->udp_checksum)
		return;
	check = (uint16_t)~udp_sum(route, ip, udp_len);
	/* 0 would say that there is none. */
	be16_put(udp, UDP_CHECKSUM, check ? check : UINT16_MAX);
}

static enum packet_fault open_ipv4(const uint8_t *ip, size_t size, struct packet_route *route,
				   size_t *udp_len, bool *reserved)
{
	uint16_t fragment;

	if (size < IPV4_LEN)
		return PACKET_SHORT;
	if (ip[0] >> 4 != 4)
		return PACKET_VERSION;
	if ((ip[0] & 0x0f) != IPV4_LEN / 4 || fold(sum(0, ip, IPV4_LEN)) != UINT16_MAX)
		return PACKET_IP_HEADER;
	fragment = be16_at(ip, IPV4_FRAGMENT);
	if (fragment & (uint16_t) ~(IPV4_DF | IPV4_RESERVED))
		return PACKET_FRAGMENT;
	if (ip[IPV4_PROTOCOL] != IP_UDP)
		return PACKET_OTHER;
	if (be16_at(ip, IPV4_LENGTH) < IPV4_LEN || be16_at(ip, IPV4_LENGTH) > size)
		return PACKET_LENGTH;
	*udp_len = be16_at(ip, IPV4_LENGTH) - IPV4_LEN;
	/* A checksum of 0 is one of ffff: nobody sends that. */
	*reserved = fragment & IPV4_RESERVED || be16_at(ip, IPV4_CHECKSUM) == UINT16_MAX;
	route->dont_fragment = fragment & IPV4_DF;
	route->ident = be16_at(ip, IPV4_IDENT);
	route->traffic_class = ip[IPV4_TOS];
	route->hop_limit = ip[IPV4_TTL];
	memcpy(route->sgid, mapped, sizeof(mapped));
	memcpy(route->dgid, mapped, sizeof(mapped));
	memcpy(route->sgid + sizeof(mapped), ip + IPV4_SOURCE, 4);
	memcpy(route->dgid + sizeof(mapped), ip + IPV4_DEST, 4);
	return PACKET_OK;
}

static enum packet_fault open_ipv6(const uint8_t *ip, size_t size, struct packet_route *route,
				   size_t *udp_len)
{
	if (size < IPV6_LEN)
		return PACKET_SHORT;
	if (ip[0] >> 4 != 6)
		return PACKET_VERSION;
	if (ip[IPV6_NEXT] != IP_UDP)
		return PACKET_OTHER;
	if (be16_at(ip, IPV6_LENGTH) > size - IPV6_LEN)
		return PACKET_LENGTH;
	*udp_len = be16_at(ip, IPV6_LENGTH);
	packet_ipv6_decode(ip, route);
	return PACKET_OK;
}

enum packet_fault packet_ethernet_open(const uint8_t *buf, size_t size, struct packet_route *route,
				       size_t *front, size_t *len, bool *reserved)
{
	enum packet_fault fault;
	const uint8_t *ip, *udp;
	size_t udp_len;
	uint16_t type;

	if (size < ETHERNET_LEN)
		return PACKET_SHORT;
	memcpy(route->dmac, buf, 6);
	memcpy(route->smac, buf + 6, 6);
	type = be16_at(buf, ETHERTYPE);
	route->tagged = type == TYPE_VLAN;
	if (route->tagged) {
		if (size < ETHERNET_LEN + VLAN_LEN)
			return PACKET_SHORT;
		route->tci = be16_at(buf, ETHERTYPE + 2);
		type = be16_at(buf, ETHERTYPE + VLAN_LEN);
	}
	if (type != TYPE_IPV4 && type != TYPE_IPV6)
		return PACKET_OTHER;
	route->ipv4 = type == TYPE_IPV4;
	ip = buf + mac_length(route);
	size -= mac_length(route);
	fault = route->ipv4 ? open_ipv4(ip, size, route, &udp_len, reserved)
			    : open_ipv6(ip, size, route, &udp_len);
	if (fault)
		return fault;
	if (udp_len < UDP_LEN)
		return PACKET_SHORT;
	udp = ip + ip_length(route);
	if (be16_at(udp, UDP_DEST) != PACKET_UDP_PORT)
		return PACKET_OTHER;
	if (be16_at(udp, UDP_LENGTH) != udp_len)
		return PACKET_LENGTH;
	if (udp_len < UDP_LEN + BTH_LEN + ICRC_LEN)
		return PACKET_SHORT;
	route->source_port = be16_at(udp, UDP_SOURCE);
	route->udp_checksum = be16_at(udp, UDP_CHECKSUM) != 0;
	*front = (size_t)(udp - buf) + UDP_LEN;
	*len = udp_len - UDP_LEN - ICRC_LEN;
	return PACKET_OK;
}

enum packet_fault packet_ethernet_check(const struct packet_route *route, const uint8_t *buf,
					size_t front, size_t len)
{
	const uint8_t *ip = buf + mac_length(route);
	uint32_t icrc;

	if (route->udp_checksum && udp_sum(route, ip, UDP_LEN + len + ICRC_LEN) != UINT16_MAX)
		return PACKET_UDP_SUM;
	memcpy(&icrc, buf + front + len, sizeof(icrc));
	return le32toh(icrc) == packet_icrc_ip(ip, (size_t)(buf + front + len - ip)) ? PACKET_OK
										     : PACKET_ICRC;
}
