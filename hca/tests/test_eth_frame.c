/* SPDX-License-Identifier: GPL-2.0-only */
#include "hca/eth_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"

#define IP_AT  14u
#define TCP_AT 34u

/* TCP over IPv4 from 192.168.0.1:1000 to 192.168.0.199:80, sequence 1, ACK, PSH and FIN. */
static const uint8_t tcp4[] = {
	2,    0,    0,	 0,   0,    2,	  2,	0, 0,  0, 0, 1, 0x08, 0x00, /* Ethernet */
	0x45, 0,    0,	 44,  0x12, 0x34, 0x40, 0, 64, 6, 0, 0, 192,  168,
	0,    1,    192, 168, 0,    199, /* IP */
	0x03, 0xe8, 0,	 80,  0,    0,	  0,	1, 0,  0, 0, 0, 0x50, 0x99,
	1,    0,    0,	 0,   0,    0, /* TCP: CWR, too */
	'd',  'a',  't', 'a',
};

static const uint8_t udp6[] = {
	2,    0,    0, 0,  0, 2,  2,  0, 0,   0,   0,	1, 0x86, 0xdd,	     /* Ethernet */
	0x6a, 0xb0, 0, 0,  0, 11, 17, 9,				     /* traffic class ab */
	0xfe, 0x80, 0, 0,  0, 0,  0,  0, 0,   0,   0,	0, 0,	 0,    0, 1, /* from */
	0xfe, 0x80, 0, 0,  0, 0,  0,  0, 0,   0,   0,	0, 0,	 0,    0, 2, /* to */
	0x12, 0xb7, 0, 53, 0, 11, 0,  0, 'a', 'b', 'c',			     /* UDP */
};

/* Of @len bytes in memory of their own, so that a look past them is seen. */
static struct hca_frame parse(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct hca_frame frame;

	memcpy(copy, bytes, len);
	hca_frame_parse(copy, len, &frame);
	free(copy);
	return frame;
}

static void headers_are_found(void **state)
{
	struct hca_frame frame = parse(tcp4, sizeof(tcp4));

	(void)state;
	assert_int_equal(frame.ethertype, 0x0800);
	assert_int_equal(frame.ip, 4);
	assert_int_equal(frame.l4_at, TCP_AT);
	assert_int_equal(frame.l4_len, 20);
	assert_int_equal(frame.ip_end, sizeof(tcp4));
	assert_int_equal(frame.sport, 1000);
	assert_int_equal(frame.dport, 80);
	assert_int_equal(frame.tcp_flags, 0x099);
	frame = parse(udp6, sizeof(udp6));
	assert_int_equal(frame.ip, 6);
	assert_int_equal(frame.protocol, HCA_ETH_UDP);
	assert_int_equal(frame.l4_at, 54);
	assert_int_equal(frame.dport, 53);
}

static void tags_are_looked_behind(void **state)
{
	uint8_t bytes[sizeof(tcp4) + 12];
	struct hca_frame frame;

	(void)state;
	memcpy(bytes, tcp4, 12);
	memcpy(bytes + 12, "\x88\xa8\x20\x07\x81\x00\x00\x64", 8);
	memcpy(bytes + 20, tcp4 + 12, sizeof(tcp4) - 12);
	frame = parse(bytes, sizeof(tcp4) + 8);
	assert_int_equal(frame.tags, 2);
	assert_true(frame.stag);
	assert_false(frame.ctag);
	assert_int_equal(frame.tci, 0x2007);
	assert_int_equal(frame.ip_at, 22);
	assert_int_equal(frame.dport, 80);
	/* A third one is not. */
	memcpy(bytes + 20, "\x81\x00\x00\x01", 4);
	memcpy(bytes + 24, tcp4 + 12, sizeof(tcp4) - 12);
	frame = parse(bytes, sizeof(bytes));
	assert_int_equal(frame.tags, 2);
	assert_int_equal(frame.ethertype, 0x8100);
	assert_int_equal(frame.ip, 0);
}

/* Each length of a frame, and each value of each byte that says how long something is. */
static void lies_lead_nowhere(void **state)
{
	static const struct {
		const uint8_t *bytes;
		size_t len;
	} frames[] = { { tcp4, sizeof(tcp4) }, { udp6, sizeof(udp6) } };
	uint8_t bytes[128];
	struct hca_frame frame;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (size_t len = 0; len < frames[i].len; len++) {
			frame = parse(frames[i].bytes, len);
			assert_true(!frame.ip || (frame.cut && frame.ip_end == len));
			assert_true(!frame.l4_at || frame.l4_at + frame.l4_len <= len);
			assert_false(hca_frame_ip_ok(frames[i].bytes, &frame));
			assert_false(hca_frame_l4_ok(frames[i].bytes, &frame));
		}
		for (size_t at = 12; at < frames[i].len; at++) {
			for (unsigned int value = 0; value < 256; value++) {
				memcpy(bytes, frames[i].bytes, frames[i].len);
				bytes[at] = (uint8_t)value;
				frame = parse(bytes, frames[i].len);
				assert_true(frame.ip_at <= frames[i].len);
				if (frame.ip)
					assert_true(frame.ip_end <= frames[i].len);
				if (frame.l4_at)
					assert_true(frame.l4_at + frame.l4_len <= frame.ip_end);
			}
		}
	}
	/* A header length of four words, and one that goes on behind the end. */
	memcpy(bytes, tcp4, sizeof(tcp4));
	bytes[IP_AT] = 0x44;
	assert_int_equal(parse(bytes, sizeof(tcp4)).ip, 0);
	bytes[IP_AT] = 0x45;
	bytes[TCP_AT + 12] = 0xf0;
	frame = parse(bytes, sizeof(tcp4));
	assert_int_equal(frame.ip, 4);
	assert_int_equal(frame.l4_at, 0);
}

/* One that says it is longer than it is has addresses and ports all the same, but no sums. */
static void what_is_cut_has_headers(void **state)
{
	uint8_t bytes[sizeof(udp6)], as_it_was[sizeof(udp6)], key[HCA_FRAME_KEY];
	struct hca_frame frame;

	(void)state;
	memcpy(bytes, udp6, sizeof(bytes));
	be16_put(bytes, IP_AT + 4, (uint16_t)(be16_at(bytes, IP_AT + 4) + 40));
	frame = parse(bytes, sizeof(bytes));
	assert_true(frame.cut);
	assert_int_equal(frame.ip, 6);
	assert_int_equal(frame.ip_end, sizeof(bytes));
	hca_frame_key(bytes, sizeof(bytes), &frame, key);
	assert_memory_equal(key + 0x20, udp6 + IP_AT + 8, 32);
	assert_int_equal(be16_at(key, 30), be16_at(udp6, IP_AT + 42));
	assert_false(hca_frame_ip_ok(bytes, &frame));
	assert_false(hca_frame_l4_ok(bytes, &frame));
	memcpy(as_it_was, bytes, sizeof(bytes));
	hca_frame_fill_ip(bytes, &frame);
	hca_frame_fill_l4(bytes, &frame);
	assert_memory_equal(bytes, as_it_was, sizeof(bytes));
	frame = parse(udp6, sizeof(udp6));
	assert_false(frame.cut);
}

/* The header of IPv4 has a checksum of its own, which is left alone, too. */
static void what_is_cut_has_no_sums(void **state)
{
	uint8_t bytes[sizeof(tcp4)];
	struct hca_frame frame;

	(void)state;
	memcpy(bytes, tcp4, sizeof(bytes));
	frame = parse(bytes, sizeof(bytes) - 1);
	assert_true(frame.cut);
	assert_int_equal(frame.ip, 4);
	hca_frame_fill_ip(bytes, &frame);
	hca_frame_fill_l4(bytes, &frame);
	assert_memory_equal(bytes, tcp4, sizeof(bytes));
	/* Nor does one hold that was right of the whole. */
	frame = parse(bytes, sizeof(bytes));
	hca_frame_fill_ip(bytes, &frame);
	hca_frame_fill_l4(bytes, &frame);
	frame = parse(bytes, sizeof(bytes) - 1);
	assert_false(hca_frame_ip_ok(bytes, &frame));
	assert_false(hca_frame_l4_ok(bytes, &frame));
}

static void extensions_are_looked_behind(void **state)
{
	uint8_t bytes[sizeof(udp6) + 80];
	struct hca_frame frame;
	unsigned int count;

	(void)state;
	for (count = 1; count < 10; count++) {
		memcpy(bytes, udp6, 54);
		bytes[20] = 60;
		be16_put(bytes, 18, (uint16_t)(11 + 8 * count));
		memset(bytes + 54, 0, 8 * count);
		for (unsigned int i = 0; i < count; i++)
			bytes[54 + 8 * i] = i + 1 < count ? 60 : 17;
		memcpy(bytes + 54 + 8 * count, udp6 + 54, 11);
		frame = parse(bytes, sizeof(udp6) + 8 * count);
		assert_int_equal(frame.l4_at, count <= 8 ? 54 + 8 * count : 0);
	}
	/* Fragments have no ports. */
	bytes[20] = 44;
	bytes[54] = 17;
	frame = parse(bytes, sizeof(udp6) + 72);
	assert_true(frame.fragment);
	assert_int_equal(frame.protocol, 17);
	assert_int_equal(frame.l4_at, 0);
}

static void sums_are_those_of_the_rfc(void **state)
{
	/* The example of RFC 1071, and a header that is in many books. */
	static const uint8_t words[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };
	static const uint8_t header[] = { 0x45, 0,    0,    0x73, 0, 0, 0x40, 0,    0x40, 0x11,
					  0xb8, 0x61, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0,	  0xc7 };

	(void)state;
	assert_int_equal(hca_frame_sum(words, sizeof(words)), 0xddf2);
	assert_int_equal(hca_frame_sum(words, 7), (uint16_t)(0xddf2 - 0xf7));
	assert_int_equal(hca_frame_sum(words, 0), 0);
	assert_int_equal(hca_frame_sum(header, sizeof(header)), 0xffff);
}

static void checksums_are_filled_in(void **state)
{
	uint8_t bytes[sizeof(tcp4)], packet[sizeof(udp6)];
	struct hca_frame frame = parse(tcp4, sizeof(tcp4));

	(void)state;
	memcpy(bytes, tcp4, sizeof(tcp4));
	/* What is in the fields before does not matter. */
	memset(bytes + IP_AT + 10, 0x5a, 2);
	memset(bytes + TCP_AT + 16, 0xa5, 2);
	assert_false(hca_frame_ip_ok(bytes, &frame));
	assert_false(hca_frame_l4_ok(bytes, &frame));
	hca_frame_fill_ip(bytes, &frame);
	hca_frame_fill_l4(bytes, &frame);
	assert_int_equal(be16_at(bytes, IP_AT + 10), 0xa67f);
	assert_int_equal(be16_at(bytes, TCP_AT + 16), 0x4f33);
	assert_true(hca_frame_ip_ok(bytes, &frame));
	assert_true(hca_frame_l4_ok(bytes, &frame));
	bytes[sizeof(bytes) - 1]++;
	assert_false(hca_frame_l4_ok(bytes, &frame));

	/* Zero is none: never over IPv6, and a sum of zero goes as ffff. */
	frame = parse(udp6, sizeof(udp6));
	assert_false(hca_frame_l4_ok(udp6, &frame));
	memcpy(packet, udp6, sizeof(udp6));
	hca_frame_fill_l4(packet, &frame);
	assert_true(hca_frame_l4_ok(packet, &frame));
	be16_put(packet, 54, (uint16_t)(be16_at(packet, 54) + be16_at(packet, 60)));
	hca_frame_fill_l4(packet, &frame);
	assert_int_equal(be16_at(packet, 60), 0xffff);
	assert_true(hca_frame_l4_ok(packet, &frame));
}

static void segments_are_frames(void **state)
{
	uint8_t bytes[sizeof(tcp4)];
	struct hca_frame frame;

	(void)state;
	/* The message says a length that no segment has. */
	memcpy(bytes, tcp4, sizeof(tcp4));
	be16_put(bytes, IP_AT + 2, 0);
	assert_true(hca_frame_segment(bytes, sizeof(bytes), 54, 0, 0, false));
	frame = parse(bytes, sizeof(bytes));
	assert_int_equal(be16_at(bytes, IP_AT + 2), 44);
	assert_int_equal(be16_at(bytes, IP_AT + 4), 0x1234);
	assert_int_equal(frame.tcp_flags, 0x090);
	assert_int_equal(be32_at(bytes, TCP_AT + 4), 1);
	assert_true(hca_frame_ip_ok(bytes, &frame) && hca_frame_l4_ok(bytes, &frame));

	memcpy(bytes, tcp4, sizeof(tcp4));
	assert_true(hca_frame_segment(bytes, sizeof(bytes) - 1, 54, 3, 12, true));
	frame = parse(bytes, sizeof(bytes) - 1);
	assert_int_equal(be16_at(bytes, IP_AT + 2), 43);
	assert_int_equal(be16_at(bytes, IP_AT + 4), 0x1237);
	assert_int_equal(frame.tcp_flags, 0x019);
	assert_int_equal(be32_at(bytes, TCP_AT + 4), 13);
	assert_true(hca_frame_ip_ok(bytes, &frame) && hca_frame_l4_ok(bytes, &frame));
}

static void segments_of_udp_have_lengths(void **state)
{
	uint8_t bytes[sizeof(udp6)];
	struct hca_frame frame;

	(void)state;
	memcpy(bytes, udp6, sizeof(udp6));
	assert_true(hca_frame_segment(bytes, sizeof(bytes) - 2, 62, 1, 1, true));
	frame = parse(bytes, sizeof(bytes) - 2);
	assert_int_equal(be16_at(bytes, 18), 9);
	assert_int_equal(be16_at(bytes, 58), 9);
	assert_true(hca_frame_l4_ok(bytes, &frame));
}

static void headers_that_are_none_make_no_segment(void **state)
{
	uint8_t bytes[sizeof(tcp4)];

	(void)state;
	for (size_t header = 0; header <= sizeof(tcp4) + 1; header++) {
		memcpy(bytes, tcp4, sizeof(tcp4));
		assert_int_equal(hca_frame_segment(bytes, sizeof(bytes), header, 0, 0, true),
				 header == 54);
	}
	for (size_t len = 0; len < 54; len++) {
		memcpy(bytes, tcp4, sizeof(tcp4));
		assert_false(hca_frame_segment(bytes, len, 54, 0, 0, true));
	}
	memcpy(bytes, tcp4, sizeof(tcp4));
	bytes[IP_AT + 9] = 1; /* ICMP */
	assert_false(hca_frame_segment(bytes, sizeof(bytes), 54, 0, 0, true));
	bytes[12] = 0x07; /* no IP */
	assert_false(hca_frame_segment(bytes, sizeof(bytes), 54, 0, 0, true));
}

/* The vectors that Microsoft published for its network drivers. */
static void toeplitz_is_the_published_one(void **state)
{
	static const uint8_t key[40] = {
		0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
		0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
		0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
	};
	static const uint8_t v4[] = { 66, 9, 149, 187, 161, 142, 100, 80, 0x0a, 0xea, 0x06, 0xe6 };
	static const uint8_t v6[] = { 0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x1f, 0xff, 0,
				      0,    0,	  0,	0,    0,    0,	  0x07, 0x3f, 0xfe,
				      0x25, 0x01, 0x02, 0x00, 0,    3,	  0,	0,    0,
				      0,    0,	  0,	0,    1,    0x0a, 0xea, 6,    0xe6 };

	(void)state;
	assert_int_equal(hca_frame_toeplitz(key, v4, 8), 0x323e8fc2);
	assert_int_equal(hca_frame_toeplitz(key, v4, 12), 0x51ccc178);
	assert_int_equal(hca_frame_toeplitz(key, v6, 32), 0x2cc18cd5);
	assert_int_equal(hca_frame_toeplitz(key, v6, 36), 0x40207d3d);
	assert_int_equal(hca_frame_toeplitz(key, v6, 0), 0);
}

static void key_has_what_the_frame_has(void **state)
{
	struct hca_frame frame = parse(tcp4, sizeof(tcp4));
	uint8_t key[HCA_FRAME_KEY], tagged[sizeof(tcp4) + 4];

	(void)state;
	hca_frame_key(tcp4, sizeof(tcp4), &frame, key);
	assert_memory_equal(key, tcp4 + 6, 6);
	assert_memory_equal(key + 8, tcp4, 6);
	assert_int_equal(be16_at(key, 6), 0x0800);
	assert_int_equal(be16_at(key, 14), 0);
	assert_int_equal(field_get(key, 4, 31, 24), 6);
	assert_int_equal(field_get(key, 4, 15, 13), 0);
	assert_int_equal(field_get(key, 4, 12, 9), 4);
	assert_int_equal(field_get(key, 4, 8, 0), 0x099);
	assert_int_equal(be32_at(key, 20), 1000u << 16 | 80);
	assert_int_equal(be32_at(key, 24), 1u << 30 | 5u << 12 | 64);
	assert_int_equal(be32_at(key, 28), 0);
	assert_memory_equal(key + 0x2c, tcp4 + 26, 4);
	assert_memory_equal(key + 0x3c, tcp4 + 30, 4);

	frame = parse(udp6, sizeof(udp6));
	hca_frame_key(udp6, sizeof(udp6), &frame, key);
	assert_int_equal(field_get(key, 4, 23, 16), 0xab);
	assert_int_equal(field_get(key, 4, 12, 9), 6);
	assert_int_equal(field_get(key, 6, 7, 0), 9);
	assert_int_equal(be32_at(key, 20), 0);
	assert_int_equal(be32_at(key, 28), 0x12b7u << 16 | 53);
	assert_memory_equal(key + 0x20, udp6 + 22, 32);

	memcpy(tagged, tcp4, 12);
	memcpy(tagged + 12, "\x81\x00\x60\x64", 4);
	memcpy(tagged + 16, tcp4 + 12, sizeof(tcp4) - 12);
	frame = parse(tagged, sizeof(tagged));
	hca_frame_key(tagged, sizeof(tagged), &frame, key);
	assert_int_equal(be16_at(key, 14), 0x6064);
	assert_int_equal(field_get(key, 4, 15, 14), 2);
	assert_int_equal(be16_at(key, 6), 0x0800);
}

/* What tunnels say of themselves, and in which fields. */
static void tunnels_have_keys(void **state)
{
	uint8_t bytes[64] = { 0 }, key[HCA_FRAME_KEY], *misc = key + HCA_FRAME_MISC;
	uint8_t none[HCA_FRAME_KEY - HCA_FRAME_MISC] = { 0 };
	struct hca_frame frame;

	(void)state;
	/* UDP over IPv4, then eight bytes of a header. */
	memcpy(bytes, tcp4, 34);
	bytes[23] = HCA_ETH_UDP;
	be16_put(bytes, 16, 50);
	be16_put(bytes, 36, HCA_ETH_PORT_GENEVE);
	memcpy(bytes + 42, "\x05\x80\x65\x58\x01\x02\x03\x00", 8);
	frame = parse(bytes, sizeof(bytes));
	hca_frame_key(bytes, sizeof(bytes), &frame, key);
	assert_int_equal(field_get(misc, 6, 31, 8), 0x010203);
	assert_int_equal(field_get(misc, 6, 0, 0), 1);
	assert_int_equal(field_get(misc, 9, 21, 16), 5);
	assert_int_equal(field_get(misc, 9, 15, 0), 0x6558);
	assert_int_equal(field_get(misc, 5, 31, 8), 0);
	be16_put(bytes, 36, HCA_ETH_PORT_VXLAN);
	frame = parse(bytes, sizeof(bytes));
	hca_frame_key(bytes, sizeof(bytes), &frame, key);
	assert_int_equal(field_get(misc, 5, 31, 8), 0x010203);
	assert_int_equal(field_get(misc, 6, 31, 0), 0);
	be16_put(bytes, 36, 53);
	frame = parse(bytes, sizeof(bytes));
	hca_frame_key(bytes, sizeof(bytes), &frame, key);
	assert_memory_equal(misc, none, sizeof(none));
	/* GRE with a checksum, a key and a number. */
	bytes[23] = HCA_ETH_GRE;
	memcpy(bytes + 34, "\xb0\x00\x08\x00\x11\x22\x33\x44\x55\x66\x77\x88", 12);
	frame = parse(bytes, sizeof(bytes));
	hca_frame_key(bytes, sizeof(bytes), &frame, key);
	assert_int_equal(field_get(misc, 0, 31, 28), 0xb);
	assert_int_equal(field_get(misc, 3, 15, 0), 0x0800);
	assert_int_equal(be32_at(misc, 16), 0x55667788);
	bytes[34] = 0x20;
	frame = parse(bytes, sizeof(bytes));
	hca_frame_key(bytes, sizeof(bytes), &frame, key);
	assert_int_equal(be32_at(misc, 16), 0x11223344);
	/* Frames that end anywhere: nothing past the end is looked at. */
	for (unsigned int udp = 0; udp < 3; udp++) {
		bytes[23] = udp ? HCA_ETH_UDP : HCA_ETH_GRE;
		be16_put(bytes, 36, udp == 1 ? HCA_ETH_PORT_VXLAN : HCA_ETH_PORT_GENEVE);
		for (size_t len = 14; len <= 54; len++) {
			uint8_t *cut = malloc(len);

			memcpy(cut, bytes, len);
			hca_frame_parse(cut, len, &frame);
			hca_frame_key(cut, len, &frame, key);
			if (len < 38)
				assert_memory_equal(misc, none, sizeof(none));
			free(cut);
		}
	}
}

/* Masks of fields that no frame has are not for this model. */
static void misc_masks(void **state)
{
	uint8_t mask[HCA_FRAME_KEY - HCA_FRAME_MISC] = { 0 };

	(void)state;
	assert_true(hca_frame_has_misc(mask));
	field_put(mask, 6, 31, 8, 0xffffff);
	field_put(mask, 6, 0, 0, 1);
	assert_true(hca_frame_has_misc(mask));
	field_put(mask, 6, 1, 1, 1);
	assert_false(hca_frame_has_misc(mask));
	field_put(mask, 6, 1, 1, 0);
	field_put(mask, 0, 23, 0, 0xffffff); /* source_sqn */
	assert_false(hca_frame_has_misc(mask));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_found),
		cmocka_unit_test(tags_are_looked_behind),
		cmocka_unit_test(lies_lead_nowhere),
		cmocka_unit_test(what_is_cut_has_headers),
		cmocka_unit_test(what_is_cut_has_no_sums),
		cmocka_unit_test(extensions_are_looked_behind),
		cmocka_unit_test(sums_are_those_of_the_rfc),
		cmocka_unit_test(checksums_are_filled_in),
		cmocka_unit_test(segments_are_frames),
		cmocka_unit_test(segments_of_udp_have_lengths),
		cmocka_unit_test(headers_that_are_none_make_no_segment),
		cmocka_unit_test(toeplitz_is_the_published_one),
		cmocka_unit_test(key_has_what_the_frame_has),
		cmocka_unit_test(tunnels_have_keys),
		cmocka_unit_test(misc_masks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
