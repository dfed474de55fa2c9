/* SPDX-License-Identifier: GPL-2.0-only */
/* The file that tests of this room write and read. */
#ifndef CAPTURE_TESTS_FILE_H
#define CAPTURE_TESTS_FILE_H

#include <stddef.h>

/* Its path, there from make_file() to remove_file(), which are for a group of tests. */
extern char path[];

int make_file(void **state);
int remove_file(void **state);

/* What is in the file, at most @size bytes of it, into @data. Returns how many. */
size_t read_file(void *data, size_t size);

#endif
