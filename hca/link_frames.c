/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connected QPs whose peer is not a function of this process: what each end says leaves as frames
 * of RoCEv2, one packet at a time with the bytes of its payload, and what came in frames
 * (roce_inbox.c) goes to the requester or the responder here. The two ends of a QP know nothing of
 * each other, and have turns of their own.
 */
#include "hca/budget.h"
#include "hca/connection.h"
#include "hca/eth.h"
#include "hca/wire.h"

/* Bytes that a responder moves in a turn. */
#define TURN_BYTES (1u << 20)

/* The next packet of @which end of @c leaves. False when there is none, or its bytes come later. */
static bool send_packet(struct hca_link *l, enum hca_leaving which)
{
	struct hca_connection *c = l->from;
	struct hca_packet *packet = c->leaving[which];
	struct packet *bth;
	uint32_t count;

	if (!packet && hca_wire_has_room(l->qp->hca))
		packet = hca_packet_new(l->qp->hca, HCA_MTU);
	if (!packet)
		return false;
	c->leaving[which] = packet;
	bth = &packet->flight.packet;
	if (which == HCA_ANSWERS)
		count = responder_poll(&c->responder, bth, packet->data,
				       c->responder.attr.path.mtu);
	else
		count = requester_poll(&c->requester, hca_link_now(l), bth, packet->data,
				       c->requester.attr.path.mtu);
	/* What was fetched of it so far is kept. */
	if (!count && packet->fetched)
		return false;
	c->leaving[which] = NULL;
	if (count && hca_pass(l->qp->hca, HCA_TX, false, 1, bth->length)) {
		hca_roce_transmit(l->qp, bth);
		l->turn->sent = true;
	}
	hca_packet_free(packet);
	return count;
}

/* --- the requester ----------------------------------------------------------------------- */

static enum hca_step request(struct hca_link *l)
{
	struct hca_connection *c = l->from;

	/* Until the next message, as link.c has it. */
	if (c->requester.attr.window > REQUESTER_WINDOW) {
		c->requester.attr.window = REQUESTER_WINDOW;
		c->seen = l->qp->changes - 1;
	}
	while (!hca_turn_over(l->qp->hca)) {
		l->step = HCA_STEP_WAIT;
		hca_work(l->qp->hca, HCA_WORK_PEEK);
		if (c->ended)
			return HCA_STEP_DONE;
		if (c->frames[HCA_ANSWERS].first) {
			l->flight = &c->frames[HCA_ANSWERS].first->flight;
			l->step = HCA_STEP_TURN;
			if (!requester_receive(&c->requester, hca_link_now(l), &l->flight->packet,
					       1))
				return l->step;
			hca_frames_pop(c, HCA_ANSWERS);
			continue;
		}
		l->flight = &c->flight;
		if (send_packet(l, HCA_REQUESTS) || c->ended)
			continue;
		if (l->step == HCA_STEP_WAIT &&
		    !hca_fault_pending(l->progress, HCA_FAULT_REQUESTER))
			return hca_link_wait(l);
		return l->step;
	}
	return HCA_STEP_TURN;
}

enum hca_step hca_frames_turn(struct hca_qp *qp, struct hca_send_turn *turn)
{
	struct hca_progress *progress = hca_progress(qp);
	struct hca_link link = {
		.qp = qp,
		.progress = progress,
		.from = progress->connection,
		.turn = turn,
	};
	enum hca_step step;

	link.from->link = &link;
	step = request(&link);
	hca_connection_count(&link);
	link.from->link = NULL;
	return step;
}

/* --- the responder ----------------------------------------------------------------------- */

/* The request that came first is done, or comes again: false, and link->step says when. */
static bool take_request(struct hca_link *l)
{
	struct hca_connection *c = l->to;
	struct hca_flight *flight = &c->frames[HCA_REQUESTS].first->flight;

	l->flight = flight;
	l->step = HCA_STEP_TURN;
	if (!flight->steered)
		hca_link_announce(l);
	flight->steered = true;
	if (!responder_receive(&c->responder, &flight->packet, 1))
		return false;
	hca_frames_pop(c, HCA_REQUESTS);
	return true;
}

/* True while it goes on. */
static bool answer(struct hca_link *l)
{
	struct hca_connection *c = l->to;

	l->step = HCA_STEP_WAIT;
	hca_work(l->qp->hca, HCA_WORK_PEEK);
	if (c->receives && c->responder.answers && send_packet(l, HCA_ANSWERS))
		return true;
	if (l->step != HCA_STEP_WAIT || hca_fault_pending(l->progress, HCA_FAULT_RESPONDER))
		return false;
	/* A QP in error says why, and takes nothing more. */
	if (!hca_qp_can_receive(l->qp)) {
		hca_frames_drop(c);
		return false;
	}
	return c->frames[HCA_REQUESTS].first && take_request(l);
}

bool hca_frames_answer(struct hca_qp *qp)
{
	struct hca_progress *progress = hca_progress(qp);
	struct hca_connection *c = progress ? progress->connection : NULL;
	struct hca_pieces pieces; /* they are many, and are not cleared */
	struct hca_send_turn turn = { .budget = TURN_BYTES, .pieces = &pieces };
	struct hca_link link = {
		.qp = qp,
		.peer = qp,
		.progress = progress,
		.peer_progress = progress,
		.recv_progress = progress,
		.from = c,
		.to = c,
		.turn = &turn,
		.src_qpn = qp->remote_qpn,
	};
	bool did = false;

	if (!c)
		return false;
	c->link = &link;
	while (!hca_turn_over(qp->hca) && answer(&link))
		did = true;
	qp->frames = c->frames[HCA_REQUESTS].first || (c->receives && c->responder.answers);
	hca_connection_count(&link);
	c->link = NULL;
	return did || (qp->frames && link.step == HCA_STEP_TURN);
}
