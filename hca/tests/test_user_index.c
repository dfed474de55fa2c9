/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CQEs of version 1, which an Ethernet port has: they name queues by numbers of their owners. And
 * the shared receive queues that ISSI 1 makes of it: RMPs, and those of XRC with such a number.
 */
#include "hca/tests/roce.h"
#include "hca/tests/wire.h"

#define INDEX	    0xabcdefu
#define OTHER_INDEX 0x123456u
#define WQES	    8u
#define STRIDE	    32u

#define CREATE_XRC_SRQ	0x705u
#define DESTROY_XRC_SRQ 0x706u
#define QUERY_XRC_SRQ	0x707u
#define ARM_XRC_SRQ	0x708u
#define CREATE_RMP	0x90cu
#define MODIFY_RMP	0x90du
#define DESTROY_RMP	0x90eu
#define QUERY_RMP	0x90fu

static struct end a, b;
static struct fixture_port *port; /* of b */
static uint64_t srq_buf, srq_dbr;
static uint16_t posted;

static int setup(void **state)
{
	int ret = roce_setup(state);
	struct ethernet *e = *state;

	port = e->side[1].port;
	srq_buf = fixture_alloc(e->f, 4096, 4096);
	srq_dbr = fixture_alloc(e->f, 64, 64);
	posted = 0;
	for (unsigned int i = 0; i < WQES; i++)
		be16_put(fixture_at(e->f, srq_buf + i * (uint64_t)STRIDE), 2,
			 (uint16_t)((i + 1) % WQES));
	return ret;
}

static void connect_both(struct ethernet *e, enum hca_qp_type type, uint32_t srqn)
{
	end_create(&a, e->side[0].port, type, 0);
	end_create(&b, port, type, srqn);
	connect_roce(&a, 1, v4[1], macs[1], b.qp.number);
	connect_roce(&b, 1, v4[0], macs[0], a.qp.number);
	fill(&a, 0, 4096, 3);
}

static void post_shared(uint32_t len)
{
	uint8_t *wqe = fixture_at(port->fixture, srq_buf + posted % WQES * STRIDE);

	fixture_data(wqe + 16, b.buf + 1000 * (uint64_t)posted, b.lkey, len);
	be32_put(fixture_at(port->fixture, srq_dbr), 0, ++posted);
}

static uint32_t index_of(const uint8_t *cqe)
{
	assert_non_null(cqe);
	/* mlx5e takes the byte above for a count of merged packets. */
	assert_int_equal(cqe[0x20], 0);
	return be32_at(cqe, 0x20);
}

/* --- who is named ---------------------------------------------------------------------------- */

static void queues_are_named(void **state)
{
	struct ethernet *e = *state;

	connect_both(e, HCA_QP_RC, 0);
	qp_of(&a)->user_index = INDEX;
	qp_of(&b)->user_index = OTHER_INDEX;
	post_recv(&b, b.buf, b.lkey, 100);
	post_recv(&b, b.buf, b.lkey, 100);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
	fixture_poll(e->f);
	assert_int_equal(index_of(expect_done(&a, 0)), INDEX);
	assert_int_equal(index_of(expect_recv(&b, HCA_CQE_RESP_SEND, 0)), OTHER_INDEX);
	/* In errors, too. */
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 101);
	fixture_poll(e->f);
	assert_int_equal(index_of(fixture_cq_next(a.port, &a.scq)), INDEX);
	assert_int_equal(index_of(fixture_cq_next(b.port, &b.rcq)), OTHER_INDEX);
}

/* From the commands that make them. */
static void numbers_are_of_the_context(void **state)
{
	struct ethernet *e = *state;
	uint8_t context[0xf0];
	struct fixture_qp sq, rq;

	ethernet_queue_context(e, 1, true, e->side[1].scq.number, &sq, context);
	field_put(context, 1, 23, 0, INDEX);
	assert_int_equal(ethernet_queue_create(port, true, context, &sq), 0);
	ethernet_queue_context(e, 1, false, e->side[1].rcq.number, &rq, context);
	field_put(context, 1, 23, 0, OTHER_INDEX);
	assert_int_equal(ethernet_queue_create(port, false, context, &rq), 0);
	assert_int_equal(((struct hca_qp *)hca_table_get(&port->hca->qps, sq.number))->user_index,
			 INDEX);
	assert_int_equal(((struct hca_qp *)hca_table_get(&port->hca->qps, rq.number))->user_index,
			 OTHER_INDEX);
}

static void frames_are_named(void **state)
{
	struct ethernet *e = *state;
	struct ethernet_side *from = &e->side[0], *to = &e->side[1];
	struct hca_qp *sq = hca_table_get(&from->port->hca->qps, from->sq.number);
	struct hca_qp *rq = hca_table_get(&to->port->hca->qps, to->rq.number);
	uint8_t frame[100];

	sq->user_index = INDEX;
	rq->user_index = OTHER_INDEX;
	ethernet_receive_all(e, 1, to->tir);
	ethernet_post(e, 1, &to->rq, 200);
	ethernet_frame(frame, sizeof(frame), 2, 1);
	ethernet_send(e, 0, frame, sizeof(frame), 18, 0, 0);
	assert_int_equal(index_of(ethernet_received(e, 1)), OTHER_INDEX);
	assert_int_equal(index_of(fixture_cq_next(from->port, &from->scq)), INDEX);
}

/* What ends a queue is told of it, and not of a QP that has its number. */
static void events_are_of_a_kind(void **state)
{
	static const uint8_t kinds[3] = { 0, 1, 2 };
	struct ethernet *e = *state;
	struct ethernet_side *side = &e->side[1];
	uint32_t numbers[3];

	connect_both(e, HCA_QP_RC, 0);
	numbers[0] = b.qp.number;
	numbers[1] = side->rq.number;
	numbers[2] = side->sq.number;
	for (unsigned int i = 0; i < 3; i++) {
		const uint8_t *eqe;

		hca_qp_error(hca_table_get(&port->hca->qps, numbers[i]), HCA_EVENT_WQ_CATAS);
		eqe = fixture_eq_next(port, &b.async);
		assert_non_null(eqe);
		assert_int_equal(eqe[0x34], kinds[i]);
		assert_int_equal(be32_at(eqe, 0x38), numbers[i]);
	}
}

/* --- RMPs ------------------------------------------------------------------------------------ */

static void rmp_context(uint8_t in[0x118])
{
	uint8_t *wq = in + 0x50;

	memset(in, 0, 0x118);
	be16_put(in, 0, CREATE_RMP);
	field_put(in + 0x20, 0, 23, 20, 1);
	field_put(wq, 1, 15, 0, 0);
	field_put(wq, 2, 23, 0, port->pd);
	be64_put(wq, 0x10, srq_dbr);
	field_put(wq, 8, 19, 16, 5);
	field_put(wq, 8, 4, 0, 3);
	be64_put(in, 0x110, srq_buf);
}

static uint8_t create_rmp(const uint8_t in[0x118], uint32_t *number)
{
	uint8_t out[16];
	uint8_t status = fixture_cmd(port, in, 0x118, out, sizeof(out));

	*number = be32_at(out, 8) & 0xffffff;
	return status;
}

static uint8_t limit(uint32_t rmpn, uint16_t lwm)
{
	uint8_t in[0x110] = { 0 }, out[16];

	be16_put(in, 0, MODIFY_RMP);
	be32_put(in, 8, 1u << 28 | rmpn);
	be32_put(in, 0x14, 1);
	field_put(in + 0x20, 0, 23, 20, 1);
	field_put(in + 0x50, 1, 15, 0, lwm);
	return fixture_cmd(port, in, sizeof(in), out, sizeof(out));
}

static void rmps_are_shared(void **state)
{
	struct ethernet *e = *state;
	uint8_t in[0x118], out[0x110];
	uint32_t rmpn, number = 0;

	rmp_context(in);
	assert_int_equal(create_rmp(in, &rmpn), 0);
	connect_both(e, HCA_QP_RC, rmpn);
	qp_of(&b)->user_index = OTHER_INDEX;
	for (unsigned int i = 0; i < 3; i++)
		post_shared(100);
	assert_int_equal(limit(rmpn, 2), 0);
	for (uint16_t i = 0; i < 2; i++) {
		post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
		fixture_poll(e->f);
		expect_done(&a, i);
		/* The QP's number, not the queue's. */
		assert_int_equal(index_of(expect_recv(&b, HCA_CQE_RESP_SEND, i)), OTHER_INDEX);
		assert_memory_equal(at(&b, 1000 * i), at(&a, 0), 100);
		assert_int_equal(next_event(&b, &number), i ? (int)HCA_EVENT_SRQ_LIMIT : -1);
	}
	assert_int_equal(number, rmpn);
	/* The driver's own QPs have no number: they are named by the queue. */
	qp_of(&b)->user_index = HCA_NO_USER_INDEX;
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
	fixture_poll(e->f);
	assert_int_equal(index_of(expect_recv(&b, HCA_CQE_RESP_SEND, 2)), rmpn);

	memset(in, 0, sizeof(in));
	be16_put(in, 0, QUERY_RMP);
	be32_put(in, 8, rmpn);
	assert_int_equal(limit(rmpn, 7), 0);
	assert_int_equal(fixture_cmd(port, in, 16, out, sizeof(out)), 0);
	assert_int_equal(field_get(out + 0x20, 0, 23, 20), 1);
	assert_int_equal(field_get(out + 0x50, 8, 19, 16), 5);
	assert_int_equal(be64_at(out, 0x60), srq_dbr);
	/* It was less from the beginning: the event has come, and there is no limit any more. */
	assert_int_equal(field_get(out + 0x50, 1, 15, 0), 0);
	assert_int_equal(fixture_simple_status(port, DESTROY_RMP, 0, rmpn, 0),
			 HCA_CMD_BAD_RES_STATE);
	assert_int_equal(fixture_simple_status(port, 0x501, 0, b.qp.number, 0), 0);
	assert_int_equal(fixture_simple_status(port, DESTROY_RMP, 0, rmpn, 0), 0);
	assert_int_equal(fixture_simple_status(port, DESTROY_RMP, 0, rmpn, 0),
			 HCA_CMD_BAD_RESOURCE);
}

/* A DC target's is in its context. */
static void targets_have_numbers(void **state)
{
	struct ethernet *e = *state;
	uint8_t rmp[0x118], in[0x50] = { 0x07, 0x10 }, out[16];
	uint32_t rmpn;

	rmp_context(rmp);
	assert_int_equal(create_rmp(rmp, &rmpn), 0);
	field_put(in + 0x10, 1, 23, 0, INDEX);
	field_put(in + 0x10, 2, 23, 0, e->side[1].rcq.number);
	field_put(in + 0x10, 5, 23, 0, rmpn);
	field_put(in + 0x10, 6, 23, 0, port->pd);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	assert_int_equal(
		((struct hca_qp *)hca_table_get(&port->hca->qps, be32_at(out, 8) & 0xffffff))
			->user_index,
		INDEX);
}

static void rmp_refusals(void **state)
{
	static const struct {
		uint8_t at, dw, hi, lo;
		uint32_t value;
	} bad[] = {
		{ 0x20, 0, 23, 20, 0 },				/* state */
		{ 0x20, 1, 31, 31, 1 },				/* basic_cyclic_rcv_wqe */
		{ 0x50, 0, 31, 28, 1 },				/* wq_type */
		{ 0x50, 8, 19, 16, 3 },				/* log_wq_stride */
		{ 0x50, 8, 19, 16, 12 }, { 0x50, 8, 4, 0, 16 }, /* log_wq_sz */
		{ 0x50, 9, 31, 31, 1 },	 { 0x50, 9, 30, 30, 1 },
	};
	uint32_t number, count = port->hca->srqs.count;
	uint8_t in[0x118], out[16];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rmp_context(in);
		field_put(in + bad[i].at, bad[i].dw, bad[i].hi, bad[i].lo, bad[i].value);
		assert_int_equal(create_rmp(in, &number), HCA_CMD_BAD_PARAM);
	}
	rmp_context(in);
	field_put(in + 0x50, 2, 23, 0, port->pd + 100);
	assert_int_equal(create_rmp(in, &number), HCA_CMD_BAD_RESOURCE);
	rmp_context(in);
	assert_int_equal(fixture_cmd(port, in, 0x110, out, sizeof(out)), HCA_CMD_BAD_INPUT_LEN);
	assert_int_equal(port->hca->srqs.count, count);
	/* Other fields of it do not change, nor those of another. */
	assert_int_equal(create_rmp(in, &number), 0);
	assert_int_equal(limit(number + 1, 1), HCA_CMD_BAD_RESOURCE);
	memset(in, 0, sizeof(in));
	be16_put(in, 0, MODIFY_RMP);
	be32_put(in, 8, 1u << 28 | number);
	be32_put(in, 0x14, 3);
	field_put(in + 0x20, 0, 23, 20, 1);
	assert_int_equal(fixture_cmd(port, in, 0x110, out, sizeof(out)), HCA_CMD_BAD_PARAM);
}

/* --- XRC ------------------------------------------------------------------------------------- */

static void xrc_context(uint8_t in[0x118], uint32_t xrcd, uint32_t cqn)
{
	memset(in, 0, 0x118);
	be16_put(in, 0, CREATE_XRC_SRQ);
	field_put(in + 0x10, 0, 27, 24, 3);
	field_put(in + 0x10, 1, 26, 24, 1);
	field_put(in + 0x10, 1, 23, 0, xrcd);
	field_put(in + 0x10, 2, 23, 0, cqn);
	field_put(in + 0x10, 4, 23, 0, INDEX);
	field_put(in + 0x10, 6, 23, 0, port->pd);
	be64_put(in + 0x10, 0x28, srq_dbr);
	be64_put(in, 0x110, srq_buf);
}

static uint32_t create_xrc(uint32_t xrcd, uint32_t cqn)
{
	uint8_t in[0x118], out[16];

	xrc_context(in, xrcd, cqn);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	return be32_at(out, 8) & 0xffffff;
}

/* A receive is the SRQ's, whichever QP it came by. */
static void xrc_receives_are_of_the_srq(void **state)
{
	struct ethernet *e = *state;
	struct ethernet_side *side = &e->side[1];
	uint32_t xrcd = fixture_simple(port, 0x80e, 0, 0, 0);
	uint32_t srqn = create_xrc(xrcd, side->rcq.number);
	uint8_t wqe[48] = { 0 };
	const uint8_t *cqe;

	connect_both(e, HCA_QP_XRC, srqn);
	qp_of(&a)->user_index = 5;
	qp_of(&b)->user_index = OTHER_INDEX;
	/* A target. */
	qp_of(&b)->no_sq = true;
	field_put(qp_of(&b)->qpc, 38, 23, 0, xrcd);
	post_shared(100);
	fixture_ctrl(wqe, HCA_OP_SEND, SIGNALLED, 0);
	be32_put(wqe, 16, srqn);
	fixture_data(wqe + 32, a.buf, a.lkey, 100);
	fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
	fixture_poll(e->f);
	assert_int_equal(index_of(expect_done(&a, 0)), 5);
	cqe = fixture_cq_next(port, &side->rcq);
	assert_int_equal(index_of(cqe), INDEX);
	assert_int_equal(be32_at(cqe, 0x38) & 0xffffff, b.qp.number);
	assert_memory_equal(at(&b, 0), at(&a, 0), 100);
}

static void xrc_commands(void **state)
{
	static const struct {
		uint8_t at, dw, hi, lo;
	} bad[] = {
		{ 0x10, 1, 27, 27 }, /* basic_cyclic_rcv_wqe */
		{ 0x10, 2, 24, 24 }, /* dbr_umem_valid */
		{ 0x10, 4, 31, 31 }, /* user_index_equal_xrc_srqn */
		{ 0, 23, 31, 31 },   /* xrc_srq_umem_valid */
	};
	struct ethernet_side *side = &((struct ethernet *)*state)->side[1];
	uint32_t xrcd = fixture_simple(port, 0x80e, 0, 0, 0), number;
	uint8_t in[0x118], out[0x110];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		xrc_context(in, xrcd, side->rcq.number);
		field_put(in + bad[i].at, bad[i].dw, bad[i].hi, bad[i].lo, 1);
		assert_int_equal(fixture_cmd(port, in, sizeof(in), out, 16), HCA_CMD_BAD_PARAM);
	}
	number = create_xrc(xrcd, side->rcq.number);
	memset(in, 0, sizeof(in));
	be16_put(in, 0, QUERY_XRC_SRQ);
	be32_put(in, 8, number);
	assert_int_equal(fixture_cmd(port, in, 16, out, sizeof(out)), 0);
	assert_int_equal(field_get(out + 0x10, 4, 23, 0), INDEX);
	assert_int_equal(field_get(out + 0x10, 0, 31, 28), 0);
	assert_int_equal(field_get(out + 0x10, 7, 31, 16), 0);
	posted = 4;
	be32_put(fixture_at(port->fixture, srq_dbr), 0, posted);
	assert_int_equal(fixture_simple_status(port, ARM_XRC_SRQ, 1, number, 3), 0);
	assert_int_equal(fixture_cmd(port, in, 16, out, sizeof(out)), 0);
	assert_int_equal(field_get(out + 0x10, 7, 31, 16), 3);
	/* Each kind by its own commands. */
	assert_int_equal(fixture_simple_status(port, DESTROY_RMP, 0, number, 0),
			 HCA_CMD_BAD_RESOURCE);
	assert_int_equal(fixture_simple_status(port, 0x701, 0, number, 0), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(fixture_simple_status(port, 0x703, 1, number, 1), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(limit(number, 1), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(fixture_simple_status(port, DESTROY_XRC_SRQ, 0, number, 0), 0);
	assert_int_equal(fixture_simple_status(port, DESTROY_XRC_SRQ, 0, number, 0),
			 HCA_CMD_BAD_RESOURCE);
}

/* --- what a port has ------------------------------------------------------------------------- */

static uint32_t issi_of(struct fixture_port *p)
{
	uint8_t in[16] = { 0x01, 0x0a }, out[0x70];

	assert_int_equal(fixture_cmd(p, in, sizeof(in), out, sizeof(out)), 0);
	return be32_at(out, 0x6c);
}

static void issi(void **state)
{
	(void)state;
	assert_int_equal(issi_of(port), 3);
	assert_int_equal(fixture_simple_status(port, 0x10b, 0, 1, 0), 0);
	assert_int_equal(fixture_simple_status(port, 0x10b, 0, 0, 0), 0);
	assert_int_equal(fixture_simple_status(port, 0x10b, 0, 2, 0), HCA_CMD_BAD_PARAM);
}

/* InfiniBand has CQEs of version 0, which name SRQs, and ISSI 0. */
static void not_of_infiniband(void **state)
{
	struct fixture *f;
	uint8_t in[0x118];
	uint32_t number;

	assert_int_equal(fixture_setup(state), 0);
	f = *state;
	port = &f->port[1];
	assert_int_equal(issi_of(port), 1);
	assert_int_equal(fixture_simple_status(port, 0x10b, 0, 1, 0), HCA_CMD_BAD_PARAM);
	rmp_context(in);
	assert_int_equal(create_rmp(in, &number), HCA_CMD_BAD_OP);
	end_create(&a, &f->port[0], HCA_QP_RC, 0);
	end_create(&b, port, HCA_QP_RC, 0);
	fixture_qp_connect(a.port, &a.qp, b.port, &b.qp);
	qp_of(&a)->user_index = INDEX;
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 10);
	fixture_poll(f);
	assert_int_equal(index_of(expect_done(&a, 0)), 0);
	assert_int_equal(fixture_teardown(state), 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, ethernet_teardown)
	const struct CMUnitTest tests[] = {
		TEST(queues_are_named),
		TEST(numbers_are_of_the_context),
		TEST(frames_are_named),
		TEST(events_are_of_a_kind),
		TEST(rmps_are_shared),
		TEST(targets_have_numbers),
		TEST(rmp_refusals),
		TEST(xrc_receives_are_of_the_srq),
		TEST(xrc_commands),
		TEST(issi),
		cmocka_unit_test(not_of_infiniband),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
