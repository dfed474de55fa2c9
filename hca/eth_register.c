/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Access registers that an Ethernet port has in its own way, and its counters. Layouts: ptys_reg,
 * pmtu_reg, paos_reg, pfcc_reg, pcmr_reg, ppcnt_reg and its groups of mlx5_ifc.h.
 */
#include "hca/opcodes.h"
#include "hca/eth.h"

#define REG_PMTU  0x5003u
#define REG_PTYS  0x5004u
#define REG_PAOS  0x5006u
#define REG_PFCC  0x5007u
#define REG_PPCNT 0x5008u
#define REG_PCMR  0x5041u

#define PROTO_ETHERNET 4u
/* ptys_reg.eth_proto_*: 100GBASE-CR4, SR4, KR4 and 40GBASE-CR4; the link runs at the first. */
#define SPEEDS	   (1u << 20 | 1u << 21 | 1u << 22 | 1u << 6)
#define SPEED	   (1u << 20)
#define CAST_LEN   16u /* of query_vport_counter_out: packets and octets */
#define ADMIN_UP   1u
#define ADMIN_DOWN 2u

#define COUNTERS   8u /* of ppcnt_reg: counter_set */
#define PPCNT_SIZE 256u

/* --- counters ---------------------------------------------------------------------------- */

enum value {
	RX_UNICAST,
	RX_MULTICAST,
	RX_BROADCAST,
	TX_UNICAST,
	TX_MULTICAST,
	TX_BROADCAST,
	RX_FRAMES,
	RX_OCTETS,
	TX_FRAMES,
	TX_OCTETS,
	RX_LOST,
	RX_LONG,
	TX_LOST,
	RX_SIZE, /* and those behind it, HCA_ETH_SIZES of them */
};

static const struct hca_traffic *cast(const struct hca_eth *eth, unsigned int value)
{
	return &eth->traffic[value < TX_UNICAST ? HCA_RX : HCA_TX][value % HCA_ETH_CASTS];
}

static struct hca_traffic sum(const struct hca_eth *eth, enum hca_side side)
{
	struct hca_traffic all = { 0 };

	for (unsigned int i = 0; i < HCA_ETH_CASTS; i++) {
		all.packets += eth->traffic[side][i].packets;
		/* On the wire each has its FCS. */
		all.octets +=
			eth->traffic[side][i].octets + HCA_ETH_FCS * eth->traffic[side][i].packets;
	}
	return all;
}

static uint64_t value_of(const struct hca_eth *eth, unsigned int value)
{
	switch (value) {
	case RX_UNICAST:
	case RX_MULTICAST:
	case RX_BROADCAST:
	case TX_UNICAST:
	case TX_MULTICAST:
	case TX_BROADCAST:
		return cast(eth, value)->packets;
	case RX_FRAMES:
		return sum(eth, HCA_RX).packets;
	case RX_OCTETS:
		return sum(eth, HCA_RX).octets;
	case TX_FRAMES:
		return sum(eth, HCA_TX).packets;
	case TX_OCTETS:
		return sum(eth, HCA_TX).octets;
	case RX_LOST:
		return eth->rx_lost;
	case RX_LONG:
		return eth->rx_long;
	case TX_LOST:
		return eth->tx_errors.packets;
	default:
		return eth->sizes[value - RX_SIZE];
	}
}

/* Where a group of PPCNT has what: byte in its counter set. All others are of errors: none. */
static const struct {
	uint8_t group, at, value;
} counters[] = {
	/* 0: IEEE 802.3 */
	{ 0, 0x00, TX_FRAMES },
	{ 0, 0x08, RX_FRAMES },
	{ 0, 0x20, TX_OCTETS },
	{ 0, 0x28, RX_OCTETS },
	{ 0, 0x30, TX_MULTICAST },
	{ 0, 0x38, TX_BROADCAST },
	{ 0, 0x40, RX_MULTICAST },
	{ 0, 0x48, RX_BROADCAST },
	{ 0, 0x60, RX_LONG },
	/* 1: RFC 2863 */
	{ 1, 0x00, RX_OCTETS },
	{ 1, 0x08, RX_UNICAST },
	{ 1, 0x10, RX_LOST },
	{ 1, 0x18, RX_LONG },
	{ 1, 0x28, TX_OCTETS },
	{ 1, 0x30, TX_UNICAST },
	{ 1, 0x38, TX_LOST },
	{ 1, 0x48, RX_MULTICAST },
	{ 1, 0x50, RX_BROADCAST },
	{ 1, 0x58, TX_MULTICAST },
	{ 1, 0x60, TX_BROADCAST },
	/* 2: RFC 2819 */
	{ 2, 0x00, RX_LOST },
	{ 2, 0x08, RX_OCTETS },
	{ 2, 0x10, RX_FRAMES },
	{ 2, 0x18, RX_BROADCAST },
	{ 2, 0x20, RX_MULTICAST },
	{ 2, 0x38, RX_LONG },
	{ 2, 0x58, RX_SIZE },
	{ 2, 0x60, RX_SIZE + 1 },
	{ 2, 0x68, RX_SIZE + 2 },
	{ 2, 0x70, RX_SIZE + 3 },
	{ 2, 0x78, RX_SIZE + 4 },
	{ 2, 0x80, RX_SIZE + 5 },
	{ 2, 0x88, RX_SIZE + 6 },
	{ 2, 0x90, RX_SIZE + 7 },
	{ 2, 0x98, RX_SIZE + 8 },
	{ 2, 0xa0, RX_SIZE + 9 },
};

void hca_eth_vport_counters(const struct hca *hca, uint8_t *out)
{
	/* Behind errors and what is InfiniBand's: received and sent, by turns. */
	static const enum hca_eth_cast order[] = { HCA_ETH_BROADCAST, HCA_ETH_UNICAST,
						   HCA_ETH_MULTICAST };
	const struct hca_eth *eth = hca->eth;

	be64_put(out, ETH_VPORT_RX_ERRORS, eth->rx_lost);
	be64_put(out, ETH_VPORT_TX_ERRORS, eth->tx_errors.packets);
	be64_put(out, ETH_VPORT_TX_ERRORS + COUNTER_OCTETS, eth->tx_errors.octets);
	for (size_t i = 0; i < 3; i++) {
		for (size_t side = HCA_RX; side <= HCA_TX; side++) {
			const struct hca_traffic *traffic = &eth->traffic[side][order[i]];

			size_t at = ETH_VPORT_CASTS + 2 * CAST_LEN * i + CAST_LEN * side;

			be64_put(out, at + COUNTER_PACKETS, traffic->packets);
			be64_put(out, at + COUNTER_OCTETS, traffic->octets);
		}
	}
}

/* --- registers --------------------------------------------------------------------------- */

static void read_ptys(const struct hca *hca, const uint8_t *in, uint8_t *reg)
{
	(void)in;
	field_put(reg, ETH_PTYS_PROTO, PROTO_ETHERNET);
	be32_put(reg, 3 * 4, SPEEDS);			      /* capability */
	be32_put(reg, 6 * 4, SPEEDS);			      /* admin */
	be32_put(reg, 9 * 4, hca_eth_is_up(hca) ? SPEED : 0); /* oper */
}

static void read_pmtu(const struct hca *hca, const uint8_t *in, uint8_t *reg)
{
	(void)in;
	field_put(reg, ETH_PMTU_MAX, HCA_ETH_MTU_MAX);
	field_put(reg, ETH_PMTU_ADMIN, hca->eth->mtu);
	field_put(reg, ETH_PMTU_OPER, hca->eth->mtu);
}

static bool write_pmtu(struct hca *hca, const uint8_t *in)
{
	uint32_t mtu = field_get(in, ETH_PMTU_ADMIN);

	if (!mtu || mtu > HCA_ETH_MTU_MAX)
		return false;
	hca->eth->mtu = (uint16_t)mtu;
	return true;
}

static void read_paos(const struct hca *hca, const uint8_t *in, uint8_t *reg)
{
	(void)in;
	field_put(reg, ETH_PAOS_ADMIN, hca->eth->admin_up ? ADMIN_UP : ADMIN_DOWN);
	field_put(reg, ETH_PAOS_OPER, hca_eth_is_up(hca) ? ADMIN_UP : ADMIN_DOWN);
}

static bool write_paos(struct hca *hca, const uint8_t *in)
{
	uint32_t admin = field_get(in, ETH_PAOS_ADMIN);

	if (admin != ADMIN_UP && admin != ADMIN_DOWN)
		return false;
	/* What follows from it comes with the engine's next turn: hca_eth_link(). */
	hca->eth->admin_up = admin == ADMIN_UP;
	return true;
}

static void read_ppcnt(const struct hca *hca, const uint8_t *in, uint8_t *reg)
{
	uint32_t group = field_get(in, ETH_PPCNT_GROUP);

	field_put(reg, ETH_PPCNT_GROUP, group);
	field_put(reg, ETH_PPCNT_PRIO, field_get(in, ETH_PPCNT_PRIO));
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		if (counters[i].group == group)
			be64_put(reg, COUNTERS + counters[i].at,
				 value_of(hca->eth, counters[i].value));
	}
}

/* No pause frames, and no checks of the FCS that could be turned off: all is 0. */
static void read_nothing(const struct hca *hca, const uint8_t *in, uint8_t *reg)
{
	(void)hca;
	(void)in;
	(void)reg;
}

static const struct {
	uint16_t id, size;
	void (*read)(const struct hca *hca, const uint8_t *in, uint8_t *reg);
	bool (*write)(struct hca *hca, const uint8_t *in);
} registers[] = {
	{ REG_PMTU, 16, read_pmtu, write_pmtu }, { REG_PTYS, 64, read_ptys, NULL },
	{ REG_PAOS, 16, read_paos, write_paos }, { REG_PFCC, 16, read_nothing, NULL },
	{ REG_PCMR, 12, read_nothing, NULL },	 { REG_PPCNT, PPCNT_SIZE, read_ppcnt, NULL },
};

bool hca_eth_access_reg(struct hca *hca, struct hca_cmd *cmd, enum hca_cmd_status *status)
{
	const uint8_t *in = cmd->in + HCA_CMD_CONTEXT;
	bool read = be16_at(cmd->in, CMD_OP_MOD) & 1;
	uint32_t id = field_get(cmd->in, ACCESS_REG_ID);
	size_t i = 0;

	while (i < sizeof(registers) / sizeof(registers[0]) && registers[i].id != id)
		i++;
	if (i == sizeof(registers) / sizeof(registers[0]) || (!read && !registers[i].write))
		return false;
	*status = HCA_CMD_OK;
	if (cmd->ilen < HCA_CMD_CONTEXT + registers[i].size)
		*status = hca_cmd_fail(cmd, HCA_CMD_BAD_INPUT_LEN, 0x250001);
	else if (read && cmd->olen < HCA_CMD_CONTEXT + registers[i].size)
		*status = hca_cmd_fail(cmd, HCA_CMD_BAD_OUTPUT_LEN, 0x250002);
	else if (!read && !registers[i].write(hca, in))
		*status = hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x250003);
	if (*status || !read)
		return true;
	field_put(cmd->out + HCA_CMD_CONTEXT, ETH_REG_PORT, 1); /* local_port */
	registers[i].read(hca, in, cmd->out + HCA_CMD_CONTEXT);
	return true;
}
