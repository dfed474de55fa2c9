// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause OR Linux-OpenIB
/* The BARs of a PCI function that vfio-pci owns; see vfiobar.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vfiobar.h"

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

struct dma_buf_range {
	uint64_t offset;
	uint64_t length;
};

struct feature_dma_buf {
	uint32_t region_index;
	uint32_t open_flags;
	uint32_t flags;
	uint32_t nr_ranges;
	struct dma_buf_range range;
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
_Static_assert(sizeof(struct feature_dma_buf) == 32, "layout of the kernel interface");
_Static_assert(sizeof(struct feature_dma_buf_tph) == 16, "layout of the kernel interface");

/* IORESOURCE_MEM and IORESOURCE_PREFETCH, in the third column of sysfs' "resource". */
#define SYSFS_RESOURCE_MEM	0x200
#define SYSFS_RESOURCE_PREFETCH 0x2000

#define CLASS_NVM	 0x0108 /* base class and subclass of NVMe controllers */
#define NVM_REGISTER_BAR 0

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
};

/* "<bdf>: <what>: <strerror> (<name>)"; returns -@err. */
static int say_errno(struct vfiobar_msg *msg, const char *bdf, const char *what, int err)
{
	vfiobar_say(msg, "%s: %s: %s (%s)", bdf, what, strerror(err), vfiobar_errno_name(err));
	return -err;
}

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

/* Last component of a symlink's target; false when there is no such link. */
static bool link_name(const char *bdf, const char *leaf, char *name, size_t len)
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

/* The function's entry below vfio-dev/, "vfio3" or "noiommu-vfio3". */
static bool cdev_name(const char *bdf, char *name, size_t len)
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

static int check_bound(const char *bdf, struct vfiobar_msg *msg)
{
	char path[128], name[64];

	sysfs_path(path, sizeof(path), bdf, "");
	if (access(path, F_OK)) {
		vfiobar_say(msg, "%s: no such PCI device", bdf);
		return -ENODEV;
	}
	if (!link_name(bdf, "driver", name, sizeof(name))) {
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

/* A bit of @prefetchable for each BAR that is. */
static int sysfs_bars(struct vfiobar_layout *layout, unsigned int *prefetchable,
		      struct vfiobar_msg *msg)
{
	char path[128];
	FILE *f;

	sysfs_path(path, sizeof(path), layout->bdf, "resource");
	f = fopen(path, "re");
	if (!f)
		return say_errno(msg, layout->bdf, "reading its resources from sysfs failed",
				 errno);
	*prefetchable = 0;
	for (unsigned int i = 0; i < VFIOBAR_BARS; i++) {
		unsigned long long start, end, flags;

		if (fscanf(f, "%llx %llx %llx", &start, &end, &flags) != 3)
			break;
		if ((flags & SYSFS_RESOURCE_MEM) && end > start)
			layout->bar_size[i] = end - start + 1;
		if (flags & SYSFS_RESOURCE_PREFETCH)
			*prefetchable |= 1u << i;
	}
	fclose(f);
	return 0;
}

static int read_sysfs(const char *text, struct vfiobar_layout *layout, unsigned int *prefetchable,
		      struct vfiobar_msg *msg)
{
	struct vfiobar_layout found = { 0 };
	uint8_t cfg[VFIOBAR_CFG_LEN];
	char path[128];
	ssize_t n;
	int fd, ret;

	ret = vfiobar_parse_bdf(text, found.bdf);
	if (ret) {
		vfiobar_say(msg, "'%s' is not a PCI address (domain:bus:dev.fn)", text);
		return ret;
	}
	ret = check_bound(found.bdf, msg);
	if (ret)
		return ret;
	ret = sysfs_bars(&found, prefetchable, msg);
	if (ret)
		return ret;
	sysfs_path(path, sizeof(path), found.bdf, "config");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return say_errno(msg, found.bdf, "opening its configuration space failed", errno);
	n = pread(fd, cfg, sizeof(cfg), 0);
	close(fd);
	ret = vfiobar_parse_config(cfg, n < 0 ? 0 : (size_t)n, &found);
	if (ret)
		return say_errno(msg, found.bdf, "reading its configuration space failed", -ret);
	*layout = found;
	return 0;
}

int vfiobar_read_layout(const char *text, struct vfiobar_layout *layout, struct vfiobar_msg *msg)
{
	unsigned int prefetchable;

	return read_sysfs(text, layout, &prefetchable, msg);
}

int vfiobar_check_memory(const char *text, unsigned int bar, struct vfiobar_msg *msg)
{
	struct vfiobar_layout layout;
	unsigned int prefetchable;
	int ret;

	ret = read_sysfs(text, &layout, &prefetchable, msg);
	if (ret)
		return ret;
	if (bar >= VFIOBAR_BARS || !layout.bar_size[bar]) {
		vfiobar_say(msg, "%s: BAR %u does not exist", layout.bdf, bar);
		return -ENOENT;
	}
	if (layout.class_code >> 8 == CLASS_NVM && bar == NVM_REGISTER_BAR) {
		vfiobar_say(msg,
			    "%s BAR %u: holds the registers of an NVMe controller (class %06x): "
			    "data written there is commands to it",
			    layout.bdf, bar, layout.class_code);
		return -EPERM;
	}
	if (!(prefetchable & 1u << bar)) {
		vfiobar_say(msg,
			    "%s BAR %u: is not prefetchable, so it holds registers (class %06x): "
			    "data written there is commands to the device",
			    layout.bdf, bar, layout.class_code);
		return -EPERM;
	}
	return 0;
}

/* -ENOENT: this kernel has no vfio character devices, or no iommufd. */
static int open_cdev(struct vfiobar *dev, struct vfiobar_msg *msg)
{
	struct bind_iommufd bind = { .argsz = sizeof(bind) };
	const char *bdf = dev->layout.bdf;
	char name[64], path[128];
	int ret;

	if (!cdev_name(bdf, name, sizeof(name))) {
		vfiobar_say(msg, "%s: has no vfio character device (a kernel without?)", bdf);
		return -ENOENT;
	}
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", name);
	dev->fd = open(path, O_RDWR | O_CLOEXEC);
	if (dev->fd < 0)
		return say_errno(msg, bdf, "opening its vfio character device failed", errno);
	dev->iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (dev->iommufd < 0) {
		ret = say_errno(msg, bdf, "opening /dev/iommu failed", errno);
		return ret == -ENODEV || ret == -ENXIO ? -ENOENT : ret;
	}
	bind.iommufd = dev->iommufd;
	if (ioctl(dev->fd, IOCTL_BIND_IOMMUFD, &bind))
		return say_errno(
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

	if (!link_name(bdf, "iommu_group", group, sizeof(group))) {
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
		return say_errno(msg, bdf, "opening its vfio group failed", errno);
	if (ioctl(dev->group, VFIO_GROUP_GET_STATUS, &status))
		return say_errno(msg, bdf, "asking for the status of its vfio group failed", errno);
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
		vfiobar_say(msg,
			    "%s: IOMMU group %s is not viable: another function has a host driver",
			    bdf, group);
		return -EBUSY;
	}
	dev->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (dev->container < 0)
		return say_errno(msg, bdf, "opening /dev/vfio/vfio failed", errno);
	if (ioctl(dev->group, VFIO_GROUP_SET_CONTAINER, &dev->container))
		return say_errno(msg, bdf, "putting its group into a container failed", errno);
	type = noiommu ? IOMMU_TYPE_NONE : VFIO_TYPE1v2_IOMMU;
	if (ioctl(dev->container, VFIO_SET_IOMMU, type))
		return say_errno(msg, bdf, "choosing the IOMMU type of its container failed",
				 errno);
	dev->fd = ioctl(dev->group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	if (dev->fd < 0)
		return say_errno(msg, bdf, "getting the device from its group failed", errno);
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

static int look(struct vfiobar *dev, struct vfiobar_msg *msg)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	const char *bdf = dev->layout.bdf;
	struct region config = { 0 };
	uint8_t cfg[VFIOBAR_CFG_LEN];
	ssize_t n;
	int ret;

	if (ioctl(dev->fd, VFIO_DEVICE_GET_INFO, &info))
		return say_errno(msg, bdf, "asking vfio for the device failed", errno);
	if (!(info.flags & VFIO_DEVICE_FLAGS_PCI)) {
		vfiobar_say(msg, "%s: not a PCI device for vfio", bdf);
		return -ENXIO;
	}
	for (unsigned int i = 0; i < VFIOBAR_BARS; i++) {
		ret = region_info(dev, VFIO_PCI_BAR0_REGION_INDEX + i, &dev->bar[i]);
		if (ret)
			return say_errno(msg, bdf, "asking vfio for a BAR failed", -ret);
		dev->layout.bar_size[i] = dev->bar[i].info->size;
	}
	ret = region_info(dev, VFIO_PCI_CONFIG_REGION_INDEX, &config);
	if (ret)
		return say_errno(msg, bdf, "asking vfio for configuration space failed", -ret);
	n = pread(dev->fd, cfg, sizeof(cfg), (off_t)config.info->offset);
	free(config.info);
	ret = vfiobar_parse_config(cfg, n < 0 ? 0 : (size_t)n, &dev->layout);
	if (ret)
		return say_errno(msg, bdf, "reading its configuration space failed", -ret);
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

int vfiobar_open(const char *text, struct vfiobar **out, struct vfiobar_msg *msg)
{
	return vfiobar_open_by(text, VFIOBAR_ANY, out, msg);
}

int vfiobar_open_by(const char *text, enum vfiobar_way way, struct vfiobar **out,
		    struct vfiobar_msg *msg)
{
	struct vfiobar *dev;
	int ret;

	if (way != VFIOBAR_ANY && way != VFIOBAR_IOMMUFD && way != VFIOBAR_GROUP) {
		vfiobar_say(msg, "%s: no way %d to open it", text, (int)way);
		return -EINVAL;
	}
	dev = calloc(1, sizeof(*dev));
	if (!dev) {
		vfiobar_say(msg, "%s: out of memory", text);
		return -ENOMEM;
	}
	dev->fd = dev->iommufd = dev->group = dev->container = -1;
	ret = vfiobar_parse_bdf(text, dev->layout.bdf);
	if (ret) {
		vfiobar_say(msg, "'%s' is not a PCI address (domain:bus:dev.fn)", text);
		goto fail;
	}
	ret = check_bound(dev->layout.bdf, msg);
	if (ret)
		goto fail;
	ret = way == VFIOBAR_GROUP ? -ENOENT : open_cdev(dev, msg);
	if (ret == -ENOENT && way != VFIOBAR_IOMMUFD) {
		close_fds(dev);
		ret = open_group(dev, msg);
	}
	if (!ret)
		ret = look(dev, msg);
	if (ret)
		goto fail;
	*out = dev;
	return 0;
fail:
	vfiobar_close(dev);
	return ret;
}

void vfiobar_close(struct vfiobar *dev)
{
	if (!dev)
		return;
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

int vfiobar_reset(struct vfiobar *dev, struct vfiobar_msg *msg)
{
	if (ioctl(dev->fd, VFIO_DEVICE_RESET))
		return say_errno(msg, dev->layout.bdf, "reset failed", errno);
	return 0;
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
		ret = vfiobar_check_memory(dev->layout.bdf, bar, msg);
	return ret;
}

int vfiobar_window_open(struct vfiobar *dev, unsigned int bar, uint64_t offset, uint64_t length,
			struct vfiobar_window *window, struct vfiobar_msg *msg)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), lead = offset & (page - 1);
	struct vfiobar_window w = { .length = length, .fd = dev->fd };
	const struct region *region;
	int ret;

	ret = check_use(dev, bar, offset, length, 1, msg);
	if (ret)
		return ret;
	region = &dev->bar[bar];
	w.fd_offset = region->info->offset + offset;
	w.map_length = (lead + length + page - 1) & ~(page - 1);
	if (vfiobar_mappable(region->info, region->size, offset - lead, w.map_length)) {
		w.map = mmap(NULL, w.map_length, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd,
			     (off_t)(w.fd_offset - lead));
		if (w.map == MAP_FAILED)
			return say_errno(msg, dev->layout.bdf, "mapping its BAR failed", errno);
		w.addr = (uint8_t *)w.map + lead;
	}
	*window = w;
	return 0;
}

void vfiobar_window_close(struct vfiobar_window *window)
{
	if (window->map)
		munmap(window->map, window->map_length);
	*window = (struct vfiobar_window){ .fd = -1 };
}

static bool inside(const struct vfiobar_window *window, uint64_t offset, size_t length)
{
	return offset <= window->length && length <= window->length - offset;
}

int vfiobar_window_read(const struct vfiobar_window *window, uint64_t offset, void *buf,
			size_t length)
{
	if (!inside(window, offset, length))
		return -ERANGE;
	if (window->addr) {
		vfiobar_copy_from(buf, (const volatile uint8_t *)window->addr + offset, length);
		return 0;
	}
	for (size_t done = 0; done < length;) {
		ssize_t n = pread(window->fd, (uint8_t *)buf + done, length - done,
				  (off_t)(window->fd_offset + offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

int vfiobar_window_write(const struct vfiobar_window *window, uint64_t offset, const void *buf,
			 size_t length)
{
	if (!inside(window, offset, length))
		return -ERANGE;
	if (window->addr) {
		vfiobar_copy_to((volatile uint8_t *)window->addr + offset, buf, length);
		return 0;
	}
	for (size_t done = 0; done < length;) {
		ssize_t n = pwrite(window->fd, (const uint8_t *)buf + done, length - done,
				   (off_t)(window->fd_offset + offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
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
static int feature(struct vfiobar *dev, uint32_t flags, const void *data, size_t len)
{
	union {
		struct vfio_device_feature header;
		uint8_t bytes[sizeof(struct vfio_device_feature) + sizeof(struct feature_dma_buf)];
	} arg = { 0 };
	int ret;

	arg.header.argsz = (uint32_t)(sizeof(arg.header) + len);
	arg.header.flags = flags;
	memcpy(arg.bytes + sizeof(arg.header), data, len);
	ret = ioctl(dev->fd, VFIO_DEVICE_FEATURE, &arg);
	return ret < 0 ? -errno : ret;
}

int vfiobar_export(struct vfiobar *dev, unsigned int bar, uint64_t offset, uint64_t length,
		   struct vfiobar_msg *msg)
{
	struct feature_dma_buf export = {
		.region_index = VFIO_PCI_BAR0_REGION_INDEX + bar,
		.open_flags = O_RDWR | O_CLOEXEC,
		.nr_ranges = 1,
		.range = { .offset = offset, .length = length },
	};
	int ret;

	ret = check_use(dev, bar, offset, length, (uint64_t)sysconf(_SC_PAGESIZE), msg);
	if (ret)
		return ret;
	ret = feature(dev, VFIO_DEVICE_FEATURE_GET | FEATURE_DMA_BUF, &export, sizeof(export));
	if (ret < 0)
		vfiobar_say(msg, "%s BAR %u: exporting a dma-buf failed: %s (%s)", dev->layout.bdf,
			    bar, strerror(-ret), vfiobar_errno_name(-ret));
	return ret;
}

int vfiobar_set_hint(struct vfiobar *dev, int dmabuf_fd, const struct vfiobar_hint *hint)
{
	struct feature_dma_buf_tph tph = {
		.dmabuf_fd = dmabuf_fd,
		.flags = (hint->has_st ? TPH_STEERING_TAG : 0) |
			 (hint->has_st_ext ? TPH_STEERING_TAG_EXT : 0),
		.steering_tag = hint->has_st ? hint->st : 0,
		.steering_tag_ext = hint->has_st_ext ? hint->st_ext : 0,
		.ph = hint->ph,
	};
	int ret;

	ret = feature(dev, VFIO_DEVICE_FEATURE_SET | FEATURE_DMA_BUF_TPH, &tph, sizeof(tph));
	return ret < 0 ? ret : 0;
}

int vfiobar_probe_hint(struct vfiobar *dev)
{
	struct feature_dma_buf_tph tph = { 0 };
	uint32_t flags = VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_SET | FEATURE_DMA_BUF_TPH;
	int ret;

	ret = feature(dev, flags, &tph, sizeof(tph));
	return ret < 0 ? ret : 0;
}
