/* SPDX-License-Identifier: GPL-2.0-only */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vfiobar/tests/fake_vfio.h"

struct fake_vfio fake;

static char fake_root[256] = "/nonexistent";

int __real_open64(const char *path, int flags, ...);
FILE *__real_fopen64(const char *path, const char *mode);
DIR *__real_opendir(const char *path);
ssize_t __real_readlink(const char *path, char *buf, size_t len);
int __real_access(const char *path, int mode);

/* The program under test has no line to call; it says by environment where the machine is. */
__attribute__((constructor)) static void from_environment(void)
{
	const char *root = getenv("FAKE_VFIO_ROOT"), *err = getenv("FAKE_VFIO_HINT_ERRNO");
	const char *class_code = getenv("FAKE_VFIO_CLASS");

	if (root)
		snprintf(fake_root, sizeof(fake_root), "%s", root);
	if (root && __real_access(root, F_OK)) {
		mkdir(root, 0700);
		fake_vfio_build(root, "vfio-pci", "vfio7", NULL, true);
	}
	if (root && class_code)
		fake_vfio_class((uint32_t)strtoul(class_code, NULL, 16));
	if (root && getenv("FAKE_VFIO_REGISTERS"))
		fake_vfio_registers();
	if (root && getenv("FAKE_VFIO_VF"))
		fake_vfio_vf();
	if (root && getenv("FAKE_VFIO_UNPRIVILEGED"))
		fake_vfio_config_shown(64);
	if (getenv("FAKE_VFIO_BUSY"))
		fake.cdev_errno = EBUSY;
	if (err)
		fake.hint_errno = atoi(err);
	fake.no_mmap = getenv("FAKE_VFIO_NO_MMAP") != NULL;
}

/* @name below fake_root, valid until the next call. */
static const char *below(const char *name)
{
	static char path[1024];

	snprintf(path, sizeof(path), "%s/%s", fake_root, name);
	return path;
}

static const char *in_root(const char *path, char buf[512])
{
	if (strncmp(path, "/sys/", 5) && strncmp(path, "/dev/vfio", 9) &&
	    strcmp(path, "/dev/iommu") != 0)
		return path;
	snprintf(buf, 512, "%s%s", fake_root, path);
	return buf;
}

static int fail(int err)
{
	errno = err;
	return -1;
}

int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
	char buf[512];

	if (!strncmp(path, "/dev/vfio/devices/", 18)) {
		if (fake.cdev_errno)
			return fail(fake.cdev_errno);
		fake.opens++;
	}
	return __real_open64(in_root(path, buf), flags, 0600);
}

FILE *__wrap_fopen64(const char *path, const char *mode);
FILE *__wrap_fopen64(const char *path, const char *mode)
{
	char buf[512];

	return __real_fopen64(in_root(path, buf), mode);
}

DIR *__wrap_opendir(const char *path);
DIR *__wrap_opendir(const char *path)
{
	char buf[512];

	return __real_opendir(in_root(path, buf));
}

ssize_t __wrap_readlink(const char *path, char *target, size_t len);
ssize_t __wrap_readlink(const char *path, char *target, size_t len)
{
	char buf[512];

	return __real_readlink(in_root(path, buf), target, len);
}

int __wrap_access(const char *path, int mode);
int __wrap_access(const char *path, int mode)
{
	char buf[512];

	return __real_access(in_root(path, buf), mode);
}

static int region_info(struct vfio_region_info *info)
{
	static const struct {
		uint64_t offset, size;
	} regions[VFIO_PCI_NUM_REGIONS] = {
		[VFIO_PCI_BAR0_REGION_INDEX] = { 0, FAKE_BAR0_SIZE },
		[VFIO_PCI_BAR2_REGION_INDEX] = { FAKE_BAR2_AT, FAKE_BAR2_SIZE },
		[VFIO_PCI_CONFIG_REGION_INDEX] = { FAKE_CONFIG_AT, 256 },
	};
	struct vfio_info_cap_header cap = { .id = VFIO_REGION_INFO_CAP_MSIX_MAPPABLE };
	uint32_t room = info->argsz;

	if (room < sizeof(*info) || info->index >= VFIO_PCI_NUM_REGIONS)
		return fail(EINVAL);
	info->offset = regions[info->index].offset;
	info->size = regions[info->index].size;
	info->flags = info->size ? VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE : 0;
	if (info->size && info->index != VFIO_PCI_CONFIG_REGION_INDEX && !fake.no_mmap)
		info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
	if (info->index != VFIO_PCI_BAR2_REGION_INDEX)
		return 0;
	info->flags |= VFIO_REGION_INFO_FLAG_CAPS;
	info->argsz = sizeof(*info) + sizeof(cap);
	if (room >= info->argsz) {
		info->cap_offset = sizeof(*info);
		memcpy((uint8_t *)info + sizeof(*info), &cap, sizeof(cap));
	}
	return 0;
}

/* Byte offsets as in the kernel's include/uapi/linux/vfio.h, not through the structures under test.
 */
static int device_feature(const uint8_t *arg)
{
	const uint8_t *data = arg + 8;
	uint32_t argsz, flags, nr;

	memcpy(&argsz, arg, 4);
	memcpy(&flags, arg + 4, 4);
	switch (flags & VFIO_DEVICE_FEATURE_MASK) {
	case 11:
		if (argsz < 8 + 16 || !(flags & VFIO_DEVICE_FEATURE_GET))
			return fail(EINVAL);
		memcpy(&nr, data + 12, 4);
		if (!nr || nr > FAKE_RANGES || argsz != 8 + 16 + nr * 16)
			return fail(EINVAL);
		if (fake.export_errno)
			return fail(fake.export_errno);
		memcpy(&fake.export_region, data, 4);
		memcpy(fake.exported, data + 16, nr * 16);
		fake.export_ranges = nr;
		fake.exports++;
		return __real_open64("/dev/null", O_RDWR | O_CLOEXEC);
	case 14:
		if (argsz != 8 + 16 || !(flags & VFIO_DEVICE_FEATURE_SET) || data[13] || data[14] ||
		    data[15])
			return fail(EINVAL);
		if (fake.hint_errno)
			return fail(fake.hint_errno);
		if (flags & VFIO_DEVICE_FEATURE_PROBE)
			return 0;
		memcpy(&fake.hint_fd, data, 4);
		memcpy(&fake.hint_flags, data + 4, 4);
		memcpy(&fake.hint_st, data + 8, 2);
		memcpy(&fake.hint_st_ext, data + 10, 2);
		fake.hint_ph = data[12];
		fake.hints++;
		return 0;
	default:
		return fail(ENOTTY);
	}
}

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (fcntl(fd, F_GETFD) < 0)
		return fail(EBADF);
	switch (request) {
	case _IO(VFIO_TYPE, VFIO_BASE + 18): { /* BIND_IOMMUFD */
		uint32_t bind[4];

		memcpy(bind, arg, sizeof(bind));
		if (bind[0] != 16 || bind[1] || fcntl((int)bind[2], F_GETFD) < 0)
			return fail(EINVAL);
		return fake.bind_errno ? fail(fake.bind_errno) : 0;
	}
	case VFIO_GROUP_GET_STATUS:
		((struct vfio_group_status *)arg)->flags =
			fake.group_unviable ? 0 : VFIO_GROUP_FLAGS_VIABLE;
		return 0;
	case VFIO_GROUP_SET_CONTAINER:
		return fcntl(*(int *)arg, F_GETFD) < 0 ? -1 : 0;
	case VFIO_SET_IOMMU:
		fake.iommu_type = (int)(intptr_t)arg;
		return 0;
	case VFIO_GROUP_GET_DEVICE_FD:
		if (strcmp(arg, FAKE_BDF) != 0)
			return fail(ENODEV);
		return __real_open64(below("device"), O_RDWR | O_CLOEXEC);
	case VFIO_DEVICE_GET_INFO:
		((struct vfio_device_info *)arg)->flags = VFIO_DEVICE_FLAGS_PCI;
		return 0;
	case VFIO_DEVICE_GET_REGION_INFO:
		return region_info(arg);
	case VFIO_DEVICE_RESET:
		fake.resets++;
		return 0;
	case VFIO_DEVICE_FEATURE:
		return device_feature(arg);
	default:
		return fail(ENOTTY);
	}
}

/* These three abort when they cannot. */
static void put(const char *name, const void *data, size_t len, off_t at)
{
	int fd = __real_open64(below(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || pwrite(fd, data, len, at) != (ssize_t)len)
		abort();
	close(fd);
}

static void dir(const char *name)
{
	if (mkdir(below(name), 0700) && errno != EEXIST)
		abort();
}

static void link_to(const char *target, const char *name)
{
	if (symlink(target, below(name)))
		abort();
}

#define DEVICE_DIR "sys/bus/pci/devices/" FAKE_BDF

static void put_config(const char *name, off_t at)
{
	uint8_t cfg[256] = { 0x36,
			     0x1b,
			     0x02,
			     0x11,
			     [0x06] = 0x10,
			     [0x0a] = 0x02,
			     [0x0b] = 0x03,
			     [0x34] = 0x40,
			     [0x40] = 0x11,
			     0x80,
			     0x03,
			     0x00,
			     0x02,
			     0x20,
			     0,
			     0,
			     0x02,
			     0x30,
			     0,
			     0,
			     [0x80] = 0x10,
			     0x00,
			     0x02 };

	cfg[0x80 + 0x25] = 0x10;
	/* BARs 0 and 2 are memory of 64 bits, prefetchable; BAR 4 is I/O. */
	cfg[0x10] = cfg[0x18] = 0x0c;
	cfg[0x20] = 0x01;
	put(name, cfg, sizeof(cfg), at);
}

void fake_vfio_build(const char *root, const char *driver, const char *cdev, const char *group,
		     bool iommufd)
{
	static const char resource[] = "0x0000000080000000 0x00000000800fffff 0x000000000014220c\n"
				       "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
				       "0x0000000090000000 0x000000009000ffff 0x0000000000042208\n"
				       "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
				       "0x000000000000c000 0x000000000000c01f 0x0000000000040101\n"
				       "0x0000000000000000 0x0000000000000000 0x0000000000000000\n";
	static const char *const dirs[] = { "sys",	   "sys/bus",
					    "sys/bus/pci", "sys/bus/pci/devices",
					    DEVICE_DIR,	   "dev",
					    "dev/vfio",	   "dev/vfio/devices" };
	char name[512];

	memset(&fake, 0, sizeof(fake));
	snprintf(fake_root, sizeof(fake_root), "%s", root);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		dir(dirs[i]);
	put(DEVICE_DIR "/resource", resource, sizeof(resource) - 1, 0);
	put(DEVICE_DIR "/vendor", "0x1b36\n", 7, 0);
	put(DEVICE_DIR "/device", "0x1102\n", 7, 0);
	put(DEVICE_DIR "/class", "0x030200\n", 9, 0);
	put_config(DEVICE_DIR "/config", 0);
	put_config("device", FAKE_CONFIG_AT);
	if (driver) {
		snprintf(name, sizeof(name), "../../../bus/pci/drivers/%s", driver);
		link_to(name, DEVICE_DIR "/driver");
	}
	if (cdev) {
		dir(DEVICE_DIR "/vfio-dev");
		snprintf(name, sizeof(name), DEVICE_DIR "/vfio-dev/%s", cdev);
		dir(name);
		snprintf(name, sizeof(name), "dev/vfio/devices/%s", cdev);
		link_to("../../../device", name);
	}
	if (group) {
		link_to("../../../kernel/iommu_groups/9", DEVICE_DIR "/iommu_group");
		put("dev/vfio/vfio", "", 0, 0);
		snprintf(name, sizeof(name), "dev/vfio/%s", group);
		put(name, "", 0, 0);
	}
	if (iommufd)
		put("dev/iommu", "", 0, 0);
}

void fake_vfio_class(uint32_t class_code)
{
	const uint8_t bytes[3] = { (uint8_t)class_code, (uint8_t)(class_code >> 8),
				   (uint8_t)(class_code >> 16) };
	char text[16];

	snprintf(text, sizeof(text), "0x%06x\n", class_code);
	put(DEVICE_DIR "/class", text, 9, 0);
	put(DEVICE_DIR "/config", bytes, sizeof(bytes), 0x09);
	put("device", bytes, sizeof(bytes), FAKE_CONFIG_AT + 0x09);
}

void fake_vfio_registers(void)
{
	static const char line[] = "0x0000000090000000 0x000000009000ffff 0x0000000000040200\n";

	/* Each line has the same length. */
	put(DEVICE_DIR "/resource", line, sizeof(line) - 1, 2 * (sizeof(line) - 1));
	put(DEVICE_DIR "/config", "\x04", 1, 0x18);
	put("device", "\x04", 1, FAKE_CONFIG_AT + 0x18);
}

void fake_vfio_vf(void)
{
	static const uint8_t bars[24];

	put(DEVICE_DIR "/config", "\xff\xff\xff\xff", 4, 0);
	put(DEVICE_DIR "/config", bars, sizeof(bars), 0x10);
}

void fake_vfio_config_shown(unsigned int bytes)
{
	if (truncate(below(DEVICE_DIR "/config"), bytes))
		abort();
}

void fake_vfio_node_number(const char *number)
{
	put(DEVICE_DIR "/vfio-dev/vfio7/dev", number, strlen(number), 0);
}

void fake_vfio_identity(const char *vendor)
{
	put(DEVICE_DIR "/vendor", vendor, strlen(vendor), 0);
}

const char *fake_vfio_node(void)
{
	return below("device");
}
