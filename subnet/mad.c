/* SPDX-License-Identifier: GPL-2.0-only */
#include "subnet/mad.h"

#include <string.h>

#include "base/bits.h"

#define BASE_VERSION  1
#define CLASS_SUBNADM MAD_CLASS_SA
#define CLASS_VERSION 2
#define RMPP_VERSION  1
#define NO_RESP_TIME  (31u << 3)

/* Byte offsets. */
#define BASE	   0
#define CLASS	   1
#define CLASS_VER  2
#define METHOD	   3
#define STATUS	   4
#define TID	   8
#define ATTRIBUTE  16
#define MODIFIER   20
#define RMPP_VER   24
#define RMPP_TYPE  25
#define RMPP_FLAGS 26 /* [7:3] response time */
#define SEGMENT	   28
#define PAYLOAD	   32
#define SM_KEY	   36
#define OFFSET	   44
#define COMPONENTS 48
#define DATA	   56

static bool is_request(uint8_t method)
{
	/* Those without a response (Trap, Report and their kind) are for others. */
	return method && !(method & MAD_RESPONSE) && method <= MAD_DELETE && method != 0x05 &&
	       method != 0x06 && method != 0x07;
}

/* An answer's receiver speaks with the answer's method; a request has one segment and no RMPP. */
static enum subnet_counter check_rmpp(const uint8_t *raw)
{
	uint8_t flags = raw[RMPP_FLAGS] & 7, type = raw[RMPP_TYPE];

	if (!(flags & MAD_RMPP_ACTIVE))
		return is_request(raw[METHOD]) ? SUBNET_QUERIES : SUBNET_METHOD;
	if (raw[RMPP_VER] != RMPP_VERSION)
		return SUBNET_VERSION;
	if (type == MAD_RMPP_DATA || type < MAD_RMPP_DATA || type > MAD_RMPP_ABORT)
		return SUBNET_RMPP;
	return SUBNET_QUERIES;
}

enum subnet_counter sa_mad_decode(const uint8_t *raw, size_t len, struct sa_mad *mad)
{
	enum subnet_counter error;

	if (len != MAD_LEN)
		return SUBNET_LENGTH;
	if (raw[BASE] != BASE_VERSION)
		return SUBNET_VERSION;
	if (raw[CLASS] != CLASS_SUBNADM)
		return SUBNET_CLASS;
	if (raw[CLASS_VER] != CLASS_VERSION)
		return SUBNET_VERSION;
	error = check_rmpp(raw);
	if (error != SUBNET_QUERIES)
		return error;
	*mad = (struct sa_mad){
		.method = raw[METHOD],
		.status = be16_at(raw, STATUS),
		.tid = be64_at(raw, TID),
		.attribute = be16_at(raw, ATTRIBUTE),
		.modifier = be32_at(raw, MODIFIER),
		.rmpp_type = raw[RMPP_TYPE],
		.rmpp_flags = raw[RMPP_FLAGS] & 7,
		.segment = be32_at(raw, SEGMENT),
		.payload = be32_at(raw, PAYLOAD),
		.sm_key = be64_at(raw, SM_KEY),
		.record_octets = be16_at(raw, OFFSET),
		.components = be64_at(raw, COMPONENTS),
	};
	memcpy(mad->data, raw + DATA, MAD_DATA);
	return SUBNET_QUERIES;
}

void sa_mad_encode(const struct sa_mad *mad, uint8_t raw[MAD_LEN])
{
	memset(raw, 0, MAD_LEN);
	raw[BASE] = BASE_VERSION;
	raw[CLASS] = CLASS_SUBNADM;
	raw[CLASS_VER] = CLASS_VERSION;
	raw[METHOD] = mad->method;
	be16_put(raw, STATUS, mad->status);
	be64_put(raw, TID, mad->tid);
	be16_put(raw, ATTRIBUTE, mad->attribute);
	be32_put(raw, MODIFIER, mad->modifier);
	if (mad->rmpp_flags & MAD_RMPP_ACTIVE) {
		raw[RMPP_VER] = RMPP_VERSION;
		raw[RMPP_TYPE] = mad->rmpp_type;
		raw[RMPP_FLAGS] = NO_RESP_TIME | mad->rmpp_flags;
		be32_put(raw, SEGMENT, mad->segment);
		be32_put(raw, PAYLOAD, mad->payload);
	}
	be64_put(raw, SM_KEY, mad->sm_key);
	be16_put(raw, OFFSET, mad->record_octets);
	be64_put(raw, COMPONENTS, mad->components);
	memcpy(raw + DATA, mad->data, MAD_DATA);
}
