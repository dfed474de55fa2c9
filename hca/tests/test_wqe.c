/* SPDX-License-Identifier: GPL-2.0-only */
/* Parsing of WQEs: byte vectors, and what must be refused. */
#include <errno.h>
#include <string.h>

#include "hca/tests/traffic.h"

static void put_ctrl(uint8_t *wqe, uint8_t opcode, uint8_t flags, uint32_t imm, unsigned int ds)
{
	fixture_ctrl(wqe, opcode, flags, imm);
	field_put(wqe, 0, 23, 8, 0x1234);
	field_put(wqe, 1, 31, 8, 0xabcdef);
	field_put(wqe, 1, 7, 0, ds);
}

static void test_ctrl(void **state)
{
	static const struct {
		uint8_t flags;
		bool signalled, solicited;
	} cases[] = {
		{ 0x00, false, false }, { 0x04, false, false }, { 0x08, true, false },
		{ 0x0c, true, false },	{ 0x02, false, true },	{ 0xea, true, true },
	};
	struct hca_wqe wqe;
	uint8_t raw[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_ctrl(raw, HCA_OP_NOP, cases[i].flags, 0x01020304, 1);
		assert_int_equal(hca_wqe_parse(raw, 64, HCA_WQE_CONNECTED, &wqe), 0);
		assert_int_equal(wqe.opcode, HCA_OP_NOP);
		assert_int_equal(wqe.ds, 1);
		assert_int_equal(wqe.signalled, cases[i].signalled);
		assert_int_equal(wqe.solicited, cases[i].solicited);
		assert_int_equal(wqe.imm, 0x01020304);
		assert_int_equal(wqe.length, 0);
		assert_int_equal(wqe.segs, 0);
	}
}

static void test_blocks(void **state)
{
	static const uint8_t cases[][2] = {
		{ 0, 1 },   { 1, 1 },	{ 4, 1 },   { 5, 2 },  { 8, 2 },    { 9, 3 },	{ 60, 15 },
		{ 61, 16 }, { 63, 16 }, { 64, 16 }, { 65, 1 }, { 127, 16 }, { 128, 1 }, { 192, 1 },
	};
	uint8_t raw[16];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_ctrl(raw, HCA_OP_SEND, 0, 0, cases[i][0]);
		assert_int_equal(hca_wqe_blocks(raw), cases[i][1]);
	}
}

static void test_write(void **state)
{
	uint8_t raw[64] = { 0 };
	struct hca_wqe wqe;

	(void)state;
	put_ctrl(raw, HCA_OP_WRITE_IMM, 8, 0xdeadbeef, 4);
	fixture_raddr(raw + 16, 0x1122334455667788, 0x99aabb01);
	fixture_data(raw + 32, 0x1000, 0x700, 100);
	fixture_data(raw + 48, 0x2000, 0x800, 0); /* empty: no segment */
	assert_int_equal(hca_wqe_parse(raw, sizeof(raw), HCA_WQE_CONNECTED, &wqe), 0);
	assert_int_equal(wqe.raddr, 0x1122334455667788);
	assert_int_equal(wqe.rkey, 0x99aabb01);
	assert_int_equal(wqe.imm, 0xdeadbeef);
	assert_int_equal(wqe.segs, 1);
	assert_int_equal(wqe.length, 100);
	assert_int_equal(wqe.seg[0].lkey, 0x700);
	assert_int_equal(wqe.seg[0].addr, 0x1000);
	assert_null(wqe.seg[0].inl);
	/* An RDMA WQE without its remote address segment. */
	put_ctrl(raw, HCA_OP_WRITE_IMM, 8, 0, 1);
	assert_int_equal(hca_wqe_parse(raw, sizeof(raw), HCA_WQE_CONNECTED, &wqe), -EINVAL);
	assert_int_equal(wqe.opcode, HCA_OP_WRITE_IMM);
	/* A datagram QP has no RDMA. */
	put_ctrl(raw, HCA_OP_WRITE, 8, 0, 3);
	assert_int_equal(hca_wqe_parse(raw, sizeof(raw), HCA_WQE_DATAGRAM, &wqe), -EINVAL);
}

static void test_inline(void **state)
{
	uint8_t raw[128] = { 0 };
	struct hca_wqe wqe;

	(void)state;
	/* Two inline segments: 20 bytes (padded to 32 with their header), then 12 (16). */
	put_ctrl(raw, HCA_OP_SEND, 8, 0, 4);
	be32_put(raw, 16, 0x80000000u | 20);
	memset(raw + 20, 0xa1, 20);
	be32_put(raw, 48, 0x80000000u | 12);
	memset(raw + 52, 0xb2, 12);
	assert_int_equal(hca_wqe_parse(raw, 64, HCA_WQE_CONNECTED, &wqe), 0);
	assert_int_equal(wqe.segs, 2);
	assert_int_equal(wqe.length, 32);
	assert_ptr_equal(wqe.seg[0].inl, raw + 20);
	assert_int_equal(wqe.seg[0].len, 20);
	assert_ptr_equal(wqe.seg[1].inl, raw + 52);
	assert_int_equal(wqe.seg[1].len, 12);
	/* 13 bytes and their header no longer fit in the last 16. */
	be32_put(raw, 48, 0x80000000u | 13);
	assert_int_equal(hca_wqe_parse(raw, 64, HCA_WQE_CONNECTED, &wqe), -EINVAL);
	be32_put(raw, 48, 0xffffffffu);
	assert_int_equal(hca_wqe_parse(raw, 64, HCA_WQE_CONNECTED, &wqe), -EINVAL);
	/* Inline data has nowhere to take a READ's answer. */
	put_ctrl(raw, HCA_OP_READ, 8, 0, 3);
	be32_put(raw, 32, 0x80000000u | 4);
	assert_int_equal(hca_wqe_parse(raw, 64, HCA_WQE_CONNECTED, &wqe), -EINVAL);
}

static void test_atomic(void **state)
{
	uint8_t raw[64];
	struct hca_wqe wqe;

	(void)state;
	put_ctrl(raw, HCA_OP_ATOMIC_CS, 8, 0, 4);
	fixture_raddr(raw + 16, 0x8000, 0x300);
	be64_put(raw, 32, 0x0102030405060708);
	be64_put(raw, 40, 0x1112131415161718);
	fixture_data(raw + 48, 0x9000, 0x400, 8);
	assert_int_equal(hca_wqe_parse(raw, sizeof(raw), HCA_WQE_CONNECTED, &wqe), 0);
	assert_int_equal(wqe.swap_add, 0x0102030405060708);
	assert_int_equal(wqe.compare, 0x1112131415161718);
	assert_int_equal(wqe.length, 8);
	put_ctrl(raw, HCA_OP_ATOMIC_FA, 8, 0, 2);
	assert_int_equal(hca_wqe_parse(raw, sizeof(raw), HCA_WQE_CONNECTED, &wqe), -EINVAL);
}

static void test_datagram(void **state)
{
	uint8_t raw[80] = { 0 };
	struct hca_wqe wqe;

	(void)state;
	put_ctrl(raw, HCA_OP_SEND_IMM, 8, 5, 5);
	be32_put(raw, 16, 0x80010000);
	be32_put(raw, 24, 0x80000042);
	raw[28] = 0x35; /* static rate 3, SL 5 */
	be16_put(raw, 30, 0x0007);
	raw[42] = 0x11;
	raw[43] = 0x40;
	be32_put(raw, 44, 1u << 30 | 0xabcde);
	memset(raw + 48, 0x77, 16);
	fixture_data(raw + 64, 0x1000, 0x200, 64);
	assert_int_equal(hca_wqe_parse(raw, sizeof(raw), HCA_WQE_DATAGRAM, &wqe), 0);
	assert_int_equal(wqe.av.q_key, 0x80010000);
	assert_int_equal(wqe.av.qpn, 0x42);
	assert_int_equal(wqe.av.sl, 5);
	assert_int_equal(wqe.av.dlid, 7);
	assert_true(wqe.av.grh);
	assert_int_equal(wqe.av.tclass, 0x11);
	assert_int_equal(wqe.av.hop_limit, 0x40);
	assert_int_equal(wqe.av.flow_label, 0xabcde);
	assert_memory_equal(wqe.av.dgid, raw + 48, 16);
	assert_int_equal(wqe.length, 64);
	put_ctrl(raw, HCA_OP_SEND, 8, 0, 3);
	assert_int_equal(hca_wqe_parse(raw, sizeof(raw), HCA_WQE_DATAGRAM, &wqe), -EINVAL);
	put_ctrl(raw, HCA_OP_SEND_INV, 8, 0, 5);
	assert_int_equal(hca_wqe_parse(raw, sizeof(raw), HCA_WQE_DATAGRAM, &wqe), -EINVAL);
}

/* XRC and DC put their segment before the operation's own; a NOP has none. */
static void test_segment_first(void **state)
{
	uint8_t raw[96] = { 0 };
	struct hca_wqe wqe;

	(void)state;
	raw[3] = HCA_OP_WRITE;
	field_put(raw, 1, 5, 0, 4);
	be32_put(raw, 16, 0x123456);
	be64_put(raw, 32, 0x1000);
	be32_put(raw, 40, 0x77);
	be32_put(raw, 48, 5);
	assert_int_equal(hca_wqe_parse(raw, sizeof(raw), HCA_WQE_XRC, &wqe), 0);
	assert_int_equal(wqe.xrc_srqn, 0x123456);
	assert_int_equal(wqe.raddr, 0x1000);
	assert_int_equal(wqe.rkey, 0x77);
	assert_int_equal(wqe.length, 5);
	field_put(raw, 1, 5, 0, 1);
	assert_int_equal(hca_wqe_parse(raw, sizeof(raw), HCA_WQE_XRC, &wqe), -EINVAL);
	raw[3] = HCA_OP_NOP;
	assert_int_equal(hca_wqe_parse(raw, sizeof(raw), HCA_WQE_XRC, &wqe), 0);

	memset(raw, 0, sizeof(raw));
	raw[3] = HCA_OP_WRITE;
	field_put(raw, 1, 5, 0, 6);
	be64_put(raw, 16, 0x1122334455667788);
	be32_put(raw, 24, 1u << 31 | 0x42);
	be16_put(raw, 30, 9);
	be64_put(raw, 64, 0x2000);
	be32_put(raw, 80, 6);
	assert_int_equal(hca_wqe_parse(raw, sizeof(raw), HCA_WQE_DC, &wqe), 0);
	assert_int_equal(wqe.av.dc_key, 0x1122334455667788);
	assert_int_equal(wqe.av.qpn, 0x42);
	assert_int_equal(wqe.av.dlid, 9);
	assert_int_equal(wqe.raddr, 0x2000);
	assert_int_equal(wqe.length, 6);
	field_put(raw, 1, 5, 0, 3);
	assert_int_equal(hca_wqe_parse(raw, sizeof(raw), HCA_WQE_DC, &wqe), -EINVAL);
}

static void test_umr(void **state)
{
	uint8_t raw[192] = { 0 };
	struct hca_wqe wqe;

	(void)state;
	/* Load: one data segment points at the entries. */
	put_ctrl(raw, HCA_OP_UMR, 8, 0x1234, 9);
	fixture_data(raw + 128, 0x4000, 0x100 + 0x100, 64);
	assert_int_equal(hca_wqe_parse(raw, sizeof(raw), HCA_WQE_CONNECTED, &wqe), 0);
	assert_ptr_equal(wqe.umr, raw + 16);
	assert_ptr_equal(wqe.mkc, raw + 64);
	assert_null(wqe.xlt);
	assert_int_equal(wqe.length, 64);
	/* Revoke: inline, nothing behind the context. */
	put_ctrl(raw, HCA_OP_UMR, 8, 0x1234, 8);
	raw[16] = HCA_UMR_INLINE;
	assert_int_equal(hca_wqe_parse(raw, sizeof(raw), HCA_WQE_CONNECTED, &wqe), 0);
	assert_null(wqe.xlt);
	assert_int_equal(wqe.xlt_len, 0);
	/* Memory window bind: inline entries. */
	put_ctrl(raw, HCA_OP_UMR, 8, 0x1234, 12);
	assert_int_equal(hca_wqe_parse(raw, sizeof(raw), HCA_WQE_CONNECTED, &wqe), 0);
	assert_ptr_equal(wqe.xlt, raw + 128);
	assert_int_equal(wqe.xlt_len, 64);
	/* Cut off in the context. */
	put_ctrl(raw, HCA_OP_UMR, 8, 0x1234, 7);
	assert_int_equal(hca_wqe_parse(raw, sizeof(raw), HCA_WQE_CONNECTED, &wqe), -EINVAL);
	assert_null(wqe.umr);
	assert_null(wqe.mkc);
}

static void test_malformed(void **state)
{
	static const uint8_t unknown[] = { 0x02, 0x0e, 0x13, 0x14, 0x15, 0x20, 0x26, 0xff };
	uint8_t raw[1024] = { 0 };
	struct hca_wqe wqe;
	size_t i;

	(void)state;
	put_ctrl(raw, HCA_OP_SEND, 8, 0, 2);
	assert_int_equal(hca_wqe_parse(raw, 15, HCA_WQE_CONNECTED, &wqe), -EINVAL);
	/* Size 0, and more than there is. */
	put_ctrl(raw, HCA_OP_SEND, 8, 0, 0);
	assert_int_equal(hca_wqe_parse(raw, sizeof(raw), HCA_WQE_CONNECTED, &wqe), -EINVAL);
	put_ctrl(raw, HCA_OP_SEND, 8, 0, 5);
	assert_int_equal(hca_wqe_parse(raw, 64, HCA_WQE_CONNECTED, &wqe), -EINVAL);
	assert_int_equal(hca_wqe_parse(raw, 80, HCA_WQE_CONNECTED, &wqe), 0);
	for (i = 0; i < sizeof(unknown); i++) {
		put_ctrl(raw, unknown[i], 8, 0, 2);
		assert_int_equal(hca_wqe_parse(raw, sizeof(raw), HCA_WQE_CONNECTED, &wqe), -EINVAL);
		assert_int_equal(wqe.opcode, unknown[i]);
		assert_int_equal(wqe.ds, 2);
	}
}

/* The longest WQE, of segments only; its size does not fit into the six bits of the field. */
static void test_longest(void **state)
{
	uint8_t raw[1024];
	struct hca_wqe wqe;
	unsigned int i;

	(void)state;
	put_ctrl(raw, HCA_OP_SEND, 8, 0, 64);
	for (i = 1; i < 64; i++)
		fixture_data(raw + 16 * i, 0x1000 * i, i, 0x7fffffff);
	assert_int_equal(hca_wqe_parse(raw, sizeof(raw), HCA_WQE_CONNECTED, &wqe), 0);
	assert_int_equal(wqe.segs, 63);
	assert_int_equal(wqe.length, 63 * (uint64_t)0x7fffffff);
	assert_int_equal(wqe.seg[62].lkey, 63);
	assert_int_equal(hca_wqe_parse(raw, sizeof(raw) - 1, HCA_WQE_CONNECTED, &wqe), -EINVAL);
}

static void test_recv(void **state)
{
	struct hca_seg seg[4];
	uint64_t length;
	uint8_t raw[64];

	(void)state;
	fixture_data(raw, 0x1000, 0x200, 10);
	fixture_data(raw + 16, 0x2000, 0x200, 0);
	fixture_data(raw + 32, 0x3000, 0x300, 20);
	fixture_data(raw + 48, 0x4000, HCA_LKEY_END, 30);
	assert_int_equal(hca_wqe_parse_recv(raw, sizeof(raw), seg, 4, &length), 2);
	assert_int_equal(length, 30);
	assert_int_equal(seg[0].addr, 0x1000);
	assert_int_equal(seg[1].addr, 0x3000);
	/* No end marker: the stride ends the list. */
	assert_int_equal(hca_wqe_parse_recv(raw, 48, seg, 4, &length), 2);
	assert_int_equal(hca_wqe_parse_recv(raw, 47, seg, 4, &length), 1);
	assert_int_equal(length, 10);
	assert_int_equal(hca_wqe_parse_recv(raw, 48, seg, 1, &length), 1);
	assert_int_equal(length, 10);
	assert_int_equal(hca_wqe_parse_recv(raw, 0, seg, 4, &length), 0);
	assert_int_equal(length, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ctrl),	      cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_write),	      cmocka_unit_test(test_inline),
		cmocka_unit_test(test_atomic),	      cmocka_unit_test(test_datagram),
		cmocka_unit_test(test_segment_first), cmocka_unit_test(test_umr),
		cmocka_unit_test(test_malformed),     cmocka_unit_test(test_longest),
		cmocka_unit_test(test_recv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
