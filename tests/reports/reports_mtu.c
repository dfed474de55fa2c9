// SPDX-License-Identifier: GPL-2.0-only
/* Ends of a connection with different path MTUs: what is longer than the smaller one is refused. */
#include <string.h>

#include "reports.h"

static struct report r;

static void connect_with(enum ibv_mtu a, enum ibv_mtu b)
{
	struct ibv_qp_attr attr = report_attr();

	report_connect(&r, &attr);
	CHECK_EQUAL(0, report_state(&r.a, IBV_QPS_RESET));
	CHECK_EQUAL(0, report_state(&r.b, IBV_QPS_RESET));
	attr.path_mtu = b;
	CHECK_EQUAL(0, report_modify(&r.b, &r.a, &attr, IBV_QPS_RTS));
	attr.path_mtu = a;
	CHECK_EQUAL(0, report_modify(&r.a, &r.b, &attr, IBV_QPS_RTS));
}

static void one(enum ibv_wr_opcode opcode, uint32_t length, enum ibv_wc_status status)
{
	struct ibv_sge piece = report_piece(&r.a, 0, length);
	struct ibv_sge into = report_piece(&r.b, 0, REPORT_BYTES);
	struct ibv_send_wr wr = report_wr(&r, opcode, 0);
	bool arrives = status == IBV_WC_SUCCESS;

	memset(r.b.memory, 0, REPORT_BYTES);
	if (opcode == IBV_WR_SEND)
		CHECK_EQUAL(0, report_receive(&r.b, 7, &into));
	CHECK_EQUAL(0, report_post(&r, wr, &piece));
	report_completes(&r.a, status, 0, NULL);
	CHECK_EQUAL(arrives ? 250 : 0, r.b.memory[250]);
	if (opcode == IBV_WR_SEND)
		report_completes(&r.b, arrives ? IBV_WC_SUCCESS : IBV_WC_WR_FLUSH_ERR, 7, NULL);
}

static void differ(enum ibv_mtu a, enum ibv_mtu b)
{
	static const enum ibv_wr_opcode opcodes[] = { IBV_WR_RDMA_WRITE, IBV_WR_SEND };

	for (unsigned int i = 0; i < 2; i++) {
		connect_with(a, b);
		one(opcodes[i], 1024, IBV_WC_SUCCESS);
		one(opcodes[i], 1025, IBV_WC_REM_INV_REQ_ERR);
	}
}

int main(void)
{
	ktap_plan(2);
	report_open(&r);
	report_qps(&r, report_init(IBV_QPT_RC), 16);
	ktap_case("4096 to one with 1024");
	differ(IBV_MTU_4096, IBV_MTU_1024);
	ktap_done();
	ktap_case("1024 to one with 4096");
	differ(IBV_MTU_1024, IBV_MTU_4096);
	ktap_done();
	report_close(&r);
	return ktap_exit();
}
