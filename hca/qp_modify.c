/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * State transitions of queue pairs. A transition carries a partial context: only the fields that
 * belong to it are taken over, some of them only when their bit of opt_param_mask is set. The
 * service type is that of CREATE_QP: the driver repeats it, programs leave it out.
 */
#include "hca/opcodes.h"
#include "hca/q_counter.h"
#include "hca/qp.h"

#define MODIFY_MASK 0x10u
#define MODIFY_QPC  0x18u
/* With qpc_ext: opt_param_mask_95_32 and qpc_data_ext. */
#define MODIFY_EXT_MASK 0x108u
#define MODIFY_EXT	0x110u
#define EXT_OPT_STREAM	(1u << 0) /* dci_stream_channel_id */

/* opt_param_mask (enum mlx5_qp_optpar). */
#define OPT_RRE	 (1u << 1)
#define OPT_RAE	 (1u << 2)
#define OPT_RWE	 (1u << 3)
#define OPT_PKEY (1u << 4)
#define OPT_QKEY (1u << 5)
#define OPT_RNR	 (1u << 6)
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

#define NO_EVENT 0xff

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
	{ QPC_SIZES, 31, 24, T_RTR, 0, 0 },		/* mtu, log_msg_max */
	{ QPC_SIZES, 4, 4, T_INIT, 0, 0 },		/* rlky */
	{ QPC_UAR, 31, 24, T_INIT, T_RERTS, OPT_QCNT }, /* counter_set_id */
	{ QPC_REMOTE_QPN, 23, 0, T_RTR, 0, 0 },
	{ QPC_PATH, 15, 0, T_INIT, T_ANY, OPT_PKEY }, /* pkey_index */
	{ QPC_PATH, 31, 16, T_RTR, 0, 0 },
	{ QPC_PATH + 1, 31, 0, T_RTR, 0, 0 },  /* grh, mlid, rlid */
	{ QPC_PATH + 2, 31, 27, T_RTS, 0, 0 }, /* ack_timeout */
	{ QPC_PATH + 2, 26, 0, T_RTR, 0, 0 },
	{ QPC_PATH + 3, 31, 0, T_RTR, 0, 0 },
	{ QPC_PATH + 4, 31, 0, T_RTR, 0, 0 }, /* rgid_rip */
	{ QPC_PATH + 5, 31, 0, T_RTR, 0, 0 },
	{ QPC_PATH + 6, 31, 0, T_RTR, 0, 0 },
	{ QPC_PATH + 7, 31, 0, T_RTR, 0, 0 },
	{ QPC_PATH + 8, 31, 0, T_RTR, 0, 0 },
	{ QPC_PATH + 9, 31, 24, T_RTR, 0, 0 },		      /* sl */
	{ QPC_PATH + 9, 23, 16, T_INIT, T_REINIT, OPT_PORT }, /* vhca_port_num */
	{ QPC_PATH + 9, 15, 0, T_RTR, 0, 0 },
	{ QPC_PATH + 10, 31, 0, T_RTR, 0, 0 },
	/* Bit 11, fre, is that of CREATE_QP. */
	{ QPC_ACK, 31, 12, T_RTS, 0, 0 },
	{ QPC_ACK, 10, 0, T_RTS, 0, 0 },
	{ QPC_SEND_PSN, 23, 0, T_RTS, 0, 0 },
	{ QPC_DETH, 23, 0, T_INIT, 0, 0 },
	{ QPC_RIGHTS, 23, 21, T_RTR, 0, 0 },		/* log_rra_max */
	{ QPC_RIGHTS, 19, 16, T_INIT, T_ANY, OPT_RAE }, /* atomic_mode */
	{ QPC_RIGHTS, 15, 15, T_INIT, T_ANY, OPT_RRE },
	{ QPC_RIGHTS, 14, 14, T_INIT, T_ANY, OPT_RWE },
	{ QPC_RIGHTS, 13, 13, T_INIT, T_ANY, OPT_RAE },
	{ QPC_RCV_PSN, 28, 24, T_RTR, T_RTS | T_RERTS, OPT_RNR },
	{ QPC_RCV_PSN, 23, 0, T_RTR, 0, 0 },
	{ QPC_QKEY, 31, 0, T_INIT, T_ANY, OPT_QKEY },
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
	uint32_t number = field_get(cmd->in + MODIFY_QPC, QPC_UAR, 31, 24);

	if (set != T_INIT && !(set == T_RERTS && be32_at(cmd->in, MODIFY_MASK) & OPT_QCNT))
		return HCA_CMD_OK;
	return hca_q_counter_bind(hca, cmd, qp, number);
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

static void set_state(struct hca_qp *qp, enum hca_qp_state state)
{
	qp->state = state;
	field_put(qp->qpc, QPC_STATE, 31, 28, state);
	hca_qp_due(qp);
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
	if (t->set != T_RERTS || t->to != qp->state || cmd->ilen < MODIFY_EXT + 4)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x050014);
	if (be64_at(cmd->in, MODIFY_EXT_MASK) != EXT_OPT_STREAM || !qp->failed_streams_max)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x050015);
	hca_stream_reset(qp, be16_at(cmd->in, MODIFY_EXT + 2));
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_modify_qp(struct hca *hca, struct hca_cmd *cmd)
{
	const struct transition *t = find_transition(be16_at(cmd->in, 0));
	struct hca_qp *qp = hca_qp_get(hca, cmd);
	const uint8_t *partial = cmd->in + MODIFY_QPC;
	enum hca_cmd_status status;
	enum hca_qp_state old;
	uint32_t pd;

	if (!t || !qp)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x050010);
	if (!(t->from & FROM(qp->state)))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_QP_STATE, 0x050011);
	if (field_get(cmd->in, 2, 31, 31))
		return modify_extension(qp, t, cmd);
	if (t->set) {
		/* Programs leave out the PD that CREATE_QP gave. */
		pd = t->set == T_INIT ? field_get(partial, QPC_PD, 23, 0) : 0;
		pd = pd ? pd : qp->pd;
		if (!hca_plain_find(cmd, &hca->pds, pd))
			return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x050013);
		status = bind_counter(hca, cmd, qp, t->set);
		if (status)
			return status;
		hca_plain_hold(&hca->pds, qp->pd, -1);
		hca_plain_hold(&hca->pds, pd, 1);
		field_put(qp->qpc, QPC_PD, 23, 0, pd);
		merge(qp->qpc, partial, t->set, be32_at(cmd->in, MODIFY_MASK));
	}
	if (t->to == HCA_QP_RST || t->to == HCA_QP_ERR)
		hca_qp_finish(qp);
	old = qp->state;
	if (t->to == HCA_QP_RST)
		hca_qp_stop(qp);
	if (t->to == HCA_QP_RST || t->set == T_INIT)
		reset_counters(qp);
	hca_qp_decode(qp);
	set_state(qp, t->to);
	hca_qp_state_changed(qp, old);
	return HCA_CMD_OK;
}

void hca_qp_error(struct hca_qp *qp, int event)
{
	enum hca_qp_state old = qp->state;

	if (old == HCA_QP_ERR)
		return;
	set_state(qp, HCA_QP_ERR);
	hca_qp_state_changed(qp, old);
	if (event != NO_EVENT)
		hca_event_number(qp->hca, (enum hca_event)event, qp->number);
}
