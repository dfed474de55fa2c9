/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies from and to memory that the client shares. The client may shrink the file behind it at any
 * time, and a machine may run out of pages for it: the access then raises SIGBUS, which these
 * functions survive. Any thread may call them that does not block SIGBUS.
 */
#ifndef VFIO_USER_COPY_H
#define VFIO_USER_COPY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Catch SIGBUS of the process, unless this does so already. One that no copy of ours raised goes to
 * whatever was in place before, and ours is not put back then.
 */
void vfio_user_copy_init(void);

/*
 * Copy @len bytes, at least 1, from @from, or to @to, of the client. A word of up to 8 bytes that
 * lies on a multiple of its size is read in one access. A write shows its last aligned word after
 * all the bytes before it. Returns false when the memory is gone; part of the bytes may be copied.
 */
bool vfio_user_copy_from(void *to, const void *from, size_t len);
bool vfio_user_copy_to(void *to, const void *from, size_t len);
/*
 * The same from memory of one client to that of another, or the same one, which may overlap. The
 * bytes are moved once.
 */
bool vfio_user_copy_between(void *to, const void *from, size_t len);

#endif
