/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of bursts as a file has them: where their fields are, what they expand to, and that those
 * which nobody wrote expand to TLPs that can be sent, or are refused.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "pcie/burst.h"
#include "pcie/reader.h"

static struct tlp_record sample(enum tlp_type type, struct tlp_burst burst)
{
	struct tlp_record record = { .route = PCIE_ROUTE_FUNCTION, .target = 1, .bar = 2 };
	struct tlp tlp = { .type = type, .requester = 0x100, .tag = type == TLP_MRD ? 31 : 0 };

	tlp_set_range(&tlp, 0xfffff07c, tlp_split(0xfffff07c, burst.len, burst.max));
	record.header_len = (uint8_t)tlp_encode(&tlp, record.header);
	record.offset = 0x1234;
	tlp_burst_put(&record, &burst);
	return record;
}

/* Where the fields are: the format of the file. */
static void test_layout(void **state)
{
	struct tlp_burst burst = { .len = 0x1234,
				   .max = 512,
				   .requests = true,
				   .completions = true,
				   .completer = 0x0208,
				   .completion_max = 256,
				   .tags = 256 };
	struct tlp_record record = sample(TLP_MRD, burst);
	struct tlp tlp;

	(void)state;
	assert_int_equal(record.kind, 5);
	assert_int_equal(record.shape, 2 | 1 << 3 | 1 << 6 | 1 << 7 | 1 << 8);
	assert_memory_equal(record.header + 20, "\x33\x12\x08\x02", 4);
	assert_null(tlp_burst_fault(&record, &tlp));
	burst.each = true;
	record = sample(TLP_MRD, burst);
	assert_int_equal(record.shape, 2 | 1 << 3 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 9);
	record = sample(TLP_MWR, (struct tlp_burst){ .len = 65536, .max = 4096, .requests = true });
	assert_int_equal(record.shape, 5 | 1 << 7);
	assert_memory_equal(record.header + 20, "\xff\xff\0\0", 4);
	assert_null(tlp_burst_fault(&record, &tlp));
}

/* By hand: 200 bytes from 0xfffff07c on cross 4 GiB nowhere, a 128-byte line twice. */
static void test_expansion(void **state)
{
	struct tlp_burst burst = { .len = 200,
				   .max = 128,
				   .requests = true,
				   .completions = true,
				   .completer = 0x0208,
				   .completion_max = 128,
				   .tags = 32 };
	struct tlp_record record = sample(TLP_MRD, burst), one;
	static const struct {
		enum tlp_type type;
		uint64_t addr;
		uint16_t tag, length;
		uint64_t offset;
	} expected[] = {
		{ TLP_MRD, 0xfffff07c, 31, 1, 0x1234 },
		{ TLP_MRD, 0xfffff080, 0, 32, 0x1238 },
		{ TLP_MRD, 0xfffff100, 1, 17, 0x12b8 },
		{ TLP_CPLD, 0, 31, 1, 0 },
		{ TLP_CPLD, 0, 0, 32, 0 },
		{ TLP_CPLD, 0, 1, 17, 0 },
	};
	struct tlp_burst_walk walk;
	struct tlp tlp;

	(void)state;
	assert_null(tlp_burst_fault(&record, &tlp));
	tlp_burst_start(&walk, &record, &tlp);
	for (unsigned int i = 0; i < 6; i++) {
		assert_true(tlp_burst_next(&walk, &one, &tlp));
		assert_int_equal(one.kind, TLP_RECORD_TLP);
		assert_int_equal(one.shape, 0);
		assert_int_equal(tlp.type, expected[i].type);
		assert_int_equal(tlp.addr, expected[i].addr);
		assert_int_equal(tlp.tag, expected[i].tag);
		assert_int_equal(tlp.length, expected[i].length);
		assert_int_equal(one.offset, expected[i].offset);
		assert_int_equal(one.source, i < 3 ? 0 : 1);
		assert_int_equal(one.target, i < 3 ? 1 : 0);
	}
	assert_false(tlp_burst_next(&walk, &one, &tlp));
	assert_int_equal(tlp_burst_requests(0xfffff07c, 200, 128), 3);
	assert_int_equal(tlp_burst_requests(0, 128, 128), 1);
	assert_int_equal(tlp_burst_requests(0, 129, 128), 2);
	assert_int_equal(tlp_burst_requests(127, 65536, 128), 513);
}

/*
 * Every byte of a record takes every value: a fault, or a bounded number of TLPs each of which
 * encodes to the header it came with.
 */
static void test_any_byte(void **state)
{
	struct tlp_burst burst = { .len = 70,
				   .max = 128,
				   .requests = true,
				   .completions = true,
				   .completer = 0x0208,
				   .completion_max = 128,
				   .tags = 32 };
	unsigned int sound = 0;

	(void)state;
	for (unsigned int kind = 0; kind < 2; kind++) {
		struct tlp_record good, record, one;

		if (kind)
			burst.completions = false;
		good = sample(kind ? TLP_MWR : TLP_MRD, burst);
		if (kind)
			good.shape &= (uint16_t)~0x40u;
		for (unsigned int at = 9; at < sizeof(good); at++) {
			for (unsigned int value = 0; value < 256; value++) {
				struct tlp_burst_walk walk;
				uint8_t header[TLP_MAX_HEADER];
				unsigned int tlps = 0;
				struct tlp tlp;

				record = good;
				((uint8_t *)&record)[at] = (uint8_t)value;
				if (tlp_burst_fault(&record, &tlp))
					continue;
				sound++;
				tlp_burst_start(&walk, &record, &tlp);
				while (tlp_burst_next(&walk, &one, &tlp)) {
					assert_null(tlp_record_fault(&one, &tlp));
					assert_int_equal(tlp_encode(&tlp, header), one.header_len);
					assert_memory_equal(header, one.header, one.header_len);
					assert_true(++tlps <= 1026);
				}
				assert_true(tlps);
			}
		}
	}
	assert_true(sound > 1000);
}

/* --- pieces ---------------------------------------------------------------------------------- */

/* The first of some: 384 bytes at @addr, in three reads. */
static struct tlp_record first_piece(enum tlp_type type, uint64_t addr)
{
	struct tlp_record record = { .time_ns = 9, .route = PCIE_ROUTE_MEMORY, .source = 3 };
	struct tlp tlp = { .type = type, .requester = 0x100, .tag = type == TLP_MRD ? 29 : 0 };
	struct tlp_burst burst = { .len = 384,
				   .max = 128,
				   .requests = true,
				   .completions = type == TLP_MRD,
				   .completion_max = 128,
				   .tags = type == TLP_MRD ? 32 : 0 };

	tlp_set_range(&tlp, addr, 128);
	record.header_len = (uint8_t)tlp_encode(&tlp, record.header);
	tlp_burst_put(&record, &burst);
	return record;
}

static const uint64_t places[TLP_PIECES] = { 0x5000,	    0x12345678000, 0x4000,	0xfffff000,
					     0xffffffff000, 0x1000,	   0x100000000, 0x777000 };

static void test_pieces_layout(void **state)
{
	struct tlp_record burst = first_piece(TLP_MRD, 0x9000), record;

	(void)state;
	tlp_pieces_put(&record, &burst, places, TLP_PIECES);
	assert_int_equal(record.kind, 7);
	assert_int_equal(record.time_ns, 9);
	assert_int_equal(record.source, 3);
	assert_int_equal(record.header_len, 8);
	assert_memory_equal(record.header,
			    "\x05\0\0\0\x78\x56\x34\x12\x04\0\0\0\xff\xff\x0f\0\xff\xff\xff\xff"
			    "\x01\0\0\0",
			    24);
	assert_int_equal(record.offset, 0x0000077700100000);
	assert_null(tlp_pieces_fault(&record));
	record.header_len = 9;
	assert_non_null(tlp_pieces_fault(&record));
	record.header_len = 0;
	assert_non_null(tlp_pieces_fault(&record));
	assert_true(tlp_pieces_allow(0xffffffff000, 4096));
	assert_false(tlp_pieces_allow(0x100000000000, 4096));
	assert_false(tlp_pieces_allow(0x1010, 4096));
	assert_true(tlp_pieces_allow(0xe000, 8192));
	assert_false(tlp_pieces_allow(0xf000, 8192));
	assert_false(tlp_pieces_allow(0x10000, 8193));
}

/* Each is what the first one would be there; the tags of reads go on. */
static void test_pieces_expansion(void **state)
{
	(void)state;
	for (unsigned int read = 0; read < 2; read++) {
		enum tlp_type type = read ? TLP_MRD : TLP_MWR;
		struct tlp_record burst = first_piece(type, 0x9000), record;
		unsigned int tag = 29;

		tlp_pieces_put(&record, &burst, places, TLP_PIECES);
		for (unsigned int i = 0; i < TLP_PIECES; i++) {
			struct tlp_record expected = first_piece(type, places[i]);
			struct tlp tlp;

			tag = (tag + 4) % 32;
			tlp_decode(expected.header, expected.header_len, &tlp);
			tlp.tag = read ? tag : 0;
			tlp_encode(&tlp, expected.header);
			tlp_pieces_next(&record, i, &burst);
			assert_null(tlp_burst_fault(&burst, &tlp));
			assert_memory_equal(&burst, &expected, sizeof(burst));
		}
	}
}

/* Returns how the reader of @count records ends; *@tlps: how many there were. */
static int read_all(const char *magic, const struct tlp_record *record, unsigned int count,
		    unsigned int *tlps, char error[128])
{
	char path[] = "/tmp/test_burst_record.XXXXXX";
	FILE *f = fdopen(mkstemp(path), "w");
	struct tlp_reader *reader;
	struct tlp_entry entry;
	int rc;

	assert_non_null(f);
	fputs(magic, f);
	assert_int_equal(fwrite(record, sizeof(*record), count, f), count);
	fclose(f);
	reader = tlp_reader_open(path);
	unlink(path);
	assert_non_null(reader);
	*tlps = 0;
	while ((rc = tlp_reader_next(reader, &entry)) > 0) {
		assert_true(entry.record.kind == TLP_RECORD_TLP ||
			    entry.record.kind == TLP_RECORD_MARK);
		(*tlps)++;
	}
	snprintf(error, 128, "%s", tlp_reader_error(reader));
	tlp_reader_close(reader);
	return rc;
}

/* They follow a burst of their source into memory, and other pieces, and nothing else. */
static void test_pieces_follow(void **state)
{
	struct tlp_record r[4] = { first_piece(TLP_MRD, 0x9000) };
	const struct tlp_record mark = { .kind = TLP_RECORD_MARK,
					 .header_len = 1,
					 .header = { 'a' } };
	unsigned int tlps;
	char error[128];

	(void)state;
	tlp_pieces_put(&r[1], &r[0], places, TLP_PIECES);
	tlp_pieces_put(&r[2], &r[0], places, 2);
	r[3] = r[0];
	assert_int_equal(read_all(TLP_TRACE_MAGIC, r, 4, &tlps, error), 0);
	assert_int_equal(tlps, (1 + 8 + 2 + 1) * 6);
	assert_int_equal(read_all(TLP_TRACE_MAGIC_3, r, 4, &tlps, error), -EPROTO);
	assert_string_equal(error, "unknown kind in the record at byte 56");
	assert_int_equal(tlps, 6);
	assert_int_equal(read_all(TLP_TRACE_MAGIC, r + 1, 1, &tlps, error), -EPROTO);
	assert_string_equal(error, "pieces of nothing in the record at byte 8");
	r[2].source = 4;
	assert_int_equal(read_all(TLP_TRACE_MAGIC, r, 4, &tlps, error), -EPROTO);
	assert_string_equal(error, "pieces of nothing in the record at byte 104");
	r[2] = r[1];
	r[1] = mark;
	assert_int_equal(read_all(TLP_TRACE_MAGIC, r, 4, &tlps, error), -EPROTO);
	assert_string_equal(error, "pieces of nothing in the record at byte 104");
	assert_int_equal(tlps, 7);
	r[0].route = PCIE_ROUTE_FUNCTION;
	r[1] = r[2];
	assert_int_equal(read_all(TLP_TRACE_MAGIC, r, 2, &tlps, error), -EPROTO);
	assert_string_equal(error, "pieces of nothing in the record at byte 56");
	/* A burst of 64 KiB is sound where it is, but not at the next page. */
	r[0] = sample(TLP_MWR, (struct tlp_burst){ .len = 65536, .max = 4096, .requests = true });
	r[0].route = PCIE_ROUTE_MEMORY;
	tlp_pieces_put(&r[1], &r[0], places, 3);
	assert_int_equal(read_all(TLP_TRACE_MAGIC, r, 2, &tlps, error), -EPROTO);
	assert_string_equal(error, "pieces too long in the record at byte 56");
}

/* Pieces of any bytes: TLPs, not too many, or a fault. */
static void test_pieces_any_byte(void **state)
{
	struct tlp_record good[2] = { first_piece(TLP_MRD, 0x9000) };
	unsigned int sound = 0, tlps;
	char error[128];

	(void)state;
	tlp_pieces_put(&good[1], &good[0], places, TLP_PIECES);
	for (unsigned int at = 9; at < sizeof(good[1]); at++) {
		for (unsigned int value = 0; value < 256; value += 5) {
			struct tlp_record record[2] = { good[0], good[1] };

			((uint8_t *)&record[1])[at] = (uint8_t)value;
			sound += !read_all(TLP_TRACE_MAGIC, record, 2, &tlps, error);
			assert_true(tlps <= (1 + TLP_PIECES) * 6);
		}
	}
	assert_true(sound > 1000);
}

/* The first version of the file has no bursts, the second one no clock. */
static void test_versions(void **state)
{
	const struct tlp_record records[] = {
		sample(TLP_MWR, (struct tlp_burst){ .len = 700, .max = 256, .requests = true }),
		{ .kind = TLP_RECORD_CLOCK, .offset = 5 },
	};
	static const char *const magics[] = { TLP_TRACE_MAGIC_3, TLP_TRACE_MAGIC_2,
					      TLP_TRACE_MAGIC_1 };
	static const struct {
		unsigned int tlps;
		int rc;
		const char *error;
		uint64_t clock;
	} expected[] = { { 4, 0, "", 5 },
			 { 4, -EPROTO, "unknown kind in the record at byte 56", 0 },
			 { 0, -EPROTO, "unknown kind in the record at byte 8", 0 } };

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		char path[] = "/tmp/test_burst_record.XXXXXX";
		int fd = mkstemp(path);
		FILE *f = fdopen(fd, "w");
		struct tlp_reader *reader;
		struct tlp_entry entry;
		unsigned int n = 0;
		int rc;

		assert_non_null(f);
		fputs(magics[i], f);
		assert_int_equal(fwrite(records, sizeof(records), 1, f), 1);
		fclose(f);
		reader = tlp_reader_open(path);
		assert_non_null(reader);
		while ((rc = tlp_reader_next(reader, &entry)) > 0)
			n++;
		assert_int_equal(rc, expected[i].rc);
		assert_int_equal(n, expected[i].tlps);
		assert_string_equal(tlp_reader_error(reader), expected[i].error);
		assert_int_equal(tlp_reader_clock(reader), expected[i].clock);
		tlp_reader_close(reader);
		unlink(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),		 cmocka_unit_test(test_expansion),
		cmocka_unit_test(test_any_byte),	 cmocka_unit_test(test_pieces_layout),
		cmocka_unit_test(test_pieces_expansion), cmocka_unit_test(test_pieces_follow),
		cmocka_unit_test(test_pieces_any_byte),	 cmocka_unit_test(test_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
