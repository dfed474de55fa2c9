// SPDX-License-Identifier: GPL-2.0-only
/* Who asked for solicited completions gets an event for those, and for failures; no other. */
#include <poll.h>

#include "reports.h"

static struct report r;

static bool event(int ms)
{
	struct pollfd polled = { .fd = r.b.channel->fd, .events = POLLIN };
	struct ibv_cq *cq;
	void *context;

	if (poll(&polled, 1, ms) != 1)
		return false;
	CHECK_EQUAL(0, ibv_get_cq_event(r.b.channel, &cq, &context));
	CHECK(cq == r.b.cq);
	ibv_ack_cq_events(cq, 1);
	return true;
}

/* A message that is answered, so that what it leads to at b is there. */
static void message(unsigned int flags, enum ibv_wc_status status, enum ibv_wc_status at_b)
{
	struct ibv_sge piece = report_piece(&r.a, 0, 64);
	struct ibv_sge into = report_piece(&r.b, 0, at_b ? 10 : 64);
	struct ibv_send_wr wr = report_wr(&r, IBV_WR_SEND, 0);

	wr.send_flags |= flags;
	CHECK_EQUAL(0, report_receive(&r.b, 5, &into));
	CHECK_EQUAL(0, report_post(&r, wr, &piece));
	report_completes(&r.a, status, 0, NULL);
	report_completes(&r.b, at_b, 5, NULL);
}

int main(void)
{
	struct ibv_qp_attr attr = report_attr();

	ktap_plan(2);
	report_open(&r);
	report_qps(&r, report_init(IBV_QPT_RC), 16);
	report_connect(&r, &attr);

	ktap_case("three that are not, one that is: one event");
	CHECK_EQUAL(0, ibv_req_notify_cq(r.b.cq, 1));
	for (unsigned int i = 0; i < 3; i++) {
		message(0, IBV_WC_SUCCESS, IBV_WC_SUCCESS);
		CHECK(!event(0));
	}
	message(IBV_SEND_SOLICITED, IBV_WC_SUCCESS, IBV_WC_SUCCESS);
	CHECK(event(30000));
	message(IBV_SEND_SOLICITED, IBV_WC_SUCCESS, IBV_WC_SUCCESS);
	CHECK(!event(0));
	ktap_done();

	ktap_case("a failure");
	CHECK_EQUAL(0, ibv_req_notify_cq(r.b.cq, 1));
	message(0, IBV_WC_REM_INV_REQ_ERR, IBV_WC_LOC_LEN_ERR);
	CHECK(event(30000));
	ktap_done();
	report_close(&r);
	return ktap_exit();
}
