/* SPDX-License-Identifier: GPL-2.0-only */
/* The Ethernet port: its place in the switch, its state, and the vport context of the driver. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "hca/opcodes.h"
#include "hca/eth.h"

/* nic_vport_context */
#define VPORT_SIZE   0x100u
#define VPORT_MAC    0xf4u /* permanent_address: two bytes, then the address */
#define VPORT_GUIDS  0x28u /* system_image_guid, port_guid, node_guid */
#define GUID_LEN     8u
#define MODIFY_VPORT 0x100u /* of modify_nic_vport_context_in */

/* modify_nic_vport_field_select */
#define SELECT_ROCE	   (1u << 1)
#define SELECT_MAC	   (1u << 3)
#define SELECT_PROMISC	   (1u << 4)
#define SELECT_EVENT	   (1u << 5)
#define SELECT_MTU	   (1u << 6)
#define SELECT_INLINE	   (1u << 7)
#define SELECT_PORT_GUID   (1u << 8)
#define SELECT_NODE_GUID   (1u << 9)
#define SELECT_MC_LOOPBACK (1u << 10)
#define SELECT_UC_LOOPBACK (1u << 11)

#define MTU_START (1500u + HCA_ETH_OVERHEAD)

/* Sub-types of a port change. */
#define PORT_DOWN   1u
#define PORT_ACTIVE 4u

/* --- life -------------------------------------------------------------------------------- */

int hca_eth_connect(struct hca *hca)
{
	const struct bridge_port_attr attr = { .owner = hca, .deliver = hca_eth_deliver };
	struct hca_eth *eth = calloc(1, sizeof(*eth));

	if (!eth)
		return -ENOMEM;
	eth->port = bridge_add(hca->params.bridge, &attr);
	if (!eth->port) {
		int err = -errno;

		free(eth);
		return err;
	}
	hca->eth = eth;
	return 0;
}

void hca_eth_free(struct hca *hca)
{
	if (!hca->eth)
		return;
	bridge_remove(hca->eth->port);
	free(hca->eth);
	hca->eth = NULL;
}

void hca_eth_reset(struct hca *hca)
{
	struct hca_eth *eth = hca->eth;
	unsigned int i;

	memset(eth->vport, 0, sizeof(eth->vport));
	field_put(eth->vport, NIC_VPORT_MTU, MTU_START);
	for (i = 0; i < 3; i++)
		be64_put(eth->vport, VPORT_GUIDS + GUID_LEN * (size_t)i, hca->params.guid);
	memcpy(eth->vport + VPORT_MAC + 2, hca->params.mac, sizeof(hca->params.mac));
	eth->admin_up = true;
	eth->mtu = MTU_START;
	eth->up = bridge_link(eth->port);
	memset(eth->traffic, 0, sizeof(eth->traffic));
	memset(eth->sizes, 0, sizeof(eth->sizes));
	eth->rx_lost = eth->rx_long = eth->rx_stray = 0;
	eth->tx_errors = (struct hca_traffic){ 0 };
	memset(eth->address, 0, sizeof(eth->address));
	eth->congestion = (struct hca_congestion){ 0 };
}

/* --- state ------------------------------------------------------------------------------- */

bool hca_eth_link(struct hca *hca, bool cable)
{
	uint8_t data[28] = { [8] = 1 << 4 }; /* port 1 */
	bool up;

	if (cable != bridge_link(hca->eth->port))
		bridge_set_link(hca->eth->port, cable);
	up = hca_eth_is_up(hca);
	if (up == hca->eth->up)
		return false;
	hca->eth->up = up;
	if (!up)
		hca_eth_drop(hca);
	hca_event(hca, HCA_EVENT_PORT_CHANGE, up ? PORT_ACTIVE : PORT_DOWN, data);
	return true;
}

static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static void capture(const struct hca *hca, enum hca_side side, const uint8_t *frame, size_t len)
{
	struct pcapng_packet packet = {
		.direction = side == HCA_RX ? PCAPNG_IN : PCAPNG_OUT,
		.data = frame,
		.len = len,
	};

	if (!capture_on(hca->params.capture))
		return;
	packet.time_ns = clock_now_ns();
	capture_packet(hca->params.capture, &packet);
}

void hca_eth_count(struct hca *hca, enum hca_side side, const uint8_t *frame, size_t len)
{
	static const uint32_t sizes[HCA_ETH_SIZES - 1] = { 64,	 127,  255,  511, 1023,
							   1518, 2047, 4095, 8191 };
	enum hca_eth_cast cast = !memcmp(frame, broadcast, 6) ? HCA_ETH_BROADCAST
				 : frame[0] & 1		      ? HCA_ETH_MULTICAST
							      : HCA_ETH_UNICAST;
	struct hca_traffic *traffic = &hca->eth->traffic[side][cast];
	unsigned int i = 0;

	traffic->packets++;
	traffic->octets += len;
	capture(hca, side, frame, len);
	if (side != HCA_RX)
		return;
	while (i < HCA_ETH_SIZES - 1 && len + HCA_ETH_FCS > sizes[i])
		i++;
	hca->eth->sizes[i]++;
}

/* --- commands ---------------------------------------------------------------------------- */

enum hca_cmd_status hca_cmd_query_vport_state(struct hca *hca, struct hca_cmd *cmd)
{
	field_put(cmd->out, NIC_VPORT_ADMIN_STATE, hca->eth->admin_up);
	field_put(cmd->out, NIC_VPORT_STATE, hca_eth_is_up(hca));
	return HCA_CMD_OK;
}

/* The lists of addresses are not kept: flow tables say what is received. */
enum hca_cmd_status hca_cmd_query_nic_vport(struct hca *hca, struct hca_cmd *cmd)
{
	memcpy(cmd->out + HCA_CMD_CONTEXT, hca->eth->vport, VPORT_SIZE);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_modify_nic_vport(struct hca *hca, struct hca_cmd *cmd)
{
	/* Dwords of the context, bits of them, that a bit of the selection stands for. */
	static const struct {
		uint32_t select;
		uint8_t dw, hi, lo;
	} fields[] = {
		{ SELECT_INLINE, 0, 26, 24 },	 { SELECT_MC_LOOPBACK, 0, 2, 2 },
		{ SELECT_UC_LOOPBACK, 0, 1, 1 }, { SELECT_ROCE, 0, 0, 0 },
		{ SELECT_EVENT, 1, 31, 0 },	 { SELECT_MTU, 9, 15, 0 },
		{ SELECT_PORT_GUID, 12, 31, 0 }, { SELECT_PORT_GUID, 13, 31, 0 },
		{ SELECT_NODE_GUID, 14, 31, 0 }, { SELECT_NODE_GUID, 15, 31, 0 },
		{ SELECT_PROMISC, 60, 31, 29 },	 { SELECT_MAC, 61, 15, 0 },
		{ SELECT_MAC, 62, 31, 0 },
	};
	const uint8_t *context = cmd->in + MODIFY_VPORT;
	uint32_t select = be32_at(cmd->in, NIC_VPORT_SELECT);

	/* other_vport: there is one. */
	if (field_get(cmd->in, NIC_VPORT_OTHER))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x240001);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (select & fields[i].select)
			field_put(hca->eth->vport, fields[i].dw, fields[i].hi, fields[i].lo,
				  field_get(context, fields[i].dw, fields[i].hi, fields[i].lo));
	}
	return HCA_CMD_OK;
}
