/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests of the control commands ask: hca0 at 00:04.0, an HCA with an ST table of 64 8-bit
 * tags, and gpu0 at 00:10.0, an Extended TPH completer with 1 MiB, on a subnet.
 */
#ifndef EMULATOR_TESTS_CONTROLLED_H
#define EMULATOR_TESTS_CONTROLLED_H

#include "emulator/control.h"

/* hca0 and gpu0: what makes them, and the devices. */
extern struct device_options options[2];
extern struct controlled devices[2];
/* Both of them, and the subnet. */
extern struct control_scope scope;

/* A notification that nobody waits for. */
void nothing(void *arg);

/* Of a group of tests: makes and frees the devices. */
int controlled_setup(void **state);
int controlled_teardown(void **state);

/* The answer to @request, which the caller frees. */
char *answer_to(const char *request);
/* The answer to @request is @expected. */
void check(const char *request, const char *expected);

#endif
