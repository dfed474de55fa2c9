/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bad cables between two functions: connected QPs get their work done exactly once and in order,
 * or end with the right syndrome; datagrams are what the log says; and no packet outlives what it
 * was made of. Seeds are fixed, and timers expire when the test says so.
 */
#include "hca/tests/wire.h"

#define CELL	 0xf0000u /* of the target: what atomics count in */
#define SEND_MAX 20000u
#define PAIRS	 16u
#define PARTS	 8u
#define PART	 60000u
#define ROUNDS	 400u

static struct end a, b;
static uint32_t set_a, set_b;
static uint64_t random_state;

static uint64_t below(uint64_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (random_state >> 33) % n;
}

static void make(struct fixture *f, enum hca_qp_type type)
{
	end_create(&a, &f->port[0], type, 0);
	end_create(&b, &f->port[1], type, 0);
	fixture_qp_connect(a.port, &a.qp, b.port, &b.qp);
	counts_new(b.port);
	set_a = counts_new(a.port);
	set_b = counts_new(b.port);
	assert_int_equal(counts_bind(&a, set_a), 0);
	assert_int_equal(counts_bind(&b, set_b), 0);
	qp_of(&a)->ack_timeout = NEVER;
	qp_of(&b)->ack_timeout = NEVER;
}

static struct impairment_counts sum(struct end *end)
{
	static struct hca_impairment report;
	struct impairment_counts all = { 0 };

	assert_true(hca_impairment(end->port->hca, &report));
	for (unsigned int i = 0; i < HCA_PACKET_KINDS; i++) {
		all.packets += report.counts[i].packets;
		all.lost += report.counts[i].lost;
		all.doubled += report.counts[i].doubled;
		all.reordered += report.counts[i].reordered;
		all.damaged += report.counts[i].damaged;
		all.marked += report.counts[i].marked;
		all.overflow += report.counts[i].overflow;
		all.delivered += report.counts[i].delivered;
	}
	return all;
}

static const struct impairment_counts *counts_of(struct end *end, enum hca_packet_kind kind)
{
	static struct hca_impairment report;

	assert_true(hca_impairment(end->port->hca, &report));
	return &report.counts[kind];
}

static uint32_t counter(struct end *end, enum hca_q_count what)
{
	return qp_of(end)->q_counter->value[what / 4];
}

/* --- exactly once and in order --------------------------------------------------------------- */

static void one_write(uint64_t length, uint64_t offset, bool immediate, uint32_t round)
{
	uint16_t index;

	memset(at(&b, 0), 0xee, END_BUF / 2);
	if (immediate)
		post_recv(&b, b.buf, b.lkey, 16);
	index = post_rdma(&a, immediate ? HCA_OP_WRITE_IMM : HCA_OP_WRITE, SIGNALLED, round,
			  b.buf + offset, b.lkey, a.buf + offset, a.lkey, (uint32_t)length);
	finish_well(&a, index);
	assert_memory_equal(at(&b, offset), at(&a, offset), length);
	assert_int_equal(*at(&b, offset + length), 0xee);
	if (immediate) {
		const uint8_t *cqe =
			expect_recv(&b, HCA_CQE_RESP_WRITE_IMM, (uint16_t)(b.qp.rq_pi - 1));

		assert_int_equal(be32_at(cqe, 0x24), round);
	}
	expect_idle(&b);
}

static void one_read(uint64_t length, uint64_t offset)
{
	uint16_t index;

	fill(&b, 0, END_BUF / 2, (uint8_t)(offset + length));
	memset(at(&a, END_BUF / 2), 0xdd, SEND_MAX + 1);
	index = post_rdma(&a, HCA_OP_READ, SIGNALLED, 0, b.buf + offset, b.lkey,
			  a.buf + END_BUF / 2, a.lkey, (uint32_t)length);
	finish_well(&a, index);
	assert_memory_equal(at(&a, END_BUF / 2), at(&b, offset), length);
	assert_int_equal(*at(&a, END_BUF / 2 + length), 0xdd);
}

static void one_send(uint64_t length, uint64_t offset, uint32_t round)
{
	const uint8_t *cqe;
	uint16_t index;

	memset(at(&b, 0), 0xee, SEND_MAX + 1);
	post_recv(&b, b.buf, b.lkey, SEND_MAX);
	index = post_send(&a, HCA_OP_SEND_IMM, SIGNALLED, round, a.buf + offset, a.lkey,
			  (uint32_t)length);
	finish_well(&a, index);
	cqe = expect_recv(&b, HCA_CQE_RESP_SEND_IMM, (uint16_t)(b.qp.rq_pi - 1));
	assert_int_equal(be32_at(cqe, 0x24), round);
	assert_int_equal(be32_at(cqe, 0x2c), length);
	assert_memory_equal(at(&b, 0), at(&a, offset), length);
	assert_int_equal(*at(&b, length), 0xee);
	expect_idle(&b);
}

static void one_atomic(uint64_t count)
{
	uint64_t found;
	uint16_t index;

	index = post_atomic(&a, HCA_OP_ATOMIC_FA, b.buf + CELL, b.lkey, 1, 0, a.buf + CELL, a.lkey);
	finish_well(&a, index);
	memcpy(&found, at(&a, CELL), sizeof(found));
	assert_int_equal(found, count);
}

static void all_operations(unsigned int rounds)
{
	uint64_t atomics = 0;

	fill(&a, 0, END_BUF / 2, 9);
	memset(at(&b, CELL), 0, 8);
	for (uint32_t i = 0; i < rounds; i++) {
		uint64_t length = below(4) ? below(SEND_MAX) : below(3), offset = below(5000);

		switch (below(5)) {
		case 0:
			one_write(length, offset, false, i);
			break;
		case 1:
			one_write(length, offset, true, i);
			break;
		case 2:
			one_read(length, offset);
			break;
		case 3:
			one_send(length, offset, i);
			break;
		default:
			one_atomic(atomics++);
			break;
		}
	}
	assert_memory_equal(at(&b, CELL), &atomics, sizeof(atomics));
	assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_RTS);
	assert_int_equal(fixture_qp_state(b.port, &b.qp), HCA_QP_RTS);
}

static void test_exactly_once(void **state)
{
	static const char *const specs[] = {
		"loss=0.1% seed=1",
		"loss=1% seed=2",
		"loss=5% seed=3",
		"dup=10% seed=4",
		"reorder=5% seed=5",
		"biterror=1e-6 seed=6",
		"delay=20us jitter=20us seed=7",
		"rate=10Gbit delay=1us seed=8",
		"loss=2% dup=2% reorder=2% biterror=1e-7 ecn=10% delay=5us jitter=3us seed=9",
	};

	for (unsigned int i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
		struct fixture *f;

		fixture_setup(state);
		f = *state;
		random_state = i;
		make(f, HCA_QP_RC);
		impair(&a, specs[i]);
		impair(&b, specs[i]);
		all_operations(ROUNDS);
		settle(f);
		expect_idle(&b);
		assert_true(sum(&a).packets > ROUNDS);
		assert_true(sum(&b).packets > ROUNDS);
		assert_int_equal(sum(&a).overflow, 0);
		assert_int_equal(sum(&a).delivered,
				 sum(&a).packets - sum(&a).lost + sum(&a).doubled);
		fixture_teardown(state);
	}
}

/* One of the two cables is bad. */
static void test_one_side(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		fixture_setup(state);
		random_state = 77;
		make(*state, HCA_QP_RC);
		impair(i ? &b : &a, "loss=3% dup=3% reorder=3% seed=4");
		all_operations(ROUNDS / 2);
		assert_true(sum(i ? &b : &a).lost > 3);
		fixture_teardown(state);
	}
}

/* Many connections, several messages each, both ways, by the same two cables. */
static void test_many(void **state)
{
	static struct end left[PAIRS], right[PAIRS];
	unsigned int done = 0;

	fixture_setup(state);
	for (unsigned int i = 0; i < PAIRS; i++) {
		struct fixture *f = *state;

		end_create(&left[i], &f->port[0], HCA_QP_RC, 0);
		end_create(&right[i], &f->port[1], HCA_QP_RC, 0);
		fixture_qp_connect(left[i].port, &left[i].qp, right[i].port, &right[i].qp);
		qp_of(&left[i])->ack_timeout = qp_of(&right[i])->ack_timeout = NEVER;
		fill(&left[i], 0, END_BUF / 2, (uint8_t)i);
		fill(&right[i], 0, END_BUF / 2, (uint8_t)(i + 100));
	}
	impair(&left[0], "loss=2% dup=2% reorder=2% seed=61");
	impair(&right[0], "loss=2% dup=2% reorder=2% seed=62");
	for (unsigned int i = 0; i < 2 * PAIRS; i++) {
		struct end *from = i % 2 ? &right[i / 2] : &left[i / 2];
		struct end *to = i % 2 ? &left[i / 2] : &right[i / 2];

		for (unsigned int j = 0; j < PARTS; j++)
			post_rdma(from, HCA_OP_WRITE, SIGNALLED, 0,
				  to->buf + END_BUF / 2 + j * PART, to->lkey, from->buf + j * PART,
				  from->lkey, PART);
	}
	for (unsigned int round = 0; round < 100 && done < 2 * PAIRS * PARTS; round++) {
		fixture_poll(*state);
		for (unsigned int i = 0; i < 2 * PAIRS; i++) {
			struct end *end = i % 2 ? &right[i / 2] : &left[i / 2];
			const uint8_t *cqe;

			while ((cqe = fixture_cq_next(end->port, &end->scq))) {
				assert_int_equal(cqe_opcode(cqe), HCA_CQE_REQ);
				done++;
			}
			if (hca_connection(qp_of(end))->posted)
				expire(qp_of(end));
		}
	}
	assert_int_equal(done, 2 * PAIRS * PARTS);
	for (unsigned int i = 0; i < PAIRS; i++) {
		assert_memory_equal(at(&left[i], END_BUF / 2), at(&right[i], 0), PARTS * PART);
		assert_memory_equal(at(&right[i], END_BUF / 2), at(&left[i], 0), PARTS * PART);
	}
	fixture_teardown(state);
}

/* --- counters and log ------------------------------------------------------------------------ */

/* Of messages of one packet each loss costs a time-out, and that of an answer a duplicate. */
static void test_single_packets_explained(void **state)
{
	uint32_t requests, acks;

	make(*state, HCA_QP_RC);
	impair(&a, "loss=5% seed=21");
	impair(&b, "loss=5% seed=22");
	fill(&a, 0, 4096, 3);
	for (unsigned int i = 0; i < 1000; i++)
		finish_well(&a, post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf,
					  a.lkey, 2048));
	requests = (uint32_t)counts_of(&a, HCA_PACKET_REQUEST)->lost;
	acks = (uint32_t)counts_of(&b, HCA_PACKET_ACK)->lost;
	assert_in_range(requests, 30, 80);
	assert_in_range(acks, 30, 80);
	assert_int_equal(counts_of(&a, HCA_PACKET_REQUEST)->packets, 1000 + requests + acks);
	assert_int_equal(counts_of(&b, HCA_PACKET_ACK)->packets, 1000 + acks);
	EXPECT_COUNTS(a.port, set_a, { HCA_Q_LOCAL_ACK_TIMEOUT, requests + acks });
	EXPECT_COUNTS(b.port, set_b, { HCA_Q_RX_WRITE, 1000 }, { HCA_Q_DUPLICATE_REQUEST, acks });
}

/* What comes twice is a duplicate. */
static void test_doubled_explained(void **state)
{
	make(*state, HCA_QP_RC);
	impair(&a, "dup=10% seed=5");
	fill(&a, 0, 65536, 3);
	for (unsigned int i = 0; i < 50; i++)
		finish_well(&a, post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf,
					  a.lkey, 65536));
	settle(*state);
	assert_int_equal(counts_of(&a, HCA_PACKET_REQUEST)->packets, 50 * 16);
	assert_in_range(sum(&a).doubled, 40, 120);
	EXPECT_COUNTS(b.port, set_b, { HCA_Q_RX_WRITE, 50 },
		      { HCA_Q_DUPLICATE_REQUEST, (uint32_t)sum(&a).doubled });
	EXPECT_NO_COUNTS(a.port, set_a);
}

/*
 * Of long messages a loss is a NAK, once for all that are lost in a window, or a time-out where
 * nothing follows. So there are as many of both as were lost, or less, and none where none was.
 */
static void test_long_messages_explained(void **state)
{
	uint32_t naks, timeouts, lost;

	make(*state, HCA_QP_RC);
	impair(&a, "loss=1% seed=31");
	fill(&a, 0, END_BUF / 2, 3);
	for (unsigned int i = 0; i < 40; i++) {
		finish_well(&a, post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf,
					  a.lkey, END_BUF / 2));
		assert_memory_equal(at(&b, 0), at(&a, 0), END_BUF / 2);
		memset(at(&b, 0), 0, END_BUF / 2);
	}
	lost = (uint32_t)sum(&a).lost;
	naks = counter(&a, HCA_Q_PACKET_SEQ);
	timeouts = counter(&a, HCA_Q_LOCAL_ACK_TIMEOUT);
	assert_in_range(lost, 40, 150);
	assert_true(naks > 0 && naks + timeouts <= lost);
	/* A NAK takes the first that does not fit; what is behind it counts, too. */
	assert_true(counter(&b, HCA_Q_OUT_OF_SEQUENCE) >= naks);
	/* After a time-out what was not acknowledged comes again, whether it was lost or not. */
	assert_true(counter(&b, HCA_Q_DUPLICATE_REQUEST) <= timeouts * REQUESTER_WINDOW);
}

static void test_log(void **state)
{
	static struct hca_impairment report;
	uint32_t last = 0;

	make(*state, HCA_QP_RC);
	assert_false(hca_impairment(a.port->hca, &report));
	impair(&a, "loss=10% seed=8");
	for (unsigned int i = 0; i < 100; i++)
		finish_well(&a, post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf,
					  a.lkey, 100));
	assert_true(hca_impairment(a.port->hca, &report));
	assert_true(report.events > 3);
	assert_int_equal(report.events, report.all_events);
	assert_int_equal(report.events, report.counts[HCA_PACKET_REQUEST].lost);
	for (unsigned int i = 0; i < report.events; i++) {
		const struct impairment_event *event = &report.event[i];

		assert_int_equal(event->what, IMPAIRMENT_LOST);
		assert_int_equal(event->label.kind, HCA_PACKET_REQUEST);
		assert_int_equal(event->label.flow, b.qp.number);
		assert_true(event->label.sequence >= last);
		last = (uint32_t)event->label.sequence;
		/* LRH 8, BTH 12, RETH 16, 100 bytes, ICRC 4, VCRC 2 */
		assert_int_equal(event->length, 142);
	}
	/* Another spec begins anew, and so does the number. */
	impair(&a, "loss=100% seed=8");
	assert_true(hca_impairment(a.port->hca, &report));
	assert_int_equal(report.events, 0);
	assert_int_equal(report.spec.loss, IMPAIRMENT_ALL);
	impair(&a, NULL);
	assert_false(hca_impairment(a.port->hca, &report));
	assert_null(a.port->hca->wire);
}

/* The same seed and the same work: the same log. */
static void test_replay(void **state)
{
	static struct hca_impairment report[2];

	for (unsigned int i = 0; i < 2; i++) {
		fixture_setup(state);
		random_state = 5;
		make(*state, HCA_QP_RC);
		impair(&a, "loss=2% dup=2% seed=12");
		all_operations(300);
		assert_true(hca_impairment(a.port->hca, &report[i]));
		fixture_teardown(state);
	}
	assert_true(report[0].events > 3);
	assert_int_equal(report[0].events, report[1].events);
	for (unsigned int i = 0; i < report[0].events; i++) {
		assert_int_equal(report[0].event[i].number, report[1].event[i].number);
		assert_int_equal(report[0].event[i].what, report[1].event[i].what);
		assert_int_equal(report[0].event[i].label.sequence,
				 report[1].event[i].label.sequence);
	}
}

/* --- the end of retries ---------------------------------------------------------------------- */

static void test_all_lost(void **state)
{
	const uint8_t *cqe;

	make(*state, HCA_QP_RC);
	impair(&a, "loss=100%");
	memset(at(&b, 0), 0x11, 100);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 100);
	cqe = finish(&a);
	assert_int_equal(cqe_opcode(cqe), HCA_CQE_REQ_ERR);
	assert_int_equal(cqe[0x37], HCA_SYND_RETRY);
	assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_ERR);
	assert_int_equal(*at(&b, 0), 0x11);
	/* The first time, and once for each retry. */
	assert_int_equal(sum(&a).lost, 1 + 7);
	EXPECT_COUNTS(a.port, set_a, { HCA_Q_LOCAL_ACK_TIMEOUT, 7 },
		      { HCA_Q_REQ_TRANSPORT_RETRIES, 1 }, { HCA_Q_REQ_CQE, 1 });
}

/* Answers that say no are lost, too: it is asked again, and they come again, or the end does. */
static void test_refusal_under_loss(void **state)
{
	const uint8_t *cqe;

	make(*state, HCA_QP_RC);
	impair(&a, "loss=30% seed=2");
	impair(&b, "dup=50% delay=10us seed=3");
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey + 1, a.buf, a.lkey, 20000);
	cqe = finish(&a);
	assert_int_equal(cqe_opcode(cqe), HCA_CQE_REQ_ERR);
	assert_int_equal(cqe[0x37], HCA_SYND_REMOTE_ACCESS);
	assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_ERR);
	assert_int_equal(fixture_qp_state(b.port, &b.qp), HCA_QP_ERR);
	settle(*state);
}

/* --- unreliable ------------------------------------------------------------------------------ */

/* Each message is there as a whole or not at all, at most once, in order. */
static void test_uc(void **state)
{
	static const char *const specs[] = { "loss=5% seed=1", "dup=20% seed=2",
					     "reorder=10% seed=3",
					     "loss=2% dup=5% reorder=5% delay=5us seed=4" };

	for (unsigned int i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
		unsigned int received = 0;
		uint32_t last = 0, posted = 0;
		struct fixture *f;
		const uint8_t *cqe;

		fixture_setup(state);
		f = *state;
		make(f, HCA_QP_UC);
		impair(&a, specs[i]);
		for (uint32_t round = 1; round <= 200; round++) {
			for (; posted < received + 8; posted++)
				post_recv(&b, b.buf + (posted % 8) * 16384, b.lkey, 16384);
			fill(&a, 0, 12000, (uint8_t)round);
			finish_well(&a, post_send(&a, HCA_OP_SEND_IMM, SIGNALLED, round, a.buf,
						  a.lkey, 12000));
			settle(f);
			while ((cqe = fixture_cq_next(b.port, &b.rcq))) {
				assert_int_equal(cqe_opcode(cqe), HCA_CQE_RESP_SEND_IMM);
				assert_true(be32_at(cqe, 0x24) > last);
				last = be32_at(cqe, 0x24);
				assert_int_equal(be32_at(cqe, 0x2c), 12000);
				assert_memory_equal(at(&b, (received++ % 8) * 16384), at(&a, 0),
						    12000);
			}
		}
		assert_in_range(received, 100, 199 + (i == 1));
		/* A duplicate is a gap of its own to UC. */
		assert_true(counter(&b, HCA_Q_OUT_OF_SEQUENCE) > 0);
		fixture_teardown(state);
	}
}

static uint16_t ud_send(uint32_t number)
{
	uint8_t wqe[80] = { 0 };

	be32_put(at(&a, 0), 0, number);
	fixture_ctrl(wqe, HCA_OP_SEND, SIGNALLED, 0);
	be32_put(wqe, 16, qp_of(&b)->q_key);
	be32_put(wqe, 24, 0x80000000u | b.qp.number);
	wqe[28] = 3;
	be16_put(wqe, 30, b.port->hca->params.lid);
	fixture_data(wqe + 64, a.buf, a.lkey, 64);
	return fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
}

/* A datagram comes as often as the log says. */
static void test_ud(void **state)
{
	static struct hca_impairment report;
	unsigned char expected[300], received[300] = { 0 };
	struct fixture *f = *state;
	const uint8_t *cqe;
	uint32_t taken = 0;

	memset(expected, 1, sizeof(expected));
	make(f, HCA_QP_UD);
	impair(&a, "loss=10% dup=10% reorder=10% biterror=1e-4 seed=6");
	for (uint32_t i = 0; i < 300; i++) {
		for (unsigned int j = 0; j < 2; j++)
			if (b.qp.rq_pi - taken < 8)
				post_recv(&b, b.buf + (b.qp.rq_pi % 16) * 256, b.lkey, 256);
		finish_well(&a, ud_send(i));
		settle(f);
		while ((cqe = fixture_cq_next(b.port, &b.rcq))) {
			assert_int_equal(cqe_opcode(cqe), HCA_CQE_RESP_SEND);
			received[be32_at(at(&b, (taken++ % 16) * 256), 40)]++;
		}
	}
	assert_true(hca_impairment(a.port->hca, &report));
	assert_int_equal(report.counts[HCA_PACKET_DATAGRAM].packets, 300);
	for (unsigned int i = 0; i < report.events; i++) {
		const struct impairment_event *event = &report.event[i];

		assert_int_equal(event->label.flow, b.qp.number);
		if (event->what & IMPAIRMENT_DOUBLED)
			expected[event->label.sequence] = 2;
		if (event->what & (IMPAIRMENT_LOST | IMPAIRMENT_DAMAGED))
			expected[event->label.sequence] = 0;
	}
	assert_memory_equal(received, expected, sizeof(expected));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exactly_once),
		cmocka_unit_test(test_one_side),
		cmocka_unit_test(test_many),
		cmocka_unit_test_setup_teardown(test_single_packets_explained, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_doubled_explained, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_long_messages_explained, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_log, fixture_setup, fixture_teardown),
		cmocka_unit_test(test_replay),
		cmocka_unit_test_setup_teardown(test_all_lost, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_refusal_under_loss, fixture_setup,
						fixture_teardown),
		cmocka_unit_test(test_uc),
		cmocka_unit_test_setup_teardown(test_ud, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
