/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two functions with Ethernet ports on a switch, and a third port that anybody may send by: objects
 * in any order, registers, flow tables, WQEs, receives, RoCE, cables that are bad, captures.
 */
#include "base/clock.h"
#include "fuzz/cable.h"
#include "fuzz/frames.h"
#include "fuzz/oracle.h"
#include "fuzz/queues.h"
#include "fuzz/target.h"
#include "hca/data.h"
#include "hca/eth.h"

#define OPS	 48u
#define PAGE	 4096u
#define PAGES	 24u /* of memory of each side */
#define NUMBERS	 8u  /* of each kind, the newest ones */
#define LOG	 5u  /* blocks, or receives */
#define STRIDE	 64u
#define ADDR_MAX 8u

enum kind { TD, TIS, SQ, RQ, RQT, TIR, TABLE_RX, TABLE_TX, COUNTER, KINDS };

struct frame_queue {
	uint32_t number;
	uint64_t buf, dbr;
	uint16_t pi;
};

struct side {
	struct world_port *port;
	uint32_t pd, uid, cqn, lkey;
	uint64_t mem, pages;
	struct frame_queue sq, rq[2];
	struct queue_qp qp[2]; /* RC, UD */
	uint32_t number[KINDS][NUMBERS];
	unsigned int numbers[KINDS];
};

struct state {
	struct world *w;
	struct side side[2];
	struct bridge_port *wire, *more[BRIDGE_PORTS];
	unsigned int ports;
};

static void note(struct side *side, enum kind kind, uint32_t number)
{
	side->number[kind][side->numbers[kind]++ % NUMBERS] = number;
}

static uint32_t any(const struct side *side, struct input *in, enum kind kind)
{
	unsigned int made = side->numbers[kind] < NUMBERS ? side->numbers[kind] : NUMBERS;
	uint8_t which = input_u8(in);

	if (which >= 0xf0)
		return (uint32_t)input_number(in) & 0xffffff;
	return made ? side->number[kind][which % made] : 0;
}

/* --- objects ----------------------------------------------------------------------------- */

/* sqc or rqc and its wq, as a driver has them, at 0x20 of a command. */
static void queue_context(struct side *side, bool sq, uint32_t tis, struct frame_queue *queue,
			  uint8_t *cmd)
{
	uint8_t *context = cmd + 0x20, *wq = context + 0x30;

	field_put(context, 2, 23, 0, side->cqn);
	if (sq) {
		field_put(context, 8, 31, 16, 1);
		field_put(context, 11, 23, 0, tis);
	}
	field_put(wq, 0, 31, 28, 1);
	field_put(wq, 2, 23, 0, side->pd);
	field_put(wq, 3, 23, 0, side->port->uar);
	be64_put(wq, 0x10, queue->dbr);
	field_put(wq, 8, 19, 16, 6);
	field_put(wq, 8, 4, 0, LOG);
	be64_put(cmd, 0x110, queue->buf);
}

static void queue_state_cmd(uint8_t *cmd, uint32_t number, uint32_t from, uint32_t to)
{
	be32_put(cmd, 8, from << 28 | number);
	field_put(cmd + 0x20, 0, 23, 20, to);
}

/* In a umem of whom the command is of, with its record. */
static uint32_t in_umem(struct side *side, struct input *in, uint8_t *cmd)
{
	uint8_t make[0x30 + 8 * 4] = { 0 }, out[16], *wq = cmd + 0x50;
	uint32_t umem;

	be16_put(make, 0, 0xa08);
	be16_put(make, 2, be16_at(cmd, 2));
	be64_put(make, 0x28, 4);
	for (unsigned int i = 0; i < 4; i++)
		be64_put(make, 0x30 + 8 * (size_t)i, (side->pages + PAGE * (uint64_t)i) | 3);
	if (world_cmd(side->port, make, sizeof(make), out, sizeof(out)))
		return 0x110;
	umem = be32_at(out, 8) & 0xffffff;
	field_put(wq, 9, 31, 30, input_u8(in) & 3);
	be32_put(wq, 0x28, umem);
	be32_put(wq, 0x2c, umem);
	be64_put(wq, 0x30, input_u8(in) * 64u);
	be64_put(wq, 0x10, input_u8(in) * 8u);
	return 0x110;
}

static void tir_context(const struct side *side, struct input *in, uint8_t *tirc, bool indirect)
{
	uint8_t how = input_u8(in);

	field_put(tirc, 1, 31, 28, indirect);
	field_put(tirc, 7, 23, 0, any(side, in, RQ));
	field_put(tirc, 8, 31, 31, how & 1);
	field_put(tirc, 8, 23, 0, any(side, in, RQT));
	field_put(tirc, 9, 31, 28, how >> 1 & 3);
	field_put(tirc, 9, 23, 0, any(side, in, TD));
	for (unsigned int i = 0; i < 40; i++)
		tirc[0x28 + i] = (uint8_t)(how + i * 7);
	be32_put(tirc, 20 * 4, (uint32_t)(how >> 3 & 3) << 30 | (how & 0x20 ? 15 : input_u8(in)));
}

static void roce_address(const struct side *side, struct input *in, uint8_t *cmd)
{
	uint8_t which = input_u8(in);

	be16_put(cmd, 8, which & 0x80 ? input_u16(in) : which & 7);
	if (which & 0x40)
		memcpy(cmd + 0x10, frames_gid(side->port->index ^ (which >> 5 & 1), which & 1), 16);
	else if (which & 0x20)
		input_bytes(in, cmd + 0x10, 16);
	memcpy(cmd + 0x22, frames_mac(side->port->index), 6);
	cmd[0x20] = (uint8_t)(which & 0x10 ? 0x10 : 0);
	cmd[0x21] = 5;
	cmd[0x2b] = which & 8 ? input_u8(in) : 2;
}

static void vport_context(struct input *in, uint8_t *cmd)
{
	be32_put(cmd, 0x0c, input_u16(in));
	input_bytes(in, cmd + 0x100, 8);
	field_put(cmd + 0x100, 0, 0, 0, input_u8(in) & 1); /* RoCE */
	field_put(cmd + 0x100, 9, 15, 0, input_u16(in));
	input_bytes(in, cmd + 0x1f0, 16);
}

/* --- flow tables ------------------------------------------------------------------------- */

/* Masks of a group, and values of an entry: of the fields that frames have. */
static void match(struct input *in, uint8_t *key, const uint8_t *frame, size_t len, uint8_t mask)
{
	uint8_t seen[HCA_FRAME_KEY];
	struct hca_frame parsed;

	memset(seen, 0xff, sizeof(seen));
	if (frame) {
		hca_frame_parse(frame, len, &parsed);
		hca_frame_key(frame, len, &parsed, seen);
	}
	if (mask & 1)
		memcpy(key + 8, seen + 8, 6);
	if (mask & 2)
		memcpy(key + 6, seen + 6, 2);
	if (mask & 4)
		memcpy(key + 16, seen + 16, 8);
	if (mask & 8)
		memcpy(key, seen, 6);
	if (mask & 0x10)
		memcpy(key + 32, seen + 32, 32);
	if (mask & 0x80) {
		uint8_t at = input_u8(in) & 63;

		key[at] ^= input_u8(in);
	}
}

static void destinations(const struct side *side, struct input *in, uint8_t *cmd, bool rx)
{
	uint8_t what = input_u8(in);
	unsigned int count = what & 3;
	uint8_t *item = cmd + 0x340;

	field_put(cmd + 0x40, 2, 23, 0, rx ? what >> 2 & 1 : 0); /* tag */
	field_put(cmd + 0x40, 3, 15, 0, what & 0x10 ? what & 8 ? 2 : 1 : 4);
	field_put(cmd + 0x40, 4, 23, 0, count);
	for (unsigned int i = 0; i < count; i++, item += 8) {
		uint8_t to = input_u8(in);

		item[0] = to & 0x80 ? 1 : 2;
		field_put(item, 0, 23, 0,
			  any(side, in,
			      to < 0x80 ? TIR
			      : rx	? TABLE_RX
					: TABLE_TX));
	}
	if (what & 0x20) {
		field_put(cmd + 0x40, 3, 3, 3, 1);
		field_put(cmd + 0x40, 5, 23, 0, 1);
		be32_put(item, 0, any(side, in, COUNTER));
	}
}

static uint32_t flow(const struct side *side, struct input *in, uint16_t op, uint8_t *cmd)
{
	uint8_t what = input_u8(in), frame[FRAMES_MAX];
	bool rx = what & 1;
	size_t len;

	cmd[0x10] = what & 0x40 ? input_u8(in) & 15 : !rx;
	if (op != 0x930)
		field_put(cmd, 5, 23, 0, any(side, in, rx ? TABLE_RX : TABLE_TX));
	switch (op) {
	case 0x92f:
		be16_put(cmd, 6, what >> 7);
		break;
	case 0x930:
	case 0x93c:
		field_put(cmd + 0x18, 0, 27, 24, what >> 1 & 1);
		field_put(cmd + 0x18, 0, 23, 16, input_u8(in));
		field_put(cmd + 0x18, 0, 7, 0, what >> 2 & 7);
		field_put(cmd + 0x18, 1, 23, 0, any(side, in, rx ? TABLE_RX : TABLE_TX));
		be16_put(cmd, 0xe, 1);
		break;
	case 0x933:
		be32_put(cmd, 0x1c, input_u8(in) & 15);
		be32_put(cmd, 0x24, be32_at(cmd, 0x1c) + (input_u8(in) & 15));
		cmd[0x3f] = what & 2 ? 1 : 0;
		match(in, cmd + 0x40, NULL, 0, what & 2 ? input_u8(in) : 0);
		return 0x400;
	case 0x934:
	case 0x935:
		be32_put(cmd, 0x18, input_u8(in) & 3);
		break;
	case 0x936:
		be16_put(cmd, 6, what >> 5 & 1);
		be32_put(cmd, 0x18, what & 0x20 ? input_u8(in) & 15 : 0);
		be32_put(cmd, 0x20, input_u8(in) & 15);
		be32_put(cmd, 0x44, input_u8(in) & 3);
		if (what & 2) {
			len = frames_make(in, frame, 0);
			match(in, cmd + 0x80, frame, len, input_u8(in));
		}
		destinations(side, in, cmd, rx);
		return 0x360;
	case 0x937:
	case 0x938:
		be32_put(cmd, 0x20, input_u8(in) & 15);
		break;
	default:
		break;
	}
	return 0x40;
}

/* --- commands ---------------------------------------------------------------------------- */

static const struct op {
	uint16_t op;
	uint8_t kind; /* what it makes or names; KINDS: nothing */
	bool makes;
} ops[] = {
	{ 0x750, KINDS, false },    { 0x754, KINDS, false },	{ 0x755, KINDS, false },
	{ 0x761, KINDS, false },    { 0x805, KINDS, false },	{ 0x770, KINDS, false },
	{ 0x816, TD, true },	    { 0x817, TD, false },	{ 0x900, TIR, true },
	{ 0x901, TIR, false },	    { 0x902, TIR, false },	{ 0x903, TIR, false },
	{ 0x904, SQ, true },	    { 0x905, SQ, false },	{ 0x906, SQ, false },
	{ 0x907, SQ, false },	    { 0x908, RQ, true },	{ 0x909, RQ, false },
	{ 0x90a, RQ, false },	    { 0x90b, RQ, false },	{ 0x912, TIS, true },
	{ 0x913, TIS, false },	    { 0x914, TIS, false },	{ 0x916, RQT, true },
	{ 0x917, RQT, false },	    { 0x918, RQT, false },	{ 0x92f, TABLE_RX, false },
	{ 0x930, TABLE_RX, true },  { 0x931, TABLE_RX, false }, { 0x932, TABLE_RX, false },
	{ 0x933, KINDS, false },    { 0x934, KINDS, false },	{ 0x935, KINDS, false },
	{ 0x936, KINDS, false },    { 0x937, KINDS, false },	{ 0x938, KINDS, false },
	{ 0x939, COUNTER, true },   { 0x93a, COUNTER, false },	{ 0x93b, COUNTER, false },
	{ 0x93c, TABLE_RX, false }, { 0x10b, KINDS, false },	{ 0xa06, KINDS, false },
};

/* What follows the head of the command. Returns its length. */
static uint32_t fill(struct side *side, struct input *in, uint16_t op, uint8_t *cmd)
{
	static const uint16_t registers[] = { 0x5003, 0x5004, 0x5006, 0x5007,
					      0x5008, 0x5041, 0x500f, 0x9024 };
	struct frame_queue queue = { .buf = side->pages + PAGE * (uint64_t)(4 + (input_u8(in) & 3)),
				     .dbr = side->pages + PAGE * 8 + 64 };
	uint8_t what, *context = cmd + 0x20;

	switch (op) {
	case 0x755:
		vport_context(in, cmd);
		return 0x200;
	case 0x761:
		roce_address(side, in, cmd);
		return 0x30;
	case 0x805:
		what = input_u8(in);
		cmd[7] = what >> 7;
		be32_put(cmd, 8, registers[what & 7]);
		input_bytes(in, cmd + 0x10, 12);
		return 0x110;
	case 0x900:
	case 0x901:
		what = input_u8(in);
		if (op == 0x901)
			be32_put(cmd, 0x14, what & 0x1f);
		tir_context(side, in, context, what & 0x80);
		return 0x110;
	case 0x904:
	case 0x908:
		what = input_u8(in);
		queue_context(side, op == 0x904, any(side, in, TIS), &queue, cmd);
		field_put(cmd + 0x50, 8, 19, 16, op == 0x904 || what & 1 ? 6 : what >> 4);
		field_put(context, 0, 28, 28, what >> 1 & 1); /* vsd */
		field_put(context, 3, 31, 24, what & 4 ? input_u8(in) & 3 : 0);
		return what & 8 ? in_umem(side, in, cmd) : 0x118;
	case 0x905:
	case 0x909:
		what = input_u8(in);
		queue_state_cmd(cmd, be32_at(cmd, 8), what & 3, what >> 2 & 3);
		be32_put(cmd, 0x14, what >> 4);
		return 0x110;
	case 0x912:
	case 0x913:
		field_put(context, 0, 19, 16, input_u8(in) & 15);
		field_put(context, 9, 23, 0, any(side, in, TD));
		be32_put(cmd, 0x14, 1);
		return 0xc0;
	case 0x916:
	case 0x917:
		what = input_u8(in) & 0x1f;
		be32_put(cmd, 0x14, what == 0x1f ? 2 : 1);
		field_put(context, 5, 15, 0, what & 0x10 ? 512 : 4);
		field_put(context, 6, 15, 0, what & 7);
		for (unsigned int i = 0; i < 7; i++)
			be32_put(context, 0xf0 + 4 * i, i < (what & 7u) ? any(side, in, RQ) : 0);
		return 0x130;
	case 0x93b:
		be32_put(cmd, 0x1c, any(side, in, COUNTER));
		return 0x20;
	default:
		return (op & ~0xfu) == 0x920 || (op & ~0xfu) == 0x930 ? flow(side, in, op, cmd)
								      : 0x110;
	}
}

static void command(struct state *s, struct input *in)
{
	uint8_t cmd[0x410] = { 0 }, out[0x410], flags = input_u8(in);
	const struct op *op = &ops[input_below(in, sizeof(ops) / sizeof(ops[0]))];
	struct side *side = &s->side[flags & 1];
	uint32_t ilen, olen = op->op >= 0x92f && op->op < 0x940 ? 0x400 : 0x110;

	be16_put(cmd, 0, op->op);
	be16_put(cmd, 2, (uint16_t)(flags & 2 ? side->uid : 0));
	if (op->kind < TABLE_RX && !op->makes)
		be32_put(cmd, 8, any(side, in, (enum kind)op->kind));
	ilen = fill(side, in, op->op, cmd);
	if (op->op == 0x93a)
		be32_put(cmd, 8, any(side, in, COUNTER));
	if (op->op == 0x805 || op->op == 0x770)
		olen = 0x210;
	if (flags & 4) {
		uint16_t at = input_u16(in) % 0x118;

		input_bytes(in, cmd + at, 4);
	}
	if (flags & 8)
		ilen = 16 + input_u8(in) * 4u;
	if (flags & 0x10)
		olen = 16 + input_u8(in) * 4u;
	if (world_cmd(side->port, cmd, ilen, out, olen) || !op->makes)
		return;
	note(side, op->kind == TABLE_RX && cmd[0x10] ? TABLE_TX : (enum kind)op->kind,
	     be32_at(out, 8) & 0xffffff);
}

/* --- frames ------------------------------------------------------------------------------ */

static void ring(const struct side *side, const struct frame_queue *sq)
{
	const struct queue_qp as_qp = { .port = side->port, .number = sq->number, .sq_pi = sq->pi };

	queue_ring(&as_qp);
}

static void post(struct state *s, const struct side *side, struct frame_queue *sq, uint8_t *wqe,
		 size_t len)
{
	field_put(wqe, 0, 23, 8, sq->pi);
	field_put(wqe, 1, 31, 8, sq->number);
	field_put(wqe, 1, 5, 0, (uint32_t)(len / 16));
	for (size_t done = 0; done < len; done += 16)
		memcpy(world_at(s->w, sq->buf + (64 * (uint64_t)sq->pi + done) % (64u << LOG), 16),
		       wqe + done, 16);
	sq->pi = (uint16_t)(sq->pi + (len + 63) / 64);
	be32_put(world_at(s->w, sq->dbr, 8), 4, sq->pi);
	ring(side, sq);
}

/* A frame, or a long message, whose first bytes are in the WQE. */
static void send(struct state *s, struct input *in)
{
	uint8_t how = input_u8(in), wqe[1024] = { 0 }, frame[FRAMES_MAX];
	struct side *side = &s->side[how & 1];
	size_t len = frames_make(in, frame, side->port->index), inlined = 18, at = 32;
	uint32_t tail = 0;
	bool lso = how & 2;

	if (lso) {
		inlined = frames_headers(frame, len);
		tail = (uint32_t)input_u8(in) << (how & 4 ? 8 : 2);
	} else if (how & 8) {
		inlined = input_u8(in);
	}
	inlined = inlined < len ? inlined : len;
	segment_ctrl(wqe, lso ? HCA_OP_LSO : HCA_OP_SEND, 8, 0);
	wqe[20] = how & 0x10 ? 0xc0 : input_u8(in) & 0xc0;
	be16_put(wqe, 22, (uint16_t)(lso ? 1 + input_u16(in) % 4096 : 0));
	be16_put(wqe, 28, (uint16_t)inlined);
	memcpy(wqe + 30, frame, inlined);
	if (inlined > 2)
		at += (inlined - 2 + 15) / 16 * 16;
	memcpy(world_at(s->w, side->mem, FRAMES_MAX), frame, len);
	if (len > inlined) {
		segment_data(wqe + at, side->mem + inlined, side->lkey, (uint32_t)(len - inlined));
		at += 16;
	}
	if (tail) {
		segment_data(wqe + at, side->mem, side->lkey, tail);
		at += 16;
	}
	if (how & 0x20) {
		uint16_t where = input_u16(in) % 128;

		input_bytes(in, wqe + where, 4);
	}
	post(s, side, &side->sq, wqe, at);
	if (!(how & 0x40))
		world_poll(s->w, 4);
}

static void receive(struct state *s, struct input *in)
{
	uint8_t how = input_u8(in);
	struct side *side = &s->side[how & 1];
	struct frame_queue *rq = &side->rq[how >> 1 & 1];

	for (unsigned int i = 0; i <= (how >> 6); i++) {
		uint8_t *wqe = world_at(s->w, rq->buf + (rq->pi % (1u << LOG)) * STRIDE, STRIDE);

		memset(wqe, 0, STRIDE);
		segment_data(wqe, side->mem + (1 + (how >> 2 & 3)) * PAGE, side->lkey,
			     0x80000000u | (how & 0x20 ? input_u16(in) : 2 * PAGE));
		be32_put(wqe, 20, 0x100);
		if (how & 0x10) {
			uint8_t at = input_u8(in) & 31;

			input_bytes(in, wqe + at, 4);
		}
		be32_put(world_at(s->w, rq->dbr, 8), 0, ++rq->pi);
	}
}

/* What somebody else on the switch sends. */
static void from_wire(struct state *s, struct input *in)
{
	uint8_t how = input_u8(in), frame[FRAMES_MAX] = { 0 };
	const struct side *side = &s->side[how & 1];
	struct bridge_port *from = how & 0x10 && s->ports ? s->more[0] : s->wire;
	size_t len = how & 2 ? frames_make_roce(in, frame, side->qp[1].number)
			     : frames_make(in, frame, 2);

	for (unsigned int i = 0; i <= (how >> 5); i++) {
		uint16_t at = how & 0x0c ? input_u16(in) : 0;

		if (how & 4)
			frame[at % len] ^= input_u8(in);
		bridge_send(from, frame, how & 8 ? at % (len + 1) : len, clock_now_ns());
	}
	world_poll(s->w, 3);
}

/* --- RoCE -------------------------------------------------------------------------------- */

static void datagram(struct state *s, struct input *in)
{
	uint8_t how = input_u8(in), wqe[80] = { 0 }, index = input_u8(in);
	struct side *side = &s->side[how & 1], *far = &s->side[!(how & 1)];
	struct queue_qp *qp = &side->qp[1];
	bool ipv4 = index & 1;

	segment_ctrl(wqe, how & 2 ? HCA_OP_SEND_IMM : HCA_OP_SEND, 8, 0x01020304);
	segment_av(wqe + 16, 0x11111111, 0x80000000u | far->qp[1].number, how & 4 ? 0xc123 : 0);
	memcpy(wqe + 36, frames_mac(how & 8 ? 3 : far->port->index), 6);
	wqe[43] = 64;
	be32_put(wqe, 44, (uint32_t)index << 20 | 0x12345);
	memcpy(wqe + 48, frames_gid(how & 0x10 ? side->port->index : far->port->index, ipv4), 16);
	if (how & 0x20)
		input_bytes(in, wqe + 48, 16);
	segment_data(wqe + 64, side->mem, side->lkey, input_u16(in) % PAGE);
	if (queue_state(qp) == HCA_QP_RTS)
		queue_send(qp, wqe, sizeof(wqe));
	world_poll(s->w, 4);
}

static void connected(struct state *s, struct input *in)
{
	static const uint8_t opcodes[] = { HCA_OP_SEND, HCA_OP_WRITE, HCA_OP_READ,
					   HCA_OP_SEND_IMM };
	uint8_t how = input_u8(in), wqe[48] = { 0 };
	struct side *side = &s->side[how & 1], *far = &s->side[!(how & 1)];
	struct queue_qp *qp = &side->qp[0];
	uint8_t opcode = opcodes[how >> 1 & 3];
	size_t at = 16;

	segment_ctrl(wqe, opcode, 8, 0);
	if (opcode == HCA_OP_WRITE || opcode == HCA_OP_READ) {
		segment_raddr(wqe + at, far->mem, far->lkey);
		at += 16;
	}
	segment_data(wqe + at, side->mem, side->lkey, input_u16(in) % (4 * PAGE));
	if (queue_state(qp) == HCA_QP_RTS)
		queue_send(qp, wqe, at + 16);
	world_poll(s->w, 6);
}

static void qp_receive(struct state *s, struct input *in)
{
	uint8_t how = input_u8(in), segment[16];
	struct side *side = &s->side[how & 1];

	segment_data(segment, side->mem + PAGE, side->lkey, 64u << (how >> 2 & 7));
	queue_recv(&side->qp[how >> 1 & 1], segment, sizeof(segment));
}

static void take_nothing(void *owner, const uint8_t *frame, size_t len)
{
	(void)owner;
	if (len && frame[0] == frame[len - 1]) /* it can be looked at, all of it */
		return;
}

static struct bridge_port *add_port(struct state *s)
{
	const struct bridge_port_attr attr = { .owner = s, .deliver = take_nothing };

	return bridge_add(s->w->bridge, &attr);
}

static void ports(struct state *s, struct input *in)
{
	uint8_t how = input_u8(in);

	switch (how & 7) {
	case 0:
		for (unsigned int i = 0; i <= (how >> 3) * 2u; i++) {
			struct bridge_port *port = add_port(s);

			if (!port)
				break;
			s->more[s->ports++] = port;
		}
		break;
	case 1:
		if (s->ports)
			bridge_remove(s->more[--s->ports]);
		break;
	case 2:
		bridge_set_link(s->wire, how & 8);
		break;
	case 3:
		if (bridge_counts(s->wire).in_octets < 14 * bridge_counts(s->wire).in)
			finding("frames of less than a header came in");
		break;
	case 4:
		if (bridge_stations(s->w->bridge) > BRIDGE_STATIONS)
			finding("%u stations", bridge_stations(s->w->bridge));
		bridge_find(s->w->bridge, frames_mac(how >> 3 & 3), clock_now_ns());
		break;
	case 5:
		world_sleep((uint64_t)input_u16(in) << (how >> 3));
		break;
	default:
		hca_set_link(s->w->port[how >> 3 & 1].hca, how & 0x10);
		break;
	}
	world_poll(s->w, 2);
}

static void reset(struct state *s, struct input *in)
{
	struct world_port *port = &s->w->port[input_u8(in) & 1];

	pcie_function_reset(port->fn, PCIE_RESET_CONVENTIONAL);
	world_poll(s->w, 1);
	/* What the other function has sent in its own turn, behind the reset, waits and is charged.
	 */
	hca_eth_drop(port->hca);
	oracle_after_reset(port);
}

/* --- a driver that does what it should --------------------------------------------------- */

static void make_queue(struct state *s, struct side *side, bool sq, struct frame_queue *queue)
{
	uint8_t cmd[0x118] = { 0 };

	queue->buf = world_alloc(s->w, 64u << LOG, PAGE);
	queue->dbr = world_alloc(s->w, 64, 64);
	be16_put(cmd, 0, sq ? 0x904 : 0x908);
	queue_context(side, sq, side->number[TIS][0], queue, cmd);
	field_put(cmd + 0x20, 0, 28, 28, !sq && queue == &side->rq[1]); /* keeps tags */
	queue->number = world_must(side->port, cmd, sizeof(cmd));
	note(side, sq ? SQ : RQ, queue->number);
	memset(cmd, 0, sizeof(cmd));
	be16_put(cmd, 0, sq ? 0x905 : 0x909);
	queue_state_cmd(cmd, queue->number, 0, 1);
	world_must(side->port, cmd, 0x110);
}

static void make_tirs(struct side *side)
{
	uint8_t cmd[0x130] = { 0 }, *context = cmd + 0x20;

	be16_put(cmd, 0, 0x916);
	field_put(context, 5, 15, 0, 4);
	field_put(context, 6, 15, 0, 2);
	be32_put(context, 0xf0, side->rq[0].number);
	be32_put(context, 0xf4, side->rq[1].number);
	note(side, RQT, world_must(side->port, cmd, sizeof(cmd)));
	for (unsigned int i = 0; i < 4; i++) { /* direct, and by each hash */
		memset(cmd, 0, sizeof(cmd));
		be16_put(cmd, 0, 0x900);
		field_put(context, 1, 31, 28, i > 0);
		if (i)
			field_put(context, 8, 23, 0, side->number[RQT][0]);
		else
			field_put(context, 7, 23, 0, side->rq[0].number);
		field_put(context, 8, 31, 31, i == 2);
		field_put(context, 9, 31, 28, i ? 1 + (i & 1) : 0);
		field_put(context, 9, 23, 0, side->number[TD][0]);
		memset(context + 0x28, 0x6d, 40);
		be32_put(context, 80, i == 3 ? 0xc000000f : 0xf);
		note(side, TIR, world_must(side->port, cmd, 0x110));
	}
}

static void make_entry(struct side *side, uint32_t index, uint32_t group, const uint8_t *dmac,
		       uint32_t tir)
{
	uint8_t cmd[0x348] = { 0 };

	be16_put(cmd, 0, 0x936);
	field_put(cmd, 5, 23, 0, side->number[TABLE_RX][0]);
	be32_put(cmd, 0x20, index);
	be32_put(cmd, 0x44, group);
	field_put(cmd + 0x40, 3, 15, 0, 4);
	field_put(cmd + 0x40, 4, 23, 0, 1);
	if (dmac)
		memcpy(cmd + 0x88, dmac, 6);
	cmd[0x340] = 2;
	field_put(cmd + 0x340, 0, 23, 0, tir);
	world_must(side->port, cmd, sizeof(cmd));
}

/* The root of what comes: by address in a group, and all else. */
static void make_flow(struct side *side)
{
	uint8_t cmd[0x400] = { 0 };
	uint32_t group[2];

	be16_put(cmd, 0, 0x930);
	field_put(cmd + 0x18, 0, 23, 16, 1);
	field_put(cmd + 0x18, 0, 7, 0, 4);
	note(side, TABLE_RX, world_must(side->port, cmd, 0x40));
	for (unsigned int i = 0; i < 2; i++) {
		memset(cmd, 0, sizeof(cmd));
		be16_put(cmd, 0, 0x933);
		field_put(cmd, 5, 23, 0, side->number[TABLE_RX][0]);
		be32_put(cmd, 0x1c, 6 * i);
		be32_put(cmd, 0x24, 6 * i + 5);
		cmd[0x3f] = !i;
		if (!i)
			memset(cmd + 0x48, 0xff, 6);
		group[i] = world_must(side->port, cmd, sizeof(cmd));
	}
	make_entry(side, 0, group[0], frames_mac(side->port->index), side->number[TIR][1]);
	make_entry(side, 1, group[0], frames_mac(3), side->number[TIR][2]);
	make_entry(side, 8, group[1], NULL, side->number[TIR][0]);
	memset(cmd, 0, 0x40);
	be16_put(cmd, 0, 0x92f);
	field_put(cmd, 5, 23, 0, side->number[TABLE_RX][0]);
	world_must(side->port, cmd, 0x40);
	memset(cmd, 0, 0x40);
	be16_put(cmd, 0, 0x930);
	cmd[0x10] = 1;
	field_put(cmd + 0x18, 0, 7, 0, 4);
	note(side, TABLE_TX, world_must(side->port, cmd, 0x40));
	note(side, COUNTER, world_simple(side->port, 0x939, 0, 0));
}

/* RoCE is on, with an address of each kind. */
static void make_roce(struct side *side)
{
	unsigned int i = side->port->index;
	uint8_t cmd[0x200] = { 0 };

	be16_put(cmd, 0, 0x755);
	be32_put(cmd, 0x0c, 2);
	cmd[0x103] = 1;
	world_must(side->port, cmd, sizeof(cmd));
	for (unsigned int v4 = 0; v4 < 2; v4++) {
		memset(cmd, 0, sizeof(cmd));
		be16_put(cmd, 0, 0x761);
		be16_put(cmd, 8, (uint16_t)v4);
		memcpy(cmd + 0x10, frames_gid(i, v4), 16);
		memcpy(cmd + 0x22, frames_mac(i), 6);
		cmd[0x2b] = 2;
		world_must(side->port, cmd, 0x30);
	}
}

static void make_side(struct state *s, unsigned int i)
{
	struct side *side = &s->side[i];
	uint8_t cmd[0xc0] = { 0 };

	side->port = &s->w->port[i];
	side->pd = world_simple(side->port, 0x800, 0, 0);
	side->uid = world_simple(side->port, 0xa04, 0, 0);
	side->cqn = queue_cq(side->port, queue_eq(side->port, 0x1fffff, 1));
	side->mem = world_alloc(s->w, PAGES * PAGE, PAGE);
	side->pages = world_alloc(s->w, 12 * PAGE, PAGE);
	side->lkey = queue_plain_key(side->port, side->pd, KEY_ALL, side->mem, PAGES * PAGE);
	note(side, TD, world_simple(side->port, 0x816, 0, 0));
	be16_put(cmd, 0, 0x912);
	field_put(cmd + 0x20, 9, 23, 0, side->number[TD][0]);
	note(side, TIS, world_must(side->port, cmd, sizeof(cmd)));
	make_queue(s, side, true, &side->sq);
	make_queue(s, side, false, &side->rq[0]);
	make_queue(s, side, false, &side->rq[1]);
	make_tirs(side);
	make_flow(side);
	make_roce(side);
	for (unsigned int q = 0; q < 2; q++) {
		side->qp[q] = (struct queue_qp){ .port = side->port,
						 .type = q ? HCA_QP_UD : HCA_QP_RC,
						 .pd = side->pd,
						 .cqn = side->cqn,
						 .gid = frames_gid(i, true) };
		queue_qp(&side->qp[q]);
	}
}

void target_input(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	struct state s = { .w = world_new_ethernet() };

	make_side(&s, 0);
	make_side(&s, 1);
	for (unsigned int q = 0; q < 4; q++)
		queue_connect(&s.side[q & 1].qp[q >> 1], &s.side[!(q & 1)].qp[q >> 1]);
	s.wire = add_port(&s);
	if (!s.wire)
		world_broken("no port");
	for (unsigned int op = 0; op < OPS && !input_done(&in); op++) {
		uint8_t what = input_u8(&in);

		if (what < 0x50)
			command(&s, &in);
		else if (what < 0x70)
			send(&s, &in);
		else if (what < 0x88)
			receive(&s, &in);
		else if (what < 0xa8)
			from_wire(&s, &in);
		else if (what < 0xb8)
			datagram(&s, &in);
		else if (what < 0xc8)
			connected(&s, &in);
		else if (what < 0xd8)
			qp_receive(&s, &in);
		else if (what < 0xe8)
			ports(&s, &in);
		else if (what < 0xfc)
			cable(s.w, &in);
		else
			reset(&s, &in);
	}
	world_poll(s.w, 8);
	while (s.ports)
		bridge_remove(s.more[--s.ports]);
	bridge_remove(s.wire);
	world_free(s.w);
}
