// SPDX-License-Identifier: GPL-2.0-only
/* See matrix_link.h. */
#include <errno.h>
#include <string.h>

#include "matrix_link.h"

#define GIDS 64 /* of a function in a name space of its own: a few */

static int side_open(struct links_side *side, const struct mr_hca *hca)
{
	struct ibv_qp_init_attr init = { .qp_type = IBV_QPT_RC,
					 .sq_sig_all = 1,
					 .cap = { .max_send_wr = LINK_DEPTH,
						  .max_recv_wr = LINK_DEPTH,
						  .max_send_sge = 1,
						  .max_recv_sge = 1 } };

	side->hca = hca;
	side->cq = ibv_create_cq(hca->context, LINKS_MAX * LINK_DEPTH, NULL, NULL, 0);
	if (!side->cq)
		return -errno;
	init.send_cq = init.recv_cq = side->cq;
	for (unsigned int i = 0; i < LINKS_MAX; i++) {
		side->qp[i] = ibv_create_qp(hca->pd, &init);
		if (!side->qp[i])
			return -errno;
	}
	return 0;
}

static void side_close(struct links_side *side)
{
	for (unsigned int i = 0; i < LINKS_MAX; i++) {
		if (side->qp[i])
			ibv_destroy_qp(side->qp[i]);
	}
	if (side->cq)
		ibv_destroy_cq(side->cq);
}

/* The RoCE v2 GID of @hca that its IPv4 address has. -EADDRNOTAVAIL: it has none. */
static int find_gid(const struct mr_hca *hca, struct ibv_gid_entry *gid)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct ibv_gid_entry entry[GIDS];
	ssize_t count = ibv_query_gid_table(hca->context, entry, GIDS, 0);

	if (count < 0)
		return (int)count;
	for (ssize_t i = 0; i < count; i++) {
		if (entry[i].port_num == 1 && entry[i].gid_type == IBV_GID_TYPE_ROCE_V2 &&
		    !memcmp(entry[i].gid.raw, mapped, sizeof(mapped))) {
			*gid = entry[i];
			return 0;
		}
	}
	return -EADDRNOTAVAIL;
}

/* The way from @from to @to: by LID, or, where the port has none, by address. */
static int path(const struct mr_hca *from, const struct mr_hca *to, struct ibv_ah_attr *attr)
{
	struct ibv_gid_entry here, there;
	int ret;

	*attr = (struct ibv_ah_attr){ .dlid = to->lid, .port_num = 1 };
	if (from->lid)
		return 0;
	ret = find_gid(from, &here);
	if (!ret)
		ret = find_gid(to, &there);
	if (ret)
		return ret;
	attr->is_global = 1;
	attr->grh = (struct ibv_global_route){ .dgid = there.gid,
					       .sgid_index = (uint8_t)here.gid_index,
					       .hop_limit = 64 };
	return 0;
}

static int connect_qp(struct ibv_qp *qp, uint32_t peer, const struct ibv_ah_attr *to)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_INIT,
				    .port_num = 1,
				    .qp_access_flags = MR_ACCESS };
	int ret;

	ret = ibv_modify_qp(qp, &attr,
			    IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS);
	if (ret)
		return -ret;
	attr = (struct ibv_qp_attr){ .qp_state = IBV_QPS_RTR,
				     .path_mtu = IBV_MTU_4096,
				     .dest_qp_num = peer,
				     .max_dest_rd_atomic = 4,
				     .min_rnr_timer = 12,
				     .ah_attr = *to };
	ret = ibv_modify_qp(qp, &attr,
			    IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN |
				    IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC |
				    IBV_QP_MIN_RNR_TIMER);
	if (ret)
		return -ret;
	attr = (struct ibv_qp_attr){ .qp_state = IBV_QPS_RTS,
				     .timeout = 20,
				     .retry_cnt = 7,
				     .rnr_retry = 7,
				     .max_rd_atomic = 4 };
	return -ibv_modify_qp(qp, &attr,
			      IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
				      IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC);
}

int links_open(struct links *links, const struct mr_hca *near, const struct mr_hca *far)
{
	struct ibv_ah_attr to_near, to_far;
	int ret;

	memset(links, 0, sizeof(*links));
	ret = path(near, far, &to_far);
	if (!ret)
		ret = path(far, near, &to_near);
	if (!ret)
		ret = side_open(&links->near, near);
	if (!ret)
		ret = side_open(&links->far, far);
	for (unsigned int i = 0; !ret && i < LINKS_MAX; i++) {
		struct ibv_qp *here = links->near.qp[i], *there = links->far.qp[i];

		ret = connect_qp(here, there->qp_num, &to_far);
		if (!ret)
			ret = connect_qp(there, here->qp_num, &to_near);
	}
	if (ret)
		links_close(links);
	return ret;
}

void links_close(struct links *links)
{
	side_close(&links->near);
	side_close(&links->far);
	memset(links, 0, sizeof(*links));
}

static int post_receive(struct ibv_qp *qp, const struct links_message *message, uint32_t lkey)
{
	struct ibv_sge sge = { .addr = message->near_addr,
			       .length = message->length,
			       .lkey = lkey };
	struct ibv_recv_wr wr = { .sg_list = &sge, .num_sge = 1 }, *bad;

	return -ibv_post_recv(qp, &wr, &bad);
}

static int post(struct ibv_qp *qp, enum links_op op, const struct links_message *message,
		uint32_t rkey, uint32_t lkey)
{
	static const enum ibv_wr_opcode opcodes[] = {
		[LINKS_WRITE] = IBV_WR_RDMA_WRITE,
		[LINKS_READ] = IBV_WR_RDMA_READ,
		[LINKS_SEND] = IBV_WR_SEND,
	};
	struct ibv_sge sge = { .addr = message->far_addr, .length = message->length, .lkey = lkey };
	struct ibv_send_wr wr = { .opcode = opcodes[op], .sg_list = &sge, .num_sge = 1 }, *bad;

	if (op != LINKS_SEND) {
		wr.wr.rdma.remote_addr = message->near_addr;
		wr.wr.rdma.rkey = rkey;
	}
	return -ibv_post_send(qp, &wr, &bad);
}

static int wait_for(struct ibv_cq *cq, unsigned int count)
{
	struct ibv_wc wc;
	int ret;

	while (count--) {
		ret = mr_wait(cq, &wc);
		if (ret)
			return ret;
		if (wc.status != IBV_WC_SUCCESS)
			return (int)wc.status;
	}
	return 0;
}

int links_run(struct links *links, enum links_op op, const struct links_message *message,
	      unsigned int count, uint32_t near_key, uint32_t far_key)
{
	int ret = 0;

	for (unsigned int i = 0; op == LINKS_SEND && !ret && i < count; i++)
		ret = post_receive(links->near.qp[message[i].qp], &message[i], near_key);
	for (unsigned int i = 0; !ret && i < count; i++)
		ret = post(links->far.qp[message[i].qp], op, &message[i], near_key, far_key);
	if (!ret)
		ret = wait_for(links->far.cq, count);
	if (!ret && op == LINKS_SEND)
		ret = wait_for(links->near.cq, count);
	return ret;
}
