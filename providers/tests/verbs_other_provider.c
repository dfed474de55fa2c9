// SPDX-License-Identifier: GPL-2.0-only
/*
 * The verbs extension with a provider that does not have the op that a policy needs, and a driver
 * that knows nothing of TPH.
 *
 * Usage: verbs_other_provider IB-DEVICE BDF, a device whose BAR 0 vfio-pci owns.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tph.h"

static struct mr_hca hca;
static uint8_t *memory;
static int fd;

static void queries(void)
{
	struct ibv_mr *mr = ibv_reg_mr(hca.pd, memory, TPH_LENGTH, MR_ACCESS);
	static const struct ibv_mr_tph_attr none;
	struct ibv_tph_caps caps, untouched;
	struct ibv_mr_tph_attr attr;

	memset(&untouched, 0xa5, sizeof(untouched));
	caps = untouched;
	CHECK_EQUAL(EOPNOTSUPP, ibv_query_tph_caps(hca.context, &caps));
	CHECK(!memcmp(&untouched, &caps, sizeof(caps)));
	if (!CHECK(mr))
		return;
	/* The kernel knows that this MR has no hint, whatever its driver. */
	memset(&attr, 0xff, sizeof(attr));
	CHECK_EQUAL(0, ibv_query_mr_tph(mr, &attr));
	CHECK(!memcmp(&none, &attr, sizeof(attr)));
	CHECK_EQUAL(0, ibv_dereg_mr(mr));
}

/* No policy that needs to be passed on is accepted, also none that would change nothing. */
static void policies(void)
{
	struct ibv_mr_init_attr attr;

	for (int policy = -1; policy <= IBV_DMABUF_TPH_IGNORE; policy++) {
		ktap_step("policy %d", policy);
		attr = tph_init_attr(fd, policy);
		tph_refused(&hca, &attr, EOPNOTSUPP);
	}
	ktap_step("unknown policy");
	attr = tph_init_attr(fd, IBV_DMABUF_TPH_IGNORE + 1);
	tph_refused(&hca, &attr, EINVAL);
	ktap_step("unknown bit");
	attr = tph_init_attr(fd, -1);
	attr.comp_mask |= 1ull << 63;
	tph_refused(&hca, &attr, EOPNOTSUPP);
}

static void host_memory(void)
{
	struct ibv_mr_init_attr attr = { .comp_mask = IBV_REG_MR_MASK_ADDR,
					 .addr = memory,
					 .length = TPH_LENGTH,
					 .access = MR_ACCESS };
	struct ibv_mr *mr = ibv_reg_mr_ex(hca.pd, &attr);

	if (CHECK(mr))
		CHECK_EQUAL(0, ibv_dereg_mr(mr));
	attr.comp_mask |= IBV_REG_MR_MASK_DMABUF_TPH;
	tph_refused(&hca, &attr, EINVAL);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = { { "queries", queries },
		      { "policies", policies },
		      { "host memory", host_memory } };
	struct mr_bar bar;

	if (argc != 3) {
		fprintf(stderr, "usage: verbs_other_provider IB-DEVICE BDF\n");
		return 2;
	}
	ktap_plan(3);
	ktap_must(mr_hca_open(argv[1], &hca), argv[1]);
	ktap_must(mr_bar_open(argv[2], 0, TPH_LENGTH, &bar), argv[2]);
	fd = mr_bar_export(&bar, 0, TPH_LENGTH);
	ktap_must(fd < 0 ? fd : 0, "dma-buf");
	memory = aligned_alloc(MR_PAGE, TPH_LENGTH);
	ktap_must(memory ? 0 : -ENOMEM, "memory");
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ktap_case("%s: %s", argv[1], cases[i].name);
		cases[i].run();
		ktap_done();
	}
	close(fd);
	free(memory);
	mr_bar_close(&bar);
	mr_hca_close(&hca);
	return ktap_exit();
}
