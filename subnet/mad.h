/* SPDX-License-Identifier: GPL-2.0-only */
/* SubnAdm MADs on the wire: IBA 1.5, 13.4.3 (common header), 13.6.2 (RMPP), 15.2.1 (SA header). */
#ifndef SUBNET_MAD_H
#define SUBNET_MAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "subnet/subnet.h"

#define MAD_LEN	 SUBNET_MAD
#define MAD_DATA 200u /* of a SubnAdm MAD: what follows the SA header */

#define MAD_CLASS_SA	       0x03u
#define MAD_CLASS_PERF	       0x04u
#define MAD_CLASS_VENDOR_FIRST 0x09u /* without OUI */
#define MAD_CLASS_VENDOR_LAST  0x0fu

enum mad_method {
	MAD_GET = 0x01,
	MAD_SET = 0x02,
	MAD_GET_TABLE = 0x12,
	MAD_DELETE = 0x15,
	MAD_RESPONSE = 0x80, /* bit */
};

/* Status field. Those of the SA are in the upper byte. */
enum mad_status {
	MAD_OK = 0x0000,
	MAD_BAD_METHOD = 0x0008,
	MAD_BAD_ATTRIBUTE = 0x000c,
	MAD_NO_RESOURCES = 0x0100,
	MAD_INVALID = 0x0200,
	MAD_NO_RECORDS = 0x0300,
	MAD_TOO_MANY = 0x0400,
	MAD_INVALID_GID = 0x0500,
	MAD_INSUFFICIENT = 0x0600,
};

enum mad_attribute {
	MAD_CLASS_PORT_INFO = 0x0001,
	MAD_NODE_RECORD = 0x0011,
	MAD_PORT_INFO_RECORD = 0x0012,
	MAD_SL_TO_VL_RECORD = 0x0013,
	MAD_SWITCH_INFO_RECORD = 0x0014,
	MAD_LINEAR_TABLE_RECORD = 0x0015,
	MAD_MULTICAST_TABLE_RECORD = 0x0017,
	MAD_SM_INFO_RECORD = 0x0018,
	MAD_LINK_RECORD = 0x0020,
	MAD_GUID_INFO_RECORD = 0x0030,
	MAD_SERVICE_RECORD = 0x0031,
	MAD_P_KEY_TABLE_RECORD = 0x0033,
	MAD_PATH_RECORD = 0x0035,
	MAD_VL_ARBITRATION_RECORD = 0x0036,
	MAD_MC_MEMBER_RECORD = 0x0038,
	MAD_INFORM_INFO_RECORD = 0x00f3,
};

enum mad_rmpp_type {
	MAD_RMPP_NONE = 0,
	MAD_RMPP_DATA = 1,
	MAD_RMPP_ACK = 2,
	MAD_RMPP_STOP = 3,
	MAD_RMPP_ABORT = 4,
};

enum mad_rmpp_flags {
	MAD_RMPP_ACTIVE = 1,
	MAD_RMPP_FIRST = 2,
	MAD_RMPP_LAST = 4,
};

struct sa_mad {
	uint8_t method;
	uint16_t status;
	uint64_t tid;
	uint16_t attribute;
	uint32_t modifier;
	uint8_t rmpp_type, rmpp_flags;
	uint32_t segment; /* DATA, ACK: number, from 1 */
	uint32_t payload; /* DATA: length; ACK: last number of the new window */
	uint64_t sm_key;
	uint16_t record_octets; /* attribute offset: size of a record in 8 bytes */
	uint64_t components;	/* component mask */
	uint8_t data[MAD_DATA];
};

/*
 * sa_mad_decode() - @len bytes at @raw that came for the administrator.
 * Returns SUBNET_QUERIES when @mad is valid: a request, or a part of the RMPP dialog of an answer;
 * else the counter that says why not, with @mad undefined.
 */
enum subnet_counter sa_mad_decode(const uint8_t *raw, size_t len, struct sa_mad *mad);
/* All MAD_LEN bytes. */
void sa_mad_encode(const struct sa_mad *mad, uint8_t raw[MAD_LEN]);

#endif
