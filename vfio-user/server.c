/* SPDX-License-Identifier: GPL-2.0-only */
#include "vfio-user/server.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vfio-user/clock.h"
#include "vfio-user/dma.h"
#include "vfio-user/irq.h"
#include "vfio-user/log.h"
#include "vfio-user/message.h"
#include "vfio-user/pending.h"
#include "vfio-user/socket.h"

struct vfio_user_server {
	struct vfio_user_config config; /* its strings are ours */
	struct vfio_user_ops ops;
	void *dev;
	struct vfio_user_log log;
	struct vfio_user_maps maps;
	struct vfio_user_irqs irqs;
	struct vfio_user_pending pending;
	struct vfio_user_socket sock;
	int listener;
	pthread_t thread;
	atomic_uint users; /* calls of other threads under way, but those that hold maps */

	/* the thread's */
	bool negotiated;
	uint32_t max_data;
	struct vfio_user_message request;
	struct vfio_user_message reply;
};

static int dma_map(struct vfio_user_server *server, struct vfio_user_message *request)
{
	struct vfio_user_dma_map map;

	memcpy(&map, request->body, sizeof(map));
	if (map.argsz < sizeof(map))
		return -EINVAL;
	return vfio_user_maps_add(&server->maps, map.iova, map.size, map.flags,
				  request->nfds ? request->fds[0] : -1, map.offset);
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
	/* Nothing of an earlier reply, perhaps to another client, shows through. */
	memset(reply->body + sizeof(access), 0, access.count);
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

static void disconnect(struct vfio_user_server *server, unsigned int connection, int err,
		       const char *why)
{
	if (vfio_user_socket_break(&server->sock, connection))
		vfio_user_log(&server->log, err, "disconnected, as it %s", why);
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
	status = vfio_user_socket_send(&server->sock, server->sock.connection, iov, 2,
				       !status && reply->nfds ? reply->fds[0] : -1,
				       vfio_user_now() +
					       server->config.send_timeout_ms * VFIO_USER_MS);
	if (status == -EAGAIN)
		disconnect(server, server->sock.connection, -ETIMEDOUT, "reads no replies");
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
	if (ret)
		vfio_user_log(&server->log, ret, "%s (command %u) refused",
			      vfio_user_command_name(request->header.command),
			      request->header.command);
	if (ret || request->header.command != VFIO_USER_VERSION)
		return;
	/* Only now, as no message of ours may come before the reply. */
	server->negotiated = true;
	vfio_user_pending_open(&server->pending, server->sock.connection, server->max_data);
	if (server->ops.connected)
		server->ops.connected(server->dev);
}

static void take_reply(struct vfio_user_server *server, const struct vfio_user_message *msg,
		       int fault)
{
	bool recovered;

	if (!vfio_user_pending_reply(&server->pending, &msg->header, msg->body,
				     fault ? 0 : msg->len, &recovered))
		vfio_user_log(&server->log, -EPROTO, "reply to no request");
	if (recovered)
		vfio_user_log(&server->log, 0, "answers again");
}

static void serve(struct vfio_user_server *server)
{
	struct vfio_user_message *msg = &server->request;
	int fault, ret;

	do {
		ret = vfio_user_socket_receive(&server->sock, msg, &fault);
		if (!ret && (msg->header.flags & VFIO_USER_TYPE_MASK) != VFIO_USER_REPLY)
			answer(server, fault);
		else if (!ret)
			take_reply(server, msg, fault);
		for (unsigned int i = 0; i < msg->nfds; i++) {
			if (msg->fds[i] >= 0)
				close(msg->fds[i]);
		}
	} while (!ret);
	if (ret != -EPIPE && ret != -ECONNRESET)
		vfio_user_log(&server->log, ret, "connection lost");
}

static void *run(void *arg)
{
	struct vfio_user_server *server = arg;
	struct ucred client;
	int ret;

	while (!(ret = vfio_user_socket_attach(&server->sock, server->listener, &client)) ||
	       ret == -EACCES) {
		vfio_user_log_client(&server->log, client.pid);
		if (ret) {
			vfio_user_log(&server->log, ret, "user %u may not connect",
				      (unsigned int)client.uid);
			continue;
		}
		serve(server);
		vfio_user_socket_detach(&server->sock);
		vfio_user_pending_close(&server->pending);
		vfio_user_maps_clear(&server->maps);
		vfio_user_irqs_clear(&server->irqs);
		if (server->negotiated && server->ops.disconnected)
			server->ops.disconnected(server->dev);
		server->negotiated = false;
	}
	vfio_user_log_client(&server->log, 0);
	if (ret != -ESHUTDOWN)
		vfio_user_log(&server->log, ret, "no more clients accepted");
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
	       config->msix_vectors <= VFIO_USER_MAX_VECTORS && !ops->stall == !ops->resume;
}

struct vfio_user_server *vfio_user_server_new(const struct vfio_user_config *config,
					      const struct vfio_user_ops *ops, void *dev)
{
	struct vfio_user_server *server;
	int ret = -ENOMEM;

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
	if (!config->dma_timeout_ms)
		server->config.dma_timeout_ms = VFIO_USER_DMA_TIMEOUT_MS;
	if (!config->send_timeout_ms)
		server->config.send_timeout_ms = VFIO_USER_SEND_TIMEOUT_MS;
	if (!server->config.rest_timeout_ms)
		server->config.rest_timeout_ms = VFIO_USER_REST_TIMEOUT_MS;
	server->ops = *ops;
	server->dev = dev;
	server->listener = -1;
	if (!server->config.name || !server->config.socket_path)
		goto err_strings;
	ret = vfio_user_irqs_init(&server->irqs, config->msix_vectors);
	if (ret)
		goto err_strings;
	ret = vfio_user_maps_init(&server->maps);
	if (ret)
		goto err_irqs;
	vfio_user_log_init(&server->log, server->config.name);
	vfio_user_pending_init(&server->pending);
	vfio_user_socket_init(&server->sock);
	server->sock.rest_ms = server->config.rest_timeout_ms;
	return server;

err_irqs:
	vfio_user_irqs_destroy(&server->irqs);
err_strings:
	free((char *)server->config.name);
	free((char *)server->config.socket_path);
	free(server);
	errno = -ret;
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
	/* Signals are for the threads of the program that we are in. Its own faults stay its own.
	 */
	sigfillset(&all);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGILL);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGSYS);
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

void vfio_user_server_stop(struct vfio_user_server *server)
{
	if (server->listener < 0)
		return;
	vfio_user_socket_stop(&server->sock, server->listener);
	pthread_join(server->thread, NULL);
	close(server->listener);
	unlink(server->config.socket_path);
	server->listener = -1;
}

void vfio_user_server_free(struct vfio_user_server *server)
{
	const struct timespec pause = { .tv_nsec = 100000 };

	if (!server)
		return;
	vfio_user_server_stop(server);
	/* All have failed by now; see them out. */
	while (atomic_load(&server->users) || vfio_user_maps_are_held(&server->maps))
		nanosleep(&pause, NULL);
	vfio_user_socket_destroy(&server->sock);
	vfio_user_pending_destroy(&server->pending);
	vfio_user_maps_destroy(&server->maps);
	vfio_user_irqs_destroy(&server->irqs);
	vfio_user_log_destroy(&server->log);
	free((char *)server->config.name);
	free((char *)server->config.socket_path);
	free(server);
}

/* One DMA message and how far it has come. */
struct exchange {
	struct vfio_user_call call;
	const void *out;
	struct vfio_user_header header;
	struct iovec iov[3];
	bool begun, sent;
};

static void compose(struct exchange *x)
{
	x->header.command = x->call.command;
	x->header.id = x->call.id;
	x->iov[0] = (struct iovec){ &x->header, sizeof(x->header) };
	x->iov[1] = (struct iovec){ &x->call.access, sizeof(x->call.access) };
	x->iov[2] = (struct iovec){ (void *)x->out, x->out ? x->call.access.count : 0 };
	x->header.size = x->iov[0].iov_len + x->iov[1].iov_len + x->iov[2].iov_len;
}

/* Go on until @until. Returns the outcome, or -EAGAIN when there is none by then. */
static int advance(struct vfio_user_server *server, struct exchange *x, uint64_t until)
{
	int ret;

	if (!x->begun) {
		ret = vfio_user_pending_begin(&server->pending, &x->call, until);
		if (ret)
			return ret;
		x->begun = true;
		compose(x);
	}
	if (!x->sent) {
		ret = vfio_user_socket_send(&server->sock, x->call.connection, x->iov, 3, -1,
					    until);
		if (ret == -EAGAIN)
			return ret;
		/* One that fails ends the connection, and that ends the call. */
		x->sent = true;
	}
	return vfio_user_pending_await(&server->pending, &x->call, until);
}

/* The client's time is over. */
static int give_up(struct vfio_user_server *server, struct exchange *x)
{
	bool began;
	int ret;

	if (!x->begun)
		return -ETIMEDOUT;
	if (!x->sent)
		return vfio_user_pending_withdraw(&server->pending, &x->call);
	ret = vfio_user_pending_expire(&server->pending, &x->call, &began);
	if (began)
		vfio_user_log(&server->log, ret,
			      "answers no DMA messages: they fail until it does");
	return ret;
}

/* One message; @len becomes the bytes it carried. */
static int dma_message(struct vfio_user_server *server, uint64_t addr, void *in, const void *out,
		       size_t *len)
{
	struct exchange x = {
		.call = { .command = out ? VFIO_USER_DMA_WRITE : VFIO_USER_DMA_READ,
			  .access = { .addr = addr, .count = *len },
			  .in = in },
		.out = out,
	};
	uint64_t start = vfio_user_now();
	int ret = advance(server, &x, start + VFIO_USER_PATIENCE_MS * VFIO_USER_MS);

	if (ret == -EAGAIN) {
		if (server->ops.stall)
			server->ops.stall(server->dev);
		ret = advance(server, &x, start + server->config.dma_timeout_ms * VFIO_USER_MS);
		if (ret == -EAGAIN)
			ret = give_up(server, &x);
		if (server->ops.resume)
			server->ops.resume(server->dev);
	}
	*len = x.call.access.count;
	return ret;
}

/* As far as one map or one message goes: @len becomes its bytes. */
static int dma_step(struct vfio_user_server *server, uint64_t addr, void *in, const void *out,
		    size_t *len)
{
	/* Before the access, as that may be to the maps of the next client already. */
	unsigned int connection = atomic_load(&server->sock.connection);
	int ret = out ? vfio_user_maps_write(&server->maps, addr, out, len)
		      : vfio_user_maps_read(&server->maps, addr, in, len);

	if (ret == -EFAULT)
		disconnect(server, connection, ret, "shrank the memory that it had mapped");
	return ret ? ret : dma_message(server, addr, in, out, len);
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

		ret = dma_step(server, addr, in, out, &step);
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

bool vfio_user_dma_hold(struct vfio_user_server *server, uint64_t addr, size_t len, bool write,
			struct vfio_user_held *held)
{
	/* It counts itself there, and is seen out. */
	return addr + (len - 1) >= addr &&
	       vfio_user_maps_hold(&server->maps, addr, len, write, held);
}

void vfio_user_dma_release(struct vfio_user_server *server, const struct vfio_user_held *held)
{
	vfio_user_maps_release(&server->maps, held);
}

bool vfio_user_interrupt(struct vfio_user_server *server, unsigned int vector)
{
	bool signalled;

	atomic_fetch_add(&server->users, 1);
	signalled = vfio_user_irqs_signal(&server->irqs, vector);
	atomic_fetch_sub(&server->users, 1);
	return signalled;
}
