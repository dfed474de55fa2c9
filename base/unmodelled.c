/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/unmodelled.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct unmodelled_entry {
	struct unmodelled_entry *next;
	char name[UNMODELLED_NAME];
};

void unmodelled_init(struct unmodelled *list)
{
	pthread_mutex_init(&list->lock, NULL);
	list->first = NULL;
}

void unmodelled_free(struct unmodelled *list)
{
	while (list->first) {
		struct unmodelled_entry *next = list->first->next;

		free(list->first);
		list->first = next;
	}
	pthread_mutex_destroy(&list->lock);
}

void unmodelled_note(struct unmodelled *list, const char *format, ...)
{
	struct unmodelled_entry **tail = &list->first;
	char name[UNMODELLED_NAME];
	unsigned int count = 0;
	va_list args;

	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	pthread_mutex_lock(&list->lock);
	while (*tail && strcmp((*tail)->name, name)) {
		tail = &(*tail)->next;
		count++;
	}
	if (!*tail && count < UNMODELLED_MAX) {
		*tail = calloc(1, sizeof(**tail));
		if (*tail)
			memcpy((*tail)->name, name, sizeof(name));
	}
	pthread_mutex_unlock(&list->lock);
}

void unmodelled_print(struct unmodelled *list, const char *whose, FILE *out)
{
	const struct unmodelled_entry *entry;

	pthread_mutex_lock(&list->lock);
	for (entry = list->first; entry; entry = entry->next)
		fprintf(out, "%s: %s\n", whose, entry->name);
	pthread_mutex_unlock(&list->lock);
}
