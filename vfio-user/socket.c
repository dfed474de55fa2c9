/* SPDX-License-Identifier: GPL-2.0-only */
#include "vfio-user/socket.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "vfio-user/clock.h"

/*
 * Half of what the socket holds, bytes: the kernel doubles it. Several of the longest messages,
 * whatever the system's default.
 */
#define SEND_BUFFER 106496

/* The path is free, or what lies there is a socket that nobody listens on, and is removed. */
static int clear_path(const struct sockaddr_un *addr)
{
	struct stat st;
	int fd, ret;

	if (lstat(addr->sun_path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EADDRINUSE;
	/* Not to wait when the listener's queue is full. */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	ret = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) ? errno : 0;
	close(fd);
	if (ret != ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(addr->sun_path) && errno != ENOENT ? -errno : 0;
}

int vfio_user_listen(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, ret;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	ret = clear_path(&addr);
	if (ret)
		return ret;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* Linux makes the file with the mode of the socket: there is no moment with another one. */
	if (fchmod(fd, S_IRUSR | S_IWUSR) ||
	    bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 1)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

void vfio_user_socket_init(struct vfio_user_socket *sock)
{
	*sock = (struct vfio_user_socket){ .fd = -1 };
	pthread_mutex_init(&sock->sending, NULL);
	pthread_mutex_init(&sock->lock, NULL);
	pthread_cond_init(&sock->polled, NULL);
}

void vfio_user_socket_destroy(struct vfio_user_socket *sock)
{
	pthread_mutex_destroy(&sock->sending);
	pthread_mutex_destroy(&sock->lock);
	pthread_cond_destroy(&sock->polled);
}

static bool is_stopped(struct vfio_user_socket *sock)
{
	bool stopped;

	pthread_mutex_lock(&sock->lock);
	stopped = sock->stopped;
	pthread_mutex_unlock(&sock->lock);
	return stopped;
}

/* A lack of descriptors or memory passes; everything else would come again at once. */
static bool passes(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOMEM || err == ENOBUFS;
}

/* Who connected, and may it? */
static bool is_allowed(int fd, struct ucred *client)
{
	socklen_t len = sizeof(*client);

	*client = (struct ucred){ 0 };
	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, client, &len) &&
	       (client->uid == geteuid() || client->uid == 0);
}

int vfio_user_socket_attach(struct vfio_user_socket *sock, int listener, struct ucred *client)
{
	const int buffer = SEND_BUFFER;
	const struct timespec pause = { .tv_nsec = 100000000 };
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0) {
		int err = errno;

		if (is_stopped(sock))
			return -ESHUTDOWN;
		if (passes(err))
			nanosleep(&pause, NULL);
		else if (err != EINTR && err != ECONNABORTED)
			return -err;
	}
	if (!is_allowed(fd, client)) {
		close(fd);
		return -EACCES;
	}
	/* As much as the system allows is fine, too. */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));

	pthread_mutex_lock(&sock->sending);
	pthread_mutex_lock(&sock->lock);
	if (!sock->stopped) {
		sock->fd = fd;
		sock->connection++;
		sock->broken = false;
		fd = -1;
	}
	pthread_mutex_unlock(&sock->lock);
	pthread_mutex_unlock(&sock->sending);
	if (fd < 0)
		return 0;
	close(fd);
	return -ESHUTDOWN;
}

void vfio_user_socket_detach(struct vfio_user_socket *sock)
{
	int fd = sock->fd;

	/* Whoever waits for room comes out of it. */
	shutdown(fd, SHUT_RDWR);
	pthread_mutex_lock(&sock->sending);
	pthread_mutex_lock(&sock->lock);
	sock->fd = -1;
	while (sock->pollers)
		pthread_cond_wait(&sock->polled, &sock->lock);
	pthread_mutex_unlock(&sock->lock);
	pthread_mutex_unlock(&sock->sending);
	close(fd);
}

bool vfio_user_socket_break(struct vfio_user_socket *sock, unsigned int connection)
{
	bool breaks;

	pthread_mutex_lock(&sock->lock);
	breaks = sock->fd >= 0 && sock->connection == connection && !sock->broken;
	if (breaks) {
		sock->broken = true;
		shutdown(sock->fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&sock->lock);
	return breaks;
}

void vfio_user_socket_stop(struct vfio_user_socket *sock, int listener)
{
	pthread_mutex_lock(&sock->lock);
	sock->stopped = true;
	if (sock->fd >= 0)
		shutdown(sock->fd, SHUT_RDWR);
	pthread_mutex_unlock(&sock->lock);
	shutdown(listener, SHUT_RDWR);
}

/* Returns false when there were more than fit; those are closed. */
static bool take_fds(struct msghdr *hdr, struct vfio_user_message *msg)
{
	bool fit = !(hdr->msg_flags & MSG_CTRUNC);

	for (struct cmsghdr *c = CMSG_FIRSTHDR(hdr); c; c = CMSG_NXTHDR(hdr, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int fd;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (msg->nfds < VFIO_USER_FDS_MAX) {
				msg->fds[msg->nfds++] = fd;
			} else {
				close(fd);
				fit = false;
			}
		}
	}
	return fit;
}

/*
 * Descriptors come with the first byte of the data they were sent with. Asking for exactly a
 * header, then exactly its body, keeps those of the next message out of this one.
 */
static int receive_header(int fd, struct vfio_user_message *msg, int *fault)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(msg->fds))];
	size_t done = 0;

	while (done < sizeof(msg->header)) {
		struct iovec iov = { (char *)&msg->header + done, sizeof(msg->header) - done };
		struct msghdr hdr = {
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		ssize_t n = recvmsg(fd, &hdr, MSG_CMSG_CLOEXEC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EPIPE;
		if (!take_fds(&hdr, msg))
			*fault = -EINVAL;
		done += n;
	}
	return 0;
}

/* Without a control buffer the kernel drops any descriptor. */
static int receive_bytes(int fd, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = recv(fd, (char *)buf + done, len - done, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EPIPE;
		done += n;
	}
	return 0;
}

int vfio_user_socket_receive(struct vfio_user_socket *sock, struct vfio_user_message *msg,
			     int *fault)
{
	int fd = sock->fd, err, ret;
	size_t left;

	*fault = 0;
	msg->nfds = 0;
	msg->len = 0;
	ret = receive_header(fd, msg, fault);
	if (ret)
		return ret;
	err = vfio_user_check_header(&msg->header);
	if (err)
		*fault = err;
	if (msg->header.size < sizeof(msg->header))
		return 0;
	/* One that is too long goes through the buffer in pieces, and none is kept. */
	for (left = msg->header.size - sizeof(msg->header); left; left -= msg->len) {
		msg->len = left < sizeof(msg->body) ? left : sizeof(msg->body);
		ret = receive_bytes(fd, msg->body, msg->len);
		if (ret)
			return ret;
	}
	return 0;
}

static void advance(struct msghdr *hdr, size_t done)
{
	while (hdr->msg_iovlen && done >= hdr->msg_iov->iov_len) {
		done -= hdr->msg_iov->iov_len;
		hdr->msg_iov++;
		hdr->msg_iovlen--;
	}
	if (hdr->msg_iovlen) {
		hdr->msg_iov->iov_base = (char *)hdr->msg_iov->iov_base + done;
		hdr->msg_iov->iov_len -= done;
	}
}

/* Returns false when @until is over. Any event ends it: whoever sends then finds out. */
static bool poll_room(int fd, uint64_t until)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	uint64_t now = vfio_user_now();
	struct timespec left;

	if (now >= until)
		return false;
	left = vfio_user_timespec(until - now);
	return ppoll(&room, 1, &left, NULL) != 0 || vfio_user_now() < until;
}

/* Without a lock, as long as others may send. Returns 0; -EAGAIN @until is over; -EIO. */
static int await_room(struct vfio_user_socket *sock, unsigned int connection, uint64_t until)
{
	bool current, over;
	int fd;

	pthread_mutex_lock(&sock->lock);
	fd = sock->fd;
	current = fd >= 0 && sock->connection == connection;
	if (current)
		sock->pollers++;
	pthread_mutex_unlock(&sock->lock);
	if (!current)
		return -EIO;
	over = !poll_room(fd, until);
	pthread_mutex_lock(&sock->lock);
	if (!--sock->pollers)
		pthread_cond_signal(&sock->polled);
	pthread_mutex_unlock(&sock->lock);
	return over ? -EAGAIN : 0;
}

static int cut_short(int fd)
{
	/* The reader finds out and cleans up. */
	shutdown(fd, SHUT_RDWR);
	return -EIO;
}

/* Returns 0; -EAGAIN no room, nothing sent; -EIO. */
static int send_all(int fd, unsigned int rest_ms, struct msghdr *hdr)
{
	uint64_t until = 0;

	while (hdr->msg_iovlen) {
		ssize_t n = sendmsg(fd, hdr, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN && !until)
			return -EAGAIN;
		if (n < 0 && (errno != EAGAIN || !poll_room(fd, until)))
			return cut_short(fd);
		if (n < 0)
			continue;
		if (!until)
			until = vfio_user_now() + rest_ms * VFIO_USER_MS;
		hdr->msg_control = NULL;
		hdr->msg_controllen = 0;
		advance(hdr, n);
	}
	return 0;
}

static int send_now(struct vfio_user_socket *sock, unsigned int connection, struct msghdr *hdr)
{
	int ret = -EIO;

	pthread_mutex_lock(&sock->sending);
	if (sock->fd >= 0 && sock->connection == connection)
		ret = send_all(sock->fd, sock->rest_ms, hdr);
	pthread_mutex_unlock(&sock->sending);
	return ret;
}

int vfio_user_socket_send(struct vfio_user_socket *sock, unsigned int connection, struct iovec *iov,
			  size_t iovcnt, int fd, uint64_t until)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(fd))] = { 0 };
	struct msghdr hdr = { .msg_iov = iov, .msg_iovlen = iovcnt };
	int ret;

	if (fd >= 0) {
		struct cmsghdr *c = (struct cmsghdr *)control;

		hdr.msg_control = control;
		hdr.msg_controllen = sizeof(control);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	while ((ret = send_now(sock, connection, &hdr)) == -EAGAIN) {
		ret = await_room(sock, connection, until);
		if (ret)
			break;
	}
	return ret;
}
