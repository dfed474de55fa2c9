// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause OR Linux-OpenIB
/* What sysfs says of a PCI function, without opening it; see vfiobar.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define _FILE_OFFSET_BITS 64
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "vfiobar_internal.h"

/* IORESOURCE_MEM and IORESOURCE_PREFETCH, in the third column of sysfs' "resource". */
#define RESOURCE_MEM	  0x200
#define RESOURCE_PREFETCH 0x2000

static void sysfs_path(char *path, size_t len, const char *bdf, const char *leaf)
{
	snprintf(path, len, "/sys/bus/pci/devices/%s%s%s", bdf, *leaf ? "/" : "", leaf);
}

static bool copy_name(char *name, size_t len, const char *from)
{
	size_t n = strlen(from);

	if (n >= len)
		return false;
	memcpy(name, from, n + 1);
	return true;
}

bool vfiobar_link_name(const char *bdf, const char *leaf, char *name, size_t len)
{
	char path[128], target[512];
	const char *slash;
	ssize_t n;

	sysfs_path(path, sizeof(path), bdf, leaf);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	slash = strrchr(target, '/');
	return copy_name(name, len, slash ? slash + 1 : target);
}

bool vfiobar_cdev_name(const char *bdf, char *name, size_t len)
{
	struct dirent *entry;
	char path[128];
	bool found = false;
	DIR *dir;

	sysfs_path(path, sizeof(path), bdf, "vfio-dev");
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)))
		found = entry->d_name[0] != '.' && copy_name(name, len, entry->d_name);
	closedir(dir);
	return found;
}

bool vfiobar_cdev_number(const char *bdf, dev_t *number)
{
	unsigned int major_number, minor_number;
	char path[128], name[64], leaf[80];
	FILE *f;
	int n;

	if (!vfiobar_cdev_name(bdf, name, sizeof(name)))
		return false;
	snprintf(leaf, sizeof(leaf), "vfio-dev/%s/dev", name);
	sysfs_path(path, sizeof(path), bdf, leaf);
	f = fopen(path, "re");
	n = f ? fscanf(f, "%u:%u", &major_number, &minor_number) : 0;
	if (f)
		fclose(f);
	if (n != 2)
		return false;
	*number = makedev(major_number, minor_number);
	return true;
}

int vfiobar_check_bound(const char *bdf, struct vfiobar_msg *msg)
{
	char path[128], name[64];

	sysfs_path(path, sizeof(path), bdf, "");
	if (access(path, F_OK)) {
		vfiobar_say(msg, "%s: no such PCI device", bdf);
		return -ENODEV;
	}
	if (!vfiobar_link_name(bdf, "driver", name, sizeof(name))) {
		vfiobar_say(msg, "%s: not bound to vfio-pci (no driver)", bdf);
		return -ENXIO;
	}
	/* Variant drivers have names of their own; what they share is the vfio device below them.
	 */
	sysfs_path(path, sizeof(path), bdf, "vfio-dev");
	if (strcmp(name, "vfio-pci") && access(path, F_OK)) {
		vfiobar_say(msg, "%s: not bound to vfio-pci (driver %s)", bdf, name);
		return -ENXIO;
	}
	return 0;
}

/* Sizes and prefetchability. Raw configuration space cannot tell them: that of a VF has no BARs. */
static int sysfs_bars(struct vfiobar_layout *layout, struct vfiobar_msg *msg)
{
	char path[128];
	FILE *f;

	sysfs_path(path, sizeof(path), layout->bdf, "resource");
	f = fopen(path, "re");
	if (!f)
		return vfiobar_say_errno(msg, layout->bdf,
					 "reading its resources from sysfs failed", errno);
	layout->prefetchable = 0;
	for (unsigned int i = 0; i < VFIOBAR_BARS; i++) {
		unsigned long long start, end, flags;

		if (fscanf(f, "%llx %llx %llx", &start, &end, &flags) != 3)
			break;
		if (!(flags & RESOURCE_MEM) || end <= start)
			continue;
		layout->bar_size[i] = end - start + 1;
		if (flags & RESOURCE_PREFETCH)
			layout->prefetchable |= 1u << i;
	}
	fclose(f);
	return 0;
}

/* The number in an attribute of the function. */
static int sysfs_number(const char *bdf, const char *leaf, unsigned int *value,
			struct vfiobar_msg *msg)
{
	char path[128], what[64];
	FILE *f;
	int n;

	sysfs_path(path, sizeof(path), bdf, leaf);
	f = fopen(path, "re");
	n = f ? fscanf(f, "%x", value) : 0;
	if (f)
		fclose(f);
	if (n == 1)
		return 0;
	snprintf(what, sizeof(what), "reading its %s from sysfs failed", leaf);
	return vfiobar_say_errno(msg, bdf, what, f ? ENODATA : errno);
}

/* Raw configuration space has ffff:ffff for a VF (SR-IOV specification), but the kernel knows. */
static int sysfs_identity(struct vfiobar_layout *layout, struct vfiobar_msg *msg)
{
	unsigned int vendor, device, class_code;
	int ret;

	ret = sysfs_number(layout->bdf, "vendor", &vendor, msg);
	if (!ret)
		ret = sysfs_number(layout->bdf, "device", &device, msg);
	if (!ret)
		ret = sysfs_number(layout->bdf, "class", &class_code, msg);
	if (ret)
		return ret;
	layout->vendor = (uint16_t)vendor;
	layout->device = (uint16_t)device;
	layout->class_code = class_code;
	return 0;
}

int vfiobar_sysfs_layout(const char *bdf, struct vfiobar_layout *layout, bool capabilities,
			 struct vfiobar_msg *msg)
{
	struct vfiobar_layout found = { .size = sizeof(found) };
	uint8_t cfg[VFIOBAR_CFG_LEN];
	char path[128];
	ssize_t n;
	int fd, ret;

	snprintf(found.bdf, sizeof(found.bdf), "%s", bdf);
	ret = vfiobar_check_bound(bdf, msg);
	if (ret)
		return ret;
	sysfs_path(path, sizeof(path), bdf, "config");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return vfiobar_say_errno(msg, bdf, "opening its configuration space failed", errno);
	n = pread(fd, cfg, sizeof(cfg), 0);
	close(fd);
	ret = vfiobar_parse_config(cfg, n < 0 ? 0 : (size_t)n, &found);
	if (ret)
		return vfiobar_say_errno(msg, bdf, "reading its configuration space failed", -ret);
	/* Pages of MSI-X that are not known would not be refused. */
	if (capabilities && n < VFIOBAR_CFG_LEN) {
		vfiobar_say(msg,
			    "%s: sysfs shows this user only %zd bytes of its configuration space, "
			    "and so no capabilities (EACCES)",
			    bdf, n);
		return -EACCES;
	}
	ret = sysfs_bars(&found, msg);
	if (!ret)
		ret = sysfs_identity(&found, msg);
	if (!ret)
		*layout = found;
	return ret;
}

int vfiobar_read_layout(const char *text, struct vfiobar_layout *layout, struct vfiobar_msg *msg)
{
	struct vfiobar_layout found;
	char bdf[VFIOBAR_BDF_LEN];
	int ret;

	ret = vfiobar_parse_bdf(text, bdf, msg);
	if (!ret)
		ret = vfiobar_sysfs_layout(bdf, &found, true, msg);
	return ret ? ret : vfiobar_give(layout, &found, sizeof(found), VFIOBAR_LAYOUT_V1, msg);
}
