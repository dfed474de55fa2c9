/* SPDX-License-Identifier: GPL-2.0-only */
/* Connected traffic that works: every operation, between two HCAs and in loopback. */
#include "hca/budget.h"
#include "hca/tests/traffic.h"

#define KIB 1024u

static struct end a, b;

static void connect_ends(struct fixture *f, enum hca_qp_type type, unsigned int port_b)
{
	end_create(&a, &f->port[0], type, 0);
	end_create(&b, &f->port[port_b], type, 0);
	fixture_qp_connect(a.port, &a.qp, b.port, &b.qp);
}

static int setup_two(void **state)
{
	fixture_setup(state);
	connect_ends(*state, HCA_QP_RC, 1);
	return 0;
}

static int setup_loopback(void **state)
{
	fixture_setup(state);
	connect_ends(*state, HCA_QP_RC, 0);
	return 0;
}

static int setup_uc(void **state)
{
	fixture_setup(state);
	connect_ends(*state, HCA_QP_UC, 1);
	return 0;
}

static void test_write(void **state)
{
	static const uint32_t lengths[] = { 1, 8, 4095, 4097, 65536, 200000, END_BUF };
	size_t i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint16_t index;

		fill(&a, 0, lengths[i], (uint8_t)i);
		memset(at(&b, 0), 0xff, END_BUF);
		index = post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey,
				  lengths[i]);
		fixture_poll(*state);
		expect_done(&a, index);
		assert_memory_equal(at(&a, 0), at(&b, 0), lengths[i]);
		if (lengths[i] < END_BUF)
			assert_int_equal(*at(&b, lengths[i]), 0xff);
		expect_idle(&b);
	}
}

static void test_write_imm(void **state)
{
	const uint8_t *cqe;
	uint16_t index;

	fill(&a, 0, 5000, 3);
	post_recv(&b, b.buf + 512 * KIB, b.lkey, 64);
	index = post_rdma(&a, HCA_OP_WRITE_IMM, SIGNALLED | SOLICIT, 0xcafe1234, b.buf, b.lkey,
			  a.buf, a.lkey, 5000);
	fixture_poll(*state);
	expect_done(&a, index);
	cqe = expect_recv(&b, HCA_CQE_RESP_WRITE_IMM, 0);
	assert_int_equal(be32_at(cqe, 0x24), 0xcafe1234);
	assert_int_equal(be32_at(cqe, 0x2c), 5000);
	assert_int_equal(be32_at(cqe, 0x20), 0);
	assert_int_equal(cqe[0x3f] & 2, 2);
	assert_memory_equal(at(&a, 0), at(&b, 0), 5000);
	assert_int_equal(*at(&b, 512 * KIB), 0);
}

static void test_read(void **state)
{
	uint8_t wqe[64];
	const uint8_t *cqe;
	uint16_t index;

	/* Into two segments. */
	fill(&b, 0, 70000, 9);
	fixture_ctrl(wqe, HCA_OP_READ, SIGNALLED, 0);
	fixture_raddr(wqe + 16, b.buf, b.lkey);
	fixture_data(wqe + 32, a.buf + 100, a.lkey, 66000);
	fixture_data(wqe + 48, a.buf + 100 * KIB, a.lkey, 4000);
	index = fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
	fixture_poll(*state);
	cqe = expect_done(&a, index);
	assert_int_equal(be32_at(cqe, 0x2c), 70000);
	assert_int_equal(cqe[0x38], HCA_OP_READ);
	assert_memory_equal(at(&a, 100), at(&b, 0), 66000);
	assert_memory_equal(at(&a, 100 * KIB), at(&b, 66000), 4000);
	expect_idle(&b);
}

static void test_send(void **state)
{
	uint8_t seg[48];
	const uint8_t *cqe;
	uint16_t index;

	/* Scattered over three segments, the last one not filled. */
	fixture_data(seg, b.buf, b.lkey, 10);
	fixture_data(seg + 16, b.buf + 1000, b.lkey, 500);
	fixture_data(seg + 32, b.buf + 8000, b.lkey, 90000);
	fixture_post_recv(b.port, &b.qp, seg, sizeof(seg));
	fill(&a, 0, 70000, 5);
	index = post_send(&a, HCA_OP_SEND, SIGNALLED, 0x55555555, a.buf, a.lkey, 70000);
	fixture_poll(*state);
	expect_done(&a, index);
	cqe = expect_recv(&b, HCA_CQE_RESP_SEND, 0);
	assert_int_equal(be32_at(cqe, 0x2c), 70000);
	assert_int_equal(be32_at(cqe, 0x24), 0);
	assert_int_equal(be16_at(cqe, 0x16), a.port->hca->params.lid);
	assert_int_equal(cqe[0x3f] & 2, 0);
	assert_memory_equal(at(&b, 0), at(&a, 0), 10);
	assert_memory_equal(at(&b, 1000), at(&a, 10), 500);
	assert_memory_equal(at(&b, 8000), at(&a, 510), 70000 - 510);
	assert_int_equal(*at(&b, 10), 0);
}

static void test_send_imm_and_inline(void **state)
{
	uint8_t wqe[64] = { 0 };
	const uint8_t *cqe;

	post_recv(&b, b.buf, b.lkey, 100);
	fixture_ctrl(wqe, HCA_OP_SEND_IMM, SIGNALLED, 0x01020304);
	be32_put(wqe, 16, 0x80000000u | 30);
	memcpy(wqe + 20, "thirty bytes inside of the WQE", 30);
	fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
	fixture_poll(*state);
	expect_done(&a, 0);
	cqe = expect_recv(&b, HCA_CQE_RESP_SEND_IMM, 0);
	assert_int_equal(be32_at(cqe, 0x24), 0x01020304);
	assert_int_equal(be32_at(cqe, 0x2c), 30);
	assert_memory_equal(at(&b, 0), "thirty bytes inside of the WQE", 30);
}

static void test_send_inv(void **state)
{
	struct fixture_mkey_attr attr = { .access = FIXTURE_ALL, .start = b.buf, .len = 4096 };
	uint32_t key = fixture_mkey_create(b.port, &attr);
	struct hca_mkey *mkey = hca_table_get(&b.port->hca->mkeys, key >> 8);
	const uint8_t *cqe;

	field_put(mkey->mkc, 3, 24, 24, 1);
	post_recv(&b, b.buf, b.lkey, 100);
	post_recv(&b, b.buf, b.lkey, 100);
	post_send(&a, HCA_OP_SEND_INV, SIGNALLED, key, a.buf, a.lkey, 10);
	fixture_poll(*state);
	expect_done(&a, 0);
	cqe = expect_recv(&b, HCA_CQE_RESP_SEND_INV, 0);
	assert_int_equal(be32_at(cqe, 0x24), key);
	assert_true(mkc_free(mkey->mkc));
	/* A second time it is invalid. */
	post_send(&a, HCA_OP_SEND_INV, SIGNALLED, key, a.buf, a.lkey, 10);
	fixture_poll(*state);
	expect_error(&a, 1, HCA_SYND_REMOTE_OP);
	expect_recv_error(&b, 1, HCA_SYND_LOCAL_PROT);
	assert_int_equal(fixture_qp_state(b.port, &b.qp), HCA_QP_ERR);
}

static void test_atomics(void **state)
{
	uint64_t *word = (uint64_t *)at(&b, 64), *result = (uint64_t *)at(&a, 8);
	uint64_t target = b.buf + 64, answer = a.buf + 8;

	*word = 1000;
	post_atomic(&a, HCA_OP_ATOMIC_FA, target, b.lkey, 23, 0, answer, a.lkey);
	fixture_poll(*state);
	expect_done(&a, 0);
	assert_int_equal(*result, 1000);
	assert_int_equal(*word, 1023);
	/* Compare fails: nothing is written, the old value comes back. */
	post_atomic(&a, HCA_OP_ATOMIC_CS, target, b.lkey, 5, 1022, answer, a.lkey);
	fixture_poll(*state);
	expect_done(&a, 1);
	assert_int_equal(*result, 1023);
	assert_int_equal(*word, 1023);
	post_atomic(&a, HCA_OP_ATOMIC_CS, target, b.lkey, 0x1122334455667788, 1023, answer, a.lkey);
	fixture_poll(*state);
	expect_done(&a, 2);
	assert_int_equal(*result, 1023);
	assert_int_equal(*word, 0x1122334455667788);
	/* Wraps around. */
	post_atomic(&a, HCA_OP_ATOMIC_FA, target, b.lkey, UINT64_MAX, 0, answer, a.lkey);
	fixture_poll(*state);
	expect_done(&a, 3);
	assert_int_equal(*word, 0x1122334455667787);
	expect_idle(&b);
}

/* Empty messages need no valid key. */
static void test_zero_length(void **state)
{
	post_recv(&b, b.buf, 0xdead00, 16);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, 0x123, 0xbad00, 0x456, 0xbad00, 0);
	post_rdma(&a, HCA_OP_READ, SIGNALLED, 0, 0x123, 0xbad00, 0x456, 0xbad00, 0);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, 0x456, 0xbad00, 0);
	post_send(&a, HCA_OP_NOP, SIGNALLED, 0, 0, 0, 0);
	fixture_poll(*state);
	expect_done(&a, 0);
	expect_done(&a, 1);
	expect_done(&a, 2);
	expect_done(&a, 3);
	assert_int_equal(be32_at(expect_recv(&b, HCA_CQE_RESP_SEND, 0), 0x2c), 0);
}

/* Unsignalled WQEs have no CQE; order is kept; the ring wraps, also inside a WQE. */
static void test_order_and_wrap(void **state)
{
	unsigned int round, i;

	for (round = 0; round < 40; round++) {
		uint16_t index = 0;

		for (i = 0; i < 5; i++) {
			/* 7 segments of 16 bytes: two blocks; with 5 * 2 + 1 per round they wrap
			 * anywhere. */
			uint8_t wqe[112];
			unsigned int s;

			fixture_ctrl(wqe, HCA_OP_WRITE, i == 4 ? SIGNALLED : 0, 0);
			fixture_raddr(wqe + 16, b.buf + 256 * i, b.lkey);
			for (s = 0; s < 5; s++) {
				memset(at(&a, 1000 * i + 100 * s), (int)(round + 5 * i + s), 20);
				fixture_data(wqe + 32 + 16 * s, a.buf + 1000 * i + 100 * s, a.lkey,
					     20);
			}
			index = fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
		}
		fixture_poll(*state);
		expect_done(&a, index);
		expect_idle(&a);
		post_send(&a, HCA_OP_NOP, 0, 0, 0, 0, 0);
		fixture_poll(*state);
		expect_idle(&a);
		for (i = 0; i < 5 * 100; i++)
			assert_int_equal(*at(&b, 256 * (i / 100) + i % 100),
					 (uint8_t)(round + 5 * (i / 100) + i % 100 / 20));
	}
	assert_true(a.qp.sq_pi > 6 * a.qp.sq_wqebbs);
}

/* Many WQEs for one doorbell: a fetch of 16 blocks ends inside a WQE of two. */
static void test_fetch_ahead(void **state)
{
	unsigned int i;

	post_send(&a, HCA_OP_NOP, SIGNALLED, 0, 0, 0, 0);
	for (i = 0; i < 20; i++) {
		uint8_t wqe[80];
		unsigned int s;

		fixture_ctrl(wqe, HCA_OP_WRITE, SIGNALLED, 0);
		fixture_raddr(wqe + 16, b.buf + 30 * i, b.lkey);
		for (s = 0; s < 3; s++)
			fixture_data(wqe + 32 + 16 * s, a.buf + 30 * i + 10 * s, a.lkey, 10);
		fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
	}
	fill(&a, 0, 600, 4);
	fixture_poll(*state);
	expect_done(&a, 0);
	for (i = 0; i < 20; i++)
		expect_done(&a, (uint16_t)(1 + 2 * i));
	assert_memory_equal(at(&b, 0), at(&a, 0), 600);
}

/* Counters are 16 bits wide and run past 65535. */
static void test_counter_wrap(void **state)
{
	struct hca_qp *qp = hca_table_get(&a.port->hca->qps, a.qp.number);
	struct hca_qp *peer = hca_table_get(&b.port->hca->qps, b.qp.number);
	unsigned int i;

	qp->sq_ci = qp->sq_pi = a.qp.sq_pi = 0xfffe;
	be32_put(fixture_at(*state, a.qp.dbr), 4, 0xfffe);
	peer->rq_ci = b.qp.rq_pi = 0xffff;
	hca_progress(peer)->rq_pi = 0xffff;
	be32_put(fixture_at(*state, b.qp.dbr), 0, 0xffff);
	for (i = 0; i < 4; i++) {
		uint16_t index;

		post_recv(&b, b.buf + 64 * i, b.lkey, 64);
		memset(at(&a, 0), (int)(i + 1), 64);
		index = post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 64);
		assert_int_equal(index, (uint16_t)(0xfffe + i));
		fixture_poll(*state);
		expect_done(&a, index);
		expect_recv(&b, HCA_CQE_RESP_SEND, (uint16_t)(0xffff + i));
		assert_int_equal(*at(&b, 64 * i + 63), i + 1);
	}
}

/* More than a turn's share in one message, and between two of them another QP gets its turn. */
static void test_large_message_is_divided(void **state)
{
	struct fixture_mkey_attr attr = { .access = FIXTURE_ALL, .len = 8u << 20 };
	struct hca *hca = a.port->hca;
	uint32_t src, dst;
	unsigned int turns = 0;
	uint64_t from, to;
	struct hca_qp *qp;

	from = fixture_alloc(*state, attr.len, 4096);
	to = fixture_alloc(*state, attr.len, 4096);
	attr.start = from;
	src = fixture_mkey_create(a.port, &attr);
	attr.start = to;
	dst = fixture_mkey_create(b.port, &attr);
	memset(fixture_at(*state, from), 0x6b, attr.len);
	qp = hca_table_get(&hca->qps, a.qp.number);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, to, dst, from, src, (uint32_t)attr.len);
	while (!fixture_cq_next(a.port, &a.scq) && turns < 100) {
		hca->work_left = HCA_TURN_WORK;
		assert_true(hca_qp_poll(qp));
		turns++;
	}
	assert_in_range(turns, 8, 10);
	assert_memory_equal(fixture_at(*state, from), fixture_at(*state, to), attr.len);
}

/* Both directions of one connection at once, and a QP that is its own peer. */
static void test_both_ways_and_self(void **state)
{
	struct end self;

	post_recv(&a, a.buf + 4096, a.lkey, 100);
	post_recv(&b, b.buf + 4096, b.lkey, 100);
	memcpy(at(&a, 0), "from a", 6);
	memcpy(at(&b, 0), "from b", 6);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 6);
	post_send(&b, HCA_OP_SEND, SIGNALLED, 0, b.buf, b.lkey, 6);
	fixture_poll(*state);
	expect_done(&a, 0);
	expect_done(&b, 0);
	expect_recv(&a, HCA_CQE_RESP_SEND, 0);
	expect_recv(&b, HCA_CQE_RESP_SEND, 0);
	assert_memory_equal(at(&a, 4096), "from b", 6);
	assert_memory_equal(at(&b, 4096), "from a", 6);

	end_create(&self, a.port, HCA_QP_RC, 0);
	fixture_qp_init(self.port, &self.qp);
	fixture_qp_rtr(self.port, &self.qp, 1, self.qp.number);
	fixture_qp_rts(self.port, &self.qp);
	post_recv(&self, self.buf + 100, self.lkey, 100);
	memcpy(at(&self, 0), "myself", 6);
	post_send(&self, HCA_OP_SEND, SIGNALLED, 0, self.buf, self.lkey, 6);
	fixture_poll(*state);
	expect_done(&self, 0);
	expect_recv(&self, HCA_CQE_RESP_SEND, 0);
	assert_memory_equal(at(&self, 100), "myself", 6);
}

/* By GRH: the port GUID of the GID wins, the LID is what is left without one. */
static void test_grh(void **state)
{
	struct hca_qp *qp = hca_table_get(&a.port->hca->qps, a.qp.number);
	struct hca_qp *peer = hca_table_get(&b.port->hca->qps, b.qp.number);

	qp->grh = true;
	be64_put(qp->rgid, 0, 0xfe80000000000000);
	be64_put(qp->rgid, 8, b.port->hca->params.guid);
	qp->rlid = 77;
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 64);
	fixture_poll(*state);
	expect_done(&a, 0);
	be64_put(qp->rgid, 8, 0x123456);
	qp->rlid = b.port->hca->params.lid;
	peer->rlid = 55;
	peer->grh = true;
	be64_put(peer->rgid, 8, a.port->hca->params.guid);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 64);
	fixture_poll(*state);
	expect_done(&a, 1);
}

static void test_comm_est(void **state)
{
	uint32_t number = 0;
	struct end c, d;
	struct fixture *f = *state;

	end_create(&c, &f->port[0], HCA_QP_RC, 0);
	end_create(&d, &f->port[1], HCA_QP_RC, 0);
	fixture_qp_init(c.port, &c.qp);
	fixture_qp_init(d.port, &d.qp);
	fixture_qp_rtr(c.port, &c.qp, 2, d.qp.number);
	fixture_qp_rtr(d.port, &d.qp, 1, c.qp.number);
	fixture_qp_rts(c.port, &c.qp);
	post_rdma(&c, HCA_OP_WRITE, SIGNALLED, 0, d.buf, d.lkey, c.buf, c.lkey, 64);
	post_rdma(&c, HCA_OP_WRITE, SIGNALLED, 0, d.buf, d.lkey, c.buf, c.lkey, 64);
	fixture_poll(f);
	expect_done(&c, 0);
	expect_done(&c, 1);
	assert_int_equal(next_event(&b, &number), HCA_EVENT_COMM_EST);
	assert_int_equal(number, d.qp.number);
	assert_int_equal(next_event(&b, NULL), -1);
}

/* UC: what the responder refuses is lost, the requester does not hear of it. */
static void test_uc(void **state)
{
	fill(&a, 0, 5000, 1);
	post_recv(&b, b.buf + 8192, b.lkey, 5000);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 5000);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 5000);
	fixture_poll(*state);
	expect_done(&a, 0);
	expect_done(&a, 1);
	expect_recv(&b, HCA_CQE_RESP_SEND, 0);
	assert_memory_equal(at(&b, 0), at(&a, 0), 5000);
	assert_memory_equal(at(&b, 8192), at(&a, 0), 5000);
	/* Bad key; no receive; no peer. */
	memset(at(&b, 0), 0xff, 5000);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey ^ 1, a.buf, a.lkey, 5000);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 5000);
	fixture_poll(*state);
	expect_done(&a, 2);
	expect_done(&a, 3);
	assert_int_equal(*at(&b, 0), 0xff);
	expect_idle(&b);
	assert_int_equal(fixture_qp_state(b.port, &b.qp), HCA_QP_RTS);
	/* A READ is not for UC: SQ error, and the rest of the queue is flushed. */
	post_rdma(&a, HCA_OP_READ, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 64);
	post_send(&a, HCA_OP_NOP, 0, 0, 0, 0, 0);
	fixture_poll(*state);
	expect_error(&a, 4, HCA_SYND_LOCAL_QP_OP);
	expect_error(&a, 5, HCA_SYND_FLUSH);
	assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_SQER);
	/* It still receives. */
	post_recv(&a, a.buf, a.lkey, 64);
	post_send(&b, HCA_OP_SEND, SIGNALLED, 0, b.buf, b.lkey, 64);
	fixture_poll(*state);
	expect_recv(&a, HCA_CQE_RESP_SEND, 0);
}

int main(void)
{
#define RC(test)                                                            \
	cmocka_unit_test_setup_teardown(test, setup_two, fixture_teardown), \
		cmocka_unit_test_setup_teardown(test, setup_loopback, fixture_teardown)
	const struct CMUnitTest tests[] = {
		RC(test_write),
		RC(test_write_imm),
		RC(test_read),
		RC(test_send),
		RC(test_send_imm_and_inline),
		RC(test_send_inv),
		RC(test_atomics),
		RC(test_zero_length),
		RC(test_order_and_wrap),
		RC(test_fetch_ahead),
		RC(test_counter_wrap),
		RC(test_large_message_is_divided),
		RC(test_both_ways_and_self),
		cmocka_unit_test_setup_teardown(test_grh, setup_two, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_comm_est, setup_two, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_uc, setup_uc, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
