/* SPDX-License-Identifier: GPL-2.0-only */
/* Completion queues: layout, owner bit, overrun, arming, commands. */
#include "hca/cmd.h"
#include "hca/tests/traffic.h"

struct cqs {
	struct fixture *f;
	struct fixture_port *port;
	struct hca *hca;
	struct fixture_eq eq, async;
	struct fixture_cq cq;
	struct hca_cq *model;
};

static struct cqs cqs_new(void **state, uint8_t log_size)
{
	struct cqs s = { .f = *state };

	s.port = &s.f->port[0];
	s.hca = s.port->hca;
	fixture_eq_create(s.port, 6, 0, 1, &s.eq);
	fixture_eq_create(s.port, 6, 1u << HCA_EVENT_CQ_ERROR, 2, &s.async);
	fixture_cq_create(s.port, log_size, s.eq.number, &s.cq);
	s.model = hca_table_get(&s.hca->cqs, s.cq.number);
	assert_non_null(s.model);
	return s;
}

static void post(struct cqs *s, uint16_t counter, bool solicited)
{
	struct hca_cqe cqe = {
		.opcode = HCA_CQE_RESP_SEND,
		.solicited = solicited,
		.wqe_counter = counter,
	};

	hca_cq_post(s->hca, s->cq.number, &cqe);
}

static void record(struct cqs *s, uint32_t arm)
{
	be32_put(fixture_at(s->f, s->cq.dbr), 4, arm);
	fixture_cq_ring(s->port, &s->cq);
}

static unsigned int events(struct cqs *s)
{
	unsigned int count = 0;
	const uint8_t *eqe;

	while ((eqe = fixture_eq_next(s->port, &s->eq))) {
		assert_int_equal(eqe[1], HCA_EVENT_COMPLETION);
		assert_int_equal(be32_at(eqe, 0x38), s->cq.number);
		count++;
	}
	return count;
}

static void test_layout(void **state)
{
	struct hca_cqe ok = {
		.opcode = HCA_CQE_RESP_SEND_IMM,
		.solicited = true,
		.send_opcode = 0x0b,
		.qpn = 0x123456,
		.wqe_counter = 0xabcd,
		.byte_cnt = 77,
		.immediate = 0x11223344,
		.srqn = 9,
		.slid = 5,
		.flags_rqpn = 0x10000042,
		.ml_path = 3,
	};
	struct hca_cqe error = {
		.opcode = HCA_CQE_REQ_ERR,
		.send_opcode = 0x08,
		.qpn = 0x42,
		.wqe_counter = 3,
		.syndrome = HCA_SYND_REMOTE_ACCESS,
	};
	struct cqs s = cqs_new(state, 2);
	const uint8_t *cqe;

	hca_cq_post(s.hca, s.cq.number, &ok);
	hca_cq_post(s.hca, s.cq.number, &error);
	cqe = fixture_cq_next(s.port, &s.cq);
	assert_non_null(cqe);
	assert_int_equal(cqe[0x11], 3);
	assert_int_equal(be16_at(cqe, 0x16), 5);
	assert_int_equal(be32_at(cqe, 0x18), 0x10000042);
	assert_int_equal(be32_at(cqe, 0x20), 9);
	assert_int_equal(be32_at(cqe, 0x24), 0x11223344);
	assert_int_equal(be32_at(cqe, 0x2c), 77);
	assert_int_equal(be32_at(cqe, 0x38), 0x0b123456);
	assert_int_equal(be16_at(cqe, 0x3c), 0xabcd);
	assert_int_equal(cqe[0x3f], 0x32);
	cqe = fixture_cq_next(s.port, &s.cq);
	assert_non_null(cqe);
	assert_int_equal(cqe[0x36], 0x88);
	assert_int_equal(cqe[0x37], HCA_SYND_REMOTE_ACCESS);
	assert_int_equal(be32_at(cqe, 0x38), 0x08000042);
	assert_int_equal(cqe[0x3f], 0xd0);
	/* A CQ that does not exist. */
	hca_cq_post(s.hca, s.cq.number + 1, &ok);
	assert_null(fixture_cq_next(s.port, &s.cq));
}

static void test_owner_and_wrap(void **state)
{
	struct cqs s = cqs_new(state, 2);
	unsigned int i;

	for (i = 0; i < 30; i++) {
		const uint8_t *cqe;

		post(&s, (uint16_t)i, false);
		cqe = fixture_cq_next(s.port, &s.cq);
		assert_non_null(cqe);
		assert_int_equal(be16_at(cqe, 0x3c), i);
		assert_int_equal(cqe[0x3f] & 1, i / 4 % 2);
		assert_ptr_equal(cqe, fixture_at(s.f, s.cq.buf + 64 * (i % 4)));
		assert_null(fixture_cq_next(s.port, &s.cq));
	}
}

static void test_128(void **state)
{
	struct cqs s = cqs_new(state, 2);
	uint64_t addr = fixture_alloc(s.f, 4096, 4096);
	uint8_t *buf = fixture_at(s.f, addr);
	uint8_t in[0x118] = { 0 }, out[16];
	struct hca_cqe cqe = { .opcode = HCA_CQE_REQ, .wqe_counter = 0x77 };
	unsigned int i;

	be16_put(in, 0, 0x400);
	field_put(in + 0x10, 0, 23, 21, 1);
	field_put(in + 0x10, 3, 28, 24, 1);
	field_put(in + 0x10, 3, 23, 0, s.port->uar);
	field_put(in + 0x10, 5, 7, 0, s.eq.number);
	field_put(in + 0x10, 2, 11, 6, 2); /* starts 128 bytes into the page */
	be64_put(in + 0x10, 0x38, s.cq.dbr);
	be64_put(in, 0x110, addr);
	memset(buf, 0xee, 512);
	assert_int_equal(fixture_cmd(s.port, in, sizeof(in), out, 16), 0);
	for (i = 0; i < 2; i++) {
		hca_cq_post(s.hca, be32_at(out, 8) & 0xffffff, &cqe);
		assert_int_equal(be16_at(buf, 128 + 128 * i + 64 + 0x3c), 0x77);
		assert_int_equal(buf[128 + 128 * i + 127], 0);
	}
	/* The first halves and what is around them stay. */
	for (i = 0; i < 128 + 64; i++)
		assert_int_equal(buf[i], 0xee);
	for (i = 256; i < 256 + 64; i++)
		assert_int_equal(buf[i], 0xee);
	assert_int_equal(buf[384], 0xee);
}

static void test_overrun(void **state)
{
	struct cqs s = cqs_new(state, 2);
	const uint8_t *eqe;
	uint8_t before[256];
	unsigned int i;

	for (i = 0; i < 4; i++)
		post(&s, (uint16_t)i, false);
	assert_null(fixture_eq_next(s.port, &s.async));
	memcpy(before, fixture_at(s.f, s.cq.buf), sizeof(before));
	post(&s, 4, false);
	post(&s, 5, false);
	eqe = fixture_eq_next(s.port, &s.async);
	assert_non_null(eqe);
	assert_int_equal(eqe[1], HCA_EVENT_CQ_ERROR);
	assert_int_equal(be32_at(eqe, 0x20), s.cq.number);
	assert_int_equal(eqe[0x2b], 1);
	/* Once, and nothing is overwritten. */
	assert_null(fixture_eq_next(s.port, &s.async));
	assert_memory_equal(fixture_at(s.f, s.cq.buf), before, sizeof(before));
}

static void test_overrun_ignored(void **state)
{
	struct cqs s = cqs_new(state, 2);
	unsigned int i;

	s.model->overrun_ignore = true;
	for (i = 0; i < 6; i++)
		post(&s, (uint16_t)i, false);
	assert_null(fixture_eq_next(s.port, &s.async));
	assert_int_equal(be16_at(fixture_at(s.f, s.cq.buf + 64), 0x3c), 5);
}

/* Consumer index and producer index pass 2^24. */
static void test_index_wrap(void **state)
{
	struct cqs s = cqs_new(state, 2);
	unsigned int i;

	s.model->pi = s.cq.ci = 0xfffffe;
	be32_put(fixture_at(s.f, s.cq.dbr), 0, 0xfffffe);
	for (i = 0; i < 4; i++) {
		record(&s, (i & 3) << 28 | (s.cq.ci & 0xffffff));
		post(&s, (uint16_t)i, false);
		assert_int_equal(events(&s), 1);
		assert_non_null(fixture_cq_next(s.port, &s.cq));
		hca_cq_poll_arm(s.hca, s.model);
		assert_int_equal(events(&s), 0);
	}
	assert_null(fixture_eq_next(s.port, &s.async));
}

/* A user CQ: arm record and CQEs in any order. */
static void test_arming_user(void **state)
{
	struct cqs s = cqs_new(state, 6);

	/* No CQE, no event. The record is zero: counts as the first arm. */
	assert_false(hca_cq_poll_arm(s.hca, s.model));
	post(&s, 0, false);
	assert_int_equal(events(&s), 1);
	/* One event per arm. */
	post(&s, 1, false);
	assert_false(hca_cq_poll_arm(s.hca, s.model));
	assert_int_equal(events(&s), 0);
	/* Armed with both CQEs unread: due at once. */
	record(&s, 1u << 28 | 0);
	assert_true(hca_cq_poll_arm(s.hca, s.model));
	assert_int_equal(events(&s), 1);
	assert_false(hca_cq_poll_arm(s.hca, s.model));
	/* The same sn again, e.g. a second ibv_req_notify_cq(): nothing more. */
	record(&s, 1u << 28 | 1);
	assert_false(hca_cq_poll_arm(s.hca, s.model));
	/* Armed with everything read: not before the next CQE. */
	record(&s, 2u << 28 | 2);
	assert_false(hca_cq_poll_arm(s.hca, s.model));
	assert_int_equal(events(&s), 0);
	post(&s, 2, false);
	assert_int_equal(events(&s), 1);
	/* sn goes round. */
	record(&s, 3u << 28 | 3);
	post(&s, 3, false);
	record(&s, 0u << 28 | 4);
	post(&s, 4, false);
	record(&s, 1u << 28 | 5);
	post(&s, 5, false);
	assert_int_equal(events(&s), 3);
}

static void test_arming_solicited(void **state)
{
	const uint32_t solicited_only = 1u << 24;
	struct hca_cqe error = { .opcode = HCA_CQE_REQ_ERR, .syndrome = HCA_SYND_FLUSH };
	struct cqs s = cqs_new(state, 6);

	record(&s, 0u << 28 | solicited_only);
	post(&s, 0, false);
	assert_false(hca_cq_poll_arm(s.hca, s.model));
	assert_int_equal(events(&s), 0);
	post(&s, 1, true);
	assert_int_equal(events(&s), 1);
	/* Neither solicited ones before ci count, nor one that an event announced already. */
	record(&s, 1u << 28 | solicited_only | 2);
	post(&s, 2, false);
	assert_false(hca_cq_poll_arm(s.hca, s.model));
	record(&s, 1u << 28 | solicited_only | 1);
	assert_false(hca_cq_poll_arm(s.hca, s.model));
	assert_int_equal(events(&s), 0);
	/* A new one does. */
	post(&s, 3, true);
	assert_int_equal(events(&s), 1);
	/* Errors count as solicited. */
	record(&s, 2u << 28 | solicited_only | 3);
	hca_cq_post(s.hca, s.cq.number, &error);
	assert_int_equal(events(&s), 1);
	/* Upgraded to "any" before an event was sent. */
	record(&s, 3u << 28 | solicited_only | 4);
	post(&s, 4, false);
	assert_int_equal(events(&s), 0);
	record(&s, 3u << 28 | 4);
	assert_true(hca_cq_poll_arm(s.hca, s.model));
	assert_int_equal(events(&s), 1);
}

/*
 * A kernel CQ. Its record holds 2 << 28 before the first arm, and a CQ that is polled without being
 * armed must stay silent.
 */
static void test_arming_kernel(void **state)
{
	struct cqs s = cqs_new(state, 6);

	record(&s, 2u << 28);
	post(&s, 0, true);
	assert_false(hca_cq_poll_arm(s.hca, s.model));
	fixture_cq_ring(s.port, &s.cq);
	fixture_poll(s.f);
	post(&s, 1, true);
	assert_false(hca_cq_poll_arm(s.hca, s.model));
	assert_int_equal(events(&s), 0);
	/* First arm: sn 0, ci 0. */
	record(&s, 0);
	fixture_cq_ring(s.port, &s.cq);
	fixture_poll(s.f);
	assert_int_equal(events(&s), 1);
	assert_true(s.port->interrupts[1] >= 1);
	record(&s, 1u << 28 | 2);
	post(&s, 2, false);
	assert_int_equal(events(&s), 1);
	/* The third arm may look as the initial value does. */
	record(&s, 2u << 28);
	post(&s, 3, false);
	assert_int_equal(events(&s), 1);
}

#define HOUR_NS 3600000000000u

/* MODIFY_CQ as ibv_modify_cq() has it sent: period in microseconds, count. */
static void moderate(struct cqs *s, uint32_t period, uint32_t count)
{
	uint8_t in[0x110] = { 0 }, out[16];

	be16_put(in, 0, 0x403);
	be32_put(in, 8, s->cq.number);
	be32_put(in, 12, 3);
	be32_put(in, 0x10 + 16, period << 16 | count);
	assert_int_equal(fixture_cmd(s->port, in, sizeof(in), out, 16), 0);
}

/* As if the last event, and the last CQE, were an hour from now: any period has yet to pass. */
static void just_now(struct cqs *s)
{
	s->model->event_ns = s->model->cqe_ns = clock_now_ns() + HOUR_NS;
}

/* Armed with all CQEs consumed. */
static void arm_again(struct cqs *s, bool solicited)
{
	while (fixture_cq_next(s->port, &s->cq))
		;
	s->cq.arm_sn = s->model->event_sn + 1u;
	fixture_cq_arm(s->port, &s->cq, solicited);
}

static void test_moderation(void **state)
{
	struct cqs s = cqs_new(state, 6);

	moderate(&s, 4095, 3);
	/* The first event has none before it to wait for. */
	post(&s, 0, false);
	assert_int_equal(events(&s), 1);
	/* By count, since the last event. */
	arm_again(&s, false);
	just_now(&s);
	post(&s, 1, false);
	post(&s, 2, false);
	fixture_poll(s.f);
	assert_true(s.model->delayed);
	assert_int_equal(events(&s), 0);
	post(&s, 3, false);
	assert_int_equal(events(&s), 1);
	assert_false(s.model->delayed);
	/* By time. */
	arm_again(&s, false);
	just_now(&s);
	post(&s, 4, false);
	fixture_poll(s.f);
	assert_int_equal(events(&s), 0);
	s.model->event_ns = 1;
	fixture_poll(s.f);
	assert_int_equal(events(&s), 1);
	fixture_poll(s.f);
	assert_int_equal(events(&s), 0);
	/* Since the last CQE. */
	field_put(s.model->context, 0, 16, 15, 1);
	arm_again(&s, false);
	post(&s, 5, false);
	just_now(&s);
	s.model->event_ns = 1;
	fixture_poll(s.f);
	assert_int_equal(events(&s), 0);
	s.model->cqe_ns = 1;
	fixture_poll(s.f);
	assert_int_equal(events(&s), 1);
	/* No longer moderated: what waits comes. */
	field_put(s.model->context, 0, 16, 15, 0);
	arm_again(&s, false);
	just_now(&s);
	post(&s, 6, false);
	assert_int_equal(events(&s), 0);
	moderate(&s, 4095, 0);
	fixture_poll(s.f);
	assert_int_equal(events(&s), 1);
	moderate(&s, 0, 3);
	arm_again(&s, false);
	just_now(&s);
	post(&s, 7, false);
	assert_int_equal(events(&s), 1);
}

/* Solicited and error CQEs do not wait where the context says so; other CQEs are nothing to them.
 */
static void test_moderation_solicited(void **state)
{
	struct hca_cqe error = { .opcode = HCA_CQE_REQ_ERR, .syndrome = HCA_SYND_FLUSH };
	struct cqs s = cqs_new(state, 6);

	moderate(&s, 4095, 100);
	post(&s, 0, false);
	assert_int_equal(events(&s), 1);
	arm_again(&s, true);
	just_now(&s);
	post(&s, 1, false);
	post(&s, 2, true);
	fixture_poll(s.f);
	assert_int_equal(events(&s), 0);
	field_put(s.model->context, 0, 18, 18, 1);
	fixture_poll(s.f);
	assert_int_equal(events(&s), 1);
	arm_again(&s, false);
	just_now(&s);
	post(&s, 3, false);
	fixture_poll(s.f);
	assert_int_equal(events(&s), 0);
	hca_cq_post(s.hca, s.cq.number, &error);
	assert_int_equal(events(&s), 1);
}

/* cqc.st and last_notified_index. */
static void test_query_state(void **state)
{
	struct cqs s = cqs_new(state, 6);
	uint8_t in[16] = { 0 }, out[0x50];

	be16_put(in, 0, 0x402);
	be32_put(in, 8, s.cq.number);
	for (unsigned int i = 0; i < 3; i++) {
		post(&s, 0, true);
		assert_int_equal(events(&s), 1);
		assert_int_equal(fixture_cmd(s.port, in, 16, out, sizeof(out)), 0);
		assert_int_equal(field_get(out + 0x10, 0, 11, 8), 0xa);
		assert_int_equal(field_get(out + 0x10, 8, 23, 0), i + 1);
		arm_again(&s, i % 2);
		assert_int_equal(fixture_cmd(s.port, in, 16, out, sizeof(out)), 0);
		assert_int_equal(field_get(out + 0x10, 0, 11, 8), i % 2 ? 0x6 : 0x9);
	}
}

/* What cannot be looked at for free is read when a CQE is posted, and left alone otherwise. */
static void test_record_out_of_reach(void **state)
{
	struct cqs s = cqs_new(state, 6);

	s.model->dbr.addr = FIXTURE_MEMORY + 64;
	post(&s, 0, false);
	assert_non_null(fixture_cq_next(s.port, &s.cq));
	assert_int_equal(events(&s), 0);
	assert_false(hca_cq_poll_arm(s.hca, s.model));
}

static void test_commands(void **state)
{
	struct cqs s = cqs_new(state, 2);
	uint8_t in[0x118] = { 0 }, out[0x50];
	uint32_t count = s.hca->cqs.count;

	be16_put(in, 0, 0x400);
	field_put(in + 0x10, 3, 28, 24, 2);
	field_put(in + 0x10, 3, 23, 0, s.port->uar);
	field_put(in + 0x10, 5, 7, 0, 200);
	assert_int_equal(fixture_cmd(s.port, in, sizeof(in), out, 16), HCA_CMD_BAD_RESOURCE);
	field_put(in + 0x10, 5, 7, 0, s.eq.number);
	field_put(in + 0x10, 3, 23, 0, 0x999);
	assert_int_equal(fixture_cmd(s.port, in, sizeof(in), out, 16), HCA_CMD_BAD_RESOURCE);
	field_put(in + 0x10, 3, 23, 0, s.port->uar);
	field_put(in + 0x10, 3, 28, 24, 23);
	assert_int_equal(fixture_cmd(s.port, in, sizeof(in), out, 16), HCA_CMD_BAD_PARAM);
	field_put(in + 0x10, 3, 28, 24, 2);
	field_put(in + 0x10, 0, 23, 21, 3);
	assert_int_equal(fixture_cmd(s.port, in, sizeof(in), out, 16), HCA_CMD_BAD_PARAM);
	field_put(in + 0x10, 0, 23, 21, 0);
	field_put(in + 0x10, 3, 28, 24, 10); /* one page is listed, 16 are needed */
	assert_int_equal(fixture_cmd(s.port, in, sizeof(in), out, 16), HCA_CMD_BAD_INPUT_LEN);
	assert_int_equal(s.hca->cqs.count, count);

	/* QUERY: counters. */
	post(&s, 0, false);
	post(&s, 1, true);
	assert_non_null(fixture_cq_next(s.port, &s.cq));
	memset(in, 0, sizeof(in));
	be16_put(in, 0, 0x402);
	be32_put(in, 8, s.cq.number);
	assert_int_equal(fixture_cmd(s.port, in, 16, out, sizeof(out)), 0);
	assert_int_equal(field_get(out + 0x10, 3, 28, 24), 2);
	assert_int_equal(field_get(out + 0x10, 9, 23, 0), 2);
	assert_int_equal(field_get(out + 0x10, 10, 23, 0), 1);
	assert_int_equal(field_get(out + 0x10, 11, 23, 0), 2);
	assert_int_equal(be64_at(out, 0x48), s.cq.dbr);

	/* MODIFY: moderation is accepted and kept; a resize names all its fields. */
	memset(in, 0, sizeof(in));
	be16_put(in, 0, 0x403);
	be32_put(in, 8, s.cq.number);
	be32_put(in, 12, 3);
	be32_put(in, 0x10 + 16, 12u << 16 | 34);
	assert_int_equal(fixture_cmd(s.port, in, 0x110, out, 16), 0);
	assert_int_equal(be32_at(s.model->context, 16), 12u << 16 | 34);
	be16_put(in, 6, 1);
	assert_int_equal(fixture_cmd(s.port, in, 0x110, out, 16), HCA_CMD_BAD_PARAM);
	be32_put(in, 8, s.cq.number + 1);
	assert_int_equal(fixture_cmd(s.port, in, 0x110, out, 16), HCA_CMD_BAD_RESOURCE);

	assert_int_equal(fixture_simple_status(s.port, 0x401, 0, s.cq.number, 0), 0);
	assert_int_equal(fixture_simple_status(s.port, 0x401, 0, s.cq.number, 0),
			 HCA_CMD_BAD_RESOURCE);
	assert_int_equal(s.hca->cqs.count, count - 1);
}

static uint8_t resize(struct cqs *s, uint8_t log_size, uint64_t buf)
{
	uint8_t in[0x118] = { 0 }, out[16];

	be16_put(in, 0, 0x403);
	be16_put(in, 6, 1);
	be32_put(in, 8, s->cq.number);
	be32_put(in, 12, 7);
	field_put(in + 0x10, 3, 28, 24, log_size);
	be64_put(in, 0x110, buf);
	return fixture_cmd(s->port, in, sizeof(in), out, sizeof(out));
}

/* The marker is the old buffer's last CQE and takes an index; what comes next is in the new one. */
static void test_resize(void **state)
{
	struct cqs s = cqs_new(state, 2);
	uint64_t buf = fixture_alloc(s.f, 4096, 4096);
	const uint8_t *old = fixture_at(s.f, s.cq.buf), *new = fixture_at(s.f, buf), *cqe;

	post(&s, 0, false);
	post(&s, 1, false);
	/* Too small for what is not consumed, and out of range. */
	assert_int_equal(resize(&s, 1, buf), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(resize(&s, 23, buf), HCA_CMD_BAD_PARAM);
	assert_int_equal(old[2 * 64 + 0x3f], 0xf1);
	assert_int_equal(resize(&s, 4, buf), 0);
	assert_int_equal(old[2 * 64 + 0x3f], 0x50);
	post(&s, 3, false);
	assert_int_equal(be16_at(new + 3 * 64, 0x3c), 3);
	assert_int_equal(old[3 * 64 + 0x3f], 0xf1);

	/* Full: no room for the marker. */
	s.cq.buf = buf;
	s.cq.log_size = 4;
	s.cq.ci = 3;
	cqe = fixture_cq_next(s.port, &s.cq);
	assert_non_null(cqe);
	while (s.model->pi < 4 + 16)
		post(&s, 9, false);
	assert_int_equal(resize(&s, 5, buf), HCA_CMD_BAD_RES_STATE);
	assert_int_equal(s.model->log_size, 4);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_layout),
		TEST(test_owner_and_wrap),
		TEST(test_128),
		TEST(test_overrun),
		TEST(test_overrun_ignored),
		TEST(test_index_wrap),
		TEST(test_arming_user),
		TEST(test_arming_solicited),
		TEST(test_arming_kernel),
		TEST(test_moderation),
		TEST(test_moderation_solicited),
		TEST(test_query_state),
		TEST(test_record_out_of_reach),
		TEST(test_commands),
		TEST(test_resize),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
