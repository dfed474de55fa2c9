/* SPDX-License-Identifier: GPL-2.0-only */
/* Device memory: allocation, keys of it, data, and what is refused. */
#include "hca/memic.h"
#include "hca/tests/traffic.h"

static uint8_t alloc(struct fixture_port *port, uint64_t start, uint32_t range, uint32_t size,
		     uint8_t log_align, uint64_t *addr)
{
	uint8_t in[0x20] = { 0 }, out[16];
	uint8_t status;

	be16_put(in, 0, 0x205);
	in[15] = log_align;
	be64_put(in, 0x10, start);
	be32_put(in, 0x18, range);
	be32_put(in, 0x1c, size);
	status = fixture_cmd(port, in, sizeof(in), out, sizeof(out));
	*addr = be64_at(out, 8);
	return status;
}

static uint8_t dealloc(struct fixture_port *port, uint64_t start, uint32_t size)
{
	uint8_t in[0x20] = { 0 }, out[16];

	be16_put(in, 0, 0x206);
	be64_put(in, 0x10, start);
	be32_put(in, 0x18, size);
	return fixture_cmd(port, in, sizeof(in), out, sizeof(out));
}

static uint8_t create_key(struct fixture_port *port, uint64_t start, uint64_t len, uint32_t *key)
{
	uint8_t in[0x110] = { 0 }, out[16];
	uint8_t status;

	be16_put(in, 0, 0x200);
	/* access_mode 5: 4_2 is 1, 1_0 is 1 */
	be32_put(in, 0x10, FIXTURE_ALL | 1u << 26 | 1u << 8);
	be32_put(in, 0x14, 0xffffff77);
	be32_put(in, 0x1c, port->pd);
	be64_put(in, 0x20, start);
	be64_put(in, 0x28, len);
	status = fixture_cmd(port, in, sizeof(in), out, sizeof(out));
	*key = (be32_at(out, 8) & 0xffffff) << 8 | 0x77;
	return status;
}

static void test_alloc(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint64_t addr;

	assert_int_equal(alloc(port, HCA_MEMIC_OFFSET, 4096, 4096, 0, &addr), 0);
	assert_int_equal(addr, HCA_MEMIC_OFFSET);
	/* Taken; the next page is not, and its alignment is the device's to see to. */
	assert_int_equal(alloc(port, HCA_MEMIC_OFFSET, 8192, 8192, 0, &addr), HCA_CMD_NO_RESOURCES);
	assert_int_equal(alloc(port, HCA_MEMIC_OFFSET + 4096 + 64, 4032, 2048, 5, &addr), 0);
	assert_int_equal(addr, HCA_MEMIC_OFFSET + 4096 + 2048);
	assert_int_equal(alloc(port, HCA_MEMIC_OFFSET - 4096, 4096, 4096, 0, &addr),
			 HCA_CMD_BAD_PARAM);
	assert_int_equal(alloc(port, HCA_MEMIC_OFFSET + 8192, 4096, 8192, 0, &addr),
			 HCA_CMD_BAD_PARAM);
	assert_int_equal(alloc(port, HCA_MEMIC_OFFSET + 8192, 4096, 100, 0, &addr),
			 HCA_CMD_BAD_PARAM);
	assert_int_equal(
		alloc(port, HCA_MEMIC_OFFSET + HCA_MEMIC_SIZE - 4096, 8192, 8192, 0, &addr),
		HCA_CMD_BAD_PARAM);
	assert_int_equal(alloc(port, HCA_MEMIC_OFFSET + 8192, 4096, 4096, 7, &addr),
			 HCA_CMD_BAD_PARAM);
	assert_int_equal(dealloc(port, HCA_MEMIC_OFFSET, 2048), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(dealloc(port, HCA_MEMIC_OFFSET, 4096), 0);
	assert_int_equal(dealloc(port, HCA_MEMIC_OFFSET, 4096), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(port->hca->memics.count, 1);
}

/* A write to the key is in the window and nowhere else; the next owner finds zeroes. */
static void test_data(void **state)
{
	struct fixture *f = *state;
	uint8_t *memory;
	uint64_t addr;
	uint32_t key;
	struct end a, b;

	end_create(&a, &f->port[0], HCA_QP_RC, 0);
	end_create(&b, &f->port[1], HCA_QP_RC, 0);
	fixture_qp_connect(a.port, &a.qp, b.port, &b.qp);
	fill(&a, 0, 4096, 9);
	assert_int_equal(alloc(b.port, HCA_MEMIC_OFFSET + 4096, 4096, 4096, 0, &addr), 0);
	assert_int_equal(create_key(b.port, addr + 64, 4096, &key), HCA_CMD_BAD_PARAM);
	assert_int_equal(create_key(b.port, addr + 64, 1000, &key), 0);
	memory = hca_memic_at(b.port->hca, addr);

	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, 100, key, a.buf, a.lkey, 500);
	fixture_poll(f);
	expect_done(&a, 0);
	assert_memory_equal(memory + 164, at(&a, 0), 500);
	assert_int_equal(memory[163], 0);
	assert_int_equal(memory[664], 0);
	post_rdma(&a, HCA_OP_READ, SIGNALLED, 0, 100, key, a.buf + 8192, a.lkey, 500);
	fixture_poll(f);
	expect_done(&a, 1);
	assert_memory_equal(at(&a, 8192), at(&a, 0), 500);

	assert_int_equal(dealloc(b.port, addr, 4096), HCA_CMD_BAD_RES_STATE);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, 900, key, a.buf, a.lkey, 101);
	fixture_poll(f);
	expect_error(&a, 2, HCA_SYND_REMOTE_ACCESS);
	assert_int_equal(memory[964], 0);
	assert_int_equal(fixture_simple_status(b.port, 0x202, 0, key >> 8, 0), 0);
	assert_int_equal(dealloc(b.port, addr, 4096), 0);
	assert_int_equal(memory[164], 0);
}

/* A key that a UMR moves is one of the allocation that it names now; a free one is of none. */
static void test_moved_key(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	struct hca_accessor who = { .pd = port->pd, .qpn = 1 };
	uint64_t first, second, mask_start = 1u << 6, mask_free = 1u << 29;
	uint8_t umr[48] = { 0 }, mkc[64] = { 0 };
	uint32_t key;

	assert_int_equal(alloc(port, HCA_MEMIC_OFFSET, 4096, 4096, 0, &first), 0);
	assert_int_equal(alloc(port, HCA_MEMIC_OFFSET + 4096, 4096, 4096, 0, &second), 0);
	assert_int_equal(create_key(port, first, 64, &key), 0);
	assert_int_equal(dealloc(port, first, 4096), HCA_CMD_BAD_RES_STATE);
	be64_put(umr, 8, mask_start);
	be64_put(mkc, 0x10, second);
	assert_int_equal(hca_umr_apply(port->hca, &who, key, umr, mkc, NULL, 0), 0);
	assert_int_equal(dealloc(port, second, 4096), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(dealloc(port, first, 4096), 0);
	be64_put(umr, 8, mask_free);
	field_put(mkc, 0, 30, 30, 1);
	assert_int_equal(hca_umr_apply(port->hca, &who, key, umr, mkc, NULL, 0), 0);
	assert_int_equal(dealloc(port, second, 4096), 0);
	/* Not enabled again for what is gone. */
	field_put(mkc, 0, 30, 30, 0);
	assert_int_equal(hca_umr_apply(port->hca, &who, key, umr, mkc, NULL, 0), HCA_SYND_MW_BIND);
}

/* --- operations ---------------------------------------------------------------------------- */

#define OP_ALLOC   0u
#define OP_DEALLOC 1u

static uint8_t op(struct fixture_port *port, uint16_t op_mod, uint32_t type, uint64_t start,
		  uint64_t *addr)
{
	uint8_t in[0x20] = { 0x02, 0x07 }, out[0x20], status;

	be16_put(in, 6, op_mod);
	be32_put(in, 0x0c, type);
	be64_put(in, 0x10, start);
	status = fixture_cmd(port, in, sizeof(in), out, sizeof(out));
	*addr = be64_at(out, 0x10);
	return status;
}

static uint64_t read_at(struct fixture_port *port, uint64_t addr, unsigned int size)
{
	return port->fn->ops->bar_read(port->fn, 0, addr, size);
}

static void write_at(struct fixture_port *port, uint64_t addr, unsigned int size, uint64_t value)
{
	port->fn->ops->bar_write(port->fn, 0, addr, size, value);
}

static void test_ops(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint64_t start, other, inc, tas, unused;
	uint8_t *byte;

	assert_int_equal(field_get(port->hca->cap[15], 16, 31, 0), 3);
	assert_int_equal(alloc(port, HCA_MEMIC_OFFSET, 4096, 4096, 0, &start), 0);
	assert_int_equal(alloc(port, HCA_MEMIC_OFFSET + 4096, 4096, 64, 0, &other), 0);
	assert_int_equal(op(port, OP_ALLOC, HCA_MEMIC_INCREMENT, start, &inc), 0);
	assert_int_equal(op(port, OP_ALLOC, HCA_MEMIC_TEST_AND_SET, start, &tas), 0);
	assert_true(inc >= HCA_MEMIC_OFFSET + HCA_MEMIC_SIZE && inc != tas);
	assert_true(inc % 4096 == 0 && tas + 4096 <= HCA_BAR_SIZE);
	byte = hca_memic_at(port->hca, start + 5);
	write_at(port, inc + 5, 1, 3);
	write_at(port, inc + 5, 1, 254);
	assert_int_equal(*byte, 1);
	write_at(port, inc + 5, 1, 6);
	assert_int_equal(read_at(port, tas + 5, 1), 7);
	assert_int_equal(*byte, 1);
	assert_int_equal(read_at(port, tas + 5, 1), 1);
	assert_int_equal(byte[-1], 0);
	assert_int_equal(byte[1], 0);
	/* Nothing but that, and on bytes only. */
	assert_int_equal(read_at(port, inc + 5, 1), 0);
	write_at(port, tas + 5, 1, 9);
	write_at(port, inc + 4, 2, 0x0909);
	assert_int_equal(read_at(port, tas + 4, 2), 0);
	assert_int_equal(*byte, 1);
	/* The other allocation has no operations, and what is behind the last byte is nobody's. */
	write_at(port, inc + 4096, 1, 1);
	assert_int_equal(read_at(port, tas + 4096, 1), 0);
	assert_int_equal(*hca_memic_at(port->hca, other), 0);
	write_at(port, HCA_BAR_SIZE - 1, 1, 1);
	assert_int_equal(read_at(port, HCA_BAR_SIZE - 1, 1), 0);
	/* Each once, by its own beginning, and it keeps the memory. */
	assert_int_equal(op(port, OP_ALLOC, HCA_MEMIC_INCREMENT, start, &unused),
			 HCA_CMD_BAD_RES_STATE);
	assert_int_equal(op(port, OP_DEALLOC, HCA_MEMIC_INCREMENT, other, &unused),
			 HCA_CMD_BAD_RES_STATE);
	assert_int_equal(op(port, OP_ALLOC, HCA_MEMIC_INCREMENT, start + 64, &unused),
			 HCA_CMD_BAD_RESOURCE);
	assert_int_equal(op(port, OP_ALLOC, HCA_MEMIC_INCREMENT, HCA_MEMIC_OFFSET + 8192, &unused),
			 HCA_CMD_BAD_RESOURCE);
	assert_int_equal(op(port, OP_ALLOC, 2, start, &unused), HCA_CMD_BAD_PARAM);
	assert_int_equal(op(port, 2, HCA_MEMIC_INCREMENT, start, &unused), HCA_CMD_BAD_PARAM);
	assert_int_equal(dealloc(port, start, 4096), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(op(port, OP_DEALLOC, HCA_MEMIC_INCREMENT, start, &unused), 0);
	write_at(port, inc + 5, 1, 1);
	assert_int_equal(*byte, 1);
	assert_int_equal(op(port, OP_DEALLOC, HCA_MEMIC_TEST_AND_SET, start, &unused), 0);
	assert_int_equal(dealloc(port, start, 4096), 0);
}

/* The next owner has none. */
static void test_ops_reset(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint64_t start, inc;

	assert_int_equal(alloc(port, HCA_MEMIC_OFFSET, 4096, 4096, 0, &start), 0);
	assert_int_equal(op(port, OP_ALLOC, HCA_MEMIC_INCREMENT, start, &inc), 0);
	write_at(port, inc, 1, 1);
	assert_int_equal(*hca_memic_at(port->hca, start), 1);
	pcie_function_reset(port->fn, PCIE_RESET_FLR);
	fixture_poll(*state);
	write_at(port, inc, 1, 1);
	assert_int_equal(*hca_memic_at(port->hca, start), 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = { TEST(test_alloc), TEST(test_data), TEST(test_moved_key),
					    TEST(test_ops), TEST(test_ops_reset) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
