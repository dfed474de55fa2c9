/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cable of a port that is not perfect (impairment/): what the port sends goes one packet at a
 * time, each with bytes of its own, which were fetched when it left. So a packet that is late, or
 * comes twice, reads no memory of a message that is complete. Packets of connected QPs belong to
 * the requester's connection, also those that come back to it: they end with it.
 */
#ifndef HCA_WIRE_H
#define HCA_WIRE_H

#include "hca/connection.h"
#include "impairment/line.h"

/* Packets of a port that are under way, or have arrived and wait. The next one is not sent. */
#define HCA_WIRE_PACKETS 4096u

struct hca_wire {
	struct impairment *line;
	uint32_t packets; /* that count against HCA_WIRE_PACKETS */
	bool ends;	  /* gone when it is empty */
	bool orphan;	  /* its function is gone: the last packet frees it */
};

struct hca_packet {
	struct hca_packet *next; /* in hca_connection.arrived */
	struct hca_wire *wire;	 /* of the port that it left by; NULL: that one is perfect */
	size_t room;		 /* bytes at @data */
	struct hca *hca;	 /* of the requester, or of who sent the datagram */
	/* Whose it is, of connected QPs */
	uint32_t qpn;
	uint64_t connection; /* hca_connection.id */
	struct hca_flight flight;
	/* Bytes [@offset, @offset + @fetched) of the message are at @data: it is not sent yet. */
	uint64_t offset, fetched;
	/* A datagram of InfiniBand */
	bool is_datagram;
	struct subnet_packet datagram;
	size_t frame; /* bytes of a frame at @data; 0: it is none */
	uint8_t data[];
};

/* Whether what @hca sends to the link, and what comes back from @peer, goes by a bad cable. */
static inline bool hca_wire_between(const struct hca *hca, const struct hca *peer)
{
	return hca->wire || peer->wire;
}

/* The function has the cable of its parameters. Returns 0, -ENOMEM. */
int hca_wire_init(struct hca *hca);
/* What is under way is lost. */
void hca_wire_free(struct hca *hca);
/* What has arrived goes on; hca_impair() takes effect. Returns whether there was anything. */
bool hca_wire_poll(struct hca *hca);
/* Whether @hca may send a packet. */
bool hca_wire_has_room(const struct hca *hca);

/*
 * hca_packet_new() - an empty packet that @hca will send, with room for @room bytes; NULL when
 * there is no memory. hca_wire_has_room() was asked.
 */
struct hca_packet *hca_packet_new(struct hca *hca, size_t room);
/* NULL is fine. */
void hca_packet_free(struct hca_packet *packet);
/* @packet, of @c, leaves by the port that it was made for; it is not the caller's any more. */
void hca_packet_send(struct hca_packet *packet, struct hca_connection *c, uint64_t now);
/* A copy of @packet, whose number is @psn, leaves by the port of @hca, which has a bad cable. */
void hca_wire_datagram(struct hca *hca, const struct subnet_packet *packet, uint32_t psn);
/* A copy of the frame leaves by the port of @hca, which has a bad cable, to the switch. */
void hca_wire_frame(struct hca *hca, const uint8_t *bytes, size_t len);
/* Takes the first packet that has arrived for @c out of the list, and frees it. */
void hca_packet_done(struct hca_connection *c);
/* Drops all that have arrived for @c, or were about to leave. */
void hca_packets_drop(struct hca_connection *c);

#endif
