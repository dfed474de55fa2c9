// SPDX-License-Identifier: GPL-2.0-only
/* 64-bit atomics: the order of the bytes, carries, and addresses that are not aligned. */
#include <string.h>

#include "reports.h"

static struct report r;

static uint64_t *target(void)
{
	return (uint64_t *)(void *)r.b.memory;
}

/* Returns the status; *@result is what came back. */
static int one(enum ibv_wr_opcode opcode, uint32_t offset, uint64_t compare_add, uint64_t swap,
	       uint64_t *result)
{
	struct ibv_sge piece = report_piece(&r.a, 8, 8);
	struct ibv_send_wr wr = report_wr(&r, opcode, offset);
	struct ibv_wc wc = { 0 };

	memset(r.a.memory, 0xee, 24);
	wr.wr.atomic.compare_add = compare_add;
	wr.wr.atomic.swap = swap;
	CHECK_EQUAL(0, report_post(&r, wr, &piece));
	CHECK_EQUAL(0, mr_wait(r.a.cq, &wc));
	memcpy(result, r.a.memory + 8, 8);
	CHECK_EQUAL(0xee, r.a.memory[7]);
	CHECK_EQUAL(0xee, r.a.memory[16]);
	return wc.status;
}

static void add(uint64_t before, uint64_t value)
{
	uint64_t result;

	target()[0] = before;
	target()[1] = 0x55;
	CHECK_EQUAL(IBV_WC_SUCCESS, one(IBV_WR_ATOMIC_FETCH_AND_ADD, 0, value, 0, &result));
	CHECK_EQUAL((int64_t)before, (int64_t)result);
	CHECK_EQUAL((int64_t)(before + value), (int64_t)target()[0]);
	CHECK_EQUAL(0x55, target()[1]);
}

static void swap(uint64_t before, uint64_t compare)
{
	uint64_t result;

	target()[0] = before;
	CHECK_EQUAL(IBV_WC_SUCCESS,
		    one(IBV_WR_ATOMIC_CMP_AND_SWP, 0, compare, 0x99aabbccddeeff01, &result));
	CHECK_EQUAL((int64_t)before, (int64_t)result);
	CHECK_EQUAL((int64_t)(before == compare ? 0x99aabbccddeeff01 : before),
		    (int64_t)target()[0]);
}

static void unaligned(struct ibv_qp_attr *attr, uint32_t offset)
{
	uint64_t before[2] = { 0x0123456789abcdef, 0xfedcba9876543210 }, result;

	report_connect(&r, attr);
	memcpy(r.b.memory, before, sizeof(before));
	CHECK_EQUAL(IBV_WC_REM_INV_REQ_ERR,
		    one(IBV_WR_ATOMIC_FETCH_AND_ADD, offset, 1, 0, &result));
	CHECK(!memcmp(before, r.b.memory, sizeof(before)));
	CHECK_EQUAL((int64_t)0xeeeeeeeeeeeeeeee, (int64_t)result);
}

int main(void)
{
	struct ibv_qp_attr attr = report_attr();

	ktap_plan(3);
	report_open(&r);
	report_qps(&r, report_init(IBV_QPT_RC), 16);
	report_connect(&r, &attr);
	ktap_case("FETCH_AND_ADD in the order of the CPU");
	add(0x0102030405060708, 0x1000);
	add(0xffffffff, 1);
	add(0x00000000ffffffff, 0xffffffff00000001);
	add(UINT64_MAX, 1);
	add(5, UINT64_MAX);
	ktap_done();
	ktap_case("CMP_AND_SWP, equal and different");
	swap(0x0102030405060708, 0x0102030405060708);
	swap(0x0102030405060708, 0x0807060504030201);
	swap(0, 0);
	ktap_done();
	ktap_case("addresses that are not aligned");
	unaligned(&attr, 1);
	unaligned(&attr, 4);
	ktap_done();
	report_close(&r);
	return ktap_exit();
}
