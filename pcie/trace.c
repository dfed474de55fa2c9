/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TLP trace writer: whole records collect in a block, which a thread of the trace's own takes to
 * the file when it is full, at marks and at the end. Blocks form a ring: while all are full, who
 * records waits. What a reader would not take is not written.
 */
#include "pcie/trace.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "pcie/burst.h"
#include "pcie/fabric.h"

#define BLOCKS	      16u
#define BLOCK_RECORDS 4096u

static_assert(sizeof(struct tlp_record) == 48, "record layout");
static_assert(TLP_TRACE_NAME >= TLP_MAX_HEADER, "a header fits");

struct block {
	unsigned int used;
	struct tlp_record record[BLOCK_RECORDS];
};

struct tlp_trace {
	int fd;
	char *path;
	pthread_t writer;
	/* For all that follows, but not for blocks that are full: they are the writer's. */
	pthread_mutex_t lock;
	pthread_cond_t full, written;
	bool ended;
	struct tlp_trace_status status;
	uint64_t limit; /* records */
	/* Blocks [@tail, @head) are full; block @head is being filled. They count for ever. */
	unsigned int head, tail;
	struct block block[BLOCKS];
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
	case TLP_RECORD_BURST:
		return tlp_burst_fault(record, tlp);
	case TLP_RECORD_PIECES:
		return tlp_pieces_fault(record);
	case TLP_RECORD_CLOCK:
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

static struct tlp_record text_record(enum tlp_record_kind kind, uint8_t index, const char *text)
{
	struct tlp_record record = { .time_ns = clock_now_ns(), .kind = kind, .source = index };

	record.header_len = strnlen(text, TLP_TRACE_NAME - 1);
	memcpy(record.header, text, record.header_len);
	return record;
}

static struct tlp_record to_file(const struct tlp_record *record)
{
	struct tlp_record out = *record;

	out.time_ns = htole64(record->time_ns);
	out.offset = htole64(record->offset);
	out.shape = htole16(record->kind == TLP_RECORD_BURST ? record->shape : 0);
	return out;
}

static void free_trace(struct tlp_trace *trace)
{
	pthread_cond_destroy(&trace->written);
	pthread_cond_destroy(&trace->full);
	pthread_mutex_destroy(&trace->lock);
	free(trace->path);
	free(trace);
}

static uint64_t records_in(uint64_t bytes)
{
	return (bytes - sizeof(struct tlp_trace_file)) / sizeof(struct tlp_record);
}

/*
 * A write failed: cuts off what is there of a record, and puts STOP in the place of the last whole
 * one, because there may be no room behind it. What is no file cannot be mended. What was on its
 * way is lost. With the lock.
 */
static void mend(struct tlp_trace *trace, const char *why)
{
	struct tlp_record stop = text_record(TLP_RECORD_STOP, 0, why);
	off_t end = lseek(trace->fd, 0, SEEK_CUR);
	uint64_t whole, records = trace->status.records;

	for (unsigned int i = trace->tail; i != trace->head + 1; i++)
		trace->status.records -= trace->block[i % BLOCKS].used;
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

/* With the lock: the block at the tail could not be written. */
static void fail(struct tlp_trace *trace, int error)
{
	mend(trace, strerror(error));
	if (!trace->status.error) {
		trace->status.error = error;
		say_stopped(trace, strerror(error));
	}
	trace->block[trace->head % BLOCKS].used = 0;
	trace->tail = trace->head - 1;
}

static void *write_blocks(void *arg)
{
	struct tlp_trace *trace = arg;

	pthread_mutex_lock(&trace->lock);
	for (;;) {
		struct block *block = &trace->block[trace->tail % BLOCKS];
		int error;

		if (trace->tail == trace->head) {
			if (trace->ended)
				break;
			pthread_cond_wait(&trace->full, &trace->lock);
			continue;
		}
		pthread_mutex_unlock(&trace->lock);
		error = write_all(trace->fd, block->record, block->used * sizeof(block->record[0]));
		pthread_mutex_lock(&trace->lock);
		if (error)
			fail(trace, error);
		trace->tail++;
		pthread_cond_broadcast(&trace->written);
	}
	pthread_mutex_unlock(&trace->lock);
	return NULL;
}

/* With the lock: the block that is being filled goes to the writer, another takes its place. */
static void hand_over(struct tlp_trace *trace)
{
	if (!trace->block[trace->head % BLOCKS].used)
		return;
	while (trace->head - trace->tail == BLOCKS - 1)
		pthread_cond_wait(&trace->written, &trace->lock);
	/* While this one waited, another may have done it, or all was given up. */
	if (!trace->block[trace->head % BLOCKS].used)
		return;
	trace->head++;
	trace->block[trace->head % BLOCKS].used = 0;
	pthread_cond_signal(&trace->full);
}

/* With the lock: until all is written that was recorded. */
static void flush(struct tlp_trace *trace)
{
	unsigned int head;

	hand_over(trace);
	head = trace->head;
	while ((int)(trace->tail - head) < 0)
		pthread_cond_wait(&trace->written, &trace->lock);
}

/* With the lock, which may be given up for a while before the record is in its place. */
static void append(struct tlp_trace *trace, const struct tlp_record *record)
{
	struct tlp_record stop;
	struct block *block;

	while (trace->block[trace->head % BLOCKS].used == BLOCK_RECORDS)
		hand_over(trace);
	block = &trace->block[trace->head % BLOCKS];
	if (trace->status.error) {
		trace->status.lost++;
		return;
	}
	/* The last place is for the STOP. */
	if (trace->status.records + 1 >= trace->limit) {
		stop = text_record(TLP_RECORD_STOP, 0, "limit of the trace");
		block->record[block->used++] = to_file(&stop);
		trace->status.error = EFBIG;
		trace->status.lost++;
		say_stopped(trace, "limit of the trace");
		flush(trace);
		return;
	}
	block->record[block->used++] = to_file(record);
	trace->status.records++;
	/* At once, while it is there for sure, so that the next one need not wait. */
	if (block->used == BLOCK_RECORDS && trace->head - trace->tail < BLOCKS - 1)
		hand_over(trace);
}

struct tlp_trace *tlp_trace_open(const char *path)
{
	struct tlp_trace *trace = calloc(1, sizeof(*trace));
	struct tlp_trace_file file;
	int error = ENOMEM;

	if (!trace)
		return NULL;
	pthread_mutex_init(&trace->lock, NULL);
	pthread_cond_init(&trace->full, NULL);
	pthread_cond_init(&trace->written, NULL);
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
	if (!error)
		error = pthread_create(&trace->writer, NULL, write_blocks, trace);
	if (error)
		goto fail;
	return trace;

fail:
	if (trace->fd >= 0)
		close(trace->fd);
	free_trace(trace);
	errno = error;
	return NULL;
}

int tlp_trace_close(struct tlp_trace *trace)
{
	int error;

	if (!trace)
		return 0;
	pthread_mutex_lock(&trace->lock);
	flush(trace);
	trace->ended = true;
	pthread_cond_signal(&trace->full);
	pthread_mutex_unlock(&trace->lock);
	pthread_join(trace->writer, NULL);
	if (close(trace->fd) && !trace->status.error)
		trace->status.error = errno;
	error = trace->status.error;
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

void tlp_trace_encoded(struct tlp_trace *trace, const struct tlp_record *record, unsigned int count)
{
	pthread_mutex_lock(&trace->lock);
	/* With room for all of them the lock is not given up in between. */
	while (count > 1 && trace->block[trace->head % BLOCKS].used + count > BLOCK_RECORDS)
		hand_over(trace);
	for (unsigned int i = 0; i < count; i++)
		append(trace, &record[i]);
	pthread_mutex_unlock(&trace->lock);
}

void tlp_trace_function(struct tlp_trace *trace, uint8_t index, const char *name)
{
	struct tlp_record record = text_record(TLP_RECORD_FUNCTION, index, name);

	pthread_mutex_lock(&trace->lock);
	append(trace, &record);
	pthread_mutex_unlock(&trace->lock);
}

void tlp_trace_clock(struct tlp_trace *trace, uint64_t offset_ns)
{
	struct tlp_record record = text_record(TLP_RECORD_CLOCK, 0, "");

	record.offset = offset_ns;
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
