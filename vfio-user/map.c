/* SPDX-License-Identifier: GPL-2.0-only */
#include "vfio-user/map.h"

#include <stdbool.h>
#include <stddef.h>

struct vfio_user_map *vfio_user_map_find(struct vfio_user_map *root, uint64_t addr)
{
	struct vfio_user_map *found = NULL;

	while (root) {
		if (root->last < addr) {
			root = root->right;
		} else {
			found = root;
			root = root->left;
		}
	}
	return found;
}

static bool starts_below(const struct vfio_user_map *map, uint64_t addr)
{
	return map->first < addr;
}

static bool ends_at_or_below(const struct vfio_user_map *map, uint64_t addr)
{
	return map->last <= addr;
}

/* Divide @root: maps that are @below @addr, and all that follow. */
static void split(struct vfio_user_map *root,
		  bool (*below)(const struct vfio_user_map *map, uint64_t addr), uint64_t addr,
		  struct vfio_user_map **low, struct vfio_user_map **high)
{
	while (root) {
		if (below(root, addr)) {
			*low = root;
			low = &root->right;
			root = *low;
		} else {
			*high = root;
			high = &root->left;
			root = *high;
		}
	}
	*low = NULL;
	*high = NULL;
}

/* All of @low lie below all of @high. */
static struct vfio_user_map *join(struct vfio_user_map *low, struct vfio_user_map *high)
{
	struct vfio_user_map *root, **link = &root;

	while (low && high) {
		if (low->priority > high->priority) {
			*link = low;
			link = &low->right;
			low = *link;
		} else {
			*link = high;
			link = &high->left;
			high = *link;
		}
	}
	*link = low ? low : high;
	return root;
}

void vfio_user_map_insert(struct vfio_user_map **root, struct vfio_user_map *map, uint32_t priority)
{
	while (*root && (*root)->priority >= priority)
		root = map->first < (*root)->first ? &(*root)->left : &(*root)->right;
	map->priority = priority;
	split(*root, starts_below, map->first, &map->left, &map->right);
	*root = map;
}

struct vfio_user_map *vfio_user_map_cut(struct vfio_user_map **root, uint64_t first, uint64_t last)
{
	struct vfio_user_map *low, *middle, *high;

	split(*root, starts_below, first, &low, &high);
	split(high, ends_at_or_below, last, &middle, &high);
	*root = join(low, high);
	return middle;
}

struct vfio_user_map *vfio_user_map_pop(struct vfio_user_map **root)
{
	struct vfio_user_map *map = *root;

	while (map && map->left) {
		struct vfio_user_map *left = map->left;

		map->left = left->right;
		left->right = map;
		map = left;
	}
	if (map)
		*root = map->right;
	return map;
}
