/* SPDX-License-Identifier: GPL-2.0-only */
/* Captures, block by block, as the format's draft has them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/pcapng.h"
#include "capture/tests/file.h"

static uint8_t file[1 << 20];

static int put(struct pcapng *capture, unsigned int interface, uint64_t time_ns, const void *data,
	       size_t len, const char *comment)
{
	const struct pcapng_packet packet = {
		.time_ns = time_ns, .data = data, .len = len, .comment = comment
	};

	return pcapng_packet(capture, interface, &packet);
}

static uint32_t word(size_t at)
{
	return (uint32_t)(file[at] | file[at + 1] << 8 | file[at + 2] << 16) |
	       (uint32_t)file[at + 3] << 24;
}

/* Each block says its length twice. Returns their number. */
static unsigned int walk(size_t len)
{
	unsigned int blocks = 0;

	for (size_t at = 0; at < len; blocks++) {
		uint32_t size = word(at + 4);

		assert_true(size >= 12 && size % 4 == 0 && size <= len - at);
		assert_int_equal(word(at + size - 4), size);
		at += size;
	}
	return blocks;
}

static void test_blocks(void **state)
{
	static const uint8_t expected[] = {
		/* section */
		0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 28, 0, 0, 0,
		/* interface */
		1, 0, 0, 0, 40, 0, 0, 0, 247, 0, 0, 0, 0, 0, 4, 0, 2, 0, 3, 0, 'i', 'b', '0', 0, 9,
		0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0,
		/* packet without a comment */
		6, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0x04, 0x03, 0x02, 0x01, 0x08, 0x07, 0x06, 0x05,
		5, 0, 0, 0, 5, 0, 0, 0, 'h', 'e', 'l', 'l', 'o', 0, 0, 0, 40, 0, 0, 0,
		/* with one */
		6, 0, 0, 0, 48, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		1, 0, 5, 0, 'd', 'r', 'o', 'p', 's', 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0,
		/* that leaves, and has more bytes than were captured */
		6, 0, 0, 0, 48, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0,
		'x', 0, 0, 0, 2, 0, 4, 0, 2, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0
	};
	static const struct pcapng_packet part = {
		.time_ns = 2, .direction = PCAPNG_OUT, .data = "x", .len = 1, .wire_len = 9
	};
	struct pcapng *capture = pcapng_open(path);

	(void)state;
	assert_non_null(capture);
	assert_int_equal(pcapng_interface(capture, PCAPNG_INFINIBAND, "ib0"), 0);
	assert_int_equal(put(capture, 0, 0x0102030405060708, "hello", 5, NULL), 0);
	assert_int_equal(put(capture, 0, 1, NULL, 0, "drops"), 0);
	assert_int_equal(pcapng_packet(capture, 0, &part), 0);
	assert_int_equal(pcapng_flush(capture), 0);
	assert_int_equal(read_file(file, sizeof(file)), sizeof(expected));
	assert_memory_equal(file, expected, sizeof(expected));
	assert_int_equal(pcapng_close(capture), 0);
	assert_int_equal(read_file(file, sizeof(file)), sizeof(expected));
}

static void test_bounds(void **state)
{
	static uint8_t big[PCAPNG_PACKET_MAX + 1];
	static char text[PCAPNG_TEXT_MAX + 2];
	struct pcapng *capture = pcapng_open(path);

	(void)state;
	memset(text, 'x', PCAPNG_TEXT_MAX + 1);
	assert_int_equal(put(capture, 0, 0, "a", 1, NULL), -EINVAL);
	assert_int_equal(pcapng_interface(capture, PCAPNG_ETHERNET, text), -EINVAL);
	text[PCAPNG_TEXT_MAX] = 0;
	for (int i = 0; i < (int)PCAPNG_INTERFACES; i++)
		assert_int_equal(pcapng_interface(capture, PCAPNG_ETHERNET, i ? "e" : text), i);
	assert_int_equal(pcapng_interface(capture, PCAPNG_ETHERNET, "e"), -ENOSPC);
	assert_int_equal(put(capture, PCAPNG_INTERFACES, 0, "a", 1, NULL), -EINVAL);
	assert_int_equal(put(capture, 63, 0, big, PCAPNG_PACKET_MAX + 1, NULL), -EINVAL);
	assert_int_equal(put(capture, 63, 0, big, PCAPNG_PACKET_MAX, text), 0);
	text[PCAPNG_TEXT_MAX] = 'x';
	assert_int_equal(put(capture, 63, 0, "a", 1, text), -EINVAL);
	assert_int_equal(pcapng_close(capture), 0);
	assert_int_equal(walk(read_file(file, sizeof(file))), 1 + PCAPNG_INTERFACES + 1);
}

/* At the limit the file ends with a whole block, and stays as it is. */
static void test_limit(void **state)
{
	struct pcapng *capture = pcapng_open(path);
	size_t len;

	(void)state;
	assert_int_equal(pcapng_interface(capture, PCAPNG_ETHERNET, "e0"), 0);
	pcapng_limit(capture, 28 + 40 + 2 * 36);
	assert_int_equal(put(capture, 0, 1, "a", 1, NULL), 0);
	assert_int_equal(put(capture, 0, 2, "b", 1, NULL), 0);
	assert_int_equal(put(capture, 0, 3, "", 0, NULL), -EFBIG);
	assert_int_equal(put(capture, 0, 4, "d", 1, NULL), -EFBIG);
	assert_int_equal(pcapng_interface(capture, PCAPNG_ETHERNET, "e1"), -EFBIG);
	assert_int_equal(pcapng_close(capture), -EFBIG);
	len = read_file(file, sizeof(file));
	assert_int_equal(len, 28 + 40 + 2 * 36);
	assert_int_equal(walk(len), 4);
}

static void test_errors(void **state)
{
	struct pcapng *capture;

	(void)state;
	assert_null(pcapng_open("/nonexistent/file"));
	assert_int_equal(errno, ENOENT);
	capture = pcapng_open("/dev/full");
	assert_non_null(capture);
	assert_int_equal(pcapng_interface(capture, PCAPNG_ETHERNET, "e"), 0);
	assert_int_equal(pcapng_flush(capture), -ENOSPC);
	assert_int_equal(put(capture, 0, 0, "a", 1, NULL), -ENOSPC);
	assert_int_equal(pcapng_close(capture), -ENOSPC);
	assert_int_equal(pcapng_close(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
