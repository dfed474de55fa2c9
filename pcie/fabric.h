/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fabric: the functions of one emulator, and the routing of their memory requests by address.
 * They may be in several machines, each with a bus of its own; the trace is one.
 */
#ifndef PCIE_FABRIC_H
#define PCIE_FABRIC_H

#include "pcie/function.h"
#include "pcie/trace.h"

#define PCIE_FABRIC_FUNCTIONS 32

/* Where a request went. Recorded with every TLP; what comes of it there is not. */
enum pcie_route {
	PCIE_ROUTE_NONE,     /* bus mastering off, unsupported request */
	PCIE_ROUTE_MEMORY,   /* guest memory mapped into this process */
	PCIE_ROUTE_MESSAGE,  /* handed to the host as a DMA message */
	PCIE_ROUTE_FUNCTION, /* BAR of a function in this fabric */
};

/* @trace may be NULL. The fabric does not own it. Returns NULL with errno ENOMEM. */
struct pcie_fabric *pcie_fabric_new(struct tlp_trace *trace);
/* Does not touch the functions, which may be gone. NULL is fine. */
void pcie_fabric_free(struct pcie_fabric *fabric);
/*
 * Returns 0, -EEXIST (name in use, or ID in its machine) or -ENOSPC. The function stays the
 * caller's.
 */
int pcie_fabric_add(struct pcie_fabric *fabric, struct pcie_function *fn);
/*
 * Whether the trace has the requests of a transfer as one record (burst.h) or each by itself, which
 * takes much longer: for tests, and for who trusts only what was recorded as it went by.
 */
void pcie_fabric_trace_each(struct pcie_fabric *fabric, bool each);
struct pcie_function *pcie_fabric_find(struct pcie_fabric *fabric, const char *name);

/*
 * Routing rule: a request goes to the BAR of a completer in the requester's machine when its host
 * announced a map without memory behind it whose base and size are exactly the BAR's (or its
 * host-mappable part's) address and size. Behind a translating IOMMU the pieces never match, and
 * the request goes to the host, which translates it.
 * An unsupported TLP prefix (Extended ST to a completer without extended support) is an
 * unsupported request; an 8-bit hint to a completer without TPH support is delivered with TH
 * ignored (2.2.7.1.1).
 */

#endif
