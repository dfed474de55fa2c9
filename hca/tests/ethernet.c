/* SPDX-License-Identifier: GPL-2.0-only */
#include "hca/tests/ethernet.h"

#include <stdlib.h>
#include <string.h>

#define BLOCKS 64u
#define STRIDE 64u

/* Of the fixture that is there. */
static struct ethernet ethernet;

uint8_t ethernet_command(struct fixture_port *port, uint16_t op, uint32_t dw2, uint64_t bitmask,
			 const void *context, size_t len, uint32_t *number)
{
	uint8_t in[0x1010] = { 0 }, out[16];
	uint8_t status;

	be16_put(in, 0, op);
	be32_put(in, 8, dw2);
	be64_put(in, 0x10, bitmask);
	memcpy(in + 0x20, context, len);
	status = fixture_cmd(port, in, len < 0xf0 ? 0x110 : (uint32_t)(0x20 + len), out,
			     sizeof(out));
	if (number)
		*number = be32_at(out, 8) & 0xffffff;
	return status;
}

void ethernet_queue_context(struct ethernet *e, unsigned int side, bool sq, uint32_t cqn,
			    struct fixture_qp *qp, uint8_t context[0xf0])
{
	struct fixture_port *port = e->side[side].port;
	uint8_t *wq = context + 0x30;

	*qp = (struct fixture_qp){ .uar = port->uar, .pd = port->pd };
	qp->buf = fixture_alloc(e->f, 64 * BLOCKS, 4096);
	qp->dbr = fixture_alloc(e->f, 64, 64);
	if (sq)
		qp->sq_wqebbs = BLOCKS, qp->sq_buf = qp->buf;
	else
		qp->rq_wqes = BLOCKS, qp->rq_stride = STRIDE;
	memset(context, 0, 0xf0);
	field_put(context, 2, 23, 0, cqn);
	if (sq) {
		field_put(context, 8, 31, 16, 1);
		field_put(context, 11, 23, 0, e->side[side].tis);
	}
	field_put(wq, 0, 31, 28, 1);
	field_put(wq, 2, 23, 0, port->pd);
	field_put(wq, 3, 23, 0, port->uar);
	be64_put(wq, 0x10, qp->dbr);
	field_put(wq, 8, 19, 16, 6);
	field_put(wq, 8, 4, 0, 6);
}

uint8_t ethernet_queue_create(struct fixture_port *port, bool sq, const uint8_t context[0xf0],
			      struct fixture_qp *qp)
{
	uint8_t in[0xf8];

	memcpy(in, context, 0xf0);
	be64_put(in, 0xf0, qp->buf);
	return ethernet_command(port, sq ? 0x904 : 0x908, 0, 0, in, sizeof(in), &qp->number);
}

uint8_t ethernet_queue_state(struct fixture_port *port, bool sq, uint32_t number, uint32_t from,
			     uint32_t to)
{
	uint8_t context[0xf0] = { 0 };

	field_put(context, 0, 23, 20, to);
	return ethernet_command(port, sq ? 0x905 : 0x909, from << 28 | number, 0, context,
				sizeof(context), NULL);
}

static void make_side(struct ethernet *e, unsigned int side)
{
	struct ethernet_side *s = &e->side[side];
	struct fixture_eq eq;
	uint8_t context[0xf0] = { 0 };

	s->port = &e->f->port[side];
	fixture_probe(s->port);
	fixture_eq_create(s->port, 6, 0, 0, &eq);
	fixture_cq_create(s->port, 8, eq.number, &s->scq);
	fixture_cq_create(s->port, 8, eq.number, &s->rcq);
	s->td = fixture_simple(s->port, 0x816, 0, 0, 0);
	field_put(context, 9, 23, 0, s->td);
	assert_int_equal(ethernet_command(s->port, 0x912, 0, 0, context, 0xa0, &s->tis), 0);
	ethernet_queue_context(e, side, true, s->scq.number, &s->sq, context);
	assert_int_equal(ethernet_queue_create(s->port, true, context, &s->sq), 0);
	assert_int_equal(ethernet_queue_state(s->port, true, s->sq.number, 0, 1), 0);
	ethernet_queue_context(e, side, false, s->rcq.number, &s->rq, context);
	assert_int_equal(ethernet_queue_create(s->port, false, context, &s->rq), 0);
	assert_int_equal(ethernet_queue_state(s->port, false, s->rq.number, 0, 1), 0);
	memset(context, 0, sizeof(context));
	field_put(context, 7, 23, 0, s->rq.number);
	field_put(context, 9, 23, 0, s->td);
	assert_int_equal(ethernet_command(s->port, 0x900, 0, 0, context, sizeof(context), &s->tir),
			 0);
}

int ethernet_setup_with(void **state, struct capture *const capture[2])
{
	struct hca_params params[FIXTURE_HCAS];
	struct ethernet *e = &ethernet;

	*e = (struct ethernet){ .bridge = bridge_new() };
	for (unsigned int i = 0; i < FIXTURE_HCAS; i++) {
		params[i] = fixture_params(i);
		params[i].lid = 0;
		params[i].bridge = e->bridge;
		params[i].mac[0] = 2;
		params[i].mac[5] = (uint8_t)(i + 1);
		params[i].capture = i < 2 ? capture[i] : NULL;
	}
	e->f = fixture_new_with(params, NULL);
	make_side(e, 0);
	make_side(e, 1);
	*state = e;
	return 0;
}

int ethernet_setup(void **state)
{
	struct capture *const none[2] = { NULL, NULL };

	return ethernet_setup_with(state, none);
}

int ethernet_teardown(void **state)
{
	struct ethernet *e = *state;

	fixture_free(e->f);
	bridge_free(e->bridge);
	return 0;
}

/* --- flow tables ------------------------------------------------------------------------- */

uint32_t ethernet_table(struct fixture_port *port, uint8_t type, uint8_t level, uint8_t log_size)
{
	struct flow_cmd cmd = flow_cmd(CREATE_TABLE, 0, type, 0);
	uint32_t number;

	field_put(cmd.in + 0x18, 0, 23, 16, level);
	field_put(cmd.in + 0x18, 0, 7, 0, log_size);
	assert_int_equal(flow_run(port, &cmd, 0x40, &number), 0);
	return number;
}

uint8_t ethernet_group(struct fixture_port *port, uint8_t type, uint32_t table, uint32_t start,
		       uint32_t end, const uint8_t *mask, uint32_t *number)
{
	struct flow_cmd cmd = flow_cmd(CREATE_GROUP, 0, type, table);

	be32_put(cmd.in, 0x1c, start);
	be32_put(cmd.in, 0x24, end);
	if (mask) {
		cmd.in[0x3f] = 3;
		memcpy(cmd.in + 0x40, mask, HCA_FRAME_KEY);
	}
	return flow_run(port, &cmd, sizeof(cmd.in), number);
}

uint8_t ethernet_entry(struct fixture_port *port, uint8_t type, uint32_t table, uint32_t group,
		       uint32_t index, const uint8_t *value, uint32_t action, uint8_t to,
		       uint32_t number, uint32_t tag)
{
	struct flow_cmd cmd = flow_cmd(SET_ENTRY, 0, type, table);
	uint8_t *context = cmd.in + 0x40;

	be32_put(cmd.in, 0x20, index);
	be32_put(context, 4, group);
	field_put(context, 2, 23, 0, tag);
	field_put(context, 3, 15, 0, action);
	if (value)
		memcpy(context + 0x40, value, HCA_FRAME_KEY);
	if (to) {
		field_put(context, 4, 23, 0, 1);
		context[0x300] = to;
		field_put(context + 0x300, 0, 23, 0, number);
	}
	return flow_run(port, &cmd, sizeof(cmd.in), NULL);
}

void ethernet_root(struct fixture_port *port, uint8_t type, uint32_t table)
{
	struct flow_cmd cmd = flow_cmd(SET_ROOT, 0, type, table);

	assert_int_equal(flow_run(port, &cmd, 0x40, NULL), 0);
}

void ethernet_receive_all(struct ethernet *e, unsigned int side, uint32_t tir)
{
	struct fixture_port *port = e->side[side].port;
	uint32_t table = ethernet_table(port, NIC_RX, 1, 0), group;

	assert_int_equal(ethernet_group(port, NIC_RX, table, 0, 0, NULL, &group), 0);
	assert_int_equal(
		ethernet_entry(port, NIC_RX, table, group, 0, NULL, FORWARD, TO_TIR, tir, 0), 0);
	ethernet_root(port, NIC_RX, table);
}

/* --- frames ------------------------------------------------------------------------------ */

uint64_t ethernet_post(struct ethernet *e, unsigned int side, struct fixture_qp *rq, uint32_t len)
{
	uint64_t buffer = fixture_alloc(e->f, len, 64);
	uint8_t seg[16];

	/* As mlx5e does: the top bit asks for padding. */
	fixture_data(seg, buffer, e->side[side].port->lkey, len | 0x80000000u);
	fixture_post_recv(e->side[side].port, rq, seg, sizeof(seg));
	return buffer;
}

void ethernet_send(struct ethernet *e, unsigned int side, const void *frame, size_t len,
		   size_t inlined, uint8_t cs_flags, uint16_t mss)
{
	struct ethernet_side *s = &e->side[side];
	uint64_t buffer = fixture_alloc(e->f, len, 64);
	uint8_t wqe[1024] = { 0 };
	size_t at = 32;

	memcpy(fixture_at(e->f, buffer), frame, len);
	fixture_ctrl(wqe, mss ? 0x0e : 0x0a, 8, 0);
	wqe[20] = cs_flags;
	be16_put(wqe, 22, mss);
	be16_put(wqe, 28, (uint16_t)inlined);
	memcpy(wqe + 30, frame, inlined);
	if (inlined > 2)
		at += (inlined - 2 + 15) / 16 * 16;
	if (len > inlined) {
		fixture_data(wqe + at, buffer + inlined, s->port->lkey, (uint32_t)(len - inlined));
		at += 16;
	}
	fixture_post_send(s->port, &s->sq, wqe, at);
}

const uint8_t *ethernet_received(struct ethernet *e, unsigned int side)
{
	fixture_poll(e->f);
	return fixture_cq_next(e->side[side].port, &e->side[side].rcq);
}

void ethernet_frame(uint8_t *frame, size_t len, uint8_t to, uint8_t from)
{
	static const uint8_t type[2] = { 0x88, 0xb5 };

	for (size_t i = 0; i < len; i++)
		frame[i] = (uint8_t)(i * 7);
	memcpy(frame, (uint8_t[]){ 2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from }, 12);
	memcpy(frame + 12, type, 2);
}
