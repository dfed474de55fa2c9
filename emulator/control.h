/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control socket: questions about the emulated devices, asked by the testbed and, through a
 * virtio-serial port, by jobs in the guest. One request per line, one line of JSON per answer:
 *
 *     functions              names, places, kinds and machines of all functions
 *     mark NAME              put a mark into the TLP trace
 *     counts ENDPOINT        what arrived there, per hint
 *     reset-counts ENDPOINT
 *     mkey HCA               the memory key that took the last remote access; its context in hex
 *     clear-mkey HCA
 *     objects HCA            how many of each kind its driver holds, and the bytes they take
 *     commands HCA on|off    a line on standard output for each command of its driver
 *     link HCA up|down       plug the cable of its port in, or pull it
 *     subnet                 ports, multicast groups, and what the subnet administrator has seen
 *     switch                 ports of the Ethernet switch, and what its links have carried
 *     capture HCA            whether the packets of its port are captured, and how many were
 *     capture HCA on|off     into the file of pcap=, which is emptied, or not any more
 *     capture HCA NAME       into a file whose descriptor comes with the request; NAME is for
 *                            messages
 *     st-entries HCA N       N entries is what the HCA's driver reads of its ST table; 0: the truth
 *     engine                 how it rests, and how much it worked: struct engine_state
 *     inject NAME ...        faults of a function, see inject.h
 *     impair NAME ...        a bad cable at an HCA's port, or a bad link, see impair.h
 *
 * An error is {"error": "..."}. A request has at most CONTROL_LINE bytes with its newline,
 * printable ASCII, and who sends a longer one is hung up on. An answer has at most CONTROL_ANSWER
 * bytes.
 *
 * Nobody is waited for: a client that does not read gets no further answers until it has read the
 * last one. When all places are taken, a client of the process that has the most gives way to the
 * next one: that which has been quiet for longest.
 */
#ifndef EMULATOR_CONTROL_H
#define EMULATOR_CONTROL_H

#include "emulator/engine.h"
#include "emulator/options.h"
#include "emulator/uplink.h"
#include "pcie/trace.h"

#define CONTROL_CLIENTS 16
#define CONTROL_LINE	256
#define CONTROL_ANSWER	(512u << 10)

struct controlled {
	const struct device_options *options;
	struct hca *hca; /* or */
	struct endpoint *endpoint;
};

/* The function that it is on the bus. */
static inline struct pcie_function *controlled_function(const struct controlled *device)
{
	return device->hca ? hca_function(device->hca) : endpoint_function(device->endpoint);
}

/* What requests are about. */
struct control_scope {
	const struct controlled *devices;
	unsigned int count;
	struct tlp_trace *trace; /* NULL: none is written */
	struct engine *engine;	 /* NULL: nobody asks for it */
	struct subnet *subnet;
	struct uplink *const *uplinks; /* of the Ethernet switch */
	unsigned int uplink_count;
};

/*
 * The answer to @line (without its newline), to be freed by the caller; at most CONTROL_ANSWER
 * bytes. NULL: out of memory.
 */
char *control_answer(const struct control_scope *scope, const char *line);
/* The same for a line that came with the descriptor *@fd (-1: none), which becomes -1 when kept. */
char *control_answer_with(const struct control_scope *scope, const char *line, int *fd);

struct control;

/*
 * Serve @path in a thread. @scope is copied; what it points to outlives the result.
 * Returns NULL with errno.
 */
struct control *control_start(const char *path, const struct control_scope *scope);
/* Stop the thread and remove the socket. NULL is fine. */
void control_stop(struct control *control);

#endif
