/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs that sleep until an event of their CQ comes, as librdmacm's examples do, and act
 * whenever the HCA looks at memory or writes it: between any two accesses an event may be taken, a
 * CQ armed, its doorbell rung or hidden by another one, a CQE polled, a receive posted. Each of
 * them ends when its receive is flushed: whatever the order is, it is woken.
 *
 * HCA_SEED=N is the run of that seed, HCA_ROUNDS=N has as many rounds.
 */
#include <stdlib.h>
#include <unistd.h>

#include "hca/cmd.h"
#include "hca/data.h"
#include "hca/layout.h"
#include "hca/tests/fixture.h"

#define ROUNDS	      300u
#define PROGRAMS      3u /* of one port, whose CQs share a page */
#define MESSAGES      8u
#define RECEIVES      3u
#define VECTOR	      1u
#define TO_ERR	      0x507u
#define BUFFER	      64u
#define TURNS	      4000u /* that a program may sleep through */
#define QUEUE	      16u
#define ARM_NEVER     (2u << 28)
#define ARM_SOLICITED (1u << 24)
#define SIGNALLED     8u
#define SOLICITED     2u

enum place { WAITS, ARMS, RINGS, POLLS, POSTS, ENDED };

struct program {
	enum place at;
	struct fixture_cq cq;
	struct fixture_qp qp, peer;
	uint64_t buffer;
	unsigned int events; /* that wait for it */
	unsigned int received, sent;
	bool kernel, solicited, flushed;
};

static struct fixture *f;
static struct fixture_port *port, *other;
static struct fixture_eq eq;
static struct program program[PROGRAMS];
static unsigned int interrupts; /* taken */
static enum { SLEEPS, TAKES, ARMS_EQ } driver;
static bool acts;
static uint64_t random_state;

static uint64_t below(uint64_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (random_state >> 33) % n;
}

/* --- the guest ----------------------------------------------------------------------------- */

static bool has_eqe(void)
{
	uint32_t slot = eq.ci & ((1u << eq.log_size) - 1);
	const uint8_t *eqe = fixture_at(f, eq.buf + 64 * (uint64_t)slot);

	return (eqe[63] & 1) == ((eq.ci >> eq.log_size) & 1);
}

static void take_eqe(void)
{
	uint32_t number = be32_at(fixture_eq_next(port, &eq), EQE_DATA + EQE_COMP_CQN);

	for (unsigned int i = 0; i < PROGRAMS; i++) {
		struct program *p = &program[i];

		if (number != p->cq.number)
			continue;
		p->events++;
		/* Who takes events counts them: the driver at once, a program when it wakes. */
		p->cq.arm_sn += p->kernel;
	}
}

/* The driver: nothing of the EQ is looked at without an interrupt, and not always all of it. */
static void handle(void)
{
	switch (driver) {
	case SLEEPS:
		if (port->interrupts[VECTOR] == interrupts)
			return;
		interrupts = port->interrupts[VECTOR];
		driver = TAKES;
		break;
	case TAKES:
		if (has_eqe() && below(8))
			take_eqe();
		else
			driver = ARMS_EQ;
		break;
	case ARMS_EQ:
		fixture_eq_ring(port, &eq, HCA_UAR_EQ_ARM);
		driver = SLEEPS;
		break;
	}
}

static void write_arm(struct program *p)
{
	uint32_t command = p->solicited ? ARM_SOLICITED : 0;

	be32_put(fixture_at(f, p->cq.dbr), 4,
		 (p->cq.arm_sn & 3) << 28 | command | (p->cq.ci & 0xffffff));
}

static void ring(struct program *p)
{
	fixture_cq_ring(port, &p->cq);
}

static void post_receive(struct program *p)
{
	uint8_t seg[16];

	fixture_data(seg, p->buffer, port->lkey, BUFFER);
	fixture_post_recv(port, &p->qp, seg, sizeof(seg));
}

static enum place poll_cq(struct program *p)
{
	const uint8_t *cqe = fixture_cq_next(port, &p->cq);

	if (!cqe)
		return p->flushed ? ENDED : WAITS;
	switch (cqe[CQE_OP_OWN] >> 4) {
	case HCA_CQE_RESP_SEND:
		p->received++;
		return POSTS;
	case HCA_CQE_REQ:
		return POLLS;
	default:
		assert_int_equal(cqe[CQE_SYNDROME], HCA_SYND_FLUSH);
		p->flushed = true;
		return POLLS;
	}
}

static void go_on(struct program *p)
{
	switch (p->at) {
	case WAITS:
		if (!p->events)
			return;
		p->events--;
		p->cq.arm_sn += !p->kernel;
		p->at = ARMS;
		break;
	case ARMS:
		write_arm(p);
		p->at = RINGS;
		break;
	case RINGS:
		ring(p);
		p->at = POLLS;
		break;
	case POLLS:
		p->at = poll_cq(p);
		break;
	case POSTS:
		post_receive(p);
		p->at = POLLS;
		break;
	case ENDED:
		break;
	}
}

/* Some steps of one of them: long enough to arm and fall asleep, or too short for it. */
static void act(void)
{
	uint64_t who = below(2 * (PROGRAMS + 1));

	if (!acts)
		return;
	for (uint64_t steps = below(8); steps; steps--) {
		if (who == PROGRAMS)
			handle();
		else if (who < PROGRAMS)
			go_on(&program[who]);
	}
}

int __real_pcie_peek(struct pcie_function *fn, uint64_t addr, void *buf, size_t len);
int __wrap_pcie_peek(struct pcie_function *fn, uint64_t addr, void *buf, size_t len);
int __real_pcie_read(struct pcie_function *fn, uint64_t addr, void *buf, size_t len,
		     const struct tlp_hint *hint);
int __wrap_pcie_read(struct pcie_function *fn, uint64_t addr, void *buf, size_t len,
		     const struct tlp_hint *hint);
int __real_pcie_write(struct pcie_function *fn, uint64_t addr, const void *buf, size_t len,
		      const struct tlp_hint *hint);
int __wrap_pcie_write(struct pcie_function *fn, uint64_t addr, const void *buf, size_t len,
		      const struct tlp_hint *hint);

int __wrap_pcie_peek(struct pcie_function *fn, uint64_t addr, void *buf, size_t len)
{
	int rc;

	act();
	rc = __real_pcie_peek(fn, addr, buf, len);
	act();
	return rc;
}

int __wrap_pcie_read(struct pcie_function *fn, uint64_t addr, void *buf, size_t len,
		     const struct tlp_hint *hint)
{
	int rc;

	act();
	rc = __real_pcie_read(fn, addr, buf, len, hint);
	act();
	return rc;
}

int __wrap_pcie_write(struct pcie_function *fn, uint64_t addr, const void *buf, size_t len,
		      const struct tlp_hint *hint)
{
	int rc;

	act();
	rc = __real_pcie_write(fn, addr, buf, len, hint);
	act();
	return rc;
}

/* --- rounds -------------------------------------------------------------------------------- */

static void turn(void)
{
	acts = true;
	hca_poll(port->hca);
	hca_poll(other->hca);
	act();
	acts = false;
}

static void begin(struct program *p, struct fixture_cq *peer_cq)
{
	struct fixture_qp_attr attr = {
		.type = HCA_QP_RC, .rq_wqes = QUEUE, .rq_stride = 16, .sq_wqebbs = QUEUE
	};
	uint32_t uar = port->uar;
	uint8_t seg[16];

	*p = (struct program){ .kernel = !below(3), .solicited = !below(3) };
	if (p->kernel)
		port->uar = port->kernel_uar;
	fixture_cq_create(port, 5, eq.number, &p->cq);
	port->uar = uar;
	p->cq.arm_sn = p->kernel;
	if (p->kernel)
		be32_put(fixture_at(f, p->cq.dbr), 4, ARM_NEVER);
	p->buffer = fixture_alloc(f, BUFFER, 64);
	attr.cqn_snd = attr.cqn_rcv = p->cq.number;
	fixture_qp_create(port, &attr, &p->qp);
	attr.cqn_snd = attr.cqn_rcv = peer_cq->number;
	fixture_qp_create(other, &attr, &p->peer);
	fixture_qp_connect(port, &p->qp, other, &p->peer);
	for (unsigned int i = 0; i < MESSAGES; i++) {
		fixture_data(seg, p->buffer, other->lkey, BUFFER);
		fixture_post_recv(other, &p->peer, seg, sizeof(seg));
	}
	write_arm(p);
	ring(p);
	for (uint64_t receives = 1 + below(RECEIVES); receives; receives--)
		post_receive(p);
}

static void post_send(struct fixture_port *from, struct fixture_qp *qp, const struct program *p)
{
	uint8_t wqe[32];

	/* Those that arm for solicited CQEs get them from their peer, and errors. */
	fixture_ctrl(wqe, 0x0a, SIGNALLED | (from == other ? SOLICITED : 0), 0);
	fixture_data(wqe + 16, p->buffer, from->lkey, 16);
	fixture_post_send(from, qp, wqe, sizeof(wqe));
}

/* Until @done says so of all of them. */
static void run(bool (*done)(const struct program *p), const char *what)
{
	unsigned int left = TURNS, busy = 1;

	while (busy) {
		turn();
		busy = 0;
		for (unsigned int i = 0; i < PROGRAMS; i++) {
			struct program *p = &program[i];

			busy += !done(p);
			if (!left && !done(p))
				fail_msg("program %u (%s CQ) sleeps: %s, place %u, %u events, %u "
					 "received, "
					 "CQE %s",
					 i, p->kernel ? "driver's" : "program's", what, p->at,
					 p->events, p->received,
					 fixture_cq_next(port, &p->cq) ? "there" : "not there");
		}
		/* Receives of a QP in error are looked for once in a millisecond. */
		if (busy && left-- < TURNS / 2)
			usleep(20);
	}
}

static bool has_received(const struct program *p)
{
	return p->received == p->sent;
}

static bool has_ended(const struct program *p)
{
	return p->at == ENDED;
}

static void end(struct program *p)
{
	fixture_simple(port, 0x501, 0, p->qp.number, 0);
	fixture_simple(other, 0x501, 0, p->peer.number, 0);
	fixture_simple(port, 0x401, 0, p->cq.number, 0);
}

static void round_of_all(void)
{
	static const uint8_t qpc[232];
	struct fixture_cq peer_cq;
	struct fixture_eq peer_eq;

	fixture_eq_create(port, (uint8_t)below(4), 0, VECTOR, &eq);
	fixture_eq_create(other, 3, 0, VECTOR, &peer_eq);
	fixture_cq_create(other, 8, peer_eq.number, &peer_cq);
	driver = SLEEPS;
	interrupts = port->interrupts[VECTOR];
	for (unsigned int i = 0; i < PROGRAMS; i++)
		begin(&program[i], &peer_cq);
	for (unsigned int n = 0; n < MESSAGES; n++) {
		for (unsigned int i = 0; i < PROGRAMS; i++) {
			program[i].sent++;
			post_send(other, &program[i].peer, &program[i]);
			if (below(2))
				post_send(port, &program[i].qp, &program[i]);
		}
		for (uint64_t turns = below(4); turns; turns--)
			turn();
		if (!below(3))
			run(has_received, "a message came");
	}
	run(has_received, "a message came");
	/* Each of them is somewhere between its last message and its sleep, and goes on meanwhile.
	 */
	for (unsigned int i = 0; i < PROGRAMS; i++) {
		for (uint64_t n = below(3); n; n--)
			turn();
		acts = true;
		assert_int_equal(fixture_qp_modify(port, &program[i].qp, TO_ERR, 0, qpc), 0);
		acts = false;
	}
	run(has_ended, "its receive was flushed");
	for (unsigned int i = 0; i < PROGRAMS; i++)
		end(&program[i]);
	fixture_simple(other, 0x401, 0, peer_cq.number, 0);
	fixture_simple(port, 0x302, 0, eq.number, 0);
	fixture_simple(other, 0x302, 0, peer_eq.number, 0);
}

static void test_woken(void **state)
{
	const char *seed_text = getenv("HCA_SEED"), *rounds_text = getenv("HCA_ROUNDS");
	uint64_t seed = seed_text ? strtoull(seed_text, NULL, 0) : (uint64_t)clock_now_ns();
	unsigned long rounds = rounds_text ? strtoul(rounds_text, NULL, 0) : ROUNDS;
	uint64_t brk;

	f = *state;
	port = &f->port[0];
	other = &f->port[1];
	brk = f->brk;
	print_message("HCA_SEED=%llu\n", (unsigned long long)seed);
	random_state = seed;
	for (unsigned long i = 0; i < rounds; i++) {
		round_of_all();
		memset(fixture_at(f, brk), 0, f->brk - brk);
		f->brk = brk;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_woken, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
