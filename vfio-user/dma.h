/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The client's memory: which addresses it announced, and the bytes behind those that came with a
 * descriptor.
 *
 * add, remove and clear are called from one thread. The others may be called from any thread beside
 * them: a removal waits for the copies that are under way, and for nothing else. Where a copy finds
 * its map where it found the last ones, it takes no lock: each thread remembers some maps, with the
 * generation of all, which each removal ends.
 */
#ifndef VFIO_USER_DMA_H
#define VFIO_USER_DMA_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vfio_user_file;
struct vfio_user_map;

/*
 * What one client may take. Behind a translating IOMMU every page of 4 KiB that the guest maps is a
 * map of its own: a guest of 3 GiB that maps all of it has 786,432. Each takes 64 bytes here. Files
 * are QEMU's memory backends, a handful; their bytes are addresses of this process, of which it has
 * 128 TiB for up to 16 functions.
 */
#define VFIO_USER_MAPS_MAX   (1u << 20)
#define VFIO_USER_FILES_MAX  64
#define VFIO_USER_MAPPED_MAX (UINT64_C(1) << 38)

struct vfio_user_maps {
	pthread_rwlock_t lock;
	struct vfio_user_map *root;
	atomic_ullong generation; /* no two of any maps are the same */
	/* Copies under way, those that began in even and in odd epochs. */
	atomic_uint epoch, held[2];

	/* the changing thread's */
	size_t count;
	struct vfio_user_file *files;
	size_t file_count;
	uint64_t mapped; /* bytes of all files */
	uint64_t random;
};

/* Returns 0 or -errno. */
int vfio_user_maps_init(struct vfio_user_maps *maps);
/* Nobody uses the maps any more. */
void vfio_user_maps_destroy(struct vfio_user_maps *maps);

/*
 * @size bytes at @addr, with VFIO_USER_MAP_* in @flags. @fd -1: no memory came along. Else the
 * bytes are at @offset of @fd, which stays the caller's and is not needed any more afterwards: a
 * file is mapped once, as a whole. Returns 0; -EINVAL empty, past the end of addresses or file,
 * flags unknown, or not a file in memory (memfd, tmpfs, hugetlbfs); -EACCES not open for what
 * @flags says; -EEXIST overlaps a map; -ENOSPC one of the limits above; -ENOMEM; else what fstat or
 * mmap said.
 */
int vfio_user_maps_add(struct vfio_user_maps *maps, uint64_t addr, uint64_t size, uint32_t flags,
		       int fd, uint64_t offset);
/* Drop every map that lies wholly between @first and @last, inclusive. */
void vfio_user_maps_remove(struct vfio_user_maps *maps, uint64_t first, uint64_t last);
/* Drop all maps and let go of all files. */
void vfio_user_maps_clear(struct vfio_user_maps *maps);

/*
 * Copy between @buf and memory at @addr, as far as one map goes. *@len: bytes wanted, at least 1
 * and not past the end of addresses; becomes the bytes of this step. Returns 1 copied; 0 no memory
 * here for that many bytes; -EACCES the map lacks the right; -EFAULT the client has shrunk the
 * file, part of the bytes may be copied. A write shows its last aligned word (up to 8 bytes) after
 * all the bytes before it: whoever polls an owner bit at the end of an entry finds the entry whole.
 */
int vfio_user_maps_read(struct vfio_user_maps *maps, uint64_t addr, void *buf, size_t *len);
int vfio_user_maps_write(struct vfio_user_maps *maps, uint64_t addr, const void *buf, size_t *len);

/* Memory that stays where it is until it is let go of. */
struct vfio_user_held {
	uint8_t *memory;
	unsigned int epoch;
	uint64_t before, behind; /* bytes of the same map beside it: they stay as well */
};

/*
 * vfio_user_maps_hold() - the @len bytes at @addr, at least 1, for reading or writing. Removals
 * wait for vfio_user_maps_release(): nothing that waits for the client may come in between, and no
 * other function of these maps than hold. Returns false, and nothing is held, unless they lie in
 * one map with memory and that right.
 */
bool vfio_user_maps_hold(struct vfio_user_maps *maps, uint64_t addr, size_t len, bool write,
			 struct vfio_user_held *held);
void vfio_user_maps_release(struct vfio_user_maps *maps, const struct vfio_user_held *held);
/* Whether anybody holds something, or is about to find that there is nothing to hold. */
bool vfio_user_maps_are_held(struct vfio_user_maps *maps);

/* As vfio_user_dma_resolve(). */
bool vfio_user_maps_find(struct vfio_user_maps *maps, uint64_t addr, uint64_t *base, uint64_t *size,
			 bool *direct);

#endif
