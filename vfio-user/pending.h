/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests of the server that wait for the client's reply, by message id. The client numbers its
 * own requests; the two never mix, as replies are told by their flag.
 *
 * No wait is longer than its caller says. A request whose time is over keeps its place, so that its
 * late reply is known and dropped; the client is taken for stalled then, and no further request
 * goes out until a reply shows that it is back.
 */
#ifndef VFIO_USER_PENDING_H
#define VFIO_USER_PENDING_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "vfio-user/protocol.h"

/*
 * The most at once. With this many replies of VFIO_USER_DATA_MAX due and a late reader, QEMU was
 * seen to cut none short.
 */
#define VFIO_USER_PENDING_MAX 32

/* One request; lives on the stack of the thread that waits. */
struct vfio_user_call {
	uint16_t command; /* given by the caller, as the next two */
	struct vfio_user_dma_access access;
	void *in;		 /* DMA_READ: where the data goes; else NULL */
	uint16_t id;		 /* given by begin, as all below */
	unsigned int connection; /* to send it on */
	bool done;
	int status;
	pthread_cond_t cond;
};

struct vfio_user_place {
	bool taken;
	uint16_t id;
	struct vfio_user_call *call; /* NULL: overdue, nobody waits any more */
};

struct vfio_user_pending {
	pthread_mutex_t lock;
	pthread_cond_t room;
	struct vfio_user_place place[VFIO_USER_PENDING_MAX];
	unsigned int round; /* makes ids of one place differ */
	bool open;
	bool stalled;
	unsigned int connection;
	uint32_t max_data;
};

void vfio_user_pending_init(struct vfio_user_pending *pending);
void vfio_user_pending_destroy(struct vfio_user_pending *pending);
/* Requests may go out on @connection, with @max_data bytes each. */
void vfio_user_pending_open(struct vfio_user_pending *pending, unsigned int connection,
			    uint32_t max_data);
/* No more requests; all that wait fail with -EIO, and none is overdue any more. */
void vfio_user_pending_close(struct vfio_user_pending *pending);

/*
 * Register @call, waiting for room until @until (CLOCK_MONOTONIC, ns, as below); cuts
 * @call->access.count down to what one message takes. Returns 0, and one of the three that follow
 * ends it; -EAGAIN no room by then; -ETIMEDOUT the client is stalled; -ENODEV no client.
 */
int vfio_user_pending_begin(struct vfio_user_pending *pending, struct vfio_user_call *call,
			    uint64_t until);
/*
 * Wait until the reply has come, or the connection is lost, as it also is when the request could
 * not be sent. Returns the outcome: 0; the client's error; -EIO connection broken or reply
 * malformed. -EAGAIN: neither by @until, and the call is still registered.
 */
int vfio_user_pending_await(struct vfio_user_pending *pending, struct vfio_user_call *call,
			    uint64_t until);
/* Forget @call, which was not sent: the outcome if it has one, else -ETIMEDOUT. */
int vfio_user_pending_withdraw(struct vfio_user_pending *pending, struct vfio_user_call *call);
/*
 * Its time is over: the outcome if it has one after all, else -ETIMEDOUT and the client is stalled.
 * *@began: it was not before.
 */
int vfio_user_pending_expire(struct vfio_user_pending *pending, struct vfio_user_call *call,
			     bool *began);
/*
 * A reply came, @len bytes of body. Returns false when no request had this id. *@recovered: the
 * client had been stalled until now.
 */
bool vfio_user_pending_reply(struct vfio_user_pending *pending,
			     const struct vfio_user_header *header, const void *body, size_t len,
			     bool *recovered);

#endif
