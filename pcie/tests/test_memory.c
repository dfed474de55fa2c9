/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "pcie/memory.h"

#define SIZE 0x3000

/* What whoever is handed the descriptor can do to it, and cannot. */
static void test_size_stays(void **state)
{
	uint8_t *ours, *theirs;
	struct stat st;
	void *memory;
	int fd;

	(void)state;
	assert_int_equal(pcie_memory_new("bar", SIZE, &fd, &memory), 0);
	ours = memory;
	for (int size = 0; size <= 2 * SIZE; size += SIZE / 3) {
		if (size == SIZE)
			continue;
		assert_int_equal(ftruncate(fd, size), -1);
		assert_int_equal(errno, EPERM);
	}
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, SIZE);
	theirs = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(theirs, MAP_FAILED);
	for (int i = 0; i < SIZE; i++)
		assert_int_equal(ours[i], 0);
	theirs[SIZE - 1] = 0x5a;
	assert_int_equal(ours[SIZE - 1], 0x5a);
	munmap(theirs, SIZE);
	munmap(memory, SIZE);
	close(fd);
}

static void test_too_large(void **state)
{
	void *memory = &memory;
	int fd = 77;

	(void)state;
	assert_true(pcie_memory_new("bar", SIZE_MAX / 2, &fd, &memory) < 0);
	assert_ptr_equal(memory, MAP_FAILED);
	assert_int_not_equal(fd, 77);
	close(fd);
}

/* What the bytes behind the descriptor are: the next host maps that. */
static void check_bytes(int fd, const uint8_t *memory, uint8_t value)
{
	uint8_t *theirs = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);

	assert_ptr_not_equal(theirs, MAP_FAILED);
	for (int i = 0; i < SIZE; i++) {
		assert_int_equal(theirs[i], value);
		assert_int_equal(memory[i], value);
	}
	munmap(theirs, SIZE);
}

static void test_renew(void **state)
{
	struct rlimit all, none;
	void *memory;
	int fd, kept;

	(void)state;
	assert_int_equal(pcie_memory_new("bar", SIZE, &fd, &memory), 0);
	memset(memory, 1, SIZE);
	kept = dup(fd);
	assert_int_equal(pcie_memory_renew("bar", SIZE, fd, memory), 0);
	check_bytes(fd, memory, 0);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	/* The last owner's is another one. */
	assert_int_equal(pwrite(kept, "left", 4, 0), 4);
	check_bytes(fd, memory, 0);
	memset(memory, 2, SIZE);
	check_bytes(fd, memory, 2);
	close(kept);

	/* No descriptor to be had: emptied, and said. */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = all.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(pcie_memory_renew("bar", SIZE, fd, memory), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
	check_bytes(fd, memory, 0);
	munmap(memory, SIZE);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size_stays),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_renew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
