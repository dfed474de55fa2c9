/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TLP trace writer: whole records collect in a buffer that goes to the file when it is full, at
 * marks and at the end. What a reader would not take is not written.
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

#include "pcie/fabric.h"

#define BUFFER_RECORDS 4096

static_assert(sizeof(struct tlp_record) == 48, "record layout");
static_assert(TLP_TRACE_NAME >= TLP_MAX_HEADER, "a header fits");

struct tlp_trace {
	int fd;
	char *path;
	pthread_mutex_t lock;
	struct tlp_trace_status status;
	uint64_t limit; /* records */
	unsigned int used;
	struct tlp_record buffer[BUFFER_RECORDS];
};

const char *tlp_record_fault(const struct tlp_record *record, struct tlp *tlp)
{
	switch (record->kind) {
	case TLP_RECORD_TLP:
		if (record->header_len > TLP_MAX_HEADER || record->route > PCIE_ROUTE_FUNCTION)
			return "bad length or route";
		if (tlp_decode(record->header, record->header_len, tlp) != record->header_len)
			return "undecodable TLP header";
		return NULL;
	case TLP_RECORD_FUNCTION:
	case TLP_RECORD_MARK:
	case TLP_RECORD_STOP:
		return record->header_len < TLP_TRACE_NAME ? NULL : "bad length";
	default:
		return "unknown kind";
	}
}

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

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static struct tlp_record text_record(enum tlp_record_kind kind, uint8_t index, const char *text)
{
	struct tlp_record record = { .time_ns = now(), .kind = kind, .source = index };

	record.header_len = strnlen(text, TLP_TRACE_NAME - 1);
	memcpy(record.header, text, record.header_len);
	return record;
}

static struct tlp_record to_file(const struct tlp_record *record)
{
	struct tlp_record out = *record;

	out.time_ns = htole64(record->time_ns);
	out.offset = htole64(record->offset);
	out.reserved = 0;
	return out;
}

static void free_trace(struct tlp_trace *trace)
{
	free(trace->path);
	free(trace);
}

static uint64_t records_in(uint64_t bytes)
{
	return (bytes - sizeof(struct tlp_trace_file)) / sizeof(struct tlp_record);
}

struct tlp_trace *tlp_trace_open(const char *path)
{
	struct tlp_trace *trace = calloc(1, sizeof(*trace));
	struct tlp_trace_file file;
	int error = ENOMEM;

	if (!trace)
		return NULL;
	trace->limit = records_in(TLP_TRACE_LIMIT);
	trace->fd = -1;
	trace->path = strdup(path);
	if (!trace->path)
		goto fail;
	trace->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (trace->fd < 0) {
		error = errno;
		goto fail;
	}
	memcpy(file.magic, TLP_TRACE_MAGIC, sizeof(file.magic));
	error = write_all(trace->fd, &file, sizeof(file));
	if (error)
		goto fail;
	pthread_mutex_init(&trace->lock, NULL);
	return trace;

fail:
	if (trace->fd >= 0)
		close(trace->fd);
	free_trace(trace);
	errno = error;
	return NULL;
}

/*
 * A write failed: cuts off what is there of a record, and puts STOP in the place of the last whole
 * one, because there may be no room behind it. What is no file cannot be mended.
 */
static void mend(struct tlp_trace *trace, const char *why)
{
	struct tlp_record stop = text_record(TLP_RECORD_STOP, 0, why);
	off_t end = lseek(trace->fd, 0, SEEK_CUR);
	uint64_t whole, records = trace->status.records;

	trace->status.records -= trace->used;
	if (end >= (off_t)sizeof(struct tlp_trace_file)) {
		whole = records_in(end);
		end = sizeof(struct tlp_trace_file) + whole * sizeof(stop);
		stop = to_file(&stop);
		if (!ftruncate(trace->fd, end) && whole &&
		    pwrite(trace->fd, &stop, sizeof(stop), end - sizeof(stop)) == sizeof(stop))
			whole--;
		trace->status.records = whole;
	}
	trace->status.lost += records - trace->status.records;
}

static void say_stopped(const struct tlp_trace *trace, const char *why)
{
	fprintf(stderr, "TLP trace %s: %s; recording stopped after %llu records\n", trace->path,
		why, (unsigned long long)trace->status.records);
}

static void flush(struct tlp_trace *trace)
{
	int error = write_all(trace->fd, trace->buffer, trace->used * sizeof(trace->buffer[0]));

	if (error)
		mend(trace, strerror(error));
	if (error && !trace->status.error) {
		trace->status.error = error;
		say_stopped(trace, strerror(error));
	}
	trace->used = 0;
}

static void append(struct tlp_trace *trace, const struct tlp_record *record)
{
	struct tlp_record stop;

	if (trace->status.error) {
		trace->status.lost++;
		return;
	}
	/* The last place is for the STOP. */
	if (trace->status.records + 1 >= trace->limit) {
		stop = text_record(TLP_RECORD_STOP, 0, "limit of the trace");
		trace->buffer[trace->used++] = to_file(&stop);
		trace->status.error = EFBIG;
		trace->status.lost++;
		say_stopped(trace, "limit of the trace");
		flush(trace);
		return;
	}
	trace->buffer[trace->used++] = to_file(record);
	trace->status.records++;
	if (trace->used == BUFFER_RECORDS)
		flush(trace);
}

int tlp_trace_close(struct tlp_trace *trace)
{
	int error;

	if (!trace)
		return 0;
	flush(trace);
	if (close(trace->fd) && !trace->status.error)
		trace->status.error = errno;
	error = trace->status.error;
	pthread_mutex_destroy(&trace->lock);
	free_trace(trace);
	return -error;
}

int tlp_trace_limit(struct tlp_trace *trace, uint64_t bytes)
{
	uint64_t limit = bytes < sizeof(struct tlp_trace_file) ? 0 : records_in(bytes);
	int rc = -EINVAL;

	pthread_mutex_lock(&trace->lock);
	if (limit >= trace->status.records + 2) {
		trace->limit = limit;
		rc = 0;
	}
	pthread_mutex_unlock(&trace->lock);
	return rc;
}

struct tlp_trace_status tlp_trace_status(struct tlp_trace *trace)
{
	struct tlp_trace_status status;

	pthread_mutex_lock(&trace->lock);
	status = trace->status;
	pthread_mutex_unlock(&trace->lock);
	return status;
}

void tlp_trace_record(struct tlp_trace *trace, const struct tlp_record *record)
{
	struct tlp tlp;
	const char *fault = tlp_record_fault(record, &tlp);

	pthread_mutex_lock(&trace->lock);
	if (!fault)
		append(trace, record);
	else if (!trace->status.refused++)
		fprintf(stderr, "TLP trace %s: a record is left out: %s\n", trace->path, fault);
	pthread_mutex_unlock(&trace->lock);
}

void tlp_trace_function(struct tlp_trace *trace, uint8_t index, const char *name)
{
	struct tlp_record record = text_record(TLP_RECORD_FUNCTION, index, name);

	pthread_mutex_lock(&trace->lock);
	append(trace, &record);
	pthread_mutex_unlock(&trace->lock);
}

static bool is_name(const char *text)
{
	const char *p = text;

	while (*p >= ' ' && *p <= '~')
		p++;
	return !*p && p > text && p - text < TLP_TRACE_NAME;
}

int tlp_trace_mark(struct tlp_trace *trace, const char *name)
{
	struct tlp_record record;
	int rc;

	if (!trace)
		return 0;
	if (!is_name(name))
		return -EINVAL;
	record = text_record(TLP_RECORD_MARK, 0, name);
	pthread_mutex_lock(&trace->lock);
	append(trace, &record);
	flush(trace);
	rc = -trace->status.error;
	pthread_mutex_unlock(&trace->lock);
	return rc;
}
