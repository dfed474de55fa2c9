/* SPDX-License-Identifier: GPL-2.0-only */
/* The writers of captures, into files that end early: a part of the target `capture`. */
#ifndef FUZZ_CAPTURES_H
#define FUZZ_CAPTURES_H

#include "fuzz/input.h"

/*
 * What the input says is written, by the writer with a thread (@threaded) or by the other one, and
 * read back: the packets that were promised, each as it was, in order, and no others.
 */
void captures_write(struct input *in, bool threaded);

#endif
