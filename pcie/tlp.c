/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TLP headers, Non-Flit Mode. One table maps types to their Fmt and Type bits; encode and decode
 * share the rules in check(), so what one refuses the other refuses too, and a header that decodes
 * encodes to the same bytes.
 */
#include "pcie/tlp.h"

#include <errno.h>

#include "base/bits.h"

#define PREFIX_TPH 0x90 /* Fmt 100b, Type 10000b: end-end prefix, TPH (2.2.10.4) */
#define PREFIX_LEN 4
#define FMT_4DW	   0x20

#define BYTE1_T9	0x80
#define BYTE1_T8	0x08
#define BYTE1_IDO	0x04
#define BYTE1_TH	0x01
#define BYTE1_RESERVED	0x02
#define BYTE2_EP	0x40
#define BYTE2_RO	0x20
#define BYTE2_NS	0x10
#define BYTE2_LENGTH	0x03
#define BYTE2_UNHANDLED 0x8c /* TD (digest) and AT (translated or translation request) */

struct type_info {
	uint8_t code; /* Fmt and Type of the 3 DW form */
	const char *name32, *name64;
};

static const struct type_info types[] = {
	[TLP_MRD] = { 0x00, "MRd32", "MRd64" },
	[TLP_MWR] = { 0x40, "MWr32", "MWr64" },
	[TLP_FETCH_ADD] = { 0x4c, "FetchAdd32", "FetchAdd64" },
	[TLP_SWAP] = { 0x4d, "Swap32", "Swap64" },
	[TLP_CAS] = { 0x4e, "CAS32", "CAS64" },
	[TLP_CPL] = { 0x0a, "Cpl", "Cpl" },
	[TLP_CPLD] = { 0x4a, "CplD", "CplD" },
};

#define TYPES (sizeof(types) / sizeof(types[0]))

static bool is_completion(const struct tlp *tlp)
{
	return tlp->type == TLP_CPL || tlp->type == TLP_CPLD;
}

static bool is_atomic(const struct tlp *tlp)
{
	return tlp->type == TLP_FETCH_ADD || tlp->type == TLP_SWAP || tlp->type == TLP_CAS;
}

/* 2.2.4.1: an address below 4 GiB takes the 3 DW header. */
static bool is_64bit(const struct tlp *tlp)
{
	return !is_completion(tlp) && tlp->addr >> 32;
}

/* Enabled bytes form one run that ends (first DW) or starts (last DW) at the next DW's side. */
static bool reaches_end(uint8_t be)
{
	return be == 0xf || be == 0xe || be == 0xc || be == 0x8;
}

static bool reaches_start(uint8_t be)
{
	return be == 0xf || be == 0x7 || be == 0x3 || be == 0x1;
}

static bool full_enables(const struct tlp *tlp)
{
	return tlp->first_be == 0xf && tlp->last_be == (tlp->length == 1 ? 0 : 0xf);
}

/* 2.2.5. Holes are for one DW, or for two in one aligned QW. */
static bool enables_allowed(const struct tlp *tlp)
{
	if (tlp->first_be > 0xf || tlp->last_be > 0xf)
		return false;
	if (tlp->length == 1)
		return tlp->last_be == 0;
	if (!tlp->first_be || !tlp->last_be)
		return false;
	if (tlp->length == 2 && tlp->addr % 8 == 0)
		return true;
	return reaches_end(tlp->first_be) && reaches_start(tlp->last_be);
}

/* Operands of 4 or 8 bytes, for CAS also 16, two of them in a CAS, naturally aligned (2.2.7). */
static bool atomic_allowed(const struct tlp *tlp)
{
	unsigned int operand = tlp->type == TLP_CAS ? tlp->length / 2 : tlp->length;

	if (tlp->type == TLP_CAS && tlp->length % 2)
		return false;
	if (operand != 1 && operand != 2 && !(operand == 4 && tlp->type == TLP_CAS))
		return false;
	return tlp->addr % (4 * operand) == 0 && full_enables(tlp);
}

static bool request_allowed(const struct tlp *tlp)
{
	const struct tlp_hint *hint = &tlp->hint;

	if (tlp->length < 1 || tlp->length > 1024 || tlp->addr % 4)
		return false;
	if (tlp->addr % TLP_BOUNDARY + tlp->length * 4u > TLP_BOUNDARY)
		return false;
	/* T9 and T8 are reserved in a posted request, and with TH the low bits are the ST. */
	if (tlp->type == TLP_MWR && !hint->th && tlp->tag > 0xff)
		return false;
	if (hint->th) {
		if (hint->ph > 3 || (!hint->extended && hint->st > 0xff))
			return false;
		if (tlp->type != TLP_MWR && !full_enables(tlp))
			return false;
	}
	return is_atomic(tlp) ? atomic_allowed(tlp) : enables_allowed(tlp);
}

static bool completion_allowed(const struct tlp *tlp)
{
	if (tlp->hint.th || tlp->byte_count < 1 || tlp->byte_count > 4096 || tlp->lower_addr > 0x7f)
		return false;
	if (tlp->type == TLP_CPLD)
		return tlp->status == TLP_SC && tlp->length >= 1 && tlp->length <= 1024;
	return tlp->length == 0 && (tlp->status == TLP_SC || tlp->status == TLP_UR ||
				    tlp->status == TLP_RRS || tlp->status == TLP_CA);
}

static bool check(const struct tlp *tlp)
{
	if ((unsigned int)tlp->type >= TYPES || tlp->tc > 7 || tlp->tag > 0x3ff)
		return false;
	return is_completion(tlp) ? completion_allowed(tlp) : request_allowed(tlp);
}

static void encode_request(const struct tlp *tlp, uint8_t *h)
{
	uint32_t low = tlp->addr;

	be16_put(h, 4, tlp->requester);
	h[6] = tlp->tag;
	h[7] = tlp->last_be << 4 | tlp->first_be;
	if (tlp->hint.th) {
		h[1] |= BYTE1_TH;
		h[tlp->type == TLP_MWR ? 6 : 7] = tlp->hint.st;
		low |= tlp->hint.ph;
	}
	if (is_64bit(tlp)) {
		be32_put(h, 8, tlp->addr >> 32);
		be32_put(h, 12, low);
	} else {
		be32_put(h, 8, low);
	}
}

static void encode_completion(const struct tlp *tlp, uint8_t *h)
{
	be16_put(h, 4, tlp->completer);
	be16_put(h, 6, tlp->status << 13 | (tlp->byte_count & 0xfff));
	be16_put(h, 8, tlp->requester);
	h[10] = tlp->tag;
	h[11] = tlp->lower_addr;
}

int tlp_encode(const struct tlp *tlp, uint8_t buf[TLP_MAX_HEADER])
{
	bool posted_hint = tlp->type == TLP_MWR && tlp->hint.th;
	uint16_t tag = posted_hint ? 0 : tlp->tag;
	uint8_t *h = buf;

	if (!check(tlp))
		return -EINVAL;
	if (tlp->hint.th && tlp->hint.extended) {
		be32_put(h, 0, (uint32_t)PREFIX_TPH << 24 | (uint32_t)(tlp->hint.st >> 8) << 16);
		h += PREFIX_LEN;
	}
	h[0] = types[tlp->type].code | (is_64bit(tlp) ? FMT_4DW : 0);
	h[1] = (tag & 0x200 ? BYTE1_T9 : 0) | tlp->tc << 4 | (tag & 0x100 ? BYTE1_T8 : 0) |
	       (tlp->ido ? BYTE1_IDO : 0);
	h[2] = (tlp->poisoned ? BYTE2_EP : 0) | (tlp->relaxed_ordering ? BYTE2_RO : 0) |
	       (tlp->no_snoop ? BYTE2_NS : 0) | (tlp->length >> 8 & BYTE2_LENGTH);
	h[3] = tlp->length;
	if (is_completion(tlp))
		encode_completion(tlp, h);
	else
		encode_request(tlp, h);
	return h - buf + (is_64bit(tlp) ? 16 : 12);
}

/* Type of a first byte; sets *@four_dw. Returns -1 for one that is not handled. */
static int find_type(uint8_t code, bool *four_dw)
{
	*four_dw = code & FMT_4DW;
	for (unsigned int i = 0; i < TYPES; i++) {
		if (types[i].code == code)
			return i;
		if (types[i].code == (code & ~FMT_4DW) && i != TLP_CPL && i != TLP_CPLD)
			return i;
	}
	return -1;
}

/* Returns false for set bits in a reserved place. */
static bool decode_request(const uint8_t *h, bool four_dw, uint8_t st_high, struct tlp *tlp)
{
	uint32_t low = be32_at(h, four_dw ? 12 : 8);

	tlp->requester = be16_at(h, 4);
	tlp->addr = low & ~3u;
	if (four_dw) {
		tlp->addr |= (uint64_t)be32_at(h, 8) << 32;
		if (!is_64bit(tlp))
			return false;
	}
	if (tlp->length == 0)
		tlp->length = 1024;
	tlp->first_be = h[7] & 0xf;
	tlp->last_be = h[7] >> 4;
	tlp->tag |= h[6];
	if (!tlp->hint.th)
		return (low & 3) == 0;

	tlp->hint.ph = low & 3;
	if (tlp->type == TLP_MWR) {
		if (tlp->tag & 0x300)
			return false;
		tlp->hint.st = st_high << 8 | h[6];
		tlp->tag = 0;
	} else {
		tlp->hint.st = st_high << 8 | h[7];
		tlp->first_be = 0xf;
		tlp->last_be = tlp->length == 1 ? 0 : 0xf;
	}
	return true;
}

static bool decode_completion(const uint8_t *h, struct tlp *tlp)
{
	tlp->completer = be16_at(h, 4);
	tlp->status = h[6] >> 5;
	tlp->byte_count = be16_at(h, 6) & 0xfff;
	if (tlp->byte_count == 0)
		tlp->byte_count = 4096;
	tlp->requester = be16_at(h, 8);
	tlp->tag |= h[10];
	tlp->lower_addr = h[11] & 0x7f;
	if (tlp->type == TLP_CPLD && tlp->length == 0)
		tlp->length = 1024;
	/* Byte Count Modified is for PCI-X bridges only. */
	return !(h[6] & 0x10) && !(h[11] & 0x80);
}

int tlp_decode(const uint8_t *buf, size_t len, struct tlp *tlp)
{
	const uint8_t *h = buf;
	struct tlp out = { 0 };
	uint8_t st_high = 0;
	bool prefix, four_dw, ok;
	int type;

	if (len < 1)
		return -EMSGSIZE;
	prefix = h[0] == PREFIX_TPH;
	if (prefix) {
		if (len <= PREFIX_LEN)
			return -EMSGSIZE;
		/* Address-match attributes and reserved bits. */
		if (h[2] || h[3])
			return -EPROTO;
		st_high = h[1];
		h += PREFIX_LEN;
		len -= PREFIX_LEN;
	}
	type = find_type(h[0], &four_dw);
	if (type < 0)
		return -EPROTO;
	if (len < (four_dw ? 16 : 12))
		return -EMSGSIZE;
	if (h[1] & BYTE1_RESERVED || h[2] & BYTE2_UNHANDLED)
		return -EPROTO;

	out.type = type;
	out.hint.th = h[1] & BYTE1_TH;
	out.hint.extended = prefix;
	if (prefix && !out.hint.th)
		return -EPROTO;
	out.tc = h[1] >> 4 & 7;
	out.ido = h[1] & BYTE1_IDO;
	out.poisoned = h[2] & BYTE2_EP;
	out.relaxed_ordering = h[2] & BYTE2_RO;
	out.no_snoop = h[2] & BYTE2_NS;
	out.tag = (h[1] & BYTE1_T9 ? 0x200 : 0) | (h[1] & BYTE1_T8 ? 0x100 : 0);
	out.length = (h[2] & BYTE2_LENGTH) << 8 | h[3];
	ok = is_completion(&out) ? decode_completion(h, &out)
				 : decode_request(h, four_dw, st_high, &out);
	if (!ok || !check(&out))
		return -EPROTO;
	*tlp = out;
	return h - buf + (four_dw ? 16 : 12);
}

int tlp_set_range(struct tlp *tlp, uint64_t addr, size_t len)
{
	unsigned int head = addr % 4, tail;

	if (len < 1 || len > TLP_BOUNDARY || addr % TLP_BOUNDARY + len > TLP_BOUNDARY)
		return -EINVAL;
	tail = (head + len - 1) % 4; /* last byte's place in its DW */
	tlp->addr = addr - head;
	tlp->length = (head + len + 3) / 4;
	tlp->first_be = 0xf << head & 0xf;
	tlp->last_be = 0xf >> (3 - tail);
	if (tlp->length == 1) {
		tlp->first_be &= tlp->last_be;
		tlp->last_be = 0;
	}
	return 0;
}

size_t tlp_range(const struct tlp *tlp, uint64_t *addr)
{
	uint8_t last = tlp->length == 1 ? tlp->first_be : tlp->last_be;
	unsigned int head, tail;

	if (!tlp->first_be || !last) {
		*addr = tlp->addr;
		return 0;
	}
	head = __builtin_ctz(tlp->first_be);
	tail = __builtin_clz(last) - 28;
	*addr = tlp->addr + head;
	return tlp->length * 4u - head - tail;
}

size_t tlp_split(uint64_t addr, size_t len, size_t max)
{
	/* @max divides 4 KiB, so its multiples are boundaries of both kinds. */
	size_t room = max - addr % max;

	return len < room ? len : room;
}

uint32_t tlp_hint_index(const struct tlp_hint *hint)
{
	uint32_t ph = hint->ph & 3;

	if (!hint->th)
		return 0;
	if (!hint->extended)
		return 1 + (ph << 8 | (hint->st & 0xff));
	return 1 + (4u << 8) + (ph << 16 | hint->st);
}

const char *tlp_name(const struct tlp *tlp)
{
	if ((unsigned int)tlp->type >= TYPES)
		return "?";
	return is_64bit(tlp) ? types[tlp->type].name64 : types[tlp->type].name32;
}
