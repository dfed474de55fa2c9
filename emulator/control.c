// SPDX-License-Identifier: GPL-2.0-only
#include "emulator/control.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulator/capture.h"
#include "emulator/impair.h"
#include "emulator/inject.h"

#define LINE   CONTROL_LINE
#define COUNTS 1024 /* entries of one answer */

static void add_uint(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

static void add_string(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

/* ph, st and st_width of a hint; null without one. */
static void add_hint(struct json_object *object, const struct tlp_hint *hint)
{
	const char *const key[] = { "ph", "st", "st_width" };
	const unsigned int value[] = { hint->ph, hint->st, hint->extended ? 16 : 8 };

	for (unsigned int i = 0; i < 3; i++)
		json_object_object_add(object, key[i],
				       hint->th ? json_object_new_uint64(value[i]) : NULL);
}

static struct json_object *functions(const struct controlled *devices, unsigned int count)
{
	struct json_object *list = json_object_new_array();
	struct json_object *answer = json_object_new_object();

	for (unsigned int i = 0; i < count; i++) {
		const struct device_options *options = devices[i].options;
		struct json_object *object = json_object_new_object();
		uint16_t id = options->hca.id;
		char bdf[16];

		snprintf(bdf, sizeof(bdf), "0000:%02x:%02x.%x", id >> 8, id >> 3 & 0x1f, id & 7);
		add_string(object, "name", options->name);
		add_string(object, "bdf", bdf);
		add_string(object, "kind", devices[i].hca ? "hca" : options->endpoint.kind);
		if (*options->machine)
			add_string(object, "machine", options->machine);
		if (devices[i].hca) {
			if (options->ethernet)
				add_string(object, "link", "ethernet");
			else
				add_uint(object, "lid", options->hca.lid);
			add_uint(object, "st_width", options->hca.st_width);
		} else {
			add_uint(object, "bar", endpoint_memory_bar(devices[i].endpoint));
			add_uint(object, "size", options->endpoint.memory_size);
		}
		json_object_array_add(list, object);
	}
	json_object_object_add(answer, "functions", list);
	return answer;
}

static struct json_object *counts(struct endpoint *endpoint)
{
	struct endpoint_count *count = calloc(COUNTS, sizeof(*count));
	struct json_object *list = json_object_new_array();
	struct json_object *answer = json_object_new_object();
	unsigned int all = count ? endpoint_counts(endpoint, count, COUNTS) : 0;

	for (unsigned int i = 0; i < all && i < COUNTS; i++) {
		struct json_object *object = json_object_new_object();

		add_hint(object, &count[i].hint);
		add_uint(object, "writes", count[i].writes);
		add_uint(object, "reads", count[i].reads);
		add_uint(object, "write_bytes", count[i].write_bytes);
		add_uint(object, "read_bytes", count[i].read_bytes);
		json_object_array_add(list, object);
	}
	free(count);
	add_uint(answer, "hints", all);
	json_object_object_add(answer, "counts", list);
	return answer;
}

static struct json_object *mkey(struct hca *hca)
{
	struct json_object *answer = json_object_new_object();
	struct hca_mkey_report report;
	char text[32], context[2 * sizeof(report.context) + 1];

	if (!hca_mkey_report(hca, &report)) {
		json_object_object_add(answer, "mkey", NULL);
		return answer;
	}
	snprintf(text, sizeof(text), "0x%08" PRIx32, report.key);
	add_string(answer, "mkey", text);
	json_object_object_add(answer, "tph", json_object_new_boolean(report.tph));
	add_hint(answer, &report.hint);
	add_uint(answer, "st_index", report.st_index);
	add_uint(answer, "remote_write_bytes", report.remote_write_bytes);
	add_uint(answer, "remote_read_bytes", report.remote_read_bytes);
	snprintf(text, sizeof(text), "0x%" PRIx64, report.dma_low);
	add_string(answer, "dma_low", text);
	snprintf(text, sizeof(text), "0x%" PRIx64, report.dma_high);
	add_string(answer, "dma_high", text);
	for (unsigned int i = 0; i < sizeof(report.context); i++)
		snprintf(context + 2 * i, 3, "%02x", report.context[i]);
	add_string(answer, "context", context);
	return answer;
}

static const struct controlled *find(const struct controlled *devices, unsigned int count,
				     const char *name)
{
	for (unsigned int i = 0; i < count; i++)
		if (!strcmp(devices[i].options->name, name))
			return &devices[i];
	return NULL;
}

static struct json_object *error(const char *text, const char *name)
{
	struct json_object *answer = json_object_new_object();
	char message[LINE + 64];

	snprintf(message, sizeof(message), "%s: %s", text, name);
	add_string(answer, "error", message);
	return answer;
}

static struct json_object *objects(const struct controlled *device, const char *name)
{
	struct json_object *answer, *counts;
	struct hca_objects report;

	if (!device || !device->hca)
		return error("no such HCA", name);
	answer = json_object_new_object();
	counts = json_object_new_object();
	hca_objects(device->hca, &report);
	for (unsigned int i = 0; i < HCA_OBJECT_KINDS; i++)
		add_uint(counts, hca_object_kind(i), report.count[i]);
	add_uint(answer, "memory", report.memory);
	json_object_object_add(answer, "objects", counts);
	return answer;
}

static struct json_object *set_link(const struct controlled *device, const char *text)
{
	if (!device || !device->hca)
		return error("no such HCA", "link");
	if (strcmp(text, "up") && strcmp(text, "down"))
		return error("a link is up or down", text);
	hca_set_link(device->hca, !strcmp(text, "up"));
	return json_object_new_object();
}

static struct json_object *log_commands(const struct controlled *device, const char *text)
{
	if (!device || !device->hca)
		return error("no such HCA", "commands");
	if (strcmp(text, "on") && strcmp(text, "off"))
		return error("the log of commands is on or off", text);
	hca_log_commands(device->hca, !strcmp(text, "on") ? stdout : NULL);
	return json_object_new_object();
}

static struct json_object *subnet_state(const struct controlled *devices, unsigned int count,
					struct subnet *subnet)
{
	struct json_object *answer = json_object_new_object();
	struct json_object *ports = json_object_new_array(), *groups = json_object_new_array();
	struct json_object *dropped = json_object_new_object();
	struct subnet_group *group = calloc(COUNTS, sizeof(*group));
	unsigned int all = group ? subnet_groups(subnet, group, COUNTS) : 0;

	for (unsigned int i = 0; i < count; i++) {
		struct json_object *object;

		if (!devices[i].hca)
			continue;
		object = json_object_new_object();
		add_string(object, "name", devices[i].options->name);
		add_uint(object, "lid", devices[i].options->hca.lid);
		add_string(object, "link", hca_link(devices[i].hca) ? "up" : "down");
		json_object_array_add(ports, object);
	}
	for (unsigned int i = 0; i < all && i < COUNTS; i++) {
		struct json_object *object = json_object_new_object();
		char text[INET6_ADDRSTRLEN];

		inet_ntop(AF_INET6, group[i].mgid, text, sizeof(text));
		add_string(object, "mgid", text);
		add_uint(object, "mlid", group[i].mlid);
		add_uint(object, "members", group[i].members);
		json_object_array_add(groups, object);
	}
	free(group);
	for (int i = SUBNET_QUERIES + 1; i < SUBNET_COUNTERS; i++)
		add_uint(dropped, subnet_counter_names[i], subnet_count(subnet, i));
	add_uint(answer, "sm_lid", SUBNET_SM_LID);
	json_object_object_add(answer, "ports", ports);
	json_object_object_add(answer, "groups", groups);
	add_uint(answer, "queries", subnet_count(subnet, SUBNET_QUERIES));
	json_object_object_add(answer, "dropped", dropped);
	return answer;
}

static struct json_object *switch_state(const struct control_scope *scope)
{
	struct json_object *answer = json_object_new_object();
	struct json_object *ports = json_object_new_array(), *links = json_object_new_array();

	for (unsigned int i = 0; i < scope->count; i++) {
		struct json_object *object;

		if (!scope->devices[i].hca || !scope->devices[i].options->ethernet)
			continue;
		object = json_object_new_object();
		add_string(object, "name", scope->devices[i].options->name);
		add_string(object, "link", hca_link(scope->devices[i].hca) ? "up" : "down");
		json_object_array_add(ports, object);
	}
	for (unsigned int i = 0; i < scope->uplink_count; i++) {
		struct uplink_counts counts = uplink_counts(scope->uplinks[i]);
		struct json_object *object = json_object_new_object();

		add_string(object, "name", uplink_name(scope->uplinks[i]));
		add_uint(object, "in", counts.in);
		add_uint(object, "in_octets", counts.in_octets);
		add_uint(object, "in_lost", counts.in_lost);
		add_uint(object, "in_bad", counts.in_bad);
		add_uint(object, "out", counts.out);
		add_uint(object, "out_octets", counts.out_octets);
		add_uint(object, "out_lost", counts.out_lost);
		json_object_array_add(links, object);
	}
	json_object_object_add(answer, "ports", ports);
	json_object_object_add(answer, "links", links);
	return answer;
}

/* A function with the name of a link comes first. */
static struct uplink *find_uplink(const struct control_scope *scope, const char *name)
{
	for (unsigned int i = 0; i < scope->uplink_count; i++)
		if (!strcmp(uplink_name(scope->uplinks[i]), name) &&
		    !find(scope->devices, scope->count, name))
			return scope->uplinks[i];
	return NULL;
}

static struct json_object *st_entries(const struct controlled *device, const char *text)
{
	unsigned int entries;
	char end;

	if (!device || !device->hca)
		return error("no such HCA", "st-entries");
	if (sscanf(text, "%2u%c", &entries, &end) != 1 || entries > PCIE_ST_ENTRIES)
		return error("an ST table has 1 to 64 entries", text);
	pcie_config_claim_st_entries(hca_function(device->hca), entries);
	return json_object_new_object();
}

static struct json_object *engine_state(const struct engine *engine)
{
	struct json_object *answer = json_object_new_object();
	struct engine_state state;

	engine_look(engine, &state);
	add_string(answer, "pace", state.pace);
	add_uint(answer, "cpus", state.cpus);
	json_object_object_add(answer, "guest_cpus",
			       state.guest_cpus ? json_object_new_uint64(state.guest_cpus) : NULL);
	add_uint(answer, "rounds", state.rounds);
	add_uint(answer, "naps", state.naps);
	add_uint(answer, "work_ns", state.work_ns);
	add_uint(answer, "nap_ns", state.nap_ns);
	return answer;
}

static struct json_object *capture(const struct controlled *device, const char *argument, int *fd)
{
	struct json_object *answer;
	const char *why;

	if (!device || !device->hca)
		return error("no such HCA", "capture");
	answer = capture_answer(device->options, argument, fd, &why);
	return answer ? answer : error(why, device->options->name);
}

static struct json_object *answer(const struct control_scope *scope, const char *verb,
				  const char *name, const char *argument, int *fd)
{
	const struct controlled *device = find(scope->devices, scope->count, name);
	int rc;

	if (!strcmp(verb, "functions"))
		return functions(scope->devices, scope->count);
	if (!strcmp(verb, "mark")) {
		if (!*name || strlen(name) >= TLP_TRACE_NAME)
			return error("a mark has 1 to 23 characters", name);
		if (!scope->trace)
			return error("no trace is written for the mark", name);
		rc = tlp_trace_mark(scope->trace, name);
		if (rc == -EINVAL)
			return error("a mark has printable ASCII characters only", name);
		return rc ? error(strerror(-rc), name) : json_object_new_object();
	}
	if (!strcmp(verb, "counts") || !strcmp(verb, "reset-counts")) {
		if (!device || !device->endpoint)
			return error("no such endpoint", name);
		if (*verb == 'c')
			return counts(device->endpoint);
		endpoint_reset_counts(device->endpoint);
		return json_object_new_object();
	}
	if (!strcmp(verb, "mkey") || !strcmp(verb, "clear-mkey")) {
		if (!device || !device->hca)
			return error("no such HCA", name);
		if (*verb == 'm')
			return mkey(device->hca);
		hca_clear_mkey_report(device->hca);
		return json_object_new_object();
	}
	if (!strcmp(verb, "objects"))
		return objects(device, name);
	if (!strcmp(verb, "link"))
		return set_link(device, argument);
	if (!strcmp(verb, "commands"))
		return log_commands(device, argument);
	if (!strcmp(verb, "capture"))
		return capture(device, argument, fd);
	if (!strcmp(verb, "subnet"))
		return subnet_state(scope->devices, scope->count, scope->subnet);
	if (!strcmp(verb, "switch"))
		return switch_state(scope);
	if (!strcmp(verb, "engine"))
		return scope->engine ? engine_state(scope->engine) : error("no engine runs", verb);
	if (!strcmp(verb, "st-entries"))
		return st_entries(device, argument);
	return error("no such request", verb);
}

char *control_answer(const struct control_scope *scope, const char *line)
{
	int fd = -1;

	return control_answer_with(scope, line, &fd);
}

char *control_answer_with(const struct control_scope *scope, const char *line, int *fd)
{
	char verb[LINE] = "", name[LINE] = "", argument[LINE] = "";
	struct json_object *object;
	const char *text;
	char *copy = NULL;

	sscanf(line, "%255s %255s %255s", verb, name, argument);
	if (!strcmp(verb, "inject"))
		object = inject_answer(find(scope->devices, scope->count, name), line);
	else if (!strcmp(verb, "impair"))
		object = impair_answer(find(scope->devices, scope->count, name),
				       find_uplink(scope, name), line);
	else
		object = answer(scope, verb, name, argument, fd);
	text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
	/* No answer there is comes near it: entries are bounded, and what is in them. */
	if (text && strlen(text) >= CONTROL_ANSWER) {
		json_object_put(object);
		object = error("the answer is too long", verb);
		text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
	}
	if (text && asprintf(&copy, "%s\n", text) < 0)
		copy = NULL;
	json_object_put(object);
	return copy;
}
