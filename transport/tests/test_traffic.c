/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random traffic over a random network: each message arrives once, in order and whole, or the QP is
 * in error for the reason that there is. TRANSPORT_PACKETS=N: about so many packets instead of some
 * hundred thousand; TRANSPORT_SEED=N: that one run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "transport/tests/world.h"

#define PACKETS 100000u
#define RUNS	100u /* of which one loses something */
#define STEPS	3000000u

static struct world world;

static uint64_t some_length(void)
{
	uint64_t mtu = world.requester.attr.path.mtu;

	switch (world_below(&world, 6)) {
	case 0:
		return world_below(&world, 9);
	case 1:
		return mtu - 1 + world_below(&world, 3);
	case 2:
		return mtu * world_below(&world, 9);
	case 3:
		return world_below(&world, WORLD_MEMORY / 4);
	default:
		return world_below(&world, 4 * mtu);
	}
}

static struct requester_message some_message(bool reliable)
{
	struct requester_message message = {
		.operation = (enum transport_operation)world_below(&world, 8),
		.solicited = world_below(&world, 2),
		.r_key = WORLD_KEY,
		.immediate = WORLD_KEY,
		.srqn = world.requester.attr.path.service == PACKET_XRC ? WORLD_SRQN : 0,
	};

	if (!reliable)
		message.operation = (enum transport_operation)("\0\1\3\4"[world_below(&world, 4)]);
	message.length = some_length();
	if (message.length > WORLD_MEMORY)
		message.length = WORLD_MEMORY;
	message.va = message.operation == TRANSPORT_READ ? WORLD_READ : WORLD_WRITTEN;
	message.va += world_below(&world, WORLD_MEMORY - message.length + 1);
	if (message.operation == TRANSPORT_SEND_IMM || message.operation == TRANSPORT_WRITE_IMM)
		message.immediate = (uint32_t)world_below(&world, UINT32_MAX);
	if (message.operation < TRANSPORT_COMPARE_SWAP)
		return message;
	message.va = WORLD_ATOMIC + 8 * world_below(&world, WORLD_CELLS);
	message.length = 8;
	message.swap_add = message.operation == TRANSPORT_FETCH_ADD ? 1 : world_below(&world, 8);
	message.compare = world_below(&world, 8);
	return message;
}

/* Make @message one that fails. Returns what it has to fail with. */
static enum transport_status spoil(struct requester_message *message, bool *local)
{
	static const enum transport_operation ranged[] = { TRANSPORT_WRITE, TRANSPORT_WRITE_IMM,
							   TRANSPORT_READ, TRANSPORT_FETCH_ADD };

	*local = false;
	switch (world_below(&world, 4)) {
	case 0: /* a key that nobody gave */
		message->operation = ranged[world_below(&world, 4)];
		message->length = message->operation == TRANSPORT_FETCH_ADD
					  ? 8
					  : 1 + world_below(&world, 10000);
		message->r_key = WORLD_KEY + 1;
		message->va = WORLD_WRITTEN;
		return TRANSPORT_REMOTE_ACCESS;
	case 1: /* more than the receive has */
		message->operation = TRANSPORT_SEND;
		message->length = world.receive_length + 1 + world_below(&world, 5000);
		return TRANSPORT_REMOTE_INVALID;
	case 2:
		message->operation = TRANSPORT_SEND_INV;
		message->immediate = WORLD_KEY + 1;
		return TRANSPORT_REMOTE_OPERATION;
	default:
		message->operation = world_below(&world, 2) ? TRANSPORT_SEND : TRANSPORT_READ;
		message->length = 1 + world_below(&world, 10000);
		message->va = WORLD_READ;
		*local = true;
		return TRANSPORT_LOCAL_PROTECTION;
	}
}

/* Posts as many as fit. */
static void feed(unsigned int total, unsigned int bad, enum transport_status *expected)
{
	while (world.jobs < total &&
	       world.requester.posted - world.requester.oldest < REQUESTER_MESSAGES &&
	       world_below(&world, 4)) {
		struct requester_message message =
			some_message(world.requester.attr.path.service != PACKET_UC);
		bool local = false;

		if (world.jobs == bad)
			*expected = spoil(&message, &local);
		world.job[world.jobs].local_refusal = local;
		world_post(&world, &message);
	}
}

/* Everything until @bad went well, that one failed as it should, the rest was not begun. */
static void judge_failure(unsigned int bad, enum transport_status expected)
{
	unsigned int i = 0;

	while (i < world.jobs && world.job[i].status == TRANSPORT_SUCCESS)
		i++;
	if (i == world.jobs)
		world_wrong(&world, "job %u did not fail", bad);
	for (unsigned int j = i + 1; j < world.jobs; j++)
		if (world.job[j].status != TRANSPORT_FLUSHED)
			world_wrong(&world, "job %u after a failure: %d", j, world.job[j].status);
	/*
	 * A NAK is sent once. When it is lost, nobody answers any more; one that overtakes the
	 * answer to a READ is not believed, and so is lost, too.
	 */
	if (world.job[i].status == TRANSPORT_RETRY_EXCEEDED) {
		if (world.lost <= world.requester.attr.retry_count && !world.responder_failed)
			world_wrong(&world, "job %u: retries exceeded, but %llu packets were lost",
				    i, (unsigned long long)world.lost);
		if (world.responder_failed && !world.lost && !world.network.jitter_ns)
			world_wrong(&world, "job %u: the NAK was not lost", i);
		return;
	}
	if (i != bad || world.job[i].status != expected)
		world_wrong(&world, "job %u ended with %d; job %u should with %d", i,
			    world.job[i].status, bad, expected);
	if (world.responder_failed != (expected != TRANSPORT_LOCAL_PROTECTION))
		world_wrong(&world, "the responder failed: %d", world.responder_failed);
}

static void judge_success(void)
{
	for (unsigned int i = 0; i < world.jobs; i++)
		if (world.job[i].status != TRANSPORT_SUCCESS)
			world_wrong(&world, "job %u: %d", i, world.job[i].status);
	if (memcmp(world.written, world.shadow, WORLD_MEMORY))
		world_wrong(&world, "the memory is not what was written");
	if (memcmp(world.cell, world.shadow_cell, sizeof(world.cell)))
		world_wrong(&world, "the cells are not what atomics made of them");
	for (unsigned int i = world.last_receipt; i < world.jobs; i++)
		if (world.job[i].message.operation <= TRANSPORT_SEND_INV ||
		    world.job[i].message.operation == TRANSPORT_WRITE_IMM)
			world_wrong(&world, "job %u was not received", i);
}

static void run(uint64_t seed, enum packet_class service)
{
	unsigned int total, bad;
	enum transport_status expected = TRANSPORT_SUCCESS;
	unsigned int steps = 0;
	bool failed = false;

	world_init(&world, seed);
	world_connect(&world, service);
	total = 1 + (unsigned int)world_below(&world, WORLD_MESSAGES - 1);
	bad = world_below(&world, 4) ? total : (unsigned int)world_below(&world, total);
	if (bad < total)
		world.receive_length = WORLD_MEMORY / 2;
	while (world.completed < total && !world.requester.failed) {
		feed(total, bad, &expected);
		if (!world_step(&world) && world.requester.oldest < world.requester.posted)
			world_wrong(&world, "nothing moves any more: %u of %u", world.completed,
				    world.jobs);
		if (++steps == STEPS)
			world_wrong(&world, "no end in sight: %u of %u", world.completed, total);
	}
	/* What is still on its way must not change anything. */
	for (unsigned int i = 0; i < 200; i++)
		world_step(&world);
	if (world.completed != world.jobs)
		world_wrong(&world, "%u of %u complete", world.completed, world.jobs);
	for (unsigned int i = 0; i < world.jobs; i++)
		failed |= world.job[i].status != TRANSPORT_SUCCESS;
	if (failed || bad < total)
		judge_failure(bad, expected);
	else
		judge_success();
	world_free(&world);
}

/* Nothing is told, but what arrives is whole and in order. */
static void run_unreliable(uint64_t seed)
{
	unsigned int total, steps = 0;
	uint64_t sent_bytes_lost;

	world_init(&world, seed);
	world_connect(&world, PACKET_UC);
	/* A packet that comes twice may be a message that comes twice (9.8.2.2). */
	world.network.doubled = 0;
	world.network.jitter_ns = 0;
	world.lossy_order = true;
	total = 1 + (unsigned int)world_below(&world, WORLD_MESSAGES - 1);
	while ((world.completed < total || world.flights) && ++steps < STEPS) {
		enum transport_status none;

		feed(total, total, &none);
		world_step(&world);
	}
	sent_bytes_lost = world.lost + world.responder.counts.not_ready;
	for (unsigned int i = 0; i < world.jobs; i++)
		if (world.job[i].status != TRANSPORT_SUCCESS)
			world_wrong(&world, "job %u: %d", i, world.job[i].status);
	if (world.responder_failed)
		world_wrong(&world, "the responder failed: %s",
			    transport_refusal_name(world.refusal));
	if (!sent_bytes_lost)
		judge_success();
	world_free(&world);
}

static uint64_t wish(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static void test_traffic(void **state)
{
	uint64_t packets = 0, lost = 0, resent = 0, runs = 0;
	uint64_t limit = wish("TRANSPORT_PACKETS", PACKETS);
	uint64_t seed = wish("TRANSPORT_SEED", 0), one = seed;

	(void)state;
	if (!seed)
		seed = (uint64_t)time(NULL) << 20;
	print_message("from seed %llu\n", (unsigned long long)seed);
	do {
		switch (seed % 5) {
		case 0:
			run_unreliable(seed);
			break;
		case 1:
			run(seed, PACKET_XRC);
			break;
		case 2:
			run(seed, PACKET_DC);
			break;
		default:
			run(seed, PACKET_RC);
			break;
		}
		packets += world.packets;
		lost += world.lost;
		resent += world.requester.counts.resent;
		runs++;
		seed++;
		/* One run may have all of the packets, and a cable that loses none. */
	} while (!one && (packets < limit || (!(lost && resent) && runs < RUNS)));
	print_message("%llu runs, %llu packets, %llu lost, %llu sent again\n",
		      (unsigned long long)runs, (unsigned long long)packets,
		      (unsigned long long)lost, (unsigned long long)resent);
	assert_true(one || (lost && resent));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_traffic) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
