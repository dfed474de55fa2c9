/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a driver has asked of a model that the model does not have: a name for each, once, so that a
 * driver which expects more is noticed.
 */
#ifndef BASE_UNMODELLED_H
#define BASE_UNMODELLED_H

#include <pthread.h>
#include <stdio.h>

/* A guest chooses some of the names: no more than this many are kept, the first ones. */
#define UNMODELLED_MAX 128u
/* Longest name, bytes with the terminating zero; longer ones are cut. */
#define UNMODELLED_NAME 64u

struct unmodelled_entry;

struct unmodelled {
	pthread_mutex_t lock;
	struct unmodelled_entry *first;
};

void unmodelled_init(struct unmodelled *list);
/* Gives the names back. @list is not used any more. */
void unmodelled_free(struct unmodelled *list);
/*
 * unmodelled_note() - remember a name ("command 0x80b op_mod 0", "BAR0 read 0x9010"), unless it is
 * known, there are too many, or there is no memory for it. Any thread.
 */
void unmodelled_note(struct unmodelled *list, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A line "@whose: NAME" for each, in the order in which they came, to @out. Any thread. */
void unmodelled_print(struct unmodelled *list, const char *whose, FILE *out);

#endif
