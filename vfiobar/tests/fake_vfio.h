/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A made-up machine with one function 0000:00:05.0 behind calls caught at link time: paths below
 * /sys, /dev/vfio and /dev/iommu are looked up in a directory, vfio ioctls are answered here. The
 * device node is a plain file that holds BAR 0 (1 MiB), BAR 2 (64 KiB, MSI-X table at 0x2000), both
 * prefetchable, and configuration space, so map, read and write are the real ones and contents last
 * from one run to the next.
 */
#ifndef VFIOBAR_FAKE_VFIO_H
#define VFIOBAR_FAKE_VFIO_H

#include <stdbool.h>
#include <stdint.h>

#include "vfiobar/vfiobar.h"

#define FAKE_BDF       "0000:00:05.0"
#define FAKE_BAR0_SIZE 0x100000
#define FAKE_BAR2_SIZE 0x10000
#define FAKE_BAR2_AT   0x100000
#define FAKE_CONFIG_AT 0x200000
#define FAKE_RANGES    8

struct fake_vfio {
	/* What the kernel will say; 0 is success. */
	int bind_errno, cdev_errno, export_errno, hint_errno;
	bool no_mmap;	     /* regions lack the mmap flag */
	bool group_unviable; /* another function of the group has a host driver */
	/* What arrived. */
	unsigned int opens, exports, hints, resets;
	uint32_t export_ranges;
	struct vfiobar_range exported[FAKE_RANGES];
	uint32_t export_region, hint_flags;
	uint16_t hint_st, hint_st_ext;
	uint8_t hint_ph;
	int hint_fd, iommu_type;
};

extern struct fake_vfio fake;

/*
 * Builds the machine below @root, a directory that exists: function bound to @driver (NULL: none),
 * with character device @cdev (NULL: a kernel without), IOMMU group 9 reachable through the node
 * @group (NULL: none), and /dev/iommu if @iommufd. Clears @fake.
 */
void fake_vfio_build(const char *root, const char *driver, const char *cdev, const char *group,
		     bool iommufd);

/* The function built is of another class, or its BAR 2 is not prefetchable. */
void fake_vfio_class(uint32_t class_code);
void fake_vfio_registers(void);
/* It is a VF: raw configuration space has no identity and no BARs, the one of vfio has both. */
void fake_vfio_vf(void);
/* Only so much of its configuration space is shown by sysfs. */
void fake_vfio_config_shown(unsigned int bytes);
/* The number of its character device in sysfs, "511:7\n". */
void fake_vfio_node_number(const char *number);
/* Another vendor in sysfs, "0x1b37\n". */
void fake_vfio_identity(const char *vendor);
/* Its device node, for those who open it themselves. */
const char *fake_vfio_node(void);

#endif
