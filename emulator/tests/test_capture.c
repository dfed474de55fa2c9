/* SPDX-License-Identifier: GPL-2.0-only */
/* Captures of a confined emulator: with it from the start, and switched while it runs. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "capture/reader.h"
#include "emulator/tests/daemon.h"

#define ON	  "{\"on\":true,\"packets\":0,\"lost\":0,\"stopped\":null}\n"
#define OFF	  "{\"on\":false,\"packets\":0,\"lost\":0,\"stopped\":null}\n"
#define ERROR(of) "{\"error\":\"" of ": hca0\"}\n"

static char own[32], device[160];

static int setup(void **state)
{
	static const char *const options[] = { "--hca", device, NULL };
	struct daemon *daemon = calloc(1, sizeof(*daemon));

	snprintf(own, sizeof(own), "/tmp/tph-pcap-%d", (int)getpid());
	snprintf(device, sizeof(device),
		 "name=hca9,id=00:09.0,lid=9,socket=%s.sock,pcap=%s,"
		 "pcap-bytes=64",
		 own, own);
	daemon_start(daemon, options, NULL);
	*state = daemon;
	return 0;
}

static int teardown(void **state)
{
	char path[48];

	daemon_remove(*state);
	free(*state);
	snprintf(path, sizeof(path), "%s.sock", own);
	unlink(path);
	return unlink(own);
}

/* @fds: 0 to 2 descriptors, which stay the caller's. */
static void ask(const struct daemon *daemon, const char *request, const int *fds,
		unsigned int count, const char *expected)
{
	union {
		char bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = { .bytes = { 0 } };
	struct iovec part = { (void *)request, strlen(request) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	int fd = daemon_connect(daemon, "control");
	char answer[512];
	size_t done = 0;
	ssize_t got = 1;

	assert_true(fd >= 0);
	if (count) {
		struct cmsghdr *header;

		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	}
	assert_int_equal(sendmsg(fd, &message, MSG_NOSIGNAL), strlen(request));
	while (got > 0 && (!done || answer[done - 1] != '\n')) {
		got = recv(fd, answer + done, sizeof(answer) - 1 - done, 0);
		done += got > 0 ? (size_t)got : 0;
	}
	answer[done] = '\0';
	close(fd);
	assert_string_equal(answer, expected);
}

/* The capture has no packet, and ends as it should. */
static void assert_whole(const char *path, const char *name)
{
	struct pcapng_reader *reader = pcapng_reader_open(path);
	struct pcapng_packet packet;
	unsigned int interface;

	assert_non_null(reader);
	assert_int_equal(pcapng_reader_next(reader, &interface, &packet), 0);
	assert_int_equal(pcapng_reader_interfaces(reader), 1);
	assert_int_equal(pcapng_reader_link_type(reader, 0), PCAPNG_INFINIBAND);
	assert_string_equal(pcapng_reader_name(reader, 0), name);
	pcapng_reader_close(reader);
}

static unsigned int open_files(const struct daemon *daemon)
{
	unsigned int count = 0;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)daemon->pid);
	dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* A client's file, of which the running emulator gets the descriptor. */
static void test_passed(void **state)
{
	struct daemon *daemon = *state;
	int fd = open(daemon_path(daemon, "mine"), O_WRONLY | O_CREAT, 0600);

	ask(daemon, "capture hca0\n", NULL, 0, OFF);
	ask(daemon, "capture hca0 mine\n", &fd, 1, ON);
	ask(daemon, "capture hca0\n", NULL, 0, ON);
	ask(daemon, "capture hca0 mine\n", &fd, 1, ERROR("the capture is on"));
	ask(daemon, "capture hca0 on\n", NULL, 0, ERROR("the capture is on"));
	ask(daemon, "capture hca0 off\n", NULL, 0, OFF);
	ask(daemon, "capture hca0 off\n", NULL, 0, ERROR("the capture is off"));
	assert_whole(daemon_path(daemon, "mine"), "hca0 port 1");
	ask(daemon, "capture hca0 mine\n", &fd, 1, ERROR("the file is not empty"));
	close(fd);
	check_served(daemon, "hca0");
	assert_int_equal(daemon_stop(daemon), 0);
}

static void test_refused(void **state)
{
	static const char *const error = ERROR("the descriptor is not that of a file");
	struct daemon *daemon = *state;
	int fd, fds[2];

	ask(daemon, "capture hca0 mine\n", NULL, 0,
	    ERROR("the file's descriptor has to come with the request"));
	ask(daemon, "capture hca0 on\n", NULL, 0, ERROR("the HCA has no file of its own: pcap="));
	ask(daemon, "capture gpu0\n", NULL, 0, "{\"error\":\"no such HCA: capture\"}\n");
	ask(daemon, "capture\n", NULL, 0, "{\"error\":\"no such HCA: capture\"}\n");
	assert_int_equal(pipe(fds), 0);
	ask(daemon, "capture hca0 mine\n", &fds[1], 1, error);
	fd = open("/dev/full", O_WRONLY);
	ask(daemon, "capture hca0 mine\n", &fd, 1, error);
	close(fd);
	fd = open(daemon_path(daemon, "mine"), O_RDONLY | O_CREAT, 0600);
	ask(daemon, "capture hca0 mine\n", &fd, 1, ERROR("the descriptor is not open for writing"));
	ask(daemon, "capture hca0\n", NULL, 0, OFF);
	/* Nobody's end of the pipe is left. */
	close(fds[1]);
	assert_int_equal(read(fds[0], &fd, 1), 0);
	close(fds[0]);
	assert_int_equal(daemon_stop(daemon), 0);
}

/* Descriptors that no request takes are closed, however many come. */
static void test_flood(void **state)
{
	struct daemon *daemon = *state;
	unsigned int before;
	int fds[2];

	ask(daemon, "functions-\n", NULL, 0, "{\"error\":\"no such request: functions-\"}\n");
	before = open_files(daemon);
	assert_int_equal(pipe(fds), 0);
	for (unsigned int i = 0; i < 200; i++)
		ask(daemon, "functions-\n", fds, 2,
		    "{\"error\":\"no such request: functions-\"}\n");
	/* One connection may not be closed yet. */
	assert_true(open_files(daemon) <= before + 1);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(daemon_stop(daemon), 0);
}

/* That of the command line: off, and on again, empty. */
static void test_own(void **state)
{
	struct daemon *daemon = *state;

	ask(daemon, "capture hca9\n", NULL, 0, ON);
	ask(daemon, "capture hca9 off\n", NULL, 0, OFF);
	assert_whole(own, "hca9 port 1");
	ask(daemon, "capture hca9 on\n", NULL, 0, ON);
	assert_int_equal(daemon_stop(daemon), 0);
	assert_whole(own, "hca9 port 1");
}

/* As on a full disk: the exit status says so. */
static void test_cut_short(void **state)
{
	const struct rlimit limit = { 100, 100 };
	struct daemon *daemon = *state;

	assert_int_equal(prlimit(daemon->pid, RLIMIT_FSIZE, &limit, NULL), 0);
	assert_int_equal(daemon_stop(daemon), 3);
	/* There is no room for more on its stderr. */
	assert_true(daemon_said(daemon, "the capture ends here: File too large"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_passed), TEST(test_refused),	 TEST(test_flood),
		TEST(test_own),	   TEST(test_cut_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
