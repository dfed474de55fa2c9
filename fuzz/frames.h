/* SPDX-License-Identifier: GPL-2.0-only */
/* Ethernet frames of whoever is on the world's switch: stations 0 and 1 are the functions. */
#ifndef FUZZ_FRAMES_H
#define FUZZ_FRAMES_H

#include "fuzz/input.h"
#include "hca/eth_frame.h"

#define FRAMES_MAX 2048u

/* Of station 0, 1, 2 (on a cable of its own); 3: all of them. */
const uint8_t *frames_mac(unsigned int station);
/* An address of station 0 or 1 for RoCE: 10.0.0.1 and .2, or fe80::1 and ::2. */
const uint8_t *frames_gid(unsigned int station, bool ipv4);

/* A frame that @station sends, with headers that mostly hold. Returns its length. */
size_t frames_make(struct input *in, uint8_t bytes[FRAMES_MAX], unsigned int station);
/* A datagram of RoCE for QP @qpn of one of the functions. */
size_t frames_make_roce(struct input *in, uint8_t bytes[FRAMES_MAX], uint32_t qpn);
/* Bytes of headers, to the end of those of TCP or UDP if it has them. */
size_t frames_headers(const uint8_t *bytes, size_t len);

#endif
