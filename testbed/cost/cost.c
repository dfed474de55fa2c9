// SPDX-License-Identifier: GPL-2.0-only
/*
 * What registration costs: nanoseconds, by the clock of the guest, as lines of JSON. Whoever
 * compares has to do it within one output: the kinds take turns, so that a slow moment of the
 * machine hits all of them.
 *
 * Usage: cost pairs IB-DEVICE BDF RUNS
 *	  cost host IB-DEVICE RUNS
 *	  cost many IB-DEVICE BDF MOST RUNS
 *
 * BDF is an endpoint whose BAR 0 vfio-pci owns. "pairs" registers and deregisters a region, PAIRS
 * times per run and kind; the kinds with a hint are left out on a kernel that has none. "host" does
 * it with host memory alone, for devices that know nothing else, such as soft-RoCE. "many"
 * registers 1, 4, 16, ... MOST regions that exist side by side, without hint, with one tag for all,
 * and with a tag for each as far as the HCA's width goes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mr.h"

#define LENGTH 65536u
#define PAIRS  50u

static struct {
	struct mr_hca hca;
	struct mr_bar bar;
	void *memory;
	/* dma-bufs; hinted < 0: this kernel has no hints. A region keeps the tag of held in use. */
	int plain, hinted, held, back;
	unsigned int width;
} s;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static struct ibv_mr *reg_host(void)
{
	return ibv_reg_mr(s.hca.pd, s.memory, LENGTH, MR_ACCESS);
}

static struct ibv_mr *reg_plain(void)
{
	return ibv_reg_dmabuf_mr(s.hca.pd, 0, LENGTH, 0, s.plain, MR_ACCESS);
}

static struct ibv_mr *reg_hinted(void)
{
	return ibv_reg_dmabuf_mr(s.hca.pd, 0, LENGTH, 0, s.hinted, MR_ACCESS);
}

static struct ibv_mr *reg_held(void)
{
	return ibv_reg_dmabuf_mr(s.hca.pd, 0, LENGTH, 0, s.held, MR_ACCESS);
}

static struct ibv_mr *reg_back(void)
{
	return ibv_reg_dmabuf_mr(s.hca.pd, 0, LENGTH, 0, s.back, MR_ACCESS);
}

static struct ibv_mr *reg_required(void)
{
	struct ibv_mr_init_attr attr = { .comp_mask =
						 IBV_REG_MR_MASK_FD | IBV_REG_MR_MASK_FD_OFFSET |
						 IBV_REG_MR_MASK_IOVA | IBV_REG_MR_MASK_DMABUF_TPH,
					 .length = LENGTH,
					 .access = MR_ACCESS,
					 .fd = s.hinted,
					 .dmabuf_tph_policy = IBV_DMABUF_TPH_REQUIRE };

	return ibv_reg_mr_ex(s.hca.pd, &attr);
}

static const struct kind {
	const char *name;
	struct ibv_mr *(*reg)(void);
	bool hint;
	bool new_tag; /* each time another one, of more than the table has room for */
} kinds[] = {
	{ "host memory", reg_host, false, false },
	{ "BAR, no hint", reg_plain, false, false },
	{ "BAR, new tag", reg_hinted, true, true },
	{ "BAR, new tag, require", reg_required, true, true },
	{ "BAR, tag in use", reg_held, true, false },
	{ "BAR, tag came back", reg_back, true, false },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static struct vfiobar_hint hint(unsigned int tag)
{
	return s.width == 16 ? mr_st_ext((uint16_t)tag, 2) : mr_st((uint8_t)tag, 2);
}

/* Whether the MR has what its kind promises: figures of something else are none. */
static int check(const struct kind *kind, struct ibv_mr *mr)
{
	struct ibv_mr_tph_attr tph;
	int ret = ibv_query_mr_tph(mr, &tph);

	if (ret == EOPNOTSUPP && !kind->hint)
		return 0;
	if (!ret && kind->hint != !!(tph.flags & IBV_MR_TPH_APPLIED))
		ret = EPROTO;
	return -ret;
}

/* An entry of the table that is no longer used is kept for its tag until all others were needed. */
static int set_new_tag(void)
{
	static unsigned int last;

	last = (last + 1) % 192;
	return mr_bar_hint(&s.bar, s.hinted, hint(64 + last));
}

/* One registration and one deregistration: adds their nanoseconds to @ns. */
static int pair_of(const struct kind *kind, bool first, uint64_t ns[2])
{
	int ret = kind->new_tag ? set_new_tag() : 0;
	struct ibv_mr *mr;
	uint64_t start;

	if (ret)
		return ret;
	start = now();
	mr = kind->reg();
	if (!mr)
		return -errno;
	ns[0] += now() - start;
	ret = first ? check(kind, mr) : 0;
	start = now();
	if (ibv_dereg_mr(mr) || ret)
		return ret ? ret : -errno;
	ns[1] += now() - start;
	return 0;
}

/* Nanoseconds of PAIRS registrations and of as many deregistrations, after one that does not count.
 */
static int pairs_of(const struct kind *kind, uint64_t ns[2])
{
	int ret = 0;

	for (unsigned int i = 0; i <= PAIRS && !ret; i++) {
		if (i <= 1)
			ns[0] = ns[1] = 0;
		ret = pair_of(kind, !i, ns);
	}
	return ret;
}

/* Of the first @count kinds. One run more than is printed: the first finds empty pools. Turns begin
 * with another kind each time. */
static int pairs(unsigned int count, unsigned int runs)
{
	if (s.hinted >= 0 && !reg_held())
		return -errno;
	for (unsigned int run = 0; run <= runs; run++) {
		for (unsigned int i = 0; i < count; i++) {
			const struct kind *kind = &kinds[(run + i) % count];
			uint64_t ns[2];
			int ret;

			if (kind->hint && s.hinted < 0)
				continue;
			ret = pairs_of(kind, ns);
			if (ret) {
				fprintf(stderr, "cost: %s: %s\n", kind->name, strerror(-ret));
				return ret;
			}
			if (run)
				printf("{\"kind\":\"%s\",\"register\":%llu,\"deregister\":%llu}\n",
				       kind->name, (unsigned long long)(ns[0] / PAIRS),
				       (unsigned long long)(ns[1] / PAIRS));
		}
	}
	return 0;
}

enum tags { TAGS_NONE, TAGS_EQUAL, TAGS_DISTINCT, TAGS };

static int set_tag(enum tags tags, unsigned int i)
{
	if (tags == TAGS_NONE || (tags == TAGS_EQUAL && i))
		return 0;
	return mr_bar_hint(&s.bar, s.hinted, hint(tags == TAGS_EQUAL ? 42 : i));
}

static int count_hinted(struct ibv_mr **mr, unsigned int count, unsigned int hinted[2])
{
	struct ibv_mr_tph_attr tph;

	for (unsigned int i = 0; i < count; i++) {
		int ret = ibv_query_mr_tph(mr[i], &tph);

		if (ret)
			return -ret;
		hinted[0] += !!(tph.flags & IBV_MR_TPH_APPLIED);
		hinted[1] += !!(tph.flags & IBV_MR_TPH_FALLBACK);
	}
	return 0;
}

static int many_of(enum tags tags, unsigned int count, struct ibv_mr **mr)
{
	static const char *const names[] = { "none", "equal", "distinct" };
	uint64_t ns[2] = { 0 }, start;
	unsigned int hinted[2] = { 0 }, made;
	int ret = 0;

	for (made = 0; made < count; made++) {
		ret = set_tag(tags, made);
		if (ret)
			break;
		start = now();
		mr[made] = tags == TAGS_NONE ? reg_plain() : reg_hinted();
		ns[0] += now() - start;
		if (!mr[made]) {
			ret = -errno;
			break;
		}
	}
	if (!ret)
		ret = count_hinted(mr, made, hinted);
	start = now();
	for (unsigned int i = 0; i < made; i++) {
		if (ibv_dereg_mr(mr[i]) && !ret)
			ret = -errno;
	}
	ns[1] = now() - start;
	if (ret) {
		fprintf(stderr, "cost: %u regions, %s tags: after %u: %s\n", count, names[tags],
			made, strerror(-ret));
		return ret;
	}
	printf("{\"tags\":\"%s\",\"count\":%u,\"register\":%llu,\"deregister\":%llu,\"hinted\":%u,"
	       "\"fallback\":%u}\n",
	       names[tags], count, (unsigned long long)(ns[0] / count),
	       (unsigned long long)(ns[1] / count), hinted[0], hinted[1]);
	fflush(stdout);
	return 0;
}

static int many(unsigned int most, unsigned int runs)
{
	struct ibv_mr **mr = calloc(most, sizeof(struct ibv_mr *));
	int ret = mr ? 0 : -ENOMEM;

	for (unsigned int count = 1; !ret && count <= most; count *= 4) {
		fprintf(stderr, "%u regions\n", count);
		/* What takes long needs no repetition. */
		for (unsigned int run = 0; !ret && run < (count <= 1024 ? runs : 1); run++) {
			for (unsigned int i = 0; !ret && i < TAGS; i++)
				ret = many_of((enum tags)((run + i) % TAGS), count, mr);
		}
	}
	free(mr);
	return ret;
}

/* @bdf NULL: there is no BAR, and none of its kinds. */
static int open_all(const char *device, const char *bdf)
{
	struct mr_tph_caps caps;
	int ret = mr_hca_open(device, &s.hca);

	s.plain = s.hinted = s.held = s.back = -ENOTTY;
	s.memory = aligned_alloc(MR_PAGE, LENGTH);
	if (!ret && !s.memory)
		ret = -ENOMEM;
	if (ret || !bdf)
		return ret;
	ret = mr_bar_open(bdf, 0, LENGTH, &s.bar);
	if (ret)
		return ret;
	s.width = mr_tph_caps(&s.hca, &caps) ? 0 : caps.st_width;
	s.plain = mr_bar_export(&s.bar, 0, LENGTH);
	s.hinted = mr_bar_export_hinted(&s.bar, 0, LENGTH, hint(42));
	s.held = mr_bar_export_hinted(&s.bar, 0, LENGTH, hint(43));
	s.back = mr_bar_export_hinted(&s.bar, 0, LENGTH, hint(44));
	if (s.plain < 0)
		return s.plain;
	return s.hinted < 0 && s.hinted != -ENOTTY ? s.hinted : 0;
}

int main(int argc, char **argv)
{
	bool all = argc == 6 && !strcmp(argv[1], "many");
	bool host = argc == 4 && !strcmp(argv[1], "host");
	const char *bdf = host || argc < 4 ? NULL : argv[3];
	int ret;

	if (!all && !host && (argc != 5 || strcmp(argv[1], "pairs"))) {
		fputs("usage: cost pairs IB-DEVICE BDF RUNS\n"
		      "       cost host IB-DEVICE RUNS\n"
		      "       cost many IB-DEVICE BDF MOST RUNS\n",
		      stderr);
		return 2;
	}
	ret = open_all(argv[2], bdf);
	if (ret) {
		fprintf(stderr, "cost: %s%s%s: %s\n", argv[2], bdf ? ", " : "", bdf ? bdf : "",
			strerror(-ret));
		return 1;
	}
	ret = all ? many((unsigned int)atoi(argv[4]), (unsigned int)atoi(argv[5]))
		  : pairs(host ? 1 : KINDS, (unsigned int)atoi(argv[argc - 1]));
	return ret || fflush(stdout) || ferror(stdout);
}
