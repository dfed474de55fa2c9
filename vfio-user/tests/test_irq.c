/* SPDX-License-Identifier: GPL-2.0-only */
/* The descriptors of vectors: what is taken, and what a client can do with them. */
#include "vfio-user/tests/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "vfio-user/irq.h"

#define EVENT (VFIO_USER_SET_DATA_EVENT | VFIO_USER_SET_TRIGGER)
#define NONE  (VFIO_USER_SET_DATA_NONE | VFIO_USER_SET_TRIGGER)
#define FULL  (UINT64_MAX - 1) /* the most that a write leaves in an eventfd */

static struct vfio_user_irqs irqs;

static int setup(void **state)
{
	(void)state;
	return vfio_user_irqs_init(&irqs, VECTORS);
}

static int teardown(void **state)
{
	(void)state;
	vfio_user_irqs_destroy(&irqs);
	return 0;
}

static int set(uint32_t flags, uint32_t start, uint32_t count, int *fds, unsigned int nfds)
{
	const struct vfio_user_irq_set request = { sizeof(request), flags, VFIO_USER_IRQ_MSIX,
						   start, count };

	return vfio_user_irqs_set(&irqs, &request, fds, nfds);
}

static eventfd_t value_of(int event)
{
	struct pollfd p = { .fd = event, .events = POLLIN };
	eventfd_t value = 0;

	if (poll(&p, 1, 0) == 1)
		assert_int_equal(eventfd_read(event, &value), 0);
	return value;
}

static int new_timer(void)
{
	return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
}

static int new_file(void)
{
	return memfd_create("anon_inode:[eventfd]", MFD_CLOEXEC);
}

static int new_epoll(void)
{
	return epoll_create1(EPOLL_CLOEXEC);
}

static int new_null(void)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static int new_path(void)
{
	return open("/proc/self/exe", O_PATH | O_CLOEXEC);
}

static int new_pipe(void)
{
	int ends[2];

	/* A write to it would be a SIGPIPE. */
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	return ends[1];
}

static int new_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* One that is no eventfd, alone or behind a good one: nothing changes, nothing is taken. */
static void test_only_eventfds(void **state)
{
	static int (*const kind[])(void) = { new_timer, new_file, new_epoll, new_null,
					     new_path,	new_pipe, new_socket };
	int before = eventfd(0, EFD_CLOEXEC), mine = before;

	(void)state;
	assert_int_equal(set(EVENT, 1, 1, &mine, 1), 0);
	assert_int_equal(mine, -1);
	for (size_t i = 0; i < sizeof(kind) / sizeof(*kind); i++) {
		int fds[2] = { eventfd(0, EFD_CLOEXEC), kind[i]() };
		int good = fds[0], bad = fds[1];
		unsigned int open = open_fds();

		assert_true(bad >= 0);
		assert_int_equal(set(EVENT, 1, 1, &fds[1], 1), -EINVAL);
		assert_int_equal(set(EVENT, 0, 2, fds, 2), -EINVAL);
		assert_int_equal(fds[0], good);
		assert_int_equal(fds[1], bad);
		assert_int_equal(open_fds(), open);
		assert_false(vfio_user_irqs_signal(&irqs, 0));
		assert_true(vfio_user_irqs_signal(&irqs, 1));
		assert_int_equal(value_of(before), 1);
		assert_int_equal(value_of(good), 0);
		close(good);
		close(bad);
	}
	mine = -1;
	assert_int_equal(set(EVENT, 1, 1, &mine, 1), -EINVAL);
	assert_true(vfio_user_irqs_signal(&irqs, 1));
}

/* More than the kernel has room for completions, each counted. */
static void test_many_signals(void **state)
{
	int flags[] = { EFD_CLOEXEC, EFD_CLOEXEC | EFD_NONBLOCK, EFD_CLOEXEC | EFD_SEMAPHORE };

	(void)state;
	for (int i = 0; i < 3; i++) {
		int event = eventfd(0, flags[i]), taken = dup(event);

		assert_int_equal(set(EVENT, 0, 1, &taken, 1), 0);
		for (int n = 0; n < 5000; n++)
			assert_true(vfio_user_irqs_signal(&irqs, 0));
		assert_int_equal(set(NONE, 0, 1, NULL, 0), 0);
		for (int n = 0; flags[i] & EFD_SEMAPHORE && n < 5000; n++)
			assert_int_equal(value_of(event), 1);
		assert_int_equal(value_of(event), flags[i] & EFD_SEMAPHORE ? 1 : 5001);
		assert_int_equal(value_of(event), 0);
		close(event);
	}
}

/* At its maximum, and blocking: it says already that there is something. */
static void test_full(void **state)
{
	int event = eventfd(0, EFD_CLOEXEC), taken = dup(event);

	(void)state;
	assert_int_equal(set(EVENT, 0, 1, &taken, 1), 0);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(eventfd_write(event, FULL - 1), 0);
		for (int i = 0; i < 3; i++)
			assert_true(vfio_user_irqs_signal(&irqs, 0));
		assert_int_equal(set(NONE, 0, 1, NULL, 0), 0);
		assert_true(value_of(event) >= FULL);
		/* and is of use again */
		assert_true(vfio_user_irqs_signal(&irqs, 0));
		assert_int_equal(value_of(event), 1);
	}
	close(event);
}

struct meddler {
	int event;
	atomic_bool stop;
	pthread_t thread;
};

static void *fill_and_block(void *arg)
{
	struct meddler *m = arg;

	while (!m->stop) {
		int flags = fcntl(m->event, F_GETFL);

		/* As full as it gets, then blocking. */
		fcntl(m->event, F_SETFL, flags | O_NONBLOCK);
		eventfd_write(m->event, FULL);
		eventfd_write(m->event, 1);
		fcntl(m->event, F_SETFL, flags & ~O_NONBLOCK);
	}
	return NULL;
}

/* A client that fills it and makes it blocking all the time keeps nobody. */
static void test_client_clears_nonblock(void **state)
{
	struct meddler m = { .event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	int taken = dup(m.event);

	(void)state;
	assert_int_equal(set(EVENT, 0, 1, &taken, 1), 0);
	assert_int_equal(pthread_create(&m.thread, NULL, fill_and_block, &m), 0);
	for (int i = 0; i < 20000; i++)
		assert_true(vfio_user_irqs_signal(&irqs, 0));
	m.stop = true;
	pthread_join(m.thread, NULL);
	close(m.event);
}

static void *signal_on(void *arg)
{
	for (int i = 0; i < 5000; i++)
		assert_true(vfio_user_irqs_signal(&irqs, *(unsigned int *)arg));
	return NULL;
}

static void test_threads(void **state)
{
	unsigned int vector[2] = { 3, 4 };
	int event[2], taken[2];
	pthread_t thread[4];

	(void)state;
	for (int i = 0; i < 2; i++) {
		event[i] = eventfd(0, EFD_CLOEXEC);
		taken[i] = dup(event[i]);
	}
	assert_int_equal(set(EVENT, 3, 2, taken, 2), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, signal_on, &vector[i % 2]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(value_of(event[i]), 10000);
		close(event[i]);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_only_eventfds),	   TEST(test_many_signals), TEST(test_full),
		TEST(test_client_clears_nonblock), TEST(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
