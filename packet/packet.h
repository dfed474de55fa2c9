/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets of the InfiniBand Architecture (volume 1, chapters 5 to 9) as they travel: on an
 * InfiniBand link (LRH, GRH, ..., ICRC, VCRC) and in Ethernet frames (RoCEv2, annex A17: Ethernet,
 * IPv4 or IPv6, UDP, ..., ICRC). struct packet is what the transports at both ends talk about,
 * struct packet_route how it gets there.
 */
#ifndef PACKET_PACKET_H
#define PACKET_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/opcode.h"

#define PACKET_PAYLOAD_MAX 4096u /* the largest MTU */
#define PACKET_UDP_PORT	   4791u
/* Numbers of 24 bits: QPNs, PSNs, message sequence numbers. */
#define PACKET_24_BITS 0xffffffu
/*
 * The longest packet: 4 bytes of VLAN tag, Ethernet, IPv6, UDP, BTH, DCETH, RETH, ImmDt, payload
 * and ICRC; one with LRH, GRH and VCRC is shorter.
 */
#define PACKET_MAX (14u + 4 + 40 + 8 + 12 + 12 + 16 + 4 + PACKET_PAYLOAD_MAX + 4)

struct packet {
	/* BTH */
	uint8_t opcode;
	bool solicited; /* SE */
	bool migrated;	/* M */
	bool fecn, becn;
	bool ack_req;
	uint16_t p_key;
	uint32_t dest_qpn; /* 24 bits */
	uint32_t psn;	   /* 24 bits */
	/* Extended headers. Those that the opcode does not have are 0 after packet_decode(). */
	uint32_t srqn;		    /* XRCETH, 24 bits */
	uint32_t q_key;		    /* DETH */
	uint32_t src_qpn;	    /* DETH, DCETH, 24 bits */
	uint64_t dc_key;	    /* DCETH */
	uint64_t va;		    /* RETH, AtomicETH */
	uint32_t r_key;		    /* RETH, AtomicETH */
	uint32_t dma_length;	    /* RETH, bytes */
	uint64_t swap_add, compare; /* AtomicETH */
	uint8_t syndrome;	    /* AETH */
	uint32_t msn;		    /* AETH, 24 bits */
	uint64_t original;	    /* AtomicAckETH */
	uint32_t immediate;	    /* ImmDt; IETH: the R_Key to invalidate */
	/* Without its pad bytes. After packet_decode() it lies in the caller's buffer. */
	const uint8_t *payload;
	size_t length; /* 0..PACKET_PAYLOAD_MAX */
	/* packet_decode() only: reserved bits were set. Receivers ignore them; they are not kept.
	 */
	bool reserved;
};

struct packet_route {
	bool ethernet; /* else InfiniBand */
	/* InfiniBand */
	uint8_t vl, sl; /* 4 bits each */
	uint16_t slid, dlid;
	bool grh;
	/* Ethernet */
	uint8_t smac[6], dmac[6];
	bool tagged;
	uint16_t tci; /* of the tag: PCP [15:13], DEI [12], VLAN ID [11:0] */
	bool ipv4;    /* else IPv6 */
	uint16_t ident;
	bool dont_fragment;
	uint16_t source_port;
	bool udp_checksum; /* else the field is 0, as RoCE has it */
	/* GRH or IP header. GIDs of an IPv4 header are mapped addresses, ::ffff:a.b.c.d. */
	uint8_t traffic_class; /* or TOS; ECN [1:0] */
	uint8_t hop_limit;     /* or TTL */
	uint32_t flow_label;   /* 20 bits */
	uint8_t sgid[16], dgid[16];
};

/* Why bytes are no packet that anybody takes. */
enum packet_fault {
	PACKET_OK = 0,
	PACKET_SHORT,	   /* ends within a header */
	PACKET_OTHER,	   /* another protocol: ethertype, LNH, next header, UDP port */
	PACKET_VERSION,	   /* LVer, IPVer or TVer */
	PACKET_IP_HEADER,  /* IPv4 with options, or a checksum that is wrong */
	PACKET_FRAGMENT,   /* of an IP packet */
	PACKET_LENGTH,	   /* a length field says something else than another, or the frame */
	PACKET_BAD_OPCODE, /* none of packet_opcode() */
	PACKET_PAD,	   /* more pad bytes than bytes */
	PACKET_NO_PAYLOAD, /* bytes behind headers that stand alone */
	PACKET_LONG,	   /* more than PACKET_PAYLOAD_MAX */
	PACKET_UDP_SUM,	   /* UDP checksum, where there is one */
	PACKET_VCRC,
	PACKET_ICRC,
	PACKET_FAULTS,
};

/*
 * packet_encode() - the bytes of a packet, CRCs included.
 * @size: bytes at @buf; PACKET_MAX are always enough. Pad bytes are zero.
 * Returns how many were written; -EINVAL when a field does not fit its place, the opcode is
 * unknown, or has no payload but @packet does; -EMSGSIZE when @size is too small. Nothing is
 * written then.
 */
int packet_encode(const struct packet_route *route, const struct packet *packet, uint8_t *buf,
		  size_t size);
/*
 * packet_decode() - the inverse. @ethernet: a frame without its FCS, else from the LRH to the VCRC;
 * @len bytes. A frame may have bytes behind its IP packet: Ethernet pads short ones.
 * Returns PACKET_OK, or why not: nothing is written then. The work is linear in @len.
 */
enum packet_fault packet_decode(bool ethernet, const uint8_t *buf, size_t len,
				struct packet_route *route, struct packet *packet);
/*
 * packet_grh() - the GRH of @packet, 40 bytes, for what carries it in another way than as bytes.
 * -EINVAL where packet_encode() says it: nothing is written then.
 */
int packet_grh(const struct packet_route *route, const struct packet *packet, uint8_t grh[40]);
/* For people: "ICRC is wrong". */
const char *packet_fault_name(enum packet_fault fault);

#endif
