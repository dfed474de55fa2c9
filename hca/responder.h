/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The responder of a connected QP: what it checks and does for a request. It knows of the requester
 * what a packet says, and nothing else; rc.c carries the request and the answer.
 */
#ifndef HCA_RESPONDER_H
#define HCA_RESPONDER_H

#include "hca/refusal.h"

/* What the packets of a request say. */
struct hca_request {
	uint8_t opcode; /* HCA_OP_*, as the WQE has it */
	bool solicited;
	uint32_t rkey; /* RETH or AtomicETH, as the next */
	uint64_t raddr, length;
	uint64_t swap_add, compare;
	uint32_t imm;	   /* or the key to invalidate */
	uint32_t xrc_srqn; /* XRCETH */
	uint64_t dc_key;
	uint32_t mtu; /* bytes of all packets but the last */
	uint16_t slid;
	uint32_t src_qpn;
};

struct hca_responder {
	struct hca_qp *qp;
	struct hca_flow *recv_flow; /* has the receive: its own, or for a DCT the initiator's */
	struct hca *turn;	    /* who pays for the work */
	uint64_t *checked;	    /* bytes of the range or of the receive that passed */
	enum transport_refusal why; /* with HCA_STEP_ERROR */
};

static inline bool hca_op_is_send(uint8_t opcode)
{
	return opcode == HCA_OP_SEND || opcode == HCA_OP_SEND_IMM || opcode == HCA_OP_SEND_INV;
}

static inline bool hca_op_is_atomic(uint8_t opcode)
{
	return opcode == HCA_OP_ATOMIC_CS || opcode == HCA_OP_ATOMIC_FA;
}

/* Data flow from the responder to the requester. */
static inline bool hca_op_is_fetch(uint8_t opcode)
{
	return opcode == HCA_OP_READ || hca_op_is_atomic(opcode);
}

static inline bool hca_op_takes_receive(uint8_t opcode)
{
	return hca_op_is_send(opcode) || opcode == HCA_OP_WRITE_IMM;
}

/* Bytes of a full packet on @qp's path. */
uint32_t hca_path_mtu(const struct hca_qp *qp);

/*
 * Those that return enum hca_step: HCA_STEP_MORE to go on; HCA_STEP_ERROR: refused, see why;
 * HCA_STEP_WAIT for a page, HCA_STEP_TURN; HCA_STEP_DONE: dropped, nobody is told (UC).
 */
/* All checks before the first byte; @ready: false when no receive is posted. */
enum hca_step hca_responder_start(struct hca_responder *r, const struct hca_request *request,
				  bool *ready);
/* *@original: what was there, in the host's order. */
enum hca_step hca_responder_atomic(struct hca_responder *r, const struct hca_request *request,
				   uint64_t *original);
/* The payload is there: the receive that it took is done. */
enum hca_step hca_responder_receipt(struct hca_responder *r, const struct hca_request *request);
/* What @fault at byte @offset of the remote range means, or one of the receive's buffers. */
enum hca_step hca_responder_range_fault(struct hca_responder *r, const struct hca_request *request,
					enum hca_fault fault, uint64_t offset);
enum hca_step hca_responder_receive_fault(struct hca_responder *r, enum hca_fault fault,
					  const struct hca_bad *bad);

/* Whose keys the remote range is checked against; the buffers of the taken receive. */
struct hca_accessor hca_responder_accessor(const struct hca_responder *r,
					   const struct hca_request *request);
struct hca_sgl hca_responder_sgl(const struct hca_responder *r);

/* A refused request: what that is to the responder's QP, its receive, and its counters. */
void hca_responder_refuse(const struct hca_responder *r, enum transport_refusal why);

#endif
