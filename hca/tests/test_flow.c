/* SPDX-License-Identifier: GPL-2.0-only */
/* What flow tables do to packets: requests and answers, of each kind of transport. */
#include "hca/tests/flow.h"
#include "hca/tests/traffic.h"

#define RETRIES 8 /* the first time, and retry_count 7 */

static struct end a, b;

static void connect_ends(struct fixture *f, enum hca_qp_type type)
{
	end_create(&a, &f->port[0], type, 0);
	end_create(&b, &f->port[1], type, 0);
	fixture_qp_connect(a.port, &a.qp, b.port, &b.qp);
	fill(&a, 0, 65536, 3);
	memset(at(&b, 0), 0xee, 65536);
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

static uint32_t make_table(struct fixture_port *port, uint8_t type, uint8_t level, uint32_t miss)
{
	struct table_attr attr = { .type = type,
				   .level = level,
				   .log_size = 4,
				   .miss_action = miss ? MISS_FORWARD : 0,
				   .miss = miss };
	uint32_t number;

	assert_int_equal(table_create(port, &attr, &number), 0);
	return number;
}

/* One entry in a group of its own. */
static void make_entry(struct fixture_port *port, uint8_t type, uint32_t table, uint32_t index,
		       uint16_t action, uint32_t to, uint32_t counter)
{
	struct entry_attr attr = { .type = type,
				   .table = table,
				   .index = index,
				   .action = action,
				   .to = to,
				   .counter = counter };

	assert_int_equal(group_create(port, 0, type, table, index, index, &attr.group), 0);
	assert_int_equal(entry_set(port, &attr), 0);
}

/* A root with one entry. Returns the root. */
static uint32_t make_root(struct fixture_port *port, uint8_t type, uint16_t action,
			  uint32_t counter)
{
	uint32_t table = make_table(port, type, 0, 0);

	make_entry(port, type, table, 0, action, 0, counter);
	assert_int_equal(root_set(port, type, table), 0);
	return table;
}

static uint32_t make_counter(struct fixture_port *port)
{
	return fixture_simple(port, ALLOC_COUNTER, 0, 0, 0);
}

static void expect_count(struct fixture_port *port, uint32_t number, uint64_t want_packets,
			 uint64_t want_octets)
{
	uint64_t packets, octets;

	assert_int_equal(counter_query(port, 0, number, true, &packets, &octets), 0);
	assert_int_equal(packets, want_packets);
	assert_int_equal(octets, want_octets);
	assert_int_equal(counter_query(port, 0, number, false, &packets, &octets), 0);
	assert_int_equal(packets | octets, 0);
}

static void write_to_b(uint32_t len)
{
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, len);
}

static void expect_retry_exceeded(uint16_t index)
{
	poll_until(&a, &a.scq, 1000);
	expect_error(&a, index, HCA_SYND_RETRY);
	assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_ERR);
}

static void expect_untouched(size_t len)
{
	for (size_t i = 0; i < len; i++)
		assert_int_equal(*at(&b, i), 0xee);
}

/* --- requests ---------------------------------------------------------------------------- */

static void drop_at_receiver(void **state)
{
	uint32_t counter = make_counter(b.port);
	uint32_t number;

	(void)state;
	make_root(b.port, RDMA_RX, DROP | COUNT, counter);
	post_recv(&b, b.buf, b.lkey, 4096);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
	expect_retry_exceeded(0);
	expect_untouched(4096);
	assert_null(fixture_cq_next(b.port, &b.rcq));
	assert_int_equal(next_event(&b, &number), -1);
	assert_int_equal(fixture_qp_state(b.port, &b.qp), HCA_QP_RTS);
	expect_count(b.port, counter, RETRIES, RETRIES * 100);
}

static void drop_at_sender(void **state)
{
	uint32_t sent = make_counter(a.port), received = make_counter(b.port);

	(void)state;
	make_root(a.port, RDMA_TX, DROP | COUNT, sent);
	make_root(b.port, RDMA_RX, ALLOW | COUNT, received);
	write_to_b(100);
	expect_retry_exceeded(0);
	expect_untouched(4096);
	expect_count(a.port, sent, RETRIES, RETRIES * 100);
	expect_count(b.port, received, 0, 0);
}

/* Nobody hears of a responder in RTR either. */
static void no_event_for_dropped(void **state)
{
	struct fixture *f = *state;
	uint32_t root;

	fixture_free(f);
	fixture_setup(state);
	f = *state;
	end_create(&a, &f->port[0], HCA_QP_RC, 0);
	end_create(&b, &f->port[1], HCA_QP_RC, 0);
	fixture_qp_init(a.port, &a.qp);
	fixture_qp_init(b.port, &b.qp);
	fixture_qp_rtr(a.port, &a.qp, 2, b.qp.number);
	fixture_qp_rtr(b.port, &b.qp, 1, a.qp.number);
	fixture_qp_rts(a.port, &a.qp);
	root = make_root(b.port, RDMA_RX, DROP, 0);
	write_to_b(100);
	fixture_poll(f);
	assert_int_equal(next_event(&b, NULL), -1);
	assert_int_equal(entry_delete(b.port, RDMA_RX, root, 0), 0);
	poll_until(&a, &a.scq, 1000);
	expect_done(&a, 0);
	assert_int_equal(next_event(&b, NULL), HCA_EVENT_COMM_EST);
}

/* The rule goes before the retries do: the message arrives, once. */
static void drop_ends(void **state)
{
	uint32_t root = make_root(b.port, RDMA_RX, DROP, 0);

	post_recv(&b, b.buf, b.lkey, 4096);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
	fixture_poll(*state);
	expect_idle(&a);
	assert_int_equal(entry_delete(b.port, RDMA_RX, root, 0), 0);
	poll_until(&a, &a.scq, 1000);
	expect_done(&a, 0);
	expect_recv(&b, HCA_CQE_RESP_SEND, 0);
	assert_memory_equal(at(&b, 0), at(&a, 0), 100);
}

/* Packets of 4096 bytes, in both directions. */
static void allow_and_count(void **state)
{
	uint32_t a_tx = make_counter(a.port), a_rx = make_counter(a.port);
	uint32_t b_tx = make_counter(b.port), b_rx = make_counter(b.port);

	make_root(a.port, RDMA_TX, ALLOW | COUNT, a_tx);
	make_root(a.port, RDMA_RX, ALLOW | COUNT, a_rx);
	make_root(b.port, RDMA_TX, ALLOW | COUNT, b_tx);
	make_root(b.port, RDMA_RX, ALLOW | COUNT, b_rx);
	write_to_b(10000);
	fixture_poll(*state);
	expect_done(&a, 0);
	assert_memory_equal(at(&b, 0), at(&a, 0), 10000);
	expect_count(a.port, a_tx, 3, 10000);
	expect_count(b.port, b_rx, 3, 10000);
	expect_count(b.port, b_tx, 1, 0);
	expect_count(a.port, a_rx, 1, 0);
	write_to_b(0);
	fixture_poll(*state);
	expect_done(&a, 1);
	expect_count(a.port, a_tx, 1, 0);
	expect_count(b.port, b_rx, 1, 0);
	expect_count(b.port, b_tx, 1, 0);
	expect_count(a.port, a_rx, 1, 0);
	post_rdma(&a, HCA_OP_READ, SIGNALLED, 0, b.buf, b.lkey, a.buf + 65536, a.lkey, 8193);
	fixture_poll(*state);
	expect_done(&a, 2);
	expect_count(a.port, a_tx, 1, 0);
	expect_count(b.port, b_rx, 1, 0);
	expect_count(b.port, b_tx, 3, 8193);
	expect_count(a.port, a_rx, 3, 8193);
	post_atomic(&a, HCA_OP_ATOMIC_FA, b.buf, b.lkey, 1, 0, a.buf, a.lkey);
	fixture_poll(*state);
	expect_done(&a, 3);
	expect_count(b.port, b_rx, 1, 0);
	expect_count(a.port, a_rx, 1, 8);
}

/* A message longer than one turn is one message. */
static void long_message(void **state)
{
	uint32_t counter = make_counter(b.port);

	make_root(b.port, RDMA_RX, ALLOW | COUNT, counter);
	write_to_b(65536);
	write_to_b(END_BUF); /* the turn ends in the middle of it */
	fixture_poll(*state);
	expect_done(&a, 0);
	expect_done(&a, 1);
	expect_count(b.port, counter, (END_BUF + 65536) / 4096, END_BUF + 65536);
}

/* root: 3 -> forward; second: empty, miss -> third: 7 drop, 2 allow. */
static void through_tables(void **state)
{
	uint32_t third = make_table(b.port, RDMA_RX, 200, 0);
	uint32_t second = make_table(b.port, RDMA_RX, 100, third);
	uint32_t root = make_table(b.port, RDMA_RX, 0, 0);
	uint32_t forwarded = make_counter(b.port), allowed = make_counter(b.port);

	make_entry(b.port, RDMA_RX, third, 7, DROP, 0, 0);
	make_entry(b.port, RDMA_RX, third, 2, ALLOW | COUNT, 0, allowed);
	make_entry(b.port, RDMA_RX, root, 3, FORWARD | COUNT, second, forwarded);
	assert_int_equal(root_set(b.port, RDMA_RX, root), 0);
	write_to_b(100);
	fixture_poll(*state);
	expect_done(&a, 0);
	expect_count(b.port, forwarded, 1, 100);
	expect_count(b.port, allowed, 1, 100);
	assert_int_equal(entry_delete(b.port, RDMA_RX, third, 2), 0);
	write_to_b(100);
	expect_retry_exceeded(1);
	expect_count(b.port, forwarded, RETRIES, RETRIES * 100);
}

/* A table that is not on the way does nothing; nor does one whose root was reset or destroyed. */
static void not_the_root(void **state)
{
	uint32_t root = make_root(b.port, RDMA_RX, DROP, 0);
	uint32_t empty = make_table(b.port, RDMA_RX, 0, 0);

	assert_int_equal(root_set(b.port, RDMA_RX, empty), 0);
	write_to_b(100);
	fixture_poll(*state);
	expect_done(&a, 0);
	assert_int_equal(table_destroy(b.port, 0, RDMA_RX, empty), 0);
	write_to_b(100);
	fixture_poll(*state);
	expect_done(&a, 1);
	assert_int_equal(root_set(b.port, RDMA_RX, root), 0);
	assert_int_equal(root_set(b.port, RDMA_RX, 0), 0);
	write_to_b(100);
	fixture_poll(*state);
	expect_done(&a, 2);
}

/* --- answers ----------------------------------------------------------------------------- */

/* Lost on the way out of the responder, and on the way in to the requester. */
static void answer_lost(void **state)
{
	for (int i = 0; i < 2; i++) {
		uint32_t counter;

		fixture_teardown(state);
		setup(state);
		counter = make_counter(b.port);
		make_root(b.port, RDMA_RX, ALLOW | COUNT, counter);
		make_root(i ? a.port : b.port, i ? RDMA_RX : RDMA_TX, DROP, 0);
		post_recv(&b, b.buf, b.lkey, 4096);
		post_recv(&b, b.buf + 4096, b.lkey, 4096);
		post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
		expect_retry_exceeded(0);
		/* Sent again and again, received once. */
		expect_count(b.port, counter, RETRIES, RETRIES * 100);
		expect_recv(&b, HCA_CQE_RESP_SEND, 0);
		assert_memory_equal(at(&b, 0), at(&a, 0), 100);
		assert_null(fixture_cq_next(b.port, &b.rcq));
		assert_int_equal(*at(&b, 4096), 0xee);
	}
}

static void answer_late(void **state)
{
	uint32_t root = make_root(b.port, RDMA_TX, DROP, 0);
	uint64_t value = 40;

	memcpy(at(&b, 0), &value, 8);
	post_atomic(&a, HCA_OP_ATOMIC_FA, b.buf, b.lkey, 2, 0, a.buf, a.lkey);
	post_atomic(&a, HCA_OP_ATOMIC_FA, b.buf, b.lkey, 2, 0, a.buf + 8, a.lkey);
	poll_ms(*state, 2);
	expect_idle(&a);
	memcpy(&value, at(&b, 0), 8);
	assert_int_equal(value, 42);
	memcpy(&value, at(&a, 0), 8);
	assert_int_not_equal(value, 40);
	assert_int_equal(entry_delete(b.port, RDMA_TX, root, 0), 0);
	poll_until(&a, &a.scq, 1000);
	fixture_poll(*state);
	expect_done(&a, 0);
	expect_done(&a, 1);
	memcpy(&value, at(&b, 0), 8);
	assert_int_equal(value, 44);
	memcpy(&value, at(&a, 0), 8);
	assert_int_equal(value, 40);
	memcpy(&value, at(&a, 8), 8);
	assert_int_equal(value, 42);
}

static void read_lost(void **state)
{
	uint32_t root = make_root(b.port, RDMA_TX, DROP, 0);

	memset(at(&a, 0), 0x11, 8192);
	post_rdma(&a, HCA_OP_READ, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 8192);
	fixture_poll(*state);
	expect_idle(&a);
	assert_int_equal(*at(&a, 0), 0x11);
	assert_int_equal(entry_delete(b.port, RDMA_TX, root, 0), 0);
	poll_until(&a, &a.scq, 1000);
	expect_done(&a, 0);
	assert_memory_equal(at(&a, 0), at(&b, 0), 8192);
}

/* A refusal that does not come back is no answer; so is "not ready". */
static void refusal_lost(void **state)
{
	make_root(b.port, RDMA_TX, DROP, 0);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey ^ 1, a.buf, a.lkey, 100);
	expect_retry_exceeded(0);
	assert_int_equal(fixture_qp_state(b.port, &b.qp), HCA_QP_ERR);

	fixture_teardown(state);
	setup(state);
	make_root(b.port, RDMA_TX, DROP, 0);
	post_recv(&b, b.buf, b.lkey, 10);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
	expect_retry_exceeded(0);
	expect_recv_error(&b, 0, HCA_SYND_LOCAL_LENGTH);

	/* rnr_retry is 7, for ever: the retries that run out are those of the lost answer. */
	fixture_teardown(state);
	setup(state);
	make_root(b.port, RDMA_TX, DROP, 0);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
	expect_retry_exceeded(0);
}

/* --- unreliable -------------------------------------------------------------------------- */

static void unreliable_connection(void **state)
{
	uint32_t root = make_root(b.port, RDMA_RX, DROP, 0), counter = make_counter(b.port);

	post_recv(&b, b.buf, b.lkey, 4096);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
	fixture_poll(*state);
	expect_done(&a, 0);
	expect_idle(&b);
	expect_untouched(100);
	assert_int_equal(entry_delete(b.port, RDMA_RX, root, 0), 0);
	/* Nobody answers, so nothing of it is lost. */
	make_root(b.port, RDMA_TX, DROP | COUNT, counter);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
	fixture_poll(*state);
	expect_done(&a, 1);
	expect_recv(&b, HCA_CQE_RESP_SEND, 0);
	expect_count(b.port, counter, 0, 0);
	make_root(a.port, RDMA_TX, DROP, 0);
	post_recv(&b, b.buf, b.lkey, 4096);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
	fixture_poll(*state);
	expect_done(&a, 2);
	expect_idle(&b);
}

static void make_ud(struct end *end, struct fixture_port *port)
{
	end_create(end, port, HCA_QP_UD, 0);
	fixture_qp_init(port, &end->qp);
	fixture_qp_rtr(port, &end->qp, 0, 0);
	fixture_qp_rts(port, &end->qp);
}

static void send_datagram(struct fixture *f)
{
	uint8_t wqe[80] = { 0 };
	uint16_t index;

	fixture_ctrl(wqe, HCA_OP_SEND, SIGNALLED, 0);
	be32_put(wqe, 16, 0x11111111);
	be32_put(wqe, 24, 0x80000000u | b.qp.number);
	be16_put(wqe, 30, 2);
	fixture_data(wqe + 64, a.buf, a.lkey, 100);
	index = fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
	fixture_poll(f);
	expect_done(&a, index);
}

static void datagrams(void **state)
{
	struct fixture *f = *state;
	uint32_t sent = make_counter(&f->port[0]), received = make_counter(&f->port[1]), tx, rx;

	make_ud(&a, &f->port[0]);
	make_ud(&b, &f->port[1]);
	tx = make_root(a.port, RDMA_TX, ALLOW | COUNT, sent);
	rx = make_root(b.port, RDMA_RX, ALLOW | COUNT, received);
	post_recv(&b, b.buf, b.lkey, 4096);
	send_datagram(f);
	expect_recv(&b, HCA_CQE_RESP_SEND, 0);
	expect_count(a.port, sent, 1, 100);
	expect_count(b.port, received, 1, 100);
	post_recv(&b, b.buf, b.lkey, 4096);
	assert_int_equal(entry_delete(b.port, RDMA_RX, rx, 0), 0);
	make_entry(b.port, RDMA_RX, rx, 1, DROP, 0, 0);
	send_datagram(f);
	expect_idle(&b);
	expect_count(a.port, sent, 1, 100);
	assert_int_equal(entry_delete(b.port, RDMA_RX, rx, 1), 0);
	assert_int_equal(entry_delete(a.port, RDMA_TX, tx, 0), 0);
	make_entry(a.port, RDMA_TX, tx, 1, DROP, 0, 0);
	make_entry(b.port, RDMA_RX, rx, 2, ALLOW | COUNT, 0, received);
	send_datagram(f);
	expect_idle(&b);
	expect_count(b.port, received, 0, 0);
	assert_int_equal(entry_delete(a.port, RDMA_TX, tx, 1), 0);
	send_datagram(f);
	expect_recv(&b, HCA_CQE_RESP_SEND, 1);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(drop_at_receiver),
		TEST(drop_at_sender),
		TEST(no_event_for_dropped),
		TEST(drop_ends),
		TEST(allow_and_count),
		TEST(long_message),
		TEST(through_tables),
		TEST(not_the_root),
		TEST(answer_lost),
		TEST(answer_late),
		TEST(read_lost),
		TEST(refusal_lost),
		cmocka_unit_test_setup_teardown(unreliable_connection, setup_uc, fixture_teardown),
		cmocka_unit_test_setup_teardown(datagrams, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
