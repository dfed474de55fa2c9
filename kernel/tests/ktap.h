/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KTAP on standard output. A case is what stands between ktap_case() and ktap_done(): its checks
 * print a diagnostic with file and line when they fail, and one is enough to fail the case. Checks
 * may run in several threads.
 *
 *	ktap_plan(2);
 *	ktap_case("width %u", width);
 *	if (CHECK_EQUAL(0, mr_reg(...)))
 *		CHECK(mr.lkey != 0);
 *	ktap_done();
 *	ktap_skip("no HCA", "mlx5_7");
 *	return ktap_exit();
 */
#ifndef KERNEL_TESTS_KTAP_H
#define KERNEL_TESTS_KTAP_H

#include <stdbool.h>
#include <stdint.h>

void ktap_plan(unsigned int cases);
__attribute__((format(printf, 1, 2))) void ktap_case(const char *format, ...);
void ktap_done(void);
/* A whole case that does not run, or instead of ktap_done() the rest of one (@format NULL). */
__attribute__((format(printf, 2, 3))) void ktap_skip(const char *cause, const char *format, ...);
/* Where in the case it is: part of the diagnostics of checks that fail from here to its end. */
__attribute__((format(printf, 1, 2))) void ktap_step(const char *format, ...);
/* A diagnostic line. */
__attribute__((format(printf, 1, 2))) void ktap_note(const char *format, ...);
/* Ends the program without the rest of its cases: the plan tells that they are missing. */
__attribute__((format(printf, 1, 2), noreturn)) void ktap_bail(const char *format, ...);
/* Ends the program that way unless @ret is 0; @what names what failed with the errno -@ret. */
void ktap_must(int ret, const char *what);
/* Exit status: 0 all passed, 1 some failed or are missing, 4 all skipped. */
int ktap_exit(void);

bool ktap_check(bool ok, const char *file, int line, const char *what);
bool ktap_equal(int64_t expected, int64_t got, const char *file, int line, const char *what);

/* True when the check holds. */
#define CHECK(condition)	   ktap_check(condition, __FILE__, __LINE__, #condition)
#define CHECK_EQUAL(expected, got) ktap_equal(expected, got, __FILE__, __LINE__, #got)

#endif
