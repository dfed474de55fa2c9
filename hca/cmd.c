/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command queue: entries, mailboxes, dispatch and completion. Layouts: struct mlx5_cmd_layout
 * and mlx5_cmd_prot_block of the driver.
 */
#include "hca/cmd.h"

#include <stdlib.h>

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

#define INLINE	    16u
#define BLOCK_SIZE  576u
#define BLOCK_DATA  512u
#define BLOCK_TAIL  0x230u /* next, number, reserved, token, signatures */
#define BLOCK_ALIGN 512u

/* Enough for the page list of 64 GiB in 4 KiB pages. */
#define LENGTH_MAX (128u << 20)

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

/*
 * @ilen, @olen: least lengths; shorter ones never reach @fn. Entries without @fn are there for
 * their names: commands that drivers know and this device has not.
 */
static const struct op {
	uint16_t opcode;
	uint16_t ilen, olen;
	const char *name;
	hca_cmd_fn fn;
} ops[] = {
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
	{ 0x50d, 16, 16, "MAD_IFC", NULL },
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
	{ 0x770, 16, 0x210, "QUERY_VPORT_COUNTER", hca_cmd_query_vport_counter },
	{ 0x771, 16, 16, "ALLOC_Q_COUNTER", NULL },
	{ 0x773, 16, 16, "QUERY_Q_COUNTER", NULL },
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

static const struct op *find_op(uint16_t opcode)
{
	size_t i;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (ops[i].opcode == opcode)
			return &ops[i];
	}
	return NULL;
}

static void execute(struct hca *hca, struct hca_cmd *cmd)
{
	uint16_t opcode = be16_at(cmd->in, 0);
	const struct op *op = find_op(opcode);
	enum hca_cmd_status status;

	if (!op || !op->fn) {
		hca_unmodelled(hca, "command 0x%03x %s op_mod 0x%x", opcode, op ? op->name : "?",
			       be16_at(cmd->in, 6));
		status = hca_cmd_fail(cmd, HCA_CMD_BAD_OP, 0x010000u | opcode);
	} else if (cmd->ilen < op->ilen) {
		status = hca_cmd_fail(cmd, HCA_CMD_BAD_INPUT_LEN, 0x020000u | opcode);
	} else if (cmd->olen < op->olen) {
		status = hca_cmd_fail(cmd, HCA_CMD_BAD_OUTPUT_LEN, 0x030000u | opcode);
	} else {
		status = op->fn(hca, cmd);
	}
	if (!status)
		return;
	memset(cmd->out, 0, cmd->olen);
	cmd->out[0] = (uint8_t)status;
	be32_put(cmd->out, 4, cmd->syndrome);
}

/*
 * One block of a chain: checks @addr, the number and the token; *@addr becomes the next block's.
 * The data goes to @data unless that is NULL.
 */
static enum delivery read_block(struct hca *hca, uint64_t *addr, uint32_t number, uint8_t token,
				uint8_t data[BLOCK_DATA])
{
	uint8_t block[BLOCK_SIZE];
	uint32_t from = data ? 0 : BLOCK_TAIL;

	if (pcie_read(&hca->fn, *addr + from, block + from, BLOCK_SIZE - from, NULL))
		return DELIVERY_FIRMWARE;
	if (be32_at(block, 0x238) != number)
		return DELIVERY_BLOCK_NUMBER;
	if (block[0x23d] != token)
		return DELIVERY_TOKEN;
	if (data)
		memcpy(data, block, BLOCK_DATA);
	*addr = be64_at(block, BLOCK_TAIL);
	return DELIVERY_OK;
}

/* Gather @len bytes of input. */
static enum delivery read_input(struct hca *hca, const uint8_t entry[ENTRY_SIZE], uint8_t *in,
				uint32_t len)
{
	uint64_t addr = be64_at(entry, ENTRY_IN_PTR);
	uint8_t data[BLOCK_DATA];
	uint32_t done, number = 0;

	memcpy(in, entry + ENTRY_IN, INLINE);
	for (done = INLINE; done < len; done += BLOCK_DATA) {
		uint32_t n = len - done < BLOCK_DATA ? len - done : BLOCK_DATA;
		enum delivery error;

		if (!addr)
			return DELIVERY_IN_LENGTH;
		if (addr % BLOCK_ALIGN)
			return DELIVERY_IN_PTR;
		error = read_block(hca, &addr, number++, entry[ENTRY_TAIL], data);
		if (error)
			return error;
		memcpy(in + done, data, n);
	}
	return DELIVERY_OK;
}

/* Addresses of the output blocks: all are looked at before the command changes anything. */
static enum delivery read_output_chain(struct hca *hca, const uint8_t entry[ENTRY_SIZE],
				       uint64_t *block, uint32_t count)
{
	uint64_t addr = be64_at(entry, ENTRY_OUT_PTR);
	uint32_t i;

	for (i = 0; i < count; i++) {
		enum delivery error;

		if (!addr)
			return DELIVERY_OUT_LENGTH;
		if (addr % BLOCK_ALIGN)
			return DELIVERY_OUT_PTR;
		block[i] = addr;
		error = read_block(hca, &addr, i, entry[ENTRY_TAIL], NULL);
		if (error)
			return error;
	}
	return DELIVERY_OK;
}

static bool write_output(struct hca *hca, uint64_t entry_addr, const uint64_t *block,
			 const uint8_t *out, uint32_t len)
{
	uint32_t done = len < INLINE ? len : INLINE, i;

	if (done && pcie_write(&hca->fn, entry_addr + ENTRY_OUT, out, done, NULL))
		return false;
	for (i = 0; done < len; i++) {
		uint32_t n = len - done < BLOCK_DATA ? len - done : BLOCK_DATA;

		if (pcie_write(&hca->fn, block[i], out + done, n, NULL))
			return false;
		done += n;
	}
	return true;
}

static bool reset_came(struct hca *hca)
{
	bool pending;

	pthread_mutex_lock(&hca->mmio.lock);
	pending = hca->mmio.reset_pending;
	pthread_mutex_unlock(&hca->mmio.lock);
	return pending;
}

static enum delivery run(struct hca *hca, uint64_t entry_addr, const uint8_t entry[ENTRY_SIZE])
{
	uint32_t ilen = be32_at(entry, ENTRY_ILEN), olen = be32_at(entry, ENTRY_OLEN);
	uint32_t blocks = olen > INLINE ? (olen - INLINE + BLOCK_DATA - 1) / BLOCK_DATA : 0;
	enum delivery error = DELIVERY_FIRMWARE;
	struct hca_cmd cmd = { .ilen = ilen, .olen = olen };
	uint8_t *in, *out;
	uint64_t *block;

	if (entry[ENTRY_TYPE] != TYPE_PCI)
		return DELIVERY_TYPE;
	if (ilen < INLINE || ilen > LENGTH_MAX)
		return DELIVERY_IN_LENGTH;
	if (olen < 8 || olen > LENGTH_MAX)
		return DELIVERY_OUT_LENGTH;
	in = malloc(ilen);
	out = calloc(1, olen);
	block = calloc(blocks + 1, sizeof(*block));
	if (!in || !out || !block)
		goto free;
	error = read_input(hca, entry, in, ilen);
	if (error)
		goto free;
	error = read_output_chain(hca, entry, block, blocks);
	if (error)
		goto free;
	cmd.in = in;
	cmd.out = out;
	execute(hca, &cmd);
	if (!reset_came(hca) && !write_output(hca, entry_addr, block, out, olen))
		error = DELIVERY_FIRMWARE;
free:
	free(block);
	free(out);
	free(in);
	return error;
}

void hca_cmd_run(struct hca *hca, uint64_t queue, unsigned int slot)
{
	uint64_t addr = queue + ENTRY_SIZE * (uint64_t)slot;
	/*
	 * A driver that polls has nobody waiting for an event: it polled when it created the
	 * command EQ, and it polls again when it destroys it.
	 */
	uint32_t eqn = hca->cmd_eqn;
	uint8_t entry[ENTRY_SIZE];
	uint8_t data[28] = { 0 };

	if (pcie_read(&hca->fn, addr, entry, sizeof(entry), NULL))
		return;
	if (!(entry[ENTRY_STATUS] & OWNED))
		return;
	entry[ENTRY_STATUS] = (uint8_t)(run(hca, addr, entry) << 1);
	if (reset_came(hca))
		return;
	/* Ownership goes back last. */
	if (pcie_write(&hca->fn, addr + ENTRY_TAIL, entry + ENTRY_TAIL, 4, NULL))
		return;
	if (!eqn || hca->cmd_eqn != eqn)
		return;
	be32_put(data, 0, 1u << slot);
	hca_eq_post(hca, hca_table_get(&hca->eqs, eqn), HCA_EVENT_CMD, 0, data);
}
