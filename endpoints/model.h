/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of the endpoints: what they share (endpoint.c), and what a kind adds (gpu.c, nvme.c).
 */
#ifndef ENDPOINTS_MODEL_H
#define ENDPOINTS_MODEL_H

#include <pthread.h>

#include "endpoints/endpoint.h"

struct endpoint_kind {
	const char *name, *about; /* see endpoint_kind_name() and endpoint_kind_about() */
	struct pcie_identity identity;
	unsigned int memory_bar;
	size_t state_size;			    /* bytes of endpoint.state, zeroes at first */
	void (*describe_bars)(struct endpoint *ep); /* those beside memory and MSI-X; optional */
	/* Registers: BARs other than the memory's. Optional, reads are zero without. */
	uint64_t (*read)(struct endpoint *ep, unsigned int bar, uint64_t offset, unsigned int size);
	void (*write)(struct endpoint *ep, unsigned int bar, uint64_t offset, unsigned int size,
		      uint64_t value);
	void (*reset)(struct endpoint *ep);
};

struct endpoint {
	struct pcie_function fn;
	const struct endpoint_kind *kind;
	char *name;
	uint64_t memory_size;
	uint8_t *memory;
	void *state; /* of the kind, such as registers; only the transport's thread touches it */

	pthread_mutex_t lock; /* all below, and requests for the memory */
	/* One slot per hint there can be; most are never touched and take no memory. */
	struct endpoint_count *slots;
	uint32_t *arrived; /* slots in use, in order of first arrival */
	unsigned int hints;
};

/*
 * The table of kinds: a new one is a row here, a file that defines its endpoint_NAME, and a test.
 * The testbed reads the rows, too (testbed/host/guest.sh).
 */
/* clang-format off */
#define ENDPOINT_KINDS(row) \
	row(gpu) \
	row(nvme)
/* clang-format on */

#define ENDPOINT_DECLARE(name) extern const struct endpoint_kind endpoint_##name;
ENDPOINT_KINDS(ENDPOINT_DECLARE)
#undef ENDPOINT_DECLARE

#endif
