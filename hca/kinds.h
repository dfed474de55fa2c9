/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kinds of objects. The file that makes and destroys objects of a kind says here how many there can
 * be, from which number on, and how one is given back; kinds.c has the table of all kinds.
 */
#ifndef HCA_KINDS_H
#define HCA_KINDS_H

#include "hca/model.h"

struct hca_kind {
	uint32_t limit; /* highest number + 1 */
	uint32_t base;	/* lowest number to give, 0: 1 */
	/* Gives @object back. What it names is not told: see the hold functions. */
	void (*free)(struct hca *hca, void *object);
	/* What @object costs the turn in which it goes, besides HCA_WORK_DROP; NULL: nothing. */
	uint64_t (*work)(const void *object);
};

extern const struct hca_kind hca_kind_av_mapping;
extern const struct hca_kind hca_kind_rdma_ctrl;
extern const struct hca_kind hca_kind_cq;
extern const struct hca_kind hca_kind_eq;
extern const struct hca_kind hca_kind_flow_counter;
extern const struct hca_kind hca_kind_flow_table;
extern const struct hca_kind hca_kind_memic;
extern const struct hca_kind hca_kind_mkey;
extern const struct hca_kind hca_kind_modify_header;
extern const struct hca_kind hca_kind_pd;
extern const struct hca_kind hca_kind_q_counter;
extern const struct hca_kind hca_kind_qp;
extern const struct hca_kind hca_kind_reformat;
extern const struct hca_kind hca_kind_reserved_qpn;
extern const struct hca_kind hca_kind_rqt;
extern const struct hca_kind hca_kind_sched;
extern const struct hca_kind hca_kind_srq;
extern const struct hca_kind hca_kind_td;
extern const struct hca_kind hca_kind_tir;
extern const struct hca_kind hca_kind_tis;
extern const struct hca_kind hca_kind_uar;
extern const struct hca_kind hca_kind_uctx;
extern const struct hca_kind hca_kind_umem;
extern const struct hca_kind hca_kind_xrcd;

/* The tables of @hca, which are empty, get the limits of their kinds. */
void hca_kinds_init(struct hca *hca);
/*
 * hca_kinds_drop() - all objects of all kinds go, those that name others before these. Returns
 * false when the turn is over before the last: to be called again in the next.
 */
bool hca_kinds_drop(struct hca *hca);

#endif
