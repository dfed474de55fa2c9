/* SPDX-License-Identifier: GPL-2.0-only */
/* Queue pairs by command: creation, transitions with partial contexts, query, destruction. */
#include "hca/tests/fixture.h"

#include <string.h>

#define OPT_RRE	 (1u << 1)
#define OPT_RAE	 (1u << 2)
#define OPT_RWE	 (1u << 3)
#define OPT_PKEY (1u << 4)
#define OPT_QKEY (1u << 5)
#define OPT_RNR	 (1u << 6)

struct rig {
	struct fixture_port *port;
	struct fixture_eq eq;
	struct fixture_cq cq;
	struct fixture_qp qp;
};

static void rig_make(void **state, struct rig *rig, enum hca_qp_type type)
{
	struct fixture_qp_attr attr = {
		.type = type,
		.rq_wqes = type == HCA_QP_REG_UMR ? 0 : 32,
		.rq_stride = 64,
		.sq_wqebbs = 64,
	};

	rig->port = &((struct fixture *)*state)->port[0];
	fixture_eq_create(rig->port, 8, 0, 1, &rig->eq);
	fixture_cq_create(rig->port, 6, rig->eq.number, &rig->cq);
	attr.cqn_snd = attr.cqn_rcv = rig->cq.number;
	fixture_qp_create(rig->port, &attr, &rig->qp);
}

static void query_qp(struct rig *rig, uint8_t qpc[232])
{
	uint8_t in[16] = { 0 }, out[464];

	be16_put(in, 0, 0x50b);
	be32_put(in, 8, rig->qp.number);
	assert_int_equal(fixture_cmd(rig->port, in, sizeof(in), out, sizeof(out)), 0);
	memcpy(qpc, out + 0x18, 232);
}

/* A partial context as the driver sends it: type, PD, CQs; everything else garbage or zero. */
static void partial(struct rig *rig, uint8_t qpc[232], uint8_t fill)
{
	memset(qpc, fill, 232);
	field_put(qpc, 0, 23, 16, rig->qp.type);
	field_put(qpc, 1, 23, 0, rig->qp.pd);
	field_put(qpc, 31, 23, 0, rig->qp.cqn_snd);
	field_put(qpc, 39, 23, 0, rig->qp.cqn_rcv);
}

static struct hca_qp *model(struct rig *rig)
{
	return hca_table_get(&rig->port->hca->qps, rig->qp.number);
}

/* What transitions must never touch. */
static void assert_shape(struct rig *rig)
{
	const struct hca_qp *qp = model(rig);
	uint8_t qpc[232];

	query_qp(rig, qpc);
	assert_int_equal(field_get(qpc, 0, 23, 16), rig->qp.type);
	assert_int_equal(field_get(qpc, 2, 22, 19), 5);
	assert_int_equal(field_get(qpc, 2, 18, 16), 2);
	assert_int_equal(field_get(qpc, 2, 14, 11), 6);
	assert_int_equal(field_get(qpc, 3, 23, 0), rig->port->uar);
	assert_int_equal(field_get(qpc, 31, 23, 0), rig->cq.number);
	assert_int_equal(field_get(qpc, 39, 23, 0), rig->cq.number);
	assert_int_equal(be64_at(qpc, 0xa0), rig->qp.dbr);
	assert_int_equal(qp->rq_wqes, 32);
	assert_int_equal(qp->rq_stride, 64);
	assert_int_equal(qp->sq_wqebbs, 64);
	assert_int_equal(qp->sq_offset, 32 * 64);
	assert_int_equal(qp->dbr.addr, rig->qp.dbr);
	assert_int_equal(qp->uar, rig->port->uar);
	assert_int_equal(qp->cqn_snd, rig->cq.number);
}

static void created(void **state)
{
	struct rig rig;

	rig_make(state, &rig, HCA_QP_RC);
	assert_int_equal(rig.qp.number, 0x40);
	assert_int_equal(fixture_qp_state(rig.port, &rig.qp), HCA_QP_RST);
	assert_shape(&rig);
	assert_int_equal(model(&rig)->pd, rig.port->pd);
}

/* To RTS with only the fields that the driver fills in. */
static void transitions(void **state)
{
	struct rig rig;
	uint8_t qpc[232];

	rig_make(state, &rig, HCA_QP_RC);
	partial(&rig, qpc, 0);
	field_put(qpc, 15, 23, 16, 1);
	field_put(qpc, 36, 15, 14, 3); /* rre, rwe, not rae */
	be64_put(qpc, 0xa0, rig.qp.dbr);
	assert_int_equal(fixture_qp_modify(rig.port, &rig.qp, 0x502, 0, qpc), 0);
	assert_int_equal(fixture_qp_state(rig.port, &rig.qp), HCA_QP_INIT);
	assert_shape(&rig);
	assert_true(model(&rig)->rre && model(&rig)->rwe && !model(&rig)->rae);

	partial(&rig, qpc, 0);
	field_put(qpc, 2, 31, 29, 5);
	field_put(qpc, 5, 23, 0, 0x77);
	field_put(qpc, 7, 15, 0, 9);
	field_put(qpc, 7, 23, 23, 1);
	memcpy(qpc + 0x28, "0123456789abcdef", 16);
	field_put(qpc, 36, 23, 21, 4);
	field_put(qpc, 37, 28, 24, 12);
	assert_int_equal(fixture_qp_modify(rig.port, &rig.qp, 0x503, 0, qpc), 0);
	assert_int_equal(fixture_qp_state(rig.port, &rig.qp), HCA_QP_RTR);
	assert_shape(&rig);
	assert_int_equal(model(&rig)->remote_qpn, 0x77);
	assert_int_equal(model(&rig)->rlid, 9);
	assert_true(model(&rig)->grh);
	assert_memory_equal(model(&rig)->rgid, "0123456789abcdef", 16);
	assert_int_equal(model(&rig)->min_rnr_nak, 12);
	/* No mask bit: the rights of INIT stand, though the fields are 0 here. */
	assert_true(model(&rig)->rre && model(&rig)->rwe && !model(&rig)->rae);

	partial(&rig, qpc, 0);
	field_put(qpc, 8, 31, 27, 14);
	field_put(qpc, 28, 18, 16, 6);
	field_put(qpc, 28, 15, 13, 5);
	assert_int_equal(fixture_qp_modify(rig.port, &rig.qp, 0x504, 0, qpc), 0);
	assert_int_equal(fixture_qp_state(rig.port, &rig.qp), HCA_QP_RTS);
	assert_shape(&rig);
	assert_int_equal(model(&rig)->ack_timeout, 14);
	assert_int_equal(model(&rig)->retry_count, 6);
	assert_int_equal(model(&rig)->rnr_retry, 5);
	assert_int_equal(model(&rig)->remote_qpn, 0x77);
	assert_int_equal(model(&rig)->rlid, 9);
	assert_int_equal(model(&rig)->min_rnr_nak, 12);
	query_qp(&rig, qpc);
	assert_int_equal(field_get(qpc, 2, 31, 29), 5);
	assert_int_equal(field_get(qpc, 36, 23, 21), 4);
	assert_int_equal(field_get(qpc, 15, 23, 16), 1);
}

/* All-ones contexts: nothing gets through that does not belong to the transition. */
static void garbage_is_not_taken(void **state)
{
	static const uint16_t ops[] = { 0x502, 0x503, 0x504, 0x505 };
	uint8_t qpc[232];
	struct rig rig;
	unsigned int i;

	rig_make(state, &rig, HCA_QP_RC);
	for (i = 0; i < 4; i++) {
		partial(&rig, qpc, 0xff);
		if (!i)
			field_put(qpc, 3, 31, 24, 0); /* there is no counter_set_id 0xff */
		assert_int_equal(fixture_qp_modify(rig.port, &rig.qp, ops[i], 0, qpc), 0);
		assert_shape(&rig);
		/* RST2INIT does not set the path, INIT2RTR not the timeout. */
		assert_int_equal(model(&rig)->rlid, i < 1 ? 0 : 0xffff);
		assert_int_equal(model(&rig)->ack_timeout, i < 2 ? 0 : 31);
		assert_int_equal(model(&rig)->retry_count, i < 2 ? 0 : 7);
	}
	query_qp(&rig, qpc);
	assert_int_equal(field_get(qpc, 0, 31, 28), HCA_QP_RTS);
	assert_int_equal(field_get(qpc, 17, 31, 0), 0); /* secondary path */
}

static void mask_rules(void **state)
{
	static const struct {
		uint32_t mask;
		bool rre, rwe, rae;
		uint32_t rnr;
	} cases[] = {
		{ 0, false, false, false, 1 },	   { OPT_RRE, true, false, false, 1 },
		{ OPT_RWE, true, true, false, 1 }, { OPT_RAE, true, true, true, 1 },
		{ OPT_RNR, true, true, true, 9 },
	};
	uint8_t qpc[232];
	struct rig rig;
	unsigned int i;

	rig_make(state, &rig, HCA_QP_RC);
	partial(&rig, qpc, 0);
	be64_put(qpc, 0xa0, rig.qp.dbr);
	assert_int_equal(fixture_qp_modify(rig.port, &rig.qp, 0x502, 0, qpc), 0);
	fixture_qp_rtr(rig.port, &rig.qp, 1, rig.qp.number);
	fixture_qp_rts(rig.port, &rig.qp);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		partial(&rig, qpc, 0);
		field_put(qpc, 36, 15, 13, 7);
		field_put(qpc, 36, 19, 16, 1);
		field_put(qpc, 37, 28, 24, 9);
		assert_int_equal(fixture_qp_modify(rig.port, &rig.qp, 0x505, cases[i].mask, qpc),
				 0);
		assert_int_equal(model(&rig)->rre, cases[i].rre);
		assert_int_equal(model(&rig)->rwe, cases[i].rwe);
		assert_int_equal(model(&rig)->rae, cases[i].rae);
		assert_int_equal(model(&rig)->min_rnr_nak, cases[i].rnr);
	}
	/* And off again. */
	partial(&rig, qpc, 0);
	assert_int_equal(fixture_qp_modify(rig.port, &rig.qp, 0x505, OPT_RWE, qpc), 0);
	assert_true(model(&rig)->rre && !model(&rig)->rwe && model(&rig)->rae);
}

static void ud_qkey_and_pkey(void **state)
{
	uint8_t qpc[232];
	struct rig rig;

	rig_make(state, &rig, HCA_QP_UD);
	partial(&rig, qpc, 0);
	be32_put(qpc, 42 * 4, 0x1234);
	field_put(qpc, 6, 15, 0, 3);
	assert_int_equal(fixture_qp_modify(rig.port, &rig.qp, 0x502, 0, qpc), 0);
	assert_int_equal(model(&rig)->q_key, 0x1234);
	partial(&rig, qpc, 0);
	be32_put(qpc, 42 * 4, 0x5678);
	field_put(qpc, 6, 15, 0, 4);
	assert_int_equal(fixture_qp_modify(rig.port, &rig.qp, 0x50e, 0, qpc), 0);
	assert_int_equal(model(&rig)->q_key, 0x1234);
	assert_int_equal(field_get(model(&rig)->qpc, 6, 15, 0), 3);
	assert_int_equal(fixture_qp_modify(rig.port, &rig.qp, 0x50e, OPT_QKEY | OPT_PKEY, qpc), 0);
	assert_int_equal(model(&rig)->q_key, 0x5678);
	assert_int_equal(field_get(model(&rig)->qpc, 6, 15, 0), 4);
	assert_int_equal(fixture_qp_state(rig.port, &rig.qp), HCA_QP_INIT);
}

/* The PD of the UMR QP comes with RST2INIT; its transitions carry next to nothing. */
static void umr_qp(void **state)
{
	uint8_t qpc[232];
	struct rig rig;

	rig_make(state, &rig, HCA_QP_REG_UMR);
	assert_int_equal(model(&rig)->pd, 0);
	partial(&rig, qpc, 0);
	field_put(qpc, 1, 23, 0, 0x999);
	assert_int_equal(fixture_qp_modify(rig.port, &rig.qp, 0x502, 0, qpc), HCA_CMD_BAD_RESOURCE);
	assert_int_equal(fixture_qp_state(rig.port, &rig.qp), HCA_QP_RST);
	partial(&rig, qpc, 0);
	assert_int_equal(fixture_qp_modify(rig.port, &rig.qp, 0x502, 0, qpc), 0);
	assert_int_equal(model(&rig)->pd, rig.port->pd);
	assert_int_equal(model(&rig)->rq_wqes, 0);
	assert_int_equal(model(&rig)->sq_offset, 0);
	assert_int_equal(fixture_qp_modify(rig.port, &rig.qp, 0x503, 0, qpc), 0);
	assert_int_equal(fixture_qp_modify(rig.port, &rig.qp, 0x504, 0, qpc), 0);
	assert_int_equal(fixture_qp_state(rig.port, &rig.qp), HCA_QP_RTS);
}

static void wrong_state(void **state)
{
	static const struct {
		uint16_t op;
		enum hca_qp_state from;
	} ops[] = {
		{ 0x502, HCA_QP_RST },	{ 0x503, HCA_QP_INIT }, { 0x504, HCA_QP_RTR },
		{ 0x505, HCA_QP_RTS },	{ 0x506, HCA_QP_SQER }, { 0x50c, HCA_QP_SQD },
		{ 0x50e, HCA_QP_INIT },
	};
	uint8_t qpc[232], before[232];
	struct rig rig;
	unsigned int i, s;

	rig_make(state, &rig, HCA_QP_RC);
	for (s = HCA_QP_RST; s <= HCA_QP_ERR; s++) {
		for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
			if (ops[i].from == s)
				continue;
			model(&rig)->state = s;
			memcpy(before, model(&rig)->qpc, sizeof(before));
			partial(&rig, qpc, 0xff);
			assert_int_equal(
				fixture_qp_modify(rig.port, &rig.qp, ops[i].op, 0xffffffff, qpc),
				HCA_CMD_BAD_QP_STATE);
			assert_int_equal(model(&rig)->state, s);
			assert_memory_equal(model(&rig)->qpc, before, sizeof(before));
		}
	}
}

/* Programs leave the service type out of transitions: it is that of CREATE_QP. */
static void no_service_type(void **state)
{
	static const enum hca_qp_type types[] = {
		HCA_QP_RC, HCA_QP_UC, HCA_QP_UD, HCA_QP_XRC, HCA_QP_DCI,
	};
	static const struct {
		uint16_t op;
		enum hca_qp_state from, to;
	} ops[] = {
		{ 0x502, HCA_QP_RST, HCA_QP_INIT }, { 0x50e, HCA_QP_INIT, HCA_QP_INIT },
		{ 0x503, HCA_QP_INIT, HCA_QP_RTR }, { 0x504, HCA_QP_RTR, HCA_QP_RTS },
		{ 0x505, HCA_QP_RTS, HCA_QP_RTS },  { 0x506, HCA_QP_SQER, HCA_QP_RTS },
		{ 0x50c, HCA_QP_SQD, HCA_QP_RTS },  { 0x507, HCA_QP_RTS, HCA_QP_ERR },
		{ 0x50a, HCA_QP_ERR, HCA_QP_RST },
	};
	uint8_t qpc[232] = { 0 };
	struct rig rig;
	unsigned int t, i;

	for (t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
		if (t) {
			fixture_teardown(state);
			fixture_setup(state);
		}
		rig_make(state, &rig, types[t]);
		for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
			model(&rig)->state = ops[i].from;
			assert_int_equal(fixture_qp_modify(rig.port, &rig.qp, ops[i].op, 0, qpc),
					 0);
			assert_int_equal(model(&rig)->state, ops[i].to);
			assert_int_equal(model(&rig)->type, types[t]);
			query_qp(&rig, qpc);
			assert_int_equal(field_get(qpc, 0, 23, 16), types[t]);
			memset(qpc, 0, sizeof(qpc));
		}
	}
}

static void error_and_reset(void **state)
{
	struct rig rig;

	rig_make(state, &rig, HCA_QP_RC);
	fixture_qp_connect(rig.port, &rig.qp, rig.port, &rig.qp);
	model(&rig)->sq_ci = model(&rig)->sq_pi = 5;
	model(&rig)->rq_ci = 6;
	fixture_simple(rig.port, 0x507, 0, rig.qp.number, 0);
	assert_int_equal(fixture_qp_state(rig.port, &rig.qp), HCA_QP_ERR);
	fixture_simple(rig.port, 0x507, 0, rig.qp.number, 0);
	assert_int_equal(fixture_qp_state(rig.port, &rig.qp), HCA_QP_ERR);
	fixture_simple(rig.port, 0x50a, 0, rig.qp.number, 0);
	assert_int_equal(fixture_qp_state(rig.port, &rig.qp), HCA_QP_RST);
	assert_int_equal(model(&rig)->sq_ci, 0);
	assert_int_equal(model(&rig)->sq_pi, 0);
	assert_int_equal(model(&rig)->rq_ci, 0);
	assert_shape(&rig);
	fixture_qp_connect(rig.port, &rig.qp, rig.port, &rig.qp);
	assert_int_equal(fixture_qp_state(rig.port, &rig.qp), HCA_QP_RTS);
}

/* By the data path: the context says so too, and the event comes once. */
static void error_by_data_path(void **state)
{
	struct fixture_eq async;
	const uint8_t *eqe;
	struct rig rig;

	rig_make(state, &rig, HCA_QP_RC);
	fixture_eq_create(rig.port, 8, 1u << HCA_EVENT_WQ_ACCESS, 0, &async);
	fixture_qp_connect(rig.port, &rig.qp, rig.port, &rig.qp);
	hca_qp_error(model(&rig), HCA_EVENT_WQ_ACCESS);
	hca_qp_error(model(&rig), HCA_EVENT_WQ_ACCESS);
	assert_int_equal(fixture_qp_state(rig.port, &rig.qp), HCA_QP_ERR);
	assert_int_equal(field_get(model(&rig)->qpc, 0, 31, 28), HCA_QP_ERR);
	eqe = fixture_eq_next(rig.port, &async);
	assert_non_null(eqe);
	assert_int_equal(eqe[1], HCA_EVENT_WQ_ACCESS);
	assert_int_equal(be32_at(eqe, 0x38), rig.qp.number);
	assert_null(fixture_eq_next(rig.port, &async));
	fixture_simple(rig.port, 0x50a, 0, rig.qp.number, 0);
	fixture_qp_connect(rig.port, &rig.qp, rig.port, &rig.qp);
	hca_qp_error(model(&rig), 0xff);
	assert_null(fixture_eq_next(rig.port, &async));
}

static void destroyed(void **state)
{
	struct rig rig;
	uint32_t number;

	rig_make(state, &rig, HCA_QP_RC);
	number = rig.qp.number;
	assert_int_equal(fixture_simple_status(rig.port, 0x801, 0, rig.port->pd, 0),
			 HCA_CMD_BAD_RES_STATE);
	fixture_simple(rig.port, 0x501, 0, number, 0);
	assert_null(hca_table_get(&rig.port->hca->qps, number));
	assert_int_equal(fixture_simple_status(rig.port, 0x501, 0, number, 0),
			 HCA_CMD_BAD_RESOURCE);
	assert_int_equal(fixture_simple_status(rig.port, 0x507, 0, number, 0),
			 HCA_CMD_BAD_RESOURCE);
}

/* --- refusals of CREATE_QP ----------------------------------------------------------------------
 */

static void create_refused(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	static const struct {
		uint8_t dw, hi, lo;
		uint32_t value;
		uint8_t status;
	} bad[] = {
		{ 0, 23, 16, 0x55, HCA_CMD_BAD_PARAM },	   /* type */
		{ 0, 23, 16, 6, HCA_CMD_BAD_PARAM },	   /* a DCT has a command of its own */
		{ 1, 23, 0, 0x999, HCA_CMD_BAD_RESOURCE }, /* pd */
		{ 3, 23, 0, 0x999, HCA_CMD_BAD_RESOURCE }, /* uar_page */
		{ 31, 23, 0, 0x99, HCA_CMD_BAD_RESOURCE }, /* cqn_snd */
		{ 39, 23, 0, 0x99, HCA_CMD_BAD_RESOURCE }, /* cqn_rcv */
		{ 43, 26, 24, 1, HCA_CMD_BAD_RESOURCE },   /* SRQ 0 */
		{ 43, 26, 24, 2, HCA_CMD_BAD_PARAM },	   /* rq_type */
		{ 2, 14, 11, 15, HCA_CMD_BAD_INPUT_LEN },  /* more pages than given */
	};
	uint8_t in[0x118] = { 0 }, copy[sizeof(in)], out[16];
	struct fixture_eq eq;
	struct fixture_cq cq;
	unsigned int i;

	fixture_eq_create(port, 8, 0, 1, &eq);
	fixture_cq_create(port, 6, eq.number, &cq);
	be16_put(in, 0, 0x500);
	field_put(in + 0x18, 1, 23, 0, port->pd);
	field_put(in + 0x18, 2, 22, 19, 4);
	field_put(in + 0x18, 2, 18, 16, 2);
	field_put(in + 0x18, 2, 14, 11, 4);
	field_put(in + 0x18, 3, 23, 0, port->uar);
	field_put(in + 0x18, 31, 23, 0, cq.number);
	field_put(in + 0x18, 39, 23, 0, cq.number);
	be64_put(in, 0x110, fixture_alloc(port->fixture, 4096, 4096));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(copy, in, sizeof(copy));
		field_put(copy + 0x18, bad[i].dw, bad[i].hi, bad[i].lo, bad[i].value);
		assert_int_equal(fixture_cmd(port, copy, sizeof(copy), out, 16), bad[i].status);
		assert_int_not_equal(be32_at(out, 4), 0);
		assert_int_equal(port->hca->qps.count, 0);
	}
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, 16), 0);
	assert_int_equal(be32_at(out, 8), 0x40);
	/* A default SRQ number with rq_type 0 is not looked at. */
	field_put(in + 0x18, 43, 23, 0, 0x777);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, 16), 0);
	assert_int_equal(be32_at(out, 8), 0x41);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(created),	   TEST(transitions),	   TEST(garbage_is_not_taken),
		TEST(mask_rules),  TEST(ud_qkey_and_pkey), TEST(umr_qp),
		TEST(wrong_state), TEST(error_and_reset),  TEST(error_by_data_path),
		TEST(destroyed),   TEST(create_refused),   TEST(no_service_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
