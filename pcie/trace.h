/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Binary TLP trace: one record per TLP with its header bytes as they travel, and marks that
 * separate runs. Written by the fabric, read by tlpdump.
 *
 * File: struct tlp_trace_file, then records. All fields little-endian except the header bytes.
 *
 * Completions are records of their own: from a function, source is that function and the route is
 * FUNCTION with the requester as target; from guest memory, source is the requester, the route is
 * the request's and the completer ID in the header is 0 (the root complex).
 */
#ifndef PCIE_TRACE_H
#define PCIE_TRACE_H

#include <stdint.h>
#include <stdio.h>

#include "pcie/tlp.h"

#define TLP_TRACE_MAGIC "TPHTLP1\n"
#define TLP_TRACE_NAME	24

enum tlp_record_kind { TLP_RECORD_FUNCTION = 1, TLP_RECORD_MARK = 2, TLP_RECORD_TLP = 3 };

struct tlp_trace_file {
	char magic[8];
};

/* 48 bytes */
struct tlp_record {
	uint64_t time_ns;   /* CLOCK_MONOTONIC */
	uint8_t kind;	    /* enum tlp_record_kind */
	uint8_t route;	    /* enum pcie_route */
	uint8_t header_len; /* bytes used of header[] */
	uint8_t target;	    /* route FUNCTION: index of the completer */
	uint8_t source;	    /* index of the function that issued the TLP */
	uint8_t bar;	    /* route FUNCTION: BAR number */
	uint16_t reserved;
	uint8_t header[TLP_TRACE_NAME]; /* TLP: header bytes; FUNCTION and MARK: text */
	uint64_t offset;		/* route FUNCTION: byte offset in the BAR */
};

struct tlp_trace;

/* NULL with errno from open(2) or ENOMEM. Writes are buffered; safe to call from any thread. */
struct tlp_trace *tlp_trace_open(const char *path);
/* Returns 0 or -errno of the first failed write. NULL is allowed. */
int tlp_trace_close(struct tlp_trace *trace);
void tlp_trace_record(struct tlp_trace *trace, const struct tlp_record *record);
/* Name the function with this index (see struct tlp_record.source), at most 23 bytes. */
void tlp_trace_function(struct tlp_trace *trace, uint8_t index, const char *name);
/* A named mark (at most 23 bytes) and flush, so that readers see all before it. NULL: nothing. */
void tlp_trace_mark(struct tlp_trace *trace, const char *name);

#endif
