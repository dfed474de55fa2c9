// SPDX-License-Identifier: GPL-2.0-only
/* A memory region of more than 4 GiB, whose pages come when they are needed. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "reports.h"

#define GIB    (1ull << 30)
#define LENGTH (6 * GIB)

static struct report r;
static uint8_t *memory;
static struct ibv_mr *mr;

static uint32_t bytes(uint64_t offset)
{
	return (uint32_t)(offset >> 12) * 31 + 7;
}

/* Writes and reads 8 KiB across @offset; nothing comes to where its low 32 bits point. */
static void at(uint64_t offset)
{
	struct ibv_send_wr wr = report_wr(&r, IBV_WR_RDMA_WRITE, 0);
	struct ibv_sge from = report_piece(&r.a, 0, 8192);
	struct ibv_sge back = report_piece(&r.a, 16384, 8192);

	ktap_step("offset 0x%llx", (unsigned long long)offset);
	memset(r.a.memory, (int)bytes(offset), 8192);
	memset(r.a.memory + 16384, 0, 8192);
	wr.wr.rdma.rkey = mr->rkey;
	wr.wr.rdma.remote_addr = (uintptr_t)memory + offset - 4096;
	CHECK_EQUAL(0, report_post(&r, wr, &from));
	report_completes(&r.a, IBV_WC_SUCCESS, 0, NULL);
	CHECK(!memcmp(memory + offset - 4096, r.a.memory, 8192));
	wr.opcode = IBV_WR_RDMA_READ;
	CHECK_EQUAL(0, report_post(&r, wr, &back));
	report_completes(&r.a, IBV_WC_SUCCESS, 0, NULL);
	CHECK(!memcmp(r.a.memory, r.a.memory + 16384, 8192));
}

int main(void)
{
	struct ibv_qp_attr attr = report_attr();
	struct ibv_send_wr wr;
	struct ibv_sge piece;

	ktap_plan(2);
	report_open(&r);
	report_qps(&r, report_init(IBV_QPT_RC), 16);
	report_connect(&r, &attr);
	memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ktap_must(memory == MAP_FAILED ? -errno : 0, "mmap");
	mr = ibv_reg_mr(r.b.hca.pd, memory, LENGTH,
			IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ |
				IBV_ACCESS_ON_DEMAND);
	ktap_must(mr ? 0 : -errno, "ibv_reg_mr of 6 GiB");

	ktap_case("its start, and around each GiB");
	CHECK_EQUAL((int64_t)LENGTH, (int64_t)mr->length);
	memset(memory, 0x5c, 8192);
	for (unsigned int i = 1; i < 6; i++)
		at(i * GIB);
	at(LENGTH - 4096);
	CHECK(memory[0] == 0x5c && memory[8191] == 0x5c);
	ktap_done();

	ktap_case("beyond its end");
	piece = report_piece(&r.a, 0, 2);
	wr = report_wr(&r, IBV_WR_RDMA_WRITE, 0);
	wr.wr.rdma.rkey = mr->rkey;
	wr.wr.rdma.remote_addr = (uintptr_t)memory + LENGTH - 1;
	memory[LENGTH - 1] = 0x77;
	CHECK_EQUAL(0, report_post(&r, wr, &piece));
	report_completes(&r.a, IBV_WC_REM_ACCESS_ERR, 0, NULL);
	CHECK_EQUAL(0x77, memory[LENGTH - 1]);
	ktap_done();
	CHECK_EQUAL(0, ibv_dereg_mr(mr));
	munmap(memory, LENGTH);
	report_close(&r);
	return ktap_exit();
}
