// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memory key that a program creates by way of DEVX has no TPH, whatever the program asks for: it
 * holds no reference on an entry of the ST table.
 *
 * Usage: devx IB-DEVICE
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <infiniband/mlx5dv.h>

#include "ktap.h"

#define CREATE_MKEY 0x200u
#define QUERY_MKEY  0x201u
#define IN_MKC	    4u /* words */
#define IN_WORDS    68u
#define OUT_WORDS   68u
#define TPH	    15u /* word of the key with pcie_tph_en, PH, and index of the steering tag */
#define TPH_EN	    (1u << 26)
#define TPH_INDEX   (0xffu << 16)

static struct ibv_context *context;
static uint32_t pdn;

static int open_devx(const char *name)
{
	struct mlx5dv_context_attr attr = { .flags = MLX5DV_CONTEXT_FLAGS_DEVX };
	struct ibv_device **list = ibv_get_device_list(NULL);
	struct mlx5dv_pd pd;
	struct mlx5dv_obj obj = { .pd.out = &pd };

	for (unsigned int i = 0; list && list[i] && !context; i++)
		if (!strcmp(ibv_get_device_name(list[i]), name))
			context = mlx5dv_open_device(list[i], &attr);
	if (list)
		ibv_free_device_list(list);
	if (!context)
		return -ENODEV;
	obj.pd.in = ibv_alloc_pd(context);
	if (!obj.pd.in || mlx5dv_init_obj(&obj, MLX5DV_OBJ_PD))
		return -ENOMEM;
	pdn = pd.pdn;
	return 0;
}

/* A key of access @mode that asks for TPH with entry 1. */
static void key(unsigned int mode)
{
	uint32_t in[IN_WORDS] = { 0 }, out[OUT_WORDS] = { 0 }, query[4] = { 0 };
	uint32_t *mkc = in + IN_MKC;
	struct mlx5dv_devx_obj *obj;

	in[0] = htobe32(CREATE_MKEY << 16);
	mkc[0] = htobe32(mode >> 2 << 26 | (mode & 3) << 8 | 1u << 30 | 1u << 15);
	mkc[1] = htobe32(0xffffff00 | 0x42);
	mkc[3] = htobe32(pdn);
	mkc[13] = htobe32(4); /* room for entries, none of them there */
	mkc[14] = htobe32(12);
	mkc[TPH] = htobe32(TPH_EN | 2u << 24 | 1u << 16);
	obj = mlx5dv_devx_obj_create(context, in, sizeof(in), out, sizeof(out));
	if (!CHECK(obj)) {
		ktap_note("errno %d, syndrome 0x%x", errno, be32toh(out[1]));
		return;
	}
	query[0] = htobe32(QUERY_MKEY << 16);
	query[2] = htobe32(be32toh(out[2]) & 0xffffff);
	memset(out, 0, sizeof(out));
	CHECK_EQUAL(0, mlx5dv_devx_obj_query(obj, query, sizeof(query), out, sizeof(out)));
	mkc = out + IN_MKC;
	CHECK_EQUAL(0x42, be32toh(mkc[1]) & 0xff);
	CHECK_EQUAL(0, be32toh(mkc[TPH]) & (TPH_EN | TPH_INDEX));
	CHECK_EQUAL(0, mlx5dv_devx_obj_destroy(obj));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		unsigned int mode;
	} modes[] = { { "list of keys (KLM)", 2 }, { "list of keys of one size (KSM)", 3 } };

	if (argc != 2) {
		fprintf(stderr, "usage: devx IB-DEVICE\n");
		return 2;
	}
	ktap_plan(2);
	ktap_must(open_devx(argv[1]), argv[1]);
	for (unsigned int i = 0; i < 2; i++) {
		ktap_case("DEVX: no TPH in a %s", modes[i].name);
		key(modes[i].mode);
		ktap_done();
	}
	ibv_close_device(context);
	return ktap_exit();
}
