/* SPDX-License-Identifier: GPL-2.0-only */
#include "hca/inject.h"

#include "hca/cmd.h"

/* rfr_severity: reset requested, severity valid, LOGLEVEL_CRIT. */
#define SEVERITY_FATAL 0x8au

void hca_inject_health(struct hca *hca, uint8_t syndrome, bool fatal)
{
	pthread_mutex_lock(&hca->mmio.lock);
	hca->mmio.inject.syndrome = syndrome;
	hca->mmio.inject.severity = syndrome && fatal ? SEVERITY_FATAL : 0;
	pthread_mutex_unlock(&hca->mmio.lock);
}

void hca_inject_freeze(struct hca *hca, bool frozen)
{
	pthread_mutex_lock(&hca->mmio.lock);
	hca->mmio.inject.frozen = frozen;
	pthread_mutex_unlock(&hca->mmio.lock);
}

void hca_inject_commands(struct hca *hca, const struct hca_command_rule *rule)
{
	struct hca_inject *inject = &hca->mmio.inject;

	pthread_mutex_lock(&hca->mmio.lock);
	inject->rule = *rule;
	inject->commands = (struct pcie_fault_count){ 0 };
	if (!rule->count)
		memset(inject->due_ns, 0, sizeof(inject->due_ns));
	pthread_mutex_unlock(&hca->mmio.lock);
}

struct pcie_fault_count hca_inject_commands_count(struct hca *hca)
{
	struct pcie_fault_count count;

	pthread_mutex_lock(&hca->mmio.lock);
	count = hca->mmio.inject.commands;
	pthread_mutex_unlock(&hca->mmio.lock);
	return count;
}

void hca_inject_reset(struct hca_mmio *mmio)
{
	mmio->inject.syndrome = 0;
	mmio->inject.severity = 0;
	mmio->inject.frozen = false;
	mmio->inject.held = mmio->inject.passing = 0;
}

/* With the lock held. */
static bool hits(struct hca_inject *inject, uint16_t opcode)
{
	const struct hca_command_rule *rule = &inject->rule;

	if (rule->opcode && rule->opcode != opcode)
		return false;
	if (inject->commands.seen++ < rule->after || inject->commands.hit == rule->count)
		return false;
	inject->commands.hit++;
	return true;
}

uint32_t hca_inject_due(struct hca_mmio *mmio)
{
	struct hca_inject *inject = &mmio->inject;
	uint64_t now = inject->held ? clock_now_ns() : 0;
	uint32_t due = 0;

	for (unsigned int slot = 0; inject->held >> slot; slot++) {
		if (inject->held >> slot & 1 && inject->due_ns[slot] <= now)
			due |= 1u << slot;
		if (slot == 31)
			break;
	}
	inject->held &= ~due;
	inject->passing |= due;
	return due;
}

bool hca_inject_command(struct hca *hca, unsigned int slot, uint16_t opcode)
{
	struct hca_inject *inject = &hca->mmio.inject;
	bool run = true;

	pthread_mutex_lock(&hca->mmio.lock);
	if (inject->held >> slot & 1) {
		run = false; /* a doorbell too many */
	} else if (inject->passing >> slot & 1) {
		inject->passing &= ~(1u << slot);
	} else if (inject->rule.count && hits(inject, opcode)) {
		run = false;
		inject->held |= 1u << slot;
		inject->due_ns[slot] =
			inject->rule.delay_ns ? clock_now_ns() + inject->rule.delay_ns : UINT64_MAX;
	}
	pthread_mutex_unlock(&hca->mmio.lock);
	return run;
}
