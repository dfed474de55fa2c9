// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules of remap.c where the BAR is not the target of the peer's request but named by a local
 * key: the HCA reads from its peer into the BAR, or receives into it. And: several MRs of one
 * dma-buf, each with a rule of its own; an MR without a hint whose dma-buf gets one.
 *
 * Usage: remap_local IB-DEVICE PEER-IB-DEVICE WIDTH BDF ENDPOINT, a completer of Extended TPH whose
 * BAR 0 vfio-pci owns.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evidence.h"

#define LENGTH	   65536u
#define BAR_LENGTH (1u << 20)
#define BYTES	   4096u
#define TAG	   42u
#define NEW_TAG	   43u
#define PH	   2u

static struct {
	struct mr_hca hca, peer;
	struct mr_bar bar;
	struct mr_link out, in; /* from the HCA to the peer, and back */
	const char *endpoint;
	struct wire_hint hint;
	int fd;
} s;

static int set(uint16_t tag)
{
	return mr_bar_hint(&s.bar, s.fd, hint_of(s.hint.width, tag, PH));
}

static void away_and_back(void)
{
	CHECK_EQUAL(0, mr_bar_memory(&s.bar, false));
	CHECK_EQUAL(0, mr_bar_memory(&s.bar, true));
}

/* --- operations of the HCA under a local key; return what the HCA's own completion says ------ */

static int read_into(const struct mr *mr)
{
	return mr_link_run(&s.out, IBV_WR_RDMA_READ, mr->iova, mr->lkey, BYTES,
			   (uintptr_t)s.in.buffer, s.in.buffer_mr->rkey);
}

static int receive_into(const struct mr *mr)
{
	struct ibv_sge sge = { .addr = mr->iova, .length = BYTES, .lkey = mr->lkey };
	struct ibv_recv_wr wr = { .sg_list = &sge, .num_sge = 1 };
	struct ibv_recv_wr *bad;
	struct ibv_wc wc;
	int sent;

	if (ibv_post_recv(s.in.to.qp, &wr, &bad))
		return -EIO;
	sent = mr_link_run(&s.in, IBV_WR_SEND, (uintptr_t)s.in.buffer, s.in.buffer_mr->lkey, BYTES,
			   0, 0);
	if (sent < 0)
		return sent;
	if (mr_wait(s.in.to.cq, &wc))
		return -ETIMEDOUT;
	CHECK_EQUAL(wc.status == IBV_WC_SUCCESS ? IBV_WC_SUCCESS : IBV_WC_REM_OP_ERR, sent);
	return (int)wc.status;
}

static void remap(int (*run)(const struct mr *mr), unsigned int policy, bool differs)
{
	struct mr_request request = mr_request(s.fd, LENGTH, (int)policy);
	struct ib_uverbs_mr_tph tph = tph_applied(s.hint, policy);
	struct mr mr;

	CHECK_EQUAL(0, set(TAG));
	if (!CHECK_EQUAL(0, mr_reg_dmabuf(&s.hca, &request, &mr)))
		return;
	CHECK_EQUAL(0, control_reset_counts(s.endpoint));
	CHECK_EQUAL(IBV_WC_SUCCESS, run(&mr));
	check_arrived(s.endpoint, s.hint, BYTES);
	CHECK_EQUAL(0, mr_bar_memory(&s.bar, false));
	if (differs)
		CHECK_EQUAL(0, set(NEW_TAG));
	CHECK_EQUAL(0, mr_bar_memory(&s.bar, true));
	CHECK_EQUAL(0, control_reset_counts(s.endpoint));
	if (policy == IB_UVERBS_MR_TPH_REQUIRE && differs) {
		CHECK_EQUAL(IBV_WC_LOC_PROT_ERR, run(&mr));
		check_nothing_arrived(s.endpoint);
		CHECK_EQUAL(0, mr_link_reconnect(&s.out));
		CHECK_EQUAL(0, mr_link_reconnect(&s.in));
	} else {
		CHECK_EQUAL(IBV_WC_SUCCESS, run(&mr));
		check_arrived(s.endpoint, s.hint, BYTES);
		tph.flags |= differs ? IB_UVERBS_MR_TPH_STALE : 0;
	}
	check_tph(&s.hca, &mr, &tph);
	CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
}

/* One dma-buf, an MR of each policy: each keeps its own promise. */
static void together(void)
{
	static const unsigned int policy[] = { IB_UVERBS_MR_TPH_AUTO, IB_UVERBS_MR_TPH_REQUIRE,
					       IB_UVERBS_MR_TPH_IGNORE };
	struct ib_uverbs_mr_tph tph;
	struct mr mr[3];

	CHECK_EQUAL(0, set(TAG));
	for (unsigned int i = 0; i < 3; i++) {
		struct mr_request request = mr_request(s.fd, LENGTH, (int)policy[i]);

		if (!CHECK_EQUAL(0, mr_reg_ex(&s.hca, &request, &mr[i])))
			return;
		tph = i == 2 ? tph_none(policy[i]) : tph_applied(s.hint, policy[i]);
		check_write(&s.in, &mr[i], s.endpoint, tph_wire(&tph));
	}
	CHECK_EQUAL(0, set(NEW_TAG));
	away_and_back();
	check_write(&s.in, &mr[2], s.endpoint, (struct wire_hint){ .th = false });
	CHECK_EQUAL(0, control_reset_counts(s.endpoint));
	CHECK_EQUAL(IBV_WC_REM_ACCESS_ERR, mr_link_write(&s.in, &mr[1], 0, BYTES));
	check_nothing_arrived(s.endpoint);
	CHECK_EQUAL(0, mr_link_reconnect(&s.in));
	check_write(&s.in, &mr[0], s.endpoint, s.hint);
	tph = tph_applied(s.hint, policy[0]);
	tph.flags |= IB_UVERBS_MR_TPH_STALE;
	check_tph(&s.hca, &mr[0], &tph);
	for (unsigned int i = 0; i < 3; i++)
		CHECK_EQUAL(0, mr_dereg(&s.hca, &mr[i]));
}

/* There was none to go by: a hint that comes later is for later MRs. */
static void appears(unsigned int policy)
{
	struct mr_request request = mr_request(s.fd, LENGTH, (int)policy);
	struct ib_uverbs_mr_tph none = tph_none(policy);
	struct mr mr;

	CHECK_EQUAL(0, mr_bar_hint(&s.bar, s.fd, mr_no_hint()));
	if (!CHECK_EQUAL(0, mr_reg_ex(&s.hca, &request, &mr)))
		return;
	check_write(&s.in, &mr, s.endpoint, tph_wire(&none));
	CHECK_EQUAL(0, set(TAG));
	away_and_back();
	check_write(&s.in, &mr, s.endpoint, tph_wire(&none));
	check_tph(&s.hca, &mr, &none);
	CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
}

/* A DMA handle has nothing to do with the hint, before and after. */
static void dma_handle(void)
{
	struct ib_uverbs_mr_tph tph = { .flags = IB_UVERBS_MR_TPH_APPLIED,
					.ph = 1,
					.st_width = s.hint.width,
					.source = IB_UVERBS_MR_TPH_SOURCE_DMAH };
	struct mr_request request = mr_request(s.fd, LENGTH, -1);
	struct mr mr;

	CHECK_EQUAL(0, set(TAG));
	request.has_dmah = true;
	if (!CHECK_EQUAL(0, mr_dmah_alloc(&s.hca, -1, 1, &request.dmah)) ||
	    !CHECK_EQUAL(0, mr_reg_ex(&s.hca, &request, &mr)))
		return;
	CHECK_EQUAL(0, set(NEW_TAG));
	away_and_back();
	check_write(&s.in, &mr, s.endpoint, tph_wire(&tph));
	check_tph(&s.hca, &mr, &tph);
	CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
	CHECK_EQUAL(0, mr_dmah_free(&s.hca, request.dmah));
}

int main(int argc, char **argv)
{
	static const char *const policy[] = { "AUTO", "REQUIRE" };

	if (argc != 6) {
		fprintf(stderr, "usage: remap_local IB-DEVICE PEER-IB-DEVICE WIDTH BDF ENDPOINT\n");
		return 2;
	}
	s.endpoint = argv[5];
	s.hint = (struct wire_hint){
		.th = true, .ph = PH, .width = (uint8_t)atoi(argv[3]), .st = TAG
	};
	ktap_plan(8 + 4);
	ktap_must(mr_hca_open(argv[1], &s.hca), argv[1]);
	ktap_must(mr_hca_open(argv[2], &s.peer), argv[2]);
	ktap_must(mr_bar_open(argv[4], 0, BAR_LENGTH, &s.bar), argv[4]);
	ktap_must(mr_link_open(&s.out, &s.hca, &s.peer), "RC connection");
	ktap_must(mr_link_open(&s.in, &s.peer, &s.hca), "RC connection");
	s.fd = mr_bar_export(&s.bar, 0, LENGTH);
	if (s.fd < 0)
		ktap_bail("no dma-buf: %d", s.fd);
	for (unsigned int i = 0; i < 8; i++) {
		bool differs = i & 1, receive = i & 4;
		unsigned int p = i >> 1 & 1;

		ktap_case("%s the BAR, %s, hint %s", receive ? "receive into" : "read into",
			  policy[p], differs ? "changed" : "unchanged");
		remap(receive ? receive_into : read_into, p, differs);
		ktap_done();
	}
	ktap_case("MRs of each policy of one dma-buf");
	together();
	ktap_done();
	ktap_case("a hint comes after the MR, AUTO");
	appears(IB_UVERBS_MR_TPH_AUTO);
	ktap_done();
	ktap_case("a hint comes after the MR, IGNORE");
	appears(IB_UVERBS_MR_TPH_IGNORE);
	ktap_done();
	ktap_case("DMA handle");
	dma_handle();
	ktap_done();
	close(s.fd);
	mr_link_close(&s.in);
	mr_link_close(&s.out);
	mr_bar_close(&s.bar);
	mr_hca_close(&s.peer);
	mr_hca_close(&s.hca);
	return ktap_exit();
}
