/* SPDX-License-Identifier: GPL-2.0-only */
/* Flow tables of the RDMA transport: who may have them, and what they do. */
#include "hca/cmd.h"
#include "hca/flow_table.h"
#include "hca/general.h"
#include "hca/tests/ethernet.h"

#define TRANSPORT_RX 0xdu
#define TRANSPORT_TX 0xeu

static struct fixture_port *port;

static int setup(void **state)
{
	int ret = ethernet_setup(state);

	port = ((struct ethernet *)*state)->side[0].port;
	return ret;
}

static uint8_t context(uint32_t cap, uint16_t *uid)
{
	uint8_t in[0x40] = { 0x0a, 0x04 }, out[16], status;

	be32_put(in, 0x10, cap);
	status = fixture_cmd(port, in, sizeof(in), out, sizeof(out));
	*uid = be16_at(out, 10);
	return status;
}

static uint8_t table(uint16_t uid, uint8_t type, uint32_t *number)
{
	struct flow_cmd cmd = flow_cmd(CREATE_TABLE, uid, type, 0);

	field_put(cmd.in + 0x18, 0, 23, 16, 200);
	return flow_run(port, &cmd, 0x40, number);
}

/* The root of @type: one entry that does @action. */
static void make_root(uint8_t type, uint32_t action)
{
	uint32_t number, group;

	assert_int_equal(table(0, type, &number), 0);
	assert_int_equal(ethernet_group(port, type, number, 0, 0, NULL, &group), 0);
	assert_int_equal(ethernet_entry(port, type, number, group, 0, NULL, action, 0, 0, 0), 0);
	ethernet_root(port, type, number);
}

static void privileged_contexts_only(void **state)
{
	uint16_t plain, mine, other, none;
	uint32_t number;

	(void)state;
	assert_int_equal(context(0, &plain), 0);
	assert_int_equal(context(HCA_UCTX_RDMA_CTRL, &mine), 0);
	assert_int_equal(context(HCA_UCTX_RDMA_CTRL_OTHER, &other), 0);
	/* Rights that nobody has here. */
	assert_int_equal(context(1, &none), HCA_CMD_BAD_PARAM);
	assert_int_equal(table(plain, TRANSPORT_RX, &number), HCA_CMD_BAD_PARAM);
	assert_int_equal(table(other, TRANSPORT_TX, &number), HCA_CMD_BAD_PARAM);
	assert_int_equal(hca_table_count(&port->hca->flow_tables), 0);
	assert_int_equal(table(mine, TRANSPORT_RX, &number), 0);
	assert_int_equal(table(mine, TRANSPORT_TX, &number), 0);
	assert_int_equal(table(0, TRANSPORT_RX, &number), 0);
	assert_int_equal(table(plain, RDMA_RX, &number), 0);
}

static uint8_t control(uint16_t uid, uint16_t vhca, size_t len, uint32_t *number)
{
	uint8_t in[0x20] = { 0x0a, 0x00 }, out[16], status;

	be16_put(in, 2, uid);
	be16_put(in, 6, HCA_OBJECT_RDMA_CTRL);
	be16_put(in, 0x1e, vhca);
	status = fixture_cmd(port, in, len, out, sizeof(out));
	*number = be32_at(out, 8);
	return status;
}

/* Control of the RDMA transport: of the own function, by those who may have that of others. */
static void control_of_functions(void **state)
{
	uint8_t in[16] = { 0x0a, 0x03 }, out[16];
	uint16_t plain, mine, other;
	uint32_t number;

	(void)state;
	assert_int_equal(context(0, &plain), 0);
	assert_int_equal(context(HCA_UCTX_RDMA_CTRL, &mine), 0);
	assert_int_equal(context(HCA_UCTX_RDMA_CTRL_OTHER, &other), 0);
	assert_int_equal(control(plain, 0, 0x20, &number), HCA_CMD_BAD_PARAM);
	assert_int_equal(control(mine, 0, 0x20, &number), HCA_CMD_BAD_PARAM);
	assert_int_equal(control(other, 1, 0x20, &number), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(control(other, 0, 0x1c, &number), HCA_CMD_BAD_INPUT_LEN);
	assert_int_equal(hca_table_count(&port->hca->rdma_ctrls), 0);
	assert_int_equal(control(other, 0, 0x20, &number), 0);
	assert_int_equal(hca_table_count(&port->hca->rdma_ctrls), 1);
	/* It is nobody else's to destroy. */
	be16_put(in, 2, mine);
	be16_put(in, 6, HCA_OBJECT_RDMA_CTRL);
	be32_put(in, 8, number);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(hca_table_count(&port->hca->rdma_ctrls), 1);
	be16_put(in, 2, other);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	assert_int_equal(hca_table_count(&port->hca->rdma_ctrls), 0);
}

static void not_on_infiniband(void **state)
{
	struct fixture *f = *state;
	uint32_t number;

	port = &f->port[0];
	assert_int_equal(table(0, TRANSPORT_RX, &number), HCA_CMD_BAD_PARAM);
}

/* Each way has its own tables, besides those of RDMA. */
static void they_drop(void **state)
{
	struct hca *hca = port->hca;

	(void)state;
	assert_true(hca_pass(hca, HCA_RX, false, 1, 100));
	make_root(TRANSPORT_RX, ALLOW);
	make_root(TRANSPORT_TX, ALLOW);
	assert_true(hca_pass(hca, HCA_RX, false, 1, 100));
	assert_true(hca_pass(hca, HCA_TX, false, 1, 100));
	make_root(TRANSPORT_RX, DROP);
	assert_false(hca_pass(hca, HCA_RX, false, 1, 100));
	assert_true(hca_pass(hca, HCA_TX, false, 1, 100));
	make_root(TRANSPORT_RX, ALLOW);
	make_root(TRANSPORT_TX, DROP);
	assert_true(hca_pass(hca, HCA_RX, false, 1, 100));
	assert_false(hca_pass(hca, HCA_TX, false, 1, 100));
	make_root(TRANSPORT_TX, ALLOW);
	make_root(RDMA_TX, DROP);
	make_root(RDMA_RX, DROP);
	assert_false(hca_pass(hca, HCA_RX, false, 1, 100));
	assert_false(hca_pass(hca, HCA_TX, false, 1, 100));
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, ethernet_teardown)
	const struct CMUnitTest tests[] = {
		TEST(privileged_contexts_only),
		TEST(control_of_functions),
		cmocka_unit_test_setup_teardown(not_on_infiniband, fixture_setup, fixture_teardown),
		TEST(they_drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
