/* SPDX-License-Identifier: GPL-2.0 */
#include "vfio-user/server.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vfio-user/dma.h"
#include "vfio-user/irq.h"
#include "vfio-user/message.h"
#include "vfio-user/pending.h"
#include "vfio-user/socket.h"

struct vfio_user_server {
	struct vfio_user_config config; /* its strings are ours */
	struct vfio_user_ops ops;
	void *dev;
	struct vfio_user_maps maps;
	struct vfio_user_irqs irqs;
	struct vfio_user_pending pending;
	struct vfio_user_socket sock;
	int listener;
	pthread_t thread;
	atomic_uint users; /* calls of other threads under way */

	/* the thread's */
	bool negotiated;
	uint32_t max_data;
	struct vfio_user_message request;
	struct vfio_user_message reply;
};

static void complain(const struct vfio_user_server *server, const char *what, int err)
{
	fprintf(stderr, "%s: %s: %s\n", server->config.name, what, strerror(-err));
}

static int dma_map(struct vfio_user_server *server, struct vfio_user_message *request)
{
	struct vfio_user_dma_map map;
	int ret;

	memcpy(&map, request->body, sizeof(map));
	if (map.argsz < sizeof(map))
		return -EINVAL;
	ret = vfio_user_maps_add(&server->maps, map.iova, map.size, map.flags,
				 request->nfds ? request->fds[0] : -1, map.offset);
	if (ret)
		complain(server, "memory of the client not mapped", ret);
	return ret;
}

/* Succeeds on any range, held or not: QEMU sweeps whole address spaces. */
static int dma_unmap(struct vfio_user_server *server, const struct vfio_user_message *request)
{
	struct vfio_user_dma_unmap unmap;
	uint64_t last;

	memcpy(&unmap, request->body, sizeof(unmap));
	if (unmap.argsz < sizeof(unmap) || unmap.flags & ~VFIO_USER_UNMAP_ALL)
		return -EINVAL;
	if (unmap.flags & VFIO_USER_UNMAP_ALL) {
		vfio_user_maps_remove(&server->maps, 0, UINT64_MAX);
	} else if (unmap.size) {
		last = unmap.iova + unmap.size - 1;
		vfio_user_maps_remove(&server->maps, unmap.iova,
				      last < unmap.iova ? UINT64_MAX : last);
	}
	return 0;
}

static int get_info(const struct vfio_user_message *request, struct vfio_user_message *reply)
{
	struct vfio_user_device_info info;

	memcpy(&info, request->body, sizeof(info));
	if (info.argsz < sizeof(info))
		return -EINVAL;
	info.argsz = sizeof(info);
	info.flags = VFIO_USER_DEVICE_RESETTABLE | VFIO_USER_DEVICE_PCI;
	info.regions = VFIO_USER_REGIONS;
	info.irqs = VFIO_USER_IRQS;
	memcpy(reply->body, &info, sizeof(info));
	reply->len = sizeof(info);
	return 0;
}

static int get_region_info(const struct vfio_user_server *server,
			   const struct vfio_user_message *request, struct vfio_user_message *reply)
{
	struct vfio_user_region_info asked;

	memcpy(&asked, request->body, sizeof(asked));
	return vfio_user_compose_region_info(&server->config, &asked, reply);
}

static int get_irq_info(const struct vfio_user_server *server,
			const struct vfio_user_message *request, struct vfio_user_message *reply)
{
	struct vfio_user_irq_info asked;

	memcpy(&asked, request->body, sizeof(asked));
	return vfio_user_compose_irq_info(&server->config, &asked, reply);
}

static int set_irqs(struct vfio_user_server *server, struct vfio_user_message *request)
{
	struct vfio_user_irq_set set;

	memcpy(&set, request->body, sizeof(set));
	return vfio_user_irqs_set(&server->irqs, &set, request->fds, request->nfds);
}

static int region_read(struct vfio_user_server *server, const struct vfio_user_message *request,
		       struct vfio_user_message *reply)
{
	struct vfio_user_region_access access;
	int ret;

	memcpy(&access, request->body, sizeof(access));
	ret = vfio_user_check_access(&server->config, &access);
	if (ret)
		return ret;
	memcpy(reply->body, &access, sizeof(access));
	reply->len = sizeof(access) + access.count;
	return server->ops.region_read(server->dev, access.region, access.offset,
				       reply->body + sizeof(access), access.count);
}

static int region_write(struct vfio_user_server *server, const struct vfio_user_message *request,
			struct vfio_user_message *reply)
{
	struct vfio_user_region_access access;
	int ret;

	memcpy(&access, request->body, sizeof(access));
	ret = vfio_user_check_access(&server->config, &access);
	if (ret)
		return ret;
	if (request->len != sizeof(access) + access.count)
		return -EINVAL;
	memcpy(reply->body, &access, sizeof(access));
	reply->len = sizeof(access);
	return server->ops.region_write(server->dev, access.region, access.offset,
					request->body + sizeof(access), access.count);
}

static int region_write_multi(struct vfio_user_server *server,
			      const struct vfio_user_message *request)
{
	struct vfio_user_multi_write write;
	unsigned int writes;
	int ret, first = 0;

	ret = vfio_user_check_multi(&server->config, request, &writes);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < writes; i++) {
		memcpy(&write, request->body + sizeof(uint64_t) + i * sizeof(write), sizeof(write));
		ret = server->ops.region_write(server->dev, write.access.region,
					       write.access.offset, write.data, write.access.count);
		/* Each is a write of its own to the guest: one that fails stops none of the rest.
		 */
		if (!first)
			first = ret;
	}
	return first;
}

/* Returns 0 with @reply's body, or -errno. */
static int execute(struct vfio_user_server *server, struct vfio_user_message *request,
		   struct vfio_user_message *reply)
{
	int ret = vfio_user_check_request(request);

	if (ret)
		return ret;
	/* VERSION first, and only once. */
	if (server->negotiated == (request->header.command == VFIO_USER_VERSION))
		return -EINVAL;
	switch (request->header.command) {
	case VFIO_USER_VERSION:
		ret = vfio_user_parse_version(request->body, request->len, &server->max_data);
		if (!ret)
			vfio_user_compose_version(reply);
		return ret;
	case VFIO_USER_DMA_MAP:
		return dma_map(server, request);
	case VFIO_USER_DMA_UNMAP:
		return dma_unmap(server, request);
	case VFIO_USER_GET_INFO:
		return get_info(request, reply);
	case VFIO_USER_GET_REGION_INFO:
		return get_region_info(server, request, reply);
	case VFIO_USER_GET_IRQ_INFO:
		return get_irq_info(server, request, reply);
	case VFIO_USER_SET_IRQS:
		return set_irqs(server, request);
	case VFIO_USER_REGION_READ:
		return region_read(server, request, reply);
	case VFIO_USER_REGION_WRITE:
		return region_write(server, request, reply);
	case VFIO_USER_REGION_WRITE_MULTI:
		return region_write_multi(server, request);
	case VFIO_USER_DEVICE_RESET:
		if (server->ops.reset)
			server->ops.reset(server->dev);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static void send_reply(struct vfio_user_server *server, int status)
{
	struct vfio_user_message *reply = &server->reply;
	struct iovec iov[] = {
		{ &reply->header, sizeof(reply->header) },
		{ reply->body, status ? 0 : reply->len },
	};

	reply->header = server->request.header;
	reply->header.flags = VFIO_USER_REPLY | (status ? VFIO_USER_ERROR : 0);
	reply->header.error = -status;
	reply->header.size = iov[0].iov_len + iov[1].iov_len;
	vfio_user_socket_send(&server->sock, server->sock.connection, iov, 2,
			      !status && reply->nfds ? reply->fds[0] : -1);
}

static void answer(struct vfio_user_server *server, int fault)
{
	struct vfio_user_message *request = &server->request;
	int ret = fault;

	server->reply.len = 0;
	server->reply.nfds = 0;
	if (!ret)
		ret = execute(server, request, &server->reply);
	if (!(request->header.flags & VFIO_USER_NO_REPLY))
		send_reply(server, ret);
	if (request->header.command != VFIO_USER_VERSION || server->negotiated)
		return;
	if (ret) {
		complain(server, "version of the client refused", ret);
		return;
	}
	/* Only now, as no message of ours may come before the reply. */
	server->negotiated = true;
	vfio_user_pending_open(&server->pending, server->sock.connection, server->max_data);
	if (server->ops.connected)
		server->ops.connected(server->dev);
}

static void serve(struct vfio_user_server *server)
{
	struct vfio_user_message *msg = &server->request;
	int fault, ret;

	do {
		ret = vfio_user_socket_receive(&server->sock, msg, &fault);
		if (!ret && (msg->header.flags & VFIO_USER_TYPE_MASK) != VFIO_USER_REPLY)
			answer(server, fault);
		else if (!ret && !vfio_user_pending_reply(&server->pending, &msg->header, msg->body,
							  fault ? 0 : msg->len))
			complain(server, "reply to no request", -EPROTO);
		for (unsigned int i = 0; i < msg->nfds; i++) {
			if (msg->fds[i] >= 0)
				close(msg->fds[i]);
		}
	} while (!ret);
	if (ret != -EPIPE && ret != -ECONNRESET)
		complain(server, "connection lost", ret);
}

static void *run(void *arg)
{
	struct vfio_user_server *server = arg;
	int ret;

	while (!(ret = vfio_user_socket_attach(&server->sock, server->listener))) {
		serve(server);
		vfio_user_socket_detach(&server->sock);
		vfio_user_pending_close(&server->pending);
		vfio_user_maps_clear(&server->maps);
		vfio_user_irqs_clear(&server->irqs);
		if (server->negotiated && server->ops.disconnected)
			server->ops.disconnected(server->dev);
		server->negotiated = false;
	}
	if (ret != -ESHUTDOWN)
		complain(server, "no more clients accepted", ret);
	return NULL;
}

static bool is_valid(const struct vfio_user_config *config, const struct vfio_user_ops *ops)
{
	uint64_t page = sysconf(_SC_PAGESIZE);

	for (unsigned int i = 0; i < VFIO_USER_REGIONS; i++) {
		const struct vfio_user_region *region = &config->region[i];

		if (!region->mmap_size)
			continue;
		if (region->mmap_fd < 0 || (region->mmap_offset | region->mmap_size) % page ||
		    region->mmap_offset > region->size ||
		    region->mmap_size > region->size - region->mmap_offset)
			return false;
	}
	return config->name && config->socket_path && ops->region_read && ops->region_write &&
	       config->msix_vectors <= VFIO_USER_MAX_VECTORS;
}

struct vfio_user_server *vfio_user_server_new(const struct vfio_user_config *config,
					      const struct vfio_user_ops *ops, void *dev)
{
	struct vfio_user_server *server;

	if (!is_valid(config, ops)) {
		errno = EINVAL;
		return NULL;
	}
	server = calloc(1, sizeof(*server));
	if (!server)
		return NULL;
	server->config = *config;
	server->config.name = strdup(config->name);
	server->config.socket_path = strdup(config->socket_path);
	server->ops = *ops;
	server->dev = dev;
	server->listener = -1;
	if (!server->config.name || !server->config.socket_path)
		goto err_strings;
	if (vfio_user_irqs_init(&server->irqs, config->msix_vectors))
		goto err_strings;
	if (vfio_user_maps_init(&server->maps))
		goto err_irqs;
	vfio_user_pending_init(&server->pending);
	vfio_user_socket_init(&server->sock);
	return server;

err_irqs:
	vfio_user_irqs_destroy(&server->irqs);
err_strings:
	free((char *)server->config.name);
	free((char *)server->config.socket_path);
	free(server);
	errno = ENOMEM;
	return NULL;
}

int vfio_user_server_start(struct vfio_user_server *server)
{
	sigset_t all, before;
	int ret;

	if (server->listener >= 0)
		return -EBUSY;
	server->listener = vfio_user_listen(server->config.socket_path);
	if (server->listener < 0)
		return server->listener;
	/* Signals are for the threads of the program that we are in. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&server->thread, NULL, run, server);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (ret) {
		close(server->listener);
		unlink(server->config.socket_path);
		server->listener = -1;
	}
	return -ret;
}

void vfio_user_server_free(struct vfio_user_server *server)
{
	const struct timespec pause = { .tv_nsec = 100000 };

	if (!server)
		return;
	if (server->listener >= 0) {
		vfio_user_socket_stop(&server->sock, server->listener);
		pthread_join(server->thread, NULL);
		close(server->listener);
		unlink(server->config.socket_path);
	}
	/* All have failed by now; see them out. */
	while (atomic_load(&server->users))
		nanosleep(&pause, NULL);
	vfio_user_socket_destroy(&server->sock);
	vfio_user_pending_destroy(&server->pending);
	vfio_user_maps_destroy(&server->maps);
	vfio_user_irqs_destroy(&server->irqs);
	free((char *)server->config.name);
	free((char *)server->config.socket_path);
	free(server);
}

/* One message; @len becomes the bytes it carried. */
static int dma_message(struct vfio_user_server *server, uint64_t addr, void *in, const void *out,
		       size_t *len)
{
	struct vfio_user_call call = {
		.command = out ? VFIO_USER_DMA_WRITE : VFIO_USER_DMA_READ,
		.access = { .addr = addr, .count = *len },
		.in = in,
	};
	struct vfio_user_header header = { .command = call.command };
	struct iovec iov[3] = {
		{ &header, sizeof(header) },
		{ &call.access, sizeof(call.access) },
	};
	int ret;

	ret = vfio_user_pending_begin(&server->pending, &call);
	if (ret)
		return ret;
	*len = call.access.count;
	iov[2] = (struct iovec){ (void *)out, out ? *len : 0 };
	header.id = call.id;
	header.size = iov[0].iov_len + iov[1].iov_len + iov[2].iov_len;
	/* One that fails ends the connection, and that ends the call. */
	vfio_user_socket_send(&server->sock, call.connection, iov, 3, -1);
	return vfio_user_pending_end(&server->pending, &call);
}

static int dma(struct vfio_user_server *server, uint64_t addr, char *in, const char *out,
	       size_t len)
{
	int ret = 0;

	if (!len)
		return 0;
	if (addr + (len - 1) < addr)
		return -ENODEV;
	atomic_fetch_add(&server->users, 1);
	while (len) {
		size_t step = len;

		ret = out ? vfio_user_maps_write(&server->maps, addr, out, &step)
			  : vfio_user_maps_read(&server->maps, addr, in, &step);
		if (!ret)
			ret = dma_message(server, addr, in, out, &step);
		if (ret < 0)
			break;
		addr += step;
		len -= step;
		if (out)
			out += step;
		else
			in += step;
	}
	atomic_fetch_sub(&server->users, 1);
	return ret < 0 ? ret : 0;
}

int vfio_user_dma_read(struct vfio_user_server *server, uint64_t addr, void *buf, size_t len)
{
	return dma(server, addr, buf, NULL, len);
}

int vfio_user_dma_write(struct vfio_user_server *server, uint64_t addr, const void *buf, size_t len)
{
	return dma(server, addr, NULL, buf, len);
}

bool vfio_user_dma_resolve(struct vfio_user_server *server, uint64_t addr, uint64_t *base,
			   uint64_t *size, bool *direct)
{
	bool found;

	atomic_fetch_add(&server->users, 1);
	found = vfio_user_maps_find(&server->maps, addr, base, size, direct);
	atomic_fetch_sub(&server->users, 1);
	return found;
}

bool vfio_user_interrupt(struct vfio_user_server *server, unsigned int vector)
{
	bool signalled;

	atomic_fetch_add(&server->users, 1);
	signalled = vfio_user_irqs_signal(&server->irqs, vector);
	atomic_fetch_sub(&server->users, 1);
	return signalled;
}
