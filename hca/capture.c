/* SPDX-License-Identifier: GPL-2.0-only */
#include "hca/capture.h"

#include "hca/budget.h"
#include "hca/congestion.h"
#include "hca/eth.h"
#include "hca/layout.h"
#include "hca/qp.h"

#define GRH_TRAFFIC_CLASS 0, 27, 20
#define GRH_FLOW_LABEL	  0, 19, 0
#define GRH_SGID	  8u
#define GRH_DGID	  24u
#define VL_SMP		  15u
#define HEADERS		  (PACKET_MAX - PACKET_PAYLOAD_MAX)
#define LOST		  "lost: nobody takes it, or a flow table drops it"
#define NOT_MOVED	  "its payload was not read: the message ended before"
#define ICRC		  4u
#define VCRC		  2u /* Ethernet has an FCS in its place, which is not captured */

/* The train that is captured, of the connection's flight. */
struct hca_captured {
	bool busy; /* packets are left */
	struct packet train;
	struct packet_route route;
	struct packet_opcode info;
	struct hca *from, *to; /* their ports; to: NULL when it is lost */
	uint32_t mtu, count;
	uint32_t next;	 /* packet */
	uint64_t bytes;	 /* of the train's payload that are captured, or in @part */
	uint32_t filled; /* bytes of @part */
	uint8_t part[PACKET_PAYLOAD_MAX];
};

/* --- one packet -------------------------------------------------------------------------- */

static void put(const struct hca *hca, enum pcapng_direction direction, uint64_t now,
		const uint8_t *data, size_t len, size_t wire_len, const char *comment)
{
	const struct pcapng_packet captured = {
		.time_ns = now,
		.direction = direction,
		.data = data,
		.len = len,
		.wire_len = wire_len,
		.comment = comment,
	};

	if (hca)
		capture_packet(hca->params.capture, &captured);
}

/* Bytes of headers in front of the payload of @packet. */
static size_t headers_of(const struct packet_route *route, const struct packet *packet)
{
	struct packet without = *packet;
	uint8_t buf[HEADERS];
	int len;

	without.length = 0;
	len = packet_encode(route, &without, buf, sizeof(buf));
	return len < 0 ? 0 : (size_t)len - ICRC - (route->ethernet ? 0 : VCRC);
}

/* @packet at both its ends. @cut: its payload is not there. */
static void put_packet(const struct hca *from, const struct hca *to,
		       const struct packet_route *route, const struct packet *packet, bool cut,
		       const char *comment)
{
	uint8_t buf[PACKET_MAX];
	int len = packet_encode(route, packet, buf, sizeof(buf));
	uint64_t now = clock_now_ns();
	size_t there;

	if (len < 0)
		return;
	there = cut ? headers_of(route, packet) : (size_t)len;
	put(from, PCAPNG_OUT, now, buf, there, (size_t)len, comment);
	put(to, PCAPNG_IN, now, buf, there, (size_t)len, comment);
}

/* --- a train ----------------------------------------------------------------------------- */

/* What an opcode becomes at a place in its message; requests and responses have a middle. */
static uint8_t opcode_at(const struct hca_captured *c, bool first, bool last)
{
	uint8_t class = c->train.opcode & PACKET_CLASS_MASK;
	bool immediate = c->info.headers & PACKET_IMMDT, key = c->info.headers & PACKET_IETH;

	first = first && c->info.place & PACKET_FIRST;
	last = last && c->info.place & PACKET_LAST;
	switch (c->info.operation) {
	case PACKET_OP_SEND:
		return class | (first	    ? PACKET_SEND_FIRST
				: !last	    ? PACKET_SEND_MIDDLE
				: immediate ? PACKET_SEND_LAST_IMM
				: key	    ? PACKET_SEND_LAST_INV
					    : PACKET_SEND_LAST);
	case PACKET_OP_WRITE:
		return class | (first	    ? PACKET_WRITE_FIRST
				: !last	    ? PACKET_WRITE_MIDDLE
				: immediate ? PACKET_WRITE_LAST_IMM
					    : PACKET_WRITE_LAST);
	default:
		return class | (first  ? PACKET_READ_FIRST
				: last ? PACKET_READ_LAST
				       : PACKET_READ_MIDDLE);
	}
}

/* The next packet of the train, but for the place of its payload. */
static struct packet next_packet(const struct hca_captured *c)
{
	bool first = !c->next, last = c->next + 1 == c->count;
	uint64_t before = (uint64_t)c->next * c->mtu;
	struct packet packet = c->train;

	if (c->count == 1)
		return packet;
	packet.opcode = opcode_at(c, first, last);
	packet.psn = (c->train.psn + c->next) & PACKET_24_BITS;
	packet.ack_req = last && c->train.ack_req;
	packet.solicited = last && c->train.solicited;
	packet.length = last ? c->train.length - before : c->mtu;
	return packet;
}

static void put_next(struct hca_captured *c, bool cut, const char *comment)
{
	struct packet packet = next_packet(c);

	packet.payload = c->part;
	put_packet(c->from, c->to, &c->route, &packet, cut && packet.length, comment);
	c->filled = 0;
	c->busy = ++c->next < c->count;
}

/* What is left has no payload. */
static void finish(struct hca_captured *c, const char *comment)
{
	while (c->busy)
		put_next(c, true, comment);
}

/* Whose address the packets have: of the QP, or of a DC initiator's WQE. */
static struct packet_route route_of(const struct hca_link *l, const struct hca_flight *flight)
{
	const struct hca_qp *qp = flight->response ? l->peer : l->qp;
	const struct hca_av *av = &l->progress->wqe.av;
	struct packet_route route = {
		.slid = l->slid,
		.dlid = qp->rlid,
		.sl = field_get(qp->qpc, QPC_SL),
		.grh = qp->grh,
		.hop_limit = field_get(qp->qpc, QPC_HOP_LIMIT),
		.traffic_class = field_get(qp->qpc, QPC_TCLASS),
		.flow_label = field_get(qp->qpc, QPC_FLOW_LABEL),
	};

	memcpy(route.dgid, qp->rgid, sizeof(route.dgid));
	if (l->qp->type == HCA_QP_DCI) {
		route.dlid = av->dlid;
		route.sl = av->sl;
		route.grh = av->grh;
		route.hop_limit = av->hop_limit;
		route.traffic_class = av->tclass;
		route.flow_label = av->flow_label;
		memcpy(route.dgid, av->dgid, sizeof(route.dgid));
	}
	be64_put(route.sgid, GID_PREFIX, l->qp->hca->port_state.prefix);
	be64_put(route.sgid, GID_GUID, l->qp->hca->params.guid);
	if (!flight->response)
		return route;
	/* What comes back. */
	route.slid = l->qp->type == HCA_QP_DCI ? av->dlid : hca_lid(l->peer->hca);
	route.dlid = l->slid;
	memcpy(route.dgid, route.sgid, sizeof(route.dgid));
	be64_put(route.sgid, GID_PREFIX, l->peer->hca->port_state.prefix);
	be64_put(route.sgid, GID_GUID, l->peer->hca->params.guid);
	return route;
}

static void begin(struct hca_captured *c, const struct hca_link *l)
{
	const struct hca_flight *flight = &l->from->flight;
	struct hca *here = l->qp->hca, *there = l->peer ? l->peer->hca : NULL;

	c->train = flight->packet;
	c->route = here->eth ? hca_roce_route_of(l, flight) : route_of(l, flight);
	c->from = flight->response ? there : here;
	c->to = flight->response ? here : there;
	c->mtu = flight->response ? l->to->responder.attr.path.mtu
				  : l->from->requester.attr.path.mtu;
	c->count = flight->count;
	c->next = c->filled = 0;
	c->bytes = 0;
	if (!flight->busy)
		c->to = NULL;
	c->busy = packet_opcode(c->train.opcode, &c->info);
}

void hca_capture_train(const struct hca_link *link)
{
	struct hca_connection *connection = link->from;
	struct hca_captured *c = connection->captured;

	if (c)
		finish(c, NOT_MOVED);
	if (!hca_captures(link))
		return;
	if (!c)
		c = connection->captured = hca_alloc(link->qp->hca, sizeof(*c));
	if (!c)
		return;
	begin(c, link);
	if (!connection->flight.busy)
		finish(c, LOST);
	else if (c->busy && !c->train.length)
		put_next(c, false, NULL);
}

void hca_capture_packet(const struct hca_link *l, const struct hca_flight *flight, bool arrives)
{
	struct hca *here = l->qp->hca, *there = l->peer ? l->peer->hca : NULL;
	struct packet packet = flight->packet;
	struct packet_route route;

	if (!there || !hca_captures(l))
		return;
	route = here->eth ? hca_roce_route_of(l, flight) : route_of(l, flight);
	/* Where congestion is told in the IP header. */
	if (here->eth && packet.fecn) {
		route.traffic_class |= HCA_ECN_CE;
		packet.fecn = false;
	}
	if (arrives)
		put_packet(NULL, flight->response ? here : there, &route, &packet, false, NULL);
	else
		put_packet(flight->response ? there : here, NULL, &route, &packet, false, NULL);
}

/* What was captured before, of a train that comes again, is not captured again. */
void hca_capture_bytes(const struct hca_link *link, const void *data, uint64_t len)
{
	struct hca_captured *c = link->from->captured;
	uint64_t at = link->from->flight.moved, skip;

	if (!c || !c->busy || at > c->bytes || at + len <= c->bytes)
		return;
	for (skip = c->bytes - at; c->busy && skip < len;) {
		struct packet packet = next_packet(c);
		uint64_t n = packet.length - c->filled;

		if (n > len - skip)
			n = len - skip;
		memcpy(c->part + c->filled, (const uint8_t *)data + skip, n);
		c->filled += (uint32_t)n;
		c->bytes += n;
		skip += n;
		if (c->filled == packet.length)
			put_next(c, false, NULL);
	}
}

void hca_capture_drop(struct hca_connection *connection)
{
	if (!connection)
		return;
	hca_release(connection->qp->hca, connection->captured);
	connection->captured = NULL;
}

/* --- datagrams --------------------------------------------------------------------------- */

void hca_capture_datagram(const struct hca *hca, enum pcapng_direction direction,
			  const struct subnet_packet *packet)
{
	const uint8_t *grh = packet->data;
	struct packet ud = hca_ud_packet(packet);
	struct packet_route route = {
		.vl = packet->dest_qpn == SUBNET_QP0 ? VL_SMP : 0,
		.sl = packet->sl,
		.slid = packet->slid,
		.dlid = packet->dlid,
		.grh = packet->grh,
	};
	bool out = direction == PCAPNG_OUT;

	if (!capture_on(hca->params.capture))
		return;
	if (packet->grh) {
		route.traffic_class = field_get(grh, GRH_TRAFFIC_CLASS);
		route.flow_label = field_get(grh, GRH_FLOW_LABEL);
		route.hop_limit = grh[7];
		memcpy(route.sgid, grh + GRH_SGID, sizeof(route.sgid));
		memcpy(route.dgid, grh + GRH_DGID, sizeof(route.dgid));
	}
	put_packet(out ? hca : NULL, out ? NULL : hca, &route, &ud, false, NULL);
}
