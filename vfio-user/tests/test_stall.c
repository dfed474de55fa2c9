/* SPDX-License-Identifier: GPL-2.0-only */
/* A client that does not answer the device's DMA messages, or does so late. */
#include "vfio-user/tests/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RW    (VFIO_USER_MAP_READ | VFIO_USER_MAP_WRITE)
#define PAGE  UINT64_C(4096)
#define SHORT 1000 /* ms; a time-out that the tests wait for */

static struct fixture f;
static struct vfio_user_message msg;
static atomic_uint stalls, resumes, holds, reads;

/* Not one byte of the reply: what the client sees is nobody else's. */
static int read_nothing(void *dev, unsigned int region, uint64_t offset, void *buf, size_t count)
{
	(void)dev, (void)region, (void)offset, (void)buf, (void)count;
	reads++;
	return 0;
}

/* What another function's thread may do meanwhile: all of it. */
static void stall(void *dev)
{
	struct device *device = dev;
	uint64_t base, size;
	bool direct;

	stalls++;
	vfio_user_dma_resolve(device->server, 0, &base, &size, &direct);
	vfio_user_interrupt(device->server, 0);
	while (holds)
		usleep(1000);
}

static void resume(void *dev)
{
	(void)dev;
	resumes++;
}

static void start_server(unsigned int dma_timeout)
{
	struct vfio_user_ops ops = device_ops;

	stalls = resumes = holds = reads = 0;
	ops.region_read = read_nothing;
	ops.stall = stall;
	ops.resume = resume;
	fixture_start_with(&f, &ops, dma_timeout, 0);
	fixture_connect(&f);
}

static int setup_short(void **state)
{
	(void)state;
	start_server(SHORT);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	start_server(0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_stop(&f);
	assert_int_equal(stalls, resumes);
	return 0;
}

static void expect_works(void)
{
	struct job job;

	for (int write = 0; write < 2; write++) {
		job_start(&f, &job, write, 0x9000, 64);
		dma_receive(&f, &msg);
		dma_answer(&f, &msg, 0);
		expect_soon(&job.done, 1);
		if (!write)
			dma_expect(job.buf, 0x9000, 64);
		assert_int_equal(job_finish(&job), 0);
	}
}

/* Late: the call is over, further ones fail at once and unsent, and the late reply ends that. */
static void test_late_reply(void **state)
{
	static struct vfio_user_message late;
	struct job job;
	uint8_t byte;
	int fd = new_memfd(PAGE);

	(void)state;
	assert_int_equal(client_map(&f, 0x100000, PAGE, RW, fd, 0), 0);
	for (int write = 0; write < 2; write++) {
		capture_stderr();
		job_start(&f, &job, write, 0x5000, 64);
		dma_receive(&f, &late);
		expect_soon(&job.done, 1);
		for (int i = 0; i < 64 && !write; i++)
			assert_int_equal(job.buf[i], 0xee);
		assert_int_equal(job_finish(&job), -ETIMEDOUT);
		assert_int_equal(stalls, 1 + write);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(vfio_user_dma_read(f.server, 0, &byte, 1), -ETIMEDOUT);
			assert_int_equal(vfio_user_dma_write(f.server, 0, "x", 1), -ETIMEDOUT);
		}
		assert_true(client_quiet(&f));
		assert_int_equal(stalls, 1 + write);
		/* Its own requests, and memory that it gave, are as before. */
		assert_int_equal(client_unmap(&f, 0, PAGE), 0);
		assert_int_equal(vfio_user_dma_write(f.server, 0x100000, "x", 1), 0);
		/* To no request of ours: nothing changes. */
		late.header.id += LIMIT;
		dma_answer(&f, &late, 0);
		late.header.id += 1 - LIMIT;
		dma_answer(&f, &late, 0);
		late.header.id -= 1;
		assert_int_equal(client_unmap(&f, 0, PAGE), 0);
		assert_int_equal(vfio_user_dma_read(f.server, 0, &byte, 1), -ETIMEDOUT);
		/* Late, and once more, as it is due no more. */
		dma_answer(&f, &late, write ? EFAULT : 0);
		dma_answer(&f, &late, 0);
		assert_int_equal(client_unmap(&f, 0, PAGE), 0);
		{
			char *text = captured_stderr(), *again;

			assert_non_null(strstr(text, ": answers no DMA messages"));
			again = strstr(text, "answers again\n");
			assert_non_null(again);
			assert_null(strstr(again + 1, "answers again"));
			free(text);
		}
		expect_works();
		/* A slow machine makes more of them. */
		stalls = resumes = 1 + write;
	}
	close(fd);
}

/* More than fit: those sent are due until answered, those without room were never there. */
static void test_all_late(void **state)
{
	enum { JOBS = LIMIT + 10 };
	static struct vfio_user_message late[LIMIT];
	static struct job job[JOBS];

	(void)state;
	for (int i = 0; i < LIMIT; i++)
		job_start(&f, &job[i], i % 2, i * PAGE, 64);
	for (int i = 0; i < LIMIT; i++)
		dma_receive(&f, &late[i]);
	for (int i = LIMIT; i < JOBS; i++)
		job_start(&f, &job[i], i % 2, i * PAGE, 64);
	for (int i = 0; i < JOBS; i++)
		assert_int_equal(job_finish(&job[i]), -ETIMEDOUT);
	assert_true(client_quiet(&f));
	/* One that comes ends the stall, and there is room for one. */
	dma_answer(&f, &late[7], 0);
	assert_int_equal(client_unmap(&f, 0, PAGE), 0);
	expect_works();
	for (int i = 0; i < LIMIT; i++) {
		if (i != 7)
			dma_answer(&f, &late[i], 0);
	}
	assert_int_equal(client_unmap(&f, 0, PAGE), 0);
	for (int i = 0; i < LIMIT; i++)
		job_start(&f, &job[i], true, i * PAGE, 64);
	for (int i = 0; i < LIMIT; i++)
		dma_receive(&f, &late[i]);
	for (int i = 0; i < LIMIT; i++)
		dma_answer(&f, &late[i], 0);
	for (int i = 0; i < LIMIT; i++)
		assert_int_equal(job_finish(&job[i]), 0);
}

/* All places taken by replies that never come, one that did come: waiting for room ends, too. */
static void test_no_room(void **state)
{
	static struct vfio_user_message late[LIMIT];
	static struct job job[LIMIT];
	uint8_t byte;

	(void)state;
	for (int i = 0; i < LIMIT; i++)
		job_start(&f, &job[i], false, i * PAGE, 64);
	for (int i = 0; i < LIMIT; i++)
		dma_receive(&f, &late[i]);
	for (int i = 0; i < LIMIT; i++)
		assert_int_equal(job_finish(&job[i]), -ETIMEDOUT);
	dma_answer(&f, &late[0], 0);
	assert_int_equal(client_unmap(&f, 0, PAGE), 0);
	job_start(&f, &job[0], false, 0, 64);
	dma_receive(&f, &late[0]);
	/* no room, no stall */
	assert_int_equal(vfio_user_dma_read(f.server, 0, &byte, 1), -ETIMEDOUT);
	assert_int_equal(job_finish(&job[0]), -ETIMEDOUT);
	dma_answer(&f, &late[0], 0);
	for (int i = 0; i < LIMIT; i++)
		dma_answer(&f, &late[i], 0);
	assert_int_equal(client_unmap(&f, 0, PAGE), 0);
	expect_works();
}

/* A client that reads nothing: some messages never leave, and never will. */
static void test_full_socket(void **state)
{
	enum { JOBS = 24 };
	static struct job job[JOBS];
	unsigned int came = 0;

	(void)state;
	for (int i = 0; i < JOBS; i++)
		job_start(&f, &job[i], true, i * CHUNK, CHUNK);
	for (int i = 0; i < JOBS; i++)
		assert_int_equal(job_finish(&job[i]), -ETIMEDOUT);
	/* Whole messages, all of them. */
	for (; !client_quiet(&f); came++) {
		dma_receive(&f, &msg);
		dma_answer(&f, &msg, 0);
	}
	assert_in_range(came, 1, JOBS - 1);
	assert_int_equal(client_unmap(&f, 0, PAGE), 0);
	expect_works();
}

/* While a thread is in stall() the client, the server's thread and other threads go on. */
static void test_nothing_locked_in_stall(void **state)
{
	static struct vfio_user_message first, second;
	struct job job[2];

	(void)state;
	holds = 1;
	job_start(&f, &job[0], false, 0x5000, 64);
	dma_receive(&f, &first);
	expect_soon(&stalls, 1);
	assert_int_equal(client_map(&f, 0x100000, PAGE, RW, -1, 0), 0);
	assert_int_equal(client_unmap(&f, 0x100000, PAGE), 0);
	assert_int_equal(client_ask(&f, VFIO_USER_DEVICE_RESET, NULL, 0, NULL, 0, NULL), 0);
	job_start(&f, &job[1], true, 0x6000, 64);
	dma_receive(&f, &second);
	dma_answer(&f, &second, 0);
	dma_answer(&f, &first, 0);
	assert_int_equal(client_unmap(&f, 0x100000, PAGE), 0);
	assert_int_equal(job[0].done, 0);
	holds = 0;
	assert_int_equal(job_finish(&job[0]), 0);
	assert_int_equal(job_finish(&job[1]), 0);
	assert_int_equal(resumes, stalls);
}

/* Nothing of a stall is left to the next client. */
static void test_next_client(void **state)
{
	static struct vfio_user_message late;
	static struct job due[LIMIT];
	struct job job;

	(void)state;
	for (int round = 1; round <= 3; round++) {
		for (int i = 0; i < LIMIT; i++)
			job_start(&f, &due[i], false, 0x5000, 64);
		for (int i = 0; i < LIMIT; i++)
			dma_receive(&f, &late);
		for (int i = 0; i < LIMIT; i++)
			assert_int_equal(job_finish(&due[i]), -ETIMEDOUT);
		close(f.sock);
		expect_soon(&f.dev.disconnects, round);
		fixture_connect(&f);
		/* A reply to the client before is to no request of this one, even of the same
		 * place. */
		job_start(&f, &job, false, 0x5000, 64);
		dma_receive(&f, &msg);
		assert_int_not_equal(late.header.id, msg.header.id);
		dma_answer(&f, &late, EFAULT);
		dma_answer(&f, &msg, 0);
		assert_int_equal(job_finish(&job), 0);
		expect_works();
	}
}

/* With the time-out that nobody waits for here, stop and disconnect end all waits. */
static void test_free_ends_waits(void **state)
{
	enum { JOBS = LIMIT + 10 };
	static struct job job[JOBS];

	(void)state;
	for (int i = 0; i < JOBS; i++)
		job_start(&f, &job[i], true, i * CHUNK, i % 2 ? CHUNK : 64);
	expect_soon(&stalls, JOBS);
	vfio_user_server_free(f.server);
	f.server = NULL;
	for (int i = 0; i < JOBS; i++) {
		int ret = job_finish(&job[i]);

		assert_true(ret == -EIO || ret == -ENODEV);
	}
}

static void test_disconnect_ends_waits(void **state)
{
	enum { JOBS = LIMIT + 10 };
	static struct job job[JOBS];

	(void)state;
	for (int i = 0; i < JOBS; i++)
		job_start(&f, &job[i], true, i * CHUNK, i % 2 ? CHUNK : 64);
	expect_soon(&stalls, JOBS);
	close(f.sock);
	for (int i = 0; i < JOBS; i++) {
		int ret = job_finish(&job[i]);

		assert_true(ret == -EIO || ret == -ENODEV);
	}
	expect_soon(&f.dev.disconnects, 1);
	fixture_connect(&f);
	expect_works();
}

/* What the device leaves out of a reply is zero, not what an earlier one, or client, had there. */
static void test_no_left_overs(void **state)
{
	const struct vfio_user_region_access a = { 0, 0, 4096 };
	struct vfio_user_region_info region = { .argsz = 64 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			client_ask(&f, VFIO_USER_GET_REGION_INFO, &region, 32, NULL, 0, &msg), 0);
		close(msg.fds[0]);
		assert_int_equal(
			client_ask(&f, VFIO_USER_REGION_READ, &a, sizeof(a), NULL, 0, &msg), 0);
		assert_int_equal(msg.len, 16 + 4096);
		for (int at = 16; at < 16 + 4096; at++)
			assert_int_equal(msg.body[at], 0);
		close(f.sock);
		expect_soon(&f.dev.disconnects, i + 1);
		fixture_connect(&f);
	}
	assert_int_equal(reads, 2);
}

static void test_ops_come_in_pairs(void **state)
{
	struct vfio_user_ops ops = device_ops;

	(void)state;
	ops.stall = stall;
	errno = 0;
	assert_null(vfio_user_server_new(&f.config, &ops, &f.dev));
	assert_int_equal(errno, EINVAL);
}

int main(void)
{
#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_late_reply, setup_short),	   TEST(test_all_late, setup_short),
		TEST(test_no_room, setup_short),	   TEST(test_full_socket, setup_short),
		TEST(test_nothing_locked_in_stall, setup), TEST(test_next_client, setup_short),
		TEST(test_free_ends_waits, setup),	   TEST(test_disconnect_ends_waits, setup),
		TEST(test_no_left_overs, setup),	   TEST(test_ops_come_in_pairs, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
