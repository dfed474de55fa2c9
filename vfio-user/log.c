/* SPDX-License-Identifier: GPL-2.0-only */
#include "vfio-user/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vfio-user/clock.h"

#define LINE 256

void vfio_user_log_init(struct vfio_user_log *log, const char *name)
{
	*log = (struct vfio_user_log){ .name = name, .room = VFIO_USER_LOG_BURST };
	pthread_mutex_init(&log->lock, NULL);
}

static void print_suppressed(const struct vfio_user_log *log, unsigned int suppressed)
{
	if (suppressed)
		fprintf(stderr, "%s: %u more suppressed\n", log->name, suppressed);
}

void vfio_user_log_destroy(struct vfio_user_log *log)
{
	print_suppressed(log, log->suppressed);
	pthread_mutex_destroy(&log->lock);
}

void vfio_user_log_client(struct vfio_user_log *log, pid_t client)
{
	pthread_mutex_lock(&log->lock);
	log->client = client;
	pthread_mutex_unlock(&log->lock);
}

/* With the lock held. */
static void refill(struct vfio_user_log *log, uint64_t now)
{
	uint64_t seconds = (now - log->refilled) / VFIO_USER_SECOND;

	if (seconds < VFIO_USER_LOG_BURST - log->room) {
		log->room += (unsigned int)seconds;
		log->refilled += seconds * VFIO_USER_SECOND;
	} else {
		log->room = VFIO_USER_LOG_BURST;
		log->refilled = now;
	}
}

bool vfio_user_log_admits(struct vfio_user_log *log, uint64_t now, unsigned int *suppressed)
{
	bool admitted;

	pthread_mutex_lock(&log->lock);
	refill(log, now);
	admitted = log->room;
	if (admitted) {
		log->room--;
		*suppressed = log->suppressed;
		log->suppressed = 0;
	} else {
		log->suppressed++;
	}
	pthread_mutex_unlock(&log->lock);
	return admitted;
}

void vfio_user_log(struct vfio_user_log *log, int err, const char *format, ...)
{
	char text[LINE], client[32] = "";
	unsigned int suppressed;
	va_list args;
	pid_t pid;

	if (!vfio_user_log_admits(log, vfio_user_now(), &suppressed))
		return;
	pthread_mutex_lock(&log->lock);
	pid = log->client;
	pthread_mutex_unlock(&log->lock);
	if (pid)
		snprintf(client, sizeof(client), "client %d: ", (int)pid);
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	print_suppressed(log, suppressed);
	fprintf(stderr, "%s: %s%s%s%s\n", log->name, client, text, err ? ": " : "",
		err ? strerror(-err) : "");
}
