/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command queue: entries, mailboxes, execution and completion. Layouts: struct mlx5_cmd_layout
 * and mlx5_cmd_prot_block of the driver.
 */
#include "hca/budget.h"
#include "hca/cmd.h"
#include "hca/cmd_log.h"
#include "hca/layout.h"
#include "hca/opcodes.h"

#define ENTRY_SIZE    64u
#define ENTRY_TYPE    0x00
#define ENTRY_ILEN    0x04
#define ENTRY_IN_PTR  0x08
#define ENTRY_IN      0x10
#define ENTRY_OUT     0x20
#define ENTRY_OUT_PTR 0x30
#define ENTRY_OLEN    0x38
#define ENTRY_TAIL    0x3c /* token, signature, reserved, status and ownership */
#define ENTRY_STATUS  0x3f
#define TYPE_PCI      7
#define OWNED	      1u
#define SLOTS	      32u

#define INLINE	     16u
#define BLOCK_SIZE   576u
#define BLOCK_DATA   512u
#define BLOCK_TAIL   0x230u /* next, number, reserved, token, signatures */
#define BLOCK_NUMBER 0x238u
#define BLOCK_TOKEN  0x23du
#define BLOCK_ALIGN  512u

/*
 * The page list of 64 GiB in 4 KiB pages, with what goes in front of it. The longest answers are
 * capability blocks; there may be room for more.
 */
#define ILEN_MAX ((128u << 20) + HCA_CMD_PAGES)
#define OLEN_MAX (1u << 20)

#define SYNDROME_MEMORY 0x050000u

/* What a command costs besides its mailboxes. */
#define COMMAND_WORK 20000u
#define BLOCK_WORK   (HCA_WORK_TRANSFER + BLOCK_DATA)

enum delivery {
	DELIVERY_OK = 0x00,
	DELIVERY_TOKEN = 0x02,
	DELIVERY_BLOCK_NUMBER = 0x03,
	DELIVERY_OUT_PTR = 0x04,
	DELIVERY_IN_PTR = 0x05,
	DELIVERY_FIRMWARE = 0x06,
	DELIVERY_IN_LENGTH = 0x07,
	DELIVERY_OUT_LENGTH = 0x08,
	DELIVERY_TYPE = 0x10,
};

static enum hca_cmd_status execute(struct hca *hca, struct hca_cmd *cmd)
{
	uint16_t opcode = be16_at(cmd->in, CMD_OPCODE), uid = hca_cmd_uid(cmd);
	const struct hca_op *op = hca_op_find(opcode);

	if (!op || !op->fn || op->port == (hca->eth ? HCA_ON_INFINIBAND : HCA_ON_ETHERNET)) {
		hca_unmodelled(hca, "command 0x%03x %s op_mod 0x%x", opcode, op ? op->name : "?",
			       be16_at(cmd->in, CMD_OP_MOD));
		return hca_cmd_fail(cmd, HCA_CMD_BAD_OP, 0x010000u | opcode);
	}
	if (cmd->ilen < op->ilen)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INPUT_LEN, 0x020000u | opcode);
	if (cmd->olen < op->olen)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_OUTPUT_LEN, 0x030000u | opcode);
	if (uid && (op->privileged || !hca_table_get(&hca->uctxs, uid)))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x040000u | opcode);
	return op->fn(hca, cmd);
}

/* Where the list begins that ends the input of @opcode; UINT32_MAX: it has none. */
static uint32_t list_start(uint16_t opcode)
{
	const struct hca_op *op = hca_op_find(opcode);

	return op && op->list ? op->list : UINT32_MAX;
}

/* --- one command, turn by turn ----------------------------------------------------------- */

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t output_blocks(const struct hca_cmd_job *job)
{
	return job->olen > INLINE ? (job->olen - INLINE + BLOCK_DATA - 1) / BLOCK_DATA : 0;
}

/*
 * The next block of a chain: checks its address, number and token. The data goes to @data unless
 * that is NULL. @end, @misaligned: how a chain that ends, or leads astray, is called.
 */
static enum delivery read_block(struct hca *hca, struct hca_cmd_job *job, enum delivery end,
				enum delivery misaligned, uint8_t data[BLOCK_DATA])
{
	uint8_t block[BLOCK_SIZE];
	uint32_t from = data ? 0 : BLOCK_TAIL;

	if (!job->next)
		return end;
	if (job->next % BLOCK_ALIGN)
		return misaligned;
	hca_work(hca, BLOCK_WORK);
	if (pcie_read(&hca->fn, job->next + from, block + from, BLOCK_SIZE - from, NULL))
		return DELIVERY_FIRMWARE;
	if (be32_at(block, BLOCK_NUMBER) != job->number)
		return DELIVERY_BLOCK_NUMBER;
	if (block[BLOCK_TOKEN] != job->entry[ENTRY_TAIL])
		return DELIVERY_TOKEN;
	if (data)
		memcpy(data, block, BLOCK_DATA);
	job->number++;
	job->next = be64_at(block, BLOCK_TAIL);
	return DELIVERY_OK;
}

/* @len bytes more of input: of the fixed part, of the list, or of what no command has. */
static void take_input(struct hca_cmd_job *job, const uint8_t *data, uint32_t len)
{
	uint32_t fixed = job->done < job->in_len ? min32(len, job->in_len - job->done) : 0;

	if (fixed)
		memcpy(job->in + job->done, data, fixed);
	if (len > fixed && job->cmd.list)
		memcpy(job->cmd.list + (job->done + fixed - job->in_len), data + fixed,
		       len - fixed);
	job->done += len;
}

static enum delivery input_step(struct hca *hca, struct hca_cmd_job *job)
{
	uint8_t data[BLOCK_DATA];
	enum delivery error;

	if (job->done < job->cmd.ilen) {
		error = read_block(hca, job, DELIVERY_IN_LENGTH, DELIVERY_IN_PTR, data);
		if (!error)
			take_input(job, data, min32(job->cmd.ilen - job->done, BLOCK_DATA));
		return error;
	}
	job->phase = HCA_CMD_OUTPUT_CHAIN;
	job->next = be64_at(job->entry, ENTRY_OUT_PTR);
	job->number = 0;
	return DELIVERY_OK;
}

/* All output blocks are looked at before the command changes anything. */
static enum delivery output_chain_step(struct hca *hca, struct hca_cmd_job *job)
{
	if (job->number == output_blocks(job)) {
		job->phase = HCA_CMD_EXECUTE;
		return DELIVERY_OK;
	}
	job->block[job->number] = job->next;
	return read_block(hca, job, DELIVERY_OUT_LENGTH, DELIVERY_OUT_PTR, NULL);
}

static void execute_step(struct hca *hca, struct hca_cmd_job *job)
{
	struct hca_cmd *cmd = &job->cmd;
	enum hca_cmd_status status = execute(hca, cmd);

	hca_work(hca, COMMAND_WORK);
	if (status == HCA_CMD_MORE)
		return;
	job->status = status;
	if (status) {
		memset(cmd->out, 0, cmd->olen);
		cmd->out[0] = (uint8_t)status;
		be32_put(cmd->out, CMD_SYNDROME, cmd->syndrome);
	}
	job->phase = HCA_CMD_OUTPUT;
	job->done = 0;
	job->number = 0;
}

/* The part in the entry, then block by block. */
static enum delivery output_step(struct hca *hca, struct hca_cmd_job *job)
{
	uint32_t len = min32(job->olen - job->done, job->done ? BLOCK_DATA : INLINE);
	uint64_t addr = job->done ? job->block[job->number++] : job->entry_addr + ENTRY_OUT;
	uint8_t data[BLOCK_DATA] = { 0 };

	/* Zeroes behind what commands fill in. */
	if (job->done < job->cmd.olen)
		memcpy(data, job->out + job->done, min32(len, job->cmd.olen - job->done));
	hca_work(hca, BLOCK_WORK);
	if (pcie_write(&hca->fn, addr, data, len, NULL))
		return DELIVERY_FIRMWARE;
	job->done += len;
	return DELIVERY_OK;
}

/* A reset or another queue ends what came from the old one. */
static bool is_stale(struct hca *hca, const struct hca_cmd_job *job)
{
	bool stale;

	pthread_mutex_lock(&hca->mmio.lock);
	stale = hca->mmio.reset_pending || hca->mmio.cmdq_generation != job->generation;
	pthread_mutex_unlock(&hca->mmio.lock);
	return stale;
}

void hca_cmd_abandon(struct hca *hca)
{
	struct hca_cmd_job *job = &hca->job;

	hca_release(hca, job->cmd.list);
	hca_mkey_free(hca, job->cmd.mkey);
	job->cmd.mkey = NULL;
	if (job->block != job->few_blocks)
		hca_release(hca, job->block);
	job->cmd.list = NULL;
	job->block = job->few_blocks;
	job->active = false;
}

static void log_command(struct hca *hca, enum delivery error)
{
	const struct hca_cmd_job *job = &hca->job;
	bool executed = job->status != HCA_CMD_MORE;
	const struct hca_cmd_result result = {
		.head = job->entry + ENTRY_IN,
		.in = executed ? job->in : NULL,
		.out = job->out,
		.ilen = job->in_len,
		.olen = job->cmd.olen,
		.delivery = error,
		.status = job->status,
		.syndrome = job->status ? job->cmd.syndrome : 0,
		.ns = clock_now_ns() - job->read_ns,
	};

	hca_cmd_log(hca, &result);
}

/* The slot goes back to the driver, with @error, and the event is sent if it waits for one. */
static void complete(struct hca *hca, enum delivery error)
{
	struct hca_cmd_job *job = &hca->job;
	uint8_t data[28] = { 0 };

	if (job->read_ns)
		log_command(hca, error);
	job->entry[ENTRY_STATUS] = (uint8_t)(error << 1);
	/* Ownership goes back last. */
	if (pcie_write(&hca->fn, job->entry_addr + ENTRY_TAIL, job->entry + ENTRY_TAIL, 4, NULL))
		return;
	if (!job->eqn || hca->cmd_eqn != job->eqn)
		return;
	be32_put(data, EQE_CMD_VECTOR, 1u << job->slot);
	hca_eq_post(hca, hca_table_get(&hca->eqs, job->eqn), HCA_EVENT_CMD, 0, data);
}

static enum delivery check_entry(const uint8_t entry[ENTRY_SIZE])
{
	uint32_t ilen = be32_at(entry, ENTRY_ILEN), olen = be32_at(entry, ENTRY_OLEN);

	if (entry[ENTRY_TYPE] != TYPE_PCI)
		return DELIVERY_TYPE;
	if (ilen < INLINE || ilen > ILEN_MAX)
		return DELIVERY_IN_LENGTH;
	if (olen < 8 || olen > OLEN_MAX)
		return DELIVERY_OUT_LENGTH;
	return DELIVERY_OK;
}

/*
 * Gets hca->job ready, whose entry is there. What is short enough needs no memory of the function's
 * budget: that is how it is given back. False: there is none.
 */
static bool prepare(struct hca *hca)
{
	struct hca_cmd_job *job = &hca->job;
	uint32_t ilen = be32_at(job->entry, ENTRY_ILEN), olen = be32_at(job->entry, ENTRY_OLEN);
	uint32_t list = min32(ilen, list_start(be16_at(job->entry, ENTRY_IN)));
	uint32_t blocks;

	job->active = true;
	job->phase = HCA_CMD_INPUT;
	job->in_len = min32(list, HCA_CMD_FIXED);
	job->olen = olen;
	job->next = be64_at(job->entry, ENTRY_IN_PTR);
	job->number = job->done = 0;
	job->cmd = (struct hca_cmd){ .in = job->in,
				     .ilen = ilen,
				     .out = job->out,
				     .olen = min32(olen, HCA_CMD_FIXED),
				     .list_len = ilen - list };
	memset(job->in, 0, sizeof(job->in));
	memset(job->out, 0, sizeof(job->out));
	blocks = output_blocks(job);
	job->block = blocks > HCA_CMD_FEW_BLOCKS ? hca_alloc(hca, blocks * sizeof(*job->block))
						 : job->few_blocks;
	if (job->cmd.list_len)
		job->cmd.list = hca_alloc(hca, job->cmd.list_len);
	if (!job->block || (job->cmd.list_len && !job->cmd.list)) {
		hca_cmd_abandon(hca);
		return false;
	}
	take_input(job, job->entry + ENTRY_IN, INLINE);
	return true;
}

/* The next slot that was rung for, in turn; -1: none. */
static int take_slot(struct hca *hca, uint64_t *queue, unsigned int *generation)
{
	struct hca_mmio *mmio = &hca->mmio;
	int slot = -1;
	unsigned int i;

	pthread_mutex_lock(&mmio->lock);
	mmio->cmd_pending |= hca_inject_due(mmio);
	/* A reset may come while a turn waits: what is rung for after it is for the next turn. */
	for (i = 0; i < SLOTS && mmio->cmd_pending && !mmio->reset_pending; i++) {
		unsigned int candidate = (hca->cmd_next + i) % SLOTS;

		if (!(mmio->cmd_pending >> candidate & 1))
			continue;
		mmio->cmd_pending &= ~(1u << candidate);
		slot = (int)candidate;
		break;
	}
	*queue = mmio->cmdq_addr;
	*generation = mmio->cmdq_generation;
	pthread_mutex_unlock(&mmio->lock);
	return slot;
}

/* Begins the command of the next slot. False when there is none. */
static bool start(struct hca *hca)
{
	struct hca_cmd_job *job = &hca->job;
	enum delivery error;
	uint64_t queue;
	int slot = take_slot(hca, &queue, &job->generation);

	if (slot < 0)
		return false;
	hca->cmd_next = ((unsigned int)slot + 1) % SLOTS;
	hca_work(hca, BLOCK_WORK);
	job->slot = (unsigned int)slot;
	job->entry_addr = queue + ENTRY_SIZE * (uint64_t)slot;
	/*
	 * A driver that polls has nobody waiting for an event: it polled when it created the
	 * command EQ, and it polls again when it destroys it.
	 */
	job->eqn = hca->cmd_eqn;
	job->status = HCA_CMD_MORE;
	job->read_ns = hca_cmd_logged(hca) ? clock_now_ns() : 0;
	job->cmd.syndrome = 0;
	if (pcie_read(&hca->fn, job->entry_addr, job->entry, sizeof(job->entry), NULL))
		return true;
	if (!(job->entry[ENTRY_STATUS] & OWNED) ||
	    !hca_inject_command(hca, job->slot, be16_at(job->entry, ENTRY_IN)))
		return true;
	error = check_entry(job->entry);
	if (!error && !prepare(hca)) {
		/* The command fails, its delivery does not. */
		uint8_t out[8] = { HCA_CMD_NO_RESOURCES };

		job->status = HCA_CMD_NO_RESOURCES;
		job->cmd.syndrome = SYNDROME_MEMORY;
		be32_put(out, CMD_SYNDROME, SYNDROME_MEMORY);
		if (pcie_write(&hca->fn, job->entry_addr + ENTRY_OUT, out, sizeof(out), NULL))
			error = DELIVERY_FIRMWARE;
	}
	if (!job->active)
		complete(hca, error);
	return true;
}

/* One piece of the command under way. */
static void go_on(struct hca *hca)
{
	struct hca_cmd_job *job = &hca->job;
	enum delivery error = DELIVERY_OK;

	switch (job->phase) {
	case HCA_CMD_INPUT:
		error = input_step(hca, job);
		break;
	case HCA_CMD_OUTPUT_CHAIN:
		error = output_chain_step(hca, job);
		break;
	case HCA_CMD_EXECUTE:
		execute_step(hca, job);
		break;
	case HCA_CMD_OUTPUT:
		error = output_step(hca, job);
		break;
	}
	if (is_stale(hca, job)) {
		hca_cmd_abandon(hca);
		return;
	}
	if (!error && (job->phase != HCA_CMD_OUTPUT || job->done < job->olen))
		return;
	complete(hca, error);
	hca_cmd_abandon(hca);
}

bool hca_cmd_poll(struct hca *hca)
{
	bool busy = false;

	while (hca->work_left > HCA_TURN_WORK / 2 && (hca->job.active || start(hca))) {
		busy = true;
		if (hca->job.active)
			go_on(hca);
	}
	return busy;
}
