/* SPDX-License-Identifier: GPL-2.0-only */
#include "switch/bridge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAC   6u
#define WAYS  4u /* places for an address: what a frame costs does not depend on the table */
#define SETS  (BRIDGE_STATIONS / WAYS)
#define GROUP 0x01u /* in the first byte of an address */

struct station {
	struct bridge_port *port; /* NULL: the place is free */
	uint64_t seen;
	uint8_t mac[MAC];
};

struct bridge_port {
	struct bridge *bridge;
	struct bridge_port_attr attr;
	struct bridge_counts counts;
	bool up;
};

struct bridge {
	struct bridge_port *port[BRIDGE_PORTS];
	struct station station[SETS][WAYS];
};

struct bridge *bridge_new(void)
{
	return calloc(1, sizeof(struct bridge));
}

void bridge_free(struct bridge *bridge)
{
	free(bridge);
}

struct bridge_port *bridge_add(struct bridge *bridge, const struct bridge_port_attr *attr)
{
	struct bridge_port *port;
	unsigned int i = 0;

	while (i < BRIDGE_PORTS && bridge->port[i])
		i++;
	if (i == BRIDGE_PORTS) {
		errno = ENOSPC;
		return NULL;
	}
	port = calloc(1, sizeof(*port));
	if (!port)
		return NULL;
	port->bridge = bridge;
	port->attr = *attr;
	port->up = true;
	bridge->port[i] = port;
	return port;
}

static void forget(const struct bridge_port *port)
{
	struct bridge *bridge = port->bridge;

	for (unsigned int set = 0; set < SETS; set++) {
		for (unsigned int way = 0; way < WAYS; way++) {
			if (bridge->station[set][way].port == port)
				bridge->station[set][way].port = NULL;
		}
	}
}

void bridge_remove(struct bridge_port *port)
{
	if (!port)
		return;
	forget(port);
	for (unsigned int i = 0; i < BRIDGE_PORTS; i++) {
		if (port->bridge->port[i] == port)
			port->bridge->port[i] = NULL;
	}
	free(port);
}

void bridge_set_link(struct bridge_port *port, bool up)
{
	port->up = up;
	if (!up)
		forget(port);
}

bool bridge_link(const struct bridge_port *port)
{
	return port->up;
}

/* --- addresses --------------------------------------------------------------------------- */

/* Vendors number the end of an address, and software its beginning: all bytes count. */
static struct station *set_of(struct bridge *bridge, const uint8_t *mac)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (unsigned int i = 0; i < MAC; i++)
		hash = (hash ^ mac[i]) * 16777619u;
	return bridge->station[(hash ^ hash >> 16) % SETS];
}

static struct station *find(struct bridge *bridge, const uint8_t *mac)
{
	struct station *set = set_of(bridge, mac);

	for (unsigned int way = 0; way < WAYS; way++) {
		if (set[way].port && !memcmp(set[way].mac, mac, MAC))
			return &set[way];
	}
	return NULL;
}

static bool is_aged(const struct station *station, uint64_t now)
{
	return now - station->seen > BRIDGE_AGE_NS;
}

static void learn(struct bridge_port *port, const uint8_t *mac, uint64_t now)
{
	struct station *station = find(port->bridge, mac);
	struct station *set = set_of(port->bridge, mac);

	for (unsigned int way = 0; !station && way < WAYS; way++) {
		if (!set[way].port || is_aged(&set[way], now))
			station = &set[way];
	}
	if (!station)
		return;
	station->port = port;
	station->seen = now;
	memcpy(station->mac, mac, MAC);
}

static struct bridge_port *port_of(struct bridge *bridge, const uint8_t *mac, uint64_t now)
{
	struct station *station = find(bridge, mac);

	return station && !is_aged(station, now) ? station->port : NULL;
}

const struct bridge_port_attr *bridge_attr(const struct bridge *bridge, unsigned int index)
{
	return bridge->port[index] ? &bridge->port[index]->attr : NULL;
}

void *bridge_find(struct bridge *bridge, const uint8_t mac[6], uint64_t now)
{
	struct bridge_port *port = port_of(bridge, mac, now);

	return port ? port->attr.owner : NULL;
}

unsigned int bridge_stations(const struct bridge *bridge)
{
	unsigned int count = 0;

	for (unsigned int set = 0; set < SETS; set++) {
		for (unsigned int way = 0; way < WAYS; way++)
			count += bridge->station[set][way].port != NULL;
	}
	return count;
}

/* --- frames ------------------------------------------------------------------------------ */

static void leave(struct bridge_port *port, const uint8_t *frame, size_t len)
{
	if (!port->up)
		return;
	port->counts.out++;
	port->counts.out_octets += len;
	port->attr.deliver(port->attr.owner, frame, len);
}

void bridge_send(struct bridge_port *from, const uint8_t *frame, size_t len, uint64_t now)
{
	struct bridge *bridge = from->bridge;
	struct bridge_port *to = NULL;

	if (!from->up || len < BRIDGE_FRAME_MIN || len > BRIDGE_FRAME_MAX || frame[MAC] & GROUP) {
		from->counts.refused++;
		return;
	}
	from->counts.in++;
	from->counts.in_octets += len;
	learn(from, frame + MAC, now);
	if (!(frame[0] & GROUP))
		to = port_of(bridge, frame, now);
	if (to) {
		if (to != from)
			leave(to, frame, len);
		return;
	}
	for (unsigned int i = 0; i < BRIDGE_PORTS; i++) {
		if (bridge->port[i] && bridge->port[i] != from)
			leave(bridge->port[i], frame, len);
	}
}

struct bridge_counts bridge_counts(const struct bridge_port *port)
{
	return port->counts;
}
