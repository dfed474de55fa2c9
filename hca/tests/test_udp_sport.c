/* SPDX-License-Identifier: GPL-2.0-only */
/* The source port of UDP of a QP that is in RTS: changed alone, and only where packets have one. */
#include "hca/qp.h"
#include "hca/tests/roce.h"

#define RTS2RTS		 0x505u
#define MASK_UDP_SPORT	 (1u << 2)
#define LENGTH		 0x110u /* with opt_param_mask_95_32 */
#define SPORT		 55555u
#define QPC_PLACE	 0x18u
#define MASK_95_32_PLACE 0x108u

static struct end end;

static uint32_t sport(void)
{
	const struct hca_qp *qp = hca_table_get(&end.port->hca->qps, end.qp.number);

	return field_get(qp->qpc, QPC_UDP_SPORT);
}

/* The command as libmlx5 writes it: a context with nothing else. */
static uint8_t change(uint64_t mask)
{
	uint8_t in[LENGTH] = { RTS2RTS >> 8, RTS2RTS & 0xff }, out[16];

	be32_put(in, 8, end.qp.number);
	field_put(in + QPC_PLACE, QPC_UDP_SPORT, SPORT);
	be64_put(in, MASK_95_32_PLACE, mask);
	return fixture_cmd(end.port, in, sizeof(in), out, sizeof(out));
}

static int setup(void **state)
{
	struct ethernet *e;
	int ret = roce_setup(state);

	e = *state;
	end_create(&end, e->side[0].port, HCA_QP_RC, 0);
	connect_roce(&end, 1, v4[1], macs[1], 77);
	return ret;
}

static void test_change(void **state)
{
	uint8_t before[232];
	struct hca_qp *qp;

	(void)state;
	qp = hca_table_get(&end.port->hca->qps, end.qp.number);
	/* What is in the same word: dscp, which the driver has of the traffic class. */
	field_put(qp->qpc, 14, 21, 16, 0x1a);
	memcpy(before, qp->qpc, sizeof(before));
	assert_int_not_equal(sport(), SPORT);
	assert_int_equal(change(MASK_UDP_SPORT), 0);
	assert_int_equal(sport(), SPORT);
	/* And nothing else. */
	field_put(before, QPC_UDP_SPORT, SPORT);
	assert_memory_equal(qp->qpc, before, sizeof(before));
	assert_int_equal(fixture_qp_state(end.port, &end.qp), HCA_QP_RTS);
}

/* Without its bit the port stays. */
static void test_unasked(void **state)
{
	uint32_t before = sport();

	(void)state;
	assert_int_equal(change(0), 0);
	assert_int_equal(sport(), before);
	assert_int_equal(change(1u << 1), 0);
	assert_int_equal(sport(), before);
}

/* Packets of InfiniBand have none. */
static void test_infiniband(void **state)
{
	struct fixture *f;
	struct end peer;

	fixture_setup(state);
	f = *state;
	end_create(&end, &f->port[0], HCA_QP_RC, 0);
	end_create(&peer, &f->port[1], HCA_QP_RC, 0);
	fixture_qp_connect(end.port, &end.qp, peer.port, &peer.qp);
	assert_int_equal(change(MASK_UDP_SPORT), 0);
	assert_int_not_equal(sport(), SPORT);
	fixture_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_change, setup, ethernet_teardown),
		cmocka_unit_test_setup_teardown(test_unasked, setup, ethernet_teardown),
		cmocka_unit_test(test_infiniband),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
