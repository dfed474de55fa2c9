// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the series adds to the uapi has one layout, without holes. The suite
 * series compiles this for 32 bits, too.
 */
#include <linux/vfio.h>
#include <rdma/ib_user_ioctl_verbs.h>

#define MEMBER(type, member, offset, size)                             \
	_Static_assert(__builtin_offsetof(type, member) == (offset) && \
			       sizeof(((type *)0)->member) == (size),  \
		       #member)

MEMBER(struct vfio_device_feature_dma_buf_tph, dmabuf_fd, 0, 4);
MEMBER(struct vfio_device_feature_dma_buf_tph, flags, 4, 4);
MEMBER(struct vfio_device_feature_dma_buf_tph, steering_tag, 8, 2);
MEMBER(struct vfio_device_feature_dma_buf_tph, steering_tag_ext, 10, 2);
MEMBER(struct vfio_device_feature_dma_buf_tph, ph, 12, 1);
MEMBER(struct vfio_device_feature_dma_buf_tph, reserved, 13, 3);
_Static_assert(sizeof(struct vfio_device_feature_dma_buf_tph) == 16, "size");

MEMBER(struct ib_uverbs_mr_tph, flags, 0, 4);
MEMBER(struct ib_uverbs_mr_tph, steering_tag, 4, 2);
MEMBER(struct ib_uverbs_mr_tph, ph, 6, 1);
MEMBER(struct ib_uverbs_mr_tph, st_width, 7, 1);
MEMBER(struct ib_uverbs_mr_tph, source, 8, 1);
MEMBER(struct ib_uverbs_mr_tph, policy, 9, 1);
MEMBER(struct ib_uverbs_mr_tph, reason, 10, 1);
MEMBER(struct ib_uverbs_mr_tph, reserved, 11, 5);
_Static_assert(sizeof(struct ib_uverbs_mr_tph) == 16, "size");
