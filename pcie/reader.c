/* SPDX-License-Identifier: GPL-2.0-only */
#include "pcie/reader.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pcie/burst.h"

struct tlp_reader {
	FILE *file;
	unsigned int version;
	uint64_t clock, began, end;
	bool in_burst;
	struct tlp_burst_walk burst;
	/* The burst that was read last, the pieces that follow it, and how many were taken of them.
	 */
	struct tlp_record last, pieces;
	bool may_follow; /* nothing came behind it */
	unsigned int taken;
	const char *from, *to;
	bool started, ended;
	unsigned long long offset; /* of the next record */
	char names[256][TLP_TEXT];
	char text[TLP_TEXT];
	char error[256];
};

/* 0: no trace. */
static unsigned int version_of(const struct tlp_trace_file *head)
{
	static const char *const magics[] = { TLP_TRACE_MAGIC_1, TLP_TRACE_MAGIC_2,
					      TLP_TRACE_MAGIC_3, TLP_TRACE_MAGIC };

	for (unsigned int i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (!memcmp(head->magic, magics[i], sizeof(head->magic)))
			return i + 1;
	return 0;
}

struct tlp_reader *tlp_reader_open(const char *path)
{
	struct tlp_reader *reader = calloc(1, sizeof(*reader));
	struct tlp_trace_file head;
	int error;

	if (!reader)
		return NULL;
	errno = 0;
	reader->file = fopen(path, "rbe");
	if (!reader->file) {
		error = errno;
		goto fail;
	}
	errno = 0;
	if (fread(&head, sizeof(head), 1, reader->file) != 1) {
		error = ferror(reader->file) ? errno : EPROTO;
		goto fail;
	}
	reader->version = version_of(&head);
	if (!reader->version) {
		error = EPROTO;
		goto fail;
	}
	reader->offset = sizeof(head);
	reader->started = true;
	return reader;

fail:
	tlp_reader_close(reader);
	errno = error;
	return NULL;
}

void tlp_reader_close(struct tlp_reader *reader)
{
	if (!reader)
		return;
	if (reader->file)
		fclose(reader->file);
	free(reader);
}

void tlp_reader_interval(struct tlp_reader *reader, const char *from, const char *to)
{
	reader->from = from;
	reader->to = to;
	reader->started = !from;
}

/* Returns 1, 0 at the end of the file or -errno. */
static int read_record(struct tlp_reader *reader, struct tlp_record *record)
{
	size_t n;

	errno = 0;
	n = fread(record, 1, sizeof(*record), reader->file);
	if (ferror(reader->file)) {
		snprintf(reader->error, sizeof(reader->error), "%s", strerror(errno));
		return -errno;
	}
	if (n == 0)
		return 0;
	if (n != sizeof(*record)) {
		snprintf(reader->error, sizeof(reader->error),
			 "file ends inside the record at byte %llu", reader->offset);
		return -EMSGSIZE;
	}
	record->time_ns = le64toh(record->time_ns);
	record->offset = le64toh(record->offset);
	record->shape = le16toh(record->shape);
	reader->offset += n;
	return 1;
}

static int broken(struct tlp_reader *reader, const char *what)
{
	snprintf(reader->error, sizeof(reader->error), "%s in the record at byte %llu", what,
		 reader->offset - sizeof(struct tlp_record));
	return -EPROTO;
}

static const char *name_of(const struct tlp_reader *reader, uint8_t index)
{
	return reader->names[index][0] ? reader->names[index] : "?";
}

/* A text up to its first NUL, as it may go to a terminal or into JSON. */
static void take_text(const struct tlp_record *record, char text[TLP_TEXT])
{
	char *p = text;

	*p = '\0';
	for (unsigned int i = 0; i < record->header_len && record->header[i]; i++) {
		uint8_t c = record->header[i];

		if (c >= ' ' && c <= '~' && c != '\\')
			p += sprintf(p, "%c", c);
		else
			p += sprintf(p, "\\x%02x", c);
	}
}

/* Rows that were counted under a name keep it: another one would rename them. */
static int take_function(struct tlp_reader *reader, uint8_t index)
{
	char *name = reader->names[index];

	if (*name && strcmp(name, reader->text))
		return broken(reader, "another name for a function");
	memcpy(name, reader->text, TLP_TEXT);
	return 0;
}

static void take_names(const struct tlp_reader *reader, struct tlp_entry *entry)
{
	const struct tlp_record *record = &entry->record;

	entry->target = NULL;
	entry->text = NULL;
	entry->source = name_of(reader, record->source);
	if (record->kind == TLP_RECORD_TLP && record->route == PCIE_ROUTE_FUNCTION)
		entry->target = name_of(reader, record->target);
}

static int take_pieces(struct tlp_reader *reader, const struct tlp_record *record)
{
	if (!reader->may_follow || reader->last.source != record->source ||
	    reader->last.route != PCIE_ROUTE_MEMORY)
		return broken(reader, "pieces of nothing");
	if (tlp_burst_len(&reader->last) > TLP_PIECE_MAX)
		return broken(reader, "pieces too long");
	reader->pieces = *record;
	reader->taken = 0;
	return 0;
}

/* Returns 0, -EPROTO, or -ENODATA for a STOP. */
static int decode(struct tlp_reader *reader, struct tlp_entry *entry)
{
	const struct tlp_record *record = &entry->record;
	bool unknown = (record->kind == TLP_RECORD_BURST && reader->version < 2) ||
		       (record->kind == TLP_RECORD_CLOCK && reader->version < 3) ||
		       (record->kind == TLP_RECORD_PIECES && reader->version < 4);
	const char *fault = unknown ? "unknown kind" : tlp_record_fault(record, &entry->tlp);

	if (fault)
		return broken(reader, fault);
	take_names(reader, entry);
	if (record->kind == TLP_RECORD_PIECES)
		return take_pieces(reader, record);
	reader->may_follow = record->kind == TLP_RECORD_BURST;
	if (record->kind == TLP_RECORD_TLP || record->kind == TLP_RECORD_BURST)
		return 0;
	if (record->kind == TLP_RECORD_CLOCK) {
		reader->clock = record->offset;
		return 0;
	}
	take_text(record, reader->text);
	entry->text = reader->text;
	if (record->kind == TLP_RECORD_FUNCTION)
		return take_function(reader, record->source);
	if (record->kind == TLP_RECORD_MARK)
		return 0;
	snprintf(reader->error, sizeof(reader->error), "incomplete: recording stopped here: %s",
		 reader->text);
	return -ENODATA;
}

/* A mark begins or ends the interval. */
static void take_mark(struct tlp_reader *reader, const char *name, uint64_t time_ns)
{
	if (!reader->started) {
		reader->started = !strcmp(name, reader->from);
		reader->began = reader->started ? time_ns : 0;
	} else if (reader->to) {
		reader->ended = !strcmp(name, reader->to);
		reader->end = reader->ended ? time_ns : 0;
	}
}

static int missing_mark(struct tlp_reader *reader)
{
	if (!reader->started)
		snprintf(reader->error, sizeof(reader->error), "no mark '%s'", reader->from);
	else if (reader->from)
		snprintf(reader->error, sizeof(reader->error), "no mark '%s' after mark '%s'",
			 reader->to, reader->from);
	else
		snprintf(reader->error, sizeof(reader->error), "no mark '%s'", reader->to);
	return -ENOENT;
}

/* The next TLP of a burst; false: it was the last one before. */
static bool next_of_burst(struct tlp_reader *reader, struct tlp_entry *entry)
{
	reader->in_burst =
		reader->in_burst && tlp_burst_next(&reader->burst, &entry->record, &entry->tlp);
	if (reader->in_burst)
		take_names(reader, entry);
	return reader->in_burst;
}

/* @entry has a burst, sound and decoded. @wanted: its TLPs are in the interval. */
static void start_burst(struct tlp_reader *reader, const struct tlp_entry *entry, bool wanted)
{
	reader->last = entry->record;
	reader->in_burst = wanted;
	tlp_burst_start(&reader->burst, &entry->record, &entry->tlp);
}

/* The next piece becomes the burst, if there is one. Returns 1, 0 or -EPROTO. */
static int next_piece(struct tlp_reader *reader, struct tlp_entry *entry)
{
	const char *fault;

	if (reader->taken == reader->pieces.header_len)
		return 0;
	entry->record = reader->last;
	tlp_pieces_next(&reader->pieces, reader->taken++, &entry->record);
	fault = tlp_burst_fault(&entry->record, &entry->tlp);
	if (fault)
		return broken(reader, fault);
	start_burst(reader, entry, reader->started);
	return 1;
}

int tlp_reader_next(struct tlp_reader *reader, struct tlp_entry *entry)
{
	while (!reader->ended) {
		bool was_started = reader->started;
		int rc;

		if (next_of_burst(reader, entry))
			return 1;
		rc = next_piece(reader, entry);
		if (rc < 0)
			return rc;
		if (rc)
			continue;
		rc = read_record(reader, &entry->record);

		if (rc == 0 && (!reader->started || reader->to))
			return missing_mark(reader);
		if (rc <= 0)
			return rc;
		rc = decode(reader, entry);
		if (rc)
			return rc;
		if (entry->record.kind == TLP_RECORD_FUNCTION ||
		    entry->record.kind == TLP_RECORD_CLOCK ||
		    entry->record.kind == TLP_RECORD_PIECES)
			continue;
		if (entry->record.kind == TLP_RECORD_BURST) {
			start_burst(reader, entry, was_started);
			continue;
		}
		if (entry->record.kind == TLP_RECORD_MARK)
			take_mark(reader, reader->text, entry->record.time_ns);
		if (was_started && !reader->ended)
			return 1;
	}
	return 0;
}

uint64_t tlp_reader_clock(const struct tlp_reader *reader)
{
	return reader->clock;
}

uint64_t tlp_reader_began(const struct tlp_reader *reader)
{
	return reader->began;
}

uint64_t tlp_reader_ended(const struct tlp_reader *reader)
{
	return reader->end;
}

const char *tlp_reader_error(const struct tlp_reader *reader)
{
	return reader->error;
}

bool tlp_reader_knows(const struct tlp_reader *reader, const char *function)
{
	for (unsigned int i = 0; i < 256; i++)
		if (reader->names[i][0] && !strcmp(reader->names[i], function))
			return true;
	return false;
}

const char *tlp_route_name(uint8_t route)
{
	static const char *const names[] = {
		[PCIE_ROUTE_NONE] = "none",
		[PCIE_ROUTE_MEMORY] = "memory",
		[PCIE_ROUTE_MESSAGE] = "message",
		[PCIE_ROUTE_FUNCTION] = "function",
	};

	return route < sizeof(names) / sizeof(names[0]) ? names[route] : "?";
}
