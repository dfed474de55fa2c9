/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Completion queues.
 *
 * Arming. The arm doorbell goes to a page of memory, where that of another CQ may hide it (uar.c),
 * so the arm word of the doorbell record says what it says: sn << 28 | cmd << 24 |
 * ci. It is read with each CQE, and after a doorbell where CQEs came before it. Software advances
 * sn after each event that it took, so one event is due per sn. Two records do not say "armed":
 * - that of the driver's CQ holds an initial value (sn 2) before the first arm, which has sn 0; a
 * CQ that is only polled must never raise an event;
 * - a user CQ's record of zero is the first arm or none at all; it counts as an arm, since an event
 *   too many does no harm there.
 *
 * Moderation (cq_period in microseconds and cq_max_count of cqc; either 0: none). The event of an
 * armed CQ comes when cq_max_count CQEs were posted since the last event, or cq_period after it
 * (after the last CQE: cq_period_mode 1), whichever is first; at the latest with the engine's next
 * turn. With scqe_break_moderation_en a solicited or error CQE does not wait.
 */
#include "hca/budget.h"
#include "hca/kinds.h"
#include "hca/opcodes.h"
#include "hca/data.h"
#include "hca/due.h"
#include "hca/layout.h"
#include "hca/refusal.h"
#include "hca/umem.h"

#define CQE_LEN		   64u
#define CQE_TAIL	   4u /* last DW: wqe_counter, signature, op_own */
#define OWNER		   0x01u
#define SOLICITED	   0x02u
#define MAX_LOG_SIZE	   22
#define ARM_SOLICITED	   (1u << 24)
#define NEVER_ARMED	   (2u << 28) /* what the driver's own CQs begin with */
#define SYND_OVERRUN	   1
#define STATUS_OVERFLOW	   9	 /* cqc.status */
#define MODIFY_MODERATION  0x17u /* period, count, overrun-ignore, period mode */
#define PERIOD_FROM_CQE	   1	 /* cqc.cq_period_mode */
#define ST_SOLICITED	   0x6u	 /* cqc.st: armed for solicited CQEs, for any, not armed */
#define ST_ARMED	   0x9u
#define ST_FIRED	   0xau
#define OP_MOD_RESIZE	   1
#define RESIZE_ALL	   0x7u /* log_cq_size, page_offset, log_page_size */
#define SYNDROME_CQ	   0x3bec01
#define SYNDROME_EQ	   0x3bec02
#define SYNDROME_SIZE	   0x3bec03
#define SYNDROME_MODIFY	   0x3bec04
#define SYNDROME_RESOURCES 0x3bec05
#define SYNDROME_RECORD	   0x3bec06
#define SYNDROME_USED	   0x3bec06
#define SYNDROME_UAR	   0x3bec07

/* --- arming ------------------------------------------------------------------------------ */

/* ci and arm word. @issue: when the record cannot be looked at, read it by a TLP. */
static bool read_record(struct hca *hca, const struct hca_cq *cq, bool issue, uint32_t record[2])
{
	uint8_t raw[8];

	if (pcie_peek(&hca->fn, cq->dbr.addr, raw, sizeof(raw)) &&
	    (!issue || pcie_read(&hca->fn, cq->dbr.addr, raw, sizeof(raw), NULL)))
		return false;
	record[0] = be32_at(raw, RECORD_CQ_CI) & 0xffffff;
	record[1] = be32_at(raw, RECORD_CQ_ARM);
	return true;
}

/* @pi is after @ci, both counting modulo 2^24. */
static bool is_after(uint32_t pi, uint32_t ci)
{
	uint32_t ahead = (pi - ci) & 0xffffff;

	return ahead && ahead < 0x800000;
}

static bool is_armed(const struct hca_cq *cq, uint32_t arm)
{
	if (!cq->event_sent && arm == NEVER_ARMED)
		return false;
	return !cq->event_sent || cq->event_sn != (arm >> 28 & 3);
}

/* Whether moderation keeps the event of @cq back for now. */
static bool is_moderated(const struct hca_cq *cq)
{
	int64_t period = 1000ll * field_get(cq->context, CQC_CQ_PERIOD);
	uint32_t count = field_get(cq->context, CQC_CQ_MAX_COUNT);
	uint64_t since = cq->event_ns;

	if (!period || !count || cq->pi - cq->event_pi >= count)
		return false;
	if (cq->urgent && field_get(cq->context, CQC_SCQE_BREAK_MODERATION_EN))
		return false;
	if (field_get(cq->context, CQC_CQ_PERIOD_MODE) == PERIOD_FROM_CQE)
		since = cq->cqe_ns;
	return since && (int64_t)(clock_now_ns() - since) < period;
}

/* Returns false when moderation or a full EQ says later: then @cq stays armed. */
static bool send_event(struct hca *hca, struct hca_cq *cq, uint32_t arm)
{
	struct hca_eq *eq = hca_table_get(&hca->eqs, cq->eqn);
	uint8_t data[28] = { 0 };

	cq->delayed = is_moderated(cq);
	if (cq->delayed) {
		hca_cq_due(hca, cq);
		return false;
	}
	be32_put(data, EQE_COMP_CQN, cq->number);
	if (eq && !hca_eq_post(hca, eq, HCA_EVENT_COMPLETION, 0, data))
		return false;
	cq->event_sent = true;
	cq->event_sn = arm >> 28 & 3;
	cq->any_new = false;
	cq->any_solicited = false;
	hca_uar_forget_cq(hca, cq);
	cq->urgent = false;
	cq->event_pi = cq->pi;
	if (field_get(cq->context, CQC_CQ_PERIOD))
		cq->event_ns = clock_now_ns();
	return true;
}

bool hca_cq_poll_arm(struct hca *hca, struct hca_cq *cq)
{
	uint32_t record[2], newest;
	bool solicited;

	cq->delayed = false;
	if (!cq->pi)
		return false;
	if (!read_record(hca, cq, false, record)) {
		hca_list_add(&hca->watched_cqs, &cq->due);
		return false;
	}
	if (!is_armed(cq, record[1]))
		return false;
	solicited = record[1] & ARM_SOLICITED;
	if (solicited ? !cq->any_solicited : !cq->any_new)
		return false;
	newest = solicited ? cq->solicited_pi : cq->pi;
	if (!is_after(newest, record[1] & 0xffffff))
		return false;
	return send_event(hca, cq, record[1]);
}

/* --- completions ------------------------------------------------------------------------- */

static void overrun(struct hca *hca, struct hca_cq *cq)
{
	uint8_t data[28] = { 0 };

	cq->overrun = true;
	be32_put(data, EQE_CQ_ERR_CQN, cq->number);
	data[EQE_CQ_ERR_SYNDROME] = SYND_OVERRUN;
	hca_event(hca, HCA_EVENT_CQ_ERROR, 0, data);
}

static void build(const struct hca_cqe *cqe, uint8_t owner, uint8_t raw[CQE_LEN])
{
	memset(raw, RECORD_CQ_CI, CQE_LEN);
	be32_put(raw, CQE_RSS_HASH, cqe->hash);
	raw[CQE_RSS_HASH_TYPE] = cqe->hash_type;
	raw[CQE_ML_PATH] = cqe->ml_path;
	be16_put(raw, CQE_CHECK_SUM, cqe->check_sum);
	be16_put(raw, CQE_SLID, cqe->slid);
	be32_put(raw, CQE_FLAGS_RQPN, cqe->flags_rqpn);
	raw[CQE_HDS_IP_EXT] = cqe->checked;
	raw[CQE_L4_L3_HDR_TYPE] = cqe->headers;
	be16_put(raw, CQE_VLAN_INFO, cqe->vlan);
	be32_put(raw, CQE_SRQN, cqe->srqn);
	be32_put(raw, CQE_IMMEDIATE, cqe->immediate);
	be32_put(raw, CQE_BYTE_CNT, cqe->byte_cnt);
	if (cqe->opcode >= HCA_CQE_REQ_ERR) {
		raw[CQE_VENDOR_SYNDROME] = hca_vendor_byte(cqe->syndrome);
		raw[CQE_SYNDROME] = cqe->syndrome;
	} else {
		be64_put(raw, CQE_TIMESTAMP, clock_now_ns());
	}
	be32_put(raw, CQE_SEND_OPCODE_QPN,
		 (uint32_t)cqe->send_opcode << 24 | (cqe->qpn & 0xffffff));
	be16_put(raw, CQE_WQE_COUNTER, cqe->wqe_counter);
	raw[CQE_OP_OWN] = (uint8_t)(cqe->opcode << 4 | (cqe->solicited ? SOLICITED : 0) | owner);
}

/* Write @cqe at the producer index, which advances. */
static void put_cqe(struct hca *hca, struct hca_cq *cq, const struct hca_cqe *cqe)
{
	uint32_t stride, slot;
	uint8_t raw[CQE_LEN];
	uint64_t at;

	stride = cq->cqe_sz ? 2 * CQE_LEN : CQE_LEN;
	slot = cq->pi & ((1u << cq->log_size) - 1);
	/* In a 128-byte entry the CQE is the second half. */
	at = (uint64_t)slot * stride + stride - CQE_LEN;
	build(cqe, cq->pi >> cq->log_size & OWNER, raw);
	/*
	 * The owner bit must not be seen before the rest. A host whose memory is written from
	 * another process sees no TLPs, so the last DW goes on its own.
	 */
	hca_pages_write(hca, &cq->pages, at, raw, CQE_LEN - CQE_TAIL);
	atomic_thread_fence(memory_order_release);
	hca_pages_write(hca, &cq->pages, at + CQE_LEN - CQE_TAIL, raw + CQE_LEN - CQE_TAIL,
			CQE_TAIL);
	cq->pi++;
}

void hca_cq_post(struct hca *hca, uint32_t cqn, const struct hca_cqe *cqe)
{
	struct hca_cq *cq = hca_table_get(&hca->cqs, cqn);
	uint32_t record[2] = { 0, 0 };
	bool known, urgent;

	if (!cq || cq->overrun)
		return;
	known = read_record(hca, cq, true, record);
	if (known && !cq->overrun_ignore && ((cq->pi - record[0]) & 0xffffff) >> cq->log_size) {
		overrun(hca, cq);
		return;
	}
	put_cqe(hca, cq, cqe);
	cq->any_new = true;
	hca_uar_add_cq(hca, cq);
	if (field_get(cq->context, CQC_CQ_PERIOD))
		cq->cqe_ns = clock_now_ns();
	urgent = cqe->solicited || cqe->opcode >= HCA_CQE_REQ_ERR;
	if (urgent) {
		cq->urgent = true;
		cq->any_solicited = true;
		cq->solicited_pi = cq->pi;
	}
	/* What was posted just now is newer than any ci: no comparison that could wrap. */
	if (known && is_armed(cq, record[1]) && (urgent || !(record[1] & ARM_SOLICITED)))
		send_event(hca, cq, record[1]);
}

/* --- commands ---------------------------------------------------------------------------- */

/* The buffer of @cq with @log_size, as @cmd says: in a umem or by page list. */
static enum hca_cmd_status find_buffer(struct hca *hca, const struct hca_cq *cq,
				       struct hca_cmd *cmd, unsigned int log_size,
				       struct hca_pages *pages)
{
	uint64_t bytes = (uint64_t)(cq->cqe_sz ? 2 * CQE_LEN : CQE_LEN) << log_size;
	const uint8_t *cqc = cmd->in + HCA_CMD_CONTEXT;

	if (field_get(cmd->in, CQ_UMEM_VALID))
		return hca_umem_pages(hca, cmd, be32_at(cmd->in, CQ_UMEM_ID),
				      be64_at(cmd->in, CQ_UMEM_OFFSET), bytes, pages);
	return hca_cmd_pages(hca, cmd, bytes, (uint8_t)(field_get(cqc, CQC_LOG_PAGE_SIZE) + 12),
			     field_get(cqc, CQC_PAGE_OFFSET), pages);
}

static void free_cq(struct hca *hca, void *object)
{
	struct hca_cq *cq = object;

	hca_list_remove(&cq->due);
	hca_uar_forget_cq(hca, cq);
	hca_record_free(&cq->dbr);
	hca_pages_free(hca, &cq->pages);
	hca_release(hca, cq);
}

const struct hca_kind hca_kind_cq = {
	.limit = 1u << 16,
	.free = free_cq,
};

void hca_cq_hold(struct hca *hca, uint32_t cqn, int change)
{
	struct hca_cq *cq = hca_table_get(&hca->cqs, cqn);

	if (cq)
		cq->users += (uint32_t)change;
}

struct hca_cq *hca_cq_find(struct hca *hca, const struct hca_cmd *cmd, uint32_t cqn, bool shared)
{
	struct hca_cq *cq = hca_table_get(&hca->cqs, cqn);

	return cq && (hca_cmd_owns(cmd, cq->uid) || (shared && !cq->uid)) ? cq : NULL;
}

enum hca_cmd_status hca_cmd_create_cq(struct hca *hca, struct hca_cmd *cmd)
{
	enum hca_cmd_status status;
	const uint8_t *cqc;
	struct hca_cq *cq;
	struct hca_eq *eq;

	cqc = cmd->in + HCA_CMD_CONTEXT;
	if (field_get(cqc, CQC_LOG_CQ_SIZE) > MAX_LOG_SIZE || field_get(cqc, CQC_CQE_SZ) > 2)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, SYNDROME_SIZE);
	eq = hca_table_get(&hca->eqs, field_get(cqc, CQC_C_EQN));
	if (!eq)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, SYNDROME_EQ);
	if (!hca_table_get(&hca->uars, field_get(cqc, CQC_UAR_PAGE)))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, SYNDROME_UAR);
	cq = hca_alloc(hca, sizeof(*cq));
	if (!cq)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, SYNDROME_RESOURCES);
	memcpy(cq->context, cqc, sizeof(cq->context));
	cq->uid = hca_cmd_uid(cmd);
	cq->log_size = (uint8_t)field_get(cqc, CQC_LOG_CQ_SIZE);
	cq->cqe_sz = (uint8_t)field_get(cqc, CQC_CQE_SZ);
	cq->overrun_ignore = field_get(cqc, CQC_OI);
	cq->uar = field_get(cqc, CQC_UAR_PAGE);
	cq->eqn = field_get(cqc, CQC_C_EQN);
	cq->dbr.addr = be64_at(cqc, CQC_DBR_ADDR);
	/* Whose queues are in a umem is a program: it has no DMA address for the record. */
	if (field_get(cmd->in, CQ_UMEM_VALID) && !field_get(cqc, CQC_DBR_UMEM_VALID))
		status = hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, SYNDROME_RECORD);
	else
		status = find_buffer(hca, cq, cmd, cq->log_size, &cq->pages);
	if (status == HCA_CMD_OK && field_get(cqc, CQC_DBR_UMEM_VALID))
		status = hca_umem_record(hca, cmd, be32_at(cqc, CQC_DBR_UMEM_ID), &cq->dbr);
	if (status == HCA_CMD_OK)
		status = hca_cmd_add(hca, cmd, &hca->cqs, 1, cq, &cq->number);
	if (status != HCA_CMD_OK) {
		free_cq(hca, cq);
		return status;
	}
	eq->cqs++;
	hca_plain_hold(&hca->uctxs, cq->uid, 1);
	field_put(cmd->out, CMD_NUMBER, cq->number);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_destroy_cq(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_cq *cq = hca_cq_find(hca, cmd, hca_cmd_number(cmd), false);
	struct hca_eq *eq;

	if (!cq)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, SYNDROME_CQ);
	if (cq->users)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, SYNDROME_USED);
	hca_table_remove(hca, &hca->cqs, cq->number);
	eq = hca_table_get(&hca->eqs, cq->eqn);
	eq->cqs--;
	hca_plain_hold(&hca->uctxs, cq->uid, -1);
	free_cq(hca, cq);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_query_cq(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t record[2] = { 0, 0 }, st = ST_FIRED;
	struct hca_cq *cq;
	uint8_t *cqc;

	cq = hca_cq_find(hca, cmd, hca_cmd_number(cmd), false);
	if (!cq)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, SYNDROME_CQ);
	cqc = cmd->out + HCA_CMD_CONTEXT;
	memcpy(cqc, cq->context, sizeof(cq->context));
	field_put(cqc, CQC_STATUS, cq->overrun ? STATUS_OVERFLOW : 0);
	if (read_record(hca, cq, false, record) && is_armed(cq, record[1]))
		st = record[1] & ARM_SOLICITED ? ST_SOLICITED : ST_ARMED;
	field_put(cqc, CQC_ST, st);
	field_put(cqc, CQC_LAST_NOTIFIED_INDEX, cq->event_pi & 0xffffff);
	field_put(cqc, CQC_LAST_SOLICIT_INDEX, cq->solicited_pi & 0xffffff);
	field_put(cqc, CQC_CONSUMER_COUNTER, record[0]);
	field_put(cqc, CQC_PRODUCER_COUNTER, cq->pi & 0xffffff);
	return HCA_CMD_OK;
}

/*
 * The CQ goes on in another buffer. A CQE that says so is the last one in the old buffer and counts
 * like any other; software copies what it has not consumed before it.
 */
static enum hca_cmd_status resize(struct hca *hca, struct hca_cq *cq, struct hca_cmd *cmd)
{
	const uint8_t *cqc = cmd->in + HCA_CMD_CONTEXT;
	uint32_t log_size = field_get(cqc, CQC_LOG_CQ_SIZE);
	struct hca_cqe marker = { .opcode = HCA_CQE_RESIZE };
	enum hca_cmd_status status;
	struct hca_pages pages;
	uint32_t record[2];

	if (be32_at(cmd->in, CQ_FIELD_SELECT) != RESIZE_ALL || log_size > MAX_LOG_SIZE ||
	    field_get(cqc, CQC_CQE_SZ) != cq->cqe_sz)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, SYNDROME_SIZE);
	/* Room for what software has not consumed, and in the old buffer for one CQE more. */
	if (cq->overrun || !read_record(hca, cq, true, record) ||
	    ((cq->pi - record[0]) & 0xffffff) >> cq->log_size ||
	    ((cq->pi - record[0]) & 0xffffff) >> log_size)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, SYNDROME_SIZE);
	status = find_buffer(hca, cq, cmd, log_size, &pages);
	if (status != HCA_CMD_OK)
		return status;
	put_cqe(hca, cq, &marker);
	hca_pages_free(hca, &cq->pages);
	cq->pages = pages;
	cq->log_size = (uint8_t)log_size;
	field_put(cq->context, CQC_PAGE_OFFSET, field_get(cqc, CQC_PAGE_OFFSET));
	field_put(cq->context, CQC_LOG_CQ_SIZE, log_size);
	field_put(cq->context, CQC_LOG_PAGE_SIZE, field_get(cqc, CQC_LOG_PAGE_SIZE));
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_modify_cq(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_cq *cq;
	const uint8_t *cqc;
	uint32_t select;

	cq = hca_cq_find(hca, cmd, hca_cmd_number(cmd), false);
	if (!cq)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, SYNDROME_CQ);
	if (be16_at(cmd->in, CMD_OP_MOD) == OP_MOD_RESIZE)
		return resize(hca, cq, cmd);
	select = be32_at(cmd->in, CQ_FIELD_SELECT);
	if (be16_at(cmd->in, CMD_OP_MOD) || select & ~MODIFY_MODERATION)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, SYNDROME_MODIFY);
	cqc = cmd->in + HCA_CMD_CONTEXT;
	if (select & 1)
		field_put(cq->context, CQC_CQ_PERIOD, field_get(cqc, CQC_CQ_PERIOD));
	if (select & 2)
		field_put(cq->context, CQC_CQ_MAX_COUNT, field_get(cqc, CQC_CQ_MAX_COUNT));
	if (select & 4) {
		cq->overrun_ignore = field_get(cqc, CQC_OI);
		field_put(cq->context, CQC_OI, cq->overrun_ignore);
	}
	if (select & 0x10)
		field_put(cq->context, CQC_CQ_PERIOD_MODE, field_get(cqc, CQC_CQ_PERIOD_MODE));
	return HCA_CMD_OK;
}
