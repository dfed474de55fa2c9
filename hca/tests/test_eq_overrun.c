/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Event queues that software does not empty: full is fine, some more wait, and what is one too many
 * is reported by the health.
 */
#include "hca/layout.h"
#include "hca/tests/fixture.h"

#include <string.h>

#define LOG_SIZE 4u
#define SIZE	 (1u << LOG_SIZE)
#define EVENTS	 (1ull << HCA_EVENT_PORT_CHANGE)

static void post(struct fixture_port *port, const struct fixture_eq *eq, unsigned int count)
{
	const uint8_t data[28] = { 0 };

	while (count--)
		assert_true(hca_eq_post(port->hca, hca_table_get(&port->hca->eqs, eq->number),
					HCA_EVENT_PORT_CHANGE, 0, data));
}

/* EQ doorbell without (0x48) or with (0x40) arming, which nobody has seen yet. */
static void store(struct fixture_port *port, const struct fixture_eq *eq, unsigned int reg,
		  uint32_t ci)
{
	fixture_write32(port, port->kernel_uar * 4096ull + reg, eq->number << 24 | (ci & 0xffffff));
}

static void ring(struct fixture_port *port, const struct fixture_eq *eq, unsigned int reg,
		 uint32_t ci)
{
	store(port, eq, reg, ci);
	hca_eq_look(port->hca);
}

static unsigned int syndrome(struct fixture_port *port)
{
	return fixture_read32(port, 0x23c) >> 16 & 0xff;
}

static unsigned int consume(struct fixture_port *port, struct fixture_eq *eq)
{
	unsigned int n = 0;

	while (fixture_eq_next(port, eq))
		n++;
	hca_eq_look(port->hca);
	return n;
}

static unsigned int queried_status(struct fixture_port *port, const struct fixture_eq *eq)
{
	uint8_t in[16] = { 0 }, out[0x60];

	be16_put(in, 0, 0x303);
	be32_put(in, 8, eq->number);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	return out[0x10] >> 4;
}

static void full_and_one_more(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	struct fixture_eq eq;

	fixture_eq_create(port, LOG_SIZE, EVENTS, 1, &eq);
	ring(port, &eq, 0x40, 0);
	post(port, &eq, SIZE);
	assert_int_equal(port->interrupts[1], 1);
	assert_int_equal(syndrome(port), 0);
	assert_int_equal(queried_status(port, &eq), 0);
	/* Once it is asked whether there is room. */
	post(port, &eq, HCA_EQ_HELD);
	assert_int_equal(port->interrupts[1], 2);
	assert_int_equal(syndrome(port), 0);
	assert_int_equal(queried_status(port, &eq), 0);
	post(port, &eq, 1);
	assert_int_equal(port->interrupts[1], 2);
	assert_int_equal(syndrome(port), 0x0c);
	assert_int_equal(fixture_read32(port, 0x238) >> 31, 1);
	assert_int_equal(queried_status(port, &eq), 0xa);
	/* Nothing was overwritten, and nothing follows. */
	assert_int_equal(consume(port, &eq), SIZE);
	ring(port, &eq, 0x40, SIZE);
	post(port, &eq, 1);
	assert_int_equal(consume(port, &eq), 0);
	/* Firmware starts anew. */
	pcie_function_reset(port->fn, PCIE_RESET_FLR);
	assert_int_equal(syndrome(port), 0);
}

/* What waits comes in its order when there is room, as much as there is. */
static void held_back(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	struct fixture_eq eq;
	const uint8_t *eqe;
	struct hca_eq *model;

	fixture_eq_create(port, LOG_SIZE, EVENTS, 1, &eq);
	ring(port, &eq, 0x40, 0);
	fixture_poll((struct fixture *)*state);
	model = hca_table_get(&port->hca->eqs, eq.number);
	for (unsigned int i = 0; i < SIZE + HCA_EQ_HELD; i++)
		assert_true(hca_eq_post(port->hca, model, HCA_EVENT_PORT_CHANGE, (uint8_t)i,
					(uint8_t[28]){ [27] = (uint8_t)(i + 1) }));
	assert_int_equal(model->pi, SIZE);
	assert_int_equal(port->interrupts[1], 2);
	/* Room for one, and one is one. */
	eqe = fixture_eq_next(port, &eq);
	assert_int_equal(eqe[EQE_SUBTYPE], 0);
	fixture_poll((struct fixture *)*state);
	assert_int_equal(model->pi, SIZE + 1);
	assert_int_equal(model->held_count, HCA_EQ_HELD - 1);
	/* Later ones go behind them. */
	post(port, &eq, 1);
	assert_int_equal(model->held_count, HCA_EQ_HELD);
	for (unsigned int i = 1; i < SIZE + HCA_EQ_HELD; i++) {
		eqe = fixture_eq_next(port, &eq);
		assert_non_null(eqe);
		assert_int_equal(eqe[EQE_TYPE], HCA_EVENT_PORT_CHANGE);
		assert_int_equal(eqe[EQE_SUBTYPE], i);
		assert_int_equal(eqe[EQE_DATA + 27], i + 1);
		fixture_poll((struct fixture *)*state);
	}
	eqe = fixture_eq_next(port, &eq);
	assert_int_equal(eqe[EQE_SUBTYPE], 0);
	assert_null(fixture_eq_next(port, &eq));
	assert_int_equal(model->held_count, 0);
	assert_int_equal(syndrome(port), 0);
}

/*
 * A queue that is emptied in time goes round for ever. Only completion events wait, as test_eq
 * says, also where they share the EQ with others.
 */
static void in_time(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	struct fixture_eq eq;

	fixture_eq_create(port, LOG_SIZE, EVENTS, 1, &eq);
	for (unsigned int i = 0; i < 100; i++) {
		ring(port, &eq, i % 2 ? 0x40 : 0x48, i * SIZE);
		post(port, &eq, SIZE);
		assert_int_equal(consume(port, &eq), SIZE);
	}
	assert_int_equal(syndrome(port), 0);
	post(port, &eq, SIZE);
	assert_false(hca_eq_post(port->hca, hca_table_get(&port->hca->eqs, eq.number),
				 HCA_EVENT_COMPLETION, 0, (uint8_t[28]){ 0 }));
	post(port, &eq, HCA_EQ_HELD);
	assert_int_equal(syndrome(port), 0);
	post(port, &eq, 1);
	assert_int_equal(syndrome(port), 0x0c);
}

/* The index has 24 bits. */
static void wraps(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	struct fixture_eq eq;
	struct hca_eq *model;

	fixture_eq_create(port, LOG_SIZE, EVENTS, 1, &eq);
	model = hca_table_get(&port->hca->eqs, eq.number);
	model->pi = 0x1000000 - 4;
	model->ci = 0x1000000 - 5;
	ring(port, &eq, 0x40, model->pi);
	post(port, &eq, SIZE);
	assert_int_equal(syndrome(port), 0);
	ring(port, &eq, 0x40, 4);
	post(port, &eq, 8);
	assert_int_equal(model->held_count, 0);
	post(port, &eq, 1);
	assert_int_equal(model->held_count, 1);
	assert_int_equal(syndrome(port), 0);
}

/* A number that is given again starts without what its last owner said. */
static void next_owner(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	struct fixture_eq eq, next;

	fixture_eq_create(port, LOG_SIZE, EVENTS, 1, &eq);
	ring(port, &eq, 0x40, 1000);
	fixture_simple(port, 0x302, 0, eq.number, 0);
	fixture_eq_create(port, LOG_SIZE, EVENTS, 1, &next);
	assert_int_equal(next.number, eq.number);
	post(port, &next, SIZE);
	assert_int_equal(consume(port, &next), SIZE);
	assert_int_equal(syndrome(port), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(full_and_one_more), TEST(held_back), TEST(in_time), TEST(wraps),
		TEST(next_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
