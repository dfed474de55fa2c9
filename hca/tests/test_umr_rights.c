/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may change what of a key by UMR: each mask bit, wider and narrower, on keys of each mode,
 * from a user's QP, a QP with fast registration, and the driver's own.
 */
#include "hca/memic.h"
#include "hca/qp.h"
#include "hca/tests/traffic.h"

#define BIT64(n) ((uint64_t)1 << (n))
#define KEY_BYTE 0x33u

/* PROGRAM: a QP that a program made by a command of its own, which says that it may what FAST may.
 */
enum sender { USER, PROGRAM, FAST, DRIVER };

/* What a user's QP may do with a key of DMA addresses. */
enum rule { NEVER, NARROWER, ALWAYS };

static const struct {
	uint8_t bit, dw, hi, lo;
	uint32_t wide, narrow;
	enum rule rule;
} field[] = {
	{ 1, 14, 4, 0, 13, 12, NEVER },			/* log_page_size */
	{ 42, 14, 5, 5, 1, 0, NARROWER },		/* its sixth bit: narrow is as it was */
	{ 8, 3, 24, 24, 1, 0, NARROWER },		/* en_rinval */
	{ 9, 3, 26, 26, 1, 0, ALWAYS },			/* expected_sigerr_count */
	{ 12, 3, 30, 30, 1, 0, ALWAYS },		/* bsf_en */
	{ 13, 1, 7, 0, 0x44, KEY_BYTE, ALWAYS },	/* mkey_7_0 */
	{ 14, 1, 31, 8, 0xffffff, 7, NARROWER },	/* qpn, of a key for one QP */
	{ 17, 0, 10, 10, 1, 0, NARROWER },		/* lr */
	{ 18, 0, 11, 11, 1, 0, NARROWER },		/* lw */
	{ 19, 0, 12, 12, 1, 0, NARROWER },		/* rr */
	{ 20, 0, 13, 13, 1, 0, NARROWER },		/* rw */
	{ 21, 0, 14, 14, 1, 0, NARROWER },		/* a */
	{ 23, 0, 16, 16, 1, 0, ALWAYS },		/* small_fence_on_rdma_read_response */
	{ 25, 0, 18, 18, 1, 0, ALWAYS },		/* relaxed_ordering_write */
	{ 29, 0, 30, 30, 0, 1, NARROWER },		/* free: live is wider */
	{ 47, 14, 6, 6, 1, 0, ALWAYS },			/* relaxed_ordering_read */
	{ 6, 5, 31, 0, 0x10000800, 0x10000000, NEVER }, /* start_addr, low half */
};

struct rig {
	struct fixture_port *port;
	struct end end;
	struct hca_qp *qp;
	uint64_t page, memic;
};

static struct rig rig_new(void **state, enum sender sender)
{
	struct fixture *f = *state;
	struct rig rig = { .port = &f->port[0] };
	uint8_t in[0x20] = { 0 }, out[16];

	end_create(&rig.end, rig.port, HCA_QP_RC, 0);
	fixture_qp_init(rig.port, &rig.end.qp);
	fixture_qp_rtr(rig.port, &rig.end.qp, 1, rig.end.qp.number);
	fixture_qp_rts(rig.port, &rig.end.qp);
	rig.qp = hca_table_get(&rig.port->hca->qps, rig.end.qp.number);
	if (sender == FAST || sender == PROGRAM)
		field_put(rig.qp->qpc, QPC_FRE, 1);
	if (sender == PROGRAM)
		rig.qp->uid = 1;
	if (sender == DRIVER)
		rig.qp->type = HCA_QP_REG_UMR;
	rig.page = fixture_alloc(f, 4096, 4096);
	be16_put(in, 0, 0x205);
	be64_put(in, 0x10, HCA_MEMIC_OFFSET);
	be32_put(in, 0x18, 8192);
	be32_put(in, 0x1c, 8192);
	assert_int_equal(fixture_cmd(rig.port, in, sizeof(in), out, sizeof(out)), 0);
	rig.memic = be64_at(out, 8);
	return rig;
}

/* A live key of one page (or of half the device memory), for QP 7 when @bound. */
static struct hca_mkey *key_new(struct rig *rig, enum hca_mkc_mode mode, uint32_t rights,
				bool bound)
{
	uint8_t in[0x120] = { 0 }, out[16], *mkc = in + 0x10;
	struct hca_mkey *mkey;

	be16_put(in, 0, 0x200);
	be32_put(mkc, 0, rights | 1u << 15 | (uint32_t)mode >> 2 << 26 | ((uint32_t)mode & 3) << 8);
	be32_put(mkc, 4, (bound ? 7u : HCA_MKC_ANY_QP) << 8 | KEY_BYTE);
	be32_put(mkc, 12, rig->port->pd);
	be64_put(mkc, 0x10, mode == HCA_MKC_MEMIC ? rig->memic : 0x10000000);
	be64_put(mkc, 0x18, 4096);
	be32_put(mkc, 0x34, 4);
	be32_put(mkc, 0x38, 12);
	be32_put(in, 0x60, 1);
	be64_put(in, 0x110, rig->page);
	if (mode == HCA_MKC_KLM || mode == HCA_MKC_KSM) {
		be32_put(in, 0x110, 4096);
		be32_put(in, 0x114, rig->port->lkey);
		be64_put(in, 0x118, rig->page);
	}
	assert_int_equal(fixture_cmd(rig->port, in, sizeof(in), out, sizeof(out)), 0);
	mkey = hca_table_get(&rig->port->hca->mkeys, be32_at(out, 8) & 0xffffff);
	assert_non_null(mkey);
	return mkey;
}

/* Posts a UMR with @mask, @mkc and @octwords inline; the QP lives on. Returns the syndrome. */
static uint8_t umr(struct rig *rig, struct hca_mkey *mkey, uint64_t mask, const uint8_t mkc[64],
		   unsigned int octwords)
{
	uint8_t wqe[192] = { 0 };
	const uint8_t *cqe;

	fixture_ctrl(wqe, HCA_OP_UMR, SIGNALLED, mkey->index << 8 | mkc_key_byte(mkey->mkc));
	wqe[16] = HCA_UMR_INLINE;
	be16_put(wqe, 20, (uint16_t)octwords);
	be64_put(wqe, 24, mask);
	memcpy(wqe + 64, mkc, 64);
	be32_put(wqe + 128, 4, rig->port->lkey);
	fixture_post_send(rig->port, &rig->end.qp, wqe, octwords ? 192 : 128);
	fixture_poll(rig->port->fixture);
	cqe = fixture_cq_next(rig->port, &rig->end.scq);
	assert_non_null(cqe);
	rig->qp->state = HCA_QP_RTS;
	return cqe_opcode(cqe) == HCA_CQE_REQ ? 0 : cqe[0x37];
}

/* The UMR is carried out: exactly @want is the context; or refused, and nothing has changed. */
static void expect(struct rig *rig, struct hca_mkey *mkey, uint64_t mask, const uint8_t mkc[64],
		   const uint8_t want[64], bool allowed)
{
	uint8_t before[64], entry[16];

	memcpy(before, mkey->mkc, sizeof(before));
	memcpy(entry, hca_xlt_octword(&mkey->xlt, 0), sizeof(entry));
	assert_int_equal(umr(rig, mkey, mask, mkc, 0), allowed ? 0 : HCA_SYND_MW_BIND);
	assert_memory_equal(mkey->mkc, allowed ? want : before, sizeof(before));
	if (!mkc_free(mkey->mkc))
		assert_memory_equal(hca_xlt_octword(&mkey->xlt, 0), entry, sizeof(entry));
}

static void check_field(struct rig *rig, enum sender sender, enum hca_mkc_mode mode, size_t i,
			bool wide)
{
	bool direct = mode != HCA_MKC_KLM && mode != HCA_MKC_KSM;
	/* From the narrow value, or from the wide one. */
	bool rights_bit = field[i].dw == 0 && field[i].lo >= 10 && field[i].lo <= 14;
	struct hca_mkey *mkey = key_new(rig, mode, rights_bit && wide ? 0 : FIXTURE_ALL, wide);
	uint8_t mkc[64] = { 0 }, want[64];
	bool allowed = sender > PROGRAM || !direct || field[i].rule == ALWAYS ||
		       (field[i].rule == NARROWER && !wide);

	if (field[i].bit == 29 && wide)
		field_put(mkey->mkc, 0, 30, 30, 1);
	if (field[i].bit == 8 && !wide)
		field_put(mkey->mkc, 3, 24, 24, 1);
	if (mode == HCA_MKC_MEMIC && field[i].bit == 6) {
		/* Its start is a place in the BAR, and has to be in an allocation whoever asks. */
		be64_put(mkc, 0x10, wide ? rig->memic + 4096 : 0x10000000);
		memcpy(want, mkey->mkc, sizeof(want));
		be64_put(want, 0x10, rig->memic + 4096);
		expect(rig, mkey, BIT64(6), mkc, want, sender > PROGRAM && wide);
		return;
	}
	field_put(mkc, field[i].dw, field[i].hi, field[i].lo,
		  wide ? field[i].wide : field[i].narrow);
	if (field[i].rule == NEVER && !wide) {
		/* What is not changed is allowed, whatever the rule. */
		allowed = true;
	}
	memcpy(want, mkey->mkc, sizeof(want));
	field_put(want, field[i].dw, field[i].hi, field[i].lo,
		  wide ? field[i].wide : field[i].narrow);
	expect(rig, mkey, BIT64(field[i].bit), mkc, want, allowed);
}

static void test_each_field(void **state)
{
	static const enum hca_mkc_mode modes[] = { HCA_MKC_PA, HCA_MKC_MTT, HCA_MKC_KLM,
						   HCA_MKC_KSM, HCA_MKC_MEMIC };

	for (enum sender sender = USER; sender <= DRIVER; sender++) {
		struct rig rig = rig_new(state, sender);

		for (unsigned int n = 0; n < sizeof(modes) / sizeof(modes[0]); n++) {
			for (size_t i = 0; i < 2 * sizeof(field) / sizeof(field[0]); i++)
				check_field(&rig, sender, modes[n], i / 2, i % 2);
		}
		fixture_teardown(state);
		fixture_setup(state);
	}
}

static void test_length(void **state)
{
	static const struct {
		uint64_t len;
		bool length64, user, memic;
	} cases[] = {
		{ 4096, false, true, true },  { 4095, false, true, true },
		{ 0, false, true, true },     { 4097, false, false, true },
		{ 8192, false, false, true }, { 8193, false, false, false },
		{ 0, true, false, false },    { UINT64_MAX, false, false, false },
	};

	for (enum sender sender = USER; sender <= DRIVER; sender++) {
		struct rig rig = rig_new(state, sender);

		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			struct hca_mkey *mtt = key_new(&rig, HCA_MKC_MTT, FIXTURE_ALL, false);
			struct hca_mkey *memic = key_new(&rig, HCA_MKC_MEMIC, FIXTURE_ALL, false);
			uint8_t mkc[64] = { 0 }, want[64];

			be64_put(mkc, 0x18, cases[i].len);
			field_put(mkc, 3, 31, 31, cases[i].length64);
			memcpy(want, mtt->mkc, sizeof(want));
			be64_put(want, 0x18, cases[i].len);
			field_put(want, 3, 31, 31, cases[i].length64);
			expect(&rig, mtt, BIT64(0), mkc, want, sender > PROGRAM || cases[i].user);
			be64_put(want, 0x10, rig.memic);
			field_put(want, 0, 28, 26, HCA_MKC_MEMIC >> 2);
			/* Nobody makes it longer than its allocation. */
			expect(&rig, memic, BIT64(0), mkc, want,
			       cases[i].memic && (sender > PROGRAM || cases[i].user));
		}
		fixture_teardown(state);
		fixture_setup(state);
	}
}

/* Entries, and the protection domain. */
static void test_entries_and_pd(void **state)
{
	for (enum sender sender = USER; sender <= DRIVER; sender++) {
		struct rig rig = rig_new(state, sender);
		struct hca_mkey *mtt = key_new(&rig, HCA_MKC_MTT, FIXTURE_ALL, false);
		struct hca_mkey *klm = key_new(&rig, HCA_MKC_KLM, FIXTURE_ALL, false);
		uint8_t mkc[64] = { 0 }, before[16];

		memcpy(before, hca_xlt_octword(&mtt->xlt, 0), sizeof(before));
		assert_int_equal(umr(&rig, mtt, 0, mkc, 4),
				 sender <= PROGRAM ? HCA_SYND_MW_BIND : 0);
		if (sender <= PROGRAM)
			assert_memory_equal(hca_xlt_octword(&mtt->xlt, 0), before, sizeof(before));
		assert_int_equal(umr(&rig, klm, 0, mkc, 4), 0);
		be32_put(mkc, 12, rig.port->pd + 1);
		assert_int_equal(umr(&rig, klm, BIT64(7), mkc, 0),
				 sender == DRIVER ? 0 : HCA_SYND_MW_BIND);
		assert_int_equal(mkc_pd(klm->mkc), rig.port->pd + (sender == DRIVER));
		fixture_teardown(state);
		fixture_setup(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_field, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_length, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_entries_and_pd, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
