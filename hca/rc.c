/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requester's side of connections (RC, UC, XRC, DC): a WQE becomes a message of transport/'s
 * requester, one at a time, after its own memory was checked; link.c carries it to the peer.
 */
#include "hca/connection.h"

#include "hca/eth.h"
#include "hca/qp.h"
#include "hca/wire.h"

static bool is_atomic(uint8_t opcode)
{
	return opcode == HCA_OP_ATOMIC_CS || opcode == HCA_OP_ATOMIC_FA;
}

/* Data flow from the responder to the requester. */
static bool is_fetch(uint8_t opcode)
{
	return opcode == HCA_OP_READ || is_atomic(opcode);
}

/* --- before it is sent ------------------------------------------------------------------- */

static uint64_t max_message(const struct hca_qp *qp)
{
	unsigned int log = field_get(qp->qpc, QPC_LOG_MSG_MAX);

	return (uint64_t)1 << (log ? log : 30);
}

static enum hca_step error(uint8_t *syndrome, uint8_t why)
{
	*syndrome = why;
	return HCA_STEP_ERROR;
}

/*
 * All of a payload that is moved at once is looked for, which is its check, too. False: it has to
 * be checked.
 */
static bool collect(struct hca_sgl *sgl, uint64_t len, bool write, struct hca_send_turn *turn)
{
	int64_t work = sgl->hca->work_left;
	uint64_t found = len;
	struct hca_denied denied;

	if (!len || len > HCA_CHUNK || sgl->seg[0].inl)
		return false;
	sgl->who.work_kept = work / 2;
	turn->pieces->count = 0;
	turn->pieces->other = false;
	if (hca_sgl_collect(sgl, 0, &found, write ? HCA_LOCAL_WRITE : HCA_LOCAL_READ, turn->pieces,
			    &denied) == HCA_OK &&
	    !turn->pieces->other && found == len) {
		turn->collected = len;
		return true;
	}
	sgl->hca->work_left = work;
	sgl->who.work_kept = 0;
	return false;
}

static enum hca_step check_local(struct hca_qp *qp, struct hca_progress *progress,
				 struct hca_send_turn *turn, uint8_t *syndrome)
{
	const struct hca_wqe *wqe = &progress->wqe;
	struct hca_sgl sgl = hca_wqe_sgl(qp);
	bool write = is_fetch(wqe->opcode);
	struct hca_denied denied;
	enum hca_denial denial;

	turn->collected = 0;

	if (qp->type == HCA_QP_UC && (write || wqe->opcode == HCA_OP_SEND_INV))
		return error(syndrome, HCA_SYND_LOCAL_QP_OP);
	if (wqe->length > max_message(qp) || wqe->length > TRANSPORT_LENGTH_MAX ||
	    (is_atomic(wqe->opcode) && wqe->length != sizeof(uint64_t)))
		return error(syndrome, HCA_SYND_LOCAL_LENGTH);
	if (!is_atomic(wqe->opcode) && collect(&sgl, wqe->length, write, turn))
		return HCA_STEP_MORE;
	denial = hca_sgl_check(&sgl, wqe->length, write ? HCA_LOCAL_WRITE : HCA_LOCAL_READ,
			       &progress->checked_local, &denied);
	return hca_local_denial(qp, denial, &denied, write, syndrome);
}

static enum transport_operation operation(uint8_t opcode)
{
	switch (opcode) {
	case HCA_OP_SEND:
		return TRANSPORT_SEND;
	case HCA_OP_SEND_IMM:
		return TRANSPORT_SEND_IMM;
	case HCA_OP_SEND_INV:
		return TRANSPORT_SEND_INV;
	case HCA_OP_WRITE:
		return TRANSPORT_WRITE;
	case HCA_OP_WRITE_IMM:
		return TRANSPORT_WRITE_IMM;
	case HCA_OP_READ:
		return TRANSPORT_READ;
	case HCA_OP_ATOMIC_CS:
		return TRANSPORT_COMPARE_SWAP;
	default:
		return TRANSPORT_FETCH_ADD;
	}
}

/* --- what the requester asks for --------------------------------------------------------- */

/* In one process whoever gets the bytes takes them from where they are. */
static enum transport_answer fetch(void *owner, uint64_t id, uint64_t offset, size_t len,
				   uint8_t *buf, const uint8_t **at)
{
	struct hca_connection *c = owner;

	(void)id;
	*at = buf;
	if (!buf)
		return TRANSPORT_OK;
	switch (hca_fetch(c->link, NULL, offset, len, c->leaving[HCA_REQUESTS], NULL)) {
	case HCA_MOVED:
		return TRANSPORT_OK;
	case HCA_MOVE_LATER:
		return TRANSPORT_WAIT;
	default:
		return TRANSPORT_REFUSED;
	}
}

static enum transport_answer place(void *owner, uint64_t id, uint64_t offset, const uint8_t *data,
				   size_t len)
{
	struct hca_connection *c = owner;
	const struct hca_wqe *wqe = &hca_progress(c->qp)->wqe;
	struct transport_range range = { .operation = TRANSPORT_READ,
					 .r_key = wqe->rkey,
					 .va = wqe->raddr,
					 .length = wqe->length,
					 .srqn = wqe->xrc_srqn };
	enum transport_refusal why;

	(void)id;
	switch (data ? hca_place(c->link, &range, true, offset, data, len, &why)
		     : hca_move(c->link, &range, true, offset, len, &why)) {
	case HCA_MOVED:
		return TRANSPORT_OK;
	case HCA_MOVE_LOCAL:
		return TRANSPORT_REFUSED;
	case HCA_MOVE_REMOTE:
		responder_refuse(&c->link->to->responder, c->flight.packet.psn, why);
		c->flight.busy = false;
		return TRANSPORT_WAIT;
	default:
		return TRANSPORT_WAIT;
	}
}

/* Its list may have eight entries; what is there already stays when the turn ends between them. */
static enum transport_answer place_atomic(void *owner, uint64_t id, uint64_t original)
{
	struct hca_connection *c = owner;
	struct hca_progress *progress = hca_progress(c->qp);
	struct hca_sgl sgl = hca_wqe_sgl(c->qp);
	enum hca_step step = HCA_STEP_MORE;
	uint8_t syndrome;

	(void)id;
	while (progress->done < sizeof(original) && step == HCA_STEP_MORE) {
		uint64_t len = sizeof(original) - progress->done;
		struct hca_denied denied;

		step = hca_local_denial(c->qp,
					hca_sgl_scatter(&sgl, progress->done,
							(const uint8_t *)&original + progress->done,
							&len, &denied),
					&denied, true, &syndrome);
		if (step == HCA_STEP_MORE)
			progress->done += len;
	}
	if (step == HCA_STEP_MORE)
		return TRANSPORT_OK;
	c->link->step = step;
	return step == HCA_STEP_ERROR ? TRANSPORT_REFUSED : TRANSPORT_WAIT;
}

static void complete(void *owner, uint64_t id, enum transport_status status)
{
	struct hca_connection *c = owner;

	(void)id;
	c->ended = true;
	c->status = status;
}

static const struct requester_ops ops = {
	.fetch = fetch,
	.place = place,
	.place_atomic = place_atomic,
	.complete = complete,
};

/* --- a turn ------------------------------------------------------------------------------ */

static enum hca_step post(struct hca_qp *qp, struct hca_progress *progress, uint8_t *syndrome)
{
	struct hca_connection *c = hca_connection(qp);
	const struct hca_wqe *wqe = &progress->wqe;
	struct requester_message message = {
		.operation = operation(wqe->opcode),
		.id = qp->sq_ci,
		.length = wqe->length,
		.solicited = wqe->solicited,
		.va = wqe->raddr,
		.r_key = wqe->rkey,
		.immediate = wqe->imm,
		.swap_add = wqe->swap_add,
		.compare = wqe->compare,
		.srqn = wqe->xrc_srqn,
	};

	if (!c)
		return error(syndrome, HCA_SYND_LOCAL_QP_OP);
	progress->fault[HCA_FAULT_REQUESTER] = HCA_FAULT_IDLE;
	hca_connection_send(c, &ops);
	c->posted = true;
	/* What it refuses, check_local() has refused. */
	return requester_post(&c->requester, &message) ? error(syndrome, HCA_SYND_LOCAL_QP_OP)
						       : HCA_STEP_MORE;
}

static uint8_t syndrome_of(enum transport_status status)
{
	static const uint8_t syndromes[] = {
		[TRANSPORT_SUCCESS] = HCA_SYND_NONE,
		[TRANSPORT_LOCAL_PROTECTION] = HCA_SYND_LOCAL_PROT,
		[TRANSPORT_REMOTE_INVALID] = HCA_SYND_REMOTE_INVALID,
		[TRANSPORT_REMOTE_ACCESS] = HCA_SYND_REMOTE_ACCESS,
		[TRANSPORT_REMOTE_OPERATION] = HCA_SYND_REMOTE_OP,
		[TRANSPORT_RETRY_EXCEEDED] = HCA_SYND_RETRY,
		[TRANSPORT_RNR_EXCEEDED] = HCA_SYND_RNR_RETRY,
		[TRANSPORT_BAD_RESPONSE] = HCA_SYND_BAD_RESPONSE,
		[TRANSPORT_FLUSHED] = HCA_SYND_FLUSH,
	};

	return syndromes[status];
}

/* Frames of DC would be of this model's own opcode: there are none. */
static bool is_outside(const struct hca_qp *qp)
{
	return qp->hca->eth && qp->type != HCA_QP_DCI && !qp->loopback &&
	       hca_roce_is_outside(qp->hca, qp->rgid);
}

enum hca_step hca_rc_step(struct hca_qp *qp, struct hca_send_turn *turn, uint8_t *syndrome)
{
	struct hca_progress *progress = hca_progress(qp);
	enum hca_step step = HCA_STEP_MORE;

	if (hca_fault_pending(progress, HCA_FAULT_REQUESTER))
		return HCA_STEP_WAIT;
	if (!progress->connection || !progress->connection->posted) {
		step = check_local(qp, progress, turn, syndrome);
		if (step == HCA_STEP_MORE)
			step = post(qp, progress, syndrome);
		if (step != HCA_STEP_MORE)
			return step;
	}
	step = is_outside(qp) ? hca_frames_turn(qp, turn) : hca_link_turn(qp, turn);
	if (step != HCA_STEP_DONE || progress->connection->status == TRANSPORT_SUCCESS)
		return step;
	return error(syndrome, syndrome_of(progress->connection->status));
}
