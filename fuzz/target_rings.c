/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Doorbell records and the rings of CQs, EQs, QPs and SRQs where no driver puts them: at odd
 * places, on top of each other and of the command queue, in memory that vanishes and comes back,
 * resized and destroyed under traffic, with bus mastering off. All TLPs are traced, and the trace
 * reads back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/queues.h"
#include "fuzz/target.h"
#include "hca/cmd.h"
#include "hca/data.h"
#include "pcie/reader.h"

#define PAGE 4096u
#define OPS  32u
#define MADE 12u

struct state {
	struct world *w;
	struct world_port *port;
	uint32_t pd, lkey, eqn;
	uint64_t mem; /* 16 pages for everything */
	uint32_t eq[MADE], cq[MADE], srq[MADE];
	struct queue_qp qp[MADE]; /* port NULL: none yet */
	unsigned int eqs, cqs, srqs, qps;
};

/* A place in the few pages that all share, or somewhere else. */
static uint64_t place(struct state *s, struct input *in)
{
	uint8_t which = input_u8(in);

	if (which >= 0xf8)
		return input_number(in);
	if (which >= 0xf0)
		return s->port->queue;
	return s->mem + PAGE * (which & 7) + (which >> 4) * 8;
}

static uint32_t create(struct state *s, struct input *in, uint16_t op, const uint8_t *context,
		       size_t at, size_t len)
{
	uint8_t cmd[0x110 + 8 * 8] = { 0 }, out[16];
	uint32_t pages = 1 + input_below(in, 8);

	be16_put(cmd, 0, op);
	memcpy(cmd + at, context, len);
	if (op == 0x301)
		be64_put(cmd, 0x58, input_u32(in) & ~(1u << HCA_EVENT_CMD));
	if (op == 0x403) {
		be32_put(cmd, 8, s->cq[input_below(in, MADE)]);
		be32_put(cmd, 12, 7);
		cmd[7] = 1;
	}
	for (uint32_t i = 0; i < pages; i++)
		be64_put(cmd, 0x110 + 8 * (size_t)i, place(s, in));
	if (world_cmd(s->port, cmd, 0x110 + 8 * pages, out, sizeof(out)))
		return 0;
	return be32_at(out, 8) & 0xffffff;
}

static void make(struct state *s, struct input *in, uint8_t kind)
{
	uint8_t flags = input_u8(in), context[232] = { 0 };
	uint32_t number;

	switch (kind & 3) {
	case 0:
		field_put(context, 3, 28, 24, flags & 7);
		field_put(context, 3, 23, 0, flags & 0x40 ? s->port->uar : s->port->kernel_uar);
		field_put(context, 5, 11, 0, flags >> 4 & 3);
		field_put(context, 2, 11, 6, flags & 8 ? input_u8(in) : 0);
		number = create(s, in, 0x301, context, 0x10, 64);
		if (number)
			s->eq[s->eqs++ % MADE] = number & 0xff;
		break;
	case 1:
		field_put(context, 0, 23, 21, flags >> 6);
		field_put(context, 0, 17, 17, flags >> 5 & 1);
		field_put(context, 3, 28, 24, flags & 7);
		field_put(context, 3, 23, 0, flags & 0x10 ? s->port->kernel_uar : s->port->uar);
		field_put(context, 5, 7, 0, s->eq[input_below(in, MADE)]);
		be64_put(context, 0x38, place(s, in));
		number = create(s, in, flags & 8 ? 0x403 : 0x400, context, 0x10, 64);
		if (number && !(flags & 8))
			s->cq[s->cqs++ % MADE] = number;
		break;
	case 2:
		field_put(context, 0, 27, 24, flags & 7);
		field_put(context, 1, 26, 24, flags >> 4 & 7);
		field_put(context, 2, 23, 0, s->cq[input_below(in, MADE)]);
		field_put(context, 6, 23, 0, s->pd);
		be64_put(context, 0x28, place(s, in));
		number = create(s, in, 0x700, context, 0x10, 64);
		if (number)
			s->srq[s->srqs++ % MADE] = number;
		break;
	default: {
		struct queue_qp *qp = &s->qp[s->qps % MADE];

		qp->port = s->port;
		qp->type = flags & 0x40 ? HCA_QP_UD : HCA_QP_RC;
		qp->pd = s->pd;
		field_put(context, 0, 23, 16, qp->type);
		field_put(context, 1, 23, 0, s->pd);
		field_put(context, 2, 22, 19, flags & 3);
		field_put(context, 2, 18, 16, 2);
		field_put(context, 2, 14, 11, flags >> 2 & 3);
		field_put(context, 3, 23, 0, flags & 0x80 ? s->port->kernel_uar : s->port->uar);
		field_put(context, 31, 23, 0, s->cq[input_below(in, MADE)]);
		field_put(context, 39, 23, 0, s->cq[input_below(in, MADE)]);
		qp->dbr = place(s, in);
		be64_put(context, 0xa0, qp->dbr);
		if (flags & 0x10)
			be32_put(context, 43 * 4, 1u << 24 | s->srq[input_below(in, MADE)]);
		number = create(s, in, 0x500, context, 0x18, 232);
		if (!number)
			return;
		qp->number = number;
		/* Half of them talk to themselves, the others to the one before. */
		queue_try_connect(qp, flags & 0x20 && s->qps ? &s->qp[(s->qps - 1) % MADE] : qp);
		s->qps++;
		break;
	}
	}
}

static void destroy(struct state *s, struct input *in, uint8_t kind)
{
	static const uint16_t ops[] = { 0x302, 0x401, 0x701, 0x501, 0x507, 0x303, 0x402, 0x50b };
	uint8_t cmd[16] = { 0 };
	unsigned int which = input_below(in, MADE);
	uint32_t number[] = { s->eq[which], s->cq[which], s->srq[which], s->qp[which].number };

	be16_put(cmd, 0, ops[kind & 7]);
	be32_put(cmd, 8, number[(kind & 7) == 4 || (kind & 7) == 7 ? 3 : kind & 3]);
	world_cmd(s->port, cmd, sizeof(cmd), NULL, 0x110);
}

/* A WQE at some place, and a counter at another that says there are some. */
static void post(struct state *s, struct input *in)
{
	uint8_t what = input_u8(in), *at = world_at(s->w, place(s, in), 64);
	const struct queue_qp *qp = &s->qp[input_below(in, MADE)];
	uint8_t *record = world_at(s->w, qp->dbr, 8);

	if (at) {
		segment_ctrl(at, what & 1 ? HCA_OP_SEND : HCA_OP_WRITE, 8, 0);
		field_put(at, 1, 31, 8, qp->number);
		field_put(at, 1, 5, 0, 2 + (what & 1));
		segment_data(at + 16, s->mem + input_u8(in), s->lkey, 16 * (what >> 4));
		segment_data(at + 32, s->mem + input_u8(in), s->lkey, 16 * (what >> 4));
	}
	if (record && qp->number) {
		be32_put(record, 0, input_u8(in));
		be32_put(record, 4, input_u8(in));
		if (what & 2)
			world_write(s->port, s->port->kernel_uar * HCA_UAR_PAGE + HCA_UAR_SQ, 8,
				    (uint64_t)qp->number << 8);
		else
			queue_ring(qp);
	}
	world_poll(s->w, 5);
}

/* A doorbell word of the context's UAR, whose page is memory that the guest maps. */
static void ring_shared(struct state *s, uint32_t reg, uint32_t value)
{
	be32_put((uint8_t *)s->port->hca->uar_memory +
			 (uint64_t)(s->port->uar - HCA_UAR_FIRST) * HCA_UAR_PAGE,
		 reg, value);
}

static void machine(struct state *s, struct input *in)
{
	uint8_t what = input_u8(in), command[2] = { 0x06, 0 };
	uint32_t number;

	switch (what & 7) {
	case 0: /* memory vanishes */
		s->w->hole = place(s, in);
		s->w->hole_size = what & 8 ? PAGE : 4;
		break;
	case 1:
		s->w->hole_size = 0;
		break;
	case 2:
		command[0] = what & 8 ? 0x06 : 0x02; /* bus mastering */
		pcie_config_write(s->port->fn, 4, command, 2);
		break;
	case 3:
		if ((what & 0x28) == 0x28) {
			/* The word that names the CQ. */
			ring_shared(s, HCA_UAR_CQ_ARM + 4, s->cq[input_below(in, MADE)]);
			break;
		}
		if (what & 8) {
			number = s->eq[input_below(in, MADE)];
			ring_shared(s, what & 0x10 ? HCA_UAR_EQ_ARM : HCA_UAR_EQ_UPDATE,
				    number << 24 | input_u8(in));
			break;
		}
		number = input_u8(in);
		world_write(s->port, s->port->kernel_uar * HCA_UAR_PAGE + HCA_UAR_CQ_ARM, 8,
			    (uint64_t)number << 32 | s->cq[input_below(in, MADE)]);
		break;
	case 4:
		number = input_u32(in);
		world_write(s->port, number & 0xfffffc, what & 8 ? 4 : 8, input_u32(in));
		break;
	case 5: { /* payload and request sizes */
		uint8_t size = input_u8(in);

		pcie_config_write(s->port->fn, s->port->fn->config.express + 8, &size, 1);
		break;
	}
	case 6:
		hca_set_link(s->port->hca, what & 8);
		break;
	default:
		world_sleep((uint64_t)input_u8(in) << 16);
		break;
	}
	world_poll(s->w, 4);
}

static void read_back(const char *path)
{
	struct tlp_reader *reader = tlp_reader_open(path);
	struct tlp_entry entry;
	int rc = reader ? 1 : -1;

	while (rc > 0)
		rc = tlp_reader_next(reader, &entry);
	if (rc)
		world_broken("the trace does not read back: %s",
			     reader ? tlp_reader_error(reader) : "");
	tlp_reader_close(reader);
}

void target_input(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	struct state s = { 0 };
	static int fd = -1;
	struct tlp_trace *trace;
	char path[32];

	if (fd < 0)
		fd = memfd_create("trace", 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	trace = tlp_trace_open(path);
	s.w = world_new(trace);
	s.port = &s.w->port[0];
	s.pd = world_simple(s.port, 0x800, 0, 0);
	s.mem = world_alloc(s.w, 16 * PAGE, PAGE);
	s.lkey = queue_plain_key(s.port, s.pd, KEY_ALL, s.mem, 8 * PAGE);
	s.eqn = queue_eq(s.port, 0x1b1e, 0);
	for (unsigned int i = 0; i < MADE; i++)
		s.eq[i] = s.eqn;
	for (unsigned int op = 0; op < OPS && !input_done(&in); op++) {
		uint8_t what = input_u8(&in);

		if (what < 0x60)
			make(&s, &in, what);
		else if (what < 0x80)
			destroy(&s, &in, what);
		else if (what < 0xd8)
			post(&s, &in);
		else
			machine(&s, &in);
	}
	s.w->hole_size = 0;
	world_free(s.w);
	if (tlp_trace_close(trace))
		world_broken("the trace was not written");
	read_back(path);
}
