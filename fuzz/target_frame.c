/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames that a guest sends, or that come over the switch, and the WQEs of queues of frames. What
 * is found of headers lies within the frame; checksums that were filled in hold; a segment has the
 * lengths that it says; data of a WQE lie within it.
 */
#include <stdlib.h>

#include "fuzz/target.h"
#include "hca/eth_edit.h"
#include "hca/eth_frame.h"
#include "hca/wqe.h"

#define FRAME_MAX 2048u

/* The rest of the input, in memory of its own, so that a sanitizer sees a look behind it. */
static uint8_t *take_rest(struct input *in, size_t *len)
{
	size_t left = (size_t)(in->end - in->at);
	uint8_t *bytes;

	*len = left < FRAME_MAX ? left : FRAME_MAX;
	bytes = malloc(*len ? *len : 1);
	if (!bytes)
		abort();
	input_bytes(in, bytes, *len);
	return bytes;
}

static void check_places(const struct hca_frame *frame, size_t len)
{
	if (frame->ip &&
	    (frame->ip_at > len || frame->ip_end > len || frame->ip_at > frame->ip_end))
		finding("IP of %zu to %zu in %zu bytes", frame->ip_at, frame->ip_end, len);
	if (frame->l4_at && (!frame->ip || frame->l4_at + frame->l4_len > frame->ip_end))
		finding("L4 of %zu bytes at %zu, IP ends at %zu", frame->l4_len, frame->l4_at,
			frame->ip_end);
	if (frame->l4_at && frame->fragment)
		finding("a fragment has ports");
}

/* Of a packet whose end is missing no checksum holds. */
static void check_sums(const uint8_t *bytes, const struct hca_frame *frame)
{
	if (frame->cut) {
		if (hca_frame_ip_ok(bytes, frame) || hca_frame_l4_ok(bytes, frame))
			finding("a checksum holds of a packet whose end is missing");
		return;
	}
	if (frame->ip && !hca_frame_ip_ok(bytes, frame))
		finding("the IP checksum that was filled in does not hold");
	if (frame->l4_at && !hca_frame_l4_ok(bytes, frame))
		finding("the checksum of protocol %u that was filled in does not hold",
			frame->protocol);
}

/* What is in a tunnel looks as it says, and its addresses can be set. */
static void leave_tunnel(const uint8_t *bytes, size_t len, const struct hca_frame *frame)
{
	static const uint8_t l2[HCA_ETH_HEADER], action[8] = { 0x10, 0x15 };
	static uint8_t room[HCA_EDIT_MAX];

	for (unsigned int ip = 0; ip < 2; ip++) {
		struct hca_edit edit = { bytes, len, *frame, room };

		if (hca_edit_decap(&edit, ip ? l2 : NULL, ip ? sizeof(l2) : 0) && edit.len > len)
			finding("%zu bytes were in a tunnel of %zu", edit.len, len);
		hca_edit_set(&edit, action);
		check_places(&edit.frame, edit.len);
	}
}

static void frame(struct input *in)
{
	struct hca_frame frame, again;
	uint8_t key[HCA_FRAME_KEY];
	size_t len;
	uint8_t *bytes = take_rest(in, &len);

	hca_frame_parse(bytes, len, &frame);
	check_places(&frame, len);
	hca_frame_key(bytes, len, &frame, key);
	leave_tunnel(bytes, len, &frame);
	hca_frame_fill_l4(bytes, &frame);
	hca_frame_fill_ip(bytes, &frame);
	check_sums(bytes, &frame);
	hca_frame_parse(bytes, len, &again);
	if (again.l4_at != frame.l4_at || again.ip_end != frame.ip_end)
		finding("checksums have moved headers");
	free(bytes);
}

static void segment(struct input *in)
{
	uint32_t header = input_u16(in), index = input_u16(in), offset = input_u32(in);
	bool last = input_u8(in) & 1;
	struct hca_frame frame;
	size_t len;
	uint8_t *bytes = take_rest(in, &len);

	if (hca_frame_segment(bytes, len, header, index, offset, last)) {
		hca_frame_parse(bytes, len, &frame);
		check_places(&frame, len);
		check_sums(bytes, &frame);
		if (!frame.l4_at || frame.l4_at + frame.l4_len != header || frame.ip_end != len ||
		    frame.cut)
			finding("a segment of %zu bytes ends at %zu, its headers at %zu, not %u",
				len, frame.ip_end, frame.l4_at + frame.l4_len, header);
	}
	free(bytes);
}

static void wqe(struct input *in)
{
	static struct hca_wqe wqe;
	uint64_t sum = 0;
	size_t len;
	uint8_t *bytes = take_rest(in, &len);

	if (hca_wqe_parse(bytes, len, HCA_WQE_FRAME, &wqe) == 0) {
		for (unsigned int i = 0; i < wqe.segs; i++) {
			const struct hca_seg *seg = &wqe.seg[i];

			sum += seg->len;
			if (seg->inl && (seg->inl < bytes || seg->inl + seg->len > bytes + len))
				finding("%u inline bytes are not in the WQE", seg->len);
		}
		if (wqe.opcode != HCA_OP_NOP && (sum != wqe.length || wqe.eth.inline_len > sum))
			finding("%lu bytes, not %lu", (unsigned long)sum,
				(unsigned long)wqe.length);
		if (wqe.opcode == HCA_OP_LSO && (!wqe.eth.mss || !wqe.eth.inline_len))
			finding("a long message without size of its segments, or headers");
	}
	free(bytes);
}

void target_input(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);

	switch (input_below(&in, 3)) {
	case 0:
		frame(&in);
		break;
	case 1:
		segment(&in);
		break;
	default:
		wqe(&in);
		break;
	}
}
