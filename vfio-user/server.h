/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vfio-user server for one device on one AF_UNIX stream socket, as the client in QEMU 11.1 speaks
 * the protocol. It knows nothing of the device it serves.
 *
 * Threads: one thread per server accepts, reads and answers every request at once; device ops run
 * on it and must not block nor issue DMA. DMA calls come from any other thread. None of these
 * threads may block SIGBUS: see vfio-user/copy.h, which catches it for the process.
 */
#ifndef VFIO_USER_SERVER_H
#define VFIO_USER_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VFIO_USER_REGIONS	9 /* BAR0..5, ROM, config, VGA */
#define VFIO_USER_CONFIG_REGION 7
#define VFIO_USER_MAX_VECTORS	2048

struct vfio_user_region {
	uint64_t size; /* bytes, 0: absent */
	/* One host-mappable area, page aligned; mmap_size 0: none. mmap_fd stays the device's. */
	uint64_t mmap_offset;
	uint64_t mmap_size;
	int mmap_fd; /* the area starts at file offset 0 */
};

struct vfio_user_ops {
	/* Return 0 or -errno, which goes to the client. @count >= 1, inside the region. */
	int (*region_read)(void *dev, unsigned int region, uint64_t offset, void *buf,
			   size_t count);
	int (*region_write)(void *dev, unsigned int region, uint64_t offset, const void *buf,
			    size_t count);
	void (*reset)(void *dev);	 /* DEVICE_RESET */
	void (*connected)(void *dev);	 /* optional: version negotiated */
	void (*disconnected)(void *dev); /* optional: maps and vectors are gone already */
	/*
	 * Optional, both or none: the thread that is in a DMA call is going to wait for the client
	 * for longer than VFIO_USER_PATIENCE_MS, and has done so. Called on that thread, in pairs,
	 * with no lock of the server held; several threads may be between the two at once.
	 */
	void (*stall)(void *dev);
	void (*resume)(void *dev);
};

struct vfio_user_config {
	const char *name; /* for messages, e.g. "hca0" */
	const char *socket_path;
	struct vfio_user_region region[VFIO_USER_REGIONS];
	unsigned int msix_vectors; /* 0: no MSI-X */
	/* How long a client may take, 0: the default. */
	unsigned int dma_timeout_ms;  /* to answer a DMA message, sending it included */
	unsigned int send_timeout_ms; /* to make room for a reply to its own requests */
	unsigned int rest_timeout_ms; /* to take the rest of a message, once a part is sent */
};

#define VFIO_USER_PATIENCE_MS	  1
#define VFIO_USER_DMA_TIMEOUT_MS  10000
#define VFIO_USER_SEND_TIMEOUT_MS 30000
#define VFIO_USER_REST_TIMEOUT_MS 10000

struct vfio_user_server;

/* Copies @config. Returns NULL with errno. Nothing is listening yet. */
struct vfio_user_server *vfio_user_server_new(const struct vfio_user_config *config,
					      const struct vfio_user_ops *ops, void *dev);
/* Bind, listen and start the thread. Returns 0 or -errno (-EADDRINUSE: somebody listens there). */
int vfio_user_server_start(struct vfio_user_server *server);
/*
 * Stop the thread, close the connection, remove the socket. DMA calls that wait fail, and so do
 * later ones (-ENODEV). Once more does nothing.
 */
void vfio_user_server_stop(struct vfio_user_server *server);
/*
 * Stop, wait for the DMA calls under way, thus for their resume(), which must not wait for the
 * caller, and free. No more calls may follow. NULL: no-op.
 */
void vfio_user_server_free(struct vfio_user_server *server);

/*
 * DMA of the device. Lookup order: memory the client mapped with a descriptor (copied here), else a
 * DMA_READ or DMA_WRITE message, in pieces, waiting for the reply.
 * A transfer may span maps. Return 0; -ENODEV nothing at the address or no client; -EACCES map
 * without the right; -EIO broken connection; -EFAULT the client shrank the file behind its map, and
 * the connection is broken for that; -ETIMEDOUT no answer to the message in time; else the client's
 * error, negated. After a time-out further messages fail with it at once, until the client answers
 * one that is due. Memory that came with a descriptor stays reachable meanwhile.
 */
int vfio_user_dma_read(struct vfio_user_server *server, uint64_t addr, void *buf, size_t len);
int vfio_user_dma_write(struct vfio_user_server *server, uint64_t addr, const void *buf,
			size_t len);
/*
 * The map that holds @addr: whole map's *@base and *@size, *@direct whether it came with memory.
 * Returns false when none does; *@size is then the bytes from @addr to the next map, 0 when none is
 * above. Takes a read lock only.
 */
bool vfio_user_dma_resolve(struct vfio_user_server *server, uint64_t addr, uint64_t *base,
			   uint64_t *size, bool *direct);
struct vfio_user_held;
/*
 * vfio_user_dma_hold() - as vfio_user_maps_hold(), to copy without another copy in between
 * (vfio_user_copy_between()). Until the release no other DMA call of this server.
 */
bool vfio_user_dma_hold(struct vfio_user_server *server, uint64_t addr, size_t len, bool write,
			struct vfio_user_held *held);
void vfio_user_dma_release(struct vfio_user_server *server, const struct vfio_user_held *held);
/* Signal MSI-X @vector; nothing when no eventfd is connected. Returns whether it was signalled. */
bool vfio_user_interrupt(struct vfio_user_server *server, unsigned int vector);

#endif
