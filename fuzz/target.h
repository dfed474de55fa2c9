/* SPDX-License-Identifier: GPL-2.0-only */
/* Between a target and what runs it: libFuzzer or replay.c. */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include "fuzz/input.h"

/* The target's own: one input. What it finds it reports by finding(), or a sanitizer does. */
void target_input(const uint8_t *data, size_t size);

/* Says what is wrong and aborts; also where standard error was closed (libFuzzer's -close_fd_mask).
 */
__attribute__((noreturn, format(printf, 1, 2))) void finding(const char *format, ...);

/* libFuzzer's entries, in target.c; replay.c calls them as libFuzzer does. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
