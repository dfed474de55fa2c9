/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When an EQ interrupts: armed and fired, doorbells behind the producer, pages with several EQs, a
 * full EQ.
 */
#include "hca/cmd.h"
#include "hca/data.h"
#include "hca/tests/fixture.h"

#include <string.h>

#define EVENTS	  (1ull << HCA_EVENT_PORT_CHANGE)
#define ST_ARMED  0x9u
#define ST_FIRED  0xau
#define ST_ALWAYS 0xbu
/* mlx5_core's MLX5_EQ_POLLING_BUDGET: what it takes in one interrupt. */
#define BUDGET 128u

struct eqs {
	struct fixture *f;
	struct fixture_port *port;
	struct fixture_eq eq;
};

static struct eqs eqs_new(void **state, uint8_t log_size, uint64_t mask)
{
	struct eqs s = { .f = *state };

	s.port = &s.f->port[0];
	fixture_eq_create(s.port, log_size, mask, 1, &s.eq);
	fixture_poll(s.f);
	return s;
}

static struct hca_eq *model(struct eqs *s, const struct fixture_eq *eq)
{
	return hca_table_get(&s->port->hca->eqs, eq->number);
}

static void post(struct eqs *s, const struct fixture_eq *eq, unsigned int count)
{
	const uint8_t data[28] = { 0 };

	while (count--)
		assert_true(
			hca_eq_post(s->port->hca, model(s, eq), HCA_EVENT_PORT_CHANGE, 0, data));
}

static unsigned int interrupts(struct eqs *s)
{
	unsigned int n;

	fixture_poll(s->f);
	n = s->port->interrupts[1];
	s->port->interrupts[1] = 0;
	return n;
}

static unsigned int syndrome(struct eqs *s)
{
	return fixture_read32(s->port, 0x23c) >> 16 & 0xff;
}

static void query(struct eqs *s, const struct fixture_eq *eq, uint8_t eqc[64])
{
	uint8_t in[16] = { 0 }, out[0x60];

	be16_put(in, 0, 0x303);
	be32_put(in, 8, eq->number);
	assert_int_equal(fixture_cmd(s->port, in, sizeof(in), out, sizeof(out)), 0);
	memcpy(eqc, out + 0x10, 64);
}

static unsigned int state_of(struct eqs *s, const struct fixture_eq *eq)
{
	uint8_t eqc[64];

	query(s, eq, eqc);
	return field_get(eqc, 0, 11, 8);
}

/* CREATE_EQ with @dw0 and @uar in the context, not armed by a doorbell. Returns its status. */
static uint8_t create(struct eqs *s, uint8_t log_size, uint32_t dw0, uint32_t uar,
		      struct fixture_eq *eq)
{
	uint8_t in[0x118] = { 0 }, out[16];
	uint8_t status;

	*eq = (struct fixture_eq){ .log_size = log_size };
	eq->buf = fixture_alloc(s->f, (size_t)64 << log_size, 4096);
	for (unsigned int i = 0; i < 1u << log_size; i++)
		*(uint8_t *)fixture_at(s->f, eq->buf + 64 * i + 63) = 1;
	be16_put(in, 0, 0x301);
	be32_put(in + 0x10, 0, dw0);
	field_put(in + 0x10, 3, 28, 24, log_size);
	field_put(in + 0x10, 3, 23, 0, uar);
	field_put(in + 0x10, 5, 11, 0, 1);
	be64_put(in, 0x110, eq->buf);
	status = fixture_cmd(s->port, in, sizeof(in), out, sizeof(out));
	eq->number = out[11];
	return status;
}

/* The time for a reminder has come. */
static void remind(struct eqs *s)
{
	s->port->hca->eq_reminded_ns = clock_now_ns() - HCA_EQ_REMIND_NS;
	fixture_poll(s->f);
}

/* An interrupt that was lost comes again, as long as nothing is consumed. */
static void lost_interrupt(void **state)
{
	struct eqs s = eqs_new(state, 4, EVENTS);

	/* Nothing waits. */
	remind(&s);
	remind(&s);
	assert_int_equal(interrupts(&s), 0);
	post(&s, &s.eq, 2);
	assert_int_equal(interrupts(&s), 1);
	/* It may have been raised just before. */
	remind(&s);
	assert_int_equal(interrupts(&s), 0);
	remind(&s);
	assert_int_equal(interrupts(&s), 1);
	fixture_poll(s.f);
	assert_int_equal(interrupts(&s), 0);
	remind(&s);
	assert_int_equal(interrupts(&s), 1);
	/* Software is at work: it has consumed one since. */
	assert_non_null(fixture_eq_next(s.port, &s.eq));
	fixture_poll(s.f);
	interrupts(&s);
	model(&s, &s.eq)->armed = false;
	remind(&s);
	assert_int_equal(interrupts(&s), 0);
	remind(&s);
	assert_int_equal(interrupts(&s), 1);
	/* All is consumed, and the EQ armed. */
	assert_non_null(fixture_eq_next(s.port, &s.eq));
	assert_null(fixture_eq_next(s.port, &s.eq));
	fixture_poll(s.f);
	interrupts(&s);
	remind(&s);
	remind(&s);
	assert_int_equal(interrupts(&s), 0);
}

/* One interrupt for what comes between two arms, however much that is. */
static void armed_and_fired(void **state)
{
	struct eqs s = eqs_new(state, 4, EVENTS);
	uint8_t eqc[64];

	assert_int_equal(state_of(&s, &s.eq), ST_ARMED);
	post(&s, &s.eq, 1);
	assert_int_equal(interrupts(&s), 1);
	assert_int_equal(state_of(&s, &s.eq), ST_FIRED);
	post(&s, &s.eq, 3);
	assert_int_equal(interrupts(&s), 0);
	/* Consumed, but not armed. */
	for (unsigned int i = 0; i < 4; i++)
		assert_non_null(fixture_eq_next(s.port, &s.eq));
	assert_int_equal(interrupts(&s), 0);
	post(&s, &s.eq, 1);
	assert_int_equal(interrupts(&s), 0);
	query(&s, &s.eq, eqc);
	assert_int_equal(field_get(eqc, 10, 23, 0), 4);
	assert_int_equal(field_get(eqc, 11, 23, 0), 5);
	assert_int_equal(field_get(eqc, 0, 31, 28), 0);
	assert_non_null(fixture_eq_next(s.port, &s.eq));
	assert_null(fixture_eq_next(s.port, &s.eq));
	assert_int_equal(interrupts(&s), 0);
	assert_int_equal(state_of(&s, &s.eq), ST_ARMED);
	post(&s, &s.eq, 2);
	assert_int_equal(interrupts(&s), 1);
}

/* What is left when software arms makes an interrupt at once, each time. */
static void arm_behind(void **state)
{
	struct eqs s = eqs_new(state, 4, EVENTS);

	post(&s, &s.eq, 10);
	assert_int_equal(interrupts(&s), 1);
	for (unsigned int i = 0; i < 9; i++) {
		assert_non_null(fixture_eq_next(s.port, &s.eq));
		assert_int_equal(interrupts(&s), 0);
		fixture_eq_ring(s.port, &s.eq, HCA_UAR_EQ_ARM);
		assert_int_equal(interrupts(&s), 1);
		assert_int_equal(state_of(&s, &s.eq), ST_FIRED);
	}
	assert_non_null(fixture_eq_next(s.port, &s.eq));
	fixture_eq_ring(s.port, &s.eq, HCA_UAR_EQ_ARM);
	assert_int_equal(interrupts(&s), 0);
	assert_int_equal(state_of(&s, &s.eq), ST_ARMED);
	/* An update of the index leaves it armed. */
	fixture_eq_ring(s.port, &s.eq, HCA_UAR_EQ_UPDATE);
	post(&s, &s.eq, 1);
	assert_int_equal(interrupts(&s), 1);
	/* A doorbell that is older than what is known arms, and takes nothing back. */
	assert_non_null(fixture_eq_next(s.port, &s.eq));
	fixture_eq_ring(s.port, &s.eq, HCA_UAR_EQ_UPDATE);
	s.eq.ci--;
	fixture_eq_ring(s.port, &s.eq, HCA_UAR_EQ_ARM);
	assert_int_equal(interrupts(&s), 0);
	s.eq.ci++;
	assert_int_equal(model(&s, &s.eq)->ci, s.eq.ci);
	assert_int_equal(state_of(&s, &s.eq), ST_ARMED);
}

/* Consumer and producer index pass 2^24. */
static void arm_wraps(void **state)
{
	struct eqs s = eqs_new(state, 4, EVENTS);

	model(&s, &s.eq)->pi = 0x1000000 - 2;
	model(&s, &s.eq)->ci = 0x1000000 - 3;
	s.eq.ci = 0x1000000 - 2;
	fixture_eq_ring(s.port, &s.eq, HCA_UAR_EQ_ARM);
	fixture_poll(s.f);
	post(&s, &s.eq, 4);
	assert_int_equal(interrupts(&s), 1);
	s.eq.ci += 3;
	fixture_eq_ring(s.port, &s.eq, HCA_UAR_EQ_ARM);
	assert_int_equal(interrupts(&s), 1);
	s.eq.ci++;
	fixture_eq_ring(s.port, &s.eq, HCA_UAR_EQ_ARM);
	assert_int_equal(interrupts(&s), 0);
	post(&s, &s.eq, 1);
	assert_int_equal(interrupts(&s), 1);
	assert_int_equal(syndrome(&s), 0);
}

/* eqc.st, .oi and .ec as CREATE_EQ has them. */
static void created(void **state)
{
	static const struct {
		uint32_t st;
		unsigned int state, first,
			more; /* interrupts of the first event, and of two more */
	} cases[] = {
		{ 0, ST_FIRED, 0, 0 },
		{ ST_ARMED, ST_ARMED, 1, 0 },
		{ ST_FIRED, ST_FIRED, 0, 0 },
		{ ST_ALWAYS, ST_ALWAYS, 1, 2 },
	};
	struct eqs s = eqs_new(state, 4, EVENTS);
	struct fixture_eq eq;
	uint32_t count;

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(create(&s, 4, cases[i].st << 8, s.port->kernel_uar, &eq), 0);
		assert_int_equal(state_of(&s, &eq), cases[i].state);
		post(&s, &eq, 1);
		assert_int_equal(interrupts(&s), cases[i].first);
		post(&s, &eq, 2);
		assert_int_equal(interrupts(&s), cases[i].more);
	}
	/* Overrun ignored: the oldest is overwritten, as software wants it. */
	assert_int_equal(create(&s, 4, 1u << 17, s.port->kernel_uar, &eq), 0);
	post(&s, &eq, 20);
	assert_int_equal(model(&s, &eq)->pi, 20);
	assert_int_equal(syndrome(&s), 0);
	/* All in one entry: not modelled, and not taken for something else. */
	count = s.port->hca->eqs.count;
	assert_int_equal(create(&s, 4, 1u << 18, s.port->kernel_uar, &eq), HCA_CMD_BAD_PARAM);
	assert_int_equal(s.port->hca->eqs.count, count);
}

/* A number that is given again is not armed by what its last owner rang, nor after a reset. */
static void next_owner(void **state)
{
	static const uint8_t command[2] = { 0x06, 0x00 };
	struct eqs s = eqs_new(state, 4, EVENTS);
	struct fixture_eq next;

	assert_int_equal(state_of(&s, &s.eq), ST_ARMED);
	fixture_simple(s.port, 0x302, 0, s.eq.number, 0);
	assert_int_equal(create(&s, 4, 0, s.port->kernel_uar, &next), 0);
	assert_int_equal(next.number, s.eq.number);
	post(&s, &next, 1);
	assert_int_equal(interrupts(&s), 0);
	/* Its doorbell and a reset are seen in one turn: nothing is left of either. */
	fixture_eq_ring(s.port, &next, HCA_UAR_EQ_ARM);
	pcie_function_reset(s.port->fn, PCIE_RESET_FLR);
	assert_int_equal(interrupts(&s), 0);
	pcie_config_write(s.port->fn, 4, command, sizeof(command));
	fixture_probe(s.port);
	assert_int_equal(create(&s, 4, 0, s.port->kernel_uar, &next), 0);
	post(&s, &next, 1);
	assert_int_equal(interrupts(&s), 0);
	fixture_eq_ring(s.port, &next, HCA_UAR_EQ_ARM);
	assert_int_equal(interrupts(&s), 1);
}

/* --- pages of programs ------------------------------------------------------------------- */

/* Stores the doorbell @reg of @eq in the page of a program. */
static void store(struct eqs *s, const struct fixture_eq *eq, unsigned int reg)
{
	uint8_t *page =
		(uint8_t *)s->port->hca->uar_memory + (s->port->uar - HCA_UAR_FIRST) * HCA_UAR_PAGE;

	be32_put(page, reg, eq->number << 24 | (eq->ci & 0xffffff));
}

static void shared_page(void **state)
{
	struct eqs s = eqs_new(state, 4, EVENTS);
	struct fixture_eq a, b;

	assert_true(s.port->uar >= HCA_UAR_FIRST);
	assert_int_equal(create(&s, 4, 0, s.port->uar, &a), 0);
	assert_int_equal(create(&s, 4, 0, s.port->uar, &b), 0);
	post(&s, &a, 3);
	assert_int_equal(interrupts(&s), 0);
	store(&s, &a, HCA_UAR_EQ_UPDATE);
	assert_int_equal(interrupts(&s), 0);
	store(&s, &a, HCA_UAR_EQ_ARM);
	assert_int_equal(interrupts(&s), 1);
	assert_int_equal(state_of(&s, &a), ST_FIRED);
	/* Seen once. */
	post(&s, &a, 1);
	assert_int_equal(interrupts(&s), 0);
	/* The word of one hides that of the other: both are armed, and looked at. */
	a.ci = 4;
	store(&s, &a, HCA_UAR_EQ_ARM);
	store(&s, &b, HCA_UAR_EQ_ARM);
	assert_int_equal(interrupts(&s), 1);
	store(&s, &a, HCA_UAR_EQ_ARM);
	assert_int_equal(interrupts(&s), 0);
	assert_int_equal(state_of(&s, &a), ST_ARMED);
	assert_int_equal(state_of(&s, &b), ST_ARMED);
	post(&s, &a, 1);
	post(&s, &b, 1);
	assert_int_equal(interrupts(&s), 2);
	/* It is no doorbell of the EQs of other pages. */
	post(&s, &s.eq, 2);
	assert_int_equal(interrupts(&s), 1);
	store(&s, &s.eq, HCA_UAR_EQ_ARM);
	fixture_poll(s.f);
	assert_int_equal(state_of(&s, &s.eq), ST_FIRED);
}

/* --- completion events ----------------------------------------------------------------------- */

/* @count CQs with a completion each: what is armed has its event, now or later. */
static void complete(struct eqs *s, const struct fixture_eq *eq, unsigned int count)
{
	const struct hca_cqe cqe = { .opcode = HCA_CQE_REQ };
	struct fixture_cq cq;

	for (unsigned int i = 0; i < count; i++) {
		fixture_cq_create(s->port, 1, eq->number, &cq);
		fixture_cq_arm(s->port, &cq, false);
		hca_cq_post(s->port->hca, cq.number, &cqe);
	}
}

/* The driver's handler, as long as it is called. Returns the events that it saw. */
static unsigned int handle(struct eqs *s, struct fixture_eq *eq)
{
	unsigned int seen = 0, i;

	while (interrupts(s)) {
		for (i = 0; i < BUDGET; i++) {
			if (!fixture_eq_next(s->port, eq))
				break;
			seen++;
		}
		fixture_eq_ring(s->port, eq, HCA_UAR_EQ_ARM);
	}
	return seen;
}

static void many_at_once(void **state)
{
	static const unsigned int counts[] = { 1, 127, 128, 129, 400, 1000, 2000 };
	struct eqs s = eqs_new(state, 11, 0);
	uint64_t brk = s.f->brk;

	for (unsigned int i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		s.f->brk = brk;
		complete(&s, &s.eq, counts[i]);
		assert_int_equal(handle(&s, &s.eq), counts[i]);
	}
	assert_int_equal(syndrome(&s), 0);
}

/* More than the EQ holds: the others stay armed, and come when there is room. */
static void more_than_fit(void **state)
{
	struct eqs eqs = eqs_new(state, 4, 0), *s = &eqs;
	uint8_t before[16 * 64];

	complete(s, &s->eq, 16);
	assert_false(model(s, &s->eq)->holds_back);
	memcpy(before, fixture_at(s->f, s->eq.buf), sizeof(before));
	complete(s, &s->eq, 1);
	assert_true(model(s, &s->eq)->holds_back);
	complete(s, &s->eq, 83);
	fixture_poll(s->f);
	assert_memory_equal(fixture_at(s->f, s->eq.buf), before, sizeof(before));
	/* Room by a doorbell that does not arm; and one is one. */
	assert_int_equal(interrupts(s), 2); /* the first event; no room */
	assert_non_null(fixture_eq_next(s->port, &s->eq));
	assert_int_equal(interrupts(s), 1); /* no room again */
	assert_int_equal(model(s, &s->eq)->pi, s->eq.ci + 16);
	fixture_eq_ring(s->port, &s->eq, HCA_UAR_EQ_ARM);
	assert_int_equal(handle(s, &s->eq), 99);
	assert_false(model(s, &s->eq)->holds_back);
	assert_int_equal(syndrome(s), 0);
	assert_int_equal(state_of(s, &s->eq), ST_ARMED);
}

/* The doorbell that made room may be hidden: the vector is raised to see another. */
static void shared_page_full(void **state)
{
	struct eqs s = eqs_new(state, 4, EVENTS);
	struct fixture_eq a, b;

	assert_int_equal(create(&s, 4, ST_ARMED << 8, s.port->uar, &a), 0);
	assert_int_equal(create(&s, 4, ST_ARMED << 8, s.port->uar, &b), 0);
	complete(&s, &a, 16);
	assert_int_equal(interrupts(&s), 1);
	a.ci = 16;
	store(&s, &a, HCA_UAR_EQ_ARM);
	store(&s, &b, HCA_UAR_EQ_ARM);
	assert_int_equal(interrupts(&s), 1);
	complete(&s, &a, 1);
	assert_int_equal(interrupts(&s), 1);
	assert_int_equal(model(&s, &a)->pi, 16);
	store(&s, &a, HCA_UAR_EQ_ARM);
	assert_int_equal(interrupts(&s), 1);
	assert_int_equal(model(&s, &a)->pi, 17);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(armed_and_fired),	TEST(lost_interrupt), TEST(arm_behind),
		TEST(arm_wraps),	TEST(created),	      TEST(next_owner),
		TEST(shared_page),	TEST(many_at_once),   TEST(more_than_fit),
		TEST(shared_page_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
