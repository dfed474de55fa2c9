/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs of the suite faults share: the work of two HCA functions and a BAR that a fault
 * comes into, and the proof that such work goes well afterwards.
 */
#ifndef FAULTS_WORK_H
#define FAULTS_WORK_H

#include "kernel/tests/evidence.h"

#define WORK_BYTES 4096u /* a page, so that it has one bus address */

/* A requester and a responder, a BAR at the responder with a hint, and host memory there. */
struct work {
	const char *names[2]; /* of the HCAs here ("mlx5_0") */
	const char *ends[2];  /* and what the emulator calls them */
	const char *bdf, *endpoint;
	struct mr_hca from, to;
	struct mr_bar bar;
	struct mr_link link;
	struct mr mr; /* of the BAR's first bytes */
	struct wire_hint hint;
	uint8_t *memory; /* WORK_BYTES of @to's host memory */
	struct ibv_mr *memory_mr;
	bool translated; /* by an IOMMU: the completer does not see what comes as a message */
	uint64_t seed;
};

/*
 * Arguments of all programs: REQUESTER RESPONDER BDF ENDPOINT. HCA mlx5_N is the emulator's hcaN.
 * $TPH_SEED is the seed. Ends the program when they are wrong, or nothing works before the fault.
 */
void work_open(struct work *work, int argc, char **argv);
void work_close(struct work *work);
/* Checks that the next job works: bytes with the right hint into the BAR, and back, all equal. */
void work_check(struct work *work);
/* The same with everything opened anew. */
void work_check_anew(struct work *work);
/* The BAR's first WORK_BYTES. */
void work_fill_bar(struct work *work, uint8_t byte);
void work_read_bar(struct work *work, uint8_t bytes[WORK_BYTES]);
/* A number below @end, from the seed and what was drawn before. */
unsigned int work_draw(struct work *work, unsigned int end);

/* The bus address of @data's page, as long as it is locked and the IOMMU does not translate. */
uint64_t work_address(const void *data);
/* "inject ..." to the emulator: fails the case when it refuses. */
__attribute__((format(printf, 1, 2))) void inject(const char *format, ...);
/* What the rules of @name on @side ("into") spoilt. */
uint64_t injected(const char *name, const char *side);
/* Status without "capabilities", and Device Status of a function; both are cleared. */
void take_errors(const char *bdf, uint16_t *status, uint16_t *device_status);
/* PCI address of an HCA function. */
void hca_address(const char *name, char bdf[VFIOBAR_BDF_LEN]);

#endif
