/* SPDX-License-Identifier: GPL-2.0-only OR Linux-OpenIB */
/*
 * The memory that a server offers: a piece of a BAR of a function on vfio-pci, or host memory, in
 * slices of equal length, one for each client. A slice of a BAR is a dma-buf of its own, and so has
 * a hint of its own: the tag of slice n is the one that was asked for, plus n.
 *
 * What goes wrong is said on standard error, with the option and the cause.
 */
#ifndef BAR_MEMORY_H
#define BAR_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rdma/rdma_cma.h>

#include "bar_common.h"
#include "vfiobar/vfiobar.h"

/* For getopt(3). */
#define BAR_MEMORY_OPTIONS "d:b:o:l:t:T:P:r:mv"
#define BAR_MEMORY_USAGE                                                             \
	"\t[-d BDF] function on vfio-pci that owns the memory\n"                     \
	"\t[-m] host memory instead\n"                                               \
	"\t[-b BAR] (default 0)\n"                                                   \
	"\t[-o offset] in the BAR, bytes (default 0)\n"                              \
	"\t[-l length] bytes for a client (default 65536)\n"                         \
	"\t[-t tag] 8-bit Steering Tag\n"                                            \
	"\t[-T tag] 16-bit Extended Steering Tag\n"                                  \
	"\t[-P hint] PH, 0..3 (default 2)\n"                                         \
	"\t[-r require|auto|ignore] what registration does with the hint (default\n" \
	"\t   require; auto without a tag)\n"                                        \
	"\t[-v] verify what clients wrote\n"
#define BAR_SLICES 256

struct bar_memory {
	/* options */
	const char *bdf, *policy_name;
	unsigned int bar;
	uint64_t offset, length; /* of a slice */
	struct vfiobar_hint hint;
	uint32_t policy; /* enum ibv_dmabuf_tph_policy */
	bool host, verify, bar_given, ph_given;

	/* open */
	unsigned int slices;
	struct vfiobar *dev;
	struct vfiobar_window *window; /* all slices, to verify */
	uint8_t *buf;		       /* the same in host memory */
	int fd[BAR_SLICES];
};

/* What is there without options. */
#define BAR_MEMORY_INIT                             \
	{                                           \
		.length = 65536, .hint = {.ph = 2 } \
	}

/* One of BAR_MEMORY_OPTIONS; false if it cannot be. */
bool bar_memory_option(struct bar_memory *mem, int opt, const char *arg);
/* After the options: do they go together, with @slices slices? */
bool bar_memory_options_done(struct bar_memory *mem, unsigned int slices);

/*
 * Opens all of it: the function, a dma-buf with its hint for each slice, a window to verify. 0, or
 * -1 with nothing left open.
 */
int bar_memory_open(struct bar_memory *mem);
/* MRs have to be gone. */
void bar_memory_close(struct bar_memory *mem);

/*
 * Is it a request of this service, of messages that fit into a slice? false with the cause in
 * @refusal, which is for the client, and said.
 */
bool bar_memory_request(const struct bar_memory *mem, const struct rdma_cm_event *event,
			const char *client, struct bar_job *job, struct bar_refusal *refusal);
/*
 * Registers a slice for remote reads and writes, prints what the memory key has, for @client, and
 * fills @offer. NULL with the cause in @refusal, which is for the client, and said.
 */
struct ibv_mr *bar_memory_register(struct bar_memory *mem, unsigned int slice, struct ibv_pd *pd,
				   const char *client, struct bar_offer *offer,
				   struct bar_refusal *refusal);
/*
 * Compares a slice with what the job says, if that was asked for, and prints the result. 0, or -1
 * when something differs or could not be read.
 */
int bar_memory_verify(struct bar_memory *mem, unsigned int slice, const struct bar_job *job,
		      const char *client);

#endif
