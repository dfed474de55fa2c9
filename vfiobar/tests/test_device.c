/* SPDX-License-Identifier: GPL-2.0-only */
/* Opening, mapping, exporting and hints, on the machine of fake_vfio.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "vfiobar/tests/fake_vfio.h"
#include "vfiobar/vfiobar.h"

static char root[64];
static int fds_before;

static int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static int setup(void **state)
{
	(void)state;
	strcpy(root, "/tmp/vfiobar-test-XXXXXX");
	assert_non_null(mkdtemp(root));
	fds_before = open_fds();
	return 0;
}

/* Every test must end with as many descriptors as it began with. */
static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	assert_int_equal(system(command), 0);
	assert_int_equal(open_fds(), fds_before);
	return 0;
}

static struct vfiobar *open_it(void)
{
	struct vfiobar *dev = NULL;
	struct vfiobar_msg msg = { .text = "" };

	assert_int_equal(vfiobar_open(FAKE_BDF, &dev, &msg), 0);
	assert_non_null(dev);
	return dev;
}

static void assert_open_fails(const char *bdf, int err, const char *text)
{
	struct vfiobar *dev = (void *)&fake;
	struct vfiobar_msg msg;

	assert_int_equal(vfiobar_open(bdf, &dev, &msg), err);
	assert_string_equal(msg.text, text);
	assert_ptr_equal(dev, &fake);
	assert_int_equal(vfiobar_open(bdf, &dev, NULL), err);
	assert_int_equal(open_fds(), fds_before);
}

static void assert_layout(const struct vfiobar_layout *layout)
{
	assert_string_equal(layout->bdf, FAKE_BDF);
	assert_int_equal(layout->vendor, 0x1b36);
	assert_int_equal(layout->class_code, 0x030200);
	assert_int_equal(layout->completer, VFIOBAR_COMPLETER_TPH);
	assert_int_equal(layout->bar_size[0], FAKE_BAR0_SIZE);
	assert_int_equal(layout->bar_size[1], 0);
	assert_int_equal(layout->bar_size[2], FAKE_BAR2_SIZE);
	assert_int_equal(layout->bar_size[4], 0);
	assert_int_equal(layout->size, sizeof(*layout));
	assert_int_equal(layout->prefetchable, 1 << 0 | 1 << 2);
	assert_int_equal(layout->device, 0x1102);
	assert_int_equal(layout->msix_bar[0], 2);
	assert_int_equal(layout->msix[0].offset, 0x2000);
	assert_int_equal(layout->msix[0].length, 64);
}

static void test_layout_from_sysfs(void **state)
{
	struct vfiobar_layout layout = { .size = sizeof(layout) }, before;
	struct vfiobar_msg msg;

	(void)state;
	fake_vfio_build(root, "vfio-pci", "vfio7", NULL, true);
	assert_int_equal(vfiobar_read_layout("00:05.0", &layout, &msg), 0);
	assert_layout(&layout);

	before = layout;
	assert_int_equal(vfiobar_read_layout("00:06.0", &layout, &msg), -ENODEV);
	assert_string_equal(msg.text, "0000:00:06.0: no such PCI device");
	assert_int_equal(vfiobar_read_layout("gpu", &layout, &msg), -EINVAL);
	assert_string_equal(msg.text, "'gpu' is not a PCI address (domain:bus:dev.fn)");
	assert_memory_equal(&layout, &before, sizeof(layout));
}

static void test_not_bound(void **state)
{
	struct vfiobar_layout layout = { .size = sizeof(layout) };
	struct vfiobar_msg msg;

	(void)state;
	fake_vfio_build(root, "nvme", NULL, "9", true);
	assert_open_fails(FAKE_BDF, -ENXIO, "0000:00:05.0: not bound to vfio-pci (driver nvme)");
	assert_int_equal(vfiobar_read_layout(FAKE_BDF, &layout, &msg), -ENXIO);
	assert_string_equal(msg.text, "0000:00:05.0: not bound to vfio-pci (driver nvme)");
}

static void test_no_driver_and_no_device(void **state)
{
	(void)state;
	fake_vfio_build(root, NULL, NULL, "9", true);
	assert_open_fails(FAKE_BDF, -ENXIO, "0000:00:05.0: not bound to vfio-pci (no driver)");
	assert_open_fails("0000:17:00.0", -ENODEV, "0000:17:00.0: no such PCI device");
	assert_open_fails("17.0", -EINVAL, "'17.0' is not a PCI address (domain:bus:dev.fn)");
}

static void test_iommufd(void **state)
{
	struct vfiobar *dev;

	(void)state;
	fake_vfio_build(root, "vfio-pci", "vfio7", "9", true);
	dev = open_it();
	assert_string_equal(vfiobar_access(dev), "iommufd");
	assert_layout(vfiobar_layout(dev));
	assert_int_equal(vfiobar_reset(dev, NULL), 0);
	assert_int_equal(fake.resets, 1);
	vfiobar_close(dev);
}

static void test_noiommu_cdev_of_a_variant_driver(void **state)
{
	struct vfiobar *dev;

	(void)state;
	fake_vfio_build(root, "nvgrace-gpu-vfio-pci", "noiommu-vfio7", NULL, true);
	dev = open_it();
	assert_string_equal(vfiobar_access(dev), "iommufd, no IOMMU");
	vfiobar_close(dev);
}

static void test_busy(void **state)
{
	(void)state;
	fake_vfio_build(root, "vfio-pci", "vfio7", "9", true);
	fake.bind_errno = EBUSY;
	assert_open_fails(
		FAKE_BDF, -EBUSY,
		"0000:00:05.0: binding to iommufd failed (in use, or its IOMMU group has a "
		"host driver?): Device or resource busy (EBUSY)");
}

static void test_group_without_cdev(void **state)
{
	struct vfiobar *dev;

	(void)state;
	fake_vfio_build(root, "vfio-pci", NULL, "9", true);
	dev = open_it();
	assert_string_equal(vfiobar_access(dev), "group");
	assert_int_equal(fake.iommu_type, 3);
	assert_layout(vfiobar_layout(dev));
	vfiobar_close(dev);

	fake.group_unviable = true;
	assert_open_fails(
		FAKE_BDF, -EBUSY,
		"0000:00:05.0: IOMMU group 9 is not viable: another function has a host driver");
}

static void test_group_without_iommufd(void **state)
{
	struct vfiobar *dev;

	(void)state;
	fake_vfio_build(root, "vfio-pci", "vfio7", "noiommu-9", false);
	dev = open_it();
	assert_string_equal(vfiobar_access(dev), "group, no IOMMU");
	assert_int_equal(fake.iommu_type, 8);
	vfiobar_close(dev);
}

/* All descriptors of a failed way are closed, and nothing but the way asked for is tried. */
static void assert_fails(enum vfiobar_interface by, int err, const char *text)
{
	struct vfiobar *dev = (void *)&fake;
	struct vfiobar_msg msg;

	assert_int_equal(vfiobar_open_by(FAKE_BDF, by, &dev, &msg), err);
	assert_string_equal(msg.text, text);
	assert_ptr_equal(dev, &fake);
	assert_int_equal(open_fds(), fds_before);
}

static void test_chosen_interface(void **state)
{
	struct vfiobar *dev;

	(void)state;
	fake_vfio_build(root, "vfio-pci", "vfio7", "9", true);
	assert_int_equal(vfiobar_open_by(FAKE_BDF, VFIOBAR_GROUP, &dev, NULL), 0);
	assert_string_equal(vfiobar_access(dev), "group");
	assert_layout(vfiobar_layout(dev));
	vfiobar_close(dev);
	assert_int_equal(vfiobar_open_by(FAKE_BDF, VFIOBAR_IOMMUFD, &dev, NULL), 0);
	assert_string_equal(vfiobar_access(dev), "iommufd");
	vfiobar_close(dev);
	assert_int_equal(vfiobar_open_by(FAKE_BDF, VFIOBAR_ANY, &dev, NULL), 0);
	assert_string_equal(vfiobar_access(dev), "iommufd");
	vfiobar_close(dev);
	assert_fails((enum vfiobar_interface)3, -EINVAL,
		     "0000:00:05.0: no interface 3 to open it by");
}

static void test_chosen_interface_without_cdev(void **state)
{
	(void)state;
	fake_vfio_build(root, "vfio-pci", NULL, "9", true);
	assert_fails(VFIOBAR_IOMMUFD, -ENOENT,
		     "0000:00:05.0: has no vfio character device (a kernel without?)");
	assert_int_equal(fake.iommu_type, 0);
}

static void test_chosen_interface_without_iommufd(void **state)
{
	(void)state;
	fake_vfio_build(root, "vfio-pci", "vfio7", "9", false);
	assert_fails(VFIOBAR_IOMMUFD, -ENOENT,
		     "0000:00:05.0: opening /dev/iommu failed: No such file or directory "
		     "(ENOENT)");
	assert_int_equal(fake.iommu_type, 0);
}

static void test_chosen_interface_without_group(void **state)
{
	(void)state;
	fake_vfio_build(root, "vfio-pci", "vfio7", NULL, true);
	assert_fails(VFIOBAR_GROUP, -ENXIO,
		     "0000:00:05.0: in no IOMMU group "
		     "(no-IOMMU mode off?)");
}

static void test_no_way_in(void **state)
{
	(void)state;
	fake_vfio_build(root, "vfio-pci", NULL, NULL, false);
	assert_open_fails(FAKE_BDF, -ENXIO,
			  "0000:00:05.0: in no IOMMU group "
			  "(no-IOMMU mode off?)");
}

/* A window at an odd place: what is written arrives in the device, and nothing beside it. */
static void window_roundtrip(bool mapped)
{
	uint8_t out[5000], back[5002], *device;
	struct vfiobar_window *window = NULL;
	struct vfiobar_msg msg;
	struct vfiobar *dev;
	char path[128];
	FILE *f;

	fake_vfio_build(root, "vfio-pci", "vfio7", NULL, true);
	fake.no_mmap = !mapped;
	dev = open_it();
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 7 + 1);
	assert_int_equal(vfiobar_window_open(dev, 2, 0x4ffd, 5002, &window, &msg), 0);
	assert_int_equal(vfiobar_window_addr(window) != NULL, mapped);
	assert_int_equal(vfiobar_window_write(window, 1, out, sizeof(out), &msg), 0);
	assert_int_equal(vfiobar_window_read(window, 0, back, sizeof(back), &msg), 0);
	assert_int_equal(back[0], 0);
	assert_int_equal(back[5001], 0);
	assert_memory_equal(back + 1, out, sizeof(out));

	assert_int_equal(vfiobar_window_length(window), 5002);
	assert_int_equal(vfiobar_window_write(window, 5001, out, 2, &msg), -ERANGE);
	assert_string_equal(msg.text, "0000:00:05.0 BAR 2: writing 0x2 bytes from 0x1389 on goes "
				      "past the window (size 0x138a)");
	assert_int_equal(vfiobar_window_read(window, UINT64_MAX, back, 2, NULL), -ERANGE);
	assert_int_equal(vfiobar_window_read(window, 5003, back, 0, &msg), -ERANGE);
	assert_string_equal(msg.text, "0000:00:05.0 BAR 2: reading 0x0 bytes from 0x138b on goes "
				      "past the window (size 0x138a)");
	vfiobar_window_close(window);
	vfiobar_close(dev);

	snprintf(path, sizeof(path), "%s/device", root);
	f = fopen(path, "r");
	device = calloc(1, FAKE_BAR2_SIZE);
	assert_true(f && device);
	assert_int_equal(fseek(f, FAKE_BAR2_AT, SEEK_SET), 0);
	assert_int_equal(fread(device, 1, FAKE_BAR2_SIZE, f), FAKE_BAR2_SIZE);
	assert_memory_equal(device + 0x4ffe, out, sizeof(out));
	for (size_t i = 0; i < FAKE_BAR2_SIZE; i++)
		if (i < 0x4ffe || i >= 0x4ffe + sizeof(out))
			assert_int_equal(device[i], 0);
	free(device);
	fclose(f);
}

static void test_mapped_window(void **state)
{
	(void)state;
	window_roundtrip(true);
}

static void test_window_by_read_and_write(void **state)
{
	(void)state;
	window_roundtrip(false);
}

static void test_refused_windows(void **state)
{
	struct vfiobar_window *window = (void *)&fake;
	struct vfiobar_msg msg;
	struct vfiobar *dev;

	(void)state;
	fake_vfio_build(root, "vfio-pci", "vfio7", NULL, true);
	dev = open_it();
	assert_int_equal(vfiobar_window_open(dev, 3, 0, 1, &window, &msg), -ENOENT);
	assert_string_equal(msg.text, "0000:00:05.0: BAR 3 does not exist (memory BARs: 0 2)");
	assert_int_equal(vfiobar_window_open(dev, 2, 0x2010, 1, &window, &msg), -EACCES);
	assert_int_equal(vfiobar_window_open(dev, 2, 0xffff, 2, &window, &msg), -ERANGE);
	assert_ptr_equal(window, &fake);
	vfiobar_close(dev);
}

#define HINT(...)                                                \
	{                                                        \
		.size = sizeof(struct vfiobar_hint), __VA_ARGS__ \
	}

static void assert_hint(int flags, int st, int st_ext, int ph)
{
	assert_int_equal(fake.hint_flags, flags);
	assert_int_equal(fake.hint_st, st);
	assert_int_equal(fake.hint_st_ext, st_ext);
	assert_int_equal(fake.hint_ph, ph);
}

static void test_export_and_hint(void **state)
{
	const struct vfiobar_hint both =
		HINT(.has_st = true, .has_st_ext = true, .st = 42, .st_ext = 0xbeef, .ph = 2);
	const struct vfiobar_hint ext = HINT(.has_st_ext = true, .st = 9, .st_ext = 0x42, .ph = 3);
	const struct vfiobar_hint st = HINT(.has_st = true, .st_ext = 9);
	const struct vfiobar_hint none = HINT(.st = 9, .st_ext = 9);
	struct vfiobar_msg msg;
	struct vfiobar *dev;
	int fd;

	(void)state;
	fake_vfio_build(root, "vfio-pci", "vfio7", NULL, true);
	dev = open_it();
	assert_int_equal(vfiobar_probe_hint(dev, &msg), 0);
	assert_int_equal(fake.hints, 0);
	fd = vfiobar_export(dev, 2, 0x4000, 0x3000, &msg);
	assert_true(fd >= 0);
	assert_int_equal(fake.export_region, 2);
	assert_int_equal(fake.export_ranges, 1);
	assert_int_equal(fake.exported[0].offset, 0x4000);
	assert_int_equal(fake.exported[0].length, 0x3000);

	assert_int_equal(vfiobar_set_hint(dev, fd, &both, &msg), 0);
	assert_int_equal(fake.hint_fd, fd);
	assert_hint(3, 42, 0xbeef, 2);
	/* The kernel refuses a tag whose flag is clear, so a stale one must not go out. */
	assert_int_equal(vfiobar_set_hint(dev, fd, &ext, NULL), 0);
	assert_hint(2, 0, 0x42, 3);
	assert_int_equal(vfiobar_set_hint(dev, fd, &st, &msg), 0);
	assert_hint(1, 0, 0, 0);
	assert_int_equal(vfiobar_set_hint(dev, fd, &none, &msg), 0);
	assert_hint(0, 0, 0, 0);
	assert_int_equal(fake.hints, 4);
	close(fd);
	vfiobar_close(dev);
}

/* Several ranges are one dma-buf, in the order given; a bad one among them is refused by name. */
static void test_export_of_ranges(void **state)
{
	struct vfiobar_range ranges[] = { { 0x4000, 0x1000 }, { 0, 0x2000 }, { 0x4000, 0x2000 } };
	struct vfiobar_range wrap[] = { { 0, 0x1000 }, { 0x1000, 0x10000 } };
	struct vfiobar_range huge[] = { { 0, 1ull << 63 }, { 0, 1ull << 63 } };
	struct vfiobar_msg msg;
	struct vfiobar *dev;
	int fd;

	(void)state;
	fake_vfio_build(root, "vfio-pci", "vfio7", NULL, true);
	dev = open_it();
	fd = vfiobar_export_ranges(dev, 2, ranges, 3, &msg);
	assert_true(fd >= 0);
	assert_int_equal(fake.export_region, 2);
	assert_int_equal(fake.export_ranges, 3);
	assert_memory_equal(fake.exported, ranges, sizeof(ranges));
	close(fd);

	assert_int_equal(vfiobar_export_ranges(dev, 2, ranges, 0, &msg), -EINVAL);
	assert_string_equal(msg.text, "0000:00:05.0 BAR 2: no range to export");
	assert_int_equal(vfiobar_export_ranges(dev, 2, wrap, 2, &msg), -ERANGE);
	assert_string_equal(msg.text, "0000:00:05.0 BAR 2: offset 0x1000 + length 0x10000 past the "
				      "BAR (size 0x10000): 4096 bytes missing");
	ranges[2].offset = 0x2000;
	assert_int_equal(vfiobar_export_ranges(dev, 2, ranges, 3, &msg), -EACCES);
	ranges[2].offset = 8;
	assert_int_equal(vfiobar_export_ranges(dev, 2, ranges, 3, &msg), -EINVAL);
	assert_int_equal(vfiobar_export_ranges(dev, 2, ranges, 2, NULL), fd);
	close(fd);
	/* No BAR is that large, so it is the library's own structure that says so. */
	((struct vfiobar_layout *)vfiobar_layout(dev))->bar_size[0] = 1ull << 63;
	assert_int_equal(vfiobar_export_ranges(dev, 0, huge, 2, &msg), -EOVERFLOW);
	assert_string_equal(msg.text, "0000:00:05.0 BAR 0: the lengths of 2 ranges do not fit");
	assert_int_equal(fake.exports, 2);
	vfiobar_close(dev);
}

/* The completer field of the function that vfio shows, in bits 13:12 of Device Capabilities 2. */
static void completer(uint8_t value)
{
	FILE *f = fopen(fake_vfio_node(), "r+");

	assert_non_null(f);
	assert_int_equal(fseek(f, FAKE_CONFIG_AT + 0x80 + 0x25, SEEK_SET), 0);
	assert_int_equal(fputc(value << 4, f), value << 4);
	assert_int_equal(fclose(f), 0);
}

static void test_refused_hints(void **state)
{
	static const struct {
		uint8_t completer;
		struct vfiobar_hint hint;
		int err;
		const char *why;
	} rows[] = {
		{ 0, HINT(.has_st = true), EOPNOTSUPP,
		  "Operation not supported (EOPNOTSUPP): the function is no TPH completer" },
		{ 2, HINT(.has_st = true), EOPNOTSUPP,
		  "Operation not supported (EOPNOTSUPP): the function is no TPH completer" },
		{ 1, HINT(.has_st = true, .has_st_ext = true), EOPNOTSUPP,
		  "Operation not supported (EOPNOTSUPP): the function is a TPH completer, but none "
		  "of Extended TPH, and takes no Extended Steering Tags" },
		{ 1, HINT(.has_st = true), EOPNOTSUPP,
		  "Operation not supported (EOPNOTSUPP): its driver, or the path to it, takes "
		  "none" },
		{ 3, HINT(.has_st_ext = true), EOPNOTSUPP,
		  "Operation not supported (EOPNOTSUPP): its driver, or the path to it, takes "
		  "none" },
		{ 1, HINT(.has_st = true), ENOTTY,
		  "Inappropriate ioctl for device (ENOTTY): the kernel has no hints of dma-bufs" },
		{ 1, HINT(.has_st = true, .ph = 4), EINVAL,
		  "Invalid argument (EINVAL): PH is 0 to 3" },
		{ 1, HINT(.has_st = true), EINVAL,
		  "Invalid argument (EINVAL): the descriptor is of no dma-buf of the function" },
		{ 1, HINT(.has_st = true), EBADF,
		  "Bad file descriptor (EBADF): the descriptor is of no dma-buf of the function" },
		{ 1, HINT(.has_st = true), ENODEV, "No such device (ENODEV)" },
	};
	struct vfiobar_hint reserved = HINT(.has_st = true, .reserved = { 0, 1 });
	struct vfiobar_msg msg;
	struct vfiobar *dev;
	char text[384];

	(void)state;
	fake_vfio_build(root, "vfio-pci", "vfio7", NULL, true);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		completer(rows[i].completer);
		dev = open_it();
		fake.hint_errno = rows[i].err;
		assert_int_equal(vfiobar_set_hint(dev, 0, &rows[i].hint, &msg), -rows[i].err);
		snprintf(text, sizeof(text), "0000:00:05.0: attaching the steering hint failed: %s",
			 rows[i].why);
		assert_string_equal(msg.text, text);
		assert_int_equal(vfiobar_set_hint(dev, 0, &rows[i].hint, NULL), -rows[i].err);
		assert_int_equal(vfiobar_probe_hint(dev, &msg), -rows[i].err);
		vfiobar_close(dev);
	}
	assert_string_equal(msg.text, "0000:00:05.0: probing for steering hints failed: No such "
				      "device (ENODEV)");
	fake.hint_errno = 0;
	dev = open_it();
	assert_int_equal(vfiobar_set_hint(dev, 0, &reserved, &msg), -EINVAL);
	assert_string_equal(msg.text, "0000:00:05.0: the hint's reserved bytes are not 0");
	assert_int_equal(fake.hints, 0);
	vfiobar_close(dev);
}

static void test_refused_exports(void **state)
{
	struct vfiobar_msg msg;
	struct vfiobar *dev;

	(void)state;
	fake_vfio_build(root, "vfio-pci", "vfio7", NULL, true);
	dev = open_it();
	assert_int_equal(vfiobar_export(dev, 0, 0x10, 0x1000, &msg), -EINVAL);
	assert_int_equal(vfiobar_export(dev, 0, 0, 0x1001, &msg), -EINVAL);
	assert_int_equal(vfiobar_export(dev, 0, 0x100000, 0x1000, &msg), -ERANGE);
	assert_int_equal(vfiobar_export(dev, 5, 0, 0x1000, &msg), -ENOENT);
	assert_int_equal(vfiobar_export(dev, 2, 0x2000, 0x1000, &msg), -EACCES);
	assert_int_equal(fake.exports, 0);
	fake.export_errno = ENOTTY;
	assert_int_equal(vfiobar_export(dev, 0, 0, 0x1000, &msg), -ENOTTY);
	assert_string_equal(msg.text,
			    "0000:00:05.0 BAR 0: exporting a dma-buf failed: Inappropriate "
			    "ioctl for device (ENOTTY): the kernel exports no BARs");
	fake.export_errno = EOPNOTSUPP;
	assert_int_equal(vfiobar_export(dev, 0, 0, 0x1000, &msg), -EOPNOTSUPP);
	assert_string_equal(msg.text, "0000:00:05.0 BAR 0: exporting a dma-buf failed: Operation "
				      "not supported (EOPNOTSUPP): its driver exports no BARs");
	vfiobar_close(dev);
	vfiobar_close(NULL);
}

/* What somebody else has open is used, and stays open. */
static void test_descriptor_of_somebody_else(void **state)
{
	const struct vfiobar_hint hint = HINT(.has_st = true, .st = 42);
	struct vfiobar_window *window;
	struct vfiobar *dev = NULL;
	struct vfiobar_msg msg;
	uint8_t byte = 0x5a;
	int fd, dmabuf;

	(void)state;
	fake_vfio_build(root, "vfio-pci", "vfio7", NULL, true);
	/* A second open would be refused. */
	fake.cdev_errno = EBUSY;
	fd = open(fake_vfio_node(), O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(vfiobar_from_fd(fd, "00:05.0", &dev, &msg), 0);
	assert_string_equal(vfiobar_access(dev), "descriptor");
	assert_int_equal(vfiobar_fd(dev), fd);
	assert_layout(vfiobar_layout(dev));
	assert_int_equal(vfiobar_window_open(dev, 0, 0x123, 1, &window, &msg), 0);
	assert_int_equal(vfiobar_window_write(window, 0, &byte, 1, &msg), 0);
	vfiobar_window_close(window);
	dmabuf = vfiobar_export(dev, 0, 0, 0x1000, &msg);
	assert_true(dmabuf >= 0);
	assert_int_equal(vfiobar_set_hint(dev, dmabuf, &hint, &msg), 0);
	assert_int_equal(fake.hints, 1);
	close(dmabuf);
	vfiobar_close(dev);
	byte = 0;
	assert_int_equal(pread(fd, &byte, 1, 0x123), 1);
	assert_int_equal(byte, 0x5a);

	/* The wrong function, one that is not there, and what is no device. */
	dev = (void *)&fake;
	fake_vfio_vf();
	assert_int_equal(vfiobar_from_fd(fd, FAKE_BDF, &dev, &msg), 0);
	vfiobar_close(dev);
	dev = (void *)&fake;
	fake_vfio_identity("0x1b37\n");
	assert_int_equal(vfiobar_from_fd(fd, FAKE_BDF, &dev, &msg), -EINVAL);
	assert_memory_equal(msg.text, "0000:00:05.0: descriptor ", 25);
	assert_non_null(strstr(msg.text, " is of another function (1b36:1102)"));
	assert_int_equal(vfiobar_from_fd(fd, "00:06.0", &dev, &msg), -ENODEV);
	assert_int_equal(vfiobar_from_fd(-1, FAKE_BDF, &dev, &msg), -EBADF);
	assert_string_equal(msg.text, "0000:00:05.0: asking vfio for the device failed: Bad file "
				      "descriptor (EBADF)");
	assert_ptr_equal(dev, &fake);
	assert_int_equal(close(fd), 0);
}

/* Raw configuration space of a VF has no identity and no BARs. */
static void test_virtual_function(void **state)
{
	struct vfiobar_layout layout = { .size = sizeof(layout) };
	struct vfiobar_msg msg;
	struct vfiobar *dev;

	(void)state;
	fake_vfio_build(root, "vfio-pci", "vfio7", NULL, true);
	fake_vfio_vf();
	assert_int_equal(vfiobar_read_layout(FAKE_BDF, &layout, &msg), 0);
	assert_layout(&layout);
	dev = open_it();
	assert_layout(vfiobar_layout(dev));
	vfiobar_close(dev);
}

/* Who may not open the character device may be let in by the group. */
static void test_group_when_cdev_is_forbidden(void **state)
{
	struct vfiobar *dev;

	(void)state;
	fake_vfio_build(root, "vfio-pci", "vfio7", "9", true);
	fake.cdev_errno = EACCES;
	dev = open_it();
	assert_string_equal(vfiobar_access(dev), "group");
	vfiobar_close(dev);
	assert_fails(VFIOBAR_IOMMUFD, -EACCES,
		     "0000:00:05.0: opening its vfio character device failed: Permission "
		     "denied (EACCES)");
	fake.group_unviable = true;
	assert_open_fails(FAKE_BDF, -EACCES,
			  "0000:00:05.0: opening its vfio character device failed: Permission "
			  "denied (EACCES); nor by its group (EBUSY)");
}

/* A program of a later header with this library, and one whose structures never were. */
static void test_sizes(void **state)
{
	struct {
		struct vfiobar_layout layout;
		uint64_t more;
	} later = { .layout = { .size = sizeof(later) }, .more = 7 };
	struct {
		struct vfiobar_hint hint;
		uint32_t more;
	} hint = { .hint = { .size = sizeof(hint), .has_st = true } };
	struct vfiobar_layout small = { .size = sizeof(small) - 1, .vendor = 7 };
	struct vfiobar_msg msg;
	struct vfiobar *dev;

	(void)state;
	fake_vfio_build(root, "vfio-pci", "vfio7", NULL, true);
	assert_int_equal(vfiobar_read_layout(FAKE_BDF, &later.layout, &msg), 0);
	assert_layout(&later.layout);
	assert_int_equal(later.more, 0);
	assert_int_equal(vfiobar_read_layout(FAKE_BDF, &small, &msg), -EINVAL);
	assert_string_equal(msg.text, "a structure says that it has 127 bytes, and has at least "
				      "128");
	assert_int_equal(small.vendor, 7);
	assert_int_equal(vfiobar_check_range(&small, 0, 0, 1, 1, &msg), -EINVAL);
	assert_int_equal(vfiobar_check_memory(&small, 0, &msg), -EINVAL);

	dev = open_it();
	assert_int_equal(vfiobar_set_hint(dev, 0, &hint.hint, &msg), 0);
	hint.more = 0x1000000;
	assert_int_equal(vfiobar_set_hint(dev, 0, &hint.hint, &msg), -E2BIG);
	assert_string_equal(msg.text, "a structure of 16 bytes has something behind the 12 that "
				      "this libvfiobar knows");
	hint.hint.size = sizeof(hint.hint) - 1;
	assert_int_equal(vfiobar_set_hint(dev, 0, &hint.hint, &msg), -EINVAL);
	assert_int_equal(fake.hints, 1);
	vfiobar_close(dev);
}

/* @bar is refused with @text and -EPERM, in whatever way it is asked for; then allowed. */
static void assert_registers(unsigned int bar, const char *text)
{
	struct vfiobar_window *window = (void *)&fake;
	struct vfiobar_msg msg = { .text = "" };
	struct vfiobar *dev = open_it();
	unsigned int exports = fake.exports;
	struct vfiobar_layout layout = { .size = sizeof(layout) };
	int fd;

	assert_int_equal(vfiobar_read_layout(FAKE_BDF, &layout, &msg), 0);
	assert_int_equal(vfiobar_check_memory(&layout, bar, &msg), -EPERM);
	assert_string_equal(msg.text, text);
	assert_int_equal(vfiobar_check_memory(vfiobar_layout(dev), bar, NULL), -EPERM);
	msg.text[0] = '\0';
	assert_int_equal(vfiobar_window_open(dev, bar, 0x4000, 16, &window, &msg), -EPERM);
	assert_string_equal(msg.text, text);
	assert_ptr_equal(window, &fake);
	msg.text[0] = '\0';
	assert_int_equal(vfiobar_export(dev, bar, 0x4000, 0x1000, &msg), -EPERM);
	assert_string_equal(msg.text, text);
	assert_int_equal(fake.exports, exports);

	vfiobar_allow_registers(dev);
	assert_int_equal(vfiobar_window_open(dev, bar, 0x4000, 16, &window, &msg), 0);
	vfiobar_window_close(window);
	fd = vfiobar_export(dev, bar, 0x4000, 0x1000, &msg);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(vfiobar_export(dev, 2, 0x2000, 0x1000, &msg), -EACCES);
	vfiobar_close(dev);

	/* Of the next user nothing was said. */
	dev = open_it();
	assert_int_equal(vfiobar_export(dev, bar, 0x4000, 0x1000, &msg), -EPERM);
	vfiobar_close(dev);
}

/* What sysfs and vfio say of a BAR. */
static int check_memory(unsigned int bar, struct vfiobar_msg *msg)
{
	struct vfiobar_layout layout = { .size = sizeof(layout) };
	struct vfiobar *dev = open_it();
	int ret;

	assert_int_equal(vfiobar_read_layout(FAKE_BDF, &layout, msg), 0);
	ret = vfiobar_check_memory(&layout, bar, msg);
	assert_int_equal(vfiobar_check_memory(vfiobar_layout(dev), bar, msg), ret);
	vfiobar_close(dev);
	return ret;
}

static void test_registers(void **state)
{
	static const uint32_t controllers[] = { 0x010802, 0x010803 };
	struct vfiobar_msg msg;
	char text[256];

	(void)state;
	fake_vfio_build(root, "vfio-pci", "vfio7", NULL, true);
	assert_int_equal(check_memory(0, &msg), 0);
	assert_int_equal(check_memory(2, &msg), 0);
	fake_vfio_registers();
	assert_registers(2, "0000:00:05.0 BAR 2: is not prefetchable, so it holds registers (class "
			    "030200): data written there is commands to the device");
	assert_int_equal(check_memory(0, &msg), 0);

	/* Its registers are in BAR 0, prefetchable or not; its memory buffer is in another. */
	for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++) {
		fake_vfio_class(controllers[i]);
		snprintf(text, sizeof(text),
			 "0000:00:05.0 BAR 0: holds the registers of an NVMe controller (class "
			 "%06x): data written there is commands to it",
			 controllers[i]);
		assert_registers(0, text);
	}
	fake_vfio_class(0x010902);
	assert_int_equal(check_memory(0, &msg), 0);
	fake_vfio_class(0x010700);
	assert_int_equal(check_memory(0, &msg), 0);

	assert_int_equal(check_memory(1, &msg), -ENOENT);
	assert_string_equal(msg.text, "0000:00:05.0: BAR 1 does not exist (memory BARs: 0 2)");
	assert_int_equal(check_memory(VFIOBAR_BARS, &msg), -ENOENT);
}

/* sysfs is read once: what it says later of an open function is not asked. */
static void test_layout_is_kept(void **state)
{
	struct vfiobar_msg msg;
	struct vfiobar *dev;
	char path[192];
	int fd;

	(void)state;
	fake_vfio_build(root, "vfio-pci", "vfio7", NULL, true);
	dev = open_it();
	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/" FAKE_BDF "/resource", root);
	assert_int_equal(unlink(path), 0);
	fd = vfiobar_export(dev, 2, 0x4000, 0x1000, &msg);
	assert_true(fd >= 0);
	close(fd);
	vfiobar_close(dev);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_layout_from_sysfs),
		TEST(test_not_bound),
		TEST(test_no_driver_and_no_device),
		TEST(test_iommufd),
		TEST(test_noiommu_cdev_of_a_variant_driver),
		TEST(test_busy),
		TEST(test_group_without_cdev),
		TEST(test_group_without_iommufd),
		TEST(test_chosen_interface),
		TEST(test_chosen_interface_without_cdev),
		TEST(test_chosen_interface_without_iommufd),
		TEST(test_chosen_interface_without_group),
		TEST(test_no_way_in),
		TEST(test_mapped_window),
		TEST(test_window_by_read_and_write),
		TEST(test_refused_windows),
		TEST(test_export_and_hint),
		TEST(test_refused_exports),
		TEST(test_export_of_ranges),
		TEST(test_refused_hints),
		TEST(test_descriptor_of_somebody_else),
		TEST(test_virtual_function),
		TEST(test_group_when_cdev_is_forbidden),
		TEST(test_sizes),
		TEST(test_registers),
		TEST(test_layout_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
