/* SPDX-License-Identifier: GPL-2.0 */
/* Event queues. Layouts: struct mlx5_eqe, eqc and create_eq of the driver's headers. */
#include "hca/budget.h"
#include "hca/cmd.h"

#define EQE_SIZE    64u
#define EQE_TYPE    0x01
#define EQE_SUBTYPE 0x03
#define EQE_DATA    0x20
#define EQE_OWNER   0x3f

#define LOG_EQ_MAX 22u /* log_max_eq_sz of caps.c */
#define EVENT_MASK 0x58u

#define EQC_OVERRUN 0xau /* status: a write failed */
/* Syndromes of the health buffer. */
#define HEALTH_ASYNC_EQ_OVERRUN 0x0cu
#define HEALTH_EQ_ERROR		0x0du

/*
 * Software has not consumed what is where the next EQE would go. That is an error which firmware
 * reports by its health, as there is no event to report it with. Where the doorbell of an EQ is not
 * trapped, how far software has come is not known, and the oldest EQE is overwritten.
 */
static bool overruns(struct hca *hca, struct hca_eq *eq)
{
	uint32_t ci = atomic_load(&hca->mmio.eq_ci[eq->number]);

	if (eq->overrun)
		return true;
	if (!(ci & HCA_EQ_CI_KNOWN) || !(((eq->pi - ci) & 0xffffff) >> eq->log_size))
		return false;
	eq->overrun = true;
	hca_inject_health(hca, eq->mask ? HEALTH_ASYNC_EQ_OVERRUN : HEALTH_EQ_ERROR, true);
	return true;
}

void hca_eq_post(struct hca *hca, struct hca_eq *eq, uint8_t type, uint8_t subtype,
		 const uint8_t data[28])
{
	uint64_t at = EQE_SIZE * (uint64_t)(eq->pi & ((1u << eq->log_size) - 1));
	uint8_t eqe[EQE_SIZE] = { 0 };

	if (overruns(hca, eq))
		return;
	eqe[EQE_TYPE] = type;
	eqe[EQE_SUBTYPE] = subtype;
	memcpy(eqe + EQE_DATA, data, 28);
	eqe[EQE_OWNER] = (eq->pi >> eq->log_size) & 1;
	/* The owner bit makes the entry valid: it goes last. */
	if (hca_pages_write(hca, &eq->pages, at, eqe, 60) ||
	    hca_pages_write(hca, &eq->pages, at + 60, eqe + 60, 4))
		return;
	eq->pi++;
	pcie_interrupt(&hca->fn, eq->vector);
}

void hca_event(struct hca *hca, enum hca_event type, uint8_t subtype, const uint8_t data[28])
{
	uint32_t i;

	for (i = 0; i < hca->eqs.size; i++) {
		struct hca_eq *eq = hca->eqs.slot[i];

		if (eq && eq->mask >> type & 1) {
			hca_eq_post(hca, eq, (uint8_t)type, subtype, data);
			return;
		}
	}
}

void hca_event_number(struct hca *hca, enum hca_event type, uint32_t number)
{
	uint8_t data[28] = { 0 };

	/* The byte at EQE 0x34 is the kind of queue: 0 for QPs; the driver ignores it for SRQs. */
	be32_put(data, 0x38 - EQE_DATA, number & 0xffffff);
	hca_event(hca, type, 0, data);
}

void hca_eq_free(struct hca *hca, struct hca_eq *eq)
{
	hca_pages_free(hca, &eq->pages);
	hca_release(hca, eq);
}

enum hca_cmd_status hca_cmd_create_eq(struct hca *hca, struct hca_cmd *cmd)
{
	const uint8_t *eqc = cmd->in + HCA_CMD_CONTEXT;
	uint32_t log_size = field_get(eqc, 3, 28, 24), uar = field_get(eqc, 3, 23, 0);
	uint32_t vector = field_get(eqc, 5, 11, 0);
	enum hca_cmd_status status;
	struct hca_eq *eq;

	if (log_size > LOG_EQ_MAX || vector >= hca->params.vectors)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x0e0001);
	if (!hca_table_get(&hca->uars, uar))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x0e0002);
	eq = hca_alloc(hca, sizeof(*eq));
	if (!eq)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x0e0003);
	status = hca_cmd_pages(hca, cmd, (uint64_t)EQE_SIZE << log_size,
			       (uint8_t)(field_get(eqc, 6, 28, 24) + 12), field_get(eqc, 2, 11, 6),
			       &eq->pages);
	if (!status)
		status = hca_cmd_add(hca, cmd, &hca->eqs, 1, eq, &eq->number);
	if (status) {
		hca_eq_free(hca, eq);
		return status;
	}
	eq->log_size = (uint8_t)log_size;
	eq->uar = uar;
	eq->vector = (uint16_t)vector;
	eq->mask = be64_at(cmd->in, EVENT_MASK);
	memcpy(eq->context, eqc, sizeof(eq->context));
	atomic_store(&hca->mmio.eq_ci[eq->number], 0);
	if (eq->mask >> HCA_EVENT_CMD & 1)
		hca->cmd_eqn = eq->number;
	field_put(cmd->out, 2, 7, 0, eq->number);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_destroy_eq(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t number = hca_cmd_number(cmd) & 0xff;
	struct hca_eq *eq = hca_table_get(&hca->eqs, number);

	if (!eq)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x0e0005);
	if (eq->cqs)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x0e0006);
	hca_table_remove(hca, &hca->eqs, number);
	if (hca->cmd_eqn == number)
		hca->cmd_eqn = 0;
	hca_eq_free(hca, eq);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_query_eq(struct hca *hca, struct hca_cmd *cmd)
{
	const struct hca_eq *eq = hca_table_get(&hca->eqs, hca_cmd_number(cmd) & 0xff);
	uint8_t *eqc = cmd->out + HCA_CMD_CONTEXT;

	if (!eq)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x0e0007);
	memcpy(eqc, eq->context, sizeof(eq->context));
	if (eq->overrun)
		field_put(eqc, 0, 31, 28, EQC_OVERRUN);
	field_put(eqc, 11, 23, 0, eq->pi & 0xffffff);
	be64_put(cmd->out, EVENT_MASK, eq->mask);
	return HCA_CMD_OK;
}
