/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Captures in the pcapng format (draft-ietf-opsawg-pcapng), for any link type and in little-endian:
 * a section with its interfaces, and packets with nanoseconds.
 *
 * A file has a bound, and a file system may be full: writing stops then at a whole block, and is
 * said once on stderr. What was written before is all there.
 *
 * This writes in the caller's thread, which waits for the disk; writer.h does not.
 */
#ifndef CAPTURE_PCAPNG_H
#define CAPTURE_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Link types of interfaces (the list of tcpdump.org). */
#define PCAPNG_ETHERNET	  1u
#define PCAPNG_USER0	  147u /* whatever the reader is told */
#define PCAPNG_INFINIBAND 247u /* from the LRH to the VCRC */

#define PCAPNG_INTERFACES 64u
#define PCAPNG_PACKET_MAX 262144u /* bytes; readers take no more */
#define PCAPNG_TEXT_MAX	  1024u	  /* bytes of a name or a comment */
/* Bytes of a file unless pcapng_limit() says otherwise. */
#define PCAPNG_LIMIT (1ull << 32)

enum pcapng_direction { PCAPNG_UNSAID = 0, PCAPNG_IN = 1, PCAPNG_OUT = 2 };

struct pcapng_packet {
	uint64_t time_ns; /* CLOCK_REALTIME, see clock.h for who has another */
	enum pcapng_direction direction;
	const void *data;
	size_t len;
	size_t wire_len;     /* bytes that it had, where those captured are fewer; 0: all are */
	const char *comment; /* shown beside it, or NULL */
};

/* What no capture can take: data of more than PCAPNG_PACKET_MAX, or too long a comment. */
bool pcapng_fault(const struct pcapng_packet *packet);

struct pcapng;

/*
 * @path: "-" is standard output. NULL with errno from open(2) or ENOMEM. Writes are buffered. Calls
 * for one capture are from one thread at a time.
 */
struct pcapng *pcapng_open(const char *path);
/* Returns 0 or -errno: why writing stopped, EFBIG at the limit. NULL is allowed. */
int pcapng_close(struct pcapng *capture);
/* Stop at a file of @bytes. */
void pcapng_limit(struct pcapng *capture, uint64_t bytes);
/*
 * A further interface. @name: what readers show. Returns its number, from 0 upwards; -ENOSPC: there
 * are PCAPNG_INTERFACES; -EINVAL: the name is too long; or why writing has stopped.
 */
int pcapng_interface(struct pcapng *capture, uint16_t link_type, const char *name);
/*
 * A packet of @interface. Returns 0; -EINVAL: no such interface, or pcapng_fault(); or why writing
 * has stopped.
 */
int pcapng_packet(struct pcapng *capture, unsigned int interface,
		  const struct pcapng_packet *packet);
/* What was captured so far is in the file. Returns 0 or -errno as pcapng_close(). */
int pcapng_flush(struct pcapng *capture);

#endif
