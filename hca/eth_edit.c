/* SPDX-License-Identifier: GPL-2.0-only */
#include "hca/eth_edit.h"

#include <string.h>

#include "base/bits.h"
#include "hca/eth_layout.h"

#define TYPE_IPV4     0x0800u
#define TYPE_IPV6     0x86ddu
#define TYPE_ETHERNET 0x6558u /* in GRE and Geneve */

#define IPV6_LEN   40u
#define UDP_LEN	   8u
#define VXLAN_LEN  8u
#define GENEVE_LEN 8u /* without options */

#define GRE_FLAGS    0x00u
#define GRE_CHECKSUM 0x8000u
#define GRE_KEY	     0x2000u
#define GRE_SEQUENCE 0x1000u
/* Both tunnel headers have the type of what they carry here. */
#define TUNNEL_TYPE 0x02u
#define UDP_LENGTH  4u
#define UDP_SUM	    6u

/* set_action_in.action_type */
#define SET 1u

/* The first @drop bytes of the frame are replaced by @header. */
static bool replace(struct hca_edit *edit, size_t drop, const uint8_t *header, size_t len)
{
	size_t rest = edit->len - drop;

	if (len + rest > HCA_EDIT_MAX)
		return false;
	memmove(edit->room + len, edit->bytes + drop, rest);
	if (len)
		memcpy(edit->room, header, len);
	edit->bytes = edit->room;
	edit->len = len + rest;
	hca_frame_parse(edit->bytes, edit->len, &edit->frame);
	return true;
}

/* --- tunnels ------------------------------------------------------------------------------- */

bool hca_edit_encap(struct hca_edit *edit, const uint8_t *header, size_t len, bool of_ip)
{
	struct hca_frame *frame = &edit->frame;

	if ((of_ip && !frame->ip) || !replace(edit, of_ip ? frame->ip_at : 0, header, len))
		return false;
	hca_frame_set_lengths(edit->room, edit->len, frame);
	if (frame->l4_at && frame->protocol == HCA_ETH_UDP) {
		uint8_t *udp = edit->room + frame->l4_at;

		be16_put(udp, UDP_LENGTH, (uint16_t)(edit->len - frame->l4_at));
		be16_put(udp, UDP_SUM, 0);
		/* IPv6 has to have one. */
		if (frame->ip == 6)
			hca_frame_fill_l4(edit->room, frame);
	}
	hca_frame_fill_ip(edit->room, frame);
	return true;
}

/* Where what the tunnel's header at @at carries begins, and its type; 0: nowhere. */
static size_t behind_gre(const struct hca_edit *edit, size_t at, uint16_t *type)
{
	size_t end = at + 4;
	uint16_t flags;

	if (end > edit->frame.ip_end)
		return 0;
	flags = be16_at(edit->bytes + at, GRE_FLAGS);
	*type = be16_at(edit->bytes + at, TUNNEL_TYPE);
	end += flags & GRE_CHECKSUM ? 4 : 0;
	end += flags & GRE_KEY ? 4 : 0;
	end += flags & GRE_SEQUENCE ? 4 : 0;
	return end;
}

static size_t behind_udp(const struct hca_edit *edit, uint16_t *type)
{
	size_t at = edit->frame.l4_at + UDP_LEN;

	if (edit->frame.dport == HCA_ETH_PORT_VXLAN) {
		*type = TYPE_ETHERNET;
		return at + VXLAN_LEN;
	}
	if (edit->frame.dport != HCA_ETH_PORT_GENEVE || at + GENEVE_LEN > edit->frame.ip_end)
		return 0;
	*type = be16_at(edit->bytes + at, TUNNEL_TYPE);
	/* Ver and Opt Len, in words of four bytes. */
	return at + GENEVE_LEN + 4u * (edit->bytes[at] & 0x3fu);
}

static size_t inner_at(const struct hca_edit *edit, uint16_t *type)
{
	const struct hca_frame *frame = &edit->frame;
	const uint8_t *ip = edit->bytes + frame->ip_at;

	if (!frame->ip || frame->fragment)
		return 0;
	if (frame->l4_at && frame->protocol == HCA_ETH_UDP)
		return behind_udp(edit, type);
	if (frame->protocol != HCA_ETH_GRE)
		return 0;
	if (frame->ip == 4)
		return behind_gre(edit, frame->ip_at + 4 * (size_t)(ip[0] & 0xf), type);
	/* Behind the header itself, not behind others that extend it. */
	return ip[6] == HCA_ETH_GRE ? behind_gre(edit, frame->ip_at + IPV6_LEN, type) : 0;
}

bool hca_edit_decap(struct hca_edit *edit, const uint8_t *header, size_t len)
{
	uint16_t type = 0;
	size_t at = inner_at(edit, &type);

	if (!at || at >= edit->frame.ip_end)
		return false;
	if (len ? type != TYPE_IPV4 && type != TYPE_IPV6
		: type != TYPE_ETHERNET || edit->frame.ip_end - at < HCA_ETH_HEADER)
		return false;
	/* What is behind the packet is padding of the outer frame. */
	edit->len = edit->frame.ip_end;
	return replace(edit, at, header, len);
}

/* --- fields -------------------------------------------------------------------------------- */

enum base { OF_FRAME, OF_TYPE, OF_IPV4, OF_TCP, OF_UDP };

/* MLX5_ACTION_IN_FIELD_OUT_*: where they are, bytes and bits. */
static const struct place {
	uint8_t field;
	enum base base;
	uint8_t at, bits;
} places[] = {
	{ 0x01, OF_FRAME, 6, 32 }, /* source address, 47:16 and 15:0 */
	{ 0x02, OF_FRAME, 10, 16 }, { 0x03, OF_TYPE, 0, 16 },
	{ 0x04, OF_FRAME, 0, 32 }, /* destination address */
	{ 0x05, OF_FRAME, 4, 16 },  { 0x08, OF_TCP, 0, 16 },
	{ 0x09, OF_TCP, 2, 16 },    { 0x0b, OF_UDP, 0, 16 },
	{ 0x0c, OF_UDP, 2, 16 },    { 0x15, OF_IPV4, 12, 32 },
	{ 0x16, OF_IPV4, 16, 32 },
};

static const struct place *place_of(uint32_t field)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (places[i].field == field)
			return &places[i];
	}
	return NULL;
}

static uint32_t bits_of(const uint8_t action[8])
{
	uint32_t bits = field_get(action, SET_LENGTH);

	return bits ? bits : 32;
}

bool hca_edit_can_set(const uint8_t action[8])
{
	const struct place *place = place_of(field_get(action, SET_FIELD));

	return field_get(action, SET_TYPE) == SET && place &&
	       field_get(action, SET_OFFSET) + bits_of(action) <= place->bits;
}

/* Where the field begins, if the frame has it. */
static bool find(const struct hca_frame *frame, const struct place *place, size_t *at)
{
	bool there = true;
	size_t base = 0;

	switch (place->base) {
	case OF_FRAME:
		break;
	case OF_TYPE:
		base = 2 * 6 + HCA_ETH_TAG * frame->tags;
		break;
	case OF_IPV4:
		there = frame->ip == 4;
		base = frame->ip_at;
		break;
	case OF_TCP:
	case OF_UDP:
		there = frame->l4_at &&
			frame->protocol == (place->base == OF_TCP ? HCA_ETH_TCP : HCA_ETH_UDP);
		base = frame->l4_at;
		break;
	}
	*at = base + place->at;
	return there;
}

/* It has a checksum of TCP or UDP, and that is right. */
static bool has_l4_sum(const struct hca_edit *edit)
{
	const struct hca_frame *frame = &edit->frame;

	if (frame->protocol == HCA_ETH_UDP && frame->l4_at &&
	    !be16_at(edit->bytes + frame->l4_at, UDP_SUM))
		return false;
	return hca_frame_l4_ok(edit->bytes, frame);
}

void hca_edit_set(struct hca_edit *edit, const uint8_t action[8])
{
	const struct place *place = place_of(field_get(action, SET_FIELD));
	uint32_t offset = field_get(action, SET_OFFSET), bits = bits_of(action), value;
	uint32_t mask = (bits < 32 ? (1u << bits) - 1 : UINT32_MAX) << offset;
	bool ip_ok, l4_ok;
	size_t at;

	if (!find(&edit->frame, place, &at) || at + place->bits / 8 > edit->len ||
	    !replace(edit, 0, NULL, 0))
		return;
	ip_ok = hca_frame_ip_ok(edit->bytes, &edit->frame);
	l4_ok = has_l4_sum(edit);
	value = place->bits == 32 ? be32_at(edit->room, at) : be16_at(edit->room, at);
	value = (value & ~mask) | (be32_at(action, SET_DATA) << offset & mask);
	if (place->bits == 32)
		be32_put(edit->room, at, value);
	else
		be16_put(edit->room, at, (uint16_t)value);
	hca_frame_parse(edit->bytes, edit->len, &edit->frame);
	if (ip_ok)
		hca_frame_fill_ip(edit->room, &edit->frame);
	if (l4_ok)
		hca_frame_fill_l4(edit->room, &edit->frame);
}
