/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause OR Linux-OpenIB */
/* What the files of vfiobar share, and its unit tests look at; nothing of it is exported. */
#ifndef VFIOBAR_INTERNAL_H
#define VFIOBAR_INTERNAL_H

#include <sys/types.h>

#include "vfiobar.h"

/* What is read of configuration space: the part that has BARs and PCI capabilities. */
#define VFIOBAR_CFG_LEN 256

/* Sizes of the first versions; smaller ones never were. */
#define VFIOBAR_LAYOUT_V1 128
#define VFIOBAR_HINT_V1	  12

/* Writes the line. NULL @msg is fine. */
__attribute__((format(printf, 2, 3))) void vfiobar_say(struct vfiobar_msg *msg, const char *fmt,
						       ...);
/* "<bdf>: <what>: <strerror> (<name>)"; returns -@err. */
int vfiobar_say_errno(struct vfiobar_msg *msg, const char *bdf, const char *what, int err);

/*
 * Copies a structure that begins with its size, by the rules in vfiobar.h: from the caller (@to has
 * @have bytes, what was not given becomes 0), and to the caller. @first is the size of the first
 * version. -EINVAL, -E2BIG; nothing is written then.
 */
int vfiobar_take(void *to, size_t have, const void *from, size_t first, struct vfiobar_msg *msg);
int vfiobar_give(void *to, const void *from, size_t have, size_t first, struct vfiobar_msg *msg);

/*
 * Takes identity, prefetchable BARs, TPH completer and MSI-X ranges from @len bytes of
 * configuration space; bar_size is not touched except that I/O BARs are set to 0. Without 64 bytes,
 * or for a function that does not answer (all ones), -ENODATA and nothing changed.
 */
int vfiobar_parse_config(const uint8_t *cfg, size_t len, struct vfiobar_layout *layout);

/*
 * Does a VFIO_DEVICE_GET_REGION_INFO answer of @size bytes allow mmap of the range? Follows the
 * sparse mmap capability; a malformed capability chain means no.
 */
bool vfiobar_mappable(const void *info, size_t size, uint64_t offset, uint64_t length);

/* Last component of a symlink's target in the function's directory; false without such a link. */
bool vfiobar_link_name(const char *bdf, const char *leaf, char *name, size_t len);
/* The function's entry below vfio-dev/, "vfio3" or "noiommu-vfio3"; false when there is none. */
bool vfiobar_cdev_name(const char *bdf, char *name, size_t len);
/* The number of that entry's device node; false when there is none. */
bool vfiobar_cdev_number(const char *bdf, dev_t *number);
/* -ENODEV no such function, -ENXIO not bound to a vfio driver. */
int vfiobar_check_bound(const char *bdf, struct vfiobar_msg *msg);
/*
 * vfiobar_read_layout() of this library's own structure; @bdf is canonical. Without @capabilities,
 * what only they say (completer and MSI-X) may be missing.
 */
int vfiobar_sysfs_layout(const char *bdf, struct vfiobar_layout *layout, bool capabilities,
			 struct vfiobar_msg *msg);

#endif
