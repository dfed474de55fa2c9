/* SPDX-License-Identifier: GPL-2.0-only */
/* Queries, their answers, and answers in segments. */
#include "subnet/tests/fabric.h"

#define SECOND 1000000000ull

static void test_class_port_info(void **state)
{
	struct sa_mad mad = query(MAD_GET, MAD_CLASS_PORT_INFO, 0);
	const uint8_t *data;

	assert_int_equal(ask(*state, 0, &mad, &data), MAD_OK);
	assert_int_equal(data[0], 1);
	assert_int_equal(data[1], 2);
	assert_int_equal(be16_at(data, 2), 0x0200);
	assert_int_equal(be32_at(data, 4), 1u << 12 << 5 | 16);
}

static void test_path(void **state)
{
	struct sa_mad mad = query(MAD_GET, MAD_PATH_RECORD, 1 << 2 | 1 << 3 | 1 << 12 | 1 << 13);
	const uint8_t *data;

	put_gid(mad.data + PATH_DGID, 2);
	put_gid(mad.data + PATH_SGID, 1);
	mad.data[PATH_NUMB] = 1;
	be16_put(mad.data, PATH_P_KEY, 0x7fff); /* limited membership is the same partition */
	assert_int_equal(ask(*state, 0, &mad, &data), MAD_OK);
	assert_memory_equal(data + PATH_DGID, mad.data + PATH_DGID, 32);
	assert_int_equal(be16_at(data, PATH_DLID), 2);
	assert_int_equal(be16_at(data, PATH_SLID), 1);
	assert_int_equal(be32_at(data, PATH_FLOW_HOP), 0);
	assert_int_equal(data[PATH_NUMB], 0x81);
	assert_int_equal(be16_at(data, PATH_P_KEY), 0xffff);
	assert_int_equal(data[PATH_MTU], 0x85);
	assert_int_equal(data[PATH_RATE], 0x80 | 21);
	assert_int_equal(data[PATH_LIFE], 0x80 | 16);

	/* Traffic class: that of the query. */
	mad.components |= 1 << 10;
	mad.data[PATH_TCLASS] = 0x60;
	assert_int_equal(ask(*state, 0, &mad, &data), MAD_OK);
	assert_int_equal(data[PATH_TCLASS], 0x60);

	/* Another partition, another service level: no path. */
	be16_put(mad.data, PATH_P_KEY, 0x8001);
	assert_int_equal(ask(*state, 0, &mad, NULL), MAD_NO_RECORDS);
	mad.components = 1 << 2 | 1 << 3 | 1 << 15;
	mad.data[PATH_QOS_SL + 1] = 1;
	assert_int_equal(ask(*state, 0, &mad, NULL), MAD_NO_RECORDS);
}

/* selector 0 greater, 1 less, 2 exactly, 3 the most */
static void test_selectors(void **state)
{
	static const struct {
		uint8_t byte, bit, selector, value;
		uint16_t status;
	} cases[] = {
		{ PATH_MTU, 16, 0, 4, MAD_OK },
		{ PATH_MTU, 16, 0, 5, MAD_NO_RECORDS },
		{ PATH_MTU, 16, 1, 6, MAD_OK },
		{ PATH_MTU, 16, 1, 5, MAD_NO_RECORDS },
		{ PATH_MTU, 16, 2, 5, MAD_OK },
		{ PATH_MTU, 16, 2, 4, MAD_NO_RECORDS },
		{ PATH_MTU, 16, 3, 1, MAD_OK },
		/* 120 Gb/s is encoded as 10, 112 as 13; 400 as 21, 600 as 22, 50 as 20 */
		{ PATH_RATE, 18, 0, 20, MAD_OK },
		{ PATH_RATE, 18, 0, 18, MAD_OK },
		{ PATH_RATE, 18, 0, 22, MAD_NO_RECORDS },
		{ PATH_RATE, 18, 1, 22, MAD_OK },
		{ PATH_RATE, 18, 2, 21, MAD_OK },
		{ PATH_LIFE, 20, 1, 17, MAD_OK },
		{ PATH_LIFE, 20, 0, 16, MAD_NO_RECORDS },
	};
	struct sa_mad mad = query(MAD_GET, MAD_PATH_RECORD, 0);
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(mad.data, 0, MAD_DATA);
		put_gid(mad.data + PATH_DGID, 2);
		put_gid(mad.data + PATH_SGID, 1);
		mad.components = 1 << 2 | 1 << 3 | 3ull << cases[i].bit;
		mad.data[cases[i].byte] = (uint8_t)(cases[i].selector << 6 | cases[i].value);
		assert_int_equal(ask(*state, 0, &mad, NULL), cases[i].status);
	}
	/* A value without its selector is exactly that one. */
	mad.components = 1 << 2 | 1 << 3 | 1 << 17;
	mad.data[PATH_MTU] = 5;
	assert_int_equal(ask(*state, 0, &mad, NULL), MAD_OK);
	mad.data[PATH_MTU] = 4;
	assert_int_equal(ask(*state, 0, &mad, NULL), MAD_NO_RECORDS);
}

static void test_get(void **state)
{
	struct sa_mad mad = query(MAD_GET, MAD_NODE_RECORD, 1);
	struct fabric *f = *state;
	const uint8_t *data;

	be16_put(mad.data, 0, 2);
	assert_int_equal(ask(f, 0, &mad, &data), MAD_OK);
	assert_int_equal(be16_at(data, 0), 2);
	assert_int_equal(data[6], 1); /* a CA */
	assert_int_equal(be64_at(data, 24), GUID(2));
	assert_string_equal((const char *)data + 44, "rdma-tph two");
	be16_put(mad.data, 0, SUBNET_SM_LID);
	assert_int_equal(ask(f, 0, &mad, &data), MAD_OK);
	assert_int_equal(data[6], 2); /* a switch */
	be16_put(mad.data, 0, 3);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_NO_RECORDS);
	mad.components = 0;
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_TOO_MANY);
	/* What is not there: methods, attributes, and attributes that cannot be set. */
	mad = query(MAD_GET, 0x99, 0);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_BAD_ATTRIBUTE);
	mad = query(MAD_SET, MAD_NODE_RECORD, 0);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_BAD_ATTRIBUTE);
	mad = query(MAD_DELETE, MAD_PATH_RECORD, 0);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_BAD_ATTRIBUTE);
	mad = query(0x13, MAD_NODE_RECORD, 0);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_BAD_METHOD);
	assert_int_equal(subnet_count(f->subnet, SUBNET_QUERIES), 8);
}

/* "Which port is the manager's?", as a mask of bits that have to be set. */
static void test_capability_mask(void **state)
{
	struct sa_mad mad = query(MAD_GET, MAD_PORT_INFO_RECORD, 1 << 7);
	const uint8_t *data;

	be32_put(mad.data, 4 + 20, 2);
	assert_int_equal(ask(*state, 0, &mad, NULL), MAD_NO_RECORDS);
	mad.modifier = 1u << 31;
	assert_int_equal(ask(*state, 0, &mad, &data), MAD_OK);
	assert_int_equal(be16_at(data, 0), SUBNET_SM_LID);
	assert_int_equal(data[2], 0);
}

/* --- segments ------------------------------------------------------------------------------ */

static void reply(struct fabric *f, uint8_t type, uint32_t segment, uint32_t window)
{
	struct sa_mad ack = query(MAD_GET_TABLE, MAD_NODE_RECORD, 0);

	ack.rmpp_type = type;
	ack.rmpp_flags = MAD_RMPP_ACTIVE;
	ack.segment = segment;
	ack.payload = window;
	send_mad(f, 0, &ack);
}

static void expect_segment(struct fabric *f, unsigned int i, uint32_t number, uint8_t flags,
			   uint32_t payload)
{
	const uint8_t *raw = got(f, 0, i);

	assert_int_equal(raw[3], 0x92);
	assert_int_equal(be16_at(raw, 4), 0);
	assert_int_equal(raw[25], MAD_RMPP_DATA);
	assert_int_equal(raw[26] & 7, MAD_RMPP_ACTIVE | flags);
	assert_int_equal(be32_at(raw, 28), number);
	assert_int_equal(be32_at(raw, 32), payload);
	assert_int_equal(be16_at(raw, 44), 14);
}

/* Three NodeRecords of 112 bytes: two segments of 200. */
static void test_table(void **state)
{
	struct sa_mad mad = query(MAD_GET_TABLE, MAD_NODE_RECORD, 0);
	struct fabric *f = *state;
	uint8_t all[400];

	send_mad(f, 0, &mad);
	assert_int_equal(f->end[0].came, 1);
	expect_segment(f, 0, 1, MAD_RMPP_FIRST, 336 + 40);
	reply(f, MAD_RMPP_ACK, 1, 64);
	assert_int_equal(f->end[0].came, 2);
	expect_segment(f, 1, 2, MAD_RMPP_LAST, 136 + 20);
	memcpy(all, got(f, 0, 0) + 56, 200);
	memcpy(all + 200, got(f, 0, 1) + 56, 200);
	assert_int_equal(be16_at(all, 0), SUBNET_SM_LID);
	assert_int_equal(be16_at(all, 112), 1);
	assert_int_equal(be16_at(all, 224), 2);
	/* Acknowledged: nothing is sent again. */
	reply(f, MAD_RMPP_ACK, 2, 64);
	assert_false(subnet_poll(f->subnet, UINT64_MAX));
	assert_int_equal(f->end[0].came, 2);
}

static void test_one_segment(void **state)
{
	struct sa_mad mad = query(MAD_GET_TABLE, MAD_NODE_RECORD, 1);
	struct fabric *f = *state;

	be16_put(mad.data, 0, 1);
	send_mad(f, 0, &mad);
	expect_segment(f, 0, 1, MAD_RMPP_FIRST | MAD_RMPP_LAST, 112 + 20);
	reply(f, MAD_RMPP_ACK, 1, 1);
	/* None is an answer, too. */
	be16_put(mad.data, 0, 99);
	send_mad(f, 0, &mad);
	expect_segment(f, 1, 1, MAD_RMPP_FIRST | MAD_RMPP_LAST, 20);
	reply(f, MAD_RMPP_ACK, 1, 1);
	assert_false(subnet_poll(f->subnet, UINT64_MAX));
}

static void test_window(void **state)
{
	struct sa_mad mad = query(MAD_GET_TABLE, MAD_PORT_INFO_RECORD, 0);
	struct fabric *f = *state;

	send_mad(f, 0, &mad); /* 67 records of 72 bytes: 25 segments */
	assert_int_equal(f->end[0].came, 1);
	reply(f, MAD_RMPP_ACK, 1, 3);
	assert_int_equal(f->end[0].came, 3);
	/* Nonsense: what was not sent, a window that ends before it, one from the past. */
	reply(f, MAD_RMPP_ACK, 4, 9);
	reply(f, MAD_RMPP_ACK, 3, 2);
	reply(f, MAD_RMPP_ACK, 0, 1);
	assert_int_equal(f->end[0].came, 3);
	reply(f, MAD_RMPP_ACK, 3, 64);
	assert_int_equal(f->end[0].came, 25);
	assert_int_equal(be32_at(got(f, 0, 24), 28), 25);
	/* Of another port, or another transaction, an ACK is nobody's. */
	send_mad(f, 1, &mad);
	reply(f, MAD_RMPP_ACK, 25, 64);
	mad.rmpp_type = MAD_RMPP_ACK;
	mad.rmpp_flags = MAD_RMPP_ACTIVE;
	mad.segment = 1;
	mad.payload = 64;
	mad.tid++;
	send_mad(f, 1, &mad);
	assert_true(subnet_poll(f->subnet, UINT64_MAX));
	assert_int_equal(f->end[1].came, 2);
	assert_int_equal(f->end[0].came, 25);
}

static void test_resend(void **state)
{
	struct sa_mad mad = query(MAD_GET_TABLE, MAD_NODE_RECORD, 0);
	struct fabric *f = *state;
	unsigned int i;

	send_mad(f, 0, &mad);
	assert_false(subnet_poll(f->subnet, 0));
	for (i = 1; i <= 4; i++) {
		assert_true(subnet_poll(f->subnet, UINT64_MAX));
		assert_int_equal(f->end[0].came, 1 + i);
		expect_segment(f, i, 1, MAD_RMPP_FIRST, 336 + 40);
	}
	/* Given up. */
	assert_false(subnet_poll(f->subnet, UINT64_MAX));
	reply(f, MAD_RMPP_ACK, 1, 64);
	assert_int_equal(f->end[0].came, 5);
}

static void test_ends(void **state)
{
	static const uint8_t types[] = { MAD_RMPP_STOP, MAD_RMPP_ABORT };
	struct sa_mad mad = query(MAD_GET_TABLE, MAD_NODE_RECORD, 0);
	struct fabric *f = *state;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		send_mad(f, 0, &mad);
		reply(f, types[i], 1, 0);
		assert_false(subnet_poll(f->subnet, UINT64_MAX));
	}
	/* A requester that is gone, too. */
	send_mad(f, 0, &mad);
	subnet_forget(f->end[0].port);
	assert_false(subnet_poll(f->subnet, UINT64_MAX));
}

/* --- links --------------------------------------------------------------------------------- */

static void test_link_down(void **state)
{
	struct sa_mad mad = query(MAD_GET, MAD_PATH_RECORD, 1 << 2 | 1 << 3);
	struct fabric *f = *state;

	put_gid(mad.data + PATH_DGID, 2);
	put_gid(mad.data + PATH_SGID, 1);
	subnet_set_link(f->end[1].port, false);
	assert_null(subnet_find(f->subnet, 2, 0));
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_NO_RECORDS);
	f->end[1].came = 0;
	send_mad(f, 1, &mad);
	assert_int_equal(f->end[1].came, 0);
	assert_int_equal(subnet_count(f->subnet, SUBNET_QUERIES), 1);
	subnet_set_link(f->end[1].port, true);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_OK);
	assert_ptr_equal(subnet_find(f->subnet, 0, GUID(2)), &f->end[1]);
}

static void test_bad_port(void **state)
{
	struct subnet_port_attr attr = { .lid = 3, .guid = GUID(3), .deliver = deliver };
	struct fabric *f = *state;
	struct subnet_port *port[SUBNET_PORTS];
	unsigned int i;

#define REFUSED(error)                                     \
	do {                                               \
		errno = 0;                                 \
		assert_null(subnet_add(f->subnet, &attr)); \
		assert_int_equal(errno, error);            \
	} while (0)
	attr.lid = 0;
	REFUSED(EINVAL);
	attr.lid = SUBNET_SM_LID;
	REFUSED(EINVAL);
	attr.lid = 2;
	REFUSED(EEXIST);
	attr.lid = 3;
	attr.guid = GUID(1);
	REFUSED(EEXIST);
	attr.guid = 0x020074006800bfffu; /* the manager's */
	REFUSED(EEXIST);
	for (i = 2; i < SUBNET_PORTS; i++) {
		attr.lid = (uint16_t)(i + 1);
		attr.guid = GUID(i + 1);
		port[i] = subnet_add(f->subnet, &attr);
		assert_non_null(port[i]);
	}
	attr.lid = 1000;
	attr.guid = GUID(1000);
	REFUSED(ENOSPC);
	for (i = 2; i < SUBNET_PORTS; i++)
		subnet_remove(port[i]);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_class_port_info), TEST(test_path),
		TEST(test_selectors),	    TEST(test_get),
		TEST(test_capability_mask), TEST(test_table),
		TEST(test_one_segment),	    TEST(test_window),
		TEST(test_resend),	    TEST(test_ends),
		TEST(test_link_down),	    TEST(test_bad_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
