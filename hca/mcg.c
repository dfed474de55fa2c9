/* SPDX-License-Identifier: GPL-2.0-only */
/* Multicast groups of the adapter: which of its QPs take datagrams for a GID. */
#include "hca/budget.h"
#include "hca/opcodes.h"
#include "hca/eth.h"

static int find(const struct hca_mcg *mcg, uint32_t qpn, const uint8_t *mgid)
{
	unsigned int i;

	for (i = 0; i < mcg->count; i++) {
		if (mcg->entry[i].qpn == qpn && !memcmp(mcg->entry[i].mgid, mgid, 16))
			return (int)i;
	}
	return -1;
}

/* @count entries are left. Memory that is not needed goes back; if not, there is only more of it.
 */
static void shrink(struct hca *hca, unsigned int count)
{
	struct hca_mcg *mcg = &hca->mcg;
	void *entry = NULL;

	mcg->count = count;
	if (count)
		entry = hca_resize(hca, mcg->entry, count * sizeof(*mcg->entry));
	else
		hca_release(hca, mcg->entry);
	if (entry || !count)
		mcg->entry = entry;
}

void hca_mcg_drop(struct hca *hca)
{
	shrink(hca, 0);
	hca->mcg.cursor = 0;
}

/*
 * Forget entries of @qpn: those of @mgid, or all when it is NULL. The others keep their order, and
 * a delivery under way goes on where it was.
 */
static void forget(struct hca *hca, uint32_t qpn, const uint8_t *mgid)
{
	struct hca_mcg *mcg = &hca->mcg;
	unsigned int i, kept = 0, cursor = mcg->cursor;

	for (i = 0; i < mcg->count; i++) {
		bool gone = mcg->entry[i].qpn == qpn &&
			    (!mgid || !memcmp(mcg->entry[i].mgid, mgid, 16));

		if (!gone)
			mcg->entry[kept++] = mcg->entry[i];
		else if (i < mcg->cursor)
			cursor--;
	}
	mcg->cursor = cursor;
	if (kept != mcg->count)
		shrink(hca, kept);
}

void hca_mcg_forget(struct hca *hca, uint32_t qpn)
{
	forget(hca, qpn, NULL);
}

enum hca_cmd_status hca_cmd_attach_mcg(struct hca *hca, struct hca_cmd *cmd)
{
	const uint8_t *mgid = cmd->in + HCA_CMD_CONTEXT;
	const struct hca_qp *qp = hca_table_get(&hca->qps, hca_cmd_number(cmd));
	struct hca_mcg_entry *entry;

	if (!qp || qp->type != HCA_QP_UD || !hca_cmd_owns(cmd, qp->uid))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x0e0001);
	if (mgid[0] != 0xff && !(hca->eth && hca_roce_is_ipv4(mgid) && mgid[12] >> 4 == 0xe))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x0e0002);
	if (find(&hca->mcg, qp->number, mgid) >= 0)
		return HCA_CMD_OK;
	if (hca->mcg.count == HCA_MCG_MAX)
		return hca_cmd_fail(cmd, HCA_CMD_LIMIT, 0x0e0003);
	entry = hca_resize(hca, hca->mcg.entry, (hca->mcg.count + 1) * sizeof(*entry));
	if (!entry)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x0e0004);
	hca->mcg.entry = entry;
	entry += hca->mcg.count++;
	entry->qpn = qp->number;
	memcpy(entry->mgid, mgid, 16);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_detach_mcg(struct hca *hca, struct hca_cmd *cmd)
{
	const struct hca_qp *qp = hca_table_get(&hca->qps, hca_cmd_number(cmd));
	const uint8_t *mgid = cmd->in + HCA_CMD_CONTEXT;

	if (!qp || !hca_cmd_owns(cmd, qp->uid) || find(&hca->mcg, qp->number, mgid) < 0)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x0e0005);
	forget(hca, qp->number, mgid);
	return HCA_CMD_OK;
}
