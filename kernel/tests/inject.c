// SPDX-License-Identifier: GPL-2.0-only
#include "inject.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ktap.h"

#define DEBUGFS "/sys/kernel/debug/"

/*
 * GFP_KERNEL allocations are spared by default. The kernel's log says which kind of fault it was;
 * with a verbosity of 1, no stack comes with that.
 */
static const struct setting {
	const char *path, *value;
} settings[] = {
	{ DEBUGFS "failslab/ignore-gfp-wait", "N" },
	{ DEBUGFS "failslab/task-filter", "Y" },
	{ DEBUGFS "failslab/times", "-1" },
	{ DEBUGFS "failslab/space", "0" },
	{ DEBUGFS "failslab/probability", "0" },
	{ DEBUGFS "failslab/verbose", "1" },
	{ DEBUGFS "failslab/verbose_ratelimit_interval_ms", "0" },
	{ DEBUGFS "fail_usercopy/verbose", "1" },
	{ DEBUGFS "fail_usercopy/verbose_ratelimit_interval_ms", "0" },
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static char before[SETTINGS][16];
static int nth_fd = -1, log_fd = -1, fail_fd = -1;

static int set(const char *path, const char *value, char *old, size_t size)
{
	int fd, ret = 0;
	ssize_t got;

	if (old) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		got = read(fd, old, size - 1);
		old[got > 0 ? got : 0] = '\0';
		close(fd);
	}
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int inject_open(void)
{
	int ret = 0;

	for (unsigned int i = 0; i < SETTINGS && !ret; i++)
		ret = set(settings[i].path, settings[i].value, before[i], sizeof(before[i]));
	if (ret)
		return ret;
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	fail_fd = open("/proc/thread-self/make-it-fail", O_WRONLY | O_CLOEXEC);
	log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return nth_fd < 0 || fail_fd < 0 || log_fd < 0 ? -errno : 0;
}

void inject_close(void)
{
	for (unsigned int i = 0; i < SETTINGS; i++)
		set(settings[i].path, before[i], NULL, 0);
	close(nth_fd);
	close(fail_fd);
	close(log_fd);
}

void inject_arm(unsigned int nth)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", nth);

	lseek(log_fd, 0, SEEK_END);
	if (pwrite(nth_fd, text, (size_t)length, 0) != length)
		ktap_bail("fail-nth: %d", -errno);
}

/* An allocation that does not warn when it fails says nothing here, either. */
static enum inject_kind logged_kind(void)
{
	enum inject_kind kind = INJECT_SLAB;
	char line[8192];
	ssize_t got;

	while ((got = read(log_fd, line, sizeof(line) - 1)) > 0 || (got < 0 && errno == EPIPE)) {
		line[got > 0 ? got : 0] = '\0';
		if (strstr(line, "forcing a failure") && strstr(line, "name fail_usercopy"))
			kind = INJECT_USERCOPY;
	}
	return kind;
}

enum inject_kind inject_disarm(void)
{
	char text[16] = "";
	ssize_t got = pread(nth_fd, text, sizeof(text) - 1, 0);
	/* the fault may have hit the copy in this very call */
	unsigned long left = got > 0 ? strtoul(text, NULL, 10) : 1;

	if (pwrite(nth_fd, "0", 1, 0) != 1 && pwrite(nth_fd, "0", 1, 0) != 1)
		ktap_bail("fail-nth: %d", -errno);
	return left ? INJECT_NOTHING : logged_kind();
}

static void arm_slab(const char *name, const char *value)
{
	char path[64];
	int ret;

	snprintf(path, sizeof(path), DEBUGFS "failslab/%s", name);
	ret = set(path, value, NULL, 0);
	if (ret)
		ktap_bail("%s: %d", path, ret);
}

static void make_it_fail(const char *whether)
{
	if (pwrite(fail_fd, whether, 1, 0) != 1)
		ktap_bail("make-it-fail: %d", -errno);
}

void inject_arm_twice(unsigned int bytes)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", bytes);
	arm_slab("space", text);
	arm_slab("times", "2");
	arm_slab("probability", "100");
	make_it_fail("1");
}

unsigned int inject_disarm_twice(void)
{
	char left[16] = "";

	make_it_fail("0");
	arm_slab("probability", "0");
	if (set(DEBUGFS "failslab/times", "-1", left, sizeof(left)))
		ktap_bail("failslab/times");
	return 2 - (unsigned int)strtoul(left, NULL, 10);
}

int inject_errno(enum inject_kind kind)
{
	return kind == INJECT_USERCOPY ? -EFAULT : -ENOMEM;
}
