// SPDX-License-Identifier: GPL-2.0-only
#include "hammer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 40.0

struct running {
	const struct hammer_worker *worker;
	pthread_t thread;
	uint64_t seed;
	atomic_ulong rounds;
};

static atomic_bool stopped;
static pthread_barrier_t start;

static void *run(void *arg)
{
	struct running *running = arg;

	pthread_barrier_wait(&start);
	while (!stopped) {
		running->worker->step(running->worker->arg, &running->seed);
		running->rounds++;
	}
	return NULL;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static bool enough(const struct running *running)
{
	const struct hammer_worker *worker = running->worker;

	return running->rounds && (!worker->enough || worker->enough(worker->arg));
}

static bool all_enough(const struct running *running, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (!enough(&running[i]))
			return false;
	return true;
}

void hammer(unsigned int seconds, const struct hammer_worker *worker, unsigned int count)
{
	static struct running running[HAMMER_WORKERS];
	double end;

	if (!CHECK(count <= HAMMER_WORKERS))
		return;
	stopped = false;
	pthread_barrier_init(&start, NULL, count + 1);
	for (unsigned int i = 0; i < count; i++) {
		running[i].worker = &worker[i];
		running[i].rounds = 0;
		running[i].seed = 0x9e3779b97f4a7c15u * (i + 1);
		if (pthread_create(&running[i].thread, NULL, run, &running[i]))
			ktap_bail("no thread");
	}
	pthread_barrier_wait(&start);
	end = now() + seconds;
	while (!stopped && (now() < end || !all_enough(running, count)) &&
	       now() < end + seconds * (PATIENCE - 1))
		usleep(20000);
	stopped = true;
	for (unsigned int i = 0; i < count; i++) {
		pthread_join(running[i].thread, NULL);
		ktap_note("%s: %lu rounds", worker[i].name, running[i].rounds);
	}
	for (unsigned int i = 0; i < count; i++)
		if (!CHECK(enough(&running[i])))
			ktap_note("not enough: %s", worker[i].name);
	pthread_barrier_destroy(&start);
}

void hammer_stop(void)
{
	stopped = true;
}

bool hammer_stopped(void)
{
	return stopped;
}

bool hammer_checked(bool ok)
{
	if (!ok)
		hammer_stop();
	return ok;
}

uint32_t hammer_random(uint64_t *seed, uint32_t limit)
{
	/* xorshift; its low bits are good enough for picking */
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (uint32_t)((*seed >> 16) % limit);
}

bool hammer_full(void)
{
	const char *full = getenv("TPH_FULL");

	return full && !strcmp(full, "1");
}

unsigned int hammer_seconds(unsigned int quick)
{
	const char *seconds = getenv("TPH_SECONDS");

	if (!hammer_full())
		return quick;
	return seconds ? (unsigned int)strtoul(seconds, NULL, 10) : 60;
}
