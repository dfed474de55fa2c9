// SPDX-License-Identifier: GPL-2.0-only
/* Device memory of lengths that are no multiple of 64, registered and written to by a peer. */
#include <errno.h>
#include <string.h>

#include "reports.h"

#define PIECES 16u

static struct report r;

static struct ibv_dm *alloc(size_t length, uint32_t log_align)
{
	struct ibv_alloc_dm_attr attr = { .length = length, .log_align_req = log_align };

	return ibv_alloc_dm(r.b.hca.context, &attr);
}

/* A write of all its bytes, and what the CPU reads. */
static void use(size_t length)
{
	struct ibv_sge piece = report_piece(&r.a, 3, (uint32_t)length);
	struct ibv_send_wr wr = report_wr(&r, IBV_WR_RDMA_WRITE, 0);
	struct ibv_dm *dm = alloc(length, 0);
	uint32_t words[64] = { 0 };
	struct ibv_mr *mr;

	ktap_step("%zu bytes", length);
	if (!CHECK(dm))
		return;
	mr = ibv_reg_dm_mr(r.b.hca.pd, dm, 0, length,
			   IBV_ACCESS_ZERO_BASED | IBV_ACCESS_LOCAL_WRITE |
				   IBV_ACCESS_REMOTE_WRITE);
	if (CHECK(mr)) {
		wr.wr.rdma.remote_addr = 0;
		wr.wr.rdma.rkey = mr->rkey;
		CHECK_EQUAL(0, report_post(&r, wr, &piece));
		report_completes(&r.a, IBV_WC_SUCCESS, 0, NULL);
		CHECK_EQUAL(0, ibv_memcpy_from_dm(words, dm, 0, length & ~3ul));
		CHECK(!memcmp(words, r.a.memory + 3, length & ~3ul));
		CHECK_EQUAL(0, ibv_dereg_mr(mr));
	}
	CHECK_EQUAL(0, ibv_free_dm(dm));
}

int main(void)
{
	static const size_t lengths[] = { 4, 8, 60, 64, 68, 100, 128, 252 };
	struct ibv_qp_attr attr = report_attr();
	struct ibv_device_attr_ex device;
	struct ibv_dm *dm[PIECES];
	unsigned int pieces = 0;

	ktap_plan(2);
	report_open(&r);
	report_qps(&r, report_init(IBV_QPT_RC), 16);
	report_connect(&r, &attr);
	ktap_must(-ibv_query_device_ex(r.b.hca.context, NULL, &device), "ibv_query_device_ex");

	ktap_case("small pieces");
	for (unsigned int i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
		use(lengths[i]);
	ktap_done();

	ktap_case("all of it, and more");
	CHECK(device.max_dm_size);
	CHECK(!alloc(device.max_dm_size + 1, 0));
	CHECK_EQUAL(EINVAL, errno);
	while (pieces < PIECES && (dm[pieces] = alloc(device.max_dm_size, 6)))
		pieces++;
	CHECK(pieces > 0 && pieces < PIECES);
	CHECK_EQUAL(ENOMEM, errno);
	if (pieces) {
		CHECK(!ibv_reg_dm_mr(r.b.hca.pd, dm[0], 64, device.max_dm_size,
				     IBV_ACCESS_ZERO_BASED | IBV_ACCESS_LOCAL_WRITE));
		CHECK_EQUAL(EINVAL, errno);
		CHECK_EQUAL(0, ibv_free_dm(dm[0]));
		dm[0] = alloc(device.max_dm_size, 0);
		CHECK(dm[0]);
	}
	for (unsigned int i = 0; i < pieces; i++)
		CHECK_EQUAL(0, ibv_free_dm(dm[i]));
	ktap_done();
	report_close(&r);
	return ktap_exit();
}
