/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pcie/tlp.h"

/* Field by field: padding differs. */
static void assert_same(const struct tlp *a, const struct tlp *b)
{
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->hint.th, b->hint.th);
	assert_int_equal(a->hint.extended, b->hint.extended);
	assert_int_equal(a->hint.ph, b->hint.ph);
	assert_int_equal(a->hint.st, b->hint.st);
	assert_int_equal(a->tc, b->tc);
	assert_int_equal(a->relaxed_ordering, b->relaxed_ordering);
	assert_int_equal(a->no_snoop, b->no_snoop);
	assert_int_equal(a->ido, b->ido);
	assert_int_equal(a->poisoned, b->poisoned);
	assert_int_equal(a->requester, b->requester);
	assert_int_equal(a->tag, b->tag);
	assert_int_equal(a->length, b->length);
	assert_int_equal(a->first_be, b->first_be);
	assert_int_equal(a->last_be, b->last_be);
	assert_int_equal(a->addr, b->addr);
	assert_int_equal(a->completer, b->completer);
	assert_int_equal(a->status, b->status);
	assert_int_equal(a->byte_count, b->byte_count);
	assert_int_equal(a->lower_addr, b->lower_addr);
}

static void assert_vector(const struct tlp *tlp, const uint8_t *bytes, int len)
{
	uint8_t buf[TLP_MAX_HEADER];
	struct tlp out;

	memset(buf, 0xa5, sizeof(buf));
	assert_int_equal(tlp_encode(tlp, buf), len);
	assert_memory_equal(buf, bytes, len);
	for (int i = len; i < TLP_MAX_HEADER; i++)
		assert_int_equal(buf[i], 0xa5);
	assert_int_equal(tlp_decode(bytes, len, &out), len);
	assert_same(&out, tlp);
}

#define VECTOR(tlp, ...)                                         \
	do {                                                     \
		static const uint8_t bytes_[] = { __VA_ARGS__ }; \
		assert_vector(tlp, bytes_, sizeof(bytes_));      \
	} while (0)

static struct tlp write64(void)
{
	return (struct tlp){ .type = TLP_MWR,
			     .requester = 0x0100,
			     .length = 1,
			     .first_be = 0xf,
			     .addr = 0x4000000010 };
}

static struct tlp read64(void)
{
	return (struct tlp){ .type = TLP_MRD,
			     .requester = 0x0100,
			     .tag = 5,
			     .length = 128,
			     .first_be = 0xf,
			     .last_be = 0xf,
			     .addr = 0x4000000000 };
}

static struct tlp completion(void)
{
	return (struct tlp){ .type = TLP_CPLD,
			     .requester = 0x0100,
			     .completer = 0x0208,
			     .tag = 0x2a5,
			     .length = 32,
			     .byte_count = 256,
			     .lower_addr = 0x40 };
}

static void test_vectors(void **state)
{
	struct tlp tlp = write64();

	(void)state;
	VECTOR(&tlp, 0x60, 0, 0, 1, 1, 0, 0, 0x0f, 0, 0, 0, 0x40, 0, 0, 0, 0x10);
	tlp.hint = (struct tlp_hint){ true, false, 2, 0x2a };
	VECTOR(&tlp, 0x60, 1, 0, 1, 1, 0, 0x2a, 0x0f, 0, 0, 0, 0x40, 0, 0, 0, 0x12);
	tlp.hint = (struct tlp_hint){ true, true, 3, 0xbeef };
	VECTOR(&tlp, 0x90, 0xbe, 0, 0, 0x60, 1, 0, 1, 1, 0, 0xef, 0x0f, 0, 0, 0, 0x40, 0, 0, 0,
	       0x13);

	tlp = (struct tlp){ .type = TLP_MWR,
			    .hint = { true, false, 1, 0xff },
			    .requester = 0x0100,
			    .length = 64,
			    .first_be = 0xf,
			    .last_be = 0xf,
			    .addr = 0xfe001000 };
	VECTOR(&tlp, 0x40, 1, 0, 0x40, 1, 0, 0xff, 0xff, 0xfe, 0, 0x10, 1);

	tlp = read64();
	tlp.hint = (struct tlp_hint){ true, false, 0, 0x07 };
	VECTOR(&tlp, 0x20, 1, 0, 0x80, 1, 0, 5, 7, 0, 0, 0, 0x40, 0, 0, 0, 0);
}

/* Not in the notes: worked out from the same tables. */
static void test_more_vectors(void **state)
{
	struct tlp tlp = completion();

	(void)state;
	VECTOR(&tlp, 0x4a, 0x80, 0, 0x20, 2, 8, 0x01, 0, 1, 0, 0xa5, 0x40);
	tlp.byte_count = 4096; /* 0 on the wire */
	tlp.length = 1024;
	tlp.tag = 0x1a5;
	VECTOR(&tlp, 0x4a, 0x08, 0, 0, 2, 8, 0, 0, 1, 0, 0xa5, 0x40);
	tlp = (struct tlp){
		.type = TLP_CPL, .requester = 0x0100, .status = TLP_UR, .tag = 7, .byte_count = 4
	};
	VECTOR(&tlp, 0x0a, 0, 0, 0, 0, 0, 0x20, 4, 1, 0, 7, 0);

	tlp = (struct tlp){ .type = TLP_FETCH_ADD,
			    .requester = 0x1234,
			    .tag = 0x300,
			    .length = 2,
			    .first_be = 0xf,
			    .last_be = 0xf,
			    .addr = 0x8000 };
	VECTOR(&tlp, 0x4c, 0x88, 0, 2, 0x12, 0x34, 0, 0xff, 0, 0, 0x80, 0);
	tlp.type = TLP_CAS;
	tlp.addr = 0x100000010;
	tlp.length = 8;
	tlp.hint = (struct tlp_hint){ true, true, 1, 0x0042 };
	VECTOR(&tlp, 0x90, 0, 0, 0, 0x6e, 0x89, 0, 8, 0x12, 0x34, 0, 0x42, 0, 0, 0, 1, 0, 0, 0,
	       0x11);

	/* All of the remaining bits of bytes 1 and 2. */
	tlp = write64();
	tlp.tc = 7;
	tlp.ido = tlp.relaxed_ordering = tlp.no_snoop = tlp.poisoned = true;
	VECTOR(&tlp, 0x60, 0x74, 0x70, 1, 1, 0, 0, 0x0f, 0, 0, 0, 0x40, 0, 0, 0, 0x10);
}

static void test_32bit_form_below_4g(void **state)
{
	struct tlp tlp = write64();
	uint8_t buf[TLP_MAX_HEADER];
	uint8_t four_dw[16] = { 0x60, 0, 0, 1, 1, 0, 0, 0xf, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc };

	(void)state;
	tlp.addr = 0xfffffffc;
	assert_int_equal(tlp_encode(&tlp, buf), 12);
	assert_int_equal(buf[0], 0x40);
	assert_string_equal(tlp_name(&tlp), "MWr32");
	tlp.addr = 0x100000000;
	assert_int_equal(tlp_encode(&tlp, buf), 16);
	assert_int_equal(buf[0], 0x60);
	assert_string_equal(tlp_name(&tlp), "MWr64");

	tlp.tag = 0x5a;
	assert_int_equal(tlp_decode(four_dw, 16, &tlp), -EPROTO);
	assert_int_equal(tlp.tag, 0x5a);
	four_dw[11] = 1;
	assert_int_equal(tlp_decode(four_dw, 16, &tlp), 16);
}

static void test_length_1024(void **state)
{
	struct tlp tlp = read64(), out;
	uint8_t buf[TLP_MAX_HEADER];
	uint64_t addr;

	(void)state;
	assert_int_equal(tlp_set_range(&tlp, 0x4000000000, 4096), 0);
	assert_int_equal(tlp.length, 1024);
	assert_int_equal(tlp_encode(&tlp, buf), 16);
	assert_int_equal(buf[2] & 3, 0);
	assert_int_equal(buf[3], 0);
	assert_int_equal(tlp_decode(buf, 16, &out), 16);
	assert_int_equal(out.length, 1024);
	assert_int_equal(tlp_range(&out, &addr), 4096);
	tlp.length = 1023;
	assert_int_equal(tlp_encode(&tlp, buf), 16);
	assert_int_equal(buf[2] & 3, 3);
	assert_int_equal(buf[3], 0xff);
}

/* Every range of 1..40 bytes at every alignment, and around a 4 KiB end, against plain counting. */
static void test_ranges(void **state)
{
	(void)state;
	for (uint64_t start = 0x7000; start < 0x7010; start++) {
		for (size_t len = 1; len <= 40; len++) {
			struct tlp tlp = write64(), out;
			uint8_t buf[TLP_MAX_HEADER];
			uint64_t addr;
			size_t enabled = 0;

			assert_int_equal(tlp_set_range(&tlp, start, len), 0);
			assert_int_equal(tlp.addr % 4, 0);
			for (unsigned int dw = 0; dw < tlp.length; dw++) {
				uint8_t be = dw == 0		     ? tlp.first_be
					     : dw == tlp.length - 1u ? tlp.last_be
								     : 0xf;

				for (unsigned int i = 0; i < 4; i++) {
					uint64_t at = tlp.addr + 4 * dw + i;
					bool in = at >= start && at < start + len;

					assert_int_equal(be >> i & 1, in);
					enabled += in;
				}
			}
			assert_int_equal(enabled, len);
			assert_int_equal(tlp.length == 1 ? tlp.last_be : 0, 0);
			assert_int_equal(tlp_range(&tlp, &addr), len);
			assert_int_equal(addr, start);
			assert_int_equal(tlp_encode(&tlp, buf), 12);
			assert_int_equal(tlp_decode(buf, 12, &out), 12);
			assert_same(&out, &tlp);
		}
	}
}

static void test_range_limits(void **state)
{
	struct tlp tlp = write64(), before = tlp;
	uint64_t addr;

	(void)state;
	assert_int_equal(tlp_set_range(&tlp, 0x1000, 0), -EINVAL);
	assert_int_equal(tlp_set_range(&tlp, 0x1000, 4097), -EINVAL);
	assert_int_equal(tlp_set_range(&tlp, 0x1001, 4096), -EINVAL);
	assert_int_equal(tlp_set_range(&tlp, 0x1fff, 2), -EINVAL);
	assert_same(&tlp, &before);
	assert_int_equal(tlp_set_range(&tlp, 0x1fff, 1), 0);
	assert_int_equal(tlp.first_be, 8);
	assert_int_equal(tlp_set_range(&tlp, ~0ull, 1), 0);
	assert_int_equal(tlp_range(&tlp, &addr), 1);
	assert_int_equal(addr, ~0ull);

	/* A zero-length request: one DW, no byte. */
	tlp.addr = 0x2000;
	tlp.first_be = 0;
	assert_int_equal(tlp_range(&tlp, &addr), 0);
	assert_int_equal(addr, 0x2000);
}

/* 2.2.5, spelled out: all 256 pairs at lengths 1, 2 (both alignments) and 3. */
static void test_byte_enable_rules(void **state)
{
	static const uint16_t to_end = 1 << 0xf | 1 << 0xe | 1 << 0xc | 1 << 0x8;
	static const uint16_t from_start = 1 << 0xf | 1 << 0x7 | 1 << 0x3 | 1 << 0x1;

	(void)state;
	for (unsigned int pair = 0; pair < 256; pair++) {
		for (unsigned int length = 1; length <= 3; length++) {
			for (unsigned int off = 0; off <= 4; off += 4) {
				uint8_t first = pair & 0xf, last = pair >> 4;
				uint8_t bytes[12] = { 0x40, 0,	  0, length, 1,	   0,
						      0,    pair, 0, 0,	     0x10, off };
				struct tlp tlp = write64(), out;
				uint8_t buf[TLP_MAX_HEADER];
				bool ok;

				if (length == 1)
					ok = !last;
				else if (length == 2 && !off)
					ok = first && last;
				else
					ok = to_end >> first & 1 && from_start >> last & 1;
				tlp.addr = 0x1000 + off;
				tlp.length = length;
				tlp.first_be = first;
				tlp.last_be = last;
				assert_int_equal(tlp_encode(&tlp, buf), ok ? 12 : -EINVAL);
				assert_int_equal(tlp_decode(bytes, 12, &out), ok ? 12 : -EPROTO);
			}
		}
	}
}

/* Every place of ST, PH and prefix, for all tags and hints of both widths (16-bit ones sampled). */
static void test_hints(void **state)
{
	static const enum tlp_type kinds[] = { TLP_MRD, TLP_MWR, TLP_SWAP };

	(void)state;
	for (unsigned int k = 0; k < 3; k++) {
		for (unsigned int st = 0; st <= 0xffff; st += st < 0x100 ? 1 : 0xfd) {
			for (unsigned int i = 0; i < 8; i++) {
				bool extended = i & 4, write = kinds[k] == TLP_MWR;
				struct tlp tlp = write64(), out;
				uint8_t buf[TLP_MAX_HEADER], *h = buf;
				int len;

				tlp.type = kinds[k];
				tlp.hint = (struct tlp_hint){ true, extended, i & 3, st };
				len = tlp_encode(&tlp, buf);
				if (!extended && st > 0xff) {
					assert_int_equal(len, -EINVAL);
					continue;
				}
				assert_int_equal(len, extended ? 20 : 16);
				if (extended) {
					assert_int_equal(buf[0], 0x90);
					assert_int_equal(buf[1], st >> 8);
					assert_int_equal(buf[2] | buf[3], 0);
					h += 4;
				}
				assert_int_equal(h[1], 1);
				assert_int_equal(h[write ? 6 : 7], st & 0xff);
				assert_int_equal(h[write ? 7 : 6], write ? 0xf : 0);
				assert_int_equal(h[15] & 3, i & 3);
				assert_int_equal(tlp_decode(buf, len, &out), len);
				assert_same(&out, &tlp);
			}
		}
	}
}

static void test_tag(void **state)
{
	struct tlp tlp = write64(), out;
	uint8_t buf[TLP_MAX_HEADER];

	(void)state;
	tlp.tag = 0xff;
	assert_int_equal(tlp_encode(&tlp, buf), 16);
	assert_int_equal(buf[6], 0xff);
	tlp.tag = 0x100; /* T8 is reserved in posted requests */
	assert_int_equal(tlp_encode(&tlp, buf), -EINVAL);
	tlp.hint.th = true; /* now no tag travels */
	assert_int_equal(tlp_encode(&tlp, buf), 16);
	assert_int_equal(buf[1], 1);
	assert_int_equal(buf[6], 0);
	assert_int_equal(tlp_decode(buf, 16, &out), 16);
	assert_int_equal(out.tag, 0);
	buf[1] |= 0x80;
	assert_int_equal(tlp_decode(buf, 16, &out), -EPROTO);

	tlp = read64();
	tlp.tag = 0x3ff;
	assert_int_equal(tlp_encode(&tlp, buf), 16);
	assert_int_equal(buf[1], 0x88);
	tlp.tag = 0x400;
	assert_int_equal(tlp_encode(&tlp, buf), -EINVAL);
}

static void assert_refused(const struct tlp *tlp)
{
	uint8_t buf[TLP_MAX_HEADER], before[TLP_MAX_HEADER];

	memset(buf, 0xa5, sizeof(buf));
	memcpy(before, buf, sizeof(buf));
	assert_int_equal(tlp_encode(tlp, buf), -EINVAL);
	assert_memory_equal(buf, before, sizeof(buf));
}

#define REFUSED(base, change)          \
	do {                           \
		struct tlp t = base(); \
		change;                \
		assert_refused(&t);    \
	} while (0)

static void test_encode_refuses(void **state)
{
	(void)state;
	REFUSED(write64, t.type = 7);
	REFUSED(write64, t.tc = 8);
	REFUSED(write64, t.length = 0);
	REFUSED(write64, t.length = 1025);
	REFUSED(write64, t.addr |= 2);
	REFUSED(write64, t.first_be = 0x1f);
	REFUSED(read64, t.last_be = 0x1f);
	REFUSED(write64, (t.hint = (struct tlp_hint){ true, false, 4, 0 }));
	REFUSED(write64, (t.hint = (struct tlp_hint){ true, false, 0, 256 }));
	REFUSED(read64, t.addr = 0x4000000e04); /* crosses 4 KiB */
	/* TH implies full byte enables in a read. */
	REFUSED(read64, t.hint.th = true; t.first_be = 0xe);
	REFUSED(read64, t.hint.th = true; t.last_be = 0x7);
	REFUSED(read64, t.hint.th = true; t.length = 1; t.first_be = 7; t.last_be = 0);
	REFUSED(read64, t.hint.th = true; t.length = 1);
	/* AtomicOps: operand sizes and natural alignment. */
	REFUSED(read64, t.type = TLP_FETCH_ADD; t.length = 4);
	REFUSED(read64, t.type = TLP_CAS; t.length = 3);
	REFUSED(read64, t.type = TLP_CAS; t.length = 16);
	REFUSED(read64, t.type = TLP_SWAP; t.length = 2; t.addr |= 4);
	REFUSED(completion, t.hint.th = true);
	REFUSED(completion, t.byte_count = 0);
	REFUSED(completion, t.byte_count = 4097);
	REFUSED(completion, t.lower_addr = 0x80);
	REFUSED(completion, t.status = TLP_UR); /* no data with an error */
	REFUSED(completion, t.length = 0);
	REFUSED(completion, t.type = TLP_CPL); /* length */
	REFUSED(completion, t.type = TLP_CPL; t.length = 0; t.status = 3);
}

static void assert_undecodable(const uint8_t *bytes, size_t len, int error)
{
	struct tlp tlp = completion(), before = tlp;
	uint8_t *copy = malloc(len ? len : 1); /* the sanitizer watches its end */

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	assert_int_equal(tlp_decode(copy, len, &tlp), error);
	assert_same(&tlp, &before);
	free(copy);
}

static void test_decode_refuses(void **state)
{
	static const uint8_t good[] = { 0x90, 0xbe, 0, 0, 0x60, 1,    0, 1, 1, 0,
					0xef, 0x0f, 0, 0, 0,	0x40, 0, 0, 0, 0x13 };
	static const struct {
		unsigned int at;
		uint8_t value;
	} wrong[] = {
		{ 0, 0x91 },		   /* another end-end prefix */
		{ 0, 0x80 },		   /* a local prefix */
		{ 2, 0x10 },  { 3, 0x01 }, /* AMA valid, reserved */
		{ 4, 0x90 },		   /* two prefixes */
		{ 4, 0x61 },  { 4, 0x44 }, { 4, 0x6a }, { 4, 0x30 },
		{ 4, 0x2c },  { 4, 0x0c }, { 5, 0x00 }, /* a prefix without TH */
		{ 5, 0x03 },				/* reserved */
		{ 6, 0x80 },  { 6, 0x04 }, { 6, 0x08 }, /* digest, AT */
		{ 11, 0xff },				/* last BE in one DW */
		{ 15, 0x00 },				/* 4 DW form below 4 GiB */
	};

	(void)state;
	for (size_t len = 0; len < sizeof(good); len++)
		assert_undecodable(good, len, -EMSGSIZE);
	for (size_t len = 0; len < 16; len++)
		assert_undecodable(good + 4, len, -EMSGSIZE);
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint8_t bytes[sizeof(good)];

		memcpy(bytes, good, sizeof(good));
		bytes[wrong[i].at] = wrong[i].value;
		assert_undecodable(bytes, sizeof(bytes), -EPROTO);
	}
}

static void test_decode_refuses_completions(void **state)
{
	static const uint8_t good[] = { 0x4a, 0, 0, 0x20, 2, 8, 0x01, 0, 1, 0, 0xa5, 0x40 };
	static const struct {
		unsigned int at;
		uint8_t value;
	} wrong[] = {
		{ 0, 0x0a },  /* Cpl with a length */
		{ 1, 0x01 },  /* TH */
		{ 6, 0x20 },  /* data with UR */
		{ 6, 0x11 },  /* Byte Count Modified */
		{ 11, 0xc0 }, /* reserved */
	};
	struct tlp tlp;

	(void)state;
	assert_int_equal(tlp_decode(good, sizeof(good), &tlp), 12);
	for (size_t len = 0; len < sizeof(good); len++)
		assert_undecodable(good, len, -EMSGSIZE);
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint8_t bytes[sizeof(good)];

		memcpy(bytes, good, sizeof(good));
		bytes[wrong[i].at] = wrong[i].value;
		assert_undecodable(bytes, sizeof(bytes), -EPROTO);
	}
}

/* Whatever decodes encodes to the same bytes; and enough of it does decode. */
static void test_random_bytes(void **state)
{
	static const uint8_t first[] = { 0x00, 0x20, 0x40, 0x60, 0x4c, 0x6c, 0x4d,
					 0x6d, 0x4e, 0x6e, 0x0a, 0x4a, 0x90, 0x42 };
	unsigned int decoded[TLP_CPLD + 1] = { 0 };
	uint32_t seed = 1;

	(void)state;
	for (unsigned int n = 0; n < 2000000; n++) {
		uint8_t bytes[TLP_MAX_HEADER + 4], buf[TLP_MAX_HEADER];
		struct tlp tlp;
		int len;

		for (unsigned int i = 0; i < sizeof(bytes); i++) {
			seed = seed * 1664525 + 1013904223;
			/* Sparse bits, or nothing would pass the byte enable rules. */
			bytes[i] = seed >> 30 ? 0 : seed >> 16;
		}
		bytes[0] = first[(seed >> 8) % sizeof(first)];
		if (bytes[0] == 0x90)
			bytes[4] = first[(seed >> 12) % sizeof(first)];
		len = tlp_decode(bytes, sizeof(bytes), &tlp);
		if (len < 0) {
			assert_int_equal(len, -EPROTO);
			continue;
		}
		decoded[tlp.type]++;
		assert_int_equal(tlp_encode(&tlp, buf), len);
		assert_memory_equal(buf, bytes, len);
	}
	for (unsigned int i = 0; i <= TLP_CPLD; i++)
		assert_true(decoded[i] > 10);
}

static void test_split(void **state)
{
	(void)state;
	assert_int_equal(tlp_split(0, 65536, 128), 128);
	assert_int_equal(tlp_split(1, 65536, 128), 127);
	assert_int_equal(tlp_split(127, 65536, 128), 1);
	assert_int_equal(tlp_split(0x10f00, 1000, 512), 256);
	assert_int_equal(tlp_split(0x10ff0, 1000, 4096), 16);
	assert_int_equal(tlp_split(64, 10, 128), 10);

	for (size_t max = 128; max <= 4096; max *= 2) {
		for (uint64_t start = 0; start < 300; start += 7) {
			uint64_t addr = 0xfff000f00 + start;
			size_t left = 10000, n;

			for (; left; left -= n, addr += n) {
				struct tlp tlp = write64();

				n = tlp_split(addr, left, max);
				assert_in_range(n, 1, left);
				assert_int_equal(tlp_set_range(&tlp, addr, n), 0);
				assert_true(tlp.length * 4u <= max);
			}
		}
	}
}

static void test_names(void **state)
{
	static const char *const names[][2] = {
		{ "MRd32", "MRd64" },	{ "MWr32", "MWr64" }, { "FetchAdd32", "FetchAdd64" },
		{ "Swap32", "Swap64" }, { "CAS32", "CAS64" }, { "Cpl", "Cpl" },
		{ "CplD", "CplD" },	{ "?", "?" },
	};

	(void)state;
	for (unsigned int i = 0; i < 8; i++) {
		struct tlp tlp = { .type = i };

		assert_string_equal(tlp_name(&tlp), names[i][0]);
		tlp.addr = 1ull << 32;
		assert_string_equal(tlp_name(&tlp), names[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_more_vectors),
		cmocka_unit_test(test_32bit_form_below_4g),
		cmocka_unit_test(test_length_1024),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_range_limits),
		cmocka_unit_test(test_byte_enable_rules),
		cmocka_unit_test(test_hints),
		cmocka_unit_test(test_tag),
		cmocka_unit_test(test_encode_refuses),
		cmocka_unit_test(test_decode_refuses),
		cmocka_unit_test(test_decode_refuses_completions),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
