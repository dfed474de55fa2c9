/* SPDX-License-Identifier: GPL-2.0-only */
#include "vfio-user/tests/transfer.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *run_job(void *arg)
{
	struct job *job = arg;

	job->started = 1;
	job->ret = job->write ? vfio_user_dma_write(job->server, job->addr, job->buf, job->len)
			      : vfio_user_dma_read(job->server, job->addr, job->buf, job->len);
	job->done = 1;
	return NULL;
}

void job_start(struct fixture *f, struct job *job, bool write, uint64_t addr, size_t len)
{
	*job = (struct job){ .write = write, .addr = addr, .len = len, .ret = 1 };
	job->server = f->server;
	job->buf = malloc(len);
	assert_non_null(job->buf);
	for (size_t i = 0; i < len; i++)
		job->buf[i] = write ? (addr + i) * 31 >> 3 : 0xee;
	assert_int_equal(pthread_create(&job->thread, NULL, run_job, job), 0);
}

void jobs_await(struct job *job, int jobs)
{
	for (int i = 0; i < jobs; i++)
		expect_soon(&job[i].started, 1);
	usleep(100000);
}

int job_finish(struct job *job)
{
	expect_soon(&job->done, 1);
	pthread_join(job->thread, NULL);
	free(job->buf);
	return job->ret;
}

struct vfio_user_dma_access dma_receive(struct fixture *f, struct vfio_user_message *m)
{
	struct vfio_user_dma_access a;

	client_receive(f, m);
	assert_int_equal(m->header.flags, VFIO_USER_REQUEST);
	assert_int_equal(m->header.error, 0);
	assert_int_equal(m->nfds, 0);
	memcpy(&a, m->body, sizeof(a));
	if (m->header.command == VFIO_USER_DMA_WRITE) {
		assert_int_equal(m->len, 16 + a.count);
		for (size_t i = 0; i < a.count; i++)
			assert_int_equal(m->body[16 + i], (uint8_t)((a.addr + i) * 31 >> 3));
	} else {
		assert_int_equal(m->header.command, VFIO_USER_DMA_READ);
		assert_int_equal(m->len, 16);
	}
	return a;
}

void dma_answer(struct fixture *f, struct vfio_user_message *m, uint32_t error)
{
	struct vfio_user_dma_access a;

	memcpy(&a, m->body, sizeof(a));
	m->header.flags = VFIO_USER_REPLY | (error ? VFIO_USER_ERROR : 0);
	m->header.error = error;
	m->header.size = 32;
	if (error)
		m->header.size = 16;
	else if (m->header.command == VFIO_USER_DMA_READ)
		m->header.size = 32 + a.count;
	for (size_t i = 0; i < a.count; i++)
		m->body[16 + i] = (a.addr + i) * 13 >> 2;
	client_send_raw(f->sock, &m->header, 16, NULL, 0);
	if (m->header.size > 16)
		client_send_raw(f->sock, m->body, m->header.size - 16, NULL, 0);
}

void dma_expect(const uint8_t *buf, uint64_t addr, size_t len)
{
	for (size_t i = 0; i < len; i++)
		assert_int_equal(buf[i], (uint8_t)((addr + i) * 13 >> 2));
}

bool client_quiet(struct fixture *f)
{
	struct pollfd p = { .fd = f->sock, .events = POLLIN };

	return poll(&p, 1, 50) == 0;
}
