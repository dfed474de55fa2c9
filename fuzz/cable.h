/* SPDX-License-Identifier: GPL-2.0-only */
/* Cables of the world's ports that are bad, pulled, or captured. */
#ifndef FUZZ_CABLE_H
#define FUZZ_CABLE_H

#include "fuzz/input.h"
#include "fuzz/world.h"
#include "impairment/spec.h"

/* 0, all but a few parts, or less. */
static inline uint64_t input_share(struct input *in)
{
	return IMPAIRMENT_ALL / 255 * input_u8(in);
}

/* What impairment_parse() could have made; delays are at most a few turns of the world. */
static inline struct impairment_spec input_spec(struct input *in)
{
	uint8_t has = input_u8(in);
	struct impairment_spec spec = { .seed = input_u8(in) };

	spec.loss = has & 0x01 ? input_share(in) : 0;
	spec.dup = has & 0x02 ? input_share(in) : 0;
	spec.reorder = has & 0x04 ? input_share(in) : 0;
	spec.ecn = has & 0x08 ? input_share(in) : 0;
	spec.biterror = has & 0x10 ? input_share(in) : 0;
	spec.biterror >>= has & 0x10 ? input_u8(in) & 31 : 0;
	spec.delay_ns = has & 0x20 ? (uint64_t)input_u16(in) << 2 : 0;
	spec.jitter_ns = has & 0x40 && spec.delay_ns ? input_u16(in) % spec.delay_ns : 0;
	spec.rate = has & 0x80 ? IMPAIRMENT_RATE_MIN + ((uint64_t)input_u16(in) << 20) : 0;
	return spec;
}

/* One operation on the cable of a port: another spec, none, pulled, plugged, captured, reports. */
void cable(struct world *world, struct input *in);

#endif
