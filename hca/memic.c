/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device memory (MEMIC): a window of BAR0 that CPUs write as plain memory and that keys of the
 * MEMIC mode give to the data path. The driver chooses the pages, the device the place in them.
 */
#include "hca/memic.h"

#include "hca/budget.h"
#include "hca/kinds.h"
#include "hca/layout.h"
#include "hca/opcodes.h"
#include "hca/mkc.h"

#define LOG_ALIGN_MAX 6u

/* op_mod of MODIFY_MEMIC */
#define OP_ALLOC   0u
#define OP_DEALLOC 1u

struct memic {
	uint64_t start, size; /* bytes of BAR0 */
	uint32_t keys;	      /* that were made for it */
	uint8_t ops;	      /* operations on it, a bit each */
};

const struct hca_kind hca_kind_memic = {
	.limit = HCA_MEMIC_SIZE / HCA_MEMIC_UNIT + 1,
	.free = hca_release,
};

/* Owner of the unit at @addr of BAR0: a number of the table, 0 for none and outside of the window.
 */
static uint16_t owner_of(const struct hca *hca, uint64_t addr)
{
	return addr - HCA_MEMIC_OFFSET < HCA_MEMIC_SIZE
		       ? hca->memic_owner[(addr - HCA_MEMIC_OFFSET) / HCA_MEMIC_UNIT]
		       : 0;
}

static void set_owner(struct hca *hca, const struct memic *memic, uint16_t number)
{
	uint64_t addr;

	for (addr = memic->start; addr < memic->start + memic->size; addr += HCA_MEMIC_UNIT)
		hca->memic_owner[(addr - HCA_MEMIC_OFFSET) / HCA_MEMIC_UNIT] = number;
}

static bool is_free(const struct hca *hca, uint64_t start, uint64_t size)
{
	uint64_t addr;

	for (addr = start; addr < start + size; addr += HCA_MEMIC_UNIT) {
		if (owner_of(hca, addr))
			return false;
	}
	return true;
}

bool hca_memic_covers(struct hca *hca, uint64_t start, uint64_t len)
{
	const struct memic *memic = hca_table_get(&hca->memics, owner_of(hca, start));

	return memic && len <= memic->size - (start - memic->start);
}

uint8_t *hca_memic_at(struct hca *hca, uint64_t addr)
{
	return (uint8_t *)hca->uar_memory + (addr - HCA_SHARED_OFFSET);
}

void hca_memic_release(struct hca *hca, struct hca_mkey *mkey)
{
	struct memic *memic = hca_table_get(&hca->memics, mkey->memic);

	if (memic)
		memic->keys--;
	mkey->memic = 0;
}

void hca_memic_hold(struct hca *hca, struct hca_mkey *mkey)
{
	struct memic *memic;

	hca_memic_release(hca, mkey);
	if (mkc_free(mkey->mkc) || mkc_mode(mkey->mkc) != HCA_MKC_MEMIC)
		return;
	mkey->memic = owner_of(hca, mkc_start(mkey->mkc));
	memic = hca_table_get(&hca->memics, mkey->memic);
	if (memic)
		memic->keys++;
}

void hca_memic_forget(struct hca *hca)
{
	memset(hca->memic_owner, 0, sizeof(hca->memic_owner));
	for (size_t i = 0; i < HCA_MEMIC_SIZE / HCA_MEMIC_UNIT; i++)
		atomic_store(&hca->memic_ops[i], 0);
}

enum hca_cmd_status hca_cmd_alloc_memic(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t log_align = field_get(cmd->in, MEMIC_LOG_ALIGNMENT),
		 range = be32_at(cmd->in, MEMIC_RANGE_SIZE);
	uint32_t size = be32_at(cmd->in, MEMIC_SIZE), number;
	uint64_t start = be64_at(cmd->in, MEMIC_RANGE_START), align, end;
	struct memic *memic;

	if (log_align > LOG_ALIGN_MAX || !size || size % HCA_MEMIC_UNIT || size > HCA_MEMIC_MAX)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x0f0001);
	align = (uint64_t)HCA_MEMIC_UNIT << log_align;
	if (start < HCA_MEMIC_OFFSET || start >= HCA_MEMIC_OFFSET + HCA_MEMIC_SIZE ||
	    range > HCA_MEMIC_OFFSET + HCA_MEMIC_SIZE - start)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x0f0002);
	end = start + range;
	start = (start + align - 1) & ~(align - 1);
	if (start > end || size > end - start)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x0f0003);
	/* The driver looks further when there is no room at this place. */
	if (!is_free(hca, start, size))
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x0f0004);
	/* Elsewhere there is no more memory, either. */
	memic = hca_alloc(hca, sizeof(*memic));
	if (!memic)
		return hca_cmd_fail(cmd, HCA_CMD_LIMIT, 0x0f0005);
	*memic = (struct memic){ .start = start, .size = size };
	number = hca_table_add(hca, &hca->memics, 1, memic);
	if (!number) {
		hca_release(hca, memic);
		return hca_cmd_fail(cmd, HCA_CMD_LIMIT, 0x0f0006);
	}
	set_owner(hca, memic, (uint16_t)number);
	be64_put(cmd->out, MEMIC_START, start);
	return HCA_CMD_OK;
}

/* What it held is not for the next one to see. */
enum hca_cmd_status hca_cmd_dealloc_memic(struct hca *hca, struct hca_cmd *cmd)
{
	uint64_t start = be64_at(cmd->in, MEMIC_DEALLOC_START);
	uint16_t number = owner_of(hca, start);
	struct memic *memic = hca_table_get(&hca->memics, number);

	if (!memic || memic->start != start || memic->size != be32_at(cmd->in, MEMIC_DEALLOC_SIZE))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x0f0007);
	if (memic->keys || memic->ops)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x0f0008);
	pthread_mutex_lock(&hca->uar_lock);
	memset(hca_memic_at(hca, start), 0, memic->size);
	pthread_mutex_unlock(&hca->uar_lock);
	set_owner(hca, memic, 0);
	hca_table_remove(hca, &hca->memics, number);
	hca_release(hca, memic);
	return HCA_CMD_OK;
}

/* --- operations ---------------------------------------------------------------------------- */

static void set_ops(struct hca *hca, const struct memic *memic)
{
	uint64_t first = (memic->start - HCA_MEMIC_OFFSET) / HCA_MEMIC_UNIT;

	for (uint64_t i = 0; i < memic->size / HCA_MEMIC_UNIT; i++)
		atomic_store(&hca->memic_ops[first + i], memic->ops);
}

enum hca_cmd_status hca_cmd_modify_memic(struct hca *hca, struct hca_cmd *cmd)
{
	uint16_t op_mod = be16_at(cmd->in, CMD_OP_MOD);
	uint32_t type = field_get(cmd->in, MEMIC_OPERATION_TYPE);
	uint64_t start = be64_at(cmd->in, MEMIC_MODIFY_START);
	struct memic *memic = hca_table_get(&hca->memics, owner_of(hca, start));
	bool had;

	if (op_mod > OP_DEALLOC || type >= HCA_MEMIC_OPS)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x0f0009);
	if (!memic || memic->start != start)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x0f000a);
	had = memic->ops >> type & 1;
	if (had == (op_mod == OP_ALLOC))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x0f000b);
	memic->ops ^= (uint8_t)(1u << type);
	set_ops(hca, memic);
	if (op_mod == OP_ALLOC)
		be64_put(cmd->out, MEMIC_OPERATION_ADDR,
			 start + HCA_MEMIC_SIZE * (uint64_t)(type + 1));
	return HCA_CMD_OK;
}

/* Where the byte is that the access is for, and its operation; 0: it is for none. */
static uint64_t byte_of(struct hca *hca, uint64_t offset, unsigned int size, uint32_t type)
{
	uint64_t in_window = (offset - HCA_MEMIC_OP_OFFSET) % HCA_MEMIC_SIZE;

	if ((offset - HCA_MEMIC_OP_OFFSET) / HCA_MEMIC_SIZE != type ||
	    !(atomic_load(&hca->memic_ops[in_window / HCA_MEMIC_UNIT]) >> type & 1))
		return 0;
	if (size != 1) {
		hca_unmodelled(hca, "device memory operation on %u bytes", size);
		return 0;
	}
	return HCA_MEMIC_OFFSET + in_window;
}

uint8_t hca_memic_op_read(struct hca *hca, uint64_t offset, unsigned int size)
{
	uint64_t at = byte_of(hca, offset, size, HCA_MEMIC_TEST_AND_SET);
	uint8_t value = 0;

	if (!at)
		return 0;
	pthread_mutex_lock(&hca->uar_lock);
	value = atomic_exchange((_Atomic uint8_t *)hca_memic_at(hca, at), 1);
	pthread_mutex_unlock(&hca->uar_lock);
	return value;
}

void hca_memic_op_write(struct hca *hca, uint64_t offset, unsigned int size, uint8_t value)
{
	uint64_t at = byte_of(hca, offset, size, HCA_MEMIC_INCREMENT);

	if (!at)
		return;
	pthread_mutex_lock(&hca->uar_lock);
	atomic_fetch_add((_Atomic uint8_t *)hca_memic_at(hca, at), value);
	pthread_mutex_unlock(&hca->uar_lock);
}
