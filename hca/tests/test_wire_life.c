/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is under way on a bad cable is nobody's memory but its own: it may come when its message is
 * complete, its QP another one, or its function reset. Times are those that the clock has anyway:
 * a packet is late by 10 s, which never comes, or until the cable is a good one again.
 */
#include "hca/tests/wire.h"

static struct end a, b;

static int make(void **state, enum hca_qp_type type)
{
	struct fixture *f;

	fixture_setup(state);
	f = *state;
	end_create(&a, &f->port[0], type, 0);
	end_create(&b, &f->port[1], type, 0);
	fixture_qp_connect(a.port, &a.qp, b.port, &b.qp);
	qp_of(&a)->ack_timeout = NEVER;
	qp_of(&b)->ack_timeout = NEVER;
	fill(&a, 0, END_BUF / 2, 1);
	memset(at(&b, 0), 0xee, END_BUF);
	return 0;
}

static int setup_rc(void **state)
{
	return make(state, HCA_QP_RC);
}

static int setup_uc(void **state)
{
	return make(state, HCA_QP_UC);
}

static uint16_t write_to_b(uint32_t length)
{
	return post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, length);
}

/* A UC message is complete when it has left: its buffer is the program's again. */
static void test_bytes_of_its_own(void **state)
{
	uint8_t sent[10000];

	impair(&a, "delay=10s");
	memcpy(sent, at(&a, 0), sizeof(sent));
	write_to_b(sizeof(sent));
	fixture_poll(*state);
	expect_done(&a, 0);
	memset(at(&a, 0), 0x77, sizeof(sent));
	assert_int_equal(*at(&b, 0), 0xee);
	/* Not even the key is looked at any more. */
	fixture_simple(a.port, 0x202, 0, a.lkey >> 8, 0);
	impair(&a, NULL);
	fixture_poll(*state);
	assert_memory_equal(at(&b, 0), sent, sizeof(sent));
	assert_null(a.port->hca->wire);
}

/* The copy of a WRITE that comes after its completion writes nothing. */
static void test_late_copy(void **state)
{
	/* All are late, so copies are, too: the retry overtakes them when the cable is changed. */
	impair(&a, "delay=10s");
	write_to_b(10000);
	fixture_poll(*state);
	assert_int_equal(a.port->hca->wire->packets, 3);
	impair(&a, "delay=0ns");
	expire(qp_of(&a));
	fixture_poll(*state);
	expect_done(&a, 0);
	assert_memory_equal(at(&b, 0), at(&a, 0), 10000);
	memset(at(&b, 0), 0x55, 10000);
	assert_int_equal(a.port->hca->wire->packets, 3);
	impair(&a, NULL);
	fixture_poll(*state);
	for (unsigned int i = 0; i < 10000; i++)
		assert_int_equal(*at(&b, i), 0x55);
	/* And the connection is as good as before. */
	finish_well(&a, write_to_b(10000));
	assert_memory_equal(at(&b, 0), at(&a, 0), 10000);
}

/* An answer that comes after its READ was answered again is a ghost. */
static void test_late_answer(void **state)
{
	fill(&b, 0, 10000, 5);
	impair(&b, "delay=10s");
	post_rdma(&a, HCA_OP_READ, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 10000);
	fixture_poll(*state);
	assert_int_equal(b.port->hca->wire->packets, 3);
	impair(&b, "delay=0ns");
	expire(qp_of(&a));
	fixture_poll(*state);
	expect_done(&a, 0);
	assert_memory_equal(at(&a, 0), at(&b, 0), 10000);
	memset(at(&a, 0), 0x55, 10000);
	memset(at(&b, 0), 0x66, 10000);
	impair(&b, NULL);
	fixture_poll(*state);
	for (unsigned int i = 0; i < 10000; i++)
		assert_int_equal(*at(&a, i), 0x55);
}

static void destroy(struct end *end)
{
	uint8_t in[16] = { 0 }, out[16];

	be16_put(in, 0, 0x501);
	be32_put(in, 8, end->qp.number);
	assert_int_equal(fixture_cmd(end->port, in, sizeof(in), out, sizeof(out)), 0);
}

/* Whoever is gone when they come: they are lost, and nothing is touched. */
static void test_gone(void **state)
{
	const uint8_t qpc[232] = { 0 };

	for (unsigned int way = 0; way < 6; way++) {
		struct fixture *f;

		setup_rc(state);
		f = *state;
		impair(&a, "delay=10s dup=50%");
		impair(&b, "delay=10s dup=50%");
		write_to_b(100000);
		fixture_poll(f);
		assert_true(a.port->hca->wire->packets >= 25);
		switch (way) {
		case 0:
			destroy(&a);
			break;
		case 1:
			destroy(&b);
			break;
		case 2:
			assert_int_equal(fixture_qp_modify(a.port, &a.qp, 0x50a, 0, qpc), 0);
			assert_int_equal(fixture_qp_modify(b.port, &b.qp, 0x50a, 0, qpc), 0);
			memset(fixture_at(f, a.qp.dbr), 0, 8);
			a.qp.sq_pi = 0;
			fixture_qp_connect(a.port, &a.qp, b.port, &b.qp);
			/* Packets of this life have the same numbers. */
			write_to_b(1);
			break;
		case 3:
			pcie_function_reset(a.port->fn, PCIE_RESET_FLR);
			break;
		case 4:
			pcie_function_reset(b.port->fn, PCIE_RESET_FLR);
			break;
		default:
			hca_set_link(b.port->hca, false);
			break;
		}
		fixture_poll(f);
		impair(&a, NULL);
		impair(&b, NULL);
		fixture_poll(f);
		assert_null(a.port->hca->wire);
		assert_null(b.port->hca->wire);
		if (*at(&b, 1) != 0xee)
			fail_msg("way %u", way);
		fixture_teardown(state);
	}
}

/* An answer that is late is looked at when it comes, and not when a timer expires. */
static void test_late(void **state)
{
	impair(&a, "delay=20us");
	impair(&b, "delay=20us");
	write_to_b(10000);
	fixture_poll(*state);
	expect_done(&a, 0);
	assert_memory_equal(at(&b, 0), at(&a, 0), 10000);
}

/* What is not late arrives in the turn that it leaves in: no timer knows of others' turns. */
static void test_not_late(void **state)
{
	(void)state;
	impair(&a, "loss=0");
	impair(&b, "loss=0");
	write_to_b(10000);
	hca_poll(a.port->hca);
	expect_done(&a, 0);
	assert_memory_equal(at(&b, 0), at(&a, 0), 10000);
}

/* As the invalidate callback's UMR leaves the key. */
static void zap(struct end *end)
{
	struct hca_mkey *mkey = hca_table_get(&end->port->hca->mkeys, end->lkey >> 8);

	memset(fixture_xlt(mkey), 0, 16 * (size_t)mkey->xlt.octwords);
	mkey->umr_loaded = true;
}

/* A copy of a READ waits for a page of the responder, and nothing else is to do: it goes on. */
static void test_waiting_copy(void **state)
{
	struct fixture_eq faults;
	uint32_t token;

	fixture_eq_create(b.port, 4, 1u << HCA_EVENT_PAGE_FAULT, 3, &faults);
	impair(&a, "delay=10s");
	post_rdma(&a, HCA_OP_READ, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 10000);
	fixture_poll(*state);
	impair(&a, "delay=0ns");
	expire(qp_of(&a));
	fixture_poll(*state);
	expect_done(&a, 0);
	zap(&b);
	impair(&a, NULL);
	fixture_poll(*state);
	assert_true(qp_of(&a)->arrivals);
	token = be32_at(fixture_eq_next(b.port, &faults), 0x38);
	/* The answer is an error. */
	assert_int_equal(
		fixture_simple_status(b.port, 0x204, 0, 1u << 31 | token, token & 0xffffff), 0);
	fixture_poll(*state);
	assert_false(qp_of(&a)->arrivals);
	assert_int_equal(fixture_qp_state(b.port, &b.qp), HCA_QP_ERR);
}

/* Answers wait for a page of their reader; the cable that they came by is gone, and its function.
 */
static void test_waiting_answers(void **state)
{
	struct fixture_eq faults;

	setup_rc(state);
	fixture_eq_create(b.port, 4, 1u << HCA_EVENT_PAGE_FAULT, 3, &faults);
	impair(&a, "delay=10s");
	post_rdma(&b, HCA_OP_READ, SIGNALLED, 0, a.buf, a.lkey, b.buf, b.lkey, 10000);
	fixture_poll(*state);
	zap(&b);
	impair(&a, NULL);
	fixture_poll(*state);
	assert_null(a.port->hca->wire);
	assert_non_null(fixture_eq_next(b.port, &faults));
	assert_true(qp_of(&b)->arrivals);
	assert_null(fixture_cq_next(b.port, &b.scq));
	fixture_teardown(state);
}

/* A function ends with packets under way, in its cable and in the other one. */
static void test_end(void **state)
{
	setup_rc(state);
	impair(&b, "delay=10s");
	fill(&b, 0, 10000, 5);
	post_rdma(&a, HCA_OP_READ, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 10000);
	fixture_poll(*state);
	impair(&a, "delay=10s");
	expire(qp_of(&a));
	fixture_poll(*state);
	assert_int_equal(a.port->hca->wire->packets, 1);
	assert_int_equal(b.port->hca->wire->packets, 3);
	fixture_teardown(state);
}

/* The limit: what finds no room waits, and goes on when there is some. */
static void test_limit(void **state)
{
	unsigned int messages = 0;

	impair(&a, "delay=10s");
	while (messages < 40) {
		write_to_b(END_BUF / 2);
		messages++;
		fixture_poll(*state);
		if (!fixture_cq_next(a.port, &a.scq))
			break;
	}
	/* 128 packets each */
	assert_int_equal(messages, HCA_WIRE_PACKETS / 128 + 1);
	assert_int_equal(a.port->hca->wire->packets, HCA_WIRE_PACKETS);
	fixture_poll(*state);
	assert_int_equal(a.port->hca->wire->packets, HCA_WIRE_PACKETS);
	assert_null(fixture_cq_next(a.port, &a.scq));
	impair(&a, NULL);
	qp_of(&a)->retry_at_ns = 0;
	fixture_poll(*state);
	assert_non_null(fixture_cq_next(a.port, &a.scq));
	assert_memory_equal(at(&b, 0), at(&a, 0), END_BUF / 2);
	assert_null(a.port->hca->wire);
}

/* Datagrams, too: they are not lost for want of room. */
static void test_limit_of_datagrams(void **state)
{
	struct fixture *f;
	uint8_t wqe[80] = { 0 };
	unsigned int sent = 0;

	fixture_setup(state);
	f = *state;
	end_create_rts(&a, &f->port[0], HCA_QP_UD);
	end_create_rts(&b, &f->port[1], HCA_QP_UD);
	impair(&a, "delay=10s");
	fixture_ctrl(wqe, HCA_OP_SEND, SIGNALLED, 0);
	be32_put(wqe, 16, qp_of(&b)->q_key);
	be32_put(wqe, 24, 0x80000000u | b.qp.number);
	wqe[28] = 3;
	be16_put(wqe, 30, 2);
	fixture_data(wqe + 64, a.buf, a.lkey, 64);
	for (;;) {
		fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
		fixture_poll(f);
		if (!fixture_cq_next(a.port, &a.scq))
			break;
		sent++;
	}
	assert_int_equal(sent, HCA_WIRE_PACKETS);
	impair(&a, NULL);
	fixture_poll(f);
	assert_non_null(fixture_cq_next(a.port, &a.scq));
	/* All at once are more than the receiver keeps. */
	assert_int_equal(f->port[1].hca->traffic[HCA_RX][0].packets +
				 f->port[1].hca->inbox.lost.packets,
			 HCA_WIRE_PACKETS + 1);
	fixture_teardown(state);
}

/* It becomes bad, and good again, in the middle of a message. */
static void test_changes_midway(void **state)
{
	struct fixture_mkey_attr attr = { .access = FIXTURE_ALL, .len = 8u << 20 };
	uint32_t src_key, dst_key;
	uint64_t src, dst;

	src = attr.start = fixture_alloc(*state, attr.len, 4096);
	src_key = fixture_mkey_create(a.port, &attr);
	dst = attr.start = fixture_alloc(*state, attr.len, 4096);
	dst_key = fixture_mkey_create(b.port, &attr);
	for (size_t i = 0; i < attr.len; i++)
		*(uint8_t *)fixture_at(*state, src + i) = (uint8_t)(i * 13 + (i >> 9));
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, dst, dst_key, src, src_key, (uint32_t)attr.len);
	assert_true(hca_poll(a.port->hca));
	assert_true(hca_connection(qp_of(&a))->posted);
	impair(&a, "loss=1% seed=3");
	for (unsigned int i = 0; i < 3; i++)
		hca_poll(a.port->hca);
	assert_true(hca_connection(qp_of(&a))->posted);
	assert_true(a.port->hca->wire->packets == 0);
	impair(&a, NULL);
	finish_well(&a, 0);
	assert_memory_equal(fixture_at(*state, src), fixture_at(*state, dst), attr.len);
}

/* What QPs of one port send each other does not leave it. */
static void test_same_port(void **state)
{
	struct end c, d;

	end_create(&c, a.port, HCA_QP_RC, 0);
	end_create(&d, a.port, HCA_QP_RC, 0);
	fixture_qp_connect(c.port, &c.qp, d.port, &d.qp);
	impair(&a, "loss=100%");
	post_rdma(&c, HCA_OP_WRITE, SIGNALLED, 0, d.buf, d.lkey, c.buf, c.lkey, 100);
	fixture_poll(*state);
	expect_done(&c, 0);
	write_to_b(100);
	fixture_poll(*state);
	expect_idle(&a);
}

static uint16_t send_datagram(struct end *from, const struct end *to, uint16_t lid)
{
	uint8_t wqe[80] = { 0 };

	fixture_ctrl(wqe, HCA_OP_SEND, SIGNALLED, 0);
	be32_put(wqe, 16, qp_of(&b)->q_key);
	be32_put(wqe, 24, 0x80000000u | to->qp.number);
	wqe[28] = 3;
	be16_put(wqe, 30, lid);
	fixture_data(wqe + 64, from->buf, from->lkey, 64);
	return fixture_post_send(from->port, &from->qp, wqe, sizeof(wqe));
}

/* Nor do datagrams. */
static void test_datagrams_of_same_port(void **state)
{
	struct fixture *f;

	for (unsigned int i = 0; i < 2; i++) {
		fixture_setup(state);
		f = *state;
		end_create_rts(&a, &f->port[0], HCA_QP_UD);
		end_create_rts(&b, &f->port[i], HCA_QP_UD);
		impair(&a, "loss=100%");
		post_recv(&b, b.buf, b.lkey, 512);
		send_datagram(&a, &b, (uint16_t)(i + 1));
		fixture_poll(f);
		expect_done(&a, 0);
		assert_int_equal(!!fixture_cq_next(b.port, &b.rcq), !i);
		fixture_teardown(state);
	}
}

/* Without one there is none, and nothing is copied into packets. */
static void test_none(void **state)
{
	struct hca_impairment report;

	memset(&report, 0x5a, sizeof(report));
	write_to_b(100);
	fixture_poll(*state);
	expect_done(&a, 0);
	assert_null(a.port->hca->wire);
	assert_false(hca_impairment(a.port->hca, &report));
	assert_int_equal(report.events, 0x5a5a5a5a);
	impair(&a, NULL);
	assert_null(a.port->hca->wire);
}

static void test_parameters(void **state)
{
	struct hca_params params[FIXTURE_HCAS] = { fixture_params(0), fixture_params(1) };
	static struct hca_impairment report;
	struct fixture *f;

	params[1].impaired = true;
	params[1].impairment = (struct impairment_spec){ .loss = IMPAIRMENT_ALL, .seed = 4 };
	f = fixture_new_with(params, NULL);
	assert_false(hca_impairment(f->port[0].hca, &report));
	assert_true(hca_impairment(f->port[1].hca, &report));
	assert_memory_equal(&report.spec, &params[1].impairment, sizeof(report.spec));
	/* It is the cable's, and not the function's. */
	pcie_function_reset(f->port[1].fn, PCIE_RESET_FLR);
	fixture_poll(f);
	assert_true(hca_impairment(f->port[1].hca, &report));
	*state = f;
	fixture_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bytes_of_its_own, setup_uc, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_late_copy, setup_rc, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_late_answer, setup_rc, fixture_teardown),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_end),
		cmocka_unit_test_setup_teardown(test_late, setup_rc, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_not_late, setup_rc, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_waiting_copy, setup_rc, fixture_teardown),
		cmocka_unit_test(test_waiting_answers),
		cmocka_unit_test_setup_teardown(test_limit, setup_uc, fixture_teardown),
		cmocka_unit_test(test_limit_of_datagrams),
		cmocka_unit_test_setup_teardown(test_changes_midway, setup_rc, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_same_port, setup_rc, fixture_teardown),
		cmocka_unit_test(test_datagrams_of_same_port),
		cmocka_unit_test_setup_teardown(test_none, setup_rc, fixture_teardown),
		cmocka_unit_test(test_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
