// SPDX-License-Identifier: GPL-2.0-only
/*
 * Re-registration of MRs with TPH: that of a dma-buf cannot be changed, that of host memory with a
 * DMA handle can as long as it stays the same memory. Either way the MR keeps what it has. Host
 * memory without a handle gets another key where that is needed, as ever.
 *
 * With "limited" the HCA is one whose UMR cannot load translations: the driver makes a key for each
 * MR, and none for a dma-buf.
 *
 * Usage: rereg IB-DEVICE HCA BDF ENDPOINT [limited], a completer of Extended TPH whose BAR 0
 * vfio-pci owns.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evidence.h"

#define LENGTH	   65536u
#define BAR_LENGTH (1u << 20)
#define TAG	   42u
#define PH	   2u
#define DMAH_PH	   1
#define LESS	   (IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE)

static struct {
	struct mr_hca hca;
	struct mr_bar bar;
	struct mr_link link;
	struct table table;
	const char *name, *endpoint;
	struct wire_hint hint;
	int fd, others;
	bool limited;
	uint8_t *memory;
} s;

static void drop(const struct mr *mr)
{
	CHECK_EQUAL(0, mr_dereg(&s.hca, mr));
	CHECK_EQUAL(s.others, mr_count(&s.hca));
	if (!s.limited)
		table_check(&s.table);
}

/* The errno is that of a registration without policy, as ever. */
static void no_dmabuf(unsigned int unused)
{
	struct mr mr;

	(void)unused;
	for (int policy = -1; policy <= IB_UVERBS_MR_TPH_IGNORE; policy++) {
		struct mr_request request = mr_request(s.fd, LENGTH, policy);

		ktap_step("policy %d", policy);
		CHECK_EQUAL(-EINVAL, mr_reg_dmabuf(&s.hca, &request, &mr));
		CHECK_EQUAL(-EINVAL, mr_reg_ex(&s.hca, &request, &mr));
	}
	CHECK_EQUAL(s.others, mr_count(&s.hca));
}

static void dmabuf(unsigned int policy)
{
	static const int flags[] = { IBV_REREG_MR_CHANGE_ACCESS, IBV_REREG_MR_CHANGE_PD,
				     IBV_REREG_MR_CHANGE_TRANSLATION,
				     IBV_REREG_MR_CHANGE_TRANSLATION | IBV_REREG_MR_CHANGE_ACCESS };
	struct mr_request request = mr_request(s.fd, LENGTH, (int)policy);
	struct ib_uverbs_mr_tph tph = tph_applied(s.hint, policy);
	struct ibv_pd *other = ibv_alloc_pd(s.hca.context);
	struct mr mr;

	if (policy == IB_UVERBS_MR_TPH_IGNORE)
		tph = tph_none(policy);
	if (!CHECK(other) || !CHECK_EQUAL(0, mr_reg_dmabuf(&s.hca, &request, &mr)))
		return;
	for (unsigned int i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		ktap_step("flags %d", flags[i]);
		CHECK_EQUAL(-EOPNOTSUPP,
			    mr_rereg(&s.hca, &mr, flags[i], other->handle, s.memory, LENGTH, LESS));
		check_tph(&s.hca, &mr, &tph);
		check_write(&s.link, &mr, s.endpoint, tph_wire(&tph));
		CHECK_EQUAL(IBV_WC_SUCCESS, mr_link_read(&s.link, &mr, 0, 4096));
	}
	CHECK_EQUAL(0, ibv_dealloc_pd(other));
	drop(&mr);
}

/* What the HCA finds in the key of a write: the processing hint @ph; negative: none. */
static void check_key(const struct mr *mr, int ph)
{
	struct control_mkey mkey;

	memset(s.memory, 0, LENGTH);
	CHECK_EQUAL(IBV_WC_SUCCESS, mr_link_write(&s.link, mr, 0, 4096));
	CHECK(!memcmp(s.memory, s.link.buffer, 4096));
	CHECK_EQUAL(0, control_mkey(s.name, &mkey));
	CHECK_EQUAL(mr->rkey, mkey.key);
	CHECK_EQUAL(ph >= 0, mkey.th);
	if (ph >= 0)
		CHECK_EQUAL(ph, mkey.ph);
}

/* Keys of a pool have the handle in their pool's key, so that all changes are refused, as ever. */
static void dma_handle_pooled(const struct mr *mr, struct ibv_pd *other)
{
	struct mr same = *mr;

	CHECK_EQUAL(-EOPNOTSUPP,
		    mr_rereg(&s.hca, &same, IBV_REREG_MR_CHANGE_ACCESS, 0, NULL, 0, LESS));
	CHECK_EQUAL(-EOPNOTSUPP,
		    mr_rereg(&s.hca, &same, IBV_REREG_MR_CHANGE_PD, other->handle, NULL, 0, 0));
	CHECK_EQUAL(IBV_WC_SUCCESS, mr_link_read(&s.link, mr, 0, 4096));
}

/* A key of its own is changed in place. */
static void dma_handle_unpooled(struct mr *mr, struct ibv_pd *other)
{
	CHECK_EQUAL(0, mr_rereg(&s.hca, mr, IBV_REREG_MR_CHANGE_ACCESS, 0, NULL, 0, LESS));
	check_key(mr, DMAH_PH);
	CHECK_EQUAL(IBV_WC_REM_ACCESS_ERR, mr_link_read(&s.link, mr, 0, 4096));
	CHECK_EQUAL(0, mr_link_reconnect(&s.link));
	CHECK_EQUAL(0, mr_rereg(&s.hca, mr, IBV_REREG_MR_CHANGE_PD, other->handle, NULL, 0, 0));
	CHECK_EQUAL(IBV_WC_REM_ACCESS_ERR, mr_link_write(&s.link, mr, 0, 4096));
	CHECK_EQUAL(0, mr_link_reconnect(&s.link));
	CHECK_EQUAL(0, mr_rereg(&s.hca, mr, IBV_REREG_MR_CHANGE_PD, s.hca.pd->handle, NULL, 0, 0));
}

static void dma_handle(unsigned int unused)
{
	struct mr_request request = { .addr = s.memory,
				      .length = LENGTH,
				      .access = MR_ACCESS,
				      .iova = (uintptr_t)s.memory,
				      .has_dmah = true };
	struct ib_uverbs_mr_tph tph = { .flags = IB_UVERBS_MR_TPH_APPLIED,
					.ph = DMAH_PH,
					.st_width = s.hint.width,
					.source = IB_UVERBS_MR_TPH_SOURCE_DMAH };
	struct ibv_pd *other = ibv_alloc_pd(s.hca.context);
	struct mr mr;

	(void)unused;
	if (!CHECK(other) || !CHECK_EQUAL(0, mr_dmah_alloc(&s.hca, -1, DMAH_PH, &request.dmah)) ||
	    !CHECK_EQUAL(0, mr_reg_ex(&s.hca, &request, &mr)))
		return;
	/* Other memory would need another key, without the handle. */
	CHECK_EQUAL(-EOPNOTSUPP, mr_rereg(&s.hca, &mr, IBV_REREG_MR_CHANGE_TRANSLATION, 0, s.memory,
					  LENGTH / 2, MR_ACCESS));
	check_tph(&s.hca, &mr, &tph);
	check_key(&mr, DMAH_PH);
	/* So does an access right that is not changed in place. */
	CHECK_EQUAL(-EOPNOTSUPP, mr_rereg(&s.hca, &mr, IBV_REREG_MR_CHANGE_ACCESS, 0, NULL, 0,
					  MR_ACCESS | IBV_ACCESS_MW_BIND));
	check_tph(&s.hca, &mr, &tph);
	check_key(&mr, DMAH_PH);
	if (s.limited)
		dma_handle_unpooled(&mr, other);
	else
		dma_handle_pooled(&mr, other);
	check_tph(&s.hca, &mr, &tph);
	check_key(&mr, DMAH_PH);
	CHECK_EQUAL(-EBUSY, mr_dmah_free(&s.hca, request.dmah));
	drop(&mr);
	CHECK_EQUAL(0, mr_dmah_free(&s.hca, request.dmah));
	CHECK_EQUAL(0, ibv_dealloc_pd(other));
}

static void no_handle(unsigned int unused)
{
	struct mr_request request = {
		.addr = s.memory, .length = LENGTH, .access = MR_ACCESS, .iova = (uintptr_t)s.memory
	};
	struct ib_uverbs_mr_tph tph = tph_none(IB_UVERBS_MR_TPH_AUTO);
	struct mr mr;
	uint32_t rkey;

	(void)unused;
	if (!CHECK_EQUAL(0, mr_reg_ex(&s.hca, &request, &mr)))
		return;
	rkey = mr.rkey;
	CHECK_EQUAL(0, mr_rereg(&s.hca, &mr, IBV_REREG_MR_CHANGE_ACCESS, 0, NULL, 0,
				MR_ACCESS | IBV_ACCESS_MW_BIND));
	CHECK(mr.rkey != rkey);
	check_tph(&s.hca, &mr, &tph);
	check_key(&mr, -1);
	drop(&mr);
	/* On demand: there is no memory at hand that another key could take over. */
	request.access |= IBV_ACCESS_ON_DEMAND;
	if (!CHECK_EQUAL(0, mr_reg_ex(&s.hca, &request, &mr)))
		return;
	CHECK_EQUAL(-EOPNOTSUPP, mr_rereg(&s.hca, &mr, IBV_REREG_MR_CHANGE_ACCESS, 0, NULL, 0,
					  request.access | IBV_ACCESS_MW_BIND));
	check_tph(&s.hca, &mr, &tph);
	check_key(&mr, -1);
	drop(&mr);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(unsigned int policy);
		unsigned int policy;
	} cases[] = { { "dma-buf, AUTO", dmabuf, IB_UVERBS_MR_TPH_AUTO },
		      { "dma-buf, REQUIRE", dmabuf, IB_UVERBS_MR_TPH_REQUIRE },
		      { "dma-buf, IGNORE", dmabuf, IB_UVERBS_MR_TPH_IGNORE },
		      { "host memory, no DMA handle", no_handle, 0 },
		      { "host memory, DMA handle", dma_handle, 0 },
		      { "dma-buf cannot be registered", no_dmabuf, 0 } };
	struct mr_tph_caps caps;
	unsigned int first, end;

	if (argc != 5 && argc != 6) {
		fprintf(stderr, "usage: rereg IB-DEVICE HCA BDF ENDPOINT [limited]\n");
		return 2;
	}
	s.name = argv[2];
	s.endpoint = argv[4];
	s.limited = argc == 6;
	first = s.limited ? 4 : 0;
	end = s.limited ? 6 : 5;
	ktap_plan(end - first);
	ktap_must(mr_hca_open(argv[1], &s.hca), argv[1]);
	ktap_must(mr_bar_open(argv[3], 0, BAR_LENGTH, &s.bar), argv[3]);
	ktap_must(mr_link_open(&s.link, &s.hca, &s.hca), "RC connection");
	ktap_must(mr_tph_caps(&s.hca, &caps), "QUERY_TPH_CAPS");
	if (!s.limited)
		table_open(&s.table, &s.hca, &s.bar);
	s.hint = (struct wire_hint){ .th = true, .ph = PH, .width = caps.st_width, .st = TAG };
	s.memory = aligned_alloc(MR_PAGE, LENGTH);
	s.fd = mr_bar_export_hinted(&s.bar, 0, LENGTH, hint_of(s.hint.width, TAG, PH));
	if (!s.memory || s.fd < 0)
		ktap_bail("no dma-buf: %d", s.fd);
	s.others = mr_count(&s.hca);
	for (unsigned int i = first; i < end; i++) {
		ktap_case("rereg %s: %s", s.name, cases[i].name);
		cases[i].run(cases[i].policy);
		ktap_done();
	}
	close(s.fd);
	if (!s.limited)
		table_close(&s.table);
	mr_link_close(&s.link);
	mr_bar_close(&s.bar);
	mr_hca_close(&s.hca);
	free(s.memory);
	return ktap_exit();
}
