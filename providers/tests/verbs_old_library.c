// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that was built with the new library and refers to none of its new symbols, so that it
 * runs with an older one, too. With that, dma-bufs get their hint, as that is what the kernel does,
 * and a policy is lost: the reason why a program that needs one should call ibv_query_mr_tph().
 *
 * Usage: verbs_old_library IB-DEVICE BDF ENDPOINT
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "tph.h"

#define BAR_LENGTH (1u << 20)
#define TAG	   42u
#define PH	   2u

static struct {
	struct mr_hca hca;
	struct mr_bar bar;
	struct mr_link link;
	const char *endpoint;
	uint8_t width;
} s;

/* Whatever the program asked for, the kernel got no policy; deregisters the MR. */
static void check_auto(struct ibv_mr *ibv_mr, bool hinted)
{
	struct wire_hint hint = { .th = true, .ph = PH, .width = s.width, .st = TAG };
	struct ib_uverbs_mr_tph expected =
		hinted ? tph_applied(hint, IB_UVERBS_MR_TPH_AUTO) : tph_none(IB_UVERBS_MR_TPH_AUTO);
	struct mr mr;

	if (!CHECK(ibv_mr))
		return;
	mr = tph_mr(ibv_mr);
	check_tph(&s.hca, &mr, &expected);
	check_write(&s.link, &mr, s.endpoint, tph_wire(&expected));
	CHECK_EQUAL(0, ibv_dereg_mr(ibv_mr));
}

static void run(int fd, bool hinted)
{
	ktap_step("ibv_reg_dmabuf_mr()");
	check_auto(ibv_reg_dmabuf_mr(s.hca.pd, 0, TPH_LENGTH, 0, fd, MR_ACCESS), hinted);
	for (int policy = -1; policy <= IBV_DMABUF_TPH_IGNORE; policy++) {
		struct ibv_mr_init_attr attr = tph_init_attr(fd, policy);

		ktap_step("ibv_reg_mr_ex(), policy %d", policy);
		check_auto(ibv_reg_mr_ex(s.hca.pd, &attr), hinted);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	struct mr_tph_caps caps;

	if (argc != 4) {
		fprintf(stderr, "usage: verbs_old_library IB-DEVICE BDF ENDPOINT\n");
		return 2;
	}
	s.endpoint = argv[3];
	ktap_plan(2);
	ktap_must(dlsym(RTLD_DEFAULT, "_ibv_query_mr_tph") ? -EEXIST : 0, "an older libibverbs");
	ktap_must(mr_hca_open(argv[1], &s.hca), argv[1]);
	ktap_must(mr_bar_open(argv[2], 0, BAR_LENGTH, &s.bar), argv[2]);
	ktap_must(mr_link_open(&s.link, &s.hca, &s.hca), "RC connection");
	ktap_must(mr_tph_caps(&s.hca, &caps), "TPH capabilities");
	s.width = caps.st_width;
	ktap_case("%s: hint, older library", argv[1]);
	run(mr_bar_export_hinted(&s.bar, 0, TPH_LENGTH, hint_of(s.width, TAG, PH)), true);
	ktap_done();
	ktap_case("%s: no hint, older library", argv[1]);
	run(mr_bar_export(&s.bar, 0, TPH_LENGTH), false);
	ktap_done();
	mr_link_close(&s.link);
	mr_bar_close(&s.bar);
	mr_hca_close(&s.hca);
	return ktap_exit();
}
