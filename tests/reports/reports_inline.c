// SPDX-License-Identifier: GPL-2.0-only
/* The most inline data that a QP can have, and all of it arrives. */
#include <errno.h>
#include <string.h>

#include "reports.h"

static struct report r;

static bool creates(struct ibv_qp_init_attr init, uint32_t bytes)
{
	struct ibv_qp *qp;

	init.send_cq = init.recv_cq = r.a.cq;
	init.cap.max_inline_data = bytes;
	qp = ibv_create_qp(r.a.hca.pd, &init);
	if (!qp)
		return !CHECK_EQUAL(EINVAL, errno);
	CHECK(init.cap.max_inline_data >= bytes);
	CHECK_EQUAL(0, ibv_destroy_qp(qp));
	return true;
}

static uint32_t most(const struct ibv_qp_init_attr *init)
{
	uint32_t good = 0, bad = 4096;

	while (bad - good > 1) {
		uint32_t bytes = (good + bad) / 2;

		if (creates(*init, bytes))
			good = bytes;
		else
			bad = bytes;
	}
	return good;
}

/* The memory is nobody's, as it is for a message that is inline. */
static void send(uint32_t bytes, uint32_t grh, const struct ibv_send_wr *to)
{
	struct ibv_sge from = { .addr = (uintptr_t)r.a.memory + 1, .length = bytes, .lkey = 0x123 };
	struct ibv_sge into = report_piece(&r.b, 0, REPORT_BYTES);
	struct ibv_send_wr wr = *to;
	struct ibv_wc wc;

	ktap_step("%u bytes", bytes);
	memset(r.b.memory, 0xee, grh + bytes + 64);
	wr.send_flags |= IBV_SEND_INLINE;
	CHECK_EQUAL(0, report_receive(&r.b, bytes, &into));
	if (!CHECK_EQUAL(0, report_post(&r, wr, &from)))
		return;
	report_completes(&r.a, IBV_WC_SUCCESS, 0, NULL);
	if (!report_completes(&r.b, IBV_WC_SUCCESS, bytes, &wc))
		return;
	CHECK_EQUAL(grh + bytes, wc.byte_len);
	CHECK(!memcmp(r.b.memory + grh, r.a.memory + 1, bytes));
	CHECK_EQUAL(0xee, r.b.memory[grh + bytes]);
}

static void type(enum ibv_qp_type type, const char *name)
{
	struct ibv_qp_init_attr init = report_init(type);
	struct ibv_ah_attr ah = { .dlid = r.b.hca.lid, .port_num = 1 };
	struct ibv_qp_attr attr = report_attr();
	struct ibv_send_wr wr;
	uint32_t grh = type == IBV_QPT_UD ? 40 : 0, bytes;

	ktap_case("%s", name);
	report_qps(&r, init, 64);
	bytes = most(&init);
	ktap_note("%s: %u bytes", name, bytes);
	init.cap.max_inline_data = bytes;
	report_qps(&r, init, 64);
	report_connect(&r, &attr);
	wr = report_wr(&r, IBV_WR_SEND, 0);
	if (grh) {
		wr.wr.ud.ah = ibv_create_ah(r.a.hca.pd, &ah);
		ktap_must(wr.wr.ud.ah ? 0 : -errno, "ibv_create_ah");
		wr.wr.ud.remote_qpn = r.b.qp->qp_num;
		wr.wr.ud.remote_qkey = 0x11111111;
	}
	/* Over the end of the send queue, again and again. */
	for (uint32_t i = 0; i < bytes; i += 13)
		send(i, grh, &wr);
	send(bytes - 1, grh, &wr);
	send(bytes, grh, &wr);
	if (grh)
		CHECK_EQUAL(0, ibv_destroy_ah(wr.wr.ud.ah));
	ktap_done();
}

int main(void)
{
	ktap_plan(3);
	report_open(&r);
	type(IBV_QPT_RC, "RC");
	type(IBV_QPT_UC, "UC");
	type(IBV_QPT_UD, "UD");
	report_close(&r);
	return ktap_exit();
}
