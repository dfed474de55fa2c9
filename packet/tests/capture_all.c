/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Captures with a packet of each opcode, for a dissector that nobody here wrote: RoCEv2 over IPv4
 * and IPv6 in Ethernet, and InfiniBand with and without GRH.
 * Usage: capture_all ETHERNET-FILE INFINIBAND-FILE LINK-TYPE-OF-THE-LATTER
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/pcapng.h"
#include "packet/packet.h"

static const uint8_t text[] = "0123456789abcdefghijklmnopqrstuvwxyz";

static struct packet_route route(bool ethernet, bool second)
{
	struct packet_route route = {
		.ethernet = ethernet,
		.slid = 1,
		.dlid = 2,
		.grh = !ethernet && second,
		.smac = { 2, 0, 0, 0, 0, 1 },
		.dmac = { 2, 0, 0, 0, 0, 2 },
		.tagged = ethernet && second,
		.tci = ethernet && second ? 10 : 0,
		.ipv4 = ethernet && !second,
		.source_port = 0xc000,
		.hop_limit = 64,
		.sgid = { 0xfe, 0x80, [8] = 2, [15] = 1 },
		.dgid = { 0xfe, 0x80, [8] = 2, [15] = 2 },
	};

	if (route.ipv4) {
		memset(route.sgid, 0, 12);
		memset(route.dgid, 0, 12);
		memset(route.sgid + 10, 0xff, 2);
		memset(route.dgid + 10, 0xff, 2);
		route.sgid[12] = route.dgid[12] = 10;
	}
	return route;
}

/* Of a QP pair: requests to QP 0x12, responses to 0x34. */
static struct packet packet(uint8_t opcode, const struct packet_opcode *info, uint32_t psn)
{
	return (struct packet){
		.opcode = opcode,
		.p_key = 0xffff,
		.dest_qpn = info->response ? 0x34 : 0x12,
		.becn = opcode == PACKET_CNP,
		.ack_req = !info->response && info->place & PACKET_LAST,
		.psn = psn,
		.srqn = 0x77,
		.q_key = 0x11111111,
		.src_qpn = 0x34,
		.va = 0x7f0000001000,
		.r_key = 0x1234,
		.dma_length = 1024,
		.swap_add = 1,
		.compare = 2,
		.syndrome = 0x1f,
		.msn = 1,
		.original = 3,
		.immediate = 0xdeadbeef,
		.payload = text,
		.length = info->payload ? (info->place & PACKET_LAST ? 33 : 32) : 0,
	};
}

static int capture(const char *path, bool ethernet, uint16_t link_type)
{
	struct pcapng *file = pcapng_open(path);
	uint32_t number = 0;

	if (!file || pcapng_interface(file, link_type, "all") != 0)
		return errno;
	for (unsigned int opcode = 0; opcode < 256; opcode++) {
		struct packet_opcode info;

		/* No dissector knows what is of this model only. */
		if (!packet_opcode((uint8_t)opcode, &info) ||
		    (opcode & PACKET_CLASS_MASK) == PACKET_DC)
			continue;
		for (unsigned int second = 0; second < 2; second++) {
			struct packet_route to = route(ethernet, second);
			struct packet what = packet((uint8_t)opcode, &info, number);
			uint8_t buf[PACKET_MAX];
			int len = packet_encode(&to, &what, buf, sizeof(buf));

			const struct pcapng_packet captured = { .time_ns = number++ * 1000ull,
								.data = buf,
								.len = (size_t)len };

			if (len < 0 || pcapng_packet(file, 0, &captured))
				return EIO;
		}
	}
	return -pcapng_close(file);
}

int main(int argc, char **argv)
{
	int error;

	if (argc != 4) {
		fprintf(stderr, "usage: capture_all ETHERNET-FILE INFINIBAND-FILE LINK-TYPE\n");
		return 2;
	}
	error = capture(argv[1], true, PCAPNG_ETHERNET);
	if (!error)
		error = capture(argv[2], false, (uint16_t)atoi(argv[3]));
	if (error)
		fprintf(stderr, "capture_all: %s\n", strerror(error));
	return error != 0;
}
