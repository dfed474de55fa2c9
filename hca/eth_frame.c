/* SPDX-License-Identifier: GPL-2.0-only */
#include "hca/eth_frame.h"

#include <string.h>

#include "base/bits.h"
#include "hca/eth_layout.h"

#define MAC	   6u
#define TYPE_CTAG  0x8100u
#define TYPE_STAG  0x88a8u
#define TYPE_IPV4  0x0800u
#define TYPE_IPV6  0x86ddu
#define EXTENSIONS 8u /* headers between IPv6 and what it carries that are looked behind */

/* Places of fields, bytes. */
#define TAG_TCI	      2u
#define IPV4_TOTAL    2u
#define IPV4_IDENT    4u
#define IPV4_FRAGMENT 6u
#define IPV4_SUM      10u
#define IPV6_PAYLOAD  4u
#define L4_SPORT      0u
#define L4_DPORT      2u
#define TCP_SEQUENCE  4u
#define TCP_FLAGS     12u
#define UDP_LENGTH    4u
#define KEY_FIRST     0u

#define IPV4_LEN 20u
#define IPV6_LEN 40u
#define TCP_LEN	 20u
#define UDP_LEN	 8u

/* GRE: flags and version, then the type of what it carries. VXLAN, Geneve. */
#define GRE_CHECKSUM 0x8000u
#define GRE_KEY	     0x2000u
#define GRE_SEQUENCE 0x1000u
#define TUNNEL_LEN   8u
#define TUNNEL_TYPE  2u
#define TUNNEL_VNI   4u

#define TCP_FIN 0x001u
#define TCP_PSH 0x008u
#define TCP_CWR 0x080u

/* --- where what is ----------------------------------------------------------------------- */

static void parse_l4(const uint8_t *bytes, struct hca_frame *frame, size_t at)
{
	const uint8_t *header = bytes + at;
	size_t room = frame->ip_end - at;

	if (frame->protocol == HCA_ETH_TCP) {
		frame->l4_len = room < TCP_LEN ? 0 : 4 * (size_t)(header[12] >> 4);
		if (frame->l4_len < TCP_LEN || frame->l4_len > room)
			return;
		frame->tcp_flags = be16_at(header, TCP_FLAGS) & 0x1ff;
	} else if (frame->protocol == HCA_ETH_UDP) {
		frame->l4_len = UDP_LEN;
		if (room < UDP_LEN)
			return;
	} else {
		return;
	}
	frame->sport = be16_at(header, L4_SPORT);
	frame->dport = be16_at(header, L4_DPORT);
	frame->l4_at = at;
}

/* The IP packet has @total bytes, as far as the frame goes. */
static void set_end(struct hca_frame *frame, size_t len, size_t total)
{
	frame->cut = total > len - frame->ip_at;
	frame->ip_end = frame->cut ? len : frame->ip_at + total;
}

static void parse_ipv4(const uint8_t *bytes, size_t len, struct hca_frame *frame)
{
	const uint8_t *ip = bytes + frame->ip_at;
	size_t room = len - frame->ip_at, header, total;

	if (room < IPV4_LEN || ip[0] >> 4 != 4)
		return;
	header = 4 * (size_t)(ip[0] & 0xf);
	total = be16_at(ip, IPV4_TOTAL);
	if (header < IPV4_LEN || header > room || total < header)
		return;
	frame->ip = 4;
	set_end(frame, len, total);
	frame->protocol = ip[9];
	/* More fragments, or an offset. */
	frame->fragment = be16_at(ip, IPV4_FRAGMENT) & 0x3fff;
	if (!frame->fragment)
		parse_l4(bytes, frame, frame->ip_at + header);
}

/* Hop-by-hop options, routing, destination options. */
static bool is_extension(uint8_t protocol)
{
	return protocol == 0 || protocol == 43 || protocol == 60;
}

static void parse_ipv6(const uint8_t *bytes, size_t len, struct hca_frame *frame)
{
	const uint8_t *ip = bytes + frame->ip_at;
	size_t room = len - frame->ip_at, at = frame->ip_at + IPV6_LEN;
	unsigned int i;

	if (room < IPV6_LEN || ip[0] >> 4 != 6)
		return;
	frame->ip = 6;
	set_end(frame, len, IPV6_LEN + (size_t)be16_at(ip, IPV6_PAYLOAD));
	frame->protocol = ip[6];
	for (i = 0; i < EXTENSIONS && is_extension(frame->protocol); i++) {
		size_t left = frame->ip_end - at, own = left < 8 ? 0 : 8 * (bytes[at + 1] + 1u);

		if (!own || own > left)
			return;
		frame->protocol = bytes[at];
		at += own;
	}
	if (frame->protocol == 44 && frame->ip_end - at >= 8) {
		frame->fragment = true;
		frame->protocol = bytes[at];
		return;
	}
	if (!is_extension(frame->protocol))
		parse_l4(bytes, frame, at);
}

void hca_frame_parse(const uint8_t *bytes, size_t len, struct hca_frame *frame)
{
	size_t at = 2 * MAC;

	*frame = (struct hca_frame){ 0 };
	if (len < HCA_ETH_HEADER)
		return;
	frame->ethertype = be16_at(bytes, at);
	while (frame->tags < HCA_ETH_TAGS &&
	       (frame->ethertype == TYPE_CTAG || frame->ethertype == TYPE_STAG) &&
	       len - at >= HCA_ETH_TAG + 2) {
		if (!frame->tags) {
			frame->ctag = frame->ethertype == TYPE_CTAG;
			frame->stag = !frame->ctag;
			frame->tci = be16_at(bytes, at + TAG_TCI);
		}
		frame->tags++;
		at += HCA_ETH_TAG;
		frame->ethertype = be16_at(bytes, at);
	}
	frame->ip_at = at + 2;
	if (frame->ethertype == TYPE_IPV4)
		parse_ipv4(bytes, len, frame);
	else if (frame->ethertype == TYPE_IPV6)
		parse_ipv6(bytes, len, frame);
}

/* --- sums -------------------------------------------------------------------------------- */

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint16_t hca_frame_sum(const uint8_t *bytes, size_t len)
{
	uint64_t sum = 0;
	size_t i;

	/* Words of 32 bits fold to the same sum. */
	for (i = 0; i + 4 <= len; i += 4)
		sum += be32_at(bytes, i);
	if (i + 2 <= len) {
		sum += be16_at(bytes, i);
		i += 2;
	}
	if (i < len)
		sum += (uint32_t)bytes[i] << 8;
	return fold(sum);
}

/* Of TCP or UDP with its pseudo header, as it is. */
static uint16_t l4_sum(const uint8_t *bytes, const struct hca_frame *frame)
{
	size_t addresses = frame->ip == 4 ? 12 : 8, len = frame->ip == 4 ? 8 : 32;
	size_t carried = frame->ip_end - frame->l4_at;
	uint64_t sum = hca_frame_sum(bytes + frame->ip_at + addresses, len);

	sum += frame->protocol + (uint64_t)carried;
	sum += hca_frame_sum(bytes + frame->l4_at, carried);
	return fold(sum);
}

static size_t l4_sum_at(const struct hca_frame *frame)
{
	return frame->l4_at + (frame->protocol == HCA_ETH_TCP ? 16 : 6);
}

static size_t ip_header(const uint8_t *bytes, const struct hca_frame *frame)
{
	return 4 * (size_t)(bytes[frame->ip_at] & 0xf);
}

bool hca_frame_ip_ok(const uint8_t *bytes, const struct hca_frame *frame)
{
	if (frame->cut)
		return false;
	if (frame->ip == 4)
		return hca_frame_sum(bytes + frame->ip_at, ip_header(bytes, frame)) == 0xffff;
	return frame->ip == 6;
}

bool hca_frame_l4_ok(const uint8_t *bytes, const struct hca_frame *frame)
{
	if (!frame->l4_at || frame->cut)
		return false;
	/* UDP over IPv4 may go without. */
	if (frame->protocol == HCA_ETH_UDP && frame->ip == 4 && !be16_at(bytes, l4_sum_at(frame)))
		return true;
	return l4_sum(bytes, frame) == 0xffff;
}

void hca_frame_fill_ip(uint8_t *bytes, const struct hca_frame *frame)
{
	uint8_t *ip = bytes + frame->ip_at;

	if (frame->ip != 4 || frame->cut)
		return;
	be16_put(ip, IPV4_SUM, 0);
	be16_put(ip, IPV4_SUM, (uint16_t)~hca_frame_sum(ip, ip_header(bytes, frame)));
}

void hca_frame_fill_l4(uint8_t *bytes, const struct hca_frame *frame)
{
	uint16_t sum;

	if (!frame->l4_at || frame->cut)
		return;
	be16_put(bytes, l4_sum_at(frame), 0);
	sum = (uint16_t)~l4_sum(bytes, frame);
	/* Zero says that there is none. */
	if (frame->protocol == HCA_ETH_UDP && !sum)
		sum = 0xffff;
	be16_put(bytes, l4_sum_at(frame), sum);
}

/* --- segments ---------------------------------------------------------------------------- */

/*
 * The lengths of a long message do not fit into its headers, so they become those of the segment
 * before anything else is looked at.
 */
bool hca_frame_set_lengths(uint8_t *bytes, size_t len, struct hca_frame *frame)
{
	uint8_t *ip;

	hca_frame_parse(bytes, len, frame);
	ip = bytes + frame->ip_at;
	if (frame->ethertype == TYPE_IPV4 && len - frame->ip_at >= IPV4_LEN)
		be16_put(ip, IPV4_TOTAL, (uint16_t)(len - frame->ip_at));
	else if (frame->ethertype == TYPE_IPV6 && len - frame->ip_at >= IPV6_LEN)
		be16_put(ip, IPV6_PAYLOAD, (uint16_t)(len - frame->ip_at - IPV6_LEN));
	else
		return false;
	hca_frame_parse(bytes, len, frame);
	return frame->l4_at;
}

bool hca_frame_segment(uint8_t *bytes, size_t len, size_t header, uint32_t index, uint32_t offset,
		       bool last)
{
	struct hca_frame frame;
	uint8_t *l4;

	if (len < HCA_ETH_HEADER || header > len || len > UINT16_MAX ||
	    !hca_frame_set_lengths(bytes, len, &frame) || frame.l4_at + frame.l4_len != header)
		return false;
	l4 = bytes + frame.l4_at;
	if (frame.ip == 4)
		be16_put(bytes, frame.ip_at + IPV4_IDENT,
			 (uint16_t)(be16_at(bytes, frame.ip_at + IPV4_IDENT) + index));
	if (frame.protocol == HCA_ETH_TCP) {
		uint16_t flags = be16_at(l4, TCP_FLAGS);

		be32_put(l4, TCP_SEQUENCE, be32_at(l4, TCP_SEQUENCE) + offset);
		if (!last)
			flags &= (uint16_t) ~(TCP_FIN | TCP_PSH);
		if (index)
			flags &= (uint16_t)~TCP_CWR;
		be16_put(l4, TCP_FLAGS, flags);
	} else {
		be16_put(l4, UDP_LENGTH, (uint16_t)(len - frame.l4_at));
	}
	hca_frame_fill_ip(bytes, &frame);
	hca_frame_fill_l4(bytes, &frame);
	return true;
}

/* --- receive side scaling ---------------------------------------------------------------- */

uint32_t hca_frame_toeplitz(const uint8_t key[40], const uint8_t *input, size_t len)
{
	uint32_t window = be32_at(key, KEY_FIRST), hash = 0;

	for (size_t i = 0; i < len && i < 36; i++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			if (input[i] & 0x80u >> bit)
				hash ^= window;
			window = window << 1 | (key[i + 4] >> (7 - bit) & 1u);
		}
	}
	return hash;
}

/* --- flow tables ------------------------------------------------------------------------- */

/* GRE, and the key of @misc that says so. */
static void gre_key(const uint8_t *bytes, const struct hca_frame *frame, uint8_t *misc)
{
	size_t at = frame->ip_at +
		    (frame->ip == 4 ? 4 * (size_t)(bytes[frame->ip_at] & 0xf) : IPV6_LEN);
	size_t key = at + 4;
	uint16_t flags;

	if (frame->ip == 6 && bytes[frame->ip_at + 6] != HCA_ETH_GRE)
		return;
	if (key > frame->ip_end)
		return;
	flags = be16_at(bytes, at);
	field_put(misc, KEY_GRE_C, !!(flags & GRE_CHECKSUM));
	field_put(misc, KEY_GRE_K, !!(flags & GRE_KEY));
	field_put(misc, KEY_GRE_S, !!(flags & GRE_SEQUENCE));
	be16_put(misc, KEY_GRE_PROTOCOL, be16_at(bytes + at, TUNNEL_TYPE));
	key += flags & GRE_CHECKSUM ? 4 : 0;
	if (flags & GRE_KEY && key + 4 <= frame->ip_end)
		memcpy(misc + KEY_GRE_KEY, bytes + key, 4);
}

/* What comes behind UDP, by its port. */
static void udp_key(const uint8_t *bytes, const struct hca_frame *frame, uint8_t *misc)
{
	const uint8_t *header = bytes + frame->l4_at + UDP_LEN;

	if (frame->l4_at + UDP_LEN + TUNNEL_LEN > frame->ip_end)
		return;
	if (frame->dport == HCA_ETH_PORT_VXLAN) {
		memcpy(misc + KEY_VXLAN_VNI, header + TUNNEL_VNI, 3);
	} else if (frame->dport == HCA_ETH_PORT_GENEVE) {
		memcpy(misc + KEY_GENEVE_VNI, header + TUNNEL_VNI, 3);
		field_put(misc, KEY_GENEVE_OAM, header[1] >> 7);
		field_put(misc, KEY_GENEVE_OPT_LEN, header[0] & 0x3f);
		be16_put(misc, KEY_GENEVE_TYPE, be16_at(header, TUNNEL_TYPE));
	}
}

static void tunnel_key(const uint8_t *bytes, const struct hca_frame *frame, uint8_t *misc)
{
	if (!frame->ip || frame->fragment)
		return;
	if (frame->protocol == HCA_ETH_GRE)
		gre_key(bytes, frame, misc);
	else if (frame->l4_at && frame->protocol == HCA_ETH_UDP)
		udp_key(bytes, frame, misc);
}

void hca_frame_key(const uint8_t *bytes, size_t len, const struct hca_frame *frame,
		   uint8_t key[HCA_FRAME_KEY])
{
	const uint8_t *ip = bytes + frame->ip_at;
	unsigned int l4_type = !frame->l4_at ? 0 : frame->protocol == HCA_ETH_TCP ? 1 : 2;

	memset(key, 0, HCA_FRAME_KEY);
	if (len < HCA_ETH_HEADER)
		return;
	memcpy(key, bytes + MAC, MAC);
	be16_put(key, KEY_ETHERTYPE, frame->ethertype);
	memcpy(key + 8, bytes, MAC);
	if (frame->tags)
		be16_put(key, KEY_TCI, frame->tci);
	field_put(key, KEY_CTAG, frame->ctag);
	field_put(key, KEY_STAG, frame->stag);
	field_put(key, KEY_FRAGMENT, frame->fragment);
	if (frame->ip == 4) {
		field_put(key, KEY_PROTOCOL, frame->protocol);
		field_put(key, KEY_TOS, ip[1]);
		field_put(key, KEY_VERSION, 4);
		field_put(key, KEY_IHL, ip[0] & 0xf);
		field_put(key, KEY_TTL, ip[8]);
		memcpy(key + 0x2c, ip + 12, 4);
		memcpy(key + 0x3c, ip + 16, 4);
	} else if (frame->ip == 6) {
		field_put(key, KEY_PROTOCOL, frame->protocol);
		field_put(key, KEY_TOS, (ip[0] << 4 | ip[1] >> 4) & 0xff);
		field_put(key, KEY_VERSION, 6);
		field_put(key, KEY_TTL, ip[7]);
		memcpy(key + 0x20, ip + 8, 16);
		memcpy(key + 0x30, ip + 24, 16);
	}
	field_put(key, KEY_TCP_FLAGS, frame->tcp_flags);
	field_put(key, KEY_L4_TYPE, l4_type);
	if (l4_type) {
		be16_put(key, l4_type == 1 ? 20 : 28, frame->sport);
		be16_put(key, l4_type == 1 ? 22 : 30, frame->dport);
	}
	tunnel_key(bytes, frame, key + HCA_FRAME_MISC);
}

bool hca_frame_has_misc(const uint8_t mask[HCA_FRAME_KEY - HCA_FRAME_MISC])
{
	uint8_t known[HCA_FRAME_KEY - HCA_FRAME_MISC] = { 0 };

	field_put(known, KEY_GRE_C, 1);
	field_put(known, KEY_GRE_K, 1);
	field_put(known, KEY_GRE_S, 1);
	be16_put(known, KEY_GRE_PROTOCOL, 0xffff);
	be32_put(known, KEY_GRE_KEY, UINT32_MAX);
	memset(known + KEY_VXLAN_VNI, 0xff, 3);
	memset(known + KEY_GENEVE_VNI, 0xff, 3);
	field_put(known, KEY_GENEVE_OAM, 1);
	field_put(known, KEY_GENEVE_OPT_LEN, 0x3f);
	be16_put(known, KEY_GENEVE_TYPE, 0xffff);
	for (size_t i = 0; i < sizeof(known); i++) {
		if (mask[i] & ~known[i])
			return false;
	}
	return true;
}
