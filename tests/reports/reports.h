/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs of the suite reports share: two HCA functions in one process, each with a QP, a
 * CQ and memory. Calls that no report is about end the program when they fail.
 */
#ifndef REPORTS_H
#define REPORTS_H

#include "ktap.h"
#include "mr.h"

#define REPORT_BYTES 65536u

struct report_side {
	struct mr_hca hca;
	struct ibv_comp_channel *channel;
	struct ibv_cq *cq; /* of both queues */
	struct ibv_qp *qp;
	uint8_t *memory; /* REPORT_BYTES, in pages of their own, under mr with all rights */
	struct ibv_mr *mr;
};

/* a posts, and b is what it posts to. */
struct report {
	struct report_side a, b;
};

/* a is on mlx5_0, b on mlx5_1. a's memory has the bytes 0, 1, 2, ... modulo 251, b's is zeroed. */
void report_open(struct report *r);
void report_close(struct report *r);

/* What report_qps() makes: 16 requests of one piece of memory each in both queues. */
struct ibv_qp_init_attr report_init(enum ibv_qp_type type);
/* A CQ of @cqe entries and a QP for each side; a CQ or an SRQ in @init is taken for a's. */
void report_qps(struct report *r, struct ibv_qp_init_attr init, int cqe);
void report_destroy_qps(struct report *r);

/* What report_connect() takes: MTU 4096, PSN 0, and requests are tried again for a while. */
struct ibv_qp_attr report_attr(void);
/*
 * Both QPs to RTS, from whatever state. Of @attr counts what a connection of the QPs' type has;
 * its destination is that of each. Completions of before are gone.
 */
void report_connect(struct report *r, const struct ibv_qp_attr *attr);
/* One QP as far as @state (INIT, RTR, RTS), for @peer's. Returns the errno. */
int report_modify(struct report_side *side, const struct report_side *peer,
		  const struct ibv_qp_attr *attr, enum ibv_qp_state state);
int report_state(struct report_side *side, enum ibv_qp_state state);

/* @length bytes of @side's memory. */
struct ibv_sge report_piece(const struct report_side *side, uint32_t offset, uint32_t length);
/* A signalled request to @offset of b's memory. */
struct ibv_send_wr report_wr(const struct report *r, enum ibv_wr_opcode opcode, uint32_t offset);
/* From a's QP; @piece may be NULL: no memory. Return the errno. */
int report_post(struct report *r, struct ibv_send_wr wr, const struct ibv_sge *piece);
int report_receive(struct report_side *side, uint64_t id, const struct ibv_sge *piece);
/* The next completion: the check fails unless it has @status and @id. Without one the program ends.
 */
bool report_completes(struct report_side *side, enum ibv_wc_status status, uint64_t id,
		      struct ibv_wc *wc);
/* Nothing is in @side's CQ. */
bool report_quiet(struct report_side *side);

#endif
