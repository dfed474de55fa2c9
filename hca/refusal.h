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

/* Why a responder refuses a request. */
enum hca_refusal {
	HCA_REFUSE_RIGHTS,     /* its QP does not allow the operation: rre, rwe, rae, atomic_mode */
	HCA_REFUSE_MISALIGNED, /* an atomic, not at a multiple of 8 */
	HCA_REFUSE_KEY,	       /* remote key: number, range, domain, rights, translation */
	HCA_REFUSE_BUS,	       /* the responder's own bus failed under the remote key */
	HCA_REFUSE_XRC_SRQ,    /* no such SRQ, or one of another XRC domain */
	HCA_REFUSE_PATH_MTU,   /* packets that are not full to the responder, or too long */
	HCA_REFUSE_DC_KEY,     /* the access key is not that of the DCT */
	HCA_REFUSE_RECV_QUEUE, /* the receive queue cannot be read, or says what cannot be */
	HCA_REFUSE_RECV_LENGTH, /* the SEND does not fit into its receive */
	HCA_REFUSE_RECV_LOCAL,	/* a buffer of the receive cannot be written: key or bus */
	HCA_REFUSE_INVALIDATE,	/* a SEND that invalidates what it may not */
	HCA_REFUSALS,
};

struct hca_refusal_row {
	const char *what;
	uint8_t nak; /* code of the AETH, see transport/transport.h */
	/* CQE syndrome of the receive that the request took; HCA_SYND_NONE: it had taken none. */
	uint8_t receive;
	/*
	 * Event of the responder's QP, or HCA_NO_EVENT: a receive that ends in error says enough
	 * (9.9.3.1.3), and the driver knows no such event of a DCT (dct_allowed_event_types()).
	 */
	uint8_t event;
};

const struct hca_refusal_row *hca_refusal(enum hca_refusal why);
/* The CQE syndrome that a NAK but that of a sequence error completes the request with. */
uint8_t hca_nak_syndrome(uint8_t nak);
/*
 * The vendor's byte in front of @syndrome in error CQEs: what is publicly known of real adapters
 * from what users of their drivers reported, 0 where nothing is, or several are.
 */
uint8_t hca_vendor_byte(uint8_t syndrome);

#endif
