/* SPDX-License-Identifier: GPL-2.0-only */
/* Bring-up, capabilities, port, small objects, EQs and SRQs. */
#include "hca/budget.h"
#include "hca/cmd.h"
#include "hca/memic.h"
#include "hca/tests/fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint8_t query(struct fixture_port *port, uint16_t op, uint16_t op_mod, uint32_t dw2,
		     uint32_t dw3, void *out, uint32_t olen)
{
	uint8_t in[16] = { 0 };

	be16_put(in, 0, op);
	be16_put(in, 6, op_mod);
	be32_put(in, 8, dw2);
	be32_put(in, 12, dw3);
	memset(out, 0xee, olen);
	return fixture_cmd(port, in, sizeof(in), out, olen);
}

static uint8_t reg(struct fixture_port *port, uint32_t id, bool read, void *data, uint32_t size)
{
	uint8_t in[16 + 64] = { 0 }, out[16 + 64];
	uint8_t status;

	be16_put(in, 0, 0x805);
	be16_put(in, 6, read);
	be32_put(in, 8, id);
	memcpy(in + 16, data, size);
	status = fixture_cmd(port, in, 16 + size, out, 16 + size);
	memcpy(data, out + 16, size);
	return status;
}

/* --- bring-up ----------------------------------------------------------------------------------
 */

/* What mlx5_core and mlx5_ib ask for until the port is registered, in their order. */
static void bring_up(struct fixture_port *port, struct fixture_eq *cmd_eq)
{
	static const uint16_t types[] = { 0, 3, 2 };
	uint8_t in[0x1010] = { 0 }, out[0x1010], data[64] = { 0 };
	struct fixture_eq async_eq;
	unsigned int i, xrcd;

	fixture_write32(port, 0x10, (uint32_t)(port->cmdq >> 32));
	fixture_write32(port, 0x14, (uint32_t)port->cmdq);
	assert_int_equal(query(port, 0x104, 0, 0, 0, out, 16), 0);
	assert_int_equal(query(port, 0x10a, 0, 0, 0, out, 0x70), 0);
	assert_int_equal(be32_at(out, 0x6c) & ~1u, 0);
	assert_int_equal(query(port, 0x107, 1, 0, 0, out, 16), 0);
	assert_int_equal(be32_at(out, 0xc), 0);
	assert_int_equal(reg(port, 0x7004, false, data, 16), 0);
	for (i = 0; i < 3; i++) {
		uint8_t max[0x1010];

		assert_int_equal(
			query(port, 0x100, (uint16_t)(types[i] << 1 | 1), 0, 0, out, sizeof(out)),
			0);
		assert_int_equal(
			query(port, 0x100, (uint16_t)(types[i] << 1), 0, 0, max, sizeof(max)), 0);
		assert_memory_equal(out, max, sizeof(out));
		if (types[i])
			continue;
		memcpy(in, out, sizeof(in));
		memset(in, 0, 16);
		be16_put(in, 0, 0x109);
		assert_int_equal(fixture_cmd(port, in, sizeof(in), out, 16), 0);
	}
	assert_int_equal(query(port, 0x107, 2, 0, 0, out, 16), 0);
	assert_int_equal(query(port, 0x102, 0, 0, 0, out, 16), 0);
	assert_int_equal(query(port, 0x101, 0, 0, 0, out, 0x110), 0);
	assert_int_equal(out[0x100], 'T');
	port->kernel_uar = fixture_simple(port, 0x802, 0, 0, 0);
	fixture_eq_create(port, 8, 0x400, 0, cmd_eq);
	fixture_eq_create(port, 13, 0x1f02be, 0, &async_eq);
	assert_int_equal(query(port, 0x762, 0, 0, 0, out, 0x210), 0);
	assert_int_equal(reg(port, 0x6001, true, data, 64), 0);
	xrcd = fixture_simple(port, 0x80e, 0, 0, 0);
	assert_int_not_equal(fixture_simple(port, 0x80e, 0, 0, 0), xrcd);
}

static unsigned int drain(struct fixture_port *port, struct fixture_eq *eq)
{
	unsigned int count = 0;

	while (fixture_eq_next(port, eq))
		count++;
	return count;
}

/* Probe, unbind, probe: numbers start again, and commands after the command EQ give events. */
static void probe_again(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	unsigned int round;

	for (round = 0; round < 3; round++) {
		struct fixture_eq eq;

		bring_up(port, &eq);
		assert_int_equal(eq.number, 1);
		assert_int_equal(port->kernel_uar, HCA_UAR_FIRST);
		/* CREATE_EQ, 0x762, register, 2 XRCDs. */
		assert_int_equal(drain(port, &eq), 5);
		/* The command EQ goes last, in polling mode. */
		fixture_simple(port, 0x302, 0, 2, 0);
		assert_int_equal(drain(port, &eq), 1);
		fixture_simple(port, 0x302, 0, eq.number, 0);
		fixture_simple(port, 0x103, 0, 0, 0);
		fixture_simple(port, 0x105, 0, 0, 0);
		assert_int_equal(drain(port, &eq), 0);
		assert_int_equal(port->hca->xrcds.count, 0);
	}
}

/* A driver that died without TEARDOWN_HCA: ENABLE_HCA starts from nothing. */
static void enable_drops_leftovers(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];

	assert_int_not_equal(port->hca->mkeys.count, 0);
	fixture_simple(port, 0x104, 0, 0, 0);
	assert_int_equal(port->hca->mkeys.count, 0);
	assert_int_equal(port->hca->pds.count, 0);
	assert_int_equal(port->hca->uars.count, 0);
}

/* --- capabilities ------------------------------------------------------------------------------
 */

static void caps_set_and_query(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint8_t in[0x1010] = { 0 }, out[0x1010];

	assert_int_equal(query(port, 0x100, 1, 0, 0, in, sizeof(in)), 0);
	/* The values without which drivers refuse the device. */
	assert_int_equal(field_get(in + 0x10, 13, 7, 0), 1);
	assert_int_equal(field_get(in + 0x10, 13, 29, 29), 1);
	assert_int_equal(field_get(in + 0x10, 17, 3, 3), 1);
	assert_int_equal(field_get(in + 0x10, 7, 3, 0), 8);
	memset(in, 0, 16);
	be16_put(in, 0, 0x109);
	field_put(in + 0x10, 4, 4, 0, 12);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, 16), 0);
	assert_int_equal(query(port, 0x100, 1, 0, 0, out, sizeof(out)), 0);
	assert_memory_equal(out + 0x10, in + 0x10, 4096);
	assert_int_equal(query(port, 0x100, 0, 0, 0, out, sizeof(out)), 0);
	assert_int_equal(field_get(out + 0x10, 4, 4, 0), 18);
	/* Forgotten with the next ENABLE_HCA. */
	fixture_simple(port, 0x104, 0, 0, 0);
	assert_int_equal(query(port, 0x100, 1, 0, 0, out, sizeof(out)), 0);
	assert_int_equal(field_get(out + 0x10, 4, 4, 0), 18);
}

static void caps_of_limited_umr(void **state)
{
	struct hca_params params[FIXTURE_HCAS] = { fixture_params(0), fixture_params(1) };
	struct fixture *fixture;
	uint8_t out[0x1010];

	(void)state;
	params[1].umr_limited = true;
	fixture = fixture_new_with(params, NULL);
	for (unsigned int i = 0; i < FIXTURE_HCAS; i++) {
		fixture_probe(&fixture->port[i]);
		assert_int_equal(query(&fixture->port[i], 0x100, 1, 0, 0, out, sizeof(out)), 0);
		assert_int_equal(field_get(out + 0x10, 16, 24, 24), i);
		assert_int_equal(field_get(out + 0x10, 16, 1, 1), 1);
	}
	fixture_free(fixture);
}

/* What is left out: pg and mkey_pcie_tph. */
static void caps_of_firmware(void **state)
{
	static const struct {
		enum hca_firmware firmware;
		uint32_t pg, tph;
	} kinds[] = { { HCA_FIRMWARE_FULL, 1, 1 },
		      { HCA_FIRMWARE_NO_TPH, 1, 0 },
		      { HCA_FIRMWARE_NO_ODP, 0, 1 },
		      { HCA_FIRMWARE_REFUSE_TPH_KEY, 1, 1 },
		      { HCA_FIRMWARE_REFUSE_TPH_LOAD, 1, 1 } };
	struct hca_params params[FIXTURE_HCAS] = { fixture_params(0), fixture_params(1) };
	uint8_t out[0x1010];

	(void)state;
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct fixture *fixture;

		params[0].firmware = kinds[i].firmware;
		fixture = fixture_new_with(params, NULL);
		fixture_probe(&fixture->port[0]);
		assert_int_equal(query(&fixture->port[0], 0x100, 1, 0, 0, out, sizeof(out)), 0);
		assert_int_equal(field_get(out + 0x10, 17, 24, 24), kinds[i].pg);
		assert_int_equal(field_get(out + 0x10, 21, 24, 24), kinds[i].tph);
		fixture_free(fixture);
	}
}

/* SET of the atomic block carries nothing but the mode. */
static void atomic_caps_merge(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint8_t in[0x1010] = { 0 }, out[0x1010];

	be16_put(in, 0, 0x109);
	be16_put(in, 6, 3 << 1);
	field_put(in + 0x10, 2, 31, 30, 2);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, 16), 0);
	assert_int_equal(query(port, 0x100, 3 << 1 | 1, 0, 0, out, sizeof(out)), 0);
	assert_int_equal(field_get(out + 0x10, 2, 31, 30), 2);
	assert_int_equal(field_get(out + 0x10, 4, 15, 0), 3);
	assert_int_equal(field_get(out + 0x10, 5, 15, 0), 8);
}

static void caps_of_other_types(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint8_t in[0x1010] = { 0 }, out[0x1010], longer[0x1810];
	unsigned int i;

	assert_int_equal(query(port, 0x100, 0x7f << 1, 0, 0, out, sizeof(out)), 0);
	for (i = 0; i < sizeof(out); i++)
		assert_int_equal(out[i], 0);
	be16_put(in, 0, 0x109);
	be16_put(in, 6, 0x7f << 1);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, 16), HCA_CMD_BAD_PARAM);
	assert_int_equal(query(port, 0x100, 1, 0, 0, out, 15), HCA_CMD_BAD_OUTPUT_LEN);
	/* A buffer longer than the block: zeroes behind it. */
	assert_int_equal(query(port, 0x100, 1, 0, 0, longer, sizeof(longer)), 0);
	assert_memory_equal(longer + 0x10, port->hca->cap[0], 0x1000);
	for (i = 0x1010; i < sizeof(longer); i++)
		assert_int_equal(longer[i], 0);
}

/* --- port --------------------------------------------------------------------------------------
 */

static void vport(void **state)
{
	struct fixture *f = *state;
	uint8_t in[0x210] = { 0 }, out[0x210];
	unsigned int i;

	for (i = 0; i < FIXTURE_HCAS; i++) {
		assert_int_equal(query(&f->port[i], 0x762, 0, 0, 0, out, sizeof(out)), 0);
		assert_int_equal(field_get(out + 0x10, 8, 3, 0), 4);
		assert_int_equal(field_get(out + 0x10, 8, 15, 12), 5);
		assert_int_equal(field_get(out + 0x10, 8, 28, 28), 0);
		assert_int_equal(field_get(out + 0x10, 24, 31, 16), i + 1);
		assert_int_equal(be64_at(out, 0x10 + 0x30), 0x0200000000000001u + i);
		assert_int_equal(be64_at(out, 0x10 + 0x38), 0x0200000000000001u + i);
		assert_int_equal(be32_at(out, 0x10 + 0x44), 0xffffffff);
	}
	/* Only the selected capability bits change. */
	be16_put(in, 0, 0x763);
	be32_put(in, 0x10 + 0x40, 0x0003ffff);
	be32_put(in, 0x10 + 0x44, 0x00010000);
	be64_put(in, 0x10 + 0x38, 5);
	assert_int_equal(fixture_cmd(&f->port[0], in, sizeof(in), out, 16), 0);
	be32_put(in, 0x10 + 0x40, 0);
	be32_put(in, 0x10 + 0x44, 0x00020000);
	assert_int_equal(fixture_cmd(&f->port[0], in, sizeof(in), out, 16), 0);
	assert_int_equal(query(&f->port[0], 0x762, 0, 0, 0, out, sizeof(out)), 0);
	assert_int_equal(be32_at(out, 0x10 + 0x40), 0x02014800);
	assert_int_equal(be64_at(out, 0x10 + 0x38), 0x0200000000000001u);
	assert_int_equal(query(&f->port[1], 0x762, 0, 0, 0, out, sizeof(out)), 0);
	assert_int_equal(be32_at(out, 0x10 + 0x40), 0x02004800);
	/* What the port has or has not is not the driver's to say. */
	be32_put(in, 0x10 + 0x40, ~0x02004800u & ~(1u << 1));
	be32_put(in, 0x10 + 0x44, UINT32_MAX);
	assert_int_equal(fixture_cmd(&f->port[1], in, sizeof(in), out, 16), 0);
	assert_int_equal(query(&f->port[1], 0x762, 0, 0, 0, out, sizeof(out)), 0);
	assert_int_equal(be32_at(out, 0x10 + 0x40), 0x02004800 | 0x009b0000);
}

static void gids_and_pkeys(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[1];
	uint8_t out[0x10 + 128 * 4];

	assert_int_equal(query(port, 0x764, 0, 0, 0, out, 32), 0);
	assert_int_equal(be64_at(out, 0x10), 0xfe80000000000000u);
	assert_int_equal(be64_at(out, 0x18), 0x0200000000000002u);
	assert_int_equal(query(port, 0x764, 0, 0, 7, out, 32), 0);
	assert_int_equal(be64_at(out, 0x10), 0xfe80000000000000u);
	assert_int_equal(be64_at(out, 0x18), 0);
	assert_int_equal(query(port, 0x764, 0, 0, 8, out, 32), HCA_CMD_BAD_INDEX);
	assert_int_equal(query(port, 0x764, 0, 0, 0xffff, out, 0x10 + 8 * 16), 0);
	assert_int_equal(field_get(out, 3, 31, 16), 8);
	assert_int_equal(query(port, 0x764, 0, 0, 0xffff, out, 32), HCA_CMD_BAD_OUTPUT_LEN);
	assert_int_equal(query(port, 0x765, 0, 0, 0, out, 20), 0);
	assert_int_equal(be32_at(out, 0x10), 0xffff);
	assert_int_equal(query(port, 0x765, 0, 0, 127, out, 20), 0);
	assert_int_equal(be32_at(out, 0x10), 0);
	assert_int_equal(query(port, 0x765, 0, 0, 128, out, 20), HCA_CMD_BAD_INDEX);
	assert_int_equal(query(port, 0x765, 0, 0, 0xffff, out, 0x10 + 128 * 4), 0);
	assert_int_equal(be32_at(out, 0x10), 0xffff);
	assert_int_equal(be32_at(out, 0x14), 0);
	assert_int_equal(query(port, 0x770, 0, 0, 0, out, 0x210), 0);
}

/* Ports that are not bound to each other. */
/* devlink asks for them, whatever the capabilities say. */
static void vnic_counters(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint8_t out[0x210], want[0x210] = { 0 };

	assert_int_equal(query(port, 0x76f, 0, 0, 0, out, sizeof(out)), 0);
	assert_memory_equal(out, want, sizeof(want));
}

static void lag(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint8_t out[16];

	memset(out, 0xff, sizeof(out));
	assert_int_equal(query(port, 0x842, 0, 0, 0, out, sizeof(out)), 0);
	assert_int_equal(be64_at(out, 8), 0);
}

static void registers(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint8_t data[64] = { 0 };

	assert_int_equal(reg(port, 0x5004, true, data, 64), 0);
	assert_int_equal(be32_at(data, 40), 0x00040080);
	assert_int_equal(reg(port, 0x5003, true, data, 16), 0);
	assert_int_equal(be32_at(data, 4), 4096u << 16);
	assert_int_equal(be32_at(data, 12), 4096u << 16);
	assert_int_equal(reg(port, 0x500f, true, data, 16), 0);
	assert_int_equal(be32_at(data, 4), 1);
	assert_int_equal(reg(port, 0x6001, true, data, 64), 0);
	assert_string_equal((char *)data, "rdma-tph hca0");
	memset(data, 0, sizeof(data));
	strcpy((char *)data, "named by the user");
	assert_int_equal(reg(port, 0x6001, false, data, 64), 0);
	memset(data, 0, sizeof(data));
	assert_int_equal(reg(port, 0x6001, true, data, 64), 0);
	assert_string_equal((char *)data, "named by the user");
	assert_int_equal(reg(port, 0x5004, false, data, 64), HCA_CMD_BAD_PARAM);
	assert_int_equal(reg(port, 0x9001, true, data, 16), HCA_CMD_BAD_PARAM);
	assert_int_equal(reg(port, 0x6001, true, data, 16), HCA_CMD_BAD_INPUT_LEN);
}

/* --- numbers -----------------------------------------------------------------------------------
 */

static void uar_pools(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint32_t i, first, second;

	fixture_simple(port, 0x104, 0, 0, 0);
	first = fixture_simple(port, 0x802, 0, 0, 0);
	assert_int_equal(first, HCA_UAR_FIRST);
	assert_int_equal(fixture_simple_status(port, 0x803, 0, first - 1, 0), HCA_CMD_BAD_RESOURCE);
	second = fixture_simple(port, 0x802, 0, 0, 0);
	assert_int_equal(second, first + 1);
	fixture_simple(port, 0x803, 0, first, 0);
	assert_int_equal(fixture_simple(port, 0x802, 0, 0, 0), first);
	/* All of them, and not one more. */
	for (i = second + 1; i < HCA_MEMIC_OFFSET / HCA_UAR_PAGE; i++)
		assert_int_equal(fixture_simple(port, 0x802, 0, 0, 0), i);
	i = port->hca->uars.count;
	assert_int_equal(fixture_simple_status(port, 0x802, 0, 0, 0), HCA_CMD_LIMIT);
	assert_int_equal(port->hca->uars.count, i);
}

static void table_of_numbers(void **state)
{
	struct hca *hca = ((struct fixture *)*state)->port[0].hca;
	struct hca_table table = { .limit = 1000 };
	uint64_t before = hca->memory_used;
	int object[3];
	uint32_t i;

	assert_null(hca_table_get(&table, 1));
	assert_null(hca_table_remove(hca, &table, 1));
	assert_int_equal(hca_table_add(hca, &table, 0, &object[0]), 1);
	assert_int_equal(hca_table_add(hca, &table, 1, &object[1]), 2);
	assert_int_equal(hca_table_add(hca, &table, 998, &object[2]), 998);
	assert_int_equal(hca_table_add(hca, &table, 998, &object[2]), 999);
	errno = 0;
	assert_int_equal(hca_table_add(hca, &table, 998, &object[2]), 0);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(table.count, 4);
	assert_ptr_equal(hca_table_get(&table, 998), &object[2]);
	assert_null(hca_table_get(&table, UINT32_MAX));
	assert_int_equal(hca_table_next(&table, 0), 1);
	assert_int_equal(hca_table_next(&table, 3), 998);
	assert_int_equal(hca_table_next(&table, 1000), 0);
	assert_ptr_equal(hca_table_remove(hca, &table, 1), &object[0]);
	assert_null(hca_table_get(&table, 1));
	assert_int_equal(hca_table_add(hca, &table, 1, &object[0]), 1);
	/* Each of the others once, the lowest first. */
	for (i = 3; i < 998; i++)
		assert_int_equal(hca_table_add(hca, &table, 1, &object[0]), i);
	assert_int_equal(hca_table_add(hca, &table, 1, &object[0]), 0);
	assert_ptr_equal(hca_table_remove(hca, &table, 64), &object[0]);
	assert_ptr_equal(hca_table_remove(hca, &table, 63), &object[0]);
	assert_int_equal(hca_table_add(hca, &table, 64, &object[0]), 64);
	assert_int_equal(hca_table_add(hca, &table, 1, &object[0]), 63);
	for (i = 1; i < 1000; i++)
		assert_non_null(hca_table_remove(hca, &table, i));
	assert_int_equal(table.count, 0);
	assert_true(hca->memory_used == before);
}

/* The function's memory bounds the table, and a table that cannot grow is as it was. */
static void table_without_memory(void **state)
{
	struct hca *hca = ((struct fixture *)*state)->port[0].hca;
	struct hca_table table = { .limit = 1000 };
	uint64_t before = hca->memory_used, memory = hca->params.memory;
	int object;
	uint32_t i;

	/* 64 slots with their bits. */
	hca->params.memory = before + 64 * sizeof(void *) + 7;
	assert_int_equal(hca_table_add(hca, &table, 1, &object), 0);
	assert_int_equal(errno, ENOMEM);
	assert_true(hca->memory_used == before);
	hca->params.memory++;
	for (i = 1; i < 64; i++)
		assert_int_equal(hca_table_add(hca, &table, 1, &object), i);
	assert_int_equal(hca_table_add(hca, &table, 1, &object), 0);
	assert_int_equal(table.count, 63);
	assert_ptr_equal(hca_table_remove(hca, &table, 7), &object);
	assert_int_equal(hca_table_add(hca, &table, 1, &object), 7);
	hca_table_clear(hca, &table);
	assert_true(hca->memory_used == before);
	hca->params.memory = memory;
}

static void resources_in_use(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint8_t in[0x118] = { 0 }, out[16];
	uint32_t pd = fixture_simple(port, 0x800, 0, 0, 0);
	uint32_t xrcd = fixture_simple(port, 0x80e, 0, 0, 0);
	struct fixture_eq eq;
	struct fixture_cq cq;
	uint32_t srqn;

	fixture_eq_create(port, 8, 0, 1, &eq);
	fixture_cq_create(port, 4, eq.number, &cq);
	assert_int_equal(fixture_simple_status(port, 0x302, 0, eq.number, 0),
			 HCA_CMD_BAD_RES_STATE);

	be16_put(in, 0, 0x700);
	be32_put(in, 0x10, 5u << 24);	     /* 32 WQEs */
	be32_put(in, 0x14, 1u << 24 | xrcd); /* of 32 bytes */
	be32_put(in, 0x28, pd);
	be64_put(in, 0x38, fixture_alloc(port->fixture, 64, 64));
	be64_put(in, 0x110, fixture_alloc(port->fixture, 4096, 4096));
	/* Page list missing: the context is fine, the input is too short. */
	assert_int_equal(fixture_cmd(port, in, 0x110, out, 16), HCA_CMD_BAD_INPUT_LEN);
	assert_int_equal(port->hca->srqs.count, 0);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, 16), 0);
	srqn = be32_at(out, 8);
	assert_int_equal(srqn, 1);
	assert_int_equal(fixture_simple_status(port, 0x801, 0, pd, 0), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(fixture_simple_status(port, 0x80f, 0, xrcd, 0), HCA_CMD_BAD_RES_STATE);
	assert_non_null(hca_table_get(&port->hca->pds, pd));
	assert_non_null(hca_table_get(&port->hca->xrcds, xrcd));
	fixture_simple(port, 0x701, 0, srqn, 0);
	assert_int_equal(fixture_simple_status(port, 0x701, 0, srqn, 0), HCA_CMD_BAD_RESOURCE);
	fixture_simple(port, 0x801, 0, pd, 0);
	fixture_simple(port, 0x80f, 0, xrcd, 0);
	assert_int_equal(fixture_simple_status(port, 0x801, 0, pd, 0), HCA_CMD_BAD_RESOURCE);
	/* The same SRQ in a PD that is gone. */
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, 16), HCA_CMD_BAD_RESOURCE);
	fixture_simple(port, 0x401, 0, cq.number, 0);
	fixture_simple(port, 0x302, 0, eq.number, 0);
}

/* --- SRQ limit ---------------------------------------------------------------------------------
 */

static void srq_limit(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint8_t in[0x118] = { 0 }, out[0x110];
	uint64_t dbr = fixture_alloc(port->fixture, 64, 64);
	struct fixture_eq async;
	const uint8_t *eqe;
	uint32_t srqn;

	fixture_eq_create(port, 8, 1u << HCA_EVENT_SRQ_LIMIT, 0, &async);
	be16_put(in, 0, 0x700);
	be32_put(in, 0x10, 4u << 24);
	be32_put(in, 0x28, port->pd);
	be64_put(in, 0x38, dbr);
	be64_put(in, 0x110, fixture_alloc(port->fixture, 4096, 4096));
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, 16), 0);
	srqn = be32_at(out, 8);
	/* Ten posted: armed at 4 nothing happens, at 11 the event comes at once and disarms. */
	be32_put(fixture_at(port->fixture, dbr), 0, 10);
	fixture_simple(port, 0x703, 1, srqn, 4);
	assert_null(fixture_eq_next(port, &async));
	assert_int_equal(query(port, 0x702, 0, srqn, 0, out, sizeof(out)), 0);
	assert_int_equal(field_get(out + 0x10, 7, 31, 16), 4);
	assert_int_equal(field_get(out + 0x10, 0, 27, 24), 4);
	fixture_simple(port, 0x703, 1, srqn, 11);
	eqe = fixture_eq_next(port, &async);
	assert_non_null(eqe);
	assert_int_equal(eqe[1], HCA_EVENT_SRQ_LIMIT);
	assert_int_equal(be32_at(eqe, 0x38), srqn);
	assert_null(fixture_eq_next(port, &async));
	assert_int_equal(query(port, 0x702, 0, srqn, 0, out, sizeof(out)), 0);
	assert_int_equal(field_get(out + 0x10, 7, 31, 16), 0);
	assert_int_equal(fixture_simple_status(port, 0x703, 1, srqn + 1, 1), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(query(port, 0x702, 0, srqn + 1, 0, out, sizeof(out)),
			 HCA_CMD_BAD_RESOURCE);
}

/* --- EQs ---------------------------------------------------------------------------------------
 */

/* 2.5 times around a ring of 8: entries are valid once each, in order. */
static void eq_wraps(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint8_t out[0x110];
	struct fixture_eq eq;
	uint32_t i;

	fixture_eq_create(port, 3, 1u << HCA_EVENT_COMM_EST, 2, &eq);
	for (i = 0; i < 20; i++) {
		const uint8_t *eqe;

		assert_null(fixture_eq_next(port, &eq));
		fixture_poll(port->fixture);
		hca_event_number(port->hca, HCA_EVENT_COMM_EST, 0x1000 + i);
		eqe = fixture_eq_next(port, &eq);
		assert_non_null(eqe);
		assert_int_equal(eqe[1], HCA_EVENT_COMM_EST);
		assert_int_equal(eqe[0x34], 0);
		assert_int_equal(be32_at(eqe, 0x38), 0x1000 + i);
		assert_int_equal(port->interrupts[2], i + 1);
	}
	/* Nobody listens to this one. */
	hca_event_number(port->hca, HCA_EVENT_WQ_CATAS, 1);
	assert_null(fixture_eq_next(port, &eq));
	assert_int_equal(query(port, 0x303, 0, eq.number, 0, out, sizeof(out)), 0);
	assert_int_equal(field_get(out + 0x10, 11, 23, 0), 20);
	assert_int_equal(field_get(out + 0x10, 5, 11, 0), 2);
	assert_int_equal(be64_at(out, 0x58), 1u << HCA_EVENT_COMM_EST);
}

static void eq_refusals(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint8_t in[0x118] = { 0 }, out[16];

	be16_put(in, 0, 0x301);
	be32_put(in, 0x1c, 3u << 24 | port->kernel_uar);
	be32_put(in, 0x24, FIXTURE_VECTORS); /* no such vector */
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, 16), HCA_CMD_BAD_PARAM);
	be32_put(in, 0x24, 0);
	be32_put(in, 0x1c, 3u << 24 | 2000); /* no such UAR */
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, 16), HCA_CMD_BAD_RESOURCE);
	be32_put(in, 0x1c, 7u << 24 | port->kernel_uar); /* two pages, one given */
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, 16), HCA_CMD_BAD_INPUT_LEN);
	be32_put(in, 0x1c, 23u << 24 | port->kernel_uar); /* too big */
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, 16), HCA_CMD_BAD_PARAM);
	assert_int_equal(port->hca->eqs.count, 0);
	assert_int_equal(fixture_simple_status(port, 0x302, 0, 1, 0), HCA_CMD_BAD_RESOURCE);
	be32_put(in, 0x1c, 3u << 24 | port->kernel_uar);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, 16), 0);
	assert_int_equal(be32_at(out, 8), 1);
}

/* The entry cannot be written: no interrupt for something that is not there. */
static void eq_in_a_hole(void **state)
{
	struct fixture *f = *state;
	struct fixture_port *port = &f->port[0];
	struct fixture_eq eq;

	fixture_eq_create(port, 3, 1u << HCA_EVENT_COMM_EST, 2, &eq);
	f->hole = eq.buf;
	f->hole_size = 64;
	hca_event_number(port->hca, HCA_EVENT_COMM_EST, 1);
	assert_int_equal(port->interrupts[2], 0);
	f->hole_size = 0;
	hca_event_number(port->hca, HCA_EVENT_COMM_EST, 2);
	assert_int_equal(be32_at(fixture_eq_next(port, &eq), 0x38), 2);
}

/* Buffers with page offset and pages all over memory. */
static void page_lists(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint64_t addr[3] = { fixture_alloc(port->fixture, 3 * 4096, 4096) };
	uint8_t list[24];
	struct hca_pages pages = { .list = list, .count = 3, .log_page_size = 12, .offset = 64 };
	uint8_t in[8192], out[8192];
	unsigned int i;

	addr[1] = addr[0] + 8192;
	addr[2] = addr[0] + 4096;
	for (i = 0; i < 3; i++)
		be64_put(list, 8 * (size_t)i, addr[i] | 3);
	for (i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 31 + (i >> 8));
	assert_int_equal(hca_pages_write(port->hca, &pages, 100, in, sizeof(in)), 0);
	assert_int_equal(hca_pages_read(port->hca, &pages, 100, out, sizeof(out)), 0);
	assert_memory_equal(in, out, sizeof(in));
	assert_int_equal(hca_pages_addr(&pages, 0), addr[0] + 64);
	assert_int_equal(hca_pages_addr(&pages, 4096), addr[1] + 64);
	assert_memory_equal(fixture_at(port->fixture, addr[1]), in + 4096 - 164, 4096);
	assert_int_equal(hca_pages_addr(&pages, 3 * 4096 - 64), 0);
	assert_int_equal(hca_pages_read(port->hca, &pages, 3 * 4096 - 64, out, 1), -EFAULT);
	assert_int_equal(hca_pages_read(port->hca, &pages, UINT64_MAX, out, 2), -EFAULT);
	assert_int_equal(hca_pages_read(port->hca, &pages, 4096, out, 8192), -EFAULT);
	assert_int_equal(hca_pages_read(port->hca, &pages, 4096, out, 8192 - 64), 0);
}

/* A list of one page, as the command queue hands it over. */
static struct hca_cmd one_page(struct hca *hca, uint64_t addr)
{
	struct hca_cmd cmd = { .list = hca_alloc(hca, 8), .list_len = 8 };

	assert_non_null(cmd.list);
	be64_put(cmd.list, 0, addr);
	return cmd;
}

/* page_offset counts in 64ths of a page, whatever the page's size. */
static void page_offsets(void **state)
{
	struct hca *hca = ((struct fixture *)*state)->port[0].hca;
	struct hca_cmd cmd = one_page(hca, 0x40000123);
	struct hca_pages pages = { .count = 77 };

	assert_int_equal(hca_cmd_pages(hca, &cmd, 4096, 16, 5, &pages), HCA_CMD_OK);
	assert_null(cmd.list);
	assert_int_equal(pages.count, 1);
	assert_int_equal(pages.offset, 5 * 1024);
	assert_int_equal(hca_pages_addr(&pages, 1), 0x40000000 + 5 * 1024 + 1);
	hca_pages_free(hca, &pages);
	cmd = one_page(hca, 0x40000123);
	assert_int_equal(hca_cmd_pages(hca, &cmd, 4096, 12, 0, &pages), HCA_CMD_OK);
	hca_pages_free(hca, &pages);
	cmd = one_page(hca, 0x40000123);
	/* With an offset the same buffer needs a second page. */
	pages.count = 77;
	assert_int_equal(hca_cmd_pages(hca, &cmd, 4096, 12, 1, &pages), HCA_CMD_BAD_INPUT_LEN);
	assert_int_equal(hca_cmd_pages(hca, &cmd, 4096, 12, 64, &pages), HCA_CMD_BAD_PARAM);
	assert_int_equal(hca_cmd_pages(hca, &cmd, 4096, 44, 0, &pages), HCA_CMD_BAD_PARAM);
	assert_int_equal(pages.count, 77);
	assert_non_null(cmd.list);
	hca_release(hca, cmd.list);
}

/* Each size and offset of a page that a context can name, and some that it cannot: no overflow. */
static void page_sizes(void **state)
{
	struct hca *hca = ((struct fixture *)*state)->port[0].hca;
	unsigned int log_page, offset;

	for (log_page = 12; log_page < 12 + 64; log_page++) {
		for (offset = 0; offset < 64; offset++) {
			struct hca_cmd cmd = one_page(hca, 0x40000123);
			struct hca_pages pages = { .count = 77 };
			enum hca_cmd_status status;
			uint64_t page, start;

			status = hca_cmd_pages(hca, &cmd, 64, (uint8_t)log_page, offset, &pages);
			if (log_page > 43) {
				assert_int_equal(status, HCA_CMD_BAD_PARAM);
				assert_int_equal(pages.count, 77);
				hca_release(hca, cmd.list);
				continue;
			}
			page = (uint64_t)1 << log_page;
			start = page / 64 * offset;
			assert_int_equal(status, HCA_CMD_OK);
			assert_true(pages.offset == start);
			assert_true(hca_pages_addr(&pages, 63) == 0x40000000 + start + 63);
			assert_true(hca_pages_addr(&pages, page - start) == 0);
			assert_true(hca_pages_addr(&pages, UINT64_MAX) == 0);
			hca_pages_free(hca, &pages);
		}
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

/* What devlink asks for: items that there are, with their lengths; zero, and nobody writes them. */
static void nv_items(void **state)
{
	static const struct {
		uint32_t type;
		uint16_t len;
	} items[] = {
		{ 0x80, 12 }, { 0x81, 20 }, { 0x10a, 8 },
		{ 0x10b, 4 }, { 0x11d, 8 }, { 0x03000080, 16 },
	};
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint8_t in[16 + 268], out[16 + 268], want[16 + 268];
	unsigned int i;

	for (i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		memset(in, 0xff, sizeof(in)); /* what is asked with is not what is answered */
		memset(want, 0, sizeof(want));
		be16_put(in, 0, 0x805);
		be32_put(in, 4, 1);
		be32_put(in, 8, 0x9024);
		be32_put(in, 16 + 4, items[i].type);
		field_put(in + 16, 0, 23, 22, 2); /* the default */
		field_put(want + 16, 0, 23, 22, 2);
		field_put(want + 16, 0, 8, 0, items[i].len);
		be32_put(want, 16 + 4, items[i].type);
		assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
		assert_memory_equal(out, want, sizeof(want));
		be32_put(in, 4, 0);
		assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)),
				 HCA_CMD_BAD_PARAM);
		be32_put(in, 4, 1);
		assert_int_equal(fixture_cmd(port, in, sizeof(in) - 4, out, sizeof(out)),
				 HCA_CMD_BAD_INPUT_LEN);
		assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out) - 4),
				 HCA_CMD_BAD_OUTPUT_LEN);
		be32_put(in, 16 + 4, items[i].type ^ 1u << 23);
		assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)),
				 HCA_CMD_BAD_PARAM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(probe_again),
		TEST(enable_drops_leftovers),
		TEST(caps_set_and_query),
		cmocka_unit_test(caps_of_limited_umr),
		cmocka_unit_test(caps_of_firmware),
		TEST(atomic_caps_merge),
		TEST(caps_of_other_types),
		TEST(vport),
		TEST(gids_and_pkeys),
		TEST(vnic_counters),
		TEST(lag),
		TEST(registers),
		TEST(nv_items),
		TEST(uar_pools),
		TEST(table_of_numbers),
		TEST(table_without_memory),
		TEST(resources_in_use),
		TEST(srq_limit),
		TEST(eq_wraps),
		TEST(eq_refusals),
		TEST(eq_in_a_hole),
		TEST(page_sizes),
		TEST(page_lists),
		TEST(page_offsets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
