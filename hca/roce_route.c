/* SPDX-License-Identifier: GPL-2.0-only */
/* Headers of RoCEv2 packets: what an address vector and an address of the port make of them. */
#include "hca/connection.h"
#include "hca/eth.h"
#include "hca/qp.h"

#define PORT_FIRST 0xc000u
#define HOPS	   64u /* of who names no limit */

static const uint8_t none[16];

struct packet_route hca_roce_route(const struct hca_qp *qp, const struct hca_av *av,
				   const struct hca_roce_address *from)
{
	uint32_t spread = (qp->number ^ av->qpn) & (UINT16_MAX - PORT_FIRST);
	struct packet_route route = {
		.ethernet = true,
		.tagged = from->tagged,
		.tci = (uint16_t)((av->sl >> 1 & 7u) << 13 | from->vlan),
		.ipv4 = hca_roce_is_ipv4(av->dgid),
		.dont_fragment = true,
		/* In the place of the LID. */
		.source_port = av->dlid ? av->dlid : (uint16_t)(PORT_FIRST + spread),
		.traffic_class = av->tclass,
		.hop_limit = av->hop_limit,
		.flow_label = av->flow_label,
	};

	if (!route.tagged)
		route.tci = 0;
	memcpy(route.smac, from->mac, sizeof(route.smac));
	memcpy(route.dmac, av->rmac, sizeof(route.dmac));
	memcpy(route.sgid, from->gid, sizeof(route.sgid));
	memcpy(route.dgid, av->dgid, sizeof(route.dgid));
	if (route.ipv4)
		route.flow_label = 0;
	return route;
}

struct hca_av hca_roce_path(const struct hca_qp *qp)
{
	struct hca_av av = {
		.qpn = qp->remote_qpn,
		.dlid = (uint16_t)field_get(qp->qpc, QPC_UDP_SPORT),
		.sl = (uint8_t)(field_get(qp->qpc, QPC_ETH_PRIO) << 1),
		.grh = true,
		.tclass = (uint8_t)field_get(qp->qpc, QPC_TCLASS),
		.hop_limit = (uint8_t)field_get(qp->qpc, QPC_HOP_LIMIT),
		.flow_label = field_get(qp->qpc, QPC_FLOW_LABEL),
		.sgid_index = (uint8_t)field_get(qp->qpc, QPC_SRC_ADDR_INDEX),
	};

	memcpy(av.dgid, qp->rgid, sizeof(av.dgid));
	memcpy(av.rmac, qp->qpc + QPC_RMAC, sizeof(av.rmac));
	if (!av.tclass)
		av.tclass = (uint8_t)(field_get(qp->qpc, QPC_DSCP) << 2);
	if (!av.hop_limit)
		av.hop_limit = HOPS;
	return av;
}

const struct hca_roce_address *hca_roce_source(const struct hca *hca, const struct hca_av *av)
{
	bool ipv4 = hca_roce_is_ipv4(av->dgid);

	for (unsigned int i = 0; i <= HCA_ROCE_ADDRESSES; i++) {
		/* The one that is named first. */
		unsigned int index = i ? i - 1 : av->sgid_index;
		const struct hca_roce_address *address;

		if (index >= HCA_ROCE_ADDRESSES)
			continue;
		address = &hca->eth->address[index];
		if (memcmp(address->gid, none, sizeof(none)) &&
		    hca_roce_is_ipv4(address->gid) == ipv4)
			return address;
	}
	return NULL;
}

void hca_roce_turn_round(struct packet_route *route)
{
	struct packet_route there = *route;

	memcpy(route->smac, there.dmac, sizeof(route->smac));
	memcpy(route->dmac, there.smac, sizeof(route->dmac));
	memcpy(route->sgid, there.dgid, sizeof(route->sgid));
	memcpy(route->dgid, there.sgid, sizeof(route->dgid));
}

struct packet_route hca_roce_route_of(const struct hca_link *l, const struct hca_flight *flight)
{
	bool dc = l->qp->type == HCA_QP_DCI;
	const struct hca_qp *qp = flight->response && !dc ? l->peer : l->qp;
	struct hca_av av = dc ? l->progress->wqe.av : hca_roce_path(qp);
	const struct hca_roce_address *from = hca_roce_source(qp->hca, &av);
	struct packet_route route = { .ethernet = true, .ipv4 = true };

	if (from)
		route = hca_roce_route(qp, &av, from);
	if (flight->response && dc)
		hca_roce_turn_round(&route);
	return route;
}
