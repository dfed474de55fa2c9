// SPDX-License-Identifier: GPL-2.0-only
/* Immediate data comes as it went, and a write with it takes a receive that has no memory. */
#include <arpa/inet.h>
#include <string.h>

#include "reports.h"

#define IMMEDIATE 0x01020304u

static struct report r;

static void one(enum ibv_wr_opcode opcode, enum ibv_wc_opcode expected, uint32_t length)
{
	struct ibv_sge piece = report_piece(&r.a, 5, length);
	struct ibv_sge into = report_piece(&r.b, 9, REPORT_BYTES - 9);
	struct ibv_send_wr wr = report_wr(&r, opcode, 9);
	bool write = opcode == IBV_WR_RDMA_WRITE_WITH_IMM;
	struct ibv_wc wc;

	ktap_step("%u bytes", length);
	memset(r.b.memory, 0, REPORT_BYTES);
	wr.imm_data = htonl(IMMEDIATE + length);
	CHECK_EQUAL(0, report_receive(&r.b, length, write ? NULL : &into));
	CHECK_EQUAL(0, report_post(&r, wr, length ? &piece : NULL));
	report_completes(&r.a, IBV_WC_SUCCESS, 0, NULL);
	if (!report_completes(&r.b, IBV_WC_SUCCESS, length, &wc))
		return;
	CHECK_EQUAL(expected, wc.opcode);
	CHECK(wc.wc_flags & IBV_WC_WITH_IMM);
	CHECK_EQUAL(IMMEDIATE + length, ntohl(wc.imm_data));
	CHECK_EQUAL(length, wc.byte_len);
	CHECK_EQUAL(r.a.qp->qp_num, wc.src_qp);
	CHECK(!memcmp(r.a.memory + 5, r.b.memory + 9, length));
}

int main(void)
{
	static const uint32_t lengths[] = { 0, 1, 4096, 4097, 60000 };
	static const enum ibv_qp_type types[] = { IBV_QPT_RC, IBV_QPT_UC };
	struct ibv_qp_attr attr = report_attr();

	ktap_plan(4);
	report_open(&r);
	for (unsigned int type = 0; type < 2; type++) {
		report_qps(&r, report_init(types[type]), 16);
		report_connect(&r, &attr);
		ktap_case("%s RDMA WRITE", type ? "UC" : "RC");
		for (unsigned int i = 0; i < 5; i++)
			one(IBV_WR_RDMA_WRITE_WITH_IMM, IBV_WC_RECV_RDMA_WITH_IMM, lengths[i]);
		ktap_done();
		ktap_case("%s SEND", type ? "UC" : "RC");
		for (unsigned int i = 0; i < 5; i++)
			one(IBV_WR_SEND_WITH_IMM, IBV_WC_RECV, lengths[i]);
		ktap_done();
	}
	report_close(&r);
	return ktap_exit();
}
