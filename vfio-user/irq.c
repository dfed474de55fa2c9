/* SPDX-License-Identifier: GPL-2.0-only */
#include "vfio-user/irq.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Completions that are fetched at once; the kernel has room for more than a few. */
#define COMPLETIONS 64

int vfio_user_irqs_init(struct vfio_user_irqs *irqs, unsigned int vectors)
{
	int ret;

	*irqs = (struct vfio_user_irqs){ .vectors = vectors };
	irqs->fd = calloc(vectors ? vectors : 1, sizeof(*irqs->fd));
	if (!irqs->fd)
		return -ENOMEM;
	irqs->nothing = memfd_create("vfio-user-irq", MFD_CLOEXEC);
	if (irqs->nothing < 0) {
		ret = -errno;
		free(irqs->fd);
		return ret;
	}
	if (syscall(SYS_io_setup, 1, &irqs->aio)) {
		ret = -errno;
		close(irqs->nothing);
		free(irqs->fd);
		return ret;
	}
	for (unsigned int i = 0; i < vectors; i++)
		irqs->fd[i] = -1;
	pthread_mutex_init(&irqs->lock, NULL);
	return 0;
}

void vfio_user_irqs_destroy(struct vfio_user_irqs *irqs)
{
	vfio_user_irqs_clear(irqs);
	pthread_mutex_destroy(&irqs->lock);
	syscall(SYS_io_destroy, irqs->aio);
	close(irqs->nothing);
	free(irqs->fd);
}

/* With the lock held. */
static void connect_vector(struct vfio_user_irqs *irqs, unsigned int vector, int fd)
{
	if (irqs->fd[vector] >= 0)
		close(irqs->fd[vector]);
	irqs->fd[vector] = fd;
}

/* Nobody looks at the completions; they only take up room. */
static bool drop_completions(struct vfio_user_irqs *irqs)
{
	const struct timespec now = { 0 };
	struct io_event events[COMPLETIONS];

	return syscall(SYS_io_getevents, irqs->aio, 0, COMPLETIONS, events, &now) > 0;
}

/* With the lock held. */
static bool signal_vector(struct vfio_user_irqs *irqs, unsigned int vector)
{
	struct iocb read = {
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_fildes = irqs->nothing,
		.aio_flags = IOCB_FLAG_RESFD,
		.aio_resfd = irqs->fd[vector],
	};
	struct iocb *one = &read;
	long ret;

	if (irqs->fd[vector] < 0)
		return false;
	do
		ret = syscall(SYS_io_submit, irqs->aio, 1, &one);
	while (ret < 0 && errno == EAGAIN && drop_completions(irqs));
	return ret == 1;
}

/* No name in the file system is without a slash. */
static bool is_eventfd(int fd)
{
	static const char eventfd[] = "anon_inode:[eventfd]";
	char path[32], kind[sizeof(eventfd)];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	len = readlink(path, kind, sizeof(kind));
	return len == sizeof(eventfd) - 1 && !memcmp(kind, eventfd, len);
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
	for (unsigned int i = 0; i < nfds; i++) {
		if (!is_eventfd(fds[i]))
			return -EINVAL;
	}
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
