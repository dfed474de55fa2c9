/* SPDX-License-Identifier: GPL-2.0 */
#include "vfio-user/dma.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

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

struct vfio_user_map {
	uint64_t first;
	uint64_t last;
	uint32_t flags;
	uint8_t *memory; /* of @first, NULL: none */
	struct vfio_user_file *file;
};

int vfio_user_maps_init(struct vfio_user_maps *maps)
{
	pthread_rwlockattr_t attr;
	int ret;

	*maps = (struct vfio_user_maps){ 0 };
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
	free(maps->map);
	pthread_rwlock_destroy(&maps->lock);
}

/* Index of the first map that ends at @addr or above; @maps->count: none. */
static size_t find(const struct vfio_user_maps *maps, uint64_t addr)
{
	size_t low = 0, high = maps->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (maps->map[mid].last < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
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
		munmap(file->memory, file->size);
		free(file);
	}
}

static int map_file(struct vfio_user_maps *maps, const struct stat *st, int fd, bool writable,
		    struct vfio_user_file **result)
{
	struct vfio_user_file *file = calloc(1, sizeof(*file));
	int prot = PROT_READ | (writable ? PROT_WRITE : 0);

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
	*result = file;
	return 0;
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

static int reserve(struct vfio_user_maps *maps)
{
	size_t room = maps->room ? 2 * maps->room : 64;
	struct vfio_user_map *map;

	if (maps->count < maps->room)
		return 0;
	map = reallocarray(maps->map, room, sizeof(*map));
	if (!map)
		return -ENOMEM;
	maps->map = map;
	maps->room = room;
	return 0;
}

int vfio_user_maps_add(struct vfio_user_maps *maps, uint64_t addr, uint64_t size, uint32_t flags,
		       int fd, uint64_t offset)
{
	struct vfio_user_map map = { .first = addr, .last = addr + size - 1, .flags = flags };
	size_t at;
	int ret;

	if (!size || map.last < addr || !flags ||
	    flags & ~(VFIO_USER_MAP_READ | VFIO_USER_MAP_WRITE))
		return -EINVAL;
	at = find(maps, addr);
	if (at < maps->count && maps->map[at].first <= map.last)
		return -EEXIST;
	if (fd >= 0) {
		ret = get_file(maps, fd, offset, size, flags & VFIO_USER_MAP_WRITE, &map.file);
		if (ret)
			return ret;
		map.memory = map.file->memory + offset;
	}

	pthread_rwlock_wrlock(&maps->lock);
	ret = reserve(maps);
	if (!ret) {
		memmove(&maps->map[at + 1], &maps->map[at], (maps->count - at) * sizeof(map));
		maps->map[at] = map;
		maps->count++;
		if (map.file)
			map.file->maps++;
	}
	pthread_rwlock_unlock(&maps->lock);
	return ret;
}

void vfio_user_maps_remove(struct vfio_user_maps *maps, uint64_t first, uint64_t last)
{
	size_t from = find(maps, first), to;

	if (from < maps->count && maps->map[from].first < first)
		from++;
	for (to = from; to < maps->count && maps->map[to].last <= last; to++) {
		if (maps->map[to].file)
			maps->map[to].file->maps--;
	}
	if (to == from)
		return;
	pthread_rwlock_wrlock(&maps->lock);
	memmove(&maps->map[from], &maps->map[to], (maps->count - to) * sizeof(*maps->map));
	maps->count -= to - from;
	pthread_rwlock_unlock(&maps->lock);
}

void vfio_user_maps_clear(struct vfio_user_maps *maps)
{
	vfio_user_maps_remove(maps, 0, UINT64_MAX);
	drop_unused_files(maps);
}

static bool is_word(uintptr_t at, size_t len)
{
	return len <= 8 && !(len & (len - 1)) && !(at & (len - 1));
}

static void load(void *to, const void *from, size_t len)
{
	uint8_t b;
	uint16_t w;
	uint32_t d;
	uint64_t q;

	switch (len) {
	case 1:
		b = __atomic_load_n((const uint8_t *)from, __ATOMIC_ACQUIRE);
		memcpy(to, &b, len);
		break;
	case 2:
		w = __atomic_load_n((const uint16_t *)from, __ATOMIC_ACQUIRE);
		memcpy(to, &w, len);
		break;
	case 4:
		d = __atomic_load_n((const uint32_t *)from, __ATOMIC_ACQUIRE);
		memcpy(to, &d, len);
		break;
	default:
		q = __atomic_load_n((const uint64_t *)from, __ATOMIC_ACQUIRE);
		memcpy(to, &q, len);
		break;
	}
}

static void store(void *to, const void *from, size_t len)
{
	uint8_t b;
	uint16_t w;
	uint32_t d;
	uint64_t q;

	switch (len) {
	case 1:
		memcpy(&b, from, len);
		__atomic_store_n((uint8_t *)to, b, __ATOMIC_RELEASE);
		break;
	case 2:
		memcpy(&w, from, len);
		__atomic_store_n((uint16_t *)to, w, __ATOMIC_RELEASE);
		break;
	case 4:
		memcpy(&d, from, len);
		__atomic_store_n((uint32_t *)to, d, __ATOMIC_RELEASE);
		break;
	default:
		memcpy(&q, from, len);
		__atomic_store_n((uint64_t *)to, q, __ATOMIC_RELEASE);
		break;
	}
}

static void copy_from_guest(uint8_t *to, const uint8_t *from, size_t len)
{
	if (is_word((uintptr_t)from, len))
		load(to, from, len);
	else
		memcpy(to, from, len);
}

static void copy_to_guest(uint8_t *to, const uint8_t *from, size_t len)
{
	size_t tail = 8;

	while (tail > len || !is_word((uintptr_t)to + len - tail, tail))
		tail /= 2;
	memcpy(to, from, len - tail);
	store(to + len - tail, from + len - tail, tail);
}

static int copy(struct vfio_user_maps *maps, uint64_t addr, void *in, const void *out, size_t *len)
{
	const struct vfio_user_map *map = NULL;
	uint64_t last = addr + *len - 1;
	size_t at;
	int ret = 0;

	pthread_rwlock_rdlock(&maps->lock);
	at = find(maps, addr);
	if (at < maps->count && maps->map[at].first <= last)
		map = &maps->map[at];
	if (map && map->first > addr) {
		*len = map->first - addr;
	} else if (map) {
		if (map->last < last)
			*len = map->last - addr + 1;
		if (!(map->flags & (out ? VFIO_USER_MAP_WRITE : VFIO_USER_MAP_READ))) {
			ret = -EACCES;
		} else if (map->memory) {
			if (*len > COPY_MAX)
				*len = COPY_MAX;
			if (out)
				copy_to_guest(map->memory + (addr - map->first), out, *len);
			else
				copy_from_guest(in, map->memory + (addr - map->first), *len);
			ret = 1;
		}
	}
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
	bool found = false;
	size_t at;

	pthread_rwlock_rdlock(&maps->lock);
	at = find(maps, addr);
	if (at < maps->count && maps->map[at].first <= addr) {
		*base = maps->map[at].first;
		*size = maps->map[at].last - maps->map[at].first + 1;
		*direct = maps->map[at].memory;
		found = true;
	} else {
		*size = at < maps->count ? maps->map[at].first - addr : 0;
	}
	pthread_rwlock_unlock(&maps->lock);
	return found;
}
