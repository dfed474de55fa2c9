/* SPDX-License-Identifier: GPL-2.0-only */
#include "hca/eth_layout.h"
#include "hca/wqe.h"

#include <errno.h>
#include <string.h>

#include "base/bits.h"

#define SEG_LEN	      16u
#define MAX_UNITS     (HCA_WQE_MAX / SEG_LEN)
#define AV_LEN	      48u
#define INLINE_SEG    0x80000000u
#define FLAG_SOLICIT  0x02u
#define FLAG_CQE_MASK 0x0cu
#define FLAG_CQE      0x08u /* 0x0c: CQE and event; 0x00 and 0x04: on error only */

/* What is left of the WQE. */
struct cursor {
	const uint8_t *p;
	size_t left;
};

static const uint8_t *take(struct cursor *c, size_t len)
{
	const uint8_t *p = c->p;

	if (c->left < len)
		return NULL;
	c->p += len;
	c->left -= len;
	return p;
}

/*
 * Six bits and two reserved ones; but a WQE may have HCA_WQE_MAX bytes (max_wqe_sz_sq), whose 64
 * units libmlx5 writes into the seventh bit.
 */
static uint8_t units(const uint8_t *ctrl)
{
	return ctrl[CTRL_DS] == MAX_UNITS ? MAX_UNITS : ctrl[CTRL_DS] & (MAX_UNITS - 1);
}

unsigned int hca_wqe_blocks(const uint8_t *ctrl)
{
	unsigned int blocks = (units(ctrl) * SEG_LEN + HCA_WQE_BB - 1) / HCA_WQE_BB;

	return blocks ? blocks : 1;
}

void hca_wqe_parse_ctrl(const uint8_t *raw, struct hca_wqe *wqe)
{
	/* seg[] is not cleared: segs says how many are valid, and this runs for every message. */
	memset(wqe, 0, offsetof(struct hca_wqe, seg));
	wqe->opcode = raw[CTRL_OPCODE];
	wqe->ds = units(raw);
	wqe->signalled = (raw[CTRL_FM_CE_SE] & FLAG_CQE_MASK) >= FLAG_CQE;
	wqe->solicited = raw[CTRL_FM_CE_SE] & FLAG_SOLICIT;
	wqe->stream = be16_at(raw, CTRL_STREAM);
	wqe->imm = be32_at(raw, CTRL_IMM);
}

static int parse_raddr(struct cursor *c, struct hca_wqe *wqe)
{
	const uint8_t *seg = take(c, SEG_LEN);

	if (!seg)
		return -EINVAL;
	wqe->raddr = be64_at(seg, RADDR_VA);
	wqe->rkey = be32_at(seg, RADDR_R_KEY);
	return 0;
}

static int parse_atomic(struct cursor *c, struct hca_wqe *wqe)
{
	const uint8_t *seg = take(c, SEG_LEN);

	if (!seg)
		return -EINVAL;
	wqe->swap_add = be64_at(seg, ATOMIC_SWAP_ADD);
	wqe->compare = be64_at(seg, ATOMIC_COMPARE);
	return 0;
}

static int parse_av(struct cursor *c, struct hca_wqe *wqe)
{
	const uint8_t *seg = take(c, AV_LEN);
	uint32_t gid_fl;

	if (!seg)
		return -EINVAL;
	gid_fl = be32_at(seg, AV_GRH_FLOW);
	wqe->av.q_key = be32_at(seg, AV_Q_KEY);
	wqe->av.dc_key = be64_at(seg, AV_DC_KEY);
	wqe->av.qpn = be32_at(seg, AV_QPN) & 0xffffff;
	wqe->av.sl = seg[AV_STAT_RATE_SL] & 0xf;
	wqe->av.dlid = be16_at(seg, AV_DLID);
	wqe->av.tclass = seg[AV_TCLASS];
	wqe->av.hop_limit = seg[AV_HOP_LIMIT];
	wqe->av.grh = gid_fl >> 30 & 1;
	wqe->av.flow_label = gid_fl & 0xfffff;
	memcpy(wqe->av.dgid, seg + AV_DGID, 16);
	memcpy(wqe->av.rmac, seg + AV_RMAC, sizeof(wqe->av.rmac));
	wqe->av.sgid_index = (uint8_t)(gid_fl >> 20);
	return 0;
}

static int parse_xrc(struct cursor *c, struct hca_wqe *wqe)
{
	const uint8_t *seg = take(c, SEG_LEN);

	if (!seg)
		return -EINVAL;
	wqe->xrc_srqn = be32_at(seg, XRC_SRQN) & 0xffffff;
	return 0;
}

static int parse_payload(struct cursor *c, bool inline_allowed, struct hca_wqe *wqe)
{
	while (c->left) {
		const uint8_t *raw = c->p;
		struct hca_seg *seg = &wqe->seg[wqe->segs];
		uint32_t count = be32_at(raw, DATA_BYTE_COUNT);

		seg->len = count & ~INLINE_SEG;
		if (count & INLINE_SEG) {
			if (!inline_allowed)
				return -EINVAL;
			seg->inl = raw + 4;
			seg->lkey = 0;
			seg->addr = 0;
			if (!take(c, (4 + (size_t)seg->len + SEG_LEN - 1) & ~(size_t)(SEG_LEN - 1)))
				return -EINVAL;
		} else {
			seg->inl = NULL;
			seg->lkey = be32_at(raw, DATA_LKEY);
			seg->addr = be64_at(raw, DATA_ADDR);
			take(c, SEG_LEN);
		}
		wqe->length += seg->len;
		if (seg->len)
			wqe->segs++;
	}
	return 0;
}

/*
 * Addresses, flags and, from byte 14 of the segment on, the first bytes of the frame, which go on
 * in as many units as they need. Its top bit, "insert a tag", is of devices that say they can.
 */
static int parse_eth(struct cursor *c, struct hca_wqe *wqe)
{
	const uint8_t *seg = take(c, SEG_LEN);
	uint16_t len;

	if (!seg)
		return -EINVAL;
	len = be16_at(seg, ETH_SEG_INLINE);
	wqe->eth = (struct hca_wqe_eth){ seg[ETH_SEG_CS_FLAGS], be16_at(seg, ETH_SEG_MSS), len };
	if (len > HCA_WQE_MAX ||
	    (len > 2 && !take(c, (len - 2u + SEG_LEN - 1) & ~(size_t)(SEG_LEN - 1))))
		return -EINVAL;
	if (wqe->opcode == HCA_OP_LSO && (!len || !wqe->eth.mss))
		return -EINVAL;
	if (len)
		wqe->seg[wqe->segs++] = (struct hca_seg){ .len = len, .inl = seg + 14 };
	wqe->length = len;
	return parse_payload(c, true, wqe);
}

/*
 * What it does, a segment that hardware keeps its own data in, source and target of the same
 * length; 0 stands for 2 GiB.
 */
static int parse_copy(struct cursor *c, uint8_t op_mod, struct hca_wqe *wqe)
{
	int err;

	if (op_mod != MMO_DMA || !take(c, SEG_LEN) || c->left != 2 * SEG_LEN)
		return -EINVAL;
	err = parse_payload(c, false, wqe);
	if (err || wqe->segs != 2 || wqe->seg[HCA_COPY_FROM].len != wqe->seg[HCA_COPY_TO].len)
		return -EINVAL;
	wqe->length = wqe->seg[HCA_COPY_FROM].len;
	return 0;
}

static int parse_umr(struct cursor *c, struct hca_wqe *wqe)
{
	wqe->umr = take(c, HCA_UMR_CTRL_LEN);
	wqe->mkc = take(c, HCA_MKC_LEN);
	if (!wqe->umr || !wqe->mkc) {
		wqe->umr = wqe->mkc = NULL;
		return -EINVAL;
	}
	if (!(wqe->umr[UMR_FLAGS] & HCA_UMR_INLINE))
		return parse_payload(c, false, wqe);
	wqe->xlt_len = c->left;
	wqe->xlt = c->left ? c->p : NULL;
	return 0;
}

const char *hca_wqe_unmodelled_name(uint8_t opcode)
{
	static const struct {
		uint8_t opcode;
		const char *name;
	} names[] = {
		{ 0x0e, "LSO" },
		{ 0x14, "ATOMIC_MASKED_CS" },
		{ 0x15, "ATOMIC_MASKED_FA" },
		{ 0x18, "BIND_MW" },
		{ 0x1f, "CONFIG_CMD" },
		{ 0x20, "SET_PSV" },
		{ 0x21, "GET_PSV" },
		{ 0x22, "CHECK_PSV" },
		{ 0x23, "DUMP" },
		{ 0x26, "RGET_PSV" },
		{ 0x27, "RCHECK_PSV" },
		{ 0x29, "ENHANCED_MPSW" },
		{ 0x2c, "FLOW_TBL_ACCESS" },
		{ 0x2d, "ACCESS_ASO" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].opcode == opcode)
			return names[i].name;
	return "?";
}

bool hca_wqe_modelled(uint8_t opcode)
{
	switch (opcode) {
	case HCA_OP_NOP:
	case HCA_OP_SEND_INV:
	case HCA_OP_WRITE:
	case HCA_OP_WRITE_IMM:
	case HCA_OP_SEND:
	case HCA_OP_SEND_IMM:
	case HCA_OP_READ:
	case HCA_OP_ATOMIC_CS:
	case HCA_OP_ATOMIC_FA:
	case HCA_OP_UMR:
	case HCA_OP_MMO:
		return true;
	default:
		return false;
	}
}

int hca_wqe_parse(const uint8_t *raw, size_t len, enum hca_wqe_kind kind, struct hca_wqe *wqe)
{
	bool datagram = kind == HCA_WQE_DATAGRAM;
	struct cursor c;
	int err = 0;

	if (len < SEG_LEN)
		return -EINVAL;
	hca_wqe_parse_ctrl(raw, wqe);
	if (!wqe->ds || (size_t)wqe->ds * SEG_LEN > len)
		return -EINVAL;
	c.p = raw + SEG_LEN;
	c.left = (wqe->ds - 1u) * SEG_LEN;

	/* Requests that reach the other side say for which SRQ or target. */
	if (wqe->opcode != HCA_OP_NOP && wqe->opcode != HCA_OP_UMR && wqe->opcode != HCA_OP_MMO &&
	    ((kind == HCA_WQE_XRC && parse_xrc(&c, wqe)) ||
	     (kind == HCA_WQE_DC && parse_av(&c, wqe))))
		return -EINVAL;

	if (kind == HCA_WQE_FRAME && wqe->opcode != HCA_OP_NOP)
		return wqe->opcode == HCA_OP_SEND || wqe->opcode == HCA_OP_LSO ? parse_eth(&c, wqe)
									       : -EINVAL;
	switch (wqe->opcode) {
	case HCA_OP_NOP:
		return 0;
	case HCA_OP_SEND:
	case HCA_OP_SEND_IMM:
		if (datagram)
			err = parse_av(&c, wqe);
		return err ? err : parse_payload(&c, true, wqe);
	case HCA_OP_SEND_INV:
		return datagram ? -EINVAL : parse_payload(&c, true, wqe);
	case HCA_OP_WRITE:
	case HCA_OP_WRITE_IMM:
	case HCA_OP_READ:
		if (datagram)
			return -EINVAL;
		err = parse_raddr(&c, wqe);
		return err ? err : parse_payload(&c, wqe->opcode != HCA_OP_READ, wqe);
	case HCA_OP_ATOMIC_CS:
	case HCA_OP_ATOMIC_FA:
		if (datagram)
			return -EINVAL;
		err = parse_raddr(&c, wqe);
		if (!err)
			err = parse_atomic(&c, wqe);
		return err ? err : parse_payload(&c, false, wqe);
	case HCA_OP_UMR:
		return parse_umr(&c, wqe);
	case HCA_OP_MMO:
		return parse_copy(&c, raw[CTRL_OP_MOD], wqe);
	default:
		return -EINVAL;
	}
}

unsigned int hca_wqe_parse_recv(const uint8_t *raw, size_t len, struct hca_seg *seg,
				unsigned int max, uint64_t *length)
{
	unsigned int count = 0;
	size_t at;

	*length = 0;
	for (at = 0; at + SEG_LEN <= len && count < max; at += SEG_LEN) {
		struct hca_seg *s = &seg[count];

		s->inl = NULL;
		s->len = be32_at(raw, at + DATA_BYTE_COUNT) & ~INLINE_SEG;
		s->lkey = be32_at(raw, at + DATA_LKEY);
		s->addr = be64_at(raw, at + DATA_ADDR);
		if (s->lkey == HCA_LKEY_END)
			break;
		if (!s->len)
			continue;
		*length += s->len;
		count++;
	}
	return count;
}
