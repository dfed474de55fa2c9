/* SPDX-License-Identifier: GPL-2.0-only */
#include "vfio-user/tests/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vfio-user/clock.h"
#include "vfio-user/log.h"

#define BURST VFIO_USER_LOG_BURST

static struct vfio_user_log test_log;

static int setup(void **state)
{
	(void)state;
	vfio_user_log_init(&test_log, "dev0");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vfio_user_log_destroy(&test_log);
	return 0;
}

/* How many of @tries lines at second @at are admitted? */
static unsigned int admitted(double at, unsigned int tries, unsigned int *suppressed)
{
	unsigned int count = 0, left_out;

	*suppressed = 0;
	for (unsigned int i = 0; i < tries; i++) {
		if (vfio_user_log_admits(&test_log, (uint64_t)(at * 1e9), &left_out)) {
			count++;
			*suppressed += left_out;
		}
	}
	return count;
}

static void test_rate(void **state)
{
	unsigned int suppressed;

	(void)state;
	assert_int_equal(admitted(1000, BURST, &suppressed), BURST);
	assert_int_equal(suppressed, 0);
	assert_int_equal(admitted(1000, 1, &suppressed), 0);
	assert_int_equal(admitted(1000.9, 1000, &suppressed), 0);
	assert_int_equal(admitted(1001, 7, &suppressed), 1);
	assert_int_equal(suppressed, 1001);
	assert_int_equal(admitted(1001.99, 1, &suppressed), 0);
	assert_int_equal(admitted(1003.5, 9, &suppressed), 2);
	assert_int_equal(suppressed, 7);
	/* half a second is kept */
	assert_int_equal(admitted(1004, 9, &suppressed), 1);
	/* never more than a burst */
	assert_int_equal(admitted(1000000, 2 * BURST, &suppressed), BURST);
	assert_int_equal(admitted(1e9, 2 * BURST, &suppressed), BURST);
	assert_int_equal(suppressed, BURST);
}

static void test_lines(void **state)
{
	char expected[200], *text;

	(void)state;
	capture_stderr();
	vfio_user_log(&test_log, 0, "number %u", 5);
	vfio_user_log_client(&test_log, 1234);
	vfio_user_log(&test_log, -ENOSPC, "%s refused", "DMA_MAP");
	vfio_user_log_client(&test_log, 0);
	vfio_user_log(&test_log, -EIO, "lost");
	for (int i = 0; i < 1000; i++)
		vfio_user_log(&test_log, 0, "again");
	vfio_user_log_destroy(&test_log);
	text = captured_stderr();
	vfio_user_log_init(&test_log, "dev0");
	snprintf(expected, sizeof(expected),
		 "dev0: number 5\ndev0: client 1234: DMA_MAP refused: %s\ndev0: lost: %s\n",
		 strerror(ENOSPC), strerror(EIO));
	assert_memory_equal(text, expected, strlen(expected));
	/* What is left out is said, here at the end; a slow machine may have had a line or two
	 * more. */
	assert_non_null(strstr(text, " more suppressed\n"));
	assert_in_range(strlen(text), strlen(expected) + 17 * strlen("dev0: again\n"),
			strlen(expected) + 200 * strlen("dev0: again\n"));
	free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_rate),
		TEST(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
