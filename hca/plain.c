/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects that are no more than a number. UARs, PDs and XRCDs are made here, user contexts in
 * umem.c, ranges of QP numbers in general.c.
 */
#include "hca/budget.h"
#include "hca/kinds.h"
#include "hca/layout.h"
#include "hca/opcodes.h"

const struct hca_kind hca_kind_uar = {
	/* Where device memory begins, there are no more pages. */
	.limit = HCA_MEMIC_OFFSET / HCA_UAR_PAGE,
	.free = hca_release,
};

const struct hca_kind hca_kind_pd = {
	.limit = 1u << 16,
	.free = hca_release,
};

const struct hca_kind hca_kind_xrcd = {
	.limit = 1u << 16,
	.free = hca_release,
};

struct hca_plain *hca_plain_find(const struct hca_cmd *cmd, const struct hca_table *table,
				 uint32_t number)
{
	struct hca_plain *plain = hca_table_get(table, number);

	return plain && hca_cmd_owns(cmd, plain->uid) ? plain : NULL;
}

enum hca_cmd_status hca_plain_alloc(struct hca *hca, struct hca_cmd *cmd, struct hca_table *table,
				    uint32_t first, uint32_t *number)
{
	struct hca_plain *plain = hca_alloc(hca, sizeof(*plain));
	enum hca_cmd_status status;

	if (!plain)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x0a0002);
	plain->uid = hca_cmd_uid(cmd);
	status = hca_cmd_add(hca, cmd, table, first, plain, number);
	if (status) {
		hca_release(hca, plain);
		return status;
	}
	hca_plain_hold(&hca->uctxs, plain->uid, 1);
	field_put(cmd->out, CMD_NUMBER, *number);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_plain_dealloc(struct hca *hca, struct hca_cmd *cmd, struct hca_table *table,
				      uint32_t number)
{
	struct hca_plain *plain = hca_plain_find(cmd, table, number);

	if (!plain)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x0a0003);
	if (plain->users)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x0a0004);
	hca_table_remove(hca, table, number);
	hca_plain_hold(&hca->uctxs, plain->uid, -1);
	hca_release(hca, plain);
	return HCA_CMD_OK;
}

void hca_plain_hold(const struct hca_table *table, uint32_t number, int change)
{
	struct hca_plain *plain = hca_table_get(table, number);

	if (plain)
		plain->users += (uint32_t)change;
}

/* The page is plain memory: what the last owner stored there is not for the next one to see. */
static void clear_uar(struct hca *hca, uint32_t number)
{
	pthread_mutex_lock(&hca->uar_lock);
	memset((uint8_t *)hca->uar_memory + (number - HCA_UAR_FIRST) * HCA_UAR_PAGE, 0,
	       HCA_UAR_PAGE);
	pthread_mutex_unlock(&hca->uar_lock);
}

enum hca_cmd_status hca_cmd_alloc_uar(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t number;
	enum hca_cmd_status status = hca_plain_alloc(hca, cmd, &hca->uars, HCA_UAR_FIRST, &number);

	if (!status)
		clear_uar(hca, number);
	return status;
}

enum hca_cmd_status hca_cmd_dealloc_uar(struct hca *hca, struct hca_cmd *cmd)
{
	return hca_plain_dealloc(hca, cmd, &hca->uars, hca_cmd_number(cmd));
}

enum hca_cmd_status hca_cmd_alloc_pd(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t number;

	return hca_plain_alloc(hca, cmd, &hca->pds, 1, &number);
}

/* Memory keys do not count: a revoked key may name a PD that user space is done with. */
enum hca_cmd_status hca_cmd_dealloc_pd(struct hca *hca, struct hca_cmd *cmd)
{
	return hca_plain_dealloc(hca, cmd, &hca->pds, hca_cmd_number(cmd));
}

enum hca_cmd_status hca_cmd_alloc_xrcd(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t number;

	return hca_plain_alloc(hca, cmd, &hca->xrcds, 1, &number);
}

enum hca_cmd_status hca_cmd_dealloc_xrcd(struct hca *hca, struct hca_cmd *cmd)
{
	return hca_plain_dealloc(hca, cmd, &hca->xrcds, hca_cmd_number(cmd));
}
