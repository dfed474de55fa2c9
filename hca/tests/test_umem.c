/* SPDX-License-Identifier: GPL-2.0-only */
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
	be64_put(in, 0x30, memory | 3);
	be64_put(in, 0x38, memory | 3);
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

/* --- keys of umems ------------------------------------------------------------------------ */

#define KEY_START 0x7f0000000000u
#define UMEM_SIZE (8192u - OFFSET)

struct key_attr {
	uint32_t owner, umem, mode;
	bool valid, length64; /* mkey_umem_valid */
	uint64_t offset, len;
	uint32_t octwords;
};

/* As DPDK has it: the count of octwords is no count, and what is in their place no entries. */
static uint8_t create_key(const struct key_attr *attr, uint32_t pd, uint32_t *key)
{
	uint8_t in[0x130] = { 0 }, out[16], *mkc = in + 0x10;
	uint8_t status;

	be16_put(in, 0, 0x200);
	be16_put(in, 2, (uint16_t)attr->owner);
	field_put(in, 3, 30, 30, attr->valid);
	be32_put(mkc, 0, FIXTURE_ALL | 1u << 15 | attr->mode << 8);
	be32_put(mkc, 4, 0xffffff00 | 0x5a);
	be32_put(mkc, 12, (uint32_t)attr->length64 << 31 | pd);
	be64_put(mkc, 0x10, KEY_START);
	be64_put(mkc, 0x18, attr->len);
	be32_put(mkc, 13 * 4, attr->octwords);
	be32_put(mkc, 14 * 4, 12);
	be32_put(in, 0x60, attr->octwords);
	be32_put(in, 0x64, attr->umem);
	be64_put(in, 0x68, attr->offset);
	be64_put(in, 0x110, (memory + 4096) | 3);
	be64_put(in, 0x118, (memory + 4096) | 3);
	status = fixture_cmd(port, in, sizeof(in), out, sizeof(out));
	*key = (be32_at(out, 8) & 0xffffff) << 8 | 0x5a;
	return status;
}

static void test_key(void **state)
{
	struct key_attr attr = {
		.owner = uid,
		.umem = umem,
		.mode = 1,
		.valid = true,
		.len = UMEM_SIZE,
		.octwords = UINT32_MAX,
	};
	struct hca_accessor who = { .pd = alloc_pd(uid) };
	uint8_t data[UMEM_SIZE], back[UMEM_SIZE], *host = fixture_at(*state, memory);
	uint32_t key, i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	assert_int_equal(create_key(&attr, who.pd, &key), 0);
	memset(host, 0xff, 16384);
	assert_int_equal(fixture_mkey_write(port->hca, &who, key, KEY_START, data, UMEM_SIZE,
					    HCA_REMOTE_WRITE),
			 HCA_OK);
	/* The umem begins in the middle of its first page; the second one is elsewhere. */
	assert_memory_equal(host + OFFSET, data, 4096 - OFFSET);
	assert_memory_equal(host + 8192, data + 4096 - OFFSET, 4096);
	for (i = 0; i < OFFSET; i++)
		assert_int_equal(host[i], 0xff);
	for (i = 4096; i < 8192; i++)
		assert_int_equal(host[i], 0xff);
	assert_int_equal(
		fixture_mkey_read(port->hca, &who, key, KEY_START, back, UMEM_SIZE, HCA_LOCAL_READ),
		HCA_OK);
	assert_memory_equal(back, data, UMEM_SIZE);
	/* One byte past the end, and one in front. */
	assert_int_equal(
		hca_mkey_check(port->hca, &who, key, KEY_START, UMEM_SIZE + 1, HCA_LOCAL_READ),
		HCA_DENIED_KEY);
	assert_int_equal(hca_mkey_check(port->hca, &who, key, KEY_START - 1, 1, HCA_LOCAL_READ),
			 HCA_DENIED_KEY);
	/* Whatever becomes of its context, there is no byte behind the umem. */
	field_put(((struct hca_mkey *)hca_table_get(&port->hca->mkeys, key >> 8))->mkc, 3, 31, 31,
		  1);
	assert_int_equal(
		hca_mkey_check(port->hca, &who, key, KEY_START + UMEM_SIZE - 1, 1, HCA_LOCAL_READ),
		HCA_OK);
	assert_int_equal(
		hca_mkey_check(port->hca, &who, key, KEY_START + UMEM_SIZE, 1, HCA_LOCAL_READ),
		HCA_DENIED_KEY);
	assert_int_equal(hca_mkey_check(port->hca, &who, key, KEY_START - 1, 1, HCA_LOCAL_READ),
			 HCA_DENIED_KEY);
	/* What a key names stays. */
	assert_int_equal(destroy(0xa0a, uid, umem), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(destroy(0x202, uid, key >> 8), 0);
	assert_int_equal(destroy(0xa0a, uid, umem), 0);
}

/* Of a part: at the end of the umem, and a byte beyond. */
static void test_key_bounds(void **state)
{
	uint32_t other = fixture_simple(port, 0xa04, 0, 0, 0), pd = alloc_pd(uid), key, i;
	const struct key_attr good = {
		.owner = uid,
		.umem = umem,
		.mode = 1,
		.valid = true,
		.offset = 4096,
		.len = 100,
	};
	const struct {
		struct key_attr attr;
		uint8_t status;
	} cases[] = {
		{ { uid, umem, 1, true, false, 0, UMEM_SIZE, 0 }, 0 },
		{ { uid, umem, 1, true, false, 0, UMEM_SIZE + 1, 0 }, HCA_CMD_BAD_RESOURCE },
		{ { uid, umem, 1, true, false, UMEM_SIZE - 1, 1, 0 }, 0 },
		{ { uid, umem, 1, true, false, UMEM_SIZE, 1, 0 }, HCA_CMD_BAD_RESOURCE },
		{ { uid, umem, 1, true, false, UINT64_MAX, 2, 0 }, HCA_CMD_BAD_RESOURCE },
		{ { uid, umem, 1, true, false, 1, UINT64_MAX, 0 }, HCA_CMD_BAD_RESOURCE },
		/* No such umem, another's, the driver's command. */
		{ { uid, umem + 1, 1, true, false, 0, 100, 0 }, HCA_CMD_BAD_RESOURCE },
		{ { other, umem, 1, true, false, 0, 100, 0 }, HCA_CMD_BAD_RESOURCE },
		{ { 0, umem, 1, true, false, 0, 100, 0 }, HCA_CMD_BAD_RESOURCE },
		/* DMA addresses: by entries, by a PA key, by all of the address space, MEMIC. */
		{ { uid, umem, 1, false, false, 0, 100, 1 }, HCA_CMD_BAD_PARAM },
		{ { uid, umem, 0, true, false, 0, 100, 0 }, HCA_CMD_BAD_PARAM },
		{ { uid, umem, 0, false, false, 0, 100, 0 }, HCA_CMD_BAD_PARAM },
		{ { uid, umem, 1, true, true, 0, 100, 0 }, HCA_CMD_BAD_PARAM },
	};
	struct hca_accessor who = { .pd = pd };
	uint64_t used;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		used = port->hca->memory_used;
		assert_int_equal(create_key(&cases[i].attr, pd, &key), cases[i].status);
		if (!cases[i].status)
			assert_int_equal(destroy(0x202, uid, key >> 8), 0);
		assert_true(port->hca->memory_used == used);
	}
	assert_int_equal(create_key(&good, pd, &key), 0);
	memset(fixture_at(*state, memory), 0xff, 16384);
	assert_int_equal(
		fixture_mkey_write(port->hca, &who, key, KEY_START, "a", 1, HCA_LOCAL_WRITE),
		HCA_OK);
	assert_int_equal(*(char *)fixture_at(*state, memory + 8192 + OFFSET), 'a');
	/* Another context cannot end it. */
	assert_int_equal(destroy(0x202, other, key >> 8), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(destroy(0x202, uid, key >> 8), 0);
	assert_int_equal(destroy(0xa0a, uid, umem), 0);
}

static uint8_t create_read_only(uint32_t *number)
{
	uint8_t in[0x40] = { 0 }, out[16];
	uint8_t status;

	be16_put(in, 0, 0xa08);
	be16_put(in, 2, (uint16_t)uid);
	be64_put(in, 0x28, 2);
	be64_put(in, 0x30, memory | 1);
	be64_put(in, 0x38, (memory + 8192) | 3);
	status = fixture_cmd(port, in, sizeof(in), out, sizeof(out));
	*number = be32_at(out, 8) & 0xffffff;
	return status;
}

/* A program may have registered what it may only read: nothing gets written there. */
static void test_read_only(void **state)
{
	struct hca_cqe cqe = { .opcode = HCA_CQE_RESP_SEND, .qpn = 7 };
	struct key_attr attr = { .owner = uid, .mode = 1, .valid = true, .len = 8192 };
	struct hca_accessor who = { .pd = alloc_pd(uid) };
	uint8_t data[8192] = { 0 }, *host = fixture_at(*state, memory);
	struct fixture_eq eq;
	uint32_t key, cqn, i;

	assert_int_equal(create_read_only(&attr.umem), 0);
	assert_int_equal(create_key(&attr, who.pd, &key), 0);
	memset(host, 0xff, 16384);
	assert_int_equal(hca_mkey_check(port->hca, &who, key, KEY_START, 8192, HCA_REMOTE_READ),
			 HCA_OK);
	assert_int_equal(fixture_mkey_write(port->hca, &who, key, KEY_START + 4095, data, 2,
					    HCA_REMOTE_WRITE),
			 HCA_DENIED_KEY);
	assert_int_equal(fixture_mkey_write(port->hca, &who, key, KEY_START + 4096, data, 4096,
					    HCA_REMOTE_WRITE),
			 HCA_OK);
	for (i = 0; i < 4096; i++)
		assert_int_equal(host[i], 0xff);
	/* The same for a CQ: the record is only read, its entries are written. */
	memset(host, 0, 4096);
	umem = attr.umem;
	fixture_eq_create(port, 6, 0, 1, &eq);
	assert_int_equal(create_cq(uid, 4096 - 64, eq.number, &cqn), 0);
	hca_cq_post(port->hca, cqn, &cqe);
	hca_cq_post(port->hca, cqn, &cqe);
	for (i = 0; i < 4096; i++)
		assert_int_equal(host[i], 0);
	assert_int_equal(be32_at(host + 8192, 0x38), 7);
}

/* UMRs: nobody loads entries into a key of a umem, not even the driver. */
static void test_key_umr(void **state)
{
	struct key_attr attr = { .owner = uid, .umem = umem, .mode = 1, .valid = true, .len = 100 };
	struct hca_accessor who = { .pd = alloc_pd(uid) };
	uint8_t umr[48] = { 0 }, mkc[64] = { 0 }, entries[64] = { 0 };
	struct hca_mkey *mkey;
	uint32_t key;

	(void)state;
	assert_int_equal(create_key(&attr, who.pd, &key), 0);
	mkey = hca_table_get(&port->hca->mkeys, key >> 8);
	be16_put(umr, 4, 4);
	be64_put(entries, 0, memory + 4096);
	assert_int_equal(hca_umr_apply(port->hca, &who, key, umr, mkc, entries, sizeof(entries)),
			 HCA_SYND_MW_BIND);
	assert_int_equal(mkey->xlt.octwords, 0);
	/* Fewer bytes are all right. */
	be16_put(umr, 4, 0);
	be64_put(umr, 8, 1);
	be64_put(mkc, 0x18, 50);
	assert_int_equal(hca_umr_apply(port->hca, &who, key, umr, mkc, NULL, 0), HCA_SYND_NONE);
	assert_int_equal(hca_mkey_check(port->hca, &who, key, KEY_START, 51, HCA_LOCAL_READ),
			 HCA_DENIED_KEY);
	assert_int_equal(hca_mkey_check(port->hca, &who, key, KEY_START, 50, HCA_LOCAL_READ),
			 HCA_OK);
	/* A reset drops what is in use as well. */
	fixture_simple(port, 0x103, 0, 0, 0);
	assert_null(hca_table_get(&port->hca->mkeys, key >> 8));
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
		TEST(test_key),
		TEST(test_key_bounds),
		TEST(test_read_only),
		TEST(test_key_umr),
		TEST(test_flow_counter),
		TEST(test_reserved_qpns),
		TEST(test_special_contexts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
