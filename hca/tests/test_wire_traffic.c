/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random traffic of several connections, both ways, by random bad cables: each message is done
 * exactly once and in order, whole, and touches nothing else; or its QP is in error for a reason
 * that there is, and nothing behind it is done. HCA_PACKETS=N: about so many packets instead of
 * some ten thousand; HCA_SEED=N: that one run. Timers expire when nothing else can happen.
 */
#include "hca/qp.h"
#include "hca/tests/traffic.h"
#include "hca/wire.h"

#define PACKETS	 20000u
#define NEVER	 20u /* ack_timeout: 4 s */
#define PAIRS	 4u
#define MESSAGES 400u /* of a direction, at most */
#define DEPTH	 12u  /* of them under way */
#define SLOTS	 32u
#define SLOT	 8192u
#define STEPS	 200000u
/* The buffer of an end. */
#define SOURCE	  0u			  /* what it sends: slots */
#define TARGET	  (SOURCE + SLOTS * SLOT) /* what its peer writes: slots */
#define FETCHED	  (TARGET + SLOTS * SLOT) /* what it reads: slots */
#define RECEIVED  (FETCHED + SLOTS * SLOT)
#define RECEIVES  16u
#define SHOWN	  (RECEIVED + RECEIVES * SLOT) /* what its peer reads */
#define SHOWN_LEN 32768u
#define CELL	  (SHOWN + SHOWN_LEN) /* what its peer's atomics count in */
#define EMPTY	  0xeeu

enum fate { FINE, BAD_RKEY, TOO_LONG, BAD_LKEY };

struct message {
	uint8_t opcode;
	enum fate fate;
	uint32_t length, offset;
	uint16_t index; /* of its WQE */
};

/* An end, what it has sent, and what it has had from its peer. */
struct side {
	struct end end;
	struct side *peer;
	unsigned int number;
	struct message message[MESSAGES];
	unsigned int total, posted, completed;
	bool failed;
	unsigned int first; /* that failed */
	uint8_t syndrome;   /* of that one */
	uint64_t added;	    /* atomics that succeeded */
	/* receives */
	unsigned int receives, received;
	unsigned int next; /* message of the peer that comes next, or a later one */
	bool reads_well;   /* RC: neither lost nor twice */
};

static uint64_t seed, random_state;
static struct fixture *fixture;
static struct side side[2 * PAIRS];
static unsigned int sides;
static bool lossy;

static uint64_t below(uint64_t n)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return n ? (z ^ z >> 31) % n : 0;
}

__attribute__((noreturn, format(printf, 2, 3))) static void wrong(const struct side *s,
								  const char *format, ...)
{
	va_list args;

	fprintf(stderr, "HCA_SEED=%llu: side %u: ", (unsigned long long)seed, s->number);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	fail();
	abort();
}

static uint8_t byte_of(const struct side *s, unsigned int i, uint32_t offset)
{
	return (uint8_t)(s->number * 59 + i * 31 + offset * 7 + (offset >> 8) + 1);
}

static void put_bytes(struct side *s, unsigned int i, uint8_t *to, uint32_t len)
{
	for (uint32_t k = 0; k < len; k++)
		to[k] = byte_of(s, i, k);
}

static struct hca_qp *qp_of(struct end *end)
{
	return hca_table_get(&end->port->hca->qps, end->qp.number);
}

static bool is_reliable(const struct side *s)
{
	return s->end.qp.type == HCA_QP_RC;
}

/*
 * @len bytes of message @i of @s at @from, and none behind it, but what a broken message of UC has
 * left in the receive that the next one took.
 */
static bool has_bytes(const struct side *s, unsigned int i, const uint8_t *from, uint32_t len)
{
	for (uint32_t k = 0; k < len; k++)
		if (from[k] != byte_of(s, i, k))
			return false;
	return from[len] == EMPTY || s->end.qp.type == HCA_QP_UC;
}

static bool takes_receive(const struct message *m)
{
	return m->opcode == HCA_OP_SEND || m->opcode == HCA_OP_SEND_IMM ||
	       m->opcode == HCA_OP_WRITE_IMM;
}

/* --- what is sent ---------------------------------------------------------------------------- */

static uint32_t some_length(void)
{
	static const uint32_t most[] = { 9, 256, 300, 1100, 4200, SLOT };

	return (uint32_t)below(most[below(6)]);
}

static void choose(struct side *s, struct message *m, unsigned int bad, unsigned int i)
{
	static const uint8_t all[] = { HCA_OP_SEND_IMM, HCA_OP_WRITE, HCA_OP_WRITE_IMM, HCA_OP_READ,
				       HCA_OP_ATOMIC_FA };

	*m = (struct message){ .length = some_length() };
	switch (s->end.qp.type) {
	case HCA_QP_RC:
		m->opcode = all[below(5)];
		break;
	case HCA_QP_UC:
		m->opcode = all[below(3)];
		break;
	default:
		m->opcode = HCA_OP_SEND_IMM;
		m->length %= 4096;
		break;
	}
	if (m->opcode == HCA_OP_READ) {
		m->offset = (uint32_t)below(SHOWN_LEN - SLOT);
		m->length++;
	}
	if (i != bad || !is_reliable(s))
		return;
	m->length = 1 + (uint32_t)below(SLOT - 1);
	m->fate = (enum fate)(1 + below(3));
	m->opcode = m->fate == TOO_LONG ? HCA_OP_SEND_IMM : HCA_OP_WRITE;
	if (m->fate == TOO_LONG)
		m->length = SLOT + 1;
}

/* The datagram of message @i: immediate data say which one it is. */
static uint16_t post_datagram(struct side *s, unsigned int i, uint64_t from, uint32_t length)
{
	uint8_t wqe[80] = { 0 };

	fixture_ctrl(wqe, HCA_OP_SEND_IMM, SIGNALLED, i);
	be32_put(wqe, 16, qp_of(&s->peer->end)->q_key);
	be32_put(wqe, 24, 0x80000000u | s->peer->end.qp.number);
	be16_put(wqe, 30, s->peer->end.port->hca->params.lid);
	fixture_data(wqe + 64, from, s->end.lkey, length);
	return fixture_post_send(s->end.port, &s->end.qp, wqe, sizeof(wqe));
}

static void post_one(struct side *s)
{
	unsigned int i = s->posted++;
	struct message *m = &s->message[i];
	struct end *e = &s->end, *to = &s->peer->end;
	uint32_t slot = i % SLOTS * SLOT, lkey = e->lkey ^ (m->fate == BAD_LKEY);
	uint32_t rkey = to->lkey ^ (m->fate == BAD_RKEY);

	if (m->opcode == HCA_OP_READ || m->opcode == HCA_OP_ATOMIC_FA)
		memset(at(e, FETCHED + slot), EMPTY, SLOT);
	else
		put_bytes(s, i, at(e, SOURCE + slot), m->length);
	if (m->opcode == HCA_OP_WRITE || m->opcode == HCA_OP_WRITE_IMM)
		memset(at(to, TARGET + slot), EMPTY, SLOT);
	if (e->qp.type == HCA_QP_UD)
		m->index = post_datagram(s, i, e->buf + SOURCE + slot, m->length);
	else if (m->opcode == HCA_OP_SEND_IMM)
		m->index = post_send(e, m->opcode, SIGNALLED, i, e->buf + SOURCE + slot, lkey,
				     m->length);
	else if (m->opcode == HCA_OP_READ)
		m->index = post_rdma(e, m->opcode, SIGNALLED, 0, to->buf + SHOWN + m->offset, rkey,
				     e->buf + FETCHED + slot, lkey, m->length);
	else if (m->opcode == HCA_OP_ATOMIC_FA)
		m->index = post_atomic(e, m->opcode, to->buf + CELL, rkey, 1, 0,
				       e->buf + FETCHED + slot, lkey);
	else
		m->index = post_rdma(e, m->opcode, SIGNALLED, i, to->buf + TARGET + slot, rkey,
				     e->buf + SOURCE + slot, lkey, m->length);
}

/* --- what is said of it ---------------------------------------------------------------------- */

static void judge_done(struct side *s, unsigned int i)
{
	const struct message *m = &s->message[i];
	uint32_t slot = i % SLOTS * SLOT;
	const uint8_t *here = at(&s->end, FETCHED + slot);
	uint64_t found;

	if (m->fate != FINE)
		wrong(s, "message %u is done, but was to fail", i);
	switch (m->opcode) {
	case HCA_OP_WRITE:
	case HCA_OP_WRITE_IMM:
		if (is_reliable(s) && !has_bytes(s, i, at(&s->peer->end, TARGET + slot), m->length))
			wrong(s, "WRITE %u is done, and its bytes are not there", i);
		break;
	case HCA_OP_READ:
		if (memcmp(here, at(&s->peer->end, SHOWN + m->offset), m->length) ||
		    (m->length < SLOT && here[m->length] != EMPTY))
			wrong(s, "READ %u has other bytes", i);
		break;
	case HCA_OP_ATOMIC_FA:
		memcpy(&found, here, sizeof(found));
		if (found != s->added++)
			wrong(s, "atomic %u found %llu", i, (unsigned long long)found);
		break;
	default:
		break;
	}
}

/* @s has sent what ends the QP of its peer. */
static bool has_provoked(const struct side *s)
{
	for (unsigned int i = 0; i < s->posted; i++)
		if (s->message[i].fate == BAD_RKEY || s->message[i].fate == TOO_LONG)
			return true;
	return false;
}

/* The first that fails says why; all behind it are flushed. */
static void judge_error(struct side *s, unsigned int i, uint8_t syndrome)
{
	static const uint8_t expected[] = { [BAD_RKEY] = HCA_SYND_REMOTE_ACCESS,
					    [TOO_LONG] = HCA_SYND_REMOTE_INVALID,
					    [BAD_LKEY] = HCA_SYND_LOCAL_PROT };
	enum fate fate = s->message[i].fate;
	/* An error of the other direction ends this one, too. */
	bool ended = s->failed || s->peer->failed || has_provoked(s->peer) ||
		     qp_of(&s->peer->end)->state == HCA_QP_ERR;

	if (syndrome == HCA_SYND_FLUSH && !ended)
		wrong(s, "message %u is flushed, and nothing failed", i);
	if (syndrome != HCA_SYND_FLUSH && s->failed)
		wrong(s, "message %u has syndrome 0x%02x behind a failure", i, syndrome);
	/* Nobody answers any more, or a NAK was lost: it is sent once. */
	if (syndrome != HCA_SYND_FLUSH && !(fate != FINE && syndrome == expected[fate]) &&
	    !(syndrome == HCA_SYND_RETRY && (lossy || ended)))
		wrong(s, "message %u, fate %u, has syndrome 0x%02x", i, fate, syndrome);
	if (s->failed)
		return;
	s->failed = true;
	s->first = i;
	s->syndrome = syndrome;
}

static unsigned int drain_sends(struct side *s)
{
	unsigned int count = 0;
	const uint8_t *cqe;

	for (; (cqe = fixture_cq_next(s->end.port, &s->end.scq)); count++) {
		unsigned int i = s->completed++;

		if (i >= s->posted || be16_at(cqe, 0x3c) != s->message[i].index)
			wrong(s, "completion %u is of WQE %u", i, be16_at(cqe, 0x3c));
		if (cqe_opcode(cqe) == HCA_CQE_REQ_ERR)
			judge_error(s, i, cqe[0x37]);
		else if (s->failed)
			wrong(s, "message %u is done behind a failure", i);
		else
			judge_done(s, i);
	}
	return count;
}

/* A message of the peer is there: which one its immediate data say. */
static void judge_receipt(struct side *s, const uint8_t *cqe, const uint8_t *at_receive)
{
	unsigned int i = be32_at(cqe, 0x24), grh = s->end.qp.type == HCA_QP_UD ? 40 : 0;
	const struct side *from = s->peer;
	uint32_t slot = i % SLOTS * SLOT, length = be32_at(cqe, 0x2c) - grh;
	bool write = cqe_opcode(cqe) == HCA_CQE_RESP_WRITE_IMM;

	if (i >= from->posted || !takes_receive(&from->message[i]) ||
	    length != from->message[i].length)
		wrong(s, "message %u of %u bytes was not sent", i, length);
	if (i < s->next && s->reads_well)
		wrong(s, "message %u comes again, or behind %u", i, s->next);
	for (; s->reads_well && is_reliable(s) && s->next < i; s->next++)
		if (takes_receive(&from->message[s->next]))
			wrong(s, "message %u comes, and %u did not", i, s->next);
	s->next = i + 1;
	if (!has_bytes(from, i, write ? at(&s->end, TARGET + slot) : at_receive + grh, length) &&
	    (is_reliable(s) || !write))
		wrong(s, "message %u has other bytes", i);
}

static unsigned int drain_receives(struct side *s)
{
	unsigned int count = 0;
	const uint8_t *cqe;

	for (; (cqe = fixture_cq_next(s->end.port, &s->end.rcq)); count++) {
		unsigned int slot = s->received++ % RECEIVES;

		if (s->received > s->receives || be16_at(cqe, 0x3c) % RECEIVES != slot)
			wrong(s, "receive %u is of WQE %u", s->received, be16_at(cqe, 0x3c));
		if (cqe_opcode(cqe) == HCA_CQE_RESP_ERR) {
			uint8_t want = cqe[0x37] == HCA_SYND_FLUSH ? 0 : HCA_SYND_LOCAL_LENGTH;

			if (want && cqe[0x37] != want)
				wrong(s, "receive %u has syndrome 0x%02x", s->received, cqe[0x37]);
			if (qp_of(&s->end)->state != HCA_QP_ERR)
				wrong(s, "receive %u failed, and its QP did not", s->received);
			continue;
		}
		judge_receipt(s, cqe, at(&s->end, RECEIVED + slot * SLOT));
	}
	return count;
}

/* --- one run --------------------------------------------------------------------------------- */

static void post_receive(struct side *s)
{
	uint64_t slot = RECEIVED + s->receives % RECEIVES * SLOT;

	memset(at(&s->end, slot), EMPTY, SLOT);
	/* One byte behind the longest message stays. */
	post_recv(&s->end, s->end.buf + slot, s->end.lkey, SLOT - 1);
	s->receives++;
}

static void make_pair(struct side *s, enum hca_qp_type type, unsigned int bad)
{
	unsigned int mtu = 1 + (unsigned int)below(5);

	for (unsigned int k = 0; k < 2; k++) {
		memset(&s[k], 0, sizeof(s[k]));
		s[k].number = sides + k;
		s[k].peer = &s[1 - k];
		end_create(&s[k].end, &fixture->port[k], type, 0);
		fill(&s[k].end, SHOWN, SHOWN_LEN, (uint8_t)(sides + k));
		s[k].total = (unsigned int)below(MESSAGES + 1);
		for (unsigned int i = 0; i < s[k].total; i++)
			choose(&s[k], &s[k].message[i], k ? MESSAGES : bad, i);
	}
	fixture_qp_connect(s[0].end.port, &s[0].end.qp, s[1].end.port, &s[1].end.qp);
	for (unsigned int k = 0; k < 2; k++) {
		field_put(qp_of(&s[k].end)->qpc, QPC_MTU, mtu);
		qp_of(&s[k].end)->ack_timeout = NEVER;
	}
	sides += 2;
}

/* Whether packets may be lost, doubled or out of order. */
static void make_cables(bool *doubled, bool *reordered)
{
	static const char *const shares[] = { "0", "0.1%", "1%", "5%" };
	char text[200], message[IMPAIRMENT_TEXT];
	struct impairment_spec spec;

	*doubled = *reordered = false;
	for (unsigned int k = 0; k < 2; k++) {
		unsigned int loss = (unsigned int)below(4), dup = (unsigned int)below(4);
		unsigned int order = (unsigned int)below(4), bits = (unsigned int)below(3);
		bool late = !below(4);

		snprintf(text, sizeof(text),
			 "loss=%s dup=%s reorder=%s biterror=%s ecn=1%% seed=%u%s", shares[loss],
			 shares[dup], shares[order], bits ? bits == 1 ? "1e-7" : "1e-6" : "0",
			 (unsigned int)below(1u << 30), late ? " delay=20us jitter=20us" : "");
		assert_int_equal(impairment_parse(text, &spec, message), 0);
		hca_impair(fixture->port[k].hca, &spec);
		hca_poll(fixture->port[k].hca);
		lossy |= loss || bits;
		*doubled |= dup;
		*reordered |= order || late;
	}
}

static bool is_over(void)
{
	for (unsigned int k = 0; k < sides; k++)
		if (side[k].completed < side[k].total)
			return false;
	return true;
}

/* Something that a driver does at some time. */
static void act(struct side *s)
{
	unsigned int n = (unsigned int)below(DEPTH);

	for (; n && s->posted < s->total && s->posted - s->completed < DEPTH; n--)
		post_one(s);
	for (n = (unsigned int)below(6); n && s->receives - s->received < RECEIVES; n--)
		post_receive(s);
}

static bool turn(void)
{
	bool busy = false;

	for (unsigned int k = 0; k < FIXTURE_HCAS; k++)
		busy |= hca_poll(fixture->port[k].hca);
	for (unsigned int k = 0; k < sides; k++) {
		busy |= drain_receives(&side[k]);
		busy |= drain_sends(&side[k]);
	}
	return busy;
}

static bool is_late(void)
{
	for (unsigned int k = 0; k < FIXTURE_HCAS; k++)
		if (fixture->port[k].hca->wire && fixture->port[k].hca->wire->packets)
			return true;
	return false;
}

static bool is_empty(const uint8_t *slot)
{
	uint32_t k = 0;

	while (k < SLOT && slot[k] == EMPTY)
		k++;
	return k == SLOT;
}

static void judge_end(struct side *s)
{
	const struct message *failed = s->failed ? &s->message[s->first] : NULL;
	uint64_t cell, most = s->added;

	memcpy(&cell, at(&s->peer->end, CELL), sizeof(cell));
	/* One that nobody answered may have been done. */
	if (failed && (s->syndrome == HCA_SYND_RETRY || s->syndrome == HCA_SYND_FLUSH))
		most += failed->opcode == HCA_OP_ATOMIC_FA;
	if (cell < s->added || cell > most)
		wrong(s, "%llu atomics are done, %llu succeeded", (unsigned long long)cell,
		      (unsigned long long)s->added);
	for (unsigned int i = s->first + 1; s->failed && i < s->posted; i++)
		if ((s->message[i].opcode == HCA_OP_WRITE ||
		     s->message[i].opcode == HCA_OP_WRITE_IMM) &&
		    !is_empty(at(&s->peer->end, TARGET + i % SLOTS * SLOT)))
			wrong(s, "WRITE %u is behind a failure, and was done", i);
	if (s->failed && is_reliable(s) && s->peer->next > s->first + 1)
		wrong(s, "message %u is behind a failure, and was received", s->peer->next - 1);
	if (!s->failed && is_reliable(s))
		for (unsigned int i = s->peer->next; i < s->total; i++)
			if (takes_receive(&s->message[i]))
				wrong(s, "message %u is done, and was not received", i);
}

static uint64_t packets_of(struct fixture_port *port)
{
	static struct hca_impairment report;
	uint64_t packets = 0;

	for (unsigned int k = 0; hca_impairment(port->hca, &report) && k < HCA_PACKET_KINDS; k++)
		packets += report.counts[k].packets;
	return packets;
}

static uint64_t run(uint64_t number)
{
	static const enum hca_qp_type types[] = { HCA_QP_RC, HCA_QP_RC, HCA_QP_RC, HCA_QP_UC,
						  HCA_QP_UD };
	unsigned int pairs, steps = 0;
	bool doubled, reordered;
	uint64_t packets = 0;

	seed = random_state = number;
	sides = 0;
	lossy = false;
	fixture = fixture_new();
	for (unsigned int k = 0; k < FIXTURE_HCAS; k++)
		fixture_probe(&fixture->port[k]);
	pairs = 1 + (unsigned int)below(PAIRS);
	for (unsigned int k = 0; k < pairs; k++)
		make_pair(&side[2 * k], types[below(5)], (unsigned int)below(3 * MESSAGES));
	make_cables(&doubled, &reordered);
	for (unsigned int k = 0; k < sides; k++)
		side[k].reads_well = is_reliable(&side[k]) || !(doubled || reordered);
	while (!is_over() || is_late()) {
		if (++steps == STEPS)
			wrong(&side[0], "no end in sight");
		act(&side[below(sides)]);
		if (turn() || is_late())
			continue;
		/* Nothing moves: somebody posts, or a timer expires. */
		for (unsigned int k = 0; k < sides; k++) {
			struct hca_progress *progress = hca_progress(qp_of(&side[k].end));

			act(&side[k]);
			if (progress->connection && progress->connection->posted)
				expire(qp_of(&side[k].end));
		}
	}
	for (unsigned int k = 0; k < sides; k++)
		judge_end(&side[k]);
	for (unsigned int k = 0; k < FIXTURE_HCAS; k++)
		packets += packets_of(&fixture->port[k]);
	fixture_free(fixture);
	return packets;
}

static uint64_t wish(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static void test_traffic(void **state)
{
	uint64_t limit = wish("HCA_PACKETS", PACKETS), number = wish("HCA_SEED", 0), packets = 0;
	bool one = number;
	unsigned int runs = 0;

	(void)state;
	if (!one)
		number = (uint64_t)time(NULL) << 42 | ((uint64_t)getpid() & 0x3fffff) << 20;
	print_message("from seed %llu\n", (unsigned long long)number);
	do {
		packets += run(number++);
		runs++;
	} while (!one && packets < limit);
	print_message("%u runs, %llu packets\n", runs, (unsigned long long)packets);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_traffic) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
