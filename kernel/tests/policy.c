// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hints of a dma-buf and the policy of a registration: each kind of hint with each policy, by both
 * methods, on one HCA function. A registration that fails leaves nothing behind; one that succeeds
 * says what it applied, and that is what arrives at the completer.
 *
 * Usage: policy IB-DEVICE table|direct|none WIDTH BDF ENDPOINT, a completer of Extended TPH whose
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

enum kind { TABLE_8, TABLE_16, DIRECT_8, DIRECT_16, NONE, KINDS };

/* What becomes of a hint, in the words of the error table. */
enum outcome { SKIP, HINT, NO_HINT, WIDTH, TOO_WIDE, FULL, NO_TPH };

static const struct {
	int required;	     /* errno with REQUIRE */
	unsigned int reason; /* of AUTO to go without a hint that there is */
} outcomes[] = {
	[HINT] = { 0, IB_UVERBS_MR_TPH_REASON_NONE },
	[NO_HINT] = { -ENODATA, IB_UVERBS_MR_TPH_REASON_NONE },
	[WIDTH] = { -ENODATA, IB_UVERBS_MR_TPH_REASON_WIDTH },
	[TOO_WIDE] = { -ERANGE, IB_UVERBS_MR_TPH_REASON_RANGE },
	[FULL] = { -ENOSPC, IB_UVERBS_MR_TPH_REASON_SPACE },
	[NO_TPH] = { -EOPNOTSUPP, IB_UVERBS_MR_TPH_REASON_NONE },
};

/* Before the registration. */
enum state {
	HINTED,
	WITHDRAWN, /* the hint, again */
	CROWDED,   /* the table has no free place */
};

struct row {
	const char *name;
	struct vfiobar_hint hint;
	enum outcome outcome[KINDS];
	enum state state;
};

/* clang-format off */
#define ST(t, p)      { .has_st = true, .st = t, .ph = p }
#define EXT(e, p)     { .has_st_ext = true, .st_ext = e, .ph = p }
#define BOTH(t, e, p) { .has_st = true, .st = t, .has_st_ext = true, .st_ext = e, .ph = p }

static const struct row rows[] = {
	/* by kind of HCA: table of 8 bit, of 16 bit, direct of 8 bit, of 16 bit, none */
	{ "no hint", { 0 }, { NO_HINT, NO_HINT, NO_HINT, NO_HINT, NO_TPH }, HINTED },
	{ "ST 42", ST(42, 2), { HINT, WIDTH, HINT, WIDTH, NO_TPH }, HINTED },
	{ "ST 0, PH 0", ST(0, 0), { HINT, WIDTH, HINT, WIDTH, NO_TPH }, HINTED },
	{ "ST 255", ST(255, 3), { HINT, WIDTH, HINT, WIDTH, NO_TPH }, HINTED },
	{ "Extended ST 42", EXT(42, 1), { WIDTH, HINT, WIDTH, HINT, NO_TPH }, HINTED },
	{ "Extended ST 0", EXT(0, 2), { WIDTH, HINT, WIDTH, HINT, NO_TPH }, HINTED },
	{ "Extended ST 255", EXT(255, 0), { WIDTH, HINT, WIDTH, HINT, NO_TPH }, HINTED },
	{ "Extended ST 256", EXT(256, 2), { WIDTH, HINT, WIDTH, TOO_WIDE, NO_TPH }, HINTED },
	{ "Extended ST 65535", EXT(65535, 3),
	  { WIDTH, HINT, WIDTH, TOO_WIDE, NO_TPH }, HINTED },
	{ "ST 42 and Extended ST 48879", BOTH(42, 48879, 1),
	  { HINT, HINT, HINT, TOO_WIDE, NO_TPH }, HINTED },
	{ "withdrawn", BOTH(42, 43, 2), { NO_HINT, NO_HINT, NO_HINT, NO_HINT, NO_TPH }, WITHDRAWN },
	{ "table full", BOTH(42, 48879, 2), { FULL, FULL, SKIP, SKIP, SKIP }, CROWDED },
	{ "table full, tag is in it", BOTH(TABLE_FIRST_TAG, TABLE_FIRST_TAG, 3),
	  { HINT, HINT, SKIP, SKIP, SKIP }, CROWDED },
	{ "table full, no hint", { 0 }, { NO_HINT, NO_HINT, SKIP, SKIP, SKIP }, CROWDED },
};
/* clang-format on */

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct {
	const char *name;
	int attribute; /* < 0: left out */
	unsigned int value;
} policies[] = { { "no policy", -1, IB_UVERBS_MR_TPH_AUTO },
		 { "AUTO", IB_UVERBS_MR_TPH_AUTO, IB_UVERBS_MR_TPH_AUTO },
		 { "REQUIRE", IB_UVERBS_MR_TPH_REQUIRE, IB_UVERBS_MR_TPH_REQUIRE },
		 { "IGNORE", IB_UVERBS_MR_TPH_IGNORE, IB_UVERBS_MR_TPH_IGNORE } };

#define POLICIES (sizeof(policies) / sizeof(policies[0]))

static struct {
	struct mr_hca hca;
	struct mr_bar bar;
	struct mr_link link;
	struct table table;
	const char *endpoint;
	enum kind kind;
	unsigned int width;
} s;

static struct ib_uverbs_mr_tph expected_tph(const struct row *row, unsigned int policy)
{
	struct wire_hint hint = { .th = true, .ph = row->hint.ph, .width = (uint8_t)s.width };
	unsigned int reason = outcomes[row->outcome[s.kind]].reason;

	if (policy == IB_UVERBS_MR_TPH_IGNORE)
		return tph_none(policy);
	if (reason != IB_UVERBS_MR_TPH_REASON_NONE)
		return tph_fallback(reason, policy);
	if (row->outcome[s.kind] != HINT)
		return tph_none(policy);
	hint.st = s.width == 16 ? row->hint.st_ext : row->hint.st;
	return tph_applied(hint, policy);
}

static int row_dmabuf(const struct row *row)
{
	int fd = mr_bar_export(&s.bar, 0, LENGTH);

	if (!CHECK(fd >= 0))
		return fd;
	if (row->hint.has_st || row->hint.has_st_ext)
		CHECK_EQUAL(0, mr_bar_hint(&s.bar, fd, row->hint));
	if (row->state == WITHDRAWN)
		CHECK_EQUAL(0, mr_bar_hint(&s.bar, fd, mr_no_hint()));
	return fd;
}

static void run(const struct row *row, unsigned int policy, enum mr_method method)
{
	struct ib_uverbs_mr_tph expected = expected_tph(row, policies[policy].value);
	int want = policies[policy].value == IB_UVERBS_MR_TPH_REQUIRE
			   ? outcomes[row->outcome[s.kind]].required
			   : 0;
	struct mr_request request;
	struct mr mr;
	int before, fd, got;

	if (row->state == CROWDED)
		CHECK_EQUAL(0, table_fill(&s.table));
	before = mr_count(&s.hca);
	CHECK_EQUAL(0, control_reset_counts(s.endpoint));
	fd = row_dmabuf(row);
	request = mr_request(fd, LENGTH, policies[policy].attribute);
	request.iova = 0x10000000;
	got = mr_reg(&s.hca, method, &request, &mr);
	CHECK_EQUAL(want, got);
	if (!got) {
		CHECK_EQUAL(before + 1, mr_count(&s.hca));
		check_tph(&s.hca, &mr, &expected);
		check_write(&s.link, &mr, s.endpoint, tph_wire(&expected));
		CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
	} else {
		check_nothing_arrived(s.endpoint);
	}
	CHECK_EQUAL(before, mr_count(&s.hca));
	if (fd >= 0)
		close(fd);
	if (row->state == CROWDED)
		CHECK_EQUAL(0, table_unfill(&s.table));
	table_check(&s.table);
}

int main(int argc, char **argv)
{
	static const char *const method_name[] = { "REG_DMABUF_MR", "REG_MR" };
	unsigned int cases = 0;

	if (argc != 6) {
		fprintf(stderr, "usage: policy IB-DEVICE table|direct|none WIDTH BDF ENDPOINT\n");
		return 2;
	}
	s.width = (unsigned int)atoi(argv[3]);
	s.kind = !strcmp(argv[2], "none")    ? NONE
		 : !strcmp(argv[2], "table") ? (s.width == 16 ? TABLE_16 : TABLE_8)
					     : (s.width == 16 ? DIRECT_16 : DIRECT_8);
	s.endpoint = argv[5];
	for (unsigned int r = 0; r < ROWS; r++)
		cases += rows[r].outcome[s.kind] == SKIP ? 0 : POLICIES * MR_METHODS;
	ktap_plan(cases);
	ktap_must(mr_hca_open(argv[1], &s.hca), argv[1]);
	ktap_must(mr_bar_open(argv[4], 0, BAR_LENGTH, &s.bar), argv[4]);
	ktap_must(mr_link_open(&s.link, &s.hca, &s.hca), "RC connection");
	table_open(&s.table, &s.hca, &s.bar);
	for (unsigned int r = 0; r < ROWS; r++) {
		for (unsigned int p = 0; p < POLICIES; p++) {
			for (unsigned int m = 0; m < MR_METHODS; m++) {
				if (rows[r].outcome[s.kind] == SKIP)
					continue;
				ktap_case("%s/%u: %s, %s, %s", argv[2], s.width, rows[r].name,
					  policies[p].name, method_name[m]);
				run(&rows[r], p, (enum mr_method)m);
				ktap_done();
			}
		}
	}
	table_close(&s.table);
	mr_link_close(&s.link);
	mr_bar_close(&s.bar);
	mr_hca_close(&s.hca);
	return ktap_exit();
}
