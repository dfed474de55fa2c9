/* SPDX-License-Identifier: GPL-2.0-only */
#include "fuzz/queues.h"

#include "hca/cmd.h"

#define LOG_ENTRIES 6u
#define RQ_WQES	    8u
#define SQ_WQEBBS   32u

/* A CREATE command with its page list. */
static uint32_t create(struct world_port *port, uint16_t op, const uint8_t *context, size_t at,
		       size_t len, uint64_t mask, uint64_t buf, size_t bytes)
{
	uint8_t in[0x110 + 8 * 8] = { 0 };
	uint32_t pages = (uint32_t)((bytes + 4095) / 4096);

	if (!buf || pages > 8)
		world_broken("no memory for a queue");
	be16_put(in, 0, op);
	memcpy(in + at, context, len);
	if (op == 0x301)
		be64_put(in, 0x58, mask);
	for (uint32_t i = 0; i < pages; i++)
		be64_put(in, 0x110 + 8 * (size_t)i, buf + 4096 * (uint64_t)i);
	return world_must(port, in, 0x110 + 8 * pages);
}

uint32_t queue_eq(struct world_port *port, uint64_t mask, unsigned int vector)
{
	uint8_t eqc[64] = { 0 };

	field_put(eqc, 3, 28, 24, LOG_ENTRIES);
	field_put(eqc, 3, 23, 0, port->kernel_uar);
	field_put(eqc, 5, 11, 0, vector);
	return create(port, 0x301, eqc, 0x10, sizeof(eqc), mask,
		      world_alloc(port->world, 64 << LOG_ENTRIES, 4096), 64 << LOG_ENTRIES) &
	       0xff;
}

uint32_t queue_cq(struct world_port *port, uint32_t eqn)
{
	uint64_t buf = world_alloc(port->world, 64 << LOG_ENTRIES, 4096);
	uint8_t cqc[64] = { 0 };

	field_put(cqc, 0, 17, 17, 1); /* oi */
	field_put(cqc, 3, 28, 24, LOG_ENTRIES);
	field_put(cqc, 3, 23, 0, port->uar);
	field_put(cqc, 5, 7, 0, eqn);
	be64_put(cqc, 0x38, world_alloc(port->world, 64, 64));
	return create(port, 0x400, cqc, 0x10, sizeof(cqc), 0, buf, 64 << LOG_ENTRIES);
}

uint32_t queue_srq(struct world_port *port, uint32_t pd, uint32_t cqn, uint64_t *buf, uint64_t *dbr)
{
	uint8_t srqc[64] = { 0 };
	uint8_t *wqes;

	*buf = world_alloc(port->world, 16 * QUEUE_STRIDE, 4096);
	*dbr = world_alloc(port->world, 64, 64);
	wqes = world_at(port->world, *buf, 16 * QUEUE_STRIDE);
	for (unsigned int i = 0; wqes && i < 16; i++)
		be16_put(wqes, i * QUEUE_STRIDE + 2, (uint16_t)((i + 1) & 15));
	field_put(srqc, 0, 27, 24, 4);
	field_put(srqc, 1, 26, 24, 2);
	field_put(srqc, 2, 23, 0, cqn);
	field_put(srqc, 6, 23, 0, pd);
	be64_put(srqc, 0x28, *dbr);
	return create(port, 0x700, srqc, 0x10, sizeof(srqc), 0, *buf, 16 * QUEUE_STRIDE);
}

void queue_qp(struct queue_qp *qp)
{
	struct world_port *port = qp->port;
	uint8_t qpc[232] = { 0 };
	size_t rq, bytes;

	qp->rq_wqes =
		qp->srqn || qp->type == HCA_QP_REG_UMR || qp->type == HCA_QP_DCI ? 0 : RQ_WQES;
	qp->sq_wqebbs = SQ_WQEBBS;
	rq = qp->rq_wqes * QUEUE_STRIDE;
	bytes = rq + 64 * SQ_WQEBBS;
	qp->buf = world_alloc(port->world, bytes, 4096);
	qp->sq_buf = qp->buf + rq;
	qp->dbr = world_alloc(port->world, 64, 64);
	field_put(qpc, 0, 23, 16, qp->type);
	field_put(qpc, 0, 12, 11, 3);
	field_put(qpc, 1, 23, 0, qp->pd);
	if (qp->rq_wqes) {
		field_put(qpc, 2, 22, 19, 3);
		field_put(qpc, 2, 18, 16, 2);
	}
	field_put(qpc, 2, 14, 11, 5);
	field_put(qpc, 3, 23, 0, port->uar);
	field_put(qpc, 28, 11, 11, qp->fre);
	if (qp->type == HCA_QP_DCI) { /* streams */
		field_put(qpc, 31, 28, 24, 3);
		field_put(qpc, 32, 28, 24, 2);
	}
	field_put(qpc, 31, 23, 0, qp->cqn);
	field_put(qpc, 39, 23, 0, qp->cqn);
	be64_put(qpc, 0xa0, qp->dbr);
	field_put(qpc, 43, 26, 24, qp->srqn ? 1 : qp->rq_wqes ? 0 : 3);
	field_put(qpc, 43, 23, 0, qp->srqn);
	qp->number = create(port, 0x500, qpc, 0x18, sizeof(qpc), 0, qp->buf, bytes);
}

static bool modify(struct queue_qp *qp, uint16_t op, const uint8_t qpc[232])
{
	uint8_t in[0x110] = { 0 };

	be16_put(in, 0, op);
	be32_put(in, 8, qp->number);
	memcpy(in + 0x18, qpc, 232);
	return world_cmd(qp->port, in, sizeof(in), NULL, 16) == 0;
}

static bool to_rts(struct queue_qp *qp)
{
	uint8_t qpc[232] = { 0 };

	field_put(qpc, 0, 23, 16, qp->type);
	field_put(qpc, 0, 12, 11, 3);
	field_put(qpc, 1, 23, 0, qp->pd);
	field_put(qpc, 15, 23, 16, 1);
	field_put(qpc, 36, 15, 13, 7); /* all remote rights */
	field_put(qpc, 36, 19, 16, 1); /* atomic_mode */
	be32_put(qpc, 42 * 4, 0x11111111);
	if (!modify(qp, 0x502, qpc))
		return false;
	field_put(qpc, 2, 31, 29, 5);
	field_put(qpc, 2, 28, 24, 30);
	field_put(qpc, 5, 23, 0, qp->remote);
	field_put(qpc, 7, 15, 0, qp->rlid);
	if (qp->rgid)
		memcpy(qpc + 40, qp->rgid, 16);
	field_put(qpc, 37, 28, 24, 1); /* RNR timer 10 us */
	if (!modify(qp, 0x503, qpc))
		return false;
	field_put(qpc, 8, 31, 27, 1); /* acknowledge timer 8 us */
	field_put(qpc, 28, 18, 16, 1);
	field_put(qpc, 28, 15, 13, 1);
	return modify(qp, 0x504, qpc);
}

bool queue_try_connect(struct queue_qp *qp, const struct queue_qp *peer)
{
	qp->remote = peer->number;
	qp->rlid = peer->port->hca->params.lid;
	qp->rgid = peer->gid;
	return to_rts(qp);
}

void queue_connect(struct queue_qp *qp, const struct queue_qp *peer)
{
	if (!queue_try_connect(qp, peer))
		world_broken("QP %u cannot be connected", qp->number);
}

enum hca_qp_state queue_state(const struct queue_qp *qp)
{
	const struct hca_qp *model = hca_table_get(&qp->port->hca->qps, qp->number);

	return model ? model->state : HCA_QP_RST;
}

void queue_revive(struct queue_qp *qp)
{
	static const uint8_t nothing[232];
	uint8_t *dbr = world_at(qp->port->world, qp->dbr, 8);

	memset(dbr, 0, 8);
	qp->sq_pi = qp->rq_pi = 0;
	if (!modify(qp, 0x50a, nothing) || !to_rts(qp))
		world_broken("QP %u cannot be connected again", qp->number);
}

void queue_ring(const struct queue_qp *qp)
{
	uint32_t page = qp->port->uar - HCA_UAR_FIRST;

	be64_put((uint8_t *)qp->port->hca->uar_memory + (uint64_t)page * HCA_UAR_PAGE, HCA_UAR_SQ,
		 (uint64_t)qp->sq_pi << 40 | (uint64_t)qp->number << 8);
}

void queue_send(struct queue_qp *qp, uint8_t *wqe, size_t len)
{
	struct world *w = qp->port->world;
	uint8_t *dbr = world_at(w, qp->dbr, 8);

	field_put(wqe, 0, 23, 8, qp->sq_pi);
	field_put(wqe, 1, 31, 8, qp->number);
	field_put(wqe, 1, 5, 0, (uint32_t)(len / 16));
	for (size_t done = 0; done < len; done += 16) {
		uint64_t at = (64 * (uint64_t)qp->sq_pi + done) % (64 * (uint64_t)qp->sq_wqebbs);

		memcpy(world_at(w, qp->sq_buf + at, 16), wqe + done, 16);
	}
	qp->sq_pi = (uint16_t)(qp->sq_pi + (len + 63) / 64);
	be32_put(dbr, 4, qp->sq_pi);
	queue_ring(qp);
}

void queue_recv(struct queue_qp *qp, const void *segments, size_t len)
{
	struct world *w = qp->port->world;
	uint8_t *wqe, *dbr = world_at(w, qp->dbr, 8);

	if (!qp->rq_wqes)
		return;
	wqe = world_at(w, qp->buf + (qp->rq_pi % qp->rq_wqes) * QUEUE_STRIDE, QUEUE_STRIDE);
	memset(wqe, 0, QUEUE_STRIDE);
	if (len < QUEUE_STRIDE)
		be32_put(wqe, len + 4, 0x100);
	memcpy(wqe, segments, len);
	qp->rq_pi++;
	be32_put(dbr, 0, qp->rq_pi);
}

void segment_ctrl(uint8_t *seg, uint8_t opcode, uint8_t flags, uint32_t imm)
{
	memset(seg, 0, 16);
	seg[3] = opcode;
	seg[11] = flags;
	be32_put(seg, 12, imm);
}

void segment_raddr(uint8_t *seg, uint64_t addr, uint32_t rkey)
{
	memset(seg, 0, 16);
	be64_put(seg, 0, addr);
	be32_put(seg, 8, rkey);
}

void segment_data(uint8_t *seg, uint64_t addr, uint32_t lkey, uint32_t len)
{
	be32_put(seg, 0, len);
	be32_put(seg, 4, lkey);
	be64_put(seg, 8, addr);
}

void segment_av(uint8_t *seg, uint32_t q_key, uint32_t qpn, uint16_t dlid)
{
	memset(seg, 0, 48);
	be32_put(seg, 0, q_key);
	be32_put(seg, 8, qpn);
	be16_put(seg, 14, dlid);
}

uint32_t queue_key(struct world_port *port, const struct queue_key *key)
{
	static uint8_t in[0x110 + 16 * 4096];
	uint32_t octwords = key->octwords < 4096 ? key->octwords : 4096;
	uint8_t out[16];

	memset(in, 0, 0x110);
	be16_put(in, 0, 0x200);
	be32_put(in, 0x10, key->bits);
	be32_put(in, 0x14, 0xffffff00 | KEY_BYTE);
	be32_put(in, 0x1c, (key->length64 ? 1u << 31 : 0) | key->pd);
	be64_put(in, 0x20, key->start);
	be64_put(in, 0x28, key->len);
	be32_put(in, 0x10 + 13 * 4, key->declared ? key->declared : octwords);
	be32_put(in, 0x10 + 14 * 4, key->log_page);
	be32_put(in, 0x10 + 15 * 4, key->hint);
	be32_put(in, 0x60, octwords);
	if (octwords)
		memcpy(in + 0x110, key->xlt, 16 * (size_t)octwords);
	if (world_cmd(port, in, 0x110 + 16 * octwords, out, sizeof(out)))
		return 0;
	return (be32_at(out, 8) & 0xffffff) << 8 | KEY_BYTE;
}

uint32_t queue_plain_key(struct world_port *port, uint32_t pd, uint32_t bits, uint64_t start,
			 uint64_t len)
{
	uint64_t base = start & ~(uint64_t)4095;
	uint32_t pages = (uint32_t)((start + len - base + 4095) / 4096);
	uint8_t xlt[16 * 32] = { 0 };
	struct queue_key key = {
		.bits = bits | KEY_MODE(1),
		.pd = pd,
		.start = start,
		.len = len,
		.log_page = 12,
		.hint = 1u << 26 | 2u << 24 | 1u << 16,
		.xlt = xlt,
		.octwords = (pages + 1) / 2,
	};
	uint32_t number;

	for (uint32_t i = 0; i < pages && i < 64; i++)
		be64_put(xlt, 8 * (size_t)i, base + 4096 * (uint64_t)i);
	number = queue_key(port, &key);
	if (!number)
		world_broken("a key of 0x%lx + %lu", start, len);
	return number;
}
