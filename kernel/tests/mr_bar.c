// SPDX-License-Identifier: GPL-2.0-only
/* BARs of a vfio device, and what takes them away for a while; see mr.h. */
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "mr.h"

int mr_bar_open(const char *bdf, unsigned int number, uint64_t length, struct mr_bar *bar)
{
	int ret;

	memset(bar, 0, sizeof(*bar));
	bar->number = number;
	bar->length = length;
	ret = vfiobar_open(bdf, &bar->dev, NULL);
	if (ret)
		return ret;
	ret = vfiobar_window_open(bar->dev, number, 0, length, &bar->window, NULL);
	if (ret) {
		vfiobar_close(bar->dev);
		bar->dev = NULL;
	}
	return ret;
}

void mr_bar_close(struct mr_bar *bar)
{
	if (bar->dev) {
		vfiobar_window_close(bar->window);
		vfiobar_close(bar->dev);
	}
	memset(bar, 0, sizeof(*bar));
}

int mr_bar_export(struct mr_bar *bar, uint64_t offset, uint64_t length)
{
	return vfiobar_export(bar->dev, bar->number, offset, length, NULL);
}

int mr_bar_hint(struct mr_bar *bar, int fd, struct vfiobar_hint hint)
{
	hint.size = sizeof(hint);
	return vfiobar_set_hint(bar->dev, fd, &hint, NULL);
}

int mr_bar_export_hinted(struct mr_bar *bar, uint64_t offset, uint64_t length,
			 struct vfiobar_hint hint)
{
	int fd = mr_bar_export(bar, offset, length), ret;

	if (fd < 0)
		return fd;
	ret = mr_bar_hint(bar, fd, hint);
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

struct vfiobar_hint mr_st(uint8_t st, uint8_t ph)
{
	return (struct vfiobar_hint){ .has_st = true, .st = st, .ph = ph };
}

struct vfiobar_hint mr_st_ext(uint16_t st_ext, uint8_t ph)
{
	return (struct vfiobar_hint){ .has_st_ext = true, .st_ext = st_ext, .ph = ph };
}

struct vfiobar_hint mr_st_both(uint8_t st, uint16_t st_ext, uint8_t ph)
{
	return (struct vfiobar_hint){
		.has_st = true, .st = st, .has_st_ext = true, .st_ext = st_ext, .ph = ph
	};
}

struct vfiobar_hint mr_no_hint(void)
{
	return (struct vfiobar_hint){ 0 };
}

/* Where configuration space is in the device's descriptor, or -errno. */
static off_t config_space(const struct mr_bar *bar)
{
	struct vfio_region_info info = { .argsz = sizeof(info),
					 .index = VFIO_PCI_CONFIG_REGION_INDEX };

	return ioctl(vfiobar_fd(bar->dev), VFIO_DEVICE_GET_REGION_INFO, &info) ? -errno
									       : (off_t)info.offset;
}

int mr_config_read(struct mr_bar *bar, unsigned int offset, void *data, size_t length)
{
	off_t space = config_space(bar);

	if (space < 0)
		return (int)space;
	if (pread(vfiobar_fd(bar->dev), data, length, space + offset) != (ssize_t)length)
		return -EIO;
	return 0;
}

int mr_config_write(struct mr_bar *bar, unsigned int offset, const void *data, size_t length)
{
	off_t space = config_space(bar);

	if (space < 0)
		return (int)space;
	if (pwrite(vfiobar_fd(bar->dev), data, length, space + offset) != (ssize_t)length)
		return -EIO;
	return 0;
}

int mr_bar_memory(struct mr_bar *bar, bool enable)
{
	uint16_t command;
	int ret = mr_config_read(bar, PCI_COMMAND, &command, sizeof(command));

	if (ret)
		return ret;
	if (enable)
		command |= PCI_COMMAND_MEMORY;
	else
		command &= (uint16_t)~PCI_COMMAND_MEMORY;
	return mr_config_write(bar, PCI_COMMAND, &command, sizeof(command));
}

/* Offset of a capability, 0 when there is none. */
static uint8_t find_capability(struct mr_bar *bar, uint8_t id)
{
	uint8_t entry[2], next;

	if (mr_config_read(bar, PCI_CAPABILITY_LIST, &next, sizeof(next)))
		return 0;
	for (unsigned int i = 0; i < 48 && next >= 0x40; i++) {
		if (mr_config_read(bar, next & 0xfc, entry, sizeof(entry)))
			return 0;
		if (entry[0] == id)
			return next & 0xfc;
		next = entry[1];
	}
	return 0;
}

int mr_bar_power(struct mr_bar *bar, unsigned int d_state)
{
	uint8_t pm = find_capability(bar, PCI_CAP_ID_PM);
	uint16_t control;
	int ret;

	if (!pm)
		return -ENOTTY;
	ret = mr_config_read(bar, pm + PCI_PM_CTRL, &control, sizeof(control));
	if (ret)
		return ret;
	control = (uint16_t)((control & ~PCI_PM_CTRL_STATE_MASK) | d_state);
	return mr_config_write(bar, pm + PCI_PM_CTRL, &control, sizeof(control));
}

int mr_bar_reset(struct mr_bar *bar)
{
	return vfiobar_reset(bar->dev, NULL);
}
