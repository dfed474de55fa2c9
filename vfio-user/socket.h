/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The socket: listen, receive whole messages, send whole messages.
 *
 * One thread attaches, receives and detaches. Any thread may send, and stop.
 */
#ifndef VFIO_USER_SOCKET_H
#define VFIO_USER_SOCKET_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/uio.h>

#include "vfio-user/message.h"

struct vfio_user_socket {
	pthread_mutex_t sending; /* a whole message at a time; taken before @lock */
	pthread_mutex_t lock;	 /* the fields below; @fd changes under both */
	int fd;
	unsigned int connection; /* number of the current one */
	bool stopped;
};

/*
 * A listening socket at @path, in place of one that nobody listens on any more. Returns a
 * descriptor or -errno: -EADDRINUSE somebody listens, or it is no socket; -ENAMETOOLONG.
 */
int vfio_user_listen(const char *path);

void vfio_user_socket_init(struct vfio_user_socket *sock);
void vfio_user_socket_destroy(struct vfio_user_socket *sock);
/* Wait for a client and make it the current connection. Returns 0 or -errno; -ESHUTDOWN stopped. */
int vfio_user_socket_attach(struct vfio_user_socket *sock, int listener);
void vfio_user_socket_detach(struct vfio_user_socket *sock);
/* Break the connection, and have @listener accept none any more. */
void vfio_user_socket_stop(struct vfio_user_socket *sock, int listener);

/*
 * Receive one message: all of it is read, so that the stream stays in step, but the body of one
 * with @fault set may be missing. @fault: as vfio_user_check_header(), or -EINVAL more than
 * VFIO_USER_FDS_MAX descriptors. The caller closes the descriptors in @msg. Returns 0; -EPIPE the
 * client is gone; other -errno.
 */
int vfio_user_socket_receive(struct vfio_user_socket *sock, struct vfio_user_message *msg,
			     int *fault);
/*
 * Send a whole message, with descriptor @fd unless -1, if @connection is still the current one.
 * @iov is used up. Returns 0 or -EIO; a message cut short breaks the connection.
 */
int vfio_user_socket_send(struct vfio_user_socket *sock, unsigned int connection, struct iovec *iov,
			  size_t iovcnt, int fd);

#endif
