/* SPDX-License-Identifier: GPL-2.0-only */
/* Q counter sets in tests: to bind QPs to, and to look at as a whole. */
#ifndef HCA_TESTS_COUNTS_H
#define HCA_TESTS_COUNTS_H

#include "hca/q_counter.h"
#include "hca/tests/traffic.h"

#define OPT_QCNT (1u << 25)

static inline uint32_t counts_new(struct fixture_port *port)
{
	uint32_t number = fixture_simple(port, 0x771, 0, 0, 0);

	assert_in_range(number, 1, 255);
	return number;
}

static inline uint8_t counts_query(struct fixture_port *port, uint16_t uid, uint32_t number,
				   bool clear, uint8_t out[HCA_Q_COUNTER_OUT])
{
	uint8_t in[0x20] = { 0 };

	be16_put(in, 0, 0x773);
	be16_put(in, 2, uid);
	field_put(in, 6, 31, 31, clear);
	be32_put(in, 0x1c, number);
	return fixture_cmd(port, in, sizeof(in), out, HCA_Q_COUNTER_OUT);
}

/* RTS2RTS, as the driver binds a QP anew. Returns the status. */
static inline uint8_t counts_bind(struct end *end, uint32_t number)
{
	uint8_t qpc[232] = { 0 };

	field_put(qpc, 0, 23, 16, end->qp.type);
	field_put(qpc, 3, 31, 24, number);
	return fixture_qp_modify(end->port, &end->qp, 0x505, OPT_QCNT, qpc);
}

struct count {
	enum hca_q_count what;
	uint32_t n;
};

/* Set @number of @port has these @counts and no others, and begins anew. */
static inline void counts_expect(struct fixture_port *port, uint32_t number,
				 const struct count *counts, size_t len)
{
	uint8_t out[HCA_Q_COUNTER_OUT], want[HCA_Q_COUNTER_OUT] = { 0 };
	size_t i;

	assert_int_equal(counts_query(port, 0, number, true, out), 0);
	for (i = 0; i < len; i++)
		be32_put(want, counts[i].what, counts[i].n);
	for (i = 0; i < sizeof(out); i += 4) {
		if (be32_at(out, i) != be32_at(want, i))
			fail_msg("counter 0x%02zx: %u, not %u", i, be32_at(out, i),
				 be32_at(want, i));
	}
}

#define EXPECT_COUNTS(port, number, ...)                                                        \
	do {                                                                                    \
		const struct count counts_[] = { __VA_ARGS__ };                                 \
                                                                                                \
		counts_expect((port), (number), counts_, sizeof(counts_) / sizeof(counts_[0])); \
	} while (0)
#define EXPECT_NO_COUNTS(port, number) counts_expect((port), (number), NULL, 0)

#endif
