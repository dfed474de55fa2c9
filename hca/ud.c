/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Datagrams. Whatever happens on the way or at the receiver, the sender's WQE succeeds. QP0 and QP1
 * have nobody to talk to in this subnet: their packets are lost after they were read.
 */
#include "hca/data.h"
#include "hca/flow_table.h"

#define GRH_LEN		   40u
#define GRH_NEXT_HEADER_IB 0x1b
#define BTH_DETH_ICRC	   (12u + 8u + 4u) /* what the GRH's length counts besides the payload */
#define LID_MULTICAST	   0xc000u
#define Q_KEY_FROM_QP	   0x80000000u
#define GID_PREFIX	   0xfe80000000000000u

static void build_grh(struct hca_qp *qp, const struct hca_wqe *wqe, uint8_t grh[GRH_LEN])
{
	be32_put(grh, 0, 6u << 28 | (uint32_t)wqe->av.tclass << 20 | wqe->av.flow_label);
	be16_put(grh, 4, (uint16_t)(((wqe->length + 3) & ~(uint64_t)3) + BTH_DETH_ICRC));
	grh[6] = GRH_NEXT_HEADER_IB;
	grh[7] = wqe->av.hop_limit;
	be64_put(grh, 8, GID_PREFIX);
	be64_put(grh, 16, qp->hca->params.guid);
	memcpy(grh + 24, wqe->av.dgid, 16);
}

static void fail_receive(struct hca_qp *peer, struct hca_flow *flow, uint8_t syndrome)
{
	hca_recv_fail(peer, flow, syndrome);
	hca_qp_error(peer, HCA_NO_EVENT);
}

/* @packet: GRH area and payload, @len bytes. */
static void deliver(struct hca_qp *qp, const struct hca_wqe *wqe, struct hca_qp *peer,
		    const uint8_t *packet, uint64_t len)
{
	/* Without a GRH its area in the buffer stays as it is. */
	uint64_t skip = wqe->av.grh ? 0 : GRH_LEN;
	bool imm = wqe->opcode == HCA_OP_SEND_IMM;
	struct hca_cqe cqe = {
		.opcode = imm ? HCA_CQE_RESP_SEND_IMM : HCA_CQE_RESP_SEND,
		.solicited = wqe->solicited,
		.byte_cnt = (uint32_t)len,
		.immediate = imm ? wqe->imm : 0,
		.slid = qp->hca->params.lid,
		.flags_rqpn = (uint32_t)wqe->av.grh << 28 | (uint32_t)wqe->av.sl << 24 | qp->number,
	};
	struct hca_flow *flow = hca_flow(peer);
	struct hca_sgl sgl;
	struct hca_bad bad;

	if (!flow || hca_recv_take(peer, flow, 0))
		return;
	if (len > flow->recv.length) {
		fail_receive(peer, flow, HCA_SYND_LOCAL_LENGTH);
		return;
	}
	sgl = hca_recv_sgl(peer, flow);
	if (hca_sgl_check(&sgl, len, HCA_LOCAL_WRITE, &bad) != HCA_OK ||
	    hca_sgl_scatter(&sgl, skip, packet + skip, len - skip, &bad) != HCA_OK) {
		fail_receive(peer, flow, HCA_SYND_LOCAL_PROT);
		return;
	}
	hca_recv_complete(peer, flow, &cqe);
}

static struct hca_qp *find_receiver(struct hca_qp *qp, const struct hca_wqe *wqe)
{
	uint32_t q_key = wqe->av.q_key & Q_KEY_FROM_QP ? qp->q_key : wqe->av.q_key;
	struct hca_qp *peer;

	if (qp->type != HCA_QP_UD || wqe->av.dlid >= LID_MULTICAST)
		return NULL;
	peer = hca_find_qp(qp->hca, wqe->av.dlid, wqe->av.grh ? wqe->av.dgid : NULL, wqe->av.qpn);
	if (!peer || peer->type != HCA_QP_UD || !hca_qp_can_receive(peer) || peer->q_key != q_key)
		return NULL;
	return peer;
}

enum hca_step hca_ud_step(struct hca_qp *qp, uint8_t *syndrome)
{
	uint8_t packet[GRH_LEN + HCA_MTU] = { 0 };
	struct hca_flow *flow = hca_flow(qp);
	const struct hca_wqe *wqe = &flow->wqe;
	struct hca_sgl sgl = hca_wqe_sgl(qp);
	struct hca_bad bad;
	enum hca_fault fault;
	enum hca_step step;
	struct hca_qp *peer;

	if (hca_fault_pending(flow, HCA_FAULT_REQUESTER))
		return HCA_STEP_WAIT;
	if (wqe->length > HCA_MTU) {
		*syndrome = HCA_SYND_LOCAL_LENGTH;
		return HCA_STEP_ERROR;
	}
	fault = hca_sgl_check(&sgl, wqe->length, HCA_LOCAL_READ, &bad);
	if (fault == HCA_OK)
		fault = hca_sgl_gather(&sgl, 0, packet + GRH_LEN, wqe->length, &bad);
	step = hca_local_fault(qp, fault, &bad, false, syndrome);
	if (step != HCA_STEP_MORE)
		return step;
	flow->fault[HCA_FAULT_REQUESTER] = HCA_FAULT_IDLE;
	peer = find_receiver(qp, wqe);
	if (hca_steer(qp->hca, HCA_TX, 1, wqe->length) && peer &&
	    hca_steer(peer->hca, HCA_RX, 1, wqe->length)) {
		build_grh(qp, wqe, packet);
		deliver(qp, wqe, peer, packet, GRH_LEN + wqe->length);
	}
	return HCA_STEP_DONE;
}
