/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of opcodes against its rows as the Architecture lists them, written down once more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "packet/opcode.h"

/* Headers of RC by opcode: '-' none, R RETH, A AETH, T AtomicETH, O AtomicAckETH, I ImmDt, V IETH.
 */
static const char *const rc[32] = { "-", "-", "-", "I", "-", "I", "R",	"-", "-", "I",	"R", "RI",
				    "R", "A", "-", "A", "A", "A", "AO", "T", "T", NULL, "V", "V" };
/* Those that the other services have. */
static const uint8_t uc[] = {
	0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x2b
};
static const uint8_t ud[] = { 0x64, 0x65 };

static uint16_t headers_of(const char *letters)
{
	uint16_t headers = 0;

	for (; *letters; letters++)
		headers |= *letters == 'R'   ? PACKET_RETH
			   : *letters == 'A' ? PACKET_AETH
			   : *letters == 'T' ? PACKET_ATOMICETH
			   : *letters == 'O' ? PACKET_ATOMICACKETH
			   : *letters == 'I' ? PACKET_IMMDT
			   : *letters == 'V' ? PACKET_IETH
					     : 0;
	return headers;
}

static void test_rc_xrc_and_dc(void **state)
{
	struct packet_opcode info, xrc, dc;

	(void)state;
	for (uint8_t code = 0; code < 32; code++) {
		bool response = code >= PACKET_READ_FIRST && code <= PACKET_ATOMIC_ACK;

		assert_int_equal(packet_opcode(code, &info), rc[code] != NULL);
		assert_int_equal(packet_opcode(PACKET_XRC | code, &xrc), rc[code] != NULL);
		assert_int_equal(packet_opcode(PACKET_DC | code, &dc), rc[code] != NULL);
		if (!rc[code])
			continue;
		assert_int_equal(info.headers, headers_of(rc[code]));
		assert_int_equal(info.response, response);
		assert_int_equal(xrc.headers, info.headers | (response ? 0 : PACKET_XRCETH));
		assert_int_equal(packet_headers_length(xrc.headers),
				 packet_headers_length(info.headers) + (response ? 0 : 4));
		assert_int_equal(xrc.operation, info.operation);
		assert_int_equal(xrc.place, info.place);
		assert_string_equal(xrc.name, info.name);
		assert_int_equal(dc.headers, info.headers | (response ? 0 : PACKET_DCETH));
		assert_int_equal(packet_headers_length(dc.headers),
				 packet_headers_length(info.headers) + (response ? 0 : 12));
		assert_int_equal(dc.operation, info.operation);
		assert_int_equal(dc.place, info.place);
		assert_int_equal(info.payload, code != PACKET_READ && code != PACKET_ACK &&
						       code != PACKET_ATOMIC_ACK &&
						       code != PACKET_COMPARE_SWAP &&
						       code != PACKET_FETCH_ADD);
	}
}

static void test_others(void **state)
{
	unsigned int known = 0;
	struct packet_opcode info, of_rc;

	(void)state;
	for (unsigned int i = 0; i < sizeof(uc); i++) {
		assert_true(packet_opcode(uc[i], &info));
		assert_true(packet_opcode(uc[i] & 0x1f, &of_rc));
		assert_int_equal(info.headers, of_rc.headers);
	}
	for (unsigned int i = 0; i < sizeof(ud); i++) {
		assert_true(packet_opcode(ud[i], &info));
		assert_int_equal(info.headers, PACKET_DETH | (i ? PACKET_IMMDT : 0));
		assert_int_equal(packet_headers_length(info.headers), i ? 12 : 8);
	}
	assert_true(packet_opcode(PACKET_CNP, &info));
	assert_int_equal(packet_headers_length(info.headers), 16);
	assert_int_equal(info.operation, PACKET_OP_CNP);
	for (unsigned int opcode = 0; opcode < 256; opcode++)
		known += packet_opcode((uint8_t)opcode, &info);
	assert_int_equal(known, 23 + 12 + 2 + 1 + 23 + 23);
}

static void test_lengths(void **state)
{
	struct packet_opcode info;

	(void)state;
	packet_opcode(PACKET_COMPARE_SWAP, &info);
	assert_int_equal(packet_headers_length(info.headers), 28);
	packet_opcode(PACKET_ATOMIC_ACK, &info);
	assert_int_equal(packet_headers_length(info.headers), 12);
	packet_opcode(PACKET_XRC | PACKET_WRITE_ONLY_IMM, &info);
	assert_int_equal(packet_headers_length(info.headers), 24);
	packet_opcode(PACKET_SEND_ONLY_INV, &info);
	assert_int_equal(packet_headers_length(info.headers), 4);
}

static void test_places(void **state)
{
	struct packet_opcode info;

	(void)state;
	for (uint8_t code = 0; code < 32; code++) {
		const char *word;

		if (!packet_opcode(code, &info))
			continue;
		word = strstr(info.name, "first")    ? "first"
		       : strstr(info.name, "middle") ? "middle"
		       : strstr(info.name, "last")   ? "last"
						     : "only";
		assert_int_equal(info.place, !strcmp(word, "first")    ? PACKET_FIRST
					     : !strcmp(word, "middle") ? PACKET_MIDDLE
					     : !strcmp(word, "last")   ? PACKET_LAST
								       : PACKET_ONLY);
	}
	assert_string_equal(packet_class_name(0x0a), "RC");
	assert_string_equal(packet_class_name(0xaa), "XRC");
	assert_string_equal(packet_class_name(0xca), "DC");
	assert_string_equal(packet_class_name(0x81), "CN");
	assert_string_equal(packet_class_name(0x41), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rc_xrc_and_dc),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
