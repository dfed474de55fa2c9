/* SPDX-License-Identifier: GPL-2.0-only */
#include "fuzz/frames.h"

#include "base/bits.h"
#include "packet/packet.h"

#define TCP 6u
#define UDP 17u

const uint8_t *frames_mac(unsigned int station)
{
	static const uint8_t macs[4][6] = { { 2, 0, 0, 0, 0, 1 },
					    { 2, 0, 0, 0, 0, 2 },
					    { 2, 0, 0, 0, 0, 3 },
					    { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

	return macs[station & 3];
}

const uint8_t *frames_gid(unsigned int station, bool ipv4)
{
	static const uint8_t v4[2][16] = { { [10] = 0xff, 0xff, 10, 0, 0, 1 },
					   { [10] = 0xff, 0xff, 10, 0, 0, 2 } };
	static const uint8_t v6[2][16] = { { 0xfe, 0x80, [15] = 1 }, { 0xfe, 0x80, [15] = 2 } };

	return ipv4 ? v4[station & 1] : v6[station & 1];
}

/* The header of IP for @len bytes behind it; returns its own length. */
static size_t put_ip(uint8_t *at, bool v6, uint8_t protocol, size_t len, uint8_t host)
{
	if (v6) {
		memset(at, 0, 40);
		at[0] = 0x60;
		be16_put(at, 4, (uint16_t)len);
		at[6] = protocol;
		at[7] = 64;
		memcpy(at + 8, frames_gid(0, false), 16);
		memcpy(at + 24, frames_gid(1, false), 16);
		at[39] = host;
		return 40;
	}
	memset(at, 0, 20);
	at[0] = 0x45;
	be16_put(at, 2, (uint16_t)(20 + len));
	at[8] = 64;
	at[9] = protocol;
	memcpy(at + 12, frames_gid(0, true) + 12, 4);
	memcpy(at + 16, frames_gid(1, true) + 12, 4);
	at[19] = host;
	return 20;
}

size_t frames_make(struct input *in, uint8_t bytes[FRAMES_MAX], unsigned int station)
{
	uint8_t how = input_u8(in), where = input_u8(in);
	bool v6 = how & 1, tcp = how & 2;
	size_t len = 12, payload = input_u8(in), l4 = tcp ? 20 : 8;
	struct hca_frame frame;

	if (how & 0x80)
		payload *= 5;
	memcpy(bytes, frames_mac(where & 3), 6);
	if (where & 0x40) /* a group */
		bytes[0] |= 1;
	memcpy(bytes + 6, frames_mac(station), 6);
	if (where & 0x20)
		bytes[9] = input_u8(in);
	if (how & 4) { /* a tag */
		be16_put(bytes, len, how & 8 ? 0x88a8 : 0x8100);
		be16_put(bytes, len + 2, (uint16_t)(where << 5 | 7));
		len += 4;
	}
	be16_put(bytes, len, how & 0x10 ? 0x88b5 : v6 ? 0x86dd : 0x0800);
	len += 2;
	if (!(how & 0x10)) {
		len += put_ip(bytes + len, v6, tcp ? TCP : UDP, l4 + payload, where);
		memset(bytes + len, 0, l4);
		be16_put(bytes, len, (uint16_t)(0x1000 + (where >> 2)));
		be16_put(bytes, len + 2, 80);
		if (tcp) {
			bytes[len + 12] = 0x50;
			bytes[len + 13] = where & 4 ? 0x10 : 0x02;
		} else {
			be16_put(bytes, len + 4, (uint16_t)(l4 + payload));
		}
		len += l4;
	}
	for (size_t i = 0; i < payload; i++)
		bytes[len + i] = (uint8_t)(i * 7);
	len += payload;
	if (!(how & 0x20)) {
		hca_frame_parse(bytes, len, &frame);
		hca_frame_fill_ip(bytes, &frame);
		hca_frame_fill_l4(bytes, &frame);
	}
	if (how & 0x40)
		input_bytes(in, bytes + input_u8(in) % 80, 2);
	return len;
}

size_t frames_make_roce(struct input *in, uint8_t bytes[FRAMES_MAX], uint32_t qpn)
{
	static const uint8_t data[256] = { 1, 2, 3 };
	uint8_t how = input_u8(in);
	struct packet_route route = {
		.ethernet = true, .ipv4 = how & 1, .source_port = 0xc000, .hop_limit = 64
	};
	struct packet packet = { .opcode = PACKET_UD |
					   (how & 2 ? PACKET_SEND_ONLY_IMM : PACKET_SEND_ONLY),
				 .p_key = 0xffff,
				 .q_key = how & 4 ? 1 : 0x11111111,
				 .src_qpn = 5,
				 .dest_qpn = qpn,
				 .payload = data,
				 .length = input_u8(in) };
	int len;

	if (how & 8)
		packet.dest_qpn = input_u8(in);
	if (how & 0x40)
		packet.opcode = PACKET_RC | PACKET_SEND_ONLY;
	memcpy(route.smac, frames_mac(2), 6);
	memcpy(route.dmac, frames_mac(how & 0x10 ? 3 : how & 0x80 ? 1 : 0), 6);
	memcpy(route.sgid, frames_gid(0, how & 1), 16);
	memcpy(route.dgid, frames_gid(how >> 7, how & 1), 16);
	route.tagged = how & 0x20;
	len = packet_encode(&route, &packet, bytes, FRAMES_MAX);
	return len < 0 ? 14 : (size_t)len;
}

size_t frames_headers(const uint8_t *bytes, size_t len)
{
	struct hca_frame frame;

	hca_frame_parse(bytes, len, &frame);
	return frame.l4_at ? frame.l4_at + frame.l4_len : 14;
}
