/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reader of captures, on files that nobody wrote: blocks that are whole, which are read back as
 * they were written; blocks with bytes changed; bytes that are none. Whatever there is, what the
 * reader gives is of an interface that it knows, and no longer than it says; texts are such that a
 * terminal obeys nothing of them. The writers are in captures.c.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/block.h"
#include "capture/reader.h"
#include "fuzz/captures.h"
#include "fuzz/target.h"

#define FILE_BYTES 65536u
#define PACKETS	   512u
#define TEXT	   64u

struct written {
	unsigned int interface;
	struct pcapng_packet packet; /* its data are in the file */
	char comment[TEXT];
};

static uint8_t file[FILE_BYTES];
static size_t file_len;
/* What is in the file, unless it is @broken. */
static struct written written[PACKETS];
static unsigned int packets, interfaces;
static char name[PCAPNG_INTERFACES][TEXT];
static uint64_t lost;
static bool broken;

/* --- a file -------------------------------------------------------------------------------- */

/* Where its data are; NULL: there is no room for it. */
static const uint8_t *put_block(const struct block *block, const void *data)
{
	uint8_t *at = file + file_len;

	if (block_size(block) > sizeof(file) - file_len)
		return NULL;
	memcpy(at, block->head, block->head_len);
	at += block->head_len;
	if (block->len)
		memcpy(at, data, block->len);
	memset(at + block->len, 0, block_pad(block));
	memcpy(at + block->len + block_pad(block), block->tail, block->tail_len);
	file_len += block_size(block);
	return at;
}

static void take_text(struct input *in, char text[TEXT])
{
	size_t len = input_below(in, TEXT);

	input_bytes(in, text, len);
	text[len] = '\0';
}

static void put_interface(struct input *in)
{
	struct block block;
	char text[TEXT];
	uint16_t link_type = input_u16(in);

	take_text(in, text);
	block_interface(&block, link_type, text);
	if (!put_block(&block, NULL))
		return;
	if (interfaces == PCAPNG_INTERFACES) {
		broken = true;
		return;
	}
	strcpy(name[interfaces++], text);
}

static void put_packet(struct input *in)
{
	uint8_t flags = input_u8(in), data[1024];
	unsigned int interface = input_below(in, interfaces + (flags >> 7));
	struct written *w = &written[packets];
	struct block block;

	if (packets == PACKETS)
		return;
	*w = (struct written){ .interface = interface,
			       .packet = { .time_ns = input_u64(in),
					   .direction = (enum pcapng_direction)(flags & 3),
					   .data = data,
					   .len = flags & 4 ? input_u16(in) % sizeof(data)
							    : input_u8(in) } };
	input_bytes(in, data, w->packet.len);
	w->packet.wire_len = flags & 8 ? input_u16(in) : 0;
	if (flags & 16) {
		take_text(in, w->comment);
		w->packet.comment = w->comment;
	}
	block_packet(&block, interface, &w->packet);
	w->packet.data = put_block(&block, data);
	if (!w->packet.data)
		return;
	packets++;
	broken |= interface >= interfaces;
}

static void put_statistics(struct input *in)
{
	uint64_t received = input_u32(in), dropped = input_u32(in);
	struct block block;

	block_statistics(&block, 0, 0, received, dropped);
	if (put_block(&block, NULL))
		lost += dropped;
}

/* A kind that the reader passes over, or says that it cannot be. */
static void put_other(struct input *in)
{
	uint32_t type = input_u32(in), len = input_u8(in), whole = 12 + len;
	uint8_t *at = file + file_len;

	if (whole > sizeof(file) - file_len)
		return;
	broken |= len % 4 || type == BLOCK_SECTION || type == BLOCK_INTERFACE ||
		  type == BLOCK_PACKET || type == BLOCK_STATISTICS;
	file_len += whole;
	whole = htole32(whole);
	type = htole32(type);
	memcpy(at, &type, 4);
	memcpy(at + 4, &whole, 4);
	input_bytes(in, at + 8, len);
	memcpy(at + 8 + len, &whole, 4);
}

static void put_bytes(struct input *in)
{
	size_t len = input_u8(in);

	if (len > sizeof(file) - file_len)
		return;
	input_bytes(in, file + file_len, len);
	file_len += len;
	broken |= len > 0;
}

static void change(struct input *in)
{
	size_t at = input_u16(in) % file_len, len = 1 + (input_u8(in) & 7u);

	input_bytes(in, file + at, len < file_len - at ? len : file_len - at);
	broken = true;
}

/* The first byte of an input: whose it is. */
#define KIND_BYTES    1u /* of a file that is no capture */
#define KIND_WRITERS  2u
#define KIND_THREADED 4u

static void build(struct input *in, uint8_t kind)
{
	struct block section;

	file_len = packets = interfaces = 0;
	lost = 0;
	broken = false;
	if (kind & KIND_BYTES) {
		put_bytes(in);
		broken = true;
		return;
	}
	block_section(&section);
	put_block(&section, NULL);
	put_interface(in);
	while (!input_done(in)) {
		switch (input_u8(in) & 15) {
		case 0:
		case 1:
			put_interface(in);
			break;
		case 2:
		case 3:
			put_statistics(in);
			break;
		case 4:
		case 5:
			put_other(in);
			break;
		case 6:
			put_bytes(in);
			break;
		case 7:
			change(in);
			break;
		case 8:
			file_len -= input_u8(in) % file_len;
			broken = true;
			break;
		default:
			put_packet(in);
			break;
		}
	}
}

/* --- what is read of it -------------------------------------------------------------------- */

static void check_text(const char *what, const char *text)
{
	size_t i;

	for (i = 0; text[i]; i++)
		if (text[i] < ' ' || text[i] > '~')
			finding("a %s has byte 0x%02x", what, (uint8_t)text[i]);
	if (i > PCAPNG_TEXT_MAX)
		finding("a %s of %zu bytes", what, i);
}

static void check_same_text(const char *what, const char *text, const char *expected)
{
	size_t i;

	for (i = 0; expected[i]; i++) {
		char c = expected[i] < ' ' || expected[i] > '~' ? '?' : expected[i];

		if (text[i] != c)
			finding("a %s is \"%s\"", what, text);
	}
	if (text[i])
		finding("a %s is \"%s\", longer than it was", what, text);
}

static void check_packet(const struct pcapng_packet *packet)
{
	/* Its own, so that a sanitizer sees a look behind it. */
	uint8_t *copy;

	if (packet->len > PCAPNG_PACKET_MAX)
		finding("a packet of %zu bytes", packet->len);
	copy = malloc(packet->len ? packet->len : 1);
	if (!copy)
		abort();
	memcpy(copy, packet->data, packet->len);
	free(copy);
	if (packet->comment)
		check_text("comment", packet->comment);
}

static void check_same(unsigned int number, unsigned int interface,
		       const struct pcapng_packet *packet)
{
	const struct written *w = &written[number];
	size_t wire_len = w->packet.wire_len > w->packet.len ? w->packet.wire_len : w->packet.len;

	if (number >= packets)
		finding("packet %u of %u", number, packets);
	if (interface != w->interface || packet->time_ns != w->packet.time_ns ||
	    packet->direction != w->packet.direction || packet->len != w->packet.len ||
	    packet->wire_len != wire_len || memcmp(packet->data, w->packet.data, packet->len))
		finding("packet %u is another one", number);
	check_same_text("comment", packet->comment ? packet->comment : "", w->comment);
}

static void check_end(const struct pcapng_reader *reader, unsigned int count, int rc)
{
	if (rc && rc != -EMSGSIZE && rc != -EPROTO)
		finding("it ends with %d", rc);
	if (pcapng_reader_interfaces(reader) > PCAPNG_INTERFACES)
		finding("%u interfaces", pcapng_reader_interfaces(reader));
	for (unsigned int i = 0; i < pcapng_reader_interfaces(reader); i++)
		check_text("name", pcapng_reader_name(reader, i));
	if (broken)
		return;
	if (rc || count != packets)
		finding("%u of %u packets, and then %d", count, packets, rc);
	if (pcapng_reader_interfaces(reader) != interfaces || pcapng_reader_lost(reader) != lost)
		finding("%u interfaces, not %u, or wrong statistics",
			pcapng_reader_interfaces(reader), interfaces);
	for (unsigned int i = 0; i < interfaces; i++)
		check_same_text("name", pcapng_reader_name(reader, i), name[i]);
}

void target_input(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	struct pcapng_reader *reader;
	struct pcapng_packet packet;
	unsigned int interface, count = 0;
	uint8_t kind = input_u8(&in);
	static int fd = -1;
	char path[32];
	int rc;

	if ((kind & 3) == KIND_WRITERS) {
		captures_write(&in, kind & KIND_THREADED);
		return;
	}
	if (fd < 0)
		fd = memfd_create("capture", 0);
	build(&in, kind);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (ftruncate(fd, 0) || pwrite(fd, file, file_len, 0) != (ssize_t)file_len)
		abort();
	reader = pcapng_reader_open(path);
	if (!reader) {
		if (!broken || errno != EPROTO)
			finding("a file of %zu bytes does not open: %d", file_len, errno);
		return;
	}
	while ((rc = pcapng_reader_next(reader, &interface, &packet)) > 0) {
		if (interface >= pcapng_reader_interfaces(reader))
			finding("interface %u of %u", interface, pcapng_reader_interfaces(reader));
		check_packet(&packet);
		if (!broken)
			check_same(count, interface, &packet);
		count++;
	}
	check_end(reader, count, rc);
	pcapng_reader_close(reader);
}
