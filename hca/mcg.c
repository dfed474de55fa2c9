/* SPDX-License-Identifier: GPL-2.0 */
/* Multicast groups of the adapter: which of its QPs take datagrams for a GID. */
#include <stdlib.h>

#include "hca/cmd.h"

static int find(const struct hca_mcg *mcg, uint32_t qpn, const uint8_t *mgid)
{
	unsigned int i;

	for (i = 0; i < mcg->count; i++) {
		if (mcg->entry[i].qpn == qpn && !memcmp(mcg->entry[i].mgid, mgid, 16))
			return (int)i;
	}
	return -1;
}

static void remove_entry(struct hca_mcg *mcg, unsigned int i)
{
	mcg->entry[i] = mcg->entry[--mcg->count];
}

void hca_mcg_drop(struct hca *hca)
{
	free(hca->mcg.entry);
	hca->mcg = (struct hca_mcg){ 0 };
}

void hca_mcg_forget(struct hca *hca, uint32_t qpn)
{
	unsigned int i = hca->mcg.count;

	while (i--) {
		if (hca->mcg.entry[i].qpn == qpn)
			remove_entry(&hca->mcg, i);
	}
}

enum hca_cmd_status hca_cmd_attach_mcg(struct hca *hca, struct hca_cmd *cmd)
{
	const uint8_t *mgid = cmd->in + HCA_CMD_CONTEXT;
	const struct hca_qp *qp = hca_table_get(&hca->qps, hca_cmd_number(cmd));
	struct hca_mcg_entry *entry;

	if (!qp || qp->type != HCA_QP_UD)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x0e0001);
	if (mgid[0] != 0xff)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x0e0002);
	if (find(&hca->mcg, qp->number, mgid) >= 0)
		return HCA_CMD_OK;
	if (hca->mcg.count == HCA_MCG_MAX)
		return hca_cmd_fail(cmd, HCA_CMD_LIMIT, 0x0e0003);
	entry = realloc(hca->mcg.entry, (hca->mcg.count + 1) * sizeof(*entry));
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
	int i = find(&hca->mcg, hca_cmd_number(cmd), cmd->in + HCA_CMD_CONTEXT);

	if (i < 0)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x0e0005);
	remove_entry(&hca->mcg, (unsigned int)i);
	return HCA_CMD_OK;
}
