/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RoCEv2 on an Ethernet port: the addresses that the driver gives it, and packets, which go as
 * frames through the switch: datagrams, and those of connected QPs whose peer is not of this
 * process (link_frames.c). Between those of this process payload goes by reference, as on
 * InfiniBand (link.c); who the peer is its address says. Layouts: roce_addr_layout of mlx5_ifc.h.
 */
#include "hca/budget.h"
#include "hca/congestion.h"
#include "hca/opcodes.h"
#include "hca/data.h"
#include "hca/eth.h"
#include "hca/inbox.h"
#include "hca/qp.h"
#include "packet/packet.h"

#define ADDRESS	  0x10u /* of set_roce_address_in: roce_address */
#define VERSION_2 2u
#define NET_IPV6  1u /* flags_rqpn [25:24] */
#define NET_IPV4  2u

static const uint8_t none[16];

static bool is_enabled(const struct hca *hca)
{
	return field_get(hca->eth->vport, NIC_VPORT_ROCE_EN);
}

/* --- addresses --------------------------------------------------------------------------- */

/* One that is all zero is none, whatever version it has. */
enum hca_cmd_status hca_cmd_set_roce_address(struct hca *hca, struct hca_cmd *cmd)
{
	const uint8_t *layout = cmd->in + ADDRESS;
	uint32_t index = field_get(cmd->in, ROCE_INDEX);
	struct hca_roce_address *address;

	if (index >= HCA_ROCE_ADDRESSES)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INDEX, 0x260001);
	if (memcmp(layout, none, sizeof(none)) && field_get(layout, ROCE_VERSION) != VERSION_2)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x260002);
	address = &hca->eth->address[index];
	memcpy(address->gid, layout, sizeof(address->gid));
	memcpy(address->mac, layout + 0x12, sizeof(address->mac));
	address->tagged = field_get(layout, ROCE_TAGGED);
	address->vlan = (uint16_t)field_get(layout, ROCE_VLAN);
	return HCA_CMD_OK;
}

bool hca_roce_has(const struct hca *hca, const uint8_t gid[16])
{
	if (!memcmp(gid, none, sizeof(none)))
		return false;
	for (unsigned int i = 0; i < HCA_ROCE_ADDRESSES; i++) {
		if (!memcmp(hca->eth->address[i].gid, gid, 16))
			return true;
	}
	return false;
}

struct hca *hca_roce_find(struct hca *hca, const uint8_t gid[16])
{
	if (!hca_eth_is_up(hca) || !is_enabled(hca))
		return NULL;
	for (unsigned int i = 0; i < BRIDGE_PORTS; i++) {
		const struct bridge_port_attr *attr = bridge_attr(hca->params.bridge, i);
		struct hca *other = attr && attr->deliver == hca_eth_deliver ? attr->owner : NULL;

		if (other && hca_eth_is_up(other) && is_enabled(other) && hca_roce_has(other, gid))
			return other;
	}
	return NULL;
}

static bool leads_out(const struct bridge *bridge)
{
	for (unsigned int i = 0; i < BRIDGE_PORTS; i++) {
		const struct bridge_port_attr *attr = bridge_attr(bridge, i);

		if (attr && attr->deliver != hca_eth_deliver)
			return true;
	}
	return false;
}

bool hca_roce_is_outside(struct hca *hca, const uint8_t gid[16])
{
	return leads_out(hca->params.bridge) && !hca_roce_find(hca, gid);
}

/* --- packets that leave ------------------------------------------------------------------ */

/* The port's address that @av names, if it may send from there to that of @av; or NULL. */
static const struct hca_roce_address *source(const struct hca *hca, const struct hca_av *av)
{
	const struct hca_roce_address *from;

	if (!is_enabled(hca) || av->sgid_index >= HCA_ROCE_ADDRESSES)
		return NULL;
	from = &hca->eth->address[av->sgid_index];
	if (!memcmp(from->gid, none, sizeof(none)) ||
	    hca_roce_is_ipv4(from->gid) != hca_roce_is_ipv4(av->dgid))
		return NULL;
	return from;
}

void hca_roce_send(struct hca_qp *qp, const struct hca_av *av, const struct packet *packet)
{
	const struct hca_roce_address *from = source(qp->hca, av);
	uint8_t bytes[PACKET_MAX];
	struct packet_route route;
	bool multicast;
	int len;

	if (!from)
		return;
	route = hca_roce_route(qp, av, from);
	multicast = route.dmac[0] & 1;
	len = packet_encode(&route, packet, bytes, sizeof(bytes));
	if (len < 0 || !hca_pass(qp->hca, HCA_TX, multicast, 1, packet->length))
		return;
	/* The switch sends nothing back to where it came from. */
	if (multicast || hca_roce_has(qp->hca, route.dgid))
		hca_roce_take(qp->hca, bytes, (size_t)len, qp->number);
	if (!hca_roce_has(qp->hca, route.dgid))
		hca_eth_transmit(qp->hca, bytes, (size_t)len);
}

/* The address that @qp's packets have as their source, as hca_frames_queue() wants it back. */
void hca_roce_transmit(struct hca_qp *qp, const struct packet *packet)
{
	struct hca_av av = hca_roce_path(qp);
	const struct hca_roce_address *from;
	uint8_t bytes[PACKET_MAX];
	struct packet_route route;
	int len;

	from = source(qp->hca, &av);
	if (!from)
		return;
	route = hca_roce_route(qp, &av, from);
	len = packet_encode(&route, packet, bytes, sizeof(bytes));
	if (len >= 0)
		hca_eth_transmit(qp->hca, bytes, (size_t)len);
}

/* --- packets that come ------------------------------------------------------------------- */

static bool is_roce(const struct hca *hca, const struct hca_frame *frame)
{
	return is_enabled(hca) && frame->l4_at && frame->protocol == HCA_ETH_UDP &&
	       frame->dport == PACKET_UDP_PORT;
}

/* A datagram for the QPs of the function: GRH area, or IP header in its place, and payload. */
static void queue(struct hca *hca, const struct packet *packet, const struct packet_route *route,
		  const uint8_t *ip, bool multicast, uint32_t sender)
{
	uint8_t data[SUBNET_GRH_LEN + PACKET_PAYLOAD_MAX] = { 0 };
	struct subnet_packet datagram = {
		.dlid = multicast ? SUBNET_MLID_FIRST : 0,
		.sl = route->ipv4 ? NET_IPV4 : NET_IPV6,
		.p_key = packet->p_key,
		.src_qpn = packet->src_qpn,
		.dest_qpn = packet->dest_qpn,
		.q_key = packet->q_key,
		.psn = packet->psn,
		.solicited = packet->solicited,
		.has_imm = (packet->opcode & ~PACKET_CLASS_MASK) == PACKET_SEND_ONLY_IMM,
		.grh = true,
		.imm = packet->immediate,
		.data = data,
		.len = packet->length,
	};

	if ((route->traffic_class & HCA_ECN) == HCA_ECN_CE)
		hca_congestion_marked(hca, NULL, route, 0);
	if (route->ipv4)
		memcpy(data + 20, ip, 20);
	else
		memcpy(data, ip, SUBNET_GRH_LEN);
	memcpy(data + SUBNET_GRH_LEN, packet->payload, packet->length);
	hca_ud_queue(hca, &datagram, sender);
}

bool hca_roce_take(struct hca *hca, const uint8_t *bytes, size_t len, uint32_t sender)
{
	struct packet_route route;
	struct hca_frame frame;
	struct packet packet;

	hca_frame_parse(bytes, len, &frame);
	if (!is_roce(hca, &frame))
		return false;
	hca_work(hca, HCA_WORK_TRANSFER + len);
	if (packet_decode(true, bytes, len, &route, &packet) != PACKET_OK ||
	    packet.dest_qpn == SUBNET_QP0 || !(route.dmac[0] & 1 || hca_roce_has(hca, route.dgid)))
		hca->eth->rx_stray++;
	else if (packet.opcode == PACKET_CNP)
		hca_congestion_notified(hca, &route, &packet);
	else if ((packet.opcode & PACKET_CLASS_MASK) == PACKET_UD)
		queue(hca, &packet, &route, bytes + frame.ip_at, route.dmac[0] & 1, sender);
	/* Functions of this process say nothing of the kind in frames. */
	else if (route.dmac[0] & 1 || hca_roce_find(hca, route.sgid) ||
		 !hca_frames_queue(hca, &route, &packet))
		hca->eth->rx_stray++;
	return true;
}
