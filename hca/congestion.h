/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Congestion that switches tell of (InfiniBand Architecture, volume 1, annex A17.9): who gets a
 * RoCE packet whose IP header says CE answers it by a congestion notification packet (CNP) to the
 * QP that sent it. Nobody sends more slowly for one: there is no rate to bound here.
 */
#ifndef HCA_CONGESTION_H
#define HCA_CONGESTION_H

#include "hca/connection.h"

/* Nanoseconds between CNPs that answer packets of one connection. */
#define HCA_CNP_GAP_NS 50000u

/* The ECN bits of a TOS or a traffic class say that a switch was congested (RFC 3168). */
#define HCA_ECN	   3u
#define HCA_ECN_CE 3u

/*
 * hca_congestion_marked() - a RoCE packet with CE came to @hca. It is counted. @c: the connection
 * that it is for, @route: the way that it came, @sender: QP that gets the CNP, unless the last one
 * was less than HCA_CNP_GAP_NS ago, or the cable of @hca is full. @c NULL: it is counted only.
 */
void hca_congestion_marked(struct hca *hca, struct hca_connection *c,
			   const struct packet_route *route, uint32_t sender);
/* The same of a packet that went by reference, and is marked (packet.fecn); nothing if it is not.
 */
void hca_congestion_arrives(const struct hca_link *link, const struct hca_flight *flight);
/* A CNP came to @hca by @route: counted as one for a QP whose peer says so, or as another. */
void hca_congestion_notified(struct hca *hca, const struct packet_route *route,
			     const struct packet *packet);

#endif
