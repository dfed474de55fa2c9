/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Transport of connected QPs (InfiniBand Architecture, volume 1, 9.7 reliable and 9.8 unreliable
 * connection, annex A14 XRC): what requester.h and responder.h share. The two ends meet
 * only in packets. They know no queues, no keys and no device: their owner gives them memory and
 * receives by a few functions, takes packets from them, and brings them those that arrive.
 *
 * Packets of one message that follow one another may go as a train: one struct packet that stands
 * for several, with the bytes of all, the sequence number of the first and an opcode that says what
 * of the message they are together ("only", when they are all of it). All but the last one are
 * full. It is for ends in one process, where nothing gets lost, nor has to be captured; a packet on
 * a wire stands for itself. What is done with a train is what would be done with its packets, but
 * that checks of the last one come before the bytes of the first. Its bytes may go by reference:
 * where one owner says that they are at NULL, the other is called with NULL, and both know where
 * they are.
 *
 * Times are nanoseconds of a clock that the caller has.
 */
#ifndef TRANSPORT_TRANSPORT_H
#define TRANSPORT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/packet.h"

enum transport_operation {
	TRANSPORT_SEND,
	TRANSPORT_SEND_IMM,
	TRANSPORT_SEND_INV,
	TRANSPORT_WRITE,
	TRANSPORT_WRITE_IMM,
	TRANSPORT_READ,
	TRANSPORT_COMPARE_SWAP,
	TRANSPORT_FETCH_ADD,
};

/* What a function of the owner says. */
enum transport_answer {
	TRANSPORT_OK = 0,
	/* Not now: a page fault, or the turn is over. Nothing was done; the call comes again. */
	TRANSPORT_WAIT,
	/* It cannot be, see enum transport_refusal for the responder. */
	TRANSPORT_REFUSED,
};

/* Why a responder refuses a request (9.7.5.2.8, table 58). */
enum transport_refusal {
	TRANSPORT_REFUSE_SEQUENCE,    /* opcodes out of place: a middle without a first */
	TRANSPORT_REFUSE_LENGTH,      /* packets or a message of another length than agreed */
	TRANSPORT_REFUSE_RESOURCES,   /* more READs and atomics than max_dest_rd_atomic */
	TRANSPORT_REFUSE_RIGHTS,      /* the QP does not allow the operation */
	TRANSPORT_REFUSE_MISALIGNED,  /* an atomic, not at a multiple of 8 */
	TRANSPORT_REFUSE_KEY,	      /* remote key: number, range, domain, rights, translation */
	TRANSPORT_REFUSE_BUS,	      /* the responder's own bus failed under the remote key */
	TRANSPORT_REFUSE_XRC_SRQ,     /* no such SRQ, or one of another XRC domain */
	TRANSPORT_REFUSE_DC_KEY,      /* the access key is not that of the DC target */
	TRANSPORT_REFUSE_RECV_QUEUE,  /* the receive queue cannot be read */
	TRANSPORT_REFUSE_RECV_LENGTH, /* the SEND does not fit into its receive */
	TRANSPORT_REFUSE_RECV_LOCAL,  /* a buffer of the receive cannot be written */
	TRANSPORT_REFUSE_INVALIDATE,  /* a SEND that invalidates what it may not */
	TRANSPORT_REFUSALS,
};

/* What a QP's context says of both directions. */
struct transport_path {
	enum packet_class service; /* PACKET_RC, PACKET_UC, PACKET_XRC or PACKET_DC */
	uint32_t mtu;		   /* bytes: 256, 512, 1024, 2048 or 4096 */
	uint32_t dest_qpn;
	uint16_t p_key;
	bool migrated;
	/* DC: the key of the target, and the initiator. */
	uint64_t dc_key;
	uint32_t src_qpn;
};

/* Bytes of a message (9.7.2). */
#define TRANSPORT_LENGTH_MAX (1u << 31)

/* AETH syndromes (9.7.5.2): kind in [7:5], value in [4:0]. */
#define AETH_KIND_SHIFT 5
#define AETH_VALUE	0x1fu
#define AETH_ACK	0u
#define AETH_RNR	1u
#define AETH_NAK	3u
#define AETH_NO_CREDITS 0x1fu /* of an ACK: the end does not count receives */
#define NAK_SEQUENCE	0u
#define NAK_INVALID	1u
#define NAK_ACCESS	2u
#define NAK_OPERATION	3u

/*
 * The credit code of an ACK: the largest that says no more than @receives; AETH_NO_CREDITS for less
 * than none (9.7.7.2, table 44). And what a code below AETH_NO_CREDITS says.
 */
uint8_t transport_credit_code(int64_t receives);
uint32_t transport_credits(uint8_t code);
/* Nanoseconds of an RNR NAK's timer field, 0..31 (9.7.5.2.8, table 45). */
uint64_t transport_rnr_ns(uint8_t field);
/* NAK code of a refusal. */
uint8_t transport_nak(enum transport_refusal why);
/* For people. */
const char *transport_refusal_name(enum transport_refusal why);
/* Full packets that @length bytes are enough for. An MTU is a power of two. */
static inline uint64_t transport_full_packets(uint64_t length, uint32_t mtu)
{
	return length >> __builtin_ctz(mtu);
}

/* Packets that carry @length bytes, at least one. */
static inline uint64_t transport_packets(uint64_t length, uint32_t mtu)
{
	return length ? transport_full_packets(length + mtu - 1, mtu) : 1;
}

/* Packet sequence numbers here are of 64 bits and never wrap; on the wire are their low 24. */
#define PSN_BITS 24
#define PSN_MASK ((1u << PSN_BITS) - 1)
/* At most so many may be under way, so that old and new are told apart (9.7.3.4). */
#define PSN_HALF (1u << (PSN_BITS - 1))

/* The number nearest to @near that has the low bits @psn. Far below zero it wraps. */
static inline uint64_t psn_near(uint64_t near, uint32_t psn)
{
	int32_t diff = (int32_t)((psn - (uint32_t)near) << (32 - PSN_BITS)) >> (32 - PSN_BITS);

	return near + (uint64_t)(int64_t)diff;
}

#endif
