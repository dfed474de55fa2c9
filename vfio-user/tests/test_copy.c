/* SPDX-License-Identifier: GPL-2.0-only */
#include "vfio-user/tests/client.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vfio-user/copy.h"

#define PAGE 4096

static int memory;
static uint8_t *shared;

#define REACHED 42

static void handler_of_the_program(int signal)
{
	(void)signal;
	_exit(REACHED);
}

/* cmocka catches SIGBUS anew for each test. */
static void catch_sigbus(void)
{
	signal(SIGBUS, handler_of_the_program);
	for (int i = 0; i < 2; i++)
		vfio_user_copy_init();
}

static int setup(void **state)
{
	(void)state;
	memory = new_memfd(2 * PAGE);
	shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	return shared == MAP_FAILED;
}

static int teardown(void **state)
{
	(void)state;
	munmap(shared, 2 * PAGE);
	close(memory);
	return 0;
}

/* Every length and alignment at the end of what is left, and one byte beyond. */
static void test_end_of_memory(void **state)
{
	uint8_t buf[64];

	(void)state;
	catch_sigbus();
	assert_int_equal(ftruncate(memory, PAGE), 0);
	memset(shared, 0x55, PAGE);
	for (size_t len = 1; len <= sizeof(buf); len++) {
		uint8_t *end = shared + PAGE - len;

		memset(buf, 0xee, sizeof(buf));
		assert_true(vfio_user_copy_from(buf, end, len));
		assert_int_equal(buf[len - 1], 0x55);
		assert_true(vfio_user_copy_to(end, buf, len));
		assert_false(vfio_user_copy_from(buf, end + 1, len));
		assert_false(vfio_user_copy_to(end + 1, buf, len));
		assert_false(vfio_user_copy_to(shared + PAGE, buf, len));
	}
	assert_true(vfio_user_copy_from(buf, shared, sizeof(buf)));
}

/* Either end may be the one that is gone; the last word comes last, and ranges may overlap. */
static void test_between(void **state)
{
	static uint8_t plain[PAGE];
	uint8_t expected[PAGE];

	(void)state;
	catch_sigbus();
	assert_int_equal(ftruncate(memory, PAGE), 0);
	for (size_t i = 0; i < PAGE; i++)
		shared[i] = plain[i] = (uint8_t)(i * 7);
	for (size_t len = 1; len <= 64; len++) {
		uint8_t *end = shared + PAGE - len;

		assert_true(vfio_user_copy_between(plain, end, len));
		assert_memory_equal(plain, end, len);
		assert_true(vfio_user_copy_between(end, plain, len));
		assert_false(vfio_user_copy_between(plain, end + 1, len));
		assert_false(vfio_user_copy_between(end + 1, plain, len));
		for (size_t shift = 0; shift < 20; shift++) {
			memcpy(expected, shared, PAGE);
			memmove(expected + 100 + shift, expected + 110, len);
			assert_true(
				vfio_user_copy_between(shared + 100 + shift, shared + 110, len));
			assert_memory_equal(shared, expected, PAGE);
		}
	}
	assert_true(vfio_user_copy_from(plain, shared, 64));
}

static void *copy_beyond(void *arg)
{
	uint8_t buf[64];

	for (int i = 0; i < 1000; i++) {
		*(unsigned int *)arg += vfio_user_copy_from(buf, shared + PAGE, sizeof(buf));
		*(unsigned int *)arg += !vfio_user_copy_from(buf, shared, sizeof(buf));
	}
	return NULL;
}

static void test_threads(void **state)
{
	unsigned int bad[4] = { 0 };
	pthread_t thread[4];

	(void)state;
	catch_sigbus();
	assert_int_equal(ftruncate(memory, PAGE), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, copy_beyond, &bad[i]), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(bad[i], 0);
	}
}

static void touch(void)
{
	*(volatile uint8_t *)shared;
}

static void touch_after_copies(void)
{
	uint8_t byte = 0;

	if (!vfio_user_copy_from(&byte, shared, 1) && !vfio_user_copy_to(shared, &byte, 1))
		touch();
}

static void send_to_itself(void)
{
	raise(SIGBUS);
}

/* What no copy raised goes where it went before. */
static void test_others_pass_on(void **state)
{
	static void (*const fault[])(void) = { touch, touch_after_copies, send_to_itself };

	(void)state;
	catch_sigbus();
	assert_int_equal(ftruncate(memory, 0), 0);
	for (size_t i = 0; i < sizeof(fault) / sizeof(*fault); i++) {
		pid_t child = fork();
		int status;

		if (!child) {
			fault[i]();
			_exit(1);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), REACHED);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_end_of_memory),
		TEST(test_between),
		TEST(test_threads),
		TEST(test_others_pass_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
