/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The socket: listen, receive whole messages, send whole messages.
 *
 * One thread attaches, receives and detaches. Any thread may send, break and stop.
 */
#ifndef VFIO_USER_SOCKET_H
#define VFIO_USER_SOCKET_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "vfio-user/message.h"

struct vfio_user_socket {
	pthread_mutex_t sending; /* a whole message at a time; taken before @lock */
	pthread_mutex_t lock;	 /* the fields below; @fd changes under both */
	int fd;
	atomic_uint connection; /* number of the current one */
	bool broken;		/* by us */
	bool stopped;
	unsigned int pollers; /* threads that wait for room in @fd */
	unsigned int rest_ms; /* for the rest of a message; set by the owner */
	pthread_cond_t polled;
};

/*
 * A listening socket at @path, its owner's alone from the moment it is there, in place of one that
 * nobody listens on any more. Returns a descriptor or -errno: -EADDRINUSE somebody listens, or it
 * is no socket; -ENAMETOOLONG.
 */
int vfio_user_listen(const char *path);

void vfio_user_socket_init(struct vfio_user_socket *sock);
void vfio_user_socket_destroy(struct vfio_user_socket *sock);
/*
 * Wait for a client and make it the current connection. @client: who it is. Returns 0; -EACCES it
 * is neither of our user nor root, and sent away; -ESHUTDOWN stopped; other -errno.
 */
int vfio_user_socket_attach(struct vfio_user_socket *sock, int listener, struct ucred *client);
void vfio_user_socket_detach(struct vfio_user_socket *sock);
/*
 * Break @connection if it is the current one; its reader finds out. Returns whether this did it:
 * false when it was broken or gone already.
 */
bool vfio_user_socket_break(struct vfio_user_socket *sock, unsigned int connection);
/* Break the connection, and have @listener accept none any more. */
void vfio_user_socket_stop(struct vfio_user_socket *sock, int listener);

/*
 * Receive one message: all of it is read, so that the stream stays in step, but the body of one
 * with @fault set may be missing. @fault: as vfio_user_check_header(), or -EINVAL more than
 * VFIO_USER_FDS_MAX descriptors, or more than this process has room for. The caller closes the
 * descriptors in @msg. Returns 0; -EPIPE the client is gone; other -errno.
 */
int vfio_user_socket_receive(struct vfio_user_socket *sock, struct vfio_user_message *msg,
			     int *fault);
/*
 * Send a whole message, with descriptor @fd unless -1, if @connection is still the current one,
 * waiting until @until (CLOCK_MONOTONIC, ns) for room. Returns 0, and @iov is used up; -EAGAIN no
 * room by then, nothing sent, @iov as it was; -EIO. A message cut short breaks the connection: one
 * of which a part is sent has @rest_ms for the rest, but the kernel takes all or nothing of up to
 * 32 KiB.
 */
int vfio_user_socket_send(struct vfio_user_socket *sock, unsigned int connection, struct iovec *iov,
			  size_t iovcnt, int fd, uint64_t until);

#endif
