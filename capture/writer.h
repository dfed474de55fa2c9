/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A capture of one interface that is switched on and off while a model runs, which is never held
 * up: packets go into a ring of bytes, and a thread of the capture's own takes them to the file.
 * While the ring is full, packets are lost and counted. The last block of the file has statistics:
 * how many packets there were, and how many of them are not in it.
 *
 * A file has a bound, and a file system may be full: the capture ends then at a whole block, which
 * is said once on stderr, and all packets from there on are lost.
 */
#ifndef CAPTURE_WRITER_H
#define CAPTURE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/pcapng.h"

/* Bytes of packets, with what the format adds, that wait for the disk. A power of two. */
#define CAPTURE_RING (4u << 20)

struct capture;

struct capture_status {
	bool on;
	int error; /* why the file ends early: EFBIG at the limit, or of a write; 0: it does not */
	uint64_t packets, lost; /* since the start; lost ones are among the packets */
};

/*
 * NULL with errno ENOMEM, or of pthread_create(3). @name, of the interface, is at most
 * PCAPNG_TEXT_MAX bytes, and is copied. No call after this one opens a file or starts a thread.
 */
struct capture *capture_new(uint16_t link_type, const char *name);
/* Stops it. NULL is fine. Nobody calls anything of it any more. */
void capture_free(struct capture *capture);
/*
 * capture_start() - a capture into @fd, which is empty, and the capture's on success: it is closed
 * when it stops. @path is for messages. Returns 0; -EBUSY when it is on; -ENOMEM.
 */
int capture_start(struct capture *capture, int fd, const char *path);
/*
 * capture_stop() - what was captured goes to the file; waits for the disk. Returns 0, or -errno:
 * why the file ended before; -ENOENT: it is not on. From the thread that starts it.
 */
int capture_stop(struct capture *capture);
/* Stop at a file of @bytes from the next start on; else PCAPNG_LIMIT. */
void capture_limit(struct capture *capture, uint64_t bytes);
/* Of each packet at most @bytes are captured from now on; 0: all. */
void capture_snap(struct capture *capture, size_t bytes);
/* Whether packets are wanted. From any thread; NULL is fine. */
bool capture_on(const struct capture *capture);
/*
 * capture_packet() - a packet, which is copied. Its time is CLOCK_MONOTONIC here, and becomes that
 * of the day by the offset of clock.h. Safe from any thread; does not wait for the disk. Nothing
 * happens when it is not on; one with pcapng_fault() is lost.
 */
void capture_packet(struct capture *capture, const struct pcapng_packet *packet);
/* Safe from any thread. */
struct capture_status capture_status(struct capture *capture);

#endif
