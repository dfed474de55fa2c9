/* SPDX-License-Identifier: GPL-2.0-only */
/* Layouts: sched_elem, sched_context of libmlx5; set_pp_rate_limit_in of mlx5_ifc.h. */
#include "hca/qos.h"

#include "base/clock.h"
#include "hca/budget.h"
#include "hca/due.h"
#include "hca/kinds.h"
#include "hca/layout.h"
#include "hca/opcodes.h"

#define HIERARCHY_NIC	 3u
#define TYPE_TSAR	 0u
#define TYPE_QUEUE_GROUP 4u
#define TSAR_DWRR	 0u

/* modify_field_select */
#define SELECT_BW_SHARE (1u << 0)
#define SELECT_MAX_BW	(1u << 1)

const struct hca_kind hca_kind_sched = {
	.limit = 1u << 12,
	.free = hca_release,
};

/* --- scheduling elements ------------------------------------------------------------------- */

static struct hca_sched *find(struct hca *hca, const struct hca_cmd *cmd, uint32_t number)
{
	struct hca_sched *sched = hca_table_get(&hca->scheds, number);

	return sched && hca_cmd_owns(cmd, sched->uid) ? sched : NULL;
}

static void hold(struct hca *hca, uint32_t number, int change)
{
	struct hca_sched *sched = hca_table_get(&hca->scheds, number);

	if (sched)
		sched->users += (uint32_t)change;
}

void hca_sched_hold(struct hca *hca, const struct hca_qp *qp, int change)
{
	hold(hca, qp->sched[HCA_SCHED_REQUESTER], change);
	hold(hca, qp->sched[HCA_SCHED_RESPONDER], change);
}

enum hca_cmd_status hca_sched_bind(struct hca *hca, struct hca_cmd *cmd, struct hca_qp *qp,
				   const uint32_t numbers[2])
{
	for (unsigned int i = 0; i < 2; i++) {
		const struct hca_sched *sched = find(hca, cmd, numbers[i]);

		if (numbers[i] && !(sched && sched->leaf))
			return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x240001);
	}
	hca_sched_hold(hca, qp, -1);
	memcpy(qp->sched, numbers, sizeof(qp->sched));
	hca_sched_hold(hca, qp, 1);
	return HCA_CMD_OK;
}

static void take(struct hca_sched *sched, const uint8_t *in, uint64_t select)
{
	if (select & SELECT_BW_SHARE)
		sched->bw_share = be32_at(in, SCHED_BW_SHARE);
	if (select & SELECT_MAX_BW)
		sched->max_average_bw = be32_at(in, SCHED_MAX_AVERAGE_BW);
}

/* What the command says it is, and where. */
static enum hca_cmd_status decode(struct hca *hca, struct hca_cmd *cmd, struct hca_sched *sched)
{
	uint32_t type = field_get(cmd->in, SCHED_ELEMENT_TYPE);
	const struct hca_sched *parent;

	sched->leaf = type == TYPE_QUEUE_GROUP;
	sched->parent = be32_at(cmd->in, SCHED_PARENT);
	if (field_get(cmd->in, SCHED_HIERARCHY) != HIERARCHY_NIC ||
	    (!sched->leaf && type != TYPE_TSAR) ||
	    (!sched->leaf && field_get(cmd->in, SCHED_TSAR_TYPE) != TSAR_DWRR))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x240002);
	parent = find(hca, cmd, sched->parent);
	if ((sched->parent || sched->leaf) && (!parent || parent->leaf))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x240003);
	take(sched, cmd->in, SELECT_BW_SHARE | SELECT_MAX_BW);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_sched_create(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_sched *sched;
	enum hca_cmd_status status;

	if (cmd->ilen < SCHED_LEN)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INPUT_LEN, 0x240004);
	sched = hca_alloc(hca, sizeof(*sched));
	if (!sched)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x240005);
	sched->uid = hca_cmd_uid(cmd);
	status = decode(hca, cmd, sched);
	if (!status)
		status = hca_cmd_add(hca, cmd, &hca->scheds, 1, sched, &sched->number);
	if (status) {
		hca_release(hca, sched);
		return status;
	}
	hold(hca, sched->parent, 1);
	hca_plain_hold(&hca->uctxs, sched->uid, 1);
	be32_put(cmd->out, OBJ_ID, sched->number);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_sched_modify(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_sched *sched = find(hca, cmd, be32_at(cmd->in, OBJ_ID));

	if (cmd->ilen < SCHED_LEN)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INPUT_LEN, 0x240006);
	if (!sched)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x240007);
	take(sched, cmd->in, be64_at(cmd->in, SCHED_FIELD_SELECT));
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_sched_destroy(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_sched *sched = find(hca, cmd, be32_at(cmd->in, OBJ_ID));

	if (!sched)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x240008);
	if (sched->users)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x240009);
	hca_table_remove(hca, &hca->scheds, sched->number);
	hold(hca, sched->parent, -1);
	hca_plain_hold(&hca->uctxs, sched->uid, -1);
	hca_release(hca, sched);
	return HCA_CMD_OK;
}

_Static_assert(HCA_RATES == sizeof(((struct hca *)NULL)->rate) / sizeof(struct hca_rate),
	       "each has its place");

/* --- rates --------------------------------------------------------------------------------- */

enum hca_cmd_status hca_cmd_set_pp_rate_limit(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t index = field_get(cmd->in, PP_INDEX), kbps = be32_at(cmd->in, PP_RATE);
	struct hca_rate *rate = &hca->rate[index < HCA_RATES ? index : 0];

	if (!index || index >= HCA_RATES)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INDEX, 0x240010);
	/* 0: it is given back. */
	if (kbps && (kbps < HCA_RATE_MIN || kbps > HCA_RATE_MAX))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x240011);
	if (rate->kbps && !hca_cmd_owns(cmd, rate->uid))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x240012);
	*rate = (struct hca_rate){ .kbps = kbps, .uid = hca_cmd_uid(cmd) };
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_rate_bind(struct hca *hca, struct hca_cmd *cmd, struct hca_qp *sq,
				  uint32_t index)
{
	if (index >= HCA_RATES)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INDEX, 0x240013);
	/* Those of the driver are there for all. */
	if (hca->rate[index].uid && !hca_cmd_owns(cmd, hca->rate[index].uid))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x240014);
	sq->rate = (uint16_t)index;
	sq->next_frame_ns = 0;
	sq->retrying = false;
	hca_qp_due(sq);
	return HCA_CMD_OK;
}

bool hca_rate_allows(struct hca_qp *sq)
{
	if (!sq->hca->rate[sq->rate].kbps || clock_now_ns() >= sq->next_frame_ns)
		return true;
	sq->retrying = true;
	sq->retry_at_ns = sq->next_frame_ns;
	return false;
}

void hca_rate_spend(struct hca_qp *sq, size_t len)
{
	uint32_t kbps = sq->hca->rate[sq->rate].kbps;
	uint64_t now;

	if (!kbps)
		return;
	now = clock_now_ns();
	if (sq->next_frame_ns < now)
		sq->next_frame_ns = now;
	/* 1 kbit/s is a bit in a millisecond. */
	sq->next_frame_ns += (uint64_t)len * 8 * 1000000 / kbps;
}
