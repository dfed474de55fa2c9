/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files of the control plane: commands, registers and capabilities. */
#ifndef HCA_CMD_H
#define HCA_CMD_H

#include "hca/model.h"

/* First input byte after the generic header and the fixed part: contexts and page lists. */
#define HCA_CMD_CONTEXT 0x10u
#define HCA_CMD_PAGES	0x110u

#define HCA_QPN_FIRST 0x40u

/*
 * hca_cmd_run() - execute the command in slot @slot of the queue at @queue, deliver its output and
 * its event. What goes wrong is reported to the driver as delivery status; a slot that the driver
 * does not own is left alone (a doorbell too many).
 */
void hca_cmd_run(struct hca *hca, uint64_t queue, unsigned int slot);

/* A failed check: sets the syndrome and returns @status. Syndromes are of our own making. */
static inline enum hca_cmd_status hca_cmd_fail(struct hca_cmd *cmd, enum hca_cmd_status status,
					       uint32_t syndrome)
{
	cmd->syndrome = syndrome;
	return status;
}

/* Number in dw2[23:0], where most commands have it. */
static inline uint32_t hca_cmd_number(const struct hca_cmd *cmd)
{
	return field_get(cmd->in, 2, 23, 0);
}

/* Objects without state of their own (UAR, PD, XRCD) are this in their tables. */
extern char hca_object_plain;

/* mmio.c: BAR0, on the transport's thread. */
extern const struct pcie_function_ops hca_function_ops;
/* An 8-byte doorbell in a UAR page, as hca_poll() hands it out. */
#define HCA_UAR_CQ_ARM 0x20u
#define HCA_UAR_SQ     0x800u

/* caps.c: back to what a device has after reset. */
void hca_caps_reset(struct hca *hca);
/* port.c: back to the port's state after reset. */
void hca_port_reset(struct hca *hca);

enum hca_cmd_status hca_cmd_query_hca_cap(struct hca *hca, struct hca_cmd *cmd); /* caps.c */
enum hca_cmd_status hca_cmd_set_hca_cap(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_vport(struct hca *hca, struct hca_cmd *cmd); /* port.c */
enum hca_cmd_status hca_cmd_modify_vport(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_gid(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_pkey(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_vport_counter(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_lag(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_access_reg(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_adapter(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_enable_hca(struct hca *hca, struct hca_cmd *cmd); /* simple.c */
enum hca_cmd_status hca_cmd_teardown_hca(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_nothing(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_pages(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_special(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_issi(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_set_issi(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_alloc_uar(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_dealloc_uar(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_alloc_pd(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_dealloc_pd(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_alloc_xrcd(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_dealloc_xrcd(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_alloc_memic(struct hca *hca, struct hca_cmd *cmd); /* memic.c */
enum hca_cmd_status hca_cmd_dealloc_memic(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_create_flow_table(struct hca *hca,
					      struct hca_cmd *cmd); /* flow_table.c */
enum hca_cmd_status hca_cmd_modify_flow_table(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_destroy_flow_table(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_flow_table(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_set_flow_table_root(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_create_flow_group(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_destroy_flow_group(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_flow_group(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_set_flow_entry(struct hca *hca, struct hca_cmd *cmd); /* flow_entry.c */
enum hca_cmd_status hca_cmd_delete_flow_entry(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_flow_entry(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_alloc_flow_counter(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_dealloc_flow_counter(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_flow_counter(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_create_general(struct hca *hca, struct hca_cmd *cmd); /* general.c */
enum hca_cmd_status hca_cmd_destroy_general(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_create_uctx(struct hca *hca, struct hca_cmd *cmd); /* umem.c */
enum hca_cmd_status hca_cmd_destroy_uctx(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_create_umem(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_destroy_umem(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_create_dct(struct hca *hca, struct hca_cmd *cmd); /* dct.c */
enum hca_cmd_status hca_cmd_destroy_dct(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_drain_dct(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_dct(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_create_qp(struct hca *hca, struct hca_cmd *cmd); /* qp.c */
enum hca_cmd_status hca_cmd_destroy_qp(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_query_qp(struct hca *hca, struct hca_cmd *cmd);
enum hca_cmd_status hca_cmd_modify_qp(struct hca *hca, struct hca_cmd *cmd);

#endif
