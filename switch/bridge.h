/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A learning Ethernet switch (IEEE 802.1D, without a spanning tree: there is one switch). Frames
 * are from the destination address on, without preamble and FCS; VLAN tags are payload to it.
 * Nothing is queued here: what comes in goes out at once, and who takes it copies it.
 *
 * All calls are made by one thread.
 */
#ifndef SWITCH_BRIDGE_H
#define SWITCH_BRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BRIDGE_PORTS	 64u
#define BRIDGE_STATIONS	 4096u /* addresses that it remembers */
#define BRIDGE_FRAME_MIN 14u   /* bytes: a header; nothing is padded */
#define BRIDGE_FRAME_MAX 65536u
/* An address that has sent nothing for so long is forgotten (802.1D: 300 s). */
#define BRIDGE_AGE_NS 300000000000u

struct bridge;
struct bridge_port;

struct bridge_port_attr {
	void *owner;
	/* A frame leaves by this port. @frame is the caller's; the callee sends nothing meanwhile.
	 */
	void (*deliver)(void *owner, const uint8_t *frame, size_t len);
};

/* Frames and their bytes at a port: those that came in by it, and left by it. */
struct bridge_counts {
	uint64_t in, in_octets, out, out_octets;
	uint64_t refused; /* too short or long, from a group address, or the cable is pulled */
};

/* NULL: no memory. */
struct bridge *bridge_new(void);
/* All ports are gone before. NULL is fine. */
void bridge_free(struct bridge *bridge);

/* A new port, its cable plugged. NULL with errno: ENOSPC when there are BRIDGE_PORTS, ENOMEM. */
struct bridge_port *bridge_add(struct bridge *bridge, const struct bridge_port_attr *attr);
/* NULL is fine. What was behind it is forgotten. */
void bridge_remove(struct bridge_port *port);

/* Pull or plug the cable: nothing passes while it is pulled, and what was behind it is forgotten.
 */
void bridge_set_link(struct bridge_port *port, bool up);
bool bridge_link(const struct bridge_port *port);

/*
 * bridge_send() - a frame of @len bytes comes in by @from at @now (nanoseconds of a clock that does
 * not go back). It leaves by the port that its destination was seen at, or by all others when that
 * is a group or nobody knows it; never by @from. Its source is remembered; where there is no room
 * for one more address, frames to it go everywhere, as before.
 */
void bridge_send(struct bridge_port *from, const uint8_t *frame, size_t len, uint64_t now);

/* What the port @index, below BRIDGE_PORTS, was added with; NULL: there is none. */
const struct bridge_port_attr *bridge_attr(const struct bridge *bridge, unsigned int index);

/* The owner of the port that @mac was seen at, or NULL. */
void *bridge_find(struct bridge *bridge, const uint8_t mac[6], uint64_t now);
/* Addresses that are remembered, aged ones among them. */
unsigned int bridge_stations(const struct bridge *bridge);
struct bridge_counts bridge_counts(const struct bridge_port *port);

#endif
