/* SPDX-License-Identifier: GPL-2.0-only */
#include "hca/congestion.h"

#include "base/clock.h"
#include "hca/eth.h"
#include "hca/opcodes.h"
#include "hca/wire.h"

/* As adapters send them: a class of their own, which asks for no mark itself: DSCP 48, ECN 2. */
#define CNP_TRAFFIC_CLASS (48u << 2 | 2u)
#define CNP_PRIORITY	  6u
#define TCI_PRIORITY	  13u
#define VLAN_ID		  0xfffu
#define HOPS		  64u

/* --- CNPs -------------------------------------------------------------------------------- */

/* To @sender, back by the way that the marked packet came. */
static void notify(struct hca *hca, const struct packet_route *marked, uint32_t sender)
{
	const struct packet cnp = {
		.opcode = PACKET_CNP,
		.becn = true,
		.p_key = SUBNET_P_KEY,
		.dest_qpn = sender,
	};
	struct packet_route route = *marked;
	uint8_t bytes[PACKET_MAX];
	int len;

	hca_roce_turn_round(&route);
	route.traffic_class = CNP_TRAFFIC_CLASS;
	route.hop_limit = HOPS;
	route.ident = 0;
	route.udp_checksum = false;
	if (route.tagged)
		route.tci = (uint16_t)(CNP_PRIORITY << TCI_PRIORITY | (route.tci & VLAN_ID));
	len = packet_encode(&route, &cnp, bytes, sizeof(bytes));
	if (len < 0 || !hca_pass(hca, HCA_TX, false, 1, 0))
		return;
	hca->eth->congestion.cnp_sent++;
	hca_eth_transmit(hca, bytes, (size_t)len);
}

void hca_congestion_marked(struct hca *hca, struct hca_connection *c,
			   const struct packet_route *route, uint32_t sender)
{
	uint64_t now;

	hca->eth->congestion.marked++;
	if (!c || !hca_wire_has_room(hca))
		return;
	now = clock_now_ns();
	if (now < c->next_cnp_ns)
		return;
	c->next_cnp_ns = now + HCA_CNP_GAP_NS;
	notify(hca, route, sender);
}

void hca_congestion_arrives(const struct hca_link *l, const struct hca_flight *flight)
{
	const struct hca_qp *qp = l->qp;
	struct hca *hca = flight->response ? qp->hca : l->peer->hca;
	struct packet_route route;
	uint32_t peer;

	if (!flight->packet.fecn || !hca->eth)
		return;
	/* Nobody to tell: an answer whose sender is gone. */
	if (!l->peer) {
		hca_congestion_marked(hca, NULL, NULL, 0);
		return;
	}
	route = hca_roce_route_of(l, flight);
	peer = qp->type == HCA_QP_DCI ? l->progress->wqe.av.qpn : qp->remote_qpn;
	hca_congestion_marked(hca, flight->response ? l->from : l->to, &route,
			      flight->response ? peer : qp->number);
}

/* An initiator has many peers, and says to which it sends only in its WQEs. */
static bool is_peer(const struct hca_qp *qp, const struct packet_route *route)
{
	switch (qp->type) {
	case HCA_QP_RC:
	case HCA_QP_UC:
	case HCA_QP_XRC:
		return !memcmp(route->sgid, qp->rgid, sizeof(qp->rgid));
	case HCA_QP_DCI:
	case HCA_QP_DCT:
		return true;
	default:
		return false;
	}
}

void hca_congestion_notified(struct hca *hca, const struct packet_route *route,
			     const struct packet *packet)
{
	const struct hca_qp *qp = hca_table_get(&hca->qps, packet->dest_qpn);

	if (!hca_pass(hca, HCA_RX, false, 1, 0))
		return;
	if (qp && hca_qp_can_receive(qp) && is_peer(qp, route))
		hca->eth->congestion.cnp_handled++;
	else
		hca->eth->congestion.cnp_ignored++;
}

/* --- commands ---------------------------------------------------------------------------- */

/* The counters are the port's: a program may read them, and only the driver clears them. */
enum hca_cmd_status hca_cmd_query_cong_statistics(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_congestion *congestion = &hca->eth->congestion;
	bool clear = field_get(cmd->in, CONGESTION_CLEAR);

	if (clear && hca_cmd_uid(cmd))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x270001);
	be64_put(cmd->out, CONGESTION_CNP_IGNORED, congestion->cnp_ignored);
	be64_put(cmd->out, CONGESTION_CNP_HANDLED, congestion->cnp_handled);
	be64_put(cmd->out, CONGESTION_TIME_STAMP, clock_now_ns());
	be64_put(cmd->out, CONGESTION_MARKED, congestion->marked);
	be64_put(cmd->out, CONGESTION_CNP_SENT, congestion->cnp_sent);
	if (clear)
		*congestion = (struct hca_congestion){ 0 };
	return HCA_CMD_OK;
}
