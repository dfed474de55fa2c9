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
#include "hca/responder.h"
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
	const struct hca_wqe *wqe;
	struct hca_request request; /* what of the WQE is in packets */
	struct hca_responder *to;   /* of peer */
	uint8_t *syndrome;
};

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
	if (!m->peer_flow)
		m->peer = NULL;
	*m->to = (struct hca_responder){
		.qp = m->peer,
		.recv_flow = dc ? m->flow : m->peer_flow,
		.turn = m->qp->hca,
		.checked = &m->flow->checked_remote,
	};
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

/* Packets that carry @len bytes. */
static uint64_t packets(const struct message *m, uint64_t len)
{
	return transport_packets(len, hca_path_mtu(m->qp));
}

/* The request leaves, and comes to the responder. */
static enum hca_step request(const struct message *m)
{
	uint64_t len = hca_op_is_fetch(m->wqe->opcode) ? 0 : m->wqe->length,
		 count = packets(m, len);

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

/* --- checks before the first byte -------------------------------------------------------- */

/* What the responder said; a refusal is answered, but on UC. */
static enum hca_step told(const struct message *m, enum hca_step step)
{
	uint8_t syndrome;

	if (step != HCA_STEP_ERROR)
		return step;
	hca_responder_refuse(m->to, m->to->why);
	if (m->qp->type == HCA_QP_UC)
		return HCA_STEP_DONE;
	syndrome = hca_nak_syndrome(transport_nak(m->to->why));
	return answered(m, 0) ? error(m, syndrome) : no_answer(m);
}

static enum hca_step range_fault(const struct message *m, enum hca_fault fault, uint64_t offset)
{
	return told(m, hca_responder_range_fault(m->to, &m->request, fault, offset));
}

static enum hca_step receive_fault(const struct message *m, enum hca_fault fault,
				   const struct hca_bad *bad)
{
	return told(m, hca_responder_receive_fault(m->to, fault, bad));
}

static uint64_t max_message(const struct hca_qp *qp)
{
	unsigned int log = field_get(qp->qpc, 2, 28, 24);

	return (uint64_t)1 << (log ? log : 30);
}

static enum hca_step check_local(const struct message *m)
{
	struct hca_sgl sgl = hca_wqe_sgl(m->qp);
	struct hca_bad bad;
	bool write = hca_op_is_fetch(m->wqe->opcode);
	enum hca_fault fault;

	if (m->qp->type == HCA_QP_UC && (write || m->wqe->opcode == HCA_OP_SEND_INV))
		return error(m, HCA_SYND_LOCAL_QP_OP);
	if (m->wqe->length > max_message(m->qp) ||
	    (hca_op_is_atomic(m->wqe->opcode) && m->wqe->length != 8))
		return error(m, HCA_SYND_LOCAL_LENGTH);
	fault = hca_sgl_check(&sgl, m->wqe->length, write ? HCA_LOCAL_WRITE : HCA_LOCAL_READ,
			      &m->flow->checked_local, &bad);
	return hca_local_fault(m->qp, fault, &bad, write, m->syndrome);
}

static struct hca_request request_of(const struct hca_qp *qp, const struct hca_wqe *wqe)
{
	return (struct hca_request){
		.opcode = wqe->opcode,
		.solicited = wqe->solicited,
		.rkey = wqe->rkey,
		.raddr = wqe->raddr,
		.length = wqe->length,
		.swap_add = wqe->swap_add,
		.compare = wqe->compare,
		.imm = wqe->imm,
		.xrc_srqn = wqe->xrc_srqn,
		.dc_key = wqe->av.dc_key,
		.mtu = hca_path_mtu(qp),
		.slid = hca_lid(qp->hca),
		.src_qpn = qp->number,
	};
}

static enum hca_step start(const struct message *m)
{
	enum hca_step step;
	bool ready;

	step = told(m, hca_responder_start(m->to, &m->request, &ready));
	if (!ready)
		return not_ready(m);
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
	struct hca_accessor who = hca_responder_accessor(m->to, &m->request);
	struct hca_sgl sgl = hca_wqe_sgl(m->qp);
	uint64_t done = m->flow->done;
	struct hca_bad bad;
	enum hca_step step;

	sgl.who.work_kept = m->qp->hca->work_left / 2;
	step = hca_local_fault(m->qp, hca_sgl_gather(&sgl, done, buf, len, &bad), &bad, false,
			       m->syndrome);
	if (step != HCA_STEP_MORE)
		return step;
	if (!hca_op_is_send(m->wqe->opcode))
		return range_fault(m,
				   hca_mkey_write(m->peer->hca, &who, m->wqe->rkey,
						  m->wqe->raddr + done, buf, len, HCA_REMOTE_WRITE),
				   done);
	sgl = hca_responder_sgl(m->to);
	return receive_fault(m, hca_sgl_scatter(&sgl, done, buf, len, &bad), &bad);
}

static enum hca_step move_in(const struct message *m, uint8_t *buf, uint64_t *len)
{
	struct hca_accessor who = hca_responder_accessor(m->to, &m->request);
	struct hca_sgl sgl = hca_wqe_sgl(m->qp);
	uint64_t done = m->flow->done;
	struct hca_bad bad;
	enum hca_step step;

	who.work_kept = m->qp->hca->work_left / 2;
	step = range_fault(m,
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
	struct hca_accessor who = hca_responder_accessor(m->to, &m->request);
	uint64_t done = m->flow->done;
	enum hca_fault fault;
	struct hca_bad bad;
	struct hca_sgl sgl;

	end->pieces.count = 0;
	end->pieces.other = false;
	if (end->local || hca_op_is_send(m->wqe->opcode)) {
		sgl = end->local ? hca_wqe_sgl(m->qp) : hca_responder_sgl(m->to);
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
	if (hca_op_is_send(m->wqe->opcode))
		return receive_fault(m, fault, &bad);
	return range_fault(m, fault, done);
}

/* What the bus refused of @end. */
static enum hca_step gone(const struct message *m, const struct end *end)
{
	const struct hca_bad none = { 0 };

	if (end->local)
		return hca_local_fault(m->qp, HCA_FAULT_BUS, &none, end->access == HCA_LOCAL_WRITE,
				       m->syndrome);
	if (hca_op_is_send(m->wqe->opcode))
		return receive_fault(m, HCA_FAULT_BUS, &none);
	return range_fault(m, HCA_FAULT_BUS, m->flow->done);
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
	bool fetch = hca_op_is_fetch(m->wqe->opcode);
	struct end local = { .local = true, .access = fetch ? HCA_LOCAL_WRITE : HCA_LOCAL_READ };
	struct end remote = { .access = fetch				 ? HCA_REMOTE_READ
					: hca_op_is_send(m->wqe->opcode) ? HCA_LOCAL_WRITE
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
	if (!err && !hca_op_is_send(m->wqe->opcode))
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
			step = hca_op_is_fetch(m->wqe->opcode) ? move_in(m, buf, &len)
							       : move_out(m, buf, &len);
		if (step != HCA_STEP_MORE)
			return step;
		m->flow->done += len;
		*budget -= len < *budget ? len : *budget;
	}
	return HCA_STEP_DONE;
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

static enum hca_step do_atomic(const struct message *m)
{
	enum hca_step step;

	step = told(m, hca_responder_atomic(m->to, &m->request, &m->flow->atomic));
	return step == HCA_STEP_MORE ? HCA_STEP_DONE : step;
}

static enum hca_step finish(const struct message *m)
{
	enum hca_step step = told(m, hca_responder_receipt(m->to, &m->request));

	return step == HCA_STEP_MORE ? HCA_STEP_DONE : step;
}

/* What the responder does, once: it knows a request that comes again because its answer was lost.
 */
static enum hca_step execute(const struct message *m, uint64_t *budget)
{
	enum hca_step step = m->flow->started ? HCA_STEP_MORE : start(m);

	if (step != HCA_STEP_MORE)
		return step;
	step = hca_op_is_atomic(m->wqe->opcode) ? do_atomic(m) : move_data(m, budget);
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
	if (!answered(m, hca_op_is_atomic(m->wqe->opcode) ? m->wqe->length : 0))
		return no_answer(m);
	return hca_op_is_atomic(m->wqe->opcode) ? take_atomic(m) : HCA_STEP_DONE;
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
	struct hca_responder to;
	struct message m = { .qp = qp, .flow = hca_flow(qp), .syndrome = syndrome, .to = &to };
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
	m.request = request_of(qp, m.wqe);
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
