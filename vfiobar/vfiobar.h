/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause OR Linux-OpenIB */
/*
 * The BARs of a PCI function that vfio-pci owns: look, map, export as dma-buf, attach a TPH
 * steering hint to the dma-buf. The same three files serve the project's tools, perftest and
 * librdmacm's examples.
 *
 * Functions return 0 (or a file descriptor where said) or a negative errno. Where a @msg is taken
 * it may be NULL; on failure it gets one line without newline that names the device and the cause.
 * Offsets and lengths are bytes. Nothing here is safe to call for one device from two threads.
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
#define VFIOBAR_CFG_LEN 256

struct vfiobar_msg {
	char text[384];
};

/* A piece of one BAR; length 0 means none. */
struct vfiobar_range {
	unsigned int bar;
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

/* The ways to a function. No-IOMMU mode is none of its own: the kernel offers it by either. */
enum vfiobar_way {
	VFIOBAR_ANY = 0,     /* the first of the following that this kernel has for the function */
	VFIOBAR_IOMMUFD = 1, /* its character device, bound to an iommufd */
	VFIOBAR_GROUP = 2,   /* its legacy group, in a container */
};

/* What a function's BARs offer. bar_size is 0 where there is no memory BAR of that number. */
struct vfiobar_layout {
	char bdf[VFIOBAR_BDF_LEN];
	uint16_t vendor, device;
	uint32_t class_code;
	enum vfiobar_completer completer;
	uint64_t bar_size[VFIOBAR_BARS];
	struct vfiobar_range msix[2]; /* table, pending bits */
};

/* Steering hint: 8-bit ST and 16-bit Extended ST are separate namespaces, so both may be present.
 */
struct vfiobar_hint {
	bool has_st, has_st_ext;
	uint8_t st;
	uint16_t st_ext;
	uint8_t ph; /* 0..3 */
};

/* An open function. */
struct vfiobar;

/* CPU view of a piece of a BAR. addr is NULL where the kernel allows read and write but no mmap. */
struct vfiobar_window {
	volatile void *addr;
	uint64_t length;
	int fd;
	uint64_t fd_offset;
	void *map;
	size_t map_length;
};

/* Writes the line; used by the functions below and by their callers. NULL @msg is fine. */
__attribute__((format(printf, 2, 3))) void vfiobar_say(struct vfiobar_msg *msg, const char *fmt,
						       ...);

/* Name of a positive errno, "EOPNOTSUPP"; "errno 12345" in a static buffer for one not listed. */
const char *vfiobar_errno_name(int err);

/* Reads "[domain:]bus:dev.fn" (hex) and writes its canonical form. -EINVAL. */
int vfiobar_parse_bdf(const char *text, char bdf[VFIOBAR_BDF_LEN]);

/*
 * Reads "st=<0-255>,st_ext=<0-65535>,ph=<0-3>" in any order; decimal, or hex with 0x. ph and at
 * least one tag are mandatory. -EINVAL with the cause (without device name) in @msg, @hint then
 * unchanged.
 */
int vfiobar_parse_hint(const char *spec, struct vfiobar_hint *hint, struct vfiobar_msg *msg);

/*
 * Takes identity, TPH completer and MSI-X ranges from @len bytes of configuration space; bar_size
 * is not touched except that I/O BARs are set to 0. Without 64 bytes, or for a function that does
 * not answer (all ones), -ENODATA and nothing changed.
 */
int vfiobar_parse_config(const uint8_t *cfg, size_t len, struct vfiobar_layout *layout);

/*
 * May [@offset, @offset + @length) of @bar be used? @align is a power of two that both must be a
 * multiple of (the page size for map and export, 1 for plain access). Pages that hold the MSI-X
 * table or pending bits are refused: writing there moves interrupts. -ENOENT no such BAR, -EINVAL
 * unaligned or empty, -ERANGE past the end, -EACCES on MSI-X pages.
 */
int vfiobar_check_range(const struct vfiobar_layout *layout, unsigned int bar, uint64_t offset,
			uint64_t length, uint64_t align, struct vfiobar_msg *msg);

/*
 * Does a VFIO_DEVICE_GET_REGION_INFO answer of @size bytes allow mmap of the range? Follows the
 * sparse mmap capability; a malformed capability chain means no.
 */
bool vfiobar_mappable(const void *info, size_t size, uint64_t offset, uint64_t length);

/*
 * Layout as sysfs shows it, without opening (and so without resetting) the function.
 * -EINVAL bad address, -ENODEV no such function, -ENXIO not bound to a vfio driver, or what open
 * and read of sysfs said.
 */
int vfiobar_read_layout(const char *bdf, struct vfiobar_layout *layout, struct vfiobar_msg *msg);

/*
 * Opens the function by the first way that there is: its character device through iommufd, without
 * IOAS, so that the function itself can reach no memory; where the kernel has none, the legacy
 * group and container. No-IOMMU mode works with either. vfio-pci resets the function when the first
 * user opens it. Errors as vfiobar_read_layout(), -EBUSY when another user or a host driver of the
 * group is in the way; where both users take the character device, kernels say -EINVAL instead.
 * @dev is only written on success.
 */
int vfiobar_open(const char *bdf, struct vfiobar **dev, struct vfiobar_msg *msg);
/*
 * The same by one way. -EINVAL no such way; -ENOENT the kernel has no character device for the
 * function or no iommufd; -ENXIO the function is in no group.
 */
int vfiobar_open_by(const char *bdf, enum vfiobar_way way, struct vfiobar **dev,
		    struct vfiobar_msg *msg);
/* Revokes every dma-buf exported; NULL is fine. Close windows first. */
void vfiobar_close(struct vfiobar *dev);
/* Valid until vfiobar_close(). */
const struct vfiobar_layout *vfiobar_layout(const struct vfiobar *dev);
/* "iommufd", "iommufd, no IOMMU", "group" or "group, no IOMMU". */
const char *vfiobar_access(const struct vfiobar *dev);
/* Function reset. -ENOTTY where the function has none. */
int vfiobar_reset(struct vfiobar *dev, struct vfiobar_msg *msg);

/*
 * Is memory BAR @bar memory, as sysfs shows it, without opening the function? -EPERM when it holds
 * registers, for which data is commands: BAR 0 of an NVMe controller (its controller registers,
 * NVMe base specification), and a BAR that is not prefetchable (what reads change, or does not keep
 * what is written; PCI base specification). -ENOENT no such memory BAR, else errors as
 * vfiobar_read_layout().
 */
int vfiobar_check_memory(const char *bdf, unsigned int bar, struct vfiobar_msg *msg);
/* What follows takes BARs that vfiobar_check_memory() refuses, too, until the device is closed. */
void vfiobar_allow_registers(struct vfiobar *dev);

/*
 * Opens a CPU view; any alignment. The caller closes it. Errors of vfiobar_check_range(),
 * vfiobar_check_memory() and mmap.
 */
int vfiobar_window_open(struct vfiobar *dev, unsigned int bar, uint64_t offset, uint64_t length,
			struct vfiobar_window *window, struct vfiobar_msg *msg);
void vfiobar_window_close(struct vfiobar_window *window);
/* @offset is relative to the window. -ERANGE outside of it, or what read and write said. */
int vfiobar_window_read(const struct vfiobar_window *window, uint64_t offset, void *buf,
			size_t length);
int vfiobar_window_write(const struct vfiobar_window *window, uint64_t offset, const void *buf,
			 size_t length);

/*
 * Copies between memory and a mapped BAR in aligned 8-byte accesses, single bytes at the ends:
 * memcpy may use vector instructions that a trapped BAR cannot decode.
 */
void vfiobar_copy_to(volatile void *bar, const void *buf, size_t length);
void vfiobar_copy_from(void *buf, const volatile void *bar, size_t length);

/*
 * Exports a page-aligned range as dma-buf. Returns its descriptor (the caller closes it; it is
 * revoked by vfiobar_close()) or errors of vfiobar_check_range() and vfiobar_check_memory(),
 * -ENOTTY on a kernel without the export, -EOPNOTSUPP on a driver without.
 */
int vfiobar_export(struct vfiobar *dev, unsigned int bar, uint64_t offset, uint64_t length,
		   struct vfiobar_msg *msg);

/*
 * Attaches the hint to a dma-buf of this device; registrations made later see it, those made before
 * keep what they have. A hint with no tag and ph 0 withdraws the one attached. -EOPNOTSUPP when the
 * function is no TPH completer (of Extended TPH for an Extended ST), -ENOTTY on a kernel without
 * hints, -EINVAL for a ph without a tag or above 3; the hint attached before then stays.
 */
int vfiobar_set_hint(struct vfiobar *dev, int dmabuf_fd, const struct vfiobar_hint *hint);
/* Would the device take hints? 0, -EOPNOTSUPP, -ENOTTY. */
int vfiobar_probe_hint(struct vfiobar *dev);

#ifdef __cplusplus
}
#endif

#endif
