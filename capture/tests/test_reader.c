/* SPDX-License-Identifier: GPL-2.0-only */
/* What was written is read back, and a file of which anything is changed or missing ends well. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/reader.h"
#include "capture/tests/file.h"

static uint8_t file[4096];
static size_t file_len;

static void write_file(const void *data, size_t len)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* Two interfaces and three packets; then @file is as it was written. */
static void write_sample(void)
{
	static const struct pcapng_packet packets[] = {
		{ .time_ns = 0x123456789abcdef0,
		  .data = "hello",
		  .len = 5,
		  .direction = PCAPNG_IN },
		{ .time_ns = 2, .data = "abcd", .len = 4, .wire_len = 44, .comment = "part" },
		{ .time_ns = 3, .direction = PCAPNG_OUT, .comment = "a\033b" },
	};
	struct pcapng *capture = pcapng_open(path);

	assert_non_null(capture);
	assert_int_equal(pcapng_interface(capture, PCAPNG_INFINIBAND, "ib0"), 0);
	assert_int_equal(pcapng_interface(capture, PCAPNG_ETHERNET, "e\n0"), 1);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(pcapng_packet(capture, i & 1, &packets[i]), 0);
	assert_int_equal(pcapng_close(capture), 0);
	file_len = read_file(file, sizeof(file));
}

static void test_read_back(void **state)
{
	struct pcapng_reader *reader;
	struct pcapng_packet packet;
	unsigned int interface;

	(void)state;
	write_sample();
	reader = pcapng_reader_open(path);
	assert_non_null(reader);
	assert_int_equal(pcapng_reader_interfaces(reader), 2);
	assert_int_equal(pcapng_reader_link_type(reader, 0), PCAPNG_INFINIBAND);
	assert_string_equal(pcapng_reader_name(reader, 0), "ib0");
	assert_int_equal(pcapng_reader_link_type(reader, 1), PCAPNG_ETHERNET);
	/* A terminal would obey it. */
	assert_string_equal(pcapng_reader_name(reader, 1), "e?0");
	assert_int_equal(pcapng_reader_next(reader, &interface, &packet), 1);
	assert_int_equal(interface, 0);
	assert_int_equal(packet.time_ns, 0x123456789abcdef0);
	assert_int_equal(packet.direction, PCAPNG_IN);
	assert_int_equal(packet.len, 5);
	assert_int_equal(packet.wire_len, 5);
	assert_memory_equal(packet.data, "hello", 5);
	assert_null(packet.comment);
	assert_int_equal(pcapng_reader_next(reader, &interface, &packet), 1);
	assert_int_equal(interface, 1);
	assert_int_equal(packet.direction, PCAPNG_UNSAID);
	assert_int_equal(packet.len, 4);
	assert_int_equal(packet.wire_len, 44);
	assert_string_equal(packet.comment, "part");
	assert_int_equal(pcapng_reader_next(reader, &interface, &packet), 1);
	assert_int_equal(packet.len, 0);
	assert_int_equal(packet.direction, PCAPNG_OUT);
	assert_string_equal(packet.comment, "a?b");
	assert_int_equal(pcapng_reader_next(reader, &interface, &packet), 0);
	assert_int_equal(pcapng_reader_next(reader, &interface, &packet), 0);
	assert_int_equal(pcapng_reader_lost(reader), 0);
	pcapng_reader_close(reader);
}

/* Reads all; returns what the last call said, and how many packets came. */
static int read_all(unsigned int *packets)
{
	struct pcapng_reader *reader = pcapng_reader_open(path);
	struct pcapng_packet packet;
	unsigned int interface;
	int rc;

	*packets = 0;
	if (!reader)
		return -errno;
	while ((rc = pcapng_reader_next(reader, &interface, &packet)) > 0) {
		assert_true(interface < pcapng_reader_interfaces(reader));
		++*packets;
	}
	pcapng_reader_close(reader);
	return rc;
}

static void test_cut(void **state)
{
	unsigned int packets, before = 0;

	(void)state;
	write_sample();
	for (size_t len = 0; len < file_len; len++) {
		int rc;

		write_file(file, len);
		rc = read_all(&packets);
		/* What is there is read; without a whole first block there is no capture. */
		assert_true(rc == 0 || rc == -EMSGSIZE || (rc == -EPROTO && !packets));
		assert_true(packets >= before && packets < 3);
		before = packets;
	}
	assert_int_equal(before, 2);
}

/* Any byte is any other one. */
static void test_changed(void **state)
{
	static const uint8_t values[] = { 0x00, 0x7f, 0xff };
	unsigned int refused = 0, packets;

	(void)state;
	write_sample();
	for (size_t at = 0; at < file_len; at++) {
		uint8_t old = file[at];

		for (unsigned int i = 0; i < sizeof(values); i++) {
			int rc;

			file[at] = values[i];
			write_file(file, file_len);
			rc = read_all(&packets);
			assert_true(rc == 0 || rc == -EPROTO || rc == -EMSGSIZE);
			refused += rc != 0;
		}
		file[at] = old;
	}
	assert_true(refused > 100);
}

static void test_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		int rc;
	} cases[] = {
		{ 0, 0x0b, -EPROTO },	     /* not a section */
		{ 8, 0x4e, -EPROTO },	     /* byte order */
		{ 28 + 28, 6, -EPROTO },     /* microseconds */
		{ 28 + 40 - 4, 0, -EPROTO }, /* the length at the end of a block */
		{ 108 + 8, 2, -EPROTO },     /* the first packet's interface */
		{ 108 + 20, 99, -EPROTO },   /* its length */
	};
	unsigned int packets;

	(void)state;
	write_sample();
	/* Where the test looks. */
	assert_int_equal(file[28 + 28], 9);
	assert_int_equal(file[108], 6);
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t old = file[cases[i].at];

		file[cases[i].at] = cases[i].value;
		write_file(file, file_len);
		assert_int_equal(read_all(&packets), cases[i].rc);
		assert_int_equal(packets, 0);
		file[cases[i].at] = old;
	}
	write_file(file, file_len);
	assert_int_equal(read_all(&packets), 0);
	assert_int_equal(packets, 3);
	errno = 0;
	assert_null(pcapng_reader_open("/nonexistent/file"));
	assert_int_equal(errno, ENOENT);
	pcapng_reader_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_back),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
