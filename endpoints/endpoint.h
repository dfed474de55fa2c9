/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Peer-to-peer targets: functions whose BAR takes RDMA writes and counts the hints that arrive.
 */
#ifndef ENDPOINTS_ENDPOINT_H
#define ENDPOINTS_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "pcie/function.h"

/*
 * A kind of endpoint. Each has a file of its own and a row in model.h, from which come the options
 * of the emulator and what its control socket says.
 */
struct endpoint_kind;
#define ENDPOINT_KINDS_MAX 16

/* Number @i of the kinds, in the order of the table; NULL past the last one. */
const struct endpoint_kind *endpoint_kind(unsigned int i);
/* The kind with that name; NULL when there is none. */
const struct endpoint_kind *endpoint_kind_named(const char *name);
/* A word of lower-case letters, digits and hyphens. */
const char *endpoint_kind_name(const struct endpoint_kind *kind);
/* What it is, for a line of a usage message: "a GPU-like endpoint (VRAM in BAR 0)". */
const char *endpoint_kind_about(const struct endpoint_kind *kind);

/* End-End TLP Prefix Supported: by default what the completer needs for its tags. */
enum endpoint_prefix { ENDPOINT_PREFIX_AS_COMPLETER, ENDPOINT_PREFIX_ON, ENDPOINT_PREFIX_OFF };

struct endpoint_params {
	const char *name;
	uint16_t id;	  /* bus[15:8] devfn[7:0] */
	const char *kind; /* the name of one */
	/*
	 * GPU: BAR0 64-bit prefetchable VRAM. NVMe: BAR0 16 KiB registers (CAP, VS, CMBLOC, CMBSZ
	 * ...), BAR2 64-bit prefetchable CMB. bytes, power of two, >= 1 MiB. Zeroes after a
	 * conventional reset; an FLR keeps what is there.
	 */
	uint64_t memory_size;
	enum pcie_tph_completer completer;
	enum endpoint_prefix prefix;
	bool acs;   /* has the ACS capability, so that the host can have its requests redirected */
	bool ready; /* says that no wait is needed after a reset: pcie_config_add_readiness() */
};

/* Requests that arrived with one hint, or with none (th == false). */
struct endpoint_count {
	struct tlp_hint hint;
	uint64_t writes, reads; /* TLPs */
	uint64_t write_bytes, read_bytes;
};

struct endpoint;

/* Returns NULL with errno (EINVAL: no such kind, a size that is not a power of two or too small;
 * ENOMEM ...). */
struct endpoint *endpoint_new(const struct endpoint_params *params);
void endpoint_free(struct endpoint *ep);
struct pcie_function *endpoint_function(struct endpoint *ep);
/* BAR number of the memory that is a target: 0 for GPU, 2 for NVMe. */
unsigned int endpoint_memory_bar(const struct endpoint *ep);
/*
 * Counters per hint, in order of first arrival. Returns the number there are; fills at most @max.
 * Safe from any thread. endpoint_reset_counts() starts anew.
 */
unsigned int endpoint_counts(struct endpoint *ep, struct endpoint_count *counts, unsigned int max);
void endpoint_reset_counts(struct endpoint *ep);

#endif
