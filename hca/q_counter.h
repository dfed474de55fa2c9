/* SPDX-License-Identifier: GPL-2.0-only */
/* Q counter sets: what the QPs that are bound to one have seen. */
#ifndef HCA_Q_COUNTER_H
#define HCA_Q_COUNTER_H

#include "hca/model.h"
#include "packet/opcode.h"

/* Sets that there can be; their number has 8 bits, and 0 is none. */
#define HCA_Q_COUNTERS 255u

/* Bytes of query_q_counter_out (mlx5_ifc.h). */
#define HCA_Q_COUNTER_OUT 0x100u

/* A counter is named by its place in query_q_counter_out, in bytes; 32 bits each, they wrap. */
enum hca_q_count {
	HCA_Q_RX_WRITE = 0x10,
	HCA_Q_RX_READ = 0x18,
	HCA_Q_RX_ATOMIC = 0x20,
	HCA_Q_RX_DCT_CONNECT = 0x28,
	HCA_Q_OUT_OF_BUFFER = 0x30,
	HCA_Q_OUT_OF_SEQUENCE = 0x38,
	HCA_Q_DUPLICATE_REQUEST = 0x40,
	HCA_Q_RNR_NAK_RETRY = 0x48,
	HCA_Q_PACKET_SEQ = 0x50,
	HCA_Q_IMPLIED_NAK_SEQ = 0x58,
	HCA_Q_LOCAL_ACK_TIMEOUT = 0x60,
	HCA_Q_REQ_RNR_RETRIES = 0x70,
	HCA_Q_RESP_LOCAL_LENGTH = 0x78,
	HCA_Q_REQ_LOCAL_LENGTH = 0x7c,
	HCA_Q_RESP_LOCAL_QP = 0x80,
	HCA_Q_REQ_LOCAL_QP = 0x84, /* local_operation_error */
	HCA_Q_RESP_LOCAL_PROT = 0x88,
	HCA_Q_REQ_LOCAL_PROT = 0x8c,
	HCA_Q_RESP_CQE = 0x90,
	HCA_Q_REQ_CQE = 0x94,
	HCA_Q_REQ_MW_BIND = 0x98,
	HCA_Q_REQ_REMOTE_INVALID = 0xa0,
	HCA_Q_RESP_REMOTE_INVALID = 0xa4,
	HCA_Q_REQ_REMOTE_ACCESS = 0xa8,
	HCA_Q_RESP_REMOTE_ACCESS = 0xac,
	HCA_Q_REQ_REMOTE_OP = 0xb0,
	HCA_Q_REQ_TRANSPORT_RETRIES = 0xb4,
	HCA_Q_RESP_CQE_FLUSH = 0xbc,
	HCA_Q_REQ_CQE_FLUSH = 0xc0,
};

struct hca_q_counter {
	uint16_t uid; /* user context that made it, 0: the driver */
	bool gone;    /* has no number any more: it is there for the QPs that are still bound */
	uint32_t users;
	uint32_t value[HCA_Q_COUNTER_OUT / 4];
};

/* @n more of @what, for the set that @qp is bound to, if any. */
static inline void hca_count(struct hca_qp *qp, enum hca_q_count what, uint32_t n)
{
	if (qp->q_counter)
		qp->q_counter->value[what / 4] += n;
}

/* A packet with @opcode comes to @qp, which has not seen it before: requests count by their first.
 */
void hca_count_request(struct hca_qp *qp, uint8_t opcode);
/* A completion with @syndrome (enum hca_syndrome), not 0, of a request of @qp. */
void hca_count_request_error(struct hca_qp *qp, uint8_t syndrome);
/* The same of a receive. */
void hca_count_receive_error(struct hca_qp *qp, uint8_t syndrome);
/* @qp refuses a request, which is told @syndrome. */
void hca_count_refusal(struct hca_qp *qp, uint8_t syndrome);

/*
 * hca_q_counter_bind() - @qp counts in set @number from now on; 0: in none. HCA_CMD_BAD_RESOURCE,
 * and nothing has changed, when there is no such set, or it is neither the driver's nor that of the
 * user context that @cmd comes from.
 */
enum hca_cmd_status hca_q_counter_bind(struct hca *hca, struct hca_cmd *cmd, struct hca_qp *qp,
				       uint32_t number);
/* @qp counts in no set. */
void hca_q_counter_unbind(struct hca_qp *qp);

#endif
