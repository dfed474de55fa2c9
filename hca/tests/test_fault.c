/* SPDX-License-Identifier: GPL-2.0-only */
/* Page faults of revoked dma-buf keys: event, wait, resume, retry, and the error answer. */
#include "hca/tests/traffic.h"

static struct end a, b;
static struct fixture_eq faults_a, faults_b;

static void make_faulty(struct end *end, struct fixture_eq *eq)
{
	fixture_eq_create(end->port, 4, 1u << HCA_EVENT_PAGE_FAULT, 3, eq);
}

static int setup_without(void **state)
{
	struct fixture *f;

	fixture_setup(state);
	f = *state;
	end_create(&a, &f->port[0], HCA_QP_RC, 0);
	end_create(&b, &f->port[1], HCA_QP_RC, 0);
	fixture_qp_connect(a.port, &a.qp, b.port, &b.qp);
	fill(&a, 0, 8192, 1);
	fill(&b, 0, 8192, 2);
	return 0;
}

static int setup(void **state)
{
	setup_without(state);
	make_faulty(&a, &faults_a);
	make_faulty(&b, &faults_b);
	return 0;
}

static struct hca_mkey *mkey_of(struct end *end)
{
	return hca_table_get(&end->port->hca->mkeys, end->lkey >> 8);
}

/* As the invalidate callback's UMR leaves the key. */
static void zap(struct end *end)
{
	struct hca_mkey *mkey = mkey_of(end);

	memset(fixture_xlt(mkey), 0, 16 * (size_t)mkey->xlt.octwords);
	mkey->umr_loaded = true;
}

static void reload(struct end *end)
{
	struct hca_mkey *mkey = mkey_of(end);
	size_t i;

	for (i = 0; i < END_BUF / 4096; i++)
		be64_put(fixture_xlt(mkey), 8 * i, (end->buf + 4096 * i) | 3);
}

static uint8_t resume(struct end *end, uint32_t type_token, bool error)
{
	/* The driver puts the token into both words and echoes the type. */
	return fixture_simple_status(end->port, 0x204, 0, (uint32_t)error << 31 | type_token,
				     type_token & 0xffffff);
}

/* The fault event of @end's queue. Returns type << 24 | token. */
static uint32_t expect_fault(struct end *end, struct fixture_eq *eq, uint64_t va, uint32_t len)
{
	const uint8_t *eqe = fixture_eq_next(end->port, eq);

	assert_non_null(eqe);
	assert_int_equal(eqe[1], HCA_EVENT_PAGE_FAULT);
	assert_int_equal(eqe[3], 1);
	assert_int_equal(be32_at(eqe, 0x20), 0);
	assert_int_equal(be32_at(eqe, 0x24), end->lkey);
	assert_int_equal(be16_at(eqe, 0x2a), len < 4096 ? len : 4096);
	assert_int_equal(be32_at(eqe, 0x2c), len);
	assert_int_equal(be64_at(eqe, 0x30), va);
	assert_int_equal(be32_at(eqe, 0x38) & 0xffffff, end->qp.number);
	assert_null(fixture_eq_next(end->port, eq));
	return be32_at(eqe, 0x38);
}

/* Without the page fault EQ it is an access error. */
static void test_no_eq(void **state)
{
	zap(&b);
	post_rdma(&a, HCA_OP_WRITE, 0, 0, b.buf, b.lkey, a.buf, a.lkey, 5000);
	fixture_poll(*state);
	expect_error(&a, 0, HCA_SYND_REMOTE_ACCESS);

	fixture_teardown(state);
	setup_without(state);
	zap(&a);
	post_rdma(&a, HCA_OP_WRITE, 0, 0, b.buf, b.lkey, a.buf, a.lkey, 5000);
	fixture_poll(*state);
	expect_error(&a, 0, HCA_SYND_LOCAL_PROT);
}

static void test_remote(void **state)
{
	uint32_t token;

	zap(&b);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf + 100, b.lkey, a.buf, a.lkey, 5000);
	fixture_poll(*state);
	token = expect_fault(&b, &faults_b, b.buf + 100, 5000);
	assert_null(fixture_eq_next(a.port, &faults_a));
	poll_ms(*state, 3);
	expect_idle(&a);
	assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_RTS);
	assert_int_equal(fixture_qp_state(b.port, &b.qp), HCA_QP_RTS);
	/* Loaded again, but it goes on with the answer only. */
	reload(&b);
	poll_ms(*state, 1);
	expect_idle(&a);
	assert_int_equal(resume(&b, token, false), 0);
	fixture_poll(*state);
	expect_done(&a, 0);
	assert_memory_equal(at(&b, 100), at(&a, 0), 5000);
}

static void test_remote_failed(void **state)
{
	uint32_t token, number = 0;

	zap(&b);
	post_rdma(&a, HCA_OP_WRITE, 0, 0, b.buf, b.lkey, a.buf, a.lkey, 5000);
	fixture_poll(*state);
	token = expect_fault(&b, &faults_b, b.buf, 5000);
	assert_int_equal(resume(&b, token, true), 0);
	fixture_poll(*state);
	expect_error(&a, 0, HCA_SYND_REMOTE_ACCESS);
	assert_int_equal(next_event(&b, &number), HCA_EVENT_WQ_ACCESS);
	assert_int_equal(fixture_qp_state(b.port, &b.qp), HCA_QP_ERR);
	assert_null(fixture_eq_next(b.port, &faults_b));
}

static void test_local(void **state)
{
	static const uint8_t opcodes[] = { HCA_OP_WRITE, HCA_OP_READ };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		uint32_t token;

		zap(&a);
		post_rdma(&a, opcodes[i], SIGNALLED, 0, b.buf, b.lkey, a.buf + 8, a.lkey, 100);
		fixture_poll(*state);
		token = expect_fault(&a, &faults_a, a.buf + 8, 100);
		assert_null(fixture_eq_next(b.port, &faults_b));
		reload(&a);
		poll_ms(*state, 1);
		expect_idle(&a);
		assert_int_equal(resume(&a, token, false), 0);
		fixture_poll(*state);
		expect_done(&a, (uint16_t)i);
		assert_memory_equal(at(&b, 0), at(&a, 8), 100);
	}
	zap(&a);
	post_rdma(&a, HCA_OP_WRITE, 0, 0, b.buf, b.lkey, a.buf, a.lkey, 100);
	fixture_poll(*state);
	assert_int_equal(resume(&a, expect_fault(&a, &faults_a, a.buf, 100), true), 0);
	fixture_poll(*state);
	expect_error(&a, 2, HCA_SYND_LOCAL_PROT);
	assert_int_equal(fixture_qp_state(b.port, &b.qp), HCA_QP_RTS);
}

/* The buffer of a receive: the WQE stays taken and is used after the answer. */
static void test_receive(void **state)
{
	uint32_t token;

	zap(&b);
	post_recv(&b, b.buf + 4096, b.lkey, 300);
	post_recv(&b, b.buf, b.lkey, 300);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 200);
	fixture_poll(*state);
	token = expect_fault(&b, &faults_b, b.buf + 4096, 200);
	expect_idle(&b);
	reload(&b);
	assert_int_equal(resume(&b, token, false), 0);
	fixture_poll(*state);
	expect_done(&a, 0);
	expect_recv(&b, HCA_CQE_RESP_SEND, 0);
	assert_memory_equal(at(&b, 4096), at(&a, 0), 200);

	zap(&b);
	post_send(&a, HCA_OP_SEND, 0, 0, a.buf, a.lkey, 200);
	fixture_poll(*state);
	assert_int_equal(resume(&b, expect_fault(&b, &faults_b, b.buf, 200), true), 0);
	fixture_poll(*state);
	expect_error(&a, 1, HCA_SYND_REMOTE_OP);
	expect_recv_error(&b, 1, HCA_SYND_LOCAL_PROT);
}

/* Resumed too early: the fault is raised again. */
static void test_twice(void **state)
{
	uint32_t token;

	zap(&b);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 5000);
	fixture_poll(*state);
	token = expect_fault(&b, &faults_b, b.buf, 5000);
	assert_int_equal(resume(&b, token, false), 0);
	fixture_poll(*state);
	token = expect_fault(&b, &faults_b, b.buf, 5000);
	reload(&b);
	assert_int_equal(resume(&b, token, false), 0);
	fixture_poll(*state);
	expect_done(&a, 0);
}

/* Answers for what is not waiting are taken, and change nothing. */
static void test_stray_resume(void **state)
{
	uint8_t qpc[232] = { 0 };
	uint32_t token;

	assert_int_equal(resume(&a, 1u << 24 | a.qp.number, true), 0);
	assert_int_equal(resume(&a, 1u << 24 | 0xffff, true), 0);
	zap(&a);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 100);
	fixture_poll(*state);
	token = expect_fault(&a, &faults_a, a.buf, 100);
	/* The other half of the QP. */
	assert_int_equal(resume(&a, token & 0xffffff, true), 0);
	fixture_poll(*state);
	expect_idle(&a);
	/* 2ERR while it waits: flushed, and the late answer is harmless. */
	assert_int_equal(fixture_qp_modify(a.port, &a.qp, 0x507, 0, qpc), 0);
	fixture_poll(*state);
	expect_error(&a, 0, HCA_SYND_FLUSH);
	assert_int_equal(resume(&a, token, false), 0);
	fixture_poll(*state);
	expect_idle(&a);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_eq, setup_without, fixture_teardown),
		TEST(test_remote),
		TEST(test_remote_failed),
		TEST(test_local),
		TEST(test_receive),
		TEST(test_twice),
		TEST(test_stray_resume),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
