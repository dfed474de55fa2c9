/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause OR Linux-OpenIB */
/*
 * The BARs of a PCI function that vfio-pci owns: look, map, export as dma-buf, attach a TPH
 * steering hint to the dma-buf. The same files serve the project's tools, perftest and librdmacm's
 * examples.
 *
 * Functions that can fail return 0 (or a file descriptor where said) or a negative errno, and take
 * a @msg, which may be NULL: on failure it gets one line without newline that names the device and
 * the cause. What else they write is written on success only. Offsets and lengths are bytes.
 * Nothing here is safe to call for one device from two threads; different devices are independent.
 *
 * A structure that begins with "size" can grow: the caller sets size to the sizeof() of its own
 * header. -EINVAL for less than the first version has. Of a larger structure than the library
 * knows, the rest has to be 0 when the library reads it (-E2BIG); when the library writes it, the
 * rest is set to 0, and size to what the library filled. The other structures never change.
 */
#ifndef VFIOBAR_H
#define VFIOBAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VFIOBAR_BARS	6
#define VFIOBAR_BDF_LEN 20

struct vfiobar_msg {
	char text[384];
};

/* A piece of a BAR; length 0 means none. */
struct vfiobar_range {
	uint64_t offset;
	uint64_t length;
};

/* TPH completer field of Device Capabilities 2, bits 13:12 (PCIe base specification). */
enum vfiobar_completer {
	VFIOBAR_COMPLETER_NONE = 0,
	VFIOBAR_COMPLETER_TPH = 1,
	VFIOBAR_COMPLETER_RESERVED = 2,
	VFIOBAR_COMPLETER_TPH_EXT = 3,
};

/* What opens a function. No-IOMMU mode is none of its own: the kernel offers it by either. */
enum vfiobar_interface {
	VFIOBAR_ANY = 0,     /* the first of the following that can be had */
	VFIOBAR_IOMMUFD = 1, /* its character device, bound to an iommufd */
	VFIOBAR_GROUP = 2,   /* its legacy group, in a container */
};

/* What a function's BARs offer. */
struct vfiobar_layout {
	uint32_t size;
	uint32_t class_code;
	uint16_t vendor, device;
	uint32_t completer;	   /* enum vfiobar_completer */
	uint32_t prefetchable;	   /* bit n: memory BAR n is */
	char bdf[VFIOBAR_BDF_LEN]; /* canonical */
	/* MSI-X table and pending bits: in which BAR, and where; length 0: none. */
	uint32_t msix_bar[2];
	struct vfiobar_range msix[2];
	uint64_t bar_size[VFIOBAR_BARS]; /* 0: no memory BAR of that number */
};

/* Steering hint: 8-bit ST and 16-bit Extended ST are separate namespaces, so both may be present.
 */
struct vfiobar_hint {
	uint32_t size;
	bool has_st, has_st_ext;
	uint8_t st;
	uint8_t ph; /* 0..3 */
	uint16_t st_ext;
	uint8_t reserved[2]; /* 0 */
};

/* An open function, and a CPU view of a piece of a BAR. */
struct vfiobar;
struct vfiobar_window;

/*
 * Name of a positive errno, "EOPNOTSUPP"; "errno 12345" for one without. Valid until the same
 * thread calls again.
 */
const char *vfiobar_errno_name(int err);

/* Reads "[domain:]bus:dev.fn" (hex) and writes its canonical form. -EINVAL. */
int vfiobar_parse_bdf(const char *text, char bdf[VFIOBAR_BDF_LEN], struct vfiobar_msg *msg);

/*
 * Reads "st=<0-255>,st_ext=<0-65535>,ph=<0-3>" in any order; decimal, or hex with 0x. ph and at
 * least one tag are mandatory. -EINVAL with the cause (without device name) in @msg.
 */
int vfiobar_parse_hint(const char *spec, struct vfiobar_hint *hint, struct vfiobar_msg *msg);

/*
 * Layout as sysfs shows it, without opening (and so without resetting) the function, whoever else
 * has it open. -EINVAL bad address, -ENODEV no such function, -ENXIO not bound to a vfio driver,
 * -ENODATA a function that does not answer, -EACCES when sysfs shows its capabilities to the
 * privileged only (who may open the function sees them then), or what open and read of sysfs said.
 */
int vfiobar_read_layout(const char *bdf, struct vfiobar_layout *layout, struct vfiobar_msg *msg);

/*
 * May [@offset, @offset + @length) of @bar be used? @align is a power of two that both must be a
 * multiple of (the page size for map and export, 1 for plain access). Pages that hold the MSI-X
 * table or pending bits are refused: writing there moves interrupts. -ENOENT no such BAR, -EINVAL
 * unaligned or empty, -ERANGE past the end, -EACCES on MSI-X pages.
 */
int vfiobar_check_range(const struct vfiobar_layout *layout, unsigned int bar, uint64_t offset,
			uint64_t length, uint64_t align, struct vfiobar_msg *msg);

/*
 * Is BAR @bar memory? -EPERM when it holds registers, for which data is commands: BAR 0 of an NVMe
 * controller (its controller registers, NVMe base specification), and a BAR that is not
 * prefetchable (what reads change, or does not keep what is written; PCI base specification).
 * -ENOENT no such memory BAR.
 */
int vfiobar_check_memory(const struct vfiobar_layout *layout, unsigned int bar,
			 struct vfiobar_msg *msg);

/*
 * Opens the function by the first way that there is: its character device through iommufd, without
 * IOAS, so that the function itself can reach no memory; where the kernel has none, or this user
 * must not open it (-EACCES, -EPERM), the legacy group and container. No-IOMMU mode works with
 * either. vfio-pci resets the function when the first user opens it. Errors as
 * vfiobar_read_layout(), -EBUSY when another user or a host driver of the group is in the way;
 * where both users take the character device, kernels say -EINVAL instead.
 */
int vfiobar_open(const char *bdf, struct vfiobar **dev, struct vfiobar_msg *msg);
/*
 * The same by one way. -EINVAL no such way; -ENOENT the kernel has no character device for the
 * function or no iommufd; -ENXIO the function is in no group.
 */
int vfiobar_open_by(const char *bdf, enum vfiobar_interface by, struct vfiobar **dev,
		    struct vfiobar_msg *msg);
/*
 * Takes the vfio device descriptor @fd of the function @bdf, which somebody else has opened (and
 * bound to an iommufd, if it is a character device) and keeps open as long as @dev is used; it is
 * never closed here. -EINVAL when it is one of another function, what the kernel says when it is
 * none of vfio, or errors of vfiobar_read_layout() but -EACCES. Descriptors that came from groups
 * do not tell functions of the same kind (identity, BAR sizes) apart.
 */
int vfiobar_from_fd(int fd, const char *bdf, struct vfiobar **dev, struct vfiobar_msg *msg);
/* Revokes every dma-buf exported, unless it is from vfiobar_from_fd(). NULL is fine. Close windows
 * first. */
void vfiobar_close(struct vfiobar *dev);
/* Valid until vfiobar_close(). Fields behind its size are not there. */
const struct vfiobar_layout *vfiobar_layout(const struct vfiobar *dev);
/* "iommufd", "iommufd, no IOMMU", "group", "group, no IOMMU" or "descriptor". */
const char *vfiobar_access(const struct vfiobar *dev);
/* Its vfio device descriptor, for what the library does not do. */
int vfiobar_fd(const struct vfiobar *dev);
/* Function reset. -ENOTTY where the function has none. */
int vfiobar_reset(struct vfiobar *dev, struct vfiobar_msg *msg);
/* What follows takes BARs that vfiobar_check_memory() refuses, too, until the device is closed. */
void vfiobar_allow_registers(struct vfiobar *dev);

/*
 * Opens a CPU view; any alignment. The caller closes it, before the device. Errors of
 * vfiobar_check_range(), vfiobar_check_memory() and mmap.
 */
int vfiobar_window_open(struct vfiobar *dev, unsigned int bar, uint64_t offset, uint64_t length,
			struct vfiobar_window **window, struct vfiobar_msg *msg);
/* NULL is fine. */
void vfiobar_window_close(struct vfiobar_window *window);
/* Its first byte, or NULL where the kernel allows read and write but no mmap. */
volatile void *vfiobar_window_addr(const struct vfiobar_window *window);
uint64_t vfiobar_window_length(const struct vfiobar_window *window);
/* @offset is relative to the window. -ERANGE outside of it, or what read and write said. */
int vfiobar_window_read(const struct vfiobar_window *window, uint64_t offset, void *buf,
			size_t length, struct vfiobar_msg *msg);
int vfiobar_window_write(const struct vfiobar_window *window, uint64_t offset, const void *buf,
			 size_t length, struct vfiobar_msg *msg);

/*
 * Copies between memory and a mapped BAR in aligned 8-byte accesses, single bytes at the ends:
 * memcpy may use vector instructions that a trapped BAR cannot decode.
 */
void vfiobar_copy_to(volatile void *bar, const void *buf, size_t length);
void vfiobar_copy_from(void *buf, const volatile void *bar, size_t length);

/*
 * Exports a page-aligned range as dma-buf. Returns its descriptor (the caller closes it; it is
 * revoked when the device's descriptor is closed) or errors of vfiobar_check_range() and
 * vfiobar_check_memory(), -ENOTTY on a kernel without the export, -EOPNOTSUPP on a driver without.
 */
int vfiobar_export(struct vfiobar *dev, unsigned int bar, uint64_t offset, uint64_t length,
		   struct vfiobar_msg *msg);
/*
 * The same of @count ranges of one BAR, which follow each other in the dma-buf as given; they may
 * overlap. -EINVAL for none, -EOVERFLOW when their lengths add up to more than 64 bits hold,
 * -ENOMEM.
 */
int vfiobar_export_ranges(struct vfiobar *dev, unsigned int bar, const struct vfiobar_range *ranges,
			  unsigned int count, struct vfiobar_msg *msg);

/*
 * Attaches the hint to a dma-buf of this device; registrations made later see it, those made before
 * keep what they have. A hint with no tag and ph 0 withdraws the one attached. -EOPNOTSUPP when the
 * function is no TPH completer (of Extended TPH for an Extended ST), -ENOTTY on a kernel without
 * hints, -EINVAL for a ph above 3 or what is no dma-buf of this device; the hint attached before
 * then stays.
 */
int vfiobar_set_hint(struct vfiobar *dev, int dmabuf_fd, const struct vfiobar_hint *hint,
		     struct vfiobar_msg *msg);
/* Would the device take hints? 0, -EOPNOTSUPP, -ENOTTY. */
int vfiobar_probe_hint(struct vfiobar *dev, struct vfiobar_msg *msg);

#ifdef __cplusplus
}
#endif

#endif
