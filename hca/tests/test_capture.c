/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Captures of both ports: each packet as its port's counters count it, whole, in order, with the
 * bytes that were sent and CRCs that are right; cut where nobody moves its payload.
 */
#include <fcntl.h>
#include <stdio.h>

#include "capture/reader.h"
#include "hca/due.h"
#include "hca/capture.h"
#include "hca/tests/traffic.h"
#include "packet/packet.h"
#include "transport/transport.h"

#define PACKETS 64u

struct seen {
	enum pcapng_direction direction;
	size_t len, wire_len;
	bool cut;
	char comment[64];
	struct packet_route route;
	struct packet packet;
	uint8_t bytes[PACKET_MAX];
};

static struct end a, b;
static struct capture *capture[2];
static char path[2][32];
/* What the ports had counted when their captures began: sent, received. */
static uint64_t counted[2][2];
static struct seen seen[2][PACKETS];
static unsigned int count[2];

static uint64_t traffic(unsigned int port, enum hca_side side)
{
	const struct hca *hca = (port ? &b : &a)->port->hca;

	return hca->traffic[side][0].packets + hca->traffic[side][1].packets;
}

static void start(unsigned int port)
{
	FILE *f = fopen(path[port], "w");

	fclose(f);
	assert_int_equal(capture_start(capture[port], open(path[port], O_WRONLY), path[port]), 0);
	counted[port][0] = traffic(port, HCA_TX);
	counted[port][1] = traffic(port, HCA_RX);
}

static int setup_of(void **state, enum hca_qp_type type)
{
	struct hca_params params[] = { fixture_params(0), fixture_params(1) };
	struct fixture *f;

	for (unsigned int i = 0; i < 2; i++) {
		strcpy(path[i], "/tmp/test_capture.XXXXXX");
		close(mkstemp(path[i]));
		capture[i] = capture_new(PCAPNG_INFINIBAND, params[i].name);
		assert_non_null(capture[i]);
		params[i].capture = capture[i];
	}
	f = *state = fixture_new_with(params, NULL);
	for (unsigned int i = 0; i < 2; i++)
		fixture_probe(&f->port[i]);
	if (type == HCA_QP_UD) {
		end_create_rts(&a, &f->port[0], type);
		end_create_rts(&b, &f->port[1], type);
	} else {
		end_create(&a, &f->port[0], type, 0);
		end_create(&b, &f->port[1], type, 0);
		fixture_qp_connect(a.port, &a.qp, b.port, &b.qp);
	}
	for (unsigned int i = 0; i < 2; i++)
		start(i);
	return 0;
}

static int setup(void **state)
{
	return setup_of(state, HCA_QP_RC);
}

static int setup_uc(void **state)
{
	return setup_of(state, HCA_QP_UC);
}

static int setup_ud(void **state)
{
	return setup_of(state, HCA_QP_UD);
}

static int teardown(void **state)
{
	fixture_free(*state);
	for (unsigned int i = 0; i < 2; i++) {
		capture_free(capture[i]);
		unlink(path[i]);
	}
	return 0;
}

/* The capture of @port ends; what is in it is in @seen, and as many as the port counted. */
static void look(unsigned int port)
{
	struct pcapng_reader *reader;
	struct pcapng_packet packet;
	unsigned int interface, sent = 0;
	uint64_t last = 0;
	struct seen *s = seen[port];

	assert_int_equal(capture_stop(capture[port]), 0);
	reader = pcapng_reader_open(path[port]);
	assert_non_null(reader);
	assert_string_equal(pcapng_reader_name(reader, 0), port ? "hca1" : "hca0");
	for (count[port] = 0; pcapng_reader_next(reader, &interface, &packet) > 0; s++) {
		assert_true(count[port]++ < PACKETS);
		assert_true(packet.time_ns >= last);
		last = packet.time_ns;
		*s = (struct seen){ .direction = packet.direction,
				    .len = packet.len,
				    .wire_len = packet.wire_len,
				    .cut = packet.len < packet.wire_len };
		memcpy(s->bytes, packet.data, packet.len);
		if (packet.comment)
			strcpy(s->comment, packet.comment);
		sent += packet.direction == PCAPNG_OUT;
		if (!s->cut)
			assert_int_equal(
				packet_decode(false, s->bytes, s->len, &s->route, &s->packet),
				PACKET_OK);
	}
	pcapng_reader_close(reader);
	assert_int_equal(capture_status(capture[port]).lost, 0);
	assert_int_equal(sent, traffic(port, HCA_TX) - counted[port][0]);
	assert_int_equal(count[port] - sent, traffic(port, HCA_RX) - counted[port][1]);
}

/* Both; what one sent the other got, in the same order. */
static void look_at_both(void)
{
	look(0);
	look(1);
	assert_int_equal(count[0], count[1]);
	for (unsigned int i = 0; i < count[0]; i++) {
		assert_int_equal(seen[0][i].direction + seen[1][i].direction,
				 PCAPNG_IN + PCAPNG_OUT);
		assert_int_equal(seen[0][i].len, seen[1][i].len);
		assert_memory_equal(seen[0][i].bytes, seen[1][i].bytes, seen[0][i].len);
	}
}

/* Packet @i of port 0 is the next one of @direction with @opcode. */
static const struct packet *expect(unsigned int i, enum pcapng_direction direction, uint8_t opcode,
				   uint32_t psn)
{
	const struct seen *s = &seen[0][i];
	bool out = direction == PCAPNG_OUT;

	assert_true(i < count[0]);
	assert_int_equal(s->direction, direction);
	assert_false(s->cut);
	assert_string_equal(s->comment, "");
	assert_int_equal(s->packet.opcode, opcode);
	assert_int_equal(s->packet.psn, psn);
	assert_int_equal(s->packet.dest_qpn, out ? b.qp.number : a.qp.number);
	assert_int_equal(s->route.slid, out ? 1 : 2);
	assert_int_equal(s->route.dlid, out ? 2 : 1);
	assert_int_equal(s->route.vl, 0);
	return &s->packet;
}

static void expect_payload(const struct packet *packet, struct end *end, uint64_t offset,
			   size_t len)
{
	assert_int_equal(packet->length, len);
	assert_memory_equal(packet->payload, at(end, offset), len);
}

/* Three packets of a WRITE, in chunks that end within one of them; then its ACK. */
static void test_write(void **state)
{
	const struct packet *packet;
	uint32_t psn = field_get(
		((struct hca_qp *)hca_table_get(&a.port->hca->qps, a.qp.number))->qpc, 30, 23, 0);

	fill(&a, 0, 10000, 1);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED | SOLICIT, 0, b.buf + 5, b.lkey, a.buf, a.lkey,
		  10000);
	fixture_poll(*state);
	expect_done(&a, 0);
	assert_memory_equal(at(&a, 0), at(&b, 5), 10000);
	look_at_both();
	assert_int_equal(count[0], 4);
	packet = expect(0, PCAPNG_OUT, PACKET_WRITE_FIRST, psn);
	expect_payload(packet, &a, 0, 4096);
	assert_int_equal(packet->va, b.buf + 5);
	assert_int_equal(packet->r_key, b.lkey);
	assert_int_equal(packet->dma_length, 10000);
	assert_false(packet->ack_req);
	packet = expect(1, PCAPNG_OUT, PACKET_WRITE_MIDDLE, psn + 1);
	expect_payload(packet, &a, 4096, 4096);
	assert_false(packet->ack_req);
	packet = expect(2, PCAPNG_OUT, PACKET_WRITE_LAST, psn + 2);
	expect_payload(packet, &a, 8192, 1808);
	assert_true(packet->ack_req);
	packet = expect(3, PCAPNG_IN, PACKET_ACK, psn + 2);
	assert_int_equal(packet->syndrome, 0x1f);
	assert_int_equal(packet->msn, 1);
}

/* Of a train of two packets, and of one that is its own message. */
static void test_send(void **state)
{
	const struct packet *packet;

	fill(&a, 0, 5000, 2);
	for (unsigned int i = 0; i < 2; i++)
		post_recv(&b, b.buf, b.lkey, 8192);
	post_send(&a, HCA_OP_SEND_IMM, SIGNALLED | SOLICIT, 0xcafe1234, a.buf, a.lkey, 5000);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 0);
	fixture_poll(*state);
	look_at_both();
	assert_int_equal(count[0], 5);
	packet = expect(0, PCAPNG_OUT, PACKET_SEND_FIRST, seen[0][0].packet.psn);
	expect_payload(packet, &a, 0, 4096);
	assert_false(packet->solicited);
	packet = expect(1, PCAPNG_OUT, PACKET_SEND_LAST_IMM, seen[0][0].packet.psn + 1);
	expect_payload(packet, &a, 4096, 904);
	assert_true(packet->solicited);
	assert_int_equal(packet->immediate, 0xcafe1234);
	expect(2, PCAPNG_IN, PACKET_ACK, seen[0][1].packet.psn);
	packet = expect(3, PCAPNG_OUT, PACKET_SEND_ONLY, seen[0][0].packet.psn + 2);
	assert_int_equal(packet->length, 0);
	expect(4, PCAPNG_IN, PACKET_ACK, seen[0][3].packet.psn);
}

static void test_read_and_atomic(void **state)
{
	const struct packet *packet;
	uint32_t psn;

	fill(&b, 0, 9000, 3);
	post_rdma(&a, HCA_OP_READ, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 9000);
	fixture_poll(*state);
	post_atomic(&a, HCA_OP_ATOMIC_FA, b.buf, b.lkey, 5, 0, a.buf + 16384, a.lkey);
	fixture_poll(*state);
	look_at_both();
	assert_int_equal(count[0], 6);
	psn = seen[0][0].packet.psn;
	packet = expect(0, PCAPNG_OUT, PACKET_READ, psn);
	assert_int_equal(packet->dma_length, 9000);
	packet = expect(1, PCAPNG_IN, PACKET_READ_FIRST, psn);
	expect_payload(packet, &a, 0, 4096);
	assert_int_equal(packet->syndrome, 0x1f);
	packet = expect(2, PCAPNG_IN, PACKET_READ_MIDDLE, psn + 1);
	expect_payload(packet, &a, 4096, 4096);
	packet = expect(3, PCAPNG_IN, PACKET_READ_LAST, psn + 2);
	expect_payload(packet, &a, 8192, 808);
	packet = expect(4, PCAPNG_OUT, PACKET_FETCH_ADD, psn + 3);
	assert_int_equal(packet->swap_add, 5);
	packet = expect(5, PCAPNG_IN, PACKET_ATOMIC_ACK, psn + 3);
	assert_memory_equal(&packet->original, at(&a, 16384), 8);
}

/* A small MTU, at an offset at which nothing is aligned; bytes by an inline segment. */
static void test_small_mtu(void **state)
{
	struct hca_qp *qp[] = { hca_table_get(&a.port->hca->qps, a.qp.number),
				hca_table_get(&b.port->hca->qps, b.qp.number) };
	uint8_t wqe[48] = { 0 };

	for (unsigned int i = 0; i < 2; i++)
		field_put(qp[i]->qpc, 2, 31, 29, 1);
	fill(&a, 0, 10000, 4);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf + 77, a.lkey, 2600);
	fixture_ctrl(wqe, HCA_OP_WRITE, SIGNALLED, 0);
	fixture_raddr(wqe + 16, b.buf, b.lkey);
	be32_put(wqe, 32, 0x80000005);
	memcpy(wqe + 36, "hello", 5);
	fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
	fixture_poll(*state);
	look_at_both();
	assert_int_equal(count[0], 14);
	for (unsigned int i = 0; i < 11; i++)
		expect_payload(expect(i, PCAPNG_OUT,
				      i == 0	? PACKET_WRITE_FIRST
				      : i == 10 ? PACKET_WRITE_LAST
						: PACKET_WRITE_MIDDLE,
				      seen[0][0].packet.psn + i),
			       &a, 77 + 256 * i, i == 10 ? 40 : 256);
	assert_int_equal(seen[0][12].packet.length, 5);
	assert_memory_equal(seen[0][12].packet.payload, "hello", 5);
}

static void expect_cut(unsigned int i, size_t headers, size_t wire_len, const char *comment)
{
	const struct seen *s = &seen[0][i];

	assert_true(s->cut);
	assert_int_equal(s->direction, PCAPNG_OUT);
	assert_int_equal(s->len, headers);
	assert_int_equal(s->wire_len, wire_len);
	assert_string_equal(s->comment, comment);
}

/* A SEND for which no receive is there: its payload is fetched when it comes again. */
static void test_not_ready(void **state)
{
	fill(&a, 0, 5000, 5);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 4100);
	fixture_poll(*state);
	post_recv(&b, b.buf, b.lkey, 8192);
	expire(hca_table_get(&a.port->hca->qps, a.qp.number));
	hca_qp_due(hca_table_get(&a.port->hca->qps, a.qp.number));
	fixture_poll(*state);
	expect_done(&a, 0);
	look_at_both();
	assert_int_equal(count[0], 6);
	/* LRH, BTH, and at the end payload, ICRC and VCRC. */
	expect_cut(0, 8 + 12, 8 + 12 + 4096 + 6,
		   "its payload was not read: the message ended before");
	expect_cut(1, 8 + 12, 8 + 12 + 4 + 6, "its payload was not read: the message ended before");
	assert_int_equal(seen[0][2].packet.opcode, PACKET_ACK);
	assert_int_equal(seen[0][2].packet.syndrome >> AETH_KIND_SHIFT, AETH_RNR);
	expect_payload(expect(3, PCAPNG_OUT, PACKET_SEND_FIRST, seen[0][2].packet.psn), &a, 0,
		       4096);
	expect_payload(expect(4, PCAPNG_OUT, PACKET_SEND_LAST, seen[0][2].packet.psn + 1), &a, 4096,
		       4);
	expect(5, PCAPNG_IN, PACKET_ACK, seen[0][4].packet.psn);
}

/* A key that the responder does not take, and one that is not there for all of the payload. */
static void test_refused(void **state)
{
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey ^ 0x100, a.buf, a.lkey, 100);
	fixture_poll(*state);
	expect_error(&a, 0, HCA_SYND_REMOTE_ACCESS);
	look_at_both();
	assert_int_equal(count[0], 2);
	expect_cut(0, 8 + 12 + 16, 8 + 12 + 16 + 100 + 6,
		   "its payload was not read: the message ended before");
	assert_int_equal(expect(1, PCAPNG_IN, PACKET_ACK, seen[0][1].packet.psn)->syndrome,
			 AETH_NAK << AETH_KIND_SHIFT | NAK_ACCESS);
}

/* Nobody is there any more. UC does not notice, and the other port sees nothing. */
static void test_lost(void **state)
{
	fixture_simple(b.port, 0x501, 0, b.qp.number, 0);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 5000);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 0);
	fixture_poll(*state);
	expect_done(&a, 0);
	look(0);
	look(1);
	assert_int_equal(count[0], 3);
	assert_int_equal(count[1], 0);
	expect_cut(0, 8 + 12 + 16, 8 + 12 + 16 + 4096 + 6,
		   "lost: nobody takes it, or a flow table drops it");
	expect_cut(1, 8 + 12, 8 + 12 + 904 + 6, "lost: nobody takes it, or a flow table drops it");
	assert_string_equal(seen[0][2].comment, "lost: nobody takes it, or a flow table drops it");
	assert_int_equal(seen[0][2].packet.opcode, PACKET_UC | PACKET_WRITE_ONLY);
}

/*
 * By a bad cable: each packet, whole, where it leaves and where it arrives, as often as it does.
 * The second of six is lost here, and comes again behind a NAK.
 */
static void test_bad_cable(void **state)
{
	struct impairment_spec spec = { .loss = IMPAIRMENT_ALL / 5 };
	unsigned int lost, sent = 0, got = 0;
	struct impairment_fate fate;

	/* The first seed that loses the second packet, and no other one of the first few. */
	do {
		spec.seed++;
		lost = 0;
		for (unsigned int i = 0; i < 12; i++) {
			impairment_decide(&spec, i, 0, &fate);
			lost |= (unsigned int)fate.lost << i;
		}
	} while (lost != 2);
	hca_impair(a.port->hca, &spec);
	hca_poll(a.port->hca);
	fill(&a, 0, 24000, 1);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 24000);
	fixture_poll(*state);
	expect_done(&a, 0);
	assert_memory_equal(at(&a, 0), at(&b, 0), 24000);
	look(0);
	look(1);
	assert_int_equal(count[0], count[1] + 1);
	expect_payload(&seen[0][0].packet, &a, 0, 4096);
	for (unsigned int i = 0; i < count[0]; i++) {
		if (seen[0][i].direction != PCAPNG_OUT || seen[0][i].packet.psn != 1)
			continue;
		expect_payload(&seen[0][i].packet, &a, 4096, 4096);
		sent++;
	}
	for (unsigned int i = 0; i < count[1]; i++)
		got += seen[1][i].direction == PCAPNG_IN && seen[1][i].packet.psn == 1;
	assert_int_equal(sent, 2);
	assert_int_equal(got, 1);
}

/* One port only, switched on and off in between: what is captured then is whole. */
static void test_one_port(void **state)
{
	assert_int_equal(capture_stop(capture[0]), 0);
	assert_int_equal(capture_stop(capture[1]), 0);
	fill(&a, 0, 5000, 6);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 5000);
	fixture_poll(*state);
	start(1);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 500);
	fixture_poll(*state);
	look(1);
	assert_int_equal(count[1], 2);
	assert_int_equal(seen[1][0].direction, PCAPNG_IN);
	assert_int_equal(seen[1][0].packet.opcode, PACKET_WRITE_ONLY);
	expect_payload(&seen[1][0].packet, &a, 0, 500);
	assert_int_equal(seen[1][1].direction, PCAPNG_OUT);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 500);
	fixture_poll(*state);
}

static uint16_t post_datagram(uint16_t dlid, uint32_t q_key, bool grh, uint32_t len)
{
	uint8_t wqe[80] = { 0 };

	fixture_ctrl(wqe, HCA_OP_SEND_IMM, SIGNALLED, 0x1234);
	be32_put(wqe, 16, q_key);
	be32_put(wqe, 24, 0x80000000u | b.qp.number);
	wqe[28] = 3;
	be16_put(wqe, 30, dlid);
	if (grh) {
		wqe[43] = 64;
		be32_put(wqe, 44, 1u << 30 | 0x12345);
		be64_put(wqe, 48, 0xfe80000000000000);
		be64_put(wqe, 56, b.port->hca->params.guid);
	}
	fixture_data(wqe + 64, a.buf, a.lkey, len);
	return fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
}

static void test_datagrams(void **state)
{
	const struct seen *s = seen[0];

	post_recv(&b, b.buf, b.lkey, 8192);
	post_datagram(2, 0x11111111, false, 100);
	post_datagram(2, 0x11111111, true, 51);
	fixture_poll(*state);
	look_at_both();
	assert_int_equal(count[0], 2);
	assert_int_equal(s[0].packet.opcode, PACKET_UD | PACKET_SEND_ONLY_IMM);
	assert_int_equal(s[0].packet.immediate, 0x1234);
	assert_int_equal(s[0].packet.q_key, 0x11111111);
	assert_int_equal(s[0].packet.src_qpn, a.qp.number);
	assert_int_equal(s[0].packet.dest_qpn, b.qp.number);
	assert_int_equal(s[1].packet.psn, s[0].packet.psn + 1);
	assert_int_equal(s[0].route.sl, 3);
	assert_false(s[0].route.grh);
	expect_payload(&s[0].packet, &a, 0, 100);
	assert_true(s[1].route.grh);
	assert_int_equal(s[1].route.hop_limit, 64);
	assert_int_equal(s[1].route.flow_label, 0x12345);
	assert_int_equal(be64_at(s[1].route.dgid, 8), b.port->hca->params.guid);
	assert_int_equal(be64_at(s[1].route.sgid, 8), a.port->hca->params.guid);
	expect_payload(&s[1].packet, &a, 0, 51);
}

/* Bytes that are moved again, since whoever gets them had to wait, are captured once. */
static void test_again(void **state)
{
	struct hca_qp *qp = hca_table_get(&a.port->hca->qps, a.qp.number);
	struct hca_qp *peer = hca_table_get(&b.port->hca->qps, b.qp.number);
	struct hca_link link = { .qp = qp, .peer = peer, .slid = 1 };
	struct hca_flight *flight;

	fill(&a, 0, 5000, 7);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 0);
	fixture_poll(*state);
	link.progress = hca_progress(qp);
	link.from = hca_connection(qp);
	link.to = hca_connection(peer);
	flight = &link.from->flight;
	*flight = (struct hca_flight){ .busy = true,
				       .count = 2,
				       .packet = { .opcode = PACKET_WRITE_ONLY,
						   .dest_qpn = peer->number,
						   .psn = 77,
						   .length = 5000 } };
	hca_capture_train(&link);
	hca_capture_bytes(&link, at(&a, 0), 3000);
	hca_capture_bytes(&link, at(&a, 0), 3000);
	hca_capture_bytes(&link, at(&a, 0), 2000);
	flight->moved = 1000;
	hca_capture_bytes(&link, at(&a, 1000), 4000);
	hca_capture_bytes(&link, at(&a, 1000), 4000);
	flight->busy = false;
	a.port->hca->traffic[HCA_TX][0].packets += 2;
	b.port->hca->traffic[HCA_RX][0].packets += 2;
	look_at_both();
	assert_int_equal(count[0], 4);
	expect_payload(expect(2, PCAPNG_OUT, PACKET_WRITE_FIRST, 77), &a, 0, 4096);
	expect_payload(expect(3, PCAPNG_OUT, PACKET_WRITE_LAST, 78), &a, 4096, 904);
}

/* One that a flow table drops leaves, and comes to nobody. */
static void test_dropped(void **state)
{
	struct hca_qp *qp = hca_table_get(&a.port->hca->qps, a.qp.number);
	struct hca_qp *peer = hca_table_get(&b.port->hca->qps, b.qp.number);
	struct hca_link link = { .qp = qp, .peer = peer, .slid = 1 };

	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 0);
	fixture_poll(*state);
	link.progress = hca_progress(qp);
	link.from = hca_connection(qp);
	link.to = hca_connection(peer);
	link.from->flight = (struct hca_flight){
		.count = 1, .packet = { .opcode = PACKET_READ, .dest_qpn = peer->number }
	};
	hca_capture_train(&link);
	a.port->hca->traffic[HCA_TX][0].packets++;
	look(0);
	look(1);
	assert_int_equal(count[0], 3);
	assert_int_equal(count[1], 2);
	assert_string_equal(seen[0][2].comment, "lost: nobody takes it, or a flow table drops it");
}

/* The memory of a function pays for what is kept of a train, and gets it back. */
static void test_memory(void **state)
{
	uint64_t before = a.port->hca->memory_used;

	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 100);
	fixture_poll(*state);
	assert_true(a.port->hca->memory_used > before + PACKET_PAYLOAD_MAX);
	/* hca_free() asserts that nothing is left. */
}

#define TEST(name, before) cmocka_unit_test_setup_teardown(name, before, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_write, setup),	   TEST(test_send, setup),
		TEST(test_read_and_atomic, setup), TEST(test_small_mtu, setup),
		TEST(test_not_ready, setup),	   TEST(test_refused, setup),
		TEST(test_lost, setup_uc),	   TEST(test_one_port, setup),
		TEST(test_bad_cable, setup),	   TEST(test_datagrams, setup_ud),
		TEST(test_memory, setup),	   TEST(test_again, setup),
		TEST(test_dropped, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
