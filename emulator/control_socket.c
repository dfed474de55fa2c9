// SPDX-License-Identifier: GPL-2.0-only
/* Clients of the control socket: one thread, no write that waits, and bounded memory for each. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "emulator/control.h"

#define CLIENTS	 CONTROL_CLIENTS
#define LINE	 CONTROL_LINE
#define BACKLOG	 64
#define PAUSE_MS 100

struct client {
	int fd;	    /* -1: free */
	int passed; /* the descriptor that came last and no request has had, -1: none */
	pid_t pid;
	unsigned long heard; /* when it last sent something: control->now */
	size_t used;
	char line[LINE];
	char *answer; /* NULL: none is under way, and the next line may be taken */
	size_t length, sent;
};

struct control {
	struct control_scope scope;
	struct sockaddr_un address;
	int listener, stop;
	bool deaf; /* nobody can be accepted for a while */
	unsigned long now;
	pthread_t thread;
	struct client client[CLIENTS];
};

static void hang_up(struct client *client)
{
	close(client->fd);
	if (client->passed >= 0)
		close(client->passed);
	free(client->answer);
	*client = (struct client){ .fd = -1, .passed = -1 };
}

/* Sends as much as the client takes now. */
static void send_answer(struct client *client)
{
	ssize_t sent = send(client->fd, client->answer + client->sent,
			    client->length - client->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		hang_up(client);
		return;
	}
	if (sent > 0)
		client->sent += (size_t)sent;
	if (client->sent == client->length) {
		free(client->answer);
		client->answer = NULL;
	}
}

static bool is_printable(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((text[i] < ' ' || text[i] > '~') && text[i] != '\t' && text[i] != '\r')
			return false;
	return true;
}

/* The line that ends at @newline. */
static void take_line(struct control *control, struct client *client, char *newline)
{
	size_t length = (size_t)(newline - client->line);

	*newline = '\0';
	client->answer =
		is_printable(client->line, length)
			? control_answer_with(&control->scope, client->line, &client->passed)
			: strdup("{\"error\":\"a request has printable ASCII characters only\"}\n");
	if (client->passed >= 0) {
		close(client->passed);
		client->passed = -1;
	}
	client->used -= length + 1;
	memmove(client->line, newline + 1, client->used);
	if (!client->answer) {
		hang_up(client);
		return;
	}
	client->length = strlen(client->answer);
	client->sent = 0;
	send_answer(client);
}

static char *find_newline(const struct client *client)
{
	return client->answer ? NULL : memchr(client->line, '\n', client->used);
}

/*
 * Room is for one descriptor, without the padding, in which there would be another one; the kernel
 * closes what comes beyond it.
 */
static ssize_t receive_message(struct client *client)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec part = { client->line + client->used, LINE - client->used };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = CMSG_LEN(sizeof(int)) };
	ssize_t got = recvmsg(client->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *header = got >= 0 ? CMSG_FIRSTHDR(&message) : NULL;

	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len >= CMSG_LEN(sizeof(int))) {
		if (client->passed >= 0)
			close(client->passed);
		memcpy(&client->passed, CMSG_DATA(header), sizeof(int));
	}
	return got;
}

static void receive(struct control *control, struct client *client)
{
	ssize_t got = receive_message(client);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		hang_up(client);
		return;
	}
	client->used += (size_t)got;
	client->heard = control->now;
	if (client->used == LINE && !find_newline(client)) /* no request is this long */
		hang_up(client);
}

/* One step: what was sent in one go by one client does not keep the others waiting. */
static void serve_client(struct control *control, struct client *client, short events)
{
	char *newline;

	if (client->answer && events)
		send_answer(client);
	else if (!client->answer && events)
		receive(control, client);
	newline = client->fd >= 0 ? find_newline(client) : NULL;
	if (newline)
		take_line(control, client, newline);
}

static unsigned int clients_of(const struct control *control, pid_t pid)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < CLIENTS; i++)
		count += control->client[i].fd >= 0 && control->client[i].pid == pid;
	return count;
}

/* A place for a new client, whose process counts as having one more. */
static struct client *make_room(struct control *control, pid_t pid)
{
	struct client *quiet = NULL;
	unsigned int most = 0;

	for (unsigned int i = 0; i < CLIENTS; i++) {
		struct client *client = &control->client[i];
		unsigned int count;

		if (client->fd < 0)
			return client;
		count = clients_of(control, client->pid) + (client->pid == pid);
		if (count > most || (count == most && client->heard < quiet->heard)) {
			most = count;
			quiet = client;
		}
	}
	hang_up(quiet);
	return quiet;
}

static void accept_client(struct control *control)
{
	int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);
	struct client *client;

	if (fd < 0) {
		/* A lack of descriptors or memory passes, but poll() does not wait for that. */
		control->deaf = errno != EAGAIN && errno != EINTR && errno != ECONNABORTED;
		return;
	}
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	client = make_room(control, peer.pid);
	client->fd = fd;
	client->pid = peer.pid;
	client->heard = control->now;
}

static void *control_thread(void *arg)
{
	struct control *control = arg;

	for (;; control->now++) {
		struct pollfd polled[CLIENTS + 2] = {
			{ .fd = control->stop, .events = POLLIN },
			{ .fd = control->deaf ? -1 : control->listener, .events = POLLIN },
		};
		int timeout = control->deaf ? PAUSE_MS : -1;

		for (unsigned int i = 0; i < CLIENTS; i++) {
			struct client *client = &control->client[i];

			polled[i + 2] =
				(struct pollfd){ .fd = client->fd,
						 .events = client->answer ? POLLOUT : POLLIN };
			if (client->fd >= 0 && find_newline(client))
				timeout = 0;
		}
		control->deaf = false;
		if (poll(polled, CLIENTS + 2, timeout) < 0)
			continue;
		if (polled[0].revents)
			return NULL;
		for (unsigned int i = 0; i < CLIENTS; i++)
			if (control->client[i].fd >= 0)
				serve_client(control, &control->client[i], polled[i + 2].revents);
		if (polled[1].revents)
			accept_client(control);
	}
}

/* Returns 0 or an errno. */
static int listen_at(struct control *control, const char *path)
{
	struct sockaddr_un *address = &control->address;

	address->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(address->sun_path))
		return ENAMETOOLONG;
	strcpy(address->sun_path, path);
	if (control->listener < 0 || control->stop < 0 ||
	    bind(control->listener, (struct sockaddr *)address, sizeof(*address)))
		return errno;
	return listen(control->listener, BACKLOG) ? errno : 0;
}

struct control *control_start(const char *path, const struct control_scope *scope)
{
	struct control *control = calloc(1, sizeof(*control));
	int ret;

	if (!control)
		return NULL;
	control->scope = *scope;
	for (unsigned int i = 0; i < CLIENTS; i++)
		control->client[i].fd = control->client[i].passed = -1;
	control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	control->stop = eventfd(0, EFD_CLOEXEC);
	ret = listen_at(control, path);
	if (ret)
		goto fail;
	ret = pthread_create(&control->thread, NULL, control_thread, control);
	if (!ret)
		return control;
	unlink(path);
fail:
	if (control->listener >= 0)
		close(control->listener);
	if (control->stop >= 0)
		close(control->stop);
	free(control);
	errno = ret;
	return NULL;
}

void control_stop(struct control *control)
{
	if (!control)
		return;
	eventfd_write(control->stop, 1);
	pthread_join(control->thread, NULL);
	for (unsigned int i = 0; i < CLIENTS; i++)
		if (control->client[i].fd >= 0)
			hang_up(&control->client[i]);
	close(control->listener);
	close(control->stop);
	unlink(control->address.sun_path);
	free(control);
}
