/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests of the server that wait for the client's reply, by message id. The client numbers its
 * own requests; the two never mix, as replies are told by their flag.
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

struct vfio_user_pending {
	pthread_mutex_t lock;
	pthread_cond_t room;
	struct vfio_user_call *call[VFIO_USER_PENDING_MAX];
	unsigned int round; /* makes ids of one slot differ */
	bool open;
	unsigned int connection;
	uint32_t max_data;
};

void vfio_user_pending_init(struct vfio_user_pending *pending);
void vfio_user_pending_destroy(struct vfio_user_pending *pending);
/* Requests may go out on @connection, with @max_data bytes each. */
void vfio_user_pending_open(struct vfio_user_pending *pending, unsigned int connection,
			    uint32_t max_data);
/* No more requests; all that wait fail with -EIO. */
void vfio_user_pending_close(struct vfio_user_pending *pending);

/*
 * Register @call, waiting for room; cuts @call->access.count down to what one message takes.
 * Returns 0, and vfio_user_pending_end() must follow, or -ENODEV no client.
 */
int vfio_user_pending_begin(struct vfio_user_pending *pending, struct vfio_user_call *call);
/*
 * Wait until the reply has come, or the connection is lost, as it also is when the request could
 * not be sent. Returns the outcome: 0; the client's error; -EIO connection broken or reply
 * malformed.
 */
int vfio_user_pending_end(struct vfio_user_pending *pending, struct vfio_user_call *call);
/* A reply came, @len bytes of body. Returns false when nobody waits for it. */
bool vfio_user_pending_reply(struct vfio_user_pending *pending,
			     const struct vfio_user_header *header, const void *body, size_t len);

#endif
