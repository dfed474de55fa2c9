/* SPDX-License-Identifier: GPL-2.0 */
/* CREATE_MKEY, DESTROY_MKEY, QUERY_MKEY. Keys that UMRs fill start free and without entries. */
#include <string.h>

#include "hca/budget.h"
#include "hca/cmd.h"
#include "hca/mkc.h"

#define IN_MKC		 0x10
#define IN_OCTWORDS	 0x60 /* translations_octword_actual_size */
#define IN_ENTRIES	 0x110
#define OUT_MKC		 0x10
#define OUT_ENTRIES	 0x110 /* translation octwords, as many as fit */
#define SYNDROME_CONTEXT 0x3bea01
#define SYNDROME_ENTRIES 0x3bea03
#define SYNDROME_INDEX	 0x3bea04

static enum hca_cmd_status load_entries(struct hca *hca, struct hca_mkey *mkey, struct hca_cmd *cmd)
{
	uint32_t octwords = be32_at(cmd->in, IN_OCTWORDS);

	if (!octwords)
		return HCA_CMD_OK;
	if (octwords > (cmd->ilen - IN_ENTRIES) / 16)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INPUT_LEN, SYNDROME_ENTRIES);
	if (mkc_indirect(mkey->mkc) && octwords > HCA_XLT_LIST_MAX)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, SYNDROME_ENTRIES);
	if (hca_xlt_store(hca, &mkey->xlt, 0, cmd->in + IN_ENTRIES, octwords))
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, SYNDROME_ENTRIES);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_create_mkey(struct hca *hca, struct hca_cmd *cmd)
{
	enum hca_cmd_status status;
	struct hca_mkey *mkey;
	const uint8_t *mkc;

	mkc = cmd->in + IN_MKC;
	if (!hca_mkey_valid(hca, mkc))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, SYNDROME_CONTEXT);

	mkey = hca_alloc(hca, sizeof(*mkey));
	if (!mkey)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, SYNDROME_INDEX);
	memcpy(mkey->mkc, mkc, sizeof(mkey->mkc));
	mkey->pg_access = field_get(cmd->in, 3, 31, 31);
	status = load_entries(hca, mkey, cmd);
	if (status == HCA_CMD_OK) {
		mkey->index = hca_table_add(&hca->mkeys, 1, mkey);
		if (!mkey->index)
			status = hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, SYNDROME_INDEX);
	}
	if (status != HCA_CMD_OK) {
		hca_mkey_free(hca, mkey);
		return status;
	}
	field_put(cmd->out, 2, 23, 0, mkey->index);
	return HCA_CMD_OK;
}

/* Translations are used within one turn of the engine only, so nothing is in flight here. */
enum hca_cmd_status hca_cmd_destroy_mkey(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_mkey *mkey;

	mkey = hca_table_remove(&hca->mkeys, hca_cmd_number(cmd));
	if (!mkey)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, SYNDROME_INDEX);
	hca_mkey_free(hca, mkey);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_query_mkey(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_mkey *mkey;
	uint32_t i;

	mkey = hca_table_get(&hca->mkeys, hca_cmd_number(cmd));
	if (!mkey)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, SYNDROME_INDEX);
	memcpy(cmd->out + OUT_MKC, mkey->mkc, sizeof(mkey->mkc));
	for (i = 0; i < mkey->xlt.octwords && OUT_ENTRIES + 16 * (uint64_t)(i + 1) <= cmd->olen;
	     i++)
		memcpy(cmd->out + OUT_ENTRIES + 16 * (size_t)i, hca_xlt_octword(&mkey->xlt, i), 16);
	return HCA_CMD_OK;
}
