/* SPDX-License-Identifier: GPL-2.0 */
#include "vfio-user/irq.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

int vfio_user_irqs_init(struct vfio_user_irqs *irqs, unsigned int vectors)
{
	irqs->fd = calloc(vectors ? vectors : 1, sizeof(*irqs->fd));
	if (!irqs->fd)
		return -ENOMEM;
	irqs->vectors = vectors;
	for (unsigned int i = 0; i < vectors; i++)
		irqs->fd[i] = -1;
	pthread_mutex_init(&irqs->lock, NULL);
	return 0;
}

void vfio_user_irqs_destroy(struct vfio_user_irqs *irqs)
{
	vfio_user_irqs_clear(irqs);
	pthread_mutex_destroy(&irqs->lock);
	free(irqs->fd);
}

/* With the lock held. */
static void connect_vector(struct vfio_user_irqs *irqs, unsigned int vector, int fd)
{
	if (irqs->fd[vector] >= 0)
		close(irqs->fd[vector]);
	irqs->fd[vector] = fd;
}

static bool signal_vector(struct vfio_user_irqs *irqs, unsigned int vector)
{
	return irqs->fd[vector] >= 0 && !eventfd_write(irqs->fd[vector], 1);
}

int vfio_user_irqs_set(struct vfio_user_irqs *irqs, const struct vfio_user_irq_set *set, int *fds,
		       unsigned int nfds)
{
	bool event = set->flags == (VFIO_USER_SET_DATA_EVENT | VFIO_USER_SET_TRIGGER);
	bool none = set->flags == (VFIO_USER_SET_DATA_NONE | VFIO_USER_SET_TRIGGER);

	if (set->argsz < sizeof(*set) || set->index != VFIO_USER_IRQ_MSIX || (!event && !none) ||
	    set->start >= irqs->vectors || set->count > irqs->vectors - set->start)
		return -EINVAL;
	if (none && nfds)
		return -EINVAL;
	if (event && (!set->count || (nfds && nfds != set->count)))
		return -EINVAL;
	if (none && !set->count) {
		vfio_user_irqs_clear(irqs);
		return 0;
	}

	pthread_mutex_lock(&irqs->lock);
	for (unsigned int i = 0; i < set->count; i++) {
		if (none) {
			signal_vector(irqs, set->start + i);
			continue;
		}
		connect_vector(irqs, set->start + i, nfds ? fds[i] : -1);
		if (nfds)
			fds[i] = -1;
	}
	pthread_mutex_unlock(&irqs->lock);
	return 0;
}

void vfio_user_irqs_clear(struct vfio_user_irqs *irqs)
{
	pthread_mutex_lock(&irqs->lock);
	for (unsigned int i = 0; i < irqs->vectors; i++)
		connect_vector(irqs, i, -1);
	pthread_mutex_unlock(&irqs->lock);
}

bool vfio_user_irqs_signal(struct vfio_user_irqs *irqs, unsigned int vector)
{
	bool signalled;

	if (vector >= irqs->vectors)
		return false;
	pthread_mutex_lock(&irqs->lock);
	signalled = signal_vector(irqs, vector);
	pthread_mutex_unlock(&irqs->lock);
	return signalled;
}
