/* SPDX-License-Identifier: GPL-2.0-only */
/* The ports: their life, and what their owners see of them. */
#include "subnet/subnet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "subnet/internal.h"

struct subnet *subnet_new(void)
{
	struct subnet *subnet = calloc(1, sizeof(*subnet));
	unsigned int i;

	if (!subnet)
		return NULL;
	pthread_mutex_init(&subnet->lock, NULL);
	sm_init(subnet);
	for (i = 1; i <= SUBNET_PORTS; i++)
		end_init(&subnet->sw.end[i]);
	if (!group_init(subnet)) {
		subnet_free(subnet);
		return NULL;
	}
	return subnet;
}

void subnet_free(struct subnet *subnet)
{
	if (!subnet)
		return;
	group_fini(subnet);
	pthread_mutex_destroy(&subnet->lock);
	free(subnet);
}

static bool is_taken(const struct subnet *subnet, const struct subnet_port_attr *attr)
{
	unsigned int i;

	for (i = 0; i < SUBNET_PORTS; i++) {
		const struct subnet_port *port = subnet->port[i];

		if (port && (port->attr.guid == attr->guid || port->attr.lid == attr->lid))
			return true;
	}
	return attr->guid == SM_GUID;
}

struct subnet_port *subnet_add(struct subnet *subnet, const struct subnet_port_attr *attr)
{
	struct subnet_port *port;
	unsigned int i = 0;

	errno = EINVAL;
	if (!attr->lid || attr->lid > SUBNET_LID_MAX || !attr->guid)
		return NULL;
	errno = EEXIST;
	if (is_taken(subnet, attr))
		return NULL;
	while (i < SUBNET_PORTS && subnet->port[i])
		i++;
	errno = ENOSPC;
	if (i == SUBNET_PORTS)
		return NULL;
	port = malloc(sizeof(*port));
	if (!port)
		return NULL;
	*port = (struct subnet_port){ .subnet = subnet,
				      .attr = *attr,
				      .plugged = true,
				      .number = i + 1,
				      .work = SUBNET_PORT_WORK };
	port_init(port);
	subnet->port[i] = port;
	link_update(subnet, port->number);
	port->events = 0;
	return port;
}

void subnet_forget(struct subnet_port *port)
{
	link_drop(port->subnet, port->number);
	port_init(port);
	memset(&port->base, 0, sizeof(port->base));
	link_update(port->subnet, port->number);
}

void subnet_remove(struct subnet_port *port)
{
	struct subnet *subnet;

	if (!port)
		return;
	subnet = port->subnet;
	subnet_set_link(port, false);
	subnet_set_capabilities(port, 0);
	if (subnet->sm_state == SM_MASTER)
		subnet->sw.lft[port->attr.lid] = LFT_NONE;
	subnet->port[port->number - 1] = NULL;
	free(port);
}

void subnet_set_link(struct subnet_port *port, bool up)
{
	port->plugged = up;
	link_update(port->subnet, port->number);
}

bool subnet_plugged(const struct subnet_port *port)
{
	return port->plugged;
}

void subnet_port_state(const struct subnet_port *port, struct subnet_port_state *state)
{
	const struct end *end = &port->end;
	uint8_t info[SMP_DATA_LEN];

	port_info(port->subnet, port, 1, info);
	*state = (struct subnet_port_state){
		.prefix = end->prefix,
		.capabilities = be32_at(info, PI_CAPABILITIES),
		.lid = end->lid,
		.sm_lid = end->sm_lid,
		.lmc = end->lmc,
		.sm_sl = end->sm_sl,
		.timeout = end->timeout,
		.state = end->state,
		.phys = end->phys,
		.width = info[PI_WIDTH],
		.speed = info[PI_SPEED] >> 4,
		.ext_speed = info[PI_EXT_SPEED] >> 4,
	};
}

uint64_t subnet_guid(const struct subnet_port *port, unsigned int index)
{
	return index < SUBNET_GUIDS ? port->guid[index] : 0;
}

uint16_t subnet_p_key(const struct subnet_port *port, unsigned int index)
{
	return index < SUBNET_P_KEYS ? port->p_key[index] : 0;
}

unsigned int subnet_take_events(struct subnet_port *port)
{
	unsigned int events = port->events;

	port->events = 0;
	return events;
}

void subnet_set_capabilities(struct subnet_port *port, uint32_t mask)
{
	port->capabilities = mask;
	sm_update(port->subnet);
}

void subnet_describe(struct subnet_port *port, const char *text)
{
	memcpy(port->description, text, sizeof(port->description));
}

bool subnet_poll(struct subnet *subnet, uint64_t now_ns)
{
	bool sent = false;
	unsigned int i;

	subnet->poll_ns = now_ns;
	sm_poll(subnet);
	for (i = 0; i < SUBNET_PORTS; i++) {
		if (!subnet->port[i])
			continue;
		subnet->port[i]->work = SUBNET_PORT_WORK;
		service_poll(subnet->port[i], now_ns);
		sent |= rmpp_poll(subnet->port[i], now_ns);
	}
	return sent;
}

unsigned int subnet_groups(struct subnet *subnet, struct subnet_group *group, unsigned int size)
{
	unsigned int i, j, all = 0;

	pthread_mutex_lock(&subnet->lock);
	for (i = 0; i < subnet->groups_end; i++) {
		const struct group *from = subnet->group[i];

		if (!from)
			continue;
		if (all < size) {
			memcpy(group[all].mgid, from->record + MC_MGID, 16);
			group[all].mlid = be16_at(from->record, MC_MLID);
			group[all].members = 0;
			for (j = 0; j < SUBNET_PORTS; j++)
				group[all].members += !!from->member[j];
		}
		all++;
	}
	pthread_mutex_unlock(&subnet->lock);
	return all;
}
