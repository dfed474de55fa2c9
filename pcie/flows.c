/* SPDX-License-Identifier: GPL-2.0-only */
#include "pcie/flows.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "pcie/summary.h"

static bool is_completion(enum tlp_type type)
{
	return type == TLP_CPL || type == TLP_CPLD;
}

/* Of a place in a table that whoever wrote the trace cannot foresee. */
static uint64_t seed(void)
{
	static uint64_t value;

	if (!value && getrandom(&value, sizeof(value), 0) != sizeof(value))
		value = (uintptr_t)&value;
	return value;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 32;
}

static unsigned long hash_flow(const void *key)
{
	const struct tlp_flow *flow = key;
	uint64_t hash = mix(seed(), (uintptr_t)flow->source);

	hash = mix(hash, (uintptr_t)flow->target);
	hash = mix(hash, tlp_hint_index(&flow->hint));
	return mix(hash, (uint64_t)flow->type << 16 | flow->route << 8 | flow->bar);
}

/* Names are the reader's own, one string per function. */
static int equal_flows(const void *first, const void *second)
{
	const struct tlp_flow *a = first, *b = second;

	return a->type == b->type && a->source == b->source && a->target == b->target &&
	       a->route == b->route && a->bar == b->bar && tlp_hint_equal(&a->hint, &b->hint);
}

static void free_flow(struct lh_entry *entry)
{
	free(lh_entry_k(entry));
}

/* Puts the flow of @entry in *@flow, NULL when there is no place for it. Returns 0 or -ENOMEM. */
static int flow_of(struct tlp_flows *flows, const struct tlp_entry *entry, struct tlp_flow **flow)
{
	struct tlp_flow key = { .source = entry->source,
				.target = entry->target,
				.route = entry->record.route,
				.bar = entry->record.bar,
				.type = entry->tlp.type,
				.hint = entry->tlp.hint };
	struct lh_entry *found;

	if (!flows->table)
		flows->table = lh_table_new(64, free_flow, hash_flow, equal_flows);
	if (!flows->table)
		return -ENOMEM;
	found = lh_table_lookup_entry(flows->table, &key);
	*flow = found ? lh_entry_k(found) : NULL;
	if (found || lh_table_length(flows->table) == TLP_FLOWS)
		return 0;
	*flow = malloc(sizeof(**flow));
	if (!*flow)
		return -ENOMEM;
	**flow = key;
	if (lh_table_insert(flows->table, *flow, NULL)) {
		free(*flow);
		return -ENOMEM;
	}
	return 0;
}

/* All but whether there were others once. */
static void empty(struct tlp_flows *flows)
{
	if (flows->table)
		lh_table_free(flows->table);
	flows->table = NULL;
	flows->others = 0;
}

int tlp_flows_add(struct tlp_flows *flows, const struct tlp_entry *entry, bool json, FILE *out)
{
	struct tlp_flow *flow;
	uint64_t first;
	int rc;

	if (entry->record.kind == TLP_RECORD_MARK) {
		rc = tlp_flows_print(flows, json, out);
		empty(flows);
		snprintf(flows->mark, sizeof(flows->mark), "%s", entry->text);
		return rc;
	}
	rc = flow_of(flows, entry, &flow);
	if (rc)
		return rc;
	if (!flow) {
		flows->others++;
		flows->overflow = true;
		return 0;
	}
	flow->tlps++;
	if (!is_completion(flow->type))
		flow->bytes += tlp_range(&entry->tlp, &first);
	return 0;
}

void tlp_flows_clear(struct tlp_flows *flows)
{
	empty(flows);
	*flows = (struct tlp_flows){ 0 };
}

static const char *type_name(const struct tlp_flow *flow)
{
	switch (flow->type) {
	case TLP_MRD:
		return "read";
	case TLP_MWR:
		return "write";
	case TLP_CPL:
	case TLP_CPLD:
		return "completion";
	default:
		return "atomic";
	}
}

static int width(const struct tlp_hint *hint)
{
	return hint->extended ? 16 : 8;
}

static int add_number(struct json_object *object, const char *key, uint64_t value)
{
	return json_object_object_add(object, key, json_object_new_uint64(value));
}

static int add_string(struct json_object *object, const char *key, const char *value)
{
	return json_object_object_add(object, key, value ? json_object_new_string(value) : NULL);
}

static int add_flow(struct json_object *list, const struct tlp_flow *flow)
{
	struct json_object *item = json_object_new_object(), *hint = NULL;
	int failed = 0;

	failed |= add_string(item, "source", flow->source);
	failed |= add_string(item, "target", flow->target);
	failed |= add_string(item, "route", tlp_route_name(flow->route));
	if (flow->target && !is_completion(flow->type))
		failed |= add_number(item, "bar", flow->bar);
	failed |= add_string(item, "type", type_name(flow));
	if (flow->hint.th) {
		hint = json_object_new_object();
		failed |= add_number(hint, "ph", flow->hint.ph);
		failed |= add_number(hint, "st", flow->hint.st);
		failed |= add_number(hint, "st_width", width(&flow->hint));
	}
	failed |= json_object_object_add(item, "hint", hint);
	failed |= add_number(item, "tlps", flow->tlps);
	failed |= add_number(item, "bytes", flow->bytes);
	return failed | json_object_array_add(list, item);
}

static struct lh_entry *first_of(const struct tlp_flows *flows)
{
	return flows->table ? lh_table_head(flows->table) : NULL;
}

static int print_json(const struct tlp_flows *flows, FILE *out)
{
	struct json_object *root = json_object_new_object(), *list = json_object_new_array();
	int failed = add_string(root, "mark", *flows->mark ? flows->mark : NULL);
	struct lh_entry *entry;

	for (entry = first_of(flows); entry; entry = lh_entry_next(entry))
		failed |= add_flow(list, lh_entry_k(entry));
	failed |= json_object_object_add(root, "flows", list);
	if (flows->others)
		failed |= add_number(root, "others", flows->others);
	fprintf(out, "%s\n", json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN));
	json_object_put(root);
	return failed ? -ENOMEM : 0;
}

int tlp_flows_print(const struct tlp_flows *flows, bool json, FILE *out)
{
	struct lh_entry *entry;

	if (!*flows->mark && !flows->table)
		return 0;
	if (json)
		return print_json(flows, out);
	fprintf(out, "%s:\n", *flows->mark ? flows->mark : "before the first mark");
	for (entry = first_of(flows); entry; entry = lh_entry_next(entry)) {
		const struct tlp_flow *flow = lh_entry_k(entry);

		fprintf(out, "  %s -> %s %s: %" PRIu64 " TLPs, %" PRIu64 " bytes", flow->source,
			flow->target ? flow->target : tlp_route_name(flow->route), type_name(flow),
			flow->tlps, flow->bytes);
		if (flow->hint.th)
			fprintf(out, ", ph %u st 0x%x (%d bits)", flow->hint.ph, flow->hint.st,
				width(&flow->hint));
		putc('\n', out);
	}
	if (flows->others)
		fprintf(out, "  others: %" PRIu64 " TLPs\n", flows->others);
	return 0;
}
