// SPDX-License-Identifier: GPL-2.0-only
/* With a fence, what a READ or an atomic brought is what the next request sends on. */
#include <errno.h>
#include <string.h>

#include "reports.h"

#define LENGTH 32768u

static struct report r;

/*
 * a READs b's bytes and, behind a fence, sends them back as a message or writes others over them:
 * all in one list.
 */
static void round_trip(uint8_t byte)
{
	struct ibv_sge fetched = report_piece(&r.a, 0, LENGTH);
	struct ibv_sge other = report_piece(&r.a, LENGTH, LENGTH);
	struct ibv_sge into = report_piece(&r.b, LENGTH, LENGTH);
	struct ibv_send_wr read = report_wr(&r, IBV_WR_RDMA_READ, 0);
	struct ibv_send_wr send = report_wr(&r, IBV_WR_SEND, 0);
	struct ibv_send_wr write = report_wr(&r, IBV_WR_RDMA_WRITE, 0), *bad;
	uint8_t expected[LENGTH];

	memset(expected, byte, LENGTH);
	memset(r.b.memory, byte, LENGTH);
	memset(r.b.memory + LENGTH, 0, LENGTH);
	memset(r.a.memory, 0, LENGTH);
	memset(r.a.memory + LENGTH, byte ^ 0xff, LENGTH);
	CHECK_EQUAL(0, report_receive(&r.b, byte, &into));
	read = (struct ibv_send_wr){ .wr_id = 1,
				     .next = &send,
				     .opcode = IBV_WR_RDMA_READ,
				     .sg_list = &fetched,
				     .num_sge = 1,
				     .wr = read.wr };
	send.wr_id = 2;
	send.next = &write;
	send.sg_list = &fetched;
	send.num_sge = 1;
	send.send_flags = IBV_SEND_FENCE;
	write.wr_id = 3;
	write.sg_list = &other;
	write.num_sge = 1;
	write.send_flags = IBV_SEND_FENCE | IBV_SEND_SIGNALED;
	CHECK_EQUAL(0, ibv_post_send(r.a.qp, &read, &bad));
	report_completes(&r.a, IBV_WC_SUCCESS, 3, NULL);
	report_completes(&r.b, IBV_WC_SUCCESS, byte, NULL);
	CHECK(!memcmp(expected, r.a.memory, LENGTH));
	CHECK(!memcmp(expected, r.b.memory + LENGTH, LENGTH));
	CHECK(!memcmp(r.a.memory + LENGTH, r.b.memory, LENGTH));
}

/* What FETCH_AND_ADD brings is the second one's source. */
static void counter(void)
{
	struct ibv_sge result = report_piece(&r.a, 0, 8);
	struct ibv_send_wr add = report_wr(&r, IBV_WR_ATOMIC_FETCH_AND_ADD, 0);
	struct ibv_send_wr write = report_wr(&r, IBV_WR_RDMA_WRITE, 64);
	uint64_t value = 0x1122334455667788;

	memcpy(r.b.memory, &value, 8);
	add.wr.atomic.compare_add = 1;
	add.send_flags = 0;
	write.send_flags |= IBV_SEND_FENCE;
	CHECK_EQUAL(0, report_post(&r, add, &result));
	CHECK_EQUAL(0, report_post(&r, write, &result));
	report_completes(&r.a, IBV_WC_SUCCESS, 0, NULL);
	CHECK(!memcmp(&value, r.b.memory + 64, 8));
	value++;
	CHECK(!memcmp(&value, r.b.memory, 8));
}

int main(void)
{
	struct ibv_qp_attr attr = report_attr();

	ktap_plan(2);
	report_open(&r);
	report_qps(&r, report_init(IBV_QPT_RC), 16);
	report_connect(&r, &attr);
	ktap_case("READ, then SEND and WRITE behind a fence");
	for (unsigned int i = 1; i < 30; i++) {
		ktap_step("time %u", i);
		round_trip((uint8_t)i);
	}
	ktap_done();
	ktap_case("FETCH_AND_ADD, then WRITE behind a fence");
	counter();
	ktap_done();
	report_close(&r);
	return ktap_exit();
}
