/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Quality of service: scheduling elements, which queue pairs are sorted into, and rates, which
 * send queues of frames keep to.
 */
#ifndef HCA_QOS_H
#define HCA_QOS_H

#include "hca/cmd.h"

/* Rates of a function, with number 0, which is none (packet_pacing_rate_table_size). */
#define HCA_RATES    128u
#define HCA_RATE_MIN 1u		/* kbit/s */
#define HCA_RATE_MAX 400000000u /* kbit/s */

/* An element of the NIC hierarchy: what it may send is kept and told, and has no effect here. */
struct hca_sched {
	uint32_t number;
	uint16_t uid;	 /* user context that made it, 0: the driver */
	uint32_t users;	 /* elements below, and each time that a QP names it */
	uint32_t parent; /* 0: none, it is a root */
	bool leaf;	 /* a queue group, which QPs are in; else a node */
	uint32_t bw_share, max_average_bw;
};

/* Elements that a QP names, as requester and as responder; 0: none. */
enum hca_sched_side { HCA_SCHED_REQUESTER, HCA_SCHED_RESPONDER };

/*
 * hca_sched_bind() - @qp goes to the leaves @numbers, by enum hca_sched_side; 0: to none. Returns
 * HCA_CMD_OK, or HCA_CMD_BAD_RESOURCE (no such leaf of the command's context), and then nothing
 * has changed.
 */
enum hca_cmd_status hca_sched_bind(struct hca *hca, struct hca_cmd *cmd, struct hca_qp *qp,
				   const uint32_t numbers[2]);
/* The elements that @qp names have @change more users. */
void hca_sched_hold(struct hca *hca, const struct hca_qp *qp, int change);

/* general.c calls these for objects of type HCA_OBJECT_SCHEDULING_ELEMENT. */
enum hca_cmd_status hca_sched_create(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_sched_modify(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_sched_destroy(struct hca *hca, struct hca_cmd *cmd);

/*
 * hca_rate_bind() - the send queue @sq keeps to the rate @index from now on, 0: to none. Returns
 * HCA_CMD_OK, HCA_CMD_BAD_INDEX (there are less) or HCA_CMD_BAD_RESOURCE (it is that of another
 * context), and then nothing has changed.
 */
enum hca_cmd_status hca_rate_bind(struct hca *hca, struct hca_cmd *cmd, struct hca_qp *sq,
				  uint32_t index);
/* Whether the rate of @sq lets it send now; if not, it has no turn before it does. */
bool hca_rate_allows(struct hca_qp *sq);
/* @sq has sent @len bytes. */
void hca_rate_spend(struct hca_qp *sq, size_t len);

#endif
