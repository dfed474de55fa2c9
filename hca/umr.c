/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * User-mode memory registration: WQEs that load translations into a key and change its context.
 * The TPH fields have no mask bit: a key keeps those of CREATE_MKEY through revoke and reuse.
 */
#include <errno.h>
#include <string.h>

#include "hca/data.h"
#include "hca/layout.h"
#include "hca/memic.h"
#include "hca/mkc.h"
#include "hca/qp.h"

/* Bits of the UMR control segment's mkey_mask (MLX5_MKEY_MASK_*) and the context bits they open. */
#define MASK_LEN	0
#define MASK_START_ADDR 6
#define MASK_PD		7
#define MASK_MKEY_BYTE	13
#define MASK_FREE	29

/* Bytes of translation entries: xlt_octowords has 16 bits, no driver sends more. */
#define ENTRIES_MAX (16u << 16)

static const struct {
	uint8_t mask_bit, dw, hi, lo;
} field[] = {
	{ 1, 14, 4, 0 },   /* log_page_size */
	{ 42, 14, 5, 5 },  /* its sixth bit */
	{ 7, 3, 23, 0 },   /* pd */
	{ 8, 3, 24, 24 },  /* en_rinval */
	{ 9, 3, 26, 26 },  /* expected_sigerr_count */
	{ 12, 3, 30, 30 }, /* bsf_en */
	{ 13, 1, 7, 0 },   /* mkey_7_0 */
	{ 14, 1, 31, 8 },  /* qpn */
	{ 17, 0, 10, 10 }, /* lr */
	{ 18, 0, 11, 11 }, /* lw */
	{ 19, 0, 12, 12 }, /* rr */
	{ 20, 0, 13, 13 }, /* rw */
	{ 21, 0, 14, 14 }, /* a */
	{ 23, 0, 16, 16 }, /* small_fence_on_rdma_read_response */
	{ 25, 0, 18, 18 }, /* relaxed_ordering_write */
	{ 29, 0, 30, 30 }, /* free */
	{ 47, 14, 6, 6 },  /* relaxed_ordering_read */
	{ 0, 3, 31, 31 },  /* length64 travels with len */
};

static void drop_entries(struct hca *hca, struct hca_mkey *mkey)
{
	hca_xlt_drop(hca, &mkey->xlt);
	mkey->umr_loaded = false;
}

/* Returns 0 or -ENOMEM, and nothing is changed. */
static int load(struct hca *hca, struct hca_mkey *mkey, const uint8_t umr[48], const uint8_t *xlt,
		size_t xlt_len)
{
	uint64_t octwords = be16_at(umr, UMR_XLT_OCTWORDS), offset = 0,
		 room = mkc_octwords(mkey->mkc);

	if (umr[UMR_FLAGS] & HCA_UMR_OFFSET_EN)
		offset = (uint64_t)be32_at(umr, UMR_XLT_OFFSET_47_16) << 16 |
			 be16_at(umr, UMR_XLT_OFFSET_15_0);
	if (octwords > xlt_len / 16)
		octwords = xlt_len / 16;
	if (!octwords)
		return 0;
	/* The last chunk is padded to 64 bytes and may end past the table: that part is dropped. */
	if (offset >= room)
		return 0;
	if (octwords > room - offset)
		octwords = room - offset;
	if (hca_xlt_store(hca, &mkey->xlt, (uint32_t)offset, xlt, (uint32_t)octwords))
		return -ENOMEM;
	mkey->umr_loaded = true;
	return 0;
}

/* @context with the fields of @mkc that @mask opens. */
static void apply_fields(uint8_t context[64], uint64_t mask, const uint8_t mkc[64])
{
	size_t i;

	for (i = 0; i < sizeof(field) / sizeof(field[0]); i++)
		if (mask >> field[i].mask_bit & 1)
			field_put(context, field[i].dw, field[i].hi, field[i].lo,
				  field_get(mkc, field[i].dw, field[i].hi, field[i].lo));
	if (mask >> MASK_LEN & 1)
		be64_put(context, MKC_LEN, mkc_len(mkc));
	if (mask >> MASK_START_ADDR & 1)
		be64_put(context, MKC_START_ADDR, mkc_start(mkc));
}

static bool state_allows(const struct hca_mkey *mkey, const struct hca_accessor *who, uint32_t key,
			 const uint8_t umr[48], uint64_t mask)
{
	bool is_free = mkc_free(mkey->mkc);

	if ((umr[UMR_FLAGS] & HCA_UMR_MUST_FREE) && !is_free)
		return false;
	if ((umr[UMR_FLAGS] & HCA_UMR_MUST_LIVE) && is_free)
		return false;
	/* A key that is bound to no QP passes. */
	if ((umr[UMR_FLAGS] & HCA_UMR_CHECK_QPN) && mkc_qpn(mkey->mkc) != HCA_MKC_ANY_QP &&
	    mkc_qpn(mkey->mkc) != who->qpn)
		return false;
	/* The key byte counts once the key is live, unless this UMR gives it a new one. */
	return is_free || mask >> MASK_MKEY_BYTE & 1 || mkc_key_byte(mkey->mkc) == (uint8_t)key;
}

uint8_t hca_umr_apply(struct hca *hca, const struct hca_accessor *who, uint32_t key,
		      const uint8_t umr[48], const uint8_t mkc[64], const uint8_t *xlt,
		      size_t xlt_len)
{
	struct hca_mkey *mkey = hca_table_get(&hca->mkeys, key >> 8);
	uint64_t mask = be64_at(umr, UMR_MKEY_MASK);
	uint8_t context[64];
	bool was_free;

	if (!mkey || !state_allows(mkey, who, key, umr, mask))
		return HCA_SYND_MW_BIND;
	if (mkc_tph(mkey->mkc) && hca->params.firmware == HCA_FIRMWARE_REFUSE_TPH_LOAD)
		return HCA_SYND_MW_BIND;
	memcpy(context, mkey->mkc, sizeof(context));
	apply_fields(context, mask, mkc);
	/* A key of a umem stays one: it has no entries, and gives no byte but those of the umem. */
	if (mkey->umem.count ? xlt_len : !hca_mkey_valid(hca, context))
		return HCA_SYND_MW_BIND;
	if (load(hca, mkey, umr, xlt, xlt_len))
		return HCA_SYND_LOCAL_QP_OP;
	was_free = mkc_free(mkey->mkc);
	memcpy(mkey->mkc, context, sizeof(context));
	hca_memic_hold(hca, mkey);
	if (mkc_free(mkey->mkc) && mask >> MASK_FREE & 1) {
		drop_entries(hca, mkey);
	} else if (was_free && !mkc_free(mkey->mkc)) {
		mkey->remote_write_bytes = mkey->remote_read_bytes = 0;
		mkey->dma_low = mkey->dma_high = 0;
	}
	return HCA_SYND_NONE;
}

/* --- who may do what ----------------------------------------------------------------------- */

/*
 * Whether a key of DMA addresses with context @to lets nobody do what it did not with @from: fewer
 * bytes of the same place, fewer rights, for one QP only, invalidated.
 */
static bool narrows(const uint8_t from[64], const uint8_t to[64])
{
	const uint32_t rights = 0x1fu << 10;

	if (be32_at(to, MKC_RIGHTS) & ~be32_at(from, MKC_RIGHTS) & rights)
		return false;
	if (mkc_start(to) != mkc_start(from) || mkc_log_page(to) != mkc_log_page(from))
		return false;
	if (mkc_length64(to) ? !mkc_length64(from)
			     : !mkc_length64(from) && mkc_len(to) > mkc_len(from))
		return false;
	if (mkc_qpn(to) != mkc_qpn(from) && mkc_qpn(from) != HCA_MKC_ANY_QP)
		return false;
	return (!mkc_free(from) || mkc_free(to)) && (mkc_en_rinval(from) || !mkc_en_rinval(to));
}

/*
 * The driver's own UMR QP may change any key, others only keys of their PD that allow it. DMA
 * addresses, and what of the memory behind them a key gives, are for QPs that the kernel vouches
 * for (qpc.fre, and no program's context made it). All others may change keys whose entries name
 * keys, as memory windows are: the inner keys are checked when they are used.
 */
static bool may_change(struct hca_qp *qp, const struct hca_wqe *wqe)
{
	struct hca_mkey *mkey = hca_table_get(&qp->hca->mkeys, wqe->imm >> 8);
	uint64_t mask = be64_at(wqe->umr, UMR_MKEY_MASK);
	uint8_t context[64];

	if (qp->type == HCA_QP_REG_UMR)
		return true;
	if (!mkey || !mkc_umr_en(mkey->mkc) || mkc_pd(mkey->mkc) != qp->pd || mask >> MASK_PD & 1)
		return false;
	if ((field_get(qp->qpc, QPC_FRE) && !qp->uid) || mkc_indirect(mkey->mkc))
		return true;
	memcpy(context, mkey->mkc, sizeof(context));
	apply_fields(context, mask, wqe->mkc);
	return !wqe->length && !wqe->xlt_len && narrows(mkey->mkc, context);
}

enum hca_step hca_umr_step(struct hca_qp *qp, uint8_t *syndrome)
{
	struct hca_accessor who = hca_qp_accessor(qp);
	struct hca_progress *progress = hca_progress(qp);
	const struct hca_wqe *wqe = &progress->wqe;
	enum hca_step step = HCA_STEP_DONE;

	if (!may_change(qp, wqe)) {
		*syndrome = HCA_SYND_MW_BIND;
		return HCA_STEP_ERROR;
	}
	if (wqe->length > ENTRIES_MAX) {
		*syndrome = HCA_SYND_LOCAL_LENGTH;
		return HCA_STEP_ERROR;
	}
	if (wqe->length)
		step = hca_stage(qp, 0, syndrome);
	if (step != HCA_STEP_DONE)
		return step;
	*syndrome = hca_umr_apply(qp->hca, &who, wqe->imm, wqe->umr, wqe->mkc,
				  wqe->length ? progress->staged : wqe->xlt,
				  wqe->length ? wqe->length : wqe->xlt_len);
	return *syndrome ? HCA_STEP_ERROR : HCA_STEP_DONE;
}

bool hca_umr_invalidate(struct hca *hca, uint32_t pd, uint32_t key)
{
	struct hca_mkey *mkey = hca_table_get(&hca->mkeys, key >> 8);

	if (!mkey || mkc_free(mkey->mkc) || mkc_key_byte(mkey->mkc) != (uint8_t)key ||
	    mkc_pd(mkey->mkc) != pd || !mkc_en_rinval(mkey->mkc))
		return false;
	field_put(mkey->mkc, MKC_FREE, 1);
	hca_memic_hold(hca, mkey);
	drop_entries(hca, mkey);
	return true;
}
