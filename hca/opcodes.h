/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands that drivers know. One table says what each is called, how long it is, and who
 * executes it; the handlers live with their objects. How a command gets here and back is in cmd.c.
 */
#ifndef HCA_OPCODES_H
#define HCA_OPCODES_H

#include "hca/cmd.h"

typedef enum hca_cmd_status (*hca_cmd_fn)(struct hca *hca, struct hca_cmd *cmd);

struct hca_op {
	uint16_t opcode;
	uint16_t ilen, olen; /* least lengths, bytes; shorter ones never reach @fn */
	const char *name;
	hca_cmd_fn fn; /* NULL: there for its name, this device has it not */
	/* The byte of the input where the list begins that ends it; 0: it has none. */
	uint16_t list;
	/* Byte of the dword with the object's number, in the input, in the output; 0: in none. */
	uint8_t names, makes;
	/* What is of one of them is unknown to the other. */
	enum { HCA_ON_ANY_PORT, HCA_ON_INFINIBAND, HCA_ON_ETHERNET } port;
	/* The driver sends it for itself only; from a user context it would concern all others. */
	bool privileged;
};

/* Commands by opcode; NULL past the last @index. */
const struct hca_op *hca_op(size_t index);
/* The command with @opcode; NULL when no driver knows it. */
const struct hca_op *hca_op_find(uint16_t opcode);

/* The transitions of queue pairs: one handler executes them all. */
enum hca_transition {
	HCA_CMD_RST2INIT_QP = 0x502,
	HCA_CMD_INIT2RTR_QP = 0x503,
	HCA_CMD_RTR2RTS_QP = 0x504,
	HCA_CMD_RTS2RTS_QP = 0x505,
	HCA_CMD_SQERR2RTS_QP = 0x506,
	HCA_CMD_TO_ERR_QP = 0x507,
	HCA_CMD_TO_RST_QP = 0x50a,
	HCA_CMD_SQD_RTS_QP = 0x50c,
	HCA_CMD_INIT2INIT_QP = 0x50e,
};

/*
 * Handlers. All of them read their input, fill in their output, which is zeroed, and return the
 * status; next to one that is not HCA_CMD_OK they set the syndrome, and nothing has changed.
 * HCA_CMD_MORE: the turn is over, call again in the next.
 */

/* bringup.c */
enum hca_cmd_status hca_cmd_enable_hca(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_teardown_hca(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_nothing(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_pages(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_special(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_issi(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_set_issi(struct hca *hca, struct hca_cmd *cmd);

/* plain.c */
enum hca_cmd_status hca_cmd_alloc_uar(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_dealloc_uar(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_alloc_pd(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_dealloc_pd(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_alloc_xrcd(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_dealloc_xrcd(struct hca *hca, struct hca_cmd *cmd);

/* caps.c */
enum hca_cmd_status hca_cmd_query_hca_cap(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_set_hca_cap(struct hca *hca, struct hca_cmd *cmd);

/* mkey_cmd.c */
enum hca_cmd_status hca_cmd_create_mkey(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_destroy_mkey(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_mkey(struct hca *hca, struct hca_cmd *cmd);

/* fault.c */
enum hca_cmd_status hca_cmd_page_fault_resume(struct hca *hca, struct hca_cmd *cmd);

/* memic.c */
enum hca_cmd_status hca_cmd_alloc_memic(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_dealloc_memic(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_modify_memic(struct hca *hca, struct hca_cmd *cmd);

/* eq.c */
enum hca_cmd_status hca_cmd_create_eq(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_destroy_eq(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_eq(struct hca *hca, struct hca_cmd *cmd);

/* cq.c */
enum hca_cmd_status hca_cmd_create_cq(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_destroy_cq(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_cq(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_modify_cq(struct hca *hca, struct hca_cmd *cmd);

/* qp.c */
enum hca_cmd_status hca_cmd_create_qp(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_destroy_qp(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_qp(struct hca *hca, struct hca_cmd *cmd);

/* qp_modify.c */
enum hca_cmd_status hca_cmd_modify_qp(struct hca *hca, struct hca_cmd *cmd);

/* mad.c */
enum hca_cmd_status hca_cmd_mad_ifc(struct hca *hca, struct hca_cmd *cmd);

/* srq.c */
enum hca_cmd_status hca_cmd_create_srq(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_destroy_srq(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_srq(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_arm_srq(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_create_xrc_srq(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_destroy_xrc_srq(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_xrc_srq(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_arm_xrc_srq(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_create_rmp(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_modify_rmp(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_destroy_rmp(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_rmp(struct hca *hca, struct hca_cmd *cmd);

/* dct.c */
enum hca_cmd_status hca_cmd_create_dct(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_drain_dct(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_destroy_dct(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_dct(struct hca *hca, struct hca_cmd *cmd);

/* port.c */
enum hca_cmd_status hca_cmd_query_vport(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_modify_vport(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_gid(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_pkey(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_vport_counter(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_lag(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_access_reg(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_adapter(struct hca *hca, struct hca_cmd *cmd);

/* q_counter.c */
enum hca_cmd_status hca_cmd_alloc_q_counter(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_dealloc_q_counter(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_q_counter(struct hca *hca, struct hca_cmd *cmd);

/* mcg.c */
enum hca_cmd_status hca_cmd_attach_mcg(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_detach_mcg(struct hca *hca, struct hca_cmd *cmd);

/* flow_table.c */
enum hca_cmd_status hca_cmd_create_flow_table(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_modify_flow_table(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_destroy_flow_table(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_flow_table(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_set_flow_table_root(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_create_flow_group(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_destroy_flow_group(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_flow_group(struct hca *hca, struct hca_cmd *cmd);

/* flow_entry.c */
enum hca_cmd_status hca_cmd_set_flow_entry(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_delete_flow_entry(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_flow_entry(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_alloc_flow_counter(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_dealloc_flow_counter(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_flow_counter(struct hca *hca, struct hca_cmd *cmd);

/* general.c */
enum hca_cmd_status hca_cmd_create_general(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_modify_general(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_destroy_general(struct hca *hca, struct hca_cmd *cmd);

/* umem.c */
enum hca_cmd_status hca_cmd_create_uctx(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_destroy_uctx(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_create_umem(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_destroy_umem(struct hca *hca, struct hca_cmd *cmd);

/* eth_port.c */
enum hca_cmd_status hca_cmd_query_vport_state(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_nic_vport(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_modify_nic_vport(struct hca *hca, struct hca_cmd *cmd);

/* roce.c */
enum hca_cmd_status hca_cmd_set_roce_address(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_cong_statistics(struct hca *hca, struct hca_cmd *cmd);

/* eth_tis.c */
enum hca_cmd_status hca_cmd_alloc_td(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_dealloc_td(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_create_tis(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_modify_tis(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_destroy_tis(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_tis(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_alloc_packet_reformat(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_dealloc_packet_reformat(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_alloc_modify_header(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_dealloc_modify_header(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_set_pp_rate_limit(struct hca *hca, struct hca_cmd *cmd);

/* eth_tir.c */
enum hca_cmd_status hca_cmd_create_tir(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_modify_tir(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_destroy_tir(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_tir(struct hca *hca, struct hca_cmd *cmd);

/* eth_rqt.c */
enum hca_cmd_status hca_cmd_create_rqt(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_modify_rqt(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_destroy_rqt(struct hca *hca, struct hca_cmd *cmd);

/* eth_queue.c */
enum hca_cmd_status hca_cmd_create_sq(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_modify_sq(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_destroy_sq(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_sq(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_create_rq(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_modify_rq(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_destroy_rq(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_rq(struct hca *hca, struct hca_cmd *cmd);

#endif
