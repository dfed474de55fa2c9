/* SPDX-License-Identifier: GPL-2.0-only */
/* Lengths and opcodes are those of mlx5_ifc.h: enum MLX5_CMD_OP_*, *_in and *_out. */
#include "hca/opcodes.h"

#include "hca/eth.h"
#include "hca/q_counter.h"

/* Fields behind the handler are named. */
#define OP(code, in, out, text, handler, ...)                                                   \
	{                                                                                       \
		.opcode = (code), .ilen = (in), .olen = (out), .name = (text), .fn = (handler), \
		##__VA_ARGS__                                                                   \
	}

static const struct hca_op ops[] = {
	OP(0x100, 16, 16, "QUERY_HCA_CAP", hca_cmd_query_hca_cap),
	OP(0x101, 16, 0x110, "QUERY_ADAPTER", hca_cmd_query_adapter),
	OP(0x102, 16, 8, "INIT_HCA", hca_cmd_nothing, .privileged = true),
	OP(0x103, 16, 8, "TEARDOWN_HCA", hca_cmd_teardown_hca, .privileged = true),
	OP(0x104, 16, 8, "ENABLE_HCA", hca_cmd_enable_hca, .privileged = true),
	OP(0x105, 16, 8, "DISABLE_HCA", hca_cmd_teardown_hca, .privileged = true),
	OP(0x107, 16, 16, "QUERY_PAGES", hca_cmd_query_pages),
	OP(0x108, 16, 16, "MANAGE_PAGES", NULL),
	OP(0x109, 0x1010, 8, "SET_HCA_CAP", hca_cmd_set_hca_cap, .privileged = true),
	OP(0x10a, 16, 0x70, "QUERY_ISSI", hca_cmd_query_issi),
	OP(0x10b, 16, 8, "SET_ISSI", hca_cmd_set_issi, .privileged = true),
	OP(0x10d, 16, 8, "SET_DRIVER_VERSION", hca_cmd_nothing),
	OP(0x200, 0x110, 16, "CREATE_MKEY", hca_cmd_create_mkey, .list = HCA_CMD_PAGES, .makes = 8),
	OP(0x201, 16, 0x50, "QUERY_MKEY", hca_cmd_query_mkey, .names = 8),
	OP(0x202, 16, 8, "DESTROY_MKEY", hca_cmd_destroy_mkey, .names = 8),
	OP(0x203, 16, 0x14, "QUERY_SPECIAL_CONTEXTS", hca_cmd_query_special),
	OP(0x204, 16, 8, "PAGE_FAULT_RESUME", hca_cmd_page_fault_resume, .privileged = true,
	   .names = 0xc),
	OP(0x205, 0x20, 16, "ALLOC_MEMIC", hca_cmd_alloc_memic, .privileged = true),
	OP(0x206, 0x20, 8, "DEALLOC_MEMIC", hca_cmd_dealloc_memic, .privileged = true),
	OP(0x301, 0x110, 16, "CREATE_EQ", hca_cmd_create_eq, .list = HCA_CMD_PAGES,
	   .privileged = true, .makes = 8),
	OP(0x302, 16, 8, "DESTROY_EQ", hca_cmd_destroy_eq, .privileged = true, .names = 8),
	OP(0x303, 16, 0x60, "QUERY_EQ", hca_cmd_query_eq, .names = 8),
	OP(0x304, 16, 8, "GEN_EQE", NULL),
	OP(0x400, 0x110, 16, "CREATE_CQ", hca_cmd_create_cq, .list = HCA_CMD_PAGES, .makes = 8),
	OP(0x401, 16, 8, "DESTROY_CQ", hca_cmd_destroy_cq, .names = 8),
	OP(0x402, 16, 0x50, "QUERY_CQ", hca_cmd_query_cq, .names = 8),
	OP(0x403, 0x110, 8, "MODIFY_CQ", hca_cmd_modify_cq, .list = HCA_CMD_PAGES, .names = 8),
	OP(0x500, 0x110, 16, "CREATE_QP", hca_cmd_create_qp, .list = HCA_CMD_PAGES, .makes = 8),
	OP(0x501, 16, 8, "DESTROY_QP", hca_cmd_destroy_qp, .names = 8),
	OP(HCA_CMD_RST2INIT_QP, 0x100, 8, "RST2INIT_QP", hca_cmd_modify_qp, .names = 8),
	OP(HCA_CMD_INIT2RTR_QP, 0x100, 8, "INIT2RTR_QP", hca_cmd_modify_qp, .names = 8),
	OP(HCA_CMD_RTR2RTS_QP, 0x100, 8, "RTR2RTS_QP", hca_cmd_modify_qp, .names = 8),
	OP(HCA_CMD_RTS2RTS_QP, 0x100, 8, "RTS2RTS_QP", hca_cmd_modify_qp, .names = 8),
	OP(HCA_CMD_SQERR2RTS_QP, 0x100, 8, "SQERR2RTS_QP", hca_cmd_modify_qp, .names = 8),
	OP(HCA_CMD_TO_ERR_QP, 16, 8, "2ERR_QP", hca_cmd_modify_qp, .names = 8),
	OP(HCA_CMD_TO_RST_QP, 16, 8, "2RST_QP", hca_cmd_modify_qp, .names = 8),
	OP(0x50b, 16, 0x100, "QUERY_QP", hca_cmd_query_qp, .names = 8),
	OP(HCA_CMD_SQD_RTS_QP, 0x100, 8, "SQD_RTS_QP", hca_cmd_modify_qp, .names = 8),
	OP(0x50d, 0x110, 0x110, "MAD_IFC", hca_cmd_mad_ifc, .port = HCA_ON_INFINIBAND),
	OP(HCA_CMD_INIT2INIT_QP, 0x100, 8, "INIT2INIT_QP", hca_cmd_modify_qp, .names = 8),
	OP(0x700, 0x110, 16, "CREATE_SRQ", hca_cmd_create_srq, .list = HCA_CMD_PAGES, .makes = 8),
	OP(0x701, 16, 8, "DESTROY_SRQ", hca_cmd_destroy_srq, .names = 8),
	OP(0x702, 16, 0x50, "QUERY_SRQ", hca_cmd_query_srq, .names = 8),
	OP(0x703, 16, 8, "ARM_RQ", hca_cmd_arm_srq, .names = 8),
	OP(0x705, 0x110, 16, "CREATE_XRC_SRQ", hca_cmd_create_xrc_srq, .list = HCA_CMD_PAGES,
	   .port = HCA_ON_ETHERNET, .makes = 8),
	OP(0x710, 0x50, 16, "CREATE_DCT", hca_cmd_create_dct, .makes = 8),
	OP(0x711, 16, 8, "DESTROY_DCT", hca_cmd_destroy_dct, .names = 8),
	OP(0x712, 16, 8, "DRAIN_DCT", hca_cmd_drain_dct, .names = 8),
	OP(0x713, 16, 0x50, "QUERY_DCT", hca_cmd_query_dct, .names = 8),
	OP(0x750, 16, 16, "QUERY_VPORT_STATE", hca_cmd_query_vport_state, .port = HCA_ON_ETHERNET),
	OP(0x754, 16, 0x110, "QUERY_NIC_VPORT_CONTEXT", hca_cmd_query_nic_vport,
	   .port = HCA_ON_ETHERNET),
	OP(0x755, 0x200, 8, "MODIFY_NIC_VPORT_CONTEXT", hca_cmd_modify_nic_vport,
	   .port = HCA_ON_ETHERNET, .privileged = true),
	OP(0x761, 0x30, 8, "SET_ROCE_ADDRESS", hca_cmd_set_roce_address, .port = HCA_ON_ETHERNET,
	   .privileged = true),
	OP(0x762, 16, 16, "QUERY_HCA_VPORT_CONTEXT", hca_cmd_query_vport,
	   .port = HCA_ON_INFINIBAND),
	OP(0x763, 0x210, 8, "MODIFY_HCA_VPORT_CONTEXT", hca_cmd_modify_vport, .privileged = true,
	   .port = HCA_ON_INFINIBAND),
	OP(0x764, 16, 16, "QUERY_HCA_VPORT_GID", hca_cmd_query_gid, .port = HCA_ON_INFINIBAND),
	OP(0x765, 16, 16, "QUERY_HCA_VPORT_PKEY", hca_cmd_query_pkey),
	/* Zero: the capabilities name none of its counters. */
	OP(0x76f, 16, 16, "QUERY_VNIC_ENV", hca_cmd_nothing),
	OP(0x770, 16, 0x210, "QUERY_VPORT_COUNTER", hca_cmd_query_vport_counter),
	OP(0x771, 16, 16, "ALLOC_Q_COUNTER", hca_cmd_alloc_q_counter, .makes = 8),
	OP(0x772, 16, 8, "DEALLOC_Q_COUNTER", hca_cmd_dealloc_q_counter, .names = 8),
	OP(0x773, 0x20, HCA_Q_COUNTER_OUT, "QUERY_Q_COUNTER", hca_cmd_query_q_counter,
	   .names = 0x1c),
	OP(0x800, 16, 16, "ALLOC_PD", hca_cmd_alloc_pd, .makes = 8),
	OP(0x801, 16, 8, "DEALLOC_PD", hca_cmd_dealloc_pd, .names = 8),
	OP(0x802, 16, 16, "ALLOC_UAR", hca_cmd_alloc_uar, .makes = 8),
	OP(0x803, 16, 8, "DEALLOC_UAR", hca_cmd_dealloc_uar, .names = 8),
	OP(0x805, 16, 16, "ACCESS_REG", hca_cmd_access_reg, .privileged = true, .names = 8),
	OP(0x806, 0x20, 8, "ATTACH_TO_MCG", hca_cmd_attach_mcg, .names = 8),
	OP(0x807, 0x20, 8, "DETACH_FROM_MCG", hca_cmd_detach_mcg, .names = 8),
	OP(0x80e, 16, 16, "ALLOC_XRCD", hca_cmd_alloc_xrcd, .makes = 8),
	OP(0x80f, 16, 8, "DEALLOC_XRCD", hca_cmd_dealloc_xrcd, .names = 8),
	OP(0x816, 16, 16, "ALLOC_TRANSPORT_DOMAIN", hca_cmd_alloc_td, .port = HCA_ON_ETHERNET,
	   .makes = 8),
	OP(0x817, 16, 8, "DEALLOC_TRANSPORT_DOMAIN", hca_cmd_dealloc_td, .port = HCA_ON_ETHERNET,
	   .names = 8),
	OP(0x842, 16, 16, "QUERY_LAG", hca_cmd_query_lag),
	OP(0x900, 0x110, 16, "CREATE_TIR", hca_cmd_create_tir, .port = HCA_ON_ETHERNET, .makes = 8),
	OP(0x901, 0x110, 8, "MODIFY_TIR", hca_cmd_modify_tir, .port = HCA_ON_ETHERNET, .names = 8),
	OP(0x902, 16, 8, "DESTROY_TIR", hca_cmd_destroy_tir, .port = HCA_ON_ETHERNET, .names = 8),
	OP(0x903, 16, 0x110, "QUERY_TIR", hca_cmd_query_tir, .port = HCA_ON_ETHERNET, .names = 8),
	OP(0x904, 0x110, 16, "CREATE_SQ", hca_cmd_create_sq, .port = HCA_ON_ETHERNET,
	   .list = HCA_CMD_PAGES, .makes = 8),
	OP(0x905, 0x110, 8, "MODIFY_SQ", hca_cmd_modify_sq, .port = HCA_ON_ETHERNET, .names = 8),
	OP(0x906, 16, 8, "DESTROY_SQ", hca_cmd_destroy_sq, .port = HCA_ON_ETHERNET, .names = 8),
	OP(0x907, 16, 0x110, "QUERY_SQ", hca_cmd_query_sq, .port = HCA_ON_ETHERNET, .names = 8),
	OP(0x908, 0x110, 16, "CREATE_RQ", hca_cmd_create_rq, .port = HCA_ON_ETHERNET,
	   .list = HCA_CMD_PAGES, .makes = 8),
	OP(0x909, 0x110, 8, "MODIFY_RQ", hca_cmd_modify_rq, .port = HCA_ON_ETHERNET, .names = 8),
	OP(0x90a, 16, 8, "DESTROY_RQ", hca_cmd_destroy_rq, .port = HCA_ON_ETHERNET, .names = 8),
	OP(0x90b, 16, 0x110, "QUERY_RQ", hca_cmd_query_rq, .port = HCA_ON_ETHERNET, .names = 8),
	OP(0x90c, 0x110, 16, "CREATE_RMP", hca_cmd_create_rmp, .list = HCA_CMD_PAGES,
	   .port = HCA_ON_ETHERNET, .makes = 8),
	OP(0x912, 0x80, 16, "CREATE_TIS", hca_cmd_create_tis, .port = HCA_ON_ETHERNET, .makes = 8),
	OP(0x913, 0x80, 8, "MODIFY_TIS", hca_cmd_modify_tis, .port = HCA_ON_ETHERNET, .names = 8),
	OP(0x914, 16, 8, "DESTROY_TIS", hca_cmd_destroy_tis, .port = HCA_ON_ETHERNET, .names = 8),
	OP(0x916, 0x110, 16, "CREATE_RQT", hca_cmd_create_rqt, .port = HCA_ON_ETHERNET, .makes = 8),
	OP(0x917, 0x110, 8, "MODIFY_RQT", hca_cmd_modify_rqt, .port = HCA_ON_ETHERNET, .names = 8),
	OP(0x918, 16, 8, "DESTROY_RQT", hca_cmd_destroy_rqt, .port = HCA_ON_ETHERNET, .names = 8),
	OP(0x92f, 0x40, 16, "SET_FLOW_TABLE_ROOT", hca_cmd_set_flow_table_root, .names = 0x14),
	OP(0x930, 0x40, 16, "CREATE_FLOW_TABLE", hca_cmd_create_flow_table, .makes = 8),
	OP(0x931, 0x40, 16, "DESTROY_FLOW_TABLE", hca_cmd_destroy_flow_table, .names = 0x14),
	OP(0x932, 0x40, 0x40, "QUERY_FLOW_TABLE", hca_cmd_query_flow_table, .names = 0x14),
	OP(0x933, 0x40, 16, "CREATE_FLOW_GROUP", hca_cmd_create_flow_group, .makes = 8),
	OP(0x934, 0x40, 16, "DESTROY_FLOW_GROUP", hca_cmd_destroy_flow_group, .names = 0x14),
	OP(0x935, 0x40, 0x400, "QUERY_FLOW_GROUP", hca_cmd_query_flow_group, .names = 0x14),
	OP(0x936, 0x80, 16, "SET_FLOW_TABLE_ENTRY", hca_cmd_set_flow_entry, .names = 0x14),
	OP(0x937, 0x40, 0x340, "QUERY_FLOW_TABLE_ENTRY", hca_cmd_query_flow_entry, .names = 0x14),
	OP(0x938, 0x40, 16, "DELETE_FLOW_TABLE_ENTRY", hca_cmd_delete_flow_entry, .names = 0x14),
	OP(0x939, 16, 16, "ALLOC_FLOW_COUNTER", hca_cmd_alloc_flow_counter, .makes = 8),
	OP(0x93a, 16, 8, "DEALLOC_FLOW_COUNTER", hca_cmd_dealloc_flow_counter, .names = 8),
	OP(0x93b, 0x20, 0x20, "QUERY_FLOW_COUNTER", hca_cmd_query_flow_counter, .names = 0x1c),
	OP(0x93c, 0x40, 16, "MODIFY_FLOW_TABLE", hca_cmd_modify_flow_table, .names = 0x14),
	OP(0xa00, 16, 16, "CREATE_GENERAL_OBJECT", hca_cmd_create_general, .makes = 8),
	OP(0xa03, 16, 8, "DESTROY_GENERAL_OBJECT", hca_cmd_destroy_general, .names = 8),
	OP(0xa04, 16, 16, "CREATE_UCTX", hca_cmd_create_uctx, .privileged = true, .makes = 8),
	OP(0xa06, 16, 8, "DESTROY_UCTX", hca_cmd_destroy_uctx, .privileged = true, .names = 8),
	OP(0xa08, 0x30, 16, "CREATE_UMEM", hca_cmd_create_umem, .list = HCA_CMD_UMEM_PAGES,
	   .makes = 8),
	OP(0xa0a, 16, 8, "DESTROY_UMEM", hca_cmd_destroy_umem, .names = 8),
	/* Those that came later are behind: inputs of fuzz/ name commands by their places. */
	OP(0x826, 16, 0x110, "QUERY_CONG_STATISTICS", hca_cmd_query_cong_statistics,
	   .port = HCA_ON_ETHERNET),
	OP(0x706, 16, 8, "DESTROY_XRC_SRQ", hca_cmd_destroy_xrc_srq, .port = HCA_ON_ETHERNET,
	   .names = 8),
	OP(0x707, 16, 0x110, "QUERY_XRC_SRQ", hca_cmd_query_xrc_srq, .port = HCA_ON_ETHERNET,
	   .names = 8),
	OP(0x708, 16, 8, "ARM_XRC_SRQ", hca_cmd_arm_xrc_srq, .port = HCA_ON_ETHERNET, .names = 8),
	OP(0x90d, 0x110, 8, "MODIFY_RMP", hca_cmd_modify_rmp, .port = HCA_ON_ETHERNET, .names = 8),
	OP(0x90e, 16, 8, "DESTROY_RMP", hca_cmd_destroy_rmp, .port = HCA_ON_ETHERNET, .names = 8),
	OP(0x90f, 16, 0x110, "QUERY_RMP", hca_cmd_query_rmp, .port = HCA_ON_ETHERNET, .names = 8),
};

const struct hca_op *hca_op(size_t index)
{
	return index < sizeof(ops) / sizeof(ops[0]) ? &ops[index] : NULL;
}

const struct hca_op *hca_op_find(uint16_t opcode)
{
	size_t i;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (ops[i].opcode == opcode)
			return &ops[i];
	}
	return NULL;
}
