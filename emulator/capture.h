/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Captures of the ports' packets: switched on with the emulator (pcap= of an HCA), and on and off
 * while it runs by the control socket. Since a running emulator opens no file, a client that wants
 * another file sends its descriptor along with the request.
 */
#ifndef EMULATOR_CAPTURE_H
#define EMULATOR_CAPTURE_H

#include <json-c/json.h>

#include "emulator/control.h"

/*
 * captures_open() - for each HCA of @options its capture, which is on where there is a file.
 * Before the HCAs are made. Returns 0, or -errno after a message on stderr.
 */
int captures_open(struct options *options);
/*
 * Stop all, after the HCAs are gone. Returns 0, or -errno of one whose file ended early, after a
 * message on stderr.
 */
int captures_close(struct options *options);
/*
 * capture_answer() - the answer to "capture HCA", "capture HCA on", "... off" and "... NAME" with
 * the descriptor *@fd, which becomes -1 when it is kept. NULL: something is wrong, see *@why.
 */
struct json_object *capture_answer(const struct device_options *device, const char *argument,
				   int *fd, const char **why);

#endif
