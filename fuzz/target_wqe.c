/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * WQEs of every QP type between two functions: send WQEs of all opcodes, segment by segment and
 * then with bytes changed, receives of own and shared queues, counters that lie, page faults, state
 * changes and memory that changes after it was read; bad cables, and captures of them.
 */
#include "fuzz/cable.h"
#include "fuzz/queues.h"
#include "fuzz/target.h"
#include "hca/cmd.h"
#include "hca/data.h"
#include "hca/mkc.h"

#define PAGE	  4096u
#define TYPES	  8u
#define OPS	  40u
#define KEYS	  6u
#define SIGNALLED 0x08u
#define Q_KEY	  0x11111111u

struct side {
	struct world_port *port;
	uint32_t pd, pd_victim, srqn, dct;
	uint64_t srq, srq_dbr, mem; /* mem: 16 pages, keys end at odd places */
	uint16_t srq_pi;
	uint32_t key[KEYS];
	struct queue_qp qp[TYPES];
};

struct state {
	struct world *w;
	struct side side[2];
};

static const uint8_t mgid[16] = { 0xff, 0x12, 0x40, 0x1b, 0xff, 0xff };

static const uint8_t types[TYPES] = { HCA_QP_RC,  HCA_QP_UC,  HCA_QP_UD,  HCA_QP_XRC,
				      HCA_QP_DCI, HCA_QP_GSI, HCA_QP_SMI, HCA_QP_RC };

static uint32_t any_key(const struct side *side, struct input *in)
{
	uint8_t which = input_u8(in);

	if (which >= 0xf0)
		return input_u32(in);
	return which >= 0xe0 ? HCA_KEY_END + (which & 3) * 0x100 : side->key[which % KEYS];
}

static uint64_t any_address(const struct side *side, struct input *in)
{
	uint8_t which = input_u8(in);

	return which >= 0xf0 ? input_number(in)
			     : side->mem + (which & 15) * PAGE - (which >> 4 & 7);
}

static uint32_t any_length(struct input *in)
{
	static const uint32_t lengths[] = { 8, 1, 64, 255, 256, PAGE, 3 * PAGE, 0 };
	uint8_t which = input_u8(in);

	return which & 8 ? (uint32_t)input_number(in) : lengths[which & 7];
}

static void any_data(const struct side *side, struct input *in, uint8_t *segment)
{
	uint64_t addr = any_address(side, in);
	uint32_t key = any_key(side, in);

	segment_data(segment, addr, key, any_length(in));
}

/* Data segments: in memory, or inside the WQE. Returns the WQE's length with them. */
static size_t payload(const struct side *side, struct input *in, uint8_t *wqe, size_t len)
{
	unsigned int segs = input_u8(in) & 3;

	for (unsigned int i = 0; i <= segs && len + 80 <= 1024; i++) {
		uint8_t kind = input_u8(in);

		if (kind < 0x40) {
			be32_put(wqe, len, 1u << 31 | (kind & 63));
			input_bytes(in, wqe + len + 4, kind & 7);
			len += (4 + (kind & 63u) + 15) & ~15u;
			continue;
		}
		any_data(side, in, wqe + len);
		len += 16;
	}
	return len;
}

static void address_vector(struct state *s, struct input *in, const struct side *far, uint8_t *seg,
			   bool dc)
{
	uint8_t flags = input_u8(in);
	uint32_t qpn = far->qp[flags & 7].number;

	segment_av(seg, Q_KEY,
		   dc		  ? far->dct
		   : flags & 0x20 ? 1
				  : qpn,
		   flags & 0x40 ? (uint16_t)input_number(in) : far->port->hca->params.lid);
	if (dc)
		be64_put(seg, 0, 0);
	if ((flags & 0xc0) == 0xc0) { /* to the group */
		be16_put(seg, 14, SUBNET_MLID_FIRST);
		be32_put(seg, 8, 0xffffff);
		be32_put(seg, 28, 1u << 30);
		memcpy(seg + 32, mgid, 16);
	} else if (flags & 0x80) { /* with a GRH */
		be32_put(seg, 28, 1u << 30);
		be64_put(seg, 32, SUBNET_GID_PREFIX);
		be64_put(seg, 40, far->port->hca->params.guid);
	}
	(void)s;
}

static void send(struct state *s, struct input *in)
{
	static const uint8_t opcodes[] = { HCA_OP_SEND,
					   HCA_OP_SEND_IMM,
					   HCA_OP_WRITE,
					   HCA_OP_WRITE_IMM,
					   HCA_OP_READ,
					   HCA_OP_ATOMIC_CS,
					   HCA_OP_ATOMIC_FA,
					   HCA_OP_SEND_INV,
					   HCA_OP_NOP,
					   HCA_OP_UMR,
					   HCA_OP_SEND,
					   HCA_OP_WRITE,
					   HCA_OP_READ,
					   0x0e,
					   0x14,
					   HCA_OP_MMO };
	uint8_t who = input_u8(in), what = input_u8(in), wqe[1024] = { 0 };
	struct side *side = &s->side[who & 1], *far = &s->side[!(who & 1)];
	struct queue_qp *qp = &side->qp[who >> 1 & 7];
	uint8_t opcode = opcodes[what & 15], flags;
	uint64_t addr;
	size_t len = 16;

	flags = what & 0x80 ? input_u8(in) : SIGNALLED;
	segment_ctrl(wqe, opcode, flags, any_key(opcode == HCA_OP_UMR ? side : far, in));
	if (qp->type == HCA_QP_XRC) {
		be32_put(wqe, len, far->srqn);
		len += 16;
	} else if (qp->type == HCA_QP_DCI || qp->type == HCA_QP_UD || qp->type == HCA_QP_GSI) {
		address_vector(s, in, far, wqe + len, qp->type == HCA_QP_DCI);
		len += 48;
	}
	if (opcode >= HCA_OP_READ || opcode == HCA_OP_WRITE || opcode == HCA_OP_WRITE_IMM) {
		addr = any_address(far, in);
		segment_raddr(wqe + len, addr, any_key(far, in));
		len += 16;
	}
	if (opcode == HCA_OP_ATOMIC_CS || opcode == HCA_OP_ATOMIC_FA) {
		input_bytes(in, wqe + len, 16);
		addr = any_address(side, in);
		segment_data(wqe + len + 16, addr, any_key(side, in), 8);
		len += 32;
	} else if (opcode == HCA_OP_UMR) {
		input_bytes(in, wqe + 16, 16);
		len = 128;
	} else if (opcode == HCA_OP_MMO) {
		wqe[0] = 1;
		any_data(side, in, wqe + 32);
		any_data(side, in, wqe + 48);
		memcpy(wqe + 48, wqe + 32, 4);
		len = 64;
	} else if (opcode != HCA_OP_NOP) {
		len = payload(side, in, wqe, len);
	}
	if (what & 0x40) { /* some other bytes */
		uint16_t at = input_u16(in) % 1020;

		input_bytes(in, wqe + at, 4);
		len = ((size_t)input_u8(in) & 63) * 16 + 16;
	}
	if (queue_state(qp) != HCA_QP_RTS && !(what & 0x20))
		queue_revive(qp);
	queue_send(qp, wqe, len > 1008 ? 1008 : len);
	if (what & 0x10) /* more follow before the device looks */
		return;
	world_poll(s->w, 6);
}

static void receive(struct state *s, struct input *in)
{
	uint8_t who = input_u8(in), segs[QUEUE_STRIDE] = { 0 };
	struct side *side = &s->side[who & 1];
	struct queue_qp *qp = &side->qp[who >> 1 & 7];
	unsigned int count = 1 + (who >> 4 & 1);

	for (unsigned int i = 0; i < count; i++)
		any_data(side, in, segs + 16 * i);
	if (who & 0x20) {
		uint8_t *wqe = world_at(s->w, side->srq + (side->srq_pi & 15) * QUEUE_STRIDE,
					QUEUE_STRIDE);

		memcpy(wqe + 16, segs, 16 * count);
		be32_put(wqe, 16 + 16 * count + 4, 0x100);
		be32_put(world_at(s->w, side->srq_dbr, 4), 0, ++side->srq_pi);
		return;
	}
	queue_recv(qp, segs, 16 * count);
}

/* Counters, rings and shared queues that do not say what was posted. */
static void lie(struct state *s, struct input *in)
{
	uint8_t who = input_u8(in);
	struct side *side = &s->side[who & 1];
	struct queue_qp *qp = &side->qp[who >> 1 & 7];
	uint8_t *srq = world_at(s->w, side->srq, 16 * QUEUE_STRIDE), *entry;

	switch (who >> 4) {
	case 0:
	case 1:
		be32_put(world_at(s->w, qp->dbr, 8), 4 * (who >> 4), input_u16(in));
		queue_ring(qp);
		break;
	case 2:
		entry = srq + input_below(in, 16) * QUEUE_STRIDE;
		be16_put(entry, 2, input_u16(in));
		break;
	case 3:
		be32_put(world_at(s->w, side->srq_dbr, 4), 0, input_u16(in));
		break;
	default: {
		struct world_flip *flip = &s->w->flip[who >> 4 & 7];

		flip->addr = (who & 0x80 ? qp->sq_buf : qp->buf) + input_u16(in) % 2048;
		flip->value = input_u8(in);
		flip->armed = true;
		break;
	}
	}
	world_poll(s->w, 4);
}

static void change(struct state *s, struct input *in)
{
	static const uint16_t ops[] = { 0x507, 0x50a, 0x505, 0x506, 0x204, 0x703, 0x712, 0x50b };
	uint8_t who = input_u8(in), cmd[0x110] = { 0 };
	struct side *side = &s->side[who & 1];
	struct queue_qp *qp = &side->qp[who >> 1 & 7];
	uint16_t op = ops[who >> 5];

	be16_put(cmd, 0, op);
	be32_put(cmd, 8, op == 0x703 ? side->srqn : op == 0x712 ? side->dct : qp->number);
	if (op == 0x204) { /* PAGE_FAULT_RESUME */
		be32_put(cmd, 8, (uint32_t)input_u8(in) << 24);
		be32_put(cmd, 12, qp->number);
	} else if (op == 0x703) {
		be32_put(cmd, 12, input_u8(in));
	}
	cmd[0x18 + 1] = (uint8_t)qp->type;
	world_cmd(side->port, cmd, sizeof(cmd), NULL, op == 0x50b ? 0x110 : 16);
	world_sleep((uint64_t)input_u8(in) << 14);
	world_poll(s->w, 4);
}

/* Rights, ends and kinds that differ; the last one belongs to a domain without QPs. */
static void make_keys(struct side *side)
{
	uint8_t xlt[32] = { 0 };
	struct queue_key list = { .bits = KEY_ALL | KEY_MODE(2),
				  .pd = side->pd,
				  .len = 2 * PAGE,
				  .xlt = xlt,
				  .octwords = 2 };
	struct queue_key missing = { .bits = KEY_ALL | KEY_UMR | KEY_MODE(1),
				     .pd = side->pd,
				     .start = side->mem,
				     .len = 4 * PAGE,
				     .log_page = 12,
				     .declared = 2 };

	side->key[0] = queue_plain_key(side->port, side->pd, KEY_ALL, side->mem, 8 * PAGE);
	side->key[1] = queue_plain_key(side->port, side->pd, KEY_LOCAL_READ | KEY_REMOTE_READ,
				       side->mem + 100, 2 * PAGE + 3);
	side->key[2] =
		queue_plain_key(side->port, side->pd, KEY_LOCAL_WRITE, side->mem + PAGE, 100);
	for (unsigned int i = 0; i < 2; i++) {
		be32_put(xlt, 16 * i, PAGE - 1);
		be32_put(xlt, 16 * i + 4, side->key[0]);
		be64_put(xlt, 16 * i + 8, side->mem + 3 * i * PAGE);
	}
	side->key[3] = queue_key(side->port, &list);
	side->key[4] = queue_key(side->port, &missing);
	side->key[5] = queue_plain_key(side->port, side->pd_victim, KEY_ALL, side->mem + 10 * PAGE,
				       2 * PAGE);
}

static void make_side(struct state *s, unsigned int i)
{
	struct side *side = &s->side[i];
	uint8_t dctc[0x60] = { 0 }, attach[0x20] = { 0 };
	uint32_t cqn;

	side->port = &s->w->port[i];
	side->pd = world_simple(side->port, 0x800, 0, 0);
	side->pd_victim = world_simple(side->port, 0x800, 0, 0);
	cqn = queue_cq(side->port, queue_eq(side->port, 0, 1));
	/* Events of QPs and page faults. */
	queue_eq(side->port, i ? 0x1f1b1e : 0x1e0b1e, 2);
	side->srqn = queue_srq(side->port, side->pd, cqn, &side->srq, &side->srq_dbr);
	side->mem = world_alloc(s->w, 16 * PAGE, 16 * PAGE);
	make_keys(side);
	for (unsigned int t = 0; t < TYPES; t++) {
		struct queue_qp *qp = &side->qp[t];

		*qp = (struct queue_qp){
			.port = side->port, .type = types[t], .pd = side->pd, .cqn = cqn
		};
		if (qp->type == HCA_QP_XRC || t == 7)
			qp->srqn = side->srqn;
		queue_qp(qp);
	}
	be16_put(attach, 0, 0x806);
	be32_put(attach, 8, side->qp[2].number);
	memcpy(attach + 0x10, mgid, 16);
	world_must(side->port, attach, sizeof(attach));
	be16_put(dctc, 0, 0x710);
	field_put(dctc + 0x10, 2, 23, 0, cqn);
	be32_put(dctc + 0x10, 12, 1u << 20 | 7u << 17); /* atomic_mode, all remote rights */
	field_put(dctc + 0x10, 5, 23, 0, side->srqn);
	field_put(dctc + 0x10, 6, 23, 0, side->pd);
	side->dct = world_must(side->port, dctc, sizeof(dctc));
}

void target_input(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	struct state s = { .w = world_new(NULL) };

	make_side(&s, 0);
	make_side(&s, 1);
	for (unsigned int t = 0; t < TYPES; t++) {
		queue_connect(&s.side[0].qp[t], &s.side[1].qp[t]);
		queue_connect(&s.side[1].qp[t], &s.side[0].qp[t]);
	}
	for (unsigned int op = 0; op < OPS && !input_done(&in); op++) {
		uint8_t what = input_u8(&in);

		if (what < 0x90)
			send(&s, &in);
		else if (what < 0xd0)
			receive(&s, &in);
		else if (what < 0xe8)
			lie(&s, &in);
		else if (what >= 0xfe)
			cable(s.w, &in);
		else
			change(&s, &in);
	}
	world_poll(s.w, 8);
	world_free(s.w);
}
