/* SPDX-License-Identifier: GPL-2.0-only */
/* Fields of the memory key context, by their names in include/linux/mlx5/mlx5_ifc.h (mkc). */
#ifndef HCA_MKC_H
#define HCA_MKC_H

#include <stdbool.h>

#include "base/bits.h"

/* Fields: dword, high bit, low bit; with one number, bytes. */
#define MKC_FREE			0, 30, 30
#define MKC_ACCESS_MODE_4_2		0, 28, 26
#define MKC_ACCESS_MODE_1_0		0, 9, 8
#define MKC_UMR_EN			0, 15, 15
#define MKC_QPN				1, 31, 8
#define MKC_LENGTH64			3, 31, 31
#define MKC_EN_RINVAL			3, 24, 24
#define MKC_PD				3, 23, 0
#define MKC_LOG_PAGE_SIZE		14, 5, 0
#define MKC_PCIE_TPH_EN			15, 26, 26
#define MKC_PCIE_TPH_PH			15, 25, 24
#define MKC_PCIE_TPH_STEERING_TAG_INDEX 15, 23, 16
#define MKC_START_ADDR			0x10u
#define MKC_LEN				0x18u
#define MKC_TRANSLATIONS_OCTWORD_SIZE	0x34u
#define MKC_RIGHTS			0x00u /* the dword of lr, lw, rr, rw and a */
#define MKC_KEY_BYTE			0x07u

enum hca_mkc_mode {
	HCA_MKC_PA = 0,
	HCA_MKC_MTT = 1,
	HCA_MKC_KLM = 2,
	HCA_MKC_KSM = 3,
	HCA_MKC_MEMIC = 5,
};

#define HCA_MKC_ANY_QP	     0xffffffu
#define HCA_MKC_MIN_LOG_PAGE 12u /* log_pg_sz of the capabilities */

static inline bool mkc_free(const uint8_t *mkc)
{
	return field_get(mkc, MKC_FREE);
}

static inline uint8_t mkc_mode(const uint8_t *mkc)
{
	return (uint8_t)(field_get(mkc, MKC_ACCESS_MODE_4_2) << 2 |
			 field_get(mkc, MKC_ACCESS_MODE_1_0));
}

/* Entries name keys, not DMA addresses. */
static inline bool mkc_indirect(const uint8_t *mkc)
{
	return mkc_mode(mkc) == HCA_MKC_KLM || mkc_mode(mkc) == HCA_MKC_KSM;
}

static inline bool mkc_umr_en(const uint8_t *mkc)
{
	return field_get(mkc, MKC_UMR_EN);
}

static inline uint32_t mkc_qpn(const uint8_t *mkc)
{
	return field_get(mkc, MKC_QPN);
}

static inline uint8_t mkc_key_byte(const uint8_t *mkc)
{
	return mkc[MKC_KEY_BYTE];
}

static inline bool mkc_length64(const uint8_t *mkc)
{
	return field_get(mkc, MKC_LENGTH64);
}

static inline bool mkc_en_rinval(const uint8_t *mkc)
{
	return field_get(mkc, MKC_EN_RINVAL);
}

static inline uint32_t mkc_pd(const uint8_t *mkc)
{
	return field_get(mkc, MKC_PD);
}

static inline uint64_t mkc_start(const uint8_t *mkc)
{
	return be64_at(mkc, MKC_START_ADDR);
}

static inline uint64_t mkc_len(const uint8_t *mkc)
{
	return be64_at(mkc, MKC_LEN);
}

/* 16-byte units */
static inline uint32_t mkc_octwords(const uint8_t *mkc)
{
	return be32_at(mkc, MKC_TRANSLATIONS_OCTWORD_SIZE);
}

static inline unsigned int mkc_log_page(const uint8_t *mkc)
{
	return field_get(mkc, MKC_LOG_PAGE_SIZE);
}

static inline bool mkc_tph(const uint8_t *mkc)
{
	return field_get(mkc, MKC_PCIE_TPH_EN);
}

static inline uint8_t mkc_ph(const uint8_t *mkc)
{
	return (uint8_t)field_get(mkc, MKC_PCIE_TPH_PH);
}

static inline uint8_t mkc_st_index(const uint8_t *mkc)
{
	return (uint8_t)field_get(mkc, MKC_PCIE_TPH_STEERING_TAG_INDEX);
}

#endif
