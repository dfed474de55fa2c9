// SPDX-License-Identifier: GPL-2.0-only
/* Static rates of a connection: set on the way to RTR, not later; those that are none are refused.
 */
#include <errno.h>

#include "reports.h"

static struct report r;

/* The errno of the connection, and a write over it. */
static int at(uint8_t static_rate)
{
	struct ibv_qp_attr attr = report_attr();
	struct ibv_sge piece = report_piece(&r.a, 0, 8192);
	int ret;

	report_connect(&r, &attr);
	CHECK_EQUAL(0, report_state(&r.a, IBV_QPS_RESET));
	attr.ah_attr.static_rate = static_rate;
	ret = report_modify(&r.a, &r.b, &attr, IBV_QPS_RTS);
	if (ret)
		return ret;
	CHECK_EQUAL(0, report_post(&r, report_wr(&r, IBV_WR_RDMA_WRITE, 0), &piece));
	report_completes(&r.a, IBV_WC_SUCCESS, 0, NULL);
	return 0;
}

int main(void)
{
	struct ibv_qp_attr attr = report_attr();
	struct ibv_sge piece;

	ktap_plan(3);
	report_open(&r);
	report_qps(&r, report_init(IBV_QPT_RC), 16);
	ktap_case("rates that there are");
	for (uint8_t rate = IBV_RATE_MAX; rate <= IBV_RATE_600_GBPS; rate++) {
		if (rate == 1)
			continue;
		ktap_step("rate %u", rate);
		CHECK_EQUAL(0, at(rate));
	}
	ktap_done();
	ktap_case("and that there are not");
	CHECK_EQUAL(EINVAL, at(1));
	CHECK_EQUAL(EINVAL, at(99));
	ktap_done();
	ktap_case("another one for a QP in RTS");
	report_connect(&r, &attr);
	attr.ah_attr = (struct ibv_ah_attr){ .dlid = r.b.hca.lid,
					     .port_num = 1,
					     .static_rate = IBV_RATE_40_GBPS };
	CHECK_EQUAL(EINVAL, ibv_modify_qp(r.a.qp, &attr, IBV_QP_AV));
	piece = report_piece(&r.a, 0, 8);
	CHECK_EQUAL(0, report_post(&r, report_wr(&r, IBV_WR_RDMA_WRITE, 0), &piece));
	report_completes(&r.a, IBV_WC_SUCCESS, 0, NULL);
	ktap_done();
	report_close(&r);
	return ktap_exit();
}
