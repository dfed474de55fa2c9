/* SPDX-License-Identifier: GPL-2.0 */
#include "vfio-user/pending.h"

#include <errno.h>
#include <string.h>

#define ERRNO_MAX 4095

void vfio_user_pending_init(struct vfio_user_pending *pending)
{
	*pending = (struct vfio_user_pending){ 0 };
	pthread_mutex_init(&pending->lock, NULL);
	pthread_cond_init(&pending->room, NULL);
}

void vfio_user_pending_destroy(struct vfio_user_pending *pending)
{
	pthread_cond_destroy(&pending->room);
	pthread_mutex_destroy(&pending->lock);
}

void vfio_user_pending_open(struct vfio_user_pending *pending, unsigned int connection,
			    uint32_t max_data)
{
	pthread_mutex_lock(&pending->lock);
	pending->open = true;
	pending->connection = connection;
	pending->max_data = max_data;
	pthread_mutex_unlock(&pending->lock);
}

static void finish(struct vfio_user_call *call, int status)
{
	call->done = true;
	call->status = status;
	pthread_cond_signal(&call->cond);
}

void vfio_user_pending_close(struct vfio_user_pending *pending)
{
	pthread_mutex_lock(&pending->lock);
	pending->open = false;
	for (unsigned int i = 0; i < VFIO_USER_PENDING_MAX; i++) {
		if (pending->call[i] && !pending->call[i]->done)
			finish(pending->call[i], -EIO);
	}
	pthread_cond_broadcast(&pending->room);
	pthread_mutex_unlock(&pending->lock);
}

static int free_slot(const struct vfio_user_pending *pending)
{
	for (int i = 0; i < VFIO_USER_PENDING_MAX; i++) {
		if (!pending->call[i])
			return i;
	}
	return -1;
}

int vfio_user_pending_begin(struct vfio_user_pending *pending, struct vfio_user_call *call)
{
	int slot = -1;

	pthread_mutex_lock(&pending->lock);
	while (pending->open && (slot = free_slot(pending)) < 0)
		pthread_cond_wait(&pending->room, &pending->lock);
	if (!pending->open) {
		pthread_mutex_unlock(&pending->lock);
		return -ENODEV;
	}
	call->id = pending->round++ * VFIO_USER_PENDING_MAX + slot;
	call->connection = pending->connection;
	if (call->access.count > pending->max_data)
		call->access.count = pending->max_data;
	call->done = false;
	pthread_cond_init(&call->cond, NULL);
	pending->call[slot] = call;
	pthread_mutex_unlock(&pending->lock);
	return 0;
}

int vfio_user_pending_end(struct vfio_user_pending *pending, struct vfio_user_call *call)
{
	pthread_mutex_lock(&pending->lock);
	while (!call->done)
		pthread_cond_wait(&call->cond, &pending->lock);
	pending->call[call->id % VFIO_USER_PENDING_MAX] = NULL;
	pthread_cond_signal(&pending->room);
	pthread_mutex_unlock(&pending->lock);
	pthread_cond_destroy(&call->cond);
	return call->status;
}

static int outcome(const struct vfio_user_call *call, const struct vfio_user_header *header,
		   const void *body, size_t len)
{
	size_t data = call->in ? call->access.count : 0;

	if (header->command != call->command)
		return -EIO;
	if (header->flags & VFIO_USER_ERROR)
		return header->error && header->error <= ERRNO_MAX ? -(int)header->error : -EIO;
	if (len != sizeof(call->access) + data || memcmp(body, &call->access, sizeof(call->access)))
		return -EIO;
	if (data)
		memcpy(call->in, (const char *)body + sizeof(call->access), data);
	return 0;
}

bool vfio_user_pending_reply(struct vfio_user_pending *pending,
			     const struct vfio_user_header *header, const void *body, size_t len)
{
	struct vfio_user_call *call;
	bool waited;

	pthread_mutex_lock(&pending->lock);
	call = pending->call[header->id % VFIO_USER_PENDING_MAX];
	waited = call && call->id == header->id && !call->done;
	if (waited)
		finish(call, outcome(call, header, body, len));
	pthread_mutex_unlock(&pending->lock);
	return waited;
}
