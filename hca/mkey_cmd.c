/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CREATE_MKEY, DESTROY_MKEY, QUERY_MKEY. Keys that UMRs fill start free and without entries; those
 * of a program are of lists of keys, or of a umem, and never have entries of their own.
 */
#include <string.h>

#include "hca/budget.h"
#include "hca/kinds.h"
#include "hca/layout.h"
#include "hca/opcodes.h"
#include "hca/memic.h"
#include "hca/mkc.h"
#include "hca/umem.h"

#define IN_MKC		 0x10
#define OUT_MKC		 0x10
#define OUT_ENTRIES	 0x110 /* translation octwords, as many as fit */
#define SYNDROME_CONTEXT 0x3bea01
#define SYNDROME_ENTRIES 0x3bea03
#define SYNDROME_INDEX	 0x3bea04
#define SYNDROME_USER	 0x3bea06
#define SYNDROME_TPH	 0x3bea07
#define LOAD_STEP	 (1u << 12) /* octwords loaded at a time */

static void free_mkey(struct hca *hca, void *mkey)
{
	hca_mkey_free(hca, mkey);
}

const struct hca_kind hca_kind_mkey = {
	.limit = 1u << 24,
	.base = HCA_MKEY_FIRST,
	.free = free_mkey,
};

/* mkey_umem_valid. The entries that the command may have, or count, are none then. */
static bool is_of_umem(const struct hca_cmd *cmd)
{
	return !mkc_indirect(cmd->in + IN_MKC) && field_get(cmd->in, MKEY_UMEM_VALID);
}

static uint32_t octwords(const struct hca_cmd *cmd)
{
	return is_of_umem(cmd) ? 0 : be32_at(cmd->in, MKEY_OCTWORDS);
}

/*
 * A program's command must not name DMA addresses. The driver marks those that it passes on
 * (mkey_umem_valid), unless the key is a list of keys.
 */
static enum hca_cmd_status check_user(struct hca *hca, struct hca_cmd *cmd)
{
	const uint8_t *mkc = cmd->in + IN_MKC;

	if (mkc_indirect(mkc) || !(hca_cmd_uid(cmd) || is_of_umem(cmd)))
		return HCA_CMD_OK;
	if (is_of_umem(cmd) && mkc_mode(mkc) == HCA_MKC_MTT && !mkc_length64(mkc))
		return HCA_CMD_OK;
	hca_unmodelled(hca, "CREATE_MKEY of a program, access mode %u", mkc_mode(mkc));
	return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, SYNDROME_USER);
}

static enum hca_cmd_status check(struct hca *hca, struct hca_cmd *cmd)
{
	const uint8_t *mkc = cmd->in + IN_MKC;
	enum hca_cmd_status status = check_user(hca, cmd);

	if (status)
		return status;
	if (!is_of_umem(cmd) && !hca_mkey_valid(hca, mkc))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, SYNDROME_CONTEXT);
	if (mkc_tph(mkc) && hca->params.firmware == HCA_FIRMWARE_REFUSE_TPH_KEY)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, SYNDROME_TPH);
	if (octwords(cmd) > cmd->list_len / 16)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INPUT_LEN, SYNDROME_ENTRIES);
	if (mkc_indirect(mkc) && octwords(cmd) > HCA_XLT_LIST_MAX)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, SYNDROME_ENTRIES);
	return HCA_CMD_OK;
}

/* Some of the entries that are left. */
static enum hca_cmd_status load_entries(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t left = octwords(cmd) - cmd->octwords;
	uint32_t count = left < LOAD_STEP ? left : LOAD_STEP;

	if (!count)
		return HCA_CMD_OK;
	hca_work(hca, 16 * (uint64_t)count);
	if (hca_xlt_store(hca, &cmd->mkey->xlt, cmd->octwords,
			  cmd->list + 16 * (size_t)cmd->octwords, count))
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, SYNDROME_ENTRIES);
	cmd->octwords += count;
	return count < left ? HCA_CMD_MORE : HCA_CMD_OK;
}

/* The key has no number before all its entries are there. */
enum hca_cmd_status hca_cmd_create_mkey(struct hca *hca, struct hca_cmd *cmd)
{
	enum hca_cmd_status status = cmd->mkey ? HCA_CMD_OK : check(hca, cmd);
	struct hca_mkey *mkey;

	if (status)
		return status;
	if (!cmd->mkey)
		cmd->mkey = hca_alloc(hca, sizeof(*mkey));
	mkey = cmd->mkey;
	if (!mkey)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, SYNDROME_INDEX);
	status = load_entries(hca, cmd);
	if (!status && is_of_umem(cmd))
		status = hca_umem_pages(hca, cmd, be32_at(cmd->in, MKEY_UMEM_ID),
					be64_at(cmd->in, MKEY_UMEM_OFFSET),
					mkc_len(cmd->in + IN_MKC), &mkey->umem);
	if (status)
		return status;
	status = hca_cmd_add(hca, cmd, &hca->mkeys, HCA_MKEY_FIRST, mkey, &mkey->index);
	if (status)
		return status;
	cmd->mkey = NULL;
	memcpy(mkey->mkc, cmd->in + IN_MKC, sizeof(mkey->mkc));
	mkey->pg_access = field_get(cmd->in, MKEY_PG_ACCESS);
	mkey->uid = hca_cmd_uid(cmd);
	hca_plain_hold(&hca->uctxs, mkey->uid, 1);
	hca_memic_hold(hca, mkey);
	field_put(cmd->out, CMD_NUMBER, mkey->index);
	return HCA_CMD_OK;
}

static struct hca_mkey *find(struct hca *hca, const struct hca_cmd *cmd)
{
	struct hca_mkey *mkey = hca_table_get(&hca->mkeys, hca_cmd_number(cmd));

	return mkey && hca_cmd_owns(cmd, mkey->uid) ? mkey : NULL;
}

enum hca_cmd_status hca_cmd_destroy_mkey(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_mkey *mkey = find(hca, cmd);

	if (!mkey)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, SYNDROME_INDEX);
	hca_table_remove(hca, &hca->mkeys, mkey->index);
	hca_plain_hold(&hca->uctxs, mkey->uid, -1);
	hca_memic_release(hca, mkey);
	hca_mkey_free(hca, mkey);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_query_mkey(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_mkey *mkey;
	uint32_t i;

	mkey = find(hca, cmd);
	if (!mkey)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, SYNDROME_INDEX);
	memcpy(cmd->out + OUT_MKC, mkey->mkc, sizeof(mkey->mkc));
	for (i = 0; i < mkey->xlt.octwords && OUT_ENTRIES + 16 * (uint64_t)(i + 1) <= cmd->olen;
	     i++)
		memcpy(cmd->out + OUT_ENTRIES + 16 * (size_t)i, hca_xlt_octword(&mkey->xlt, i), 16);
	return HCA_CMD_OK;
}
