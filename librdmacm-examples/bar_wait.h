/* SPDX-License-Identifier: GPL-2.0-only OR Linux-OpenIB */
/* Waiting on a connection of the synchronous kind, which has an event channel of its own. */
#ifndef BAR_WAIT_H
#define BAR_WAIT_H

#include <rdma/rdma_cma.h>

/* Waits for an event on @channel, which is not taken from it. 0, or -1 on a signal. */
int bar_wait_event(struct rdma_event_channel *channel);
/*
 * Waits for a completion of @cq, which has @cq_channel, or for an event of @id: the other side has
 * disconnected. 0 with @wc; -1 without one, and said why unless it was a signal: @what and @peer
 * name the other side.
 */
int bar_wait_completion(struct rdma_cm_id *id, struct ibv_cq *cq,
			struct ibv_comp_channel *cq_channel, const char *what, const char *peer,
			struct ibv_wc *wc);

#endif
