/* SPDX-License-Identifier: GPL-2.0-only */
/* The writer: what is in the file, that nobody waits for it, its bounds, and its clock. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/clock.h"
#include "capture/tests/file.h"
#include "capture/writer.h"

#define SECTION	   28u
#define INTERFACE  40u
#define STATISTICS 52u

static uint8_t file[16 << 20];
static size_t file_len;

static void read_fd(int fd)
{
	ssize_t n;

	for (file_len = 0; (n = read(fd, file + file_len, sizeof(file) - file_len)) > 0;)
		file_len += (size_t)n;
	assert_int_equal(n, 0);
	close(fd);
}

static uint32_t word(size_t at)
{
	uint32_t value;

	assert_true(at + 4 <= file_len);
	memcpy(&value, file + at, sizeof(value));
	return value;
}

static uint64_t two_words(size_t high, size_t low)
{
	return (uint64_t)word(high) << 32 | word(low);
}

/* Blocks of @type; each is whole. The offset of the last one in *@last. */
static uint64_t count_blocks(uint32_t type, size_t *last)
{
	uint64_t count = 0;

	for (size_t at = 0; at < file_len; at += word(at + 4)) {
		assert_true(word(at + 4) >= 12 && word(at + 4) <= file_len - at);
		assert_int_equal(word(at + word(at + 4) - 4), word(at + 4));
		if (word(at) == type) {
			count++;
			*last = at;
		}
	}
	return count;
}

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct capture *start(void)
{
	struct capture *capture = capture_new(PCAPNG_INFINIBAND, "ib0");

	assert_non_null(capture);
	assert_false(capture_on(capture));
	assert_int_equal(capture_start(capture, open(path, O_RDWR | O_TRUNC), path), 0);
	assert_true(capture_on(capture));
	return capture;
}

static void assert_statistics(uint64_t packets, uint64_t lost)
{
	size_t at = 0;

	assert_int_equal(count_blocks(5, &at), 1);
	assert_int_equal(at + word(at + 4), file_len);
	/* isb_ifrecv, isb_ifdrop */
	assert_int_equal(word(at + 20), 4 | 8 << 16);
	assert_int_equal(two_words(at + 28, at + 24), packets);
	assert_int_equal(word(at + 32), 5 | 8 << 16);
	assert_int_equal(two_words(at + 40, at + 36), lost);
}

/* In order, and with the time of the day. */
static void test_file(void **state)
{
	struct capture *capture = start();
	uint64_t offset = capture_clock_offset();
	struct capture_status status;
	size_t at = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		struct pcapng_packet packet = { .time_ns = 1000 + i, .data = &i, .len = sizeof(i) };

		capture_packet(capture, &packet);
	}
	status = capture_status(capture);
	assert_true(status.on);
	assert_int_equal(status.packets, 1000);
	assert_int_equal(status.lost, 0);
	assert_int_equal(capture_stop(capture), 0);
	assert_false(capture_on(capture));
	read_fd(open(path, O_RDONLY));
	assert_int_equal(word(SECTION + 8), PCAPNG_INFINIBAND);
	at = SECTION + INTERFACE;
	for (uint32_t i = 0; i < 1000; i++, at += word(at + 4)) {
		assert_int_equal(word(at), 6);
		assert_int_equal(two_words(at + 12, at + 16), offset + 1000 + i);
		assert_int_equal(word(at + 28), i);
	}
	assert_int_equal(at + STATISTICS, file_len);
	assert_statistics(1000, 0);
	capture_free(capture);
}

/* A pipe that nobody reads is a disk that hangs: who captures goes on, and what is there is whole.
 */
static void test_never_waits(void **state)
{
	static uint8_t data[60000];
	struct capture *capture = capture_new(PCAPNG_INFINIBAND, "ib0");
	const struct pcapng_packet packet = { .data = data, .len = sizeof(data) };
	struct capture_status status;
	size_t last = 0;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(capture_start(capture, fds[1], "pipe"), 0);
	for (unsigned int i = 0; i < 100; i++)
		capture_packet(capture, &packet);
	status = capture_status(capture);
	assert_int_equal(status.packets, 100);
	/* 69 fit into the ring, and one or two into the pipe. */
	assert_in_range(status.lost, 28, 31);
	assert_int_equal(status.error, 0);
	if (!fork()) {
		/* Reads until the writer closes its end; this one has it, too. */
		close(fds[1]);
		read_fd(fds[0]);
		_exit(count_blocks(6, &last) != 100 - status.lost);
	}
	close(fds[0]);
	assert_int_equal(capture_stop(capture), 0);
	capture_free(capture);
	{
		int child = -1;

		assert_true(wait(&child) > 0);
		assert_int_equal(child, 0);
	}
}

/* The beginning of each packet, which says how long it was. */
static void test_snap(void **state)
{
	struct capture *capture = start();
	const struct pcapng_packet packets[] = {
		{ .data = "abcdefgh", .len = 4 },
		{ .data = "abcdefgh", .len = 8 },
		{ .data = "abcdefgh", .len = 8, .wire_len = 80 },
	};
	static const uint32_t lengths[][2] = { { 4, 4 }, { 5, 8 }, { 5, 80 } };
	size_t at = SECTION + INTERFACE;

	(void)state;
	capture_snap(capture, 5);
	for (unsigned int i = 0; i < 3; i++)
		capture_packet(capture, &packets[i]);
	assert_int_equal(capture_stop(capture), 0);
	read_fd(open(path, O_RDONLY));
	for (unsigned int i = 0; i < 3; i++, at += word(at + 4)) {
		assert_int_equal(word(at), 6);
		assert_int_equal(word(at + 20), lengths[i][0]);
		assert_int_equal(word(at + 24), lengths[i][1]);
		assert_memory_equal(file + at + 28, "abcde", lengths[i][0]);
	}
	assert_statistics(3, 0);
	capture_free(capture);
}

static void test_limit(void **state)
{
	struct capture *capture = capture_new(PCAPNG_INFINIBAND, "ib0");
	const struct pcapng_packet packet = { .data = "abcd", .len = 4 };
	size_t last = 0;

	(void)state;
	/* One packet of 36 bytes more does not fit. */
	capture_limit(capture, SECTION + INTERFACE + 3 * 36 + STATISTICS + 35);
	assert_int_equal(capture_start(capture, open(path, O_RDWR | O_TRUNC), path), 0);
	for (unsigned int i = 0; i < 5; i++)
		capture_packet(capture, &packet);
	assert_int_equal(capture_status(capture).error, EFBIG);
	assert_int_equal(capture_stop(capture), -EFBIG);
	read_fd(open(path, O_RDONLY));
	assert_int_equal(file_len, SECTION + INTERFACE + 3 * 36 + STATISTICS);
	assert_int_equal(count_blocks(6, &last), 3);
	assert_statistics(5, 2);
	capture_free(capture);
}

static void test_full_disk(void **state)
{
	struct capture *capture = capture_new(PCAPNG_INFINIBAND, "ib0");
	const struct pcapng_packet packet = { .data = "abcd", .len = 4 };
	struct capture_status status;

	(void)state;
	assert_int_equal(capture_start(capture, open("/dev/full", O_WRONLY), "/dev/full"), 0);
	/* The writer finds out by the first block; what comes until then is lost, too. */
	do
		status = capture_status(capture);
	while (!status.error);
	capture_packet(capture, &packet);
	status = capture_status(capture);
	assert_int_equal(status.error, ENOSPC);
	assert_int_equal(status.packets, 1);
	assert_int_equal(status.lost, 1);
	assert_int_equal(capture_stop(capture), -ENOSPC);
	/* The next one begins anew. */
	assert_int_equal(capture_start(capture, open(path, O_RDWR | O_TRUNC), path), 0);
	capture_packet(capture, &packet);
	assert_int_equal(capture_stop(capture), 0);
	read_fd(open(path, O_RDONLY));
	assert_statistics(1, 0);
	capture_free(capture);
}

static void test_states(void **state)
{
	static uint8_t big[PCAPNG_PACKET_MAX + 1];
	const struct pcapng_packet packet = { .data = big, .len = sizeof(big) };
	struct capture *capture = start();
	int fd = open(path, O_RDWR);
	size_t last = 0;

	(void)state;
	assert_int_equal(capture_start(capture, fd, path), -EBUSY);
	/* It stayed the caller's. */
	assert_int_equal(close(fd), 0);
	capture_packet(capture, &packet);
	assert_int_equal(capture_status(capture).lost, 1);
	assert_int_equal(capture_stop(capture), 0);
	assert_int_equal(capture_stop(capture), -ENOENT);
	capture_packet(capture, &packet);
	assert_int_equal(capture_status(capture).packets, 1);
	read_fd(open(path, O_RDONLY));
	assert_int_equal(count_blocks(6, &last), 0);
	/* Freed while it is on: stopped. */
	assert_int_equal(capture_start(capture, open(path, O_RDWR | O_TRUNC), path), 0);
	capture_free(capture);
	read_fd(open(path, O_RDONLY));
	assert_statistics(0, 0);
	assert_false(capture_on(NULL));
	capture_free(NULL);
}

/* One offset for the whole life of the process, and it is that of the two clocks. */
static void test_clock(void **state)
{
	uint64_t offset = capture_clock_offset(), before, day, after;

	(void)state;
	before = read_clock(CLOCK_MONOTONIC);
	day = read_clock(CLOCK_REALTIME);
	after = read_clock(CLOCK_MONOTONIC);
	/* A second of slack: the time of the day may be corrected meanwhile. */
	assert_in_range(day, before + offset - 1000000000, after + offset + 1000000000);
	assert_int_equal(capture_clock_offset(), offset);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),	  cmocka_unit_test(test_never_waits),
		cmocka_unit_test(test_limit),	  cmocka_unit_test(test_snap),
		cmocka_unit_test(test_full_disk), cmocka_unit_test(test_states),
		cmocka_unit_test(test_clock),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
