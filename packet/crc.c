/* SPDX-License-Identifier: GPL-2.0-only */
#include "packet/crc.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include "packet/layout.h"

#define CRC32_POLYNOMIAL 0xedb88320u /* x^32 + x^26 + ... + 1 of Ethernet, low bit first */
#define CRC16_POLYNOMIAL 0xd008u     /* x^16 + x^12 + x^3 + x + 1, low bit first */

/* What masked fields count as. */
#define ONES 0xff

/* Tables for a byte that is followed by so many others: eight bytes are one step. */
static uint32_t crc32_table[8][256];
static uint16_t crc16_table[256];

__attribute__((constructor)) static void make_tables(void)
{
	for (unsigned int i = 0; i < 256; i++) {
		uint32_t crc32 = i;
		uint16_t crc16 = (uint16_t)i;

		for (unsigned int bit = 0; bit < 8; bit++) {
			crc32 = crc32 >> 1 ^ (crc32 & 1 ? CRC32_POLYNOMIAL : 0);
			crc16 = (uint16_t)(crc16 >> 1 ^ (crc16 & 1 ? CRC16_POLYNOMIAL : 0));
		}
		crc32_table[0][i] = crc32;
		crc16_table[i] = crc16;
	}
	for (unsigned int more = 1; more < 8; more++)
		for (unsigned int i = 0; i < 256; i++) {
			uint32_t crc = crc32_table[more - 1][i];

			crc32_table[more][i] = crc >> 8 ^ crc32_table[0][crc & 0xff];
		}
}

static uint32_t crc32(uint32_t crc, const uint8_t *p, size_t len)
{
	for (; len >= 8; p += 8, len -= 8) {
		uint64_t word;

		memcpy(&word, p, sizeof(word));
		word = le64toh(word) ^ crc;
		crc = 0;
		for (unsigned int i = 0; i < 8; i++)
			crc ^= crc32_table[7 - i][word >> 8 * i & 0xff];
	}
	for (; len; p++, len--)
		crc = crc >> 8 ^ crc32_table[0][(crc ^ *p) & 0xff];
	return crc;
}

/* @headers: @len bytes with ones in the place of what may change; then @rest. */
static uint32_t icrc(uint8_t *headers, size_t len, const uint8_t *rest, size_t rest_len)
{
	/* FECN, BECN and the bits beside them. */
	headers[len - BTH_LEN + BTH_ECN] = ONES;
	return ~crc32(crc32(UINT32_MAX, headers, len), rest, rest_len);
}

uint32_t packet_icrc_infiniband(const uint8_t *lrh, size_t len)
{
	bool grh = (lrh[LRH_LNH] & LRH_LNH_MASK) == LNH_GRH;
	uint8_t headers[LRH_LEN + GRH_LEN + BTH_LEN];
	size_t front = LRH_LEN + (grh ? GRH_LEN : 0) + BTH_LEN;

	memcpy(headers, lrh, front);
	if (grh) {
		/* A router makes a new LRH. */
		memset(headers, ONES, LRH_LEN);
		headers[LRH_LEN] |= 0x0f; /* traffic class, flow label */
		memset(headers + LRH_LEN + 1, ONES, 3);
		headers[LRH_LEN + IPV6_HOP_LIMIT] = ONES;
	} else {
		headers[LRH_VL] |= 0xf0;
	}
	return icrc(headers, front, lrh + front, len - front);
}

uint32_t packet_icrc_ip(const uint8_t *ip, size_t len)
{
	/* Ones take the place of the LRH that is not there. */
	uint8_t headers[LRH_LEN + IPV6_LEN + UDP_LEN + BTH_LEN];
	uint8_t *h = headers + LRH_LEN, *udp;
	bool ipv4 = ip[0] >> 4 == 4;
	size_t front = (ipv4 ? IPV4_LEN : IPV6_LEN) + UDP_LEN + BTH_LEN;

	memset(headers, ONES, LRH_LEN);
	memcpy(h, ip, front);
	if (ipv4) {
		h[IPV4_TOS] = ONES;
		h[IPV4_TTL] = ONES;
		memset(h + IPV4_CHECKSUM, ONES, 2);
	} else {
		h[0] |= 0x0f;
		memset(h + 1, ONES, 3);
		h[IPV6_HOP_LIMIT] = ONES;
	}
	udp = h + front - BTH_LEN - UDP_LEN;
	memset(udp + UDP_CHECKSUM, ONES, 2);
	return icrc(headers, LRH_LEN + front, ip + front, len - front);
}

uint16_t packet_vcrc(const uint8_t *lrh, size_t len)
{
	uint16_t crc = UINT16_MAX;

	for (size_t i = 0; i < len; i++)
		crc = (uint16_t)(crc >> 8 ^ crc16_table[(crc ^ lrh[i]) & 0xff]);
	return (uint16_t)~crc;
}
