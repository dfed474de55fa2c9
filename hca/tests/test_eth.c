/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames from a send queue of one function to the receive queue of the other. */
#include <stdlib.h>
#include <string.h>

#include "hca/tests/ethernet.h"

static struct hca_eth *eth(struct ethernet *e, unsigned int side)
{
	return e->side[side].port->hca->eth;
}

/* The send queue of side 0 completes @index with @opcode. */
static void expect_sent(struct ethernet *e, uint8_t opcode, uint16_t index)
{
	const uint8_t *cqe;

	fixture_poll(e->f);
	cqe = fixture_cq_next(e->side[0].port, &e->side[0].scq);
	assert_non_null(cqe);
	assert_int_equal(cqe[0x3f] >> 4, opcode);
	assert_int_equal(be16_at(cqe, 0x3c), index);
}

static void frame_arrives(void **state)
{
	struct ethernet *e = *state;
	uint8_t frame[100];
	const uint8_t *cqe;
	uint64_t buffer;

	ethernet_receive_all(e, 1, e->side[1].tir);
	ethernet_frame(frame, sizeof(frame), 2, 1);
	buffer = ethernet_post(e, 1, &e->side[1].rq, 2048);
	ethernet_send(e, 0, frame, sizeof(frame), 0, 0, 0);
	cqe = ethernet_received(e, 1);
	assert_non_null(cqe);
	assert_int_equal(cqe[0x3f] >> 4, 2);
	assert_int_equal(be32_at(cqe, 0x2c), sizeof(frame));
	assert_int_equal(be16_at(cqe, 0x3c), 0);
	assert_int_equal(be16_at(cqe, 0x14), hca_frame_sum(frame + 14, sizeof(frame) - 14));
	assert_int_equal(be32_at(cqe, 0x38) & 0xffffff, 0);
	assert_int_equal(be32_at(cqe, 0x20), 0);
	assert_memory_equal(fixture_at(e->f, buffer), frame, sizeof(frame));
	expect_sent(e, 0, 0);
	assert_null(ethernet_received(e, 1));
	assert_int_equal(eth(e, 0)->traffic[HCA_TX][HCA_ETH_UNICAST].packets, 1);
	assert_int_equal(eth(e, 1)->traffic[HCA_RX][HCA_ETH_UNICAST].octets, sizeof(frame));
}

/* Some bytes in the WQE, at each length of theirs: two in the segment, more behind it. */
static void inlined_bytes_come_first(void **state)
{
	struct ethernet *e = *state;
	uint8_t frame[64];

	ethernet_receive_all(e, 1, e->side[1].tir);
	ethernet_frame(frame, sizeof(frame), 2, 1);
	for (size_t inlined = 0; inlined <= sizeof(frame); inlined++) {
		uint64_t buffer = ethernet_post(e, 1, &e->side[1].rq, 128);

		frame[20] = (uint8_t)inlined;
		ethernet_send(e, 0, frame, sizeof(frame), inlined, 0, 0);
		assert_non_null(ethernet_received(e, 1));
		assert_memory_equal(fixture_at(e->f, buffer), frame, sizeof(frame));
	}
}

static void nop_completes(void **state)
{
	struct ethernet *e = *state;
	uint8_t nop[16];

	fixture_ctrl(nop, 0, 0, 0);
	fixture_post_send(e->side[0].port, &e->side[0].sq, nop, sizeof(nop));
	fixture_ctrl(nop, 0, 8, 0);
	fixture_post_send(e->side[0].port, &e->side[0].sq, nop, sizeof(nop));
	/* Only where asked. */
	expect_sent(e, 0, 1);
	assert_null(fixture_cq_next(e->side[0].port, &e->side[0].scq));
}

static void no_receive_loses_it(void **state)
{
	struct ethernet *e = *state;
	uint32_t set = fixture_simple(e->side[1].port, 0x771, 0, 0, 0) & 0xff;
	uint8_t frame[60], context[0xf0] = { 0 }, in[0x20] = { 0x07, 0x73 }, out[0x100];

	field_put(context, 0, 23, 20, 1);
	field_put(context, 3, 31, 24, set);
	assert_int_equal(ethernet_command(e->side[1].port, 0x909, 1u << 28 | e->side[1].rq.number,
					  8, context, sizeof(context), NULL),
			 0);
	ethernet_receive_all(e, 1, e->side[1].tir);
	ethernet_frame(frame, sizeof(frame), 2, 1);
	ethernet_send(e, 0, frame, sizeof(frame), 0, 0, 0);
	assert_null(ethernet_received(e, 1));
	expect_sent(e, 0, 0);
	be32_put(in, 0x1c, set);
	assert_int_equal(fixture_cmd(e->side[1].port, in, sizeof(in), out, sizeof(out)), 0);
	assert_int_equal(be32_at(out, 0x30), 1);
}

/* No root, or no entry that takes it: the frame is nobody's. */
static void no_table_loses_it(void **state)
{
	struct ethernet *e = *state;
	uint8_t frame[60];

	ethernet_post(e, 1, &e->side[1].rq, 128);
	ethernet_frame(frame, sizeof(frame), 2, 1);
	ethernet_send(e, 0, frame, sizeof(frame), 0, 0, 0);
	assert_null(ethernet_received(e, 1));
	assert_int_equal(eth(e, 1)->rx_stray, 1);
	ethernet_root(e->side[1].port, NIC_RX, ethernet_table(e->side[1].port, NIC_RX, 1, 0));
	ethernet_send(e, 0, frame, sizeof(frame), 0, 0, 0);
	assert_null(ethernet_received(e, 1));
	assert_int_equal(eth(e, 1)->rx_stray, 2);
}

/* IPv4 with UDP, sums of zero, to @len bytes. */
static void udp_frame(uint8_t *frame, size_t len)
{
	ethernet_frame(frame, len, 2, 1);
	be16_put(frame, 12, 0x0800);
	memcpy(frame + 14,
	       (uint8_t[]){ 0x45, 0, 0, 0, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2 },
	       20);
	be16_put(frame, 16, (uint16_t)(len - 14));
	be16_put(frame, 34, 1000);
	be16_put(frame, 36, 2000);
	be16_put(frame, 38, (uint16_t)(len - 34));
	be16_put(frame, 40, 0);
}

static void checksums_are_made_and_judged(void **state)
{
	struct ethernet *e = *state;
	struct hca_frame parsed;
	uint8_t frame[90];
	const uint8_t *cqe;
	uint64_t buffer;

	ethernet_receive_all(e, 1, e->side[1].tir);
	udp_frame(frame, sizeof(frame));
	buffer = ethernet_post(e, 1, &e->side[1].rq, 128);
	ethernet_send(e, 0, frame, sizeof(frame), 18, 0xc0, 0);
	cqe = ethernet_received(e, 1);
	assert_non_null(cqe);
	assert_int_equal(cqe[0x1c], 7);
	assert_int_equal(cqe[0x1d], 2u << 2 | 2u << 4);
	hca_frame_parse(fixture_at(e->f, buffer), sizeof(frame), &parsed);
	assert_true(hca_frame_l4_ok(fixture_at(e->f, buffer), &parsed));
	assert_int_not_equal(be16_at(fixture_at(e->f, buffer), 40), 0);
	/* Without the flags they stay as they are. */
	be16_put(frame, 40, 0x1111);
	buffer = ethernet_post(e, 1, &e->side[1].rq, 128);
	ethernet_send(e, 0, frame, sizeof(frame), 18, 0, 0);
	cqe = ethernet_received(e, 1);
	assert_int_equal(cqe[0x1c], 1);
	assert_memory_equal(fixture_at(e->f, buffer), frame, sizeof(frame));
}

static void tag_is_taken_out(void **state)
{
	struct ethernet *e = *state;
	uint8_t frame[80], context[0xf0] = { 0 };
	const uint8_t *cqe, *got;
	uint64_t buffer;

	ethernet_receive_all(e, 1, e->side[1].tir);
	ethernet_frame(frame, sizeof(frame), 2, 1);
	memcpy(frame + 12, "\x81\x00\x60\x64", 4);
	buffer = ethernet_post(e, 1, &e->side[1].rq, 128);
	ethernet_send(e, 0, frame, sizeof(frame), 18, 0, 0);
	cqe = ethernet_received(e, 1);
	assert_non_null(cqe);
	assert_int_equal(cqe[0x1d] & 1, 1);
	assert_int_equal(be16_at(cqe, 0x1e), 0x6064);
	assert_int_equal(be32_at(cqe, 0x2c), sizeof(frame) - 4);
	assert_int_equal(be16_at(cqe, 0x14), hca_frame_sum(frame + 18, sizeof(frame) - 18));
	got = fixture_at(e->f, buffer);
	assert_memory_equal(got, frame, 12);
	assert_memory_equal(got + 12, frame + 16, sizeof(frame) - 16);
	/* vsd: it stays. */
	field_put(context, 0, 23, 20, 1);
	field_put(context, 0, 28, 28, 1);
	assert_int_equal(ethernet_command(e->side[1].port, 0x909, 1u << 28 | e->side[1].rq.number,
					  2, context, sizeof(context), NULL),
			 0);
	buffer = ethernet_post(e, 1, &e->side[1].rq, 128);
	ethernet_send(e, 0, frame, sizeof(frame), 18, 0, 0);
	cqe = ethernet_received(e, 1);
	assert_int_equal(cqe[0x1d] & 1, 0);
	assert_int_equal(be32_at(cqe, 0x2c), sizeof(frame));
	assert_int_equal(be16_at(cqe, 0x14), hca_frame_sum(frame + 14, sizeof(frame) - 14));
	assert_memory_equal(fixture_at(e->f, buffer), frame, sizeof(frame));
}

/* --- long messages ----------------------------------------------------------------------- */

#define HEADER 54u

/* TCP over IPv4 with @len bytes in all; its length does not fit where that is more than 64 KiB. */
static void tcp_frame(uint8_t *frame, size_t len)
{
	udp_frame(frame, len);
	be16_put(frame, 16, (uint16_t)(len - 14));
	frame[23] = 6;
	be32_put(frame, 38, 1000); /* sequence */
	be32_put(frame, 42, 0);
	memcpy(frame + 46, "\x50\x99\x10\x00\0\0\0\0", 8); /* CWR, ACK, PSH, FIN */
}

static void long_message_is_cut(void **state)
{
	enum { MSS = 1000, PAYLOAD = 3500 };
	struct ethernet *e = *state;
	static uint8_t frame[HEADER + PAYLOAD];
	uint64_t buffer[4];
	size_t i;

	ethernet_receive_all(e, 1, e->side[1].tir);
	tcp_frame(frame, sizeof(frame));
	for (i = 0; i < 4; i++)
		buffer[i] = ethernet_post(e, 1, &e->side[1].rq, 2048);
	ethernet_send(e, 0, frame, sizeof(frame), HEADER, 0xc0, MSS);
	for (i = 0; i < 4; i++) {
		const uint8_t *cqe = ethernet_received(e, 1), *got = fixture_at(e->f, buffer[i]);
		size_t len = i < 3 ? MSS : PAYLOAD - 3 * MSS;

		assert_non_null(cqe);
		assert_int_equal(be32_at(cqe, 0x2c), HEADER + len);
		assert_int_equal(cqe[0x1c], 7);
		assert_int_equal(be16_at(got, 18), 1 + i);
		assert_int_equal(be32_at(got, 38), 1000 + MSS * i);
		assert_int_equal(got[47], i == 0 ? 0x90 : i < 3 ? 0x10 : 0x19);
		assert_memory_equal(got + HEADER, frame + HEADER + MSS * i, len);
	}
	assert_null(ethernet_received(e, 1));
	/* One completion for all. */
	expect_sent(e, 0, 0);
	assert_null(fixture_cq_next(e->side[0].port, &e->side[0].scq));
	assert_int_equal(eth(e, 0)->traffic[HCA_TX][HCA_ETH_UNICAST].packets, 4);
}

/* The longest message in the smallest pieces takes many turns, none of which is a long one. */
static void smallest_pieces_take_turns(void **state)
{
	static uint8_t frame[HEADER + 65536];
	struct ethernet *e = *state;
	struct hca *hca = e->side[0].port->hca;
	unsigned int turns = 0;

	tcp_frame(frame, sizeof(frame));
	ethernet_send(e, 0, frame, sizeof(frame), HEADER, 0xc0, 1);
	while (!fixture_cq_next(e->side[0].port, &e->side[0].scq)) {
		hca_poll(hca);
		assert_true(hca->work_left > -100000);
		assert_true(++turns < 1000);
	}
	assert_true(turns > 10);
	assert_int_equal(eth(e, 0)->traffic[HCA_TX][HCA_ETH_UNICAST].packets, 65536);
	/* The receiver took what it has room for. */
	assert_int_equal(eth(e, 1)->inbox.frames, HCA_ETH_INBOX_FRAMES);
	assert_int_equal(eth(e, 1)->rx_lost, 65536 - HCA_ETH_INBOX_FRAMES);
}

/* --- hostile WQEs ------------------------------------------------------------------------ */

/* The queue stops: the WQE that is none is named, what comes behind it is flushed. */
static void expect_stopped(struct ethernet *e, uint8_t syndrome)
{
	struct ethernet_side *s = &e->side[0];
	uint8_t nop[16];
	const uint8_t *cqe;

	fixture_poll(e->f);
	cqe = fixture_cq_next(s->port, &s->scq);
	assert_non_null(cqe);
	assert_int_equal(cqe[0x3f] >> 4, 0xd);
	assert_int_equal(cqe[0x37], syndrome);
	fixture_ctrl(nop, 0, 8, 0);
	fixture_post_send(s->port, &s->sq, nop, sizeof(nop));
	fixture_poll(e->f);
	cqe = fixture_cq_next(s->port, &s->scq);
	assert_non_null(cqe);
	assert_int_equal(cqe[0x37], HCA_SYND_FLUSH);
	assert_int_equal(eth(e, 0)->traffic[HCA_TX][HCA_ETH_UNICAST].packets, 0);
	/* As the driver mends it. */
	assert_int_equal(ethernet_queue_state(s->port, true, s->sq.number, 3, 0), 0);
	memset(fixture_at(e->f, s->sq.dbr), 0, 8);
	s->sq.sq_pi = 0;
	assert_int_equal(ethernet_queue_state(s->port, true, s->sq.number, 0, 1), 0);
}

static void malformed_wqes_stop_the_queue(void **state)
{
	struct ethernet *e = *state;
	struct ethernet_side *s = &e->side[0];
	uint8_t wqe[64], frame[200];

	/* No Ethernet segment; more inlined than the WQE has; a tag to insert; LSO of nothing. */
	fixture_ctrl(wqe, 0x0a, 8, 0);
	fixture_post_send(s->port, &s->sq, wqe, 16);
	expect_stopped(e, HCA_SYND_LOCAL_QP_OP);
	memset(wqe, 0, sizeof(wqe));
	fixture_ctrl(wqe, 0x0a, 8, 0);
	be16_put(wqe, 28, 35);
	fixture_post_send(s->port, &s->sq, wqe, sizeof(wqe));
	expect_stopped(e, HCA_SYND_LOCAL_QP_OP);
	be16_put(wqe, 28, 0x8000);
	fixture_post_send(s->port, &s->sq, wqe, sizeof(wqe));
	expect_stopped(e, HCA_SYND_LOCAL_QP_OP);
	be16_put(wqe, 28, 0xffff);
	fixture_post_send(s->port, &s->sq, wqe, sizeof(wqe));
	expect_stopped(e, HCA_SYND_LOCAL_QP_OP);
	tcp_frame(frame, sizeof(frame));
	ethernet_send(e, 0, frame, sizeof(frame), 0, 0, 100);
	expect_stopped(e, HCA_SYND_LOCAL_QP_OP);
	/* Headers that end elsewhere, and none at all. */
	ethernet_send(e, 0, frame, sizeof(frame), HEADER - 1, 0, 100);
	expect_stopped(e, HCA_SYND_LOCAL_QP_OP);
	ethernet_frame(frame, sizeof(frame), 2, 1);
	ethernet_send(e, 0, frame, sizeof(frame), HEADER, 0, 100);
	expect_stopped(e, HCA_SYND_LOCAL_QP_OP);
	/* An operation of QPs. */
	memset(wqe, 0, sizeof(wqe));
	fixture_ctrl(wqe, 0x08, 8, 0);
	fixture_post_send(s->port, &s->sq, wqe, sizeof(wqe));
	expect_stopped(e, HCA_SYND_LOCAL_QP_OP);
	/* A key that is none. */
	fixture_ctrl(wqe, 0x0a, 8, 0);
	fixture_data(wqe + 32, 4096, s->port->lkey ^ 0xff00, 60);
	fixture_post_send(s->port, &s->sq, wqe, 48);
	expect_stopped(e, HCA_SYND_LOCAL_PROT);
}

static void lengths_are_bounded(void **state)
{
	static uint8_t frame[HEADER + 65537];
	struct ethernet *e = *state;

	tcp_frame(frame, sizeof(frame));
	ethernet_send(e, 0, frame, HCA_ETH_FRAME_MAX + 1, 0, 0, 0);
	expect_stopped(e, HCA_SYND_LOCAL_LENGTH);
	ethernet_send(e, 0, frame, sizeof(frame), HEADER, 0, 1000);
	expect_stopped(e, HCA_SYND_LOCAL_LENGTH);
	ethernet_send(e, 0, frame, 2 * HEADER, HEADER, 0, HCA_ETH_FRAME_MAX - HEADER + 1);
	expect_stopped(e, HCA_SYND_LOCAL_LENGTH);
	/* What is no longer than that is sent, or lost, and the queue goes on. */
	ethernet_send(e, 0, frame, HCA_ETH_FRAME_MAX, 0, 0, 0);
	expect_sent(e, 0, 0);
	assert_int_equal(eth(e, 0)->tx_errors.packets, 1);
	ethernet_send(e, 0, frame, 13, 0, 0, 0);
	expect_sent(e, 0, 1);
	ethernet_send(e, 0, frame, 0, 0, 0, 0);
	expect_sent(e, 0, 2);
	assert_int_equal(eth(e, 0)->tx_errors.packets, 3);
	assert_int_equal(eth(e, 0)->traffic[HCA_TX][HCA_ETH_UNICAST].packets, 0);
}

static void set_mtu(struct ethernet *e, unsigned int side, uint16_t mtu)
{
	uint8_t in[0x200] = { 0x07, 0x55 }, out[16];

	be32_put(in, 0x0c, 1u << 6);
	field_put(in + 0x100, 9, 15, 0, mtu);
	assert_int_equal(fixture_cmd(e->side[side].port, in, sizeof(in), out, sizeof(out)), 0);
}

static void mtu_is_that_of_the_vport(void **state)
{
	static uint8_t frame[9018];
	struct ethernet *e = *state;
	uint64_t buffer;

	ethernet_receive_all(e, 1, e->side[1].tir);
	ethernet_frame(frame, sizeof(frame), 2, 1);
	buffer = ethernet_post(e, 1, &e->side[1].rq, 16384);
	/* 1500 and its header with a tag. */
	ethernet_send(e, 0, frame, 1518, 0, 0, 0);
	assert_non_null(ethernet_received(e, 1));
	ethernet_post(e, 1, &e->side[1].rq, 16384);
	ethernet_send(e, 0, frame, 1519, 0, 0, 0);
	assert_null(ethernet_received(e, 1));
	assert_int_equal(eth(e, 0)->tx_errors.packets, 1);
	/* A sender with a longer one, and a receiver without. */
	set_mtu(e, 0, 9022);
	ethernet_send(e, 0, frame, sizeof(frame), 0, 0, 0);
	assert_null(ethernet_received(e, 1));
	assert_int_equal(eth(e, 1)->rx_long, 1);
	set_mtu(e, 1, 9022);
	ethernet_send(e, 0, frame, sizeof(frame), 0, 0, 0);
	assert_non_null(ethernet_received(e, 1));
	(void)buffer;
}

/* A receive that is too short, or that no key covers, ends its queue. */
static void bad_receives_stop_the_queue(void **state)
{
	struct ethernet *e = *state;
	struct ethernet_side *s = &e->side[1];
	uint8_t frame[100], seg[16];
	const uint8_t *cqe;

	ethernet_receive_all(e, 1, s->tir);
	ethernet_frame(frame, sizeof(frame), 2, 1);
	ethernet_post(e, 1, &s->rq, 99);
	ethernet_post(e, 1, &s->rq, 2048);
	ethernet_send(e, 0, frame, sizeof(frame), 0, 0, 0);
	cqe = ethernet_received(e, 1);
	assert_non_null(cqe);
	assert_int_equal(cqe[0x3f] >> 4, 0xe);
	assert_int_equal(cqe[0x37], HCA_SYND_LOCAL_LENGTH);
	cqe = ethernet_received(e, 1);
	assert_non_null(cqe);
	assert_int_equal(cqe[0x37], HCA_SYND_FLUSH);
	/* Nothing is received until it is made ready again. */
	ethernet_send(e, 0, frame, sizeof(frame), 0, 0, 0);
	assert_null(ethernet_received(e, 1));
	assert_int_equal(ethernet_queue_state(s->port, false, s->rq.number, 3, 0), 0);
	memset(fixture_at(e->f, s->rq.dbr), 0, 8);
	s->rq.rq_pi = 0;
	assert_int_equal(ethernet_queue_state(s->port, false, s->rq.number, 0, 1), 0);
	fixture_data(seg, 4096, s->port->lkey ^ 0xff00, 2048);
	fixture_post_recv(s->port, &s->rq, seg, sizeof(seg));
	ethernet_send(e, 0, frame, sizeof(frame), 0, 0, 0);
	cqe = ethernet_received(e, 1);
	assert_non_null(cqe);
	assert_int_equal(cqe[0x37], HCA_SYND_LOCAL_PROT);
}

/* Frames wait in a queue that has an end, in frames and in bytes. */
static void inbox_is_bounded(void **state)
{
	static uint8_t frame[9018];
	struct ethernet *e = *state;
	struct hca *hca = e->side[1].port->hca;
	unsigned int i, fit = HCA_ETH_INBOX_BYTES / sizeof(frame);

	ethernet_frame(frame, sizeof(frame), 2, 1);
	set_mtu(e, 1, 9022);
	for (i = 0; i < HCA_ETH_INBOX_FRAMES + 1; i++)
		hca_eth_deliver(hca, frame, 60);
	assert_int_equal(eth(e, 1)->inbox.frames, HCA_ETH_INBOX_FRAMES);
	assert_int_equal(eth(e, 1)->rx_lost, 1);
	fixture_poll(e->f);
	assert_int_equal(eth(e, 1)->inbox.frames, 0);
	assert_int_equal(eth(e, 1)->inbox.bytes, 0);
	for (i = 0; i < fit + 1; i++)
		hca_eth_deliver(hca, frame, sizeof(frame));
	assert_int_equal(eth(e, 1)->inbox.frames, fit);
	assert_int_equal(eth(e, 1)->rx_lost, 2);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, ethernet_setup, ethernet_teardown)
	const struct CMUnitTest tests[] = {
		TEST(frame_arrives),
		TEST(inlined_bytes_come_first),
		TEST(nop_completes),
		TEST(no_receive_loses_it),
		TEST(no_table_loses_it),
		TEST(checksums_are_made_and_judged),
		TEST(tag_is_taken_out),
		TEST(long_message_is_cut),
		TEST(smallest_pieces_take_turns),
		TEST(malformed_wqes_stop_the_queue),
		TEST(lengths_are_bounded),
		TEST(mtu_is_that_of_the_vport),
		TEST(bad_receives_stop_the_queue),
		TEST(inbox_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
