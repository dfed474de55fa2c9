/* SPDX-License-Identifier: GPL-2.0-only */
/* A function's host as a transport offers it: maps of any place and length, memory behind some. */
#ifndef FUZZ_HOST_H
#define FUZZ_HOST_H

#include "fuzz/input.h"
#include "pcie/fabric.h"

#define MEMORY 65536u
#define MAPS   6u

struct map {
	uint64_t base, size; /* size 0: none */
	bool direct;
};

struct host {
	struct map map[MAPS];
	bool peeks;		/* a look may span maps */
	unsigned int held;	/* pieces of memory */
	uint8_t memory[MEMORY]; /* of all direct maps: address modulo its size */
};

extern const struct pcie_host_ops host_ops, host_ops_no_hold;

const struct map *find_map(const struct host *host, uint64_t addr);
/* The bytes at @addr when they are in one direct map and in one piece, else NULL. */
uint8_t *host_reach(struct host *host, uint64_t addr, size_t len);
/* One map, from the input: memory, none, or a BAR of @gpu or @window as a host announces it. */
void host_set_map(struct host *host, struct input *in, const struct pcie_function *gpu,
		  const struct pcie_function *window);

/*
 * The copy number @copy from now on, from 1, finds memory gone, and so does the host's access
 * number
 * @access after it; 0: none does.
 */
void host_copies_fail(unsigned int copy, unsigned int access);

#endif
