/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The InfiniBand port: vport context, GIDs, P_Keys, counters, access registers, adapter. Layouts:
 * hca_vport_context, ptys_reg, pmtu_reg, pvlc_reg, query_adapter_out of mlx5_ifc.h.
 */
#include "hca/opcodes.h"
#include "hca/data.h"
#include "hca/eth.h"
#include "hca/flow_table.h"
#include "hca/inbox.h"
#include "hca/layout.h"

#define VPORT_SIZE 512u

#define GIDS	    SUBNET_GUIDS  /* gid_table_size 0 */
#define PKEYS	    SUBNET_P_KEYS /* pkey_table_size 0 */
#define ALL_ENTRIES 0xffffu
/* Bytes of an entry; of two counters, packets and octets. */
#define GID_LEN	    16u
#define PKEY_LEN    4u
#define COUNTER_LEN 16u

/* Sub-types of a port change, as a PortInfo's states where they are states. */
#define PORT_DOWN    1u
#define PORT_ACTIVE  4u
#define PORT_INIT    5u
#define LID_CHANGE   6u
#define PKEY_CHANGE  7u
#define GUID_CHANGE  8u
#define CLIENT_REREG 9u

/* IsSM, and the services that a driver offers: CM, SNMP, device management, vendor, boot. */
#define SETTABLE_CAPS (1u << 1 | 1u << 16 | 1u << 17 | 1u << 19 | 1u << 20 | 1u << 23)

/* PTYS: a bit for each width and speed. */
#define WIDTHS	 0x5u /* 1X, 4X */
#define WIDTH_4X 0x4u
#define SPEEDS	 0xf7u /* SDR to NDR, without FDR10 */
#define FDR	 0x10u /* the first of the extended ones */
#define PROTO_IB 1u

#define REG_PMTU	0x5003u
#define REG_PTYS	0x5004u
#define REG_PAOS	0x5006u
#define REG_PPCNT	0x5008u
#define REG_PVLC	0x500fu
#define REG_NODE_DESC	0x6001u
#define REG_HOST_ENDIAN 0x7004u
#define REG_MNVDA	0x9024u
#define REG_DTOR	0xc00eu

#define VENDOR_OUI 0x0002c9u

bool hca_has_lid(const struct hca *hca, uint16_t lid)
{
	return (lid & ~((1u << hca->port_state.lmc) - 1)) == hca->port_state.lid;
}

/* What the subnet's side says of the port, where the driver asks for it. */
static void update(struct hca *hca)
{
	const struct subnet_port_state *state = &hca->port_state;
	uint8_t *ctx = hca->vport_context;

	if (!hca->port)
		return;
	subnet_port_state(hca->port, &hca->port_state);
	field_put(ctx, VPORT_PORT_PHYSICAL_STATE, state->phys);
	field_put(ctx, VPORT_PORT_STATE, state->state);
	field_put(ctx, VPORT_STATE, state->state);
	be32_put(ctx, VPORT_CAP_MASK, state->capabilities);
	field_put(ctx, VPORT_LID, state->lid);
	field_put(ctx, VPORT_LMC, state->lmc);
	field_put(ctx, VPORT_SUBNET_TIMEOUT, state->timeout);
	field_put(ctx, VPORT_SM_LID, state->sm_lid);
	field_put(ctx, VPORT_SM_SL, state->sm_sl);
	field_put(ctx, VPORT_Q_KEY_VIOLATIONS, hca->inbox.q_key_violations);
	field_put(ctx, VPORT_P_KEY_VIOLATIONS, hca->inbox.p_key_violations);
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

static void port_event(struct hca *hca, uint8_t what)
{
	uint8_t data[28] = { [8] = 1 << 4 }; /* port 1 */

	hca_event(hca, HCA_EVENT_PORT_CHANGE, what, data);
}

bool hca_port_poll(struct hca *hca)
{
	static const struct {
		unsigned int event;
		uint8_t what;
	} events[] = {
		{ SUBNET_DOWN, PORT_DOWN },
		{ SUBNET_LID, LID_CHANGE },
		{ SUBNET_P_KEY_TABLE, PKEY_CHANGE },
		{ SUBNET_GUID_TABLE, GUID_CHANGE },
		{ SUBNET_ACTIVE, PORT_ACTIVE },
		{ SUBNET_INIT, PORT_INIT },
		/* The manager has forgotten what the port had joined: its clients ask again. */
		{ SUBNET_REREGISTER, CLIENT_REREG },
	};
	unsigned int changed = subnet_take_events(hca->port), i;

	if (!changed)
		return false;
	update(hca);
	if (changed & SUBNET_DOWN)
		hca_ud_drop(hca);
	/* Init is worth a word only where the port stays there. */
	if (changed & SUBNET_ACTIVE)
		changed &= ~(unsigned int)SUBNET_INIT;
	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (changed & events[i].event)
			port_event(hca, events[i].what);
	}
	return true;
}

void hca_port_traffic(void *owner, struct subnet_traffic *traffic)
{
	static const enum hca_side sides[] = { HCA_TX, HCA_RX };
	const struct hca *hca = owner;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		const struct hca_traffic *from = hca->traffic[sides[i]];

		traffic->octets[i] = from[0].octets + from[1].octets;
		traffic->unicast[i] = from[0].packets;
		traffic->multicast[i] = from[1].packets;
	}
}

static bool steer(struct hca *hca, enum hca_side side, uint64_t packets, uint64_t octets)
{
	return !hca->flow_root[side] || hca_steer(hca, side, packets, octets);
}

bool hca_pass(struct hca *hca, enum hca_side side, bool multicast, uint64_t packets,
	      uint64_t octets)
{
	struct hca_traffic *traffic = &hca->traffic[side][multicast];

	traffic->packets += packets;
	traffic->octets += octets;
	if (side == HCA_TX)
		return steer(hca, HCA_TX, packets, octets) &&
		       steer(hca, HCA_TRANSPORT_TX, packets, octets);
	return steer(hca, HCA_TRANSPORT_RX, packets, octets) && steer(hca, HCA_RX, packets, octets);
}

void hca_port_reset(struct hca *hca)
{
	uint8_t *ctx = hca->vport_context;

	memset(ctx, 0, VPORT_SIZE);
	field_put(ctx, VPORT_HAS_SMI, 1);
	be64_put(ctx, VPORT_SYSTEM_IMAGE_GUID, hca->params.guid);
	be64_put(ctx, VPORT_PORT_GUID, hca->params.guid);
	be64_put(ctx, VPORT_NODE_GUID, hca->params.guid);
	be32_put(ctx, VPORT_CAP_SELECT, UINT32_MAX);
	/* Nobody is there to hear of what was before. */
	if (hca->port)
		subnet_take_events(hca->port);
	update(hca);

	memset(hca->traffic, 0, sizeof(hca->traffic));
	hca->inbox.lost = (struct hca_traffic){ 0 };
	hca->inbox.p_key_violations = hca->inbox.q_key_violations = 0;
	hca->port_caps = 0;
	if (hca->eth)
		hca_eth_reset(hca);
	memset(hca->node_description, 0, sizeof(hca->node_description));
	snprintf(hca->node_description, sizeof(hca->node_description), "rdma-tph %s",
		 hca->params.name);
}

enum hca_cmd_status hca_cmd_query_vport(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t len = cmd->olen - HCA_CMD_CONTEXT;

	update(hca);
	memcpy(cmd->out + HCA_CMD_CONTEXT, hca->vport_context, len < VPORT_SIZE ? len : VPORT_SIZE);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_modify_vport(struct hca *hca, struct hca_cmd *cmd)
{
	const uint8_t *ctx = cmd->in + HCA_CMD_CONTEXT;
	uint32_t select = be32_at(ctx, VPORT_CAP_SELECT);

	/* GUIDs and the state policy belong to the subnet's side here: only capabilities move. */
	select &= SETTABLE_CAPS;
	hca->port_caps = (hca->port_caps & ~select) | (be32_at(ctx, VPORT_CAP_MASK) & select);
	subnet_set_capabilities(hca->port, hca->port_caps);
	update(hca);
	return HCA_CMD_OK;
}

/*
 * A table query: @index of one entry, or ALL_ENTRIES. Sets *@first and *@last, the entries to put
 * at output byte 0x10, @size bytes each.
 */
static enum hca_cmd_status table_range(struct hca_cmd *cmd, uint32_t entries, uint32_t size,
				       uint32_t *first, uint32_t *last)
{
	uint32_t index = field_get(cmd->in, PORT_TABLE_INDEX);

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
	uint32_t first, last, i;
	enum hca_cmd_status status = table_range(cmd, GIDS, GID_LEN, &first, &last);

	if (status)
		return status;
	field_put(cmd->out, GIDS_NUM, last - first);
	for (i = first; i < last; i++) {
		uint8_t *gid = cmd->out + HCA_CMD_CONTEXT + GID_LEN * (size_t)(i - first);

		/* An entry without a GUID has the prefix all the same. */
		be64_put(gid, GID_PREFIX, hca->port_state.prefix);
		be64_put(gid, GID_GUID, subnet_guid(hca->port, i));
	}
	return HCA_CMD_OK;
}

uint16_t hca_p_key(const struct hca *hca, unsigned int index)
{
	if (hca->port)
		return subnet_p_key(hca->port, index);
	return index ? 0 : SUBNET_P_KEY;
}

enum hca_cmd_status hca_cmd_query_pkey(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t first, last, i;
	enum hca_cmd_status status = table_range(cmd, PKEYS, PKEY_LEN, &first, &last);

	if (status)
		return status;
	for (i = first; i < last; i++)
		be32_put(cmd->out, HCA_CMD_CONTEXT + PKEY_LEN * (size_t)(i - first),
			 hca_p_key(hca, i));
	return HCA_CMD_OK;
}

/* Payload only: headers are not modelled. Received errors are datagrams that found no room. */
enum hca_cmd_status hca_cmd_query_vport_counter(struct hca *hca, struct hca_cmd *cmd)
{
	const struct hca_traffic *lost = &hca->inbox.lost;
	unsigned int multicast, side;

	if (hca->eth) {
		hca_eth_vport_counters(hca, cmd->out + HCA_CMD_CONTEXT);
		return HCA_CMD_OK;
	}
	be64_put(cmd->out, VPORT_RECEIVED_ERRORS + COUNTER_PACKETS, lost->packets);
	be64_put(cmd->out, VPORT_RECEIVED_ERRORS + COUNTER_OCTETS, lost->octets);
	for (multicast = 0; multicast < 2; multicast++) {
		for (side = HCA_RX; side <= HCA_TX; side++) {
			const struct hca_traffic *traffic = &hca->traffic[side][multicast];
			size_t at = VPORT_RECEIVED + COUNTER_LEN * (2 * multicast + side);

			be64_put(cmd->out, at + COUNTER_PACKETS, traffic->packets);
			be64_put(cmd->out, at + COUNTER_OCTETS, traffic->octets);
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

static void fill_ptys(const struct hca *hca, uint8_t *reg)
{
	const struct subnet_port_state *state = &hca->port_state;
	uint32_t width = state->width == 1 ? 1 : WIDTH_4X;
	uint32_t speed = state->ext_speed ? state->ext_speed * FDR : state->speed;

	field_put(reg, REG_LOCAL_PORT, 1);
	field_put(reg, PTYS_PROTO_MASK, PROTO_IB);
	be32_put(reg, PTYS_IB_CAPABILITY, WIDTHS << 16 | SPEEDS);
	be32_put(reg, PTYS_IB_ADMIN, WIDTHS << 16 | SPEEDS);
	be32_put(reg, PTYS_IB_OPER, width << 16 | speed);
}

static void fill_pmtu(const struct hca *hca, uint8_t *reg)
{
	(void)hca;
	field_put(reg, REG_LOCAL_PORT, 1);
	field_put(reg, PMTU_MAX, HCA_MTU);
	field_put(reg, PMTU_ADMIN, HCA_MTU);
	field_put(reg, PMTU_OPER, HCA_MTU);
}

static void fill_pvlc(const struct hca *hca, uint8_t *reg)
{
	(void)hca;
	field_put(reg, REG_LOCAL_PORT, 1);
	/* VL0 */
	field_put(reg, PVLC_VL_HW_CAP, 1);
	field_put(reg, PVLC_VL_ADMIN, 1);
	field_put(reg, PVLC_VL_OPERATIONAL, 1);
}

/* Counters of errors: there are none. */
static void fill_ppcnt(const struct hca *hca, uint8_t *reg)
{
	(void)hca;
	field_put(reg, REG_LOCAL_PORT, 1);
}

static void fill_paos(const struct hca *hca, uint8_t *reg)
{
	field_put(reg, REG_LOCAL_PORT, 1);
	field_put(reg, PAOS_ADMIN_STATUS, 1);					      /* admin up */
	field_put(reg, PAOS_OPER_STATUS, hca->port_state.state == PORT_DOWN ? 2 : 1); /* down, up */
}

/*
 * Items of non-volatile configuration, by class and index, with their lengths in bytes. All are as
 * a board has them that offers no virtual functions and no choices: zero, and not to be written.
 */
static const struct {
	uint32_t type;
	uint16_t len;
} nv_items[] = {
	{ 0x00000080, 12 }, /* global PCI settings */
	{ 0x00000081, 20 }, /* and what can be set: sriov_support */
	{ 0x0000010a, 8 },  /* software offload: cqe_compression */
	{ 0x0000010b, 4 },  /* and what can be set */
	{ 0x0000011d, 8 },  /* software acceleration: swp_l4_csum_mode */
	{ 0x03000080, 16 }, /* PCI settings of the function */
};

/* The item that the header in @in names, with no more data than it has. */
static enum hca_cmd_status read_nv_item(struct hca *hca, struct hca_cmd *cmd)
{
	const uint8_t *in = cmd->in + HCA_CMD_CONTEXT;
	uint8_t *out = cmd->out + HCA_CMD_CONTEXT;
	uint32_t type = be32_at(in, MNVDA_TYPE);
	size_t i;

	for (i = 0; i < sizeof(nv_items) / sizeof(nv_items[0]); i++) {
		if (nv_items[i].type != type)
			continue;
		field_put(out, MNVDA_ACCESS_MODE, field_get(in, MNVDA_ACCESS_MODE));
		field_put(out, MNVDA_LENGTH, nv_items[i].len);
		be32_put(out, MNVDA_TYPE, type);
		return HCA_CMD_OK;
	}
	hca_unmodelled(hca, "non-volatile item 0x%08x", type);
	return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x0d0006);
}

static const struct {
	uint16_t id;
	uint16_t size;
	bool writable;
	void (*fill)(const struct hca *hca, uint8_t *reg);
} registers[] = {
	{ REG_PMTU, 16, false, fill_pmtu },    { REG_PTYS, 64, false, fill_ptys },
	{ REG_PAOS, 16, false, fill_paos },    { REG_PVLC, 16, false, fill_pvlc },
	{ REG_PPCNT, 256, false, fill_ppcnt }, { REG_NODE_DESC, 64, true, NULL },
	{ REG_HOST_ENDIAN, 16, true, NULL },   { REG_DTOR, 60, false, NULL },
	{ REG_MNVDA, 268, false, NULL },
};

enum hca_cmd_status hca_cmd_access_reg(struct hca *hca, struct hca_cmd *cmd)
{
	bool read = be16_at(cmd->in, CMD_OP_MOD) & 1;
	uint32_t id = field_get(cmd->in, ACCESS_REG_ID);
	uint8_t *out = cmd->out + HCA_CMD_CONTEXT;
	enum hca_cmd_status status;
	size_t i;

	if (hca->eth && hca_eth_access_reg(hca, cmd, &status))
		return status;
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
	if (id == REG_MNVDA)
		return read_nv_item(hca, cmd);
	if (registers[i].fill) {
		registers[i].fill(hca, out);
	} else if (id == REG_NODE_DESC) {
		if (read)
			memcpy(out, hca->node_description, registers[i].size);
		else
			memcpy(hca->node_description, cmd->in + HCA_CMD_CONTEXT, registers[i].size);
		if (!read && hca->port)
			subnet_describe(hca->port, hca->node_description);
	}
	/* DTOR: time-outs, 0 leaves them to the driver. HOST_ENDIANNESS: the driver says
	 * little-endian; nothing here depends on it. */
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_query_adapter(struct hca *hca, struct hca_cmd *cmd)
{
	static const char board_id[16] = HCA_PSID;

	(void)hca;
	field_put(cmd->out + HCA_CMD_CONTEXT, ADAPTER_IEEE_VENDOR_ID, VENDOR_OUI);
	memcpy(cmd->out + HCA_CMD_CONTEXT + ADAPTER_PSID, board_id, sizeof(board_id));
	return HCA_CMD_OK;
}
