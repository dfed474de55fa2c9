/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reliable and unreliable connections. Both ends are in this process, so a message is one
 * transaction: all checks first, then data, then the responder's completion, then the requester's.
 * The responder's accesses are made by the responder's function under the responder's keys.
 * What flow tables say of the first packet of a request or of an answer is said of all its packets.
 */
#include <errno.h>

#include "hca/budget.h"
#include "hca/data.h"
#include "hca/flow_table.h"
#include "hca/q_counter.h"
#include "hca/qp.h"
#include "hca/refusal.h"
#include "transport/transport.h"

#define ACK_TIMEOUT_UNIT_NS 4096u
/* ack_timeout 0 means "wait for ever": look again this often. */
#define RETRY_FOREVER_NS 10000000u
#define RNR_FOREVER	 7
/* Enough for both sides of a chunk in pages: what is fetched is delivered, and not fetched again.
 */
#define CHUNK_WORK (4 * (int64_t)HCA_CHUNK)

/* A message in this turn. */
struct message {
	struct hca_qp *qp, *peer;
	struct hca_flow *flow, *peer_flow;
	struct hca_flow *recv_flow; /* has the receive: peer_flow, or flow when the peer is a DCT */
	const struct hca_wqe *wqe;
	uint8_t *syndrome;
};

static bool is_send(const struct hca_wqe *wqe)
{
	return wqe->opcode == HCA_OP_SEND || wqe->opcode == HCA_OP_SEND_IMM ||
	       wqe->opcode == HCA_OP_SEND_INV;
}

static bool is_atomic(const struct hca_wqe *wqe)
{
	return wqe->opcode == HCA_OP_ATOMIC_CS || wqe->opcode == HCA_OP_ATOMIC_FA;
}

/* Data flows from the responder to the requester. */
static bool is_fetch(const struct hca_wqe *wqe)
{
	return wqe->opcode == HCA_OP_READ || is_atomic(wqe);
}

static bool takes_receive(const struct hca_wqe *wqe)
{
	return is_send(wqe) || wqe->opcode == HCA_OP_WRITE_IMM;
}

static enum hca_step error(const struct message *m, uint8_t syndrome)
{
	*m->syndrome = syndrome;
	return HCA_STEP_ERROR;
}

static enum hca_step wait_ns(const struct message *m, uint64_t ns)
{
	m->qp->retrying = true;
	m->qp->retry_at_ns = hca_now_ns() + ns;
	return HCA_STEP_WAIT;
}

/* --- the way to the peer ----------------------------------------------------------------- */

struct hca_qp *hca_find_qp(struct hca *hca, uint16_t dlid, const uint8_t *gid, uint32_t qpn)
{
	uint64_t guid = gid ? be64_at(gid, 8) : 0;
	struct hca *peer = guid ? subnet_find(hca->subnet, dlid, guid) : NULL;

	if (!subnet_link(hca->port))
		return NULL;
	if (!peer)
		peer = subnet_find(hca->subnet, dlid, 0);
	return peer ? hca_table_get(&peer->qps, qpn) : NULL;
}

/* @qp expects requests from @from. Packets of others would fail its LID and PSN checks. */
static bool is_connected_to(const struct hca_qp *qp, const struct hca_qp *from)
{
	const struct hca_params *params = &from->hca->params;

	if (qp->type != from->type || qp->remote_qpn != from->number)
		return false;
	if (qp->loopback || from->loopback)
		return qp->hca == from->hca;
	return hca_has_lid(from->hca, qp->rlid) ||
	       (qp->grh && be64_at(qp->rgid, 8) == params->guid);
}

/* The target that the WQE names, or NULL. */
static struct hca_qp *find_dct(const struct message *m)
{
	const struct hca_av *av = &m->wqe->av;
	struct hca_qp *dct = hca_find_qp(m->qp->hca, av->dlid, av->grh ? av->dgid : NULL, av->qpn);

	return dct && dct->type == HCA_QP_DCT && dct->state == HCA_QP_RTR ? dct : NULL;
}

static struct hca_qp *find_connected(const struct message *m)
{
	struct hca_qp *qp = m->qp, *peer;

	if (qp->loopback)
		peer = hca_table_get(&qp->hca->qps, qp->remote_qpn);
	else
		peer = hca_find_qp(qp->hca, qp->rlid, qp->grh ? qp->rgid : NULL, qp->remote_qpn);
	return peer && hca_qp_can_receive(peer) && is_connected_to(peer, qp) ? peer : NULL;
}

static void find_peer(struct message *m)
{
	bool dc = m->qp->type == HCA_QP_DCI;

	m->peer = dc ? find_dct(m) : find_connected(m);
	m->peer_flow = m->peer ? hca_flow(m->peer) : NULL;
	m->recv_flow = dc ? m->flow : m->peer_flow;
	if (!m->peer_flow)
		m->peer = NULL;
}

static void announce(const struct message *m)
{
	if (m->qp->type != HCA_QP_DCI && m->peer->state == HCA_QP_RTR && !m->peer_flow->comm_est) {
		m->peer_flow->comm_est = true;
		hca_event_number(m->peer->hca, HCA_EVENT_COMM_EST, m->peer->number);
	}
}

/* Nobody answers: try again when the acknowledge timer expires. */
static enum hca_step no_answer(const struct message *m)
{
	struct hca_qp *qp = m->qp;

	if (qp->type == HCA_QP_UC)
		return HCA_STEP_DONE;
	m->flow->arrived = false;
	m->flow->started = false;
	m->flow->done = 0;
	if (!qp->ack_timeout)
		return wait_ns(m, RETRY_FOREVER_NS);
	if (!qp->retries_left)
		return error(m, HCA_SYND_RETRY);
	qp->retries_left--;
	m->flow->resent = true;
	return wait_ns(m, (uint64_t)ACK_TIMEOUT_UNIT_NS << qp->ack_timeout);
}

static uint32_t path_mtu(const struct hca_qp *qp)
{
	unsigned int log = field_get(qp->qpc, QPC_SIZES, 31, 29);

	return log ? 128u << log : HCA_MTU;
}

/* Packets that carry @len bytes. */
static uint64_t packets(const struct message *m, uint64_t len)
{
	return transport_packets(len, path_mtu(m->qp));
}

/* The request leaves, and comes to the responder. */
static enum hca_step request(const struct message *m)
{
	uint64_t len = is_fetch(m->wqe) ? 0 : m->wqe->length, count = packets(m, len);

	/* The timer of the last time expired. */
	if (!m->qp->retries_left)
		return no_answer(m);
	hca_count(m->qp, HCA_Q_LOCAL_ACK_TIMEOUT, m->flow->resent);
	m->flow->resent = false;
	if (!hca_pass(m->qp->hca, HCA_TX, false, count, len) || !m->peer ||
	    !hca_pass(m->peer->hca, HCA_RX, false, count, len))
		return no_answer(m);
	announce(m);
	if (m->flow->executed || m->flow->answer_lost)
		hca_count(m->peer, HCA_Q_DUPLICATE_REQUEST, (uint32_t)count);
	else
		hca_count_request(m->peer, m->wqe->opcode);
	return HCA_STEP_MORE;
}

/* An answer with @len bytes of data comes back; false when it is lost. Nobody answers on UC. */
static bool answered(const struct message *m, uint64_t len)
{
	uint64_t count = packets(m, len);

	return m->qp->type == HCA_QP_UC || (hca_pass(m->peer->hca, HCA_TX, false, count, len) &&
					    hca_pass(m->qp->hca, HCA_RX, false, count, len));
}

static enum hca_step not_ready(const struct message *m)
{
	struct hca_qp *qp = m->qp;

	hca_count(m->peer, HCA_Q_OUT_OF_BUFFER, 1);
	if (qp->type == HCA_QP_UC)
		return HCA_STEP_DONE;
	if (!answered(m, 0))
		return no_answer(m);
	qp->retries_left = qp->retry_count + 1;
	if (qp->rnr_retry != RNR_FOREVER) {
		if (!qp->rnr_left)
			return error(m, HCA_SYND_RNR_RETRY);
		qp->rnr_left--;
	}
	hca_count(qp, HCA_Q_RNR_NAK_RETRY, 1);
	return wait_ns(m, transport_rnr_ns(m->peer->min_rnr_nak));
}

/*
 * Whose keys the responder uses. An XRC target has no protection domain: it is that of the SRQ
 * which the request names.
 */
static struct hca_accessor responder(const struct message *m)
{
	struct hca_accessor who = hca_qp_accessor(m->peer);

	who.turn = m->qp->hca;
	if (m->peer->type == HCA_QP_XRC) {
		const struct hca_srq *srq = hca_table_get(&m->peer->hca->srqs, m->wqe->xrc_srqn);

		who.pd = srq ? srq->pd : 0;
	}
	return who;
}

/* --- refusals by the responder ----------------------------------------------------------- */

/* Nobody answers on UC: what is wrong with a request that took no receive is not told at all. */
static enum hca_step refuse(const struct message *m, enum hca_refusal why)
{
	const struct hca_refusal_row *row = hca_refusal(why);
	bool unreliable = m->qp->type == HCA_QP_UC;

	if (row->receive)
		hca_recv_fail(m->peer, m->recv_flow, row->receive);
	else if (unreliable && row->nak != NAK_OPERATION)
		return HCA_STEP_DONE;
	/* A DCT is for other initiators as well: it lives on. */
	if (m->peer->type != HCA_QP_DCT)
		hca_qp_error(m->peer, row->event);
	if (unreliable)
		return HCA_STEP_DONE;
	if (!row->receive)
		hca_count_refusal(m->peer, hca_nak_syndrome(row->nak));
	return answered(m, 0) ? error(m, hca_nak_syndrome(row->nak)) : no_answer(m);
}

/* The remote range of a WRITE, READ or atomic. */
static enum hca_step remote_fault(const struct message *m, enum hca_fault fault, uint64_t offset)
{
	struct hca_bad bad = { m->wqe->rkey, m->wqe->raddr + offset, m->wqe->length - offset };

	if (fault == HCA_FAULT_PAGE && m->qp->type == HCA_QP_UC)
		return HCA_STEP_DONE;
	if (fault == HCA_FAULT_PAGE)
		fault = hca_fault_raise(m->peer, HCA_FAULT_RESPONDER, &bad,
					m->wqe->opcode != HCA_OP_READ);
	switch (fault) {
	case HCA_OK:
		return HCA_STEP_MORE;
	case HCA_FAULT_PAGE:
		return HCA_STEP_WAIT;
	case HCA_FAULT_TURN:
		return HCA_STEP_TURN;
	case HCA_FAULT_BUS:
		return refuse(m, HCA_REFUSE_BUS);
	default:
		return refuse(m, HCA_REFUSE_KEY);
	}
}

/* The buffers of a taken receive, in the sender's turn. */
static struct hca_sgl receive_sgl(const struct message *m)
{
	struct hca_sgl sgl = hca_recv_sgl(m->peer, m->recv_flow);

	sgl.who.turn = m->qp->hca;
	return sgl;
}

static enum hca_step receive_fault(const struct message *m, enum hca_fault fault,
				   const struct hca_bad *bad)
{
	if (fault == HCA_FAULT_PAGE)
		fault = hca_fault_raise(m->peer, HCA_FAULT_RESPONDER, bad, true);
	switch (fault) {
	case HCA_OK:
		return HCA_STEP_MORE;
	case HCA_FAULT_PAGE:
		return HCA_STEP_WAIT;
	case HCA_FAULT_TURN:
		return HCA_STEP_TURN;
	default:
		return refuse(m, HCA_REFUSE_RECV_LOCAL);
	}
}

/* --- checks before the first byte -------------------------------------------------------- */

static uint64_t max_message(const struct hca_qp *qp)
{
	unsigned int log = field_get(qp->qpc, 2, 28, 24);

	return (uint64_t)1 << (log ? log : 30);
}

static enum hca_step check_local(const struct message *m)
{
	struct hca_sgl sgl = hca_wqe_sgl(m->qp);
	struct hca_bad bad;
	bool write = is_fetch(m->wqe);
	enum hca_fault fault;

	if (m->qp->type == HCA_QP_UC && (write || m->wqe->opcode == HCA_OP_SEND_INV))
		return error(m, HCA_SYND_LOCAL_QP_OP);
	if (m->wqe->length > max_message(m->qp) || (is_atomic(m->wqe) && m->wqe->length != 8))
		return error(m, HCA_SYND_LOCAL_LENGTH);
	fault = hca_sgl_check(&sgl, m->wqe->length, write ? HCA_LOCAL_WRITE : HCA_LOCAL_READ,
			      &m->flow->checked_local, &bad);
	return hca_local_fault(m->qp, fault, &bad, write, m->syndrome);
}

/* The range under the remote key, and the responder QP's rights. */
static enum hca_step check_range(const struct message *m)
{
	struct hca_accessor who = responder(m);
	enum hca_access access;
	bool allowed;

	if (is_atomic(m->wqe)) {
		access = HCA_REMOTE_ATOMIC;
		allowed = m->peer->rae;
	} else if (m->wqe->opcode == HCA_OP_READ) {
		access = HCA_REMOTE_READ;
		allowed = m->peer->rre;
	} else {
		access = HCA_REMOTE_WRITE;
		allowed = m->peer->rwe;
	}
	if (!allowed)
		return refuse(m, HCA_REFUSE_RIGHTS);
	if (is_atomic(m->wqe) && m->wqe->raddr % 8)
		return refuse(m, HCA_REFUSE_MISALIGNED);
	return remote_fault(m,
			    hca_mkey_check_on(m->peer->hca, &who, m->wqe->rkey, m->wqe->raddr,
					      m->wqe->length, access, &m->flow->checked_remote),
			    0);
}

static enum hca_step check_receive(const struct message *m)
{
	struct hca_sgl sgl;
	struct hca_bad bad;

	switch (hca_recv_take(m->peer, m->recv_flow, m->wqe->xrc_srqn)) {
	case 0:
		break;
	case -EAGAIN:
		return not_ready(m);
	default:
		return refuse(m, HCA_REFUSE_RECV_QUEUE);
	}
	if (!is_send(m->wqe))
		return HCA_STEP_MORE;
	if (m->wqe->length > m->recv_flow->recv.length)
		return refuse(m, HCA_REFUSE_RECV_LENGTH);
	sgl = receive_sgl(m);
	return receive_fault(m,
			     hca_sgl_check(&sgl, m->wqe->length, HCA_LOCAL_WRITE,
					   &m->flow->checked_remote, &bad),
			     &bad);
}

/* Requests to an XRC target are for an SRQ of its domain; the side with the send queue takes none.
 */
static bool xrc_srq_valid(const struct message *m)
{
	const struct hca_srq *srq = hca_table_get(&m->peer->hca->srqs, m->wqe->xrc_srqn);

	return m->peer->no_sq && srq && srq->xrcd == field_get(m->peer->qpc, QPC_XRCD, 23, 0);
}

/*
 * All packets of a message but its last one are full (IBTA vol. 1, 9.7.4.1.6): what is more than
 * one packet to either side needs the same path MTU at both.
 */
static bool packets_full(const struct message *m)
{
	uint64_t ours = path_mtu(m->qp), theirs = path_mtu(m->peer);

	return is_fetch(m->wqe) || m->peer->type == HCA_QP_DCT || ours == theirs ||
	       (m->wqe->length <= ours && m->wqe->length <= theirs);
}

static enum hca_step start(const struct message *m)
{
	enum hca_step step = HCA_STEP_MORE;

	if (m->peer->type == HCA_QP_DCT && m->wqe->av.dc_key != m->peer->dc_key) {
		hca_dct_violation(m->peer);
		return refuse(m, HCA_REFUSE_DC_KEY);
	}
	if (m->peer->type == HCA_QP_XRC && !xrc_srq_valid(m))
		return refuse(m, HCA_REFUSE_XRC_SRQ);
	if (!packets_full(m))
		return refuse(m, HCA_REFUSE_PATH_MTU);

	if (!is_send(m->wqe))
		step = check_range(m);
	if (step == HCA_STEP_MORE && takes_receive(m->wqe))
		step = check_receive(m);
	if (step != HCA_STEP_MORE)
		return step;
	m->flow->answer_lost = m->wqe->opcode == HCA_OP_READ && !answered(m, m->wqe->length);
	if (m->flow->answer_lost)
		return no_answer(m);
	m->flow->started = true;
	m->flow->fault[HCA_FAULT_REQUESTER] = HCA_FAULT_IDLE;
	m->peer_flow->fault[HCA_FAULT_RESPONDER] = HCA_FAULT_IDLE;
	return HCA_STEP_MORE;
}

/* --- data -------------------------------------------------------------------------------- */

/*
 * *@len bytes of the message go by @buf, which has room for them; less when the turn ends. Fetching
 * them may take half of what is left of the turn, so that delivering them gets on as well.
 */
static enum hca_step move_out(const struct message *m, uint8_t *buf, uint64_t *len)
{
	struct hca_accessor who = responder(m);
	struct hca_sgl sgl = hca_wqe_sgl(m->qp);
	uint64_t done = m->flow->done;
	struct hca_bad bad;
	enum hca_step step;

	sgl.who.work_kept = m->qp->hca->work_left / 2;
	step = hca_local_fault(m->qp, hca_sgl_gather(&sgl, done, buf, len, &bad), &bad, false,
			       m->syndrome);
	if (step != HCA_STEP_MORE)
		return step;
	if (!is_send(m->wqe))
		return remote_fault(m,
				    hca_mkey_write(m->peer->hca, &who, m->wqe->rkey,
						   m->wqe->raddr + done, buf, len,
						   HCA_REMOTE_WRITE),
				    done);
	sgl = receive_sgl(m);
	return receive_fault(m, hca_sgl_scatter(&sgl, done, buf, len, &bad), &bad);
}

static enum hca_step move_in(const struct message *m, uint8_t *buf, uint64_t *len)
{
	struct hca_accessor who = responder(m);
	struct hca_sgl sgl = hca_wqe_sgl(m->qp);
	uint64_t done = m->flow->done;
	struct hca_bad bad;
	enum hca_step step;

	who.work_kept = m->qp->hca->work_left / 2;
	step = remote_fault(m,
			    hca_mkey_read(m->peer->hca, &who, m->wqe->rkey, m->wqe->raddr + done,
					  buf, len, HCA_REMOTE_READ),
			    done);
	if (step != HCA_STEP_MORE)
		return step;
	return hca_local_fault(m->qp, hca_sgl_scatter(&sgl, done, buf, len, &bad), &bad, true,
			       m->syndrome);
}

/* --- data that is moved once ------------------------------------------------------------- */

/* One end of it: the requester's list, or the responder's range or receive. */
struct end {
	bool local;
	enum hca_access access;
	struct hca_pieces pieces;
};

/* *@len bytes from flow->done on, less when the turn ends: where they are on the bus. */
static enum hca_step collect(const struct message *m, struct end *end, int64_t kept, uint64_t *len)
{
	struct hca_accessor who = responder(m);
	uint64_t done = m->flow->done;
	enum hca_fault fault;
	struct hca_bad bad;
	struct hca_sgl sgl;

	end->pieces.count = 0;
	end->pieces.other = false;
	if (end->local || is_send(m->wqe)) {
		sgl = end->local ? hca_wqe_sgl(m->qp) : receive_sgl(m);
		sgl.who.work_kept = kept;
		fault = hca_sgl_collect(&sgl, done, len, end->access, &end->pieces, &bad);
	} else {
		who.work_kept = kept;
		fault = hca_mkey_collect(m->peer->hca, &who, m->wqe->rkey, m->wqe->raddr + done,
					 len, end->access, &end->pieces);
	}
	if (end->pieces.other)
		return HCA_STEP_MORE;
	if (end->local)
		return hca_local_fault(m->qp, fault, &bad, end->access == HCA_LOCAL_WRITE,
				       m->syndrome);
	if (is_send(m->wqe))
		return receive_fault(m, fault, &bad);
	return remote_fault(m, fault, done);
}

/* What the bus refused of @end. */
static enum hca_step gone(const struct message *m, const struct end *end)
{
	const struct hca_bad none = { 0 };

	if (end->local)
		return hca_local_fault(m->qp, HCA_FAULT_BUS, &none, end->access == HCA_LOCAL_WRITE,
				       m->syndrome);
	if (is_send(m->wqe))
		return receive_fault(m, HCA_FAULT_BUS, &none);
	return remote_fault(m, HCA_FAULT_BUS, m->flow->done);
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
static bool move_direct(const struct message *m, uint64_t *len, enum hca_step *step)
{
	struct hca *here = m->qp->hca, *there = m->peer->hca;
	bool fetch = is_fetch(m->wqe);
	struct end local = { .local = true, .access = fetch ? HCA_LOCAL_WRITE : HCA_LOCAL_READ };
	struct end remote = { .access = fetch		  ? HCA_REMOTE_READ
					: is_send(m->wqe) ? HCA_LOCAL_WRITE
							  : HCA_REMOTE_WRITE };
	struct end *from = fetch ? &remote : &local, *to = fetch ? &local : &remote;
	struct hca *reader = fetch ? there : here, *writer = fetch ? here : there;
	int64_t work = here->work_left;
	uint64_t asked = *len;
	int err = -EAGAIN;

	if (!pcie_may_copy(&reader->fn, &writer->fn))
		return false;
	*step = collect(m, from, work / 2, len);
	if (!from->pieces.other && *step == HCA_STEP_MORE)
		*step = collect(m, to, 0, len);
	if (!from->pieces.other && !to->pieces.other && *step != HCA_STEP_MORE)
		return true;
	if (!from->pieces.other && !to->pieces.other) {
		cut(&from->pieces, *len);
		err = pcie_copy(&reader->fn, from->pieces.piece, from->pieces.count, &writer->fn,
				to->pieces.piece, to->pieces.count);
	}
	if (!err && !is_send(m->wqe))
		hca_mkey_moved(there, &remote.pieces, *len, remote.access);
	if (err == -EIO || err == -EFAULT)
		*step = gone(m, err == -EIO ? from : to);
	if (!err || err == -EIO || err == -EFAULT)
		return true;
	here->work_left = work;
	*len = asked;
	return false;
}

static enum hca_step move_data(const struct message *m, uint64_t *budget)
{
	uint8_t buf[HCA_CHUNK];

	while (m->flow->done < m->wqe->length) {
		uint64_t len = m->wqe->length - m->flow->done;
		enum hca_step step;

		if (!*budget || m->qp->hca->work_left < CHUNK_WORK)
			return HCA_STEP_MORE;
		if (len > sizeof(buf))
			len = sizeof(buf);
		if (!move_direct(m, &len, &step))
			step = is_fetch(m->wqe) ? move_in(m, buf, &len) : move_out(m, buf, &len);
		if (step != HCA_STEP_MORE)
			return step;
		m->flow->done += len;
		*budget -= len < *budget ? len : *budget;
	}
	return HCA_STEP_DONE;
}

/*
 * Atomic to other requests of the HCAs, not to the CPUs. Memory is in host order, the operands were
 * big-endian in the WQE; the result goes back in host order (atomic_req_8B_endianness_mode 1).
 */
static enum hca_step do_atomic(const struct message *m)
{
	struct hca_accessor who = responder(m);
	const struct hca_wqe *wqe = m->wqe;
	uint64_t old = 0, new, len = sizeof(old);
	enum hca_fault fault;
	enum hca_step step;

	fault = hca_mkey_read(m->peer->hca, &who, wqe->rkey, wqe->raddr, &old, &len,
			      HCA_REMOTE_ATOMIC);
	if (fault == HCA_OK) {
		new = wqe->opcode == HCA_OP_ATOMIC_FA ? old + wqe->swap_add : wqe->swap_add;
		if (wqe->opcode == HCA_OP_ATOMIC_FA || old == wqe->compare)
			fault = hca_mkey_write(m->peer->hca, &who, wqe->rkey, wqe->raddr, &new,
					       &len, HCA_REMOTE_ATOMIC);
	}
	step = remote_fault(m, fault, 0);
	m->flow->atomic = old;
	return step == HCA_STEP_MORE ? HCA_STEP_DONE : step;
}

/* Its list may have eight entries; what is there already stays when the turn ends between them. */
static enum hca_step take_atomic(const struct message *m)
{
	struct hca_sgl sgl = hca_wqe_sgl(m->qp);
	enum hca_step step = HCA_STEP_MORE;
	struct hca_bad bad;

	while (m->flow->done < sizeof(m->flow->atomic) && step == HCA_STEP_MORE) {
		uint64_t done = m->flow->done, len = sizeof(m->flow->atomic) - done;

		step = hca_local_fault(m->qp,
				       hca_sgl_scatter(&sgl, done,
						       (const uint8_t *)&m->flow->atomic + done,
						       &len, &bad),
				       &bad, true, m->syndrome);
		m->flow->done += len;
	}
	return step == HCA_STEP_MORE ? HCA_STEP_DONE : step;
}

/* --- the end ----------------------------------------------------------------------------- */

static enum hca_step finish(const struct message *m)
{
	static const uint8_t opcode[] = {
		[HCA_OP_SEND] = HCA_CQE_RESP_SEND,
		[HCA_OP_SEND_IMM] = HCA_CQE_RESP_SEND_IMM,
		[HCA_OP_SEND_INV] = HCA_CQE_RESP_SEND_INV,
		[HCA_OP_WRITE_IMM] = HCA_CQE_RESP_WRITE_IMM,
	};
	struct hca_cqe cqe = {
		.solicited = m->wqe->solicited,
		.byte_cnt = (uint32_t)m->wqe->length,
		.immediate = m->wqe->opcode == HCA_OP_SEND ? 0 : m->wqe->imm,
		.slid = hca_lid(m->qp->hca),
		.flags_rqpn = m->qp->number,
	};

	if (!takes_receive(m->wqe))
		return HCA_STEP_DONE;
	if (m->wqe->opcode == HCA_OP_SEND_INV &&
	    !hca_umr_invalidate(m->peer->hca, responder(m).pd, m->wqe->imm))
		return refuse(m, HCA_REFUSE_INVALIDATE);
	cqe.opcode = opcode[m->wqe->opcode];
	hca_recv_complete(m->peer, m->recv_flow, &cqe);
	return HCA_STEP_DONE;
}

/* What the responder does, once: it knows a request that comes again because its answer was lost.
 */
static enum hca_step execute(const struct message *m, uint64_t *budget)
{
	enum hca_step step = m->flow->started ? HCA_STEP_MORE : start(m);

	if (step != HCA_STEP_MORE)
		return step;
	step = is_atomic(m->wqe) ? do_atomic(m) : move_data(m, budget);
	if (step == HCA_STEP_DONE)
		step = finish(m);
	if (step == HCA_STEP_DONE)
		m->flow->executed = true;
	return step;
}

/* The answer to an executed request; that to a READ came with its data. */
static enum hca_step complete(const struct message *m)
{
	if (m->wqe->opcode == HCA_OP_READ)
		return HCA_STEP_DONE;
	if (!answered(m, is_atomic(m->wqe) ? m->wqe->length : 0))
		return no_answer(m);
	return is_atomic(m->wqe) ? take_atomic(m) : HCA_STEP_DONE;
}

static enum hca_step exchange(const struct message *m, uint64_t *budget)
{
	enum hca_step step = HCA_STEP_MORE;

	if (m->peer && hca_fault_pending(m->peer_flow, HCA_FAULT_RESPONDER))
		return HCA_STEP_WAIT;
	if (!m->flow->started && !m->flow->arrived)
		step = request(m);
	else if (!m->peer)
		step = no_answer(m);
	if (step != HCA_STEP_MORE)
		return step;
	step = m->flow->executed ? HCA_STEP_DONE : execute(m, budget);
	m->flow->arrived = step == HCA_STEP_TURN;
	return step == HCA_STEP_DONE ? complete(m) : step;
}

enum hca_step hca_rc_step(struct hca_qp *qp, uint64_t *budget, uint8_t *syndrome)
{
	struct message m = { .qp = qp, .flow = hca_flow(qp), .syndrome = syndrome };
	enum hca_step step = HCA_STEP_MORE;
	struct hca *other;

	m.wqe = &m.flow->wqe;
	if (hca_fault_pending(m.flow, HCA_FAULT_REQUESTER))
		return HCA_STEP_WAIT;
	if (!m.flow->started)
		step = check_local(&m);
	if (step != HCA_STEP_MORE)
		return step;
	find_peer(&m);
	other = m.peer && m.peer->hca != qp->hca ? m.peer->hca : NULL;
	if (other && other->held)
		return HCA_STEP_WAIT;
	if (other)
		other->held = true;
	step = exchange(&m, budget);
	if (other)
		other->held = false;
	return step;
}
