// SPDX-License-Identifier: GPL-2.0-only OR Linux-OpenIB
#include <err.h>
#include <errno.h>
#include <poll.h>

#include "bar_common.h"
#include "bar_wait.h"

static int wait_for(struct pollfd *fds, nfds_t count)
{
	int ret;

	do {
		ret = bar_stop ? -1 : poll(fds, count, -1);
	} while (ret < 0 && errno == EINTR && !bar_stop);
	return ret < 0 ? -1 : 0;
}

int bar_wait_event(struct rdma_event_channel *channel)
{
	struct pollfd fd = { .fd = channel->fd, .events = POLLIN };

	return wait_for(&fd, 1);
}

int bar_wait_completion(struct rdma_cm_id *id, struct ibv_cq *cq,
			struct ibv_comp_channel *cq_channel, const char *what, const char *peer,
			struct ibv_wc *wc)
{
	struct pollfd fds[] = { { .fd = cq_channel->fd, .events = POLLIN },
				{ .fd = id->channel->fd, .events = POLLIN } };
	void *context;
	int ret;

	for (;;) {
		ret = ibv_poll_cq(cq, 1, wc);
		if (!ret && !ibv_req_notify_cq(cq, 0))
			ret = ibv_poll_cq(cq, 1, wc);
		if (ret)
			break;
		/* Looked at after the queue: what came before the end is not lost. */
		if (fds[1].revents) {
			warnx("%s %s: it left before all was done", what, peer);
			return -1;
		}
		if (wait_for(fds, 2))
			return -1;
		if (fds[0].revents && !ibv_get_cq_event(cq_channel, &cq, &context))
			ibv_ack_cq_events(cq, 1);
	}
	if (ret == 1 && wc->status == IBV_WC_SUCCESS)
		return 0;
	warnx("%s %s: no completion: %s", what, peer,
	      ret < 0 ? "ibv_poll_cq failed" : ibv_wc_status_str(wc->status));
	return -1;
}
