/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Performance management of the switch (IBA 1.5, 16.1). What an adapter has sent is what the port
 * that it is connected to has received. Payload is counted, in words of 4 octets.
 */
#include <string.h>

#include "base/bits.h"
#include "subnet/internal.h"

#define CLASS_VERSION 1
#define DATA	      64
#define DATA_LEN      (MAD_LEN - DATA)

#define ATTR_CLASS_PORT_INFO 0x0001
#define ATTR_COUNTERS	     0x0012
#define ATTR_EXTENDED	     0x001d

#define HAS_ALL_PORTS 0x0100u
#define HAS_EXTENDED  0x0200u
#define ALL_PORTS     0xff
#define RESPONSE_TIME LIFETIME

static uint64_t since(uint64_t now, uint64_t base)
{
	return now < base ? now : now - base; /* the adapter's counters have started anew */
}

static struct subnet_traffic now(const struct subnet_port *port)
{
	struct subnet_traffic traffic = { 0 };

	if (port && port->attr.traffic)
		port->attr.traffic(port->attr.owner, &traffic);
	return traffic;
}

/* Add what port @number has seen; side 0 is what it sent. */
static void add(const struct subnet *subnet, unsigned int number, struct subnet_traffic *sum)
{
	const struct subnet_port *port = number ? subnet->port[number - 1] : NULL;
	struct subnet_traffic traffic = now(port);
	unsigned int side;

	for (side = 0; port && side < 2; side++) {
		sum->octets[side] += since(traffic.octets[!side], port->base.octets[!side]);
		sum->unicast[side] += since(traffic.unicast[!side], port->base.unicast[!side]);
		sum->multicast[side] +=
			since(traffic.multicast[!side], port->base.multicast[!side]);
	}
}

static void put_counters(const struct subnet_traffic *sum, uint8_t *data)
{
	unsigned int i;

	for (i = 0; i < 4; i++) { /* sent and received data, then packets */
		uint64_t value =
			i < 2 ? sum->octets[i] / 4 : sum->unicast[i - 2] + sum->multicast[i - 2];

		be32_put(data, 24 + 4 * (size_t)i,
			 value < UINT32_MAX ? (uint32_t)value : UINT32_MAX);
	}
}

static void put_extended(const struct subnet_traffic *sum, uint8_t *data)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		size_t at = 8 + 8 * (size_t)i;

		be64_put(data, at, sum->octets[i] / 4);
		be64_put(data, at + 16, sum->unicast[i] + sum->multicast[i]);
		be64_put(data, at + 32, sum->unicast[i]);
		be64_put(data, at + 48, sum->multicast[i]);
	}
}

static uint16_t execute(struct subnet *subnet, uint8_t *mad)
{
	uint16_t attribute = be16_at(mad, SMP_ATTRIBUTE);
	struct subnet_traffic sum = { 0 };
	uint8_t *data = mad + DATA;
	unsigned int number = data[1], first = number, last = number;

	if (mad[SMP_BASE] != 1 || mad[SMP_VERSION] != CLASS_VERSION)
		return SMP_BAD_VERSION;
	if (attribute == ATTR_CLASS_PORT_INFO && mad[SMP_METHOD] == SMP_GET) {
		memset(data, 0, DATA_LEN);
		data[0] = data[1] = 1; /* base and class version */
		be16_put(data, 2, HAS_ALL_PORTS | HAS_EXTENDED);
		data[7] = RESPONSE_TIME;
		return SMP_OK;
	}
	if (attribute != ATTR_COUNTERS && attribute != ATTR_EXTENDED)
		return SMP_BAD_ATTRIBUTE;
	if (number == ALL_PORTS) {
		first = 0;
		last = SUBNET_PORTS;
	} else if (number > SUBNET_PORTS) {
		return SMP_BAD_VALUE;
	}
	for (; first <= last; first++) {
		struct subnet_port *port = first ? subnet->port[first - 1] : NULL;

		if (mad[SMP_METHOD] == SMP_SET && port) /* whatever it selects: back to zero */
			port->base = now(port);
		add(subnet, first, &sum);
	}
	memset(data, 0, DATA_LEN);
	data[1] = (uint8_t)number;
	if (attribute == ATTR_COUNTERS)
		put_counters(&sum, data);
	else
		put_extended(&sum, data);
	return SMP_OK;
}

void pma_receive(struct subnet_port *from, const struct subnet_packet *packet)
{
	uint8_t mad[MAD_LEN];
	bool perf;

	memcpy(mad, packet->data + SUBNET_GRH_LEN, MAD_LEN);
	if (mad[SMP_METHOD] != SMP_GET && mad[SMP_METHOD] != SMP_SET) {
		sa_count(from->subnet, SUBNET_METHOD);
		return;
	}
	if (!from->work || from->subnet->replying) {
		sa_count(from->subnet, SUBNET_BUSY);
		return;
	}
	from->work--;
	sa_count(from->subnet, SUBNET_QUERIES);
	perf = mad[SMP_CLASS] == MAD_CLASS_PERF;
	/* A vendor's classes: there is nothing of them. */
	be16_put(mad, SMP_STATUS, perf ? execute(from->subnet, mad) : SMP_BAD_VERSION);
	mad[SMP_METHOD] = SMP_GET_RESPONSE;
	subnet_reply(from, packet, mad);
}
