/* SPDX-License-Identifier: GPL-2.0-only */
/* Component masks: the layouts of IBA 1.5, 15.2.5, field by field. */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "subnet/record.h"

enum how {
	EQUAL,
	ANY,	  /* says how, not which */
	SELECTOR, /* of the component that follows */
	RANGE,	  /* ordered as a number */
	RATE,	  /* ordered as a rate */
};

struct component {
	uint16_t bit; /* from the record's start */
	uint16_t bits;
	enum how how;
};

/* The index of each component is its bit in the mask. */
static const struct component node[] = {
	{ 0, 16, EQUAL },   { 16, 16, ANY },	{ 32, 8, EQUAL },    { 40, 8, EQUAL },
	{ 48, 8, EQUAL },   { 56, 8, EQUAL },	{ 64, 64, EQUAL },   { 128, 64, EQUAL },
	{ 192, 64, EQUAL }, { 256, 16, EQUAL }, { 272, 16, EQUAL },  { 288, 32, EQUAL },
	{ 320, 8, EQUAL },  { 328, 24, EQUAL }, { 352, 512, EQUAL },
};

#define PORT_INFO 32u
static const struct component port_info[] = {
	{ 0, 16, EQUAL },
	{ 16, 8, EQUAL },
	{ 24, 8, ANY },
	{ PORT_INFO, 64, EQUAL },	/* M_Key */
	{ PORT_INFO + 64, 64, EQUAL },	/* GID prefix */
	{ PORT_INFO + 128, 16, EQUAL }, /* LID */
	{ PORT_INFO + 144, 16, EQUAL }, /* SM LID */
	{ PORT_INFO + 160, 32, ANY },	/* capability mask: see record.c */
	{ PORT_INFO + 192, 16, EQUAL }, /* diagnostic code */
	{ PORT_INFO + 208, 16, EQUAL }, /* M_Key lease period */
	{ PORT_INFO + 224, 8, EQUAL },	/* local port */
	{ PORT_INFO + 232, 8, EQUAL },	/* width enabled, supported, active */
	{ PORT_INFO + 240, 8, EQUAL },
	{ PORT_INFO + 248, 8, EQUAL },
	{ PORT_INFO + 256, 4, EQUAL }, /* speed supported, port state */
	{ PORT_INFO + 260, 4, EQUAL },
	{ PORT_INFO + 264, 4, EQUAL }, /* physical state */
};

static const struct component sm_info[] = {
	{ 0, 16, EQUAL },   { 16, 16, ANY },   { 32, 64, EQUAL }, { 96, 64, EQUAL },
	{ 160, 32, EQUAL }, { 192, 4, EQUAL }, { 196, 4, EQUAL },
};

static const struct component link[] = {
	{ 0, 16, EQUAL },
	{ 16, 8, EQUAL },
	{ 24, 8, EQUAL },
	{ 32, 16, EQUAL },
};

static const struct component path[] = {
	{ 0, 8, ANY }, /* service ID */
	{ 8, 56, ANY },
	{ 8 * PATH_DGID, 128, EQUAL },
	{ 8 * PATH_SGID, 128, EQUAL },
	{ 8 * PATH_DLID, 16, EQUAL },
	{ 8 * PATH_SLID, 16, EQUAL },
	{ 8 * PATH_FLOW_HOP, 1, EQUAL }, /* raw traffic */
	{ 8 * PATH_FLOW_HOP + 1, 3, ANY },
	{ 8 * PATH_FLOW_HOP + 4, 20, ANY },
	{ 8 * PATH_FLOW_HOP + 24, 8, ANY },
	{ 8 * PATH_TCLASS, 8, ANY },
	{ 8 * PATH_NUMB, 1, ANY }, /* all are reversible */
	{ 8 * PATH_NUMB + 1, 7, ANY },
	{ 8 * PATH_P_KEY + 1, 15, EQUAL }, /* whatever the membership */
	{ 8 * PATH_QOS_SL, 12, ANY },
	{ 8 * PATH_QOS_SL + 12, 4, EQUAL },
	{ 8 * PATH_MTU, 2, SELECTOR },
	{ 8 * PATH_MTU + 2, 6, RANGE },
	{ 8 * PATH_RATE, 2, SELECTOR },
	{ 8 * PATH_RATE + 2, 6, RATE },
	{ 8 * PATH_LIFE, 2, SELECTOR },
	{ 8 * PATH_LIFE + 2, 6, RANGE },
	{ 8 * PATH_LIFE + 8, 8, ANY }, /* preference */
};

static const struct component mc_member[] = {
	{ 8 * MC_MGID, 128, EQUAL },	   { 8 * MC_PORT_GID, 128, EQUAL },
	{ 8 * MC_Q_KEY, 32, EQUAL },	   { 8 * MC_MLID, 16, EQUAL },
	{ 8 * MC_MTU, 2, SELECTOR },	   { 8 * MC_MTU + 2, 6, RANGE },
	{ 8 * MC_TCLASS, 8, EQUAL },	   { 8 * MC_P_KEY + 1, 15, EQUAL },
	{ 8 * MC_RATE, 2, SELECTOR },	   { 8 * MC_RATE + 2, 6, RATE },
	{ 8 * MC_LIFE, 2, SELECTOR },	   { 8 * MC_LIFE + 2, 6, RANGE },
	{ 8 * MC_SL_FLOW, 4, EQUAL },	   { 8 * MC_SL_FLOW + 4, 20, EQUAL },
	{ 8 * MC_SL_FLOW + 24, 8, EQUAL }, { 8 * MC_SCOPE, 4, EQUAL },
	{ 8 * MC_SCOPE + 4, 4, EQUAL },	   { 8 * MC_SCOPE + 8, 1, ANY }, /* proxy join */
};

static const struct component switch_record[] = { { 0, 16, EQUAL } };

static const struct component sl_to_vl[] = {
	{ 0, 16, EQUAL },
	{ 16, 8, EQUAL },
	{ 24, 8, EQUAL },
};

static const struct component linear_table[] = { { 0, 16, EQUAL }, { 16, 16, EQUAL } };

static const struct component multicast_table[] = {
	{ 0, 16, EQUAL },
	{ 16, 4, EQUAL }, /* position */
	{ 20, 3, ANY },
	{ 23, 9, EQUAL },
};

static const struct component p_key_table[] = {
	{ 0, 16, EQUAL },
	{ 16, 16, EQUAL },
	{ 32, 8, EQUAL },
};

static const struct component vl_arbitration[] = {
	{ 0, 16, EQUAL },
	{ 16, 8, EQUAL },
	{ 24, 8, EQUAL },
};

static const struct component guid_info[] = { { 0, 16, EQUAL }, { 16, 8, EQUAL } };

static const struct component inform_info[] = { { 0, 128, EQUAL }, { 128, 16, EQUAL } };

/* Data of 8, 16, 32 and 64 bits are components each. */
#define D8(n)                                        \
	{                                            \
		8 * SERVICE_DATA + 8 * (n), 8, EQUAL \
	}
#define D16(n)                                               \
	{                                                    \
		8 * SERVICE_DATA + 128 + 16 * (n), 16, EQUAL \
	}
#define D32(n)                                               \
	{                                                    \
		8 * SERVICE_DATA + 256 + 32 * (n), 32, EQUAL \
	}
#define D64(n)                                               \
	{                                                    \
		8 * SERVICE_DATA + 384 + 64 * (n), 64, EQUAL \
	}
static const struct component service[] = {
	{ 8 * SERVICE_ID, 64, EQUAL },
	{ 8 * SERVICE_GID, 128, EQUAL },
	{ 8 * SERVICE_P_KEY + 1, 15, EQUAL },
	{ 8 * SERVICE_P_KEY + 16, 16, ANY },
	{ 8 * SERVICE_LEASE, 32, ANY }, /* it runs */
	{ 8 * SERVICE_KEY, 128, ANY },	/* nobody finds out keys by asking */
	{ 8 * SERVICE_NAME, 512, EQUAL },
	D8(0),
	D8(1),
	D8(2),
	D8(3),
	D8(4),
	D8(5),
	D8(6),
	D8(7),
	D8(8),
	D8(9),
	D8(10),
	D8(11),
	D8(12),
	D8(13),
	D8(14),
	D8(15),
	D16(0),
	D16(1),
	D16(2),
	D16(3),
	D16(4),
	D16(5),
	D16(6),
	D16(7),
	D32(0),
	D32(1),
	D32(2),
	D32(3),
	D64(0),
	D64(1),
};

#define KIND(attribute, len, component)                                               \
	{                                                                             \
		attribute, len, component, sizeof(component) / sizeof((component)[0]) \
	}
static const struct record_kind kinds[] = {
	KIND(MAD_NODE_RECORD, NODE_LEN, node),
	KIND(MAD_PORT_INFO_RECORD, PORT_INFO_LEN, port_info),
	KIND(MAD_SM_INFO_RECORD, SM_INFO_LEN, sm_info),
	KIND(MAD_LINK_RECORD, LINK_LEN, link),
	KIND(MAD_PATH_RECORD, PATH_LEN, path),
	KIND(MAD_MC_MEMBER_RECORD, MC_MEMBER_LEN, mc_member),
	KIND(MAD_SWITCH_INFO_RECORD, SWITCH_LEN, switch_record),
	KIND(MAD_SL_TO_VL_RECORD, SL_TO_VL_LEN, sl_to_vl),
	KIND(MAD_LINEAR_TABLE_RECORD, TABLE_LEN, linear_table),
	KIND(MAD_MULTICAST_TABLE_RECORD, TABLE_LEN, multicast_table),
	KIND(MAD_P_KEY_TABLE_RECORD, TABLE_LEN, p_key_table),
	KIND(MAD_VL_ARBITRATION_RECORD, TABLE_LEN, vl_arbitration),
	KIND(MAD_GUID_INFO_RECORD, TABLE_LEN, guid_info),
	KIND(MAD_SERVICE_RECORD, SERVICE_LEN, service),
	KIND(MAD_INFORM_INFO_RECORD, INFORM_LEN, inform_info),
};

const struct record_kind *record_kind(uint16_t attribute)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].attribute == attribute)
			return &kinds[i];
	}
	return NULL;
}

/* At most 64 bits. */
static uint64_t bits_at(const uint8_t *p, unsigned int bit, unsigned int bits)
{
	uint64_t value = 0;
	unsigned int i;

	for (i = bit; i < bit + bits; i++)
		value = value << 1 | (p[i / 8] >> (7 - i % 8) & 1u);
	return value;
}

static bool equal(const struct component *c, const uint8_t *a, const uint8_t *b)
{
	if (c->bits > 64)
		return !memcmp(a + c->bit / 8, b + c->bit / 8, c->bits / 8);
	return bits_at(a, c->bit, c->bits) == bits_at(b, c->bit, c->bits);
}

/* Half Gb/s by encoding (IBA 1.5, table 224): the numbers were given in another order. */
static unsigned int rate(uint64_t encoded)
{
	static const uint16_t speed[] = {
		[2] = 5,    [3] = 20,	[4] = 60,    [5] = 10,	  [6] = 40,   [7] = 80,
		[8] = 120,  [9] = 160,	[10] = 240,  [11] = 28,	  [12] = 112, [13] = 224,
		[14] = 336, [15] = 50,	[16] = 200,  [17] = 400,  [18] = 600, [19] = 56,
		[20] = 100, [21] = 800, [22] = 1200, [23] = 1600,
	};

	return encoded < sizeof(speed) / sizeof(speed[0]) ? speed[encoded] : 0;
}

bool rate_is_less(uint8_t a, uint8_t b)
{
	return rate(a) < rate(b);
}

static bool in_range(const struct component *c, bool selector, const uint8_t *wanted,
		     const uint8_t *record)
{
	uint64_t want = bits_at(wanted, c->bit, c->bits), have = bits_at(record, c->bit, c->bits);

	if (c->how == RATE) {
		want = rate(want);
		have = rate(have);
	}
	switch (selector ? bits_at(wanted, c->bit - 2u, 2) : EXACTLY) {
	case 0:
		return have > want;
	case 1:
		return have < want;
	case EXACTLY:
		return have == want;
	default:
		return true; /* the largest, or the least, there is */
	}
}

bool record_matches(const struct record_kind *kind, uint64_t mask, const uint8_t *wanted,
		    const uint8_t *record)
{
	unsigned int i;

	for (i = 0; i < kind->components; i++) {
		const struct component *c = &kind->component[i];

		if (!(mask >> i & 1))
			continue;
		if (c->how == EQUAL && !equal(c, wanted, record))
			return false;
		if (c->how >= RANGE && !in_range(c, i && mask >> (i - 1) & 1, wanted, record))
			return false;
	}
	return true;
}

size_t record_stride(const struct record_kind *kind)
{
	return (kind->len + 7u) & ~(size_t)7;
}

void records_offer(struct records *records, const uint8_t *record)
{
	size_t stride = record_stride(records->kind), room = records->room;
	uint8_t *data;

	records->looked_at++;
	if (!record_matches(records->kind, records->query->components, records->query->data,
			    record))
		return;
	if (records->count == room) {
		room = room ? 2 * room : 8;
		data = realloc(records->data, room * stride);
		if (!data) {
			records->failed = true;
			return;
		}
		records->data = data;
		records->room = room;
	}
	data = records->data + records->count++ * stride;
	memset(data, 0, stride);
	memcpy(data, record, records->kind->len);
}
