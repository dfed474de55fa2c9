/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The context of queue pairs. Fields by their names in mlx5_ifc.h, as layout.h has the others:
 * three numbers are dword, high bit and low bit, one is an offset in bytes.
 */
#ifndef HCA_QP_H
#define HCA_QP_H

#include "hca/model.h"

#define QPC_STATE	   0, 31, 28
#define QPC_LAG		   0, 27, 24
#define QPC_ST		   0, 23, 16
#define QPC_BLOCK_LB_MC	   1, 30, 30
#define QPC_PD		   1, 23, 0
#define QPC_MTU		   2, 31, 29
#define QPC_LOG_MSG_MAX	   2, 28, 24
#define QPC_LOG_RQ_SIZE	   2, 22, 19
#define QPC_LOG_RQ_STRIDE  2, 18, 16
#define QPC_NO_SQ	   2, 15, 15
#define QPC_LOG_SQ_SIZE	   2, 14, 11
#define QPC_RLKY	   2, 4, 4
#define QPC_COUNTER_SET_ID 3, 31, 24
#define QPC_UAR_PAGE	   3, 23, 0
#define QPC_USER_INDEX	   4, 23, 0
#define QPC_LOG_PAGE_SIZE  5, 28, 24
#define QPC_REMOTE_QPN	   5, 23, 0
/* primary_address_path (ads) */
#define QPC_ADS_FLAGS		  6, 31, 16
#define QPC_FL			  6, 31, 31
#define QPC_PKEY_INDEX		  6, 15, 0
#define QPC_ADS_GRH_MLID_RLID	  7, 31, 0
#define QPC_GRH			  7, 23, 23
#define QPC_RLID		  7, 15, 0
#define QPC_ACK_TIMEOUT		  8, 31, 27
#define QPC_ADS_SOURCE_RATE_HOPS  8, 26, 0
#define QPC_SRC_ADDR_INDEX	  8, 23, 16
#define QPC_HOP_LIMIT		  8, 7, 0
#define QPC_ADS_TCLASS_FLOW_LABEL 9, 31, 0
#define QPC_TCLASS		  9, 27, 20
#define QPC_FLOW_LABEL		  9, 19, 0
#define QPC_RGID_0		  10, 31, 0
#define QPC_RGID_1		  11, 31, 0
#define QPC_RGID_2		  12, 31, 0
#define QPC_RGID_3		  13, 31, 0
#define QPC_ADS_DSCP_UDP_SPORT	  14, 31, 0
#define QPC_DSCP		  14, 21, 16
#define QPC_UDP_SPORT		  14, 15, 0
#define QPC_ADS_SL		  15, 31, 24
#define QPC_ETH_PRIO		  15, 30, 28
#define QPC_SL			  15, 27, 24
#define QPC_VHCA_PORT_NUM	  15, 23, 16
#define QPC_RMAC_47_32		  15, 15, 0
#define QPC_RMAC_31_0		  16, 31, 0
#define QPC_RGID		  0x28u
#define QPC_RMAC		  0x3eu
/* behind the paths */
#define QPC_ACK_31_12			28, 31, 12
#define QPC_LOG_SRA_MAX			28, 23, 21
#define QPC_RETRY_COUNT			28, 18, 16
#define QPC_RNR_RETRY			28, 15, 13
#define QPC_FRE				28, 11, 11
#define QPC_ACK_10_0			28, 10, 0
#define QPC_NEXT_SEND_PSN		30, 23, 0
#define QPC_LOG_NUM_DCI_STREAM_CHANNELS 31, 28, 24
#define QPC_CQN_SND			31, 23, 0
#define QPC_LOG_NUM_DCI_ERRORED_STREAMS 32, 28, 24
#define QPC_DETH_SQPN			32, 23, 0
#define QPC_LOG_RRA_MAX			36, 23, 21
#define QPC_ATOMIC_MODE			36, 19, 16
#define QPC_RRE				36, 15, 15
#define QPC_RWE				36, 14, 14
#define QPC_RAE				36, 13, 13
#define QPC_PAGE_OFFSET			36, 11, 6
#define QPC_MIN_RNR_NAK			37, 28, 24
#define QPC_NEXT_RCV_PSN		37, 23, 0
#define QPC_XRCD			38, 23, 0
#define QPC_CQN_RCV			39, 23, 0
#define QPC_DBR_ADDR			0xa0u
#define QPC_Q_KEY			42, 31, 0
#define QPC_RQ_TYPE			43, 26, 24
#define QPC_SRQN			43, 23, 0
#define QPC_HW_SQ_WQEBB_COUNTER		45, 31, 16
#define QPC_SW_SQ_WQEBB_COUNTER		45, 15, 0
#define QPC_HW_RQ_COUNTER		46, 31, 0
#define QPC_DBR_UMEM_VALID		52, 28, 28
#define QPC_DBR_UMEM_ID			57, 31, 0

/* create_qp_in; *2*_qp_in, with qpc_ext: opt_param_mask_95_32 and qpc_data_ext. */
#define QP_QPC			     0x18u
#define QP_WQ_UMEM_OFFSET	     0x100u
#define QP_WQ_UMEM_ID		     0x108u
#define QP_WQ_UMEM_VALID	     67, 31, 31
#define QP_QPC_EXT		     2, 31, 31
#define QP_OPT_PARAM_MASK	     0x10u
#define QP_OPT_PARAM_MASK_95_32	     0x108u
#define QP_EXT			     0x110u
#define QP_EXT_DCI_STREAM_CHANNEL_ID 0x112u
#define QP_EXT_QOS_REQUESTER	     0x114u
#define QP_EXT_QOS_RESPONDER	     0x118u

/* The QP that @cmd names, if its user context may and it came by CREATE_QP; or NULL. */
struct hca_qp *hca_qp_get(struct hca *hca, const struct hca_cmd *cmd);
/* Fields of struct hca_qp that follow from qpc and may change after CREATE_QP. */
void hca_qp_decode(struct hca_qp *qp);

/* Streams of a DCI (streams.c): @stream may be used again. */
void hca_stream_reset(struct hca_qp *qp, uint16_t stream);

#endif
