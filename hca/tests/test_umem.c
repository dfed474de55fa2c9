/* SPDX-License-Identifier: GPL-2.0 */
/* User contexts, umems, and queues in them; the objects that are no more than a number. */
#include "hca/cmd.h"
#include "hca/tests/traffic.h"

#define OFFSET 128u

static struct fixture_port *port;
static uint32_t uid, umem;
static uint64_t memory;

static uint8_t create_umem(uint32_t owner, uint32_t page_offset, uint64_t pages, uint32_t *number)
{
	uint8_t in[0x40] = { 0 }, out[16];
	uint8_t status;

	be16_put(in, 0, 0xa08);
	be16_put(in, 2, (uint16_t)owner);
	be32_put(in, 0x24, page_offset);
	be64_put(in, 0x28, pages);
	be64_put(in, 0x30, memory | 3);
	be64_put(in, 0x38, (memory + 8192) | 3);
	status = fixture_cmd(port, in, sizeof(in), out, sizeof(out));
	*number = be32_at(out, 8) & 0xffffff;
	return status;
}

static uint8_t destroy(uint16_t op, uint32_t owner, uint32_t number)
{
	uint8_t in[16] = { 0 }, out[16];

	be16_put(in, 0, op);
	be16_put(in, 2, (uint16_t)owner);
	be32_put(in, 8, number);
	return fixture_cmd(port, in, sizeof(in), out, sizeof(out));
}

static uint32_t alloc_pd(uint32_t owner)
{
	uint8_t in[16] = { 0 }, out[16];

	be16_put(in, 0, 0x800);
	be16_put(in, 2, (uint16_t)owner);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	return be32_at(out, 8) & 0xffffff;
}

/* A CQ of 16 entries, 1 KiB, at @at of the umem; its record at byte 0 of it. */
static uint8_t create_cq_with(uint32_t owner, uint64_t at, uint32_t eqn, bool record,
			      uint32_t *number)
{
	uint8_t in[0x110] = { 0 }, out[16];
	uint8_t status;

	be16_put(in, 0, 0x400);
	be16_put(in, 2, (uint16_t)owner);
	field_put(in + 0x10, 0, 25, 25, record);
	be32_put(in + 0x10, 4, umem);
	field_put(in + 0x10, 3, 28, 24, 4);
	field_put(in + 0x10, 3, 23, 0, port->uar);
	field_put(in + 0x10, 5, 7, 0, eqn);
	be64_put(in, 0x50, at);
	be32_put(in, 0x58, umem);
	be32_put(in, 0x5c, 1u << 31);
	status = fixture_cmd(port, in, sizeof(in), out, sizeof(out));
	*number = be32_at(out, 8) & 0xffffff;
	return status;
}

static uint8_t create_cq(uint32_t owner, uint64_t at, uint32_t eqn, uint32_t *number)
{
	return create_cq_with(owner, at, eqn, true, number);
}

static int setup(void **state)
{
	fixture_setup(state);
	port = &((struct fixture *)*state)->port[0];
	memory = fixture_alloc(*state, 16384, 4096);
	uid = fixture_simple(port, 0xa04, 0, 0, 0);
	assert_int_equal(create_umem(uid, OFFSET, 2, &umem), 0);
	return 0;
}

static void test_umem(void **state)
{
	uint32_t other = fixture_simple(port, 0xa04, 0, 0, 0), number;

	(void)state;
	assert_int_equal(create_umem(0, 0, 2, &number), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(create_umem(uid, 4096, 2, &number), HCA_CMD_BAD_PARAM);
	assert_int_equal(create_umem(uid, 0, 3, &number), HCA_CMD_BAD_INPUT_LEN);
	assert_int_equal(create_umem(uid, 0, 0, &number), HCA_CMD_BAD_PARAM);
	assert_int_equal(destroy(0xa0a, other, umem), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(destroy(0xa06, 0, uid), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(destroy(0xa0a, uid, umem), 0);
	assert_int_equal(destroy(0xa0a, uid, umem), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(destroy(0xa06, 0, uid), 0);
	assert_int_equal(destroy(0xa06, 0, uid), HCA_CMD_BAD_RESOURCE);
}

static uint8_t create_big(uint32_t log_page, uint32_t page_offset, uint64_t pages, uint32_t *number)
{
	uint8_t in[0x40] = { 0 }, out[16];
	uint8_t status;

	be16_put(in, 0, 0xa08);
	be16_put(in, 2, (uint16_t)uid);
	be32_put(in, 0x20, log_page);
	be32_put(in, 0x24, page_offset);
	be64_put(in, 0x28, pages);
	be64_put(in, 0x30, memory);
	be64_put(in, 0x38, memory);
	status = fixture_cmd(port, in, sizeof(in), out, sizeof(out));
	*number = be32_at(out, 8) & 0xffffff;
	return status;
}

/* All that fits into the fields: five bits of page size, 32 of offset, 64 of count. */
static void test_sizes(void **state)
{
	uint32_t log_page, number, bit;

	(void)state;
	for (log_page = 0; log_page < 32; log_page++) {
		uint64_t page = (uint64_t)4096 << log_page;
		uint64_t used = port->hca->memory_used;
		uint32_t last = page > UINT32_MAX ? UINT32_MAX : (uint32_t)page - 1;

		assert_int_equal(create_big(log_page, last, 2, &number), 0);
		assert_int_equal(destroy(0xa0a, uid, number), 0);
		if (page <= UINT32_MAX)
			assert_int_equal(create_big(log_page, last + 1, 2, &number),
					 HCA_CMD_BAD_PARAM);
		for (bit = 2; bit < 64; bit++) {
			/* Bytes that do not fit into 63 bits, or more than the list has. */
			assert_int_equal(create_big(log_page, 0, (uint64_t)1 << bit, &number),
					 bit + log_page + 12 > 62 ? HCA_CMD_BAD_PARAM
								  : HCA_CMD_BAD_INPUT_LEN);
		}
		assert_int_equal(create_big(log_page, 0, UINT64_MAX, &number), HCA_CMD_BAD_PARAM);
		assert_true(port->hca->memory_used == used);
	}
}

/* Where a queue lies in a umem of 2^43-byte pages: any byte of it that is there. */
static void test_offsets(void **state)
{
	struct fixture_eq eq;
	uint32_t cqn, bit;

	(void)state;
	fixture_eq_create(port, 6, 0, 1, &eq);
	assert_int_equal(create_big(31, 0, 2, &umem), 0);
	for (bit = 12; bit < 64; bit++) {
		uint64_t at = (uint64_t)1 << bit;

		assert_int_equal(create_cq(uid, at, eq.number, &cqn),
				 bit < 44 ? 0 : HCA_CMD_BAD_RESOURCE);
	}
	assert_int_equal(create_cq(uid, ((uint64_t)1 << 44) - 1024, eq.number, &cqn), 0);
	assert_int_equal(create_cq(uid, ((uint64_t)1 << 44) - 1023, eq.number, &cqn),
			 HCA_CMD_BAD_RESOURCE);
	assert_int_equal(create_cq(uid, UINT64_MAX, eq.number, &cqn), HCA_CMD_BAD_RESOURCE);
}

/* A record must not go on in the page behind, which may be anybody's. */
static void test_record(void **state)
{
	uint32_t offset, cqn;
	struct fixture_eq eq;

	(void)state;
	fixture_eq_create(port, 6, 0, 1, &eq);
	for (offset = 0; offset < 16; offset++) {
		assert_int_equal(create_big(0, offset, 2, &umem), 0);
		assert_int_equal(create_cq(uid, 1024, eq.number, &cqn),
				 offset % 8 ? HCA_CMD_BAD_RESOURCE : 0);
	}
}

/* A bigger buffer in the umem; the old one is not used any more. */
static void test_resize(void **state)
{
	uint8_t in[0x110] = { 0 }, out[16];
	uint32_t cqn, bigger;
	struct fixture_eq eq;
	struct hca_cq *cq;

	(void)state;
	fixture_eq_create(port, 6, 0, 1, &eq);
	assert_int_equal(create_cq(uid, 1024, eq.number, &cqn), 0);
	assert_int_equal(create_umem(uid, 0, 2, &bigger), 0);
	be16_put(in, 0, 0x403);
	be16_put(in, 2, (uint16_t)uid);
	be16_put(in, 6, 1);
	be32_put(in, 8, cqn);
	be32_put(in, 12, 7);
	field_put(in + 0x10, 3, 28, 24, 5);
	be64_put(in, 0x50, 2048);
	be32_put(in, 0x58, bigger);
	be32_put(in, 0x5c, 1u << 31);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	cq = hca_table_get(&port->hca->cqs, cqn);
	assert_int_equal(cq->log_size, 5);
	assert_int_equal(hca_pages_addr(&cq->pages, 0), memory + 2048);
	assert_int_equal(destroy(0xa0a, uid, bigger), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(destroy(0x401, uid, cqn), 0);
	assert_int_equal(destroy(0xa0a, uid, bigger), 0);
	assert_int_equal(destroy(0xa0a, uid, umem), 0);
}

/* The CQ begins in the first page and ends in the second, which is elsewhere. */
static void test_cq(void **state)
{
	struct hca_cqe cqe = { .opcode = HCA_CQE_RESP_SEND, .qpn = 7 };
	struct fixture_eq eq;
	uint32_t cqn;
	unsigned int i;

	fixture_eq_create(port, 6, 0, 1, &eq);
	assert_int_equal(create_cq(uid + 1, 3456, eq.number, &cqn), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(create_cq(uid, 2 * 4096 - OFFSET - 1023, eq.number, &cqn),
			 HCA_CMD_BAD_RESOURCE);
	/* Its record would be anywhere in the guest's memory. */
	assert_int_equal(create_cq_with(uid, 3456, eq.number, false, &cqn), HCA_CMD_BAD_PARAM);
	assert_int_equal(create_cq(uid, 3456, eq.number, &cqn), 0);
	/* 3456 + OFFSET is 512 bytes before the end of the page: 8 entries, then the rest. */
	for (i = 0; i < 9; i++)
		hca_cq_post(port->hca, cqn, &cqe);
	assert_int_equal(be32_at(fixture_at(*state, memory + 4096 - 512), 0x38), 7);
	assert_int_equal(be32_at(fixture_at(*state, memory + 4096 - 64), 0x38), 7);
	assert_int_equal(be32_at(fixture_at(*state, memory + 4096), 0x38), 0);
	assert_int_equal(be32_at(fixture_at(*state, memory + 8192), 0x38), 7);
	/* The record at the umem's first byte: full, then not. */
	for (i = 9; i < 16; i++)
		hca_cq_post(port->hca, cqn, &cqe);
	be32_put(fixture_at(*state, memory + OFFSET), 0, 5);
	hca_cq_post(port->hca, cqn, &cqe);
	assert_false(((struct hca_cq *)hca_table_get(&port->hca->cqs, cqn))->overrun);
	be32_put(fixture_at(*state, memory + OFFSET), 0, 0);
	hca_cq_post(port->hca, cqn, &cqe);
	assert_true(((struct hca_cq *)hca_table_get(&port->hca->cqs, cqn))->overrun);

	assert_int_equal(destroy(0xa0a, uid, umem), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(destroy(0x401, uid, cqn), 0);
	assert_int_equal(destroy(0xa0a, uid, umem), 0);
}

static void test_qp(void **state)
{
	uint8_t in[0x110] = { 0 }, out[16];
	uint32_t pd, cqn;
	struct fixture_eq eq;
	struct hca_qp *qp;

	(void)state;
	fixture_eq_create(port, 6, 0, 1, &eq);
	assert_int_equal(create_cq(uid, 0, eq.number, &cqn), 0);
	pd = alloc_pd(uid);
	be16_put(in, 0, 0x500);
	be16_put(in, 2, (uint16_t)uid);
	field_put(in + 0x18, 1, 23, 0, pd);
	field_put(in + 0x18, 2, 14, 11, 4);
	field_put(in + 0x18, 3, 23, 0, port->uar);
	field_put(in + 0x18, 31, 23, 0, cqn);
	field_put(in + 0x18, 39, 23, 0, cqn);
	field_put(in + 0x18, 43, 26, 24, 3);
	be64_put(in + 0x18, 0xa0, 64);
	field_put(in + 0x18, 52, 28, 28, 1);
	be32_put(in + 0x18, 0xe4, umem);
	be64_put(in, 0x100, 4096 - OFFSET);
	be32_put(in, 0x108, umem);
	be32_put(in, 0x10c, 1u << 31);
	/* Its record would be anywhere in the guest's memory. */
	field_put(in + 0x18, 52, 28, 28, 0);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), HCA_CMD_BAD_PARAM);
	field_put(in + 0x18, 52, 28, 28, 1);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	qp = hca_table_get(&port->hca->qps, be32_at(out, 8) & 0xffffff);
	assert_non_null(qp);
	assert_int_equal(hca_pages_addr(&qp->pages, qp->sq_offset), memory + 8192);
	assert_int_equal(qp->dbr.addr, memory + OFFSET + 64);
	assert_int_equal(destroy(0xa0a, uid, umem), HCA_CMD_BAD_RES_STATE);
	/* What it names cannot go before it. */
	assert_int_equal(destroy(0x401, uid, cqn), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(destroy(0x801, uid, pd), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(destroy(0x501, uid, qp->number), 0);
	assert_int_equal(destroy(0x401, uid, cqn), 0);
	assert_int_equal(destroy(0x801, uid, pd), 0);
	assert_int_equal(destroy(0xa0a, uid, umem), 0);
}

/* DPDK and UCX have QPs without queues, which the device works on: no umem, no record, no CQ. */
static void test_qp_without_queues(void **state)
{
	uint8_t in[0x110] = { 0 }, out[16];
	struct hca_qp *qp;
	uint32_t pd = alloc_pd(uid);

	(void)state;
	be16_put(in, 0, 0x500);
	be16_put(in, 2, (uint16_t)uid);
	field_put(in + 0x18, 1, 23, 0, pd);
	field_put(in + 0x18, 2, 15, 15, 1);
	field_put(in + 0x18, 43, 26, 24, 3);
	be64_put(in + 0x18, 0xa0, memory);
	be32_put(in, 0x10c, 1u << 31);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	qp = hca_table_get(&port->hca->qps, be32_at(out, 8) & 0xffffff);
	assert_non_null(qp);
	/* What the context says is no address. */
	assert_int_equal(qp->dbr.addr, 0);
	assert_int_equal(destroy(0x501, uid, qp->number), 0);
	/* One block of a send queue is in a umem, or nowhere. */
	field_put(in + 0x18, 2, 15, 15, 0);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(destroy(0x801, uid, pd), 0);
}

static void test_flow_counter(void **state)
{
	uint32_t number = fixture_simple(port, 0x939, 0, 0, 0);
	uint8_t in[0x20] = { 0 }, out[0x20];

	(void)state;
	be16_put(in, 0, 0x93b);
	be32_put(in, 0x1c, number);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	assert_int_equal(be64_at(out, 0x10), 0);
	assert_int_equal(destroy(0x93a, 0, number), 0);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), HCA_CMD_BAD_RESOURCE);
}

static uint8_t reserve(uint16_t type, uint32_t log_range, uint32_t *qpn)
{
	uint8_t in[32] = { 0 }, out[16];
	uint8_t status;

	be16_put(in, 0, 0xa00);
	be16_put(in, 6, type);
	be32_put(in, 12, log_range << 24);
	status = fixture_cmd(port, in, sizeof(in), out, sizeof(out));
	*qpn = be32_at(out, 8);
	return status;
}

static void test_reserved_qpns(void **state)
{
	uint32_t first, second, i;

	(void)state;
	assert_int_equal(reserve(0x2d, 6, &first), HCA_CMD_BAD_PARAM);
	assert_int_equal(reserve(0x2c, 7, &first), HCA_CMD_BAD_PARAM);
	assert_int_equal(reserve(0x2c, 6, &first), 0);
	assert_int_equal(reserve(0x2c, 6, &second), 0);
	assert_int_equal(second, first + 64);
	/* Numbers of QPs are others. */
	assert_true(first >= port->hca->qps.limit);
	assert_int_equal(fixture_simple_status(port, 0xa03, 0x2c, first + 1, 0),
			 HCA_CMD_BAD_RESOURCE);
	assert_int_equal(fixture_simple_status(port, 0xa03, 0x2c, first, 0), 0);
	assert_int_equal(fixture_simple_status(port, 0xa03, 0x2c, first, 0), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(fixture_simple_status(port, 0xa03, 0x2d, second, 0), HCA_CMD_BAD_PARAM);
	assert_int_equal(fixture_simple_status(port, 0xa03, 0x2c, 64, 0), HCA_CMD_BAD_RESOURCE);
	for (i = 1; reserve(0x2c, 6, &first) == 0; i++)
		;
	/* As many as there are up to 1 << log_max_qp. */
	assert_int_equal(i, (1u << 17) / 64);
}

static void test_special_contexts(void **state)
{
	uint8_t in[16] = { 0 }, out[0x20];

	(void)state;
	be16_put(in, 0, 0x203);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	assert_true(field_get(port->hca->cap[0], 7, 7, 7));
	assert_int_equal(be32_at(out, 0x08), HCA_KEY_DUMP);
	assert_int_equal(be32_at(out, 0x10), HCA_KEY_NULL);
	assert_int_equal(be32_at(out, 0x14), HCA_LKEY_END);
	/* Programs ask with less room than the driver; they get the part that fits. */
	be16_put(in, 0, 0x100);
	be16_put(in, 6, 1);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	assert_memory_equal(out + 0x10, port->hca->cap[0], 16);
	be16_put(in, 0, 0x762);
	be16_put(in, 6, 0);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	assert_memory_equal(out + 0x10, port->hca->vport_context, 16);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_umem),
		TEST(test_sizes),
		TEST(test_offsets),
		TEST(test_record),
		TEST(test_resize),
		TEST(test_cq),
		TEST(test_qp),
		TEST(test_qp_without_queues),
		TEST(test_flow_counter),
		TEST(test_reserved_qpns),
		TEST(test_special_contexts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
