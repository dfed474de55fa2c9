/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One cell of the matrix: a number of messages between the peer's host memory and a target, with or
 * without a hint, and what was seen of it. Expectations are the host's; see judge.py.
 */
#ifndef MATRIX_CELL_H
#define MATRIX_CELL_H

#include "control.h"
#include "matrix_link.h"

/* Bytes of payload at once, at most, and of the memory that has them with the gaps between. */
#define CELL_PAYLOAD (64ull << 20)
#define CELL_MEMORY  (CELL_PAYLOAD + (1ull << 20))

enum cell_target { CELL_GPU, CELL_NVME, CELL_QEMU_NVME, CELL_HOST, CELL_TARGETS };

struct cell {
	unsigned int id;
	enum cell_target target;
	enum links_op op;
	unsigned int hca; /* number of mlx5_N, that has the target's MR */
	struct vfiobar_hint hint;
	uint32_t size; /* of a message: bytes, a multiple of PATTERN_WORD */
	/* Messages of each QP. Where a round of all QPs is too much at once, QPs take turns. */
	unsigned int qps, messages;
};

/* What the cells have in common. */
struct cell_memory {
	/* NULL bar.dev: no BAR of that kind here; of CELL_HOST only memory */
	struct mr_bar bar[CELL_TARGETS];
	volatile uint64_t *at[CELL_TARGETS]; /* CELL_MEMORY bytes each, as the CPU sees them */
	struct ibv_mr *peer;		     /* as many of the peer's host memory */
};

enum cell_step { CELL_DONE, CELL_ATTACH, CELL_REGISTER };

struct cell_result {
	/* Where it was refused and with which errno. A hint that REQUIRE refuses is left out then.
	 */
	enum cell_step refused;
	int error;
	struct ibv_mr_tph_attr tph; /* of the MR that was used */
	bool moved;		    /* there was one */
	int status;		    /* as links_run() */
	uint64_t bytes;		    /* of payload that were compared */
	uint64_t mismatches;	    /* bytes, payload or not, that are not what they should be */
	bool counted;		    /* this target counts */
	struct control_count count[8];
	int counts; /* how many there were, or -errno */
};

/* Fills in @result. Returns 0, or -errno when the cell could not be run. */
int cell_run(const struct cell *cell, struct cell_memory *memory, const struct mr_hca *hca,
	     struct links *links, struct cell_result *result);

#endif
