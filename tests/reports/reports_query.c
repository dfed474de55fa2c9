// SPDX-License-Identifier: GPL-2.0-only
/* ibv_query_qp() says what was set, and the state that an error brought. */
#include <string.h>

#include "reports.h"

static struct report r;

static void same(const struct ibv_qp_attr *set, const struct ibv_qp_attr *got)
{
	CHECK_EQUAL(set->path_mtu, got->path_mtu);
	CHECK_EQUAL(set->sq_psn, got->sq_psn);
	CHECK_EQUAL(set->rq_psn, got->rq_psn);
	CHECK_EQUAL(r.b.qp->qp_num, got->dest_qp_num);
	CHECK_EQUAL(set->qp_access_flags, got->qp_access_flags);
	CHECK_EQUAL(set->max_rd_atomic, got->max_rd_atomic);
	CHECK_EQUAL(set->max_dest_rd_atomic, got->max_dest_rd_atomic);
	CHECK_EQUAL(set->min_rnr_timer, got->min_rnr_timer);
	CHECK_EQUAL(set->timeout, got->timeout);
	CHECK_EQUAL(set->retry_cnt, got->retry_cnt);
	CHECK_EQUAL(set->rnr_retry, got->rnr_retry);
	CHECK_EQUAL(0, got->pkey_index);
	CHECK_EQUAL(1, got->port_num);
	CHECK_EQUAL(1, got->ah_attr.port_num);
	CHECK_EQUAL(r.b.hca.lid, got->ah_attr.dlid);
	CHECK_EQUAL(set->ah_attr.sl, got->ah_attr.sl);
	CHECK_EQUAL(set->ah_attr.is_global, got->ah_attr.is_global);
	if (!set->ah_attr.is_global)
		return;
	CHECK(!memcmp(&set->ah_attr.grh.dgid, &got->ah_attr.grh.dgid, 16));
	CHECK_EQUAL(set->ah_attr.grh.sgid_index, got->ah_attr.grh.sgid_index);
	CHECK_EQUAL(set->ah_attr.grh.hop_limit, got->ah_attr.grh.hop_limit);
	CHECK_EQUAL(set->ah_attr.grh.traffic_class, got->ah_attr.grh.traffic_class);
	CHECK_EQUAL(set->ah_attr.grh.flow_label, got->ah_attr.grh.flow_label);
}

static struct ibv_qp_attr query(struct ibv_qp_init_attr *init)
{
	struct ibv_qp_attr attr;

	memset(&attr, 0xee, sizeof(attr));
	memset(init, 0xee, sizeof(*init));
	CHECK_EQUAL(0, ibv_query_qp(r.a.qp, &attr, IBV_QP_STATE, init));
	return attr;
}

int main(void)
{
	struct ibv_qp_attr set = report_attr(), got;
	struct ibv_qp_init_attr init = report_init(IBV_QPT_RC);
	struct ibv_sge piece;

	ktap_plan(3);
	report_open(&r);
	report_qps(&r, init, 16);
	piece = report_piece(&r.a, 0, 64);

	ktap_case("a QP in RTS");
	set.path_mtu = IBV_MTU_1024;
	set.sq_psn = 0xabcdef;
	set.rq_psn = 0xabcdef;
	set.qp_access_flags = IBV_ACCESS_REMOTE_READ;
	set.max_rd_atomic = 8;
	set.max_dest_rd_atomic = 2;
	set.min_rnr_timer = 21;
	set.timeout = 11;
	set.retry_cnt = 3;
	set.rnr_retry = 5;
	report_connect(&r, &set);
	got = query(&init);
	CHECK_EQUAL(IBV_QPS_RTS, got.qp_state);
	CHECK_EQUAL(IBV_QPS_RTS, got.cur_qp_state);
	same(&set, &got);
	CHECK(init.send_cq == r.a.cq && init.recv_cq == r.a.cq && !init.srq);
	CHECK_EQUAL(IBV_QPT_RC, init.qp_type);
	CHECK(init.cap.max_send_wr >= 16 && init.cap.max_recv_wr >= 16);
	CHECK_EQUAL(0, init.sq_sig_all);
	ktap_done();

	ktap_case("with a global route");
	set.ah_attr.is_global = 1;
	set.ah_attr.grh.hop_limit = 17;
	set.ah_attr.grh.traffic_class = 0x24;
	set.ah_attr.grh.flow_label = 0xabcde;
	ktap_must(-ibv_query_gid(r.b.hca.context, 1, 0, &set.ah_attr.grh.dgid), "ibv_query_gid");
	report_connect(&r, &set);
	got = query(&init);
	same(&set, &got);
	ktap_done();

	ktap_case("after an error");
	set = report_attr();
	set.rnr_retry = 0;
	report_connect(&r, &set);
	CHECK_EQUAL(0, report_post(&r, report_wr(&r, IBV_WR_SEND, 0), &piece));
	report_completes(&r.a, IBV_WC_RNR_RETRY_EXC_ERR, 0, NULL);
	got = query(&init);
	CHECK_EQUAL(IBV_QPS_ERR, got.qp_state);
	CHECK_EQUAL(IBV_QPS_ERR, got.cur_qp_state);
	/* Its peer has seen nothing. */
	CHECK_EQUAL(0, ibv_query_qp(r.b.qp, &got, IBV_QP_STATE, &init));
	CHECK_EQUAL(IBV_QPS_RTS, got.qp_state);
	ktap_done();
	report_close(&r);
	return ktap_exit();
}
