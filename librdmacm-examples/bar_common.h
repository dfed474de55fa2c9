/* SPDX-License-Identifier: GPL-2.0-only OR Linux-OpenIB */
/*
 * What both sides of the service know: private data of the connection, contents of the messages,
 * options, signals.
 *
 * A client says in the private data of its request what it is going to write. The server answers
 * with an offer of memory in the private data of the accept, or with a refusal in that of the
 * reject. InfiniBand pads private data with zeros and RDMA_PS_TCP keeps some of it, so that 56
 * bytes are left for a request, 196 for an offer and 148 for a refusal (rdma_connect(3),
 * rdma_accept(3), rdma_reject(3)).
 *
 * The client writes @count messages of @size bytes into slots of that size, one after the other and
 * from the first one again behind the last; then it sends an empty message, or its last write
 * carries an immediate. It disconnects when it needs the memory no more.
 */
#ifndef BAR_COMMON_H
#define BAR_COMMON_H

#include <linux/types.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define BAR_PORT    "7471"
#define BAR_MAGIC   0x52424152 /* "RBAR" */
#define BAR_VERSION 1

enum bar_kind { BAR_REQUEST = 1, BAR_OFFER, BAR_REFUSAL };

struct bar_header {
	__be32 magic;
	uint8_t version;
	uint8_t kind; /* enum bar_kind */
	uint8_t reserved[2];
};

struct bar_request {
	struct bar_header header;
	__be32 size; /* bytes of a message */
	__be32 count;
	__be32 seed;
};

/* The memory key has a hint; it is one of 16 bits. */
#define BAR_OFFER_TPH	 0x1
#define BAR_OFFER_TAG_16 0x2

struct bar_offer {
	struct bar_header header;
	__be64 addr;
	__be32 rkey;
	__be32 len;
	__be16 tag;
	uint8_t ph;
	uint8_t flags;
	uint8_t reserved[4];
};

struct bar_refusal {
	struct bar_header header;
	char text[128]; /* the cause, ends with 0 */
};

/* What private data of that kind begin with. */
struct bar_header bar_header(enum bar_kind kind);
/* Is @data of @length bytes, as an event of rdma_cm has it, of that kind? NULL is of none. */
bool bar_is(enum bar_kind kind, const void *data, size_t length);
/* Copies the text of @refusal to @text without what a terminal would not print. */
void bar_refusal_text(const struct bar_refusal *refusal, char text[128]);

/* What a client writes, in the order of this machine. size and count are not 0. */
struct bar_job {
	uint32_t size, count, seed;
};

/* Takes it out of a request that bar_is(); false if size or count are 0. */
bool bar_job(const struct bar_request *request, struct bar_job *job);
/* Slots of the job in @len bytes that are written to; 0 if not one message fits. */
uint32_t bar_slots(const struct bar_job *job, uint32_t len);
/* Where message @number goes, in bytes. */
uint64_t bar_place(const struct bar_job *job, uint32_t len, uint32_t number);
/* The message that is the last one written to @slot, of bar_slots(). */
uint32_t bar_last(const struct bar_job *job, uint32_t len, uint32_t slot);
/* Writes the bytes of message @number to @buf, which has room for job->size. */
void bar_fill(const struct bar_job *job, uint32_t number, uint8_t *buf);
/* The first of @size bytes in which @a and @b differ, or @size. */
uint32_t bar_differs(const uint8_t *a, const uint8_t *b, uint32_t size);

/* Reads a number in @min..@max, decimal or with 0x; says what is wrong with option @opt, if so. */
bool bar_number(int opt, const char *text, uint64_t min, uint64_t max, uint64_t *value);

/* Whether the one argument is --version; prints it then. */
bool bar_version(int argc, char **argv);

/* SIGINT or SIGTERM that came, else 0. */
extern volatile sig_atomic_t bar_stop;
/*
 * From now on these signals are remembered and end system calls with EINTR. One that comes just
 * before a call would be missed by it: so they are repeated, by SIGALRM, once a second.
 */
void bar_catch_signals(void);
/* The exit status of a program: 128 + signal, or 1 if @ret is not 0. */
int bar_status(int ret);

/* An address and its port, "10.7.0.1 port 4711". */
void bar_peer(const struct sockaddr *addr, char text[64]);
/* Says why @server (NULL: any address) and @port cannot be listened at: @err, positive. */
void bar_cannot_listen(const char *server, const char *port, int err);

#endif
