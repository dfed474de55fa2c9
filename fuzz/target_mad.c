/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Datagrams into the subnet: MADs for the administrator and for performance management, records of
 * every kind, RMPP dialogs at any pace, joins and leaves, and links that go down meanwhile.
 */
#include <stdlib.h>

#include "fuzz/target.h"
#include "fuzz/world.h"
#include "subnet/mad.h"
#include "subnet/record.h"

#define OPS   64u
#define PORTS 3u

struct state {
	struct world *w;
	struct subnet_port *port[PORTS];
	uint8_t last[MAD_LEN]; /* what came last: its segment and transaction are worth an answer */
	uint64_t now;
};

static void deliver(void *owner, const struct subnet_packet *packet)
{
	struct state *s = owner;

	if (packet->len > SUBNET_MTU)
		world_broken("a packet of %zu bytes", packet->len);
	if (packet->len == MAD_LEN)
		memcpy(s->last, packet->data + SUBNET_GRH_LEN, MAD_LEN);
}

static void build(struct input *in, uint8_t *mad)
{
	static const uint8_t methods[] = { MAD_GET, MAD_SET, MAD_GET_TABLE, MAD_DELETE,
					   0x81,    0x92,    0x14,	    0x00 };
	static const uint16_t attributes[] = { MAD_CLASS_PORT_INFO,
					       MAD_NODE_RECORD,
					       MAD_PORT_INFO_RECORD,
					       MAD_SM_INFO_RECORD,
					       MAD_LINK_RECORD,
					       MAD_PATH_RECORD,
					       MAD_MC_MEMBER_RECORD,
					       0x12,
					       0x1d,
					       MAD_MC_MEMBER_RECORD,
					       MAD_PATH_RECORD,
					       0x3f };
	static const uint64_t components[] = { 0,	0x1ff,	 0x1,	     0x3,
					       0x10003, 0x1ffff, UINT64_MAX, 0xb0c7 };
	uint8_t flags = input_u8(in), kind = input_u8(in), *record = mad + 56;

	mad[0] = 1;
	mad[1] = flags & 1 ? 4 : 3;
	mad[2] = flags & 1 ? 1 : 2;
	mad[3] = methods[kind & 7];
	be16_put(mad, 16, attributes[(kind >> 3) % 12]);
	mad[8] = input_u8(in);
	be64_put(mad, 48, components[flags >> 1 & 7]);
	mad[65] = flags & 0x20 ? 1 : 0xff; /* port, of performance management */
	if (flags & 0x10)		   /* by one who sees all */
		be64_put(mad, 36, 1);
	/* A record with addresses that exist. */
	be64_put(record, 0, SUBNET_GID_PREFIX);
	be64_put(record, 8, 0x300 + input_below(in, 4));
	be64_put(record, 16, SUBNET_GID_PREFIX);
	be64_put(record, 24, 0x300 + (flags >> 5 & 3));
	if (be16_at(mad, 16) == MAD_MC_MEMBER_RECORD) {
		record[0] = 0xff;
		record[1] = 0x12;
		record[15] = input_u8(in);
		be16_put(record, MC_P_KEY, 0xffff);
		record[MC_SCOPE] = input_u8(in) & 15;
	}
	if (flags & 0x80) {
		uint8_t at = input_u8(in);

		input_bytes(in, mad + (at < 248 ? at : 0), 8);
	}
}

/* An acknowledgement of what came last, or something like it. */
static void build_rmpp(struct state *s, struct input *in, uint8_t *mad)
{
	uint8_t type = input_u8(in);

	memcpy(mad, s->last, MAD_LEN);
	mad[3] = s->last[3];
	mad[24] = 1;
	mad[25] = type & 7;
	mad[26] = 1 | (type & 0xf8);
	be32_put(mad, 28, be32_at(s->last, 28) + input_u8(in) % 4 - 1);
	be32_put(mad, 32, be32_at(mad, 28) + input_u8(in));
}

static void send(struct state *s, struct input *in, bool rmpp)
{
	uint8_t data[SUBNET_GRH_LEN + SUBNET_MTU] = { 0 }, who = input_u8(in);
	struct subnet_packet packet = {
		.slid = (uint16_t)(100 + who % PORTS),
		.dlid = SUBNET_SM_LID,
		.p_key = SUBNET_P_KEY,
		.src_qpn = 1,
		.dest_qpn = 1,
		.q_key = SUBNET_QP1_Q_KEY,
		.grh = who & 0x10,
		.data = data,
		.len = MAD_LEN,
	};

	if (rmpp)
		build_rmpp(s, in, data + SUBNET_GRH_LEN);
	else
		build(in, data + SUBNET_GRH_LEN);
	if (data[SUBNET_GRH_LEN + 1] == 4)
		packet.dlid = 1;
	if (who & 0x80) {
		packet.dlid =
			who & 0x40 ? (uint16_t)(SUBNET_MLID_FIRST + input_u8(in)) : input_u16(in);
		packet.len = input_u16(in) % (SUBNET_MTU + 1);
		packet.dest_qpn = input_u8(in);
		packet.q_key = who & 0x20 ? SUBNET_QP1_Q_KEY : input_u8(in);
		be64_put(data, 24, SUBNET_GID_PREFIX);
		be64_put(data, 32, 0x300);
	}
	subnet_send(s->port[who % PORTS], &packet);
}

static void look(struct state *s)
{
	struct subnet_group group[64];
	unsigned int count = subnet_groups(s->w->subnet, group, 64);

	for (unsigned int i = 0; i < count && i < 64; i++)
		if (group[i].members > SUBNET_PORTS)
			world_broken("a group of %u members", group[i].members);
	for (int i = 0; i < SUBNET_COUNTERS; i++)
		subnet_count(s->w->subnet, (enum subnet_counter)i);
}

void target_input(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	struct state s = { .w = world_new(NULL), .now = 1000000000 };

	for (unsigned int i = 0; i < PORTS; i++) {
		const struct subnet_port_attr attr = { .lid = (uint16_t)(100 + i),
						       .guid = 0x300 + i,
						       .name = "fuzz",
						       .owner = &s,
						       .deliver = deliver };

		s.port[i] = subnet_add(s.w->subnet, &attr);
		if (!s.port[i])
			world_broken("subnet_add");
	}
	for (unsigned int op = 0; op < OPS && !input_done(&in); op++) {
		uint8_t what = input_u8(&in);

		if (what < 0xa0)
			send(&s, &in, false);
		else if (what < 0xe0)
			send(&s, &in, true);
		else if (what < 0xec)
			subnet_set_link(s.port[what % PORTS], what & 8);
		else if (what < 0xf0)
			subnet_forget(s.port[what % PORTS]);
		else
			s.now += (uint64_t)input_u8(&in) << 24;
		subnet_poll(s.w->subnet, s.now);
	}
	look(&s);
	for (unsigned int i = 0; i < PORTS; i++)
		subnet_remove(s.port[i]);
	world_free(s.w);
}
