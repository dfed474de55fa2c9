/* SPDX-License-Identifier: GPL-2.0-only */
/* Multicast groups: IBA 1.5, 15.2.5.17. The first member that stays makes a group, the last ends
 * it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "subnet/internal.h"

#define IPOIB_Q_KEY 0x0b1bu
/* What an interface has of a packet: RFC 4391's header is in it, too. */
#define IPOIB_MTU_2048 2044u
#define IPOIB_MTU_4096 4092u

/* Components that a query may leave out of a join, but not of one that makes the group. */
#define JOIN_NEEDS (MC_HAS_PORT_GID | MC_HAS_JOIN_STATE)
#define MAKE_NEEDS (MC_HAS_Q_KEY | MC_HAS_P_KEY | MC_HAS_SL | MC_HAS_FLOW | MC_HAS_TCLASS)
/* Components that say who joins, not what the group is. */
#define MEMBER_COMPONENTS (MC_HAS_PORT_GID | MC_HAS_JOIN_STATE | 1u << 17)

/* RFC 4391: link-local scope, IPv4 signature, the partition, all ones. */
static const uint8_t broadcast[16] = { 0xff, 0x12, 0x40, 0x1b, 0xff, 0xff, 0,	 0,
				       0,    0,	   0,	 0,    0xff, 0xff, 0xff, 0xff };

static struct group *new_group(struct subnet *subnet, const uint8_t mgid[16])
{
	struct group *group = NULL;
	unsigned int i = 0;

	while (i < GROUPS && subnet->group[i])
		i++;
	if (i < GROUPS)
		group = calloc(1, sizeof(*group));
	if (!group)
		return NULL;
	memcpy(group->record + MC_MGID, mgid, 16);
	be16_put(group->record, MC_MLID, (uint16_t)(SUBNET_MLID_FIRST + i));
	group->record[MC_MTU] = EXACTLY << 6 | MTU_2048;
	group->record[MC_RATE] = EXACTLY << 6 | RATE_10_GBPS;
	group->record[MC_LIFE] = EXACTLY << 6 | LIFETIME;
	group->record[MC_SCOPE] = (uint8_t)(mgid[1] << 4);
	pthread_mutex_lock(&subnet->lock);
	subnet->group[i] = group;
	if (subnet->groups_end <= i)
		subnet->groups_end = i + 1;
	pthread_mutex_unlock(&subnet->lock);
	return group;
}

bool group_init(struct subnet *subnet)
{
	struct group *group = new_group(subnet, broadcast);

	if (!group)
		return false;
	group->permanent = true;
	be32_put(group->record, MC_Q_KEY, IPOIB_Q_KEY);
	be16_put(group->record, MC_P_KEY, SUBNET_P_KEY);
	return true;
}

static struct group *find_mgid(struct subnet *subnet, const uint8_t mgid[16])
{
	unsigned int i;

	for (i = 0; i < subnet->groups_end; i++) {
		if (subnet->group[i] && !memcmp(subnet->group[i]->record + MC_MGID, mgid, 16))
			return subnet->group[i];
	}
	return NULL;
}

int subnet_set_ipoib_mtu(struct subnet *subnet, unsigned int mtu)
{
	if (mtu != IPOIB_MTU_2048 && mtu != IPOIB_MTU_4096)
		return -EINVAL;
	find_mgid(subnet, broadcast)->record[MC_MTU] =
		EXACTLY << 6 | (mtu == IPOIB_MTU_4096 ? MTU_4096 : MTU_2048);
	return 0;
}

void group_fini(struct subnet *subnet)
{
	unsigned int i;

	for (i = 0; i < subnet->groups_end; i++)
		free(subnet->group[i]);
}

/* Nobody keeps it: those who only listened are no members any more either. */
static void end_group(struct subnet *subnet, struct group *group)
{
	unsigned int i;

	for (i = 0; i < SUBNET_PORTS; i++) {
		if (!group->member[i])
			continue;
		subnet->port[i]->groups--;
		if (subnet->sm_state == SM_MASTER)
			mft_set(subnet, be16_at(group->record, MC_MLID), i + 1, false);
	}
	subnet->group[be16_at(group->record, MC_MLID) - SUBNET_MLID_FIRST] = NULL;
	while (subnet->groups_end && !subnet->group[subnet->groups_end - 1])
		subnet->groups_end--;
	free(group);
}

static void set_member(struct subnet_port *port, struct group *group, uint8_t state)
{
	struct subnet *subnet = port->subnet;
	unsigned int i, keeps = group->permanent;
	uint8_t *member = &group->member[port->number - 1];

	pthread_mutex_lock(&subnet->lock);
	port->groups = port->groups - !!*member + !!state;
	*member = state;
	if (subnet->sm_state == SM_MASTER)
		mft_set(subnet, be16_at(group->record, MC_MLID), port->number,
			state & JOIN_RECEIVES);
	for (i = 0; i < SUBNET_PORTS; i++)
		keeps |= group->member[i] & JOIN_KEEPS;
	if (!keeps)
		end_group(subnet, group);
	pthread_mutex_unlock(&subnet->lock);
}

void group_forget(struct subnet_port *port)
{
	struct subnet *subnet = port->subnet;
	unsigned int i;

	for (i = 0; port->groups && i < GROUPS; i++) {
		struct group *group = subnet->group[i];

		if (group && group->member[port->number - 1])
			set_member(port, group, 0);
	}
}

/* @group as @port's membership. */
static void fill(const struct group *group, const struct subnet_port *port, uint8_t state,
		 uint8_t record[MC_MEMBER_LEN])
{
	memcpy(record, group->record, MC_MEMBER_LEN);
	record[MC_SCOPE] |= state;
	if (!port)
		return;
	be64_put(record, MC_PORT_GID, SUBNET_GID_PREFIX);
	be64_put(record, MC_PORT_GID + 8, port->attr.guid);
}

/* What joining and leaving have in common. */
static uint16_t check(const struct subnet_port *from, const struct sa_mad *mad)
{
	const uint8_t *asked = mad->data;
	uint8_t state = asked[MC_SCOPE] & JOIN_ALL;

	if ((mad->components & JOIN_NEEDS) != JOIN_NEEDS)
		return MAD_INSUFFICIENT;
	/* Nobody joins for another. */
	if (!state || be64_at(asked, MC_PORT_GID) != SUBNET_GID_PREFIX ||
	    be64_at(asked, MC_PORT_GID + 8) != from->attr.guid)
		return MAD_INVALID;
	return MAD_OK;
}

/* A value by its selector, if it is asked for and not more than @most. */
static bool take_value(const struct sa_mad *mad, uint32_t has, unsigned int at, uint8_t most,
		       uint8_t *record)
{
	uint8_t value = mad->data[at] & 0x3f, selector = mad->data[at] >> 6;

	if (!(mad->components & has))
		return true;
	if (selector != EXACTLY) /* more than, less than, or the most: what the ports can do fits */
		value = selector == 1 ? (uint8_t)(value - 1) : most;
	record[at] = (uint8_t)(EXACTLY << 6 | value);
	return value && value <= most;
}

static uint16_t make(struct subnet *subnet, const struct sa_mad *mad, struct group **group)
{
	const uint8_t *asked = mad->data;
	uint8_t mgid[16] = { 0xff, 0x12, 0xa0, 0x1c }; /* IBA: one that the administrator chose */
	uint8_t record[MC_MEMBER_LEN] = { 0 };

	if ((mad->components & MAKE_NEEDS) != MAKE_NEEDS)
		return MAD_INSUFFICIENT;
	if (!(asked[MC_SCOPE] & JOIN_KEEPS))
		return MAD_INVALID;
	if ((be16_at(asked, MC_P_KEY) & 0x7fff) != (SUBNET_P_KEY & 0x7fff) ||
	    asked[MC_SL_FLOW] >> 4)
		return MAD_INVALID;
	if (!take_value(mad, MC_HAS_MTU, MC_MTU, MTU_4096, record) ||
	    !take_value(mad, MC_HAS_RATE, MC_RATE, RATE_400_GBPS, record) ||
	    !take_value(mad, MC_HAS_LIFE, MC_LIFE, 0x3f, record))
		return MAD_INVALID;
	if ((record[MC_RATE] & 0x3f) == 1) /* reserved: the least is 2 */
		return MAD_INVALID;
	if (asked[MC_MGID]) {
		memcpy(mgid, asked + MC_MGID, 16);
	} else {
		while (find_mgid(subnet, mgid))
			be32_put(mgid, 12, be32_at(mgid, 12) + 1);
	}
	*group = new_group(subnet, mgid);
	if (!*group)
		return MAD_NO_RESOURCES;
	memcpy((*group)->record + MC_Q_KEY, asked + MC_Q_KEY, 4);
	(*group)->record[MC_TCLASS] = asked[MC_TCLASS];
	be16_put((*group)->record, MC_P_KEY, SUBNET_P_KEY);
	memcpy((*group)->record + MC_SL_FLOW, asked + MC_SL_FLOW, 4);
	if (record[MC_MTU])
		(*group)->record[MC_MTU] = record[MC_MTU];
	if (record[MC_RATE])
		(*group)->record[MC_RATE] = record[MC_RATE];
	if (record[MC_LIFE])
		(*group)->record[MC_LIFE] = record[MC_LIFE];
	return MAD_OK;
}

uint16_t group_join(struct subnet_port *from, const struct sa_mad *mad,
		    uint8_t record[MC_MEMBER_LEN])
{
	static const uint8_t none[16];
	struct subnet *subnet = from->subnet;
	const uint8_t *asked = mad->data;
	bool named = mad->components & MC_HAS_MGID && memcmp(asked + MC_MGID, none, 16);
	uint16_t status = check(from, mad);
	struct group *group;
	uint8_t state;

	if (status)
		return status;
	if (named && asked[MC_MGID] != 0xff)
		return MAD_INVALID_GID;
	group = named ? find_mgid(subnet, asked + MC_MGID) : NULL;
	if (from->groups == SUBNET_PORT_GROUPS && !(group && group->member[from->number - 1]))
		return MAD_NO_RESOURCES;
	if (!group) {
		status = make(subnet, mad, &group);
		if (status)
			return status;
	} else if (!record_matches(record_kind(MAD_MC_MEMBER_RECORD),
				   mad->components & ~(uint64_t)MEMBER_COMPONENTS, asked,
				   group->record)) {
		return MAD_INVALID;
	}
	state = group->member[from->number - 1] | (asked[MC_SCOPE] & JOIN_ALL);
	set_member(from, group, state);
	fill(group, from, state, record);
	return MAD_OK;
}

uint16_t group_leave(struct subnet_port *from, const struct sa_mad *mad,
		     uint8_t record[MC_MEMBER_LEN])
{
	uint8_t state = mad->data[MC_SCOPE] & JOIN_ALL;
	uint16_t status = check(from, mad);
	struct group *group;

	if (status)
		return status;
	if (!(mad->components & MC_HAS_MGID))
		return MAD_INSUFFICIENT;
	group = find_mgid(from->subnet, mad->data + MC_MGID);
	if (!group || !(group->member[from->number - 1] & state))
		return MAD_INVALID;
	fill(group, from, state, record);
	set_member(from, group, group->member[from->number - 1] & (uint8_t)~state);
	return MAD_OK;
}

void group_records(struct subnet *subnet, bool members, struct records *records)
{
	uint8_t record[RECORD_MAX];
	unsigned int i, j;

	records->looked_at += subnet->groups_end;
	for (i = 0; i < subnet->groups_end; i++) {
		const struct group *group = subnet->group[i];

		if (group && !members) {
			fill(group, NULL, JOIN_FULL, record);
			records_offer(records, record);
		}
		for (j = 0; group && members && j < SUBNET_PORTS; j++) {
			if (!group->member[j])
				continue;
			fill(group, subnet->port[j], group->member[j], record);
			records_offer(records, record);
		}
	}
}
