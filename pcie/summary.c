/* SPDX-License-Identifier: GPL-2.0-only */
#include "pcie/summary.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

bool tlp_hint_equal(const struct tlp_hint *a, const struct tlp_hint *b)
{
	if (!a->th || !b->th)
		return a->th == b->th;
	return a->extended == b->extended && a->ph == b->ph && a->st == b->st;
}

bool tlp_in_window(const struct tlp *tlp, const struct tlp_window *window)
{
	uint64_t first;
	size_t len;

	if (tlp->type == TLP_CPL || tlp->type == TLP_CPLD)
		return false;
	len = tlp_range(tlp, &first);
	if (first < window->base)
		return window->base - first < len;
	return first - window->base < window->size;
}

static int count_hint(struct tlp_summary *summary, const struct tlp_hint *hint)
{
	uint32_t *place;

	if (!summary->place) {
		/* What is never touched takes no memory. */
		summary->place = calloc(TLP_HINTS, sizeof(*summary->place));
		summary->by_hint = calloc(TLP_HINTS, sizeof(*summary->by_hint));
	}
	if (!summary->place || !summary->by_hint)
		return -ENOMEM;
	place = &summary->place[tlp_hint_index(hint)];
	if (!*place) {
		summary->by_hint[summary->hints].hint = *hint;
		*place = ++summary->hints;
	}
	summary->by_hint[*place - 1].count++;
	return 0;
}

int tlp_summary_add(struct tlp_summary *summary, const struct tlp_summary_options *options,
		    const struct tlp_entry *entry)
{
	const struct tlp *tlp = &entry->tlp;

	if (entry->record.kind != TLP_RECORD_TLP)
		return 0;
	summary->tlps++;
	if (tlp->type != TLP_MWR || strcmp(entry->source, options->source) ||
	    !tlp_in_window(tlp, &options->window)) {
		summary->hint_elsewhere += tlp->hint.th;
		return 0;
	}
	summary->bar_writes++;
	summary->with_hint += tlp->hint.th;
	if (options->expected && !tlp_hint_equal(&tlp->hint, &options->expect))
		summary->wrong_hint++;
	return tlp->hint.th ? count_hint(summary, &tlp->hint) : 0;
}

void tlp_summary_clear(struct tlp_summary *summary)
{
	free(summary->by_hint);
	free(summary->place);
	*summary = (struct tlp_summary){ 0 };
}

static int width(const struct tlp_hint *hint)
{
	return hint->extended ? 16 : 8;
}

static int add_number(struct json_object *object, const char *key, uint64_t value)
{
	return json_object_object_add(object, key, json_object_new_uint64(value));
}

static int print_json(const struct tlp_summary *summary, bool expected, FILE *out)
{
	struct json_object *root = json_object_new_object(), *list = json_object_new_array();
	int failed = 0;

	failed |= add_number(root, "tlps", summary->tlps);
	failed |= add_number(root, "bar_writes", summary->bar_writes);
	failed |= add_number(root, "with_hint", summary->with_hint);
	if (expected)
		failed |= add_number(root, "wrong_hint", summary->wrong_hint);
	else
		failed |= json_object_object_add(root, "wrong_hint", NULL);
	failed |= add_number(root, "hint_elsewhere", summary->hint_elsewhere);
	for (unsigned int i = 0; i < summary->hints; i++) {
		const struct tlp_hint_count *count = &summary->by_hint[i];
		struct json_object *item = json_object_new_object();

		failed |= add_number(item, "ph", count->hint.ph);
		failed |= add_number(item, "st", count->hint.st);
		failed |= add_number(item, "st_width", width(&count->hint));
		failed |= add_number(item, "count", count->count);
		failed |= json_object_array_add(list, item);
	}
	failed |= json_object_object_add(root, "by_hint", list);
	fprintf(out, "%s\n", json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN));
	json_object_put(root);
	return failed ? -ENOMEM : 0;
}

int tlp_summary_print(const struct tlp_summary *summary, const struct tlp_summary_options *options,
		      bool json, FILE *out)
{
	if (json)
		return print_json(summary, options->expected, out);
	fprintf(out, "TLPs in the interval:        %" PRIu64 "\n", summary->tlps);
	fprintf(out, "writes into the window:      %" PRIu64 " by %s\n", summary->bar_writes,
		options->source);
	fprintf(out, "  with a hint:               %" PRIu64 "\n", summary->with_hint);
	if (options->expected)
		fprintf(out, "  not with the hint expected: %" PRIu64 "\n", summary->wrong_hint);
	fprintf(out, "hints elsewhere:             %" PRIu64 "\n", summary->hint_elsewhere);
	for (unsigned int i = 0; i < summary->hints; i++) {
		const struct tlp_hint_count *count = &summary->by_hint[i];

		fprintf(out, "  ph %u st 0x%x (%d bits):  %" PRIu64 "\n", count->hint.ph,
			count->hint.st, width(&count->hint), count->count);
	}
	return 0;
}
