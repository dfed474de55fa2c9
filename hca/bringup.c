/* SPDX-License-Identifier: GPL-2.0-only */
/* Bring-up and teardown of the function: commands that make no object. */
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
	be32_put(cmd->out, 0x08, HCA_KEY_DUMP);
	be32_put(cmd->out, 0x10, HCA_KEY_NULL);
	if (cmd->olen >= 0x18)
		be32_put(cmd->out, 0x14, HCA_KEY_END);
	return HCA_CMD_OK;
}

/* ISSI 0 is the only one: SRQs of every kind come by CREATE_SRQ then. */
enum hca_cmd_status hca_cmd_query_issi(struct hca *hca, struct hca_cmd *cmd)
{
	(void)hca;
	be32_put(cmd->out, 0x6c, 1u << 0);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_set_issi(struct hca *hca, struct hca_cmd *cmd)
{
	(void)hca;
	if (field_get(cmd->in, 2, 15, 0))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x0a0001);
	return HCA_CMD_OK;
}
