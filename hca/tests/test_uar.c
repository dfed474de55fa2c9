/* SPDX-License-Identifier: GPL-2.0-only */
/* Doorbells in shared UAR pages: none is lost, and queues without one cost a turn nothing. */
#include "hca/budget.h"
#include "hca/cmd.h"
#include "hca/tests/traffic.h"

#define QPS 200u
/* Turns in which all queues of a page are looked at after a doorbell. */
#define SEARCH_TURNS (QPS / 16 + 1)

static struct fixture *f;
static struct fixture_port *port;
static struct fixture_eq eq;
static struct fixture_cq cqs[QPS];
static struct fixture_qp qps[QPS];

static int setup(void **state)
{
	fixture_setup(state);
	f = *state;
	port = &f->port[0];
	fixture_eq_create(port, 9, 0, 1, &eq);
	return 0;
}

/* QP @i, its own peer and with a CQ of its own, in page @uar. */
static void create_unconnected(unsigned int i, uint32_t uar)
{
	struct fixture_qp_attr attr = {
		.type = HCA_QP_RC, .rq_wqes = 16, .rq_stride = 64, .sq_wqebbs = 16, .uar = uar
	};

	fixture_cq_create(port, 4, eq.number, &cqs[i]);
	attr.cqn_snd = attr.cqn_rcv = cqs[i].number;
	fixture_qp_create(port, &attr, &qps[i]);
}

static void create(unsigned int first, unsigned int end)
{
	for (unsigned int i = first; i < end; i++) {
		create_unconnected(i, port->uar);
		fixture_qp_connect(port, &qps[i], port, &qps[i]);
	}
}

static struct hca_qp *model(unsigned int i)
{
	return hca_table_get(&port->hca->qps, qps[i].number);
}

static void post_nop(unsigned int i)
{
	uint8_t wqe[16];

	fixture_ctrl(wqe, HCA_OP_NOP, SIGNALLED, 0);
	fixture_post_send(port, &qps[i], wqe, sizeof(wqe));
}

static bool is_done(unsigned int i)
{
	return fixture_cq_next(port, &cqs[i]) != NULL;
}

static unsigned int completion_events(void)
{
	unsigned int count = 0;

	while (fixture_eq_next(port, &eq))
		count++;
	return count;
}

/* Anything at @reg of the program's page. */
static void store(uint32_t reg, uint64_t value)
{
	uint8_t *page = (uint8_t *)port->hca->uar_memory +
			(uint64_t)(port->uar - HCA_UAR_FIRST) * HCA_UAR_PAGE;

	atomic_store((_Atomic uint64_t *)(page + reg), htobe64(value));
}

static void turns(unsigned int count)
{
	while (count--)
		hca_poll(port->hca);
}

static int64_t work_of_a_turn(void)
{
	hca_poll(port->hca);
	return HCA_TURN_WORK - port->hca->work_left;
}

static void idle_queues_cost_nothing(void **state)
{
	int64_t one;

	(void)state;
	create(0, 1);
	turns(SEARCH_TURNS);
	one = work_of_a_turn();
	create(1, QPS);
	/* Some work each, so that no queue is as new. */
	for (unsigned int i = 0; i < QPS; i++) {
		post_nop(i);
		fixture_poll(f);
		assert_true(is_done(i));
	}
	turns(SEARCH_TURNS);
	assert_int_equal(port->hca->due_qps.count, 0);
	assert_int_equal(port->hca->due_cqs.count, 0);
	assert_true(work_of_a_turn() == one);
}

/* All QPs of a page ring in one register, between two turns: the last one hides all others. */
static void hidden_doorbells(void **state)
{
	(void)state;
	create(0, QPS);
	turns(SEARCH_TURNS);
	for (unsigned int i = 0; i < QPS; i++)
		post_nop(i);
	turns(1);
	assert_true(is_done(QPS - 1));
	turns(SEARCH_TURNS);
	for (unsigned int i = 0; i < QPS - 1; i++)
		assert_true(is_done(i));
}

/* The same while another QP of the page rings in each turn. */
static void hidden_among_others(void **state)
{
	(void)state;
	create(0, QPS);
	turns(SEARCH_TURNS);
	for (unsigned int i = 0; i < QPS; i++)
		post_nop(i);
	for (unsigned int i = 0; i < SEARCH_TURNS + 1; i++) {
		turns(1);
		is_done(QPS - 1);
		post_nop(QPS - 1);
	}
	for (unsigned int i = 0; i < QPS - 1; i++)
		assert_true(is_done(i));
}

/* CQs with a completion that are armed later, and all at once. */
static void hidden_arms(void **state)
{
	(void)state;
	create(0, QPS);
	for (unsigned int i = 0; i < QPS; i++) {
		/* Armed and told of before. */
		fixture_cq_arm(port, &cqs[i], false);
		post_nop(i);
		turns(SEARCH_TURNS);
		post_nop(i);
		turns(SEARCH_TURNS);
	}
	assert_int_equal(completion_events(), QPS);
	for (unsigned int i = 0; i < QPS; i++)
		fixture_cq_arm(port, &cqs[i], false);
	turns(SEARCH_TURNS);
	assert_int_equal(completion_events(), QPS);
	/* Each told of, there is none left to be looked for. */
	assert_int_equal(port->hca->uar_page[port->uar].cqs.count, 0);
}

/* A register of each kind, where BlueFlame copies a whole WQE behind the doorbell. */
static void all_registers(void **state)
{
	(void)state;
	create(0, 1);
	for (uint32_t reg = HCA_UAR_SQ; reg < HCA_UAR_PAGE; reg += 0x100) {
		uint32_t saved = qps[0].uar;

		turns(SEARCH_TURNS);
		qps[0].uar = 0;
		post_nop(0);
		qps[0].uar = saved;
		turns(SEARCH_TURNS);
		assert_false(is_done(0));
		for (unsigned int byte = 8; byte < 64; byte += 8)
			store(reg + byte, UINT64_MAX);
		store(reg, (uint64_t)qps[0].number << 8 | 1);
		turns(1);
		assert_true(is_done(0));
	}
}

/* The record alone says nothing; a doorbell in another page, too. Whatever is rung in the QP's page
 * stands for it. */
static void other_pages(void **state)
{
	(void)state;
	create(0, 1);
	create_unconnected(1, fixture_simple(port, 0x802, 0, 0, 0));
	fixture_qp_connect(port, &qps[1], port, &qps[1]);
	turns(SEARCH_TURNS);
	qps[1].uar = 0;
	post_nop(1);
	turns(SEARCH_TURNS);
	assert_false(is_done(1));
	store(HCA_UAR_SQ, (uint64_t)qps[1].number << 8);
	turns(SEARCH_TURNS);
	assert_false(is_done(1));
	qps[1].uar = model(1)->uar;
	qps[1].number++;
	fixture_qp_ring(port, &qps[1]);
	qps[1].number--;
	turns(1);
	assert_true(is_done(1));
}

/* Rung before the QP may send: what was posted goes out as soon as it may. */
static void too_early(void **state)
{
	(void)state;
	create_unconnected(0, port->uar);
	fixture_qp_init(port, &qps[0]);
	fixture_qp_rtr(port, &qps[0], port->hca->params.lid, qps[0].number);
	post_nop(0);
	turns(SEARCH_TURNS);
	assert_false(is_done(0));
	fixture_qp_rts(port, &qps[0]);
	fixture_poll(f);
	assert_true(is_done(0));
}

/* Memory that is away when it is rung for, and comes back. */
static void out_of_reach(void **state)
{
	unsigned int many = 40;

	(void)state;
	create(0, many);
	turns(SEARCH_TURNS);
	f->hole_size = 8;
	for (unsigned int i = 0; i < many; i++) {
		f->hole = qps[i].dbr;
		post_nop(i);
		turns(3);
		assert_false(is_done(i));
		assert_true(model(i)->out_of_reach);
	}
	f->hole_size = 0;
	turns(SEARCH_TURNS);
	for (unsigned int i = 0; i < many; i++)
		assert_true(is_done(i));
	assert_int_equal(port->hca->watched_qps.count, 0);
	assert_int_equal(port->hca->due_qps.count, 0);
}

static void arm_out_of_reach(void **state)
{
	(void)state;
	create(0, 1);
	fixture_cq_arm(port, &cqs[0], false);
	post_nop(0);
	post_nop(0);
	turns(SEARCH_TURNS);
	assert_int_equal(completion_events(), 1);
	post_nop(0);
	turns(SEARCH_TURNS);
	f->hole = cqs[0].dbr;
	f->hole_size = 8;
	fixture_cq_arm(port, &cqs[0], false);
	turns(SEARCH_TURNS);
	assert_int_equal(completion_events(), 0);
	f->hole_size = 0;
	turns(SEARCH_TURNS);
	assert_int_equal(completion_events(), 1);
	assert_int_equal(port->hca->watched_cqs.count, 0);
	assert_int_equal(port->hca->due_cqs.count, 0);
}

/* Receives that are posted to a QP in error ring nothing, and are flushed all the same. */
static void receives_in_error(void **state)
{
	static const uint8_t qpc[232];
	uint8_t seg[16] = { 0 };
	unsigned int flushed = 0;

	(void)state;
	create(0, QPS);
	for (unsigned int i = 0; i < QPS; i++)
		assert_int_equal(fixture_qp_modify(port, &qps[i], 0x507, 0, qpc), 0);
	turns(SEARCH_TURNS);
	for (unsigned int i = 0; i < QPS; i++)
		fixture_post_recv(port, &qps[i], seg, sizeof(seg));
	/* No more than a part of them is looked at in one turn, and each at most once in 1 ms. */
	for (unsigned int round = 0; flushed < QPS && round < 1000; round++) {
		usleep(1100);
		turns(SEARCH_TURNS);
		for (unsigned int i = 0; i < QPS; i++)
			flushed += is_done(i);
	}
	assert_int_equal(flushed, QPS);
}

/* Whatever is stored in a page, queues come and go while the others are looked for. */
static void garbage(void **state)
{
	static const uint64_t values[] = { 1, UINT64_MAX, 0x4000, 0xffffff00, 1ull << 32 };
	unsigned int many = 60;

	(void)state;
	create(0, many);
	for (unsigned int i = 0; i < many; i++) {
		for (uint32_t reg = 0; reg < HCA_UAR_PAGE; reg += 8)
			if (reg != HCA_UAR_EQ_ARM && reg != HCA_UAR_EQ_UPDATE)
				store(reg, values[i % 5]);
		turns(1);
		fixture_simple(port, 0x501, 0, qps[i].number, 0);
		fixture_simple(port, 0x401, 0, cqs[i].number, 0);
		if (i % 2) {
			create(i, i + 1);
			post_nop(i);
			turns(SEARCH_TURNS);
			assert_true(is_done(i));
		}
	}
	fixture_poll(f);
	for (unsigned int i = 1; i < many; i += 2)
		fixture_simple(port, 0x501, 0, qps[i].number, 0);
	assert_int_equal(port->hca->uar_page[port->uar].qps.count, 0);
}

/* A reset forgets all of it. */
static void after_reset(void **state)
{
	(void)state;
	create(0, 20);
	for (unsigned int i = 0; i < 20; i++)
		post_nop(i);
	turns(1);
	pcie_function_reset(port->fn, PCIE_RESET_FLR);
	fixture_poll(f);
	assert_int_equal(port->hca->used_uars.count, 0);
	assert_int_equal(port->hca->due_qps.count, 0);
	assert_int_equal(port->hca->watched_qps.count, 0);
	assert_int_equal(port->hca->uar_page[port->uar].qps.count, 0);
	assert_int_equal(port->hca->uar_page[port->uar].cqs.count, 0);
}

/* Pages for doorbells of virtio queues: programs have them, and reach no queue by them. */
static void virtio_pages(void **state)
{
	const uint8_t *cap = port->hca->cap[19];
	unsigned int wakes;
	uint64_t begin = be64_at(cap, 8), size = 4096ull << field_get(cap, 1, 4, 0);

	(void)state;
	fixture_poll(f);
	wakes = f->wakes;
	assert_true(field_get(port->hca->cap[0], 33, 13, 13));
	assert_int_equal(field_get(cap, 4, 23, 0), 0);
	assert_true(begin == HCA_VAR_OFFSET);
	assert_true(begin + size == HCA_SHARED_OFFSET);
	port->fn->ops->bar_write(port->fn, 0, begin + HCA_UAR_SQ, 8, UINT64_MAX);
	port->fn->ops->bar_write(port->fn, 0, begin + HCA_UAR_CQ_ARM, 8, UINT64_MAX);
	port->fn->ops->bar_write(port->fn, 0, begin + size - HCA_UAR_PAGE + HCA_UAR_EQ_ARM, 4, 1);
	assert_int_equal(f->wakes, wakes);
	assert_false(hca_poll(port->hca));
	assert_int_equal(port->fn->ops->bar_read(port->fn, 0, begin + HCA_UAR_SQ, 8), 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(idle_queues_cost_nothing),
		TEST(hidden_doorbells),
		TEST(hidden_among_others),
		TEST(hidden_arms),
		TEST(all_registers),
		TEST(other_pages),
		TEST(too_early),
		TEST(out_of_reach),
		TEST(arm_out_of_reach),
		TEST(receives_in_error),
		TEST(garbage),
		TEST(after_reset),
		TEST(virtio_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
