/* SPDX-License-Identifier: GPL-2.0-only */
/* Datagrams wait for their receiver's turn: bounds, order, groups that change meanwhile. */
#include "hca/budget.h"
#include "hca/cmd.h"
#include "hca/inbox.h"
#include "hca/tests/traffic.h"

#define Q_KEY  0x11111111u /* of fixture_qp_init() */
#define GRH    SUBNET_GRH_LEN
#define MLID   0xc001u
#define ATTACH 0x806u
#define DETACH 0x807u

static const uint8_t mgid[16] = { 0xff, 0x12, [15] = 7 };
static struct fixture *fixture;
static struct fixture_port *port;
static struct hca *hca;
static struct end end;

#define GROUP 8000u
static struct hca_qp *made[GROUP];

static int setup(void **state)
{
	fixture_setup(state);
	memset(made, 0, sizeof(made));
	fixture = *state;
	port = &fixture->port[0];
	hca = port->hca;
	end_create(&end, port, HCA_QP_UD, 0);
	fixture_qp_init(port, &end.qp);
	fixture_qp_rtr(port, &end.qp, 0, 0);
	fixture_qp_rts(port, &end.qp);
	return 0;
}

/* A datagram for @qpn of @len bytes that begin with @tag, as the other port's turn brings it. */
static void deliver(uint32_t qpn, size_t len, uint32_t tag)
{
	static uint8_t data[GRH + SUBNET_MTU];
	struct subnet_packet packet = { .slid = 2,
					.dlid = 1,
					.p_key = SUBNET_P_KEY,
					.dest_qpn = qpn,
					.q_key = Q_KEY,
					.data = data,
					.len = len };

	be32_put(data, GRH, tag);
	hca_ud_deliver(hca, &packet);
}

static void deliver_multicast(uint32_t tag)
{
	static uint8_t data[GRH + 64];
	struct subnet_packet packet = { .slid = 2,
					.dlid = MLID,
					.p_key = SUBNET_P_KEY,
					.dest_qpn = SUBNET_QP_MULTICAST,
					.q_key = Q_KEY,
					.grh = true,
					.data = data,
					.len = 64 };

	memcpy(data + 24, mgid, 16);
	be32_put(data, GRH, tag);
	hca_ud_deliver(hca, &packet);
}

/* Nothing of the receiver is touched before its own turn. */
static void test_own_turn(void **state)
{
	unsigned int wakes = fixture->wakes;
	uint64_t used = hca->memory_used;

	(void)state;
	post_recv(&end, end.buf, end.lkey, 200);
	deliver(end.qp.number, 100, 1);
	assert_int_equal(fixture->wakes, wakes + 1);
	expect_idle(&end);
	assert_true(hca->memory_used > used);
	hca_poll(fixture->port[1].hca);
	expect_idle(&end);
	assert_true(hca_poll(hca));
	expect_recv(&end, HCA_CQE_RESP_SEND, 0);
	assert_true(hca->traffic[HCA_RX][0].packets == 1);
	assert_int_equal(hca->inbox.packets, 0);
}

static void test_order(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 10; i++)
		post_recv(&end, end.buf + 256 * i, end.lkey, 200);
	for (i = 0; i < 10; i++)
		deliver(end.qp.number, 100, i);
	fixture_poll(fixture);
	for (i = 0; i < 10; i++) {
		expect_recv(&end, HCA_CQE_RESP_SEND, (uint16_t)i);
		assert_int_equal(be32_at(at(&end, 256 * i + GRH), 0), i);
	}
}

static uint64_t lost(void)
{
	uint8_t in[16] = { 0 }, out[0x210];

	be16_put(in, 0, 0x770);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	return be64_at(out, 0x10);
}

static void test_packets(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < HCA_INBOX_PACKETS; i++)
		deliver(1000, 0, 0);
	assert_int_equal(hca->inbox.packets, HCA_INBOX_PACKETS);
	assert_true(hca->inbox.lost.packets == 0);
	deliver(1000, 0, 0);
	assert_int_equal(hca->inbox.packets, HCA_INBOX_PACKETS);
	fixture_poll(fixture);
	assert_true(lost() == 1);
	deliver(1000, 0, 0);
	assert_int_equal(hca->inbox.packets, 1);
}

static void test_bytes(void **state)
{
	unsigned int i, fit = HCA_INBOX_BYTES / (GRH + SUBNET_MTU);
	size_t rest = HCA_INBOX_BYTES % (GRH + SUBNET_MTU);

	(void)state;
	assert_in_range(rest, GRH + 4, GRH + SUBNET_MTU - 1);
	for (i = 0; i < fit; i++)
		deliver(1000, SUBNET_MTU, 0);
	deliver(1000, rest - GRH + 1, 0);
	assert_int_equal(hca->inbox.packets, fit);
	assert_true(hca->inbox.lost.packets == 1);
	assert_true(hca->inbox.lost.octets == rest - GRH + 1);
	deliver(1000, rest - GRH, 0);
	assert_true(hca->inbox.bytes == HCA_INBOX_BYTES);
	assert_true(hca->inbox.lost.packets == 1);
}

static void test_memory(void **state)
{
	uint64_t memory = hca->params.memory, used = hca->memory_used;

	(void)state;
	hca->params.memory = used + 100;
	deliver(end.qp.number, 100, 0);
	assert_int_equal(hca->inbox.packets, 0);
	assert_true(hca->memory_used == used);
	hca->params.memory = memory;
	assert_true(lost() == 1);
}

static void attach(uint16_t op, uint32_t qpn)
{
	uint8_t in[0x20] = { 0 }, out[16];

	be16_put(in, 0, op);
	be32_put(in, 8, qpn);
	memcpy(in + 0x10, mgid, 16);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
}

/* Members of a big group, made by hand: QPs as the commands make them, without queues. */
static struct hca_qp *member(unsigned int i)
{
	if (!made[i]) {
		made[i] = hca_alloc(hca, sizeof(*made[i]));
		assert_non_null(made[i]);
		made[i]->hca = hca;
		made[i]->type = HCA_QP_UD;
		made[i]->state = HCA_QP_RTR;
		made[i]->q_key = Q_KEY;
		made[i]->rq_type = 3;
		made[i]->number = hca_table_add(hca, &hca->qps, HCA_QPN_FIRST, made[i]);
		assert_int_not_equal(made[i]->number, 0);
	}
	return made[i];
}

/* A group of thousands takes more than one turn; it changes meanwhile, and nobody hears twice. */
static void test_group(void **state)
{
	uint64_t brk = fixture->brk;
	unsigned int i;

	(void)state;
	for (i = 0; i < GROUP; i++) {
		fixture->brk = brk;
		attach(ATTACH, member(i)->number);
	}
	fixture->brk = brk;
	attach(ATTACH, end.qp.number);
	post_recv(&end, end.buf, end.lkey, 200);
	post_recv(&end, end.buf, end.lkey, 200);
	deliver_multicast(1);
	assert_true(hca_poll(hca));
	assert_int_equal(hca->inbox.packets, 1);
	assert_in_range(hca->mcg.cursor, 1, GROUP - 1);
	expect_idle(&end);
	/* Those that had it go, one that has not as well; the last one is still served, once. */
	attach(DETACH, member(0)->number);
	fixture_simple(port, 0x501, 0, member(1)->number, 0);
	fixture_simple(port, 0x501, 0, member(GROUP - 1)->number, 0);
	attach(ATTACH, member(0)->number);
	assert_int_equal(hca->inbox.packets, 1);
	assert_in_range(hca->mcg.cursor, 1, GROUP - 2);
	expect_idle(&end);
	fixture_poll(fixture);
	expect_recv(&end, HCA_CQE_RESP_SEND, 0);
	expect_idle(&end);
	assert_int_equal(hca->mcg.cursor, 0);
	assert_int_equal(hca->mcg.count, GROUP - 1);
}

/* An entry behind the cursor goes: the cursor stays at the member that comes next. */
static void test_cursor(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 6; i++)
		attach(ATTACH, member(i)->number);
	hca->mcg.cursor = 3;
	hca_mcg_forget(hca, member(1)->number);
	assert_int_equal(hca->mcg.cursor, 2);
	assert_int_equal(hca->mcg.entry[2].qpn, member(3)->number);
	hca_mcg_forget(hca, member(5)->number);
	hca_mcg_forget(hca, member(3)->number);
	assert_int_equal(hca->mcg.cursor, 2);
	assert_int_equal(hca->mcg.entry[2].qpn, member(4)->number);
	assert_int_equal(hca->mcg.count, 3);
	hca->mcg.cursor = 0;
}

/* The table of groups is full at what the capabilities say. */
static void test_attachments(void **state)
{
	uint8_t in[0x20] = { 0 }, out[16];
	uint64_t brk = fixture->brk, used;
	uint32_t i;

	(void)state;
	be16_put(in, 0, ATTACH);
	be32_put(in, 8, end.qp.number);
	in[0x10] = 0xff;
	for (i = 0; i < HCA_MCG_MAX; i++) {
		fixture->brk = brk;
		be32_put(in, 0x14, i);
		assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	}
	used = hca->memory_used;
	fixture->brk = brk;
	be32_put(in, 0x14, i);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), HCA_CMD_LIMIT);
	assert_int_equal(hca->mcg.count, HCA_MCG_MAX);
	assert_true(hca->memory_used == used);
	/* One less makes room for one. */
	be16_put(in, 0, DETACH);
	be32_put(in, 0x14, 5);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	be16_put(in, 0, ATTACH);
	be32_put(in, 0x14, i);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	be32_put(in, 0x14, i + 1);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), HCA_CMD_LIMIT);
	assert_true(hca->memory_used == used);
	fixture_simple(port, 0x501, 0, end.qp.number, 0);
	assert_int_equal(hca->mcg.count, 0);
	assert_null(hca->mcg.entry);
}

/* A list key of @len entries of a byte each, @step bytes apart under @key from @va on. */
static uint32_t byte_list(uint32_t len, uint32_t key, uint64_t va, unsigned int step)
{
	size_t ilen = 0x110 + 16 * (size_t)len, i;
	uint8_t *in = calloc(1, ilen), out[16];

	assert_non_null(in);
	be16_put(in, 0, 0x200);
	be32_put(in, 0x10, FIXTURE_LOCAL_READ | FIXTURE_LOCAL_WRITE | HCA_MKC_KLM << 8);
	be32_put(in, 0x14, 0xffffff77);
	be32_put(in, 0x1c, port->pd);
	be64_put(in, 0x28, len);
	be32_put(in, 0x10 + 13 * 4, len);
	be32_put(in, 0x60, len);
	for (i = 0; i < len; i++) {
		be32_put(in, 0x110 + 16 * i, 1);
		be32_put(in, 0x114 + 16 * i, key);
		be64_put(in, 0x118 + 16 * i, va + step * i);
	}
	assert_int_equal(fixture_cmd(port, in, (uint32_t)ilen, out, sizeof(out)), 0);
	free(in);
	return (be32_at(out, 8) & 0xffffff) << 8 | 0x77;
}

/*
 * A buffer behind a list of 1-byte entries: more looks than a turn has. The datagram waits, arrives
 * once and whole, and those behind it keep their order.
 */
static void test_long_receive(void **state)
{
	enum { LEN = GRH + SUBNET_MTU };
	unsigned int turns = 0, i;
	uint32_t key = end.lkey;

	(void)state;
	/* Lists of lists: the last one's entries are two bytes apart. */
	for (i = 0; i < 3; i++)
		key = byte_list(LEN, key, i ? 0 : end.buf, i ? 1 : 2);
	post_recv(&end, 0, key, LEN);
	post_recv(&end, end.buf + (1 << 16), end.lkey, 200);
	deliver(end.qp.number, SUBNET_MTU, 0x01020304);
	deliver(end.qp.number, 100, 0x05060708);
	for (; hca->inbox.packets == 2; turns++) {
		expect_idle(&end);
		assert_true(turns < 100);
		hca_poll(hca);
	}
	assert_true(turns > 1);
	fixture_poll(fixture);
	expect_recv(&end, HCA_CQE_RESP_SEND, 0);
	expect_recv(&end, HCA_CQE_RESP_SEND, 1);
	for (i = 0; i < 4; i++)
		assert_int_equal(*at(&end, 2 * (GRH + i)), i + 1);
	assert_int_equal(be32_at(at(&end, (1 << 16) + GRH), 0), 0x05060708);
	assert_true(hca->traffic[HCA_RX][0].packets == 2);
}

/* The link goes down: what waits is under way, and lost. */
static void test_link(void **state)
{
	(void)state;
	post_recv(&end, end.buf, end.lkey, 200);
	deliver(end.qp.number, 100, 0);
	hca_set_link(hca, false);
	fixture_poll(fixture);
	expect_idle(&end);
	assert_int_equal(hca->inbox.packets, 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_own_turn),	 TEST(test_order),	 TEST(test_packets),
		TEST(test_bytes),	 TEST(test_memory),	 TEST(test_group),
		TEST(test_cursor),	 TEST(test_attachments), TEST(test_link),
		TEST(test_long_receive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
