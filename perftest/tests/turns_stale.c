// SPDX-License-Identifier: GPL-2.0-only
/*
 * Says of each MR, from the second time on that it is asked for its hint, that the hint is stale,
 * as the kernel does when the dma-buf had another one where it was mapped again. Preloaded to a
 * program of perftest.
 */
#include <stdarg.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/ib_user_ioctl_verbs.h>
#include <rdma/rdma_user_ioctl.h>
#include <rdma/rdma_user_ioctl_cmds.h>

static void turn(const struct ib_uverbs_ioctl_hdr *hdr)
{
	static unsigned int asked;

	if (hdr->object_id != UVERBS_OBJECT_MR || hdr->method_id != UVERBS_METHOD_QUERY_MR)
		return;
	for (unsigned int i = 0; i < hdr->num_attrs; i++) {
		const struct ib_uverbs_attr *attr = &hdr->attrs[i];

		if (attr->attr_id == UVERBS_ATTR_QUERY_MR_RESP_TPH && asked++)
			((struct ib_uverbs_mr_tph *)(uintptr_t)attr->data)->flags |=
				IB_UVERBS_MR_TPH_STALE;
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;
	int ret;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	ret = (int)syscall(SYS_ioctl, fd, request, arg);
	if (!ret && request == RDMA_VERBS_IOCTL)
		turn(arg);
	return ret;
}
