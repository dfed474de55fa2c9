/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MSI-X vectors: the eventfds that the client connected. Any thread may call these, and none of
 * them ever waits for the client.
 *
 * An eventfd is signalled by the kernel, as the completion of an asynchronous read of nothing
 * (io_submit(2), IOCB_FLAG_RESFD). A write(2) to it would block when it is full, and O_NONBLOCK is
 * the client's to clear again at any moment, as the file is the same. A signal to a full one is
 * lost, as it says no more than what is in it.
 */
#ifndef VFIO_USER_IRQ_H
#define VFIO_USER_IRQ_H

#include <linux/aio_abi.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "vfio-user/protocol.h"

struct vfio_user_irqs {
	pthread_mutex_t lock;
	unsigned int vectors;
	int *fd; /* one per vector, -1: not connected */
	aio_context_t aio;
	int nothing; /* an empty file to read */
};

/* Returns 0 or -errno: -ENOSYS or -EAGAIN when the kernel has no asynchronous I/O (to give). */
int vfio_user_irqs_init(struct vfio_user_irqs *irqs, unsigned int vectors);
void vfio_user_irqs_destroy(struct vfio_user_irqs *irqs);

/*
 * Do what a SET_IRQS asks. The descriptors used are taken and become -1 in @fds; those of the
 * vectors before are closed. No descriptors at all: disconnect the vectors. No data: count 0
 * disconnects all, else signal the vectors. Returns 0; -EINVAL anything else, also a descriptor
 * that is no eventfd, nothing changed. Needs /proc to tell.
 */
int vfio_user_irqs_set(struct vfio_user_irqs *irqs, const struct vfio_user_irq_set *set, int *fds,
		       unsigned int nfds);
/* Disconnect all vectors. */
void vfio_user_irqs_clear(struct vfio_user_irqs *irqs);
/* Returns whether @vector exists, is connected and was signalled. */
bool vfio_user_irqs_signal(struct vfio_user_irqs *irqs, unsigned int vector);

#endif
