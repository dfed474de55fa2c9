// SPDX-License-Identifier: GPL-2.0-only
/*
 * A write to the table of steering tags that fails. The kernel turns TPH off for the function then,
 * so that one run tests one registration: the driver has to be bound again after it.
 *
 * Usage: table_write IB-DEVICE HCA WIDTH REQUIRE|AUTO BDF ENDPOINT, a function with a table that
 * nobody else uses, and a completer of Extended TPH whose BAR 0 vfio-pci owns.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evidence.h"

#define BAR_LENGTH (1u << 20)
#define TAG	   42u
#define NEXT_TAG   43u
#define PH	   2u

static struct {
	struct mr_hca hca;
	struct mr_bar bar;
	struct mr_link link;
	struct mr first;
	const char *name, *endpoint;
	uint8_t width;
	bool require;
	int fd, others; /* MRs that are not of the tests */
} s;

static int reg_tag(uint16_t tag, int policy, struct mr *mr)
{
	struct mr_request request = mr_request(s.fd, MR_PAGE, policy);
	int ret = mr_bar_hint(&s.bar, s.fd, hint_of(s.width, tag, PH));

	return ret ? ret : mr_reg_dmabuf(&s.hca, &request, mr);
}

/* Place 1 is written; the function then says that there are no places beyond it. */
static void before(void)
{
	struct wire_hint hint = { .th = true, .ph = PH, .width = s.width, .st = TAG };
	char answer[256];

	if (!CHECK_EQUAL(0, reg_tag(TAG, IB_UVERBS_MR_TPH_REQUIRE, &s.first)))
		ktap_bail("no MR to go on with");
	check_write(&s.link, &s.first, s.endpoint, hint);
	CHECK_EQUAL(0, control_ask(answer, sizeof(answer), "st-entries %s 2", s.name));
}

static void failing_write(void)
{
	struct ib_uverbs_mr_tph fallback =
		tph_fallback(IB_UVERBS_MR_TPH_REASON_WRITE, IB_UVERBS_MR_TPH_AUTO);
	struct mr mr;

	if (s.require) {
		CHECK_EQUAL(-ENXIO, reg_tag(NEXT_TAG, IB_UVERBS_MR_TPH_REQUIRE, &mr));
	} else if (CHECK_EQUAL(0, reg_tag(NEXT_TAG, IB_UVERBS_MR_TPH_AUTO, &mr))) {
		check_tph(&s.hca, &mr, &fallback);
		check_write(&s.link, &mr, s.endpoint, (struct wire_hint){ .th = false });
		CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
	}
	CHECK_EQUAL(s.others + 1, mr_count(&s.hca));
}

/* TPH is off: also for a tag that is in the table, and for the capability. */
static void after(void)
{
	struct ib_uverbs_mr_tph none = tph_none(IB_UVERBS_MR_TPH_AUTO);
	struct mr_tph_caps caps;
	struct mr mr;

	CHECK_EQUAL(0, mr_tph_caps(&s.hca, &caps));
	CHECK_EQUAL(0, caps.st_width);
	CHECK_EQUAL(0, caps.flags);
	CHECK_EQUAL(0, caps.max_tags);
	CHECK_EQUAL(-EOPNOTSUPP, reg_tag(TAG, IB_UVERBS_MR_TPH_REQUIRE, &mr));
	CHECK_EQUAL(-EOPNOTSUPP, reg_tag(NEXT_TAG, IB_UVERBS_MR_TPH_REQUIRE, &mr));
	CHECK_EQUAL(s.others + 1, mr_count(&s.hca));
	if (CHECK_EQUAL(0, reg_tag(TAG, IB_UVERBS_MR_TPH_AUTO, &mr))) {
		check_tph(&s.hca, &mr, &none);
		check_write(&s.link, &mr, s.endpoint, (struct wire_hint){ .th = false });
		CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
	}
	/* The read-back is what the key holds, and not what the function sends. */
	check_write(&s.link, &s.first, s.endpoint, (struct wire_hint){ .th = false });
	/* What was required is missed as soon as the memory is mapped again. */
	CHECK_EQUAL(0, mr_bar_hint(&s.bar, s.fd, hint_of(s.width, TAG, PH)));
	CHECK_EQUAL(0, mr_bar_memory(&s.bar, false));
	CHECK_EQUAL(0, mr_bar_memory(&s.bar, true));
	CHECK_EQUAL(-ESTALE, mr_prefetch(&s.hca, &s.first));
	CHECK_EQUAL(0, control_reset_counts(s.endpoint));
	CHECK_EQUAL(IBV_WC_REM_ACCESS_ERR, mr_link_write(&s.link, &s.first, 0, MR_PAGE));
	check_nothing_arrived(s.endpoint);
	CHECK_EQUAL(0, mr_link_reconnect(&s.link));
	CHECK_EQUAL(0, mr_dereg(&s.hca, &s.first));
	CHECK_EQUAL(s.others, mr_count(&s.hca));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = { { "before", before }, { "write fails", failing_write }, { "after", after } };
	char answer[256];

	if (argc != 7) {
		fprintf(stderr,
			"usage: table_write IB-DEVICE HCA WIDTH REQUIRE|AUTO BDF ENDPOINT\n");
		return 2;
	}
	s.name = argv[2];
	s.width = (uint8_t)atoi(argv[3]);
	s.require = !strcmp(argv[4], "REQUIRE");
	s.endpoint = argv[6];
	ktap_plan(3);
	ktap_must(mr_hca_open(argv[1], &s.hca), argv[1]);
	ktap_must(mr_bar_open(argv[5], 0, BAR_LENGTH, &s.bar), argv[5]);
	ktap_must(mr_link_open(&s.link, &s.hca, &s.hca), "RC connection");
	s.fd = mr_bar_export(&s.bar, 0, MR_PAGE);
	if (s.fd < 0)
		ktap_bail("no dma-buf: %d", s.fd);
	s.others = mr_count(&s.hca);
	for (unsigned int i = 0; i < 3; i++) {
		ktap_case("table write, %s: %s", argv[4], cases[i].name);
		cases[i].run();
		ktap_done();
	}
	ktap_must(control_ask(answer, sizeof(answer), "st-entries %s 0", s.name), "st-entries");
	close(s.fd);
	mr_link_close(&s.link);
	mr_bar_close(&s.bar);
	mr_hca_close(&s.hca);
	return ktap_exit();
}
