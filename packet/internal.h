/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of packet/: a packet is a route's headers, and what the transport has. */
#ifndef PACKET_INTERNAL_H
#define PACKET_INTERNAL_H

#include "packet/packet.h"

/* --- transport.c: BTH, extended headers, payload, pad bytes ------------------------------- */

/* Bytes with pad bytes, without ICRC; 0 when @packet cannot be encoded. */
size_t packet_transport_length(const struct packet *packet);
/* @p has room for packet_transport_length(). */
void packet_transport_encode(const struct packet *packet, uint8_t *p);
/* @len bytes at @p, without ICRC. @packet may be written also when there is a fault. */
enum packet_fault packet_transport_decode(const uint8_t *p, size_t len, struct packet *packet);

/* --- infiniband.c, ethernet.c: around @len bytes of the transport at @buf + the result ----- */

/* Bytes in front of the transport; 0 when a field of @route does not fit its place. */
size_t packet_infiniband_front(const struct packet_route *route);
size_t packet_ethernet_front(const struct packet_route *route);
/* Headers in front and CRCs behind. */
void packet_infiniband_wrap(const struct packet_route *route, uint8_t *buf, size_t len);
void packet_ethernet_wrap(const struct packet_route *route, uint8_t *buf, size_t len);
/*
 * The transport's *@len bytes, without ICRC, are at @buf + *@front. All is checked but what is
 * behind: see the next ones.
 */
enum packet_fault packet_infiniband_open(const uint8_t *buf, size_t size,
					 struct packet_route *route, size_t *front, size_t *len,
					 bool *reserved);
enum packet_fault packet_ethernet_open(const uint8_t *buf, size_t size, struct packet_route *route,
				       size_t *front, size_t *len, bool *reserved);
/* Checksums and CRCs. */
enum packet_fault packet_infiniband_check(const uint8_t *buf, size_t front, size_t len);
enum packet_fault packet_ethernet_check(const struct packet_route *route, const uint8_t *buf,
					size_t front, size_t len);

/* An IPv6 header, which a GRH is, too. */
void packet_ipv6_encode(const struct packet_route *route, uint8_t next, size_t length, uint8_t *p);
/* @p: IPV6_LEN bytes. */
void packet_ipv6_decode(const uint8_t *p, struct packet_route *route);

#endif
