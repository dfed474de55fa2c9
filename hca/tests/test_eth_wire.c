/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bad cables of Ethernet ports: what becomes of frames is what the log says; congestion is told in
 * the IP header; nothing is lost that could wait; connected QPs get their work done all the same.
 */
#include "hca/tests/roce.h"
#include "hca/tests/wire.h"

#define FRAMES 40u
#define TYPE   0x88b5u /* of ethernet_frame() */
#define LEN    100u
#define Q_KEY  0x11111111u /* of fixture_qp_init() */

static struct end a, b;
static struct hca_impairment report;

static void cable(struct ethernet *e, unsigned int side, const char *text)
{
	a.port = e->side[side].port;
	impair(&a, text);
}

static const struct impairment_counts *counts_of(struct ethernet *e, unsigned int side,
						 enum hca_packet_kind kind)
{
	assert_true(hca_impairment(e->side[side].port->hca, &report));
	return &report.counts[kind];
}

static void post_frames(struct ethernet *e, unsigned int count)
{
	uint8_t frame[LEN];

	for (unsigned int i = 0; i < count; i++) {
		ethernet_frame(frame, sizeof(frame), 2, 1);
		frame[20] = (uint8_t)i;
		ethernet_send(e, 0, frame, sizeof(frame), 18, 0, 0);
	}
	fixture_poll(e->f);
}

/* Frames that came, by what post_frames() has put into them. */
static unsigned int receive(struct ethernet *e, unsigned int times[FRAMES], const uint64_t *buffer)
{
	unsigned int got = 0;

	memset(times, 0, FRAMES * sizeof(*times));
	while (ethernet_received(e, 1)) {
		const uint8_t *bytes = fixture_at(e->f, buffer[got++]);

		assert_true(bytes[20] < FRAMES);
		times[bytes[20]]++;
	}
	return got;
}

static void frames_are_what_the_log_says(void **state)
{
	struct ethernet *e = *state;
	unsigned int times[FRAMES], expected[FRAMES], got, sum = 0;
	const struct impairment_counts *counts;
	uint64_t buffer[60];

	ethernet_receive_all(e, 1, e->side[1].tir);
	for (unsigned int i = 0; i < 60; i++)
		buffer[i] = ethernet_post(e, 1, &e->side[1].rq, 256);
	cable(e, 0, "loss=20%+dup=20%+biterror=0.0001+seed=3");
	post_frames(e, FRAMES);
	got = receive(e, times, buffer);
	counts = counts_of(e, 0, HCA_PACKET_FRAME);
	assert_int_equal(counts->packets, FRAMES);
	assert_int_equal(counts->octets, FRAMES * (LEN + 4));
	assert_true(counts->lost && counts->doubled && counts->damaged);
	for (unsigned int i = 0; i < FRAMES; i++)
		expected[i] = 1;
	for (unsigned int i = 0; i < report.events; i++) {
		const struct impairment_event *event = &report.event[i];

		assert_int_equal(event->label.kind, HCA_PACKET_FRAME);
		assert_int_equal(event->label.flow, TYPE);
		assert_int_equal(event->label.sequence, 0);
		assert_int_equal(event->length, LEN + 4);
		assert_true(event->number < FRAMES);
		if (event->what & IMPAIRMENT_DOUBLED)
			expected[event->number] = 2;
		if (event->what & (IMPAIRMENT_LOST | IMPAIRMENT_DAMAGED))
			expected[event->number] = 0;
	}
	for (unsigned int i = 0; i < FRAMES; i++) {
		assert_int_equal(times[i], expected[i]);
		sum += expected[i];
	}
	assert_int_equal(got, sum);
	/* All were sent, as far as the port knows. */
	assert_int_equal(e->side[0].port->hca->eth->traffic[HCA_TX][HCA_ETH_UNICAST].packets,
			 FRAMES);
}

/* Frames of the least length count as such. */
static void short_frames_are_padded(void **state)
{
	struct ethernet *e = *state;
	uint8_t frame[20];

	ethernet_frame(frame, sizeof(frame), 2, 1);
	cable(e, 0, "loss=0");
	ethernet_send(e, 0, frame, sizeof(frame), 18, 0, 0);
	fixture_poll(e->f);
	assert_int_equal(counts_of(e, 0, HCA_PACKET_FRAME)->octets, 64);
}

static void send_ud(uint8_t index, const uint8_t dgid[16], uint32_t len)
{
	uint8_t wqe[80] = { 0 };

	fixture_ctrl(wqe, HCA_OP_SEND, SIGNALLED, 0);
	be32_put(wqe, 16, Q_KEY);
	be32_put(wqe, 24, 0x80000000u | b.qp.number);
	memcpy(wqe + 36, macs[1], 6);
	wqe[42] = 0x02;
	wqe[43] = 64;
	be32_put(wqe, 44, (uint32_t)index << 20);
	memcpy(wqe + 48, dgid, 16);
	fixture_data(wqe + 64, a.buf, a.lkey, len);
	fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
}

/* By their BTH; and what comes says that there is congestion, with checksums that hold. */
static void datagrams_are_named_and_marked(void **state)
{
	struct ethernet *e = *state;
	const uint8_t *ip;

	end_create_rts(&a, e->side[0].port, HCA_QP_UD);
	end_create_rts(&b, e->side[1].port, HCA_QP_UD);
	impair(&a, "ecn=100%");
	for (unsigned int i = 0; i < 2; i++) {
		post_recv(&b, b.buf + 1024 * (uint64_t)i, b.lkey, 1024);
		send_ud(i ? 1 : 0, i ? v4[1] : v6[1], 200);
	}
	fixture_poll(e->f);
	assert_non_null(fixture_cq_next(b.port, &b.rcq));
	assert_non_null(fixture_cq_next(b.port, &b.rcq));
	ip = at(&b, 0);
	assert_int_equal(be16_at(ip, 0), 0x6030);
	ip = at(&b, 1024 + 20);
	assert_int_equal(be16_at(ip, 0), 0x4503);
	assert_int_equal(hca_frame_sum(ip, 20), 0xffff);
	assert_int_equal(counts_of(e, 0, HCA_PACKET_DATAGRAM)->marked, 2);
	assert_int_equal(report.event[1].label.flow, b.qp.number);
	assert_int_equal(report.event[1].label.sequence, report.event[0].label.sequence + 1);
	/* Ethernet, IPv6, UDP, BTH, DETH, payload, ICRC, FCS */
	assert_int_equal(report.event[0].length, 14 + 40 + 8 + 12 + 8 + 200 + 4 + 4);
}

/* More segments than may be under way: the rest waits, and none is lost. */
static void segments_wait_for_room(void **state)
{
	static uint8_t message[54 + 40000];
	struct ethernet *e = *state;
	struct hca_eth *eth = e->side[0].port->hca->eth;

	ethernet_frame(message, sizeof(message), 2, 1);
	be16_put(message, 12, 0x0800);
	memset(message + 14, 0, 40);
	message[14] = 0x45;
	be16_put(message, 16, 40);
	message[23] = HCA_ETH_TCP;
	message[46] = 0x50;
	be16_put(message, 16, sizeof(message) - 14);
	cable(e, 0, "delay=10s");
	for (unsigned int i = 0; i < 2; i++)
		ethernet_send(e, 0, message, sizeof(message), 54, 0xc0, 16);
	fixture_poll(e->f);
	assert_int_equal(eth->traffic[HCA_TX][HCA_ETH_UNICAST].packets, HCA_WIRE_PACKETS);
	assert_non_null(fixture_cq_next(e->side[0].port, &e->side[0].scq));
	assert_null(fixture_cq_next(e->side[0].port, &e->side[0].scq));
	assert_int_equal(counts_of(e, 0, HCA_PACKET_REQUEST)->packets, 0);
	assert_int_equal(counts_of(e, 0, HCA_PACKET_FRAME)->overflow, 0);
	/* A frame of its own waits, too. */
	post_frames(e, 1);
	assert_int_equal(eth->traffic[HCA_TX][HCA_ETH_UNICAST].packets, HCA_WIRE_PACKETS);
	cable(e, 0, NULL);
	fixture_poll(e->f);
	assert_int_equal(eth->traffic[HCA_TX][HCA_ETH_UNICAST].packets, 2 * 2500 + 1);
	assert_non_null(fixture_cq_next(e->side[0].port, &e->side[0].scq));
	assert_non_null(fixture_cq_next(e->side[0].port, &e->side[0].scq));
	assert_null(e->side[0].port->hca->wire);
}

/* What is late comes to nobody when the cable is pulled meanwhile. */
static void late_frames_need_a_link(void **state)
{
	struct ethernet *e = *state;
	struct hca_eth *eth = e->side[1].port->hca->eth;

	cable(e, 0, "delay=10s");
	post_frames(e, 3);
	assert_int_equal(e->side[0].port->hca->wire->packets, 3);
	hca_set_link(e->side[0].port->hca, false);
	fixture_poll(e->f);
	cable(e, 0, NULL);
	fixture_poll(e->f);
	assert_null(e->side[0].port->hca->wire);
	assert_int_equal(eth->traffic[HCA_RX][HCA_ETH_UNICAST].packets, 0);
	hca_set_link(e->side[0].port->hca, true);
	post_frames(e, 1);
	assert_int_equal(eth->traffic[HCA_RX][HCA_ETH_UNICAST].packets, 1);
}

static void connect_both(struct ethernet *e)
{
	end_create(&a, e->side[0].port, HCA_QP_RC, 0);
	end_create(&b, e->side[1].port, HCA_QP_RC, 0);
	connect_roce(&a, 1, v4[1], macs[1], b.qp.number);
	connect_roce(&b, 1, v4[0], macs[0], a.qp.number);
	qp_of(&a)->ack_timeout = qp_of(&b)->ack_timeout = NEVER;
	qp_of(&a)->retry_count = qp_of(&b)->retry_count = 7;
}

static void connected_ones_get_their_work_done(void **state)
{
	struct ethernet *e = *state;
	struct impairment_counts there, back;

	connect_both(e);
	impair(&a, "loss=5%+dup=5%+reorder=5%+biterror=1e-6+seed=5");
	impair(&b, "loss=5%+dup=5%+seed=6");
	for (unsigned int i = 0; i < 40; i++) {
		uint32_t len = 1 + i * 400;

		fill(&a, 0, len, (uint8_t)i);
		memset(at(&b, 0), 0, len);
		finish_well(&a, post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf,
					  a.lkey, len));
		assert_memory_equal(at(&b, 0), at(&a, 0), len);
		finish_well(&a, post_rdma(&a, HCA_OP_READ, SIGNALLED, 0, b.buf, b.lkey,
					  a.buf + 65536, a.lkey, len));
		assert_memory_equal(at(&a, 65536), at(&b, 0), len);
	}
	there = *counts_of(e, 0, HCA_PACKET_REQUEST);
	back = *counts_of(e, 1, HCA_PACKET_RESPONSE);
	assert_true(there.lost && there.doubled && there.reordered);
	assert_true(back.lost && back.doubled);
	assert_int_equal(counts_of(e, 1, HCA_PACKET_FRAME)->packets, 0);
}

/* What a packet of a QP takes on the wire, which is what the rate counts. */
static void lengths_are_those_of_frames(void **state)
{
	struct ethernet *e = *state;

	connect_both(e);
	impair(&a, "loss=0");
	impair(&b, "loss=0");
	finish_well(&a,
		    post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 1001));
	/* Ethernet, IPv4, UDP, BTH, RETH, payload and pad bytes, ICRC, FCS; AETH */
	assert_int_equal(counts_of(e, 0, HCA_PACKET_REQUEST)->octets,
			 14 + 20 + 8 + 12 + 16 + 1004 + 4 + 4);
	assert_int_equal(counts_of(e, 1, HCA_PACKET_ACK)->octets, 14 + 20 + 8 + 12 + 4 + 4 + 4);
}

/* An answer that is late, and finds the cable pulled, is lost. */
static void late_answers_need_a_link(void **state)
{
	struct ethernet *e = *state;

	connect_both(e);
	impair(&b, "delay=10s");
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 10);
	fixture_poll(e->f);
	assert_int_equal(b.port->hca->wire->packets, 1);
	hca_set_link(a.port->hca, false);
	fixture_poll(e->f);
	impair(&b, NULL);
	fixture_poll(e->f);
	assert_null(fixture_cq_next(a.port, &a.scq));
	assert_null(b.port->hca->wire);
	hca_set_link(a.port->hca, true);
	finish_well(&a, 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, roce_setup, ethernet_teardown)
	const struct CMUnitTest tests[] = {
		TEST(frames_are_what_the_log_says),   TEST(short_frames_are_padded),
		TEST(datagrams_are_named_and_marked), TEST(segments_wait_for_room),
		TEST(late_frames_need_a_link),	      TEST(connected_ones_get_their_work_done),
		TEST(lengths_are_those_of_frames),    TEST(late_answers_need_a_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
