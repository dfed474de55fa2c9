/* SPDX-License-Identifier: GPL-2.0-only */
#include "hca/wire.h"

#include <errno.h>
#include <stdlib.h>

#include "hca/budget.h"
#include "hca/due.h"
#include "hca/eth.h"
#include "packet/mark.h"

/* Around BTH, extended headers and payload: LRH, ICRC, VCRC. */
#define LRH_AND_CRCS (8u + 4 + 2)
#define GRH	     40u
#define BTH	     12u
#define DETH	     8u
#define IMMDT	     4u
/* The same of RoCE: Ethernet header, UDP, ICRC, FCS; and an IP header. */
#define ETHERNET_AND_CRCS (14u + 8 + 4 + 4)
#define IPV4		  20u
#define IPV6		  40u
#define FRAME_MIN	  64u /* on the wire, with the FCS */
/* Of a BTH. */
#define BTH_DEST_QPN 4u
#define BTH_PSN	     8u
/* With an end so near the engine does not rest. */
#define NEAR_NS 200000u

const char *const hca_packet_kinds[HCA_PACKET_KINDS] = {
	[HCA_PACKET_REQUEST] = "request", [HCA_PACKET_RESPONSE] = "response",
	[HCA_PACKET_ACK] = "ack",	  [HCA_PACKET_DATAGRAM] = "datagram",
	[HCA_PACKET_FRAME] = "frame",	  [HCA_PACKET_CNP] = "cnp",
};

/* --- packets --------------------------------------------------------------------------------- */

struct hca_packet *hca_packet_new(struct hca *hca, size_t room)
{
	struct hca_packet *packet = calloc(1, sizeof(*packet) + room);

	if (!packet)
		return NULL;
	packet->room = room;
	packet->wire = hca->wire;
	if (packet->wire)
		packet->wire->packets++;
	return packet;
}

void hca_packet_free(struct hca_packet *packet)
{
	struct hca_wire *wire = packet ? packet->wire : NULL;

	free(packet);
	if (wire && !--wire->packets && wire->orphan)
		free(wire);
}

static void *copy(void *owner, void *of)
{
	const struct hca_packet *packet = of;
	struct hca_wire *wire = owner;
	struct hca_packet *twin;

	if (wire->packets >= HCA_WIRE_PACKETS)
		return NULL;
	twin = malloc(sizeof(*twin) + packet->room);
	if (!twin)
		return NULL;
	memcpy(twin, packet, sizeof(*twin) + packet->room);
	if (packet->flight.packet.payload)
		twin->flight.packet.payload = twin->data;
	if (packet->is_datagram)
		twin->datagram.data = twin->data;
	wire->packets++;
	return twin;
}

static void drop(void *owner, void *packet)
{
	(void)owner;
	hca_packet_free(packet);
}

static const struct impairment_ops ops = { .copy = copy, .drop = drop };

/* --- a cable --------------------------------------------------------------------------------- */

static struct hca_wire *wire_new(const struct impairment_spec *spec)
{
	struct hca_wire *wire = calloc(1, sizeof(*wire));

	if (!wire)
		return NULL;
	wire->line = impairment_new(spec, HCA_WIRE_PACKETS, &ops, wire);
	if (wire->line)
		return wire;
	free(wire);
	return NULL;
}

static void set_wire(struct hca *hca, struct hca_wire *wire)
{
	pthread_mutex_lock(&hca->mmio.lock);
	hca->wire = wire;
	pthread_mutex_unlock(&hca->mmio.lock);
}

int hca_wire_init(struct hca *hca)
{
	if (!hca->params.impaired)
		return 0;
	set_wire(hca, wire_new(&hca->params.impairment));
	return hca->wire ? 0 : -ENOMEM;
}

void hca_wire_free(struct hca *hca)
{
	struct hca_wire *wire = hca->wire;

	if (!wire)
		return;
	set_wire(hca, NULL);
	impairment_free(wire->line);
	/* Those that wait for a turn of another function count on it. */
	wire->orphan = true;
	if (!wire->packets)
		free(wire);
}

bool hca_wire_has_room(const struct hca *hca)
{
	return !hca->wire || hca->wire->packets < HCA_WIRE_PACKETS;
}

/* --- any thread ------------------------------------------------------------------------------ */

void hca_impair(struct hca *hca, const struct impairment_spec *spec)
{
	pthread_mutex_lock(&hca->mmio.lock);
	hca->mmio.impair = spec ? HCA_CABLE_SET : HCA_CABLE_OFF;
	if (spec)
		hca->mmio.impairment = *spec;
	pthread_mutex_unlock(&hca->mmio.lock);
	if (hca->wake)
		hca->wake(hca->wake_arg);
}

bool hca_impairment(struct hca *hca, struct hca_impairment *report)
{
	struct impairment_spec spec;
	bool active = false;

	pthread_mutex_lock(&hca->mmio.lock);
	if (hca->mmio.impair == HCA_CABLE_SET) {
		/* Of what begins with the next turn there is nothing to say yet. */
		memset(report, 0, sizeof(*report));
		report->spec = hca->mmio.impairment;
		active = true;
	} else if (hca->mmio.impair == HCA_CABLE_AS_IT_IS && hca->wire) {
		active = impairment_get_spec(hca->wire->line, &spec);
	}
	if (active && hca->mmio.impair == HCA_CABLE_AS_IT_IS) {
		report->spec = spec;
		impairment_get_counts(hca->wire->line, report->counts);
		report->events = impairment_get_log(hca->wire->line, report->event, IMPAIRMENT_LOG,
						    &report->all_events);
	}
	pthread_mutex_unlock(&hca->mmio.lock);
	return active;
}

/* --- what arrives ---------------------------------------------------------------------------- */

static void append(struct hca_connection *c, struct hca_packet *packet)
{
	packet->next = NULL;
	if (c->arrived)
		c->last_arrived->next = packet;
	else
		c->arrived = packet;
	c->last_arrived = packet;
	c->qp->arrivals = true;
}

/* The connection that @packet belongs to, unless that is gone, or has begun anew. */
static struct hca_connection *find_connection(const struct hca_packet *packet)
{
	struct hca_qp *qp = hca_table_get(&packet->hca->qps, packet->qpn);
	struct hca_progress *progress = qp ? qp->progress : NULL;
	struct hca_connection *c = progress ? progress->connection : NULL;

	return c && c->id == packet->connection ? c : NULL;
}

static void arrive(const struct impairment_arrival *arrival)
{
	struct hca_packet *packet = arrival->packet;
	struct hca_connection *c;

	/* A wrong bit is found by one of the CRCs, wherever it is. */
	if (arrival->damaged) {
		hca_packet_free(packet);
		return;
	}
	if (packet->is_datagram) {
		if (subnet_link(packet->hca->port))
			subnet_send(packet->hca->port, &packet->datagram);
		hca_packet_free(packet);
		return;
	}
	if (packet->frame) {
		if (arrival->marked)
			packet_mark(packet->data, packet->frame);
		bridge_send(packet->hca->eth->port, packet->data, packet->frame, clock_now_ns());
		hca_packet_free(packet);
		return;
	}
	c = find_connection(packet);
	if (!c) {
		hca_packet_free(packet);
		return;
	}
	packet->flight.packet.fecn = arrival->marked;
	append(c, packet);
	c->qp->retrying = false;
	hca_qp_due(c->qp);
}

/* --- what leaves ----------------------------------------------------------------------------- */

/* What is not late arrives at once: no timer expires because a turn came late. */
static void put(struct hca_packet *packet, uint64_t now, size_t length,
		const struct impairment_label *label)
{
	struct impairment *line = packet->wire->line;
	struct impairment_arrival arrival;

	impairment_put(line, now, packet, length, label);
	while (impairment_get(line, now, &arrival))
		arrive(&arrival);
}

/* Around BTH and what follows it, of the connection's packets. */
static size_t overhead(const struct hca_connection *c)
{
	const struct hca_progress *progress = c->qp->progress;
	const uint8_t *gid = c->qp->rgid;

	if (!c->qp->hca->eth)
		return LRH_AND_CRCS;
	if (c->qp->type == HCA_QP_DCI)
		gid = progress->wqe.av.dgid;
	return ETHERNET_AND_CRCS + (hca_roce_is_ipv4(gid) ? IPV4 : IPV6);
}

static size_t length_of(const struct packet *packet)
{
	struct packet_opcode info = { 0 };

	packet_opcode(packet->opcode, &info);
	return BTH + packet_headers_length(info.headers) + ((packet->length + 3) & ~(size_t)3);
}

static unsigned int kind_of(uint8_t opcode)
{
	struct packet_opcode info = { 0 };

	packet_opcode(opcode, &info);
	if ((opcode & PACKET_CLASS_MASK) == PACKET_UD)
		return HCA_PACKET_DATAGRAM;
	if (opcode == PACKET_CNP)
		return HCA_PACKET_CNP;
	if (!info.response)
		return HCA_PACKET_REQUEST;
	return info.operation == PACKET_OP_ACK ? HCA_PACKET_ACK : HCA_PACKET_RESPONSE;
}

void hca_packet_send(struct hca_packet *packet, struct hca_connection *c, uint64_t now)
{
	struct packet *bth = &packet->flight.packet;
	struct impairment_label label = { kind_of(bth->opcode), bth->dest_qpn, bth->psn };

	packet->hca = c->qp->hca;
	packet->qpn = c->qp->number;
	packet->connection = c->id;
	if (bth->length)
		bth->payload = packet->data;
	packet->flight.busy = true;
	packet->flight.checked = packet->flight.moved = 0;
	packet->flight.passed = false;
	if (packet->wire)
		put(packet, now, overhead(c) + length_of(bth), &label);
	else
		append(c, packet);
}

void hca_wire_datagram(struct hca *hca, const struct subnet_packet *datagram, uint32_t psn)
{
	size_t bytes = SUBNET_GRH_LEN + datagram->len;
	struct impairment_label label = { HCA_PACKET_DATAGRAM, datagram->dest_qpn, psn };
	struct hca_packet *packet = hca_packet_new(hca, bytes);

	if (!packet)
		return;
	memcpy(packet->data, datagram->data, bytes);
	packet->hca = hca;
	packet->is_datagram = true;
	packet->datagram = *datagram;
	packet->datagram.data = packet->data;
	bytes = LRH_AND_CRCS + (datagram->grh ? GRH : 0) + BTH + DETH +
		(datagram->has_imm ? IMMDT : 0) + ((datagram->len + 3) & ~(size_t)3);
	put(packet, clock_now_ns(), bytes, &label);
}

/* A packet of RoCE is told by its BTH, whatever else it says. */
static struct impairment_label label_of(const uint8_t *bytes, size_t len)
{
	struct impairment_label label = { .kind = HCA_PACKET_FRAME };
	struct hca_frame frame;
	const uint8_t *bth;

	hca_frame_parse(bytes, len, &frame);
	label.flow = frame.ethertype;
	if (!frame.l4_at || frame.protocol != HCA_ETH_UDP || frame.dport != PACKET_UDP_PORT ||
	    frame.ip_end - frame.l4_at < frame.l4_len + BTH)
		return label;
	bth = bytes + frame.l4_at + frame.l4_len;
	label.kind = kind_of(bth[0]);
	label.flow = be32_at(bth, BTH_DEST_QPN) & PACKET_24_BITS;
	label.sequence = be32_at(bth, BTH_PSN) & PACKET_24_BITS;
	return label;
}

void hca_wire_frame(struct hca *hca, const uint8_t *bytes, size_t len)
{
	struct impairment_label label = label_of(bytes, len);
	struct hca_packet *packet = hca_packet_new(hca, len);

	if (!packet)
		return;
	memcpy(packet->data, bytes, len);
	packet->hca = hca;
	packet->frame = len;
	len += HCA_ETH_FCS;
	put(packet, clock_now_ns(), len < FRAME_MIN ? FRAME_MIN : len, &label);
}

/* --- a turn --------------------------------------------------------------------------------- */

/* What hca_impair() has left. False: nothing. */
static bool take(struct hca *hca)
{
	struct impairment_spec spec;
	enum hca_cable impair;

	pthread_mutex_lock(&hca->mmio.lock);
	impair = hca->mmio.impair;
	spec = hca->mmio.impairment;
	hca->mmio.impair = HCA_CABLE_AS_IT_IS;
	pthread_mutex_unlock(&hca->mmio.lock);
	if (impair == HCA_CABLE_AS_IT_IS)
		return false;
	if (hca->wire) {
		hca->wire->ends = impair == HCA_CABLE_OFF;
		impairment_set(hca->wire->line, impair == HCA_CABLE_SET ? &spec : NULL);
	} else if (impair == HCA_CABLE_SET) {
		set_wire(hca, wire_new(&spec));
	}
	return true;
}

bool hca_wire_poll(struct hca *hca)
{
	struct impairment_arrival arrival;
	bool busy = take(hca);
	uint64_t now, wakes;

	if (!hca->wire)
		return busy;
	now = clock_now_ns();
	while (!hca_turn_over(hca) && impairment_get(hca->wire->line, now, &arrival)) {
		hca_work(hca, HCA_WORK_PEEK);
		arrive(&arrival);
		busy = true;
	}
	if (hca->wire->ends && impairment_is_empty(hca->wire->line)) {
		hca_wire_free(hca);
		return true;
	}
	wakes = impairment_wakes(hca->wire->line);
	return busy || (wakes && wakes < now + NEAR_NS);
}

void hca_packet_done(struct hca_connection *c)
{
	struct hca_packet *packet = c->arrived;

	c->arrived = packet->next;
	c->qp->arrivals = c->arrived;
	hca_packet_free(packet);
}

void hca_packets_drop(struct hca_connection *c)
{
	while (c->arrived)
		hca_packet_done(c);
	for (int i = 0; i < 2; i++) {
		hca_packet_free(c->leaving[i]);
		c->leaving[i] = NULL;
	}
}
