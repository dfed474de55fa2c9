/* SPDX-License-Identifier: GPL-2.0-only */
#include "vfio-user/pending.h"

#include <errno.h>
#include <string.h>

#include "vfio-user/clock.h"

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

static void free_place(struct vfio_user_pending *pending, struct vfio_user_place *place)
{
	place->taken = false;
	place->call = NULL;
	pthread_cond_signal(&pending->room);
}

void vfio_user_pending_close(struct vfio_user_pending *pending)
{
	pthread_mutex_lock(&pending->lock);
	pending->open = false;
	pending->stalled = false;
	for (unsigned int i = 0; i < VFIO_USER_PENDING_MAX; i++) {
		struct vfio_user_place *place = &pending->place[i];

		if (place->taken && !place->call)
			free_place(pending, place);
		else if (place->taken && !place->call->done)
			finish(place->call, -EIO);
	}
	pthread_cond_broadcast(&pending->room);
	pthread_mutex_unlock(&pending->lock);
}

static int find_room(const struct vfio_user_pending *pending)
{
	for (int i = 0; i < VFIO_USER_PENDING_MAX; i++) {
		if (!pending->place[i].taken)
			return i;
	}
	return -1;
}

/* Returns whether @until is over. */
static bool wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t until)
{
	const struct timespec when = vfio_user_timespec(until);

	return pthread_cond_clockwait(cond, lock, CLOCK_MONOTONIC, &when) == ETIMEDOUT;
}

int vfio_user_pending_begin(struct vfio_user_pending *pending, struct vfio_user_call *call,
			    uint64_t until)
{
	bool over = false;
	int ret = 0, at = -1;

	pthread_mutex_lock(&pending->lock);
	while (pending->open && !pending->stalled && (at = find_room(pending)) < 0 && !over)
		over = wait_until(&pending->room, &pending->lock, until);
	if (!pending->open)
		ret = -ENODEV;
	else if (pending->stalled)
		ret = -ETIMEDOUT;
	else if (at < 0)
		ret = -EAGAIN;
	if (!ret) {
		call->id = pending->round++ * VFIO_USER_PENDING_MAX + at;
		call->connection = pending->connection;
		if (call->access.count > pending->max_data)
			call->access.count = pending->max_data;
		call->done = false;
		pthread_cond_init(&call->cond, NULL);
		pending->place[at] = (struct vfio_user_place){ true, call->id, call };
	}
	pthread_mutex_unlock(&pending->lock);
	return ret;
}

static struct vfio_user_place *place_of(struct vfio_user_pending *pending, uint16_t id)
{
	return &pending->place[id % VFIO_USER_PENDING_MAX];
}

int vfio_user_pending_await(struct vfio_user_pending *pending, struct vfio_user_call *call,
			    uint64_t until)
{
	bool over = false, done;

	pthread_mutex_lock(&pending->lock);
	while (!call->done && !over)
		over = wait_until(&call->cond, &pending->lock, until);
	done = call->done;
	if (done)
		free_place(pending, place_of(pending, call->id));
	pthread_mutex_unlock(&pending->lock);
	if (!done)
		return -EAGAIN;
	pthread_cond_destroy(&call->cond);
	return call->status;
}

/* Nobody waits for @call any more; its place is free, or kept for the reply that is still due. */
static int leave(struct vfio_user_pending *pending, struct vfio_user_call *call, bool due,
		 bool *began)
{
	struct vfio_user_place *place = place_of(pending, call->id);
	int ret;

	pthread_mutex_lock(&pending->lock);
	ret = call->done ? call->status : -ETIMEDOUT;
	if (call->done || !due) {
		free_place(pending, place);
	} else {
		place->call = NULL;
		*began = !pending->stalled;
		pending->stalled = true;
		/* Those that wait for room are not to wait any longer. */
		pthread_cond_broadcast(&pending->room);
	}
	pthread_mutex_unlock(&pending->lock);
	pthread_cond_destroy(&call->cond);
	return ret;
}

int vfio_user_pending_withdraw(struct vfio_user_pending *pending, struct vfio_user_call *call)
{
	return leave(pending, call, false, NULL);
}

int vfio_user_pending_expire(struct vfio_user_pending *pending, struct vfio_user_call *call,
			     bool *began)
{
	*began = false;
	return leave(pending, call, true, began);
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
			     const struct vfio_user_header *header, const void *body, size_t len,
			     bool *recovered)
{
	struct vfio_user_place *place = place_of(pending, header->id);
	bool known;

	pthread_mutex_lock(&pending->lock);
	known = place->taken && place->id == header->id && !(place->call && place->call->done);
	*recovered = known && pending->stalled;
	if (known) {
		pending->stalled = false;
		if (place->call)
			finish(place->call, outcome(place->call, header, body, len));
		else
			free_place(pending, place);
	}
	pthread_mutex_unlock(&pending->lock);
	return known;
}
