/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults on the link of a function, armed by whoever tests what hardware and drivers make of them.
 * A rule waits for requests (or interrupts) that fit, lets some pass, and spoils the next ones. All
 * of it is safe from any thread; a function without a rule pays one load for it.
 */
#ifndef PCIE_INJECT_H
#define PCIE_INJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pcie_function;

enum pcie_fault {
	PCIE_FAULT_NONE,
	PCIE_FAULT_UR,	     /* the completer does not support the request */
	PCIE_FAULT_CA,	     /* it aborts the request */
	PCIE_FAULT_POISONED, /* EP is set: on a write, or on what a read is answered with */
	PCIE_FAULT_LOST,     /* a read without completion, an interrupt that nobody sees */
	PCIE_FAULT_ASTRAY,   /* the address of a transfer has a wrong bit; own requests only */
	PCIE_FAULT_LATE,     /* interrupts only */
};

/* What a rule looks at. A function has at most one rule of each. */
enum pcie_fault_side {
	PCIE_FAULT_REQUESTS,   /* memory requests that the function makes */
	PCIE_FAULT_INTO,       /* memory requests of others that come to its BARs */
	PCIE_FAULT_INTERRUPTS, /* its MSI-X vectors */
	PCIE_FAULT_SIDES,
};

/*
 * A posted write has no completion: its completer drops it and notes the error, and the requester
 * never knows. So LOST is for reads, and rules of UR, CA and POISONED fit both.
 */
struct pcie_fault_rule {
	enum pcie_fault kind;
	bool reads, writes; /* which of them it fits; interrupts are neither */
	/*
	 * It fits what touches [from, to): bus addresses of REQUESTS, bytes of the BAR of INTO,
	 * vectors of INTERRUPTS.
	 */
	uint64_t from, to;
	uint64_t after;	       /* how many that fit pass first */
	uint64_t count;	       /* how many are spoilt, then the rule rests */
	unsigned int permille; /* of those behind @after, 1..1000: drawn with @seed */
	uint64_t seed;
	uint64_t delay_ns; /* LATE */
};

/* Requests and interrupts that a rule saw (those that fit), and those it spoilt, since it was
 * armed. */
struct pcie_fault_count {
	uint64_t seen, hit;
};

#define PCIE_FAULT_HELD 64 /* interrupts late at a time; one more comes at once */

/* In struct pcie_function; of inject.c. */
struct pcie_inject {
	atomic_uint armed; /* bits: 1 << side */
	atomic_uint presence;
	struct {
		struct pcie_fault_rule rule;
		struct pcie_fault_count count;
		uint64_t random;
	} side[PCIE_FAULT_SIDES];
	struct {
		uint64_t due_ns;
		unsigned int vector;
	} held[PCIE_FAULT_HELD];
	atomic_uint held_count;
};

/* Returns 0, or -EINVAL for a rule that fits nothing: kind and side, range, count, permille. */
int pcie_inject_arm(struct pcie_function *fn, enum pcie_fault_side side,
		    const struct pcie_fault_rule *rule);
/* Ends a rule; late interrupts come with the next pcie_inject_poll(). The counts stay. */
void pcie_inject_disarm(struct pcie_function *fn, enum pcie_fault_side side);
struct pcie_fault_count pcie_inject_count(struct pcie_function *fn, enum pcie_fault_side side);
/* Raises the late interrupts that are due at @now_ns (CLOCK_MONOTONIC). From the engine. */
void pcie_inject_poll(struct pcie_function *fn, uint64_t now_ns);

/*
 * Takes the function out of its slot: reads of it return ones, requests into it are unsupported, it
 * makes none. Put back it is as after power-on, and software has to set it up.
 */
void pcie_inject_remove(struct pcie_function *fn);
void pcie_inject_put_back(struct pcie_function *fn);
/* The function is out of its slot. */
bool pcie_inject_gone(const struct pcie_function *fn);

/* --- where faults happen: fabric.c and the transport ----------------------------------------- */

/* Whether there is a rule: then each request has to be asked about, else none. */
bool pcie_inject_armed(const struct pcie_function *fn, enum pcie_fault_side side);

/* The fault of a request for @len bytes at @where (see the rule's range), NONE most of the time. */
enum pcie_fault pcie_inject_request(struct pcie_function *fn, enum pcie_fault_side side, bool write,
				    uint64_t where, size_t len);
/* The address that a transfer goes to: @addr, unless it goes astray. */
uint64_t pcie_inject_address(struct pcie_function *fn, bool write, uint64_t addr, size_t len);
/* Whether an interrupt is on its way; one that is lost is not, one that is late comes by itself. */
bool pcie_inject_interrupt(struct pcie_function *fn, unsigned int vector);
/*
 * On the transport's thread, before each of its accesses: whether the function answers. One that
 * was put back is reset by that.
 */
bool pcie_inject_answers(struct pcie_function *fn);

#endif
