// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues and what they announce: interrupts that are lost or late, a completion queue that is too
 * small, commands that are not answered in time.
 *
 * Usage: faults_queue REQUESTER RESPONDER BDF ENDPOINT MS, the time-out of commands.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults_work.h"

#define CREATE_CQ   0x400
#define CREATE_QP   0x500
#define QUERY_VPORT 0x762
#define SMALL	    16
/* The driver looks at the event queue when the time is over, and waits once more. */
#define SECOND_WAIT_MS 5000

static struct work w;
static unsigned int timeout_ms;

/* Two queues of completions with their events, both at the requester. */
static struct listener {
	struct ibv_comp_channel *channel;
	struct ibv_cq *cq;
} first, second;

static bool listener_open(struct listener *l)
{
	l->channel = ibv_create_comp_channel(w.from.context);
	l->cq = l->channel ? ibv_create_cq(w.from.context, 64, NULL, l->channel, 0) : NULL;
	return CHECK(l->cq);
}

static void listener_close(struct listener *l)
{
	if (l->cq)
		CHECK_EQUAL(0, ibv_destroy_cq(l->cq));
	if (l->channel)
		ibv_destroy_comp_channel(l->channel);
	*l = (struct listener){ 0 };
}

static bool event_within(struct listener *l, int ms)
{
	struct pollfd polled = { .fd = l->channel->fd, .events = POLLIN };
	struct ibv_cq *cq;
	void *context;

	if (poll(&polled, 1, ms) != 1 || ibv_get_cq_event(l->channel, &cq, &context))
		return false;
	ibv_ack_cq_events(cq, 1);
	return cq == l->cq;
}

/* A connection whose completions are at @l. Returns NULL when there is none. */
static struct ibv_qp *connected(struct listener *l)
{
	struct ibv_qp_init_attr init = {
		.send_cq = l->cq,
		.recv_cq = l->cq,
		.qp_type = IBV_QPT_RC,
		.sq_sig_all = 1,
		.cap = { .max_send_wr = 4, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 }
	};
	struct mr_link link = w.link;

	link.from.qp = ibv_create_qp(w.from.pd, &init);
	link.from.cq = l->cq;
	if (CHECK(link.from.qp))
		CHECK_EQUAL(0, mr_link_reconnect(&link));
	return link.from.qp;
}

/* A write of @qp, whose completion is announced at @l. */
static void announced(struct listener *l, struct ibv_qp *qp)
{
	struct ibv_sge sge = { .addr = (uintptr_t)w.link.buffer,
			       .length = 64,
			       .lkey = w.link.buffer_mr->lkey };
	struct ibv_send_wr wr = { .opcode = IBV_WR_RDMA_WRITE,
				  .sg_list = &sge,
				  .num_sge = 1,
				  .wr.rdma = { .remote_addr = w.mr.iova, .rkey = w.mr.rkey } };
	struct ibv_send_wr *bad;
	struct ibv_wc wc;

	if (!qp)
		return;
	CHECK_EQUAL(0, ibv_req_notify_cq(l->cq, 0));
	CHECK_EQUAL(0, ibv_post_send(qp, &wr, &bad));
	CHECK_EQUAL(0, mr_wait(l->cq, &wc));
	CHECK_EQUAL(IBV_WC_SUCCESS, wc.status);
}

/* The completion is there, its event is not: the device raises an interrupt again that nobody
 * reacts to. */
static void lost_completion_interrupt(void)
{
	struct ibv_qp *qp[2] = { NULL, NULL };

	if (listener_open(&first) && listener_open(&second)) {
		qp[0] = connected(&first);
		/*
		 * A doorbell of any event queue, that of commands included, has the vectors of all
		 * others raised again where events wait: none may be on its way.
		 */
		usleep(100000);
		/* Vector 0 is that of commands and asynchronous events. */
		inject("%s interrupts lost from=1", w.ends[0]);
		announced(&first, qp[0]);
		CHECK_EQUAL(1, injected(w.ends[0], "interrupts"));
		CHECK(!event_within(&first, 0));
		qp[1] = connected(&second);
		announced(&second, qp[1]);
		CHECK(event_within(&second, 30000));
		CHECK(event_within(&first, 30000));
	}
	for (unsigned int i = 0; i < 2; i++)
		if (qp[i])
			CHECK_EQUAL(0, ibv_destroy_qp(qp[i]));
	listener_close(&first);
	listener_close(&second);
}

static void late_completion_interrupt(void)
{
	struct ibv_qp *qp = NULL;

	if (listener_open(&first)) {
		qp = connected(&first);
		inject("%s interrupts late ms=300 from=1", w.ends[0]);
		announced(&first, qp);
		CHECK_EQUAL(1, injected(w.ends[0], "interrupts"));
		CHECK(event_within(&first, 30000));
	}
	if (qp)
		CHECK_EQUAL(0, ibv_destroy_qp(qp));
	listener_close(&first);
}

/* CREATE_CQ: returns the errno that the user gets. */
static int command(void)
{
	struct ibv_cq *cq = ibv_create_cq(w.from.context, 8, NULL, NULL, 0);

	if (!cq)
		return errno;
	return CHECK_EQUAL(0, ibv_destroy_cq(cq)) ? 0 : -1;
}

/* The driver finds the answer when its time is over. */
static void lost_command_interrupt(void)
{
	inject("%s interrupts lost to=1", w.ends[0]);
	CHECK_EQUAL(0, command());
	CHECK_EQUAL(1, injected(w.ends[0], "interrupts"));
}

static void late_command_interrupt(void)
{
	inject("%s interrupts late ms=300 to=1", w.ends[0]);
	CHECK_EQUAL(0, command());
	CHECK_EQUAL(1, injected(w.ends[0], "interrupts"));
}

/* In time: nobody notices. */
static void slow_command(void)
{
	inject("%s commands late opcode=%u ms=300", w.ends[0], CREATE_CQ);
	CHECK_EQUAL(0, command());
	CHECK_EQUAL(1, injected(w.ends[0], "commands"));
}

/* A command that makes nothing: an object of a CREATE that comes too late would stay, and be
 * nobody's. */
static int query(void)
{
	struct ibv_port_attr attr;

	return ibv_query_port(w.from.context, 1, &attr);
}

/* Too late: the driver has given it up, and does not take the answer for that of another one. */
static void late_command(void)
{
	inject("%s commands late opcode=%u ms=%u", w.ends[0], QUERY_VPORT,
	       timeout_ms + SECOND_WAIT_MS + 2000);
	CHECK_EQUAL(ETIMEDOUT, query());
	CHECK_EQUAL(1, injected(w.ends[0], "commands"));
	for (unsigned int i = 0; i < 20; i++)
		CHECK_EQUAL(0, query());
	usleep(2500000);
	for (unsigned int i = 0; i < 20; i++)
		CHECK_EQUAL(0, command());
}

/*
 * Not answered before the rule ends. The driver keeps the slot until then, and could neither
 * recover nor unload without its answer.
 */
static void lost_command(void)
{
	inject("%s commands lost opcode=%u", w.ends[0], QUERY_VPORT);
	CHECK_EQUAL(ETIMEDOUT, query());
	CHECK_EQUAL(1, injected(w.ends[0], "commands"));
	CHECK_EQUAL(0, query());
}

/* A process is killed while the HCA makes its QP. */
static void killed_in_a_command(void)
{
	pid_t child;
	int status = 0;

	inject("%s commands late opcode=%u ms=1000", w.ends[1], CREATE_QP);
	fflush(NULL);
	child = fork();
	if (!child) {
		execlp("ibv_rc_pingpong", "ibv_rc_pingpong", "-d", w.names[1], NULL);
		_exit(1);
	}
	for (unsigned int i = 0; i < 600 && !injected(w.ends[1], "commands"); i++)
		usleep(50000);
	CHECK_EQUAL(1, injected(w.ends[1], "commands"));
	CHECK_EQUAL(0, kill(child, SIGKILL));
	CHECK_EQUAL(child, waitpid(child, &status, 0));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* More completions than the queue takes: the owner is told, those that did not fit are gone. */
static void cq_overrun(void)
{
	struct pollfd polled = { .fd = w.from.context->async_fd, .events = POLLIN };
	struct ibv_cq *cq = ibv_create_cq(w.from.context, SMALL - 1, NULL, NULL, 0);
	struct ibv_qp_init_attr init = { .send_cq = cq,
					 .recv_cq = cq,
					 .qp_type = IBV_QPT_RC,
					 .sq_sig_all = 1,
					 .cap = { .max_send_wr = 2 * SMALL,
						  .max_recv_wr = 1,
						  .max_send_sge = 1,
						  .max_recv_sge = 1 } };
	struct ibv_sge sge = { .addr = (uintptr_t)w.link.buffer,
			       .length = 64,
			       .lkey = w.link.buffer_mr->lkey };
	struct ibv_send_wr wr = { .opcode = IBV_WR_RDMA_WRITE,
				  .sg_list = &sge,
				  .num_sge = 1,
				  .wr.rdma = { .remote_addr = w.mr.iova, .rkey = w.mr.rkey } };
	struct ibv_async_event event;
	struct ibv_send_wr *bad;
	struct mr_link link = w.link;
	unsigned int got = 0;
	struct ibv_wc wc;

	if (!CHECK(cq))
		return;
	CHECK_EQUAL(SMALL - 1, cq->cqe);
	link.from.qp = ibv_create_qp(w.from.pd, &init);
	link.from.cq = cq;
	if (CHECK(link.from.qp) && CHECK_EQUAL(0, mr_link_reconnect(&link))) {
		for (unsigned int i = 0; i <= SMALL; i++)
			CHECK_EQUAL(0, ibv_post_send(link.from.qp, &wr, &bad));
		if (CHECK(poll(&polled, 1, 30000) == 1) &&
		    CHECK_EQUAL(0, ibv_get_async_event(w.from.context, &event))) {
			CHECK_EQUAL(IBV_EVENT_CQ_ERR, event.event_type);
			CHECK(event.element.cq == cq);
			ibv_ack_async_event(&event);
		}
		while (ibv_poll_cq(cq, 1, &wc) > 0)
			got += wc.status == IBV_WC_SUCCESS;
		CHECK_EQUAL(SMALL, got);
	}
	if (link.from.qp)
		CHECK_EQUAL(0, ibv_destroy_qp(link.from.qp));
	CHECK_EQUAL(0, ibv_destroy_cq(cq));
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "the interrupt of a completion is lost", lost_completion_interrupt },
	{ "the interrupt of a completion is late", late_completion_interrupt },
	{ "the interrupt of a command is lost", lost_command_interrupt },
	{ "the interrupt of a command is late", late_command_interrupt },
	{ "a command takes its time", slow_command },
	{ "a command is answered too late", late_command },
	{ "a command is lost", lost_command },
	{ "a process is killed in the middle of a command", killed_in_a_command },
	{ "a completion queue overruns", cq_overrun },
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

int main(int argc, char **argv)
{
	if (argc != 6)
		ktap_bail("usage: %s REQUESTER RESPONDER BDF ENDPOINT MS", argv[0]);
	timeout_ms = (unsigned int)atoi(argv[5]);
	ktap_plan(CASES);
	work_open(&w, 5, argv);
	for (unsigned int i = 0; i < CASES; i++) {
		ktap_case("%s", cases[i].name);
		cases[i].run();
		inject("%s off", w.ends[0]);
		inject("%s off", w.ends[1]);
		ktap_step("the next job");
		work_check(&w);
		ktap_done();
	}
	work_close(&w);
	return ktap_exit();
}
