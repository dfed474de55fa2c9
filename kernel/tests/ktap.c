// SPDX-License-Identifier: GPL-2.0-only
/* KTAP output; see ktap.h. */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ktap.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int planned, done, failed, skipped;
static bool case_failed;
static char case_name[256], step[128];

void ktap_plan(unsigned int cases)
{
	/* A crash must not take along what was found before it. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	planned = cases;
	printf("TAP version 13\n1..%u\n", cases);
}

static void set_case(const char *format, va_list args)
{
	vsnprintf(case_name, sizeof(case_name), format, args);
	case_failed = false;
	step[0] = '\0';
}

void ktap_case(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_case(format, args);
	va_end(args);
}

void ktap_done(void)
{
	done++;
	if (case_failed)
		failed++;
	printf("%sok %u %s\n", case_failed ? "not " : "", done, case_name);
}

void ktap_skip(const char *cause, const char *format, ...)
{
	va_list args;

	if (format) {
		va_start(args, format);
		set_case(format, args);
		va_end(args);
	}
	if (case_failed) {
		ktap_done();
		return;
	}
	done++;
	skipped++;
	printf("ok %u %s # SKIP %s\n", done, case_name, cause);
}

void ktap_step(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(step, sizeof(step) - 2, format, args);
	va_end(args);
	strcat(step, ": ");
}

static void note(const char *format, va_list args)
{
	char text[512];

	vsnprintf(text, sizeof(text), format, args);
	printf("# %s\n", text);
}

void ktap_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	note(format, args);
	va_end(args);
}

void ktap_bail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	note(format, args);
	va_end(args);
	exit(1);
}

void ktap_must(int ret, const char *what)
{
	if (ret)
		ktap_bail("%s: %d", what, ret);
}

int ktap_exit(void)
{
	printf("# passed %u failed %u skipped %u of %u\n", done - failed - skipped, failed, skipped,
	       planned);
	if (failed || done != planned)
		return 1;
	return skipped == done ? 4 : 0;
}

static void fail(void)
{
	pthread_mutex_lock(&lock);
	case_failed = true;
	pthread_mutex_unlock(&lock);
}

bool ktap_check(bool ok, const char *file, int line, const char *what)
{
	if (!ok) {
		fail();
		ktap_note("%s%s:%d: not so: %s", step, file, line, what);
	}
	return ok;
}

bool ktap_equal(int64_t expected, int64_t got, const char *file, int line, const char *what)
{
	if (expected != got) {
		fail();
		ktap_note("%s%s:%d: %s: expected %lld, got %lld", step, file, line, what,
			  (long long)expected, (long long)got);
	}
	return expected == got;
}
