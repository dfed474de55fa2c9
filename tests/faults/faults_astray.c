// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transfers to a wrong address, where nothing is: with an IOMMU that translates, one that nobody
 * mapped.
 *
 * Usage: faults_astray REQUESTER RESPONDER BDF ENDPOINT.
 */
#include <string.h>

#include "faults_work.h"

static struct work w;

/* Of host memory at the responder, where no bytes are those of the link's buffer. */
static int run(enum ibv_wr_opcode opcode)
{
	memset(w.memory, 0xa5, WORK_BYTES);
	memset(w.link.buffer, 0x5a, WORK_BYTES);
	return mr_link_run(&w.link, opcode, (uintptr_t)w.link.buffer, w.link.buffer_mr->lkey,
			   WORK_BYTES, (uintptr_t)w.memory, w.memory_mr->rkey);
}

static void check_untouched(void)
{
	for (unsigned int i = 0; i < WORK_BYTES; i++)
		if (!CHECK_EQUAL(0xa5, w.memory[i]) || !CHECK_EQUAL(0x5a, w.link.buffer[i]))
			break;
}

static const struct {
	const char *name, *which;
	unsigned int side; /* of the one that goes astray: 0 the requester's */
	enum ibv_wr_opcode opcode;
	enum ibv_wc_status status;
} cases[] = {
	{ "the responder reads", "read", 1, IBV_WR_RDMA_READ, IBV_WC_REM_OP_ERR },
	{ "the responder writes", "write", 1, IBV_WR_RDMA_WRITE, IBV_WC_REM_OP_ERR },
	{ "the requester writes what it read", "write", 0, IBV_WR_RDMA_READ, IBV_WC_LOC_PROT_ERR },
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

int main(int argc, char **argv)
{
	ktap_plan(CASES);
	work_open(&w, argc, argv);
	for (unsigned int i = 0; i < CASES; i++) {
		const char *end = w.ends[cases[i].side];

		ktap_case("astray: %s", cases[i].name);
		/* The first such transfer of the function is that of the data. */
		inject("%s requests astray %s", end, cases[i].which);
		CHECK_EQUAL(cases[i].status, run(cases[i].opcode));
		CHECK_EQUAL(1, injected(end, "requests"));
		check_untouched();
		inject("%s off", end);
		ktap_step("the next job");
		work_check(&w);
		ktap_done();
	}
	work_close(&w);
	return ktap_exit();
}
