// SPDX-License-Identifier: GPL-2.0-only
/* A datagram with a global route header, one without, and an answer to whom the header names. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "reports.h"

#define QKEY	    0x11111111u
#define GRH	    40u
#define LENGTH	    100u
#define NEXT_HEADER 0x1b /* of a local packet (InfiniBand Architecture, 8.3) */

static struct report r;
static union ibv_gid gid_a, gid_b;

static void datagram(struct ibv_ah *ah, uint64_t id)
{
	struct ibv_sge piece = report_piece(&r.a, 0, LENGTH);
	struct ibv_sge into = report_piece(&r.b, 0, GRH + LENGTH);
	struct ibv_send_wr wr = report_wr(&r, IBV_WR_SEND, 0);

	memset(r.b.memory, 0xee, REPORT_BYTES);
	wr.wr.ud.ah = ah;
	wr.wr.ud.remote_qpn = r.b.qp->qp_num;
	wr.wr.ud.remote_qkey = QKEY;
	CHECK_EQUAL(0, report_receive(&r.b, id, &into));
	CHECK_EQUAL(0, report_post(&r, wr, &piece));
	report_completes(&r.a, IBV_WC_SUCCESS, 0, NULL);
}

static void received(uint64_t id, struct ibv_wc *wc)
{
	report_completes(&r.b, IBV_WC_SUCCESS, id, wc);
	CHECK_EQUAL(GRH + LENGTH, wc->byte_len);
	CHECK_EQUAL(r.a.qp->qp_num, wc->src_qp);
	CHECK_EQUAL(r.a.hca.lid, wc->slid);
	CHECK(!memcmp(r.a.memory, r.b.memory + GRH, LENGTH));
	CHECK_EQUAL(0xee, r.b.memory[GRH + LENGTH]);
}

static void local(void)
{
	struct ibv_ah_attr attr = { .dlid = r.b.hca.lid, .port_num = 1 };
	struct ibv_ah *ah = ibv_create_ah(r.a.hca.pd, &attr);
	struct ibv_wc wc;

	ktap_case("without a header: the place of it is left out all the same");
	datagram(ah, 1);
	received(1, &wc);
	CHECK(!(wc.wc_flags & IBV_WC_GRH));
	CHECK_EQUAL(0, ibv_destroy_ah(ah));
	ktap_done();
}

static void header(void)
{
	const struct ibv_grh *grh = (const struct ibv_grh *)r.b.memory;

	CHECK_EQUAL((6 << 28) | (0x5a << 20) | 0x12345, ntohl(grh->version_tclass_flow));
	/* BTH, DETH, the data, the invariant CRC. */
	CHECK_EQUAL(12 + 8 + LENGTH + 4, ntohs(grh->paylen));
	CHECK_EQUAL(NEXT_HEADER, grh->next_hdr);
	CHECK_EQUAL(63, grh->hop_limit);
	CHECK(!memcmp(&grh->sgid, &gid_a, sizeof(gid_a)));
	CHECK(!memcmp(&grh->dgid, &gid_b, sizeof(gid_b)));
}

/* b answers with a handle made of the completion and the header. */
static void answer(struct ibv_wc *wc)
{
	struct ibv_sge piece = report_piece(&r.b, 200, LENGTH);
	struct ibv_sge into = report_piece(&r.a, 1000, GRH + LENGTH);
	struct ibv_ah *ah = ibv_create_ah_from_wc(r.b.hca.pd, wc, (struct ibv_grh *)r.b.memory, 1);
	struct ibv_send_wr wr = { .opcode = IBV_WR_SEND,
				  .send_flags = IBV_SEND_SIGNALED,
				  .sg_list = &piece,
				  .num_sge = 1 };
	const struct ibv_grh *grh = (const struct ibv_grh *)(r.a.memory + 1000);
	struct ibv_send_wr *bad;
	struct ibv_wc back;

	if (!CHECK(ah))
		return;
	wr.wr.ud.ah = ah;
	wr.wr.ud.remote_qpn = wc->src_qp;
	wr.wr.ud.remote_qkey = QKEY;
	CHECK_EQUAL(0, report_receive(&r.a, 3, &into));
	CHECK_EQUAL(0, ibv_post_send(r.b.qp, &wr, &bad));
	report_completes(&r.b, IBV_WC_SUCCESS, 0, NULL);
	if (report_completes(&r.a, IBV_WC_SUCCESS, 3, &back)) {
		CHECK(back.wc_flags & IBV_WC_GRH);
		CHECK_EQUAL(r.b.qp->qp_num, back.src_qp);
		CHECK(!memcmp(&grh->sgid, &gid_b, sizeof(gid_b)));
		CHECK(!memcmp(&grh->dgid, &gid_a, sizeof(gid_a)));
		CHECK_EQUAL((6 << 28) | (0x5a << 20) | 0x12345, ntohl(grh->version_tclass_flow));
		CHECK(!memcmp(r.b.memory + 200, r.a.memory + 1000 + GRH, LENGTH));
	}
	CHECK_EQUAL(0, ibv_destroy_ah(ah));
}

static void global(void)
{
	struct ibv_ah_attr attr = { .is_global = 1,
				    .dlid = r.b.hca.lid,
				    .port_num = 1,
				    .grh = { .dgid = gid_b,
					     .flow_label = 0x12345,
					     .hop_limit = 63,
					     .traffic_class = 0x5a } };
	struct ibv_ah *ah = ibv_create_ah(r.a.hca.pd, &attr);
	struct ibv_wc wc;

	ktap_case("with a header, and the answer to it");
	datagram(ah, 2);
	received(2, &wc);
	if (CHECK(wc.wc_flags & IBV_WC_GRH)) {
		header();
		answer(&wc);
	}
	CHECK_EQUAL(0, ibv_destroy_ah(ah));
	ktap_done();
}

int main(void)
{
	struct ibv_qp_attr attr = report_attr();

	ktap_plan(2);
	report_open(&r);
	report_qps(&r, report_init(IBV_QPT_UD), 16);
	report_connect(&r, &attr);
	ktap_must(-ibv_query_gid(r.a.hca.context, 1, 0, &gid_a), "ibv_query_gid");
	ktap_must(-ibv_query_gid(r.b.hca.context, 1, 0, &gid_b), "ibv_query_gid");
	local();
	global();
	report_close(&r);
	return ktap_exit();
}
