/* SPDX-License-Identifier: GPL-2.0-only */
/* What a congested switch does to frames. */
#ifndef PACKET_MARK_H
#define PACKET_MARK_H

#include <stddef.h>
#include <stdint.h>

/* Tags of IEEE 802.1Q that a frame may have in front of its IP header; behind more nobody looks. */
#define PACKET_TAGS 2u

/*
 * packet_mark() - the IP header of the frame of @len bytes, from its destination address on, says
 * CE (RFC 3168), whether the sender asked for marks or not. The checksum of IPv4 stays right, and
 * so does an ICRC (annex A17.3.3). A frame without an IP header that holds together stays as it is.
 */
void packet_mark(uint8_t *frame, size_t len);

#endif
