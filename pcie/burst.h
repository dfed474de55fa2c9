/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bursts: the requests of one transfer that differ in nothing but what their number in it says
 * (address, length, byte enables, tag), and the completions that answer them. A burst is one record
 * of a trace, which has the header of the first request as it travels; all others follow from it.
 */
#ifndef PCIE_BURST_H
#define PCIE_BURST_H

#include "pcie/trace.h"

/* Bytes of a burst at most, so that a record of a foreign trace is never much work. */
#define TLP_BURST_MAX 65536u

struct tlp_burst {
	uint32_t len; /* bytes, 1..TLP_BURST_MAX */
	size_t max;   /* of a request: Max_Payload_Size or Max_Read_Request_Size */
	bool requests;
	/* Reads only: all answered with success by @completer, at most @completion_max bytes each.
	 */
	bool completions;
	bool each; /* the completions of each request come before the next one, else after all */
	uint16_t completer;
	size_t completion_max;
	unsigned int tags; /* reads only: the tag counts modulo this, 32 or 256 */
};

/*
 * tlp_burst_put() - makes @record, that of the first request (kind TLP), the record of @burst. One
 * without requests is the completions of a read whose requests were recorded before.
 */
void tlp_burst_put(struct tlp_record *record, const struct tlp_burst *burst);

/*
 * tlp_burst_fault() - what is wrong with @record, of kind BURST (fields in host order), for people;
 * NULL: nothing. @tlp is the decoded header of the first request.
 */
const char *tlp_burst_fault(const struct tlp_record *record, struct tlp *tlp);

/* The TLPs of a burst, one by one. */
struct tlp_burst_walk {
	struct tlp_record record;
	struct tlp tlp;
	struct tlp_burst burst;
	uint64_t addr;
	uint32_t at;	     /* bytes of the requests before */
	uint32_t answered;   /* bytes of this one whose completions were before */
	unsigned int number; /* of the request */
	bool completing;
};

/* @record has no fault; @tlp: its decoded header. */
void tlp_burst_start(struct tlp_burst_walk *walk, const struct tlp_record *record,
		     const struct tlp *tlp);
/*
 * The next TLP: @record of kind TLP, as if it had been recorded alone, and the header decoded.
 * Returns false when there are no more.
 */
bool tlp_burst_next(struct tlp_burst_walk *walk, struct tlp_record *record, struct tlp *tlp);

/*
 * Pieces: bursts that are as the one before them but for their place, such as the pages of a buffer
 * that is contiguous nowhere. A record has the numbers of a few pages of TLP_BOUNDARY bytes, each
 * of which a burst begins at. The first tag of each read is one behind the tags of the read before
 * and one more, as pcie_take_tags() has it. The route is MEMORY.
 */
#define TLP_PIECES    8u
#define TLP_PIECE_MAX (TLP_BURST_MAX / TLP_PIECES)

/* Bytes of the burst @record. */
uint32_t tlp_burst_len(const struct tlp_record *record);
/* Whether a burst of @len bytes at @addr may be such a piece, the first one included. */
bool tlp_pieces_allow(uint64_t addr, size_t len);
/* Makes @record that of @count pieces, 1 to TLP_PIECES, at @addr, which follow the burst @burst. */
void tlp_pieces_put(struct tlp_record *record, const struct tlp_record *burst, const uint64_t *addr,
		    unsigned int count);
/* What is wrong with @record, of kind PIECES, without what it follows; NULL: nothing. */
const char *tlp_pieces_fault(const struct tlp_record *record);
/*
 * Makes @burst, the sound record before, that of piece @i of @record, which has no fault. It may
 * have one itself.
 */
void tlp_pieces_next(const struct tlp_record *record, unsigned int i, struct tlp_record *burst);

/* Whether requests of a burst may have @max bytes: 128 to 4096, a power of two. */
bool tlp_burst_allows(size_t max);
/* Requests for @len bytes at @addr, at most @max bytes each. */
unsigned int tlp_burst_requests(uint64_t addr, size_t len, size_t max);

/*
 * tlp_completion_piece() - sets what @tlp, a CplD for @n bytes at @addr of which @done were
 * completed before, says of the next bytes, at most @max (Max_Payload_Size). Returns how many.
 */
size_t tlp_completion_piece(struct tlp *tlp, uint64_t addr, size_t n, size_t done, size_t max);

#endif
