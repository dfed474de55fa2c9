/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading a TLP trace: records with decoded headers, function names, and the interval between two
 * marks. The other side of trace.h.
 */
#ifndef PCIE_READER_H
#define PCIE_READER_H

#include "pcie/fabric.h"
#include "pcie/tlp.h"
#include "pcie/trace.h"

struct tlp_reader;

struct tlp_entry {
	struct tlp_record record;    /* fields in host order; kind TLP for those of a burst, too */
	struct tlp tlp;		     /* kind TLP only */
	const char *source, *target; /* function names; "?" unnamed, target NULL: no function */
	const char *text;	     /* kind MARK: the name */
};

/*
 * Names and texts of a file are printed, and compared, in printable ASCII: other bytes and the
 * backslash as \xNN. Bytes of such a text, with its end.
 */
#define TLP_TEXT (4 * (TLP_TRACE_NAME - 1) + 1)

/* @path stays the caller's until close. NULL with errno from fopen(3), or EPROTO: not a trace. */
struct tlp_reader *tlp_reader_open(const char *path);
void tlp_reader_close(struct tlp_reader *reader);
/*
 * Confine the reader to what lies between the first mark @from and the first mark @to after it.
 * NULL: from the start, to the end. The strings stay the caller's until close.
 */
void tlp_reader_interval(struct tlp_reader *reader, const char *from, const char *to);
/*
 * tlp_reader_next() - the next TLP or mark of the interval (function names are taken in on the
 * way; bursts come TLP by TLP). Strings in @entry live until close, text until the next call.
 * Returns 1; 0 at the end; else -errno: -EPROTO broken record, or a second name for a function;
 * -EMSGSIZE file ends within a record, -ENODATA recording stopped here (a STOP record), -ENOENT a
 * mark of the interval is missing, -EIO and others from read. The work is one step for each record
 * or TLP; a record has at most 1,024 TLPs.
 */
int tlp_reader_next(struct tlp_reader *reader, struct tlp_entry *entry);
/* What makes the time of the day of the trace's, see tlp_trace_clock(); 0: not said so far. */
uint64_t tlp_reader_clock(const struct tlp_reader *reader);
/* When the interval began and ended, by the times of its marks; 0: it did not, or without one. */
uint64_t tlp_reader_began(const struct tlp_reader *reader);
uint64_t tlp_reader_ended(const struct tlp_reader *reader);
/* What went wrong, for people: names the mark or the byte offset in the file. */
const char *tlp_reader_error(const struct tlp_reader *reader);
/* Name of an enum pcie_route, for people. */
const char *tlp_route_name(uint8_t route);
/* Whether a function of this name has been seen so far. */
bool tlp_reader_knows(const struct tlp_reader *reader, const char *function);

#endif
