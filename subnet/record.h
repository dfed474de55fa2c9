/* SPDX-License-Identifier: GPL-2.0-only */
/* Records of the administrator (IBA 1.5, 15.2.5): their layout, and which of them a query asks for.
 */
#ifndef SUBNET_RECORD_H
#define SUBNET_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "subnet/mad.h"

#define NODE_LEN      108u
#define PORT_INFO_LEN 68u
#define SM_INFO_LEN   28u
#define LINK_LEN      8u
#define PATH_LEN      64u
#define MC_MEMBER_LEN 52u
#define SWITCH_LEN    24u
#define SL_TO_VL_LEN  16u
#define TABLE_LEN     72u /* a block of 64 bytes behind what names it */
#define SERVICE_LEN   176u
#define INFORM_LEN    60u
#define RECORD_MAX    SERVICE_LEN

/* Rates and MTUs as records encode them. */
#define RATE_10_GBPS  3u
#define RATE_400_GBPS 21u
#define MTU_2048      4u
#define MTU_4096      5u
#define EXACTLY	      2u  /* selector, in bits [7:6] of an MTU, rate or lifetime */
#define LIFETIME      16u /* 4.096 us << 16: a quarter of a second */

/* MCMemberRecord: bytes. */
#define MC_MGID	    0
#define MC_PORT_GID 16
#define MC_Q_KEY    32
#define MC_MLID	    36
#define MC_MTU	    38
#define MC_TCLASS   39
#define MC_P_KEY    40
#define MC_RATE	    42
#define MC_LIFE	    43
#define MC_SL_FLOW  44 /* SL [31:28], flow label [27:8], hop limit [7:0] */
#define MC_SCOPE    48 /* scope [7:4], JoinState [3:0] */
/* and component bits */
#define MC_HAS_MGID	  (1u << 0)
#define MC_HAS_PORT_GID	  (1u << 1)
#define MC_HAS_Q_KEY	  (1u << 2)
#define MC_HAS_MTU	  (1u << 5)
#define MC_HAS_TCLASS	  (1u << 6)
#define MC_HAS_P_KEY	  (1u << 7)
#define MC_HAS_RATE	  (1u << 9)
#define MC_HAS_LIFE	  (1u << 11)
#define MC_HAS_SL	  (1u << 12)
#define MC_HAS_FLOW	  (1u << 13)
#define MC_HAS_HOP	  (1u << 14)
#define MC_HAS_JOIN_STATE (1u << 16)

/* ServiceRecord: bytes, and component bits. */
#define SERVICE_ID	  0
#define SERVICE_GID	  8
#define SERVICE_P_KEY	  24
#define SERVICE_LEASE	  28
#define SERVICE_KEY	  32
#define SERVICE_KEY_LEN	  16
#define SERVICE_NAME	  48
#define SERVICE_DATA	  112
#define SERVICE_HAS_ID	  (1u << 0)
#define SERVICE_HAS_GID	  (1u << 1)
#define SERVICE_HAS_P_KEY (1u << 2)
#define SERVICE_HAS_LEASE (1u << 4)
#define SERVICE_HAS_KEY	  (1u << 5)

/* PathRecord: bytes. */
#define PATH_DGID     8
#define PATH_SGID     24
#define PATH_DLID     40
#define PATH_SLID     42
#define PATH_FLOW_HOP 44
#define PATH_TCLASS   48
#define PATH_NUMB     49 /* reversible [7] */
#define PATH_P_KEY    50
#define PATH_QOS_SL   52
#define PATH_MTU      54
#define PATH_RATE     55
#define PATH_LIFE     56

struct record_kind {
	uint16_t attribute;
	uint16_t len; /* bytes */
	const struct component *component;
	unsigned int components;
};

/* The kind of an attribute that can be queried, or NULL. */
const struct record_kind *record_kind(uint16_t attribute);

/*
 * record_matches() - the components of @mask are in @record as they are in @wanted. MTU, rate and
 * lifetime by their selectors. What a PathRecord's query asks of the path rather than looks for
 * (traffic class, number of paths ...) always matches.
 */
bool record_matches(const struct record_kind *kind, uint64_t mask, const uint8_t *wanted,
		    const uint8_t *record);

/* Whether the encoded rate @a is slower than @b. */
bool rate_is_less(uint8_t a, uint8_t b);

/* Records of an answer, each of them a multiple of 8 bytes. */
struct records {
	const struct record_kind *kind;
	const struct sa_mad *query;
	uint8_t *data; /* the owner frees it */
	size_t count, room;
	unsigned int looked_at; /* the work that it was */
	bool failed;		/* out of memory */
};

/* Size of a record in the answer. */
size_t record_stride(const struct record_kind *kind);
/* Add @record if it matches the query. */
void records_offer(struct records *records, const uint8_t *record);

struct subnet;
struct subnet_port;

/* Offer all records of @subnet of a kind; MCMemberRecords are group.c's. */
void records_collect(struct subnet *subnet, struct records *records);
/* The ClassPortInfo of the administrator. */
void record_class_port_info(uint8_t data[MAD_DATA]);

#endif
