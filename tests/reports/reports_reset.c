// SPDX-License-Identifier: GPL-2.0-only
/* A QP that was reset starts anew: nothing of before completes, is received or is left. */
#include <string.h>

#include "reports.h"

static struct report r;

static void post(enum ibv_wr_opcode opcode, uint64_t id)
{
	struct ibv_sge piece = report_piece(&r.a, 0, 64);
	struct ibv_send_wr wr = report_wr(&r, opcode, 0);

	wr.wr_id = id;
	CHECK_EQUAL(0, report_post(&r, wr, &piece));
}

/* Five writes and a message. */
static void works(struct ibv_qp_attr attr, uint64_t first)
{
	struct ibv_sge into = report_piece(&r.b, 0, 64);

	report_connect(&r, &attr);
	for (uint64_t id = first; id < first + 5; id++)
		post(IBV_WR_RDMA_WRITE, id);
	CHECK_EQUAL(0, report_receive(&r.b, first, &into));
	post(IBV_WR_SEND, first + 5);
	for (uint64_t id = first; id < first + 6; id++)
		report_completes(&r.a, IBV_WC_SUCCESS, id, NULL);
	report_completes(&r.b, IBV_WC_SUCCESS, first, NULL);
	report_quiet(&r.a);
	report_quiet(&r.b);
}

int main(void)
{
	struct ibv_qp_attr attr = report_attr();
	uint32_t number;

	ktap_plan(4);
	report_open(&r);
	report_qps(&r, report_init(IBV_QPT_RC), 64);
	number = r.a.qp->qp_num;

	ktap_case("RESET of a QP that is in RESET");
	CHECK_EQUAL(0, report_state(&r.a, IBV_QPS_RESET));
	CHECK_EQUAL(0, report_state(&r.a, IBV_QPS_RESET));
	works(attr, 0);
	ktap_done();

	ktap_case("with completions that nobody took, and receives that nobody used");
	for (unsigned int i = 0; i < 6; i++)
		post(IBV_WR_RDMA_WRITE, 100 + i);
	for (unsigned int i = 0; i < 6; i++)
		CHECK_EQUAL(0, report_receive(&r.b, 200 + i, NULL));
	attr.sq_psn = attr.rq_psn = 12345;
	works(attr, 300);
	/* With the old receives gone there is none for this. */
	attr.rnr_retry = 0;
	report_connect(&r, &attr);
	post(IBV_WR_SEND, 400);
	report_completes(&r.a, IBV_WC_RNR_RETRY_EXC_ERR, 400, NULL);
	ktap_done();

	ktap_case("with requests that the peer does not answer");
	attr = report_attr();
	for (unsigned int i = 0; i < 3; i++) {
		works(attr, 500);
		CHECK_EQUAL(0, report_state(&r.b, IBV_QPS_RESET));
		for (unsigned int j = 0; j < 10; j++)
			post(j % 2 ? IBV_WR_RDMA_READ : IBV_WR_RDMA_WRITE, 600 + j);
	}
	works(attr, 700);
	ktap_done();

	ktap_case("after an error");
	post(IBV_WR_SEND, 800);
	CHECK_EQUAL(0, report_state(&r.a, IBV_QPS_ERR));
	post(IBV_WR_SEND, 801);
	report_completes(&r.a, IBV_WC_WR_FLUSH_ERR, 800, NULL);
	works(attr, 900);
	CHECK_EQUAL(number, r.a.qp->qp_num);
	ktap_done();
	report_close(&r);
	return ktap_exit();
}
