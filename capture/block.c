/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/block.h"

#include <endian.h>
#include <string.h>

/* Up to the next word, with zeroes. */
static void put(uint8_t *buf, size_t *len, const void *data, size_t size)
{
	size_t pad = -size & 3;

	if (size)
		memcpy(buf + *len, data, size);
	memset(buf + *len + size, 0, pad);
	*len += size + pad;
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

static void put_time(struct block *block, uint64_t time_ns)
{
	put32(block->head, &block->head_len, (uint32_t)(time_ns >> 32));
	put32(block->head, &block->head_len, (uint32_t)time_ns);
}

static void put_option(struct block *block, uint16_t code, const void *value, size_t len)
{
	put_halves(block->tail, &block->tail_len, code, (uint16_t)len);
	put(block->tail, &block->tail_len, value, len);
}

static void put_count(struct block *block, uint16_t code, uint64_t count)
{
	count = htole64(count);
	put_option(block, code, &count, sizeof(count));
}

static void begin(struct block *block, uint32_t type)
{
	block->head_len = block->len = block->tail_len = 0;
	put32(block->head, &block->head_len, type);
	put32(block->head, &block->head_len, 0); /* its length */
}

/* The length stands at both ends. */
static void end(struct block *block)
{
	uint32_t total = htole32((uint32_t)(block_size(block) + sizeof(total)));

	memcpy(block->head + 4, &total, sizeof(total));
	put(block->tail, &block->tail_len, &total, sizeof(total));
}

void block_section(struct block *block)
{
	begin(block, BLOCK_SECTION);
	put32(block->head, &block->head_len, BYTE_ORDER_MARK);
	put_halves(block->head, &block->head_len, 1, 0); /* version 1.0 */
	put32(block->head, &block->head_len, UINT32_MAX);
	put32(block->head, &block->head_len, UINT32_MAX); /* the section's length is not known */
	end(block);
}

void block_interface(struct block *block, uint16_t link_type, const char *name)
{
	static const uint8_t nanoseconds = 9;

	begin(block, BLOCK_INTERFACE);
	put_halves(block->head, &block->head_len, link_type, 0);
	put32(block->head, &block->head_len, PCAPNG_PACKET_MAX);
	put_option(block, OPTION_NAME, name, strlen(name));
	put_option(block, OPTION_RESOLUTION, &nanoseconds, sizeof(nanoseconds));
	put_option(block, OPTION_END, NULL, 0);
	end(block);
}

void block_packet(struct block *block, unsigned int interface, const struct pcapng_packet *packet)
{
	size_t on_wire = packet->wire_len > packet->len ? packet->wire_len : packet->len;
	uint32_t flags = htole32(packet->direction);

	begin(block, BLOCK_PACKET);
	put32(block->head, &block->head_len, interface);
	put_time(block, packet->time_ns);
	put32(block->head, &block->head_len, (uint32_t)packet->len); /* captured */
	put32(block->head, &block->head_len, (uint32_t)on_wire);
	block->len = packet->len;
	if (packet->comment)
		put_option(block, OPTION_COMMENT, packet->comment, strlen(packet->comment));
	if (packet->direction)
		put_option(block, OPTION_FLAGS, &flags, sizeof(flags));
	if (block->tail_len)
		put_option(block, OPTION_END, NULL, 0);
	end(block);
}

void block_statistics(struct block *block, unsigned int interface, uint64_t time_ns,
		      uint64_t received, uint64_t dropped)
{
	begin(block, BLOCK_STATISTICS);
	put32(block->head, &block->head_len, interface);
	put_time(block, time_ns);
	put_count(block, OPTION_RECEIVED, received);
	put_count(block, OPTION_DROPPED, dropped);
	put_option(block, OPTION_END, NULL, 0);
	end(block);
}
