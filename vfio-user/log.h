/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a server says on stderr about its client: at most VFIO_USER_LOG_BURST lines at once, and
 * then one per second; how many were left out is said with the next. Any thread may call these.
 */
#ifndef VFIO_USER_LOG_H
#define VFIO_USER_LOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define VFIO_USER_LOG_BURST 20

struct vfio_user_log {
	pthread_mutex_t lock;
	const char *name;
	pid_t client;		 /* 0: none */
	unsigned int room;	 /* lines that may come at once */
	unsigned int suppressed; /* lines left out since the last one */
	uint64_t refilled;	 /* ns */
};

/* @name: of the device, stays the caller's. */
void vfio_user_log_init(struct vfio_user_log *log, const char *name);
/* Says what was left out. */
void vfio_user_log_destroy(struct vfio_user_log *log);
/* The process that the next lines are about, 0: none. */
void vfio_user_log_client(struct vfio_user_log *log, pid_t client);
/*
 * Print device, client, the text, and what @err means, a negative errno, or 0: nothing more. The
 * text is ours: nothing that a client sent goes into it but numbers.
 */
__attribute__((format(printf, 3, 4))) void vfio_user_log(struct vfio_user_log *log, int err,
							 const char *format, ...);

/* May a line be printed at @now (ns)? Then *@suppressed were left out since the last one. */
bool vfio_user_log_admits(struct vfio_user_log *log, uint64_t now, unsigned int *suppressed);

#endif
