/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User-mode memory registration: WQEs that load translations into a key and change its context.
 * The TPH fields have no mask bit: a key keeps those of CREATE_MKEY through revoke and reuse.
 */
#include <errno.h>
#include <stdlib.h>

#include "hca/data.h"
#include "hca/mkc.h"

/* Bits of the UMR control segment's mkey_mask (MLX5_MKEY_MASK_*) and the context bits they open. */
#define MASK_LEN	0
#define MASK_START_ADDR 6
#define MASK_PD		7
#define MASK_MKEY_BYTE	13
#define MASK_FREE	29

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

static void drop_entries(struct hca_mkey *mkey)
{
	free(mkey->xlt);
	mkey->xlt = NULL;
	mkey->xlt_octwords = 0;
	mkey->umr_loaded = false;
}

/* Room for @octwords, zeroed: entries that nobody wrote are "not present". */
static int grow(struct hca_mkey *mkey, uint32_t octwords)
{
	uint8_t *xlt;

	if (octwords <= mkey->xlt_octwords)
		return 0;
	xlt = realloc(mkey->xlt, 16 * (size_t)octwords);
	if (!xlt)
		return -ENOMEM;
	memset(xlt + 16 * (size_t)mkey->xlt_octwords, 0,
	       16 * (size_t)(octwords - mkey->xlt_octwords));
	mkey->xlt = xlt;
	mkey->xlt_octwords = octwords;
	return 0;
}

static int load(struct hca_mkey *mkey, const uint8_t umr[48], const uint8_t *xlt, size_t xlt_len)
{
	uint64_t octwords = be16_at(umr, 4), offset = 0, room = mkc_octwords(mkey->mkc);

	if (umr[0] & HCA_UMR_OFFSET_EN)
		offset = (uint64_t)be32_at(umr, 0x10) << 16 | be16_at(umr, 6);
	if (octwords > xlt_len / 16)
		octwords = xlt_len / 16;
	if (!octwords)
		return 0;
	/* The last chunk is padded to 64 bytes and may end past the table: that part is dropped. */
	if (offset >= room)
		return 0;
	if (octwords > room - offset)
		octwords = room - offset;
	if (grow(mkey, (uint32_t)(offset + octwords)))
		return -ENOMEM;
	memcpy(mkey->xlt + 16 * offset, xlt, 16 * octwords);
	mkey->umr_loaded = true;
	return 0;
}

static void apply_fields(struct hca_mkey *mkey, uint64_t mask, const uint8_t mkc[64])
{
	size_t i;

	for (i = 0; i < sizeof(field) / sizeof(field[0]); i++)
		if (mask >> field[i].mask_bit & 1)
			field_put(mkey->mkc, field[i].dw, field[i].hi, field[i].lo,
				  field_get(mkc, field[i].dw, field[i].hi, field[i].lo));
	if (mask >> MASK_LEN & 1)
		be64_put(mkey->mkc, 0x18, mkc_len(mkc));
	if (mask >> MASK_START_ADDR & 1)
		be64_put(mkey->mkc, 0x10, mkc_start(mkc));
}

static bool state_allows(const struct hca_mkey *mkey, const struct hca_accessor *who, uint32_t key,
			 const uint8_t umr[48], uint64_t mask)
{
	bool is_free = mkc_free(mkey->mkc);

	if ((umr[0] & HCA_UMR_MUST_FREE) && !is_free)
		return false;
	if ((umr[0] & HCA_UMR_MUST_LIVE) && is_free)
		return false;
	/* A key that is bound to no QP passes. */
	if ((umr[0] & HCA_UMR_CHECK_QPN) && mkc_qpn(mkey->mkc) != HCA_MKC_ANY_QP &&
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
	uint64_t mask = be64_at(umr, 8);
	bool was_free;

	if (!mkey || !state_allows(mkey, who, key, umr, mask))
		return HCA_SYND_MW_BIND;
	if (load(mkey, umr, xlt, xlt_len))
		return HCA_SYND_LOCAL_QP_OP;
	was_free = mkc_free(mkey->mkc);
	apply_fields(mkey, mask, mkc);
	if (mkc_free(mkey->mkc) && mask >> MASK_FREE & 1) {
		drop_entries(mkey);
	} else if (was_free && !mkc_free(mkey->mkc)) {
		mkey->remote_write_bytes = mkey->remote_read_bytes = 0;
		mkey->dma_low = mkey->dma_high = 0;
	}
	return HCA_SYND_NONE;
}

/*
 * The driver's own UMR QP may change any key, others only keys of their PD that allow it. DMA
 * addresses are for QPs that the kernel vouches for (qpc.fre); the list of a memory window names
 * keys, which are checked when it is used.
 */
static bool may_change(struct hca_qp *qp, const struct hca_wqe *wqe)
{
	struct hca_mkey *mkey = hca_table_get(&qp->hca->mkeys, wqe->imm >> 8);

	if (qp->type == HCA_QP_REG_UMR)
		return true;
	if (!mkey || !mkc_umr_en(mkey->mkc) || mkc_pd(mkey->mkc) != qp->pd)
		return false;
	if (be64_at(wqe->umr, 8) >> MASK_PD & 1)
		return false;
	return !(wqe->length || wqe->xlt_len) || mkc_mode(mkey->mkc) == HCA_MKC_KLM ||
	       field_get(qp->qpc, 28, 11, 11);
}

/* Translation entries by the WQE's data segments into *@xlt, for the caller to free. */
static uint8_t fetch_entries(struct hca_qp *qp, const struct hca_wqe *wqe, uint8_t **xlt)
{
	struct hca_sgl sgl = hca_wqe_sgl(qp);
	struct hca_bad bad;

	*xlt = NULL;
	if (!wqe->length)
		return HCA_SYND_NONE;
	/* xlt_octowords has 16 bits: no driver sends more. */
	if (wqe->length > 16u << 16)
		return HCA_SYND_LOCAL_LENGTH;
	*xlt = malloc(wqe->length);
	if (!*xlt)
		return HCA_SYND_LOCAL_QP_OP;
	if (hca_sgl_gather(&sgl, 0, *xlt, wqe->length, &bad) == HCA_OK)
		return HCA_SYND_NONE;
	free(*xlt);
	*xlt = NULL;
	return HCA_SYND_LOCAL_PROT;
}

enum hca_step hca_umr_step(struct hca_qp *qp, uint8_t *syndrome)
{
	struct hca_accessor who = hca_qp_accessor(qp);
	const struct hca_wqe *wqe = &hca_flow(qp)->wqe;
	uint8_t *xlt;

	if (!may_change(qp, wqe)) {
		*syndrome = HCA_SYND_MW_BIND;
		return HCA_STEP_ERROR;
	}
	*syndrome = fetch_entries(qp, wqe, &xlt);
	if (*syndrome)
		return HCA_STEP_ERROR;
	*syndrome = hca_umr_apply(qp->hca, &who, wqe->imm, wqe->umr, wqe->mkc, xlt ? xlt : wqe->xlt,
				  xlt ? wqe->length : wqe->xlt_len);
	free(xlt);
	return *syndrome ? HCA_STEP_ERROR : HCA_STEP_DONE;
}

bool hca_umr_invalidate(struct hca *hca, uint32_t pd, uint32_t key)
{
	struct hca_mkey *mkey = hca_table_get(&hca->mkeys, key >> 8);

	if (!mkey || mkc_free(mkey->mkc) || mkc_key_byte(mkey->mkc) != (uint8_t)key ||
	    mkc_pd(mkey->mkc) != pd || !mkc_en_rinval(mkey->mkc))
		return false;
	field_put(mkey->mkc, 0, 30, 30, 1);
	drop_entries(mkey);
	return true;
}
