// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clients that misbehave: after each of them the other devices answer, the next client of the same
 * device is served, and SIGTERM ends the program while the client is still there.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "emulator/control.h"
#include "emulator/tests/daemon.h"

static struct daemon *make(const char *const *options, const struct daemon_limit *limit)
{
	struct daemon *daemon = calloc(1, sizeof(*daemon));

	assert_non_null(daemon);
	daemon_start(daemon, options, limit);
	return daemon;
}

static int setup(void **state)
{
	*state = make(NULL, NULL);
	return 0;
}

static int teardown(void **state)
{
	daemon_remove(*state);
	free(*state);
	return 0;
}

/* With the bad client of hca0 still there: everybody else is served. */
static void check_others(const struct daemon *daemon)
{
	struct client gpu;
	char answer[4096];
	uint32_t ids;

	check_served(daemon, "hca1");
	client_open(&gpu, daemon, "gpu0");
	assert_int_equal(client_read(&gpu, VFIO_USER_CONFIG_REGION, 0, &ids, sizeof(ids)), 0);
	assert_int_equal(ids, 0x00011dff);
	client_close(&gpu);
	daemon_control(daemon, "subnet\n", answer, sizeof(answer));
	assert_non_null(strstr(answer, "\"hca0\""));
}

/*
 * What all tests of a bad client of hca0 have in common. It is closed, and the next one served;
 * then another bad one is there at the end.
 */
static void check_bad(void **state, void (*misbehave)(struct client *client))
{
	struct daemon *daemon = *state;
	struct client client;

	client_open(&client, daemon, "hca0");
	misbehave(&client);
	check_others(daemon);
	client_close(&client);
	check_served(daemon, "hca0");
	client_open(&client, daemon, "hca0");
	misbehave(&client);
	assert_int_equal(daemon_stop(daemon), 0);
	client_close(&client);
}

/* --- interrupts ------------------------------------------------------------------------------ */

static void send_to_a_dead_pipe(struct client *client)
{
	int pipes[2];

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	/* Refused, or not: it is signalled below. */
	client_irq(client, VFIO_USER_SET_DATA_EVENT, pipes[1]);
	close(pipes[0]);
	assert_int_equal(client_irq(client, VFIO_USER_SET_DATA_NONE, -1), 0);
	close(pipes[1]);
}

static void test_dead_pipe(void **state)
{
	check_bad(state, send_to_a_dead_pipe);
}

/* One more would block. */
static void signal_a_full_eventfd(struct client *client)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	assert_int_equal(eventfd_write(fd, UINT64_MAX - 1), 0);
	assert_int_equal(client_irq(client, VFIO_USER_SET_DATA_EVENT, fd), 0);
	client_irq(client, VFIO_USER_SET_DATA_NONE, -1);
	close(fd);
}

static void test_full_eventfd(void **state)
{
	check_bad(state, signal_a_full_eventfd);
}

/* --- DMA ------------------------------------------------------------------------------------- */

/* A command that the HCA has to read by a message, which is not answered. */
static void leave_dma_unanswered(struct client *client)
{
	struct vfio_user_header header;

	client_queue(client, 0x1000);
	client_doorbell(client);
	if (client->requests)
		return;
	assert_true(client_receive(client, &header, NULL, 0, NULL));
	assert_int_equal(header.flags & VFIO_USER_TYPE_MASK, VFIO_USER_REQUEST);
	assert_int_equal(header.command, VFIO_USER_DMA_READ);
}

static void test_unanswered_dma(void **state)
{
	check_bad(state, leave_dma_unanswered);
}

/* As many as there are HCAs: control, the endpoint and the end do not wait for them. */
static void test_all_unanswered(void **state)
{
	struct daemon *daemon = *state;
	struct client client[2], gpu;
	char answer[4096];
	uint32_t ids;

	for (unsigned int i = 0; i < 2; i++) {
		client_open(&client[i], daemon, i ? "hca1" : "hca0");
		leave_dma_unanswered(&client[i]);
	}
	client_open(&gpu, daemon, "gpu0");
	assert_int_equal(client_read(&gpu, VFIO_USER_CONFIG_REGION, 0, &ids, sizeof(ids)), 0);
	client_close(&gpu);
	daemon_control(daemon, "functions\n", answer, sizeof(answer));
	assert_non_null(strstr(answer, "\"hca1\""));
	client_close(&client[0]);
	check_served(daemon, "hca0");
	assert_int_equal(daemon_stop(daemon), 0);
	client_close(&client[1]);
}

/* Maps of one byte each, without memory. */
static void flood_with_maps(struct client *client)
{
	for (uint64_t i = 0; i < 100000; i++) {
		const struct vfio_user_dma_map map = {
			.argsz = sizeof(map), .flags = VFIO_USER_MAP_READ, .iova = 2 * i, .size = 1
		};

		client_send(client, VFIO_USER_DMA_MAP, &map, sizeof(map), -1, VFIO_USER_NO_REPLY);
	}
}

static void test_flood_of_maps(void **state)
{
	check_bad(state, flood_with_maps);
}

/* --- messages -------------------------------------------------------------------------------- */

static void send_half_a_message(struct client *client)
{
	const struct vfio_user_header header = { .id = 1,
						 .command = VFIO_USER_REGION_READ,
						 .size = 32 };

	assert_int_equal(send(client->fd, &header, 8, MSG_NOSIGNAL), 8);
}

static void test_half_a_header(void **state)
{
	check_bad(state, send_half_a_message);
}

static void send_half_a_body(struct client *client)
{
	const struct vfio_user_header header = { .id = 1,
						 .command = VFIO_USER_REGION_READ,
						 .size = UINT32_MAX };

	assert_int_equal(send(client->fd, &header, sizeof(header), MSG_NOSIGNAL), sizeof(header));
	assert_int_equal(send(client->fd, &header, 7, MSG_NOSIGNAL), 7);
}

static void test_half_a_body(void **state)
{
	check_bad(state, send_half_a_body);
}

/* Asks until neither side takes more. */
static void never_read(struct client *client)
{
	const struct {
		struct vfio_user_header header;
		struct vfio_user_region_access access;
	} request = { { .command = VFIO_USER_REGION_READ, .size = sizeof(request) },
		      { .region = VFIO_USER_CONFIG_REGION, .count = 4096 } };
	struct pollfd polled = { .fd = client->fd, .events = POLLOUT };

	while (poll(&polled, 1, 100) > 0)
		if (send(client->fd, &request, sizeof(request), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			assert_int_equal(errno, EAGAIN);
}

static void test_reader_of_nothing(void **state)
{
	check_bad(state, never_read);
}

/* Its memory goes with it, in the middle of what the HCA does for it. */
static void test_killed_client(void **state)
{
	struct daemon *daemon = *state;

	for (unsigned int i = 0; i < 8; i++) {
		int ready[2], status;
		char byte;
		pid_t pid;

		assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (!pid) {
			struct client client;

			prctl(PR_SET_PDEATHSIG, SIGKILL);
			client_open(&client, daemon, "hca0");
			if (i % 2)
				leave_dma_unanswered(&client);
			else
				client_memory(&client);
			client_queue(&client, 0x1000);
			client_doorbell(&client);
			send_half_a_message(&client);
			_exit(write(ready[1], "", 1) != 1 || pause());
		}
		assert_int_equal(read(ready[0], &byte, 1), 1);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		close(ready[0]);
		close(ready[1]);
		check_others(daemon);
		check_served(daemon, "hca0");
	}
	assert_int_equal(daemon_stop(daemon), 0);
}

/* --- connections ----------------------------------------------------------------------------- */

/* Up to @count; a full queue is as far as it goes. */
static unsigned int connect_many(const struct daemon *daemon, const char *name, int *fd,
				 unsigned int count)
{
	unsigned int done = 0;

	while (done < count && (fd[done] = daemon_connect(daemon, name)) >= 0)
		done++;
	return done;
}

static void test_many_control_clients(void **state)
{
	struct daemon *daemon = *state;
	static int fd[1000];
	char answer[4096];
	unsigned int count;
	int quiet[2], good;
	pid_t pid;

	/* One that was there before, of another process, keeps its place. */
	good = daemon_connect(daemon, "control");
	assert_true(good >= 0);
	assert_int_equal(pipe2(quiet, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		count = connect_many(daemon, "control", fd, 1000);
		for (unsigned int i = 0; i < count; i += 3)
			send(fd[i], "half a line", 11, MSG_NOSIGNAL);
		_exit(write(quiet[1], "", 1) != 1 || count != 1000 || pause());
	}
	assert_int_equal(read(quiet[0], answer, 1), 1);
	assert_int_equal(send(good, "functions\n", 10, MSG_NOSIGNAL), 10);
	assert_true(recv(good, answer, sizeof(answer), 0) > 0);
	check_others(daemon);
	assert_int_equal(daemon_stop(daemon), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(good);
	close(quiet[0]);
	close(quiet[1]);
}

static void test_many_connections(void **state)
{
	struct daemon *daemon = *state;
	static int fd[1000];

	for (unsigned int i = 0; i < 1000; i++) {
		fd[0] = daemon_connect(daemon, "hca0");
		assert_true(fd[0] >= 0);
		if (i % 3)
			send(fd[0], fd, i % 64, MSG_NOSIGNAL);
		close(fd[0]);
	}
	check_others(daemon);
	check_served(daemon, "hca0");
	assert_int_equal(daemon_stop(daemon), 0);
}

/* Nobody can be accepted for a while, and then again. */
static int setup_few_files(void **state)
{
	const struct daemon_limit limit = { RLIMIT_NOFILE, 24 };

	*state = make(NULL, &limit);
	return 0;
}

static void test_few_files(void **state)
{
	struct daemon *daemon = *state;
	unsigned int count;
	char answer[4096];
	int fd[40];

	count = connect_many(daemon, "control", fd, 40);
	assert_int_equal(count, 40);
	while (count)
		close(fd[--count]);
	/* Answered behind all of those: their descriptors are closed. */
	daemon_control(daemon, "functions\n", answer, sizeof(answer));
	assert_non_null(strstr(answer, "\"gpu0\""));
	check_others(daemon);
	check_served(daemon, "hca0");
	assert_int_equal(daemon_stop(daemon), 0);
}

/* --- control --------------------------------------------------------------------------------- */

static void test_control_reader_of_nothing(void **state)
{
	struct daemon *daemon = *state;
	int fd = daemon_connect(daemon, "control");
	struct pollfd polled = { .fd = fd, .events = POLLOUT };

	while (poll(&polled, 1, 100) > 0)
		if (send(fd, "functions\n", 10, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			assert_int_equal(errno, EAGAIN);
	check_others(daemon);
	assert_int_equal(daemon_stop(daemon), 0);
	close(fd);
}

static void test_control_garbage(void **state)
{
	static const struct {
		const char *text;
		size_t size;
	} lines[] = {
		{ "\0\0\0\n", 4 },
		{ "mark \xff\xfe\n", 8 },
		{ "functions\0\n", 11 },
		{ "mark \033[2J\n", 10 },
	};
	struct daemon *daemon = *state;
	static char megabyte[1 << 20];
	char answer[4096];
	ssize_t got;
	int fd = daemon_connect(daemon, "control");

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		assert_int_equal(send(fd, lines[i].text, lines[i].size, MSG_NOSIGNAL),
				 lines[i].size);
		got = recv(fd, answer, sizeof(answer) - 1, 0);
		assert_true(got > 0);
		answer[got] = '\0';
		assert_string_equal(
			answer, "{\"error\":\"a request has printable ASCII characters only\"}\n");
	}
	/* A line of a megabyte is hung up on; at the bound it is answered. */
	memset(megabyte, 'x', sizeof(megabyte));
	assert_true(send(fd, megabyte, sizeof(megabyte), MSG_NOSIGNAL) < (ssize_t)sizeof(megabyte));
	assert_true(recv(fd, answer, sizeof(answer), 0) <= 0);
	close(fd);
	megabyte[CONTROL_LINE - 1] = '\n';
	megabyte[CONTROL_LINE] = '\0';
	daemon_control(daemon, megabyte, answer, sizeof(answer));
	assert_memory_equal(answer, "{\"error\":\"no such request: xxx", 30);
	megabyte[CONTROL_LINE - 1] = 'x';
	daemon_control(daemon, megabyte, answer, sizeof(answer));
	assert_string_equal(answer, "");
	check_others(daemon);
	assert_int_equal(daemon_stop(daemon), 0);
}

/* --- memory ---------------------------------------------------------------------------------- */

/* Its descriptor, and where in BAR0 it begins. */
static int bar_memory(struct client *client, uint64_t *offset)
{
	struct vfio_user_region_info info = { .argsz = 64 };
	int fd;

	assert_int_equal(client_ask(client, VFIO_USER_GET_REGION_INFO, &info, sizeof(info), -1,
				    &info, sizeof(info), &fd),
			 0);
	assert_true(fd >= 0);
	*offset = -info.offset;
	return fd;
}

static void check_bar_memory(struct daemon *daemon, const char *name)
{
	struct client client;
	uint64_t value = 0x5a5a5a5a5a5a5a5a, found, offset;
	int fd, next;

	client_open(&client, daemon, name);
	fd = bar_memory(&client, &offset);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(client_write(&client, 0, offset, &value, sizeof(value)), 0);
	assert_int_equal(pread(fd, &found, sizeof(found), 0), sizeof(found));
	assert_true(found == value);
	client_close(&client);

	/* The next owner finds nothing of it, and shares nothing with it. */
	client_open(&client, daemon, name);
	next = bar_memory(&client, &offset);
	assert_int_equal(pwrite(fd, &value, sizeof(value), 8), sizeof(value));
	for (off_t at = 0; at < 16; at += 8) {
		assert_int_equal(pread(next, &found, sizeof(found), at), sizeof(found));
		assert_true(found == 0);
		assert_int_equal(
			client_read(&client, 0, offset + (uint64_t)at, &found, sizeof(found)), 0);
		assert_true(found == 0);
	}
	client_close(&client);
	close(fd);
	close(next);
}

static void test_bar_memory(void **state)
{
	struct daemon *daemon = *state;

	check_bar_memory(daemon, "gpu0");
	check_bar_memory(daemon, "hca0");
	check_others(daemon);
	assert_int_equal(daemon_stop(daemon), 0);
}

/* --- trace ----------------------------------------------------------------------------------- */

#define TRACE_LIMIT 4096u /* its stderr has room in as much */

static int setup_trace(void **state)
{
	static char path[64];
	const char *const options[] = { "--trace", path, NULL };

	snprintf(path, sizeof(path), "/tmp/tph-trace-%d", (int)getpid());
	*state = make(options, NULL);
	unlink(path);
	return 0;
}

/* As on a full disk: devices go on without it, and the exit status says so. */
static void test_trace_cut_short(void **state)
{
	const struct rlimit limit = { TRACE_LIMIT, TRACE_LIMIT };
	struct daemon *daemon = *state;
	char answer[256];

	assert_int_equal(prlimit(daemon->pid, RLIMIT_FSIZE, &limit, NULL), 0);
	for (unsigned int i = 0; i < TRACE_LIMIT / 48 + 1; i++)
		daemon_control(daemon, "mark here\n", answer, sizeof(answer));
	check_others(daemon);
	check_served(daemon, "hca0");
	assert_int_equal(daemon_stop(daemon), 3);
	assert_true(daemon_said(daemon, "incomplete: File too large"));
}

static void test_trace(void **state)
{
	struct daemon *daemon = *state;

	check_others(daemon);
	assert_int_equal(daemon_stop(daemon), 0);
}

/* --- confinement ----------------------------------------------------------------------------- */

static bool has_status(const struct daemon *daemon, const char *line)
{
	char path[64], text[8192];
	size_t got;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)daemon->pid);
	file = fopen(path, "re");
	assert_non_null(file);
	got = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[got] = '\0';
	return strstr(text, line);
}

static void test_confined(void **state)
{
	static const char *const sockets[] = { "hca0", "hca1", "gpu0", "control" };
	struct daemon *daemon = *state;
	struct stat st;

	for (size_t i = 0; i < sizeof(sockets) / sizeof(*sockets); i++) {
		assert_int_equal(stat(daemon_path(daemon, sockets[i]), &st), 0);
		assert_int_equal(st.st_mode, S_IFSOCK | 0600);
	}
	/* It is the last thing at the start. */
	while (!has_status(daemon, "\nSeccomp:\t2\n"))
		usleep(1000);
	assert_true(has_status(daemon, "\nNoNewPrivs:\t1\n"));
	assert_int_equal(daemon_stop(daemon), 0);
	for (size_t i = 0; i < sizeof(sockets) / sizeof(*sockets); i++)
		assert_int_equal(access(daemon_path(daemon, sockets[i]), F_OK), -1);
}

static int setup_unconfined(void **state)
{
	static const char *const options[] = { "--sandbox=no", NULL };

	*state = make(options, NULL);
	return 0;
}

static void test_unconfined(void **state)
{
	struct daemon *daemon = *state;
	char as_ours[32];

	check_others(daemon);
	snprintf(as_ours, sizeof(as_ours), "\nNoNewPrivs:\t%d\n",
		 prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	assert_true(has_status(daemon, as_ours));
	assert_int_equal(daemon_stop(daemon), 0);
}

/* --- links of the switch ------------------------------------------------------------------- */

static char link_dir[24];

static struct sockaddr_un link_path(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", link_dir, name);
	return address;
}

static int link_peer(const char *name)
{
	struct sockaddr_un address = link_path(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int setup_links(void **state)
{
	static char one[96], two[96];
	const char *const options[] = { "--link", one, "--link", two, NULL };

	strcpy(link_dir, "/tmp/links-XXXXXX");
	assert_non_null(mkdtemp(link_dir));
	snprintf(one, sizeof(one), "one,dgram=unix:%s/a:%s/b", link_dir, link_dir);
	snprintf(two, sizeof(two), "two,dgram=unix:%s/c:%s/d", link_dir, link_dir);
	*state = make(options, NULL);
	return 0;
}

/* A frame that comes by one link leaves by the other, also when the process is confined. */
static void test_links(void **state)
{
	const struct sockaddr_un to = link_path("a");
	int from = link_peer("b"), at = link_peer("d");
	uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5 }, got[61];
	struct daemon *daemon = *state;
	char answer[512];
	struct stat st;

	while (!has_status(daemon, "\nSeccomp:\t2\n"))
		usleep(1000);
	assert_int_equal(stat(to.sun_path, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0600);
	assert_int_equal(
		sendto(from, frame, sizeof(frame), 0, (const struct sockaddr *)&to, sizeof(to)),
		sizeof(frame));
	assert_int_equal(recv(at, got, sizeof(got), 0), sizeof(frame));
	assert_memory_equal(got, frame, sizeof(frame));
	daemon_control(daemon, "switch\n", answer, sizeof(answer));
	assert_non_null(strstr(answer, "{\"name\":\"one\",\"in\":1,\"in_octets\":60,"));
	assert_non_null(strstr(answer, "{\"name\":\"two\",\"in\":0,"));
	assert_int_equal(daemon_stop(daemon), 0);
	/* What it made is gone. */
	assert_int_equal(access(to.sun_path, F_OK), -1);
	close(from);
	close(at);
	unlink(link_path("b").sun_path);
	unlink(link_path("d").sun_path);
	assert_int_equal(rmdir(link_dir), 0);
}

#define TEST(name)	       cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_WITH(name, setup) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_dead_pipe),
		TEST(test_full_eventfd),
		TEST(test_unanswered_dma),
		TEST(test_all_unanswered),
		TEST(test_flood_of_maps),
		TEST(test_half_a_header),
		TEST(test_half_a_body),
		TEST(test_reader_of_nothing),
		TEST(test_killed_client),
		TEST(test_many_control_clients),
		TEST(test_many_connections),
		TEST_WITH(test_few_files, setup_few_files),
		TEST(test_control_reader_of_nothing),
		TEST(test_control_garbage),
		TEST(test_bar_memory),
		TEST_WITH(test_trace, setup_trace),
		TEST_WITH(test_trace_cut_short, setup_trace),
		TEST(test_confined),
		TEST_WITH(test_links, setup_links),
		TEST_WITH(test_unconfined, setup_unconfined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
