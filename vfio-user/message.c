/* SPDX-License-Identifier: GPL-2.0-only */
#include "vfio-user/message.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#define SERVER_JSON                                                           \
	"{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":32768," \
	"\"write_multiple\":true}}"
static_assert(VFIO_USER_FDS_MAX == 16 && VFIO_USER_DATA_MAX == 32768, "as SERVER_JSON says");
static_assert(sizeof(struct vfio_user_header) + sizeof(struct vfio_user_version) +
			      sizeof(SERVER_JSON) <=
		      VFIO_USER_VERSION_REPLY_MAX,
	      "QEMU takes no longer reply");

/* Deep enough for the capabilities, which are three levels deep. */
#define JSON_DEPTH 8

#define MULTI_LEN(writes) (sizeof(uint64_t) + (writes) * sizeof(struct vfio_user_multi_write))

struct shape {
	bool known;
	size_t min, max; /* body, bytes */
	unsigned int fds;
};

#define SHAPE(type, nfds)                                            \
	{                                                            \
		true, sizeof(struct type), sizeof(struct type), nfds \
	}
#define SHAPE_WITH_DATA(type, least)                                       \
	{                                                                  \
		true, sizeof(struct type) + (least), VFIO_USER_BODY_MAX, 0 \
	}

static const struct shape shapes[VFIO_USER_COMMANDS] = {
	[VFIO_USER_VERSION] = SHAPE_WITH_DATA(vfio_user_version, 0),
	[VFIO_USER_DMA_MAP] = SHAPE(vfio_user_dma_map, 1),
	[VFIO_USER_DMA_UNMAP] = SHAPE(vfio_user_dma_unmap, 0),
	[VFIO_USER_GET_INFO] = SHAPE(vfio_user_device_info, 0),
	[VFIO_USER_GET_REGION_INFO] = SHAPE(vfio_user_region_info, 0),
	[VFIO_USER_GET_IRQ_INFO] = SHAPE(vfio_user_irq_info, 0),
	[VFIO_USER_SET_IRQS] = SHAPE(vfio_user_irq_set, VFIO_USER_FDS_MAX),
	[VFIO_USER_REGION_READ] = SHAPE(vfio_user_region_access, 0),
	[VFIO_USER_REGION_WRITE] = SHAPE_WITH_DATA(vfio_user_region_access, 1),
	[VFIO_USER_DEVICE_RESET] = { true, 0, 0, 0 },
	[VFIO_USER_REGION_WRITE_MULTI] = { true, MULTI_LEN(1), MULTI_LEN(VFIO_USER_MULTI_MAX), 0 },
};

int vfio_user_check_header(const struct vfio_user_header *header)
{
	uint32_t type = header->flags & VFIO_USER_TYPE_MASK;

	if (header->size < sizeof(*header))
		return -EINVAL;
	if (header->size - sizeof(*header) > VFIO_USER_BODY_MAX)
		return -E2BIG;
	return type == VFIO_USER_REQUEST || type == VFIO_USER_REPLY ? 0 : -EINVAL;
}

int vfio_user_check_request(const struct vfio_user_message *msg)
{
	const struct shape *shape;

	if (msg->header.command >= VFIO_USER_COMMANDS)
		return -EOPNOTSUPP;
	shape = &shapes[msg->header.command];
	if (!shape->known)
		return -EOPNOTSUPP;
	if (msg->len < shape->min || msg->len > shape->max || msg->nfds > shape->fds)
		return -EINVAL;
	return 0;
}

const char *vfio_user_command_name(unsigned int command)
{
	static const char *const name[VFIO_USER_COMMANDS] = {
		[VFIO_USER_VERSION] = "VERSION",
		[VFIO_USER_DMA_MAP] = "DMA_MAP",
		[VFIO_USER_DMA_UNMAP] = "DMA_UNMAP",
		[VFIO_USER_GET_INFO] = "GET_INFO",
		[VFIO_USER_GET_REGION_INFO] = "GET_REGION_INFO",
		[VFIO_USER_GET_IRQ_INFO] = "GET_IRQ_INFO",
		[VFIO_USER_SET_IRQS] = "SET_IRQS",
		[VFIO_USER_REGION_READ] = "REGION_READ",
		[VFIO_USER_REGION_WRITE] = "REGION_WRITE",
		[VFIO_USER_DMA_READ] = "DMA_READ",
		[VFIO_USER_DMA_WRITE] = "DMA_WRITE",
		[VFIO_USER_DEVICE_RESET] = "DEVICE_RESET",
		[VFIO_USER_REGION_WRITE_MULTI] = "REGION_WRITE_MULTI",
	};

	return command < VFIO_USER_COMMANDS && name[command] ? name[command] : "request";
}

static int parse_capabilities(struct json_object *root, uint32_t *max_data)
{
	struct json_object *caps, *max;
	int64_t value = VFIO_USER_DATA_UNSET;

	if (!json_object_is_type(root, json_type_object))
		return -EINVAL;
	if (json_object_object_get_ex(root, "capabilities", &caps)) {
		if (!json_object_is_type(caps, json_type_object))
			return -EINVAL;
		if (json_object_object_get_ex(caps, "max_data_xfer_size", &max)) {
			if (!json_object_is_type(max, json_type_int))
				return -EINVAL;
			value = json_object_get_int64(max);
		}
	}
	if (value < 1)
		return -EINVAL;
	*max_data = value < VFIO_USER_DATA_MAX ? value : VFIO_USER_DATA_MAX;
	return 0;
}

int vfio_user_parse_version(const void *body, size_t len, uint32_t *max_data)
{
	const char *text = (const char *)body + sizeof(struct vfio_user_version);
	struct vfio_user_version version;
	struct json_tokener *tokener;
	struct json_object *root;
	int ret;

	if (len < sizeof(version))
		return -EINVAL;
	memcpy(&version, body, sizeof(version));
	if (version.major != 0)
		return -EINVAL;
	len -= sizeof(version);
	if (!len) {
		*max_data = VFIO_USER_DATA_MAX;
		return 0;
	}
	/* The text ends with the body's last byte, so no parser can run past it. */
	if (strnlen(text, len) != len - 1)
		return -EINVAL;

	tokener = json_tokener_new_ex(JSON_DEPTH);
	if (!tokener)
		return -ENOMEM;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	root = json_tokener_parse_ex(tokener, text, len);
	ret = json_tokener_get_error(tokener) == json_tokener_success
		      ? parse_capabilities(root, max_data)
		      : -EINVAL;
	json_object_put(root);
	json_tokener_free(tokener);
	return ret;
}

void vfio_user_compose_version(struct vfio_user_message *msg)
{
	const struct vfio_user_version version = { .major = 0, .minor = 0 };

	memcpy(msg->body, &version, sizeof(version));
	memcpy(msg->body + sizeof(version), SERVER_JSON, sizeof(SERVER_JSON));
	msg->len = sizeof(version) + sizeof(SERVER_JSON);
}

int vfio_user_check_access(const struct vfio_user_config *config,
			   const struct vfio_user_region_access *access)
{
	uint64_t size;

	if (access->region >= VFIO_USER_REGIONS || !access->count)
		return -EINVAL;
	if (access->count > VFIO_USER_DATA_MAX)
		return -E2BIG;
	size = config->region[access->region].size;
	if (access->offset > size || access->count > size - access->offset)
		return -EINVAL;
	return 0;
}

int vfio_user_check_multi(const struct vfio_user_config *config,
			  const struct vfio_user_message *msg, unsigned int *writes)
{
	struct vfio_user_multi_write write;
	uint64_t count;
	int ret;

	memcpy(&count, msg->body, sizeof(count));
	if (!count || count > VFIO_USER_MULTI_MAX || msg->len != MULTI_LEN(count))
		return -EINVAL;
	for (unsigned int i = 0; i < count; i++) {
		memcpy(&write, msg->body + MULTI_LEN(i), sizeof(write));
		if (write.access.count > VFIO_USER_MULTI_DATA_MAX)
			return -EINVAL;
		ret = vfio_user_check_access(config, &write.access);
		if (ret)
			return ret;
	}
	*writes = count;
	return 0;
}

int vfio_user_compose_region_info(const struct vfio_user_config *config,
				  const struct vfio_user_region_info *asked,
				  struct vfio_user_message *reply)
{
	const struct vfio_user_region *region;
	struct vfio_user_region_info info = { .argsz = sizeof(info) };

	if (asked->argsz < sizeof(info) || asked->index >= VFIO_USER_REGIONS)
		return -EINVAL;
	region = &config->region[asked->index];
	info.index = asked->index;
	info.size = region->size;
	if (region->size)
		info.flags = VFIO_USER_REGION_READABLE | VFIO_USER_REGION_WRITABLE;
	if (region->mmap_size) {
		info.flags |= VFIO_USER_REGION_MAPPABLE;
		/* The area lies at file offset 0, and its region offset is added to this. */
		info.offset = -region->mmap_offset;
	}
	if (region->mmap_size && region->mmap_size != region->size) {
		const struct vfio_user_sparse_mmap sparse = {
			.id = VFIO_USER_CAP_SPARSE_MMAP,
			.version = VFIO_USER_SPARSE_MMAP_VERS,
			.nr_areas = 1,
			.area_offset = region->mmap_offset,
			.area_size = region->mmap_size,
		};

		info.argsz += sizeof(sparse);
		info.flags |= VFIO_USER_REGION_HAS_CAPS;
		/* Never 0, not even when the capability stays out: QEMU fails realize then. */
		info.cap_offset = sizeof(info);
		memcpy(reply->body + sizeof(info), &sparse, sizeof(sparse));
	}
	memcpy(reply->body, &info, sizeof(info));
	reply->len = sizeof(info);
	if (asked->argsz < info.argsz)
		return 0;
	reply->len = info.argsz;
	if (region->mmap_size)
		reply->fds[reply->nfds++] = region->mmap_fd;
	return 0;
}

int vfio_user_compose_irq_info(const struct vfio_user_config *config,
			       const struct vfio_user_irq_info *asked,
			       struct vfio_user_message *reply)
{
	struct vfio_user_irq_info info = { .argsz = sizeof(info), .index = asked->index };

	if (asked->argsz < sizeof(info) || asked->index >= VFIO_USER_IRQS)
		return -EINVAL;
	/* No NORESIZE: with it QEMU tears all vectors down to add one, losing what fires then. */
	info.flags = VFIO_USER_IRQ_EVENTFD;
	if (asked->index == VFIO_USER_IRQ_MSIX)
		info.count = config->msix_vectors;
	memcpy(reply->body, &info, sizeof(info));
	reply->len = sizeof(info);
	return 0;
}
