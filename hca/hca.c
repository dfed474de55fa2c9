/* SPDX-License-Identifier: GPL-2.0-only */
/* The function: its life, its identity on the bus, and the engine's turn. */
#include "hca/budget.h"
#include "hca/cmd.h"
#include "hca/data.h"
#include "hca/flow_table.h"
#include "hca/general.h"
#include "hca/memic.h"
#include "hca/q_counter.h"
#include "hca/umem.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pcie/memory.h"

#define VENDOR_MELLANOX	 0x15b3u
#define CONNECTX7	 0x1021u
#define CONNECTX8	 0x1023u
#define CLASS_INFINIBAND 0x020700u

#define BAR_SIZE      ((uint64_t)HCA_UAR_PAGES * HCA_UAR_PAGE)
#define SHARED_SIZE   (BAR_SIZE - HCA_SHARED_OFFSET)
#define MSIX_BAR      2u
#define MSIX_BAR_SIZE 65536u
#define VECTORS_MAX   2048u

/* --- reports --------------------------------------------------------------------------------- */

bool hca_mkey_report(struct hca *hca, struct hca_mkey_report *report)
{
	bool valid;

	pthread_mutex_lock(&hca->report_lock);
	valid = hca->report_valid;
	if (valid)
		*report = hca->report;
	pthread_mutex_unlock(&hca->report_lock);
	return valid;
}

void hca_clear_mkey_report(struct hca *hca)
{
	pthread_mutex_lock(&hca->report_lock);
	hca->report_valid = false;
	pthread_mutex_unlock(&hca->report_lock);
}

void hca_print_unmodelled(struct hca *hca, FILE *out)
{
	unmodelled_print(&hca->unmodelled, hca->params.name, out);
}

/* --- life ------------------------------------------------------------------------------------ */

/* What goes between two looks at the turn's budget. */
#define DROP_STEP 64u

/*
 * Frees the objects of @table from hca->drop_next on; returns false from the function around it
 * when the turn is over before the last of them.
 */
#define DROP(hca, table, free_one)                                              \
	do {                                                                    \
		if (!(table)->size)                                             \
			break;                                                  \
		for (; (hca)->drop_next < (table)->size; (hca)->drop_next++) {  \
			void **slot_ = &(table)->slot[(hca)->drop_next], *one_; \
                                                                                \
			if ((hca)->drop_next % DROP_STEP == 0) {                \
				if (hca_turn_over(hca))                         \
					return false;                           \
				hca_work((hca), DROP_STEP *HCA_WORK_DROP);      \
			}                                                       \
			one_ = *slot_;                                          \
			*slot_ = NULL;                                          \
			if (one_)                                               \
				free_one((hca), one_);                          \
		}                                                               \
		(hca)->drop_next = 0;                                           \
		hca_table_clear((hca), (table));                                \
	} while (0)

/* What the last owner stored in UAR pages and device memory: the pages go, zeroes come back. */
static void clear_shared(struct hca *hca)
{
	if (hca->uar_memory == MAP_FAILED)
		return;
	pthread_mutex_lock(&hca->uar_lock);
	if (madvise(hca->uar_memory, SHARED_SIZE, MADV_REMOVE))
		memset(hca->uar_memory, 0, SHARED_SIZE);
	pthread_mutex_unlock(&hca->uar_lock);
}

bool hca_drop_objects(struct hca *hca)
{
	/* QPs first: stopping one may look at its CQs and keys. */
	DROP(hca, &hca->qps, hca_qp_free);
	DROP(hca, &hca->srqs, hca_srq_free);
	DROP(hca, &hca->cqs, hca_cq_free);
	DROP(hca, &hca->eqs, hca_eq_free);
	DROP(hca, &hca->mkeys, hca_mkey_free);
	DROP(hca, &hca->memics, hca_release);
	/* Behind the queues that are in them. */
	DROP(hca, &hca->umems, hca_umem_free);
	if (!hca_flow_drop(hca))
		return false;
	DROP(hca, &hca->flow_counters, hca_release);
	/* Behind the QPs: no set waits for one that is bound to it. */
	DROP(hca, &hca->q_counters, hca_release);
	DROP(hca, &hca->reserved_qpns, hca_release);
	DROP(hca, &hca->uars, hca_release);
	DROP(hca, &hca->pds, hca_release);
	DROP(hca, &hca->xrcds, hca_release);
	DROP(hca, &hca->uctxs, hca_release);
	hca_memic_drop(hca);
	hca_ud_drop(hca);
	hca_mcg_drop(hca);
	clear_shared(hca);
	if (hca->port)
		subnet_forget(hca->port);
	hca->cmd_eqn = 0;
	hca->pd_seen = false;
	hca->shared_eqs = 0;
	hca->trapped_uars = 0;
	hca->cq_next = 0;
	hca->cq_lost = 0;
	hca->gsi_qpn = 0;
	hca->smi_qpn = 0;
	hca_caps_reset(hca);
	hca_port_reset(hca);
	return true;
}

static void drop_all(struct hca *hca)
{
	do
		hca->work_left = HCA_TURN_WORK;
	while (!hca_drop_objects(hca));
}

static bool params_valid(const struct hca_params *params)
{
	if (!params->name || (params->device_id != CONNECTX7 && params->device_id != CONNECTX8))
		return false;
	if (!params->guid || !params->lid || params->lid > SUBNET_LID_MAX)
		return false;
	if (!params->vectors || params->vectors > VECTORS_MAX)
		return false;
	if (params->st_mode == HCA_ST_NONE)
		return true;
	if (params->st_width != 8 && params->st_width != 16)
		return false;
	return params->st_mode != HCA_ST_TABLE ||
	       (params->st_entries >= 2 && params->st_entries <= 64);
}

static void build_config(struct hca *hca)
{
	const struct hca_params *params = &hca->params;
	struct pcie_function *fn = &hca->fn;
	const struct pcie_identity id = {
		.vendor = VENDOR_MELLANOX,
		.device = params->device_id,
		.subsystem_vendor = VENDOR_MELLANOX,
		.subsystem = params->device_id,
		.class_code = CLASS_INFINIBAND,
	};
	bool extended = params->st_mode != HCA_ST_NONE && params->st_width == 16;

	fn->bar[0] = (struct pcie_bar){
		.size = BAR_SIZE,
		.is_64bit = true,
		.prefetchable = true,
		.mmap_offset = HCA_SHARED_OFFSET,
		.mmap_size = SHARED_SIZE,
		.mmap_fd = hca->uar_fd,
		.mmap_mem = hca->uar_memory,
	};
	fn->bar[MSIX_BAR] = (struct pcie_bar){
		.size = MSIX_BAR_SIZE,
		.is_64bit = true,
		.prefetchable = true,
	};
	pcie_config_init(fn, &id);
	pcie_config_add_pm(fn);
	pcie_config_add_express(fn, PCIE_TPH_COMPLETER_NONE, extended);
	pcie_config_add_msix(fn, MSIX_BAR, params->vectors);
	if (params->st_mode == HCA_ST_TABLE)
		pcie_config_add_tph(fn, extended, PCIE_ST_CAPABILITY, params->st_entries);
	else if (params->st_mode == HCA_ST_DIRECT)
		pcie_config_add_tph(fn, extended, PCIE_ST_NONE, 0);
	pcie_config_seal(fn);
}

static void set_limits(struct hca *hca)
{
	hca->uars.limit = HCA_UAR_PAGES - HCA_MEMIC_SIZE / HCA_UAR_PAGE;
	hca->pds.limit = 1u << 16;
	hca->memics.limit = HCA_MEMIC_SIZE / HCA_MEMIC_UNIT + 1;
	hca->uctxs.limit = HCA_UID_SHARED;
	hca->flow_tables.limit = (1u << HCA_FLOW_LOG_TABLES) + 1;
	hca->flow_counters.limit = 1u << 16;
	hca->q_counters.limit = HCA_Q_COUNTERS + 1;
	hca->umems.limit = 1u << 18;
	hca->xrcds.limit = 1u << 16;
	hca->eqs.limit = HCA_EQS;
	hca->cqs.limit = 1u << 16;
	hca->srqs.limit = 1u << 16;
	hca->qps.limit = HCA_QPN_LIMIT;
	hca->qps.base = HCA_QPN_FIRST;
	hca->reserved_qpns.limit = HCA_RESERVED_QPNS + 1;
	hca->mkeys.limit = 1u << 24;
	hca->mkeys.base = HCA_MKEY_FIRST;
}

static int map_uars(struct hca *hca)
{
	return pcie_memory_new("hca-uar", SHARED_SIZE, &hca->uar_fd, &hca->uar_memory);
}

static int connect_port(struct hca *hca)
{
	const struct subnet_port_attr attr = {
		.lid = hca->params.lid,
		.guid = hca->params.guid,
		.name = hca->params.name,
		.device_id = hca->params.device_id,
		.owner = hca,
		.deliver = hca_ud_deliver,
		.traffic = hca_port_traffic,
	};

	hca->port = subnet_add(hca->subnet, &attr);
	if (!hca->port)
		return -errno;
	hca_port_reset(hca);
	return 0;
}

struct hca *hca_new(const struct hca_params *params, struct subnet *subnet, void (*wake)(void *arg),
		    void *wake_arg)
{
	struct hca *hca;
	int err;

	if (!params_valid(params)) {
		errno = EINVAL;
		return NULL;
	}
	hca = calloc(1, sizeof(*hca));
	if (!hca)
		return NULL;
	hca->params = *params;
	if (!hca->params.memory)
		hca->params.memory = HCA_MEMORY_DEFAULT;
	hca->subnet = subnet;
	hca->wake = wake;
	hca->wake_arg = wake_arg;
	hca->uar_fd = -1;
	hca->uar_memory = MAP_FAILED;
	unmodelled_init(&hca->unmodelled);
	pthread_mutex_init(&hca->mmio.lock, NULL);
	pthread_mutex_init(&hca->report_lock, NULL);
	pthread_mutex_init(&hca->uar_lock, NULL);
	hca->mmio.link = true;
	hca->fn.name = params->name;
	hca->fn.id = params->id;
	hca->fn.ops = &hca_function_ops;
	hca->fn.model = hca;
	set_limits(hca);
	drop_all(hca);
	err = map_uars(hca);
	if (!err)
		err = connect_port(hca);
	if (err) {
		hca_free(hca);
		errno = -err;
		return NULL;
	}
	build_config(hca);
	return hca;
}

void hca_free(struct hca *hca)
{
	if (!hca)
		return;
	subnet_remove(hca->port);
	hca->port = NULL;
	hca_cmd_abandon(hca);
	drop_all(hca);
	assert(!hca->memory_used);
	unmodelled_free(&hca->unmodelled);
	if (hca->uar_memory != MAP_FAILED)
		munmap(hca->uar_memory, SHARED_SIZE);
	if (hca->uar_fd >= 0)
		close(hca->uar_fd);
	pthread_mutex_destroy(&hca->uar_lock);
	pthread_mutex_destroy(&hca->report_lock);
	pthread_mutex_destroy(&hca->mmio.lock);
	free(hca);
}

struct pcie_function *hca_function(struct hca *hca)
{
	return &hca->fn;
}
