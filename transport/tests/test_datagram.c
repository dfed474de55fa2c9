/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/datagram.h"

static const struct datagram sent = { .dest_qpn = 0x56,
				      .src_qpn = 0x99,
				      .q_key = 0x11111111,
				      .p_key = 0xffff,
				      .solicited = true,
				      .has_immediate = true,
				      .immediate = 0xdeadbeef,
				      .payload = (const uint8_t *)"abcd",
				      .length = 4 };
static const struct datagram_receiver receiver = { 0x56, 0x11111111, 0x7fff };

static void test_there_and_back(void **state)
{
	struct packet packet;
	struct datagram got;
	uint32_t psn = PACKET_24_BITS;

	(void)state;
	assert_int_equal(datagram_packet(&sent, 256, &psn, &packet), 0);
	assert_int_equal(psn, 0);
	assert_int_equal(packet.opcode, 0x65);
	assert_int_equal(packet.psn, PACKET_24_BITS);
	assert_int_equal(datagram_take(&receiver, &packet, &got), DATAGRAM_OK);
	assert_int_equal(got.src_qpn, 0x99);
	assert_int_equal(got.immediate, 0xdeadbeef);
	assert_true(got.solicited && got.has_immediate);
	assert_int_equal(got.length, 4);
	assert_memory_equal(got.payload, "abcd", 4);
}

static void test_mtu(void **state)
{
	struct datagram datagram = sent;
	struct packet packet = { .psn = 77 };
	uint32_t psn = 5;

	(void)state;
	datagram.length = 257;
	assert_int_equal(datagram_packet(&datagram, 256, &psn, &packet), -EMSGSIZE);
	assert_int_equal(psn, 5);
	assert_int_equal(packet.psn, 77);
	datagram.length = 256;
	assert_int_equal(datagram_packet(&datagram, 256, &psn, &packet), 0);
}

static void test_who_takes(void **state)
{
	struct packet good, packet;
	struct datagram got = { .length = 99 };
	uint32_t psn = 0;

	(void)state;
	datagram_packet(&sent, 256, &psn, &good);
#define NOT_TAKEN(why, change)                                                  \
	do {                                                                    \
		packet = good;                                                  \
		change;                                                         \
		assert_int_equal(datagram_take(&receiver, &packet, &got), why); \
		assert_int_equal(got.length, 99);                               \
	} while (0)
	NOT_TAKEN(DATAGRAM_OPCODE, packet.opcode = 0x05);
	NOT_TAKEN(DATAGRAM_QPN, packet.dest_qpn++);
	NOT_TAKEN(DATAGRAM_P_KEY, packet.p_key = 0x7fff);
	NOT_TAKEN(DATAGRAM_P_KEY, packet.p_key = 0xfffe);
	NOT_TAKEN(DATAGRAM_Q_KEY, packet.q_key++);
	packet = good;
	packet.dest_qpn = DATAGRAM_QP_MULTICAST;
	assert_int_equal(datagram_take(&receiver, &packet, &got), DATAGRAM_OK);
}

/* Whoever reaches QP0 need not know its keys. */
static void test_management(void **state)
{
	const struct datagram_receiver smi = { DATAGRAM_QP_SMI, 5, 0 };
	struct datagram datagram = sent, got;
	struct packet packet;
	uint32_t psn = 0;

	(void)state;
	datagram.dest_qpn = DATAGRAM_QP_SMI;
	datagram_packet(&datagram, 256, &psn, &packet);
	packet.p_key = 0;
	packet.q_key = 0;
	assert_int_equal(datagram_take(&receiver, &packet, &got), DATAGRAM_QPN);
	assert_int_equal(datagram_take(&smi, &packet, &got), DATAGRAM_OK);
}

static void test_q_key_of_request(void **state)
{
	(void)state;
	assert_int_equal(datagram_q_key(0x7fffffff, 0x11), 0x7fffffff);
	assert_int_equal(datagram_q_key(0x80000000, 0x11), 0x11);
	assert_int_equal(datagram_q_key(0xffffffff, 0x80010000), 0x80010000);
}

/* The room of a GRH is not for the payload, whether there is one or not. */
static void test_room(void **state)
{
	const struct datagram datagram = { .length = 8 }, empty = { 0 };

	(void)state;
	assert_true(datagram_fits(&datagram, 48));
	assert_false(datagram_fits(&datagram, 47));
	assert_false(datagram_fits(&datagram, 39));
	assert_true(datagram_fits(&empty, 40));
	assert_false(datagram_fits(&empty, 39));
}

static void test_p_keys(void **state)
{
	(void)state;
	assert_true(datagram_p_key_matches(0xffff, 0xffff));
	assert_true(datagram_p_key_matches(0x7fff, 0xffff));
	assert_true(datagram_p_key_matches(0xffff, 0x7fff));
	assert_false(datagram_p_key_matches(0x7fff, 0x7fff));
	assert_false(datagram_p_key_matches(0x8000, 0x8000));
	assert_false(datagram_p_key_matches(0x8001, 0x8002));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_mtu),
		cmocka_unit_test(test_who_takes),      cmocka_unit_test(test_p_keys),
		cmocka_unit_test(test_management),     cmocka_unit_test(test_q_key_of_request),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
