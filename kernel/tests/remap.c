// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to a memory region when its BAR is taken away for a while and comes back, with the
 * same hint, another one, or none: the access goes on with the tag of the key or, with REQUIRE and
 * another hint, fails without one byte written.
 *
 * Usage: remap IB-DEVICE PEER-IB-DEVICE WIDTH BDF ENDPOINT, a completer of Extended TPH whose
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
#define TAG	   42u
#define NEW_TAG	   43u
#define PH	   2u

static struct {
	struct mr_hca hca, peer;
	struct mr_bar bar;
	struct mr_link link;
	struct table table;
	const char *bdf, *endpoint;
	uint8_t width;
	int fd;
} s;

/* --- ways to take the BAR away ------------------------------------------------------------ */

static int memory_off(void)
{
	return mr_bar_memory(&s.bar, false);
}

static int memory_on(void)
{
	return mr_bar_memory(&s.bar, true);
}

static int power_off(void)
{
	return mr_bar_power(&s.bar, 3);
}

static int power_on(void)
{
	return mr_bar_power(&s.bar, 0);
}

static int reset(void)
{
	return mr_bar_reset(&s.bar);
}

static int nothing(void)
{
	return 0;
}

static const struct way {
	const char *name;
	int (*revoke)(void);
	int (*restore)(void);
	bool lasts; /* the BAR is away between the two */
} ways[] = {
	{ "memory enable", memory_off, memory_on, true },
	{ "function reset", reset, nothing, false },
	{ "D3hot", power_off, power_on, true },
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* --- what happens to the hint meanwhile ---------------------------------------------------- */

enum change { SAME, SET_AGAIN, OTHER_TAG, OTHER_PH, OTHER_WIDTH, WITHDRAWN, CHANGES };

static const struct {
	const char *name;
	bool differs;
} changes[] = {
	[SAME] = { "hint unchanged", false },
	[SET_AGAIN] = { "hint set again, the same", false },
	[OTHER_TAG] = { "other tag", true },
	[OTHER_PH] = { "other PH", true },
	[OTHER_WIDTH] = { "only a tag of the other width", true },
	[WITHDRAWN] = { "hint withdrawn", true },
};

static struct wire_hint wire(uint16_t tag, uint8_t ph)
{
	return (struct wire_hint){ .th = true, .ph = ph, .width = s.width, .st = tag };
}

static int apply(enum change change)
{
	switch (change) {
	case SET_AGAIN:
		return mr_bar_hint(&s.bar, s.fd, hint_of(s.width, TAG, PH));
	case OTHER_TAG:
		return mr_bar_hint(&s.bar, s.fd, hint_of(s.width, NEW_TAG, PH));
	case OTHER_PH:
		return mr_bar_hint(&s.bar, s.fd, hint_of(s.width, TAG, PH + 1));
	case OTHER_WIDTH:
		return mr_bar_hint(&s.bar, s.fd, hint_of(24 - s.width, TAG, PH));
	case WITHDRAWN:
		return mr_bar_hint(&s.bar, s.fd, mr_no_hint());
	default:
		return 0;
	}
}

/* --- cases ------------------------------------------------------------------------------- */

/* A write fails with the error of a bad remote access, and nothing arrives. */
static void check_write_refused(const struct mr *mr)
{
	CHECK_EQUAL(0, control_reset_counts(s.endpoint));
	CHECK_EQUAL(IBV_WC_REM_ACCESS_ERR, mr_link_write(&s.link, mr, 0, 4096));
	check_nothing_arrived(s.endpoint);
	CHECK_EQUAL(0, mr_link_reconnect(&s.link));
}

static void check_flags(const struct mr *mr, unsigned int policy, unsigned int flags)
{
	struct ib_uverbs_mr_tph tph = tph_applied(wire(TAG, PH), policy);

	if (policy == IB_UVERBS_MR_TPH_IGNORE)
		tph = tph_none(policy);
	else
		tph.flags |= flags;
	check_tph(&s.hca, mr, &tph);
}

/* What the MR promised; @differs says that the hint is another one now. */
static void check_access(const struct mr *mr, unsigned int policy, bool differs)
{
	struct wire_hint hint = wire(TAG, PH);

	if (policy == IB_UVERBS_MR_TPH_REQUIRE && differs) {
		check_write_refused(mr);
		check_flags(mr, policy, 0);
		return;
	}
	if (policy == IB_UVERBS_MR_TPH_IGNORE)
		hint.th = false, hint.st = hint.ph = hint.width = 0;
	check_write(&s.link, mr, s.endpoint, hint);
	check_flags(mr, policy, differs ? IB_UVERBS_MR_TPH_STALE : 0);
}

static void take_away(const struct way *way, const struct mr *mr)
{
	CHECK_EQUAL(0, way->revoke());
	if (way->lasts)
		check_write_refused(mr);
	CHECK_EQUAL(0, way->restore());
}

/* A registration made now finds the hint as it is now. */
static void check_new_mr(enum change change)
{
	struct mr_request request = mr_request(s.fd, LENGTH, IB_UVERBS_MR_TPH_REQUIRE);
	struct wire_hint hint =
		wire(change == OTHER_TAG ? NEW_TAG : TAG, change == OTHER_PH ? PH + 1 : PH);
	struct mr mr;

	if (change == WITHDRAWN || change == OTHER_WIDTH) {
		CHECK_EQUAL(-ENODATA, mr_reg_ex(&s.hca, &request, &mr));
		return;
	}
	if (CHECK_EQUAL(0, mr_reg_ex(&s.hca, &request, &mr))) {
		struct ib_uverbs_mr_tph tph = tph_applied(hint, IB_UVERBS_MR_TPH_REQUIRE);

		check_tph(&s.hca, &mr, &tph);
		check_write(&s.link, &mr, s.endpoint, hint);
		CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
	}
}

static void run(const struct way *way, enum change change, unsigned int policy)
{
	struct mr_request request = mr_request(s.fd, LENGTH, (int)policy);
	bool differs = changes[change].differs;
	struct mr mr;

	request.iova = 0x20000000;
	CHECK_EQUAL(0, mr_bar_hint(&s.bar, s.fd, hint_of(s.width, TAG, PH)));
	if (!CHECK_EQUAL(0, mr_reg_dmabuf(&s.hca, &request, &mr)))
		return;
	check_access(&mr, policy, false);
	/* The mapping is there, so that another hint does not matter yet. */
	CHECK_EQUAL(0, apply(change));
	check_access(&mr, policy, false);
	take_away(way, &mr);
	check_access(&mr, policy, differs);
	/* Neither does asking again make it better, */
	check_access(&mr, policy, differs);
	check_new_mr(change);
	/* but the old hint does. */
	CHECK_EQUAL(0, mr_bar_hint(&s.bar, s.fd, hint_of(s.width, TAG, PH)));
	take_away(way, &mr);
	check_access(&mr, policy, false);
	CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
	CHECK_EQUAL((int)s.table.count, mr_count(&s.hca));
}

/* The access that a program makes before the first byte moves: the same rule, with an errno. */
static void prefetch(unsigned int policy)
{
	struct mr_request request = mr_request(s.fd, LENGTH, (int)policy);
	bool require = policy == IB_UVERBS_MR_TPH_REQUIRE;
	struct mr mr;

	CHECK_EQUAL(0, mr_bar_hint(&s.bar, s.fd, hint_of(s.width, TAG, PH)));
	if (!CHECK_EQUAL(0, mr_reg_dmabuf(&s.hca, &request, &mr)))
		return;
	CHECK_EQUAL(0, memory_off());
	CHECK_EQUAL(-ENODEV, mr_prefetch(&s.hca, &mr));
	CHECK_EQUAL(0, mr_bar_hint(&s.bar, s.fd, hint_of(s.width, NEW_TAG, PH)));
	CHECK_EQUAL(0, memory_on());
	CHECK_EQUAL(require ? -ESTALE : 0, mr_prefetch(&s.hca, &mr));
	/* What is mapped stays so, with the hint that it has. */
	if (!require)
		CHECK_EQUAL(0, mr_prefetch(&s.hca, &mr));
	check_flags(&mr, policy, require ? 0 : IB_UVERBS_MR_TPH_STALE);
	check_access(&mr, policy, true);
	CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
}

/* The device is closed for good: the MR stays until it is deregistered, and reaches nothing. */
static void closed(unsigned int policy)
{
	struct mr_request request = mr_request(s.fd, LENGTH, (int)policy);
	int old = s.fd;
	struct mr mr, new;

	CHECK_EQUAL(0, mr_bar_hint(&s.bar, s.fd, hint_of(s.width, TAG, PH)));
	if (!CHECK_EQUAL(0, mr_reg_dmabuf(&s.hca, &request, &mr)))
		return;
	table_close(&s.table);
	mr_bar_close(&s.bar);
	check_write_refused(&mr);
	check_flags(&mr, policy, 0);
	CHECK_EQUAL(-ENODEV, mr_reg_dmabuf(&s.hca, &request, &new));
	CHECK_EQUAL(-ENODEV, mr_prefetch(&s.hca, &mr));
	if (!CHECK_EQUAL(0, mr_bar_open(s.bdf, 0, BAR_LENGTH, &s.bar)))
		ktap_bail("%s does not open again", s.bdf);
	table_open(&s.table, &s.hca, &s.bar);
	/* Open again is another device to the old dma-buf. */
	check_write_refused(&mr);
	CHECK_EQUAL(-EINVAL, mr_bar_hint(&s.bar, old, hint_of(s.width, TAG, PH)));
	s.fd = mr_bar_export_hinted(&s.bar, 0, LENGTH, hint_of(s.width, TAG, PH));
	CHECK(s.fd >= 0);
	check_new_mr(SAME);
	CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
	close(old);
	table_check(&s.table);
}

static const struct {
	const char *name;
	unsigned int value;
} policies[] = { { "AUTO", IB_UVERBS_MR_TPH_AUTO },
		 { "REQUIRE", IB_UVERBS_MR_TPH_REQUIRE },
		 { "IGNORE", IB_UVERBS_MR_TPH_IGNORE } };

static void all_ways(void)
{
	for (unsigned int w = 0; w < WAYS; w++) {
		for (unsigned int c = 0; c < CHANGES; c++) {
			for (unsigned int p = 0; p < 3; p++) {
				ktap_case("width %u: %s, %s, %s", s.width, ways[w].name,
					  changes[c].name, policies[p].name);
				run(&ways[w], (enum change)c, policies[p].value);
				ktap_done();
			}
		}
	}
}

int main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(stderr, "usage: remap IB-DEVICE PEER-IB-DEVICE WIDTH BDF ENDPOINT\n");
		return 2;
	}
	s.width = (uint8_t)atoi(argv[3]);
	s.bdf = argv[4];
	s.endpoint = argv[5];
	ktap_plan(WAYS * CHANGES * 3 + 2 + 3);
	ktap_must(mr_hca_open(argv[1], &s.hca), argv[1]);
	ktap_must(mr_hca_open(argv[2], &s.peer), argv[2]);
	ktap_must(mr_bar_open(s.bdf, 0, BAR_LENGTH, &s.bar), s.bdf);
	ktap_must(mr_link_open(&s.link, &s.peer, &s.hca), "RC connection");
	table_open(&s.table, &s.hca, &s.bar);
	/* Two tags at a time. */
	ktap_must(table_unfill(&s.table), "table");
	s.fd = mr_bar_export(&s.bar, 0, LENGTH);
	if (s.fd < 0)
		ktap_bail("no dma-buf: %d", s.fd);
	all_ways();
	for (unsigned int p = 0; p < 2; p++) {
		ktap_case("width %u: prefetch, %s", s.width, policies[p].name);
		prefetch(policies[p].value);
		ktap_done();
	}
	for (unsigned int p = 0; p < 3; p++) {
		ktap_case("width %u: closed device, %s", s.width, policies[p].name);
		closed(policies[p].value);
		ktap_done();
	}
	table_close(&s.table);
	close(s.fd);
	mr_link_close(&s.link);
	mr_bar_close(&s.bar);
	mr_hca_close(&s.peer);
	mr_hca_close(&s.hca);
	return ktap_exit();
}
