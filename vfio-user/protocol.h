/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vfio-user wire format: what a client and a server exchange over an AF_UNIX stream socket.
 * Numbers in host byte order, sizes in bytes. Facts: the messages of QEMU 11.1 as measured, and for
 * what they carry of VFIO, include/uapi/linux/vfio.h.
 */
#ifndef VFIO_USER_PROTOCOL_H
#define VFIO_USER_PROTOCOL_H

#include <assert.h>
#include <stdint.h>

enum vfio_user_command {
	VFIO_USER_VERSION = 1,
	VFIO_USER_DMA_MAP = 2,
	VFIO_USER_DMA_UNMAP = 3,
	VFIO_USER_GET_INFO = 4,
	VFIO_USER_GET_REGION_INFO = 5,
	VFIO_USER_GET_IRQ_INFO = 7,
	VFIO_USER_SET_IRQS = 8,
	VFIO_USER_REGION_READ = 9,
	VFIO_USER_REGION_WRITE = 10,
	VFIO_USER_DMA_READ = 11,  /* server to client */
	VFIO_USER_DMA_WRITE = 12, /* server to client */
	VFIO_USER_DEVICE_RESET = 13,
	VFIO_USER_REGION_WRITE_MULTI = 15,
	VFIO_USER_COMMANDS = 16,
};

/* header.flags */
#define VFIO_USER_TYPE_MASK 0xfu
#define VFIO_USER_REQUEST   0x0u
#define VFIO_USER_REPLY	    0x1u
#define VFIO_USER_NO_REPLY  0x10u
#define VFIO_USER_ERROR	    0x20u

struct vfio_user_header {
	uint16_t id;
	uint16_t command;
	uint32_t size; /* of the whole message */
	uint32_t flags;
	uint32_t error; /* positive errno, with VFIO_USER_ERROR */
};
static_assert(sizeof(struct vfio_user_header) == 16, "wire format");

/* VERSION; a NUL-terminated JSON text follows */
struct vfio_user_version {
	uint16_t major;
	uint16_t minor;
};
static_assert(sizeof(struct vfio_user_version) == 4, "wire format");

/* The longest whole VERSION reply that QEMU 11.1 takes: the length of its own request. */
#define VFIO_USER_VERSION_REPLY_MAX 214

#define VFIO_USER_MAP_READ  1u
#define VFIO_USER_MAP_WRITE 2u

struct vfio_user_dma_map {
	uint32_t argsz;
	uint32_t flags;
	uint64_t offset; /* into the descriptor's file, if one came along */
	uint64_t iova;
	uint64_t size;
};
static_assert(sizeof(struct vfio_user_dma_map) == 32, "wire format");

#define VFIO_USER_UNMAP_ALL 2u

struct vfio_user_dma_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t iova;
	uint64_t size;
};
static_assert(sizeof(struct vfio_user_dma_unmap) == 24, "wire format");

#define VFIO_USER_DEVICE_RESETTABLE 1u
#define VFIO_USER_DEVICE_PCI	    2u

struct vfio_user_device_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t regions;
	uint32_t irqs;
};
static_assert(sizeof(struct vfio_user_device_info) == 16, "wire format");

#define VFIO_USER_REGION_READABLE  1u
#define VFIO_USER_REGION_WRITABLE  2u
#define VFIO_USER_REGION_MAPPABLE  4u
#define VFIO_USER_REGION_HAS_CAPS  8u
#define VFIO_USER_CAP_SPARSE_MMAP  1
#define VFIO_USER_SPARSE_MMAP_VERS 1

struct vfio_user_region_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t cap_offset; /* of the first capability, from argsz on */
	uint64_t size;
	uint64_t offset; /* added to an area's offset, gives the place in the file */
};
static_assert(sizeof(struct vfio_user_region_info) == 32, "wire format");

/* The sparse mmap capability with one area */
struct vfio_user_sparse_mmap {
	uint16_t id;
	uint16_t version;
	uint32_t next;
	uint32_t nr_areas;
	uint32_t reserved;
	uint64_t area_offset;
	uint64_t area_size;
};
static_assert(sizeof(struct vfio_user_sparse_mmap) == 32, "wire format");

#define VFIO_USER_IRQS		 5 /* INTx, MSI, MSI-X, ERR, REQ */
#define VFIO_USER_IRQ_MSIX	 2
#define VFIO_USER_IRQ_EVENTFD	 1u
#define VFIO_USER_SET_DATA_NONE	 0x01u
#define VFIO_USER_SET_DATA_EVENT 0x04u
#define VFIO_USER_SET_TRIGGER	 0x20u

struct vfio_user_irq_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t count;
};
static_assert(sizeof(struct vfio_user_irq_info) == 16, "wire format");

/* SET_IRQS; with VFIO_USER_SET_DATA_EVENT @count descriptors, or none: not connected */
struct vfio_user_irq_set {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t start;
	uint32_t count;
};
static_assert(sizeof(struct vfio_user_irq_set) == 20, "wire format");

/* REGION_READ and REGION_WRITE; the data follows */
struct vfio_user_region_access {
	uint64_t offset;
	uint32_t region;
	uint32_t count;
};
static_assert(sizeof(struct vfio_user_region_access) == 16, "wire format");

/* REGION_WRITE_MULTI: a 64-bit number of writes, then the writes */
#define VFIO_USER_MULTI_MAX	 200
#define VFIO_USER_MULTI_DATA_MAX 8

struct vfio_user_multi_write {
	struct vfio_user_region_access access;
	uint8_t data[VFIO_USER_MULTI_DATA_MAX];
};
static_assert(sizeof(struct vfio_user_multi_write) == 24, "wire format");

/* DMA_READ and DMA_WRITE; the data follows */
struct vfio_user_dma_access {
	uint64_t addr;
	uint64_t count;
};
static_assert(sizeof(struct vfio_user_dma_access) == 16, "wire format");

/*
 * The most data in one message, both ways. QEMU 11.1 takes a short send for a whole one, seen from
 * 36544 bytes on: it must never be asked for a longer reply than the socket takes in one piece.
 */
#define VFIO_USER_DATA_MAX   32768
#define VFIO_USER_BODY_MAX   (sizeof(struct vfio_user_region_access) + VFIO_USER_DATA_MAX)
#define VFIO_USER_FDS_MAX    16	     /* descriptors in one message; QEMU refuses more */
#define VFIO_USER_DATA_UNSET 1048576 /* a peer that names no max_data_xfer_size */

#endif
