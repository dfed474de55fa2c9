/* SPDX-License-Identifier: GPL-2.0 */
/* Bring-up and teardown of the function, and objects that are no more than a number. */
#include "hca/cmd.h"

/*
 * Whatever an earlier driver left is gone: recovery after a failed teardown starts here.
 */
enum hca_cmd_status hca_cmd_enable_hca(struct hca *hca, struct hca_cmd *cmd)
{
	(void)cmd;
	hca_drop_objects(hca);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_teardown_hca(struct hca *hca, struct hca_cmd *cmd)
{
	(void)cmd;
	hca_drop_objects(hca);
	return HCA_CMD_OK;
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

static enum hca_cmd_status alloc_plain(struct hca_cmd *cmd, uint32_t number)
{
	if (!number)
		return hca_cmd_fail(cmd, HCA_CMD_LIMIT, 0x0a0002);
	field_put(cmd->out, 2, 23, 0, number);
	return HCA_CMD_OK;
}

static enum hca_cmd_status dealloc_plain(struct hca_cmd *cmd, struct hca_table *table)
{
	if (!hca_table_remove(table, hca_cmd_number(cmd)))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x0a0003);
	return HCA_CMD_OK;
}

/*
 * The driver takes the pages of its own queues while it probes, before any protection domain
 * exists; contexts of user space come after. Its doorbells are rare and trapping them makes idle
 * polling cheap; those of user space must cost nothing. A page of the other kind works as well, so
 * a driver that allocates in another order loses only speed.
 */
enum hca_cmd_status hca_cmd_alloc_uar(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t number = 0;

	if (!hca->pd_seen) {
		uint32_t limit = hca->uars.limit;

		hca->uars.limit = HCA_UAR_FIRST_SHARED;
		number = hca_table_add(&hca->uars, HCA_UAR_FIRST, &hca_object_plain);
		hca->uars.limit = limit;
	}
	if (!number)
		number = hca_table_add(&hca->uars, HCA_UAR_FIRST_SHARED, &hca_object_plain);
	return alloc_plain(cmd, number);
}

enum hca_cmd_status hca_cmd_dealloc_uar(struct hca *hca, struct hca_cmd *cmd)
{
	return dealloc_plain(cmd, &hca->uars);
}

enum hca_cmd_status hca_cmd_alloc_pd(struct hca *hca, struct hca_cmd *cmd)
{
	hca->pd_seen = true;
	return alloc_plain(cmd, hca_table_add(&hca->pds, 1, &hca_object_plain));
}

/* Memory keys are not looked at: a revoked key may name a PD that user space is done with. */
enum hca_cmd_status hca_cmd_dealloc_pd(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t number = hca_cmd_number(cmd), i;

	for (i = 0; i < hca->qps.size; i++) {
		const struct hca_qp *qp = hca->qps.slot[i];

		if (qp && qp->pd == number)
			return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x0a0004);
	}
	for (i = 0; i < hca->srqs.size; i++) {
		const struct hca_srq *srq = hca->srqs.slot[i];

		if (srq && srq->pd == number)
			return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x0a0005);
	}
	return dealloc_plain(cmd, &hca->pds);
}

enum hca_cmd_status hca_cmd_alloc_xrcd(struct hca *hca, struct hca_cmd *cmd)
{
	return alloc_plain(cmd, hca_table_add(&hca->xrcds, 1, &hca_object_plain));
}

enum hca_cmd_status hca_cmd_dealloc_xrcd(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t number = hca_cmd_number(cmd), i;

	for (i = 0; i < hca->srqs.size; i++) {
		const struct hca_srq *srq = hca->srqs.slot[i];

		if (srq && srq->xrcd == number)
			return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x0a0006);
	}
	return dealloc_plain(cmd, &hca->xrcds);
}
