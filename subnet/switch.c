/* SPDX-License-Identifier: GPL-2.0-only */
/* The switch's tables, and what it forwards by them. */
#include <string.h>

#include "base/bits.h"
#include "subnet/internal.h"

uint8_t switch_route(const struct subnet *subnet, uint16_t lid)
{
	return lid < LFT_SIZE && lid <= subnet->sw.lft_top ? subnet->sw.lft[lid] : LFT_NONE;
}

bool mft_has(const struct subnet *subnet, uint16_t mlid, unsigned int number)
{
	unsigned int i = mlid - SUBNET_MLID_FIRST;

	return i < MFT_SIZE && subnet->sw.mft[i][number / 16] >> number % 16 & 1;
}

void mft_set(struct subnet *subnet, uint16_t mlid, unsigned int number, bool member)
{
	uint16_t *mask = &subnet->sw.mft[mlid - SUBNET_MLID_FIRST][number / 16];
	uint16_t bit = (uint16_t)(1u << number % 16);

	*mask = member ? *mask | bit : *mask & (uint16_t)~bit;
}

/* A port has 1 << LMC LIDs. */
static bool has_lid(const struct end *end, uint16_t lid)
{
	return lid && end->lid && (lid & ~((1u << end->lmc) - 1)) == end->lid;
}

struct subnet_port *switch_find(const struct subnet *subnet, uint16_t lid)
{
	uint8_t number = switch_route(subnet, lid);
	struct subnet_port *port =
		number && number <= SUBNET_PORTS ? subnet->port[number - 1] : NULL;

	return port && has_lid(&port->end, lid) ? port : NULL;
}

static struct subnet_port *find_guid(const struct subnet *subnet, uint64_t guid)
{
	unsigned int i, j;

	for (i = 0; guid && i < SUBNET_PORTS; i++) {
		for (j = 0; subnet->port[i] && j < SUBNET_GUIDS; j++) {
			if (subnet->port[i]->guid[j] == guid)
				return subnet->port[i];
		}
	}
	return NULL;
}

/* Data goes through the switch's port and into the adapter's. */
static bool carries(const struct subnet_port *port)
{
	return port && port->end.state == STATE_ACTIVE &&
	       port->subnet->sw.end[port->number].state == STATE_ACTIVE;
}

bool subnet_link(const struct subnet_port *port)
{
	return carries(port);
}

void *subnet_find(struct subnet *subnet, uint16_t lid, uint64_t guid)
{
	struct subnet_port *port = guid ? find_guid(subnet, guid) : switch_find(subnet, lid);

	return carries(port) ? port->attr.owner : NULL;
}

static void forward(struct subnet_port *from, const struct subnet_packet *packet)
{
	unsigned int i;

	for (i = 0; i < SUBNET_PORTS; i++) {
		struct subnet_port *to = from->subnet->port[i];

		if (to != from && carries(to) && mft_has(from->subnet, packet->dlid, i + 1))
			to->attr.deliver(to->attr.owner, packet);
	}
}

/* The classes of pma.c; a vendor's is answered as unsupported. */
static bool answers(uint8_t class)
{
	return class == MAD_CLASS_PERF ||
	       (class >= MAD_CLASS_VENDOR_FIRST && class <= MAD_CLASS_VENDOR_LAST);
}

/* Management of the switch: QP1 of its port 0. */
static void manage(struct subnet_port *from, const struct subnet_packet *packet)
{
	if (packet->dest_qpn != SUBNET_QP1)
		return;
	if (packet->len == MAD_LEN && packet->q_key == SUBNET_QP1_Q_KEY &&
	    answers(packet->data[SUBNET_GRH_LEN + 1]))
		pma_receive(from, packet);
	else
		sa_receive(from, packet);
}

void subnet_send(struct subnet_port *from, const struct subnet_packet *packet)
{
	bool smp = packet->dest_qpn == SUBNET_QP0;
	struct subnet *subnet = from->subnet;
	struct subnet_port *to;

	if (smp ? from->end.phys != PHYS_LINK_UP : !carries(from))
		return;
	if (from->attr.leaves)
		from->attr.leaves(from->attr.owner, packet);
	if (smp) {
		smi_receive(from, packet);
		return;
	}
	if (packet->dlid >= SUBNET_MLID_FIRST) {
		forward(from, packet);
		return;
	}
	if (packet->dlid == subnet->sw.end[0].lid && !switch_route(subnet, packet->dlid)) {
		manage(from, packet);
		return;
	}
	/* A GID finds its port whatever the LID, as behind a router. */
	to = packet->grh ? find_guid(subnet, be64_at(packet->data, 32)) : NULL;
	if (!to)
		to = switch_find(subnet, packet->dlid);
	if (carries(to))
		to->attr.deliver(to->attr.owner, packet);
}
