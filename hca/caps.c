/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Capabilities. Positions are those of mlx5_ifc.h: cmd_hca_cap, atomic_caps. A block that is not
 * in the table is all zero: the driver then leaves the feature alone.
 */
#include "hca/opcodes.h"
#include "hca/eth.h"
#include "hca/flow_table.h"
#include "hca/general.h"
#include "hca/layout.h"
#include "hca/memic.h"
#include "hca/q_counter.h"
#include "hca/qos.h"
#include "hca/wqe.h"
#include "packet/packet.h"

#define CAP_TYPES 64u
#define CAP_SIZE  4096u

#define CAP_GENERAL	  0u
#define CAP_ETHERNET	  1u
#define CAP_ROCE	  4u
#define CAP_ODP		  2u
#define CAP_ATOMIC	  3u
#define CAP_FLOW_TABLE	  7u
#define CAP_QOS		  12u
#define CAP_DEVICE_MEMORY 15u
#define CAP_VIRTIO	  19u
#define CAP_GENERAL_2	  32u
#define CAP_ADV_RDMA	  40u

/* Dwords of flow_table_nic_cap where the properties of a kind of table begin. */
#define FLOW_NIC_RX  16u
#define FLOW_RDMA_RX 32u
#define FLOW_NIC_TX  64u
#define FLOW_RDMA_TX 80u

/* Of adv_rdma_cap those of the RDMA transport. */
#define FLOW_TRANSPORT_RX 16u
#define FLOW_TRANSPORT_TX 32u

/* flow_modify_en, modify_root, identified_miss_table_mode, flow_table_modify: dw0 [28:25] */
#define FLOW_CHAINING 0xfu

#define OP_MOD_CURRENT 1u

struct cap {
	uint8_t type, dw, hi, lo;
	uint32_t value;
};

static const struct cap defaults[] = {
	{ CAP_GENERAL, 0, 25, 25, 1 }, /* page_request_disable: the device needs no memory */
	{ CAP_GENERAL, 1, 31, 31, 1 }, /* hca_cap_2 */
	{ CAP_GENERAL, 3, 20, 16, HCA_COPY_LOG_MAX }, /* log_dma_mmo_max_size */
	{ CAP_GENERAL, 4, 31, 24, 15 },		      /* log_max_srq_sz */
	{ CAP_GENERAL, 4, 23, 16, 15 },		      /* log_max_qp_sz */
	{ CAP_GENERAL, 4, 4, 0, 18 },		      /* log_max_qp */
	{ CAP_GENERAL, 5, 20, 16, 16 },		      /* log_max_srq */
	{ CAP_GENERAL, 6, 23, 16, 22 },		      /* log_max_cq_sz */
	{ CAP_GENERAL, 6, 15, 15, 1 },		      /* relaxed_ordering_write_umr */
	{ CAP_GENERAL, 6, 14, 14, 1 },		      /* relaxed_ordering_read_umr */
	{ CAP_GENERAL, 6, 4, 0, 16 },		      /* log_max_cq */
	{ CAP_GENERAL, 7, 31, 24, 22 },		      /* log_max_eq_sz */
	{ CAP_GENERAL, 7, 23, 23, 1 },		      /* relaxed_ordering_write */
	{ CAP_GENERAL, 7, 21, 16, 24 },		      /* log_max_mkey */
	{ CAP_GENERAL, 7, 7, 7, 1 },		      /* dump_fill_mkey */
	{ CAP_GENERAL, 7, 3, 0, 8 },		      /* log_max_eq */
	{ CAP_GENERAL, 8, 31, 24, 4 },		      /* max_indirection */
	{ CAP_GENERAL, 8, 23, 23, 1 },		      /* fixed_buffer_size */
	{ CAP_GENERAL, 8, 22, 16, 40 },		      /* log_max_mrw_sz */
	{ CAP_GENERAL, 8, 7, 7, 1 },		      /* umr_extended_translation_offset */
	{ CAP_GENERAL, 8, 6, 6, 1 },		      /* null_mkey */
	{ CAP_GENERAL, 8, 5, 0, 20 },		      /* log_max_klm_list_size */
	{ CAP_GENERAL, 9, 29, 29, 1 },		      /* qpc_extension */
	{ CAP_GENERAL, 9, 21, 16, 4 },		      /* log_max_ra_req_dc */
	{ CAP_GENERAL, 9, 5, 0, 4 },		      /* log_max_ra_res_dc */
	{ CAP_GENERAL, 10, 12, 12, 1 },		      /* dma_mmo_sq: copies by RC and DCI */
	{ CAP_GENERAL, 10, 21, 16, 4 },		      /* log_max_ra_req_qp */
	{ CAP_GENERAL, 10, 5, 0, 4 },		      /* log_max_ra_res_qp */
	{ CAP_GENERAL, 11, 22, 22, 1 },		      /* rts2rts_qp_counters_set_id */
	{ CAP_GENERAL, 12, 31, 31, 1 },		      /* out_of_seq_cnt */
	{ CAP_GENERAL, 12, 30, 30, 1 },		      /* vport_counters */
	{ CAP_GENERAL, 12, 29, 29, 1 },		      /* retransmission_q_counters */
	{ CAP_GENERAL, 12, 25, 16, HCA_Q_COUNTERS },  /* max_qp_cnt */
	{ CAP_GENERAL, 13, 29, 29, 1 },		 /* ib_virt: HCA vport commands instead of MADs */
	{ CAP_GENERAL, 13, 25, 25, 1 },		 /* nic_flow_table */
	{ CAP_GENERAL, 13, 23, 23, 1 },		 /* device_memory */
	{ CAP_GENERAL, 13, 20, 16, 15 },	 /* local_ca_ack_delay */
	{ CAP_GENERAL, 13, 14, 14, 1 },		 /* enhanced_error_q_counters */
	{ CAP_GENERAL, 13, 7, 0, 1 },		 /* num_ports */
	{ CAP_GENERAL, 14, 28, 24, 30 },	 /* log_max_msg */
	{ CAP_GENERAL, 16, 5, 5, 1 },		 /* dct */
	{ CAP_GENERAL, 16, 1, 1, 1 },		 /* atomic */
	{ CAP_GENERAL, 17, 30, 30, 1 },		 /* cq_resize */
	{ CAP_GENERAL, 17, 29, 29, 1 },		 /* cq_moderation */
	{ CAP_GENERAL, 17, 24, 24, 1 },		 /* pg */
	{ CAP_GENERAL, 17, 23, 23, 1 },		 /* block_lb_mc */
	{ CAP_GENERAL, 17, 14, 14, 1 },		 /* imaicl: memory windows and local invalidate */
	{ CAP_GENERAL, 17, 3, 0, 0xf },		 /* xrc, ud, uc, rc */
	{ CAP_GENERAL, 18, 7, 0, 12 },		 /* log_pg_sz */
	{ CAP_GENERAL, 19, 20, 16, 9 },		 /* log_bf_reg_size: spacing of doorbells */
	{ CAP_GENERAL, 20, 15, 0, 1024 },	 /* max_wqe_sz_sq */
	{ CAP_GENERAL, 21, 15, 0, 512 },	 /* max_wqe_sz_rq */
	{ CAP_GENERAL, 22, 15, 0, 1024 },	 /* max_wqe_sz_sq_dc */
	{ CAP_GENERAL, 23, 24, 0, HCA_MCG_MAX }, /* max_qp_mcg */
	{ CAP_GENERAL, 24, 7, 0, HCA_MCG_LOG },	 /* log_max_mcg */
	/*
	 * dp_ordering_ooo_all_*, and dp_ordering_force of the second block: QPs may be told that
	 * data need not arrive in order. Here it does all the same, which they have to accept.
	 */
	{ CAP_GENERAL, 25, 15, 11, 0x1f },
	{ CAP_GENERAL, 25, 20, 16, 16 }, /* log_max_pd */
	{ CAP_GENERAL, 25, 4, 0, 16 },	 /* log_max_xrcd */
	/*
	 * general_obj_types, low half: virtio queues. There are none (max_num_virtio_queues is 0,
	 * as are the modes that the driver of vDPA looks for), but pages for their doorbells.
	 */
	{ CAP_GENERAL, 33, HCA_OBJECT_VIRTIO_NET_Q, HCA_OBJECT_VIRTIO_NET_Q, 1 },
	{ CAP_VIRTIO, 1, 12, 8, 12 },		    /* log_doorbell_stride: a page */
	{ CAP_VIRTIO, 1, 4, 0, HCA_VAR_LOG_PAGES }, /* log_doorbell_bar_size */
	{ CAP_VIRTIO, 3, 31, 0, HCA_VAR_OFFSET },   /* doorbell_bar_offset, low half */
	/* general_obj_types, high half */
	{ CAP_GENERAL, 32, HCA_OBJECT_RESERVED_QPN - 32, HCA_OBJECT_RESERVED_QPN - 32, 1 },
	{ CAP_GENERAL, 32, HCA_OBJECT_AV_QP_MAPPING - 32, HCA_OBJECT_AV_QP_MAPPING - 32, 1 },
	{ CAP_GENERAL, 35, 28, 24, 16 },     /* log_max_uctx */
	{ CAP_GENERAL, 35, 20, 16, 18 },     /* log_max_umem */
	{ CAP_GENERAL, 39, 31, 0, 1000000 }, /* device_frequency_khz: clocks count nanoseconds */
	/* transport_page_fault_scheme_cap; srq_receive, atomic, read, write, receive, send */
	{ CAP_GENERAL, 44, 20, 16, 6 }, /* log_max_dci_stream_channels */
	{ CAP_GENERAL, 44, 12, 8, 4 },	/* log_max_dci_errored_streams */
	{ CAP_GENERAL, 45, 2, 2, 1 },	/* cqe_128_always: padding */
	/*
	 * cqe_compression, _128, mini_cqe_resp_stride_index: a CQ may be told to have several CQEs
	 * in one, up to cqe_compression_max_num. Here it has each by itself all the same, which
	 * who reads it has to understand.
	 */
	{ CAP_GENERAL, 45, 1, 0, 3 },
	{ CAP_GENERAL, 45, 3, 3, 1 },
	{ CAP_GENERAL, 46, 15, 0, 64 },
	{ CAP_GENERAL_2, 4, 12, 8, HCA_RESERVED_QPN_LOG }, /* log_reserved_qpn_granularity */
	{ CAP_GENERAL_2, 4, 23, 23, 1 },		   /* dp_ordering_force */
	{ CAP_ODP, 4, 31, 26, 0x3f },			   /* RC */
	{ CAP_ODP, 6, 31, 31, 1 },			   /* UD: send */
	{ CAP_ODP, 7, 31, 26, 0x3f },			   /* XRC */
	{ CAP_ODP, 8, 31, 26, 0x3f },			   /* DC */
	/*
	 * No tables for Ethernet (ft_support 0), but the driver looks here for levels and chaining
	 * of the RDMA tables, too.
	 */
	{ CAP_FLOW_TABLE, FLOW_NIC_RX, 28, 25, FLOW_CHAINING },
	{ CAP_FLOW_TABLE, FLOW_NIC_RX + 1, 7, 0, HCA_FLOW_LEVEL_MAX },
	{ CAP_FLOW_TABLE, FLOW_RDMA_RX, 31, 31, 1 }, /* ft_support */
	{ CAP_FLOW_TABLE, FLOW_RDMA_RX, 29, 29, 1 }, /* flow_counter */
	{ CAP_FLOW_TABLE, FLOW_RDMA_RX, 28, 25, FLOW_CHAINING },
	{ CAP_FLOW_TABLE, FLOW_RDMA_RX, 22, 22, 1 }, /* reset_root_to_default */
	{ CAP_FLOW_TABLE, FLOW_RDMA_RX + 1, 29, 24, HCA_FLOW_LOG_SIZE },
	{ CAP_FLOW_TABLE, FLOW_RDMA_RX + 1, 7, 0, HCA_FLOW_LEVEL_MAX },
	{ CAP_FLOW_TABLE, FLOW_RDMA_RX + 3, 7, 0, HCA_FLOW_LOG_TABLES },
	{ CAP_FLOW_TABLE, FLOW_RDMA_RX + 5, 7, 0, HCA_FLOW_LOG_SIZE }, /* log_max_flow */
	{ CAP_FLOW_TABLE, FLOW_RDMA_TX, 31, 31, 1 },
	{ CAP_FLOW_TABLE, FLOW_RDMA_TX, 29, 29, 1 },
	{ CAP_FLOW_TABLE, FLOW_RDMA_TX, 28, 25, FLOW_CHAINING },
	{ CAP_FLOW_TABLE, FLOW_RDMA_TX, 22, 22, 1 },
	{ CAP_FLOW_TABLE, FLOW_RDMA_TX + 1, 29, 24, HCA_FLOW_LOG_SIZE },
	{ CAP_FLOW_TABLE, FLOW_RDMA_TX + 1, 7, 0, HCA_FLOW_LEVEL_MAX },
	{ CAP_FLOW_TABLE, FLOW_RDMA_TX + 3, 7, 0, HCA_FLOW_LOG_TABLES },
	{ CAP_FLOW_TABLE, FLOW_RDMA_TX + 5, 7, 0, HCA_FLOW_LOG_SIZE },
	{ CAP_DEVICE_MEMORY, 0, 31, 31, 1 }, /* memic */
	{ CAP_DEVICE_MEMORY, 1, 20, 16, 6 }, /* log_min_memic_alloc_size */
	{ CAP_DEVICE_MEMORY, 1, 7, 0, 6 },   /* log_max_memic_addr_alignment: of 64 bytes */
	{ CAP_DEVICE_MEMORY, 3, 31, 0, HCA_MEMIC_OFFSET }, /* memic_bar_start_addr, low half */
	{ CAP_DEVICE_MEMORY, 4, 31, 0, HCA_MEMIC_SIZE },   /* memic_bar_size */
	{ CAP_DEVICE_MEMORY, 5, 31, 0, HCA_MEMIC_MAX },	   /* max_memic_size */
	/* sizes of increments and of tests and sets, a bit for each: 1 byte; memic_operations */
	{ CAP_DEVICE_MEMORY, 1, 31, 24, 1 },
	{ CAP_DEVICE_MEMORY, 1, 15, 8, 1 },
	{ CAP_DEVICE_MEMORY, 16, 31, 0, (1u << HCA_MEMIC_OPS) - 1 },
	{ CAP_ATOMIC, 2, 31, 30, 1 },	   /* atomic_req_8B_endianness_mode: host order */
	{ CAP_ATOMIC, 4, 15, 0, 3 },	   /* compare-swap, fetch-add */
	{ CAP_ATOMIC, 5, 15, 0, 1u << 3 }, /* atomic_size_qp: 8 bytes */
	{ CAP_ATOMIC, 6, 15, 0, 1u << 3 }, /* atomic_size_dc */
};

/* What an InfiniBand port has besides. */
static const struct cap of_infiniband[] = {
	{ CAP_GENERAL, 16, 4, 4, 1 }, /* qos */
	/* general_obj_types, high half */
	{ CAP_GENERAL, 32, HCA_OBJECT_SCHEDULING_ELEMENT - 32, HCA_OBJECT_SCHEDULING_ELEMENT - 32,
	  1 },
	{ CAP_QOS, 0, 23, 21, 7 },    /* nic_sq_scheduling, nic_bw_share, nic_rate_limit */
	{ CAP_QOS, 1, 30, 30, 1 },    /* nic_qp_scheduling */
	{ CAP_QOS, 8, 31, 16, 0x11 }, /* nic_element_type: TSARs and queue groups */
	{ CAP_QOS, 8, 15, 0, 1 },     /* nic_tsar_type: DWRR */
};

/* What an Ethernet port has besides, or in the place of the above. */
static const struct cap of_ethernet[] = {
	{ CAP_GENERAL, 10, 14, 14, 1 }, /* rts2rts_qp_udp_sport */
	{ CAP_GENERAL, 10, 13, 13, 1 }, /* rts2rts_lag_tx_port_affinity */
	{ CAP_GENERAL, 11, 30, 30, 1 }, /* cc_query_allowed */
	{ CAP_GENERAL, 12, 27, 27, 1 }, /* modify_rq_counter_set_id */
	{ CAP_GENERAL, 13, 29, 29, 0 }, /* ib_virt */
	{ CAP_GENERAL, 13, 9, 8, 1 },	/* port_type */
	{ CAP_GENERAL, CAP_CQE_VERSION, 1 },
	{ CAP_GENERAL, 16, 4, 4, 1 },	/* qos */
	{ CAP_GENERAL, 16, 3, 3, 1 },	/* eth_net_offloads */
	{ CAP_GENERAL, 16, 2, 2, 1 },	/* roce */
	{ CAP_GENERAL, 17, 23, 23, 0 }, /* block_lb_mc */
	/*
	 * lag_tx_port_affinity, num_lag_ports: queues may be told by which of two ports of a bond
	 * they send. There is no bond (lag_master is 0), so that they send by the port that there
	 * is.
	 */
	{ CAP_GENERAL, 19, 7, 7, 1 },
	{ CAP_GENERAL, 19, 3, 0, HCA_LAG_PORTS },
	{ CAP_GENERAL, 21, 22, 22, 1 },		 /* tis_tir_td_order */
	{ CAP_GENERAL, 25, 28, 24, 16 },	 /* log_max_transport_domain */
	{ CAP_GENERAL, 27, 28, 24, 16 },	 /* log_max_rq */
	{ CAP_GENERAL, 27, 20, 16, 16 },	 /* log_max_sq */
	{ CAP_GENERAL, 27, 12, 8, 16 },		 /* log_max_tir */
	{ CAP_GENERAL, 27, 4, 0, 16 },		 /* log_max_tis */
	{ CAP_GENERAL, 28, 20, 16, 16 },	 /* log_max_rqt */
	{ CAP_GENERAL, 28, 12, 8, HCA_RQT_LOG }, /* log_max_rqt_size */
	{ CAP_GENERAL, 30, 4, 0, 15 },		 /* log_max_wq_sz */
	{ CAP_GENERAL, 31, 30, 29, 3 },		 /* disable_local_lb_uc, _mc */
	{ CAP_GENERAL, 31, 20, 16, 12 },	 /* log_max_vlan_list */
	{ CAP_GENERAL, 31, 12, 8, 12 },		 /* log_max_current_mc_list */
	{ CAP_GENERAL, 31, 4, 0, 7 },		 /* log_max_current_uc_list */
	{ CAP_GENERAL, 43, 14, 14, 1 },		 /* adv_rdma */
	{ CAP_GENERAL, 53, 31, 0, HCA_UCTX_RDMA_CTRL | HCA_UCTX_RDMA_CTRL_OTHER }, /* uctx_cap */
	/* general_obj_types_127_64, low half */
	{ CAP_GENERAL_2, 15, HCA_OBJECT_RDMA_CTRL - 0x40, HCA_OBJECT_RDMA_CTRL - 0x40, 1 },
	{ CAP_ADV_RDMA, 0, 31, 31, 1 },			/* rdma_transport_manager */
	{ CAP_ADV_RDMA, FLOW_TRANSPORT_RX, 31, 31, 1 }, /* ft_support */
	{ CAP_ADV_RDMA, FLOW_TRANSPORT_RX, 29, 29, 1 }, /* flow_counter */
	{ CAP_ADV_RDMA, FLOW_TRANSPORT_RX, 28, 25, FLOW_CHAINING },
	{ CAP_ADV_RDMA, FLOW_TRANSPORT_RX + 1, 29, 24, HCA_FLOW_LOG_SIZE },
	{ CAP_ADV_RDMA, FLOW_TRANSPORT_RX + 1, 7, 0, HCA_FLOW_LEVEL_MAX },
	{ CAP_ADV_RDMA, FLOW_TRANSPORT_RX + 3, 7, 0, HCA_FLOW_LOG_TABLES },
	{ CAP_ADV_RDMA, FLOW_TRANSPORT_RX + 5, 7, 0, HCA_FLOW_LOG_SIZE },
	{ CAP_ADV_RDMA, FLOW_TRANSPORT_TX, 31, 31, 1 },
	{ CAP_ADV_RDMA, FLOW_TRANSPORT_TX, 29, 29, 1 },
	{ CAP_ADV_RDMA, FLOW_TRANSPORT_TX, 28, 25, FLOW_CHAINING },
	{ CAP_ADV_RDMA, FLOW_TRANSPORT_TX + 1, 29, 24, HCA_FLOW_LOG_SIZE },
	{ CAP_ADV_RDMA, FLOW_TRANSPORT_TX + 1, 7, 0, HCA_FLOW_LEVEL_MAX },
	{ CAP_ADV_RDMA, FLOW_TRANSPORT_TX + 3, 7, 0, HCA_FLOW_LOG_TABLES },
	{ CAP_ADV_RDMA, FLOW_TRANSPORT_TX + 5, 7, 0, HCA_FLOW_LOG_SIZE },
	{ CAP_ETHERNET, 0, 31, 30, 3 },		      /* csum_cap, vlan_cap */
	{ CAP_ETHERNET, 0, 23, 23, 1 },		      /* self_lb_en_modifiable */
	{ CAP_ETHERNET, 0, 20, 16, HCA_ETH_LSO_LOG }, /* max_lso_cap */
	{ CAP_ETHERNET, 0, 13, 12, 2 },		      /* wqe_inline_mode: not required */
	{ CAP_ETHERNET, 0, 11, 8, 8 },		      /* rss_ind_tbl_cap */
	{ CAP_ETHERNET, 1, 28, 28, 1 },		      /* cqe_checksum_full */
	{ CAP_QOS, 0, 31, 31, 1 },		      /* packet_pacing */
	{ CAP_QOS, 0, 20, 20, 1 },		      /* packet_pacing_uid */
	{ CAP_QOS, 2, 31, 0, HCA_RATE_MAX },	      /* packet_pacing_max_rate, kbit/s */
	{ CAP_QOS, 3, 31, 0, HCA_RATE_MIN },
	{ CAP_QOS, 4, 15, 0, HCA_RATES },	 /* packet_pacing_rate_table_size */
	{ CAP_ROCE, 4, 19, 16, 6 },		 /* l3_type: IPv4, IPv6 */
	{ CAP_ROCE, 4, 7, 0, 4 },		 /* roce_version: 2 */
	{ CAP_ROCE, 5, 15, 0, PACKET_UDP_PORT }, /* r_roce_dest_udp_port */
	{ CAP_ROCE, 6, 31, 16, 0xffff },	 /* r_roce_max_src_udp_port, min */
	{ CAP_ROCE, 6, 15, 0, 0xc000 },
	{ CAP_ROCE, 7, 15, 0, HCA_ROCE_ADDRESSES }, /* roce_address_table_size */
	{ CAP_FLOW_TABLE, FLOW_NIC_RX, 31, 31, 1 }, /* ft_support */
	{ CAP_FLOW_TABLE, FLOW_NIC_RX, 29, 29, 1 }, /* flow_counter */
	/* encap_general_header, log_max_packet_reformat_context, max_encap_header_size */
	{ CAP_FLOW_TABLE, 1, 31, 31, 1 },
	{ CAP_FLOW_TABLE, 1, 20, 16, HCA_FLOW_HEADERS_LOG },
	{ CAP_FLOW_TABLE, 1, 9, 0, HCA_FLOW_HEADER_MAX },
	{ CAP_FLOW_TABLE, FLOW_NIC_RX, 24, 23, 3 }, /* reformat, decap */
	{ CAP_FLOW_TABLE, FLOW_NIC_RX, 13, 13, 1 }, /* reformat_l3_tunnel_to_l2 */
	{ CAP_FLOW_TABLE, FLOW_NIC_RX, 11, 11, 1 }, /* reformat_and_modify_action */
	{ CAP_FLOW_TABLE, FLOW_NIC_RX, 6, 6, 1 },   /* reformat_and_fwd_to_table */
	/* log_max_modify_header_context, max_modify_header_actions */
	{ CAP_FLOW_TABLE, FLOW_NIC_RX + 1, 23, 16, HCA_FLOW_HEADERS_LOG },
	{ CAP_FLOW_TABLE, FLOW_NIC_RX + 1, 15, 8, HCA_FLOW_ACTIONS },
	{ CAP_FLOW_TABLE, FLOW_NIC_RX + 1, 29, 24, HCA_FLOW_LOG_SIZE },
	{ CAP_FLOW_TABLE, FLOW_NIC_RX + 3, 7, 0, HCA_FLOW_LOG_TABLES },
	{ CAP_FLOW_TABLE, FLOW_NIC_RX + 4, 7, 0, 3 }, /* log_max_destination */
	{ CAP_FLOW_TABLE, FLOW_NIC_RX + 5, 7, 0, HCA_FLOW_LOG_SIZE },
	/* ft_field_support: outer_gre_protocol to outer_geneve_opt_len */
	{ CAP_FLOW_TABLE, FLOW_NIC_RX + 8, 8, 2, 0x7f },
	{ CAP_FLOW_TABLE, FLOW_NIC_TX, 31, 31, 1 },
	{ CAP_FLOW_TABLE, FLOW_NIC_TX, 29, 29, 1 },
	{ CAP_FLOW_TABLE, FLOW_NIC_TX, 28, 25, FLOW_CHAINING },
	{ CAP_FLOW_TABLE, FLOW_NIC_TX, 24, 24, 1 }, /* reformat */
	{ CAP_FLOW_TABLE, FLOW_NIC_TX, 12, 11, 3 }, /* reformat_l2_to_l3_tunnel, as above */
	{ CAP_FLOW_TABLE, FLOW_NIC_TX, 6, 6, 1 },
	{ CAP_FLOW_TABLE, FLOW_NIC_TX + 1, 23, 16, HCA_FLOW_HEADERS_LOG },
	{ CAP_FLOW_TABLE, FLOW_NIC_TX + 1, 15, 8, HCA_FLOW_ACTIONS },
	{ CAP_FLOW_TABLE, FLOW_NIC_TX + 1, 29, 24, HCA_FLOW_LOG_SIZE },
	{ CAP_FLOW_TABLE, FLOW_NIC_TX + 1, 7, 0, HCA_FLOW_LEVEL_MAX },
	{ CAP_FLOW_TABLE, FLOW_NIC_TX + 3, 7, 0, HCA_FLOW_LOG_TABLES },
	{ CAP_FLOW_TABLE, FLOW_NIC_TX + 5, 7, 0, HCA_FLOW_LOG_SIZE },
	{ CAP_FLOW_TABLE, FLOW_NIC_TX + 8, 8, 2, 0x7f },
};

static void fill(uint8_t *block, unsigned int type, const struct cap *caps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (caps[i].type == type)
			field_put(block, caps[i].dw, caps[i].hi, caps[i].lo, caps[i].value);
	}
}

static void cap_default(const struct hca *hca, unsigned int type, uint8_t block[CAP_SIZE])
{
	memset(block, 0, CAP_SIZE);
	fill(block, type, defaults, sizeof(defaults) / sizeof(defaults[0]));
	if (hca->params.bridge)
		fill(block, type, of_ethernet, sizeof(of_ethernet) / sizeof(of_ethernet[0]));
	else
		fill(block, type, of_infiniband, sizeof(of_infiniband) / sizeof(of_infiniband[0]));
	if (type == CAP_GENERAL && hca->params.firmware == HCA_FIRMWARE_NO_ODP)
		field_put(block, CAP_PG, 0);
	if (type == CAP_GENERAL && hca->params.st_mode != HCA_ST_NONE &&
	    hca->params.firmware != HCA_FIRMWARE_NO_TPH)
		field_put(block, CAP_MKEY_PCIE_TPH, 1);
	if (type == CAP_GENERAL && hca->params.umr_limited)
		field_put(block, CAP_UMR_MODIFY_ENTITY_SIZE_DISABLED, 1);
}

void hca_caps_reset(struct hca *hca)
{
	unsigned int type;

	for (type = 0; type < CAP_TYPES; type++)
		cap_default(hca, type, hca->cap[type]);
}

enum hca_cmd_status hca_cmd_query_hca_cap(struct hca *hca, struct hca_cmd *cmd)
{
	uint16_t op_mod = be16_at(cmd->in, CMD_OP_MOD);
	unsigned int type = op_mod >> 1;
	uint32_t len = cmd->olen - HCA_CMD_CONTEXT;
	uint8_t block[CAP_SIZE];

	/* The driver asks for more types than this device has: they are empty. */
	if (type >= CAP_TYPES)
		return HCA_CMD_OK;
	if (op_mod & OP_MOD_CURRENT)
		memcpy(block, hca->cap[type], CAP_SIZE);
	else
		cap_default(hca, type, block);
	/* Programs take the part that they know. */
	memcpy(cmd->out + HCA_CMD_CONTEXT, block, len < CAP_SIZE ? len : CAP_SIZE);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_set_hca_cap(struct hca *hca, struct hca_cmd *cmd)
{
	unsigned int type = be16_at(cmd->in, CMD_OP_MOD) >> 1;
	const uint8_t *block = cmd->in + HCA_CMD_CONTEXT;

	if (type >= CAP_TYPES)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x0c0001);
	/* The atomic block comes with nothing but the mode filled in. */
	if (type == CAP_ATOMIC)
		field_put(hca->cap[type], CAP_ATOMIC_REQ_8B_ENDIANNESS_MODE,
			  field_get(block, CAP_ATOMIC_REQ_8B_ENDIANNESS_MODE));
	else
		memcpy(hca->cap[type], block, CAP_SIZE);
	return HCA_CMD_OK;
}
