/* SPDX-License-Identifier: GPL-2.0-only */
#include "transport/requester.h"

#include <errno.h>
#include <string.h>

/* They begin with the first one again whenever nothing is under way: it is in the cache. */
static struct requester_entry *entry_of(struct requester *r, uint64_t number)
{
	return &r->entry[(number - r->first) % REQUESTER_MESSAGES];
}

static bool is_atomic(const struct requester_message *m)
{
	return m->operation == TRANSPORT_COMPARE_SWAP || m->operation == TRANSPORT_FETCH_ADD;
}

static bool is_unreliable(const struct requester *r)
{
	return r->attr.path.service == PACKET_UC;
}

void requester_modify(struct requester *r, const struct requester_attr *attr)
{
	r->attr = *attr;
	if (r->attr.window < 4 || r->attr.window > REQUESTER_WINDOW_MAX)
		r->attr.window = REQUESTER_WINDOW;
	r->retries_left = attr->retry_count;
	r->rnr_left = attr->rnr_retry;
}

void requester_init(struct requester *r, const struct requester_attr *attr,
		    const struct requester_ops *ops, void *owner)
{
	memset(r, 0, sizeof(*r));
	r->ops = ops;
	r->owner = owner;
	requester_modify(r, attr);
	/* Above zero, so that a ghost's number does not wrap. */
	r->new_psn = (attr->psn & PSN_MASK) + (1ull << PSN_BITS);
	r->unacked = r->sent = r->new_psn;
}

int requester_post(struct requester *r, const struct requester_message *message)
{
	bool atomic = is_atomic(message), fetch = atomic || message->operation == TRANSPORT_READ;
	struct requester_entry *entry;

	if (message->length > TRANSPORT_LENGTH_MAX ||
	    (atomic && message->length != sizeof(uint64_t)) ||
	    (is_unreliable(r) && (fetch || message->operation == TRANSPORT_SEND_INV)))
		return -EINVAL;
	if (r->posted - r->oldest == REQUESTER_MESSAGES)
		return -EAGAIN;
	if (r->oldest == r->posted)
		r->first = r->posted;
	entry = entry_of(r, r->posted);
	entry->message = *message;
	entry->psn = r->new_psn;
	entry->psns = atomic ? 1 : transport_packets(message->length, r->attr.path.mtu);
	entry->got = 0;
	entry->fetch = fetch;
	r->posted++;
	r->new_psn += entry->psns;
	if (r->failed)
		requester_flush(r);
	return 0;
}

static void complete(struct requester *r, enum transport_status status)
{
	uint64_t id = entry_of(r, r->oldest)->message.id;

	r->oldest++;
	if (r->next < r->oldest) {
		r->next = r->oldest;
		r->at = 0;
	}
	r->ops->complete(r->owner, id, status);
}

void requester_flush(struct requester *r)
{
	r->failed = true;
	r->deadline = 0;
	while (r->oldest < r->posted)
		complete(r, TRANSPORT_FLUSHED);
}

void requester_fail(struct requester *r, enum transport_status status)
{
	if (r->failed)
		return;
	r->failed = true;
	if (r->oldest < r->posted)
		complete(r, status);
	requester_flush(r);
}

/* --- sending ----------------------------------------------------------------------------- */

/* The number that the next packet has. */
static uint64_t next_psn(struct requester *r)
{
	const struct requester_entry *entry = entry_of(r, r->next);

	return entry->psn + (entry->fetch ? entry->got : r->at);
}

static void go_back(struct requester *r)
{
	const struct requester_entry *entry = entry_of(r, r->oldest);

	r->next = r->oldest;
	r->at = 0;
	if (r->oldest < r->posted && !entry->fetch)
		r->at = r->unacked - entry->psn;
	r->ask = true;
}

static void restart_timer(struct requester *r, uint64_t now)
{
	bool waits = r->next > r->oldest || r->at;

	r->deadline = waits && now && r->attr.timeout_ns && !is_unreliable(r)
			      ? now + r->attr.timeout_ns
			      : 0;
}

void requester_start(struct requester *r, uint64_t now)
{
	if (!r->failed && !r->deadline && !r->rnr_until)
		restart_timer(r, now);
}

/* One more try, or the end. */
static bool may_retry(struct requester *r)
{
	if (r->attr.retry_count == REQUESTER_RETRY_FOREVER)
		return true;
	if (!r->retries_left) {
		requester_fail(r, TRANSPORT_RETRY_EXCEEDED);
		return false;
	}
	r->retries_left--;
	return true;
}

static void timer(struct requester *r, uint64_t now)
{
	if (!r->deadline || now < r->deadline)
		return;
	if (!may_retry(r))
		return;
	r->counts.timeouts++;
	r->went_back = false;
	r->deadline = 0;
	go_back(r);
}

static bool takes_receive(const struct requester_message *m)
{
	return m->operation <= TRANSPORT_SEND_INV || m->operation == TRANSPORT_WRITE_IMM;
}

/* The receiver has said that it has no receive for the message to send. */
static bool is_limited(struct requester *r)
{
	return r->credits && r->next >= r->credits && takes_receive(&entry_of(r, r->next)->message);
}

static bool may_send(struct requester *r)
{
	const struct requester_entry *entry = entry_of(r, r->next);
	unsigned int fetches = 0;

	if (is_unreliable(r))
		return true;
	/* Without credits a packet at a time goes, alone, to learn of new ones (9.7.7.2.5). */
	if (is_limited(r)) {
		if (next_psn(r) != r->unacked)
			return false;
		r->ask = true;
	}
	if (next_psn(r) - r->unacked >= r->attr.window)
		return false;
	if (entry->psn + entry->psns - r->unacked >= PSN_HALF && r->next != r->oldest)
		return false;
	if (!entry->fetch)
		return true;
	for (uint64_t i = r->oldest; i < r->next; i++)
		fetches += entry_of(r, i)->fetch;
	return fetches < r->attr.max_rd_atomic;
}

/* Opcodes of a message's packets: middle, first, last, only. */
static uint8_t opcode_of(const struct requester_entry *entry, bool first, bool last)
{
	static const uint8_t opcodes[][4] = {
		[TRANSPORT_SEND] = { PACKET_SEND_MIDDLE, PACKET_SEND_FIRST, PACKET_SEND_LAST,
				     PACKET_SEND_ONLY },
		[TRANSPORT_SEND_IMM] = { PACKET_SEND_MIDDLE, PACKET_SEND_FIRST,
					 PACKET_SEND_LAST_IMM, PACKET_SEND_ONLY_IMM },
		[TRANSPORT_SEND_INV] = { PACKET_SEND_MIDDLE, PACKET_SEND_FIRST,
					 PACKET_SEND_LAST_INV, PACKET_SEND_ONLY_INV },
		[TRANSPORT_WRITE] = { PACKET_WRITE_MIDDLE, PACKET_WRITE_FIRST, PACKET_WRITE_LAST,
				      PACKET_WRITE_ONLY },
		[TRANSPORT_WRITE_IMM] = { PACKET_WRITE_MIDDLE, PACKET_WRITE_FIRST,
					  PACKET_WRITE_LAST_IMM, PACKET_WRITE_ONLY_IMM },
		[TRANSPORT_READ] = { PACKET_READ, PACKET_READ, PACKET_READ, PACKET_READ },
		[TRANSPORT_COMPARE_SWAP] = { PACKET_COMPARE_SWAP, PACKET_COMPARE_SWAP,
					     PACKET_COMPARE_SWAP, PACKET_COMPARE_SWAP },
		[TRANSPORT_FETCH_ADD] = { PACKET_FETCH_ADD, PACKET_FETCH_ADD, PACKET_FETCH_ADD,
					  PACKET_FETCH_ADD },
	};

	return opcodes[entry->message.operation]
		      [(first ? PACKET_FIRST : 0) | (last ? PACKET_LAST : 0)];
}

/* How many packets of the message at the cursor may go as one, of @most. */
static uint64_t train(struct requester *r, const struct requester_entry *entry, uint64_t most)
{
	uint64_t left = entry->psns - r->at, window = r->unacked + r->attr.window - next_psn(r);

	if (entry->fetch || is_limited(r))
		return 1;
	if (!is_unreliable(r) && left > window)
		left = window;
	return left < most ? left : most;
}

/* A multiple of a quarter of the window is among @count numbers from @psn on. */
static bool asks(const struct requester *r, uint64_t psn, uint64_t count)
{
	uint64_t quarter = r->attr.window / 4;

	return (psn + count - 1) / quarter != (psn - 1) / quarter;
}

/* Headers of @count packets; a READ that was answered in part asks for the rest. */
static void fill(struct requester *r, const struct requester_entry *entry, uint64_t count,
		 struct packet *packet)
{
	const struct requester_message *m = &entry->message;
	const struct transport_path *path = &r->attr.path;
	bool fetch = entry->fetch, first = !r->at, last = fetch || r->at + count == entry->psns;
	uint64_t done = entry->got * path->mtu;

	*packet = (struct packet){
		.opcode = (uint8_t)(path->service | opcode_of(entry, first, last)),
		.solicited = m->solicited && last,
		.migrated = path->migrated,
		.ack_req = !is_unreliable(r) && (last || r->ask || asks(r, next_psn(r), count)),
		.p_key = path->p_key,
		.dest_qpn = path->dest_qpn,
		.psn = next_psn(r) & PSN_MASK,
		.dc_key = path->dc_key,
		.src_qpn = path->src_qpn,
		.srqn = m->srqn,
		.va = m->va,
		.r_key = m->r_key,
		.dma_length = (uint32_t)m->length,
		.swap_add = m->swap_add,
		.compare = m->compare,
		.immediate = m->immediate,
		/* All of them, so that it is not cleared first. */
		.fecn = false,
		.becn = false,
		.q_key = 0,
		.syndrome = 0,
		.msn = 0,
		.original = 0,
		.payload = NULL,
		.length = 0,
		.reserved = false,
	};
	if (m->operation == TRANSPORT_READ) {
		packet->va += done;
		packet->dma_length -= (uint32_t)done;
	}
}

/* The @count packets at the cursor are gone. */
static void advance(struct requester *r, uint64_t now, const struct requester_entry *entry,
		    uint64_t count)
{
	bool fetch = entry->fetch;
	uint64_t psn = next_psn(r), end = fetch ? entry->psn + entry->psns : psn + count;

	r->counts.packets += count;
	if (psn < r->sent)
		r->counts.resent += r->sent - psn < count ? r->sent - psn : count;
	if (r->sent < end)
		r->sent = end;
	r->ask = false;
	r->at += count;
	if (fetch || r->at == entry->psns) {
		r->next++;
		r->at = 0;
	}
	if (is_unreliable(r)) {
		r->unacked = end;
		if (!r->at)
			complete(r, TRANSPORT_SUCCESS);
		return;
	}
	if (!r->deadline)
		restart_timer(r, now);
}

uint32_t requester_poll(struct requester *r, uint64_t now, struct packet *packet, uint8_t *buf,
			size_t room)
{
	struct requester_entry *entry;
	uint64_t offset, left, count;

	if (r->failed || now < r->rnr_until)
		return 0;
	r->rnr_until = 0;
	timer(r, now);
	if (r->failed || r->next == r->posted || !may_send(r))
		return 0;
	entry = entry_of(r, r->next);
	count = train(r, entry, transport_full_packets(room, r->attr.path.mtu));
	fill(r, entry, count, packet);
	if (!entry->fetch && entry->message.length) {
		offset = r->at * r->attr.path.mtu;
		left = entry->message.length - offset;
		packet->length = left;
		if (packet->length > count * r->attr.path.mtu)
			packet->length = count * r->attr.path.mtu;
		switch (r->ops->fetch(r->owner, entry->message.id, offset, packet->length, buf,
				      &packet->payload)) {
		case TRANSPORT_OK:
			break;
		case TRANSPORT_WAIT:
			return 0;
		default:
			/* Those before it have a right to their own end. */
			if (r->next == r->oldest)
				requester_fail(r, TRANSPORT_LOCAL_PROTECTION);
			return 0;
		}
	}
	advance(r, now, entry, count);
	return (uint32_t)count;
}

uint64_t requester_wakes(const struct requester *r)
{
	return r->rnr_until ? r->rnr_until : r->deadline;
}

/* --- answers ----------------------------------------------------------------------------- */

static void progress(struct requester *r, uint64_t now)
{
	r->retries_left = r->attr.retry_count;
	r->rnr_left = r->attr.rnr_retry;
	r->went_back = false;
	restart_timer(r, now);
}

/*
 * All below @end is acknowledged, but READs and atomics only by their own responses. Returns false
 * when one of them stands in the way.
 */
static bool acknowledge(struct requester *r, uint64_t now, uint64_t end)
{
	uint64_t before = r->unacked;
	bool all = true;

	while (r->oldest < r->posted) {
		struct requester_entry *entry = entry_of(r, r->oldest);
		uint64_t behind = entry->psn + entry->psns;

		if (entry->fetch && entry->got < entry->psns) {
			if (r->unacked < entry->psn + entry->got && entry->psn <= end)
				r->unacked = entry->psn + entry->got;
			all = end <= entry->psn + entry->got;
			break;
		}
		if (end < behind) {
			if (r->unacked < end)
				r->unacked = end;
			break;
		}
		r->unacked = behind;
		complete(r, TRANSPORT_SUCCESS);
	}
	/* What was about to be sent again has arrived after all. */
	if (r->next == r->oldest && r->oldest < r->posted && !entry_of(r, r->oldest)->fetch &&
	    entry_of(r, r->oldest)->psn + r->at < r->unacked)
		r->at = r->unacked - entry_of(r, r->oldest)->psn;
	if (r->unacked != before)
		progress(r, now);
	return all;
}

/* An answer to a later request came first: one was lost. Once, until there is progress. */
static void implied_nak(struct requester *r)
{
	if (r->went_back)
		return;
	r->counts.implied_naks++;
	go_back(r);
	r->went_back = true;
}

static bool was_sent(struct requester *r, uint64_t psn)
{
	return r->next == r->posted ? r->next > r->oldest : next_psn(r) > psn;
}

static void receive_rnr(struct requester *r, uint64_t now, uint8_t field)
{
	/* The other end lives. */
	r->retries_left = r->attr.retry_count;
	if (r->attr.rnr_retry != REQUESTER_RNR_FOREVER) {
		if (!r->rnr_left) {
			requester_fail(r, TRANSPORT_RNR_EXCEEDED);
			return;
		}
		r->rnr_left--;
	}
	r->counts.rnr_naks++;
	r->rnr_until = now + transport_rnr_ns(field);
	r->deadline = 0;
	go_back(r);
}

static void receive_nak(struct requester *r, uint8_t code)
{
	switch (code) {
	case NAK_SEQUENCE:
		if (!may_retry(r))
			return;
		r->counts.sequence_naks++;
		go_back(r);
		break;
	case NAK_INVALID:
		requester_fail(r, TRANSPORT_REMOTE_INVALID);
		break;
	case NAK_ACCESS:
		requester_fail(r, TRANSPORT_REMOTE_ACCESS);
		break;
	case NAK_OPERATION:
		requester_fail(r, TRANSPORT_REMOTE_OPERATION);
		break;
	default: /* reserved: it says nothing */
		break;
	}
}

static void learn_credits(struct requester *r, const struct packet *packet)
{
	uint8_t code = packet->syndrome & AETH_VALUE;
	uint64_t limit;

	if (packet->syndrome >> AETH_KIND_SHIFT != AETH_ACK || code == AETH_NO_CREDITS)
		return;
	limit = psn_near(r->oldest + (1ull << PSN_BITS), packet->msn) - (1ull << PSN_BITS) +
		transport_credits(code);
	if (r->credits < limit)
		r->credits = limit;
}

static void receive_ack(struct requester *r, uint64_t now, uint64_t psn, uint8_t syndrome)
{
	uint8_t kind = syndrome >> AETH_KIND_SHIFT, value = syndrome & AETH_VALUE;

	if (kind != AETH_ACK && kind != AETH_RNR && kind != AETH_NAK)
		return;
	if (!acknowledge(r, now, kind == AETH_ACK ? psn + 1 : psn)) {
		implied_nak(r);
		return;
	}
	/* A NAK for what is to be sent again anyway says nothing new. */
	if (kind == AETH_ACK || r->oldest == r->posted || !was_sent(r, psn))
		return;
	if (kind == AETH_RNR)
		receive_rnr(r, now, value);
	else
		receive_nak(r, value);
}

/* @count responses with data, from @psn on. Returns false when the owner has to wait. */
static bool receive_data(struct requester *r, uint64_t now, uint64_t psn,
			 const struct packet *packet, uint32_t count,
			 const struct packet_opcode *info)
{
	struct requester_entry *entry = NULL;
	enum transport_answer answer;
	uint64_t offset, left, len;
	bool atomic = info->operation == PACKET_OP_ATOMIC_ACK, last;

	for (uint64_t i = r->oldest; i < r->posted && !entry; i++) {
		struct requester_entry *candidate = entry_of(r, i);

		if (psn < candidate->psn + candidate->psns)
			entry = candidate;
	}
	if (!acknowledge(r, now, entry->psn) || entry != entry_of(r, r->oldest) ||
	    (entry->fetch && psn != entry->psn + entry->got)) {
		implied_nak(r);
		return true;
	}
	offset = entry->got * r->attr.path.mtu;
	left = entry->message.length - offset;
	len = left < (uint64_t)count * r->attr.path.mtu ? left : (uint64_t)count * r->attr.path.mtu;
	last = entry->got + count == entry->psns;
	if (entry->got + count > entry->psns) {
		requester_fail(r, TRANSPORT_BAD_RESPONSE);
		return true;
	}
	if (atomic ? !is_atomic(&entry->message)
		   : entry->message.operation != TRANSPORT_READ || packet->length != len ||
			     !(info->place & PACKET_LAST) == last ||
			     (!entry->got && !(info->place & PACKET_FIRST))) {
		requester_fail(r, TRANSPORT_BAD_RESPONSE);
		return true;
	}
	answer = atomic ? r->ops->place_atomic(r->owner, entry->message.id, packet->original)
			: r->ops->place(r->owner, entry->message.id, offset, packet->payload, len);
	if (answer == TRANSPORT_WAIT)
		return false;
	if (answer == TRANSPORT_REFUSED) {
		requester_fail(r, TRANSPORT_LOCAL_PROTECTION);
		return true;
	}
	entry->got += count;
	acknowledge(r, now, psn + count);
	return true;
}

bool requester_receive(struct requester *r, uint64_t now, const struct packet *packet,
		       uint32_t count)
{
	struct packet_opcode info;
	uint64_t psn = psn_near(r->unacked, packet->psn);

	if (r->failed || is_unreliable(r))
		return true;
	if (!packet_opcode(packet->opcode, &info) || !info.response ||
	    (packet->opcode & PACKET_CLASS_MASK) != r->attr.path.service)
		return true;
	if (psn < r->unacked || psn >= r->sent) {
		r->counts.ghosts++;
		return true;
	}
	if (info.headers & PACKET_AETH)
		learn_credits(r, packet);
	if (info.operation != PACKET_OP_ACK)
		return receive_data(r, now, psn, packet, count, &info);
	receive_ack(r, now, psn, packet->syndrome);
	return true;
}
