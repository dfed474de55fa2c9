// SPDX-License-Identifier: GPL-2.0-only
/*
 * Completion events as programs wait for them: each armed CQ with a completion has one, whatever
 * the driver takes in one interrupt, and whatever else goes on.
 *
 * Usage: reports_events HCA many COUNT...	COUNT armed CQs complete at once
 *	  reports_events HCA storm ROUNDS	events without pause beside commands
 *	  reports_events HCA masked BDF		a completion while the interrupts of BDF are masked
 *	  reports_events HCA moderated		ibv_modify_cq()
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/tests/ktap.h"
#include "kernel/tests/mr.h"

#define CQS_MAX	  4096u
#define STORM_CQS 64u
#define PATIENCE  60000 /* ms for an event that has to come */
#define QUIET	  300	/* ms for one that must not */
#define NOBODY	  0xfffff0u

static struct mr_hca hca;

/* CQs, each with a QP whose datagrams complete there; nobody receives them. */
struct set {
	struct ibv_comp_channel *channel;
	struct ibv_cq *unused, *cq[CQS_MAX];
	struct ibv_qp *qp[CQS_MAX];
	struct ibv_ah *ah;
	unsigned int count, events[CQS_MAX];
};

static struct ibv_qp *datagrams(struct set *set, struct ibv_cq *cq)
{
	struct ibv_qp_init_attr init = { .send_cq = cq,
					 .recv_cq = set->unused,
					 .qp_type = IBV_QPT_UD,
					 .sq_sig_all = 1,
					 .cap = { .max_send_wr = 4, .max_send_sge = 1 } };
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_INIT, .port_num = 1, .qkey = 1 };
	struct ibv_qp *qp = ibv_create_qp(hca.pd, &init);

	if (!qp ||
	    ibv_modify_qp(qp, &attr, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_QKEY))
		return NULL;
	attr = (struct ibv_qp_attr){ .qp_state = IBV_QPS_RTR };
	if (ibv_modify_qp(qp, &attr, IBV_QP_STATE))
		return NULL;
	attr = (struct ibv_qp_attr){ .qp_state = IBV_QPS_RTS };
	return ibv_modify_qp(qp, &attr, IBV_QP_STATE | IBV_QP_SQ_PSN) ? NULL : qp;
}

static bool open_set(struct set *set, unsigned int count)
{
	struct ibv_ah_attr to = { .port_num = 1, .dlid = hca.lid };

	memset(set, 0, sizeof(*set));
	if (count > CQS_MAX)
		return false;
	set->channel = ibv_create_comp_channel(hca.context);
	set->unused = ibv_create_cq(hca.context, 1, NULL, NULL, 0);
	set->ah = ibv_create_ah(hca.pd, &to);
	if (!set->channel || !set->unused || !set->ah)
		return false;
	for (; set->count < count; set->count++) {
		unsigned int i = set->count;

		set->cq[i] = ibv_create_cq(hca.context, 4, (void *)(uintptr_t)i, set->channel, 0);
		set->qp[i] = set->cq[i] ? datagrams(set, set->cq[i]) : NULL;
		if (!set->qp[i])
			return false;
	}
	return true;
}

static void close_set(struct set *set)
{
	for (unsigned int i = 0; i < set->count; i++) {
		ibv_destroy_qp(set->qp[i]);
		ibv_destroy_cq(set->cq[i]);
	}
	ibv_destroy_ah(set->ah);
	ibv_destroy_cq(set->unused);
	ibv_destroy_comp_channel(set->channel);
}

static bool post(struct set *set, unsigned int i)
{
	struct ibv_send_wr *bad,
		wr = { .opcode = IBV_WR_SEND, .wr.ud = { .ah = set->ah, .remote_qpn = NOBODY } };

	return !ibv_post_send(set->qp[i], &wr, &bad);
}

static bool readable(struct set *set, int ms)
{
	struct pollfd polled = { .fd = set->channel->fd, .events = POLLIN };

	return poll(&polled, 1, ms) == 1;
}

/* Takes up to @count events. Returns how many came, and counts them for their CQs. */
static unsigned int take(struct set *set, unsigned int count)
{
	unsigned int taken = 0;

	while (taken < count && readable(set, PATIENCE)) {
		struct ibv_cq *cq;
		void *index;

		if (ibv_get_cq_event(set->channel, &cq, &index))
			break;
		ibv_ack_cq_events(cq, 1);
		set->events[(uintptr_t)index]++;
		taken++;
	}
	return taken;
}

/* One completion of each CQ, all of which are armed: one event for each, and one completion. */
static bool round_of(struct set *set)
{
	unsigned int i, wrong = 0;
	struct ibv_wc wc;

	memset(set->events, 0, sizeof(set->events));
	for (i = 0; i < set->count; i++) {
		if (ibv_req_notify_cq(set->cq[i], 0))
			return false;
	}
	for (i = 0; i < set->count; i++) {
		if (!post(set, i))
			return false;
	}
	if (!CHECK_EQUAL(set->count, take(set, set->count)))
		return false;
	for (i = 0; i < set->count; i++)
		wrong += set->events[i] != 1 || ibv_poll_cq(set->cq[i], 1, &wc) != 1 ||
			 wc.status != IBV_WC_SUCCESS;
	return CHECK_EQUAL(0, wrong);
}

static bool registers(void)
{
	static uint8_t page[4096] __attribute__((aligned(4096)));
	struct ibv_mr *mr = ibv_reg_mr(hca.pd, page, sizeof(page), IBV_ACCESS_LOCAL_WRITE);

	return CHECK(mr) && CHECK_EQUAL(0, ibv_dereg_mr(mr));
}

static void many(unsigned int count)
{
	static struct set set;

	ktap_case("%u armed CQs", count);
	if (CHECK(open_set(&set, count)) && round_of(&set)) {
		CHECK(!readable(&set, QUIET));
		CHECK(!ibv_req_notify_cq(set.cq[0], 0) && post(&set, 0));
		CHECK_EQUAL(1, take(&set, 1));
		registers();
	}
	close_set(&set);
	ktap_done();
}

struct storm {
	struct set set;
	atomic_bool end;
	unsigned int rounds;
	bool failed;
};

static void *storm_thread(void *arg)
{
	struct storm *storm = arg;

	while (!atomic_load(&storm->end) && !storm->failed) {
		storm->failed = !round_of(&storm->set);
		storm->rounds++;
	}
	return NULL;
}

static bool commands(void)
{
	struct ibv_pd *pd = ibv_alloc_pd(hca.context);
	struct ibv_cq *cq = ibv_create_cq(hca.context, 16, NULL, NULL, 0);
	struct ibv_port_attr port;

	return CHECK(pd && cq) && CHECK_EQUAL(0, ibv_query_port(hca.context, 1, &port)) &&
	       registers() && CHECK_EQUAL(0, ibv_destroy_cq(cq)) &&
	       CHECK_EQUAL(0, ibv_dealloc_pd(pd));
}

static void storm(unsigned int rounds)
{
	static struct storm storm;
	pthread_t thread;

	ktap_case("%u rounds of commands beside events", rounds);
	if (CHECK(open_set(&storm.set, STORM_CQS)) &&
	    CHECK_EQUAL(0, pthread_create(&thread, NULL, storm_thread, &storm))) {
		while (rounds-- && commands())
			;
		atomic_store(&storm.end, true);
		pthread_join(thread, NULL);
		CHECK(!storm.failed);
		CHECK(storm.rounds > 1);
	}
	close_set(&storm.set);
	ktap_done();
}

/* Function Mask of the MSI-X capability. No command can end while it is set. */
static void mask(const char *bdf, bool set)
{
	char command[96];

	snprintf(command, sizeof(command), "setpci -s %s CAP_MSIX+2.w=%s:4000", bdf,
		 set ? "4000" : "0000");
	CHECK_EQUAL(0, system(command));
}

static void masked(const char *bdf)
{
	static struct set set;

	ktap_case("masked");
	if (CHECK(open_set(&set, 2)) && round_of(&set)) {
		CHECK(!ibv_req_notify_cq(set.cq[0], 0) && !ibv_req_notify_cq(set.cq[1], 0));
		mask(bdf, true);
		CHECK(post(&set, 0) && post(&set, 1));
		CHECK(!readable(&set, QUIET));
		mask(bdf, false);
		CHECK_EQUAL(2, take(&set, 2));
		registers();
	}
	close_set(&set);
	ktap_done();
}

/* Four completions, or 4 ms after the last event, whichever comes first. */
static void moderated(void)
{
	struct ibv_modify_cq_attr attr = { .attr_mask = IBV_CQ_ATTR_MODERATE,
					   .moderate = { .cq_count = 4, .cq_period = 4000 } };
	static struct set set;

	ktap_case("moderated");
	if (CHECK(open_set(&set, 1)) && CHECK_EQUAL(0, ibv_modify_cq(set.cq[0], &attr))) {
		for (unsigned int i = 0; i < 20 && round_of(&set); i++)
			;
		CHECK(!readable(&set, QUIET));
	}
	close_set(&set);
	ktap_done();
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";
	int i;

	if (argc < 3 || (argc < 4 && strcmp(what, "moderated")))
		ktap_bail("usage: %s HCA many COUNT... | storm ROUNDS | masked BDF | moderated",
			  argv[0]);
	ktap_plan(strcmp(what, "many") ? 1 : (unsigned int)argc - 3);
	ktap_must(mr_hca_open(argv[1], &hca), argv[1]);
	if (!strcmp(what, "many")) {
		for (i = 3; i < argc; i++)
			many((unsigned int)atoi(argv[i]));
	} else if (!strcmp(what, "storm")) {
		storm((unsigned int)atoi(argv[3]));
	} else if (!strcmp(what, "masked")) {
		masked(argv[3]);
	} else if (!strcmp(what, "moderated")) {
		moderated();
	}
	mr_hca_close(&hca);
	return ktap_exit();
}
