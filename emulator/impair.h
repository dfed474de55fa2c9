/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bad cables by way of the control socket (impairment/, hca_impair(), uplink_set_impairment()). A
 * line is one of:
 *
 *     impair NAME SPEC    what the port of an HCA sends from now on, or what goes either way by a
 *                         link of the switch; SPEC: impairment/spec.h
 *     impair NAME off     the cable is perfect again; what was late comes at once
 *     impair NAME show    as it is, as JSON
 *
 * The last one is answered by
 *
 *     {"impairment": "loss=1% seed=7", "counts": {"request": {"packets": 812, "octets": 1714944,
 *      "lost": 9, "doubled": 0, "reordered": 0, "damaged": 0, "marked": 0, "overflow": 0,
 *      "delivered": 803}, "response": {...}, "ack": {...}, "datagram": {...}, "frame": {...},
 *      "cnp": {...}},
 *      "events": 9, "log": [{"number": 26, "kind": "request", "qpn": 73, "psn": 1893, "octets":
 * 2112, "ns": 51234567890, "what": ["lost"]}, ...]}
 *
 * or {"impairment": null}; of a link "counts" has "in" and "out", and there is no log. Everything
 * is since the spec was set. "events" is how many there were, "log" the last IMPAIRMENT_LOG of
 * them, the oldest first; qpn is the QP that the packet was for (of a frame that is none of RoCE
 * its Ethertype), number that of the packet on this cable.
 */
#ifndef EMULATOR_IMPAIR_H
#define EMULATOR_IMPAIR_H

#include <json-c/json.h>

#include "emulator/control.h"

/*
 * The answer to @line, for the function or link of the name there, NULL: none is called so. The
 * caller's.
 */
struct json_object *impair_answer(const struct controlled *device, struct uplink *uplink,
				  const char *line);

#endif
