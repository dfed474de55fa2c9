/* SPDX-License-Identifier: GPL-2.0-only */
/* Bursts: the requests of a run that need not be looked at one by one. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "pcie/transfer.h"

bool pcie_is_burst(const struct pcie_transfer *t, const struct pcie_run *run)
{
	if (!t->fn->fabric || t->fn->fabric->each || run->route == PCIE_ROUTE_NONE ||
	    tlp_split(run->addr, run->len, t->max) == run->len || !tlp_burst_allows(t->max))
		return false;
	/* A read that a host map cuts within a DW has TLPs with TH and without. */
	if (t->tlp.type == TLP_MRD && t->tlp.hint.th && (run->addr % 4 || run->len % 4))
		return false;
	return !pcie_inject_armed(t->fn, PCIE_FAULT_REQUESTS) &&
	       !(run->target && pcie_inject_armed(run->target, PCIE_FAULT_INTO));
}

/* What @kind says besides its length is that of the bursts of @run. */
static void describe(const struct pcie_transfer *t, const struct pcie_run *run,
		     struct tlp_burst *kind)
{
	const struct pcie_function *from = run->target ? run->target : t->fn;

	kind->max = t->max;
	kind->completer = run->target ? run->target->id : PCIE_ROOT_COMPLEX;
	kind->completion_max = pcie_max_payload(from);
	kind->tags = t->tlp.type == TLP_MRD ? pcie_tags(t->fn) : 0;
}

/* The record of bytes [@done, @done + @kind->len) of @run. Returns as tlp_encode(). */
static int record_burst(const struct pcie_transfer *t, const struct pcie_run *run, size_t done,
			const struct tlp_burst *kind, struct tlp_record *record)
{
	uint64_t addr = run->addr + done;
	struct tlp tlp = t->tlp;
	int len;

	*record = (struct tlp_record){
		.time_ns = t->time_ns,
		.kind = TLP_RECORD_TLP,
		.route = run->route,
		.source = t->fn->index,
	};
	if (tlp.type == TLP_MRD && done)
		tlp.tag = (tlp.tag + tlp_burst_requests(run->addr, done, t->max)) % kind->tags;
	len = tlp_set_range(&tlp, addr, tlp_split(addr, kind->len, t->max));
	if (!len)
		len = tlp_encode(&tlp, record->header);
	record->header_len = len < 0 ? 0 : len;
	if (run->route == PCIE_ROUTE_FUNCTION) {
		record->target = run->target->index;
		record->bar = run->bar;
		record->offset = addr - run->bar_base;
	}
	tlp_burst_put(record, kind);
	return len;
}

int pcie_issue_burst(const struct pcie_transfer *t, const struct pcie_run *run,
		     struct tlp_burst kind, struct tlp_burst_walk *walk)
{
	size_t done, n;

	describe(t, run, &kind);
	for (done = 0; done < run->len; done += n) {
		struct tlp_record record;
		struct tlp tlp;
		int len;

		n = tlp_split(run->addr + done, run->len - done, TLP_BURST_MAX);
		kind.len = n;
		len = record_burst(t, run, done, &kind, &record);
		if (t->trace)
			pcie_record(t, &record, len);
		/* What a function gets is decoded from these bytes. */
		if (len < 0 || (walk && tlp_burst_fault(&record, &tlp)))
			return -EINVAL;
		if (walk)
			tlp_burst_start(walk, &record, &tlp);
	}
	return 0;
}

int pcie_issue_pieces(const struct pcie_transfer *t, const struct pcie_run *run,
		      const struct pcie_piece *piece, unsigned int count)
{
	struct tlp_burst kind = { .len = run->len,
				  .requests = true,
				  .completions = t->tlp.type == TLP_MRD };
	struct tlp_record record[1 + (PCIE_PIECES - 1 + TLP_PIECES - 1) / TLP_PIECES];
	unsigned int records = 1, done, n;
	int len;

	static_assert(sizeof(record) / sizeof(record[0]) <= TLP_TRACE_TOGETHER, "at once");
	describe(t, run, &kind);
	len = record_burst(t, run, 0, &kind, &record[0]);
	for (done = 1; len > 0 && done < count; done += n) {
		uint64_t addr[TLP_PIECES];

		for (n = 0; n < TLP_PIECES && done + n < count; n++)
			addr[n] = piece[done + n].addr;
		tlp_pieces_put(&record[records++], &record[0], addr, n);
	}
	if (len > 0)
		tlp_trace_encoded(t->trace, record, records);
	else
		pcie_record(t, &record[0], len);
	return len < 0 ? -EINVAL : 0;
}

/* Bytes of a run that is one burst, to or from the function that it is for. */
static void deliver_burst(const struct pcie_transfer *t, const struct pcie_run *run,
			  struct tlp_burst_walk *walk, uint8_t *data)
{
	const struct pcie_function_ops *ops = run->target->ops;
	unsigned int tlps = tlp_burst_requests(run->addr, run->len, t->max);
	uint64_t offset = run->addr - run->bar_base;
	struct tlp tlp = walk->tlp;
	struct tlp_record record;
	void *memory = NULL;

	pcie_hide_hint(run->target, &tlp);
	if (ops->burst_begin)
		memory = ops->burst_begin(run->target, run->bar, offset, &tlp, tlps, run->len);
	if (memory) {
		if (tlp.type == TLP_MWR)
			memcpy(memory, data, run->len);
		else
			memcpy(data, memory, run->len);
		ops->burst_end(run->target);
		return;
	}
	while (tlp_burst_next(walk, &record, &tlp)) {
		if (tlp.type == TLP_MWR || tlp.type == TLP_MRD)
			pcie_deliver(run, &tlp, data + (record.offset - offset));
	}
}

/* The bytes of a run to or from a function, with the delivery lock. */
static int function_burst(struct pcie_transfer *t, const struct pcie_run *run,
			  struct tlp_burst kind, uint8_t *data)
{
	uint16_t first = t->tlp.tag;
	struct pcie_run part = *run;
	int rc = 0;

	for (size_t done = 0; !rc && done < run->len; done += part.len) {
		struct tlp_burst_walk walk;

		part.addr = run->addr + done;
		part.len = tlp_split(part.addr, run->len - done, TLP_BURST_MAX);
		if (t->tlp.type == TLP_MRD && done)
			t->tlp.tag = (first + tlp_burst_requests(run->addr, done, t->max)) %
				     pcie_tags(t->fn);
		rc = pcie_issue_burst(t, &part, kind, &walk);
		if (!rc)
			deliver_burst(t, &part, &walk, data + done);
	}
	return rc;
}

int pcie_write_burst(struct pcie_transfer *t, const struct pcie_run *run, const uint8_t *data)
{
	const struct tlp_burst kind = { .requests = true };
	int rc;

	if (run->route == PCIE_ROUTE_FUNCTION) {
		pthread_mutex_lock(&t->fn->fabric->delivery);
		rc = function_burst(t, run, kind, (uint8_t *)data);
		pthread_mutex_unlock(&t->fn->fabric->delivery);
		return rc;
	}
	rc = t->trace ? pcie_issue_burst(t, run, kind, NULL) : 0;
	return rc ? rc
		  : pcie_host_error(t->host_ops->write(t->fn->host, run->addr, data, run->len));
}

/* The host has answered the requests of a round with @rc: traces its completions. */
static int burst_answered(struct pcie_transfer *t, const struct pcie_run *run, int rc)
{
	const unsigned int tags = pcie_tags(t->fn);
	uint16_t first = t->tlp.tag;
	size_t n;

	if (rc == -EIO)
		return rc;
	if (!rc)
		return pcie_issue_burst(t, run, (struct tlp_burst){ .completions = true }, NULL);
	for (size_t done = 0, i = 0; done < run->len; done += n, i++) {
		n = tlp_split(run->addr + done, run->len - done, t->max);
		pcie_complete(t, run, run->addr + done, n, (first + i) % tags, TLP_UR, false);
	}
	return rc;
}

int pcie_issue_read(const struct pcie_transfer *t, const struct pcie_run *run)
{
	const struct tlp_burst requests = { .requests = true },
			       completions = { .completions = true },
			       both = { .requests = true, .completions = true };
	int rc;

	if (tlp_split(run->addr, run->len, TLP_BURST_MAX) == run->len)
		return pcie_issue_burst(t, run, both, NULL);
	rc = pcie_issue_burst(t, run, requests, NULL);
	return rc ? rc : pcie_issue_burst(t, run, completions, NULL);
}

int pcie_read_burst(struct pcie_transfer *t, const struct pcie_run *run, uint8_t *data)
{
	const struct tlp_burst requests = { .requests = true },
			       each = { .requests = true, .completions = true, .each = true };
	int rc = 0;

	if (run->route == PCIE_ROUTE_FUNCTION)
		return function_burst(t, run, each, data);
	/* Whoever answers a message may set a mark: the requests come before it. */
	if (run->route == PCIE_ROUTE_MESSAGE && t->trace)
		rc = pcie_issue_burst(t, run, requests, NULL);
	if (rc)
		return rc;
	rc = pcie_host_error(t->host_ops->read(t->fn->host, run->addr, data, run->len));
	if (!t->trace)
		return rc;
	if (run->route == PCIE_ROUTE_MEMORY && !rc)
		return pcie_issue_read(t, run);
	if (run->route == PCIE_ROUTE_MEMORY)
		pcie_issue_burst(t, run, requests, NULL);
	return burst_answered(t, run, rc);
}
