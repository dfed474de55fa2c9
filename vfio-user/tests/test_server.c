/* SPDX-License-Identifier: GPL-2.0-only */
#include "vfio-user/tests/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define RW   (VFIO_USER_MAP_READ | VFIO_USER_MAP_WRITE)
#define PAGE UINT64_C(4096)

extern atomic_bool short_io;
extern atomic_int no_room;

static struct fixture f;
static struct vfio_user_message msg;

static int setup(void **state)
{
	(void)state;
	fixture_start(&f);
	return 0;
}

static int setup_client(void **state)
{
	(void)state;
	fixture_start(&f);
	fixture_connect(&f);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	short_io = false;
	no_room = 0;
	fixture_stop(&f);
	return 0;
}

static int read_region(uint32_t region, uint64_t offset, uint32_t count)
{
	const struct vfio_user_region_access a = { offset, region, count };

	return client_ask(&f, VFIO_USER_REGION_READ, &a, sizeof(a), NULL, 0, &msg);
}

static int write_region(uint32_t region, uint64_t offset, uint32_t count, const void *data)
{
	uint8_t body[16 + 64];
	const struct vfio_user_region_access a = { offset, region, count };

	assert_true(count <= 64);
	memcpy(body, &a, sizeof(a));
	memcpy(body + 16, data, count);
	return client_ask(&f, VFIO_USER_REGION_WRITE, body, 16 + count, NULL, 0, &msg);
}

static void test_version_comes_first(void **state)
{
	static const char request[] = "\0\0\0\0{\"capabilities\":{\"max_msg_fds\":16}}";
	const struct vfio_user_device_info info = { .argsz = 16 };

	(void)state;
	f.sock = client_open(f.path);
	assert_true(f.sock >= 0);
	assert_int_equal(client_ask(&f, VFIO_USER_GET_INFO, &info, 16, NULL, 0, NULL), EINVAL);
	assert_int_equal(client_map(&f, 0, PAGE, RW, -1, 0), EINVAL);
	assert_int_equal(client_ask(&f, VFIO_USER_DEVICE_RESET, NULL, 0, NULL, 0, NULL), EINVAL);
	assert_int_equal(f.dev.resets, 0);

	assert_int_equal(client_version(&f, "nonsense"), EINVAL);
	assert_int_equal(client_ask(&f, VFIO_USER_VERSION, "\1\0\0\0{}", 7, NULL, 0, NULL), EINVAL);
	assert_int_equal(client_ask(&f, VFIO_USER_VERSION, "\0\0", 2, NULL, 0, NULL), EINVAL);
	assert_int_equal(client_ask(&f, VFIO_USER_GET_INFO, &info, 16, NULL, 0, NULL), EINVAL);
	assert_int_equal(f.dev.connects, 0);

	assert_int_equal(client_ask(&f, VFIO_USER_VERSION, request, sizeof(request), NULL, 0, &msg),
			 0);
	assert_true(msg.header.size <= 214);
	assert_memory_equal(msg.body, "\0\0\0\0", 4);
	assert_int_equal(msg.body[msg.len - 1], 0);
	expect_soon(&f.dev.connects, 1);
	assert_int_equal(client_version(&f, "{}"), EINVAL);
	assert_int_equal(client_ask(&f, VFIO_USER_GET_INFO, &info, 16, NULL, 0, NULL), 0);
	assert_int_equal(f.dev.connects, 1);
}

static void test_device_info(void **state)
{
	struct vfio_user_device_info info = { .argsz = 16 };

	(void)state;
	assert_int_equal(client_ask(&f, VFIO_USER_GET_INFO, &info, 16, NULL, 0, &msg), 0);
	assert_int_equal(msg.len, 16);
	memcpy(&info, msg.body, 16);
	assert_int_equal(info.argsz, 16);
	assert_int_equal(info.flags, 3);
	assert_int_equal(info.regions, 9);
	assert_int_equal(info.irqs, 5);
	info.argsz = 15;
	assert_int_equal(client_ask(&f, VFIO_USER_GET_INFO, &info, 16, NULL, 0, NULL), EINVAL);
}

static void expect_bar_fd(void)
{
	struct stat mine, got;

	assert_int_equal(msg.nfds, 1);
	assert_int_equal(fstat(msg.fds[0], &got), 0);
	assert_int_equal(fstat(f.bar_fd, &mine), 0);
	assert_int_equal(got.st_ino, mine.st_ino);
	close(msg.fds[0]);
}

static void test_region_and_irq_info(void **state)
{
	struct vfio_user_region_info region = { .argsz = 32 };
	struct vfio_user_irq_info irq = { .argsz = 16, .index = 2 };

	(void)state;
	assert_int_equal(client_ask(&f, VFIO_USER_GET_REGION_INFO, &region, 32, NULL, 0, &msg), 0);
	assert_int_equal(msg.len, 32);
	assert_int_equal(msg.nfds, 0);
	memcpy(&region, msg.body, 32);
	assert_int_equal(region.argsz, 64);
	assert_int_equal(region.cap_offset, 32);
	assert_int_equal(client_ask(&f, VFIO_USER_GET_REGION_INFO, &region, 32, NULL, 0, &msg), 0);
	assert_int_equal(msg.len, 64);
	expect_bar_fd();
	region.index = 2;
	region.argsz = 32;
	assert_int_equal(client_ask(&f, VFIO_USER_GET_REGION_INFO, &region, 32, NULL, 0, &msg), 0);
	expect_bar_fd();
	region.index = 9;
	assert_int_equal(client_ask(&f, VFIO_USER_GET_REGION_INFO, &region, 32, NULL, 0, NULL),
			 EINVAL);

	assert_int_equal(client_ask(&f, VFIO_USER_GET_IRQ_INFO, &irq, 16, NULL, 0, &msg), 0);
	memcpy(&irq, msg.body, 16);
	assert_int_equal(irq.flags, 1);
	assert_int_equal(irq.count, VECTORS);
	irq.index = 5;
	assert_int_equal(client_ask(&f, VFIO_USER_GET_IRQ_INFO, &irq, 16, NULL, 0, NULL), EINVAL);
}

static void test_region_access(void **state)
{
	(void)state;
	assert_int_equal(write_region(0, 0x100, 8, "abcdefgh"), 0);
	assert_int_equal(msg.len, 16);
	assert_memory_equal(msg.body, "\0\1\0\0\0\0\0\0\0\0\0\0\10\0\0\0", 16);
	assert_memory_equal(f.dev.bar0 + 0x100, "abcdefgh", 8);
	assert_int_equal(read_region(0, 0x102, 3), 0);
	assert_int_equal(msg.len, 19);
	assert_memory_equal(msg.body, "\2\1\0\0\0\0\0\0\0\0\0\0\3\0\0\0cde", 19);
	assert_int_equal(read_region(VFIO_USER_CONFIG_REGION, 0, 4096), 0);
	assert_int_equal(msg.len, 16 + 4096);
	assert_int_equal(msg.body[16], 7);
	assert_int_equal(msg.body[16 + 4095], 7);
	assert_int_equal(read_region(0, 0, 32768), 0);
	assert_int_equal(msg.len, 16 + 32768);
	/* the device's own errors */
	assert_int_equal(read_region(0, BAD_REGISTER, 4), EPERM);
	assert_int_equal(write_region(0, BAD_REGISTER, 4, "abcd"), EPERM);
	assert_int_equal(client_ask(&f, VFIO_USER_DEVICE_RESET, NULL, 0, NULL, 0, &msg), 0);
	assert_int_equal(msg.len, 0);
	assert_int_equal(f.dev.resets, 1);
}

struct posted {
	struct vfio_user_region_access access;
	uint64_t data;
};

static void test_posted_writes(void **state)
{
	struct {
		uint64_t count;
		struct vfio_user_multi_write w[3];
	} multi = { 3,
		    { { { 0x20, 0, 8 }, "ijklmnop" },
		      { { BAD_REGISTER, 0, 1 }, "q" },
		      { { 0x28, 0, 4 }, "rstu" } } };
	struct posted w = { { 0x10, 0, 8 }, 0x1122334455667788 };

	(void)state;
	client_send(&f, VFIO_USER_REGION_WRITE, VFIO_USER_NO_REPLY, &w, sizeof(w), NULL, 0);
	client_send(&f, VFIO_USER_REGION_WRITE_MULTI, VFIO_USER_NO_REPLY, &multi, sizeof(multi),
		    NULL, 0);
	/* refused: no reply either */
	w.access.offset = BAR0_SIZE;
	client_send(&f, VFIO_USER_REGION_WRITE, VFIO_USER_NO_REPLY, &w, sizeof(w), NULL, 0);
	client_send(&f, 999, VFIO_USER_NO_REPLY, &w, sizeof(w), NULL, 0);
	/* so the next reply is this read's, after all of them */
	assert_int_equal(read_region(0, 0x10, 8), 0);
	assert_memory_equal(msg.body + 16, &w.data, 8);
	assert_memory_equal(f.dev.bar0 + 0x20, "ijklmnoprstu", 12);
	assert_int_equal(f.dev.writes, 4);
	/* with a reply asked for, the first error, and the rest done */
	f.dev.bar0[0x28] = 0;
	assert_int_equal(
		client_ask(&f, VFIO_USER_REGION_WRITE_MULTI, &multi, sizeof(multi), NULL, 0, NULL),
		EPERM);
	assert_int_equal(f.dev.bar0[0x28], 'r');
	/* one that is out of the region: none done */
	multi.w[2].access.offset = BAR0_SIZE - 3;
	f.dev.bar0[0x20] = 0;
	assert_int_equal(
		client_ask(&f, VFIO_USER_REGION_WRITE_MULTI, &multi, sizeof(multi), NULL, 0, NULL),
		EINVAL);
	assert_int_equal(f.dev.bar0[0x20], 0);
	assert_int_equal(f.dev.writes, 7);
}

/* A state worth losing: a map, a vector. */
static int memory, event;

static void set_up_state(void)
{
	memory = new_memfd(PAGE);
	event = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(client_map(&f, 0x10000, PAGE, RW, memory, 0), 0);
	assert_int_equal(client_set_irqs(&f, 0x24, 0, 1, &event, 1), 0);
}

static void expect_state(unsigned int fds)
{
	uint64_t base, size;
	bool direct;

	/* Its reply says that all before it is done. */
	assert_int_equal(read_region(0, 0, 4), 0);
	assert_int_equal(f.dev.reads, 1);
	f.dev.reads = 0;
	assert_int_equal(f.dev.writes, 0);
	assert_int_equal(f.dev.resets, 0);
	assert_int_equal(f.dev.connects, 1);
	assert_int_equal(f.dev.disconnects, 0);
	assert_true(vfio_user_dma_resolve(f.server, 0x10000, &base, &size, &direct));
	assert_int_equal(base, 0x10000);
	assert_int_equal(size, PAGE);
	assert_true(direct);
	assert_false(vfio_user_dma_resolve(f.server, 0, &base, &size, &direct));
	assert_false(counted(event));
	assert_true(vfio_user_interrupt(f.server, 0));
	assert_true(counted(event));
	assert_false(vfio_user_interrupt(f.server, 1));
	assert_int_equal(open_fds(), fds);
}

static void test_malformed_requests(void **state)
{
	static const struct {
		int error;
		unsigned int command;
		size_t len;
		union {
			struct vfio_user_dma_map map;
			struct vfio_user_dma_unmap unmap;
			struct vfio_user_region_access access;
			struct vfio_user_irq_set irqs;
			uint8_t any[40];
		} body;
		unsigned int fds;
	} bad[] = {
		/* bodies too short and too long */
		{ EINVAL, VFIO_USER_DMA_MAP, 31, { .map = { 32, 3, 0, 0, 4096 } }, 0 },
		{ EINVAL, VFIO_USER_DMA_MAP, 33, { .map = { 32, 3, 0, 0, 4096 } }, 0 },
		{ EINVAL, VFIO_USER_DMA_MAP, 0, { .any = { 0 } }, 0 },
		{ EINVAL, VFIO_USER_DMA_UNMAP, 23, { .unmap = { 24, 0, 0x10000, 4096 } }, 0 },
		{ EINVAL, VFIO_USER_GET_INFO, 15, { .any = { 16 } }, 0 },
		{ EINVAL, VFIO_USER_GET_REGION_INFO, 16, { .any = { 32 } }, 0 },
		{ EINVAL, VFIO_USER_GET_IRQ_INFO, 12, { .any = { 16 } }, 0 },
		{ EINVAL, VFIO_USER_SET_IRQS, 16, { .irqs = { 20, 0x21, 2, 0, 0 } }, 0 },
		{ EINVAL, VFIO_USER_REGION_READ, 17, { .access = { 0, 0, 4 } }, 0 },
		{ EINVAL, VFIO_USER_REGION_WRITE, 16, { .access = { 0, 0, 4 } }, 0 },
		{ EINVAL, VFIO_USER_REGION_WRITE, 19, { .access = { 0, 0, 4 } }, 0 },
		{ EINVAL, VFIO_USER_REGION_WRITE, 21, { .access = { 0, 0, 4 } }, 0 },
		{ EINVAL, VFIO_USER_DEVICE_RESET, 1, { .any = { 0 } }, 0 },
		{ EINVAL, VFIO_USER_REGION_WRITE_MULTI, 8, { .any = { 0 } }, 0 },
		/* no such region, not inside */
		{ EINVAL, VFIO_USER_REGION_READ, 16, { .access = { 0, 9, 4 } }, 0 },
		{ EINVAL, VFIO_USER_REGION_READ, 16, { .access = { 0, 1, 4 } }, 0 },
		{ EINVAL, VFIO_USER_REGION_READ, 16, { .access = { BAR0_SIZE - 3, 0, 4 } }, 0 },
		{ EINVAL, VFIO_USER_REGION_READ, 16, { .access = { UINT64_MAX - 1, 0, 4 } }, 0 },
		{ EINVAL, VFIO_USER_REGION_READ, 16, { .access = { 0, 0, 0 } }, 0 },
		{ E2BIG, VFIO_USER_REGION_READ, 16, { .access = { 0, 0, 32769 } }, 0 },
		{ EINVAL, VFIO_USER_REGION_WRITE, 20, { .access = { UINT64_MAX - 3, 0, 4 } }, 0 },
		/* what they ask makes no sense */
		{ EINVAL, VFIO_USER_DMA_MAP, 32, { .map = { 31, 3, 0, 0, 4096 } }, 0 },
		{ EINVAL, VFIO_USER_DMA_MAP, 32, { .map = { 32, 0, 0, 0, 4096 } }, 0 },
		{ EINVAL, VFIO_USER_DMA_MAP, 32, { .map = { 32, 3, 0, 0, 0 } }, 0 },
		{ EINVAL, VFIO_USER_DMA_MAP, 32, { .map = { 32, 3, 0, UINT64_MAX, 2 } }, 0 },
		{ EEXIST, VFIO_USER_DMA_MAP, 32, { .map = { 32, 3, 0, 0x10fff, 1 } }, 0 },
		{ EINVAL, VFIO_USER_DMA_UNMAP, 24, { .unmap = { 23, 0, 0x10000, 4096 } }, 0 },
		{ EINVAL, VFIO_USER_DMA_UNMAP, 24, { .unmap = { 24, 1, 0x10000, 4096 } }, 0 },
		{ EINVAL, VFIO_USER_SET_IRQS, 20, { .irqs = { 19, 0x21, 2, 0, 0 } }, 0 },
		{ EINVAL, VFIO_USER_SET_IRQS, 20, { .irqs = { 20, 0x21, 3, 0, 0 } }, 0 },
		{ EINVAL, VFIO_USER_SET_IRQS, 20, { .irqs = { 20, 0x22, 2, 0, 1 } }, 0 },
		{ EINVAL, VFIO_USER_SET_IRQS, 20, { .irqs = { 20, 0x09, 2, 0, 1 } }, 0 },
		{ EINVAL, VFIO_USER_SET_IRQS, 20, { .irqs = { 20, 0x24, 2, 0, 0 } }, 0 },
		{ EINVAL, VFIO_USER_SET_IRQS, 20, { .irqs = { 20, 0x24, 2, VECTORS, 1 } }, 0 },
		{ EINVAL, VFIO_USER_SET_IRQS, 20, { .irqs = { 20, 0x24, 2, 0, VECTORS + 1 } }, 0 },
		{ EINVAL, VFIO_USER_SET_IRQS, 20, { .irqs = { 20, 0x24, 2, 1, UINT32_MAX } }, 0 },
		/* descriptors: too many, none wanted, not as many as vectors */
		{ EINVAL, VFIO_USER_DMA_MAP, 32, { .map = { 32, 3, 0, 0, 4096 } }, 2 },
		{ EINVAL, VFIO_USER_DMA_UNMAP, 24, { .unmap = { 24, 0, 0x10000, 4096 } }, 1 },
		{ EINVAL, VFIO_USER_REGION_READ, 16, { .access = { 0, 0, 4 } }, 1 },
		{ EINVAL, VFIO_USER_DEVICE_RESET, 0, { .any = { 0 } }, 1 },
		{ EINVAL, VFIO_USER_SET_IRQS, 20, { .irqs = { 20, 0x24, 2, 0, 2 } }, 1 },
		{ EINVAL, VFIO_USER_SET_IRQS, 20, { .irqs = { 20, 0x24, 2, 0, 2 } }, 3 },
		{ EINVAL, VFIO_USER_SET_IRQS, 20, { .irqs = { 20, 0x21, 2, 0, 1 } }, 1 },
		{ EINVAL, VFIO_USER_SET_IRQS, 20, { .irqs = { 20, 0x24, 2, 0, 16 } }, 17 },
		{ EINVAL, VFIO_USER_SET_IRQS, 20, { .irqs = { 20, 0x24, 2, 0, 16 } }, 32 },
		/* no command of a client, or of this server */
		{ EOPNOTSUPP, 0, 0, { .any = { 0 } }, 0 },
		{ EOPNOTSUPP, 6, 16, { .any = { 0 } }, 0 },
		{ EOPNOTSUPP, VFIO_USER_DMA_READ, 16, { .access = { 0, 0, 4 } }, 0 },
		{ EOPNOTSUPP, VFIO_USER_DMA_WRITE, 20, { .access = { 0, 0, 4 } }, 0 },
		{ EOPNOTSUPP, 14, 16, { .any = { 0 } }, 0 },
		{ EOPNOTSUPP, 16, 8, { .any = { 0 } }, 0 },
		{ EOPNOTSUPP, UINT16_MAX, 40, { .any = { 0 } }, 3 },
	};
	int fds[32];
	unsigned int before;

	(void)state;
	set_up_state();
	for (int i = 0; i < 32; i++)
		fds[i] = memory;
	before = open_fds();
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int ret = client_ask(&f, bad[i].command, &bad[i].body, bad[i].len, fds, bad[i].fds,
				     NULL);

		if (ret != bad[i].error)
			print_error("row %zu\n", i);
		assert_int_equal(ret, bad[i].error);
		expect_state(before);
	}
	close(memory);
	close(event);
}

static void ask_raw(const struct vfio_user_header *header, const void *body, size_t len, int error)
{
	client_send_raw(f.sock, header, sizeof(*header), NULL, 0);
	for (size_t done = 0; done < len; done += 1000)
		client_send_raw(f.sock, (const char *)body + done,
				len - done < 1000 ? len - done : 1000, NULL, 0);
	client_receive(&f, &msg);
	assert_int_equal(msg.header.id, header->id);
	assert_int_equal(msg.header.flags, VFIO_USER_REPLY | VFIO_USER_ERROR);
	assert_int_equal(msg.header.error, error);
	assert_int_equal(msg.len, 0);
}

static void test_malformed_headers(void **state)
{
	static const char big[100000];
	struct vfio_user_header h = { .id = 5, .command = VFIO_USER_DEVICE_RESET };
	unsigned int before;
	int fds[10];

	(void)state;
	set_up_state();
	for (int i = 0; i < 10; i++)
		fds[i] = memory;
	before = open_fds();
	for (h.size = 0; h.size < 16; h.size += 5) {
		ask_raw(&h, NULL, 0, EINVAL);
		expect_state(before);
	}
	h.size = 16;
	for (h.flags = 2; h.flags < 16; h.flags++) {
		ask_raw(&h, NULL, 0, EINVAL);
		expect_state(before);
	}
	/* too long: read to its end, and refused */
	h.flags = 0;
	h.command = VFIO_USER_REGION_WRITE;
	for (size_t len = 32785; len <= sizeof(big); len += 13443) {
		h.size = 16 + len;
		ask_raw(&h, big, len, E2BIG);
		expect_state(before);
	}
	/* descriptors with both halves of a header, and more than fit */
	h = (struct vfio_user_header){ 6, VFIO_USER_DEVICE_RESET, 16, 0, 0 };
	client_send_raw(f.sock, &h, 8, fds, 10);
	client_send_raw(f.sock, (char *)&h + 8, 8, fds, 10);
	client_receive(&f, &msg);
	assert_int_equal(msg.header.id, 6);
	assert_int_equal(msg.header.error, EINVAL);
	expect_state(before);
	/* a reply that nobody waits for */
	h.size = 16;
	h.flags = VFIO_USER_REPLY;
	client_send_raw(f.sock, &h, sizeof(h), NULL, 0);
	expect_state(before);
	close(memory);
	close(event);
}

static void test_descriptors_stay_with_their_message(void **state)
{
	const struct vfio_user_dma_map map = { 32, RW, 0, 0, PAGE };
	const struct vfio_user_irq_set set = { 20, 0x24, 2, 1, 1 };
	int file = new_memfd(PAGE), ev = eventfd(0, EFD_CLOEXEC);
	uint64_t base, size;
	bool direct;

	(void)state;
	/* All in the socket before the first is read, if the server is slow enough. */
	for (int i = 0; i < 30; i++) {
		const struct vfio_user_dma_unmap unmap = { 24, VFIO_USER_UNMAP_ALL, 0, 0 };

		client_send(&f, VFIO_USER_DMA_UNMAP, 0, &unmap, sizeof(unmap), NULL, 0);
		client_send(&f, VFIO_USER_DMA_MAP, 0, &map, sizeof(map), &file, 1);
		client_send(&f, VFIO_USER_SET_IRQS, 0, &set, sizeof(set), &ev, 1);
	}
	for (int i = 0; i < 90; i++) {
		client_receive(&f, &msg);
		assert_int_equal(msg.header.flags, VFIO_USER_REPLY);
	}
	assert_true(vfio_user_dma_resolve(f.server, 0, &base, &size, &direct));
	assert_true(direct);
	assert_true(vfio_user_interrupt(f.server, 1));
	assert_true(counted(ev));
	close(file);
	close(ev);
}

static void test_short_reads_and_sends(void **state)
{
	struct vfio_user_region_info region = { .argsz = 64 };
	struct posted w = { { 0x10, 0, 8 }, 0x1122334455667788 };

	(void)state;
	for (int i = 0; i < BAR0_SIZE; i++)
		f.dev.bar0[i] = i * 31 >> 3;
	short_io = true;
	/* header, then body, in two pieces each, from a client that sends as it likes */
	for (size_t cut = 1; cut < 40; cut++) {
		struct vfio_user_header h = { 77, VFIO_USER_REGION_WRITE, 40, 0, 0 };
		uint8_t whole[40];

		memcpy(whole, &h, 16);
		memcpy(whole + 16, &w, 24);
		for (size_t i = 0; i < 40; i++) {
			if (i == 0 || i == cut || i == 39)
				usleep(i == cut ? 100 : 0);
			client_send_raw(f.sock, whole + i, 1, NULL, 0);
		}
		client_receive(&f, &msg);
		assert_int_equal(msg.header.id, 77);
		assert_int_equal(msg.header.flags, VFIO_USER_REPLY);
		assert_memory_equal(f.dev.bar0 + 0x10, &w.data, 8);
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(read_region(0, 0x4000, 32768 - i), 0);
		assert_int_equal(msg.len, 16 + 32768 - i);
		assert_memory_equal(msg.body + 16, f.dev.bar0 + 0x4000, 32768 - i);
	}
	assert_int_equal(client_ask(&f, VFIO_USER_GET_REGION_INFO, &region, 32, NULL, 0, &msg), 0);
	expect_bar_fd();
}

/* A client that takes the rest of a message late gets all of it. */
static void test_rest_late(void **state)
{
	(void)state;
	for (int i = 0; i < BAR0_SIZE; i++)
		f.dev.bar0[i] = i * 31 >> 3;
	short_io = true;
	no_room = 3;
	assert_int_equal(read_region(0, 0x4000, 32768), 0);
	assert_int_equal(no_room, 0);
	assert_memory_equal(msg.body + 16, f.dev.bar0 + 0x4000, 32768);
	no_room = 1;
	assert_int_equal(read_region(0, 0, 8), 0);
	assert_memory_equal(msg.body + 16, f.dev.bar0, 8);
}

/* One that never does is disconnected in the middle of it, and the next one is served. */
static void test_rest_never(void **state)
{
	const struct vfio_user_region_access a = { 0, 0, 32768 };

	(void)state;
	vfio_user_server_free(f.server);
	f.config.rest_timeout_ms = 20;
	f.server = f.dev.server = vfio_user_server_new(&f.config, &device_ops, &f.dev);
	assert_non_null(f.server);
	assert_int_equal(vfio_user_server_start(f.server), 0);
	fixture_connect(&f);
	short_io = true;
	no_room = -1;
	client_send(&f, VFIO_USER_REGION_READ, 0, &a, sizeof(a), NULL, 0);
	assert_int_equal(recv(f.sock, msg.body, sizeof(msg.body), 0), 7);
	client_expect_end(&f);
	short_io = false;
	fixture_connect(&f);
	assert_int_equal(read_region(0, 0, 8), 0);
}

static void test_many_late_replies(void **state)
{
	const struct vfio_user_region_access a = { 0, 0, 32768 };

	(void)state;
	for (int i = 0; i < BAR0_SIZE; i++)
		f.dev.bar0[i] = i * 31 >> 3;
	for (int i = 0; i < 60; i++)
		client_send(&f, VFIO_USER_REGION_READ, 0, &a, sizeof(a), NULL, 0);
	for (int i = 0; i < 60; i++) {
		client_receive(&f, &msg);
		assert_int_equal(msg.header.id, f.id - 59 + i);
		assert_memory_equal(msg.body + 16, f.dev.bar0, 32768);
	}
}

static void test_unmap_always_succeeds(void **state)
{
	uint64_t base, size;
	bool direct;

	(void)state;
	assert_int_equal(client_unmap(&f, 0, UINT64_C(1) << 63), 0);
	assert_int_equal(client_unmap(&f, UINT64_C(1) << 63, UINT64_C(1) << 63), 0);
	assert_int_equal(client_unmap(&f, 0x1000, 0), 0);
	assert_int_equal(client_map(&f, -PAGE, PAGE, RW, -1, 0), 0);
	assert_int_equal(client_unmap(&f, 0, 0), 0);
	assert_int_equal(client_unmap(&f, -PAGE + 1, PAGE), 0);
	assert_true(vfio_user_dma_resolve(f.server, -PAGE, &base, &size, &direct));
	/* past the end of addresses */
	assert_int_equal(client_unmap(&f, -PAGE, 8 * PAGE), 0);
	assert_false(vfio_user_dma_resolve(f.server, -PAGE, &base, &size, &direct));
}

static void test_truncated_then_reconnect(void **state)
{
	const struct vfio_user_header h = { 1, VFIO_USER_REGION_WRITE, 40, 0, 0 };
	unsigned int before = open_fds();

	(void)state;
	/* in the header, at its end, in the body */
	for (size_t len = 5; len <= 27; len += 11) {
		uint8_t part[40] = { 0 };

		set_up_state();
		memcpy(part, &h, sizeof(h));
		client_send_raw(f.sock, part, len, NULL, 0);
		f.dev.disconnects = 0;
		close(f.sock);
		expect_soon(&f.dev.disconnects, 1);
		assert_false(f.dev.map_seen);
		assert_false(vfio_user_interrupt(f.server, 0));
		close(memory);
		close(event);
		assert_int_equal(open_fds(), before - 2);
		assert_int_equal(f.dev.writes, 0);
		fixture_connect(&f);
		assert_int_equal(read_region(0, 0, 4), 0);
	}
	assert_int_equal(open_fds(), before);
}

/* One that leaves before a version was agreed on was never there for the device. */
static void test_no_version_no_connection(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		int sock = client_open(f.path);

		assert_true(sock >= 0);
		client_send_raw(sock, "x", i % 2, NULL, 0);
		close(sock);
	}
	fixture_connect(&f);
	assert_int_equal(f.dev.connects, 1);
	assert_int_equal(f.dev.disconnects, 0);
}

static void test_socket_path(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct vfio_user_config config = f.config;
	struct vfio_user_server *other;
	char path[80], longer[120];
	int fd;

	(void)state;
	/* somebody listens: also when his queue is full */
	other = vfio_user_server_new(&config, &device_ops, &f.dev);
	assert_non_null(other);
	assert_int_equal(vfio_user_server_start(other), -EADDRINUSE);
	assert_int_equal(access(f.path, F_OK), 0);
	vfio_user_server_free(other);
	assert_int_equal(access(f.path, F_OK), 0);
	assert_int_equal(vfio_user_server_start(f.server), -EBUSY);

	/* a socket left behind */
	snprintf(path, sizeof(path), "%s/stale", f.dir);
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	config.socket_path = path;
	other = vfio_user_server_new(&config, &device_ops, &f.dev);
	assert_int_equal(vfio_user_server_start(other), 0);
	fd = client_open(path);
	assert_true(fd >= 0);
	vfio_user_server_free(other);
	close(fd);
	assert_int_equal(access(path, F_OK), -1);

	/* somebody's file */
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	other = vfio_user_server_new(&config, &device_ops, &f.dev);
	assert_int_equal(vfio_user_server_start(other), -EADDRINUSE);
	vfio_user_server_free(other);
	assert_int_equal(unlink(path), 0);

	/* no such directory; a name that no socket can have */
	config.socket_path = "/nonexistent/sock";
	other = vfio_user_server_new(&config, &device_ops, &f.dev);
	assert_int_equal(vfio_user_server_start(other), -ENOENT);
	vfio_user_server_free(other);
	memset(longer, 'a', sizeof(longer));
	longer[0] = '/';
	longer[108] = '\0';
	config.socket_path = longer;
	other = vfio_user_server_new(&config, &device_ops, &f.dev);
	assert_int_equal(vfio_user_server_start(other), -ENAMETOOLONG);
	vfio_user_server_free(other);
}

static void expect_invalid(const struct vfio_user_config *config, const struct vfio_user_ops *ops)
{
	errno = 0;
	assert_null(vfio_user_server_new(config, ops, &f.dev));
	assert_int_equal(errno, EINVAL);
}

static void test_config(void **state)
{
	struct vfio_user_config config;
	struct vfio_user_ops ops = device_ops;

	(void)state;
	vfio_user_server_free(NULL);
	config = f.config;
	config.msix_vectors = VFIO_USER_MAX_VECTORS + 1;
	expect_invalid(&config, &device_ops);
	config = f.config;
	config.region[0].mmap_offset = 0x800;
	expect_invalid(&config, &device_ops);
	config = f.config;
	config.region[0].mmap_offset = BAR0_SIZE;
	expect_invalid(&config, &device_ops);
	config = f.config;
	config.region[0].mmap_size = UINT64_MAX - 0xfff;
	expect_invalid(&config, &device_ops);
	config = f.config;
	config.region[0].mmap_fd = -1;
	expect_invalid(&config, &device_ops);
	config = f.config;
	ops.region_read = NULL;
	expect_invalid(&config, &ops);
}

static void test_client_leaves_before_reply(void **state)
{
	const struct vfio_user_region_access a = { 0, 0, 32768 };

	(void)state;
	/* SIGPIPE from a reply that finds nobody would end this program. */
	for (int i = 0; i < 50; i++) {
		for (int j = 0; j < 20; j++)
			client_send(&f, VFIO_USER_REGION_READ, 0, &a, sizeof(a), NULL, 0);
		close(f.sock);
		expect_soon(&f.dev.disconnects, i + 1);
		fixture_connect(&f);
	}
}

int main(void)
{
#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_version_comes_first, setup),
		TEST(test_device_info, setup_client),
		TEST(test_region_and_irq_info, setup_client),
		TEST(test_region_access, setup_client),
		TEST(test_posted_writes, setup_client),
		TEST(test_malformed_requests, setup_client),
		TEST(test_malformed_headers, setup_client),
		TEST(test_descriptors_stay_with_their_message, setup_client),
		TEST(test_short_reads_and_sends, setup_client),
		TEST(test_rest_late, setup_client),
		TEST(test_rest_never, setup),
		TEST(test_many_late_replies, setup_client),
		TEST(test_unmap_always_succeeds, setup_client),
		TEST(test_truncated_then_reconnect, setup_client),
		TEST(test_no_version_no_connection, setup),
		TEST(test_socket_path, setup),
		TEST(test_config, setup),
		TEST(test_client_leaves_before_reply, setup_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
