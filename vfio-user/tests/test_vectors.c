/* SPDX-License-Identifier: GPL-2.0-only */
/* Vectors of a served device: which descriptor each has, and that nothing else announces it. */
#include "vfio-user/tests/client.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct fixture f;
static struct vfio_user_message msg;

static int setup(void **state)
{
	(void)state;
	fixture_start(&f);
	fixture_connect(&f);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_stop(&f);
	return 0;
}

static void test_vectors(void **state)
{
	int ev[VECTORS + 1];
	unsigned int before;

	(void)state;
	for (int i = 0; i <= VECTORS; i++)
		ev[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	before = open_fds();
	assert_false(vfio_user_interrupt(f.server, 0));
	/* MSI-X enable: vector 0 without a descriptor is not connected */
	assert_int_equal(client_set_irqs(&f, 0x24, 0, 1, NULL, 0), 0);
	assert_false(vfio_user_interrupt(f.server, 0));
	/* one more vector leaves the others alone */
	for (int i = 0; i < VECTORS; i++) {
		assert_int_equal(client_set_irqs(&f, 0x24, i, 1, &ev[i], 1), 0);
		for (int j = 0; j < VECTORS; j++) {
			assert_int_equal(vfio_user_interrupt(f.server, j), j <= i);
			assert_int_equal(counted(ev[j]), j <= i);
		}
	}
	assert_false(vfio_user_interrupt(f.server, VECTORS));
	assert_false(vfio_user_interrupt(f.server, UINT32_MAX));
	assert_int_equal(open_fds(), before + VECTORS);
	/* another descriptor in place of the first */
	assert_int_equal(client_set_irqs(&f, 0x24, 1, 2, &ev[3], 2), 0);
	assert_int_equal(open_fds(), before + VECTORS);
	assert_true(vfio_user_interrupt(f.server, 2));
	assert_true(counted(ev[4]));
	assert_false(counted(ev[2]));
	/* signalled by the client's wish */
	assert_int_equal(client_set_irqs(&f, 0x21, 0, 1, NULL, 0), 0);
	assert_true(counted(ev[0]));
	/* disconnect one, then all */
	assert_int_equal(client_set_irqs(&f, 0x24, 0, 1, NULL, 0), 0);
	assert_false(vfio_user_interrupt(f.server, 0));
	assert_true(vfio_user_interrupt(f.server, 3));
	assert_int_equal(client_set_irqs(&f, 0x21, 0, 0, NULL, 0), 0);
	assert_false(vfio_user_interrupt(f.server, 3));
	assert_int_equal(open_fds(), before);
	for (int i = 0; i <= VECTORS; i++)
		close(ev[i]);
}

/* Vectors go by their eventfds alone: nothing is on the socket, however many, and nobody reads it.
 */
static void test_interrupts_are_no_messages(void **state)
{
	enum { EACH = 1000 };
	const struct vfio_user_region_access read = { 0, 0, 4 };
	struct pollfd socket_has = { .events = POLLIN };
	int ev[VECTORS];
	eventfd_t value;

	(void)state;
	for (int i = 0; i < VECTORS; i++) {
		ev[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		assert_int_equal(client_set_irqs(&f, 0x24, i, 1, &ev[i], 1), 0);
	}
	socket_has.fd = f.sock;
	for (int i = 0; i < EACH; i++)
		for (int j = 0; j < VECTORS; j++)
			assert_true(vfio_user_interrupt(f.server, j));
	for (int i = 0; i < VECTORS; i++) {
		assert_int_equal(eventfd_read(ev[i], &value), 0);
		assert_int_equal(value, EACH);
	}
	assert_int_equal(poll(&socket_has, 1, 0), 0);
	/* The next message is the answer to the next request, and no interrupt comes with it. */
	assert_int_equal(client_ask(&f, VFIO_USER_REGION_READ, &read, sizeof(read), NULL, 0, &msg),
			 0);
	assert_int_equal(poll(&socket_has, 1, 0), 0);
	for (int i = 0; i < VECTORS; i++) {
		assert_false(counted(ev[i]));
		close(ev[i]);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_vectors),
		TEST(test_interrupts_are_no_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
