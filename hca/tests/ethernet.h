/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two functions with Ethernet ports on one switch, as mlx5e sets them up: a send queue, receive
 * queues, TIRs, and flow tables that the tests fill. Addresses are 02:00:00:00:00:01 and :02.
 */
#ifndef HCA_TESTS_ETHERNET_H
#define HCA_TESTS_ETHERNET_H

#include "hca/eth.h"
#include "hca/tests/fixture.h"
#include "hca/tests/flow.h"

#define NIC_RX 0u
#define NIC_TX 1u

#define TO_TABLE 1u
#define TO_TIR	 2u

struct ethernet {
	struct fixture *f;
	struct bridge *bridge;
	/* Of each function: */
	struct ethernet_side {
		struct fixture_port *port;
		uint32_t td, tis;
		struct fixture_cq scq, rcq;
		struct fixture_qp sq, rq; /* ready; the receive queue has no receives */
		uint32_t tir;		  /* direct, to rq */
	} side[2];
};

/* cmocka setup and teardown. */
int ethernet_setup(void **state);
int ethernet_teardown(void **state);
/* The same with captures of both ports, which stay the caller's. */
int ethernet_setup_with(void **state, struct capture *const capture[2]);

/* Commands with a context at 0x20, of @len bytes. Return the status; *@number may be NULL. */
uint8_t ethernet_command(struct fixture_port *port, uint16_t op, uint32_t dw2, uint64_t bitmask,
			 const void *context, size_t len, uint32_t *number);
/* sqc or rqc with its wq, on @cq, with 16 blocks or @stride bytes; for tests to change. */
void ethernet_queue_context(struct ethernet *e, unsigned int side, bool sq, uint32_t cqn,
			    struct fixture_qp *qp, uint8_t context[0xf0]);
/* CREATE_SQ, CREATE_RQ with @context and its buffer. */
uint8_t ethernet_queue_create(struct fixture_port *port, bool sq, const uint8_t context[0xf0],
			      struct fixture_qp *qp);
/* MODIFY_SQ, MODIFY_RQ. */
uint8_t ethernet_queue_state(struct fixture_port *port, bool sq, uint32_t number, uint32_t from,
			     uint32_t to);
/* A table of NIC_RX or NIC_TX with @log_size, a group over all of it with @mask, or NULL. */
uint32_t ethernet_table(struct fixture_port *port, uint8_t type, uint8_t level, uint8_t log_size);
uint8_t ethernet_group(struct fixture_port *port, uint8_t type, uint32_t table, uint32_t start,
		       uint32_t end, const uint8_t *mask, uint32_t *number);
/* An entry of it; @to: destination type and number, 0: the action alone. */
uint8_t ethernet_entry(struct fixture_port *port, uint8_t type, uint32_t table, uint32_t group,
		       uint32_t index, const uint8_t *value, uint32_t action, uint8_t to,
		       uint32_t number, uint32_t tag);
void ethernet_root(struct fixture_port *port, uint8_t type, uint32_t table);
/* Everything that comes to @side goes to @tir. */
void ethernet_receive_all(struct ethernet *e, unsigned int side, uint32_t tir);

/* A receive of @len bytes, whose DMA address is returned. */
uint64_t ethernet_post(struct ethernet *e, unsigned int side, struct fixture_qp *rq, uint32_t len);
/* A WQE with @len bytes of @frame, the first @inlined of them in the WQE; @mss: 0 SEND, else LSO.
 */
void ethernet_send(struct ethernet *e, unsigned int side, const void *frame, size_t len,
		   size_t inlined, uint8_t cs_flags, uint16_t mss);
/* The next CQE of the side's receive queue, or NULL. */
const uint8_t *ethernet_received(struct ethernet *e, unsigned int side);

/* A frame to @to from @from (last bytes of addresses), of experimental type, with @len bytes. */
void ethernet_frame(uint8_t *frame, size_t len, uint8_t to, uint8_t from);

#endif
