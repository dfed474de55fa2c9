/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NVMe-like endpoint: the register file of a controller whose Controller Memory Buffer fills BAR2.
 * It serves no queue; what matters is the memory. Register layout: NVM Express 1.4, section 3.1.
 *
 * Linux's nvme driver matches the class and probes at boot. CAP.MPSMIN demands memory pages of 64
 * KiB, so that on a host with 4 KiB pages nvme_enable_ctrl() gives up with -ENODEV before it
 * enables the controller: no wait, no command that would time out after a minute, and nothing else
 * odd. It prints "Minimum device page size 65536 too large for host (4096)" and "probe failed".
 * Leaving CSTS.RDY clear instead would cost CAP.TO (500 ms units), and the driver does not look at
 * CSTS.CFS while it waits.
 */
#include <string.h>

#include "endpoints/model.h"

#define REGISTERS_SIZE 16384u
#define MEMORY_BAR     2

struct nvme_registers {
	uint32_t intms, cc, csts, aqa;
	uint64_t asq, acq, cmbmsc;
};

enum {
	REG_CAP = 0x00,
	REG_VS = 0x08,
	REG_INTMS = 0x0c,
	REG_INTMC = 0x10,
	REG_CC = 0x14,
	REG_CSTS = 0x1c,
	REG_AQA = 0x24,
	REG_ASQ = 0x28,
	REG_ACQ = 0x30,
	REG_CMBLOC = 0x38,
	REG_CMBSZ = 0x3c,
	REG_CMBMSC = 0x50,
	REG_DOORBELLS = 0x1000,
};

#define CAP_MQES   63ull	/* 64 entries */
#define CAP_CQR	   (1ull << 16) /* queues are contiguous */
#define CAP_TO	   (1ull << 24) /* 500 ms */
#define CAP_NVM	   (1ull << 37) /* NVM command set */
#define CAP_MPSMIN (4ull << 48) /* 4 KiB << 4 */
#define CAP_MPSMAX (4ull << 52)
#define CAP_CMBS   (1ull << 57)
#define CAP	   (CAP_MQES | CAP_CQR | CAP_TO | CAP_NVM | CAP_MPSMIN | CAP_MPSMAX | CAP_CMBS)

#define VS_1_4 0x00010400u

#define CC_EN	 0x1u
#define CC_SHN	 0xc000u
#define CC_WMASK 0x00fffff1u

#define CSTS_RDY	   0x1u
#define CSTS_CFS	   0x2u
#define CSTS_SHST	   0xcu
#define CSTS_SHST_COMPLETE 0x8u

#define AQA_WMASK     0x0fff0fffu
#define PAGE_WMASK    (~0xfffull)
#define CMBMSC_CRE    0x1u
#define CMBMSC_WMASK  (PAGE_WMASK | 0x3)
#define CMBSZ_RDS_WDS 0x18u
#define CMBSZ_UNITS   6 /* 4 KiB << 4 * 0..6 */
#define CMBSZ_MAX     0xfffffu

/* The smallest unit that can express the size: all sizes are powers of two. */
static uint32_t cmbsz(uint64_t size)
{
	unsigned int unit = 0;

	while (unit < CMBSZ_UNITS && size >> (12 + 4 * unit) > CMBSZ_MAX)
		unit++;
	return (uint32_t)(size >> (12 + 4 * unit)) << 12 | unit << 8 | CMBSZ_RDS_WDS;
}

/* An aligned 32-bit word of the register file. */
static uint32_t read_word(const struct endpoint *ep, uint64_t offset)
{
	const struct nvme_registers *r = ep->state;
	bool cmb = r->cmbmsc & CMBMSC_CRE; /* the CMB registers show up when asked for */

	switch (offset) {
	case REG_CAP:
		return (uint32_t)CAP;
	case REG_CAP + 4:
		return CAP >> 32;
	case REG_VS:
		return VS_1_4;
	case REG_INTMS:
	case REG_INTMC:
		return r->intms;
	case REG_CC:
		return r->cc;
	case REG_CSTS:
		return r->csts;
	case REG_AQA:
		return r->aqa;
	case REG_ASQ:
		return r->asq;
	case REG_ASQ + 4:
		return r->asq >> 32;
	case REG_ACQ:
		return r->acq;
	case REG_ACQ + 4:
		return r->acq >> 32;
	case REG_CMBLOC:
		return cmb ? MEMORY_BAR : 0;
	case REG_CMBSZ:
		return cmb ? cmbsz(ep->memory_size) : 0;
	case REG_CMBMSC:
		return r->cmbmsc;
	case REG_CMBMSC + 4:
		return r->cmbmsc >> 32;
	default:
		return 0;
	}
}

static uint64_t nvme_read(struct endpoint *ep, unsigned int bar, uint64_t offset, unsigned int size)
{
	uint64_t value;

	if (bar != 0)
		return 0;
	value = read_word(ep, offset & ~3ull);
	if (size == 8)
		return value | (uint64_t)read_word(ep, (offset & ~3ull) + 4) << 32;
	value >>= 8 * (offset & 3);
	return size >= 4 ? value : value & ((1u << 8 * size) - 1);
}

static void write_cc(struct nvme_registers *r, uint32_t value)
{
	uint32_t before = r->cc;

	r->cc = value & CC_WMASK;
	if (!(before & CC_EN) && r->cc & CC_EN)
		r->csts = CSTS_RDY;
	if (before & CC_EN && !(r->cc & CC_EN)) {
		/* Controller reset: the admin queue and CMB registers keep their values. */
		r->intms = 0;
		r->csts = 0;
		r->cc = 0;
		return;
	}
	if (r->cc & CC_SHN)
		r->csts = (r->csts & ~CSTS_SHST) | CSTS_SHST_COMPLETE;
}

static uint64_t low_half(uint64_t reg, uint32_t value)
{
	return (reg & ~0xffffffffull) | value;
}

static uint64_t high_half(uint64_t reg, uint32_t value)
{
	return (uint64_t)value << 32 | (uint32_t)reg;
}

static void write_word(struct nvme_registers *r, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case REG_INTMS:
		r->intms |= value;
		break;
	case REG_INTMC:
		r->intms &= ~value;
		break;
	case REG_CC:
		write_cc(r, value);
		break;
	case REG_AQA:
		r->aqa = value & AQA_WMASK;
		break;
	case REG_ASQ:
		r->asq = low_half(r->asq, value) & PAGE_WMASK;
		break;
	case REG_ASQ + 4:
		r->asq = high_half(r->asq, value);
		break;
	case REG_ACQ:
		r->acq = low_half(r->acq, value) & PAGE_WMASK;
		break;
	case REG_ACQ + 4:
		r->acq = high_half(r->acq, value);
		break;
	case REG_CMBMSC:
		r->cmbmsc = low_half(r->cmbmsc, value) & CMBMSC_WMASK;
		break;
	case REG_CMBMSC + 4:
		r->cmbmsc = high_half(r->cmbmsc, value);
		break;
	default:
		/* Who rings a doorbell is told that nobody is going to answer. */
		if (offset >= REG_DOORBELLS && r->csts & CSTS_RDY)
			r->csts |= CSTS_CFS;
		break;
	}
}

/* Narrower or unaligned writes are undefined in the specification: dropped here. */
static void nvme_write(struct endpoint *ep, unsigned int bar, uint64_t offset, unsigned int size,
		       uint64_t value)
{
	if (bar != 0 || size < 4 || offset % 4)
		return;
	write_word(ep->state, offset, value);
	if (size == 8)
		write_word(ep->state, offset + 4, value >> 32);
}

static void nvme_reset(struct endpoint *ep)
{
	memset(ep->state, 0, sizeof(struct nvme_registers));
}

static void nvme_describe_bars(struct endpoint *ep)
{
	ep->fn.bar[0] =
		(struct pcie_bar){ .size = REGISTERS_SIZE, .is_64bit = true, .mmap_fd = -1 };
}

const struct endpoint_kind endpoint_nvme = {
	.name = "nvme",
	.about = "an NVMe-like endpoint (CMB in BAR 2)",
	/* The IDs are placeholders: 0x1dff is no assigned vendor; drivers match the class. */
	.identity = {
		.vendor = 0x1dff,
		.device = 0x0002,
		.subsystem_vendor = 0x1dff,
		.subsystem = 0x0002,
		.revision = 1,
		.class_code = 0x010802,
	},
	.memory_bar = MEMORY_BAR,
	.state_size = sizeof(struct nvme_registers),
	.describe_bars = nvme_describe_bars,
	.read = nvme_read,
	.write = nvme_write,
	.reset = nvme_reset,
};
