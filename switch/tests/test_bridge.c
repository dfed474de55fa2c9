/* SPDX-License-Identifier: GPL-2.0-only */
#include "switch/bridge.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define HOSTS 3

struct host {
	struct bridge_port *port;
	unsigned int frames;
	size_t len;
	uint8_t last[64];
};

struct net {
	struct bridge *bridge;
	struct host host[HOSTS];
};

static void take(void *owner, const uint8_t *frame, size_t len)
{
	struct host *host = owner;

	host->frames++;
	host->len = len;
	memcpy(host->last, frame, len < sizeof(host->last) ? len : sizeof(host->last));
}

static int setup(void **state)
{
	static struct net net;

	memset(&net, 0, sizeof(net));
	net.bridge = bridge_new();
	for (unsigned int i = 0; i < HOSTS; i++)
		net.host[i].port =
			bridge_add(net.bridge, &(struct bridge_port_attr){ &net.host[i], take });
	*state = &net;
	return 0;
}

static int teardown(void **state)
{
	struct net *net = *state;

	for (unsigned int i = 0; i < HOSTS; i++)
		bridge_remove(net->host[i].port);
	bridge_free(net->bridge);
	return 0;
}

/* A frame from station @from to station @to by the port of @host. */
static void send(struct net *net, unsigned int host, uint8_t from, uint8_t to, uint64_t now)
{
	uint8_t frame[60] = { 0x02, 0, 0, 0, 0, to, 0x02, 0, 0, 0, 0, from, 0x88, 0xb5 };

	bridge_send(net->host[host].port, frame, sizeof(frame), now);
}

static void expect(struct net *net, unsigned int a, unsigned int b, unsigned int c)
{
	assert_int_equal(net->host[0].frames, a);
	assert_int_equal(net->host[1].frames, b);
	assert_int_equal(net->host[2].frames, c);
}

static void unknown_goes_everywhere_but_back(void **state)
{
	struct net *net = *state;

	send(net, 0, 10, 11, 0);
	expect(net, 0, 1, 1);
	assert_int_equal(net->host[1].len, 60);
	assert_int_equal(net->host[1].last[11], 10);
	assert_int_equal(bridge_counts(net->host[0].port).in, 1);
	assert_int_equal(bridge_counts(net->host[0].port).out, 0);
	assert_int_equal(bridge_counts(net->host[2].port).out_octets, 60);
}

static void learnt_goes_to_its_port(void **state)
{
	struct net *net = *state;

	send(net, 1, 11, 99, 0);
	send(net, 0, 10, 11, 1);
	expect(net, 1, 1, 1);
	assert_ptr_equal(bridge_find(net->bridge, (uint8_t[]){ 2, 0, 0, 0, 0, 11 }, 1),
			 &net->host[1]);
	assert_null(bridge_find(net->bridge, (uint8_t[]){ 2, 0, 0, 0, 0, 99 }, 1));
	/* Not back to where it came from. */
	send(net, 1, 12, 11, 2);
	expect(net, 1, 1, 1);
}

static void station_moves(void **state)
{
	struct net *net = *state;

	send(net, 1, 11, 10, 0);
	send(net, 2, 11, 10, 1);
	send(net, 0, 10, 11, 2);
	expect(net, 2, 1, 2);
	assert_int_equal(bridge_stations(net->bridge), 2);
}

static void address_ages(void **state)
{
	struct net *net = *state;

	send(net, 1, 11, 11, 0);
	expect(net, 0, 0, 0);
	send(net, 0, 10, 11, BRIDGE_AGE_NS);
	expect(net, 0, 1, 0);
	send(net, 0, 10, 11, BRIDGE_AGE_NS + 1);
	expect(net, 0, 2, 1);
}

static void group_goes_everywhere(void **state)
{
	uint8_t frame[14] = { 0x01, 0, 0x5e, 0, 0, 1, 2, 0, 0, 0, 0, 10 };
	struct net *net = *state;

	bridge_send(net->host[2].port, frame, sizeof(frame), 0);
	expect(net, 1, 1, 0);
	memset(frame, 0xff, 6);
	bridge_send(net->host[2].port, frame, sizeof(frame), 0);
	expect(net, 2, 2, 0);
}

static void malformed_is_refused(void **state)
{
	static uint8_t frame[BRIDGE_FRAME_MAX + 1] = { 2, 0, 0, 0, 0, 11, 2, 0, 0, 0, 0, 10 };
	struct net *net = *state;

	bridge_send(net->host[0].port, frame, BRIDGE_FRAME_MIN - 1, 0);
	bridge_send(net->host[0].port, frame, BRIDGE_FRAME_MAX + 1, 0);
	frame[6] |= 1;
	bridge_send(net->host[0].port, frame, 60, 0);
	expect(net, 0, 0, 0);
	assert_int_equal(bridge_counts(net->host[0].port).refused, 3);
	assert_int_equal(bridge_counts(net->host[0].port).in, 0);
	assert_int_equal(bridge_stations(net->bridge), 0);
}

static void pulled_cable_passes_nothing(void **state)
{
	struct net *net = *state;

	send(net, 1, 11, 10, 0);
	expect(net, 1, 0, 1);
	bridge_set_link(net->host[1].port, false);
	assert_false(bridge_link(net->host[1].port));
	assert_int_equal(bridge_stations(net->bridge), 0);
	send(net, 0, 10, 11, 1);
	send(net, 1, 11, 10, 1);
	expect(net, 1, 0, 2);
	bridge_set_link(net->host[1].port, true);
	send(net, 0, 10, 11, 1);
	expect(net, 1, 1, 3);
}

/* Whoever sends from ever new addresses fills the table; the others are served as before. */
static void table_is_bounded(void **state)
{
	struct net *net = *state;
	uint8_t frame[14] = { 2, 0, 0, 0, 0, 10, 6 };

	for (uint32_t i = 0; i < 10 * BRIDGE_STATIONS; i++) {
		memcpy(frame + 8, &i, sizeof(i));
		bridge_send(net->host[0].port, frame, sizeof(frame), 0);
	}
	assert_int_equal(bridge_stations(net->bridge), BRIDGE_STATIONS);
	assert_int_equal(net->host[1].frames, 10 * BRIDGE_STATIONS);
	net->host[1].frames = net->host[2].frames = 0;
	/* No room: frames to it are flooded. */
	send(net, 1, 11, 99, 0);
	send(net, 2, 12, 11, 0);
	expect(net, 2, 1, 1);
	/* Until the others have aged. */
	send(net, 1, 11, 99, BRIDGE_AGE_NS + 1);
	send(net, 2, 12, 11, BRIDGE_AGE_NS + 1);
	expect(net, 3, 2, 2);
}

static void ports_are_bounded(void **state)
{
	struct bridge_port *port[BRIDGE_PORTS];
	struct net *net = *state;
	struct host host = { 0 };
	unsigned int i;

	for (i = 0; i < BRIDGE_PORTS - HOSTS; i++) {
		port[i] = bridge_add(net->bridge, &(struct bridge_port_attr){ &host, take });
		assert_non_null(port[i]);
	}
	errno = 0;
	assert_null(bridge_add(net->bridge, &(struct bridge_port_attr){ &host, take }));
	assert_int_equal(errno, ENOSPC);
	send(net, 0, 10, 99, 0);
	assert_int_equal(host.frames, BRIDGE_PORTS - HOSTS);
	while (i--)
		bridge_remove(port[i]);
	send(net, 0, 10, 99, 0);
	expect(net, 0, 2, 2);
	assert_int_equal(host.frames, BRIDGE_PORTS - HOSTS);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(unknown_goes_everywhere_but_back),
		TEST(learnt_goes_to_its_port),
		TEST(station_moves),
		TEST(address_ages),
		TEST(group_goes_everywhere),
		TEST(malformed_is_refused),
		TEST(pulled_cable_passes_nothing),
		TEST(table_is_bounded),
		TEST(ports_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
