// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "emulator/engine.h"

#define DEVICES 3

/* A device whose turn waits for an answer when it is told to. */
struct device {
	atomic_uint turns;
	atomic_bool ask;
	atomic_bool waits, inside;
	sem_t answer;
};

static struct device device[DEVICES];
static atomic_int running; /* turns that have the token */
static atomic_bool together, again;
static unsigned int shared; /* plain: the token protects it, and ThreadSanitizer watches */

static void enter(void)
{
	if (atomic_fetch_add(&running, 1))
		atomic_store(&together, true);
	shared++;
}

static void leave(void)
{
	shared++;
	atomic_fetch_sub(&running, 1);
}

static bool turn(void *arg)
{
	struct device *d = arg;
	bool ask = atomic_load(&d->ask);

	if (atomic_exchange(&d->inside, true))
		atomic_store(&again, true);
	enter();
	atomic_fetch_add(&d->turns, 1);
	/* Two waits in one turn: the token is lost twice. */
	for (int i = 0; ask && i < 2; i++) {
		leave();
		engine_stall();
		atomic_store(&d->waits, true);
		sem_wait(&d->answer);
		engine_resume();
		enter();
	}
	atomic_store(&d->waits, false);
	leave();
	atomic_store(&d->inside, false);
	return false;
}

/* The CTest time-out ends what never comes. */
static void await(const atomic_bool *flag, bool value)
{
	const struct timespec pause = { .tv_nsec = 100000 };

	while (atomic_load(flag) != value)
		nanosleep(&pause, NULL);
}

static void await_turns(struct device *d, unsigned int more)
{
	const struct timespec pause = { .tv_nsec = 100000 };
	unsigned int first = atomic_load(&d->turns);

	while (atomic_load(&d->turns) - first < more)
		nanosleep(&pause, NULL);
}

static struct engine *start(void)
{
	struct engine *engine = engine_new(0);

	assert_non_null(engine);
	for (int i = 0; i < DEVICES; i++) {
		device[i] = (struct device){ 0 };
		sem_init(&device[i].answer, 0, 0);
		assert_int_equal(engine_add(engine, turn, &device[i]), 0);
	}
	atomic_store(&running, 0);
	atomic_store(&together, false);
	atomic_store(&again, false);
	assert_int_equal(engine_start(engine), 0);
	return engine;
}

static void finish(struct engine *engine)
{
	engine_free(engine);
	assert_false(atomic_load(&together));
	assert_false(atomic_load(&again));
	assert_int_equal(atomic_load(&running), 0);
	for (int i = 0; i < DEVICES; i++) {
		assert_false(atomic_load(&device[i].inside));
		sem_destroy(&device[i].answer);
	}
}

static void answer(struct device *d)
{
	atomic_store(&d->ask, false);
	sem_post(&d->answer);
	sem_post(&d->answer);
}

static void test_round(void **state)
{
	struct engine *engine = start();

	(void)state;
	for (int i = 0; i < DEVICES; i++)
		await_turns(&device[i], 10);
	finish(engine);
}

static void test_one_waits(void **state)
{
	struct engine *engine = start();
	unsigned int turns;

	(void)state;
	atomic_store(&device[1].ask, true);
	await(&device[1].waits, true);
	turns = atomic_load(&device[1].turns);
	await_turns(&device[0], 100);
	await_turns(&device[2], 100);
	assert_int_equal(atomic_load(&device[1].turns), turns);
	answer(&device[1]);
	await_turns(&device[1], 10);
	assert_false(atomic_load(&device[1].waits));
	finish(engine);
}

/* As many threads as it takes: with all others waiting, the last still has its turns. */
static void test_all_but_one_wait(void **state)
{
	struct engine *engine = start();

	(void)state;
	for (int i = 0; i < DEVICES - 1; i++) {
		atomic_store(&device[i].ask, true);
		await(&device[i].waits, true);
		await_turns(&device[DEVICES - 1], 100);
	}
	for (int i = 0; i < DEVICES - 1; i++) {
		answer(&device[i]);
		await_turns(&device[i], 10);
	}
	finish(engine);
}

static void test_all_wait(void **state)
{
	struct engine *engine = start();

	(void)state;
	for (int i = 0; i < DEVICES; i++)
		atomic_store(&device[i].ask, true);
	for (int i = 0; i < DEVICES; i++)
		await(&device[i].waits, true);
	for (int i = DEVICES; i--;)
		answer(&device[i]);
	for (int i = 0; i < DEVICES; i++)
		await_turns(&device[i], 10);
	finish(engine);
}

static void test_many_waits(void **state)
{
	struct engine *engine = start();

	(void)state;
	for (unsigned int i = 0; i < 1000; i++) {
		struct device *d = &device[i % DEVICES];

		atomic_store(&d->ask, true);
		await(&d->waits, true);
		answer(d);
		await(&d->waits, false);
	}
	finish(engine);
}

static void *answer_late(void *arg)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	nanosleep(&pause, NULL);
	answer(arg);
	return NULL;
}

/* The end waits for the turn, and the turn is finished as any other. */
static void test_stop_in_a_wait(void **state)
{
	struct engine *engine = start();
	pthread_t thread;

	(void)state;
	atomic_store(&device[0].ask, true);
	await(&device[0].waits, true);
	engine_stop(engine);
	assert_int_equal(pthread_create(&thread, NULL, answer_late, &device[0]), 0);
	finish(engine);
	assert_false(atomic_load(&device[0].waits));
	pthread_join(thread, NULL);
}

static atomic_uint naps;

static bool idle(void *arg)
{
	(void)arg;
	atomic_fetch_add(&naps, 1);
	return false;
}

/* A thread that is none of the engine's may call these, with or without an engine. */
static void test_other_thread(void **state)
{
	struct engine *engine;

	(void)state;
	engine_stall();
	engine_resume();
	engine = start();
	engine_stall();
	engine_resume();
	await_turns(&device[0], 10);
	finish(engine);
}

static void test_bounds(void **state)
{
	struct engine *engine = engine_new(0);

	(void)state;
	for (unsigned int i = 0; i < ENGINE_TURNS; i++)
		assert_int_equal(engine_add(engine, idle, NULL), 0);
	assert_int_equal(engine_add(engine, idle, NULL), -ENOSPC);
	engine_wake(engine);
	assert_int_equal(engine_start(engine), 0);
	while (atomic_load(&naps) < 10 * ENGINE_TURNS)
		sched_yield();
	engine_stop(engine);
	engine_free(engine);
	/* Never started, and never made. */
	engine_free(engine_new(0));
	engine_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_one_waits),
		cmocka_unit_test(test_all_but_one_wait),
		cmocka_unit_test(test_all_wait),
		cmocka_unit_test(test_many_waits),
		cmocka_unit_test(test_stop_in_a_wait),
		cmocka_unit_test(test_other_thread),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
