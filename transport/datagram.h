/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unreliable datagrams (InfiniBand Architecture, volume 1, 9.8.3): one packet each, and rules for
 * who takes it. They have no state but the sender's number.
 */
#ifndef TRANSPORT_DATAGRAM_H
#define TRANSPORT_DATAGRAM_H

#include "packet/packet.h"

#define DATAGRAM_QP_MULTICAST 0xffffffu

struct datagram {
	uint32_t dest_qpn, src_qpn, q_key;
	uint16_t p_key;
	bool solicited, has_immediate;
	uint32_t immediate;
	const uint8_t *payload;
	size_t length; /* bytes, at most the MTU */
};

/* Why nobody takes a packet; there is no answer. */
enum datagram_fault {
	DATAGRAM_OK = 0,
	DATAGRAM_OPCODE, /* of another service */
	DATAGRAM_QPN,	 /* for another QP */
	DATAGRAM_P_KEY,	 /* counted by the port */
	DATAGRAM_Q_KEY,	 /* counted by the port */
	DATAGRAM_LENGTH, /* more than the receive has room for */
};

/* Who receives. */
struct datagram_receiver {
	uint32_t qpn, q_key;
	uint16_t p_key;
	size_t room; /* bytes of the receive behind the 40 of the GRH */
};

/*
 * datagram_packet() - the packet that carries @datagram with the number *@psn, which counts on.
 * Returns 0, or -EMSGSIZE for more than @mtu bytes: nothing has changed then.
 */
int datagram_packet(const struct datagram *datagram, uint32_t mtu, uint32_t *psn,
		    struct packet *packet);
/*
 * Whether @receiver takes @packet. One for DATAGRAM_QP_MULTICAST is for each QP of its group; who
 * is in it the caller knows. *@datagram is written with DATAGRAM_OK.
 */
enum datagram_fault datagram_take(const struct datagram_receiver *receiver,
				  const struct packet *packet, struct datagram *datagram);
/*
 * Whether partition keys of two ends match (10.9.3): the same partition, and at least one is a full
 * member. The invalid keys 0 and 0x8000 match nothing.
 */
bool datagram_p_key_matches(uint16_t ours, uint16_t theirs);

#endif
