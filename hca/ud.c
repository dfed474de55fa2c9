/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Datagrams. Whatever happens on the way or at the receiver, the sender's WQE succeeds. QP1 is the
 * QP of type GSI; QP0, of type SMI, speaks to QP0 only, and nobody else does.
 */
#include "hca/data.h"

#define GRH_NEXT_HEADER_IB 0x1b
#define BTH_DETH_ICRC	   (12u + 8u + 4u) /* what the GRH's length counts besides the payload */
#define Q_KEY_FROM_QP	   0x80000000u
#define LID_PERMISSIVE	   0xffffu

static void build_grh(struct hca_qp *qp, const struct hca_wqe *wqe, uint8_t grh[SUBNET_GRH_LEN])
{
	be32_put(grh, 0, 6u << 28 | (uint32_t)wqe->av.tclass << 20 | wqe->av.flow_label);
	be16_put(grh, 4, (uint16_t)(((wqe->length + 3) & ~(uint64_t)3) + BTH_DETH_ICRC));
	grh[6] = GRH_NEXT_HEADER_IB;
	grh[7] = wqe->av.hop_limit;
	be64_put(grh, 8, qp->hca->port_state.prefix);
	be64_put(grh, 16, qp->hca->params.guid);
	memcpy(grh + 24, wqe->av.dgid, 16);
}

/* @data: GRH area and payload. Virtual lane 15: no flow table, no counter, no active port. */
static void send_smp(struct hca_qp *qp, const struct hca_wqe *wqe, uint8_t *data)
{
	struct subnet_packet packet = {
		.slid = wqe->av.dlid == LID_PERMISSIVE ? LID_PERMISSIVE : hca_lid(qp->hca),
		.dlid = wqe->av.dlid,
		.p_key = SUBNET_P_KEY,
		.data = data,
		.len = wqe->length,
	};

	subnet_send(qp->hca->port, &packet);
}

/* @data: GRH area and payload. */
static void send(struct hca_qp *qp, const struct hca_wqe *wqe, uint8_t *data)
{
	bool gsi = qp->type == HCA_QP_GSI, multicast = wqe->av.dlid >= SUBNET_MLID_FIRST;
	struct subnet_packet packet = {
		.slid = hca_lid(qp->hca),
		.dlid = wqe->av.dlid,
		.sl = wqe->av.sl,
		.p_key = SUBNET_P_KEY,
		.src_qpn = gsi ? SUBNET_QP1 : qp->number,
		.dest_qpn = wqe->av.qpn,
		.q_key = gsi				 ? SUBNET_QP1_Q_KEY
			 : wqe->av.q_key & Q_KEY_FROM_QP ? qp->q_key
							 : wqe->av.q_key,
		.solicited = wqe->solicited,
		.has_imm = wqe->opcode == HCA_OP_SEND_IMM,
		.grh = wqe->av.grh,
		.imm = wqe->imm,
		.data = data,
		.len = wqe->length,
	};

	if (qp->type == HCA_QP_SMI || wqe->av.qpn == SUBNET_QP0) {
		if (qp->type == HCA_QP_SMI && wqe->av.qpn == SUBNET_QP0)
			send_smp(qp, wqe, data);
		return;
	}
	if (!subnet_link(qp->hca->port) || !hca_pass(qp->hca, HCA_TX, multicast, 1, wqe->length))
		return;
	build_grh(qp, wqe, data);
	if (multicast)
		hca_ud_queue(qp->hca, &packet, qp->number);
	subnet_send(qp->hca->port, &packet);
}

enum hca_step hca_ud_step(struct hca_qp *qp, uint8_t *syndrome)
{
	struct hca_flow *flow = hca_flow(qp);
	enum hca_step step;

	if (flow->wqe.length > HCA_MTU) {
		*syndrome = HCA_SYND_LOCAL_LENGTH;
		return HCA_STEP_ERROR;
	}
	step = hca_stage(qp, SUBNET_GRH_LEN, syndrome);
	if (step == HCA_STEP_DONE)
		send(qp, &flow->wqe, flow->staged);
	return step;
}
