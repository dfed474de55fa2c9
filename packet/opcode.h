/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opcodes of the base transport header (InfiniBand Architecture, volume 1, 9.2; table 38): which
 * headers follow, and what part of which operation a packet is. The reliable datagram has none
 * here.
 */
#ifndef PACKET_OPCODE_H
#define PACKET_OPCODE_H

#include <stdbool.h>
#include <stdint.h>

/* Transport services: the top three bits of an opcode. */
enum packet_class {
	PACKET_RC = 0x00,
	PACKET_UC = 0x20,
	PACKET_UD = 0x60,
	PACKET_CN = 0x80, /* congestion notification (annex A17) */
	PACKET_XRC = 0xa0,
	/*
	 * Of those that the Architecture leaves to manufacturers: dynamically connected transport.
	 * How adapters write it is not public. Here it has the operations of RC, and requests say
	 * who sends them and the key of the target; it is for this model's own ends.
	 */
	PACKET_DC = 0xc0,
};

#define PACKET_CLASS_MASK 0xe0

/* The other five bits, where the services have the operation. */
enum packet_code {
	PACKET_SEND_FIRST = 0x00,
	PACKET_SEND_MIDDLE = 0x01,
	PACKET_SEND_LAST = 0x02,
	PACKET_SEND_LAST_IMM = 0x03,
	PACKET_SEND_ONLY = 0x04,
	PACKET_SEND_ONLY_IMM = 0x05,
	PACKET_WRITE_FIRST = 0x06,
	PACKET_WRITE_MIDDLE = 0x07,
	PACKET_WRITE_LAST = 0x08,
	PACKET_WRITE_LAST_IMM = 0x09,
	PACKET_WRITE_ONLY = 0x0a,
	PACKET_WRITE_ONLY_IMM = 0x0b,
	PACKET_READ = 0x0c,
	PACKET_READ_FIRST = 0x0d, /* from here to 12: responses */
	PACKET_READ_MIDDLE = 0x0e,
	PACKET_READ_LAST = 0x0f,
	PACKET_READ_ONLY = 0x10,
	PACKET_ACK = 0x11,
	PACKET_ATOMIC_ACK = 0x12,
	PACKET_COMPARE_SWAP = 0x13,
	PACKET_FETCH_ADD = 0x14,
	PACKET_SEND_LAST_INV = 0x16,
	PACKET_SEND_ONLY_INV = 0x17,
};

#define PACKET_CNP 0x81 /* the only opcode of its class */

/* Extended headers, in the order in which they travel; sizes in bytes. */
enum packet_header {
	PACKET_XRCETH = 1 << 0,	      /* 4 */
	PACKET_DETH = 1 << 1,	      /* 8 */
	PACKET_RETH = 1 << 2,	      /* 16 */
	PACKET_ATOMICETH = 1 << 3,    /* 28 */
	PACKET_AETH = 1 << 4,	      /* 4 */
	PACKET_ATOMICACKETH = 1 << 5, /* 8 */
	PACKET_IMMDT = 1 << 6,	      /* 4 */
	PACKET_IETH = 1 << 7,	      /* 4 */
	PACKET_CNP_RESERVED = 1 << 8, /* 16: zeroes */
	PACKET_DCETH = 1 << 9,	      /* 12: access key, sender's QPN; in front of all others */
};

enum packet_operation {
	PACKET_OP_SEND,
	PACKET_OP_WRITE,
	PACKET_OP_READ,
	PACKET_OP_ATOMIC,
	PACKET_OP_READ_RESPONSE,
	PACKET_OP_ACK,
	PACKET_OP_ATOMIC_ACK,
	PACKET_OP_CNP,
};

/* What of the operation's message the packet is: an "only" is the first and the last. */
enum packet_place { PACKET_MIDDLE = 0, PACKET_FIRST = 1, PACKET_LAST = 2, PACKET_ONLY = 3 };

struct packet_opcode {
	const char *name; /* without its class: "SEND first" */
	enum packet_operation operation;
	uint8_t place;	  /* enum packet_place */
	bool payload;	  /* there may be one */
	bool response;	  /* from the responder to the requester */
	uint16_t headers; /* of enum packet_header */
};

/* Bytes of @headers, of enum packet_header: 0..40. */
uint8_t packet_headers_length(uint16_t headers);

/* What @opcode says; false for one that no service above has: *@info is not written then. */
bool packet_opcode(uint8_t opcode, struct packet_opcode *info);
/* "RC", "UC", "UD", "CN", "XRC", "DC"; "?" for others. */
const char *packet_class_name(uint8_t opcode);

#endif
