/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of capture/: blocks of the pcapng format, put together in memory, in little-endian. */
#ifndef CAPTURE_BLOCK_H
#define CAPTURE_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "capture/pcapng.h"

#define BLOCK_SECTION	 0x0a0d0d0au
#define BLOCK_INTERFACE	 1u
#define BLOCK_STATISTICS 5u
#define BLOCK_PACKET	 6u
#define BYTE_ORDER_MARK	 0x1a2b3c4du

#define OPTION_END	  0u
#define OPTION_COMMENT	  1u
#define OPTION_NAME	  2u /* of an interface */
#define OPTION_FLAGS	  2u /* of a packet: its direction */
#define OPTION_RECEIVED	  4u /* of statistics: packets, 64 bits */
#define OPTION_DROPPED	  5u
#define OPTION_RESOLUTION 9u /* of an interface: 10^-n seconds */

#define BLOCK_HEAD     32u
#define BLOCK_TAIL     (80u + PCAPNG_TEXT_MAX)
#define BLOCK_OVERHEAD (BLOCK_HEAD + BLOCK_TAIL)

/* Between head and tail are @len bytes of data, if any, up to the next word. */
struct block {
	size_t head_len, len, tail_len;
	uint8_t head[BLOCK_HEAD], tail[BLOCK_TAIL];
};

void block_section(struct block *block);
/* @name: at most PCAPNG_TEXT_MAX bytes. */
void block_interface(struct block *block, uint16_t link_type, const char *name);
/* @packet has no fault, see pcapng_fault(); its time is that of the file. */
void block_packet(struct block *block, unsigned int interface, const struct pcapng_packet *packet);
/* What an interface has seen: @received packets, of which @dropped are not in the file. */
void block_statistics(struct block *block, unsigned int interface, uint64_t time_ns,
		      uint64_t received, uint64_t dropped);

/* Bytes behind the data, up to the next word. */
static inline size_t block_pad(const struct block *block)
{
	return -block->len & 3;
}

/* Bytes of the whole block. */
static inline size_t block_size(const struct block *block)
{
	return block->head_len + block->len + block_pad(block) + block->tail_len;
}

#endif
