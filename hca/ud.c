/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Datagrams: a WQE becomes a packet of transport/datagram.h. Whatever happens on the way or at the
 * receiver, the sender's WQE succeeds. QP1 is the QP of type GSI; QP0, of type SMI, speaks to QP0
 * only, and nobody else does.
 */
#include "hca/data.h"
#include "hca/eth.h"
#include "hca/inbox.h"
#include "hca/layout.h"
#include "hca/qp.h"
#include "hca/wire.h"
#include "transport/datagram.h"

#define LID_PERMISSIVE 0xffffu

/* The address vector; from this port's first GID. SMPs have no GRH. */
static struct packet_route route_of(const struct hca_qp *qp, const struct hca_av *av)
{
	struct packet_route route = { .slid = hca_lid(qp->hca), .dlid = av->dlid };

	if (qp->type == HCA_QP_SMI) {
		if (av->dlid == LID_PERMISSIVE)
			route.slid = LID_PERMISSIVE;
		return route;
	}
	route.sl = av->sl;
	route.grh = av->grh;
	route.traffic_class = av->tclass;
	route.flow_label = av->flow_label;
	route.hop_limit = av->hop_limit;
	be64_put(route.sgid, GID_PREFIX, qp->hca->port_state.prefix);
	be64_put(route.sgid, GID_GUID, qp->hca->params.guid);
	memcpy(route.dgid, av->dgid, sizeof(route.dgid));
	return route;
}

/* QPs of management have numbers of their own on the wire, and QP1 a Q_Key that all know. */
static struct datagram datagram_of(const struct hca_qp *qp, const struct hca_wqe *wqe,
				   const uint8_t *payload)
{
	struct datagram datagram = {
		.dest_qpn = wqe->av.qpn,
		.src_qpn = qp->number,
		.q_key = datagram_q_key(wqe->av.q_key, qp->q_key),
		.p_key = hca_p_key(qp->hca, field_get(qp->qpc, QPC_PKEY_INDEX)),
		.solicited = wqe->solicited,
		.has_immediate = wqe->opcode == HCA_OP_SEND_IMM,
		.immediate = wqe->imm,
		.payload = payload,
		.length = wqe->length,
	};

	if (qp->type == HCA_QP_GSI) {
		datagram.src_qpn = SUBNET_QP1;
		datagram.q_key = SUBNET_QP1_Q_KEY;
	} else if (qp->type == HCA_QP_SMI) {
		datagram.src_qpn = SUBNET_QP0;
		datagram.q_key = 0;
	}
	return datagram;
}

/* @data: GRH area and payload. SMPs, on virtual lane 15, pass no flow table, and need no active
 * port. */
static void send(struct hca_qp *qp, struct hca_progress *progress, uint8_t *data)
{
	const struct hca_wqe *wqe = &progress->wqe;
	bool smp = qp->type == HCA_QP_SMI, multicast = !smp && wqe->av.dlid >= SUBNET_MLID_FIRST;
	uint32_t psn = field_get(qp->qpc, QPC_NEXT_SEND_PSN) + progress->datagrams;
	struct datagram datagram = datagram_of(qp, wqe, data + SUBNET_GRH_LEN);
	struct packet_route route = route_of(qp, &wqe->av);
	struct subnet_packet carried;
	struct packet packet;

	if (smp != (wqe->av.qpn == SUBNET_QP0) ||
	    datagram_packet(&datagram, HCA_MTU, &psn, &packet))
		return;
	progress->datagrams++;
	if (qp->hca->eth) {
		if (!smp)
			hca_roce_send(qp, &wqe->av, &packet);
		return;
	}
	if (!smp && (!subnet_link(qp->hca->port) ||
		     !hca_pass(qp->hca, HCA_TX, multicast, 1, packet.length)))
		return;
	carried = hca_ud_carry(&route, &packet, data);
	if (multicast)
		hca_ud_queue(qp->hca, &carried, qp->number);
	/* What is for this port does not leave it, and SMPs have a lane of their own. */
	if (qp->hca->wire && !smp && !hca_has_lid(qp->hca, carried.dlid))
		hca_wire_datagram(qp->hca, &carried, packet.psn);
	else
		subnet_send(qp->hca->port, &carried);
}

enum hca_step hca_ud_step(struct hca_qp *qp, uint8_t *syndrome)
{
	struct hca_progress *progress = hca_progress(qp);
	enum hca_step step;

	if (progress->wqe.length > HCA_MTU) {
		*syndrome = HCA_SYND_LOCAL_LENGTH;
		return HCA_STEP_ERROR;
	}
	if (!hca_wire_has_room(qp->hca))
		return HCA_STEP_WAIT;
	step = hca_stage(qp, SUBNET_GRH_LEN, syndrome);
	if (step == HCA_STEP_DONE)
		send(qp, progress, progress->staged);
	return step;
}
