/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading captures that pcapng.h or writer.h wrote: little-endian, one section, nanoseconds. A file
 * of somebody else's is refused where it differs; blocks of other kinds are passed over.
 */
#ifndef CAPTURE_READER_H
#define CAPTURE_READER_H

#include <stddef.h>
#include <stdint.h>

#include "capture/pcapng.h"

struct pcapng_reader;

/* @path stays the caller's until close. NULL with errno of fopen(3), ENOMEM, or EPROTO: no such
 * capture. */
struct pcapng_reader *pcapng_reader_open(const char *path);
/* NULL is fine. */
void pcapng_reader_close(struct pcapng_reader *reader);
/*
 * The next packet, of *@interface; its data and comment live until the next call. Returns 1; 0 at
 * the end; -EMSGSIZE: the file ends within a block; -EPROTO: a block that cannot be; -EIO and
 * others from read. A block has at most PCAPNG_PACKET_MAX bytes and 64 KiB of options.
 */
int pcapng_reader_next(struct pcapng_reader *reader, unsigned int *interface,
		       struct pcapng_packet *packet);
/* Interfaces that were seen so far: all, before the first packet. */
unsigned int pcapng_reader_interfaces(const struct pcapng_reader *reader);
/* Of interface @number, which was seen; the name lives until close. */
uint16_t pcapng_reader_link_type(const struct pcapng_reader *reader, unsigned int number);
const char *pcapng_reader_name(const struct pcapng_reader *reader, unsigned int number);
/* Packets that are not in the file although they were there, by its statistics seen so far. */
uint64_t pcapng_reader_lost(const struct pcapng_reader *reader);

#endif
