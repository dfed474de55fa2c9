/* SPDX-License-Identifier: GPL-2.0-only */
/* Two functions with Ethernet ports that have RoCE addresses: index 0 is IPv6, 1 is IPv4. */
#ifndef HCA_TESTS_ROCE_H
#define HCA_TESTS_ROCE_H

#include "hca/tests/ethernet.h"
#include "hca/tests/traffic.h"
#include "packet/packet.h"

#define ROCE_TCLASS 0x68u
#define ROCE_HOPS   64u

/* 10.0.0.1 and 10.0.0.2; fe80::1 and fe80::2 */
static const uint8_t v4[2][16] = { { [10] = 0xff, 0xff, 10, 0, 0, 1 },
				   { [10] = 0xff, 0xff, 10, 0, 0, 2 } };
static const uint8_t v6[2][16] = { { 0xfe, 0x80, [15] = 1 }, { 0xfe, 0x80, [15] = 2 } };
static const uint8_t macs[2][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };

static inline uint8_t set_address(struct fixture_port *port, uint16_t index, const uint8_t gid[16],
				  const uint8_t mac[6], uint8_t version)
{
	uint8_t in[0x30] = { 0x07, 0x61 }, out[16];

	be16_put(in, 8, index);
	memcpy(in + 0x10, gid, 16);
	memcpy(in + 0x22, mac, 6);
	in[0x2b] = version;
	return fixture_cmd(port, in, sizeof(in), out, sizeof(out));
}

static inline void enable(struct fixture_port *port, bool on)
{
	uint8_t in[0x200] = { 0x07, 0x55 }, out[16];

	be32_put(in, 0x0c, 1u << 1);
	in[0x103] = on;
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
}

/* The ports of what ethernet_setup_with() made. */
static inline void roce_enable(struct ethernet *e)
{
	for (unsigned int i = 0; i < 2; i++) {
		enable(e->side[i].port, true);
		assert_int_equal(set_address(e->side[i].port, 0, v6[i], macs[i], 2), 0);
		assert_int_equal(set_address(e->side[i].port, 1, v4[i], macs[i], 2), 0);
	}
}

/* cmocka setup. */
static inline int roce_setup(void **state)
{
	int ret = ethernet_setup(state);

	roce_enable(*state);
	return ret;
}

/* To RTS, from the port's address @index to @dgid at @dmac, with packets of 1024 bytes. */
static inline void connect_roce(struct end *end, uint8_t index, const uint8_t dgid[16],
				const uint8_t dmac[6], uint32_t rqpn)
{
	struct hca_qp *qp = hca_table_get(&end->port->hca->qps, end->qp.number);
	uint8_t qpc[232] = { 0 };

	fixture_qp_init(end->port, &end->qp);
	field_put(qpc, 0, 23, 16, qp->type);
	field_put(qpc, 2, 31, 29, 3);
	field_put(qpc, 2, 28, 24, 30);
	field_put(qpc, 5, 23, 0, rqpn);
	field_put(qpc, 8, 23, 16, index);
	field_put(qpc, 8, 7, 0, ROCE_HOPS);
	field_put(qpc, 9, 27, 20, ROCE_TCLASS);
	memcpy(qpc + 40, dgid, 16);
	field_put(qpc, 15, 15, 0, be16_at(dmac, 0));
	field_put(qpc, 16, 31, 0, be32_at(dmac, 2));
	field_put(qpc, 36, 23, 21, 4);
	assert_int_equal(fixture_qp_modify(end->port, &end->qp, 0x503, 0, qpc), 0);
	fixture_qp_rts(end->port, &end->qp);
}

#endif
