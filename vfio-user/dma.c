/* SPDX-License-Identifier: GPL-2.0-only */
#include "vfio-user/dma.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "vfio-user/copy.h"
#include "vfio-user/map.h"
#include "vfio-user/protocol.h"

/* The most bytes copied under one read lock, so that a removal never waits for long. */
#define COPY_MAX (1u << 20)

/*
 * A whole file of the client. Behind a translating IOMMU every 4 KiB page is a map with a
 * descriptor of its own, all of one file. One that no map uses any more stays until another file
 * comes, as a guest's firmware takes all of its memory away and back a dozen times.
 */
struct vfio_user_file {
	struct vfio_user_file *next;
	dev_t dev;
	ino_t ino;
	uint8_t *memory;
	uint64_t size;
	bool writable;
	size_t maps;
};

/* Maps that a thread used last. */
#define REMEMBERED 4u

struct remembered {
	uint64_t generation; /* 0: nothing */
	uint64_t first, last;
	uint8_t *memory;
	uint32_t flags;
};

static _Thread_local struct remembered remembered[REMEMBERED];
static _Thread_local unsigned int next_place;

static uint64_t new_generation(void)
{
	static atomic_ullong last;

	return atomic_fetch_add(&last, 1) + 1;
}

int vfio_user_maps_init(struct vfio_user_maps *maps)
{
	pthread_rwlockattr_t attr;
	int ret;

	*maps = (struct vfio_user_maps){ 0 };
	atomic_init(&maps->generation, new_generation());
	vfio_user_copy_init();
	if (getrandom(&maps->random, sizeof(maps->random), 0) != sizeof(maps->random))
		return -errno;
	maps->random |= 1;
	pthread_rwlockattr_init(&attr);
	/* Copies in an endless row must not keep a removal out. */
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	ret = pthread_rwlock_init(&maps->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	return -ret;
}

void vfio_user_maps_destroy(struct vfio_user_maps *maps)
{
	vfio_user_maps_clear(maps);
	pthread_rwlock_destroy(&maps->lock);
}

static void drop_unused_files(struct vfio_user_maps *maps)
{
	struct vfio_user_file **link = &maps->files;

	while (*link) {
		struct vfio_user_file *file = *link;

		if (file->maps) {
			link = &file->next;
			continue;
		}
		*link = file->next;
		maps->file_count--;
		maps->mapped -= file->size;
		munmap(file->memory, file->size);
		free(file);
	}
}

static int map_file(struct vfio_user_maps *maps, const struct stat *st, int fd, bool writable,
		    struct vfio_user_file **result)
{
	int prot = PROT_READ | (writable ? PROT_WRITE : 0);
	struct vfio_user_file *file;

	if (maps->file_count == VFIO_USER_FILES_MAX ||
	    (uint64_t)st->st_size > VFIO_USER_MAPPED_MAX - maps->mapped)
		return -ENOSPC;
	file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	file->memory = mmap(NULL, st->st_size, prot, MAP_SHARED, fd, 0);
	if (file->memory == MAP_FAILED) {
		int err = errno;

		free(file);
		return -err;
	}
	file->dev = st->st_dev;
	file->ino = st->st_ino;
	file->size = st->st_size;
	file->writable = writable;
	file->next = maps->files;
	maps->files = file;
	maps->file_count++;
	maps->mapped += file->size;
	*result = file;
	return 0;
}

/*
 * Is it a file that lives in memory: tmpfs, a memfd, hugetlbfs? Only those have seals, and asking
 * for them asks no file system: one of the client's own (FUSE) might never answer, and might never
 * bring a page that we touch either.
 */
static bool is_memory(int fd)
{
	return fcntl(fd, F_GET_SEALS) >= 0;
}

/* The file behind @fd, with @size bytes at @offset, writable if asked for. */
static int get_file(struct vfio_user_maps *maps, int fd, uint64_t offset, uint64_t size,
		    bool writable, struct vfio_user_file **result)
{
	struct vfio_user_file *file;
	struct stat st;
	uint64_t end;
	int mode;

	if (__builtin_add_overflow(offset, size, &end))
		return -EINVAL;
	if (!is_memory(fd))
		return -EINVAL;
	if (fstat(fd, &st) || (mode = fcntl(fd, F_GETFL)) < 0)
		return -errno;
	if (st.st_size < 0 || end > (uint64_t)st.st_size)
		return -EINVAL;
	mode &= O_ACCMODE;
	if (mode == O_WRONLY || (writable && mode != O_RDWR))
		return -EACCES;
	for (file = maps->files; file; file = file->next) {
		if (file->dev == st.st_dev && file->ino == st.st_ino && end <= file->size &&
		    (file->writable || !writable)) {
			*result = file;
			return 0;
		}
	}
	drop_unused_files(maps);
	return map_file(maps, &st, fd, writable, result);
}

/* xorshift64*, Vigna 2016: what a client cannot foresee, not what it could never find out. */
static uint32_t draw_priority(struct vfio_user_maps *maps)
{
	uint64_t x = maps->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	maps->random = x;
	return (uint32_t)(x * UINT64_C(0x2545f4914f6cdd1d) >> 32);
}

int vfio_user_maps_add(struct vfio_user_maps *maps, uint64_t addr, uint64_t size, uint32_t flags,
		       int fd, uint64_t offset)
{
	struct vfio_user_map *map, *next;
	uint64_t last = addr + size - 1;
	int ret = 0;

	if (!size || last < addr || !flags || flags & ~(VFIO_USER_MAP_READ | VFIO_USER_MAP_WRITE))
		return -EINVAL;
	next = vfio_user_map_find(maps->root, addr);
	if (next && next->first <= last)
		return -EEXIST;
	if (maps->count == VFIO_USER_MAPS_MAX)
		return -ENOSPC;
	map = calloc(1, sizeof(*map));
	if (!map)
		return -ENOMEM;
	map->first = addr;
	map->last = last;
	map->flags = flags;
	if (fd >= 0)
		ret = get_file(maps, fd, offset, size, flags & VFIO_USER_MAP_WRITE, &map->file);
	if (ret) {
		free(map);
		return ret;
	}
	if (map->file) {
		map->memory = map->file->memory + offset;
		map->file->maps++;
	}
	pthread_rwlock_wrlock(&maps->lock);
	vfio_user_map_insert(&maps->root, map, draw_priority(maps));
	pthread_rwlock_unlock(&maps->lock);
	maps->count++;
	return 0;
}

/*
 * Until no copy is under way that may have found a map that is gone by now. Those that begin from
 * here on know the new generation. One that read the epoch long ago may count itself to the wrong
 * side, which is why both are waited for, one after the other, as new ones go to the other.
 */
static void wait_for_copies(struct vfio_user_maps *maps)
{
	static const struct timespec moment = { .tv_nsec = 20000 };

	for (unsigned int side = 0; side < 2; side++) {
		unsigned int old = atomic_fetch_add(&maps->epoch, 1) % 2;

		while (atomic_load(&maps->held[old]))
			nanosleep(&moment, NULL);
	}
}

void vfio_user_maps_remove(struct vfio_user_maps *maps, uint64_t first, uint64_t last)
{
	struct vfio_user_map *removed, *map;

	pthread_rwlock_wrlock(&maps->lock);
	removed = vfio_user_map_cut(&maps->root, first, last);
	if (removed)
		atomic_store(&maps->generation, new_generation());
	pthread_rwlock_unlock(&maps->lock);
	if (removed)
		wait_for_copies(maps);
	while ((map = vfio_user_map_pop(&removed))) {
		if (map->file)
			map->file->maps--;
		maps->count--;
		free(map);
	}
}

void vfio_user_maps_clear(struct vfio_user_maps *maps)
{
	vfio_user_maps_remove(maps, 0, UINT64_MAX);
	drop_unused_files(maps);
}

static bool covers(const struct remembered *map, uint64_t addr, size_t len, bool write)
{
	return addr >= map->first && addr <= map->last && len - 1 <= map->last - addr &&
	       map->flags & (write ? VFIO_USER_MAP_WRITE : VFIO_USER_MAP_READ);
}

/* Looks @addr up and remembers its map. */
static const struct remembered *look_up(struct vfio_user_maps *maps, uint64_t addr)
{
	struct remembered *place = &remembered[next_place];
	const struct vfio_user_map *map;

	pthread_rwlock_rdlock(&maps->lock);
	map = vfio_user_map_find(maps->root, addr);
	if (!map || map->first > addr || !map->memory) {
		pthread_rwlock_unlock(&maps->lock);
		return NULL;
	}
	*place = (struct remembered){
		.generation = atomic_load(&maps->generation),
		.first = map->first,
		.last = map->last,
		.memory = map->memory,
		.flags = map->flags,
	};
	pthread_rwlock_unlock(&maps->lock);
	next_place = (next_place + 1) % REMEMBERED;
	return place;
}

/* The map that has @addr, if this thread knows it. */
static const struct remembered *recall(const struct vfio_user_maps *maps, uint64_t addr)
{
	uint64_t generation = atomic_load(&maps->generation);

	for (unsigned int i = 0; i < REMEMBERED; i++)
		if (remembered[i].generation == generation && remembered[i].first <= addr &&
		    addr <= remembered[i].last)
			return &remembered[i];
	return NULL;
}

bool vfio_user_maps_hold(struct vfio_user_maps *maps, uint64_t addr, size_t len, bool write,
			 struct vfio_user_held *held)
{
	const struct remembered *map;

	held->epoch = atomic_load(&maps->epoch) % 2;
	/* Before the generation is read: see wait_for_copies(). */
	atomic_fetch_add(&maps->held[held->epoch], 1);
	map = recall(maps, addr);
	if (!map)
		map = look_up(maps, addr);
	if (map && covers(map, addr, len, write)) {
		held->memory = map->memory + (addr - map->first);
		held->before = addr - map->first;
		held->behind = map->last - (addr + (len - 1));
		return true;
	}
	vfio_user_maps_release(maps, held);
	return false;
}

void vfio_user_maps_release(struct vfio_user_maps *maps, const struct vfio_user_held *held)
{
	atomic_fetch_sub(&maps->held[held->epoch], 1);
}

bool vfio_user_maps_are_held(struct vfio_user_maps *maps)
{
	return atomic_load(&maps->held[0]) || atomic_load(&maps->held[1]);
}

/* With the lock held. */
static int copy_locked(const struct vfio_user_map *map, uint64_t addr, void *in, const void *out,
		       size_t *len)
{
	uint8_t *memory;

	if (map->last - addr < *len)
		*len = map->last - addr + 1;
	if (!(map->flags & (out ? VFIO_USER_MAP_WRITE : VFIO_USER_MAP_READ)))
		return -EACCES;
	if (!map->memory)
		return 0;
	if (*len > COPY_MAX)
		*len = COPY_MAX;
	memory = map->memory + (addr - map->first);
	if (out ? vfio_user_copy_to(memory, out, *len) : vfio_user_copy_from(in, memory, *len))
		return 1;
	return -EFAULT;
}

static int copy(struct vfio_user_maps *maps, uint64_t addr, void *in, const void *out, size_t *len)
{
	uint64_t last = addr + *len - 1;
	const struct vfio_user_map *map;
	struct vfio_user_held held;
	int ret = 0;

	if (*len <= COPY_MAX && vfio_user_maps_hold(maps, addr, *len, out, &held)) {
		ret = out ? vfio_user_copy_to(held.memory, out, *len)
			  : vfio_user_copy_from(in, held.memory, *len);
		vfio_user_maps_release(maps, &held);
		return ret ? 1 : -EFAULT;
	}
	pthread_rwlock_rdlock(&maps->lock);
	map = vfio_user_map_find(maps->root, addr);
	if (map && map->first <= addr)
		ret = copy_locked(map, addr, in, out, len);
	else if (map && map->first <= last)
		*len = map->first - addr;
	pthread_rwlock_unlock(&maps->lock);
	return ret;
}

int vfio_user_maps_read(struct vfio_user_maps *maps, uint64_t addr, void *buf, size_t *len)
{
	return copy(maps, addr, buf, NULL, len);
}

int vfio_user_maps_write(struct vfio_user_maps *maps, uint64_t addr, const void *buf, size_t *len)
{
	return copy(maps, addr, NULL, buf, len);
}

bool vfio_user_maps_find(struct vfio_user_maps *maps, uint64_t addr, uint64_t *base, uint64_t *size,
			 bool *direct)
{
	const struct vfio_user_map *map;
	const struct remembered *known = recall(maps, addr);
	bool found = false;

	if (known) {
		*base = known->first;
		*size = known->last - known->first + 1;
		*direct = true;
		return true;
	}
	pthread_rwlock_rdlock(&maps->lock);
	map = vfio_user_map_find(maps->root, addr);
	if (map && map->first <= addr) {
		*base = map->first;
		*size = map->last - map->first + 1;
		*direct = map->memory;
		found = true;
	} else {
		*size = map ? map->first - addr : 0;
	}
	pthread_rwlock_unlock(&maps->lock);
	return found;
}
