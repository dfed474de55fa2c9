/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tlpdump on traces that nobody wrote: records that are whole, records with bytes changed, a great
 * number of records that all differ, ends in the middle; in each of the program's modes, or with
 * options of the input's own.
 */
#include <getopt.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/target.h"
#include "pcie/burst.h"

#define RECORDS 24576u

/* pcie/tlpdump.c, whose main this is, and where it exits to. */
int tlpdump_main(int argc, char **argv);
__attribute__((noreturn)) void tlpdump_exit(int status);

static jmp_buf exited;

void tlpdump_exit(int status)
{
	longjmp(exited, 1 + status);
}

static struct tlp_record record[RECORDS];

static void header(struct input *in, struct tlp_record *r)
{
	uint8_t flags = input_u8(in);
	struct tlp tlp = {
		.type = (enum tlp_type)(flags % 7),
		.hint = { flags & 0x10, flags & 0x20, flags >> 6, input_u8(in) },
		.requester = 0x10,
		.tag = input_u8(in),
		.length = 1 + input_u8(in),
		.first_be = 15,
		.last_be = 15,
		.addr = input_number(in) & ~(uint64_t)3,
		.byte_count = 4,
	};
	int len;

	if (tlp.type >= TLP_CPL)
		tlp.hint = (struct tlp_hint){ 0 };
	len = tlp_encode(&tlp, r->header);
	if (len < 0) {
		tlp.length = 1;
		tlp.last_be = 0;
		tlp.hint = (struct tlp_hint){ 0 };
		len = tlp_encode(&tlp, r->header);
	}
	r->header_len = (uint8_t)(len > 0 ? len : 0);
}

/* The header that is there becomes the first of a burst, most often of a sound one. */
static void burst(struct input *in, struct tlp_record *r)
{
	uint8_t flags = input_u8(in);
	struct tlp tlp = { .type = flags & 1 ? TLP_MRD : TLP_MWR, .requester = 0x10 };
	struct tlp_burst burst = {
		.len = 1u + input_u16(in),
		.max = (size_t)128 << (flags >> 1 & 3),
		.requests = !(flags & 1) || flags & 8,
		.completions = flags & 1 && flags & 0x10,
		.each = flags & 1 && flags & 0x20,
		.completer = 0x18,
		.completion_max = (size_t)128 << (flags >> 6),
		.tags = flags & 1 ? 256 : 0,
	};
	uint64_t addr = input_number(in);

	if (tlp_set_range(&tlp, addr, tlp_split(addr, burst.len, burst.max)))
		return;
	r->header_len = (uint8_t)tlp_encode(&tlp, r->header);
	tlp_burst_put(r, &burst);
}

/* Most often some that may follow @r. Returns whether there are any. */
static bool pieces(struct input *in, const struct tlp_record *r, struct tlp_record *record)
{
	uint64_t addr[TLP_PIECES];
	uint8_t flags = input_u8(in);

	if (!flags)
		return false;
	for (unsigned int i = 0; i < TLP_PIECES; i++)
		addr[i] = input_u16(in) * (uint64_t)TLP_BOUNDARY;
	tlp_pieces_put(record, r, addr, TLP_PIECES);
	record->header_len = flags % (TLP_PIECES + 2);
	record->source ^= flags >> 7;
	return true;
}

/* Returns how many records there are. */
static unsigned int build(struct input *in)
{
	unsigned int count = 1;

	/* One function has the name that the modes ask for. */
	record[0] = (struct tlp_record){ .kind = TLP_RECORD_FUNCTION, .header_len = 4 };
	memcpy(record[0].header, "hca0", 4);
	while (!input_done(in) && count < RECORDS) {
		struct tlp_record *r = &record[count++];
		uint8_t what = input_u8(in);

		memset(r, 0, sizeof(*r));
		r->kind = what & 1 ? TLP_RECORD_TLP : 1 + (what >> 1 & 3);
		r->source = what >> 6;
		r->target = what >> 5 & 3;
		r->route = what >> 3 & 3;
		if (r->kind == TLP_RECORD_TLP) {
			header(in, r);
			r->bar = input_u8(in) & 7;
		} else {
			r->header_len = input_u8(in) & 31;
			input_bytes(in, r->header, r->header_len < 24 ? r->header_len : 24);
		}
		if ((what & 0x1e) == 0x1e) { /* and many like it, each a flow of its own */
			unsigned int many = input_u16(in);

			for (unsigned int i = 0; i < many && count < RECORDS; i++, count++) {
				struct tlp tlp = { .type = TLP_MWR,
						   .length = 1,
						   .first_be = 15,
						   .hint = { true, true, i >> 14 & 3,
							     (uint16_t)i } };

				record[count] = *r;
				record[count].header_len =
					(uint8_t)tlp_encode(&tlp, record[count].header);
			}
		} else if ((what & 0x1f) == 0x1b) { /* several at once */
			burst(in, r);
			while (count < RECORDS && pieces(in, r, &record[count]))
				count++;
		} else if ((what & 0x1e) == 0x1c) { /* some bytes are others */
			uint8_t at = input_u8(in) % 40;

			input_bytes(in, (uint8_t *)r + at, 1 + (at & 7));
		}
	}
	return count;
}

/* Options, each with what it takes, which is right more often than not. */
static int arguments(struct input *in, char words[][24], char **argv)
{
	static const char *const options[] = { "--from",  "--to",     "--source", "--target",
					       "--addr",  "--window", "--expect", "--limit",
					       "--type",  "--hinted", "--json",	  "--summary",
					       "--flows", "--marks",  "--help",	  "--requests" };
	static const char *const values[] = { "hca0",
					      "a",
					      "b",
					      "0,4096",
					      "ph=2,st=7,width=8",
					      "none",
					      "3",
					      "MWr",
					      "0x1000,64",
					      "st=1,width=16,ph=0",
					      "MRd",
					      "0,0xffffffffffffffff" };
	unsigned int count = 1 + (input_u8(in) & 3);
	int argc = 0;

	for (unsigned int i = 0; i < count; i++) {
		uint8_t what = input_u8(in), value = input_u8(in);

		argv[argc++] = (char *)options[what & 15];
		if ((what & 15) > 8)
			continue;
		memset(words[i], 0, sizeof(words[i]));
		if (value < 0xc0)
			strcpy(words[i], values[value % 12]);
		else
			input_bytes(in, words[i], value & 15);
		argv[argc++] = words[i];
	}
	return argc;
}

void target_input(const uint8_t *data, size_t size)
{
	static const char *const modes[][9] = {
		{ "--json" },
		{ "--pcapng", "/dev/null", "--marks" },
		{ "--flows" },
		{ "--flows", "--json" },
		{ "--summary", "--source", "hca0", "--window", "0,0xffffffffffffffff", "--expect",
		  "ph=1,st=7,width=8" },
		{ "--summary", "--source", "hca0", "--window", "0,0x100000000", "--json" },
		{ "--hinted", "--type", "MWr", "--addr", "0,4096" },
		{ "--from", "a", "--to", "b", "--json", "--marks" },
	};
	struct input in = input_of(data, size);
	uint8_t mode = input_u8(&in);
	char path[32], words[4][24], *argv[13] = { "tlpdump" };
	static int fd = -1;
	unsigned int count;
	size_t length;
	int argc = 1;

	if (fd < 0) {
		fd = memfd_create("trace", 0);
		if (!freopen("/dev/null", "w", stdout))
			abort();
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (mode & 0x20)
		argc += arguments(&in, words, argv + 1);
	for (unsigned int i = 0; !(mode & 0x20) && i < 8 && modes[mode & 7][i]; i++)
		argv[argc++] = (char *)modes[mode & 7][i];
	argv[argc++] = path;
	count = build(&in);
	length = count * sizeof(record[0]) - (count && mode & 0x80 ? mode >> 3 & 15 : 0);
	if (ftruncate(fd, 0) ||
	    pwrite(fd, mode & 0x40 ? TLP_TRACE_MAGIC_1 : TLP_TRACE_MAGIC, 8, 0) != 8 ||
	    pwrite(fd, record, length, 8) != (ssize_t)length)
		abort();
	optind = 0;
	if (!setjmp(exited))
		tlpdump_main(argc, argv);
}
