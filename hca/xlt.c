/* SPDX-License-Identifier: GPL-2.0-only */
#include "hca/xlt.h"

#include <errno.h>
#include <string.h>

#include "hca/budget.h"
#include "hca/layout.h"

#define OCTWORD	   16u
#define CHUNK	   4096u /* octwords */
#define INDEX_MIN  64u
#define INDEX_STEP 256u /* entries between two looks at the turn's budget */
#define INDEX_WORK 4u	/* for one entry */

struct hca_xlt_chunk {
	uint8_t *entry;
	uint32_t room; /* octwords */
};

const uint8_t *hca_xlt_octword(const struct hca_xlt *xlt, uint32_t index)
{
	static const uint8_t absent[OCTWORD];
	uint32_t chunk = index / CHUNK;

	if (chunk >= xlt->chunks || index % CHUNK >= xlt->chunk[chunk].room)
		return absent;
	return xlt->chunk[chunk].entry + OCTWORD * (size_t)(index % CHUNK);
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* Room for octwords [@first, @end). What was made before it fails stays: it reads as zero. */
static int reserve(struct hca *hca, struct hca_xlt *xlt, uint32_t first, uint32_t end)
{
	uint32_t chunks = (end + CHUNK - 1) / CHUNK, i;

	if (chunks > xlt->chunks) {
		void *chunk = hca_resize(hca, xlt->chunk, chunks * sizeof(*xlt->chunk));

		if (!chunk)
			return -ENOMEM;
		xlt->chunk = chunk;
		xlt->chunks = chunks;
	}
	for (i = first / CHUNK; i < chunks; i++) {
		struct hca_xlt_chunk *chunk = &xlt->chunk[i];
		uint32_t room = min_u32(CHUNK, end - i * CHUNK);
		void *entry;

		if (room <= chunk->room)
			continue;
		/* Loads often go on where the last one ended. */
		if (chunk->room)
			room = min_u32(CHUNK, max_u32(room, 2 * chunk->room));
		entry = hca_resize(hca, chunk->entry, OCTWORD * (size_t)room);
		if (!entry)
			return -ENOMEM;
		chunk->entry = entry;
		chunk->room = room;
	}
	return 0;
}

int hca_xlt_store(struct hca *hca, struct hca_xlt *xlt, uint32_t first, const uint8_t *entries,
		  uint32_t count)
{
	uint32_t end = first + count, at, n;

	if (!count)
		return 0;
	if (reserve(hca, xlt, first, end))
		return -ENOMEM;
	for (at = first; at < end; at += n) {
		n = min_u32(end - at, CHUNK - at % CHUNK);
		memcpy(xlt->chunk[at / CHUNK].entry + OCTWORD * (size_t)(at % CHUNK), entries,
		       OCTWORD * (size_t)n);
		entries += OCTWORD * (size_t)n;
	}
	xlt->octwords = max_u32(xlt->octwords, end);
	xlt->indexed = min_u32(xlt->indexed, first);
	return 0;
}

void hca_xlt_drop(struct hca *hca, struct hca_xlt *xlt)
{
	for (uint32_t i = 0; i < xlt->chunks; i++)
		hca_release(hca, xlt->chunk[i].entry);
	hca_release(hca, xlt->chunk);
	hca_release(hca, xlt->end);
	*xlt = (struct hca_xlt){ 0 };
}

static uint64_t entry_size(const struct hca_xlt *xlt, uint32_t index, bool strided)
{
	const uint8_t *entry = hca_xlt_octword(xlt, index);

	if (!strided)
		return be32_at(entry, KLM_BYTE_COUNT);
	return index ? be16_at(entry, STRIDED_BYTE_COUNT) : 0;
}

/* Room in the index for entry @xlt->indexed of @count. */
static int index_room(struct hca *hca, struct hca_xlt *xlt, uint32_t count)
{
	uint32_t room = min_u32(count, max_u32(INDEX_MIN, 2 * xlt->end_room));
	void *end;

	if (xlt->indexed < xlt->end_room)
		return 0;
	end = hca_resize(hca, xlt->end, room * sizeof(*xlt->end));
	if (!end)
		return -ENOMEM;
	xlt->end = end;
	xlt->end_room = room;
	return 0;
}

/* Index the list until it covers @offset. */
static int extend(struct hca *hca, struct hca_xlt *xlt, uint32_t count, bool strided,
		  uint64_t offset, struct hca *turn)
{
	uint64_t end = xlt->indexed ? xlt->end[xlt->indexed - 1] : 0;

	while (end <= offset) {
		if (xlt->indexed >= count)
			return -ENOENT;
		if (turn && xlt->indexed % INDEX_STEP == 0) {
			if (hca_turn_over(turn))
				return -EAGAIN;
			hca_work(turn, INDEX_STEP * INDEX_WORK);
		}
		if (index_room(hca, xlt, count))
			return -ENOMEM;
		end += entry_size(xlt, xlt->indexed, strided);
		xlt->end[xlt->indexed++] = end;
	}
	return 0;
}

int hca_xlt_find(struct hca *hca, struct hca_xlt *xlt, uint32_t count, bool strided,
		 uint64_t offset, struct hca *turn, uint32_t *index, uint64_t *skip)
{
	uint32_t low = 0, high;
	int err = extend(hca, xlt, count, strided, offset, turn);

	if (err)
		return err;
	/* The first whose end is behind @offset. */
	high = min_u32(xlt->indexed, count) - 1;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (xlt->end[mid] <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	if (xlt->end[low] <= offset)
		return -ENOENT;
	*index = low;
	*skip = offset - (low ? xlt->end[low - 1] : 0);
	return 0;
}
