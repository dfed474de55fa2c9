/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Performance management: the port answers these MADs itself, as an adapter's firmware does, and
 * they never reach the driver's QP1. IBA 1.5, 16.1. Payload is counted, in words of 4 octets.
 */
#include "hca/data.h"

#define MAD_LEN	   256u
#define CLASS_PERF 0x04
#define GET	   0x01
#define SET	   0x02
#define RESPONSE   0x81

#define STATUS	  4
#define ATTRIBUTE 16
#define DATA	  64

#define ATTR_CLASS_PORT_INFO 0x0001
#define ATTR_COUNTERS	     0x0012
#define ATTR_EXTENDED	     0x001d

#define BAD_METHOD   0x0c
#define BAD_VALUE    0x1c
#define HAS_EXTENDED 0x0200u
#define ANY_PORT     0xff
/* ClassPortInfo, PortCounters, PortCountersExtended: counters of what is sent, then received. */
#define CAPABILITY_MASK 2
#define XMIT_DATA	24
#define EXT_DATA	8
#define EXT_PACKETS	24
#define EXT_UNICAST	40
#define EXT_MULTICAST	56
#define RESPONSE_TIME	16

static void counters(const struct hca *hca, uint8_t *data)
{
	unsigned int i;

	for (i = 0; i < 4; i++) { /* transmitted and received data, then packets */
		enum hca_side side = i % 2 ? HCA_RX : HCA_TX;
		const struct hca_traffic *traffic = hca->traffic[side];
		uint64_t value = i < 2 ? (traffic[0].octets + traffic[1].octets) / 4
				       : traffic[0].packets + traffic[1].packets;

		be32_put(data, XMIT_DATA + 4 * (size_t)i,
			 value < UINT32_MAX ? (uint32_t)value : UINT32_MAX);
	}
}

static void extended(const struct hca *hca, uint8_t *data)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		const struct hca_traffic *traffic = hca->traffic[i ? HCA_RX : HCA_TX];
		size_t at = 8 * (size_t)i;

		be64_put(data, at + EXT_DATA, (traffic[0].octets + traffic[1].octets) / 4);
		be64_put(data, at + EXT_PACKETS, traffic[0].packets + traffic[1].packets);
		be64_put(data, at + EXT_UNICAST, traffic[0].packets);
		be64_put(data, at + EXT_MULTICAST, traffic[1].packets);
	}
}

static uint16_t execute(struct hca *hca, const uint8_t *mad, uint8_t *data)
{
	uint16_t attribute = be16_at(mad, ATTRIBUTE);
	uint8_t port = data[1];

	if (attribute == ATTR_CLASS_PORT_INFO && mad[3] == GET) {
		memset(data, 0, MAD_LEN - DATA);
		data[0] = data[1] = 1; /* base and class version */
		be16_put(data, CAPABILITY_MASK, HAS_EXTENDED);
		data[7] = RESPONSE_TIME;
		return 0;
	}
	if (attribute != ATTR_COUNTERS && attribute != ATTR_EXTENDED)
		return BAD_METHOD;
	if (port != 1 && port != ANY_PORT)
		return BAD_VALUE;
	if (mad[3] == SET) /* whatever it selects: back to zero */
		memset(hca->traffic, 0, sizeof(hca->traffic));
	memset(data, 0, MAD_LEN - DATA);
	data[1] = port;
	if (attribute == ATTR_COUNTERS)
		counters(hca, data);
	else
		extended(hca, data);
	return 0;
}

void hca_pma_execute(struct hca *hca, uint8_t *mad)
{
	uint8_t data[MAD_LEN - DATA];

	memcpy(data, mad + DATA, sizeof(data));
	be16_put(mad, STATUS, execute(hca, mad, data));
	memcpy(mad + DATA, data, sizeof(data));
	mad[3] = RESPONSE;
}

bool hca_pma_receive(struct hca *hca, const struct subnet_packet *request)
{
	const uint8_t *mad = request->data + SUBNET_GRH_LEN;
	uint8_t data[SUBNET_GRH_LEN + MAD_LEN];
	struct subnet_packet answer = *request;
	uint8_t *raw = data + SUBNET_GRH_LEN;

	if (request->len != MAD_LEN || mad[0] != 1 || mad[1] != CLASS_PERF || mad[2] != 1 ||
	    (mad[3] != GET && mad[3] != SET))
		return false;
	memcpy(data, request->data, sizeof(data));
	hca_pma_execute(hca, raw);
	memcpy(data + 8, request->data + 24, 16);
	memcpy(data + 24, request->data + 8, 16);
	answer.data = data;
	answer.slid = hca_lid(hca);
	answer.dlid = request->slid;
	answer.src_qpn = SUBNET_QP1;
	answer.dest_qpn = request->src_qpn;
	subnet_send(hca->port, &answer);
	return true;
}
