/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/unmodelled.h"

static void expect(struct unmodelled *list, const char *text)
{
	char *printed = NULL;
	size_t size;
	FILE *out = open_memstream(&printed, &size);

	assert_non_null(out);
	unmodelled_print(list, "hca0", out);
	fclose(out);
	assert_string_equal(printed, text);
	free(printed);
}

static void test_once(void **state)
{
	struct unmodelled list;

	(void)state;
	unmodelled_init(&list);
	expect(&list, "");
	unmodelled_note(&list, "command 0x%x", 0x108);
	unmodelled_note(&list, "register");
	unmodelled_note(&list, "command 0x108");
	expect(&list, "hca0: command 0x108\nhca0: register\n");
	unmodelled_free(&list);
}

static void test_long(void **state)
{
	char name[2 * UNMODELLED_NAME + 1], text[UNMODELLED_NAME + 8];
	struct unmodelled list;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	unmodelled_init(&list);
	unmodelled_note(&list, "%s", name);
	/* The end is not looked at. */
	unmodelled_note(&list, "%sy", name);
	snprintf(text, sizeof(text), "hca0: %.*s\n", (int)UNMODELLED_NAME - 1, name);
	expect(&list, text);
	unmodelled_free(&list);
}

/* However many a guest finds, the list ends; and what is in it stays found. */
static void test_limit(void **state)
{
	char *text = NULL;
	struct unmodelled list;
	unsigned int i;
	size_t size;
	FILE *out;

	(void)state;
	unmodelled_init(&list);
	out = open_memstream(&text, &size);
	assert_non_null(out);
	for (i = 0; i < UNMODELLED_MAX + 10; i++) {
		unmodelled_note(&list, "register %u", i);
		if (i < UNMODELLED_MAX)
			fprintf(out, "hca0: register %u\n", i);
	}
	fclose(out);
	unmodelled_note(&list, "register %u", UNMODELLED_MAX - 1);
	expect(&list, text);
	free(text);
	unmodelled_free(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
