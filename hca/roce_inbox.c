/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets of connected QPs that came in frames, from a peer that is not of this process. They are
 * checked as a receiver of RoCE checks them (InfiniBand Architecture, volume 1, annex A17), copied,
 * and wait for a turn of their QP.
 */
#include "hca/budget.h"
#include "hca/congestion.h"
#include "hca/due.h"
#include "hca/eth.h"
#include "hca/qp.h"
#include "hca/wire.h"

#define P_KEY_INDEX 0x7fffu /* without the bit of full members */

static bool is_of_service(const struct hca_qp *qp, uint8_t opcode)
{
	switch (opcode & PACKET_CLASS_MASK) {
	case PACKET_RC:
		return qp->type == HCA_QP_RC;
	case PACKET_UC:
		return qp->type == HCA_QP_UC;
	case PACKET_XRC:
		return qp->type == HCA_QP_XRC;
	default:
		return false;
	}
}

static bool is_from_peer(const struct hca_qp *qp, const struct packet_route *route)
{
	uint32_t index = field_get(qp->qpc, QPC_SRC_ADDR_INDEX);

	return index < HCA_ROCE_ADDRESSES && !memcmp(route->sgid, qp->rgid, sizeof(qp->rgid)) &&
	       !memcmp(route->dgid, qp->hca->eth->address[index].gid, sizeof(route->dgid));
}

/* Answers are for a message that is under way; requests for a QP that is connected. */
static bool is_awaited(const struct hca_qp *qp, bool response)
{
	const struct hca_progress *progress = qp->progress;

	if (!response)
		return hca_qp_can_receive(qp);
	return (qp->state == HCA_QP_RTS || qp->state == HCA_QP_SQD) && progress &&
	       progress->connection && progress->connection->posted;
}

static void append(struct hca_frames *frames, struct hca_packet *packet)
{
	if (frames->first)
		frames->last->next = packet;
	else
		frames->first = packet;
	frames->last = packet;
}

bool hca_frames_queue(struct hca *hca, const struct packet_route *route,
		      const struct packet *packet)
{
	struct hca_qp *qp = hca_table_get(&hca->qps, packet->dest_qpn);
	struct hca_connection *c;
	struct packet_opcode info;
	struct hca_packet *copy;

	if (!qp || !is_of_service(qp, packet->opcode) || !is_from_peer(qp, route) ||
	    !packet_opcode(packet->opcode, &info) || !is_awaited(qp, info.response) ||
	    (packet->p_key & P_KEY_INDEX) != (SUBNET_P_KEY & P_KEY_INDEX) ||
	    !hca_pass(hca, HCA_RX, false, 1, packet->length))
		return false;
	c = hca_connection(qp);
	if (!c || hca->eth->roce_packets >= HCA_ROCE_PACKETS)
		return false;
	copy = hca_alloc(hca, sizeof(*copy) + packet->length);
	if (!copy)
		return false;
	hca->eth->roce_packets++;
	copy->room = packet->length;
	copy->flight = (struct hca_flight){
		.busy = true, .response = info.response, .count = 1, .packet = *packet
	};
	copy->flight.packet.payload = packet->length ? copy->data : NULL;
	memcpy(copy->data, packet->payload, packet->length);
	append(&c->frames[info.response ? HCA_ANSWERS : HCA_REQUESTS], copy);
	if (info.response)
		qp->retrying = false;
	else
		qp->frames = true;
	hca_qp_due(qp);
	if ((route->traffic_class & HCA_ECN) == HCA_ECN_CE)
		hca_congestion_marked(hca, c, route, qp->remote_qpn);
	return true;
}

void hca_frames_pop(struct hca_connection *c, enum hca_leaving which)
{
	struct hca_packet *packet = c->frames[which].first;

	c->frames[which].first = packet->next;
	c->qp->hca->eth->roce_packets--;
	hca_release(c->qp->hca, packet);
}

void hca_frames_drop(struct hca_connection *c)
{
	while (c->frames[HCA_REQUESTS].first)
		hca_frames_pop(c, HCA_REQUESTS);
	while (c->frames[HCA_ANSWERS].first)
		hca_frames_pop(c, HCA_ANSWERS);
	c->qp->frames = false;
}
