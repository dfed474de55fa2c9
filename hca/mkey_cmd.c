/* SPDX-License-Identifier: GPL-2.0 */
/* CREATE_MKEY, DESTROY_MKEY, QUERY_MKEY. Keys that UMRs fill start free and without entries. */
#include <stdlib.h>

#include "hca/cmd.h"
#include "hca/memic.h"
#include "hca/mkc.h"

#define IN_MKC		 0x10
#define IN_OCTWORDS	 0x60 /* translations_octword_actual_size */
#define IN_ENTRIES	 0x110
#define OUT_MKC		 0x10
#define OUT_ENTRIES	 0x110 /* translation octwords, as many as fit */
#define SYNDROME_MODE	 0x3bea01
#define SYNDROME_PAGE	 0x3bea02
#define SYNDROME_ENTRIES 0x3bea03
#define SYNDROME_INDEX	 0x3bea04
#define SYNDROME_MEMIC	 0x3bea05

static enum hca_cmd_status load_entries(struct hca_mkey *mkey, struct hca_cmd *cmd)
{
	uint32_t octwords = be32_at(cmd->in, IN_OCTWORDS);

	if (!octwords)
		return HCA_CMD_OK;
	if (octwords > (cmd->ilen - IN_ENTRIES) / 16)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INPUT_LEN, SYNDROME_ENTRIES);
	mkey->xlt = malloc(16 * (size_t)octwords);
	if (!mkey->xlt)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, SYNDROME_ENTRIES);
	memcpy(mkey->xlt, cmd->in + IN_ENTRIES, 16 * (size_t)octwords);
	mkey->xlt_octwords = octwords;
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_create_mkey(struct hca *hca, struct hca_cmd *cmd)
{
	enum hca_cmd_status status;
	struct hca_mkey *mkey;
	const uint8_t *mkc;

	mkc = cmd->in + IN_MKC;
	if (mkc_mode(mkc) > HCA_MKC_KSM && mkc_mode(mkc) != HCA_MKC_MEMIC)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, SYNDROME_MODE);
	if (mkc_mode(mkc) == HCA_MKC_MEMIC && !hca_memic_covers(hca, mkc_start(mkc), mkc_len(mkc)))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, SYNDROME_MEMIC);
	/* A free key gets its page size with the UMR that enables it. */
	if (mkc_mode(mkc) == HCA_MKC_MTT && !mkc_free(mkc) &&
	    mkc_log_page(mkc) < HCA_MKC_MIN_LOG_PAGE)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, SYNDROME_PAGE);

	mkey = calloc(1, sizeof(*mkey));
	if (!mkey)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, SYNDROME_INDEX);
	memcpy(mkey->mkc, mkc, sizeof(mkey->mkc));
	mkey->pg_access = field_get(cmd->in, 3, 31, 31);
	status = load_entries(mkey, cmd);
	if (status == HCA_CMD_OK) {
		mkey->index = hca_table_add(&hca->mkeys, 1, mkey);
		if (!mkey->index)
			status = hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, SYNDROME_INDEX);
	}
	if (status != HCA_CMD_OK) {
		hca_mkey_free(mkey);
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
	hca_mkey_free(mkey);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_query_mkey(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_mkey *mkey;
	size_t entries;

	mkey = hca_table_get(&hca->mkeys, hca_cmd_number(cmd));
	if (!mkey)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, SYNDROME_INDEX);
	memcpy(cmd->out + OUT_MKC, mkey->mkc, sizeof(mkey->mkc));
	entries = 16 * (size_t)mkey->xlt_octwords;
	if (cmd->olen <= OUT_ENTRIES)
		return HCA_CMD_OK;
	if (entries > cmd->olen - OUT_ENTRIES)
		entries = cmd->olen - OUT_ENTRIES;
	if (entries)
		memcpy(cmd->out + OUT_ENTRIES, mkey->xlt, entries);
	return HCA_CMD_OK;
}
