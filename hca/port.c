/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The InfiniBand port: vport context, GIDs, P_Keys, counters, access registers, adapter. Layouts:
 * hca_vport_context, ptys_reg, pmtu_reg, pvlc_reg, query_adapter_out of mlx5_ifc.h.
 */
#include "hca/cmd.h"
#include "hca/flow_table.h"

#define VPORT_SIZE	 512u
#define VPORT_CAP_MASK	 0x40u
#define VPORT_CAP_SELECT 0x44u

#define GIDS	    8u	 /* gid_table_size 0 */
#define PKEYS	    128u /* pkey_table_size 0 */
#define ALL_ENTRIES 0xffffu

#define PORT_DOWN     1u
#define PORT_ACTIVE   4u
#define PHYS_DISABLED 3u
#define PHYS_LINK_UP  5u
#define CLIENT_REREG  9u
#define WIDTH_4X      0x4u
#define SPEED_NDR     0x80u
#define PROTO_IB      1u

#define REG_PMTU	0x5003u
#define REG_PTYS	0x5004u
#define REG_PAOS	0x5006u
#define REG_PPCNT	0x5008u
#define REG_PVLC	0x500fu
#define REG_NODE_DESC	0x6001u
#define REG_HOST_ENDIAN 0x7004u
#define REG_DTOR	0xc00eu

#define VENDOR_OUI 0x0002c9u

static void put_link(uint8_t *ctx, bool up)
{
	uint32_t state = up ? PORT_ACTIVE : PORT_DOWN;

	field_put(ctx, 8, 15, 12, up ? PHYS_LINK_UP : PHYS_DISABLED);
	field_put(ctx, 8, 7, 4, state);
	field_put(ctx, 8, 3, 0, state);
}

void hca_set_link(struct hca *hca, bool up)
{
	pthread_mutex_lock(&hca->mmio.lock);
	hca->mmio.link = up;
	pthread_mutex_unlock(&hca->mmio.lock);
	if (hca->wake)
		hca->wake(hca->wake_arg);
}

bool hca_link(struct hca *hca)
{
	bool up;

	pthread_mutex_lock(&hca->mmio.lock);
	up = hca->mmio.link;
	pthread_mutex_unlock(&hca->mmio.lock);
	return up;
}

void hca_port_link_changed(struct hca *hca)
{
	bool up = subnet_link(hca->port);
	uint8_t data[28] = { [8] = 1 << 4 }; /* port 1 */

	put_link(hca->vport_context, up);
	if (!up)
		hca_ud_drop(hca);
	hca_event(hca, HCA_EVENT_PORT_CHANGE, up ? PORT_ACTIVE : PORT_DOWN, data);
	/* The manager has forgotten what the port had joined: its clients have to ask again. */
	if (up)
		hca_event(hca, HCA_EVENT_PORT_CHANGE, CLIENT_REREG, data);
}

bool hca_pass(struct hca *hca, enum hca_side side, bool multicast, uint64_t packets,
	      uint64_t octets)
{
	struct hca_traffic *traffic = &hca->traffic[side][multicast];

	traffic->packets += packets;
	traffic->octets += octets;
	return hca_steer(hca, side, packets, octets);
}

void hca_port_reset(struct hca *hca)
{
	uint8_t *ctx = hca->vport_context;

	memset(ctx, 0, VPORT_SIZE);
	field_put(ctx, 8, 30, 30, 1); /* has_smi */
	put_link(ctx, !hca->port || subnet_link(hca->port));
	be64_put(ctx, 0x28, hca->params.guid);
	be64_put(ctx, 0x30, hca->params.guid);
	be64_put(ctx, 0x38, hca->params.guid);
	be32_put(ctx, VPORT_CAP_SELECT, UINT32_MAX);
	field_put(ctx, 24, 31, 16, hca->params.lid);
	field_put(ctx, 24, 4, 0, SUBNET_TIMEOUT);
	field_put(ctx, 25, 31, 16, SUBNET_SM_LID);

	memset(hca->traffic, 0, sizeof(hca->traffic));
	hca->inbox.lost = (struct hca_traffic){ 0 };
	memset(hca->node_description, 0, sizeof(hca->node_description));
	snprintf(hca->node_description, sizeof(hca->node_description), "rdma-tph %s",
		 hca->params.name);
}

enum hca_cmd_status hca_cmd_query_vport(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t len = cmd->olen - HCA_CMD_CONTEXT;

	memcpy(cmd->out + HCA_CMD_CONTEXT, hca->vport_context, len < VPORT_SIZE ? len : VPORT_SIZE);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_modify_vport(struct hca *hca, struct hca_cmd *cmd)
{
	const uint8_t *ctx = cmd->in + HCA_CMD_CONTEXT;
	uint32_t select = be32_at(ctx, VPORT_CAP_SELECT);
	uint32_t mask = be32_at(hca->vport_context, VPORT_CAP_MASK);

	/* GUIDs and the state policy belong to the subnet's side here: only capability bits move.
	 */
	mask = (mask & ~select) | (be32_at(ctx, VPORT_CAP_MASK) & select);
	be32_put(hca->vport_context, VPORT_CAP_MASK, mask);
	return HCA_CMD_OK;
}

/*
 * A table query: @index of one entry, or ALL_ENTRIES. Sets *@first and *@last, the entries to put
 * at output byte 0x10, @size bytes each.
 */
static enum hca_cmd_status table_range(struct hca_cmd *cmd, uint32_t entries, uint32_t size,
				       uint32_t *first, uint32_t *last)
{
	uint32_t index = field_get(cmd->in, 3, 15, 0);

	if (index != ALL_ENTRIES && index >= entries)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INDEX, 0x0d0001);
	*first = index == ALL_ENTRIES ? 0 : index;
	*last = index == ALL_ENTRIES ? entries : index + 1;
	if (cmd->olen < HCA_CMD_CONTEXT + (*last - *first) * size)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_OUTPUT_LEN, 0x0d0002);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_query_gid(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t first, last;
	enum hca_cmd_status status = table_range(cmd, GIDS, 16, &first, &last);

	if (status)
		return status;
	field_put(cmd->out, 3, 31, 16, last - first);
	if (!first) {
		be64_put(cmd->out, HCA_CMD_CONTEXT, SUBNET_GID_PREFIX);
		be64_put(cmd->out, HCA_CMD_CONTEXT + 8, hca->params.guid);
	}
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_query_pkey(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t first, last;
	enum hca_cmd_status status = table_range(cmd, PKEYS, 4, &first, &last);

	(void)hca;
	if (status)
		return status;
	if (!first)
		be32_put(cmd->out, HCA_CMD_CONTEXT, SUBNET_P_KEY);
	return HCA_CMD_OK;
}

/* Payload only: headers are not modelled. Received errors are datagrams that found no room. */
enum hca_cmd_status hca_cmd_query_vport_counter(struct hca *hca, struct hca_cmd *cmd)
{
	const struct hca_traffic *lost = &hca->inbox.lost;
	unsigned int multicast, side;

	be64_put(cmd->out, 0x10, lost->packets);
	be64_put(cmd->out, 0x18, lost->octets);
	for (multicast = 0; multicast < 2; multicast++) {
		for (side = HCA_RX; side <= HCA_TX; side++) {
			const struct hca_traffic *traffic = &hca->traffic[side][multicast];
			size_t at = 0x30 + 16 * (2 * multicast + side);

			be64_put(cmd->out, at, traffic->packets);
			be64_put(cmd->out, at + 8, traffic->octets);
		}
	}
	return HCA_CMD_OK;
}

/* One port, bound to no other: the state is "inactive", which is 0. */
enum hca_cmd_status hca_cmd_query_lag(struct hca *hca, struct hca_cmd *cmd)
{
	(void)hca;
	(void)cmd;
	return HCA_CMD_OK;
}

static void fill_ptys(uint8_t *reg)
{
	uint32_t link = WIDTH_4X << 16 | SPEED_NDR;

	field_put(reg, 0, 23, 16, 1);
	field_put(reg, 0, 2, 0, PROTO_IB);
	be32_put(reg, 4 * 4, link);  /* capability */
	be32_put(reg, 7 * 4, link);  /* admin */
	be32_put(reg, 10 * 4, link); /* oper */
}

static void fill_pmtu(uint8_t *reg)
{
	unsigned int dw;

	field_put(reg, 0, 23, 16, 1);
	for (dw = 1; dw <= 3; dw++) /* max, admin, oper */
		field_put(reg, dw, 31, 16, HCA_MTU);
}

static void fill_pvlc(uint8_t *reg)
{
	unsigned int dw;

	field_put(reg, 0, 23, 16, 1);
	for (dw = 1; dw <= 3; dw++) /* hardware, admin, operational: VL0 */
		field_put(reg, dw, 3, 0, 1);
}

/* Counters of errors: there are none. */
static void fill_ppcnt(uint8_t *reg)
{
	field_put(reg, 0, 23, 16, 1);
}

static void fill_paos(uint8_t *reg)
{
	field_put(reg, 0, 23, 16, 1);
	field_put(reg, 0, 11, 8, 1); /* admin up */
	field_put(reg, 0, 3, 0, 1);  /* up */
}

static const struct {
	uint16_t id;
	uint16_t size;
	bool writable;
	void (*fill)(uint8_t *reg);
} registers[] = {
	{ REG_PMTU, 16, false, fill_pmtu },    { REG_PTYS, 64, false, fill_ptys },
	{ REG_PAOS, 16, false, fill_paos },    { REG_PVLC, 16, false, fill_pvlc },
	{ REG_PPCNT, 256, false, fill_ppcnt }, { REG_NODE_DESC, 64, true, NULL },
	{ REG_HOST_ENDIAN, 16, true, NULL },   { REG_DTOR, 60, false, NULL },
};

enum hca_cmd_status hca_cmd_access_reg(struct hca *hca, struct hca_cmd *cmd)
{
	bool read = be16_at(cmd->in, 6) & 1;
	uint32_t id = field_get(cmd->in, 2, 15, 0);
	uint8_t *out = cmd->out + HCA_CMD_CONTEXT;
	size_t i;

	for (i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		if (registers[i].id == id)
			break;
	}
	if (i == sizeof(registers) / sizeof(registers[0]) || (!read && !registers[i].writable)) {
		hca_unmodelled(hca, "register 0x%04x %s", id, read ? "read" : "write");
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x0d0003);
	}
	if (cmd->ilen < HCA_CMD_CONTEXT + registers[i].size)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INPUT_LEN, 0x0d0004);
	if (read && cmd->olen < HCA_CMD_CONTEXT + registers[i].size)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_OUTPUT_LEN, 0x0d0005);
	if (registers[i].fill) {
		registers[i].fill(out);
	} else if (id == REG_NODE_DESC) {
		if (read)
			memcpy(out, hca->node_description, registers[i].size);
		else
			memcpy(hca->node_description, cmd->in + HCA_CMD_CONTEXT, registers[i].size);
	}
	/* DTOR: time-outs, 0 leaves them to the driver. HOST_ENDIANNESS: the driver says
	 * little-endian; nothing here depends on it. */
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_query_adapter(struct hca *hca, struct hca_cmd *cmd)
{
	static const char board_id[16] = "TPH0000000001";

	(void)hca;
	field_put(cmd->out + HCA_CMD_CONTEXT, 6, 23, 0, VENDOR_OUI);
	memcpy(cmd->out + HCA_CMD_CONTEXT + 0xf0, board_id, sizeof(board_id));
	return HCA_CMD_OK;
}
