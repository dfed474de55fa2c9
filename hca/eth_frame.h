/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ethernet frames: where their headers are, their checksums, and segments of long ones. Pure
 * functions: no HCA, no memory access besides the frame. Frames are from the destination address
 * on, without FCS. What a frame says of itself (lengths, header lengths) is checked against its
 * end. IEEE 802.3, 802.1Q; RFC 791, 8200, 9293, 768; RFC 1071 for sums.
 */
#ifndef HCA_ETH_FRAME_H
#define HCA_ETH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HCA_ETH_HEADER 14u
#define HCA_ETH_TAG    4u /* an 802.1Q tag */
#define HCA_ETH_TAGS   2u /* tags that are looked at; behind them nothing is */

#define HCA_ETH_TCP 6u
#define HCA_ETH_UDP 17u
#define HCA_ETH_GRE 47u

/* UDP ports of tunnels. */
#define HCA_ETH_PORT_VXLAN  4789u
#define HCA_ETH_PORT_GENEVE 6081u

struct hca_frame {
	uint16_t ethertype; /* behind the tags */
	unsigned int tags;
	bool ctag, stag; /* the outermost tag is one of 0x8100, of 0x88a8 */
	uint16_t tci;	 /* of the outermost tag */
	uint8_t ip;	 /* 4, 6, or 0: none, or one that does not hold together */
	size_t ip_at;
	size_t ip_end; /* of what the IP header says that it carries, at most that of the frame */
	bool cut;      /* it says more than the frame has: no sum of it holds, or is filled in */
	uint8_t protocol; /* behind the extension headers */
	bool fragment;
	size_t l4_at; /* 0: no complete header of TCP or UDP (not of a fragment, either) */
	size_t l4_len;
	uint16_t sport, dport;
	uint16_t tcp_flags; /* nine bits */
};

/* Look at the @len bytes of @bytes; @len may be anything. */
void hca_frame_parse(const uint8_t *bytes, size_t len, struct hca_frame *frame);

/* Ones' complement sum of big-endian 16-bit words, not inverted; an odd byte is the upper half. */
uint16_t hca_frame_sum(const uint8_t *bytes, size_t len);

/* The checksum of an IPv4 header holds; true for IPv6, which has none, false without IP. */
bool hca_frame_ip_ok(const uint8_t *bytes, const struct hca_frame *frame);
/* The checksum of TCP or UDP holds, or is left out where it may be. False without l4_at. */
bool hca_frame_l4_ok(const uint8_t *bytes, const struct hca_frame *frame);
/* Fill in the checksum of the IPv4 header, of TCP or UDP; nothing where there is none. */
void hca_frame_fill_ip(uint8_t *bytes, const struct hca_frame *frame);
void hca_frame_fill_l4(uint8_t *bytes, const struct hca_frame *frame);

/*
 * hca_frame_set_lengths() - the IP header of @bytes says that it goes to the end of the @len bytes,
 * at most UINT16_MAX; *@frame is what it looks like then. Returns whether TCP or UDP is in it.
 */
bool hca_frame_set_lengths(uint8_t *bytes, size_t len, struct hca_frame *frame);

/*
 * hca_frame_segment() - headers of one segment of a long TCP or UDP message.
 * @bytes: a frame of @len bytes, its first @header ones the message's own headers, as they came;
 * the rest is the segment's payload. @index: which segment, from 0; @offset: payload in front of
 * it. Lengths, IPv4 identification, TCP sequence number and flags, and all checksums become those
 * of the segment. Returns false, and the frame is of no use, when the headers are not those of TCP
 * or UDP over IP that end at @header.
 */
bool hca_frame_segment(uint8_t *bytes, size_t len, size_t header, uint32_t index, uint32_t offset,
		       bool last);

/*
 * hca_frame_toeplitz() - the hash of receive side scaling: @len bytes of @input, at most 36, by
 * @key of 40.
 */
uint32_t hca_frame_toeplitz(const uint8_t key[40], const uint8_t *input, size_t len);

/*
 * The frame as flow tables see it: the 64 bytes of fte_match_set_lyr_2_4 (mlx5_ifc.h), and those of
 * fte_match_set_misc, of which it has those of tunnels: GRE, VXLAN and Geneve. What the frame does
 * not have is 0.
 */
#define HCA_FRAME_KEY  128u
#define HCA_FRAME_MISC 64u /* where the second part begins */
void hca_frame_key(const uint8_t *bytes, size_t len, const struct hca_frame *frame,
		   uint8_t key[HCA_FRAME_KEY]);
/* Whether @mask of the second part asks for nothing but what hca_frame_key() fills in. */
bool hca_frame_has_misc(const uint8_t mask[HCA_FRAME_KEY - HCA_FRAME_MISC]);

#endif
