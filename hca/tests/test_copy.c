/* SPDX-License-Identifier: GPL-2.0-only */
/* Copies within a function's own memory, by a WQE: bytes, rights, lengths, hints, and in turns. */
#include <errno.h>

#include "hca/tests/traffic.h"

static struct end a, b;

static int setup_type(void **state, enum hca_qp_type type)
{
	struct fixture *f;

	fixture_setup(state);
	f = *state;
	end_create(&a, &f->port[0], type, 0);
	end_create(&b, &f->port[1], type, 0);
	fixture_qp_connect(a.port, &a.qp, b.port, &b.qp);
	return 0;
}

static int setup(void **state)
{
	return setup_type(state, HCA_QP_RC);
}

static int setup_uc(void **state)
{
	return setup_type(state, HCA_QP_UC);
}

/* @len bytes of the segments, which may differ in a WQE that is wrong. */
static void post(uint8_t op_mod, uint64_t from, uint32_t from_key, uint32_t from_len, uint64_t to,
		 uint32_t to_key, uint32_t to_len)
{
	uint8_t wqe[64] = { 0 };

	fixture_ctrl(wqe, HCA_OP_MMO, SIGNALLED, 0);
	wqe[0] = op_mod;
	/* Hardware's own data would be there. */
	be32_put(wqe, 20, 0xffffffff);
	be64_put(wqe, 24, UINT64_MAX);
	fixture_data(wqe + 32, from, from_key, from_len);
	fixture_data(wqe + 48, to, to_key, to_len);
	fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
}

static void copy(uint64_t from, uint64_t to, uint32_t len)
{
	post(1, a.buf + from, a.lkey, len, a.buf + to, a.lkey, len);
}

/* The next CQE of the send queue: its opcode and syndrome. */
static uint8_t completion(uint8_t *syndrome)
{
	const uint8_t *cqe;

	fixture_poll(a.port->fixture);
	cqe = fixture_cq_next(a.port, &a.scq);
	assert_non_null(cqe);
	*syndrome = cqe[0x37];
	return cqe[0x3f] >> 4;
}

static void succeeds(void)
{
	uint8_t syndrome;

	assert_int_equal(completion(&syndrome), HCA_CQE_REQ);
}

static void fails(uint8_t expected)
{
	uint8_t syndrome;

	assert_int_equal(completion(&syndrome), HCA_CQE_REQ_ERR);
	assert_int_equal(syndrome, expected);
	assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_ERR);
}

/* From one byte to the most, and nothing beside them; the peer sees nothing. */
static void test_bytes(void **state)
{
	static const uint32_t lengths[] = { 1, 2, 3, 64, 4097, 65536, 65537, 400000 };

	(void)state;
	for (unsigned int i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		const uint32_t from = 3, to = 500001, len = lengths[i];

		fill(&a, 0, END_BUF, (uint8_t)i);
		memset(at(&a, to - 1), 0xee, len + 2);
		copy(from, to, len);
		succeeds();
		assert_memory_equal(at(&a, to), at(&a, from), len);
		assert_int_equal(at(&a, to)[-1], 0xee);
		assert_int_equal(at(&a, to)[len], 0xee);
	}
	assert_null(fixture_cq_next(b.port, &b.rcq));
	assert_null(fixture_cq_next(b.port, &b.scq));
}

/* The number of the WQE and its opcode are those that libmlx5 looks for. */
static void test_cqe(void **state)
{
	const uint8_t *cqe;

	(void)state;
	copy(0, 4096, 100);
	fixture_poll(a.port->fixture);
	cqe = fixture_cq_next(a.port, &a.scq);
	assert_non_null(cqe);
	assert_int_equal(cqe[0x38], HCA_OP_MMO);
	assert_int_equal(be32_at(cqe, 0x2c), 100);
	assert_int_equal(be16_at(cqe, 0x3c), 0);
}

static uint32_t key(uint32_t access, uint32_t pd)
{
	struct fixture_mkey_attr attr = {
		.access = access, .pd = pd, .start = a.buf, .len = END_BUF, .key_byte = 3
	};

	return fixture_mkey_create(a.port, &attr);
}

/* Each key has to allow its part, and to be of the QP's domain; nothing is written before. */
static void refused(bool from, uint32_t access, bool foreign)
{
	uint32_t other = key(access, foreign ? fixture_simple(a.port, 0x800, 0, 0, 0) : a.port->pd);

	memset(at(&a, 4096), 0xee, 100);
	post(1, a.buf, from ? other : a.lkey, 100, a.buf + 4096, from ? a.lkey : other, 100);
	fails(HCA_SYND_LOCAL_PROT);
	for (unsigned int i = 0; i < 100; i++)
		assert_int_equal(at(&a, 4096)[i], 0xee);
}

static void test_target_rights(void **state)
{
	(void)state;
	refused(false, FIXTURE_LOCAL_READ | FIXTURE_REMOTE_READ, false);
}

static void test_source_domain(void **state)
{
	(void)state;
	refused(true, FIXTURE_ALL, true);
}

static void test_target_domain(void **state)
{
	(void)state;
	refused(false, FIXTURE_ALL, true);
}

static void test_range(void **state)
{
	(void)state;
	copy(0, END_BUF - 99, 100);
	fails(HCA_SYND_LOCAL_PROT);
}

static void test_too_long(void **state)
{
	(void)state;
	at(&a, 8)[0] = 0xee;
	copy(0, 8, HCA_COPY_MAX + 1);
	fails(HCA_SYND_LOCAL_LENGTH);
	assert_int_equal(at(&a, 8)[0], 0xee);
}

/* 0 would be 2 GiB; lengths that differ, another operation, a segment too many are nonsense. */
static void test_nonsense(void **state)
{
	uint8_t wqe[80] = { 0 };

	(void)state;
	fixture_ctrl(wqe, HCA_OP_MMO, SIGNALLED, 0);
	wqe[0] = 1;
	fixture_data(wqe + 32, a.buf, a.lkey, 8);
	fixture_data(wqe + 48, a.buf + 64, a.lkey, 8);
	fixture_data(wqe + 64, a.buf + 128, a.lkey, 8);
	fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
	fails(HCA_SYND_LOCAL_QP_OP);
}

static void test_zero(void **state)
{
	(void)state;
	copy(0, 64, 0);
	fails(HCA_SYND_LOCAL_QP_OP);
}

static void test_lengths(void **state)
{
	(void)state;
	post(1, a.buf, a.lkey, 8, a.buf + 64, a.lkey, 16);
	fails(HCA_SYND_LOCAL_QP_OP);
}

static void test_operation(void **state)
{
	(void)state;
	post(2, a.buf, a.lkey, 8, a.buf + 64, a.lkey, 8);
	fails(HCA_SYND_LOCAL_QP_OP);
}

/* Nothing of it is for a peer: no address vector of DC, no SRQ of XRC. */
static void test_services(void **state)
{
	uint8_t raw[64] = { 0 };
	struct hca_wqe wqe;

	(void)state;
	fixture_ctrl(raw, HCA_OP_MMO, 0, 0);
	raw[0] = 1;
	raw[7] = sizeof(raw) / 16;
	fixture_data(raw + 32, 0x1000, 0x100, 8);
	fixture_data(raw + 48, 0x2000, 0x200, 8);
	for (unsigned int kind = HCA_WQE_CONNECTED; kind <= HCA_WQE_XRC; kind++) {
		assert_int_equal(hca_wqe_parse(raw, sizeof(raw), kind, &wqe), 0);
		assert_true(wqe.length == 8);
		assert_true(wqe.seg[HCA_COPY_FROM].addr == 0x1000);
		assert_true(wqe.seg[HCA_COPY_TO].addr == 0x2000);
	}
	assert_int_equal(hca_wqe_parse(raw, sizeof(raw), HCA_WQE_FRAME, &wqe), -EINVAL);
}

static void test_unreliable(void **state)
{
	uint8_t syndrome;

	(void)state;
	at(&a, 64)[0] = 0xee;
	copy(0, 64, 8);
	assert_int_equal(completion(&syndrome), HCA_CQE_REQ_ERR);
	assert_int_equal(syndrome, HCA_SYND_LOCAL_QP_OP);
	assert_int_equal(at(&a, 64)[0], 0xee);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_bytes),
		TEST(test_cqe),
		TEST(test_target_rights),
		TEST(test_source_domain),
		TEST(test_target_domain),
		TEST(test_range),
		TEST(test_too_long),
		TEST(test_nonsense),
		TEST(test_zero),
		TEST(test_lengths),
		TEST(test_operation),
		TEST(test_services),
		cmocka_unit_test_setup_teardown(test_unreliable, setup_uc, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
