/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Data from memory to memory, or into a BAR, by one copy. Both ends are found and held before
 * anything is issued; then all reads are traced, and for each piece of the target, or for some that
 * are like it, the writes, before the bytes are moved.
 */
#include <errno.h>
#include <string.h>

#include "pcie/transfer.h"

/* One end. */
struct end {
	struct pcie_transfer t;
	const struct pcie_piece *piece;
	unsigned int pieces;
	struct pcie_run run[PCIE_PIECES];
	uint8_t *memory[PCIE_PIECES]; /* of those that are MEMORY */
	/* Held for them, and where the last of it is, size 0: none: others may be in it, too. */
	unsigned int holds;
	struct pcie_held held[PCIE_PIECES];
	uint64_t first, size;
	unsigned int traced; /* writes of the pieces before this one */
};

/* How far the source has been copied. */
struct cursor {
	const struct end *end;
	unsigned int piece;
	size_t done; /* bytes of it */
};

bool pcie_may_copy(const struct pcie_function *reader, const struct pcie_function *writer)
{
	const struct pcie_host_ops *in = pcie_host_of(reader), *out = pcie_host_of(writer);

	return in && out && in->copy && in->copy == out->copy && reader->fabric &&
	       reader->fabric == writer->fabric && !reader->fabric->each &&
	       pcie_may_master(reader) && pcie_may_master(writer) &&
	       !pcie_inject_armed(reader, PCIE_FAULT_REQUESTS) &&
	       !pcie_inject_armed(writer, PCIE_FAULT_REQUESTS);
}

static void release(struct end *end)
{
	for (unsigned int i = 0; i < end->holds; i++)
		end->t.host_ops->release(end->t.fn->host, &end->held[i]);
	end->holds = 0;
}

/* Where @piece is in what is held, or is held now; NULL: nowhere. */
static uint8_t *find_memory(struct end *end, const struct pcie_piece *piece, bool write)
{
	struct pcie_held *held = &end->held[end->holds];
	uint64_t offset = piece->addr - end->first;

	if (offset < end->size && piece->len <= end->size - offset)
		return held[-1].memory - held[-1].before + offset;
	*held = (struct pcie_held){ 0 };
	if (!end->t.host_ops ||
	    !end->t.host_ops->hold(end->t.fn->host, piece->addr, piece->len, write, held))
		return NULL;
	end->first = piece->addr - held->before;
	end->size = held->before + piece->len + held->behind;
	end->holds++;
	return held->memory;
}

/* A BAR that takes bursts, and no fault waits for one of them. */
static bool is_target(const struct pcie_run *run, size_t len)
{
	return run->route == PCIE_ROUTE_FUNCTION && run->len == len &&
	       run->target->ops->burst_begin && !pcie_inject_armed(run->target, PCIE_FAULT_INTO);
}

static bool open_piece(struct end *end, unsigned int i)
{
	const struct pcie_piece *piece = &end->piece[i];
	bool write = end->t.tlp.type == TLP_MWR;

	/* What depends on no more than the hint is looked at once for each. */
	if ((!i || !tlp_same_hint(&piece->hint, &piece[-1].hint)) &&
	    pcie_transfer_init(&end->t, end->t.fn, end->t.tlp.type, piece->addr, piece->len,
			       &piece->hint, end->t.time_ns))
		return false;
	if (!tlp_burst_allows(end->t.max))
		return false;
	end->run[i] = (struct pcie_run){ .addr = piece->addr,
					 .len = piece->len,
					 .route = PCIE_ROUTE_MEMORY };
	end->memory[i] = find_memory(end, piece, write);
	if (end->memory[i])
		return true;
	end->run[i] = pcie_find_run(&end->t, piece->addr, piece->len);
	return write && is_target(&end->run[i], piece->len);
}

/* False: nothing is held. */
static bool open_end(struct end *end)
{
	for (unsigned int i = 0; i < end->pieces; i++)
		if (!open_piece(end, i)) {
			release(end);
			return false;
		}
	return true;
}

static void set_hint(struct end *end, unsigned int i)
{
	const struct pcie_piece *piece = &end->piece[i];
	bool whole = end->t.tlp.type == TLP_MWR || (piece->addr % 4 == 0 && piece->len % 4 == 0);

	end->t.tlp.hint = whole ? piece->hint : (struct tlp_hint){ 0 };
}

/* @piece may be among those that are one record. @round: bytes that one round may read. */
static bool is_like(const struct pcie_piece *piece, const struct pcie_piece *first, size_t round)
{
	return piece->len == first->len && tlp_pieces_allow(piece->addr, piece->len) &&
	       tlp_split(piece->addr, piece->len, round) == piece->len &&
	       tlp_same_hint(&piece->hint, &first->hint);
}

/* How many pieces from @i on are in memory and differ in nothing but their page; 1: none is. */
static unsigned int count_alike(const struct end *end, unsigned int i, size_t round)
{
	const struct pcie_piece *first = &end->piece[i];
	unsigned int n = 0;

	while (i + n < end->pieces && end->run[i + n].route == PCIE_ROUTE_MEMORY &&
	       is_like(&first[n], first, round))
		n++;
	return n ? n : 1;
}

/* Traces the reads of the source. */
static int issue_reads(struct end *end)
{
	unsigned int tags = pcie_tags(end->t.fn), n;
	int rc = 0;

	for (unsigned int i = 0; !rc && i < end->pieces; i += n) {
		struct pcie_run round = end->run[i];

		set_hint(end, i);
		n = count_alike(end, i, end->t.max * tags);
		if (n > 1) {
			unsigned int each = tlp_burst_requests(round.addr, round.len, end->t.max);

			end->t.tlp.tag = pcie_take_tags(end->t.fn, n * (each + 1)) % tags;
			rc = pcie_issue_pieces(&end->t, &round, &end->piece[i], n);
			continue;
		}
		for (size_t done = 0; !rc && done < end->piece[i].len; done += round.len) {
			round.addr = end->run[i].addr + done;
			round.len =
				tlp_split(round.addr, end->piece[i].len - done, end->t.max * tags);
			end->t.tlp.tag =
				pcie_take_tags(end->t.fn,
					       (round.len + end->t.max - 1) / end->t.max + 1) %
				tags;
			rc = pcie_issue_read(&end->t, &round);
		}
	}
	return rc;
}

/* The next @len bytes of the source to @to; false: memory is gone, at the cursor or at @to. */
static bool copy(struct cursor *at, uint8_t *to, size_t len)
{
	const struct end *end = at->end;

	while (len) {
		size_t left = end->piece[at->piece].len - at->done, n = left < len ? left : len;

		if (!end->t.host_ops->copy(to, end->memory[at->piece] + at->done, n))
			return false;
		to += n;
		len -= n;
		at->done += n;
		if (at->done < end->piece[at->piece].len)
			continue;
		at->done = 0;
		at->piece++;
	}
	return true;
}

/* One burst into a BAR. */
static bool fill(struct cursor *at, const struct pcie_run *run, size_t max,
		 struct tlp_burst_walk *walk)
{
	const struct pcie_function_ops *ops = run->target->ops;
	struct tlp tlp = walk->tlp;
	struct tlp_record record;
	uint8_t data[TLP_BOUNDARY];
	uint64_t addr;
	bool whole;
	void *memory;

	pcie_hide_hint(run->target, &tlp);
	memory = ops->burst_begin(run->target, run->bar, run->addr - run->bar_base, &tlp,
				  tlp_burst_requests(run->addr, run->len, max), run->len);
	if (memory) {
		whole = copy(at, memory, run->len);
		ops->burst_end(run->target);
		return whole;
	}
	while (tlp_burst_next(walk, &record, &tlp)) {
		if (!copy(at, data, tlp_range(&tlp, &addr)))
			return false;
		pcie_deliver(run, &tlp, data);
	}
	return true;
}

/* Traces the writes of piece @i, and of those behind it that are like it. */
static int issue_writes(struct end *end, unsigned int i)
{
	unsigned int n = count_alike(end, i, TLP_BURST_MAX);

	end->traced = i + n;
	if (n > 1)
		return pcie_issue_pieces(&end->t, &end->run[i], &end->piece[i], n);
	return pcie_issue_burst(&end->t, &end->run[i], (struct tlp_burst){ .requests = true },
				NULL);
}

/* A piece of the target. Returns 0, -EINVAL, or -EFAULT: memory is gone. */
static int write_piece(struct end *end, unsigned int i, struct cursor *at)
{
	const struct tlp_burst requests = { .requests = true };
	struct pcie_run part = end->run[i];
	size_t len = part.len;
	int rc = 0;

	set_hint(end, i);
	if (part.route == PCIE_ROUTE_MEMORY) {
		if (end->t.trace && end->traced <= i)
			rc = issue_writes(end, i);
		return rc || copy(at, end->memory[i], len) ? rc : -EFAULT;
	}
	for (size_t done = 0; !rc && done < len; done += part.len) {
		struct tlp_burst_walk walk;

		part.addr = end->run[i].addr + done;
		part.len = tlp_split(part.addr, len - done, TLP_BURST_MAX);
		rc = pcie_issue_burst(&end->t, &part, requests, &walk);
		if (!rc && !fill(at, &part, end->t.max, &walk))
			rc = -EFAULT;
	}
	return rc;
}

static bool has_function(const struct end *end)
{
	for (unsigned int i = 0; i < end->pieces; i++)
		if (end->run[i].route == PCIE_ROUTE_FUNCTION)
			return true;
	return false;
}

/*
 * Memory is gone; nothing is held any more. The host's own access finds out which, and says so to
 * whom it concerns.
 */
static int find_gone(const struct end *source, const struct cursor *at, const struct end *target,
		     unsigned int piece)
{
	const struct pcie_piece *from = &source->piece[at->piece], *to = &target->piece[piece];
	uint8_t data[TLP_BOUNDARY];
	size_t n;

	for (size_t done = at->done; done < from->len; done += n) {
		n = from->len - done < sizeof(data) ? from->len - done : sizeof(data);
		if (source->t.host_ops->read(source->t.fn->host, from->addr + done, data, n))
			return -EIO;
	}
	if (target->run[piece].route != PCIE_ROUTE_MEMORY)
		return -EIO;
	/* What is written there is of no account: the transfer has failed. */
	for (size_t done = 0; done < to->len; done += n) {
		n = to->len - done < sizeof(data) ? to->len - done : sizeof(data);
		if (target->t.host_ops->read(target->t.fn->host, to->addr + done, data, n))
			return -EFAULT;
	}
	return -EFAULT;
}

int pcie_copy(struct pcie_function *reader, const struct pcie_piece *from, unsigned int from_count,
	      struct pcie_function *writer, const struct pcie_piece *to, unsigned int to_count)
{
	struct end source, target;
	struct cursor at = { .end = &source };
	bool function;
	unsigned int i;
	int rc = 0;

	source.t = (struct pcie_transfer){ .fn = reader, .tlp.type = TLP_MRD };
	source.piece = from;
	source.pieces = from_count;
	source.holds = source.traced = 0;
	source.first = source.size = 0;
	target.t = (struct pcie_transfer){ .fn = writer, .tlp.type = TLP_MWR };
	target.piece = to;
	target.pieces = to_count;
	target.holds = target.traced = 0;
	target.first = target.size = 0;
	if (!from_count || !to_count || from_count > PCIE_PIECES || to_count > PCIE_PIECES ||
	    !pcie_may_copy(reader, writer) || !open_end(&source))
		return -EAGAIN;
	/* One look at the clock is enough. */
	target.t.time_ns = source.t.time_ns;
	if (!open_end(&target)) {
		release(&source);
		return -EAGAIN;
	}
	function = has_function(&target);
	if (function)
		pthread_mutex_lock(&reader->fabric->delivery);
	if (source.t.trace)
		rc = issue_reads(&source);
	for (i = 0; !rc && i < to_count; i++)
		rc = write_piece(&target, i, &at);
	if (function)
		pthread_mutex_unlock(&reader->fabric->delivery);
	release(&source);
	release(&target);
	return rc == -EFAULT ? find_gone(&source, &at, &target, i - 1) : rc;
}
