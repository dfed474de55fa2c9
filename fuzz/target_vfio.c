/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vfio-user client that may say anything: requests of every kind with lengths, flags and
 * descriptors that fit or do not, connections that end at any byte, files that shrink, replies to
 * DMA messages that are late, wrong or missing, while another thread transfers, copies and
 * interrupts; and the server stops and starts again.
 *
 * Each whole request is answered, or the connection ends; after each input a new client is served;
 * and only bytes of files that were mapped for writing are written.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "fuzz/target.h"
#include "vfio-user/copy.h"
#include "vfio-user/dma.h"
#include "vfio-user/protocol.h"
#include "vfio-user/server.h"

#define OPS	    40u
#define FILES	    3u
#define FILE_SIZE   16384u
#define FDS	    11u
#define BAR0_SIZE   0x10000u
#define BAR2_SIZE   0x2000u
#define VECTORS	    8u
#define PATIENCE_MS 10000 /* less than the time that libFuzzer gives an input */
#define BODY	    33000u
#define TIMEOUT_MS  4 /* of DMA messages: some are overdue */

struct transfer {
	pthread_t thread;
	bool running;
	atomic_bool done;
	uint64_t addr, to;
	uint32_t len;
	bool write, copies; /* copies: from @addr to @to, both held */
};

struct state {
	int sock;
	uint16_t id;
	int file[FILES], fd[FDS]; /* descriptors to hand over */
	uint8_t *memory[FILES];
	bool shrunk[FILES];
	struct {
		uint64_t from, len;
	} writable[FILES][OPS];
	unsigned int writables[FILES];
	struct transfer transfer;
	uint8_t answers; /* how DMA messages are answered */
	bool ended;
};

static struct vfio_user_server *server;
static char path[64];
static uint8_t bar0[BAR0_SIZE];

/* --- the device --------------------------------------------------------------------------------
 */

static int region_read(void *dev, unsigned int region, uint64_t offset, void *buf, size_t count)
{
	(void)dev;
	if (!region)
		memcpy(buf, bar0 + offset, count);
	else
		memset(buf, (int)region, count);
	return region == 3 ? -EPERM : 0;
}

static int region_write(void *dev, unsigned int region, uint64_t offset, const void *buf,
			size_t count)
{
	(void)dev;
	if (!region)
		memcpy(bar0 + offset, buf, count);
	return region == 3 ? -EPERM : 0;
}

static void nothing(void *dev)
{
	(void)dev;
}

static const struct vfio_user_ops ops = {
	.region_read = region_read,
	.region_write = region_write,
	.reset = nothing,
	.connected = nothing,
	.disconnected = nothing,
	.stall = nothing,
	.resume = nothing,
};

static void broken_pipe(int sig)
{
	(void)sig;
	finding("SIGPIPE");
}

static void stop(void)
{
	vfio_user_server_free(server);
}

static struct vfio_user_config config = {
	.name = "fuzz", .socket_path = path, .msix_vectors = VECTORS, .dma_timeout_ms = TIMEOUT_MS
};

/* Returns what the start does. */
static int new_server(void)
{
	server = vfio_user_server_new(&config, &ops, NULL);
	if (!server)
		abort();
	return vfio_user_server_start(server);
}

static void set_up(void)
{
	int bar = memfd_create("bar", MFD_CLOEXEC);

	snprintf(path, sizeof(path), "/tmp/fuzz-vfio.%d", getpid());
	unlink(path);
	signal(SIGPIPE, broken_pipe);
	if (bar < 0 || ftruncate(bar, BAR2_SIZE))
		abort();
	config.region[0] = (struct vfio_user_region){ BAR0_SIZE, 0x1000, 0x1000, bar };
	config.region[2] = (struct vfio_user_region){ BAR2_SIZE, 0, BAR2_SIZE, bar };
	config.region[3] = (struct vfio_user_region){ .size = 4096 };
	config.region[VFIO_USER_CONFIG_REGION].size = 4096;
	if (new_server() || atexit(stop))
		abort();
}

/* --- the client --------------------------------------------------------------------------------
 */

static int open_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		abort();
	return fd;
}

static void send_bytes(struct state *s, const void *buf, size_t len, const int *fds,
		       unsigned int nfds)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(24 * sizeof(int))] = { 0 };
	struct iovec iov = { (void *)buf, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nfds) {
		struct cmsghdr *c = (struct cmsghdr *)control;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	/* A server that does not read would be the finding that nobody answers. */
	if (!s->ended && sendmsg(s->sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len)
		s->ended = true;
}

static bool receive_bytes(struct state *s, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		struct pollfd polled = { .fd = s->sock, .events = POLLIN };
		ssize_t n;

		if (poll(&polled, 1, PATIENCE_MS) <= 0)
			finding("a message of the server does not end");
		n = recv(s->sock, (uint8_t *)buf + done, len - done, 0);
		if (n <= 0) {
			s->ended = true;
			return false;
		}
		done += (size_t)n;
	}
	return true;
}

/* The server asks for memory: an answer as it should be, or not, or none. */
static void answer_dma(struct state *s, const struct vfio_user_header *header, const uint8_t *body)
{
	static uint8_t buf[BODY + 64];
	struct vfio_user_header reply = *header;
	size_t len = sizeof(struct vfio_user_dma_access);
	uint8_t how = s->answers;

	s->answers = (uint8_t)(how >> 3 | how << 5);
	if ((how & 7) == 7)
		return;
	memcpy(buf + sizeof(reply), body, len);
	if (header->command == VFIO_USER_DMA_READ) {
		struct vfio_user_dma_access access;

		memcpy(&access, body, sizeof(access));
		if (access.count > VFIO_USER_DATA_MAX)
			finding("a DMA_READ of %lu bytes", access.count);
		len += access.count;
	}
	reply.flags = VFIO_USER_REPLY;
	switch (how & 7) {
	case 3: /* short */
		len -= len > 16;
		break;
	case 4:
		reply.flags |= VFIO_USER_ERROR;
		reply.error = 14;
		break;
	case 5: /* of another */
		reply.id ^= 32;
		break;
	case 6:
		buf[sizeof(reply)] ^= 1;
		break;
	default:
		break;
	}
	reply.size = (uint32_t)(sizeof(reply) + len);
	memcpy(buf, &reply, sizeof(reply));
	send_bytes(s, buf, reply.size, NULL, 0);
}

/* One message. Returns the id that it answers, or -1. */
static int receive(struct state *s)
{
	static uint8_t body[BODY];
	struct vfio_user_header header;

	if (!receive_bytes(s, &header, sizeof(header)))
		return -1;
	if (header.size < sizeof(header) || header.size > sizeof(header) + sizeof(body))
		finding("a message of %u bytes", header.size);
	if (!receive_bytes(s, body, header.size - sizeof(header)))
		return -1;
	if ((header.flags & VFIO_USER_TYPE_MASK) == VFIO_USER_REPLY)
		return header.id;
	if (header.command != VFIO_USER_DMA_READ && header.command != VFIO_USER_DMA_WRITE)
		finding("the server asks for command %u", header.command);
	answer_dma(s, &header, body);
	return -1;
}

static void await(struct state *s, uint16_t id)
{
	for (unsigned int ms = 0; !s->ended;) {
		struct pollfd polled = { .fd = s->sock, .events = POLLIN };
		int got = poll(&polled, 1, 50);

		if (got > 0 && receive(s) == id)
			return;
		ms += got ? 1 : 50;
		if (ms > PATIENCE_MS)
			finding("a request is not answered");
	}
}

/* What has come, without waiting. */
static void drain(struct state *s)
{
	struct pollfd polled = { .fd = s->sock, .events = POLLIN };

	while (!s->ended && poll(&polled, 1, 0) > 0)
		receive(s);
}

static const char version[] = "\0\0\0\0{\"capabilities\":{\"max_data_xfer_size\":1048576}}";

static void greet(struct state *s)
{
	struct vfio_user_header header = { ++s->id, VFIO_USER_VERSION,
					   sizeof(header) + sizeof(version), 0, 0 };

	send_bytes(s, &header, sizeof(header), NULL, 0);
	send_bytes(s, version, sizeof(version), NULL, 0);
	await(s, s->id);
}

/* --- requests ----------------------------------------------------------------------------------
 */

static uint64_t any_address(struct input *in)
{
	uint8_t which = input_u8(in);
	uint64_t addr = (uint64_t)(which & 15) * 4096 + (which >> 4 & 3);

	return which >= 0xf0 ? input_number(in) : addr - (which >> 6 & 1);
}

static void add_map(struct state *s, struct input *in, uint8_t *body, const uint8_t *which,
		    unsigned int nfds)
{
	struct vfio_user_dma_map map = { sizeof(map), VFIO_USER_MAP_READ | VFIO_USER_MAP_WRITE, 0,
					 any_address(in), 0 };
	uint8_t flags = input_u8(in);

	map.size = flags & 1 ? input_number(in) : 4096ull * (1u + (flags >> 6));
	map.offset = flags & 2 ? input_number(in) : 4096 * (flags >> 4 & 3);
	if (flags & 4)
		map.flags = flags >> 3 & 3;
	memcpy(body, &map, sizeof(map));
	for (unsigned int i = 0; i < nfds && map.flags & VFIO_USER_MAP_WRITE; i++) {
		unsigned int f = which[i];

		if (f < FILES && s->writables[f] < OPS) {
			s->writable[f][s->writables[f]].from = map.offset;
			s->writable[f][s->writables[f]++].len = map.size;
		}
	}
}

static uint32_t access_body(struct input *in, uint8_t *body, bool write)
{
	static const uint32_t regions[] = { 0, 0, 2, 3, 7, 7, 1, 9 };
	uint8_t flags = input_u8(in);
	struct vfio_user_region_access access = { .region = regions[flags & 7] };

	access.offset = flags & 8 ? input_number(in) : input_u16(in) & 0xff8;
	access.count = flags & 0x10 ? (uint32_t)input_number(in) : 1u << (flags >> 5 & 3);
	memcpy(body, &access, sizeof(access));
	if (!write || access.count > VFIO_USER_DATA_MAX)
		return sizeof(access);
	input_bytes(in, body + sizeof(access), access.count < 16 ? access.count : 16);
	return (uint32_t)(sizeof(access) + access.count);
}

static uint32_t fill(struct state *s, struct input *in, uint16_t command, uint8_t *body,
		     const uint8_t *which, unsigned int nfds)
{
	uint32_t words[6] = { 0 };
	uint8_t flags;

	switch (command) {
	case VFIO_USER_VERSION:
		memcpy(body, version, sizeof(version));
		if (input_u8(in) & 1) {
			uint8_t byte = input_u8(in);

			body[input_u8(in) % sizeof(version)] = byte;
		}
		return sizeof(version);
	case VFIO_USER_DMA_MAP:
		add_map(s, in, body, which, nfds);
		return sizeof(struct vfio_user_dma_map);
	case VFIO_USER_DMA_UNMAP: {
		struct vfio_user_dma_unmap unmap = { sizeof(unmap), 0, any_address(in), 4096 };

		flags = input_u8(in);
		if (flags & 1)
			unmap.size = input_number(in);
		unmap.flags = flags & 6;
		memcpy(body, &unmap, sizeof(unmap));
		return sizeof(unmap);
	}
	case VFIO_USER_GET_INFO:
	case VFIO_USER_GET_REGION_INFO:
	case VFIO_USER_GET_IRQ_INFO:
		flags = input_u8(in);
		words[0] = flags & 1 ? (uint32_t)input_number(in) : 96;
		words[2] = flags >> 4;
		memcpy(body, words, 16);
		return command == VFIO_USER_GET_REGION_INFO ? 32 : 16;
	case VFIO_USER_SET_IRQS:
		flags = input_u8(in);
		words[0] = 20;
		words[1] = flags & 1 ? VFIO_USER_SET_TRIGGER | VFIO_USER_SET_DATA_NONE
				     : VFIO_USER_SET_TRIGGER | VFIO_USER_SET_DATA_EVENT;
		if (flags & 2)
			words[1] = (uint32_t)input_number(in);
		words[2] = flags & 4 ? input_u8(in) : VFIO_USER_IRQ_MSIX;
		words[3] = flags >> 5;
		words[4] = flags & 8 ? (uint32_t)input_number(in) : nfds ? nfds : 1;
		memcpy(body, words, 20);
		return 20;
	case VFIO_USER_REGION_READ:
		return access_body(in, body, false);
	case VFIO_USER_REGION_WRITE:
		return access_body(in, body, true);
	case VFIO_USER_REGION_WRITE_MULTI: {
		uint64_t count = input_u8(in) % 6,
			 said = input_u8(in) & 0x80 ? input_number(in) : count;

		memcpy(body, &said, 8);
		for (uint64_t i = 0; i < count; i++)
			access_body(in, body + 8 + 24 * i, false);
		return (uint32_t)(8 + 24 * count);
	}
	default:
		return input_u8(in);
	}
}

static void request(struct state *s, struct input *in)
{
	static const uint8_t commands[] = { 2, 2, 2, 3, 4, 5, 7, 8, 8, 9, 10, 13, 15, 1, 11, 16 };
	static uint8_t raw[sizeof(struct vfio_user_header) + BODY];
	struct vfio_user_header header = { .id = ++s->id };
	uint8_t what = input_u8(in), flags = input_u8(in), which[24];
	uint8_t *body = raw + sizeof(header);
	unsigned int nfds = flags & 3;
	int fds[24];
	uint32_t len;

	memset(raw, 0, 512);
	header.command = commands[what & 15];
	if ((flags & 0x1c) == 0x1c) /* more than there may be */
		nfds = input_u8(in) % 24;
	/* Mostly one that fits: memory to map, an event for an interrupt. */
	for (unsigned int i = 0; i < nfds; i++) {
		which[i] = (uint8_t)input_below(in, FDS);
		if (i == 0 && flags & 0x20)
			which[i] = header.command == VFIO_USER_SET_IRQS ? FILES : which[i] % FILES;
		fds[i] = s->fd[which[i]];
	}
	len = fill(s, in, header.command, body, which, nfds);
	if (what & 0x20) { /* longer or shorter than it should be */
		len = (uint32_t)(len + input_u8(in) - 128);
		if (len > BODY)
			len = input_u8(in);
	}
	if (what & 0x40)
		header.flags = input_u8(in);
	header.size = (uint32_t)sizeof(header) + len;
	if ((what & 0x80) && (flags & 0x40)) { /* and the stream is out of step */
		header.size = (uint32_t)input_number(in);
		len = input_u16(in) % BODY;
	}
	memcpy(raw, &header, sizeof(header));
	send_bytes(s, raw, sizeof(header), fds, nfds);
	if (len)
		send_bytes(s, body, len, NULL, 0);
	if (header.size == sizeof(header) + len &&
	    (header.flags & (VFIO_USER_NO_REPLY | VFIO_USER_TYPE_MASK)) == 0)
		await(s, header.id);
	else
		drain(s);
	if ((what & 0x80) && (flags & 0x40)) { /* nobody knows what it waits for */
		shutdown(s->sock, SHUT_RDWR);
		s->ended = true;
	}
}

/* --- the device's side -------------------------------------------------------------------------
 */

/* One copy between two places, if both are in reach. Who finds memory gone says so by a read. */
static void copy(const struct transfer *t)
{
	struct vfio_user_held from, to;
	uint8_t byte;
	bool whole;

	if (!vfio_user_dma_hold(server, t->addr, t->len, false, &from))
		return;
	if (!vfio_user_dma_hold(server, t->to, t->len, true, &to)) {
		vfio_user_dma_release(server, &from);
		return;
	}
	whole = vfio_user_copy_between(to.memory, from.memory, t->len);
	vfio_user_dma_release(server, &from);
	vfio_user_dma_release(server, &to);
	if (!whole)
		vfio_user_dma_read(server, t->addr, &byte, 1);
}

static void *transfer(void *arg)
{
	struct transfer *t = arg;
	static uint8_t buf[70000];
	uint64_t base, size;
	bool direct;

	if (t->copies) {
		copy(t);
	} else if (t->write) {
		memset(buf, 0xee, t->len);
		vfio_user_dma_write(server, t->addr, buf, t->len);
	} else {
		vfio_user_dma_read(server, t->addr, buf, t->len);
	}
	vfio_user_dma_resolve(server, t->addr, &base, &size, &direct);
	atomic_store(&t->done, true);
	return NULL;
}

/* Waits while the client does its part, unless it is one that never answers. */
static void finish_transfer(struct state *s, bool patient)
{
	for (unsigned int i = 0; s->transfer.running && !s->ended && i < (patient ? 6 : 1); i++) {
		struct pollfd polled = { .fd = s->sock, .events = POLLIN };

		if (atomic_load(&s->transfer.done))
			break;
		if (poll(&polled, 1, 1) > 0)
			receive(s);
	}
	if (!s->transfer.running || (!atomic_load(&s->transfer.done) && !s->ended))
		return;
	pthread_join(s->transfer.thread, NULL);
	s->transfer.running = false;
}

static void start_transfer(struct state *s, struct input *in)
{
	uint8_t flags = input_u8(in);
	struct transfer *t = &s->transfer;

	finish_transfer(s, true);
	if (t->running)
		return;
	*t = (struct transfer){ .addr = any_address(in), .write = flags & 1 };
	t->len = flags & 2 ? input_u32(in) % 70000 : 1u + input_u8(in);
	if (flags & 8) /* a word at once */
		t->len = 1u << (flags >> 4 & 3);
	s->answers = input_u8(in);
	t->copies = flags & 0x40;
	if (t->copies)
		t->to = any_address(in);
	if (!pthread_create(&t->thread, NULL, transfer, t))
		t->running = true;
	finish_transfer(s, flags & 4);
}

/* --- life --------------------------------------------------------------------------------------
 */

static void open_descriptors(struct state *s)
{
	char name[40];
	int ends[2];

	for (unsigned int i = 0; i < FILES; i++) {
		s->file[i] = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		if (s->file[i] < 0 || ftruncate(s->file[i], FILE_SIZE))
			abort();
		s->memory[i] = mmap(NULL, FILE_SIZE, PROT_READ, MAP_SHARED, s->file[i], 0);
		s->fd[i] = s->file[i];
	}
	fcntl(s->file[0], F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", s->file[2]);
	s->fd[FILES] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->fd[FILES + 1] = eventfd(0, EFD_CLOEXEC);
	eventfd_write(s->fd[FILES + 1], UINT64_MAX - 1); /* full, and it blocks */
	if (pipe2(ends, O_CLOEXEC))
		abort();
	close(ends[0]);
	s->fd[FILES + 2] = ends[1]; /* a pipe that nobody reads */
	s->fd[FILES + 3] = open("/dev/null", O_RDWR | O_CLOEXEC);
	s->fd[FILES + 4] = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->fd[FILES + 5] = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	s->fd[FILES + 6] = open(name, O_RDONLY | O_CLOEXEC);
	s->fd[FILES + 7] = s->sock;
}

static void close_descriptors(struct state *s)
{
	for (unsigned int i = 0; i < FILES; i++)
		munmap(s->memory[i], FILE_SIZE);
	for (unsigned int i = 0; i + 1 < FDS; i++)
		close(s->fd[i]);
}

static void check_files(const struct state *s)
{
	for (unsigned int f = 0; f < FILES; f++) {
		for (uint64_t at = 0; at < FILE_SIZE && !s->shrunk[f]; at++) {
			bool allowed = !s->memory[f][at];

			for (unsigned int i = 0; i < s->writables[f] && !allowed; i++)
				allowed = at - s->writable[f][i].from < s->writable[f][i].len;
			if (!allowed)
				finding("byte %lu of file %u was written, and not mapped for it",
					at, f);
		}
	}
}

static void end_connection(struct state *s)
{
	shutdown(s->sock, SHUT_RDWR);
	s->ended = true;
	finish_transfer(s, false);
	close(s->sock);
}

/* A socket in the server's place, that somebody listens on or that was left behind; or a file. */
static int take_place(uint8_t what)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	strcpy(address.sun_path, path);
	if (what & 2) {
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			abort();
		return fd;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    (what & 1 && listen(fd, 1)))
		abort();
	return fd;
}

/* The server ends while a client is there, and another one takes its place when that is free. */
static void restart(struct state *s, uint8_t what)
{
	int fd, rc;

	vfio_user_server_stop(server);
	end_connection(s);
	vfio_user_server_free(server);
	if (!access(path, F_OK))
		finding("a server that has stopped left its socket");
	fd = take_place(what);
	if (!(what & 1))
		close(fd);
	rc = new_server();
	if (rc != (what & 3 ? -EADDRINUSE : 0))
		finding("a server starts with %d where there is %d", rc, what & 3);
	if (what & 1)
		close(fd);
	if (!rc)
		return;
	unlink(path);
	vfio_user_server_free(server);
	if (new_server())
		finding("a server does not start");
}

void target_input(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	struct state s = { 0 };
	bool restarted = false;

	if (!server)
		set_up();
	s.sock = open_socket();
	open_descriptors(&s);
	if (input_u8(&in) < 0xf0)
		greet(&s);
	for (unsigned int op = 0; op < OPS && !input_done(&in) && !s.ended; op++) {
		uint8_t what = input_u8(&in);

		if (what < 0xa0) {
			request(&s, &in);
		} else if (what < 0xd0) {
			start_transfer(&s, &in);
		} else if (what < 0xe8) {
			vfio_user_interrupt(server, what & 15);
		} else if (what < 0xf0) {
			unsigned int f = what % FILES;

			if (!ftruncate(s.file[f], (what & 4) * 1024))
				s.shrunk[f] = true;
		} else if (what < 0xf8) {
			drain(&s);
			finish_transfer(&s, true);
		} else { /* another client in its place */
			if (what == 0xff && !restarted)
				restart(&s, input_u8(&in));
			else
				end_connection(&s);
			/* Once: it takes much longer than all else. */
			restarted |= what == 0xff;
			s.sock = open_socket();
			s.fd[FDS - 1] = s.sock;
			s.ended = false;
			greet(&s);
		}
	}
	end_connection(&s);
	/* The next one is served, and by then the server has left the last one's memory alone. */
	s.sock = open_socket();
	s.ended = false;
	greet(&s);
	if (s.ended)
		finding("a new client is not served");
	check_files(&s);
	close(s.sock);
	close_descriptors(&s);
}
