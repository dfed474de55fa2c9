/* SPDX-License-Identifier: GPL-2.0-only */
/* UMRs: masks, translation loads, revoke and reuse, checks, memory windows, and through a QP. */
#include "hca/tests/traffic.h"

#define BIT64(n) ((uint64_t)1 << (n))

/* What the driver sends: see core umr.c. */
#define MASK_LOAD                                                                        \
	(BIT64(0) | BIT64(1) | BIT64(6) | BIT64(7) | BIT64(13) | BIT64(17) | BIT64(18) | \
	 BIT64(19) | BIT64(20) | BIT64(21) | BIT64(25) | BIT64(29) | BIT64(47))
#define MASK_REVOKE (BIT64(7) | BIT64(29))
#define TPH_WORD    (1u << 26 | 2u << 24 | 7u << 16)

struct umr_test {
	struct fixture *f;
	struct fixture_port *port;
	struct hca *hca;
	struct hca_accessor who; /* the UMR QP's */
	uint32_t key;
	struct hca_mkey *mkey;
	uint8_t umr[48], mkc[64];
};

/* A pool key as the driver makes it: free, umr_en, room for @octwords, TPH fields. */
static uint32_t pool_key(struct fixture_port *port, uint32_t octwords)
{
	uint8_t in[0x110] = { 0 }, out[16];

	be16_put(in, 0, 0x200);
	be32_put(in, 0x10, 1u << 30 | 1u << 15 | HCA_MKC_MTT << 8);
	be32_put(in, 0x14, 0xffffff00 | 0x33);
	be32_put(in, 0x1c, port->pd);
	be32_put(in, 0x10 + 13 * 4, octwords);
	be32_put(in, 0x10 + 14 * 4, 12);
	be32_put(in, 0x10 + 15 * 4, TPH_WORD);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	return (be32_at(out, 8) & 0xffffff) << 8 | 0x33;
}

static struct umr_test umr_test_new(void **state, uint32_t octwords)
{
	struct umr_test t = { .f = *state };

	t.port = &t.f->port[0];
	t.hca = t.port->hca;
	t.who = (struct hca_accessor){ .pd = t.port->pd, .qpn = 5 };
	t.key = pool_key(t.port, octwords);
	t.mkey = hca_table_get(&t.hca->mkeys, t.key >> 8);
	assert_non_null(t.mkey);
	return t;
}

static void set_load(struct umr_test *t, uint64_t start, uint64_t len, uint8_t log_page,
		     uint32_t octwords, uint64_t offset)
{
	memset(t->umr, 0, sizeof(t->umr));
	memset(t->mkc, 0, sizeof(t->mkc));
	t->umr[0] = HCA_UMR_MUST_FREE | HCA_UMR_OFFSET_EN;
	be16_put(t->umr, 4, (uint16_t)octwords);
	be16_put(t->umr, 6, (uint16_t)offset);
	be64_put(t->umr, 8, MASK_LOAD);
	be32_put(t->umr, 16, (uint32_t)(offset >> 16));
	be32_put(t->mkc, 0, FIXTURE_ALL);
	be32_put(t->mkc, 4, 0xffffff33);
	be32_put(t->mkc, 12, t->port->pd);
	be64_put(t->mkc, 16, start);
	be64_put(t->mkc, 24, len);
	be32_put(t->mkc, 14 * 4, log_page);
}

static uint8_t apply(struct umr_test *t, const void *xlt, size_t len)
{
	return hca_umr_apply(t->hca, &t->who, t->key, t->umr, t->mkc, xlt, len);
}

static uint8_t revoke_key(struct umr_test *t)
{
	memset(t->umr, 0, sizeof(t->umr));
	memset(t->mkc, 0, sizeof(t->mkc));
	t->umr[0] = HCA_UMR_INLINE;
	be64_put(t->umr, 8, MASK_REVOKE);
	be32_put(t->mkc, 0, 1u << 30);
	be32_put(t->mkc, 12, 9);
	return apply(t, NULL, 0);
}

/* Each mask bit opens exactly its field; everything else, TPH above all, stays. */
static void test_masks(void **state)
{
	static const struct {
		uint8_t bit;
		uint8_t at, bytes[8];
	} cases[] = {
		{ 0, 0x18, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
		{ 1, 0x38, { 0, 0, 0, 0x1f } },
		{ 42, 0x38, { 0, 0, 0, 0x20 } },
		{ 47, 0x38, { 0, 0, 0, 0x40 } },
		{ 6, 0x10, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
		{ 7, 0x0c, { 0, 0xff, 0xff, 0xff } },
		{ 8, 0x0c, { 0x01 } },
		{ 9, 0x0c, { 0x04 } },
		{ 12, 0x0c, { 0x40 } },
		{ 13, 0x04, { 0, 0, 0, 0xff } },
		{ 14, 0x04, { 0xff, 0xff, 0xff } },
		{ 17, 0x00, { 0, 0, 0x04 } },
		{ 18, 0x00, { 0, 0, 0x08 } },
		{ 19, 0x00, { 0, 0, 0x10 } },
		{ 20, 0x00, { 0, 0, 0x20 } },
		{ 21, 0x00, { 0, 0, 0x40 } },
		{ 23, 0x00, { 0, 0x01 } },
		{ 25, 0x00, { 0, 0x04 } },
		{ 29, 0x00, { 0x40 } },
		{ 2, 0, { 0 } },
		{ 63, 0, { 0 } },
	};
	struct umr_test t = umr_test_new(state, 4);
	size_t i, k;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t want[64] = { 0 };

		memset(t.umr, 0, sizeof(t.umr));
		be64_put(t.umr, 8, BIT64(cases[i].bit));
		memset(t.mkc, 0xff, sizeof(t.mkc));
		/* From all zero with all bits offered, then from all one with none. */
		memset(t.mkey->mkc, 0, 64);
		t.mkey->mkc[7] = (uint8_t)t.key;
		if (cases[i].bit == 13)
			t.mkey->mkc[7] = 0;
		memcpy(want, t.mkey->mkc, 64);
		for (k = 0; k < 8; k++)
			want[cases[i].at + k] |= cases[i].bytes[k];
		if (cases[i].bit == 0) /* length64 travels with len */
			want[0x0c] = 0x80;
		assert_int_equal(apply(&t, NULL, 0), 0);
		assert_memory_equal(t.mkey->mkc, want, 64);

		/* In the mode that has no rules of its own. */
		memset(t.mkey->mkc, 0xff, 64);
		field_put(t.mkey->mkc, 0, 28, 26, HCA_MKC_PA);
		field_put(t.mkey->mkc, 0, 9, 8, HCA_MKC_PA);
		memset(t.mkc, 0, sizeof(t.mkc));
		memcpy(want, t.mkey->mkc, 64);
		for (k = 0; k < 8; k++)
			want[cases[i].at + k] &= (uint8_t)~cases[i].bytes[k];
		if (cases[i].bit == 0)
			want[0x0c] = 0x7f;
		assert_int_equal(apply(&t, NULL, 0), 0);
		assert_memory_equal(t.mkey->mkc, want, 64);
	}
}

/* Load, use, revoke, reuse with another size: TPH survives, old entries do not. */
static void test_life(void **state)
{
	struct umr_test t = umr_test_new(state, 4);
	uint64_t mem = fixture_alloc(t.f, 8 * 4096, 4096);
	struct hca_accessor user = { .pd = t.port->pd, .qpn = 100 };
	uint8_t xlt[64] = { 0 }, data[16];
	unsigned int i;

	assert_int_equal(hca_mkey_check(t.hca, &user, t.key, 0x10000, 1, HCA_REMOTE_WRITE),
			 HCA_DENIED_KEY);
	for (i = 0; i < 8; i++)
		be64_put(xlt, 8 * i, (mem + 4096 * (7 - i)) | 3);
	set_load(&t, 0x10010, 8 * 4096 - 16, 12, 4, 0);
	assert_int_equal(apply(&t, xlt, sizeof(xlt)), 0);
	assert_int_equal(field_get(t.mkey->mkc, 15, 31, 0), TPH_WORD);
	memset(data, 0x61, 16);
	assert_int_equal(
		fixture_mkey_write(t.hca, &user, t.key, 0x11000, data, 16, HCA_REMOTE_WRITE),
		HCA_OK);
	assert_memory_equal(fixture_at(t.f, mem + 4096 * 6), data, 16);
	assert_int_equal(t.mkey->remote_write_bytes, 16);
	/* "Must be free" fails now and changes nothing. */
	{
		uint8_t before[64];

		memcpy(before, t.mkey->mkc, 64);
		set_load(&t, 0x90000, 4096, 12, 4, 0);
		memset(xlt, 0xee, sizeof(xlt));
		assert_int_equal(apply(&t, xlt, sizeof(xlt)), HCA_SYND_MW_BIND);
		assert_memory_equal(t.mkey->mkc, before, 64);
		assert_int_equal(be64_at(fixture_xlt(t.mkey), 0), (mem + 4096 * 7) | 3);
	}

	assert_int_equal(revoke_key(&t), 0);
	assert_true(mkc_free(t.mkey->mkc));
	assert_int_equal(mkc_pd(t.mkey->mkc), 9);
	assert_int_equal(field_get(t.mkey->mkc, 15, 31, 0), TPH_WORD);
	assert_int_equal(hca_mkey_check(t.hca, &user, t.key, 0x11000, 1, HCA_REMOTE_WRITE),
			 HCA_DENIED_KEY);

	/* Reuse: one page of 64 KiB at another address; what is behind it is "not present". */
	memset(xlt, 0, sizeof(xlt));
	be64_put(xlt, 0, (1u << 20) | 3);
	set_load(&t, 0x20000, 0x20000, 16, 4, 0);
	be16_put(t.umr, 4, 1);
	assert_int_equal(apply(&t, xlt, sizeof(xlt)), 0);
	assert_int_equal(field_get(t.mkey->mkc, 15, 31, 0), TPH_WORD);
	assert_int_equal(t.mkey->remote_write_bytes, 0);
	assert_int_equal(hca_mkey_check(t.hca, &user, t.key, 0x20000, 0x10000, HCA_REMOTE_WRITE),
			 HCA_OK);
	assert_int_equal(hca_mkey_check(t.hca, &user, t.key, 0x30000, 1, HCA_REMOTE_WRITE),
			 HCA_DENIED_PAGE);
}

/* Chunks by offset; the padding of the last one behind the table is dropped. */
static void test_offsets(void **state)
{
	struct umr_test t = umr_test_new(state, 5);
	uint8_t xlt[64];
	unsigned int i;

	memset(xlt, 0x11, sizeof(xlt));
	set_load(&t, 0, 4096, 12, 4, 0);
	be64_put(t.umr, 8, 0);
	assert_int_equal(apply(&t, xlt, sizeof(xlt)), 0);
	assert_int_equal(t.mkey->xlt.octwords, 4);
	memset(xlt, 0x22, sizeof(xlt));
	set_load(&t, 0, 4096, 12, 4, 4);
	assert_int_equal(apply(&t, xlt, sizeof(xlt)), 0);
	assert_int_equal(t.mkey->xlt.octwords, 5);
	for (i = 0; i < 64; i++)
		assert_int_equal(fixture_xlt(t.mkey)[i], 0x11);
	for (i = 64; i < 80; i++)
		assert_int_equal(fixture_xlt(t.mkey)[i], 0x22);
	/* Far behind the table, with the high part of the offset, and with all of its bits. */
	t.umr[0] = HCA_UMR_OFFSET_EN;
	be64_put(t.umr, 8, 0);
	be16_put(t.umr, 6, 0);
	be32_put(t.umr, 16, 1);
	memset(xlt, 0x33, sizeof(xlt));
	assert_int_equal(apply(&t, xlt, sizeof(xlt)), 0);
	be32_put(t.umr, 16, 0xffffffff);
	be16_put(t.umr, 6, 0xffff);
	assert_int_equal(apply(&t, xlt, sizeof(xlt)), 0);
	assert_int_equal(t.mkey->xlt.octwords, 5);
	/* Without "offset enable" the offset does not count. */
	t.umr[0] = 0;
	be16_put(t.umr, 4, 1);
	assert_int_equal(apply(&t, xlt, sizeof(xlt)), 0);
	assert_int_equal(fixture_xlt(t.mkey)[15], 0x33);
	assert_int_equal(fixture_xlt(t.mkey)[16], 0x11);
	/* More octowords than bytes. */
	be16_put(t.umr, 4, 4);
	memset(xlt, 0x44, sizeof(xlt));
	assert_int_equal(apply(&t, xlt, 16), 0);
	assert_int_equal(fixture_xlt(t.mkey)[15], 0x44);
	assert_int_equal(fixture_xlt(t.mkey)[16], 0x11);
	/* A gap before the loaded part is zero, not stale. */
	assert_int_equal(revoke_key(&t), 0);
	set_load(&t, 0, 4096, 12, 1, 4);
	assert_int_equal(apply(&t, xlt, 16), 0);
	for (i = 0; i < 64; i++)
		assert_int_equal(fixture_xlt(t.mkey)[i], 0);
}

static void test_checks(void **state)
{
	struct umr_test t = umr_test_new(state, 4);
	uint8_t before[64];

	memcpy(before, t.mkey->mkc, 64);
	/* No such key. */
	set_load(&t, 0, 4096, 12, 0, 0);
	t.key += 0x100000;
	assert_int_equal(apply(&t, NULL, 0), HCA_SYND_MW_BIND);
	t.key -= 0x100000;
	/* Live wanted, free found. */
	t.umr[0] = HCA_UMR_MUST_LIVE;
	assert_int_equal(apply(&t, NULL, 0), HCA_SYND_MW_BIND);
	assert_memory_equal(t.mkey->mkc, before, 64);
	/* QPN. */
	field_put(t.mkey->mkc, 1, 31, 8, 6);
	t.umr[0] = HCA_UMR_CHECK_QPN;
	assert_int_equal(apply(&t, NULL, 0), HCA_SYND_MW_BIND);
	/* A key of any QP passes, and one of this. */
	be64_put(t.umr, 8, 0);
	field_put(t.mkey->mkc, 1, 31, 8, HCA_MKC_ANY_QP);
	assert_int_equal(apply(&t, NULL, 0), 0);
	be64_put(t.umr, 8, MASK_LOAD);
	field_put(t.mkey->mkc, 1, 31, 8, 5);
	assert_int_equal(apply(&t, NULL, 0), 0);
	/* Live now: the key byte counts unless the UMR sets it. */
	memcpy(before, t.mkey->mkc, 64);
	t.umr[0] = 0;
	be64_put(t.umr, 8, BIT64(29));
	be32_put(t.mkc, 0, 1u << 30);
	t.key ^= 1;
	assert_int_equal(apply(&t, NULL, 0), HCA_SYND_MW_BIND);
	assert_memory_equal(t.mkey->mkc, before, 64);
	t.key ^= 1;
	assert_int_equal(apply(&t, NULL, 0), 0);
	assert_true(mkc_free(t.mkey->mkc));
}

/* --- through queue pairs ----------------------------------------------------------------- */

struct umr_qp {
	struct end end;
	uint64_t xlt;
};

static void umr_qp_new(struct umr_test *t, struct umr_qp *u)
{
	struct fixture_qp_attr attr = { .type = HCA_QP_REG_UMR, .sq_wqebbs = 16 };
	uint8_t qpc[232] = { 0 };

	end_create(&u->end, t->port, HCA_QP_RC, 0);
	attr.cqn_snd = attr.cqn_rcv = u->end.scq.number;
	attr.uar = t->port->uar;
	fixture_qp_create(t->port, &attr, &u->end.qp);
	/* The driver's transitions carry hardly anything; the PD comes with the first. */
	field_put(qpc, 0, 23, 16, HCA_QP_REG_UMR);
	field_put(qpc, 1, 23, 0, t->port->pd);
	field_put(qpc, 31, 23, 0, attr.cqn_snd);
	assert_int_equal(fixture_qp_modify(t->port, &u->end.qp, 0x502, 0, qpc), 0);
	assert_int_equal(fixture_qp_modify(t->port, &u->end.qp, 0x503, 0, qpc), 0);
	assert_int_equal(fixture_qp_modify(t->port, &u->end.qp, 0x504, 0, qpc), 0);
	u->xlt = fixture_alloc(t->f, 4096, 64);
}

/* Posts the UMR in @t, with @len bytes of entries at u->xlt by the PA key. */
static uint16_t post_umr(struct umr_test *t, struct umr_qp *u, uint32_t len)
{
	uint8_t wqe[144];

	fixture_ctrl(wqe, HCA_OP_UMR, SIGNALLED | 0x20, t->key);
	memcpy(wqe + 16, t->umr, 48);
	memcpy(wqe + 64, t->mkc, 64);
	fixture_data(wqe + 128, u->xlt, t->port->lkey, len);
	return fixture_post_send(t->port, &u->end.qp, wqe, len ? 144 : 128);
}

/* 1 MiB of entries, by several segments of the same memory; then one byte more. */
static void test_most_entries(void **state)
{
	enum { SEGMENT = 64 << 10, SEGMENTS = (1 << 20) / SEGMENT, OCTWORDS = UINT16_MAX };
	struct umr_test t = umr_test_new(state, OCTWORDS);
	uint8_t wqe[128 + 16 * (SEGMENTS + 1)];
	uint64_t entries = fixture_alloc(t.f, SEGMENT, 4096);
	struct umr_qp u;
	unsigned int i, more;

	umr_qp_new(&t, &u);
	memset(fixture_at(t.f, entries), 0x30, SEGMENT);
	set_load(&t, 0, 4096, 12, OCTWORDS, 0);
	for (more = 1; more <= 1; more--) {
		fixture_ctrl(wqe, HCA_OP_UMR, SIGNALLED, t.key);
		memcpy(wqe + 16, t.umr, 48);
		memcpy(wqe + 64, t.mkc, 64);
		for (i = 0; i < SEGMENTS; i++)
			fixture_data(wqe + 128 + 16 * i, entries, t.port->lkey, SEGMENT);
		fixture_data(wqe + 128 + 16 * i, entries, t.port->lkey, more);
		fixture_post_send(t.port, &u.end.qp, wqe, 128 + 16 * (SEGMENTS + more));
		fixture_poll(t.f);
		if (!more) {
			expect_done(&u.end, 0);
			assert_int_equal(t.mkey->xlt.octwords, OCTWORDS);
			continue;
		}
		expect_error(&u.end, 0, HCA_SYND_LOCAL_LENGTH);
		assert_true(mkc_free(t.mkey->mkc));
		assert_int_equal(t.mkey->xlt.octwords, 0);
		/* The queue is in error. */
		umr_qp_new(&t, &u);
	}
}

static void test_queue(void **state)
{
	struct umr_test t = umr_test_new(state, 4);
	struct umr_qp u;
	uint8_t *xlt;
	unsigned int round;

	umr_qp_new(&t, &u);
	xlt = fixture_at(t.f, u.xlt);
	/* 3 and 2 blocks in a ring of 16: wraps inside of WQEs. */
	for (round = 0; round < 20; round++) {
		const uint8_t *cqe;
		uint16_t index;

		be64_put(xlt, 0, (uint64_t)(4096 * (round + 1)) | 3);
		set_load(&t, 0x5000, 4096, 12, 4, 0);
		index = post_umr(&t, &u, 64);
		fixture_poll(t.f);
		cqe = expect_done(&u.end, index);
		assert_int_equal(cqe[0x38], HCA_OP_UMR);
		assert_int_equal(be64_at(fixture_xlt(t.mkey), 0), (4096 * (round + 1)) | 3);
		assert_false(mkc_free(t.mkey->mkc));
		memset(t.umr, 0, 48);
		t.umr[0] = HCA_UMR_INLINE;
		be64_put(t.umr, 8, MASK_REVOKE);
		be32_put(t.mkc, 0, 1u << 30);
		index = post_umr(&t, &u, 0);
		fixture_poll(t.f);
		expect_done(&u.end, index);
		assert_true(mkc_free(t.mkey->mkc));
	}
	assert_true(u.end.qp.sq_pi > 5 * 16);
	/* A failure: CQE, error state, flush. */
	set_load(&t, 0x5000, 4096, 12, 4, 0);
	t.umr[0] = HCA_UMR_MUST_LIVE;
	round = post_umr(&t, &u, 64);
	post_umr(&t, &u, 64);
	fixture_poll(t.f);
	expect_error(&u.end, (uint16_t)round, HCA_SYND_MW_BIND);
	expect_error(&u.end, (uint16_t)(round + 3), HCA_SYND_FLUSH);
	assert_int_equal(fixture_qp_state(t.port, &u.end.qp), HCA_QP_ERR);
}

/* Entries that cannot be read. */
static void test_queue_bad_entries(void **state)
{
	struct umr_test t = umr_test_new(state, 4);
	struct umr_qp u;

	umr_qp_new(&t, &u);
	set_load(&t, 0x5000, 4096, 12, 4, 0);
	u.xlt = FIXTURE_MEMORY;
	post_umr(&t, &u, 64);
	fixture_poll(t.f);
	expect_error(&u.end, 0, HCA_SYND_LOCAL_PROT);
	assert_true(mkc_free(t.mkey->mkc));
}

/* A user's QP: only keys of its PD that allow it, no DMA addresses, no other PD. */
static void test_user_queue(void **state)
{
	enum { OK, FOREIGN_PD, NOT_ENABLED, ADDRESSES, OTHER_PD };
	unsigned int what;

	for (what = OK; what <= OTHER_PD; what++) {
		struct umr_test t;
		uint8_t wqe[192] = { 0 }, before[64];
		struct end end;

		if (what) {
			fixture_teardown(state);
			fixture_setup(state);
		}
		t = umr_test_new(state, 4);
		end_create(&end, t.port, HCA_QP_RC, 0);
		fixture_qp_init(t.port, &end.qp);
		fixture_qp_rtr(t.port, &end.qp, 1, end.qp.number);
		fixture_qp_rts(t.port, &end.qp);
		field_put(t.mkey->mkc, 0, 30, 30, 0);
		if (what == FOREIGN_PD)
			field_put(t.mkey->mkc, 3, 23, 0, t.port->pd + 1);
		if (what == NOT_ENABLED)
			field_put(t.mkey->mkc, 0, 15, 15, 0);
		memcpy(before, t.mkey->mkc, 64);
		/* Local invalidate. */
		fixture_ctrl(wqe, HCA_OP_UMR, SIGNALLED, t.key);
		wqe[16] = HCA_UMR_INLINE;
		be64_put(wqe, 24, BIT64(29) | (what == OTHER_PD ? BIT64(7) : 0));
		be32_put(wqe, 64, 1u << 30);
		if (what == ADDRESSES)
			be16_put(wqe, 20, 4);
		fixture_post_send(t.port, &end.qp, wqe, what == ADDRESSES ? 192 : 128);
		fixture_poll(t.f);
		if (what == OK) {
			expect_done(&end, 0);
			assert_true(mkc_free(t.mkey->mkc));
		} else {
			expect_error(&end, 0, HCA_SYND_MW_BIND);
			assert_memory_equal(t.mkey->mkc, before, 64);
			assert_null(t.mkey->xlt.chunk);
		}
	}
}

/* Type 2 window: bind, remote write through it, only on its QP, invalidate. */
static void test_memory_window(void **state)
{
	struct umr_test t = umr_test_new(state, 4);
	struct hca_accessor other;
	uint8_t wqe[192] = { 0 };
	struct end a, b;

	end_create(&a, &t.f->port[1], HCA_QP_RC, 0);
	end_create(&b, t.port, HCA_QP_RC, 0);
	fixture_qp_connect(a.port, &a.qp, b.port, &b.qp);
	field_put(t.mkey->mkc, 0, 9, 8, HCA_MKC_KLM);
	field_put(t.mkey->mkc, 0, 10, 10, 1);
	fixture_ctrl(wqe, HCA_OP_UMR, SIGNALLED, t.key);
	wqe[16] = HCA_UMR_INLINE | HCA_UMR_OFFSET_EN | HCA_UMR_MUST_FREE;
	be16_put(wqe, 20, 4);
	be64_put(wqe, 24,
		 BIT64(29) | BIT64(13) | BIT64(14) | BIT64(0) | BIT64(6) | BIT64(18) | BIT64(19) |
			 BIT64(20) | BIT64(21));
	be32_put(wqe, 64, FIXTURE_REMOTE_WRITE);
	be32_put(wqe, 68, b.qp.number << 8 | 0x44);
	be64_put(wqe, 80, b.buf + 1000);
	be64_put(wqe, 88, 500);
	be32_put(wqe, 128, 500);
	be32_put(wqe, 132, b.lkey);
	be64_put(wqe, 136, b.buf + 1000);
	fixture_post_send(b.port, &b.qp, wqe, 192);
	fixture_poll(t.f);
	expect_done(&b, 0);
	t.key = (t.key & ~0xffu) | 0x44;
	fill(&a, 0, 500, 1);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf + 1000, t.key, a.buf, a.lkey, 500);
	fixture_poll(t.f);
	expect_done(&a, 0);
	assert_memory_equal(at(&b, 1000), at(&a, 0), 500);
	other = (struct hca_accessor){ .pd = t.port->pd, .qpn = b.qp.number + 1 };
	assert_int_equal(hca_mkey_check(t.hca, &other, t.key, b.buf + 1000, 1, HCA_REMOTE_WRITE),
			 HCA_DENIED_KEY);
	/* Bound already. */
	fixture_ctrl(wqe, HCA_OP_UMR, SIGNALLED, t.key);
	fixture_post_send(b.port, &b.qp, wqe, 192);
	fixture_poll(t.f);
	expect_error(&b, 3, HCA_SYND_MW_BIND);
}

/* Firmware that cannot load a key with TPH says so, and goes on with others. */
static void test_firmware_refuses_load(void **state)
{
	uint64_t pa = fixture_alloc(*state, 4096, 4096);
	struct umr_test t = umr_test_new(state, 4);
	uint8_t xlt[64] = { 0 }, before[64];

	t.hca->params.firmware = HCA_FIRMWARE_REFUSE_TPH_LOAD;
	be64_put(xlt, 0, pa | 3);
	set_load(&t, pa, 4096, 12, 1, 0);
	memcpy(before, t.mkey->mkc, sizeof(before));
	assert_int_equal(apply(&t, xlt, sizeof(xlt)), HCA_SYND_MW_BIND);
	assert_memory_equal(t.mkey->mkc, before, sizeof(before));
	assert_int_equal(revoke_key(&t), HCA_SYND_MW_BIND);
	assert_memory_equal(t.mkey->mkc, before, sizeof(before));
	be32_put(t.mkey->mkc, 15 * 4, 0);
	set_load(&t, pa, 4096, 12, 1, 0);
	assert_int_equal(apply(&t, xlt, sizeof(xlt)), HCA_SYND_NONE);
}

/* Firmware that cannot create one. */
static void test_firmware_refuses_key(void **state)
{
	struct fixture *f = *state;
	struct fixture_port *port = &f->port[0];
	uint8_t in[0x110] = { 0 }, out[16];

	be16_put(in, 0, 0x200);
	be32_put(in, 0x10, 1u << 30 | 1u << 15 | HCA_MKC_MTT << 8);
	be32_put(in, 0x14, 0xffffff00 | 0x33);
	be32_put(in, 0x1c, port->pd);
	be32_put(in, 0x10 + 14 * 4, 12);
	port->hca->params.firmware = HCA_FIRMWARE_REFUSE_TPH_KEY;
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	be32_put(in, 0x10 + 15 * 4, TPH_WORD);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), HCA_CMD_BAD_PARAM);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_masks),
		TEST(test_life),
		TEST(test_offsets),
		TEST(test_checks),
		TEST(test_most_entries),
		TEST(test_queue),
		TEST(test_queue_bad_entries),
		TEST(test_user_queue),
		TEST(test_memory_window),
		TEST(test_firmware_refuses_load),
		TEST(test_firmware_refuses_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
