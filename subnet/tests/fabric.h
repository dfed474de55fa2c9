/* SPDX-License-Identifier: GPL-2.0-only */
/* What the subnet's tests drive: two ports, LIDs 1 and 2, that remember what came. */
#ifndef SUBNET_TESTS_FABRIC_H
#define SUBNET_TESTS_FABRIC_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "subnet/mad.h"
#include "subnet/record.h"
#include "subnet/subnet.h"

#define PREFIX	  SUBNET_GID_PREFIX
#define GUID(lid) (0x0200000000000000u + (lid))
#define CAME	  64

struct end {
	struct subnet_port *port;
	unsigned int came;
	struct subnet_packet packet[CAME];
	uint8_t data[CAME][SUBNET_GRH_LEN + SUBNET_MTU];
};

struct fabric {
	struct subnet *subnet;
	struct end end[2];
};

static inline void deliver(void *owner, const struct subnet_packet *packet)
{
	struct end *end = owner;

	assert_true(end->came < CAME);
	end->packet[end->came] = *packet;
	memcpy(end->data[end->came], packet->data, SUBNET_GRH_LEN + packet->len);
	end->packet[end->came].data = end->data[end->came];
	end->came++;
}

static inline int setup(void **state)
{
	struct fabric *f = calloc(1, sizeof(*f));
	unsigned int i;

	assert_non_null(f);
	f->subnet = subnet_new();
	assert_non_null(f->subnet);
	for (i = 0; i < 2; i++) {
		struct subnet_port_attr attr = {
			.lid = (uint16_t)(i + 1),
			.guid = GUID(i + 1),
			.name = i ? "two" : "one",
			.device_id = 0x1021,
			.owner = &f->end[i],
			.deliver = deliver,
		};

		f->end[i].port = subnet_add(f->subnet, &attr);
		assert_non_null(f->end[i].port);
	}
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fabric *f = *state;

	subnet_remove(f->end[0].port);
	subnet_remove(f->end[1].port);
	subnet_free(f->subnet);
	free(f);
	return 0;
}

static inline void send_raw(struct fabric *f, unsigned int end, const uint8_t *mad, size_t len)
{
	uint8_t data[SUBNET_GRH_LEN + SUBNET_MTU] = { 0 };
	struct subnet_packet packet = {
		.slid = (uint16_t)(end + 1),
		.dlid = SUBNET_SM_LID,
		.p_key = SUBNET_P_KEY,
		.src_qpn = 1,
		.dest_qpn = SUBNET_QP1,
		.q_key = SUBNET_QP1_Q_KEY,
		.data = data,
		.len = len,
	};

	memcpy(data + SUBNET_GRH_LEN, mad, len);
	subnet_send(f->end[end].port, &packet);
}

static inline void send_mad(struct fabric *f, unsigned int end, const struct sa_mad *mad)
{
	uint8_t raw[MAD_LEN];

	sa_mad_encode(mad, raw);
	send_raw(f, end, raw, MAD_LEN);
}

static inline struct sa_mad query(uint8_t method, uint16_t attribute, uint64_t components)
{
	return (struct sa_mad){ .method = method,
				.attribute = attribute,
				.tid = 0x1234567887654321,
				.components = components };
}

/* The raw MAD that @end got as number @i. */
static inline const uint8_t *got(struct fabric *f, unsigned int end, unsigned int i)
{
	assert_true(i < f->end[end].came);
	assert_int_equal(f->end[end].packet[i].len, MAD_LEN);
	return f->end[end].data[i] + SUBNET_GRH_LEN;
}

/* Sends @mad from @end and returns the one answer's status; *@data is its data. */
static inline uint16_t ask(struct fabric *f, unsigned int end, const struct sa_mad *mad,
			   const uint8_t **data)
{
	const uint8_t *raw;

	f->end[end].came = 0;
	send_mad(f, end, mad);
	assert_int_equal(f->end[end].came, 1);
	raw = got(f, end, 0);
	assert_int_equal(raw[3] & MAD_RESPONSE, MAD_RESPONSE);
	assert_int_equal(be64_at(raw, 8), mad->tid);
	assert_int_equal(be16_at(raw, 16), mad->attribute);
	if (data)
		*data = raw + 56;
	return be16_at(raw, 4);
}

static inline void put_gid(uint8_t *p, unsigned int lid)
{
	be64_put(p, 0, PREFIX);
	be64_put(p, 8, lid == SUBNET_SM_LID ? 0x020074006800bfffu : GUID(lid));
}

#endif
