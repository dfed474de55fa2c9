/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BAR0 on the transport's thread: initialization segment (struct mlx5_init_seg). UAR pages are
 * memory, see uar.c. Nothing here blocks or issues DMA; work is left for the engine.
 */
#include <stdio.h>

#include "hca/cmd.h"
#include "hca/memic.h"
#include "pcie/memory.h"

#define SEG_FW_REV	 0x000u
#define SEG_CMDIF_REV	 0x004u
#define SEG_CMDQ_ADDR_H	 0x010u
#define SEG_CMDQ_ADDR_L	 0x014u
#define SEG_CMD_DOORBELL 0x018u
#define SEG_INITIALIZING 0x1fcu
#define SEG_HEALTH	 0x200u
#define SEG_FW_VER	 0x230u
#define SEG_SEVERITY	 0x238u
#define SEG_SYNDROME	 0x23cu
#define SEG_HEALTH_END	 0x240u
#define SEG_CMD_EXEC_TO	 0xff8u
#define SEG_CMDQ_INIT_TO 0xffcu
#define SEG_TIMER_H	 0x1000u
#define SEG_TIMER_L	 0x1004u
#define SEG_HEALTH_COUNT 0x1010u
#define SEG_REAL_TIME_H	 0x1040u
#define SEG_REAL_TIME_L	 0x1044u
#define SEG_SIZE	 0x3000u /* up to the first UAR page */

#define CMDIF_REV 5u
/* 32 slots of 64 bytes. */
#define CMDQ_SIZES     0x56u
#define CMDQ_ADDR_MASK 0xfffff000u

/* NIC interface state, [10:8] of SEG_CMDQ_ADDR_L. */
#define NIC_FULL     0u
#define NIC_DISABLED 1u

#define HEALTH_TICK_NS 100000000u
/* A driver that finds the syndrome of a fatal error may reset the firmware, by the interface state.
 */
#define RESET_SUPPORTED (1u << 30)
/* Beside a command time-out of its own the device has to name this one: the driver's default. */
#define CMDQ_INIT_MS 2000u

/* The driver takes a counter that stands still for a dead device. */
static uint32_t health_counter(void)
{
	return (uint32_t)(clock_now_ns() / HEALTH_TICK_NS % 0x7ffffffe) + 1;
}

/* The big-endian word at @offset, which is a multiple of 4. */
static uint32_t segment_word(struct hca *hca, uint32_t offset)
{
	const struct hca_mmio *mmio = &hca->mmio;

	switch (offset) {
	case SEG_FW_REV:
		return HCA_FW_MINOR << 16 | HCA_FW_MAJOR;
	case SEG_CMDIF_REV:
		return CMDIF_REV << 16 | HCA_FW_SUBMINOR;
	case SEG_CMDQ_ADDR_H:
		return (uint32_t)(mmio->cmdq_addr >> 32);
	case SEG_CMDQ_ADDR_L:
		return ((uint32_t)mmio->cmdq_addr & CMDQ_ADDR_MASK) |
		       (uint32_t)mmio->nic_state << 8 | CMDQ_SIZES;
	case SEG_FW_VER:
		return HCA_FW_MAJOR << 24 | HCA_FW_MINOR << 16 | HCA_FW_SUBMINOR;
	case SEG_TIMER_H:
		return (uint32_t)(clock_now_ns() >> 32);
	case SEG_TIMER_L:
		return (uint32_t)clock_now_ns();
	case SEG_HEALTH_COUNT:
		return mmio->inject.frozen ? 1 : health_counter();
	case SEG_SEVERITY:
		return (uint32_t)mmio->inject.severity << 24;
	case SEG_SYNDROME:
		return (uint32_t)mmio->inject.syndrome << 16;
	case SEG_INITIALIZING:
		return RESET_SUPPORTED;
	case SEG_CMD_EXEC_TO:
		return hca->params.command_timeout;
	case SEG_CMDQ_INIT_TO:
		return hca->params.command_timeout ? CMDQ_INIT_MS : 0;
	case SEG_CMD_DOORBELL:
	case SEG_REAL_TIME_H:
	case SEG_REAL_TIME_L:
		return 0;
	default:
		/* The rest of the health buffer: where an assertion failed. */
		if (offset >= SEG_HEALTH && offset < SEG_HEALTH_END)
			return 0;
		if (offset < SEG_SIZE)
			hca_unmodelled(hca, "BAR0 read 0x%x", offset);
		return 0;
	}
}

static uint64_t bar_read(struct pcie_function *fn, unsigned int bar, uint64_t offset,
			 unsigned int size)
{
	struct hca *hca = fn->model;
	uint64_t value = 0;
	uint8_t bytes[16];
	unsigned int i;

	if (bar != 0)
		return 0;
	if (offset >= HCA_MEMIC_OP_OFFSET)
		return hca_memic_op_read(hca, offset, size);
	pthread_mutex_lock(&hca->mmio.lock);
	for (i = 0; i < (offset % 4 + size + 3) / 4; i++)
		be32_put(bytes, 4 * i, segment_word(hca, (uint32_t)(offset & ~3u) + 4 * i));
	pthread_mutex_unlock(&hca->mmio.lock);
	for (i = 0; i < size; i++)
		value |= (uint64_t)bytes[offset % 4 + i] << (8 * i);
	return value;
}

static void set_queue_low(struct hca_mmio *mmio, uint32_t value)
{
	uint8_t state = value >> 8 & 7;

	if (state == NIC_FULL) {
		mmio->cmdq_addr =
			(mmio->cmdq_addr & ~(uint64_t)UINT32_MAX) | (value & CMDQ_ADDR_MASK);
		mmio->cmdq_valid = true;
		mmio->cmdq_generation++;
		mmio->cmd_pending = 0;
		mmio->nic_state = NIC_FULL;
		return;
	}
	/*
	 * The driver gives the device up, fast teardown or software reset. The address bits are
	 * what was read, not a new queue.
	 */
	mmio->nic_state = NIC_DISABLED;
	mmio->cmdq_valid = false;
	mmio->cmd_pending = 0;
	mmio->reset_pending = true;
	hca_inject_reset(mmio);
}

/* Returns whether there is work for the engine. */
static bool segment_write(struct hca *hca, uint32_t offset, uint32_t value)
{
	struct hca_mmio *mmio = &hca->mmio;

	switch (offset) {
	case SEG_CMDQ_ADDR_H:
		mmio->cmdq_addr = (mmio->cmdq_addr & UINT32_MAX) | (uint64_t)value << 32;
		return false;
	case SEG_CMDQ_ADDR_L:
		set_queue_low(mmio, value);
		return mmio->reset_pending;
	case SEG_CMD_DOORBELL:
		if (!mmio->cmdq_valid)
			return false;
		mmio->cmd_pending |= value;
		return value != 0;
	default:
		hca_unmodelled(hca, "BAR0 write 0x%x", offset);
		return false;
	}
}

static void bar_write(struct pcie_function *fn, unsigned int bar, uint64_t offset,
		      unsigned int size, uint64_t value)
{
	struct hca *hca = fn->model;
	bool work = false;

	if (bar != 0)
		return;
	if (offset >= HCA_MEMIC_OP_OFFSET) {
		hca_memic_op_write(hca, offset, size, (uint8_t)value);
		return;
	}
	pthread_mutex_lock(&hca->mmio.lock);
	if (offset >= HCA_VAR_OFFSET) {
		/* Of virtio queues: what looks like a doorbell there is none. */
	} else if (size == 4) {
		work = segment_write(hca, (uint32_t)offset, be32toh((uint32_t)value));
	} else if (size == 8) {
		work = segment_write(hca, (uint32_t)offset, be32toh((uint32_t)value));
		work |= segment_write(hca, (uint32_t)offset + 4, be32toh((uint32_t)(value >> 32)));
	} else {
		hca_unmodelled(hca, "BAR0 write 0x%x of %u bytes", (unsigned int)offset, size);
	}
	pthread_mutex_unlock(&hca->mmio.lock);
	if (work)
		hca->wake(hca->wake_arg);
}

/* Doorbells and device memory of the next owner: nothing of the last one's is in them. */
static void renew_shared(struct hca *hca)
{
	int err;

	pthread_mutex_lock(&hca->uar_lock);
	err = pcie_memory_renew("hca-uar", hca->fn.bar[0].mmap_size, hca->uar_fd, hca->uar_memory);
	pthread_mutex_unlock(&hca->uar_lock);
	if (err)
		fprintf(stderr, "%s: memory emptied but not replaced\n", hca->fn.name);
}

/*
 * After a reset the function is disabled until a driver gives it a queue: a driver that was not
 * told sees that in its health poll and starts over.
 */
static void reset(struct pcie_function *fn, enum pcie_reset kind)
{
	struct hca *hca = fn->model;
	struct hca_mmio *mmio = &hca->mmio;

	/* Before the next owner can have it: the engine's part of the reset may come later. */
	if (kind == PCIE_RESET_COLD)
		renew_shared(hca);
	pthread_mutex_lock(&mmio->lock);
	mmio->reset_pending = true;
	atomic_store(&fn->silent, true);
	mmio->cmdq_addr = 0;
	mmio->cmdq_valid = false;
	mmio->nic_state = NIC_DISABLED;
	mmio->cmd_pending = 0;
	hca_inject_reset(mmio);
	pthread_mutex_unlock(&mmio->lock);
	hca->wake(hca->wake_arg);
}

const struct pcie_function_ops hca_function_ops = {
	.bar_read = bar_read,
	.bar_write = bar_write,
	.reset = reset,
};
