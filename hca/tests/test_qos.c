/* SPDX-License-Identifier: GPL-2.0-only */
/* Scheduling elements, mappings of addresses to QPs, rates of send queues, ports of a bond. */
#include "hca/general.h"
#include "hca/qos.h"
#include "hca/qp.h"
#include "hca/tests/roce.h"

#define CREATE	0xa00u
#define MODIFY	0xa01u
#define DESTROY 0xa03u

#define NODE 0u
#define LEAF 4u

#define INIT2INIT 0x50eu
#define RTS2RTS	  0x505u
#define MASK_QOS  (1u << 1)

#define SET_RATE  0x780u
#define MODIFY_SQ 0x905u
#define SLOW	  1u /* kbit/s: a frame lasts seconds */

static struct fixture_port *port;
static struct end end;

static int setup(void **state)
{
	fixture_setup(state);
	port = &((struct fixture *)*state)->port[0];
	end_create(&end, port, HCA_QP_RC, 0);
	return 0;
}

static uint16_t new_context(void)
{
	return (uint16_t)fixture_simple(port, 0xa04, 0, 0, 0);
}

struct element {
	uint16_t uid;
	uint32_t type, parent, bw_share, max;
};

static void fill_in(uint8_t in[0x90], uint16_t op, const struct element *element)
{
	memset(in, 0, 0x90);
	be16_put(in, 0, op);
	be16_put(in, 2, element->uid);
	be16_put(in, 6, HCA_OBJECT_SCHEDULING_ELEMENT);
	in[0x18] = 3;
	in[0x30] = (uint8_t)element->type;
	be32_put(in, 0x38, element->parent);
	be32_put(in, 0x44, element->bw_share);
	be32_put(in, 0x48, element->max);
}

static uint8_t create(const struct element *element, uint32_t *number)
{
	uint8_t in[0x90], out[16], status;

	fill_in(in, CREATE, element);
	status = fixture_cmd(port, in, sizeof(in), out, sizeof(out));
	*number = be32_at(out, 8);
	return status;
}

static uint32_t made(uint16_t uid, uint32_t type, uint32_t parent)
{
	uint32_t number;

	assert_int_equal(create(&(struct element){ uid, type, parent, 7, 8 }, &number), 0);
	return number;
}

static uint8_t modify(uint16_t uid, uint32_t number, uint64_t select, uint32_t bw_share,
		      uint32_t max)
{
	uint8_t in[0x90], out[16];

	fill_in(in, MODIFY, &(struct element){ uid, LEAF, 0, bw_share, max });
	be32_put(in, 8, number);
	be64_put(in, 0x10, select);
	return fixture_cmd(port, in, sizeof(in), out, sizeof(out));
}

static uint8_t destroy(uint16_t uid, uint16_t type, uint32_t number)
{
	uint8_t in[16] = { 0 }, out[16];

	be16_put(in, 0, DESTROY);
	be16_put(in, 2, uid);
	be16_put(in, 6, type);
	be32_put(in, 8, number);
	return fixture_cmd(port, in, sizeof(in), out, sizeof(out));
}

static uint8_t drop(uint32_t number)
{
	return destroy(0, HCA_OBJECT_SCHEDULING_ELEMENT, number);
}

/* The QP goes to leaves, by the transition @op. */
static uint8_t bind(uint16_t op, uint64_t mask, uint32_t requester, uint32_t responder)
{
	uint8_t in[0x120] = { 0 }, out[16];

	be16_put(in, 0, op);
	be32_put(in, 8, 1u << 31 | end.qp.number);
	be64_put(in, 0x108, mask);
	be32_put(in, 0x114, requester);
	be32_put(in, 0x118, responder);
	return fixture_cmd(port, in, sizeof(in), out, sizeof(out));
}

static const struct hca_sched *sched(uint32_t number)
{
	return hca_table_get(&port->hca->scheds, number);
}

static void test_tree(void **state)
{
	uint32_t root = made(0, NODE, 0), node = made(0, NODE, root), leaf = made(0, LEAF, node);

	(void)state;
	assert_true(field_get(port->hca->cap[0], 32, 6, 6));
	assert_int_equal(sched(leaf)->bw_share, 7);
	assert_int_equal(sched(leaf)->max_average_bw, 8);
	assert_int_equal(modify(0, leaf, 1, 20, 30), 0);
	assert_int_equal(sched(leaf)->bw_share, 20);
	assert_int_equal(sched(leaf)->max_average_bw, 8);
	assert_int_equal(modify(0, leaf, 2, 40, 50), 0);
	assert_int_equal(sched(leaf)->bw_share, 20);
	assert_int_equal(sched(leaf)->max_average_bw, 50);
	assert_int_equal(modify(0, leaf + 1, 1, 1, 1), HCA_CMD_BAD_RESOURCE);
	/* What has elements below stays. */
	assert_int_equal(drop(root), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(drop(node), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(drop(leaf), 0);
	assert_int_equal(drop(leaf), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(drop(node), 0);
	assert_int_equal(drop(root), 0);
}

/* What is no element of this hierarchy, or has no place in it. */
static void test_refused(void **state)
{
	uint32_t root = made(0, NODE, 0), leaf = made(0, LEAF, root), number;
	uint8_t in[0x90], out[16];

	(void)state;
	assert_int_equal(create(&(struct element){ .type = LEAF }, &number), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(create(&(struct element){ .type = LEAF, .parent = leaf }, &number),
			 HCA_CMD_BAD_RESOURCE);
	assert_int_equal(create(&(struct element){ .type = NODE, .parent = leaf + 1 }, &number),
			 HCA_CMD_BAD_RESOURCE);
	assert_int_equal(create(&(struct element){ .type = 1, .parent = root }, &number),
			 HCA_CMD_BAD_PARAM);
	fill_in(in, CREATE, &(struct element){ .type = NODE, .parent = root });
	in[0x18] = 2;
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), HCA_CMD_BAD_PARAM);
	in[0x18] = 3;
	in[0x35] = 2; /* not DWRR */
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), HCA_CMD_BAD_PARAM);
	in[0x35] = 0;
	assert_int_equal(fixture_cmd(port, in, sizeof(in) - 4, out, sizeof(out)),
			 HCA_CMD_BAD_INPUT_LEN);
	fill_in(in, MODIFY, &(struct element){ .type = LEAF });
	be32_put(in, 8, leaf);
	assert_int_equal(fixture_cmd(port, in, sizeof(in) - 4, out, sizeof(out)),
			 HCA_CMD_BAD_INPUT_LEN);
	assert_int_equal(hca_table_count(&port->hca->scheds), 2);
	assert_int_equal(sched(root)->users, 1);
	/* Kinds that there are none of, and one that cannot be modified. */
	be16_put(in, 6, 0x27);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), HCA_CMD_BAD_PARAM);
	be16_put(in, 6, HCA_OBJECT_RESERVED_QPN);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), HCA_CMD_BAD_PARAM);
}

/* Contexts have elements of their own. */
static void test_owners(void **state)
{
	uint16_t mine = new_context(), other = new_context();
	uint32_t root = made(mine, NODE, 0), number;

	(void)state;
	assert_int_equal(create(&(struct element){ other, LEAF, root, 0, 0 }, &number),
			 HCA_CMD_BAD_RESOURCE);
	assert_int_equal(modify(other, root, 1, 1, 1), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(destroy(other, HCA_OBJECT_SCHEDULING_ELEMENT, root), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(sched(root)->bw_share, 7);
	assert_int_equal(fixture_simple_status(port, 0xa06, 0, mine, 0), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(destroy(mine, HCA_OBJECT_SCHEDULING_ELEMENT, root), 0);
	assert_int_equal(fixture_simple_status(port, 0xa06, 0, mine, 0), 0);
}

static void test_qp(void **state)
{
	uint32_t root = made(0, NODE, 0), leaf = made(0, LEAF, root), other = made(0, LEAF, root);
	const struct hca_qp *qp = hca_table_get(&port->hca->qps, end.qp.number);

	(void)state;
	fixture_qp_init(port, &end.qp);
	assert_int_equal(bind(INIT2INIT, MASK_QOS, leaf, 0), 0);
	assert_int_equal(sched(leaf)->users, 1);
	assert_int_equal(bind(RTS2RTS, MASK_QOS, 0, 0), HCA_CMD_BAD_QP_STATE);
	fixture_qp_rtr(port, &end.qp, 1, end.qp.number);
	fixture_qp_rts(port, &end.qp);
	assert_int_equal(bind(RTS2RTS, MASK_QOS, leaf, other), 0);
	assert_int_equal(qp->sched[HCA_SCHED_REQUESTER], leaf);
	assert_int_equal(qp->sched[HCA_SCHED_RESPONDER], other);
	/* A node is none that QPs are in. */
	assert_int_equal(bind(RTS2RTS, MASK_QOS, other, root), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(bind(RTS2RTS, MASK_QOS, other + 1, 0), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(bind(RTS2RTS, MASK_QOS | 1, 0, 0), HCA_CMD_BAD_PARAM);
	assert_int_equal(qp->sched[HCA_SCHED_REQUESTER], leaf);
	assert_int_equal(sched(leaf)->users, 1);
	assert_int_equal(drop(leaf), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(bind(RTS2RTS, MASK_QOS, other, other), 0);
	assert_int_equal(drop(leaf), 0);
	assert_int_equal(sched(other)->users, 2);
	assert_int_equal(fixture_simple_status(port, 0x501, 0, end.qp.number, 0), 0);
	assert_int_equal(sched(other)->users, 0);
	assert_int_equal(drop(other), 0);
	assert_int_equal(drop(root), 0);
}

static uint8_t map(uint32_t qpn, size_t len, uint32_t *number)
{
	uint8_t in[0x50] = { CREATE >> 8, CREATE & 0xff }, out[16], status;

	be16_put(in, 6, HCA_OBJECT_AV_QP_MAPPING);
	be32_put(in, 0x1c, qpn);
	status = fixture_cmd(port, in, len, out, sizeof(out));
	*number = be32_at(out, 8);
	return status;
}

static void test_mapping(void **state)
{
	uint32_t number;

	(void)state;
	assert_int_equal(map(end.qp.number, 0x4c, &number), HCA_CMD_BAD_INPUT_LEN);
	assert_int_equal(map(HCA_QPN_LIMIT, 0x50, &number), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(hca_table_count(&port->hca->av_mappings), 0);
	assert_int_equal(map(end.qp.number, 0x50, &number), 0);
	/* It outlives the QP. */
	assert_int_equal(fixture_simple_status(port, 0x501, 0, end.qp.number, 0), 0);
	assert_int_equal(destroy(0, HCA_OBJECT_AV_QP_MAPPING, number + 1), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(destroy(0, HCA_OBJECT_AV_QP_MAPPING, number), 0);
	assert_int_equal(hca_table_count(&port->hca->av_mappings), 0);
}

/* --- rates --------------------------------------------------------------------------------- */

static int setup_ethernet(void **state)
{
	int ret = ethernet_setup(state);

	port = ((struct ethernet *)*state)->side[0].port;
	return ret;
}

static uint8_t set_rate(uint16_t uid, uint32_t index, uint32_t kbps)
{
	uint8_t in[0x40] = { SET_RATE >> 8, SET_RATE & 0xff }, out[16];

	be16_put(in, 2, uid);
	be32_put(in, 8, index);
	be32_put(in, 0x10, kbps);
	return fixture_cmd(port, in, sizeof(in), out, sizeof(out));
}

static uint8_t keep_to(struct ethernet *e, uint32_t index)
{
	uint8_t context[0xf0] = { 0 };

	field_put(context, 0, 23, 20, 1);
	field_put(context, 7, 15, 0, index);
	return ethernet_command(port, MODIFY_SQ, 1u << 28 | e->side[0].sq.number, 1, context,
				sizeof(context), NULL);
}

static uint64_t sent(void)
{
	return port->hca->eth->traffic[HCA_TX][HCA_ETH_BROADCAST].packets;
}

static void send_one(struct ethernet *e)
{
	uint8_t frame[100];

	ethernet_frame(frame, sizeof(frame), 2, 1);
	memset(frame, 0xff, 6);
	ethernet_send(e, 0, frame, sizeof(frame), 18, 0, 0);
	fixture_poll(e->f);
}

static void test_rates(void **state)
{
	struct ethernet *e = *state;
	uint16_t mine = new_context(), other = new_context();

	assert_int_equal(set_rate(0, 0, SLOW), HCA_CMD_BAD_INDEX);
	assert_int_equal(set_rate(0, HCA_RATES, SLOW), HCA_CMD_BAD_INDEX);
	assert_int_equal(set_rate(0, 1, HCA_RATE_MAX + 1), HCA_CMD_BAD_PARAM);
	assert_int_equal(set_rate(0, 1, HCA_RATE_MAX), 0);
	assert_int_equal(set_rate(mine, HCA_RATES - 1, SLOW), 0);
	/* What another context has set is its own. */
	assert_int_equal(set_rate(other, HCA_RATES - 1, 2), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(set_rate(other, 1, 2), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(port->hca->rate[1].kbps, HCA_RATE_MAX);
	assert_int_equal(port->hca->rate[HCA_RATES - 1].kbps, SLOW);
	assert_int_equal(keep_to(e, HCA_RATES), HCA_CMD_BAD_INDEX);
	assert_int_equal(keep_to(e, HCA_RATES - 1), 0);
	assert_int_equal(set_rate(mine, HCA_RATES - 1, 0), 0);
	assert_int_equal(set_rate(other, HCA_RATES - 1, 2), 0);
	/* The next owner finds none. */
	pcie_function_reset(port->fn, PCIE_RESET_FLR);
	fixture_poll(e->f);
	assert_int_equal(port->hca->rate[1].kbps, 0);
}

/* A queue of another context cannot be told to keep to this one's rate. */
static void test_rate_of_another(void **state)
{
	struct ethernet *e = *state;
	uint16_t mine = new_context(), other = new_context();
	struct hca_qp *sq = hca_table_get(&port->hca->qps, e->side[0].sq.number);
	uint8_t in[0x110] = { MODIFY_SQ >> 8, MODIFY_SQ & 0xff }, out[16];

	assert_int_equal(set_rate(mine, 5, SLOW), 0);
	sq->uid = other;
	be16_put(in, 2, other);
	be32_put(in, 8, 1u << 28 | sq->number);
	be32_put(in, 0x14, 1);
	field_put(in + 0x20, 0, 23, 20, 1);
	field_put(in + 0x20, 7, 15, 0, 5);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(sq->rate, 0);
	sq->uid = 0;
}

static void test_paced(void **state)
{
	struct ethernet *e = *state;
	const struct hca_qp *sq = hca_table_get(&port->hca->qps, e->side[0].sq.number);

	assert_int_equal(set_rate(0, 1, SLOW), 0);
	assert_int_equal(keep_to(e, 1), 0);
	assert_int_equal(sq->rate, 1);
	/* The first one leaves at once, and the next one not before it would have been sent. */
	send_one(e);
	assert_int_equal(sent(), 1);
	send_one(e);
	send_one(e);
	assert_int_equal(sent(), 1);
	assert_int_equal(set_rate(0, 2, HCA_RATE_MAX), 0);
	assert_int_equal(keep_to(e, 2), 0);
	fixture_poll(e->f);
	while (sent() < 3)
		fixture_poll(e->f);
	assert_int_equal(sent(), 3);
	/* 0 is no rate. */
	assert_int_equal(keep_to(e, 1), 0);
	send_one(e);
	assert_int_equal(sent(), 4);
	send_one(e);
	assert_int_equal(sent(), 4);
	assert_int_equal(keep_to(e, 0), 0);
	fixture_poll(e->f);
	assert_int_equal(sent(), 5);
}

/* --- a bond -------------------------------------------------------------------------------- */

static void test_bond_tis(void **state)
{
	struct ethernet *e = *state;
	uint8_t context[0xa0] = { 0 }, in[16] = { 0x09, 0x15 }, out[0xb0];
	uint32_t tis;

	assert_int_equal(field_get(port->hca->cap[0], 19, 3, 0), 2);
	assert_true(field_get(port->hca->cap[0], 19, 7, 7));
	context[0] = 0x82;
	field_put(context, 0, 19, 16, 6);
	field_put(context, 9, 23, 0, e->side[0].td);
	assert_int_equal(ethernet_command(port, 0x912, 0, 0, context, sizeof(context), &tis), 0);
	be32_put(in, 8, tis);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	assert_memory_equal(out + 0x10, context, sizeof(context));
	/* Each by its own bit. */
	memset(context, 0, 4);
	context[0] = 0x01;
	assert_int_equal(ethernet_command(port, 0x913, tis, 4, context, sizeof(context), NULL), 0);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	assert_int_equal(be32_at(out, 0x10), 0x81060000);
	assert_int_equal(ethernet_command(port, 0x913, tis, 3, context, sizeof(context), NULL), 0);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	assert_int_equal(be32_at(out, 0x10), 0x01000000);
	be32_put(in, 8, tis + 1);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), HCA_CMD_BAD_RESOURCE);
}

static uint32_t affinity(void)
{
	const struct hca_qp *qp = hca_table_get(&port->hca->qps, end.qp.number);

	return field_get(qp->qpc, QPC_LAG);
}

static void test_bond_qp(void **state)
{
	uint8_t qpc[232] = { 0 };

	roce_enable(*state);
	end_create(&end, port, HCA_QP_RC, 0);
	field_put(qpc, 1, 23, 0, port->pd);
	field_put(qpc, QPC_LAG, 2);
	assert_int_equal(fixture_qp_modify(port, &end.qp, 0x502, 0, qpc), 0);
	assert_int_equal(affinity(), 2);
	field_put(qpc, QPC_LAG, 1);
	assert_int_equal(fixture_qp_modify(port, &end.qp, 0x50e, 0, qpc), 0);
	assert_int_equal(affinity(), 2);
	fixture_qp_rtr(port, &end.qp, 0, end.qp.number);
	fixture_qp_rts(port, &end.qp);
	assert_int_equal(fixture_qp_modify(port, &end.qp, RTS2RTS, 0, qpc), 0);
	assert_int_equal(affinity(), 2);
	assert_int_equal(fixture_qp_modify(port, &end.qp, RTS2RTS, 1u << 15, qpc), 0);
	assert_int_equal(affinity(), 1);
}

int main(void)
{
#define TEST(test)     cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
#define ETHERNET(test) cmocka_unit_test_setup_teardown(test, setup_ethernet, ethernet_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_tree),	 TEST(test_refused),
		TEST(test_owners),	 TEST(test_qp),
		TEST(test_mapping),	 ETHERNET(test_rates),
		ETHERNET(test_paced),	 ETHERNET(test_rate_of_another),
		ETHERNET(test_bond_tis), ETHERNET(test_bond_qp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
