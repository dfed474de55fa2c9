/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets byte by byte. ICRC and VCRC were computed by programs that share nothing with packet/:
 *   write_ipv4, ack_ipv4  scapy 2.5 (contrib/roce), and a bit-serial CRC by the polynomial
 *   cnp                   a frame that a ConnectX-4 Lx sent, from the tests of scapy
 *   ud_ipv6               bit-serial, and zlib's CRC over the same masked bytes
 *   sample                the sample packet of the Architecture's text (its ICRC is published
 * there) send_ib, ud_grh       bit-serial, and the CRCs of a table from a public packet library
 */
#ifndef PACKET_TESTS_VECTORS_H
#define PACKET_TESTS_VECTORS_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "packet/packet.h"

struct vector {
	const char *name;
	bool ethernet;
	const char *hex;
	struct packet_route route;
	struct packet packet;
};

#define PAYLOAD(text) .payload = (const uint8_t *)(text), .length = sizeof(text) - 1
#define MAPPED(a, b, c, d)                                           \
	{                                                            \
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d \
	}
#define LINK_LOCAL(a, b, c, d, e, f, g, h)                           \
	{                                                            \
		0xfe, 0x80, 0, 0, 0, 0, 0, 0, a, b, c, d, e, f, g, h \
	}

static const struct vector vectors[] = {
	{ "write_ipv4",
	  true,
	  "525400000002 525400000001 0800 4502004412344000 4011 1463 0a070001 0a070002"
	  "c12312b700300000 0a70ffff 00000012 80abcdef 00007f0011223344 00001405 00000005"
	  "48454c4c4f000000 aa392acd",
	  { .ethernet = true,
	    .dmac = { 0x52, 0x54, 0, 0, 0, 2 },
	    .smac = { 0x52, 0x54, 0, 0, 0, 1 },
	    .ipv4 = true,
	    .ident = 0x1234,
	    .dont_fragment = true,
	    .source_port = 0xc123,
	    .traffic_class = 2,
	    .hop_limit = 64,
	    .sgid = MAPPED(10, 7, 0, 1),
	    .dgid = MAPPED(10, 7, 0, 2) },
	  { .opcode = 0x0a,
	    .migrated = true,
	    .p_key = 0xffff,
	    .dest_qpn = 0x12,
	    .ack_req = true,
	    .psn = 0xabcdef,
	    .va = 0x7f0011223344,
	    .r_key = 0x1405,
	    .dma_length = 5,
	    PAYLOAD("HELLO") } },
	{ "ack_ipv4",
	  true,
	  "525400000001 525400000002 0800 4500003000014000 4011 26ac 0a070002 0a070001"
	  "c12312b7001c0000 1140ffff 00000034 00abcdef 1f000001 5330b6a1",
	  { .ethernet = true,
	    .dmac = { 0x52, 0x54, 0, 0, 0, 1 },
	    .smac = { 0x52, 0x54, 0, 0, 0, 2 },
	    .ipv4 = true,
	    .ident = 1,
	    .dont_fragment = true,
	    .source_port = 0xc123,
	    .hop_limit = 64,
	    .sgid = MAPPED(10, 7, 0, 2),
	    .dgid = MAPPED(10, 7, 0, 1) },
	  { .opcode = 0x11,
	    .migrated = true,
	    .p_key = 0xffff,
	    .dest_qpn = 0x34,
	    .psn = 0xabcdef,
	    .syndrome = 0x1f,
	    .msn = 1 } },
	{ "ud_ipv6",
	  true,
	  "525400000002 525400000001 86dd 60212345 0024 11 ff"
	  "fe80000000000000505400fffe000001 fe80000000000000505400fffe000002"
	  "c00012b700240000 6400ffff 00000056 00000007 11111111 00000099 01020304 2d52d646",
	  { .ethernet = true,
	    .dmac = { 0x52, 0x54, 0, 0, 0, 2 },
	    .smac = { 0x52, 0x54, 0, 0, 0, 1 },
	    .source_port = 0xc000,
	    .traffic_class = 2,
	    .flow_label = 0x12345,
	    .hop_limit = 255,
	    .sgid = LINK_LOCAL(0x50, 0x54, 0, 0xff, 0xfe, 0, 0, 1),
	    .dgid = LINK_LOCAL(0x50, 0x54, 0, 0xff, 0xfe, 0, 0, 2) },
	  { .opcode = 0x64,
	    .p_key = 0xffff,
	    .dest_qpn = 0x56,
	    .psn = 7,
	    .q_key = 0x11111111,
	    .src_qpn = 0x99,
	    PAYLOAD("\1\2\3\4") } },
	{ "cnp",
	  true,
	  "e41d2dab2bc2 7cfe90643b32 0800 45c2003c718c4000 4011 9161 0a001101 0a001201"
	  "000012b700280000 8100ffff 40000118 00000000 00000000000000000000000000000000 82fd002a",
	  { .ethernet = true,
	    .dmac = { 0xe4, 0x1d, 0x2d, 0xab, 0x2b, 0xc2 },
	    .smac = { 0x7c, 0xfe, 0x90, 0x64, 0x3b, 0x32 },
	    .ipv4 = true,
	    .ident = 0x718c,
	    .dont_fragment = true,
	    .traffic_class = 0xc2,
	    .hop_limit = 64,
	    .sgid = MAPPED(10, 0, 17, 1),
	    .dgid = MAPPED(10, 0, 18, 1) },
	  { .opcode = 0x81, .p_key = 0xffff, .becn = true, .dest_qpn = 0x118 } },
	{ "sample",
	  false,
	  "7012375c000e17d2 0a20248700 87b1b3000dec2a 01710a1c015d4002 38f27a05 0000000e"
	  "bb884d85fd5cfba4728bc0690ed40000 9625b75a 45fa",
	  { .vl = 7, .sl = 1, .dlid = 0x375c, .slid = 0x17d2 },
	  { .opcode = 0x0a,
	    .p_key = 0x2487,
	    .dest_qpn = 0x87b1b3,
	    .psn = 0x0dec2a,
	    .va = 0x01710a1c015d4002,
	    .r_key = 0x38f27a05,
	    .dma_length = 14,
	    PAYLOAD("\xbb\x88\x4d\x85\xfd\x5c\xfb\xa4\x72\x8b\xc0\x69\x0e\xd4") } },
	{ "send_ib",
	  false,
	  "0002000200070001 0440ffff 00000012 80000001 deadbeef 974ed316 3b89",
	  { .dlid = 2, .slid = 1 },
	  { .opcode = 0x04,
	    .migrated = true,
	    .p_key = 0xffff,
	    .dest_qpn = 0x12,
	    .ack_req = true,
	    .psn = 1,
	    PAYLOAD("\xde\xad\xbe\xef") } },
	{ "ud_grh",
	  false,
	  "0003000200130001 60000000001c1b40 fe800000000000000002c90300000001"
	  "fe800000000000000002c90300000002 6400ffff 00000056 00000007 11111111 00000099"
	  "01020304 688f51fb 08fe",
	  { .dlid = 2,
	    .slid = 1,
	    .grh = true,
	    .hop_limit = 64,
	    .sgid = LINK_LOCAL(0, 2, 0xc9, 3, 0, 0, 0, 1),
	    .dgid = LINK_LOCAL(0, 2, 0xc9, 3, 0, 0, 0, 2) },
	  { .opcode = 0x64,
	    .p_key = 0xffff,
	    .dest_qpn = 0x56,
	    .psn = 7,
	    .q_key = 0x11111111,
	    .src_qpn = 0x99,
	    PAYLOAD("\1\2\3\4") } },
};

#define VECTORS (sizeof(vectors) / sizeof(vectors[0]))

/* Bytes of @hex, which may have spaces, at @buf. Returns how many. */
static inline size_t from_hex(const char *hex, uint8_t *buf)
{
	size_t len = 0;
	unsigned int byte;

	for (; *hex; hex++)
		if (*hex != ' ' && sscanf(hex, "%2x", &byte) == 1) {
			buf[len++] = (uint8_t)byte;
			hex++;
		}
	return len;
}

#endif
