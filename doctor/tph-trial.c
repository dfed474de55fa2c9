// SPDX-License-Identifier: GPL-2.0-only
/*
 * One registration of a piece of a BAR, step by step, and what became of each step, for tph-doctor.
 *
 * Usage: tph-trial [--hca IB-DEVICE] --length BYTES
 *		    [--bdf BDF --bar N --offset BYTES [--hint HINT]]
 *
 * Prints a line "STEP RESULT [DETAILS]" for each step that was made; RESULT is ok or the name of an
 * errno:
 *
 *	library		ok if libibverbs has the verbs for hints, else ENOSYS; its path
 *	hca		the IB device opened, and a PD
 *	host		LENGTH bytes of the process registered
 *	odp		ok if it has on-demand paging, which MRs of dma-bufs are made with
 *	caps		UVERBS_METHOD_QUERY_TPH_CAPS; width flags number-of-tags largest-tag
 *	vfio		the function opened; how, or the message
 *	export		the piece exported as dma-buf; the message
 *	plain		that dma-buf registered before it has a hint
 *	hint		HINT attached to it
 *	require		registered with IB_UVERBS_MR_TPH_REQUIRE
 *	auto		if that failed, registered with IB_UVERBS_MR_TPH_AUTO; why it has no hint:
 *			0 or an enum ib_uverbs_mr_tph_reason
 *
 * Exit status 0, whatever was found; 2 for wrong usage. Everything is released at the end.
 *
 * The verbs that the series adds go to the kernel directly, so that an older libibverbs does not
 * hide what the kernel can do.
 */
#include <dlfcn.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/rdma_user_ioctl.h>
#include <rdma/rdma_user_ioctl_cmds.h>

#include <infiniband/verbs.h>

#include "vfiobar/vfiobar.h"

/* What the kernel series adds to uverbs; own names, so that newer headers do not collide. */
#define METHOD_QUERY_TPH_CAPS 9
#define CAPS_RESP_FLAGS	      0
#define CAPS_RESP_ST_WIDTH    1
#define CAPS_RESP_MAX_TAGS    2
#define CAPS_RESP_MAX_TAG     3
#define REG_TPH_POLICY	      9
#define TPH_AUTO	      0
#define TPH_REQUIRE	      1
#define QUERY_MR_RESP_TPH     5

struct mr_tph {
	uint32_t flags;
	uint16_t steering_tag;
	uint8_t ph, st_width, source, policy, reason, reserved[5];
};

#define ATTRS  12
#define ACCESS (IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ)

struct request {
	const char *hca, *bdf;
	unsigned int bar;
	uint64_t offset, length;
	bool has_hint;
	struct vfiobar_hint hint;
};

/* An open HCA; context is NULL without one. */
struct hca {
	struct ibv_context *context;
	struct ibv_pd *pd;
	uint32_t driver_id; /* enum rdma_driver_id */
};

struct command {
	struct ib_uverbs_ioctl_hdr hdr;
	struct ib_uverbs_attr attr[ATTRS];
};

/* @err: 0 or a negative errno. Returns whether it is 0. */
static bool step(const char *name, int err, const char *details)
{
	printf("%s %s%s%s\n", name, err ? vfiobar_errno_name(-err) : "ok", *details ? " " : "",
	       details);
	return !err;
}

static void begin(struct command *cmd, uint16_t object, uint16_t method)
{
	memset(cmd, 0, sizeof(*cmd));
	cmd->hdr.object_id = object;
	cmd->hdr.method_id = method;
}

static struct ib_uverbs_attr *add(struct command *cmd, uint16_t id, size_t length, uint64_t data)
{
	struct ib_uverbs_attr *attr = &cmd->attr[cmd->hdr.num_attrs++];

	attr->attr_id = id;
	attr->len = (uint16_t)length;
	attr->flags = UVERBS_ATTR_F_MANDATORY;
	attr->data = data;
	return attr;
}

/* 0 or a negative errno. */
static int run(const struct hca *hca, struct command *cmd)
{
	cmd->hdr.driver_id = hca->driver_id;
	cmd->hdr.length = (uint16_t)(sizeof(cmd->hdr) + cmd->hdr.num_attrs * sizeof(cmd->attr[0]));
	return ioctl(hca->context->cmd_fd, RDMA_VERBS_IOCTL, &cmd->hdr) < 0 ? -errno : 0;
}

/* The driver's number, which each verbs ioctl has to name: those that import dma-bufs of vfio. */
static int driver_id(const char *name, uint32_t *id)
{
	static const struct {
		const char *name;
		uint32_t id;
	} drivers[] = { { "mlx5_core", RDMA_DRIVER_MLX5 }, { "irdma", RDMA_DRIVER_IRDMA } };
	char path[128], link[256];
	ssize_t length;

	snprintf(path, sizeof(path), "/sys/class/infiniband/%s/device/driver", name);
	length = readlink(path, link, sizeof(link) - 1);
	if (length < 0)
		return -EOPNOTSUPP;
	link[length] = 0;
	for (unsigned int i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		if (!strcmp(strrchr(link, '/') ? strrchr(link, '/') + 1 : link, drivers[i].name)) {
			*id = drivers[i].id;
			return 0;
		}
	}
	return -EOPNOTSUPP;
}

static void try_library(void)
{
	bool has = dlvsym(RTLD_DEFAULT, "_ibv_query_mr_tph", "IBVERBS_1.19");
	void *any = dlsym(RTLD_DEFAULT, "ibv_open_device");
	Dl_info info;

	step("library", has ? 0 : -ENOSYS, any && dladdr(any, &info) ? info.dli_fname : "");
}

static bool try_hca(const char *name, struct hca *hca)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	int err = list ? -ENODEV : -errno;

	for (unsigned int i = 0; list && list[i]; i++) {
		if (strcmp(ibv_get_device_name(list[i]), name))
			continue;
		hca->context = ibv_open_device(list[i]);
		err = hca->context ? 0 : -errno;
	}
	if (list)
		ibv_free_device_list(list);
	if (!err) {
		hca->pd = ibv_alloc_pd(hca->context);
		err = hca->pd ? 0 : -errno;
	}
	return step("hca", err, "");
}

static void try_odp(const struct hca *hca)
{
	struct ibv_device_attr_ex attr = { 0 };
	int err = -ibv_query_device_ex(hca->context, NULL, &attr);

	if (!err && !(attr.odp_caps.general_caps & IBV_ODP_SUPPORT))
		err = -EOPNOTSUPP;
	step("odp", err, "");
}

static void try_caps(const struct hca *hca)
{
	uint32_t flags = 0, tags = 0;
	struct command cmd;
	uint16_t tag = 0;
	uint8_t width = 0;
	char text[64];
	int err;

	begin(&cmd, UVERBS_OBJECT_DEVICE, METHOD_QUERY_TPH_CAPS);
	add(&cmd, CAPS_RESP_FLAGS, sizeof(flags), (uintptr_t)&flags);
	add(&cmd, CAPS_RESP_ST_WIDTH, sizeof(width), (uintptr_t)&width);
	add(&cmd, CAPS_RESP_MAX_TAGS, sizeof(tags), (uintptr_t)&tags);
	add(&cmd, CAPS_RESP_MAX_TAG, sizeof(tag), (uintptr_t)&tag);
	err = run(hca, &cmd);
	snprintf(text, sizeof(text), "%u %u %u %u", width, flags, tags, tag);
	step("caps", err, err ? "" : text);
}

/* No more than what shows that it works: the range may be gigabytes of a BAR. */
#define HOST_LENGTH 65536u

static void try_host(const struct hca *hca, uint64_t range)
{
	size_t length = range < HOST_LENGTH ? (size_t)range : HOST_LENGTH;
	void *memory =
		mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct ibv_mr *mr;
	char text[24];

	snprintf(text, sizeof(text), "%zu", length);
	if (memory == MAP_FAILED) {
		step("host", -errno, text);
		return;
	}
	mr = ibv_reg_mr(hca->pd, memory, length, ACCESS);
	step("host", mr ? 0 : -errno, text);
	if (mr)
		ibv_dereg_mr(mr);
	munmap(memory, length);
}

/* What the key of the MR @id has. 0 or a negative errno. */
static int query(const struct hca *hca, uint64_t id, struct mr_tph *tph)
{
	struct command cmd;
	uint32_t key[2];
	uint64_t length;

	begin(&cmd, UVERBS_OBJECT_MR, UVERBS_METHOD_QUERY_MR);
	add(&cmd, UVERBS_ATTR_QUERY_MR_HANDLE, 0, id);
	add(&cmd, UVERBS_ATTR_QUERY_MR_RESP_LKEY, sizeof(key[0]), (uintptr_t)&key[0]);
	add(&cmd, UVERBS_ATTR_QUERY_MR_RESP_RKEY, sizeof(key[1]), (uintptr_t)&key[1]);
	add(&cmd, UVERBS_ATTR_QUERY_MR_RESP_LENGTH, sizeof(length), (uintptr_t)&length);
	add(&cmd, QUERY_MR_RESP_TPH, sizeof(*tph), (uintptr_t)tph);
	return run(hca, &cmd);
}

/*
 * Registers the dma-buf, asks what its key has unless @tph is NULL, and gives it back. 0 or a
 * negative errno.
 */
static int reg(const struct hca *hca, int fd, uint64_t length, uint64_t policy, struct mr_tph *tph)
{
	struct ib_uverbs_attr *handle;
	struct command cmd;
	uint32_t key[2];
	int err, destroyed;
	uint64_t id;

	begin(&cmd, UVERBS_OBJECT_MR, UVERBS_METHOD_REG_DMABUF_MR);
	handle = add(&cmd, UVERBS_ATTR_REG_DMABUF_MR_HANDLE, 0, 0);
	add(&cmd, UVERBS_ATTR_REG_DMABUF_MR_PD_HANDLE, 0, hca->pd->handle);
	add(&cmd, UVERBS_ATTR_REG_DMABUF_MR_OFFSET, 8, 0);
	add(&cmd, UVERBS_ATTR_REG_DMABUF_MR_LENGTH, 8, length);
	add(&cmd, UVERBS_ATTR_REG_DMABUF_MR_IOVA, 8, 0);
	add(&cmd, UVERBS_ATTR_REG_DMABUF_MR_FD, 4, (uint32_t)fd);
	add(&cmd, UVERBS_ATTR_REG_DMABUF_MR_ACCESS_FLAGS, 4, ACCESS);
	add(&cmd, UVERBS_ATTR_REG_DMABUF_MR_RESP_LKEY, sizeof(key[0]), (uintptr_t)&key[0]);
	add(&cmd, UVERBS_ATTR_REG_DMABUF_MR_RESP_RKEY, sizeof(key[1]), (uintptr_t)&key[1]);
	/* The default is not said, for kernels without the series. */
	if (policy != TPH_AUTO)
		add(&cmd, REG_TPH_POLICY, 8, policy);
	err = run(hca, &cmd);
	if (err)
		return err;
	id = handle->data;
	err = tph ? query(hca, id, tph) : 0;
	begin(&cmd, UVERBS_OBJECT_MR, UVERBS_METHOD_MR_DESTROY);
	add(&cmd, UVERBS_ATTR_DESTROY_MR_HANDLE, 0, id);
	destroyed = run(hca, &cmd);
	return err ? err : destroyed;
}

static void try_registrations(const struct hca *hca, struct vfiobar *dev, int fd,
			      const struct request *req)
{
	bool plain = hca->context && step("plain", reg(hca, fd, req->length, TPH_AUTO, NULL), "");
	struct mr_tph tph = { 0 };
	char reason[8];
	int err;

	if (!req->has_hint || !step("hint", vfiobar_set_hint(dev, fd, &req->hint, NULL), ""))
		return;
	/* Without the hint it says more of the cause. */
	if (!plain || step("require", reg(hca, fd, req->length, TPH_REQUIRE, NULL), ""))
		return;
	err = reg(hca, fd, req->length, TPH_AUTO, &tph);
	snprintf(reason, sizeof(reason), "%u", tph.reason);
	step("auto", err, err ? "" : reason);
}

static void try_bar(const struct hca *hca, const struct request *req)
{
	struct vfiobar_msg msg = { "" };
	struct vfiobar *dev;
	int fd, err;

	err = vfiobar_open(req->bdf, &dev, &msg);
	if (!step("vfio", err, err ? msg.text : vfiobar_access(dev)))
		return;
	/* Nothing is written there, and tph-doctor says what it is. */
	vfiobar_allow_registers(dev);
	fd = vfiobar_export(dev, req->bar, req->offset, req->length, &msg);
	if (step("export", fd < 0 ? fd : 0, fd < 0 ? msg.text : "")) {
		try_registrations(hca, dev, fd, req);
		close(fd);
	}
	vfiobar_close(dev);
}

static uint64_t number(const char *option, const char *text)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (*text < '0' || *text > '9' || *end || errno) {
		fprintf(stderr, "tph-trial: --%s '%s': not a number\n", option, text);
		exit(2);
	}
	return value;
}

static void parse(int argc, char **argv, struct request *req)
{
	static const struct option options[] = {
		{ "hca", 1, NULL, 'h' },     { "bdf", 1, NULL, 'd' },	 { "bar", 1, NULL, 'b' },
		{ "offset", 1, NULL, 'o' },  { "length", 1, NULL, 'l' }, { "hint", 1, NULL, 't' },
		{ "version", 0, NULL, 'V' }, { NULL, 0, NULL, 0 }
	};
	struct vfiobar_msg msg;
	int c, i;

	while ((c = getopt_long(argc, argv, "", options, &i)) != -1) {
		if (c == 'h')
			req->hca = optarg;
		else if (c == 'd')
			req->bdf = optarg;
		else if (c == 'b')
			req->bar = (unsigned int)number(options[i].name, optarg);
		else if (c == 'o')
			req->offset = number(options[i].name, optarg);
		else if (c == 'l')
			req->length = number(options[i].name, optarg);
		else if (c == 'V') {
			puts("tph-trial " TPH_VERSION);
			exit(0);
		} else if (c != 't')
			exit(2);
		else if (vfiobar_parse_hint(optarg, &req->hint, &msg)) {
			fprintf(stderr, "tph-trial: --hint: %s\n", msg.text);
			exit(2);
		} else
			req->has_hint = true;
	}
	if (optind < argc || (!req->hca && !req->bdf) || !req->length) {
		fputs("usage: tph-trial [--hca IB-DEVICE] [--bdf BDF --bar N --offset BYTES "
		      "[--hint HINT]] --length BYTES\n",
		      stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct request req = { .hint = { .size = sizeof(req.hint) } };
	struct hca hca = { 0 };

	parse(argc, argv, &req);
	/* What was found before a step that never returns is worth something, too. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	try_library();
	if (req.hca && try_hca(req.hca, &hca)) {
		try_host(&hca, req.length);
		try_odp(&hca);
		if (driver_id(req.hca, &hca.driver_id)) {
			step("caps", -EOPNOTSUPP, "");
			ibv_dealloc_pd(hca.pd);
			ibv_close_device(hca.context);
			hca = (struct hca){ 0 };
		} else {
			try_caps(&hca);
		}
	}
	if (req.bdf)
		try_bar(&hca, &req);
	if (hca.pd)
		ibv_dealloc_pd(hca.pd);
	if (hca.context)
		ibv_close_device(hca.context);
	return 0;
}
