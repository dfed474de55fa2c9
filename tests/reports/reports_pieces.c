// SPDX-License-Identifier: GPL-2.0-only
/* As many pieces of memory as the device says, some of them empty, out of step on both sides. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reports.h"

#define PIECES 30

static struct report r;

/* @lengths, one after another in every second place. */
static uint32_t cut(const struct report_side *side, const uint16_t lengths[PIECES],
		    struct ibv_sge pieces[PIECES], uint8_t *copy)
{
	uint32_t total = 0, at = 3;

	for (unsigned int i = 0; i < PIECES; i++) {
		pieces[i] = report_piece(side, at, lengths[i]);
		if (copy)
			memcpy(copy + total, side->memory + at, lengths[i]);
		at += lengths[i] + 70;
		total += lengths[i];
	}
	return total;
}

/* What is between the pieces of b stays as it was. */
static void check(const struct ibv_sge pieces[PIECES], const uint8_t *expected, uint8_t gap,
		  const struct report_side *side)
{
	uint8_t *image = malloc(REPORT_BYTES);
	uint32_t total = 0;

	ktap_must(image ? 0 : -ENOMEM, "memory");
	memset(image, gap, REPORT_BYTES);
	for (unsigned int i = 0; i < PIECES; i++) {
		memcpy(image + (pieces[i].addr - (uintptr_t)side->memory), expected + total,
		       pieces[i].length);
		total += pieces[i].length;
	}
	CHECK(!memcmp(image, side->memory, REPORT_BYTES));
	free(image);
}

static void message(const char *name, const uint16_t from[PIECES], const uint16_t into[PIECES],
		    uint8_t gap)
{
	struct ibv_sge source[PIECES], target[PIECES];
	struct ibv_send_wr wr = report_wr(&r, IBV_WR_SEND, 0), *bad;
	struct ibv_recv_wr recv = { .wr_id = 1, .sg_list = target, .num_sge = PIECES }, *bad_recv;
	uint8_t copy[REPORT_BYTES];
	uint32_t total;
	struct ibv_wc wc;

	ktap_case("SEND: %s", name);
	memset(r.b.memory, gap, REPORT_BYTES);
	total = cut(&r.a, from, source, copy);
	CHECK_EQUAL(total, cut(&r.b, into, target, NULL));
	CHECK_EQUAL(0, ibv_post_recv(r.b.qp, &recv, &bad_recv));
	wr.sg_list = source;
	wr.num_sge = PIECES;
	CHECK_EQUAL(0, ibv_post_send(r.a.qp, &wr, &bad));
	report_completes(&r.a, IBV_WC_SUCCESS, 0, NULL);
	if (report_completes(&r.b, IBV_WC_SUCCESS, 1, &wc))
		CHECK_EQUAL(total, wc.byte_len);
	check(target, copy, gap, &r.b);
	ktap_done();
}

static void read_back(const uint16_t into[PIECES])
{
	struct ibv_sge target[PIECES];
	struct ibv_send_wr wr = report_wr(&r, IBV_WR_RDMA_READ, 77), *bad;
	uint8_t copy[REPORT_BYTES];

	ktap_case("RDMA READ into as many");
	memcpy(copy, r.b.memory + 77, REPORT_BYTES - 77);
	memset(r.a.memory, 0x11, REPORT_BYTES);
	cut(&r.a, into, target, NULL);
	wr.sg_list = target;
	wr.num_sge = PIECES;
	CHECK_EQUAL(0, ibv_post_send(r.a.qp, &wr, &bad));
	report_completes(&r.a, IBV_WC_SUCCESS, 0, NULL);
	check(target, copy, 0x11, &r.a);
	ktap_done();
}

int main(void)
{
	static const uint16_t empty[PIECES];
	struct ibv_qp_init_attr init = report_init(IBV_QPT_RC);
	struct ibv_qp_attr attr = report_attr();
	struct ibv_device_attr device;
	uint16_t odd[PIECES], other[PIECES];

	for (unsigned int i = 0; i < PIECES; i++) {
		odd[i] = (uint16_t)(i % 7 ? 97 * i + 1 : 0);
		other[PIECES - 1 - i] = odd[i];
	}
	ktap_plan(3);
	report_open(&r);
	ktap_must(-ibv_query_device(r.a.hca.context, &device), "ibv_query_device");
	CHECK(device.max_sge >= PIECES && device.max_sge_rd >= PIECES);
	init.cap.max_send_sge = init.cap.max_recv_sge = PIECES;
	report_qps(&r, init, 16);
	report_connect(&r, &attr);
	message("30 pieces into 30 others, the first and the last ones empty", odd, other, 0xee);
	message("nothing but empty ones", empty, empty, 0xdd);
	memset(r.b.memory, 0, REPORT_BYTES);
	for (unsigned int i = 0; i < REPORT_BYTES; i++)
		r.b.memory[i] = (uint8_t)(i % 253);
	read_back(odd);
	report_close(&r);
	return ktap_exit();
}
