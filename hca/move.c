/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The payload of a train, from one end to the other: once where both are memory that is mapped
 * here, or the target is an endpoint's BAR; else by a buffer.
 */
#include <errno.h>

#include "hca/budget.h"
#include "hca/capture.h"
#include "hca/wire.h"

/* Enough for both sides of a chunk in pages: what is fetched is delivered, and not fetched again.
 */
#define CHUNK_WORK (4 * (int64_t)HCA_CHUNK)
/* Bytes that such a part of a turn moves as a whole, however many pieces they are in. */
#define TINY 48u
_Static_assert(TINY *(HCA_WORK_TRANSFER + 2 * HCA_WORK_STEP) < CHUNK_WORK / 2, "moved in parts");

struct move {
	struct hca_link *link;
	const struct transport_range *range; /* NULL: the receive */
	bool fetch;
	uint64_t done; /* bytes of the message */
	enum transport_refusal *why;
	bool remote; /* whose denial the last one was */
};

static enum hca_step local_denial(struct move *m, enum hca_denial denial,
				  const struct hca_denied *denied)
{
	uint8_t syndrome;

	m->remote = false;
	return hca_local_denial(m->link->qp, denial, denied, m->fetch, &syndrome);
}

static enum hca_step remote_denial(struct move *m, enum hca_denial denial,
				   const struct hca_denied *denied)
{
	m->remote = true;
	if (!m->range)
		return hca_receive_denial(m->link, denial, denied, m->why);
	return hca_range_denial(m->link, m->range, denial, m->done, m->why);
}

/* --- by a buffer ------------------------------------------------------------------------- */

/*
 * *@len bytes of the message go by @buf, which has room for them; less when the turn ends. Fetching
 * them may take half of what is left of the turn, so that delivering them gets on as well.
 */
static enum hca_step move_out(struct move *m, uint8_t *buf, uint64_t *len)
{
	struct hca_link *l = m->link;
	struct hca_sgl sgl = hca_wqe_sgl(l->qp);
	struct hca_accessor who;
	struct hca_denied denied;
	enum hca_step step;

	sgl.who.work_kept = l->qp->hca->work_left / 2;
	step = local_denial(m, hca_sgl_gather(&sgl, m->done, buf, len, &denied), &denied);
	if (step != HCA_STEP_MORE)
		return step;
	hca_capture_bytes(l, buf, *len);
	if (!m->range) {
		sgl = hca_receive_sgl(l);
		return remote_denial(m, hca_sgl_scatter(&sgl, m->done, buf, len, &denied), &denied);
	}
	who = hca_range_accessor(l, m->range);
	return remote_denial(m,
			     hca_mkey_write(l->peer->hca, &who, m->range->r_key,
					    m->range->va + m->done, buf, len, HCA_REMOTE_WRITE),
			     NULL);
}

static enum hca_step move_in(struct move *m, uint8_t *buf, uint64_t *len)
{
	struct hca_link *l = m->link;
	struct hca_accessor who = hca_range_accessor(l, m->range);
	struct hca_sgl sgl = hca_wqe_sgl(l->qp);
	struct hca_denied denied;
	enum hca_step step;

	who.work_kept = l->qp->hca->work_left / 2;
	step = remote_denial(m,
			     hca_mkey_read(l->peer->hca, &who, m->range->r_key,
					   m->range->va + m->done, buf, len, HCA_REMOTE_READ),
			     NULL);
	if (step != HCA_STEP_MORE)
		return step;
	hca_capture_bytes(l, buf, *len);
	return local_denial(m, hca_sgl_scatter(&sgl, m->done, buf, len, &denied), &denied);
}

static enum hca_step by_buffer(struct move *m, uint8_t *buf, uint64_t *len)
{
	enum hca_step step = HCA_STEP_MORE;

	if (m->link->flight->unchecked && m->range->length > TINY) {
		m->remote = true;
		step = hca_range_check(m->link, m->range, m->why);
	}
	if (step != HCA_STEP_MORE)
		return step;
	step = m->fetch ? move_in(m, buf, len) : move_out(m, buf, len);
	if (step == HCA_STEP_MORE && m->link->flight->unchecked) {
		m->link->flight->unchecked = false;
		hca_range_passed(m->link);
	}
	return step;
}

/* --- once -------------------------------------------------------------------------------- */

/* One end of it: the requester's list, or the responder's range or receive. */
struct end {
	bool local;
	bool ready; /* its pieces are those of check_local() */
	enum hca_access access;
	struct hca_pieces *pieces;
};

/* The pieces themselves are many, and are not cleared. */
static void begin(struct end *end, bool local, enum hca_access access, struct hca_pieces *pieces)
{
	end->pieces = pieces;
	end->pieces->other = false;
	end->local = local;
	end->access = access;
	end->ready = false;
}

/* *@len bytes, less when the turn ends: where they are on the bus. */
static enum hca_step collect(struct move *m, struct end *end, int64_t kept, uint64_t *len)
{
	struct hca_link *l = m->link;
	struct hca_accessor who;
	enum hca_denial denial;
	struct hca_denied denied;
	struct hca_sgl sgl;

	if (end->ready)
		return HCA_STEP_MORE;
	end->pieces->count = 0;
	end->pieces->other = false;
	if (end->local || !m->range) {
		sgl = end->local ? hca_wqe_sgl(l->qp) : hca_receive_sgl(l);
		sgl.who.work_kept = kept;
		denial = hca_sgl_collect(&sgl, m->done, len, end->access, end->pieces, &denied);
	} else {
		who = hca_range_accessor(l, m->range);
		who.work_kept = kept;
		denial = hca_mkey_collect(l->peer->hca, &who, m->range->r_key,
					  m->range->va + m->done, len, end->access, end->pieces);
	}
	if (end->pieces->other)
		return HCA_STEP_MORE;
	return end->local ? local_denial(m, denial, &denied) : remote_denial(m, denial, &denied);
}

/* What the bus refused of @end. */
static enum hca_step gone(struct move *m, const struct end *end)
{
	const struct hca_denied none = { 0 };

	return end->local ? local_denial(m, HCA_DENIED_BUS, &none)
			  : remote_denial(m, HCA_DENIED_BUS, &none);
}

/* The first @len bytes of @pieces. */
static void cut(struct hca_pieces *pieces, uint64_t len)
{
	unsigned int i;

	for (i = 0; len; i++) {
		if (pieces->piece[i].len > len)
			pieces->piece[i].len = len;
		len -= pieces->piece[i].len;
	}
	pieces->count = i;
}

/*
 * As move_out() and move_in(), but *@len bytes go straight from one end to the other. Returns
 * false, and nothing has happened, when they have to go by a buffer.
 */
static bool move_direct(struct move *m, uint64_t *len, enum hca_step *step)
{
	struct hca *here = m->link->qp->hca, *there = m->link->peer->hca;
	struct hca_send_turn *turn = m->link->turn;
	struct hca_pieces pieces;
	struct end local, remote;
	struct end *from = m->fetch ? &remote : &local, *to = m->fetch ? &local : &remote;
	struct hca *reader = m->fetch ? there : here, *writer = m->fetch ? here : there;
	struct hca_flight *flight = m->link->flight;
	int64_t work = here->work_left;
	uint64_t asked = *len;
	bool part = false;
	int err = -EAGAIN;

	/* What the WQE has is on no bus. */
	if ((m->link->progress->wqe.segs && m->link->progress->wqe.seg[0].inl) ||
	    !pcie_may_copy(&reader->fn, &writer->fn))
		return false;
	begin(&remote, false,
	      m->fetch	 ? HCA_REMOTE_READ
	      : m->range ? HCA_REMOTE_WRITE
			 : HCA_LOCAL_WRITE,
	      &pieces);
	begin(&local, true, m->fetch ? HCA_LOCAL_WRITE : HCA_LOCAL_READ, turn->pieces);
	local.ready = turn->collected && *len == turn->collected;
	turn->collected = 0;
	*step = collect(m, from, work / 2, len);
	if (!from->pieces->other && *step == HCA_STEP_MORE)
		*step = collect(m, to, 0, len);
	if (!from->pieces->other && !to->pieces->other && *step != HCA_STEP_MORE)
		return true;
	/* Nothing before all of the range was looked at. */
	part = flight->unchecked && *len < m->range->length;
	if (!from->pieces->other && !to->pieces->other && !part) {
		cut(from->pieces, *len);
		cut(to->pieces, *len);
		err = pcie_copy(&reader->fn, from->pieces->piece, from->pieces->count, &writer->fn,
				to->pieces->piece, to->pieces->count);
	}
	if (!err && flight->unchecked) {
		flight->unchecked = false;
		hca_range_passed(m->link);
	}
	if (!err && m->range)
		hca_mkey_moved(there, remote.pieces, *len, remote.access);
	if (err == -EIO || err == -EFAULT)
		*step = gone(m, err == -EIO ? from : to);
	if (!err || err == -EIO || err == -EFAULT)
		return true;
	here->work_left = work;
	*len = asked;
	return false;
}

/* --- a train ----------------------------------------------------------------------------- */

static enum hca_step move_train(struct move *m, uint64_t offset, uint64_t len)
{
	struct hca_flight *flight = m->link->flight;
	uint64_t *budget = &m->link->turn->budget;
	uint8_t buf[HCA_CHUNK];

	while (flight->moved < len) {
		uint64_t n = len - flight->moved;
		enum hca_step step;

		if (!*budget || m->link->qp->hca->work_left < CHUNK_WORK)
			return HCA_STEP_TURN;
		if (n > sizeof(buf))
			n = sizeof(buf);
		m->done = offset + flight->moved;
		if (hca_captures(m->link) || !move_direct(m, &n, &step))
			step = by_buffer(m, buf, &n);
		if (step != HCA_STEP_MORE)
			return step;
		flight->moved += n;
		*budget -= n < *budget ? n : *budget;
	}
	return HCA_STEP_DONE;
}

static enum hca_moved moved(const struct move *m, enum hca_step step)
{
	if (step == HCA_STEP_DONE)
		return HCA_MOVED;
	if (step == HCA_STEP_ERROR)
		return m->remote ? HCA_MOVE_REMOTE : HCA_MOVE_LOCAL;
	m->link->step = step;
	return HCA_MOVE_LATER;
}

enum hca_moved hca_move(struct hca_link *link, const struct transport_range *range, bool fetch,
			uint64_t offset, uint64_t len, enum transport_refusal *why)
{
	struct move m = { .link = link, .range = range, .fetch = fetch, .why = why };

	return moved(&m, move_train(&m, offset, len));
}

/* --- a packet with its bytes ------------------------------------------------------------- */

/* How a piece of @left bytes begins: false when the turn is over. */
static bool take_budget(const struct move *m)
{
	return m->link->turn->budget && !hca_turn_over(m->link->qp->hca);
}

static void spend(const struct move *m, uint64_t len)
{
	uint64_t *budget = &m->link->turn->budget;

	*budget -= len < *budget ? len : *budget;
}

/* *@len bytes at @data to where the packet arrives, less when the turn ends. */
static enum hca_step put(struct move *m, const uint8_t *data, uint64_t *len)
{
	struct hca_link *l = m->link;
	struct hca_accessor who;
	struct hca_denied denied;
	struct hca_sgl sgl;

	if (m->fetch) {
		sgl = hca_wqe_sgl(l->qp);
		return local_denial(m, hca_sgl_scatter(&sgl, m->done, data, len, &denied), &denied);
	}
	if (!m->range) {
		sgl = hca_receive_sgl(l);
		return remote_denial(m, hca_sgl_scatter(&sgl, m->done, data, len, &denied),
				     &denied);
	}
	who = hca_range_accessor(l, m->range);
	return remote_denial(m,
			     hca_mkey_write(l->peer->hca, &who, m->range->r_key,
					    m->range->va + m->done, data, len, HCA_REMOTE_WRITE),
			     NULL);
}

enum hca_moved hca_place(struct hca_link *link, const struct transport_range *range, bool fetch,
			 uint64_t offset, const uint8_t *data, uint64_t len,
			 enum transport_refusal *why)
{
	struct move m = { .link = link, .range = range, .fetch = fetch, .why = why };
	struct hca_flight *flight = link->flight;

	while (flight->moved < len) {
		uint64_t n = len - flight->moved;
		enum hca_step step = HCA_STEP_TURN;

		m.done = offset + flight->moved;
		if (take_budget(&m))
			step = put(&m, data + flight->moved, &n);
		if (step != HCA_STEP_MORE)
			return moved(&m, step);
		flight->moved += n;
		spend(&m, n);
	}
	return HCA_MOVED;
}

static enum hca_step get(struct move *m, uint8_t *data, uint64_t *len)
{
	struct hca_link *l = m->link;
	struct hca_accessor who;
	struct hca_denied denied;
	struct hca_sgl sgl;

	if (!m->range) {
		sgl = hca_wqe_sgl(l->qp);
		return local_denial(m, hca_sgl_gather(&sgl, m->done, data, len, &denied), &denied);
	}
	who = hca_range_accessor(l, m->range);
	return remote_denial(m,
			     hca_mkey_read(l->peer->hca, &who, m->range->r_key,
					   m->range->va + m->done, data, len, HCA_REMOTE_READ),
			     NULL);
}

enum hca_moved hca_fetch(struct hca_link *link, const struct transport_range *range,
			 uint64_t offset, uint64_t len, struct hca_packet *packet,
			 enum transport_refusal *why)
{
	struct move m = { .link = link, .range = range, .why = why };

	/* What was begun for another place is of no use. */
	if (packet->offset != offset)
		packet->fetched = 0;
	packet->offset = offset;
	while (packet->fetched < len) {
		uint64_t n = len - packet->fetched;
		enum hca_step step = HCA_STEP_TURN;

		m.done = packet->fetched + (range ? 0 : offset);
		if (take_budget(&m))
			step = get(&m, packet->data + packet->fetched, &n);
		if (step != HCA_STEP_MORE)
			return moved(&m, step);
		packet->fetched += n;
		spend(&m, n);
	}
	if (range)
		link->peer_progress->fault[HCA_FAULT_RESPONDER] = HCA_FAULT_IDLE;
	return HCA_MOVED;
}
