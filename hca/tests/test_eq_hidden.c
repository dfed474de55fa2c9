/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Doorbells of event queues that nobody sees, because another one of their page comes on top before
 * the page is looked at.
 */
#include "base/clock.h"
#include "hca/cmd.h"
#include "hca/tests/fixture.h"

#define LOG_SIZE 4u
#define SIZE	 (1u << LOG_SIZE)
#define EVENTS	 (1ull << HCA_EVENT_PORT_CHANGE)
/* What a handler of mlx5_core takes at once. */
#define HANDLED 128u

struct eqs {
	struct fixture *f;
	struct fixture_port *port;
	struct fixture_eq eq, other, third; /* the first and the second have vector 1 */
	struct hca_eq *model;		    /* of the first */
};

/* A doorbell, which nobody has seen yet. */
static void store(const struct eqs *s, const struct fixture_eq *eq, uint32_t ci)
{
	fixture_write32(s->port, s->port->kernel_uar * 4096ull + HCA_UAR_EQ_ARM,
			eq->number << 24 | (ci & 0xffffff));
}

/* The first EQ's, and one on top of it; then the page is looked at. */
static void hide(const struct eqs *s, uint32_t ci, const struct fixture_eq *by)
{
	store(s, &s->eq, ci);
	store(s, by, 0);
	fixture_poll(s->f);
}

static void post(const struct eqs *s, unsigned int count)
{
	const uint8_t data[28] = { 0 };

	while (count--)
		assert_true(hca_eq_post(s->port->hca, s->model, HCA_EVENT_PORT_CHANGE, 0, data));
}

/* Those of vector 1 since the last time. */
static unsigned int interrupts(const struct eqs *s)
{
	unsigned int raised = s->port->interrupts[1];

	s->port->interrupts[1] = 0;
	return raised;
}

static struct eqs eqs_new(void **state, uint8_t log_size)
{
	struct eqs s = { .f = *state };

	s.port = &s.f->port[0];
	fixture_eq_create(s.port, log_size, EVENTS, 1, &s.eq);
	fixture_eq_create(s.port, LOG_SIZE, 0, 1, &s.other);
	fixture_eq_create(s.port, LOG_SIZE, 0, 2, &s.third);
	s.model = hca_table_get(&s.port->hca->eqs, s.eq.number);
	store(&s, &s.eq, 0);
	fixture_poll(s.f);
	assert_true(s.model->armed);
	/* Nobody saw the doorbells of their beginning. */
	s.model->seen = 0;
	return s;
}

static bool overrun(const struct eqs *s)
{
	return s->model->overrun || fixture_read32(s->port, 0x23c) >> 16 & 0xff;
}

/* One interrupt for each event, however often the page is looked at, and always room. */
static void one_vector(void **state)
{
	struct eqs s = eqs_new(state, LOG_SIZE);

	for (unsigned int i = 1; i <= 100 * SIZE; i++) {
		post(&s, 1);
		assert_int_equal(interrupts(&s), 1);
		hide(&s, i, &s.other);
		fixture_poll(s.f);
		assert_int_equal(interrupts(&s), 0);
		assert_int_equal(s.model->held_count, 0);
		assert_in_range(i - s.model->ci, 0, 4);
	}
	assert_false(overrun(&s));
}

/*
 * The handlers of other vectors say nothing. No command is lost before many were held back, and the
 * vector asks for the doorbell.
 */
static void other_vector(void **state)
{
	struct eqs s = eqs_new(state, LOG_SIZE);

	for (unsigned int i = 0; i < SIZE + HCA_EQ_HELD; i++) {
		post(&s, 1);
		hide(&s, i < SIZE ? i + 1 : SIZE, &s.third);
		assert_int_equal(interrupts(&s), i == SIZE ? 2 : 1);
		assert_int_equal(s.model->ci, 0);
	}
	assert_int_equal(s.model->held_count, HCA_EQ_HELD);
	assert_false(overrun(&s));
	store(&s, &s.eq, SIZE);
	fixture_poll(s.f);
	assert_int_equal(s.model->pi, 2 * SIZE);
	assert_int_equal(s.model->held_count, HCA_EQ_HELD - SIZE);
	assert_false(overrun(&s));
}

/* A completion event that waits in its CQ is reason to ask, as well. */
static void waiting_cq(void **state)
{
	struct eqs s = eqs_new(state, LOG_SIZE);

	post(&s, SIZE);
	assert_int_equal(interrupts(&s), 1);
	hide(&s, SIZE, &s.third);
	assert_int_equal(interrupts(&s), 1);
	hide(&s, SIZE, &s.third);
	assert_int_equal(interrupts(&s), 0);
	assert_false(
		hca_eq_post(s.port->hca, s.model, HCA_EVENT_COMPLETION, 0, (uint8_t[28]){ 0 }));
	assert_int_equal(interrupts(&s), 1);
	hide(&s, SIZE, &s.third);
	assert_int_equal(interrupts(&s), 1);
	store(&s, &s.eq, SIZE);
	fixture_poll(s.f);
	assert_int_equal(interrupts(&s), 0);
	assert_false(s.model->holds_back);
}

/* The third doorbell of one EQ, and for those events alone that were there at the first one. */
static void third_time(void **state)
{
	struct eqs s = eqs_new(state, LOG_SIZE);

	post(&s, 2);
	hide(&s, 2, &s.other);
	post(&s, 1);
	hide(&s, 3, &s.other);
	assert_int_equal(s.model->ci, 0);
	hide(&s, 3, &s.other);
	assert_int_equal(s.model->ci, 2);
	/* And so on. */
	hide(&s, 3, &s.other);
	hide(&s, 3, &s.other);
	assert_int_equal(s.model->ci, 2);
	hide(&s, 3, &s.other);
	assert_int_equal(s.model->ci, 3);
}

/* Which EQ it is matters: two of one handler are not two handlers. */
static void another_witness(void **state)
{
	struct eqs s = eqs_new(state, LOG_SIZE);
	struct fixture_eq fourth;

	fixture_eq_create(s.port, LOG_SIZE, 0, 1, &fourth);
	post(&s, 1);
	for (unsigned int i = 0; i < 10; i++) {
		hide(&s, 1, &s.other);
		hide(&s, 1, &fourth);
	}
	assert_int_equal(s.model->ci, 0);
	hide(&s, 1, &fourth);
	hide(&s, 1, &fourth);
	assert_int_equal(s.model->ci, 1);
}

/* A doorbell of its own that is seen is the truth, and none that is guessed goes back behind it. */
static void seen_meanwhile(void **state)
{
	struct eqs s = eqs_new(state, LOG_SIZE);

	post(&s, 1);
	hide(&s, 1, &s.other);
	hide(&s, 1, &s.other);
	post(&s, 4);
	store(&s, &s.eq, 3);
	fixture_poll(s.f);
	assert_int_equal(s.model->ci, 3);
	assert_true(interrupts(&s) > 0);
	hide(&s, 3, &s.other);
	assert_int_equal(s.model->ci, 3);
	hide(&s, 5, &s.other);
	hide(&s, 5, &s.other);
	assert_int_equal(s.model->ci, 5);
}

/* More than a handler takes: it is called until it has had its turns. */
static void many(void **state)
{
	struct eqs s = eqs_new(state, 9);
	unsigned int handlers = 0, consumed = 0;

	post(&s, 300);
	assert_int_equal(interrupts(&s), 1);
	do {
		handlers++;
		consumed = consumed + HANDLED > 300 ? 300 : consumed + HANDLED;
		hide(&s, consumed, &s.other);
	} while (interrupts(&s));
	assert_int_equal(s.model->ci, 300);
	assert_int_equal(handlers, 3 + 300 / HANDLED);
}

/* An event that came while it was fired has its interrupt, whoever arms it. */
static void behind(void **state)
{
	struct eqs s = eqs_new(state, LOG_SIZE);

	post(&s, 1);
	assert_int_equal(interrupts(&s), 1);
	post(&s, 1);
	assert_int_equal(interrupts(&s), 0);
	hide(&s, 1, &s.third);
	assert_int_equal(interrupts(&s), 1);
	hide(&s, 2, &s.third);
	assert_int_equal(interrupts(&s), 0);
	post(&s, 1);
	assert_int_equal(interrupts(&s), 1);
}

/* An interrupt that was lost comes again, also when others have armed the EQ; not for ever. */
static void lost_interrupt(void **state)
{
	struct eqs s = eqs_new(state, LOG_SIZE);
	unsigned int reminded = 0;

	post(&s, 1);
	hide(&s, 0, &s.third);
	assert_int_equal(interrupts(&s), 1);
	for (unsigned int i = 0; i < 20; i++) {
		s.port->hca->eq_reminded_ns = clock_now_ns() - HCA_EQ_REMIND_NS;
		fixture_poll(s.f);
		if (interrupts(&s)) {
			reminded++;
			hide(&s, 1, &s.other);
		}
	}
	assert_int_equal(reminded, 3);
	assert_int_equal(s.model->ci, 1);
}

/* Numbers that no EQ has, or has any more. */
static void nobody(void **state)
{
	struct eqs s = eqs_new(state, LOG_SIZE);
	struct fixture_eq none = { .number = 0xff };

	post(&s, 1);
	for (unsigned int i = 0; i < 10; i++)
		hide(&s, 1, &none);
	assert_int_equal(s.model->ci, 0);
	assert_int_equal(interrupts(&s), 1);
	fixture_simple(s.port, 0x302, 0, s.other.number, 0);
	for (unsigned int i = 0; i < 10; i++)
		hide(&s, 1, &s.other);
	assert_int_equal(s.model->ci, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_vector),      TEST(other_vector),   TEST(waiting_cq), TEST(third_time),
		TEST(another_witness), TEST(seen_meanwhile), TEST(many),       TEST(behind),
		TEST(lost_interrupt),  TEST(nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
