/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configuration space of a function: 4096 bytes with write masks, and the capabilities used here.
 * Built by the model at start, then driven by the transport's config accesses.
 */
#ifndef PCIE_CONFIG_H
#define PCIE_CONFIG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCIE_CONFIG_SIZE 4096
#define PCIE_BARS	 6
#define PCIE_ST_ENTRIES	 64 /* most that fit in the capability (7.9.13.2) */

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

/*
 * What other threads ask of config space, decoded. The transport's thread, the only one that
 * writes config space, publishes it after each write.
 */
struct pcie_config_view {
	_Atomic uint64_t bar[PCIE_BARS];		/* address, 0: not decoded */
	_Atomic uint16_t max_payload, max_read_request; /* bytes */
	_Atomic uint16_t tags;
	_Atomic uint8_t tph_width;
	_Atomic uint16_t st[PCIE_ST_ENTRIES];
	_Atomic uint8_t st_claim; /* ST table size that software reads, 0: the real one */
	/* Errors noted, as Status and Device Status show them until software clears them. */
	_Atomic uint16_t status, device_status;
};

struct pcie_config {
	uint8_t bytes[PCIE_CONFIG_SIZE];
	uint8_t wmask[PCIE_CONFIG_SIZE];   /* 1: software may write the bit */
	uint8_t initial[PCIE_CONFIG_SIZE]; /* values after reset, saved by pcie_config_seal() */
	uint16_t msix, express, pm, tph;   /* capability offsets, 0 when absent */
	uint16_t next_cap;		   /* used while building */
	enum pcie_tph_completer completer;
	bool end_end_prefix;
	unsigned int st_entries, msix_vectors;
	struct pcie_config_view view;
};

struct pcie_identity {
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint8_t revision;
	uint32_t class_code; /* 24 bits: class, subclass, programming interface */
};

/*
 * Build, in this order: init, capabilities in any order, seal. fn->bar[] is filled before init. A
 * description that fits no device (BAR size, too many vectors) is the model's error: assert().
 */
void pcie_config_init(struct pcie_function *fn, const struct pcie_identity *id);
/* Power management, D0 and D3hot, NoSoftRst set. */
void pcie_config_add_pm(struct pcie_function *fn);
/*
 * Immediate Readiness (Status bit 0, 7.5.1.1.4), and the same on return to D0 (7.5.2.1):
 * configuration requests succeed at any time after a reset or a change of the power state, so that
 * software does not wait before it sends them. That is true of all functions here: to say it is the
 * model's choice. After pcie_config_add_pm(), if that is called.
 */
void pcie_config_add_readiness(struct pcie_function *fn);
/* PCI Express endpoint, FLR capable, no 10-bit tags. @end_end_prefix: takes one such prefix. */
void pcie_config_add_express(struct pcie_function *fn, enum pcie_tph_completer completer,
			     bool end_end_prefix);
/*
 * MSI-X with the table at the start and the PBA in the middle of @bar (the host emulates both).
 * @vectors: 1..2048, as many as fit.
 */
void pcie_config_add_msix(struct pcie_function *fn, unsigned int bar, unsigned int vectors);
/*
 * TPH Requester extended capability, device-specific and No-ST modes.
 * @extended: Extended TPH Requester Supported. @entries: ST table size, 1..64, with
 * PCIE_ST_CAPABILITY only.
 */
void pcie_config_add_tph(struct pcie_function *fn, bool extended, enum pcie_st_location location,
			 unsigned int entries);
/* ACS extended capability: request and completion redirect, off. For functions without TPH
 * Requester. */
void pcie_config_add_acs(struct pcie_function *fn);
/* Takes the BARs from fn->bar[] and what is there as the values after reset. */
void pcie_config_seal(struct pcie_function *fn);

/* Accesses by the transport: any size and alignment inside 4096 bytes; others are ignored/zero. */
void pcie_config_read(struct pcie_function *fn, unsigned int offset, void *buf, size_t len);
/*
 * Applies write masks, BAR sizing, Command.BME (off in D3hot, as is memory decoding); performs FLR
 * (Initiate Function Level Reset reads back 0), then calls ops->config_written or ops->reset. One
 * thread at a time.
 */
void pcie_config_write(struct pcie_function *fn, unsigned int offset, const void *buf, size_t len);
/*
 * A fault to test drivers with: from now on software reads the size of the ST table as @entries, so
 * that a driver that asks before it writes finds its entry out of range. 0: the real size again.
 * Resets do not change it. Safe from any thread. Without a table nothing happens.
 */
void pcie_config_claim_st_entries(struct pcie_function *fn, unsigned int entries);
/*
 * Note errors: bits of Status (PCI_STATUS_DETECTED_PARITY and its like) and of Device Status
 * (PCI_EXP_DEVSTA_NFED, URD). Software reads them as 1 until it writes 1 to them, or a reset. Safe
 * from any thread.
 */
void pcie_config_note(struct pcie_function *fn, uint16_t status, uint16_t device_status);
/*
 * Back to initial values and ops->reset(): what FLR and the transport's reset request do. BARs stay
 * as they are through an FLR, because hosts that emulate them do not write them again.
 */
void pcie_function_reset(struct pcie_function *fn, int kind /* enum pcie_reset */);

/* Number of MSI-X vectors, 0 without the capability. */
unsigned int pcie_msix_vectors(const struct pcie_function *fn);

/* State that models and the fabric ask for. Safe from any thread. */
uint64_t pcie_bar_address(const struct pcie_function *fn, unsigned int bar); /* 0: not enabled */
size_t pcie_max_payload(const struct pcie_function *fn);		     /* bytes, 128..4096 */
size_t pcie_max_read_request(const struct pcie_function *fn);		     /* bytes, 128..4096 */
unsigned int pcie_tags(const struct pcie_function *fn); /* requests outstanding: 32 or 256 tags */
enum pcie_tph_completer pcie_completer(const struct pcie_function *fn);
/* Whether a request with an End-End TLP prefix may come to it. */
bool pcie_end_end_prefix(const struct pcie_function *fn);
/* Enabled requester width from TPH Requester Control [9:8]: 0 (off), 8 or 16 bits. */
unsigned int pcie_tph_width(const struct pcie_function *fn);
/* ST table entry, 0 past the table's end or without a table. */
uint16_t pcie_st_entry(const struct pcie_function *fn, unsigned int index);

#endif
