/* SPDX-License-Identifier: GPL-2.0-only */
/* Queues and keys of a driver that does what it should, for targets whose subject is what uses
 * them. */
#ifndef FUZZ_QUEUES_H
#define FUZZ_QUEUES_H

#include "fuzz/world.h"

struct queue_qp {
	struct world_port *port;
	enum hca_qp_type type;
	uint32_t number, pd, cqn, srqn, remote;
	uint16_t rlid;
	const uint8_t *gid; /* its address, if its port is an Ethernet one; else NULL */
	const uint8_t *rgid;
	bool fre; /* qpc.fre: fast registration */
	uint64_t buf, sq_buf, dbr;
	uint32_t rq_wqes, sq_wqebbs;
	uint16_t sq_pi, rq_pi;
};

#define QUEUE_STRIDE 64u /* of receive WQEs */

/* 64 entries of 64 bytes each. */
uint32_t queue_eq(struct world_port *port, uint64_t mask, unsigned int vector);
/* CQs ignore overruns: nobody consumes. @cqc: 64 bytes more to set, or NULL. */
uint32_t queue_cq(struct world_port *port, uint32_t eqn);
/* 16 receives; *@buf and *@dbr are where they are. */
uint32_t queue_srq(struct world_port *port, uint32_t pd, uint32_t cqn, uint64_t *buf,
		   uint64_t *dbr);
/* Type, pd, cqn, srqn, fre and port of @qp are filled in: makes a QP of 8 receives, 32 blocks to
 * send. */
void queue_qp(struct queue_qp *qp);
/* RST to RTS, towards @peer (itself is fine). False when a command fails; or the world ends. */
bool queue_try_connect(struct queue_qp *qp, const struct queue_qp *peer);
void queue_connect(struct queue_qp *qp, const struct queue_qp *peer);
/* From whatever state, and with empty queues. */
void queue_revive(struct queue_qp *qp);
/* The state that the model has it in. */
enum hca_qp_state queue_state(const struct queue_qp *qp);

/* A WQE of @len bytes (multiple of 16, at most 1024), control segment first: index, QPN and ds are
 * put in, the record is updated, and the doorbell rung. */
void queue_send(struct queue_qp *qp, uint8_t *wqe, size_t len);
void queue_recv(struct queue_qp *qp, const void *segments, size_t len);
/* The QP's doorbell, in the page of its port's program. */
void queue_ring(const struct queue_qp *qp);

/* Segments of 16 bytes. */
void segment_ctrl(uint8_t *seg, uint8_t opcode, uint8_t flags, uint32_t imm);
void segment_raddr(uint8_t *seg, uint64_t addr, uint32_t rkey);
void segment_data(uint8_t *seg, uint64_t addr, uint32_t lkey, uint32_t len);
void segment_av(uint8_t *seg, uint32_t q_key, uint32_t qpn, uint16_t dlid);

#define KEY_LOCAL_READ	  (1u << 10)
#define KEY_LOCAL_WRITE	  (1u << 11)
#define KEY_REMOTE_READ	  (1u << 12)
#define KEY_REMOTE_WRITE  (1u << 13)
#define KEY_REMOTE_ATOMIC (1u << 14)
#define KEY_ALL		  (0x1fu << 10)
#define KEY_UMR		  (1u << 15)
#define KEY_FREE	  (1u << 30)
#define KEY_MODE(m)	  ((uint32_t)((m)&3) << 8 | (uint32_t)((m) >> 2 & 7) << 26)
#define KEY_BYTE	  0x5au

struct queue_key {
	uint32_t bits; /* of mkc dw0: rights, KEY_UMR, KEY_FREE, KEY_MODE() */
	uint32_t pd;
	uint64_t start, len;
	bool length64;
	uint8_t log_page;
	uint32_t hint;	   /* mkc dw15: pcie_tph_en, PH, index of the ST table */
	uint32_t declared; /* mkc.translations_octword_size; 0: as many as come */
	const uint8_t *xlt;
	uint32_t octwords;
};

/* CREATE_MKEY; 0 when it is refused. */
uint32_t queue_key(struct world_port *port, const struct queue_key *key);
/* An MTT key of 4 KiB pages that lie at [@start, @start + @len), address for address. */
uint32_t queue_plain_key(struct world_port *port, uint32_t pd, uint32_t bits, uint64_t start,
			 uint64_t len);

#endif
