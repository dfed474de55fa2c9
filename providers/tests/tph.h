/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of the verbs extension share: registration by ibv_reg_mr_ex(), checks of an MR. */
#ifndef PROVIDERS_TESTS_TPH_H
#define PROVIDERS_TESTS_TPH_H

#include "kernel/tests/evidence.h"

#define TPH_LENGTH 65536u

/* All bits but that of the policy that a registration of a dma-buf needs. */
#define TPH_FD_MASK (IBV_REG_MR_MASK_FD | IBV_REG_MR_MASK_FD_OFFSET | IBV_REG_MR_MASK_IOVA)

/* Of the first TPH_LENGTH bytes of @fd at address 0; @policy < 0 does without the member. */
static inline struct ibv_mr_init_attr tph_init_attr(int fd, int policy)
{
	struct ibv_mr_init_attr attr = {
		.comp_mask = TPH_FD_MASK, .fd = fd, .length = TPH_LENGTH, .access = MR_ACCESS
	};

	if (policy >= 0) {
		attr.comp_mask |= IBV_REG_MR_MASK_DMABUF_TPH;
		attr.dmabuf_tph_policy = (uint32_t)policy;
	}
	return attr;
}

/* The same MR for the functions of mr.h. */
static inline struct mr tph_mr(const struct ibv_mr *mr)
{
	return (struct mr){
		.handle = mr->handle, .lkey = mr->lkey, .rkey = mr->rkey, .length = mr->length
	};
}

/* ibv_reg_mr_ex() fails with @err, and nothing is left of it. */
static inline void tph_refused(const struct mr_hca *hca, struct ibv_mr_init_attr *attr, int err)
{
	int before = mr_count(hca);
	struct ibv_mr *mr;

	errno = 0;
	mr = ibv_reg_mr_ex(hca->pd, attr);
	CHECK_EQUAL(err, errno);
	CHECK(!mr);
	CHECK_EQUAL(before, mr_count(hca));
	if (mr)
		ibv_dereg_mr(mr);
}

#endif
