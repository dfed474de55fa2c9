/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/tests/file.h"

char path[] = "/tmp/test_capture-XXXXXX";

int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 || close(fd);
}

int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

size_t read_file(void *data, size_t size)
{
	FILE *f = fopen(path, "rb");
	size_t len;

	assert_non_null(f);
	len = fread(data, 1, size, f);
	fclose(f);
	return len;
}
