/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared receive queues: list order, CQEs, limit, errors, flush. */
#include "hca/tests/traffic.h"

#define WQES   8
#define STRIDE 32

static struct end a, b, c;
static uint32_t srqn;
static uint64_t srq_buf, srq_dbr;
static uint16_t srq_posted;

static uint8_t *srq_wqe(struct fixture *f, unsigned int index)
{
	return fixture_at(f, srq_buf + index * STRIDE);
}

static int setup(void **state)
{
	uint8_t in[0x118] = { 0 }, out[16];
	struct fixture_port *port;
	struct fixture *f;
	unsigned int i;

	fixture_setup(state);
	f = *state;
	port = &f->port[1];
	srq_buf = fixture_alloc(f, 4096, 4096);
	srq_dbr = fixture_alloc(f, 64, 64);
	srq_posted = 0;
	/* A list that is not in order of the indices: 0, 3, 6, 1, 4, 7, 2, 5. */
	for (i = 0; i < WQES; i++)
		be16_put(srq_wqe(f, i), 2, (uint16_t)((i + 3) % WQES));
	be16_put(in, 0, 0x700);
	field_put(in + 0x10, 0, 27, 24, 3);
	field_put(in + 0x10, 1, 26, 24, 1);
	field_put(in + 0x10, 6, 23, 0, port->pd);
	be64_put(in + 0x10, 0x28, srq_dbr);
	be64_put(in, 0x110, srq_buf);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	srqn = be32_at(out, 8) & 0xffffff;
	end_create(&a, &f->port[0], HCA_QP_RC, 0);
	end_create(&b, port, HCA_QP_RC, srqn);
	end_create(&c, port, HCA_QP_UD, srqn);
	fixture_qp_connect(a.port, &a.qp, b.port, &b.qp);
	fill(&a, 0, 4096, 3);
	return 0;
}

/* Post WQE @index: @len bytes at b.buf + 1000 * index. */
static void post_srq(struct fixture *f, unsigned int index, uint32_t len, uint32_t lkey)
{
	fixture_data(srq_wqe(f, index) + 16, b.buf + 1000 * index, lkey, len);
	srq_posted++;
	be32_put(fixture_at(f, srq_dbr), 0, srq_posted);
}

static struct hca_srq *model(void)
{
	return hca_table_get(&b.port->hca->srqs, srqn);
}

/* Twice round the list: the CQE names the WQE and the SRQ. */
static void test_order(void **state)
{
	unsigned int i, index = 0;

	for (i = 0; i < 2 * WQES; i++) {
		const uint8_t *cqe;

		post_srq(*state, index, 100, b.lkey);
		memset(at(&a, 0), (int)i + 1, 100);
		post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
		fixture_poll(*state);
		expect_done(&a, (uint16_t)i);
		cqe = expect_recv(&b, HCA_CQE_RESP_SEND, (uint16_t)index);
		assert_int_equal(be32_at(cqe, 0x20), srqn);
		assert_int_equal(*at(&b, 1000 * index), i + 1);
		assert_int_equal(*at(&b, 1000 * index + 99), i + 1);
		index = (index + 3) % WQES;
	}
}

static void test_counter_wrap(void **state)
{
	unsigned int i, index = 0;

	model()->consumed = srq_posted = 0xfffe;
	for (i = 0; i < 4; i++) {
		post_srq(*state, index, 100, b.lkey);
		post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
		fixture_poll(*state);
		expect_done(&a, (uint16_t)i);
		expect_recv(&b, HCA_CQE_RESP_SEND, (uint16_t)index);
		index = (index + 3) % WQES;
	}
}

static void test_empty_is_rnr(void **state)
{
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
	poll_ms(*state, 1);
	expect_idle(&a);
	post_srq(*state, 0, 100, b.lkey);
	poll_until(&a, &a.scq, 1000);
	expect_done(&a, 0);
	expect_recv(&b, HCA_CQE_RESP_SEND, 0);
}

static void test_limit(void **state)
{
	uint32_t number = 0;
	unsigned int i, index = 0;

	for (i = 0; i < 4; i++)
		post_srq(*state, 3 * i % WQES, 100, b.lkey);
	assert_int_equal(fixture_simple_status(b.port, 0x703, 1, srqn, 3), 0);
	for (i = 0; i < 3; i++) {
		post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
		fixture_poll(*state);
		expect_recv(&b, HCA_CQE_RESP_SEND, (uint16_t)index);
		index = (index + 3) % WQES;
		/* 3 left: not below the limit; 2 left: event; then it is no longer armed. */
		if (i == 1) {
			assert_int_equal(next_event(&b, &number), HCA_EVENT_SRQ_LIMIT);
			assert_int_equal(number, srqn);
		}
		assert_int_equal(next_event(&b, NULL), -1);
	}
}

/* The record says more than fits, or the list leads out of the queue. */
static void test_catastrophic(void **state)
{
	uint32_t number = 0;

	srq_posted = WQES;
	post_srq(*state, 0, 100, b.lkey);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
	fixture_poll(*state);
	expect_error(&a, 0, HCA_SYND_REMOTE_OP);
	assert_int_equal(next_event(&b, &number), HCA_EVENT_SRQ_CATAS);
	assert_int_equal(number, srqn);
	assert_true(model()->error);
	expect_idle(&b);

	fixture_teardown(state);
	setup(state);
	post_srq(*state, 0, 100, b.lkey);
	post_srq(*state, 1, 100, b.lkey);
	be16_put(srq_wqe(*state, 0), 2, WQES);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
	fixture_poll(*state);
	expect_done(&a, 0);
	expect_error(&a, 1, HCA_SYND_REMOTE_OP);
	assert_int_equal(next_event(&b, &number), HCA_EVENT_SRQ_CATAS);
}

/* A bad buffer costs the QP, not the SRQ; the QP says when it has taken its last WQE. */
static void test_receive_error(void **state)
{
	uint32_t number = 0;

	post_srq(*state, 0, 50, b.lkey);
	post_srq(*state, 3, 100, b.lkey);
	post_send(&a, HCA_OP_SEND, 0, 0, a.buf, a.lkey, 100);
	fixture_poll(*state);
	expect_error(&a, 0, HCA_SYND_REMOTE_INVALID);
	expect_recv_error(&b, 0, HCA_SYND_LOCAL_LENGTH);
	assert_int_equal(next_event(&b, &number), HCA_EVENT_SRQ_LAST_WQE);
	assert_int_equal(number, b.qp.number);
	assert_int_equal(next_event(&b, NULL), -1);
	/* Posted receives of an SRQ are not flushed. */
	poll_ms(*state, 3);
	expect_idle(&b);
	assert_false(model()->error);
	assert_int_equal(model()->head, 3);
}

/* lkeys are checked against the SRQ's PD. */
static void test_pd(void **state)
{
	struct fixture_mkey_attr attr = { .access = FIXTURE_ALL, .start = b.buf, .len = 4096 };

	attr.pd = model()->pd = fixture_simple(b.port, 0x800, 0, 0, 0);
	post_srq(*state, 0, 100, fixture_mkey_create(b.port, &attr));
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
	fixture_poll(*state);
	expect_done(&a, 0);
	expect_recv(&b, HCA_CQE_RESP_SEND, 0);
	post_srq(*state, 3, 100, b.lkey);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
	fixture_poll(*state);
	expect_error(&a, 1, HCA_SYND_REMOTE_OP);
	expect_recv_error(&b, 3, HCA_SYND_LOCAL_PROT);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_order), TEST(test_counter_wrap), TEST(test_empty_is_rnr),
		TEST(test_limit), TEST(test_catastrophic), TEST(test_receive_error),
		TEST(test_pd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
