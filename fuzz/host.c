/* SPDX-License-Identifier: GPL-2.0-only */
#include "fuzz/host.h"

#include <errno.h>

#include "fuzz/target.h"

static unsigned int copies, accesses; /* until one fails; 0: none does */
static bool failing;		      /* a copy has failed */

static void wrong(const char *what, uint64_t addr, uint64_t len)
{
	finding("%s: 0x%lx + %lu", what, addr, len);
}

const struct map *find_map(const struct host *host, uint64_t addr)
{
	for (unsigned int i = 0; i < MAPS; i++)
		if (host->map[i].size && addr - host->map[i].base < host->map[i].size)
			return &host->map[i];
	return NULL;
}

uint8_t *host_reach(struct host *host, uint64_t addr, size_t len)
{
	const struct map *map = find_map(host, addr);

	if (!map || !map->direct || len > map->size - (addr - map->base) ||
	    len > MEMORY - addr % MEMORY)
		return NULL;
	return host->memory + addr % MEMORY;
}

void host_copies_fail(unsigned int copy, unsigned int access)
{
	copies = copy;
	accesses = access;
	failing = false;
}

/* Bytes from @addr to the next map, 0 when none is above. */
static uint64_t above(const struct host *host, uint64_t addr)
{
	uint64_t least = 0;

	for (unsigned int i = 0; i < MAPS; i++) {
		const struct map *map = &host->map[i];

		if (map->size && map->base > addr && (!least || map->base - addr < least))
			least = map->base - addr;
	}
	return least;
}

/* Transports serve what one map has and what none has, not a request across an end. */
static int host_access(struct host *host, uint64_t addr, uint8_t *in, const uint8_t *out,
		       size_t len)
{
	const struct map *map = find_map(host, addr);

	if (!len || addr + (len - 1) < addr)
		wrong("a request that wraps, or has no bytes, came to the host", addr, len);
	if (map && len > map->size - (addr - map->base) && !host->peeks)
		wrong("a request goes past the end of its map", addr, len);
	if (host->held)
		wrong("a request while memory is held", addr, len);
	if (!map || !map->direct)
		return addr & 0x100000 ? -EIO : -ENODEV;
	if (failing && accesses && !--accesses)
		return -EFAULT;
	for (size_t i = 0; i < len; i++) {
		if (in)
			in[i] = host->memory[(addr + i) % MEMORY];
		else
			host->memory[(addr + i) % MEMORY] = out[i];
	}
	return 0;
}

static int host_read(void *host, uint64_t addr, void *buf, size_t len)
{
	return host_access(host, addr, buf, NULL, len);
}

static int host_write(void *host, uint64_t addr, const void *buf, size_t len)
{
	return host_access(host, addr, NULL, buf, len);
}

static bool host_resolve(void *host, uint64_t addr, uint64_t *base, uint64_t *size, bool *direct)
{
	const struct map *map = find_map(host, addr);

	if (!map) {
		*size = above(host, addr);
		return false;
	}
	*base = map->base;
	*size = map->size;
	*direct = map->direct;
	return true;
}

static void raised(void *host, unsigned int vector)
{
	(void)host;
	if (vector > 3)
		wrong("an interrupt that nobody raised", vector, 0);
}

static bool hold(void *of, uint64_t addr, size_t len, bool write, struct pcie_held *held)
{
	struct host *host = of;

	(void)write;
	if (!len)
		wrong("no bytes are held", addr, len);
	held->memory = host_reach(host, addr, len);
	held->cookie = (uint32_t)addr;
	host->held += held->memory != NULL;
	return held->memory;
}

static void release(void *of, const struct pcie_held *held)
{
	struct host *host = of;

	if (!host->held || held->memory != host->memory + held->cookie % MEMORY)
		wrong("a release of what is not held", held->cookie, host->held);
	host->held--;
}

static bool copy_bytes(void *to, const void *from, size_t len)
{
	if (!len)
		wrong("a copy of no bytes", 0, len);
	if (copies && !--copies) {
		failing = true;
		return false;
	}
	memmove(to, from, len);
	return true;
}

const struct pcie_host_ops host_ops = {
	.read = host_read,
	.write = host_write,
	.resolve = host_resolve,
	.interrupt = raised,
	.hold = hold,
	.release = release,
	.copy = copy_bytes,
};

const struct pcie_host_ops host_ops_no_hold = {
	.read = host_read, .write = host_write, .resolve = host_resolve, .interrupt = raised
};

void host_set_map(struct host *host, struct input *in, const struct pcie_function *gpu,
		  const struct pcie_function *window)
{
	struct map *map = &host->map[input_below(in, MAPS)], old = *map;
	uint8_t flags = input_u8(in);
	const struct pcie_function *fn = flags & 8 ? window : gpu;

	*map = (struct map){ 0 };
	if (flags & 2) {
		struct map bar = { pcie_bar_address(fn, 0), fn->bar[0].size, false };

		if (bar.base && !find_map(host, bar.base) &&
		    !find_map(host, bar.base + bar.size - 1))
			*map = bar;
		return;
	}
	map->base = flags & 4 ? input_number(in) : 0x10000ull * (flags >> 4) + input_u8(in);
	map->size = 1 + input_u16(in);
	map->direct = flags & 1;
	/* Maps do not overlap nor wrap; transports see to that. */
	if (map->base + (map->size - 1) < map->base)
		*map = old;
	for (unsigned int i = 0; i < MAPS; i++) {
		const struct map *other = &host->map[i];

		if (other != map && other->size && map->base <= other->base + (other->size - 1) &&
		    other->base <= map->base + (map->size - 1))
			map->size = 0;
	}
}
