/* SPDX-License-Identifier: GPL-2.0-only */
#include "hca/refusal.h"

#include "transport/transport.h"

static const struct hca_refusal_row rows[HCA_REFUSALS] = {
	[HCA_REFUSE_RIGHTS] = { "operation that the QP does not allow", NAK_INVALID, HCA_SYND_NONE,
				HCA_EVENT_WQ_INVALID },
	[HCA_REFUSE_MISALIGNED] = { "misaligned atomic", NAK_INVALID, HCA_SYND_NONE,
				    HCA_EVENT_WQ_INVALID },
	[HCA_REFUSE_KEY] = { "R_Key violation", NAK_ACCESS, HCA_SYND_NONE, HCA_EVENT_WQ_ACCESS },
	[HCA_REFUSE_BUS] = { "bus error under the R_Key", NAK_OPERATION, HCA_SYND_NONE,
			     HCA_EVENT_WQ_CATAS },
	[HCA_REFUSE_XRC_SRQ] = { "invalid XRCETH", NAK_INVALID, HCA_SYND_NONE,
				 HCA_EVENT_WQ_INVALID },
	[HCA_REFUSE_PATH_MTU] = { "packets of another path MTU", NAK_INVALID, HCA_SYND_NONE,
				  HCA_EVENT_WQ_INVALID },
	[HCA_REFUSE_DC_KEY] = { "DC access key violation", NAK_ACCESS, HCA_SYND_NONE,
				HCA_NO_EVENT },
	[HCA_REFUSE_RECV_QUEUE] = { "unreadable receive queue", NAK_OPERATION, HCA_SYND_NONE,
				    HCA_EVENT_WQ_CATAS },
	[HCA_REFUSE_RECV_LENGTH] = { "message longer than its receive", NAK_INVALID,
				     HCA_SYND_LOCAL_LENGTH, HCA_NO_EVENT },
	[HCA_REFUSE_RECV_LOCAL] = { "receive buffer that cannot be written", NAK_OPERATION,
				    HCA_SYND_LOCAL_PROT, HCA_NO_EVENT },
	[HCA_REFUSE_INVALIDATE] = { "key that cannot be invalidated", NAK_OPERATION,
				    HCA_SYND_LOCAL_PROT, HCA_NO_EVENT },
};

const struct hca_refusal_row *hca_refusal(enum hca_refusal why)
{
	return &rows[why];
}

uint8_t hca_nak_syndrome(uint8_t nak)
{
	static const uint8_t syndromes[] = {
		[NAK_INVALID] = HCA_SYND_REMOTE_INVALID,
		[NAK_ACCESS] = HCA_SYND_REMOTE_ACCESS,
		[NAK_OPERATION] = HCA_SYND_REMOTE_OP,
	};

	return syndromes[nak];
}

uint8_t hca_vendor_byte(uint8_t syndrome)
{
	switch (syndrome) {
	case HCA_SYND_FLUSH:
		return 0xf9;
	case HCA_SYND_REMOTE_INVALID:
		return 0x8a;
	case HCA_SYND_REMOTE_ACCESS:
		return 0x88;
	case HCA_SYND_REMOTE_OP:
		return 0x89;
	case HCA_SYND_RETRY:
		return 0x81;
	case HCA_SYND_RNR_RETRY:
		return 0x87;
	default:
		return 0;
	}
}
