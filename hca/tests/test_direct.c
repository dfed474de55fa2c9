/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Data that are copied once and data that go by a buffer: the same messages leave the same bytes,
 * the same completions and, but for the tags of reads, the same TLPs: writes, reads and their
 * completions each in the same order. Pages that follow each other on the bus are one read when
 * copied, so its requests all come before its completions.
 */
#include "hca/tests/traffic.h"

#define MESSAGES 150u
#define LEN_MAX	 120000u
#define SENT	 400000u /* where receives and answers go */

static struct end a, b;
static struct fixture *fixture;
static struct tlp_trace *trace;
static char path[2][32];
static uint64_t random_state;

static uint32_t draw(uint32_t below)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((random_state >> 33) % below);
}

/* One of the two ways; what was recorded is in path[direct]. */
static void open_way(bool direct)
{
	int fd;

	strcpy(path[direct], "/tmp/test_direct.XXXXXX");
	fd = mkstemp(path[direct]);
	assert_true(fd >= 0);
	close(fd);
	trace = tlp_trace_open(path[direct]);
	assert_non_null(trace);
	fixture = fixture_new_with(NULL, trace);
	pcie_fabric_trace_each(fixture->fabric, !direct);
	for (unsigned int i = 0; i < 2; i++)
		fixture_probe(&fixture->port[i]);
	end_create(&a, &fixture->port[0], HCA_QP_RC, 0);
	end_create(&b, &fixture->port[1], HCA_QP_RC, 0);
	fixture_qp_connect(a.port, &a.qp, b.port, &b.qp);
}

static void close_way(void)
{
	assert_int_equal(fixture->held, 0);
	fixture_free(fixture);
	assert_int_equal(tlp_trace_status(trace).refused, 0);
	assert_int_equal(tlp_trace_close(trace), 0);
}

static void message(unsigned int i, uint16_t *received)
{
	static const uint8_t opcodes[] = { HCA_OP_WRITE, HCA_OP_READ, HCA_OP_SEND };
	uint8_t opcode = opcodes[draw(3)];
	uint32_t len = 1 + draw(draw(2) ? 300 : LEN_MAX), from = draw(LEN_MAX), to = draw(LEN_MAX);
	uint16_t index;

	fill(&a, from, len, (uint8_t)i);
	fill(&b, to, len, (uint8_t)(i + 100));
	if (opcode == HCA_OP_SEND) {
		post_recv(&b, b.buf + SENT + to, b.lkey, len + draw(3));
		index = post_send(&a, opcode, SIGNALLED, 0, a.buf + from, a.lkey, len);
	} else {
		index = post_rdma(&a, opcode, SIGNALLED, 0, b.buf + to, b.lkey, a.buf + from,
				  a.lkey, len);
	}
	fixture_poll(fixture);
	expect_done(&a, index);
	if (opcode == HCA_OP_SEND)
		expect_recv(&b, HCA_CQE_RESP_SEND, (*received)++);
	assert_memory_equal(at(&a, from), at(&b, opcode == HCA_OP_SEND ? SENT + to : to), len);
}

/* The next TLP of @type; false at the end. */
static bool next_of(struct tlp_reader *reader, enum tlp_type type, struct tlp_entry *entry)
{
	int rc;

	do
		rc = tlp_reader_next(reader, entry);
	while (rc == 1 && entry->tlp.type != type);
	assert_true(rc >= 0);
	return rc;
}

static void compare(enum tlp_type type)
{
	struct tlp_reader *reader[2];
	struct tlp_entry entry[2];
	unsigned int tlps = 0;

	for (unsigned int way = 0; way < 2; way++) {
		reader[way] = tlp_reader_open(path[way]);
		assert_non_null(reader[way]);
	}
	while (next_of(reader[0], type, &entry[0])) {
		uint8_t header[2][TLP_MAX_HEADER] = { { 0 } };
		int len[2];

		assert_true(next_of(reader[1], type, &entry[1]));
		for (unsigned int way = 0; way < 2; way++) {
			if (type != TLP_MWR)
				entry[way].tlp.tag = 0;
			len[way] = tlp_encode(&entry[way].tlp, header[way]);
		}
		assert_int_equal(len[0], len[1]);
		assert_memory_equal(header[0], header[1], TLP_MAX_HEADER);
		assert_string_equal(entry[0].source, entry[1].source);
		assert_int_equal(entry[0].record.route, entry[1].record.route);
		tlps++;
	}
	assert_false(next_of(reader[1], type, &entry[1]));
	assert_true(tlps > 100);
	for (unsigned int way = 0; way < 2; way++)
		tlp_reader_close(reader[way]);
}

static void compare_traces(void)
{
	compare(TLP_MWR);
	compare(TLP_MRD);
	compare(TLP_CPLD);
	for (unsigned int way = 0; way < 2; way++)
		unlink(path[way]);
}

static void test_same_messages(void **state)
{
	struct hca_mkey_report report[2];

	(void)state;
	for (unsigned int way = 0; way < 2; way++) {
		uint16_t received = 0;

		random_state = 5;
		open_way(way);
		for (unsigned int i = 0; i < MESSAGES; i++)
			message(i, &received);
		/* Each message directly, or none. */
		assert_true(way ? fixture->copies >= MESSAGES : fixture->copies == 0);
		assert_true(hca_mkey_report(b.port->hca, &report[way]));
		close_way();
	}
	assert_int_equal(report[0].remote_write_bytes, report[1].remote_write_bytes);
	assert_int_equal(report[0].remote_read_bytes, report[1].remote_read_bytes);
	assert_int_equal(report[0].dma_low, report[1].dma_low);
	assert_int_equal(report[0].dma_high, report[1].dma_high);
	compare_traces();
}

/* Where the target goes in the middle of a message, it ends the same way, with the same bytes. */
static void test_same_end(void **state)
{
	static uint8_t left[2][END_BUF];

	(void)state;
	for (unsigned int way = 0; way < 2; way++) {
		uint16_t index;

		open_way(way);
		fill(&a, 0, 200000, 1);
		memset(at(&b, 0), 0xff, END_BUF);
		fixture->hole = b.buf + 100000;
		fixture->hole_size = 4096;
		index = post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey,
				  200000);
		fixture_poll(fixture);
		expect_error(&a, index, HCA_SYND_REMOTE_OP);
		fixture->hole_size = 0;
		memcpy(left[way], at(&b, 0), END_BUF);
		assert_true(way ? fixture->copies > 0 : fixture->copies == 0);
		close_way();
	}
	assert_memory_equal(left[0], left[1], END_BUF);
	compare_traces();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_messages),
		cmocka_unit_test(test_same_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
