/* SPDX-License-Identifier: GPL-2.0-only */
/* Transport domains, and transport interface sends (TIS): what a send queue belongs to. */
#include "hca/budget.h"
#include "hca/opcodes.h"
#include "hca/eth.h"
#include "hca/kinds.h"

#define CONTEXT 0x20u
/* modify_tis_in.bitmask */
#define MODIFY_PRIO	  (1u << 0)
#define MODIFY_STRICT_LAG (1u << 1)
#define MODIFY_LAG	  (1u << 2)
#define MODIFY_ALL	  (MODIFY_PRIO | MODIFY_STRICT_LAG | MODIFY_LAG)

const struct hca_kind hca_kind_td = {
	.limit = 1u << 16,
	.free = hca_release,
};

const struct hca_kind hca_kind_tis = {
	.limit = 1u << 16,
	.free = hca_release,
};

enum hca_cmd_status hca_cmd_alloc_td(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t number;

	return hca_plain_alloc(hca, cmd, &hca->tds, 1, &number);
}

enum hca_cmd_status hca_cmd_dealloc_td(struct hca *hca, struct hca_cmd *cmd)
{
	return hca_plain_dealloc(hca, cmd, &hca->tds, hca_cmd_number(cmd));
}

struct hca_tis *hca_tis_find(struct hca *hca, const struct hca_cmd *cmd, uint32_t number)
{
	struct hca_tis *tis = hca_table_get(&hca->tises, number);

	return tis && hca_cmd_owns(cmd, tis->uid) ? tis : NULL;
}

static void take(struct hca_tis *tis, const uint8_t *tisc, uint32_t select)
{
	if (select & MODIFY_PRIO)
		tis->prio = (uint8_t)field_get(tisc, TIS_PRIO);
	if (select & MODIFY_LAG)
		tis->lag_port = (uint8_t)field_get(tisc, TIS_LAG);
	if (select & MODIFY_STRICT_LAG)
		tis->strict_lag = field_get(tisc, TIS_STRICT_LAG);
}

enum hca_cmd_status hca_cmd_create_tis(struct hca *hca, struct hca_cmd *cmd)
{
	const uint8_t *tisc = cmd->in + CONTEXT;
	uint32_t td = field_get(tisc, TIS_TD);
	enum hca_cmd_status status;
	struct hca_tis *tis;

	if (!hca_plain_find(cmd, &hca->tds, td))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x200001);
	tis = hca_alloc(hca, sizeof(*tis));
	if (!tis)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x200002);
	tis->uid = hca_cmd_uid(cmd);
	tis->td = td;
	take(tis, tisc, MODIFY_ALL);
	status = hca_cmd_add(hca, cmd, &hca->tises, 1, tis, &tis->number);
	if (status) {
		hca_release(hca, tis);
		return status;
	}
	hca_plain_hold(&hca->uctxs, tis->uid, 1);
	hca_plain_hold(&hca->tds, td, 1);
	field_put(cmd->out, CMD_NUMBER, tis->number);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_modify_tis(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_tis *tis = hca_tis_find(hca, cmd, hca_cmd_number(cmd));

	if (!tis)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x200003);
	take(tis, cmd->in + CONTEXT, be32_at(cmd->in, MODIFY_BITMASK));
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_query_tis(struct hca *hca, struct hca_cmd *cmd)
{
	const struct hca_tis *tis = hca_tis_find(hca, cmd, hca_cmd_number(cmd));
	uint8_t *tisc = cmd->out + HCA_CMD_CONTEXT;

	if (!tis)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x200006);
	field_put(tisc, TIS_STRICT_LAG, tis->strict_lag);
	field_put(tisc, TIS_LAG, tis->lag_port);
	field_put(tisc, TIS_PRIO, tis->prio);
	field_put(tisc, TIS_TD, tis->td);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_destroy_tis(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_tis *tis = hca_tis_find(hca, cmd, hca_cmd_number(cmd));

	if (!tis)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x200004);
	if (tis->users)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x200005);
	hca_table_remove(hca, &hca->tises, tis->number);
	hca_plain_hold(&hca->uctxs, tis->uid, -1);
	hca_plain_hold(&hca->tds, tis->td, -1);
	hca_release(hca, tis);
	return HCA_CMD_OK;
}
