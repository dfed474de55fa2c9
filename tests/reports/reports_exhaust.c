// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects until there are no more: the errno then, and that one given back makes room for one.
 *
 * Usage: reports_exhaust IB-DEVICE
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <rdma/mlx5_user_ioctl_cmds.h>
#include <rdma/mlx5_user_ioctl_verbs.h>

#include "ktap.h"
#include "mr.h"

#include <infiniband/mlx5dv.h>

#define ALLOC_Q_COUNTER 0x0771
#define LIMITS_EXCEEDED 0x08 /* status of a command */
#define DM_PAGE		4096u
#define MLID		0xc0ff
#define MOST		9000u

static struct mr_hca hca;
static struct ibv_device *device;
static struct ibv_qp *qp;

/* Makes the @n-th object; NULL and errno. */
typedef void *(*make_fn)(unsigned int n);
typedef void (*free_fn)(void *object);

static void *make_context(unsigned int n)
{
	(void)n;
	return ibv_open_device(device);
}

static void free_context(void *object)
{
	CHECK_EQUAL(0, ibv_close_device(object));
}

/* A page each: libmlx5 would give two registers of every one. */
static void *make_uar(unsigned int n)
{
	uint64_t offset;
	uint32_t length, page;
	struct ib_uverbs_attr *handle;
	struct mr_cmd cmd;

	(void)n;
	mr_cmd_init(&cmd, MLX5_IB_OBJECT_UAR, MLX5_IB_METHOD_UAR_OBJ_ALLOC);
	handle = mr_cmd_object(&cmd, MLX5_IB_ATTR_UAR_OBJ_ALLOC_HANDLE, 0);
	mr_cmd_u64(&cmd, MLX5_IB_ATTR_UAR_OBJ_ALLOC_TYPE, MLX5_IB_UAPI_UAR_ALLOC_TYPE_NC);
	mr_cmd_out(&cmd, MLX5_IB_ATTR_UAR_OBJ_ALLOC_MMAP_OFFSET, &offset, sizeof(offset));
	mr_cmd_out(&cmd, MLX5_IB_ATTR_UAR_OBJ_ALLOC_MMAP_LENGTH, &length, sizeof(length));
	mr_cmd_out(&cmd, MLX5_IB_ATTR_UAR_OBJ_ALLOC_PAGE_ID, &page, sizeof(page));
	errno = -mr_cmd_run(&hca, &cmd);
	/* Handles begin with 0. */
	return errno ? NULL : (void *)(uintptr_t)(handle->data + 1);
}

static void free_uar(void *object)
{
	struct mr_cmd cmd;

	mr_cmd_init(&cmd, MLX5_IB_OBJECT_UAR, MLX5_IB_METHOD_UAR_OBJ_DESTROY);
	mr_cmd_object(&cmd, MLX5_IB_ATTR_UAR_OBJ_DESTROY_HANDLE, (int64_t)(uintptr_t)object - 1);
	CHECK_EQUAL(0, mr_cmd_run(&hca, &cmd));
}

/* A program's command: the driver's errno says that there is a status. */
static void *make_q_counter(unsigned int n)
{
	uint32_t in[4] = { htobe32(ALLOC_Q_COUNTER << 16) }, out[4] = { 0 };
	void *object = mlx5dv_devx_obj_create(hca.context, in, sizeof(in), out, sizeof(out));

	(void)n;
	if (!object)
		errno = errno == EREMOTEIO && be32toh(out[0]) >> 24 == LIMITS_EXCEEDED ? ENOMEM
										       : errno;
	return object;
}

static void free_q_counter(void *object)
{
	CHECK_EQUAL(0, mlx5dv_devx_obj_destroy(object));
}

static void *make_dm(unsigned int n)
{
	struct ibv_alloc_dm_attr attr = { .length = DM_PAGE };

	(void)n;
	return ibv_alloc_dm(hca.context, &attr);
}

static void free_dm(void *object)
{
	CHECK_EQUAL(0, ibv_free_dm(object));
}

static void *make_attachment(unsigned int n)
{
	union ibv_gid *gid = calloc(1, sizeof(*gid));

	gid->raw[0] = 0xff;
	gid->raw[1] = 0x12;
	gid->raw[14] = (uint8_t)(n >> 8);
	gid->raw[15] = (uint8_t)n;
	errno = ibv_attach_mcast(qp, gid, MLID);
	if (!errno)
		return gid;
	free(gid);
	return NULL;
}

static void free_attachment(void *object)
{
	CHECK_EQUAL(0, ibv_detach_mcast(qp, object, MLID));
	free(object);
}

/* There are @least to @most, then @err; and a place for each that is given back. */
static void exhaust(make_fn make, free_fn release, unsigned int least, unsigned int most, int err)
{
	static void *objects[MOST];
	unsigned int n = 0, i;

	while (n < MOST && (objects[n] = make(n)))
		n++;
	CHECK_EQUAL(err, errno);
	ktap_note("%u", n);
	if (!CHECK(n >= least && n <= most))
		ktap_note("not %u to %u", least, most);
	for (i = 0; i < 3 && n > 3; i++) {
		unsigned int one = i * (n - 1) / 2;

		release(objects[one]);
		objects[one] = make(one);
		CHECK(objects[one]);
		CHECK(!make(n));
		CHECK_EQUAL(err, errno);
	}
	while (n--) {
		if (objects[n])
			release(objects[n]);
	}
}

static void limit_files(rlim_t files)
{
	struct rlimit limit = { files, files };

	ktap_must(setrlimit(RLIMIT_NOFILE, &limit) ? -errno : 0, "setrlimit");
}

/* Two descriptors each: which of them is one too many must not matter. */
static void contexts(void)
{
	limit_files(2048);
	ktap_case("more than 510 contexts");
	{
		void *objects[520];
		unsigned int n;

		for (n = 0; n < 520 && (objects[n] = make_context(n)); n++)
			;
		CHECK_EQUAL(520, n);
		while (n--)
			free_context(objects[n]);
	}
	ktap_done();
	ktap_case("contexts as far as there are descriptors");
	limit_files(64);
	exhaust(make_context, free_context, 20, 31, EMFILE);
	limit_files(63);
	exhaust(make_context, free_context, 20, 31, EMFILE);
	ktap_done();
}

int main(int argc, char **argv)
{
	struct ibv_qp_init_attr init = { .qp_type = IBV_QPT_UD, .cap = { 1, 1, 1, 1, 0 } };
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_INIT, .port_num = 1 };

	ktap_must(mr_hca_open(argc == 2 ? argv[1] : "", &hca), "HCA");
	device = hca.context->device;
	init.send_cq = init.recv_cq = ibv_create_cq(hca.context, 1, NULL, NULL, 0);
	qp = init.send_cq ? ibv_create_qp(hca.pd, &init) : NULL;
	ktap_must(qp ? -ibv_modify_qp(qp, &attr,
				      IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_QKEY)
		     : -errno,
		  "QP");
	ktap_plan(6);
	ktap_case("UAR pages");
	exhaust(make_uar, free_uar, 3200, 3308, ENOMEM);
	ktap_done();
	ktap_case("Q counters");
	exhaust(make_q_counter, free_q_counter, 200, 254, ENOMEM);
	ktap_done();
	ktap_case("device memory");
	exhaust(make_dm, free_dm, 256, 256, ENOMEM);
	ktap_done();
	ktap_case("multicast attachments");
	exhaust(make_attachment, free_attachment, 8100, 8192, ENOMEM);
	ktap_done();
	ibv_destroy_qp(qp);
	ibv_destroy_cq(init.send_cq);
	contexts();
	mr_hca_close(&hca);
	return ktap_exit();
}
