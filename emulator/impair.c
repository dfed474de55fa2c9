// SPDX-License-Identifier: GPL-2.0-only
#include "emulator/impair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_uint(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

static struct json_object *error(const char *text, const char *word)
{
	struct json_object *answer = json_object_new_object();
	char message[CONTROL_LINE + IMPAIRMENT_TEXT];

	snprintf(message, sizeof(message), "%s: %s", text, word);
	json_object_object_add(answer, "error", json_object_new_string(message));
	return answer;
}

static struct json_object *counts_object(const struct impairment_counts *counts)
{
	struct json_object *object = json_object_new_object();

	add_uint(object, "packets", counts->packets);
	add_uint(object, "octets", counts->octets);
	add_uint(object, "lost", counts->lost);
	add_uint(object, "doubled", counts->doubled);
	add_uint(object, "reordered", counts->reordered);
	add_uint(object, "damaged", counts->damaged);
	add_uint(object, "marked", counts->marked);
	add_uint(object, "overflow", counts->overflow);
	add_uint(object, "delivered", counts->delivered);
	return object;
}

static struct json_object *what_list(unsigned int what)
{
	static const char *const names[] = { "lost",	"doubled", "reordered",
					     "damaged", "marked",  "overflow" };
	struct json_object *list = json_object_new_array();

	for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (what >> i & 1)
			json_object_array_add(list, json_object_new_string(names[i]));
	return list;
}

static struct json_object *event_object(const struct impairment_event *event)
{
	struct json_object *object = json_object_new_object();

	add_uint(object, "number", event->number);
	json_object_object_add(object, "kind",
			       json_object_new_string(hca_packet_kinds[event->label.kind]));
	add_uint(object, "qpn", event->label.flow);
	add_uint(object, "psn", event->label.sequence);
	add_uint(object, "octets", event->length);
	add_uint(object, "ns", event->now);
	json_object_object_add(object, "what", what_list(event->what));
	return object;
}

static struct json_object *show(struct hca *hca)
{
	struct hca_impairment *report = malloc(sizeof(*report));
	struct json_object *answer, *counts, *log;
	char text[IMPAIRMENT_TEXT];

	if (!report)
		return error("out of memory", "impair");
	answer = json_object_new_object();
	if (!hca_impairment(hca, report)) {
		json_object_object_add(answer, "impairment", NULL);
		free(report);
		return answer;
	}
	impairment_print(&report->spec, text);
	json_object_object_add(answer, "impairment", json_object_new_string(text));
	counts = json_object_new_object();
	for (unsigned int i = 0; i < HCA_PACKET_KINDS; i++)
		json_object_object_add(counts, hca_packet_kinds[i],
				       counts_object(&report->counts[i]));
	json_object_object_add(answer, "counts", counts);
	add_uint(answer, "events", report->all_events);
	log = json_object_new_array();
	for (unsigned int i = 0; i < report->events; i++)
		json_object_array_add(log, event_object(&report->event[i]));
	json_object_object_add(answer, "log", log);
	free(report);
	return answer;
}

static struct json_object *show_link(struct uplink *uplink)
{
	struct json_object *answer = json_object_new_object(), *counts;
	struct impairment_counts in, out;
	struct impairment_spec spec;
	char text[IMPAIRMENT_TEXT];

	if (!uplink_impairment(uplink, &spec, &in, &out)) {
		json_object_object_add(answer, "impairment", NULL);
		return answer;
	}
	impairment_print(&spec, text);
	json_object_object_add(answer, "impairment", json_object_new_string(text));
	counts = json_object_new_object();
	json_object_object_add(counts, "in", counts_object(&in));
	json_object_object_add(counts, "out", counts_object(&out));
	json_object_object_add(answer, "counts", counts);
	return answer;
}

static void set(const struct controlled *device, struct uplink *uplink,
		const struct impairment_spec *spec)
{
	if (uplink)
		uplink_set_impairment(uplink, spec);
	else
		hca_impair(device->hca, spec);
}

struct json_object *impair_answer(const struct controlled *device, struct uplink *uplink,
				  const char *line)
{
	char verb[CONTROL_LINE] = "", name[CONTROL_LINE] = "", message[IMPAIRMENT_TEXT];
	struct impairment_spec spec;
	int skip = 0;

	/* What is behind the name is the spec, spaces included. */
	sscanf(line, "%255s %255s %n", verb, name, &skip);
	line += skip;
	if (!uplink && (!device || !device->hca))
		return error("no such HCA or link", name);
	if (!skip || !*line)
		return error("a spec, off or show", name);
	if (!strcmp(line, "show"))
		return uplink ? show_link(uplink) : show(device->hca);
	if (!strcmp(line, "off")) {
		set(device, uplink, NULL);
		return json_object_new_object();
	}
	if (impairment_parse(line, &spec, message))
		return error("no such impairment", message);
	set(device, uplink, &spec);
	return json_object_new_object();
}
