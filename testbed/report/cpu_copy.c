// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long the CPU takes to copy from memory into memory and into a BAR that vfio-pci owns.
 * Prints a line "host|bar BYTES COPIES NANOSECONDS" for each size, all copies together.
 *
 * Usage: cpu_copy BDF BAR BYTES...
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vfiobar/vfiobar.h"

/* A clock tick must not show, and a BAR that traps must not take minutes. */
#define ENOUGH_NS  20000000
#define MAX_COPIES 100000u

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}

static void to_memory(volatile void *to, const void *from, size_t length)
{
	memcpy((void *)(uintptr_t)to, from, length);
	__asm__ volatile("" ::: "memory");
}

static void measure(const char *where, void (*copy)(volatile void *, const void *, size_t),
		    volatile void *to, const void *from, size_t length)
{
	unsigned int copies = 0;
	int64_t begin, spent;

	copy(to, from, length); /* page faults */
	begin = now_ns();
	do {
		copy(to, from, length);
		copies++;
		spent = now_ns() - begin;
	} while (spent < ENOUGH_NS && copies < MAX_COPIES);
	printf("%s %zu %u %lld\n", where, length, copies, (long long)spent);
}

static int fail(const char *what)
{
	fprintf(stderr, "cpu_copy: %s\n", what);
	return 1;
}

int main(int argc, char **argv)
{
	struct vfiobar_window *window;
	struct vfiobar_msg msg;
	struct vfiobar *bar;
	size_t longest = 0;
	char *from, *to;

	if (argc < 4)
		return fail("usage: cpu_copy BDF BAR BYTES...");
	for (int i = 3; i < argc; i++) {
		size_t length = strtoul(argv[i], NULL, 10);

		if (!length)
			return fail("BYTES must be a number above 0");
		longest = length > longest ? length : longest;
	}
	from = malloc(longest);
	to = malloc(longest);
	if (!from || !to)
		return fail("out of memory");
	memset(from, 0x5a, longest);
	if (vfiobar_open(argv[1], &bar, &msg) ||
	    vfiobar_window_open(bar, (unsigned int)strtoul(argv[2], NULL, 10), 0, longest, &window,
				&msg))
		return fail(msg.text);
	if (!vfiobar_window_addr(window))
		return fail("the BAR cannot be mapped");
	for (int i = 3; i < argc; i++) {
		size_t length = strtoul(argv[i], NULL, 10);

		measure("host", to_memory, to, from, length);
		measure("bar", vfiobar_copy_to, vfiobar_window_addr(window), from, length);
	}
	vfiobar_window_close(window);
	vfiobar_close(bar);
	free(from);
	free(to);
	return 0;
}
