/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The capture of the port's packets (capture/writer.h), as its counters count them: what it sends,
 * and what comes to it. Nothing of a packet is made before somebody captures it.
 *
 * A train becomes its packets again. Their payload, which goes by reference, is captured when the
 * bytes are moved, between what reads them and what writes them, so that nothing is read that would
 * not be read without a capture; but they go by a buffer then. Of a packet whose payload nobody
 * moves, since it is lost or refused, headers are captured, with the length that it has.
 *
 * What a port's own management agent answers, in the subnet, is not captured.
 *
 * Of an Ethernet port eth_port.c captures the frames; trains are here, as RoCEv2 packets that a
 * wire would have.
 */
#ifndef HCA_CAPTURE_H
#define HCA_CAPTURE_H

#include "capture/writer.h"
#include "hca/connection.h"

/* Whether a port at one end of @link is captured. */
static inline bool hca_captures(const struct hca_link *link)
{
	return capture_on(link->qp->hca->params.capture) ||
	       (link->peer && capture_on(link->peer->hca->params.capture));
}

/*
 * link.c: the train of the requester's flight leaves; flight->busy: it comes to the other end, else
 * it gets lost. And move.c: bytes [flight->moved, flight->moved + @len) of it are moved, perhaps
 * not for the first time. Nothing happens without hca_captures().
 */
void hca_capture_train(const struct hca_link *link);
void hca_capture_bytes(const struct hca_link *link, const void *data, uint64_t len);
/*
 * A packet that goes by itself, with its bytes, leaves by a bad cable, or, @arrives, comes out of
 * it.
 */
void hca_capture_packet(const struct hca_link *link, const struct hca_flight *flight, bool arrives);
/* What is kept of the connection's train is no longer needed. NULL is fine. */
void hca_capture_drop(struct hca_connection *connection);
/* A datagram leaves by the port, or comes to it. */
void hca_capture_datagram(const struct hca *hca, enum pcapng_direction direction,
			  const struct subnet_packet *packet);

#endif
