/* SPDX-License-Identifier: GPL-2.0-only */
#include "pcie/pcap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/pcapng.h"
#include "capture/reader.h"

#define VERSION	    1u
#define KIND_TLP    1u
#define KIND_MARK   2u
#define AT_VERSION  0u
#define AT_KIND	    1u
#define AT_ROUTE    2u
#define AT_BAR	    3u
#define AT_SOURCE   4u
#define AT_TARGET   5u
#define AT_HEADER   6u
#define AT_OFFSET   8u
#define INTERFACE   0u /* that of the TLPs */
#define END_OF_TIME UINT64_MAX

struct merged {
	struct pcapng_reader *reader;
	const char *path;
	unsigned int first; /* of its interfaces in the file */
	unsigned int interfaces;
	/* The packet that is next, if any. */
	bool waits;
	unsigned int interface;
	struct pcapng_packet packet;
};

struct tlp_pcap {
	const struct tlp_reader *trace;
	struct pcapng *file;
	const char *path, *subject;
	struct merged merged[TLP_PCAP_CAPTURES];
	unsigned int count;
};

struct tlp_pcap *tlp_pcap_open(const char *path, const struct tlp_reader *reader)
{
	struct tlp_pcap *pcap = calloc(1, sizeof(*pcap));
	int error;

	if (!pcap)
		return NULL;
	pcap->trace = reader;
	pcap->path = pcap->subject = path;
	pcap->file = pcapng_open(path);
	if (pcap->file) {
		/* What it says is said again by each packet. */
		pcapng_interface(pcap->file, PCAPNG_USER0, "TLPs");
		return pcap;
	}
	error = errno;
	free(pcap);
	errno = error;
	return NULL;
}

/* The next packet of @merged. */
static int advance(struct tlp_pcap *pcap, struct merged *merged)
{
	int rc = pcapng_reader_next(merged->reader, &merged->interface, &merged->packet);

	if (rc > 0 && merged->interface >= merged->interfaces)
		rc = -EPROTO;
	merged->waits = rc > 0;
	if (rc < 0)
		pcap->subject = merged->path;
	return rc < 0 ? rc : 0;
}

int tlp_pcap_merge(struct tlp_pcap *pcap, const char *path)
{
	struct merged *merged = &pcap->merged[pcap->count];
	int rc = 0;

	if (pcap->count == TLP_PCAP_CAPTURES)
		return -ENOSPC;
	*merged = (struct merged){ .reader = pcapng_reader_open(path), .path = path };
	if (!merged->reader)
		return -errno;
	pcap->count++;
	merged->interfaces = pcapng_reader_interfaces(merged->reader);
	for (unsigned int i = 0; i < merged->interfaces && rc >= 0; i++) {
		rc = pcapng_interface(pcap->file, pcapng_reader_link_type(merged->reader, i),
				      pcapng_reader_name(merged->reader, i));
		if (!i)
			merged->first = (unsigned int)rc;
	}
	return rc < 0 ? rc : advance(pcap, merged);
}

/* The merged capture whose next packet is the first of all, not later than @time. */
static struct merged *find_next(struct tlp_pcap *pcap, uint64_t time)
{
	struct merged *next = NULL;

	for (unsigned int i = 0; i < pcap->count; i++) {
		struct merged *merged = &pcap->merged[i];

		if (merged->waits && merged->packet.time_ns <= time &&
		    (!next || merged->packet.time_ns < next->packet.time_ns))
			next = merged;
	}
	return next;
}

/* Packets up to @time, but for those before the interval. */
static int put_packets(struct tlp_pcap *pcap, uint64_t time)
{
	uint64_t began = tlp_reader_began(pcap->trace), clock = tlp_reader_clock(pcap->trace);
	struct merged *next;
	int rc = 0;

	if (pcap->count && !clock)
		return -ENODATA;
	while (!rc && (next = find_next(pcap, time))) {
		if (!began || next->packet.time_ns >= began + clock)
			rc = pcapng_packet(pcap->file, next->first + next->interface,
					   &next->packet);
		if (!rc)
			rc = advance(pcap, next);
	}
	return rc;
}

static size_t put(uint8_t *frame, size_t at, unsigned int length_at, const void *data, size_t len)
{
	frame[length_at] = (uint8_t)len;
	memcpy(frame + at, data, len);
	return at + len;
}

int tlp_pcap_add(struct tlp_pcap *pcap, const struct tlp_entry *entry)
{
	const struct tlp_record *record = &entry->record;
	bool mark = record->kind == TLP_RECORD_MARK;
	uint8_t frame[TLP_PCAP_FRAME] = { [AT_VERSION] = VERSION };
	struct pcapng_packet packet = {
		.time_ns = record->time_ns + tlp_reader_clock(pcap->trace),
		.data = frame,
		.len = TLP_PCAP_HEAD,
	};
	int rc = put_packets(pcap, packet.time_ns);

	if (rc)
		return rc;
	frame[AT_KIND] = mark ? KIND_MARK : KIND_TLP;
	if (mark) {
		packet.comment = entry->text;
		packet.len = put(frame, packet.len, AT_HEADER, entry->text, strlen(entry->text));
		return pcapng_packet(pcap->file, INTERFACE, &packet);
	}
	frame[AT_ROUTE] = record->route;
	packet.len = put(frame, packet.len, AT_SOURCE, entry->source, strlen(entry->source));
	if (entry->target) {
		frame[AT_BAR] = record->bar;
		for (unsigned int i = 0; i < 8; i++)
			frame[AT_OFFSET + i] = (uint8_t)(record->offset >> (56 - 8 * i));
		packet.len =
			put(frame, packet.len, AT_TARGET, entry->target, strlen(entry->target));
	}
	packet.len = put(frame, packet.len, AT_HEADER, record->header, record->header_len);
	return pcapng_packet(pcap->file, INTERFACE, &packet);
}

const char *tlp_pcap_subject(const struct tlp_pcap *pcap)
{
	return pcap->subject;
}

int tlp_pcap_rest(struct tlp_pcap *pcap)
{
	uint64_t end = tlp_reader_ended(pcap->trace);

	return put_packets(pcap, end ? end + tlp_reader_clock(pcap->trace) : END_OF_TIME);
}

int tlp_pcap_close(struct tlp_pcap *pcap)
{
	int rc;

	if (!pcap)
		return 0;
	for (unsigned int i = 0; i < pcap->count; i++)
		pcapng_reader_close(pcap->merged[i].reader);
	rc = pcapng_close(pcap->file);
	free(pcap);
	return rc;
}
