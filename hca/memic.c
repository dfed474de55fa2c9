/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device memory (MEMIC): a window of BAR0 that CPUs write as plain memory and that keys of the
 * MEMIC mode give to the data path. The driver chooses the pages, the device the place in them.
 */
#include "hca/cmd.h"

#include <stdlib.h>

#include "hca/memic.h"
#include "hca/mkc.h"

#define ALIGN_MIN     64u
#define LOG_ALIGN_MAX 6u

struct memic {
	uint64_t start, size; /* bytes of BAR0 */
};

/* The allocation that has all of [@start, @start + @size), or that overlaps it. */
static struct memic *find(struct hca *hca, uint64_t start, uint64_t size, bool overlap,
			  uint32_t *number)
{
	uint32_t i;

	for (i = 0; i < hca->memics.size; i++) {
		struct memic *memic = hca->memics.slot[i];

		if (!memic)
			continue;
		if (overlap ? start < memic->start + memic->size && memic->start < start + size
			    : start >= memic->start && size <= memic->size &&
				      start - memic->start <= memic->size - size) {
			*number = i;
			return memic;
		}
	}
	return NULL;
}

bool hca_memic_covers(struct hca *hca, uint64_t start, uint64_t len)
{
	uint32_t number;

	return find(hca, start, len, false, &number);
}

uint8_t *hca_memic_at(struct hca *hca, uint64_t addr)
{
	return (uint8_t *)hca->uar_memory + (addr - HCA_SHARED_OFFSET);
}

enum hca_cmd_status hca_cmd_alloc_memic(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t log_align = field_get(cmd->in, 3, 7, 0), range = be32_at(cmd->in, 0x18);
	uint32_t size = be32_at(cmd->in, 0x1c), number;
	uint64_t start = be64_at(cmd->in, 0x10), align, end;
	struct memic *memic;

	if (log_align > LOG_ALIGN_MAX || !size || size % ALIGN_MIN || size > HCA_MEMIC_MAX)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x0f0001);
	align = (uint64_t)ALIGN_MIN << log_align;
	if (start < HCA_MEMIC_OFFSET || start >= HCA_MEMIC_OFFSET + HCA_MEMIC_SIZE ||
	    range > HCA_MEMIC_OFFSET + HCA_MEMIC_SIZE - start)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x0f0002);
	end = start + range;
	start = (start + align - 1) & ~(align - 1);
	if (start > end || size > end - start)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x0f0003);
	/* The driver looks further when there is no room at this place. */
	if (find(hca, start, size, true, &number))
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x0f0004);
	memic = calloc(1, sizeof(*memic));
	if (!memic)
		return hca_cmd_fail(cmd, HCA_CMD_LIMIT, 0x0f0005);
	*memic = (struct memic){ .start = start, .size = size };
	if (!hca_table_add(&hca->memics, 1, memic)) {
		free(memic);
		return hca_cmd_fail(cmd, HCA_CMD_LIMIT, 0x0f0006);
	}
	be64_put(cmd->out, 8, start);
	return HCA_CMD_OK;
}

/* What it held is not for the next one to see. */
enum hca_cmd_status hca_cmd_dealloc_memic(struct hca *hca, struct hca_cmd *cmd)
{
	uint64_t start = be64_at(cmd->in, 0x10);
	struct memic *memic;
	uint32_t number, i;

	memic = find(hca, start, 1, false, &number);
	if (!memic || memic->start != start || memic->size != be32_at(cmd->in, 0x18))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x0f0007);
	for (i = 0; i < hca->mkeys.size; i++) {
		const struct hca_mkey *mkey = hca->mkeys.slot[i];

		if (mkey && mkc_mode(mkey->mkc) == HCA_MKC_MEMIC &&
		    mkc_start(mkey->mkc) - start < memic->size)
			return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x0f0008);
	}
	memset(hca_memic_at(hca, start), 0, memic->size);
	hca_table_remove(&hca->memics, number);
	free(memic);
	return HCA_CMD_OK;
}
