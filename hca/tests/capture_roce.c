/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two Ethernet ports, captured: a frame of TCP, and by IPv4 and by IPv6 what connected QPs and
 * datagrams send, with a VLAN tag in one direction, by a switch that is congested at the end.
 * tests/wire shows it to a dissector that nobody here wrote.
 * Usage: capture_roce DIRECTORY: hca0.pcapng and hca1.pcapng in it.
 */
#include <fcntl.h>
#include <stdio.h>

#include "hca/tests/roce.h"
#include "hca/tests/wire.h"

#define Q_KEY 0x11111111u /* of fixture_qp_init() */

static const char *directory;
static struct capture *capture[2];
static struct end a, b;

static struct ethernet *begin(void)
{
	static const char *const files[] = { "hca0.pcapng", "hca1.pcapng" };
	static const char *const names[] = { "hca0 port 1", "hca1 port 1" };
	char path[4096];
	void *state;

	for (unsigned int i = 0; i < 2; i++) {
		capture[i] = capture_new(PCAPNG_ETHERNET, names[i]);
		assert_non_null(capture[i]);
	}
	ethernet_setup_with(&state, capture);
	roce_enable(state);
	for (unsigned int i = 0; i < 2; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		assert_int_equal(capture_start(capture[i], fd, path), 0);
	}
	return state;
}

/* IPv4 and TCP, ports 1000 and 5000, with ACK; its sums are filled in. */
static void send_frame(struct ethernet *e)
{
	uint8_t frame[14 + 20 + 20 + 6] = { 0 };

	ethernet_frame(frame, 14, 2, 1);
	be16_put(frame, 12, 0x0800);
	frame[14] = 0x45;
	be16_put(frame, 16, sizeof(frame) - 14);
	frame[22] = 64;
	frame[23] = HCA_ETH_TCP;
	memcpy(frame + 26, v4[0] + 12, 4);
	memcpy(frame + 30, v4[1] + 12, 4);
	be16_put(frame, 34, 1000);
	be16_put(frame, 36, 5000);
	be16_put(frame, 46, 0x5010);
	be16_put(frame, 48, 1024);
	memcpy(frame + 54, "hello", 5);
	ethernet_send(e, 0, frame, sizeof(frame), 18, 0xc0, 0);
	fixture_poll(e->f);
}

/* WRITE, SEND, READ and FETCH_ADD, of one packet and of several, and one that is refused. */
static void talk(struct ethernet *e, uint8_t index, const uint8_t address[2][16])
{
	end_create(&a, e->side[0].port, HCA_QP_RC, 0);
	end_create(&b, e->side[1].port, HCA_QP_RC, 0);
	connect_roce(&a, index, address[1], macs[1], b.qp.number);
	connect_roce(&b, index, address[0], macs[0], a.qp.number);
	fill(&a, 0, 4096, 1);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 2600);
	post_recv(&b, b.buf, b.lkey, 4096);
	post_send(&a, HCA_OP_SEND_IMM, SIGNALLED, 7, a.buf, a.lkey, 101);
	post_rdma(&a, HCA_OP_READ, SIGNALLED, 0, b.buf, b.lkey, a.buf + 8192, a.lkey, 3000);
	post_atomic(&a, HCA_OP_ATOMIC_FA, b.buf, b.lkey, 5, 0, a.buf + 16384, a.lkey);
	fixture_poll(e->f);
	for (uint16_t i = 0; i < 4; i++)
		assert_int_equal(cqe_opcode(fixture_cq_next(a.port, &a.scq)), HCA_CQE_REQ);
	/* It is refused as there is no such key. */
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey ^ 0x100, a.buf, a.lkey, 0x40);
	fixture_poll(e->f);
}

static void send_datagram(struct ethernet *e, uint8_t index, const uint8_t address[2][16])
{
	uint8_t wqe[80] = { 0 };

	end_create_rts(&a, e->side[0].port, HCA_QP_UD);
	end_create_rts(&b, e->side[1].port, HCA_QP_UD);
	post_recv(&b, b.buf, b.lkey, 1024);
	fixture_ctrl(wqe, HCA_OP_SEND, SIGNALLED, 0);
	be32_put(wqe, 16, Q_KEY);
	be32_put(wqe, 24, 0x80000000u | b.qp.number);
	memcpy(wqe + 36, macs[1], 6);
	wqe[43] = 64;
	be32_put(wqe, 44, (uint32_t)index << 20);
	memcpy(wqe + 48, address[1], 16);
	fixture_data(wqe + 64, a.buf, a.lkey, 77);
	fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
	fixture_poll(e->f);
	assert_non_null(fixture_cq_next(b.port, &b.rcq));
}

static void tag(struct fixture_port *port)
{
	uint8_t in[0x30] = { 0x07, 0x61 }, out[16];

	be16_put(in, 8, 1);
	memcpy(in + 0x10, v4[0], 16);
	field_put(in + 0x10, 4, 28, 28, 1);
	field_put(in + 0x10, 4, 27, 16, 100);
	memcpy(in + 0x22, macs[0], 6);
	in[0x2b] = 2;
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
}

static void capture_roce(void **state)
{
	struct ethernet *e = begin();
	void *fixture = e;

	(void)state;
	send_frame(e);
	for (unsigned int i = 0; i < 2; i++) {
		talk(e, (uint8_t)i, i ? v4 : v6);
		send_datagram(e, (uint8_t)i, i ? v4 : v6);
	}
	tag(e->side[0].port);
	a.port = e->side[0].port;
	impair(&a, "ecn=100%");
	talk(e, 1, v4);
	send_datagram(e, 0, v6);
	ethernet_teardown(&fixture);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(capture_stop(capture[i]), 0);
		capture_free(capture[i]);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(capture_roce) };

	if (argc != 2) {
		fprintf(stderr, "usage: capture_roce DIRECTORY\n");
		return 2;
	}
	directory = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
