/* SPDX-License-Identifier: GPL-2.0-only */
/* The requester's rules one by one: what it sends, and what answers made by hand do to it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/tests/world.h"

#define MTU	256u
#define TIMEOUT 1000000u
#define WINDOW	64u

static struct world world;
static struct requester *const r = &world.requester;
static uint8_t buf[MTU];
static struct packet out;
static uint64_t now;

static void begin_attr(enum packet_class service, uint8_t retries, uint8_t rnr_retry,
		       uint8_t max_rd_atomic)
{
	struct requester_attr attr = {
		.path = { .service = service,
			  .mtu = MTU,
			  .dest_qpn = 0x12,
			  .p_key = 0xffff,
			  .migrated = true },
		.psn = PSN_MASK, /* the next one wraps */
		.window = WINDOW,
		.retry_count = retries,
		.rnr_retry = rnr_retry,
		.timeout_ns = TIMEOUT,
		.max_rd_atomic = max_rd_atomic,
	};

	world_init(&world, 1);
	now = 1;
	requester_init(r, &attr, &world_requester_ops, &world);
}

static void begin(void)
{
	begin_attr(PACKET_RC, 2, 2, 2);
}

static void post(enum transport_operation operation, uint64_t length)
{
	struct requester_message message = { .operation = operation,
					     .length = length,
					     .solicited = true,
					     .va = WORLD_READ,
					     .r_key = WORLD_KEY,
					     .immediate = 0x99 };

	message.va = operation >= TRANSPORT_COMPARE_SWAP ? WORLD_ATOMIC
		     : operation == TRANSPORT_READ	 ? WORLD_READ
							 : WORLD_WRITTEN;
	world_post(&world, &message);
}

/* The next packet; @psn counts from the first one of the QP. */
static void sends(uint8_t opcode, uint32_t psn, size_t length)
{
	assert_int_equal(requester_poll(r, now, &out, buf, sizeof(buf)), 1);
	assert_int_equal(out.opcode, opcode);
	assert_int_equal(out.psn, (PSN_MASK + psn) & PSN_MASK);
	assert_int_equal(out.length, length);
	assert_int_equal(out.dest_qpn, 0x12);
}

static void quiet(void)
{
	assert_false(requester_poll(r, now, &out, buf, sizeof(buf)));
}

static struct packet response(uint8_t opcode, uint32_t psn, uint8_t syndrome)
{
	return (struct packet){ .opcode = opcode,
				.psn = (PSN_MASK + psn) & PSN_MASK,
				.syndrome = syndrome };
}

static void answer(uint8_t opcode, uint32_t psn, uint8_t syndrome)
{
	struct packet packet = response(opcode, psn, syndrome);

	assert_true(requester_receive(r, now, &packet, 1));
}

static void answer_read(uint8_t opcode, uint32_t psn, uint64_t offset, size_t length)
{
	struct packet packet = response(opcode, psn, 0x1f);

	packet.payload = world.read + offset;
	packet.length = length;
	assert_true(requester_receive(r, now, &packet, 1));
}

static void ended(unsigned int job, enum transport_status status)
{
	assert_true(world.job[job].complete);
	assert_int_equal(world.job[job].status, status);
}

static void test_segments(void **state)
{
	(void)state;
	begin();
	post(TRANSPORT_WRITE_IMM, 2 * MTU + 1);
	sends(PACKET_WRITE_FIRST, 0, MTU);
	assert_int_equal(out.va, WORLD_WRITTEN);
	assert_int_equal(out.dma_length, 2 * MTU + 1);
	assert_false(out.ack_req || out.solicited);
	sends(PACKET_WRITE_MIDDLE, 1, MTU);
	assert_int_equal(out.payload[0], world_byte(0, MTU));
	sends(PACKET_WRITE_LAST_IMM, 2, 1);
	assert_true(out.ack_req && out.solicited);
	assert_int_equal(out.immediate, 0x99);
	post(TRANSPORT_SEND, 2 * MTU);
	sends(PACKET_SEND_FIRST, 3, MTU);
	sends(PACKET_SEND_LAST, 4, MTU);
	post(TRANSPORT_SEND_INV, 0);
	sends(PACKET_SEND_ONLY_INV, 5, 0);
	post(TRANSPORT_READ, MTU + 1);
	sends(PACKET_READ, 6, 0);
	post(TRANSPORT_FETCH_ADD, 8);
	sends(PACKET_FETCH_ADD, 8, 0);
	quiet();
	assert_int_equal(world.completed, 0);
	answer(PACKET_ACK, 4, 0x1f);
	assert_int_equal(world.completed, 2);
	answer(PACKET_ACK, 5, 0x1f);
	assert_int_equal(world.completed, 3);
}

static void test_window(void **state)
{
	unsigned int asked = 0;

	(void)state;
	begin();
	post(TRANSPORT_SEND, MTU * (WINDOW + 10));
	for (unsigned int i = 0; i < WINDOW; i++) {
		assert_int_equal(requester_poll(r, now, &out, buf, sizeof(buf)), 1);
		asked += out.ack_req;
	}
	quiet();
	assert_int_equal(asked, 4);
	answer(PACKET_ACK, 4, 0x1f);
	for (unsigned int i = 0; i < 5; i++)
		sends(PACKET_SEND_MIDDLE, WINDOW + i, MTU);
	quiet();
}

static void test_max_rd_atomic(void **state)
{
	(void)state;
	begin();
	post(TRANSPORT_READ, 1);
	post(TRANSPORT_FETCH_ADD, 8);
	post(TRANSPORT_READ, 1);
	post(TRANSPORT_SEND, 1);
	sends(PACKET_READ, 0, 0);
	sends(PACKET_FETCH_ADD, 1, 0);
	quiet();
	answer_read(PACKET_READ_ONLY, 0, 0, 1);
	ended(0, TRANSPORT_SUCCESS);
	sends(PACKET_READ, 2, 0);
	sends(PACKET_SEND_ONLY, 3, 1);
}

static void test_timeouts(void **state)
{
	(void)state;
	begin();
	post(TRANSPORT_SEND, 1);
	post(TRANSPORT_SEND, 1);
	sends(PACKET_SEND_ONLY, 0, 1);
	now += 500;
	sends(PACKET_SEND_ONLY, 1, 1);
	assert_int_equal(requester_wakes(r), 1 + TIMEOUT);
	for (unsigned int retry = 0; retry < 2; retry++) {
		now = requester_wakes(r) - 1;
		quiet();
		now++;
		sends(PACKET_SEND_ONLY, 0, 1);
		assert_true(out.ack_req);
		sends(PACKET_SEND_ONLY, 1, 1);
		assert_int_equal(requester_wakes(r), now + TIMEOUT);
	}
	/* Progress gives all tries back. */
	answer(PACKET_ACK, 0, 0x1f);
	ended(0, TRANSPORT_SUCCESS);
	for (unsigned int retry = 0; retry < 2; retry++) {
		now = requester_wakes(r);
		sends(PACKET_SEND_ONLY, 1, 1);
	}
	post(TRANSPORT_SEND, 1);
	now = requester_wakes(r);
	quiet();
	ended(1, TRANSPORT_RETRY_EXCEEDED);
	ended(2, TRANSPORT_FLUSHED);
	assert_int_equal(r->counts.timeouts, 4);
	assert_int_equal(r->counts.resent, 6);
	assert_int_equal(requester_wakes(r), 0);
	/* What is posted later is flushed at once. */
	post(TRANSPORT_SEND, 1);
	ended(3, TRANSPORT_FLUSHED);
}

/* Without a clock no timer starts; nor does the owner have to look at one. */
static void test_no_time(void **state)
{
	struct packet rnr = response(PACKET_ACK, 1, AETH_RNR << AETH_KIND_SHIFT | 1);
	struct packet ack = response(PACKET_ACK, 0, 0x1f);

	(void)state;
	begin();
	now = 0;
	post(TRANSPORT_SEND, MTU);
	post(TRANSPORT_SEND, MTU);
	assert_false(requester_needs_time(r, NULL));
	sends(PACKET_SEND_ONLY, 0, MTU);
	sends(PACKET_SEND_ONLY, 1, MTU);
	assert_false(requester_needs_time(r, &ack));
	assert_true(requester_receive(r, 0, &ack, 1));
	ended(0, TRANSPORT_SUCCESS);
	assert_int_equal(requester_wakes(r), 0);
	requester_start(r, 1000);
	assert_int_equal(requester_wakes(r), 1000 + r->attr.timeout_ns);
	requester_start(r, 2000);
	assert_int_equal(requester_wakes(r), 1000 + r->attr.timeout_ns);
	assert_true(requester_needs_time(r, NULL));
	/* The wait of an RNR NAK is not for the timer of acknowledgements. */
	r->deadline = 0;
	assert_true(requester_needs_time(r, &rnr));
	assert_true(requester_receive(r, 3000, &rnr, 1));
	requester_start(r, 4000);
	assert_int_equal(requester_wakes(r), 3000 + transport_rnr_ns(1));
	assert_int_equal(r->deadline, 0);
}

static void test_retries_for_ever(void **state)
{
	(void)state;
	begin_attr(PACKET_RC, REQUESTER_RETRY_FOREVER, 2, 1);
	post(TRANSPORT_SEND, 1);
	sends(PACKET_SEND_ONLY, 0, 1);
	for (unsigned int retry = 0; retry < 300; retry++) {
		now = requester_wakes(r);
		sends(PACKET_SEND_ONLY, 0, 1);
	}
	assert_int_equal(r->counts.timeouts, 300);
	answer(PACKET_ACK, 0, 0x1f);
	ended(0, TRANSPORT_SUCCESS);
}

static void test_not_ready(void **state)
{
	(void)state;
	begin();
	post(TRANSPORT_WRITE, 1);
	post(TRANSPORT_SEND, 1);
	sends(PACKET_WRITE_ONLY, 0, 1);
	sends(PACKET_SEND_ONLY, 1, 1);
	for (unsigned int retry = 0; retry < 2; retry++) {
		answer(PACKET_ACK, 1, 0x20 | 14); /* 1.28 ms */
		ended(0, TRANSPORT_SUCCESS);
		/* The same once more is of the network. */
		answer(PACKET_ACK, 1, 0x20 | 14);
		assert_int_equal(requester_wakes(r), now + 1280000);
		now += 1279999;
		quiet();
		now++;
		sends(PACKET_SEND_ONLY, 1, 1);
	}
	answer(PACKET_ACK, 1, 0x20 | 14);
	ended(1, TRANSPORT_RNR_EXCEEDED);
	assert_int_equal(r->counts.rnr_naks, 2);
	/* 7 is for ever. */
	begin_attr(PACKET_RC, 2, REQUESTER_RNR_FOREVER, 1);
	post(TRANSPORT_SEND, 1);
	sends(PACKET_SEND_ONLY, 0, 1);
	for (unsigned int retry = 0; retry < 50; retry++) {
		answer(PACKET_ACK, 0, 0x20);
		assert_int_equal(requester_wakes(r), now + 655360000);
		now += 655360000;
		sends(PACKET_SEND_ONLY, 0, 1);
	}
	answer(PACKET_ACK, 0, 0x1f);
	ended(0, TRANSPORT_SUCCESS);
}

static void test_sequence_nak(void **state)
{
	(void)state;
	begin();
	post(TRANSPORT_SEND, 3 * MTU);
	post(TRANSPORT_SEND, 1);
	sends(PACKET_SEND_FIRST, 0, MTU);
	sends(PACKET_SEND_MIDDLE, 1, MTU);
	sends(PACKET_SEND_LAST, 2, MTU);
	sends(PACKET_SEND_ONLY, 3, 1);
	answer(PACKET_ACK, 1, 0x60);
	answer(PACKET_ACK, 1, 0x60);
	sends(PACKET_SEND_MIDDLE, 1, MTU);
	assert_int_equal(out.payload[0], world_byte(0, MTU));
	assert_int_equal(r->counts.sequence_naks, 1);
	sends(PACKET_SEND_LAST, 2, MTU);
	sends(PACKET_SEND_ONLY, 3, 1);
	quiet();
	answer(PACKET_ACK, 3, 0x1f);
	assert_int_equal(world.completed, 2);
	assert_int_equal(requester_wakes(r), 0);
}

/* An answer that was lost shows in the next one: READs and atomics are acknowledged by theirs. */
static void test_implied_nak(void **state)
{
	(void)state;
	begin();
	post(TRANSPORT_WRITE, 1);
	post(TRANSPORT_READ, 2 * MTU);
	post(TRANSPORT_SEND, 1);
	sends(PACKET_WRITE_ONLY, 0, 1);
	sends(PACKET_READ, 1, 0);
	sends(PACKET_SEND_ONLY, 3, 1);
	answer(PACKET_ACK, 3, 0x1f);
	ended(0, TRANSPORT_SUCCESS);
	assert_int_equal(world.completed, 1);
	answer(PACKET_ACK, 3, 0x1f);
	assert_int_equal(r->counts.implied_naks, 1);
	sends(PACKET_READ, 1, 0);
	sends(PACKET_SEND_ONLY, 3, 1);
	answer_read(PACKET_READ_FIRST, 1, 0, MTU);
	/* The second half of the response is lost: the rest is asked for. */
	answer(PACKET_ACK, 3, 0x1f);
	assert_int_equal(r->counts.implied_naks, 2);
	sends(PACKET_READ, 2, 0);
	assert_int_equal(out.va, WORLD_READ + MTU);
	assert_int_equal(out.dma_length, MTU);
	answer_read(PACKET_READ_ONLY, 2, MTU, MTU);
	ended(1, TRANSPORT_SUCCESS);
	answer(PACKET_ACK, 3, 0x1f);
	ended(2, TRANSPORT_SUCCESS);
}

/* A response acknowledges all requests before its own. */
static void test_implied_ack(void **state)
{
	struct packet packet;

	(void)state;
	begin();
	post(TRANSPORT_WRITE, 1);
	post(TRANSPORT_FETCH_ADD, 8);
	sends(PACKET_WRITE_ONLY, 0, 1);
	sends(PACKET_FETCH_ADD, 1, 0);
	packet = response(PACKET_ATOMIC_ACK, 1, 0x1f);
	assert_true(requester_receive(r, now, &packet, 1));
	ended(0, TRANSPORT_SUCCESS);
	ended(1, TRANSPORT_SUCCESS);
	assert_true(world.job[1].has_original);
}

static void test_naks(void **state)
{
	static const enum transport_status ends[] = { TRANSPORT_REMOTE_INVALID,
						      TRANSPORT_REMOTE_ACCESS,
						      TRANSPORT_REMOTE_OPERATION };

	(void)state;
	for (uint8_t code = 1; code <= 3; code++) {
		begin();
		for (unsigned int i = 0; i < 3; i++)
			post(TRANSPORT_SEND, 1);
		for (unsigned int i = 0; i < 3; i++)
			sends(PACKET_SEND_ONLY, i, 1);
		answer(PACKET_ACK, 1, 0x60 | code);
		ended(0, TRANSPORT_SUCCESS);
		ended(1, ends[code - 1]);
		ended(2, TRANSPORT_FLUSHED);
		quiet();
	}
	/* Reserved syndromes say nothing. */
	begin();
	post(TRANSPORT_SEND, 1);
	sends(PACKET_SEND_ONLY, 0, 1);
	answer(PACKET_ACK, 0, 0x40);
	answer(PACKET_ACK, 0, 0x64);
	assert_int_equal(world.completed, 0);
	assert_false(r->failed);
}

static void test_bad_responses(void **state)
{
	static const struct {
		uint8_t opcode;
		size_t length;
	} bad[] = {
		{ PACKET_READ_FIRST, MTU - 4 }, { PACKET_READ_ONLY, MTU },
		{ PACKET_READ_MIDDLE, MTU },	{ PACKET_READ_LAST, 1 },
		{ PACKET_ATOMIC_ACK, 0 },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin();
		post(TRANSPORT_READ, 2 * MTU);
		sends(PACKET_READ, 0, 0);
		answer_read(bad[i].opcode, 0, 0, bad[i].length);
		ended(0, TRANSPORT_BAD_RESPONSE);
		assert_int_equal(world.job[0].placed, 0);
	}
	begin();
	post(TRANSPORT_SEND, 1);
	sends(PACKET_SEND_ONLY, 0, 1);
	answer_read(PACKET_READ_ONLY, 0, 0, 1);
	ended(0, TRANSPORT_BAD_RESPONSE);
}

static void test_ghosts(void **state)
{
	(void)state;
	begin();
	post(TRANSPORT_SEND, 1);
	sends(PACKET_SEND_ONLY, 0, 1);
	answer(PACKET_ACK, 1, 0x1f);	    /* not sent yet */
	answer(PACKET_ACK, 0xfffff0, 0x1f); /* long ago */
	answer(PACKET_ACK, 1, 0x62);
	assert_int_equal(r->counts.ghosts, 3);
	answer(PACKET_UC | PACKET_SEND_ONLY, 0, 0);
	answer(PACKET_XRC | PACKET_ACK, 0, 0x1f);
	answer(PACKET_SEND_ONLY, 0, 0);
	assert_int_equal(world.completed, 0);
	answer(PACKET_ACK, 0, 0x1f);
	ended(0, TRANSPORT_SUCCESS);
	answer(PACKET_ACK, 0, 0x62);
	assert_false(r->failed);
}

/* Credits @code of a receiver that is done with @msn messages. */
static void answer_credits(uint32_t psn, uint32_t msn, uint8_t code)
{
	struct packet packet = response(PACKET_ACK, psn, code);

	packet.msn = msn;
	assert_true(requester_receive(r, now, &packet, 1));
}

static void test_credits(void **state)
{
	(void)state;
	begin();
	for (unsigned int i = 0; i < 3; i++)
		post(TRANSPORT_SEND, 1);
	post(TRANSPORT_WRITE, 1);
	post(TRANSPORT_SEND, 2 * MTU);
	post(TRANSPORT_WRITE, 1);
	/* Before the first ACK nothing is known. */
	sends(PACKET_SEND_ONLY, 0, 1);
	answer_credits(0, 1, 2);
	sends(PACKET_SEND_ONLY, 1, 1);
	sends(PACKET_SEND_ONLY, 2, 1);
	sends(PACKET_WRITE_ONLY, 3, 1); /* takes none */
	quiet();
	/* All is acknowledged, and there is still none: one packet, alone. */
	answer_credits(3, 4, 0);
	sends(PACKET_SEND_FIRST, 4, MTU);
	assert_true(out.ack_req);
	quiet();
	/* An older ACK takes nothing away, a newer one gives. */
	answer_credits(4, 4, 1);
	sends(PACKET_SEND_LAST, 5, 1 * MTU);
	sends(PACKET_WRITE_ONLY, 6, 1);
	answer(PACKET_ACK, 6, 0x1f);
	assert_int_equal(world.completed, 6);
}

static void test_local_refusal(void **state)
{
	(void)state;
	begin();
	post(TRANSPORT_SEND, 1);
	world.job[1].local_refusal = true;
	post(TRANSPORT_SEND, 1);
	post(TRANSPORT_SEND, 1);
	sends(PACKET_SEND_ONLY, 0, 1);
	quiet();
	assert_int_equal(world.completed, 0);
	answer(PACKET_ACK, 0, 0x1f);
	quiet();
	ended(0, TRANSPORT_SUCCESS);
	ended(1, TRANSPORT_LOCAL_PROTECTION);
	ended(2, TRANSPORT_FLUSHED);
}

/* Another path between messages: the numbers go on, and all tries are there again. */
static void test_modify(void **state)
{
	struct requester_attr attr;

	(void)state;
	begin();
	post(TRANSPORT_SEND, 3 * MTU);
	sends(PACKET_SEND_FIRST, 0, MTU);
	sends(PACKET_SEND_MIDDLE, 1, MTU);
	sends(PACKET_SEND_LAST, 2, MTU);
	answer(PACKET_ACK, 2, 0x1f);
	attr = r->attr;
	attr.psn = 77;
	attr.retry_count = 0;
	attr.path.dest_qpn = 0x99;
	requester_modify(r, &attr);
	post(TRANSPORT_SEND, 1);
	assert_int_equal(requester_poll(r, now, &out, buf, sizeof(buf)), 1);
	assert_int_equal(out.dest_qpn, 0x99);
	assert_int_equal(out.psn, (PSN_MASK + 3) & PSN_MASK);
	now = requester_wakes(r);
	quiet();
	ended(1, TRANSPORT_RETRY_EXCEEDED);
}

/* What the owner finds out after the packet was made. */
static void test_fail(void **state)
{
	(void)state;
	begin();
	post(TRANSPORT_WRITE, 1);
	post(TRANSPORT_WRITE, 1);
	sends(PACKET_WRITE_ONLY, 0, 1);
	requester_fail(r, TRANSPORT_LOCAL_PROTECTION);
	ended(0, TRANSPORT_LOCAL_PROTECTION);
	ended(1, TRANSPORT_FLUSHED);
	assert_int_equal(requester_wakes(r), 0);
	quiet();
	requester_fail(r, TRANSPORT_LOCAL_PROTECTION);
	assert_int_equal(world.completed, 2);
	/* The last message was complete when it left. */
	begin_attr(PACKET_UC, 2, 2, 0);
	post(TRANSPORT_SEND, 1);
	sends(PACKET_UC | PACKET_SEND_ONLY, 0, 1);
	requester_fail(r, TRANSPORT_LOCAL_PROTECTION);
	ended(0, TRANSPORT_SUCCESS);
	assert_int_equal(world.completed, 1);
}

static void test_unreliable(void **state)
{
	(void)state;
	begin_attr(PACKET_UC, 2, 2, 0);
	post(TRANSPORT_SEND, MTU + 1);
	sends(PACKET_UC | PACKET_SEND_FIRST, 0, MTU);
	assert_int_equal(world.completed, 0);
	sends(PACKET_UC | PACKET_SEND_LAST, 1, 1);
	assert_false(out.ack_req);
	ended(0, TRANSPORT_SUCCESS);
	assert_int_equal(requester_wakes(r), 0);
}

static void test_what_cannot_be_posted(void **state)
{
	struct requester_message message = { .operation = TRANSPORT_SEND };

	(void)state;
	begin();
	message.length = (uint64_t)TRANSPORT_LENGTH_MAX + 1;
	assert_int_equal(requester_post(r, &message), -EINVAL);
	message.operation = TRANSPORT_FETCH_ADD;
	message.length = 4;
	assert_int_equal(requester_post(r, &message), -EINVAL);
	message.operation = TRANSPORT_SEND;
	for (unsigned int i = 0; i < REQUESTER_MESSAGES; i++)
		assert_int_equal(requester_post(r, &message), 0);
	assert_int_equal(requester_post(r, &message), -EAGAIN);
	assert_int_equal(r->posted, REQUESTER_MESSAGES);
	begin_attr(PACKET_UC, 2, 2, 0);
	message.operation = TRANSPORT_READ;
	assert_int_equal(requester_post(r, &message), -EINVAL);
	message.operation = TRANSPORT_SEND_INV;
	assert_int_equal(requester_post(r, &message), -EINVAL);
	assert_int_equal(r->posted, 0);
}

static void test_numbers(void **state)
{
	(void)state;
	assert_int_equal(psn_near(0x1000000, 0xffffff), 0xffffff);
	assert_int_equal(psn_near(0x1ffffff, 0), 0x2000000);
	assert_int_equal(psn_near(0x1000000, 0x7fffff), 0x17fffff);
	assert_int_equal(psn_near(0x1000000, 0x800000), 0x0800000);
	assert_int_equal(psn_near(0x1234567, 0x234567), 0x1234567);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_max_rd_atomic),
		cmocka_unit_test(test_timeouts),
		cmocka_unit_test(test_no_time),
		cmocka_unit_test(test_retries_for_ever),
		cmocka_unit_test(test_not_ready),
		cmocka_unit_test(test_sequence_nak),
		cmocka_unit_test(test_implied_nak),
		cmocka_unit_test(test_implied_ack),
		cmocka_unit_test(test_naks),
		cmocka_unit_test(test_bad_responses),
		cmocka_unit_test(test_ghosts),
		cmocka_unit_test(test_credits),
		cmocka_unit_test(test_local_refusal),
		cmocka_unit_test(test_modify),
		cmocka_unit_test(test_fail),
		cmocka_unit_test(test_unreliable),
		cmocka_unit_test(test_what_cannot_be_posted),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
