/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Places of fields of Ethernet structures, as in hca/layout.h: dword, high bit, low bit, or the
 * byte where it begins. Names are those of mlx5_ifc.h.
 */
#ifndef HCA_ETH_LAYOUT_H
#define HCA_ETH_LAYOUT_H

#include "hca/layout.h"

/* modify_{tis,tir,rqt,sq,rq}_in: the second word of the bitmask. */
#define MODIFY_BITMASK 0x14u

/* tisc */
#define TIS_STRICT_LAG 0, 31, 31
#define TIS_LAG	       0, 27, 24
#define TIS_PRIO       0, 19, 16
#define TIS_TD	       9, 23, 0

/* tirc */
#define TIR_DISP_TYPE	 1, 31, 28
#define TIR_TLS_EN	 1, 27, 27
#define TIR_PACKET_MERGE 4, 11, 8
#define TIR_INLINE_RQN	 7, 23, 0
#define TIR_SYMMETRIC	 8, 31, 31
#define TIR_INDIRECT	 8, 23, 0
#define TIR_HASH_FN	 9, 31, 28
#define TIR_SELF_LB	 9, 25, 24
#define TIR_TD		 9, 23, 0

/* rqtc */
#define RQT_MAX_SIZE	5, 15, 0
#define RQT_VHCA_FORMAT 6, 31, 31
#define RQT_ACTUAL_SIZE 6, 15, 0

/* sqc and rqc, where they agree; then those of one */
#define QUEUE_STATE	 0, 23, 20
#define QUEUE_HAIRPIN	 0, 17, 17
#define QUEUE_USER_INDEX 1, 23, 0
#define QUEUE_CQN	 2, 23, 0
#define SQ_RATE		 7, 15, 0
#define SQ_TIS_LIST_SIZE 8, 31, 16
#define SQ_TIS		 11, 23, 0
#define RQ_VSD		 0, 28, 28
#define RQ_MEM_TYPE	 0, 27, 24
#define RQ_COUNTER_SET	 3, 31, 24
/* modify_{sq,rq}_in: the state that it is in */
#define MODIFY_STATE 2, 31, 28

/* wq */
#define WQ_TYPE	       0, 31, 28
#define WQ_PAGE_OFFSET 1, 20, 16
#define WQ_LWM	       1, 15, 0
#define WQ_PD	       2, 23, 0
#define WQ_UAR	       3, 23, 0
#define WQ_DBR_ADDR    0x10u
#define WQ_HW_COUNTER  0x18u
#define WQ_SW_COUNTER  0x1cu
#define WQ_LOG_STRIDE  8, 19, 16
#define WQ_LOG_PAGE    8, 12, 8
#define WQ_LOG_SIZE    8, 4, 0
#define WQ_DBR_UMEM    9, 31, 31
#define WQ_UMEM	       9, 30, 30
#define WQ_DBR_UMEM_ID 0x28u
#define WQ_UMEM_NUMBER 0x2cu
#define WQ_UMEM_BYTE   0x30u

/* xrc_srqc, what srqc does not have; create_xrc_srq_in; rmpc */
#define XRC_SRQC_CYCLIC		 1, 27, 27
#define XRC_SRQC_DBR_UMEM	 2, 24, 24
#define XRC_SRQC_INDEX_IS_NUMBER 4, 31, 31
#define XRC_SRQC_USER_INDEX	 4, 23, 0
#define XRC_SRQ_UMEM		 23, 31, 31
#define RMPC_STATE		 0, 23, 20
#define RMPC_CYCLIC		 1, 31, 31

/* nic_vport_context, query_vport_state_out, modify_nic_vport_context_in */
#define NIC_VPORT_MC_LB_OFF   0, 2, 2
#define NIC_VPORT_UC_LB_OFF   0, 1, 1
#define NIC_VPORT_ROCE_EN     0, 0, 0
#define NIC_VPORT_MTU	      9, 15, 0
#define NIC_VPORT_MAC	      0xf6u /* the last six bytes of permanent_address */
#define NIC_VPORT_SELECT      0x0cu
#define NIC_VPORT_OTHER	      2, 31, 31
#define NIC_VPORT_ADMIN_STATE 3, 7, 4
#define NIC_VPORT_STATE	      3, 3, 0

/* set_roce_address_in, roce_addr_layout */
#define ROCE_INDEX   2, 31, 16
#define ROCE_TAGGED  4, 28, 28
#define ROCE_VLAN    4, 27, 16
#define ROCE_VERSION 6, 7, 0

/* query_cong_statistics_in, query_cong_statistics_out: counters of 64 bits */
#define CONGESTION_CLEAR       2, 31, 31
#define CONGESTION_CNP_IGNORED 0x18u
#define CONGESTION_CNP_HANDLED 0x20u
#define CONGESTION_TIME_STAMP  0x48u
#define CONGESTION_MARKED      0x54u
#define CONGESTION_CNP_SENT    0x5cu

/* Registers: ptys_reg, pmtu_reg, paos_reg, ppcnt_reg */
#define ETH_PTYS_PROTO	0, 2, 0
#define ETH_PMTU_MAX	1, 31, 16
#define ETH_PMTU_ADMIN	2, 31, 16
#define ETH_PMTU_OPER	3, 31, 16
#define ETH_PAOS_ADMIN	0, 11, 8
#define ETH_PAOS_OPER	0, 3, 0
#define ETH_PPCNT_GROUP 0, 5, 0
#define ETH_PPCNT_PRIO	1, 4, 0
#define ETH_REG_PORT	0, 23, 16
/* query_vport_counter_out, from byte 0x10 on: packets and octets of each */
#define ETH_VPORT_RX_ERRORS 0x00u
#define ETH_VPORT_TX_ERRORS 0x10u
#define ETH_VPORT_CASTS	    0x60u /* received and sent: broadcast, unicast, multicast */

/* fte_match_set_lyr_2_4 */
#define KEY_ETHERTYPE 0x06u
#define KEY_TCI	      0x0eu
#define KEY_PROTOCOL  4, 31, 24
#define KEY_TOS	      4, 23, 16
#define KEY_CTAG      4, 15, 15
#define KEY_STAG      4, 14, 14
#define KEY_FRAGMENT  4, 13, 13
#define KEY_VERSION   4, 12, 9
#define KEY_TCP_FLAGS 4, 8, 0
#define KEY_L4_TYPE   6, 31, 30
#define KEY_IHL	      6, 15, 12
#define KEY_TTL	      6, 7, 0
/* fte_match_set_misc */
#define KEY_GRE_C	   0, 31, 31
#define KEY_GRE_K	   0, 29, 29
#define KEY_GRE_S	   0, 28, 28
#define KEY_GRE_PROTOCOL   0x0eu
#define KEY_GRE_KEY	   0x10u
#define KEY_VXLAN_VNI	   0x14u
#define KEY_GENEVE_VNI	   0x18u
#define KEY_GENEVE_OAM	   6, 0, 0
#define KEY_GENEVE_OPT_LEN 9, 21, 16
#define KEY_GENEVE_TYPE	   0x26u

/* mlx5_wqe_eth_seg. Bytes. */
#define ETH_SEG_CS_FLAGS 0x04u
#define ETH_SEG_MSS	 0x06u
#define ETH_SEG_INLINE	 0x0cu

#endif
