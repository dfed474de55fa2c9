/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Binary TLP trace: records of TLPs with header bytes as they travel, and marks that separate runs.
 * Written by the fabric, read by tlpdump. The TLPs of one transfer are one record, see burst.h;
 * every other TLP has its own.
 *
 * File: struct tlp_trace_file, then records. All fields little-endian except the header bytes. The
 * first version had no bursts, the second one no clock, the third one no pieces.
 *
 * Completions are records of their own: from a function, source is that function and the route is
 * FUNCTION with the requester as target; from guest memory, source is the requester, the route is
 * the request's and the completer ID in the header is 0 (the root complex).
 *
 * A trace has a bound, and a file system may be full: recording stops then and a STOP record, the
 * last one, says so. What was recorded before it is all there.
 */
#ifndef PCIE_TRACE_H
#define PCIE_TRACE_H

#include <stdint.h>
#include <stdio.h>

#include "pcie/tlp.h"

#define TLP_TRACE_MAGIC	  "TPHTLP4\n"
#define TLP_TRACE_MAGIC_3 "TPHTLP3\n"
#define TLP_TRACE_MAGIC_2 "TPHTLP2\n"
#define TLP_TRACE_MAGIC_1 "TPHTLP1\n"
#define TLP_TRACE_NAME	  24
/* Bytes of a trace unless tlp_trace_limit() says otherwise: 89 million records. */
#define TLP_TRACE_LIMIT (1ull << 32)

enum tlp_record_kind {
	TLP_RECORD_FUNCTION = 1,
	TLP_RECORD_MARK = 2,
	TLP_RECORD_TLP = 3,
	TLP_RECORD_STOP = 4,  /* the rest was not recorded; text: why */
	TLP_RECORD_BURST = 5, /* several TLPs: struct tlp_burst */
	TLP_RECORD_CLOCK = 6, /* offset: from the trace's time to that of the day */
	/* More bursts, as the one before it of the same source, in other pages: tlp_pieces_put() */
	TLP_RECORD_PIECES = 7,
};

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
	uint16_t shape;	    /* BURST: see burst.c; else 0 */
	/*
	 * TLP: header bytes. BURST: of the first, then its length and completer. PIECES: numbers of
	 * pages, which go on in offset; header_len: how many. Others: text.
	 */
	uint8_t header[TLP_TRACE_NAME];
	uint64_t offset; /* route FUNCTION: byte offset in the BAR. CLOCK: see tlp_trace_clock() */
};

struct tlp_trace;

struct tlp_trace_status {
	int error; /* why recording stopped: EFBIG at the limit, or of a write; 0: it goes on */
	uint64_t records; /* in the file or on the way to it, without the STOP */
	uint64_t lost;	  /* records since it stopped, and those that a failed write took */
	uint64_t refused; /* records that no reader would take, e.g. without a header */
};

/*
 * What a reader cannot take in @record (fields in host order), for people; NULL: nothing. @tlp is
 * the decoded header of a TLP, or of the first of a burst.
 */
const char *tlp_record_fault(const struct tlp_record *record, struct tlp *tlp);

/*
 * NULL with errno from open(2), pthread_create(3) or ENOMEM. A thread of its own writes the file;
 * who records waits for it only when it is megabytes behind. Safe to call from any thread. What
 * goes wrong later is said once on stderr, and the callers go on without a trace.
 */
struct tlp_trace *tlp_trace_open(const char *path);
/* Returns 0 or -errno: why recording stopped (see struct tlp_trace_status). NULL is allowed. */
int tlp_trace_close(struct tlp_trace *trace);
/* Stop at a file of @bytes. Returns 0 or -EINVAL: no room for one record more and the STOP. */
int tlp_trace_limit(struct tlp_trace *trace, uint64_t bytes);
struct tlp_trace_status tlp_trace_status(struct tlp_trace *trace);
/* A record that tlp_record_fault() objects to is counted and left out. */
void tlp_trace_record(struct tlp_trace *trace, const struct tlp_record *record);
/*
 * The same of a TLP whose header tlp_encode() made just now, or a burst of it that tlp_burst_put()
 * did, and @count - 1 pieces of it, which follow it without another record between them: a reader
 * takes these, and they are not decoded again. @count: 1 to TLP_TRACE_TOGETHER.
 */
#define TLP_TRACE_TOGETHER 16u
void tlp_trace_encoded(struct tlp_trace *trace, const struct tlp_record *record,
		       unsigned int count);
/* Name the function with this index (see struct tlp_record.source), at most 23 bytes. */
void tlp_trace_function(struct tlp_trace *trace, uint8_t index, const char *name);
/*
 * Say how to get the time of the day: times of the trace and @offset_ns together, modulo 2^64, are
 * CLOCK_REALTIME. It is that of capture/clock.h, so that captures of the same process have the same
 * time.
 */
void tlp_trace_clock(struct tlp_trace *trace, uint64_t offset_ns);
/*
 * A named mark and flush, so that readers see all before it. Returns 0, also for @trace NULL;
 * -EINVAL when @name is not 1 to 23 printable ASCII characters; else why recording has stopped.
 */
int tlp_trace_mark(struct tlp_trace *trace, const char *name);

#endif
