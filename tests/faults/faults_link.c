// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that go wrong on the link: refused, aborted, poisoned, without completion. Which
 * of the requests of a transfer it is comes from the seed.
 *
 * Usage: faults_link REQUESTER RESPONDER BDF ENDPOINT, without translation by an IOMMU.
 */
#include <linux/pci_regs.h>
#include <poll.h>
#include <string.h>

#include "faults_work.h"

#define READS  8u /* of a page, with the read requests that the kernel sets: 512 bytes */
#define RANDOM 200u

static struct work w;
static char requester[VFIOBAR_BDF_LEN];

static const struct kind {
	const char *name;
	/* What the requester of a read notes, its completer, and that of a write. */
	uint16_t requester, requester_device, completer, completer_device, dropped, dropped_device;
} kinds[] = {
	{ "ur", PCI_STATUS_REC_MASTER_ABORT, 0, 0, PCI_EXP_DEVSTA_NFED | PCI_EXP_DEVSTA_URD, 0,
	  PCI_EXP_DEVSTA_NFED | PCI_EXP_DEVSTA_URD },
	{ "ca", PCI_STATUS_REC_TARGET_ABORT, 0, PCI_STATUS_SIG_TARGET_ABORT, PCI_EXP_DEVSTA_NFED,
	  PCI_STATUS_SIG_TARGET_ABORT, PCI_EXP_DEVSTA_NFED },
	{ "poisoned", PCI_STATUS_DETECTED_PARITY, PCI_EXP_DEVSTA_NFED, 0, 0,
	  PCI_STATUS_DETECTED_PARITY, PCI_EXP_DEVSTA_NFED },
	{ "lost", 0, PCI_EXP_DEVSTA_NFED, 0, 0, 0, 0 },
};

#define KINDS	    4u
#define WRITE_KINDS 3u /* a posted write has no completion to lose */

static void check_errors(const char *bdf, uint16_t status, uint16_t device_status)
{
	uint16_t got = 0, got_device = 0;

	take_errors(bdf, &got, &got_device);
	CHECK_EQUAL(status, got);
	CHECK_EQUAL(device_status, got_device);
}

static void clear_errors(void)
{
	uint16_t status, device_status;

	take_errors(requester, &status, &device_status);
	take_errors(w.bdf, &status, &device_status);
}

/* Bytes that no old one is among. */
static void fresh_bytes(void)
{
	for (uint32_t i = 0; i < WORK_BYTES; i++)
		w.link.buffer[i] = (uint8_t)(i % 127);
}

/* Bytes of @at that are not those of the link's buffer: one aligned piece of old ones, or none. */
static uint32_t old_bytes(const uint8_t *at, uint8_t old)
{
	uint32_t first = WORK_BYTES, n = 0;

	for (uint32_t i = 0; i < WORK_BYTES; i++) {
		if (at[i] == w.link.buffer[i])
			continue;
		first = n++ ? first : i;
		CHECK_EQUAL(old, at[i]);
	}
	if (n)
		CHECK(n % 128 == 0 && first % n == 0 && at[first + n - 1] == old);
	return n;
}

/* The requester cannot read its own memory. */
static void own_reads(const struct kind *kind)
{
	uint64_t from = work_address(w.link.buffer);

	clear_errors();
	work_fill_bar(&w, 0xa5);
	CHECK_EQUAL(0, control_reset_counts(w.endpoint));
	inject("%s requests %s read from=0x%llx to=0x%llx after=%u", w.ends[0], kind->name,
	       (unsigned long long)from, (unsigned long long)from + WORK_BYTES,
	       work_draw(&w, READS));
	CHECK_EQUAL(IBV_WC_LOC_PROT_ERR, mr_link_write(&w.link, &w.mr, 0, WORK_BYTES));
	CHECK_EQUAL(1, injected(w.ends[0], "requests"));
	check_nothing_arrived(w.endpoint);
	check_errors(requester, kind->requester, kind->requester_device);
}

/* The responder cannot read the BAR. */
static void reads_into(const struct kind *kind)
{
	clear_errors();
	inject("%s into %s read after=%u", w.endpoint, kind->name, work_draw(&w, READS));
	CHECK_EQUAL(IBV_WC_REM_OP_ERR, mr_link_read(&w.link, &w.mr, 0, WORK_BYTES));
	CHECK_EQUAL(1, injected(w.endpoint, "into"));
	check_errors(w.bdf, kind->completer, kind->completer_device);
}

/* A posted write into the BAR is gone, and only the completer knows. */
static void writes_into(const struct kind *kind)
{
	uint8_t vram[WORK_BYTES];
	uint32_t lost;

	clear_errors();
	fresh_bytes();
	work_fill_bar(&w, 0xa5);
	CHECK_EQUAL(0, control_reset_counts(w.endpoint));
	/* 512 bytes are the most that a TLP carries here. */
	inject("%s into %s write after=%u", w.endpoint, kind->name, work_draw(&w, 8));
	CHECK_EQUAL(IBV_WC_SUCCESS, mr_link_write(&w.link, &w.mr, 0, WORK_BYTES));
	CHECK_EQUAL(1, injected(w.endpoint, "into"));
	work_read_bar(&w, vram);
	lost = old_bytes(vram, 0xa5);
	CHECK(lost > 0);
	check_arrived(w.endpoint, w.hint, WORK_BYTES - lost);
	check_errors(w.bdf, kind->dropped, kind->dropped_device);
}

/* The same into host memory: the root complex drops it. */
static void writes_to_memory(const struct kind *kind)
{
	uint64_t to = work_address(w.memory);

	fresh_bytes();
	memset(w.memory, 0xa5, WORK_BYTES);
	inject("%s requests %s write from=0x%llx to=0x%llx after=%u", w.ends[1], kind->name,
	       (unsigned long long)to, (unsigned long long)to + WORK_BYTES, work_draw(&w, 8));
	CHECK_EQUAL(IBV_WC_SUCCESS,
		    mr_link_run(&w.link, IBV_WR_RDMA_WRITE, (uintptr_t)w.link.buffer,
				w.link.buffer_mr->lkey, WORK_BYTES, (uintptr_t)w.memory,
				w.memory_mr->rkey));
	CHECK_EQUAL(1, injected(w.ends[1], "requests"));
	CHECK(old_bytes(w.memory, 0xa5) > 0);
}

static int next_event(struct ibv_context *context)
{
	struct pollfd polled = { .fd = context->async_fd, .events = POLLIN };
	struct ibv_async_event event;

	if (poll(&polled, 1, 30000) != 1 || ibv_get_async_event(context, &event))
		return -1;
	ibv_ack_async_event(&event);
	return (int)event.event_type;
}

/* The work request itself cannot be read: there is no completion that could name it. */
static void work_request(void)
{
	struct ibv_sge sge = { .addr = (uintptr_t)w.link.buffer,
			       .length = 64,
			       .lkey = w.link.buffer_mr->lkey };
	struct ibv_send_wr wr = { .opcode = IBV_WR_RDMA_WRITE,
				  .sg_list = &sge,
				  .num_sge = 1,
				  .wr.rdma = { .remote_addr = w.mr.iova, .rkey = w.mr.rkey } };
	struct ibv_qp_init_attr init;
	struct ibv_qp_attr attr;
	struct ibv_send_wr *bad;
	struct ibv_wc wc;

	/* The first read of the function is that of the doorbell record, then come the requests. */
	inject("%s requests ur read after=1", w.ends[0]);
	CHECK_EQUAL(0, ibv_post_send(w.link.from.qp, &wr, &bad));
	CHECK_EQUAL(IBV_EVENT_QP_FATAL, next_event(w.from.context));
	CHECK_EQUAL(1, injected(w.ends[0], "requests"));
	CHECK_EQUAL(0, ibv_poll_cq(w.link.from.cq, 1, &wc));
	CHECK_EQUAL(0, ibv_query_qp(w.link.from.qp, &attr, IBV_QP_STATE, &init));
	CHECK_EQUAL(IBV_QPS_ERR, attr.qp_state);
}

/* A doorbell record that cannot be read is read again. */
static void doorbell_record(void)
{
	inject("%s requests ur read after=0", w.ends[0]);
	CHECK_EQUAL(IBV_WC_SUCCESS, mr_link_write(&w.link, &w.mr, 0, 64));
	CHECK_EQUAL(1, injected(w.ends[0], "requests"));
}

/* One in fifty: each that is hit ends in an error of its own, and no other. */
static void at_random(void)
{
	unsigned int failed = 0;

	inject("%s into ca read permille=20 count=1000 seed=%u", w.endpoint,
	       work_draw(&w, 1u << 30));
	for (unsigned int i = 0; i < RANDOM; i++) {
		int status = mr_link_read(&w.link, &w.mr, 0, 512);

		if (status == IBV_WC_SUCCESS)
			continue;
		failed++;
		CHECK_EQUAL(IBV_WC_REM_OP_ERR, status);
		CHECK_EQUAL(0, mr_link_reconnect(&w.link));
	}
	CHECK_EQUAL(failed, injected(w.endpoint, "into"));
	ktap_note("%u of %u", failed, RANDOM);
}

static void finish(void)
{
	inject("%s off", w.ends[0]);
	inject("%s off", w.ends[1]);
	inject("%s off", w.endpoint);
	ktap_step("the next job");
	work_check(&w);
	ktap_done();
}

int main(int argc, char **argv)
{
	ktap_plan(2 * KINDS + 2 * WRITE_KINDS + 3);
	work_open(&w, argc, argv);
	hca_address(w.names[0], requester);
	for (unsigned int i = 0; i < KINDS; i++) {
		ktap_case("%s: a read of the requester's memory", kinds[i].name);
		own_reads(&kinds[i]);
		finish();
	}
	for (unsigned int i = 0; i < KINDS; i++) {
		ktap_case("%s: a read from the BAR", kinds[i].name);
		reads_into(&kinds[i]);
		finish();
	}
	for (unsigned int i = 0; i < WRITE_KINDS; i++) {
		ktap_case("%s: a write into the BAR", kinds[i].name);
		writes_into(&kinds[i]);
		finish();
	}
	for (unsigned int i = 0; i < WRITE_KINDS; i++) {
		ktap_case("%s: a write into host memory", kinds[i].name);
		writes_to_memory(&kinds[i]);
		finish();
	}
	ktap_case("ur: a doorbell record");
	doorbell_record();
	finish();
	ktap_case("ur: a work request");
	work_request();
	finish();
	ktap_case("at random");
	at_random();
	finish();
	work_close(&w);
	return ktap_exit();
}
