// SPDX-License-Identifier: GPL-2.0-only OR Linux-OpenIB
#include <ctype.h>
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "bar_common.h"

volatile sig_atomic_t bar_stop;

struct bar_header bar_header(enum bar_kind kind)
{
	return (struct bar_header){ .magic = htobe32(BAR_MAGIC),
				    .version = BAR_VERSION,
				    .kind = (uint8_t)kind };
}

bool bar_is(enum bar_kind kind, const void *data, size_t length)
{
	static const size_t least[] = { [BAR_REQUEST] = sizeof(struct bar_request),
					[BAR_OFFER] = sizeof(struct bar_offer),
					[BAR_REFUSAL] = sizeof(struct bar_refusal) };
	struct bar_header want = bar_header(kind);

	return data && length >= least[kind] && !memcmp(data, &want, sizeof(want));
}

void bar_refusal_text(const struct bar_refusal *refusal, char text[128])
{
	memcpy(text, refusal->text, sizeof(refusal->text));
	text[sizeof(refusal->text) - 1] = 0;
	for (char *c = text; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
}

bool bar_job(const struct bar_request *request, struct bar_job *job)
{
	job->size = be32toh(request->size);
	job->count = be32toh(request->count);
	job->seed = be32toh(request->seed);
	return job->size && job->count;
}

uint32_t bar_slots(const struct bar_job *job, uint32_t len)
{
	uint32_t room = len / job->size;

	return room < job->count ? room : job->count;
}

uint64_t bar_place(const struct bar_job *job, uint32_t len, uint32_t number)
{
	return (uint64_t)(number % bar_slots(job, len)) * job->size;
}

uint32_t bar_last(const struct bar_job *job, uint32_t len, uint32_t slot)
{
	uint32_t slots = bar_slots(job, len);

	return slot + (job->count - 1 - slot) / slots * slots;
}

void bar_fill(const struct bar_job *job, uint32_t number, uint8_t *buf)
{
	uint32_t state = (job->seed + number) * 2654435761u + 1;

	/* Linear congruential: the upper bits differ from byte to byte and from message to message.
	 */
	for (uint32_t i = 0; i < job->size; i++) {
		state = state * 1664525u + 1013904223u;
		buf[i] = (uint8_t)(state >> 24);
	}
}

uint32_t bar_differs(const uint8_t *a, const uint8_t *b, uint32_t size)
{
	uint32_t i = 0;

	while (i < size && a[i] == b[i])
		i++;
	return i;
}

bool bar_version(int argc, char **argv)
{
	if (argc != 2 || strcmp(argv[1], "--version"))
		return false;
	printf("%s " TPH_VERSION "\n", program_invocation_short_name);
	return true;
}

bool bar_number(int opt, const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, !strncasecmp(text, "0x", 2) ? 16 : 10);
	if (*text < '0' || *text > '9' || *end || errno || number < min || number > max) {
		warnx("-%c %s: not a number in %llu..%llu", opt, text, (unsigned long long)min,
		      (unsigned long long)max);
		return false;
	}
	*value = number;
	return true;
}

static void remember(int sig)
{
	if (sig != SIGALRM)
		bar_stop = sig;
	alarm(1);
}

void bar_catch_signals(void)
{
	/* No SA_RESTART: calls that wait are to end. */
	struct sigaction action = { .sa_handler = remember };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
}

int bar_status(int ret)
{
	if (!bar_stop)
		return ret ? 1 : 0;
	warnx("ended by signal %d (%s)", (int)bar_stop, strsignal(bar_stop));
	return 128 + bar_stop;
}

void bar_peer(const struct sockaddr *addr, char text[64])
{
	char host[NI_MAXHOST], port[NI_MAXSERV];
	socklen_t length = addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						       : sizeof(struct sockaddr_in);

	if (getnameinfo(addr, length, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		snprintf(text, 64, "unknown address");
	else
		snprintf(text, 64, "%.46s port %.5s", host, port);
}

void bar_cannot_listen(const char *server, const char *port, int err)
{
	/* rdma_bind_addr(3) says EADDRNOTAVAIL to a port in use and to an address of no device. */
	if (err != EADDRNOTAVAIL && err != EADDRINUSE)
		warnx("-s %s -p %s: cannot listen: %s", server ? server : "(any)", port,
		      strerror(err));
	else if (server)
		warnx("-s %s -p %s: no RDMA device has this address, or the port is in use", server,
		      port);
	else
		warnx("-p %s: this port is in use", port);
}
