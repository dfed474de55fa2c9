/* SPDX-License-Identifier: GPL-2.0-only */
#include "emulator/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/*
 * Of the C library's heap. With more than one it opens files: to learn how many processors there
 * are, and, to shrink one that is not the first, how the kernel overcommits.
 */
#define ARENAS 1

static int complain(const char *what, int err)
{
	fprintf(stderr, "tph-emulator: --sandbox: %s: %s\n", what, strerror(-err));
	return err;
}

/* Bytes of private memory that the process has, 0 without /proc. */
static uint64_t private_memory(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long long pages = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%*u %*u %*u %*u %*u %llu", &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* As far as what whoever started the process allows. */
static int limit(int resource, uint64_t value)
{
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)resource, &limit))
		return -errno;
	if (limit.rlim_max > value)
		limit.rlim_max = value;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit((__rlimit_resource_t)resource, &limit) ? -errno : 0;
}

#ifdef HAVE_SECCOMP
#include <seccomp.h>

/* What the threads of a started emulator do, glibc's part included. */
static const int allowed[] = {
	/* clients and the trace; fcntl: descriptors of clients are looked at */
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(pwrite64),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(recvmsg),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(accept4),
	SCMP_SYS(shutdown),
	SCMP_SYS(getsockopt),
	SCMP_SYS(geteuid),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(fcntl),
	SCMP_SYS(lseek),
	/* a client's eventfds: told by their names in /proc, and signalled without a wait */
	SCMP_SYS(readlink),
	SCMP_SYS(io_submit),
	SCMP_SYS(io_getevents),
	SCMP_SYS(io_destroy),
	/* the next owner's memory */
	SCMP_SYS(memfd_create),
	SCMP_SYS(ftruncate),
	SCMP_SYS(dup3),
	/* sockets, at the end */
	SCMP_SYS(unlink),
	/* memory; no code: see below */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(getrandom),
	SCMP_SYS(sysinfo),
	SCMP_SYS(sched_getaffinity),
	/* threads, the beginning of late ones included, and time */
	SCMP_SYS(rseq),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(futex),
	SCMP_SYS(sched_yield),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(gettid),
	SCMP_SYS(getpid),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	/* signals */
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(sigaltstack),
};

struct conditional {
	int call;
	struct scmp_arg_cmp argument;
};

/* clang-format off */
#define ARGUMENT(number, op, ...) { number, op, __VA_ARGS__ }
/* clang-format on */

static const struct conditional conditional[] = {
	{ SCMP_SYS(mmap), ARGUMENT(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) },
	{ SCMP_SYS(mprotect), ARGUMENT(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) },
	/* fstat() of newer C libraries, and isatty() of stdio */
	{ SCMP_SYS(newfstatat), ARGUMENT(3, SCMP_CMP_EQ, AT_EMPTY_PATH, 0) },
	{ SCMP_SYS(setsockopt), ARGUMENT(2, SCMP_CMP_EQ, SO_SNDBUF, 0) },
	/* a fault that is no client's doing goes to whom it went before */
	{ SCMP_SYS(rt_sigaction), ARGUMENT(0, SCMP_CMP_EQ, SIGBUS, 0) },
	{ SCMP_SYS(ioctl), ARGUMENT(1, SCMP_CMP_EQ, TCGETS, 0) },
};

/* Async-signal-safe. */
static void refused(int signal, siginfo_t *info, void *context)
{
	char digits[12], *first = digits + sizeof(digits);
	unsigned int number = (unsigned int)info->si_syscall;
	struct iovec text[] = {
		{ (char *)"tph-emulator: --sandbox: system call ", 37 },
		{ NULL, 0 },
		{ (char *)" refused\n", 9 },
	};

	(void)signal;
	(void)context;
	do
		*--first = (char)('0' + number % 10);
	while (number /= 10);
	text[1] = (struct iovec){ first, (size_t)(digits + sizeof(digits) - first) };
	/* There is nobody to tell when this fails, too. */
	if (writev(STDERR_FILENO, text, 3) < 0)
		_exit(SANDBOX_REFUSED);
	_exit(SANDBOX_REFUSED);
}

static int add_rules(scmp_filter_ctx filter)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < sizeof(allowed) / sizeof(*allowed); i++)
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; !ret && i < sizeof(conditional) / sizeof(*conditional); i++)
		ret = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, conditional[i].call, 1,
					     &conditional[i].argument);
	/* abort() of this process, and no signal to another one. */
	return ret ? ret
		   : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				      SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
}

static int load_filter(void)
{
	const struct sigaction action = { .sa_sigaction = refused, .sa_flags = SA_SIGINFO };
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	int ret;

	if (!filter)
		return -ENOMEM;
	sigaction(SIGSYS, &action, NULL);
	/* The kernel's log has it, too, where the kernel can. */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	ret = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!ret)
		ret = add_rules(filter);
	if (!ret)
		ret = seccomp_load(filter);
	seccomp_release(filter);
	return ret;
}

bool sandbox_available(void)
{
	return true;
}
#else
static int load_filter(void)
{
	return -ENOSYS;
}

bool sandbox_available(void)
{
	return false;
}
#endif

int sandbox_enter(const struct sandbox *sandbox)
{
	int ret;

	if (!sandbox_available())
		return complain("built without libseccomp; =no does without", -ENOSYS);
	ret = limit(RLIMIT_CORE, 0);
	if (!ret)
		ret = limit(RLIMIT_NOFILE, sandbox->files);
	if (!ret)
		ret = limit(RLIMIT_DATA, private_memory() + sandbox->memory);
	if (ret)
		return complain("limits", ret);
	mallopt(M_ARENA_MAX, ARENAS);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return complain("no new privileges", -errno);
	ret = load_filter();
	if (ret)
		return complain("the kernel takes no filter of system calls; =no does without",
				ret);
	return 0;
}
