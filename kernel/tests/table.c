// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an HCA function says about TPH, and that it is so: a context has as many tags as it says and
 * not one more, each of them on the wire, others have theirs meanwhile, and all of them are free
 * again whichever way the registrations end.
 *
 * Usage: table IB-DEVICE table|direct|none WIDTH BDF ENDPOINT [ENTRIES], a completer of Extended
 * TPH whose BAR 0 vfio-pci owns; the ST table has 64 entries unless ENTRIES says otherwise.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "account.h"
#include "evidence.h"

#define TAGS_MAX 256u
/* As many contexts as it takes to fill the table. */
#define CONTEXTS   4u
#define BAR_LENGTH (TAGS_MAX * MR_PAGE)
#define FIRST_TAG  7u
#define PH	   1u

static struct {
	struct mr_hca hca;
	struct mr_bar bar;
	struct mr_link link;
	const char *name, *mode, *endpoint;
	uint8_t width;
	uint32_t max_tags;
	int others; /* MRs that are not of the tests */
	struct mr mr[TAGS_MAX];
} s;

static uint16_t tag_of(unsigned int i)
{
	return (uint16_t)(FIRST_TAG + i);
}

static struct wire_hint wire_of(unsigned int i)
{
	return (struct wire_hint){ .th = true, .ph = PH, .width = s.width, .st = tag_of(i) };
}

/* Each in a page of its own: the DMA API's debugging wants no page mapped more than 8 times. */
static int reg_tag(const struct mr_hca *hca, unsigned int i, int policy, struct mr *mr)
{
	struct mr_request request = mr_request(-1, MR_PAGE, policy);
	int ret;

	request.fd =
		mr_bar_export_hinted(&s.bar, i * MR_PAGE, MR_PAGE, hint_of(s.width, tag_of(i), PH));
	if (request.fd < 0)
		return request.fd;
	ret = mr_reg_dmabuf(hca, &request, mr);
	close(request.fd);
	return ret;
}

/* Registers distinct tags, @n the first one, until that fails; @limit at most. Returns the next. */
static unsigned int fill_from(const struct mr_hca *hca, unsigned int n, unsigned int limit,
			      int *err)
{
	*err = 0;
	while (n < limit && !*err) {
		*err = reg_tag(hca, n, IB_UVERBS_MR_TPH_REQUIRE, &s.mr[n]);
		n += !*err;
	}
	return n;
}

static unsigned int fill(const struct mr_hca *hca, unsigned int limit, int *err)
{
	return fill_from(hca, 0, limit, err);
}

/* Opens contexts that take the whole table. Returns how many tags have room in it. */
static unsigned int fill_table(struct mr_hca context[CONTEXTS])
{
	unsigned int n = 0;
	int err;

	memset(context, 0, CONTEXTS * sizeof(*context));
	for (unsigned int i = 0; i < CONTEXTS && !mr_hca_open(s.name, &context[i]); i++)
		n = fill_from(&context[i], n, TAGS_MAX, &err);
	return n;
}

static void close_all(struct mr_hca context[CONTEXTS])
{
	for (unsigned int i = 0; i < CONTEXTS; i++)
		mr_hca_close(&context[i]);
}

static void empty(const struct mr_hca *hca, unsigned int n)
{
	while (n)
		CHECK_EQUAL(0, mr_dereg(hca, &s.mr[--n]));
}

/* All places are free. */
static void check_all_free(void)
{
	CHECK(account_table_empty(&s.hca, &s.bar));
}

static void capability(void)
{
	bool table = !strcmp(s.mode, "table");
	struct mr_tph_caps caps;

	if (!CHECK_EQUAL(0, mr_tph_caps(&s.hca, &caps)))
		return;
	CHECK_EQUAL(s.width, caps.st_width);
	CHECK_EQUAL((s.width ? IB_UVERBS_TPH_CAP_DMABUF : 0) |
			    (table ? IB_UVERBS_TPH_CAP_TABLE : 0),
		    caps.flags);
	if (table)
		CHECK_EQUAL((account_table_tags() + 3) / 4, caps.max_tags);
	else
		CHECK_EQUAL(0, caps.max_tags);
	/* Without a table the key has the tag, and room for 8 bits of it. */
	CHECK_EQUAL(!s.width ? 0 : table && s.width == 16 ? 0xffff : 0xff, caps.max_tag);
}

/* Each output may be left out. */
static void capability_outputs(void)
{
	struct mr_tph_caps all = { 0 }, part = { 0 };
	void *const out[] = { &part.flags, &part.st_width, &part.max_tags, &part.max_tag };
	const size_t size[] = { sizeof(part.flags), sizeof(part.st_width), sizeof(part.max_tags),
				sizeof(part.max_tag) };
	struct mr_cmd cmd;

	CHECK_EQUAL(0, mr_tph_caps(&s.hca, &all));
	mr_cmd_init(&cmd, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_TPH_CAPS);
	CHECK_EQUAL(0, mr_cmd_run(&s.hca, &cmd));
	for (uint16_t i = 0; i < 4; i++) {
		struct ib_uverbs_attr *attr;

		mr_cmd_init(&cmd, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_TPH_CAPS);
		attr = mr_cmd_out(&cmd, i, out[i], size[i]);
		CHECK_EQUAL(0, mr_cmd_run(&s.hca, &cmd));
		CHECK(attr->flags & UVERBS_ATTR_F_VALID_OUTPUT);
		mr_cmd_init(&cmd, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_TPH_CAPS);
		mr_cmd_out(&cmd, i, NULL, size[i]);
		CHECK_EQUAL(-EFAULT, mr_cmd_run(&s.hca, &cmd));
	}
	CHECK_EQUAL(all.flags, part.flags);
	CHECK_EQUAL(all.st_width, part.st_width);
	CHECK_EQUAL(all.max_tags, part.max_tags);
	CHECK_EQUAL(all.max_tag, part.max_tag);
}

/* A file without a context, as it is right after open(). */
static void capability_without_context(void)
{
	struct ibv_context none = *s.hca.context;
	struct mr_hca hca = { .context = &none, .driver_id = s.hca.driver_id };
	struct mr_tph_caps caps;
	char path[128];

	snprintf(path, sizeof(path), "/dev/infiniband/%s", s.hca.context->device->dev_name);
	none.cmd_fd = open(path, O_RDWR | O_CLOEXEC);
	if (!CHECK(none.cmd_fd >= 0))
		return;
	CHECK_EQUAL(-EINVAL, mr_tph_caps(&hca, &caps));
	close(none.cmd_fd);
}

/* The guest's firmware knows no tags of CPUs, and a function without Root Port could not ask it. */
static void no_cpu_tags(void)
{
	uint32_t handle;

	CHECK_EQUAL(-ENODEV, mr_dmah_alloc(&s.hca, 0, 1, &handle));
	if (s.max_tags)
		check_all_free();
}

/* A context that has all it may have: what it gets, and that every key sends its own tag. */
static void limit(void)
{
	struct ib_uverbs_mr_tph fallback =
		tph_fallback(IB_UVERBS_MR_TPH_REASON_SPACE, IB_UVERBS_MR_TPH_AUTO);
	struct ib_uverbs_mr_tph ignored = tph_none(IB_UVERBS_MR_TPH_IGNORE);
	struct ib_uverbs_mr_tph shared;
	struct mr mr;
	unsigned int n, half;
	int err;

	n = fill(&s.hca, TAGS_MAX, &err);
	CHECK_EQUAL(s.max_tags, n);
	CHECK_EQUAL(-ENOSPC, err);
	CHECK_EQUAL(s.others + (int)n, mr_count(&s.hca));
	if (CHECK_EQUAL(0, reg_tag(&s.hca, n, IB_UVERBS_MR_TPH_AUTO, &mr))) {
		check_tph(&s.hca, &mr, &fallback);
		check_write(&s.link, &mr, s.endpoint, (struct wire_hint){ .th = false });
		CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
	}
	if (CHECK_EQUAL(0, reg_tag(&s.hca, n, IB_UVERBS_MR_TPH_IGNORE, &mr))) {
		check_tph(&s.hca, &mr, &ignored);
		CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
	}
	/* A tag that it has needs no place, and keeps it until the last MR is gone. */
	half = n / 2;
	shared = tph_applied(wire_of(half), IB_UVERBS_MR_TPH_REQUIRE);
	if (CHECK_EQUAL(0, reg_tag(&s.hca, half, IB_UVERBS_MR_TPH_REQUIRE, &mr))) {
		check_tph(&s.hca, &mr, &shared);
		CHECK_EQUAL(0, mr_dereg(&s.hca, &s.mr[half]));
		CHECK_EQUAL(-ENOSPC, reg_tag(&s.hca, n, IB_UVERBS_MR_TPH_REQUIRE, &s.mr[half]));
		check_write(&s.link, &mr, s.endpoint, wire_of(half));
		CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
		CHECK_EQUAL(0, reg_tag(&s.hca, n, IB_UVERBS_MR_TPH_REQUIRE, &s.mr[half]));
	}
	for (unsigned int i = 0; i < n; i++)
		check_write(&s.link, &s.mr[i], s.endpoint, wire_of(i == half ? n : i));
	empty(&s.hca, n);
	CHECK_EQUAL(s.others, mr_count(&s.hca));
	check_all_free();
}

/* One context that takes all it can leaves enough to the next one, which shares tags with it, too.
 */
static void two_contexts(void)
{
	struct mr_hca other;
	struct mr own, shared;
	unsigned int n;
	int err;

	if (!CHECK_EQUAL(0, mr_hca_open(s.name, &other)))
		return;
	n = fill(&s.hca, TAGS_MAX, &err);
	CHECK_EQUAL(-ENOSPC, err);
	if (CHECK_EQUAL(0, reg_tag(&other, n, IB_UVERBS_MR_TPH_REQUIRE, &own))) {
		struct ib_uverbs_mr_tph applied = tph_applied(wire_of(n), IB_UVERBS_MR_TPH_REQUIRE);

		check_tph(&other, &own, &applied);
		/* There is no more for the first one, not even by way of the other. */
		CHECK_EQUAL(-ENOSPC, reg_tag(&s.hca, n, IB_UVERBS_MR_TPH_REQUIRE, &s.mr[n]));
	}
	/* What counts for the other is no concern of the first one. */
	if (CHECK_EQUAL(0, reg_tag(&other, 0, IB_UVERBS_MR_TPH_REQUIRE, &shared))) {
		CHECK_EQUAL(0, mr_dereg(&s.hca, &s.mr[0]));
		CHECK_EQUAL(0, reg_tag(&s.hca, n + 1, IB_UVERBS_MR_TPH_REQUIRE, &s.mr[0]));
	}
	empty(&s.hca, n);
	CHECK_EQUAL(s.max_tags, fill_from(&other, n + 2, TAGS_MAX, &err) - n);
	CHECK_EQUAL(-ENOSPC, err);
	mr_hca_close(&other);
	check_all_free();
}

/* A full table: who comes late has what is in it, and no more. */
static void full_table(void)
{
	struct ib_uverbs_mr_tph fallback =
		tph_fallback(IB_UVERBS_MR_TPH_REASON_SPACE, IB_UVERBS_MR_TPH_AUTO);
	struct ib_uverbs_mr_tph applied = tph_applied(wire_of(0), IB_UVERBS_MR_TPH_REQUIRE);
	struct mr_hca context[CONTEXTS];
	unsigned int n = fill_table(context);
	struct mr mr;

	CHECK_EQUAL(account_table_tags(), n);
	CHECK_EQUAL(-ENOSPC, reg_tag(&s.hca, n, IB_UVERBS_MR_TPH_REQUIRE, &mr));
	if (CHECK_EQUAL(0, reg_tag(&s.hca, n, IB_UVERBS_MR_TPH_AUTO, &mr))) {
		check_tph(&s.hca, &mr, &fallback);
		CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
	}
	if (CHECK_EQUAL(0, reg_tag(&s.hca, 0, IB_UVERBS_MR_TPH_REQUIRE, &mr))) {
		check_tph(&s.hca, &mr, &applied);
		check_write(&s.link, &mr, s.endpoint, wire_of(0));
		CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
	}
	close_all(context);
	check_all_free();
}

static void closed_context(void)
{
	struct mr_hca context[CONTEXTS];

	CHECK_EQUAL(account_table_tags(), fill_table(context));
	CHECK_EQUAL(-ENOSPC, reg_tag(&s.hca, TAGS_MAX - 20, IB_UVERBS_MR_TPH_REQUIRE, &s.mr[0]));
	close_all(context);
	check_all_free();
}

/* The child shares the device's descriptor, but no MR. */
static void killed_process(void)
{
	struct mr_hca context[CONTEXTS];
	char ready = 0;
	int pipes[2], status;
	pid_t child;

	if (!CHECK_EQUAL(0, pipe(pipes)))
		return;
	child = fork();
	if (!child) {
		ready = fill_table(context) == account_table_tags();
		if (write(pipes[1], &ready, 1) == 1)
			pause();
		_exit(1);
	}
	CHECK_EQUAL(1, read(pipes[0], &ready, 1));
	CHECK(ready);
	CHECK_EQUAL(-ENOSPC, reg_tag(&s.hca, TAGS_MAX - 20, IB_UVERBS_MR_TPH_REQUIRE, &s.mr[0]));
	kill(child, SIGKILL);
	CHECK_EQUAL(child, waitpid(child, &status, 0));
	CHECK(WIFSIGNALED(status));
	close(pipes[0]);
	close(pipes[1]);
	check_all_free();
}

/* Direct mode: the key holds the tag, no number of tags is too many. */
static void no_limit(void)
{
	unsigned int n;
	int err;

	n = fill(&s.hca, TAGS_MAX - FIRST_TAG, &err);
	CHECK_EQUAL(TAGS_MAX - FIRST_TAG, n);
	CHECK_EQUAL(0, err);
	for (unsigned int i = 0; i < n; i += 31)
		check_write(&s.link, &s.mr[i], s.endpoint, wire_of(i));
	empty(&s.hca, n);
	CHECK_EQUAL(s.others, mr_count(&s.hca));
}

/* DMA handles are no way around a function without TPH. */
static void no_tph(void)
{
	uint32_t handle;

	CHECK_EQUAL(-EPROTONOSUPPORT, mr_dmah_alloc(&s.hca, -1, 1, &handle));
}

struct test {
	const char *name;
	void (*run)(void);
};

static const struct test any[] = { { "capability", capability },
				   { "capability: outputs", capability_outputs },
				   { "capability: no context", capability_without_context },
				   { NULL, NULL } };
static const struct test table[] = { { "full context", limit },
				     { "two contexts", two_contexts },
				     { "full table", full_table },
				     { "closed context", closed_context },
				     { "killed process", killed_process },
				     { "DMA handle of a CPU", no_cpu_tags },
				     { NULL, NULL } };
static const struct test direct[] = { { "many tags", no_limit },
				      { "DMA handle of a CPU", no_cpu_tags },
				      { NULL, NULL } };
static const struct test none[] = { { "no DMA handles", no_tph }, { NULL, NULL } };

static unsigned int run(const struct test *test, bool count_only)
{
	unsigned int n = 0;

	for (; test->run; test++, n++) {
		if (count_only)
			continue;
		ktap_case("%s/%u: %s", s.mode, s.width, test->name);
		test->run();
		ktap_done();
	}
	return n;
}

int main(int argc, char **argv)
{
	const struct test *own;
	struct mr_tph_caps caps;

	if (argc != 6 && argc != 7) {
		fprintf(stderr,
			"usage: table IB-DEVICE table|direct|none WIDTH BDF ENDPOINT [ENTRIES]\n");
		return 2;
	}
	s.name = argv[1];
	s.mode = argv[2];
	s.width = (uint8_t)atoi(argv[3]);
	s.endpoint = argv[5];
	if (argc == 7)
		account_entries = (unsigned int)atoi(argv[6]);
	own = !strcmp(s.mode, "table") ? table : !strcmp(s.mode, "direct") ? direct : none;
	ktap_plan(run(any, true) + run(own, true));
	ktap_must(mr_hca_open(s.name, &s.hca), s.name);
	ktap_must(mr_bar_open(argv[4], 0, BAR_LENGTH, &s.bar), argv[4]);
	ktap_must(mr_link_open(&s.link, &s.hca, &s.hca), "RC connection");
	ktap_must(mr_tph_caps(&s.hca, &caps), "QUERY_TPH_CAPS");
	s.max_tags = caps.max_tags;
	s.others = mr_count(&s.hca);
	run(any, false);
	run(own, false);
	mr_link_close(&s.link);
	mr_bar_close(&s.bar);
	mr_hca_close(&s.hca);
	return ktap_exit();
}
