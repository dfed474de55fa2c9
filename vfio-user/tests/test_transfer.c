/* SPDX-License-Identifier: GPL-2.0-only */
/* The device's DMA: the test is the client, and each transfer has a thread of its own. */
#include "vfio-user/tests/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vfio-user/socket.h"
#include "vfio-user/tests/transfer.h"

#define RW   (VFIO_USER_MAP_READ | VFIO_USER_MAP_WRITE)
#define PAGE UINT64_C(4096)

static struct fixture f;
static struct vfio_user_message msg;

static int setup(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	fixture_connect(&f);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_stop(&f);
	return 0;
}

static void test_lengths(void **state)
{
	static const size_t lengths[] = { 1, 3, 5, 64, 4095, CHUNK };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		for (int write = 0; write < 2; write++) {
			struct vfio_user_dma_access a;
			struct job job;

			job_start(&f, &job, write, 0x1234567, lengths[i]);
			a = dma_receive(&f, &msg);
			assert_int_equal(a.addr, 0x1234567);
			assert_int_equal(a.count, lengths[i]);
			assert_int_equal(msg.header.command, write ? 12 : 11);
			dma_answer(&f, &msg, 0);
			expect_soon(&job.done, 1);
			if (!write)
				dma_expect(job.buf, a.addr, a.count);
			assert_int_equal(job_finish(&job), 0);
		}
	}
	assert_int_equal(vfio_user_dma_read(f.server, 0, NULL, 0), 0);
	assert_int_equal(vfio_user_dma_write(f.server, UINT64_MAX, "xy", 2), -ENODEV);
	assert_true(client_quiet(&f));
}

static void test_pieces(void **state)
{
	struct vfio_user_dma_access a;
	struct job job;

	(void)state;
	for (int write = 0; write < 2; write++) {
		job_start(&f, &job, write, 0x100000, 3 * CHUNK + 5);
		for (int i = 0; i < 4; i++) {
			a = dma_receive(&f, &msg);
			assert_int_equal(a.addr, 0x100000 + i * CHUNK);
			assert_int_equal(a.count, i < 3 ? CHUNK : 5);
			dma_answer(&f, &msg, 0);
		}
		expect_soon(&job.done, 1);
		if (!write)
			dma_expect(job.buf, 0x100000, 3 * CHUNK + 5);
		assert_int_equal(job_finish(&job), 0);
	}
	/* an error ends it */
	job_start(&f, &job, true, 0x100000, 3 * CHUNK);
	dma_receive(&f, &msg);
	dma_answer(&f, &msg, 0);
	dma_receive(&f, &msg);
	dma_answer(&f, &msg, EFAULT);
	assert_int_equal(job_finish(&job), -EFAULT);
	assert_true(client_quiet(&f));
}

static void test_smaller_limit_of_client(void **state)
{
	struct vfio_user_dma_access a;
	struct job job;

	(void)state;
	close(f.sock);
	expect_soon(&f.dev.disconnects, 1);
	f.sock = client_open(f.path);
	assert_int_equal(client_version(&f, "{\"capabilities\":{\"max_data_xfer_size\":1000}}"), 0);
	expect_soon(&f.dev.connects, 2);
	job_start(&f, &job, true, 0, 2500);
	for (int i = 0; i < 3; i++) {
		a = dma_receive(&f, &msg);
		assert_int_equal(a.addr, i * 1000);
		assert_int_equal(a.count, i < 2 ? 1000 : 500);
		dma_answer(&f, &msg, 0);
	}
	assert_int_equal(job_finish(&job), 0);
}

/* All replies last to first, some of them errors, more requests than may be out at once. */
static void test_out_of_order(void **state)
{
	enum { JOBS = LIMIT + 8 };
	static struct vfio_user_message m[LIMIT];
	static struct job job[JOBS];

	(void)state;
	for (int i = 0; i < JOBS; i++)
		job_start(&f, &job[i], i % 2, i * 0x10000, i % 2 ? 100 : CHUNK);
	for (int i = 0; i < LIMIT; i++) {
		dma_receive(&f, &m[i]);
		for (int j = 0; j < i; j++)
			assert_int_not_equal(m[i].header.id, m[j].header.id);
	}
	assert_true(client_quiet(&f));
	for (int i = LIMIT - 1; i >= 0; i--) {
		struct vfio_user_dma_access a;

		memcpy(&a, m[i].body, sizeof(a));
		dma_answer(&f, &m[i], a.addr % 0x30000 ? 0 : ENODEV);
	}
	for (int i = LIMIT; i < JOBS; i++) {
		struct vfio_user_dma_access a = dma_receive(&f, &msg);

		dma_answer(&f, &msg, a.addr % 0x30000 ? 0 : ENODEV);
	}
	for (int i = 0; i < JOBS; i++) {
		expect_soon(&job[i].done, 1);
		if (i % 3 && !job[i].write)
			dma_expect(job[i].buf, job[i].addr, job[i].len);
		assert_int_equal(job_finish(&job[i]), i % 3 ? 0 : -ENODEV);
	}
}

/* A request of the client with the very id of ours, while ours waits. */
static void test_collision(void **state)
{
	const struct vfio_user_region_access reg = { 0x40, 0, 8 };
	static struct vfio_user_message dma;
	struct job job;

	(void)state;
	memcpy(f.dev.bar0 + 0x40, "register", 8);
	for (int write = 0; write < 2; write++) {
		job_start(&f, &job, write, 0x5000, 8);
		dma_receive(&f, &dma);
		f.id = dma.header.id - 1;
		assert_int_equal(
			client_ask(&f, VFIO_USER_REGION_READ, &reg, sizeof(reg), NULL, 0, &msg), 0);
		assert_int_equal(msg.header.id, dma.header.id);
		assert_memory_equal(msg.body + 16, "register", 8);
		assert_int_equal(job.done, 0);
		dma_answer(&f, &dma, 0);
		assert_int_equal(job_finish(&job), 0);
	}
}

static void test_client_errors(void **state)
{
	/* ENODEV unmapped or no bus mastering, E2BIG too long; 0 and nonsense become EIO */
	static const struct {
		uint32_t error;
		int ret;
	} rows[] = { { ENODEV, -ENODEV },
		     { E2BIG, -E2BIG },
		     { EACCES, -EACCES },
		     { 4095, -4095 },
		     { 4096, -EIO },
		     { UINT32_MAX, -EIO },
		     { (uint32_t)-ENODEV, -EIO } };
	struct job job;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		job_start(&f, &job, i % 2, 0x5000, 8);
		dma_receive(&f, &msg);
		dma_answer(&f, &msg, rows[i].error);
		assert_int_equal(job_finish(&job), rows[i].ret);
	}
	job_start(&f, &job, false, 0x5000, 8);
	dma_receive(&f, &msg);
	msg.header.flags = VFIO_USER_REPLY | VFIO_USER_ERROR;
	msg.header.size = 16;
	client_send_raw(f.sock, &msg.header, 16, NULL, 0);
	assert_int_equal(job_finish(&job), -EIO);
}

/* Change one thing in a good reply of a 8-byte read; the request fails, the connection lives. */
enum spoil {
	SPOIL_SHORT,
	SPOIL_LONG,
	SPOIL_NO_BODY,
	SPOIL_COMMAND,
	SPOIL_ADDR,
	SPOIL_COUNT,
	SPOIL_HUGE,
	SPOIL_HUGE_TAIL,
	SPOIL_SIZE_0,
	SPOIL_END,
};

static void test_malformed_replies(void **state)
{
	static uint8_t body[40000];
	struct job job;

	(void)state;
	for (enum spoil spoil = 0; spoil < SPOIL_END; spoil++) {
		size_t len = 24;

		job_start(&f, &job, false, 0x5000, 8);
		dma_receive(&f, &msg);
		memset(body, 0, sizeof(body));
		memcpy(body, msg.body, 16);
		if (spoil == SPOIL_SHORT)
			len = 23;
		else if (spoil == SPOIL_LONG)
			len = 25;
		else if (spoil == SPOIL_NO_BODY)
			len = 0;
		else if (spoil == SPOIL_COMMAND)
			msg.header.command = VFIO_USER_DMA_WRITE;
		else if (spoil == SPOIL_ADDR)
			body[0] ^= 1;
		else if (spoil == SPOIL_COUNT)
			body[8] ^= 1;
		else if (spoil == SPOIL_HUGE)
			len = sizeof(body);
		else if (spoil == SPOIL_HUGE_TAIL)
			len += VFIO_USER_BODY_MAX;
		/* what comes last in one that is too long would do by itself */
		if (spoil == SPOIL_HUGE_TAIL)
			memcpy(body + VFIO_USER_BODY_MAX, msg.body, 16);
		msg.header.flags = VFIO_USER_REPLY;
		msg.header.size = spoil == SPOIL_SIZE_0 ? 0 : 16 + len;
		client_send_raw(f.sock, &msg.header, 16, NULL, 0);
		if (len && spoil != SPOIL_SIZE_0)
			client_send_raw(f.sock, body, len, NULL, 0);
		expect_soon(&job.done, 1);
		for (int i = 0; i < 8; i++)
			assert_int_equal(job.buf[i], 0xee);
		assert_int_equal(job_finish(&job), -EIO);
		assert_int_equal(client_unmap(&f, 0, PAGE), 0);
	}
}

static void test_reply_to_another_id(void **state)
{
	struct job job;

	(void)state;
	job_start(&f, &job, false, 0x5000, 8);
	dma_receive(&f, &msg);
	/* the same slot in another round, then another slot; both ignored */
	msg.header.id += LIMIT;
	dma_answer(&f, &msg, EFAULT);
	msg.header.id -= LIMIT - 1;
	dma_answer(&f, &msg, ENODEV);
	msg.header.id -= 1;
	dma_answer(&f, &msg, 0);
	/* and once more, to nobody */
	dma_answer(&f, &msg, 0);
	assert_int_equal(job_finish(&job), 0);
	assert_int_equal(client_unmap(&f, 0, PAGE), 0);
}

static void test_spanning(void **state)
{
	/* memory, gap, map without memory, memory again: 0x1000 bytes each */
	int fd = new_memfd(2 * PAGE);
	struct vfio_user_dma_access a;
	uint8_t got[2 * PAGE];
	struct job job;

	(void)state;
	assert_int_equal(client_map(&f, 0x1000, PAGE, RW, fd, PAGE), 0);
	assert_int_equal(client_map(&f, 0x3000, PAGE, RW, -1, 0), 0);
	assert_int_equal(client_map(&f, 0x4000, PAGE, RW, fd, 0), 0);
	job_start(&f, &job, true, 0x1800, 0x3000);
	for (uint64_t i = 0; i < 2; i++) {
		a = dma_receive(&f, &msg);
		assert_int_equal(a.addr, 0x2000 + i * PAGE);
		assert_int_equal(a.count, PAGE);
		dma_answer(&f, &msg, 0);
	}
	assert_int_equal(job_finish(&job), 0);
	assert_int_equal(pread(fd, got, sizeof(got), 0), sizeof(got));
	for (size_t i = 0; i < 0x800; i++) {
		assert_int_equal(got[i], (uint8_t)((0x4000 + i) * 31 >> 3));
		assert_int_equal(got[PAGE + i], 0);
		assert_int_equal(got[PAGE + 0x800 + i], (uint8_t)((0x1800 + i) * 31 >> 3));
	}

	/* read back: what is in memory comes from there, the rest from the client */
	job_start(&f, &job, false, 0x1ffc, 0x1008);
	a = dma_receive(&f, &msg);
	assert_int_equal(a.addr, 0x2000);
	assert_int_equal(a.count, PAGE);
	dma_answer(&f, &msg, 0);
	a = dma_receive(&f, &msg);
	assert_int_equal(a.addr, 0x3000);
	assert_int_equal(a.count, 4);
	dma_answer(&f, &msg, 0);
	expect_soon(&job.done, 1);
	for (int i = 0; i < 4; i++)
		assert_int_equal(job.buf[i], (uint8_t)((0x1ffc + i) * 31 >> 3));
	dma_expect(job.buf + 4, 0x2000, 0x1004);
	assert_int_equal(job_finish(&job), 0);

	/* memory alone: no message */
	assert_int_equal(vfio_user_dma_write(f.server, 0x4000, "direct", 6), 0);
	assert_int_equal(vfio_user_dma_read(f.server, 0x4000, got, 6), 0);
	assert_memory_equal(got, "direct", 6);
	assert_true(client_quiet(&f));
	close(fd);
}

static void test_rights(void **state)
{
	int fd = new_memfd(PAGE);
	uint8_t byte = 0;

	(void)state;
	assert_int_equal(client_map(&f, 0x1000, PAGE, VFIO_USER_MAP_READ, fd, 0), 0);
	assert_int_equal(client_map(&f, 0x2000, PAGE, VFIO_USER_MAP_READ, -1, 0), 0);
	assert_int_equal(vfio_user_dma_write(f.server, 0x1000, "x", 1), -EACCES);
	assert_int_equal(vfio_user_dma_write(f.server, 0x2000, "x", 1), -EACCES);
	assert_int_equal(pread(fd, &byte, 1, 0), 1);
	assert_int_equal(byte, 0);
	assert_int_equal(vfio_user_dma_read(f.server, 0x1000, &byte, 1), 0);
	assert_true(client_quiet(&f));
	close(fd);
}

static void test_resolve(void **state)
{
	uint64_t base, size;
	int fd = new_memfd(PAGE);
	bool direct;

	(void)state;
	assert_int_equal(client_map(&f, 0xf8000000, 0x4000000, RW, -1, 0), 0);
	assert_int_equal(client_map(&f, 0, PAGE, RW, fd, 0), 0);
	assert_true(vfio_user_dma_resolve(f.server, 0xf8001234, &base, &size, &direct));
	assert_int_equal(base, 0xf8000000);
	assert_int_equal(size, 0x4000000);
	assert_false(direct);
	assert_true(vfio_user_dma_resolve(f.server, 5, &base, &size, &direct));
	assert_int_equal(size, PAGE);
	assert_true(direct);
	assert_false(vfio_user_dma_resolve(f.server, 0xfc000000, &base, &size, &direct));
	assert_int_equal(size, 0);
	assert_false(vfio_user_dma_resolve(f.server, PAGE + 3, &base, &size, &direct));
	assert_int_equal(size, 0xf8000000 - PAGE - 3);
	assert_int_equal(client_unmap(&f, 0, UINT64_C(1) << 63), 0);
	assert_false(vfio_user_dma_resolve(f.server, 0xf8001234, &base, &size, &direct));
	close(fd);
}

/* The client takes a map away, and has its reply, while it owes us one for an access there. */
static void test_unmap_waits_for_no_message(void **state)
{
	static struct vfio_user_message dma;
	struct job job;

	(void)state;
	assert_int_equal(client_map(&f, 0x3000, PAGE, RW, -1, 0), 0);
	job_start(&f, &job, true, 0x3000, 64);
	dma_receive(&f, &dma);
	assert_int_equal(client_unmap(&f, 0x3000, PAGE), 0);
	assert_int_equal(job.done, 0);
	dma_answer(&f, &dma, 0);
	assert_int_equal(job_finish(&job), 0);
}

static void test_disconnect_fails_waiting(void **state)
{
	enum { JOBS = 4 };
	struct job job[JOBS];
	uint8_t byte;

	(void)state;
	for (int round = 1; round <= 3; round++) {
		int fine = 0, lost = 0;

		for (int i = 0; i < JOBS; i++)
			job_start(&f, &job[i], i % 2, i * PAGE, 64);
		for (int i = 0; i < JOBS; i++)
			dma_receive(&f, &msg);
		if (round == 1)
			dma_answer(&f, &msg, 0);
		assert_int_equal(client_map(&f, 0x1000, PAGE, RW, -1, 0), 0);
		close(f.sock);
		expect_soon(&f.dev.disconnects, round);
		for (int i = 0; i < JOBS; i++) {
			int ret = job_finish(&job[i]);

			fine += !ret;
			lost += ret == -EIO;
		}
		assert_int_equal(fine, round == 1);
		assert_int_equal(lost, JOBS - fine);
		assert_false(f.dev.map_seen);
		assert_int_equal(vfio_user_dma_read(f.server, 0x1000, &byte, 1), -ENODEV);
		fixture_connect(&f);
		job_start(&f, &job[0], false, 0x9000, 8);
		dma_receive(&f, &msg);
		dma_answer(&f, &msg, 0);
		assert_int_equal(job_finish(&job[0]), 0);
	}
}

static void test_no_dma_before_version(void **state)
{
	uint8_t byte;

	(void)state;
	close(f.sock);
	expect_soon(&f.dev.disconnects, 1);
	f.sock = client_open(f.path);
	assert_true(f.sock >= 0);
	assert_int_equal(vfio_user_dma_read(f.server, 0, &byte, 1), -ENODEV);
	assert_int_equal(client_unmap(&f, 0, PAGE), EINVAL);
	assert_int_equal(vfio_user_dma_read(f.server, 0, &byte, 1), -ENODEV);
	assert_true(client_quiet(&f));
}

/* More transfers than may be out: those that wait for a reply and those that wait for room. */
static void test_free_fails_waiting(void **state)
{
	enum { JOBS = 2 * LIMIT + 10 };
	static struct job job[JOBS];
	int lost = 0, none = 0;

	(void)state;
	for (int i = 0; i < JOBS; i++)
		job_start(&f, &job[i], i % 2, i * PAGE, 64);
	for (int i = 0; i < LIMIT; i++)
		dma_receive(&f, &msg);
	jobs_await(job, JOBS);
	vfio_user_server_free(f.server);
	f.server = NULL;
	assert_int_equal(f.dev.disconnects, 1);
	for (int i = 0; i < JOBS; i++) {
		int ret = job_finish(&job[i]);

		lost += ret == -EIO;
		none += ret == -ENODEV;
	}
	assert_int_equal(lost, LIMIT);
	assert_int_equal(none, JOBS - LIMIT);
	client_expect_end(&f);
}

/* A client that reads nothing: transfers get stuck in the middle of a send. */
static void test_free_with_stuck_sends(void **state)
{
	enum { JOBS = 20 };
	static struct job job[JOBS];

	(void)state;
	for (int i = 0; i < JOBS; i++)
		job_start(&f, &job[i], true, i * CHUNK, CHUNK);
	jobs_await(job, JOBS);
	vfio_user_server_free(f.server);
	f.server = NULL;
	for (int i = 0; i < JOBS; i++)
		assert_int_equal(job_finish(&job[i]), -EIO);
}

/* One that will send no more but stays, reading nothing. */
static void test_half_closed_with_stuck_sends(void **state)
{
	enum { JOBS = 20 };
	static struct job job[JOBS];

	(void)state;
	for (int i = 0; i < JOBS; i++)
		job_start(&f, &job[i], true, i * CHUNK, CHUNK);
	jobs_await(job, JOBS);
	assert_int_equal(shutdown(f.sock, SHUT_WR), 0);
	for (int i = 0; i < JOBS; i++)
		assert_int_equal(job_finish(&job[i]), -EIO);
	expect_soon(&f.dev.disconnects, 1);
}

/* A request begun on one connection never goes out on the next, which knows nothing of it. */
static void test_send_on_its_connection_only(void **state)
{
	struct vfio_user_socket sock;
	struct ucred who;
	struct iovec iov;
	char path[80], byte;
	int listener;

	(void)state;
	snprintf(path, sizeof(path), "%s/other", f.dir);
	listener = vfio_user_listen(path);
	assert_true(listener >= 0);
	vfio_user_socket_init(&sock);
	iov = (struct iovec){ "x", 1 };
	assert_int_equal(vfio_user_socket_send(&sock, sock.connection, &iov, 1, -1, 0), -EIO);
	for (unsigned int i = 0, before = sock.connection; i < 2; i++) {
		int client = client_open(path);

		assert_int_equal(vfio_user_socket_attach(&sock, listener, &who), 0);
		iov = (struct iovec){ "x", 1 };
		assert_int_equal(vfio_user_socket_send(&sock, before, &iov, 1, -1, 0), -EIO);
		iov = (struct iovec){ "y", 1 };
		assert_int_equal(vfio_user_socket_send(&sock, sock.connection, &iov, 1, -1, 0), 0);
		assert_int_equal(recv(client, &byte, 1, 0), 1);
		assert_int_equal(byte, 'y');
		before = sock.connection;
		vfio_user_socket_detach(&sock);
		assert_int_equal(recv(client, &byte, 1, 0), 0);
		close(client);
	}
	vfio_user_socket_stop(&sock, listener);
	assert_int_equal(vfio_user_socket_attach(&sock, listener, &who), -ESHUTDOWN);
	vfio_user_socket_destroy(&sock);
	close(listener);
	unlink(path);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_lengths),
		TEST(test_pieces),
		TEST(test_smaller_limit_of_client),
		TEST(test_out_of_order),
		TEST(test_collision),
		TEST(test_client_errors),
		TEST(test_malformed_replies),
		TEST(test_reply_to_another_id),
		TEST(test_spanning),
		TEST(test_rights),
		TEST(test_resolve),
		TEST(test_unmap_waits_for_no_message),
		TEST(test_disconnect_fails_waiting),
		TEST(test_no_dma_before_version),
		TEST(test_free_fails_waiting),
		TEST(test_free_with_stuck_sends),
		TEST(test_half_closed_with_stuck_sends),
		TEST(test_send_on_its_connection_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
