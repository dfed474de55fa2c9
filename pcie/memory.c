/* SPDX-License-Identifier: GPL-2.0-only */
#include "pcie/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* Returns 0 or -errno; *@fd is the caller's then, too, if it is not -1. */
static int open_file(const char *name, size_t size, int *fd)
{
	*fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd < 0 || ftruncate(*fd, (off_t)size) || fcntl(*fd, F_ADD_SEALS, SEALS))
		return -errno;
	return 0;
}

/*
 * Pages are taken when they are touched: a large BAR of which little is used costs little.
 * @at: NULL, or where to put it. Returns MAP_FAILED with errno.
 */
static void *map_file(void *at, size_t size, int fd)
{
	return mmap(at, size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_NORESERVE | (at ? MAP_FIXED : 0), fd, 0);
}

int pcie_memory_new(const char *name, size_t size, int *fd, void **memory)
{
	int ret = open_file(name, size, fd);

	*memory = MAP_FAILED;
	if (ret)
		return ret;
	*memory = map_file(NULL, size, *fd);
	return *memory == MAP_FAILED ? -errno : 0;
}

int pcie_memory_renew(const char *name, size_t size, int fd, void *memory)
{
	int other, ret = open_file(name, size, &other);

	/* A number that is in use can always be taken over, so both change or none does. */
	if (!ret && map_file(memory, size, other) == MAP_FAILED)
		ret = -errno;
	if (!ret)
		dup3(other, fd, O_CLOEXEC);
	else if (madvise(memory, size, MADV_REMOVE))
		memset(memory, 0, size);
	if (other >= 0)
		close(other);
	return ret;
}
