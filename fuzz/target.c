/* SPDX-License-Identifier: GPL-2.0-only */
#include "fuzz/target.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

/*
 * Processor time of one input, seconds. libFuzzer's own limit is of the clock on the wall, and so
 * has to be generous on a machine that does other things, too.
 */
#define SECONDS 10

static int report = 2;

/* How sanitizers behave. What was freed is kept for a while, to see who uses it: in little memory.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=32:allocator_may_return_null=1";
}

void finding(const char *format, ...)
{
	va_list args;

	dprintf(report, "finding: ");
	va_start(args, format);
	vdprintf(report, format, args);
	va_end(args);
	dprintf(report, "\n");
	abort();
}

static void too_long(int sig)
{
	(void)sig;
	finding("an input takes more than %d s of processor time", SECONDS);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	report = dup(2);
	signal(SIGPROF, too_long);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct itimerval limit = { .it_value.tv_sec = SECONDS }, none;

	setitimer(ITIMER_PROF, &limit, NULL);
	target_input(data, size);
	setitimer(ITIMER_PROF, &none, NULL);
	return 0;
}
