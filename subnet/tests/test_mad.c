/* SPDX-License-Identifier: GPL-2.0-only */
/* MADs on the wire, right ones and others: each of these is dropped, and counted as what it is. */
#include "subnet/tests/fabric.h"

static const uint8_t get_node[MAD_LEN] = {
	[0] = 1, [1] = 3, [2] = 2, [3] = 0x01, [8] = 1, 2, 3, 4, 5, 6, 7, 8, [17] = 0x11,
};

static void test_decode(void **state)
{
	struct sa_mad mad;
	uint8_t raw[MAD_LEN];

	(void)state;
	memcpy(raw, get_node, MAD_LEN);
	be32_put(raw, 20, 0x80000001);
	be64_put(raw, 36, 0x1122334455667788);
	be16_put(raw, 44, 14);
	be64_put(raw, 48, 0x8000000000000001);
	raw[56] = 0xaa;
	raw[255] = 0xbb;
	assert_int_equal(sa_mad_decode(raw, MAD_LEN, &mad), SUBNET_QUERIES);
	assert_int_equal(mad.method, MAD_GET);
	assert_int_equal(mad.tid, 0x0102030405060708);
	assert_int_equal(mad.attribute, MAD_NODE_RECORD);
	assert_int_equal(mad.modifier, 0x80000001);
	assert_int_equal(mad.sm_key, 0x1122334455667788);
	assert_int_equal(mad.record_octets, 14);
	assert_int_equal(mad.components, 0x8000000000000001);
	assert_int_equal(mad.data[0], 0xaa);
	assert_int_equal(mad.data[MAD_DATA - 1], 0xbb);
}

/* Positions as in the standard, without help of the decoder. */
static void test_encode(void **state)
{
	struct sa_mad mad = {
		.method = 0x92,
		.status = 0x0300,
		.tid = 0x0102030405060708,
		.attribute = 0x35,
		.modifier = 0xfeedf00d,
		.rmpp_type = MAD_RMPP_DATA,
		.rmpp_flags = MAD_RMPP_ACTIVE | MAD_RMPP_LAST,
		.segment = 7,
		.payload = 84,
		.sm_key = 0x1122334455667788,
		.record_octets = 8,
		.components = 0x0c,
		.data = { [0] = 0xaa, [199] = 0xbb },
	};
	uint8_t raw[MAD_LEN];

	(void)state;
	memset(raw, 0xff, sizeof(raw));
	sa_mad_encode(&mad, raw);
	assert_int_equal(be32_at(raw, 0), 0x01030292);
	assert_int_equal(be32_at(raw, 4), 0x03000000);
	assert_int_equal(be64_at(raw, 8), 0x0102030405060708);
	assert_int_equal(be32_at(raw, 16), 0x00350000);
	assert_int_equal(be32_at(raw, 20), 0xfeedf00d);
	assert_int_equal(be32_at(raw, 24), 0x0101fd00);
	assert_int_equal(be32_at(raw, 28), 7);
	assert_int_equal(be32_at(raw, 32), 84);
	assert_int_equal(be64_at(raw, 36), 0x1122334455667788);
	assert_int_equal(be32_at(raw, 44), 0x00080000);
	assert_int_equal(be64_at(raw, 48), 0x0c);
	assert_int_equal(raw[56], 0xaa);
	assert_int_equal(raw[57], 0);
	assert_int_equal(raw[255], 0xbb);
	/* Without RMPP its header is empty. */
	mad.rmpp_flags = 0;
	sa_mad_encode(&mad, raw);
	assert_int_equal(be64_at(raw, 24), 0);
	assert_int_equal(be32_at(raw, 32), 0);
}

static void test_malformed(void **state)
{
	static const struct {
		uint8_t offset, value;
		enum subnet_counter counter;
	} cases[] = {
		{ 0, 0, SUBNET_VERSION },   { 0, 2, SUBNET_VERSION },
		{ 1, 0x81, SUBNET_CLASS },  { 1, 0, SUBNET_CLASS },
		{ 1, 5, SUBNET_CLASS },	    { 2, 1, SUBNET_VERSION },
		{ 2, 3, SUBNET_VERSION },   { 3, 0, SUBNET_METHOD },
		{ 3, 0x81, SUBNET_METHOD }, { 3, 0x92, SUBNET_METHOD },
		{ 3, 5, SUBNET_METHOD },    { 3, 6, SUBNET_METHOD },
		{ 3, 7, SUBNET_METHOD },    { 3, 0x16, SUBNET_METHOD },
		{ 3, 0x7f, SUBNET_METHOD }, { 26, MAD_RMPP_ACTIVE, SUBNET_VERSION },
		{ 43, 2, SUBNET_KEY },	    { 36, 1, SUBNET_KEY },
	};
	struct fabric *f = *state;
	uint8_t raw[MAD_LEN];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t before = subnet_count(f->subnet, cases[i].counter);

		memcpy(raw, get_node, MAD_LEN);
		raw[cases[i].offset] = cases[i].value;
		send_raw(f, 0, raw, MAD_LEN);
		assert_int_equal(subnet_count(f->subnet, cases[i].counter), before + 1);
	}
	assert_int_equal(subnet_count(f->subnet, SUBNET_QUERIES), 0);
	assert_int_equal(f->end[0].came, 0);
}

static void test_lengths(void **state)
{
	struct fabric *f = *state;
	uint8_t raw[2 * MAD_LEN] = { 0 };
	size_t len;

	memcpy(raw, get_node, MAD_LEN);
	for (len = 0; len <= 2 * MAD_LEN; len++) {
		if (len != MAD_LEN)
			send_raw(f, 0, raw, len);
	}
	assert_int_equal(subnet_count(f->subnet, SUBNET_LENGTH), 2 * MAD_LEN);
	assert_int_equal(f->end[0].came, 0);
}

static void test_rmpp_out_of_place(void **state)
{
	static const uint8_t types[] = { 0, MAD_RMPP_DATA, 5, 0xff };
	struct fabric *f = *state;
	uint8_t raw[MAD_LEN];
	unsigned int i;

	memcpy(raw, get_node, MAD_LEN);
	raw[3] = MAD_GET_TABLE;
	raw[24] = 1;
	raw[26] = MAD_RMPP_ACTIVE;
	for (i = 0; i < sizeof(types); i++) {
		raw[25] = types[i];
		send_raw(f, 0, raw, MAD_LEN);
		assert_int_equal(subnet_count(f->subnet, SUBNET_RMPP), i + 1);
	}
	/* These are nobody's, which is no error of theirs: the last acknowledgment may come twice.
	 */
	for (i = MAD_RMPP_ACK; i <= MAD_RMPP_ABORT; i++) {
		raw[25] = (uint8_t)i;
		send_raw(f, 0, raw, MAD_LEN);
	}
	assert_int_equal(subnet_count(f->subnet, SUBNET_RMPP), sizeof(types));
	assert_int_equal(f->end[0].came, 0);
}

/* All single-byte changes of a MAD: nothing of it may crash, and each is either answered or
 * counted. */
static void test_any_byte(void **state)
{
	struct fabric *f = *state;
	uint64_t all = 0, sent = 0;
	unsigned int i, value;
	uint8_t raw[MAD_LEN];

	for (i = 0; i < MAD_LEN; i++) {
		for (value = 0; value < 256; value += 5) {
			memcpy(raw, get_node, MAD_LEN);
			raw[i] = (uint8_t)value;
			if (i >= 24 && i < 36)
				raw[26] &= (uint8_t)~MAD_RMPP_ACTIVE;
			f->end[0].came = 0;
			send_raw(f, 0, raw, MAD_LEN);
			sent++;
		}
	}
	for (i = 0; i < SUBNET_COUNTERS; i++)
		all += subnet_count(f->subnet, i);
	assert_int_equal(all, sent);
}

static void test_q_key(void **state)
{
	uint8_t data[SUBNET_GRH_LEN + MAD_LEN] = { 0 };
	struct subnet_packet packet = {
		.slid = 1,
		.dlid = SUBNET_SM_LID,
		.src_qpn = 77,
		.dest_qpn = SUBNET_QP1,
		.q_key = 0x11111111,
		.data = data,
		.len = MAD_LEN,
	};
	struct fabric *f = *state;

	memcpy(data + SUBNET_GRH_LEN, get_node, MAD_LEN);
	subnet_send(f->end[0].port, &packet);
	assert_int_equal(subnet_count(f->subnet, SUBNET_KEY), 1);
	/* For other QPs of the manager there is nobody. */
	packet.q_key = SUBNET_QP1_Q_KEY;
	packet.dest_qpn = 0;
	subnet_send(f->end[0].port, &packet);
	assert_int_equal(f->end[0].came, 0);
	/* An answer goes to the QP that asked. */
	packet.dest_qpn = SUBNET_QP1;
	subnet_send(f->end[0].port, &packet);
	assert_int_equal(f->end[0].came, 1);
	assert_int_equal(f->end[0].packet[0].dest_qpn, 77);
	assert_int_equal(f->end[0].packet[0].src_qpn, SUBNET_QP1);
	assert_int_equal(f->end[0].packet[0].slid, SUBNET_SM_LID);
	assert_int_equal(f->end[0].packet[0].dlid, 1);
	assert_false(f->end[0].packet[0].grh);
	/* With a GRH, turned around. */
	packet.grh = true;
	put_gid(data + 8, 1);
	put_gid(data + 24, SUBNET_SM_LID);
	subnet_send(f->end[0].port, &packet);
	assert_int_equal(f->end[0].came, 2);
	assert_true(f->end[0].packet[1].grh);
	assert_memory_equal(f->end[0].data[1] + 24, data + 8, 16);
	assert_memory_equal(f->end[0].data[1] + 8, data + 24, 16);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_decode),
		TEST(test_encode),
		TEST(test_malformed),
		TEST(test_lengths),
		TEST(test_any_byte),
		TEST(test_q_key),
		TEST(test_rmpp_out_of_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
