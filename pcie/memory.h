/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory of a BAR that the host may map, too. */
#ifndef PCIE_MEMORY_H
#define PCIE_MEMORY_H

#include <stddef.h>

/*
 * A file in memory of @size bytes, all zero, called @name, mapped here. Whoever is handed the
 * descriptor can map and write it, but not change its size, nor seal it: an access here never
 * finds the memory gone. *@fd and *@memory become the caller's, who closes and unmaps them, also
 * after an error: -1 and MAP_FAILED then where there is nothing. Returns 0 or -errno.
 */
int pcie_memory_new(const char *name, size_t size, int *fd, void **memory);

/*
 * Another file, all zero, in place of the one of @size bytes that is behind @fd and at @memory: a
 * host that kept the old one shares nothing with the next. Nobody maps or hands out @fd meanwhile;
 * who uses the bytes at that time finds the old ones or the new ones.
 * Without another file (EMFILE, ENOMEM ...) the old one is emptied: the bytes are zero in any case.
 * Returns 0 or -errno.
 */
int pcie_memory_renew(const char *name, size_t size, int fd, void *memory);

#endif
