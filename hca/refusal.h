/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How requests are refused: what the requester and the responder are told. The InfiniBand
 * Architecture (volume 1) has the responder's faults in 9.9.3 and table 58, the requester's in
 * 9.9.2 and table 57, completion statuses in 11.6.2 and asynchronous events in 11.6.3.
 */
#ifndef HCA_REFUSAL_H
#define HCA_REFUSAL_H

#include <stdint.h>

#include "hca/data.h"
#include "transport/transport.h"

/* What a refusal is to the responder, besides the NAK (transport_nak()) that it answers. */
struct hca_refusal_row {
	/* CQE syndrome of the receive that the request took; HCA_SYND_NONE: it had taken none. */
	uint8_t receive;
	/*
	 * Event of the responder's QP, or HCA_NO_EVENT: a receive that ends in error says enough
	 * (9.9.3.1.3), and the driver knows no such event of a DCT (dct_allowed_event_types()).
	 */
	uint8_t event;
};

const struct hca_refusal_row *hca_refusal(enum transport_refusal why);
/* The CQE syndrome that a NAK but that of a sequence error completes the request with. */
uint8_t hca_nak_syndrome(uint8_t nak);
/*
 * The vendor's byte in front of @syndrome in error CQEs: what is publicly known of real adapters
 * from what users of their drivers reported, 0 where nothing is, or several are.
 */
uint8_t hca_vendor_byte(uint8_t syndrome);

#endif
