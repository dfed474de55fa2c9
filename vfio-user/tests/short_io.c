/* SPDX-License-Identifier: GPL-2.0-only */
/* Linked with --wrap: while short_io is set, the server's socket calls move a few bytes each. */
#include <errno.h>
#include <stdatomic.h>
#include <sys/socket.h>

atomic_bool short_io;
/* So many sends find no room, once a part of a message is sent; negative: all of them. */
atomic_int no_room;

ssize_t __real_sendmsg(int sock, const struct msghdr *hdr, int flags);
ssize_t __wrap_sendmsg(int sock, const struct msghdr *hdr, int flags);
ssize_t __real_recvmsg(int sock, struct msghdr *hdr, int flags);
ssize_t __wrap_recvmsg(int sock, struct msghdr *hdr, int flags);
ssize_t __real_recv(int sock, void *buf, size_t len, int flags);
ssize_t __wrap_recv(int sock, void *buf, size_t len, int flags);

static size_t cut(size_t len, size_t most)
{
	return len < most ? len : most;
}

ssize_t __wrap_sendmsg(int sock, const struct msghdr *hdr, int flags)
{
	struct iovec first = hdr->msg_iov[0];
	struct msghdr part = *hdr;

	if (!short_io)
		return __real_sendmsg(sock, hdr, flags);
	/* The rest of a header. */
	if (first.iov_len < 16 && no_room) {
		no_room -= no_room > 0;
		errno = EAGAIN;
		return -1;
	}
	first.iov_len = cut(first.iov_len, 1000);
	if (first.iov_len < 20)
		first.iov_len = cut(first.iov_len, 7);
	part.msg_iov = &first;
	part.msg_iovlen = 1;
	return __real_sendmsg(sock, &part, flags);
}

ssize_t __wrap_recvmsg(int sock, struct msghdr *hdr, int flags)
{
	if (short_io && !(flags & MSG_WAITALL))
		hdr->msg_iov[0].iov_len = cut(hdr->msg_iov[0].iov_len, 5);
	return __real_recvmsg(sock, hdr, flags);
}

ssize_t __wrap_recv(int sock, void *buf, size_t len, int flags)
{
	return __real_recv(sock, buf, short_io && !(flags & MSG_WAITALL) ? cut(len, 999) : len,
			   flags);
}
