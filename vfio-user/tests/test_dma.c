/* SPDX-License-Identifier: GPL-2.0-only */
#include "vfio-user/tests/client.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vfio-user/copy.h"
#include "vfio-user/dma.h"

#define RW   (VFIO_USER_MAP_READ | VFIO_USER_MAP_WRITE)
#define PAGE UINT64_C(4096)

static struct vfio_user_maps maps;

static int setup(void **state)
{
	(void)state;
	return vfio_user_maps_init(&maps);
}

static int teardown(void **state)
{
	(void)state;
	vfio_user_maps_destroy(&maps);
	return 0;
}

/* How many mappings of this process are of @fd's file? */
static unsigned int mappings_of(int fd)
{
	char line[512], name[64];
	unsigned int count = 0;
	struct stat st;
	FILE *file = fopen("/proc/self/maps", "r");

	assert_non_null(file);
	assert_int_equal(fstat(fd, &st), 0);
	snprintf(name, sizeof(name), " %lu ", (unsigned long)st.st_ino);
	while (fgets(line, sizeof(line), file))
		count += strstr(line, name) && strstr(line, "memfd:test");
	fclose(file);
	return count;
}

static void expect_map(uint64_t addr, uint64_t base, uint64_t size, bool direct)
{
	uint64_t b, s;
	bool d;

	assert_true(vfio_user_maps_find(&maps, addr, &b, &s, &d));
	assert_int_equal(b, base);
	assert_int_equal(s, size);
	assert_int_equal(d, direct);
}

/* The size that comes back leads to the next map. */
static void expect_no_map(uint64_t addr)
{
	uint64_t b = 1, s = 2, first, size;
	bool d = true;

	assert_false(vfio_user_maps_find(&maps, addr, &b, &s, &d));
	assert_int_equal(b, 1);
	assert_true(d);
	if (!s)
		return;
	assert_true(addr + s > addr);
	assert_true(vfio_user_maps_find(&maps, addr + s, &first, &size, &d));
	assert_int_equal(first, addr + s);
}

static void test_add_refuses(void **state)
{
	int fd = new_memfd(2 * PAGE), ro, pipes[2];
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	ro = open(name, O_RDONLY | O_CLOEXEC);
	assert_true(ro >= 0);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(vfio_user_maps_add(&maps, 0x10000, PAGE, RW, fd, 0), 0);

	assert_int_equal(vfio_user_maps_add(&maps, 0, 0, RW, -1, 0), -EINVAL);
	assert_int_equal(vfio_user_maps_add(&maps, 0, PAGE, 0, -1, 0), -EINVAL);
	assert_int_equal(vfio_user_maps_add(&maps, 0, PAGE, 7, -1, 0), -EINVAL);
	assert_int_equal(vfio_user_maps_add(&maps, UINT64_MAX, 2, RW, -1, 0), -EINVAL);
	/* past the file's end, by address and by overflow */
	assert_int_equal(vfio_user_maps_add(&maps, 0, 2 * PAGE, RW, fd, PAGE), -EINVAL);
	assert_int_equal(vfio_user_maps_add(&maps, 0, PAGE, RW, fd, 2 * PAGE), -EINVAL);
	assert_int_equal(vfio_user_maps_add(&maps, 0, PAGE, RW, fd, -PAGE), -EINVAL);
	/* not memory; no right to write */
	assert_int_equal(vfio_user_maps_add(&maps, 0, PAGE, RW, pipes[0], 0), -EINVAL);
	assert_int_equal(vfio_user_maps_add(&maps, 0, PAGE, RW, ro, 0), -EACCES);
	/* overlaps: head, tail, inside, around */
	assert_int_equal(vfio_user_maps_add(&maps, 0x10000 - 1, 2, RW, -1, 0), -EEXIST);
	assert_int_equal(vfio_user_maps_add(&maps, 0x10fff, PAGE, RW, -1, 0), -EEXIST);
	assert_int_equal(vfio_user_maps_add(&maps, 0x10800, 1, RW, fd, 0), -EEXIST);
	assert_int_equal(vfio_user_maps_add(&maps, 0, 0x20000, RW, -1, 0), -EEXIST);

	assert_int_equal(maps.count, 1);
	expect_map(0x10000, 0x10000, PAGE, true);
	expect_no_map(0);
	assert_int_equal(vfio_user_maps_add(&maps, 0, PAGE, VFIO_USER_MAP_READ, ro, 0), 0);
	close(fd);
	close(ro);
	close(pipes[0]);
	close(pipes[1]);
}

static void expect_refused(int fd, int error)
{
	unsigned int fds = open_fds();

	assert_true(fd >= 0);
	assert_int_equal(vfio_user_maps_add(&maps, 0, 1, VFIO_USER_MAP_READ, fd, 0), error);
	assert_int_equal(maps.count, 0);
	assert_int_equal(maps.file_count, 0);
	assert_int_equal(maps.mapped, 0);
	assert_int_equal(open_fds(), fds);
	close(fd);
}

/* A file system of the client's own could leave us waiting in any access to its files. */
static void test_only_files_in_memory(void **state)
{
	int memory = new_memfd(PAGE), sockets[2];
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", memory);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	expect_refused(open("/proc/self/status", O_RDONLY | O_CLOEXEC), -EINVAL);
	expect_refused(open("/dev/shm", O_RDONLY | O_DIRECTORY | O_CLOEXEC), -EINVAL);
	expect_refused(open("/dev/zero", O_RDWR | O_CLOEXEC), -EINVAL);
	expect_refused(open(name, O_PATH | O_CLOEXEC), -EINVAL);
	expect_refused(open(name, O_WRONLY | O_CLOEXEC), -EACCES);
	expect_refused(eventfd(0, EFD_CLOEXEC), -EINVAL);
	expect_refused(sockets[0], -EINVAL);
	expect_refused(sockets[1], -EINVAL);
	/* a hole is memory like any other; nothing at all is not */
	expect_refused(new_memfd(0), -EINVAL);
	assert_int_equal(vfio_user_maps_add(&maps, 0, PAGE, RW, memory, 0), 0);
	assert_int_equal(fallocate(memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE), 0);
	for (size_t len = 1; len <= PAGE; len += PAGE - 1) {
		uint8_t buf[PAGE];

		memset(buf, 0xee, sizeof(buf));
		assert_int_equal(vfio_user_maps_read(&maps, 0, buf, &len), 1);
		assert_int_equal(buf[len - 1], 0);
	}
	close(memory);
}

/* The client shrinks its file under the map: an error, and only there. */
static void test_file_that_shrank(void **state)
{
	int fd = new_memfd(3 * PAGE), other = new_memfd(PAGE);
	static uint8_t buf[3 * PAGE];
	size_t len;

	(void)state;
	/* cmocka has caught SIGBUS since setup(). */
	vfio_user_copy_init();
	assert_int_equal(vfio_user_maps_add(&maps, 0, 3 * PAGE, RW, fd, 0), 0);
	assert_int_equal(vfio_user_maps_add(&maps, 4 * PAGE, PAGE, RW, other, 0), 0);
	assert_int_equal(ftruncate(fd, PAGE + 1), 0);
	for (int i = 0; i < 3; i++) {
		/* the last page that is left, the first that is not, and across */
		len = 8;
		assert_int_equal(vfio_user_maps_read(&maps, 2 * PAGE - 8, buf, &len), 1);
		len = 8;
		assert_int_equal(vfio_user_maps_read(&maps, 2 * PAGE, buf, &len), -EFAULT);
		len = 8;
		assert_int_equal(vfio_user_maps_write(&maps, 2 * PAGE, buf, &len), -EFAULT);
		len = 8;
		assert_int_equal(vfio_user_maps_write(&maps, 2 * PAGE - 4, buf, &len), -EFAULT);
		len = 3 * PAGE;
		assert_int_equal(vfio_user_maps_read(&maps, 0, buf, &len), -EFAULT);
		len = 3 * PAGE;
		assert_int_equal(vfio_user_maps_write(&maps, 0, buf, &len), -EFAULT);
		len = 8;
		assert_int_equal(vfio_user_maps_write(&maps, 4 * PAGE, "12345678", &len), 1);
	}
	/* The locks are free, and what comes back is used. */
	assert_int_equal(ftruncate(fd, 3 * PAGE), 0);
	assert_int_equal(pwrite(fd, "again", 5, 2 * PAGE), 5);
	len = 5;
	assert_int_equal(vfio_user_maps_read(&maps, 2 * PAGE, buf, &len), 1);
	assert_memory_equal(buf, "again", 5);
	assert_int_equal(ftruncate(fd, 0), 0);
	vfio_user_maps_remove(&maps, 0, UINT64_MAX);
	assert_int_equal(maps.count, 0);
	close(fd);
	close(other);
}

/* At the limit and one beyond, and room again after a removal. Quadratic, this would take hours. */
static void test_limit_of_maps(void **state)
{
	uint64_t top = 2 * (uint64_t)VFIO_USER_MAPS_MAX;

	(void)state;
	for (uint64_t i = 0; i < VFIO_USER_MAPS_MAX; i++)
		assert_int_equal(vfio_user_maps_add(&maps, top - 2 * i, 1, RW, -1, 0), 0);
	assert_int_equal(vfio_user_maps_add(&maps, 1, 1, RW, -1, 0), -ENOSPC);
	assert_int_equal(maps.count, VFIO_USER_MAPS_MAX);
	expect_no_map(1);
	expect_map(top, top, 1, false);
	expect_map(2, 2, 1, false);
	vfio_user_maps_remove(&maps, top / 2, top / 2);
	assert_int_equal(vfio_user_maps_add(&maps, 1, 1, RW, -1, 0), 0);
	assert_int_equal(vfio_user_maps_add(&maps, top / 2, 1, RW, -1, 0), -ENOSPC);
	vfio_user_maps_remove(&maps, 0, UINT64_MAX);
	assert_int_equal(maps.count, 0);
}

static void test_limit_of_files(void **state)
{
	int fd[VFIO_USER_FILES_MAX + 1];

	(void)state;
	for (int i = 0; i <= VFIO_USER_FILES_MAX; i++)
		fd[i] = new_memfd(PAGE);
	for (uint64_t i = 0; i < VFIO_USER_FILES_MAX; i++)
		assert_int_equal(vfio_user_maps_add(&maps, i * PAGE, PAGE, RW, fd[i], 0), 0);
	assert_int_equal(vfio_user_maps_add(&maps, 1 << 30, PAGE, RW, fd[VFIO_USER_FILES_MAX], 0),
			 -ENOSPC);
	assert_int_equal(maps.file_count, VFIO_USER_FILES_MAX);
	assert_int_equal(mappings_of(fd[VFIO_USER_FILES_MAX]), 0);
	/* one that is there already takes no more; one that no map uses makes room */
	assert_int_equal(vfio_user_maps_add(&maps, 1 << 30, PAGE, RW, fd[5], 0), 0);
	vfio_user_maps_remove(&maps, 0, PAGE - 1);
	assert_int_equal(vfio_user_maps_add(&maps, 0, PAGE, RW, fd[VFIO_USER_FILES_MAX], 0), 0);
	assert_int_equal(maps.file_count, VFIO_USER_FILES_MAX);
	for (int i = 0; i <= VFIO_USER_FILES_MAX; i++)
		close(fd[i]);
}

static void test_limit_of_bytes(void **state)
{
	int whole = new_memfd(VFIO_USER_MAPPED_MAX), more = new_memfd(1);
	int beyond = new_memfd(VFIO_USER_MAPPED_MAX + 1);

	(void)state;
	assert_int_equal(vfio_user_maps_add(&maps, 0, 1, RW, beyond, 0), -ENOSPC);
	assert_int_equal(maps.file_count, 0);
	assert_int_equal(vfio_user_maps_add(&maps, 0, 1, RW, whole, VFIO_USER_MAPPED_MAX - 1), 0);
	assert_int_equal(maps.mapped, VFIO_USER_MAPPED_MAX);
	assert_int_equal(vfio_user_maps_add(&maps, PAGE, 1, RW, more, 0), -ENOSPC);
	vfio_user_maps_remove(&maps, 0, 0);
	assert_int_equal(vfio_user_maps_add(&maps, PAGE, 1, RW, more, 0), 0);
	assert_int_equal(maps.mapped, 1);
	close(whole);
	close(more);
	close(beyond);
}

static void test_edges_of_address_space(void **state)
{
	(void)state;
	assert_int_equal(vfio_user_maps_add(&maps, -PAGE, PAGE, RW, -1, 0), 0);
	assert_int_equal(vfio_user_maps_add(&maps, 0, PAGE, RW, -1, 0), 0);
	expect_map(UINT64_MAX, -PAGE, PAGE, false);
	expect_map(0, 0, PAGE, false);
	expect_map(PAGE - 1, 0, PAGE, false);
	expect_no_map(PAGE);
	expect_no_map(-PAGE - 1);
	vfio_user_maps_remove(&maps, UINT64_C(1) << 63, UINT64_MAX);
	expect_no_map(UINT64_MAX);
	expect_map(0, 0, PAGE, false);
}

static void test_remove(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 8; i++)
		assert_int_equal(vfio_user_maps_add(&maps, i * PAGE, PAGE, RW, -1, 0), 0);
	/* nothing there; only parts of two maps */
	vfio_user_maps_remove(&maps, 0x100000, 0x1fffff);
	vfio_user_maps_remove(&maps, 1, 2 * PAGE - 2);
	assert_int_equal(maps.count, 8);
	/* part of 1, all of 2 and 3, part of 4 */
	vfio_user_maps_remove(&maps, PAGE + 1, 5 * PAGE - 2);
	assert_int_equal(maps.count, 6);
	expect_map(PAGE, PAGE, PAGE, false);
	expect_no_map(2 * PAGE);
	expect_no_map(4 * PAGE - 1);
	expect_map(4 * PAGE, 4 * PAGE, PAGE, false);
	vfio_user_maps_remove(&maps, 0, UINT64_MAX);
	assert_int_equal(maps.count, 0);
}

static void test_one_mapping_per_file(void **state)
{
	enum { PAGES = 3000 };
	int fd = new_memfd(PAGES * PAGE), other = new_memfd(PAGE);
	unsigned int fds = open_fds();
	uint32_t value;
	size_t len;

	(void)state;
	/* Downwards and scattered, as a guest's IOVA allocator hands them out. */
	for (uint64_t i = 0; i < PAGES; i++)
		assert_int_equal(vfio_user_maps_add(&maps, (2 * PAGES - 2 * i) * PAGE, PAGE, RW, fd,
						    (i * 7 % PAGES) * PAGE),
				 0);
	assert_int_equal(mappings_of(fd), 1);
	assert_int_equal(open_fds(), fds);
	for (uint32_t i = 0; i < PAGES; i++)
		assert_int_equal(pwrite(fd, &i, 4, i * PAGE), 4);
	for (uint64_t i = 0; i < PAGES; i++) {
		len = 4;
		assert_int_equal(
			vfio_user_maps_read(&maps, (2 * PAGES - 2 * i) * PAGE, &value, &len), 1);
		assert_int_equal(value, i * 7 % PAGES);
		expect_no_map((2 * PAGES - 2 * i + 1) * PAGE);
	}

	/* All but one go, then the last: kept, as firmware takes memory away and back ... */
	vfio_user_maps_remove(&maps, 3 * PAGE, UINT64_MAX);
	assert_int_equal(maps.count, 1);
	assert_int_equal(vfio_user_maps_add(&maps, 0x100000000, PAGE, RW, other, 0), 0);
	assert_int_equal(mappings_of(fd), 1);
	vfio_user_maps_remove(&maps, 0, 3 * PAGE);
	assert_int_equal(mappings_of(fd), 1);
	assert_int_equal(vfio_user_maps_add(&maps, 0, PAGE, RW, fd, 0), 0);
	assert_int_equal(mappings_of(fd), 1);
	vfio_user_maps_remove(&maps, 0, PAGE - 1);
	/* ... until another file comes */
	vfio_user_maps_remove(&maps, 0x100000000, UINT64_MAX);
	assert_int_equal(mappings_of(other), 1);
	close(other);
	other = new_memfd(PAGE);
	assert_int_equal(vfio_user_maps_add(&maps, 0, PAGE, RW, other, 0), 0);
	assert_int_equal(mappings_of(fd), 0);
	assert_int_equal(mappings_of(other), 1);
	vfio_user_maps_clear(&maps);
	assert_int_equal(mappings_of(other), 0);
	close(other);
	close(fd);
}

static void test_file_that_grew(void **state)
{
	int fd = new_memfd(PAGE);
	uint8_t byte = 0;
	size_t len = 1;

	(void)state;
	assert_int_equal(vfio_user_maps_add(&maps, 0, PAGE, RW, fd, 0), 0);
	assert_int_equal(ftruncate(fd, 2 * PAGE), 0);
	assert_int_equal(pwrite(fd, "x", 1, PAGE), 1);
	assert_int_equal(vfio_user_maps_add(&maps, PAGE, PAGE, RW, fd, PAGE), 0);
	assert_int_equal(vfio_user_maps_read(&maps, PAGE, &byte, &len), 1);
	assert_int_equal(byte, 'x');
	assert_int_equal(vfio_user_maps_write(&maps, 0, "y", &len), 1);
	assert_int_equal(pread(fd, &byte, 1, 0), 1);
	assert_int_equal(byte, 'y');
	close(fd);
}

static void test_file_first_read_only(void **state)
{
	int fd = new_memfd(PAGE);
	uint8_t byte = 0;
	size_t len = 1;

	(void)state;
	assert_int_equal(vfio_user_maps_add(&maps, 0, PAGE, VFIO_USER_MAP_READ, fd, 0), 0);
	assert_int_equal(vfio_user_maps_add(&maps, PAGE, PAGE, RW, fd, 0), 0);
	assert_int_equal(vfio_user_maps_write(&maps, PAGE, "y", &len), 1);
	assert_int_equal(vfio_user_maps_read(&maps, 0, &byte, &len), 1);
	assert_int_equal(byte, 'y');
	close(fd);
}

static void test_copy_steps(void **state)
{
	int fd = new_memfd(2 * PAGE);
	char buf[64] = "";
	size_t len;

	(void)state;
	assert_int_equal(pwrite(fd, "0123456789", 10, PAGE - 5), 10);
	assert_int_equal(vfio_user_maps_add(&maps, PAGE, PAGE, RW, fd, 0), 0);
	assert_int_equal(vfio_user_maps_add(&maps, 2 * PAGE, PAGE, VFIO_USER_MAP_READ, fd, PAGE),
			 0);
	assert_int_equal(vfio_user_maps_add(&maps, 3 * PAGE, PAGE, VFIO_USER_MAP_WRITE, -1, 0), 0);

	/* up to the map's end, then on */
	len = 10;
	assert_int_equal(vfio_user_maps_read(&maps, 2 * PAGE - 5, buf, &len), 1);
	assert_int_equal(len, 5);
	assert_memory_equal(buf, "01234", 6);
	len = 5;
	assert_int_equal(vfio_user_maps_read(&maps, 2 * PAGE, buf, &len), 1);
	assert_int_equal(len, 5);
	assert_memory_equal(buf, "56789", 6);
	/* the gap before a map, and endless ones */
	len = 100;
	assert_int_equal(vfio_user_maps_read(&maps, PAGE - 3, buf, &len), 0);
	assert_int_equal(len, 3);
	len = 3;
	assert_int_equal(vfio_user_maps_read(&maps, PAGE - 3, buf, &len), 0);
	assert_int_equal(len, 3);
	len = 100;
	assert_int_equal(vfio_user_maps_read(&maps, 5 * PAGE, buf, &len), 0);
	assert_int_equal(len, 100);
	/* a map without memory: only as far as it goes; and no right to read it */
	len = 2 * PAGE;
	assert_int_equal(vfio_user_maps_write(&maps, 3 * PAGE, buf, &len), 0);
	assert_int_equal(len, PAGE);
	len = 4;
	assert_int_equal(vfio_user_maps_read(&maps, 3 * PAGE, buf, &len), -EACCES);
	/* read-only */
	len = 4;
	assert_int_equal(vfio_user_maps_write(&maps, 2 * PAGE, "zzzz", &len), -EACCES);
	assert_int_equal(pread(fd, buf, 5, PAGE), 5);
	assert_memory_equal(buf, "56789", 5);
	close(fd);
}

static void test_copy_every_alignment(void **state)
{
	int fd = new_memfd(PAGE);
	uint8_t pattern[40], got[48], *mem;

	(void)state;
	assert_int_equal(vfio_user_maps_add(&maps, 0, PAGE, RW, fd, 0), 0);
	mem = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(mem, MAP_FAILED);
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = i + 1;
	for (size_t at = 1; at < 10; at++) {
		for (size_t n = 1; n <= 33; n++) {
			size_t len = n;

			memset(mem, 0xee, 64);
			assert_int_equal(vfio_user_maps_write(&maps, at, pattern, &len), 1);
			assert_int_equal(len, n);
			assert_int_equal(mem[at - 1], 0xee);
			assert_memory_equal(mem + at, pattern, n);
			assert_int_equal(mem[at + n], 0xee);
			memset(got, 0xdd, sizeof(got));
			assert_int_equal(vfio_user_maps_read(&maps, at, got + 1, &len), 1);
			assert_int_equal(got[0], 0xdd);
			assert_memory_equal(got + 1, pattern, n);
			assert_int_equal(got[1 + n], 0xdd);
		}
	}
	munmap(mem, PAGE);
	close(fd);
}

struct copier {
	pthread_t thread;
	atomic_bool stop;
	unsigned long bad;
};

static void *copy_on(void *arg)
{
	struct copier *c = arg;
	static const uint8_t data[PAGE];

	while (!c->stop) {
		size_t len = PAGE;
		int ret = vfio_user_maps_write(&maps, 0, data, &len);

		c->bad += ret != 0 && ret != 1;
	}
	return NULL;
}

/* With memory going away under it a copy must end first: else it faults. */
static void test_remove_beside_copies(void **state)
{
	struct copier c[2] = { 0 };
	int fd[2] = { new_memfd(PAGE), new_memfd(PAGE) };

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&c[i].thread, NULL, copy_on, &c[i]), 0);
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(vfio_user_maps_add(&maps, 0, PAGE, RW, fd[i % 2], 0), 0);
		vfio_user_maps_remove(&maps, 0, PAGE - 1);
	}
	for (int i = 0; i < 2; i++) {
		c[i].stop = true;
		pthread_join(c[i].thread, NULL);
		assert_int_equal(c[i].bad, 0);
		close(fd[i]);
	}
}

static uint64_t beside[2]; /* bytes before and behind what hold() held */

static uint8_t *hold(uint64_t addr, size_t len, bool write)
{
	struct vfio_user_held held;

	if (!vfio_user_maps_hold(&maps, addr, len, write, &held))
		return NULL;
	vfio_user_maps_release(&maps, &held);
	beside[0] = held.before;
	beside[1] = held.behind;
	return held.memory;
}

/* Only what one map with memory and the right has, whatever this thread remembers. */
static void test_hold(void **state)
{
	int fd = new_memfd(8 * PAGE);
	uint8_t *memory;

	(void)state;
	assert_int_equal(vfio_user_maps_add(&maps, 0x10000, 2 * PAGE, RW, fd, 0), 0);
	assert_int_equal(vfio_user_maps_add(&maps, 0x12000, PAGE, VFIO_USER_MAP_READ, fd, 2 * PAGE),
			 0);
	assert_int_equal(vfio_user_maps_add(&maps, 0x14000, PAGE, RW, -1, 0), 0);
	assert_int_equal(vfio_user_maps_add(&maps, UINT64_MAX - (PAGE - 1), PAGE, RW, fd, 0), 0);
	for (int again = 0; again < 3; again++) {
		memory = hold(0x10000, 2 * PAGE, true);
		assert_non_null(memory);
		assert_int_equal(beside[0], 0);
		assert_int_equal(beside[1], 0);
		assert_ptr_equal(hold(0x10001, 1, false), memory + 1);
		assert_int_equal(beside[0], 1);
		assert_int_equal(beside[1], 2 * PAGE - 2);
		assert_ptr_equal(hold(0x11fff, 1, true), memory + 2 * PAGE - 1);
		assert_ptr_equal(hold(0x12000, PAGE, false), memory + 2 * PAGE);
		assert_null(hold(0x12000, 1, true));
		assert_null(hold(0x11fff, 2, false));
		assert_null(hold(0x10000, 2 * PAGE + 1, false));
		assert_null(hold(0xffff, 2, false));
		assert_null(hold(0x13000, 1, false));
		assert_null(hold(0x14000, 1, false));
		assert_ptr_equal(hold(UINT64_MAX, 1, true), memory + PAGE - 1);
		assert_null(hold(UINT64_MAX, 2, true));
	}
	/* What was remembered ends with any removal, and other memory may come in its place. */
	vfio_user_maps_remove(&maps, 0x10000, 0x11fff);
	assert_null(hold(0x10000, 1, false));
	assert_ptr_equal(hold(0x12000, PAGE, false), memory + 2 * PAGE);
	assert_int_equal(vfio_user_maps_add(&maps, 0x10000, PAGE, RW, fd, 4 * PAGE), 0);
	assert_ptr_equal(hold(0x10000, PAGE, true), memory + 4 * PAGE);
	assert_int_equal(atomic_load(&maps.held[0]) + atomic_load(&maps.held[1]), 0);
	close(fd);
}

static atomic_bool removed;

static void *remove_all(void *arg)
{
	(void)arg;
	vfio_user_maps_remove(&maps, 0, UINT64_MAX);
	atomic_store(&removed, true);
	return NULL;
}

/* A removal waits for who holds a piece, and not for who begins meanwhile. */
static void test_remove_waits(void **state)
{
	struct vfio_user_held held[2];
	int fd = new_memfd(PAGE);
	pthread_t thread;

	(void)state;
	assert_int_equal(vfio_user_maps_add(&maps, 0, PAGE, RW, fd, 0), 0);
	for (int i = 0; i < 2; i++)
		assert_true(vfio_user_maps_hold(&maps, 0, PAGE, true, &held[i]));
	assert_int_equal(pthread_create(&thread, NULL, remove_all, NULL), 0);
	while (hold(0, 1, false))
		usleep(1000);
	vfio_user_maps_release(&maps, &held[0]);
	assert_true(vfio_user_maps_are_held(&maps));
	usleep(20000);
	assert_false(atomic_load(&removed));
	memset(held[1].memory, 0x33, PAGE);
	vfio_user_maps_release(&maps, &held[1]);
	pthread_join(thread, NULL);
	assert_true(atomic_load(&removed));
	assert_false(vfio_user_maps_are_held(&maps));
	close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_add_refuses),
		TEST(test_only_files_in_memory),
		TEST(test_file_that_shrank),
		TEST(test_limit_of_maps),
		TEST(test_limit_of_files),
		TEST(test_limit_of_bytes),
		TEST(test_edges_of_address_space),
		TEST(test_remove),
		TEST(test_one_mapping_per_file),
		TEST(test_file_that_grew),
		TEST(test_file_first_read_only),
		TEST(test_copy_steps),
		TEST(test_copy_every_alignment),
		TEST(test_remove_beside_copies),
		TEST(test_hold),
		TEST(test_remove_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
