/* SPDX-License-Identifier: GPL-2.0-only */
/* The function: its life, its identity on the bus, and the engine's turn. */
#include "hca/budget.h"
#include "hca/cmd.h"
#include "hca/data.h"
#include "hca/eth.h"
#include "hca/inbox.h"
#include "hca/kinds.h"
#include "hca/wire.h"

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
#define CLASS_ETHERNET	 0x020000u

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

static void drop_all(struct hca *hca)
{
	do
		hca->work_left = HCA_TURN_WORK;
	while (!hca_drop_objects(hca));
}

static bool params_valid(const struct hca_params *params)
{
	static const uint8_t nobody[6];

	if (!params->name || (params->device_id != CONNECTX7 && params->device_id != CONNECTX8))
		return false;
	if (!params->guid)
		return false;
	if (params->bridge ? params->mac[0] & 1 || !memcmp(params->mac, nobody, sizeof(nobody))
			   : !params->lid || params->lid > SUBNET_LID_MAX)
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
		.class_code = params->bridge ? CLASS_ETHERNET : CLASS_INFINIBAND,
	};
	bool extended = params->st_mode != HCA_ST_NONE && params->st_width == 16;

	fn->bar[0] = (struct pcie_bar){
		.size = HCA_BAR_SIZE,
		.is_64bit = true,
		.prefetchable = true,
		.mmap_offset = HCA_SHARED_OFFSET,
		.mmap_size = HCA_SHARED_SIZE,
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

static int map_uars(struct hca *hca)
{
	return pcie_memory_new("hca-uar", HCA_SHARED_SIZE, &hca->uar_fd, &hca->uar_memory);
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
		.leaves = hca_ud_leaves,
		.traffic = hca_port_traffic,
	};

	if (hca->params.bridge)
		return 0;
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
	hca_kinds_init(hca);
	err = params->bridge ? hca_eth_connect(hca) : 0;
	if (err) {
		hca_free(hca);
		errno = -err;
		return NULL;
	}
	drop_all(hca);
	err = map_uars(hca);
	if (!err)
		err = connect_port(hca);
	if (!err)
		err = hca_wire_init(hca);
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
	hca_wire_free(hca);
	assert(!hca->memory_used);
	hca_eth_free(hca);
	unmodelled_free(&hca->unmodelled);
	if (hca->uar_memory != MAP_FAILED)
		munmap(hca->uar_memory, HCA_SHARED_SIZE);
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
