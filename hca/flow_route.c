/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way of packets through flow tables: those of RDMA, and the frames of an Ethernet port. A
 * group has its entries in lists by a hash of their values, so that a table of thousands of
 * addresses costs what one of a few does.
 */
#include "hca/budget.h"
#include "hca/flow_table.h"

#define ACTION_DROP  0x2u
#define ACTION_ALLOW 0x1u

static unsigned int hash_of(const uint8_t value[HCA_FRAME_KEY])
{
	uint64_t hash = 0;

	for (size_t i = 0; i < HCA_FRAME_KEY; i += 8)
		hash = (hash ^ be64_at(value, i)) * 0x9e3779b97f4a7c15u;
	return (unsigned int)(hash >> 58) % HCA_FLOW_HASH;
}

static void apply_mask(const uint8_t mask[HCA_FRAME_KEY], const uint8_t key[HCA_FRAME_KEY],
		       uint8_t value[HCA_FRAME_KEY])
{
	for (size_t i = 0; i < HCA_FRAME_KEY; i++)
		value[i] = key[i] & mask[i];
}

void hca_flow_hash_add(struct hca_flow_group *group, struct hca_flow_entry *entry)
{
	struct hca_flow_entry **list;

	apply_mask(group->mask, entry->value, entry->value);
	list = &group->hash[hash_of(entry->value)];
	entry->next = *list;
	*list = entry;
}

void hca_flow_hash_remove(struct hca_flow_group *group, struct hca_flow_entry *entry)
{
	struct hca_flow_entry **at = &group->hash[hash_of(entry->value)];

	while (*at && *at != entry)
		at = &(*at)->next;
	if (*at)
		*at = entry->next;
}

/* The entry of @table that takes the frame, or NULL. Takes what it looks at off *@left. */
static const struct hca_flow_entry *match(const struct hca_flow_table *table,
					  const uint8_t key[HCA_FRAME_KEY], uint32_t *left)
{
	const struct hca_flow_entry *best = NULL;

	for (uint32_t i = 0; i < table->groups.size && *left; i++) {
		const struct hca_flow_group *group = table->groups.slot[i];
		const struct hca_flow_entry *entry;
		uint8_t value[HCA_FRAME_KEY];

		if (!group || !group->entries)
			continue;
		apply_mask(group->mask, key, value);
		--*left;
		for (entry = group->hash[hash_of(value)]; entry && *left; entry = entry->next) {
			--*left;
			if ((!best || entry->index < best->index) &&
			    !memcmp(entry->value, value, HCA_FRAME_KEY))
				best = entry;
		}
	}
	return best;
}

static void take(const struct hca_flow_entry *entry, struct hca_flow_route *route)
{
	for (unsigned int i = 0; i < entry->tirs && route->tirs < HCA_FLOW_TIRS; i++)
		route->tir[route->tirs++] = entry->tir[i];
	if (entry->tirs)
		route->tag = entry->tag;
}

void hca_flow_route(struct hca *hca, enum hca_side side, struct hca_edit *edit,
		    struct hca_flow_route *route)
{
	const struct hca_flow_table *table = hca->flow_root[side];
	uint32_t left = HCA_FLOW_WALK, changes = 0;
	bool allowed = side == HCA_NIC_TX;
	uint8_t key[HCA_FRAME_KEY];

	*route = (struct hca_flow_route){ 0 };
	hca_frame_key(edit->bytes, edit->len, &edit->frame, key);
	while (table && left) {
		const struct hca_flow_entry *entry = match(table, key, &left);

		if (!entry) {
			table = table->miss;
			continue;
		}
		if (entry->decap || entry->reformat || entry->modify) {
			if (changes++ == HCA_FLOW_CHANGES || !hca_flow_change(hca, entry, edit)) {
				left = 0;
				break;
			}
			hca_frame_key(edit->bytes, edit->len, &edit->frame, key);
		}
		if (entry->counter) {
			entry->counter->packets++;
			entry->counter->octets += edit->len;
		}
		take(entry, route);
		if (entry->action & ACTION_DROP)
			allowed = false;
		table = entry->action & (ACTION_DROP | ACTION_ALLOW) ? NULL : entry->to;
	}
	/* It has looked at too much, or cannot do what it should: nobody knows where the frame
	 * belongs. */
	if (!left) {
		route->tirs = 0;
		allowed = false;
	}
	route->dropped = !allowed && !route->tirs;
	hca_work(hca, (uint64_t)(HCA_FLOW_WALK - left) * HCA_WORK_STEP);
}

bool hca_steer(struct hca *hca, enum hca_side side, uint64_t packets, uint64_t octets)
{
	const struct hca_flow_table *table = hca->flow_root[side];

	while (table) {
		const struct hca_flow_entry *entry = table->first;

		if (!entry) {
			table = table->miss;
			continue;
		}
		if (entry->counter) {
			entry->counter->packets += packets;
			entry->counter->octets += octets;
		}
		if (entry->action & ACTION_DROP)
			return false;
		table = entry->to;
	}
	return true;
}
