/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets of a peer that keeps no rule, to a responder and a requester. Their owner sees that they
 * touch only what a check allowed, what fits into a receive, and what a message asked for, and that
 * each message ends once and in order.
 */
#include <stdlib.h>

#include "fuzz/target.h"
#include "transport/requester.h"
#include "transport/responder.h"

#define MEMORY 8192u
#define KEY    7u
#define OPS    400u

struct owner {
	struct requester requester;
	struct responder responder;
	struct input *in;
	uint64_t now;
	uint64_t posted, completed;
	uint64_t length[REQUESTER_MESSAGES], placed[REQUESTER_MESSAGES];
	bool fetches[REQUESTER_MESSAGES], failed, requester_failed;
	bool taken;
	uint64_t room;
	uint8_t memory[MEMORY];
};

static bool waits(const struct owner *owner)
{
	return input_u8(owner->in) > 0xf0;
}

static enum transport_answer fetch(void *data, uint64_t id, uint64_t offset, size_t len,
				   uint8_t *buf, const uint8_t **at)
{
	struct owner *owner = data;

	if (id < owner->completed || id >= owner->posted || owner->fetches[id % REQUESTER_MESSAGES])
		finding("fetch for message %lu", id);
	if (!len || offset + len > owner->length[id % REQUESTER_MESSAGES] ||
	    len > owner->requester.attr.path.mtu)
		finding("fetch of %zu bytes at %lu", len, offset);
	if (waits(owner))
		return TRANSPORT_WAIT;
	memset(buf, (int)id, len);
	*at = buf;
	return TRANSPORT_OK;
}

static enum transport_answer place(void *data, uint64_t id, uint64_t offset, const uint8_t *bytes,
				   size_t len)
{
	struct owner *owner = data;
	uint64_t *placed = &owner->placed[id % REQUESTER_MESSAGES];

	if (id < owner->completed || id >= owner->posted ||
	    !owner->fetches[id % REQUESTER_MESSAGES])
		finding("data for message %lu", id);
	if (offset != *placed || offset + len > owner->length[id % REQUESTER_MESSAGES])
		finding("%zu bytes at %lu of message %lu", len, offset, id);
	if (waits(owner))
		return TRANSPORT_WAIT;
	for (size_t i = 0; i < len; i++)
		owner->memory[i] ^= bytes[i];
	*placed += len;
	return TRANSPORT_OK;
}

static enum transport_answer place_atomic(void *data, uint64_t id, uint64_t original)
{
	uint8_t bytes[8];

	memcpy(bytes, &original, sizeof(bytes));
	return place(data, id, 0, bytes, sizeof(bytes));
}

static void complete(void *data, uint64_t id, enum transport_status status)
{
	struct owner *owner = data;
	uint64_t slot = id % REQUESTER_MESSAGES;

	if (id != owner->completed || id >= owner->posted)
		finding("message %lu completes after %lu", id, owner->completed);
	if (status == TRANSPORT_SUCCESS && owner->requester_failed)
		finding("message %lu succeeds after a failure", id);
	if (status == TRANSPORT_SUCCESS && owner->fetches[slot] &&
	    owner->placed[slot] != owner->length[slot])
		finding("message %lu is complete without its data", id);
	owner->requester_failed |= status != TRANSPORT_SUCCESS;
	owner->completed++;
}

static enum transport_answer check(void *data, const struct transport_range *range,
				   enum transport_refusal *why)
{
	struct owner *owner = data;

	if (waits(owner))
		return TRANSPORT_WAIT;
	if (!range->length)
		return TRANSPORT_OK;
	if (range->r_key == KEY && range->va <= MEMORY && range->length <= MEMORY - range->va)
		return TRANSPORT_OK;
	*why = TRANSPORT_REFUSE_KEY;
	return TRANSPORT_REFUSED;
}

static void allowed(const struct owner *owner, const struct transport_range *range, uint64_t offset,
		    size_t len)
{
	(void)owner;
	if (range->r_key != KEY || range->va > MEMORY || range->length > MEMORY - range->va ||
	    offset > range->length || len > range->length - offset)
		finding("access of %zu bytes at 0x%lx + %lu", len, range->va, offset);
}

static enum transport_answer write_range(void *data, const struct transport_range *range,
					 uint64_t offset, const uint8_t *bytes, size_t len,
					 enum transport_refusal *why)
{
	struct owner *owner = data;

	allowed(owner, range, offset, len);
	*why = TRANSPORT_REFUSE_BUS;
	if (waits(owner))
		return input_u8(owner->in) & 1 ? TRANSPORT_WAIT : TRANSPORT_REFUSED;
	memcpy(owner->memory + range->va + offset, bytes, len);
	return TRANSPORT_OK;
}

static enum transport_answer read_range(void *data, const struct transport_range *range,
					uint64_t offset, size_t len, uint8_t *buf,
					const uint8_t **at, enum transport_refusal *why)
{
	struct owner *owner = data;

	(void)buf;
	allowed(owner, range, offset, len);
	*why = TRANSPORT_REFUSE_BUS;
	if (waits(owner))
		return input_u8(owner->in) & 1 ? TRANSPORT_WAIT : TRANSPORT_REFUSED;
	*at = owner->memory + range->va + offset;
	return TRANSPORT_OK;
}

static enum transport_answer atomic(void *data, const struct transport_range *range,
				    uint64_t swap_add, uint64_t compare, uint64_t *original,
				    enum transport_refusal *why)
{
	struct owner *owner = data;

	(void)why;
	(void)compare;
	allowed(owner, range, 0, 8);
	if (range->va % 8)
		finding("an atomic at 0x%lx", range->va);
	if (waits(owner))
		return TRANSPORT_WAIT;
	*original = swap_add;
	return TRANSPORT_OK;
}

static enum transport_answer take(void *data, uint32_t srqn, uint64_t *length, bool *ready,
				  enum transport_refusal *why)
{
	struct owner *owner = data;

	(void)why;
	(void)srqn;
	if (waits(owner))
		return TRANSPORT_WAIT;
	if (!owner->taken)
		owner->room = input_u16(owner->in) % MEMORY;
	owner->taken = owner->taken || input_u8(owner->in) < 0xf0;
	*ready = owner->taken;
	*length = owner->room;
	return TRANSPORT_OK;
}

static enum transport_answer place_received(void *data, uint64_t offset, const uint8_t *bytes,
					    size_t len, enum transport_refusal *why)
{
	struct owner *owner = data;

	(void)why;
	if (!owner->taken || offset > owner->room || len > owner->room - offset)
		finding("%zu bytes at %lu of a receive of %lu", len, offset, owner->room);
	if (waits(owner))
		return TRANSPORT_WAIT;
	memcpy(owner->memory + offset, bytes, len);
	return TRANSPORT_OK;
}

static enum transport_answer receipt(void *data, const struct transport_receipt *receipt,
				     enum transport_refusal *why)
{
	struct owner *owner = data;

	(void)why;
	if (!owner->taken)
		finding("a receipt without a receive");
	if (receipt->operation != TRANSPORT_WRITE_IMM && receipt->length > owner->room)
		finding("%lu bytes in a receive of %lu", receipt->length, owner->room);
	if (waits(owner))
		return TRANSPORT_WAIT;
	owner->taken = false;
	return TRANSPORT_OK;
}

static int64_t receives(void *data)
{
	return (int8_t)input_u8(((struct owner *)data)->in);
}

static void failed(void *data, enum transport_refusal why)
{
	struct owner *owner = data;

	if (owner->failed)
		finding("the responder fails twice: %s", transport_refusal_name(why));
	owner->failed = true;
}

static const struct requester_ops requester_ops = { fetch, place, place_atomic, complete };
static const struct responder_ops responder_ops = { check,   write_range, read_range,
						    atomic,  take,	  place_received,
						    receipt, receives,	  failed };

static void post(struct owner *owner)
{
	struct requester_message message = {
		.operation = (enum transport_operation)input_below(owner->in, 8),
		.id = owner->posted,
		.length = input_u16(owner->in) % 3000,
		.r_key = KEY,
	};
	uint64_t slot = message.id % REQUESTER_MESSAGES;

	if (message.operation >= TRANSPORT_COMPARE_SWAP)
		message.length = 8;
	if (owner->posted - owner->completed == REQUESTER_MESSAGES)
		return;
	owner->fetches[slot] = message.operation >= TRANSPORT_READ;
	owner->length[slot] = message.length;
	owner->placed[slot] = 0;
	/* It may complete within the call. */
	owner->posted++;
	if (requester_post(&owner->requester, &message))
		owner->posted--;
}

static struct packet some_packet(struct owner *owner, uint64_t near)
{
	static const uint8_t bytes[PACKET_PAYLOAD_MAX];
	uint32_t mtu = owner->requester.attr.path.mtu;
	uint8_t how = input_u8(owner->in);
	struct packet packet = {
		.opcode = (uint8_t)(owner->requester.attr.path.service |
				    (input_u8(owner->in) & 0x1f)),
		.ack_req = how & 1,
		.solicited = how & 2,
		.psn = (uint32_t)(near + (how & 4 ? (int8_t)input_u8(owner->in) : 0)) & PSN_MASK,
		.va = input_u16(owner->in) & (how & 8 ? 0xffff : 0xff8),
		.r_key = how & 16 ? input_u8(owner->in) : KEY,
		.dma_length = (uint32_t)(how & 32 ? input_number(owner->in)
						  : input_u16(owner->in) % 2000),
		.syndrome = input_u8(owner->in),
		.msn = input_u8(owner->in),
		.payload = bytes,
	};
	struct packet_opcode info;

	if (!packet_opcode(packet.opcode, &info) || !info.payload)
		return packet;
	packet.length = how & 64 ? input_u16(owner->in) % (PACKET_PAYLOAD_MAX + 1) : mtu;
	if (how & 128 && packet.length > packet.dma_length)
		packet.length = packet.dma_length;
	return packet;
}

static void step(struct owner *owner)
{
	uint8_t buf[PACKET_PAYLOAD_MAX];
	struct packet packet;

	switch (input_below(owner->in, 6)) {
	case 0:
		post(owner);
		break;
	case 1:
		packet = some_packet(owner, owner->responder.expected);
		for (unsigned int i = 0; i < 3; i++)
			if (responder_receive(&owner->responder, &packet, 1))
				break;
		break;
	case 2:
		packet = some_packet(owner, owner->requester.unacked);
		for (unsigned int i = 0; i < 3; i++)
			if (requester_receive(&owner->requester, owner->now, &packet, 1))
				break;
		break;
	case 3:
		while (!waits(owner) && responder_poll(&owner->responder, &packet, buf,
						       owner->responder.attr.path.mtu))
			if (packet.length > owner->responder.attr.path.mtu)
				finding("a response of %zu bytes", packet.length);
		break;
	case 4:
		while (!waits(owner) && requester_poll(&owner->requester, owner->now, &packet, buf,
						       owner->requester.attr.path.mtu))
			if (packet.length > owner->requester.attr.path.mtu)
				finding("a request of %zu bytes", packet.length);
		break;
	default:
		owner->now += (uint64_t)1 << input_below(owner->in, 32);
		break;
	}
}

void target_input(const uint8_t *data, size_t size)
{
	static const enum packet_class services[] = { PACKET_RC, PACKET_DC, PACKET_XRC, PACKET_UC };
	struct input in = input_of(data, size);
	struct owner *owner = calloc(1, sizeof(*owner));
	uint8_t how = input_u8(&in);
	struct transport_path path = { .service = services[how & 3],
				       .mtu = 256u << (how >> 2 & 3) };
	struct requester_attr requester = { .path = path,
					    .psn = how >> 4,
					    .window = REQUESTER_WINDOW,
					    .retry_count = input_u8(&in) & 7,
					    .rnr_retry = input_u8(&in) & 7,
					    .timeout_ns = 4096,
					    .max_rd_atomic = input_u8(&in) & 15 };
	struct responder_attr responder = { .path = path,
					    .psn = how >> 4,
					    .max_dest_rd_atomic = input_u8(&in) & 31 };

	if (!owner)
		abort();
	owner->in = &in;
	owner->now = 1;
	requester_init(&owner->requester, &requester, &requester_ops, owner);
	responder_init(&owner->responder, &responder, &responder_ops, owner);
	for (unsigned int i = 0; i < OPS && !input_done(&in); i++)
		step(owner);
	requester_flush(&owner->requester);
	if (owner->completed != owner->posted)
		finding("%lu of %lu messages ended", owner->completed, owner->posted);
	free(owner);
}
