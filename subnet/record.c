/* SPDX-License-Identifier: GPL-2.0-only */
/* What the subnet consists of, as records. The switch is the node of port 0 and of the manager. */
#include <string.h>

#include "base/bits.h"
#include "subnet/internal.h"

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

/* --- one of each adapter and of the switch --------------------------------------------------- */

/* @port NULL: the switch. */
static void offer_node(const struct subnet *subnet, const struct subnet_port *port,
		       struct records *records)
{
	uint16_t lid = port ? port->end.lid : subnet->sw.end[0].lid;
	uint8_t r[RECORD_MAX] = { 0 };
	uint32_t i;

	be16_put(r, 0, lid);
	switch (records->kind->attribute) {
	case MAD_NODE_RECORD:
		node_info(port, port ? 1 : 0, r + 4);
		node_description(port, r + 4 + NODE_INFO_LEN);
		break;
	case MAD_GUID_INFO_RECORD:
		guid_block(port, 0, r + 8);
		break;
	case MAD_SL_TO_VL_RECORD: /* of an adapter: the others are the same */
		r[2] = r[3] = port ? 1 : 0;
		break;
	default:
		for (i = 0; p_key_block(subnet, port, i, r + 8); i++) {
			be16_put(r, 2, (uint16_t)i);
			r[4] = port ? 1 : 0;
			records_offer(records, r);
		}
		return;
	}
	records_offer(records, r);
}

static void node_records(const struct subnet *subnet, struct records *records)
{
	unsigned int i;

	offer_node(subnet, NULL, records);
	for (i = 0; i < SUBNET_PORTS; i++) {
		if (subnet->port[i] && subnet_link(subnet->port[i]))
			offer_node(subnet, subnet->port[i], records);
	}
}

/* --- ports --------------------------------------------------------------------------------- */

/* The attribute modifier says whether a capability mask names all bits or those that have to be
 * set. Port @number of the switch, or @port. */
static void offer_port(const struct subnet *subnet, const struct subnet_port *port, uint8_t number,
		       struct records *records)
{
	const struct sa_mad *query = records->query;
	uint8_t r[RECORD_MAX] = { 0 };
	uint32_t want, have;

	be16_put(r, 0, port ? port->end.lid : subnet->sw.end[0].lid);
	r[2] = number;
	port_info(subnet, port, number, r + 4);
	/* In a record addresses of the node are those of each of its ports. */
	if (!port) {
		be64_put(r + 4, PI_PREFIX, subnet->sw.end[0].prefix);
		be16_put(r + 4, PI_LID, subnet->sw.end[0].lid);
		be16_put(r + 4, PI_SM_LID, subnet->sw.end[0].sm_lid);
	}
	want = be32_at(query->data, 4 + PI_CAPABILITIES);
	have = be32_at(r, 4 + PI_CAPABILITIES);
	if (query->modifier & MASK_SELECTS)
		have &= want;
	if (!(query->components & HAS_CAPABILITY_MASK) || have == want)
		records_offer(records, r);
}

static void port_records(const struct subnet *subnet, struct records *records)
{
	unsigned int i;

	offer_port(subnet, NULL, 0, records);
	for (i = 0; i < SUBNET_PORTS; i++) {
		offer_port(subnet, NULL, (uint8_t)(i + 1), records);
		if (subnet->port[i] && subnet_link(subnet->port[i]))
			offer_port(subnet, subnet->port[i], 1, records);
	}
}

/* --- the switch's tables --------------------------------------------------------------------- */

static void switch_records(const struct subnet *subnet, struct records *records)
{
	uint8_t r[RECORD_MAX] = { 0 };
	uint32_t block, position;

	be16_put(r, 0, subnet->sw.end[0].lid);
	if (records->kind->attribute == MAD_SWITCH_INFO_RECORD) {
		switch_info(subnet, r + 4);
		records_offer(records, r);
		return;
	}
	if (records->kind->attribute == MAD_LINEAR_TABLE_RECORD) {
		for (block = 0; block <= subnet->sw.lft_top / LFT_BLOCK; block++) {
			be16_put(r, 2, (uint16_t)block);
			lft_block(subnet, block, r + 8);
			records_offer(records, r);
		}
		return;
	}
	for (block = 0; block < MFT_SIZE / MFT_BLOCK; block++) {
		for (position = 0; position < MFT_POSITIONS; position++) {
			be16_put(r, 2, (uint16_t)(position << 12 | block));
			mft_block(subnet, block, position, r + 8);
			records_offer(records, r);
		}
	}
}

/* --- paths, links --------------------------------------------------------------------------- */

/* @port NULL: the switch. */
static void offer_path(const struct subnet *subnet, const struct subnet_port *from,
		       const struct subnet_port *to, struct records *records)
{
	const struct sa_mad *query = records->query;
	const struct end *a = from ? &from->end : &subnet->sw.end[0];
	const struct end *b = to ? &to->end : &subnet->sw.end[0];
	uint8_t rate = end_rate(rate_is_less(end_rate(a), end_rate(b)) ? a : b);
	uint8_t r[RECORD_MAX] = { 0 };

	gid_put(r + PATH_DGID, to ? to->attr.guid : SM_GUID);
	gid_put(r + PATH_SGID, from ? from->attr.guid : SM_GUID);
	be16_put(r, PATH_DLID, b->lid);
	be16_put(r, PATH_SLID, a->lid);
	/* No hop limit: within the subnet nothing needs a GRH. */
	r[PATH_TCLASS] = query->components >> 10 & 1 ? query->data[PATH_TCLASS] : 0;
	r[PATH_NUMB] = 0x80 | 1;
	be16_put(r, PATH_P_KEY, SUBNET_P_KEY);
	r[PATH_MTU] = EXACTLY << 6 | MTU_4096;
	r[PATH_RATE] = (uint8_t)(EXACTLY << 6 | rate);
	r[PATH_LIFE] = EXACTLY << 6 | LIFETIME;
	records_offer(records, r);
}

static void path_records(const struct subnet *subnet, struct records *records)
{
	const struct subnet_port *end[SUBNET_PORTS + 1] = { NULL };
	unsigned int ends = 1, i, j;

	for (i = 0; i < SUBNET_PORTS; i++) {
		if (subnet->port[i] && subnet_link(subnet->port[i]))
			end[ends++] = subnet->port[i];
	}
	for (i = 0; i < ends; i++) {
		for (j = 0; j < ends; j++)
			offer_path(subnet, end[i], end[j], records);
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

static void link_records(const struct subnet *subnet, struct records *records)
{
	uint16_t lid = subnet->sw.end[0].lid;
	unsigned int i;

	for (i = 0; i < SUBNET_PORTS; i++) {
		const struct subnet_port *port = subnet->port[i];

		if (!port || !subnet_link(port))
			continue;
		offer_link(records, lid, (uint8_t)port->number, port->end.lid, 1);
		offer_link(records, port->end.lid, 1, lid, (uint8_t)port->number);
	}
}

/* --- all ----------------------------------------------------------------------------------- */

void records_collect(struct subnet *subnet, struct records *records)
{
	uint8_t r[RECORD_MAX] = { 0 };

	switch (records->kind->attribute) {
	case MAD_PORT_INFO_RECORD:
		port_records(subnet, records);
		break;
	case MAD_PATH_RECORD:
		path_records(subnet, records);
		break;
	case MAD_SM_INFO_RECORD:
		be16_put(r, 0, subnet->sw.end[0].lid);
		sm_info(subnet, r + 4);
		records_offer(records, r);
		break;
	case MAD_LINK_RECORD:
		link_records(subnet, records);
		break;
	case MAD_SWITCH_INFO_RECORD:
	case MAD_LINEAR_TABLE_RECORD:
	case MAD_MULTICAST_TABLE_RECORD:
		switch_records(subnet, records);
		break;
	case MAD_VL_ARBITRATION_RECORD: /* one lane: nothing to arbitrate */
	case MAD_INFORM_INFO_RECORD:	/* nobody can subscribe */
		break;
	default:
		node_records(subnet, records);
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
