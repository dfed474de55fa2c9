/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configuration space. Registers are bytes with write masks; the few with a behaviour of their own
 * (FLR, power state) are handled after the masks. Register numbers: linux/pci_regs.h, layouts: PCI
 * Express Base Specification 6.3, chapter 7.
 */
#include "pcie/config.h"

/* What they check guards arrays, and costs nothing after start: not for release builds to drop. */
#undef NDEBUG
#include <assert.h>
#include <string.h>

#include <linux/pci_regs.h>

#include "pcie/function.h"

#define MAX_PAYLOAD	 512u
#define MAX_READ_REQUEST 4096u

/* Not in linux/pci_regs.h of every system this builds on. */
#define DEVCAP2_TPH_SHIFT     12
#define PM_IMM_READY_D0	      0x10 /* reserved before version 4.0 of the specification */
#define DEVCAP2_EXT_FMT	      0x00100000
#define DEVCAP2_EE_PREFIX     0x00200000
#define DEVCAP2_EE_PREFIX_ONE 0x00400000
#define TPH_ID		      0x17
#define TPH_CAP		      4
#define TPH_CTRL	      8
#define TPH_ST		      12
#define TPH_NO_ST	      0x1u
#define TPH_DEVICE_SPECIFIC   0x4u
#define TPH_EXTENDED	      0x100u
#define TPH_LOCATION_SHIFT    9
#define TPH_SIZE_SHIFT	      16

static uint32_t get(const struct pcie_config *cfg, unsigned int offset, unsigned int size)
{
	uint32_t v = 0;

	for (unsigned int i = 0; i < size; i++)
		v |= (uint32_t)cfg->bytes[offset + i] << (8 * i);
	return v;
}

static void set(uint8_t *bytes, unsigned int offset, unsigned int size, uint32_t value)
{
	for (unsigned int i = 0; i < size; i++)
		bytes[offset + i] = value >> (8 * i);
}

static void reg(struct pcie_config *cfg, unsigned int offset, unsigned int size, uint32_t value,
		uint32_t wmask)
{
	set(cfg->bytes, offset, size, value);
	set(cfg->wmask, offset, size, wmask);
}

static void init_bar(struct pcie_config *cfg, unsigned int i, const struct pcie_bar *bar)
{
	uint64_t mask = ~(bar->size - 1);
	uint32_t flags = 0;

	assert(bar->size >= 16 && (bar->size & (bar->size - 1)) == 0);
	assert(bar->is_64bit ? i + 1 < PCIE_BARS && bar[1].size == 0 : bar->size <= 1u << 31);
	if (bar->is_64bit)
		flags |= PCI_BASE_ADDRESS_MEM_TYPE_64;
	if (bar->prefetchable)
		flags |= PCI_BASE_ADDRESS_MEM_PREFETCH;
	reg(cfg, PCI_BASE_ADDRESS_0 + 4 * i, 4, flags, mask & PCI_BASE_ADDRESS_MEM_MASK);
	if (bar->is_64bit)
		reg(cfg, PCI_BASE_ADDRESS_0 + 4 * (i + 1), 4, 0, mask >> 32);
}

void pcie_config_init(struct pcie_function *fn, const struct pcie_identity *id)
{
	struct pcie_config *cfg = &fn->config;

	memset(cfg, 0, sizeof(*cfg));
	reg(cfg, PCI_VENDOR_ID, 2, id->vendor, 0);
	reg(cfg, PCI_DEVICE_ID, 2, id->device, 0);
	reg(cfg, PCI_COMMAND, 2, 0,
	    PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
		    PCI_COMMAND_INTX_DISABLE);
	reg(cfg, PCI_REVISION_ID, 1, id->revision, 0);
	reg(cfg, PCI_CLASS_PROG, 3, id->class_code, 0);
	reg(cfg, PCI_CACHE_LINE_SIZE, 1, 0, 0xff);
	reg(cfg, PCI_SUBSYSTEM_VENDOR_ID, 2, id->subsystem_vendor, 0);
	reg(cfg, PCI_SUBSYSTEM_ID, 2, id->subsystem, 0);
	reg(cfg, PCI_INTERRUPT_LINE, 1, 0, 0xff);
	for (unsigned int i = 0; i < PCIE_BARS; i++)
		if (fn->bar[i].size)
			init_bar(cfg, i, &fn->bar[i]);
	cfg->next_cap = PCI_STD_HEADER_SIZEOF;
}

/* Appends to the chain; returns the new capability's offset. */
static uint16_t add_cap(struct pcie_config *cfg, uint8_t id, unsigned int size)
{
	unsigned int link = PCI_CAPABILITY_LIST, offset = cfg->next_cap;

	assert(offset + size <= PCI_CFG_SPACE_SIZE);
	while (cfg->bytes[link])
		link = cfg->bytes[link] + PCI_CAP_LIST_NEXT;
	cfg->bytes[link] = offset;
	cfg->bytes[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	cfg->bytes[offset + PCI_CAP_LIST_ID] = id;
	cfg->next_cap = (offset + size + 3) & ~3u;
	return offset;
}

void pcie_config_add_pm(struct pcie_function *fn)
{
	struct pcie_config *cfg = &fn->config;

	cfg->pm = add_cap(cfg, PCI_CAP_ID_PM, PCI_PM_SIZEOF);
	reg(cfg, cfg->pm + PCI_PM_PMC, 2, 3, 0); /* version 3; neither D1, D2 nor PME */
	reg(cfg, cfg->pm + PCI_PM_CTRL, 2, PCI_PM_CTRL_NO_SOFT_RESET, PCI_PM_CTRL_STATE_MASK);
}

void pcie_config_add_readiness(struct pcie_function *fn)
{
	struct pcie_config *cfg = &fn->config;

	cfg->bytes[PCI_STATUS] |= PCI_STATUS_IMM_READY;
	if (cfg->pm)
		cfg->bytes[cfg->pm + PCI_PM_PMC] |= PM_IMM_READY_D0;
}

void pcie_config_add_express(struct pcie_function *fn, enum pcie_tph_completer completer,
			     bool end_end_prefix)
{
	const uint32_t link = PCI_EXP_LNKSTA_CLS_32_0GB | 16 << PCI_EXP_LNKSTA_NLW_SHIFT;
	struct pcie_config *cfg = &fn->config;
	unsigned int cap = add_cap(cfg, PCI_CAP_ID_EXP, 0x3c);
	uint32_t devcap2 = PCI_EXP_DEVCAP2_COMP_TMOUT_DIS | completer << DEVCAP2_TPH_SHIFT;

	if (end_end_prefix)
		devcap2 |= DEVCAP2_EXT_FMT | DEVCAP2_EE_PREFIX | DEVCAP2_EE_PREFIX_ONE;
	cfg->express = cap;
	cfg->completer = completer;
	cfg->end_end_prefix = end_end_prefix;
	reg(cfg, cap + PCI_EXP_FLAGS, 2, 2 | PCI_EXP_TYPE_ENDPOINT << 4, 0);
	reg(cfg, cap + PCI_EXP_DEVCAP, 4,
	    2 /* MAX_PAYLOAD */ | PCI_EXP_DEVCAP_EXT_TAG | PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_FLR,
	    0);
	reg(cfg, cap + PCI_EXP_DEVCTL, 2,
	    PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN | PCI_EXP_DEVCTL_EXT_TAG |
		    PCI_EXP_DEVCTL_PAYLOAD_128B | PCI_EXP_DEVCTL_READRQ_512B,
	    PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE | PCI_EXP_DEVCTL_FERE | PCI_EXP_DEVCTL_URRE |
		    PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_PAYLOAD | PCI_EXP_DEVCTL_EXT_TAG |
		    PCI_EXP_DEVCTL_NOSNOOP_EN | PCI_EXP_DEVCTL_READRQ);
	/* Link: x16 at 32 GT/s, all slower speeds, no ASPM (the optionality bit, 22, says so). */
	reg(cfg, cap + PCI_EXP_LNKCAP, 4, link | 1 << 22, 0);
	reg(cfg, cap + PCI_EXP_LNKCTL, 2, 0,
	    PCI_EXP_LNKCTL_RCB | PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_ES);
	reg(cfg, cap + PCI_EXP_LNKSTA, 2, link | PCI_EXP_LNKSTA_SLC, 0);
	reg(cfg, cap + PCI_EXP_DEVCAP2, 4, devcap2, 0);
	reg(cfg, cap + PCI_EXP_DEVCTL2, 2, 0,
	    PCI_EXP_DEVCTL2_COMP_TMOUT_DIS | PCI_EXP_DEVCTL2_ATOMIC_REQ |
		    PCI_EXP_DEVCTL2_IDO_REQ_EN | PCI_EXP_DEVCTL2_IDO_CMP_EN);
	reg(cfg, cap + PCI_EXP_LNKCAP2, 4, 0x3e, 0);
	reg(cfg, cap + PCI_EXP_LNKCTL2, 2, PCI_EXP_LNKSTA_CLS_32_0GB, 0xf);
}

void pcie_config_add_msix(struct pcie_function *fn, unsigned int bar, unsigned int vectors)
{
	struct pcie_config *cfg = &fn->config;
	uint64_t half;

	assert(bar < PCIE_BARS);
	half = fn->bar[bar].size / 2;
	assert(vectors >= 1 && vectors <= 2048 && vectors * PCI_MSIX_ENTRY_SIZE <= half);
	cfg->msix = add_cap(cfg, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF);
	cfg->msix_vectors = vectors;
	reg(cfg, cfg->msix + PCI_MSIX_FLAGS, 2, vectors - 1,
	    PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	reg(cfg, cfg->msix + PCI_MSIX_TABLE, 4, bar, 0);
	reg(cfg, cfg->msix + PCI_MSIX_PBA, 4, half | bar, 0);
}

void pcie_config_add_tph(struct pcie_function *fn, bool extended, enum pcie_st_location location,
			 unsigned int entries)
{
	struct pcie_config *cfg = &fn->config;
	uint32_t cap = TPH_NO_ST | TPH_DEVICE_SPECIFIC | location << TPH_LOCATION_SHIFT;

	assert(!cfg->tph);
	/* First of the extended capabilities, where the client keeps it (it rewrites only next). */
	cfg->tph = PCI_CFG_SPACE_SIZE;
	if (extended)
		cap |= TPH_EXTENDED;
	if (location == PCIE_ST_CAPABILITY) {
		assert(entries >= 1 && entries <= PCIE_ST_ENTRIES);
		cap |= (entries - 1) << TPH_SIZE_SHIFT;
		cfg->st_entries = entries;
		memset(cfg->wmask + cfg->tph + TPH_ST, 0xff, 2 * entries);
	}
	reg(cfg, cfg->tph, 4, TPH_ID | 1 << 16, 0);
	reg(cfg, cfg->tph + TPH_CAP, 4, cap, 0);
	/* [9], Extended, is hardwired to 0 in a function that cannot send such requests. */
	reg(cfg, cfg->tph + TPH_CTRL, 4, 0, extended ? 0x307 : 0x107);
}

void pcie_config_add_acs(struct pcie_function *fn)
{
	struct pcie_config *cfg = &fn->config;

	/* Both would be the first of the extended capabilities. */
	assert(!cfg->tph);
	reg(cfg, PCI_CFG_SPACE_SIZE, 4, PCI_EXT_CAP_ID_ACS | 1 << 16, 0);
	reg(cfg, PCI_CFG_SPACE_SIZE + PCI_ACS_CAP, 2, PCI_ACS_RR | PCI_ACS_CR, 0);
	reg(cfg, PCI_CFG_SPACE_SIZE + PCI_ACS_CTRL, 2, 0, PCI_ACS_RR | PCI_ACS_CR);
}

static bool in_d0(const struct pcie_config *cfg)
{
	return !cfg->pm || !(get(cfg, cfg->pm + PCI_PM_CTRL, 2) & PCI_PM_CTRL_STATE_MASK);
}

static uint64_t bar_address(const struct pcie_function *fn, unsigned int i)
{
	uint64_t addr;

	if (!fn->bar[i].size)
		return 0;
	addr = get(&fn->config, PCI_BASE_ADDRESS_0 + 4 * i, 4) &
	       (uint32_t)PCI_BASE_ADDRESS_MEM_MASK;
	if (fn->bar[i].is_64bit)
		addr |= (uint64_t)get(&fn->config, PCI_BASE_ADDRESS_0 + 4 * (i + 1), 4) << 32;
	return addr;
}

static unsigned int size_field(unsigned int field, unsigned int max)
{
	unsigned int size = 128u << field;

	return size < max ? size : max;
}

static unsigned int tph_width(const struct pcie_config *cfg)
{
	switch (cfg->tph ? get(cfg, cfg->tph + TPH_CTRL, 4) >> 8 & 3 : 0) {
	case 1:
		return 8;
	case 3:
		return 16;
	default:
		return 0;
	}
}

static void publish(struct pcie_function *fn)
{
	struct pcie_config *cfg = &fn->config;
	unsigned int command = get(cfg, PCI_COMMAND, 2);
	unsigned int devctl = cfg->express ? get(cfg, cfg->express + PCI_EXP_DEVCTL, 2) : 0;
	bool decode = command & PCI_COMMAND_MEMORY && in_d0(cfg);

	for (unsigned int i = 0; i < PCIE_BARS; i++)
		atomic_store(&cfg->view.bar[i], decode ? bar_address(fn, i) : 0);
	atomic_store(&cfg->view.max_payload,
		     size_field((devctl & PCI_EXP_DEVCTL_PAYLOAD) >> 5, MAX_PAYLOAD));
	atomic_store(&cfg->view.max_read_request,
		     size_field((devctl & PCI_EXP_DEVCTL_READRQ) >> 12, MAX_READ_REQUEST));
	atomic_store(&cfg->view.tags, devctl & PCI_EXP_DEVCTL_EXT_TAG ? 256 : 32);
	atomic_store(&cfg->view.tph_width, tph_width(cfg));
	for (unsigned int i = 0; i < cfg->st_entries; i++)
		atomic_store(&cfg->view.st[i], get(cfg, cfg->tph + TPH_ST + 2 * i, 2));
	atomic_store(&fn->bus_master, command & PCI_COMMAND_MASTER && in_d0(cfg));
}

void pcie_config_seal(struct pcie_function *fn)
{
	memcpy(fn->config.initial, fn->config.bytes, PCIE_CONFIG_SIZE);
	publish(fn);
}

static bool inside(unsigned int offset, size_t len)
{
	return len >= 1 && len <= PCIE_CONFIG_SIZE && offset <= PCIE_CONFIG_SIZE - len;
}

void pcie_config_claim_st_entries(struct pcie_function *fn, unsigned int entries)
{
	assert(entries <= PCIE_ST_ENTRIES);
	if (fn->config.st_entries)
		atomic_store(&fn->config.view.st_claim, entries);
}

void pcie_config_note(struct pcie_function *fn, uint16_t status, uint16_t device_status)
{
	atomic_fetch_or(&fn->config.view.status, status);
	if (fn->config.express)
		atomic_fetch_or(&fn->config.view.device_status, device_status);
}

/* An access that may touch a 16-bit register at @at: the bits of it that are in @buf. */
static void show_noted(uint16_t noted, unsigned int at, unsigned int offset, uint8_t *buf,
		       size_t len)
{
	for (unsigned int i = 0; i < 2; i++)
		if (at + i >= offset && at + i - offset < len)
			buf[at + i - offset] |= noted >> (8 * i);
}

static void clear_noted(_Atomic uint16_t *noted, unsigned int at, unsigned int offset,
			const uint8_t *data, size_t len)
{
	for (unsigned int i = 0; i < 2; i++)
		if (at + i >= offset && at + i - offset < len)
			atomic_fetch_and(noted, ~(data[at + i - offset] << (8 * i)));
}

void pcie_config_read(struct pcie_function *fn, unsigned int offset, void *buf, size_t len)
{
	unsigned int claim = atomic_load(&fn->config.view.st_claim);
	/* The low byte of the table's size; no table has 256 entries. */
	unsigned int size_at = fn->config.tph + TPH_CAP + TPH_SIZE_SHIFT / 8;

	if (!inside(offset, len)) {
		memset(buf, 0, len);
		return;
	}
	memcpy(buf, fn->config.bytes + offset, len);
	if (claim && size_at >= offset && size_at - offset < len)
		((uint8_t *)buf)[size_at - offset] = claim - 1;
	show_noted(atomic_load(&fn->config.view.status), PCI_STATUS, offset, buf, len);
	show_noted(atomic_load(&fn->config.view.device_status), fn->config.express + PCI_EXP_DEVSTA,
		   offset, buf, len);
}

/* A write of a state that is not there (D1, D2) is discarded (7.5.2.2). */
static void check_power_state(struct pcie_config *cfg, uint8_t before)
{
	uint8_t *control = cfg->pm ? &cfg->bytes[cfg->pm + PCI_PM_CTRL] : NULL;
	unsigned int state = control ? *control & PCI_PM_CTRL_STATE_MASK : 0;

	if (state == 1 || state == 2)
		*control = before;
}

static bool starts_flr(const struct pcie_config *cfg, unsigned int offset, const uint8_t *data,
		       size_t len)
{
	unsigned int at = cfg->express + PCI_EXP_DEVCTL + 1;

	return cfg->express && at >= offset && at - offset < len &&
	       data[at - offset] & PCI_EXP_DEVCTL_BCR_FLR >> 8;
}

void pcie_config_write(struct pcie_function *fn, unsigned int offset, const void *buf, size_t len)
{
	struct pcie_config *cfg = &fn->config;
	uint8_t power = cfg->pm ? cfg->bytes[cfg->pm + PCI_PM_CTRL] : 0;
	const uint8_t *data = buf;

	if (!inside(offset, len))
		return;
	if (starts_flr(cfg, offset, data, len)) {
		pcie_function_reset(fn, PCIE_RESET_FLR);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		uint8_t mask = cfg->wmask[offset + i];
		uint8_t *byte = &cfg->bytes[offset + i];

		*byte = (*byte & ~mask) | (data[i] & mask);
	}
	clear_noted(&cfg->view.status, PCI_STATUS, offset, data, len);
	if (cfg->express)
		clear_noted(&cfg->view.device_status, cfg->express + PCI_EXP_DEVSTA, offset, data,
			    len);
	check_power_state(cfg, power);
	publish(fn);
	if (fn->ops->config_written)
		fn->ops->config_written(fn, offset, len);
}

void pcie_function_reset(struct pcie_function *fn, int kind)
{
	uint8_t bars[4 * PCIE_BARS];

	/*
	 * A host that emulates the BAR registers answers reads of them itself, also after an FLR.
	 * Software that restores config space then finds them as they were and writes nothing.
	 */
	memcpy(bars, fn->config.bytes + PCI_BASE_ADDRESS_0, sizeof(bars));
	memcpy(fn->config.bytes, fn->config.initial, PCIE_CONFIG_SIZE);
	if (kind == PCIE_RESET_FLR)
		memcpy(fn->config.bytes + PCI_BASE_ADDRESS_0, bars, sizeof(bars));
	atomic_store(&fn->config.view.status, 0);
	atomic_store(&fn->config.view.device_status, 0);
	publish(fn);
	if (fn->ops->reset)
		fn->ops->reset(fn, kind);
}

unsigned int pcie_msix_vectors(const struct pcie_function *fn)
{
	return fn->config.msix_vectors;
}

uint64_t pcie_bar_address(const struct pcie_function *fn, unsigned int bar)
{
	return bar < PCIE_BARS ? atomic_load(&fn->config.view.bar[bar]) : 0;
}

size_t pcie_max_payload(const struct pcie_function *fn)
{
	return atomic_load(&fn->config.view.max_payload);
}

size_t pcie_max_read_request(const struct pcie_function *fn)
{
	return atomic_load(&fn->config.view.max_read_request);
}

unsigned int pcie_tags(const struct pcie_function *fn)
{
	return atomic_load(&fn->config.view.tags);
}

enum pcie_tph_completer pcie_completer(const struct pcie_function *fn)
{
	return fn->config.completer;
}

bool pcie_end_end_prefix(const struct pcie_function *fn)
{
	return fn->config.end_end_prefix;
}

unsigned int pcie_tph_width(const struct pcie_function *fn)
{
	return atomic_load(&fn->config.view.tph_width);
}

uint16_t pcie_st_entry(const struct pcie_function *fn, unsigned int index)
{
	if (index >= fn->config.st_entries)
		return 0;
	return atomic_load(&fn->config.view.st[index]);
}
