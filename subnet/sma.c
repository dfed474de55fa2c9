/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The management agent of a node (IBA 1.5, 14.2.5). A Set is checked whole before anything of it
 * happens. One virtual lane, no keys: what would need more is refused with "invalid value".
 */
#include <string.h>

#include "base/bits.h"
#include "subnet/internal.h"

#define BASE_VERSION  1
#define CLASS_VERSION 1

struct node {
	struct subnet *subnet;
	struct subnet_port *port; /* NULL: the switch */
	uint8_t local_port;	  /* where the SMP came in */
};

/* --- PortInfo -------------------------------------------------------------------------------- */

/* A Set of enabled widths or speeds: 0 keeps, @all takes all. False: not supported. */
static bool enable(uint8_t *enabled, uint8_t value, uint8_t all, uint8_t supported)
{
	if (value == all)
		value = supported;
	if (value & ~supported)
		return false;
	if (value)
		*enabled = value;
	return true;
}

/* Addresses, of an adapter's port or of port 0. */
static bool set_addresses(const struct node *node, struct end *end, const uint8_t *info)
{
	uint16_t lid = be16_at(info, PI_LID), sm_lid = be16_at(info, PI_SM_LID);
	uint8_t lmc = info[PI_LMC] & 7;

	if (!lid || lid >= SUBNET_MLID_FIRST || !sm_lid || sm_lid >= SUBNET_MLID_FIRST)
		return false;
	if (lid & ((1u << lmc) - 1) || (!node->port && lmc))
		return false;
	end->lid = lid;
	end->sm_lid = sm_lid;
	end->lmc = lmc;
	end->sm_sl = info[PI_MTU_SL] & 15;
	end->prefix = be64_at(info, PI_PREFIX);
	end->timeout = info[PI_TIMEOUT] & 31;
	return true;
}

static bool set_link(struct end *end, bool extended, const uint8_t *info)
{
	uint8_t ext = extended ? info[PI_EXT_ENABLED] & 31 : 0, mtu = info[PI_MTU_SL] >> 4;
	uint8_t down = info[PI_PHYS] & 15, vls = info[PI_OPER_VLS] >> 4;

	if (!enable(&end->width_enabled, info[PI_WIDTH_ENABLED], WIDTH_ALL, WIDTHS) ||
	    !enable(&end->speed_enabled, info[PI_SPEED] & 15, SPEED_ALL, SPEEDS))
		return false;
	if (ext == EXT_NONE)
		end->ext_enabled = EXT_NONE;
	else if (!enable(&end->ext_enabled, ext, EXT_ALL, EXT_SPEEDS))
		return false;
	if (mtu > MTU_4096 || vls > 1 || down > PHYS_POLLING)
		return false;
	if (mtu)
		end->neighbor_mtu = mtu;
	if (down)
		end->down_default = down;
	end->high_limit = info[PI_HIGH_LIMIT];
	return true;
}

/* What PortState and PortPhysicalState of a Set ask for. */
static bool check_state(const struct end *end, uint8_t state, uint8_t phys)
{
	if (phys > PHYS_DISABLED)
		return false;
	switch (state) {
	case 0: /* as it is */
	case STATE_DOWN:
		return true;
	case STATE_ARMED:
		return end->state == STATE_INIT || end->state == STATE_ARMED;
	case STATE_ACTIVE:
		return end->state == STATE_ARMED || end->state == STATE_ACTIVE;
	default:
		return false;
	}
}

static void apply_state(const struct node *node, unsigned int number, struct end *end,
			uint8_t state, uint8_t phys)
{
	if (phys)
		end->wanted = phys;
	else if (state == STATE_DOWN)
		end->wanted = end->down_default;
	if (phys || state == STATE_DOWN) {
		link_drop(node->subnet, number);
		link_update(node->subnet, number);
	} else if (state) {
		end_set_state(node->subnet, number, node->port, state);
	}
}

/* @extended: the manager knows of extended speeds; else they are not its to set. */
static uint16_t set_port_info(const struct node *node, uint8_t number, bool extended,
			      const uint8_t *info)
{
	struct end *end = node->port ? &node->port->end : &node->subnet->sw.end[number], wanted;
	uint8_t state = info[PI_SPEED_STATE] & 15, phys = info[PI_PHYS] >> 4;

	wanted = *end;
	if (be64_at(info, PI_M_KEY) || info[PI_LMC] >> 6)
		return SMP_BAD_VALUE;
	if ((node->port || !number) && !set_addresses(node, &wanted, info))
		return SMP_BAD_VALUE;
	if (!number) { /* port 0 has no link */
		*end = wanted;
		return SMP_OK;
	}
	if (!set_link(&wanted, extended, info) || !check_state(end, state, phys))
		return SMP_BAD_VALUE;
	if (node->port) {
		if (wanted.lid != end->lid || wanted.lmc != end->lmc ||
		    wanted.sm_lid != end->sm_lid || wanted.sm_sl != end->sm_sl)
			node->port->events |= SUBNET_LID;
		if (wanted.prefix != end->prefix)
			node->port->events |= SUBNET_GUID_TABLE;
		if (info[PI_TIMEOUT] >> 7)
			node->port->events |= SUBNET_REREGISTER;
	}
	*end = wanted;
	apply_state(node, node->port ? node->port->number : number, end, state, phys);
	return SMP_OK;
}

static uint16_t port_attribute(const struct node *node, bool set, uint32_t modifier, uint8_t *data)
{
	uint32_t number = modifier & 0xff;
	uint16_t status = SMP_OK;

	/* Bit 31: who asks knows of extended speeds. */
	if (modifier >> 8 & 0x7fffff || number > (node->port ? 1 : SUBNET_PORTS))
		return SMP_BAD_VALUE;
	if (node->port) /* 0 is the port where it came in: its only one */
		number = 1;
	if (set)
		status = set_port_info(node, (uint8_t)number, modifier >> 31, data);
	if (status == SMP_OK) {
		port_info(node->subnet, node->port, (uint8_t)number, data);
		/* Not which port it is about, but where the SMP came in. */
		if (!node->port)
			data[PI_LOCAL_PORT] = node->local_port;
	}
	return status;
}

/* --- tables ---------------------------------------------------------------------------------- */

static uint16_t p_key_attribute(const struct node *node, bool set, uint32_t modifier, uint8_t *data)
{
	uint16_t *p_key = node->port ? node->port->p_key : node->subnet->sw.p_key, key;
	uint32_t block = modifier & 0xffff, i;

	if (block >= SUBNET_P_KEYS / P_KEY_BLOCK || (!node->port && modifier >> 16))
		return SMP_BAD_VALUE;
	for (i = 0; set && i < P_KEY_BLOCK; i++) {
		key = be16_at(data, 2 * (size_t)i);
		if (node->port && p_key[block * P_KEY_BLOCK + i] != key)
			node->port->events |= SUBNET_P_KEY_TABLE;
		p_key[block * P_KEY_BLOCK + i] = key;
	}
	p_key_block(node->subnet, node->port, block, data);
	return SMP_OK;
}

static bool guid_taken(const struct subnet_port *port, uint64_t guid)
{
	unsigned int i, j;

	for (i = 0; i < SUBNET_PORTS; i++) {
		const struct subnet_port *other = port->subnet->port[i];

		for (j = 0; other && other != port && j < SUBNET_GUIDS; j++) {
			if (other->guid[j] == guid)
				return true;
		}
	}
	return guid == SM_GUID;
}

/* The first entry is what the port was made with. */
static uint16_t guid_attribute(const struct node *node, bool set, uint32_t block, uint8_t *data)
{
	unsigned int i;

	if (block)
		return SMP_BAD_VALUE;
	for (i = 1; set && i < SUBNET_GUIDS; i++) {
		uint64_t guid = be64_at(data, 8 * (size_t)i);

		if (guid && (!node->port || guid_taken(node->port, guid)))
			return SMP_BAD_VALUE;
	}
	for (i = 1; set && node->port && i < SUBNET_GUIDS; i++) {
		uint64_t guid = be64_at(data, 8 * (size_t)i);

		if (node->port->guid[i] != guid)
			node->port->events |= SUBNET_GUID_TABLE;
		node->port->guid[i] = guid;
	}
	guid_block(node->port, block, data);
	return SMP_OK;
}

/* All service levels go to VL0, whatever the ports. */
static uint16_t sl_attribute(const struct node *node, bool set, uint32_t modifier, uint8_t *data)
{
	uint32_t out = modifier & 0xff, in = modifier >> 8 & 0xff;
	uint32_t most = node->port ? 1 : SUBNET_PORTS;

	if (modifier >> 16 || in > most || out > most || (set && be64_at(data, 0)))
		return SMP_BAD_VALUE;
	memset(data, 0, SMP_DATA_LEN);
	return SMP_OK;
}

static uint16_t lft_attribute(const struct node *node, bool set, uint32_t block, uint8_t *data)
{
	unsigned int i;

	if (block >= LFT_SIZE / LFT_BLOCK)
		return SMP_BAD_VALUE;
	for (i = 0; set && i < LFT_BLOCK; i++) {
		if (data[i] > SUBNET_PORTS && data[i] != LFT_NONE)
			return SMP_BAD_VALUE;
	}
	if (set)
		memcpy(node->subnet->sw.lft + (size_t)block * LFT_BLOCK, data, LFT_BLOCK);
	lft_block(node->subnet, block, data);
	return SMP_OK;
}

static uint16_t mft_attribute(const struct node *node, bool set, uint32_t modifier, uint8_t *data)
{
	uint32_t block = modifier & 0x1ff, position = modifier >> 28, i;

	if (block >= MFT_SIZE / MFT_BLOCK || position >= MFT_POSITIONS)
		return SMP_BAD_VALUE;
	for (i = 0; set && i < MFT_BLOCK; i++)
		node->subnet->sw.mft[block * MFT_BLOCK + i][position] =
			be16_at(data, 2 * (size_t)i);
	mft_block(node->subnet, block, position, data);
	return SMP_OK;
}

static uint16_t switch_attribute(const struct node *node, bool set, uint8_t *data)
{
	struct fabric_switch *sw = &node->subnet->sw;

	if (set) {
		if (be16_at(data, 6) >= LFT_SIZE)
			return SMP_BAD_VALUE;
		sw->lft_top = be16_at(data, 6);
		sw->lifetime = data[11] >> 3;
		if (data[11] >> 2 & 1) /* writing it takes it back */
			sw->changed = false;
		sw->mft_top = be16_at(data, 18);
	}
	memset(data, 0, SMP_DATA_LEN);
	switch_info(node->subnet, data);
	return SMP_OK;
}

/* --- all ------------------------------------------------------------------------------------- */

static uint16_t read_only(const struct node *node, uint16_t attribute, uint8_t *data)
{
	memset(data, 0, SMP_DATA_LEN);
	if (attribute == SMP_NODE_INFO)
		node_info(node->port, node->port ? 1 : node->local_port, data);
	else if (attribute == SMP_NODE_DESCRIPTION)
		node_description(node->port, data);
	else
		sm_info(node->subnet, data);
	return SMP_OK;
}

static uint16_t execute(const struct node *node, uint8_t *smp)
{
	uint16_t attribute = be16_at(smp, SMP_ATTRIBUTE);
	uint32_t modifier = be32_at(smp, SMP_MODIFIER);
	bool set = smp[SMP_METHOD] == SMP_SET;
	uint8_t *data = smp + SMP_DATA;

	switch (attribute) {
	case SMP_NODE_INFO:
	case SMP_NODE_DESCRIPTION:
		return set ? SMP_BAD_ATTRIBUTE : read_only(node, attribute, data);
	case SMP_PORT_INFO:
		return port_attribute(node, set, modifier, data);
	case SMP_P_KEY_TABLE:
		return p_key_attribute(node, set, modifier, data);
	case SMP_GUID_INFO:
		return guid_attribute(node, set, modifier, data);
	case SMP_SL_TO_VL:
		return sl_attribute(node, set, modifier, data);
	case SMP_VL_ARBITRATION:
		return SMP_BAD_VALUE; /* no block exists where there is one lane */
	case SMP_SM_INFO:
		/* The adapter's host has its own manager. This one takes no orders. */
		if (node->port)
			return SMP_BAD_ATTRIBUTE;
		return set ? SMP_BAD_VALUE : read_only(node, attribute, data);
	default:
		break;
	}
	if (node->port)
		return SMP_BAD_ATTRIBUTE;
	switch (attribute) {
	case SMP_SWITCH_INFO:
		return switch_attribute(node, set, data);
	case SMP_LINEAR_TABLE:
		return lft_attribute(node, set, modifier, data);
	case SMP_MULTICAST_TABLE:
		return mft_attribute(node, set, modifier, data);
	default:
		return SMP_BAD_ATTRIBUTE;
	}
}

uint16_t sma_execute(struct subnet *subnet, struct subnet_port *port, uint8_t local_port,
		     uint8_t smp[MAD_LEN])
{
	const struct node node = { subnet, port, local_port };

	if (smp[SMP_BASE] != BASE_VERSION || smp[SMP_VERSION] != CLASS_VERSION)
		return SMP_BAD_VERSION;
	if (smp[SMP_METHOD] != SMP_GET && smp[SMP_METHOD] != SMP_SET)
		return SMP_BAD_METHOD;
	return execute(&node, smp);
}

bool subnet_execute(struct subnet_port *port, const uint8_t *request, uint8_t *answer)
{
	memcpy(answer, request, MAD_LEN);
	if (request[SMP_METHOD] == SMP_TRAP_REPRESS)
		return false;
	be16_put(answer, SMP_STATUS, sma_execute(port->subnet, port, 1, answer));
	answer[SMP_METHOD] = SMP_GET_RESPONSE;
	return true;
}
