/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * State transitions of queue pairs. A transition carries a partial context: only the fields that
 * belong to it are taken over, some of them only when their bit of opt_param_mask is set. The
 * service type is that of CREATE_QP: the driver repeats it, programs leave it out.
 */
#include "hca/layout.h"
#include "hca/opcodes.h"
#include "hca/q_counter.h"
#include "hca/qos.h"
#include "hca/qp.h"

/* opt_param_mask_95_32 */
#define EXT_OPT_STREAM	  (1u << 0) /* dci_stream_channel_id */
#define EXT_OPT_QOS	  (1u << 1) /* qos_queue_group_id_requester, _responder */
#define EXT_OPT_UDP_SPORT (1u << 2)

/* opt_param_mask (enum mlx5_qp_optpar). */
#define OPT_RRE	 (1u << 1)
#define OPT_RAE	 (1u << 2)
#define OPT_RWE	 (1u << 3)
#define OPT_PKEY (1u << 4)
#define OPT_QKEY (1u << 5)
#define OPT_RNR	 (1u << 6)
#define OPT_LAG	 (1u << 15)
#define OPT_PORT (1u << 16)
#define OPT_QCNT (1u << 25)

/* Transitions, as a set. */
#define T_INIT	 (1u << 0) /* RST2INIT */
#define T_REINIT (1u << 1) /* INIT2INIT */
#define T_RTR	 (1u << 2) /* INIT2RTR */
#define T_RTS	 (1u << 3) /* RTR2RTS */
#define T_RERTS	 (1u << 4) /* RTS2RTS, SQERR2RTS, SQD_RTS */
#define T_ANY	 (T_INIT | T_REINIT | T_RTR | T_RTS | T_RERTS)

#define FROM(state) (1u << (state))
#define FROM_ANY    0xffu

static const struct transition {
	uint16_t opcode;
	uint8_t from;
	enum hca_qp_state to;
	uint8_t set; /* T_*, 0: carries no context */
} transitions[] = {
	{ HCA_CMD_RST2INIT_QP, FROM(HCA_QP_RST), HCA_QP_INIT, T_INIT },
	{ HCA_CMD_INIT2RTR_QP, FROM(HCA_QP_INIT), HCA_QP_RTR, T_RTR },
	{ HCA_CMD_RTR2RTS_QP, FROM(HCA_QP_RTR), HCA_QP_RTS, T_RTS },
	{ HCA_CMD_RTS2RTS_QP, FROM(HCA_QP_RTS), HCA_QP_RTS, T_RERTS },
	{ HCA_CMD_SQERR2RTS_QP, FROM(HCA_QP_SQER), HCA_QP_RTS, T_RERTS },
	{ HCA_CMD_TO_ERR_QP, FROM_ANY, HCA_QP_ERR, 0 },
	{ HCA_CMD_TO_RST_QP, FROM_ANY, HCA_QP_RST, 0 },
	{ HCA_CMD_SQD_RTS_QP, FROM(HCA_QP_SQD), HCA_QP_RTS, T_RERTS },
	{ HCA_CMD_INIT2INIT_QP, FROM(HCA_QP_INIT), HCA_QP_INIT, T_REINIT },
};

/* Taken over in transitions @always, and in @masked when @opt is in the mask. */
static const struct field {
	uint8_t dw, hi, lo;
	uint8_t always, masked;
	uint32_t opt;
} fields[] = {
	{ QPC_LAG, T_INIT, T_RERTS, OPT_LAG },
	{ QPC_MTU, T_RTR, 0, 0 },
	{ QPC_LOG_MSG_MAX, T_RTR, 0, 0 },
	{ QPC_RLKY, T_INIT, 0, 0 },
	{ QPC_COUNTER_SET_ID, T_INIT, T_RERTS, OPT_QCNT },
	{ QPC_REMOTE_QPN, T_RTR, 0, 0 },
	{ QPC_PKEY_INDEX, T_INIT, T_ANY, OPT_PKEY },
	{ QPC_ADS_FLAGS, T_RTR, 0, 0 },
	{ QPC_ADS_GRH_MLID_RLID, T_RTR, 0, 0 },
	{ QPC_ACK_TIMEOUT, T_RTS, 0, 0 },
	{ QPC_ADS_SOURCE_RATE_HOPS, T_RTR, 0, 0 },
	{ QPC_ADS_TCLASS_FLOW_LABEL, T_RTR, 0, 0 },
	{ QPC_RGID_0, T_RTR, 0, 0 },
	{ QPC_RGID_1, T_RTR, 0, 0 },
	{ QPC_RGID_2, T_RTR, 0, 0 },
	{ QPC_RGID_3, T_RTR, 0, 0 },
	{ QPC_ADS_DSCP_UDP_SPORT, T_RTR, 0, 0 },
	{ QPC_ADS_SL, T_RTR, 0, 0 },
	{ QPC_VHCA_PORT_NUM, T_INIT, T_REINIT, OPT_PORT },
	{ QPC_RMAC_47_32, T_RTR, 0, 0 },
	{ QPC_RMAC_31_0, T_RTR, 0, 0 },
	/* The bit between them, fre, is that of CREATE_QP. */
	{ QPC_ACK_31_12, T_RTS, 0, 0 },
	{ QPC_ACK_10_0, T_RTS, 0, 0 },
	{ QPC_NEXT_SEND_PSN, T_RTS, 0, 0 },
	{ QPC_DETH_SQPN, T_INIT, 0, 0 },
	{ QPC_LOG_RRA_MAX, T_RTR, 0, 0 },
	{ QPC_ATOMIC_MODE, T_INIT, T_ANY, OPT_RAE },
	{ QPC_RRE, T_INIT, T_ANY, OPT_RRE },
	{ QPC_RWE, T_INIT, T_ANY, OPT_RWE },
	{ QPC_RAE, T_INIT, T_ANY, OPT_RAE },
	{ QPC_MIN_RNR_NAK, T_RTR, T_RTS | T_RERTS, OPT_RNR },
	{ QPC_NEXT_RCV_PSN, T_RTR, 0, 0 },
	{ QPC_Q_KEY, T_INIT, T_ANY, OPT_QKEY },
};

static void merge(uint8_t *qpc, const uint8_t *partial, uint8_t set, uint32_t mask)
{
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct field *f = &fields[i];

		if (f->always & set || (f->masked & set && f->opt & mask))
			field_put(qpc, f->dw, f->hi, f->lo,
				  field_get(partial, f->dw, f->hi, f->lo));
	}
}

/* The set of counters that a transition names, if it names one. */
static enum hca_cmd_status bind_counter(struct hca *hca, struct hca_cmd *cmd, struct hca_qp *qp,
					uint8_t set)
{
	uint32_t number = field_get(cmd->in + QP_QPC, QPC_COUNTER_SET_ID);

	if (set != T_INIT && !(set == T_RERTS && be32_at(cmd->in, QP_OPT_PARAM_MASK) & OPT_QCNT))
		return HCA_CMD_OK;
	return hca_q_counter_bind(hca, cmd, qp, number);
}

/* Of an Ethernet port: another source port of UDP for what is sent from now on. */
static void change_udp_sport(struct hca_qp *qp, const struct hca_cmd *cmd)
{
	uint64_t mask = cmd->ilen < QP_EXT ? 0 : be64_at(cmd->in, QP_OPT_PARAM_MASK_95_32);

	if (qp->hca->eth && mask & EXT_OPT_UDP_SPORT)
		field_put(qp->qpc, QPC_UDP_SPORT, field_get(cmd->in + QP_QPC, QPC_UDP_SPORT));
}

/* RST: counters start again; software zeroes the doorbell records itself. */
static void reset_counters(struct hca_qp *qp)
{
	qp->sq_ci = 0;
	qp->sq_pi = 0;
	qp->rq_ci = 0;
	qp->sq_kick = false;
	qp->retrying = false;
}

static const struct transition *find_transition(uint16_t opcode)
{
	size_t i;

	for (i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++) {
		if (transitions[i].opcode == opcode)
			return &transitions[i];
	}
	return NULL;
}

/* Programs change fields of the context's extension one at a time; the context itself is empty. */
static enum hca_cmd_status modify_extension(struct hca_qp *qp, const struct transition *t,
					    struct hca_cmd *cmd)
{
	const uint32_t scheds[2] = {
		[HCA_SCHED_REQUESTER] = be32_at(cmd->in, QP_EXT_QOS_REQUESTER),
		[HCA_SCHED_RESPONDER] = be32_at(cmd->in, QP_EXT_QOS_RESPONDER),
	};
	uint64_t mask = be64_at(cmd->in, QP_OPT_PARAM_MASK_95_32);

	if (!(t->set & (T_REINIT | T_RERTS)) || t->to != qp->state || cmd->ilen < QP_EXT + 12)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x050014);
	if (mask == EXT_OPT_QOS)
		return hca_sched_bind(qp->hca, cmd, qp, scheds);
	if (mask != EXT_OPT_STREAM || t->set != T_RERTS || !qp->failed_streams_max)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x050015);
	hca_stream_reset(qp, be16_at(cmd->in, QP_EXT_DCI_STREAM_CHANNEL_ID));
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_modify_qp(struct hca *hca, struct hca_cmd *cmd)
{
	const struct transition *t = find_transition(be16_at(cmd->in, CMD_OPCODE));
	struct hca_qp *qp = hca_qp_get(hca, cmd);
	const uint8_t *partial = cmd->in + QP_QPC;
	enum hca_cmd_status status;
	uint32_t pd;

	if (!t || !qp)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x050010);
	if (!(t->from & FROM(qp->state)))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_QP_STATE, 0x050011);
	if (field_get(cmd->in, QP_QPC_EXT))
		return modify_extension(qp, t, cmd);
	if (t->set) {
		/* Programs leave out the PD that CREATE_QP gave. */
		pd = t->set == T_INIT ? field_get(partial, QPC_PD) : 0;
		pd = pd ? pd : qp->pd;
		if (!hca_plain_find(cmd, &hca->pds, pd))
			return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x050013);
		status = bind_counter(hca, cmd, qp, t->set);
		if (status)
			return status;
		hca_plain_hold(&hca->pds, qp->pd, -1);
		hca_plain_hold(&hca->pds, pd, 1);
		field_put(qp->qpc, QPC_PD, pd);
		merge(qp->qpc, partial, t->set, be32_at(cmd->in, QP_OPT_PARAM_MASK));
		if (t->opcode == HCA_CMD_RTS2RTS_QP)
			change_udp_sport(qp, cmd);
	}
	if (t->to == HCA_QP_RST || t->to == HCA_QP_ERR)
		hca_qp_finish(qp);
	if (t->to == HCA_QP_RST)
		hca_qp_stop(qp);
	if (t->to == HCA_QP_RST || t->set == T_INIT)
		reset_counters(qp);
	hca_qp_decode(qp);
	hca_qp_set_state(qp, t->to);
	return HCA_CMD_OK;
}
