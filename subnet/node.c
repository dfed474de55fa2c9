/* SPDX-License-Identifier: GPL-2.0-only */
/* What nodes and ports say of themselves, in SMPs as in the administrator's records. */
#include <string.h>

#include "base/bits.h"
#include "subnet/internal.h"

#define NODE_CA	      1
#define NODE_SWITCH   2
#define VENDOR	      0x0002c9u /* the HCAs' */
#define SWITCH_DEVICE 0x7470u
#define SWITCH_NAME   "rdma-tph subnet"
#define RESPONSE_TIME LIFETIME

void node_info(const struct subnet_port *port, uint8_t local_port, uint8_t info[NODE_INFO_LEN])
{
	uint64_t guid = port ? port->attr.guid : SM_GUID;

	memset(info, 0, NODE_INFO_LEN);
	info[0] = 1; /* base and class version */
	info[1] = 1;
	info[2] = port ? NODE_CA : NODE_SWITCH;
	info[3] = port ? 1 : SUBNET_PORTS;
	be64_put(info, 4, guid);
	be64_put(info, 12, guid);
	be64_put(info, 20, guid);
	be16_put(info, 28, SUBNET_P_KEYS);
	be16_put(info, 30, port ? port->attr.device_id : SWITCH_DEVICE);
	be32_put(info, 36, (uint32_t)local_port << 24 | VENDOR);
}

void node_description(const struct subnet_port *port, uint8_t text[SUBNET_DESCRIPTION])
{
	memset(text, 0, SUBNET_DESCRIPTION);
	if (port)
		memcpy(text, port->description, SUBNET_DESCRIPTION);
	else
		memcpy(text, SWITCH_NAME, sizeof(SWITCH_NAME));
}

static uint32_t capabilities(const struct subnet_port *port, uint8_t number)
{
	uint32_t all = IS_SYSTEM_GUID | IS_EXTENDED;

	if (port)
		return all | IS_REREGISTER | port->capabilities;
	return number ? all : all | IS_SM;
}

void port_info(const struct subnet *subnet, const struct subnet_port *port, uint8_t number,
	       uint8_t info[SMP_DATA_LEN])
{
	const struct end *end = port ? &port->end : &subnet->sw.end[number];
	bool up = end->phys == PHYS_LINK_UP;

	memset(info, 0, SMP_DATA_LEN);
	/* Of a switch, only port 0 has addresses. */
	if (port || !number) {
		be64_put(info, PI_PREFIX, end->prefix);
		be16_put(info, PI_LID, end->lid);
		be16_put(info, PI_SM_LID, end->sm_lid);
		info[PI_LMC] = end->lmc;
		info[PI_GUIDS] = port ? SUBNET_GUIDS : 1;
		info[PI_TIMEOUT] = end->timeout;
	}
	be32_put(info, PI_CAPABILITIES, capabilities(port, number));
	info[PI_LOCAL_PORT] = port ? 1 : number;
	info[PI_WIDTH_ENABLED] = end->width_enabled;
	info[PI_WIDTH_SUPPORT] = WIDTHS;
	info[PI_WIDTH] = up ? end->width : WIDTH_4X;
	info[PI_SPEED_STATE] = (uint8_t)(SPEEDS << 4 | end->state);
	info[PI_PHYS] = (uint8_t)(end->phys << 4 | end->down_default);
	info[PI_SPEED] = (uint8_t)((up ? end->speed : 1) << 4 | end->speed_enabled);
	info[PI_MTU_SL] = (uint8_t)(end->neighbor_mtu << 4 | end->sm_sl);
	info[PI_VL_CAP] = 1 << 4; /* VL0 */
	info[PI_HIGH_LIMIT] = end->high_limit;
	info[PI_MTU_CAP] = MTU_4096;
	info[PI_OPER_VLS] = 1 << 4;
	info[PI_RESPONSE] = RESPONSE_TIME;
	info[PI_EXT_SPEED] = (uint8_t)((up ? end->ext : 0) << 4 | EXT_SPEEDS);
	info[PI_EXT_ENABLED] = end->ext_enabled;
}

void switch_info(const struct subnet *subnet, uint8_t info[SWITCH_INFO_LEN])
{
	memset(info, 0, SWITCH_INFO_LEN);
	be16_put(info, 0, LFT_SIZE);
	be16_put(info, 4, MFT_SIZE);
	be16_put(info, 6, subnet->sw.lft_top);
	info[11] = (uint8_t)(subnet->sw.lifetime << 3 | subnet->sw.changed << 2);
	/* No partitions are enforced. */
	be16_put(info, 18, subnet->sw.mft_top);
}

bool guid_block(const struct subnet_port *port, uint32_t block, uint8_t data[SMP_DATA_LEN])
{
	unsigned int i;

	if (block)
		return false;
	memset(data, 0, SMP_DATA_LEN);
	be64_put(data, 0, SM_GUID);
	for (i = 0; port && i < SUBNET_GUIDS; i++)
		be64_put(data, 8 * (size_t)i, port->guid[i]);
	return true;
}

bool p_key_block(const struct subnet *subnet, const struct subnet_port *port, uint32_t block,
		 uint8_t data[SMP_DATA_LEN])
{
	const uint16_t *p_key = port ? port->p_key : subnet->sw.p_key;
	unsigned int i;

	if (block >= SUBNET_P_KEYS / P_KEY_BLOCK)
		return false;
	for (i = 0; i < P_KEY_BLOCK; i++)
		be16_put(data, 2 * (size_t)i, p_key[block * P_KEY_BLOCK + i]);
	return true;
}

bool lft_block(const struct subnet *subnet, uint32_t block, uint8_t data[SMP_DATA_LEN])
{
	if (block >= LFT_SIZE / LFT_BLOCK)
		return false;
	memcpy(data, subnet->sw.lft + (size_t)block * LFT_BLOCK, LFT_BLOCK);
	return true;
}

bool mft_block(const struct subnet *subnet, uint32_t block, uint32_t position,
	       uint8_t data[SMP_DATA_LEN])
{
	unsigned int i;

	if (block >= MFT_SIZE / MFT_BLOCK || position >= MFT_POSITIONS)
		return false;
	for (i = 0; i < MFT_BLOCK; i++)
		be16_put(data, 2 * (size_t)i, subnet->sw.mft[block * MFT_BLOCK + i][position]);
	return true;
}
