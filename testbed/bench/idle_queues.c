// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues that do nothing, for ./tph bench: what they cost those that do.
 *
 * Usage: idle_queues IB-DEVICE COUNT
 *
 * Makes COUNT RC QPs, each with a CQ of its own, connected to itself and ready to send; says
 * "ready", and keeps them until a signal ends it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mr.h"

static int connect_to_itself(const struct mr_hca *hca, struct ibv_qp *qp)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_INIT, .port_num = 1 };

	if (ibv_modify_qp(qp, &attr,
			  IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS))
		return -errno;
	attr = (struct ibv_qp_attr){
		.qp_state = IBV_QPS_RTR,
		.path_mtu = IBV_MTU_1024,
		.dest_qp_num = qp->qp_num,
		.ah_attr = { .dlid = hca->lid, .port_num = 1 },
	};
	if (ibv_modify_qp(qp, &attr,
			  IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN |
				  IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER))
		return -errno;
	attr = (struct ibv_qp_attr){ .qp_state = IBV_QPS_RTS, .timeout = 14 };
	if (ibv_modify_qp(qp, &attr,
			  IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
				  IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC))
		return -errno;
	return 0;
}

static int make(const struct mr_hca *hca)
{
	struct ibv_qp_init_attr attr = {
		.cap = { .max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 },
		.qp_type = IBV_QPT_RC,
	};
	struct ibv_qp *qp;

	attr.send_cq = attr.recv_cq = ibv_create_cq(hca->context, 1, NULL, NULL, 0);
	if (!attr.send_cq)
		return -errno;
	qp = ibv_create_qp(hca->pd, &attr);
	return qp ? connect_to_itself(hca, qp) : -errno;
}

int main(int argc, char **argv)
{
	struct mr_hca hca;
	int count, ret;

	count = argc == 3 ? atoi(argv[2]) : 0;
	if (count < 1) {
		fputs("usage: idle_queues IB-DEVICE COUNT\n", stderr);
		return 2;
	}
	ret = mr_hca_open(argv[1], &hca);
	for (int i = 0; !ret && i < count; i++)
		ret = make(&hca);
	if (ret) {
		fprintf(stderr, "idle_queues: %s: %s\n", argv[1], strerror(-ret));
		return 1;
	}
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}
