// SPDX-License-Identifier: GPL-2.0-only
/*
 * An HCA whose firmware says that it can, and then refuses to create memory keys with TPH, or to
 * load one. AUTO gets a memory region without, and says so; REQUIRE gets the errno, and as often as
 * one likes: nothing is left in the ST table.
 *
 * Usage: refuse IB-DEVICE ERRNO BDF ENDPOINT, the errno of REQUIRE as a number, and a completer
 * whose BAR 0 vfio-pci owns.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "evidence.h"

#define LENGTH	   65536u
#define BAR_LENGTH (1u << 20)
#define PH	   2u

static struct {
	struct mr_hca hca;
	struct mr_bar bar;
	struct mr_link link;
	struct mr_tph_caps caps;
	const char *endpoint;
	int err;
} s;

static void auto_falls_back(enum mr_method method, int policy)
{
	struct ib_uverbs_mr_tph tph =
		tph_fallback(IB_UVERBS_MR_TPH_REASON_KEY, IB_UVERBS_MR_TPH_AUTO);
	struct account before = account(&s.hca);
	int fd = mr_bar_export_hinted(&s.bar, 0, LENGTH, mr_st_both(42, 42, PH));
	struct mr_request request = mr_request(fd, LENGTH, policy);
	struct mr mr;

	request.iova = 0x10000000;
	if (CHECK_EQUAL(0, mr_reg(&s.hca, method, &request, &mr))) {
		check_tph(&s.hca, &mr, &tph);
		check_write(&s.link, &mr, s.endpoint, (struct wire_hint){ .th = false });
		CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
	}
	close(fd);
	account_same(&s.hca, &before);
}

static void auto_both_methods(void)
{
	auto_falls_back(MR_REG_DMABUF_MR, IB_UVERBS_MR_TPH_AUTO);
	auto_falls_back(MR_REG_DMABUF_MR, -1);
	auto_falls_back(MR_REG_MR, IB_UVERBS_MR_TPH_AUTO);
}

/* More tags than the table has room for: each must have been given back. */
static void many_tags(int policy)
{
	struct account before = account(&s.hca);
	struct mr mr;

	for (unsigned int i = 0; i < account_table_tags() + 2; i++) {
		uint8_t tag = (uint8_t)(i + 1);
		int fd = mr_bar_export_hinted(&s.bar, (i % 64) * MR_PAGE, MR_PAGE,
					      mr_st_both(tag, tag, PH));
		struct mr_request request = mr_request(fd, MR_PAGE, policy);
		int ret;

		ktap_step("tag %u", tag);
		ret = mr_reg_dmabuf(&s.hca, &request, &mr);
		CHECK_EQUAL(policy == IB_UVERBS_MR_TPH_REQUIRE ? s.err : 0, ret);
		if (!ret)
			CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
		close(fd);
	}
	account_same(&s.hca, &before);
}

static void require_fails(void)
{
	many_tags(IB_UVERBS_MR_TPH_REQUIRE);
}

static void auto_many_tags(void)
{
	many_tags(IB_UVERBS_MR_TPH_AUTO);
	many_tags(IB_UVERBS_MR_TPH_REQUIRE);
}

/* Who asks for no hint, or has none, does not notice. */
static void others(void)
{
	struct ib_uverbs_mr_tph ignored = tph_none(IB_UVERBS_MR_TPH_IGNORE);
	struct ib_uverbs_mr_tph none = tph_none(IB_UVERBS_MR_TPH_AUTO);
	int fd = mr_bar_export_hinted(&s.bar, 0, LENGTH, mr_st_both(42, 42, PH));
	struct mr_request request = mr_request(fd, LENGTH, IB_UVERBS_MR_TPH_IGNORE);
	struct mr mr;

	if (CHECK_EQUAL(0, mr_reg_dmabuf(&s.hca, &request, &mr))) {
		check_tph(&s.hca, &mr, &ignored);
		CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
	}
	CHECK_EQUAL(0, mr_bar_hint(&s.bar, fd, mr_no_hint()));
	request = mr_request(fd, LENGTH, IB_UVERBS_MR_TPH_AUTO);
	if (CHECK_EQUAL(0, mr_reg_dmabuf(&s.hca, &request, &mr))) {
		check_tph(&s.hca, &mr, &none);
		check_write(&s.link, &mr, s.endpoint, (struct wire_hint){ .th = false });
		CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
	}
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = { { "AUTO goes on without", auto_both_methods },
		      { "REQUIRE fails", require_fails },
		      { "AUTO with many tags, and REQUIRE after it", auto_many_tags },
		      { "IGNORE, and no hint", others } };

	if (argc != 5) {
		fprintf(stderr, "usage: refuse IB-DEVICE ERRNO BDF ENDPOINT\n");
		return 2;
	}
	s.err = -atoi(argv[2]);
	s.endpoint = argv[4];
	ktap_plan(4);
	ktap_must(mr_hca_open(argv[1], &s.hca), argv[1]);
	ktap_must(mr_bar_open(argv[3], 0, BAR_LENGTH, &s.bar), argv[3]);
	ktap_must(mr_link_open(&s.link, &s.hca, &s.hca), "RC connection");
	ktap_must(mr_tph_caps(&s.hca, &s.caps), "QUERY_TPH_CAPS");
	if (!s.caps.max_tags)
		ktap_bail("%s has no ST table", argv[1]);
	for (unsigned int i = 0; i < 4; i++) {
		ktap_case("%s, errno %d: %s", argv[1], -s.err, cases[i].name);
		cases[i].run();
		ktap_done();
	}
	mr_link_close(&s.link);
	mr_bar_close(&s.bar);
	mr_hca_close(&s.hca);
	return ktap_exit();
}
