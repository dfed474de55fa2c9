// SPDX-License-Identifier: GPL-2.0
/*
 * More completion events than the event queue takes, as their interrupts are lost: the function is
 * in error, says so by its health, and its driver starts it anew. Ends when the user is told.
 *
 * Usage: faults_eq REQUESTER RESPONDER BDF ENDPOINT EVENTS, as many as the queue takes.
 */
#include <poll.h>
#include <stdlib.h>

#include "faults_work.h"

static struct work w;

/* A CQ of its own is armed, and gets a completion. False when the function is in error already. */
static bool announce(struct ibv_comp_channel *channel)
{
	struct ibv_cq *cq = ibv_create_cq(w.from.context, 4, NULL, channel, 0);
	struct ibv_qp_init_attr init = {
		.send_cq = cq,
		.recv_cq = cq,
		.qp_type = IBV_QPT_RC,
		.sq_sig_all = 1,
		.cap = { .max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 }
	};
	struct ibv_sge sge = { .addr = (uintptr_t)w.link.buffer,
			       .length = 8,
			       .lkey = w.link.buffer_mr->lkey };
	struct ibv_send_wr wr = { .opcode = IBV_WR_RDMA_WRITE,
				  .sg_list = &sge,
				  .num_sge = 1,
				  .wr.rdma = { .remote_addr = w.mr.iova, .rkey = w.mr.rkey } };
	struct mr_link link = w.link;
	struct ibv_send_wr *bad;
	struct ibv_wc wc;

	link.from.cq = cq;
	link.from.qp = cq ? ibv_create_qp(w.from.pd, &init) : NULL;
	return link.from.qp && !mr_link_reconnect(&link) && !ibv_req_notify_cq(cq, 0) &&
	       !ibv_post_send(link.from.qp, &wr, &bad) && !mr_wait(cq, &wc) &&
	       wc.status == IBV_WC_SUCCESS;
}

static int next_event(void)
{
	struct pollfd polled = { .fd = w.from.context->async_fd, .events = POLLIN };
	struct ibv_async_event event;

	if (poll(&polled, 1, 60000) != 1 || ibv_get_async_event(w.from.context, &event))
		return -1;
	ibv_ack_async_event(&event);
	return (int)event.event_type;
}

int main(int argc, char **argv)
{
	struct ibv_comp_channel *channel;
	unsigned int events, done = 0;

	if (argc != 6)
		ktap_bail("usage: %s REQUESTER RESPONDER BDF ENDPOINT EVENTS", argv[0]);
	events = (unsigned int)atoi(argv[5]);
	ktap_plan(1);
	work_open(&w, 5, argv);
	ktap_case("%u events", events);
	channel = ibv_create_comp_channel(w.from.context);
	if (CHECK(channel)) {
		/* Vector 0 is that of commands and asynchronous events. */
		inject("%s interrupts lost from=1 count=%u", w.ends[0], 2 * events);
		/* The driver looks at the health every few seconds: it may notice before the last.
		 */
		while (done < events + 32 && announce(channel))
			done++;
		CHECK(done > events);
		CHECK_EQUAL(IBV_EVENT_DEVICE_FATAL, next_event());
	}
	ktap_done();
	/* Nothing is given back: the objects ended with the function, and the process ends with
	 * them. */
	return ktap_exit();
}
