/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What all endpoints have in common: memory in a BAR that the host maps and requests reach,
 * counters per hint, and config space.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "endpoints/model.h"
#include "pcie/memory.h"

#define MIN_MEMORY (1ull << 20)
#define MSIX_BAR   4
#define MSIX_SIZE  4096u

/* With the lock: @tlps requests for @len bytes together. */
static void count(struct endpoint *ep, const struct tlp *tlp, unsigned int tlps, size_t len)
{
	uint32_t slot = tlp_hint_index(&tlp->hint);
	struct endpoint_count *c = &ep->slots[slot];

	if (!c->writes && !c->reads) {
		c->hint = slot ? tlp->hint : (struct tlp_hint){ 0 };
		ep->arrived[ep->hints++] = slot;
	}
	if (tlp->type == TLP_MWR) {
		c->writes += tlps;
		c->write_bytes += len;
	} else {
		c->reads += tlps;
		c->read_bytes += len;
	}
}

unsigned int endpoint_counts(struct endpoint *ep, struct endpoint_count *counts, unsigned int max)
{
	unsigned int hints;

	pthread_mutex_lock(&ep->lock);
	hints = ep->hints;
	for (unsigned int i = 0; i < hints && i < max; i++)
		counts[i] = ep->slots[ep->arrived[i]];
	pthread_mutex_unlock(&ep->lock);
	return hints;
}

void endpoint_reset_counts(struct endpoint *ep)
{
	pthread_mutex_lock(&ep->lock);
	for (unsigned int i = 0; i < ep->hints; i++)
		ep->slots[ep->arrived[i]] = (struct endpoint_count){ 0 };
	ep->hints = 0;
	pthread_mutex_unlock(&ep->lock);
}

static bool inside(const struct endpoint *ep, uint64_t offset, size_t len)
{
	return len <= ep->memory_size && offset <= ep->memory_size - len;
}

static void memory_request(struct pcie_function *fn, unsigned int bar, uint64_t offset,
			   const struct tlp *tlp, void *data, size_t len)
{
	struct endpoint *ep = fn->model;
	bool memory = bar == ep->kind->memory_bar && inside(ep, offset, len);

	pthread_mutex_lock(&ep->lock);
	if (tlp->type == TLP_MWR) {
		if (memory)
			memcpy(ep->memory + offset, data, len);
	} else if (memory) {
		memcpy(data, ep->memory + offset, len);
	} else {
		memset(data, 0, len);
	}
	if (memory)
		count(ep, tlp, 1, len);
	pthread_mutex_unlock(&ep->lock);
}

/* The lock is held until burst_end(): see forget_owner(). */
static void *burst_begin(struct pcie_function *fn, unsigned int bar, uint64_t offset,
			 const struct tlp *tlp, unsigned int tlps, size_t len)
{
	struct endpoint *ep = fn->model;

	if (bar != ep->kind->memory_bar || !inside(ep, offset, len))
		return NULL;
	pthread_mutex_lock(&ep->lock);
	count(ep, tlp, tlps, len);
	return ep->memory + offset;
}

static void burst_end(struct pcie_function *fn)
{
	struct endpoint *ep = fn->model;

	pthread_mutex_unlock(&ep->lock);
}

/* Accesses of the guest's CPU that its host did not map: no TLPs of this fabric, not counted. */
static uint64_t bar_read(struct pcie_function *fn, unsigned int bar, uint64_t offset,
			 unsigned int size)
{
	struct endpoint *ep = fn->model;
	uint64_t value = 0;

	if (bar != ep->kind->memory_bar)
		return ep->kind->read ? ep->kind->read(ep, bar, offset, size) : 0;
	if (size <= sizeof(value) && inside(ep, offset, size))
		memcpy(&value, ep->memory + offset, size);
	return value;
}

static void bar_write(struct pcie_function *fn, unsigned int bar, uint64_t offset,
		      unsigned int size, uint64_t value)
{
	struct endpoint *ep = fn->model;

	if (bar == ep->kind->memory_bar) {
		if (size <= sizeof(value) && inside(ep, offset, size))
			memcpy(ep->memory + offset, &value, size);
	} else if (ep->kind->write) {
		ep->kind->write(ep, bar, offset, size, value);
	}
}

/* With the lock: the bytes of a request that is late are there before, or not at all. */
static void forget_owner(struct endpoint *ep)
{
	int ret;

	pthread_mutex_lock(&ep->lock);
	ret = pcie_memory_renew(ep->name, ep->memory_size, ep->fn.bar[ep->kind->memory_bar].mmap_fd,
				ep->memory);
	pthread_mutex_unlock(&ep->lock);
	if (ret)
		fprintf(stderr, "%s: memory emptied but not replaced: %s\n", ep->name,
			strerror(-ret));
	endpoint_reset_counts(ep);
}

/*
 * The memory keeps its contents through an FLR, as DRAM behind a function does: a reset of the
 * function need not clear it, and vfio-pci resets the function when its user closes it, before the
 * bytes are compared. A conventional reset empties it. After a cold one there is another owner,
 * too.
 */
static void reset(struct pcie_function *fn, enum pcie_reset kind)
{
	struct endpoint *ep = fn->model;

	if (kind == PCIE_RESET_CONVENTIONAL && madvise(ep->memory, ep->memory_size, MADV_REMOVE))
		memset(ep->memory, 0, ep->memory_size);
	if (ep->kind->reset)
		ep->kind->reset(ep);
	if (kind == PCIE_RESET_COLD)
		forget_owner(ep);
}

static const struct pcie_function_ops function_ops = {
	.bar_read = bar_read,
	.bar_write = bar_write,
	.reset = reset,
	.memory_request = memory_request,
	.burst_begin = burst_begin,
	.burst_end = burst_end,
};

/* Returns 0 or -errno. */
static int map_memory(struct endpoint *ep)
{
	struct pcie_bar *bar = &ep->fn.bar[ep->kind->memory_bar];
	void *memory;
	int ret = pcie_memory_new(ep->name, ep->memory_size, &bar->mmap_fd, &memory);

	if (ret)
		return ret;
	ep->memory = memory;
	bar->size = ep->memory_size;
	bar->is_64bit = true;
	bar->prefetchable = true;
	bar->mmap_size = ep->memory_size;
	bar->mmap_mem = memory;
	return 0;
}

static bool has_prefix(const struct endpoint_params *params)
{
	if (params->prefix == ENDPOINT_PREFIX_AS_COMPLETER)
		return params->completer == PCIE_TPH_COMPLETER_EXTENDED;
	return params->prefix == ENDPOINT_PREFIX_ON;
}

static void build_config(struct endpoint *ep, const struct endpoint_params *params)
{
	struct pcie_function *fn = &ep->fn;

	if (ep->kind->describe_bars)
		ep->kind->describe_bars(ep);
	fn->bar[MSIX_BAR] = (struct pcie_bar){ .size = MSIX_SIZE, .mmap_fd = -1 };
	pcie_config_init(fn, &ep->kind->identity);
	pcie_config_add_pm(fn);
	pcie_config_add_express(fn, params->completer, has_prefix(params));
	pcie_config_add_msix(fn, MSIX_BAR, 1);
	if (params->ready)
		pcie_config_add_readiness(fn);
	if (params->acs)
		pcie_config_add_acs(fn);
	pcie_config_seal(fn);
}

static bool valid(const struct endpoint_params *p)
{
	return p->name && p->memory_size >= MIN_MEMORY &&
	       (p->memory_size & (p->memory_size - 1)) == 0 && p->kind &&
	       endpoint_kind_named(p->kind) &&
	       (unsigned int)p->completer <= PCIE_TPH_COMPLETER_EXTENDED &&
	       (unsigned int)p->prefix <= ENDPOINT_PREFIX_OFF;
}

struct endpoint *endpoint_new(const struct endpoint_params *params)
{
	struct endpoint *ep;
	int rc = -ENOMEM;

	if (!valid(params)) {
		errno = EINVAL;
		return NULL;
	}
	ep = calloc(1, sizeof(*ep));
	if (!ep)
		return NULL;
	pthread_mutex_init(&ep->lock, NULL);
	ep->kind = endpoint_kind_named(params->kind);
	ep->memory_size = params->memory_size;
	ep->fn.bar[ep->kind->memory_bar].mmap_fd = -1;
	ep->name = strdup(params->name);
	ep->slots = calloc(TLP_HINTS, sizeof(*ep->slots));
	ep->arrived = calloc(TLP_HINTS, sizeof(*ep->arrived));
	/* One byte, so that it is there. */
	ep->state = calloc(1, ep->kind->state_size + 1);
	if (ep->name && ep->slots && ep->arrived && ep->state)
		rc = map_memory(ep);
	if (rc) {
		endpoint_free(ep);
		errno = -rc;
		return NULL;
	}
	ep->fn.name = ep->name;
	ep->fn.id = params->id;
	ep->fn.ops = &function_ops;
	ep->fn.model = ep;
	build_config(ep, params);
	return ep;
}

void endpoint_free(struct endpoint *ep)
{
	int fd;

	if (!ep)
		return;
	fd = ep->fn.bar[ep->kind->memory_bar].mmap_fd;
	if (ep->memory)
		munmap(ep->memory, ep->memory_size);
	if (fd >= 0)
		close(fd);
	free(ep->state);
	free(ep->arrived);
	free(ep->slots);
	free(ep->name);
	pthread_mutex_destroy(&ep->lock);
	free(ep);
}

struct pcie_function *endpoint_function(struct endpoint *ep)
{
	return &ep->fn;
}

unsigned int endpoint_memory_bar(const struct endpoint *ep)
{
	return ep->kind->memory_bar;
}
