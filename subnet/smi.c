/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way of an SMP: by LID, by directed route, or the one before the other (IBA 1.5, 14.2.2). The
 * switch and each adapter are a step each, and no step comes twice in one state of the hop pointer,
 * so that each SMP ends. What is for an agent is answered here; the rest goes to QP0 of the port:
 * answers, traps, and what one manager asks another.
 */
#include <string.h>

#include "base/bits.h"
#include "subnet/internal.h"

#define CA_PORT 1u

/* An SMP between two steps. */
struct way {
	struct subnet *subnet;
	uint16_t slid, dlid;
	uint8_t *smp;
};

static bool is_directed(const uint8_t *smp)
{
	return smp[SMP_CLASS] == SMP_CLASS_DIRECTED;
}

static bool is_returning(const uint8_t *smp)
{
	return be16_at(smp, SMP_STATUS) & SMP_RETURNING;
}

/* For the agent of a node, rather than for who manages from there. */
static bool is_for_agent(const uint8_t *smp, bool is_switch)
{
	bool request = smp[SMP_METHOD] == SMP_GET || smp[SMP_METHOD] == SMP_SET;

	/* On the switch its manager is the agent, too. */
	return request && !(is_directed(smp) && is_returning(smp)) &&
	       (is_switch || be16_at(smp, SMP_ATTRIBUTE) != SMP_SM_INFO);
}

static bool leads_on(struct way *way, uint16_t lid);
static bool at_switch(struct way *way, unsigned int in);

static void answer(struct subnet *subnet, struct subnet_port *port, unsigned int in, uint8_t *smp)
{
	uint16_t status = sma_execute(subnet, port, (uint8_t)in, smp);

	if (is_directed(smp))
		status |= SMP_RETURNING;
	be16_put(smp, SMP_STATUS, status);
	smp[SMP_METHOD] = SMP_GET_RESPONSE;
}

static void to_qp0(struct subnet_port *port, const struct way *way)
{
	uint8_t data[SUBNET_GRH_LEN + MAD_LEN] = { 0 };
	struct subnet_packet packet = {
		.slid = way->slid,
		.dlid = way->dlid,
		.p_key = SUBNET_P_KEY,
		.data = data,
		.len = MAD_LEN,
	};

	memcpy(data + SUBNET_GRH_LEN, way->smp, MAD_LEN);
	port->attr.deliver(port->attr.owner, &packet);
}

/* --- the steps ------------------------------------------------------------------------------- */

/* Out of the adapter's port, towards the switch. */
static bool leave_adapter(struct subnet_port *port, struct way *way)
{
	return at_switch(way, port->number);
}

/* The agent's answer starts on its way back. */
static bool adapter_answers(struct subnet_port *port, struct way *way)
{
	uint8_t *smp = way->smp;
	uint16_t from = way->slid;

	answer(way->subnet, port, CA_PORT, smp);
	way->slid = port->end.lid;
	if (!is_directed(smp) || be16_at(smp, SMP_DR_DLID) != SMP_PERMISSIVE) {
		way->dlid = from;
		return leave_adapter(port, way);
	}
	if (!smp[SMP_HOP_CNT]) { /* there was no directed route at all */
		smp[SMP_HOP_PTR] = 0;
		way->dlid = be16_at(smp, SMP_DR_SLID);
		return way->dlid != SMP_PERMISSIVE && leave_adapter(port, way);
	}
	smp[SMP_HOP_PTR]--;
	way->slid = way->dlid = SMP_PERMISSIVE;
	return leave_adapter(port, way);
}

/* The SMP comes in by the adapter's port. */
static bool at_adapter(struct subnet_port *port, struct way *way)
{
	uint8_t *smp = way->smp, ptr = smp[SMP_HOP_PTR], count = smp[SMP_HOP_CNT];
	bool agent = is_for_agent(smp, false);

	if (is_directed(smp)) {
		/* An adapter is the end of any route. */
		if (is_returning(smp) ? ptr > 1 : ptr != count && ptr != count + 1)
			return false;
		if (!is_returning(smp) && ptr == count) {
			if (be16_at(smp, SMP_DR_DLID) != SMP_PERMISSIVE)
				return false;
			if (agent && count)
				smp[SMP_RETURN + count] = CA_PORT;
			if (agent)
				smp[SMP_HOP_PTR]++;
		}
	}
	if (agent)
		return adapter_answers(port, way);
	to_qp0(port, way);
	return true;
}

/* Out of the switch's port @out. */
static bool leave_switch(struct way *way, unsigned int out)
{
	struct subnet *subnet = way->subnet;

	if (!out || out > SUBNET_PORTS || subnet->sw.end[out].phys != PHYS_LINK_UP)
		return false;
	return at_adapter(subnet->port[out - 1], way);
}

/* The route is over, or has not begun: by LID from here on. */
static bool leads_on(struct way *way, uint16_t lid)
{
	struct subnet_port *port = switch_find(way->subnet, lid);

	way->slid = way->subnet->sw.end[0].lid;
	way->dlid = lid;
	if (port)
		return leave_switch(way, port->number);
	return lid == way->subnet->sw.end[0].lid && at_switch(way, 0);
}

static bool switch_answers(struct way *way, unsigned int in)
{
	uint8_t *smp = way->smp;
	uint16_t from = way->slid;

	if (!is_for_agent(smp, true))
		return smp[SMP_METHOD] != SMP_GET && smp[SMP_METHOD] != SMP_SET;
	answer(way->subnet, NULL, in, smp);
	if (!is_directed(smp) || be16_at(smp, SMP_DR_DLID) != SMP_PERMISSIVE)
		return leads_on(way, from);
	return at_switch(way, in);
}

static bool directed_at_switch(struct way *way, unsigned int in)
{
	uint8_t *smp = way->smp, count = smp[SMP_HOP_CNT], *ptr = &smp[SMP_HOP_PTR];
	uint16_t slid = be16_at(smp, SMP_DR_SLID), dlid = be16_at(smp, SMP_DR_DLID);

	way->slid = way->dlid = SMP_PERMISSIVE;
	if (!is_returning(smp)) {
		if (count && !*ptr) { /* C14-9:1, the LID-routed part has ended here */
			*ptr = 1;
			return leave_switch(way, smp[SMP_INITIAL + 1]);
		}
		if (*ptr < count) { /* :2 */
			smp[SMP_RETURN + *ptr] = (uint8_t)in;
			++*ptr;
			return leave_switch(way, smp[SMP_INITIAL + *ptr]);
		}
		if (*ptr == count) { /* :3 */
			if (count)
				smp[SMP_RETURN + count] = (uint8_t)in;
			++*ptr;
			return dlid == SMP_PERMISSIVE ? switch_answers(way, in)
						      : leads_on(way, dlid);
		}
		return false; /* :4 is done by who asks for it, :5 */
	}
	if (count && *ptr == count + 1) { /* C14-13:1 */
		--*ptr;
		return leave_switch(way, smp[SMP_RETURN + *ptr]);
	}
	if (*ptr >= 2 && *ptr <= count) { /* :2 */
		--*ptr;
		return leave_switch(way, smp[SMP_RETURN + *ptr]);
	}
	if (*ptr == 1) { /* :3; the switch's manager has asked nothing */
		*ptr = 0;
		return slid != SMP_PERMISSIVE && leads_on(way, slid);
	}
	return false;
}

/* The SMP comes in by the switch's port @in. */
static bool at_switch(struct way *way, unsigned int in)
{
	const uint8_t *smp = way->smp;
	bool mine = way->dlid == SMP_PERMISSIVE || way->dlid == way->subnet->sw.end[0].lid;
	struct subnet_port *port;

	if (!mine) {
		port = switch_find(way->subnet, way->dlid);
		return port && leave_switch(way, port->number);
	}
	if (!is_directed(smp))
		return switch_answers(way, in);
	/* C14-9:4: the LID-routed part behind the route ends here. */
	if (!is_returning(smp) && smp[SMP_HOP_PTR] == smp[SMP_HOP_CNT] + 1)
		return switch_answers(way, in);
	return directed_at_switch(way, in);
}

/* --- in and out ------------------------------------------------------------------------------ */

static bool is_smp(const uint8_t *smp)
{
	if (smp[SMP_CLASS] == SMP_CLASS_LID)
		return true;
	return smp[SMP_CLASS] == SMP_CLASS_DIRECTED && smp[SMP_HOP_CNT] < SMP_HOPS &&
	       smp[SMP_HOP_PTR] <= SMP_HOPS;
}

void smi_receive(struct subnet_port *from, const struct subnet_packet *packet)
{
	uint8_t smp[MAD_LEN];
	struct way way = {
		.subnet = from->subnet, .slid = packet->slid, .dlid = packet->dlid, .smp = smp
	};

	if (packet->len != MAD_LEN) {
		sa_count(from->subnet, SUBNET_LENGTH);
		return;
	}
	if (!from->work) {
		sa_count(from->subnet, SUBNET_BUSY);
		return;
	}
	from->work--;
	memcpy(smp, packet->data + SUBNET_GRH_LEN, MAD_LEN);
	if (!is_smp(smp) || !leave_adapter(from, &way))
		sa_count(from->subnet, SUBNET_SMP);
}

void smi_trap(struct subnet *subnet, uint8_t smp[MAD_LEN])
{
	struct way way = { .subnet = subnet, .smp = smp };

	if (!leads_on(&way, subnet->sw.end[0].sm_lid))
		sa_count(subnet, SUBNET_SMP);
}
