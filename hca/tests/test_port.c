/* SPDX-License-Identifier: GPL-2.0-only */
/* Multicast groups, QP1, the subnet administrator from a driver's view, and a link that goes away.
 */
#include "hca/tests/traffic.h"

#define Q_KEY	   0x11111111u /* of fixture_qp_init() */
#define GRH	   40
#define ATTACH	   0x806
#define DETACH	   0x807
#define MLID	   0xc001
#define PORT_EVENT (1u << HCA_EVENT_PORT_CHANGE)

static const uint8_t mgid[16] = { 0xff, 0x12, 0x40, 0x1b, 0xff, 0xff, [15] = 9 };
static const uint8_t other[16] = { 0xff, 0x12, 0x40, 0x1b, 0xff, 0xff, [15] = 8 };

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

/* --- multicast ----------------------------------------------------------------------------- */

static uint8_t mcg(struct end *end, uint16_t op, uint32_t qpn, const uint8_t gid[16])
{
	uint8_t in[32] = { 0 }, out[16];

	be16_put(in, 0, op);
	be32_put(in, 8, qpn);
	memcpy(in + 16, gid, 16);
	return fixture_cmd(end->port, in, sizeof(in), out, sizeof(out));
}

static void post_datagram(struct end *end, uint16_t dlid, uint32_t qpn, uint32_t q_key,
			  const uint8_t *gid, uint32_t len)
{
	uint8_t wqe[80] = { 0 };

	fixture_ctrl(wqe, HCA_OP_SEND, SIGNALLED, 0);
	be32_put(wqe, 16, q_key);
	be32_put(wqe, 24, 0x80000000u | qpn);
	be16_put(wqe, 30, dlid);
	if (gid) {
		be32_put(wqe, 44, 1u << 30);
		memcpy(wqe + 48, gid, 16);
	}
	fixture_data(wqe + 64, end->buf, end->lkey, len);
	fixture_post_send(end->port, &end->qp, wqe, sizeof(wqe));
}

/* @end's port joins the group, as the driver's MAD does. */
static void join(struct fixture *f, struct end *end)
{
	uint8_t mad[GRH + 256] = { [GRH] = 1, 3, 2, 2 };
	struct subnet_packet packet = {
		.slid = end->port->hca->params.lid,
		.dlid = SUBNET_SM_LID,
		.src_qpn = 1,
		.dest_qpn = 1,
		.q_key = SUBNET_QP1_Q_KEY,
		.data = mad,
		.len = 256,
	};

	be16_put(mad + GRH, 16, 0x38);
	be64_put(mad + GRH, 48, 0x130c7); /* GIDs, Q_Key, class, P_Key, SL, label, JoinState */
	memcpy(mad + GRH + 56, mgid, 16);
	be64_put(mad + GRH, 72, SUBNET_GID_PREFIX);
	be64_put(mad + GRH, 80, end->port->hca->params.guid);
	be16_put(mad + GRH, 96, 0xffff);
	mad[GRH + 56 + 48] = 1;
	subnet_send(end->port->hca->port, &packet);
	assert_int_equal(subnet_groups(f->subnet, NULL, 0), 2);
}

static void test_multicast(void **state)
{
	post_recv(&b, b.buf + 4096, b.lkey, 200);
	/* Neither joined nor attached; joined; attached, too. */
	post_datagram(&a, MLID, 0xffffff, Q_KEY, mgid, 100);
	fixture_poll(*state);
	expect_done(&a, 0);
	expect_idle(&b);
	join(*state, &b);
	post_datagram(&a, MLID, 0xffffff, Q_KEY, mgid, 100);
	fixture_poll(*state);
	expect_done(&a, 2);
	expect_idle(&b);
	assert_int_equal(mcg(&b, ATTACH, b.qp.number, mgid), HCA_CMD_OK);
	post_datagram(&a, MLID, 0xffffff, Q_KEY, mgid, 100);
	fixture_poll(*state);
	expect_done(&a, 4);
	expect_recv(&b, HCA_CQE_RESP_SEND, 0);
	assert_memory_equal(at(&b, 4096 + GRH), at(&a, 0), 100);
	assert_memory_equal(at(&b, 4096 + 24), mgid, 16);
	/* Another group, another key, no GRH. */
	post_recv(&b, b.buf, b.lkey, 200);
	post_datagram(&a, MLID, 0xffffff, Q_KEY, other, 100);
	post_datagram(&a, MLID, 0xffffff, Q_KEY ^ 1, mgid, 100);
	post_datagram(&a, MLID, 0xffffff, Q_KEY, NULL, 100);
	fixture_poll(*state);
	expect_done(&a, 6);
	expect_done(&a, 8);
	expect_done(&a, 10);
	expect_idle(&b);
	assert_int_equal(mcg(&b, DETACH, b.qp.number, mgid), HCA_CMD_OK);
	post_datagram(&a, MLID, 0xffffff, Q_KEY, mgid, 100);
	fixture_poll(*state);
	expect_done(&a, 12);
	expect_idle(&b);
}

/* Within the adapter nobody has to have joined; a sender hears itself unless it does not want to.
 */
static void test_own_multicast(void **state)
{
	struct hca_qp *qp = hca_table_get(&a.port->hca->qps, a.qp.number);
	struct end second;

	end_create_rts(&second, a.port, HCA_QP_UD);
	post_recv(&a, a.buf + 4096, a.lkey, 200);
	post_recv(&second, second.buf, second.lkey, 200);
	assert_int_equal(mcg(&a, ATTACH, a.qp.number, mgid), HCA_CMD_OK);
	assert_int_equal(mcg(&a, ATTACH, a.qp.number, mgid), HCA_CMD_OK); /* once */
	assert_int_equal(mcg(&second, ATTACH, second.qp.number, mgid), HCA_CMD_OK);
	post_datagram(&a, MLID, 0xffffff, Q_KEY, mgid, 100);
	fixture_poll(*state);
	expect_done(&a, 0);
	expect_recv(&a, HCA_CQE_RESP_SEND, 0);
	expect_recv(&second, HCA_CQE_RESP_SEND, 0);
	expect_idle(&a);
	field_put(qp->qpc, 1, 30, 30, 1); /* block_lb_mc */
	post_recv(&a, a.buf + 4096, a.lkey, 200);
	post_recv(&second, second.buf, second.lkey, 200);
	post_datagram(&a, MLID, 0xffffff, Q_KEY, mgid, 100);
	fixture_poll(*state);
	expect_done(&a, 2);
	expect_recv(&second, HCA_CQE_RESP_SEND, 1);
	expect_idle(&a);
	/* Without a link there is no loopback, either. */
	hca_set_link(a.port->hca, false);
	fixture_poll(*state);
	post_recv(&second, second.buf, second.lkey, 200);
	post_datagram(&a, MLID, 0xffffff, Q_KEY, mgid, 100);
	fixture_poll(*state);
	expect_done(&a, 4);
	expect_idle(&second);
	/* Attached, and gone. */
	fixture_simple(second.port, 0x50a, 0, second.qp.number, 0);
	fixture_simple(second.port, 0x501, 0, second.qp.number, 0);
	assert_int_equal(second.port->hca->mcg.count, 1);
}

static void test_bad_mcg(void **state)
{
	static const uint8_t unicast[16] = { 0xfe, 0x80 };
	struct end rc;

	end_create(&rc, a.port, HCA_QP_RC, 0);
	assert_int_equal(mcg(&a, ATTACH, rc.qp.number, mgid), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(mcg(&a, ATTACH, 0xfffff, mgid), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(mcg(&a, ATTACH, a.qp.number, unicast), HCA_CMD_BAD_PARAM);
	assert_int_equal(mcg(&a, DETACH, a.qp.number, mgid), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(a.port->hca->mcg.count, 0);
	(void)state;
}

/* --- QP1 ----------------------------------------------------------------------------------- */

static void put_mad(struct end *end, uint8_t class, uint8_t version, uint8_t method, uint16_t id)
{
	uint8_t *mad = at(end, 0);

	memset(mad, 0, 256);
	mad[0] = 1;
	mad[1] = class;
	mad[2] = version;
	mad[3] = method;
	be64_put(mad, 8, 0x1122334455667788);
	be16_put(mad, 16, id);
}

static void test_gsi(void **state)
{
	struct fixture *f = *state;
	struct end one, two;
	const uint8_t *cqe;

	end_create_rts(&one, &f->port[0], HCA_QP_GSI);
	end_create_rts(&two, &f->port[1], HCA_QP_GSI);
	put_mad(&one, 7, 2, 3, 0x10); /* communication management */
	post_recv(&two, two.buf, two.lkey, 300);
	post_datagram(&one, 2, 1, 0x80010000, NULL, 256);
	fixture_poll(f);
	expect_done(&one, 0);
	cqe = expect_recv(&two, HCA_CQE_RESP_SEND, 0);
	assert_int_equal(be32_at(cqe, 0x18) & 0xffffff, 1);
	assert_int_equal(be32_at(cqe, 0x24), 0xffff); /* the P_Key */
	assert_int_equal(be16_at(cqe, 0x16), 1);
	assert_memory_equal(at(&two, GRH), at(&one, 0), 256);
	/* A user's datagram needs the privileged Q_Key, and has only its QP's. */
	post_recv(&two, two.buf, two.lkey, 300);
	post_datagram(&a, 2, 1, 0x80010000, NULL, 256);
	post_datagram(&a, 2, 1, Q_KEY, NULL, 256);
	fixture_poll(f);
	expect_done(&a, 0);
	expect_done(&a, 2);
	expect_idle(&two);
}

static void test_administrator(void **state)
{
	struct fixture *f = *state;
	struct end gsi;
	const uint8_t *cqe;

	end_create_rts(&gsi, &f->port[0], HCA_QP_GSI);
	put_mad(&gsi, 3, 2, 1, 1);
	post_recv(&gsi, gsi.buf + 4096, gsi.lkey, 300);
	post_datagram(&gsi, SUBNET_SM_LID, 1, 0x80010000, NULL, 256);
	fixture_poll(f);
	expect_done(&gsi, 0);
	cqe = expect_recv(&gsi, HCA_CQE_RESP_SEND, 0);
	assert_int_equal(be16_at(cqe, 0x16), SUBNET_SM_LID);
	assert_int_equal(at(&gsi, 4096 + GRH)[3], 0x81);
	assert_int_equal(be64_at(at(&gsi, 4096 + GRH), 8), 0x1122334455667788);
	assert_int_equal(be16_at(f->port[0].hca->vport_context, 100), SUBNET_SM_LID);
}

/* The port answers by itself: QP1 of the target sees nothing. */
static void test_counters(void **state)
{
	struct fixture *f = *state;
	uint8_t *answer;
	struct end one;

	end_create_rts(&one, &f->port[0], HCA_QP_GSI);
	post_recv(&b, b.buf, b.lkey, 300);
	post_datagram(&a, 2, b.qp.number, Q_KEY, NULL, 80);
	fixture_poll(f);
	expect_done(&a, 0);
	expect_recv(&b, HCA_CQE_RESP_SEND, 0);
	answer = at(&one, 4096 + GRH);
	put_mad(&one, 4, 1, 1, 0x1d);
	at(&one, 64)[1] = 1;
	post_recv(&one, one.buf + 4096, one.lkey, 300);
	post_datagram(&one, 2, 1, 0x80010000, NULL, 256);
	fixture_poll(f);
	expect_done(&one, 0);
	expect_recv(&one, HCA_CQE_RESP_SEND, 0);
	assert_int_equal(answer[3], 0x81);
	assert_int_equal(be16_at(answer, 4), 0);
	/* Received: the datagram and this query. */
	assert_int_equal(be64_at(answer + 64, 16), (80 + 256) / 4);
	assert_int_equal(be64_at(answer + 64, 32), 2);
	assert_int_equal(be64_at(answer + 64, 24), 0);
	assert_int_equal(be64_at(answer + 64, 48), 2); /* unicast */
	assert_int_equal(be64_at(answer + 64, 64), 0);
	/* No such port, no such attribute; then back to zero. */
	at(&one, 64)[1] = 2;
	post_recv(&one, one.buf + 4096, one.lkey, 300);
	post_datagram(&one, 2, 1, 0x80010000, NULL, 256);
	fixture_poll(f);
	assert_int_equal(be16_at(answer, 4), 0x1c);
	put_mad(&one, 4, 1, 1, 0x77);
	post_recv(&one, one.buf + 4096, one.lkey, 300);
	post_datagram(&one, 2, 1, 0x80010000, NULL, 256);
	fixture_poll(f);
	assert_int_equal(be16_at(answer, 4), 0x0c);
	put_mad(&one, 4, 1, 2, 0x12);
	at(&one, 64)[1] = 1;
	post_recv(&one, one.buf + 4096, one.lkey, 300);
	post_datagram(&one, 2, 1, 0x80010000, NULL, 256);
	fixture_poll(f);
	assert_int_equal(answer[3], 0x81);
	assert_int_equal(be32_at(answer + 64, 36), 0);
}

/* --- link ---------------------------------------------------------------------------------- */

static uint32_t port_state(struct fixture_port *port)
{
	uint8_t in[16] = { 0 }, out[16 + 512];

	be16_put(in, 0, 0x762);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	return field_get(out + 16, 8, 15, 0);
}

static void expect_port_event(struct fixture_port *port, struct fixture_eq *eq, uint8_t subtype)
{
	const uint8_t *eqe = fixture_eq_next(port, eq);

	assert_non_null(eqe);
	assert_int_equal(eqe[1], HCA_EVENT_PORT_CHANGE);
	assert_int_equal(eqe[3], subtype);
	assert_int_equal(eqe[0x28], 0x10); /* port 1 */
}

static void test_link(void **state)
{
	struct fixture *f = *state;
	struct fixture_port *port = &f->port[1];
	struct fixture_eq eq;

	/* The ends' own event queues come first: events go to the newest for their type. */
	fixture_eq_create(port, 6, PORT_EVENT, 0, &eq);
	assert_int_equal(port_state(port), 0x5044);
	assert_true(hca_link(port->hca));
	hca_set_link(port->hca, false);
	assert_false(hca_link(port->hca));
	fixture_poll(f);
	expect_port_event(port, &eq, 1);
	assert_int_equal(port_state(port), 0x2011);
	post_recv(&b, b.buf, b.lkey, 300);
	post_datagram(&a, 2, b.qp.number, Q_KEY, NULL, 80);
	post_datagram(&b, 2, b.qp.number, Q_KEY, NULL, 80);
	fixture_poll(f);
	expect_done(&a, 0);
	expect_done(&b, 0);
	expect_idle(&b);
	/* The cable has nothing to do with resets. */
	hca_set_link(port->hca, true);
	fixture_poll(f);
	expect_port_event(port, &eq, 4);
	expect_port_event(port, &eq, 9);
	assert_null(fixture_eq_next(port, &eq));
	assert_int_equal(port_state(port), 0x5044);
	post_datagram(&a, 2, b.qp.number, Q_KEY, NULL, 80);
	fixture_poll(f);
	expect_recv(&b, HCA_CQE_RESP_SEND, 0);
	/* Twice the same is once. */
	hca_set_link(port->hca, true);
	fixture_poll(f);
	assert_null(fixture_eq_next(port, &eq));
}

static void test_link_and_reset(void **state)
{
	struct fixture *f = *state;
	struct fixture_port *port = &f->port[1];

	hca_set_link(port->hca, false);
	fixture_poll(f);
	pcie_function_reset(port->fn, PCIE_RESET_FLR);
	fixture_poll(f);
	assert_int_equal(field_get(port->hca->vport_context, 8, 15, 0), 0x2011);
}

/* A connected QP goes on trying, and fails when nobody answers. */
static void test_link_rc(void **state)
{
	struct fixture *f = *state;
	struct end one, two;

	end_create(&one, &f->port[0], HCA_QP_RC, 0);
	end_create(&two, &f->port[1], HCA_QP_RC, 0);
	fixture_qp_connect(&f->port[0], &one.qp, &f->port[1], &two.qp);
	hca_set_link(f->port[0].hca, false); /* its own cable */
	fixture_poll(f);
	post_rdma(&one, HCA_OP_WRITE, SIGNALLED, 0, two.buf, two.lkey, one.buf, one.lkey, 64);
	poll_until(&one, &one.scq, 5000);
	expect_error(&one, 0, HCA_SYND_RETRY);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_multicast), TEST(test_own_multicast),	 TEST(test_bad_mcg),
		TEST(test_gsi),	      TEST(test_administrator),	 TEST(test_counters),
		TEST(test_link),      TEST(test_link_and_reset), TEST(test_link_rc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
