/* SPDX-License-Identifier: GPL-2.0-only */
/* What a QP's context says of its connection: numbers of packets, and what else both ends keep. */
#include "hca/qp.h"
#include "hca/tests/counts.h"
#include "hca/tests/flow.h"

#define LAST 0xffffffu /* the next number wraps */

static struct end a, b;

static struct hca_qp *qp_of(struct end *end)
{
	return hca_table_get(&end->port->hca->qps, end->qp.number);
}

static void make_ends(void **state, enum hca_qp_type type)
{
	struct fixture *f;

	fixture_setup(state);
	f = *state;
	end_create(&a, &f->port[0], type, 0);
	end_create(&b, &f->port[1], type, 0);
	fill(&a, 0, 8192, 1);
	memset(at(&b, 0), 0xff, END_BUF);
}

/* To RTS. @rcv, @snd: the numbers that INIT2RTR and RTR2RTS give. */
static void connect_one(struct end *end, struct end *peer, uint32_t rcv, uint32_t snd)
{
	uint8_t qpc[232] = { 0 };

	fixture_qp_init(end->port, &end->qp);
	field_put(qpc, 0, 23, 16, end->qp.type);
	field_put(qpc, QPC_PD, end->qp.pd);
	field_put(qpc, QPC_MTU, 5);
	field_put(qpc, QPC_LOG_MSG_MAX, 30);
	field_put(qpc, QPC_REMOTE_QPN, peer->qp.number);
	field_put(qpc, QPC_RLID, peer->port->hca->params.lid);
	field_put(qpc, QPC_LOG_RRA_MAX, 4);
	field_put(qpc, QPC_MIN_RNR_NAK, 1);
	field_put(qpc, QPC_NEXT_RCV_PSN, rcv);
	assert_int_equal(fixture_qp_modify(end->port, &end->qp, 0x503, 0, qpc), 0);
	memset(qpc, 0, sizeof(qpc));
	field_put(qpc, 0, 23, 16, end->qp.type);
	field_put(qpc, QPC_ACK_TIMEOUT, 8); /* 1 ms */
	field_put(qpc, QPC_RETRY_COUNT, 1);
	field_put(qpc, QPC_NEXT_SEND_PSN, snd);
	assert_int_equal(fixture_qp_modify(end->port, &end->qp, 0x504, 0, qpc), 0);
}

static void write_one(struct fixture *f, uint32_t len)
{
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, len);
	fixture_poll(f);
}

/* Each direction has numbers of its own, and they wrap. */
static void test_numbers(void **state)
{
	make_ends(state, HCA_QP_RC);
	connect_one(&a, &b, 0x123456, LAST);
	connect_one(&b, &a, LAST, 0x123456);
	for (unsigned int i = 0; i < 2; i++) {
		write_one(*state, 8192);
		expect_done(&a, (uint16_t)i);
		assert_memory_equal(at(&b, 0), at(&a, 0), 8192);
		post_rdma(&b, HCA_OP_READ, SIGNALLED, 0, a.buf, a.lkey, b.buf, b.lkey, 8191);
		fixture_poll(*state);
		expect_done(&b, (uint16_t)i);
		memset(at(&b, 0), 0xff, 8192);
	}
	/* Two packets each; a READ takes as many numbers as its answer. */
	assert_int_equal(hca_connection(qp_of(&a))->requester.new_psn & PSN_MASK, 3);
	assert_int_equal(hca_connection(qp_of(&b))->responder.expected & PSN_MASK, 3);
	assert_int_equal(hca_connection(qp_of(&b))->requester.new_psn & PSN_MASK, 0x123456 + 4);
	assert_int_equal(hca_connection(qp_of(&a))->responder.expected & PSN_MASK, 0x123456 + 4);
}

/* Who begins with another number than the peer waits for gets nothing done. */
static void test_numbers_differ(void **state)
{
	static const uint32_t sent[] = { 7, 5 };

	for (unsigned int i = 0; i < 2; i++) {
		uint32_t set;

		make_ends(state, HCA_QP_RC);
		connect_one(&a, &b, 0, sent[i]);
		connect_one(&b, &a, 6, 0);
		set = counts_new(b.port);
		assert_int_equal(counts_bind(&b, set), 0);
		write_one(*state, 100);
		poll_until(&a, &a.scq, 1000);
		/* A number of the past is of what was done already: it is acknowledged. */
		if (i)
			expect_done(&a, 0);
		else
			expect_error(&a, 0, HCA_SYND_RETRY);
		for (unsigned int byte = 0; byte < 100; byte++)
			assert_int_equal(*at(&b, byte), 0xff);
		assert_int_equal(fixture_qp_state(b.port, &b.qp), HCA_QP_RTS);
		if (i)
			EXPECT_COUNTS(b.port, set, { HCA_Q_DUPLICATE_REQUEST, 1 });
		else
			EXPECT_COUNTS(b.port, set, { HCA_Q_OUT_OF_SEQUENCE, 2 });
		fixture_teardown(state);
	}
	make_ends(state, HCA_QP_RC);
}

/* 2RST ends both ends: they begin with what the next transitions say. */
static void test_reset(void **state)
{
	uint8_t qpc[232] = { 0 };

	make_ends(state, HCA_QP_RC);
	connect_one(&a, &b, 1, 2);
	connect_one(&b, &a, 2, 1);
	write_one(*state, 100);
	expect_done(&a, 0);
	assert_non_null(((struct hca_progress *)qp_of(&a)->progress)->connection);
	assert_int_equal(fixture_qp_modify(a.port, &a.qp, 0x50a, 0, qpc), 0);
	assert_int_equal(fixture_qp_modify(b.port, &b.qp, 0x50a, 0, qpc), 0);
	assert_null(qp_of(&a)->progress);
	assert_null(qp_of(&b)->progress);
	a.qp.sq_pi = a.qp.rq_pi = 0;
	memset(fixture_at(*state, a.qp.dbr), 0, 8);
	connect_one(&a, &b, 3, 4);
	connect_one(&b, &a, 4, 3);
	write_one(*state, 100);
	expect_done(&a, 0);
	assert_int_equal(hca_connection(qp_of(&a))->requester.new_psn & PSN_MASK, 5);
}

/* A message that its own memory fails has no number; one that fails later had. */
static void test_unreliable_error(void **state)
{
	struct fixture_mkey_attr attr = { .access = FIXTURE_ALL, .len = 4u << 20 };
	uint8_t qpc[232] = { 0 };
	uint64_t from;
	uint32_t src, dst;

	make_ends(state, HCA_QP_UC);
	connect_one(&a, &b, 0, 9);
	connect_one(&b, &a, 9, 0);
	post_rdma(&a, HCA_OP_WRITE, 0, 0, b.buf, b.lkey, a.buf, a.lkey ^ 1, 100);
	fixture_poll(*state);
	expect_error(&a, 0, HCA_SYND_LOCAL_PROT);
	assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_SQER);
	assert_int_equal(fixture_qp_modify(a.port, &a.qp, 0x506, 0, qpc), 0);
	write_one(*state, 100);
	expect_done(&a, 1);
	assert_int_equal(hca_connection(qp_of(&a))->requester.new_psn & PSN_MASK, 10);

	/* The key goes in the middle of it. */
	from = attr.start = fixture_alloc(*state, attr.len, 4096);
	src = fixture_mkey_create(a.port, &attr);
	attr.start = fixture_alloc(*state, attr.len, 4096);
	dst = fixture_mkey_create(b.port, &attr);
	post_rdma(&a, HCA_OP_WRITE, 0, 0, attr.start, dst, from, src, (uint32_t)attr.len);
	assert_true(hca_qp_poll(qp_of(&a)));
	assert_null(fixture_cq_next(a.port, &a.scq));
	hca_mkey_free(a.port->hca, hca_table_remove(a.port->hca, &a.port->hca->mkeys, src >> 8));
	fixture_poll(*state);
	expect_error(&a, 2, HCA_SYND_LOCAL_PROT);
	assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_SQER);
	assert_int_equal(fixture_qp_modify(a.port, &a.qp, 0x506, 0, qpc), 0);
	write_one(*state, 100);
	expect_done(&a, 3);
	assert_memory_equal(at(&b, 0), at(&a, 0), 100);
	assert_int_equal(hca_connection(qp_of(&a))->requester.new_psn & PSN_MASK, 10 + 1024 + 1);
}

/* The requester's key, or that of what is read, goes in the middle of a message of several turns.
 */
static void test_key_destroyed_midway(void **state)
{
	static const struct {
		uint8_t opcode;
		bool remote;
		uint8_t syndrome;
		enum hca_q_count counter;
		enum hca_qp_state peer;
	} cases[] = {
		{ HCA_OP_WRITE, false, HCA_SYND_LOCAL_PROT, HCA_Q_REQ_LOCAL_PROT, HCA_QP_RTS },
		{ HCA_OP_READ, false, HCA_SYND_LOCAL_PROT, HCA_Q_REQ_LOCAL_PROT, HCA_QP_RTS },
		{ HCA_OP_READ, true, HCA_SYND_REMOTE_ACCESS, HCA_Q_REQ_REMOTE_ACCESS, HCA_QP_ERR },
	};

	for (unsigned int i = 0; i < 3; i++) {
		struct fixture_mkey_attr attr = { .access = FIXTURE_ALL, .len = 4u << 20 };
		struct end *owner = cases[i].remote ? &b : &a;
		uint32_t here, there, key, set;
		uint64_t laddr;

		make_ends(state, HCA_QP_RC);
		connect_one(&a, &b, 0, 0);
		connect_one(&b, &a, 0, 0);
		set = counts_new(a.port);
		assert_int_equal(counts_bind(&a, set), 0);
		laddr = attr.start = fixture_alloc(*state, attr.len, 4096);
		here = fixture_mkey_create(a.port, &attr);
		attr.start = fixture_alloc(*state, attr.len, 4096);
		there = fixture_mkey_create(b.port, &attr);
		key = cases[i].remote ? there : here;
		post_rdma(&a, cases[i].opcode, 0, 0, attr.start, there, laddr, here,
			  (uint32_t)attr.len);
		assert_true(hca_qp_poll(qp_of(&a)));
		assert_true(hca_connection(qp_of(&a))->flight.moved > 0);
		hca_mkey_free(
			owner->port->hca,
			hca_table_remove(owner->port->hca, &owner->port->hca->mkeys, key >> 8));
		fixture_poll(*state);
		expect_error(&a, 0, cases[i].syndrome);
		/* At once: nothing timed out. */
		EXPECT_COUNTS(a.port, set, { cases[i].counter, 1 }, { HCA_Q_REQ_CQE, 1 });
		assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_ERR);
		assert_int_equal(fixture_qp_state(b.port, &b.qp), cases[i].peer);
		if (cases[i].remote)
			assert_int_equal(next_event(&b, NULL), HCA_EVENT_WQ_ACCESS);
		assert_int_equal(next_event(&b, NULL), -1);
		if (i < 2)
			fixture_teardown(state);
	}
}

/* RTS2RTS: the timer of "not ready" is a new one from the next message on. */
static void test_change(void **state)
{
	uint8_t qpc[232] = { 0 };

	make_ends(state, HCA_QP_RC);
	connect_one(&a, &b, 0, 0);
	connect_one(&b, &a, 0, 0);
	qp_of(&a)->rnr_retry = 7;
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
	fixture_poll(*state);
	assert_int_equal(hca_connection(qp_of(&b))->responder.attr.min_rnr_timer, 1);
	post_recv(&b, b.buf, b.lkey, 100);
	poll_until(&a, &a.scq, 1000);
	expect_done(&a, 0);
	field_put(qpc, QPC_MIN_RNR_NAK, 31);
	field_put(qpc, QPC_NEXT_RCV_PSN, 99);
	assert_int_equal(fixture_qp_modify(b.port, &b.qp, 0x505, 1u << 6, qpc), 0);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
	fixture_poll(*state);
	assert_int_equal(hca_connection(qp_of(&b))->responder.attr.min_rnr_timer, 31);
	assert_int_equal(hca_connection(qp_of(&b))->responder.expected & PSN_MASK, 1);
	expect_idle(&a);
}

/* Two messages of UC, of which the first is lost: the second has the next number, and arrives. */
static void test_unreliable_loss(void **state)
{
	struct table_attr table = { .type = RDMA_RX, .log_size = 4 };
	struct entry_attr entry = { .type = RDMA_RX, .action = DROP };
	uint32_t set;

	make_ends(state, HCA_QP_UC);
	connect_one(&a, &b, 0, 0);
	connect_one(&b, &a, 0, 0);
	set = counts_new(b.port);
	assert_int_equal(counts_bind(&b, set), 0);
	assert_int_equal(table_create(b.port, &table, &entry.table), 0);
	assert_int_equal(group_create(b.port, 0, RDMA_RX, entry.table, 0, 0, &entry.group), 0);
	assert_int_equal(entry_set(b.port, &entry), 0);
	assert_int_equal(root_set(b.port, RDMA_RX, entry.table), 0);
	write_one(*state, 8192);
	expect_done(&a, 0);
	assert_int_equal(*at(&b, 0), 0xff);
	assert_int_equal(entry_delete(b.port, RDMA_RX, entry.table, 0), 0);
	write_one(*state, 8192);
	expect_done(&a, 1);
	assert_memory_equal(at(&b, 0), at(&a, 0), 8192);
	EXPECT_COUNTS(b.port, set, { HCA_Q_RX_WRITE, 1 }, { HCA_Q_OUT_OF_SEQUENCE, 1 });
}

int main(void)
{
#define TEST(test) cmocka_unit_test_teardown(test, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_numbers),	     TEST(test_numbers_differ),	      TEST(test_reset),
		TEST(test_unreliable_error), TEST(test_key_destroyed_midway), TEST(test_change),
		TEST(test_unreliable_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
