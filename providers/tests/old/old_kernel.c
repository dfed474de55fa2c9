// SPDX-License-Identifier: GPL-2.0-only
/* ioctl() of an older kernel; see old_kernel.h. Built as a library of its own. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/vfio.h>

#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/rdma_user_ioctl.h>
#include <rdma/rdma_user_ioctl_cmds.h>

#include "old_kernel.h"

#define MAX_ATTRS  32
#define ALL_METHOD -1

static const struct missing {
	const char *what;
	uint16_t object, method;
	int attr; /* ALL_METHOD: the method itself */
} missing[] = {
	{ "tph", UVERBS_OBJECT_MR, UVERBS_METHOD_REG_MR, UVERBS_ATTR_REG_MR_TPH_POLICY },
	{ "tph", UVERBS_OBJECT_MR, UVERBS_METHOD_REG_DMABUF_MR,
	  UVERBS_ATTR_REG_DMABUF_MR_TPH_POLICY },
	{ "tph", UVERBS_OBJECT_MR, UVERBS_METHOD_QUERY_MR, UVERBS_ATTR_QUERY_MR_RESP_TPH },
	{ "tph", UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_TPH_CAPS, ALL_METHOD },
	{ "dmah", UVERBS_OBJECT_MR, UVERBS_METHOD_REG_MR, UVERBS_ATTR_REG_MR_DMA_HANDLE },
	{ "reg-mr", UVERBS_OBJECT_MR, UVERBS_METHOD_REG_MR, ALL_METHOD },
};

static struct old_kernel_counts counts;

const struct old_kernel_counts *old_kernel_counts(void)
{
	return &counts;
}

static bool is_missing(const struct ib_uverbs_ioctl_hdr *hdr, int attr)
{
	const char *what = getenv("OLD_KERNEL");

	for (unsigned int i = 0; what && i < sizeof(missing) / sizeof(missing[0]); i++)
		if (!strcmp(missing[i].what, what) && missing[i].object == hdr->object_id &&
		    missing[i].method == hdr->method_id && missing[i].attr == attr)
			return true;
	return false;
}

static int refuse(int err)
{
	counts.refused++;
	errno = err;
	return -1;
}

/* Passes the command on without the attributes that are unknown. */
static int pass_on(int fd, struct ib_uverbs_ioctl_hdr *hdr)
{
	struct {
		struct ib_uverbs_ioctl_hdr hdr;
		struct ib_uverbs_attr attr[MAX_ATTRS];
	} known = { .hdr = *hdr };
	struct ib_uverbs_attr *back[MAX_ATTRS];
	unsigned int n = 0;
	long ret;

	for (unsigned int i = 0; i < hdr->num_attrs; i++) {
		struct ib_uverbs_attr *attr = &hdr->attrs[i];

		if (is_missing(hdr, attr->attr_id)) {
			if (attr->flags & UVERBS_ATTR_F_MANDATORY)
				return refuse(EPROTONOSUPPORT);
			counts.skipped++;
			continue;
		}
		if (n == MAX_ATTRS)
			return refuse(E2BIG);
		back[n] = attr;
		known.attr[n++] = *attr;
	}
	known.hdr.num_attrs = (uint16_t)n;
	known.hdr.length = (uint16_t)(sizeof(known.hdr) + n * sizeof(known.attr[0]));
	ret = syscall(SYS_ioctl, fd, RDMA_VERBS_IOCTL, &known);
	while (n--)
		*back[n] = known.attr[n];
	return (int)ret;
}

/* A vfio feature of that number is what is missing. */
static bool is_missing_feature(const char *what, const struct vfio_device_feature *feature)
{
	uint32_t number = feature->flags & VFIO_DEVICE_FEATURE_MASK;

	return (!strcmp(what, "vfio-hint") && number == VFIO_DEVICE_FEATURE_DMA_BUF_TPH) ||
	       (!strcmp(what, "vfio-export") && number == VFIO_DEVICE_FEATURE_DMA_BUF);
}

int ioctl(int fd, unsigned long request, ...)
{
	const char *what = getenv("OLD_KERNEL");
	struct ib_uverbs_ioctl_hdr *hdr;
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (what && request == VFIO_DEVICE_FEATURE && is_missing_feature(what, arg))
		return refuse(ENOTTY);
	if (request != RDMA_VERBS_IOCTL)
		return (int)syscall(SYS_ioctl, fd, request, arg);
	hdr = arg;
	if (what && !strcmp(what, "ioctl"))
		return refuse(ENOTTY);
	if (hdr->object_id == UVERBS_OBJECT_MR && hdr->method_id == UVERBS_METHOD_REG_MR)
		counts.reg_mr++;
	if (is_missing(hdr, ALL_METHOD))
		return refuse(EPROTONOSUPPORT);
	return pass_on(fd, hdr);
}
