/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Datagrams into the subnet: MADs for the administrator and for performance management, records of
 * every kind, RMPP dialogs at any pace, joins and leaves, services; SMPs by LID and by directed
 * route, of ports and of an HCA's QP0, and its MAD_IFC; a manager that comes and goes; and links
 * that go down meanwhile.
 */
#include <stdlib.h>

#include "fuzz/mads.h"
#include "fuzz/queues.h"
#include "fuzz/target.h"
#include "hca/data.h"
#include "base/bits.h"
#include "subnet/internal.h"

#define OPS	  64u
#define SIGNALLED 0x08u
#define PAGE	  4096u
#define BURST	  8u

struct state {
	struct world *w;
	struct subnet_port *port[MADS_PORTS];
	uint8_t last[MAD_LEN]; /* what came last: its segment and transaction are worth an answer */
	uint8_t smp[MAD_LEN];
	unsigned int depth; /* answers in answers */
	bool answers;	    /* each segment is acknowledged as it comes */
	struct queue_qp qp0;
	uint64_t mem;
	uint32_t lkey;
};

/* The window that lets the administrator go on; from within its own call. */
static void acknowledge(struct state *s, const struct subnet_packet *came)
{
	uint8_t data[SUBNET_GRH_LEN + MAD_LEN] = { 0 }, *mad = data + SUBNET_GRH_LEN;
	struct subnet_packet packet = {
		.slid = came->dlid,
		.dlid = came->slid,
		.p_key = SUBNET_P_KEY,
		.src_qpn = SUBNET_QP1,
		.dest_qpn = SUBNET_QP1,
		.q_key = SUBNET_QP1_Q_KEY,
		.data = data,
		.len = MAD_LEN,
	};

	memcpy(mad, s->last, MAD_LEN);
	mad[25] = MAD_RMPP_ACK;
	mad[26] = MAD_RMPP_ACTIVE;
	be32_put(mad, 32, be32_at(mad, 28) + 2);
	for (unsigned int i = 0; i < MADS_PORTS; i++)
		if (s->port[i]->end.lid == came->dlid)
			subnet_send(s->port[i], &packet);
}

static void deliver(void *owner, const struct subnet_packet *packet)
{
	struct state *s = owner;
	const uint8_t *mad = packet->data + SUBNET_GRH_LEN;

	if (packet->len > SUBNET_MTU)
		world_broken("a packet of %zu bytes", packet->len);
	if (packet->len != MAD_LEN)
		return;
	if (packet->dest_qpn == SUBNET_QP0) {
		if (mad[SMP_CLASS] == SMP_CLASS_DIRECTED && mad[SMP_HOP_PTR] > SMP_HOPS)
			finding("an SMP with hop pointer %u", mad[SMP_HOP_PTR]);
		memcpy(s->smp, mad, MAD_LEN);
		return;
	}
	memcpy(s->last, mad, MAD_LEN);
	if (!s->answers || s->depth == BURST || !(mad[26] & MAD_RMPP_ACTIVE))
		return;
	s->depth++;
	acknowledge(s, packet);
	s->depth--;
}

static void send(struct state *s, struct input *in, bool rmpp)
{
	uint8_t data[SUBNET_GRH_LEN + SUBNET_MTU] = { 0 }, who = input_u8(in);
	struct subnet_port *port = s->port[who % MADS_PORTS];
	struct subnet_packet packet = {
		.slid = port->end.lid,
		.dlid = s->w->subnet->sw.end[0].lid,
		.p_key = SUBNET_P_KEY,
		.src_qpn = SUBNET_QP1,
		.dest_qpn = SUBNET_QP1,
		.q_key = SUBNET_QP1_Q_KEY,
		.grh = who & 0x10,
		.data = data,
		.len = MAD_LEN,
	};

	s->answers = who & 8;
	if (rmpp)
		mads_rmpp(in, s->last, data + SUBNET_GRH_LEN);
	else
		mads_request(in, who % MADS_PORTS, data + SUBNET_GRH_LEN);
	if (data[SUBNET_GRH_LEN + 1] == MAD_CLASS_PERF && who & 4) /* the HCA's */
		packet.dlid = 1;
	if (who & 0x80) {
		packet.dlid =
			who & 0x40 ? (uint16_t)(SUBNET_MLID_FIRST + input_u8(in)) : input_u16(in);
		packet.len = input_u16(in) % (SUBNET_MTU + 1);
		packet.dest_qpn = input_u8(in);
		packet.q_key = who & 0x20 ? SUBNET_QP1_Q_KEY : input_u8(in);
		be64_put(data, 24, SUBNET_GID_PREFIX);
		be64_put(data, 32, MADS_GUID);
	}
	subnet_send(port, &packet);
}

/* --- SMPs ------------------------------------------------------------------------------------- */

static void send_smp(struct state *s, struct input *in)
{
	uint8_t data[SUBNET_GRH_LEN + MAD_LEN] = { 0 }, who = input_u8(in);
	struct subnet_port *port = s->port[who % MADS_PORTS];
	struct subnet_packet packet = {
		.slid = who & 0x20 ? SMP_PERMISSIVE : port->end.lid,
		.p_key = SUBNET_P_KEY,
		.dest_qpn = SUBNET_QP0,
		.data = data,
		.len = who & 0x40 ? input_u8(in) : MAD_LEN,
	};

	mads_smp(in, s->smp, data + SUBNET_GRH_LEN, &packet.dlid);
	subnet_send(port, &packet);
}

/* By the HCA's own QP0. */
static void post_smp(struct state *s, struct input *in)
{
	uint8_t wqe[80], seg[16], *mad = world_at(s->w, s->mem, PAGE), who = input_u8(in);
	uint16_t lid;

	memset(mad, 0, MAD_LEN);
	mads_smp(in, s->smp, mad, &lid);
	if (queue_state(&s->qp0) != HCA_QP_RTS || (uint16_t)(s->qp0.sq_pi + 16) < 16)
		queue_revive(&s->qp0);
	segment_data(seg, s->mem + PAGE, s->lkey, who & 1 ? 300 : 100);
	queue_recv(&s->qp0, seg, sizeof(seg));
	segment_ctrl(wqe, HCA_OP_SEND, SIGNALLED, 0);
	segment_av(wqe + 16, 0, who & 2 ? input_u8(in) : SUBNET_QP0, lid);
	segment_data(wqe + 64, s->mem, s->lkey, who & 4 ? input_u16(in) & 1023 : MAD_LEN);
	queue_send(&s->qp0, wqe, sizeof(wqe));
	world_poll(s->w, 4);
	memcpy(s->smp, world_at(s->w, s->mem + PAGE + SUBNET_GRH_LEN, MAD_LEN), MAD_LEN);
}

static void mad_ifc(struct state *s, struct input *in)
{
	uint8_t cmd[0x110] = { 0 }, out[0x110], who = input_u8(in), *mad = cmd + 0x10;
	uint16_t lid;

	be16_put(cmd, 0, 0x50d);
	be16_put(cmd, 6, who & 2); /* ignore keys */
	field_put(cmd, 2, 7, 0, who & 4 ? input_u8(in) : 1);
	if (who & 8)
		mads_request(in, 0, mad);
	else
		mads_smp(in, s->smp, mad, &lid);
	if ((who & 0x30) == 0x10) { /* a vendor's */
		mad[1] = 0x0a;
		be16_put(mad, 16, who >> 6 & 1 ? 0x17 : 1);
	}
	if (world_cmd(&s->w->port[who & 1], cmd, sizeof(cmd), out, sizeof(out)) == 0 && !(who & 8))
		memcpy(s->smp, out + 0x10, MAD_LEN);
}

/* What the port says of itself, as a driver whose host runs a manager does. */
static void describe(struct state *s, struct input *in)
{
	uint8_t what = input_u8(in), cmd[0x210] = { 0 };
	struct subnet_port *port = s->port[what % MADS_PORTS];
	char text[SUBNET_DESCRIPTION];

	if (what & 0x80) { /* MODIFY_HCA_VPORT_CONTEXT: CapabilityMask1 */
		be16_put(cmd, 0, 0x763);
		field_put(cmd, 4, 7, 0, 0xff);
		input_bytes(in, cmd + 0x10, 64);
		world_cmd(&s->w->port[what & 1], cmd, sizeof(cmd), NULL, 16);
	} else if (what & 0x40) {
		input_bytes(in, text, sizeof(text));
		subnet_describe(port, text);
	} else {
		subnet_set_capabilities(port, what & 0x20   ? IS_SM
					      : what & 0x10 ? input_u32(in)
							    : 0);
	}
}

/* --- the whole -------------------------------------------------------------------------------- */

static void look(struct state *s)
{
	struct subnet *subnet = s->w->subnet;
	struct subnet_group group[64];
	unsigned int count = subnet_groups(subnet, group, 64), i;

	for (i = 0; i < count && i < 64; i++)
		if (group[i].members > SUBNET_PORTS)
			finding("a group of %u members", group[i].members);
	for (i = 0; i < SUBNET_COUNTERS; i++)
		subnet_count(subnet, (enum subnet_counter)i);
	for (i = 0; i < SUBNET_PORTS; i++) {
		const struct subnet_port *port = subnet->port[i];
		struct subnet_port_state state;

		if (!port)
			continue;
		subnet_port_state(port, &state);
		if (port->groups > SUBNET_PORT_GROUPS)
			finding("a port is a member of %u groups", port->groups);
		if (!state.lid != !port->end.lid || state.lid >= SUBNET_MLID_FIRST || state.lmc > 7)
			finding("LID 0x%x, LMC %u", state.lid, state.lmc);
		if (subnet_link(port) &&
		    (state.state != STATE_ACTIVE || state.phys != PHYS_LINK_UP))
			finding("a link in state %u, %u", state.state, state.phys);
		if (subnet_guid(port, 0) != port->attr.guid)
			finding("GUID 0x%lx", subnet_guid(port, 0));
	}
}

static void set_up(struct state *s)
{
	struct world_port *port;

	s->w = world_new(NULL);
	port = &s->w->port[0];
	for (unsigned int i = 0; i < MADS_PORTS; i++) {
		const struct subnet_port_attr attr = { .lid = (uint16_t)(MADS_LID + i),
						       .guid = MADS_GUID + i,
						       .name = "fuzz",
						       .owner = s,
						       .deliver = deliver };

		s->port[i] = subnet_add(s->w->subnet, &attr);
		if (!s->port[i])
			world_broken("subnet_add");
	}
	s->qp0 = (struct queue_qp){ .port = port,
				    .type = HCA_QP_SMI,
				    .pd = world_simple(port, 0x800, 0, 0),
				    .cqn = queue_cq(port, queue_eq(port, 1u << 9, 0)) };
	queue_qp(&s->qp0);
	queue_connect(&s->qp0, &s->qp0);
	s->mem = world_alloc(s->w, 2 * PAGE, PAGE);
	s->lkey = queue_plain_key(port, s->qp0.pd, KEY_ALL, s->mem, 2 * PAGE);
}

void target_input(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	struct state s = { 0 };

	set_up(&s);
	for (unsigned int op = 0; op < OPS && !input_done(&in); op++) {
		uint8_t what = input_u8(&in);

		if (what < 0x60)
			send(&s, &in, false);
		else if (what < 0x80)
			send(&s, &in, true);
		else if (what < 0xb8)
			send_smp(&s, &in);
		else if (what < 0xc8)
			mad_ifc(&s, &in);
		else if (what < 0xd4)
			post_smp(&s, &in);
		else if (what < 0xe0)
			describe(&s, &in);
		else if (what < 0xec)
			subnet_set_link(s.port[what % MADS_PORTS], what & 8);
		else if (what < 0xf0)
			subnet_forget(s.port[what % MADS_PORTS]);
		else
			world_sleep((uint64_t)input_u8(&in) << 24);
		world_poll(s.w, 1);
	}
	look(&s);
	for (unsigned int i = 0; i < MADS_PORTS; i++)
		subnet_remove(s.port[i]);
	world_free(s.w);
}
