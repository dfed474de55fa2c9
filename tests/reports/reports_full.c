// SPDX-License-Identifier: GPL-2.0-only
/* A send queue takes what it was created for, and no more; one completion makes room for all. */
#include <errno.h>
#include <string.h>

#include "reports.h"

#define WANTED 100u
#define TIMES  10u

static struct report r;

/* As many as fit; the last one alone asks for a completion. */
static unsigned int fill(unsigned int granted)
{
	struct ibv_sge piece = report_piece(&r.a, 0, 8);
	struct ibv_send_wr wr = report_wr(&r, IBV_WR_RDMA_WRITE, 0);
	unsigned int posted = 0;
	int ret;

	do {
		wr.wr_id = posted;
		wr.send_flags = posted == granted - 1 ? IBV_SEND_SIGNALED : 0;
		ret = report_post(&r, wr, &piece);
		posted += !ret;
	} while (!ret && posted < granted);
	CHECK_EQUAL(0, ret);
	return posted;
}

int main(void)
{
	struct ibv_qp_init_attr init = report_init(IBV_QPT_RC);
	struct ibv_qp_attr attr = report_attr(), now;
	struct ibv_sge piece;
	struct ibv_send_wr wr;

	ktap_plan(2);
	report_open(&r);
	init.cap.max_send_wr = WANTED;
	/* A completion queue that would not hold them all: only what is signalled has an entry. */
	report_qps(&r, init, 1);
	report_connect(&r, &attr);
	CHECK_EQUAL(0, ibv_query_qp(r.a.qp, &now, IBV_QP_CAP, &init));
	CHECK(init.cap.max_send_wr >= WANTED);

	ktap_case("a queue full of requests, three times round");
	for (unsigned int i = 0; i < TIMES; i++) {
		ktap_step("time %u", i);
		CHECK_EQUAL(init.cap.max_send_wr, fill(init.cap.max_send_wr));
		report_completes(&r.a, IBV_WC_SUCCESS, init.cap.max_send_wr - 1, NULL);
		report_quiet(&r.a);
	}
	ktap_done();

	ktap_case("full while the peer does not take them: ENOMEM, then as before");
	report_state(&r.b, IBV_QPS_RESET);
	piece = report_piece(&r.a, 0, 8);
	wr = report_wr(&r, IBV_WR_RDMA_WRITE, 0);
	CHECK_EQUAL(init.cap.max_send_wr, fill(init.cap.max_send_wr));
	CHECK_EQUAL(ENOMEM, report_post(&r, wr, &piece));
	/* Each request before was a packet; the peer goes on with the number of the next. */
	attr.rq_psn = TIMES * init.cap.max_send_wr;
	CHECK_EQUAL(0, report_modify(&r.b, &r.a, &attr, IBV_QPS_RTS));
	report_completes(&r.a, IBV_WC_SUCCESS, init.cap.max_send_wr - 1, NULL);
	wr.wr_id = 7777;
	CHECK_EQUAL(0, report_post(&r, wr, &piece));
	report_completes(&r.a, IBV_WC_SUCCESS, 7777, NULL);
	ktap_done();
	report_close(&r);
	return ktap_exit();
}
