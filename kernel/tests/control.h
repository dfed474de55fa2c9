/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Questions to the emulator over the port $TPH_CONTROL (see emulator/control.h): what the
 * completers and the HCAs saw. A port can be opened once only: a descriptor of it that was
 * inherited from the shell is used, and the shell must not ask meanwhile. Safe from several
 * threads.
 */
#ifndef KERNEL_TESTS_CONTROL_H
#define KERNEL_TESTS_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTROL_ANSWER 65536

/* Sends a line and reads the answer, JSON without newline. -EIO when the answer is an error. */
int control_ask(char *answer, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What arrived at a completer with one hint, th false: with none. */
struct control_count {
	bool th;
	uint8_t ph;
	uint8_t width;
	uint16_t st;
	uint64_t writes, reads; /* TLPs */
	uint64_t write_bytes, read_bytes;
};

/* Returns how many hints the endpoint has seen; at most @max of them are stored. */
int control_counts(const char *endpoint, struct control_count *count, unsigned int max);
int control_reset_counts(const char *endpoint);

/* The memory key that took the last remote access at an HCA. */
struct control_mkey {
	bool valid;
	uint32_t key;
	bool tph; /* in the key */
	bool th;  /* on the TLPs: with the next three */
	uint8_t ph;
	uint8_t width;
	uint16_t st;
	uint8_t index;
};

int control_mkey(const char *hca, struct control_mkey *mkey);
int control_clear_mkey(const char *hca);

#endif
