// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast this machine copies memory that processes share, as a guest's is, for ./tph bench.
 *
 * Usage: copies KIND BYTES
 *
 * Prints 10^6 bytes per second. KIND is memcpy: to the same place each time, from the same place,
 * so that caches have it if it is small; memcpy-pages: the same, but each 4 KiB are somewhere, as
 * those of a buffer of a guest's program are; or memcpy-stream: through 128 MiB, so that no cache
 * has it.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ENOUGH_NS 100000000
#define SELDOM	  ((size_t)1 << 20) /* bytes between two looks at the clock */
#define PAGE	  4096u
/* Half of it to copy from: more than caches have. */
#define MEMORY	   ((size_t)256 << 20)
#define HALF	   (MEMORY / 2)
#define MAX_PIECES (HALF / PAGE)

struct piece {
	char *to;
	const char *from;
	size_t len;
};

static char *memory;
static struct piece pieces[MAX_PIECES];
static size_t count;

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}

static void add(size_t to, size_t from, size_t len)
{
	pieces[count++] = (struct piece){ memory + HALF + to, memory + from, len };
}

/* Where page @number of a buffer is: an odd factor gives each page of a half once. */
static size_t somewhere(size_t number, size_t factor)
{
	return number * factor % (HALF / PAGE) * PAGE;
}

static int plan(const char *kind, size_t len)
{
	if (!strcmp(kind, "memcpy")) {
		add(0, 0, len);
	} else if (!strcmp(kind, "memcpy-pages")) {
		for (size_t at = 0; at < len; at += PAGE)
			add(somewhere(at / PAGE, 12345), somewhere(at / PAGE, 23457),
			    len - at < PAGE ? len - at : PAGE);
	} else if (!strcmp(kind, "memcpy-stream")) {
		for (size_t at = 0; at + len <= HALF && count < MAX_PIECES; at += len)
			add(at, at, len);
	} else {
		return -EINVAL;
	}
	return 0;
}

/* copy_all() - all pieces, @times. Returns the bytes. */
static size_t copy_all(size_t times)
{
	size_t copied = 0;

	while (times--)
		for (size_t i = 0; i < count; i++) {
			memcpy(pieces[i].to, pieces[i].from, pieces[i].len);
			__asm__ volatile("" ::: "memory");
			copied += pieces[i].len;
		}
	return copied;
}

static int fail(const char *what)
{
	fprintf(stderr, "copies: %s\n", what);
	return 1;
}

int main(int argc, char **argv)
{
	int64_t begin, spent;
	size_t len, times, copied = 0;
	char *end;
	int fd;

	if (argc != 3)
		return fail("usage: copies KIND BYTES");
	len = strtoull(argv[2], &end, 10);
	if (*end || !len || len > HALF)
		return fail("BYTES: 1 to 128 MiB");
	fd = memfd_create("copies", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, (off_t)MEMORY))
		return fail(strerror(errno));
	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return fail(strerror(errno));
	if (plan(argv[1], len))
		return fail("KIND: memcpy, memcpy-pages or memcpy-stream");
	/* Pages that are not there yet. */
	memset(memory, 0x5a, MEMORY);
	times = 1 + SELDOM / copy_all(1);
	begin = now_ns();
	do {
		copied += copy_all(times);
		spent = now_ns() - begin;
	} while (spent < ENOUGH_NS);
	printf("%.1f\n", (double)copied * 1000 / (double)spent);
	return 0;
}
