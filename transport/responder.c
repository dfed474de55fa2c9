/* SPDX-License-Identifier: GPL-2.0-only */
#include "transport/responder.h"

#include <string.h>

/* What became of a request packet. */
enum outcome {
	TAKEN,	   /* it is done, and so counts */
	LATER,	   /* the owner waits: nothing has changed */
	NOT_READY, /* no receive */
	REFUSED,   /* *why says it */
	DROPPED,
};

static bool is_unreliable(const struct responder *r)
{
	return r->attr.path.service == PACKET_UC;
}

void responder_init(struct responder *r, const struct responder_attr *attr,
		    const struct responder_ops *ops, void *owner)
{
	memset(r, 0, sizeof(*r));
	r->attr = *attr;
	if (r->attr.max_dest_rd_atomic > RESPONDER_RESOURCES)
		r->attr.max_dest_rd_atomic = RESPONDER_RESOURCES;
	r->ops = ops;
	r->owner = owner;
	r->expected = (attr->psn & PSN_MASK) + (1ull << PSN_BITS);
}

/* --- answers that wait --------------------------------------------------------------------- */

static struct responder_answer *answer_at(struct responder *r, unsigned int index)
{
	return &r->answer[(r->first_answer + index) % RESPONDER_ANSWERS];
}

static bool has_room(const struct responder *r)
{
	/* The last place is for an ACK or a NAK. */
	return r->answers < RESPONDER_ANSWERS - 1;
}

static void queue(struct responder *r, const struct responder_answer *answer)
{
	if (r->answers < RESPONDER_ANSWERS)
		*answer_at(r, r->answers++) = *answer;
	else
		r->counts.dropped++;
}

static bool is_ack(uint8_t syndrome)
{
	return syndrome >> AETH_KIND_SHIFT == AETH_ACK;
}

/* An ACK says all that one before it says, unless that is a NAK. */
static void queue_ack(struct responder *r, uint64_t psn, uint8_t syndrome)
{
	struct responder_answer *last = r->answers ? answer_at(r, r->answers - 1) : NULL;

	if (!last || last->kind != PACKET_OP_ACK || !is_ack(last->syndrome)) {
		if (r->answers == RESPONDER_ANSWERS) {
			r->counts.dropped++;
			return;
		}
		last = answer_at(r, r->answers++);
	}
	/* Nobody looks at its other fields. */
	last->kind = PACKET_OP_ACK;
	last->psn = psn;
	last->syndrome = syndrome;
}

static uint8_t nak(uint8_t code)
{
	return AETH_NAK << AETH_KIND_SHIFT | code;
}

/* Its credits are of the time when it leaves. */
static uint8_t ack(void)
{
	return AETH_ACK << AETH_KIND_SHIFT;
}

static void fail(struct responder *r, enum transport_refusal why)
{
	r->failed = true;
	r->ops->failed(r->owner, why);
}

/* --- one packet of a message --------------------------------------------------------------- */

static enum outcome outcome(enum transport_answer answer)
{
	return answer == TRANSPORT_OK ? TAKEN : answer == TRANSPORT_WAIT ? LATER : REFUSED;
}

static enum outcome refuse(enum transport_refusal *why, enum transport_refusal reason)
{
	*why = reason;
	return REFUSED;
}

/* All packets but the last are full, and the last one is not empty (9.7.4.1.6). */
static bool length_fits(const struct responder *r, const struct packet *packet, uint32_t count,
			const struct packet_opcode *info)
{
	uint64_t full = (uint64_t)count * r->attr.path.mtu;

	if (!(info->place & PACKET_LAST))
		return packet->length == full;
	if (!packet->length)
		return count == 1 && info->place == PACKET_ONLY;
	return packet->length <= full && packet->length > full - r->attr.path.mtu;
}

static enum transport_operation send_operation(const struct packet_opcode *info)
{
	if (info->headers & PACKET_IETH)
		return TRANSPORT_SEND_INV;
	return info->headers & PACKET_IMMDT ? TRANSPORT_SEND_IMM : TRANSPORT_SEND;
}

static enum outcome receipt(struct responder *r, enum transport_operation operation,
			    uint64_t length, const struct packet *packet,
			    enum transport_refusal *why)
{
	struct transport_receipt receipt = { operation, length, packet->immediate,
					     packet->solicited };

	return outcome(r->ops->receipt(r->owner, &receipt, why));
}

static enum outcome send(struct responder *r, const struct packet *packet,
			 const struct packet_opcode *info, enum transport_refusal *why)
{
	bool first = info->place & PACKET_FIRST, ready = true;
	uint64_t room = r->room, done = first ? 0 : r->done;
	enum outcome what;

	if (first) {
		what = outcome(r->ops->take(r->owner, packet->srqn, &room, &ready, why));
		if (what != TAKEN)
			return what;
		if (!ready)
			return NOT_READY;
	}
	if (packet->length > room - done)
		return refuse(why, TRANSPORT_REFUSE_RECV_LENGTH);
	if (packet->length) {
		what = outcome(r->ops->place(r->owner, done, packet->payload, packet->length, why));
		if (what != TAKEN)
			return what;
	}
	done += packet->length;
	if (info->place & PACKET_LAST) {
		what = receipt(r, send_operation(info), done, packet, why);
		if (what != TAKEN)
			return what;
	}
	r->room = room;
	r->done = done;
	return TAKEN;
}

static enum outcome write(struct responder *r, const struct packet *packet,
			  const struct packet_opcode *info, enum transport_refusal *why)
{
	bool first = info->place & PACKET_FIRST, last = info->place & PACKET_LAST, ready = true;
	uint64_t done = first ? 0 : r->done, room;
	/* What is not taken comes again as the first. */
	struct transport_range *range = &r->range;
	enum outcome what;

	if (first)
		*range = (struct transport_range){ TRANSPORT_WRITE, packet->r_key, packet->va,
						   packet->dma_length, packet->srqn };
	if (last ? packet->length != range->length - done : packet->length > range->length - done)
		return refuse(why, TRANSPORT_REFUSE_LENGTH);
	if (first) {
		what = outcome(r->ops->check(r->owner, range, why));
		if (what != TAKEN)
			return what;
	}
	if (info->headers & PACKET_IMMDT) {
		what = outcome(r->ops->take(r->owner, packet->srqn, &room, &ready, why));
		if (what != TAKEN)
			return what;
		if (!ready)
			return NOT_READY;
	}
	if (packet->length) {
		what = outcome(
			r->ops->write(r->owner, range, done, packet->payload, packet->length, why));
		if (what != TAKEN)
			return what;
	}
	done += packet->length;
	if (info->headers & PACKET_IMMDT) {
		what = receipt(r, TRANSPORT_WRITE_IMM, done, packet, why);
		if (what != TAKEN)
			return what;
	}
	r->done = done;
	return TAKEN;
}

static unsigned int resources_in_use(struct responder *r)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < r->answers; i++)
		count += answer_at(r, i)->kind != PACKET_OP_ACK && !answer_at(r, i)->again;
	return count;
}

static void remember(struct responder *r, const struct responder_resource *resource)
{
	r->resource[r->next_resource] = *resource;
	r->next_resource = (r->next_resource + 1) % r->attr.max_dest_rd_atomic;
}

static struct transport_range read_range(const struct packet *packet)
{
	return (struct transport_range){ TRANSPORT_READ, packet->r_key, packet->va,
					 packet->dma_length, packet->srqn };
}

static enum outcome read_request(struct responder *r, uint64_t psn, const struct packet *packet,
				 enum transport_refusal *why)
{
	struct responder_answer answer = { .kind = PACKET_OP_READ_RESPONSE,
					   .psn = psn,
					   .range = read_range(packet),
					   .again = psn != r->expected };
	enum outcome what;

	what = outcome(r->ops->check(r->owner, &answer.range, why));
	if (what != TAKEN)
		return what;
	queue(r, &answer);
	return TAKEN;
}

static enum outcome atomic(struct responder *r, uint64_t psn, const struct packet *packet,
			   enum transport_refusal *why)
{
	bool swap = (packet->opcode & ~PACKET_CLASS_MASK) == PACKET_COMPARE_SWAP;
	struct transport_range range = { swap ? TRANSPORT_COMPARE_SWAP : TRANSPORT_FETCH_ADD,
					 packet->r_key, packet->va, sizeof(uint64_t),
					 packet->srqn };
	struct responder_answer answer = { .kind = PACKET_OP_ATOMIC_ACK, .psn = psn };
	enum outcome what;

	what = outcome(r->ops->check(r->owner, &range, why));
	if (what != TAKEN)
		return what;
	if (packet->va % sizeof(uint64_t))
		return refuse(why, TRANSPORT_REFUSE_MISALIGNED);
	what = outcome(r->ops->atomic(r->owner, &range, packet->swap_add, packet->compare,
				      &answer.original, why));
	if (what != TAKEN)
		return what;
	queue(r, &answer);
	remember(r, &(struct responder_resource){ true, psn, answer.original, range.operation });
	return TAKEN;
}

/* Whether the packet goes on with the message under way, or begins one. */
static bool in_place(const struct responder *r, const struct packet_opcode *info)
{
	if (info->place & PACKET_FIRST)
		return !r->in_message;
	return r->in_message && r->operation == info->operation;
}

static enum outcome execute(struct responder *r, const struct packet *packet, uint32_t count,
			    const struct packet_opcode *info, enum transport_refusal *why)
{
	if (info->headers & PACKET_DCETH && packet->dc_key != r->attr.path.dc_key)
		return refuse(why, TRANSPORT_REFUSE_DC_KEY);
	if (!in_place(r, info))
		return refuse(why, TRANSPORT_REFUSE_SEQUENCE);
	if ((info->headers & PACKET_RETH && packet->dma_length > TRANSPORT_LENGTH_MAX) ||
	    (info->payload && !length_fits(r, packet, count, info)))
		return refuse(why, TRANSPORT_REFUSE_LENGTH);
	switch (info->operation) {
	case PACKET_OP_SEND:
		return send(r, packet, info, why);
	case PACKET_OP_WRITE:
		return write(r, packet, info, why);
	default:
		break;
	}
	if (resources_in_use(r) >= r->attr.max_dest_rd_atomic)
		return refuse(why, TRANSPORT_REFUSE_RESOURCES);
	return info->operation == PACKET_OP_READ ? read_request(r, r->expected, packet, why)
						 : atomic(r, r->expected, packet, why);
}

static void begin_or_end(struct responder *r, const struct packet_opcode *info)
{
	r->in_message = !(info->place & PACKET_LAST);
	r->operation = info->operation;
}

/* --- reliable ------------------------------------------------------------------------------ */

static uint64_t numbers(const struct responder *r, const struct packet *packet, uint32_t count,
			const struct packet_opcode *info)
{
	if (info->operation != PACKET_OP_READ)
		return count;
	return transport_packets(packet->dma_length, r->attr.path.mtu);
}

/* It was done already: its answer was lost, or is on its way (9.7.5.1.4, 9.7.5.1.5). */
static bool duplicate(struct responder *r, uint64_t psn, const struct packet *packet,
		      uint32_t count, const struct packet_opcode *info)
{
	enum transport_refusal why;
	struct responder_answer answer = { .kind = PACKET_OP_ATOMIC_ACK,
					   .psn = psn,
					   .again = true };

	if (psn + count > r->expected) {
		r->counts.duplicates += r->expected - psn;
		queue_ack(r, r->expected, nak(NAK_SEQUENCE));
		return true;
	}
	r->counts.duplicates += count;
	switch (info->operation) {
	case PACKET_OP_READ:
		/* What goes beyond what was asked for is no duplicate. */
		if (psn + numbers(r, packet, count, info) > r->expected || !has_room(r))
			break;
		switch (read_request(r, psn, packet, &why)) {
		case LATER:
			r->counts.duplicates--;
			return false;
		case REFUSED:
			queue_ack(r, psn, nak(transport_nak(why)));
			fail(r, why);
			break;
		default:
			break;
		}
		return true;
	case PACKET_OP_ATOMIC:
		for (unsigned int i = 0; i < RESPONDER_RESOURCES && has_room(r); i++)
			if (r->resource[i].used && r->resource[i].psn == psn) {
				answer.original = r->resource[i].original;
				queue(r, &answer);
				return true;
			}
		break;
	default:
		queue_ack(r, r->expected - 1, ack());
		return true;
	}
	r->counts.dropped++;
	return true;
}

static bool reliable(struct responder *r, const struct packet *packet, uint32_t count,
		     const struct packet_opcode *info)
{
	uint64_t psn = psn_near(r->expected, packet->psn);
	enum transport_refusal why;

	if (psn < r->expected)
		return duplicate(r, psn, packet, count, info);
	if (psn > r->expected) {
		r->counts.out_of_sequence += count;
		if (!r->silent)
			queue_ack(r, r->expected, nak(NAK_SEQUENCE));
		r->silent = true;
		return true;
	}
	if (!has_room(r) && info->operation != PACKET_OP_SEND &&
	    info->operation != PACKET_OP_WRITE) {
		r->counts.dropped++;
		return true;
	}
	switch (execute(r, packet, count, info, &why)) {
	case LATER:
		return false;
	case NOT_READY:
		r->counts.not_ready++;
		queue_ack(r, psn, AETH_RNR << AETH_KIND_SHIFT | (r->attr.min_rnr_timer & 31));
		r->silent = true;
		return true;
	case REFUSED:
		queue_ack(r, psn, nak(transport_nak(why)));
		fail(r, why);
		return true;
	default:
		break;
	}
	r->silent = false;
	r->expected += numbers(r, packet, count, info);
	begin_or_end(r, info);
	if (!r->in_message)
		r->msn = (r->msn + 1) & PACKET_24_BITS;
	if (packet->ack_req &&
	    (info->operation == PACKET_OP_SEND || info->operation == PACKET_OP_WRITE))
		queue_ack(r, psn + count - 1, ack());
	return true;
}

/* --- unreliable (9.8.2) --------------------------------------------------------------------- */

/* Nobody is told: what is wrong ends the message, and the next one that begins is taken. */
static bool unreliable(struct responder *r, const struct packet *packet, uint32_t count,
		       const struct packet_opcode *info)
{
	uint64_t psn = psn_near(r->expected, packet->psn);
	bool first = info->place & PACKET_FIRST;
	enum transport_refusal why;

	if (psn != r->expected) {
		/* Those behind it in a train follow it. */
		r->counts.out_of_sequence++;
		r->skips = true;
	}
	if (first) {
		r->skips = false;
		r->in_message = false;
	}
	r->expected = psn + count;
	if (r->skips || !in_place(r, info)) {
		r->skips = true;
		r->in_message = false;
		r->counts.dropped += count;
		return true;
	}
	switch (execute(r, packet, count, info, &why)) {
	case LATER:
		r->expected = psn;
		return false;
	case TAKEN:
		begin_or_end(r, info);
		return true;
	case NOT_READY:
		r->counts.not_ready++;
		break;
	case REFUSED:
		/* Its receive ends in error, and with it the QP; a key is nobody's business. */
		if (why == TRANSPORT_REFUSE_RECV_LENGTH || why == TRANSPORT_REFUSE_RECV_LOCAL ||
		    why == TRANSPORT_REFUSE_RECV_QUEUE || why == TRANSPORT_REFUSE_BUS)
			fail(r, why);
		break;
	default:
		break;
	}
	r->counts.dropped += count;
	r->skips = true;
	r->in_message = false;
	return true;
}

bool responder_receive(struct responder *r, const struct packet *packet, uint32_t count)
{
	struct packet_opcode info;
	bool taken;

	if (r->failed || !packet_opcode(packet->opcode, &info) || info.response ||
	    (packet->opcode & PACKET_CLASS_MASK) != r->attr.path.service) {
		r->counts.dropped += count;
		return true;
	}
	taken = is_unreliable(r) ? unreliable(r, packet, count, &info)
				 : reliable(r, packet, count, &info);
	if (taken)
		r->counts.packets += count;
	return taken;
}

/* --- answers out ----------------------------------------------------------------------------- */

void responder_refuse(struct responder *r, uint32_t psn, enum transport_refusal why)
{
	if (r->failed)
		return;
	r->answers = 0;
	queue_ack(r, psn_near(r->expected, psn), nak(transport_nak(why)));
	fail(r, why);
}

/* @last: it has all that is left of a READ. */
static uint8_t response_opcode(const struct responder_answer *answer, bool last)
{

	switch (answer->kind) {
	case PACKET_OP_ACK:
		return PACKET_ACK;
	case PACKET_OP_ATOMIC_ACK:
		return PACKET_ATOMIC_ACK;
	default:
		if (answer->continued)
			return last ? PACKET_READ_LAST : PACKET_READ_MIDDLE;
		return last ? PACKET_READ_ONLY : PACKET_READ_FIRST;
	}
}

static void pop(struct responder *r)
{
	/* An empty list begins in front again: that is in the cache. */
	r->first_answer = --r->answers ? (r->first_answer + 1) % RESPONDER_ANSWERS : 0;
}

uint32_t responder_poll(struct responder *r, struct packet *packet, uint8_t *buf, size_t room)
{
	struct responder_answer *answer = answer_at(r, 0);
	const struct transport_path *path = &r->attr.path;
	enum transport_refusal why;
	uint64_t len, most;
	bool last;

	if (!r->answers)
		return 0;
	len = answer->kind == PACKET_OP_READ_RESPONSE ? answer->range.length : 0;
	most = room & ~(uint64_t)(path->mtu - 1);
	last = len <= most;
	*packet = (struct packet){
		.opcode = (uint8_t)(path->service | response_opcode(answer, last)),
		.migrated = path->migrated,
		.p_key = path->p_key,
		.dest_qpn = path->dest_qpn,
		.psn = answer->psn & PSN_MASK,
		.syndrome = answer->kind == PACKET_OP_ACK ? answer->syndrome : ack(),
		.msn = r->msn,
		.original = answer->kind == PACKET_OP_ATOMIC_ACK ? answer->original : 0,
		/* All of them, so that it is not cleared first. */
		.solicited = false,
		.fecn = false,
		.becn = false,
		.ack_req = false,
		.srqn = 0,
		.q_key = 0,
		.src_qpn = 0,
		.dc_key = 0,
		.va = 0,
		.r_key = 0,
		.dma_length = 0,
		.swap_add = 0,
		.compare = 0,
		.immediate = 0,
		.payload = NULL,
		.length = 0,
		.reserved = false,
	};
	if (is_ack(packet->syndrome))
		packet->syndrome |= transport_credit_code(r->ops->receives(r->owner));
	if (answer->kind != PACKET_OP_READ_RESPONSE) {
		pop(r);
		return 1;
	}
	if (!last)
		len = most;
	if (len)
		switch (r->ops->read(r->owner, &answer->range, 0, len, buf, &packet->payload,
				     &why)) {
		case TRANSPORT_OK:
			break;
		case TRANSPORT_WAIT:
			return 0;
		default:
			/* After a failure that was told already, only its NAK is left to say. */
			if (r->failed) {
				pop(r);
				return responder_poll(r, packet, buf, room);
			}
			responder_refuse(r, packet->psn, why);
			return responder_poll(r, packet, buf, room);
		}
	packet->length = len;
	answer->psn += transport_packets(len, path->mtu);
	answer->range.va += len;
	answer->range.length -= len;
	answer->continued = true;
	if (last)
		pop(r);
	return (uint32_t)transport_packets(len, path->mtu);
}
