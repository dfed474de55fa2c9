/* SPDX-License-Identifier: GPL-2.0-only */
/* Fields of the memory key context, by their names in include/linux/mlx5/mlx5_ifc.h (mkc). */
#ifndef HCA_MKC_H
#define HCA_MKC_H

#include <stdbool.h>

#include "base/bits.h"

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
	return field_get(mkc, 0, 30, 30);
}

static inline uint8_t mkc_mode(const uint8_t *mkc)
{
	return (uint8_t)(field_get(mkc, 0, 28, 26) << 2 | field_get(mkc, 0, 9, 8));
}

/* Entries name keys, not DMA addresses. */
static inline bool mkc_indirect(const uint8_t *mkc)
{
	return mkc_mode(mkc) == HCA_MKC_KLM || mkc_mode(mkc) == HCA_MKC_KSM;
}

static inline bool mkc_umr_en(const uint8_t *mkc)
{
	return field_get(mkc, 0, 15, 15);
}

static inline uint32_t mkc_qpn(const uint8_t *mkc)
{
	return field_get(mkc, 1, 31, 8);
}

static inline uint8_t mkc_key_byte(const uint8_t *mkc)
{
	return mkc[7];
}

static inline bool mkc_length64(const uint8_t *mkc)
{
	return field_get(mkc, 3, 31, 31);
}

static inline bool mkc_en_rinval(const uint8_t *mkc)
{
	return field_get(mkc, 3, 24, 24);
}

static inline uint32_t mkc_pd(const uint8_t *mkc)
{
	return field_get(mkc, 3, 23, 0);
}

static inline uint64_t mkc_start(const uint8_t *mkc)
{
	return be64_at(mkc, 0x10);
}

static inline uint64_t mkc_len(const uint8_t *mkc)
{
	return be64_at(mkc, 0x18);
}

/* 16-byte units */
static inline uint32_t mkc_octwords(const uint8_t *mkc)
{
	return be32_at(mkc, 13 * 4);
}

static inline unsigned int mkc_log_page(const uint8_t *mkc)
{
	return field_get(mkc, 14, 5, 0);
}

static inline bool mkc_tph(const uint8_t *mkc)
{
	return field_get(mkc, 15, 26, 26);
}

static inline uint8_t mkc_ph(const uint8_t *mkc)
{
	return (uint8_t)field_get(mkc, 15, 25, 24);
}

static inline uint8_t mkc_st_index(const uint8_t *mkc)
{
	return (uint8_t)field_get(mkc, 15, 23, 16);
}

#endif
