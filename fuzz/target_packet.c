/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets: what encodes decodes to the same; bytes that decode encode to the same again, unless a
 * reserved bit was set. Bytes are tried as they are, and with CRCs and checksums that are right,
 * since nothing gets past those by chance.
 */
#include <stdlib.h>

#include "fuzz/target.h"
#include "packet/crc.h"
#include "packet/packet.h"
#include "packet/tests/same.h"

static void decode(bool ethernet, const uint8_t *bytes, size_t len)
{
	/* Of its own, so that a sanitizer sees a look behind it. */
	uint8_t *exact = malloc(len ? len : 1), *again = malloc(PACKET_MAX);
	struct packet_route route, to;
	struct packet packet, back;
	enum packet_fault fault;
	int size;

	if (!exact || !again)
		abort();
	memcpy(exact, bytes, len);
	fault = packet_decode(ethernet, exact, len, &route, &packet);
	if (fault) {
		packet_fault_name(fault);
		goto out;
	}
	if (packet.length &&
	    (packet.payload < exact || packet.payload + packet.length > exact + len))
		finding("the payload is not in the packet");
	size = packet_encode(&route, &packet, again, PACKET_MAX);
	if (size < 0)
		finding("opcode 0x%02x was decoded, but does not encode: %d", packet.opcode, size);
	if ((size_t)size > len || (!ethernet && (size_t)size != len))
		finding("%zu bytes become %d", len, size);
	if (!packet.reserved && memcmp(again, exact, (size_t)size))
		finding("opcode 0x%02x does not encode to the same bytes", packet.opcode);
	if (packet_decode(ethernet, again, (size_t)size, &to, &back))
		finding("opcode 0x%02x does not decode once more", packet.opcode);
	if (!same_route(&route, &to) || !same_packet(&packet, &back) || back.reserved)
		finding("opcode 0x%02x says something else once more", packet.opcode);
out:
	free(exact);
	free(again);
}

static struct packet_route some_route(struct input *in)
{
	uint8_t flags = input_u8(in);
	struct packet_route route = { .ethernet = flags & 1 };
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	route.traffic_class = input_u8(in);
	route.hop_limit = input_u8(in);
	if (route.ethernet) {
		input_bytes(in, route.dmac, 6);
		input_bytes(in, route.smac, 6);
		route.tagged = flags & 2;
		route.tci = route.tagged ? input_u16(in) : 0;
		route.ipv4 = flags & 4;
		route.ident = route.ipv4 ? input_u16(in) : 0;
		route.dont_fragment = route.ipv4 && flags & 8;
		route.source_port = input_u16(in);
		route.udp_checksum = flags & 16;
	} else {
		route.vl = input_u8(in) & (flags & 32 ? 0xff : 15);
		route.sl = input_u8(in) & (flags & 32 ? 0xff : 15);
		route.slid = input_u16(in);
		route.dlid = input_u16(in);
		route.grh = flags & 2;
		if (!route.grh)
			route.traffic_class = route.hop_limit = 0;
	}
	if (!route.ethernet && !route.grh)
		return route;
	input_bytes(in, route.sgid, 16);
	input_bytes(in, route.dgid, 16);
	if (route.ipv4) {
		memcpy(route.sgid, mapped, flags & 64 ? 0 : sizeof(mapped));
		memcpy(route.dgid, mapped, flags & 64 ? 0 : sizeof(mapped));
	} else {
		route.flow_label = input_u32(in) & (flags & 32 ? UINT32_MAX : 0xfffff);
	}
	return route;
}

static struct packet some_packet(struct input *in, const uint8_t payload[PACKET_PAYLOAD_MAX])
{
	uint8_t flags = input_u8(in);
	uint32_t mask = flags & 0x80 ? UINT32_MAX : PACKET_24_BITS;
	struct packet packet = {
		.opcode = input_u8(in),
		.solicited = flags & 1,
		.migrated = flags & 2,
		.fecn = flags & 4,
		.becn = flags & 8,
		.ack_req = flags & 16,
		.p_key = input_u16(in),
		.dest_qpn = input_u32(in) & mask,
		.psn = input_u32(in) & mask,
		.payload = payload,
	};
	struct packet_opcode info;

	if (!packet_opcode(packet.opcode, &info))
		return packet;
	if (info.payload)
		packet.length = (size_t)(input_number(in) % (PACKET_PAYLOAD_MAX + 2));
	if (info.headers & PACKET_DCETH) {
		packet.dc_key = input_u64(in);
		packet.src_qpn = input_u32(in) & mask;
	}
	if (info.headers & PACKET_XRCETH)
		packet.srqn = input_u32(in) & mask;
	if (info.headers & PACKET_DETH) {
		packet.q_key = input_u32(in);
		packet.src_qpn = input_u32(in) & mask;
	}
	if (info.headers & (PACKET_RETH | PACKET_ATOMICETH)) {
		packet.va = input_u64(in);
		packet.r_key = input_u32(in);
	}
	if (info.headers & PACKET_RETH)
		packet.dma_length = input_u32(in);
	if (info.headers & PACKET_ATOMICETH) {
		packet.swap_add = input_u64(in);
		packet.compare = input_u64(in);
	}
	if (info.headers & PACKET_AETH) {
		packet.syndrome = input_u8(in);
		packet.msn = input_u32(in) & mask;
	}
	if (info.headers & PACKET_ATOMICACKETH)
		packet.original = input_u64(in);
	if (info.headers & (PACKET_IMMDT | PACKET_IETH))
		packet.immediate = input_u32(in);
	return packet;
}

/* The CRCs, and the checksum of an IPv4 header, of bytes that something was done to. */
static void seal(bool ethernet, uint8_t *bytes, size_t len)
{
	size_t ip = 14;
	uint32_t icrc, sum = 0;
	uint16_t vcrc;

	if (!ethernet) {
		if (len < 8 || len < 8 + ((bytes[1] & 3) == 3 ? 40 : 0) + 12 + 6u)
			return;
		icrc = packet_icrc_infiniband(bytes, len - 6);
		memcpy(bytes + len - 6, &icrc, sizeof(icrc));
		vcrc = packet_vcrc(bytes, len - 2);
		memcpy(bytes + len - 2, &vcrc, sizeof(vcrc));
		return;
	}
	if (len > 14 && bytes[12] == 0x81)
		ip = 18;
	if (len <= ip || len < ip + (bytes[ip] >> 4 == 4 ? 20 : 40) + 8 + 12 + 4)
		return;
	if (bytes[ip] >> 4 == 4) {
		bytes[ip + 10] = bytes[ip + 11] = 0;
		for (size_t i = 0; i < 20; i += 2)
			sum += (uint32_t)(bytes[ip + i] << 8 | bytes[ip + i + 1]);
		while (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
		bytes[ip + 10] = (uint8_t)(~sum >> 8);
		bytes[ip + 11] = (uint8_t)~sum;
	}
	icrc = packet_icrc_ip(bytes + ip, len - ip - 4);
	memcpy(bytes + len - 4, &icrc, sizeof(icrc));
}

/* A packet, which arrives as it was sent; then with some of its bytes changed, and cut off. */
static void from_fields(struct input *in)
{
	static uint8_t payload[PACKET_PAYLOAD_MAX];
	static uint8_t buf[PACKET_MAX];
	struct packet_route route, to;
	struct packet packet, back;
	int len;

	payload[0]++;
	route = some_route(in);
	packet = some_packet(in, payload);
	len = packet_encode(&route, &packet, buf, sizeof(buf));
	if (len < 0)
		return;
	if (packet_decode(route.ethernet, buf, (size_t)len, &to, &back))
		finding("opcode 0x%02x was encoded, but does not decode", packet.opcode);
	if (!same_route(&route, &to) || !same_packet(&packet, &back) || back.reserved)
		finding("opcode 0x%02x says something else when decoded", packet.opcode);
	/* Pad count and version, more often than by chance. */
	if (input_u8(in) & 1) {
		size_t flags =
			1 + (route.ethernet ? 14 + 4 * route.tagged + (route.ipv4 ? 20 : 40) + 8
					    : 8 + 40 * route.grh);

		buf[flags] ^= input_u8(in) & 0x3f;
	}
	for (unsigned int changes = input_below(in, 4); changes; changes--) {
		size_t at = input_u8(in) % (size_t)len;

		buf[at] = input_u8(in);
	}
	len -= (int)input_below(in, 8) % len;
	decode(route.ethernet, buf, (size_t)len);
	seal(route.ethernet, buf, (size_t)len);
	decode(route.ethernet, buf, (size_t)len);
}

void target_input(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	uint8_t how = input_u8(&in);
	uint8_t *bytes;

	if (how & 1) {
		while (!input_done(&in))
			from_fields(&in);
		return;
	}
	size = (size_t)(in.end - in.at);
	bytes = malloc(size ? size : 1);
	if (!bytes)
		abort();
	input_bytes(&in, bytes, size);
	decode(how & 2, bytes, size);
	seal(how & 2, bytes, size);
	decode(how & 2, bytes, size);
	free(bytes);
}
