/* SPDX-License-Identifier: GPL-2.0-only */
#include "vfio-user/tests/client.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static int device_read(void *arg, unsigned int region, uint64_t offset, void *buf, size_t count)
{
	struct device *dev = arg;

	dev->reads++;
	if (region == 0 && offset == BAD_REGISTER)
		return -EPERM;
	if (region == 0)
		memcpy(buf, dev->bar0 + offset, count);
	else
		memset(buf, region, count);
	return 0;
}

static int device_write(void *arg, unsigned int region, uint64_t offset, const void *buf,
			size_t count)
{
	struct device *dev = arg;

	dev->writes++;
	if (region == 0 && offset == BAD_REGISTER)
		return -EPERM;
	if (region == 0)
		memcpy(dev->bar0 + offset, buf, count);
	return 0;
}

static void device_reset(void *arg)
{
	((struct device *)arg)->resets++;
}

static void device_connected(void *arg)
{
	((struct device *)arg)->connects++;
}

static void device_disconnected(void *arg)
{
	struct device *dev = arg;
	uint64_t base, size;
	bool direct;

	dev->map_seen = vfio_user_dma_resolve(dev->server, 0, &base, &size, &direct) ||
			vfio_user_interrupt(dev->server, 0);
	dev->disconnects++;
}

const struct vfio_user_ops device_ops = {
	.region_read = device_read,
	.region_write = device_write,
	.reset = device_reset,
	.connected = device_connected,
	.disconnected = device_disconnected,
};

int new_memfd(size_t size)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	return fd;
}

void fixture_start(struct fixture *f)
{
	fixture_start_with(f, &device_ops, 0, 0);
}

void fixture_start_with(struct fixture *f, const struct vfio_user_ops *ops,
			unsigned int dma_timeout, unsigned int send_timeout)
{
	memset(f, 0, sizeof(*f));
	strcpy(f->dir, "/tmp/vfio-user-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/sock", f->dir);
	f->sock = -1;
	f->bar_fd = new_memfd(BAR2_SIZE);
	f->config = (struct vfio_user_config){
		.name = "test",
		.socket_path = f->path,
		.region = {
			[0] = { .size = BAR0_SIZE, .mmap_offset = BAR0_MAPPED, .mmap_size = 0x1000,
				.mmap_fd = f->bar_fd },
			[2] = { .size = BAR2_SIZE, .mmap_size = BAR2_SIZE, .mmap_fd = f->bar_fd },
			[VFIO_USER_CONFIG_REGION] = { .size = CONFIG_SIZE },
		},
		.msix_vectors = VECTORS,
		.dma_timeout_ms = dma_timeout,
		.send_timeout_ms = send_timeout,
	};
	f->server = vfio_user_server_new(&f->config, ops, &f->dev);
	assert_non_null(f->server);
	f->dev.server = f->server;
	assert_int_equal(vfio_user_server_start(f->server), 0);
}

void fixture_connect(struct fixture *f)
{
	unsigned int connects;

	if (!f->server)
		fixture_start(f);
	connects = f->dev.connects;
	f->sock = client_open(f->path);
	assert_true(f->sock >= 0);
	assert_int_equal(client_version(f, "{\"capabilities\":{\"max_data_xfer_size\":1048576}}"),
			 0);
	expect_soon(&f->dev.connects, connects + 1);
}

void fixture_stop(struct fixture *f)
{
	vfio_user_server_free(f->server);
	if (f->sock >= 0)
		close(f->sock);
	close(f->bar_fd);
	assert_int_equal(access(f->path, F_OK), -1);
	assert_int_equal(rmdir(f->dir), 0);
}

int client_open(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = 20 };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(sock >= 0);
	strcpy(addr.sun_path, path);
	if (connect(sock, (struct sockaddr *)&addr, sizeof(addr))) {
		int err = errno;

		close(sock);
		errno = err;
		return -1;
	}
	assert_int_equal(setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	return sock;
}

void client_send_raw(int sock, const void *buf, size_t len, const int *fds, unsigned int nfds)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(32 * sizeof(int))] = { 0 };
	struct iovec iov = { (void *)buf, len };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c = (struct cmsghdr *)control;

	assert_true(nfds <= 32);
	if (nfds) {
		hdr.msg_control = control;
		hdr.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	assert_int_equal(sendmsg(sock, &hdr, MSG_NOSIGNAL), len);
}

uint16_t client_send(struct fixture *f, unsigned int command, unsigned int flags, const void *body,
		     size_t len, const int *fds, unsigned int nfds)
{
	struct vfio_user_header header = {
		.id = ++f->id,
		.command = command,
		.size = sizeof(header) + len,
		.flags = flags,
	};
	char *buf = malloc(header.size);

	assert_non_null(buf);
	memcpy(buf, &header, sizeof(header));
	if (len)
		memcpy(buf + sizeof(header), body, len);
	client_send_raw(f->sock, buf, header.size, fds, nfds);
	free(buf);
	return header.id;
}

void client_receive(struct fixture *f, struct vfio_user_message *msg)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &msg->header, sizeof(msg->header) };
	struct msghdr hdr = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	ssize_t first = recvmsg(f->sock, &hdr, MSG_WAITALL | MSG_CMSG_CLOEXEC);

	/* The kernel ends a receive where a piece with descriptors ends. */
	assert_in_range(first, 1, 16);
	if (first < 16)
		assert_int_equal(
			recv(f->sock, (char *)&msg->header + first, 16 - first, MSG_WAITALL),
			16 - first);
	msg->nfds = 0;
	c = CMSG_FIRSTHDR(&hdr);
	if (c) {
		memcpy(msg->fds, CMSG_DATA(c), sizeof(int));
		msg->nfds = 1;
	}
	assert_in_range(msg->header.size, 16, 16 + VFIO_USER_BODY_MAX);
	msg->len = msg->header.size - 16;
	if (msg->len)
		assert_int_equal(recv(f->sock, msg->body, msg->len, MSG_WAITALL), msg->len);
}

int client_ask(struct fixture *f, unsigned int command, const void *body, size_t len,
	       const int *fds, unsigned int nfds, struct vfio_user_message *reply)
{
	struct vfio_user_message *msg = reply ? reply : malloc(sizeof(*msg));
	uint16_t id = client_send(f, command, 0, body, len, fds, nfds);
	int ret;

	assert_non_null(msg);
	client_receive(f, msg);
	assert_int_equal(msg->header.id, id);
	assert_int_equal(msg->header.command, command);
	if (msg->header.flags != VFIO_USER_REPLY) {
		assert_int_equal(msg->header.flags, VFIO_USER_REPLY | VFIO_USER_ERROR);
		assert_int_equal(msg->len, 0);
		assert_int_equal(msg->nfds, 0);
		assert_int_not_equal(msg->header.error, 0);
	} else {
		assert_int_equal(msg->header.error, 0);
	}
	ret = msg->header.error;
	if (!reply)
		free(msg);
	return ret;
}

int client_version(struct fixture *f, const char *json)
{
	uint8_t body[512] = { 0 };
	size_t len = strlen(json) + 1;

	assert_true(len <= sizeof(body) - 4);
	memcpy(body + 4, json, len);
	return client_ask(f, VFIO_USER_VERSION, body, 4 + len, NULL, 0, NULL);
}

void client_expect_end(struct fixture *f)
{
	char byte;

	assert_int_equal(recv(f->sock, &byte, 1, 0), 0);
	close(f->sock);
	f->sock = -1;
}

int client_map(struct fixture *f, uint64_t addr, uint64_t size, uint32_t flags, int fd,
	       uint64_t offset)
{
	const struct vfio_user_dma_map map = { sizeof(map), flags, offset, addr, size };

	return client_ask(f, VFIO_USER_DMA_MAP, &map, sizeof(map), &fd, fd >= 0, NULL);
}

int client_unmap(struct fixture *f, uint64_t addr, uint64_t size)
{
	const struct vfio_user_dma_unmap unmap = { sizeof(unmap), 0, addr, size };

	return client_ask(f, VFIO_USER_DMA_UNMAP, &unmap, sizeof(unmap), NULL, 0, NULL);
}

int client_set_irqs(struct fixture *f, uint32_t flags, uint32_t start, uint32_t count,
		    const int *fds, unsigned int nfds)
{
	const struct vfio_user_irq_set set = { sizeof(set), flags, VFIO_USER_IRQ_MSIX, start,
					       count };

	return client_ask(f, VFIO_USER_SET_IRQS, &set, sizeof(set), fds, nfds, NULL);
}

void expect_soon(const atomic_uint *value, unsigned int wanted)
{
	for (int i = 0; i < 20000 && *value != wanted; i++)
		usleep(1000);
	assert_int_equal(*value, wanted);
}

unsigned int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static int real_stderr = -1, captured = -1;

void capture_stderr(void)
{
	real_stderr = dup(STDERR_FILENO);
	captured = memfd_create("stderr", MFD_CLOEXEC);
	assert_true(real_stderr >= 0 && captured >= 0);
	assert_int_equal(dup2(captured, STDERR_FILENO), STDERR_FILENO);
}

char *captured_stderr(void)
{
	off_t len = lseek(captured, 0, SEEK_END);
	char *text = calloc(1, len + 1);

	assert_int_equal(dup2(real_stderr, STDERR_FILENO), STDERR_FILENO);
	assert_non_null(text);
	assert_int_equal(pread(captured, text, len, 0), len);
	close(real_stderr);
	close(captured);
	return text;
}

bool counted(int event)
{
	struct pollfd p = { .fd = event, .events = POLLIN };
	eventfd_t value;

	if (poll(&p, 1, 0) != 1)
		return false;
	assert_int_equal(eventfd_read(event, &value), 0);
	return true;
}
