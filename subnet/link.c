/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Links: from a port of the switch to an adapter. What SMPs set at either end decides whether one
 * trains, and with which width and speed (IBA 1.5, 14.2.5.6).
 */
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "subnet/internal.h"

void end_init(struct end *end)
{
	*end = (struct end){
		.state = STATE_DOWN,
		.phys = PHYS_POLLING,
		.wanted = PHYS_POLLING,
		.down_default = PHYS_POLLING,
		.prefix = SUBNET_GID_PREFIX,
		.width_enabled = WIDTHS,
		.speed_enabled = SPEEDS,
		.ext_enabled = EXT_SPEEDS,
		.neighbor_mtu = MTU_4096,
	};
}

void port_init(struct subnet_port *port)
{
	end_init(&port->end);
	memset(port->guid, 0, sizeof(port->guid));
	port->guid[0] = port->attr.guid;
	memset(port->p_key, 0, sizeof(port->p_key));
	port->p_key[0] = SUBNET_P_KEY;
	port->capabilities = 0;
	memset(port->description, 0, sizeof(port->description));
	snprintf(port->description, sizeof(port->description), "rdma-tph %s", port->attr.name);
}

/* The highest bit of what both have; 0: nothing. */
static uint8_t common(uint8_t a, uint8_t b)
{
	uint8_t both = a & b, bit = 0x80;

	while (bit && !(both & bit))
		bit >>= 1;
	return bit;
}

static bool negotiate(struct end *a, struct end *b)
{
	uint8_t a_ext = a->ext_enabled == EXT_NONE ? 0 : a->ext_enabled;
	uint8_t b_ext = b->ext_enabled == EXT_NONE ? 0 : b->ext_enabled;
	uint8_t width = common(a->width_enabled, b->width_enabled);
	uint8_t speed = common(a->speed_enabled, b->speed_enabled), ext = common(a_ext, b_ext);

	if (!width || (!speed && !ext))
		return false;
	a->width = b->width = width;
	a->speed = b->speed = ext ? SPEED_10 : speed;
	a->ext = b->ext = ext;
	return true;
}

uint8_t end_rate(const struct end *end)
{
	/* By the active speed, 1X and 4X: IBA 1.5, table 224. */
	static const uint8_t legacy[][2] = { [1] = { 2, 3 }, [2] = { 5, 6 }, [4] = { 3, 7 } };
	static const uint8_t ext[][2] = {
		[1] = { 11, 12 }, [2] = { 15, 16 }, [4] = { 20, 17 }, [8] = { 16, 21 }
	};

	return end->ext ? ext[end->ext][end->width == WIDTH_4X]
			: legacy[end->speed][end->width == WIDTH_4X];
}

static struct end *adapter_end(struct subnet *subnet, unsigned int number)
{
	struct subnet_port *port = subnet->port[number - 1];

	return port ? &port->end : NULL;
}

void end_set_state(struct subnet *subnet, unsigned int number, bool adapter, uint8_t state)
{
	struct subnet_port *port = subnet->port[number - 1];
	struct end *end = adapter ? &port->end : &subnet->sw.end[number];

	if (end->state == state)
		return;
	end->state = state;
	if (!adapter)
		return;
	if (state == STATE_DOWN)
		port->events =
			(port->events & ~(unsigned int)(SUBNET_INIT | SUBNET_ACTIVE)) | SUBNET_DOWN;
	else if (state == STATE_INIT)
		port->events |= SUBNET_INIT;
	else if (state == STATE_ACTIVE)
		port->events |= SUBNET_ACTIVE;
}

static void set_down(struct subnet *subnet, unsigned int number)
{
	struct subnet_port *port = subnet->port[number - 1];

	subnet->sw.end[number].phys = subnet->sw.end[number].wanted;
	end_set_state(subnet, number, false, STATE_DOWN);
	if (!port)
		return;
	port->end.phys = port->end.wanted;
	end_set_state(subnet, number, true, STATE_DOWN);
}

void link_drop(struct subnet *subnet, unsigned int number)
{
	struct subnet_port *port = subnet->port[number - 1];

	if (subnet->sw.end[number].phys != PHYS_LINK_UP)
		return;
	if (port) {
		group_forget(port);
		rmpp_forget(port);
		service_forget(port);
	}
	set_down(subnet, number);
	sm_link_changed(subnet, number);
}

void link_update(struct subnet *subnet, unsigned int number)
{
	struct subnet_port *port = subnet->port[number - 1];
	struct end *sw = &subnet->sw.end[number], *end = adapter_end(subnet, number);
	bool wanted =
		end && port->plugged && sw->wanted == PHYS_POLLING && end->wanted == PHYS_POLLING;

	if (!wanted) {
		link_drop(subnet, number);
		set_down(subnet, number);
		return;
	}
	if (sw->phys == PHYS_LINK_UP)
		return;
	if (!negotiate(sw, end)) {
		set_down(subnet, number);
		return;
	}
	sw->phys = end->phys = PHYS_LINK_UP;
	end_set_state(subnet, number, false, STATE_INIT);
	end_set_state(subnet, number, true, STATE_INIT);
	sm_link_changed(subnet, number);
}
