// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that was built with the unpatched library, and runs with the new one: its structures
 * are shorter, and it gets hints without knowing.
 *
 * Usage: verbs_old_program IB-DEVICE BDF ENDPOINT
 */
#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel/tests/evidence.h"

/* Without the policy: these are the headers of the unpatched library. */
static_assert(offsetof(struct ibv_mr_init_attr, buf) + sizeof(void *) ==
		      sizeof(struct ibv_mr_init_attr),
	      "other headers");

#define BAR_LENGTH (1u << 20)
#define LENGTH	   65536u
#define TAG	   42u
#define PH	   2u

static struct {
	struct mr_hca hca;
	struct mr_bar bar;
	struct mr_link link;
	const char *endpoint;
	struct wire_hint hint;
} s;

static void check(struct ibv_mr *ibv_mr)
{
	struct ib_uverbs_mr_tph expected = tph_applied(s.hint, IB_UVERBS_MR_TPH_AUTO);
	struct mr mr;

	if (!CHECK(ibv_mr))
		return;
	mr = (struct mr){ .handle = ibv_mr->handle,
			  .lkey = ibv_mr->lkey,
			  .rkey = ibv_mr->rkey,
			  .length = ibv_mr->length };
	check_tph(&s.hca, &mr, &expected);
	check_write(&s.link, &mr, s.endpoint, s.hint);
	CHECK_EQUAL(0, ibv_dereg_mr(ibv_mr));
}

/* Memory of @size bytes whose end is the end of what can be read. */
static void *before_the_end(size_t size)
{
	char *pages =
		mmap(NULL, 2 * MR_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ktap_must(pages == MAP_FAILED ? -errno : 0, "memory");
	ktap_must(mprotect(pages + MR_PAGE, MR_PAGE, PROT_NONE) ? -errno : 0, "memory");
	return pages + MR_PAGE - size;
}

static void run(int fd)
{
	struct ibv_mr_init_attr *attr = before_the_end(sizeof(*attr));

	*attr = (struct ibv_mr_init_attr){ .comp_mask = IBV_REG_MR_MASK_FD |
							IBV_REG_MR_MASK_FD_OFFSET |
							IBV_REG_MR_MASK_IOVA,
					   .fd = fd,
					   .length = LENGTH,
					   .access = MR_ACCESS };
	ktap_step("ibv_reg_mr_ex()");
	check(ibv_reg_mr_ex(s.hca.pd, attr));
	ktap_step("ibv_reg_dmabuf_mr()");
	check(ibv_reg_dmabuf_mr(s.hca.pd, 0, LENGTH, 0, fd, MR_ACCESS));
	close(fd);
}

int main(int argc, char **argv)
{
	struct mr_tph_caps caps;

	if (argc != 4) {
		fprintf(stderr, "usage: verbs_old_program IB-DEVICE BDF ENDPOINT\n");
		return 2;
	}
	s.endpoint = argv[3];
	ktap_plan(1);
	ktap_must(dlsym(RTLD_DEFAULT, "_ibv_query_mr_tph") ? 0 : -ENOENT, "the new libibverbs");
	ktap_must(mr_hca_open(argv[1], &s.hca), argv[1]);
	ktap_must(mr_bar_open(argv[2], 0, BAR_LENGTH, &s.bar), argv[2]);
	ktap_must(mr_link_open(&s.link, &s.hca, &s.hca), "RC connection");
	ktap_must(mr_tph_caps(&s.hca, &caps), "TPH capabilities");
	s.hint = (struct wire_hint){ .th = true, .ph = PH, .width = caps.st_width, .st = TAG };
	ktap_case("%s: program of the unpatched library, %zu bytes of attributes", argv[1],
		  sizeof(struct ibv_mr_init_attr));
	run(mr_bar_export_hinted(&s.bar, 0, LENGTH, hint_of(caps.st_width, TAG, PH)));
	ktap_done();
	mr_link_close(&s.link);
	mr_bar_close(&s.bar);
	mr_hca_close(&s.hca);
	return ktap_exit();
}
