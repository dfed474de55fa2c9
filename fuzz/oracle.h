/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A second opinion on what the device may touch. The oracle looks at nothing but what passes
 * between driver and device: from the reads of the command queue it puts together each command,
 * from its output it learns whether it was taken, and so keeps its own list of what the driver
 * granted. Each access to memory has to be granted; one that is not ends the program with a
 * message.
 *
 * Granted are: the command queue and the mailboxes that the entry and the blocks before them name;
 * pages of EQs, CQs, QPs, SRQs and umems, doorbell records; and the bytes that live keys translate
 * to, as CREATE_MKEY and the UMRs of privileged QPs (REG_UMR, or created with qpc.fre) left them,
 * if a QP, SRQ or DCT is in their protection domain. A UMR of another QP may narrow a key and
 * grants nothing. Lists of keys (KLM, KSM) grant nothing of their own: it is the keys in them that
 * do.
 */
#ifndef FUZZ_ORACLE_H
#define FUZZ_ORACLE_H

#include "fuzz/world.h"

struct oracle *oracle_new(struct world *world);
void oracle_free(struct oracle *oracle);

/* The device of @port reads or writes [@addr, @addr + @len); @data is what it gets or gives. */
void oracle_read(struct world_port *port, uint64_t addr, const void *data, size_t len);
void oracle_write(struct world_port *port, uint64_t addr, const void *data, size_t len);
/* The driver writes a register of BAR0. */
void oracle_register(struct world_port *port, uint64_t offset, unsigned int size, uint64_t value);
/* Around hca_poll(): work and memory are within their budgets. */
void oracle_turn(struct world_port *port);
void oracle_turn_end(struct world_port *port);
/* At the end, before and after the reset: nothing beside device memory that was allocated was
 * written, and what the objects took is back. */
void oracle_finish(struct world *world);
void oracle_after_reset(struct world_port *port);

/* Says what is wrong, with the recent accesses, and aborts. */
__attribute__((noreturn, format(printf, 2, 3))) void oracle_violation(const struct world_port *port,
								      const char *format, ...);

#endif
