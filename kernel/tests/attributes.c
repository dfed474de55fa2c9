// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attributes of registration and query that the kernel series adds, one HCA function with TPH:
 * bad values, the DMA handle next to a hint, mappings that fail, read-back, snapshot.
 *
 * Usage: attributes IB-DEVICE HCA BDF ENDPOINT, a completer of Extended TPH whose BAR 0 vfio-pci
 * owns.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rdma/mlx5_user_ioctl_cmds.h>
#include <rdma/mlx5_user_ioctl_verbs.h>

#include "evidence.h"

#define LENGTH	   65536u
#define BAR_LENGTH (1u << 20)
#define TAG	   42u
#define NEW_TAG	   43u
#define PH	   2u
#define DMAH_PH	   1

static struct {
	struct mr_hca hca;
	struct mr_bar bar;
	struct mr_link link;
	struct table table;
	const char *bdf, *name, *endpoint;
	uint8_t width;
	int fd; /* with a hint of TAG and PH */
	uint8_t *memory;
} s;

static const int policies[] = { -1, IB_UVERBS_MR_TPH_AUTO, IB_UVERBS_MR_TPH_REQUIRE,
				IB_UVERBS_MR_TPH_IGNORE };

#define POLICIES (sizeof(policies) / sizeof(policies[0]))

static struct wire_hint tag_hint(uint16_t tag)
{
	return (struct wire_hint){ .th = true, .ph = PH, .width = s.width, .st = tag };
}

/* The registration fails with @err, and nothing is left of it. */
static void refuse(enum mr_method method, const struct mr_request *request, int err)
{
	int before = mr_count(&s.hca);
	struct mr mr = { 0 };

	if (!CHECK_EQUAL(err, mr_reg(&s.hca, method, request, &mr)) && mr.handle)
		mr_dereg(&s.hca, &mr);
	CHECK_EQUAL(before, mr_count(&s.hca));
	table_check(&s.table);
}

static void bad_values(void)
{
	static const uint64_t values[] = { 3,	       255,	  256, 1ull << 32, 1ull << 32 | 1,
					   1ull << 63, UINT64_MAX };
	struct mr_request request = mr_request(s.fd, LENGTH, 0);

	for (unsigned int i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		request.policy = values[i];
		ktap_step("policy 0x%llx", (unsigned long long)values[i]);
		refuse(MR_REG_DMABUF_MR, &request, -EINVAL);
		refuse(MR_REG_MR, &request, -EINVAL);
		request.policy_optional = true;
		refuse(MR_REG_DMABUF_MR, &request, -EINVAL);
		request.policy_optional = false;
	}
}

static void policy_without_fd(void)
{
	struct mr_request request = { .addr = s.memory, .length = LENGTH, .access = MR_ACCESS };
	struct mr mr;

	request.iova = (uintptr_t)s.memory;
	if (CHECK_EQUAL(0, mr_reg_ex(&s.hca, &request, &mr)))
		CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
	request.has_policy = true;
	for (request.policy = 0; request.policy < 4; request.policy++)
		refuse(MR_REG_MR, &request, -EINVAL);
}

/* Not mandatory for the kernel to know, but it does: the answer is the same. */
static void optional_attribute(void)
{
	int plain = mr_bar_export(&s.bar, LENGTH, LENGTH);
	struct mr_request request = mr_request(plain, LENGTH, IB_UVERBS_MR_TPH_REQUIRE);

	request.policy_optional = true;
	refuse(MR_REG_DMABUF_MR, &request, -ENODATA);
	refuse(MR_REG_MR, &request, -ENODATA);
	close(plain);
}

/* A DMA handle wins over the hint, takes no place in the table, and contradicts REQUIRE. */
static void dma_handle(int ph, int fd)
{
	struct ib_uverbs_mr_tph tph = { .flags = IB_UVERBS_MR_TPH_APPLIED,
					.ph = (uint8_t)ph,
					.st_width = s.width,
					.source = IB_UVERBS_MR_TPH_SOURCE_DMAH };
	struct mr_request request = mr_request(fd, LENGTH, 0);
	struct mr mr;

	request.has_dmah = true;
	if (!CHECK_EQUAL(0, mr_dmah_alloc(&s.hca, -1, ph, &request.dmah)))
		return;
	for (unsigned int i = 0; i < POLICIES; i++) {
		request.has_policy = policies[i] >= 0;
		request.policy = request.has_policy ? (uint64_t)policies[i] : 0;
		ktap_step("policy %d", policies[i]);
		if (policies[i] == IB_UVERBS_MR_TPH_REQUIRE) {
			refuse(MR_REG_MR, &request, -EINVAL);
			continue;
		}
		tph.policy = (uint8_t)request.policy;
		if (!CHECK_EQUAL(0, mr_reg_ex(&s.hca, &request, &mr)))
			continue;
		check_tph(&s.hca, &mr, &tph);
		check_write(&s.link, &mr, s.endpoint, tph_wire(&tph));
		CHECK_EQUAL(-EBUSY, mr_dmah_free(&s.hca, request.dmah));
		table_check(&s.table);
		CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
	}
	request.has_policy = true;
	request.policy = 3;
	refuse(MR_REG_MR, &request, -EINVAL);
	CHECK_EQUAL(0, mr_dmah_free(&s.hca, request.dmah));
}

static void dma_handle_without_hint(void)
{
	int plain = mr_bar_export(&s.bar, LENGTH, LENGTH);

	dma_handle(DMAH_PH, plain);
	close(plain);
}

/* Same handle, host memory: read-back by source, and the HCA's own view of the key. */
static void dma_handle_host(void)
{
	struct mr_request request = { .addr = s.memory, .length = LENGTH, .access = MR_ACCESS };
	struct ib_uverbs_mr_tph tph = { .flags = IB_UVERBS_MR_TPH_APPLIED,
					.ph = 3,
					.st_width = s.width,
					.source = IB_UVERBS_MR_TPH_SOURCE_DMAH };
	struct control_mkey mkey;
	struct mr mr;

	request.iova = (uintptr_t)s.memory;
	request.has_dmah = true;
	if (!CHECK_EQUAL(0, mr_dmah_alloc(&s.hca, -1, 3, &request.dmah)))
		return;
	if (CHECK_EQUAL(0, mr_reg_ex(&s.hca, &request, &mr))) {
		check_tph(&s.hca, &mr, &tph);
		CHECK_EQUAL(IBV_WC_SUCCESS, mr_link_write(&s.link, &mr, 0, 4096));
		CHECK_EQUAL(0, control_mkey(s.name, &mkey));
		CHECK_EQUAL(mr.rkey, mkey.key);
		CHECK(mkey.th);
		CHECK_EQUAL(3, mkey.ph);
		CHECK_EQUAL(0, mkey.st);
		CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
	}
	CHECK_EQUAL(0, mr_dmah_free(&s.hca, request.dmah));
}

static void refuse_each_policy(struct mr_request request, int err)
{
	for (unsigned int i = 0; i < POLICIES; i++) {
		request.has_policy = policies[i] >= 0;
		request.policy = request.has_policy ? (uint64_t)policies[i] : 0;
		for (unsigned int m = 0; m < MR_METHODS; m++) {
			ktap_step("policy %d, method %u", policies[i], m);
			refuse((enum mr_method)m, &request, err);
		}
	}
}

static void bad_range(void)
{
	struct mr_request request = mr_request(s.fd, LENGTH, 0);

	request.offset = MR_PAGE;
	refuse_each_policy(request, -EINVAL);
	request.offset = 0;
	request.length = LENGTH + 1;
	refuse_each_policy(request, -EINVAL);
	request.length = MR_PAGE;
	request.offset = UINT64_MAX - MR_PAGE + 1;
	refuse_each_policy(request, -EINVAL);
}

static void bad_descriptor(void)
{
	refuse_each_policy(mr_request(999, LENGTH, 0), -EBADF);
	refuse_each_policy(mr_request(STDIN_FILENO, LENGTH, 0), -EINVAL);
}

static void revoked(void)
{
	struct table table = s.table;

	/* The table could not take a tag meanwhile, either. */
	s.table.max_tags = 0;
	CHECK_EQUAL(0, mr_bar_memory(&s.bar, false));
	refuse_each_policy(mr_request(s.fd, LENGTH, 0), -ENODEV);
	CHECK_EQUAL(0, mr_bar_memory(&s.bar, true));
	s.table = table;
	table_check(&s.table);
}

/* Another function does the DMA of a data direct MR: its TPH is none of this one's. */
static void data_direct(void)
{
	static const int err[] = { -EINVAL, -EINVAL, -EOPNOTSUPP, -EINVAL };
	int before = mr_count(&s.hca);
	uint32_t key[2];

	for (unsigned int i = 0; i < POLICIES; i++) {
		struct mr_cmd cmd;

		mr_cmd_init(&cmd, UVERBS_OBJECT_MR, UVERBS_METHOD_REG_DMABUF_MR);
		mr_cmd_object(&cmd, UVERBS_ATTR_REG_DMABUF_MR_HANDLE, 0);
		mr_cmd_object(&cmd, UVERBS_ATTR_REG_DMABUF_MR_PD_HANDLE, s.hca.pd->handle);
		mr_cmd_u64(&cmd, UVERBS_ATTR_REG_DMABUF_MR_OFFSET, 0);
		mr_cmd_u64(&cmd, UVERBS_ATTR_REG_DMABUF_MR_LENGTH, LENGTH);
		mr_cmd_u64(&cmd, UVERBS_ATTR_REG_DMABUF_MR_IOVA, 0);
		mr_cmd_u32(&cmd, UVERBS_ATTR_REG_DMABUF_MR_FD, (uint32_t)s.fd);
		mr_cmd_u32(&cmd, UVERBS_ATTR_REG_DMABUF_MR_ACCESS_FLAGS, MR_ACCESS);
		mr_cmd_out(&cmd, UVERBS_ATTR_REG_DMABUF_MR_RESP_LKEY, &key[0], sizeof(key[0]));
		mr_cmd_out(&cmd, UVERBS_ATTR_REG_DMABUF_MR_RESP_RKEY, &key[1], sizeof(key[1]));
		mr_cmd_u32(&cmd, MLX5_IB_ATTR_REG_DMABUF_MR_ACCESS_FLAGS,
			   MLX5_IB_UAPI_REG_DMABUF_ACCESS_DATA_DIRECT);
		if (policies[i] >= 0)
			mr_cmd_u64(&cmd, UVERBS_ATTR_REG_DMABUF_MR_TPH_POLICY,
				   (uint64_t)policies[i]);
		ktap_step("policy %d", policies[i]);
		/* Without such a function there is no data direct either. */
		CHECK_EQUAL(err[i], mr_cmd_run(&s.hca, &cmd));
	}
	CHECK_EQUAL(before, mr_count(&s.hca));
	table_check(&s.table);
}

/*
 * The same with a DMA handle, that is not dropped. The driver's flags have the number of REG_MR's
 * own input for the driver, so that REG_MR takes them, too.
 */
static void data_direct_dma_handle(void)
{
	uint32_t flags = MLX5_IB_UAPI_REG_DMABUF_ACCESS_DATA_DIRECT, dmah, key[2];
	int before = mr_count(&s.hca);

	if (!CHECK_EQUAL(0, mr_dmah_alloc(&s.hca, -1, DMAH_PH, &dmah)))
		return;
	for (unsigned int with = 0; with < 2; with++) {
		struct mr_cmd cmd;

		mr_cmd_init(&cmd, UVERBS_OBJECT_MR, UVERBS_METHOD_REG_MR);
		mr_cmd_object(&cmd, UVERBS_ATTR_REG_MR_HANDLE, 0);
		mr_cmd_object(&cmd, UVERBS_ATTR_REG_MR_PD_HANDLE, s.hca.pd->handle);
		if (with)
			mr_cmd_object(&cmd, UVERBS_ATTR_REG_MR_DMA_HANDLE, dmah);
		mr_cmd_u64(&cmd, UVERBS_ATTR_REG_MR_IOVA, 0);
		mr_cmd_u64(&cmd, UVERBS_ATTR_REG_MR_LENGTH, LENGTH);
		mr_cmd_u32(&cmd, UVERBS_ATTR_REG_MR_ACCESS_FLAGS, MR_ACCESS);
		mr_cmd_object(&cmd, UVERBS_ATTR_REG_MR_FD, s.fd);
		mr_cmd_u64(&cmd, UVERBS_ATTR_REG_MR_FD_OFFSET, 0);
		mr_cmd_out(&cmd, UVERBS_ATTR_REG_MR_RESP_LKEY, &key[0], sizeof(key[0]));
		mr_cmd_out(&cmd, UVERBS_ATTR_REG_MR_RESP_RKEY, &key[1], sizeof(key[1]));
		mr_cmd_u32(&cmd, UVERBS_ATTR_UHW_IN, flags);
		CHECK_EQUAL(with ? -EOPNOTSUPP : -EINVAL, mr_cmd_run(&s.hca, &cmd));
	}
	CHECK_EQUAL(before, mr_count(&s.hca));
	CHECK_EQUAL(0, mr_dmah_free(&s.hca, dmah));
	table_check(&s.table);
}

static int query_with(const struct mr *mr, void *out, size_t length, uint16_t *flags)
{
	struct ib_uverbs_attr *attr;
	uint32_t key[2];
	uint64_t size;
	struct mr_cmd cmd;
	int ret;

	mr_cmd_init(&cmd, UVERBS_OBJECT_MR, UVERBS_METHOD_QUERY_MR);
	mr_cmd_object(&cmd, UVERBS_ATTR_QUERY_MR_HANDLE, mr->handle);
	mr_cmd_out(&cmd, UVERBS_ATTR_QUERY_MR_RESP_LKEY, &key[0], sizeof(key[0]));
	mr_cmd_out(&cmd, UVERBS_ATTR_QUERY_MR_RESP_RKEY, &key[1], sizeof(key[1]));
	mr_cmd_out(&cmd, UVERBS_ATTR_QUERY_MR_RESP_LENGTH, &size, sizeof(size));
	attr = mr_cmd_out(&cmd, UVERBS_ATTR_QUERY_MR_RESP_TPH, out, length);
	ret = mr_cmd_run(&s.hca, &cmd);
	*flags = attr->flags;
	return ret;
}

/* The output may be left out, has a least size, and room to grow. */
static void query_output(void)
{
	struct mr_request request = mr_request(s.fd, LENGTH, IB_UVERBS_MR_TPH_REQUIRE);
	struct ib_uverbs_mr_tph expected = tph_applied(tag_hint(TAG), IB_UVERBS_MR_TPH_REQUIRE);
	static const uint8_t zero[16];
	uint8_t bytes[32];
	struct mr_info info;
	uint16_t flags;
	struct mr mr;

	if (!CHECK_EQUAL(0, mr_reg_dmabuf(&s.hca, &request, &mr)))
		return;
	CHECK_EQUAL(0, mr_query_plain(&s.hca, &mr, &info));
	CHECK_EQUAL(mr.rkey, info.rkey);
	CHECK(!info.has_tph);
	check_tph(&s.hca, &mr, &expected);
	CHECK_EQUAL(-EINVAL, query_with(&mr, bytes, 8, &flags));
	CHECK_EQUAL(-EINVAL, query_with(&mr, bytes, 15, &flags));
	memset(bytes, 0xa5, sizeof(bytes));
	CHECK_EQUAL(0, query_with(&mr, bytes, sizeof(bytes), &flags));
	CHECK(flags & UVERBS_ATTR_F_VALID_OUTPUT);
	CHECK(!memcmp(bytes, &expected, sizeof(expected)));
	CHECK(!memcmp(bytes + 16, zero, 16));
	CHECK_EQUAL(-EFAULT, query_with(&mr, NULL, 16, &flags));
	check_tph(&s.hca, &mr, &expected);
	CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
}

static void query_host_memory(void)
{
	struct ib_uverbs_mr_tph none = tph_none(0);
	struct mr_request request = { .addr = s.memory, .length = LENGTH, .access = MR_ACCESS };
	struct ibv_mr *old;
	struct mr mr;

	request.iova = (uintptr_t)s.memory;
	if (CHECK_EQUAL(0, mr_reg_ex(&s.hca, &request, &mr))) {
		check_tph(&s.hca, &mr, &none);
		CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
	}
	/* As every program registers, by the older call. */
	old = ibv_reg_mr(s.hca.pd, s.memory, LENGTH, MR_ACCESS);
	if (!CHECK(old))
		return;
	mr = (struct mr){ .handle = old->handle,
			  .lkey = old->lkey,
			  .rkey = old->rkey,
			  .iova = (uintptr_t)s.memory,
			  .length = LENGTH };
	check_tph(&s.hca, &mr, &none);
	ibv_dereg_mr(old);
}

/* A registration keeps the hint that it found; later ones see later hints. */
static void snapshot(void)
{
	struct mr_request request = mr_request(s.fd, LENGTH, IB_UVERBS_MR_TPH_AUTO);
	struct ib_uverbs_mr_tph was = tph_applied(tag_hint(TAG), IB_UVERBS_MR_TPH_AUTO);
	struct ib_uverbs_mr_tph is = tph_applied(tag_hint(NEW_TAG), IB_UVERBS_MR_TPH_AUTO);
	struct mr old, new;

	/* Two tags at a time: the table lends another place. */
	CHECK_EQUAL(0, table_unfill(&s.table));
	if (!CHECK_EQUAL(0, mr_reg_dmabuf(&s.hca, &request, &old)))
		return;
	CHECK_EQUAL(0, mr_bar_hint(&s.bar, s.fd, hint_of(s.width, NEW_TAG, PH)));
	check_tph(&s.hca, &old, &was);
	if (CHECK_EQUAL(0, mr_reg_dmabuf(&s.hca, &request, &new))) {
		check_tph(&s.hca, &new, &is);
		check_write(&s.link, &old, s.endpoint, tag_hint(TAG));
		check_write(&s.link, &new, s.endpoint, tag_hint(NEW_TAG));
		CHECK_EQUAL(0, mr_dereg(&s.hca, &old));
		check_write(&s.link, &new, s.endpoint, tag_hint(NEW_TAG));
		CHECK_EQUAL(0, mr_dereg(&s.hca, &new));
	}
	CHECK_EQUAL(0, mr_bar_hint(&s.bar, s.fd, hint_of(s.width, TAG, PH)));
	CHECK_EQUAL(0, table_fill(&s.table));
	table_check(&s.table);
}

/* PH belongs to the key, the place in the table to the tag. */
static void one_tag_each_ph(void)
{
	struct wire_hint hint = tag_hint(TAG);
	struct mr mr[4];

	for (uint8_t ph = 0; ph < 4; ph++) {
		struct mr_request request = mr_request(s.fd, LENGTH, IB_UVERBS_MR_TPH_REQUIRE);

		CHECK_EQUAL(0, mr_bar_hint(&s.bar, s.fd, hint_of(s.width, TAG, ph)));
		if (!CHECK_EQUAL(0, mr_reg_ex(&s.hca, &request, &mr[ph])))
			return;
	}
	for (hint.ph = 0; hint.ph < 4; hint.ph++) {
		check_write(&s.link, &mr[hint.ph], s.endpoint, hint);
		CHECK_EQUAL(0, mr_dereg(&s.hca, &mr[hint.ph]));
	}
	CHECK_EQUAL(0, mr_bar_hint(&s.bar, s.fd, hint_of(s.width, TAG, PH)));
	table_check(&s.table);
}

/* RDMA READ of the BAR, and from elsewhere into it: requests of both kinds carry the hint. */
static void reads(void)
{
	struct mr_request request = mr_request(s.fd, LENGTH, IB_UVERBS_MR_TPH_REQUIRE);
	struct control_count count[4];
	struct ibv_mr *memory;
	struct mr mr;

	if (!CHECK_EQUAL(0, mr_reg_dmabuf(&s.hca, &request, &mr)))
		return;
	CHECK_EQUAL(0, control_reset_counts(s.endpoint));
	CHECK_EQUAL(IBV_WC_SUCCESS, mr_link_read(&s.link, &mr, 0, 4096));
	if (CHECK_EQUAL(1, control_counts(s.endpoint, count, 4))) {
		CHECK(count[0].th);
		CHECK_EQUAL(TAG, count[0].st);
		CHECK_EQUAL(PH, count[0].ph);
		CHECK_EQUAL(0, count[0].writes);
		CHECK_EQUAL(4096, count[0].read_bytes);
	}
	memory = ibv_reg_mr(s.hca.pd, s.memory, LENGTH, MR_ACCESS);
	if (CHECK(memory)) {
		CHECK_EQUAL(0, control_reset_counts(s.endpoint));
		CHECK_EQUAL(IBV_WC_SUCCESS, mr_link_run(&s.link, IBV_WR_RDMA_READ, mr.iova, mr.lkey,
							4096, (uintptr_t)s.memory, memory->rkey));
		check_arrived(s.endpoint, tag_hint(TAG), 4096);
		ibv_dereg_mr(memory);
	}
	CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
}

static void dma_handle_with_hint(void)
{
	dma_handle(DMAH_PH, s.fd);
}

static void dma_handle_ph_0(void)
{
	dma_handle(0, s.fd);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = {
		{ "policy: values that are none", bad_values },
		{ "policy without a descriptor", policy_without_fd },
		{ "policy that an older kernel may ignore", optional_attribute },
		{ "DMA handle and hint", dma_handle_with_hint },
		{ "DMA handle of PH 0 and hint", dma_handle_ph_0 },
		{ "DMA handle, no hint", dma_handle_without_hint },
		{ "DMA handle, host memory", dma_handle_host },
		{ "range outside of the dma-buf", bad_range },
		{ "descriptor that is no dma-buf", bad_descriptor },
		{ "revoked dma-buf", revoked },
		{ "data direct", data_direct },
		{ "data direct and DMA handle", data_direct_dma_handle },
		{ "read-back: sizes of the output", query_output },
		{ "read-back: host memory", query_host_memory },
		{ "a later hint", snapshot },
		{ "one tag with each PH", one_tag_each_ph },
		{ "reads", reads },
	};
	const unsigned int n = sizeof(cases) / sizeof(cases[0]);

	if (argc != 5) {
		fprintf(stderr, "usage: attributes IB-DEVICE HCA BDF ENDPOINT\n");
		return 2;
	}
	s.name = argv[2];
	s.bdf = argv[3];
	s.endpoint = argv[4];
	ktap_plan(n);
	ktap_must(mr_hca_open(argv[1], &s.hca), argv[1]);
	ktap_must(mr_bar_open(s.bdf, 0, BAR_LENGTH, &s.bar), s.bdf);
	ktap_must(mr_link_open(&s.link, &s.hca, &s.hca), "RC connection");
	table_open(&s.table, &s.hca, &s.bar);
	s.width = s.table.width;
	s.memory = aligned_alloc(MR_PAGE, LENGTH);
	s.fd = mr_bar_export_hinted(&s.bar, 0, LENGTH, hint_of(s.width, TAG, PH));
	if (!s.memory || s.fd < 0)
		ktap_bail("no dma-buf: %d", s.fd);
	memset(s.memory, 0, LENGTH);
	for (unsigned int i = 0; i < n; i++) {
		ktap_case("%s: %s", s.name, cases[i].name);
		cases[i].run();
		ktap_done();
	}
	close(s.fd);
	table_close(&s.table);
	mr_link_close(&s.link);
	mr_bar_close(&s.bar);
	mr_hca_close(&s.hca);
	free(s.memory);
	return ktap_exit();
}
