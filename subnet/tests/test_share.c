/* SPDX-License-Identifier: GPL-2.0-only */
/* The share of each port: at the bound, one beyond, and what that does to the others. */
#include "subnet/tests/fabric.h"

#define MAKES                                                                              \
	(MC_HAS_MGID | MC_HAS_PORT_GID | MC_HAS_JOIN_STATE | MC_HAS_Q_KEY | MC_HAS_P_KEY | \
	 MC_HAS_SL | MC_HAS_FLOW | MC_HAS_TCLASS)

static struct sa_mad join(unsigned int end, uint16_t group, uint8_t state)
{
	struct sa_mad mad = query(MAD_SET, MAD_MC_MEMBER_RECORD, MAKES);

	mad.data[MC_MGID] = 0xff;
	mad.data[MC_MGID + 1] = 0x12;
	be16_put(mad.data, MC_MGID + 14, group);
	put_gid(mad.data + MC_PORT_GID, end + 1);
	mad.data[MC_SCOPE] = state;
	be16_put(mad.data, MC_P_KEY, 0xffff);
	return mad;
}

static uint16_t ask_join(struct fabric *f, unsigned int end, uint16_t group, uint8_t state)
{
	struct sa_mad mad = join(end, group, state);

	return ask(f, end, &mad, NULL);
}

static unsigned int groups(struct fabric *f)
{
	return subnet_groups(f->subnet, NULL, 0);
}

static void silent(void *owner, const struct subnet_packet *packet)
{
	(void)owner;
	(void)packet;
}

/* Ports on all that is left of the switch. */
static void fill_switch(struct fabric *f, struct subnet_port *port[SUBNET_PORTS])
{
	unsigned int i;

	for (i = 2; i < SUBNET_PORTS; i++) {
		struct subnet_port_attr attr = { .lid = (uint16_t)(i + 1),
						 .guid = GUID(i + 1),
						 .name = "other",
						 .deliver = silent };

		port[i] = subnet_add(f->subnet, &attr);
		assert_non_null(port[i]);
	}
}

static void empty_switch(struct subnet_port *port[SUBNET_PORTS])
{
	unsigned int i;

	for (i = 2; i < SUBNET_PORTS; i++)
		subnet_remove(port[i]);
}

static void test_groups(void **state)
{
	struct fabric *f = *state;
	struct sa_mad mad;
	unsigned int i;

	for (i = 0; i < SUBNET_PORT_GROUPS; i++)
		assert_int_equal(ask_join(f, 0, (uint16_t)i, 1), MAD_OK);
	assert_int_equal(ask_join(f, 0, SUBNET_PORT_GROUPS, 1), MAD_NO_RESOURCES);
	assert_int_equal(groups(f), 1 + SUBNET_PORT_GROUPS);
	/* Not the group of another either; but one that it is in takes another kind of member. */
	assert_int_equal(ask_join(f, 1, 1000, 1), MAD_OK);
	assert_int_equal(ask_join(f, 0, 1000, 1), MAD_NO_RESOURCES);
	assert_int_equal(ask_join(f, 0, 7, 2), MAD_OK);
	/* The other has its own share. */
	for (i = 1; i < SUBNET_PORT_GROUPS; i++)
		assert_int_equal(ask_join(f, 1, (uint16_t)(1000 + i), 1), MAD_OK);
	assert_int_equal(ask_join(f, 1, 2000, 1), MAD_NO_RESOURCES);
	assert_int_equal(groups(f), 1 + 2 * SUBNET_PORT_GROUPS);
	/* Who leaves one may join one. */
	mad = join(0, 7, 3);
	mad.method = MAD_DELETE;
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_OK);
	assert_int_equal(ask_join(f, 0, 1000, 1), MAD_OK);
	assert_int_equal(ask_join(f, 0, 7, 1), MAD_NO_RESOURCES);
	/* Who is gone leaves all. */
	subnet_forget(f->end[0].port);
	assert_int_equal(groups(f), 1 + SUBNET_PORT_GROUPS);
	for (i = 0; i < SUBNET_PORT_GROUPS; i++)
		assert_int_equal(ask_join(f, 0, (uint16_t)i, 1), MAD_OK);
	assert_int_equal(ask_join(f, 0, SUBNET_PORT_GROUPS, 1), MAD_NO_RESOURCES);
	subnet_set_link(f->end[0].port, false);
	subnet_set_link(f->end[1].port, false);
	assert_int_equal(groups(f), 1);
}

/* A group that ends ends for those who only listen, too, and does not count for them any more. */
static void test_group_of_others(void **state)
{
	struct fabric *f = *state;
	unsigned int i;

	for (i = 0; i < SUBNET_PORT_GROUPS; i++) {
		assert_int_equal(ask_join(f, 1, (uint16_t)i, 1), MAD_OK);
		assert_int_equal(ask_join(f, 0, (uint16_t)i, 2), MAD_OK);
	}
	assert_int_equal(ask_join(f, 0, 1000, 1), MAD_NO_RESOURCES);
	subnet_forget(f->end[1].port);
	assert_int_equal(groups(f), 1);
	for (i = 0; i < SUBNET_PORT_GROUPS; i++)
		assert_int_equal(ask_join(f, 0, (uint16_t)(1000 + i), 1), MAD_OK);
}

/* All ports with all of their groups: there is a place for each. */
static void test_all_groups(void **state)
{
	struct subnet_port *port[SUBNET_PORTS];
	struct fabric *f = *state;
	uint8_t data[SUBNET_GRH_LEN + MAD_LEN] = { 0 };
	struct subnet_packet packet = { .dlid = SUBNET_SM_LID,
					.dest_qpn = SUBNET_QP1,
					.q_key = SUBNET_QP1_Q_KEY,
					.data = data,
					.len = MAD_LEN };
	struct sa_mad list = query(MAD_GET_TABLE, MAD_MC_MEMBER_RECORD, 0);
	unsigned int i, j;

	fill_switch(f, port);
	port[0] = f->end[0].port;
	port[1] = f->end[1].port;
	for (i = 0; i < SUBNET_PORTS; i++) {
		for (j = 0; j < SUBNET_PORT_GROUPS; j++) {
			struct sa_mad mad = join(i, (uint16_t)(i * SUBNET_PORT_GROUPS + j), 1);

			sa_mad_encode(&mad, data + SUBNET_GRH_LEN);
			f->end[0].came = f->end[1].came = 0;
			subnet_send(port[i], &packet);
			subnet_poll(f->subnet, 0);
		}
	}
	assert_int_equal(groups(f), 1 + SUBNET_PORTS * SUBNET_PORT_GROUPS);
	f->end[0].came = 0;
	send_mad(f, 0, &list);
	assert_int_equal(f->end[0].came, 1);
	/* The headers count in each segment: 1147 of them. */
	assert_int_equal(be32_at(got(f, 0, 0), 32),
			 (1 + SUBNET_PORTS * SUBNET_PORT_GROUPS) * 56 + 1148 * 20);
	empty_switch(port);
	subnet_forget(f->end[1].port);
	assert_int_equal(groups(f), 1 + SUBNET_PORT_GROUPS);
}

static void test_answers(void **state)
{
	struct sa_mad mad = query(MAD_GET_TABLE, MAD_NODE_RECORD, 0);
	struct fabric *f = *state;
	unsigned int i;

	for (i = 0; i < SUBNET_PORT_ANSWERS; i++) {
		mad.tid = i;
		send_mad(f, 0, &mad);
	}
	assert_int_equal(f->end[0].came, SUBNET_PORT_ANSWERS);
	assert_int_equal(subnet_count(f->subnet, SUBNET_BUSY), 0);
	mad.tid = 100;
	send_mad(f, 0, &mad);
	assert_int_equal(f->end[0].came, SUBNET_PORT_ANSWERS);
	assert_int_equal(subnet_count(f->subnet, SUBNET_BUSY), 1);
	/* The other has its own. */
	send_mad(f, 1, &mad);
	assert_int_equal(f->end[1].came, 1);
	/* One that is asked for again takes the place of the first. */
	mad.tid = 3;
	send_mad(f, 0, &mad);
	assert_int_equal(f->end[0].came, SUBNET_PORT_ANSWERS + 1);
	assert_int_equal(subnet_count(f->subnet, SUBNET_BUSY), 1);
	f->end[0].came = 0;
	assert_true(subnet_poll(f->subnet, UINT64_MAX));
	assert_int_equal(f->end[0].came, SUBNET_PORT_ANSWERS);
	/* One that has ended makes room, as does a port that is gone. */
	mad.rmpp_type = MAD_RMPP_ABORT;
	mad.rmpp_flags = MAD_RMPP_ACTIVE;
	send_mad(f, 0, &mad);
	mad.rmpp_flags = 0;
	mad.tid = 100;
	send_mad(f, 0, &mad);
	assert_int_equal(f->end[0].came, SUBNET_PORT_ANSWERS + 1);
	subnet_forget(f->end[0].port);
	for (i = 0; i < SUBNET_PORT_ANSWERS; i++) {
		mad.tid = i;
		send_mad(f, 0, &mad);
	}
	assert_int_equal(subnet_count(f->subnet, SUBNET_BUSY), 1);
}

/* Acknowledging the same over and over keeps no answer alive. */
static void test_no_progress(void **state)
{
	struct sa_mad mad = query(MAD_GET_TABLE, MAD_NODE_RECORD, 0), ack;
	struct fabric *f = *state;
	unsigned int i, resent = 0;

	send_mad(f, 0, &mad);
	ack = mad;
	ack.rmpp_type = MAD_RMPP_ACK;
	ack.rmpp_flags = MAD_RMPP_ACTIVE;
	ack.segment = 0;
	ack.payload = UINT32_MAX;
	for (i = 0; i < 20; i++) {
		send_mad(f, 0, &ack);
		resent += subnet_poll(f->subnet, UINT64_MAX);
		f->end[0].came = 0;
	}
	assert_int_equal(resent, 4);
}

/* A window of all: no call sends more than the burst, and every segment comes once. */
static void test_burst(void **state)
{
	struct sa_mad mad = query(MAD_GET_TABLE, MAD_PATH_RECORD, 0), ack;
	struct subnet_port *port[SUBNET_PORTS];
	struct fabric *f = *state;
	uint32_t segments, next = 2;
	unsigned int i;

	fill_switch(f, port);
	send_mad(f, 0, &mad);
	segments = ((SUBNET_PORTS + 1) * (SUBNET_PORTS + 1) * PATH_LEN + MAD_DATA - 1) / MAD_DATA;
	assert_int_equal(f->end[0].came, 1);
	/* It was more than the work of a turn. */
	mad.tid++;
	send_mad(f, 0, &mad);
	assert_int_equal(f->end[0].came, 1);
	assert_int_equal(subnet_count(f->subnet, SUBNET_BUSY), 1);
	assert_false(subnet_poll(f->subnet, 0));
	ack = mad;
	ack.tid--;
	ack.rmpp_type = MAD_RMPP_ACK;
	ack.rmpp_flags = MAD_RMPP_ACTIVE;
	ack.segment = 1;
	ack.payload = UINT32_MAX;
	f->end[0].came = 0;
	send_mad(f, 0, &ack);
	while (next <= segments) {
		assert_true(f->end[0].came && f->end[0].came <= SUBNET_PORT_BURST);
		for (i = 0; i < f->end[0].came; i++)
			assert_int_equal(be32_at(got(f, 0, i), 28), next++);
		f->end[0].came = 0;
		assert_int_equal(subnet_poll(f->subnet, 0), next <= segments);
	}
	assert_int_equal(next, segments + 1);
	empty_switch(port);
}

/* So much in one turn, then MADs of the port are lost; the next turn takes more. */
static void test_work(void **state)
{
	struct sa_mad mad = query(MAD_GET, MAD_PORT_INFO_RECORD, 1 << 0 | 1 << 1), other;
	struct fabric *f = *state;
	unsigned int cost = 1 + 1 + SUBNET_PORTS + 2, most, i;

	/* Each compares all PortInfos: the switch's with its port 0, and the two ports'. */
	most = (SUBNET_PORT_WORK + cost - 1) / cost;
	be16_put(mad.data, 0, 1);
	mad.data[2] = 1;
	for (i = 0; i < most; i++)
		assert_int_equal(ask(f, 0, &mad, NULL), MAD_OK);
	f->end[0].came = 0;
	send_mad(f, 0, &mad);
	assert_int_equal(f->end[0].came, 0);
	assert_int_equal(subnet_count(f->subnet, SUBNET_BUSY), 1);
	assert_int_equal(subnet_count(f->subnet, SUBNET_QUERIES), most);
	other = mad;
	assert_int_equal(ask(f, 1, &other, NULL), MAD_OK);
	assert_false(subnet_poll(f->subnet, 0));
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_OK);
}

static struct fabric *answering;

/* A receiver that answers everything at once, also what the administrator is sending just now. */
static void answer_back(void *owner, const struct subnet_packet *packet)
{
	struct sa_mad mad = query(MAD_GET_TABLE, MAD_NODE_RECORD, 0);

	deliver(owner, packet);
	mad.rmpp_type = MAD_RMPP_ABORT;
	mad.rmpp_flags = MAD_RMPP_ACTIVE;
	send_mad(answering, 0, &mad);
}

static void test_answer_to_answer(void **state)
{
	struct sa_mad mad = query(MAD_GET_TABLE, MAD_NODE_RECORD, 0);
	struct fabric *f = *state;
	struct subnet_port_attr attr = { .lid = 1,
					 .guid = GUID(1),
					 .name = "one",
					 .owner = &f->end[0],
					 .deliver = answer_back };

	subnet_remove(f->end[0].port);
	f->end[0].port = subnet_add(f->subnet, &attr);
	assert_non_null(f->end[0].port);
	answering = f;
	send_mad(f, 0, &mad);
	assert_int_equal(f->end[0].came, 1);
	assert_int_equal(subnet_count(f->subnet, SUBNET_BUSY), 1);
	assert_true(subnet_poll(f->subnet, UINT64_MAX));
	assert_int_equal(f->end[0].came, 2);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_groups),  TEST(test_group_of_others),	 TEST(test_all_groups),
		TEST(test_answers), TEST(test_no_progress),	 TEST(test_burst),
		TEST(test_work),    TEST(test_answer_to_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
