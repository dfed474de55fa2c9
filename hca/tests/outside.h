/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A peer outside of this process: a port of the switch that no function has, 10.0.0.9. What comes
 * to it is kept, and it says what a test wants.
 */
#ifndef HCA_TESTS_OUTSIDE_H
#define HCA_TESTS_OUTSIDE_H

#include "hca/tests/roce.h"
#include "hca/tests/wire.h"

#define OUTSIDE_QPN    0x123456u
#define OUTSIDE_FRAMES 16u

static const uint8_t outside_gid[16] = { [10] = 0xff, 0xff, 10, 0, 0, 9 };
static const uint8_t outside_mac[6] = { 2, 0, 0, 0, 0, 9 };

static struct outside {
	struct bridge_port *port;
	unsigned int frames; /* that came */
	struct {
		size_t len;
		uint8_t bytes[PACKET_MAX];
		struct packet_route route;
		struct packet packet; /* its payload is in @bytes */
	} frame[OUTSIDE_FRAMES];
} outside;

static inline void outside_deliver(void *owner, const uint8_t *bytes, size_t len)
{
	unsigned int i = outside.frames++;

	(void)owner;
	assert_true(i < OUTSIDE_FRAMES && len <= PACKET_MAX);
	outside.frame[i].len = len;
	memcpy(outside.frame[i].bytes, bytes, len);
	assert_int_equal(packet_decode(true, outside.frame[i].bytes, len, &outside.frame[i].route,
				       &outside.frame[i].packet),
			 PACKET_OK);
}

static inline void outside_open(struct ethernet *e)
{
	struct bridge_port_attr attr = { .owner = &outside, .deliver = outside_deliver };

	memset(&outside, 0, sizeof(outside));
	outside.port = bridge_add(e->bridge, &attr);
	assert_non_null(outside.port);
}

/* Before the switch goes. */
static inline void outside_close(void)
{
	bridge_remove(outside.port);
}

/* The way from there to the first function, with @traffic_class. */
static inline struct packet_route outside_route(uint8_t traffic_class)
{
	struct packet_route route = { .ethernet = true,
				      .ipv4 = true,
				      .source_port = 0xc0de,
				      .hop_limit = 9,
				      .traffic_class = traffic_class };

	memcpy(route.smac, outside_mac, 6);
	memcpy(route.dmac, macs[0], 6);
	memcpy(route.sgid, outside_gid, 16);
	memcpy(route.dgid, v4[0], 16);
	return route;
}

/* And what the function makes of it. */
static inline void outside_send(struct ethernet *e, const struct packet_route *route,
				const struct packet *packet)
{
	uint8_t bytes[PACKET_MAX];
	int len = packet_encode(route, packet, bytes, sizeof(bytes));

	assert_true(len > 0);
	bridge_send(outside.port, bytes, (size_t)len, clock_now_ns());
	fixture_poll(e->f);
}

/* @end, of the first function, is connected with OUTSIDE_QPN there. */
static inline void outside_connect(struct ethernet *e, struct end *end, enum hca_qp_type type)
{
	end_create(end, e->side[0].port, type, 0);
	connect_roce(end, 1, outside_gid, outside_mac, OUTSIDE_QPN);
	qp_of(end)->ack_timeout = NEVER;
}

#endif
