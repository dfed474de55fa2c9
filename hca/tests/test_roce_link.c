/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connected QPs of two functions on two switches, which one link joins: all that they say to each
 * other are frames. What the link loses, doubles or reorders comes all the same exactly once and in
 * order, or the QP is in error for a reason that there is.
 */
#include "hca/tests/ethernet.h"
#include "hca/tests/wire.h"
#include "packet/packet.h"

#define MAX  20000u
#define CELL 0xf0000u
#define MTU  1024u

static const uint8_t gids[2][16] = { { [10] = 0xff, 0xff, 10, 0, 0, 1 },
				     { [10] = 0xff, 0xff, 10, 0, 0, 2 } };
static const uint8_t macs[2][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };

/* One direction of the link: from the switch of a side to that of the other. */
struct lane {
	struct bridge_port *port, *to;
	struct impairment *line;
	unsigned int frames, bad; /* bad: those that are no packet of RoCE */
	unsigned int skip;	  /* the next ones, which get lost */
	uint8_t last[PACKET_MAX];
	size_t last_len;
};

struct frame {
	size_t len;
	uint8_t bytes[];
};

static struct {
	struct fixture *f;
	struct bridge *bridge[2];
	struct lane lane[2];
} two;

static struct end a, b;
static uint64_t random_state;

static uint64_t below(uint64_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (random_state >> 33) % n;
}

/* --- the link ------------------------------------------------------------------------------ */

static void *copy_frame(void *owner, void *packet)
{
	struct frame *frame = packet, *twin = malloc(sizeof(*twin) + frame->len);

	(void)owner;
	assert_non_null(twin);
	memcpy(twin, frame, sizeof(*twin) + frame->len);
	return twin;
}

static void drop_frame(void *owner, void *packet)
{
	(void)owner;
	free(packet);
}

static const struct impairment_ops frame_ops = { .copy = copy_frame, .drop = drop_frame };

static bool arrive(struct lane *lane)
{
	struct impairment_arrival arrival;
	bool any = false;

	while (impairment_get(lane->line, clock_now_ns(), &arrival)) {
		struct frame *frame = arrival.packet;

		if (arrival.damaged)
			frame->bytes[arrival.bit / 8 % frame->len] ^=
				(uint8_t)(1 << arrival.bit % 8);
		bridge_send(lane->to, frame->bytes, frame->len, clock_now_ns());
		free(frame);
		any = true;
	}
	return any;
}

static void leave(void *owner, const uint8_t *bytes, size_t len)
{
	struct lane *lane = owner;
	struct frame *frame = malloc(sizeof(*frame) + len);
	const struct impairment_label label = { 0, 0, lane->frames };
	struct packet_route route;
	struct packet packet;

	assert_non_null(frame);
	lane->frames++;
	lane->bad += packet_decode(true, bytes, len, &route, &packet) != PACKET_OK;
	memcpy(lane->last, bytes, len < sizeof(lane->last) ? len : sizeof(lane->last));
	lane->last_len = len;
	if (lane->skip) {
		lane->skip--;
		free(frame);
		return;
	}
	frame->len = len;
	memcpy(frame->bytes, bytes, len);
	impairment_put(lane->line, clock_now_ns(), frame, len, &label);
	arrive(lane);
}

static void impair_lanes(const char *text)
{
	char message[IMPAIRMENT_TEXT];
	struct impairment_spec spec;

	for (unsigned int i = 0; text && i < 2; i++) {
		assert_int_equal(impairment_parse(text, &spec, message), 0);
		spec.seed += i;
		impairment_set(two.lane[i].line, &spec);
	}
	for (unsigned int i = 0; !text && i < 2; i++)
		impairment_set(two.lane[i].line, NULL);
}

static struct impairment_counts lost_by(unsigned int side)
{
	struct impairment_counts counts[IMPAIRMENT_KINDS];

	impairment_get_counts(two.lane[side].line, counts);
	return counts[0];
}

/* --- two functions --------------------------------------------------------------------------- */

static void set_address(struct fixture_port *port, const uint8_t gid[16], const uint8_t mac[6])
{
	uint8_t in[0x30] = { 0x07, 0x61 }, out[16];

	be16_put(in, 8, 1);
	memcpy(in + 0x10, gid, 16);
	memcpy(in + 0x22, mac, 6);
	in[0x2b] = 2;
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
}

static void enable(struct fixture_port *port)
{
	uint8_t in[0x200] = { 0x07, 0x55 }, out[16];

	be32_put(in, 0x0c, 1u << 1);
	in[0x103] = 1;
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
}

static int setup(void **state)
{
	struct impairment_spec none = { 0 };
	struct hca_params params[FIXTURE_HCAS];

	memset(&two, 0, sizeof(two));
	for (unsigned int i = 0; i < 2; i++) {
		struct bridge_port_attr attr = { .owner = &two.lane[i], .deliver = leave };

		two.bridge[i] = bridge_new();
		two.lane[i].port = bridge_add(two.bridge[i], &attr);
		two.lane[i].line = impairment_new(&none, 4096, &frame_ops, NULL);
		params[i] = fixture_params(i);
		params[i].lid = 0;
		params[i].impaired = false;
		params[i].bridge = two.bridge[i];
		memcpy(params[i].mac, macs[i], 6);
	}
	two.lane[0].to = two.lane[1].port;
	two.lane[1].to = two.lane[0].port;
	two.f = fixture_new_with(params, NULL);
	for (unsigned int i = 0; i < 2; i++) {
		fixture_probe(&two.f->port[i]);
		enable(&two.f->port[i]);
		set_address(&two.f->port[i], gids[i], macs[i]);
	}
	*state = two.f;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_free(two.f);
	for (unsigned int i = 0; i < 2; i++) {
		impairment_free(two.lane[i].line);
		bridge_remove(two.lane[i].port);
		bridge_free(two.bridge[i]);
	}
	return 0;
}

/* As the driver writes the context: INIT2RTR with the address of the other one, then RTR2RTS. */
static void connect_to(struct end *end, unsigned int other, uint32_t rqpn, bool rts)
{
	uint8_t qpc[232] = { 0 };

	fixture_qp_init(end->port, &end->qp);
	field_put(qpc, 0, 23, 16, end->qp.type);
	field_put(qpc, 2, 31, 29, 3);
	field_put(qpc, 2, 28, 24, 30);
	field_put(qpc, 5, 23, 0, rqpn);
	field_put(qpc, 8, 23, 16, 1);
	field_put(qpc, 8, 7, 0, 64);
	memcpy(qpc + 40, gids[other], 16);
	field_put(qpc, 14, 15, 0, 0xc123);
	be16_put(qpc, 62, be16_at(macs[other], 0));
	be32_put(qpc, 64, be32_at(macs[other], 2));
	field_put(qpc, 36, 23, 21, 4);
	assert_int_equal(fixture_qp_modify(end->port, &end->qp, 0x503, 0, qpc), 0);
	if (rts)
		fixture_qp_rts(end->port, &end->qp);
}

static void make(enum hca_qp_type type)
{
	end_create(&a, &two.f->port[0], type, 0);
	end_create(&b, &two.f->port[1], type, 0);
	connect_to(&a, 1, b.qp.number, true);
	connect_to(&b, 0, a.qp.number, true);
	qp_of(&a)->ack_timeout = NEVER;
	qp_of(&b)->ack_timeout = NEVER;
}

/* Until nothing happens any more but by a timer. */
static void run(void)
{
	bool any = true;

	while (any) {
		fixture_poll(two.f);
		any = arrive(&two.lane[0]);
		any |= arrive(&two.lane[1]);
	}
}

static const uint8_t *complete(struct end *end)
{
	const uint8_t *cqe = NULL;

	for (unsigned int i = 0; i < 200 && !cqe; i++) {
		run();
		cqe = fixture_cq_next(end->port, &end->scq);
		if (!cqe && hca_connection(qp_of(end))->posted)
			expire(qp_of(end));
	}
	assert_non_null(cqe);
	return cqe;
}

static void complete_well(struct end *end, uint16_t index)
{
	const uint8_t *cqe = complete(end);

	assert_int_equal(cqe_opcode(cqe), HCA_CQE_REQ);
	assert_int_equal(be16_at(cqe, 0x3c), index);
}

/* --- operations ------------------------------------------------------------------------------ */

static void one_write(struct end *from, struct end *to, uint32_t len, uint64_t offset, bool imm,
		      uint32_t round)
{
	uint16_t index;

	memset(at(to, 0), 0xee, END_BUF / 2);
	fill(from, 0, END_BUF / 2, (uint8_t)(len + round));
	if (imm)
		post_recv(to, to->buf, to->lkey, 16);
	index = post_rdma(from, imm ? HCA_OP_WRITE_IMM : HCA_OP_WRITE, SIGNALLED, round,
			  to->buf + offset, to->lkey, from->buf + offset, from->lkey, len);
	complete_well(from, index);
	assert_memory_equal(at(to, offset), at(from, offset), len);
	assert_int_equal(*at(to, offset + len), 0xee);
	if (imm)
		assert_int_equal(be32_at(expect_recv(to, HCA_CQE_RESP_WRITE_IMM,
						     (uint16_t)(to->qp.rq_pi - 1)),
					 0x24),
				 round);
	expect_idle(to);
}

static void one_read(struct end *from, struct end *to, uint32_t len, uint64_t offset)
{
	uint16_t index;

	fill(to, 0, END_BUF / 2, (uint8_t)(offset + len));
	memset(at(from, END_BUF / 2), 0xdd, MAX + 1);
	index = post_rdma(from, HCA_OP_READ, SIGNALLED, 0, to->buf + offset, to->lkey,
			  from->buf + END_BUF / 2, from->lkey, len);
	complete_well(from, index);
	assert_memory_equal(at(from, END_BUF / 2), at(to, offset), len);
	assert_int_equal(*at(from, END_BUF / 2 + len), 0xdd);
}

static void one_send(struct end *from, struct end *to, uint32_t len, uint32_t round)
{
	const uint8_t *cqe;
	uint16_t index;

	memset(at(to, 0), 0xee, MAX + 1);
	fill(from, 0, MAX, (uint8_t)round);
	post_recv(to, to->buf, to->lkey, MAX);
	index = post_send(from, HCA_OP_SEND_IMM, SIGNALLED, round, from->buf, from->lkey, len);
	complete_well(from, index);
	cqe = expect_recv(to, HCA_CQE_RESP_SEND_IMM, (uint16_t)(to->qp.rq_pi - 1));
	assert_int_equal(be32_at(cqe, 0x24), round);
	assert_int_equal(be32_at(cqe, 0x2c), len);
	assert_memory_equal(at(to, 0), at(from, 0), len);
	assert_int_equal(*at(to, len), 0xee);
	expect_idle(to);
}

static void one_atomic(struct end *from, struct end *to, uint64_t count)
{
	uint64_t found;
	uint16_t index = post_atomic(from, HCA_OP_ATOMIC_FA, to->buf + CELL, to->lkey, 1, 0,
				     from->buf + CELL + 64, from->lkey);

	complete_well(from, index);
	memcpy(&found, at(from, CELL + 64), sizeof(found));
	assert_int_equal(found, count);
}

static void all_operations(unsigned int rounds)
{
	uint64_t atomics = 0;

	memset(at(&b, CELL), 0, 8);
	for (uint32_t i = 0; i < rounds; i++) {
		uint32_t len = (uint32_t)(below(4) ? below(MAX) : below(3));

		switch (below(5)) {
		case 0:
			one_write(&a, &b, len, below(5000), false, i);
			break;
		case 1:
			one_write(&b, &a, len, below(5000), true, i);
			break;
		case 2:
			one_read(&a, &b, len, below(5000));
			break;
		case 3:
			one_send(&a, &b, len, i);
			break;
		default:
			one_atomic(&a, &b, atomics++);
			break;
		}
	}
	assert_memory_equal(at(&b, CELL), &atomics, sizeof(atomics));
	assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_RTS);
	assert_int_equal(fixture_qp_state(b.port, &b.qp), HCA_QP_RTS);
}

/* --- tests ----------------------------------------------------------------------------------- */

/* 5000 bytes are five packets of the path's MTU, and one ACK comes back. */
static void write_goes_in_frames(void **state)
{
	struct packet_route route;
	struct packet packet;

	(void)state;
	make(HCA_QP_RC);
	one_write(&a, &b, 5000, 0, false, 1);
	assert_int_equal(two.lane[0].frames, 5);
	assert_int_equal(two.lane[0].bad + two.lane[1].bad, 0);
	assert_int_equal(
		packet_decode(true, two.lane[0].last, two.lane[0].last_len, &route, &packet),
		PACKET_OK);
	assert_int_equal(packet.opcode, PACKET_RC | PACKET_WRITE_LAST);
	assert_int_equal(packet.length, 5000 - 4 * MTU);
	assert_int_equal(packet.dest_qpn, b.qp.number);
	assert_memory_equal(route.smac, macs[0], 6);
	assert_memory_equal(route.dmac, macs[1], 6);
	assert_memory_equal(route.sgid, gids[0], 16);
	assert_memory_equal(route.dgid, gids[1], 16);
	assert_int_equal(route.source_port, 0xc123);
	assert_int_equal(route.hop_limit, 64);
	assert_in_range(two.lane[1].frames, 1, 2);
	assert_int_equal(
		packet_decode(true, two.lane[1].last, two.lane[1].last_len, &route, &packet),
		PACKET_OK);
	assert_int_equal(packet.opcode, PACKET_RC | PACKET_ACK);
	assert_int_equal(packet.dest_qpn, a.qp.number);
}

static void every_operation(void **state)
{
	(void)state;
	make(HCA_QP_RC);
	all_operations(200);
	assert_int_equal(two.lane[0].bad + two.lane[1].bad, 0);
}

/* The one that requests is in RTS, and who answers need not be. */
static void responder_is_ready_in_rtr(void **state)
{
	uint32_t number = 0;

	(void)state;
	end_create(&a, &two.f->port[0], HCA_QP_RC, 0);
	end_create(&b, &two.f->port[1], HCA_QP_RC, 0);
	connect_to(&a, 1, b.qp.number, true);
	connect_to(&b, 0, a.qp.number, false);
	one_write(&a, &b, 3000, 0, false, 1);
	one_read(&a, &b, 9000, 10);
	assert_int_equal(next_event(&b, &number), HCA_EVENT_COMM_EST);
	assert_int_equal(number, b.qp.number);
}

static void unreliable(void **state)
{
	(void)state;
	make(HCA_QP_UC);
	for (uint32_t i = 0; i < 50; i++) {
		one_write(&a, &b, (uint32_t)below(MAX), below(5000), i % 2, i);
		one_send(&b, &a, (uint32_t)below(MAX), i);
	}
	/* Nobody answers. */
	assert_int_equal(two.lane[0].bad + two.lane[1].bad, 0);
	/* What is lost is lost as a whole, and the next message comes. */
	impair_lanes("loss=100%");
	memset(at(&b, 0), 0xee, 5000);
	complete_well(
		&a, post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 5000));
	assert_int_equal(*at(&b, 0), 0xee);
	impair_lanes(NULL);
	one_write(&a, &b, 5000, 3, true, 5);
}

static void exactly_once(void **state)
{
	static const char *const specs[] = {
		"loss=1% seed=2",
		"loss=5% seed=3",
		"dup=10% seed=4",
		"reorder=5% seed=5",
		"biterror=1e-6 seed=6",
		"loss=2% dup=2% reorder=2% biterror=1e-7 delay=5us jitter=3us seed=9",
	};

	for (unsigned int i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
		setup(state);
		random_state = i;
		make(HCA_QP_RC);
		impair_lanes(specs[i]);
		all_operations(200);
		assert_true(lost_by(0).lost + lost_by(0).doubled + lost_by(0).reordered +
				    lost_by(0).damaged >
			    2);
		teardown(state);
	}
}

static void refusals_come_back(void **state)
{
	const uint8_t *cqe;

	(void)state;
	make(HCA_QP_RC);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey ^ 1, a.buf, a.lkey, 3000);
	cqe = complete(&a);
	assert_int_equal(cqe_opcode(cqe), HCA_CQE_REQ_ERR);
	assert_int_equal(cqe[0x37], HCA_SYND_REMOTE_ACCESS);
	assert_int_equal(fixture_qp_state(a.port, &a.qp), HCA_QP_ERR);
	assert_int_equal(fixture_qp_state(b.port, &b.qp), HCA_QP_ERR);
}

/* No receive: "not ready" comes back, and the message comes again. */
static void not_ready(void **state)
{
	uint16_t index;

	(void)state;
	make(HCA_QP_RC);
	fill(&a, 0, 3000, 4);
	index = post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 3000);
	run();
	expect_idle(&a);
	assert_int_not_equal(hca_connection(qp_of(&a))->requester.rnr_until, 0);
	post_recv(&b, b.buf, b.lkey, MAX);
	complete_well(&a, index);
	expect_recv(&b, HCA_CQE_RESP_SEND, 0);
	assert_memory_equal(at(&b, 0), at(&a, 0), 3000);
}

/* Nobody there: the retries end, and so does the QP. */
static void retries_end(void **state)
{
	const uint8_t *cqe;

	(void)state;
	make(HCA_QP_RC);
	impair_lanes("loss=100%");
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 3000);
	cqe = complete(&a);
	assert_int_equal(cqe_opcode(cqe), HCA_CQE_REQ_ERR);
	assert_int_equal(cqe[0x37], HCA_SYND_RETRY);
	/* The first time, and seven more. */
	assert_int_equal(two.lane[0].frames, 8 * 3);
}

/* --- counters -------------------------------------------------------------------------------- */

static uint32_t sets[2];

static void count_both(void)
{
	make(HCA_QP_RC);
	/* So that their numbers are not the same. */
	counts_new(b.port);
	sets[0] = counts_new(a.port);
	sets[1] = counts_new(b.port);
	assert_int_equal(counts_bind(&a, sets[0]), 0);
	assert_int_equal(counts_bind(&b, sets[1]), 0);
	qp_of(&a)->ack_timeout = NEVER;
	fill(&a, 0, 4096, 4);
	fill(&b, 0, 4096, 5);
}

/* The request is there, and its answer is lost: it comes again when the time is over. */
static void lost_answers_are_counted(void **state)
{
	uint16_t index;

	(void)state;
	count_both();
	two.lane[1].skip = 1;
	index = post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 100);
	run();
	expect_idle(&a);
	expire(qp_of(&a));
	complete_well(&a, index);
	EXPECT_COUNTS(a.port, sets[0], { HCA_Q_LOCAL_ACK_TIMEOUT, 1 });
	EXPECT_COUNTS(b.port, sets[1], { HCA_Q_RX_WRITE, 1 }, { HCA_Q_DUPLICATE_REQUEST, 1 });
}

/* The first of three packets is lost: the two behind it are out of sequence, and a NAK says so. */
static void gaps_are_counted(void **state)
{
	uint16_t index;

	(void)state;
	count_both();
	two.lane[0].skip = 1;
	index = post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 3000);
	run();
	assert_int_equal(two.lane[0].frames, 6);
	complete_well(&a, index);
	EXPECT_COUNTS(a.port, sets[0], { HCA_Q_PACKET_SEQ, 1 });
	EXPECT_COUNTS(b.port, sets[1], { HCA_Q_RX_WRITE, 1 }, { HCA_Q_OUT_OF_SEQUENCE, 2 });
}

/* The first of three packets of an answer is lost: the second one says so. */
static void gaps_of_answers_are_counted(void **state)
{
	uint16_t index;

	(void)state;
	count_both();
	two.lane[1].skip = 1;
	index = post_rdma(&a, HCA_OP_READ, SIGNALLED, 0, b.buf, b.lkey, a.buf, a.lkey, 3000);
	complete_well(&a, index);
	assert_memory_equal(at(&a, 0), at(&b, 0), 3000);
	EXPECT_COUNTS(a.port, sets[0], { HCA_Q_IMPLIED_NAK_SEQ, 1 });
	EXPECT_COUNTS(b.port, sets[1], { HCA_Q_RX_READ, 1 }, { HCA_Q_DUPLICATE_REQUEST, 1 });
}

static void not_ready_is_counted(void **state)
{
	uint16_t index;

	(void)state;
	count_both();
	index = post_send(&a, HCA_OP_SEND, SIGNALLED, 0, a.buf, a.lkey, 100);
	run();
	post_recv(&b, b.buf, b.lkey, 100);
	complete_well(&a, index);
	EXPECT_COUNTS(a.port, sets[0], { HCA_Q_RNR_NAK_RETRY, 1 });
	EXPECT_COUNTS(b.port, sets[1], { HCA_Q_OUT_OF_BUFFER, 1 });
}

/* --- strangers ---------------------------------------------------------------------------------
 */

static int forge(uint8_t *bytes, const struct packet *packet, const uint8_t sgid[16])
{
	struct packet_route route = {
		.ethernet = true, .ipv4 = true, .source_port = 0xc000, .hop_limit = 64
	};
	int len;

	memcpy(route.smac, macs[0], 6);
	memcpy(route.dmac, macs[1], 6);
	memcpy(route.sgid, sgid, 16);
	memcpy(route.dgid, gids[1], 16);
	len = packet_encode(&route, packet, bytes, PACKET_MAX);
	assert_true(len > 0);
	return len;
}

static bool is_taken(const struct packet *packet, const uint8_t sgid[16])
{
	struct hca_eth *eth = b.port->hca->eth;
	uint64_t stray = eth->rx_stray;
	uint8_t bytes[PACKET_MAX];
	int len = forge(bytes, packet, sgid);

	bridge_send(two.lane[1].port, bytes, (size_t)len, clock_now_ns());
	fixture_poll(two.f);
	assert_in_range(eth->rx_stray - stray, 0, 1);
	assert_int_equal(eth->roce_packets, 0);
	return eth->rx_stray == stray;
}

/* Of whom a QP takes nothing: other QPs, services, addresses and partitions. */
static void strangers_are_refused(void **state)
{
	static const uint8_t other[16] = { [10] = 0xff, 0xff, 10, 0, 0, 9 };
	struct packet packet = { .opcode = PACKET_RC | PACKET_WRITE_ONLY,
				 .p_key = 0xffff,
				 .dma_length = 4,
				 .payload = (const uint8_t *)"abcd",
				 .length = 4 };

	(void)state;
	make(HCA_QP_RC);
	packet.dest_qpn = b.qp.number;
	packet.va = b.buf;
	packet.r_key = b.lkey;
	memset(at(&b, 0), 0xee, 4);
	assert_false(is_taken(&packet, other));
	/* An address of this very process. */
	assert_false(is_taken(&packet, gids[1]));
	packet.p_key = 0x8001;
	assert_false(is_taken(&packet, gids[0]));
	packet.p_key = 0xffff;
	packet.opcode = PACKET_UC | PACKET_WRITE_ONLY;
	assert_false(is_taken(&packet, gids[0]));
	packet.opcode = PACKET_RC | PACKET_WRITE_ONLY;
	packet.dest_qpn = 0xfffff0;
	assert_false(is_taken(&packet, gids[0]));
	packet.dest_qpn = b.qp.number;
	/* An answer that nobody waits for. */
	assert_false(is_taken(&(struct packet){ .opcode = PACKET_RC | PACKET_ACK,
						.p_key = 0xffff,
						.dest_qpn = b.qp.number },
			      gids[0]));
	assert_int_equal(*at(&b, 0), 0xee);
	assert_true(is_taken(&packet, gids[0]));
	assert_memory_equal(at(&b, 0), "abcd", 4);
	/* In error it takes nothing. */
	assert_int_equal(fixture_qp_modify(b.port, &b.qp, 0x507, 0, (uint8_t[232]){ 0 }), 0);
	packet.psn = 1;
	assert_false(is_taken(&packet, gids[0]));
}

/* So many wait for a turn, and the next one is lost; a QP that is gone takes them along. */
static void what_waits_is_bounded(void **state)
{
	struct packet packet = { .opcode = PACKET_RC | PACKET_WRITE_ONLY, .p_key = 0xffff };
	struct packet_route route = { .ethernet = true, .ipv4 = true };
	struct hca *hca;

	(void)state;
	make(HCA_QP_RC);
	hca = b.port->hca;
	packet.dest_qpn = b.qp.number;
	packet.payload = (const uint8_t *)"";
	memcpy(route.sgid, gids[0], 16);
	memcpy(route.dgid, gids[1], 16);
	for (unsigned int i = 0; i < HCA_ROCE_PACKETS; i++)
		assert_true(hca_frames_queue(hca, &route, &packet));
	assert_false(hca_frames_queue(hca, &route, &packet));
	assert_int_equal(hca->eth->roce_packets, HCA_ROCE_PACKETS);
	assert_int_equal(fixture_qp_modify(b.port, &b.qp, 0x50a, 0, (uint8_t[232]){ 0 }), 0);
	assert_int_equal(hca->eth->roce_packets, 0);
	assert_false(qp_of(&b)->frames);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(write_goes_in_frames),
		TEST(every_operation),
		TEST(responder_is_ready_in_rtr),
		TEST(unreliable),
		cmocka_unit_test(exactly_once),
		TEST(refusals_come_back),
		TEST(not_ready),
		TEST(retries_end),
		TEST(lost_answers_are_counted),
		TEST(gaps_are_counted),
		TEST(gaps_of_answers_are_counted),
		TEST(not_ready_is_counted),
		TEST(strangers_are_refused),
		TEST(what_waits_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
