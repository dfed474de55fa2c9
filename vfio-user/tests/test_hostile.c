/* SPDX-License-Identifier: GPL-2.0-only */
/* Clients that want to do harm: to the server, to other devices' servers, to the next client. */
#include "vfio-user/tests/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vfio-user/copy.h"

#define RW   (VFIO_USER_MAP_READ | VFIO_USER_MAP_WRITE)
#define PAGE UINT64_C(4096)

/* Linked with --wrap: the user that the next clients are. */
static atomic_uint client_user;
static atomic_bool other_user;

int __real_getsockopt(int sock, int level, int name, void *value, socklen_t *len);
int __wrap_getsockopt(int sock, int level, int name, void *value, socklen_t *len);

int __wrap_getsockopt(int sock, int level, int name, void *value, socklen_t *len)
{
	int ret = __real_getsockopt(sock, level, name, value, len);

	if (!ret && level == SOL_SOCKET && name == SO_PEERCRED && other_user)
		((struct ucred *)value)->uid = client_user;
	return ret;
}

static struct fixture f;
static struct vfio_user_message msg;

static int setup(void **state)
{
	(void)state;
	fixture_start_with(&f, &device_ops, 0, 0);
	fixture_connect(&f);
	/* cmocka catches SIGBUS anew for each test function. */
	vfio_user_copy_init();
	return 0;
}

static int setup_impatient(void **state)
{
	(void)state;
	fixture_start_with(&f, &device_ops, 0, 500);
	fixture_connect(&f);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	other_user = false;
	fixture_stop(&f);
	return 0;
}

static void expect_works(void)
{
	const struct vfio_user_region_access a = { 0, 0, 8 };

	assert_int_equal(client_ask(&f, VFIO_USER_REGION_READ, &a, sizeof(a), NULL, 0, &msg), 0);
}

static void reconnect(void)
{
	unsigned int disconnects = f.dev.disconnects;

	if (f.sock >= 0) {
		close(f.sock);
		expect_soon(&f.dev.disconnects, disconnects + 1);
	}
	fixture_connect(&f);
	expect_works();
}

/* From the socket's birth on, whatever the mask says. */
static void test_socket_is_private(void **state)
{
	const mode_t mask[] = { 0, 022, 0777 };
	struct vfio_user_config config = f.config;
	char path[80];

	(void)state;
	snprintf(path, sizeof(path), "%s/mode", f.dir);
	config.socket_path = path;
	for (size_t i = 0; i < sizeof(mask) / sizeof(*mask); i++) {
		struct vfio_user_server *other = vfio_user_server_new(&config, &device_ops, &f.dev);
		mode_t before = umask(mask[i]);
		struct stat st;

		assert_int_equal(vfio_user_server_start(other), 0);
		umask(before);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600 & ~mask[i]);
		vfio_user_server_free(other);
	}
}

static void test_other_users(void **state)
{
	char *text;

	(void)state;
	close(f.sock);
	f.sock = -1;
	expect_soon(&f.dev.disconnects, 1);
	capture_stderr();
	other_user = true;
	client_user = geteuid() + 12345;
	for (int i = 0; i < 2; i++) {
		f.sock = client_open(f.path);
		assert_true(f.sock >= 0);
		client_expect_end(&f);
	}
	text = captured_stderr();
	assert_non_null(strstr(text, "test: client "));
	assert_non_null(strstr(text, ": user "));
	assert_non_null(strstr(text, " may not connect: Permission denied\n"));
	free(text);
	assert_int_equal(f.dev.connects, 1);
	client_user = 0;
	reconnect();
	client_user = geteuid();
	reconnect();
}

/* The client shrinks its memory under an access: it is gone, and said to be. */
static void test_memory_shrinks(void **state)
{
	unsigned int before = open_fds();
	uint8_t buf[64];

	(void)state;
	for (int write = 0; write < 2; write++) {
		int fd = new_memfd(2 * PAGE);
		char *text, *line;

		assert_int_equal(client_map(&f, 0x10000, 2 * PAGE, RW, fd, 0), 0);
		vfio_user_copy_init();
		assert_int_equal(vfio_user_dma_write(f.server, 0x11000, "before", 6), 0);
		assert_int_equal(ftruncate(fd, PAGE), 0);
		capture_stderr();
		if (write)
			assert_int_equal(vfio_user_dma_write(f.server, 0x10ff0, buf, 64), -EFAULT);
		else
			assert_int_equal(vfio_user_dma_read(f.server, 0x10ff0, buf, 64), -EFAULT);
		client_expect_end(&f);
		expect_soon(&f.dev.disconnects, 1 + write);
		text = captured_stderr();
		line = strstr(text, "disconnected, as it shrank the memory");
		assert_non_null(line);
		assert_null(strstr(line + 1, "disconnected"));
		free(text);
		assert_int_equal(vfio_user_dma_read(f.server, 0x10000, buf, 1), -ENODEV);
		reconnect();
		close(fd);
	}
	assert_int_equal(open_fds(), before);
}

/* One that asks and asks, and reads no reply: it is gone, and the next one is served. */
static void test_reads_no_replies(void **state)
{
	const struct vfio_user_region_access a = { 0, 0, CHUNK };
	char *text;

	(void)state;
	capture_stderr();
	for (int i = 0; i < 40; i++)
		client_send(&f, VFIO_USER_REGION_READ, 0, &a, sizeof(a), NULL, 0);
	expect_soon(&f.dev.disconnects, 1);
	text = captured_stderr();
	assert_non_null(strstr(text, ": disconnected, as it reads no replies: "));
	free(text);
	close(f.sock);
	f.sock = -1;
	reconnect();
}

/* The same with the time-out that nobody waits for here: the server can be stopped. */
static void test_free_beside_unread_replies(void **state)
{
	const struct vfio_user_region_access a = { 0, 0, CHUNK };
	static struct job job[4];

	(void)state;
	for (int i = 0; i < 40; i++)
		client_send(&f, VFIO_USER_REGION_READ, 0, &a, sizeof(a), NULL, 0);
	for (int i = 0; i < 4; i++)
		job_start(&f, &job[i], true, i * CHUNK, CHUNK);
	jobs_await(job, 4);
	vfio_user_server_free(f.server);
	f.server = NULL;
	for (int i = 0; i < 4; i++)
		assert_int_equal(job_finish(&job[i]), -EIO);
}

/* Half a header, half a body, and nothing more: others are served, and the server can be stopped.
 */
static void test_half_messages(void **state)
{
	const struct vfio_user_header h = { 1, VFIO_USER_REGION_WRITE, 16 + 16 + 100, 0, 0 };
	uint8_t half[100] = { 0 };

	(void)state;
	memcpy(half, &h, sizeof(h));
	for (size_t len = 8; len <= 40; len += 32) {
		struct fixture other = { 0 };

		client_send_raw(f.sock, half, len, NULL, 0);
		fixture_connect(&other);
		assert_int_equal(client_unmap(&other, 0, PAGE), 0);
		fixture_stop(&other);
		assert_int_equal(f.dev.writes, 0);
		reconnect();
	}
	client_send_raw(f.sock, half, 8, NULL, 0);
}

/* Descriptors for which this process has no room: refused, those that came are closed. */
static void test_no_room_for_descriptors(void **state)
{
	const struct vfio_user_irq_set set = { 20, 0x24, 2, 0, 16 };
	struct rlimit limit, before;
	int fds[16];

	(void)state;
	for (int i = 0; i < 16; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (unsigned int room = 0; room <= 16; room += 4) {
		unsigned int open = open_fds();
		int highest = fcntl(fds[0], F_DUPFD_CLOEXEC, 0);

		close(highest);
		limit = before;
		limit.rlim_cur = highest + room;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		assert_int_equal(
			client_ask(&f, VFIO_USER_SET_IRQS, &set, sizeof(set), fds, 16, NULL),
			room < 16 ? EINVAL : 0);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		/* Its reply says that the one before is done with. */
		expect_works();
		assert_int_equal(open_fds(), open + (room < 16 ? 0 : 16));
		assert_int_equal(vfio_user_interrupt(f.server, 15), room == 16);
	}
	for (int i = 0; i < 16; i++)
		close(fds[i]);
	expect_works();
}

/* Requests that are refused, without end: not a line for each, and the server goes on. */
static void test_flood(void **state)
{
	unsigned int lines = 0;
	char *text;

	(void)state;
	capture_stderr();
	for (int i = 0; i < 5000; i++)
		client_send(&f, 900 + i % 50, VFIO_USER_NO_REPLY, NULL, 0, NULL, 0);
	assert_int_equal(client_unmap(&f, 0, PAGE), 0);
	text = captured_stderr();
	for (char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	free(text);
	/* A burst, and a line for each second that it took. */
	assert_in_range(lines, 20, 20 + 2 * 100);
	expect_works();
}

/* The limit of maps over the socket: an error, and on it goes. */
static void test_map_limit(void **state)
{
	int fd[65];

	(void)state;
	for (int i = 0; i < 65; i++) {
		fd[i] = new_memfd(PAGE);
		assert_int_equal(client_map(&f, i * PAGE, PAGE, RW, fd[i], 0), i < 64 ? 0 : ENOSPC);
	}
	assert_int_equal(client_unmap(&f, 0, PAGE), 0);
	assert_int_equal(client_map(&f, 64 * PAGE, PAGE, RW, fd[64], 0), 0);
	for (int i = 0; i < 65; i++)
		close(fd[i]);
	expect_works();
}

/* Vectors, maps and the limit on data of one client are not the next one's. */
static void test_next_client(void **state)
{
	int event = eventfd(0, EFD_CLOEXEC), fd = new_memfd(PAGE);
	uint64_t base, size;
	struct job job;
	bool direct;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(client_set_irqs(&f, 0x24, 0, 1, &event, 1), 0);
		assert_int_equal(client_map(&f, 0, PAGE, RW, fd, 0), 0);
		close(f.sock);
		expect_soon(&f.dev.disconnects, i + 1);
		f.sock = client_open(f.path);
		/* The first says what it takes, the second leaves it open. */
		assert_int_equal(client_version(&f, i ? "{}"
						      : "{\"capabilities\":"
							"{\"max_data_xfer_size\":10}}"),
				 0);
		expect_soon(&f.dev.connects, i + 2);
		assert_false(vfio_user_interrupt(f.server, 0));
		assert_false(vfio_user_dma_resolve(f.server, 0, &base, &size, &direct));
		job_start(&f, &job, true, 0, 20);
		for (unsigned int done = 0; done < 20;) {
			struct vfio_user_dma_access a = dma_receive(&f, &msg);

			assert_int_equal(a.count, i ? 20 : 10);
			done += a.count;
			dma_answer(&f, &msg, 0);
		}
		assert_int_equal(job_finish(&job), 0);
	}
	close(event);
	close(fd);
}

struct worker {
	struct fixture *fixture;
	atomic_bool stop;
	pthread_t thread;
};

static void *use_everything(void *arg)
{
	struct worker *w = arg;
	uint64_t base, size;
	uint8_t buf[64] = { 0 };
	bool direct;

	while (!w->stop) {
		vfio_user_dma_write(f.server, 0x10000, buf, sizeof(buf));
		vfio_user_dma_read(f.server, 0x10000, buf, sizeof(buf));
		vfio_user_dma_read(f.server, 0x50000, buf, sizeof(buf));
		vfio_user_dma_resolve(f.server, 0x10000, &base, &size, &direct);
		vfio_user_interrupt(f.server, 0);
	}
	return NULL;
}

/* Connect, map, shrink, reset, unmap and leave, in the middle of transfers. */
static void test_everything_at_once(void **state)
{
	struct worker w[3] = { 0 };
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&w[i].thread, NULL, use_everything, &w[i]), 0);
	for (unsigned int round = 0; round < 60; round++) {
		const struct vfio_user_dma_map map = { 32, RW, 0, 0x10000, PAGE };
		const struct vfio_user_dma_unmap unmap = { 24, 0, 0x10000, PAGE };
		const struct vfio_user_irq_set set = { 20, 0x24, 2, 0, 1 };
		int fd = new_memfd(PAGE);

		vfio_user_copy_init();
		client_send(&f, VFIO_USER_DMA_MAP, 0, &map, sizeof(map), &fd, 1);
		client_send(&f, VFIO_USER_SET_IRQS, 0, &set, sizeof(set), &event, 1);
		client_send(&f, VFIO_USER_DEVICE_RESET, 0, NULL, 0, NULL, 0);
		usleep(round % 4 * 500);
		if (round % 3 == 1)
			client_send(&f, VFIO_USER_DMA_UNMAP, 0, &unmap, sizeof(unmap), NULL, 0);
		else if (round % 3 == 2)
			assert_int_equal(ftruncate(fd, 0), 0);
		usleep(round % 5 * 300);
		close(fd);
		close(f.sock);
		f.sock = -1;
		expect_soon(&f.dev.disconnects, round + 1);
		/* Their messages are in between the replies: only what is sent for certain. */
		f.sock = client_open(f.path);
		assert_true(f.sock >= 0);
		client_version(&f, "{}");
		expect_soon(&f.dev.connects, round + 2);
	}
	for (int i = 0; i < 3; i++)
		w[i].stop = true;
	close(f.sock);
	f.sock = -1;
	for (int i = 0; i < 3; i++)
		pthread_join(w[i].thread, NULL);
	close(event);
}

int main(void)
{
#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_socket_is_private, setup),
		TEST(test_other_users, setup),
		TEST(test_memory_shrinks, setup),
		TEST(test_reads_no_replies, setup_impatient),
		TEST(test_free_beside_unread_replies, setup),
		TEST(test_half_messages, setup),
		TEST(test_no_room_for_descriptors, setup),
		TEST(test_flood, setup),
		TEST(test_map_limit, setup),
		TEST(test_next_client, setup),
		TEST(test_everything_at_once, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
