/* SPDX-License-Identifier: GPL-2.0-only */
/* Multicast groups: who may join what, and who hears whom. */
#include "subnet/tests/fabric.h"

#define FULL	       1
#define NON	       2
#define SEND_ONLY_NON  4
#define SEND_ONLY_FULL 8
#define MAKES                                                                              \
	(MC_HAS_MGID | MC_HAS_PORT_GID | MC_HAS_JOIN_STATE | MC_HAS_Q_KEY | MC_HAS_P_KEY | \
	 MC_HAS_SL | MC_HAS_FLOW | MC_HAS_TCLASS)

static const uint8_t broadcast[16] = { 0xff, 0x12, 0x40, 0x1b, 0xff, 0xff, 0,	 0,
				       0,    0,	   0,	 0,    0xff, 0xff, 0xff, 0xff };
static const uint8_t other[16] = { 0xff, 0x12, 0x40, 0x1b, 0xff, 0xff, [15] = 7 };

static struct sa_mad member(uint8_t method, unsigned int end, const uint8_t mgid[16], uint8_t state)
{
	struct sa_mad mad = query(method, MAD_MC_MEMBER_RECORD,
				  MC_HAS_MGID | MC_HAS_PORT_GID | MC_HAS_JOIN_STATE);

	memcpy(mad.data + MC_MGID, mgid, 16);
	put_gid(mad.data + MC_PORT_GID, end + 1);
	mad.data[MC_SCOPE] = state;
	return mad;
}

static struct sa_mad maker(unsigned int end, const uint8_t mgid[16], uint8_t state)
{
	struct sa_mad mad = member(MAD_SET, end, mgid, state);

	mad.components = MAKES;
	be32_put(mad.data, MC_Q_KEY, 0x01234567);
	be16_put(mad.data, MC_P_KEY, 0xffff);
	return mad;
}

static unsigned int groups(struct fabric *f)
{
	return subnet_groups(f->subnet, NULL, 0);
}

static void test_broadcast(void **state)
{
	struct sa_mad mad = member(MAD_SET, 0, broadcast, FULL);
	struct fabric *f = *state;
	struct subnet_group group;
	const uint8_t *data;

	assert_int_equal(ask(f, 0, &mad, &data), MAD_OK);
	assert_memory_equal(data + MC_MGID, broadcast, 16);
	assert_memory_equal(data + MC_PORT_GID, mad.data + MC_PORT_GID, 16);
	assert_int_equal(be32_at(data, MC_Q_KEY), 0x0b1b);
	assert_int_equal(be16_at(data, MC_MLID), 0xc000);
	assert_int_equal(data[MC_MTU], 0x84);
	assert_int_equal(be16_at(data, MC_P_KEY), 0xffff);
	assert_int_equal(data[MC_RATE], 0x83);
	assert_int_equal(data[MC_SCOPE], 0x21);
	assert_int_equal(subnet_groups(f->subnet, &group, 1), 1);
	assert_int_equal(group.members, 1);
	/* It stays when the last one leaves. */
	mad.method = MAD_DELETE;
	assert_int_equal(ask(f, 0, &mad, &data), MAD_OK);
	assert_int_equal(got(f, 0, 0)[3], 0x95);
	assert_int_equal(data[MC_SCOPE], 0x21);
	assert_int_equal(subnet_groups(f->subnet, &group, 1), 1);
	assert_int_equal(group.members, 0);
	/* It cannot be left twice. */
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_INVALID);
}

static void test_make(void **state)
{
	static const uint32_t needed[] = { MC_HAS_PORT_GID, MC_HAS_JOIN_STATE, MC_HAS_Q_KEY,
					   MC_HAS_P_KEY,    MC_HAS_SL,	       MC_HAS_FLOW,
					   MC_HAS_TCLASS };
	struct sa_mad mad = maker(0, other, FULL), again;
	struct fabric *f = *state;
	const uint8_t *data;
	size_t i;

	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		mad.components = MAKES & ~needed[i];
		assert_int_equal(ask(f, 0, &mad, NULL), MAD_INSUFFICIENT);
		assert_int_equal(groups(f), 1);
	}
	mad.components = MAKES;
	/* Who only listens, or only sends without staying, makes none. */
	mad.data[MC_SCOPE] = NON;
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_INVALID);
	mad.data[MC_SCOPE] = SEND_ONLY_NON;
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_INVALID);
	mad.data[MC_SCOPE] = 0;
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_INVALID);
	mad.data[MC_SCOPE] = FULL;
	/* No other partition, no other service level, no GID that is not multicast. */
	be16_put(mad.data, MC_P_KEY, 0x8001);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_INVALID);
	be16_put(mad.data, MC_P_KEY, 0xffff);
	mad.data[MC_SL_FLOW] = 0x10;
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_INVALID);
	mad.data[MC_SL_FLOW] = 0;
	mad.data[MC_MGID] = 0xfe;
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_INVALID_GID);
	mad.data[MC_MGID] = 0xff;
	assert_int_equal(groups(f), 1);
	/* Nobody joins for another port, or one that is not there. */
	assert_int_equal(ask(f, 1, &mad, NULL), MAD_INVALID);
	put_gid(mad.data + MC_PORT_GID, 9);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_INVALID);
	put_gid(mad.data + MC_PORT_GID, 1);
	assert_int_equal(groups(f), 1);

	assert_int_equal(ask(f, 0, &mad, &data), MAD_OK);
	assert_int_equal(be16_at(data, MC_MLID), 0xc001);
	assert_int_equal(be32_at(data, MC_Q_KEY), 0x01234567);
	assert_int_equal(groups(f), 2);
	/* The same for the second one; what does not fit the group is refused. */
	again = maker(1, other, FULL);
	be32_put(again.data, MC_Q_KEY, 1);
	assert_int_equal(ask(f, 1, &again, NULL), MAD_INVALID);
	be32_put(again.data, MC_Q_KEY, 0x01234567);
	assert_int_equal(ask(f, 1, &again, &data), MAD_OK);
	assert_int_equal(be16_at(data, MC_MLID), 0xc001);
	/* The group ends with its last full member. */
	mad = member(MAD_DELETE, 0, other, FULL);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_OK);
	assert_int_equal(groups(f), 2);
	mad = member(MAD_DELETE, 1, other, FULL | NON);
	assert_int_equal(ask(f, 1, &mad, NULL), MAD_OK);
	assert_int_equal(groups(f), 1);
}

static void test_values(void **state)
{
	struct sa_mad mad = maker(0, other, FULL);
	struct fabric *f = *state;
	const uint8_t *data;

	mad.components |= 3 << 4 | 3 << 8 | 3 << 10;
	mad.data[MC_MTU] = 0x86; /* more than ports have */
	mad.data[MC_RATE] = 0x87;
	mad.data[MC_LIFE] = 0x92;
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_INVALID);
	mad.data[MC_MTU] = 0x85;
	/* A reserved rate, one below the least, one that no port here has, and none. */
	mad.data[MC_RATE] = 0x81;
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_INVALID);
	mad.data[MC_RATE] = 0x42;
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_INVALID);
	mad.data[MC_RATE] = 0x96;
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_INVALID);
	mad.data[MC_RATE] = 0x80;
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_INVALID);
	assert_int_equal(groups(f), 1);
	mad.data[MC_RATE] = 0x87;
	assert_int_equal(ask(f, 0, &mad, &data), MAD_OK);
	assert_int_equal(data[MC_MTU], 0x85);
	assert_int_equal(data[MC_RATE], 0x87);
	assert_int_equal(data[MC_LIFE], 0x92);
}

/* A GID of the administrator's choice. */
static void test_chosen(void **state)
{
	static const uint8_t none[16];
	struct sa_mad mad = maker(0, none, FULL);
	struct fabric *f = *state;
	uint8_t first[16];
	const uint8_t *data;

	assert_int_equal(ask(f, 0, &mad, &data), MAD_OK);
	memcpy(first, data + MC_MGID, 16);
	assert_int_equal(first[0], 0xff);
	assert_int_equal(ask(f, 0, &mad, &data), MAD_OK);
	assert_memory_not_equal(first, data + MC_MGID, 16);
	assert_int_equal(groups(f), 3);
}

static void multicast(struct fabric *f, unsigned int end, uint16_t mlid)
{
	uint8_t data[SUBNET_GRH_LEN + 8] = { 0 };
	struct subnet_packet packet = {
		.slid = (uint16_t)(end + 1),
		.dlid = mlid,
		.src_qpn = 100,
		.dest_qpn = SUBNET_QP_MULTICAST,
		.grh = true,
		.data = data,
		.len = 8,
	};

	f->end[0].came = f->end[1].came = 0;
	memcpy(data + 24, other, 16);
	subnet_send(f->end[end].port, &packet);
}

static void test_forward(void **state)
{
	struct sa_mad one = maker(0, other, FULL), two = maker(1, other, SEND_ONLY_FULL);
	struct fabric *f = *state;

	multicast(f, 1, 0xc001); /* no such group */
	assert_int_equal(f->end[0].came, 0);
	assert_int_equal(ask(f, 0, &one, NULL), MAD_OK);
	multicast(f, 1, 0xc001);
	assert_int_equal(f->end[0].came, 1);
	assert_int_equal(f->end[1].came, 0);
	/* Not back to the sender, and not to one that only sends. */
	assert_int_equal(ask(f, 1, &two, NULL), MAD_OK);
	multicast(f, 0, 0xc001);
	assert_int_equal(f->end[0].came + f->end[1].came, 0);
	two.data[MC_SCOPE] = NON;
	assert_int_equal(ask(f, 1, &two, NULL), MAD_OK);
	multicast(f, 0, 0xc001);
	assert_int_equal(f->end[1].came, 1);
	/* A link that is down carries nothing, and what was behind it is no member any more. */
	subnet_set_link(f->end[1].port, false);
	multicast(f, 0, 0xc001);
	assert_int_equal(f->end[1].came, 0);
	subnet_set_link(f->end[1].port, true);
	multicast(f, 0, 0xc001);
	assert_int_equal(f->end[1].came, 0);
	multicast(f, 1, 0xc001);
	assert_int_equal(f->end[0].came, 1);
	multicast(f, 0, 0xc1ff);
	multicast(f, 0, 0xc200);
	multicast(f, 0, 0xffff);
	assert_int_equal(f->end[1].came, 0);
}

/* Who has no key sees groups, others see members. */
static void test_list(void **state)
{
	struct sa_mad one = maker(0, other, FULL), two = maker(1, other, FULL);
	struct sa_mad list = query(MAD_GET_TABLE, MAD_MC_MEMBER_RECORD, 0);
	struct fabric *f = *state;
	uint8_t none[16] = { 0 };

	assert_int_equal(ask(f, 0, &one, NULL), MAD_OK);
	assert_int_equal(ask(f, 1, &two, NULL), MAD_OK);
	f->end[0].came = 0;
	send_mad(f, 0, &list);
	assert_int_equal(be32_at(got(f, 0, 0), 32), 2 * 56 + 20);
	assert_memory_equal(got(f, 0, 0) + 56 + MC_PORT_GID, none, 16);
	list.sm_key = 1;
	list.tid++;
	f->end[0].came = 0;
	send_mad(f, 0, &list);
	assert_int_equal(be32_at(got(f, 0, 0), 32), 2 * 56 + 20);
	assert_int_equal(be64_at(got(f, 0, 0), 56 + MC_PORT_GID + 8), GUID(1));
	assert_int_equal(be64_at(got(f, 0, 0), 56 + 56 + MC_PORT_GID + 8), GUID(2));
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_broadcast), TEST(test_make),	  TEST(test_values),
		TEST(test_chosen),    TEST(test_forward), TEST(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
