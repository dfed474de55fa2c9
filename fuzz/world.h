/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the targets of the HCA drive: a host with a few MiB of memory at DMA address 0, and two HCAs
 * in one fabric and one subnet, LIDs 1 and 2. Everything goes the way a driver goes: BAR0, the
 * command queue, queues in memory. The oracle sees each access (oracle.h). Time stands still but
 * for world_poll(), so that an input does the same every time.
 */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

#include "fuzz/input.h"
#include "hca/hca.h"
#include "hca/model.h"
#include "pcie/fabric.h"

#define WORLD_MEMORY  (6u << 20)
#define WORLD_PORTS   2u
#define WORLD_VECTORS 4u
#define WORLD_BUDGET  ((uint64_t)64 << 20) /* hca_params.memory */
#define WORLD_FLIPS   8u

struct world;
struct oracle;

struct world_port {
	struct world *world;
	unsigned int index;
	struct hca *hca;
	struct pcie_function *fn;
	uint64_t queue; /* DMA address of the command queue */
	uint32_t kernel_uar, uar;
	unsigned int interrupts;
	struct capture *capture; /* kept between programs */
	int captured;		 /* the file, -1: there is no capture */
};

/* Memory that another processor changes right after the device has read it. */
struct world_flip {
	uint64_t addr;
	uint8_t value;
	bool armed;
};

/* A piece that the device holds; @len 0: not any more. */
struct world_hold {
	size_t len;
	bool write;
};

#define WORLD_HOLDS (2 * PCIE_PIECES)

struct world {
	struct world_hold hold[WORLD_HOLDS];
	unsigned int holds;
	uint8_t *memory;
	uint64_t brk;	/* world_alloc() hands out from here */
	uint64_t dirty; /* bytes below were written */
	/* Accesses to [hole, hole + hole_size) are answered -ENODEV. */
	uint64_t hole, hole_size;
	struct world_flip flip[WORLD_FLIPS];
	struct pcie_fabric *fabric;
	struct subnet *subnet;
	struct bridge *bridge; /* NULL: ports are InfiniBand */
	struct world_port port[WORLD_PORTS];
	struct oracle *oracle;
};

/* Both HCAs probed: enabled, with UAR pages. @trace may be NULL. Ends the program when it cannot.
 */
struct world *world_new(struct tlp_trace *trace);
/* The same with Ethernet ports on a switch, of addresses 02:00:00:00:00:01 and :02. */
struct world *world_new_ethernet(void);
/* The oracle's last checks: canaries, and that a reset gives everything back. */
void world_free(struct world *world);

/* Zeroed memory, or 0 when there is none left; @align a power of two. */
uint64_t world_alloc(struct world *world, size_t size, size_t align);
/* Where [@addr, @addr + @len) is in this process, for the program to write; NULL when outside. */
uint8_t *world_at(struct world *world, uint64_t addr, size_t len);

/* A register of BAR0, as the guest's processor writes it: big-endian words. */
void world_write(struct world_port *port, uint64_t offset, unsigned int size, uint64_t value);
/* Turns of both HCAs until they are idle, at most @turns. The clock goes on by 20 us a turn. */
void world_poll(struct world *world, unsigned int turns);
/*
 * Begins a capture of the port, of @snap bytes of each packet (0: all), or ends the one that there
 * is: what was captured reads back.
 */
void world_capture(struct world_port *port, size_t snap);
/* The clock goes on by @ns. */
void world_sleep(uint64_t ns);

/* What is wrong with a command's way rather than with the command. */
struct world_mailbox {
	unsigned int slot;
	bool corrupt; /* @value at byte @where of block @block of the input's (or output's) chain */
	bool output;
	uint8_t block, value;
	uint16_t where;
	uint8_t entry_where, entry_value; /* and of the entry itself; where 0: not */
};
/*
 * Writes a command of @ilen bytes into a slot and rings. @odd may be NULL. False when mailboxes are
 * out of memory. Poll and world_result() follow.
 */
bool world_post(struct world_port *port, const void *in, uint32_t ilen, uint32_t olen,
		const struct world_mailbox *odd);
/* Status of the command in @slot: 0..255, or -1: the device still owns it, or could not take it. */
int world_result(struct world_port *port, unsigned int slot, void *out, uint32_t olen);
/* Both. @out may be NULL. */
int world_cmd(struct world_port *port, const void *in, uint32_t ilen, void *out, uint32_t olen);
/* Commands of a driver that does what it should: the number at +8; the world ends if it fails. */
uint32_t world_must(struct world_port *port, const void *in, uint32_t ilen);
uint32_t world_simple(struct world_port *port, uint16_t op, uint32_t dw2, uint32_t dw3);

/* Ends the program: the target itself is broken. */
__attribute__((noreturn, format(printf, 1, 2))) void world_broken(const char *format, ...);

#endif
