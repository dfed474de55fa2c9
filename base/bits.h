/* SPDX-License-Identifier: GPL-2.0-only */
/* Big-endian 32-bit words and bit fields in them: dwN[hi:lo], bit 31 the most significant. */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t be32_at(const void *p, size_t offset)
{
	uint32_t v;

	memcpy(&v, (const uint8_t *)p + offset, sizeof(v));
	return be32toh(v);
}

static inline uint64_t be64_at(const void *p, size_t offset)
{
	uint64_t v;

	memcpy(&v, (const uint8_t *)p + offset, sizeof(v));
	return be64toh(v);
}

static inline uint16_t be16_at(const void *p, size_t offset)
{
	uint16_t v;

	memcpy(&v, (const uint8_t *)p + offset, sizeof(v));
	return be16toh(v);
}

static inline void be32_put(void *p, size_t offset, uint32_t value)
{
	value = htobe32(value);
	memcpy((uint8_t *)p + offset, &value, sizeof(value));
}

static inline void be64_put(void *p, size_t offset, uint64_t value)
{
	value = htobe64(value);
	memcpy((uint8_t *)p + offset, &value, sizeof(value));
}

static inline void be16_put(void *p, size_t offset, uint16_t value)
{
	value = htobe16(value);
	memcpy((uint8_t *)p + offset, &value, sizeof(value));
}

/* dw[hi:lo] of the structure at @p. */
static inline uint32_t field_get(const void *p, unsigned int dw, unsigned int hi, unsigned int lo)
{
	uint32_t v = be32_at(p, 4 * (size_t)dw) >> lo;

	return hi - lo == 31 ? v : v & ((1u << (hi - lo + 1)) - 1);
}

static inline void field_put(void *p, unsigned int dw, unsigned int hi, unsigned int lo,
			     uint32_t value)
{
	uint32_t mask = hi - lo == 31 ? UINT32_MAX : ((1u << (hi - lo + 1)) - 1) << lo;
	uint32_t v = be32_at(p, 4 * (size_t)dw);

	be32_put(p, 4 * (size_t)dw, (v & ~mask) | ((value << lo) & mask));
}

#endif
