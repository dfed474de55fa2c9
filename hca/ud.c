/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Datagrams. Whatever happens on the way or at the receiver, the sender's WQE succeeds. QP1 is the
 * QP of type GSI; QP0 has nobody to talk to in this subnet: its packets are lost after they were
 * read.
 */
#include "hca/data.h"
#include "hca/qp.h"

#define GRH_NEXT_HEADER_IB 0x1b
#define BTH_DETH_ICRC	   (12u + 8u + 4u) /* what the GRH's length counts besides the payload */
#define Q_KEY_FROM_QP	   0x80000000u

static void build_grh(struct hca_qp *qp, const struct hca_wqe *wqe, uint8_t grh[SUBNET_GRH_LEN])
{
	be32_put(grh, 0, 6u << 28 | (uint32_t)wqe->av.tclass << 20 | wqe->av.flow_label);
	be16_put(grh, 4, (uint16_t)(((wqe->length + 3) & ~(uint64_t)3) + BTH_DETH_ICRC));
	grh[6] = GRH_NEXT_HEADER_IB;
	grh[7] = wqe->av.hop_limit;
	be64_put(grh, 8, SUBNET_GID_PREFIX);
	be64_put(grh, 16, qp->hca->params.guid);
	memcpy(grh + 24, wqe->av.dgid, 16);
}

/* --- receiving ------------------------------------------------------------------------------- */

static void fail_receive(struct hca_qp *qp, struct hca_flow *flow, uint8_t syndrome)
{
	hca_recv_fail(qp, flow, syndrome);
	hca_qp_error(qp, HCA_NO_EVENT);
}

static void receive(struct hca_qp *qp, const struct subnet_packet *packet)
{
	/* Without a GRH its area in the buffer stays as it is. */
	uint64_t skip = packet->grh ? 0 : SUBNET_GRH_LEN, len = SUBNET_GRH_LEN + packet->len;
	struct hca_cqe cqe = {
		.opcode = packet->has_imm ? HCA_CQE_RESP_SEND_IMM : HCA_CQE_RESP_SEND,
		.solicited = packet->solicited,
		.byte_cnt = (uint32_t)len,
		/* QP1 has no immediate data; there the place is the P_Key's. */
		.immediate = qp->type == HCA_QP_GSI ? packet->p_key
			     : packet->has_imm	    ? packet->imm
						    : 0,
		.slid = packet->slid,
		.flags_rqpn =
			(uint32_t)packet->grh << 28 | (uint32_t)packet->sl << 24 | packet->src_qpn,
	};
	struct hca_flow *flow = hca_flow(qp);
	uint64_t done = 0, left;
	struct hca_sgl sgl;
	struct hca_bad bad;

	if (!hca_qp_can_receive(qp) || !flow || hca_recv_take(qp, flow, 0))
		return;
	if (len > flow->recv.length) {
		fail_receive(qp, flow, HCA_SYND_LOCAL_LENGTH);
		return;
	}
	sgl = hca_recv_sgl(qp, flow);
	sgl.who.turn = NULL;
	left = len - skip;
	if (hca_sgl_check(&sgl, len, HCA_LOCAL_WRITE, &done, &bad) != HCA_OK ||
	    hca_sgl_scatter(&sgl, skip, packet->data + skip, &left, &bad) != HCA_OK) {
		fail_receive(qp, flow, HCA_SYND_LOCAL_PROT);
		return;
	}
	hca_recv_complete(qp, flow, &cqe);
}

/* QP1 has a number of its own here: the driver's, which knows it by its type. */
static struct hca_qp *find_gsi(struct hca *hca)
{
	uint32_t i;

	for (i = 0; i < hca->qps.size; i++) {
		struct hca_qp *qp = hca->qps.slot[i];

		if (qp && qp->type == HCA_QP_GSI && hca_qp_can_receive(qp))
			return qp;
	}
	return NULL;
}

static struct hca_qp *find_receiver(struct hca *hca, const struct subnet_packet *packet)
{
	struct hca_qp *qp;

	if (packet->dest_qpn == SUBNET_QP1)
		return packet->q_key == SUBNET_QP1_Q_KEY ? find_gsi(hca) : NULL;
	qp = hca_table_get(&hca->qps, packet->dest_qpn);
	return qp && qp->type == HCA_QP_UD && qp->q_key == packet->q_key ? qp : NULL;
}

/* To all QPs of the group; @sender, if it is one of them and wants to hear itself. */
static void receive_multicast(struct hca *hca, const struct subnet_packet *packet,
			      const struct hca_qp *sender)
{
	const struct hca_mcg *mcg = &hca->mcg;
	unsigned int i;

	for (i = 0; packet->grh && i < mcg->count; i++) {
		struct hca_qp *qp = hca_table_get(&hca->qps, mcg->entry[i].qpn);

		if (!qp || qp->q_key != packet->q_key ||
		    memcmp(mcg->entry[i].mgid, packet->data + 24, 16))
			continue;
		if (qp != sender || !field_get(qp->qpc, QPC_PD, 30, 30)) /* block_lb_mc */
			receive(qp, packet);
	}
}

void hca_ud_deliver(void *owner, const struct subnet_packet *packet)
{
	bool multicast = packet->dlid >= SUBNET_MLID_FIRST;
	struct hca *hca = owner;
	struct hca_qp *qp;

	if (!hca_pass(hca, HCA_RX, multicast, 1, packet->len))
		return;
	if (multicast) {
		receive_multicast(hca, packet, NULL);
		return;
	}
	if (packet->dest_qpn == SUBNET_QP1 && packet->q_key == SUBNET_QP1_Q_KEY &&
	    hca_pma_receive(hca, packet))
		return;
	qp = find_receiver(hca, packet);
	if (qp)
		receive(qp, packet);
}

/* --- sending --------------------------------------------------------------------------------- */

/* @data: GRH area and payload. */
static void send(struct hca_qp *qp, const struct hca_wqe *wqe, uint8_t *data)
{
	bool gsi = qp->type == HCA_QP_GSI, multicast = wqe->av.dlid >= SUBNET_MLID_FIRST;
	struct subnet_packet packet = {
		.slid = qp->hca->params.lid,
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

	if (qp->type == HCA_QP_SMI || !subnet_link(qp->hca->port) ||
	    !hca_pass(qp->hca, HCA_TX, multicast, 1, wqe->length))
		return;
	build_grh(qp, wqe, data);
	if (multicast)
		receive_multicast(qp->hca, &packet, qp);
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
