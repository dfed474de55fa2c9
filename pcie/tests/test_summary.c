/* SPDX-License-Identifier: GPL-2.0-only */
/* Counting over a trace, and the tlpdump program: output, filters, exit status and messages. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "pcie/flows.h"
#include "pcie/summary.h"

#define BAR 0x4000000000ull

static char path[64];
static char out[16384], err[4096];

static void put(struct tlp_trace *trace, uint8_t source, const struct tlp *tlp,
		enum pcie_route route)
{
	struct tlp_record record = {
		.time_ns = 1500000000,
		.kind = TLP_RECORD_TLP,
		.route = route,
		.source = source,
		.target = route == PCIE_ROUTE_FUNCTION ? 2 : 0,
		.offset = route == PCIE_ROUTE_FUNCTION ? tlp->addr - BAR : 0,
	};
	int len = tlp_encode(tlp, record.header);

	assert_true(len > 0);
	record.header_len = len;
	tlp_trace_record(trace, &record);
}

static void put_write(struct tlp_trace *trace, uint8_t source, uint64_t addr, struct tlp_hint hint)
{
	struct tlp tlp = { .type = TLP_MWR, .requester = 0x0100, .hint = hint };

	assert_int_equal(tlp_set_range(&tlp, addr, 128), 0);
	put(trace, source, &tlp, addr >= BAR ? PCIE_ROUTE_FUNCTION : PCIE_ROUTE_MEMORY);
}

/*
 * Between the marks "s" and "e": 5 + 2 writes of hca1 into the BAR, with (2, 42, 8) five times,
 * once without a hint and once with another width; one hinted write elsewhere, one hinted write of
 * hca0 into the BAR, one hinted read of hca1 from the BAR with its completion. Hints outside, too.
 */
static void write_sample(void)
{
	static const struct tlp_hint good = { true, false, 2, 42 }, wide = { true, true, 2, 42 };
	static const struct tlp_hint none;
	struct tlp_trace *trace = tlp_trace_open(path);
	struct tlp read = { .type = TLP_MRD, .requester = 0x0100, .tag = 9, .hint = good };
	struct tlp cpld = { .type = TLP_CPLD,
			    .requester = 0x0100,
			    .completer = 0x0208,
			    .tag = 9,
			    .length = 2,
			    .byte_count = 8 };

	assert_non_null(trace);
	tlp_trace_function(trace, 0, "hca0");
	tlp_trace_function(trace, 1, "hca1");
	tlp_trace_function(trace, 2, "gpu0");
	put_write(trace, 1, BAR, good);
	put_write(trace, 1, 0x1000, good);
	tlp_trace_mark(trace, "s");
	for (unsigned int i = 0; i < 5; i++)
		put_write(trace, 1, BAR + 128 * i, good);
	put_write(trace, 1, BAR + 0x1000, none);
	put_write(trace, 1, BAR + 0x2000, wide);
	put_write(trace, 1, 0x2000, none);
	put_write(trace, 1, BAR - 128, good);
	put_write(trace, 0, BAR, good);
	assert_int_equal(tlp_set_range(&read, BAR + 0x10, 8), 0);
	put(trace, 1, &read, PCIE_ROUTE_FUNCTION);
	put(trace, 2, &cpld, PCIE_ROUTE_MEMORY);
	tlp_trace_mark(trace, "e");
	put_write(trace, 1, BAR, wide);
	assert_int_equal(tlp_trace_close(trace), 0);
}

static int setup(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/test_summary.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	write_sample();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static void slurp(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size - 1, 0);

	assert_true(n >= 0 && (size_t)n < size - 1);
	buf[n] = '\0';
	close(fd);
}

static int temporary(void)
{
	char name[] = "/tmp/test_summary_out.XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	unlink(name);
	return fd;
}

/* Runs tlpdump with the words of @args and, unless NULL, @file. Returns its exit status. */
static int tlpdump(const char *args, const char *file)
{
	int out_fd = temporary(), err_fd = temporary(), status;
	char *words = strdup(args), *argv[32] = { "tlpdump" };
	unsigned int argc = 1;
	pid_t pid;

	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc++] = (char *)file;
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		dup2(out_fd, 1);
		dup2(err_fd, 2);
		execv(TLPDUMP, argv);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	slurp(out_fd, out, sizeof(out));
	slurp(err_fd, err, sizeof(err));
	free(words);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static unsigned int lines(void)
{
	unsigned int n = 0;

	for (const char *p = out; *p; p++)
		n += *p == '\n';
	return n;
}

static void test_hint_equal(void **state)
{
	static const struct tlp_hint a = { true, false, 2, 42 };
	static const struct tlp_hint off = { false, true, 1, 7 }, none;
	struct tlp_hint b;

	(void)state;
	assert_true(tlp_hint_equal(&a, &a));
	assert_true(tlp_hint_equal(&off, &none));
	assert_false(tlp_hint_equal(&a, &none));
	b = a;
	b.ph = 1;
	assert_false(tlp_hint_equal(&a, &b));
	b = a;
	b.st = 43;
	assert_false(tlp_hint_equal(&a, &b));
	b = a;
	b.extended = true;
	assert_false(tlp_hint_equal(&a, &b));
}

static void test_window(void **state)
{
	static const struct tlp_window window = { 0x1000, 0x100 }, top = { ~0ull - 15, 16 };
	static const struct {
		uint64_t addr;
		size_t len;
		bool in;
	} cases[] = {
		{ 0xffc, 4, false },   { 0xffd, 3, false },  { 0x1000, 1, true },
		{ 0x10ff, 1, true },   { 0x1100, 4, false }, { 0x10fc, 64, true },
		{ 0xf00, 128, false },
	};
	struct tlp tlp = { .type = TLP_MWR };

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(tlp_set_range(&tlp, cases[i].addr, cases[i].len), 0);
		assert_int_equal(tlp_in_window(&tlp, &window), cases[i].in);
	}
	assert_int_equal(tlp_set_range(&tlp, ~0ull - 3, 4), 0);
	assert_true(tlp_in_window(&tlp, &top));
	tlp.addr = 0x1000;
	tlp.length = 1;
	tlp.first_be = tlp.last_be = 0;
	assert_true(tlp_in_window(&tlp, &window));
	tlp.type = TLP_CPLD;
	assert_false(tlp_in_window(&tlp, &window));
}

#define SUM "--summary --from s --to e --source hca1 --window 0x4000000000,0x100000 "
#define BY_HINT                                                         \
	"\"by_hint\":[{\"ph\":2,\"st\":42,\"st_width\":8,\"count\":5}," \
	"{\"ph\":2,\"st\":42,\"st_width\":16,\"count\":1}]}\n"

static void test_summary_json(void **state)
{
	(void)state;
	assert_int_equal(tlpdump(SUM "--json --expect ph=2,st=42,width=8", path), 0);
	assert_string_equal(out, "{\"tlps\":12,\"bar_writes\":7,\"with_hint\":6,\"wrong_hint\":2,"
				 "\"hint_elsewhere\":3," BY_HINT);
	assert_string_equal(err, "");
	assert_int_equal(tlpdump(SUM "--json --expect width=16,ph=2,st=0x2a", path), 0);
	assert_non_null(strstr(out, "\"wrong_hint\":6,"));
	assert_int_equal(tlpdump(SUM "--json --expect none", path), 0);
	assert_non_null(strstr(out, "\"wrong_hint\":6,"));
	assert_int_equal(tlpdump(SUM "--json", path), 0);
	assert_non_null(strstr(out, "\"wrong_hint\":null,"));
	/* Whole file: one write more of each hint, and a hint outside the window. */
	assert_int_equal(
		tlpdump("--summary --json --source hca1 --window 0x4000000000,0x100000", path), 0);
	assert_non_null(strstr(out, "{\"tlps\":15,\"bar_writes\":9,\"with_hint\":8,"));
	assert_non_null(strstr(out, "\"hint_elsewhere\":4,"));
	/* A window with nothing in it. */
	assert_int_equal(tlpdump("--summary --json --source hca1 --window 0x5000,1", path), 0);
	assert_non_null(strstr(out, "\"bar_writes\":0,\"with_hint\":0,"));
	assert_non_null(strstr(out, "\"by_hint\":[]"));
}

static void test_summary_text(void **state)
{
	(void)state;
	assert_int_equal(tlpdump(SUM "--expect ph=2,st=42,width=8", path), 0);
	assert_non_null(strstr(out, "7 by hca1\n"));
	assert_non_null(strstr(out, "not with the hint expected: 2\n"));
	assert_non_null(strstr(out, "hints elsewhere:             3\n"));
	assert_non_null(strstr(out, "ph 2 st 0x2a (16 bits):  1\n"));
}

static void test_dump(void **state)
{
	(void)state;
	assert_int_equal(tlpdump("", path), 0);
	assert_int_equal(lines(), 15);
	assert_int_equal(strncmp(out,
				 "1.500000000 hca1 -> gpu0/bar0+0x0 MWr64 01:00.0 tag - "
				 "addr 0x4000000000 length 32 be f/f TH ph 2 st 0x2a\n",
				 strcspn(out, "\n") + 1),
			 0);
	assert_non_null(strstr(out, " hca1 -> memory MWr32 01:00.0 tag 0 addr 0x2000 length 32 "
				    "be f/f\n"));
	assert_non_null(strstr(out, " st 0x002a\n"));
	assert_non_null(strstr(out, "gpu0 -> memory CplD 01:00.0 tag 9 from 02:01.0 SC bytes 8 "
				    "lower 0x00 length 2\n"));
	assert_int_equal(tlpdump("--marks", path), 0);
	assert_int_equal(lines(), 17);
	assert_non_null(strstr(out, " mark s\n"));
}

static void test_dump_json(void **state)
{
	(void)state;
	assert_int_equal(tlpdump("--json --limit 1", path), 0);
	assert_string_equal(
		out,
		"{\"time_ns\":1500000000,\"source\":\"hca1\",\"route\":\"function\","
		"\"target\":\"gpu0\",\"type\":\"MWr64\",\"requester\":\"01:00.0\",\"tag\":null,"
		"\"bar\":0,\"offset\":0,\"addr\":274877906944,\"length\":32,\"first_be\":15,"
		"\"last_be\":15,\"hint\":{\"ph\":2,\"st\":42,\"st_width\":8},"
		"\"header\":\"6001002001002aff0000004000000002\"}\n");
	assert_int_equal(tlpdump("--json --type CplD", path), 0);
	assert_string_equal(out, "{\"time_ns\":1500000000,\"source\":\"gpu0\",\"route\":\"memory\","
				 "\"target\":null,\"type\":\"CplD\",\"requester\":\"01:00.0\","
				 "\"tag\":9,\"completer\":\"02:01.0\",\"status\":\"SC\","
				 "\"byte_count\":8,\"lower_addr\":0,\"length\":2,"
				 "\"header\":\"4a0000020208000801000900\"}\n");
	assert_int_equal(tlpdump("--json --source hca1 --addr 8192,1", path), 0);
	assert_non_null(strstr(out, "\"hint\":null,"));
	assert_int_equal(tlpdump("--json --marks --from s --type Cpl", path), 0);
	assert_int_equal(lines(), 1);
	assert_non_null(strstr(out, "\"mark\":\"e\"}"));
}

static void test_filters(void **state)
{
	static const struct {
		const char *args;
		unsigned int lines;
	} cases[] = {
		{ "--source hca0", 1 },
		{ "--source gpu0", 1 },
		{ "--target gpu0", 11 },
		{ "--type MWr", 13 },
		{ "--type MWr32", 2 },
		{ "--type MWr64", 11 },
		{ "--type MRd64", 1 },
		{ "--type Cpl", 0 },
		{ "--type CplD", 1 },
		{ "--hinted", 12 },
		{ "--from s --to e", 12 },
		{ "--to s", 2 },
		{ "--from e", 1 },
		{ "--addr 0x4000000000,0x80", 5 },
		{ "--addr 0x4000000010,8", 5 },
		{ "--limit 4", 4 },
		{ "--limit 0", 0 },
		{ "--limit 100", 15 },
		{ "--hinted --limit 2 --from s", 2 },
		{ "--source hca1 --target gpu0 --type MWr --hinted --from s --to e", 6 },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int status = tlpdump(cases[i].args, path);

		/* With --limit 0 nothing is read, so no name is known either; none is asked for. */
		assert_int_equal(status, 0);
		assert_string_equal(err, "");
		if (lines() != cases[i].lines)
			fail_msg("%s: %u lines, not %u", cases[i].args, lines(), cases[i].lines);
	}
}

static void assert_fails(const char *args, const char *file, int status, const char *message)
{
	int rc = tlpdump(args, file);

	if (rc != status || !strstr(err, message))
		fail_msg("tlpdump %s: status %d, not %d; '%s' lacks '%s'", args, rc, status, err,
			 message);
	assert_string_equal(out, "");
}

static void test_flows(void **state)
{
	(void)state;
	assert_int_equal(tlpdump("--flows --json", path), 0);
	assert_int_equal(lines(), 3);
	assert_string_equal(
		strtok(out, "\n"),
		"{\"mark\":null,\"flows\":["
		"{\"source\":\"hca1\",\"target\":\"gpu0\",\"route\":\"function\",\"bar\":0,"
		"\"type\":"
		"\"write\",\"hint\":{\"ph\":2,\"st\":42,\"st_width\":8},\"tlps\":1,\"bytes\":128},"
		"{\"source\":\"hca1\",\"target\":null,\"route\":\"memory\",\"type\":\"write\","
		"\"hint\":{\"ph\":2,\"st\":42,\"st_width\":8},\"tlps\":1,\"bytes\":128}]}");
	assert_int_equal(tlpdump("--flows --from s --to e", path), 0);
	assert_string_equal(out,
			    "before the first mark:\n"
			    "  hca1 -> gpu0 write: 5 TLPs, 640 bytes, ph 2 st 0x2a (8 bits)\n"
			    "  hca1 -> gpu0 write: 1 TLPs, 128 bytes\n"
			    "  hca1 -> gpu0 write: 1 TLPs, 128 bytes, ph 2 st 0x2a (16 bits)\n"
			    "  hca1 -> memory write: 1 TLPs, 128 bytes\n"
			    "  hca1 -> memory write: 1 TLPs, 128 bytes, ph 2 st 0x2a (8 bits)\n"
			    "  hca0 -> gpu0 write: 1 TLPs, 128 bytes, ph 2 st 0x2a (8 bits)\n"
			    "  hca1 -> gpu0 read: 1 TLPs, 8 bytes, ph 2 st 0x2a (8 bits)\n"
			    "  gpu0 -> memory completion: 1 TLPs, 0 bytes\n");
	assert_int_equal(tlpdump("--flows --to absent", path), 1);
	assert_int_equal(tlpdump("--flows --source hca1", path), 2);
	assert_int_equal(tlpdump("--flows --summary", path), 2);
}

/* The hint with tlp_hint_index() @i. */
static struct tlp_hint hint_of(unsigned int i)
{
	if (!i)
		return (struct tlp_hint){ 0 };
	if (i <= 4u << 8)
		return (struct tlp_hint){ true, false, (i - 1) >> 8, (i - 1) & 0xff };
	i -= 1 + (4u << 8);
	return (struct tlp_hint){ true, true, i >> 16, i };
}

/* A write with hint @i. */
static struct tlp_entry entry_of(unsigned int i)
{
	struct tlp_entry entry = { .record = { .kind = TLP_RECORD_TLP, .route = PCIE_ROUTE_MEMORY },
				   .tlp = { .type = TLP_MWR, .hint = hint_of(i) },
				   .source = "hca1" };

	assert_int_equal(tlp_set_range(&entry.tlp, 0x1000, 4), 0);
	return entry;
}

/* As many flows as are told apart, and one more: its TLPs are others, until the next mark. */
static void test_flows_bound(void **state)
{
	struct tlp_entry mark = { .record = { .kind = TLP_RECORD_MARK }, .text = "m" };
	struct tlp_flows flows = { 0 };
	struct tlp_entry entry;
	FILE *file = tmpfile();
	char line[256] = "";
	unsigned int lines = 0;

	(void)state;
	assert_non_null(file);
	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < TLP_FLOWS; i++) {
			entry = entry_of(i);
			assert_int_equal(tlp_flows_add(&flows, &entry, false, file), 0);
		}
		assert_int_equal(flows.others, 0);
		assert_false(flows.overflow);
	}
	entry = entry_of(TLP_FLOWS);
	assert_int_equal(tlp_flows_add(&flows, &entry, false, file), 0);
	assert_int_equal(flows.others, 1);
	entry = entry_of(3);
	assert_int_equal(tlp_flows_add(&flows, &entry, false, file), 0);
	assert_int_equal(flows.others, 1);
	assert_int_equal(tlp_flows_add(&flows, &mark, false, file), 0);
	assert_int_equal(flows.others, 0);
	assert_true(flows.overflow);
	rewind(file);
	while (fgets(line, sizeof(line), file)) {
		if (lines == 1)
			assert_string_equal(line, "  hca1 -> memory write: 2 TLPs, 8 bytes\n");
		if (lines == 4)
			assert_string_equal(line, "  hca1 -> memory write: 3 TLPs, 12 bytes, ph 0 "
						  "st 0x2 (8 bits)\n");
		lines++;
	}
	assert_int_equal(lines, 1 + TLP_FLOWS + 1);
	assert_string_equal(line, "  others: 1 TLPs\n");
	/* After the mark there is place again. */
	entry = entry_of(TLP_FLOWS);
	assert_int_equal(tlp_flows_add(&flows, &entry, false, file), 0);
	assert_int_equal(flows.others, 0);
	tlp_flows_clear(&flows);
	assert_false(flows.overflow);
	fclose(file);
}

/* Every hint there can be is told apart. */
static void test_all_hints(void **state)
{
	const struct tlp_summary_options options = { .source = "hca1", .window = { 0, 1u << 20 } };
	struct tlp_summary summary = { 0 };

	(void)state;
	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < TLP_HINTS; i++) {
			struct tlp_entry entry = entry_of(i);

			assert_int_equal(tlp_hint_index(&entry.tlp.hint), i);
			assert_int_equal(tlp_summary_add(&summary, &options, &entry), 0);
		}
	}
	assert_int_equal(summary.with_hint, 2 * (TLP_HINTS - 1));
	assert_int_equal(summary.hints, TLP_HINTS - 1);
	for (unsigned int i = 0; i < summary.hints; i++) {
		struct tlp_hint hint = hint_of(i + 1);

		assert_true(tlp_hint_equal(&summary.by_hint[i].hint, &hint));
		assert_int_equal(summary.by_hint[i].count, 2);
	}
	tlp_summary_clear(&summary);
}

/* Appends a record to the file: its kind, for a FUNCTION its index, and text. */
static void append_text(uint8_t kind, uint8_t index, const char *text)
{
	struct tlp_record record = { .kind = kind, .source = index, .header_len = strlen(text) };
	FILE *file = fopen(path, "a");

	assert_non_null(file);
	memcpy(record.header, text, record.header_len);
	assert_int_equal(fwrite(&record, sizeof(record), 1, file), 1);
	fclose(file);
}

/* Bytes of names that would move a terminal's cursor, or break JSON, do not come out. */
static void test_control_characters(void **state)
{
	static const char *const modes[] = { "--marks", "--flows", "--json --marks",
					     "--json --flows" };

	(void)state;
	append_text(TLP_RECORD_FUNCTION, 9, "\033]0;\x9b\xff\n");
	append_text(TLP_RECORD_MARK, 0, "\033[2J\xc3(\r");
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(tlpdump(modes[i], path), 0);
		assert_non_null(strstr(out, i < 2 ? "\\x1b[2J\\xc3(\\x0d"
						  : "\"\\\\x1b[2J\\\\xc3(\\\\x0d\""));
		for (const char *p = out; *p; p++)
			assert_true((*p >= ' ' && *p <= '~') || *p == '\n');
	}
	assert_int_equal(tlpdump("--from \\x1b[2J\\xc3(\\x0d --marks", path), 0);
	assert_string_equal(out, "");
	append_text(TLP_RECORD_FUNCTION, 9, "other");
	assert_int_equal(tlpdump("", path), 1);
	assert_non_null(strstr(err, "another name for a function in the record at byte "));
}

/* What was recorded is printed, but is not taken for all there was. */
static void test_incomplete(void **state)
{
	char message[256];

	(void)state;
	append_text(TLP_RECORD_STOP, 0, "limit of the trace");
	snprintf(message, sizeof(message),
		 "tlpdump: %s: incomplete: recording stopped here: limit of the trace\n", path);
	assert_int_equal(tlpdump("", path), 1);
	assert_string_equal(err, message);
	assert_non_null(strstr(out, "hca1 -> gpu0"));
	assert_int_equal(tlpdump("--flows", path), 1);
	assert_string_equal(err, message);
	assert_non_null(strstr(out, "e:\n  hca1 -> gpu0 write: 1 TLPs"));
	assert_fails("--summary --source hca1 --window 1,1", path, 1, message);
	/* What lies before a mark is whole. */
	assert_int_equal(tlpdump("--to e --summary --source hca1 --window 1,1", path), 0);
	assert_string_equal(err, "");
}

static void test_wrong_usage(void **state)
{
	(void)state;
	assert_fails("", NULL, 2, "tlpdump: no trace file given");
	assert_fails("a", path, 2, "one trace file only");
	assert_fails("--nonsense", path, 2, "--nonsense");
	assert_fails("--type MRD", path, 2, "--type: 'MRD' is no TLP type");
	assert_fails("--type M", path, 2, "--type: 'M' is no TLP type");
	assert_fails("--limit 1x", path, 2, "--limit: '1x' is not a number");
	assert_fails("--limit -1", path, 2, "--limit: '-1' is not a number");
	assert_fails("--limit 0x", path, 2, "--limit: '0x' is not a number");
	assert_fails("--limit 18446744073709551616", path, 2, "--limit: ");
	assert_fails("--addr 0x1000", path, 2, "--addr: '0x1000' is not BASE,SIZE");
	assert_fails("--addr 0x1000,0", path, 2, "--addr: ");
	assert_fails("--addr 0xffffffffffffffff,2", path, 2, "--addr: ");
	assert_fails("--addr 1,2,3", path, 2, "--addr: ");
	assert_fails("--window 1,2", path, 2, "go with --summary");
	assert_fails("--expect none", path, 2, "go with --summary");
	assert_fails("--summary --window 1,2", path, 2, "--summary needs --source");
	assert_fails("--summary --source hca1", path, 2, "--summary needs --window");
	assert_fails(SUM "--hinted", path, 2, "--summary takes only");
	assert_fails(SUM "--expect ph=4,st=0,width=8", path, 2, "--expect: 'ph=4");
	assert_fails(SUM "--expect ph=0,st=256,width=8", path, 2, "--expect: ");
	assert_fails(SUM "--expect ph=0,st=65536,width=16", path, 2, "--expect: ");
	assert_fails(SUM "--expect ph=0,st=1,width=12", path, 2, "--expect: ");
	assert_fails(SUM "--expect ph=0,st=1", path, 2, "--expect: ");
	assert_fails(SUM "--expect ph=0,ph=0,st=1", path, 2, "--expect: ");
	assert_fails(SUM "--expect ph=0,st=1,width=8,", path, 2, "--expect: ");
}

static void test_failures(void **state)
{
	char message[256];

	(void)state;
	assert_fails("", "/nonexistent/trace", 1,
		     "tlpdump: /nonexistent/trace: No such file or directory");
	assert_fails("", "/dev/null", 1, "tlpdump: /dev/null: not a TLP trace");
	snprintf(message, sizeof(message), "tlpdump: %s: no mark 'x'\n", path);
	assert_fails("--from x", path, 1, message);
	assert_fails("--summary --from x --source hca1 --window 1,1", path, 1, message);
	assert_fails("--summary --to x --source hca1 --window 1,1", path, 1, message);
	snprintf(message, sizeof(message), "%s: no mark 's' after mark 'e'\n", path);
	assert_fails("--json --summary --from e --to s --source hca1 --window 1,1", path, 1,
		     message);
	snprintf(message, sizeof(message), "%s: no function 'hca7' in the trace\n", path);
	assert_fails("--source hca7", path, 1, message);
	assert_fails("--summary --source hca7 --window 1,1", path, 1, message);
	snprintf(message, sizeof(message), "%s: no function 'gpu' in the trace\n", path);
	assert_fails("--target gpu", path, 1, message);
	assert_int_equal(truncate(path, 8 + 3 * 48 + 1), 0);
	snprintf(message, sizeof(message), "%s: file ends inside the record at byte 152\n", path);
	assert_fails("", path, 1, message);
}

static void test_help(void **state)
{
	(void)state;
	assert_int_equal(tlpdump("--help", NULL), 0);
	assert_non_null(strstr(out, "Usage: tlpdump"));
	assert_non_null(strstr(out, "--expect HINT"));
	assert_string_equal(err, "");
}

static void test_output_full(void **state)
{
	char command[256];
	int status;

	(void)state;
	snprintf(command, sizeof(command), "%s %s >/dev/full 2>/dev/null", TLPDUMP, path);
	status = system(command);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hint_equal),
		cmocka_unit_test(test_window),
		TEST(test_summary_json),
		TEST(test_summary_text),
		TEST(test_dump),
		TEST(test_dump_json),
		TEST(test_filters),
		TEST(test_flows),
		cmocka_unit_test(test_flows_bound),
		cmocka_unit_test(test_all_hints),
		TEST(test_control_characters),
		TEST(test_incomplete),
		TEST(test_wrong_usage),
		TEST(test_failures),
		TEST(test_help),
		TEST(test_output_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
