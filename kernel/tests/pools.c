// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions of ascending sizes with one hint: the kernel keeps a pool of memory keys for each index,
 * PH and size until the device is removed, so sizes are rounded up to powers of two.
 *
 * Usage: pools IB-DEVICE WIDTH BDF, an endpoint whose BAR 0 vfio-pci owns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "account_keys.h"
#include "evidence.h"

#define PAGES	   64u
#define BAR_LENGTH (PAGES * MR_PAGE)
#define TAG	   77u
#define PH	   3u
/* 1, 2, 4, ... PAGES pages */
#define POOLS 7

static struct {
	struct mr_hca hca;
	struct mr_bar bar;
	const char *name;
	uint8_t width;
} s;

/* One region of each size, one after the other. Returns the pools that there are then. */
static int64_t each_size(int policy, bool applied)
{
	for (unsigned int pages = 1; pages <= PAGES; pages++) {
		int fd =
			mr_bar_export_hinted(&s.bar, 0, pages * MR_PAGE, hint_of(s.width, TAG, PH));
		struct mr_request request = mr_request(fd, pages * MR_PAGE, policy);
		struct mr_info info;
		struct mr mr;

		ktap_step("%u pages", pages);
		if (CHECK(fd >= 0) && CHECK_EQUAL(0, mr_reg_dmabuf(&s.hca, &request, &mr))) {
			CHECK_EQUAL(0, mr_query(&s.hca, &mr, &info));
			CHECK_EQUAL(applied ? IB_UVERBS_MR_TPH_APPLIED : 0, info.tph.flags);
			CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
		}
		close(fd);
	}
	return account_pools(s.name);
}

int main(int argc, char **argv)
{
	int64_t before, after;

	if (argc != 4) {
		fprintf(stderr, "usage: pools IB-DEVICE WIDTH BDF\n");
		return 2;
	}
	s.name = argv[1];
	s.width = (uint8_t)atoi(argv[2]);
	ktap_plan(3);
	ktap_must(mr_hca_open(s.name, &s.hca), s.name);
	ktap_must(mr_bar_open(argv[3], 0, BAR_LENGTH, &s.bar), argv[3]);
	ktap_case("%s: %u sizes with one hint: %d pools", s.name, PAGES, POOLS);
	before = account_pools(s.name);
	CHECK(before >= 0);
	after = each_size(IB_UVERBS_MR_TPH_REQUIRE, true);
	CHECK_EQUAL(POOLS, after - before);
	ktap_done();
	ktap_case("%s: once more: none", s.name);
	CHECK_EQUAL(after, each_size(IB_UVERBS_MR_TPH_REQUIRE, true));
	ktap_done();
	ktap_case("%s: without hint: as without the series", s.name);
	before = each_size(IB_UVERBS_MR_TPH_IGNORE, false);
	ktap_note("%lld pools for %u sizes", (long long)(before - after), PAGES);
	CHECK_EQUAL(before, each_size(IB_UVERBS_MR_TPH_IGNORE, false));
	ktap_done();
	mr_bar_close(&s.bar);
	mr_hca_close(&s.hca);
	return ktap_exit();
}
