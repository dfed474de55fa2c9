/* SPDX-License-Identifier: GPL-2.0-only */
/* The responder's rules one by one: packets made by hand, and what it answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/tests/world.h"

#define MTU 256u

static struct world world;
static struct responder *const r = &world.responder;
static uint8_t payload[2 * MTU];
static uint8_t buf[MTU];
static struct packet out;

static void begin_service(enum packet_class service, uint8_t max_dest_rd_atomic)
{
	struct responder_attr attr = {
		.path = { .service = service,
			  .mtu = MTU,
			  .dest_qpn = 0x34,
			  .p_key = 0xffff,
			  .migrated = true },
		.psn = PSN_MASK,
		.max_dest_rd_atomic = max_dest_rd_atomic,
		.min_rnr_timer = 9,
	};

	world_init(&world, 1);
	world.receives = 100;
	responder_init(r, &attr, &world_responder_ops, &world);
}

static void begin(void)
{
	begin_service(PACKET_RC, 2);
}

/* A packet of what the test of receipts expects next: jobs are as if they had been posted. */
static void expect_job(enum transport_operation operation, uint64_t length)
{
	world.job[world.jobs++].message = (struct requester_message){ .operation = operation,
								      .length = length,
								      .immediate = WORLD_KEY };
}

/* @psn counts from the first number of the QP, which is the last before the wrap. */
static struct packet request(uint8_t opcode, uint32_t psn, size_t length)
{
	for (size_t i = 0; i < length && i < sizeof(payload); i++)
		payload[i] = world_byte(world.receipts, i);
	return (struct packet){ .opcode = opcode,
				.dest_qpn = 0x12,
				.psn = (PSN_MASK + psn) & PSN_MASK,
				.ack_req = true,
				.va = WORLD_WRITTEN,
				.r_key = WORLD_KEY,
				.dma_length = (uint32_t)length,
				.immediate = WORLD_KEY,
				.payload = payload,
				.length = length };
}

static void receive(const struct packet *packet)
{
	assert_true(responder_receive(r, packet, 1));
}

static void send_only(uint32_t psn)
{
	struct packet packet = request(PACKET_SEND_ONLY, psn, 10);

	receive(&packet);
}

static void answers(uint8_t opcode, uint32_t psn, uint8_t syndrome)
{
	assert_int_equal(responder_poll(r, &out, buf, sizeof(buf)), 1);
	assert_int_equal(out.opcode, opcode);
	assert_int_equal(out.psn, (PSN_MASK + psn) & PSN_MASK);
	assert_int_equal(out.syndrome, syndrome);
	assert_int_equal(out.dest_qpn, 0x34);
}

static void silent(void)
{
	assert_false(responder_poll(r, &out, buf, sizeof(buf)));
}

static void test_acks_become_one(void **state)
{
	(void)state;
	begin();
	for (uint32_t i = 0; i < 3; i++) {
		expect_job(TRANSPORT_SEND, 10);
		send_only(i);
	}
	assert_int_equal(world.receipts, 3);
	answers(PACKET_ACK, 2, 0x1f);
	assert_int_equal(out.msn, 3);
	silent();
}

/* Without an SRQ, ACKs say how many receives there are. */
static void test_credits(void **state)
{
	(void)state;
	begin();
	world.counted = true;
	world.receives = 8;
	expect_job(TRANSPORT_SEND, 10);
	send_only(0);
	answers(PACKET_ACK, 0, 5); /* 7 are left: "6" */
	expect_job(TRANSPORT_SEND, 10);
	send_only(1);
	world.receives = 0;
	answers(PACKET_ACK, 1, 0);
	send_only(3);
	answers(PACKET_ACK, 2, 0x60);
}

static void test_credit_codes(void **state)
{
	static const uint32_t some[] = { 0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32 };

	(void)state;
	for (uint8_t code = 0; code < sizeof(some) / sizeof(some[0]); code++)
		assert_int_equal(transport_credits(code), some[code]);
	assert_int_equal(transport_credits(30), 32768);
	for (uint8_t code = 0; code < AETH_NO_CREDITS; code++) {
		assert_int_equal(transport_credit_code(transport_credits(code)), code);
		if (code)
			assert_int_equal(transport_credit_code(transport_credits(code) - 1),
					 code - 1);
	}
	assert_int_equal(transport_credit_code(INT64_MAX), 30);
	assert_int_equal(transport_credit_code(-1), AETH_NO_CREDITS);
}

static void test_sequence_nak_once(void **state)
{
	(void)state;
	begin();
	expect_job(TRANSPORT_SEND, 10);
	send_only(0);
	answers(PACKET_ACK, 0, 0x1f);
	send_only(2);
	send_only(3);
	answers(PACKET_ACK, 1, 0x60);
	silent();
	send_only(4);
	silent();
	assert_int_equal(world.receipts, 1);
	expect_job(TRANSPORT_SEND, 10);
	send_only(1);
	answers(PACKET_ACK, 1, 0x1f);
	/* The next gap is told anew, and an ACK does not take its place. */
	send_only(3);
	send_only(0);
	answers(PACKET_ACK, 2, 0x60);
	answers(PACKET_ACK, 1, 0x1f);
	assert_int_equal(r->counts.out_of_sequence, 4);
}

static void test_duplicate_send(void **state)
{
	(void)state;
	begin();
	for (uint32_t i = 0; i < 3; i++) {
		expect_job(TRANSPORT_SEND, 10);
		send_only(i);
	}
	answers(PACKET_ACK, 2, 0x1f);
	send_only(0);
	answers(PACKET_ACK, 2, 0x1f);
	silent();
	assert_int_equal(world.receipts, 3);
	assert_int_equal(r->counts.duplicates, 1);
}

static struct packet read_request(uint32_t psn, uint64_t offset, uint32_t length)
{
	struct packet packet = request(PACKET_READ, psn, 0);

	packet.va = WORLD_READ + offset;
	packet.dma_length = length;
	return packet;
}

static void read_answers(uint8_t opcode, uint32_t psn, uint64_t offset, size_t length)
{
	answers(opcode, psn, 0x1f);
	assert_int_equal(out.length, length);
	if (length)
		assert_memory_equal(out.payload, world.read + offset, length);
}

static void test_read(void **state)
{
	struct packet packet;

	(void)state;
	begin();
	packet = read_request(0, 7, 2 * MTU + 1);
	receive(&packet);
	/* It takes as many numbers as its response has packets; an ACK does not overtake it. */
	expect_job(TRANSPORT_SEND, 10);
	send_only(3);
	read_answers(PACKET_READ_FIRST, 0, 7, MTU);
	read_answers(PACKET_READ_MIDDLE, 1, 7 + MTU, MTU);
	read_answers(PACKET_READ_LAST, 2, 7 + 2 * MTU, 1);
	answers(PACKET_ACK, 3, 0x1f);
	silent();
	/* Again, and in part. */
	receive(&packet);
	packet = read_request(1, 7 + MTU, MTU + 1);
	receive(&packet);
	read_answers(PACKET_READ_FIRST, 0, 7, MTU);
	read_answers(PACKET_READ_MIDDLE, 1, 7 + MTU, MTU);
	read_answers(PACKET_READ_LAST, 2, 7 + 2 * MTU, 1);
	read_answers(PACKET_READ_FIRST, 1, 7 + MTU, MTU);
	read_answers(PACKET_READ_LAST, 2, 7 + 2 * MTU, 1);
	/* One that asks for more than there was. */
	packet = read_request(3, 0, MTU + 1);
	receive(&packet);
	silent();
	packet = read_request(4, 0, 0);
	receive(&packet);
	read_answers(PACKET_READ_ONLY, 4, 0, 0);
	assert_int_equal(out.msn, 3);
}

static void fetch_add(uint32_t psn)
{
	struct packet packet = request(PACKET_FETCH_ADD, psn, 0);

	packet.va = WORLD_ATOMIC + 8;
	packet.swap_add = 1;
	receive(&packet);
}

/* The answer of the first time; what is older than the QP remembers has none. */
static void test_atomics_are_replayed(void **state)
{
	(void)state;
	begin();
	for (uint32_t i = 0; i < 3; i++) {
		fetch_add(i);
		answers(PACKET_ATOMIC_ACK, i, 0x1f);
		assert_int_equal(out.original, i);
	}
	for (uint32_t i = 1; i < 3; i++) {
		fetch_add(i);
		answers(PACKET_ATOMIC_ACK, i, 0x1f);
		assert_int_equal(out.original, i);
	}
	fetch_add(0);
	silent();
	assert_int_equal(world.cell[1], 3);
	assert_int_equal(r->counts.duplicates, 3);
	assert_int_equal(r->counts.dropped, 1);
}

static void test_not_ready(void **state)
{
	(void)state;
	begin();
	world.receives = 0;
	expect_job(TRANSPORT_SEND, 10);
	send_only(0);
	answers(PACKET_ACK, 0, 0x20 | 9);
	send_only(1);
	send_only(2);
	silent();
	send_only(0);
	answers(PACKET_ACK, 0, 0x20 | 9);
	world.receives = 1;
	send_only(0);
	answers(PACKET_ACK, 0, 0x1f);
	assert_int_equal(world.receipts, 1);
	assert_int_equal(r->counts.not_ready, 2);
}

/* WRITE with immediate: its receive is asked for when its last packet is there. */
static void test_write_imm_not_ready(void **state)
{
	struct packet first = request(PACKET_WRITE_FIRST, 0, MTU), last;

	(void)state;
	begin();
	world.receives = 0;
	first.dma_length = MTU + 1;
	receive(&first);
	answers(PACKET_ACK, 0, 0x1f);
	last = request(PACKET_WRITE_LAST_IMM, 1, 1);
	receive(&last);
	answers(PACKET_ACK, 1, 0x20 | 9);
	assert_int_equal(world.written[MTU], 0);
	world.receives = 1;
	expect_job(TRANSPORT_WRITE_IMM, MTU + 1);
	receive(&last);
	answers(PACKET_ACK, 1, 0x1f);
	assert_int_equal(out.msn, 1);
	assert_int_equal(world.written[MTU], world_byte(0, 0));
	assert_int_equal(world.receipts, 1);
}

/* @packet is refused with @nak for @why: nothing changes, and nothing more is taken. */
static void refused(const struct packet *packet, uint32_t psn, uint8_t nak,
		    enum transport_refusal why)
{
	static uint8_t before[WORLD_MEMORY];

	memcpy(before, world.written, sizeof(before));
	receive(packet);
	answers(PACKET_ACK, psn, nak);
	silent();
	assert_true(world.responder_failed);
	assert_int_equal(world.refusal, why);
	assert_memory_equal(world.written, before, sizeof(before));
	assert_int_equal(world.cell[0] | world.cell[1], 0);
	assert_int_equal(world.receipts, 0);
	send_only(psn);
	silent();
	assert_int_equal(world.receipts, 0);
}

static void test_lengths(void **state)
{
	static const struct {
		uint8_t opcode;
		size_t length;
	} bad[] = {
		{ PACKET_SEND_FIRST, MTU - 4 },	 { PACKET_SEND_FIRST, 0 },
		{ PACKET_SEND_FIRST, MTU + 4 },	 { PACKET_SEND_ONLY, MTU + 1 },
		{ PACKET_WRITE_FIRST, MTU - 4 }, { PACKET_WRITE_ONLY, MTU + 1 },
	};
	struct packet packet;

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin();
		packet = request(bad[i].opcode, 0, bad[i].length);
		packet.dma_length = 10 * MTU;
		refused(&packet, 0, 0x61, TRANSPORT_REFUSE_LENGTH);
	}
	/* The last packet, of no bytes. */
	begin();
	packet = request(PACKET_SEND_FIRST, 0, MTU);
	receive(&packet);
	answers(PACKET_ACK, 0, 0x1f);
	packet = request(PACKET_SEND_LAST, 1, 0);
	refused(&packet, 1, 0x61, TRANSPORT_REFUSE_LENGTH);
	/* Not what the RETH said. */
	for (int more = -1; more <= 1; more += 2) {
		begin();
		packet = request(PACKET_WRITE_ONLY, 0, 10);
		packet.dma_length = (uint32_t)(10 + more);
		refused(&packet, 0, 0x61, TRANSPORT_REFUSE_LENGTH);
	}
	/* Longer than a message can be. */
	for (unsigned int i = 0; i < 2; i++) {
		begin();
		packet = request(i ? PACKET_READ : PACKET_WRITE_FIRST, 0, i ? 0 : MTU);
		packet.dma_length = TRANSPORT_LENGTH_MAX + 1;
		refused(&packet, 0, 0x61, TRANSPORT_REFUSE_LENGTH);
	}
	/* A SEND and its receive. */
	begin();
	world.receive_length = 9;
	packet = request(PACKET_SEND_ONLY, 0, 10);
	refused(&packet, 0, 0x61, TRANSPORT_REFUSE_RECV_LENGTH);
}

static void test_opcodes_out_of_place(void **state)
{
	static const uint8_t lone[] = { PACKET_SEND_MIDDLE, PACKET_SEND_LAST, PACKET_WRITE_MIDDLE,
					PACKET_WRITE_LAST_IMM, PACKET_SEND_LAST_INV };
	static const uint8_t inside[] = { PACKET_SEND_FIRST, PACKET_SEND_ONLY, PACKET_WRITE_MIDDLE,
					  PACKET_WRITE_ONLY, PACKET_READ,      PACKET_FETCH_ADD };
	struct packet packet;

	(void)state;
	for (unsigned int i = 0; i < sizeof(lone); i++) {
		begin();
		packet = request(lone[i], 0, MTU);
		refused(&packet, 0, 0x61, TRANSPORT_REFUSE_SEQUENCE);
	}
	for (unsigned int i = 0; i < sizeof(inside); i++) {
		begin();
		packet = request(PACKET_SEND_FIRST, 0, MTU);
		receive(&packet);
		answers(PACKET_ACK, 0, 0x1f);
		packet = request(inside[i], 1, inside[i] < PACKET_READ ? MTU : 0);
		refused(&packet, 1, 0x61, TRANSPORT_REFUSE_SEQUENCE);
	}
}

static void test_keys(void **state)
{
	static const uint8_t opcodes[] = { PACKET_WRITE_ONLY, PACKET_READ, PACKET_FETCH_ADD };
	struct packet packet;

	(void)state;
	for (unsigned int i = 0; i < sizeof(opcodes); i++) {
		begin();
		packet = request(opcodes[i], 0, opcodes[i] == PACKET_WRITE_ONLY ? 8 : 0);
		packet.dma_length = 8;
		packet.r_key++;
		refused(&packet, 0, 0x62, TRANSPORT_REFUSE_KEY);
	}
	begin();
	packet = request(PACKET_FETCH_ADD, 0, 0);
	packet.va = WORLD_ATOMIC + 4;
	refused(&packet, 0, 0x61, TRANSPORT_REFUSE_MISALIGNED);
	begin();
	packet = request(PACKET_SEND_ONLY_INV, 0, 8);
	packet.immediate++;
	refused(&packet, 0, 0x63, TRANSPORT_REFUSE_INVALIDATE);
	/* No bytes, no key. */
	begin();
	packet = request(PACKET_WRITE_ONLY, 0, 0);
	packet.r_key++;
	receive(&packet);
	answers(PACKET_ACK, 0, 0x1f);
}

static void test_too_many_reads(void **state)
{
	struct packet packet;

	(void)state;
	begin();
	for (uint32_t i = 0; i < 2; i++) {
		packet = read_request(i, 0, 1);
		receive(&packet);
	}
	packet = read_request(2, 0, 1);
	receive(&packet);
	assert_true(world.responder_failed);
	assert_int_equal(world.refusal, TRANSPORT_REFUSE_RESOURCES);
	read_answers(PACKET_READ_ONLY, 0, 0, 1);
	read_answers(PACKET_READ_ONLY, 1, 0, 1);
	answers(PACKET_ACK, 2, 0x61);
	begin_service(PACKET_RC, 0);
	packet = read_request(0, 0, 1);
	refused(&packet, 0, 0x61, TRANSPORT_REFUSE_RESOURCES);
}

/* A READ that fails when it leaves; one that fails after the QP did is not told once more. */
static void test_bus_errors(void **state)
{
	struct packet packet;

	(void)state;
	begin();
	world.bus_error = true;
	packet = read_request(0, 0, 1);
	receive(&packet);
	assert_false(world.responder_failed);
	answers(PACKET_ACK, 0, 0x63);
	assert_int_equal(world.refusal, TRANSPORT_REFUSE_BUS);
	silent();
	begin();
	world.bus_error = true;
	receive(&packet);
	packet = request(PACKET_SEND_MIDDLE, 1, MTU);
	receive(&packet);
	assert_int_equal(world.refusal, TRANSPORT_REFUSE_SEQUENCE);
	answers(PACKET_ACK, 1, 0x61);
	silent();
}

/* A READ that went by reference, and could not be read by who got it. */
static void test_refused_later(void **state)
{
	struct packet packet;

	(void)state;
	begin();
	packet = read_request(0, 0, 1);
	receive(&packet);
	read_answers(PACKET_READ_ONLY, 0, 0, 1);
	packet = read_request(1, 0, 1);
	receive(&packet);
	responder_refuse(r, PSN_MASK, TRANSPORT_REFUSE_KEY);
	assert_true(world.responder_failed);
	assert_int_equal(world.refusal, TRANSPORT_REFUSE_KEY);
	answers(PACKET_ACK, 0, 0x62);
	silent();
	responder_refuse(r, PSN_MASK, TRANSPORT_REFUSE_KEY);
	silent();
}

/* Without bytes there is no key to look at, but rights. */
static void test_no_bytes(void **state)
{
	static const uint8_t opcodes[] = { PACKET_WRITE_ONLY, PACKET_READ };

	(void)state;
	for (unsigned int i = 0; i < sizeof(opcodes); i++) {
		struct packet packet;

		begin();
		world.no_rights = true;
		packet = request(opcodes[i], 0, 0);
		refused(&packet, 0, 0x61, TRANSPORT_REFUSE_RIGHTS);
	}
}

static void test_unreliable(void **state)
{
	struct packet packet;

	(void)state;
	begin_service(PACKET_UC, 0);
	/* A message whose middle is lost: its rest is dropped, its receive is used again. */
	packet = request(PACKET_UC | PACKET_SEND_FIRST, 0, MTU);
	receive(&packet);
	packet = request(PACKET_UC | PACKET_SEND_LAST, 2, 10);
	receive(&packet);
	packet = request(PACKET_UC | PACKET_SEND_MIDDLE, 3, MTU);
	receive(&packet);
	assert_int_equal(world.receipts, 0);
	assert_int_equal(r->counts.dropped, 2);
	/* The next one that begins is taken, whatever number it has. */
	expect_job(TRANSPORT_SEND, 10);
	packet = request(PACKET_UC | PACKET_SEND_ONLY, 77, 10);
	receive(&packet);
	assert_int_equal(world.receipts, 1);
	assert_int_equal(world.receives, 99);
	/* A key is nobody's business. */
	packet = request(PACKET_UC | PACKET_WRITE_ONLY, 78, 10);
	packet.r_key++;
	receive(&packet);
	assert_false(r->failed);
	world.receives = 0;
	packet = request(PACKET_UC | PACKET_SEND_ONLY, 79, 10);
	receive(&packet);
	assert_int_equal(r->counts.not_ready, 1);
	silent();
	world.receives = 1;
	world.receive_length = 9;
	packet = request(PACKET_UC | PACKET_SEND_ONLY, 80, 10);
	receive(&packet);
	assert_true(r->failed);
	assert_int_equal(world.refusal, TRANSPORT_REFUSE_RECV_LENGTH);
	silent();
}

/* An initiator that knows the key of the target, and one that does not. */
static void test_dc(void **state)
{
	struct packet packet;

	(void)state;
	begin_service(PACKET_DC, 1);
	r->attr.path.dc_key = 0x123456789abcdef0;
	packet = request(PACKET_DC | PACKET_WRITE_ONLY, 0, 10);
	packet.dc_key = r->attr.path.dc_key;
	receive(&packet);
	answers(PACKET_DC | PACKET_ACK, 0, 0x1f);
	packet = request(PACKET_DC | PACKET_SEND_ONLY, 1, 10);
	packet.dc_key = r->attr.path.dc_key ^ 1;
	receive(&packet);
	assert_int_equal(world.refusal, TRANSPORT_REFUSE_DC_KEY);
	assert_int_equal(world.receives, 100);
	answers(PACKET_DC | PACKET_ACK, 1, 0x62);
}

static void test_other_services(void **state)
{
	static const uint8_t opcodes[] = { PACKET_UC | PACKET_SEND_ONLY,
					   PACKET_XRC | PACKET_READ,
					   PACKET_UD | PACKET_SEND_ONLY,
					   PACKET_ACK,
					   0x15,
					   PACKET_CNP };

	(void)state;
	begin();
	for (unsigned int i = 0; i < sizeof(opcodes); i++) {
		struct packet packet = request(opcodes[i], 0, 0);

		receive(&packet);
		silent();
	}
	assert_int_equal(r->counts.dropped, sizeof(opcodes));
	assert_int_equal(world.receipts, 0);
	assert_false(r->failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_acks_become_one),
		cmocka_unit_test(test_credits),
		cmocka_unit_test(test_credit_codes),
		cmocka_unit_test(test_sequence_nak_once),
		cmocka_unit_test(test_duplicate_send),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_atomics_are_replayed),
		cmocka_unit_test(test_not_ready),
		cmocka_unit_test(test_write_imm_not_ready),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_opcodes_out_of_place),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_too_many_reads),
		cmocka_unit_test(test_bus_errors),
		cmocka_unit_test(test_refused_later),
		cmocka_unit_test(test_no_bytes),
		cmocka_unit_test(test_unreliable),
		cmocka_unit_test(test_dc),
		cmocka_unit_test(test_other_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
