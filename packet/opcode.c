/* SPDX-License-Identifier: GPL-2.0-only */
#include "packet/opcode.h"

#include <stddef.h>

/* Services that have an operation. */
#define RC  1u
#define UC  2u
#define UD  4u
#define XRC 8u /* DC has what XRC has */

static const struct row {
	const char *name; /* NULL: no such opcode */
	enum packet_operation operation;
	uint8_t place, services;
	bool payload;
	uint16_t headers;
} rows[32] = {
	[PACKET_SEND_FIRST] = { "SEND first", PACKET_OP_SEND, PACKET_FIRST, RC | UC | XRC, true,
				0 },
	[PACKET_SEND_MIDDLE] = { "SEND middle", PACKET_OP_SEND, PACKET_MIDDLE, RC | UC | XRC, true,
				 0 },
	[PACKET_SEND_LAST] = { "SEND last", PACKET_OP_SEND, PACKET_LAST, RC | UC | XRC, true, 0 },
	[PACKET_SEND_LAST_IMM] = { "SEND last with immediate", PACKET_OP_SEND, PACKET_LAST,
				   RC | UC | XRC, true, PACKET_IMMDT },
	[PACKET_SEND_ONLY] = { "SEND only", PACKET_OP_SEND, PACKET_ONLY, RC | UC | UD | XRC, true,
			       0 },
	[PACKET_SEND_ONLY_IMM] = { "SEND only with immediate", PACKET_OP_SEND, PACKET_ONLY,
				   RC | UC | UD | XRC, true, PACKET_IMMDT },
	[PACKET_WRITE_FIRST] = { "WRITE first", PACKET_OP_WRITE, PACKET_FIRST, RC | UC | XRC, true,
				 PACKET_RETH },
	[PACKET_WRITE_MIDDLE] = { "WRITE middle", PACKET_OP_WRITE, PACKET_MIDDLE, RC | UC | XRC,
				  true, 0 },
	[PACKET_WRITE_LAST] = { "WRITE last", PACKET_OP_WRITE, PACKET_LAST, RC | UC | XRC, true,
				0 },
	[PACKET_WRITE_LAST_IMM] = { "WRITE last with immediate", PACKET_OP_WRITE, PACKET_LAST,
				    RC | UC | XRC, true, PACKET_IMMDT },
	[PACKET_WRITE_ONLY] = { "WRITE only", PACKET_OP_WRITE, PACKET_ONLY, RC | UC | XRC, true,
				PACKET_RETH },
	[PACKET_WRITE_ONLY_IMM] = { "WRITE only with immediate", PACKET_OP_WRITE, PACKET_ONLY,
				    RC | UC | XRC, true, PACKET_RETH | PACKET_IMMDT },
	[PACKET_READ] = { "READ request", PACKET_OP_READ, PACKET_ONLY, RC | XRC, false,
			  PACKET_RETH },
	[PACKET_READ_FIRST] = { "READ response first", PACKET_OP_READ_RESPONSE, PACKET_FIRST,
				RC | XRC, true, PACKET_AETH },
	[PACKET_READ_MIDDLE] = { "READ response middle", PACKET_OP_READ_RESPONSE, PACKET_MIDDLE,
				 RC | XRC, true, 0 },
	[PACKET_READ_LAST] = { "READ response last", PACKET_OP_READ_RESPONSE, PACKET_LAST, RC | XRC,
			       true, PACKET_AETH },
	[PACKET_READ_ONLY] = { "READ response only", PACKET_OP_READ_RESPONSE, PACKET_ONLY, RC | XRC,
			       true, PACKET_AETH },
	[PACKET_ACK] = { "ACK", PACKET_OP_ACK, PACKET_ONLY, RC | XRC, false, PACKET_AETH },
	[PACKET_ATOMIC_ACK] = { "ATOMIC ACK", PACKET_OP_ATOMIC_ACK, PACKET_ONLY, RC | XRC, false,
				PACKET_AETH | PACKET_ATOMICACKETH },
	[PACKET_COMPARE_SWAP] = { "CmpSwap", PACKET_OP_ATOMIC, PACKET_ONLY, RC | XRC, false,
				  PACKET_ATOMICETH },
	[PACKET_FETCH_ADD] = { "FetchAdd", PACKET_OP_ATOMIC, PACKET_ONLY, RC | XRC, false,
			       PACKET_ATOMICETH },
	[PACKET_SEND_LAST_INV] = { "SEND last with invalidate", PACKET_OP_SEND, PACKET_LAST,
				   RC | XRC, true, PACKET_IETH },
	[PACKET_SEND_ONLY_INV] = { "SEND only with invalidate", PACKET_OP_SEND, PACKET_ONLY,
				   RC | XRC, true, PACKET_IETH },
};

static const struct class_row {
	const char *name;
	uint8_t service; /* 0: none of rows[] */
	uint16_t requests_have;
} classes[8] = {
	[PACKET_RC >> 5] = { "RC", RC, 0 },
	[PACKET_UC >> 5] = { "UC", UC, 0 },
	[PACKET_UD >> 5] = { "UD", UD, PACKET_DETH },
	[PACKET_CN >> 5] = { "CN", 0, 0 },
	[PACKET_XRC >> 5] = { "XRC", XRC, PACKET_XRCETH },
	[PACKET_DC >> 5] = { "DC", XRC, PACKET_DCETH },
};

uint8_t packet_headers_length(uint16_t headers)
{
	static const uint8_t bytes[] = { 4, 8, 16, 28, 4, 8, 4, 4, 16, 12 };
	uint8_t sum = 0;

	for (unsigned int i = 0; headers >> i; i++)
		if (headers >> i & 1)
			sum += bytes[i];
	return sum;
}

bool packet_opcode(uint8_t opcode, struct packet_opcode *info)
{
	static const struct packet_opcode cnp = { "CNP", PACKET_OP_CNP, PACKET_ONLY,
						  false, false,		PACKET_CNP_RESERVED };
	const struct class_row *class = &classes[opcode >> 5];
	const struct row *row = &rows[opcode & ~PACKET_CLASS_MASK];
	uint16_t headers;
	bool response;

	if (opcode == PACKET_CNP) {
		*info = cnp;
		return true;
	}
	if (!row->name || !(row->services & class->service))
		return false;
	response = row->operation >= PACKET_OP_READ_RESPONSE;
	headers = row->headers | (response ? 0 : class->requests_have);
	*info = (struct packet_opcode){ row->name,    row->operation, row->place,
					row->payload, response,	      headers };
	return true;
}

const char *packet_class_name(uint8_t opcode)
{
	const char *name = classes[opcode >> 5].name;

	return name ? name : "?";
}
