// SPDX-License-Identifier: GPL-2.0-only
/* What --link says, and the sockets that come of it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "emulator/uplink.h"

/* Bytes that a socket is asked to hold; the system may give less. */
#define BUFFER (4 << 20)

static const char grammar[] =
	"it is NAME,dgram=unix:LOCAL:PEER, NAME,dgram=inet:HOST:PORT:HOST:PORT or "
	"NAME,tap=INTERFACE";

/* --- the option ---------------------------------------------------------------------------- */

static bool is_name(const char *text)
{
	size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				  "_.+-");

	return len && len < UPLINK_NAME && !text[len];
}

/* One of @text's parts, of 1 to @most bytes. */
static bool take(const char *text, size_t most, char place[UPLINK_PLACE])
{
	if (!text || !*text || strlen(text) > most)
		return false;
	strcpy(place, text);
	return true;
}

static bool take_port(const char *text, uint16_t *port)
{
	char *end;
	unsigned long number;

	if (!text || *text < '0' || *text > '9')
		return false;
	number = strtoul(text, &end, 10);
	if (*end || !number || number > UINT16_MAX)
		return false;
	*port = (uint16_t)number;
	return true;
}

static const char *parse_place(char *place, struct uplink_options *options)
{
	char *save = NULL, *kind = strtok_r(place, ":", &save);
	const size_t path = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
	bool inet = kind && !strcmp(kind, "inet");

	if (!inet && (!kind || strcmp(kind, "unix")))
		return grammar;
	options->kind = inet ? UPLINK_INET : UPLINK_UNIX;
	if (!take(strtok_r(NULL, ":", &save), inet ? UPLINK_PLACE - 1 : path, options->local))
		return inet ? grammar : "a path has 1 to 107 bytes, and no colon";
	if (inet && !take_port(strtok_r(NULL, ":", &save), &options->local_port))
		return "a port is 1 to 65535";
	if (!take(strtok_r(NULL, ":", &save), inet ? UPLINK_PLACE - 1 : path, options->peer))
		return inet ? grammar : "a path has 1 to 107 bytes, and no colon";
	if (inet && !take_port(strtok_r(NULL, ":", &save), &options->peer_port))
		return "a port is 1 to 65535";
	if (strtok_r(NULL, ":", &save))
		return grammar;
	if (!inet && !strcmp(options->local, options->peer))
		return "the peer is the link itself";
	return NULL;
}

static const char *parse_impairment(const char *text, struct uplink_options *options)
{
	static char message[IMPAIRMENT_TEXT];

	if (!text)
		return NULL;
	if (strncmp(text, "impair=", 7))
		return grammar;
	options->impaired = !impairment_parse(text + 7, &options->impairment, message);
	return options->impaired ? NULL : message;
}

int uplink_parse(char *text, struct uplink_options *options, const char **why)
{
	char *save = NULL, *name = strtok_r(text, ",", &save), *what = strtok_r(NULL, ",", &save);
	char *how = strtok_r(NULL, ",", &save);

	memset(options, 0, sizeof(*options));
	*why = NULL;
	if (!name || !is_name(name))
		*why = "a name has 1 to 23 letters, digits and _.+-";
	else if (!what || (how && strtok_r(NULL, ",", &save)))
		*why = grammar;
	else if (!strncmp(what, "dgram=", 6))
		*why = parse_place(what + 6, options);
	else if (strncmp(what, "tap=", 4))
		*why = grammar;
	else if (!take(what + 4, IFNAMSIZ - 1, options->local))
		*why = "an interface has 1 to 15 bytes";
	else
		options->kind = UPLINK_TAP;
	if (!*why)
		*why = parse_impairment(how, options);
	if (*why)
		return -EINVAL;
	strcpy(options->name, name);
	return 0;
}

/* --- the descriptor ------------------------------------------------------------------------ */

static void grow(int fd)
{
	const int bytes = BUFFER;

	/* More is better, and less is no failure. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

/* What an emulator left that did not end well. */
static void remove_old(const char *path)
{
	struct stat stat;

	if (!lstat(path, &stat) && S_ISSOCK(stat.st_mode))
		unlink(path);
}

static int open_unix(const struct uplink_options *options, struct uplink_end *end)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX }, peer = { .sun_family = AF_UNIX };

	memcpy(local.sun_path, options->local, strnlen(options->local, sizeof(local.sun_path) - 1));
	memcpy(peer.sun_path, options->peer, strnlen(options->peer, sizeof(peer.sun_path) - 1));
	end->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (end->fd < 0)
		return -errno;
	remove_old(options->local);
	if (bind(end->fd, (const struct sockaddr *)&local, sizeof(local)))
		return -errno;
	strcpy(end->path, options->local);
	/* Not connected: the peer may come later, and come again. */
	memcpy(&end->to, &peer, sizeof(peer));
	end->to_len = sizeof(peer);
	grow(end->fd);
	return 0;
}

static int find_host(const char *host, uint16_t port, struct sockaddr_storage *address)
{
	const struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_DGRAM };
	struct addrinfo *found;
	char service[8];

	snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(host, service, &hints, &found))
		return -EINVAL;
	memcpy(address, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return 0;
}

static int open_inet(const struct uplink_options *options, struct uplink_end *end)
{
	struct sockaddr_storage local, peer;
	const socklen_t len = sizeof(struct sockaddr_in);

	if (find_host(options->local, options->local_port, &local) ||
	    find_host(options->peer, options->peer_port, &peer))
		return -EINVAL;
	end->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (end->fd < 0)
		return -errno;
	/* Connected: nobody else is heard. */
	if (bind(end->fd, (const struct sockaddr *)&local, len) ||
	    connect(end->fd, (const struct sockaddr *)&peer, len))
		return -errno;
	grow(end->fd);
	return 0;
}

static int open_tap(const struct uplink_options *options, struct uplink_end *end)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };

	memcpy(request.ifr_name, options->local,
	       strnlen(options->local, sizeof(request.ifr_name) - 1));
	end->fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (end->fd < 0)
		return -errno;
	return ioctl(end->fd, TUNSETIFF, &request) ? -errno : 0;
}

int uplink_open(const struct uplink_options *options, struct uplink_end *end)
{
	int ret;

	*end = (struct uplink_end){ .fd = -1 };
	ret = options->kind == UPLINK_UNIX   ? open_unix(options, end)
	      : options->kind == UPLINK_INET ? open_inet(options, end)
					     : open_tap(options, end);
	if (ret && end->fd >= 0)
		close(end->fd);
	return ret;
}
