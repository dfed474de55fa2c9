/* SPDX-License-Identifier: GPL-2.0 */
/* Ports and links, and the switch between them. */
#include "subnet/subnet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "subnet/bits.h"
#include "subnet/internal.h"

struct subnet *subnet_new(void)
{
	struct subnet *subnet = calloc(1, sizeof(*subnet));

	if (!subnet)
		return NULL;
	pthread_mutex_init(&subnet->lock, NULL);
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

static struct subnet_port *find(const struct subnet *subnet, uint16_t lid, uint64_t guid)
{
	unsigned int i;

	for (i = 0; i < SUBNET_PORTS; i++) {
		struct subnet_port *port = subnet->port[i];

		if (port && (guid ? port->attr.guid == guid : port->attr.lid == lid))
			return port;
	}
	return NULL;
}

struct subnet_port *subnet_add(struct subnet *subnet, const struct subnet_port_attr *attr)
{
	struct subnet_port *port;
	unsigned int i = 0;

	errno = EINVAL;
	if (!attr->lid || attr->lid > SUBNET_LID_MAX || !attr->guid)
		return NULL;
	errno = EEXIST;
	if (find(subnet, attr->lid, 0) || find(subnet, 0, attr->guid) || attr->guid == SM_GUID)
		return NULL;
	while (i < SUBNET_PORTS && subnet->port[i])
		i++;
	errno = ENOSPC;
	if (i == SUBNET_PORTS)
		return NULL;
	port = malloc(sizeof(*port));
	if (port) {
		*port = (struct subnet_port){ .subnet = subnet,
					      .attr = *attr,
					      .up = true,
					      .number = i + 1,
					      .work = SUBNET_PORT_WORK };
		subnet->port[i] = port;
	}
	return port;
}

void subnet_forget(struct subnet_port *port)
{
	group_forget(port);
	rmpp_forget(port);
}

void subnet_remove(struct subnet_port *port)
{
	if (!port)
		return;
	subnet_forget(port);
	port->subnet->port[port->number - 1] = NULL;
	free(port);
}

void subnet_set_link(struct subnet_port *port, bool up)
{
	port->up = up;
	if (!up)
		subnet_forget(port);
}

bool subnet_link(const struct subnet_port *port)
{
	return port->up;
}

void *subnet_find(struct subnet *subnet, uint16_t lid, uint64_t guid)
{
	struct subnet_port *port = find(subnet, lid, guid);

	return port && port->up ? port->attr.owner : NULL;
}

static void forward(struct subnet_port *from, const struct group *group,
		    const struct subnet_packet *packet)
{
	unsigned int i;

	for (i = 0; group && i < SUBNET_PORTS; i++) {
		struct subnet_port *to = from->subnet->port[i];

		if (to && to != from && group->member[i] & JOIN_RECEIVES)
			to->attr.deliver(to->attr.owner, packet);
	}
}

void subnet_send(struct subnet_port *from, const struct subnet_packet *packet)
{
	struct subnet_port *to;

	if (!from->up)
		return;
	if (packet->dlid >= SUBNET_MLID_FIRST) {
		forward(from, group_find(from->subnet, packet->dlid), packet);
		return;
	}
	if (packet->dlid == SUBNET_SM_LID) {
		if (packet->dest_qpn == SUBNET_QP1)
			sa_receive(from, packet);
		return;
	}
	/* A GID finds its port whatever the LID, as behind a router. */
	to = packet->grh ? find(from->subnet, 0, be64_at(packet->data, 32)) : NULL;
	if (!to)
		to = find(from->subnet, packet->dlid, 0);
	if (to && to->up)
		to->attr.deliver(to->attr.owner, packet);
}

bool subnet_poll(struct subnet *subnet, uint64_t now_ns)
{
	bool sent = false;
	unsigned int i;

	for (i = 0; i < SUBNET_PORTS; i++) {
		if (!subnet->port[i])
			continue;
		subnet->port[i]->work = SUBNET_PORT_WORK;
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
