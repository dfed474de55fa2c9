/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A tree of maps by address, none of which overlap. Every step of all functions is of the order of
 * the logarithm of the number of maps: the tree is a treap, with priorities that a client cannot
 * know. No locks, no memory of its own.
 */
#ifndef VFIO_USER_MAP_H
#define VFIO_USER_MAP_H

#include <stdint.h>

struct vfio_user_file;

struct vfio_user_map {
	uint64_t first; /* address */
	uint64_t last;
	uint8_t *memory; /* of @first, NULL: none */
	struct vfio_user_file *file;
	uint32_t flags;
	uint32_t priority; /* the tree's, as the next */
	struct vfio_user_map *left, *right;
};

/* The first map that ends at @addr or above; NULL: none. */
struct vfio_user_map *vfio_user_map_find(struct vfio_user_map *root, uint64_t addr);
/* Put @map in, which overlaps none there, with a random @priority. */
void vfio_user_map_insert(struct vfio_user_map **root, struct vfio_user_map *map,
			  uint32_t priority);
/* Take all maps out that lie wholly between @first and @last, inclusive: a tree of them. */
struct vfio_user_map *vfio_user_map_cut(struct vfio_user_map **root, uint64_t first, uint64_t last);
/* Take one map out of a tree that is being emptied; NULL: it was empty. */
struct vfio_user_map *vfio_user_map_pop(struct vfio_user_map **root);

#endif
