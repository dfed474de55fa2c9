// SPDX-License-Identifier: GPL-2.0-only
/* A thread domain for each of many threads, with a parent domain for its QP. */
#include <errno.h>
#include <string.h>

#include "reports.h"

#define DOMAINS 40u

static struct report r;
static struct ibv_td *td[DOMAINS];
static struct ibv_pd *parent[DOMAINS];

/* Writes by the doorbell registers of each domain. */
static void write_by(struct ibv_pd *domain, unsigned int i)
{
	struct ibv_qp_init_attr init = report_init(IBV_QPT_RC);
	struct ibv_qp_attr attr = report_attr();
	struct ibv_sge piece = report_piece(&r.a, 0, 64);
	struct ibv_qp *qp;

	init.send_cq = init.recv_cq = r.a.cq;
	qp = ibv_create_qp(domain, &init);
	if (!CHECK(qp))
		return;
	CHECK_EQUAL(0, ibv_destroy_qp(r.a.qp));
	r.a.qp = qp;
	report_connect(&r, &attr);
	memset(r.b.memory, 0, 64);
	memset(r.a.memory, (int)i + 1, 64);
	CHECK_EQUAL(0, report_post(&r, report_wr(&r, IBV_WR_RDMA_WRITE, 0), &piece));
	report_completes(&r.a, IBV_WC_SUCCESS, 0, NULL);
	CHECK(!memcmp(r.a.memory, r.b.memory, 64));
}

int main(void)
{
	struct ibv_td_init_attr init = { 0 };
	struct ibv_parent_domain_init_attr attr = { 0 };
	struct ibv_pd *pd;

	ktap_plan(1);
	report_open(&r);
	pd = r.a.hca.pd;
	report_qps(&r, report_init(IBV_QPT_RC), 16);
	ktap_case("%u of them side by side", DOMAINS);
	for (unsigned int i = 0; i < DOMAINS; i++) {
		ktap_step("domain %u", i);
		td[i] = ibv_alloc_td(r.a.hca.context, &init);
		ktap_must(td[i] ? 0 : -errno, "ibv_alloc_td");
		attr.pd = pd;
		attr.td = td[i];
		parent[i] = ibv_alloc_parent_domain(r.a.hca.context, &attr);
		ktap_must(parent[i] ? 0 : -errno, "ibv_alloc_parent_domain");
		if (!i)
			CHECK_EQUAL(EBUSY, ibv_dealloc_td(td[i]));
		write_by(parent[i], i);
	}
	write_by(pd, DOMAINS);
	for (unsigned int i = 0; i < DOMAINS; i++) {
		CHECK_EQUAL(0, ibv_dealloc_pd(parent[i]));
		CHECK_EQUAL(0, ibv_dealloc_td(td[i]));
	}
	ktap_done();
	report_close(&r);
	return ktap_exit();
}
