// SPDX-License-Identifier: GPL-2.0-only
/* A completion queue that changes its size with completions in it, and while more of them come. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "reports.h"

#define MESSAGES 400u

static struct report r;

static void send(uint64_t id)
{
	struct ibv_send_wr wr = report_wr(&r, IBV_WR_SEND, 0);

	CHECK_EQUAL(0, report_receive(&r.b, id, NULL));
	wr.wr_id = id;
	CHECK_EQUAL(0, report_post(&r, wr, NULL));
}

/* A message is there when its answer is: 15 of them in b's queue of 15. */
static void fill(unsigned int first)
{
	for (unsigned int i = 0; i < 15; i++) {
		send(first + i);
		report_completes(&r.a, IBV_WC_SUCCESS, first + i, NULL);
	}
}

static void *sender(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < MESSAGES; i++) {
		send(i);
		report_completes(&r.a, IBV_WC_SUCCESS, i, NULL);
	}
	return NULL;
}

int main(void)
{
	static const int sizes[] = { 4000, 500, 5000, 600 };
	struct ibv_qp_init_attr init = report_init(IBV_QPT_RC);
	struct ibv_qp_attr attr = report_attr();
	pthread_t thread;

	ktap_plan(3);
	report_open(&r);
	init.cap.max_recv_wr = 512;
	report_qps(&r, init, 15);
	report_connect(&r, &attr);

	ktap_case("full, made larger: all are there, in order");
	fill(0);
	CHECK_EQUAL(0, ibv_resize_cq(r.b.cq, 600));
	CHECK(r.b.cq->cqe >= 600);
	fill(15);
	for (unsigned int i = 0; i < 30; i++)
		report_completes(&r.b, IBV_WC_SUCCESS, i, NULL);
	report_quiet(&r.b);
	ktap_done();

	ktap_case("smaller than what it holds: EINVAL, and all are there");
	fill(0);
	fill(15);
	CHECK_EQUAL(EINVAL, ibv_resize_cq(r.b.cq, 7));
	for (unsigned int i = 0; i < 30; i++)
		report_completes(&r.b, IBV_WC_SUCCESS, i, NULL);
	CHECK_EQUAL(0, ibv_resize_cq(r.b.cq, 7));
	CHECK_EQUAL(0, ibv_resize_cq(r.b.cq, 600));
	ktap_done();

	ktap_case("four times while %u messages come", MESSAGES);
	ktap_must(-pthread_create(&thread, NULL, sender, NULL), "pthread_create");
	for (unsigned int i = 0; i < MESSAGES; i++) {
		report_completes(&r.b, IBV_WC_SUCCESS, i, NULL);
		if (i % 100 == 50)
			CHECK_EQUAL(0, ibv_resize_cq(r.b.cq, sizes[i / 100]));
	}
	pthread_join(thread, NULL);
	report_quiet(&r.b);
	ktap_done();
	report_close(&r);
	return ktap_exit();
}
