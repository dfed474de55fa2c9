/* SPDX-License-Identifier: GPL-2.0-only */
/* Datagrams, and the QP0/QP1 sends that nobody answers. */
#include "hca/qp.h"
#include "hca/tests/traffic.h"

#define Q_KEY 0x11111111u /* of fixture_qp_init() */
#define GRH   40

static struct end a, b;

static int setup(void **state)
{
	struct fixture *f;

	fixture_setup(state);
	f = *state;
	end_create_rts(&a, &f->port[0], HCA_QP_UD);
	end_create_rts(&b, &f->port[1], HCA_QP_UD);
	return 0;
}

struct datagram {
	uint8_t opcode;
	uint32_t imm, q_key, qpn, len, lkey;
	uint16_t dlid;
	bool grh;
};

static struct datagram datagram(void)
{
	return (struct datagram){
		.opcode = HCA_OP_SEND,
		.q_key = Q_KEY,
		.qpn = b.qp.number,
		.len = 100,
		.lkey = a.lkey,
		.dlid = 2,
	};
}

static uint16_t post(struct end *end, const struct datagram *d)
{
	uint8_t wqe[80] = { 0 };

	fixture_ctrl(wqe, d->opcode, SIGNALLED, d->imm);
	be32_put(wqe, 16, d->q_key);
	be32_put(wqe, 24, 0x80000000u | d->qpn);
	wqe[28] = 3;
	be16_put(wqe, 30, d->dlid);
	if (d->grh) {
		wqe[43] = 64;
		be32_put(wqe, 44, 1u << 30 | 0x12345);
		be64_put(wqe, 48, 0xfe80000000000000);
		be64_put(wqe, 56, b.port->hca->params.guid);
	}
	fixture_data(wqe + 64, end->buf, d->lkey, d->len);
	return fixture_post_send(end->port, &end->qp, wqe, sizeof(wqe));
}

static void test_send(void **state)
{
	struct datagram d = datagram();
	const uint8_t *cqe;

	memset(at(&b, 0), 0xff, 8192);
	post_recv(&b, b.buf, b.lkey, GRH + 4096);
	d.len = 4096;
	post(&a, &d);
	fixture_poll(*state);
	expect_done(&a, 0);
	cqe = expect_recv(&b, HCA_CQE_RESP_SEND, 0);
	assert_int_equal(be32_at(cqe, 0x2c), GRH + 4096);
	assert_int_equal(be32_at(cqe, 0x18), 3u << 24 | a.qp.number);
	assert_int_equal(be16_at(cqe, 0x16), 1);
	assert_memory_equal(at(&b, GRH), at(&a, 0), 4096);
	/* No GRH: its area is left alone. */
	assert_int_equal(*at(&b, 0), 0xff);
	assert_int_equal(*at(&b, GRH - 1), 0xff);
	assert_int_equal(*at(&b, GRH + 4096), 0xff);
}

static void test_imm_and_grh(void **state)
{
	struct datagram d = datagram();
	const uint8_t *cqe;

	post_recv(&b, b.buf, b.lkey, GRH + 100);
	d.opcode = HCA_OP_SEND_IMM;
	d.imm = 0xfeedf00d;
	d.grh = true;
	d.dlid = 99; /* the GID finds it */
	d.len = 97;
	post(&a, &d);
	fixture_poll(*state);
	expect_done(&a, 0);
	cqe = expect_recv(&b, HCA_CQE_RESP_SEND_IMM, 0);
	assert_int_equal(be32_at(cqe, 0x24), 0xfeedf00d);
	assert_int_equal(be32_at(cqe, 0x18) >> 28 & 3, 1);
	assert_int_equal(be32_at(cqe, 0x2c), GRH + 97);
	assert_memory_equal(at(&b, GRH), at(&a, 0), 97);
	assert_int_equal(be32_at(at(&b, 0), 0), 6u << 28 | 0x12345);
	assert_int_equal(be16_at(at(&b, 0), 4), 12 + 8 + 4 + 100 + 4);
	assert_int_equal(*at(&b, 6), 0x1b);
	assert_int_equal(*at(&b, 7), 64);
	assert_int_equal(be64_at(at(&b, 0), 16), a.port->hca->params.guid);
	assert_int_equal(be64_at(at(&b, 0), 32), b.port->hca->params.guid);
}

static void test_loopback(void **state)
{
	struct datagram d = datagram();

	d.dlid = 1;
	d.qpn = a.qp.number;
	post_recv(&a, a.buf + 4096, a.lkey, 200);
	post(&a, &d);
	fixture_poll(*state);
	expect_done(&a, 0);
	expect_recv(&a, HCA_CQE_RESP_SEND, 0);
	assert_memory_equal(at(&a, 4096 + GRH), at(&a, 0), 100);
}

/* Lost on the way: the sender succeeds, the receiver's WQE stays. */
static void test_lost(void **state)
{
	struct hca_qp *peer = hca_table_get(&b.port->hca->qps, b.qp.number);
	struct datagram d[5] = { datagram(), datagram(), datagram(), datagram(), datagram() };
	unsigned int i;

	d[0].q_key ^= 1;
	d[1].qpn++;
	d[2].dlid = 3;
	d[3].dlid = 0xc001;
	/* No receive. */
	post(&a, &d[4]);
	fixture_poll(*state);
	post_recv(&b, b.buf, b.lkey, 200);
	for (i = 0; i < 4; i++)
		post(&a, &d[i]);
	fixture_poll(*state);
	peer->state = HCA_QP_INIT;
	post(&a, &d[4]);
	fixture_poll(*state);
	peer->state = HCA_QP_RTS;
	for (i = 0; i < 6; i++)
		expect_done(&a, (uint16_t)(2 * i));
	expect_idle(&b);
	/* The QP's own Q_Key, when the WQE's has its top bit set. */
	d[4].q_key = 0x80000000;
	post(&a, &d[4]);
	fixture_poll(*state);
	expect_done(&a, 12);
	expect_recv(&b, HCA_CQE_RESP_SEND, 0);
}

/* What QUERY_HCA_VPORT_CONTEXT says of keys that were another's: Q_Keys, P_Keys. */
static uint32_t violations(struct end *end)
{
	uint8_t in[16] = { 0 }, out[16 + 512];

	be16_put(in, 0, 0x762);
	assert_int_equal(fixture_cmd(end->port, in, sizeof(in), out, sizeof(out)), 0);
	return be32_at(out, 16 + 4 * 26);
}

/* A port counts datagrams that come with a wrong key; those for nobody it does not. */
static void test_keys(void **state)
{
	struct hca_qp *sender = hca_table_get(&a.port->hca->qps, a.qp.number);
	struct datagram d = datagram();

	post_recv(&b, b.buf, b.lkey, 200);
	d.q_key++;
	post(&a, &d);
	d.qpn = SUBNET_QP1;
	post(&a, &d);
	d.qpn = b.qp.number + 1;
	post(&a, &d);
	fixture_poll(*state);
	assert_int_equal(violations(&b), 2u << 16);
	/* Entry 1 of the port's table is empty: no partition. */
	d = datagram();
	field_put(sender->qpc, QPC_PKEY_INDEX, 1);
	post(&a, &d);
	fixture_poll(*state);
	assert_int_equal(violations(&b), 2u << 16 | 1);
	assert_int_equal(violations(&a), 0);
	assert_null(fixture_cq_next(b.port, &b.rcq));
	b.port->hca->inbox.q_key_violations = 0xffff;
	field_put(sender->qpc, QPC_PKEY_INDEX, 0);
	d.q_key++;
	post(&a, &d);
	fixture_poll(*state);
	assert_int_equal(violations(&b), 0xffffu << 16 | 1);
	expect_idle(&b);
}

/* What a port gets of the packets of others. */
static struct subnet_packet carried[2];
static unsigned int arrived;

static void take(void *owner, const struct subnet_packet *packet)
{
	(void)owner;
	assert_true(arrived < 2);
	carried[arrived++] = *packet;
}

/* The number of RTR2RTS is that of the first packet, and the next ones count on. */
static void test_packets(void **state)
{
	const struct subnet_port_attr attr = { .lid = 3, .guid = 3, .name = "x", .deliver = take };
	struct hca_qp *sender = hca_table_get(&a.port->hca->qps, a.qp.number);
	struct fixture *f = *state;
	struct subnet_port *port = subnet_add(f->subnet, &attr);
	struct datagram d = datagram();

	assert_non_null(port);
	fixture_poll(f);
	field_put(sender->qpc, QPC_NEXT_SEND_PSN, 0xffffff);
	arrived = 0;
	d.dlid = 3;
	post(&a, &d);
	d.opcode = HCA_OP_SEND_IMM;
	d.imm = 77;
	d.q_key = 0x80000000;
	post(&a, &d);
	fixture_poll(f);
	subnet_remove(port);
	assert_int_equal(arrived, 2);
	assert_int_equal(carried[0].psn, 0xffffff);
	assert_int_equal(carried[0].src_qpn, a.qp.number);
	assert_int_equal(carried[0].q_key, Q_KEY);
	assert_int_equal(carried[0].p_key, SUBNET_P_KEY);
	assert_false(carried[0].grh || carried[0].has_imm);
	assert_int_equal(carried[0].len, 100);
	assert_int_equal(carried[1].psn, 0);
	assert_int_equal(carried[1].q_key, Q_KEY);
	assert_true(carried[1].has_imm && carried[1].imm == 77);
}

static void test_too_long(void **state)
{
	struct datagram d = datagram();

	post_recv(&b, b.buf, b.lkey, 8192);
	d.len = 4097;
	post(&a, &d);
	post(&a, &d);
	fixture_poll(*state);
	expect_error(&a, 0, HCA_SYND_LOCAL_LENGTH);
	expect_error(&a, 2, HCA_SYND_FLUSH);
	assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_SQER);
	expect_idle(&b);
}

static void test_local_key(void **state)
{
	struct datagram d = datagram();

	post_recv(&b, b.buf, b.lkey, 8192);
	d.lkey ^= 1;
	post(&a, &d);
	fixture_poll(*state);
	expect_error(&a, 0, HCA_SYND_LOCAL_PROT);
	expect_idle(&b);
}

static void test_receiver_errors(void **state)
{
	struct datagram d = datagram();

	/* The GRH area counts. */
	post_recv(&b, b.buf, b.lkey, GRH + 99);
	memset(at(&b, 0), 0xff, 4096);
	post(&a, &d);
	fixture_poll(*state);
	expect_done(&a, 0);
	expect_recv_error(&b, 0, HCA_SYND_LOCAL_LENGTH);
	assert_int_equal(fixture_qp_state(b.port, &b.qp), HCA_QP_ERR);
	assert_int_equal(*at(&b, GRH), 0xff);

	fixture_teardown(state);
	setup(state);
	memset(at(&b, 0), 0xff, 4096);
	d = datagram();
	post_recv(&b, b.buf, b.lkey ^ 1, 200);
	post(&a, &d);
	fixture_poll(*state);
	expect_done(&a, 0);
	expect_recv_error(&b, 0, HCA_SYND_LOCAL_PROT);
	assert_int_equal(*at(&b, GRH), 0xff);
}

/*
 * A program that does not wait for its completions, as mckey does not: what it rang before the
 * command that ends the QP is on its way, whoever looks first.
 */
static void test_rung_before_end(void **state)
{
	static const uint16_t ends[] = { 0x50a, 0x501, 0x507 }; /* 2RST, DESTROY, 2ERR */
	const unsigned int count = 20;

	for (unsigned int k = 0; k < 3; k++) {
		struct datagram d = datagram();
		unsigned int i;

		post_recv(&b, b.buf, b.lkey, 200);
		for (i = 0; i < count; i++)
			post(&a, &d);
		fixture_simple(a.port, ends[k], 0, a.qp.number, 0);
		fixture_poll(*state);
		assert_true(a.port->hca->traffic[HCA_TX][0].packets == count);
		expect_recv(&b, HCA_CQE_RESP_SEND, 0);
		fixture_teardown(state);
		setup(state);
	}
}

/* QP1 and QP0: read, lost, and completed. */
static void test_management(void **state)
{
	static const enum hca_qp_type types[] = { HCA_QP_GSI, HCA_QP_SMI };
	struct fixture *f = *state;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct datagram d = datagram();
		struct end qp;

		end_create_rts(&qp, &f->port[0], types[i]);
		post_recv(&b, b.buf, b.lkey, 200);
		d.lkey = qp.lkey;
		post(&qp, &d);
		fixture_poll(f);
		expect_done(&qp, 0);
		expect_idle(&b);
		/* Its buffers are checked all the same. */
		d.lkey ^= 1;
		post(&qp, &d);
		fixture_poll(f);
		expect_error(&qp, 2, HCA_SYND_LOCAL_PROT);
	}
}

/* Operations that a datagram QP does not have. */
static void test_no_rdma(void **state)
{
	post_rdma(&a, HCA_OP_WRITE, 0, 0, b.buf, b.lkey, a.buf, a.lkey, 8);
	fixture_poll(*state);
	expect_error(&a, 0, HCA_SYND_LOCAL_QP_OP);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_send),
		TEST(test_imm_and_grh),
		TEST(test_loopback),
		TEST(test_lost),
		TEST(test_keys),
		TEST(test_packets),
		TEST(test_too_long),
		TEST(test_local_key),
		TEST(test_receiver_errors),
		TEST(test_rung_before_end),
		TEST(test_management),
		TEST(test_no_rdma),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
