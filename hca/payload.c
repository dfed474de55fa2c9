/* SPDX-License-Identifier: GPL-2.0-only */
/* Lists of data segments: check, gather, scatter. */
#include "hca/data.h"

enum direction { GATHER, SCATTER, COLLECT };

struct move {
	enum direction direction;
	uint8_t *in;
	const uint8_t *out;
	enum hca_access access; /* COLLECT, as the next */
	struct hca_pieces *pieces;
};

static enum hca_denial move_piece(const struct hca_sgl *sgl, const struct move *m,
				  const struct hca_seg *seg, uint64_t at, uint64_t *len)
{
	if (m->direction == COLLECT && seg->inl) {
		m->pieces->other = true;
		return HCA_OK;
	}
	if (m->direction == COLLECT)
		return hca_mkey_collect(sgl->hca, &sgl->who, seg->lkey, seg->addr + at, len,
					m->access, m->pieces);
	if (seg->inl) {
		if (m->direction == SCATTER)
			return HCA_DENIED_KEY;
		memcpy(m->in, seg->inl + at, *len);
		return HCA_OK;
	}
	if (m->direction == GATHER)
		return hca_mkey_read(sgl->hca, &sgl->who, seg->lkey, seg->addr + at, m->in, len,
				     HCA_LOCAL_READ);
	return hca_mkey_write(sgl->hca, &sgl->who, seg->lkey, seg->addr + at, m->out, len,
			      HCA_LOCAL_WRITE);
}

/* The segment that has byte *@offset of the list, which becomes the byte of the segment. */
static unsigned int find(const struct hca_sgl *sgl, uint64_t *offset)
{
	unsigned int i;

	for (i = 0; i < sgl->segs && *offset >= sgl->seg[i].len; i++)
		*offset -= sgl->seg[i].len;
	return i;
}

static enum hca_denial move_range(const struct hca_sgl *sgl, struct move m, uint64_t offset,
				  uint64_t *len, struct hca_denied *denied)
{
	uint64_t asked = *len;
	unsigned int i;

	*len = 0;
	for (i = find(sgl, &offset); i < sgl->segs && *len < asked; i++) {
		const struct hca_seg *seg = &sgl->seg[i];
		uint64_t room = seg->len - offset, want, n;
		enum hca_denial denial;

		want = n = room < asked - *len ? room : asked - *len;
		denial = move_piece(sgl, &m, seg, offset, &n);
		if (m.direction == COLLECT && m.pieces->other)
			return HCA_OK;
		/* What was moved counts; the rest comes in the next turn. */
		if (denial == HCA_DENIED_TURN && *len)
			return HCA_OK;
		if (denial != HCA_OK) {
			*denied = (struct hca_denied){ seg->lkey, seg->addr + offset, want };
			return denial;
		}
		if (m.direction == GATHER)
			m.in += n;
		else if (m.direction == SCATTER)
			m.out += n;
		*len += n;
		if (n < want)
			return HCA_OK;
		offset = 0;
	}
	return HCA_OK;
}

enum hca_denial hca_sgl_check(const struct hca_sgl *sgl, uint64_t len, enum hca_access access,
			      uint64_t *done, struct hca_denied *denied)
{
	uint64_t offset = *done;
	unsigned int i;

	for (i = find(sgl, &offset); i < sgl->segs && *done < len; i++) {
		const struct hca_seg *seg = &sgl->seg[i];
		uint64_t room = seg->len - offset, n, found = 0;
		enum hca_denial denial = HCA_OK;

		n = room < len - *done ? room : len - *done;
		if (seg->inl)
			found = n;
		else
			denial = hca_mkey_check_on(sgl->hca, &sgl->who, seg->lkey,
						   seg->addr + offset, n, access, &found);
		*done += found;
		if (denial != HCA_OK) {
			*denied = (struct hca_denied){ seg->lkey, seg->addr + offset, n };
			return denial;
		}
		offset = 0;
	}
	return HCA_OK;
}

enum hca_denial hca_sgl_gather(const struct hca_sgl *sgl, uint64_t offset, void *buf, uint64_t *len,
			       struct hca_denied *denied)
{
	struct move m = { .direction = GATHER, .in = buf };

	return move_range(sgl, m, offset, len, denied);
}

enum hca_denial hca_sgl_scatter(const struct hca_sgl *sgl, uint64_t offset, const void *buf,
				uint64_t *len, struct hca_denied *denied)
{
	struct move m = { .direction = SCATTER, .out = buf };

	return move_range(sgl, m, offset, len, denied);
}

enum hca_denial hca_sgl_collect(const struct hca_sgl *sgl, uint64_t offset, uint64_t *len,
				enum hca_access access, struct hca_pieces *pieces,
				struct hca_denied *denied)
{
	struct move m = { .direction = COLLECT, .access = access, .pieces = pieces };

	return move_range(sgl, m, offset, len, denied);
}
