/* SPDX-License-Identifier: GPL-2.0-only */
/* Dwords of qpc (mlx5_ifc.h: qpc, ads) that the commands read; offsets in dwords. */
#ifndef HCA_QP_H
#define HCA_QP_H

#include "hca/model.h"

#define QPC_STATE	  0 /* [31:28], st [23:16] */
#define QPC_PD		  1
#define QPC_SIZES	  2
#define QPC_UAR		  3
#define QPC_USER_INDEX	  4
#define QPC_REMOTE_QPN	  5  /* log_page_size [28:24] */
#define QPC_PATH	  6  /* ads, 11 dwords; fl [31] */
#define QPC_ACK		  28 /* retry_count [18:16], rnr_retry [15:13], fre [11] */
#define QPC_SEND_PSN	  30
#define QPC_CQN_SND	  31 /* log_num_dci_stream_channels [28:24] */
#define QPC_DETH	  32 /* log_num_dci_errored_streams [28:24] */
#define QPC_RIGHTS	  36 /* log_rra_max [23:21], atomic_mode [19:16], rre, rwe, rae [15:13] */
#define QPC_RCV_PSN	  37 /* min_rnr_nak [28:24] */
#define QPC_XRCD	  38
#define QPC_CQN_RCV	  39
#define QPC_DBR		  40
#define QPC_QKEY	  42
#define QPC_RQ_TYPE	  43
#define QPC_SQ_COUNTERS	  45
#define QPC_HW_RQ_COUNTER 46
#define QPC_FLAGS	  52 /* dbr_umem_valid [28] */
#define QPC_DBR_UMEM	  57

/* The QP that @cmd names, if its user context may and it is no DCT; or NULL. */
struct hca_qp *hca_qp_get(struct hca *hca, const struct hca_cmd *cmd);
/* Fields of struct hca_qp that follow from qpc and may change after CREATE_QP. */
void hca_qp_decode(struct hca_qp *qp);

/* Streams of a DCI (streams.c): @stream may be used again. */
void hca_stream_reset(struct hca_qp *qp, uint16_t stream);

#endif
