/* SPDX-License-Identifier: GPL-2.0 */
/* Lists of data segments: check, gather, scatter. */
#include "hca/data.h"

enum direction { CHECK, GATHER, SCATTER };

struct move {
	enum direction direction;
	enum hca_access access;
	uint8_t *in;
	const uint8_t *out;
};

static enum hca_fault move_piece(const struct hca_sgl *sgl, const struct move *m,
				 const struct hca_seg *seg, uint64_t at, uint64_t len)
{
	if (seg->inl) {
		if (m->direction == SCATTER)
			return HCA_FAULT_KEY;
		if (m->direction == GATHER)
			memcpy(m->in, seg->inl + at, len);
		return HCA_OK;
	}
	switch (m->direction) {
	case GATHER:
		return hca_mkey_read(sgl->hca, &sgl->who, seg->lkey, seg->addr + at, m->in, len,
				     m->access);
	case SCATTER:
		return hca_mkey_write(sgl->hca, &sgl->who, seg->lkey, seg->addr + at, m->out, len,
				      m->access);
	default:
		return hca_mkey_check(sgl->hca, &sgl->who, seg->lkey, seg->addr + at, len,
				      m->access);
	}
}

static enum hca_fault move_range(const struct hca_sgl *sgl, struct move m, uint64_t offset,
				 uint64_t len, struct hca_bad *bad)
{
	unsigned int i;

	for (i = 0; i < sgl->segs && len; i++) {
		const struct hca_seg *seg = &sgl->seg[i];
		enum hca_fault fault;
		uint64_t n;

		if (offset >= seg->len) {
			offset -= seg->len;
			continue;
		}
		n = seg->len - offset < len ? seg->len - offset : len;
		fault = move_piece(sgl, &m, seg, offset, n);
		if (fault != HCA_OK) {
			*bad = (struct hca_bad){ seg->lkey, seg->addr + offset, n };
			return fault;
		}
		if (m.direction == GATHER)
			m.in += n;
		else if (m.direction == SCATTER)
			m.out += n;
		len -= n;
		offset = 0;
	}
	return HCA_OK;
}

enum hca_fault hca_sgl_check(const struct hca_sgl *sgl, uint64_t len, enum hca_access access,
			     struct hca_bad *bad)
{
	return move_range(sgl, (struct move){ .direction = CHECK, .access = access }, 0, len, bad);
}

enum hca_fault hca_sgl_gather(const struct hca_sgl *sgl, uint64_t offset, void *buf, uint64_t len,
			      struct hca_bad *bad)
{
	struct move m = { .direction = GATHER, .access = HCA_LOCAL_READ, .in = buf };

	return move_range(sgl, m, offset, len, bad);
}

enum hca_fault hca_sgl_scatter(const struct hca_sgl *sgl, uint64_t offset, const void *buf,
			       uint64_t len, struct hca_bad *bad)
{
	struct move m = { .direction = SCATTER, .access = HCA_LOCAL_WRITE, .out = buf };

	return move_range(sgl, m, offset, len, bad);
}
