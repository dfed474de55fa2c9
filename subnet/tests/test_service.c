/* SPDX-License-Identifier: GPL-2.0-only */
/* ServiceRecords, the records of tables, and performance management of the switch. */
#include "subnet/smp.h"
#include "subnet/tests/fabric.h"

#define SECOND	  1000000000ull
#define RID	  (SERVICE_HAS_ID | SERVICE_HAS_GID | SERVICE_HAS_P_KEY)
#define HAS_NAME  (1u << 6)
#define HAS_DATA8 (1u << 7)

static struct sa_mad service(uint8_t method, uint64_t id, unsigned int lid, uint32_t lease)
{
	struct sa_mad mad = query(method, MAD_SERVICE_RECORD, RID | SERVICE_HAS_LEASE);

	be64_put(mad.data, SERVICE_ID, id);
	put_gid(mad.data + SERVICE_GID, lid);
	be16_put(mad.data, SERVICE_P_KEY, 0xffff);
	be32_put(mad.data, SERVICE_LEASE, lease);
	return mad;
}

static void test_service(void **state)
{
	struct sa_mad mad = service(MAD_SET, 0x42, 1, UINT32_MAX);
	struct fabric *f = *state;
	const uint8_t *data;

	strcpy((char *)mad.data + SERVICE_NAME, "printer");
	mad.data[SERVICE_DATA] = 7;
	assert_int_equal(ask(f, 0, &mad, &data), MAD_OK);
	assert_int_equal(be64_at(data, SERVICE_ID), 0x42);
	/* Anybody finds it: by name, by its data; not by another's. */
	mad.method = MAD_GET;
	mad.components = HAS_NAME | HAS_DATA8;
	assert_int_equal(ask(f, 1, &mad, &data), MAD_OK);
	assert_int_equal(be64_at(data, SERVICE_ID), 0x42);
	assert_int_equal(be32_at(data, SERVICE_LEASE), UINT32_MAX);
	mad.data[SERVICE_DATA] = 8;
	assert_int_equal(ask(f, 1, &mad, NULL), MAD_NO_RECORDS);
	/* It changes under its name, and goes. */
	mad = service(MAD_SET, 0x42, 1, 10);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_OK);
	mad = query(MAD_GET, MAD_SERVICE_RECORD, 0);
	assert_int_equal(ask(f, 1, &mad, &data), MAD_OK);
	assert_int_equal(be32_at(data, SERVICE_LEASE), 10);
	mad = service(MAD_DELETE, 0x43, 1, 0);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_NO_RECORDS);
	mad = service(MAD_DELETE, 0x42, 1, 0);
	assert_int_equal(ask(f, 0, &mad, &data), MAD_OK);
	assert_int_equal(be64_at(data, SERVICE_ID), 0x42);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_NO_RECORDS);
	mad = query(MAD_GET, MAD_SERVICE_RECORD, 0);
	assert_int_equal(ask(f, 1, &mad, NULL), MAD_NO_RECORDS);
}

static void test_refused(void **state)
{
	struct fabric *f = *state;
	struct sa_mad mad;
	unsigned int bit;

	/* For another, or for nobody. */
	mad = service(MAD_SET, 1, 2, 10);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_INVALID_GID);
	be64_put(mad.data, SERVICE_GID, 0xfec0000000000000u);
	be64_put(mad.data, SERVICE_GID + 8, GUID(1));
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_INVALID_GID);
	be64_put(mad.data, SERVICE_GID, PREFIX);
	be64_put(mad.data, SERVICE_GID + 8, 0);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_INVALID_GID);
	/* Without what names it, in another partition, for no time. */
	for (bit = 0; bit < 3; bit++) {
		mad = service(MAD_SET, 1, 1, 10);
		mad.components &= ~(1ull << bit);
		assert_int_equal(ask(f, 0, &mad, NULL), MAD_INSUFFICIENT);
	}
	mad = service(MAD_SET, 1, 1, 10);
	be16_put(mad.data, SERVICE_P_KEY, 0x8001);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_INVALID);
	mad = service(MAD_SET, 1, 1, 0);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_INVALID);
	mad = query(MAD_GET, MAD_SERVICE_RECORD, 0);
	assert_int_equal(ask(f, 1, &mad, NULL), MAD_NO_RECORDS);
	/* Another port does not take it away. */
	mad = service(MAD_SET, 1, 1, 10);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_OK);
	mad = service(MAD_DELETE, 1, 1, 10);
	assert_int_equal(ask(f, 1, &mad, NULL), MAD_INVALID_GID);
	mad = query(MAD_GET, MAD_SERVICE_RECORD, 0);
	assert_int_equal(ask(f, 1, &mad, NULL), MAD_OK);
}

static void test_key(void **state)
{
	struct sa_mad mad = service(MAD_SET, 1, 1, 10);
	static const uint8_t none[SERVICE_KEY_LEN];
	struct fabric *f = *state;
	const uint8_t *data;

	mad.components |= SERVICE_HAS_KEY;
	memset(mad.data + SERVICE_KEY, 0x5a, SERVICE_KEY_LEN);
	assert_int_equal(ask(f, 0, &mad, &data), MAD_OK);
	assert_memory_equal(data + SERVICE_KEY, none, SERVICE_KEY_LEN);
	/* Nobody sees it, and nothing tells whether a guess is right. */
	mad.method = MAD_GET;
	mad.components = SERVICE_HAS_KEY;
	assert_int_equal(ask(f, 1, &mad, &data), MAD_OK);
	assert_memory_equal(data + SERVICE_KEY, none, SERVICE_KEY_LEN);
	mad.data[SERVICE_KEY] = 0;
	assert_int_equal(ask(f, 1, &mad, NULL), MAD_OK);
	mad = service(MAD_SET, 1, 1, 99);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_INVALID);
	mad.method = MAD_DELETE;
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_INVALID);
	mad.components |= SERVICE_HAS_KEY;
	memset(mad.data + SERVICE_KEY, 0x5a, SERVICE_KEY_LEN);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_OK);
}

static void test_lease(void **state)
{
	struct sa_mad mad, get = query(MAD_GET, MAD_SERVICE_RECORD, 0);
	struct fabric *f = *state;
	const uint8_t *data;

	subnet_poll(f->subnet, 100 * SECOND);
	mad = service(MAD_SET, 1, 1, 30);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_OK);
	subnet_poll(f->subnet, 120 * SECOND);
	assert_int_equal(ask(f, 1, &get, &data), MAD_OK);
	assert_int_equal(be32_at(data, SERVICE_LEASE), 10);
	subnet_poll(f->subnet, 130 * SECOND - 1);
	assert_int_equal(ask(f, 1, &get, &data), MAD_OK);
	assert_int_equal(be32_at(data, SERVICE_LEASE), 1);
	subnet_poll(f->subnet, 130 * SECOND);
	assert_int_equal(ask(f, 1, &get, NULL), MAD_NO_RECORDS);
	/* The longest lease there is, which is not for ever. */
	mad = service(MAD_SET, 1, 1, UINT32_MAX - 1);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_OK);
	assert_int_equal(ask(f, 1, &get, &data), MAD_OK);
	assert_int_equal(be32_at(data, SERVICE_LEASE), UINT32_MAX - 1);
	/* It ends with the link. */
	subnet_set_link(f->end[0].port, false);
	assert_int_equal(ask(f, 1, &get, NULL), MAD_NO_RECORDS);
}

static void test_most(void **state)
{
	struct fabric *f = *state;
	struct sa_mad mad;
	unsigned int i;

	for (i = 0; i < SUBNET_PORT_SERVICES; i++) {
		mad = service(MAD_SET, i, 1, 10);
		assert_int_equal(ask(f, 0, &mad, NULL), MAD_OK);
	}
	mad = service(MAD_SET, i, 1, 10);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_NO_RESOURCES);
	/* Those that are there can be renewed, others have their own share, and one less is room.
	 */
	mad = service(MAD_SET, 3, 1, 20);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_OK);
	mad = service(MAD_SET, 3, 2, 20);
	assert_int_equal(ask(f, 1, &mad, NULL), MAD_OK);
	mad = service(MAD_DELETE, 3, 1, 20);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_OK);
	mad = service(MAD_SET, i, 1, 10);
	assert_int_equal(ask(f, 0, &mad, NULL), MAD_OK);
}

/* How many records there are of each kind, with components and without. */
static void test_tables(void **state)
{
	static const struct {
		uint16_t attribute;
		uint64_t components;
		uint8_t data[6];
		unsigned int records;
	} cases[] = {
		{ MAD_SWITCH_INFO_RECORD, 0, { 0 }, 1 },
		{ MAD_SWITCH_INFO_RECORD, 1, { 0, 2 }, 0 },
		{ MAD_LINEAR_TABLE_RECORD, 0, { 0 }, 768 },
		{ MAD_LINEAR_TABLE_RECORD, 3, { 0xbf, 0xff, 2, 0xff }, 1 },
		{ MAD_MULTICAST_TABLE_RECORD, 0, { 0 }, 645 },
		{ MAD_MULTICAST_TABLE_RECORD, 8, { 0, 0, 0, 0x80 }, 5 },
		{ MAD_MULTICAST_TABLE_RECORD, 10, { 0, 0, 0x40, 0x80 }, 1 },
		{ MAD_P_KEY_TABLE_RECORD, 0, { 0 }, 12 },
		{ MAD_P_KEY_TABLE_RECORD, 5, { 0, 2, 0, 0, 1 }, 4 },
		{ MAD_GUID_INFO_RECORD, 0, { 0 }, 3 },
		{ MAD_SL_TO_VL_RECORD, 0, { 0 }, 3 },
		{ MAD_VL_ARBITRATION_RECORD, 0, { 0 }, 0 },
		{ MAD_INFORM_INFO_RECORD, 0, { 0 }, 0 },
		{ MAD_SERVICE_RECORD, 0, { 0 }, 0 },
	};
	struct fabric *f = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sa_mad mad = query(MAD_GET_TABLE, cases[i].attribute, cases[i].components);
		size_t stride = record_stride(record_kind(cases[i].attribute));
		size_t len = cases[i].records * stride, segments = (len + MAD_DATA - 1) / MAD_DATA;

		mad.tid = i;
		memcpy(mad.data, cases[i].data, sizeof(cases[i].data));
		f->end[0].came = 0;
		send_mad(f, 0, &mad);
		assert_int_equal(f->end[0].came, 1);
		assert_int_equal(be16_at(got(f, 0, 0), 4), MAD_OK);
		assert_int_equal(be16_at(got(f, 0, 0), 44), stride / 8);
		assert_int_equal(be32_at(got(f, 0, 0), 32), len + 20 * (segments ? segments : 1));
		subnet_poll(f->subnet, i);
		subnet_forget(f->end[0].port);
	}
}

/* --- performance management of the switch ---------------------------------------------------- */

static struct subnet_traffic counted;

static void traffic(void *owner, struct subnet_traffic *traffic)
{
	(void)owner;
	*traffic = counted;
}

static uint16_t perf(struct fabric *f, uint8_t class, uint8_t method, uint16_t attribute,
		     uint8_t port, const uint8_t **data)
{
	uint8_t mad[MAD_LEN] = { 1, class, 1, method };

	be16_put(mad, 16, attribute);
	mad[65] = port;
	f->end[0].came = 0;
	send_raw(f, 0, mad, MAD_LEN);
	if (!f->end[0].came)
		return 0xffff;
	*data = got(f, 0, 0) + 64;
	assert_int_equal((*data)[3 - 64], 0x81);
	return be16_at(got(f, 0, 0), 4);
}

static void test_perf(void **state)
{
	struct subnet_port_attr attr = {
		.lid = 7, .guid = GUID(7), .name = "seven", .traffic = traffic, .deliver = deliver
	};
	struct fabric *f = *state;
	struct subnet_port *port = subnet_add(f->subnet, &attr);
	const uint8_t *data;

	assert_non_null(port);
	counted = (struct subnet_traffic){ { 400, 80 }, { 3, 2 }, { 1, 0 } };
	assert_int_equal(perf(f, 4, 1, 1, 0, &data), SMP_OK);
	assert_int_equal(be16_at(data, 2), 0x0300);
	/* What the adapter sent, the switch received. */
	assert_int_equal(perf(f, 4, 1, 0x12, 3, &data), SMP_OK);
	assert_int_equal(data[1], 3);
	assert_int_equal(be32_at(data, 24), 20);
	assert_int_equal(be32_at(data, 28), 100);
	assert_int_equal(be32_at(data, 32), 2);
	assert_int_equal(be32_at(data, 36), 4);
	assert_int_equal(perf(f, 4, 1, 0x1d, 0xff, &data), SMP_OK);
	assert_int_equal(be64_at(data, 8), 20);
	assert_int_equal(be64_at(data, 16), 100);
	assert_int_equal(be64_at(data, 32), 4);
	assert_int_equal(be64_at(data, 48), 3);
	assert_int_equal(be64_at(data, 64), 1);
	/* Back to zero; the adapter keeps its own, and may start anew. */
	assert_int_equal(perf(f, 4, 2, 0x12, 3, &data), SMP_OK);
	counted.octets[0] += 40;
	assert_int_equal(perf(f, 4, 1, 0x12, 3, &data), SMP_OK);
	assert_int_equal(be32_at(data, 24), 0);
	assert_int_equal(be32_at(data, 28), 10);
	counted.octets[0] = 4;
	assert_int_equal(perf(f, 4, 1, 0x12, 3, &data), SMP_OK);
	assert_int_equal(be32_at(data, 28), 1);
	counted.octets[0] = UINT64_MAX;
	assert_int_equal(perf(f, 4, 1, 0x12, 3, &data), SMP_OK);
	assert_int_equal(be32_at(data, 28), UINT32_MAX);
	/* Empty ports, and those that are none; other attributes, classes and methods. */
	assert_int_equal(perf(f, 4, 1, 0x12, 64, &data), SMP_OK);
	assert_int_equal(be32_at(data, 28), 0);
	assert_int_equal(perf(f, 4, 1, 0x12, 65, &data), SMP_BAD_VALUE);
	assert_int_equal(perf(f, 4, 1, 0x12, 254, &data), SMP_BAD_VALUE);
	assert_int_equal(perf(f, 4, 1, 0x15, 1, &data), SMP_BAD_ATTRIBUTE);
	assert_int_equal(perf(f, 0x0a, 1, 0x17, 0, &data), SMP_BAD_VERSION);
	assert_int_equal(perf(f, 9, 2, 0x17, 0, &data), SMP_BAD_VERSION);
	assert_int_equal(perf(f, 4, 5, 0x12, 1, &data), 0xffff);
	assert_int_equal(perf(f, 0x10, 1, 0x12, 1, &data), 0xffff);
	subnet_remove(port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_service, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_key, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lease, setup, teardown),
		cmocka_unit_test_setup_teardown(test_most, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(test_perf, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
