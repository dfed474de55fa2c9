/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory keys: the checks of every access, the translation to DMA addresses, and the transfer with
 * the key's hint. A transfer first walks the whole range without touching memory, so that a refused
 * access leaves no trace.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hca/budget.h"
#include "hca/layout.h"
#include "hca/memic.h"
#include "hca/mkc.h"

/* A key list may name other keys; the driver nests once, a loop of keys must end. */
#define MAX_DEPTH 4

/* Translation entries of an octword, and the bytes of each. */
#define MTTS	2u
#define MTT_LEN 8u

/* Bytes that an access moves however little of the turn is left, so that messages get on. */
#define MOVE_LEAST 8u

/* One access on its way through the keys. */
struct walk {
	struct hca *hca;
	const struct hca_accessor *who;
	bool moves;		/* what is checked will be transferred, and is paid for as such */
	bool transfer;		/* else check only */
	bool write;		/* to memory */
	uint8_t *in;		/* reads: where the next byte goes */
	const uint8_t *out;	/* writes: where the next byte comes from */
	struct hca_mkey *outer; /* the key that the access names, once it is found */
	uint64_t walked;	/* bytes behind us */
	struct hca_pieces *pieces; /* gets the pieces that are checked; NULL: nobody wants them */
	bool full;		   /* it has no room for more */
};

/* The DMA piece or inner key that the first byte of a range translates to. */
struct piece {
	uint64_t addr; /* DMA address, VA under @key, or byte of BAR0 */
	uint64_t len;
	uint32_t key;
	bool indirect;
	bool memic;
};

static enum hca_denial walk_key(struct walk *w, uint32_t key, uint64_t va, uint64_t len,
				enum hca_access access, unsigned int depth);

static bool is_remote(enum hca_access access)
{
	return access >= HCA_REMOTE_READ;
}

static bool permitted(const uint8_t *mkc, enum hca_access access)
{
	static const uint8_t bit[] = {
		[HCA_LOCAL_READ] = 10,	 [HCA_LOCAL_WRITE] = 11,   [HCA_REMOTE_READ] = 12,
		[HCA_REMOTE_WRITE] = 13, [HCA_REMOTE_ATOMIC] = 14,
	};

	return be32_at(mkc, MKC_RIGHTS) >> bit[access] & 1;
}

static bool in_range(const uint8_t *mkc, uint64_t va, uint64_t len)
{
	uint64_t start = mkc_start(mkc), size = mkc_len(mkc);

	if (len - 1 > UINT64_MAX - va)
		return false;
	if (mkc_length64(mkc))
		return true;
	/* Addresses under a key of device memory start at 0; its start is the place in BAR0. */
	if (mkc_mode(mkc) == HCA_MKC_MEMIC)
		start = 0;
	return va >= start && va - start <= size && len <= size - (va - start);
}

static struct hca_mkey *find(struct walk *w, uint32_t key, uint64_t va, uint64_t len,
			     enum hca_access access)
{
	struct hca_mkey *mkey = hca_table_get(&w->hca->mkeys, key >> 8);
	uint32_t qpn;

	if (!mkey || mkc_key_byte(mkey->mkc) != (uint8_t)key || mkc_free(mkey->mkc))
		return NULL;
	if (mkc_pd(mkey->mkc) != w->who->pd || !permitted(mkey->mkc, access))
		return NULL;
	qpn = mkc_qpn(mkey->mkc);
	if (qpn != HCA_MKC_ANY_QP && qpn != w->who->qpn)
		return NULL;
	return in_range(mkey->mkc, va, len) ? mkey : NULL;
}

/* Entries came with permission bits, so that zero means "not present". */
static bool has_present_bits(const struct hca_mkey *mkey)
{
	return mkey->umr_loaded || mkey->pg_access;
}

static enum hca_denial missing(const struct hca_mkey *mkey)
{
	return has_present_bits(mkey) ? HCA_DENIED_PAGE : HCA_DENIED_KEY;
}

static enum hca_denial translate_mtt(const struct hca_mkey *mkey, bool write, uint64_t va,
				     uint64_t len, struct piece *piece)
{
	unsigned int shift = mkc_log_page(mkey->mkc);
	uint64_t page = (uint64_t)1 << shift, index, entry;

	if (shift < HCA_MKC_MIN_LOG_PAGE)
		return HCA_DENIED_KEY;
	index = (va - (mkc_start(mkey->mkc) & ~(page - 1))) >> shift;
	if (index >= MTTS * (uint64_t)mkey->xlt.octwords)
		return missing(mkey);
	entry = be64_at(hca_xlt_octword(&mkey->xlt, (uint32_t)(index / MTTS)),
			MTT_LEN * (index % MTTS));
	if (has_present_bits(mkey) && !(entry & (write ? 2 : 1)))
		return HCA_DENIED_PAGE;
	piece->addr = (entry & ~(uint64_t)0xfff) + (va & (page - 1));
	piece->len = page - (va & (page - 1));
	if (piece->len > len)
		piece->len = len;
	piece->indirect = false;
	return HCA_OK;
}

/*
 * The key's range is that of a umem's bytes, whatever page size its context has. Nothing else is
 * ever touched, so what a program fills into the context is its own concern.
 */
static enum hca_denial translate_umem(const struct hca_mkey *mkey, bool write, uint64_t va,
				      uint64_t len, struct piece *piece)
{
	const struct hca_pages *umem = &mkey->umem;
	uint64_t byte = va - mkc_start(mkey->mkc), page = (uint64_t)1 << umem->log_page_size;
	uint64_t room = page - ((byte + umem->offset) & (page - 1));

	if (!hca_pages_allow(umem, byte, write))
		return HCA_DENIED_KEY;
	*piece = (struct piece){
		.addr = hca_pages_addr(umem, byte),
		.len = len < room ? len : room,
	};
	return HCA_OK;
}

/*
 * Entries count from the start address itself, not, as those of a translation table, from the
 * multiple of their size below it: UCX has keys that start anywhere, and mlx5_ib aligns its own.
 */
static enum hca_denial translate_ksm(const struct hca_mkey *mkey, uint64_t va, uint64_t len,
				     struct piece *piece)
{
	unsigned int shift = mkc_log_page(mkey->mkc);
	uint64_t page = (uint64_t)1 << shift, offset = va - mkc_start(mkey->mkc), index;
	const uint8_t *entry;

	index = offset >> shift;
	if (index >= mkey->xlt.octwords)
		return missing(mkey);
	entry = hca_xlt_octword(&mkey->xlt, (uint32_t)index);
	piece->key = be32_at(entry, KLM_MKEY);
	if (!piece->key)
		return missing(mkey);
	if (piece->key == HCA_KEY_NULL)
		return HCA_DENIED_PAGE;
	piece->addr = be64_at(entry, KLM_ADDRESS) + (offset & (page - 1));
	piece->len = page - (offset & (page - 1));
	if (piece->len > len)
		piece->len = len;
	piece->indirect = true;
	return HCA_OK;
}

/* What a search in a list comes to. */
static enum hca_denial list_denial(int err)
{
	if (!err)
		return HCA_OK;
	return err == -EAGAIN ? HCA_DENIED_TURN : HCA_DENIED_KEY;
}

/*
 * A strided list: the head says how many entries it has and how often they come, each entry how far
 * it moves from one time to the next.
 */
static enum hca_denial translate_strided(struct walk *w, struct hca_mkey *mkey, uint64_t va,
					 struct piece *piece)
{
	const uint8_t *head = hca_xlt_octword(&mkey->xlt, 0), *entry;
	uint32_t block = be32_at(head, STRIDED_BLOCK_BYTES),
		 repeat = be32_at(head, STRIDED_REPEAT_COUNT), index;
	uint32_t entries = be16_at(head, STRIDED_NUM_ENTRIES);
	uint64_t offset = va - mkc_start(mkey->mkc), round, skip;
	enum hca_denial denial;

	if (!block || entries >= mkey->xlt.octwords)
		return HCA_DENIED_KEY;
	round = offset / block;
	offset %= block;
	if (round >= repeat)
		return HCA_DENIED_KEY;
	denial = list_denial(hca_xlt_find(w->hca, &mkey->xlt, entries + 1, true, offset,
					  w->who->turn, &index, &skip));
	if (denial != HCA_OK)
		return denial;
	entry = hca_xlt_octword(&mkey->xlt, index);
	piece->key = be32_at(entry, KLM_MKEY);
	piece->addr = be64_at(entry, KLM_ADDRESS) + round * be16_at(entry, STRIDED_STRIDE) + skip;
	piece->len = be16_at(entry, STRIDED_BYTE_COUNT) - skip;
	return HCA_OK;
}

static enum hca_denial translate_klm(struct walk *w, struct hca_mkey *mkey, uint64_t va,
				     uint64_t len, struct piece *piece)
{
	enum hca_denial denial;
	const uint8_t *entry;
	uint32_t index;
	uint64_t skip;

	if (be32_at(hca_xlt_octword(&mkey->xlt, 0), KLM_MKEY) == HCA_KEY_STRIDED) {
		denial = translate_strided(w, mkey, va, piece);
	} else {
		denial = list_denial(hca_xlt_find(w->hca, &mkey->xlt, mkey->xlt.octwords, false,
						  va - mkc_start(mkey->mkc), w->who->turn, &index,
						  &skip));
		if (denial != HCA_OK)
			return denial;
		entry = hca_xlt_octword(&mkey->xlt, index);
		piece->key = be32_at(entry, KLM_MKEY);
		piece->addr = be64_at(entry, KLM_ADDRESS) + skip;
		piece->len = be32_at(entry, KLM_BYTE_COUNT) - skip;
	}
	if (piece->len > len)
		piece->len = len;
	piece->indirect = true;
	return denial;
}

/* The range of the key was checked; what is behind it may be another's, or be gone. */
static enum hca_denial translate_memic(struct walk *w, const struct hca_mkey *mkey, uint64_t va,
				       uint64_t len, struct piece *piece)
{
	*piece = (struct piece){ .addr = mkc_start(mkey->mkc) + va, .len = len, .memic = true };
	return hca_memic_covers(w->hca, piece->addr, len) ? HCA_OK : HCA_DENIED_KEY;
}

static enum hca_denial translate(struct walk *w, struct hca_mkey *mkey, uint64_t va, uint64_t len,
				 struct piece *piece)
{
	if (mkey->umem.count)
		return translate_umem(mkey, w->write, va, len, piece);
	switch (mkc_mode(mkey->mkc)) {
	case HCA_MKC_PA:
		*piece = (struct piece){ .addr = va, .len = len };
		return HCA_OK;
	case HCA_MKC_MTT:
		return translate_mtt(mkey, w->write, va, len, piece);
	case HCA_MKC_KLM:
		return translate_klm(w, mkey, va, len, piece);
	case HCA_MKC_KSM:
		return translate_ksm(mkey, va, len, piece);
	case HCA_MKC_MEMIC:
		return translate_memic(w, mkey, va, len, piece);
	default:
		return HCA_DENIED_KEY;
	}
}

static void touched(struct hca_mkey *mkey, uint64_t addr, uint64_t len)
{
	if (mkey->dma_high == 0 || addr < mkey->dma_low)
		mkey->dma_low = addr;
	if (addr + len > mkey->dma_high)
		mkey->dma_high = addr + len;
}

static int move(struct walk *w, const struct piece *piece, const struct tlp_hint *hint)
{
	if (!piece->memic)
		return w->write ? pcie_write(&w->hca->fn, piece->addr, w->out, piece->len, hint)
				: pcie_read(&w->hca->fn, piece->addr, w->in, piece->len, hint);
	pthread_mutex_lock(&w->hca->uar_lock);
	if (w->write)
		memcpy(hca_memic_at(w->hca, piece->addr), w->out, piece->len);
	else
		memcpy(w->in, hca_memic_at(w->hca, piece->addr), piece->len);
	pthread_mutex_unlock(&w->hca->uar_lock);
	return 0;
}

static enum hca_denial transfer(struct walk *w, const struct piece *piece,
				const struct tlp_hint *hint, enum hca_access access)
{
	int err = move(w, piece, hint);

	if (w->write)
		w->out += piece->len;
	else
		w->in += piece->len;
	if (err)
		return HCA_DENIED_BUS;
	if (is_remote(access) && !piece->memic)
		touched(w->outer, piece->addr, piece->len);
	return HCA_OK;
}

/* The key without memory, which every protection domain has. */
static enum hca_denial dump(struct walk *w, uint64_t len)
{
	if (!w->transfer)
		return HCA_OK;
	if (w->write) {
		w->out += len;
	} else {
		memset(w->in, 0, len);
		w->in += len;
	}
	return HCA_OK;
}

/* Another piece of what is to be transferred; what follows the last one on the bus joins it. */
static void collect(struct walk *w, const struct piece *piece, const struct tlp_hint *hint)
{
	struct hca_pieces *p = w->pieces;
	struct pcie_piece *last = p->count ? &p->piece[p->count - 1] : NULL;

	if (piece->memic) {
		p->other = w->full = true;
		return;
	}
	/* TLPs of one request end at multiples of 4 KiB in any case. */
	if (w->walked && last && last->addr + last->len == piece->addr &&
	    piece->addr % TLP_BOUNDARY == 0 &&
	    tlp_hint_index(&last->hint) == tlp_hint_index(hint)) {
		last->len += piece->len;
		return;
	}
	if (p->count == PCIE_PIECES) {
		w->full = true;
		return;
	}
	p->piece[p->count++] =
		(struct pcie_piece){ .addr = piece->addr, .len = piece->len, .hint = *hint };
}

/* Whether the walk has to stop here; whoever checks for nobody's turn goes on to the end. */
static bool turn_over(const struct walk *w)
{
	const struct hca_accessor *who = w->who;

	return !w->transfer && who->turn && w->walked >= MOVE_LEAST &&
	       who->turn->work_left <= who->work_kept;
}

static void pay(const struct walk *w, const struct piece *piece)
{
	if (w->transfer || !w->who->turn)
		return;
	hca_work(w->who->turn, HCA_WORK_STEP);
	if (w->moves && !piece->indirect)
		hca_work(w->who->turn, HCA_WORK_TRANSFER + piece->len);
}

/* What the first byte of a range translates to, by an inner key or a transfer. */
static enum hca_denial walk_piece(struct walk *w, const struct piece *piece,
				  const struct tlp_hint *hint, enum hca_access access,
				  unsigned int depth)
{
	enum hca_denial denial = HCA_OK;

	/* What the outer key allows from afar is a local access to the keys in its list. */
	if (piece->indirect)
		return walk_key(w, piece->key, piece->addr, piece->len,
				w->write ? HCA_LOCAL_WRITE : HCA_LOCAL_READ, depth + 1);
	if (w->transfer)
		denial = transfer(w, piece, hint, access);
	else if (w->pieces)
		collect(w, piece, hint);
	if (w->full)
		return HCA_DENIED_TURN;
	if (denial == HCA_OK)
		w->walked += piece->len;
	return denial;
}

static enum hca_denial walk_key(struct walk *w, uint32_t key, uint64_t va, uint64_t len,
				enum hca_access access, unsigned int depth)
{
	struct hca_mkey *mkey = find(w, key, va, len, access);
	struct tlp_hint hint = { .th = false };

	if (key == HCA_KEY_DUMP && !is_remote(access)) {
		if (w->pieces) {
			w->pieces->other = true;
			return HCA_DENIED_TURN;
		}
		w->walked += len;
		return dump(w, len);
	}
	if (!mkey || depth == MAX_DEPTH)
		return HCA_DENIED_KEY;
	if (!depth)
		w->outer = mkey;
	if (w->transfer || w->pieces)
		hint = hca_mkey_hint(w->hca, mkey);
	while (len) {
		struct piece piece = { .memic = false };
		enum hca_denial denial =
			turn_over(w) ? HCA_DENIED_TURN : translate(w, mkey, va, len, &piece);

		if (denial == HCA_OK) {
			pay(w, &piece);
			denial = walk_piece(w, &piece, &hint, access, depth);
		}
		if (denial != HCA_OK)
			return denial;
		va += piece.len;
		len -= piece.len;
	}
	return HCA_OK;
}

static bool is_write(enum hca_access access)
{
	return access == HCA_LOCAL_WRITE || access == HCA_REMOTE_WRITE ||
	       access == HCA_REMOTE_ATOMIC;
}

enum hca_denial hca_mkey_check_on(struct hca *hca, const struct hca_accessor *who, uint32_t key,
				  uint64_t va, uint64_t len, enum hca_access access, uint64_t *done)
{
	struct walk w = { .hca = hca, .who = who, .write = is_write(access) };
	enum hca_denial denial;

	if (*done >= len)
		return HCA_OK;
	denial = walk_key(&w, key, va + *done, len - *done, access, 0);
	*done += w.walked;
	return denial;
}

enum hca_denial hca_mkey_check(struct hca *hca, const struct hca_accessor *who, uint32_t key,
			       uint64_t va, uint64_t len, enum hca_access access)
{
	const struct hca_accessor whole = { .pd = who->pd, .qpn = who->qpn };
	uint64_t done = 0;

	return hca_mkey_check_on(hca, &whole, key, va, len, access, &done);
}

static void report(struct hca *hca, struct hca_mkey *mkey, uint32_t key, uint64_t len,
		   enum hca_access access)
{
	if (access == HCA_REMOTE_WRITE)
		mkey->remote_write_bytes += len;
	else if (access == HCA_REMOTE_READ)
		mkey->remote_read_bytes += len;
	else
		return;
	pthread_mutex_lock(&hca->report_lock);
	hca->report_valid = true;
	hca->report = (struct hca_mkey_report){
		.key = key,
		.tph = mkc_tph(mkey->mkc),
		.ph = mkc_ph(mkey->mkc),
		.st_index = mkc_st_index(mkey->mkc),
		.hint = hca_mkey_hint(hca, mkey),
		.remote_write_bytes = mkey->remote_write_bytes,
		.remote_read_bytes = mkey->remote_read_bytes,
		.dma_low = mkey->dma_low,
		.dma_high = mkey->dma_high,
	};
	memcpy(hca->report.context, mkey->mkc, sizeof(hca->report.context));
	pthread_mutex_unlock(&hca->report_lock);
}

static enum hca_denial check_and_transfer(struct walk *w, uint32_t key, uint64_t va, uint64_t *len,
					  enum hca_access access)
{
	uint64_t asked = *len;
	enum hca_denial denial;

	w->moves = true;
	*len = 0;
	if (!asked)
		return HCA_OK;
	denial = walk_key(w, key, va, asked, access, 0);
	if (denial == HCA_DENIED_TURN && w->walked >= MOVE_LEAST)
		denial = HCA_OK;
	if (denial != HCA_OK)
		return denial;
	asked = w->walked;
	w->walked = 0;
	w->transfer = true;
	denial = walk_key(w, key, va, asked, access, 0);
	*len = w->walked;
	if (denial == HCA_OK)
		report(w->hca, w->outer, key, asked, access);
	return denial;
}

enum hca_denial hca_mkey_read(struct hca *hca, const struct hca_accessor *who, uint32_t key,
			      uint64_t va, void *buf, uint64_t *len, enum hca_access access)
{
	struct walk w = { .hca = hca, .who = who, .in = buf };

	return check_and_transfer(&w, key, va, len, access);
}

enum hca_denial hca_mkey_write(struct hca *hca, const struct hca_accessor *who, uint32_t key,
			       uint64_t va, const void *buf, uint64_t *len, enum hca_access access)
{
	struct walk w = { .hca = hca, .who = who, .write = true, .out = buf };

	return check_and_transfer(&w, key, va, len, access);
}

enum hca_denial hca_mkey_collect(struct hca *hca, const struct hca_accessor *who, uint32_t key,
				 uint64_t va, uint64_t *len, enum hca_access access,
				 struct hca_pieces *pieces)
{
	struct walk w = {
		.hca = hca, .who = who, .write = is_write(access), .moves = true, .pieces = pieces
	};
	enum hca_denial denial;

	if (!*len)
		return HCA_OK;
	denial = walk_key(&w, key, va, *len, access, 0);
	*len = w.walked;
	pieces->key = key;
	pieces->mkey = w.outer;
	return denial == HCA_DENIED_TURN && (w.walked >= MOVE_LEAST || w.full) ? HCA_OK : denial;
}

void hca_mkey_moved(struct hca *hca, const struct hca_pieces *pieces, uint64_t len,
		    enum hca_access access)
{
	for (unsigned int i = 0; i < pieces->count; i++)
		touched(pieces->mkey, pieces->piece[i].addr, pieces->piece[i].len);
	report(hca, pieces->mkey, pieces->key, len, access);
}

struct tlp_hint hca_mkey_hint(struct hca *hca, const struct hca_mkey *mkey)
{
	struct tlp_hint hint = { .th = false };
	unsigned int width;
	uint8_t index;

	if (!mkc_tph(mkey->mkc))
		return hint;
	width = pcie_tph_width(&hca->fn);
	if (!width)
		return hint;
	index = mkc_st_index(mkey->mkc);
	hint.th = true;
	hint.ph = mkc_ph(mkey->mkc);
	hint.extended = width == 16;
	if (hca->params.st_mode == HCA_ST_DIRECT)
		hint.st = index;
	else if (index) /* entry 0 of the table stands for "no steering tag" */
		hint.st = pcie_st_entry(&hca->fn, index);
	if (!hint.extended)
		hint.st &= 0xff;
	return hint;
}

bool hca_mkey_valid(struct hca *hca, const uint8_t mkc[64])
{
	switch (mkc_mode(mkc)) {
	case HCA_MKC_PA:
		return true;
	case HCA_MKC_MTT:
		/* A free key gets its page size with the UMR that enables it. */
		return mkc_octwords(mkc) <= HCA_XLT_MTT_MAX &&
		       (mkc_free(mkc) || mkc_log_page(mkc) >= HCA_MKC_MIN_LOG_PAGE);
	case HCA_MKC_KLM:
	case HCA_MKC_KSM:
		return mkc_octwords(mkc) <= HCA_XLT_LIST_MAX;
	case HCA_MKC_MEMIC:
		return mkc_free(mkc) ||
		       (!mkc_length64(mkc) && hca_memic_covers(hca, mkc_start(mkc), mkc_len(mkc)));
	default:
		return false;
	}
}

void hca_mkey_free(struct hca *hca, struct hca_mkey *mkey)
{
	if (!mkey)
		return;
	hca_xlt_drop(hca, &mkey->xlt);
	hca_pages_free(hca, &mkey->umem);
	hca_release(hca, mkey);
}
