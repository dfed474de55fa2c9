/* SPDX-License-Identifier: GPL-2.0-only */
/* Helpers of the data path tests: two connected ends, WQEs as the provider writes them. */
#ifndef HCA_TESTS_TRAFFIC_H
#define HCA_TESTS_TRAFFIC_H

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hca/connection.h"
#include "hca/mkc.h"
#include "hca/tests/fixture.h"
#include "pcie/reader.h"

#define SIGNALLED 0x08u
#define SOLICIT	  0x02u

#define ASYNC_MASK                                                                            \
	(1u << HCA_EVENT_COMM_EST | 1u << HCA_EVENT_CQ_ERROR | 1u << HCA_EVENT_WQ_CATAS |     \
	 1u << HCA_EVENT_WQ_INVALID | 1u << HCA_EVENT_WQ_ACCESS | 1u << HCA_EVENT_SRQ_CATAS | \
	 1u << HCA_EVENT_SRQ_LAST_WQE | 1u << HCA_EVENT_SRQ_LIMIT)

/* One end of a connection, with its own queues. */
struct end {
	struct fixture_port *port;
	struct fixture_eq async, comp;
	struct fixture_cq scq, rcq;
	struct fixture_qp qp;
	uint64_t buf;  /* 1 MiB, DMA address and VA */
	uint32_t lkey; /* all of buf, all rights */
};

#define END_BUF (1u << 20)

static inline void end_create(struct end *end, struct fixture_port *port, enum hca_qp_type type,
			      uint32_t srqn)
{
	struct fixture_qp_attr attr = {
		.type = type,
		.rq_wqes = srqn ? 0 : 16,
		.rq_stride = 64,
		.sq_wqebbs = 64,
		.srqn = srqn,
	};
	struct fixture_mkey_attr mkey = { .access = FIXTURE_ALL, .len = END_BUF, .key_byte = 0x5a };

	memset(end, 0, sizeof(*end));
	end->port = port;
	fixture_eq_create(port, 6, ASYNC_MASK, 0, &end->async);
	fixture_eq_create(port, 6, 0, 1, &end->comp);
	fixture_cq_create(port, 7, end->comp.number, &end->scq);
	fixture_cq_create(port, 7, end->comp.number, &end->rcq);
	attr.cqn_snd = end->scq.number;
	attr.cqn_rcv = end->rcq.number;
	fixture_qp_create(port, &attr, &end->qp);
	end->buf = fixture_alloc(port->fixture, END_BUF, 4096);
	mkey.start = end->buf;
	end->lkey = fixture_mkey_create(port, &mkey);
}

/* What the driver's async handler would see next: type byte, or -1. @number: QP or SRQ. */
static inline int next_event(struct end *end, uint32_t *number)
{
	const uint8_t *eqe = fixture_eq_next(end->port, &end->async);

	if (!eqe)
		return -1;
	if (number)
		*number = be32_at(eqe, 0x38) & 0xffffff;
	return eqe[1];
}

static inline uint8_t *at(struct end *end, uint64_t offset)
{
	return fixture_at(end->port->fixture, end->buf + offset);
}

static inline void fill(struct end *end, uint64_t offset, size_t len, uint8_t seed)
{
	uint8_t *p = at(end, offset);
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = (uint8_t)(seed + i * 7 + (i >> 8));
}

/* An end whose QP needs no other one: UD, GSI, SMI. In RTS, with something to send in its buffer.
 */
static inline void end_create_rts(struct end *end, struct fixture_port *port, enum hca_qp_type type)
{
	end_create(end, port, type, 0);
	fixture_qp_init(port, &end->qp);
	fixture_qp_rtr(port, &end->qp, 0, 0);
	fixture_qp_rts(port, &end->qp);
	fill(end, 0, 8192, 7);
}

/* An RDMA WQE: ctrl, raddr, one data segment. */
static inline uint16_t post_rdma(struct end *end, uint8_t opcode, uint8_t flags, uint32_t imm,
				 uint64_t raddr, uint32_t rkey, uint64_t laddr, uint32_t lkey,
				 uint32_t len)
{
	uint8_t wqe[48];

	fixture_ctrl(wqe, opcode, flags, imm);
	fixture_raddr(wqe + 16, raddr, rkey);
	fixture_data(wqe + 32, laddr, lkey, len);
	return fixture_post_send(end->port, &end->qp, wqe, sizeof(wqe));
}

static inline uint16_t post_send(struct end *end, uint8_t opcode, uint8_t flags, uint32_t imm,
				 uint64_t laddr, uint32_t lkey, uint32_t len)
{
	uint8_t wqe[32];

	fixture_ctrl(wqe, opcode, flags, imm);
	fixture_data(wqe + 16, laddr, lkey, len);
	return fixture_post_send(end->port, &end->qp, wqe, sizeof(wqe));
}

static inline uint16_t post_atomic(struct end *end, uint8_t opcode, uint64_t raddr, uint32_t rkey,
				   uint64_t swap_add, uint64_t compare, uint64_t laddr,
				   uint32_t lkey)
{
	uint8_t wqe[64];

	fixture_ctrl(wqe, opcode, SIGNALLED, 0);
	fixture_raddr(wqe + 16, raddr, rkey);
	be64_put(wqe, 32, swap_add);
	be64_put(wqe, 40, compare);
	fixture_data(wqe + 48, laddr, lkey, 8);
	return fixture_post_send(end->port, &end->qp, wqe, sizeof(wqe));
}

static inline void post_recv(struct end *end, uint64_t addr, uint32_t lkey, uint32_t len)
{
	uint8_t seg[16];

	fixture_data(seg, addr, lkey, len);
	fixture_post_recv(end->port, &end->qp, seg, sizeof(seg));
}

static inline uint8_t cqe_opcode(const uint8_t *cqe)
{
	return cqe[0x3f] >> 4;
}

/* The next CQE is a requester success of WQE @index. */
static inline const uint8_t *expect_done(struct end *end, uint16_t index)
{
	const uint8_t *cqe = fixture_cq_next(end->port, &end->scq);

	assert_non_null(cqe);
	assert_int_equal(cqe_opcode(cqe), HCA_CQE_REQ);
	assert_int_equal(be16_at(cqe, 0x3c), index);
	assert_int_equal(be32_at(cqe, 0x38) & 0xffffff, end->qp.number);
	return cqe;
}

static inline void expect_error(struct end *end, uint16_t index, uint8_t syndrome)
{
	const uint8_t *cqe = fixture_cq_next(end->port, &end->scq);

	assert_non_null(cqe);
	assert_int_equal(cqe_opcode(cqe), HCA_CQE_REQ_ERR);
	assert_int_equal(cqe[0x37], syndrome);
	assert_int_equal(be16_at(cqe, 0x3c), index);
}

static inline const uint8_t *expect_recv(struct end *end, uint8_t opcode, uint16_t counter)
{
	const uint8_t *cqe = fixture_cq_next(end->port, &end->rcq);

	assert_non_null(cqe);
	assert_int_equal(cqe_opcode(cqe), opcode);
	assert_int_equal(be16_at(cqe, 0x3c), counter);
	assert_int_equal(be32_at(cqe, 0x38) & 0xffffff, end->qp.number);
	return cqe;
}

static inline void expect_recv_error(struct end *end, uint16_t counter, uint8_t syndrome)
{
	const uint8_t *cqe = expect_recv(end, HCA_CQE_RESP_ERR, counter);

	assert_int_equal(cqe[0x37], syndrome);
}

static inline void expect_idle(struct end *end)
{
	assert_null(fixture_cq_next(end->port, &end->scq));
	assert_null(fixture_cq_next(end->port, &end->rcq));
}

/* Poll for @ms: timers run out in between. */
static inline void poll_ms(struct fixture *f, unsigned int ms)
{
	uint64_t end = clock_now_ns() + ms * (uint64_t)1000000;

	do {
		fixture_poll(f);
		usleep(100);
	} while (clock_now_ns() < end);
}

/* The timers of @qp's requester expire. */
static inline void expire(struct hca_qp *qp)
{
	struct requester *requester = &hca_connection(qp)->requester;

	qp->retry_at_ns = 0;
	if (requester->deadline)
		requester->deadline = 1;
	if (requester->rnr_until)
		requester->rnr_until = 1;
}

/* Poll until @cq has an entry, at most @ms. */
static inline void poll_until(struct end *end, struct fixture_cq *cq, unsigned int ms)
{
	uint64_t limit = clock_now_ns() + ms * (uint64_t)1000000;
	struct fixture_cq look;
	uint8_t saved[4];
	uint8_t *dbr = fixture_at(end->port->fixture, cq->dbr);
	const uint8_t *cqe;

	do {
		fixture_poll(end->port->fixture);
		look = *cq;
		memcpy(saved, dbr, sizeof(saved));
		cqe = fixture_cq_next(end->port, &look);
		memcpy(dbr, saved, sizeof(saved));
	} while (!cqe && clock_now_ns() < limit);
}

#endif
