/* SPDX-License-Identifier: GPL-2.0-only */
#include "transport/tests/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MILLION	  1000000u
#define TRAIN_MAX 64u
#define STEP_NS	  1000u

void world_wrong(const struct world *world, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "seed %llu, at %llu ns: ", (unsigned long long)world->seed,
		(unsigned long long)world->now);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	abort();
}

/* splitmix64 */
static uint64_t number(struct world *world)
{
	uint64_t z = world->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint64_t world_below(struct world *world, uint64_t n)
{
	return n ? number(world) % n : 0;
}

bool world_chance(struct world *world, uint32_t millionths)
{
	return millionths && world_below(world, MILLION) < millionths;
}

uint8_t world_byte(unsigned int job, uint64_t offset)
{
	return (uint8_t)(job * 31 + offset * 7 + (offset >> 8) + 1);
}

/* --- the requester's owner ------------------------------------------------------------------- */

static enum transport_answer fetch(void *owner, uint64_t id, uint64_t offset, size_t len,
				   uint8_t *buf, const uint8_t **at)
{
	struct world *world = owner;
	struct job *job = &world->job[id];

	if (job->complete || offset + len > job->message.length || !len)
		world_wrong(world, "fetch of what is not to be sent: job %u", (unsigned int)id);
	if (world_chance(world, world->waits))
		return TRANSPORT_WAIT;
	if (job->local_refusal)
		return TRANSPORT_REFUSED;
	for (size_t i = 0; i < len; i++)
		buf[i] = world_byte((unsigned int)id, offset + i);
	*at = buf;
	return TRANSPORT_OK;
}

static enum transport_answer place(void *owner, uint64_t id, uint64_t offset, const uint8_t *data,
				   size_t len)
{
	struct world *world = owner;
	struct job *job = &world->job[id];
	uint64_t from = job->message.va - WORLD_READ + offset;

	if (job->complete || job->message.operation != TRANSPORT_READ || offset != job->placed ||
	    offset + len > job->message.length)
		world_wrong(world, "READ of job %u: %zu bytes at %llu", (unsigned int)id, len,
			    (unsigned long long)offset);
	if (world_chance(world, world->waits))
		return TRANSPORT_WAIT;
	if (job->local_refusal)
		return TRANSPORT_REFUSED;
	if (len && memcmp(data, world->read + from, len))
		world_wrong(world, "READ of job %u: other bytes", (unsigned int)id);
	job->placed += len;
	return TRANSPORT_OK;
}

static enum transport_answer place_atomic(void *owner, uint64_t id, uint64_t original)
{
	struct world *world = owner;
	struct job *job = &world->job[id];

	if (job->complete || job->has_original)
		world_wrong(world, "atomic of job %u came twice", (unsigned int)id);
	if (world_chance(world, world->waits))
		return TRANSPORT_WAIT;
	if (job->local_refusal)
		return TRANSPORT_REFUSED;
	if (original != job->original)
		world_wrong(world, "atomic of job %u: %llu", (unsigned int)id,
			    (unsigned long long)original);
	job->has_original = true;
	return TRANSPORT_OK;
}

static void complete(void *owner, uint64_t id, enum transport_status status)
{
	struct world *world = owner;
	struct job *job = &world->job[id];

	if (id != world->completed)
		world_wrong(world, "job %u completes after %u", (unsigned int)id, world->completed);
	if (status == TRANSPORT_SUCCESS) {
		if (job->message.operation == TRANSPORT_READ && job->placed != job->message.length)
			world_wrong(world, "READ of job %u is complete without its data",
				    (unsigned int)id);
		if (job->message.operation >= TRANSPORT_COMPARE_SWAP && !job->has_original)
			world_wrong(world, "atomic of job %u is complete without its answer",
				    (unsigned int)id);
	}
	job->complete = true;
	job->status = status;
	world->completed++;
}

const struct requester_ops world_requester_ops = { fetch, place, place_atomic, complete };

/* --- the responder's owner ------------------------------------------------------------------- */

static enum transport_answer refuse(enum transport_refusal *why, enum transport_refusal reason)
{
	*why = reason;
	return TRANSPORT_REFUSED;
}

static enum transport_answer check(void *owner, const struct transport_range *range,
				   enum transport_refusal *why)
{
	struct world *world = owner;
	uint64_t base = range->operation == TRANSPORT_WRITE  ? WORLD_WRITTEN
			: range->operation == TRANSPORT_READ ? WORLD_READ
							     : WORLD_ATOMIC;
	uint64_t size = base == WORLD_ATOMIC ? sizeof(world->cell) : WORLD_MEMORY;

	if (world_chance(world, world->waits))
		return TRANSPORT_WAIT;
	if (!range->length)
		return world->no_rights ? refuse(why, TRANSPORT_REFUSE_RIGHTS) : TRANSPORT_OK;
	if (range->r_key != WORLD_KEY || range->va < base || range->length > size ||
	    range->va - base > size - range->length)
		return refuse(why, TRANSPORT_REFUSE_KEY);
	if (world->responder.attr.path.service == PACKET_XRC && range->srqn != WORLD_SRQN)
		world_wrong(world, "XRC request for SRQ %u", range->srqn);
	return TRANSPORT_OK;
}

static enum transport_answer write_memory(void *owner, const struct transport_range *range,
					  uint64_t offset, const uint8_t *data, size_t len,
					  enum transport_refusal *why)
{
	struct world *world = owner;

	(void)why;
	if (range->r_key != WORLD_KEY || offset + len > range->length ||
	    range->va - WORLD_WRITTEN + offset + len > WORLD_MEMORY)
		world_wrong(world, "write without a right");
	if (world_chance(world, world->waits))
		return TRANSPORT_WAIT;
	memcpy(world->written + (range->va - WORLD_WRITTEN) + offset, data, len);
	return TRANSPORT_OK;
}

static enum transport_answer read_memory(void *owner, const struct transport_range *range,
					 uint64_t offset, size_t len, uint8_t *buf,
					 const uint8_t **at, enum transport_refusal *why)
{
	struct world *world = owner;
	uint64_t from = range->va - WORLD_READ + offset;

	(void)buf;
	if (range->r_key != WORLD_KEY || from + len > WORLD_MEMORY)
		world_wrong(world, "read without a right");
	if (world_chance(world, world->waits))
		return TRANSPORT_WAIT;
	if (world->bus_error)
		return refuse(why, TRANSPORT_REFUSE_BUS);
	/* By reference: it does not change. */
	*at = world->read + from;
	return TRANSPORT_OK;
}

static enum transport_answer atomic(void *owner, const struct transport_range *range,
				    uint64_t swap_add, uint64_t compare, uint64_t *original,
				    enum transport_refusal *why)
{
	struct world *world = owner;
	uint64_t *cell = &world->cell[(range->va - WORLD_ATOMIC) / 8];

	(void)why;
	if (world_chance(world, world->waits))
		return TRANSPORT_WAIT;
	*original = *cell;
	if (range->operation == TRANSPORT_FETCH_ADD)
		*cell += swap_add;
	else if (*cell == compare)
		*cell = swap_add;
	return TRANSPORT_OK;
}

static enum transport_answer take(void *owner, uint32_t srqn, uint64_t *length, bool *ready,
				  enum transport_refusal *why)
{
	struct world *world = owner;

	(void)why;
	if (srqn != (world->responder.attr.path.service == PACKET_XRC ? WORLD_SRQN : 0))
		world_wrong(world, "receive of SRQ %u", srqn);
	if (world_chance(world, world->waits))
		return TRANSPORT_WAIT;
	*length = world->receive_length;
	*ready = world->taken || world->receives;
	if (!world->taken && world->receives) {
		world->receives--;
		world->taken = true;
		memset(world->received, 0, sizeof(world->received));
	}
	return TRANSPORT_OK;
}

static enum transport_answer place_received(void *owner, uint64_t offset, const uint8_t *data,
					    size_t len, enum transport_refusal *why)
{
	struct world *world = owner;

	(void)why;
	if (!world->taken || offset + len > world->receive_length)
		world_wrong(world, "more bytes than the receive has");
	if (world_chance(world, world->waits))
		return TRANSPORT_WAIT;
	memcpy(world->received + offset, data, len);
	return TRANSPORT_OK;
}

static bool takes_receive(const struct job *job)
{
	return job->message.operation <= TRANSPORT_SEND_INV ||
	       job->message.operation == TRANSPORT_WRITE_IMM;
}

/* Whether the receipt, and what is in the receive, are those of @index. */
static bool is_of(const struct world *world, const struct transport_receipt *receipt,
		  unsigned int index)
{
	const struct job *job = &world->job[index];
	bool has_word = job->message.operation != TRANSPORT_SEND;

	if (!takes_receive(job) || receipt->operation != job->message.operation ||
	    receipt->length != job->message.length ||
	    receipt->solicited != job->message.solicited ||
	    (has_word && receipt->immediate != job->message.immediate))
		return false;
	for (uint64_t i = 0; i < receipt->length; i++)
		if (receipt->operation != TRANSPORT_WRITE_IMM &&
		    world->received[i] != world_byte(index, i))
			return false;
	return true;
}

static enum transport_answer receipt(void *owner, const struct transport_receipt *receipt,
				     enum transport_refusal *why)
{
	struct world *world = owner;
	unsigned int index = world->last_receipt;

	if (!world->taken)
		world_wrong(world, "a message without a receive");
	if (world_chance(world, world->waits))
		return TRANSPORT_WAIT;
	if (receipt->operation == TRANSPORT_SEND_INV && receipt->immediate != WORLD_KEY)
		return refuse(why, TRANSPORT_REFUSE_INVALIDATE);
	while (index < world->jobs && !(world->lossy_order ? is_of(world, receipt, index)
							   : takes_receive(&world->job[index])))
		index++;
	if (index == world->jobs || !is_of(world, receipt, index))
		world_wrong(world, "receipt %u is not that of job %u", world->receipts, index);
	world->last_receipt = index + 1;
	world->receipts++;
	world->taken = false;
	return TRANSPORT_OK;
}

static int64_t receives(void *owner)
{
	struct world *world = owner;

	return world->counted ? (int64_t)world->receives + world->taken : -1;
}

static void failed(void *owner, enum transport_refusal why)
{
	struct world *world = owner;

	if (world->responder_failed)
		world_wrong(world, "the responder failed twice");
	world->responder_failed = true;
	world->refusal = why;
}

const struct responder_ops world_responder_ops = { check,   write_memory, read_memory,
						   atomic,  take,	  place_received,
						   receipt, receives,	  failed };

/* --- the network ------------------------------------------------------------------------------ */

static void launch(struct world *world, bool response, const struct packet *packet, uint32_t count)
{
	struct flight *flight = &world->flight[world->flights];

	if (world->flights == WORLD_FLIGHTS)
		return; /* lost, as in a switch that is full */
	world->flights++;
	*flight = (struct flight){ .at = world->now + world->network.delay_ns +
					 world_below(world, world->network.jitter_ns),
				   .response = response,
				   .packet = *packet,
				   .count = count };
	if (packet->length) {
		flight->payload = malloc(packet->length);
		if (!flight->payload)
			abort();
		memcpy(flight->payload, packet->payload, packet->length);
	}
	flight->packet.payload = flight->payload;
}

/* As bytes on an InfiniBand link; false when they were damaged. */
static bool as_bytes(struct world *world, const struct packet *packet, uint8_t *buf,
		     struct packet *back)
{
	struct packet_route route = { .slid = 1, .dlid = 2 }, to;
	int len = packet_encode(&route, packet, buf, PACKET_MAX);
	enum packet_fault fault;

	if (len < 0)
		world_wrong(world, "packet 0x%02x does not encode: %d", packet->opcode, len);
	if (world_chance(world, world->network.damaged))
		buf[world_below(world, (uint64_t)len)] ^= (uint8_t)(1u << world_below(world, 8));
	fault = packet_decode(false, buf, (size_t)len, &to, back);
	if (fault && !world->network.damaged)
		world_wrong(world, "packet 0x%02x: %s", packet->opcode, packet_fault_name(fault));
	return !fault;
}

static void send(struct world *world, bool response, const struct packet *packet, uint32_t count)
{
	static uint8_t buf[PACKET_MAX];
	struct packet back;

	world->packets += count;
	if (world_chance(world, world->network.loss)) {
		world->lost++;
		return;
	}
	if (world->network.bytes) {
		if (!as_bytes(world, packet, buf, &back)) {
			world->lost++;
			return;
		}
		packet = &back;
	}
	launch(world, response, packet, count);
	if (world_chance(world, world->network.doubled))
		launch(world, response, packet, count);
}

/* The first that is due, and of several the one that was sent first. */
static struct flight *due(struct world *world)
{
	struct flight *first = NULL;

	for (unsigned int i = 0; i < world->flights; i++) {
		struct flight *flight = &world->flight[i];

		if (flight->at <= world->now && (!first || flight->at < first->at))
			first = flight;
	}
	return first;
}

static void land(struct world *world, struct flight *flight)
{
	free(flight->payload);
	world->flights--;
	memmove(flight, flight + 1,
		(size_t)(&world->flight[world->flights] - flight) * sizeof(*flight));
}

static bool deliver(struct world *world)
{
	struct flight *flight = due(world);
	bool taken;

	if (!flight)
		return false;
	taken = flight->response
			? requester_receive(&world->requester, world->now, &flight->packet,
					    flight->count)
			: responder_receive(&world->responder, &flight->packet, flight->count);
	/* One that has to come again comes before all others. */
	if (!taken)
		return false;
	land(world, flight);
	return true;
}

bool world_step(struct world *world)
{
	static uint8_t buf[TRAIN_MAX * PACKET_PAYLOAD_MAX];
	size_t room = (size_t)world->network.train * world->requester.attr.path.mtu;
	uint32_t count;
	uint64_t wakes;
	struct packet packet;
	bool busy = false;

	for (unsigned int i = 0; i < 32 && deliver(world); i++)
		busy = true;
	if (!world->responder_failed && world_chance(world, world->receive_after))
		world->receives++;
	for (unsigned int i = 0; i < 8; i++) {
		count = responder_poll(&world->responder, &packet, buf, room);
		if (count) {
			send(world, true, &packet, count);
			busy = true;
		}
		count = requester_poll(&world->requester, world->now, &packet, buf, room);
		if (count) {
			send(world, false, &packet, count);
			busy = true;
		}
	}
	world->now += STEP_NS;
	if (busy || world->flights || world->waits)
		return true;
	/* Nothing moves: on to the timer. */
	wakes = requester_wakes(&world->requester);
	if (wakes > world->now)
		world->now = wakes;
	if (wakes && world->receive_after)
		world->receives++;
	return wakes;
}

/* --- the rest ----------------------------------------------------------------------------------
 */

void world_init(struct world *world, uint64_t seed)
{
	memset(world, 0, sizeof(*world));
	world->seed = world->random = seed;
	world->now = 1;
	world->receive_length = WORLD_MEMORY;
	for (unsigned int i = 0; i < WORLD_MEMORY; i++)
		world->read[i] = (uint8_t)number(world);
}

void world_free(struct world *world)
{
	while (world->flights)
		land(world, &world->flight[0]);
}

void world_connect(struct world *world, enum packet_class service)
{
	static const uint32_t losses[] = { 0, 1000, 10000, 50000, 200000 };
	static const uint32_t mtus[] = { 256, 1024, 4096 };
	struct transport_path path = { .service = service,
				       .mtu = mtus[world_below(world, 3)],
				       .dest_qpn = 0x12,
				       .p_key = 0xffff,
				       .migrated = true,
				       .dc_key = service == PACKET_DC ? 0xdc5eed : 0,
				       .src_qpn = service == PACKET_DC ? 0x34 : 0 };
	uint32_t psn = (uint32_t)(world_below(world, 2) ? number(world) & PSN_MASK
							: PSN_MASK - world_below(world, 100));
	uint8_t fetches = (uint8_t)(1 + world_below(world, RESPONDER_RESOURCES));
	struct requester_attr requester = { .path = path,
					    .psn = psn,
					    .window = REQUESTER_WINDOW,
					    .retry_count = 7,
					    .rnr_retry = REQUESTER_RNR_FOREVER,
					    .timeout_ns = 1000000,
					    .max_rd_atomic = fetches };
	struct responder_attr responder = {
		.path = path, .psn = psn, .max_dest_rd_atomic = fetches, .min_rnr_timer = 1
	};

	world->network = (struct network){
		.loss = losses[world_below(world, 5)],
		.doubled = losses[world_below(world, 5)],
		.delay_ns = world_below(world, 20000),
		.jitter_ns = world_below(world, 2) ? world_below(world, 50000) : 0,
		.bytes = world_below(world, 2),
	};
	world->network.train = 1;
	if (!world->network.bytes && world->network.loss <= 10000 && world_below(world, 2))
		world->network.train += (uint32_t)world_below(world, TRAIN_MAX);
	world->network.damaged = world->network.bytes ? losses[world_below(world, 4)] : 0;
	world->waits = world_below(world, 4) ? 0 : 100000;
	world->counted = service == PACKET_RC && world_below(world, 2);
	world->receive_after = (uint32_t)(1000 + world_below(world, MILLION));
	requester_init(&world->requester, &requester, &world_requester_ops, world);
	responder_init(&world->responder, &responder, &world_responder_ops, world);
}

void world_post(struct world *world, const struct requester_message *message)
{
	unsigned int index = world->jobs++;
	struct job *job = &world->job[index];
	uint64_t *cell = &world->shadow_cell[(message->va - WORLD_ATOMIC) / 8 % WORLD_CELLS];

	job->message = *message;
	job->message.id = index;
	switch (message->operation) {
	case TRANSPORT_WRITE:
	case TRANSPORT_WRITE_IMM:
		for (uint64_t i = 0; i < message->length && message->r_key == WORLD_KEY; i++)
			world->shadow[message->va - WORLD_WRITTEN + i] = world_byte(index, i);
		break;
	case TRANSPORT_FETCH_ADD:
		job->original = *cell;
		*cell += message->r_key == WORLD_KEY ? message->swap_add : 0;
		break;
	case TRANSPORT_COMPARE_SWAP:
		job->original = *cell;
		if (*cell == message->compare && message->r_key == WORLD_KEY)
			*cell = message->swap_add;
		break;
	default:
		break;
	}
	if (requester_post(&world->requester, &job->message))
		world_wrong(world, "job %u cannot be posted", index);
}
