/* SPDX-License-Identifier: GPL-2.0-only */
/* Connected traffic that fails: syndromes, states, events, retries, flushes, and no stray byte. */
#include "hca/qp.h"
#include "hca/tests/traffic.h"

static struct end a, b;

static int setup(void **state)
{
	struct fixture *f;

	fixture_setup(state);
	f = *state;
	end_create(&a, &f->port[0], HCA_QP_RC, 0);
	end_create(&b, &f->port[1], HCA_QP_RC, 0);
	fixture_qp_connect(a.port, &a.qp, b.port, &b.qp);
	fill(&a, 0, 8192, 1);
	memset(at(&b, 0), 0xff, END_BUF);
	return 0;
}

static struct hca_qp *qp_of(struct end *end)
{
	return hca_table_get(&end->port->hca->qps, end->qp.number);
}

static void assert_untouched(struct end *end)
{
	size_t i;

	for (i = 0; i < END_BUF; i++)
		assert_int_equal(*at(end, i), 0xff);
}

/* The requester failed with @syndrome; a WQE behind it is flushed; the responder's state. */
static void expect_failure(struct fixture *f, uint16_t index, uint8_t syndrome,
			   enum hca_qp_state responder)
{
	post_send(&a, HCA_OP_NOP, 0, 0, 0, 0, 0);
	fixture_poll(f);
	expect_error(&a, index, syndrome);
	expect_error(&a, (uint16_t)(index + 1), HCA_SYND_FLUSH);
	assert_null(fixture_cq_next(a.port, &a.scq));
	assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_ERR);
	assert_int_equal(fixture_qp_state(b.port, &b.qp), responder);
	assert_int_equal(next_event(&a, NULL), -1);
}

static void test_local_key(void **state)
{
	static const uint8_t opcodes[] = { HCA_OP_WRITE, HCA_OP_READ, HCA_OP_SEND };
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		fixture_teardown(state);
		setup(state);
		post_recv(&b, b.buf, b.lkey, 4096);
		if (opcodes[i] == HCA_OP_SEND)
			post_send(&a, HCA_OP_SEND, 0, 0, a.buf, a.lkey ^ 1, 100);
		else
			post_rdma(&a, opcodes[i], 0, 0, b.buf, b.lkey, a.buf, a.lkey ^ 1, 100);
		expect_failure(*state, 0, HCA_SYND_LOCAL_PROT, HCA_QP_RTS);
		assert_untouched(&b);
		assert_int_equal(next_event(&b, NULL), -1);
		assert_null(fixture_cq_next(b.port, &b.rcq));
	}
}

/* Rights of the local key: a READ needs local write. The second of two segments is bad. */
static void test_local_rights(void **state)
{
	struct fixture_mkey_attr attr = {
		.access = FIXTURE_LOCAL_READ,
		.start = a.buf,
		.len = 4096,
	};
	uint32_t read_only = fixture_mkey_create(a.port, &attr);
	uint8_t wqe[64], before[8192];

	memcpy(before, at(&a, 0), sizeof(before));
	fixture_ctrl(wqe, HCA_OP_READ, SIGNALLED, 0);
	fixture_raddr(wqe + 16, b.buf, b.lkey);
	fixture_data(wqe + 32, a.buf + 4096, a.lkey, 100);
	fixture_data(wqe + 48, a.buf, read_only, 100);
	fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
	expect_failure(*state, 0, HCA_SYND_LOCAL_PROT, HCA_QP_RTS);
	assert_memory_equal(at(&a, 0), before, sizeof(before));
}

static void test_local_pd(void **state)
{
	struct fixture_mkey_attr attr = { .access = FIXTURE_ALL, .start = a.buf, .len = 4096 };

	attr.pd = fixture_simple(a.port, 0x800, 0, 0, 0);
	post_rdma(&a, HCA_OP_WRITE, 0, 0, b.buf, b.lkey, a.buf, fixture_mkey_create(a.port, &attr),
		  100);
	expect_failure(*state, 0, HCA_SYND_LOCAL_PROT, HCA_QP_RTS);
	assert_untouched(&b);
}

static void test_malformed(void **state)
{
	static const struct {
		uint8_t opcode;
		const char *listed;
	} cases[] = {
		{ 0x14, "hca0: send WQE opcode 0x14 ATOMIC_MASKED_CS\n" },
		{ 0x3e, "hca0: send WQE opcode 0x3e ?\n" },
	};

	for (unsigned int i = 0; i < 2; i++) {
		uint8_t wqe[32] = { 0 };
		char *text = NULL;
		size_t len = 0;
		FILE *stream;

		fixture_teardown(state);
		setup(state);
		fixture_ctrl(wqe, cases[i].opcode, 0, 0);
		fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
		expect_failure(*state, 0, HCA_SYND_LOCAL_QP_OP, HCA_QP_RTS);
		assert_untouched(&b);
		stream = open_memstream(&text, &len);
		assert_non_null(stream);
		hca_print_unmodelled(a.port->hca, stream);
		fclose(stream);
		assert_string_equal(text, cases[i].listed);
		free(text);
	}
}

/* A WQE whose size reaches behind the last posted block. */
static void test_truncated(void **state)
{
	uint8_t *block = fixture_at(*state, a.qp.sq_buf);

	post_send(&a, HCA_OP_SEND, 0, 0, a.buf, a.lkey, 8);
	field_put(block, 1, 5, 0, 5);
	fixture_poll(*state);
	expect_error(&a, 0, HCA_SYND_LOCAL_QP_OP);
	assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_ERR);
	assert_int_equal(fixture_qp_state(b.port, &b.qp), HCA_QP_RTS);
}

static void test_too_long(void **state)
{
	field_put(qp_of(&a)->qpc, 2, 28, 24, 12);
	post_recv(&b, b.buf, b.lkey, 8192);
	post_send(&a, HCA_OP_SEND, 0, 0, a.buf, a.lkey, 4097);
	expect_failure(*state, 0, HCA_SYND_LOCAL_LENGTH, HCA_QP_RTS);
	assert_untouched(&b);
}

static void expect_remote(struct fixture *f, uint8_t syndrome, enum hca_event event)
{
	uint32_t number = 0;

	expect_failure(f, 0, syndrome, HCA_QP_ERR);
	assert_untouched(&b);
	assert_int_equal(next_event(&b, &number), event);
	assert_int_equal(number, b.qp.number);
	assert_int_equal(next_event(&b, NULL), -1);
}

static void expect_remote_access(struct fixture *f)
{
	expect_remote(f, HCA_SYND_REMOTE_ACCESS, HCA_EVENT_WQ_ACCESS);
}

static void test_remote_key(void **state)
{
	post_rdma(&a, HCA_OP_WRITE, 0, 0, b.buf, b.lkey ^ 1, a.buf, a.lkey, 100);
	expect_remote_access(*state);
}

/* One byte past the end: nothing of the message is placed. */
static void test_remote_range(void **state)
{
	post_rdma(&a, HCA_OP_WRITE, 0, 0, b.buf + END_BUF - 8191, b.lkey, a.buf, a.lkey, 8192);
	expect_remote_access(*state);
}

static void test_remote_rights(void **state)
{
	static const struct {
		uint8_t opcode;
		uint32_t access; /* all but this */
	} cases[] = {
		{ HCA_OP_WRITE, FIXTURE_REMOTE_WRITE },
		{ HCA_OP_READ, FIXTURE_REMOTE_READ },
		{ HCA_OP_ATOMIC_FA, FIXTURE_REMOTE_ATOMIC },
	};
	unsigned int i, off;

	for (i = 0; i < 6; i++) {
		struct fixture_mkey_attr attr = { .access = FIXTURE_ALL, .len = 4096 };
		uint8_t before[8192];
		uint32_t key;

		off = i % 3;
		fixture_teardown(state);
		setup(state);
		attr.start = b.buf;
		/* First the key, then the QP lacks the right. */
		if (i < 3)
			attr.access &= ~cases[off].access;
		else if (cases[off].opcode == HCA_OP_WRITE)
			qp_of(&b)->rwe = false;
		else if (cases[off].opcode == HCA_OP_READ)
			qp_of(&b)->rre = false;
		else
			qp_of(&b)->rae = false;
		key = fixture_mkey_create(b.port, &attr);
		memcpy(before, at(&a, 0), sizeof(before));
		if (cases[off].opcode == HCA_OP_ATOMIC_FA)
			post_atomic(&a, HCA_OP_ATOMIC_FA, b.buf, key, 1, 0, a.buf, a.lkey);
		else
			post_rdma(&a, cases[off].opcode, 0, 0, b.buf, key, a.buf, a.lkey, 8);
		/* What the QP does not allow is no fault of the key. */
		if (i < 3)
			expect_remote_access(*state);
		else
			expect_remote(*state, HCA_SYND_REMOTE_INVALID, HCA_EVENT_WQ_INVALID);
		assert_memory_equal(at(&a, 0), before, sizeof(before));
	}
}

static void test_remote_pd(void **state)
{
	struct fixture_mkey_attr attr = { .access = FIXTURE_ALL, .start = b.buf, .len = 4096 };

	attr.pd = fixture_simple(b.port, 0x800, 0, 0, 0);
	post_rdma(&a, HCA_OP_WRITE, 0, 0, b.buf, fixture_mkey_create(b.port, &attr), a.buf, a.lkey,
		  100);
	expect_remote_access(*state);
}

static void test_write_imm_bad_key(void **state)
{
	post_recv(&b, b.buf, b.lkey, 64);
	post_rdma(&a, HCA_OP_WRITE_IMM, 0, 7, b.buf, b.lkey ^ 1, a.buf, a.lkey, 100);
	expect_remote_access(*state);
	/* The receive was not used, so it is flushed. */
	poll_until(&b, &b.rcq, 1000);
	expect_recv_error(&b, 0, HCA_SYND_FLUSH);
}

static void test_unaligned_atomic(void **state)
{
	uint32_t number = 0;

	post_atomic(&a, HCA_OP_ATOMIC_FA, b.buf + 4, b.lkey, 1, 0, a.buf, a.lkey);
	expect_failure(*state, 0, HCA_SYND_REMOTE_INVALID, HCA_QP_ERR);
	assert_untouched(&b);
	assert_int_equal(next_event(&b, &number), HCA_EVENT_WQ_INVALID);
	assert_int_equal(number, b.qp.number);
}

/* Path MTUs in the code of qpc.mtu, 3 is 1024. */
static void set_mtu(unsigned int requester, unsigned int responder)
{
	field_put(qp_of(&a)->qpc, QPC_MTU, requester);
	field_put(qp_of(&b)->qpc, QPC_MTU, responder);
}

/* One packet to both sides is taken. */
static void test_mtus_one_packet(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		set_mtu(i ? 5 : 3, i ? 3 : 5);
		post_recv(&b, b.buf, b.lkey, 1024);
		post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 1024);
		fixture_poll(*state);
		expect_done(&a, (uint16_t)(2 * i));
		assert_memory_equal(at(&a, 0), at(&b, 0), 1024);
		post_rdma(&a, HCA_OP_READ, SIGNALLED, 0, b.buf, b.lkey, a.buf + 65536, a.lkey,
			  1024);
		fixture_poll(*state);
		expect_done(&a, (uint16_t)(2 * i + 1));
	}
}

/* What is read comes in packets of the responder's MTU, and the requester counts in its own. */
static void test_mtu_of_read(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		fixture_teardown(state);
		setup(state);
		set_mtu(i ? 5 : 3, i ? 3 : 5);
		memset(at(&a, 65536), 0x11, 8192);
		post_rdma(&a, HCA_OP_READ, 0, 0, b.buf, b.lkey, a.buf + 65536, a.lkey, 8192);
		fixture_poll(*state);
		expect_error(&a, 0, HCA_SYND_BAD_RESPONSE);
		assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_ERR);
		assert_int_equal(fixture_qp_state(b.port, &b.qp), HCA_QP_RTS);
		for (unsigned int byte = 0; byte < 8192; byte++)
			assert_int_equal(*at(&a, 65536 + byte), 0x11);
	}
}

static void expect_mtu_refusal(struct fixture *f)
{
	uint32_t number = 0;

	expect_failure(f, 0, HCA_SYND_REMOTE_INVALID, HCA_QP_ERR);
	assert_untouched(&b);
	assert_int_equal(next_event(&b, &number), HCA_EVENT_WQ_INVALID);
	assert_int_equal(number, b.qp.number);
}

static void test_mtu_of_requester_larger(void **state)
{
	set_mtu(5, 3);
	post_rdma(&a, HCA_OP_WRITE, 0, 0, b.buf, b.lkey, a.buf, a.lkey, 1025);
	expect_mtu_refusal(*state);
}

static void test_mtu_of_responder_larger(void **state)
{
	set_mtu(3, 5);
	post_recv(&b, b.buf, b.lkey, 4096);
	post_send(&a, HCA_OP_SEND, 0, 0, a.buf, a.lkey, 1025);
	expect_mtu_refusal(*state);
	poll_until(&b, &b.rcq, 1000);
	expect_recv_error(&b, 0, HCA_SYND_FLUSH);
}

static void test_atomic_result_size(void **state)
{
	uint8_t wqe[64];

	fixture_ctrl(wqe, HCA_OP_ATOMIC_FA, 0, 0);
	fixture_raddr(wqe + 16, b.buf, b.lkey);
	memset(wqe + 32, 1, 16);
	fixture_data(wqe + 48, a.buf, a.lkey, 4);
	fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
	expect_failure(*state, 0, HCA_SYND_LOCAL_LENGTH, HCA_QP_RTS);
	assert_untouched(&b);
}

static void test_receive_too_small(void **state)
{
	post_recv(&b, b.buf, b.lkey, 99);
	post_recv(&b, b.buf, b.lkey, 200);
	post_send(&a, HCA_OP_SEND, 0, 0, a.buf, a.lkey, 100);
	expect_failure(*state, 0, HCA_SYND_REMOTE_INVALID, HCA_QP_ERR);
	assert_untouched(&b);
	expect_recv_error(&b, 0, HCA_SYND_LOCAL_LENGTH);
	poll_until(&b, &b.rcq, 1000);
	expect_recv_error(&b, 1, HCA_SYND_FLUSH);
	assert_int_equal(next_event(&b, NULL), -1);
}

/* The first segment is good: not even that one is written. */
static void test_receive_key(void **state)
{
	uint8_t seg[32];

	fixture_data(seg, b.buf, b.lkey, 50);
	fixture_data(seg + 16, b.buf + 4096, b.lkey ^ 1, 50);
	fixture_post_recv(b.port, &b.qp, seg, sizeof(seg));
	post_send(&a, HCA_OP_SEND, 0, 0, a.buf, a.lkey, 100);
	expect_failure(*state, 0, HCA_SYND_REMOTE_OP, HCA_QP_ERR);
	assert_untouched(&b);
	expect_recv_error(&b, 0, HCA_SYND_LOCAL_PROT);
}

/* A segment that the message does not reach need not be valid. */
static void test_receive_unused_key(void **state)
{
	uint8_t seg[32];

	fixture_data(seg, b.buf, b.lkey, 100);
	fixture_data(seg + 16, b.buf + 4096, b.lkey ^ 1, 50);
	fixture_post_recv(b.port, &b.qp, seg, sizeof(seg));
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
	fixture_poll(*state);
	expect_done(&a, 0);
	expect_recv(&b, HCA_CQE_RESP_SEND, 0);
}

/* The fabric refuses the target, or the source. */
static void test_bus_error(void **state)
{
	struct fixture *f = *state;
	uint32_t number = 0;

	f->hole = b.buf + 4096;
	f->hole_size = 4096;
	post_rdma(&a, HCA_OP_WRITE, 0, 0, b.buf + 4096, b.lkey, a.buf, a.lkey, 100);
	expect_failure(f, 0, HCA_SYND_REMOTE_OP, HCA_QP_ERR);
	assert_int_equal(next_event(&b, &number), HCA_EVENT_WQ_CATAS);
	assert_int_equal(number, b.qp.number);

	fixture_teardown(state);
	setup(state);
	f = *state;
	f->hole = a.buf;
	f->hole_size = 4096;
	post_rdma(&a, HCA_OP_WRITE, 0, 0, b.buf, b.lkey, a.buf, a.lkey, 100);
	expect_failure(f, 0, HCA_SYND_LOCAL_PROT, HCA_QP_RTS);
	assert_untouched(&b);
}

/* The send queue itself cannot be read: an event, since no WQE can be named. */
static void test_queue_unreadable(void **state)
{
	struct fixture *f = *state;
	uint32_t number = 0;

	post_send(&a, HCA_OP_NOP, SIGNALLED, 0, 0, 0, 0);
	f->hole = a.qp.sq_buf;
	f->hole_size = 64;
	fixture_poll(f);
	assert_int_equal(next_event(&a, &number), HCA_EVENT_WQ_CATAS);
	assert_int_equal(number, a.qp.number);
	expect_idle(&a);
	assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_ERR);

	/* The same for a record that says more than the queue holds. */
	f->hole_size = 0;
	be32_put(fixture_at(f, b.qp.dbr), 4, b.qp.sq_wqebbs + 1);
	fixture_qp_ring(b.port, &b.qp);
	fixture_poll(f);
	assert_int_equal(next_event(&b, &number), HCA_EVENT_WQ_CATAS);
	expect_idle(&b);
}

static void test_rnr_then_receive(void **state)
{
	qp_of(&b)->min_rnr_nak = 12; /* 0.64 ms */
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
	poll_ms(*state, 3);
	expect_idle(&a);
	expect_idle(&b);
	assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_RTS);
	post_recv(&b, b.buf, b.lkey, 100);
	poll_until(&a, &a.scq, 1000);
	expect_done(&a, 0);
	expect_recv(&b, HCA_CQE_RESP_SEND, 0);
	assert_memory_equal(at(&b, 0), at(&a, 0), 100);
}

/* rnr_retry 3: three waits, then the error. @b is left alone. */
static void test_rnr_exceeded(void **state)
{
	uint64_t start;

	qp_of(&a)->rnr_retry = 3;
	qp_of(&b)->min_rnr_nak = 14; /* 1.28 ms */
	post_send(&a, HCA_OP_SEND, 0, 0, a.buf, a.lkey, 100);
	start = clock_now_ns();
	poll_until(&a, &a.scq, 1000);
	assert_true(clock_now_ns() - start >= 3 * 1280000);
	expect_failure(*state, 0, HCA_SYND_RNR_RETRY, HCA_QP_RTS);
	assert_untouched(&b);
	assert_int_equal(next_event(&b, NULL), -1);
}

static void test_rnr_no_retry(void **state)
{
	qp_of(&a)->rnr_retry = 0;
	post_send(&a, HCA_OP_SEND, 0, 0, a.buf, a.lkey, 100);
	expect_failure(*state, 0, HCA_SYND_RNR_RETRY, HCA_QP_RTS);
}

/* timeout 8 is 1.05 ms; retry_count 2: three of them. */
static void retry_exceeded(struct fixture *f)
{
	uint64_t start = clock_now_ns();

	qp_of(&a)->retry_count = 2;
	post_rdma(&a, HCA_OP_WRITE, 0, 0, b.buf, b.lkey, a.buf, a.lkey, 100);
	fixture_poll(f);
	expect_idle(&a);
	poll_until(&a, &a.scq, 1000);
	assert_true(clock_now_ns() - start >= 3 * (4096u << 8));
	expect_error(&a, 0, HCA_SYND_RETRY);
	assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_ERR);
	assert_untouched(&b);
}

static void test_peer_not_ready(void **state)
{
	uint8_t qpc[232] = { 0 };

	assert_int_equal(fixture_qp_modify(b.port, &b.qp, 0x50a, 0, qpc), 0);
	retry_exceeded(*state);
	assert_int_equal(fixture_qp_state(b.port, &b.qp), HCA_QP_RST);
}

static void test_peer_in_error(void **state)
{
	uint8_t qpc[232] = { 0 };

	assert_int_equal(fixture_qp_modify(b.port, &b.qp, 0x507, 0, qpc), 0);
	retry_exceeded(*state);
}

static void test_peer_gone(void **state)
{
	assert_int_equal(fixture_simple_status(b.port, 0x501, 0, b.qp.number, 0), 0);
	retry_exceeded(*state);
}

static void test_no_such_lid(void **state)
{
	qp_of(&a)->rlid = 99;
	retry_exceeded(*state);
}

/* Somebody else's peer: its PSN would not match. */
static void test_not_my_peer(void **state)
{
	qp_of(&b)->remote_qpn++;
	retry_exceeded(*state);
}

/* "Force loopback": the peer is at the own port, whatever the address says. */
static void test_loopback(void **state)
{
	struct end other;

	end_create(&other, a.port, HCA_QP_RC, 0);
	memset(at(&other, 0), 0xff, 4096);
	fixture_qp_connect(a.port, &other.qp, a.port, &other.qp);
	qp_of(&a)->rlid = qp_of(&other)->rlid = 0;
	qp_of(&a)->remote_qpn = other.qp.number;
	qp_of(&other)->remote_qpn = a.qp.number;
	qp_of(&a)->loopback = qp_of(&other)->loopback = true;
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, other.buf, other.lkey, a.buf, a.lkey, 100);
	fixture_poll(*state);
	expect_done(&a, 0);
	assert_memory_equal(at(&other, 0), at(&a, 0), 100);
	/* Nobody from elsewhere gets in, though number and address are right. */
	qp_of(&other)->rlid = b.port->hca->params.lid;
	qp_of(&other)->remote_qpn = b.qp.number;
	qp_of(&b)->remote_qpn = other.qp.number;
	qp_of(&b)->retry_count = 0;
	post_rdma(&b, HCA_OP_WRITE, 0, 0, other.buf, other.lkey, b.buf, b.lkey, 100);
	poll_until(&b, &b.scq, 1000);
	expect_error(&b, 0, HCA_SYND_RETRY);
	assert_memory_equal(at(&other, 0), at(&a, 0), 100);
}

static void test_peer_becomes_ready(void **state)
{
	struct hca_qp *peer = qp_of(&b);

	peer->state = HCA_QP_INIT;
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 100);
	poll_ms(*state, 2);
	expect_idle(&a);
	peer->state = HCA_QP_RTR;
	poll_until(&a, &a.scq, 1000);
	expect_done(&a, 0);
	assert_memory_equal(at(&b, 0), at(&a, 0), 100);
}

/* ack_timeout 0 never gives up. */
static void test_wait_for_ever(void **state)
{
	qp_of(&a)->ack_timeout = 0;
	qp_of(&a)->retry_count = 0;
	qp_of(&a)->rlid = 99;
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 100);
	poll_ms(*state, 25);
	expect_idle(&a);
	qp_of(&a)->rlid = 2;
	poll_until(&a, &a.scq, 1000);
	expect_done(&a, 0);
}

/* 2ERR: every posted WQE is flushed, sends in order, then receives, and later ones as well. */
static void test_flush(void **state)
{
	uint8_t qpc[232] = { 0 };
	unsigned int i;

	post_recv(&a, a.buf, a.lkey, 64);
	post_recv(&a, a.buf, a.lkey, 64);
	qp_of(&b)->min_rnr_nak = 31;
	for (i = 0; i < 3; i++)
		post_send(&a, HCA_OP_SEND, 0, 0, a.buf, a.lkey, 64);
	fixture_poll(*state); /* the first one waits for the receiver */
	expect_idle(&a);
	assert_int_equal(fixture_qp_modify(a.port, &a.qp, 0x507, 0, qpc), 0);
	poll_until(&a, &a.rcq, 1000);
	for (i = 0; i < 3; i++)
		expect_error(&a, (uint16_t)i, HCA_SYND_FLUSH);
	expect_recv_error(&a, 0, HCA_SYND_FLUSH);
	expect_recv_error(&a, 1, HCA_SYND_FLUSH);
	expect_idle(&a);
	post_send(&a, HCA_OP_SEND, 0, 0, a.buf, a.lkey, 64);
	post_recv(&a, a.buf, a.lkey, 64);
	poll_until(&a, &a.rcq, 1000);
	expect_error(&a, 3, HCA_SYND_FLUSH);
	expect_recv_error(&a, 2, HCA_SYND_FLUSH);
	expect_idle(&a);
	expect_idle(&b);
}

/* More than one turn flushes. */
static void test_flush_many(void **state)
{
	uint8_t qpc[232] = { 0 };
	unsigned int i;

	assert_int_equal(fixture_qp_modify(a.port, &a.qp, 0x507, 0, qpc), 0);
	for (i = 0; i < 64; i++)
		post_send(&a, HCA_OP_SEND, 0, 0, a.buf, a.lkey, 64);
	fixture_poll(*state);
	for (i = 0; i < 64; i++)
		expect_error(&a, (uint16_t)i, HCA_SYND_FLUSH);
	expect_idle(&a);
}

static void test_reset_is_silent(void **state)
{
	uint8_t qpc[232] = { 0 };

	qp_of(&b)->min_rnr_nak = 31;
	post_recv(&a, a.buf, a.lkey, 64);
	post_send(&a, HCA_OP_SEND, 0, 0, a.buf, a.lkey, 64);
	fixture_poll(*state);
	assert_int_equal(fixture_qp_modify(a.port, &a.qp, 0x50a, 0, qpc), 0);
	poll_ms(*state, 3);
	expect_idle(&a);
	/* And it can be used again from index 0. */
	a.qp.sq_pi = a.qp.rq_pi = 0;
	memset(fixture_at(*state, a.qp.dbr), 0, 8);
	fixture_qp_init(a.port, &a.qp);
	fixture_qp_rtr(a.port, &a.qp, 2, b.qp.number);
	fixture_qp_rts(a.port, &a.qp);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 64);
	fixture_poll(*state);
	expect_done(&a, 0);
	expect_idle(&a);
}

/* The key goes away while a message of several turns is under way. */
static void test_key_destroyed_midway(void **state)
{
	struct fixture_mkey_attr attr = { .access = FIXTURE_ALL, .len = 4u << 20 };
	uint64_t from;
	uint32_t src, dst;

	from = attr.start = fixture_alloc(*state, attr.len, 4096);
	src = fixture_mkey_create(a.port, &attr);
	attr.start = fixture_alloc(*state, attr.len, 4096);
	dst = fixture_mkey_create(b.port, &attr);
	post_rdma(&a, HCA_OP_WRITE, 0, 0, attr.start, dst, from, src, (uint32_t)attr.len);
	assert_true(hca_qp_poll(qp_of(&a)));
	assert_null(fixture_cq_next(a.port, &a.scq));
	assert_true(hca_connection(qp_of(&a))->flight.moved < attr.len);
	hca_mkey_free(b.port->hca, hca_table_remove(b.port->hca, &b.port->hca->mkeys, dst >> 8));
	fixture_poll(*state);
	expect_error(&a, 0, HCA_SYND_REMOTE_ACCESS);
	assert_int_equal(fixture_qp_state(b.port, &b.qp), HCA_QP_ERR);
}

/* The responder goes to error in the middle of a SEND: the receive in use is flushed as well. */
static void test_peer_error_midway(void **state)
{
	struct fixture_mkey_attr attr = { .access = FIXTURE_ALL, .len = 2u << 20 };
	uint8_t qpc[232] = { 0 };
	uint32_t key;

	attr.start = fixture_alloc(*state, attr.len, 4096);
	key = fixture_mkey_create(b.port, &attr);
	post_recv(&b, attr.start, key, (uint32_t)attr.len);
	post_recv(&b, b.buf, b.lkey, 64);
	key = fixture_mkey_create(a.port, &attr);
	post_send(&a, HCA_OP_SEND, 0, 0, attr.start, key, (uint32_t)attr.len);
	assert_true(hca_qp_poll(qp_of(&a)));
	expect_idle(&b);
	qp_of(&a)->retry_at_ns = UINT64_MAX;
	qp_of(&a)->retrying = true;
	assert_int_equal(fixture_qp_modify(b.port, &b.qp, 0x507, 0, qpc), 0);
	poll_ms(*state, 2);
	expect_recv_error(&b, 0, HCA_SYND_FLUSH);
	expect_recv_error(&b, 1, HCA_SYND_FLUSH);
	expect_idle(&b);
}

/* The responder is reset in the middle of a SEND, and is ready again: it starts from its begin. */
static void test_peer_reset_midway(void **state)
{
	struct fixture_mkey_attr attr = { .access = FIXTURE_ALL, .len = 2u << 20 };
	uint64_t src, dst;
	uint32_t src_key, dst_key;

	src = attr.start = fixture_alloc(*state, attr.len, 4096);
	src_key = fixture_mkey_create(a.port, &attr);
	dst = attr.start = fixture_alloc(*state, attr.len, 4096);
	dst_key = fixture_mkey_create(b.port, &attr);
	memset(fixture_at(*state, src), 0x3c, attr.len);
	post_recv(&b, dst, dst_key, (uint32_t)attr.len);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, src, src_key, (uint32_t)attr.len);
	assert_true(hca_qp_poll(qp_of(&a)));
	assert_true(hca_progress(qp_of(&b))->recv.busy);
	hca_qp_stop(qp_of(&b));
	qp_of(&b)->rq_ci = 0;
	qp_of(&b)->state = HCA_QP_INIT;
	fixture_poll(*state);
	expect_idle(&a);
	memset(fixture_at(*state, dst), 0, attr.len);
	qp_of(&b)->state = HCA_QP_RTR;
	poll_until(&a, &a.scq, 1000);
	expect_done(&a, 0);
	expect_recv(&b, HCA_CQE_RESP_SEND, 0);
	assert_memory_equal(fixture_at(*state, src), fixture_at(*state, dst), attr.len);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_local_key),
		TEST(test_local_rights),
		TEST(test_local_pd),
		TEST(test_malformed),
		TEST(test_truncated),
		TEST(test_too_long),
		TEST(test_remote_key),
		TEST(test_remote_range),
		TEST(test_remote_rights),
		TEST(test_remote_pd),
		TEST(test_write_imm_bad_key),
		TEST(test_unaligned_atomic),
		TEST(test_mtus_one_packet),
		TEST(test_mtu_of_read),
		TEST(test_mtu_of_requester_larger),
		TEST(test_mtu_of_responder_larger),
		TEST(test_atomic_result_size),
		TEST(test_receive_too_small),
		TEST(test_receive_key),
		TEST(test_receive_unused_key),
		TEST(test_bus_error),
		TEST(test_queue_unreadable),
		TEST(test_rnr_then_receive),
		TEST(test_rnr_exceeded),
		TEST(test_rnr_no_retry),
		TEST(test_peer_not_ready),
		TEST(test_peer_in_error),
		TEST(test_peer_gone),
		TEST(test_no_such_lid),
		TEST(test_not_my_peer),
		TEST(test_loopback),
		TEST(test_peer_becomes_ready),
		TEST(test_wait_for_ever),
		TEST(test_flush),
		TEST(test_flush_many),
		TEST(test_reset_is_silent),
		TEST(test_key_destroyed_midway),
		TEST(test_peer_error_midway),
		TEST(test_peer_reset_midway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
