/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Q counter sets: ALLOC_Q_COUNTER, QUERY_Q_COUNTER, DEALLOC_Q_COUNTER. The driver has one for all
 * QPs of the port, and more for those that are bound to counters of their own. A set may go before
 * the QPs that are bound to it: the driver only binds QPs anew that are in RTS.
 */
#include "hca/q_counter.h"

#include "hca/budget.h"
#include "hca/kinds.h"
#include "hca/opcodes.h"
#include "hca/data.h"
#include "hca/layout.h"

/* --- counting ---------------------------------------------------------------------------- */

void hca_count_request(struct hca_qp *qp, uint8_t opcode)
{
	switch (opcode & ~PACKET_CLASS_MASK) {
	case PACKET_WRITE_FIRST:
	case PACKET_WRITE_ONLY:
	case PACKET_WRITE_ONLY_IMM:
		hca_count(qp, HCA_Q_RX_WRITE, 1);
		break;
	case PACKET_READ:
		hca_count(qp, HCA_Q_RX_READ, 1);
		break;
	case PACKET_COMPARE_SWAP:
	case PACKET_FETCH_ADD:
		hca_count(qp, HCA_Q_RX_ATOMIC, 1);
		break;
	case PACKET_SEND_FIRST:
	case PACKET_SEND_ONLY:
	case PACKET_SEND_ONLY_IMM:
	case PACKET_SEND_ONLY_INV:
		break;
	default:
		return;
	}
	/* An initiator is connected while a message lasts. */
	hca_count(qp, HCA_Q_RX_DCT_CONNECT, qp->type == HCA_QP_DCT);
}

static const struct {
	uint8_t syndrome;
	uint8_t request, receive, refusal; /* enum hca_q_count, 0: none */
} errors[] = {
	{ HCA_SYND_LOCAL_LENGTH, HCA_Q_REQ_LOCAL_LENGTH, HCA_Q_RESP_LOCAL_LENGTH, 0 },
	{ HCA_SYND_LOCAL_QP_OP, HCA_Q_REQ_LOCAL_QP, HCA_Q_RESP_LOCAL_QP, 0 },
	{ HCA_SYND_LOCAL_PROT, HCA_Q_REQ_LOCAL_PROT, HCA_Q_RESP_LOCAL_PROT, 0 },
	{ HCA_SYND_FLUSH, HCA_Q_REQ_CQE_FLUSH, HCA_Q_RESP_CQE_FLUSH, 0 },
	{ HCA_SYND_MW_BIND, HCA_Q_REQ_MW_BIND, 0, 0 },
	{ HCA_SYND_REMOTE_INVALID, HCA_Q_REQ_REMOTE_INVALID, 0, HCA_Q_RESP_REMOTE_INVALID },
	{ HCA_SYND_REMOTE_ACCESS, HCA_Q_REQ_REMOTE_ACCESS, 0, HCA_Q_RESP_REMOTE_ACCESS },
	{ HCA_SYND_REMOTE_OP, HCA_Q_REQ_REMOTE_OP, 0, HCA_Q_RESP_LOCAL_QP },
	{ HCA_SYND_RETRY, HCA_Q_REQ_TRANSPORT_RETRIES, 0, 0 },
	{ HCA_SYND_RNR_RETRY, HCA_Q_REQ_RNR_RETRIES, 0, 0 },
	{ HCA_SYND_NONE, 0, 0, 0 }, /* any other */
};

static size_t find_error(uint8_t syndrome)
{
	size_t i;

	for (i = 0; i + 1 < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i].syndrome == syndrome)
			break;
	}
	return i;
}

static void count_error(struct hca_qp *qp, uint8_t what)
{
	if (what)
		hca_count(qp, (enum hca_q_count)what, 1);
}

void hca_count_request_error(struct hca_qp *qp, uint8_t syndrome)
{
	hca_count(qp, HCA_Q_REQ_CQE, 1);
	count_error(qp, errors[find_error(syndrome)].request);
}

void hca_count_receive_error(struct hca_qp *qp, uint8_t syndrome)
{
	hca_count(qp, HCA_Q_RESP_CQE, 1);
	count_error(qp, errors[find_error(syndrome)].receive);
}

void hca_count_refusal(struct hca_qp *qp, uint8_t syndrome)
{
	count_error(qp, errors[find_error(syndrome)].refusal);
}

/* --- binding ----------------------------------------------------------------------------- */

enum hca_cmd_status hca_q_counter_bind(struct hca *hca, struct hca_cmd *cmd, struct hca_qp *qp,
				       uint32_t number)
{
	struct hca_q_counter *set = hca_table_get(&hca->q_counters, number);

	if (number && (!set || (set->uid && !hca_cmd_owns(cmd, set->uid))))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x130001);
	if (set)
		set->users++;
	hca_q_counter_unbind(qp);
	qp->q_counter = set;
	return HCA_CMD_OK;
}

void hca_q_counter_unbind(struct hca_qp *qp)
{
	struct hca_q_counter *set = qp->q_counter;

	qp->q_counter = NULL;
	if (set && !--set->users && set->gone)
		hca_release(qp->hca, set);
}

/* --- commands ---------------------------------------------------------------------------- */

const struct hca_kind hca_kind_q_counter = {
	.limit = HCA_Q_COUNTERS + 1,
	.free = hca_release,
};

enum hca_cmd_status hca_cmd_alloc_q_counter(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_q_counter *set = hca_alloc(hca, sizeof(*set));
	enum hca_cmd_status status;
	uint32_t number;

	if (!set)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x130002);
	set->uid = hca_cmd_uid(cmd);
	status = hca_cmd_add(hca, cmd, &hca->q_counters, 1, set, &number);
	if (status) {
		hca_release(hca, set);
		return status;
	}
	hca_plain_hold(&hca->uctxs, set->uid, 1);
	field_put(cmd->out, Q_COUNTER_SET_ID, number);
	return HCA_CMD_OK;
}

static struct hca_q_counter *find(struct hca *hca, const struct hca_cmd *cmd, uint32_t number)
{
	struct hca_q_counter *set = hca_table_get(&hca->q_counters, number);

	return set && hca_cmd_owns(cmd, set->uid) ? set : NULL;
}

enum hca_cmd_status hca_cmd_dealloc_q_counter(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_q_counter *set = find(hca, cmd, field_get(cmd->in, Q_COUNTER_SET_ID));

	if (!set)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x130003);
	hca_table_remove(hca, &hca->q_counters, field_get(cmd->in, Q_COUNTER_SET_ID));
	hca_plain_hold(&hca->uctxs, set->uid, -1);
	set->gone = true;
	if (!set->users)
		hca_release(hca, set);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_query_q_counter(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_q_counter *set = find(hca, cmd, field_get(cmd->in, Q_COUNTER_QUERIED_SET_ID));
	size_t at;

	/* There is one vport. */
	if (field_get(cmd->in, Q_COUNTER_OTHER_VPORT) || field_get(cmd->in, Q_COUNTER_AGGREGATE))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x130004);
	if (!set)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x130005);
	for (at = HCA_Q_RX_WRITE; at < HCA_Q_COUNTER_OUT; at += 4)
		be32_put(cmd->out, at, set->value[at / 4]);
	if (field_get(cmd->in, Q_COUNTER_CLEAR))
		memset(set->value, 0, sizeof(set->value));
	return HCA_CMD_OK;
}
