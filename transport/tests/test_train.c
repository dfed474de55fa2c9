/* SPDX-License-Identifier: GPL-2.0-only */
/* Trains: what stands for several packets, from end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/tests/world.h"

#define MTU   256u
#define FIRST PSN_MASK /* the number before the wrap */
#define MORE  ((REQUESTER_WINDOW + 2) * MTU)

static struct world world;
static uint8_t buf[MORE];
static struct packet out;

static void begin(enum packet_class service)
{
	struct transport_path path = {
		.service = service, .mtu = MTU, .dest_qpn = 0x12, .p_key = 0xffff, .migrated = true
	};
	struct requester_attr requester = { .path = path,
					    .psn = FIRST,
					    .window = REQUESTER_WINDOW,
					    .retry_count = 2,
					    .rnr_retry = 2,
					    .timeout_ns = 1000,
					    .max_rd_atomic = 2 };
	struct responder_attr responder = {
		.path = path, .psn = FIRST, .max_dest_rd_atomic = 2, .min_rnr_timer = 9
	};

	world_init(&world, 1);
	world.receives = 1;
	requester_init(&world.requester, &requester, &world_requester_ops, &world);
	responder_init(&world.responder, &responder, &world_responder_ops, &world);
}

static void post(enum transport_operation operation, uint64_t length)
{
	struct requester_message message = { .operation = operation,
					     .length = length,
					     .va = operation == TRANSPORT_READ ? WORLD_READ
									       : WORLD_WRITTEN,
					     .r_key = WORLD_KEY };

	world_post(&world, &message);
}

/* The next train of requests has @count packets; @psn counts from the first one. */
static void sends(size_t room, uint32_t count, uint8_t opcode, uint32_t psn, size_t length)
{
	assert_int_equal(requester_poll(&world.requester, world.now, &out, buf, room), count);
	assert_int_equal(out.opcode, opcode);
	assert_int_equal(out.psn, (FIRST + psn) & PSN_MASK);
	assert_int_equal(out.length, length);
}

static void arrives(uint32_t count)
{
	assert_true(responder_receive(&world.responder, &out, count));
}

/* The next train of answers. */
static void answers(size_t room, uint32_t count, uint8_t opcode, uint32_t psn, uint8_t syndrome)
{
	assert_int_equal(responder_poll(&world.responder, &out, buf, room), count);
	assert_int_equal(out.opcode, opcode);
	assert_int_equal(out.psn, (FIRST + psn) & PSN_MASK);
	assert_int_equal(out.syndrome, syndrome);
	assert_true(requester_receive(&world.requester, world.now, &out, count));
}

static void silent(void)
{
	assert_int_equal(responder_poll(&world.responder, &out, buf, sizeof(buf)), 0);
}

static void test_write(void **state)
{
	(void)state;
	begin(PACKET_RC);
	post(TRANSPORT_WRITE, 5 * MTU + 3);
	sends(16 * MTU, 6, PACKET_WRITE_ONLY, 0, 5 * MTU + 3);
	assert_true(out.ack_req);
	assert_int_equal(out.dma_length, 5 * MTU + 3);
	arrives(6);
	assert_memory_equal(world.written, world.shadow, WORLD_MEMORY);
	answers(MTU, 1, PACKET_ACK, 5, 0x1f);
	assert_int_equal(world.completed, 1);
	assert_int_equal(world.job[0].status, TRANSPORT_SUCCESS);
	assert_int_equal(world.responder.counts.packets, 6);
	assert_int_equal(world.requester.counts.packets, 6);
}

static void test_pieces(void **state)
{
	(void)state;
	begin(PACKET_RC);
	post(TRANSPORT_SEND, 5 * MTU);
	sends(3 * MTU - 1, 2, PACKET_SEND_FIRST, 0, 2 * MTU);
	/* Number 1 is a multiple of a quarter of the window. */
	assert_true(out.ack_req);
	arrives(2);
	answers(MTU, 1, PACKET_ACK, 1, 0x1f);
	sends(2 * MTU, 2, PACKET_SEND_MIDDLE, 2, 2 * MTU);
	assert_false(out.ack_req);
	arrives(2);
	silent();
	sends(2 * MTU, 1, PACKET_SEND_LAST, 4, MTU);
	arrives(1);
	assert_int_equal(world.receipts, 1);
	answers(MTU, 1, PACKET_ACK, 4, 0x1f);
	assert_int_equal(world.completed, 1);
}

static void test_window(void **state)
{
	(void)state;
	begin(PACKET_RC);
	post(TRANSPORT_WRITE, MORE);
	sends(sizeof(buf), REQUESTER_WINDOW, PACKET_WRITE_FIRST, 0, REQUESTER_WINDOW * MTU);
	assert_true(out.ack_req);
	arrives(REQUESTER_WINDOW);
	assert_int_equal(
		requester_poll(&world.requester, world.now, &(struct packet){ 0 }, buf, MTU), 0);
	answers(MTU, 1, PACKET_ACK, REQUESTER_WINDOW - 1, 0x1f);
	sends(sizeof(buf), 2, PACKET_WRITE_LAST, REQUESTER_WINDOW, 2 * MTU);
}

static void test_read(void **state)
{
	(void)state;
	begin(PACKET_RC);
	post(TRANSPORT_READ, 5 * MTU + 1);
	sends(sizeof(buf), 1, PACKET_READ, 0, 0);
	arrives(1);
	answers(2 * MTU, 2, PACKET_READ_FIRST, 0, 0x1f);
	answers(3 * MTU, 3, PACKET_READ_MIDDLE, 2, 0x1f);
	assert_int_equal(world.job[0].placed, 5 * MTU);
	answers(3 * MTU, 1, PACKET_READ_LAST, 5, 0x1f);
	assert_int_equal(world.completed, 1);
	post(TRANSPORT_READ, 3 * MTU);
	sends(sizeof(buf), 1, PACKET_READ, 6, 0);
	arrives(1);
	answers(sizeof(buf), 3, PACKET_READ_ONLY, 6, 0x1f);
	assert_int_equal(world.completed, 2);
	assert_int_equal(world.job[1].status, TRANSPORT_SUCCESS);
}

/* What is not done is asked for, what is done is not done again. */
static void test_done_in_part(void **state)
{
	struct packet whole;

	(void)state;
	begin(PACKET_RC);
	post(TRANSPORT_SEND, 4 * MTU);
	sends(2 * MTU, 2, PACKET_SEND_FIRST, 0, 2 * MTU);
	arrives(2);
	sends(2 * MTU, 2, PACKET_SEND_LAST, 2, 2 * MTU); /* lost */
	world.now += 2000;
	sends(sizeof(buf), 4, PACKET_SEND_ONLY, 0, 4 * MTU);
	whole = out;
	arrives(4);
	assert_int_equal(world.responder.counts.duplicates, 2);
	assert_int_equal(world.receipts, 0);
	answers(MTU, 1, PACKET_ACK, 2, 0x60);
	sends(sizeof(buf), 2, PACKET_SEND_LAST, 2, 2 * MTU);
	arrives(2);
	assert_int_equal(world.receipts, 1);
	assert_true(responder_receive(&world.responder, &whole, 4));
	assert_int_equal(world.responder.counts.duplicates, 6);
	assert_int_equal(world.receipts, 1);
	answers(MTU, 1, PACKET_ACK, 3, 0x1f);
	assert_int_equal(world.completed, 1);
	assert_int_equal(world.requester.counts.resent, 4 + 2);
}

/* The last packet has at least one byte, and no more than fit. */
static void test_lengths(void **state)
{
	static const struct {
		uint32_t count;
		uint8_t opcode;
		size_t length;
	} wrong[] = {
		{ 3, PACKET_SEND_ONLY, 3 * MTU + 1 }, { 3, PACKET_SEND_ONLY, 2 * MTU },
		{ 2, PACKET_SEND_ONLY, 0 },	      { 3, PACKET_SEND_FIRST, 3 * MTU - 1 },
		{ 2, PACKET_SEND_FIRST, 3 * MTU },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		begin(PACKET_RC);
		out = (struct packet){ .opcode = wrong[i].opcode,
				       .psn = FIRST,
				       .payload = buf,
				       .length = wrong[i].length };
		arrives(wrong[i].count);
		assert_true(world.responder_failed);
		assert_int_equal(world.refusal, TRANSPORT_REFUSE_LENGTH);
		assert_int_equal(world.receipts, 0);
		assert_int_equal(world.receives, 1);
	}
	/* A READ's answer of more than was asked for. */
	begin(PACKET_RC);
	post(TRANSPORT_READ, 2 * MTU);
	sends(MTU, 1, PACKET_READ, 0, 0);
	out = (struct packet){ .opcode = PACKET_READ_FIRST,
			       .psn = FIRST,
			       .syndrome = 0x1f,
			       .payload = buf,
			       .length = 2 * MTU };
	assert_true(requester_receive(&world.requester, world.now, &out, 3));
	assert_int_equal(world.job[0].status, TRANSPORT_BAD_RESPONSE);
	assert_int_equal(world.job[0].placed, 0);
}

/* An owner that has its own way to the bytes. */
static enum transport_answer no_bytes(void *owner, uint64_t id, uint64_t offset, size_t len,
				      uint8_t *room, const uint8_t **at)
{
	(void)owner, (void)id, (void)offset, (void)len, (void)room;
	*at = NULL;
	return TRANSPORT_OK;
}

static enum transport_answer by_reference(void *owner, const struct transport_range *range,
					  uint64_t offset, const uint8_t *data, size_t len,
					  enum transport_refusal *why)
{
	struct world *other = owner;

	(void)why;
	assert_null(data);
	/* The first call comes too early: the same train comes again. */
	if (!other->taken) {
		other->taken = true;
		return TRANSPORT_WAIT;
	}
	for (size_t i = 0; i < len; i++)
		other->written[range->va - WORLD_WRITTEN + offset + i] = world_byte(0, offset + i);
	return TRANSPORT_OK;
}

static void test_by_reference(void **state)
{
	struct requester_ops requester_ops = world_requester_ops;
	struct responder_ops responder_ops = world_responder_ops;

	(void)state;
	begin(PACKET_RC);
	requester_ops.fetch = no_bytes;
	responder_ops.write = by_reference;
	world.requester.ops = &requester_ops;
	world.responder.ops = &responder_ops;
	post(TRANSPORT_WRITE, 5 * MTU + 3);
	sends(16 * MTU, 6, PACKET_WRITE_ONLY, 0, 5 * MTU + 3);
	assert_null(out.payload);
	assert_false(responder_receive(&world.responder, &out, 6));
	silent();
	arrives(6);
	assert_memory_equal(world.written, world.shadow, WORLD_MEMORY);
	answers(MTU, 1, PACKET_ACK, 5, 0x1f);
	assert_int_equal(world.completed, 1);
	world.requester.ops = &world_requester_ops;
	world.responder.ops = &world_responder_ops;
}

/* With the largest window the longest message is two trains. */
static void test_large_window(void **state)
{
	struct requester_ops ops = world_requester_ops;

	(void)state;
	begin(PACKET_RC);
	ops.fetch = no_bytes;
	world.requester.ops = &ops;
	world.requester.attr.window = REQUESTER_WINDOW_MAX;
	assert_int_equal(requester_post(&world.requester,
					&(struct requester_message){ .operation = TRANSPORT_WRITE,
								     .length = TRANSPORT_LENGTH_MAX,
								     .r_key = WORLD_KEY }),
			 0);
	sends(SIZE_MAX, REQUESTER_WINDOW_MAX, PACKET_WRITE_FIRST, 0,
	      (size_t)REQUESTER_WINDOW_MAX * MTU);
	assert_true(out.ack_req);
	assert_true(requester_receive(
		&world.requester, world.now,
		&(struct packet){ .opcode = PACKET_ACK,
				  .psn = (FIRST + REQUESTER_WINDOW_MAX - 1) & PSN_MASK,
				  .syndrome = 0x1f },
		1));
	sends(SIZE_MAX, REQUESTER_WINDOW_MAX, PACKET_WRITE_LAST, REQUESTER_WINDOW_MAX,
	      (size_t)REQUESTER_WINDOW_MAX * MTU);
	world.requester.ops = &world_requester_ops;
}

static void test_unreliable(void **state)
{
	(void)state;
	begin(PACKET_UC);
	world.receives = 2;
	post(TRANSPORT_SEND, 200 * MTU);
	sends(sizeof(buf), REQUESTER_WINDOW + 2, PACKET_UC | PACKET_SEND_FIRST, 0, MORE);
	sends(sizeof(buf), 70, PACKET_UC | PACKET_SEND_LAST, REQUESTER_WINDOW + 2, 70 * MTU);
	arrives(70);
	assert_int_equal(world.responder.counts.dropped, 70);
	assert_int_equal(world.responder.counts.out_of_sequence, 1);
	assert_int_equal(world.receipts, 0);
	world.last_receipt = 1;
	post(TRANSPORT_SEND, 3 * MTU);
	sends(sizeof(buf), 3, PACKET_UC | PACKET_SEND_ONLY, 200, 3 * MTU);
	arrives(3);
	assert_int_equal(world.receipts, 1);
	assert_int_equal(world.responder.counts.out_of_sequence, 1);
	silent();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),	   cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_window),	   cmocka_unit_test(test_large_window),
		cmocka_unit_test(test_read),	   cmocka_unit_test(test_done_in_part),
		cmocka_unit_test(test_lengths),	   cmocka_unit_test(test_by_reference),
		cmocka_unit_test(test_unreliable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
