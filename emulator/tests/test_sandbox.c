// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "emulator/sandbox.h"

#define FILES  32
#define MEMORY (64ull << 20)

/*
 * @attempt in a child in the sandbox. Returns the child's exit status, and its stderr in @said.
 * LeakSanitizer has no part in this: the child ends by _exit().
 */
static int try_with(const struct sandbox *sandbox, int (*attempt)(void), char *said, size_t size)
{
	int fd = memfd_create("stderr", MFD_CLOEXEC), status;
	pid_t pid = fork();
	ssize_t got;

	assert_true(pid >= 0);
	if (!pid) {
		dup2(fd, STDERR_FILENO);
		if (sandbox_enter(sandbox))
			_exit(100);
		_exit(attempt());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	got = pread(fd, said, size - 1, 0);
	said[got < 0 ? 0 : got] = '\0';
	close(fd);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int try(int (*attempt)(void), char *said, size_t size)
{
	const struct sandbox sandbox = { .files = FILES, .memory = MEMORY };

	return try_with(&sandbox, attempt, said, size);
}

/* --- refused --------------------------------------------------------------------------------- */

static int open_a_file(void)
{
	return open("/etc/passwd", O_RDONLY) < 0;
}

static int make_a_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0;
}

static int execute_a_program(void)
{
	char *argv[] = { (char *)"true", NULL };

	return execv("/bin/true", argv);
}

/* Not by the C library's fork(): one that blocks signals meanwhile dies of the refusal unheard. */
static int start_a_process(void)
{
	return syscall(SYS_fork) < 0;
}

static int map_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	       MAP_FAILED;
}

static int make_code(void)
{
	static _Alignas(4096) char page[4096];

	return mprotect(page, sizeof(page), PROT_READ | PROT_EXEC);
}

static int signal_the_parent(void)
{
	return kill(getppid(), 0);
}

static int trace_the_parent(void)
{
	return ptrace(PTRACE_ATTACH, 1, NULL, NULL) < 0;
}

static int catch_a_signal(void)
{
	return signal(SIGSYS, SIG_IGN) == SIG_ERR;
}

static void test_refused(void **state)
{
	int (*const attempts[])(void) = {
		open_a_file, make_a_socket,	execute_a_program, start_a_process, map_code,
		make_code,   signal_the_parent, trace_the_parent,  catch_a_signal,
	};
	char said[1024], *number;

	(void)state;
	for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++) {
		assert_int_equal(try(attempts[i], said, sizeof(said)), SANDBOX_REFUSED);
		number = strstr(said, "tph-emulator: --sandbox: system call ");
		assert_non_null(number);
		assert_non_null(strstr(number, " refused\n"));
	}
	/* The number is the call's. */
	assert_int_equal(try(make_a_socket, said, sizeof(said)), SANDBOX_REFUSED);
	assert_string_equal(said, "tph-emulator: --sandbox: system call 41 refused\n");
}

/* --- allowed --------------------------------------------------------------------------------- */

static int use_what_is_open(void)
{
	char *memory = malloc(1 << 20);
	int fd = memfd_create("fresh", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (!memory || fd < 0 || ftruncate(fd, 4096))
		return 1;
	memset(memory, 1, 1 << 20);
	free(memory);
	return close(fd) || write(STDERR_FILENO, "here", 4) != 4;
}

static void test_allowed(void **state)
{
	char said[64];

	(void)state;
	assert_int_equal(try(use_what_is_open, said, sizeof(said)), 0);
	assert_string_equal(said, "here");
}

#define THREADS 64
#define PIECES	64
#define PIECE	65536 /* the C library does not map it for itself, but takes it off the heap */

static void *allocate(void *barrier)
{
	void *piece[PIECES];
	unsigned int i;

	pthread_barrier_wait(barrier);
	for (i = 0; i < PIECES; i++)
		piece[i] = malloc(PIECE);
	while (i--)
		free(piece[i]); /* the heap shrinks */
	pthread_barrier_wait(barrier);
	return NULL;
}

/* Threads that were there before allocate for the first time, all at once, and give it back. */
static void test_threads(void **state)
{
	const struct sandbox sandbox = { .files = FILES, .memory = 1ull << 34 };
	pthread_barrier_t barrier;
	pthread_t thread;
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		pthread_barrier_init(&barrier, NULL, THREADS + 1);
		for (unsigned int i = 0; i < THREADS; i++)
			pthread_create(&thread, NULL, allocate, &barrier);
		if (sandbox_enter(&sandbox))
			_exit(100);
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* --- limits ---------------------------------------------------------------------------------- */

/* The number of descriptors that there can be, no more and no less. */
static int fill_descriptors(void)
{
	int last = -1, fd;

	while ((fd = memfd_create("fill", 0)) >= 0)
		last = fd;
	return errno != EMFILE || last != FILES - 1;
}

static int use_no_memory(void)
{
	return 0;
}

static bool maps(size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0) != MAP_FAILED;
}

/* What is taken between the look at the process and here is less than half. */
static int fill_memory(void)
{
	if (maps(MEMORY + MEMORY / 2) || errno != ENOMEM)
		return 1;
	return maps(MEMORY / 2) ? 0 : 2;
}

static void test_limits(void **state)
{
	struct sandbox many = { .files = 1u << 30, .memory = MEMORY };
	struct rlimit before;
	char said[256];

	(void)state;
	assert_int_equal(try(fill_descriptors, said, sizeof(said)), 0);
	assert_int_equal(try(fill_memory, said, sizeof(said)), 0);
	/* More than there may be is as many as there may be. */
	assert_int_equal(try_with(&many, use_no_memory, said, sizeof(said)), 0);
	/* This process has what it had. */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(before.rlim_cur > FILES);
}

static void test_none(void **state)
{
	const struct sandbox sandbox = { .files = FILES, .memory = MEMORY };

	(void)state;
	if (!sandbox_available())
		assert_int_equal(sandbox_enter(&sandbox), -ENOSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_limits),
	};
	const struct CMUnitTest none[] = { cmocka_unit_test(test_none) };

	return sandbox_available() ? cmocka_run_group_tests(tests, NULL, NULL)
				   : cmocka_run_group_tests(none, NULL, NULL);
}
