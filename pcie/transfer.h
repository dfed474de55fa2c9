/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of the fabric: what requests one by one, bursts and copies have in common. */
#ifndef PCIE_TRANSFER_H
#define PCIE_TRANSFER_H

#include <pthread.h>

#include "pcie/burst.h"
#include "pcie/fabric.h"

#define PCIE_ROOT_COMPLEX 0x0000 /* completer ID of guest memory */

struct pcie_fabric {
	struct tlp_trace *trace;
	bool each;		  /* no bursts */
	pthread_mutex_t delivery; /* one request at a time reaches the functions */
	unsigned int count;
	struct pcie_function *function[PCIE_FABRIC_FUNCTIONS];
	atomic_uint next_tag[PCIE_FABRIC_FUNCTIONS];
};

/* What the TLPs of one pcie_read() or pcie_write() have in common. */
struct pcie_transfer {
	struct pcie_function *fn;
	struct tlp_trace *trace;
	const struct pcie_host_ops *host_ops;
	uint64_t time_ns;
	size_t max; /* bytes per TLP */
	struct tlp tlp;
};

/* Bytes of a transfer that take the same route. */
struct pcie_run {
	uint64_t addr;
	size_t len;
	enum pcie_route route;
	struct pcie_function *target; /* route FUNCTION, and a refused TLP prefix */
	unsigned int bar;
	uint64_t bar_base;
};

/* --- fabric.c -------------------------------------------------------------------------------- */

bool pcie_may_master(const struct pcie_function *fn);
const struct pcie_host_ops *pcie_host_of(const struct pcie_function *fn);
/*
 * Of a transfer of @len bytes at @addr. @time_ns: when it is; 0: now. Returns 0, -EACCES or -EINVAL
 * as pcie_write().
 */
int pcie_transfer_init(struct pcie_transfer *t, struct pcie_function *fn, enum tlp_type type,
		       uint64_t addr, size_t len, const struct tlp_hint *hint, uint64_t time_ns);
/* The bytes from @addr on, @len at most, that take one route. */
struct pcie_run pcie_find_run(const struct pcie_transfer *t, uint64_t addr, size_t len);
/* Hands a request to its completer, as the completer understands it. */
void pcie_deliver(const struct pcie_run *run, struct tlp *tlp, void *data);
/* What @completer, a function here, understands of a header. */
void pcie_hide_hint(const struct pcie_function *completer, struct tlp *tlp);
/* What a host's error means to the requester. */
int pcie_host_error(int rc);
/* Traces @record, whose header tlp_encode() made; that said @len, and an error is counted. */
void pcie_record(const struct pcie_transfer *t, const struct tlp_record *record, int len);
/* Traces the completions of the request for @n bytes at @addr. */
void pcie_complete(const struct pcie_transfer *t, const struct pcie_run *run, uint64_t addr,
		   size_t n, uint16_t tag, enum tlp_status status, bool poisoned);

/* --- requests.c ------------------------------------------------------------------------------ */

/* Whether the requests for a run need not be looked at one by one. */
bool pcie_is_burst(const struct pcie_transfer *t, const struct pcie_run *run);
/*
 * Traces the requests of a run, or their completions, or both, as @kind says; what it does not say
 * of a burst is set here. In @walk is the last burst. Returns 0, or -EINVAL when no header can say
 * it.
 */
int pcie_issue_burst(const struct pcie_transfer *t, const struct pcie_run *run,
		     struct tlp_burst kind, struct tlp_burst_walk *walk);
/*
 * The same for @count pieces, at most PCIE_PIECES, of which @run is the first one, and which
 * tlp_pieces_allow(): all requests, of each read with its completions.
 */
int pcie_issue_pieces(const struct pcie_transfer *t, const struct pcie_run *run,
		      const struct pcie_piece *piece, unsigned int count);
/* Traces the requests of a read from the host, and then their completions. */
int pcie_issue_read(const struct pcie_transfer *t, const struct pcie_run *run);
/* A run that is a burst, from or to @data; for a read it is a round, from tag t->tlp.tag on. */
int pcie_write_burst(struct pcie_transfer *t, const struct pcie_run *run, const uint8_t *data);
int pcie_read_burst(struct pcie_transfer *t, const struct pcie_run *run, uint8_t *data);
/* The next @count tags of @fn; the first of them. They count for ever: modulo pcie_tags(). */
unsigned int pcie_take_tags(struct pcie_function *fn, unsigned int count);

#endif
