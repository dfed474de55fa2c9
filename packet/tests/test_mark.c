/* SPDX-License-Identifier: GPL-2.0-only */
/* Marks of congestion: what a frame says afterwards, and which ones stay as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "packet/mark.h"
#include "packet/packet.h"

#define IP_AT 14u
#define TAG   4u

struct frame {
	size_t len;
	uint8_t bytes[256];
};

/* A RoCE packet, as it comes; @tags in front of its IP header. */
static struct frame make(bool ipv4, uint8_t traffic_class, unsigned int tags)
{
	struct packet_route route = { .ethernet = true,
				      .ipv4 = ipv4,
				      .source_port = 0xc000,
				      .traffic_class = traffic_class,
				      .hop_limit = 64 };
	struct packet packet = { .opcode = PACKET_RC | PACKET_SEND_ONLY,
				 .p_key = 0xffff,
				 .payload = (const uint8_t *)"four",
				 .length = 4 };
	struct frame frame = { 0 };
	int len;

	if (ipv4) {
		memcpy(route.sgid, (uint8_t[16]){ [10] = 0xff, 0xff, 10, 0, 0, 1 }, 16);
		memcpy(route.dgid, (uint8_t[16]){ [10] = 0xff, 0xff, 10, 0, 0, 2 }, 16);
	}
	len = packet_encode(&route, &packet, frame.bytes, sizeof(frame.bytes));
	assert_true(len > 0);
	frame.len = (size_t)len;
	for (; tags; tags--, frame.len += TAG) {
		memmove(frame.bytes + 12 + TAG, frame.bytes + 12, frame.len - 12);
		be16_put(frame.bytes, 12, tags % 2 ? 0x8100 : 0x88a8);
		be16_put(frame.bytes, 14, 5);
	}
	return frame;
}

/* In memory of its own, so that a look past it is seen. */
static void mark(struct frame *frame)
{
	uint8_t *copy = malloc(frame->len ? frame->len : 1);

	assert_non_null(copy);
	memcpy(copy, frame->bytes, frame->len);
	packet_mark(copy, frame->len);
	memcpy(frame->bytes, copy, frame->len);
	free(copy);
}

/* CE, whatever was there; all else is as it was, and is right: ICRC and checksum, too. */
static void packets_are_marked(void **state)
{
	static const uint8_t classes[] = { 0x68, 0x69, 0x6a, 0x6b, 0xff, 0 };

	(void)state;
	for (unsigned int i = 0; i < 2 * sizeof(classes); i++) {
		uint8_t class = classes[i / 2];
		struct frame frame = make(i % 2, class, 0), plain = make(i % 2, class | 3, 0);

		mark(&frame);
		assert_int_equal(frame.len, plain.len);
		assert_memory_equal(frame.bytes, plain.bytes, plain.len);
	}
}

static void tags_are_looked_behind(void **state)
{
	(void)state;
	for (unsigned int tags = 1; tags <= PACKET_TAGS; tags++) {
		struct frame frame = make(true, 0x40, tags), plain = make(true, 0x43, tags);

		mark(&frame);
		assert_memory_equal(frame.bytes, plain.bytes, plain.len);
	}
	{
		struct frame frame = make(true, 0x40, PACKET_TAGS + 1), as_it_was = frame;

		mark(&frame);
		assert_memory_equal(frame.bytes, as_it_was.bytes, frame.len);
	}
}

static void stays(struct frame frame)
{
	struct frame as_it_was = frame;

	mark(&frame);
	assert_memory_equal(frame.bytes, as_it_was.bytes, frame.len);
}

/* Ends within its headers, or before what they say; headers that are wrong; no IP. */
static void others_are_not(void **state)
{
	(void)state;
	for (unsigned int ipv4 = 0; ipv4 < 2; ipv4++) {
		struct frame frame = make(ipv4, 0, 0);
		size_t whole = frame.len;

		for (frame.len = 0; frame.len < whole; frame.len++)
			stays(frame);
		frame.len = whole;
		frame.bytes[IP_AT] ^= 0x20;
		stays(frame);
		frame = make(ipv4, 0, 0);
		be16_put(frame.bytes, 12, 0x0806);
		stays(frame);
	}
	{
		struct frame frame = make(true, 0, 0);

		/* The checksum; a header length below, and beyond the frame. */
		frame.bytes[IP_AT + 10] ^= 1;
		stays(frame);
		frame = make(true, 0, 0);
		frame.bytes[IP_AT] = 0x44;
		stays(frame);
		frame.bytes[IP_AT] = 0x4f;
		stays(frame);
		frame.len = IP_AT + 59;
		stays(frame);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_are_marked),
		cmocka_unit_test(tags_are_looked_behind),
		cmocka_unit_test(others_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
