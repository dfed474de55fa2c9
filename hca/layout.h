/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the fields are of what the driver, programs and the device exchange: structures of
 * mlx5_ifc.h, by the names that they have there, and those of WQEs, CQEs and EQEs (device.h, qp.h
 * of the kernel). The contexts of QPs and memory keys are in qp.h and mkc.h.
 *
 * A name with three numbers is a field, dword[high bit:low bit], for field_get() and field_put();
 * one with a single number is an offset in bytes, for be16_at() and the like. Contexts count from
 * their own beginning, all else from the beginning of the command, answer, register or segment.
 */
#ifndef HCA_LAYOUT_H
#define HCA_LAYOUT_H

/* Every command: opcode, user context, op_mod; in answers the syndrome. Bytes. */
#define CMD_OPCODE   0x00u
#define CMD_UID	     0x02u
#define CMD_OP_MOD   0x06u
#define CMD_SYNDROME 0x04u

/* The number of an object, where most commands and answers have it. */
#define CMD_NUMBER 2, 23, 0

/* query_special_contexts_out. */
#define SPECIAL_DUMP_FILL_MKEY	       0x08u
#define SPECIAL_NULL_MKEY	       0x10u
#define SPECIAL_TERMINATE_SCATTER_LIST 0x14u

/* query_issi_out: the last dword of supported_issi; set_issi_in. */
#define ISSI_SUPPORTED 0x6cu
#define ISSI_CURRENT   2, 15, 0

/* cmd_hca_cap, atomic_caps: what does not only stand in the table of caps.c. */
#define CAP_CQE_VERSION			    15, 3, 0
#define CAP_UMR_MODIFY_ENTITY_SIZE_DISABLED 16, 24, 24
#define CAP_PG				    17, 24, 24
#define CAP_MKEY_PCIE_TPH		    21, 24, 24
#define CAP_ATOMIC_REQ_8B_ENDIANNESS_MODE   2, 31, 30

/* eqc; create_eq_out. */
#define EQC_STATUS	     0, 31, 28
#define EQC_EC		     0, 18, 18
#define EQC_OI		     0, 17, 17
#define EQC_ST		     0, 11, 8
#define EQC_PAGE_OFFSET	     2, 11, 6
#define EQC_LOG_EQ_SIZE	     3, 28, 24
#define EQC_UAR_PAGE	     3, 23, 0
#define EQC_INTR	     5, 11, 0
#define EQC_LOG_PAGE_SIZE    6, 28, 24
#define EQC_CONSUMER_COUNTER 10, 23, 0
#define EQC_PRODUCER_COUNTER 11, 23, 0
#define EQ_NUMBER	     2, 7, 0

/* mlx5_eqe and the data of events, from EQE_DATA on. Bytes. */
#define EQE_TYPE		0x01u
#define EQE_SUBTYPE		0x03u
#define EQE_DATA		0x20u
#define EQE_OWNER		0x3fu
#define EQE_CMD_VECTOR		0x00u
#define EQE_COMP_CQN		0x18u
#define EQE_CQ_ERR_CQN		0x00u
#define EQE_CQ_ERR_SYNDROME	0x0bu
#define EQE_QP_SRQ_TYPE		0x14u
#define EQE_QP_SRQ_NUMBER	0x18u
#define EQE_FAULT_R_KEY		0x04u
#define EQE_FAULT_PACKET_LENGTH 0x0au
#define EQE_FAULT_OP_LENGTH	0x0cu
#define EQE_FAULT_VA		0x10u
#define EQE_FAULT_TYPE_TOKEN	0x18u

/* page_fault_resume_in. */
#define RESUME_ERROR	    2, 31, 31
#define RESUME_OF_REQUESTER 2, 24, 24
#define RESUME_TOKEN	    3, 23, 0

/* cqc; create_cq_in, modify_cq_in. */
#define CQC_STATUS		     0, 31, 28
#define CQC_DBR_UMEM_VALID	     0, 25, 25
#define CQC_CQE_SZ		     0, 23, 21
#define CQC_SCQE_BREAK_MODERATION_EN 0, 18, 18
#define CQC_OI			     0, 17, 17
#define CQC_CQ_PERIOD_MODE	     0, 16, 15
#define CQC_ST			     0, 11, 8
#define CQC_DBR_UMEM_ID		     0x04u
#define CQC_PAGE_OFFSET		     2, 11, 6
#define CQC_LOG_CQ_SIZE		     3, 28, 24
#define CQC_UAR_PAGE		     3, 23, 0
#define CQC_CQ_PERIOD		     4, 27, 16
#define CQC_CQ_MAX_COUNT	     4, 15, 0
#define CQC_C_EQN		     5, 7, 0
#define CQC_LOG_PAGE_SIZE	     6, 28, 24
#define CQC_LAST_NOTIFIED_INDEX	     8, 23, 0
#define CQC_LAST_SOLICIT_INDEX	     9, 23, 0
#define CQC_CONSUMER_COUNTER	     10, 23, 0
#define CQC_PRODUCER_COUNTER	     11, 23, 0
#define CQC_DBR_ADDR		     0x38u
#define CQ_UMEM_OFFSET		     0x50u
#define CQ_UMEM_ID		     0x58u
#define CQ_UMEM_VALID		     23, 31, 31
#define CQ_FIELD_SELECT		     0x0cu

/* mlx5_cqe64. Bytes. */
#define CQE_RSS_HASH	    0x0cu
#define CQE_RSS_HASH_TYPE   0x10u
#define CQE_ML_PATH	    0x11u
#define CQE_CHECK_SUM	    0x14u
#define CQE_SLID	    0x16u
#define CQE_FLAGS_RQPN	    0x18u
#define CQE_HDS_IP_EXT	    0x1cu
#define CQE_L4_L3_HDR_TYPE  0x1du
#define CQE_VLAN_INFO	    0x1eu
#define CQE_SRQN	    0x20u
#define CQE_IMMEDIATE	    0x24u
#define CQE_BYTE_CNT	    0x2cu
#define CQE_TIMESTAMP	    0x30u
#define CQE_VENDOR_SYNDROME 0x36u
#define CQE_SYNDROME	    0x37u
#define CQE_SEND_OPCODE_QPN 0x38u
#define CQE_WQE_COUNTER	    0x3cu
#define CQE_OP_OWN	    0x3fu

/* Doorbell records: of QPs, whose receive half SRQs have, too; of CQs. Bytes. */
#define RECORD_RECEIVE 0x00u
#define RECORD_SEND    0x04u
#define RECORD_COUNTER 0x00u /* of a half */
#define RECORD_CQ_CI   0x00u
#define RECORD_CQ_ARM  0x04u

/* srqc; arm_rq_in; mlx5_wqe_srq_next_seg. */
#define SRQC_SIZE	   64u
#define SRQC_STATE	   0, 31, 28
#define SRQC_LOG_SRQ_SIZE  0, 27, 24
#define SRQC_LOG_RQ_STRIDE 1, 26, 24
#define SRQC_XRCD	   1, 23, 0
#define SRQC_PAGE_OFFSET   2, 31, 26
#define SRQC_CQN	   2, 23, 0
#define SRQC_LOG_PAGE_SIZE 4, 29, 24
#define SRQC_PD		   6, 23, 0
#define SRQC_LWM	   7, 31, 16
#define SRQC_WQE_CNT	   7, 15, 0
#define SRQC_DBR_ADDR	   0x28u
#define ARM_RQ_LWM	   3, 15, 0
#define SRQ_NEXT_WQE_INDEX 0x02u

/* dctc. */
#define DCTC_STATE		   0, 27, 24
#define DCTC_USER_INDEX		   1, 23, 0
#define DCTC_CQN		   2, 23, 0
#define DCTC_COUNTER_SET_ID	   3, 31, 24
#define DCTC_ATOMIC_MODE	   3, 23, 20
#define DCTC_RRE		   3, 19, 19
#define DCTC_RWE		   3, 18, 18
#define DCTC_RAE		   3, 17, 17
#define DCTC_MIN_RNR_NAK	   4, 12, 8
#define DCTC_SRQN		   5, 23, 0
#define DCTC_PD			   6, 23, 0
#define DCTC_ACCESS_KEY		   0x20u
#define DCTC_ACCESS_KEY_VIOLATIONS 0x30u

/* create_mkey_in, query_mkey_out (mkc itself: mkc.h). */
#define MKEY_PG_ACCESS	 3, 31, 31
#define MKEY_UMEM_VALID	 3, 30, 30
#define MKEY_OCTWORDS	 0x60u
#define MKEY_UMEM_ID	 0x64u
#define MKEY_UMEM_OFFSET 0x68u

/* klm, and the head and the entries of a strided list; mtt. Bytes of an octword. */
#define KLM_BYTE_COUNT	     0x00u
#define KLM_MKEY	     0x04u
#define KLM_ADDRESS	     0x08u
#define STRIDED_BLOCK_BYTES  0x00u
#define STRIDED_REPEAT_COUNT 0x08u
#define STRIDED_NUM_ENTRIES  0x0eu
#define STRIDED_STRIDE	     0x00u
#define STRIDED_BYTE_COUNT   0x02u

/* mlx5_wqe_umr_ctrl_seg. Bytes. */
#define UMR_FLAGS	     0x00u
#define UMR_XLT_OCTWORDS     0x04u
#define UMR_XLT_OFFSET_15_0  0x06u
#define UMR_MKEY_MASK	     0x08u
#define UMR_XLT_OFFSET_47_16 0x10u

/* Segments of send WQEs: control, remote address, atomic, address vector, XRC, data. Bytes. */
#define CTRL_OP_MOD	0x00u
#define CTRL_OPCODE	0x03u
#define CTRL_DS		0x07u
#define CTRL_STREAM	0x09u
#define CTRL_FM_CE_SE	0x0bu
#define CTRL_IMM	0x0cu
#define RADDR_VA	0x00u
#define RADDR_R_KEY	0x08u
#define ATOMIC_SWAP_ADD 0x00u
#define ATOMIC_COMPARE	0x08u
#define AV_Q_KEY	0x00u
#define AV_DC_KEY	0x00u
#define AV_QPN		0x08u
#define AV_STAT_RATE_SL 0x0cu
#define AV_DLID		0x0eu
#define AV_TCLASS	0x1au
#define AV_HOP_LIMIT	0x1bu
#define AV_RMAC		0x14u
#define AV_GRH_FLOW	0x1cu
#define AV_DGID		0x20u
#define XRC_SRQN	0x00u
#define DATA_BYTE_COUNT 0x00u
#define DATA_LKEY	0x04u
#define DATA_ADDR	0x08u

/* op_mod of a WQE that copies. */
#define MMO_DMA 0x01u

/* alloc_memic_in, dealloc_memic_in, their answers. */
#define MEMIC_LOG_ALIGNMENT 3, 7, 0
#define MEMIC_RANGE_START   0x10u
#define MEMIC_RANGE_SIZE    0x18u
#define MEMIC_SIZE	    0x1cu
#define MEMIC_START	    0x08u
#define MEMIC_DEALLOC_START 0x10u
#define MEMIC_DEALLOC_SIZE  0x18u
/* modify_memic_in, modify_memic_out. */
#define MEMIC_OPERATION_TYPE 3, 7, 0
#define MEMIC_MODIFY_START   0x10u
#define MEMIC_OPERATION_ADDR 0x10u

/* create_umem_in, destroy_uctx_in. */
#define UMEM_LOG_PAGE_SIZE 8, 4, 0
#define UMEM_PAGE_OFFSET   0x24u
#define UMEM_NUM_OF_MTT	   0x28u
#define UCTX_UID	   2, 15, 0
#define UCTX_CAP	   0x10u

/* general_obj_in_cmd_hdr. */
#define OBJ_ID	      0x08u
#define OBJ_LOG_RANGE 3, 28, 24

/* alloc_packet_reformat_context_in, alloc_modify_header_context_in, their answers; set_action_in.
 */
#define FLOW_HEADER_ID		 0x08u
#define REFORMAT_TYPE		 0x1cu
#define REFORMAT_DATA_SIZE	 7, 9, 0
#define REFORMAT_DATA		 0x22u
#define MODIFY_HEADER_TABLE_TYPE 0x0cu
#define MODIFY_HEADER_COUNT	 3, 7, 0
#define MODIFY_HEADER_ACTIONS	 0x10u
#define SET_ACTION		 0x00u
#define SET_TYPE		 0, 31, 28
#define SET_FIELD		 0, 27, 16
#define SET_OFFSET		 0, 12, 8
#define SET_LENGTH		 0, 4, 0
#define SET_DATA		 0x04u

/* create_sched_elem_in. */
#define SCHED_FIELD_SELECT   0x10u
#define SCHED_HIERARCHY	     6, 31, 24
#define SCHED_ELEMENT_TYPE   12, 31, 24
#define SCHED_TSAR_TYPE	     13, 23, 16
#define SCHED_PARENT	     0x38u
#define SCHED_BW_SHARE	     0x44u
#define SCHED_MAX_AVERAGE_BW 0x48u
#define SCHED_LEN	     0x90u

/* set_pp_rate_limit_in. */
#define PP_INDEX 2, 15, 0
#define PP_RATE	 0x10u

/* create_rdma_ctrl_in. */
#define RDMA_CTRL_VHCA 7, 15, 0
#define RDMA_CTRL_LEN  0x20u

/* create_av_qp_mapping_in. */
#define AV_MAPPING_QPN 0x1cu
#define AV_MAPPING_LEN 0x50u

/* Commands of flow tables: vport, type and number of the table. flow_table_context. */
#define FLOW_VPORT	  0x08u
#define FLOW_TABLE_TYPE	  0x10u
#define FLOW_TABLE_ID	  5, 23, 0
#define FLOW_FIELD_SELECT 0x0eu
#define FLOW_UNDERLAY_QPN 6, 23, 0
#define FT_FLAGS	  0x00u
#define FT_MISS_ACTION	  0, 27, 24
#define FT_LEVEL	  0, 23, 16
#define FT_LOG_SIZE	  0, 7, 0
#define FT_MISS_ID	  1, 23, 0

/* create_flow_group_in, destroy_flow_group_in, query_flow_group_out. */
#define GROUP_TYPE	    4, 19, 16
#define GROUP_ID	    0x18u
#define GROUP_START_INDEX   0x1cu
#define GROUP_END_INDEX	    0x24u
#define GROUP_MATCH_DEFINER 0x2au
#define GROUP_MATCH_ENABLE  0x3fu

/* set_fte_in, flow_context, dest_format_struct and flow_counter_list. */
#define FTE_IGNORE_FLOW_LEVEL	  6, 31, 31
#define FTE_MODIFY_ENABLE_MASK	  6, 7, 0
#define FTE_FLOW_INDEX		  0x20u
#define FLOW_GROUP_ID		  0x04u
#define FLOW_TAG		  2, 23, 0
#define FLOW_ACTION		  3, 15, 0
#define FLOW_EXTENDED_DESTINATION 4, 31, 31
#define FLOW_DESTINATIONS	  4, 23, 0
#define FLOW_COUNTERS		  5, 23, 0
#define FLOW_REFORMAT_ID	  0x18u
#define FLOW_MODIFY_HEADER_ID	  0x1cu
#define DEST_TYPE		  0x00u
#define DEST_ID			  0, 23, 0
#define COUNTER_ID		  0x00u

/* alloc_flow_counter_in, query_flow_counter_in and the answers; traffic_counter. */
#define FLOW_COUNTER_BULKS	0x0cu /* both of them */
#define FLOW_COUNTER_BULK_LOG	3, 12, 8
#define FLOW_COUNTER_BULK	3, 7, 0
#define FLOW_COUNTER_ID		0x08u
#define FLOW_COUNTER_QUERIED_ID 0x1cu
#define FLOW_COUNTER_CLEAR	6, 31, 31
#define FLOW_COUNTER_COUNT	6, 15, 0
#define FLOW_COUNTER_FIRST	0x10u /* where they begin */
#define FLOW_COUNTER_PACKETS	0x00u
#define FLOW_COUNTER_OCTETS	0x08u

/* alloc_q_counter_out, dealloc_q_counter_in, query_q_counter_in. */
#define Q_COUNTER_SET_ID	 2, 7, 0
#define Q_COUNTER_OTHER_VPORT	 2, 31, 31
#define Q_COUNTER_CLEAR		 6, 31, 31
#define Q_COUNTER_AGGREGATE	 6, 30, 30
#define Q_COUNTER_QUERIED_SET_ID 7, 7, 0

/* hca_vport_context; tables of the port; query_vport_counter_out with its pairs of counters. */
#define VPORT_HAS_SMI		  8, 30, 30
#define VPORT_PORT_PHYSICAL_STATE 8, 15, 12
#define VPORT_PORT_STATE	  8, 7, 4
#define VPORT_STATE		  8, 3, 0
#define VPORT_SYSTEM_IMAGE_GUID	  0x28u
#define VPORT_PORT_GUID		  0x30u
#define VPORT_NODE_GUID		  0x38u
#define VPORT_CAP_MASK		  0x40u
#define VPORT_CAP_SELECT	  0x44u
#define VPORT_LID		  24, 31, 16
#define VPORT_LMC		  24, 7, 5
#define VPORT_SUBNET_TIMEOUT	  24, 4, 0
#define VPORT_Q_KEY_VIOLATIONS	  26, 31, 16
#define VPORT_P_KEY_VIOLATIONS	  26, 15, 0
#define VPORT_SM_LID		  25, 31, 16
#define VPORT_SM_SL		  25, 15, 12
#define PORT_TABLE_INDEX	  3, 15, 0
#define GIDS_NUM		  3, 31, 16
#define GID_PREFIX		  0x00u
#define GID_GUID		  0x08u
#define VPORT_RECEIVED_ERRORS	  0x10u
#define VPORT_RECEIVED		  0x30u
#define COUNTER_PACKETS		  0x00u
#define COUNTER_OCTETS		  0x08u

/* access_register_in; registers. mad_ifc_in, query_adapter_out. */
#define ACCESS_REG_ID	       2, 15, 0
#define REG_LOCAL_PORT	       0, 23, 16
#define PTYS_PROTO_MASK	       0, 2, 0
#define PTYS_IB_CAPABILITY     0x10u
#define PTYS_IB_ADMIN	       0x1cu
#define PTYS_IB_OPER	       0x28u
#define PMTU_MAX	       1, 31, 16
#define PMTU_ADMIN	       2, 31, 16
#define PMTU_OPER	       3, 31, 16
#define PVLC_VL_HW_CAP	       1, 3, 0
#define PVLC_VL_ADMIN	       2, 3, 0
#define PVLC_VL_OPERATIONAL    3, 3, 0
#define PAOS_ADMIN_STATUS      0, 11, 8
#define PAOS_OPER_STATUS       0, 3, 0
#define MNVDA_ACCESS_MODE      0, 23, 22
#define MNVDA_LENGTH	       0, 8, 0
#define MNVDA_TYPE	       0x04u
#define MAD_IFC_PORT	       2, 7, 0
#define ADAPTER_IEEE_VENDOR_ID 6, 23, 0
#define ADAPTER_PSID	       0xf0u

#endif
