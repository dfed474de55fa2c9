/* SPDX-License-Identifier: GPL-2.0-only */
#include "pcie/inject.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "pcie/function.h"

/* A bit that no address of a guest here has, inside of 39 bits, which each IOMMU translates. */
#define STRAY_BIT (1ull << 38)

enum { PRESENT, GONE, PUT_BACK };

/* Of all rules: it is taken only while one is armed. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool is_valid(enum pcie_fault_side side, const struct pcie_fault_rule *rule)
{
	if (rule->from >= rule->to || !rule->count || !rule->permille || rule->permille > 1000)
		return false;
	switch (rule->kind) {
	case PCIE_FAULT_UR:
	case PCIE_FAULT_CA:
	case PCIE_FAULT_POISONED:
		return side != PCIE_FAULT_INTERRUPTS && (rule->reads || rule->writes);
	case PCIE_FAULT_LOST:
		return side == PCIE_FAULT_INTERRUPTS || (rule->reads && !rule->writes);
	case PCIE_FAULT_ASTRAY:
		return side == PCIE_FAULT_REQUESTS && (rule->reads || rule->writes);
	case PCIE_FAULT_LATE:
		return side == PCIE_FAULT_INTERRUPTS && rule->delay_ns;
	default:
		return false;
	}
}

int pcie_inject_arm(struct pcie_function *fn, enum pcie_fault_side side,
		    const struct pcie_fault_rule *rule)
{
	struct pcie_inject *inject = &fn->inject;

	if (!is_valid(side, rule))
		return -EINVAL;
	pthread_mutex_lock(&lock);
	inject->side[side].rule = *rule;
	inject->side[side].count = (struct pcie_fault_count){ 0 };
	inject->side[side].random = rule->seed;
	atomic_fetch_or(&inject->armed, 1u << side);
	pthread_mutex_unlock(&lock);
	return 0;
}

void pcie_inject_disarm(struct pcie_function *fn, enum pcie_fault_side side)
{
	struct pcie_inject *inject = &fn->inject;

	pthread_mutex_lock(&lock);
	atomic_fetch_and(&inject->armed, ~(1u << side));
	for (unsigned int i = 0; side == PCIE_FAULT_INTERRUPTS && i < inject->held_count; i++)
		inject->held[i].due_ns = 0;
	pthread_mutex_unlock(&lock);
}

struct pcie_fault_count pcie_inject_count(struct pcie_function *fn, enum pcie_fault_side side)
{
	struct pcie_fault_count count;

	pthread_mutex_lock(&lock);
	count = fn->inject.side[side].count;
	pthread_mutex_unlock(&lock);
	return count;
}

bool pcie_inject_armed(const struct pcie_function *fn, enum pcie_fault_side side)
{
	return atomic_load_explicit(&fn->inject.armed, memory_order_relaxed) & 1u << side;
}

/* splitmix64: a seed gives the same draws everywhere. */
static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* With the lock held. One more that fits: whether the rule spoils it. */
static bool hits(struct pcie_inject *inject, enum pcie_fault_side side)
{
	const struct pcie_fault_rule *rule = &inject->side[side].rule;
	struct pcie_fault_count *count = &inject->side[side].count;

	if (count->seen++ < rule->after || count->hit == rule->count)
		return false;
	if (rule->permille < 1000 && draw(&inject->side[side].random) % 1000 >= rule->permille)
		return false;
	count->hit++;
	return true;
}

static bool fits(const struct pcie_fault_rule *rule, bool write, uint64_t where, size_t len)
{
	return (write ? rule->writes : rule->reads) && where < rule->to &&
	       (where >= rule->from || rule->from - where < len);
}

/* @astray: rules of that kind, else all others. */
static enum pcie_fault take(struct pcie_function *fn, enum pcie_fault_side side, bool write,
			    uint64_t where, size_t len, bool astray)
{
	struct pcie_inject *inject = &fn->inject;
	const struct pcie_fault_rule *rule = &inject->side[side].rule;
	enum pcie_fault fault = PCIE_FAULT_NONE;

	if (!pcie_inject_armed(fn, side))
		return PCIE_FAULT_NONE;
	pthread_mutex_lock(&lock);
	if ((rule->kind == PCIE_FAULT_ASTRAY) == astray && fits(rule, write, where, len) &&
	    hits(inject, side))
		fault = rule->kind;
	pthread_mutex_unlock(&lock);
	return fault;
}

enum pcie_fault pcie_inject_request(struct pcie_function *fn, enum pcie_fault_side side, bool write,
				    uint64_t where, size_t len)
{
	return take(fn, side, write, where, len, false);
}

uint64_t pcie_inject_address(struct pcie_function *fn, bool write, uint64_t addr, size_t len)
{
	uint64_t astray = addr ^ STRAY_BIT;

	/* No transfer wraps, wherever it goes. */
	if (!len || astray + (len - 1) < astray)
		return addr;
	return take(fn, PCIE_FAULT_REQUESTS, write, addr, len, true) ? astray : addr;
}

/* --- interrupts ------------------------------------------------------------------------------ */

bool pcie_inject_interrupt(struct pcie_function *fn, unsigned int vector)
{
	struct pcie_inject *inject = &fn->inject;
	const struct pcie_fault_rule *rule = &inject->side[PCIE_FAULT_INTERRUPTS].rule;
	bool pass = true;

	if (!pcie_inject_armed(fn, PCIE_FAULT_INTERRUPTS))
		return true;
	pthread_mutex_lock(&lock);
	if (vector >= rule->from && vector < rule->to && hits(inject, PCIE_FAULT_INTERRUPTS)) {
		pass = rule->kind == PCIE_FAULT_LATE && inject->held_count == PCIE_FAULT_HELD;
		if (rule->kind == PCIE_FAULT_LATE && !pass) {
			inject->held[inject->held_count].due_ns = clock_now_ns() + rule->delay_ns;
			inject->held[inject->held_count++].vector = vector;
		}
	}
	pthread_mutex_unlock(&lock);
	return pass;
}

void pcie_inject_poll(struct pcie_function *fn, uint64_t now)
{
	struct pcie_inject *inject = &fn->inject;
	unsigned int due[PCIE_FAULT_HELD], dues = 0, kept = 0;

	if (!atomic_load_explicit(&inject->held_count, memory_order_relaxed))
		return;
	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < inject->held_count; i++) {
		if (inject->held[i].due_ns <= now)
			due[dues++] = inject->held[i].vector;
		else
			inject->held[kept++] = inject->held[i];
	}
	inject->held_count = kept;
	pthread_mutex_unlock(&lock);
	for (unsigned int i = 0; i < dues; i++)
		pcie_raise(fn, due[i]);
}

/* --- presence -------------------------------------------------------------------------------- */

void pcie_inject_remove(struct pcie_function *fn)
{
	atomic_store(&fn->inject.presence, GONE);
	atomic_store(&fn->bus_master, false);
}

void pcie_inject_put_back(struct pcie_function *fn)
{
	unsigned int gone = GONE;

	atomic_compare_exchange_strong(&fn->inject.presence, &gone, PUT_BACK);
}

bool pcie_inject_gone(const struct pcie_function *fn)
{
	return atomic_load(&fn->inject.presence) != PRESENT;
}

bool pcie_inject_answers(struct pcie_function *fn)
{
	if (atomic_load(&fn->inject.presence) == PUT_BACK) {
		pcie_function_reset(fn, PCIE_RESET_CONVENTIONAL);
		atomic_store(&fn->inject.presence, PRESENT);
	}
	return atomic_load(&fn->inject.presence) == PRESENT;
}
