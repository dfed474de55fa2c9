/* SPDX-License-Identifier: GPL-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size_stays),
		cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
