/* SPDX-License-Identifier: GPL-2.0-only */
/* Lists of objects that carry their places in them. An object is in at most one list by a place. */
#ifndef HCA_LIST_H
#define HCA_LIST_H

#include <stddef.h>
#include <stdint.h>

struct hca_list;

/* Zeroed: in no list. */
struct hca_place {
	struct hca_place *next, *prev; /* in a ring */
	struct hca_list *list;
};

/* Zeroed: empty. */
struct hca_list {
	struct hca_place *first;
	uint32_t count;
};

/* The object of @type that has @place as its @member. */
#define hca_object(place, type, member) ((type *)((char *)(place)-offsetof(type, member)))

static inline void hca_list_remove(struct hca_place *place)
{
	struct hca_list *list = place->list;

	if (!list)
		return;
	place->next->prev = place->prev;
	place->prev->next = place->next;
	if (list->first == place)
		list->first = place->next;
	if (!--list->count)
		list->first = NULL;
	*place = (struct hca_place){ 0 };
}

/* To the end of @list, from wherever it was; it stays where it is when that is @list. */
static inline void hca_list_add(struct hca_list *list, struct hca_place *place)
{
	if (place->list == list)
		return;
	hca_list_remove(place);
	*place = (struct hca_place){ .next = place, .prev = place, .list = list };
	if (list->first) {
		place->next = list->first;
		place->prev = list->first->prev;
		place->prev->next = place;
		place->next->prev = place;
	} else {
		list->first = place;
	}
	list->count++;
}

/* The first of @list, which is not empty and goes on with the next one: it becomes the last. */
static inline struct hca_place *hca_list_turn(struct hca_list *list)
{
	struct hca_place *place = list->first;

	list->first = place->next;
	return place;
}

#endif
