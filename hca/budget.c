/* SPDX-License-Identifier: GPL-2.0-only */
#include "hca/budget.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* In front of each allocation, so that giving it back needs no size. */
struct header {
	_Alignas(max_align_t) size_t size;
};

/* Whether the function may have @size bytes in place of @old. */
static bool affords(const struct hca *hca, size_t size, size_t old)
{
	return size <= SIZE_MAX - sizeof(struct header) &&
	       size <= hca->params.memory - (hca->memory_used - old);
}

/* Another thread may look. */
static void set_used(struct hca *hca, uint64_t bytes)
{
	__atomic_store_n(&hca->memory_used, bytes, __ATOMIC_RELAXED);
}

uint64_t hca_memory_used(const struct hca *hca)
{
	return __atomic_load_n(&hca->memory_used, __ATOMIC_RELAXED);
}

void *hca_alloc(struct hca *hca, size_t size)
{
	struct header *header;

	if (!affords(hca, size, 0))
		return NULL;
	header = calloc(1, sizeof(*header) + size);
	if (!header)
		return NULL;
	header->size = size;
	set_used(hca, hca->memory_used + size);
	return header + 1;
}

void *hca_resize(struct hca *hca, void *mem, size_t size)
{
	struct header *header;
	size_t old;

	if (!mem)
		return hca_alloc(hca, size);
	header = (struct header *)mem - 1;
	old = header->size;
	if (!affords(hca, size, old))
		return NULL;
	header = realloc(header, sizeof(*header) + size);
	if (!header)
		return NULL;
	if (size > old)
		memset((uint8_t *)(header + 1) + old, 0, size - old);
	header->size = size;
	set_used(hca, hca->memory_used - old + size);
	return header + 1;
}

void hca_release(struct hca *hca, void *mem)
{
	struct header *header;

	if (!mem)
		return;
	header = (struct header *)mem - 1;
	set_used(hca, hca->memory_used - header->size);
	free(header);
}
