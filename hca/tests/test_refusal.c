/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of refusals, row by row: each fault, on each transport that can have it, is provoked,
 * and both sides are asked what they were told. The values expected are written out here, as the
 * InfiniBand Architecture has them and as adapters show them; they are not read from the table.
 */
#include "hca/refusal.h"

#include "hca/cmd.h"
#include "hca/qp.h"
#include "hca/tests/traffic.h"

enum kind { RC, RC_SRQ, UC, UC_SRQ, UD, UD_SRQ, XRC, DC, KINDS };

#define STRIDE 32u
#define KEY    0x1122334455667788u
#define Q_KEY  0x11111111u

/* What a driver sees of a responder. */
static struct {
	enum kind kind;
	struct fixture *fixture;
	struct end a, b;   /* requester; responder, whose QP is not used by DC */
	uint32_t number;   /* of the responder: QP or DCT */
	struct hca_qp *qp; /* the same */
	uint32_t srqn;	   /* 0: receives come from b's own queue */
	uint64_t srq_buf, srq_dbr;
	uint32_t srq_posted, xrcd;
} rig;

static bool is_unreliable(void)
{
	return rig.kind >= UC && rig.kind <= UD_SRQ;
}

static bool is_datagram(void)
{
	return rig.kind == UD || rig.kind == UD_SRQ;
}

static enum hca_qp_type type_of(enum kind kind)
{
	static const enum hca_qp_type types[KINDS] = {
		HCA_QP_RC, HCA_QP_RC, HCA_QP_UC,  HCA_QP_UC,
		HCA_QP_UD, HCA_QP_UD, HCA_QP_XRC, HCA_QP_DCI,
	};

	return types[kind];
}

/* --- the responder ----------------------------------------------------------------------- */

static void srq_create(struct fixture_port *port, uint32_t cqn)
{
	uint8_t in[0x118] = { 0 }, out[16];

	rig.srq_buf = fixture_alloc(rig.fixture, 4096, 4096);
	rig.srq_dbr = fixture_alloc(rig.fixture, 64, 64);
	rig.srq_posted = 0;
	for (uint16_t i = 0; i < 8; i++)
		be16_put(fixture_at(rig.fixture, rig.srq_buf + i * STRIDE), 2,
			 (uint16_t)((i + 1) % 8));
	be16_put(in, 0, 0x700);
	field_put(in + 0x10, 0, 27, 24, 3);
	field_put(in + 0x10, 1, 26, 24, 1);
	field_put(in + 0x10, 1, 23, 0, rig.xrcd);
	field_put(in + 0x10, 2, 23, 0, cqn);
	field_put(in + 0x10, 6, 23, 0, port->pd);
	be64_put(in + 0x10, 0x28, rig.srq_dbr);
	be64_put(in, 0x110, rig.srq_buf);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	rig.srqn = be32_at(out, 8) & 0xffffff;
}

static void dct_create(struct fixture_port *port, uint32_t cqn)
{
	uint8_t in[0x50] = { 0 }, out[16];

	be16_put(in, 0, 0x710);
	field_put(in + 0x10, 2, 23, 0, cqn);
	field_put(in + 0x10, 3, 23, 20, 1);
	field_put(in + 0x10, 3, 19, 17, 7);
	field_put(in + 0x10, 5, 23, 0, rig.srqn);
	field_put(in + 0x10, 6, 23, 0, port->pd);
	be64_put(in + 0x10, 0x20, KEY);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	rig.number = be32_at(out, 8) & 0xffffff;
}

/* A QP without a send queue, as XRC targets have it; its own SRQ is not that of the requests. */
static void xrc_target(struct fixture_port *port, struct fixture_qp *target)
{
	struct fixture_qp_attr attr = { .type = HCA_QP_XRC, .srqn = rig.srqn };
	struct fixture_cq cq;

	fixture_cq_create(port, 4, rig.b.comp.number, &cq);
	attr.cqn_snd = attr.cqn_rcv = cq.number;
	fixture_qp_create(port, &attr, target);
	rig.number = target->number;
	rig.qp = hca_table_get(&port->hca->qps, rig.number);
	field_put(rig.qp->qpc, QPC_XRCD, rig.xrcd);
}

static void qp_create(struct end *end, uint32_t srqn)
{
	struct fixture_qp_attr attr = { .type = type_of(rig.kind),
					.rq_wqes = srqn ? 0 : 16,
					.rq_stride = 64,
					.sq_wqebbs = 64,
					.srqn = srqn,
					.cqn_snd = end->scq.number,
					.cqn_rcv = end->rcq.number };

	fixture_qp_create(end->port, &attr, &end->qp);
}

static void connect_ends(void)
{
	struct fixture_port *port = rig.b.port;
	struct fixture_qp target;

	switch (rig.kind) {
	case DC:
		dct_create(port, rig.b.rcq.number);
		rig.qp = hca_table_get(&port->hca->qps, rig.number);
		fixture_qp_init(rig.a.port, &rig.a.qp);
		fixture_qp_rtr(rig.a.port, &rig.a.qp, 0, 0);
		fixture_qp_rts(rig.a.port, &rig.a.qp);
		return;
	case XRC:
		xrc_target(port, &target);
		fixture_qp_connect(rig.a.port, &rig.a.qp, port, &target);
		field_put(rig.qp->qpc, 36, 19, 13, 0xf);
		hca_qp_decode(rig.qp);
		return;
	default:
		fixture_qp_connect(rig.a.port, &rig.a.qp, port, &rig.b.qp);
		rig.number = rig.b.qp.number;
		rig.qp = hca_table_get(&port->hca->qps, rig.number);
	}
}

/* ENABLE_HCA ends all that was, so one host is enough for all cases: its memory is cleared. */
static void start_again(struct fixture *f)
{
	static uint64_t brk;

	if (!brk)
		brk = f->brk;
	memset(f->memory + brk, 0, f->brk - brk);
	f->brk = brk;
	f->hole_size = 0;
	for (unsigned int i = 0; i < FIXTURE_HCAS; i++)
		fixture_probe(&f->port[i]);
}

static void make(struct fixture *f, enum kind kind)
{
	struct fixture_port *port = &f->port[1];

	start_again(f);
	memset(&rig, 0, sizeof(rig));
	rig.kind = kind;
	rig.fixture = f;
	end_create(&rig.a, &rig.fixture->port[0], type_of(kind), 0);
	end_create(&rig.b, port, HCA_QP_RC, 0);
	if (kind == XRC)
		rig.xrcd = fixture_simple(port, 0x80e, 0, 0, 0);
	if (kind == RC_SRQ || kind == UC_SRQ || kind == UD_SRQ || kind >= XRC)
		srq_create(port, rig.b.rcq.number);
	if (kind < XRC)
		qp_create(&rig.b, rig.srqn);
	connect_ends();
	memset(at(&rig.b, 0), 0xff, END_BUF);
}

static void receive(uint64_t addr, uint32_t lkey, uint32_t len)
{
	uint8_t *wqe;

	if (!rig.srqn) {
		post_recv(&rig.b, addr, lkey, len);
		return;
	}
	wqe = fixture_at(rig.fixture, rig.srq_buf + rig.srq_posted % 8 * STRIDE);
	fixture_data(wqe + 16, addr, lkey, len);
	be32_put(fixture_at(rig.fixture, rig.srq_dbr), 0, ++rig.srq_posted);
}

/* --- the requester ----------------------------------------------------------------------- */

struct request {
	uint8_t opcode;
	uint32_t imm;
	uint64_t raddr;
	uint32_t rkey;
	uint32_t lkey, len;
	uint32_t srqn;
	uint64_t dc_key;
};

/* A good one of @opcode. */
static struct request request_of(uint8_t opcode)
{
	bool atomic = opcode == HCA_OP_ATOMIC_CS || opcode == HCA_OP_ATOMIC_FA;

	return (struct request){ .opcode = opcode,
				 .raddr = rig.b.buf,
				 .rkey = rig.b.lkey,
				 .lkey = rig.a.lkey,
				 .len = atomic ? 8 : 100,
				 .srqn = rig.srqn,
				 .dc_key = KEY };
}

static void send(const struct request *r)
{
	bool atomic = r->opcode == HCA_OP_ATOMIC_CS || r->opcode == HCA_OP_ATOMIC_FA;
	uint8_t wqe[128] = { 0 }, *p = wqe + 16;

	fixture_ctrl(wqe, r->opcode, SIGNALLED, r->imm);
	if (rig.kind == XRC) {
		be32_put(p, 0, r->srqn);
		p += 16;
	} else if (rig.kind == DC || is_datagram()) {
		if (rig.kind == DC)
			be64_put(p, 0, r->dc_key);
		else
			be32_put(p, 0, Q_KEY);
		be32_put(p, 8, rig.number);
		be16_put(p, 14, 2);
		p += 48;
	}
	if (r->opcode == HCA_OP_WRITE || r->opcode == HCA_OP_WRITE_IMM ||
	    r->opcode == HCA_OP_READ || atomic) {
		fixture_raddr(p, r->raddr, r->rkey);
		p += atomic ? 32 : 16;
	}
	fixture_data(p, rig.a.buf, r->lkey, r->len);
	fixture_post_send(rig.a.port, &rig.a.qp, wqe, (size_t)(p + 16 - wqe));
	fixture_poll(rig.fixture);
}

static bool send_rdma(uint8_t opcode, uint32_t rkey, uint64_t raddr)
{
	struct request r = request_of(opcode);

	if (is_datagram() || (rig.kind <= UC_SRQ && rig.kind >= UC && opcode != HCA_OP_WRITE &&
			      opcode != HCA_OP_WRITE_IMM))
		return false;
	r.rkey = rkey;
	r.raddr = raddr;
	send(&r);
	return true;
}

/* --- faults ------------------------------------------------------------------------------ */

/*
 * Each provokes its fault in the way @variant, counted from 0, and says DONE, or NOT_HERE: the
 * transport has no such thing, or LAST: there are no more ways.
 */
enum outcome { DONE, NOT_HERE, LAST };

static const uint8_t rdma[] = { HCA_OP_WRITE, HCA_OP_WRITE_IMM, HCA_OP_READ, HCA_OP_ATOMIC_CS,
				HCA_OP_ATOMIC_FA };

/* A right is missing, or it is there, but no atomic_mode. */
static enum outcome rights(unsigned int variant)
{
	static const uint32_t bit[] = { 14, 14, 15, 13, 13 };
	unsigned int op = variant < 5 ? variant : variant - 2;
	bool mode = variant >= 5;

	if (variant == 7)
		return LAST;
	/* As INIT2RTR or CREATE_DCT would have it. */
	if (rig.kind == DC) {
		rig.qp->rwe &= bit[op] != 14;
		rig.qp->rre &= bit[op] != 15;
		rig.qp->rae &= bit[op] != 13;
	} else {
		field_put(rig.qp->qpc, 36, mode ? 19 : bit[op], mode ? 16 : bit[op], 0);
		hca_qp_decode(rig.qp);
	}
	return send_rdma(rdma[op], rig.b.lkey, rig.b.buf) ? DONE : NOT_HERE;
}

static enum outcome misaligned(unsigned int variant)
{
	if (variant == 16)
		return LAST;
	if (variant % 8 == 0)
		return NOT_HERE;
	return send_rdma(variant < 8 ? HCA_OP_ATOMIC_CS : HCA_OP_ATOMIC_FA, rig.b.lkey,
			 rig.b.buf + variant % 8)
		       ? DONE
		       : NOT_HERE;
}

/* More than one packet, and the ends differ in what a full one is, either way. */
static enum outcome path_mtu(unsigned int variant)
{
	static const uint8_t opcode[] = { HCA_OP_SEND, HCA_OP_WRITE, HCA_OP_WRITE_IMM };
	struct request r = request_of(opcode[variant % 3]);
	struct hca_qp *requester;

	if (variant == 6)
		return LAST;
	if (is_datagram() || rig.kind == DC)
		return NOT_HERE;
	requester = hca_table_get(&rig.a.port->hca->qps, rig.a.qp.number);
	field_put(requester->qpc, QPC_MTU, variant < 3 ? 3 : 5);
	field_put(rig.qp->qpc, QPC_MTU, variant < 3 ? 5 : 3);
	r.rkey = rig.b.lkey;
	r.raddr = rig.b.buf;
	r.len = 1025;
	receive(rig.b.buf + 8192, rig.b.lkey, 4096);
	send(&r);
	return DONE;
}

/* Wrong key byte, no such key, range, domain, right; for each operation. */
static enum outcome key(unsigned int variant)
{
	static const uint32_t right[] = { FIXTURE_REMOTE_WRITE, FIXTURE_REMOTE_WRITE,
					  FIXTURE_REMOTE_READ, FIXTURE_REMOTE_ATOMIC,
					  FIXTURE_REMOTE_ATOMIC };
	struct fixture_mkey_attr attr = { .access = FIXTURE_ALL, .start = rig.b.buf, .len = 4096 };
	unsigned int op = variant % 5;
	uint64_t addr = rig.b.buf;
	uint32_t rkey = rig.b.lkey;

	switch (variant / 5) {
	case 0:
		rkey ^= 1;
		break;
	case 1:
		rkey = 0x123456 << 8;
		break;
	case 2:
		addr = rig.b.buf + END_BUF - (op < 3 ? 99 : 0);
		break;
	case 3:
		attr.pd = fixture_simple(rig.b.port, 0x800, 0, 0, 0);
		rkey = fixture_mkey_create(rig.b.port, &attr);
		break;
	case 4:
		attr.access &= ~right[op];
		rkey = fixture_mkey_create(rig.b.port, &attr);
		break;
	default:
		return LAST;
	}
	if (op > 2)
		addr &= ~(uint64_t)7;
	return send_rdma(rdma[op], rkey, addr) ? DONE : NOT_HERE;
}

static enum outcome bus(unsigned int variant)
{
	if (variant == 5)
		return LAST;
	rig.fixture->hole = rig.b.buf;
	rig.fixture->hole_size = 4096;
	/* Its receive would be taken first, and then be flushed. */
	if (rdma[variant] == HCA_OP_WRITE_IMM)
		return NOT_HERE;
	return send_rdma(rdma[variant], rig.b.lkey, rig.b.buf) ? DONE : NOT_HERE;
}

/* No such SRQ, one of another domain, and the side that sends. */
static enum outcome xrc_srq(unsigned int variant)
{
	struct request r = request_of(HCA_OP_SEND);

	if (variant == 3)
		return LAST;
	if (rig.kind != XRC)
		return NOT_HERE;
	receive(rig.b.buf, rig.b.lkey, 100);
	if (variant == 0)
		r.srqn += 5;
	else if (variant == 1)
		field_put(rig.qp->qpc, QPC_XRCD, rig.xrcd + 1);
	else
		rig.qp->no_sq = false;
	send(&r);
	return DONE;
}

static uint32_t violations(void)
{
	uint8_t in[16] = { 0 }, out[0x50];

	be16_put(in, 0, 0x713);
	be32_put(in, 8, rig.number);
	assert_int_equal(fixture_cmd(rig.b.port, in, sizeof(in), out, sizeof(out)), 0);
	return be32_at(out, 0x10 + 0x30);
}

static enum outcome dc_key(unsigned int variant)
{
	struct request r = request_of(variant ? HCA_OP_WRITE : HCA_OP_SEND);

	if (variant == 2)
		return LAST;
	if (rig.kind != DC)
		return NOT_HERE;
	receive(rig.b.buf, rig.b.lkey, 100);
	r.dc_key++;
	assert_int_equal(violations(), 0);
	send(&r);
	assert_int_equal(violations(), 1);
	return DONE;
}

static enum outcome recv_queue(unsigned int variant)
{
	struct request r = request_of(HCA_OP_SEND);

	if (variant == 2)
		return LAST;
	receive(rig.b.buf, rig.b.lkey, 200);
	if (variant == 0) {
		rig.fixture->hole = rig.srqn ? rig.srq_buf : rig.b.qp.buf;
		rig.fixture->hole_size = 4096;
	} else {
		/* More receives than the queue has room for. */
		be32_put(fixture_at(rig.fixture, rig.srqn ? rig.srq_dbr : rig.b.qp.dbr), 0, 17);
	}
	send(&r);
	rig.fixture->hole_size = 0;
	return DONE;
}

static enum outcome recv_length(unsigned int variant)
{
	struct request r = request_of(variant ? HCA_OP_SEND_IMM : HCA_OP_SEND);

	if (variant == 2)
		return LAST;
	receive(rig.b.buf, rig.b.lkey, is_datagram() ? 139 : 99);
	send(&r);
	return DONE;
}

/* Wrong key, no right to write, no memory. */
static enum outcome recv_local(unsigned int variant)
{
	struct fixture_mkey_attr attr = { .access = FIXTURE_LOCAL_READ,
					  .start = rig.b.buf,
					  .len = 4096 };
	struct request r = request_of(HCA_OP_SEND);

	switch (variant) {
	case 0:
		receive(rig.b.buf, rig.b.lkey ^ 1, 200);
		break;
	case 1:
		receive(rig.b.buf, fixture_mkey_create(rig.b.port, &attr), 200);
		break;
	case 2:
		receive(rig.b.buf, rig.b.lkey, 200);
		rig.fixture->hole = rig.b.buf;
		rig.fixture->hole_size = 4096;
		break;
	default:
		return LAST;
	}
	send(&r);
	rig.fixture->hole_size = 0;
	return DONE;
}

static enum outcome invalidate(unsigned int variant)
{
	struct request r = request_of(HCA_OP_SEND_INV);

	if (variant == 2)
		return LAST;
	if (is_unreliable())
		return NOT_HERE;
	/* The key is live, but nobody said that it may be invalidated; and there is no such key. */
	r.imm = variant ? 0x123456 << 8 : rig.b.lkey;
	receive(rig.b.buf + 8192, rig.b.lkey, 200);
	send(&r);
	memset(at(&rig.b, 8192), 0xff, 200);
	return DONE;
}

/* What none of this model's requesters sends: transport/tests/ have it. */
static enum outcome foreign(unsigned int variant)
{
	(void)variant;
	return LAST;
}

static const struct {
	enum outcome (*provoke)(unsigned int variant);
	uint8_t syndrome, vendor; /* of the requester's CQE */
	uint8_t receive;	  /* syndrome of the receive's CQE, 0: none */
	int event;		  /* of the responder, -1: none */
	bool own; /* the responder's own trouble, which an unreliable one has, too */
} expected[TRANSPORT_REFUSALS] = {
	[TRANSPORT_REFUSE_SEQUENCE] = { foreign, 0x12, 0x8a, 0, 0x10, false },
	[TRANSPORT_REFUSE_RESOURCES] = { foreign, 0x12, 0x8a, 0, 0x10, false },
	[TRANSPORT_REFUSE_RIGHTS] = { rights, 0x12, 0x8a, 0, 0x10, false },
	[TRANSPORT_REFUSE_MISALIGNED] = { misaligned, 0x12, 0x8a, 0, 0x10, false },
	[TRANSPORT_REFUSE_KEY] = { key, 0x13, 0x88, 0, 0x11, false },
	[TRANSPORT_REFUSE_BUS] = { bus, 0x14, 0x89, 0, 0x05, true },
	[TRANSPORT_REFUSE_XRC_SRQ] = { xrc_srq, 0x12, 0x8a, 0, 0x10, false },
	[TRANSPORT_REFUSE_LENGTH] = { path_mtu, 0x12, 0x8a, 0, 0x10, false },
	[TRANSPORT_REFUSE_DC_KEY] = { dc_key, 0x13, 0x88, 0, -1, false },
	[TRANSPORT_REFUSE_RECV_QUEUE] = { recv_queue, 0x14, 0x89, 0, 0x05, true },
	[TRANSPORT_REFUSE_RECV_LENGTH] = { recv_length, 0x12, 0x8a, 0x01, -1, true },
	[TRANSPORT_REFUSE_RECV_LOCAL] = { recv_local, 0x14, 0x89, 0x04, -1, true },
	[TRANSPORT_REFUSE_INVALIDATE] = { invalidate, 0x14, 0x89, 0x04, -1, true },
};

/* --- what both are told ------------------------------------------------------------------- */

static void expect_requester(uint8_t syndrome, uint8_t vendor)
{
	const uint8_t *cqe = fixture_cq_next(rig.a.port, &rig.a.scq);

	assert_non_null(cqe);
	if (is_unreliable()) {
		assert_int_equal(cqe_opcode(cqe), HCA_CQE_REQ);
		assert_int_equal(fixture_qp_state(rig.a.port, &rig.a.qp), HCA_QP_RTS);
	} else {
		assert_int_equal(cqe_opcode(cqe), HCA_CQE_REQ_ERR);
		assert_int_equal(cqe[0x37], syndrome);
		assert_int_equal(cqe[0x36], vendor);
		assert_int_equal(fixture_qp_state(rig.a.port, &rig.a.qp), HCA_QP_ERR);
		/* What was behind it is flushed. */
		post_send(&rig.a, HCA_OP_NOP, 0, 0, 0, 0, 0);
		fixture_poll(rig.fixture);
		cqe = fixture_cq_next(rig.a.port, &rig.a.scq);
		assert_non_null(cqe);
		assert_int_equal(cqe[0x37], 0x05);
		assert_int_equal(cqe[0x36], 0xf9);
	}
	assert_null(fixture_cq_next(rig.a.port, &rig.a.scq));
	assert_int_equal(next_event(&rig.a, NULL), -1);
}

/* The responder's events, in any order, each at most once: a bit per type. */
static uint64_t events(void)
{
	uint64_t seen = 0;
	uint32_t number;
	int type;

	while ((type = next_event(&rig.b, &number)) >= 0) {
		if (type == HCA_EVENT_COMM_EST)
			continue;
		assert_false(seen >> type & 1);
		assert_int_equal(number, type == HCA_EVENT_SRQ_CATAS ? rig.srqn : rig.number);
		seen |= (uint64_t)1 << type;
	}
	return seen;
}

static void expect_responder(enum transport_refusal why)
{
	bool broken = rig.kind != DC && (!is_unreliable() || expected[why].own);
	const uint8_t *cqe = fixture_cq_next(rig.b.port, &rig.b.rcq);
	uint64_t want = 0;
	size_t i;

	if (expected[why].receive) {
		assert_non_null(cqe);
		assert_int_equal(cqe_opcode(cqe), HCA_CQE_RESP_ERR);
		assert_int_equal(cqe[0x37], expected[why].receive);
		assert_int_equal(cqe[0x36], 0);
		assert_int_equal(be32_at(cqe, 0x38) & 0xffffff, rig.number);
	} else if (cqe) {
		/* One that it did not take. */
		assert_int_equal(cqe[0x37], 0x05);
		assert_int_equal(cqe[0x36], 0xf9);
	}
	assert_int_equal(rig.qp->state, broken		 ? HCA_QP_ERR
					: rig.kind == DC ? HCA_QP_RTR
							 : HCA_QP_RTS);
	if (broken && expected[why].event >= 0)
		want |= (uint64_t)1 << expected[why].event;
	if (broken && rig.srqn && rig.kind != XRC)
		want |= (uint64_t)1 << HCA_EVENT_SRQ_LAST_WQE;
	if (why == TRANSPORT_REFUSE_RECV_QUEUE && rig.srqn)
		want |= (uint64_t)1 << HCA_EVENT_SRQ_CATAS;
	assert_int_equal(events(), want);
	for (i = 0; i < 16384 && *at(&rig.b, i) == 0xff; i++)
		;
	assert_int_equal(i, 16384);
}

struct row {
	enum transport_refusal why;
	struct fixture *fixture;
};

static void test_row(void **state)
{
	struct row *row = *state;
	enum transport_refusal why = row->why;
	unsigned int variant, done = 0;
	enum outcome outcome;

	assert_non_null(expected[why].provoke);
	assert_int_equal(hca_nak_syndrome(transport_nak(why)), expected[why].syndrome);
	assert_int_equal(hca_refusal(why)->receive, expected[why].receive);
	assert_int_equal(hca_refusal(why)->event,
			 expected[why].event < 0 ? HCA_NO_EVENT : expected[why].event);
	for (enum kind kind = RC; kind < KINDS; kind++) {
		for (variant = 0, outcome = DONE; outcome != LAST; variant++) {
			make(row->fixture, kind);
			outcome = expected[why].provoke(variant);
			if (outcome == DONE) {
				expect_requester(expected[why].syndrome, expected[why].vendor);
				expect_responder(why);
				done++;
			}
		}
	}
	assert_true(done || expected[why].provoke == foreign);
}

/* With nothing wrong all of it succeeds: what the rows refuse, they refuse for their reason. */
static void test_nothing_wrong(void **state)
{
	static const uint8_t sends[] = { HCA_OP_SEND, HCA_OP_SEND_IMM };
	unsigned int i;

	for (enum kind kind = RC; kind < KINDS; kind++) {
		unsigned int done = 0;

		make(*state, kind);
		for (i = 0; i < 5; i++) {
			receive(rig.b.buf, rig.b.lkey, 200);
			done += send_rdma(rdma[i], rig.b.lkey, rig.b.buf);
		}
		for (i = 0; i < 2; i++) {
			struct request r = request_of(sends[i]);

			receive(rig.b.buf, rig.b.lkey, 200);
			send(&r);
			done++;
		}
		assert_int_equal(done, is_datagram() ? 2 : is_unreliable() ? 4 : 7);
		for (i = 0; i < done; i++) {
			const uint8_t *cqe = fixture_cq_next(rig.a.port, &rig.a.scq);

			assert_non_null(cqe);
			assert_int_equal(cqe_opcode(cqe), HCA_CQE_REQ);
		}
		assert_int_equal(events(), 0);
		assert_int_equal(rig.qp->state, kind == DC ? HCA_QP_RTR : HCA_QP_RTS);
	}
}

/* --- the requester's own faults ----------------------------------------------------------- */

/* What fails before anything is sent: longer than 2^12, a bad lkey, a bad opcode. */
static void test_local(void **state)
{
	static const uint8_t syndromes[] = { 0x01, 0x04, 0x02 };
	unsigned int i;

	for (enum kind kind = RC; kind < KINDS; kind++) {
		for (i = 0; i < 3; i++) {
			struct request r;
			const uint8_t *cqe;

			make(*state, kind);
			r = request_of(i == 2 ? 0x3e : HCA_OP_SEND);
			if (i == 0)
				r.len = 4097;
			if (i == 1)
				r.lkey ^= 1;
			field_put(((struct hca_qp *)hca_table_get(&rig.a.port->hca->qps,
								  rig.a.qp.number))
					  ->qpc,
				  2, 28, 24, 12);
			send(&r);
			cqe = fixture_cq_next(rig.a.port, &rig.a.scq);
			assert_non_null(cqe);
			assert_int_equal(cqe_opcode(cqe), HCA_CQE_REQ_ERR);
			assert_int_equal(cqe[0x37], syndromes[i]);
			assert_int_equal(cqe[0x36], 0);
			assert_int_equal(fixture_qp_state(rig.a.port, &rig.a.qp),
					 is_unreliable() ? HCA_QP_SQER : HCA_QP_ERR);
			assert_int_equal(next_event(&rig.a, NULL), -1);
			assert_int_equal(events(), 0);
			assert_int_equal(rig.qp->state, kind == DC ? HCA_QP_RTR : HCA_QP_RTS);
		}
	}
}

/* The special QPs are unreliable datagrams as well: their sender comes back by SQERR2RTS. */
static void test_special(void **state)
{
	static const enum hca_qp_type types[] = { HCA_QP_SMI, HCA_QP_GSI };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		uint8_t wqe[80] = { 0 }, qpc[232] = { 0 };
		struct end end;

		start_again(*state);
		end_create(&end, &((struct fixture *)*state)->port[0], types[i], 0);
		fixture_qp_init(end.port, &end.qp);
		fixture_qp_rtr(end.port, &end.qp, 0, 0);
		fixture_qp_rts(end.port, &end.qp);
		fixture_ctrl(wqe, HCA_OP_SEND, SIGNALLED, 0);
		fixture_data(wqe + 64, end.buf, end.lkey ^ 1, 100);
		fixture_post_send(end.port, &end.qp, wqe, sizeof(wqe));
		fixture_poll(*state);
		expect_error(&end, 0, 0x04);
		assert_int_equal(fixture_qp_state(end.port, &end.qp), HCA_QP_SQER);
		assert_int_equal(fixture_qp_modify(end.port, &end.qp, 0x506, 0, qpc), 0);
		assert_int_equal(fixture_qp_state(end.port, &end.qp), HCA_QP_RTS);
	}
}

/* Nobody answers, and nobody ever has a receive: retries end. On UC and UD nobody waits. */
static void test_retries(void **state)
{
	static const struct {
		uint8_t syndrome, vendor;
	} want[] = { { 0x15, 0x81 }, { 0x16, 0x87 } };
	unsigned int i;

	for (enum kind kind = RC; kind < KINDS; kind++) {
		for (i = 0; i < 2; i++) {
			struct request r;
			struct hca_qp *qp;

			make(*state, kind);
			r = request_of(HCA_OP_SEND);
			qp = hca_table_get(&rig.a.port->hca->qps, rig.a.qp.number);
			qp->retry_count = 1;
			qp->rnr_retry = 1;
			rig.qp->min_rnr_nak = 1;
			if (i == 0)
				rig.qp->state = HCA_QP_RST;
			send(&r);
			poll_until(&rig.a, &rig.a.scq, 1000);
			expect_requester(want[i].syndrome, want[i].vendor);
			assert_int_equal(events(), 0);
		}
	}
}

/* What is not publicly known of adapters stays 0. */
static void test_vendor_bytes(void **state)
{
	static const uint8_t known[][2] = {
		{ 0x05, 0xf9 }, { 0x12, 0x8a }, { 0x13, 0x88 },
		{ 0x14, 0x89 }, { 0x15, 0x81 }, { 0x16, 0x87 },
	};
	unsigned int syndrome, i;

	(void)state;
	for (syndrome = 0; syndrome < 256; syndrome++) {
		uint8_t want = 0;

		for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (known[i][0] == syndrome)
				want = known[i][1];
		assert_int_equal(hca_vendor_byte((uint8_t)syndrome), want);
	}
}

int main(void)
{
	struct fixture *fixture = fixture_new();
	struct row row[TRANSPORT_REFUSALS];
	struct CMUnitTest rows[TRANSPORT_REFUSALS];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(test_nothing_wrong, fixture),
		cmocka_unit_test_prestate(test_local, fixture),
		cmocka_unit_test_prestate(test_special, fixture),
		cmocka_unit_test_prestate(test_retries, fixture),
		cmocka_unit_test(test_vendor_bytes),
	};
	int failed;

	for (enum transport_refusal i = 0; i < TRANSPORT_REFUSALS; i++) {
		row[i] = (struct row){ i, fixture };
		rows[i] = (struct CMUnitTest){ transport_refusal_name(i), test_row, NULL, NULL,
					       &row[i] };
	}
	failed = cmocka_run_group_tests_name("refusals", rows, NULL, NULL);
	failed += cmocka_run_group_tests_name("requester", tests, NULL, NULL);
	fixture_free(fixture);
	return failed;
}
