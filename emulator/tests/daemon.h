/* SPDX-License-Identifier: GPL-2.0-only */
/* For tests of the program: a tph-emulator with two HCAs and a GPU, and vfio-user clients of it. */
#ifndef EMULATOR_TESTS_DAEMON_H
#define EMULATOR_TESTS_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "vfio-user/protocol.h"
#include "vfio-user/server.h"

/*
 * Ends what would hang, and fails the test. Less than what a DMA message may take to be answered:
 * that is not to be what ended a wait.
 */
#define GUARD_MS 6000

struct daemon {
	pid_t pid;
	char dir[32], error[48]; /* of sockets, and the file with its stderr */
};

struct daemon_limit {
	int resource;
	rlim_t value;
};

/* Starts it with @options (NULL-terminated, or NULL) beside its devices; returns when it serves. */
void daemon_start(struct daemon *daemon, const char *const *options,
		  const struct daemon_limit *limit);
/* SIGTERM. Returns its exit status. Fails when it is still there after GUARD_MS. */
int daemon_stop(struct daemon *daemon);
/* Whatever state it is in. */
void daemon_remove(struct daemon *daemon);
/* "DIR/NAME", in a buffer that the next call reuses. */
const char *daemon_path(const struct daemon *daemon, const char *name);
/* Whether its stderr has @text. */
bool daemon_said(const struct daemon *daemon, const char *text);

/* A connection to socket @name, -1 with errno when there is none to be had at once. */
int daemon_connect(const struct daemon *daemon, const char *name);
/* The first @size - 1 bytes of the answer to @request on a new control connection. */
void daemon_control(const struct daemon *daemon, const char *request, char *answer, size_t size);

#define CLIENT_MEMORY 0x100000u

struct client {
	int fd, memory_fd;
	uint16_t id;
	unsigned int requests; /* of the server, that came before replies and got none */
	uint8_t *memory;       /* mapped at address 0, if client_memory() was called */
};

/* Connects to device @name and negotiates. */
void client_open(struct client *client, const struct daemon *daemon, const char *name);
void client_close(struct client *client);
/* A request with up to one descriptor (-1: none). */
void client_send(struct client *client, uint16_t command, const void *body, size_t size, int fd,
		 uint32_t flags);
/*
 * The next message. Returns false when the connection has ended. @fd: a descriptor that came along,
 * or -1; NULL: none is expected.
 */
bool client_receive(struct client *client, struct vfio_user_header *header, void *body, size_t size,
		    int *fd);
/* client_send() and its reply. Returns 0 or the errno that it says. */
int client_ask(struct client *client, uint16_t command, const void *body, size_t size, int fd,
	       void *reply, size_t reply_size, int *reply_fd);
int client_read(struct client *client, unsigned int region, uint64_t offset, void *data,
		uint32_t size);
int client_write(struct client *client, unsigned int region, uint64_t offset, const void *data,
		 uint32_t size);
/* SET_IRQS of vector 0, with VFIO_USER_SET_* in @flags. */
int client_irq(struct client *client, uint32_t flags, int fd);
int client_map(struct client *client, uint64_t address, uint64_t size, int fd);
/* CLIENT_MEMORY bytes at address 0. */
void client_memory(struct client *client);
/* Lets an HCA be a bus master with a command queue at @address. */
void client_queue(struct client *client, uint64_t address);
void client_doorbell(struct client *client);
/*
 * Executes a command of @size bytes (at most 16). Returns its status byte, or -1 when the HCA gave
 * none.
 */
int client_command(struct client *client, const void *command, size_t size);
/* A new client of HCA @name gets it to do a command. */
void check_served(const struct daemon *daemon, const char *name);

#endif
