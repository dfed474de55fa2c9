/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes that are no packet: each is refused for its own reason, and nothing is written. Those that
 * are wrong before a CRC have a right one, so that it is not the CRC that refuses them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/crc.h"
#include "packet/tests/same.h"
#include "packet/tests/vectors.h"

enum { WRITE_IPV4, ACK_IPV4, UD_IPV6, CNP, SAMPLE, SEND_IB, UD_GRH };

static uint8_t bytes[256];
static size_t len;

static void begin(unsigned int vector)
{
	memset(bytes, 0, sizeof(bytes));
	len = from_hex(vectors[vector].hex, bytes);
}

/* The bytes are in memory of their own, at its end, so that a sanitizer sees a look behind it. */
static void refused(unsigned int vector, enum packet_fault why)
{
	struct packet_route route;
	struct packet packet;
	uint8_t *exact = malloc(len ? len : 1);
	enum packet_fault fault;

	memcpy(exact, bytes, len);
	memset(&route, 0x5a, sizeof(route));
	memset(&packet, 0x5a, sizeof(packet));
	fault = packet_decode(vectors[vector].ethernet, exact, len, &route, &packet);
	free(exact);
	if (fault != why)
		fail_msg("%s: '%s', expected '%s'", vectors[vector].name, packet_fault_name(fault),
			 packet_fault_name(why));
	for (size_t i = 0; i < sizeof(route); i++)
		assert_int_equal(((uint8_t *)&route)[i], 0x5a);
	for (size_t i = 0; i < sizeof(packet); i++)
		assert_int_equal(((uint8_t *)&packet)[i], 0x5a);
}

/* CRCs, if there is room for the headers that they mask, and the IPv4 checksum of what is there. */
static void seal(unsigned int vector)
{
	const struct packet_route *route = &vectors[vector].route;
	uint32_t icrc;
	uint16_t vcrc;

	if (!vectors[vector].ethernet) {
		if (len < 8u + (route->grh ? 40 : 0) + 12 + 6)
			return;
		icrc = packet_icrc_infiniband(bytes, len - 6);
		memcpy(bytes + len - 6, &icrc, 4);
		vcrc = packet_vcrc(bytes, len - 2);
		memcpy(bytes + len - 2, &vcrc, 2);
		return;
	}
	if (bytes[12] == 8) {
		uint32_t sum = 0;

		bytes[24] = bytes[25] = 0;
		for (unsigned int i = 14; i < 34; i += 2)
			sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
		while (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
		bytes[24] = (uint8_t)(~sum >> 8);
		bytes[25] = (uint8_t)~sum;
	}
	if (len < 14u + (route->ipv4 ? 20 : 40) + 8 + 12 + 4)
		return;
	icrc = packet_icrc_ip(bytes + 14, len - 18);
	memcpy(bytes + len - 4, &icrc, 4);
}

static void changed(unsigned int vector, size_t at, uint8_t value, enum packet_fault why)
{
	begin(vector);
	bytes[at] = value;
	seal(vector);
	refused(vector, why);
}

/* Cut off anywhere: no length field agrees any more, or a header is not whole. */
static void test_cut(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VECTORS; v++) {
		size_t whole, front;

		begin(v);
		whole = len;
		/* Link, network and transport headers. */
		front = !vectors[v].ethernet	? 8 + (vectors[v].route.grh ? 40 : 0) + 12 + 6
			: vectors[v].route.ipv4 ? 14 + 20
						: 14 + 40;
		for (len = 0; len < whole; len++)
			refused(v, len < front ? PACKET_SHORT : PACKET_LENGTH);
	}
}

/* One more byte behind an InfiniBand packet; frames may have some. */
static void test_longer(void **state)
{
	(void)state;
	for (unsigned int v = SAMPLE; v <= UD_GRH; v++) {
		begin(v);
		len++;
		refused(v, PACKET_LENGTH);
		len += 3;
		refused(v, PACKET_LENGTH);
	}
}

static void test_length_fields(void **state)
{
	(void)state;
	changed(SAMPLE, 5, 0x0d, PACKET_LENGTH); /* LRH */
	changed(SAMPLE, 5, 0x0f, PACKET_LENGTH);
	changed(SAMPLE, 5, 0, PACKET_LENGTH);
	changed(SAMPLE, 4, 7, PACKET_LENGTH);
	changed(UD_GRH, 13, 0x18, PACKET_LENGTH); /* GRH */
	changed(UD_GRH, 13, 0x20, PACKET_LENGTH);
	changed(UD_GRH, 12, 1, PACKET_LENGTH);
	changed(WRITE_IPV4, 17, 0x40, PACKET_LENGTH); /* IPv4: not that of UDP */
	changed(WRITE_IPV4, 17, 0x45, PACKET_LENGTH); /* more than the frame */
	changed(WRITE_IPV4, 16, 0xff, PACKET_LENGTH);
	changed(WRITE_IPV4, 17, 19, PACKET_LENGTH); /* less than its header */
	changed(WRITE_IPV4, 17, 27, PACKET_SHORT);  /* no room for UDP */
	changed(UD_IPV6, 19, 0x20, PACKET_LENGTH);  /* IPv6 */
	changed(UD_IPV6, 19, 0x25, PACKET_LENGTH);
	changed(UD_IPV6, 18, 0xff, PACKET_LENGTH);
	changed(UD_IPV6, 19, 7, PACKET_SHORT);
	changed(WRITE_IPV4, 39, 0x2c, PACKET_LENGTH); /* UDP */
	changed(WRITE_IPV4, 39, 0x34, PACKET_LENGTH);
	changed(UD_IPV6, 59, 0x23, PACKET_LENGTH);
}

/* Lengths that agree, but are too short for what the opcode says, or no whole words. */
static void shorter(unsigned int vector, size_t by, enum packet_fault why)
{
	begin(vector);
	len -= by;
	if (vectors[vector].ethernet) {
		bytes[vector == UD_IPV6 ? 19 : 17] -= (uint8_t)by;
		bytes[vector == UD_IPV6 ? 59 : 39] -= (uint8_t)by;
	} else {
		bytes[5] -= (uint8_t)(by / 4);
		if (vector == UD_GRH)
			bytes[13] -= (uint8_t)by;
	}
	seal(vector);
	refused(vector, why);
}

static void test_too_short_inside(void **state)
{
	(void)state;
	shorter(WRITE_IPV4, 12, PACKET_SHORT); /* into the RETH */
	shorter(WRITE_IPV4, 24, PACKET_SHORT); /* a BTH only */
	shorter(WRITE_IPV4, 28, PACKET_SHORT); /* less than one */
	shorter(WRITE_IPV4, 3, PACKET_LENGTH); /* no whole words */
	shorter(WRITE_IPV4, 38, PACKET_SHORT); /* UDP with two bytes */
	shorter(UD_IPV6, 27, PACKET_SHORT);
	shorter(ACK_IPV4, 4, PACKET_SHORT);
	shorter(CNP, 4, PACKET_SHORT);
	shorter(UD_IPV6, 8, PACKET_SHORT);
	shorter(SAMPLE, 20, PACKET_SHORT);
	shorter(SAMPLE, 36, PACKET_SHORT);
	shorter(UD_GRH, 8, PACKET_SHORT);
	shorter(SEND_IB, 8, PACKET_SHORT);
	/* An empty payload with pad bytes. */
	shorter(WRITE_IPV4, 8, PACKET_PAD);
}

static void test_pad(void **state)
{
	struct packet_route route;
	struct packet packet;

	(void)state;
	for (unsigned int pad = 0; pad < 4; pad++) {
		begin(SEND_IB);
		bytes[9] = (uint8_t)(pad << 4);
		seal(SEND_IB);
		assert_int_equal(packet_decode(false, bytes, len, &route, &packet), PACKET_OK);
		assert_int_equal(packet.length, 4 - pad);
	}
	changed(ACK_IPV4, 43, 0x10, PACKET_PAD);
	changed(CNP, 43, 0x30, PACKET_PAD);
}

static void test_payload_where_none_is(void **state)
{
	(void)state;
	changed(WRITE_IPV4, 42, 0x0c, PACKET_NO_PAYLOAD); /* a READ request */
	changed(SAMPLE, 8, 0x11, PACKET_NO_PAYLOAD);	  /* an ACK */
	changed(SAMPLE, 8, 0x13, PACKET_NO_PAYLOAD);	  /* an atomic: 2 bytes are left */
	changed(SAMPLE, 8, 0x12, PACKET_NO_PAYLOAD);
	changed(SAMPLE, 8, 0x81, PACKET_NO_PAYLOAD);
	changed(SEND_IB, 8, 0x13, PACKET_SHORT);
}

static void test_payload_too_long(void **state)
{
	static uint8_t big[8 + 12 + PACKET_PAYLOAD_MAX + 4 + 6], payload[PACKET_PAYLOAD_MAX];
	struct packet packet = vectors[SEND_IB].packet;
	struct packet_route route = vectors[SEND_IB].route;
	uint32_t icrc;
	uint16_t vcrc;
	int size;

	(void)state;
	packet.payload = payload;
	packet.length = sizeof(payload);
	size = packet_encode(&route, &packet, big, sizeof(big));
	assert_int_equal(size, sizeof(big) - 4);
	assert_int_equal(packet_decode(false, big, (size_t)size, &route, &packet), PACKET_OK);
	big[5]++;
	icrc = packet_icrc_infiniband(big, sizeof(big) - 6);
	memcpy(big + sizeof(big) - 6, &icrc, 4);
	vcrc = packet_vcrc(big, sizeof(big) - 2);
	memcpy(big + sizeof(big) - 2, &vcrc, 2);
	assert_int_equal(packet_decode(false, big, sizeof(big), &route, &packet), PACKET_LONG);
	/* Three of the four bytes are pad bytes: the packet is as long all the same. */
	big[9] |= 0x30;
	assert_int_equal(packet_decode(false, big, sizeof(big), &route, &packet), PACKET_LONG);
}

static void test_other_protocols(void **state)
{
	(void)state;
	changed(SAMPLE, 1, 0x10, PACKET_OTHER); /* LNH: raw */
	changed(SAMPLE, 1, 0x11, PACKET_OTHER);
	changed(UD_GRH, 14, 0x11, PACKET_OTHER);
	changed(WRITE_IPV4, 13, 6, PACKET_OTHER);	/* ARP */
	changed(WRITE_IPV4, 12, 0x81, PACKET_OTHER);	/* a tag in front of no IP */
	changed(WRITE_IPV4, 23, 6, PACKET_OTHER);	/* TCP */
	changed(UD_IPV6, 20, 44, PACKET_OTHER);		/* a fragment header */
	changed(WRITE_IPV4, 37, 0xb8, PACKET_OTHER);	/* a UDP port */
	changed(WRITE_IPV4, 20, 0x60, PACKET_FRAGMENT); /* more of them */
	changed(WRITE_IPV4, 21, 1, PACKET_FRAGMENT);	/* not the first one */
}

static void test_versions(void **state)
{
	(void)state;
	changed(SAMPLE, 0, 0x71, PACKET_VERSION);
	changed(SAMPLE, 9, 0x21, PACKET_VERSION);
	changed(UD_GRH, 8, 0x40, PACKET_VERSION);
	changed(UD_IPV6, 14, 0x40, PACKET_VERSION);
	changed(WRITE_IPV4, 14, 0x65, PACKET_VERSION);
	changed(WRITE_IPV4, 43, 0x78, PACKET_VERSION);
	changed(WRITE_IPV4, 14, 0x46, PACKET_IP_HEADER); /* options */
	begin(WRITE_IPV4);
	bytes[25] ^= 1;
	refused(WRITE_IPV4, PACKET_IP_HEADER);
}

static void test_opcodes(void **state)
{
	(void)state;
	changed(SAMPLE, 8, 0x15, PACKET_BAD_OPCODE);
	changed(SAMPLE, 8, 0x1c, PACKET_BAD_OPCODE);
	changed(SAMPLE, 8, 0x40, PACKET_BAD_OPCODE);
	changed(WRITE_IPV4, 42, 0xea, PACKET_BAD_OPCODE);
	changed(UD_IPV6, 62, 0x6a, PACKET_BAD_OPCODE);
}

/* Each bit that a CRC covers, on each link. */
static void test_bit_errors(void **state)
{
	struct packet_route route;
	struct packet packet;

	(void)state;
	for (unsigned int v = 0; v < VECTORS; v++) {
		begin(v);
		for (size_t bit = 0; bit < 8 * len; bit++) {
			/* MACs, and what a router changes, are nobody's. */
			enum packet_fault fault;

			bytes[bit / 8] ^= 1 << bit % 8;
			fault = packet_decode(vectors[v].ethernet, bytes, len, &route, &packet);
			if (!vectors[v].ethernet && fault == PACKET_OK)
				fail_msg("%s: bit %zu", vectors[v].name, bit);
			if (fault == PACKET_OK)
				assert_true(bit / 8 < 14 + 40 + 8 + 12 &&
					    (!same_route(&route, &vectors[v].route) ||
					     !same_packet(&packet, &vectors[v].packet) ||
					     packet.reserved));
			bytes[bit / 8] ^= 1 << bit % 8;
		}
		/* Payload, and the CRC itself. */
		bytes[len - (vectors[v].ethernet ? 5 : 7)] ^= 1;
		refused(v, vectors[v].ethernet ? PACKET_ICRC : PACKET_VCRC);
		begin(v);
		bytes[len - 1] ^= 1;
		refused(v, vectors[v].ethernet ? PACKET_ICRC : PACKET_VCRC);
	}
	/* What a broken switch makes of a packet: its own check is right. */
	begin(SAMPLE);
	bytes[30] ^= 1;
	{
		uint16_t vcrc = packet_vcrc(bytes, len - 2);

		memcpy(bytes + len - 2, &vcrc, 2);
	}
	refused(SAMPLE, PACKET_ICRC);
}

static void test_udp_checksum(void **state)
{
	(void)state;
	for (unsigned int v = WRITE_IPV4; v <= UD_IPV6; v++) {
		struct packet_route route = vectors[v].route;
		size_t at = v == UD_IPV6 ? 60 : 40;

		route.udp_checksum = true;
		len = (size_t)packet_encode(&route, &vectors[v].packet, bytes, sizeof(bytes));
		bytes[at + 1] ^= 1;
		refused(v, PACKET_UDP_SUM);
	}
}

/* Receivers do not look at reserved bits: they are taken, and told. */
static void reserved(unsigned int vector, size_t at, uint8_t bit)
{
	struct packet_route route;
	struct packet packet;

	begin(vector);
	bytes[at] |= bit;
	seal(vector);
	assert_int_equal(packet_decode(vectors[vector].ethernet, bytes, len, &route, &packet),
			 PACKET_OK);
	assert_true(packet.reserved);
	assert_true(same_route(&route, &vectors[vector].route));
	assert_true(same_packet(&packet, &vectors[vector].packet));
}

static void test_reserved_bits(void **state)
{
	(void)state;
	reserved(SAMPLE, 1, 4);		/* LRH */
	reserved(SAMPLE, 4, 8);		/* LRH */
	reserved(SAMPLE, 12, 1);	/* BTH, beside BECN */
	reserved(SAMPLE, 16, 0x40);	/* BTH, beside AckReq */
	reserved(SAMPLE, 51, 1);	/* a pad byte */
	reserved(WRITE_IPV4, 20, 0x80); /* IPv4 flags */
	reserved(UD_GRH, 64, 1);	/* DETH */
	reserved(CNP, 54, 1);
	reserved(CNP, 69, 1);
}

static void test_names(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < PACKET_FAULTS; i++)
		assert_true(strlen(packet_fault_name((enum packet_fault)i)) > 5);
	assert_string_equal(packet_fault_name(PACKET_FAULTS), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_longer),
		cmocka_unit_test(test_length_fields),
		cmocka_unit_test(test_too_short_inside),
		cmocka_unit_test(test_pad),
		cmocka_unit_test(test_payload_where_none_is),
		cmocka_unit_test(test_payload_too_long),
		cmocka_unit_test(test_other_protocols),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_opcodes),
		cmocka_unit_test(test_bit_errors),
		cmocka_unit_test(test_udp_checksum),
		cmocka_unit_test(test_reserved_bits),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
