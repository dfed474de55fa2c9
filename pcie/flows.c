/* SPDX-License-Identifier: GPL-2.0 */
#include "pcie/flows.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "pcie/summary.h"

static bool is_completion(const struct tlp *tlp)
{
	return tlp->type == TLP_CPL || tlp->type == TLP_CPLD;
}

/* Names are the reader's own, one string per function. */
static bool belongs(const struct tlp_flow *flow, const struct tlp_entry *entry)
{
	return flow->type == entry->tlp.type && flow->source == entry->source &&
	       flow->target == entry->target && flow->route == entry->record.route &&
	       flow->bar == entry->record.bar && tlp_hint_equal(&flow->hint, &entry->tlp.hint);
}

static struct tlp_flow *flow_of(struct tlp_flows *flows, const struct tlp_entry *entry)
{
	struct tlp_flow *more;

	for (unsigned int i = 0; i < flows->count; i++) {
		if (belongs(&flows->flow[i], entry))
			return &flows->flow[i];
	}
	more = reallocarray(flows->flow, flows->count + 1, sizeof(*more));
	if (!more)
		return NULL;
	flows->flow = more;
	more += flows->count++;
	*more = (struct tlp_flow){ .source = entry->source,
				   .target = entry->target,
				   .route = entry->record.route,
				   .bar = entry->record.bar,
				   .type = entry->tlp.type,
				   .hint = entry->tlp.hint };
	return more;
}

int tlp_flows_add(struct tlp_flows *flows, const struct tlp_entry *entry, bool json, FILE *out)
{
	struct tlp_flow *flow;
	uint64_t first;
	int rc;

	if (entry->record.kind == TLP_RECORD_MARK) {
		rc = tlp_flows_print(flows, json, out);
		flows->count = 0;
		snprintf(flows->mark, sizeof(flows->mark), "%s", entry->text);
		return rc;
	}
	flow = flow_of(flows, entry);
	if (!flow)
		return -ENOMEM;
	flow->tlps++;
	if (!is_completion(&entry->tlp))
		flow->bytes += tlp_range(&entry->tlp, &first);
	return 0;
}

void tlp_flows_clear(struct tlp_flows *flows)
{
	free(flows->flow);
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
	if (flow->target && flow->type != TLP_CPL && flow->type != TLP_CPLD)
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

static int print_json(const struct tlp_flows *flows, FILE *out)
{
	struct json_object *root = json_object_new_object(), *list = json_object_new_array();
	int failed = add_string(root, "mark", *flows->mark ? flows->mark : NULL);

	for (unsigned int i = 0; i < flows->count; i++)
		failed |= add_flow(list, &flows->flow[i]);
	failed |= json_object_object_add(root, "flows", list);
	fprintf(out, "%s\n", json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN));
	json_object_put(root);
	return failed ? -ENOMEM : 0;
}

int tlp_flows_print(const struct tlp_flows *flows, bool json, FILE *out)
{
	if (!*flows->mark && !flows->count)
		return 0;
	if (json)
		return print_json(flows, out);
	fprintf(out, "%s:\n", *flows->mark ? flows->mark : "before the first mark");
	for (unsigned int i = 0; i < flows->count; i++) {
		const struct tlp_flow *flow = &flows->flow[i];

		fprintf(out, "  %s -> %s %s: %" PRIu64 " TLPs, %" PRIu64 " bytes", flow->source,
			flow->target ? flow->target : tlp_route_name(flow->route), type_name(flow),
			flow->tlps, flow->bytes);
		if (flow->hint.th)
			fprintf(out, ", ph %u st 0x%x (%d bits)", flow->hint.ph, flow->hint.st,
				width(&flow->hint));
		putc('\n', out);
	}
	return 0;
}
