/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Send WQEs, parsed from a linear copy. Pure functions: no HCA, no memory access. Layouts are those
 * of include/linux/mlx5/qp.h and of the provider's mlx5dv.h; all fields big-endian.
 */
#ifndef HCA_WQE_H
#define HCA_WQE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HCA_WQE_BB	 64u   /* basic block, bytes */
#define HCA_WQE_MAX	 1024u /* 64 units of 16 bytes */
#define HCA_WQE_SEGS	 64u
#define HCA_LKEY_END	 0x100u /* lkey of an unused data segment: ends a receive WQE */
#define HCA_UMR_CTRL_LEN 48u
#define HCA_MKC_LEN	 64u

/* Name of a send opcode that hardware has and this model does not, "?" for one nobody has. */
const char *hca_wqe_unmodelled_name(uint8_t opcode);
bool hca_wqe_modelled(uint8_t opcode);

enum hca_opcode {
	HCA_OP_NOP = 0x00,
	HCA_OP_SEND_INV = 0x01,
	HCA_OP_WRITE = 0x08,
	HCA_OP_WRITE_IMM = 0x09,
	HCA_OP_SEND = 0x0a,
	HCA_OP_SEND_IMM = 0x0b,
	HCA_OP_LSO = 0x0e, /* of queues of frames */
	HCA_OP_READ = 0x10,
	HCA_OP_ATOMIC_CS = 0x11,
	HCA_OP_ATOMIC_FA = 0x12,
	HCA_OP_UMR = 0x25,
	HCA_OP_MMO = 0x2f, /* of the copies that it can do, DMA */
};

/* Bytes of a copy, at most (log_dma_mmo_max_size), and the segments of its WQE. */
#define HCA_COPY_LOG_MAX 20u
#define HCA_COPY_MAX	 (1u << HCA_COPY_LOG_MAX)
#define HCA_COPY_FROM	 0u
#define HCA_COPY_TO	 1u

/* UMR control segment, byte 0. */
#define HCA_UMR_CHECK_QPN 0x08u
#define HCA_UMR_OFFSET_EN 0x10u
#define HCA_UMR_MUST_FREE 0x20u /* fail when the key is not free */
#define HCA_UMR_MUST_LIVE 0x40u /* fail when the key is free */
#define HCA_UMR_INLINE	  0x80u

/* A piece of payload: in memory under @lkey, or @inl bytes inside the WQE. */
struct hca_seg {
	uint32_t len;
	uint32_t lkey;
	uint64_t addr;
	const uint8_t *inl; /* NULL: in memory. Points into the copy that was parsed */
};

/* Where a datagram goes. */
struct hca_av {
	uint32_t q_key;
	uint64_t dc_key; /* in the place of q_key and what follows it */
	uint32_t qpn;
	uint16_t dlid;
	uint8_t sl; /* RoCE: [3:1] */
	bool grh;
	uint8_t tclass, hop_limit;
	uint32_t flow_label;
	uint8_t dgid[16];
	/* RoCE, which has a UDP port in the place of the LID, if it names one: */
	uint8_t rmac[6];
	uint8_t sgid_index;
};

/* cs_flags of an Ethernet segment: fill in the checksum. */
#define HCA_WQE_L3_CSUM 0x40u
#define HCA_WQE_L4_CSUM 0x80u

/* What an Ethernet segment says; the bytes that it has of the frame are the first of the payload.
 */
struct hca_wqe_eth {
	uint8_t cs_flags;
	uint16_t mss;	     /* LSO: payload of each segment, not 0 */
	uint16_t inline_len; /* LSO: all headers */
};

/* What follows the control segment of a QP's WQEs. */
enum hca_wqe_kind {
	HCA_WQE_CONNECTED,
	HCA_WQE_DATAGRAM, /* UD, GSI, SMI: SENDs carry a 48-byte address vector */
	HCA_WQE_DC,	  /* requests carry the 48-byte address vector and an access key */
	HCA_WQE_XRC,	  /* requests carry a 16-byte segment with the number of the remote SRQ */
	HCA_WQE_FRAME,	  /* Ethernet: SENDs and LSOs carry an Ethernet segment */
};

struct hca_wqe {
	/* control segment */
	uint8_t opcode;
	uint8_t ds;	/* size of the WQE in 16-byte units */
	bool signalled; /* write a CQE on success */
	bool solicited;
	uint16_t stream; /* DCI: stream channel */
	uint32_t imm;	 /* immediate, key to invalidate, or the UMR's key */
	uint32_t xrc_srqn;
	/* RDMA and atomics */
	uint64_t raddr;
	uint32_t rkey;
	uint64_t swap_add, compare;
	struct hca_av av;
	struct hca_wqe_eth eth;
	/* UMR: NULL for other opcodes; they point into the copy that was parsed */
	const uint8_t *umr; /* HCA_UMR_CTRL_LEN bytes */
	const uint8_t *mkc; /* HCA_MKC_LEN bytes */
	const uint8_t *xlt; /* inline translation entries, or NULL */
	size_t xlt_len;
	/* payload */
	unsigned int segs;
	uint64_t length; /* sum over seg[] */
	struct hca_seg seg[HCA_WQE_SEGS];
};

/* Basic blocks that the WQE with control segment @ctrl (16 bytes) takes: 1..16. */
unsigned int hca_wqe_blocks(const uint8_t *ctrl);

/*
 * hca_wqe_parse_ctrl() - the control segment only: opcode, ds, flags, imm; the rest is zeroed.
 * @raw: at least 16 bytes.
 */
void hca_wqe_parse_ctrl(const uint8_t *raw, struct hca_wqe *wqe);

/*
 * hca_wqe_parse() - a whole WQE.
 * @raw: linear copy, must live as long as @wqe. @len: bytes at @raw.
 * Returns 0; -EINVAL when it is malformed or of an unknown opcode, with the control segment's
 * fields set if @len >= 16.
 */
int hca_wqe_parse(const uint8_t *raw, size_t len, enum hca_wqe_kind kind, struct hca_wqe *wqe);

/*
 * hca_wqe_parse_recv() - data segments of a receive WQE.
 * @raw: data segments, @len bytes; they end there or at HCA_LKEY_END. @max: places in @seg.
 * Empty segments are left out. Returns the number of segments, *@length their sum.
 */
unsigned int hca_wqe_parse_recv(const uint8_t *raw, size_t len, struct hca_seg *seg,
				unsigned int max, uint64_t *length);

#endif
