/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A turn of the engine is bounded whatever WQEs and lists say: long walks go on in the next turn,
 * and come to the same result as in one.
 */
#include <errno.h>

#include "hca/budget.h"
#include "hca/cmd.h"
#include "hca/tests/traffic.h"

/* What the last piece of work of a turn may cost: one piece of a message, and what is around it. */
#define OVERDRAFT 200000

static struct end a, b;

static int setup(void **state)
{
	struct fixture *f;

	fixture_setup(state);
	f = *state;
	end_create(&a, &f->port[0], HCA_QP_RC, 0);
	end_create(&b, &f->port[1], HCA_QP_RC, 0);
	fixture_qp_connect(a.port, &a.qp, b.port, &b.qp);
	return 0;
}

/* Turns until nobody has work; none of them overdraws its budget. */
static unsigned int turns(struct fixture *f)
{
	unsigned int count = 0;
	bool busy;

	do {
		busy = false;
		for (unsigned int i = 0; i < FIXTURE_HCAS; i++) {
			busy |= hca_poll(f->port[i].hca);
			assert_true(f->port[i].hca->work_left > -OVERDRAFT);
		}
		count++;
		assert_true(count < 100000);
	} while (busy);
	return count;
}

/* CREATE_MKEY of a list with @octwords entries at @entries. */
static uint32_t list_key(struct end *end, const uint8_t *entries, uint32_t octwords, uint64_t len)
{
	uint32_t ilen = 0x110 + 16 * octwords;
	uint8_t *in = calloc(1, ilen), out[16];

	assert_non_null(in);
	be16_put(in, 0, 0x200);
	be32_put(in, 0x10, FIXTURE_ALL | HCA_MKC_KLM << 8);
	be32_put(in, 0x14, 0xffffff77);
	be32_put(in, 0x1c, end->port->pd);
	be64_put(in, 0x28, len);
	be32_put(in, 0x60, octwords);
	memcpy(in + 0x110, entries, 16 * (size_t)octwords);
	assert_int_equal(fixture_cmd(end->port, in, ilen, out, sizeof(out)), 0);
	free(in);
	return (be32_at(out, 8) & 0xffffff) << 8 | 0x77;
}

/* The byte of the buffer where byte @i of a scattered key is: no two next to each other. */
static uint64_t place(uint32_t i, uint32_t count)
{
	return (uint64_t)i * 7 % count;
}

/* A key whose bytes are all entries of their own. */
static uint32_t bytes_key(struct end *end, uint32_t count)
{
	uint8_t *entries = calloc(count, 16);
	uint32_t key;

	assert_non_null(entries);
	for (uint32_t i = 0; i < count; i++) {
		be32_put(entries, 16 * (size_t)i, 1);
		be32_put(entries, 16 * (size_t)i + 4, end->lkey);
		be64_put(entries, 16 * (size_t)i + 8, end->buf + place(i, count));
	}
	key = list_key(end, entries, count, count);
	free(entries);
	return key;
}

#define BYTES 40000u

static void fill_bytes(struct end *end)
{
	for (uint32_t i = 0; i < BYTES; i++)
		*at(end, place(i, BYTES)) = (uint8_t)(i ^ i >> 8);
}

static void check_bytes(struct end *end, bool scattered)
{
	for (uint32_t i = 0; i < BYTES; i++)
		assert_int_equal(*at(end, scattered ? place(i, BYTES) : i), (uint8_t)(i ^ i >> 8));
}

static void test_gather(void **state)
{
	uint32_t key = bytes_key(&a, BYTES);

	fill_bytes(&a);
	post_recv(&b, b.buf, b.lkey, BYTES);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, 0, key, BYTES);
	assert_true(turns(*state) > 10);
	expect_done(&a, 0);
	expect_recv(&b, HCA_CQE_RESP_SEND, 0);
	check_bytes(&b, false);
}

static void test_scatter(void **state)
{
	uint32_t key = bytes_key(&b, BYTES);

	for (uint32_t i = 0; i < BYTES; i++)
		*at(&a, i) = (uint8_t)(i ^ i >> 8);
	post_recv(&b, 0, key, BYTES);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, BYTES);
	assert_true(turns(*state) > 10);
	expect_done(&a, 0);
	expect_recv(&b, HCA_CQE_RESP_SEND, 0);
	check_bytes(&b, true);
}

static void test_write_and_read(void **state)
{
	uint32_t from = bytes_key(&a, BYTES), to = bytes_key(&b, BYTES);
	uint16_t index;

	fill_bytes(&a);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, 0, to, 0, from, BYTES);
	assert_true(turns(*state) > 20);
	expect_done(&a, 0);
	check_bytes(&b, true);
	memset(at(&a, 0), 0, BYTES);
	index = post_rdma(&a, HCA_OP_READ, SIGNALLED, 0, 0, to, 0, from, BYTES);
	assert_true(turns(*state) > 20);
	expect_done(&a, index);
	check_bytes(&a, true);
}

/*
 * The last byte of a range decides, too, before the first one is written: in few pieces, in more
 * than are moved at once, and in more than a turn looks at.
 */
static void write_last_byte(struct fixture *f, uint32_t count, bool inl)
{
	uint32_t key = bytes_key(&b, count);
	struct hca_mkey *mkey = hca_table_get(&b.port->hca->mkeys, key >> 8);
	uint8_t wqe[48 + 48] = { 0 };

	be32_put((uint8_t *)hca_xlt_octword(&mkey->xlt, count - 1), 4, b.lkey ^ 1);
	memset(at(&b, 0), 0xee, BYTES);
	if (inl) {
		fixture_ctrl(wqe, HCA_OP_WRITE, SIGNALLED, 0);
		fixture_raddr(wqe + 16, 0, key);
		be32_put(wqe, 32, 1u << 31 | count);
		fixture_post_send(a.port, &a.qp, wqe, 32 + (4 + count + 15) / 16 * 16);
	} else {
		post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, 0, key, a.buf, a.lkey, count);
	}
	turns(f);
	expect_error(&a, 0, HCA_SYND_REMOTE_ACCESS);
	for (uint32_t i = 0; i < BYTES; i++)
		assert_int_equal(*at(&b, i), 0xee);
}

static void read_last_byte(struct fixture *f, uint32_t count)
{
	uint32_t key = bytes_key(&b, count);
	struct hca_mkey *mkey = hca_table_get(&b.port->hca->mkeys, key >> 8);

	be32_put((uint8_t *)hca_xlt_octword(&mkey->xlt, count - 1), 4, b.lkey ^ 1);
	memset(at(&a, 0), 0xee, BYTES);
	post_rdma(&a, HCA_OP_READ, SIGNALLED, 0, 0, key, a.buf, a.lkey, count);
	turns(f);
	expect_error(&a, 0, HCA_SYND_REMOTE_ACCESS);
	assert_int_equal(fixture_qp_state(b.port, &b.qp), HCA_QP_ERR);
	for (uint32_t i = 0; i < BYTES; i++)
		assert_int_equal(*at(&a, i), 0xee);
}

static void test_last_byte(void **state)
{
	static const uint32_t counts[] = { 8, 48, 49, 60, 200, BYTES };

	for (unsigned int k = 0; k < 3 * sizeof(counts) / sizeof(counts[0]); k++) {
		if (k % 3 == 1 && counts[k / 3] > 60)
			continue;
		if (k % 3 == 2)
			read_last_byte(*state, counts[k / 3]);
		else
			write_last_byte(*state, counts[k / 3], k % 3);
		fixture_teardown(state);
		setup(state);
	}
}

/* Two bytes of each block of 16, again and again, under a head. */
static void test_strided(void **state)
{
	enum { ENTRIES = 1000, REPEAT = 20, LEN = ENTRIES * REPEAT };
	static uint8_t entries[16 * (ENTRIES + 1)];
	uint32_t key;

	be32_put(entries, 0, ENTRIES);
	be32_put(entries, 4, HCA_KEY_STRIDED);
	be32_put(entries, 8, REPEAT);
	be16_put(entries, 14, ENTRIES);
	for (unsigned int i = 1; i <= ENTRIES; i++) {
		be16_put(entries, 16 * i, ENTRIES);
		be16_put(entries, 16 * i + 2, 1);
		be32_put(entries, 16 * i + 4, a.lkey);
		be64_put(entries, 16 * i + 8, a.buf + ENTRIES - i);
	}
	key = list_key(&a, entries, ENTRIES + 1, LEN);
	for (unsigned int i = 0; i < LEN; i++)
		*at(&a, i) = (uint8_t)(i % 253);
	post_recv(&b, b.buf, b.lkey, LEN);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, 0, key, LEN);
	assert_true(turns(*state) > 5);
	expect_done(&a, 0);
	for (unsigned int i = 0; i < LEN; i++) {
		unsigned int from = i / ENTRIES * ENTRIES + ENTRIES - 1 - i % ENTRIES;

		assert_int_equal(*at(&b, i), (uint8_t)(from % 253));
	}
}

/* The check alone of a long message takes several turns, and meanwhile another QP gets on. */
static void test_check(void **state)
{
	enum { PAGES = 1u << 18 };
	struct fixture_mkey_attr attr = { .access = FIXTURE_ALL, .len = (uint64_t)PAGES << 12 };
	uint64_t *pages = calloc(PAGES, sizeof(*pages));
	struct end c, d;
	struct hca_qp *qp = hca_table_get(&a.port->hca->qps, a.qp.number);
	unsigned int count = 0;
	uint32_t key;

	assert_non_null(pages);
	end_create(&c, a.port, HCA_QP_RC, 0);
	end_create(&d, b.port, HCA_QP_RC, 0);
	fixture_qp_connect(c.port, &c.qp, d.port, &d.qp);
	for (unsigned int i = 0; i < PAGES; i++)
		pages[i] = a.buf;
	attr.pages = pages;
	attr.page_count = PAGES;
	key = fixture_mkey_create(a.port, &attr);
	free(pages);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, 0, key, PAGES << 12);
	post_recv(&d, d.buf, d.lkey, 64);
	do {
		hca_poll(a.port->hca);
		assert_true(a.port->hca->work_left > -OVERDRAFT);
		if (!count)
			post_send(&c, HCA_OP_SEND, SIGNALLED, 0, c.buf, c.lkey, 64);
		count++;
	} while (hca_progress(qp)->checked_local < (uint64_t)PAGES << 12 && count < 1000);
	assert_in_range(count, 3, 50);
	expect_done(&c, 0);
	fixture_poll(*state);
	/* Nobody posted a receive. */
	assert_null(fixture_cq_next(a.port, &a.scq));
}

static void test_atomic(void **state)
{
	uint32_t from = bytes_key(&a, 8), to = bytes_key(&b, 8);
	uint64_t old = 0;

	for (uint32_t i = 0; i < 8; i++)
		*at(&b, place(i, 8)) = (uint8_t)(0x11 * i);
	post_atomic(&a, HCA_OP_ATOMIC_FA, 0, to, 1, 0, 0, from);
	turns(*state);
	expect_done(&a, 0);
	for (uint32_t i = 0; i < 8; i++) {
		((uint8_t *)&old)[i] = *at(&a, place(i, 8));
		assert_int_equal(((uint8_t *)&old)[i], (uint8_t)(0x11 * i));
		assert_int_equal(*at(&b, place(i, 8)), (uint8_t)(0x11 * i + !i));
	}
}

/* A UMR whose entries come byte by byte. */
static void test_umr(void **state)
{
	enum { OCTWORDS = 2048 };
	uint32_t key = bytes_key(&a, 16 * OCTWORDS), list;
	uint8_t in[0x110] = { 0 }, out[16], wqe[144] = { 0 };
	struct hca_mkey *mkey;

	be16_put(in, 0, 0x200);
	be32_put(in, 0x10, FIXTURE_ALL | 1u << 15 | HCA_MKC_KLM << 8);
	be32_put(in, 0x14, 0xffffff55);
	be32_put(in, 0x1c, a.port->pd);
	be32_put(in, 0x10 + 13 * 4, OCTWORDS);
	assert_int_equal(fixture_cmd(a.port, in, sizeof(in), out, sizeof(out)), 0);
	list = be32_at(out, 8) & 0xffffff;
	for (unsigned int i = 0; i < 16 * OCTWORDS; i++)
		*at(&a, place(i, 16 * OCTWORDS)) = (uint8_t)(i % 251);
	fixture_ctrl(wqe, HCA_OP_UMR, SIGNALLED, list << 8 | 0x55);
	be16_put(wqe, 20, OCTWORDS);
	fixture_data(wqe + 128, 0, key, 16 * OCTWORDS);
	fixture_post_send(a.port, &a.qp, wqe, sizeof(wqe));
	assert_true(turns(*state) > 5);
	expect_done(&a, 0);
	mkey = hca_table_get(&a.port->hca->mkeys, list);
	for (unsigned int i = 0; i < 16 * OCTWORDS; i++)
		assert_int_equal(hca_xlt_octword(&mkey->xlt, i / 16)[i % 16], (uint8_t)(i % 251));
}

/* A QP that is reset in the middle of a message leaves none of it behind. */
static void test_reset_in_the_middle(void **state)
{
	uint32_t key = bytes_key(&a, BYTES);
	uint64_t used = a.port->hca->memory_used;
	uint8_t qpc[232] = { 0 };

	(void)state;
	post_recv(&b, b.buf, b.lkey, BYTES);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, 0, key, BYTES);
	hca_poll(a.port->hca);
	hca_poll(a.port->hca);
	assert_true(a.port->hca->memory_used > used);
	assert_int_equal(fixture_qp_modify(a.port, &a.qp, 0x50a, 0, qpc), 0);
	hca_mkey_free(a.port->hca, hca_table_remove(a.port->hca, &a.port->hca->mkeys, key >> 8));
	assert_true(a.port->hca->memory_used < used);
	fixture_poll(*state);
	expect_idle(&a);
}

/* While a turn of the other function waits for its host, this one is left alone. */
static void test_held(void **state)
{
	post_recv(&b, b.buf, b.lkey, 64);
	post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 64);
	b.port->hca->held = true;
	assert_false(hca_poll(b.port->hca));
	for (unsigned int i = 0; i < 10; i++)
		hca_poll(a.port->hca);
	expect_idle(&a);
	expect_idle(&b);
	b.port->hca->held = false;
	fixture_poll(*state);
	expect_done(&a, 0);
	expect_recv(&b, HCA_CQE_RESP_SEND, 0);
}

/* Many objects go over several turns, with a reset and with a command; a command waits for its end.
 */
static void test_end_over_turns(void **state)
{
	enum { OBJECTS = 100000 };
	struct fixture_port *port = a.port;
	struct hca *hca = port->hca;

	for (unsigned int round = 0; round < 2; round++) {
		unsigned int count = 0;

		for (unsigned int i = 0; i < OBJECTS; i++) {
			struct hca_mkey *mkey = hca_alloc(hca, sizeof(*mkey));

			assert_non_null(mkey);
			assert_int_not_equal(hca_table_add(hca, &hca->mkeys, 1, mkey), 0);
		}
		if (round) {
			fixture_cmd_write(port, 0, (const uint8_t[16]){ 0x01, 0x03 }, 16, 16);
			fixture_write32(port, 0x18, 1);
		} else {
			pcie_function_reset(port->fn, PCIE_RESET_FLR);
		}
		do {
			hca_poll(hca);
			assert_true(hca->work_left > -OVERDRAFT);
			assert_true(++count < 100);
		} while (hca->mkeys.count);
		assert_true(count > 2);
		if (!round) {
			assert_true(hca->memory_used == 0);
			pcie_config_write(port->fn, 4, (const uint8_t[2]){ 6, 0 }, 2);
			fixture_probe(port);
		}
	}
	fixture_poll(*state);
	assert_int_equal(*((uint8_t *)fixture_at(*state, fixture_cmd_entry(port, 0)) + 0x3f), 0);
	assert_true(hca->memory_used == 0);
}

/* Nothing that was begun for the last owner is sent after a reset, whatever the next one allows. */
static void test_silent_after_reset(void **state)
{
	struct pcie_function *fn = a.port->fn;
	const uint8_t command[2] = { 6, 0 };
	uint8_t byte = 0x5a;
	unsigned int interrupts = a.port->interrupts[0];

	(void)state;
	pcie_function_reset(fn, PCIE_RESET_FLR);
	pcie_config_write(fn, 4, command, 2);
	assert_int_equal(pcie_write(fn, a.buf, &byte, 1, NULL), -EACCES);
	assert_int_equal(pcie_peek(fn, a.buf, &byte, 1), -EACCES);
	assert_int_equal(*at(&a, 0), 0);
	pcie_interrupt(fn, 0);
	assert_int_equal(a.port->interrupts[0], interrupts);
	/* A command of the next owner waits for the end of the last one's. */
	fixture_write32(a.port, 0x10, (uint32_t)(a.port->cmdq >> 32));
	fixture_write32(a.port, 0x14, (uint32_t)a.port->cmdq);
	fixture_cmd_write(a.port, 0, (const uint8_t[16]){ 0x01, 0x04 }, 16, 16);
	fixture_write32(a.port, 0x18, 1);
	a.port->hca->work_left = HCA_TURN_WORK;
	assert_false(hca_cmd_poll(a.port->hca));
	hca_poll(a.port->hca);
	hca_poll(a.port->hca);
	assert_int_equal(*((uint8_t *)fixture_at(*state, fixture_cmd_entry(a.port, 0)) + 0x3f), 0);
	assert_int_equal(pcie_write(fn, a.buf, &byte, 1, NULL), 0);
	assert_int_equal(*at(&a, 0), 0x5a);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_gather),
		TEST(test_scatter),
		TEST(test_write_and_read),
		TEST(test_last_byte),
		TEST(test_strided),
		TEST(test_check),
		TEST(test_atomic),
		TEST(test_umr),
		TEST(test_reset_in_the_middle),
		TEST(test_held),
		TEST(test_end_over_turns),
		TEST(test_silent_after_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
