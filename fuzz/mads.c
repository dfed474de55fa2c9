/* SPDX-License-Identifier: GPL-2.0-only */
#include "fuzz/mads.h"

#include "base/bits.h"
#include "subnet/mad.h"
#include "subnet/record.h"
#include "subnet/smp.h"

#define SA_DATA 56

/* A LID that somebody may have. */
static uint16_t any_lid(struct input *in)
{
	static const uint16_t lids[] = {
		MADS_LID,      MADS_LID + 1,  MADS_LID + 2, 1, 2, SUBNET_SM_LID, SMP_PERMISSIVE,
		SUBNET_SM_LID, SUBNET_SM_LID, MADS_LID + 4, 0, 8
	};
	uint8_t which = input_u8(in);

	return which < 0xf0 ? lids[which % 12] : input_u16(in);
}

/* --- administrator and performance management ------------------------------------------------- */

static void put_gid(uint8_t *gid, uint8_t who)
{
	be64_put(gid, 0, SUBNET_GID_PREFIX);
	be64_put(gid, 8, MADS_GUID + who);
}

static void fill_group(struct input *in, uint8_t *record)
{
	uint8_t flags = input_u8(in);

	memset(record, 0, 16);
	if (flags & 0x80 && !(flags & 1)) { /* one that the administrator names */
		record[0] = 0;
	} else if (flags & 0x40) {
		memcpy(record, (const uint8_t[]){ 0xff, 0x12, 0x40, 0x1b, 0xff, 0xff }, 6);
		be32_put(record, 12, UINT32_MAX);
	} else {
		record[0] = 0xff;
		record[1] = 0x12;
		record[15] = flags & 0x3f;
	}
	record[MC_MTU] = flags & 0x20 ? input_u8(in) : 0x84;
	record[MC_RATE] = 0x83;
	record[MC_LIFE] = 0x90;
	be16_put(record, MC_P_KEY, 0xffff);
	record[MC_SCOPE] = input_u8(in) & 15;
}

static void fill_service(struct input *in, uint8_t *record, uint8_t gid)
{
	uint8_t flags = input_u8(in);

	memset(record, 0, SERVICE_GID);
	record[7] = input_u8(in) & 31; /* more than a port may have */
	put_gid(record + SERVICE_GID, gid);
	be16_put(record, SERVICE_P_KEY, flags & 1 ? 0x7fff : 0xffff);
	be32_put(record, SERVICE_LEASE, flags & 2 ? (uint32_t)input_number(in) : flags >> 4);
	record[SERVICE_KEY] = flags >> 2 & 1;
}

static void request_perf(struct input *in, uint8_t *mad)
{
	static const uint16_t attributes[] = { 0x01, 0x12, 0x1d, 0x12, 0x1d, 0x17, 0x12, 0x02 };
	uint8_t what = input_u8(in);

	mad[1] = what & 0x20 ? MAD_CLASS_VENDOR_FIRST + (what & 7) : MAD_CLASS_PERF;
	mad[2] = what & 0x10 ? input_u8(in) : 1;
	mad[3] = what & 0x10 ? input_u8(in) : 1 + (what >> 3 & 1);
	be16_put(mad, 16, attributes[what & 7]);
	mad[65] = what & 0x40 ? 0xff : input_u8(in) & 7; /* port */
}

void mads_request(struct input *in, unsigned int sender, uint8_t *mad)
{
	static const uint8_t methods[] = { MAD_GET,	  MAD_SET, MAD_GET_TABLE, MAD_DELETE,
					   MAD_GET_TABLE, MAD_SET, MAD_GET,	  0 };
	static const uint16_t attributes[] = {
		MAD_CLASS_PORT_INFO,	   MAD_NODE_RECORD,
		MAD_PORT_INFO_RECORD,	   MAD_SL_TO_VL_RECORD,
		MAD_SM_INFO_RECORD,	   MAD_LINK_RECORD,
		MAD_PATH_RECORD,	   MAD_MC_MEMBER_RECORD,
		MAD_SERVICE_RECORD,	   MAD_SWITCH_INFO_RECORD,
		MAD_P_KEY_TABLE_RECORD,	   MAD_LINEAR_TABLE_RECORD,
		MAD_GUID_INFO_RECORD,	   MAD_SERVICE_RECORD,
		MAD_MC_MEMBER_RECORD,	   MAD_MULTICAST_TABLE_RECORD,
		MAD_VL_ARBITRATION_RECORD, 0x3f
	};
	static const uint64_t components[] = { 0, 0x1ff, 0x1, 0x3, 0x37, 0x7, 0x17, UINT64_MAX };
	/* To join, to make a group, to leave. */
	static const uint64_t group_components[] = { 0x10003, 0x1f0c7, 0x1b0c7, 0x1fee7,
						     0x10002, 0,       0x3,	UINT64_MAX };
	uint8_t flags = input_u8(in), kind = input_u8(in), *record = mad + SA_DATA;
	uint16_t attribute = attributes[(kind >> 3) % 18];
	uint8_t who = flags & 0x20 ? input_u8(in) & 3 : (uint8_t)sender;

	mad[0] = 1;
	if (flags & 1) {
		request_perf(in, mad);
		return;
	}
	mad[1] = MAD_CLASS_SA;
	mad[2] = 2;
	mad[3] = methods[kind & 7];
	if (!mad[3])
		mad[3] = input_u8(in);
	be16_put(mad, 16, attribute);
	mad[8] = input_u8(in) & 15; /* the transaction: one that is under way more often than not */
	be64_put(mad, 48,
		 attribute == MAD_MC_MEMBER_RECORD ? group_components[flags >> 1 & 7]
						   : components[flags >> 1 & 7]);
	if (flags & 0x10) /* by one who sees all */
		be64_put(mad, 36, 1);
	/* A record with addresses that exist. */
	put_gid(record, who);
	put_gid(record + 16, who);
	if (attribute == MAD_MC_MEMBER_RECORD)
		fill_group(in, record);
	else if (attribute == MAD_SERVICE_RECORD)
		fill_service(in, record, who);
	else if (attribute != MAD_PATH_RECORD)
		be16_put(record, 0, any_lid(in));
	if (flags & 0x40) /* one component only */
		be64_put(mad, 48, 1ull << (input_u8(in) & 31));
	if (flags & 0x80) {
		uint8_t at = input_u8(in);

		input_bytes(in, mad + (at < 248 ? at : 0), 8);
	}
}

void mads_rmpp(struct input *in, const uint8_t *last, uint8_t *mad)
{
	static const uint8_t types[] = {
		MAD_RMPP_ACK, MAD_RMPP_ACK,  MAD_RMPP_ACK,   MAD_RMPP_ACK,
		MAD_RMPP_ACK, MAD_RMPP_STOP, MAD_RMPP_ABORT, MAD_RMPP_DATA
	};
	uint8_t type = input_u8(in);

	memcpy(mad, last, 256);
	mad[24] = 1;
	mad[25] = type & 0x80 ? input_u8(in) : types[type & 7];
	mad[26] = MAD_RMPP_ACTIVE | (type & 0x60);
	/* What came, the one before it, one that was not sent; and how far the window goes. */
	be32_put(mad, 28, be32_at(last, 28) + (type >> 3 & 3) - 1);
	be32_put(mad, 32, be32_at(mad, 28) + (uint32_t)input_number(in));
}

/* --- SMPs ------------------------------------------------------------------------------------- */

/* A PortInfo as managers set it. */
static void fill_port_info(struct input *in, uint8_t *info)
{
	static const uint8_t speeds[] = { 0, SPEEDS, SPEED_ALL, 1, 2, 3, 8, 4 };
	static const uint8_t ext[] = { 0, EXT_ALL, EXT_NONE, 1, 3, 8, 16, 15 };
	uint8_t flags = input_u8(in), link = input_u8(in);

	memset(info, 0, SMP_DATA_LEN);
	be64_put(info, PI_PREFIX, flags & 1 ? 0xfec0000000000000u : SUBNET_GID_PREFIX);
	be16_put(info, PI_LID, any_lid(in));
	be16_put(info, PI_SM_LID, any_lid(in));
	info[PI_SPEED_STATE] = flags >> 1 & 7;
	info[PI_PHYS] = (flags & 0x10 ? 0 : input_u8(in) & 3) << 4 | (link & 3);
	info[PI_LMC] = flags & 0x20 ? input_u8(in) : 0;
	info[PI_TIMEOUT] = (flags & 0x40 ? 0x80 : 0) | 18;
	info[PI_WIDTH_ENABLED] = flags & 0x80 ? input_u8(in) : WIDTH_ALL;
	info[PI_SPEED] = speeds[link >> 2 & 7];
	info[PI_EXT_ENABLED] = ext[link >> 5];
	info[PI_MTU_SL] = (uint8_t)(((link & 3) + 2 * (link >> 7)) << 4);
	info[PI_OPER_VLS] = 1 << 4;
}

/* What a Set of @attribute brings. */
static void fill_data(struct input *in, uint16_t attribute, uint8_t *data)
{
	uint8_t what = input_u8(in);

	switch (attribute) {
	case SMP_PORT_INFO:
		fill_port_info(in, data);
		break;
	case SMP_P_KEY_TABLE:
		be16_put(data, 0, what & 1 ? 0x7fff : SUBNET_P_KEY);
		be16_put(data, 2 * (what >> 1 & 31), input_u16(in));
		break;
	case SMP_GUID_INFO:
		be64_put(data, 0, MADS_GUID + (what & 3));
		be64_put(data, 8 * (what >> 2 & 7), MADS_GUID + (what >> 5));
		break;
	case SMP_LINEAR_TABLE:
		memset(data, what & 1 ? 255 : 0, SMP_DATA_LEN);
		for (unsigned int i = 0; i < 8; i++) { /* LIDs of ports */
			uint8_t port = input_u8(in) % 70;

			data[input_u8(in) % SMP_DATA_LEN] = port;
		}
		break;
	case SMP_MULTICAST_TABLE:
		input_bytes(in, data, 8);
		break;
	case SMP_SWITCH_INFO:
		be16_put(data, 6, what & 1 ? SUBNET_SM_LID : input_u16(in));
		data[11] = what;
		be16_put(data, 18, what & 2 ? 0xc0ff : 0);
		break;
	default:
		break;
	}
}

/* The route: from an adapter to the switch, and from there to a port. */
static void fill_route(struct input *in, uint8_t *mad, uint16_t *lid)
{
	uint8_t what = input_u8(in), hops = what & 3,
		count = what & 0x40 ? input_u8(in) & 127 : hops;

	mad[SMP_HOP_CNT] = count;
	/* The sender's own step is done. */
	mad[SMP_HOP_PTR] = what & 4 ? input_u8(in) & 127 : count > 0;
	be16_put(mad, SMP_DR_SLID, SMP_PERMISSIVE);
	be16_put(mad, SMP_DR_DLID, SMP_PERMISSIVE);
	mad[SMP_INITIAL + 1] = 1;
	mad[SMP_INITIAL + 2] = 1 + input_below(in, 6);
	mad[SMP_INITIAL + 3] = 1;
	*lid = SMP_PERMISSIVE;
	if (what & 8) { /* by LID first, or behind the route */
		be16_put(mad, SMP_DR_SLID, any_lid(in));
		*lid = any_lid(in);
	}
	if (what & 0x10)
		be16_put(mad, SMP_DR_DLID, any_lid(in));
	if (what & 0x20) { /* on its way back */
		be16_put(mad, SMP_STATUS, SMP_RETURNING);
		mad[SMP_METHOD] = SMP_GET_RESPONSE;
		mad[SMP_HOP_PTR] = count + (what >> 7);
		for (unsigned int i = 1; i < 4; i++)
			mad[SMP_RETURN + i] = 1 + input_below(in, 6);
	}
}

void mads_smp(struct input *in, const uint8_t *last, uint8_t *mad, uint16_t *lid)
{
	static const uint16_t attributes[] = {
		SMP_PORT_INFO,	  SMP_PORT_INFO,    SMP_PORT_INFO,	 SMP_NODE_DESCRIPTION,
		SMP_NODE_INFO,	  SMP_SWITCH_INFO,  SMP_GUID_INFO,	 SMP_P_KEY_TABLE,
		SMP_SL_TO_VL,	  SMP_LINEAR_TABLE, SMP_MULTICAST_TABLE, SMP_SM_INFO,
		SMP_LINEAR_TABLE, SMP_PORT_INFO,    SMP_VL_ARBITRATION,	 SMP_NOTICE
	};
	static const uint8_t methods[] = { SMP_GET,	     SMP_SET, SMP_SET,	SMP_GET,
					   SMP_GET_RESPONSE, SMP_SET, SMP_TRAP, SMP_TRAP_REPRESS };
	uint8_t flags = input_u8(in), kind = input_u8(in), number = input_u8(in);
	uint16_t attribute = attributes[kind & 15];
	uint32_t modifier = number & 7;

	mad[SMP_BASE] = 1;
	mad[SMP_CLASS] = flags & 1 ? SMP_CLASS_DIRECTED : SMP_CLASS_LID;
	mad[SMP_VERSION] = 1;
	mad[SMP_METHOD] = methods[kind >> 4 & 7];
	be16_put(mad, SMP_ATTRIBUTE, attribute);
	if (attribute == SMP_LINEAR_TABLE)
		modifier = number & 0x80 ? number * 8 : number & 3; /* 767 is the manager's LID */
	if (attribute == SMP_MULTICAST_TABLE)
		modifier |= (uint32_t)(number >> 4) << 28;
	if (attribute == SMP_PORT_INFO)
		modifier |= (uint32_t)(number & 0x80) << 24;
	if (flags & 2)
		modifier = (uint32_t)input_number(in);
	be32_put(mad, SMP_MODIFIER, modifier);
	if (flags & 4 && be16_at(last, SMP_ATTRIBUTE) == attribute)
		memcpy(mad + SMP_DATA, last + SMP_DATA, SMP_DATA_LEN);
	else if (mad[SMP_METHOD] == SMP_SET)
		fill_data(in, attribute, mad + SMP_DATA);
	*lid = flags & 1 ? SMP_PERMISSIVE : any_lid(in);
	if (flags & 1)
		fill_route(in, mad, lid);
	if (flags & 8) {
		uint8_t at = input_u8(in);

		input_bytes(in, mad + (at < 252 ? at : 0), 4);
	}
}
