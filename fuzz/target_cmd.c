/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Command mailboxes: every command of the model's own table, with contexts that mostly make sense,
 * so that objects come to be, are changed and destroyed in any order; lengths, chains and entries
 * that do not; memory that changes after it was read; resets.
 */
#include "fuzz/queues.h"
#include "fuzz/target.h"
#include "fuzz/oracle.h"
#include "hca/opcodes.h"
#include "hca/inject.h"
#include "hca/memic.h"

#define OPS	48u
#define NUMBERS 32u /* of objects, the newest ones */
#define INPUT	4096u
#define OUTPUT	0x1200u

struct state {
	struct world *w;
	unsigned int ops; /* in the table */
	uint32_t number[WORLD_PORTS][NUMBERS];
	unsigned int numbers[WORLD_PORTS];
	uint64_t mem; /* 64 pages */
};

static uint32_t any_number(struct state *s, struct input *in, unsigned int port)
{
	uint8_t which = input_u8(in);

	if (which >= 0xe0)
		return (uint32_t)input_number(in);
	if (which >= 0xc0)
		return which & 0x1f;
	if (which >= 0x80) /* what came last */
		return s->number[port][(s->numbers[port] - 1 - (which & 3)) % NUMBERS];
	return s->number[port][which % NUMBERS];
}

static uint64_t page(struct state *s, struct input *in)
{
	uint8_t which = input_u8(in);

	return which < 0xf0 ? s->mem + 4096ull * (which & 63) : input_number(in);
}

static uint64_t record(struct state *s, struct input *in)
{
	uint64_t at = page(s, in);

	return at + 8 * (input_u8(in) & 7);
}

/* Page list at @at, to the end of the input. */
static uint32_t pages(struct state *s, struct input *in, uint8_t *cmd, uint32_t at)
{
	uint32_t count = input_below(in, 17);

	for (uint32_t i = 0; i < count; i++)
		be64_put(cmd, at + 8 * (size_t)i, page(s, in));
	return at + 8 * count;
}

/* A context for the command: fields where it has them. Returns the length of the input. */
static uint32_t context(struct state *s, struct input *in, unsigned int p, uint16_t op,
			uint8_t *cmd, uint32_t len)
{
	static const uint8_t types[] = { HCA_QP_RC,  HCA_QP_UC,	 HCA_QP_UD,  HCA_QP_XRC,
					 HCA_QP_DCI, HCA_QP_GSI, HCA_QP_SMI, HCA_QP_REG_UMR };
	uint8_t *ctx = cmd + 0x10;
	uint8_t flags = input_u8(in), mode;
	uint32_t rights;

	switch (op) {
	case 0x200: /* CREATE_MKEY */
		rights = (uint32_t)input_u16(in) << 8;
		/* Two bytes, as the inputs of the corpus have them. */
		mode = input_u8(in) & 3;
		mode |= input_u8(in) & 4;
		be32_put(ctx, 0, rights | KEY_MODE(mode));
		be32_put(ctx, 4, 0xffffff00 | KEY_BYTE);
		be32_put(ctx, 12, (uint32_t)(flags & 1) << 31 | any_number(s, in, p));
		be64_put(ctx, 0x10,
			 flags & 2 ? page(s, in) : HCA_MEMIC_OFFSET + input_u8(in) * 64u);
		be64_put(ctx, 0x18, input_number(in));
		be32_put(ctx, 13 * 4, (uint32_t)input_number(in));
		be32_put(ctx, 14 * 4, 12 + (input_u8(in) & 0x33));
		be32_put(ctx, 15 * 4, input_u32(in));
		if (flags & 4) { /* of a umem */
			be16_put(cmd, 2, (uint16_t)s->number[p][3]);
			field_put(cmd, 3, 30, 30, 1);
			be32_put(cmd, 0x64, any_number(s, in, p));
			be64_put(cmd, 0x68, input_number(in));
		}
		len = pages(s, in, cmd, 0x110);
		be32_put(cmd, 0x60, flags & 0x80 ? (uint32_t)input_number(in) : (len - 0x110) / 16);
		return len;
	case 0x301: /* CREATE_EQ */
		field_put(ctx, 3, 28, 24, flags & 0x1f);
		field_put(ctx, 3, 23, 0,
			  flags & 0x80 ? any_number(s, in, p) : s->w->port[p].kernel_uar);
		field_put(ctx, 5, 11, 0, input_u8(in) & 7);
		field_put(ctx, 6, 28, 24, flags & 0x40 ? input_u8(in) : 0);
		field_put(ctx, 2, 11, 6, flags & 0x20 ? input_u8(in) : 0);
		be64_put(cmd, 0x58, input_u32(in));
		return pages(s, in, cmd, 0x110);
	case 0x400: /* CREATE_CQ */
	case 0x403: /* MODIFY_CQ */
		be32_put(ctx, 0, op == 0x400 ? (uint32_t)input_u8(in) << 17 : 0);
		field_put(ctx, 3, 28, 24, flags & 0x1f);
		field_put(ctx, 3, 23, 0, s->w->port[p].uar);
		field_put(ctx, 5, 7, 0, any_number(s, in, p));
		be64_put(ctx, 0x38, record(s, in));
		field_put(ctx, 6, 28, 24, flags & 0x40 ? input_u8(in) : 0);
		if (op == 0x403) {
			be32_put(cmd, 8, any_number(s, in, p));
			be32_put(cmd, 0xc, input_u8(in) & 0x17);
			cmd[7] = flags >> 7;
		} else if (flags & 0x80) { /* in a umem */
			be16_put(cmd, 2, (uint16_t)s->number[p][3]);
			be32_put(cmd, 0x58, any_number(s, in, p));
			be32_put(cmd, 0x5c, 1u << 31);
			be64_put(cmd, 0x50, input_number(in));
			be32_put(ctx, 4, any_number(s, in, p));
			field_put(ctx, 0, 25, 25, flags >> 5 & 1);
			be64_put(ctx, 0x38, input_number(in) & 0xfff8);
		}
		return pages(s, in, cmd, 0x110);
	case 0x500: /* CREATE_QP */
		ctx = cmd + 0x18;
		field_put(ctx, 0, 23, 16, types[flags & 7]);
		field_put(ctx, 1, 23, 0, any_number(s, in, p));
		be32_put(ctx, 2 * 4, input_u32(in));
		field_put(ctx, 3, 23, 0, s->w->port[p].uar);
		field_put(ctx, 28, 11, 11, flags >> 3 & 1);
		be32_put(ctx, 31 * 4, any_number(s, in, p) | (flags & 0x10 ? 1u << 24 : 0));
		be32_put(ctx, 32 * 4, (uint32_t)(input_u8(in) & 7) << 24);
		field_put(ctx, 39, 23, 0, any_number(s, in, p));
		be64_put(ctx, 0xa0, record(s, in));
		field_put(ctx, 43, 26, 24, input_u8(in) & 3);
		field_put(ctx, 43, 23, 0, any_number(s, in, p));
		if (flags & 0x80) {
			be16_put(cmd, 2, (uint16_t)s->number[p][3]);
			be64_put(cmd, 0x100, input_number(in));
			be32_put(cmd, 0x108, any_number(s, in, p));
			be32_put(cmd, 0x10c, 1u << 31);
		}
		return pages(s, in, cmd, 0x110);
	case 0x502: /* the transitions */
	case 0x503:
	case 0x504:
	case 0x505:
	case 0x506:
	case 0x50c:
	case 0x50e:
		be32_put(cmd, 8, any_number(s, in, p) | (flags & 0x80 ? 1u << 31 : 0));
		be32_put(cmd, 0x10, input_u32(in));
		ctx = cmd + 0x18;
		field_put(ctx, 0, 23, 16, types[flags & 7]);
		field_put(ctx, 1, 23, 0, flags & 0x40 ? any_number(s, in, p) : 0);
		field_put(ctx, 5, 23, 0, any_number(s, in, 1 - p));
		field_put(ctx, 7, 15, 0, 1 + (flags >> 3 & 3));
		be32_put(ctx, 36 * 4, 7u << 13);
		return 0x110;
	case 0x700: /* CREATE_SRQ */
		field_put(ctx, 0, 27, 24, flags & 15);
		field_put(ctx, 1, 26, 24, flags >> 4 & 7);
		field_put(ctx, 2, 23, 0, any_number(s, in, p));
		field_put(ctx, 6, 23, 0, any_number(s, in, p));
		be64_put(ctx, 0x28, page(s, in));
		be32_put(ctx, 4 * 4, (uint32_t)(flags >> 7) << 24);
		return pages(s, in, cmd, 0x110);
	case 0x710: /* CREATE_DCT */
		field_put(ctx, 2, 23, 0, any_number(s, in, p));
		field_put(ctx, 5, 23, 0, any_number(s, in, p));
		field_put(ctx, 6, 23, 0, any_number(s, in, p));
		be32_put(ctx, 12, 7u << 17);
		return 0x60;
	case 0x205: /* ALLOC_MEMIC */
	case 0x206:
		be32_put(cmd, 0xc, flags & 7);
		be64_put(cmd, 0x10, HCA_MEMIC_OFFSET + (input_number(in) & 0x1fffff));
		be32_put(cmd, 0x18, op == 0x205 ? (uint32_t)input_number(in) : input_u8(in) * 64u);
		be32_put(cmd, 0x1c, input_u8(in) * 64u);
		return 0x20;
	case 0x806: /* multicast */
	case 0x807:
		be32_put(cmd, 8, any_number(s, in, p));
		input_bytes(in, cmd + 0x10, 16);
		return 0x20;
	case 0xa08: /* CREATE_UMEM */
		field_put(cmd, 8, 4, 0, flags & 0x1f);
		be32_put(cmd, 0x24, flags & 0x80 ? (uint32_t)input_number(in) : 0);
		be16_put(cmd, 2, (uint16_t)(flags & 0x20 ? any_number(s, in, p) : s->number[p][3]));
		len = pages(s, in, cmd, 0x30);
		for (uint32_t at = 0x30; at < len;
		     at += 8) /* read, and write but for each fourth */
			cmd[at + 7] |= at % 32 == 8 ? 1 : 3;
		be64_put(cmd, 0x28, flags & 0x40 ? input_number(in) : (len - 0x30) / 8);
		return len;
	case 0x805: { /* ACCESS_REG */
		static const uint16_t registers[] = { 0x5003, 0x5004, 0x5006, 0x5008, 0x500f,
						      0x6001, 0x7004, 0x5002, 0xc00e, 0x9024 };
		static const uint32_t items[] = { 0x80, 0x0300008f, 0x10a, 0x03000080 };

		cmd[7] = flags >> 7;
		be32_put(cmd, 8, registers[(flags & 0xf) % 10]);
		input_bytes(in, cmd + 0x10, 8);
		if ((flags & 0xf) == 9 && cmd[0x10] & 1) /* MNVDA: an item that there is */
			be32_put(cmd, 0x14, items[flags >> 4 & 3]);
		return 0x110 + (flags & 0x40);
	}
	case 0x762: /* vports, GIDs, P_Keys */
	case 0x764:
	case 0x765:
		be32_put(cmd, 8, (uint32_t)(flags & 1) << 31 | (flags & 6));
		be32_put(cmd, 12, flags & 8 ? 0xffff : flags >> 4);
		return 16;
	case 0x763:
		input_bytes(in, cmd + 0x10, 128);
		return 0x210;
	case 0xa0a:
		be16_put(cmd, 2, (uint16_t)s->number[p][3]);
		be32_put(cmd, 8, any_number(s, in, p));
		return 16;
	case 0x109: /* SET_HCA_CAP */
		be16_put(cmd, 6, (uint16_t)(flags << 1));
		input_bytes(in, cmd + 0x10, 64);
		return 0x1010;
	default:
		be32_put(cmd, 8, any_number(s, in, p));
		be32_put(cmd, 12, flags & 0x80 ? (uint32_t)input_number(in) : 0);
		be16_put(cmd, 6, flags & 0x40 ? input_u16(in) : 0);
		return len;
	}
}

static void command(struct state *s, struct input *in)
{
	uint8_t cmd[0x1100] = { 0 }, out[OUTPUT], flags = input_u8(in);
	const struct hca_op *op = hca_op(input_below(in, s->ops));
	unsigned int p = flags & 1;
	struct world_port *port = &s->w->port[p];
	struct world_mailbox odd = { .slot = flags & 0x60 ? 0 : input_u8(in) & 31 };
	/* Long answers have to fit mostly: registers, GIDs, P_Keys. */
	uint32_t ilen, olen = op->olen < 0x110 ? op->olen + (flags & 0x80 ? 0x200u : 0) : op->olen;

	be16_put(cmd, 0, op->opcode);
	if (flags & 2)
		be16_put(cmd, 2, (uint16_t)any_number(s, in, p)); /* user context */
	ilen = context(s, in, p, op->opcode, cmd, op->ilen);
	if (flags & 4) { /* a few bytes of it are others */
		uint32_t at = input_u16(in) % INPUT;

		input_bytes(in, cmd + at, 1 + (at & 7));
	}
	if (flags & 8)
		ilen = (uint32_t)input_number(in) & 0x1fff;
	if (flags & 0x10) {
		odd.corrupt = true;
		odd.output = input_u8(in) & 1;
		odd.block = input_u8(in);
		odd.where = input_u16(in);
		odd.value = input_u8(in);
		odd.entry_where = input_u8(in) & 63;
		odd.entry_value = input_u8(in);
		olen += input_u8(in) * 8u;
	}
	if (ilen > sizeof(cmd))
		ilen = sizeof(cmd);
	if (!world_post(port, cmd, ilen, olen, &odd))
		return;
	world_poll(s->w, 3);
	if (world_result(port, odd.slot, out, 16) == 0)
		s->number[p][s->numbers[p]++ % NUMBERS] = be32_at(out, 8) & 0xffffff;
}

/* Doorbells, send counters and arm words of whatever queues there are. */
static void doorbell(struct state *s, struct input *in)
{
	uint8_t where = input_u8(in), at = input_u8(in) & 7;
	struct world_port *port = &s->w->port[where & 1];
	uint8_t *records = world_at(s->w, s->mem + 4096ull * (where >> 1 & 63), 64);
	uint64_t number;

	be32_put(records, 8 * at + 4 * (where >> 7), input_u16(in));
	number = any_number(s, in, where & 1);
	world_write(port, HCA_UAR_FIRST * HCA_UAR_PAGE + (where & 2 ? HCA_UAR_CQ_ARM : HCA_UAR_SQ),
		    8, number << 8 | input_u8(in));
	world_poll(s->w, 3);
}

/*
 * As a program makes them by DEVX: memory, and queues in it, with the user context of all three.
 * Offsets are near an end of the memory.
 */
static void in_umem(struct state *s, struct input *in)
{
	uint8_t cmd[0x140] = { 0 }, out[16], flags = input_u8(in);
	unsigned int p = flags & 1;
	struct world_port *port = &s->w->port[p];
	uint16_t uid = (uint16_t)s->number[p][3];
	uint32_t umem, count = 1 + (flags >> 1 & 3), first = input_u8(in) * 64u & 0xfff;
	uint64_t offset = flags & 8 ? input_number(in) : input_u8(in) * 64u;
	uint8_t *ctx = cmd + 0x10;

	be16_put(cmd, 0, 0xa08);
	be16_put(cmd, 2, uid);
	be32_put(cmd, 0x24, first);
	be64_put(cmd, 0x28, count);
	for (uint32_t i = 0; i < count; i++)
		be64_put(cmd, 0x30 + 8 * (size_t)i, s->mem + 4096ull * (input_u8(in) & 63));
	if (world_cmd(port, cmd, 0x30 + 8 * count, out, sizeof(out)))
		return;
	umem = be32_at(out, 8) & 0xffffff;
	s->number[p][s->numbers[p]++ % NUMBERS] = umem;
	memset(cmd, 0, sizeof(cmd));
	be16_put(cmd, 2, flags & 0x80 ? input_u8(in) : uid);
	if (flags & 0x10) { /* CREATE_CQ */
		be16_put(cmd, 0, 0x400);
		field_put(ctx, 0, 17, 17, 1);
		field_put(ctx, 0, 25, 25, 1); /* the record is in a umem, too */
		be32_put(ctx, 4, umem);
		field_put(ctx, 3, 28, 24, input_u8(in) & 7);
		field_put(ctx, 3, 23, 0, port->uar);
		field_put(ctx, 5, 7, 0, s->number[p][1]);
		be64_put(ctx, 0x38, input_u16(in));
		be64_put(cmd, 0x50, offset);
		be32_put(cmd, 0x58, umem);
		be32_put(cmd, 0x5c, 1u << 31);
	} else { /* CREATE_QP */
		ctx = cmd + 0x18;
		be16_put(cmd, 0, 0x800); /* ALLOC_PD */
		world_cmd(port, cmd, 16, out, sizeof(out));
		be16_put(cmd, 0, 0x500);
		field_put(ctx, 0, 23, 16, flags & 0x20 ? HCA_QP_UD : HCA_QP_RC);
		field_put(ctx, 1, 23, 0, be32_at(out, 8));
		field_put(ctx, 2, 22, 19, input_u8(in) & 3);
		field_put(ctx, 2, 14, 11, input_u8(in) & 7);
		field_put(ctx, 3, 23, 0, port->uar);
		field_put(ctx, 31, 23, 0, any_number(s, in, p));
		field_put(ctx, 39, 23, 0, any_number(s, in, p));
		field_put(ctx, 52, 28, 28, 1);
		be64_put(ctx, 0xa0, input_u16(in));
		be32_put(ctx, 57 * 4, umem);
		be64_put(cmd, 0x100, offset);
		be32_put(cmd, 0x108, umem);
		be32_put(cmd, 0x10c, 1u << 31);
	}
	if (world_cmd(port, cmd, 0x110, out, sizeof(out)) == 0)
		s->number[p][s->numbers[p]++ % NUMBERS] = be32_at(out, 8) & 0xffffff;
	if (!(flags & 0x40))
		return;
	/* DESTROY_UMEM, which is in use if that was carried out. */
	memset(cmd, 0, sizeof(cmd));
	be16_put(cmd, 0, 0xa0a);
	be16_put(cmd, 2, uid);
	be32_put(cmd, 8, umem);
	world_cmd(port, cmd, 16, NULL, 16);
}

/* Commands that are not answered, or late, and health that is bad. */
static void inject(struct state *s, struct input *in)
{
	uint8_t what = input_u8(in);
	struct world_port *port = &s->w->port[what & 1];
	struct hca_command_rule rule = {
		.opcode = what & 2 ? hca_op(input_below(in, s->ops))->opcode : 0,
		.after = what >> 2 & 3,
		.count = what & 0x10 ? 0 : 1 + input_u8(in),
		.delay_ns = what & 0x20 ? 100000 : 0,
	};

	if (what >> 6 == 1)
		hca_inject_health(port->hca, input_u8(in), what & 4);
	else if (what >> 6 == 2)
		hca_inject_freeze(port->hca, what & 4);
	else
		hca_inject_commands(port->hca, &rule);
	for (uint64_t at = 0x230; at < 0x240; at += 4)
		port->fn->ops->bar_read(port->fn, 0, at, 4);
	port->fn->ops->bar_read(port->fn, 0, 0x1010, 4);
	if (hca_inject_commands_count(port->hca).hit > hca_inject_commands_count(port->hca).seen)
		oracle_violation(port, "more commands were held up than were seen");
}

static void reset(struct state *s, struct input *in)
{
	static const uint8_t command[2] = { 0x06, 0x00 };
	struct world_port *port = &s->w->port[input_u8(in) & 1];

	pcie_function_reset(port->fn, PCIE_RESET_CONVENTIONAL);
	world_poll(s->w, 1);
	oracle_after_reset(port);
	pcie_config_write(port->fn, 4, command, sizeof(command));
	world_write(port, 0x10, 4, port->queue >> 32);
	world_write(port, 0x14, 4, port->queue);
}

static void set_up(struct state *s)
{
	s->w = world_new(NULL);
	while (hca_op(s->ops))
		s->ops++;
	for (unsigned int p = 0; p < WORLD_PORTS; p++) {
		struct world_port *port = &s->w->port[p];
		uint32_t pd = world_simple(port, 0x800, 0, 0), eqn = queue_eq(port, 0x1f, 0);

		for (unsigned int i = 0; i < NUMBERS; i++)
			s->number[p][i] = 1;
		s->number[p][0] = pd;
		s->number[p][1] = eqn;
		s->number[p][2] = queue_cq(port, eqn);
		s->number[p][3] = world_simple(port, 0xa04, 0, 0);
		s->number[p][4] = 0x40; /* the first QP */
		s->number[p][5] = 0x41;
		s->numbers[p] = 8;
	}
	s->mem = world_alloc(s->w, 64 * 4096, 4096);
}

void target_input(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	struct state s = { 0 };

	set_up(&s);
	for (unsigned int op = 0; op < OPS && !input_done(&in); op++) {
		uint8_t what = input_u8(&in);

		if (what < 0xd0) {
			command(&s, &in);
		} else if (what < 0xe8) {
			doorbell(&s, &in);
		} else if (what < 0xf0) {
			struct world_flip *flip = &s.w->flip[what & 7];

			flip->addr = input_u8(&in) & 1 ? s.mem + input_u16(&in)
						       : s.w->port[what & 1].queue + input_u8(&in);
			flip->value = input_u8(&in);
			flip->armed = true;
		} else if (what < 0xf8) {
			in_umem(&s, &in);
		} else if (what < 0xfc) {
			inject(&s, &in);
		} else {
			reset(&s, &in);
		}
	}
	world_free(s.w);
}
