/* SPDX-License-Identifier: GPL-2.0-only */
/* Bring-up and teardown of the function: commands that make no object. */
#include "hca/layout.h"
#include "hca/opcodes.h"

/*
 * Whatever an earlier driver left is gone: recovery after a failed teardown starts here.
 */
enum hca_cmd_status hca_cmd_enable_hca(struct hca *hca, struct hca_cmd *cmd)
{
	(void)cmd;
	return hca_drop_objects(hca) ? HCA_CMD_OK : HCA_CMD_MORE;
}

enum hca_cmd_status hca_cmd_teardown_hca(struct hca *hca, struct hca_cmd *cmd)
{
	(void)cmd;
	return hca_drop_objects(hca) ? HCA_CMD_OK : HCA_CMD_MORE;
}

enum hca_cmd_status hca_cmd_nothing(struct hca *hca, struct hca_cmd *cmd)
{
	(void)hca;
	(void)cmd;
	return HCA_CMD_OK;
}

/* The device asks for no pages: function 0, num_pages 0. */
enum hca_cmd_status hca_cmd_query_pages(struct hca *hca, struct hca_cmd *cmd)
{
	return hca_cmd_nothing(hca, cmd);
}

enum hca_cmd_status hca_cmd_query_special(struct hca *hca, struct hca_cmd *cmd)
{
	(void)hca;
	be32_put(cmd->out, SPECIAL_DUMP_FILL_MKEY, HCA_KEY_DUMP);
	be32_put(cmd->out, SPECIAL_NULL_MKEY, HCA_KEY_NULL);
	if (cmd->olen >= SPECIAL_TERMINATE_SCATTER_LIST + 4)
		be32_put(cmd->out, SPECIAL_TERMINATE_SCATTER_LIST, HCA_KEY_END);
	return HCA_CMD_OK;
}

/*
 * ISSI 0 is the only one on InfiniBand: SRQs of every kind come by CREATE_SRQ then. CQEs of
 * version 1, which an Ethernet port has, name queues by numbers that CREATE_SRQ has no place for.
 */
static uint32_t issi_max(const struct hca *hca)
{
	return hca->eth ? 1 : 0;
}

enum hca_cmd_status hca_cmd_query_issi(struct hca *hca, struct hca_cmd *cmd)
{
	be32_put(cmd->out, ISSI_SUPPORTED, (2u << issi_max(hca)) - 1);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_set_issi(struct hca *hca, struct hca_cmd *cmd)
{
	if (field_get(cmd->in, ISSI_CURRENT) > issi_max(hca))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x0a0001);
	return HCA_CMD_OK;
}
