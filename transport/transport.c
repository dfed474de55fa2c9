/* SPDX-License-Identifier: GPL-2.0-only */
#include "transport/transport.h"

static const struct {
	const char *name;
	uint8_t nak;
} rows[TRANSPORT_REFUSALS] = {
	[TRANSPORT_REFUSE_SEQUENCE] = { "packet out of place in its message", NAK_INVALID },
	[TRANSPORT_REFUSE_LENGTH] = { "packet or message of a wrong length", NAK_INVALID },
	[TRANSPORT_REFUSE_RESOURCES] = { "more READs and atomics than agreed", NAK_INVALID },
	[TRANSPORT_REFUSE_RIGHTS] = { "operation that the QP does not allow", NAK_INVALID },
	[TRANSPORT_REFUSE_MISALIGNED] = { "misaligned atomic", NAK_INVALID },
	[TRANSPORT_REFUSE_KEY] = { "R_Key violation", NAK_ACCESS },
	[TRANSPORT_REFUSE_BUS] = { "bus error under the R_Key", NAK_OPERATION },
	[TRANSPORT_REFUSE_XRC_SRQ] = { "invalid XRCETH", NAK_INVALID },
	[TRANSPORT_REFUSE_DC_KEY] = { "DC access key violation", NAK_ACCESS },
	[TRANSPORT_REFUSE_RECV_QUEUE] = { "unreadable receive queue", NAK_OPERATION },
	[TRANSPORT_REFUSE_RECV_LENGTH] = { "message longer than its receive", NAK_INVALID },
	[TRANSPORT_REFUSE_RECV_LOCAL] = { "receive buffer that cannot be written", NAK_OPERATION },
	[TRANSPORT_REFUSE_INVALIDATE] = { "key that cannot be invalidated", NAK_OPERATION },
};

uint64_t transport_rnr_ns(uint8_t field)
{
	/* In units of 10 us. */
	static const uint32_t units[32] = { 65536, 1,	 2,    3,     4,     6,	    8,	   12,
					    16,	   24,	 32,   48,    64,    96,    128,   192,
					    256,   384,	 512,  768,   1024,  1536,  2048,  3072,
					    4096,  6144, 8192, 12288, 16384, 24576, 32768, 49152 };

	return 10000 * (uint64_t)units[field & 31];
}

uint32_t transport_credits(uint8_t code)
{
	/* From 4 on two codes for each power of two. */
	return code < 4 ? code : (code & 1 ? 3u : 2u) << ((code >> 1) - 1);
}

uint8_t transport_credit_code(int64_t receives)
{
	uint8_t code = 0;

	if (receives < 0)
		return AETH_NO_CREDITS;
	while (code < AETH_NO_CREDITS - 1 && transport_credits(code + 1) <= receives)
		code++;
	return code;
}

uint8_t transport_nak(enum transport_refusal why)
{
	return rows[why].nak;
}

const char *transport_refusal_name(enum transport_refusal why)
{
	return rows[why].name;
}
