// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes to the file $IOCTL_BYTES what a program tells vfio and RDMA about a memory region: one
 * line of JSON for each ioctl, its bytes hexadecimal, in the order of the program's calls. Stops
 * the program with SIGSTOP before the region goes, so that others can look at what it led to.
 * Preloaded to a program of perftest.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/vfio.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/ib_user_ioctl_verbs.h>
#include <rdma/rdma_user_ioctl.h>
#include <rdma/rdma_user_ioctl_cmds.h>

#define LONGEST 512

struct call {
	const char *name; /* NULL: nothing to say about it */
	uint8_t bytes[LONGEST];
	size_t length;
	const void *response; /* filled by the kernel */
	size_t response_length;
};

static void look_at_vfio(const struct vfio_device_feature *feature, struct call *call)
{
	uint32_t number = feature->flags & VFIO_DEVICE_FEATURE_MASK;

	if (feature->flags & VFIO_DEVICE_FEATURE_PROBE)
		return;
	if (number == VFIO_DEVICE_FEATURE_DMA_BUF)
		call->name = "VFIO_DEVICE_FEATURE_DMA_BUF";
	else if (number == VFIO_DEVICE_FEATURE_DMA_BUF_TPH)
		call->name = "VFIO_DEVICE_FEATURE_DMA_BUF_TPH";
	call->length = feature->argsz;
}

static void look_at_verbs(const struct ib_uverbs_ioctl_hdr *hdr, struct call *call)
{
	if (hdr->object_id != UVERBS_OBJECT_MR)
		return;
	if (hdr->method_id == UVERBS_METHOD_MR_DESTROY)
		raise(SIGSTOP);
	else if (hdr->method_id == UVERBS_METHOD_REG_MR)
		call->name = "UVERBS_METHOD_REG_MR";
	else if (hdr->method_id == UVERBS_METHOD_QUERY_MR)
		call->name = "UVERBS_METHOD_QUERY_MR";
	call->length = hdr->length;
	for (unsigned int i = 0; i < hdr->num_attrs; i++) {
		const struct ib_uverbs_attr *attr = &hdr->attrs[i];

		if (hdr->method_id != UVERBS_METHOD_QUERY_MR ||
		    attr->attr_id != UVERBS_ATTR_QUERY_MR_RESP_TPH)
			continue;
		call->response = (const void *)(uintptr_t)attr->data;
		call->response_length = attr->len;
	}
}

static void print_bytes(FILE *out, const char *key, const uint8_t *bytes, size_t length)
{
	fprintf(out, ",\"%s\":\"", key);
	for (size_t i = 0; i < length; i++)
		fprintf(out, "%02x", bytes[i]);
	fputc('"', out);
}

static void write_down(const struct call *call, long result)
{
	const char *path = getenv("IOCTL_BYTES");
	FILE *out = path ? fopen(path, "ae") : NULL;

	if (!out)
		return;
	fprintf(out, "{\"ioctl\":\"%s\",\"result\":%ld", call->name, result);
	print_bytes(out, "bytes", call->bytes, call->length);
	if (call->response && result >= 0)
		print_bytes(out, "response", call->response, call->response_length);
	fputs("}\n", out);
	fclose(out);
}

int ioctl(int fd, unsigned long request, ...)
{
	struct call call = { 0 };
	va_list args;
	long result;
	int err;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (request == VFIO_DEVICE_FEATURE)
		look_at_vfio(arg, &call);
	else if (request == RDMA_VERBS_IOCTL)
		look_at_verbs(arg, &call);
	if (call.length > LONGEST)
		call.name = NULL;
	if (call.name)
		memcpy(call.bytes, arg, call.length);
	result = syscall(SYS_ioctl, fd, request, arg);
	err = errno;
	if (call.name)
		write_down(&call, result);
	errno = err;
	return (int)result;
}
