/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An input is a small program: a target takes its operations and their operands off the front. What
 * is past the end reads as zero, so every byte string is a program, and cutting one off leaves one.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct input {
	const uint8_t *at, *end;
};

static inline struct input input_of(const uint8_t *data, size_t size)
{
	return (struct input){ data, data + size };
}

static inline bool input_done(const struct input *in)
{
	return in->at == in->end;
}

static inline void input_bytes(struct input *in, void *buf, size_t len)
{
	size_t left = (size_t)(in->end - in->at), n = len < left ? len : left;

	if (n)
		memcpy(buf, in->at, n);
	memset((uint8_t *)buf + n, 0, len - n);
	in->at += n;
}

static inline uint8_t input_u8(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static inline uint16_t input_u16(struct input *in)
{
	uint16_t low = input_u8(in);

	return (uint16_t)(low | input_u8(in) << 8);
}

static inline uint32_t input_u32(struct input *in)
{
	uint32_t low = input_u16(in);

	return low | (uint32_t)input_u16(in) << 16;
}

static inline uint64_t input_u64(struct input *in)
{
	uint64_t low = input_u32(in);

	return low | (uint64_t)input_u32(in) << 32;
}

/* 0 .. @n - 1; a byte for small @n. */
static inline uint32_t input_below(struct input *in, uint32_t n)
{
	return n <= 1 ? 0 : (n <= 256 ? input_u8(in) : input_u32(in)) % n;
}

/* A number near an edge more often than not: small, a power of two and its neighbours, or anything.
 */
static inline uint64_t input_number(struct input *in)
{
	uint8_t kind = input_u8(in);

	switch (kind & 7) {
	case 0:
	case 1:
		return kind >> 3;
	case 2:
		return input_u8(in);
	case 3:
		return input_u16(in);
	case 4:
		return (uint64_t)1 << (input_u8(in) & 63);
	case 5:
		return ((uint64_t)1 << (input_u8(in) & 63)) - 1 - (kind >> 3 & 1);
	case 6:
		return -(uint64_t)(kind >> 3) - 1;
	default:
		return input_u64(in);
	}
}

#endif
