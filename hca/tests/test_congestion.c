/* SPDX-License-Identifier: GPL-2.0-only */
/* Marks of congested switches, the packets that answer them, and their counters. */
#include "hca/congestion.h"
#include "hca/tests/outside.h"

#define CE	     3u
#define ECT_0	     2u
#define ECT_1	     1u
#define CNP_CLASS    0xc2u
#define LATER	     UINT64_MAX /* of next_cnp_ns: no mark is answered */
#define STATISTICS   0x826u
#define CREATE_UCTX  0xa04u
#define ANSWER_BYTES 0x110u

static struct end a, b;

static int setup(void **state)
{
	int ret = roce_setup(state);

	outside_open(*state);
	return ret;
}

static int teardown(void **state)
{
	outside_close();
	return ethernet_teardown(state);
}

static struct hca_congestion *congestion_of(struct end *end)
{
	return &end->port->hca->eth->congestion;
}

/* A WRITE of nothing, number @psn, that asks for no answer; @class: its traffic class. */
static void come(struct ethernet *e, uint8_t class, uint32_t psn)
{
	struct packet_route route = outside_route(class);
	struct packet packet = { .opcode = PACKET_RC | PACKET_WRITE_ONLY,
				 .p_key = 0xffff,
				 .dest_qpn = a.qp.number,
				 .psn = psn };

	outside_send(e, &route, &packet);
}

/* --- marks from outside ---------------------------------------------------------------------- */

static void marks_are_answered(void **state)
{
	struct ethernet *e = *state;
	const struct packet_route *route = &outside.frame[0].route;
	const struct packet *packet = &outside.frame[0].packet;

	outside_connect(e, &a, HCA_QP_RC);
	come(e, ROCE_TCLASS | CE, 0);
	assert_int_equal(congestion_of(&a)->marked, 1);
	assert_int_equal(congestion_of(&a)->cnp_sent, 1);
	assert_int_equal(outside.frames, 1);
	assert_int_equal(outside.frame[0].len, 74);
	assert_int_equal(packet->opcode, PACKET_CNP);
	assert_int_equal(packet->dest_qpn, OUTSIDE_QPN);
	assert_int_equal(packet->p_key, 0xffff);
	assert_int_equal(packet->psn, 0);
	assert_true(packet->becn);
	assert_false(packet->fecn || packet->ack_req || packet->migrated || packet->reserved);
	assert_int_equal(route->traffic_class, CNP_CLASS);
	assert_int_equal(route->hop_limit, 64);
	assert_memory_equal(route->smac, macs[0], 6);
	assert_memory_equal(route->dmac, outside_mac, 6);
	assert_memory_equal(route->sgid, v4[0], 16);
	assert_memory_equal(route->dgid, outside_gid, 16);
	assert_false(route->tagged);
}

/* It is counted all the same. */
static void no_more_than_one_at_a_time(void **state)
{
	struct ethernet *e = *state;

	outside_connect(e, &a, HCA_QP_RC);
	come(e, CE, 0);
	assert_int_not_equal(hca_connection(qp_of(&a))->next_cnp_ns, 0);
	hca_connection(qp_of(&a))->next_cnp_ns = LATER;
	come(e, CE, 1);
	assert_int_equal(congestion_of(&a)->marked, 2);
	assert_int_equal(congestion_of(&a)->cnp_sent, 1);
	assert_int_equal(outside.frames, 1);
	hca_connection(qp_of(&a))->next_cnp_ns = 0;
	come(e, CE, 2);
	assert_int_equal(congestion_of(&a)->marked, 3);
	assert_int_equal(congestion_of(&a)->cnp_sent, 2);
	assert_int_equal(outside.frames, 2);
}

static void others_are_no_marks(void **state)
{
	struct ethernet *e = *state;

	outside_connect(e, &a, HCA_QP_RC);
	come(e, ECT_0, 0);
	come(e, ECT_1, 1);
	come(e, 0xfc, 2);
	/* Nor what nobody takes. */
	a.qp.number++;
	come(e, CE, 3);
	a.qp.number--;
	assert_int_equal(congestion_of(&a)->marked, 0);
	assert_int_equal(congestion_of(&a)->cnp_sent, 0);
	assert_int_equal(outside.frames, 0);
}

/* On the VLAN that the packet came by, with a priority of their own. */
static void cnps_have_a_priority(void **state)
{
	struct ethernet *e = *state;
	struct packet_route route = outside_route(CE);
	struct packet packet = { .opcode = PACKET_UC | PACKET_WRITE_ONLY, .p_key = 0xffff };

	outside_connect(e, &a, HCA_QP_UC);
	packet.dest_qpn = a.qp.number;
	route.tagged = true;
	route.tci = 3 << 13 | 100;
	outside_send(e, &route, &packet);
	assert_int_equal(outside.frames, 1);
	assert_true(outside.frame[0].route.tagged);
	assert_int_equal(outside.frame[0].route.tci, 6 << 13 | 100);
}

/* Those of datagrams have nobody to tell of them. */
static void datagrams_are_counted(void **state)
{
	struct ethernet *e = *state;
	struct packet_route route = outside_route(CE);
	struct packet packet = { .opcode = PACKET_UD | PACKET_SEND_ONLY,
				 .p_key = 0xffff,
				 .src_qpn = OUTSIDE_QPN };

	end_create_rts(&a, e->side[0].port, HCA_QP_UD);
	packet.dest_qpn = a.qp.number;
	outside_send(e, &route, &packet);
	assert_int_equal(congestion_of(&a)->marked, 1);
	route.traffic_class = ECT_0;
	outside_send(e, &route, &packet);
	assert_int_equal(congestion_of(&a)->marked, 1);
	assert_int_equal(outside.frames, 0);
}

/* A cable that has no room for one more packet does not wait. */
static void a_full_cable_has_no_room(void **state)
{
	struct ethernet *e = *state;

	outside_connect(e, &a, HCA_QP_RC);
	impair(&a, "loss=0");
	a.port->hca->wire->packets += HCA_WIRE_PACKETS;
	come(e, CE, 0);
	assert_int_equal(congestion_of(&a)->marked, 1);
	assert_int_equal(outside.frames, 0);
	a.port->hca->wire->packets -= HCA_WIRE_PACKETS;
	come(e, CE, 1);
	assert_int_equal(outside.frames, 1);
}

/* --- CNPs that come -------------------------------------------------------------------------- */

static void cnp(struct ethernet *e, const struct packet_route *route, uint32_t qpn)
{
	struct packet packet = {
		.opcode = PACKET_CNP, .becn = true, .p_key = 0xffff, .dest_qpn = qpn
	};

	outside_send(e, route, &packet);
}

static void cnps_are_counted(void **state)
{
	struct ethernet *e = *state;
	struct packet_route route = outside_route(CNP_CLASS);
	struct end ud;
	uint64_t stray;

	outside_connect(e, &a, HCA_QP_RC);
	end_create_rts(&ud, e->side[0].port, HCA_QP_UD);
	stray = a.port->hca->eth->rx_stray;
	cnp(e, &route, a.qp.number);
	assert_int_equal(congestion_of(&a)->cnp_handled, 1);
	assert_int_equal(congestion_of(&a)->cnp_ignored, 0);
	cnp(e, &route, ud.qp.number);
	cnp(e, &route, 0xfffff0);
	route.sgid[15]++;
	cnp(e, &route, a.qp.number);
	assert_int_equal(congestion_of(&a)->cnp_handled, 1);
	assert_int_equal(congestion_of(&a)->cnp_ignored, 3);
	/* That one is itself marked means nothing. */
	route = outside_route(CE);
	cnp(e, &route, a.qp.number);
	assert_int_equal(congestion_of(&a)->cnp_handled, 2);
	assert_int_equal(congestion_of(&a)->marked, 0);
	assert_int_equal(outside.frames, 0);
	assert_int_equal(a.port->hca->eth->rx_stray, stray);
	/* A QP that is connected with nobody any more. */
	assert_int_equal(fixture_qp_modify(a.port, &a.qp, 0x507, 0, (uint8_t[232]){ 0 }), 0);
	cnp(e, &route, a.qp.number);
	assert_int_equal(congestion_of(&a)->cnp_ignored, 4);
}

/* --- marks of a bad cable -------------------------------------------------------------------- */

static void connect_both(struct ethernet *e)
{
	end_create(&a, e->side[0].port, HCA_QP_RC, 0);
	end_create(&b, e->side[1].port, HCA_QP_RC, 0);
	connect_roce(&a, 1, v4[1], macs[1], b.qp.number);
	connect_roce(&b, 1, v4[0], macs[0], a.qp.number);
}

/* Payload goes by reference, and what a switch would mark is marked. */
static void bad_cables_mark(void **state)
{
	struct ethernet *e = *state;

	connect_both(e);
	impair(&a, "ecn=100%");
	finish_well(&a,
		    post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 2600));
	fixture_poll(e->f);
	assert_int_equal(congestion_of(&b)->marked, 3);
	assert_in_range(congestion_of(&b)->cnp_sent, 1, 3);
	assert_int_equal(congestion_of(&a)->cnp_handled, congestion_of(&b)->cnp_sent);
	assert_int_equal(congestion_of(&a)->cnp_ignored, 0);
	assert_int_equal(congestion_of(&a)->marked, 0);
}

/* The other way: what a READ asked for. */
static void answers_are_marked(void **state)
{
	struct ethernet *e = *state;

	connect_both(e);
	impair(&b, "ecn=100%");
	finish_well(&a,
		    post_rdma(&a, HCA_OP_READ, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 2600));
	fixture_poll(e->f);
	assert_int_equal(congestion_of(&a)->marked, 3);
	assert_in_range(congestion_of(&a)->cnp_sent, 1, 3);
	assert_int_equal(congestion_of(&b)->cnp_handled, congestion_of(&a)->cnp_sent);
	assert_int_equal(congestion_of(&b)->marked, 0);
}

static void cnps_go_by_bad_cables(void **state)
{
	static struct hca_impairment report;
	struct ethernet *e = *state;

	connect_both(e);
	impair(&a, "ecn=100%");
	impair(&b, "ecn=100%");
	hca_connection(qp_of(&a))->next_cnp_ns = LATER;
	finish_well(&a,
		    post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 10));
	fixture_poll(e->f);
	assert_int_equal(congestion_of(&b)->cnp_sent, 1);
	assert_int_equal(congestion_of(&a)->cnp_handled, 1);
	/* The ACK, and not the CNP. */
	assert_int_equal(congestion_of(&a)->marked, 1);
	assert_true(hca_impairment(b.port->hca, &report));
	assert_int_equal(report.counts[HCA_PACKET_CNP].packets, 1);
	assert_int_equal(report.counts[HCA_PACKET_CNP].marked, 1);
	assert_string_equal(hca_packet_kinds[HCA_PACKET_CNP], "cnp");
}

/* --- the command ----------------------------------------------------------------------------- */

static uint8_t ask(struct fixture_port *port, bool clear, uint16_t uid, uint8_t out[ANSWER_BYTES])
{
	uint8_t in[16] = { 0 };

	be16_put(in, 0, STATISTICS);
	be16_put(in, 2, uid);
	in[8] = clear ? 0x80 : 0;
	return fixture_cmd(port, in, sizeof(in), out, ANSWER_BYTES);
}

static void the_driver_asks(void **state)
{
	struct ethernet *e = *state;
	struct fixture_port *port = e->side[0].port;
	struct hca_congestion *congestion = &port->hca->eth->congestion;
	uint8_t out[ANSWER_BYTES];
	uint16_t uid = (uint16_t)fixture_simple(port, CREATE_UCTX, 0, 0, 0);

	*congestion = (struct hca_congestion){ .marked = 0x100000001u,
					       .cnp_sent = 0x200000002u,
					       .cnp_handled = 0x300000003u,
					       .cnp_ignored = 0x400000004u };
	assert_int_equal(ask(port, false, 0, out), 0);
	assert_int_equal(be64_at(out, 0x18), 0x400000004u);
	assert_int_equal(be64_at(out, 0x20), 0x300000003u);
	assert_int_equal(be64_at(out, 0x54), 0x100000001u);
	assert_int_equal(be64_at(out, 0x5c), 0x200000002u);
	assert_int_not_equal(be64_at(out, 0x48), 0);
	assert_int_equal(ask(port, true, uid, out), HCA_CMD_BAD_PARAM);
	assert_int_equal(congestion->marked, 0x100000001u);
	assert_int_equal(ask(port, false, uid, out), 0);
	assert_int_equal(be64_at(out, 0x5c), 0x200000002u);
	assert_int_equal(ask(port, true, 0, out), 0);
	assert_int_equal(be64_at(out, 0x5c), 0x200000002u);
	assert_int_equal(ask(port, false, 0, out), 0);
	assert_int_equal(be64_at(out, 0x18) | be64_at(out, 0x20) | be64_at(out, 0x54) |
				 be64_at(out, 0x5c),
			 0);
}

static void not_of_infiniband(void **state)
{
	uint8_t out[ANSWER_BYTES];

	assert_int_equal(fixture_setup(state), 0);
	assert_int_equal(ask(&((struct fixture *)*state)->port[0], false, 0, out), HCA_CMD_BAD_OP);
	assert_int_equal(fixture_teardown(state), 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(marks_are_answered),    TEST(no_more_than_one_at_a_time),
		TEST(others_are_no_marks),   TEST(cnps_have_a_priority),
		TEST(datagrams_are_counted), TEST(a_full_cable_has_no_room),
		TEST(cnps_are_counted),	     TEST(bad_cables_mark),
		TEST(answers_are_marked),    TEST(cnps_go_by_bad_cables),
		TEST(the_driver_asks),	     cmocka_unit_test(not_of_infiniband),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
