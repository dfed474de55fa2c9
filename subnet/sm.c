/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The subnet manager of the switch. What it has to do it does at once, when a link has come up. It
 * has the lowest priority there is: a port that says it has a manager is left to it, with the whole
 * subnet as it is at that moment, until none says so any more.
 */
#include <string.h>

#include "base/bits.h"
#include "subnet/internal.h"

#define LINK_STATE_CHANGED 128u
#define GENERIC_URGENT	   0x81u
#define PRODUCER_SWITCH	   2u

/* So long a manager may be out of reach: its link trains, or somebody has pulled the cable. */
#define GONE_NS 3000000000u

/* A manager on a port; with @linked, one that can be reached. */
static bool has_other(const struct subnet *subnet, bool linked)
{
	unsigned int i;

	for (i = 0; i < SUBNET_PORTS; i++) {
		const struct subnet_port *port = subnet->port[i];

		if (port && port->capabilities & IS_SM &&
		    (!linked || port->end.phys == PHYS_LINK_UP))
			return true;
	}
	return false;
}

static void bring_up(struct subnet *subnet, unsigned int number)
{
	struct subnet_port *port = subnet->port[number - 1];
	struct end *end = &port->end;

	if (end->lid != port->attr.lid || end->lmc || end->sm_lid != SUBNET_SM_LID || end->sm_sl)
		port->events |= SUBNET_LID;
	end->lid = port->attr.lid;
	end->lmc = 0;
	end->sm_lid = SUBNET_SM_LID;
	end->sm_sl = 0;
	end->prefix = SUBNET_GID_PREFIX;
	end->timeout = SUBNET_TIMEOUT;
	subnet->sw.lft[end->lid] = (uint8_t)number;
	end_set_state(subnet, number, false, STATE_ACTIVE);
	end_set_state(subnet, number, true, STATE_ACTIVE);
	port->events |= SUBNET_REREGISTER;
}

void sm_init(struct subnet *subnet)
{
	struct fabric_switch *sw = &subnet->sw;
	struct end *end = &sw->end[0];

	end_init(end);
	end->state = STATE_ACTIVE;
	end->phys = PHYS_LINK_UP;
	end->width = WIDTH_4X;
	end->speed = SPEED_10;
	end->ext = EXT_NDR;
	end->lid = end->sm_lid = SUBNET_SM_LID;
	end->timeout = SUBNET_TIMEOUT;
	memset(sw->p_key, 0, sizeof(sw->p_key));
	sw->p_key[0] = SUBNET_P_KEY;
	memset(sw->lft, LFT_NONE, sizeof(sw->lft));
	sw->lft[SUBNET_SM_LID] = 0;
	sw->lft_top = SUBNET_SM_LID;
	memset(sw->mft, 0, sizeof(sw->mft));
	sw->mft_top = 0;
	sw->changed = false;
	sw->lifetime = LIFETIME;
	subnet->sm_state = SM_MASTER;
}

/* What another manager has set of the port's tables ends with it. */
static void restore_tables(struct subnet_port *port)
{
	const uint16_t p_key[SUBNET_P_KEYS] = { SUBNET_P_KEY };
	const uint64_t guid[SUBNET_GUIDS] = { port->attr.guid };

	if (memcmp(port->p_key, p_key, sizeof(p_key)))
		port->events |= SUBNET_P_KEY_TABLE;
	if (memcmp(port->guid, guid, sizeof(guid)) || port->end.prefix != SUBNET_GID_PREFIX)
		port->events |= SUBNET_GUID_TABLE;
	memcpy(port->p_key, p_key, sizeof(p_key));
	memcpy(port->guid, guid, sizeof(guid));
}

static void take_over(struct subnet *subnet)
{
	unsigned int i;

	sm_init(subnet);
	for (i = 0; i < SUBNET_PORTS; i++) {
		if (!subnet->port[i])
			continue;
		subnet->sw.lft[subnet->port[i]->attr.lid] = (uint8_t)(i + 1);
		if (subnet->port[i]->end.phys != PHYS_LINK_UP)
			continue;
		restore_tables(subnet->port[i]);
		bring_up(subnet, i + 1);
	}
}

/* The administrator's answers, groups and services end; the tables stay until they are set. */
static void stand_by(struct subnet *subnet)
{
	unsigned int i;

	subnet->sm_state = SM_STANDBY;
	for (i = 0; i < SUBNET_PORTS; i++) {
		if (!subnet->port[i])
			continue;
		group_forget(subnet->port[i]);
		rmpp_forget(subnet->port[i]);
		service_forget(subnet->port[i]);
	}
}

void sm_update(struct subnet *subnet)
{
	if (subnet->sm_state == SM_MASTER && has_other(subnet, true))
		stand_by(subnet);
	else if (subnet->sm_state != SM_MASTER && !has_other(subnet, false))
		take_over(subnet);
}

void sm_poll(struct subnet *subnet)
{
	if (subnet->sm_state == SM_MASTER || has_other(subnet, true))
		subnet->reached_ns = subnet->poll_ns;
	else if (subnet->poll_ns - subnet->reached_ns >= GONE_NS)
		take_over(subnet);
}

static void notify(struct subnet *subnet)
{
	const struct end *end = &subnet->sw.end[0];
	uint8_t smp[MAD_LEN] = { 0 };
	uint8_t *notice = smp + SMP_DATA;

	/* The other manager has not come to the switch yet: it will see for itself. */
	if (end->sm_lid == end->lid)
		return;
	smp[SMP_BASE] = 1;
	smp[SMP_CLASS] = SMP_CLASS_LID;
	smp[SMP_VERSION] = 1;
	smp[SMP_METHOD] = SMP_TRAP;
	be64_put(smp, SMP_TID, ++subnet->sw.traps);
	be16_put(smp, SMP_ATTRIBUTE, SMP_NOTICE);
	notice[0] = GENERIC_URGENT;
	notice[3] = PRODUCER_SWITCH;
	be16_put(notice, 4, LINK_STATE_CHANGED);
	be16_put(notice, 6, end->lid);
	be16_put(notice, 10, end->lid);
	smi_trap(subnet, smp);
}

void sm_link_changed(struct subnet *subnet, unsigned int number)
{
	sm_update(subnet);
	if (subnet->sm_state != SM_MASTER) {
		subnet->sw.changed = true;
		notify(subnet);
	} else if (subnet->sw.end[number].state == STATE_INIT) {
		bring_up(subnet, number);
	}
}

void sm_info(const struct subnet *subnet, uint8_t info[SMP_DATA_LEN])
{
	memset(info, 0, SMP_DATA_LEN);
	be64_put(info, 0, SM_GUID);
	be64_put(info, 8, SM_KEY);
	be32_put(info, 16, (uint32_t)(subnet->poll_ns / 1000000000u) + 1); /* it is alive */
	info[20] = subnet->sm_state;					   /* priority 0 */
}
