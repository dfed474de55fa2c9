/* SPDX-License-Identifier: GPL-2.0-only */
/* Flow tables, groups, entries and counters in any order, by the driver and by user contexts, with
 * packets that go through them. */
#include "fuzz/queues.h"
#include "fuzz/target.h"
#include "hca/data.h"

#define OPS    64u
#define TABLES 8u

struct state {
	struct world *w;
	struct world_port *port;
	uint32_t uid[2], table[TABLES], counter[TABLES];
	bool rx[TABLES]; /* side of the table */
	unsigned int tables, counters;
	struct queue_qp qp;
	uint32_t lkey;
	uint64_t mem;
};

/* Of the commands 0x92f to 0x93c; table, group, index and contexts that mostly fit. */
static void command(struct state *s, struct input *in)
{
	uint8_t cmd[0x400] = { 0 }, out[0x400], flags = input_u8(in), fields = input_u8(in);
	uint16_t op = (uint16_t)(0x92f + input_below(in, 14));
	uint32_t ilen = op == 0x936 ? 0x360 : 0x3c0, which = input_below(in, TABLES);
	uint32_t table = s->table[which];
	static const uint8_t actions[] = { 1, 2, 4, 9, 10, 12, 3, 16 };
	/* Of its side, mostly, and of the first ones more often. */
	bool rx = flags & 0x80 ? flags & 1 : s->rx[which];

	be16_put(cmd, 0, op);
	be16_put(cmd, 2, (uint16_t)(flags & 2 ? s->uid[flags >> 2 & 1] : 0));
	cmd[0x10] = rx ? 7 : 8;
	field_put(cmd, 5, 23, 0, table);
	switch (op) {
	case 0x92f: /* root */
		be16_put(cmd, 6, flags >> 7);
		break;
	case 0x930:
	case 0x93c: /* context of a table */
		field_put(cmd + 0x18, 0, 27, 24, fields & 3);
		field_put(cmd + 0x18, 0, 23, 16, input_u8(in));
		field_put(cmd + 0x18, 0, 7, 0, fields >> 2 & 0x1f);
		field_put(cmd + 0x18, 1, 23, 0, s->table[input_below(in, TABLES)]);
		be16_put(cmd, 0xe, 1);
		break;
	case 0x933: /* group */
		be32_put(cmd, 0x1c, input_u8(in));
		be32_put(cmd, 0x24,
			 be32_at(cmd, 0x1c) + (flags & 0x80 ? input_u32(in) : input_u8(in)));
		break;
	case 0x934:
	case 0x935:
		be32_put(cmd, 0x18, input_u8(in));
		break;
	case 0x936: /* entry */
		be16_put(cmd, 6, fields & 1);
		be32_put(cmd, 0x18, op == 0x936 && fields & 8 ? fields >> 4 : 0); /* what changes */
		be32_put(cmd, 0x20, input_u8(in) & 0x4f);
		be32_put(cmd, 0x44, 1 + (fields >> 6 == 3)); /* group */
		field_put(cmd + 0x40, 3, 15, 0, actions[input_below(in, 8)]);
		/* As many destinations and counters as the action takes, or not. */
		fields ^= (uint8_t)((field_get(cmd + 0x40, 3, 15, 0) >> 2 & 3) << 1);
		field_put(cmd + 0x40, 4, 23, 0, fields >> 1 & 1);
		field_put(cmd + 0x40, 5, 23, 0, fields >> 2 & 1);
		cmd[0x340] = 1;
		field_put(cmd + 0x340, 0, 23, 0, s->table[input_below(in, TABLES)]);
		be32_put(cmd, 0x340 + (fields >> 1 & 1) * 8, s->counter[input_below(in, TABLES)]);
		break;
	case 0x937:
	case 0x938:
		be32_put(cmd, 0x20, input_u8(in) & 0x4f);
		break;
	case 0x93a:
		be32_put(cmd, 8, s->counter[input_below(in, TABLES)]);
		break;
	case 0x93b:
		be32_put(cmd, 0x18, (uint32_t)(fields & 1) << 31 | fields >> 6);
		be32_put(cmd, 0x1c, s->counter[input_below(in, TABLES)]);
		break;
	default:
		break;
	}
	if (flags & 0x20) {
		uint16_t at = input_u16(in) % 0x3c0;

		input_bytes(in, cmd + at, 4);
	}
	if (flags & 0x40)
		ilen = (uint32_t)(input_u8(in) + 1) * 4;
	if (world_cmd(s->port, cmd, ilen < 16 ? 16 : ilen, out, sizeof(out)))
		return;
	if (op == 0x930) {
		s->rx[s->tables % TABLES] = rx;
		s->table[s->tables++ % TABLES] = be32_at(out, 8) & 0xffffff;
	}
	if (op == 0x939)
		s->counter[s->counters++ % TABLES] = be32_at(out, 8);
}

static void packet(struct state *s)
{
	uint8_t wqe[48], seg[16];

	if (queue_state(&s->qp) != HCA_QP_RTS)
		queue_revive(&s->qp);
	segment_data(seg, s->mem, s->lkey, 256);
	queue_recv(&s->qp, seg, sizeof(seg));
	segment_ctrl(wqe, HCA_OP_SEND, 8, 0);
	segment_data(wqe + 16, s->mem, s->lkey, 64);
	queue_send(&s->qp, wqe, 32);
	world_sleep(100000);
	world_poll(s->w, 4);
}

/* Two tables of each side, one of which is the root, with a group each; counters. */
static void make_tables(struct state *s)
{
	for (unsigned int i = 0; i < 4; i++) {
		uint8_t table[0x40] = { 0 }, group[0x40] = { 0 }, root[0x40] = { 0 };

		be16_put(table, 0, 0x930);
		table[0x10] = i & 1 ? 7 : 8;
		field_put(table + 0x18, 0, 23, 16, i);
		field_put(table + 0x18, 0, 7, 0, 6);
		s->rx[i] = i & 1;
		s->table[s->tables++] = world_must(s->port, table, sizeof(table));
		be16_put(group, 0, 0x933);
		group[0x10] = table[0x10];
		field_put(group, 5, 23, 0, s->table[i]);
		be32_put(group, 0x24, 63);
		world_must(s->port, group, sizeof(group));
		be16_put(root, 0, 0x92f);
		root[0x10] = table[0x10];
		field_put(root, 5, 23, 0, s->table[i]);
		if (i < 2)
			world_must(s->port, root, sizeof(root));
		s->counter[s->counters++] = world_simple(s->port, 0x939, 0, 0);
	}
}

void target_input(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	struct state s = { .w = world_new(NULL) };
	uint32_t pd;

	s.port = &s.w->port[0];
	pd = world_simple(s.port, 0x800, 0, 0);
	s.uid[0] = world_simple(s.port, 0xa04, 0, 0);
	s.uid[1] = world_simple(s.port, 0xa04, 0, 0);
	s.mem = world_alloc(s.w, 4096, 4096);
	s.lkey = queue_plain_key(s.port, pd, KEY_ALL, s.mem, 4096);
	s.qp = (struct queue_qp){ .port = s.port, .pd = pd };
	s.qp.cqn = queue_cq(s.port, queue_eq(s.port, 0, 0));
	queue_qp(&s.qp);
	queue_connect(&s.qp, &s.qp);
	make_tables(&s);
	for (unsigned int op = 0; op < OPS && !input_done(&in); op++) {
		if (input_u8(&in) < 0xe0)
			command(&s, &in);
		else
			packet(&s);
	}
	packet(&s);
	world_free(s.w);
}
