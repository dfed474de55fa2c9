/* SPDX-License-Identifier: GPL-2.0-only */
#include "packet/pcapng.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SECTION	0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_PACKET	6u
#define BYTE_ORDER_MARK 0x1a2b3c4du

#define OPTION_END	  0u
#define OPTION_COMMENT	  1u
#define OPTION_NAME	  2u /* of an interface */
#define OPTION_RESOLUTION 9u /* of an interface: 10^-n seconds */

/* Headers and options of a block, its data not counted. */
#define BLOCK_ROOM (64u + PCAPNG_TEXT_MAX)

struct pcapng {
	FILE *file;
	uint64_t bytes, limit;
	unsigned int interfaces;
	int error;
	char *path;
};

/* A block that is put together: data, when there are any, are between head and tail. */
struct block {
	uint8_t head[BLOCK_ROOM], tail[BLOCK_ROOM];
	size_t head_len, tail_len;
};

/* Up to the next word; what is behind @len is zero. */
static void put(uint8_t *buf, size_t *len, const void *data, size_t size)
{
	if (size)
		memcpy(buf + *len, data, size);
	*len += size + (-size & 3);
}

static void put32(uint8_t *buf, size_t *len, uint32_t value)
{
	value = htole32(value);
	put(buf, len, &value, sizeof(value));
}

static void put_halves(uint8_t *buf, size_t *len, uint16_t first, uint16_t second)
{
	put32(buf, len, first | (uint32_t)second << 16);
}

static void put_option(struct block *block, uint16_t code, const void *value, size_t len)
{
	put_halves(block->tail, &block->tail_len, code, (uint16_t)len);
	put(block->tail, &block->tail_len, value, len);
}

static int stop(struct pcapng *capture, int error)
{
	capture->error = error;
	fprintf(stderr, "%s: the capture ends here: %s\n", capture->path, strerror(error));
	return -error;
}

static int write_block(struct pcapng *capture, struct block *block, const void *data, size_t len)
{
	static const uint8_t zeroes[4];
	size_t padded = len + (-len & 3), total = block->head_len + padded + block->tail_len + 4;
	uint32_t total_le = htole32((uint32_t)total);

	if (capture->error)
		return -capture->error;
	if (total > capture->limit - capture->bytes)
		return stop(capture, EFBIG);
	memcpy(block->head + 4, &total_le, sizeof(total_le));
	put(block->tail, &block->tail_len, &total_le, sizeof(total_le));
	if (fwrite(block->head, block->head_len, 1, capture->file) != 1 ||
	    (len && fwrite(data, len, 1, capture->file) != 1) ||
	    (padded > len && fwrite(zeroes, padded - len, 1, capture->file) != 1) ||
	    fwrite(block->tail, block->tail_len, 1, capture->file) != 1)
		return stop(capture, errno);
	capture->bytes += total;
	return 0;
}

static struct block block_of(uint32_t type)
{
	struct block block = { .head_len = 0 };

	put32(block.head, &block.head_len, type);
	put32(block.head, &block.head_len, 0); /* its length */
	return block;
}

static int write_section(struct pcapng *capture)
{
	struct block block = block_of(BLOCK_SECTION);

	put32(block.head, &block.head_len, BYTE_ORDER_MARK);
	put_halves(block.head, &block.head_len, 1, 0); /* version 1.0 */
	put32(block.head, &block.head_len, UINT32_MAX);
	put32(block.head, &block.head_len, UINT32_MAX); /* the section's length is not known */
	return write_block(capture, &block, NULL, 0);
}

struct pcapng *pcapng_open(const char *path)
{
	struct pcapng *capture = calloc(1, sizeof(*capture));
	int error;

	if (!capture)
		return NULL;
	capture->limit = PCAPNG_LIMIT;
	capture->path = strdup(path);
	capture->file = capture->path ? fopen(path, "wbe") : NULL;
	if (!capture->file) {
		error = errno;
		free(capture->path);
		free(capture);
		errno = error;
		return NULL;
	}
	write_section(capture);
	return capture;
}

int pcapng_close(struct pcapng *capture)
{
	int error;

	if (!capture)
		return 0;
	if (fclose(capture->file) && !capture->error)
		stop(capture, errno);
	error = capture->error;
	free(capture->path);
	free(capture);
	return -error;
}

int pcapng_flush(struct pcapng *capture)
{
	if (!capture->error && fflush(capture->file))
		stop(capture, errno);
	return -capture->error;
}

void pcapng_limit(struct pcapng *capture, uint64_t bytes)
{
	capture->limit = bytes > capture->bytes ? bytes : capture->bytes;
}

int pcapng_interface(struct pcapng *capture, uint16_t link_type, const char *name)
{
	struct block block = block_of(BLOCK_INTERFACE);
	static const uint8_t nanoseconds = 9;
	int rc;

	if (strlen(name) > PCAPNG_TEXT_MAX)
		return -EINVAL;
	if (capture->interfaces == PCAPNG_INTERFACES)
		return -ENOSPC;
	put_halves(block.head, &block.head_len, link_type, 0);
	put32(block.head, &block.head_len, PCAPNG_PACKET_MAX);
	put_option(&block, OPTION_NAME, name, strlen(name));
	put_option(&block, OPTION_RESOLUTION, &nanoseconds, sizeof(nanoseconds));
	put_option(&block, OPTION_END, NULL, 0);
	rc = write_block(capture, &block, NULL, 0);
	return rc ? rc : (int)capture->interfaces++;
}

int pcapng_packet(struct pcapng *capture, unsigned int interface, uint64_t time_ns,
		  const void *data, size_t len, const char *comment)
{
	struct block block = block_of(BLOCK_PACKET);

	if (interface >= capture->interfaces || len > PCAPNG_PACKET_MAX ||
	    (comment && strlen(comment) > PCAPNG_TEXT_MAX))
		return -EINVAL;
	put32(block.head, &block.head_len, interface);
	put32(block.head, &block.head_len, (uint32_t)(time_ns >> 32));
	put32(block.head, &block.head_len, (uint32_t)time_ns);
	put32(block.head, &block.head_len, (uint32_t)len); /* captured */
	put32(block.head, &block.head_len, (uint32_t)len); /* on the wire */
	if (comment) {
		put_option(&block, OPTION_COMMENT, comment, strlen(comment));
		put_option(&block, OPTION_END, NULL, 0);
	}
	return write_block(capture, &block, data, len);
}
