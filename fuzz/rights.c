/* SPDX-License-Identifier: GPL-2.0-only */
#include "fuzz/rights.h"

#include <stdlib.h>

#include "fuzz/world.h"
#include "hca/mkc.h"

enum kind { EQ = 1, CQ, QP, SRQ, DCT, UMEM };

#define OWNER(kind, number) ((uint32_t)(kind) << 24 | (number))
#define NOBODY		    0u

/* Rights of mkc dw0. */
#define LOCAL_READ    (1u << 10)
#define LOCAL_WRITE   (1u << 11)
#define REMOTE_READ   (1u << 12)
#define REMOTE_WRITE  (1u << 13)
#define REMOTE_ATOMIC (1u << 14)

static void *grown(void *array, uint32_t count, size_t size)
{
	/* Room doubles when the count is a power of two. */
	if (count & (count - 1))
		return array;
	array = realloc(array, (count ? 2 * (size_t)count : 1) * size);
	if (!array)
		world_broken("no memory");
	return array;
}

static void add(struct rights *r, uint64_t addr, uint64_t len, bool read, bool write,
		uint32_t owner)
{
	struct grant *last = r->grants ? &r->grant[r->grants - 1] : NULL;

	if (last && last->len && last->owner == owner && last->addr + last->len == addr &&
	    last->read == read && last->write == write) {
		last->len += len;
		return;
	}
	r->grant = grown(r->grant, r->grants, sizeof(*r->grant));
	r->grant[r->grants++] = (struct grant){ addr, len, write, read, owner };
}

/* What is gone stays in its place, as nobody's: programs are short. */
static void forget(struct rights *r, uint32_t owner)
{
	for (uint32_t i = 0; i < r->grants; i++)
		if (r->grant[i].owner == owner)
			r->grant[i].len = 0;
	for (uint32_t i = 0; i < r->users; i++)
		if (r->user[i].owner == owner)
			r->user[i].gone = true;
}

static void add_user(struct rights *r, uint32_t owner, uint32_t pd, bool privileged)
{
	r->user = grown(r->user, r->users, sizeof(*r->user));
	r->user[r->users++] = (struct user){ owner, pd, privileged, false };
}

static struct key *find_key(const struct rights *r, uint32_t index)
{
	for (uint32_t i = 0; i < r->keys; i++)
		if (r->key[i].index == index)
			return &r->key[i];
	return NULL;
}

void rights_drop(struct rights *r)
{
	for (uint32_t i = 0; i < r->keys; i++)
		free(r->key[i].xlt);
	free(r->grant);
	free(r->key);
	free(r->user);
	free(r->memic);
	*r = (struct rights){ 0 };
}

/* --- commands
 * -------------------------------------------------------------------------------------- */

/* The pages of a queue of @bytes that begins @offset bytes into the first. */
static void add_pages(struct rights *r, const uint8_t *in, uint32_t ilen, uint64_t bytes,
		      unsigned int log_page, uint64_t offset, bool write, uint32_t owner)
{
	uint64_t page = (uint64_t)1 << log_page;

	for (uint32_t at = 0x110; bytes && at + 8 <= ilen; at += 8, offset = 0) {
		uint64_t n = page - offset < bytes ? page - offset : bytes;

		add(r, (be64_at(in, at) & ~(uint64_t)0xfff) + offset, n, !write, write, owner);
		bytes -= n;
	}
}

static void queue(struct rights *r, const uint8_t *in, uint32_t ilen, uint64_t bytes,
		  unsigned int log_page, unsigned int quanta, bool write, uint32_t owner)
{
	log_page += 12;
	add_pages(r, in, ilen, bytes, log_page, quanta * (((uint64_t)1 << log_page) / 64), write,
		  owner);
}

static uint64_t cq_bytes(const uint8_t *cqc)
{
	return (field_get(cqc, 0, 23, 21) ? 128ull : 64ull) << field_get(cqc, 3, 28, 24);
}

static void create_cq(struct rights *r, const uint8_t *in, uint32_t ilen, uint32_t owner)
{
	const uint8_t *cqc = in + 0x10;

	if (!field_get(in, 0x5c / 4, 31, 31))
		queue(r, in, ilen, cq_bytes(cqc), field_get(cqc, 6, 28, 24),
		      field_get(cqc, 2, 11, 6), true, owner);
	if (!field_get(cqc, 0, 25, 25))
		add(r, be64_at(cqc, 0x38), 8, true, false, owner);
}

static void create_qp(struct rights *r, const uint8_t *in, uint32_t ilen, uint32_t owner)
{
	const uint8_t *qpc = in + 0x18;
	uint64_t bytes = 0;

	if (field_get(qpc, 43, 26, 24) == 0)
		bytes = (16ull << field_get(qpc, 2, 18, 16)) << field_get(qpc, 2, 22, 19);
	if (!field_get(qpc, 2, 15, 15))
		bytes += 64ull << field_get(qpc, 2, 14, 11);
	if (!field_get(in, 0x10c / 4, 31, 31))
		queue(r, in, ilen, bytes, field_get(qpc, 5, 28, 24), field_get(qpc, 36, 11, 6),
		      false, owner);
	if (!field_get(qpc, 52, 28, 28))
		add(r, be64_at(qpc, 160), 8, true, false, owner);
	add_user(r, owner, field_get(qpc, 1, 23, 0),
		 field_get(qpc, 0, 23, 16) == HCA_QP_REG_UMR || field_get(qpc, 28, 11, 11));
}

/* A queue of frames: its wq. */
static void create_frames(struct rights *r, const uint8_t *in, uint32_t ilen, bool sq,
			  uint32_t owner)
{
	const uint8_t *wq = in + 0x50;
	uint64_t bytes = (sq ? 64ull : 1ull << field_get(wq, 8, 19, 16)) << field_get(wq, 8, 4, 0);

	if (!field_get(wq, 9, 30, 30))
		queue(r, in, ilen, bytes, field_get(wq, 8, 12, 8), field_get(wq, 1, 20, 16), false,
		      owner);
	if (!field_get(wq, 9, 31, 31))
		add(r, be64_at(wq, 0x10), 8, true, false, owner);
	add_user(r, owner, field_get(wq, 2, 23, 0), false);
}

/* RST2INIT: the protection domain, unless it is left out. */
static void change_pd(struct rights *r, uint32_t owner, uint32_t pd)
{
	for (uint32_t i = 0; i < r->users; i++)
		if (!r->user[i].gone && r->user[i].owner == owner && pd)
			r->user[i].pd = pd;
}

static void create_srq(struct rights *r, const uint8_t *in, uint32_t ilen, uint32_t owner)
{
	const uint8_t *srqc = in + 0x10;

	queue(r, in, ilen, (16ull << field_get(srqc, 1, 26, 24)) << field_get(srqc, 0, 27, 24),
	      field_get(srqc, 4, 29, 24), field_get(srqc, 2, 31, 26), false, owner);
	add(r, be64_at(srqc, 0x28), 8, true, false, owner);
	add_user(r, owner, field_get(srqc, 6, 23, 0), false);
}

static void create_umem(struct rights *r, const uint8_t *in, uint32_t ilen, uint32_t owner)
{
	uint64_t page = 4096ull << (field_get(in, 8, 4, 0) & 31), count = be64_at(in, 0x28);

	for (uint64_t i = 0; i < count && 0x30 + 8 * (i + 1) <= ilen; i++) {
		uint64_t entry = be64_at(in, 0x30 + 8 * i);

		add(r, entry & ~(uint64_t)0xfff, page, entry & 1, entry & 2, owner);
	}
}

static void create_mkey(struct rights *r, const uint8_t *in, uint32_t ilen, uint32_t index)
{
	bool list = field_get(in + 0x10, 0, 28, 26) == 0 && field_get(in + 0x10, 0, 9, 8) >= 2;
	/* Of a umem, whose pages are granted: what stands in the place of entries is none. */
	bool umem = !list && field_get(in, 3, 30, 30);
	uint32_t octwords = umem ? 0 : be32_at(in, 0x60);
	struct key *key;

	r->key = grown(r->key, r->keys, sizeof(*r->key));
	key = &r->key[r->keys++];
	*key = (struct key){ .index = index };
	memcpy(key->mkc, in + 0x10, 64);
	key->present_bits = field_get(in, 3, 31, 31);
	if (octwords > (ilen - 0x110) / 16)
		octwords = (ilen - 0x110) / 16;
	if (!octwords)
		return;
	key->xlt = malloc(16 * (size_t)octwords);
	if (!key->xlt)
		world_broken("no memory");
	memcpy(key->xlt, in + 0x110, 16 * (size_t)octwords);
	key->octwords = octwords;
}

static void destroy_mkey(struct rights *r, uint32_t index)
{
	struct key *key = find_key(r, index);

	if (!key)
		return;
	free(key->xlt);
	*key = (struct key){ .index = UINT32_MAX };
	field_put(key->mkc, 0, 30, 30, 1);
}

static void memic(struct rights *r, uint64_t start, uint64_t size, bool allocated)
{
	for (uint32_t i = 0; i < r->memics; i++)
		if (r->memic[i].addr == start && r->memic[i].len == size && !allocated)
			r->memic[i].len = 0;
	if (!allocated)
		return;
	r->memic = grown(r->memic, r->memics, sizeof(*r->memic));
	r->memic[r->memics++] = (struct grant){ .addr = start, .len = size };
}

static bool is_long_enough(uint16_t op, uint32_t ilen)
{
	switch (op) {
	case 0x200:
	case 0x301:
	case 0x400:
	case 0x403:
	case 0x500:
	case 0x700:
	case 0x904:
	case 0x908:
		return ilen >= 0x110;
	case 0x502:
		return ilen >= 0x100;
	case 0x205:
	case 0x206:
		return ilen >= 0x20;
	case 0x710:
		return ilen >= 0x50;
	case 0xa08:
		return ilen >= 0x30;
	default:
		return true;
	}
}

void rights_command(struct rights *r, const uint8_t *in, uint32_t ilen, const uint8_t *out)
{
	uint32_t made = out ? be32_at(out, 8) & 0xffffff : 0, named = be32_at(in, 8) & 0xffffff;
	uint16_t op = be16_at(in, 0);

	if (!is_long_enough(op, ilen))
		return;
	switch (op) {
	case 0x200:
		create_mkey(r, in, ilen, made);
		break;
	case 0x205:
		if (out)
			memic(r, be64_at(out, 8), be32_at(in, 0x1c), true);
		break;
	case 0x301:
		queue(r, in, ilen, 64ull << field_get(in + 0x10, 3, 28, 24),
		      field_get(in + 0x10, 6, 28, 24), field_get(in + 0x10, 2, 11, 6), true,
		      made ? OWNER(EQ, made & 0xff) : NOBODY);
		break;
	case 0x400:
		create_cq(r, in, ilen, made ? OWNER(CQ, made) : NOBODY);
		break;
	case 0x403:
		/* Resize: the buffer before is the device's no more; its record stays. */
		if (be16_at(in, 6) == 1)
			create_cq(r, in, ilen, OWNER(CQ, named));
		break;
	case 0x500:
		create_qp(r, in, ilen, made ? OWNER(QP, made) : NOBODY);
		break;
	case 0x502:
		change_pd(r, OWNER(QP, named), field_get(in + 0x18, 1, 23, 0));
		break;
	case 0x700:
		create_srq(r, in, ilen, made ? OWNER(SRQ, made) : NOBODY);
		break;
	case 0x710:
		add_user(r, made ? OWNER(DCT, made) : NOBODY, field_get(in + 0x10, 6, 23, 0),
			 false);
		break;
	case 0x904:
	case 0x908:
		create_frames(r, in, ilen, op == 0x904, made ? OWNER(QP, made) : NOBODY);
		break;
	case 0xa08:
		create_umem(r, in, ilen, made ? OWNER(UMEM, made) : NOBODY);
		break;
	default:
		break;
	}
	if (!out)
		return;
	switch (op) {
	case 0x103:
	case 0x104:
	case 0x105:
		rights_drop(r);
		break;
	case 0x202:
		destroy_mkey(r, named);
		break;
	case 0x206:
		memic(r, be64_at(in, 0x10), be32_at(in, 0x18), false);
		break;
	case 0x302:
		forget(r, OWNER(EQ, named & 0xff));
		break;
	case 0x401:
		forget(r, OWNER(CQ, named));
		break;
	case 0x501:
	case 0x906:
	case 0x90a:
		forget(r, OWNER(QP, named));
		break;
	case 0x701:
		forget(r, OWNER(SRQ, named));
		break;
	case 0x711:
		forget(r, OWNER(DCT, named));
		break;
	case 0xa0a:
		forget(r, OWNER(UMEM, named));
		break;
	default:
		break;
	}
}

/* --- UMRs
 * ------------------------------------------------------------------------------------------ */

static bool is_privileged(const struct rights *r, uint32_t qpn)
{
	for (uint32_t i = 0; i < r->users; i++)
		/* One that nobody knows the number of may be any. */
		if (!r->user[i].gone && r->user[i].privileged &&
		    (r->user[i].owner == OWNER(QP, qpn) || r->user[i].owner == NOBODY))
			return true;
	return false;
}

static void load(struct key *key, const uint8_t umr[48], const uint8_t *xlt, size_t xlt_len)
{
	uint64_t octwords = be16_at(umr, 4), offset = 0, room = mkc_octwords(key->mkc);

	if (umr[0] & 0x10)
		offset = (uint64_t)be32_at(umr, 0x10) << 16 | be16_at(umr, 6);
	if (octwords > xlt_len / 16)
		octwords = xlt_len / 16;
	if (!octwords || offset >= room)
		return;
	if (octwords > room - offset)
		octwords = room - offset;
	if (offset + octwords > key->octwords) {
		key->xlt = realloc(key->xlt, 16 * (size_t)(offset + octwords));
		if (!key->xlt)
			world_broken("no memory");
		memset(key->xlt + 16 * (size_t)key->octwords, 0,
		       16 * (size_t)(offset + octwords - key->octwords));
		key->octwords = (uint32_t)(offset + octwords);
	}
	memcpy(key->xlt + 16 * offset, xlt, 16 * octwords);
	key->present_bits = true;
}

static void field(struct key *key, const uint8_t mkc[64], uint64_t mask, unsigned int bit,
		  unsigned int dw, unsigned int hi, unsigned int lo)
{
	if (mask >> bit & 1)
		field_put(key->mkc, dw, hi, lo, field_get(mkc, dw, hi, lo));
}

void rights_umr(struct rights *r, uint32_t qpn, uint32_t number, const uint8_t umr[48],
		const uint8_t mkc[64], const uint8_t *xlt, size_t xlt_len, bool known)
{
	struct key *key = find_key(r, number >> 8);
	uint64_t mask = be64_at(umr, 8);

	/* A list of keys grants nothing: its owner may change it. */
	if (!key || (!is_privileged(r, qpn) && !mkc_indirect(key->mkc)))
		return;
	if (!known)
		key->anything = true;
	else
		load(key, umr, xlt, xlt_len);
	field(key, mkc, mask, 0, 3, 31, 31); /* length64 */
	field(key, mkc, mask, 0, 6, 31, 0);  /* len */
	field(key, mkc, mask, 0, 7, 31, 0);
	field(key, mkc, mask, 1, 14, 4, 0); /* page size */
	field(key, mkc, mask, 42, 14, 5, 5);
	field(key, mkc, mask, 6, 4, 31, 0); /* start */
	field(key, mkc, mask, 6, 5, 31, 0);
	field(key, mkc, mask, 7, 3, 23, 0); /* pd */
	for (unsigned int i = 0; i < 5; i++)
		field(key, mkc, mask, 17 + i, 0, 10 + i, 10 + i);
	field(key, mkc, mask, 29, 0, 30, 30); /* free */
	if (mask >> 29 & 1 && mkc_free(key->mkc)) {
		free(key->xlt);
		key->xlt = NULL;
		key->octwords = 0;
		key->present_bits = false;
	}
}

/* --- questions
 * --------------------------------------------------------------------------------------- */

static bool has_user(const struct rights *r, uint32_t pd)
{
	for (uint32_t i = 0; i < r->users; i++)
		if (!r->user[i].gone && r->user[i].pd == pd)
			return true;
	return false;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* How many bytes from @addr on an MTT key translates to; the most of its entries. */
static uint64_t cover_mtt(const struct key *key, uint64_t addr, bool write)
{
	unsigned int shift = mkc_log_page(key->mkc);
	uint64_t start = mkc_start(key->mkc), len = mkc_len(key->mkc), most = 0;
	uint64_t page = (uint64_t)1 << shift, base = start & ~(page - 1);

	if (shift < HCA_MKC_MIN_LOG_PAGE)
		return 0;
	for (uint64_t i = 0; i < 2 * (uint64_t)key->octwords; i++) {
		uint64_t entry = be64_at(key->xlt, 8 * i), n, va;

		if (key->present_bits && !(entry & (write ? 2 : 1)))
			continue;
		entry &= ~(uint64_t)0xfff;
		if (addr - entry >= page)
			continue;
		n = page - (addr - entry);
		va = base + (i << shift) + (addr - entry);
		if (!mkc_length64(key->mkc)) {
			if (va < start || va - start >= len)
				continue;
			n = least(n, len - (va - start));
		}
		if (n > most)
			most = n;
	}
	return most;
}

static uint64_t cover_key(const struct rights *r, const struct key *key, uint64_t addr, bool write)
{
	uint32_t wanted = write ? LOCAL_WRITE | REMOTE_WRITE | REMOTE_ATOMIC
				: LOCAL_READ | REMOTE_READ | REMOTE_ATOMIC;
	uint64_t start = mkc_start(key->mkc), len = mkc_len(key->mkc);

	if (mkc_free(key->mkc) || !(be32_at(key->mkc, 0) & wanted) ||
	    !has_user(r, mkc_pd(key->mkc)))
		return 0;
	if (key->anything)
		return UINT64_MAX;
	switch (mkc_mode(key->mkc)) {
	case HCA_MKC_PA:
		if (mkc_length64(key->mkc))
			return UINT64_MAX;
		return addr >= start && addr - start < len ? len - (addr - start) : 0;
	case HCA_MKC_MTT:
		return cover_mtt(key, addr, write);
	default:
		return 0;
	}
}

uint64_t rights_cover(const struct rights *r, uint64_t addr, uint64_t len, bool write)
{
	uint64_t most = 0;

	for (uint32_t i = 0; i < r->grants && most < len; i++) {
		const struct grant *g = &r->grant[i];

		if ((write ? g->write : g->read) && addr - g->addr < g->len &&
		    g->len - (addr - g->addr) > most)
			most = g->len - (addr - g->addr);
	}
	for (uint32_t i = 0; i < r->keys && most < len; i++) {
		uint64_t n = cover_key(r, &r->key[i], addr, write);

		if (n > most)
			most = n;
	}
	return least(most, len);
}

bool rights_memic(const struct rights *r, uint64_t start, uint64_t len)
{
	for (uint32_t i = 0; i < r->memics; i++)
		if (r->memic[i].len && start >= r->memic[i].addr && len <= r->memic[i].len &&
		    start - r->memic[i].addr <= r->memic[i].len - len)
			return true;
	return false;
}

const char *rights_use(const struct rights *r, uint32_t pd, uint32_t number, uint64_t va,
		       uint64_t len, enum hca_access access)
{
	static const uint32_t bit[] = { LOCAL_READ, LOCAL_WRITE, REMOTE_READ, REMOTE_WRITE,
					REMOTE_ATOMIC };
	const struct key *key = find_key(r, number >> 8);
	uint64_t start, size;

	/* The key without memory; keys of commands whose output nobody saw. */
	if (number == 0x200 || (!key && find_key(r, 0)))
		return NULL;
	if (!key)
		return "there is no such key";
	start = mkc_start(key->mkc);
	size = mkc_len(key->mkc);
	if (mkc_free(key->mkc))
		return "it is free";
	if (mkc_pd(key->mkc) != pd)
		return "it is in another protection domain";
	if (!(be32_at(key->mkc, 0) & bit[access]))
		return "it does not have the right";
	if (va + (len - 1) < va)
		return "the range wraps";
	switch (mkc_mode(key->mkc)) {
	case HCA_MKC_MEMIC:
		if (start + va < start || !rights_memic(r, start + va, len))
			return "that is not device memory that was allocated";
		return NULL;
	case HCA_MKC_PA:
	case HCA_MKC_MTT:
		if (!mkc_length64(key->mkc) &&
		    (va < start || va - start > size || len > size - (va - start)))
			return "that is past its end";
		return NULL;
	default:
		return NULL;
	}
}
