// SPDX-License-Identifier: GPL-2.0-only
/*
 * The verbs extension with a library and a kernel that know it: what ibv_query_mr_tph() says is
 * what the completer counts, and what is refused leaves nothing.
 *
 * Usage: verbs_tph IB-DEVICE BDF ENDPOINT, a completer of Extended TPH whose BAR 0 vfio-pci owns.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tph.h"

#define BAR_LENGTH (1u << 20)
#define PH	   2u

static struct {
	struct mr_hca hca;
	struct mr_bar bar;
	struct mr_link link;
	const char *endpoint;
	uint8_t width;
	uint32_t max_tag;
} s;

static int export(uint16_t tag)
{
	return mr_bar_export_hinted(&s.bar, 0, TPH_LENGTH, hint_of(s.width, tag, PH));
}

/* The MR has this read-back, all of it, and writes to it arrive with the same. Deregisters it. */
static void check_mr(struct ibv_mr *ibv_mr, const struct ibv_mr_tph_attr *expected)
{
	struct wire_hint wire = { .th = expected->flags & IBV_MR_TPH_APPLIED,
				  .ph = expected->ph,
				  .width = expected->st_width,
				  .st = expected->steering_tag };
	struct ibv_mr_tph_attr attr;
	struct mr mr;

	if (!CHECK(ibv_mr))
		return;
	mr = tph_mr(ibv_mr);
	memset(&attr, 0xff, sizeof(attr));
	CHECK_EQUAL(0, ibv_query_mr_tph(ibv_mr, &attr));
	CHECK_EQUAL(expected->flags, attr.flags);
	CHECK_EQUAL(expected->source, attr.source);
	CHECK_EQUAL(expected->policy, attr.policy);
	CHECK_EQUAL(expected->reason, attr.reason);
	CHECK_EQUAL(expected->steering_tag, attr.steering_tag);
	CHECK_EQUAL(expected->ph, attr.ph);
	CHECK_EQUAL(expected->st_width, attr.st_width);
	check_write(&s.link, &mr, s.endpoint, wire);
	CHECK_EQUAL(0, ibv_dereg_mr(ibv_mr));
}

static struct ibv_mr_tph_attr hinted(uint16_t tag, uint32_t policy)
{
	return (struct ibv_mr_tph_attr){ .flags = IBV_MR_TPH_APPLIED,
					 .source = IBV_MR_TPH_SOURCE_DMABUF,
					 .policy = policy,
					 .steering_tag = tag,
					 .ph = PH,
					 .st_width = s.width };
}

static struct ibv_mr_tph_attr unhinted(uint32_t policy)
{
	return (struct ibv_mr_tph_attr){ .policy = policy };
}

static void caps(void)
{
	struct ibv_tph_caps got, untouched;
	struct mr_tph_caps want;
	struct {
		struct ibv_tph_caps caps;
		uint32_t tail;
	} newer;

	CHECK_EQUAL(0, mr_tph_caps(&s.hca, &want));
	memset(&got, 0xff, sizeof(got));
	CHECK_EQUAL(0, ibv_query_tph_caps(s.hca.context, &got));
	CHECK_EQUAL(want.flags, got.flags);
	CHECK_EQUAL(want.st_width, got.st_width);
	CHECK_EQUAL(want.max_tags, got.max_tags);
	CHECK_EQUAL(want.max_tag, got.max_tag);
	CHECK_EQUAL(s.width, got.st_width);
	CHECK(got.flags & IBV_TPH_CAP_DMABUF);
	ktap_step("an application of a later version");
	memset(&newer, 0xff, sizeof(newer));
	CHECK_EQUAL(0, _ibv_query_tph_caps(s.hca.context, &newer.caps, sizeof(newer)));
	CHECK_EQUAL(s.width, newer.caps.st_width);
	CHECK_EQUAL(0, newer.tail);
	ktap_step("a structure that is too small");
	memset(&untouched, 0xa5, sizeof(untouched));
	got = untouched;
	CHECK_EQUAL(EINVAL, _ibv_query_tph_caps(s.hca.context, &got, sizeof(got) - 1));
	CHECK(!memcmp(&untouched, &got, sizeof(got)));
}

/* Each way to register the dma-buf, with a hint; @policy < 0: without a policy. */
static void with_hint(int policy)
{
	static const uint16_t tags[] = { 0, 42, 255, 48879 };

	for (unsigned int i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		struct ibv_mr_tph_attr expected = unhinted(IBV_DMABUF_TPH_IGNORE);
		struct ibv_mr_init_attr attr;
		int fd;

		if (tags[i] > s.max_tag)
			continue;
		ktap_step("tag %u", tags[i]);
		fd = export(tags[i]);
		attr = tph_init_attr(fd, policy);
		if (policy != IBV_DMABUF_TPH_IGNORE)
			expected = hinted(tags[i], policy < 0 ? 0 : (uint32_t)policy);
		check_mr(ibv_reg_mr_ex(s.hca.pd, &attr), &expected);
		if (policy < 0)
			check_mr(ibv_reg_dmabuf_mr(s.hca.pd, 0, TPH_LENGTH, 0, fd, MR_ACCESS),
				 &expected);
		close(fd);
	}
}

static void without_hint(void)
{
	struct ibv_mr_tph_attr none = unhinted(IBV_DMABUF_TPH_AUTO);
	int fd = mr_bar_export(&s.bar, 0, TPH_LENGTH);
	struct ibv_mr_init_attr attr;

	ktap_step("REQUIRE");
	attr = tph_init_attr(fd, IBV_DMABUF_TPH_REQUIRE);
	CHECK_EQUAL(0, control_reset_counts(s.endpoint));
	tph_refused(&s.hca, &attr, ENODATA);
	check_nothing_arrived(s.endpoint);
	ktap_step("AUTO after it");
	attr = tph_init_attr(fd, IBV_DMABUF_TPH_AUTO);
	check_mr(ibv_reg_mr_ex(s.hca.pd, &attr), &none);
	ktap_step("IGNORE");
	none.policy = IBV_DMABUF_TPH_IGNORE;
	attr = tph_init_attr(fd, IBV_DMABUF_TPH_IGNORE);
	check_mr(ibv_reg_mr_ex(s.hca.pd, &attr), &none);
	close(fd);
}

/* A hint that AUTO goes without, and REQUIRE does not: @reason and @err tell why. */
static void left_out(struct vfiobar_hint hint, uint32_t reason, int err)
{
	struct ibv_mr_tph_attr expected = { .flags = IBV_MR_TPH_FALLBACK, .reason = reason };
	int fd = mr_bar_export_hinted(&s.bar, 0, TPH_LENGTH, hint);
	struct ibv_mr_tph_attr none = unhinted(IBV_DMABUF_TPH_IGNORE);
	struct ibv_mr_init_attr attr;

	attr = tph_init_attr(fd, IBV_DMABUF_TPH_AUTO);
	check_mr(ibv_reg_mr_ex(s.hca.pd, &attr), &expected);
	check_mr(ibv_reg_dmabuf_mr(s.hca.pd, 0, TPH_LENGTH, 0, fd, MR_ACCESS), &expected);
	attr = tph_init_attr(fd, IBV_DMABUF_TPH_REQUIRE);
	CHECK_EQUAL(0, control_reset_counts(s.endpoint));
	tph_refused(&s.hca, &attr, err);
	check_nothing_arrived(s.endpoint);
	attr = tph_init_attr(fd, IBV_DMABUF_TPH_IGNORE);
	check_mr(ibv_reg_mr_ex(s.hca.pd, &attr), &none);
	close(fd);
}

static void fallback(void)
{
	ktap_step("a tag of the other width only");
	left_out(hint_of(s.width == 8 ? 16 : 8, 42, PH), IBV_MR_TPH_REASON_WIDTH, ENODATA);
	if (s.max_tag == (1u << s.width) - 1)
		return;
	ktap_step("a tag that the memory key cannot express");
	left_out(hint_of(s.width, (uint16_t)(s.max_tag + 1), PH), IBV_MR_TPH_REASON_RANGE, ERANGE);
}

/* Refused by the library, whatever the kernel would say. */
static void refused(void)
{
	struct ibv_dmah_init_attr dmah_attr = { .comp_mask = IBV_DMAH_INIT_ATTR_MASK_PH, .ph = 1 };
	struct ibv_dmah *dmah = ibv_alloc_dmah(s.hca.context, &dmah_attr);
	static uint8_t memory[4096] __attribute__((aligned(4096)));
	static const uint32_t values[] = { IBV_DMABUF_TPH_IGNORE + 1, UINT32_MAX };
	struct ibv_mr_init_attr attr;
	int fd = export(42);

	for (uint32_t policy = IBV_DMABUF_TPH_AUTO; policy <= IBV_DMABUF_TPH_IGNORE; policy++) {
		ktap_step("policy %u without a dma-buf", policy);
		attr = (struct ibv_mr_init_attr){ .comp_mask = IBV_REG_MR_MASK_ADDR |
							       IBV_REG_MR_MASK_DMABUF_TPH,
						  .addr = memory,
						  .length = sizeof(memory),
						  .access = MR_ACCESS,
						  .dmabuf_tph_policy = policy };
		tph_refused(&s.hca, &attr, EINVAL);
	}
	for (unsigned int i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		ktap_step("policy %u", values[i]);
		attr = tph_init_attr(fd, 0);
		attr.dmabuf_tph_policy = values[i];
		tph_refused(&s.hca, &attr, EINVAL);
	}
	ktap_step("REQUIRE with a DMA handle");
	if (CHECK(dmah)) {
		attr = tph_init_attr(fd, IBV_DMABUF_TPH_REQUIRE);
		attr.comp_mask |= IBV_REG_MR_MASK_DMAH;
		attr.dmah = dmah;
		tph_refused(&s.hca, &attr, EINVAL);
		CHECK_EQUAL(0, ibv_dealloc_dmah(dmah));
	}
	for (unsigned int bit = 7; bit < 64; bit++) {
		ktap_step("bit %u of comp_mask", bit);
		attr = tph_init_attr(fd, -1);
		attr.comp_mask |= 1ull << bit;
		tph_refused(&s.hca, &attr, EOPNOTSUPP);
	}
	close(fd);
}

static void sizes(void)
{
	struct ibv_mr_init_attr init = tph_init_attr(export(42), IBV_DMABUF_TPH_REQUIRE);
	struct ibv_mr *mr = ibv_reg_mr_ex(s.hca.pd, &init);
	struct ibv_mr_tph_attr attr, untouched;
	struct {
		struct ibv_mr_tph_attr attr;
		uint32_t tail;
	} newer;

	close(init.fd);
	if (!CHECK(mr))
		return;
	ktap_step("a structure that is too small");
	memset(&untouched, 0xa5, sizeof(untouched));
	attr = untouched;
	CHECK_EQUAL(EINVAL, _ibv_query_mr_tph(mr, &attr, sizeof(attr) - 1));
	CHECK(!memcmp(&untouched, &attr, sizeof(attr)));
	ktap_step("an application of a later version");
	memset(&newer, 0xff, sizeof(newer));
	CHECK_EQUAL(0, _ibv_query_mr_tph(mr, &newer.attr, sizeof(newer)));
	CHECK_EQUAL(42, newer.attr.steering_tag);
	CHECK_EQUAL(0, newer.tail);
	CHECK_EQUAL(0, ibv_dereg_mr(mr));
}

static void null_mr(void)
{
	struct ibv_mr *mr = ibv_alloc_null_mr(s.hca.pd);
	struct ibv_mr_tph_attr attr, untouched;

	if (!mr) {
		ktap_skip("the HCA has no null MRs", NULL);
		return;
	}
	memset(&untouched, 0xa5, sizeof(untouched));
	attr = untouched;
	CHECK_EQUAL(EINVAL, ibv_query_mr_tph(mr, &attr));
	CHECK(!memcmp(&untouched, &attr, sizeof(attr)));
	CHECK_EQUAL(0, ibv_dereg_mr(mr));
	ktap_done();
}

int main(int argc, char **argv)
{
	static const char *const policy_name[] = { "no policy", "AUTO", "REQUIRE", "IGNORE" };
	struct ibv_tph_caps tph_caps;

	if (argc != 4) {
		fprintf(stderr, "usage: verbs_tph IB-DEVICE BDF ENDPOINT\n");
		return 2;
	}
	s.endpoint = argv[3];
	ktap_plan(10);
	ktap_must(mr_hca_open(argv[1], &s.hca), argv[1]);
	ktap_must(mr_bar_open(argv[2], 0, BAR_LENGTH, &s.bar), argv[2]);
	ktap_must(mr_link_open(&s.link, &s.hca, &s.hca), "RC connection");
	ktap_must(-ibv_query_tph_caps(s.hca.context, &tph_caps), "ibv_query_tph_caps()");
	s.width = (uint8_t)tph_caps.st_width;
	s.max_tag = tph_caps.max_tag;
	ktap_case("%s: capabilities", argv[1]);
	caps();
	ktap_done();
	for (int policy = -1; policy <= IBV_DMABUF_TPH_IGNORE; policy++) {
		ktap_case("%s: hint, %s", argv[1], policy_name[policy + 1]);
		with_hint(policy);
		ktap_done();
	}
	ktap_case("%s: no hint", argv[1]);
	without_hint();
	ktap_done();
	ktap_case("%s: fallback and its reason", argv[1]);
	fallback();
	ktap_done();
	ktap_case("%s: refused by the library", argv[1]);
	refused();
	ktap_done();
	ktap_case("%s: sizes of the answer to a query", argv[1]);
	sizes();
	ktap_done();
	ktap_case("%s: query of a null MR", argv[1]);
	null_mr();
	mr_link_close(&s.link);
	mr_bar_close(&s.bar);
	mr_hca_close(&s.hca);
	return ktap_exit();
}
