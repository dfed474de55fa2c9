/* SPDX-License-Identifier: GPL-2.0-only */
#include "hca/kinds.h"

#include <stddef.h>

#include "hca/budget.h"
#include "hca/cmd.h"

/* Objects between two looks at the turn's budget. */
#define DROP_STEP 64u

#define TABLE(member) offsetof(struct hca, member)

/* In the order in which they go. */
static const struct {
	size_t table;
	const struct hca_kind *kind;
	const char *name;
} kinds[] = {
	/* QPs first: stopping one may look at its CQs and keys. */
	{ TABLE(qps), &hca_kind_qp, "qp" },
	{ TABLE(srqs), &hca_kind_srq, "srq" },
	{ TABLE(cqs), &hca_kind_cq, "cq" },
	{ TABLE(eqs), &hca_kind_eq, "eq" },
	{ TABLE(mkeys), &hca_kind_mkey, "mkey" },
	{ TABLE(memics), &hca_kind_memic, "memic" },
	/* Behind the queues that are in them. */
	{ TABLE(umems), &hca_kind_umem, "umem" },
	{ TABLE(flow_tables), &hca_kind_flow_table, "flow_table" },
	{ TABLE(flow_counters), &hca_kind_flow_counter, "flow_counter" },
	{ TABLE(reformats), &hca_kind_reformat, "packet_reformat" },
	{ TABLE(modify_headers), &hca_kind_modify_header, "modify_header" },
	{ TABLE(tirs), &hca_kind_tir, "tir" },
	{ TABLE(rqts), &hca_kind_rqt, "rqt" },
	{ TABLE(tises), &hca_kind_tis, "tis" },
	{ TABLE(tds), &hca_kind_td, "td" },
	/* Behind the QPs: no set waits for one that is bound to it. */
	{ TABLE(q_counters), &hca_kind_q_counter, "q_counter" },
	{ TABLE(reserved_qpns), &hca_kind_reserved_qpn, "reserved_qpn" },
	{ TABLE(scheds), &hca_kind_sched, "sched" },
	{ TABLE(av_mappings), &hca_kind_av_mapping, "av_mapping" },
	{ TABLE(rdma_ctrls), &hca_kind_rdma_ctrl, "rdma_ctrl" },
	{ TABLE(uars), &hca_kind_uar, "uar" },
	{ TABLE(pds), &hca_kind_pd, "pd" },
	{ TABLE(xrcds), &hca_kind_xrcd, "xrcd" },
	{ TABLE(uctxs), &hca_kind_uctx, "uctx" },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))
_Static_assert(KINDS == HCA_OBJECT_KINDS, "each kind has its place in a report");

static struct hca_table *table_of(struct hca *hca, size_t i)
{
	return (struct hca_table *)((char *)hca + kinds[i].table);
}

void hca_kinds_init(struct hca *hca)
{
	for (size_t i = 0; i < KINDS; i++) {
		table_of(hca, i)->limit = kinds[i].kind->limit;
		table_of(hca, i)->base = kinds[i].kind->base;
	}
}

void hca_objects(struct hca *hca, struct hca_objects *objects)
{
	objects->memory = hca_memory_used(hca);
	for (size_t i = 0; i < KINDS; i++)
		objects->count[i] = hca_table_count(table_of(hca, i));
}

const char *hca_object_kind(unsigned int kind)
{
	return kind < KINDS ? kinds[kind].name : NULL;
}

/* The objects of @table from hca->drop_next on. */
static bool drop(struct hca *hca, struct hca_table *table, const struct hca_kind *kind)
{
	for (; hca->drop_next < table->size; hca->drop_next++) {
		void **slot = &table->slot[hca->drop_next], *object = *slot;

		if (hca->drop_next % DROP_STEP == 0) {
			if (hca_turn_over(hca))
				return false;
			hca_work(hca, DROP_STEP * HCA_WORK_DROP);
		}
		if (!object)
			continue;
		if (kind->work) {
			if (hca_turn_over(hca))
				return false;
			hca_work(hca, kind->work(object));
		}
		*slot = NULL;
		kind->free(hca, object);
	}
	hca->drop_next = 0;
	hca_table_clear(hca, table);
	return true;
}

bool hca_kinds_drop(struct hca *hca)
{
	for (size_t i = 0; i < KINDS; i++) {
		struct hca_table *table = table_of(hca, i);

		if (table->size && !drop(hca, table, kinds[i].kind))
			return false;
	}
	return true;
}
