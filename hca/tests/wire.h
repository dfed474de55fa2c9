/* SPDX-License-Identifier: GPL-2.0-only */
/* Bad cables in tests. */
#ifndef HCA_TESTS_WIRE_H
#define HCA_TESTS_WIRE_H

#include "hca/tests/counts.h"
#include "hca/wire.h"

#define NEVER 20u /* ack_timeout: 4 s */

static inline struct hca_qp *qp_of(struct end *end)
{
	return hca_table_get(&end->port->hca->qps, end->qp.number);
}

/* What @end sends goes by a cable as @text says, NULL: a good one. */
static inline void impair(struct end *end, const char *text)
{
	char message[IMPAIRMENT_TEXT];
	struct impairment_spec spec;

	if (text)
		assert_int_equal(impairment_parse(text, &spec, message), 0);
	hca_impair(end->port->hca, text ? &spec : NULL);
	hca_poll(end->port->hca);
}

/* Until the next completion of @end's requests; timers expire when nothing else can happen. */
static inline const uint8_t *finish(struct end *end)
{
	const uint8_t *cqe = NULL;

	for (unsigned int i = 0; i < 100 && !cqe; i++) {
		struct hca_connection *c;

		fixture_poll(end->port->fixture);
		cqe = fixture_cq_next(end->port, &end->scq);
		c = hca_progress(qp_of(end))->connection;
		if (!cqe && c && c->posted)
			expire(qp_of(end));
	}
	assert_non_null(cqe);
	return cqe;
}

static inline void finish_well(struct end *end, uint16_t index)
{
	const uint8_t *cqe = finish(end);

	assert_int_equal(cqe_opcode(cqe), HCA_CQE_REQ);
	assert_int_equal(be16_at(cqe, 0x3c), index);
}

/* Packets that are late arrive. */
static inline void settle(struct fixture *f)
{
	bool empty = false;

	while (!empty) {
		fixture_poll(f);
		empty = true;
		for (unsigned int i = 0; i < FIXTURE_HCAS; i++)
			empty &= !f->port[i].hca->wire || !f->port[i].hca->wire->packets;
	}
}

#endif
