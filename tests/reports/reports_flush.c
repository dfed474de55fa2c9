// SPDX-License-Identifier: GPL-2.0-only
/* All that was posted comes back from a QP in error, also what is posted then; and the last one. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "reports.h"

static struct report r;

static void post(uint64_t id)
{
	struct ibv_sge piece = report_piece(&r.a, 0, 64);
	struct ibv_send_wr wr = report_wr(&r, IBV_WR_SEND, 0);

	wr.wr_id = id;
	wr.send_flags = 0;
	CHECK_EQUAL(0, report_post(&r, wr, &piece));
}

/* The completions of sends and receives: each kind in its order. */
static void flushed(unsigned int sends, unsigned int receives)
{
	unsigned int sent = 0, received = 0;
	struct ibv_wc wc;

	while (sent + received < sends + receives && CHECK_EQUAL(0, mr_wait(r.a.cq, &wc))) {
		CHECK_EQUAL(IBV_WC_WR_FLUSH_ERR, wc.status);
		CHECK_EQUAL(r.a.qp->qp_num, wc.qp_num);
		if (wc.wr_id >= 1000)
			CHECK_EQUAL(1000 + received++, (int64_t)wc.wr_id);
		else
			CHECK_EQUAL(sent++, (int64_t)wc.wr_id);
	}
	CHECK_EQUAL(sends, sent);
	CHECK_EQUAL(receives, received);
	report_quiet(&r.a);
}

static void queues(void)
{
	struct ibv_qp_attr attr = report_attr(), now = { 0 };
	struct ibv_qp_init_attr init;

	ktap_case("sends and receives, posted before and after");
	report_qps(&r, report_init(IBV_QPT_RC), 64);
	report_connect(&r, &attr);
	for (unsigned int i = 0; i < 10; i++)
		CHECK_EQUAL(0, report_receive(&r.a, 1000 + i, NULL));
	CHECK_EQUAL(0, report_state(&r.b, IBV_QPS_RESET));
	for (unsigned int i = 0; i < 8; i++)
		post(i);
	CHECK_EQUAL(0, report_state(&r.a, IBV_QPS_ERR));
	for (unsigned int i = 8; i < 12; i++)
		post(i);
	CHECK_EQUAL(0, report_receive(&r.a, 1010, NULL));
	flushed(12, 11);
	CHECK_EQUAL(0, ibv_query_qp(r.a.qp, &now, IBV_QP_STATE, &init));
	CHECK_EQUAL(IBV_QPS_ERR, now.qp_state);
	ktap_done();
}

/* Receives of an SRQ stay; the QP says by an event that it takes no more of them. */
static void shared(void)
{
	struct ibv_qp_attr attr = report_attr();
	struct ibv_qp_init_attr init = report_init(IBV_QPT_RC);
	struct ibv_srq_init_attr srq = { .attr = { .max_wr = 16, .max_sge = 1 } };
	struct pollfd polled = { .fd = r.a.hca.context->async_fd, .events = POLLIN };
	struct ibv_recv_wr recv = { .wr_id = 1000 }, *bad;
	struct ibv_async_event event;

	ktap_case("a beacon, and the last receive of an SRQ");
	init.srq = ibv_create_srq(r.a.hca.pd, &srq);
	ktap_must(init.srq ? 0 : -errno, "ibv_create_srq");
	report_qps(&r, init, 64);
	report_connect(&r, &attr);
	CHECK_EQUAL(0, ibv_post_srq_recv(init.srq, &recv, &bad));
	CHECK_EQUAL(0, report_state(&r.a, IBV_QPS_ERR));
	post(0);
	flushed(1, 0);
	if (CHECK_EQUAL(1, poll(&polled, 1, 30000)) &&
	    CHECK_EQUAL(0, ibv_get_async_event(r.a.hca.context, &event))) {
		CHECK_EQUAL(IBV_EVENT_QP_LAST_WQE_REACHED, event.event_type);
		CHECK(event.element.qp == r.a.qp);
		ibv_ack_async_event(&event);
	}
	CHECK_EQUAL(0, poll(&polled, 1, 0));
	report_destroy_qps(&r);
	CHECK_EQUAL(0, ibv_destroy_srq(init.srq));
	ktap_done();
}

int main(void)
{
	ktap_plan(2);
	report_open(&r);
	queues();
	shared();
	report_close(&r);
	return ktap_exit();
}
