/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unreliable datagrams (InfiniBand Architecture, volume 1, 9.8.3): one packet each, and rules for
 * who takes it. They have no state but the sender's number.
 */
#ifndef TRANSPORT_DATAGRAM_H
#define TRANSPORT_DATAGRAM_H

#include "packet/packet.h"

#define DATAGRAM_QP_MULTICAST 0xffffffu
/* Subnet management, on virtual lane 15: nobody looks at the keys of its packets (10.9.8). */
#define DATAGRAM_QP_SMI 0u
/* Bytes of a receive in front of the payload: the GRH's, also where a packet has none (10.4.4). */
#define DATAGRAM_GRH 40u

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
};

/* Who receives. */
struct datagram_receiver {
	uint32_t qpn, q_key;
	uint16_t p_key;
};

/* The Q_Key of a packet: what the request says, or the QP's @own where its top bit is set (10.2.5).
 */
static inline uint32_t datagram_q_key(uint32_t request, uint32_t own)
{
	return request & 0x80000000u ? own : request;
}

/*
 * datagram_packet() - the packet that carries @datagram with the number *@psn, which counts on.
 * Returns 0, or -EMSGSIZE for more than @mtu bytes: nothing has changed then.
 */
int datagram_packet(const struct datagram *datagram, uint32_t mtu, uint32_t *psn,
		    struct packet *packet);
/*
 * Whether @receiver takes @packet, before it looks for a receive. One for DATAGRAM_QP_MULTICAST is
 * for each QP of its group; who is in it the caller knows. *@datagram is written with DATAGRAM_OK.
 */
enum datagram_fault datagram_take(const struct datagram_receiver *receiver,
				  const struct packet *packet, struct datagram *datagram);
/* Whether a receive of @room bytes has room for what was taken: else it ends in error. */
static inline bool datagram_fits(const struct datagram *datagram, uint64_t room)
{
	return room >= DATAGRAM_GRH && datagram->length <= room - DATAGRAM_GRH;
}

/*
 * Whether partition keys of two ends match (10.9.3): the same partition, and at least one is a full
 * member. The invalid keys 0 and 0x8000 match nothing.
 */
bool datagram_p_key_matches(uint16_t ours, uint16_t theirs);

#endif
