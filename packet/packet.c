/* SPDX-License-Identifier: GPL-2.0-only */
#include "packet/packet.h"

#include <errno.h>

#include "packet/internal.h"
#include "packet/layout.h"

int packet_encode(const struct packet_route *route, const struct packet *packet, uint8_t *buf,
		  size_t size)
{
	size_t front =
		route->ethernet ? packet_ethernet_front(route) : packet_infiniband_front(route);
	size_t len = packet_transport_length(packet);
	size_t total = front + len + ICRC_LEN + (route->ethernet ? 0 : VCRC_LEN);

	if (!front || !len)
		return -EINVAL;
	if (size < total)
		return -EMSGSIZE;
	packet_transport_encode(packet, buf + front);
	if (route->ethernet)
		packet_ethernet_wrap(route, buf, len);
	else
		packet_infiniband_wrap(route, buf, len);
	return (int)total;
}

int packet_grh(const struct packet_route *route, const struct packet *packet, uint8_t grh[40])
{
	size_t len = packet_transport_length(packet);

	if (!packet_infiniband_front(route) || !len)
		return -EINVAL;
	packet_ipv6_encode(route, GRH_NEXT_BTH, len + ICRC_LEN, grh);
	return 0;
}

enum packet_fault packet_decode(bool ethernet, const uint8_t *buf, size_t len,
				struct packet_route *route, struct packet *packet)
{
	struct packet_route to = { .ethernet = ethernet };
	struct packet out = { 0 };
	size_t front, inner;
	enum packet_fault fault;
	bool reserved = false;

	fault = ethernet ? packet_ethernet_open(buf, len, &to, &front, &inner, &reserved)
			 : packet_infiniband_open(buf, len, &to, &front, &inner, &reserved);
	if (!fault)
		fault = packet_transport_decode(buf + front, inner, &out);
	if (!fault)
		fault = ethernet ? packet_ethernet_check(&to, buf, front, inner)
				 : packet_infiniband_check(buf, front, inner);
	if (fault)
		return fault;
	out.reserved |= reserved;
	*route = to;
	*packet = out;
	return PACKET_OK;
}

const char *packet_fault_name(enum packet_fault fault)
{
	static const char *const names[PACKET_FAULTS] = {
		[PACKET_OK] = "nothing is wrong",
		[PACKET_SHORT] = "it ends within a header",
		[PACKET_OTHER] = "it is of another protocol",
		[PACKET_VERSION] = "a header is of an unknown version",
		[PACKET_IP_HEADER] = "IPv4 header has options, or a wrong checksum",
		[PACKET_FRAGMENT] = "it is a fragment",
		[PACKET_LENGTH] = "a length field is wrong",
		[PACKET_BAD_OPCODE] = "its opcode is unknown",
		[PACKET_PAD] = "it has more pad bytes than bytes",
		[PACKET_NO_PAYLOAD] = "its opcode has no payload, but there is one",
		[PACKET_LONG] = "its payload is longer than the largest MTU",
		[PACKET_UDP_SUM] = "UDP checksum is wrong",
		[PACKET_VCRC] = "VCRC is wrong",
		[PACKET_ICRC] = "ICRC is wrong",
	};

	return (unsigned int)fault < PACKET_FAULTS ? names[fault] : "?";
}
