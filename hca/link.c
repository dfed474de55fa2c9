/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets between connected QPs of this process. They are carried in the turns of the QP that
 * requests, one train at a time: what a requester sends, and what the responder answers. Flow
 * tables of both functions may drop them, and where nobody listens they are lost. A train waits
 * here while one of its ends does, for a page or for the next turn; no timer runs meanwhile. Where
 * one of the ports has a bad cable each packet goes by itself, see wire.h.
 */
#include "hca/budget.h"
#include "hca/capture.h"
#include "hca/congestion.h"
#include "hca/eth.h"
#include "hca/flow_table.h"
#include "hca/layout.h"
#include "hca/q_counter.h"
#include "hca/wire.h"

/* All that the window lets pass: the payload stays where it is. */
#define ROOM ((size_t)TRANSPORT_LENGTH_MAX)
/* When nothing is to come: look again, all the same. */
#define LOOK_AGAIN_NS 10000000u
#define ATOMIC_BYTES  8u

/* --- who listens ------------------------------------------------------------------------- */

static bool is_up(const struct hca *hca)
{
	return hca->eth ? hca_eth_is_up(hca) : subnet_link(hca->port);
}

struct hca_qp *hca_find_qp(struct hca *hca, uint16_t dlid, const uint8_t *gid, uint32_t qpn)
{
	uint64_t guid = gid ? be64_at(gid, GID_GUID) : 0;
	struct hca *peer = guid ? subnet_find(hca->subnet, dlid, guid) : NULL;

	if (hca->eth) {
		peer = gid ? hca_roce_find(hca, gid) : NULL;
		return peer ? hca_table_get(&peer->qps, qpn) : NULL;
	}
	if (!subnet_link(hca->port))
		return NULL;
	if (!peer)
		peer = subnet_find(hca->subnet, dlid, 0);
	return peer ? hca_table_get(&peer->qps, qpn) : NULL;
}

/* @qp expects requests from @from. Packets of others would fail its LID check. */
static bool is_connected_to(const struct hca_qp *qp, const struct hca_qp *from)
{
	const struct hca_params *params = &from->hca->params;

	if (qp->type != from->type || qp->remote_qpn != from->number)
		return false;
	if (qp->loopback || from->loopback)
		return qp->hca == from->hca;
	if (from->hca->eth)
		return hca_roce_has(from->hca, qp->rgid);
	return hca_has_lid(from->hca, qp->rlid) ||
	       (qp->grh && be64_at(qp->rgid, GID_GUID) == params->guid);
}

/* The target that the WQE names, or NULL. */
static struct hca_qp *find_dct(const struct hca_link *l)
{
	const struct hca_av *av = &l->progress->wqe.av;
	bool grh = av->grh || l->qp->hca->eth;
	struct hca_qp *dct = hca_find_qp(l->qp->hca, av->dlid, grh ? av->dgid : NULL, av->qpn);

	return dct && dct->type == HCA_QP_DCT && dct->state == HCA_QP_RTR ? dct : NULL;
}

static struct hca_qp *find_connected(struct hca_qp *qp)
{
	struct hca_qp *peer;

	if (qp->loopback)
		peer = hca_table_get(&qp->hca->qps, qp->remote_qpn);
	else
		peer = hca_find_qp(qp->hca, qp->rlid, qp->grh ? qp->rgid : NULL, qp->remote_qpn);
	return peer && hca_qp_can_receive(peer) && is_connected_to(peer, qp) ? peer : NULL;
}

/* No turn of @peer's function, but this one, runs until hca_link_end(). False when one does now. */
static bool hold(struct hca_link *l)
{
	struct hca_send_turn *turn = l->turn;
	struct hca *other = l->peer && l->peer->hca != l->qp->hca ? l->peer->hca : NULL;

	if (turn->held == other)
		return true;
	hca_link_end(turn);
	if (other && other->held)
		return false;
	if (other)
		other->held = true;
	turn->held = other;
	return true;
}

/* The last message's is still there, since its function is held: it may have failed. */
static struct hca_qp *known_peer(const struct hca_send_turn *turn)
{
	return turn->peer && hca_qp_can_receive(turn->peer) ? turn->peer : NULL;
}

/* False: not now, the peer's function is at work. */
static bool find_peer(struct hca_link *l)
{
	bool dc = l->qp->type == HCA_QP_DCI;

	l->peer = dc ? find_dct(l) : known_peer(l->turn);
	if (!l->peer && !dc)
		l->peer = find_connected(l->qp);
	if (!hold(l))
		return false;
	l->turn->peer = dc ? NULL : l->peer;
	if (!l->peer)
		return true;
	l->peer_progress = hca_progress(l->peer);
	l->to = dc ? l->from : hca_connection(l->peer);
	if (!l->peer_progress || !l->to) {
		l->peer = l->turn->peer = NULL;
		l->to = NULL;
		return true;
	}
	l->recv_progress = dc ? l->progress : l->peer_progress;
	l->to->link = l;
	return true;
}

uint64_t hca_link_now(const struct hca_link *l)
{
	if (!l->turn->now)
		l->turn->now = clock_now_ns();
	return l->turn->now;
}

/* Nobody looks at the clock for a message that is answered at once. */
static uint64_t time_for(const struct hca_link *l, const struct packet *response)
{
	return requester_needs_time(&l->from->requester, response) ? hca_link_now(l) : 0;
}

/* --- on the way -------------------------------------------------------------------------- */

static uint64_t octets_of(const struct hca_flight *flight)
{
	bool atomic = (flight->packet.opcode & ~PACKET_CLASS_MASK) == PACKET_ATOMIC_ACK;

	return atomic ? ATOMIC_BYTES : flight->packet.length;
}

/* Whether the train gets out of one function, and into the other. */
static bool leaves(const struct hca_link *l, const struct hca_flight *flight)
{
	struct hca *from = flight->response ? l->peer->hca : l->qp->hca;

	return hca_pass(from, HCA_TX, false, flight->count, octets_of(flight));
}

static bool enters(const struct hca_link *l, const struct hca_flight *flight)
{
	struct hca *to = flight->response ? l->qp->hca : l->peer->hca;

	return hca_pass(to, HCA_RX, false, flight->count, octets_of(flight));
}

void hca_link_announce(const struct hca_link *l)
{
	const struct packet *packet = &l->flight->packet;

	if (l->peer->state == HCA_QP_RTR && l->peer->type != HCA_QP_DCT &&
	    !l->peer_progress->comm_est) {
		l->peer_progress->comm_est = true;
		hca_event_number(l->peer->hca, HCA_EVENT_COMM_EST, l->peer->number);
	}
	hca_connection_receive(l, &hca_responder_ops);
	if (l->qp->type == HCA_QP_UC || packet->psn == (l->to->responder.expected & PACKET_24_BITS))
		hca_count_request(l->peer, packet->opcode);
}

/* The next train leaves: an answer, or else a request. False when there is none in this turn. */
static bool launch(struct hca_link *l)
{
	struct hca_connection *c = l->from;
	struct hca_flight *flight = &c->flight;

	flight->count = 0;
	if (l->to && l->to->receives)
		flight->count = responder_poll(&l->to->responder, &flight->packet, NULL, ROOM);
	flight->response = flight->count;
	if (!flight->count && hca_turn_over(l->qp->hca)) {
		l->step = HCA_STEP_TURN;
		return false;
	}
	if (!flight->count)
		flight->count = requester_poll(&c->requester, time_for(l, NULL), &flight->packet,
					       NULL, ROOM);
	if (!flight->count)
		return false;
	hca_work(l->qp->hca, HCA_WORK_PEEK);
	flight->checked = flight->moved = 0;
	flight->passed = false;
	flight->unchecked = flight->response && c->unchecked;
	c->unchecked = false;
	flight->busy = leaves(l, flight) && l->peer && enters(l, flight);
	hca_capture_train(l);
	if (flight->busy && !flight->response)
		hca_link_announce(l);
	return true;
}

/* Its end takes the train, or it is lost. False when it has to come again. */
static bool arrive(struct hca_link *l)
{
	struct hca_connection *c = l->from;
	struct hca_flight *flight = l->flight;
	bool taken = true;

	if (!l->to && (!flight->response || (flight->packet.length && !flight->packet.payload))) {
		flight->busy = false;
		return true;
	}
	if (l->to && hca_fault_pending(l->peer_progress, HCA_FAULT_RESPONDER)) {
		l->step = HCA_STEP_WAIT;
		return false;
	}
	l->step = HCA_STEP_TURN;
	if (flight->response)
		taken = requester_receive(&c->requester, time_for(l, &flight->packet),
					  &flight->packet, flight->count);
	else
		taken = responder_receive(&l->to->responder, &flight->packet, flight->count);
	/* Who could not give the bytes has ended it. */
	if (taken)
		flight->busy = false;
	return !flight->busy;
}

enum hca_step hca_link_wait(const struct hca_link *l)
{
	struct requester *requester = &l->from->requester;
	uint64_t wakes;

	requester_start(requester, hca_link_now(l));
	wakes = requester_wakes(requester);
	l->qp->retrying = true;
	l->qp->retry_at_ns = wakes ? wakes : hca_link_now(l) + LOOK_AGAIN_NS;
	return HCA_STEP_WAIT;
}

/* --- by a bad cable ---------------------------------------------------------------------- */

/* What arrived first comes to its end. False when it has to come again. */
static bool receive_packet(struct hca_link *l)
{
	struct hca_connection *c = l->from;
	struct hca_flight *flight = &c->arrived->flight;
	bool done;

	l->flight = flight;
	if (!flight->steered) {
		flight->steered = true;
		/* An answer is on its way, whatever has become of who gave it. */
		if (flight->response)
			flight->busy = is_up(l->qp->hca);
		else
			flight->busy = l->peer;
		flight->busy = flight->busy && enters(l, flight);
		if (flight->busy) {
			hca_capture_packet(l, flight, true);
			hca_congestion_arrives(l, flight);
		}
		if (flight->busy && !flight->response)
			hca_link_announce(l);
	}
	done = !flight->busy || arrive(l);
	l->flight = &c->flight;
	if (done)
		hca_packet_done(c);
	return done;
}

/* The next packet of the requester, or of the responder, leaves by the port of @hca. */
static bool send_packet(struct hca_link *l, struct hca_connection *c, enum hca_leaving which,
			struct hca *hca)
{
	struct hca_packet *packet = c->leaving[which];
	struct hca_flight *flight;
	uint32_t count;

	if (!packet && hca_wire_has_room(hca))
		packet = hca_packet_new(hca, HCA_MTU);
	if (!packet)
		return false;
	c->leaving[which] = packet;
	flight = &packet->flight;
	if (which == HCA_ANSWERS)
		flight->count = responder_poll(&c->responder, &flight->packet, packet->data,
					       c->responder.attr.path.mtu);
	else
		flight->count = requester_poll(&c->requester, hca_link_now(l), &flight->packet,
					       packet->data, c->requester.attr.path.mtu);
	/* What was fetched of it so far is kept. */
	if (!flight->count && packet->fetched)
		return false;
	c->leaving[which] = NULL;
	flight->response = which == HCA_ANSWERS;
	if (flight->packet.length)
		flight->packet.payload = packet->data;
	if (flight->count && leaves(l, flight)) {
		hca_capture_packet(l, flight, false);
		hca_packet_send(packet, l->from, hca_link_now(l));
		l->turn->sent = true;
		return true;
	}
	count = flight->count;
	hca_packet_free(packet);
	return count;
}

static bool has_answers(const struct hca_link *l)
{
	return l->to && l->to->receives && l->to->responder.answers &&
	       !hca_fault_pending(l->peer_progress, HCA_FAULT_RESPONDER);
}

static bool waits_for_page(const struct hca_link *l)
{
	return hca_fault_pending(l->progress, HCA_FAULT_REQUESTER) ||
	       (l->to && hca_fault_pending(l->peer_progress, HCA_FAULT_RESPONDER));
}

static enum hca_step carry_packets(struct hca_link *l)
{
	struct hca_connection *c = l->from;

	/* Until the next message: the cable may be a good one then. */
	if (c->sends && c->requester.attr.window > REQUESTER_WINDOW) {
		c->requester.attr.window = REQUESTER_WINDOW;
		c->seen = l->qp->changes - 1;
	}
	while (!hca_turn_over(l->qp->hca)) {
		l->step = HCA_STEP_WAIT;
		hca_work(l->qp->hca, HCA_WORK_PEEK);
		if (c->flight.busy) {
			if (!arrive(l))
				return l->step;
			continue;
		}
		if (c->ended)
			return HCA_STEP_DONE;
		if (c->arrived) {
			if (!receive_packet(l))
				return l->step;
			continue;
		}
		if (has_answers(l) && send_packet(l, l->to, HCA_ANSWERS, l->peer->hca))
			continue;
		if (l->step == HCA_STEP_WAIT && c->posted &&
		    send_packet(l, c, HCA_REQUESTS, l->qp->hca))
			continue;
		if (l->step == HCA_STEP_WAIT && c->posted && !c->ended && !waits_for_page(l))
			return hca_link_wait(l);
		if (!c->ended)
			return l->step;
	}
	return HCA_STEP_TURN;
}

static enum hca_step carry(struct hca_link *l)
{
	struct hca_connection *c = l->from;

	while (c->flight.busy || !c->ended) {
		l->step = HCA_STEP_WAIT;
		if (!c->flight.busy && !launch(l))
			return l->step == HCA_STEP_TURN ? l->step : hca_link_wait(l);
		if (c->flight.busy && !arrive(l))
			return l->step;
	}
	return HCA_STEP_DONE;
}

enum hca_step hca_link_turn(struct hca_qp *qp, struct hca_send_turn *turn)
{
	struct hca_progress *progress = hca_progress(qp);
	struct hca_link link = {
		.qp = qp,
		.progress = progress,
		.from = progress->connection,
		.flight = &progress->connection->flight,
		.turn = turn,
		.slid = hca_lid(qp->hca),
		.src_qpn = qp->number,
	};
	enum hca_step step = HCA_STEP_WAIT;
	bool packets;

	link.from->link = &link;
	if (find_peer(&link)) {
		packets = qp->arrivals || (link.peer && link.peer->hca != qp->hca &&
					   hca_wire_between(qp->hca, link.peer->hca));
		step = packets ? carry_packets(&link) : carry(&link);
		hca_connection_count(&link);
	}
	if (link.to)
		link.to->link = NULL;
	link.from->link = NULL;
	return step;
}

void hca_link_end(struct hca_send_turn *turn)
{
	if (turn->held)
		turn->held->held = false;
	turn->held = NULL;
	turn->peer = NULL;
}
