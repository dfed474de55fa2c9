/* SPDX-License-Identifier: GPL-2.0-only */
/* What the driver granted to one function, by its commands and UMRs: the oracle's memory. */
#ifndef FUZZ_RIGHTS_H
#define FUZZ_RIGHTS_H

#include "hca/model.h"

/* Bytes of memory. */
struct grant {
	uint64_t addr, len;
	bool write, read;
	uint32_t owner; /* kind and number, or NOBODY */
};

struct key {
	uint32_t index; /* 0: unknown, one that a command may have made */
	uint8_t mkc[64];
	bool present_bits; /* entries have permission bits */
	bool anything;	   /* what a UMR loaded was not seen */
	uint8_t *xlt;
	uint32_t octwords;
};

/* Who uses keys: QPs, SRQs, DCTs. */
struct user {
	uint32_t owner;
	uint32_t pd;
	bool privileged, gone;
};

struct rights {
	struct grant *grant;
	struct key *key;
	struct user *user;
	struct grant *memic; /* of BAR0 */
	uint32_t grants, keys, users, memics;
};

void rights_drop(struct rights *rights);
/* A command that was carried out. @out: its first 16 bytes, or NULL: it may have been, who knows.
 */
void rights_command(struct rights *rights, const uint8_t *in, uint32_t ilen, const uint8_t *out);
/* A UMR of QP @qpn that was carried out; @known: @xlt is all that it loaded. */
void rights_umr(struct rights *rights, uint32_t qpn, uint32_t key, const uint8_t umr[48],
		const uint8_t mkc[64], const uint8_t *xlt, size_t xlt_len, bool known);
/* How many bytes from @addr on may be accessed, at most @len. */
uint64_t rights_cover(const struct rights *rights, uint64_t addr, uint64_t len, bool write);
/* [@start, @start + @len) of BAR0 is device memory that was allocated. */
bool rights_memic(const struct rights *rights, uint64_t start, uint64_t len);
/* Why the access is not as the key says, or NULL. */
const char *rights_use(const struct rights *rights, uint32_t pd, uint32_t key, uint64_t va,
		       uint64_t len, enum hca_access access);

#endif
