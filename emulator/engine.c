/* SPDX-License-Identifier: GPL-2.0-only */
#include "emulator/engine.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "emulator/pace.h"

/* While the engine spins, how often it looks at what wakes it. */
#define LOOK_NS 50000u

struct turn {
	bool (*take)(void *arg);
	void *arg;
	bool under_way;
};

struct worker {
	struct engine *engine;
	pthread_t thread;
};

struct engine {
	int wake;
	unsigned int turns, workers;
	struct worker worker[ENGINE_TURNS + 1];

	pthread_mutex_t lock; /* the next group */
	pthread_cond_t parked, token;
	struct worker *holder; /* of the token, NULL: it is free */
	/* Written with the lock; looked at without it between turns. */
	struct worker *_Atomic runner; /* takes turns or is about to */
	atomic_uint returning;	       /* workers that want the token back: they come first */
	atomic_bool stop;

	/* the token's */
	struct turn turn[ENGINE_TURNS];
	bool busy; /* a turn of this round did something */
	uint64_t last_work, last_look, last_rest;

	enum pace pace;
	unsigned int cpus, guest_cpus;
	atomic_ullong rounds, naps, work_ns, nap_ns; /* the token's, read by anybody */
};

static _Thread_local struct worker *current;

struct engine *engine_new(unsigned int guest_cpus)
{
	struct engine *engine = calloc(1, sizeof(*engine));

	if (!engine)
		return NULL;
	engine->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (engine->wake < 0) {
		free(engine);
		return NULL;
	}
	pthread_mutex_init(&engine->lock, NULL);
	pthread_cond_init(&engine->parked, NULL);
	pthread_cond_init(&engine->token, NULL);
	engine->cpus = pace_cpus();
	engine->guest_cpus = guest_cpus;
	engine->pace = pace_choose(engine->cpus, guest_cpus);
	return engine;
}

int engine_add(struct engine *engine, bool (*turn)(void *arg), void *arg)
{
	if (engine->turns == ENGINE_TURNS)
		return -ENOSPC;
	engine->turn[engine->turns++] = (struct turn){ .take = turn, .arg = arg };
	return 0;
}

void engine_wake(struct engine *engine)
{
	eventfd_write(engine->wake, 1);
}

/* --- the token; all with the lock held ------------------------------------------------------- */

static void release(struct engine *engine)
{
	engine->holder = NULL;
	pthread_cond_broadcast(&engine->token);
}

static void acquire(struct engine *engine, struct worker *worker)
{
	while (engine->holder || atomic_load(&engine->returning))
		pthread_cond_wait(&engine->token, &engine->lock);
	engine->holder = worker;
}

void engine_stall(void)
{
	struct worker *worker = current;
	struct engine *engine;

	if (!worker)
		return;
	engine = worker->engine;
	pthread_mutex_lock(&engine->lock);
	if (engine->runner == worker) {
		engine->runner = NULL;
		pthread_cond_signal(&engine->parked);
	}
	release(engine);
	pthread_mutex_unlock(&engine->lock);
}

void engine_resume(void)
{
	struct worker *worker = current;
	struct engine *engine;

	if (!worker)
		return;
	engine = worker->engine;
	pthread_mutex_lock(&engine->lock);
	atomic_fetch_add(&engine->returning, 1);
	/* The runner may be napping. */
	engine_wake(engine);
	while (engine->holder)
		pthread_cond_wait(&engine->token, &engine->lock);
	engine->holder = worker;
	atomic_fetch_sub(&engine->returning, 1);
	pthread_mutex_unlock(&engine->lock);
}

/* --- turns ----------------------------------------------------------------------------------- */

/* Between two turns. */
static void give_way(struct engine *engine, struct worker *worker)
{
	if (!atomic_load_explicit(&engine->returning, memory_order_relaxed))
		return;
	pthread_mutex_lock(&engine->lock);
	release(engine);
	acquire(engine, worker);
	pthread_mutex_unlock(&engine->lock);
}

/* Returns false when @worker has lost its place to another one while it waited. */
static bool take(struct engine *engine, struct worker *worker, struct turn *turn)
{
	if (turn->under_way)
		return true;
	turn->under_way = true;
	if (turn->take(turn->arg))
		engine->busy = true;
	turn->under_way = false;
	return atomic_load_explicit(&engine->runner, memory_order_relaxed) == worker;
}

static void count(atomic_ullong *counter, uint64_t value)
{
	/* Only the token's holder adds. */
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + value,
			      memory_order_relaxed);
}

/* After a round, which ended at @now. */
static void rest(struct engine *engine, uint64_t now)
{
	struct pollfd polled = { .fd = engine->wake, .events = POLLIN };
	uint64_t idle = now - engine->last_work, worked = 0;
	struct timespec timeout = { 0 };
	eventfd_t wakes;

	if (engine->last_work > engine->last_rest)
		worked = engine->last_work - engine->last_rest;
	timeout.tv_nsec = (long)pace_rest(engine->pace, idle, worked);
	if (!timeout.tv_nsec && now - engine->last_look < LOOK_NS)
		return;
	if (ppoll(&polled, 1, &timeout, NULL) > 0)
		eventfd_read(engine->wake, &wakes);
	engine->last_look = clock_now_ns();
	if (!timeout.tv_nsec)
		return;
	engine->last_rest = engine->last_look;
	count(&engine->naps, 1);
	count(&engine->nap_ns, engine->last_look - now);
}

/* With the token. Until the engine stops, or @worker is not the runner any more. */
static void run(struct engine *engine, struct worker *worker)
{
	engine->last_work = engine->last_look = engine->last_rest = clock_now_ns();
	while (!atomic_load_explicit(&engine->stop, memory_order_relaxed)) {
		uint64_t start = clock_now_ns(), end;

		engine->busy = false;
		for (unsigned int i = 0; i < engine->turns; i++) {
			if (!take(engine, worker, &engine->turn[i]))
				return;
			give_way(engine, worker);
		}
		end = clock_now_ns();
		if (engine->busy)
			engine->last_work = end;
		count(&engine->rounds, 1);
		count(&engine->work_ns, end - start);
		rest(engine, end);
	}
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct engine *engine = worker->engine;

	current = worker;
	pthread_mutex_lock(&engine->lock);
	for (;;) {
		while (engine->runner && !atomic_load(&engine->stop))
			pthread_cond_wait(&engine->parked, &engine->lock);
		if (atomic_load(&engine->stop))
			break;
		engine->runner = worker;
		acquire(engine, worker);
		pthread_mutex_unlock(&engine->lock);
		run(engine, worker);
		pthread_mutex_lock(&engine->lock);
		if (engine->runner == worker)
			engine->runner = NULL;
		release(engine);
	}
	pthread_mutex_unlock(&engine->lock);
	return NULL;
}

int engine_start(struct engine *engine)
{
	int ret = 0;

	while (!ret && engine->workers <= engine->turns) {
		struct worker *worker = &engine->worker[engine->workers];

		worker->engine = engine;
		ret = pthread_create(&worker->thread, NULL, work, worker);
		if (!ret)
			engine->workers++;
	}
	return -ret;
}

void engine_look(const struct engine *engine, struct engine_state *state)
{
	*state = (struct engine_state){
		.pace = pace_names[engine->pace],
		.cpus = engine->cpus,
		.guest_cpus = engine->guest_cpus,
		.rounds = atomic_load_explicit(&engine->rounds, memory_order_relaxed),
		.naps = atomic_load_explicit(&engine->naps, memory_order_relaxed),
		.work_ns = atomic_load_explicit(&engine->work_ns, memory_order_relaxed),
		.nap_ns = atomic_load_explicit(&engine->nap_ns, memory_order_relaxed),
	};
}

void engine_stop(struct engine *engine)
{
	if (!engine)
		return;
	pthread_mutex_lock(&engine->lock);
	atomic_store(&engine->stop, true);
	pthread_cond_broadcast(&engine->parked);
	pthread_mutex_unlock(&engine->lock);
	engine_wake(engine);
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	engine_stop(engine);
	for (unsigned int i = 0; i < engine->workers; i++)
		pthread_join(engine->worker[i].thread, NULL);
	pthread_cond_destroy(&engine->token);
	pthread_cond_destroy(&engine->parked);
	pthread_mutex_destroy(&engine->lock);
	close(engine->wake);
	free(engine);
}
