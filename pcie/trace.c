/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TLP trace writer: whole records collect in a buffer that goes to the file when it is full, at
 * marks and at the end.
 */
#include "pcie/trace.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_RECORDS 4096

static_assert(sizeof(struct tlp_record) == 48, "record layout");
static_assert(TLP_TRACE_NAME >= TLP_MAX_HEADER, "a header fits");

struct tlp_trace {
	int fd;
	pthread_mutex_t lock;
	int error; /* errno of the first failed write; nothing is written after it */
	unsigned int used;
	struct tlp_record buffer[BUFFER_RECORDS];
};

static int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		p += n;
		len -= n;
	}
	return 0;
}

struct tlp_trace *tlp_trace_open(const char *path)
{
	struct tlp_trace *trace = calloc(1, sizeof(*trace));
	struct tlp_trace_file file;
	int error;

	if (!trace)
		return NULL;
	trace->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (trace->fd < 0) {
		free(trace);
		return NULL;
	}
	memcpy(file.magic, TLP_TRACE_MAGIC, sizeof(file.magic));
	error = write_all(trace->fd, &file, sizeof(file));
	if (error) {
		close(trace->fd);
		free(trace);
		errno = error;
		return NULL;
	}
	pthread_mutex_init(&trace->lock, NULL);
	return trace;
}

static void flush(struct tlp_trace *trace)
{
	if (!trace->error)
		trace->error =
			write_all(trace->fd, trace->buffer, trace->used * sizeof(trace->buffer[0]));
	trace->used = 0;
}

static void append(struct tlp_trace *trace, const struct tlp_record *record)
{
	struct tlp_record *out = &trace->buffer[trace->used];

	*out = *record;
	out->time_ns = htole64(record->time_ns);
	out->offset = htole64(record->offset);
	out->reserved = 0;
	if (++trace->used == BUFFER_RECORDS)
		flush(trace);
}

int tlp_trace_close(struct tlp_trace *trace)
{
	int error;

	if (!trace)
		return 0;
	flush(trace);
	if (close(trace->fd) && !trace->error)
		trace->error = errno;
	error = trace->error;
	pthread_mutex_destroy(&trace->lock);
	free(trace);
	return -error;
}

void tlp_trace_record(struct tlp_trace *trace, const struct tlp_record *record)
{
	pthread_mutex_lock(&trace->lock);
	append(trace, record);
	pthread_mutex_unlock(&trace->lock);
}

static void append_name(struct tlp_trace *trace, enum tlp_record_kind kind, uint8_t index,
			const char *name)
{
	struct tlp_record record = { .kind = kind, .source = index };
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	record.time_ns = now.tv_sec * 1000000000ull + now.tv_nsec;
	record.header_len = strnlen(name, TLP_TRACE_NAME - 1);
	memcpy(record.header, name, record.header_len);
	append(trace, &record);
}

void tlp_trace_function(struct tlp_trace *trace, uint8_t index, const char *name)
{
	pthread_mutex_lock(&trace->lock);
	append_name(trace, TLP_RECORD_FUNCTION, index, name);
	pthread_mutex_unlock(&trace->lock);
}

void tlp_trace_mark(struct tlp_trace *trace, const char *name)
{
	if (!trace)
		return;
	pthread_mutex_lock(&trace->lock);
	append_name(trace, TLP_RECORD_MARK, 0, name);
	flush(trace);
	pthread_mutex_unlock(&trace->lock);
}
