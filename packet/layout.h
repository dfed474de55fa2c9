/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of packet/: where the fields of headers are, in bytes from the start of their header. */
#ifndef PACKET_LAYOUT_H
#define PACKET_LAYOUT_H

/* Local route header. */
#define LRH_LEN	     8u
#define LRH_VL	     0u /* VL [7:4], LVer [3:0] */
#define LRH_LNH	     1u /* SL [7:4], reserved [3:2], LNH [1:0] */
#define LRH_LNH_MASK 3u
#define LRH_DLID     2u
#define LRH_LENGTH   4u /* reserved [15:11], words from here to the ICRC [10:0] */
#define LRH_SLID     6u
#define LNH_BTH	     2u
#define LNH_GRH	     3u

/* Global route header: an IPv6 header. */
#define GRH_LEN	       40u
#define GRH_NEXT_BTH   0x1bu
#define IPV6_LEN       40u
#define IPV6_LENGTH    4u
#define IPV6_NEXT      6u
#define IPV6_HOP_LIMIT 7u
#define IPV6_SOURCE    8u
#define IPV6_DEST      24u

#define IPV4_LEN      20u
#define IPV4_TOS      1u
#define IPV4_LENGTH   2u
#define IPV4_IDENT    4u
#define IPV4_FRAGMENT 6u /* reserved [15], DF [14], MF [13], offset [12:0] */
#define IPV4_DF	      0x4000u
#define IPV4_RESERVED 0x8000u
#define IPV4_TTL      8u
#define IPV4_PROTOCOL 9u
#define IPV4_CHECKSUM 10u
#define IPV4_SOURCE   12u
#define IPV4_DEST     16u
#define IP_UDP	      17u

#define UDP_LEN	     8u
#define UDP_SOURCE   0u
#define UDP_DEST     2u
#define UDP_LENGTH   4u
#define UDP_CHECKSUM 6u

#define ETHERNET_LEN 14u
#define ETHERTYPE    12u
#define VLAN_LEN     4u
#define TYPE_VLAN    0x8100u
#define TYPE_IPV4    0x0800u
#define TYPE_IPV6    0x86ddu

/* Base transport header. */
#define BTH_LEN	  12u
#define BTH_FLAGS 1u /* SE [7], M [6], PadCnt [5:4], TVer [3:0] */
#define BTH_P_KEY 2u
#define BTH_ECN	  4u /* FECN [7], BECN [6], reserved */
#define BTH_QPN	  4u /* word, its low 24 bits */
#define BTH_ACK	  8u /* AckReq [7], reserved */
#define BTH_PSN	  8u

#define ICRC_LEN 4u
#define VCRC_LEN 2u

#endif
