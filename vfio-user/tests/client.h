/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The client's end, and a device to serve. A call that cannot do its part fails the running test.
 */
#ifndef VFIO_USER_TESTS_CLIENT_H
#define VFIO_USER_TESTS_CLIENT_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdatomic.h>

#include "vfio-user/message.h"
#include "vfio-user/protocol.h"
#include "vfio-user/server.h"

#define BAR0_SIZE    0x10000
#define BAR0_MAPPED  0x1000 /* one page of BAR 0 is host-mappable, and all of BAR 2 */
#define BAR2_SIZE    0x2000
#define CONFIG_SIZE  4096
#define VECTORS	     20
#define BAD_REGISTER 0x8000 /* in BAR 0: reads and writes fail with EPERM */

struct device {
	struct vfio_user_server *server;
	uint8_t bar0[BAR0_SIZE];
	atomic_uint reads, writes, resets, connects, disconnects;
	bool map_seen; /* by disconnected() */
};

struct fixture {
	char dir[32];
	char path[64];
	int bar_fd;
	struct device dev;
	struct vfio_user_config config;
	struct vfio_user_server *server;
	int sock;
	uint16_t id;
};

/* A server, started; no client. */
void fixture_start(struct fixture *f);
/* With other ops, and time-outs in ms, 0: the defaults. */
void fixture_start_with(struct fixture *f, const struct vfio_user_ops *ops,
			unsigned int dma_timeout, unsigned int send_timeout);
/* As above, with a client that has negotiated a version. */
void fixture_connect(struct fixture *f);
void fixture_stop(struct fixture *f);
extern const struct vfio_user_ops device_ops;

/* A connection to @path, or -1 with errno. Receives give up after some seconds. */
int client_open(const char *path);
void client_send_raw(int sock, const void *buf, size_t len, const int *fds, unsigned int nfds);
/* Send a request; returns its id. */
uint16_t client_send(struct fixture *f, unsigned int command, unsigned int flags, const void *body,
		     size_t len, const int *fds, unsigned int nfds);
void client_receive(struct fixture *f, struct vfio_user_message *msg);
/* Send a request, receive its reply, return its error, 0 for none. */
int client_ask(struct fixture *f, unsigned int command, const void *body, size_t len,
	       const int *fds, unsigned int nfds, struct vfio_user_message *reply);
int client_version(struct fixture *f, const char *json);
/* Has the server closed the connection? */
void client_expect_end(struct fixture *f);
int client_map(struct fixture *f, uint64_t addr, uint64_t size, uint32_t flags, int fd,
	       uint64_t offset);
int client_unmap(struct fixture *f, uint64_t addr, uint64_t size);
int client_set_irqs(struct fixture *f, uint32_t flags, uint32_t start, uint32_t count,
		    const int *fds, unsigned int nfds);

/* Wait, some seconds at most, until *@value is @wanted. */
void expect_soon(const atomic_uint *value, unsigned int wanted);
unsigned int open_fds(void);
/* Whether the eventfd @event has counted anything; it is zero afterwards. */
bool counted(int event);
int new_memfd(size_t size);
/* All that goes to stderr from now on, up to the call of the second: then a string, to be freed. */
void capture_stderr(void);
char *captured_stderr(void);

#endif
