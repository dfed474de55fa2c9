/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the HCA tests drive: one host with 64 MiB of memory at DMA address 0, and two HCAs in one
 * fabric and one subnet, LIDs 1 and 2. Everything goes the way the driver goes: BAR0, the command
 * queue and queues in host memory. A helper that cannot do its work fails the test.
 */
#ifndef HCA_TESTS_FIXTURE_H
#define HCA_TESTS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hca/hca.h"
#include "hca/model.h"
#include "pcie/fabric.h"

#define FIXTURE_MEMORY	(64u << 20)
#define FIXTURE_HCAS	2
#define FIXTURE_VECTORS 8

struct fixture;

/* One HCA and what its driver knows of it. */
struct fixture_port {
	struct fixture *fixture;
	struct hca *hca;
	struct pcie_function *fn;
	uint64_t cmdq;				  /* DMA address of the command queue */
	unsigned int interrupts[FIXTURE_VECTORS]; /* raised since the start */
	/* Set by fixture_probe(). */
	uint32_t kernel_uar; /* page of the driver */
	uint32_t uar;	     /* page of a program */
	uint32_t pd;
	uint32_t lkey; /* PA key of all memory: address = DMA address */
};

struct fixture {
	unsigned int held;   /* pieces of memory that devices hold */
	unsigned int copies; /* between such pieces */
	uint8_t *memory;
	uint64_t brk; /* fixture_alloc() hands out from here */
	/* Accesses to [hole, hole + hole_size) are answered -ENODEV. */
	uint64_t hole, hole_size;
	struct pcie_fabric *fabric;
	struct subnet *subnet;
	struct fixture_port port[FIXTURE_HCAS];
	unsigned int wakes;
};

/*
 * Parameters of the HCAs that fixture_new() makes; a test may change its copy. Their cables are
 * what TPH_TEST_IMPAIRMENT in the environment says, or perfect.
 */
struct hca_params fixture_params(unsigned int index);
/* @params: FIXTURE_HCAS of them, or NULL for fixture_params(). @trace may be NULL. */
struct fixture *fixture_new_with(const struct hca_params *params, struct tlp_trace *trace);
struct fixture *fixture_new(void);
void fixture_free(struct fixture *fixture);
/* cmocka setup and teardown; the setup also probes both ports. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Zeroed memory, @align a power of two. Never given back. Returns its DMA address. */
uint64_t fixture_alloc(struct fixture *fixture, size_t size, size_t align);
/* Where DMA address @addr is in this process. */
void *fixture_at(struct fixture *fixture, uint64_t addr);

/* hca_poll() all HCAs until none has work. Fails after 100000 turns. */
void fixture_poll(struct fixture *fixture);

/* --- registers and commands --------------------------------------------------------------------
 */

uint32_t fixture_read32(struct fixture_port *port, uint64_t offset);
void fixture_write32(struct fixture_port *port, uint64_t offset, uint32_t value); /* be32 */
void fixture_write64(struct fixture_port *port, uint64_t offset, uint64_t value); /* be64 */

/*
 * One command in slot 0, through mailboxes as long as needed. Fails unless its delivery status is
 * 0. @out may be NULL. Returns the status.
 */
uint8_t fixture_cmd(struct fixture_port *port, const void *in, uint32_t ilen, void *out,
		    uint32_t olen);
/* Low level: writes slot @slot's entry and mailboxes; does not ring. */
void fixture_cmd_write(struct fixture_port *port, unsigned int slot, const void *in, uint32_t ilen,
		       uint32_t olen);
/* DMA address of slot @slot's entry. */
uint64_t fixture_cmd_entry(struct fixture_port *port, unsigned int slot);
/* Collects the output of slot @slot. */
void fixture_cmd_output(struct fixture_port *port, unsigned int slot, void *out, uint32_t olen);
/*
 * A command of 16 bytes: @op, @op_mod and dw2, dw3. Returns the number at +8 [23:0] of its output;
 * fails unless the status is 0.
 */
uint32_t fixture_simple(struct fixture_port *port, uint16_t op, uint16_t op_mod, uint32_t dw2,
			uint32_t dw3);
/* The same, returns the status. */
uint8_t fixture_simple_status(struct fixture_port *port, uint16_t op, uint16_t op_mod, uint32_t dw2,
			      uint32_t dw3);

/* ENABLE_HCA to INIT_HCA, UARs, a PD and the PA key. Commands stay in polling mode. */
void fixture_probe(struct fixture_port *port);

/* --- queues ------------------------------------------------------------------------------------
 */

struct fixture_eq {
	uint32_t number;
	uint64_t buf;
	uint8_t log_size;
	uint32_t ci;
};

/* @mask: event bits; 0 for a completion EQ. It is armed, as the driver does when it enables one. */
void fixture_eq_create(struct fixture_port *port, uint8_t log_size, uint64_t mask,
		       unsigned int vector, struct fixture_eq *eq);
/* The EQ doorbell @reg of the driver's page, with the index that fixture_eq_next() has come to. */
void fixture_eq_ring(struct fixture_port *port, const struct fixture_eq *eq, unsigned int reg);
/* The next EQE by the owner rule, consumed, or NULL and the EQ is armed. */
const uint8_t *fixture_eq_next(struct fixture_port *port, struct fixture_eq *eq);

struct fixture_cq {
	uint32_t number;
	uint64_t buf;
	uint64_t dbr;
	uint32_t uar;
	uint8_t log_size;
	uint32_t ci;
	uint32_t arm_sn;
};

/* 64-byte CQEs. */
void fixture_cq_create(struct fixture_port *port, uint8_t log_size, uint32_t eqn,
		       struct fixture_cq *cq);
/* The next CQE, consumed (the doorbell record too), or NULL. Does not poll the HCA. */
const uint8_t *fixture_cq_next(struct fixture_port *port, struct fixture_cq *cq);
/* The arm doorbell; without a page (uar 0) there is none. */
void fixture_cq_ring(struct fixture_port *port, const struct fixture_cq *cq);
/* Writes the arm record and rings, as the provider does: nobody sees it before the next turn. */
void fixture_cq_arm(struct fixture_port *port, struct fixture_cq *cq, bool solicited);

struct fixture_qp {
	uint32_t number;
	uint64_t buf;
	uint64_t dbr;
	uint32_t uar;
	uint32_t rq_wqes, rq_stride;
	uint32_t sq_wqebbs;
	uint64_t sq_buf;
	uint16_t sq_pi, rq_pi;
	uint32_t pd, cqn_snd, cqn_rcv;
	enum hca_qp_type type;
};

struct fixture_qp_attr {
	enum hca_qp_type type;
	uint32_t cqn_snd, cqn_rcv;
	uint32_t rq_wqes;   /* power of two or 0 */
	uint32_t rq_stride; /* 16..512 */
	uint32_t sq_wqebbs; /* power of two or 0 */
	uint32_t srqn;	    /* not 0: receives come from the SRQ */
	uint32_t uar;	    /* 0: that of the port's program */
};

void fixture_qp_create(struct fixture_port *port, const struct fixture_qp_attr *attr,
		       struct fixture_qp *qp);
/* A transition with @qpc (232 bytes) and @opt_mask. Returns the status. */
uint8_t fixture_qp_modify(struct fixture_port *port, struct fixture_qp *qp, uint16_t op,
			  uint32_t opt_mask, const uint8_t qpc[232]);
/* RST2INIT: all remote rights. INIT2RTR to @rlid, @rqpn. RTR2RTS: retry 7, timeout 8 (1 ms). */
void fixture_qp_init(struct fixture_port *port, struct fixture_qp *qp);
void fixture_qp_rtr(struct fixture_port *port, struct fixture_qp *qp, uint16_t rlid, uint32_t rqpn);
void fixture_qp_rts(struct fixture_port *port, struct fixture_qp *qp);
/* Both to RTS, each the other's peer. @a and @b may be the same. */
void fixture_qp_connect(struct fixture_port *port_a, struct fixture_qp *a,
			struct fixture_port *port_b, struct fixture_qp *b);
/* qpc.state by QUERY_QP. */
enum hca_qp_state fixture_qp_state(struct fixture_port *port, struct fixture_qp *qp);

/* The doorbell of the QP; without a page (uar 0) there is none. */
void fixture_qp_ring(struct fixture_port *port, const struct fixture_qp *qp);
/*
 * Put a WQE of @len bytes (multiple of 16, control segment first) into the send queue, wrapping at
 * its end, with index, QPN and ds filled in, update the send doorbell record, and ring.
 * Returns the WQE's index.
 */
uint16_t fixture_post_send(struct fixture_port *port, struct fixture_qp *qp, const void *wqe,
			   size_t len);
/* Put data segments into the receive queue and update the record. */
void fixture_post_recv(struct fixture_port *port, struct fixture_qp *qp, const void *segments,
		       size_t len);

/* --- memory keys -------------------------------------------------------------------------------
 */

#define FIXTURE_LOCAL_READ    (1u << 10)
#define FIXTURE_LOCAL_WRITE   (1u << 11)
#define FIXTURE_REMOTE_READ   (1u << 12)
#define FIXTURE_REMOTE_WRITE  (1u << 13)
#define FIXTURE_REMOTE_ATOMIC (1u << 14)
#define FIXTURE_ALL	      (0x1fu << 10)

struct fixture_mkey_attr {
	uint32_t access; /* FIXTURE_*, mkc dw0 bits */
	uint32_t pd;	 /* 0: the port's */
	uint64_t start, len;
	const uint64_t *pages; /* DMA addresses; @pages NULL: len contiguous at @start */
	uint32_t page_count;
	uint8_t log_page_size; /* 0: 12 */
	uint8_t key_byte;      /* mkey_7_0 */
	uint32_t tph;	       /* mkc dw15 */
};

/* An MTT key. Returns the full key. */
uint32_t fixture_mkey_create(struct fixture_port *port, const struct fixture_mkey_attr *attr);

/* Segments, as in a WQE: 16 bytes each. */
void fixture_ctrl(uint8_t seg[16], uint8_t opcode, uint8_t flags, uint32_t imm);
void fixture_raddr(uint8_t seg[16], uint64_t addr, uint32_t rkey);
void fixture_data(uint8_t seg[16], uint64_t addr, uint32_t lkey, uint32_t len);

/* An access as a whole, in nobody's turn. */
static inline enum hca_denial fixture_mkey_read(struct hca *hca, const struct hca_accessor *who,
						uint32_t key, uint64_t va, void *buf, uint64_t len,
						enum hca_access access)
{
	uint64_t moved = len;
	enum hca_denial denial = hca_mkey_read(hca, who, key, va, buf, &moved, access);

	assert_true(denial != HCA_OK || moved == len);
	return denial;
}

static inline enum hca_denial fixture_mkey_write(struct hca *hca, const struct hca_accessor *who,
						 uint32_t key, uint64_t va, const void *buf,
						 uint64_t len, enum hca_access access)
{
	uint64_t moved = len;
	enum hca_denial denial = hca_mkey_write(hca, who, key, va, buf, &moved, access);

	assert_true(denial != HCA_OK || moved == len);
	return denial;
}

/* The translation entries of @mkey that were loaded, for a test to change (up to 64 KiB). */
static inline uint8_t *fixture_xlt(struct hca_mkey *mkey)
{
	mkey->xlt.indexed = 0;
	return (uint8_t *)hca_xlt_octword(&mkey->xlt, 0);
}

#endif
