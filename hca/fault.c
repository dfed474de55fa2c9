/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page faults: an access that meets an entry without present bit (a dma-buf whose exporter took it
 * back) waits while the driver loads the key again. The driver resolves by key, so the "RDMA" kind
 * of event serves local keys as well; the token is the number of the waiting QP, and bit 0 of the
 * type says which half of it waits.
 */
#include "hca/data.h"
#include "hca/layout.h"
#include "hca/opcodes.h"

#define SUBTYPE_RDMA   1
#define TYPE_REQUESTER 0x1u
#define TYPE_WRITE     0x2u
#define TYPE_RDMA      0x4u

static bool has_page_fault_eq(struct hca *hca)
{
	uint32_t i;

	for (i = 0; i < hca->eqs.size; i++) {
		const struct hca_eq *eq = hca_table_get(&hca->eqs, i);

		if (eq && (eq->mask >> HCA_EVENT_PAGE_FAULT & 1))
			return true;
	}
	return false;
}

enum hca_denial hca_fault_raise(struct hca_qp *qp, enum hca_fault_side side,
				const struct hca_denied *denied, bool write)
{
	struct hca_progress *progress = hca_progress(qp);
	uint8_t data[28] = { 0 };
	uint32_t type;

	if (!progress || progress->fault[side] == HCA_FAULT_FAILED || !has_page_fault_eq(qp->hca)) {
		if (progress)
			progress->fault[side] = HCA_FAULT_IDLE;
		return HCA_DENIED_KEY;
	}
	if (progress->fault[side] == HCA_FAULT_PENDING)
		return HCA_DENIED_PAGE;
	progress->fault[side] = HCA_FAULT_PENDING;
	type = (side == HCA_FAULT_REQUESTER ? TYPE_REQUESTER : TYPE_RDMA) |
	       (write ? TYPE_WRITE : 0);
	be32_put(data, EQE_FAULT_R_KEY, denied->key);
	be16_put(data, EQE_FAULT_PACKET_LENGTH,
		 (uint16_t)(denied->len < HCA_MTU ? denied->len : HCA_MTU));
	be32_put(data, EQE_FAULT_OP_LENGTH,
		 (uint32_t)(denied->len < UINT32_MAX ? denied->len : UINT32_MAX));
	be64_put(data, EQE_FAULT_VA, denied->va);
	be32_put(data, EQE_FAULT_TYPE_TOKEN, type << 24 | qp->number);
	hca_event(qp->hca, HCA_EVENT_PAGE_FAULT, SUBTYPE_RDMA, data);
	return HCA_DENIED_PAGE;
}

/*
 * PAGE_FAULT_RESUME. A QP that is gone, or was reset while it waited, is no error: the driver
 * cannot know.
 */
enum hca_cmd_status hca_cmd_page_fault_resume(struct hca *hca, struct hca_cmd *cmd)
{
	enum hca_fault_side side;
	struct hca_progress *progress;
	struct hca_qp *qp;

	side = field_get(cmd->in, RESUME_OF_REQUESTER) ? HCA_FAULT_REQUESTER : HCA_FAULT_RESPONDER;
	qp = hca_table_get(&hca->qps, field_get(cmd->in, RESUME_TOKEN));
	progress = qp ? qp->progress : NULL;
	if (progress && progress->fault[side] == HCA_FAULT_PENDING)
		progress->fault[side] =
			field_get(cmd->in, RESUME_ERROR) ? HCA_FAULT_FAILED : HCA_FAULT_IDLE;
	return HCA_CMD_OK;
}
