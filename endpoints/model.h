/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of the endpoints: what they share (endpoint.c), and what a kind adds (gpu.c, nvme.c).
 */
#ifndef ENDPOINTS_MODEL_H
#define ENDPOINTS_MODEL_H

#include <pthread.h>

#include "endpoints/endpoint.h"

/* Registers of the NVMe-like endpoint. Only the transport's thread touches them. */
struct nvme_registers {
	uint32_t intms, cc, csts, aqa;
	uint64_t asq, acq, cmbmsc;
};

struct endpoint_kind_ops {
	struct pcie_identity identity;
	unsigned int memory_bar;
	void (*describe_bars)(struct endpoint *ep); /* those beside memory and MSI-X; optional */
	/* Registers: BARs other than the memory's. Optional, reads are zero without. */
	uint64_t (*read)(struct endpoint *ep, unsigned int bar, uint64_t offset, unsigned int size);
	void (*write)(struct endpoint *ep, unsigned int bar, uint64_t offset, unsigned int size,
		      uint64_t value);
	void (*reset)(struct endpoint *ep);
};

struct endpoint {
	struct pcie_function fn;
	const struct endpoint_kind_ops *kind;
	char *name;
	uint64_t memory_size;
	uint8_t *memory;
	struct nvme_registers nvme;

	pthread_mutex_t lock; /* all below, and requests for the memory */
	/* One slot per hint there can be; most are never touched and take no memory. */
	struct endpoint_count *slots;
	uint32_t *arrived; /* slots in use, in order of first arrival */
	unsigned int hints;
};

extern const struct endpoint_kind_ops endpoint_gpu_ops;
extern const struct endpoint_kind_ops endpoint_nvme_ops;

#endif
