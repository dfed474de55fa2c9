// SPDX-License-Identifier: GPL-2.0-only
/* Empty messages among long ones while the packet sequence number wraps around. */
#include <string.h>

#include "reports.h"

#define MTU 256u

static struct report r;

/* A message of @length bytes at @offset, to where it came from. Each has an id of its own. */
static void one(enum ibv_wr_opcode opcode, uint64_t id, uint32_t length)
{
	struct ibv_sge piece = report_piece(&r.a, 1000, length);
	struct ibv_sge into = report_piece(&r.b, 2000, 4096);
	struct ibv_send_wr wr = report_wr(&r, opcode, 2000);
	struct ibv_wc wc;

	ktap_step("request %u, %u bytes", (unsigned int)id, length);
	wr.wr_id = id;
	if (!length) {
		/* Nothing is accessed, so no key is looked at (InfiniBand Architecture, 9.7.4.1).
		 */
		wr.wr.rdma.remote_addr = 0;
		wr.wr.rdma.rkey = 0xdead00;
	}
	memset(r.b.memory, 0, REPORT_BYTES);
	if (opcode == IBV_WR_RDMA_READ) {
		memset(r.b.memory + 2000, (int)id, length);
	}
	if (opcode == IBV_WR_SEND || opcode == IBV_WR_RDMA_WRITE_WITH_IMM)
		CHECK_EQUAL(0, report_receive(&r.b, id, &into));
	CHECK_EQUAL(0, report_post(&r, wr, length ? &piece : NULL));
	report_completes(&r.a, IBV_WC_SUCCESS, id, NULL);
	if (opcode == IBV_WR_SEND || opcode == IBV_WR_RDMA_WRITE_WITH_IMM) {
		if (report_completes(&r.b, IBV_WC_SUCCESS, id, &wc))
			CHECK_EQUAL(length, wc.byte_len);
	}
	CHECK(!memcmp(r.a.memory + 1000, r.b.memory + 2000, length));
	CHECK_EQUAL(0, r.b.memory[2000 + length]);
}

int main(void)
{
	static const enum ibv_wr_opcode opcodes[] = { IBV_WR_RDMA_WRITE, IBV_WR_SEND,
						      IBV_WR_RDMA_READ,
						      IBV_WR_RDMA_WRITE_WITH_IMM };
	static const uint32_t lengths[] = { 0, 1, MTU, 0, MTU + 1, 0, 3 * MTU, 2 * MTU - 1, 0 };
	struct ibv_qp_attr attr = report_attr(), now = { 0 };
	struct ibv_qp_init_attr init;

	ktap_plan(2);
	report_open(&r);
	report_qps(&r, report_init(IBV_QPT_RC), 64);
	attr.path_mtu = IBV_MTU_256;
	for (unsigned int round = 0; round < 2; round++) {
		attr.sq_psn = attr.rq_psn = round ? 0xffffff : 0xfffff0;
		ktap_case("from PSN 0x%x", attr.sq_psn);
		report_connect(&r, &attr);
		CHECK_EQUAL(0, ibv_query_qp(r.a.qp, &now, IBV_QP_SQ_PSN | IBV_QP_RQ_PSN, &init));
		CHECK_EQUAL(attr.sq_psn, now.sq_psn);
		CHECK_EQUAL(attr.rq_psn, now.rq_psn);
		for (unsigned int i = 0; i < 36; i++)
			one(opcodes[i % 4], i, lengths[i % 9]);
		report_quiet(&r.a);
		report_quiet(&r.b);
		ktap_done();
	}
	report_close(&r);
	return ktap_exit();
}
