/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Captures of Ethernet ports: frames as the port counts them, and what connected QPs send each
 * other as the RoCEv2 packets that it would be on a wire, from address to address, with ICRCs.
 */
#include <fcntl.h>
#include <stdio.h>

#include "capture/reader.h"
#include "hca/qp.h"
#include "hca/tests/outside.h"

#define PACKETS 16u
#define LOST	"lost: nobody takes it, or a flow table drops it"
/* Ethernet, IPv4, UDP, BTH; RETH; ICRC */
#define HEADERS (14u + 20 + 8 + 12)
#define RETH	16u
#define ICRC	4u

struct seen {
	enum pcapng_direction direction;
	size_t len, wire_len;
	char comment[64];
	struct packet_route route;
	struct packet packet;
	uint8_t bytes[HCA_ETH_FRAME_MAX];
};

static struct end a, b;
static struct capture *capture[2];
static char path[2][32];
static struct seen seen[2][PACKETS];
static unsigned int count[2];

static int setup(void **state)
{
	int ret;

	for (unsigned int i = 0; i < 2; i++) {
		strcpy(path[i], "/tmp/test_eth_cap.XXXXXX");
		close(mkstemp(path[i]));
		capture[i] = capture_new(PCAPNG_ETHERNET, i ? "hca1" : "hca0");
		assert_non_null(capture[i]);
	}
	ret = ethernet_setup_with(state, capture);
	roce_enable(*state);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(capture_start(capture[i], open(path[i], O_WRONLY), path[i]), 0);
	return ret;
}

static int teardown(void **state)
{
	int ret = ethernet_teardown(state);

	for (unsigned int i = 0; i < 2; i++) {
		capture_free(capture[i]);
		unlink(path[i]);
	}
	return ret;
}

/* The capture of @port ends; what is in it is in @seen. */
static void look(unsigned int port)
{
	struct pcapng_reader *reader;
	struct pcapng_packet packet;
	struct seen *s = seen[port];
	unsigned int interface;

	assert_int_equal(capture_stop(capture[port]), 0);
	reader = pcapng_reader_open(path[port]);
	assert_non_null(reader);
	for (count[port] = 0; pcapng_reader_next(reader, &interface, &packet) > 0; s++) {
		assert_true(count[port]++ < PACKETS);
		assert_int_equal(pcapng_reader_link_type(reader, interface), PCAPNG_ETHERNET);
		*s = (struct seen){ .direction = packet.direction,
				    .len = packet.len,
				    .wire_len = packet.wire_len };
		memcpy(s->bytes, packet.data, packet.len);
		if (packet.comment)
			strcpy(s->comment, packet.comment);
	}
	pcapng_reader_close(reader);
	assert_int_equal(capture_status(capture[port]).lost, 0);
}

/* Packet @i of @port has @direction, @opcode and @psn, and goes from address @from to the other. */
static const struct packet *expect(unsigned int port, unsigned int i,
				   enum pcapng_direction direction, uint8_t opcode, uint32_t psn,
				   unsigned int from, const uint8_t address[2][16])
{
	struct seen *s = &seen[port][i];

	assert_true(i < count[port]);
	assert_int_equal(s->direction, direction);
	assert_int_equal(s->len, s->wire_len);
	assert_string_equal(s->comment, "");
	assert_int_equal(packet_decode(true, s->bytes, s->len, &s->route, &s->packet), PACKET_OK);
	assert_int_equal(s->packet.opcode, opcode);
	assert_int_equal(s->packet.psn, psn);
	assert_int_equal(s->packet.dest_qpn, (from ? &a : &b)->qp.number);
	assert_memory_equal(s->route.smac, macs[from], 6);
	assert_memory_equal(s->route.dmac, macs[!from], 6);
	assert_memory_equal(s->route.sgid, address[from], 16);
	assert_memory_equal(s->route.dgid, address[!from], 16);
	assert_int_equal(s->route.hop_limit, ROCE_HOPS);
	assert_true(s->route.source_port >= 0xc000);
	return &s->packet;
}

static void connect_both(struct ethernet *e, enum hca_qp_type type, uint8_t index,
			 const uint8_t address[2][16])
{
	end_create(&a, e->side[0].port, type, 0);
	end_create(&b, e->side[1].port, type, 0);
	connect_roce(&a, index, address[1], macs[1], b.qp.number);
	connect_roce(&b, index, address[0], macs[0], a.qp.number);
	fill(&a, 0, 4096, 1);
}

/* As they leave and as they come, without FCS; not what is lost on the way. */
static void frames_are_captured(void **state)
{
	struct ethernet *e = *state;
	uint8_t frame[100], group[60];

	ethernet_frame(frame, sizeof(frame), 2, 1);
	ethernet_frame(group, sizeof(group), 2, 1);
	memset(group, 0xff, 6);
	ethernet_send(e, 0, frame, sizeof(frame), 18, 0, 0);
	ethernet_send(e, 0, group, sizeof(group), 18, 0, 0);
	/* Too short for any port. */
	ethernet_send(e, 0, frame, 10, 10, 0, 0);
	fixture_poll(e->f);
	look(0);
	look(1);
	assert_int_equal(count[0], 2);
	assert_int_equal(count[1], 2);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(seen[i][0].direction, i ? PCAPNG_IN : PCAPNG_OUT);
		assert_int_equal(seen[i][0].len, sizeof(frame));
		assert_int_equal(seen[i][0].wire_len, sizeof(frame));
		assert_memory_equal(seen[i][0].bytes, frame, sizeof(frame));
		assert_int_equal(seen[i][1].len, sizeof(group));
		assert_memory_equal(seen[i][1].bytes, group, sizeof(group));
	}
}

static void write_and_look(struct ethernet *e, uint8_t index, const uint8_t address[2][16])
{
	connect_both(e, HCA_QP_RC, index, address);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 2600);
	fixture_poll(e->f);
	expect_done(&a, 0);
	look(0);
	look(1);
	assert_int_equal(count[0], 4);
	assert_int_equal(count[1], 4);
	for (unsigned int i = 0; i < 2; i++) {
		enum pcapng_direction there = i ? PCAPNG_IN : PCAPNG_OUT,
				      back = i ? PCAPNG_OUT : PCAPNG_IN;
		const struct packet *packet;

		packet = expect(i, 0, there, PACKET_WRITE_FIRST, 0, 0, address);
		assert_int_equal(packet->va, b.buf);
		assert_int_equal(packet->dma_length, 2600);
		assert_memory_equal(packet->payload, at(&a, 0), 1024);
		assert_int_equal(seen[i][0].route.traffic_class, ROCE_TCLASS);
		packet = expect(i, 1, there, PACKET_WRITE_MIDDLE, 1, 0, address);
		assert_memory_equal(packet->payload, at(&a, 1024), 1024);
		packet = expect(i, 2, there, PACKET_WRITE_LAST, 2, 0, address);
		assert_int_equal(packet->length, 552);
		assert_memory_equal(packet->payload, at(&a, 2048), 552);
		expect(i, 3, back, PACKET_ACK, 2, 1, address);
	}
}

static void trains_are_packets(void **state)
{
	write_and_look(*state, 1, v4);
	assert_true(seen[0][0].route.ipv4);
}

static void trains_are_packets_of_ipv6(void **state)
{
	write_and_look(*state, 0, v6);
	assert_false(seen[0][0].route.ipv4);
}

/* The address that the QP names is one of IPv6: its port has another. */
static void trains_have_an_address(void **state)
{
	write_and_look(*state, 0, v4);
}

static void tagged(void **state)
{
	struct ethernet *e = *state;
	uint8_t in[0x30] = { 0x07, 0x61 }, out[16];

	be16_put(in, 8, 1);
	memcpy(in + 0x10, v4[0], 16);
	field_put(in + 0x10, 4, 28, 28, 1);
	field_put(in + 0x10, 4, 27, 16, 100);
	memcpy(in + 0x22, macs[0], 6);
	in[0x2b] = 2;
	assert_int_equal(fixture_cmd(e->side[0].port, in, sizeof(in), out, sizeof(out)), 0);
	connect_both(e, HCA_QP_RC, 1, v4);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 10);
	fixture_poll(e->f);
	look(0);
	assert_int_equal(count[0], 2);
	expect(0, 0, PCAPNG_OUT, PACKET_WRITE_ONLY, 0, 0, v4);
	assert_true(seen[0][0].route.tagged);
	assert_int_equal(seen[0][0].route.tci, 100);
	expect(0, 1, PCAPNG_IN, PACKET_ACK, 0, 1, v4);
	assert_false(seen[0][1].route.tagged);
}

/* Nobody is there any more: headers, and the length that it has, without an FCS. */
static void lost_ones_are_cut(void **state)
{
	struct ethernet *e = *state;

	connect_both(e, HCA_QP_UC, 1, v4);
	fixture_simple(b.port, 0x501, 0, b.qp.number, 0);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 1500);
	fixture_poll(e->f);
	look(0);
	look(1);
	assert_int_equal(count[0], 2);
	assert_int_equal(count[1], 0);
	assert_string_equal(seen[0][0].comment, LOST);
	assert_int_equal(seen[0][0].len, HEADERS + RETH);
	assert_int_equal(seen[0][0].wire_len, HEADERS + RETH + 1024 + ICRC);
	assert_int_equal(seen[0][1].len, HEADERS);
	assert_int_equal(seen[0][1].wire_len, HEADERS + 476 + ICRC);
}

/* A port without an address for them has nothing to say of packets. */
static void no_address(void **state)
{
	struct ethernet *e = *state;

	connect_both(e, HCA_QP_UC, 1, v4);
	assert_int_equal(set_address(a.port, 1, (uint8_t[16]){ 0 }, macs[0], 0), 0);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 1500);
	fixture_poll(e->f);
	look(0);
	assert_int_equal(count[0], 0);
}

/* A switch on the way is congested: what arrives says so in its IP header, and its BTH does not. */
static void marks_are_in_the_ip_header(void **state)
{
	struct ethernet *e = *state;

	connect_both(e, HCA_QP_RC, 1, v4);
	impair(&a, "ecn=100%");
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 100);
	fixture_poll(e->f);
	expect_done(&a, 0);
	look(0);
	look(1);
	/* Who got it says so to who sent it. */
	assert_int_equal(count[0], 3);
	assert_int_equal(count[1], 3);
	expect(0, 0, PCAPNG_OUT, PACKET_WRITE_ONLY, 0, 0, v4);
	assert_int_equal(seen[0][0].route.traffic_class, ROCE_TCLASS);
	assert_false(expect(1, 0, PCAPNG_IN, PACKET_WRITE_ONLY, 0, 0, v4)->fecn);
	assert_int_equal(seen[1][0].route.traffic_class, ROCE_TCLASS | 3);
	expect(1, 1, PCAPNG_OUT, PACKET_CNP, 0, 1, v4);
	for (unsigned int i = 1; i < 3; i++) {
		if (seen[0][i].bytes[HEADERS - 12] == PACKET_CNP)
			continue;
		expect(0, i, PCAPNG_IN, PACKET_ACK, 0, 1, v4);
		assert_int_equal(seen[0][i].route.traffic_class, ROCE_TCLASS);
	}
}

/* --- peers outside --------------------------------------------------------------------------- */

static int setup_outside(void **state)
{
	int ret = setup(state);

	outside_open(*state);
	outside_connect(*state, &a, HCA_QP_RC);
	fill(&a, 0, 4096, 1);
	return ret;
}

static int teardown_outside(void **state)
{
	outside_close();
	return teardown(state);
}

static void acknowledge(struct ethernet *e, uint32_t psn)
{
	struct packet_route route = outside_route(0);
	struct packet packet = { .opcode = PACKET_RC | PACKET_ACK,
				 .p_key = 0xffff,
				 .dest_qpn = a.qp.number,
				 .psn = psn,
				 .syndrome = 0x1f,
				 .msn = 1 };

	outside_send(e, &route, &packet);
}

/* Packet @i is what went by the wire, to the byte: its ICRC is the one that the peer has checked.
 */
static void expect_frame(unsigned int i, unsigned int frame)
{
	assert_int_equal(seen[0][i].direction, PCAPNG_OUT);
	assert_int_equal(seen[0][i].len, outside.frame[frame].len);
	assert_int_equal(seen[0][i].wire_len, outside.frame[frame].len);
	assert_memory_equal(seen[0][i].bytes, outside.frame[frame].bytes, seen[0][i].len);
}

static void write_outside(struct ethernet *e)
{
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, 0x1000, 0x77, a.buf, a.lkey, 2600);
	fixture_poll(e->f);
}

static void frames_to_outside_are_captured(void **state)
{
	struct ethernet *e = *state;

	write_outside(e);
	assert_int_equal(outside.frames, 3);
	acknowledge(e, 2);
	expect_done(&a, 0);
	look(0);
	assert_int_equal(count[0], 4);
	for (unsigned int i = 0; i < 3; i++)
		expect_frame(i, i);
	assert_int_equal(outside.frame[2].packet.opcode, PACKET_WRITE_LAST);
	assert_memory_equal(outside.frame[2].packet.payload, at(&a, 2048), 552);
	assert_int_equal(seen[0][3].direction, PCAPNG_IN);
	assert_int_equal(packet_decode(true, seen[0][3].bytes, seen[0][3].len, &seen[0][3].route,
				       &seen[0][3].packet),
			 PACKET_OK);
	assert_int_equal(seen[0][3].packet.opcode, PACKET_ACK);
	assert_memory_equal(seen[0][3].route.sgid, outside_gid, 16);
}

static struct impairment_counts requests_of(struct end *end)
{
	static struct hca_impairment report;

	assert_true(hca_impairment(end->port->hca, &report));
	return report.counts[HCA_PACKET_REQUEST];
}

/* The cable does what it does once to each of them, behind the capture. */
static void bad_cables_to_outside(void **state)
{
	struct ethernet *e = *state;

	impair(&a, "dup=100%");
	write_outside(e);
	assert_int_equal(outside.frames, 6);
	assert_int_equal(requests_of(&a).packets, 3);
	assert_int_equal(requests_of(&a).doubled, 3);
	acknowledge(e, 2);
	expect_done(&a, 0);
	impair(&a, "loss=100%");
	write_outside(e);
	assert_int_equal(outside.frames, 6);
	assert_int_equal(requests_of(&a).packets, 3);
	assert_int_equal(requests_of(&a).lost, 3);
	impair(&a, "ecn=100%");
	assert_int_equal(a.port->hca->wire->packets, 0);
	expire(qp_of(&a));
	fixture_poll(e->f);
	assert_int_equal(outside.frames, 9);
	assert_int_equal(outside.frame[6].route.traffic_class, ROCE_TCLASS | 3);
	acknowledge(e, 5);
	expect_done(&a, 1);
	look(0);
	/* Each once, those that were lost, too. */
	assert_int_equal(count[0], 3 + 1 + 3 + 3 + 1);
	for (unsigned int i = 0; i < 3; i++)
		expect_frame(i, 2 * i);
}

/* An answer of the responder, to what came from there. */
static void answers_to_outside_are_captured(void **state)
{
	struct ethernet *e = *state;
	struct packet_route route = outside_route(0);
	struct packet packet = { .opcode = PACKET_RC | PACKET_READ,
				 .p_key = 0xffff,
				 .dest_qpn = a.qp.number,
				 .va = a.buf,
				 .r_key = a.lkey,
				 .dma_length = 1500 };

	outside_send(e, &route, &packet);
	assert_int_equal(outside.frames, 2);
	look(0);
	assert_int_equal(count[0], 3);
	assert_int_equal(seen[0][0].direction, PCAPNG_IN);
	expect_frame(1, 0);
	expect_frame(2, 1);
	assert_int_equal(outside.frame[1].packet.opcode, PACKET_READ_LAST);
	assert_memory_equal(outside.frame[1].packet.payload, at(&a, 1024), 476);
}

/* A context that has no traffic class and no limit of hops, but a DSCP: in frames and in trains. */
static void class_and_hops(void **state)
{
	struct ethernet *e = *state;

	field_put(qp_of(&a)->qpc, QPC_TCLASS, 0);
	field_put(qp_of(&a)->qpc, QPC_DSCP, 26);
	field_put(qp_of(&a)->qpc, QPC_HOP_LIMIT, 0);
	write_outside(e);
	assert_int_equal(outside.frames, 3);
	assert_int_equal(outside.frame[0].route.traffic_class, 26 << 2);
	assert_int_equal(outside.frame[0].route.hop_limit, 64);
	connect_both(e, HCA_QP_RC, 1, v4);
	field_put(qp_of(&a)->qpc, QPC_TCLASS, 0);
	field_put(qp_of(&a)->qpc, QPC_DSCP, 27);
	field_put(qp_of(&a)->qpc, QPC_HOP_LIMIT, 0);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 10);
	fixture_poll(e->f);
	look(1);
	/* The switch does not know where the peer is, so the other function heard of it, too. */
	assert_int_equal(count[1], 3 + 2);
	expect(1, 3, PCAPNG_IN, PACKET_WRITE_ONLY, 0, 0, v4);
	assert_int_equal(seen[1][3].route.traffic_class, 27 << 2);
	assert_int_equal(seen[1][3].route.hop_limit, 64);
}

int main(void)
{
#define TEST(test)    cmocka_unit_test_setup_teardown(test, setup, teardown)
#define OUTSIDE(test) cmocka_unit_test_setup_teardown(test, setup_outside, teardown_outside)
	const struct CMUnitTest tests[] = {
		TEST(frames_are_captured),
		TEST(trains_are_packets),
		TEST(tagged),
		TEST(trains_are_packets_of_ipv6),
		TEST(trains_have_an_address),
		TEST(lost_ones_are_cut),
		TEST(no_address),
		TEST(marks_are_in_the_ip_header),
		OUTSIDE(frames_to_outside_are_captured),
		OUTSIDE(bad_cables_to_outside),
		OUTSIDE(answers_to_outside_are_captured),
		OUTSIDE(class_and_hops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
