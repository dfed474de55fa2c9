/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DMA of the device: each transfer has a thread of its own, and the test is the client. Data of a
 * transfer are made of its address, both ways.
 */
#ifndef VFIO_USER_TESTS_TRANSFER_H
#define VFIO_USER_TESTS_TRANSFER_H

#include "vfio-user/tests/client.h"

#include <pthread.h>

#define CHUNK 32768
#define LIMIT 32 /* requests at once */

struct job {
	struct vfio_user_server *server;
	bool write;
	uint64_t addr;
	size_t len;
	uint8_t *buf; /* of a read: 0xee before */
	int ret;
	atomic_uint started, done;
	pthread_t thread;
};

void job_start(struct fixture *f, struct job *job, bool write, uint64_t addr, size_t len);
/* Until all are in their calls, as far as can be told. */
void jobs_await(struct job *job, int jobs);
/* Wait for its end, some seconds at most; returns what the call returned. */
int job_finish(struct job *job);

/* The next message is a DMA request; check its form. */
struct vfio_user_dma_access dma_receive(struct fixture *f, struct vfio_user_message *m);
/* Answer @m: @error, or success with data. */
void dma_answer(struct fixture *f, struct vfio_user_message *m, uint32_t error);
/* Is @buf what dma_answer() sent? */
void dma_expect(const uint8_t *buf, uint64_t addr, size_t len);
/* Nothing comes from the server, as far as can be told. */
bool client_quiet(struct fixture *f);

#endif
