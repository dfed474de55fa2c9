// SPDX-License-Identifier: GPL-2.0-only
#include "emulator/serve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "emulator/engine.h"
#include "vfio-user/copy.h"
#include "vfio-user/dma.h"
#include "vfio-user/server.h"

struct served {
	struct pcie_function *fn;
	struct vfio_user_server *server;
};

/* Largest naturally aligned access of 1, 2, 4 or 8 bytes at @offset within @count bytes. */
static unsigned int access_size(uint64_t offset, size_t count)
{
	unsigned int size = 8;

	while (size > count || offset % size)
		size /= 2;
	return size;
}

/* The part of the BAR that the guest may also map is memory here, too. */
static void *mapped(const struct pcie_bar *bar, uint64_t offset, size_t count)
{
	if (!bar->mmap_size || !bar->mmap_mem || offset < bar->mmap_offset ||
	    offset + count > bar->mmap_offset + bar->mmap_size)
		return NULL;
	return (char *)bar->mmap_mem + (offset - bar->mmap_offset);
}

static int region_read(void *dev, unsigned int region, uint64_t offset, void *buf, size_t count)
{
	struct served *served = dev;
	struct pcie_function *fn = served->fn;
	uint8_t *to = buf;

	if (!pcie_inject_answers(fn)) {
		memset(buf, 0xff, count);
		return 0;
	}
	if (region == VFIO_USER_CONFIG_REGION) {
		pcie_config_read(fn, (unsigned int)offset, buf, count);
		return 0;
	}
	memset(buf, 0, count);
	if (region >= PCIE_BARS)
		return 0;
	while (count) {
		unsigned int size = access_size(offset, count);
		void *memory = mapped(&fn->bar[region], offset, size);

		if (memory) {
			memcpy(to, memory, size);
		} else if (fn->ops->bar_read) {
			/* Little-endian value; this program runs on little-endian machines. */
			uint64_t value = fn->ops->bar_read(fn, region, offset, size);

			memcpy(to, &value, size);
		}
		to += size;
		offset += size;
		count -= size;
	}
	return 0;
}

static int region_write(void *dev, unsigned int region, uint64_t offset, const void *buf,
			size_t count)
{
	struct served *served = dev;
	struct pcie_function *fn = served->fn;
	const uint8_t *from = buf;

	if (!pcie_inject_answers(fn))
		return 0;
	if (region == VFIO_USER_CONFIG_REGION) {
		pcie_config_write(fn, (unsigned int)offset, buf, count);
		return 0;
	}
	if (region >= PCIE_BARS)
		return 0;
	while (count) {
		unsigned int size = access_size(offset, count);
		void *memory = mapped(&fn->bar[region], offset, size);
		uint64_t value = 0;

		if (memory) {
			memcpy(memory, from, size);
		} else if (fn->ops->bar_write) {
			memcpy(&value, from, size);
			fn->ops->bar_write(fn, region, offset, size, value);
		}
		from += size;
		offset += size;
		count -= size;
	}
	return 0;
}

static void reset(void *dev)
{
	struct served *served = dev;

	pcie_function_reset(served->fn, PCIE_RESET_CONVENTIONAL);
}

/* A client that is gone has powered the machine off. */
static void power_off(void *dev)
{
	struct served *served = dev;

	pcie_function_reset(served->fn, PCIE_RESET_COLD);
}

/* A turn of the engine waits for this client; those of other devices go on. */
static void stall(void *dev)
{
	(void)dev;
	engine_stall();
}

static void resume(void *dev)
{
	(void)dev;
	engine_resume();
}

static int host_read(void *host, uint64_t addr, void *buf, size_t len)
{
	return vfio_user_dma_read(((struct served *)host)->server, addr, buf, len);
}

static int host_write(void *host, uint64_t addr, const void *buf, size_t len)
{
	return vfio_user_dma_write(((struct served *)host)->server, addr, buf, len);
}

static bool host_resolve(void *host, uint64_t addr, uint64_t *base, uint64_t *size, bool *direct)
{
	return vfio_user_dma_resolve(((struct served *)host)->server, addr, base, size, direct);
}

static bool host_hold(void *host, uint64_t addr, size_t len, bool write, struct pcie_held *held)
{
	struct vfio_user_held own;

	if (!vfio_user_dma_hold(((struct served *)host)->server, addr, len, write, &own))
		return false;
	*held = (struct pcie_held){ .memory = own.memory,
				    .cookie = own.epoch,
				    .before = own.before,
				    .behind = own.behind };
	return true;
}

static void host_release(void *host, const struct pcie_held *held)
{
	const struct vfio_user_held own = { .memory = held->memory, .epoch = held->cookie };

	vfio_user_dma_release(((struct served *)host)->server, &own);
}

static void host_interrupt(void *host, unsigned int vector)
{
	vfio_user_interrupt(((struct served *)host)->server, vector);
}

static const struct vfio_user_ops device_ops = {
	.region_read = region_read,
	.region_write = region_write,
	.reset = reset,
	.disconnected = power_off,
	.stall = stall,
	.resume = resume,
};

static const struct pcie_host_ops host_ops = {
	.read = host_read,
	.write = host_write,
	.resolve = host_resolve,
	.interrupt = host_interrupt,
	.hold = host_hold,
	.release = host_release,
	.copy = vfio_user_copy_between,
};

struct served *serve(struct pcie_function *fn, const char *socket_path, unsigned int msix_vectors)
{
	struct vfio_user_config config = {
		.name = fn->name,
		.socket_path = socket_path,
		.msix_vectors = msix_vectors,
	};
	struct served *served = calloc(1, sizeof(*served));
	int ret;

	if (!served)
		return NULL;
	for (unsigned int i = 0; i < PCIE_BARS; i++) {
		config.region[i].size = fn->bar[i].size;
		config.region[i].mmap_offset = fn->bar[i].mmap_offset;
		config.region[i].mmap_size = fn->bar[i].mmap_size;
		config.region[i].mmap_fd = fn->bar[i].mmap_fd;
	}
	config.region[VFIO_USER_CONFIG_REGION].size = PCIE_CONFIG_SIZE;
	served->fn = fn;
	served->server = vfio_user_server_new(&config, &device_ops, served);
	if (!served->server) {
		free(served);
		return NULL;
	}
	pcie_function_connect(fn, &host_ops, served);
	ret = vfio_user_server_start(served->server);
	if (ret) {
		serve_free(served);
		errno = -ret;
		return NULL;
	}
	return served;
}

void serve_stop(struct served *served)
{
	if (served)
		vfio_user_server_stop(served->server);
}

void serve_free(struct served *served)
{
	if (!served)
		return;
	vfio_user_server_free(served->server);
	pcie_function_connect(served->fn, NULL, NULL);
	free(served);
}
