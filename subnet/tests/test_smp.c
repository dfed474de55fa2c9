/* SPDX-License-Identifier: GPL-2.0-only */
/* SMPs: the ways they take, and what the agents of the switch and of the adapters answer. */
#include "subnet/smp.h"
#include "subnet/tests/fabric.h"

#define SWITCH_GUID 0x020074006800bfffu
#define NONE	    0xffffu
#define EXTENDED    (1u << 31) /* speeds */

static void smp_init(uint8_t smp[MAD_LEN], uint8_t method, uint16_t attribute, uint32_t modifier)
{
	memset(smp, 0, MAD_LEN);
	smp[SMP_BASE] = 1;
	smp[SMP_CLASS] = SMP_CLASS_LID;
	smp[SMP_VERSION] = 1;
	smp[SMP_METHOD] = method;
	be64_put(smp, SMP_TID, 0xabcdef0123456789);
	be16_put(smp, SMP_ATTRIBUTE, attribute);
	be32_put(smp, SMP_MODIFIER, modifier);
}

/* By directed route, as an adapter sends it: the first hop is behind it. */
static void directed(uint8_t smp[MAD_LEN], uint8_t hops, uint8_t second)
{
	smp[SMP_CLASS] = SMP_CLASS_DIRECTED;
	smp[SMP_HOP_CNT] = hops;
	smp[SMP_HOP_PTR] = 1;
	be16_put(smp, SMP_DR_SLID, SMP_PERMISSIVE);
	be16_put(smp, SMP_DR_DLID, SMP_PERMISSIVE);
	smp[SMP_INITIAL + 1] = 1;
	smp[SMP_INITIAL + 2] = second;
}

static void send_smp(struct fabric *f, unsigned int end, uint16_t dlid, const uint8_t *smp,
		     size_t len)
{
	uint8_t data[SUBNET_GRH_LEN + SUBNET_MTU] = { 0 };
	struct subnet_packet packet = {
		.slid = dlid == SMP_PERMISSIVE ? SMP_PERMISSIVE : (uint16_t)(end + 1),
		.dlid = dlid,
		.p_key = SUBNET_P_KEY,
		.data = data,
		.len = len,
	};

	memcpy(data + SUBNET_GRH_LEN, smp, len);
	f->end[end].came = 0;
	subnet_send(f->end[end].port, &packet);
}

/* The answer to @smp from @end; NULL: there was none. */
static const uint8_t *ask_smp(struct fabric *f, unsigned int end, uint16_t dlid, const uint8_t *smp)
{
	send_smp(f, end, dlid, smp, MAD_LEN);
	if (!f->end[end].came)
		return NULL;
	assert_int_equal(f->end[end].came, 1);
	assert_int_equal(f->end[end].packet[0].dest_qpn, SUBNET_QP0);
	assert_int_equal(f->end[end].packet[0].src_qpn, SUBNET_QP0);
	return got(f, end, 0);
}

static uint16_t smp_status(const uint8_t *smp)
{
	return smp ? be16_at(smp, SMP_STATUS) & 0x7fff : NONE;
}

static uint16_t get(struct fabric *f, uint16_t dlid, uint16_t attribute, uint32_t modifier,
		    const uint8_t **data)
{
	static const uint8_t nothing[SMP_DATA_LEN];
	const uint8_t *answer;
	uint8_t smp[MAD_LEN];

	smp_init(smp, SMP_GET, attribute, modifier);
	answer = ask_smp(f, 0, dlid, smp);
	if (data)
		*data = answer ? answer + SMP_DATA : nothing;
	return smp_status(answer);
}

static uint16_t set(struct fabric *f, uint16_t dlid, uint16_t attribute, uint32_t modifier,
		    const uint8_t *data)
{
	uint8_t smp[MAD_LEN];

	smp_init(smp, SMP_SET, attribute, modifier);
	memcpy(smp + SMP_DATA, data, SMP_DATA_LEN);
	return smp_status(ask_smp(f, 0, dlid, smp));
}

/* PortInfo as it is, without what a Set would change about the state. */
static void port_info_of(struct fabric *f, uint16_t dlid, uint32_t number,
			 uint8_t info[SMP_DATA_LEN])
{
	const uint8_t *data;

	assert_int_equal(get(f, dlid, SMP_PORT_INFO, number, &data), SMP_OK);
	memcpy(info, data, SMP_DATA_LEN);
	info[PI_SPEED_STATE] &= 0xf0;
	info[PI_PHYS] &= 0x0f;
}

/* --- ways ------------------------------------------------------------------------------------ */

static void test_by_lid(void **state)
{
	struct fabric *f = *state;
	const uint8_t *answer, *data;
	uint8_t smp[MAD_LEN];

	smp_init(smp, SMP_GET, SMP_NODE_INFO, 0);
	answer = ask_smp(f, 0, 2, smp);
	assert_non_null(answer);
	assert_int_equal(answer[SMP_METHOD], SMP_GET_RESPONSE);
	assert_int_equal(be16_at(answer, SMP_STATUS), 0);
	assert_int_equal(be64_at(answer, SMP_TID), 0xabcdef0123456789);
	assert_int_equal(f->end[0].packet[0].slid, 2);
	assert_int_equal(f->end[0].packet[0].dlid, 1);
	assert_int_equal(f->end[1].came, 0);
	data = answer + SMP_DATA;
	assert_int_equal(data[2], 1); /* a CA */
	assert_int_equal(data[3], 1);
	assert_int_equal(be64_at(data, 20), GUID(2));
	assert_int_equal(be16_at(data, 30), 0x1021);
	assert_int_equal(be32_at(data, 36), 0x010002c9);
	/* The switch says where it came in. */
	assert_int_equal(get(f, SUBNET_SM_LID, SMP_NODE_INFO, 0, &data), SMP_OK);
	assert_int_equal(data[2], 2);
	assert_int_equal(data[3], SUBNET_PORTS);
	assert_int_equal(be64_at(data, 4), SWITCH_GUID);
	assert_int_equal(data[36], 1);
	assert_int_equal(f->end[0].packet[0].slid, SUBNET_SM_LID);
	/* Nobody. */
	assert_int_equal(get(f, 3, SMP_NODE_INFO, 0, NULL), NONE);
	assert_int_equal(get(f, 0, SMP_NODE_INFO, 0, NULL), NONE);
	assert_int_equal(get(f, 0xc000, SMP_NODE_INFO, 0, NULL), NONE);
	assert_int_equal(subnet_count(f->subnet, SUBNET_SMP), 3);
}

static void test_directed(void **state)
{
	struct fabric *f = *state;
	const uint8_t *answer;
	uint8_t smp[MAD_LEN];

	/* One hop: the switch. */
	smp_init(smp, SMP_GET, SMP_NODE_INFO, 0);
	directed(smp, 1, 0);
	answer = ask_smp(f, 1, SMP_PERMISSIVE, smp);
	assert_non_null(answer);
	assert_int_equal(be16_at(answer, SMP_STATUS), SMP_RETURNING);
	assert_int_equal(answer[SMP_HOP_PTR], 1);
	assert_int_equal(answer[SMP_RETURN + 1], 2);
	assert_int_equal(be64_at(answer, SMP_DATA + 4), SWITCH_GUID);
	assert_int_equal(answer[SMP_DATA + 36], 2);
	assert_int_equal(f->end[1].packet[0].slid, SMP_PERMISSIVE);
	/* Two: the other adapter, through which it never passes to its host. */
	directed(smp, 2, 1);
	answer = ask_smp(f, 1, SMP_PERMISSIVE, smp);
	assert_non_null(answer);
	assert_int_equal(be16_at(answer, SMP_STATUS), SMP_RETURNING);
	assert_int_equal(answer[SMP_HOP_PTR], 1);
	assert_int_equal(answer[SMP_RETURN + 1], 2);
	assert_int_equal(answer[SMP_RETURN + 2], 1);
	assert_int_equal(be64_at(answer, SMP_DATA + 20), GUID(1));
	assert_int_equal(f->end[0].came, 0);
	/* Two, and back to oneself. */
	directed(smp, 2, 2);
	answer = ask_smp(f, 1, SMP_PERMISSIVE, smp);
	assert_non_null(answer);
	assert_int_equal(be64_at(answer, SMP_DATA + 20), GUID(2));
}

static void test_directed_nowhere(void **state)
{
	static const struct {
		uint8_t hops, ptr, second;
		bool returning;
	} cases[] = {
		{ 2, 1, 0, false }, /* the switch itself is no way out of it */
		{ 2, 1, 3, false }, /* nothing is connected */
		{ 2, 1, 64, false },  { 2, 1, 65, false },
		{ 2, 1, 255, false }, { 3, 1, 1, false },  /* beyond an adapter */
		{ 63, 1, 1, false },  { 64, 1, 1, false }, /* more hops than there are */
		{ 64, 64, 1, false }, { 255, 255, 1, false },
		{ 2, 4, 1, false },			  /* a pointer behind the path */
		{ 1, 3, 1, false },   { 0, 1, 0, false }, /* no path at all */
		{ 2, 2, 1, true },			  /* answers to nothing */
		{ 2, 1, 1, true },    { 2, 0, 1, true },
		{ 2, 200, 1, true },  { 63, 64, 1, true },
		{ 63, 63, 1, true },
	};
	struct fabric *f = *state;
	uint8_t smp[MAD_LEN];
	size_t i;

	/* What is behind the ports in memory looks like a link that is up. */
	memset(smp, PHYS_LINK_UP, sizeof(smp));
	for (i = 1; i < 0xc000 / 64; i++)
		assert_int_equal(set(f, SUBNET_SM_LID, SMP_LINEAR_TABLE, (uint32_t)i, smp), SMP_OK);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		smp_init(smp, SMP_GET, SMP_NODE_INFO, 0);
		directed(smp, cases[i].hops, cases[i].second);
		smp[SMP_HOP_PTR] = cases[i].ptr;
		if (cases[i].returning)
			be16_put(smp, SMP_STATUS, SMP_RETURNING);
		assert_null(ask_smp(f, 0, SMP_PERMISSIVE, smp));
		assert_int_equal(f->end[1].came, 0);
		assert_int_equal(subnet_count(f->subnet, SUBNET_SMP), i + 1);
	}
}

/* By LID to the switch, and from there by directed route; and the other way round. */
static void test_combined(void **state)
{
	struct fabric *f = *state;
	const uint8_t *answer;
	uint8_t smp[MAD_LEN];

	smp_init(smp, SMP_GET, SMP_NODE_INFO, 0);
	directed(smp, 1, 0);
	smp[SMP_HOP_PTR] = 0;
	smp[SMP_INITIAL + 1] = 2;
	be16_put(smp, SMP_DR_SLID, 1);
	answer = ask_smp(f, 0, SUBNET_SM_LID, smp);
	assert_non_null(answer);
	assert_int_equal(answer[SMP_HOP_PTR], 0);
	assert_int_equal(be64_at(answer, SMP_DATA + 20), GUID(2));
	assert_int_equal(f->end[0].packet[0].dlid, 1);

	directed(smp, 1, 0);
	be16_put(smp, SMP_DR_DLID, 2);
	answer = ask_smp(f, 0, SMP_PERMISSIVE, smp);
	assert_non_null(answer);
	assert_int_equal(answer[SMP_HOP_PTR], 1);
	assert_int_equal(be64_at(answer, SMP_DATA + 20), GUID(2));
	/* To the switch's own LID behind the route. */
	be16_put(smp, SMP_DR_DLID, SUBNET_SM_LID);
	answer = ask_smp(f, 0, SMP_PERMISSIVE, smp);
	assert_non_null(answer);
	assert_int_equal(be64_at(answer, SMP_DATA + 20), SWITCH_GUID);
	/* Both parts by LID, no route between them. */
	smp[SMP_HOP_CNT] = smp[SMP_HOP_PTR] = 0;
	be16_put(smp, SMP_DR_SLID, 1);
	be16_put(smp, SMP_DR_DLID, SMP_PERMISSIVE);
	answer = ask_smp(f, 0, 2, smp);
	assert_non_null(answer);
	assert_int_equal(be64_at(answer, SMP_DATA + 20), GUID(2));
}

/* What managers say to each other, answers and traps: for the host, as it was on the wire. */
static void test_to_host(void **state)
{
	static const uint8_t methods[] = { SMP_GET, SMP_SET, SMP_GET_RESPONSE, SMP_TRAP,
					   SMP_TRAP_REPRESS };
	struct fabric *f = *state;
	uint8_t smp[MAD_LEN];
	size_t i;

	for (i = 0; i < sizeof(methods); i++) {
		smp_init(smp, methods[i], SMP_SM_INFO, 0);
		f->end[1].came = 0;
		send_smp(f, 0, 2, smp, MAD_LEN);
		assert_int_equal(f->end[1].came, 1);
		assert_memory_equal(got(f, 1, 0), smp, MAD_LEN);
		assert_int_equal(f->end[1].packet[0].dest_qpn, SUBNET_QP0);
		directed(smp, 2, 2);
		f->end[1].came = 0;
		send_smp(f, 0, SMP_PERMISSIVE, smp, MAD_LEN);
		assert_int_equal(f->end[1].came, 1);
		assert_int_equal(got(f, 1, 0)[SMP_HOP_PTR], 2);
		assert_int_equal(got(f, 1, 0)[SMP_RETURN + 1], 1);
		assert_int_equal(f->end[0].came, 0);
	}
}

static void test_no_smp(void **state)
{
	struct fabric *f = *state;
	uint8_t smp[2 * MAD_LEN];
	size_t len;

	smp_init(smp, SMP_GET, SMP_NODE_INFO, 0);
	memset(smp + MAD_LEN, 0, MAD_LEN);
	for (len = 0; len <= 2 * MAD_LEN; len++) {
		if (len != MAD_LEN)
			send_smp(f, 0, 2, smp, len);
	}
	assert_int_equal(subnet_count(f->subnet, SUBNET_LENGTH), 2 * MAD_LEN);
	smp[SMP_CLASS] = 3;
	assert_null(ask_smp(f, 0, 2, smp));
	assert_int_equal(subnet_count(f->subnet, SUBNET_SMP), 1);
	assert_int_equal(f->end[1].came, 0);
}

/* Its share of work, and not one SMP more. */
static void test_share(void **state)
{
	struct fabric *f = *state;
	unsigned int i;

	subnet_poll(f->subnet, 1);
	for (i = 0; i < SUBNET_PORT_WORK; i++)
		assert_int_equal(get(f, 2, SMP_NODE_INFO, 0, NULL), SMP_OK);
	assert_int_equal(get(f, 2, SMP_NODE_INFO, 0, NULL), NONE);
	assert_int_equal(subnet_count(f->subnet, SUBNET_BUSY), 1);
	subnet_poll(f->subnet, 2);
	assert_int_equal(get(f, 2, SMP_NODE_INFO, 0, NULL), SMP_OK);
}

/* --- agents ---------------------------------------------------------------------------------- */

static void test_attributes(void **state)
{
	static const struct {
		uint16_t lid, attribute;
		uint32_t modifier;
		uint16_t status, set; /* of a Set of what Get says */
	} cases[] = {
		{ 2, SMP_NODE_INFO, 0, SMP_OK, SMP_BAD_ATTRIBUTE },
		{ 2, SMP_NODE_DESCRIPTION, 0, SMP_OK, SMP_BAD_ATTRIBUTE },
		{ 2, SMP_PORT_INFO, 1, SMP_OK, SMP_BAD_VALUE }, /* to be set to INIT? */
		{ 2, SMP_PORT_INFO, 2, SMP_BAD_VALUE, SMP_BAD_VALUE },
		{ 2, SMP_PORT_INFO, 0x101, SMP_BAD_VALUE, SMP_BAD_VALUE },
		{ 2, SMP_PORT_INFO, 0x40000001, SMP_BAD_VALUE, SMP_BAD_VALUE },
		{ 2, SMP_P_KEY_TABLE, 3, SMP_OK, SMP_OK },
		{ 2, SMP_P_KEY_TABLE, 4, SMP_BAD_VALUE, SMP_BAD_VALUE },
		{ 2, SMP_GUID_INFO, 0, SMP_OK, SMP_OK },
		{ 2, SMP_GUID_INFO, 1, SMP_BAD_VALUE, SMP_BAD_VALUE },
		{ 2, SMP_SL_TO_VL, 0x101, SMP_OK, SMP_OK },
		{ 2, SMP_SL_TO_VL, 2, SMP_BAD_VALUE, SMP_BAD_VALUE },
		{ 2, SMP_VL_ARBITRATION, 0x10001, SMP_BAD_VALUE, SMP_BAD_VALUE },
		{ 2, SMP_SWITCH_INFO, 0, SMP_BAD_ATTRIBUTE, SMP_BAD_ATTRIBUTE },
		{ 2, SMP_LINEAR_TABLE, 0, SMP_BAD_ATTRIBUTE, SMP_BAD_ATTRIBUTE },
		{ 2, SMP_MULTICAST_TABLE, 0, SMP_BAD_ATTRIBUTE, SMP_BAD_ATTRIBUTE },
		{ 2, 0x30, 0, SMP_BAD_ATTRIBUTE, SMP_BAD_ATTRIBUTE }, /* VendorDiag, LedInfo */
		{ 2, 0x31, 0, SMP_BAD_ATTRIBUTE, SMP_BAD_ATTRIBUTE },
		{ 2, 0xff90, 1, SMP_BAD_ATTRIBUTE, SMP_BAD_ATTRIBUTE }, /* a vendor's */
		{ SUBNET_SM_LID, SMP_NODE_DESCRIPTION, 0, SMP_OK, SMP_BAD_ATTRIBUTE },
		{ SUBNET_SM_LID, SMP_SWITCH_INFO, 0, SMP_OK, SMP_OK },
		{ SUBNET_SM_LID, SMP_PORT_INFO, 64, SMP_OK, SMP_BAD_VALUE },
		{ SUBNET_SM_LID, SMP_PORT_INFO, 65, SMP_BAD_VALUE, SMP_BAD_VALUE },
		{ SUBNET_SM_LID, SMP_LINEAR_TABLE, 767, SMP_OK, SMP_OK },
		{ SUBNET_SM_LID, SMP_LINEAR_TABLE, 768, SMP_BAD_VALUE, SMP_BAD_VALUE },
		{ SUBNET_SM_LID, SMP_LINEAR_TABLE, UINT32_MAX, SMP_BAD_VALUE, SMP_BAD_VALUE },
		{ SUBNET_SM_LID, SMP_MULTICAST_TABLE, 0x40000080, SMP_OK, SMP_OK },
		{ SUBNET_SM_LID, SMP_MULTICAST_TABLE, 0x50000000, SMP_BAD_VALUE, SMP_BAD_VALUE },
		{ SUBNET_SM_LID, SMP_MULTICAST_TABLE, 0x00000081, SMP_BAD_VALUE, SMP_BAD_VALUE },
		{ SUBNET_SM_LID, SMP_P_KEY_TABLE, 0x10000, SMP_BAD_VALUE, SMP_BAD_VALUE },
		{ SUBNET_SM_LID, SMP_SL_TO_VL, 0x4040, SMP_OK, SMP_OK },
		{ SUBNET_SM_LID, SMP_SL_TO_VL, 0x4140, SMP_BAD_VALUE, SMP_BAD_VALUE },
		{ SUBNET_SM_LID, SMP_SM_INFO, 0, SMP_OK, SMP_BAD_VALUE },
		{ SUBNET_SM_LID, 0x1a, 0, SMP_BAD_ATTRIBUTE, SMP_BAD_ATTRIBUTE }, /* random FT */
	};
	struct fabric *f = *state;
	uint8_t data[SMP_DATA_LEN];
	const uint8_t *answer;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(data, 0, sizeof(data));
		assert_int_equal(
			get(f, cases[i].lid, cases[i].attribute, cases[i].modifier, &answer),
			cases[i].status);
		memcpy(data, answer, sizeof(data));
		if (cases[i].attribute == SMP_PORT_INFO && !cases[i].status)
			data[PI_SPEED_STATE] = SPEEDS << 4 | STATE_INIT;
		assert_int_equal(set(f, cases[i].lid, cases[i].attribute, cases[i].modifier, data),
				 cases[i].set);
	}
}

static void test_versions_methods(void **state)
{
	struct fabric *f = *state;
	uint8_t smp[MAD_LEN];

	smp_init(smp, SMP_GET, SMP_NODE_INFO, 0);
	smp[SMP_BASE] = 2;
	assert_int_equal(smp_status(ask_smp(f, 0, 2, smp)), SMP_BAD_VERSION);
	smp[SMP_BASE] = 1;
	smp[SMP_VERSION] = 2;
	assert_int_equal(smp_status(ask_smp(f, 0, SUBNET_SM_LID, smp)), SMP_BAD_VERSION);
	/* A host's own agent gets what only it can get: another method. */
	smp[SMP_VERSION] = 1;
	smp[SMP_METHOD] = 3;
	assert_true(subnet_execute(f->end[0].port, smp, smp));
	assert_int_equal(be16_at(smp, SMP_STATUS), SMP_BAD_METHOD);
	assert_int_equal(smp[SMP_METHOD], SMP_GET_RESPONSE);
	smp[SMP_METHOD] = SMP_TRAP_REPRESS;
	assert_false(subnet_execute(f->end[0].port, smp, smp));
}

static void test_port_info(void **state)
{
	struct fabric *f = *state;
	const uint8_t *data;

	assert_int_equal(get(f, 2, SMP_PORT_INFO, 0, &data), SMP_OK);
	assert_int_equal(be64_at(data, PI_PREFIX), PREFIX);
	assert_int_equal(be16_at(data, PI_LID), 2);
	assert_int_equal(be16_at(data, PI_SM_LID), SUBNET_SM_LID);
	assert_int_equal(be32_at(data, PI_CAPABILITIES), 1u << 25 | 1u << 14 | 1u << 11);
	assert_int_equal(data[PI_LOCAL_PORT], 1);
	assert_int_equal(data[PI_WIDTH], 2);
	assert_int_equal(data[PI_SPEED_STATE], 0x74);
	assert_int_equal(data[PI_PHYS], 0x52);
	assert_int_equal(data[PI_EXT_SPEED], 0x8f);
	assert_int_equal(data[PI_GUIDS], 8);
	/* Port 0 has the LID and the manager; the others of the switch have none. */
	assert_int_equal(get(f, SUBNET_SM_LID, SMP_PORT_INFO, 0, &data), SMP_OK);
	assert_int_equal(be16_at(data, PI_LID), SUBNET_SM_LID);
	assert_int_equal(be32_at(data, PI_CAPABILITIES) & IS_SM, IS_SM);
	assert_int_equal(get(f, SUBNET_SM_LID, SMP_PORT_INFO, 2, &data), SMP_OK);
	assert_int_equal(be16_at(data, PI_LID), 0);
	assert_int_equal(be32_at(data, PI_CAPABILITIES) & IS_SM, 0);
	assert_int_equal(data[PI_SPEED_STATE] & 15, STATE_ACTIVE);
	assert_int_equal(data[PI_LOCAL_PORT], 1); /* where it came in */
	assert_int_equal(get(f, SUBNET_SM_LID, SMP_PORT_INFO, 3, &data), SMP_OK);
	assert_int_equal(data[PI_SPEED_STATE] & 15, STATE_DOWN);
	assert_int_equal(data[PI_PHYS] >> 4, PHYS_POLLING);
}

/* Whatever of a Set is wrong, nothing of it happens. */
static void test_port_info_refused(void **state)
{
	static const struct {
		uint8_t at, value;
	} cases[] = {
		{ PI_M_KEY, 1 },
		{ PI_LMC, 0x40 },
		{ PI_LID, 0xc0 },
		{ PI_SM_LID, 0xc0 },
		{ PI_LMC, 2 }, /* LID 2 is no multiple of 4 */
		{ PI_WIDTH_ENABLED, 4 },
		{ PI_SPEED, 0x18 },
		{ PI_EXT_ENABLED, 0x10 },
		{ PI_MTU_SL, 0x60 },
		{ PI_OPER_VLS, 0x20 },
		{ PI_PHYS, 3 },
		{ PI_PHYS, 0x42 },
		{ PI_PHYS, 0x52 },
		{ PI_SPEED_STATE, 0x72 },
		{ PI_SPEED_STATE, 0x73 },
		{ PI_SPEED_STATE, 0x75 },
	};
	uint8_t info[SMP_DATA_LEN], before[SMP_DATA_LEN], after[SMP_DATA_LEN];
	struct fabric *f = *state;
	size_t i;

	port_info_of(f, 2, 1, before);
	subnet_take_events(f->end[1].port);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(info, before, sizeof(info));
		info[PI_PREFIX] = 0x12; /* would be seen */
		info[PI_TIMEOUT] = 0x80 | 3;
		info[cases[i].at] = cases[i].value;
		assert_int_equal(set(f, 2, SMP_PORT_INFO, EXTENDED | 1, info), SMP_BAD_VALUE);
		port_info_of(f, 2, 1, after);
		assert_memory_equal(before, after, sizeof(after));
	}
	assert_int_equal(subnet_take_events(f->end[1].port), 0);
	assert_true(subnet_link(f->end[1].port));
}

static void test_addresses(void **state)
{
	struct subnet_port_state now;
	uint8_t info[SMP_DATA_LEN];
	struct fabric *f = *state;

	subnet_take_events(f->end[1].port);
	port_info_of(f, 2, 1, info);
	be16_put(info, PI_LID, 8);
	be16_put(info, PI_SM_LID, 1);
	info[PI_LMC] = 1;
	be64_put(info, PI_PREFIX, 0xfec0000000000000u);
	info[PI_TIMEOUT] = 0x80 | 17;
	assert_int_equal(set(f, 2, SMP_PORT_INFO, 1, info), SMP_OK);
	subnet_port_state(f->end[1].port, &now);
	assert_int_equal(now.lid, 8);
	assert_int_equal(now.sm_lid, 1);
	assert_int_equal(now.lmc, 1);
	assert_int_equal(now.timeout, 17);
	assert_int_equal(now.prefix, 0xfec0000000000000u);
	assert_int_equal(subnet_take_events(f->end[1].port),
			 SUBNET_LID | SUBNET_GUID_TABLE | SUBNET_REREGISTER);
	/* The switch does not know of it yet, then it does: both LIDs. */
	assert_null(subnet_find(f->subnet, 8, 0));
	memset(info, 0xff, sizeof(info));
	info[8] = info[9] = info[10] = 2;
	info[1] = 1;
	assert_int_equal(set(f, SUBNET_SM_LID, SMP_LINEAR_TABLE, 0, info), SMP_OK);
	assert_ptr_equal(subnet_find(f->subnet, 8, 0), &f->end[1]);
	assert_ptr_equal(subnet_find(f->subnet, 9, 0), &f->end[1]);
	assert_null(subnet_find(f->subnet, 10, 0)); /* the adapter does not take it */
	assert_null(subnet_find(f->subnet, 2, 0));
	/* A port that the switch does not have. */
	info[8] = 65;
	assert_int_equal(set(f, SUBNET_SM_LID, SMP_LINEAR_TABLE, 0, info), SMP_BAD_VALUE);
	assert_ptr_equal(subnet_find(f->subnet, 8, 0), &f->end[1]);
}

/* As ibportstate does it, at the switch's port. */
static void test_disable_enable(void **state)
{
	uint8_t info[SMP_DATA_LEN];
	struct fabric *f = *state;
	struct subnet_port_state now;

	subnet_take_events(f->end[1].port);
	port_info_of(f, SUBNET_SM_LID, 2, info);
	info[PI_PHYS] |= PHYS_DISABLED << 4;
	assert_int_equal(set(f, SUBNET_SM_LID, SMP_PORT_INFO, 2, info), SMP_OK);
	assert_false(subnet_link(f->end[1].port));
	assert_true(subnet_plugged(f->end[1].port));
	subnet_port_state(f->end[1].port, &now);
	assert_int_equal(now.state, STATE_DOWN);
	assert_int_equal(now.phys, PHYS_POLLING);
	assert_int_equal(subnet_take_events(f->end[1].port), SUBNET_DOWN);
	assert_int_equal(get(f, 2, SMP_NODE_INFO, 0, NULL), NONE);
	/* Pulling the cable and plugging it in does not enable it. */
	subnet_set_link(f->end[1].port, false);
	subnet_set_link(f->end[1].port, true);
	assert_false(subnet_link(f->end[1].port));
	info[PI_PHYS] = PHYS_POLLING << 4;
	assert_int_equal(set(f, SUBNET_SM_LID, SMP_PORT_INFO, 2, info), SMP_OK);
	assert_true(subnet_link(f->end[1].port));
	assert_int_equal(subnet_take_events(f->end[1].port),
			 SUBNET_INIT | SUBNET_ACTIVE | SUBNET_REREGISTER);
	/* Down: it trains anew, and is up at once. */
	port_info_of(f, SUBNET_SM_LID, 2, info);
	info[PI_SPEED_STATE] |= STATE_DOWN;
	assert_int_equal(set(f, SUBNET_SM_LID, SMP_PORT_INFO, 2, info), SMP_OK);
	assert_true(subnet_link(f->end[1].port));
	assert_int_equal(subnet_take_events(f->end[1].port),
			 SUBNET_DOWN | SUBNET_INIT | SUBNET_ACTIVE | SUBNET_REREGISTER);
}

static void test_speed(void **state)
{
	struct sa_mad path = query(MAD_GET, MAD_PATH_RECORD, 1 << 2 | 1 << 3 | 1 << 12);
	uint8_t info[SMP_DATA_LEN];
	struct fabric *f = *state;
	struct subnet_port_state now;
	const uint8_t *data;

	port_info_of(f, SUBNET_SM_LID, 2, info);
	info[PI_EXT_ENABLED] = 3; /* FDR, EDR; not from one that does not know them */
	info[PI_SPEED_STATE] |= STATE_DOWN;
	assert_int_equal(set(f, SUBNET_SM_LID, SMP_PORT_INFO, 2, info), SMP_OK);
	subnet_port_state(f->end[1].port, &now);
	assert_int_equal(now.ext_speed, 8);
	info[PI_SPEED_STATE] &= 0xf0;
	assert_int_equal(set(f, SUBNET_SM_LID, SMP_PORT_INFO, EXTENDED | 2, info), SMP_OK);
	subnet_port_state(f->end[1].port, &now);
	assert_int_equal(now.ext_speed, 8); /* until it trains */
	info[PI_SPEED_STATE] |= STATE_DOWN;
	assert_int_equal(set(f, SUBNET_SM_LID, SMP_PORT_INFO, EXTENDED | 2, info), SMP_OK);
	subnet_port_state(f->end[1].port, &now);
	assert_int_equal(now.ext_speed, 2);
	assert_int_equal(now.width, 2);
	put_gid(path.data + PATH_DGID, 2);
	put_gid(path.data + PATH_SGID, 1);
	path.data[PATH_NUMB] = 1;
	assert_int_equal(ask(f, 0, &path, &data), MAD_OK);
	assert_int_equal(data[PATH_RATE], 0x80 | 16); /* 100 Gb/s */
	/* 1X, and no extended speed: 10 Gb/s. */
	info[PI_EXT_ENABLED] = EXT_NONE;
	info[PI_WIDTH_ENABLED] = 1;
	assert_int_equal(set(f, SUBNET_SM_LID, SMP_PORT_INFO, EXTENDED | 2, info), SMP_OK);
	subnet_port_state(f->end[1].port, &now);
	assert_int_equal(now.ext_speed, 0);
	assert_int_equal(now.speed, 4);
	assert_int_equal(now.width, 1);
	assert_int_equal(ask(f, 0, &path, &data), MAD_OK);
	assert_int_equal(data[PATH_RATE], 0x80 | 3);
	/* Nothing in common: there is no link. */
	port_info_of(f, 2, 1, info);
	info[PI_WIDTH_ENABLED] = 2;
	info[PI_SPEED_STATE] |= STATE_DOWN;
	set(f, 2, SMP_PORT_INFO, EXTENDED | 1, info);
	assert_false(subnet_link(f->end[1].port));
	/* All that is supported. */
	port_info_of(f, SUBNET_SM_LID, 2, info);
	info[PI_WIDTH_ENABLED] = WIDTH_ALL;
	info[PI_SPEED] = SPEED_ALL;
	info[PI_EXT_ENABLED] = EXT_ALL;
	info[PI_SPEED_STATE] |= STATE_DOWN;
	assert_int_equal(set(f, SUBNET_SM_LID, SMP_PORT_INFO, EXTENDED | 2, info), SMP_OK);
	subnet_port_state(f->end[1].port, &now);
	assert_true(subnet_link(f->end[1].port));
	assert_int_equal(now.ext_speed, 8);
}

static void test_tables(void **state)
{
	struct fabric *f = *state;
	uint8_t data[SMP_DATA_LEN] = { 0 };

	subnet_take_events(f->end[1].port);
	be16_put(data, 0, 0xffff);
	be16_put(data, 62, 0x8001);
	assert_int_equal(set(f, 2, SMP_P_KEY_TABLE, 0, data), SMP_OK);
	assert_int_equal(subnet_p_key(f->end[1].port, 31), 0x8001);
	assert_int_equal(subnet_p_key(f->end[1].port, 128), 0);
	assert_int_equal(subnet_p_key(f->end[0].port, 31), 0);
	assert_int_equal(subnet_take_events(f->end[1].port), SUBNET_P_KEY_TABLE);
	assert_int_equal(set(f, 2, SMP_P_KEY_TABLE, 0, data), SMP_OK);
	assert_int_equal(subnet_take_events(f->end[1].port), 0);
	/* Alias GUIDs: the first stays, and none is another port's. */
	memset(data, 0, sizeof(data));
	be64_put(data, 0, 0x77);
	be64_put(data, 56, 0x1234);
	assert_int_equal(set(f, 2, SMP_GUID_INFO, 0, data), SMP_OK);
	assert_int_equal(subnet_guid(f->end[1].port, 0), GUID(2));
	assert_int_equal(subnet_guid(f->end[1].port, 7), 0x1234);
	assert_int_equal(subnet_guid(f->end[1].port, 8), 0);
	assert_int_equal(subnet_take_events(f->end[1].port), SUBNET_GUID_TABLE);
	assert_ptr_equal(subnet_find(f->subnet, 0, 0x1234), &f->end[1]);
	be64_put(data, 48, GUID(1));
	be64_put(data, 56, 0x5678);
	assert_int_equal(set(f, 2, SMP_GUID_INFO, 0, data), SMP_BAD_VALUE);
	assert_int_equal(subnet_guid(f->end[1].port, 7), 0x1234);
	be64_put(data, 48, SWITCH_GUID);
	assert_int_equal(set(f, 2, SMP_GUID_INFO, 0, data), SMP_BAD_VALUE);
}

static void test_description(void **state)
{
	struct fabric *f = *state;
	char text[SUBNET_DESCRIPTION];
	const uint8_t *data;

	assert_int_equal(get(f, 2, SMP_NODE_DESCRIPTION, 0, &data), SMP_OK);
	assert_string_equal((const char *)data, "rdma-tph two");
	memset(text, 'x', sizeof(text)); /* nothing ends it */
	subnet_describe(f->end[1].port, text);
	assert_int_equal(get(f, 2, SMP_NODE_DESCRIPTION, 0, &data), SMP_OK);
	assert_memory_equal(data, text, sizeof(text));
	subnet_forget(f->end[1].port);
	assert_int_equal(get(f, 2, SMP_NODE_DESCRIPTION, 0, &data), SMP_OK);
	assert_string_equal((const char *)data, "rdma-tph two");
}

/* A table for multicast that a manager set is what the switch forwards by. */
static void test_multicast_table(void **state)
{
	uint8_t block[SMP_DATA_LEN] = { 0 }, data[SUBNET_GRH_LEN + 4] = { 0 };
	struct subnet_packet packet = {
		.slid = 1, .dlid = 0xc021, .dest_qpn = SUBNET_QP_MULTICAST, .data = data, .len = 4
	};
	struct fabric *f = *state;

	f->end[1].came = 0;
	subnet_send(f->end[0].port, &packet);
	assert_int_equal(f->end[1].came, 0);
	be16_put(block, 2, 1 << 2 | 1 << 1);
	assert_int_equal(set(f, SUBNET_SM_LID, SMP_MULTICAST_TABLE, 1, block), SMP_OK);
	f->end[0].came = 0;
	subnet_send(f->end[0].port, &packet);
	assert_int_equal(f->end[1].came, 1);
	assert_int_equal(f->end[0].came, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_by_lid, setup, teardown),
		cmocka_unit_test_setup_teardown(test_directed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_directed_nowhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_combined, setup, teardown),
		cmocka_unit_test_setup_teardown(test_to_host, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_smp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_share, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attributes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_versions_methods, setup, teardown),
		cmocka_unit_test_setup_teardown(test_port_info, setup, teardown),
		cmocka_unit_test_setup_teardown(test_port_info_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disable_enable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_speed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(test_description, setup, teardown),
		cmocka_unit_test_setup_teardown(test_multicast_table, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
