/* SPDX-License-Identifier: GPL-2.0-only */
/* Q counters: each moves by what it says, and no other; sets, their numbers and who counts in them.
 */
#include "hca/budget.h"
#include "hca/cmd.h"
#include "hca/tests/counts.h"
#include "hca/tests/flow.h"

static struct end a, b;
static uint32_t set_a, set_b;

static void connect_ends(struct fixture *f, enum hca_qp_type type)
{
	end_create(&a, &f->port[0], type, 0);
	end_create(&b, &f->port[1], type, 0);
	fixture_qp_connect(a.port, &a.qp, b.port, &b.qp);
	/* Not the same number: what is counted in the wrong function shows. */
	counts_new(b.port);
	set_a = counts_new(a.port);
	set_b = counts_new(b.port);
	assert_int_equal(counts_bind(&a, set_a), 0);
	assert_int_equal(counts_bind(&b, set_b), 0);
}

static int setup(void **state)
{
	fixture_setup(state);
	connect_ends(*state, HCA_QP_RC);
	return 0;
}

static int setup_uc(void **state)
{
	fixture_setup(state);
	connect_ends(*state, HCA_QP_UC);
	return 0;
}

static int setup_ud(void **state)
{
	fixture_setup(state);
	connect_ends(*state, HCA_QP_UD);
	return 0;
}

static struct hca_qp *qp_of(struct end *end)
{
	return hca_table_get(&end->port->hca->qps, end->qp.number);
}

/* Drops all packets of @type at @port; returns the table. */
static uint32_t drop_all_packets(struct fixture_port *port, uint8_t type)
{
	struct table_attr table = { .type = type, .log_size = 4 };
	struct entry_attr entry = { .type = type, .action = DROP };

	assert_int_equal(table_create(port, &table, &entry.table), 0);
	assert_int_equal(group_create(port, 0, type, entry.table, 0, 0, &entry.group), 0);
	assert_int_equal(entry_set(port, &entry), 0);
	assert_int_equal(root_set(port, type, entry.table), 0);
	return entry.table;
}

/* --- requests ---------------------------------------------------------------------------- */

static void test_requests(void **state)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		post_recv(&b, b.buf, b.lkey, 8192);
	post_rdma(&a, HCA_OP_WRITE, 0, 0, b.buf, b.lkey, a.buf, a.lkey, 100);
	/* A request of many packets is one. */
	post_rdma(&a, HCA_OP_WRITE, 0, 0, b.buf, b.lkey, a.buf, a.lkey, 65536);
	post_rdma(&a, HCA_OP_WRITE_IMM, 0, 7, b.buf, b.lkey, a.buf, a.lkey, 100);
	for (i = 0; i < 5; i++)
		post_rdma(&a, HCA_OP_READ, 0, 0, b.buf, b.lkey, a.buf, a.lkey, 100);
	post_atomic(&a, HCA_OP_ATOMIC_FA, b.buf, b.lkey, 1, 0, a.buf, a.lkey);
	post_atomic(&a, HCA_OP_ATOMIC_CS, b.buf, b.lkey, 1, 0, a.buf, a.lkey);
	post_send(&a, HCA_OP_SEND, 0, 0, a.buf, a.lkey, 100);
	post_rdma(&b, HCA_OP_READ, 0, 0, a.buf, a.lkey, b.buf, b.lkey, 100);
	fixture_poll(*state);
	EXPECT_COUNTS(a.port, set_a, { HCA_Q_RX_READ, 1 });
	EXPECT_COUNTS(b.port, set_b, { HCA_Q_RX_WRITE, 3 }, { HCA_Q_RX_READ, 5 },
		      { HCA_Q_RX_ATOMIC, 2 });
}

/* A message of several turns, and one that is looked at in several, is one request. */
static void test_many_turns(void **state)
{
	struct fixture_mkey_attr attr = { .access = FIXTURE_ALL, .len = 4u << 20 };
	uint64_t from;
	uint32_t src, dst;

	from = attr.start = fixture_alloc(*state, attr.len, 4096);
	src = fixture_mkey_create(a.port, &attr);
	attr.start = fixture_alloc(*state, attr.len, 4096);
	dst = fixture_mkey_create(b.port, &attr);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, attr.start, dst, from, src, (uint32_t)attr.len);
	fixture_poll(*state);
	expect_done(&a, 0);
	EXPECT_COUNTS(b.port, set_b, { HCA_Q_RX_WRITE, 1 });
	EXPECT_NO_COUNTS(a.port, set_a);
}

static void test_uc(void **state)
{
	post_rdma(&a, HCA_OP_WRITE, 0, 0, b.buf, b.lkey, a.buf, a.lkey, 100);
	post_send(&a, HCA_OP_SEND, 0, 0, a.buf, a.lkey, 100);
	fixture_poll(*state);
	EXPECT_COUNTS(b.port, set_b, { HCA_Q_RX_WRITE, 1 }, { HCA_Q_OUT_OF_BUFFER, 1 });
	EXPECT_NO_COUNTS(a.port, set_a);
}

static void test_ud(void **state)
{
	uint8_t wqe[80] = { 0 };

	fixture_ctrl(wqe, HCA_OP_SEND, SIGNALLED, 0);
	be32_put(wqe, 16, 0x11111111);
	be32_put(wqe, 24, 0x80000000u | b.qp.number);
	be16_put(wqe, 30, 2);
	fixture_data(wqe + 64, a.buf, a.lkey, 100);
	fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
	fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
	fixture_poll(*state);
	EXPECT_COUNTS(b.port, set_b, { HCA_Q_OUT_OF_BUFFER, 2 });
	EXPECT_NO_COUNTS(a.port, set_a);
	post_recv(&b, b.buf, b.lkey, 1000);
	fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
	fixture_poll(*state);
	EXPECT_NO_COUNTS(b.port, set_b);
	/* One that does not fit: the QP is in error. */
	post_recv(&b, b.buf, b.lkey, 10);
	fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
	fixture_poll(*state);
	EXPECT_COUNTS(b.port, set_b, { HCA_Q_RESP_CQE, 1 }, { HCA_Q_RESP_LOCAL_LENGTH, 1 });
}

/* --- retries ----------------------------------------------------------------------------- */

static void test_not_ready(void **state)
{
	unsigned int i;

	qp_of(&a)->rnr_retry = 3;
	for (i = 0; i < 2; i++) {
		post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
		if (!i) {
			poll_until(&a, &a.scq, 1000);
			expect_error(&a, 0, HCA_SYND_RNR_RETRY);
		}
	}
	fixture_poll(*state);
	/* Four were sent, and refused; at the last one the limit was exceeded. */
	EXPECT_COUNTS(b.port, set_b, { HCA_Q_OUT_OF_BUFFER, 4 });
	EXPECT_COUNTS(a.port, set_a, { HCA_Q_RNR_NAK_RETRY, 3 }, { HCA_Q_REQ_RNR_RETRIES, 1 },
		      { HCA_Q_REQ_CQE, 2 }, { HCA_Q_REQ_CQE_FLUSH, 1 });
}

/* A WRITE with immediate that finds no receive comes again. */
static void test_not_ready_write(void **state)
{
	qp_of(&b)->min_rnr_nak = 31;
	post_rdma(&a, HCA_OP_WRITE_IMM, SIGNALLED, 7, b.buf, b.lkey, a.buf, a.lkey, 100);
	fixture_poll(*state);
	EXPECT_COUNTS(b.port, set_b, { HCA_Q_RX_WRITE, 1 }, { HCA_Q_OUT_OF_BUFFER, 1 });
	post_recv(&b, b.buf, b.lkey, 100);
	expire(qp_of(&a));
	fixture_poll(*state);
	expect_done(&a, 0);
	EXPECT_COUNTS(b.port, set_b, { HCA_Q_RX_WRITE, 1 });
	EXPECT_COUNTS(a.port, set_a, { HCA_Q_RNR_NAK_RETRY, 1 });
}

/* Nothing arrives: retry_count 2 is two time-outs, and a third one that exceeds it. */
static void test_time_out(void **state)
{
	(void)state;
	qp_of(&a)->retry_count = 2;
	drop_all_packets(b.port, RDMA_RX);
	post_rdma(&a, HCA_OP_WRITE, 0, 0, b.buf, b.lkey, a.buf, a.lkey, 100);
	poll_until(&a, &a.scq, 1000);
	expect_error(&a, 0, HCA_SYND_RETRY);
	EXPECT_COUNTS(a.port, set_a, { HCA_Q_LOCAL_ACK_TIMEOUT, 2 },
		      { HCA_Q_REQ_TRANSPORT_RETRIES, 1 }, { HCA_Q_REQ_CQE, 1 });
	EXPECT_NO_COUNTS(b.port, set_b);
}

/* What comes after a time-out and is told to wait was answered: it is not timed out once more. */
static void test_time_out_then_not_ready(void **state)
{
	uint32_t table = drop_all_packets(b.port, RDMA_RX);

	qp_of(&b)->min_rnr_nak = 31;
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
	fixture_poll(*state);
	assert_int_equal(entry_delete(b.port, RDMA_RX, table, 0), 0);
	expire(qp_of(&a));
	fixture_poll(*state);
	EXPECT_COUNTS(a.port, set_a, { HCA_Q_LOCAL_ACK_TIMEOUT, 1 }, { HCA_Q_RNR_NAK_RETRY, 1 });
	post_recv(&b, b.buf, b.lkey, 100);
	expire(qp_of(&a));
	fixture_poll(*state);
	expect_done(&a, 0);
	EXPECT_NO_COUNTS(a.port, set_a);
	EXPECT_COUNTS(b.port, set_b, { HCA_Q_OUT_OF_BUFFER, 1 });
}

/* ack_timeout 0 never expires, however often the model looks again. */
static void test_no_time_out(void **state)
{
	qp_of(&a)->ack_timeout = 0;
	drop_all_packets(b.port, RDMA_RX);
	post_rdma(&a, HCA_OP_WRITE, 0, 0, b.buf, b.lkey, a.buf, a.lkey, 100);
	poll_ms(*state, 25);
	expect_idle(&a);
	EXPECT_NO_COUNTS(a.port, set_a);
}

/* The answer is lost: the same request comes again, in as many packets as it has. */
static void test_duplicate(void **state)
{
	static const uint8_t opcodes[] = { HCA_OP_WRITE, HCA_OP_READ, HCA_OP_ATOMIC_FA };
	static const enum hca_q_count counters[] = { HCA_Q_RX_WRITE, HCA_Q_RX_READ,
						     HCA_Q_RX_ATOMIC };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		uint32_t table;

		fixture_teardown(state);
		setup(state);
		table = drop_all_packets(b.port, RDMA_TX);
		if (opcodes[i] == HCA_OP_ATOMIC_FA)
			post_atomic(&a, opcodes[i], b.buf, b.lkey, 1, 0, a.buf, a.lkey);
		else
			post_rdma(&a, opcodes[i], SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 9000);
		fixture_poll(*state);
		EXPECT_COUNTS(b.port, set_b, { counters[i], 1 });
		assert_int_equal(entry_delete(b.port, RDMA_TX, table, 0), 0);
		poll_until(&a, &a.scq, 1000);
		expect_done(&a, 0);
		/* 9,000 bytes go in three packets; requests of the others have one. */
		EXPECT_COUNTS(b.port, set_b, { HCA_Q_DUPLICATE_REQUEST, i ? 1 : 3 });
		EXPECT_COUNTS(a.port, set_a, { HCA_Q_LOCAL_ACK_TIMEOUT, 1 });
		/* The next one is none. */
		post_rdma(&a, HCA_OP_READ, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 100);
		fixture_poll(*state);
		EXPECT_COUNTS(b.port, set_b, { HCA_Q_RX_READ, 1 });
	}
}

/* "Not ready" that is lost: the request was not executed, so it is no duplicate. */
static void test_not_ready_lost(void **state)
{
	uint32_t table = drop_all_packets(b.port, RDMA_TX);

	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
	fixture_poll(*state);
	EXPECT_COUNTS(b.port, set_b, { HCA_Q_OUT_OF_BUFFER, 1 });
	post_recv(&b, b.buf, b.lkey, 100);
	assert_int_equal(entry_delete(b.port, RDMA_TX, table, 0), 0);
	poll_until(&a, &a.scq, 1000);
	expect_done(&a, 0);
	EXPECT_NO_COUNTS(b.port, set_b);
	EXPECT_COUNTS(a.port, set_a, { HCA_Q_LOCAL_ACK_TIMEOUT, 1 });
}

/* --- errors ------------------------------------------------------------------------------ */

static void test_remote_access(void **state)
{
	post_rdma(&a, HCA_OP_WRITE, 0, 0, b.buf, b.lkey ^ 1, a.buf, a.lkey, 100);
	fixture_poll(*state);
	EXPECT_COUNTS(a.port, set_a, { HCA_Q_REQ_REMOTE_ACCESS, 1 }, { HCA_Q_REQ_CQE, 1 });
	EXPECT_COUNTS(b.port, set_b, { HCA_Q_RESP_REMOTE_ACCESS, 1 }, { HCA_Q_RX_WRITE, 1 });
}

static void test_remote_invalid(void **state)
{
	post_atomic(&a, HCA_OP_ATOMIC_FA, b.buf + 4, b.lkey, 1, 0, a.buf, a.lkey);
	fixture_poll(*state);
	EXPECT_COUNTS(a.port, set_a, { HCA_Q_REQ_REMOTE_INVALID, 1 }, { HCA_Q_REQ_CQE, 1 });
	EXPECT_COUNTS(b.port, set_b, { HCA_Q_RESP_REMOTE_INVALID, 1 }, { HCA_Q_RX_ATOMIC, 1 });
}

static void test_remote_operation(void **state)
{
	struct fixture *f = *state;

	f->hole = b.buf + 4096;
	f->hole_size = 4096;
	post_rdma(&a, HCA_OP_WRITE, 0, 0, b.buf + 4096, b.lkey, a.buf, a.lkey, 100);
	fixture_poll(*state);
	EXPECT_COUNTS(a.port, set_a, { HCA_Q_REQ_REMOTE_OP, 1 }, { HCA_Q_REQ_CQE, 1 });
	EXPECT_COUNTS(b.port, set_b, { HCA_Q_RESP_LOCAL_QP, 1 }, { HCA_Q_RX_WRITE, 1 });
}

static void test_receive_too_small(void **state)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		post_recv(&b, b.buf, b.lkey, 99);
	post_send(&a, HCA_OP_SEND, 0, 0, a.buf, a.lkey, 100);
	post_send(&a, HCA_OP_SEND, 0, 0, a.buf, a.lkey, 100);
	fixture_poll(*state);
	poll_ms(*state, 3);
	EXPECT_COUNTS(a.port, set_a, { HCA_Q_REQ_REMOTE_INVALID, 1 }, { HCA_Q_REQ_CQE, 2 },
		      { HCA_Q_REQ_CQE_FLUSH, 1 });
	EXPECT_COUNTS(b.port, set_b, { HCA_Q_RESP_LOCAL_LENGTH, 1 }, { HCA_Q_RESP_CQE, 3 },
		      { HCA_Q_RESP_CQE_FLUSH, 2 });
}

static void test_receive_key(void **state)
{
	post_recv(&b, b.buf, b.lkey ^ 1, 100);
	post_send(&a, HCA_OP_SEND, 0, 0, a.buf, a.lkey, 100);
	fixture_poll(*state);
	EXPECT_COUNTS(a.port, set_a, { HCA_Q_REQ_REMOTE_OP, 1 }, { HCA_Q_REQ_CQE, 1 });
	EXPECT_COUNTS(b.port, set_b, { HCA_Q_RESP_LOCAL_PROT, 1 }, { HCA_Q_RESP_CQE, 1 });
}

/* What never leaves is counted at its sender. */
static void test_local(void **state)
{
	uint8_t wqe[64];

	post_rdma(&a, HCA_OP_WRITE, 0, 0, b.buf, b.lkey, a.buf, a.lkey ^ 1, 100);
	fixture_poll(*state);
	EXPECT_COUNTS(a.port, set_a, { HCA_Q_REQ_LOCAL_PROT, 1 }, { HCA_Q_REQ_CQE, 1 });
	EXPECT_NO_COUNTS(b.port, set_b);

	fixture_ctrl(wqe, HCA_OP_ATOMIC_FA, 0, 0);
	fixture_raddr(wqe + 16, a.buf, a.lkey);
	memset(wqe + 32, 1, 16);
	fixture_data(wqe + 48, b.buf, b.lkey, 4);
	fixture_post_send(b.port, &b.qp, wqe, sizeof(wqe));
	fixture_poll(*state);
	EXPECT_COUNTS(b.port, set_b, { HCA_Q_REQ_LOCAL_LENGTH, 1 }, { HCA_Q_REQ_CQE, 1 });

	fixture_teardown(state);
	setup(state);
	post_send(&a, 0x7f, 0, 0, a.buf, a.lkey, 100);
	fixture_poll(*state);
	EXPECT_COUNTS(a.port, set_a, { HCA_Q_REQ_LOCAL_QP, 1 }, { HCA_Q_REQ_CQE, 1 });
	EXPECT_NO_COUNTS(b.port, set_b);
}

/* --- sets -------------------------------------------------------------------------------- */

static void write_and_poll(struct fixture *f)
{
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 100);
	fixture_poll(f);
	fixture_cq_next(a.port, &a.scq);
}

static void test_capabilities(void **state)
{
	uint8_t in[16] = { 0 }, out[0x1010];

	(void)state;
	be16_put(in, 0, 0x100);
	assert_int_equal(fixture_cmd(a.port, in, sizeof(in), out, sizeof(out)), 0);
	assert_int_equal(field_get(out + 0x10, 12, 25, 16), HCA_Q_COUNTERS);
	assert_int_equal(field_get(out + 0x10, 12, 31, 31), 1);
	assert_int_equal(field_get(out + 0x10, 12, 29, 29), 1);
	assert_int_equal(field_get(out + 0x10, 13, 14, 14), 1);
	assert_int_equal(field_get(out + 0x10, 11, 22, 22), 1);
}

/* A query leaves what it does not clear. */
static void test_clear(void **state)
{
	uint8_t out[HCA_Q_COUNTER_OUT];
	unsigned int i;

	write_and_poll(*state);
	for (i = 0; i < 3; i++) {
		assert_int_equal(counts_query(b.port, 0, set_b, i == 1, out), 0);
		assert_int_equal(be32_at(out, HCA_Q_RX_WRITE), i < 2);
	}
}

static void test_wraps(void **state)
{
	qp_of(&b)->q_counter->value[HCA_Q_RX_WRITE / 4] = UINT32_MAX;
	write_and_poll(*state);
	EXPECT_NO_COUNTS(b.port, set_b);
}

static void test_rebind(void **state)
{
	uint8_t qpc[232] = { 0 };
	uint32_t other = counts_new(b.port);

	assert_int_equal(counts_bind(&b, other), 0);
	write_and_poll(*state);
	EXPECT_NO_COUNTS(b.port, set_b);
	EXPECT_COUNTS(b.port, other, { HCA_Q_RX_WRITE, 1 });
	/* The bit of the mask decides. */
	field_put(qpc, 3, 31, 24, set_b);
	assert_int_equal(fixture_qp_modify(b.port, &b.qp, 0x505, 0, qpc), 0);
	write_and_poll(*state);
	EXPECT_COUNTS(b.port, other, { HCA_Q_RX_WRITE, 1 });
	/* 0 is no set. */
	assert_int_equal(counts_bind(&b, 0), 0);
	write_and_poll(*state);
	EXPECT_NO_COUNTS(b.port, other);
	EXPECT_NO_COUNTS(b.port, set_b);
	/* One that there is not. */
	assert_int_equal(counts_bind(&b, set_b), 0);
	assert_int_equal(counts_bind(&b, other + 1), HCA_CMD_BAD_RESOURCE);
	write_and_poll(*state);
	EXPECT_COUNTS(b.port, set_b, { HCA_Q_RX_WRITE, 1 });
}

/* RST2INIT always names a set. */
static void test_init(void **state)
{
	uint8_t qpc[232] = { 0 };

	(void)state;
	assert_int_equal(fixture_qp_modify(b.port, &b.qp, 0x50a, 0, qpc), 0);
	field_put(qpc, 3, 31, 24, set_b + 1);
	assert_int_equal(fixture_qp_modify(b.port, &b.qp, 0x502, 0, qpc), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(fixture_qp_state(b.port, &b.qp), HCA_QP_RST);
	field_put(qpc, 3, 31, 24, set_b);
	assert_int_equal(fixture_qp_modify(b.port, &b.qp, 0x502, 0, qpc), 0);
	assert_int_equal(qp_of(&b)->q_counter->users, 1);
	assert_int_equal(fixture_qp_modify(b.port, &b.qp, 0x50a, 0, qpc), 0);
	field_put(qpc, 3, 31, 24, 0);
	assert_int_equal(fixture_qp_modify(b.port, &b.qp, 0x502, 0, qpc), 0);
	assert_null(qp_of(&b)->q_counter);
}

/* A set may go before its QPs; who gets its number next sees nothing of them. */
static void test_gone(void **state)
{
	uint64_t used, one = sizeof(struct hca_q_counter);
	uint8_t out[HCA_Q_COUNTER_OUT];

	/* The first message makes what the QP keeps of its connection. */
	write_and_poll(*state);
	used = b.port->hca->memory_used;
	assert_int_equal(fixture_simple_status(b.port, 0x772, 0, set_b, 0), 0);
	assert_int_equal(fixture_simple_status(b.port, 0x772, 0, set_b, 0), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(counts_query(b.port, 0, set_b, false, out), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(b.port->hca->memory_used, used);
	assert_int_equal(counts_new(b.port), set_b);
	write_and_poll(*state);
	EXPECT_NO_COUNTS(b.port, set_b);
	assert_int_equal(counts_bind(&b, set_b), 0);
	assert_int_equal(b.port->hca->memory_used, used);
	write_and_poll(*state);
	EXPECT_COUNTS(b.port, set_b, { HCA_Q_RX_WRITE, 1 });
	/* With the QP goes what only it has kept. */
	assert_int_equal(fixture_simple_status(b.port, 0x772, 0, set_b, 0), 0);
	used = b.port->hca->memory_used;
	assert_int_equal(fixture_simple_status(b.port, 0x501, 0, b.qp.number, 0), 0);
	assert_true(b.port->hca->memory_used <= used - one - sizeof(struct hca_qp));
}

/* A user context has its own, and may count in the driver's, but not read, nor end, that. */
static void test_owner(void **state)
{
	uint8_t in[16] = { 0 }, out[HCA_Q_COUNTER_OUT], qpc[232] = { 0 };
	uint32_t uid[2], own[2], i;

	(void)state;
	for (i = 0; i < 2; i++) {
		uid[i] = fixture_simple(b.port, 0xa04, 0, 0, 0) & 0xffff;
		be16_put(in, 0, 0x771);
		be16_put(in, 2, (uint16_t)uid[i]);
		assert_int_equal(fixture_cmd(b.port, in, sizeof(in), out, 16), 0);
		own[i] = out[11];
	}
	assert_int_equal(counts_query(b.port, (uint16_t)uid[0], own[0], false, out), 0);
	assert_int_equal(counts_query(b.port, (uint16_t)uid[0], own[1], false, out),
			 HCA_CMD_BAD_RESOURCE);
	assert_int_equal(counts_query(b.port, (uint16_t)uid[0], set_b, true, out),
			 HCA_CMD_BAD_RESOURCE);
	be16_put(in, 0, 0x772);
	be16_put(in, 2, (uint16_t)uid[0]);
	be32_put(in, 8, set_b);
	assert_int_equal(fixture_cmd(b.port, in, sizeof(in), out, 16), HCA_CMD_BAD_RESOURCE);
	be32_put(in, 8, own[1]);
	assert_int_equal(fixture_cmd(b.port, in, sizeof(in), out, 16), HCA_CMD_BAD_RESOURCE);
	/* The driver sends transitions of a program's QPs in the program's name. */
	qp_of(&b)->uid = (uint16_t)uid[0];
	((struct hca_plain *)hca_table_get(&b.port->hca->pds, b.port->pd))->uid = (uint16_t)uid[0];
	for (i = 0; i < 3; i++) {
		uint8_t rts[0x100] = { 0 };

		be16_put(rts, 0, 0x505);
		be16_put(rts, 2, (uint16_t)uid[0]);
		be32_put(rts, 8, b.qp.number);
		be32_put(rts, 0x10, OPT_QCNT);
		memcpy(rts + 0x18, qpc, sizeof(qpc));
		field_put(rts + 0x18, 3, 31, 24, i == 2 ? own[1] : i ? own[0] : set_b);
		assert_int_equal(fixture_cmd(b.port, rts, sizeof(rts), out, 16),
				 i == 2 ? HCA_CMD_BAD_RESOURCE : 0);
	}
	assert_ptr_equal(qp_of(&b)->q_counter, hca_table_get(&b.port->hca->q_counters, own[0]));
	qp_of(&b)->uid = 0;
	/* A context does not go before its sets. */
	assert_int_equal(fixture_simple_status(b.port, 0xa06, 0, uid[1], 0), HCA_CMD_BAD_RES_STATE);
	be16_put(in, 2, (uint16_t)uid[1]);
	assert_int_equal(fixture_cmd(b.port, in, sizeof(in), out, 16), 0);
	assert_int_equal(fixture_simple_status(b.port, 0xa06, 0, uid[1], 0), 0);
}

/* There is one vport. */
static void test_vports(void **state)
{
	uint8_t in[0x20] = { 0 }, out[HCA_Q_COUNTER_OUT];

	(void)state;
	be16_put(in, 0, 0x773);
	be32_put(in, 0x1c, set_a);
	in[8] = 0x80;
	assert_int_equal(fixture_cmd(a.port, in, sizeof(in), out, sizeof(out)), HCA_CMD_BAD_PARAM);
	in[8] = 0;
	in[0x18] = 0x40;
	assert_int_equal(fixture_cmd(a.port, in, sizeof(in), out, sizeof(out)), HCA_CMD_BAD_PARAM);
	in[0x18] = 0;
	assert_int_equal(fixture_cmd(a.port, in, sizeof(in), out, sizeof(out)), 0);
	assert_int_equal(fixture_cmd(a.port, in, sizeof(in), out, sizeof(out) - 4),
			 HCA_CMD_BAD_OUTPUT_LEN);
}

/* TEARDOWN_HCA: sets with and without QPs, and those that only QPs have kept. */
static void test_teardown(void **state)
{
	(void)state;
	assert_int_equal(fixture_simple_status(b.port, 0x772, 0, set_b, 0), 0);
	assert_int_equal(fixture_simple_status(b.port, 0x103, 0, 0, 0), 0);
	assert_int_equal(fixture_simple_status(a.port, 0x103, 0, 0, 0), 0);
	assert_int_equal(a.port->hca->q_counters.count, 0);
	assert_int_equal(a.port->hca->memory_used, 0);
	assert_int_equal(b.port->hca->memory_used, 0);
}

int main(void)
{
#define TEST(test)	 cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
#define TEST_OF(test, f) cmocka_unit_test_setup_teardown(test, f, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_requests),
		TEST(test_many_turns),
		TEST_OF(test_uc, setup_uc),
		TEST_OF(test_ud, setup_ud),
		TEST(test_not_ready),
		TEST(test_not_ready_write),
		TEST(test_time_out),
		TEST(test_time_out_then_not_ready),
		TEST(test_no_time_out),
		TEST(test_duplicate),
		TEST(test_not_ready_lost),
		TEST(test_remote_access),
		TEST(test_remote_invalid),
		TEST(test_remote_operation),
		TEST(test_receive_too_small),
		TEST(test_receive_key),
		TEST(test_local),
		TEST(test_capabilities),
		TEST(test_clear),
		TEST(test_wraps),
		TEST(test_rebind),
		TEST(test_init),
		TEST(test_gone),
		TEST(test_owner),
		TEST(test_vports),
		TEST(test_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
