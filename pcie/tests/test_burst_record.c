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

/* The first version of the file has no bursts, the second one no clock. */
static void test_versions(void **state)
{
	const struct tlp_record records[] = {
		sample(TLP_MWR, (struct tlp_burst){ .len = 700, .max = 256, .requests = true }),
		{ .kind = TLP_RECORD_CLOCK, .offset = 5 },
	};
	static const char *const magics[] = { TLP_TRACE_MAGIC, TLP_TRACE_MAGIC_2,
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
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_expansion),
		cmocka_unit_test(test_any_byte),
		cmocka_unit_test(test_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
