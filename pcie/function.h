/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PCI Express function: what a device model is to the rest of the emulator, and all that a device
 * model sees of it. A model answers register accesses and TLPs through its ops, and acts through
 * two calls only: "issue this memory request" and "raise vector n".
 *
 * Threads: bar_read, bar_write, config_written and reset run on the transport's thread. They must
 * return at once and must not call pcie_read() or pcie_write(): the transport cannot serve DMA
 * while one of its requests is unanswered. DMA is issued from the model's own (engine) thread.
 */
#ifndef PCIE_FUNCTION_H
#define PCIE_FUNCTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pcie/config.h"
#include "pcie/inject.h"
#include "pcie/tlp.h"

struct pcie_fabric;
struct pcie_function;

/* A BAR as the model declares it; a 64-bit BAR takes its own slot and the next. size 0: no BAR. */
struct pcie_bar {
	uint64_t size; /* bytes, power of two */
	bool is_64bit;
	bool prefetchable;
	/*
	 * Part of the BAR that the host may map: [mmap_offset, mmap_offset + mmap_size), backed by
	 * the file mmap_fd (owned by the model) from file offset 0, mapped by the model at
	 * mmap_mem. mmap_size 0: every access is trapped. All page aligned.
	 */
	uint64_t mmap_offset;
	uint64_t mmap_size;
	int mmap_fd;
	void *mmap_mem;
};

enum pcie_reset {
	PCIE_RESET_CONVENTIONAL, /* hot or warm: power stays on, and with it what memory holds */
	PCIE_RESET_FLR,
	PCIE_RESET_COLD, /* power was off: the next owner finds nothing of the last one's */
};

struct pcie_function_ops {
	/* Trapped register read of 1, 2, 4 or 8 bytes; the value is little-endian as on the bus. */
	uint64_t (*bar_read)(struct pcie_function *fn, unsigned int bar, uint64_t offset,
			     unsigned int size);
	void (*bar_write)(struct pcie_function *fn, unsigned int bar, uint64_t offset,
			  unsigned int size, uint64_t value);
	/* After config space took a write: e.g. TPH control or ST table. Optional. */
	void (*config_written)(struct pcie_function *fn, unsigned int offset, unsigned int len);
	/* Config space is reset (and bus mastering off) already. Optional. */
	void (*reset)(struct pcie_function *fn, enum pcie_reset kind);
	/*
	 * Completer: a memory request that the fabric routed to this function. @offset is that of
	 * tlp_range() in the BAR. @tlp: decoded from the header bytes that travelled; the hint is
	 * cleared when the function is no TPH completer. @data: @len bytes to take (TLP_MWR) or to
	 * fill (TLP_MRD). Called on the requester's thread, one request at a time per fabric; must
	 * not issue requests itself. NULL: not a completer (requests go to the host).
	 */
	void (*memory_request)(struct pcie_function *fn, unsigned int bar, uint64_t offset,
			       const struct tlp *tlp, void *data, size_t len);
	/*
	 * Optional, both or none: @tlps requests at once for @len bytes from @offset on, of which
	 * @tlp is the first. Counted as if each had come by memory_request(). Returns where the
	 * bytes are, for the fabric to copy from or to until burst_end(), within the same call;
	 * NULL when they shall come one by one, and nothing was counted.
	 */
	void *(*burst_begin)(struct pcie_function *fn, unsigned int bar, uint64_t offset,
			     const struct tlp *tlp, unsigned int tlps, size_t len);
	void (*burst_end)(struct pcie_function *fn);
};

/* Memory of the host that stays where it is. */
struct pcie_held {
	uint8_t *memory;
	unsigned int cookie; /* the host's own */
	/* Bytes of the same map beside it, with the same right: they are held, too. 0 is never
	 * wrong. */
	uint64_t before, behind;
};

/*
 * The host side of a function: what the transport offers. Every call may block except resolve, hold
 * and release. Errors: -ENODEV address not mapped, no host connected; -EIO broken connection;
 * -EACCES read-only.
 */
struct pcie_host_ops {
	int (*read)(void *host, uint64_t addr, void *buf, size_t len);
	int (*write)(void *host, uint64_t addr, const void *buf, size_t len);
	/*
	 * resolve() - the host's map that holds @addr: *@base and *@size of the whole map,
	 * *@direct true when it is memory that this process reaches itself.
	 * Returns false when no map holds @addr (the host may still accept the access); *@size is
	 * then the bytes from @addr to the next map, 0 when none is above.
	 */
	bool (*resolve)(void *host, uint64_t addr, uint64_t *base, uint64_t *size, bool *direct);
	void (*interrupt)(void *host, unsigned int vector);
	/*
	 * Optional, all or none. hold(): the @len bytes at @addr, at least 1, to read or write, in
	 * this process until release(); false when it does not reach them, all, with that right.
	 * What the host does with its maps meanwhile waits, so nothing that waits for the host
	 * comes in between. copy(): between memory that is held, also of different hosts with the
	 * same copy(), or to memory of this process; false: the memory is gone, a part may be
	 * copied.
	 */
	bool (*hold)(void *host, uint64_t addr, size_t len, bool write, struct pcie_held *held);
	void (*release)(void *host, const struct pcie_held *held);
	bool (*copy)(void *to, const void *from, size_t len);
};

struct pcie_function {
	const char *name; /* "hca0", "gpu0": unique in a fabric */
	uint16_t id; /* requester and completer ID: bus[15:8] devfn[7:0], unique in its machine */
	const struct pcie_function_ops *ops;
	void *model; /* the model's own */
	struct pcie_bar bar[PCIE_BARS];
	struct pcie_config config; /* filled by the model with pcie_config_*() */
	/* Set by pcie_fabric_add() and pcie_function_connect(). */
	struct pcie_fabric *fabric;
	uint8_t index; /* in the fabric, and in its trace */
	/*
	 * The host that it is plugged in, by a number; set before pcie_fabric_add(). Each has a bus
	 * of its own: IDs and addresses mean something else there, and no BAR of another is in
	 * reach.
	 */
	uint8_t machine;
	const struct pcie_host_ops *host_ops;
	void *host;
	atomic_bool bus_master; /* Command.BME, kept by the config space code */
	/*
	 * Set by a model between a reset and the end of what it did before: its requests and
	 * interrupts would be those of the last owner, and are refused as with bus mastering off.
	 */
	atomic_bool silent;
	struct pcie_inject inject;
};

/*
 * pcie_write(), pcie_read() - memory requests of @fn as requester: split into TLPs by the
 * function's Max_Payload_Size and Max_Read_Request_Size, each encoded, traced and routed by its
 * address: to the BAR of a function in the same fabric and machine, else to the host. @len 0 issues
 * nothing.
 * @hint: NULL or th == false for none. A read that is not DW aligned in start and length goes
 * without TH (2.2.7.1.1), as do the TLPs of one that a host map cuts within a DW.
 * The work is one lookup for each map that the range touches, and one step for each TLP: at worst,
 * with maps of one byte, one of both for each byte.
 * Return 0; -EACCES when bus mastering is off or the function silent, -EINVAL for a hint or a range
 * that no header can carry (nothing is issued in both cases); else what the completer said: -ENODEV
 * (unsupported request; also a host map without the right) or -EIO (completer abort, broken
 * connection); for a read also -EBADMSG (poisoned) and -ETIMEDOUT (no completion). After an error a
 * part may have been written or read.
 */
int pcie_write(struct pcie_function *fn, uint64_t addr, const void *buf, size_t len,
	       const struct tlp_hint *hint);
int pcie_read(struct pcie_function *fn, uint64_t addr, void *buf, size_t len,
	      const struct tlp_hint *hint);

/* A contiguous part of a copy. */
struct pcie_piece {
	uint64_t addr;
	size_t len; /* at least 1 */
	struct tlp_hint hint;
};

#define PCIE_PIECES 64u

/* Whether pcie_copy() is worth a trial: both are in one fabric, and nothing hinders both. */
bool pcie_may_copy(const struct pcie_function *reader, const struct pcie_function *writer);
/*
 * pcie_copy() - what pcie_read() by @reader of each piece of @from (@from_count, PCIE_PIECES at
 * most) into a buffer and pcie_write() of it by @writer to the pieces of @to do, with the same TLPs
 * in the same order, but each byte is moved once. Both lists have the same number of bytes. Only
 * where all pieces are in reach: memory of the hosts, each piece in one map, or as target a BAR.
 * Returns 0; -EAGAIN: it cannot be done so, and nothing was issued; -EIO the source is gone,
 * -EFAULT the target is gone, and a part is written.
 */
int pcie_copy(struct pcie_function *reader, const struct pcie_piece *from, unsigned int from_count,
	      struct pcie_function *writer, const struct pcie_piece *to, unsigned int to_count);

/*
 * pcie_peek() - look at memory without issuing a TLP. Only for polling that stands in for a
 * doorbell write which a shared page kept from the emulator; what follows from it is issued as
 * TLPs. Never blocks: only directly reachable memory. Returns 0, -EACCES or -ENODEV.
 */
int pcie_peek(struct pcie_function *fn, uint64_t addr, void *buf, size_t len);

/* Raise MSI-X vector @vector. Nothing happens when the vector is not connected or BME is off. */
void pcie_interrupt(struct pcie_function *fn, unsigned int vector);
/* The same, past the faults of inject.h. */
void pcie_raise(struct pcie_function *fn, unsigned int vector);

/* Called by the transport. @host_ops NULL disconnects; the caller has stopped its threads then. */
void pcie_function_connect(struct pcie_function *fn, const struct pcie_host_ops *host_ops,
			   void *host);

#endif
