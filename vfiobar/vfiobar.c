// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause OR Linux-OpenIB
/* The BARs of a PCI function that vfio-pci owns; see vfiobar.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vfiobar_internal.h"

/*
 * uAPI that the headers of current distributions lack: iommufd binding is in Linux 6.6, the dma-buf
 * export in 6.19, the hint in neither. Own names, so that newer headers do not collide.
 */
#define IOCTL_BIND_IOMMUFD   _IO(VFIO_TYPE, VFIO_BASE + 18)
#define FEATURE_DMA_BUF	     11
#define FEATURE_DMA_BUF_TPH  14
#define TPH_STEERING_TAG     (1u << 0)
#define TPH_STEERING_TAG_EXT (1u << 1)
#define IOMMU_TYPE_NONE	     8

struct bind_iommufd {
	uint32_t argsz;
	uint32_t flags;
	int32_t iommufd;
	uint32_t out_devid;
};

struct feature_dma_buf {
	uint32_t region_index;
	uint32_t open_flags;
	uint32_t flags;
	uint32_t nr_ranges;
	struct vfiobar_range range[];
};

struct feature_dma_buf_tph {
	int32_t dmabuf_fd;
	uint32_t flags;
	uint16_t steering_tag;
	uint16_t steering_tag_ext;
	uint8_t ph;
	uint8_t reserved[3];
};

_Static_assert(sizeof(struct bind_iommufd) == 16, "layout of the kernel interface");
_Static_assert(sizeof(struct vfiobar_range) == 16, "layout of the kernel interface");
_Static_assert(sizeof(struct feature_dma_buf) == 16, "layout of the kernel interface");
_Static_assert(sizeof(struct feature_dma_buf_tph) == 16, "layout of the kernel interface");

struct region {
	struct vfio_region_info *info;
	size_t size;
};

struct vfiobar {
	struct vfiobar_layout layout;
	const char *access;
	int fd;
	int iommufd;
	int container;
	int group;
	struct region bar[VFIOBAR_BARS];
	bool registers_allowed;
	bool adopted; /* fd is somebody else's */
};

struct vfiobar_window {
	struct vfiobar *dev;
	uint64_t length;
	uint64_t fd_offset;
	volatile uint8_t *addr; /* NULL: not mapped */
	void *map;
	size_t map_length;
	unsigned int bar;
	uint64_t offset; /* in the BAR */
};

/* -ENOENT: this kernel has no vfio character devices, or no iommufd. */
static int open_cdev(struct vfiobar *dev, struct vfiobar_msg *msg)
{
	struct bind_iommufd bind = { .argsz = sizeof(bind) };
	const char *bdf = dev->layout.bdf;
	char name[64], path[128];
	int ret;

	if (!vfiobar_cdev_name(bdf, name, sizeof(name))) {
		vfiobar_say(msg, "%s: has no vfio character device (a kernel without?)", bdf);
		return -ENOENT;
	}
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", name);
	dev->fd = open(path, O_RDWR | O_CLOEXEC);
	if (dev->fd < 0)
		return vfiobar_say_errno(msg, bdf, "opening its vfio character device failed",
					 errno);
	dev->iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (dev->iommufd < 0) {
		ret = vfiobar_say_errno(msg, bdf, "opening /dev/iommu failed", errno);
		return ret == -ENODEV || ret == -ENXIO ? -ENOENT : ret;
	}
	bind.iommufd = dev->iommufd;
	if (ioctl(dev->fd, IOCTL_BIND_IOMMUFD, &bind))
		return vfiobar_say_errno(
			msg, bdf,
			"binding to iommufd failed (in use, or its IOMMU group has a host driver?)",
			errno);
	dev->access = strncmp(name, "noiommu", 7) ? "iommufd" : "iommufd, no IOMMU";
	return 0;
}

static int open_group(struct vfiobar *dev, struct vfiobar_msg *msg)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	const char *bdf = dev->layout.bdf;
	bool noiommu = false;
	char group[32], path[64];
	int type;

	if (!vfiobar_link_name(bdf, "iommu_group", group, sizeof(group))) {
		vfiobar_say(msg, "%s: in no IOMMU group (no-IOMMU mode off?)", bdf);
		return -ENXIO;
	}
	snprintf(path, sizeof(path), "/dev/vfio/%s", group);
	dev->group = open(path, O_RDWR | O_CLOEXEC);
	if (dev->group < 0 && errno == ENOENT) {
		snprintf(path, sizeof(path), "/dev/vfio/noiommu-%s", group);
		dev->group = open(path, O_RDWR | O_CLOEXEC);
		noiommu = true;
	}
	if (dev->group < 0)
		return vfiobar_say_errno(msg, bdf, "opening its vfio group failed", errno);
	if (ioctl(dev->group, VFIO_GROUP_GET_STATUS, &status))
		return vfiobar_say_errno(msg, bdf, "asking for the status of its vfio group failed",
					 errno);
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
		vfiobar_say(msg,
			    "%s: IOMMU group %s is not viable: another function has a host driver",
			    bdf, group);
		return -EBUSY;
	}
	dev->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (dev->container < 0)
		return vfiobar_say_errno(msg, bdf, "opening /dev/vfio/vfio failed", errno);
	if (ioctl(dev->group, VFIO_GROUP_SET_CONTAINER, &dev->container))
		return vfiobar_say_errno(msg, bdf, "putting its group into a container failed",
					 errno);
	type = noiommu ? IOMMU_TYPE_NONE : VFIO_TYPE1v2_IOMMU;
	if (ioctl(dev->container, VFIO_SET_IOMMU, type))
		return vfiobar_say_errno(msg, bdf,
					 "choosing the IOMMU type of its container failed", errno);
	dev->fd = ioctl(dev->group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	if (dev->fd < 0)
		return vfiobar_say_errno(msg, bdf, "getting the device from its group failed",
					 errno);
	dev->access = noiommu ? "group, no IOMMU" : "group";
	return 0;
}

/* Asks twice: the answer may grow by a capability chain. */
static int region_info(struct vfiobar *dev, unsigned int index, struct region *region)
{
	size_t size = sizeof(*region->info);

	for (unsigned int i = 0; i < 2; i++) {
		struct vfio_region_info *info = calloc(1, size);

		if (!info)
			return -ENOMEM;
		info->argsz = (uint32_t)size;
		info->index = index;
		if (ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, info)) {
			int err = errno;

			free(info);
			return -err;
		}
		free(region->info);
		*region = (struct region){ .info = info, .size = size };
		if (info->argsz <= size)
			break;
		size = info->argsz;
	}
	return 0;
}

/* A character device has a number that only this function has; the descriptor of a group has none.
 */
static bool other_node(int fd, const char *bdf)
{
	struct stat st;
	dev_t number;

	return !fstat(fd, &st) && S_ISCHR(st.st_mode) && vfiobar_cdev_number(bdf, &number) &&
	       st.st_rdev != number;
}

static int look(struct vfiobar *dev, struct vfiobar_msg *msg)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	const char *bdf = dev->layout.bdf;
	struct region config = { 0 };
	uint8_t cfg[VFIOBAR_CFG_LEN];
	ssize_t n;
	int ret;

	if (ioctl(dev->fd, VFIO_DEVICE_GET_INFO, &info))
		return vfiobar_say_errno(msg, bdf, "asking vfio for the device failed", errno);
	if (!(info.flags & VFIO_DEVICE_FLAGS_PCI)) {
		vfiobar_say(msg, "%s: not a PCI device for vfio", bdf);
		return -ENXIO;
	}
	if (dev->adopted && other_node(dev->fd, bdf)) {
		vfiobar_say(msg, "%s: descriptor %d is the character device of another function",
			    bdf, dev->fd);
		return -EINVAL;
	}
	for (unsigned int i = 0; i < VFIOBAR_BARS; i++) {
		ret = region_info(dev, VFIO_PCI_BAR0_REGION_INDEX + i, &dev->bar[i]);
		if (ret)
			return vfiobar_say_errno(msg, bdf, "asking vfio for a BAR failed", -ret);
		dev->layout.bar_size[i] = dev->bar[i].info->size;
	}
	ret = region_info(dev, VFIO_PCI_CONFIG_REGION_INDEX, &config);
	if (ret)
		return vfiobar_say_errno(msg, bdf, "asking vfio for configuration space failed",
					 -ret);
	n = pread(dev->fd, cfg, sizeof(cfg), (off_t)config.info->offset);
	free(config.info);
	ret = vfiobar_parse_config(cfg, n < 0 ? 0 : (size_t)n, &dev->layout);
	if (ret)
		return vfiobar_say_errno(msg, bdf, "reading its configuration space failed", -ret);
	return 0;
}

static void close_fds(struct vfiobar *dev)
{
	int *fds[] = { &dev->fd, &dev->iommufd, &dev->group, &dev->container };

	for (unsigned int i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

/* A device with its address in it, and nothing open. */
static int new_device(const char *text, struct vfiobar **out, struct vfiobar_msg *msg)
{
	char bdf[VFIOBAR_BDF_LEN];
	struct vfiobar *dev;
	int ret;

	ret = vfiobar_parse_bdf(text, bdf, msg);
	if (!ret)
		ret = vfiobar_check_bound(bdf, msg);
	if (ret)
		return ret;
	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return vfiobar_say_errno(msg, bdf, "opening it failed", ENOMEM);
	dev->fd = dev->iommufd = dev->group = dev->container = -1;
	dev->layout.size = sizeof(dev->layout);
	memcpy(dev->layout.bdf, bdf, sizeof(bdf));
	*out = dev;
	return 0;
}

/*
 * The first way that there is. What file permissions (-EACCES) or a container's device rules
 * (-EPERM) keep this user from may be open by the other one.
 */
static int open_any(struct vfiobar *dev, struct vfiobar_msg *msg)
{
	struct vfiobar_msg first = { "" };
	int cdev, group;

	cdev = open_cdev(dev, &first);
	if (cdev != -ENOENT && cdev != -EACCES && cdev != -EPERM) {
		if (cdev)
			vfiobar_say(msg, "%s", first.text);
		return cdev;
	}
	close_fds(dev);
	group = open_group(dev, msg);
	if (!group || cdev == -ENOENT)
		return group;
	vfiobar_say(msg, "%.190s; nor by its group (%s)", first.text, vfiobar_errno_name(-group));
	return cdev;
}

int vfiobar_open(const char *text, struct vfiobar **out, struct vfiobar_msg *msg)
{
	return vfiobar_open_by(text, VFIOBAR_ANY, out, msg);
}

int vfiobar_open_by(const char *text, enum vfiobar_interface by, struct vfiobar **out,
		    struct vfiobar_msg *msg)
{
	static int (*const openers[])(struct vfiobar *, struct vfiobar_msg *) = {
		[VFIOBAR_ANY] = open_any,
		[VFIOBAR_IOMMUFD] = open_cdev,
		[VFIOBAR_GROUP] = open_group,
	};
	struct vfiobar *dev;
	int ret;

	if ((unsigned int)by >= sizeof(openers) / sizeof(openers[0])) {
		vfiobar_say(msg, "%s: no interface %d to open it by", text, (int)by);
		return -EINVAL;
	}
	ret = new_device(text, &dev, msg);
	if (ret)
		return ret;
	ret = openers[by](dev, msg);
	if (!ret)
		ret = look(dev, msg);
	if (ret)
		vfiobar_close(dev);
	else
		*out = dev;
	return ret;
}

/* Whether what sysfs says of the address can be what the descriptor is of. */
static bool same_function(const struct vfiobar_layout *fd, const struct vfiobar_layout *sysfs)
{
	bool same = fd->vendor == sysfs->vendor && fd->device == sysfs->device &&
		    fd->class_code == sysfs->class_code;

	/* Variant drivers may add BARs. */
	for (unsigned int i = 0; i < VFIOBAR_BARS; i++)
		same = same && (!sysfs->bar_size[i] || sysfs->bar_size[i] == fd->bar_size[i]);
	return same;
}

int vfiobar_from_fd(int fd, const char *text, struct vfiobar **out, struct vfiobar_msg *msg)
{
	struct vfiobar_layout sysfs;
	struct vfiobar *dev;
	int ret;

	ret = new_device(text, &dev, msg);
	if (ret)
		return ret;
	dev->fd = fd;
	dev->adopted = true;
	dev->access = "descriptor";
	ret = vfiobar_sysfs_layout(dev->layout.bdf, &sysfs, false, msg);
	if (!ret)
		ret = look(dev, msg);
	if (!ret && !same_function(&dev->layout, &sysfs)) {
		vfiobar_say(msg, "%s: descriptor %d is of another function (%04x:%04x)",
			    dev->layout.bdf, fd, dev->layout.vendor, dev->layout.device);
		ret = -EINVAL;
	}
	if (ret)
		vfiobar_close(dev);
	else
		*out = dev;
	return ret;
}

void vfiobar_close(struct vfiobar *dev)
{
	if (!dev)
		return;
	if (dev->adopted)
		dev->fd = -1;
	close_fds(dev);
	for (unsigned int i = 0; i < VFIOBAR_BARS; i++)
		free(dev->bar[i].info);
	free(dev);
}

const struct vfiobar_layout *vfiobar_layout(const struct vfiobar *dev)
{
	return &dev->layout;
}

const char *vfiobar_access(const struct vfiobar *dev)
{
	return dev->access;
}

int vfiobar_fd(const struct vfiobar *dev)
{
	return dev->fd;
}

int vfiobar_reset(struct vfiobar *dev, struct vfiobar_msg *msg)
{
	if (!ioctl(dev->fd, VFIO_DEVICE_RESET))
		return 0;
	return vfiobar_say_errno(
		msg, dev->layout.bdf,
		errno == ENOTTY ? "reset failed, the function has none" : "reset failed", errno);
}

void vfiobar_allow_registers(struct vfiobar *dev)
{
	dev->registers_allowed = true;
}

static int check_use(const struct vfiobar *dev, unsigned int bar, uint64_t offset, uint64_t length,
		     uint64_t align, struct vfiobar_msg *msg)
{
	int ret = vfiobar_check_range(&dev->layout, bar, offset, length, align, msg);

	if (!ret && !dev->registers_allowed)
		ret = vfiobar_check_memory(&dev->layout, bar, msg);
	return ret;
}

int vfiobar_window_open(struct vfiobar *dev, unsigned int bar, uint64_t offset, uint64_t length,
			struct vfiobar_window **out, struct vfiobar_msg *msg)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), lead = offset & (page - 1), whole;
	struct vfiobar_window *w;
	const struct region *region;
	int ret;

	ret = check_use(dev, bar, offset, length, 1, msg);
	if (ret)
		return ret;
	w = calloc(1, sizeof(*w));
	if (!w)
		return vfiobar_say_errno(msg, dev->layout.bdf, "mapping its BAR failed", ENOMEM);
	region = &dev->bar[bar];
	w->dev = dev;
	w->bar = bar;
	w->offset = offset;
	w->length = length;
	w->fd_offset = region->info->offset + offset;
	whole = (lead + length + page - 1) & ~(page - 1);
	/* What does not fit into an address space of 32 bits is still read and written. */
	if (whole <= PTRDIFF_MAX &&
	    vfiobar_mappable(region->info, region->size, offset - lead, whole)) {
		w->map_length = (size_t)whole;
		w->map = mmap(NULL, w->map_length, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd,
			      (off_t)(w->fd_offset - lead));
		if (w->map == MAP_FAILED) {
			ret = vfiobar_say_errno(msg, dev->layout.bdf, "mapping its BAR failed",
						errno);
			free(w);
			return ret;
		}
		w->addr = (uint8_t *)w->map + lead;
	}
	*out = w;
	return 0;
}

void vfiobar_window_close(struct vfiobar_window *window)
{
	if (window && window->map)
		munmap(window->map, window->map_length);
	free(window);
}

volatile void *vfiobar_window_addr(const struct vfiobar_window *window)
{
	return window->addr;
}

uint64_t vfiobar_window_length(const struct vfiobar_window *window)
{
	return window->length;
}

/* One of @from and @to is NULL: the other end is the device. */
static int transfer(const struct vfiobar_window *w, uint64_t offset, void *to, const void *from,
		    size_t length, struct vfiobar_msg *msg)
{
	const struct vfiobar_layout *layout = &w->dev->layout;
	const char *what = to ? "reading" : "writing";

	if (offset > w->length || length > w->length - offset) {
		vfiobar_say(msg,
			    "%s BAR %u: %s 0x%zx bytes from 0x%llx on goes past the window "
			    "(size 0x%llx)",
			    layout->bdf, w->bar, what, length, (unsigned long long)offset,
			    (unsigned long long)w->length);
		return -ERANGE;
	}
	if (w->addr && to)
		vfiobar_copy_from(to, w->addr + offset, length);
	else if (w->addr)
		vfiobar_copy_to(w->addr + offset, from, length);
	for (size_t done = 0; !w->addr && done < length;) {
		off_t at = (off_t)(w->fd_offset + offset + done);
		ssize_t n =
			to ? pread(w->dev->fd, (uint8_t *)to + done, length - done, at)
			   : pwrite(w->dev->fd, (const uint8_t *)from + done, length - done, at);
		int err = n ? errno : EIO;

		if (n > 0) {
			done += (size_t)n;
		} else if (!n || err != EINTR) {
			vfiobar_say(msg, "%s BAR %u: %s at offset 0x%llx failed: %s (%s)",
				    layout->bdf, w->bar, what,
				    (unsigned long long)(w->offset + offset + done), strerror(err),
				    vfiobar_errno_name(err));
			return -err;
		}
	}
	return 0;
}

int vfiobar_window_read(const struct vfiobar_window *window, uint64_t offset, void *buf,
			size_t length, struct vfiobar_msg *msg)
{
	return transfer(window, offset, buf, NULL, length, msg);
}

int vfiobar_window_write(const struct vfiobar_window *window, uint64_t offset, const void *buf,
			 size_t length, struct vfiobar_msg *msg)
{
	return transfer(window, offset, NULL, buf, length, msg);
}

void vfiobar_copy_to(volatile void *bar, const void *buf, size_t length)
{
	volatile uint8_t *to = bar;
	const uint8_t *from = buf;

	for (; length && (uintptr_t)to % 8; length--)
		*to++ = *from++;
	for (; length >= 8; length -= 8, to += 8, from += 8) {
		uint64_t word;

		memcpy(&word, from, sizeof(word));
		*(volatile uint64_t *)to = word;
	}
	for (; length; length--)
		*to++ = *from++;
}

void vfiobar_copy_from(void *buf, const volatile void *bar, size_t length)
{
	const volatile uint8_t *from = bar;
	uint8_t *to = buf;

	for (; length && (uintptr_t)from % 8; length--)
		*to++ = *from++;
	for (; length >= 8; length -= 8, to += 8, from += 8) {
		uint64_t word = *(const volatile uint64_t *)from;

		memcpy(to, &word, sizeof(word));
	}
	for (; length; length--)
		*to++ = *from++;
}

/* VFIO_DEVICE_FEATURE with @len bytes of data behind the header; returns the ioctl's value or
 * -errno. */
static int feature(const struct vfiobar *dev, uint32_t flags, const void *data, size_t len)
{
	struct vfio_device_feature *arg = calloc(1, sizeof(*arg) + len);
	int ret;

	if (!arg)
		return -ENOMEM;
	arg->argsz = (uint32_t)(sizeof(*arg) + len);
	arg->flags = flags;
	memcpy(arg + 1, data, len);
	ret = ioctl(dev->fd, VFIO_DEVICE_FEATURE, arg);
	ret = ret < 0 ? -errno : ret;
	free(arg);
	return ret;
}

static void say_feature(struct vfiobar_msg *msg, const char *where, const char *what, int err,
			const char *why)
{
	vfiobar_say(msg, "%s: %s failed: %s (%s)%s%s", where, what, strerror(err),
		    vfiobar_errno_name(err), *why ? ": " : "", why);
}

int vfiobar_export(struct vfiobar *dev, unsigned int bar, uint64_t offset, uint64_t length,
		   struct vfiobar_msg *msg)
{
	const struct vfiobar_range range = { .offset = offset, .length = length };

	return vfiobar_export_ranges(dev, bar, &range, 1, msg);
}

/* Each range by itself, and their sum. */
static int check_ranges(const struct vfiobar *dev, unsigned int bar,
			const struct vfiobar_range *ranges, unsigned int count,
			struct vfiobar_msg *msg)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), sum = 0;

	if (!count) {
		vfiobar_say(msg, "%s BAR %u: no range to export", dev->layout.bdf, bar);
		return -EINVAL;
	}
	for (unsigned int i = 0; i < count; i++) {
		int ret = check_use(dev, bar, ranges[i].offset, ranges[i].length, page, msg);

		if (ret)
			return ret;
		if (ranges[i].length > UINT64_MAX - sum) {
			vfiobar_say(msg, "%s BAR %u: the lengths of %u ranges do not fit",
				    dev->layout.bdf, bar, count);
			return -EOVERFLOW;
		}
		sum += ranges[i].length;
	}
	return 0;
}

int vfiobar_export_ranges(struct vfiobar *dev, unsigned int bar, const struct vfiobar_range *ranges,
			  unsigned int count, struct vfiobar_msg *msg)
{
	size_t len = sizeof(struct feature_dma_buf) + count * sizeof(*ranges);
	struct feature_dma_buf *export;
	char where[VFIOBAR_BDF_LEN + 8];
	int ret;

	ret = check_ranges(dev, bar, ranges, count, msg);
	if (ret)
		return ret;
	export = calloc(1, len);
	ret = export ? 0 : -ENOMEM;
	if (!ret) {
		export->region_index = VFIO_PCI_BAR0_REGION_INDEX + bar;
		export->open_flags = O_RDWR | O_CLOEXEC;
		export->nr_ranges = count;
		memcpy(export->range, ranges, count * sizeof(*ranges));
		ret = feature(dev, VFIO_DEVICE_FEATURE_GET | FEATURE_DMA_BUF, export, len);
		free(export);
	}
	snprintf(where, sizeof(where), "%s BAR %u", dev->layout.bdf, bar);
	if (ret < 0)
		say_feature(msg, where, "exporting a dma-buf", -ret,
			    ret == -ENOTTY	 ? "the kernel exports no BARs"
			    : ret == -EOPNOTSUPP ? "its driver exports no BARs"
						 : "");
	return ret;
}

/* What the kernel does not say. A probe has no @hint. */
static const char *why_no_hint(const struct vfiobar *dev, const struct vfiobar_hint *hint, int err)
{
	uint32_t completer = dev->layout.completer;

	if (err == ENOTTY)
		return "the kernel has no hints of dma-bufs";
	if (err == EOPNOTSUPP && completer != VFIOBAR_COMPLETER_TPH &&
	    completer != VFIOBAR_COMPLETER_TPH_EXT)
		return "the function is no TPH completer";
	if (err == EOPNOTSUPP && hint && hint->has_st_ext && completer != VFIOBAR_COMPLETER_TPH_EXT)
		return "the function is a TPH completer, but none of Extended TPH, and takes no "
		       "Extended Steering Tags";
	if (err == EOPNOTSUPP)
		return "its driver, or the path to it, takes none";
	if (err == EINVAL && hint && hint->ph > 3)
		return "PH is 0 to 3";
	if (err == EINVAL || err == EBADF)
		return "the descriptor is of no dma-buf of the function";
	return "";
}

int vfiobar_set_hint(struct vfiobar *dev, int dmabuf_fd, const struct vfiobar_hint *given,
		     struct vfiobar_msg *msg)
{
	struct feature_dma_buf_tph tph = { .dmabuf_fd = dmabuf_fd };
	struct vfiobar_hint hint;
	int ret;

	ret = vfiobar_take(&hint, sizeof(hint), given, VFIOBAR_HINT_V1, msg);
	if (ret)
		return ret;
	if (hint.reserved[0] || hint.reserved[1]) {
		vfiobar_say(msg, "%s: the hint's reserved bytes are not 0", dev->layout.bdf);
		return -EINVAL;
	}
	tph.flags =
		(hint.has_st ? TPH_STEERING_TAG : 0) | (hint.has_st_ext ? TPH_STEERING_TAG_EXT : 0);
	tph.steering_tag = hint.has_st ? hint.st : 0;
	tph.steering_tag_ext = hint.has_st_ext ? hint.st_ext : 0;
	tph.ph = hint.ph;
	ret = feature(dev, VFIO_DEVICE_FEATURE_SET | FEATURE_DMA_BUF_TPH, &tph, sizeof(tph));
	if (ret >= 0)
		return 0;
	say_feature(msg, dev->layout.bdf, "attaching the steering hint", -ret,
		    why_no_hint(dev, &hint, -ret));
	return ret;
}

int vfiobar_probe_hint(struct vfiobar *dev, struct vfiobar_msg *msg)
{
	struct feature_dma_buf_tph tph = { 0 };
	uint32_t flags = VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_SET | FEATURE_DMA_BUF_TPH;
	int ret;

	ret = feature(dev, flags, &tph, sizeof(tph));
	if (ret >= 0)
		return 0;
	say_feature(msg, dev->layout.bdf, "probing for steering hints", -ret,
		    why_no_hint(dev, NULL, -ret));
	return ret;
}
