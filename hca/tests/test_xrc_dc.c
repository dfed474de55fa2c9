/* SPDX-License-Identifier: GPL-2.0-only */
/* Transports whose requests name the receive queue: XRC and dynamically connected. */
#include "hca/tests/counts.h"
#include "hca/tests/traffic.h"

#define STRIDE 32
#define KEY    0x1122334455667788u

struct srq {
	uint32_t number;
	uint64_t buf, dbr;
	uint32_t posted;
};

static struct end a; /* initiator */
static struct fixture_port *port;
static struct fixture_eq async, comp;
static struct fixture_cq cq; /* of the SRQ */
static struct srq srq;
static struct fixture_qp target;
static uint64_t buf;
static uint32_t key, xrcd, dctn, dct_counts;

static void srq_create(struct srq *s, uint32_t pd)
{
	uint8_t in[0x118] = { 0 }, out[16];
	unsigned int i;

	s->buf = fixture_alloc(port->fixture, 4096, 4096);
	s->dbr = fixture_alloc(port->fixture, 64, 64);
	s->posted = 0;
	for (i = 0; i < 8; i++)
		be16_put(fixture_at(port->fixture, s->buf + i * STRIDE), 2,
			 (uint16_t)((i + 1) % 8));
	be16_put(in, 0, 0x700);
	field_put(in + 0x10, 0, 27, 24, 3);
	field_put(in + 0x10, 1, 26, 24, 1);
	field_put(in + 0x10, 1, 23, 0, xrcd);
	field_put(in + 0x10, 2, 23, 0, cq.number);
	field_put(in + 0x10, 6, 23, 0, pd);
	be64_put(in + 0x10, 0x28, s->dbr);
	be64_put(in, 0x110, s->buf);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	s->number = be32_at(out, 8) & 0xffffff;
}

static void srq_post(uint64_t addr, uint32_t len)
{
	uint8_t *wqe = fixture_at(port->fixture, srq.buf + srq.posted % 8 * STRIDE);

	fixture_data(wqe + 16, addr, key, len);
	be32_put(fixture_at(port->fixture, srq.dbr), 0, ++srq.posted);
}

static void setup_common(void **state)
{
	struct fixture_mkey_attr attr = { .access = FIXTURE_ALL, .len = END_BUF };
	struct fixture *f;

	fixture_setup(state);
	f = *state;
	port = &f->port[1];
	fixture_eq_create(port, 6, ASYNC_MASK | 1u << HCA_EVENT_DCT_DRAINED, 0, &async);
	fixture_eq_create(port, 6, 0, 1, &comp);
	fixture_cq_create(port, 7, comp.number, &cq);
	xrcd = fixture_simple(port, 0x80e, 0, 0, 0);
	/* The SRQ's domain is another than that of the QPs. */
	attr.pd = fixture_simple(port, 0x800, 0, 0, 0);
	srq_create(&srq, attr.pd);
	buf = attr.start = fixture_alloc(f, END_BUF, 4096);
	key = fixture_mkey_create(port, &attr);
}

static int next_async(uint32_t *number)
{
	const uint8_t *eqe = fixture_eq_next(port, &async);

	if (!eqe)
		return -1;
	*number = be32_at(eqe, 0x38) & 0xffffff;
	return eqe[1];
}

static const uint8_t *expect_srq(uint8_t opcode, uint16_t index, uint32_t qpn)
{
	const uint8_t *cqe = fixture_cq_next(port, &cq);

	assert_non_null(cqe);
	assert_int_equal(cqe_opcode(cqe), opcode);
	assert_int_equal(be16_at(cqe, 0x3c), index);
	assert_int_equal(be32_at(cqe, 0x20), srq.number);
	assert_int_equal(be32_at(cqe, 0x38) & 0xffffff, qpn);
	return cqe;
}

/* --- XRC --------------------------------------------------------------------------------- */

static int setup_xrc(void **state)
{
	struct srq unused;
	struct fixture_cq other;
	struct fixture_qp_attr attr = { .type = HCA_QP_XRC, .sq_wqebbs = 0 };
	struct hca_qp *qp;

	setup_common(state);
	end_create(&a, &((struct fixture *)*state)->port[0], HCA_QP_XRC, 0);
	/* A target has a CQ and an SRQ that its receives have nothing to do with. */
	fixture_cq_create(port, 4, comp.number, &other);
	attr.cqn_snd = attr.cqn_rcv = other.number;
	srq_create(&unused, 1);
	attr.srqn = unused.number;
	fixture_qp_create(port, &attr, &target);
	qp = hca_table_get(&port->hca->qps, target.number);
	field_put(qp->qpc, 38, 23, 0, xrcd);
	fixture_qp_connect(a.port, &a.qp, port, &target);
	qp->rwe = qp->rre = qp->rae = true;
	fill(&a, 0, 4096, 3);
	return 0;
}

static void xrc_send(uint32_t srqn, uint32_t len)
{
	uint8_t wqe[48] = { 0 };

	fixture_ctrl(wqe, HCA_OP_SEND, SIGNALLED, 0);
	be32_put(wqe, 16, srqn);
	fixture_data(wqe + 32, a.buf, a.lkey, len);
	fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
}

static void xrc_write(uint32_t srqn, uint64_t addr, uint32_t rkey, uint32_t len)
{
	uint8_t wqe[64] = { 0 };

	fixture_ctrl(wqe, HCA_OP_WRITE, SIGNALLED, 0);
	be32_put(wqe, 16, srqn);
	fixture_raddr(wqe + 32, addr, rkey);
	fixture_data(wqe + 48, a.buf, a.lkey, len);
	fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
}

static void test_xrc_send(void **state)
{
	srq_post(buf, 100);
	xrc_send(srq.number, 100);
	fixture_poll(*state);
	expect_done(&a, 0);
	expect_srq(HCA_CQE_RESP_SEND, 0, target.number);
	assert_memory_equal(fixture_at(*state, buf), at(&a, 0), 100);
	/* The other side's keys are those of the SRQ's domain. */
	xrc_write(srq.number, buf + 1000, key, 200);
	fixture_poll(*state);
	expect_done(&a, 1);
	assert_memory_equal(fixture_at(*state, buf + 1000), at(&a, 0), 200);
}

static void test_xrc_refused(void **state)
{
	uint32_t number = 0;

	xrc_send(srq.number + 5, 100);
	fixture_poll(*state);
	expect_error(&a, 0, HCA_SYND_REMOTE_INVALID);
	assert_int_equal(next_async(&number), HCA_EVENT_WQ_INVALID);
	assert_int_equal(number, target.number);
	/* No "last WQE": the SRQ is not the target's. */
	assert_int_equal(next_async(&number), -1);

	fixture_teardown(state);
	setup_xrc(state);
	field_put(((struct hca_qp *)hca_table_get(&port->hca->qps, target.number))->qpc, 38, 23, 0,
		  xrcd + 1);
	srq_post(buf, 100);
	xrc_send(srq.number, 100);
	fixture_poll(*state);
	expect_error(&a, 0, HCA_SYND_REMOTE_INVALID);
	assert_null(fixture_cq_next(port, &cq));
}

/* --- DC ---------------------------------------------------------------------------------- */

static uint8_t dct_create(uint32_t srqn)
{
	uint8_t in[0x50] = { 0 }, out[16];
	uint8_t status;

	be16_put(in, 0, 0x710);
	field_put(in + 0x10, 2, 23, 0, cq.number);
	field_put(in + 0x10, 3, 31, 24, dct_counts);
	field_put(in + 0x10, 3, 18, 18, 1);
	field_put(in + 0x10, 5, 23, 0, srqn);
	field_put(in + 0x10, 6, 23, 0,
		  ((struct hca_srq *)hca_table_get(&port->hca->srqs, srq.number))->pd);
	be64_put(in + 0x10, 0x20, KEY);
	status = fixture_cmd(port, in, sizeof(in), out, sizeof(out));
	dctn = be32_at(out, 8) & 0xffffff;
	return status;
}

static int setup_dc(void **state)
{
	setup_common(state);
	end_create(&a, &((struct fixture *)*state)->port[0], HCA_QP_DCI, 0);
	fixture_qp_init(a.port, &a.qp);
	fixture_qp_rtr(a.port, &a.qp, 0, 0);
	fixture_qp_rts(a.port, &a.qp);
	assert_int_equal(dct_create(srq.number + 1), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(dct_create(srq.number), 0);
	fill(&a, 0, 4096, 5);
	return 0;
}

/* SEND, or WRITE when @rkey is not 0. */
static void dc_post(uint64_t dc_key, uint64_t addr, uint32_t rkey, uint32_t len)
{
	uint8_t wqe[96] = { 0 };
	size_t n = 64;

	fixture_ctrl(wqe, rkey ? HCA_OP_WRITE : HCA_OP_SEND, SIGNALLED, 0);
	be64_put(wqe, 16, dc_key);
	be32_put(wqe, 24, 1u << 31 | dctn);
	be16_put(wqe, 16 + 14, port->hca->params.lid);
	if (rkey) {
		fixture_raddr(wqe + n, addr, rkey);
		n += 16;
	}
	fixture_data(wqe + n, a.buf, a.lkey, len);
	fixture_post_send(a.port, &a.qp, wqe, n + 16);
}

static void test_dc(void **state)
{
	srq_post(buf, 100);
	dc_post(KEY, 0, 0, 100);
	fixture_poll(*state);
	expect_done(&a, 0);
	expect_srq(HCA_CQE_RESP_SEND, 0, dctn);
	assert_memory_equal(fixture_at(*state, buf), at(&a, 0), 100);
	dc_post(KEY, buf + 1000, key, 300);
	fixture_poll(*state);
	expect_done(&a, 2);
	assert_memory_equal(fixture_at(*state, buf + 1000), at(&a, 0), 300);
}

/*
 * By bad cables: messages of several packets, of which any may be lost, the first one too. A
 * message is nobody's when it has ended.
 */
static void test_dc_bad_cable(void **state)
{
	struct impairment_spec spec = { .loss = IMPAIRMENT_ALL / 20,
					.dup = IMPAIRMENT_ALL / 20,
					.reorder = IMPAIRMENT_ALL / 20 };
	struct hca_qp *qp = hca_table_get(&a.port->hca->qps, a.qp.number);
	unsigned int done;

	fill(&a, 0, 40000, 3);
	for (spec.seed = 1; spec.seed <= 2; spec.seed++)
		hca_impair(spec.seed == 1 ? a.port->hca : port->hca, &spec);
	for (unsigned int i = 0; i < 60; i++) {
		uint8_t *to = fixture_at(*state, buf);

		memset(to, 0, 40001);
		if (i % 2)
			srq_post(buf, 40000);
		dc_post(KEY, buf, i % 2 ? 0 : key, 40000 - i);
		for (done = 0; !done; done = !hca_connection(qp)->posted) {
			fixture_poll(*state);
			if (hca_connection(qp)->posted)
				expire(qp);
		}
		assert_int_equal(cqe_opcode(fixture_cq_next(a.port, &a.scq)), HCA_CQE_REQ);
		assert_memory_equal(to, at(&a, 0), 40000 - i);
		assert_int_equal(to[40000 - i], 0);
		if (i % 2)
			assert_int_equal(cqe_opcode(fixture_cq_next(port, &cq)), HCA_CQE_RESP_SEND);
		assert_null(fixture_cq_next(port, &cq));
	}
}

static void test_dc_counts(void **state)
{
	uint32_t counts = counts_new(port);

	dct_counts = counts + 1;
	assert_int_equal(dct_create(srq.number), HCA_CMD_BAD_RESOURCE);
	dct_counts = counts;
	assert_int_equal(dct_create(srq.number), 0);
	dct_counts = 0;
	srq_post(buf, 100);
	dc_post(KEY, 0, 0, 100);
	dc_post(KEY, buf + 1000, key, 300);
	fixture_poll(*state);
	EXPECT_COUNTS(port, counts, { HCA_Q_RX_DCT_CONNECT, 2 }, { HCA_Q_RX_WRITE, 1 });
	dc_post(KEY + 1, buf + 1000, key, 300);
	fixture_poll(*state);
	EXPECT_COUNTS(port, counts, { HCA_Q_RX_DCT_CONNECT, 1 }, { HCA_Q_RX_WRITE, 1 },
		      { HCA_Q_RESP_REMOTE_ACCESS, 1 });
}

/* An initiator without the key fails; the target serves the next one. */
static void test_dc_key(void **state)
{
	struct end other;

	srq_post(buf, 100);
	dc_post(KEY + 1, 0, 0, 100);
	fixture_poll(*state);
	expect_error(&a, 0, HCA_SYND_REMOTE_ACCESS);
	assert_null(fixture_cq_next(port, &cq));
	other = a;
	end_create(&a, other.port, HCA_QP_DCI, 0);
	fixture_qp_init(a.port, &a.qp);
	fixture_qp_rtr(a.port, &a.qp, 0, 0);
	fixture_qp_rts(a.port, &a.qp);
	dc_post(KEY, 0, 0, 100);
	fixture_poll(*state);
	expect_done(&a, 0);
	expect_srq(HCA_CQE_RESP_SEND, 0, dctn);
}

/* Streams: the error of one leaves the others alone, until there are too many. */
static int setup_streams(void **state)
{
	struct hca_qp *qp;

	setup_dc(state);
	qp = hca_table_get(&a.port->hca->qps, a.qp.number);
	assert_int_equal(qp->failed_streams_max, 0);
	/* As CREATE_QP would with 1 << 1 of them. */
	qp->failed_streams_max = 2;
	return 0;
}

static void stream_post(uint16_t stream, bool good)
{
	uint16_t index = a.qp.sq_pi;

	dc_post(KEY, buf + 1000, good ? key : key + 1, 100);
	be16_put(fixture_at(a.port->fixture, a.qp.sq_buf + 64 * (index % a.qp.sq_wqebbs)), 9,
		 stream);
}

static uint8_t stream_reset(uint16_t stream, uint64_t mask)
{
	uint8_t in[0x120] = { 0 }, out[16];

	be16_put(in, 0, 0x505);
	be32_put(in, 8, 1u << 31 | a.qp.number);
	be64_put(in, 0x108, mask);
	be16_put(in, 0x112, stream);
	return fixture_cmd(a.port, in, sizeof(in), out, sizeof(out));
}

static void test_dc_streams(void **state)
{
	stream_post(5, false);
	stream_post(6, true);
	stream_post(5, true);
	fixture_poll(*state);
	expect_error(&a, 0, HCA_SYND_REMOTE_ACCESS);
	expect_done(&a, 2);
	expect_error(&a, 4, HCA_SYND_FLUSH);
	assert_int_equal(stream_reset(5, 4), HCA_CMD_BAD_PARAM);
	assert_int_equal(stream_reset(5, 1), 0);
	stream_post(5, true);
	fixture_poll(*state);
	expect_done(&a, 6);
	assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_RTS);
	stream_post(7, false);
	fixture_poll(*state);
	expect_error(&a, 8, HCA_SYND_REMOTE_ACCESS);
	stream_post(8, false);
	fixture_poll(*state);
	expect_error(&a, 10, HCA_SYND_REMOTE_ACCESS);
	assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_ERR);
}

/* Nobody answers one stream: the next one has no time-outs of it. */
static void test_dc_streams_counts(void **state)
{
	struct hca_qp *target_dct = hca_table_get(&port->hca->qps, dctn);
	uint32_t counts = counts_new(a.port);

	assert_int_equal(counts_bind(&a, counts), 0);
	((struct hca_qp *)hca_table_get(&a.port->hca->qps, a.qp.number))->retry_count = 1;
	target_dct->state = HCA_QP_ERR;
	stream_post(5, true);
	poll_until(&a, &a.scq, 1000);
	expect_error(&a, 0, HCA_SYND_RETRY);
	EXPECT_COUNTS(a.port, counts, { HCA_Q_LOCAL_ACK_TIMEOUT, 1 },
		      { HCA_Q_REQ_TRANSPORT_RETRIES, 1 }, { HCA_Q_REQ_CQE, 1 });
	target_dct->state = HCA_QP_RTR;
	stream_post(6, true);
	fixture_poll(*state);
	expect_done(&a, 2);
	EXPECT_NO_COUNTS(a.port, counts);
}

/* An error of the sender's own stops all streams. */
static void test_dc_streams_local(void **state)
{
	uint16_t index = a.qp.sq_pi;

	dc_post(KEY, buf + 1000, key, 100);
	be32_put(fixture_at(a.port->fixture, a.qp.sq_buf + 64 * index), 80 + 4, a.lkey + 1);
	fixture_poll(*state);
	expect_error(&a, 0, HCA_SYND_LOCAL_PROT);
	assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_ERR);
}

/* CREATE_QP says how many streams may fail. */
static void test_dc_streams_create(void **state)
{
	uint8_t in[0x118] = { 0 }, out[16];
	struct hca_qp *qp;

	be16_put(in, 0, 0x500);
	field_put(in + 0x18, 0, 23, 16, HCA_QP_DCI);
	field_put(in + 0x18, 1, 23, 0, a.port->pd);
	field_put(in + 0x18, 2, 14, 11, 4);
	field_put(in + 0x18, 3, 23, 0, a.port->uar);
	field_put(in + 0x18, 31, 28, 24, 3);
	field_put(in + 0x18, 31, 23, 0, a.scq.number);
	field_put(in + 0x18, 32, 28, 24, 5);
	field_put(in + 0x18, 39, 23, 0, a.rcq.number);
	field_put(in + 0x18, 43, 26, 24, 3);
	be64_put(in, 0x110, fixture_alloc(*state, 4096, 4096));
	assert_int_equal(fixture_cmd(a.port, in, sizeof(in), out, sizeof(out)), HCA_CMD_BAD_PARAM);
	field_put(in + 0x18, 32, 28, 24, 4);
	assert_int_equal(fixture_cmd(a.port, in, sizeof(in), out, sizeof(out)), 0);
	qp = hca_table_get(&a.port->hca->qps, be32_at(out, 8) & 0xffffff);
	assert_int_equal(qp->failed_streams_max, 16);
}

/* A DCI without streams stops at its first error, and has none to reset. */
static void test_dc_no_streams(void **state)
{
	assert_int_equal(stream_reset(5, 1), HCA_CMD_BAD_PARAM);
	stream_post(5, false);
	fixture_poll(*state);
	expect_error(&a, 0, HCA_SYND_REMOTE_ACCESS);
	assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_ERR);
}

/* Rights of a DCT, as CREATE_DCT has them; atomics need a mode besides. */
static void test_dct_rights(void **state)
{
	uint32_t bits, mode;

	(void)state;
	for (bits = 0; bits < 8; bits++) {
		for (mode = 0; mode < 3; mode++) {
			uint8_t in[0x50] = { 0 }, out[16];
			const struct hca_qp *dct;

			be16_put(in, 0, 0x710);
			field_put(in + 0x10, 2, 23, 0, cq.number);
			field_put(in + 0x10, 3, 23, 20, mode);
			field_put(in + 0x10, 3, 19, 17, bits);
			field_put(in + 0x10, 5, 23, 0, srq.number);
			field_put(in + 0x10, 6, 23, 0, port->pd);
			assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
			dct = hca_table_get(&port->hca->qps, be32_at(out, 8) & 0xffffff);
			assert_int_equal(dct->rre, bits >> 2 & 1);
			assert_int_equal(dct->rwe, bits >> 1 & 1);
			assert_int_equal(dct->rae, bits & 1 && mode);
		}
	}
}

static void test_dct_commands(void **state)
{
	uint8_t in[16] = { 0 }, out[0x50];
	uint32_t number = 0;

	(void)state;
	be16_put(in, 0, 0x713);
	be32_put(in, 8, dctn);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	assert_int_equal(be64_at(out, 0x30), KEY);
	/* QP commands take no DCT, DCT commands no QP. */
	assert_int_equal(fixture_simple_status(port, 0x501, 0, dctn, 0), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(fixture_simple_status(a.port, 0x711, 0, a.qp.number, 0),
			 HCA_CMD_BAD_RESOURCE);
	assert_int_equal(fixture_simple_status(port, 0x711, 0, dctn, 0), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(fixture_simple_status(port, 0x712, 0, dctn, 0), 0);
	assert_int_equal(next_async(&number), HCA_EVENT_DCT_DRAINED);
	assert_int_equal(number, dctn);
	assert_int_equal(fixture_simple_status(port, 0x711, 0, dctn, 0), 0);
	assert_int_equal(fixture_simple_status(port, 0x711, 0, dctn, 0), HCA_CMD_BAD_RESOURCE);
}

int main(void)
{
#define TEST(test, setup) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_xrc_send, setup_xrc),
		TEST(test_xrc_refused, setup_xrc),
		TEST(test_dc, setup_dc),
		TEST(test_dc_bad_cable, setup_dc),
		TEST(test_dc_counts, setup_dc),
		TEST(test_dc_key, setup_dc),
		TEST(test_dct_commands, setup_dc),
		TEST(test_dct_rights, setup_dc),
		TEST(test_dc_streams, setup_streams),
		TEST(test_dc_streams_counts, setup_streams),
		TEST(test_dc_no_streams, setup_dc),
		TEST(test_dc_streams_local, setup_streams),
		TEST(test_dc_streams_create, setup_dc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
