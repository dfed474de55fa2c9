// SPDX-License-Identifier: GPL-2.0-only
/* RC connections between HCA functions; see mr.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mr.h"

#define TIMEOUT_S 30

static int end_open(struct mr_end *end, const struct mr_hca *hca)
{
	struct ibv_qp_init_attr init = { .qp_type = IBV_QPT_RC,
					 .sq_sig_all = 1,
					 .cap = { .max_send_wr = MR_LINK_DEPTH,
						  .max_recv_wr = 1,
						  .max_send_sge = 1,
						  .max_recv_sge = 1 } };

	end->hca = hca;
	end->cq = ibv_create_cq(hca->context, 2 * MR_LINK_DEPTH, NULL, NULL, 0);
	if (!end->cq)
		return -errno;
	init.send_cq = init.recv_cq = end->cq;
	end->qp = ibv_create_qp(hca->pd, &init);
	return end->qp ? 0 : -errno;
}

static void end_close(struct mr_end *end)
{
	if (end->qp)
		ibv_destroy_qp(end->qp);
	if (end->cq)
		ibv_destroy_cq(end->cq);
}

static int end_connect(struct mr_end *end, const struct mr_end *peer)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_RESET };
	struct ibv_wc wc;
	int ret;

	ret = -ibv_modify_qp(end->qp, &attr, IBV_QP_STATE);
	if (ret)
		return ret;
	while (ibv_poll_cq(end->cq, 1, &wc) > 0)
		;
	attr = (struct ibv_qp_attr){ .qp_state = IBV_QPS_INIT,
				     .port_num = 1,
				     .qp_access_flags = MR_ACCESS };
	ret = -ibv_modify_qp(end->qp, &attr,
			     IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS);
	if (ret)
		return ret;
	attr = (struct ibv_qp_attr){ .qp_state = IBV_QPS_RTR,
				     .path_mtu = IBV_MTU_4096,
				     .dest_qp_num = peer->qp->qp_num,
				     .max_dest_rd_atomic = 4,
				     .min_rnr_timer = 12,
				     .ah_attr = { .dlid = peer->hca->lid, .port_num = 1 } };
	ret = -ibv_modify_qp(end->qp, &attr,
			     IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN |
				     IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC |
				     IBV_QP_MIN_RNR_TIMER);
	if (ret)
		return ret;
	attr = (struct ibv_qp_attr){ .qp_state = IBV_QPS_RTS,
				     .timeout = 18,
				     .retry_cnt = 7,
				     .rnr_retry = 7,
				     .max_rd_atomic = 4 };
	return -ibv_modify_qp(end->qp, &attr,
			      IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
				      IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC);
}

int mr_link_reconnect(struct mr_link *link)
{
	int ret = end_connect(&link->to, &link->from);

	return ret ? ret : end_connect(&link->from, &link->to);
}

int mr_link_open(struct mr_link *link, const struct mr_hca *from, const struct mr_hca *to)
{
	int ret;

	memset(link, 0, sizeof(*link));
	link->buffer = aligned_alloc(MR_PAGE, MR_LINK_BUFFER);
	if (!link->buffer)
		return -ENOMEM;
	for (unsigned int i = 0; i < MR_LINK_BUFFER; i++)
		link->buffer[i] = (uint8_t)(i % 251);
	link->buffer_mr = ibv_reg_mr(from->pd, link->buffer, MR_LINK_BUFFER, MR_ACCESS);
	ret = link->buffer_mr ? 0 : -errno;
	if (!ret)
		ret = end_open(&link->from, from);
	if (!ret)
		ret = end_open(&link->to, to);
	if (!ret)
		ret = mr_link_reconnect(link);
	if (ret)
		mr_link_close(link);
	return ret;
}

void mr_link_close(struct mr_link *link)
{
	end_close(&link->from);
	end_close(&link->to);
	if (link->buffer_mr)
		ibv_dereg_mr(link->buffer_mr);
	free(link->buffer);
	memset(link, 0, sizeof(*link));
}

static int64_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

int mr_wait(struct ibv_cq *cq, struct ibv_wc *wc)
{
	int64_t end = now_s() + TIMEOUT_S;
	int got;

	while (!(got = ibv_poll_cq(cq, 1, wc))) {
		if (now_s() > end)
			return -ETIMEDOUT;
	}
	return got < 0 ? -EIO : 0;
}

static int post(struct mr_link *link, enum ibv_wr_opcode opcode, struct ibv_sge sge,
		uint64_t remote_addr, uint32_t rkey)
{
	struct ibv_send_wr wr = { .opcode = opcode,
				  .sg_list = &sge,
				  .num_sge = 1,
				  .wr.rdma = { .remote_addr = remote_addr, .rkey = rkey } };
	struct ibv_send_wr *bad;

	return -ibv_post_send(link->from.qp, &wr, &bad);
}

int mr_link_run(struct mr_link *link, enum ibv_wr_opcode opcode, uint64_t addr, uint32_t lkey,
		uint32_t length, uint64_t remote_addr, uint32_t rkey)
{
	struct ibv_sge sge = { .addr = addr, .length = length, .lkey = lkey };
	struct ibv_wc wc;
	int ret = post(link, opcode, sge, remote_addr, rkey);

	if (!ret)
		ret = mr_wait(link->from.cq, &wc);
	return ret ? ret : (int)wc.status;
}

static int run_buffer(struct mr_link *link, enum ibv_wr_opcode opcode, const struct mr *mr,
		      uint64_t offset, uint32_t length)
{
	return mr_link_run(link, opcode, (uintptr_t)link->buffer, link->buffer_mr->lkey, length,
			   mr->iova + offset, mr->rkey);
}

int mr_link_write(struct mr_link *link, const struct mr *mr, uint64_t offset, uint32_t length)
{
	return run_buffer(link, IBV_WR_RDMA_WRITE, mr, offset, length);
}

int mr_link_read(struct mr_link *link, const struct mr *mr, uint64_t offset, uint32_t length)
{
	return run_buffer(link, IBV_WR_RDMA_READ, mr, offset, length);
}

int mr_link_write_many(struct mr_link *link, const struct mr *mr, uint32_t length,
		       atomic_uint *count, atomic_uint *done)
{
	struct ibv_sge sge = { .addr = (uintptr_t)link->buffer,
			       .length = length,
			       .lkey = link->buffer_mr->lkey };
	unsigned int posted = 0, completed = 0;
	struct ibv_wc wc;
	int ret;

	atomic_store(done, 0);
	while (completed < atomic_load(count)) {
		while (posted < atomic_load(count) && posted - completed < MR_LINK_DEPTH) {
			ret = post(link, IBV_WR_RDMA_WRITE, sge, mr->iova, mr->rkey);
			if (ret)
				return ret;
			posted++;
		}
		ret = mr_wait(link->from.cq, &wc);
		if (ret)
			return ret;
		if (wc.status != IBV_WC_SUCCESS)
			return (int)wc.status;
		atomic_store(done, ++completed);
	}
	return IBV_WC_SUCCESS;
}
