/* SPDX-License-Identifier: GPL-2.0-only */
/* tlpdump --pcapng: frames byte by byte, the order of TLPs and packets, and what it refuses. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/pcapng.h"
#include "capture/reader.h"
#include "pcie/fabric.h"
#include "pcie/trace.h"

#define CLOCK 1000000000000ull

static char dir[] = "/tmp/test_pcap-XXXXXX";

static void put_write(struct tlp_trace *trace, uint64_t time_ns, uint64_t addr,
		      struct tlp_hint hint)
{
	struct tlp tlp = { .type = TLP_MWR, .requester = 0x0100, .hint = hint };
	struct tlp_record record = {
		.time_ns = time_ns,
		.kind = TLP_RECORD_TLP,
		.source = 1,
		.route = PCIE_ROUTE_FUNCTION,
		.target = 2,
		.bar = 2,
		.offset = addr & 0xffff,
	};

	assert_int_equal(tlp_set_range(&tlp, addr, 4), 0);
	record.header_len = (uint8_t)tlp_encode(&tlp, record.header);
	if (!hint.th)
		record.route = PCIE_ROUTE_MEMORY;
	tlp_trace_record(trace, &record);
}

/* Writes at 100, 300 (hinted) and 500; marks come at the end, since their time is now. */
static void write_trace(const char *name, bool clock)
{
	static const struct tlp_hint hint = { true, true, 3, 0xbeef }, none;
	struct tlp_trace *trace = tlp_trace_open(name);

	assert_non_null(trace);
	if (clock)
		tlp_trace_clock(trace, CLOCK);
	tlp_trace_function(trace, 1, "hca1");
	tlp_trace_function(trace, 2, "gpu0");
	put_write(trace, 100, 0x1000, none);
	put_write(trace, 300, 0x4000001230, hint);
	put_write(trace, 500, 0x1000, none);
	assert_int_equal(tlp_trace_mark(trace, "end"), 0);
	assert_int_equal(tlp_trace_close(trace), 0);
}

static void write_packets(const char *name, const char *interface, const uint64_t *times,
			  unsigned int count)
{
	struct pcapng *capture = pcapng_open(name);

	assert_non_null(capture);
	assert_int_equal(pcapng_interface(capture, PCAPNG_INFINIBAND, interface), 0);
	for (unsigned int i = 0; i < count; i++) {
		struct pcapng_packet packet = {
			.time_ns = CLOCK + times[i], .direction = PCAPNG_OUT, .data = "p", .len = 1
		};

		assert_int_equal(pcapng_packet(capture, 0, &packet), 0);
	}
	assert_int_equal(pcapng_close(capture), 0);
}

static int make_files(void **state)
{
	static const uint64_t first[] = { 50, 200, 299 }, second[] = { 300, 600 };
	FILE *f;

	(void)state;
	if (!mkdtemp(dir) || chdir(dir))
		return 1;
	write_trace("trace", true);
	write_trace("old", false);
	write_packets("a.pcapng", "hca0", first, 3);
	write_packets("b.pcapng", "hca1", second, 2);
	f = fopen("no.pcapng", "w");
	fputs("no capture of anybody's", f);
	return fclose(f);
}

static int remove_files(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return chdir("/") || system(command);
}

/* Returns the exit status; stderr in @err. */
static int tlpdump(const char *args, char *err, size_t size)
{
	char command[512];
	size_t n;
	FILE *f;
	int status;

	snprintf(command, sizeof(command), TLPDUMP " %s 2>err", args);
	status = system(command);
	f = fopen("err", "r");
	n = fread(err, 1, size - 1, f);
	err[n] = '\0';
	fclose(f);
	return WEXITSTATUS(status);
}

static void assert_tlpdump(const char *args, int status, const char *message)
{
	char err[512];

	assert_int_equal(tlpdump(args, err, sizeof(err)), status);
	assert_string_equal(err, message);
}

/* "INTERFACE@TIME" of each packet of out.pcapng, without the clock. */
static void list(char *text, size_t size)
{
	struct pcapng_reader *reader = pcapng_reader_open("out.pcapng");
	struct pcapng_packet packet;
	unsigned int interface;
	size_t len = 0;

	assert_non_null(reader);
	*text = '\0';
	while (pcapng_reader_next(reader, &interface, &packet) > 0) {
		/* A mark has the time when it was made. */
		bool mark = packet.comment != NULL;

		len += (size_t)snprintf(text + len, size - len, "%s%s@%s", len ? " " : "",
					pcapng_reader_name(reader, interface),
					mark ? packet.comment : "");
		if (!mark)
			len += (size_t)snprintf(text + len, size - len, "%llu",
						(unsigned long long)(packet.time_ns - CLOCK));
	}
	pcapng_reader_close(reader);
}

static void assert_list(const char *expected)
{
	char text[512];

	list(text, sizeof(text));
	assert_string_equal(text, expected);
}

static void test_frames(void **state)
{
	static const uint8_t hinted[] = { 1, 1, 3, 2, 4, 4, 20, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x30,
					  'h', 'c', 'a', '1', 'g', 'p', 'u', '0',
					  /* prefix and header of notes: PH 3, Extended ST 0xbeef */
					  0x90, 0xbe, 0, 0, 0x60, 0x01, 0, 1, 1, 0, 0xef, 0x0f, 0,
					  0, 0, 0x40, 0, 0, 0x12, 0x33 };
	static const uint8_t plain[] = { 1, 1, 1, 0, 4, 0,    12,  0,	0,    0,    0,
					 0, 0, 0, 0, 0, 'h',  'c', 'a', '1',  0x40, 0,
					 0, 1, 1, 0, 0, 0x0f, 0,   0,	0x10, 0 };
	static const uint8_t mark[] = { 1, 2, 0, 0, 0, 0, 3,   0,   0,	0,
					0, 0, 0, 0, 0, 0, 'e', 'n', 'd' };
	struct pcapng_reader *reader;
	struct pcapng_packet packet;
	unsigned int interface;

	(void)state;
	assert_tlpdump("--marks --pcapng out.pcapng trace", 0, "");
	reader = pcapng_reader_open("out.pcapng");
	assert_non_null(reader);
	assert_int_equal(pcapng_reader_link_type(reader, 0), PCAPNG_USER0);
	assert_string_equal(pcapng_reader_name(reader, 0), "TLPs");
	assert_int_equal(pcapng_reader_next(reader, &interface, &packet), 1);
	assert_int_equal(packet.time_ns, CLOCK + 100);
	assert_int_equal(packet.len, sizeof(plain));
	assert_memory_equal(packet.data, plain, sizeof(plain));
	assert_int_equal(pcapng_reader_next(reader, &interface, &packet), 1);
	assert_int_equal(packet.time_ns, CLOCK + 300);
	assert_int_equal(packet.len, sizeof(hinted));
	assert_memory_equal(packet.data, hinted, sizeof(hinted));
	assert_int_equal(pcapng_reader_next(reader, &interface, &packet), 1);
	assert_int_equal(pcapng_reader_next(reader, &interface, &packet), 1);
	assert_string_equal(packet.comment, "end");
	assert_int_equal(packet.len, sizeof(mark));
	assert_memory_equal(packet.data, mark, sizeof(mark));
	assert_int_equal(pcapng_reader_next(reader, &interface, &packet), 0);
	pcapng_reader_close(reader);
}

static void test_selection(void **state)
{
	(void)state;
	assert_tlpdump("--pcapng out.pcapng --hinted trace", 0, "");
	assert_list("TLPs@300");
	assert_tlpdump("--pcapng out.pcapng --limit 2 trace", 0, "");
	assert_list("TLPs@100 TLPs@300");
	assert_tlpdump("--pcapng - --target gpu0 --source hca1 trace >out.pcapng", 0, "");
	assert_list("TLPs@300");
	assert_tlpdump("--pcapng out.pcapng --to end trace", 0, "");
	assert_list("TLPs@100 TLPs@300 TLPs@500");
	/* Without a clock the times are those of the trace. */
	assert_tlpdump("--pcapng out.pcapng --type MWr32 old", 0, "");
	assert_list("TLPs@18446743073709551716 TLPs@18446743073709552116");
}

/* In order of time, those of the same time before the TLP; the interval holds for packets, too. */
static void test_merge(void **state)
{
	(void)state;
	assert_tlpdump("--pcapng out.pcapng --packets a.pcapng --packets b.pcapng --marks trace", 0,
		       "");
	assert_list("hca0@50 TLPs@100 hca0@200 hca0@299 hca1@300 TLPs@300 TLPs@500 hca1@600 "
		    "TLPs@end");
	assert_tlpdump("--pcapng out.pcapng --packets a.pcapng --packets b.pcapng --from end trace",
		       0, "");
	assert_list("");
	assert_tlpdump("--pcapng out.pcapng --packets b.pcapng --to end --hinted trace", 0, "");
	assert_list("hca1@300 TLPs@300 hca1@600");
}

static void test_refusals(void **state)
{
	(void)state;
	assert_tlpdump("--pcapng out.pcapng --packets a.pcapng old", 1,
		       "tlpdump: out.pcapng: packets cannot be merged: the trace does not say the "
		       "time of the day\n");
	assert_tlpdump("--pcapng out.pcapng --packets no.pcapng trace", 1,
		       "tlpdump: --packets no.pcapng: not a capture of tph-emulator\n");
	assert_tlpdump("--pcapng out.pcapng --packets absent trace", 1,
		       "tlpdump: --packets absent: No such file or directory\n");
	assert_tlpdump("--pcapng /nonexistent/out trace", 1,
		       "tlpdump: --pcapng /nonexistent/out: No such file or directory\n");
	assert_tlpdump("--pcapng /dev/full trace", 1,
		       "/dev/full: the capture ends here: No space left on device\n");
	assert_int_equal(system("head -c 130 b.pcapng >cut.pcapng"), 0);
	assert_tlpdump("--pcapng out.pcapng --packets cut.pcapng trace", 1,
		       "tlpdump: cut.pcapng: ends within a packet\n");
	assert_tlpdump("--packets a.pcapng trace", 2,
		       "tlpdump: --packets goes with --pcapng\nTry 'tlpdump --help'.\n");
	assert_tlpdump("--pcapng out.pcapng --json trace", 2,
		       "tlpdump: --pcapng goes without --flows, --summary and --json\n"
		       "Try 'tlpdump --help'.\n");
	assert_tlpdump("--pcapng out.pcapng --source hca9 trace", 1,
		       "tlpdump: trace: no function 'hca9' in the trace\n");
}

/* One more than there may be; the interfaces of all together have a bound as well. */
static void test_bounds(void **state)
{
	char args[512] = "--pcapng out.pcapng";

	(void)state;
	for (unsigned int i = 0; i < 16; i++)
		strcat(args, " --packets a.pcapng");
	strcat(args, " trace");
	assert_tlpdump(args, 0, "");
	strcat(args, " --packets a.pcapng");
	assert_tlpdump(args, 2,
		       "tlpdump: --packets: more than 16 captures\nTry 'tlpdump --help'.\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames), cmocka_unit_test(test_selection),
		cmocka_unit_test(test_merge),  cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
