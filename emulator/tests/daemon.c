/* SPDX-License-Identifier: GPL-2.0-only */
#include "emulator/tests/daemon.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define ARGUMENTS 32
#define QUEUE	  0x1000u /* of commands, in the client's memory */

/* --- the program ----------------------------------------------------------------------------- */

const char *daemon_path(const struct daemon *daemon, const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", daemon->dir, name);
	return path;
}

static void execute(const struct daemon *daemon, char **argv, const struct daemon_limit *limit)
{
	const struct rlimit rlimit = { .rlim_cur = limit ? limit->value : 0,
				       .rlim_max = limit ? limit->value : 0 };
	int fd;

	/* A test that fails, or is ended, leaves nobody behind. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open(daemon->error, O_WRONLY | O_CREAT | O_APPEND, 0600);

	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
	/* Its search for leaks is ptrace, which the sandbox refuses. */
	setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	if (!limit || !setrlimit((__rlimit_resource_t)limit->resource, &rlimit))
		execv(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

static bool is_there(pid_t pid)
{
	return !waitpid(pid, NULL, WNOHANG);
}

void daemon_start(struct daemon *daemon, const char *const *options,
		  const struct daemon_limit *limit)
{
	char text[4][160], *argv[ARGUMENTS] = { (char *)TPH_EMULATOR };
	static const char *const device[] = { "--hca", "--hca", "--gpu", "--control" };
	int argc = 1, fd;

	strcpy(daemon->dir, "/tmp/tph-daemon-XXXXXX");
	assert_non_null(mkdtemp(daemon->dir));
	snprintf(daemon->error, sizeof(daemon->error), "%s/error", daemon->dir);
	for (unsigned int i = 0; i < 2; i++)
		snprintf(text[i], sizeof(text[i]), "name=hca%u,id=00:%02x.0,lid=%u,socket=%s/hca%u",
			 i, i + 4, i + 1, daemon->dir, i);
	snprintf(text[2], sizeof(text[2]), "name=gpu0,id=00:10.0,size=1M,socket=%s/gpu0",
		 daemon->dir);
	snprintf(text[3], sizeof(text[3]), "%s/control", daemon->dir);
	for (unsigned int i = 0; i < 4; i++) {
		argv[argc++] = (char *)device[i];
		argv[argc++] = text[i];
	}
	for (; options && *options && argc < ARGUMENTS - 1; options++)
		argv[argc++] = (char *)*options;
	daemon->pid = fork();
	assert_true(daemon->pid >= 0);
	if (!daemon->pid)
		execute(daemon, argv, limit);
	while ((fd = daemon_connect(daemon, "control")) < 0 && is_there(daemon->pid))
		usleep(10000);
	if (fd < 0)
		daemon_said(daemon, "");
	assert_true(fd >= 0);
	close(fd);
}

int daemon_stop(struct daemon *daemon)
{
	struct pollfd polled = { .fd = (int)syscall(SYS_pidfd_open, daemon->pid, 0),
				 .events = POLLIN };
	int status, ended;

	assert_true(polled.fd >= 0);
	kill(daemon->pid, SIGTERM);
	ended = poll(&polled, 1, GUARD_MS);
	close(polled.fd);
	assert_int_equal(ended, 1);
	assert_int_equal(waitpid(daemon->pid, &status, 0), daemon->pid);
	daemon->pid = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		daemon_said(daemon, "");
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

void daemon_remove(struct daemon *daemon)
{
	static const char *const files[] = { "hca0", "hca1", "gpu0", "control", "error", "trace" };

	if (daemon->pid > 0) {
		kill(daemon->pid, SIGKILL);
		waitpid(daemon->pid, NULL, 0);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		unlink(daemon_path(daemon, files[i]));
	rmdir(daemon->dir);
}

bool daemon_said(const struct daemon *daemon, const char *text)
{
	char said[65536];
	int fd = open(daemon->error, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, said, sizeof(said) - 1);

	if (fd >= 0)
		close(fd);
	said[got < 0 ? 0 : got] = '\0';
	if (!strstr(said, text) || !*text)
		print_error("the emulator said:\n%s", said);
	return strstr(said, text);
}

int daemon_connect(const struct daemon *daemon, const char *name)
{
	const struct timeval guard = { .tv_sec = GUARD_MS / 1000 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	strcpy(address.sun_path, daemon_path(daemon, name));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &guard, sizeof(guard));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &guard, sizeof(guard));
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

void daemon_control(const struct daemon *daemon, const char *request, char *answer, size_t size)
{
	int fd = daemon_connect(daemon, "control");
	size_t done = 0;
	ssize_t got = 1;

	assert_true(fd >= 0);
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	while (got > 0 && done < size - 1 && (!done || answer[done - 1] != '\n')) {
		got = recv(fd, answer + done, size - 1 - done, 0);
		done += got > 0 ? (size_t)got : 0;
	}
	answer[done] = '\0';
	close(fd);
}

/* --- a client -------------------------------------------------------------------------------- */

void client_open(struct client *client, const struct daemon *daemon, const char *name)
{
	static const char json[] = "\0\0\0\0{\"capabilities\":{\"max_data_xfer_size\":1048576}}";

	*client = (struct client){ .memory_fd = -1 };
	client->fd = daemon_connect(daemon, name);
	assert_true(client->fd >= 0);
	assert_int_equal(
		client_ask(client, VFIO_USER_VERSION, json, sizeof(json), -1, NULL, 0, NULL), 0);
}

void client_close(struct client *client)
{
	if (client->memory)
		munmap(client->memory, CLIENT_MEMORY);
	if (client->memory_fd >= 0)
		close(client->memory_fd);
	close(client->fd);
}

void client_send(struct client *client, uint16_t command, const void *body, size_t size, int fd,
		 uint32_t flags)
{
	struct vfio_user_header header = { .id = ++client->id,
					   .command = command,
					   .size = (uint32_t)(sizeof(header) + size),
					   .flags = flags };
	struct iovec iov[] = { { &header, sizeof(header) }, { (void *)body, size } };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(fd))] = { 0 };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	if (fd >= 0) {
		struct cmsghdr *c = (struct cmsghdr *)control;

		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(client->fd, &msg, MSG_NOSIGNAL), header.size);
}

static bool receive_all(int fd, void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t got = recv(fd, (char *)data + done, size - done, 0);

		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

bool client_receive(struct client *client, struct vfio_user_header *header, void *body, size_t size,
		    int *fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(*fd))] = { 0 };
	struct iovec iov = { header, sizeof(*header) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	uint8_t whole[VFIO_USER_BODY_MAX];
	struct cmsghdr *c;

	if (recvmsg(client->fd, &msg, MSG_WAITALL | MSG_CMSG_CLOEXEC) != sizeof(*header))
		return false;
	c = CMSG_FIRSTHDR(&msg);
	if (fd)
		*fd = -1;
	if (fd && c)
		memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	assert_true(header->size <= sizeof(*header) + sizeof(whole));
	if (!receive_all(client->fd, whole, header->size - sizeof(*header)))
		return false;
	if (size > header->size - sizeof(*header))
		size = header->size - sizeof(*header);
	if (size)
		memcpy(body, whole, size);
	return true;
}

int client_ask(struct client *client, uint16_t command, const void *body, size_t size, int fd,
	       void *reply, size_t reply_size, int *reply_fd)
{
	struct vfio_user_header header = { 0 };

	client_send(client, command, body, size, fd, VFIO_USER_REQUEST);
	while (client_receive(client, &header, reply, reply_size, reply_fd) &&
	       (header.flags & VFIO_USER_TYPE_MASK) == VFIO_USER_REQUEST)
		client->requests++;
	assert_int_equal(header.flags & VFIO_USER_TYPE_MASK, VFIO_USER_REPLY);
	assert_int_equal(header.id, client->id);
	return header.flags & VFIO_USER_ERROR ? (int)header.error : 0;
}

int client_read(struct client *client, unsigned int region, uint64_t offset, void *data,
		uint32_t size)
{
	const struct vfio_user_region_access access = { offset, region, size };
	uint8_t reply[sizeof(access) + 64];
	int ret = client_ask(client, VFIO_USER_REGION_READ, &access, sizeof(access), -1, reply,
			     sizeof(access) + size, NULL);

	memcpy(data, reply + sizeof(access), size);
	return ret;
}

int client_write(struct client *client, unsigned int region, uint64_t offset, const void *data,
		 uint32_t size)
{
	struct {
		struct vfio_user_region_access access;
		uint8_t data[64];
	} request = { { offset, region, size }, { 0 } };

	memcpy(request.data, data, size);
	return client_ask(client, VFIO_USER_REGION_WRITE, &request, sizeof(request.access) + size,
			  -1, NULL, 0, NULL);
}

int client_irq(struct client *client, uint32_t flags, int fd)
{
	const struct vfio_user_irq_set set = { .argsz = sizeof(set),
					       .flags = flags | VFIO_USER_SET_TRIGGER,
					       .index = VFIO_USER_IRQ_MSIX,
					       .count = 1 };

	return client_ask(client, VFIO_USER_SET_IRQS, &set, sizeof(set), fd, NULL, 0, NULL);
}

int client_map(struct client *client, uint64_t address, uint64_t size, int fd)
{
	const struct vfio_user_dma_map map = { .argsz = sizeof(map),
					       .flags = VFIO_USER_MAP_READ | VFIO_USER_MAP_WRITE,
					       .iova = address,
					       .size = size };

	return client_ask(client, VFIO_USER_DMA_MAP, &map, sizeof(map), fd, NULL, 0, NULL);
}

void client_memory(struct client *client)
{
	client->memory_fd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(client->memory_fd, CLIENT_MEMORY), 0);
	client->memory =
		mmap(NULL, CLIENT_MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, client->memory_fd, 0);
	assert_ptr_not_equal(client->memory, MAP_FAILED);
	assert_int_equal(client_map(client, 0, CLIENT_MEMORY, client->memory_fd), 0);
}

/* Registers of the initialization segment are big-endian. */
static void write_register(struct client *client, uint64_t offset, uint32_t value)
{
	value = htobe32(value);
	assert_int_equal(client_write(client, 0, offset, &value, sizeof(value)), 0);
}

void client_queue(struct client *client, uint64_t address)
{
	const uint16_t memory_and_master = htole16(6);

	assert_int_equal(client_write(client, VFIO_USER_CONFIG_REGION, 4, &memory_and_master,
				      sizeof(memory_and_master)),
			 0);
	write_register(client, 0x10, (uint32_t)(address >> 32));
	write_register(client, 0x14, (uint32_t)address);
}

void client_doorbell(struct client *client)
{
	write_register(client, 0x18, 1);
}

int client_command(struct client *client, const void *command, size_t size)
{
	uint8_t *entry = client->memory + QUEUE;
	const uint32_t length = htobe32(16);

	memset(entry, 0, 64);
	entry[0] = 7; /* PCI command transport */
	memcpy(entry + 0x04, &length, sizeof(length));
	memcpy(entry + 0x10, command, size);
	memcpy(entry + 0x38, &length, sizeof(length));
	entry[0x3c] = 0x5a;				     /* token */
	__atomic_store_n(entry + 0x3f, 1, __ATOMIC_RELEASE); /* the HCA's */
	client_doorbell(client);
	for (int waited = 0; __atomic_load_n(entry + 0x3f, __ATOMIC_ACQUIRE) & 1; waited++) {
		if (waited == GUARD_MS)
			return -1;
		usleep(1000);
	}
	return entry[0x20];
}

void check_served(const struct daemon *daemon, const char *name)
{
	static const uint8_t enable_hca[] = { 0x01, 0x04 };
	struct client client;

	client_open(&client, daemon, name);
	client_memory(&client);
	client_queue(&client, QUEUE);
	assert_int_equal(client_command(&client, enable_hca, sizeof(enable_hca)), 0);
	client_close(&client);
}
