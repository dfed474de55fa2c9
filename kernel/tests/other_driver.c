// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attributes of the kernel series with a driver that implements none of it.
 *
 * Usage: other_driver IB-DEVICE BDF, a device whose BAR 0 vfio-pci owns.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evidence.h"

#define LENGTH 4096u

static struct mr_hca hca;
static int fd;
static uint8_t *memory;

static void capability(void)
{
	struct mr_tph_caps caps;

	CHECK_EQUAL(-EOPNOTSUPP, mr_tph_caps(&hca, &caps));
}

/* This driver imports no dma-buf at all, with and without the attribute. */
static void dmabuf(void)
{
	for (int policy = -1; policy < 4; policy++) {
		struct mr_request request = mr_request(fd, LENGTH, policy);
		struct mr mr;

		ktap_step("policy %d", policy);
		CHECK_EQUAL(-EOPNOTSUPP, mr_reg_dmabuf(&hca, &request, &mr));
		CHECK_EQUAL(-EOPNOTSUPP, mr_reg_ex(&hca, &request, &mr));
	}
	CHECK_EQUAL(0, mr_count(&hca));
}

static void host_memory(void)
{
	struct mr_request request = {
		.addr = memory, .length = LENGTH, .access = MR_ACCESS, .iova = (uintptr_t)memory
	};
	static const struct ib_uverbs_mr_tph none;
	struct mr_info info;
	struct mr mr;

	if (CHECK_EQUAL(0, mr_reg_ex(&hca, &request, &mr))) {
		CHECK_EQUAL(0, mr_query(&hca, &mr, &info));
		CHECK(info.has_tph);
		CHECK(!memcmp(&none, &info.tph, sizeof(none)));
		CHECK_EQUAL(0, mr_dereg(&hca, &mr));
	}
	request.has_policy = true;
	for (request.policy = 0; request.policy < 4; request.policy++)
		CHECK_EQUAL(-EINVAL, mr_reg_ex(&hca, &request, &mr));
	CHECK_EQUAL(0, mr_count(&hca));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = { { "capability", capability },
		      { "dma-buf", dmabuf },
		      { "host memory", host_memory } };
	struct mr_bar bar;
	int ret;

	if (argc != 3) {
		fprintf(stderr, "usage: other_driver IB-DEVICE BDF\n");
		return 2;
	}
	ktap_plan(3);
	ret = mr_hca_open(argv[1], &hca);
	if (ret)
		ktap_bail("%s: %d", argv[1], ret);
	ret = mr_bar_open(argv[2], 0, LENGTH, &bar);
	if (ret)
		ktap_bail("%s: %d", argv[2], ret);
	fd = mr_bar_export(&bar, 0, LENGTH);
	memory = aligned_alloc(MR_PAGE, LENGTH);
	if (fd < 0 || !memory)
		ktap_bail("no dma-buf: %d", fd);
	for (unsigned int i = 0; i < 3; i++) {
		ktap_case("%s: %s", argv[1], cases[i].name);
		cases[i].run();
		ktap_done();
	}
	close(fd);
	mr_bar_close(&bar);
	mr_hca_close(&hca);
	free(memory);
	return ktap_exit();
}
