/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults by way of the control socket (pcie/inject.h, hca/inject.h). A line is one of:
 *
 *     inject NAME                           what was seen and spoilt, as JSON
 *     inject NAME requests KIND [OF] WHICH  of requests that the function makes
 *     inject NAME into KIND [OF] WHICH      of requests that come to it
 *     inject NAME interrupts lost WHICH
 *     inject NAME interrupts late ms=N WHICH
 *     inject HCA commands lost|late [ms=N] [opcode=N] [after=N] [count=N]
 *     inject HCA health SYNDROME [fatal]
 *     inject HCA counter frozen|running
 *     inject NAME gone|back                 out of its slot, into it again
 *     inject NAME off                       ends all rules; lost commands are executed
 *
 * KIND: ur, ca, poisoned; lost (reads); astray (requests that it makes). OF: read, write.
 * WHICH: [from=N] [to=N], the range that a rule is for (addresses, bytes of the BAR, vectors);
 * [after=N] that pass first; [count=N] that are spoilt, default 1; [permille=N seed=N], at random.
 */
#ifndef EMULATOR_INJECT_H
#define EMULATOR_INJECT_H

#include <json-c/json.h>

#include "emulator/control.h"

/* The answer to @line, for the function it names, NULL: none of that name. The caller's. */
struct json_object *inject_answer(const struct controlled *device, const char *line);

#endif
