/* SPDX-License-Identifier: GPL-2.0-only */
/* RoCE: addresses, datagrams in frames, connected QPs whose peer an address names. */
#include "hca/tests/roce.h"

#define Q_KEY 0x11111111u /* of fixture_qp_init() */
#define GRH   40

static struct end a, b;

static void make(struct ethernet *e, enum hca_qp_type type)
{
	end_create(&a, e->side[0].port, type, 0);
	end_create(&b, e->side[1].port, type, 0);
}

static void make_ud(struct ethernet *e)
{
	make(e, HCA_QP_UD);
	for (unsigned int i = 0; i < 2; i++) {
		struct end *end = i ? &b : &a;

		fixture_qp_init(end->port, &end->qp);
		fixture_qp_rtr(end->port, &end->qp, 0, 0);
		fixture_qp_rts(end->port, &end->qp);
	}
}

/* From a, its address @index, to @dgid at @dmac. */
static void send_ud(uint8_t index, const uint8_t dgid[16], const uint8_t dmac[6], uint32_t len)
{
	uint8_t wqe[80] = { 0 };

	fixture_ctrl(wqe, HCA_OP_SEND_IMM, SIGNALLED, 0x01020304);
	be32_put(wqe, 16, Q_KEY);
	be32_put(wqe, 24, 0x80000000u | b.qp.number);
	be16_put(wqe, 30, 0xc123);
	memcpy(wqe + 36, dmac, 6);
	wqe[42] = 0x02;
	wqe[43] = 64;
	be32_put(wqe, 44, (uint32_t)index << 20 | 0x12345);
	memcpy(wqe + 48, dgid, 16);
	fixture_data(wqe + 64, a.buf, a.lkey, len);
	fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
}

static void expect_datagram(struct ethernet *e, uint32_t net, uint32_t len)
{
	const uint8_t *cqe;

	fixture_poll(e->f);
	cqe = fixture_cq_next(b.port, &b.rcq);
	assert_non_null(cqe);
	assert_int_equal(cqe[0x3f] >> 4, HCA_CQE_RESP_SEND_IMM);
	assert_int_equal(be32_at(cqe, 0x18), 1u << 28 | net << 24 | a.qp.number);
	assert_int_equal(be16_at(cqe, 0x16), 0);
	assert_int_equal(be32_at(cqe, 0x24), 0x01020304);
	assert_int_equal(be32_at(cqe, 0x2c), GRH + len);
	assert_memory_equal(at(&b, GRH), at(&a, 0), len);
}

static void datagrams_arrive_by_both_protocols(void **state)
{
	struct ethernet *e = *state;
	make_ud(e);
	memset(at(&b, 0), 0xee, GRH);
	post_recv(&b, b.buf, b.lkey, GRH + 1024);
	send_ud(1, v4[1], macs[1], 1001);
	expect_datagram(e, 2, 1001);
	/* The header has the end of the area, and its checksum holds. */
	assert_int_equal(*at(&b, 0), 0);
	assert_int_equal(*at(&b, 20), 0x45);
	assert_int_equal(hca_frame_sum(at(&b, 20), 20), 0xffff);
	assert_memory_equal(at(&b, 32), v4[0] + 12, 4);
	post_recv(&b, b.buf, b.lkey, GRH + 1024);
	send_ud(0, v6[1], macs[1], 3);
	expect_datagram(e, 1, 3);
	assert_int_equal(*at(&b, 0) >> 4, 6);
	assert_memory_equal(at(&b, 8), v6[0], 16);
	assert_memory_equal(at(&b, 24), v6[1], 16);
	/* They went over the switch. */
	assert_int_equal(e->side[1].port->hca->eth->traffic[HCA_RX][HCA_ETH_UNICAST].packets, 2);
}

static void expect_nothing(struct ethernet *e)
{
	fixture_poll(e->f);
	assert_null(fixture_cq_next(b.port, &b.rcq));
	assert_non_null(fixture_cq_next(a.port, &a.scq));
}

/* Addresses that are not, of another protocol, or that somebody took back. */
static void addresses_decide(void **state)
{
	static const uint8_t nobody[16];
	struct ethernet *e = *state;

	make_ud(e);
	post_recv(&b, b.buf, b.lkey, GRH + 1024);
	send_ud(2, v4[1], macs[1], 10);
	expect_nothing(e);
	send_ud(200, v4[1], macs[1], 10);
	expect_nothing(e);
	send_ud(0, v4[1], macs[1], 10);
	expect_nothing(e);
	send_ud(1, (uint8_t[16]){ [10] = 0xff, 0xff, 10, 0, 0, 3 }, macs[1], 10);
	expect_nothing(e);
	assert_int_equal(e->side[1].port->hca->eth->rx_stray, 1);
	assert_int_equal(set_address(b.port, 1, nobody, nobody, 2), 0);
	send_ud(1, v4[1], macs[1], 10);
	expect_nothing(e);
	enable(a.port, false);
	send_ud(0, v6[1], macs[1], 10);
	expect_nothing(e);
	enable(a.port, true);
	send_ud(0, v6[1], macs[1], 10);
	expect_datagram(e, 1, 10);
	assert_int_equal(set_address(b.port, HCA_ROCE_ADDRESSES, v4[1], macs[1], 2),
			 HCA_CMD_BAD_INDEX);
	assert_int_equal(set_address(b.port, 1, v4[1], macs[1], 0), HCA_CMD_BAD_PARAM);
}

/* What came over the wire with a bit turned over is nobody's. */
static void frames_are_checked(void **state)
{
	struct packet_route route = {
		.ethernet = true, .ipv4 = true, .source_port = 0xc000, .hop_limit = 64
	};
	struct packet packet = { .opcode = PACKET_UD | PACKET_SEND_ONLY,
				 .p_key = 0xffff,
				 .q_key = Q_KEY,
				 .payload = (const uint8_t *)"hello",
				 .length = 5 };
	struct ethernet *e = *state;
	uint8_t bytes[PACKET_MAX];
	int len;

	make_ud(e);
	packet.src_qpn = a.qp.number;
	packet.dest_qpn = b.qp.number;
	memcpy(route.smac, macs[0], 6);
	memcpy(route.dmac, macs[1], 6);
	memcpy(route.sgid, v4[0], 16);
	memcpy(route.dgid, v4[1], 16);
	len = packet_encode(&route, &packet, bytes, sizeof(bytes));
	assert_true(len > 0);
	post_recv(&b, b.buf, b.lkey, GRH + 64);
	for (int i = 42; i < len; i++) {
		bytes[i] ^= 1;
		hca_eth_deliver(b.port->hca, bytes, (size_t)len);
		bytes[i] ^= 1;
	}
	fixture_poll(e->f);
	/* But for the fields that the ICRC leaves out: of the BTH the byte of FECN and BECN. */
	assert_non_null(fixture_cq_next(b.port, &b.rcq));
	assert_null(fixture_cq_next(b.port, &b.rcq));
	assert_int_equal(b.port->hca->eth->rx_stray, len - 42 - 1);
	post_recv(&b, b.buf, b.lkey, GRH + 64);
	hca_eth_deliver(b.port->hca, bytes, (size_t)len);
	fixture_poll(e->f);
	assert_non_null(fixture_cq_next(b.port, &b.rcq));
	/* Without RoCE it is a frame like others. */
	enable(b.port, false);
	ethernet_receive_all(e, 1, e->side[1].tir);
	ethernet_post(e, 1, &e->side[1].rq, 256);
	hca_eth_deliver(b.port->hca, bytes, (size_t)len);
	assert_non_null(ethernet_received(e, 1));
}

static void groups_are_by_address(void **state)
{
	static const uint8_t mgid[16] = { [10] = 0xff, 0xff, 239, 1, 2, 3 };
	static const uint8_t dmac[6] = { 0x01, 0x00, 0x5e, 1, 2, 3 };
	uint8_t in[0x20] = { 0x08, 0x06 }, out[16];
	struct ethernet *e = *state;

	make_ud(e);
	post_recv(&b, b.buf, b.lkey, GRH + 64);
	send_ud(1, mgid, dmac, 20);
	expect_nothing(e);
	be32_put(in, 8, b.qp.number);
	memcpy(in + 16, mgid, 16);
	assert_int_equal(fixture_cmd(b.port, in, sizeof(in), out, sizeof(out)), 0);
	send_ud(1, mgid, dmac, 20);
	expect_datagram(e, 2, 20);
}

static void connected_by_address(void **state)
{
	struct ethernet *e = *state;
	uint8_t wqe[48];

	make(e, HCA_QP_RC);
	connect_roce(&a, 1, v4[1], macs[1], b.qp.number);
	connect_roce(&b, 1, v4[0], macs[0], a.qp.number);
	memset(at(&a, 0), 0x77, 100000);
	fixture_ctrl(wqe, HCA_OP_WRITE, SIGNALLED, 0);
	fixture_raddr(wqe + 16, b.buf, b.lkey);
	fixture_data(wqe + 32, a.buf, a.lkey, 100000);
	fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
	fixture_poll(e->f);
	assert_non_null(fixture_cq_next(a.port, &a.scq));
	assert_memory_equal(at(&b, 0), at(&a, 0), 100000);
	/* Nobody at this address any more. */
	assert_int_equal(set_address(b.port, 1, (uint8_t[16]){ 0 }, macs[1], 0), 0);
	memset(at(&a, 0), 0x78, 100);
	fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
	fixture_poll(e->f);
	assert_int_equal(*at(&b, 0), 0x77);
	assert_null(fixture_cq_next(a.port, &a.scq));
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, roce_setup, ethernet_teardown)
	const struct CMUnitTest tests[] = {
		TEST(datagrams_arrive_by_both_protocols),
		TEST(addresses_decide),
		TEST(frames_are_checked),
		TEST(groups_are_by_address),
		TEST(connected_by_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
