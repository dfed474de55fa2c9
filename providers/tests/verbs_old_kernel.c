// SPDX-License-Identifier: GPL-2.0-only
/*
 * The new library on older kernels, which old_kernel.so plays: what the kernel lacks is refused
 * with the errno that is documented, or is not needed. It is never lost in silence, and nothing
 * else stops to work because of it.
 *
 * Usage: LD_PRELOAD=old_kernel.so OLD_KERNEL=WHAT verbs_old_kernel IB-DEVICE BDF
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "old/old_kernel.h"
#include "tph.h"

#define BAR_LENGTH (1u << 20)

static struct {
	struct mr_hca hca;
	struct mr_bar bar;
	const struct old_kernel_counts *counts;
	struct old_kernel_counts before;
	int fd; /* a dma-buf with a hint of either width */
	uint8_t *memory;
} s;

static void mark(const char *step)
{
	ktap_step("%s", step);
	s.before = *s.counts;
}

static void counted(unsigned int refused, unsigned int skipped)
{
	CHECK_EQUAL(refused, s.counts->refused - s.before.refused);
	CHECK_EQUAL(skipped, s.counts->skipped - s.before.skipped);
}

static void works(struct ibv_mr_init_attr attr)
{
	struct ibv_mr *mr = ibv_reg_mr_ex(s.hca.pd, &attr);

	if (CHECK(mr))
		CHECK_EQUAL(0, ibv_dereg_mr(mr));
	else
		ktap_note("errno %d", errno);
}

static void dmabuf_works(int policy)
{
	works(tph_init_attr(s.fd, policy));
}

static void memory_works(void)
{
	works((struct ibv_mr_init_attr){ .comp_mask = IBV_REG_MR_MASK_ADDR,
					 .addr = s.memory,
					 .length = TPH_LENGTH,
					 .access = MR_ACCESS });
}

static void require_refused(void)
{
	struct ibv_mr_init_attr attr = tph_init_attr(s.fd, IBV_DMABUF_TPH_REQUIRE);

	tph_refused(&s.hca, &attr, EOPNOTSUPP);
}

/* No answer is EOPNOTSUPP, and never "no hint". */
static void queries_unknown(void)
{
	struct ibv_mr *mr = ibv_reg_mr(s.hca.pd, s.memory, TPH_LENGTH, MR_ACCESS);
	struct ibv_mr_tph_attr attr, attr_before;
	struct ibv_tph_caps caps, caps_before;

	memset(&attr_before, 0xa5, sizeof(attr_before));
	memset(&caps_before, 0xa5, sizeof(caps_before));
	attr = attr_before;
	caps = caps_before;
	CHECK_EQUAL(EOPNOTSUPP, ibv_query_tph_caps(s.hca.context, &caps));
	CHECK(!memcmp(&caps_before, &caps, sizeof(caps)));
	if (!CHECK(mr))
		return;
	CHECK_EQUAL(EOPNOTSUPP, ibv_query_mr_tph(mr, &attr));
	CHECK(!memcmp(&attr_before, &attr, sizeof(attr)));
	CHECK_EQUAL(0, ibv_dereg_mr(mr));
}

/* What makes no sense with any kernel does not get there. */
static void nonsense_refused(void)
{
	struct ibv_dmah_init_attr init = { .comp_mask = IBV_DMAH_INIT_ATTR_MASK_PH, .ph = 1 };
	struct ibv_dmah *dmah = ibv_alloc_dmah(s.hca.context, &init);
	struct ibv_mr_init_attr attr = tph_init_attr(s.fd, IBV_DMABUF_TPH_IGNORE + 1);

	tph_refused(&s.hca, &attr, EINVAL);
	if (!CHECK(dmah))
		return;
	attr = tph_init_attr(s.fd, IBV_DMABUF_TPH_REQUIRE);
	attr.comp_mask |= IBV_REG_MR_MASK_DMAH;
	attr.dmah = dmah;
	tph_refused(&s.hca, &attr, EINVAL);
	CHECK_EQUAL(0, ibv_dealloc_dmah(dmah));
}

static void before_the_series(void)
{
	mark("nonsense");
	nonsense_refused();
	counted(0, 0);
	CHECK_EQUAL(s.before.reg_mr, s.counts->reg_mr);
	mark("no policy");
	dmabuf_works(-1);
	counted(0, 0);
	mark("AUTO is not sent");
	dmabuf_works(IBV_DMABUF_TPH_AUTO);
	counted(0, 0);
	mark("IGNORE is optional");
	dmabuf_works(IBV_DMABUF_TPH_IGNORE);
	counted(0, 1);
	mark("REQUIRE is mandatory");
	require_refused();
	counted(1, 0);
	mark("after REQUIRE");
	dmabuf_works(IBV_DMABUF_TPH_AUTO);
	memory_works();
	counted(0, 0);
	CHECK_EQUAL(s.before.reg_mr + 2, s.counts->reg_mr);
	mark("REQUIRE again");
	require_refused();
	counted(1, 0);
	mark("queries");
	queries_unknown();
	counted(2, 0);
}

/* A kernel without an older attribute: the method stays in use. */
static void before_dma_handles(void)
{
	struct ibv_dmah_init_attr init = { .comp_mask = IBV_DMAH_INIT_ATTR_MASK_PH, .ph = 1 };
	struct ibv_dmah *dmah = ibv_alloc_dmah(s.hca.context, &init);
	struct ibv_mr_init_attr attr = { .comp_mask = IBV_REG_MR_MASK_ADDR | IBV_REG_MR_MASK_DMAH,
					 .addr = s.memory,
					 .length = TPH_LENGTH,
					 .access = MR_ACCESS,
					 .dmah = dmah };

	if (!CHECK(dmah))
		return;
	mark("DMA handle");
	tph_refused(&s.hca, &attr, EOPNOTSUPP);
	counted(1, 0);
	mark("after it");
	dmabuf_works(-1);
	dmabuf_works(IBV_DMABUF_TPH_REQUIRE);
	memory_works();
	counted(0, 0);
	CHECK_EQUAL(s.before.reg_mr + 3, s.counts->reg_mr);
	CHECK_EQUAL(0, ibv_dealloc_dmah(dmah));
}

/* A kernel without the method: found out once, by a request that has another way. */
static void before_reg_mr(void)
{
	mark("dma-buf");
	require_refused();
	counted(1, 0);
	mark("memory, by write");
	memory_works();
	counted(1, 0);
	mark("memory again, without a try");
	memory_works();
	counted(0, 0);
	mark("dma-buf, without a try");
	require_refused();
	counted(0, 0);
}

static void before_the_ioctl(void)
{
	mark("all");
	queries_unknown();
	require_refused();
	memory_works();
}

static const struct {
	const char *what;
	void (*run)(void);
} kernels[] = { { "tph", before_the_series },
		{ "dmah", before_dma_handles },
		{ "reg-mr", before_reg_mr },
		{ "ioctl", before_the_ioctl } };

int main(int argc, char **argv)
{
	const struct old_kernel_counts *(*counts)(void);
	const char *what = getenv("OLD_KERNEL");

	if (argc != 3 || !what) {
		fprintf(stderr, "usage: OLD_KERNEL=WHAT verbs_old_kernel IB-DEVICE BDF\n");
		return 2;
	}
	ktap_plan(1);
	*(void **)&counts = dlsym(RTLD_DEFAULT, "old_kernel_counts");
	ktap_must(counts ? 0 : -ENOENT, "old_kernel.so (LD_PRELOAD)");
	s.counts = counts();
	ktap_must(mr_bar_open(argv[2], 0, BAR_LENGTH, &s.bar), argv[2]);
	ktap_must(mr_hca_open(argv[1], &s.hca), argv[1]);
	s.fd = mr_bar_export_hinted(&s.bar, 0, TPH_LENGTH, mr_st_both(42, 42, 2));
	ktap_must(s.fd < 0 ? s.fd : 0, "dma-buf with a hint");
	s.memory = aligned_alloc(MR_PAGE, TPH_LENGTH);
	ktap_must(s.memory ? 0 : -ENOMEM, "memory");
	for (unsigned int i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		if (strcmp(kernels[i].what, what))
			continue;
		ktap_case("%s: kernel without %s", argv[1], what);
		kernels[i].run();
		ktap_done();
	}
	close(s.fd);
	free(s.memory);
	mr_hca_close(&s.hca);
	mr_bar_close(&s.bar);
	return ktap_exit();
}
