/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Event queues. Layouts: struct mlx5_eqe, eqc and create_eq of the driver's headers.
 *
 * Interrupts. An EQ is armed or fired (MLX5_EQC_ST_ARMED, _FIRED). An event that is posted to an
 * armed EQ raises its vector and leaves it fired: further ones are written and say nothing. The
 * doorbell arms it again with the consumer index; one that is behind the producer raises the vector
 * at once, so that software may stop in the middle: mlx5_core takes 128 EQEs (its
 * MLX5_EQ_POLLING_BUDGET), arms, and counts on the next interrupt for the others.
 *
 * Doorbells are not trapped but looked for. EQs of one page share its doorbell words, all those of
 * the driver one page, and a later one hides an earlier: whichever is seen arms all of them. Three
 * EQs of mlx5_core have one vector, whose handler takes their events and rings for one after the
 * other, so that the last one hides the others each time. What it says of those: an interrupt that
 * came behind an event is enough for it, and when the same EQ was seen often enough their events
 * were consumed. An interrupt too many does no harm, one too few ends all: one that nobody reacts
 * to is raised again after a while.
 *
 * Room. What was not consumed is never overwritten, unless software asked for that (eqc.oi). A
 * completion event has its CQ to wait in, which stays armed: a driver may have many more CQs than
 * its EQ has entries (mlx5_core: 64 + 128, by devlink's io_eq_size, for up to 2^22 CQs). Some of
 * the others wait in the EQ, which may only look full, as its index is hidden: the vector is raised
 * for another doorbell, which the driver's handlers ring also where they find no event. "async EQ
 * buffer overrun" is among the syndromes of the health buffer.
 */
#include "hca/budget.h"
#include "hca/kinds.h"
#include "hca/layout.h"
#include "hca/opcodes.h"

#define EQE_SIZE 64u

#define LOG_EQ_MAX 22u /* log_max_eq_sz of caps.c */
#define EVENT_MASK 0x58u

/* Events that a handler takes at once: MLX5_EQ_POLLING_BUDGET. */
#define HANDLED 128u

/* MLX5_EVENT_QUEUE_TYPE_* */
#define QUEUE_QP 0u
#define QUEUE_RQ 1u
#define QUEUE_SQ 2u

#define EQC_OVERRUN	 0xau /* status: a write failed */
#define EQC_ARMED	 0x9u /* st */
#define EQC_FIRED	 0xau
#define EQC_ALWAYS_ARMED 0xbu
/* Syndrome of the health buffer. */
#define HEALTH_ASYNC_EQ_OVERRUN 0x0cu

/* Events that software has not consumed. */
static uint32_t waiting(const struct hca_eq *eq)
{
	return (eq->pi - eq->ci) & 0xffffff;
}

static bool is_full(const struct hca_eq *eq)
{
	return !eq->overrun_ignored && waiting(eq) >> eq->log_size;
}

static void raise(struct hca *hca, struct hca_eq *eq)
{
	pcie_interrupt(&hca->fn, eq->vector);
	eq->raised = eq->pi;
}

static void interrupt(struct hca *hca, struct hca_eq *eq)
{
	if (eq->armed || eq->always_armed)
		raise(hca, eq);
	eq->armed = false;
}

/* Where the doorbell that made room may be hidden: ask for another. */
static void ask_for_room(struct hca *hca, struct hca_eq *eq)
{
	if (!eq->holds_back && !eq->held_count)
		raise(hca, eq);
}

static void hold(struct hca *hca, struct hca_eq *eq, const struct hca_eq_event *event)
{
	if (eq->held_count == HCA_EQ_HELD) {
		eq->overrun = true;
		hca_inject_health(hca, HEALTH_ASYNC_EQ_OVERRUN, true);
		return;
	}
	ask_for_room(hca, eq);
	eq->held[eq->held_count++] = *event;
}

static void put(struct hca *hca, struct hca_eq *eq, const struct hca_eq_event *event)
{
	uint64_t at = EQE_SIZE * (uint64_t)(eq->pi & ((1u << eq->log_size) - 1));
	uint8_t eqe[EQE_SIZE] = { 0 };

	eqe[EQE_TYPE] = event->type;
	eqe[EQE_SUBTYPE] = event->subtype;
	memcpy(eqe + EQE_DATA, event->data, sizeof(event->data));
	eqe[EQE_OWNER] = (eq->pi >> eq->log_size) & 1;
	/* The owner bit makes the entry valid: it goes last. */
	if (hca_pages_write(hca, &eq->pages, at, eqe, 60) ||
	    hca_pages_write(hca, &eq->pages, at + 60, eqe + 60, 4))
		return;
	eq->pi++;
	interrupt(hca, eq);
}

bool hca_eq_post(struct hca *hca, struct hca_eq *eq, uint8_t type, uint8_t subtype,
		 const uint8_t data[28])
{
	struct hca_eq_event event = { .type = type, .subtype = subtype };

	memcpy(event.data, data, sizeof(event.data));
	if (eq->overrun)
		return true;
	if (!is_full(eq)) {
		put(hca, eq, &event);
	} else if (type == HCA_EVENT_COMPLETION) {
		ask_for_room(hca, eq);
		eq->holds_back = true;
		return false;
	} else {
		hold(hca, eq, &event);
	}
	return true;
}

/* There may be room again. */
static void release(struct hca *hca, struct hca_eq *eq)
{
	uint32_t n = 0;

	while (n < eq->held_count && !is_full(eq))
		put(hca, eq, &eq->held[n++]);
	eq->held_count -= n;
	memmove(eq->held, eq->held + n, eq->held_count * sizeof(eq->held[0]));
	if (eq->holds_back && !is_full(eq)) {
		eq->holds_back = false;
		hca->cq_lost = hca->cqs.size;
	}
}

/* What the doorbell word @reg of the page of @eq holds, taken out of it; 0: nothing. */
static uint32_t take_word(struct hca *hca, const struct hca_eq *eq, uint32_t reg)
{
	uint8_t *page =
		(uint8_t *)hca->uar_memory + (uint64_t)(eq->uar - HCA_UAR_FIRST) * HCA_UAR_PAGE;
	_Atomic uint32_t *word = (_Atomic uint32_t *)(page + reg);

	return atomic_load(word) ? be32toh(atomic_exchange(word, 0)) : 0;
}

/* Of the two words of a page either may be the older one. */
static bool is_before(uint32_t word, uint32_t ci)
{
	return ((word - ci) & 0xffffff) >= 0x800000;
}

/*
 * The doorbell of EQ @number, of the vector of @eq, may have hidden that of @eq. The first one that
 * is seen may be older than the last events of @eq, and the handler that rang the second have
 * passed @eq before those: the third is of one that began behind them. A handler takes HANDLED
 * events at most, so more of them need more doorbells.
 */
static void bear_witness(struct hca_eq *eq, uint32_t number)
{
	if (eq->witness != number || !eq->seen || is_before(eq->seen_pi, eq->ci)) {
		eq->witness = number;
		eq->seen = 0;
		eq->seen_pi = eq->pi;
	}
	eq->seen++;
	if (eq->seen < 3 + ((eq->seen_pi - eq->ci) & 0xffffff) / HANDLED)
		return;
	eq->ci = eq->seen_pi & 0xffffff;
	eq->seen = 0;
}

/* A doorbell @arm was seen in the page of @eq. */
static void rearm(struct hca *hca, struct hca_eq *eq, uint32_t arm)
{
	const struct hca_eq *named = hca_table_get(&hca->eqs, arm >> 24);

	eq->armed = true;
	if (named == eq) {
		eq->rung = true;
		if (!is_before(arm, eq->ci))
			eq->ci = arm & 0xffffff;
	} else if (named && named->vector == eq->vector) {
		bear_witness(eq, named->number);
	}
}

/* Events wait, and no handler that was called since will find all of them. */
static bool is_due(const struct hca_eq *eq)
{
	if (!waiting(eq) || eq->always_armed)
		return false;
	return eq->rung || eq->raised != eq->pi || waiting(eq) > HANDLED || eq->holds_back ||
	       eq->held_count;
}

/* The doorbells of the page of @eq. Returns whether there were any. */
static bool look_at_page(struct hca *hca, const struct hca_eq *eq)
{
	uint32_t update = take_word(hca, eq, HCA_UAR_EQ_UPDATE);
	uint32_t arm = take_word(hca, eq, HCA_UAR_EQ_ARM), i;

	for (i = 0; (arm || update) && i < hca->eqs.size; i++) {
		struct hca_eq *other = hca->eqs.slot[i];

		if (!other || other->uar != eq->uar)
			continue;
		if (update >> 24 == i)
			other->ci = update & 0xffffff;
		if (arm)
			rearm(hca, other, arm);
	}
	return arm || update;
}

static bool look_at_pages(struct hca *hca)
{
	bool rung = false;
	uint32_t i;

	pthread_mutex_lock(&hca->uar_lock);
	for (i = 0; i < hca->eqs.size; i++) {
		const struct hca_eq *eq = hca->eqs.slot[i];

		if (eq)
			rung |= look_at_page(hca, eq);
	}
	pthread_mutex_unlock(&hca->uar_lock);
	return rung;
}

bool hca_eq_look(struct hca *hca)
{
	bool rung = hca->eqs.count && look_at_pages(hca);
	uint32_t i;

	for (i = 0; rung && i < hca->eqs.size; i++) {
		struct hca_eq *eq = hca->eqs.slot[i];

		if (!eq || eq->overrun)
			continue;
		release(hca, eq);
		if (is_due(eq))
			interrupt(hca, eq);
		eq->rung = false;
	}
	return rung;
}

void hca_eq_remind(struct hca *hca)
{
	uint64_t now = clock_now_ns();
	uint32_t i;

	if (now - hca->eq_reminded_ns < HCA_EQ_REMIND_NS)
		return;
	hca->eq_reminded_ns = now;
	for (i = 0; i < hca->eqs.size; i++) {
		struct hca_eq *eq = hca->eqs.slot[i];
		uint32_t ci;
		bool late;

		if (!eq || eq->overrun)
			continue;
		ci = eq->ci;
		late = waiting(eq);
		if (late && eq->is_late && eq->late_ci == ci)
			raise(hca, eq);
		eq->is_late = late;
		eq->late_ci = ci;
	}
}

void hca_event(struct hca *hca, enum hca_event type, uint8_t subtype, const uint8_t data[28])
{
	uint32_t i;

	for (i = 0; i < hca->eqs.size; i++) {
		struct hca_eq *eq = hca->eqs.slot[i];

		if (eq && eq->mask >> type & 1) {
			hca_eq_post(hca, eq, (uint8_t)type, subtype, data);
			return;
		}
	}
}

/* @kind is that of the queue; the driver ignores it for SRQs. */
static void event_of(struct hca *hca, enum hca_event type, uint8_t kind, uint32_t number)
{
	uint8_t data[28] = { 0 };

	data[EQE_QP_SRQ_TYPE] = kind;
	be32_put(data, EQE_QP_SRQ_NUMBER, number & 0xffffff);
	hca_event(hca, type, 0, data);
}

void hca_event_number(struct hca *hca, enum hca_event type, uint32_t number)
{
	event_of(hca, type, QUEUE_QP, number);
}

void hca_event_qp(struct hca_qp *qp, enum hca_event type)
{
	uint8_t kind = qp->type == HCA_QP_ETH_RQ   ? QUEUE_RQ
		       : qp->type == HCA_QP_ETH_SQ ? QUEUE_SQ
						   : QUEUE_QP;

	event_of(qp->hca, type, kind, qp->number);
}

static void free_eq(struct hca *hca, void *object)
{
	struct hca_eq *eq = object;

	hca_pages_free(hca, &eq->pages);
	hca_release(hca, eq);
}

const struct hca_kind hca_kind_eq = {
	.limit = HCA_EQS,
	.free = free_eq,
};

enum hca_cmd_status hca_cmd_create_eq(struct hca *hca, struct hca_cmd *cmd)
{
	const uint8_t *eqc = cmd->in + HCA_CMD_CONTEXT;
	uint32_t log_size = field_get(eqc, EQC_LOG_EQ_SIZE), uar = field_get(eqc, EQC_UAR_PAGE);
	uint32_t vector = field_get(eqc, EQC_INTR);
	enum hca_cmd_status status;
	struct hca_eq *eq;

	/* ec: all events in one entry. */
	if (log_size > LOG_EQ_MAX || vector >= hca->params.vectors || field_get(eqc, EQC_EC))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x0e0001);
	if (!hca_table_get(&hca->uars, uar))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x0e0002);
	eq = hca_alloc(hca, sizeof(*eq));
	if (!eq)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x0e0003);
	status = hca_cmd_pages(hca, cmd, (uint64_t)EQE_SIZE << log_size,
			       (uint8_t)(field_get(eqc, EQC_LOG_PAGE_SIZE) + 12),
			       field_get(eqc, EQC_PAGE_OFFSET), &eq->pages);
	if (!status)
		status = hca_cmd_add(hca, cmd, &hca->eqs, 1, eq, &eq->number);
	if (status) {
		free_eq(hca, eq);
		return status;
	}
	eq->log_size = (uint8_t)log_size;
	eq->uar = uar;
	eq->vector = (uint16_t)vector;
	eq->mask = be64_at(cmd->in, EVENT_MASK);
	memcpy(eq->context, eqc, sizeof(eq->context));
	eq->overrun_ignored = field_get(eqc, EQC_OI);
	eq->always_armed = field_get(eqc, EQC_ST) == EQC_ALWAYS_ARMED;
	eq->armed = field_get(eqc, EQC_ST) == EQC_ARMED;
	if (eq->mask >> HCA_EVENT_CMD & 1)
		hca->cmd_eqn = eq->number;
	field_put(cmd->out, EQ_NUMBER, eq->number);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_destroy_eq(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t number = hca_cmd_number(cmd) & 0xff;
	struct hca_eq *eq = hca_table_get(&hca->eqs, number);

	if (!eq)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x0e0005);
	if (eq->cqs)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x0e0006);
	/* What was rung for it says nothing of the next one of its number. */
	hca_eq_look(hca);
	hca_table_remove(hca, &hca->eqs, number);
	if (hca->cmd_eqn == number)
		hca->cmd_eqn = 0;
	free_eq(hca, eq);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_query_eq(struct hca *hca, struct hca_cmd *cmd)
{
	const struct hca_eq *eq = hca_table_get(&hca->eqs, hca_cmd_number(cmd) & 0xff);
	uint8_t *eqc = cmd->out + HCA_CMD_CONTEXT;
	uint32_t st = EQC_FIRED;

	if (!eq)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x0e0007);
	memcpy(eqc, eq->context, sizeof(eq->context));
	if (eq->always_armed)
		st = EQC_ALWAYS_ARMED;
	else if (eq->armed)
		st = EQC_ARMED;
	field_put(eqc, EQC_ST, st);
	field_put(eqc, EQC_STATUS, eq->overrun ? EQC_OVERRUN : 0);
	field_put(eqc, EQC_CONSUMER_COUNTER, eq->ci);
	field_put(eqc, EQC_PRODUCER_COUNTER, eq->pi & 0xffffff);
	be64_put(cmd->out, EVENT_MASK, eq->mask);
	return HCA_CMD_OK;
}
