// SPDX-License-Identifier: GPL-2.0-only
/* Pools of memory keys and the keys in use, as the kernel counts them: a dump over RDMA netlink. */
#include "account_keys.h"

#include <errno.h>
#include <linux/netlink.h>
#include <rdma/rdma_netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER 65536

struct request {
	struct nlmsghdr header;
	struct nlattr index_attr;
	uint32_t index;
	struct nlattr details_attr;
	uint8_t details, padding[3];
};

struct search {
	const char *device; /* or NULL: add up the pools and the keys in use */
	int64_t result, pools;
};

/* The attributes between @at and @end; @found is called for each, with its payload. */
static void attributes(const uint8_t *at, const uint8_t *end, struct search *search,
		       void (*found)(struct search *search, const struct nlattr *attr,
				     const uint8_t *data, size_t length))
{
	struct nlattr attr;

	while ((size_t)(end - at) >= sizeof(attr)) {
		memcpy(&attr, at, sizeof(attr));
		if (attr.nla_len < sizeof(attr) || attr.nla_len > end - at)
			return;
		found(search, &attr, at + sizeof(attr), attr.nla_len - sizeof(attr));
		if (NLA_ALIGN(attr.nla_len) >= end - at)
			return;
		at += NLA_ALIGN(attr.nla_len);
	}
}

static void add_pool(struct search *search, const struct nlattr *attr, const uint8_t *data,
		     size_t length)
{
	uint64_t in_use;

	switch (attr->nla_type & NLA_TYPE_MASK) {
	case RDMA_NLDEV_ATTR_FRMR_POOL_ENTRY:
		search->pools++;
		__attribute__((fallthrough));
	case RDMA_NLDEV_ATTR_FRMR_POOLS:
		attributes(data, data + length, search, add_pool);
		break;
	case RDMA_NLDEV_ATTR_FRMR_POOL_IN_USE:
		memcpy(&in_use, data, sizeof(in_use));
		search->result += (int64_t)in_use;
		break;
	}
}

struct named {
	struct search search;
	uint32_t index;
	int match;
};

static void name_of(struct search *search, const struct nlattr *attr, const uint8_t *data,
		    size_t length)
{
	struct named *named = (struct named *)search;

	if (attr->nla_type == RDMA_NLDEV_ATTR_DEV_INDEX && length == sizeof(named->index))
		memcpy(&named->index, data, sizeof(named->index));
	if (attr->nla_type == RDMA_NLDEV_ATTR_DEV_NAME && length &&
	    !strncmp((const char *)data, search->device, length))
		named->match = 1;
}

static void device_message(struct search *search, const uint8_t *at, const uint8_t *end)
{
	struct named named = { .search = *search };

	attributes(at, end, &named.search, name_of);
	if (named.match)
		search->result = named.index;
}

static void pools_message(struct search *search, const uint8_t *at, const uint8_t *end)
{
	attributes(at, end, search, add_pool);
}

static int dump(int fd, uint16_t command, uint32_t index, struct search *search,
		void (*message)(struct search *search, const uint8_t *at, const uint8_t *end))
{
	static _Thread_local uint8_t answer[ANSWER] __attribute__((aligned(8)));
	struct request request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, command),
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.index_attr = { sizeof(struct nlattr) + 4, RDMA_NLDEV_ATTR_DEV_INDEX },
		.index = index,
		.details_attr = { sizeof(struct nlattr) + 1, RDMA_NLDEV_ATTR_DRIVER_DETAILS },
		.details = 1,
	};

	if (send(fd, &request, sizeof(request), 0) < 0)
		return -errno;
	for (;;) {
		ssize_t got = recv(fd, answer, sizeof(answer), 0);
		struct nlmsghdr *header = (struct nlmsghdr *)answer;
		size_t left = got < 0 ? 0 : (size_t)got;

		if (got < 0)
			return -errno;
		for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
			if (header->nlmsg_type == NLMSG_DONE)
				return 0;
			if (header->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(header))->error;
			message(search, NLMSG_DATA(header),
				(const uint8_t *)header + header->nlmsg_len);
		}
	}
}

/* Both totals of @device's pools; 0 or -errno. */
static int64_t pools_of(const char *device, struct search *total)
{
	struct search search = { .device = device, .result = -ENODEV };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_RDMA);
	int64_t ret;

	if (fd < 0)
		return -errno;
	ret = dump(fd, RDMA_NLDEV_CMD_GET, 0, &search, device_message);
	if (!ret)
		ret = search.result;
	*total = (struct search){ 0 };
	if (ret >= 0)
		ret = dump(fd, RDMA_NLDEV_CMD_FRMR_POOLS_GET, (uint32_t)ret, total, pools_message);
	close(fd);
	return ret;
}

int64_t account_keys(const char *device)
{
	struct search total;
	int64_t ret = pools_of(device, &total);

	return ret ? ret : total.result;
}

int64_t account_pools(const char *device)
{
	struct search total;
	int64_t ret = pools_of(device, &total);

	return ret ? ret : total.pools;
}
