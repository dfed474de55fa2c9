/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Configuration space of a function: 4096 bytes with write masks, and the capabilities used here.
 * Built by the model at start, then driven by the transport's config accesses.
 */
#ifndef PCIE_CONFIG_H
#define PCIE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCIE_CONFIG_SIZE	4096

struct pcie_function;

/* Device Capabilities 2 [13:12] (7.5.3.15). */
enum pcie_tph_completer {
	PCIE_TPH_COMPLETER_NONE = 0,
	PCIE_TPH_COMPLETER_TPH = 1,
	PCIE_TPH_COMPLETER_RESERVED = 2,
	PCIE_TPH_COMPLETER_EXTENDED = 3,
};

/* Where the ST table is: TPH Requester Capability [10:9] (7.9.13.2). */
enum pcie_st_location { PCIE_ST_NONE = 0, PCIE_ST_CAPABILITY = 1, PCIE_ST_MSIX = 2 };

struct pcie_config {
	uint8_t bytes[PCIE_CONFIG_SIZE];
	uint8_t wmask[PCIE_CONFIG_SIZE];	/* 1: software may write the bit */
	uint8_t initial[PCIE_CONFIG_SIZE];	/* values after reset, saved by pcie_config_seal() */
	uint16_t msix, express, pm, tph;	/* capability offsets, 0 when absent */
	uint16_t next_cap, next_ext_cap;	/* used while building */
	unsigned int st_entries;
};

struct pcie_identity {
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint8_t revision;
	uint32_t class_code;	/* 24 bits: class, subclass, programming interface */
};

/* Build, in this order: init, capabilities in any order, seal. BARs are taken from fn->bar[]. */
void pcie_config_init(struct pcie_function *fn, const struct pcie_identity *id);
/* Power management, D0 and D3hot, NoSoftRst set. */
void pcie_config_add_pm(struct pcie_function *fn);
/* PCI Express endpoint, FLR capable, 10-bit tags off; EXTENDED sets End-End TLP prefix support. */
void pcie_config_add_express(struct pcie_function *fn, enum pcie_tph_completer completer,
			     bool end_end_prefix);
/* MSI-X with table and PBA in @bar (the host emulates both). */
void pcie_config_add_msix(struct pcie_function *fn, unsigned int bar, unsigned int vectors);
/*
 * TPH Requester extended capability, device-specific and No-ST modes.
 * @extended: Extended TPH Requester Supported. @entries: ST table size, 1..64, with
 * PCIE_ST_CAPABILITY only.
 */
void pcie_config_add_tph(struct pcie_function *fn, bool extended, enum pcie_st_location location,
			 unsigned int entries);
void pcie_config_seal(struct pcie_function *fn);

/* Accesses by the transport: any size and alignment inside 4096 bytes; others are ignored/zero. */
void pcie_config_read(struct pcie_function *fn, unsigned int offset, void *buf, size_t len);
/*
 * Applies write masks, BAR sizing, Command.BME; performs FLR (Initiate Function Level Reset reads
 * back 0), then calls ops->config_written or ops->reset.
 */
void pcie_config_write(struct pcie_function *fn, unsigned int offset, const void *buf, size_t len);
/* Back to initial values and ops->reset(): what FLR and the transport's reset request do. */
void pcie_function_reset(struct pcie_function *fn, int kind /* enum pcie_reset */);

/* State that models and the fabric ask for. Safe from any thread. */
uint64_t pcie_bar_address(const struct pcie_function *fn, unsigned int bar); /* 0: not enabled */
size_t pcie_max_payload(const struct pcie_function *fn);	/* bytes, 128..4096 */
size_t pcie_max_read_request(const struct pcie_function *fn);	/* bytes, 128..4096 */
enum pcie_tph_completer pcie_completer(const struct pcie_function *fn);
/* Enabled requester width from TPH Requester Control [9:8]: 0 (off), 8 or 16 bits. */
unsigned int pcie_tph_width(const struct pcie_function *fn);
/* ST table entry, 0 past the table's end or without a table. */
uint16_t pcie_st_entry(const struct pcie_function *fn, unsigned int index);

#endif
