// SPDX-License-Identifier: GPL-2.0-only
/* What ibv_query_device() says can be had; one more cannot. */
#include <errno.h>

#include "reports.h"

static struct report r;
static struct ibv_device_attr device;

static int cq(int cqe)
{
	struct ibv_cq *cq = ibv_create_cq(r.a.hca.context, cqe, NULL, NULL, 0);

	if (!cq)
		return errno;
	CHECK(cq->cqe >= cqe);
	CHECK_EQUAL(0, ibv_destroy_cq(cq));
	return 0;
}

static int srq(uint32_t wr, uint32_t sge)
{
	struct ibv_srq_init_attr init = { .attr = { .max_wr = wr, .max_sge = sge } };
	struct ibv_srq *srq = ibv_create_srq(r.a.hca.pd, &init);

	if (!srq)
		return errno;
	CHECK(init.attr.max_wr >= wr && init.attr.max_sge >= sge);
	CHECK_EQUAL(0, ibv_destroy_srq(srq));
	return 0;
}

static int qp(struct ibv_qp_cap cap)
{
	struct ibv_qp_init_attr init = report_init(IBV_QPT_RC);
	struct ibv_qp *qp;

	init.send_cq = init.recv_cq = r.a.cq;
	init.cap = cap;
	qp = ibv_create_qp(r.a.hca.pd, &init);
	if (!qp)
		return errno;
	CHECK(init.cap.max_recv_wr >= cap.max_recv_wr && init.cap.max_recv_sge >= cap.max_recv_sge);
	CHECK(init.cap.max_send_wr >= cap.max_send_wr && init.cap.max_send_sge >= cap.max_send_sge);
	CHECK_EQUAL(0, ibv_destroy_qp(qp));
	return 0;
}

static struct ibv_qp_cap receives(uint32_t wr, uint32_t sge)
{
	return (struct ibv_qp_cap){
		.max_send_wr = 1, .max_recv_wr = wr, .max_send_sge = 1, .max_recv_sge = sge
	};
}

static struct ibv_qp_cap sends(uint32_t wr, uint32_t sge)
{
	return (struct ibv_qp_cap){
		.max_send_wr = wr, .max_recv_wr = 1, .max_send_sge = sge, .max_recv_sge = 1
	};
}

static int reads(uint8_t depth)
{
	struct ibv_qp_attr attr = report_attr();
	int ret;

	CHECK_EQUAL(0, report_state(&r.a, IBV_QPS_RESET));
	attr.max_rd_atomic = depth;
	ret = report_modify(&r.a, &r.b, &attr, IBV_QPS_RTS);
	if (ret)
		return ret;
	CHECK_EQUAL(0, report_state(&r.a, IBV_QPS_RESET));
	attr.max_dest_rd_atomic = depth;
	return report_modify(&r.a, &r.b, &attr, IBV_QPS_RTS);
}

int main(void)
{
	ktap_plan(5);
	report_open(&r);
	report_qps(&r, report_init(IBV_QPT_RC), 64);
	ktap_must(-ibv_query_device(r.a.hca.context, &device), "ibv_query_device");

	ktap_case("max_cqe");
	CHECK_EQUAL(EINVAL, cq(device.max_cqe + 1));
	CHECK_EQUAL(0, cq(device.max_cqe));
	ktap_done();

	ktap_case("max_qp_wr");
	CHECK_EQUAL(0, qp(receives((uint32_t)device.max_qp_wr, 1)));
	CHECK_EQUAL(0, qp(sends((uint32_t)device.max_qp_wr, 1)));
	/* A queue has room for that many with whatever they carry; for small ones there is more. */
	CHECK_EQUAL(EINVAL, qp(receives(32769, 1)));
	CHECK_EQUAL(EINVAL, qp(sends(32769, 1)));
	ktap_done();

	ktap_case("max_sge");
	CHECK_EQUAL(0, qp(receives(1, (uint32_t)device.max_sge)));
	CHECK_EQUAL(0, qp(sends(1, (uint32_t)device.max_sge)));
	CHECK_EQUAL(EINVAL, qp(receives(1, 33)));
	CHECK_EQUAL(EINVAL, qp(sends(1, 65)));
	ktap_done();

	ktap_case("max_srq_wr, max_srq_sge");
	CHECK_EQUAL(0, srq((uint32_t)device.max_srq_wr, 1));
	CHECK_EQUAL(EINVAL, srq((uint32_t)device.max_srq_wr + 1, 1));
	CHECK_EQUAL(0, srq(1, (uint32_t)device.max_srq_sge));
	CHECK_EQUAL(EINVAL, srq(1, (uint32_t)device.max_srq_sge + 1));
	ktap_done();

	ktap_case("max_qp_rd_atom, max_qp_init_rd_atom");
	CHECK_EQUAL(device.max_qp_rd_atom, device.max_qp_init_rd_atom);
	CHECK_EQUAL(0, reads((uint8_t)device.max_qp_rd_atom));
	CHECK_EQUAL(EINVAL, reads((uint8_t)(device.max_qp_rd_atom + 1)));
	ktap_done();
	report_close(&r);
	return ktap_exit();
}
