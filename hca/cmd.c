/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command queue: entries, mailboxes, dispatch and completion. Layouts: struct mlx5_cmd_layout
 * and mlx5_cmd_prot_block of the driver.
 */
#include "hca/budget.h"
#include "hca/cmd.h"
#include "hca/q_counter.h"

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

#define INLINE	    16u
#define BLOCK_SIZE  576u
#define BLOCK_DATA  512u
#define BLOCK_TAIL  0x230u /* next, number, reserved, token, signatures */
#define BLOCK_ALIGN 512u

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

static const struct hca_op ops[] = {
	{ 0x100, 16, 16, "QUERY_HCA_CAP", hca_cmd_query_hca_cap },
	{ 0x101, 16, 0x110, "QUERY_ADAPTER", hca_cmd_query_adapter },
	{ 0x102, 16, 8, "INIT_HCA", hca_cmd_nothing },
	{ 0x103, 16, 8, "TEARDOWN_HCA", hca_cmd_teardown_hca },
	{ 0x104, 16, 8, "ENABLE_HCA", hca_cmd_enable_hca },
	{ 0x105, 16, 8, "DISABLE_HCA", hca_cmd_teardown_hca },
	{ 0x107, 16, 16, "QUERY_PAGES", hca_cmd_query_pages },
	{ 0x108, 16, 16, "MANAGE_PAGES", NULL },
	{ 0x109, 0x1010, 8, "SET_HCA_CAP", hca_cmd_set_hca_cap },
	{ 0x10a, 16, 0x70, "QUERY_ISSI", hca_cmd_query_issi },
	{ 0x10b, 16, 8, "SET_ISSI", hca_cmd_set_issi },
	{ 0x10d, 16, 8, "SET_DRIVER_VERSION", hca_cmd_nothing },
	{ 0x200, 0x110, 16, "CREATE_MKEY", hca_cmd_create_mkey },
	{ 0x201, 16, 0x50, "QUERY_MKEY", hca_cmd_query_mkey },
	{ 0x202, 16, 8, "DESTROY_MKEY", hca_cmd_destroy_mkey },
	{ 0x203, 16, 0x14, "QUERY_SPECIAL_CONTEXTS", hca_cmd_query_special },
	{ 0x204, 16, 8, "PAGE_FAULT_RESUME", hca_cmd_page_fault_resume },
	{ 0x205, 0x20, 16, "ALLOC_MEMIC", hca_cmd_alloc_memic },
	{ 0x206, 0x20, 8, "DEALLOC_MEMIC", hca_cmd_dealloc_memic },
	{ 0x301, 0x110, 16, "CREATE_EQ", hca_cmd_create_eq },
	{ 0x302, 16, 8, "DESTROY_EQ", hca_cmd_destroy_eq },
	{ 0x303, 16, 0x60, "QUERY_EQ", hca_cmd_query_eq },
	{ 0x304, 16, 8, "GEN_EQE", NULL },
	{ 0x400, 0x110, 16, "CREATE_CQ", hca_cmd_create_cq },
	{ 0x401, 16, 8, "DESTROY_CQ", hca_cmd_destroy_cq },
	{ 0x402, 16, 0x50, "QUERY_CQ", hca_cmd_query_cq },
	{ 0x403, 0x110, 8, "MODIFY_CQ", hca_cmd_modify_cq },
	{ 0x500, 0x110, 16, "CREATE_QP", hca_cmd_create_qp },
	{ 0x501, 16, 8, "DESTROY_QP", hca_cmd_destroy_qp },
	{ 0x502, 0x100, 8, "RST2INIT_QP", hca_cmd_modify_qp },
	{ 0x503, 0x100, 8, "INIT2RTR_QP", hca_cmd_modify_qp },
	{ 0x504, 0x100, 8, "RTR2RTS_QP", hca_cmd_modify_qp },
	{ 0x505, 0x100, 8, "RTS2RTS_QP", hca_cmd_modify_qp },
	{ 0x506, 0x100, 8, "SQERR2RTS_QP", hca_cmd_modify_qp },
	{ 0x507, 16, 8, "2ERR_QP", hca_cmd_modify_qp },
	{ 0x50a, 16, 8, "2RST_QP", hca_cmd_modify_qp },
	{ 0x50b, 16, 0x100, "QUERY_QP", hca_cmd_query_qp },
	{ 0x50c, 0x100, 8, "SQD_RTS_QP", hca_cmd_modify_qp },
	{ 0x50d, 0x110, 0x110, "MAD_IFC", hca_cmd_mad_ifc },
	{ 0x50e, 0x100, 8, "INIT2INIT_QP", hca_cmd_modify_qp },
	{ 0x700, 0x110, 16, "CREATE_SRQ", hca_cmd_create_srq },
	{ 0x701, 16, 8, "DESTROY_SRQ", hca_cmd_destroy_srq },
	{ 0x702, 16, 0x50, "QUERY_SRQ", hca_cmd_query_srq },
	{ 0x703, 16, 8, "ARM_RQ", hca_cmd_arm_srq },
	{ 0x705, 16, 16, "CREATE_XRC_SRQ", NULL },
	{ 0x710, 0x50, 16, "CREATE_DCT", hca_cmd_create_dct },
	{ 0x711, 16, 8, "DESTROY_DCT", hca_cmd_destroy_dct },
	{ 0x712, 16, 8, "DRAIN_DCT", hca_cmd_drain_dct },
	{ 0x713, 16, 0x50, "QUERY_DCT", hca_cmd_query_dct },
	{ 0x750, 16, 16, "QUERY_VPORT_STATE", NULL },
	{ 0x754, 16, 16, "QUERY_NIC_VPORT_CONTEXT", NULL },
	{ 0x755, 16, 16, "MODIFY_NIC_VPORT_CONTEXT", NULL },
	{ 0x761, 16, 16, "SET_ROCE_ADDRESS", NULL },
	{ 0x762, 16, 16, "QUERY_HCA_VPORT_CONTEXT", hca_cmd_query_vport },
	{ 0x763, 0x210, 8, "MODIFY_HCA_VPORT_CONTEXT", hca_cmd_modify_vport },
	{ 0x764, 16, 16, "QUERY_HCA_VPORT_GID", hca_cmd_query_gid },
	{ 0x765, 16, 16, "QUERY_HCA_VPORT_PKEY", hca_cmd_query_pkey },
	/* Zero: the capabilities name none of its counters. */
	{ 0x76f, 16, 16, "QUERY_VNIC_ENV", hca_cmd_nothing },
	{ 0x770, 16, 0x210, "QUERY_VPORT_COUNTER", hca_cmd_query_vport_counter },
	{ 0x771, 16, 16, "ALLOC_Q_COUNTER", hca_cmd_alloc_q_counter },
	{ 0x772, 16, 8, "DEALLOC_Q_COUNTER", hca_cmd_dealloc_q_counter },
	{ 0x773, 0x20, HCA_Q_COUNTER_OUT, "QUERY_Q_COUNTER", hca_cmd_query_q_counter },
	{ 0x800, 16, 16, "ALLOC_PD", hca_cmd_alloc_pd },
	{ 0x801, 16, 8, "DEALLOC_PD", hca_cmd_dealloc_pd },
	{ 0x802, 16, 16, "ALLOC_UAR", hca_cmd_alloc_uar },
	{ 0x803, 16, 8, "DEALLOC_UAR", hca_cmd_dealloc_uar },
	{ 0x805, 16, 16, "ACCESS_REG", hca_cmd_access_reg },
	{ 0x806, 0x20, 8, "ATTACH_TO_MCG", hca_cmd_attach_mcg },
	{ 0x807, 0x20, 8, "DETACH_FROM_MCG", hca_cmd_detach_mcg },
	{ 0x80e, 16, 16, "ALLOC_XRCD", hca_cmd_alloc_xrcd },
	{ 0x80f, 16, 8, "DEALLOC_XRCD", hca_cmd_dealloc_xrcd },
	{ 0x816, 16, 16, "ALLOC_TRANSPORT_DOMAIN", NULL },
	{ 0x842, 16, 16, "QUERY_LAG", hca_cmd_query_lag },
	{ 0x904, 16, 16, "CREATE_SQ", NULL },
	{ 0x908, 16, 16, "CREATE_RQ", NULL },
	{ 0x90c, 16, 16, "CREATE_RMP", NULL },
	{ 0x92f, 0x40, 16, "SET_FLOW_TABLE_ROOT", hca_cmd_set_flow_table_root },
	{ 0x930, 0x40, 16, "CREATE_FLOW_TABLE", hca_cmd_create_flow_table },
	{ 0x931, 0x40, 16, "DESTROY_FLOW_TABLE", hca_cmd_destroy_flow_table },
	{ 0x932, 0x40, 0x40, "QUERY_FLOW_TABLE", hca_cmd_query_flow_table },
	{ 0x933, 0x40, 16, "CREATE_FLOW_GROUP", hca_cmd_create_flow_group },
	{ 0x934, 0x40, 16, "DESTROY_FLOW_GROUP", hca_cmd_destroy_flow_group },
	{ 0x935, 0x40, 0x400, "QUERY_FLOW_GROUP", hca_cmd_query_flow_group },
	{ 0x936, 0x80, 16, "SET_FLOW_TABLE_ENTRY", hca_cmd_set_flow_entry },
	{ 0x937, 0x40, 0x340, "QUERY_FLOW_TABLE_ENTRY", hca_cmd_query_flow_entry },
	{ 0x938, 0x40, 16, "DELETE_FLOW_TABLE_ENTRY", hca_cmd_delete_flow_entry },
	{ 0x939, 16, 16, "ALLOC_FLOW_COUNTER", hca_cmd_alloc_flow_counter },
	{ 0x93a, 16, 8, "DEALLOC_FLOW_COUNTER", hca_cmd_dealloc_flow_counter },
	{ 0x93b, 0x20, 0x20, "QUERY_FLOW_COUNTER", hca_cmd_query_flow_counter },
	{ 0x93c, 0x40, 16, "MODIFY_FLOW_TABLE", hca_cmd_modify_flow_table },
	{ 0xa00, 16, 16, "CREATE_GENERAL_OBJECT", hca_cmd_create_general },
	{ 0xa03, 16, 8, "DESTROY_GENERAL_OBJECT", hca_cmd_destroy_general },
	{ 0xa04, 16, 16, "CREATE_UCTX", hca_cmd_create_uctx },
	{ 0xa06, 16, 8, "DESTROY_UCTX", hca_cmd_destroy_uctx },
	{ 0xa08, 0x30, 16, "CREATE_UMEM", hca_cmd_create_umem },
	{ 0xa0a, 16, 8, "DESTROY_UMEM", hca_cmd_destroy_umem },
};

const struct hca_op *hca_op(size_t index)
{
	return index < sizeof(ops) / sizeof(ops[0]) ? &ops[index] : NULL;
}

static const struct hca_op *find_op(uint16_t opcode)
{
	size_t i;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (ops[i].opcode == opcode)
			return &ops[i];
	}
	return NULL;
}

/* Where the list begins that ends the input of @opcode, or UINT32_MAX when there is none. */
static uint32_t list_start(uint16_t opcode)
{
	switch (opcode) {
	case 0x200: /* CREATE_MKEY, EQ, CQ, MODIFY_CQ, CREATE_QP, SRQ */
	case 0x301:
	case 0x400:
	case 0x403:
	case 0x500:
	case 0x700:
		return HCA_CMD_PAGES;
	case 0xa08: /* CREATE_UMEM */
		return 0x30;
	default:
		return UINT32_MAX;
	}
}

/* The driver sends these for itself only; from a user context they would concern all others. */
static bool is_privileged(uint16_t opcode)
{
	switch (opcode) {
	case 0x102: /* INIT_HCA to DISABLE_HCA */
	case 0x103:
	case 0x104:
	case 0x105:
	case 0x109: /* SET_HCA_CAP, SET_ISSI */
	case 0x10b:
	case 0x204: /* PAGE_FAULT_RESUME, ALLOC_MEMIC, DEALLOC_MEMIC */
	case 0x205:
	case 0x206:
	case 0x301: /* CREATE_EQ, DESTROY_EQ */
	case 0x302:
	case 0x763: /* MODIFY_HCA_VPORT_CONTEXT, ACCESS_REG */
	case 0x805:
	case 0xa04: /* CREATE_UCTX, DESTROY_UCTX */
	case 0xa06:
		return true;
	default:
		return false;
	}
}

static enum hca_cmd_status execute(struct hca *hca, struct hca_cmd *cmd)
{
	uint16_t opcode = be16_at(cmd->in, 0), uid = hca_cmd_uid(cmd);
	const struct hca_op *op = find_op(opcode);

	if (!op || !op->fn) {
		hca_unmodelled(hca, "command 0x%03x %s op_mod 0x%x", opcode, op ? op->name : "?",
			       be16_at(cmd->in, 6));
		return hca_cmd_fail(cmd, HCA_CMD_BAD_OP, 0x010000u | opcode);
	}
	if (cmd->ilen < op->ilen)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INPUT_LEN, 0x020000u | opcode);
	if (cmd->olen < op->olen)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_OUTPUT_LEN, 0x030000u | opcode);
	if (uid && (is_privileged(opcode) || !hca_table_get(&hca->uctxs, uid)))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x040000u | opcode);
	return op->fn(hca, cmd);
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
	if (be32_at(block, 0x238) != job->number)
		return DELIVERY_BLOCK_NUMBER;
	if (block[0x23d] != job->entry[ENTRY_TAIL])
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
	if (status) {
		memset(cmd->out, 0, cmd->olen);
		cmd->out[0] = (uint8_t)status;
		be32_put(cmd->out, 4, cmd->syndrome);
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

/* The slot goes back to the driver, with @error, and the event is sent if it waits for one. */
static void complete(struct hca *hca, enum delivery error)
{
	struct hca_cmd_job *job = &hca->job;
	uint8_t data[28] = { 0 };

	job->entry[ENTRY_STATUS] = (uint8_t)(error << 1);
	/* Ownership goes back last. */
	if (pcie_write(&hca->fn, job->entry_addr + ENTRY_TAIL, job->entry + ENTRY_TAIL, 4, NULL))
		return;
	if (!job->eqn || hca->cmd_eqn != job->eqn)
		return;
	be32_put(data, 0, 1u << job->slot);
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
	if (pcie_read(&hca->fn, job->entry_addr, job->entry, sizeof(job->entry), NULL))
		return true;
	if (!(job->entry[ENTRY_STATUS] & OWNED) ||
	    !hca_inject_command(hca, job->slot, be16_at(job->entry, ENTRY_IN)))
		return true;
	error = check_entry(job->entry);
	if (!error && !prepare(hca)) {
		/* The command fails, its delivery does not. */
		uint8_t out[8] = { HCA_CMD_NO_RESOURCES };

		be32_put(out, 4, SYNDROME_MEMORY);
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
