/* SPDX-License-Identifier: GPL-2.0 */
#include "pcie/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

int pcie_memory_new(const char *name, size_t size, int *fd, void **memory)
{
	*memory = MAP_FAILED;
	*fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd < 0 || ftruncate(*fd, (off_t)size) || fcntl(*fd, F_ADD_SEALS, SEALS))
		return -errno;
	/* Pages are taken when they are touched: a large BAR of which little is used costs little.
	 */
	*memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, *fd, 0);
	return *memory == MAP_FAILED ? -errno : 0;
}
