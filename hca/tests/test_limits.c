/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many objects there can be of each kind, and what a function without memory answers: the same
 * tests for all kinds. At a bound a command fails and has changed nothing; one object less makes
 * room for one.
 */
#include "hca/budget.h"
#include "hca/cmd.h"
#include "hca/flow_table.h"
#include "hca/general.h"
#include "hca/memic.h"
#include "hca/tests/fixture.h"

#define RDMA_RX 7u

static struct fixture_port *port;
static struct hca *hca;
/* What the objects under test name. */
static struct {
	uint32_t uid, eqn, cqn, srqn, qpn, table, group;
	uint64_t buf;
} named;
static uint64_t mailboxes; /* the fixture's memory from here on is used again for each command */

static uint8_t command(const uint8_t *in, uint32_t ilen, uint32_t *number)
{
	uint8_t out[32];
	uint8_t status;

	port->fixture->brk = mailboxes;
	status = fixture_cmd(port, in, ilen, out, sizeof(out));
	*number = be32_at(out, 8);
	return status;
}

struct kind {
	const char *name;
	uint16_t create, destroy;
	uint32_t ilen;
	/* Fills in what comes behind the opcode. @n counts the objects made. */
	void (*fill)(uint8_t *in, uint32_t n);
	/* The same for the command that destroys object @number, the @n-th; NULL: dw2 is enough. */
	void (*fill_destroy)(uint8_t *in, uint32_t number, uint32_t n);
	struct hca_table *(*table)(void);
	uint32_t limit; /* highest number + 1 */
};

#define TABLE(name, expression)                     \
	static struct hca_table *table_##name(void) \
	{                                           \
		return expression;                  \
	}

TABLE(uar, &hca->uars)
TABLE(pd, &hca->pds)
TABLE(xrcd, &hca->xrcds)
TABLE(uctx, &hca->uctxs)
TABLE(counter, &hca->flow_counters)
TABLE(q_counter, &hca->q_counters)
TABLE(qpns, &hca->reserved_qpns)
TABLE(sched, &hca->scheds)
TABLE(mapping, &hca->av_mappings)
TABLE(rdma_ctrl, &hca->rdma_ctrls)
TABLE(memic, &hca->memics)
TABLE(umem, &hca->umems)
TABLE(eq, &hca->eqs)
TABLE(cq, &hca->cqs)
TABLE(srq, &hca->srqs)
TABLE(qp, &hca->qps)
TABLE(mkey, &hca->mkeys)
TABLE(flow_table, &hca->flow_tables)

static struct hca_flow_table *flow_table(void)
{
	return hca_table_get(&hca->flow_tables, named.table);
}

TABLE(group, &flow_table()->groups)
TABLE(entry, &flow_table()->entries)

static void fill_qpns(uint8_t *in, uint32_t n)
{
	(void)n;
	be16_put(in, 6, HCA_OBJECT_RESERVED_QPN);
}

static void destroy_qpns(uint8_t *in, uint32_t number, uint32_t n)
{
	fill_qpns(in, n);
	be32_put(in, 8, number);
}

/* Roots of trees. */
static void fill_sched(uint8_t *in, uint32_t n)
{
	(void)n;
	be16_put(in, 6, HCA_OBJECT_SCHEDULING_ELEMENT);
	in[0x18] = 3;
}

static void destroy_sched(uint8_t *in, uint32_t number, uint32_t n)
{
	fill_sched(in, n);
	be32_put(in, 8, number);
}

/* All of one QP. */
static void fill_mapping(uint8_t *in, uint32_t n)
{
	(void)n;
	be16_put(in, 6, HCA_OBJECT_AV_QP_MAPPING);
	be32_put(in, 0x1c, named.qpn);
}

static void destroy_mapping(uint8_t *in, uint32_t number, uint32_t n)
{
	fill_mapping(in, n);
	be32_put(in, 8, number);
}

/* Of the function itself. */
static void fill_rdma_ctrl(uint8_t *in, uint32_t n)
{
	(void)n;
	be16_put(in, 6, HCA_OBJECT_RDMA_CTRL);
}

static void destroy_rdma_ctrl(uint8_t *in, uint32_t number, uint32_t n)
{
	fill_rdma_ctrl(in, n);
	be32_put(in, 8, number);
}

static void fill_memic(uint8_t *in, uint32_t n)
{
	be64_put(in, 0x10, HCA_MEMIC_OFFSET + (uint64_t)n * HCA_MEMIC_UNIT);
	be32_put(in, 0x18, HCA_MEMIC_UNIT);
	be32_put(in, 0x1c, HCA_MEMIC_UNIT);
}

static void destroy_memic(uint8_t *in, uint32_t number, uint32_t n)
{
	(void)number;
	be64_put(in, 0x10, HCA_MEMIC_OFFSET + (uint64_t)n * HCA_MEMIC_UNIT);
	be32_put(in, 0x18, HCA_MEMIC_UNIT);
}

static void fill_umem(uint8_t *in, uint32_t n)
{
	(void)n;
	be16_put(in, 2, (uint16_t)named.uid);
	be64_put(in, 0x28, 1);
	be64_put(in, 0x30, named.buf);
}

static void destroy_umem(uint8_t *in, uint32_t number, uint32_t n)
{
	(void)n;
	be16_put(in, 2, (uint16_t)named.uid);
	be32_put(in, 8, number);
}

static void fill_eq(uint8_t *in, uint32_t n)
{
	(void)n;
	field_put(in + 0x10, 3, 23, 0, port->kernel_uar);
	be64_put(in, 0x110, named.buf);
}

static void fill_cq(uint8_t *in, uint32_t n)
{
	(void)n;
	field_put(in + 0x10, 3, 23, 0, port->uar);
	field_put(in + 0x10, 5, 7, 0, named.eqn);
	be64_put(in, 0x110, named.buf);
}

static void fill_srq(uint8_t *in, uint32_t n)
{
	(void)n;
	field_put(in + 0x10, 6, 23, 0, port->pd);
	be64_put(in, 0x110, named.buf);
}

static void fill_qp(uint8_t *in, uint32_t n)
{
	(void)n;
	field_put(in + 0x18, 0, 23, 16, HCA_QP_UD);
	field_put(in + 0x18, 1, 23, 0, port->pd);
	field_put(in + 0x18, 3, 23, 0, port->uar);
	field_put(in + 0x18, 31, 23, 0, named.cqn);
	field_put(in + 0x18, 43, 26, 24, 3);
	be64_put(in, 0x110, named.buf);
}

static void fill_dct(uint8_t *in, uint32_t n)
{
	(void)n;
	field_put(in + 0x10, 2, 23, 0, named.cqn);
	field_put(in + 0x10, 5, 23, 0, named.srqn);
	field_put(in + 0x10, 6, 23, 0, port->pd);
}

/* A DCT is drained first. */
static void destroy_dct(uint8_t *in, uint32_t number, uint32_t n)
{
	(void)n;
	assert_int_equal(fixture_simple_status(port, 0x712, 0, number, 0), 0);
	be32_put(in, 8, number);
}

static void fill_mkey(uint8_t *in, uint32_t n)
{
	(void)n;
	be32_put(in, 0x10, 1u << 8);
	be32_put(in, 0x10 + 14 * 4, 12);
	be32_put(in, 0x60, 4);
}

static void fill_flow_table(uint8_t *in, uint32_t n)
{
	(void)n;
	in[0x10] = RDMA_RX;
}

static void destroy_flow_table(uint8_t *in, uint32_t number, uint32_t n)
{
	fill_flow_table(in, n);
	field_put(in, 5, 23, 0, number & 0xffffff);
}

static void fill_group(uint8_t *in, uint32_t n)
{
	in[0x10] = RDMA_RX;
	field_put(in, 5, 23, 0, named.table);
	be32_put(in, 0x1c, 100 + n);
	be32_put(in, 0x24, 100 + n);
}

static void destroy_group(uint8_t *in, uint32_t number, uint32_t n)
{
	(void)n;
	in[0x10] = RDMA_RX;
	field_put(in, 5, 23, 0, named.table);
	be32_put(in, 0x18, number & 0xffffff);
}

static void fill_entry(uint8_t *in, uint32_t n)
{
	in[0x10] = RDMA_RX;
	field_put(in, 5, 23, 0, named.table);
	be32_put(in, 0x20, n);
	be32_put(in, 0x44, named.group);
	field_put(in + 0x40, 3, 15, 0, 1); /* allow */
}

static void destroy_entry(uint8_t *in, uint32_t number, uint32_t n)
{
	(void)number;
	in[0x10] = RDMA_RX;
	field_put(in, 5, 23, 0, named.table);
	be32_put(in, 0x20, n);
}

#define NUMBER_ONLY NULL, NULL
static const struct kind kinds[] = {
	{ "UAR", 0x802, 0x803, 16, NUMBER_ONLY, table_uar, 4096 - 3 * 256 },
	{ "PD", 0x800, 0x801, 16, NUMBER_ONLY, table_pd, 1u << 16 },
	{ "XRCD", 0x80e, 0x80f, 16, NUMBER_ONLY, table_xrcd, 1u << 16 },
	{ "UCTX", 0xa04, 0xa06, 16, NUMBER_ONLY, table_uctx, 0xffff },
	{ "counter", 0x939, 0x93a, 16, NUMBER_ONLY, table_counter, 1u << 16 },
	{ "Q counter", 0x771, 0x772, 16, NUMBER_ONLY, table_q_counter, 256 },
	{ "QP numbers", 0xa00, 0xa03, 16, fill_qpns, destroy_qpns, table_qpns, 2049 },
	{ "MEMIC", 0x205, 0x206, 0x20, fill_memic, destroy_memic, table_memic, 16385 },
	{ "umem", 0xa08, 0xa0a, 0x38, fill_umem, destroy_umem, table_umem, 1u << 18 },
	{ "EQ", 0x301, 0x302, 0x118, fill_eq, NULL, table_eq, 256 },
	{ "CQ", 0x400, 0x401, 0x118, fill_cq, NULL, table_cq, 1u << 16 },
	{ "SRQ", 0x700, 0x701, 0x118, fill_srq, NULL, table_srq, 1u << 16 },
	{ "QP", 0x500, 0x501, 0x118, fill_qp, NULL, table_qp, 1u << 17 },
	{ "DCT", 0x710, 0x711, 0x50, fill_dct, destroy_dct, table_qp, 1u << 17 },
	{ "mkey", 0x200, 0x202, 0x150, fill_mkey, NULL, table_mkey, 1u << 24 },
	{ "table", 0x930, 0x931, 0x40, fill_flow_table, destroy_flow_table, table_flow_table,
	  1025 },
	{ "group", 0x933, 0x934, 0x400, fill_group, destroy_group, table_group, 1025 },
	{ "entry", 0x936, 0x938, 0x340, fill_entry, destroy_entry, table_entry, 65537 },
	{ "sched", 0xa00, 0xa03, 0x90, fill_sched, destroy_sched, table_sched, 1u << 12 },
	{ "mapping", 0xa00, 0xa03, 0x50, fill_mapping, destroy_mapping, table_mapping, 1u << 16 },
	{ "rdma_ctrl", 0xa00, 0xa03, 0x20, fill_rdma_ctrl, destroy_rdma_ctrl, table_rdma_ctrl,
	  1u << 12 },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static uint8_t create(const struct kind *kind, uint32_t n, uint32_t *number)
{
	uint8_t in[0x400] = { 0 };

	be16_put(in, 0, kind->create);
	if (kind->fill)
		kind->fill(in, n);
	return command(in, kind->ilen, number);
}

static uint8_t destroy(const struct kind *kind, uint32_t number, uint32_t n)
{
	uint8_t in[0x40] = { 0 };
	uint32_t unused;

	be16_put(in, 0, kind->destroy);
	if (kind->fill_destroy)
		kind->fill_destroy(in, number, n);
	else
		be32_put(in, 8, number);
	return command(in, sizeof(in), &unused);
}

static int setup(void **state)
{
	uint8_t in[0x400] = { 0 };

	fixture_setup(state);
	port = &((struct fixture *)*state)->port[0];
	hca = port->hca;
	named.buf = fixture_alloc(*state, 4096, 4096);
	mailboxes = ((struct fixture *)*state)->brk;
	assert_int_equal(create(&kinds[3], 0, &named.uid), 0);
	assert_int_equal(create(&kinds[9], 0, &named.eqn), 0);
	named.eqn &= 0xff;
	assert_int_equal(create(&kinds[10], 0, &named.cqn), 0);
	assert_int_equal(create(&kinds[11], 0, &named.srqn), 0);
	assert_int_equal(create(&kinds[12], 0, &named.qpn), 0);
	be16_put(in, 0, 0x930);
	in[0x10] = RDMA_RX;
	field_put(in + 0x18, 0, 7, 0, HCA_FLOW_LOG_SIZE);
	assert_int_equal(command(in, 0x40, &named.table), 0);
	named.table &= 0xffffff;
	be16_put(in, 0, 0x933);
	field_put(in, 5, 23, 0, named.table);
	field_put(in, 6, 31, 0, 0);
	be32_put(in, 0x24, 99);
	assert_int_equal(command(in, sizeof(in), &named.group), 0);
	named.group &= 0xffffff;
	return 0;
}

/* Numbers: the stated limit is the table's, and holds. */
static void test_numbers(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < KINDS; i++) {
		const struct kind *kind = &kinds[i];
		struct hca_table *table = kind->table();
		uint32_t limit = table->limit, number[2], n, unused, count;
		uint64_t used;

		print_message("%s\n", kind->name);
		assert_int_equal(limit, kind->limit);
		/* The first two free numbers are the last two now. */
		assert_int_equal(create(kind, 0, &number[0]), 0);
		assert_int_equal(create(kind, 1, &number[1]), 0);
		for (n = limit; n-- && !hca_table_get(table, n);)
			;
		table->limit = n + 1;
		used = hca->memory_used;
		count = table->count;
		/* Free numbers below: only the last two are known to be taken. */
		for (n = 2; create(kind, n, &unused) == 0; n++)
			assert_in_range(table->count, count + 1, table->limit - 1);
		assert_int_equal(create(kind, n, &unused), HCA_CMD_LIMIT);
		assert_int_equal(table->count, count + n - 2);
		assert_true(hca->memory_used >= used);
		used = hca->memory_used;
		assert_int_equal(destroy(kind, number[0], 0), 0);
		assert_int_equal(create(kind, 0, &number[0]), 0);
		assert_true(hca->memory_used == used);
		assert_int_equal(create(kind, n, &unused), HCA_CMD_LIMIT);
		assert_true(hca->memory_used == used);
		assert_int_equal(destroy(kind, number[0], 0), 0);
		assert_int_equal(destroy(kind, number[1], 1), 0);
		table->limit = limit;
	}
}

/* Memory: whatever of a command finds none, the answer is the same and nothing has changed. */
static void test_memory(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < KINDS; i++) {
		const struct kind *kind = &kinds[i];
		uint64_t memory = hca->params.memory, used = hca->memory_used, more;
		uint32_t first, number, n, count = kind->table()->count, refused = 0;
		uint8_t status = HCA_CMD_NO_RESOURCES;

		print_message("%s\n", kind->name);
		for (more = 0; status; more += 8) {
			hca->params.memory = used + more;
			status = create(kind, 1, &first);
			if (!status)
				break;
			/* "No resources" would make the driver try another place. */
			if (kind->table != table_memic || status != HCA_CMD_LIMIT)
				assert_int_equal(status, HCA_CMD_NO_RESOURCES);
			assert_int_equal(kind->table()->count, count);
			assert_true(hca->memory_used == used);
			refused++;
		}
		assert_in_range(refused, 1, 100000);
		assert_int_equal(kind->table()->count, count + 1);
		/* As many as there is room for; with no byte left, one less makes room for one. */
		for (n = 2; create(kind, n, &number) == 0; n++)
			assert_true(n < 1000);
		hca->params.memory = hca->memory_used;
		assert_int_equal(destroy(kind, first, 1), 0);
		/* The entries of a key are there twice while it is made. */
		if (kind->table == table_mkey)
			hca->params.memory += 64;
		assert_int_equal(create(kind, 1, &first), 0);
		assert_in_range(hca->memory_used, used, hca->params.memory);
		hca->params.memory = memory;
		fixture_teardown(state);
		setup(state);
	}
}

/* What a umem's queues need of its page list: nothing. */
static void test_shared_pages(void **state)
{
	enum { PAGES = 4096 };
	static uint8_t in[0x30 + 8 * PAGES];
	uint8_t cq[0x110] = { 0 };
	uint32_t umem, first, cqn, n;
	uint64_t used;

	(void)state;
	be16_put(in, 0, 0xa08);
	be16_put(in, 2, (uint16_t)named.uid);
	be64_put(in, 0x28, PAGES);
	assert_int_equal(command(in, sizeof(in), &umem), 0);
	be16_put(cq, 0, 0x400);
	be16_put(cq, 2, (uint16_t)named.uid);
	field_put(cq + 0x10, 3, 23, 0, port->uar);
	field_put(cq + 0x10, 5, 7, 0, named.eqn);
	field_put(cq + 0x10, 0, 25, 25, 1);
	be32_put(cq + 0x10, 4, umem);
	be32_put(cq, 0x58, umem);
	be32_put(cq, 0x5c, 1u << 31);
	used = hca->memory_used;
	for (n = 0; n < 50; n++)
		assert_int_equal(command(cq, sizeof(cq), n ? &cqn : &first), 0);
	assert_true(hca->memory_used - used <= 50 * sizeof(struct hca_cq));
	assert_ptr_equal(((struct hca_cq *)hca_table_get(&hca->cqs, cqn & 0xffffff))->pages.list,
			 ((struct hca_cq *)hca_table_get(&hca->cqs, first & 0xffffff))->pages.list);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_numbers),
		TEST(test_memory),
		TEST(test_shared_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
