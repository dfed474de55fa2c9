/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control socket: questions about the emulated devices, asked by the testbed and, through a
 * virtio-serial port, by jobs in the guest. One request per line, one line of JSON per answer:
 *
 *     functions              names, places and kinds of all functions
 *     mark NAME              put a mark into the TLP trace
 *     counts ENDPOINT        what arrived there, per hint
 *     reset-counts ENDPOINT
 *     mkey HCA               the memory key that took the last remote access; "context": its bytes, hexadecimal
 *     clear-mkey HCA
 *     link HCA up|down       plug the cable of its port in, or pull it
 *     subnet                 ports, multicast groups, and what the subnet administrator has seen
 *     st-entries HCA N       let the HCA's driver read that its ST table has N entries, 0: the
 * truth
 *
 * An error is {"error": "..."}.
 */
#ifndef EMULATOR_CONTROL_H
#define EMULATOR_CONTROL_H

#include "emulator/options.h"
#include "pcie/trace.h"

struct controlled {
	const struct device_options *options;
	struct hca *hca; /* or */
	struct endpoint *endpoint;
};

/* The answer to @line (without its newline), to be freed by the caller. NULL: out of memory. */
char *control_answer(const struct controlled *devices, unsigned int count, struct tlp_trace *trace,
		     struct subnet *subnet, const char *line);

struct control;

/*
 * Serve @path in a thread. The arguments stay the caller's and outlive the result.
 * Returns NULL with errno.
 */
struct control *control_start(const char *path, const struct controlled *devices,
			      unsigned int count, struct tlp_trace *trace, struct subnet *subnet);
/* Stop the thread and remove the socket. NULL is fine. */
void control_stop(struct control *control);

#endif
