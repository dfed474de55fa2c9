/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/reader.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/block.h"

#define BLOCK_MAX	(PCAPNG_PACKET_MAX + 65536u)
#define NANOSECONDS	9
#define PACKET_FIXED	20u /* bytes of a packet's block between its length and the data */
#define STATISTICS_HEAD 12u
#define INTERFACE_HEAD	8u

struct interface {
	uint16_t link_type;
	char name[PCAPNG_TEXT_MAX + 1];
};

struct pcapng_reader {
	FILE *file;
	unsigned int interfaces;
	struct interface interface[PCAPNG_INTERFACES];
	uint64_t lost;
	char comment[PCAPNG_TEXT_MAX + 1];
	uint32_t type, len; /* of the block; the length that of its body */
	bool waits;	    /* the block is not used yet */
	uint8_t body[BLOCK_MAX];
};

static uint32_t word(const struct pcapng_reader *r, size_t at)
{
	uint32_t value;

	memcpy(&value, r->body + at, sizeof(value));
	return le32toh(value);
}

static uint16_t half(const struct pcapng_reader *r, size_t at)
{
	uint16_t value;

	memcpy(&value, r->body + at, sizeof(value));
	return le16toh(value);
}

static int read_bytes(struct pcapng_reader *r, void *to, size_t len)
{
	size_t n;

	errno = 0;
	n = fread(to, 1, len, r->file);
	if (n == len)
		return 1;
	if (ferror(r->file))
		return errno ? -errno : -EIO;
	return n ? -EMSGSIZE : 0;
}

/* The next block. Returns 1, 0 at the end of the file, or -errno. */
static int read_block(struct pcapng_reader *r)
{
	uint32_t head[2], again;
	int rc = read_bytes(r, head, sizeof(head));

	if (rc <= 0)
		return rc;
	r->type = le32toh(head[0]);
	r->len = le32toh(head[1]);
	if (r->len % 4 || r->len < sizeof(head) + sizeof(again) ||
	    r->len - sizeof(head) - sizeof(again) > sizeof(r->body))
		return -EPROTO;
	r->len -= sizeof(head) + sizeof(again);
	rc = r->len ? read_bytes(r, r->body, r->len) : 1;
	if (rc > 0)
		rc = read_bytes(r, &again, sizeof(again));
	if (rc <= 0)
		return rc ? rc : -EMSGSIZE;
	return le32toh(again) == r->len + sizeof(head) + sizeof(again) ? 1 : -EPROTO;
}

/* The option of @code from @at on: its length, and in *@where its place; 0: there is none. */
static size_t find_option(const struct pcapng_reader *r, size_t at, uint16_t code, size_t *where)
{
	while (at + 4 <= r->len) {
		size_t len = half(r, at + 2);

		if (half(r, at) == OPTION_END || len > r->len - at - 4)
			return 0;
		*where = at + 4;
		if (half(r, at) == code)
			return len;
		at += 4 + len + (-len & 3);
	}
	return 0;
}

/* A text of a file, as it may go to a terminal. */
static void take_text(const struct pcapng_reader *r, size_t at, size_t len,
		      char text[PCAPNG_TEXT_MAX + 1])
{
	size_t i;

	for (i = 0; i < len && i < PCAPNG_TEXT_MAX && r->body[at + i]; i++)
		text[i] = r->body[at + i] < ' ' || r->body[at + i] > '~' ? '?'
									 : (char)r->body[at + i];
	text[i] = '\0';
}

static int take_interface(struct pcapng_reader *r)
{
	struct interface *interface = &r->interface[r->interfaces];
	size_t at, len;

	if (r->interfaces == PCAPNG_INTERFACES || r->len < INTERFACE_HEAD)
		return -EPROTO;
	if (find_option(r, INTERFACE_HEAD, OPTION_RESOLUTION, &at) != 1 ||
	    r->body[at] != NANOSECONDS)
		return -EPROTO;
	interface->link_type = half(r, 0);
	len = find_option(r, INTERFACE_HEAD, OPTION_NAME, &at);
	take_text(r, at, len, interface->name);
	r->interfaces++;
	return 0;
}

static int take_packet(struct pcapng_reader *r, unsigned int *interface,
		       struct pcapng_packet *packet)
{
	size_t at, len, options;

	if (r->len < PACKET_FIXED || word(r, 0) >= r->interfaces)
		return -EPROTO;
	len = word(r, 12);
	if (len > PCAPNG_PACKET_MAX || len > r->len - PACKET_FIXED)
		return -EPROTO;
	options = PACKET_FIXED + len + (-len & 3);
	*interface = word(r, 0);
	*packet = (struct pcapng_packet){
		.time_ns = (uint64_t)word(r, 4) << 32 | word(r, 8),
		.data = r->body + PACKET_FIXED,
		.len = len,
		.wire_len = word(r, 16),
	};
	if (find_option(r, options, OPTION_FLAGS, &at) == 4)
		packet->direction = (enum pcapng_direction)(word(r, at) & 3);
	len = find_option(r, options, OPTION_COMMENT, &at);
	if (len) {
		take_text(r, at, len, r->comment);
		packet->comment = r->comment;
	}
	return 1;
}

static void take_statistics(struct pcapng_reader *r)
{
	size_t at;

	if (find_option(r, STATISTICS_HEAD, OPTION_DROPPED, &at) == 8)
		r->lost += (uint64_t)word(r, at + 4) << 32 | word(r, at);
}

/* Up to the next packet, which waits then. Returns 1, 0 at the end, or -errno. */
static int seek_packet(struct pcapng_reader *r)
{
	int rc;

	while ((rc = read_block(r)) > 0) {
		if (r->type == BLOCK_PACKET) {
			r->waits = true;
			return 1;
		}
		if (r->type == BLOCK_SECTION)
			return -EPROTO;
		if (r->type == BLOCK_INTERFACE)
			rc = take_interface(r);
		else if (r->type == BLOCK_STATISTICS)
			take_statistics(r);
		if (rc < 0)
			return rc;
	}
	return rc;
}

struct pcapng_reader *pcapng_reader_open(const char *path)
{
	struct pcapng_reader *r = calloc(1, sizeof(*r));
	int error;

	if (!r)
		return NULL;
	r->file = fopen(path, "rbe");
	if (!r->file) {
		error = errno;
		free(r);
		errno = error;
		return NULL;
	}
	error = read_block(r);
	/* In the other byte order the length of the block was none. */
	if (error > 0 && (r->type != BLOCK_SECTION || r->len < 16 || word(r, 0) != BYTE_ORDER_MARK))
		error = -EPROTO;
	if (error > 0) {
		error = seek_packet(r);
		error = error < 0 ? error : 1;
	}
	if (error > 0)
		return r;
	pcapng_reader_close(r);
	errno = error == 0 || error == -EMSGSIZE ? EPROTO : -error;
	return NULL;
}

void pcapng_reader_close(struct pcapng_reader *reader)
{
	if (!reader)
		return;
	fclose(reader->file);
	free(reader);
}

int pcapng_reader_next(struct pcapng_reader *reader, unsigned int *interface,
		       struct pcapng_packet *packet)
{
	int rc = reader->waits ? 1 : seek_packet(reader);

	reader->waits = false;
	return rc > 0 ? take_packet(reader, interface, packet) : rc;
}

unsigned int pcapng_reader_interfaces(const struct pcapng_reader *reader)
{
	return reader->interfaces;
}

uint16_t pcapng_reader_link_type(const struct pcapng_reader *reader, unsigned int number)
{
	return reader->interface[number].link_type;
}

const char *pcapng_reader_name(const struct pcapng_reader *reader, unsigned int number)
{
	return reader->interface[number].name;
}

uint64_t pcapng_reader_lost(const struct pcapng_reader *reader)
{
	return reader->lost;
}
