/* SPDX-License-Identifier: GPL-2.0-only */
#include "hca/eth_edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"

#define IP_AT 14u

/* A UDP datagram of four bytes from 10.0.0.1:1000 to 10.0.0.2:2000, with right checksums. */
static uint8_t inner[46] = {
	2, 0,  0,    0,	   0,	 2,    2,  0,  0, 0, 0,	  1,   0x08, 0x00, 0x45, 0,
	0, 32, 0,    1,	   0,	 0,    64, 17, 0, 0, 10,  0,   0,    1,	   10,	 0,
	0, 2,  0x03, 0xe8, 0x07, 0xd0, 0,  12, 0, 0, 'd', 'a', 't',  'a',
};

static const uint8_t vxlan[50] = {
	4,    0, 0,    0,    0,	   2,	 4,    0,    0,	 0,  0,	   1,	 0x08, 0x00, /* Ethernet */
	0x45, 0, 0xff, 0xff, 0,	   0,	 0,    0,    64, 17, 0xff, 0xff, 192,  0,
	2,    1, 192,  0,    2,	   2,		     /* IP */
	0x40, 0, 0x12, 0xb5, 0xff, 0xff, 0xff, 0xff, /* UDP */
	8,    0, 0,    0,    0,	   0,	 7,    0,
};

static const uint8_t gre[38] = {
	4,    0, 0,    0,    0, 2, 4, 0, 0,  0,	 0, 1, 0x08, 0x00, /* Ethernet */
	0x45, 0, 0,    0x20, 0, 0, 0, 0, 64, 47, 0, 0, 192,  0,	   2, 1, 192, 0, 2, 2, /* IP */
	0,    0, 0x08, 0x00,
};

/* Over IPv6, and with an option of a word. */
static const uint8_t geneve[74] = {
	4,    0, 0,    0,    0,	   2, 4,  0,  0,    0,	  0, 1, 0x86, 0xdd, /* Ethernet */
	0x60, 0, 0,    0,    0,	   8, 17, 64, 0xfe, 0x80, 0, 0, 0,    0,    0, 0, 0, 0, 0, 0, 0,
	0,    0, 1,    0xfe, 0x80, 0, 0,  0,  0,    0,	  0, 0, 0,    0,    0, 0, 0, 0, 2, /* IP */
	0x40, 0, 0x17, 0xc1, 0,	   0, 0,  0,						   /* UDP */
	1,    0, 0x65, 0x58, 0,	   0, 7,  0,  1,    2,	  3, 0,
};

static const uint8_t l2[14] = { 6, 0, 0, 0, 0, 2, 6, 0, 0, 0, 0, 1, 0x08, 0x00 };

static uint8_t room[HCA_EDIT_MAX];

static struct hca_edit edit_of(const uint8_t *bytes, size_t len)
{
	struct hca_edit edit = { .bytes = bytes, .len = len, .room = room };

	hca_frame_parse(bytes, len, &edit.frame);
	return edit;
}

static int setup(void **state)
{
	struct hca_frame frame;

	(void)state;
	be16_put(inner, 24, 0);
	be16_put(inner, 40, 0);
	hca_frame_parse(inner, sizeof(inner), &frame);
	hca_frame_fill_ip(inner, &frame);
	hca_frame_fill_l4(inner, &frame);
	return 0;
}

/* The frame looks as it says itself. */
static void assert_whole(const struct hca_edit *edit)
{
	struct hca_frame frame;

	hca_frame_parse(edit->bytes, edit->len, &frame);
	assert_false(frame.cut);
	assert_int_equal(frame.ip_end, edit->len);
	assert_true(hca_frame_ip_ok(edit->bytes, &frame));
	assert_int_equal(frame.ip, edit->frame.ip);
	assert_int_equal(frame.l4_at, edit->frame.l4_at);
}

static void vxlan_and_back(void **state)
{
	struct hca_edit edit = edit_of(inner, sizeof(inner));

	(void)state;
	assert_true(hca_edit_encap(&edit, vxlan, sizeof(vxlan), false));
	assert_int_equal(edit.len, sizeof(vxlan) + sizeof(inner));
	assert_whole(&edit);
	assert_memory_equal(edit.bytes + sizeof(vxlan), inner, sizeof(inner));
	assert_int_equal(be16_at(edit.bytes, IP_AT + 2), 20 + 8 + 8 + sizeof(inner));
	assert_int_equal(be16_at(edit.bytes, 38), 8 + 8 + sizeof(inner));
	assert_int_equal(be16_at(edit.bytes, 40), 0);
	assert_int_equal(edit.frame.dport, 4789);
	/* There is no IP packet in it, but a frame. */
	assert_false(hca_edit_decap(&edit, l2, sizeof(l2)));
	assert_true(hca_edit_decap(&edit, NULL, 0));
	assert_int_equal(edit.len, sizeof(inner));
	assert_memory_equal(edit.bytes, inner, sizeof(inner));
	assert_int_equal(edit.frame.dport, 2000);
	assert_false(hca_edit_decap(&edit, NULL, 0));
	assert_memory_equal(edit.bytes, inner, sizeof(inner));
}

/* The IP packet alone goes into it, and gets another header afterwards. */
static void gre_of_ip(void **state)
{
	struct hca_edit edit = edit_of(inner, sizeof(inner));

	(void)state;
	assert_true(hca_edit_encap(&edit, gre, sizeof(gre), true));
	assert_int_equal(edit.len, sizeof(gre) + sizeof(inner) - 14);
	assert_whole(&edit);
	assert_memory_equal(edit.bytes + sizeof(gre), inner + 14, sizeof(inner) - 14);
	assert_false(hca_edit_decap(&edit, NULL, 0));
	assert_true(hca_edit_decap(&edit, l2, sizeof(l2)));
	assert_int_equal(edit.len, sizeof(inner));
	assert_memory_equal(edit.bytes, l2, sizeof(l2));
	assert_memory_equal(edit.bytes + 14, inner + 14, sizeof(inner) - 14);
	/* What is no IP has none to put there. */
	memcpy(room, inner, sizeof(inner));
	room[12] = 0x88;
	edit = edit_of(room, sizeof(inner));
	assert_false(hca_edit_encap(&edit, gre, sizeof(gre), true));
	assert_int_equal(edit.len, sizeof(inner));
}

/* Options of GRE are passed, whatever its version is. */
static void gre_with_options(void **state)
{
	uint8_t frame[38 + 12 + sizeof(inner)] = { 0 };
	struct hca_edit edit;

	(void)state;
	memcpy(frame, gre, sizeof(gre));
	be16_put(frame, 16, sizeof(frame) - 14);
	be16_put(frame, 34, 0xb000);
	be16_put(frame, 36, 0x6558);
	memcpy(frame + 50, inner, sizeof(inner));
	edit = edit_of(frame, sizeof(frame));
	assert_true(hca_edit_decap(&edit, NULL, 0));
	assert_int_equal(edit.len, sizeof(inner));
	assert_memory_equal(edit.bytes, inner, sizeof(inner));
	be16_put(frame, 34, 0xb001);
	edit = edit_of(frame, sizeof(frame));
	assert_true(hca_edit_decap(&edit, NULL, 0));
	assert_memory_equal(edit.bytes, inner, sizeof(inner));
	/* A fragment has the rest elsewhere. */
	be16_put(frame, 34, 0xb000);
	be16_put(frame, 20, 0x2000);
	edit = edit_of(frame, sizeof(frame));
	assert_false(hca_edit_decap(&edit, NULL, 0));
}

static void geneve_over_ipv6(void **state)
{
	struct hca_edit edit = edit_of(inner, sizeof(inner));

	(void)state;
	assert_true(hca_edit_encap(&edit, geneve, sizeof(geneve), false));
	assert_whole(&edit);
	assert_int_equal(edit.frame.ip, 6);
	assert_true(hca_frame_l4_ok(edit.bytes, &edit.frame));
	assert_int_not_equal(be16_at(edit.bytes, 60), 0);
	/* Padding behind it is not part of what is in it. */
	memset(room + edit.len, 0xee, 6);
	edit = edit_of(room, edit.len + 6);
	assert_true(hca_edit_decap(&edit, NULL, 0));
	assert_int_equal(edit.len, sizeof(inner));
	assert_memory_equal(edit.bytes, inner, sizeof(inner));
}

/* Tunnels that end anywhere: nothing past the end is looked at. */
static void cut_tunnels(void **state)
{
	static const struct {
		const uint8_t *header;
		size_t len;
	} tunnels[] = { { vxlan, sizeof(vxlan) },
			{ gre, sizeof(gre) },
			{ geneve, sizeof(geneve) } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct hca_edit edit = edit_of(inner, sizeof(inner));
		uint8_t whole[128];
		size_t all;

		assert_true(hca_edit_encap(&edit, tunnels[i].header, tunnels[i].len, i == 1));
		all = edit.len;
		memcpy(whole, edit.bytes, all);
		for (size_t len = 0; len <= all; len++) {
			uint8_t *cut = malloc(len ? len : 1);
			size_t header = i == 1 ? sizeof(l2) : 0;
			size_t least = i == 1 ? 1 : HCA_ETH_HEADER;

			memcpy(cut, whole, len);
			edit = edit_of(cut, len);
			assert_int_equal(hca_edit_decap(&edit, header ? l2 : NULL, header),
					 len >= tunnels[i].len + least);
			free(cut);
		}
	}
}

static void length_is_bounded(void **state)
{
	static uint8_t frame[HCA_EDIT_MAX];
	struct hca_edit edit;

	(void)state;
	memcpy(frame, inner, sizeof(inner));
	edit = edit_of(frame, HCA_EDIT_MAX - sizeof(vxlan) + 1);
	assert_false(hca_edit_encap(&edit, vxlan, sizeof(vxlan), false));
	assert_ptr_equal(edit.bytes, frame);
	edit = edit_of(frame, HCA_EDIT_MAX - sizeof(vxlan));
	assert_true(hca_edit_encap(&edit, vxlan, sizeof(vxlan), false));
	assert_int_equal(edit.len, HCA_EDIT_MAX);
}

static const uint8_t *action(uint32_t type, uint32_t field, uint32_t offset, uint32_t length,
			     uint32_t data)
{
	static uint8_t bytes[8];

	be32_put(bytes, 0, type << 28 | field << 16 | offset << 8 | length);
	be32_put(bytes, 4, data);
	return bytes;
}

static void fields_are_set(void **state)
{
	struct hca_edit edit = edit_of(inner, sizeof(inner));

	(void)state;
	hca_edit_set(&edit, action(1, 0x01, 0, 0, 0x0a0b0c0d));
	hca_edit_set(&edit, action(1, 0x02, 0, 16, 0x0e0f));
	hca_edit_set(&edit, action(1, 0x04, 8, 8, 0x55));
	assert_memory_equal(edit.bytes, "\x02\x00\x55\x00\x00\x02\x0a\x0b\x0c\x0d\x0e\x0f", 12);
	assert_memory_equal(edit.bytes + 12, inner + 12, sizeof(inner) - 12);
	/* With the checksums. */
	hca_edit_set(&edit, action(1, 0x15, 0, 0, 0xc0000201));
	hca_edit_set(&edit, action(1, 0x0c, 0, 16, 53));
	assert_int_equal(be32_at(edit.bytes, IP_AT + 12), 0xc0000201);
	assert_int_equal(edit.frame.dport, 53);
	assert_true(hca_frame_ip_ok(edit.bytes, &edit.frame));
	assert_true(hca_frame_l4_ok(edit.bytes, &edit.frame));
	/* There is no TCP. */
	hca_edit_set(&edit, action(1, 0x09, 0, 16, 99));
	assert_int_equal(edit.frame.dport, 53);
	/* One that is left out, and one that is wrong, stay so. */
	be16_put(room, 40, 0);
	room[24]++;
	edit = edit_of(room, sizeof(inner));
	hca_edit_set(&edit, action(1, 0x16, 0, 0, 0xc0000202));
	assert_int_equal(be16_at(edit.bytes, 40), 0);
	assert_false(hca_frame_ip_ok(edit.bytes, &edit.frame));
	assert_int_equal(inner[6], 2);
}

static void actions_are_checked(void **state)
{
	(void)state;
	assert_true(hca_edit_can_set(action(1, 0x01, 0, 0, 0)));
	assert_true(hca_edit_can_set(action(1, 0x01, 31, 1, 0)));
	assert_true(hca_edit_can_set(action(1, 0x02, 8, 8, 0)));
	assert_false(hca_edit_can_set(action(1, 0x02, 8, 9, 0)));
	assert_false(hca_edit_can_set(action(1, 0x02, 0, 0, 0)));
	assert_false(hca_edit_can_set(action(1, 0x01, 1, 0, 0)));
	assert_false(hca_edit_can_set(action(2, 0x01, 0, 0, 0)));
	assert_false(hca_edit_can_set(action(1, 0x101, 0, 16, 0)));
	assert_false(hca_edit_can_set(action(1, 0x06, 0, 4, 0)));
}

/* A frame that is too short for a field has none. */
static void short_frames(void **state)
{
	(void)state;
	for (size_t len = 0; len < 12; len++) {
		uint8_t *cut = malloc(len ? len : 1);
		struct hca_edit edit;

		memcpy(cut, inner, len);
		edit = edit_of(cut, len);
		hca_edit_set(&edit, action(1, 0x02, 0, 16, 0xffff));
		assert_int_equal(edit.len, len);
		assert_memory_equal(edit.bytes, inner, len);
		free(cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vxlan_and_back),   cmocka_unit_test(gre_of_ip),
		cmocka_unit_test(gre_with_options), cmocka_unit_test(geneve_over_ipv6),
		cmocka_unit_test(cut_tunnels),	    cmocka_unit_test(length_is_bounded),
		cmocka_unit_test(fields_are_set),   cmocka_unit_test(actions_are_checked),
		cmocka_unit_test(short_frames),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
