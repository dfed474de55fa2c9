// SPDX-License-Identifier: GPL-2.0-only
/* Time stamps of completions are readings of the HCA's clock, which ticks as it says. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "reports.h"

static struct report r;

static uint64_t ticks(void)
{
	struct ibv_values_ex values = { .comp_mask = IBV_VALUES_MASK_RAW_CLOCK };

	ktap_must(-ibv_query_rt_values_ex(r.a.hca.context, &values), "ibv_query_rt_values_ex");
	CHECK(values.comp_mask & IBV_VALUES_MASK_RAW_CLOCK);
	return (uint64_t)values.raw_clock.tv_nsec;
}

static uint64_t ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Between two readings of the CPU's clock, and around two of them; a hundredth for their rates. */
static void rate(uint64_t khz)
{
	uint64_t outer[2], inner[2], hca[2], passed;

	ktap_case("hca_core_clock is in kHz");
	outer[0] = ns();
	hca[0] = ticks();
	inner[0] = ns();
	nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
	inner[1] = ns();
	hca[1] = ticks();
	outer[1] = ns();
	passed = (hca[1] - hca[0]) * 1000000 / khz;
	CHECK(passed <= (outer[1] - outer[0]) / 100 * 101);
	CHECK(passed >= (inner[1] - inner[0]) / 100 * 99);
	ktap_done();
}

static void stamps(uint64_t mask)
{
	struct ibv_cq_init_attr_ex attr = { .cqe = 64,
					    .wc_flags = IBV_WC_EX_WITH_COMPLETION_TIMESTAMP };
	struct ibv_cq_ex *cq = ibv_create_cq_ex(r.a.hca.context, &attr);
	struct ibv_qp_init_attr init = report_init(IBV_QPT_RC);
	struct ibv_qp_attr rts = report_attr();
	struct ibv_poll_cq_attr poll = { 0 };
	struct ibv_sge piece = report_piece(&r.a, 0, 64);
	struct ibv_send_wr wr;
	uint64_t last, stamp;
	time_t end = time(NULL) + 30;
	int ret;

	ktap_case("they lie between the request and the poll, in order");
	ktap_must(cq ? 0 : -errno, "ibv_create_cq_ex");
	init.send_cq = init.recv_cq = ibv_cq_ex_to_cq(cq);
	report_qps(&r, init, 16);
	report_connect(&r, &rts);
	wr = report_wr(&r, IBV_WR_RDMA_WRITE, 0);
	last = ticks() & mask;
	for (unsigned int i = 0; i < 10; i++)
		CHECK_EQUAL(0, report_post(&r, wr, &piece));
	for (unsigned int i = 0; i < 10; i++) {
		while ((ret = ibv_start_poll(cq, &poll)) == ENOENT && time(NULL) < end)
			;
		if (!CHECK_EQUAL(0, ret))
			break;
		CHECK_EQUAL(IBV_WC_SUCCESS, cq->status);
		stamp = ibv_wc_read_completion_ts(cq);
		ibv_end_poll(cq);
		CHECK_EQUAL(0, (int64_t)(stamp & ~mask));
		CHECK(stamp >= last);
		last = stamp;
	}
	CHECK(last <= (ticks() & mask));
	report_destroy_qps(&r);
	CHECK_EQUAL(0, ibv_destroy_cq(ibv_cq_ex_to_cq(cq)));
	ktap_done();
}

int main(void)
{
	struct ibv_device_attr_ex device;

	ktap_plan(2);
	report_open(&r);
	ktap_must(-ibv_query_device_ex(r.a.hca.context, NULL, &device), "ibv_query_device_ex");
	CHECK(device.completion_timestamp_mask);
	CHECK(device.hca_core_clock);
	rate(device.hca_core_clock);
	stamps(device.completion_timestamp_mask);
	report_close(&r);
	return ktap_exit();
}
