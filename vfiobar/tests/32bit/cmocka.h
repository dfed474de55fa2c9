/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the unit tests of vfiobar take of cmocka, for programs of 32 bits: distributions have that
 * library for the machine's own word size. A check that fails ends the program.
 */
#ifndef VFIOBAR_32BIT_CMOCKA_H
#define VFIOBAR_32BIT_CMOCKA_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
	const char *name;
	void (*test)(void **state);
	int (*setup)(void **state);
	int (*teardown)(void **state);
};

#define cmocka_unit_test(f)       \
	{                         \
#f, f, NULL, NULL \
	}
#define cmocka_unit_test_setup_teardown(f, s, t) \
	{                                        \
#f, f, s, t                      \
	}
#define cmocka_run_group_tests(tests, setup, down) \
	cmocka_run(tests, sizeof(tests) / sizeof((tests)[0]))

static inline void cmocka_check(int holds, const char *what, const char *file, int line)
{
	if (holds)
		return;
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	exit(1);
}

static inline int cmocka_run(const struct CMUnitTest *tests, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		void *state = NULL;

		if (tests[i].setup)
			cmocka_check(!tests[i].setup(&state), "setup", tests[i].name, 0);
		tests[i].test(&state);
		if (tests[i].teardown)
			cmocka_check(!tests[i].teardown(&state), "teardown", tests[i].name, 0);
		printf("ok %s\n", tests[i].name);
	}
	return 0;
}

#define assert_true(c)	   cmocka_check(!!(c), #c, __FILE__, __LINE__)
#define assert_false(c)	   cmocka_check(!(c), "not " #c, __FILE__, __LINE__)
#define assert_non_null(p) cmocka_check((p) != NULL, #p " is not NULL", __FILE__, __LINE__)
#define assert_ptr_equal(a, b) \
	cmocka_check((const void *)(a) == (const void *)(b), #a " is " #b, __FILE__, __LINE__)
/* As there, without regard to the widths of both. */
#define assert_int_equal(a, b) \
	cmocka_check((int64_t)(a) == (int64_t)(b), #a " is " #b, __FILE__, __LINE__)
#define assert_string_equal(a, b) cmocka_check(!strcmp(a, b), #a " is " #b, __FILE__, __LINE__)
#define assert_memory_equal(a, b, n) \
	cmocka_check(!memcmp(a, b, n), #a " is " #b, __FILE__, __LINE__)

#endif
