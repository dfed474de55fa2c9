// SPDX-License-Identifier: GPL-2.0-only
/*
 * Says on standard error of each QP that libmlx5 creates whether it asks for scatter to CQE, with
 * which small messages are in the CQE, and libmlx5 copies them to the buffer by CPU. Preloaded to
 * a program of perftest.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/mlx5-abi.h>
#include <rdma/rdma_user_ioctl.h>
#include <rdma/rdma_user_ioctl_cmds.h>

static void look(const struct ib_uverbs_ioctl_hdr *hdr)
{
	struct mlx5_ib_create_qp request;

	if (hdr->object_id != UVERBS_OBJECT_QP || hdr->method_id != UVERBS_METHOD_QP_CREATE)
		return;
	for (unsigned int i = 0; i < hdr->num_attrs; i++) {
		const struct ib_uverbs_attr *attr = &hdr->attrs[i];

		if (attr->attr_id != UVERBS_ATTR_UHW_IN || attr->len < sizeof(request))
			continue;
		memcpy(&request, (const void *)(uintptr_t)attr->data, sizeof(request));
		fprintf(stderr, "scatter to CQE: %s\n",
			request.flags & MLX5_QP_FLAG_SCATTER_CQE ? "on" : "off");
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (request == RDMA_VERBS_IOCTL)
		look(arg);
	return (int)syscall(SYS_ioctl, fd, request, arg);
}
