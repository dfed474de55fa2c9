/* SPDX-License-Identifier: GPL-2.0-only */
/* Writer and reader of the trace, and what they say when it is broken. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "pcie/burst.h"
#include "pcie/reader.h"

#define PER_THREAD 200000u

static char path[64];

static int setup(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/test_trace.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static struct tlp_record record(uint8_t source, uint64_t addr)
{
	struct tlp_record r = { .kind = TLP_RECORD_TLP, .source = source };
	struct tlp tlp = { .type = TLP_MWR, .requester = 0x100, .length = 1, .first_be = 0xf };

	tlp.addr = addr;
	r.time_ns = 0x1122334455667788;
	r.offset = 0x99aabbccddeeff00;
	r.header_len = tlp_encode(&tlp, r.header);
	return r;
}

static off_t file_size(void)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static void test_layout(void **state)
{
	struct tlp_trace *trace = tlp_trace_open(path);
	struct tlp_record r = record(3, 0x4000000010);
	uint8_t bytes[8 + 3 * 48];
	FILE *f;

	(void)state;
	assert_non_null(trace);
	r.route = PCIE_ROUTE_FUNCTION;
	r.target = 7;
	r.bar = 2;
	tlp_trace_function(trace, 3, "hca3");
	tlp_trace_record(trace, &r);
	assert_int_equal(tlp_trace_mark(trace, "a name of 23 characters"), 0);
	assert_int_equal(tlp_trace_close(trace), 0);
	assert_int_equal(file_size(), sizeof(bytes));
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fread(bytes, sizeof(bytes), 1, f), 1);
	fclose(f);
	assert_memory_equal(bytes, "TPHTLP4\n", 8);
	assert_int_equal(bytes[8 + 8], TLP_RECORD_FUNCTION);
	assert_int_equal(bytes[8 + 10], 4);
	assert_int_equal(bytes[8 + 12], 3);
	assert_memory_equal(bytes + 8 + 16, "hca3\0", 5);
	assert_memory_equal(bytes + 56, "\x88\x77\x66\x55\x44\x33\x22\x11", 8);
	assert_memory_equal(bytes + 56 + 8, "\x03\x03\x10\x07\x03\x02\0\0\x60", 9);
	assert_memory_equal(bytes + 56 + 40, "\x00\xff\xee\xdd\xcc\xbb\xaa\x99", 8);
	assert_memory_equal(bytes + 104 + 16, "a name of 23 characters\0", 24);
}

static void test_buffering(void **state)
{
	struct tlp_trace *trace = tlp_trace_open(path);
	struct tlp_record r = record(0, 0x1000);

	(void)state;
	assert_non_null(trace);
	assert_int_equal(file_size(), 8);
	for (unsigned int i = 0; i < 10; i++)
		tlp_trace_record(trace, &r);
	assert_int_equal(file_size(), 8);
	tlp_trace_mark(trace, "m");
	assert_int_equal(file_size(), 8 + 11 * 48);
	for (unsigned int i = 0; i < 10000; i++)
		tlp_trace_record(trace, &r);
	/* Another thread takes them there. */
	while (file_size() == 8 + 11 * 48)
		usleep(1000);
	assert_int_equal(tlp_trace_close(trace), 0);
	assert_int_equal(file_size(), 8 + 10011 * 48);
}

static pthread_barrier_t start;

static void *write_records(void *trace)
{
	struct tlp_record r = record(0, 0x1000);

	pthread_barrier_wait(&start);
	for (unsigned int i = 0; i < PER_THREAD; i++)
		tlp_trace_record(trace, &r);
	return NULL;
}

static void test_threads(void **state)
{
	struct tlp_trace *trace = tlp_trace_open(path);
	struct tlp_reader *reader;
	struct tlp_entry entry;
	pthread_t thread[2];
	unsigned int n = 0;

	(void)state;
	assert_non_null(trace);
	pthread_barrier_init(&start, NULL, 2);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, write_records, trace), 0);
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(tlp_trace_close(trace), 0);
	reader = tlp_reader_open(path);
	assert_non_null(reader);
	while (tlp_reader_next(reader, &entry) > 0)
		n++;
	assert_int_equal(n, 2 * PER_THREAD);
	pthread_barrier_destroy(&start);
	tlp_reader_close(reader);
}

#define GROUPS 6000u /* of each thread: more than there are blocks for */
#define PIECES 6u    /* records of pieces in each: blocks are no multiple of a group */

static void *write_groups(void *trace)
{
	static atomic_uint threads;
	struct tlp_record r[1 + PIECES] = { record((uint8_t)atomic_fetch_add(&threads, 1), 0) };
	const struct tlp_burst burst = { .len = 4, .max = 128, .requests = true };
	const uint64_t addr[TLP_PIECES] = { 0x1000, 0x2000 };

	r[0].route = PCIE_ROUTE_MEMORY;
	r[0].offset = 0;
	tlp_burst_put(&r[0], &burst);
	for (unsigned int i = 1; i <= PIECES; i++)
		tlp_pieces_put(&r[i], &r[0], addr, TLP_PIECES);
	for (unsigned int i = 0; i < GROUPS; i++)
		tlp_trace_encoded(trace, r, 1 + PIECES);
	return NULL;
}

/* What comes out of the pipe @fifo goes to the file. */
static void *drain(void *fifo)
{
	static uint8_t bytes[65536];
	FILE *f = fopen(path, "w");
	ssize_t n;

	while ((n = read(*(int *)fifo, bytes, sizeof(bytes))) > 0)
		assert_int_equal(fwrite(bytes, n, 1, f), 1);
	fclose(f);
	return NULL;
}

/* Nothing comes between a burst and its pieces, also where each thread has to wait for a block. */
static void test_together(void **state)
{
	char fifo[sizeof(path) + 8];
	struct tlp_trace *trace;
	struct tlp_reader *reader;
	struct tlp_entry entry;
	uint64_t before = 1, now;
	pthread_t thread[3];
	unsigned int n = 0;
	int fd, rc;

	(void)state;
	snprintf(fifo, sizeof(fifo), "%s.fifo", path);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	fd = open(fifo, O_RDONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	trace = tlp_trace_open(fifo);
	assert_non_null(trace);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, write_groups, trace), 0);
	/* Until both wait. */
	while ((now = tlp_trace_status(trace).records) != before) {
		before = now;
		usleep(20000);
	}
	assert_int_equal(pthread_create(&thread[2], NULL, drain, &fd), 0);
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(tlp_trace_close(trace), 0);
	pthread_join(thread[2], NULL);
	close(fd);
	unlink(fifo);
	reader = tlp_reader_open(path);
	assert_non_null(reader);
	while ((rc = tlp_reader_next(reader, &entry)) > 0)
		n++;
	assert_int_equal(rc, 0);
	assert_int_equal(n, 2 * GROUPS * (1 + PIECES * TLP_PIECES));
	tlp_reader_close(reader);
}

static void test_open_for_writing_errors(void **state)
{
	(void)state;
	errno = 0;
	assert_null(tlp_trace_open("/nonexistent/trace"));
	assert_int_equal(errno, ENOENT);
	errno = 0;
	assert_null(tlp_trace_open("/dev/full"));
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(tlp_trace_mark(NULL, "nowhere"), 0);
	assert_int_equal(tlp_trace_close(NULL), 0);
}

/* Reads @tlps TLPs and marks, then the STOP with @why. */
static void assert_stopped(unsigned int tlps, const char *why)
{
	struct tlp_reader *reader = tlp_reader_open(path);
	struct tlp_entry entry;
	char error[64];

	assert_non_null(reader);
	snprintf(error, sizeof(error), "incomplete: recording stopped here: %s", why);
	for (unsigned int i = 0; i < tlps; i++)
		assert_int_equal(tlp_reader_next(reader, &entry), 1);
	assert_int_equal(tlp_reader_next(reader, &entry), -ENODATA);
	assert_string_equal(tlp_reader_error(reader), error);
	tlp_reader_close(reader);
}

/*
 * A limit on the size of files stands in for the disk's. The first error stays; then nothing more.
 * What is there of the record that did not fit goes, and the last whole one becomes the STOP.
 */
static void test_disk_full(void **state)
{
	struct tlp_trace *trace = tlp_trace_open(path);
	struct tlp_record r = record(0, 0x1000);
	struct tlp_trace_status status;
	struct rlimit old, limit;

	(void)state;
	assert_non_null(trace);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = 500;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (unsigned int i = 0; i < 20; i++)
		tlp_trace_record(trace, &r);
	assert_int_equal(tlp_trace_mark(trace, "full"), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(file_size(), 488);
	assert_int_equal(tlp_trace_mark(trace, "room again"), -EFBIG);
	status = tlp_trace_status(trace);
	assert_int_equal(status.error, EFBIG);
	assert_int_equal(status.records, 9);
	assert_int_equal(status.lost, 13);
	assert_int_equal(status.refused, 0);
	assert_int_equal(tlp_trace_close(trace), -EFBIG);
	assert_int_equal(file_size(), 488);
	assert_stopped(9, "File too large");
}

/* No room for even one record: the file is an empty trace, and close() says what happened. */
static void test_disk_full_at_once(void **state)
{
	struct tlp_trace *trace = tlp_trace_open(path);
	struct rlimit old, limit;
	struct tlp_reader *reader;
	struct tlp_entry entry;

	(void)state;
	assert_non_null(trace);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = 20;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(tlp_trace_mark(trace, "full"), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(tlp_trace_status(trace).lost, 1);
	assert_int_equal(tlp_trace_close(trace), -EFBIG);
	assert_int_equal(file_size(), 8);
	reader = tlp_reader_open(path);
	assert_non_null(reader);
	assert_int_equal(tlp_reader_next(reader, &entry), 0);
	tlp_reader_close(reader);
}

/* At the limit all is there; one record more, and the STOP takes the place that was left for it. */
static void test_limit(void **state)
{
	struct tlp_record r = record(0, 0x1000);
	struct tlp_trace_status status;

	(void)state;
	for (unsigned int beyond = 0; beyond < 3; beyond++) {
		struct tlp_trace *trace = tlp_trace_open(path);

		assert_non_null(trace);
		assert_int_equal(tlp_trace_limit(trace, 0), -EINVAL);
		assert_int_equal(tlp_trace_limit(trace, 8 + 2 * 48 - 1), -EINVAL);
		assert_int_equal(tlp_trace_limit(trace, 8 + 2 * 48), 0);
		assert_int_equal(tlp_trace_limit(trace, 8 + 6 * 48 + 47), 0);
		for (unsigned int i = 0; i < 5 + beyond; i++)
			tlp_trace_record(trace, &r);
		/* Not below what is recorded already. */
		assert_int_equal(tlp_trace_limit(trace, 8 + 6 * 48), -EINVAL);
		status = tlp_trace_status(trace);
		assert_int_equal(status.records, 5);
		assert_int_equal(status.lost, beyond);
		assert_int_equal(status.error, beyond ? EFBIG : 0);
		assert_int_equal(tlp_trace_close(trace), beyond ? -EFBIG : 0);
		assert_int_equal(file_size(), 8 + (5 + !!beyond) * 48);
		if (beyond)
			assert_stopped(5, "limit of the trace");
	}
}

/* What a reader would not take is counted, not written; so is a mark that is no name. */
static void test_refused(void **state)
{
	static const char *const names[] = { "",	 "24 characters are 1 more",
					     "\033[2J",	 "a\nb",
					     "\xc3\xa4", "\x7f" };
	struct tlp_trace *trace = tlp_trace_open(path);
	struct tlp_record good = record(0, 0x1000), r;

	(void)state;
	assert_non_null(trace);
	r = good;
	r.header_len = (uint8_t)-EINVAL; /* what tlp_encode() says, taken for a length */
	tlp_trace_record(trace, &r);
	r.header_len = 0;
	tlp_trace_record(trace, &r);
	r.header_len = 21;
	tlp_trace_record(trace, &r);
	r = good;
	r.header_len--;
	tlp_trace_record(trace, &r);
	r = good;
	r.route = PCIE_ROUTE_FUNCTION + 1;
	tlp_trace_record(trace, &r);
	r = good;
	r.header[3] = 0; /* 1024 DW across a 4 KiB boundary with one DW's byte enables */
	tlp_trace_record(trace, &r);
	r = good;
	r.kind = 8;
	tlp_trace_record(trace, &r);
	assert_int_equal(tlp_trace_status(trace).refused, 7);
	assert_int_equal(tlp_trace_status(trace).records, 0);
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(tlp_trace_mark(trace, names[i]), -EINVAL);
	tlp_trace_record(trace, &good);
	assert_int_equal(tlp_trace_status(trace).records, 1);
	assert_int_equal(tlp_trace_close(trace), 0);
	assert_int_equal(file_size(), 8 + 48);
}

static struct tlp_reader *sample(void)
{
	struct tlp_trace *trace = tlp_trace_open(path);
	struct tlp_reader *reader;

	assert_non_null(trace);
	tlp_trace_function(trace, 0, "hca0");
	for (unsigned int i = 0; i < 3; i++) {
		struct tlp_record r = record(i & 1, 0x1000 * (i + 1));

		tlp_trace_record(trace, &r);
		tlp_trace_mark(trace, i == 0 ? "a" : i == 1 ? "b" : "a");
	}
	assert_int_equal(tlp_trace_close(trace), 0);
	reader = tlp_reader_open(path);
	assert_non_null(reader);
	return reader;
}

static void test_read_all(void **state)
{
	struct tlp_reader *reader = sample();
	struct tlp_entry entry;

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(tlp_reader_next(reader, &entry), 1);
		assert_int_equal(entry.record.kind, TLP_RECORD_TLP);
		assert_int_equal(entry.record.time_ns, 0x1122334455667788);
		assert_int_equal(entry.record.offset, 0x99aabbccddeeff00);
		assert_int_equal(entry.tlp.addr, 0x1000 * (i + 1));
		assert_string_equal(entry.source, i & 1 ? "?" : "hca0");
		assert_null(entry.target);
		assert_int_equal(tlp_reader_next(reader, &entry), 1);
		assert_int_equal(entry.record.kind, TLP_RECORD_MARK);
		assert_string_equal(entry.text, i & 1 ? "b" : "a");
	}
	assert_int_equal(tlp_reader_next(reader, &entry), 0);
	assert_true(tlp_reader_knows(reader, "hca0"));
	assert_false(tlp_reader_knows(reader, "hca"));
	assert_false(tlp_reader_knows(reader, ""));
	tlp_reader_close(reader);
}

static void test_interval(void **state)
{
	static const struct {
		const char *from, *to;
		unsigned int entries;
		int rc;
		const char *error;
	} cases[] = {
		{ NULL, NULL, 6, 0, "" },
		{ NULL, "a", 1, 0, "" },
		{ "a", "b", 1, 0, "" },
		{ "a", "a", 3, 0, "" },
		{ "b", NULL, 2, 0, "" },
		{ "b", "b", 2, -ENOENT, "no mark 'b' after mark 'b'" },
		{ "c", "a", 0, -ENOENT, "no mark 'c'" },
		{ NULL, "c", 6, -ENOENT, "no mark 'c'" },
		{ "c", NULL, 0, -ENOENT, "no mark 'c'" },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tlp_reader *reader = sample();
		struct tlp_entry entry;
		unsigned int n = 0;
		int rc;

		tlp_reader_interval(reader, cases[i].from, cases[i].to);
		while ((rc = tlp_reader_next(reader, &entry)) > 0)
			n++;
		assert_int_equal(n, cases[i].entries);
		assert_int_equal(rc, cases[i].rc);
		assert_string_equal(tlp_reader_error(reader), cases[i].error);
		assert_true(tlp_reader_knows(reader, "hca0"));
		tlp_reader_close(reader);
	}
}

static void test_open_errors(void **state)
{
	static const char *const contents[] = { "", "TPHTLP1", "TPHTLP5\n" };

	(void)state;
	errno = 0;
	assert_null(tlp_reader_open("/nonexistent/trace"));
	assert_int_equal(errno, ENOENT);
	errno = 0;
	assert_null(tlp_reader_open("/"));
	assert_int_equal(errno, EISDIR);
	for (unsigned int i = 0; i < 3; i++) {
		FILE *f = fopen(path, "w");

		assert_non_null(f);
		fputs(contents[i], f);
		fclose(f);
		errno = 0;
		assert_null(tlp_reader_open(path));
		assert_int_equal(errno, EPROTO);
	}
}

/* One byte of the first TLP record, at 8 + 48, is wrong. */
static void assert_broken(unsigned int at, uint8_t value, const char *what)
{
	struct tlp_reader *reader = sample();
	struct tlp_entry entry;
	FILE *f = fopen(path, "r+");

	assert_non_null(f);
	tlp_reader_close(reader);
	assert_int_equal(fseek(f, 8 + 48 + at, SEEK_SET), 0);
	fputc(value, f);
	fclose(f);
	reader = tlp_reader_open(path);
	assert_non_null(reader);
	assert_int_equal(tlp_reader_next(reader, &entry), -EPROTO);
	assert_string_equal(tlp_reader_error(reader), what);
	tlp_reader_close(reader);
}

static void test_broken_records(void **state)
{
	(void)state;
	assert_broken(8, 0, "unknown kind in the record at byte 56");
	assert_broken(8, 7, "bad number of pieces in the record at byte 56");
	assert_broken(8, 8, "unknown kind in the record at byte 56");
	assert_broken(8, 255, "unknown kind in the record at byte 56");
	assert_broken(9, 4, "bad length or route in the record at byte 56");
	assert_broken(10, 21, "bad length or route in the record at byte 56");
	assert_broken(10, 16, "undecodable TLP header in the record at byte 56");
	assert_broken(10, 0, "undecodable TLP header in the record at byte 56");
	assert_broken(16, 0xff, "undecodable TLP header in the record at byte 56");
	assert_broken(8 - 48, 0, "unknown kind in the record at byte 8");
	assert_broken(10 - 48, 24, "bad length in the record at byte 8");
}

/* Whatever bytes a name has, what comes out is printable; and a function has one name. */
static void test_names(void **state)
{
	struct tlp_trace *trace = tlp_trace_open(path);
	struct tlp_record r = record(1, 0x1000), mark = { .kind = TLP_RECORD_MARK };
	struct tlp_reader *reader;
	struct tlp_entry entry;

	(void)state;
	assert_non_null(trace);
	tlp_trace_function(trace, 1, "a\\\033\xff");
	tlp_trace_record(trace, &r);
	mark.header_len = 23;
	memset(mark.header, 0x9b, 23);
	tlp_trace_record(trace, &mark);
	mark.header[2] = '\0';
	tlp_trace_record(trace, &mark);
	tlp_trace_function(trace, 1, "a\\\033\xff");
	tlp_trace_function(trace, 1, "b");
	assert_int_equal(tlp_trace_close(trace), 0);
	reader = tlp_reader_open(path);
	assert_non_null(reader);
	assert_int_equal(tlp_reader_next(reader, &entry), 1);
	assert_string_equal(entry.source, "a\\x5c\\x1b\\xff");
	assert_true(tlp_reader_knows(reader, "a\\x5c\\x1b\\xff"));
	assert_int_equal(tlp_reader_next(reader, &entry), 1);
	assert_int_equal(strlen(entry.text), 4 * 23);
	assert_int_equal(strlen(entry.text), TLP_TEXT - 1);
	assert_string_equal(entry.text + 4 * 22, "\\x9b");
	assert_int_equal(tlp_reader_next(reader, &entry), 1);
	assert_string_equal(entry.text, "\\x9b\\x9b");
	assert_int_equal(tlp_reader_next(reader, &entry), -EPROTO);
	assert_string_equal(tlp_reader_error(reader),
			    "another name for a function in the record at byte 248");
	assert_true(tlp_reader_knows(reader, "a\\x5c\\x1b\\xff"));
	tlp_reader_close(reader);
}

/* Every byte of a record, one at a time, takes every value: an error or an entry, never more. */
static void test_any_byte(void **state)
{
	uint8_t bytes[8 + 48], was;
	struct tlp_reader *reader;
	struct tlp_entry entry;
	FILE *f;

	(void)state;
	reader = sample();
	tlp_reader_close(reader);
	f = fopen(path, "r+");
	assert_non_null(f);
	setbuf(f, NULL);
	assert_int_equal(fread(bytes, sizeof(bytes), 1, f), 1);
	assert_int_equal(fread(bytes + 8, 48, 1, f), 1);
	assert_int_equal(ftruncate(fileno(f), sizeof(bytes)), 0);
	for (unsigned int at = 8; at < sizeof(bytes); at++) {
		was = bytes[at];
		for (unsigned int value = 0; value < 256; value++) {
			uint8_t header[TLP_MAX_HEADER];
			int rc, len;

			bytes[at] = value;
			rewind(f);
			assert_int_equal(fwrite(bytes, sizeof(bytes), 1, f), 1);
			reader = tlp_reader_open(path);
			assert_non_null(reader);
			rc = tlp_reader_next(reader, &entry);
			assert_true(rc == 1 || rc == -EPROTO || rc == -ENODATA ||
				    (rc == 0 &&
				     (value == TLP_RECORD_FUNCTION || value == TLP_RECORD_CLOCK)));
			assert_non_null(tlp_route_name(entry.record.route));
			if (rc == 1 && entry.record.kind == TLP_RECORD_TLP) {
				len = tlp_encode(&entry.tlp, header);
				assert_int_equal(len, entry.record.header_len);
				assert_memory_equal(header, entry.record.header, len);
			}
			tlp_reader_close(reader);
		}
		bytes[at] = was;
	}
	fclose(f);
}

static void test_truncated(void **state)
{
	struct tlp_reader *reader;
	struct tlp_entry entry;

	(void)state;
	for (unsigned int cut = 1; cut < 48; cut++) {
		reader = sample();
		tlp_reader_close(reader);
		assert_int_equal(truncate(path, 8 + 2 * 48 - cut), 0);
		reader = tlp_reader_open(path);
		assert_non_null(reader);
		assert_int_equal(tlp_reader_next(reader, &entry), -EMSGSIZE);
		assert_string_equal(tlp_reader_error(reader),
				    "file ends inside the record at byte 56");
		tlp_reader_close(reader);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_layout),
		TEST(test_buffering),
		TEST(test_threads),
		TEST(test_together),
		TEST(test_open_for_writing_errors),
		TEST(test_disk_full),
		TEST(test_disk_full_at_once),
		TEST(test_limit),
		TEST(test_refused),
		TEST(test_read_all),
		TEST(test_interval),
		TEST(test_open_errors),
		TEST(test_broken_records),
		TEST(test_names),
		TEST(test_any_byte),
		TEST(test_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
