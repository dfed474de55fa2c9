// SPDX-License-Identifier: GPL-2.0-only
/* Two HCA functions with a connection; see reports.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reports.h"

#define ACCESS                                                                       \
	(IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ | \
	 IBV_ACCESS_REMOTE_ATOMIC)
#define QKEY 0x11111111

static void side_open(struct report_side *side, const char *name)
{
	ktap_must(mr_hca_open(name, &side->hca), name);
	side->memory = aligned_alloc(MR_PAGE, REPORT_BYTES);
	ktap_must(side->memory ? 0 : -ENOMEM, "memory");
	memset(side->memory, 0, REPORT_BYTES);
	side->mr = ibv_reg_mr(side->hca.pd, side->memory, REPORT_BYTES, ACCESS);
	ktap_must(side->mr ? 0 : -errno, "ibv_reg_mr");
	side->channel = ibv_create_comp_channel(side->hca.context);
	ktap_must(side->channel ? 0 : -errno, "ibv_create_comp_channel");
}

static void side_close(struct report_side *side)
{
	CHECK_EQUAL(0, ibv_destroy_comp_channel(side->channel));
	CHECK_EQUAL(0, ibv_dereg_mr(side->mr));
	free(side->memory);
	mr_hca_close(&side->hca);
}

void report_open(struct report *r)
{
	memset(r, 0, sizeof(*r));
	side_open(&r->a, "mlx5_0");
	side_open(&r->b, "mlx5_1");
	for (unsigned int i = 0; i < REPORT_BYTES; i++)
		r->a.memory[i] = (uint8_t)(i % 251);
}

void report_close(struct report *r)
{
	report_destroy_qps(r);
	side_close(&r->a);
	side_close(&r->b);
}

struct ibv_qp_init_attr report_init(enum ibv_qp_type type)
{
	return (struct ibv_qp_init_attr){ .qp_type = type,
					  .cap = { .max_send_wr = 16,
						   .max_recv_wr = 16,
						   .max_send_sge = 1,
						   .max_recv_sge = 1 } };
}

static void side_qp(struct report_side *side, struct ibv_qp_init_attr init, int cqe)
{
	side->cq = ibv_create_cq(side->hca.context, cqe, NULL, side->channel, 0);
	ktap_must(side->cq ? 0 : -errno, "ibv_create_cq");
	if (!init.send_cq)
		init.send_cq = side->cq;
	if (!init.recv_cq)
		init.recv_cq = side->cq;
	side->qp = ibv_create_qp(side->hca.pd, &init);
	ktap_must(side->qp ? 0 : -errno, "ibv_create_qp");
}

void report_qps(struct report *r, struct ibv_qp_init_attr init, int cqe)
{
	report_destroy_qps(r);
	side_qp(&r->a, init, cqe);
	init.send_cq = init.recv_cq = NULL;
	init.srq = NULL;
	side_qp(&r->b, init, cqe);
}

static void side_destroy(struct report_side *side)
{
	if (side->qp)
		CHECK_EQUAL(0, ibv_destroy_qp(side->qp));
	if (side->cq)
		CHECK_EQUAL(0, ibv_destroy_cq(side->cq));
	side->qp = NULL;
	side->cq = NULL;
}

void report_destroy_qps(struct report *r)
{
	side_destroy(&r->a);
	side_destroy(&r->b);
}

struct ibv_qp_attr report_attr(void)
{
	return (struct ibv_qp_attr){ .path_mtu = IBV_MTU_4096,
				     .max_dest_rd_atomic = 4,
				     .max_rd_atomic = 4,
				     .min_rnr_timer = 12,
				     .timeout = 18,
				     .retry_cnt = 7,
				     .rnr_retry = 7,
				     .qp_access_flags = ACCESS };
}

int report_state(struct report_side *side, enum ibv_qp_state state)
{
	struct ibv_qp_attr attr = { .qp_state = state };

	return ibv_modify_qp(side->qp, &attr, IBV_QP_STATE);
}

static int to_init(struct report_side *side, struct ibv_qp_attr attr)
{
	int mask = IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT;

	attr.qp_state = IBV_QPS_INIT;
	attr.port_num = 1;
	attr.qkey = QKEY;
	mask |= side->qp->qp_type == IBV_QPT_UD ? IBV_QP_QKEY : IBV_QP_ACCESS_FLAGS;
	return ibv_modify_qp(side->qp, &attr, mask);
}

static int to_rtr(struct report_side *side, const struct report_side *peer, struct ibv_qp_attr attr)
{
	int mask = IBV_QP_STATE;

	attr.qp_state = IBV_QPS_RTR;
	attr.dest_qp_num = peer->qp->qp_num;
	attr.ah_attr.dlid = peer->hca.lid;
	attr.ah_attr.port_num = 1;
	if (side->qp->qp_type != IBV_QPT_UD)
		mask |= IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN;
	if (side->qp->qp_type == IBV_QPT_RC)
		mask |= IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER;
	return ibv_modify_qp(side->qp, &attr, mask);
}

static int to_rts(struct report_side *side, struct ibv_qp_attr attr)
{
	int mask = IBV_QP_STATE | IBV_QP_SQ_PSN;

	attr.qp_state = IBV_QPS_RTS;
	if (side->qp->qp_type == IBV_QPT_RC)
		mask |= IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
			IBV_QP_MAX_QP_RD_ATOMIC;
	return ibv_modify_qp(side->qp, &attr, mask);
}

int report_modify(struct report_side *side, const struct report_side *peer,
		  const struct ibv_qp_attr *attr, enum ibv_qp_state state)
{
	int ret = to_init(side, *attr);

	if (!ret && state != IBV_QPS_INIT)
		ret = to_rtr(side, peer, *attr);
	if (!ret && state == IBV_QPS_RTS)
		ret = to_rts(side, *attr);
	return ret;
}

void report_connect(struct report *r, const struct ibv_qp_attr *attr)
{
	ktap_must(-report_state(&r->a, IBV_QPS_RESET), "RESET of a");
	ktap_must(-report_state(&r->b, IBV_QPS_RESET), "RESET of b");
	ktap_must(-report_modify(&r->b, &r->a, attr, IBV_QPS_RTS), "RTS of b");
	ktap_must(-report_modify(&r->a, &r->b, attr, IBV_QPS_RTS), "RTS of a");
}

struct ibv_sge report_piece(const struct report_side *side, uint32_t offset, uint32_t length)
{
	return (struct ibv_sge){ .addr = (uintptr_t)side->memory + offset,
				 .length = length,
				 .lkey = side->mr->lkey };
}

struct ibv_send_wr report_wr(const struct report *r, enum ibv_wr_opcode opcode, uint32_t offset)
{
	struct ibv_send_wr wr = { .opcode = opcode, .send_flags = IBV_SEND_SIGNALED };
	uint64_t addr = (uintptr_t)r->b.memory + offset;

	if (opcode == IBV_WR_ATOMIC_FETCH_AND_ADD || opcode == IBV_WR_ATOMIC_CMP_AND_SWP) {
		wr.wr.atomic.remote_addr = addr;
		wr.wr.atomic.rkey = r->b.mr->rkey;
	} else if (r->a.qp->qp_type != IBV_QPT_UD) {
		wr.wr.rdma.remote_addr = addr;
		wr.wr.rdma.rkey = r->b.mr->rkey;
	}
	return wr;
}

int report_post(struct report *r, struct ibv_send_wr wr, const struct ibv_sge *piece)
{
	struct ibv_sge sge = piece ? *piece : (struct ibv_sge){ 0 };
	struct ibv_send_wr *bad;

	wr.next = NULL;
	wr.sg_list = &sge;
	wr.num_sge = piece ? 1 : 0;
	return ibv_post_send(r->a.qp, &wr, &bad);
}

int report_receive(struct report_side *side, uint64_t id, const struct ibv_sge *piece)
{
	struct ibv_sge sge = piece ? *piece : (struct ibv_sge){ 0 };
	struct ibv_recv_wr wr = { .wr_id = id, .sg_list = &sge, .num_sge = piece ? 1 : 0 }, *bad;

	return ibv_post_recv(side->qp, &wr, &bad);
}

bool report_completes(struct report_side *side, enum ibv_wc_status status, uint64_t id,
		      struct ibv_wc *wc)
{
	struct ibv_wc mine;
	int ret;

	if (!wc)
		wc = &mine;
	memset(wc, 0, sizeof(*wc));
	ret = mr_wait(side->cq, wc);
	if (ret == -ETIMEDOUT)
		ktap_bail("no completion, expected that of %llu", (unsigned long long)id);
	return CHECK_EQUAL(0, ret) && CHECK_EQUAL(status, wc->status) &&
	       CHECK_EQUAL((int64_t)id, (int64_t)wc->wr_id);
}

bool report_quiet(struct report_side *side)
{
	struct ibv_wc wc;

	return CHECK_EQUAL(0, ibv_poll_cq(side->cq, 1, &wc));
}
