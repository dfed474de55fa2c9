/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two checks of a packet (InfiniBand Architecture, volume 1, 7.8; annexes A16 and A17 for
 * RoCE). The invariant CRC covers what no switch or router may change: the other fields count as
 * ones. The variant CRC covers a packet of an InfiniBand link as it is.
 *
 * Each function takes a packet whose headers are whole: the caller has checked its length.
 */
#ifndef PACKET_CRC_H
#define PACKET_CRC_H

#include <stddef.h>
#include <stdint.h>

/*
 * @lrh: @len bytes, from the LRH to the last one before the ICRC, at least LRH and BTH, and the GRH
 * if LNH says so. Returns the ICRC: on the wire its low byte comes first.
 */
uint32_t packet_icrc_infiniband(const uint8_t *lrh, size_t len);
/*
 * RoCEv2. @ip: @len bytes, from the IPv4 header (without options) or IPv6 header to the last byte
 * before the ICRC, at least IP, UDP and BTH.
 */
uint32_t packet_icrc_ip(const uint8_t *ip, size_t len);
/* @lrh: @len bytes, from the LRH to the last one of the ICRC. On the wire its low byte comes first.
 */
uint16_t packet_vcrc(const uint8_t *lrh, size_t len);

#endif
