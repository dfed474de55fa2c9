/* SPDX-License-Identifier: GPL-2.0-only */
/* What a reset, and ENABLE_HCA and TEARDOWN_HCA, bring the function back to. */
#include <sys/mman.h>

#include "hca/cmd.h"
#include "hca/eth.h"
#include "hca/inbox.h"
#include "hca/kinds.h"
#include "hca/memic.h"

/* What the last owner stored in UAR pages and device memory: the pages go, zeroes come back. */
static void clear_shared(struct hca *hca)
{
	if (hca->uar_memory == MAP_FAILED)
		return;
	pthread_mutex_lock(&hca->uar_lock);
	if (madvise(hca->uar_memory, HCA_SHARED_SIZE, MADV_REMOVE))
		memset(hca->uar_memory, 0, HCA_SHARED_SIZE);
	pthread_mutex_unlock(&hca->uar_lock);
}

bool hca_drop_objects(struct hca *hca)
{
	/* While only some are gone, frames find no way to them. */
	memset(hca->flow_root, 0, sizeof(hca->flow_root));
	memset(hca->rate, 0, sizeof(hca->rate));
	if (hca->eth)
		hca_eth_drop(hca);
	if (!hca_kinds_drop(hca))
		return false;
	hca_memic_forget(hca);
	hca_ud_drop(hca);
	hca_mcg_drop(hca);
	clear_shared(hca);
	if (hca->port)
		subnet_forget(hca->port);
	hca->cmd_eqn = 0;
	hca->cq_next = 0;
	hca->cq_lost = 0;
	hca->gsi_qpn = 0;
	hca->smi_qpn = 0;
	hca_caps_reset(hca);
	hca_port_reset(hca);
	return true;
}
