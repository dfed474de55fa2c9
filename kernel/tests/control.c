// SPDX-License-Identifier: GPL-2.0-only
/* Questions to the emulator; see control.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int port = -1;

/* The descriptor of @path that the shell left open, or -1. */
static int inherited(const char *path)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int found = -1;

	if (!dir)
		return -1;
	while (found < 0 && (entry = readdir(dir))) {
		char name[300], target[256];
		ssize_t n;

		snprintf(name, sizeof(name), "/proc/self/fd/%s", entry->d_name);
		n = readlink(name, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		if (!strcmp(target, path))
			found = atoi(entry->d_name);
	}
	closedir(dir);
	return found;
}

static int open_port(void)
{
	const char *path = getenv("TPH_CONTROL");

	if (port >= 0)
		return 0;
	if (!path)
		return -ENODEV;
	port = inherited(path);
	if (port < 0)
		port = open(path, O_RDWR | O_CLOEXEC);
	return port < 0 ? -errno : 0;
}

static int exchange(char *line, size_t length, char *answer, size_t size)
{
	size_t got = 0;

	if (write(port, line, length) != (ssize_t)length)
		return -EIO;
	/* Not one byte more than the line: the next one may be the shell's to read. */
	while (got < size) {
		ssize_t n = read(port, answer + got, size - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO;
		got += (size_t)n;
		if (answer[got - 1] == '\n') {
			answer[got - 1] = '\0';
			return 0;
		}
	}
	return -E2BIG;
}

int control_ask(char *answer, size_t size, const char *format, ...)
{
	char line[128];
	va_list args;
	int length, ret;

	va_start(args, format);
	length = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	if (length < 0 || (size_t)length >= sizeof(line) - 1)
		return -EINVAL;
	line[length++] = '\n';
	pthread_mutex_lock(&lock);
	ret = open_port();
	if (!ret)
		ret = exchange(line, (size_t)length, answer, size);
	pthread_mutex_unlock(&lock);
	if (!ret && !strncmp(answer, "{\"error\"", 8))
		ret = -EIO;
	return ret;
}

/* The value of @key in the object that starts at @json; false when it is null or not there. */
static bool number(const char *json, const char *key, uint64_t *value)
{
	const char *end = strchr(json + 1, '}');
	char quoted[32];
	const char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	at = strstr(json, quoted);
	if (!at || (end && at > end))
		return false;
	at += strlen(quoted);
	if (*at == '"')
		at++;
	if (*at < '0' || *at > '9')
		return false;
	*value = strtoull(at, NULL, 0);
	return true;
}

static bool hint(const char *json, uint8_t *ph, uint16_t *st, uint8_t *width)
{
	uint64_t value[3];

	if (!number(json, "ph", &value[0]) || !number(json, "st", &value[1]) ||
	    !number(json, "st_width", &value[2]))
		return false;
	*ph = (uint8_t)value[0];
	*st = (uint16_t)value[1];
	*width = (uint8_t)value[2];
	return true;
}

int control_counts(const char *endpoint, struct control_count *count, unsigned int max)
{
	char *answer = malloc(CONTROL_ANSWER), *at;
	unsigned int n = 0;
	int ret;

	if (!answer)
		return -ENOMEM;
	ret = control_ask(answer, CONTROL_ANSWER, "counts %s", endpoint);
	if (ret)
		goto out;
	for (at = strchr(answer + 1, '{'); at; at = strchr(at + 1, '{'), n++) {
		struct control_count c = { 0 };

		if (n >= max)
			continue;
		c.th = hint(at, &c.ph, &c.st, &c.width);
		if (!number(at, "writes", &c.writes) || !number(at, "reads", &c.reads) ||
		    !number(at, "write_bytes", &c.write_bytes) ||
		    !number(at, "read_bytes", &c.read_bytes)) {
			ret = -EPROTO;
			goto out;
		}
		count[n] = c;
	}
	ret = (int)n;
out:
	free(answer);
	return ret;
}

int control_reset_counts(const char *endpoint)
{
	char answer[256];

	return control_ask(answer, sizeof(answer), "reset-counts %s", endpoint);
}

int control_mkey(const char *hca, struct control_mkey *mkey)
{
	char answer[1024];
	uint64_t value;
	int ret = control_ask(answer, sizeof(answer), "mkey %s", hca);

	if (ret)
		return ret;
	memset(mkey, 0, sizeof(*mkey));
	mkey->valid = number(answer, "mkey", &value);
	if (!mkey->valid)
		return 0;
	mkey->key = (uint32_t)value;
	mkey->tph = strstr(answer, "\"tph\":true");
	mkey->th = hint(answer, &mkey->ph, &mkey->st, &mkey->width);
	if (!number(answer, "st_index", &value))
		return -EPROTO;
	mkey->index = (uint8_t)value;
	return 0;
}

int control_clear_mkey(const char *hca)
{
	char answer[256];

	return control_ask(answer, sizeof(answer), "clear-mkey %s", hca);
}
