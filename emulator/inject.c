// SPDX-License-Identifier: GPL-2.0-only
#include "emulator/inject.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hca/inject.h"

#define WORDS	  16
#define LINE	  256
#define MS_MAX	  600000u
#define NS_PER_MS 1000000ull

static const char *const sides[PCIE_FAULT_SIDES] = { "requests", "into", "interrupts" };

static const char *const kinds[] = {
	[PCIE_FAULT_UR] = "ur",
	[PCIE_FAULT_CA] = "ca",
	[PCIE_FAULT_POISONED] = "poisoned",
	[PCIE_FAULT_LOST] = "lost",
	[PCIE_FAULT_ASTRAY] = "astray",
	[PCIE_FAULT_LATE] = "late",
};

/* What all rules can say. */
struct words {
	struct pcie_fault_rule rule;
	uint64_t ms, opcode;
};

static struct json_object *error(const char *text, const char *word)
{
	struct json_object *answer = json_object_new_object();
	char message[LINE + 64];

	snprintf(message, sizeof(message), "%s: %s", text, word);
	json_object_object_add(answer, "error", json_object_new_string(message));
	return answer;
}

static int index_of(const char *const *names, unsigned int count, const char *word)
{
	for (unsigned int i = 0; i < count; i++)
		if (names[i] && !strcmp(names[i], word))
			return (int)i;
	return -1;
}

static bool number(const char *text, uint64_t most, uint64_t *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, 0);
	return !errno && !*end && *value <= most;
}

/* One word behind the kind; false: it says nothing. */
static bool take(struct words *words, const char *word)
{
	const struct {
		const char *key;
		uint64_t most, *value;
	} keys[] = {
		{ "from=", UINT64_MAX, &words->rule.from },
		{ "to=", UINT64_MAX, &words->rule.to },
		{ "after=", UINT64_MAX, &words->rule.after },
		{ "count=", UINT64_MAX, &words->rule.count },
		{ "seed=", UINT64_MAX, &words->rule.seed },
		{ "ms=", MS_MAX, &words->ms },
		{ "opcode=", UINT16_MAX, &words->opcode },
	};
	uint64_t permille;

	if (!strcmp(word, "read") || !strcmp(word, "write")) {
		words->rule.reads |= *word == 'r';
		words->rule.writes |= *word == 'w';
		return true;
	}
	if (!strncmp(word, "permille=", 9)) {
		if (!number(word + 9, 1000, &permille))
			return false;
		words->rule.permille = (unsigned int)permille;
		return true;
	}
	for (unsigned int i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		size_t length = strlen(keys[i].key);

		if (!strncmp(word, keys[i].key, length))
			return number(word + length, keys[i].most, keys[i].value);
	}
	return false;
}

static struct json_object *count(struct pcie_fault_count count)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "seen", json_object_new_uint64(count.seen));
	json_object_object_add(object, "hit", json_object_new_uint64(count.hit));
	return object;
}

static struct json_object *state(const struct controlled *device)
{
	struct pcie_function *fn = controlled_function(device);
	struct json_object *answer = json_object_new_object();

	for (int i = 0; i < PCIE_FAULT_SIDES; i++)
		json_object_object_add(answer, sides[i], count(pcie_inject_count(fn, i)));
	if (device->hca)
		json_object_object_add(answer, "commands",
				       count(hca_inject_commands_count(device->hca)));
	json_object_object_add(answer, "gone", json_object_new_boolean(pcie_inject_gone(fn)));
	return answer;
}

static void off(const struct controlled *device)
{
	for (int i = 0; i < PCIE_FAULT_SIDES; i++)
		pcie_inject_disarm(controlled_function(device), i);
	if (!device->hca)
		return;
	hca_inject_commands(device->hca, &(struct hca_command_rule){ .count = 0 });
	hca_inject_health(device->hca, 0, false);
	hca_inject_freeze(device->hca, false);
}

/* A rule of the link or of commands: @word[0] is the side, @word[1] the kind. */
static struct json_object *arm(const struct controlled *device, int side, char **word,
			       unsigned int count)
{
	struct words words = { .rule = { .to = UINT64_MAX, .count = 1, .permille = 1000 } };
	int kind = count > 1 ? index_of(kinds, sizeof(kinds) / sizeof(kinds[0]), word[1]) : -1;

	if (kind < 0)
		return error("what kind of fault", count > 1 ? word[1] : word[0]);
	for (unsigned int i = 2; i < count; i++)
		if (!take(&words, word[i]))
			return error("no such property, or a bad value", word[i]);
	words.rule.kind = kind;
	words.rule.delay_ns = words.ms * NS_PER_MS;
	/* Of reads and writes unless it says which. */
	if (side != PCIE_FAULT_INTERRUPTS && !words.rule.reads && !words.rule.writes) {
		words.rule.reads = true;
		words.rule.writes = kind != PCIE_FAULT_LOST;
	}
	if (side < PCIE_FAULT_SIDES) {
		if (pcie_inject_arm(controlled_function(device), side, &words.rule))
			return error("no such fault there", word[1]);
		return json_object_new_object();
	}
	if ((kind != PCIE_FAULT_LOST && kind != PCIE_FAULT_LATE) ||
	    (kind == PCIE_FAULT_LATE) != (words.ms > 0))
		return error("commands are lost, or late by ms=N", word[1]);
	hca_inject_commands(device->hca,
			    &(struct hca_command_rule){ .opcode = (uint16_t)words.opcode,
							.after = words.rule.after,
							.count = words.rule.count,
							.delay_ns = words.rule.delay_ns });
	return json_object_new_object();
}

static struct json_object *of_hca(struct hca *hca, char **word, unsigned int count)
{
	bool fatal = count == 3 && !strcmp(word[2], "fatal");
	uint64_t syndrome;

	if (!strcmp(word[0], "health") && (count == 2 || fatal)) {
		if (!number(word[1], UINT8_MAX, &syndrome))
			return error("a syndrome is one byte", word[1]);
		hca_inject_health(hca, (uint8_t)syndrome, fatal);
		return json_object_new_object();
	}
	if (!strcmp(word[0], "counter") && count == 2 &&
	    (!strcmp(word[1], "frozen") || !strcmp(word[1], "running"))) {
		hca_inject_freeze(hca, *word[1] == 'f');
		return json_object_new_object();
	}
	return error("no such fault", word[0]);
}

struct json_object *inject_answer(const struct controlled *device, const char *line)
{
	char copy[LINE], *word[WORDS], *save = NULL;
	unsigned int count = 0;
	int side;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *at = strtok_r(copy, " ", &save); at && count < WORDS;
	     at = strtok_r(NULL, " ", &save))
		word[count++] = at;
	if (!device)
		return error("no such function", count > 1 ? word[1] : "inject");
	if (count == 2)
		return state(device);
	side = index_of(sides, PCIE_FAULT_SIDES, word[2]);
	if (side < 0 && device->hca && !strcmp(word[2], "commands"))
		side = PCIE_FAULT_SIDES;
	if (side >= 0)
		return arm(device, side, word + 2, count - 2);
	if (count == 3 && !strcmp(word[2], "gone"))
		pcie_inject_remove(controlled_function(device));
	else if (count == 3 && !strcmp(word[2], "back"))
		pcie_inject_put_back(controlled_function(device));
	else if (count == 3 && !strcmp(word[2], "off"))
		off(device);
	else if (device->hca)
		return of_hca(device->hca, word + 2, count - 2);
	else
		return error("no such fault", word[2]);
	return json_object_new_object();
}
