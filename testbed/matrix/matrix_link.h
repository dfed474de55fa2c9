/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Up to LINKS_MAX RC connections between two HCA functions, one completion queue on each side. On
 * Ethernet each function has to have a RoCE v2 GID of an IPv4 address, and the one reaches the
 * other by it. Functions return 0 or -errno.
 */
#ifndef MATRIX_LINK_H
#define MATRIX_LINK_H

#include "mr.h"

#define LINKS_MAX  64u
#define LINK_DEPTH 16u /* messages of one connection in flight, at most */

struct links_side {
	const struct mr_hca *hca;
	struct ibv_cq *cq;
	struct ibv_qp *qp[LINKS_MAX];
};

struct links {
	struct links_side near, far;
};

enum links_op { LINKS_WRITE, LINKS_READ, LINKS_SEND };

/* A message of connection @qp between the two memories. */
struct links_message {
	unsigned int qp;
	uint64_t far_addr, near_addr;
	uint32_t length;
};

/* @near has the memory that is the cell's target; @far posts. Both outlive @links. */
int links_open(struct links *links, const struct mr_hca *near, const struct mr_hca *far);
/* Safe for zeroed @links. */
void links_close(struct links *links);
/*
 * Moves @count messages, all of them posted before the first is waited for, and waits for every
 * completion. @near_key: rkey of the target's memory, for send its lkey; @far_key: lkey of the
 * peer's. A completion with an error is returned as enum ibv_wc_status; then, and after -errno, the
 * connections can only be closed.
 */
int links_run(struct links *links, enum links_op op, const struct links_message *message,
	      unsigned int count, uint32_t near_key, uint32_t far_key);

#endif
