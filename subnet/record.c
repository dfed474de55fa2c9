/* SPDX-License-Identifier: GPL-2.0 */
/* What the subnet consists of, as records. The switch is the node of port 0 and of the manager. */
#include <stdio.h>
#include <string.h>

#include "subnet/bits.h"
#include "subnet/internal.h"

#define NODE_CA	      1
#define NODE_SWITCH   2
#define VENDOR	      0x0002c9u /* the HCAs' */
#define SWITCH_DEVICE 0x7470u
#define SWITCH_NAME   "rdma-tph subnet"

#define STATE_DOWN     1
#define STATE_ACTIVE   4
#define PHYS_DISABLED  3
#define PHYS_LINK_UP   5
#define WIDTH_4X       2
#define SPEED_EXTENDED 1 /* the legacy field when LinkSpeedExt says it */
#define SPEED_NDR      8

/* PortInfo.CapabilityMask */
#define IS_SM	    (1u << 1)
#define IS_EXTENDED (1u << 14) /* LinkSpeedExt */
#define SM_MASTER   3

/* Query of PortInfoRecords: attribute modifier, component. */
#define MASK_SELECTS	    (1u << 31)
#define HAS_CAPABILITY_MASK (1u << 7)

/* ClassPortInfo.CapabilityMask, CapabilityMask2 (upper 27 bits of its word) */
#define HAS_UD_MULTICAST   0x0200u
#define HAS_SEND_ONLY_FULL (1u << 12)

static void gid_put(uint8_t *p, uint64_t guid)
{
	be64_put(p, 0, SUBNET_GID_PREFIX);
	be64_put(p, 8, guid);
}

/* --- nodes --------------------------------------------------------------------------------- */

/* @port NULL: the switch. */
static void node_record(const struct subnet_port *port, uint8_t r[NODE_LEN])
{
	uint64_t guid = port ? port->attr.guid : SM_GUID;

	memset(r, 0, NODE_LEN);
	be16_put(r, 0, port ? port->attr.lid : SUBNET_SM_LID);
	r[4] = 1; /* base and class version */
	r[5] = 1;
	r[6] = port ? NODE_CA : NODE_SWITCH;
	r[7] = port ? 1 : SUBNET_PORTS;
	be64_put(r, 8, guid);
	be64_put(r, 16, guid);
	be64_put(r, 24, guid);
	be16_put(r, 32, 128); /* partitions */
	be16_put(r, 34, port ? port->attr.device_id : SWITCH_DEVICE);
	be32_put(r, 40, (uint32_t)(port ? 1 : 0) << 24 | VENDOR);
	/* As the driver names a node that nobody has named. */
	if (port)
		snprintf((char *)r + 44, 64, "rdma-tph %s", port->attr.name);
	else
		strcpy((char *)r + 44, SWITCH_NAME);
}

/* --- ports --------------------------------------------------------------------------------- */

/*
 * Port @number of the node of LID @lid: a CA's, or one of the switch. @up: its link, @is_sm: port
 * 0.
 */
static void port_record(uint16_t lid, uint8_t number, bool up, bool is_sm, uint8_t r[PORT_INFO_LEN])
{
	uint8_t *info = r + 4;

	memset(r, 0, PORT_INFO_LEN);
	be16_put(r, 0, lid);
	r[2] = number;
	be64_put(info, 8, SUBNET_GID_PREFIX);
	be16_put(info, 16, lid);
	be16_put(info, 18, SUBNET_SM_LID);
	be32_put(info, 20, IS_EXTENDED | (is_sm ? IS_SM : 0));
	info[28] = number;
	info[29] = info[30] = info[31] = WIDTH_4X;
	info[32] = SPEED_EXTENDED << 4 | (up ? STATE_ACTIVE : STATE_DOWN);
	info[33] = (uint8_t)((up ? PHYS_LINK_UP : PHYS_DISABLED) << 4 | 2); /* polls when down */
	info[35] = SPEED_EXTENDED << 4 | SPEED_EXTENDED;
	info[36] = MTU_4096 << 4;
	info[37] = 1 << 4; /* VL0 */
	info[41] = MTU_4096;
	info[43] = 1 << 4;
	info[50] = 1; /* GUIDs */
	info[51] = SUBNET_TIMEOUT;
	info[52] = LIFETIME;
	info[62] = SPEED_NDR << 4 | SPEED_NDR;
	info[63] = SPEED_NDR;
}

/* The attribute modifier says whether a capability mask names all bits or those that have to be
 * set. */
static void offer_port(struct records *records, const uint8_t *r)
{
	const struct sa_mad *query = records->query;
	uint32_t want = be32_at(query->data, 24), have = be32_at(r, 24);

	if (query->modifier & MASK_SELECTS)
		have &= want;
	if (!(query->components & HAS_CAPABILITY_MASK) || have == want)
		records_offer(records, r);
}

static void port_records(const struct subnet *subnet, struct records *records)
{
	uint8_t r[RECORD_MAX];
	unsigned int i;

	port_record(SUBNET_SM_LID, 0, true, true, r);
	offer_port(records, r);
	for (i = 0; i < SUBNET_PORTS; i++) {
		const struct subnet_port *port = subnet->port[i];

		port_record(SUBNET_SM_LID, (uint8_t)(i + 1), port && port->up, false, r);
		offer_port(records, r);
		if (!port || !port->up)
			continue;
		port_record(port->attr.lid, 1, true, false, r);
		offer_port(records, r);
	}
}

/* --- paths, links --------------------------------------------------------------------------- */

struct end {
	uint16_t lid;
	uint64_t guid;
};

static void path_record(const struct end *from, const struct end *to, const struct sa_mad *query,
			uint8_t r[PATH_LEN])
{
	memset(r, 0, PATH_LEN);
	gid_put(r + PATH_DGID, to->guid);
	gid_put(r + PATH_SGID, from->guid);
	be16_put(r, PATH_DLID, to->lid);
	be16_put(r, PATH_SLID, from->lid);
	/* No hop limit: within the subnet nothing needs a GRH. */
	r[PATH_TCLASS] = query->components >> 10 & 1 ? query->data[PATH_TCLASS] : 0;
	r[PATH_NUMB] = 0x80 | 1;
	be16_put(r, PATH_P_KEY, SUBNET_P_KEY);
	r[PATH_MTU] = EXACTLY << 6 | MTU_4096;
	r[PATH_RATE] = EXACTLY << 6 | RATE_400_GBPS;
	r[PATH_LIFE] = EXACTLY << 6 | LIFETIME;
}

static void path_records(const struct subnet *subnet, struct records *records)
{
	struct end end[SUBNET_PORTS + 1] = { { SUBNET_SM_LID, SM_GUID } };
	unsigned int ends = 1, i, j;
	uint8_t r[RECORD_MAX];

	for (i = 0; i < SUBNET_PORTS; i++) {
		if (subnet->port[i] && subnet->port[i]->up)
			end[ends++] = (struct end){ subnet->port[i]->attr.lid,
						    subnet->port[i]->attr.guid };
	}
	for (i = 0; i < ends; i++) {
		for (j = 0; j < ends; j++) {
			path_record(&end[i], &end[j], records->query, r);
			records_offer(records, r);
		}
	}
}

static void offer_link(struct records *records, uint16_t from, uint8_t from_port, uint16_t to,
		       uint8_t to_port)
{
	uint8_t r[LINK_LEN] = { 0 };

	be16_put(r, 0, from);
	r[2] = from_port;
	r[3] = to_port;
	be16_put(r, 4, to);
	records_offer(records, r);
}

/* --- all ----------------------------------------------------------------------------------- */

void records_collect(struct subnet *subnet, struct records *records)
{
	uint16_t attribute = records->kind->attribute;
	uint8_t r[RECORD_MAX] = { 0 };
	unsigned int i;

	if (attribute == MAD_PORT_INFO_RECORD) {
		port_records(subnet, records);
		return;
	}
	if (attribute == MAD_PATH_RECORD) {
		path_records(subnet, records);
		return;
	}
	if (attribute == MAD_SM_INFO_RECORD) {
		be16_put(r, 0, SUBNET_SM_LID);
		be64_put(r, 4, SM_GUID);
		be32_put(r, 20, 1); /* it is alive */
		r[24] = SM_MASTER;
		records_offer(records, r);
		return;
	}
	if (attribute == MAD_NODE_RECORD) {
		node_record(NULL, r);
		records_offer(records, r);
	}
	for (i = 0; i < SUBNET_PORTS; i++) {
		const struct subnet_port *port = subnet->port[i];

		if (!port || !port->up)
			continue;
		if (attribute == MAD_NODE_RECORD) {
			node_record(port, r);
			records_offer(records, r);
		} else {
			offer_link(records, SUBNET_SM_LID, (uint8_t)port->number, port->attr.lid,
				   1);
			offer_link(records, port->attr.lid, 1, SUBNET_SM_LID,
				   (uint8_t)port->number);
		}
	}
}

void record_class_port_info(uint8_t data[MAD_DATA])
{
	memset(data, 0, MAD_DATA);
	data[0] = 1; /* base version */
	data[1] = 2; /* class version */
	be16_put(data, 2, HAS_UD_MULTICAST);
	be32_put(data, 4, HAS_SEND_ONLY_FULL << 5 | LIFETIME);
}
