/* SPDX-License-Identifier: GPL-2.0-only */
/* The switch's manager, another one that takes the subnet over, and what comes back after it. */
#include "subnet/smp.h"
#include "subnet/tests/fabric.h"

#define SECOND 1000000000ull

static void send_smp(struct fabric *f, unsigned int end, uint16_t dlid, const uint8_t *smp)
{
	uint8_t data[SUBNET_GRH_LEN + MAD_LEN] = { 0 };
	struct subnet_packet packet = {
		.slid = (uint16_t)(end + 1), .dlid = dlid, .data = data, .len = MAD_LEN
	};

	memcpy(data + SUBNET_GRH_LEN, smp, MAD_LEN);
	f->end[end].came = 0;
	subnet_send(f->end[end].port, &packet);
}

/* @data is what is set, and then what came back. */
static uint16_t smp(struct fabric *f, uint8_t method, uint16_t dlid, uint16_t attribute,
		    uint32_t modifier, uint8_t data[SMP_DATA_LEN])
{
	uint8_t mad[MAD_LEN] = { 1, SMP_CLASS_LID, 1, method };

	be16_put(mad, SMP_ATTRIBUTE, attribute);
	be32_put(mad, SMP_MODIFIER, modifier);
	memcpy(mad + SMP_DATA, data, SMP_DATA_LEN);
	send_smp(f, 0, dlid, mad);
	assert_int_equal(f->end[0].came, 1);
	memcpy(data, got(f, 0, 0) + SMP_DATA, SMP_DATA_LEN);
	return be16_at(got(f, 0, 0), SMP_STATUS);
}

static unsigned int state_of(struct fabric *f)
{
	uint8_t info[SMP_DATA_LEN] = { 0 };

	assert_int_equal(smp(f, SMP_GET, SUBNET_SM_LID, SMP_SM_INFO, 0, info), SMP_OK);
	assert_int_equal(be64_at(info, 0), 0x020074006800bfffu);
	assert_int_equal(info[20] >> 4, 0); /* the lowest priority */
	return info[20] & 15;
}

static void join(struct fabric *f, unsigned int end)
{
	struct sa_mad mad = query(MAD_SET, MAD_MC_MEMBER_RECORD,
				  MC_HAS_MGID | MC_HAS_PORT_GID | MC_HAS_JOIN_STATE);
	const uint8_t broadcast[16] = { 0xff, 0x12,	   0x40, 0x1b, 0xff,
					0xff, [12] = 0xff, 0xff, 0xff, 0xff };

	memcpy(mad.data + MC_MGID, broadcast, 16);
	put_gid(mad.data + MC_PORT_GID, end + 1);
	mad.data[MC_SCOPE] = 1;
	assert_int_equal(ask(f, end, &mad, NULL), MAD_OK);
}

static void multicast(struct fabric *f)
{
	uint8_t data[SUBNET_GRH_LEN + 4] = { 0 };
	struct subnet_packet packet = { .slid = 1,
					.dlid = SUBNET_MLID_FIRST,
					.dest_qpn = SUBNET_QP_MULTICAST,
					.data = data,
					.len = 4 };

	f->end[1].came = 0;
	subnet_send(f->end[0].port, &packet);
}

static void test_takes_over(void **state)
{
	struct sa_mad mad = query(MAD_GET, MAD_CLASS_PORT_INFO, 0);
	struct subnet_group group;
	struct fabric *f = *state;

	assert_int_equal(state_of(f), SM_MASTER);
	join(f, 1);
	/* Other capabilities are nobody's business. */
	subnet_set_capabilities(f->end[0].port, 1u << 16);
	assert_int_equal(state_of(f), SM_MASTER);
	subnet_set_capabilities(f->end[0].port, IS_SM);
	assert_int_equal(state_of(f), SM_STANDBY);
	/* No answer any more, no members; but what was forwarded still is. */
	f->end[1].came = 0;
	send_mad(f, 1, &mad);
	assert_int_equal(f->end[1].came, 0);
	assert_int_equal(subnet_count(f->subnet, SUBNET_STANDBY), 1);
	assert_int_equal(subnet_groups(f->subnet, &group, 1), 1);
	assert_int_equal(group.members, 0);
	multicast(f);
	assert_int_equal(f->end[1].came, 1);
	assert_true(subnet_link(f->end[1].port));
	assert_ptr_equal(subnet_find(f->subnet, 2, 0), &f->end[1]);
}

/* A link that comes up waits for the other manager, which hears of it. */
static void test_other_brings_up(void **state)
{
	uint8_t info[SMP_DATA_LEN] = { 0 }, zero[SMP_DATA_LEN] = { 0 };
	struct subnet_port_state now;
	struct fabric *f = *state;
	const uint8_t *trap;

	subnet_set_capabilities(f->end[0].port, IS_SM);
	assert_int_equal(smp(f, SMP_GET, SUBNET_SM_LID, SMP_PORT_INFO, 0, info), SMP_OK);
	be16_put(info, PI_SM_LID, 1);
	assert_int_equal(smp(f, SMP_SET, SUBNET_SM_LID, SMP_PORT_INFO, 0, info), SMP_OK);
	f->end[0].came = 0;
	subnet_set_link(f->end[1].port, false);
	assert_int_equal(f->end[0].came, 1);
	subnet_take_events(f->end[1].port);
	subnet_set_link(f->end[1].port, true);
	assert_int_equal(f->end[0].came, 2);
	assert_int_equal(f->end[0].packet[1].dest_qpn, SUBNET_QP0);
	assert_int_equal(f->end[0].packet[1].slid, SUBNET_SM_LID);
	trap = got(f, 0, 1);
	assert_int_equal(trap[SMP_METHOD], SMP_TRAP);
	assert_int_equal(be16_at(trap, SMP_ATTRIBUTE), 2);
	assert_int_equal(be32_at(trap, SMP_DATA), 0x81000002);
	assert_int_equal(be16_at(trap, SMP_DATA + 4), 128);
	assert_int_equal(be16_at(trap, SMP_DATA + 6), SUBNET_SM_LID);
	assert_int_equal(be16_at(trap, SMP_DATA + 10), SUBNET_SM_LID);
	assert_int_not_equal(be64_at(trap, SMP_TID), be64_at(got(f, 0, 0), SMP_TID));

	subnet_port_state(f->end[1].port, &now);
	assert_int_equal(now.state, STATE_INIT);
	assert_int_equal(subnet_take_events(f->end[1].port), SUBNET_INIT);
	assert_false(subnet_link(f->end[1].port));
	assert_null(subnet_find(f->subnet, 2, 0));
	/* The switch says that something has changed, until the manager has taken note. */
	assert_int_equal(smp(f, SMP_GET, SUBNET_SM_LID, SMP_SWITCH_INFO, 0, info), SMP_OK);
	assert_int_equal(info[11] & 4, 4);
	assert_int_equal(smp(f, SMP_SET, SUBNET_SM_LID, SMP_SWITCH_INFO, 0, info), SMP_OK);
	assert_int_equal(info[11] & 4, 0);

	/* Armed, then active, at both ends; not before. The adapter has the LID that it had. */
	memcpy(info, zero, sizeof(info));
	info[PI_SPEED_STATE] = STATE_ACTIVE;
	be16_put(info, PI_LID, 2);
	be16_put(info, PI_SM_LID, 1);
	assert_int_equal(smp(f, SMP_SET, 2, SMP_PORT_INFO, 1, info), SMP_BAD_VALUE);
	for (unsigned int port_state = STATE_ARMED; port_state <= STATE_ACTIVE; port_state++) {
		memcpy(info, zero, sizeof(info));
		be16_put(info, PI_LID, 2);
		be16_put(info, PI_SM_LID, 1);
		be64_put(info, PI_PREFIX, PREFIX);
		info[PI_SPEED_STATE] = (uint8_t)port_state;
		assert_false(subnet_link(f->end[1].port));
		assert_int_equal(smp(f, SMP_SET, 2, SMP_PORT_INFO, 1, info), SMP_OK);
		memcpy(info, zero, sizeof(info));
		info[PI_SPEED_STATE] = (uint8_t)port_state;
		assert_int_equal(smp(f, SMP_SET, SUBNET_SM_LID, SMP_PORT_INFO, 2, info), SMP_OK);
	}
	assert_true(subnet_link(f->end[1].port));
	assert_int_equal(subnet_take_events(f->end[1].port), SUBNET_ACTIVE | SUBNET_LID);
}

static void check_restored(struct fabric *f)
{
	struct subnet_port_state now;

	assert_int_equal(state_of(f), SM_MASTER);
	subnet_port_state(f->end[1].port, &now);
	assert_int_equal(now.lid, 2);
	assert_int_equal(now.sm_lid, SUBNET_SM_LID);
	assert_int_equal(now.prefix, PREFIX);
	assert_int_equal(subnet_p_key(f->end[1].port, 0), 0xffff);
	assert_int_equal(subnet_p_key(f->end[1].port, 1), 0);
	assert_int_equal(subnet_guid(f->end[1].port, 1), 0);
	assert_ptr_equal(subnet_find(f->subnet, 2, 0), &f->end[1]);
	assert_null(subnet_find(f->subnet, 9, 0));
	assert_int_equal(subnet_take_events(f->end[1].port),
			 SUBNET_LID | SUBNET_P_KEY_TABLE | SUBNET_GUID_TABLE | SUBNET_REREGISTER);
	multicast(f); /* nobody has joined yet */
	assert_int_equal(f->end[1].came, 0);
	join(f, 1);
	multicast(f);
	assert_int_equal(f->end[1].came, 1);
}

/* Whatever it did, and however it goes. */
static void test_comes_back(void **state)
{
	struct fabric *f = *state;

	for (unsigned int how = 0; how < 3; how++) {
		uint8_t info[SMP_DATA_LEN] = { 0 };

		join(f, 1);
		subnet_set_capabilities(f->end[0].port, IS_SM);
		assert_int_equal(smp(f, SMP_GET, 2, SMP_PORT_INFO, 1, info), SMP_OK);
		info[PI_SPEED_STATE] &= 0xf0;
		info[PI_PHYS] &= 15;
		be16_put(info, PI_LID, 9);
		be16_put(info, PI_SM_LID, 1);
		be64_put(info, PI_PREFIX, 7);
		assert_int_equal(smp(f, SMP_SET, 2, SMP_PORT_INFO, 1, info), SMP_OK);
		memset(info, 0xff, sizeof(info));
		info[1] = 1;
		info[9] = 2;
		assert_int_equal(smp(f, SMP_SET, SUBNET_SM_LID, SMP_LINEAR_TABLE, 0, info), SMP_OK);
		memset(info, 0, sizeof(info));
		be16_put(info, 2, 0x8001);
		assert_int_equal(smp(f, SMP_SET, 9, SMP_P_KEY_TABLE, 0, info), SMP_OK);
		memset(info, 0, sizeof(info));
		be64_put(info, 8, 0xa11a5);
		assert_int_equal(smp(f, SMP_SET, 9, SMP_GUID_INFO, 0, info), SMP_OK);
		subnet_take_events(f->end[1].port);
		assert_int_equal(state_of(f), SM_STANDBY);
		if (how == 0) {
			subnet_set_capabilities(f->end[0].port, 0);
		} else if (how == 1) {
			subnet_forget(f->end[0].port);
		} else {
			/* A link that trains anew is no end; one that stays down is. */
			subnet_poll(f->subnet, 10 * SECOND);
			subnet_set_link(f->end[0].port, false);
			subnet_poll(f->subnet, 13 * SECOND - 1);
			subnet_set_link(f->end[0].port, true);
			assert_int_equal(state_of(f), SM_STANDBY);
			subnet_poll(f->subnet, 20 * SECOND);
			subnet_set_link(f->end[0].port, false);
			subnet_poll(f->subnet, 23 * SECOND);
			assert_true(subnet_link(f->end[1].port));
			subnet_set_capabilities(f->end[0].port, 0);
			subnet_set_link(f->end[0].port, true);
		}
		check_restored(f);
	}
}

/* Two of them: as long as one is left. */
static void test_two(void **state)
{
	struct fabric *f = *state;

	subnet_set_capabilities(f->end[0].port, IS_SM);
	subnet_set_capabilities(f->end[1].port, IS_SM);
	subnet_set_capabilities(f->end[0].port, 0);
	assert_int_equal(state_of(f), SM_STANDBY);
	subnet_poll(f->subnet, SECOND);
	subnet_set_link(f->end[1].port, false);
	assert_int_equal(state_of(f), SM_STANDBY);
	subnet_poll(f->subnet, 4 * SECOND);
	assert_int_equal(state_of(f), SM_MASTER);
	subnet_set_link(f->end[1].port, true);
	assert_int_equal(state_of(f), SM_STANDBY);
	subnet_remove(f->end[1].port);
	f->end[1].port = NULL;
	assert_int_equal(state_of(f), SM_MASTER);
}

static void test_lives(void **state)
{
	uint8_t first[SMP_DATA_LEN] = { 0 }, second[SMP_DATA_LEN] = { 0 };
	struct fabric *f = *state;

	subnet_poll(f->subnet, 5000000000);
	assert_int_equal(smp(f, SMP_GET, SUBNET_SM_LID, SMP_SM_INFO, 0, first), SMP_OK);
	subnet_poll(f->subnet, 9000000000);
	assert_int_equal(smp(f, SMP_GET, SUBNET_SM_LID, SMP_SM_INFO, 0, second), SMP_OK);
	assert_int_equal(be32_at(second, 16), be32_at(first, 16) + 4);
}

static void test_ipoib_mtu(void **state)
{
	struct sa_mad mad = query(MAD_GET, MAD_MC_MEMBER_RECORD, MC_HAS_MGID);
	const uint8_t broadcast[16] = { 0xff, 0x12,	   0x40, 0x1b, 0xff,
					0xff, [12] = 0xff, 0xff, 0xff, 0xff };
	struct fabric *f = *state;
	const uint8_t *data;

	memcpy(mad.data + MC_MGID, broadcast, 16);
	assert_int_equal(ask(f, 0, &mad, &data), MAD_OK);
	assert_int_equal(data[MC_MTU], 0x84);
	assert_int_equal(subnet_set_ipoib_mtu(f->subnet, 4092), 0);
	assert_int_equal(ask(f, 0, &mad, &data), MAD_OK);
	assert_int_equal(data[MC_MTU], 0x85);
	assert_int_equal(subnet_set_ipoib_mtu(f->subnet, 4096), -EINVAL);
	assert_int_equal(subnet_set_ipoib_mtu(f->subnet, 0), -EINVAL);
	assert_int_equal(ask(f, 0, &mad, &data), MAD_OK);
	assert_int_equal(data[MC_MTU], 0x85);
	assert_int_equal(subnet_set_ipoib_mtu(f->subnet, 2044), 0);
	assert_int_equal(ask(f, 0, &mad, &data), MAD_OK);
	assert_int_equal(data[MC_MTU], 0x84);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_takes_over, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_brings_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lives, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ipoib_mtu, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
