/* SPDX-License-Identifier: GPL-2.0-only */
/* What is encoded are the bytes of others, and decodes to the same again. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/crc.h"
#include "packet/tests/same.h"
#include "packet/tests/vectors.h"

static void test_vectors(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < VECTORS; i++) {
		const struct vector *v = &vectors[i];
		uint8_t bytes[256], buf[256];
		int len = (int)from_hex(v->hex, bytes);
		struct packet_route route;
		struct packet packet;

		print_message("%s\n", v->name);
		memset(buf, 0xa5, sizeof(buf));
		assert_int_equal(packet_encode(&v->route, &v->packet, buf, sizeof(buf)), len);
		assert_memory_equal(buf, bytes, len);
		for (size_t j = (size_t)len; j < sizeof(buf); j++)
			assert_int_equal(buf[j], 0xa5);
		assert_int_equal(packet_decode(v->ethernet, bytes, (size_t)len, &route, &packet),
				 PACKET_OK);
		assert_true(same_route(&route, &v->route));
		assert_true(same_packet(&packet, &v->packet));
		assert_false(packet.reserved);
	}
}

/* Of a public packet library; its GRH is no legal one, so that only the CRCs are known. */
static void test_crc_with_grh(void **state)
{
	uint8_t bytes[128];
	size_t len = from_hex("7013375c001817d2 6000000000320010 00000000000001250000000000000026"
			      "00000000000001170000000000000096 0a2024870087b1b3000dec2a"
			      "01710a1c015d400238f27a05 0000000e bb884d85fd5cfba4728bc0690ed40000"
			      "1493ec46 7c44",
			      bytes);

	(void)state;
	assert_int_equal(len, 98);
	assert_int_equal(packet_icrc_infiniband(bytes, 92), 0x46ec9314);
	assert_int_equal(packet_vcrc(bytes, 96), 0x447c);
}

/* What switches and routers change does not change the ICRC; all else does. */
static void check_masks(const struct vector *v, size_t from, const uint8_t *free_bits)
{
	uint8_t bytes[256];
	size_t len = from_hex(v->hex, bytes), end = len - (v->ethernet ? 4 : 6);
	uint32_t before;

	before = v->ethernet ? packet_icrc_ip(bytes + from, end - from)
			     : packet_icrc_infiniband(bytes, end);
	for (size_t bit = 8 * from; bit < 8 * end; bit++) {
		uint8_t mask = 0x80 >> bit % 8;
		bool is_free = free_bits[bit / 8 - from] & mask;
		uint32_t after;

		bytes[bit / 8] ^= mask;
		/* Version and LNH say where fields are. */
		if ((v->ethernet && bit / 8 == from && mask >= 0x10) ||
		    (!v->ethernet && bit / 8 == 1 && mask <= 2)) {
			bytes[bit / 8] ^= mask;
			continue;
		}
		after = v->ethernet ? packet_icrc_ip(bytes + from, end - from)
				    : packet_icrc_infiniband(bytes, end);
		if ((before == after) != is_free)
			fail_msg("%s: bit %zu of byte %zu", v->name, bit % 8, bit / 8);
		bytes[bit / 8] ^= mask;
	}
}

static void test_masked_fields(void **state)
{
	/* TOS, TTL, IPv4 checksum, UDP checksum, byte 4 of the BTH. */
	static const uint8_t ipv4[256] = { [1] = 0xff,	[8] = 0xff,  [10] = 0xff, [11] = 0xff,
					   [26] = 0xff, [27] = 0xff, [32] = 0xff };
	/* Traffic class, flow label, hop limit, UDP checksum, byte 4 of the BTH. */
	static const uint8_t ipv6[256] = {
		0x0f, 0xff, 0xff, 0xff, [7] = 0xff, [46] = 0xff, [47] = 0xff, [52] = 0xff
	};
	/* VL, byte 4 of the BTH. */
	static const uint8_t lrh[256] = { 0xf0, [12] = 0xff };
	/* The LRH, traffic class, flow label, hop limit, byte 4 of the BTH. */
	static const uint8_t grh[256] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,	     0xff,
					  0xff, 0x0f, 0xff, 0xff, 0xff, [15] = 0xff, [52] = 0xff };

	(void)state;
	check_masks(&vectors[0], 14, ipv4);
	check_masks(&vectors[2], 14, ipv6);
	check_masks(&vectors[4], 0, lrh);
	check_masks(&vectors[6], 0, grh);
}

/* Each opcode with each length around the words, on each kind of route. */
static void round_trip(const struct packet_route *route)
{
	static const size_t lengths[] = { 0, 1, 2, 3, 4, 5, 255, 256, 4095, 4096 };
	static uint8_t payload[PACKET_PAYLOAD_MAX], buf[PACKET_MAX + 8];
	unsigned int packets = 0;

	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7 + 1);
	for (unsigned int opcode = 0; opcode < 256; opcode++) {
		struct packet_opcode info;

		if (!packet_opcode((uint8_t)opcode, &info))
			continue;
		for (unsigned int i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			struct packet packet = {
				.opcode = (uint8_t)opcode,
				.solicited = i & 1,
				.migrated = i & 2,
				.fecn = i & 4,
				.becn = opcode & 1,
				.ack_req = opcode & 2,
				.p_key = 0x8001,
				.dest_qpn = 0xfffffe,
				.psn = 0xffffff,
				.payload = payload,
				.length = lengths[i],
			};
			struct packet_route to;
			struct packet back;
			int len;

			if (info.headers & PACKET_DCETH)
				packet.dc_key = 0xa123456789abcdef, packet.src_qpn = 0x123456;
			if (info.headers & PACKET_XRCETH)
				packet.srqn = 0xabcdef;
			if (info.headers & PACKET_DETH)
				packet.q_key = 0x80010000, packet.src_qpn = 0xfedcba;
			if (info.headers & (PACKET_RETH | PACKET_ATOMICETH))
				packet.va = 0xfedcba9876543210, packet.r_key = 0x89abcdef;
			if (info.headers & PACKET_RETH)
				packet.dma_length = 0x80000000;
			if (info.headers & PACKET_ATOMICETH)
				packet.swap_add = 0x0123456789abcdef, packet.compare = UINT64_MAX;
			if (info.headers & PACKET_AETH)
				packet.syndrome = 0x60, packet.msn = 0xffffff;
			if (info.headers & PACKET_ATOMICACKETH)
				packet.original = 0x1122334455667788;
			if (info.headers & (PACKET_IMMDT | PACKET_IETH))
				packet.immediate = 0xdeadbeef;
			memset(buf, 0x5a, sizeof(buf));
			len = packet_encode(route, &packet, buf, PACKET_MAX);
			if (lengths[i] && !info.payload) {
				assert_int_equal(len, -EINVAL);
				assert_int_equal(buf[0], 0x5a);
				continue;
			}
			assert_true(len > 0);
			assert_int_equal(buf[len], 0x5a);
			assert_int_equal(packet_encode(route, &packet, buf, (size_t)len - 1),
					 -EMSGSIZE);
			assert_int_equal(packet_encode(route, &packet, buf, (size_t)len), len);
			assert_int_equal(
				packet_decode(route->ethernet, buf, (size_t)len, &to, &back),
				PACKET_OK);
			assert_true(same_route(&to, route));
			assert_true(same_packet(&back, &packet));
			assert_false(back.reserved);
			packets++;
		}
	}
	/* Opcodes of RC, UC, UD, XRC and DC with a payload; those of RC, CN, XRC and DC without. */
	assert_int_equal(packets, 10 * (18 + 12 + 2 + 18 + 18) + 5 + 1 + 5 + 5);
}

static void test_round_trips(void **state)
{
	struct packet_route route = vectors[0].route;

	(void)state;
	round_trip(&route);
	route.udp_checksum = true;
	route.tagged = true;
	route.tci = 0xe00a;
	route.dont_fragment = false;
	round_trip(&route);
	route = vectors[2].route;
	round_trip(&route);
	route.udp_checksum = true;
	round_trip(&route);
	round_trip(&vectors[4].route);
	route = vectors[6].route;
	route.flow_label = 0xfffff;
	route.traffic_class = 0xff;
	round_trip(&route);
}

/* Ethernet pads a short frame: only the IP header says where the packet ends. */
static void test_padded_frame(void **state)
{
	uint8_t bytes[256] = { 0 };
	struct packet_route route;
	struct packet packet;

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		size_t len = from_hex(vectors[i].hex, bytes);

		memset(bytes + len, 0xee, 20);
		assert_int_equal(packet_decode(true, bytes, len + 20, &route, &packet), PACKET_OK);
		assert_true(same_packet(&packet, &vectors[i].packet));
	}
}

/* A checksum of 0 means that there is none: one that is 0 goes as ffff. */
static void test_udp_checksum(void **state)
{
	struct packet_route route = vectors[1].route, to;
	struct packet packet = vectors[1].packet, back;
	unsigned int ffff = 0;
	uint8_t buf[256];

	(void)state;
	route.udp_checksum = true;
	for (unsigned int i = 0; i < 200000 && !ffff; i++) {
		int len;

		packet.psn = i;
		len = packet_encode(&route, &packet, buf, sizeof(buf));
		assert_false(buf[40] == 0 && buf[41] == 0);
		ffff += buf[40] == 0xff && buf[41] == 0xff;
		assert_int_equal(packet_decode(true, buf, (size_t)len, &to, &back), PACKET_OK);
		assert_true(to.udp_checksum);
	}
	assert_int_equal(ffff, 1);
}

/* The GRH alone is that of the whole packet. */
static void test_grh(void **state)
{
	struct packet_route route = vectors[6].route;
	struct packet packet = vectors[6].packet;
	uint8_t grh[40], same[40], buf[256];

	(void)state;
	route.grh = true;
	assert_true(packet_encode(&route, &packet, buf, sizeof(buf)) > 0);
	assert_int_equal(packet_grh(&route, &packet, grh), 0);
	assert_memory_equal(grh, buf + 8, sizeof(grh));
	memcpy(same, grh, sizeof(grh));
	route.sl = 16;
	assert_int_equal(packet_grh(&route, &packet, grh), -EINVAL);
	route.sl = 0;
	packet.psn = 1 << 24;
	assert_int_equal(packet_grh(&route, &packet, grh), -EINVAL);
	assert_memory_equal(grh, same, sizeof(grh));
}

static void test_fields_that_do_not_fit(void **state)
{
	struct packet_route ip = vectors[0].route, ib = vectors[6].route, route;
	struct packet good = vectors[0].packet, packet;
	uint8_t buf[256];

	(void)state;
#define REFUSED(where, change)                                                               \
	do {                                                                                 \
		packet = good;                                                               \
		route = where;                                                               \
		assert_true(packet_encode(&route, &packet, buf, sizeof(buf)) > 0);           \
		change;                                                                      \
		memset(buf, 0x5a, sizeof(buf));                                              \
		assert_int_equal(packet_encode(&route, &packet, buf, sizeof(buf)), -EINVAL); \
		for (size_t i = 0; i < sizeof(buf); i++)                                     \
			assert_int_equal(buf[i], 0x5a);                                      \
	} while (0)
	REFUSED(ip, packet.opcode = 0x15);
	REFUSED(ip, packet.opcode = 0x40);
	REFUSED(ip, packet.dest_qpn = 1 << 24);
	REFUSED(ip, packet.psn = 1 << 24);
	REFUSED(ip, packet.srqn = 1 << 24);
	REFUSED(ip, packet.src_qpn = 1 << 24);
	REFUSED(ip, packet.msn = 1 << 24);
	REFUSED(ip, packet.length = PACKET_PAYLOAD_MAX + 1);
	REFUSED(ip, packet.opcode = 0x0c);
	REFUSED(ip, route.flow_label = 1);
	REFUSED(ip, route.sgid[10] = 0);
	REFUSED(ip, route.dgid[0] = 0xfe);
	REFUSED(vectors[2].route, route.flow_label = 1 << 20);
	REFUSED(ib, route.flow_label = 1 << 20);
	REFUSED(ib, route.vl = 16);
	REFUSED(ib, route.sl = 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),	      cmocka_unit_test(test_crc_with_grh),
		cmocka_unit_test(test_masked_fields), cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_padded_frame),  cmocka_unit_test(test_udp_checksum),
		cmocka_unit_test(test_grh),	      cmocka_unit_test(test_fields_that_do_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
