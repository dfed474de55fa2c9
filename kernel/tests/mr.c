// SPDX-License-Identifier: GPL-2.0-only
/* HCA functions, and verbs ioctls that the libibverbs at hand does not know; see mr.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "mr.h"

int mr_hca_open(const char *name, struct mr_hca *hca)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	struct ibv_port_attr port;
	int ret = -ENODEV;

	memset(hca, 0, sizeof(*hca));
	for (unsigned int i = 0; list && list[i] && !hca->context; i++) {
		if (strcmp(ibv_get_device_name(list[i]), name))
			continue;
		hca->context = ibv_open_device(list[i]);
		ret = hca->context ? 0 : -errno;
	}
	if (list)
		ibv_free_device_list(list);
	if (ret)
		return ret;
	hca->pd = ibv_alloc_pd(hca->context);
	if (!hca->pd)
		ret = -errno;
	if (!ret)
		ret = -ibv_query_port(hca->context, 1, &port);
	if (ret) {
		mr_hca_close(hca);
		return ret;
	}
	hca->lid = port.lid;
	hca->driver_id = strncmp(name, "rxe", 3) ? RDMA_DRIVER_MLX5 : RDMA_DRIVER_RXE;
	return 0;
}

void mr_hca_close(struct mr_hca *hca)
{
	if (hca->pd)
		ibv_dealloc_pd(hca->pd);
	if (hca->context)
		ibv_close_device(hca->context);
	memset(hca, 0, sizeof(*hca));
}

void mr_cmd_init(struct mr_cmd *cmd, uint16_t object, uint16_t method)
{
	memset(cmd, 0, sizeof(*cmd));
	cmd->hdr.object_id = object;
	cmd->hdr.method_id = method;
}

static struct ib_uverbs_attr *add(struct mr_cmd *cmd, uint16_t id, size_t length)
{
	struct ib_uverbs_attr *attr = &cmd->attr[cmd->hdr.num_attrs];

	if (cmd->hdr.num_attrs == MR_ATTRS)
		abort();
	cmd->hdr.num_attrs++;
	attr->attr_id = id;
	attr->len = (uint16_t)length;
	attr->flags = UVERBS_ATTR_F_MANDATORY;
	return attr;
}

struct ib_uverbs_attr *mr_cmd_in(struct mr_cmd *cmd, uint16_t id, const void *data, size_t length)
{
	struct ib_uverbs_attr *attr = add(cmd, id, length);

	/* The kernel takes short inputs from the attribute itself. */
	if (length <= sizeof(attr->data))
		memcpy(&attr->data, data, length);
	else
		attr->data = (uintptr_t)data;
	return attr;
}

struct ib_uverbs_attr *mr_cmd_u64(struct mr_cmd *cmd, uint16_t id, uint64_t value)
{
	return mr_cmd_in(cmd, id, &value, sizeof(value));
}

struct ib_uverbs_attr *mr_cmd_u32(struct mr_cmd *cmd, uint16_t id, uint32_t value)
{
	return mr_cmd_in(cmd, id, &value, sizeof(value));
}

struct ib_uverbs_attr *mr_cmd_object(struct mr_cmd *cmd, uint16_t id, int64_t handle)
{
	struct ib_uverbs_attr *attr = add(cmd, id, 0);

	attr->data_s64 = handle;
	return attr;
}

struct ib_uverbs_attr *mr_cmd_out(struct mr_cmd *cmd, uint16_t id, void *data, size_t length)
{
	struct ib_uverbs_attr *attr = add(cmd, id, length);

	attr->data = (uintptr_t)data;
	return attr;
}

int mr_cmd_run(const struct mr_hca *hca, struct mr_cmd *cmd)
{
	cmd->hdr.driver_id = hca->driver_id;
	cmd->hdr.length = (uint16_t)(sizeof(cmd->hdr) + cmd->hdr.num_attrs * sizeof(cmd->attr[0]));
	return ioctl(hca->context->cmd_fd, RDMA_VERBS_IOCTL, &cmd->hdr) < 0 ? -errno : 0;
}

struct mr_request mr_request(int fd, uint64_t length, int policy)
{
	struct mr_request request = { .fd = fd, .length = length, .access = MR_ACCESS };

	if (policy >= 0) {
		request.has_policy = true;
		request.policy = (uint64_t)policy;
	}
	return request;
}

static void add_policy(struct mr_cmd *cmd, uint16_t id, const struct mr_request *request)
{
	struct ib_uverbs_attr *attr;

	if (!request->has_policy)
		return;
	attr = mr_cmd_u64(cmd, id, request->policy);
	if (request->policy_optional)
		attr->flags = 0;
}

static int reg(const struct mr_hca *hca, struct mr_cmd *cmd, const struct ib_uverbs_attr *handle,
	       const struct mr_request *request, const uint32_t key[2], struct mr *mr)
{
	int ret = mr_cmd_run(hca, cmd);

	if (ret)
		return ret;
	*mr = (struct mr){ .handle = (uint32_t)handle->data,
			   .lkey = key[0],
			   .rkey = key[1],
			   .iova = request->iova,
			   .length = request->length };
	return 0;
}

int mr_reg_dmabuf(const struct mr_hca *hca, const struct mr_request *request, struct mr *mr)
{
	struct ib_uverbs_attr *handle;
	struct mr_cmd cmd;
	uint32_t key[2];

	if (request->addr || request->has_dmah)
		return -EINVAL;
	mr_cmd_init(&cmd, UVERBS_OBJECT_MR, UVERBS_METHOD_REG_DMABUF_MR);
	handle = mr_cmd_object(&cmd, UVERBS_ATTR_REG_DMABUF_MR_HANDLE, 0);
	mr_cmd_object(&cmd, UVERBS_ATTR_REG_DMABUF_MR_PD_HANDLE, hca->pd->handle);
	mr_cmd_u64(&cmd, UVERBS_ATTR_REG_DMABUF_MR_OFFSET, request->offset);
	mr_cmd_u64(&cmd, UVERBS_ATTR_REG_DMABUF_MR_LENGTH, request->length);
	mr_cmd_u64(&cmd, UVERBS_ATTR_REG_DMABUF_MR_IOVA, request->iova);
	mr_cmd_u32(&cmd, UVERBS_ATTR_REG_DMABUF_MR_FD, (uint32_t)request->fd);
	mr_cmd_u32(&cmd, UVERBS_ATTR_REG_DMABUF_MR_ACCESS_FLAGS, request->access);
	mr_cmd_out(&cmd, UVERBS_ATTR_REG_DMABUF_MR_RESP_LKEY, &key[0], sizeof(key[0]));
	mr_cmd_out(&cmd, UVERBS_ATTR_REG_DMABUF_MR_RESP_RKEY, &key[1], sizeof(key[1]));
	add_policy(&cmd, UVERBS_ATTR_REG_DMABUF_MR_TPH_POLICY, request);
	return reg(hca, &cmd, handle, request, key, mr);
}

int mr_reg_ex(const struct mr_hca *hca, const struct mr_request *request, struct mr *mr)
{
	struct ib_uverbs_attr *handle;
	struct mr_cmd cmd;
	uint32_t key[2];

	mr_cmd_init(&cmd, UVERBS_OBJECT_MR, UVERBS_METHOD_REG_MR);
	handle = mr_cmd_object(&cmd, UVERBS_ATTR_REG_MR_HANDLE, 0);
	mr_cmd_object(&cmd, UVERBS_ATTR_REG_MR_PD_HANDLE, hca->pd->handle);
	if (request->has_dmah)
		mr_cmd_object(&cmd, UVERBS_ATTR_REG_MR_DMA_HANDLE, request->dmah);
	mr_cmd_u64(&cmd, UVERBS_ATTR_REG_MR_IOVA, request->iova);
	mr_cmd_u64(&cmd, UVERBS_ATTR_REG_MR_LENGTH, request->length);
	mr_cmd_u32(&cmd, UVERBS_ATTR_REG_MR_ACCESS_FLAGS, request->access);
	if (request->addr) {
		mr_cmd_u64(&cmd, UVERBS_ATTR_REG_MR_ADDR, (uintptr_t)request->addr);
	} else {
		mr_cmd_object(&cmd, UVERBS_ATTR_REG_MR_FD, request->fd);
		mr_cmd_u64(&cmd, UVERBS_ATTR_REG_MR_FD_OFFSET, request->offset);
	}
	mr_cmd_out(&cmd, UVERBS_ATTR_REG_MR_RESP_LKEY, &key[0], sizeof(key[0]));
	mr_cmd_out(&cmd, UVERBS_ATTR_REG_MR_RESP_RKEY, &key[1], sizeof(key[1]));
	add_policy(&cmd, UVERBS_ATTR_REG_MR_TPH_POLICY, request);
	return reg(hca, &cmd, handle, request, key, mr);
}

int mr_reg(const struct mr_hca *hca, enum mr_method method, const struct mr_request *request,
	   struct mr *mr)
{
	return method == MR_REG_MR ? mr_reg_ex(hca, request, mr) : mr_reg_dmabuf(hca, request, mr);
}

int mr_dereg(const struct mr_hca *hca, const struct mr *mr)
{
	struct mr_cmd cmd;

	mr_cmd_init(&cmd, UVERBS_OBJECT_MR, UVERBS_METHOD_MR_DESTROY);
	mr_cmd_object(&cmd, UVERBS_ATTR_DESTROY_MR_HANDLE, mr->handle);
	return mr_cmd_run(hca, &cmd);
}

int mr_rereg(const struct mr_hca *hca, struct mr *mr, int flags, uint32_t pd, void *addr,
	     uint64_t length, unsigned int access)
{
	struct ib_uverbs_rereg_mr_resp response = { 0 };
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_rereg_mr body;
	} cmd = {
		.hdr = { .command = IB_USER_VERBS_CMD_REREG_MR,
			 .in_words = sizeof(cmd) / 4,
			 .out_words = sizeof(response) / 4 },
		.body = { .response = (uintptr_t)&response,
			  .mr_handle = mr->handle,
			  .flags = (uint32_t)flags,
			  .start = (uintptr_t)addr,
			  .length = length,
			  .hca_va = (uintptr_t)addr,
			  .pd_handle = pd,
			  .access_flags = access },
	};

	if (write(hca->context->cmd_fd, &cmd, sizeof(cmd)) != sizeof(cmd))
		return -errno;
	mr->lkey = response.lkey;
	mr->rkey = response.rkey;
	if (flags & IBV_REREG_MR_CHANGE_TRANSLATION) {
		mr->iova = (uintptr_t)addr;
		mr->length = length;
	}
	return 0;
}

static int query(const struct mr_hca *hca, const struct mr *mr, struct mr_info *info, bool tph)
{
	struct ib_uverbs_attr *out = NULL;
	struct mr_cmd cmd;
	int ret;

	memset(info, 0, sizeof(*info));
	mr_cmd_init(&cmd, UVERBS_OBJECT_MR, UVERBS_METHOD_QUERY_MR);
	mr_cmd_object(&cmd, UVERBS_ATTR_QUERY_MR_HANDLE, mr->handle);
	mr_cmd_out(&cmd, UVERBS_ATTR_QUERY_MR_RESP_LKEY, &info->lkey, sizeof(info->lkey));
	mr_cmd_out(&cmd, UVERBS_ATTR_QUERY_MR_RESP_RKEY, &info->rkey, sizeof(info->rkey));
	mr_cmd_out(&cmd, UVERBS_ATTR_QUERY_MR_RESP_LENGTH, &info->length, sizeof(info->length));
	mr_cmd_out(&cmd, UVERBS_ATTR_QUERY_MR_RESP_IOVA, &info->iova, sizeof(info->iova));
	if (tph) {
		out = mr_cmd_out(&cmd, UVERBS_ATTR_QUERY_MR_RESP_TPH, &info->tph,
				 sizeof(info->tph));
		out->flags = 0;
	}
	ret = mr_cmd_run(hca, &cmd);
	info->has_tph = out && (out->flags & UVERBS_ATTR_F_VALID_OUTPUT);
	return ret;
}

int mr_query(const struct mr_hca *hca, const struct mr *mr, struct mr_info *info)
{
	return query(hca, mr, info, true);
}

int mr_query_plain(const struct mr_hca *hca, const struct mr *mr, struct mr_info *info)
{
	return query(hca, mr, info, false);
}

int mr_tph_caps(const struct mr_hca *hca, struct mr_tph_caps *caps)
{
	struct mr_cmd cmd;

	memset(caps, 0, sizeof(*caps));
	mr_cmd_init(&cmd, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_TPH_CAPS);
	mr_cmd_out(&cmd, UVERBS_ATTR_QUERY_TPH_CAPS_RESP_FLAGS, &caps->flags, sizeof(caps->flags));
	mr_cmd_out(&cmd, UVERBS_ATTR_QUERY_TPH_CAPS_RESP_ST_WIDTH, &caps->st_width,
		   sizeof(caps->st_width));
	mr_cmd_out(&cmd, UVERBS_ATTR_QUERY_TPH_CAPS_RESP_MAX_TAGS, &caps->max_tags,
		   sizeof(caps->max_tags));
	mr_cmd_out(&cmd, UVERBS_ATTR_QUERY_TPH_CAPS_RESP_MAX_TAG, &caps->max_tag,
		   sizeof(caps->max_tag));
	return mr_cmd_run(hca, &cmd);
}

int mr_count(const struct mr_hca *hca)
{
	enum { HANDLES = 8192 };
	uint32_t *handles = calloc(HANDLES, sizeof(*handles)), total = 0;
	struct mr_cmd cmd;
	int ret;

	if (!handles)
		return -ENOMEM;
	mr_cmd_init(&cmd, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_INFO_HANDLES);
	mr_cmd_u64(&cmd, UVERBS_ATTR_INFO_OBJECT_ID, UVERBS_OBJECT_MR);
	mr_cmd_out(&cmd, UVERBS_ATTR_INFO_TOTAL_HANDLES, &total, sizeof(total));
	mr_cmd_out(&cmd, UVERBS_ATTR_INFO_HANDLES_LIST, handles, HANDLES * sizeof(*handles));
	ret = mr_cmd_run(hca, &cmd);
	free(handles);
	return ret ? ret : (int)total;
}

int mr_prefetch(const struct mr_hca *hca, const struct mr *mr)
{
	struct ib_uverbs_sge sge = { .addr = mr->iova,
				     .length = (uint32_t)mr->length,
				     .lkey = mr->lkey };
	struct mr_cmd cmd;

	mr_cmd_init(&cmd, UVERBS_OBJECT_MR, UVERBS_METHOD_ADVISE_MR);
	mr_cmd_object(&cmd, UVERBS_ATTR_ADVISE_MR_PD_HANDLE, hca->pd->handle);
	mr_cmd_u64(&cmd, UVERBS_ATTR_ADVISE_MR_ADVICE, IB_UVERBS_ADVISE_MR_ADVICE_PREFETCH_WRITE);
	mr_cmd_u32(&cmd, UVERBS_ATTR_ADVISE_MR_FLAGS, IB_UVERBS_ADVISE_MR_FLAG_FLUSH);
	mr_cmd_in(&cmd, UVERBS_ATTR_ADVISE_MR_SGE_LIST, &sge, sizeof(sge));
	return mr_cmd_run(hca, &cmd);
}

int mr_dmah_alloc(const struct mr_hca *hca, int cpu, int ph, uint32_t *handle)
{
	struct ib_uverbs_attr *attr;
	struct mr_cmd cmd;
	uint8_t byte = (uint8_t)ph;
	int ret;

	mr_cmd_init(&cmd, UVERBS_OBJECT_DMAH, UVERBS_METHOD_DMAH_ALLOC);
	attr = mr_cmd_object(&cmd, UVERBS_ATTR_ALLOC_DMAH_HANDLE, 0);
	if (cpu >= 0) {
		mr_cmd_u32(&cmd, UVERBS_ATTR_ALLOC_DMAH_CPU_ID, (uint32_t)cpu);
		/* An enumerator without data of its own; 0 is volatile memory. */
		mr_cmd_in(&cmd, UVERBS_ATTR_ALLOC_DMAH_TPH_MEM_TYPE, "", 0);
	}
	if (ph >= 0)
		mr_cmd_in(&cmd, UVERBS_ATTR_ALLOC_DMAH_PH, &byte, sizeof(byte));
	ret = mr_cmd_run(hca, &cmd);
	if (!ret)
		*handle = (uint32_t)attr->data;
	return ret;
}

int mr_dmah_free(const struct mr_hca *hca, uint32_t handle)
{
	struct mr_cmd cmd;

	mr_cmd_init(&cmd, UVERBS_OBJECT_DMAH, UVERBS_METHOD_DMAH_FREE);
	mr_cmd_object(&cmd, UVERBS_ATTR_FREE_DMA_HANDLE, handle);
	return mr_cmd_run(hca, &cmd);
}
